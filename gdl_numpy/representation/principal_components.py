"""Principal components: the plane nearest to the data, and a normal density around it.

The images of the tins have 1,024 pixels, but they do not fill a space of 1,024 dimensions: a few
numbers tell one tin from another. Which few numbers stand for an image, and how is the image made
from them again? The simplest answer is a plane. Each observation x is replaced by the nearest point
x̂ of the plane, and that point has as many coordinates z as the plane has dimensions.

**Principal components.** Let u_1, ..., u_k be directions at right angles to each other, the columns
of U (d, k). The plane through the mean µ along them has the nearest point x̂ = µ + (x - µ) U Uᵀ, and
by Pythagoras |x - x̂|² = |x - µ|² - |(x - µ) U|². So the error is least if the variance inside the
plane is largest. It is largest along the eigenvectors of the covariance with the largest
eigenvalues λ_i, which are the variances in these directions. For the rows x of X,

    X - µ  = V S Uᵀ,   λ_i = S_i²/n     singular values, as the covariance is U (S²/n) Uᵀ        (1)
    share of direction i = λ_i / Σ λ    of the variance of the data                              (2)
    z      = encode(x) = (x - µ) U                                                               (3)
    x̂      = decode(z) = µ + z Uᵀ       mean over rows of |x - x̂|² = λ_{k+1} + ... + λ_d         (4)

The tins need 6 such directions for 90 % of their variance and 27 for 99 %, though two numbers make
each of them (figure_1_07_tins): they lie on a curved surface, and a plane has to enclose it.

**Probabilistic PCA** (Tipping and Bishop 1999) makes the plane a density, by noise around it: from
z ~ N(0, I) and ε ~ N(0, I) comes x = µ + z Wᵀ + σ ε, with W (d, k). Hence

    p(x)   = N(µ, C),  C = W Wᵀ + σ² I
    σ̂²     = mean of λ_{k+1}, ..., λ_d           the variance beside the plane                   (5)
    Ŵ      = U (Λ - σ̂² I)^½                      Λ the diagonal matrix of λ_1, ..., λ_k          (6)
    z      = E[z|x] = (x - µ) W M⁻¹,   M = Wᵀ W + σ² I, (k, k)           the encoder             (7)
    a      = (x - µ) C⁻¹ = e/σ²,   e = x - µ - z Wᵀ                                              (8)
    log det C = (d - k) log σ² + log det M                                                       (9)
    log p(x)  = -½ (|e|²/σ² + |z|² + log det C + d log 2π)                                      (10)

In (10), a · (x - µ) is written as a sum of squares, in which no digit cancels near the plane. No
array but the data, and what has their shape, is larger than (d, k). Why all this is so stands
beside the code: in `ProbabilisticPCAFamily.mle` for σ̂ and Ŵ, in `ProbabilisticPCAFamily` for C⁻¹,
det C and the encoder, and in its `log_prob` for the gradient.

By hand: the point of the diagonal nearest to (1, 0) is (½, ½). And (±2, 0) and (0, ±1) have the
variances 2 and ½, so that σ̂² = ½, log σ̂ = -0.347 and Ŵ = (√1.5, 0) up to its sign.

>>> import numpy
>>> line = PrincipalComponents.fit([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], 1)
>>> print(line.decode(line.encode([[1.0, 0.0]])).round(3))
[[0.5 0.5]]
>>> cross = [[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
>>> print(abs(ProbabilisticPCAFamily(2, 1).mle(cross)).round(3))                # µ, W, log σ
[0.    0.    1.225 0.    0.347]

See figure_1_09_manifold (a curved surface by its first three components) and
tests/representation/test_principal_components.py (that it holds).
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.density import LOG_2_PI

ROWS = 2**14                                                # of one block, for long X


def principal_axes(X):
    """Mean (d,), eigenvalues λ (m,) of the covariance, falling, and their vectors U (d, m).

    The covariance itself is not computed: its squares would cost half of the digits. m = min(n, d),
    and all other λ are 0. Many rows are taken in blocks, each of which is added to the triangle R
    of X - µ = Q R; as QᵀQ = I, R has the same S and U as X - µ. All this is done in float64, and
    returned in the dtype of X. ValueError if all rows are equal.
    """
    X = checks.different_rows(checks.data_set(X))
    xp, n = array_module(X), len(X)
    mu = X.mean(axis=0, dtype=float)
    R = X[:ROWS] - mu
    for i in range(ROWS, n, ROWS):
        R = xp.linalg.qr(xp.concatenate([R, X[i:i + ROWS] - mu]), mode="r")
    _, S, Ut = xp.linalg.svd(R, full_matrices=False)                                        # (1)
    return mu.astype(X.dtype), (S**2 / n).astype(X.dtype), Ut.T.astype(X.dtype)


class PrincipalComponents(Described):
    """The plane of k dimensions nearest to a data set: `PrincipalComponents.fit(X, k)`.

    `mu` (d,), `components` (d, k) as columns, `explained_variance_ratio` (k,), falling.
    """

    def __init__(self, mu, components, explained_variance_ratio):
        self.mu = checks.one_axis(checks.real_array(mu, "mu"), None, "mu").copy()
        self.components = checks.real_array(components, "components", like=self.mu).copy("K")
        if self.components.ndim != 2 or len(self.components) != len(self.mu):
            raise ValueError(f"components must have shape ({len(self.mu)}, k), as columns, for "
                             f"this mu, got shape {self.components.shape}")
        ratio = checks.real_array(explained_variance_ratio, "explained_variance_ratio", self.mu)
        self.explained_variance_ratio = checks.one_axis(ratio, self.components.shape[1],
                                                        "explained_variance_ratio").copy()

    @classmethod
    def fit(cls, X, k):
        """From the rows of X (n, d); ValueError unless 1 <= k <= min(n, d) and X varies."""
        X = checks.data_set(X)
        k = checks.whole_number(k, "k", least=1, most=min(X.shape))
        mu, eigenvalues, U = principal_axes(X)
        return cls(mu, U[:, :k], eigenvalues[:k] / eigenvalues.sum())                       # (2)

    def encode(self, X):
        """z = (x - µ) U for each row, (n, k)."""
        return (checks.observations(X, self.mu) - self.mu) @ self.components                # (3)

    def decode(self, Z):
        """x̂ = µ + z Uᵀ for each row, (n, d)."""
        Z = checks.observations(Z, self.components, name="Z")
        return self.mu + Z @ self.components.T                                              # (4)


class ProbabilisticPCAFamily(Described):
    """N(µ, C) on R^d with C = W Wᵀ + σ² I, W (d, k), θ = (µ, W row by row, log σ).

    C W = W Wᵀ W + σ² W = W M, and therefore C⁻¹ W = W M⁻¹. With that

        C⁻¹ (C - W Wᵀ) = σ² C⁻¹,   so  C⁻¹ = (I - C⁻¹ W Wᵀ)/σ² = (I - W M⁻¹ Wᵀ)/σ²
        E[z|x] = (x - µ) C⁻¹ W = (x - µ) W M⁻¹

    where W is the covariance of x and z, and C⁻¹ W the coefficients of the regression of z on x.
    W Wᵀ has the eigenvalues of Wᵀ W, and d - k further ones, which are 0. So C has those of M, and
    d - k times σ²: its determinant is their product, and tr C⁻¹ = tr M⁻¹ + (d - k)/σ².
    """

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
        dtype = checks.float_dtype(dtype)
        return 0.1 * checks.rng(rng).standard_normal(self.n_parameters, dtype=dtype)

    def mle(self, X):
        """θ̂, shape (n_θ,). ValueError if k directions hold all the variance of X: then σ̂ is 0.

        The mean of -log p over the data is ½ (log det C + tr C⁻¹ S) + const, S their covariance. It
        is least for a C with the eigenvectors of S (Tipping and Bishop 1999). Let c_i be the
        eigenvalues of C; what remains is ½ Σ_i (log c_i + λ_i/c_i). k of the c_i are free, and the
        best is c_i = λ_i. The others are all σ², and the best is the mean of their λ_i. Spending
        the free ones on the largest λ_i costs least. In direction i ≤ k, c_i = |W_i|² + σ², so that
        column i of W has the length (λ_i - σ²)^½.
        """
        X = checks.data_set(X, self.d)
        xp = array_module(X)
        mu, eigenvalues, U = principal_axes(X)
        variance = eigenvalues[self.k:].sum() / (self.d - self.k)                           # (5)
        rounding = (8 * xp.finfo(X.dtype).eps)**2 * (eigenvalues[0] + self.d * abs(X).max()**2)
        if not variance > rounding:
            raise ValueError(f"X lies in a plane of {self.k} dimensions or fewer, so its likelihood"
                             " has no maximum: take a smaller k")
        W = U[:, :self.k] * xp.sqrt(eigenvalues[:self.k] - variance)                        # (6)
        return xp.concatenate([mu, W.ravel(), 0.5 * xp.log(variance)[None]])

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta.

        A small change dC of C changes x C⁻¹ xᵀ by -x C⁻¹ dC C⁻¹ xᵀ and log det C by tr C⁻¹ dC, so
        log p by ½ (a dC aᵀ - tr C⁻¹ dC). For W, dC = dW Wᵀ + W dWᵀ; for log σ, dC = 2σ² dlog σ I:

            ∂log p/∂µ = a      ∂log p/∂W = aᵀ a W - W M⁻¹      ∂log p/∂log σ = σ² (|a|² - tr C⁻¹)
        """
        xp = array_module(theta)
        mu, W, log_sigma = self.cut(theta)
        variance = xp.exp(2 * log_sigma)
        R = checks.observations(X, mu, finite=False) - mu
        M_inverse, log_det_M = self._inverse(W, variance)
        Z = R @ W @ M_inverse                                                               # (7)
        E = R - Z @ W.T
        A = E / variance                                                                    # (8)
        log_det = 2 * (self.d - self.k) * log_sigma + log_det_M                             # (9)
        log_p = -0.5 * ((E * A).sum(axis=1) + (Z**2).sum(axis=1) + log_det                 # (10)
                        + self.d * LOG_2_PI)

        def backward(dlog_p):
            gA, total = dlog_p[:, None] * A, dlog_p.sum()
            trace = (self.d - self.k) / variance + xp.trace(M_inverse)      # tr C⁻¹
            dW = gA.T @ Z - total * W @ M_inverse
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
        """µ + z Wᵀ + σ ε with z and ε from normal distributions, (n, d)."""
        n = checks.draws(n, rng)
        Z = rng.standard_normal((n, self.family.k), dtype=self.mu.dtype)
        X = rng.standard_normal((n, self.family.d), dtype=self.mu.dtype)
        X *= self.sigma
        X += self.decode(Z)
        return X

    def encode(self, X):
        """E[z|x] for each row, (n, k)."""
        return (checks.observations(X, self.mu) - self.mu) @ self.W @ self.M_inverse        # (7)

    def decode(self, Z):
        """E[x|z] = µ + z Wᵀ for each row, (n, d)."""
        return self.mu + checks.observations(Z, self.W, name="Z") @ self.W.T
