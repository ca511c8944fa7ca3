"""Normal families: all normal densities, all mixtures of K of them, and their gradients in θ.

The box has a hard edge: one new point outside, and its likelihood is 0. A normal density is nowhere
0, but it has one hill only, and land lies in many places; a mixture of K normals can have K hills.
There is no formula for θ̂ of a mixture. It is found in steps, for instance along the gradient of
log p in θ, and each step must lead to the θ of a density. A step on a covariance matrix Σ could
fail here, as Σ must be symmetric and positive definite. So θ has other numbers, without such
constraints. Each Σ is L Lᵀ for exactly one lower triangular L with a positive diagonal, and each
positive number is the exponential of exactly one number. So θ holds the logarithms of that
diagonal, and every θ is allowed whose exponentials are floating-point numbers.

    normal   θ                = (µ, log of the diagonal of L, L below its diagonal)            (1)
             θ̂                = θ of the mean and the covariance of the rows                   (2)
             u                = L⁻¹ (x - µ)                                                    (3)
             log p(x)         = -|u|²/2 - Σ_i log L_ii - (d/2) log 2π                          (4)
             v                = L⁻ᵀ u                                                          (5)
             ∂log p/∂µ        = v                                                              (6)
             ∂log p/∂L_ij     = v_i u_j                      i > j                             (7)
             ∂log p/∂log L_ii = L_ii v_i u_i - 1                                               (8)
    mixture  θ                = (K logits, K times the θ of a normal), w = softmax(logits)     (9)
             log p(x)         = log Σ_k w_k p_k(x)                                            (10)
             r_k              = w_k p_k(x)/p(x)              the share of k in p(x)           (11)
             ∂log p/∂logit_k  = r_k - w_k                                                     (12)
             ∂log p/∂θ_k      = r_k ∂log p_k/∂θ_k            θ_k belongs to the normal k      (13)

The derivation of (2) is in NormalFamily.mle, of (6) to (8) in _normals, and of (12) and (13) in
MixtureFamily.log_prob. For the fifty points θ̂ of the normal has ℓ = -561.0.

By hand: N(0, 1) at x = 2 has u = v = 2, so the gradient of log p is 2 in µ and 2 · 2 - 1 = 3 in
log σ: both should grow. In an equal mixture of N(0, 1) and N(2, 1), x = 1 lies midway, so both r_k
and both w_k are 1/2. The logits stay. Each mean is pulled toward x, half as strongly as it would be
alone: by 1/2 and by -1/2.

>>> import numpy
>>> family = NormalFamily(d=1)                                          # θ = (µ, log σ)
>>> log_p, backward = family.log_prob(numpy.array([0.0, 0.0]), [[2.0]])
>>> print(backward(numpy.ones(1)))
[2. 3.]
>>> theta = numpy.array([0.0, 0.0, 0.0, 0.0, 2.0, 0.0])                 # logits, θ_1, θ_2
>>> log_p, backward = MixtureFamily(n_components=2, d=1).log_prob(theta, [[1.0]])
>>> print(backward(numpy.ones(1)).round(3) + 0)                         # + 0 makes 0 of -0
[ 0.   0.   0.5  0.  -0.5  0. ]

See figure_1_06_densities (1, 10, 50 and 200 normals), tests/probability/test_normal_family.py.
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import log_softmax, logsumexp, softmax
from gdl_numpy.numerics.moments import moments
from gdl_numpy.probability.density import LOG_2_PI, Mixture, Normal, cholesky, inverse


class NormalFamily(Described):
    """Normal densities on R^d, θ = (µ, log diagonal of L, L below the diagonal row by row)."""

    def __init__(self, d):
        self.d = checks.whole_number(d, "d", least=1)
        self.n_parameters = checks.held(2 * self.d + self.d * (self.d - 1) // 2)

    def __call__(self, theta):
        theta = checks.theta(theta, self.n_parameters)
        (mu,), (log_diagonal,), (L,) = cut_normals(theta[None], self.d)            # (1)
        checked_exponents(log_diagonal, "the logarithms of the diagonal of L")
        return Normal.from_cholesky(mu, L)

    def theta(self, mu, L):
        """The θ of N(µ, L Lᵀ); for mu (K, d) and L (K, d, d) one row for each."""
        mu = checks.real_array(mu, "mu")
        L, xp = checks.triangle(checks.real_array(L, "L", like=mu), mu), array_module(mu)
        if mu.shape[-1] != self.d or mu.ndim > 2:
            raise ValueError(f"mu must have shape ({self.d},) or (K, {self.d}), got {mu.shape}")
        i, j = _below_diagonal(xp, self.d)
        log_diagonal = xp.log(xp.diagonal(L, axis1=-2, axis2=-1))
        return xp.concatenate([mu, log_diagonal, L[..., i, j]], axis=-1)            # (1)

    def initial_theta(self, rng, dtype=float):
        """A start near the standard normal, shape (n_θ,)."""
        dtype = checks.float_dtype(dtype)
        return 0.1 * checks.rng(rng).standard_normal(self.n_parameters, dtype=dtype)

    def mle(self, X):
        """θ of the mean µ̂ and the covariance C (divided by n) of the rows of X, shape (n_θ,).

        It is the maximum. Over the rows, u = L⁻¹ (x - µ) has the mean L⁻¹ (µ̂ - µ) and the
        covariance A = L⁻¹ C L⁻ᵀ. The mean of |u|² is the squared length of the first plus the sum
        of the variances, |L⁻¹ (µ̂ - µ)|² + tr A, which is least for µ = µ̂, whatever L is. Then, as
        det A is det C / (det L)², and with the eigenvalues a_i > 0 of A,

            2ℓ/n = -tr A - 2 log det L + const = -tr A + log det A + const
                 = Σ_i (log a_i - a_i) + const

        log a - a is largest where its derivative 1/a - 1 is 0. So all a_i are 1, A = I and
        L Lᵀ = C. ValueError if C is singular: then ℓ rises without end as the density gets thinner.
        """
        X = checks.varying(checks.data_set(X, self.d))
        mu, C = moments(X)
        try:
            return self.theta(mu, cholesky(C)).astype(X.dtype)      # (2)
        except ValueError as error:
            raise ValueError("X has a singular covariance, so its likelihood has no maximum: its "
                             f"{len(X)} rows lie, to rounding, in a plane of fewer than {self.d} "
                             "dimensions") from error

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        theta = checks.theta(theta, self.n_parameters, finite=False)
        log_p, backward = _normals(theta[None], X, self.d)
        return log_p[0], lambda dlog_p: backward(dlog_p[None])[0]


def cut_normals(theta, d):
    """µ (K, d), log L_ii (K, d) and L (K, d, d) of the rows of theta (K, n_θ)."""
    xp = array_module(theta)
    log_diagonal = theta[:, d:2 * d]
    L = xp.zeros((len(theta), d, d), dtype=theta.dtype)
    limit = _largest_exponent(theta.dtype)                         # L⁻¹ must be finite as well
    L[:, xp.arange(d), xp.arange(d)] = xp.exp(log_diagonal.clip(-limit, limit))
    i, j = _below_diagonal(xp, d)
    L[:, i, j] = theta[:, 2 * d:]
    return theta[:, :d], log_diagonal, L


@numpy.errstate(over="ignore", invalid="ignore")                    # -inf is meant, far away
def _normals(theta, X, d):
    """K normals at once: log p_k(x), (K, n), and backward: dlog_p (K, n) -> dtheta (K, n_θ).

    For the gradient, let µ and L change a little, by Δµ and ΔL, and keep terms of first order.
    L u = x - µ becomes ΔL u + L Δu = -Δµ, so Δu = -L⁻¹ (Δµ + ΔL u). With vᵀ = uᵀ L⁻¹ therefore

        Δlog p = -uᵀ Δu - Σ_i Δlog L_ii = vᵀ Δµ + vᵀ ΔL u - Σ_i Δlog L_ii

    where the factor of Δµ_i is v_i, that of ΔL_ij is v_i u_j, and ΔL_ii = L_ii Δlog L_ii.
    `backward` multiplies each by g = ∂loss/∂log p and adds over the rows.
    """
    xp = array_module(theta)
    X = checks.observations(X, theta[0, :d], finite=False)
    mu, log_diagonal, L = cut_normals(theta, d)
    L_inverse = inverse(L)
    U = (X - mu[:, None]) @ L_inverse.swapaxes(1, 2)                # u, (K, n, d), (3)
    log_p = (-0.5 * (U**2).sum(axis=2) - log_diagonal.sum(axis=1)[:, None]
             - 0.5 * d * LOG_2_PI)                                  # (4)
    given = xp.isnan(X).any(axis=1) | xp.isnan(theta).any(axis=1)[:, None]
    log_p = xp.where(xp.isnan(log_p) & ~given, -math.inf, log_p)    # inf - inf, or 0 times inf

    def backward(dlog_p):
        u = xp.where(dlog_p[:, :, None] != 0, U, 0)                 # 0 times infinity is 0 here
        pulled = ((dlog_p[:, :, None] * u) @ L_inverse).astype(float)       # g v, (5)
        dmu = pulled.sum(axis=1)                                    # many rows: in float64, (6)
        dL = pulled.swapaxes(1, 2) @ u.astype(float)                # (7)
        dlog_diagonal = (xp.diagonal(L, axis1=1, axis2=2) * xp.diagonal(dL, axis1=1, axis2=2)
                         - dlog_p.sum(axis=1, dtype=float)[:, None])            # (8)
        i, j = _below_diagonal(xp, d)
        return xp.concatenate([dmu, dlog_diagonal, dL[:, i, j]], axis=1).astype(theta.dtype)

    return log_p, backward


class MixtureFamily(Described):
    """Mixtures of K normals on R^d, θ = (K logits, K times the θ of a NormalFamily)."""

    def __init__(self, n_components, d):
        self.n_components = checks.whole_number(n_components, "n_components", least=1)
        self.normal = NormalFamily(d)
        self.d = self.normal.d
        self.n_parameters = checks.held(self.n_components * (1 + self.normal.n_parameters))

    def __call__(self, theta):
        logits, blocks = self.cut(checks.theta(theta, self.n_parameters))           # (9)
        return Mixture(softmax(logits), [self.normal(block) for block in blocks])

    def cut(self, theta):
        """The logits (K,) and the parameters of the normals (K, n_θ), views of theta."""
        theta = checks.one_axis(checks.real_array(theta, "theta", finite=False), self.n_parameters,
                                "theta")
        return theta[:self.n_components], theta[self.n_components:].reshape(self.n_components, -1)

    def theta(self, weights, mu, L):
        """The θ of Σ_k w_k N(µ_k, L_k L_kᵀ) from arrays (K,), (K, d) and (K, d, d)."""
        weights = checks.wider(checks.probabilities(weights, "weights"), mu, L)
        mu, xp = checks.real_array(mu, "mu", like=weights), array_module(weights)
        K = self.n_components
        if weights.shape != (K,) or mu.shape != (K, self.d) or not (weights > 0).all():
            raise ValueError(f"weights must be {K} positive numbers, and mu of shape ({K}, {self.d}"
                             f"), got {weights} and shape {mu.shape}")
        return xp.concatenate([xp.log(weights), self.normal.theta(mu, L).ravel()])

    def initial_theta(self, rng, dtype=float):
        """A start, shape (n_θ,): equal weights, covariances I, means drawn from N(0, I)."""
        dtype = checks.float_dtype(dtype)
        theta = 0 * checks.rng(rng).standard_normal(self.n_parameters, dtype=dtype)  # on its device
        shape = self.n_components, self.d
        self.cut(theta)[1][:, :self.d] = rng.standard_normal(shape, dtype=dtype)
        return theta

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta.

        log p = log Σ_k exp(b_k) with b_k = log w_k + log p_k has the derivative exp(b_k)/p = r_k in
        b_k. Through log p_k this gives (13). Through log w_j = logit_j - log Σ_k exp(logit_k),
        whose derivative in logit_k is [j = k] - w_k, it gives Σ_j r_j ([j = k] - w_k) = r_k - w_k,
        as the r_j sum to 1.
        """
        theta = checks.theta(theta, self.n_parameters, finite=False)
        xp, (logits, blocks) = array_module(theta), self.cut(theta)
        log_p, backward_normals = _normals(blocks, X, self.d)
        joint = log_softmax(logits)[:, None] + log_p                # log(w_k p_k(x)), (K, n)
        value = logsumexp(joint, axis=0)                            # (10)

        def backward(dlog_p):
            djoint = xp.exp(joint - value) * dlog_p                 # r_k g, (11)
            dlogits = (djoint.sum(axis=1, dtype=float)
                       - softmax(logits) * dlog_p.sum(dtype=float)).astype(theta.dtype)  # (12)
            return xp.concatenate([dlogits, backward_normals(djoint).ravel()])      # (13)

        return value.copy(), backward                               # the caller may change its own


def _below_diagonal(xp, d):
    """Rows and columns of the entries below the diagonal, row by row."""
    pairs = [(i, j) for i in range(d) for j in range(i)]            # tril_indices makes CuPy wait
    return tuple(xp.asarray([pair[side] for pair in pairs], dtype=int) for side in (0, 1))


def checked_exponents(b, name):
    """b, an array, if exp(b) and exp(-b) are floating-point numbers, with some room."""
    limit = _largest_exponent(b.dtype)
    if (abs(b) > limit).any():
        raise ValueError(f"{name} must lie in [-{limit}, {limit}] in {b.dtype}, got {b}")
    return b


def _largest_exponent(dtype):
    """The largest b for which exp(b) and exp(-b) are floating-point numbers, with some room."""
    return math.floor(math.log(numpy.finfo(dtype).max)) - 3         # 706, or 85 in float32
