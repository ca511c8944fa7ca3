"""Principal components: the plane nearest to the data, and a normal density around it.

Why: the pictures of a tin have a thousand pixels, but two numbers determine them. Which few numbers
stand for a picture, and how is it made from them again? Idea: the simplest answer is a plane. Each
observation x is replaced by the point of the plane nearest to it, and that point has as many
coordinates z as the plane has dimensions.

**Principal components.** Among all planes of k dimensions the one through the mean µ along the
leading eigenvectors U = (u_1, ..., u_k) of the covariance has the smallest error, a mean over rows
of |x - x̂|². λ_i is the variance in direction u_i, and all of them together are that of the data:

    z = encode(x) = (x - µ) U         x̂ = decode(z) = µ + z Uᵀ        share of direction i = λ_i/Σ λ

**Probabilistic PCA** (Tipping and Bishop 1999) makes it a density: z ~ N(0, I), x = µ + W z + σ ε,

    p(x) = N(µ, C),  C = W Wᵀ + σ² I        M = Wᵀ W + σ² I, k by k
    σ̂² = mean of λ_{k+1}, ..., λ_d          Ŵ = U (Λ - σ̂² I)^½         maximum likelihood
    C⁻¹ = (I - W M⁻¹ Wᵀ)/σ²                 log det C = (d - k) log σ² + log det M
    E[z|x] = M⁻¹ Wᵀ (x - µ)                 the encoder

and with a = C⁻¹ (x - µ) the gradient of log p is a in µ, a aᵀW - W M⁻¹ in W, σ² (|a|² - tr C⁻¹) in
log σ. Beside the data and what has their shape, nothing in it is larger than d by k.

>>> import numpy
>>> X = numpy.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
>>> line = PrincipalComponents.fit(X, 1)
>>> line.decode(line.encode([[1.0, 0.0]]))                          # the foot of a perpendicular
array([[0.5, 0.5]])
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.density import LOG_2_PI

ROWS = 2**14                                                # of one block


class PrincipalComponents(Described):
    """The plane of k dimensions nearest to a data set: `PrincipalComponents.fit(X, k)`.

    `mu` (d,), `components` (d, k) as columns, `explained_variance_ratio` (k,), falling.
    """

    def __init__(self, mu, components, explained_variance_ratio):
        self.mu = checks.vector(mu, "mu").copy()
        self.components = checks.real_array(components, "components", like=self.mu).copy("K")
        if self.components.ndim != 2 or len(self.components) != len(self.mu):
            raise ValueError(f"components must have shape ({len(self.mu)}, k), as columns, got "
                             f"shape {self.components.shape}")
        self.explained_variance_ratio = checks.vector(
            explained_variance_ratio, "explained_variance_ratio", self.components.shape[1],
            like=self.mu).copy()

    @classmethod
    def fit(cls, X, k):
        """From the rows of X (n, d); ValueError unless 1 <= k <= min(n, d) and X varies."""
        X = checks.data_set(X)
        k = checks.whole_number(k, "k", least=1, most=min(X.shape))
        mu, eigenvalues, U = principal_axes(X)
        return cls(mu, U[:, :k], eigenvalues[:k] / eigenvalues.sum())

    def encode(self, X):
        """z = (x - µ) U for each row, (n, k)."""
        return (checks.observations(X, self.mu) - self.mu) @ self.components

    def decode(self, Z):
        """x̂ = µ + z Uᵀ for each row, (n, d)."""
        return self.mu + checks.observations(Z, self.components, name="Z") @ self.components.T


def principal_axes(X):
    """Mean (d,), eigenvalues λ (m,) of the covariance, falling, and their vectors U (d, m).

    From the singular values of the centred rows, X - µ = V S Uᵀ and λ = S²/n, so that no digits are
    lost by squaring; m = min(n, d), all other λ are 0. Many rows are added one block at a time to
    the triangle R of X - µ = Q R, which has the same S and U. All this in float64, and then in the
    dtype of X. ValueError if all rows are equal.
    """
    X = checks.different_rows(checks.data_set(X))
    xp, n = array_module(X), len(X)
    mu = X.mean(axis=0, dtype=float)
    R = X[:ROWS] - mu
    for i in range(ROWS, n, ROWS):
        R = xp.linalg.qr(xp.concatenate([R, X[i:i + ROWS] - mu]), mode="r")
    _, S, Ut = xp.linalg.svd(R, full_matrices=False)
    return mu.astype(X.dtype), (S**2 / n).astype(X.dtype), Ut.T.astype(X.dtype)


class ProbabilisticPCAFamily(Described):
    """N(µ, W Wᵀ + σ² I) on R^d with W (d, k), θ = (µ, W row by row, log σ)."""

    def __init__(self, d, k):
        self.d = checks.whole_number(d, "d", least=2)
        self.k = checks.whole_number(k, "k", least=1, most=self.d - 1)
        self.n_parameters = self.d + self.d * self.k + 1

    def __call__(self, theta):
        return ProbabilisticPCA(self, theta)

    def cut(self, theta):
        """µ (d,), W (d, k) and log σ (), views of theta."""
        checks.theta_shape(theta, self.n_parameters)
        return theta[:self.d], theta[self.d:-1].reshape(self.d, self.k), theta[-1]

    def initial_theta(self, rng, dtype=float):
        """A start near the standard normal, shape (n_θ,), where rng lives."""
        return 0.1 * checks.rng(rng).standard_normal(self.n_parameters, dtype=dtype)

    def mle(self, X):
        """θ̂, shape (n_θ,). ValueError if k directions hold all the variance of X: then σ̂ is 0."""
        X = checks.data_set(X, self.d)
        xp = array_module(X)
        mu, eigenvalues, U = principal_axes(X)
        variance = eigenvalues[self.k:].sum() / (self.d - self.k)
        rounding = (8 * xp.finfo(X.dtype).eps)**2 * (eigenvalues[0] + self.d * abs(X).max()**2)
        if not variance > rounding:
            raise ValueError(f"X lies in a plane of {self.k} dimensions or fewer, so its likelihood"
                             " has no maximum: take a smaller k")
        W = U[:, :self.k] * xp.sqrt(eigenvalues[:self.k] - variance)
        return xp.concatenate([mu, W.ravel(), 0.5 * xp.log(variance)[None]])

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        xp = array_module(theta)
        mu, W, log_sigma = self.cut(theta)
        variance = xp.exp(2 * log_sigma)
        R = checks.observations(X, mu, finite=False) - mu
        M_inverse, log_det_M = self._inverse(W, variance)
        A = (R - R @ W @ M_inverse @ W.T) / variance        # a = C⁻¹ (x - µ)
        log_det = 2 * (self.d - self.k) * log_sigma + log_det_M
        log_p = -0.5 * ((R * A).sum(axis=1) + log_det + self.d * LOG_2_PI)

        def backward(dlog_p):
            gA, total = dlog_p[:, None] * A, dlog_p.sum()
            trace = (self.d - self.k) / variance + xp.trace(M_inverse)      # tr C⁻¹
            dW = gA.T @ (A @ W) - total * W @ M_inverse
            dlog_sigma = variance * ((gA * A).sum() - total * trace)
            dmu = gA.sum(axis=0, dtype=float).astype(mu.dtype)
            return xp.concatenate([dmu, dW.ravel(), dlog_sigma[None]])

        return log_p, backward

    def _inverse(self, W, variance):
        """M⁻¹ (k, k) and log det M, of M = Wᵀ W + σ² I."""
        xp = array_module(W)
        L = xp.linalg.cholesky(W.T @ W + variance * xp.eye(self.k, dtype=W.dtype))
        L_inverse = xp.linalg.inv(L)
        return L_inverse.T @ L_inverse, 2 * xp.log(L.diagonal()).sum()


class ProbabilisticPCA(Described):
    """The density N(µ, W Wᵀ + σ² I), with an encoder and a decoder."""

    def __init__(self, family, theta):
        self.family, self.theta = family, checks.theta(theta, family.n_parameters).copy()
        self.mu, self.W, log_sigma = family.cut(self.theta)
        self.sigma = array_module(self.theta).exp(log_sigma)
        self.M_inverse, _ = family._inverse(self.W, self.sigma**2)

    def log_prob(self, X):
        """log p(x) for each row, shape (n,), in O(n d k)."""
        X = checks.observations(X, self.mu)
        return in_blocks(lambda i, j: self.family.log_prob(self.theta, X[i:j])[0], len(X))

    def sample(self, n, rng):
        """µ + W z + σ ε with z and ε from normal distributions, (n, d)."""
        n = checks.draws(n, rng)
        Z = rng.standard_normal((n, self.family.k), dtype=self.mu.dtype)
        X = rng.standard_normal((n, self.family.d), dtype=self.mu.dtype)
        X *= self.sigma
        X += self.decode(Z)
        return X

    def encode(self, X):
        """E[z|x] for each row, (n, k)."""
        return (checks.observations(X, self.mu) - self.mu) @ self.W @ self.M_inverse

    def decode(self, Z):
        """E[x|z] = µ + W z for each row, (n, d)."""
        return self.mu + checks.observations(Z, self.W, name="Z") @ self.W.T
