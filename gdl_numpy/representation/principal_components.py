"""Principal components: the plane nearest to the data, and a normal density around it.

The images of the tins have 1,024 pixels, but they do not fill a space of 1,024 dimensions: a few
numbers tell one tin from another. Which few numbers stand for an image, and how is the image made
from them again? The simplest answer is a plane: let x̂ be the point of the plane nearest to x. It is
given by as many coordinates z as the plane has dimensions.

**Principal components.** Let u_1, ..., u_k be directions of length 1 at right angles to each other,
the columns of U (d, k). In the plane through the mean µ along them, the point nearest to x is
x̂ = µ + (x - µ) U Uᵀ, and by Pythagoras |x - x̂|² = |x - µ|² - |(x - µ) U|². So the error is least if
the variance inside the plane is largest. That is so for the eigenvectors of the covariance with the
largest eigenvalues λ_1 >= ... >= λ_k (`PrincipalComponents` shows why). For the rows x of X,

    X - µ  = V S Uᵀ,   λ_i = S_i²/n     singular values, as the covariance is U (S²/n) Uᵀ        (1)
    share of direction i = λ_i / Σ λ    of the variance of the data                              (2)
    z      = encode(x) = (x - µ) U                                                               (3)
    x̂      = decode(z) = µ + z Uᵀ       mean over rows of |x - x̂|² = λ_{k+1} + ... + λ_d         (4)

The tins need 6 directions for 90 % of their variance and 27 for 99 %, though two numbers make each
of them (figure_1_07_tins): their surface is curved, and only a plane of more dimensions is near it.

**Probabilistic PCA** (Tipping and Bishop 1999) makes the plane a density, by noise around it: from
z ~ N(0, I) and ε ~ N(0, I) comes x = µ + z Wᵀ + σ ε, with W (d, k). The covariances of z Wᵀ and
σ ε add up, so x has the density N(µ, C) with C = W Wᵀ + σ² I, and θ̂ is

    σ̂²     = mean of λ_{k+1}, ..., λ_d           the variance beside the plane                   (5)
    Ŵ      = U (Λ - σ̂² I)^½                      Λ the diagonal matrix of λ_1, ..., λ_k          (6)

C is (d, d), which is too large for images. So let the encoder explain what it can of x by z, and
let e be what is left. Measure all of it in units of σ, with B = W/σ and G = Bᵀ B + I, (k, k):

    z      = E[z|x] = (x - µ)/σ B G⁻¹            the encoder                                     (7)
    e      = (x - µ)/σ - z Bᵀ,    a = e/σ        a is (x - µ) C⁻¹, and ∂log p/∂µ                 (8)
    log det C = 2 d log σ + log det G                                                            (9)
    log p(x)  = -½ (|e|² + |z|² + log det C + d log 2π)                                         (10)

In (10), |e|² + |z|² is (x - µ) C⁻¹ (x - µ)ᵀ without its cancellation of digits near the plane, and
no array but the data is larger than (d + k, k). Lengths in units of σ are the same in every unit of
the data, so their squares do not leave the range of the machine. `ProbabilisticPCAFamily` proves
(7) to (10), its `mle` (5) and (6), its `log_prob` the gradient.

Where σ is small, the 1 in G is lost beside Bᵀ B, and with it what is not in the plane. So G is
never computed. Let I stand below B, and let Q R be this matrix, with QᵀQ = I and R a triangle. Then
G = Bᵀ B + I is (Q R)ᵀ Q R = Rᵀ R, and for the parts Q_1 (d, k) and Q_2 (k, k) of Q,

    B = Q_1 R,  I = Q_2 R,   so R⁻¹ = Q_2,  G⁻¹ = Q_2 Q_2ᵀ,  log det G = 2 Σ log |R_ii|         (11)
    z = (x - µ)/σ Q_1 Q_2ᵀ   and   e = (x - µ)/σ (I - Q_1 Q_1ᵀ)

So digits last until σ is as small beside W as rounding is, not only until its square is.

By hand: (±2, 0) and (0, ±1) have the variances 2 and ½ along the axes. So with k = 1 the point of
the plane nearest to (2, 1) is (2, 0); and σ̂² = ½, log σ̂ = -0.347 and Ŵ = (√1.5, 0) up to its sign.
Then B = (√3, 0), G = 4, and (2, 1) has z = √1.5 and e = (√½, √2): |e|² + |z|² = 2.5 + 1.5 is indeed
2²/2 + 1²/½, as C has the variances 2 and ½.

>>> cross = [[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
>>> line = PrincipalComponents.fit(cross, 1)
>>> print(abs(line.decode(line.encode([[2.0, 1.0]]))).round(3))
[[2. 0.]]
>>> print(abs(ProbabilisticPCAFamily(2, 1).mle(cross)).round(3))                # µ, W, log σ
[0.    0.    1.225 0.    0.347]

See figure_1_09_manifold (a curved surface by its first three components) and
tests/representation/test_principal_components.py (that it holds).
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import quiet
from gdl_numpy.probability.density import LOG_2_PI
from gdl_numpy.probability.normal_family import checked_exponents

ROWS = 2**14                                                # of one block, for long X


def principal_axes(X):
    """Mean (d,), eigenvalues λ (m,) of the covariance, falling, and their vectors U (d, m).

    The covariance itself is not computed: its squares would cost half of the digits. m = min(n, d),
    and all other λ are 0. Many rows are taken in blocks, each of which is added to the triangle R
    of X - µ = Q R; as QᵀQ = I, R has the same S and U as X - µ. All this is done in float64. µ and
    U come back in the dtype of X; λ stays in float64, because a square soon leaves the range of
    float32. ValueError if all rows are equal, or if their squares leave that of float64.
    """
    X = checks.different_rows(checks.data_set(X))
    xp, n = array_module(X), len(X)
    mu = X.mean(axis=0, dtype=float)
    R = X[:ROWS] - mu
    for i in range(ROWS, n, ROWS):
        R = xp.linalg.qr(xp.concatenate([R, X[i:i + ROWS] - mu]), mode="r")
    _, S, Ut = xp.linalg.svd(R, full_matrices=False)                                        # (1)
    return mu.astype(X.dtype), S**2 / n, Ut.T.astype(X.dtype)


class PrincipalComponents(Described):
    """The plane of k dimensions nearest to a data set: `PrincipalComponents.fit(X, k)`.

    `mu` (d,), `components` (d, k) as columns, `explained_variance_ratio` (k,), falling.

    Why the first eigenvectors: let C be the covariance, with the eigenvectors e_1, ..., e_d. The
    variance along u_j is u_j · C u_j = Σ_i λ_i (u_j · e_i)², and that inside the plane the sum over
    j, Σ_i λ_i w_i with w_i = Σ_j (u_j · e_i)². Each w_i is at most |e_i|² = 1, as it is the squared
    length of the part of e_i in the plane, and Σ_i w_i = Σ_j |u_j|² = k. So the variance is largest
    if w_1, ..., w_k are 1 and the others 0.
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

    With M = Wᵀ W + σ² I, (k, k), C W = W Wᵀ W + σ² W = W M, and therefore C⁻¹ W = W M⁻¹. W is the
    covariance of x and z, so the difference of z and (x - µ) C⁻¹ W has the covariance
    W - C C⁻¹ W = 0 with x. As all is normal, the difference is then independent of x, with mean 0.
    Hence the encoder and a = (x - µ) C⁻¹, where e is in units of σ:

        E[z|x] = (x - µ) C⁻¹ W = (x - µ) W M⁻¹,   which is also a W
        C⁻¹ (C - W Wᵀ) = σ² C⁻¹,   so  C⁻¹ = (I - C⁻¹ W Wᵀ)/σ²  and  a = (x - µ - z Wᵀ)/σ² = e/σ
        a (x - µ)ᵀ = a (σ e + z Wᵀ)ᵀ = |e|² + a W zᵀ = |e|² + |z|²

    W Wᵀ has the eigenvalues of Wᵀ W, and d - k further ones, which are 0. So C has those of M, and
    d - k times σ². Its determinant is their product, and tr C⁻¹ = tr M⁻¹ + (d - k)/σ². In units of
    σ, G = M/σ² = Bᵀ B + I: then W M⁻¹ = B G⁻¹/σ gives (7), and det M = σ^(2k) det G gives (9).
    """

    def __init__(self, d, k):
        self.d = checks.whole_number(d, "d", least=2)
        self.k = checks.whole_number(k, "k", least=1, most=self.d - 1)
        self.n_parameters = checks.held(self.d + self.d * self.k + 1)

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

        The mean of -log p over the data is ½ (log det C + tr C⁻¹ Ĉ) + const, Ĉ their covariance. It
        is least for a C with the eigenvectors of Ĉ (Tipping and Bishop 1999). Let c_i be the
        eigenvalues of C; what remains is ½ Σ_i (log c_i + λ_i/c_i). d - k of the c_i are σ², and
        the others are |W_i|² + σ², with column i of W, at least σ². These go with the largest λ_i:
        if c_i > σ² and c_j = σ², but λ_i < λ_j, then exchanging c_i and c_j lowers the sum by
        ½ (λ_j - λ_i) (1/σ² - 1/c_i). By derivatives, the best c_i is λ_i, and the best σ² is the
        mean of the λ_i that go with it. So column i of W has the length (λ_i - σ²)^½.
        """
        X = checks.data_set(X, self.d)
        xp = array_module(X)
        mu, eigenvalues, U = principal_axes(X)
        variance = eigenvalues[self.k:].sum() / (self.d - self.k)                           # (5)
        size = eigenvalues[0] + self.d * abs(X).max().astype(float)**2
        rounding = (8 * float(xp.finfo(X.dtype).eps))**2 * size
        if not variance > rounding:
            raise ValueError(f"X lies in a plane of {self.k} dimensions or fewer, so its likelihood"
                             " has no maximum: take a smaller k")
        W = U[:, :self.k] * xp.sqrt(eigenvalues[:self.k] - variance)                        # (6)
        return xp.concatenate([mu, W.ravel(), 0.5 * xp.log(variance)[None]]).astype(X.dtype)

    @quiet                                                                  # -inf is meant
    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta.

        A small change dC of C changes x C⁻¹ xᵀ by -x C⁻¹ dC C⁻¹ xᵀ and log det C by tr C⁻¹ dC, so
        log p by ½ (a dC aᵀ - tr C⁻¹ dC). For W, dC = dW Wᵀ + W dWᵀ; for log σ, dC = 2σ² dlog σ I:

            ∂log p/∂µ = a      ∂log p/∂W = aᵀ a W - W M⁻¹      ∂log p/∂log σ = σ² (|a|² - tr C⁻¹)

        where a W = z and W M⁻¹ = B G⁻¹/σ; sums over rows are taken in float64.
        """
        xp = array_module(theta)
        mu, W, log_sigma = self.cut(theta)
        sigma = xp.exp(log_sigma)
        X = checks.observations(X, mu, finite=False)
        scaled = (X - mu) / sigma
        Q_1, Q_2, log_det_G = self._parts(W / sigma)
        in_plane = scaled @ Q_1
        Z, E = in_plane @ Q_2.T, scaled - in_plane @ Q_1.T                                  # (7)
        A = E / sigma                                                                       # (8)
        log_det = 2 * self.d * log_sigma + log_det_G                                        # (9)
        log_p = -0.5 * ((E**2).sum(axis=1) + (Z**2).sum(axis=1) + log_det                  # (10)
                        + self.d * LOG_2_PI)
        given = xp.isnan(X).any(axis=1) | xp.isnan(theta).any()
        log_p = xp.where(xp.isnan(log_p) & ~given, -math.inf, log_p)        # inf - inf

        @quiet
        def backward(dlog_p):
            gA, total = (dlog_p[:, None] * A).astype(float), dlog_p.sum(dtype=float)
            trace = self.d - self.k + (Q_2**2).sum()                # σ² tr C⁻¹, by tr Q_2 Q_2ᵀ
            dW = gA.T @ Z.astype(float) - total * (Q_1 @ Q_2.T / sigma)
            dlog_sigma = (gA * E).sum() * sigma - total * trace
            return xp.concatenate([gA.sum(axis=0), dW.ravel(), dlog_sigma[None]]).astype(
                theta.dtype)

        return log_p, backward

    def _parts(self, B):
        """Q_1 (d, k), Q_2 (k, k) and log det G, of G = Bᵀ B + I."""
        xp = array_module(B)
        Q, R = xp.linalg.qr(xp.concatenate([B, xp.eye(self.k, dtype=B.dtype)]))             # (11)
        return Q[:self.d], Q[self.d:], 2 * xp.log(abs(R.diagonal())).sum()


class ProbabilisticPCA(Described):
    """The density N(µ, W Wᵀ + σ² I), with an encoder and a decoder."""

    def __init__(self, family, theta):
        self.family, self.theta = family, checks.theta(theta, family.n_parameters).copy()
        self.mu, self.W, log_sigma = family.cut(self.theta)
        self.sigma = array_module(self.theta).exp(checked_exponents(log_sigma, "log σ"))
        with numpy.errstate(over="ignore"):
            B = self.W / self.sigma
        if not array_module(B).isfinite(B).all():
            raise ValueError(f"W/σ leaves the range of {B.dtype}: σ is {float(self.sigma)}")
        self.Q_1, self.Q_2, _ = family._parts(B)

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
        X = checks.observations(X, self.mu)
        return (X - self.mu) / self.sigma @ self.Q_1 @ self.Q_2.T

    def decode(self, Z):
        """E[x|z] = µ + z Wᵀ for each row, (n, d)."""
        return self.mu + checks.observations(Z, self.W, name="Z") @ self.W.T
