"""Normal families: all normal densities, all mixtures of K of them, and their gradients in θ.

Why: most models are fitted by walking downhill on θ, so log p_θ(x) must have a derivative in θ, and
every place that the walk may reach must be a density. But a covariance matrix has to be symmetric
and positive definite, which a step of a walk would break. Idea: do not walk on Σ. Every Σ is L Lᵀ
with a lower triangular L whose diagonal is positive; and positive numbers are exponentials. So

    NormalFamily(d)        θ = (µ, log of the diagonal of L, L below its diagonal),  Σ = L Lᵀ
    MixtureFamily(K, d)    θ = (K logits, K vectors as for the normal),  w = softmax(logits)

are parametrised without constraints: every vector of numbers is a valid θ, if floating point has
the exponentials. For the normal, with u = L⁻¹ (x - µ) and g = ∂loss/∂log p,

    log p = -|u|²/2 - Σ_i log L_ii - d/2 log 2π
    ∂/∂µ = L⁻ᵀ u      ∂/∂L_ij = (L⁻ᵀ u)_i u_j,  i > j      ∂/∂log L_ii = L_ii (L⁻ᵀ u)_i u_i - 1

each times g and summed over the rows. For the mixture, with r_k = w_k p_k(x) / p(x),

    log p = log Σ_k w_k p_k(x)      ∂ log p/∂logit_k = r_k - w_k

while component k receives the share r_k of g.

>>> import numpy
>>> family = NormalFamily(d=1)
>>> log_p, backward = family.log_prob(family.theta(numpy.zeros(1), numpy.eye(1)), [[2.0]])
>>> print(backward(numpy.ones(1)))          # u = 2: µ should go up by u, log σ by u² - 1
[2. 3.]
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
        self.n_parameters = 2 * self.d + self.d * (self.d - 1) // 2

    def __call__(self, theta):
        theta = checks.theta(theta, self.n_parameters)
        (mu,), (log_diagonal,), (L,) = cut_normals(theta[None], self.d)
        limit = _largest_exponent(theta.dtype)
        if (abs(log_diagonal) > limit).any():
            raise ValueError(f"the logarithms of the diagonal of L must lie in [-{limit}, {limit}] "
                             f"in {theta.dtype}, got {log_diagonal}")
        return Normal.from_cholesky(mu, L)

    def theta(self, mu, L):
        """The θ of N(µ, L Lᵀ); for mu (K, d) and L (K, d, d) one row for each."""
        mu = checks.real_array(mu, "mu")
        L, xp = checks.triangle(checks.real_array(L, "L", like=mu), mu), array_module(mu)
        if mu.shape[-1] != self.d or mu.ndim > 2:
            raise ValueError(f"mu must have shape ({self.d},) or (K, {self.d}), got {mu.shape}")
        i, j = _below_diagonal(xp, self.d)
        log_diagonal = xp.log(xp.diagonal(L, axis1=-2, axis2=-1))
        return xp.concatenate([mu, log_diagonal, L[..., i, j]], axis=-1)

    def initial_theta(self, rng, dtype=float):
        """A start near the standard normal, shape (n_θ,)."""
        return 0.1 * checks.rng(rng).standard_normal(self.n_parameters, dtype=dtype)

    def mle(self, X):
        """Mean and covariance (divided by n) of the rows of X."""
        X = checks.varying(checks.data_set(X, self.d))
        mu, C = moments(X)
        try:
            return self.theta(mu, cholesky(C)).astype(X.dtype)
        except ValueError as error:
            raise ValueError("X has a singular covariance, so its likelihood has no maximum: its "
                             f"{len(X)} rows lie, to rounding, in a plane of fewer than {self.d} "
                             "dimensions") from error

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        theta = checks.theta(theta, self.n_parameters, finite=False)
        log_p, backward = _normals(theta[None], X, self.d)
        return log_p[0], lambda dlog_p: backward(dlog_p[None])[0]


class MixtureFamily(Described):
    """Mixtures of K normals on R^d, θ = (K logits, K times the θ of a NormalFamily)."""

    def __init__(self, n_components, d):
        self.n_components = checks.whole_number(n_components, "n_components", least=1)
        self.normal = NormalFamily(d)
        self.d = self.normal.d
        self.n_parameters = self.n_components * (1 + self.normal.n_parameters)

    def __call__(self, theta):
        logits, blocks = self.cut(checks.theta(theta, self.n_parameters))
        return Mixture(softmax(logits), [self.normal(block) for block in blocks])

    def cut(self, theta):
        """The logits (K,) and the parameters of the normals (K, n_θ), views of theta."""
        return theta[:self.n_components], theta[self.n_components:].reshape(self.n_components, -1)

    def theta(self, weights, mu, L):
        """The θ of Σ_k w_k N(µ_k, L_k L_kᵀ) from arrays (K,), (K, d) and (K, d, d)."""
        weights = checks.probabilities(weights, "weights")
        mu, xp = checks.real_array(mu, "mu", like=weights), array_module(weights)
        K = self.n_components
        if weights.shape != (K,) or mu.shape != (K, self.d) or not (weights > 0).all():
            raise ValueError(f"weights must be {K} positive numbers, and mu of shape ({K}, {self.d}"
                             f"), got {weights} and shape {mu.shape}")
        return xp.concatenate([xp.log(weights), self.normal.theta(mu, L).ravel()])

    def initial_theta(self, rng, dtype=float):
        """A start, shape (n_θ,): equal weights, unit covariances, means drawn from N(0, I)."""
        theta = 0 * checks.rng(rng).standard_normal(self.n_parameters, dtype=dtype)
        shape = self.n_components, self.d
        self.cut(theta)[1][:, :self.d] = rng.standard_normal(shape, dtype=dtype)
        return theta

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        theta = checks.theta(theta, self.n_parameters, finite=False)
        xp, (logits, blocks) = array_module(theta), self.cut(theta)
        log_p, backward_normals = _normals(blocks, X, self.d)
        joint = log_softmax(logits)[:, None] + log_p                # log w_k p_k(x), (K, n)
        value = logsumexp(joint, axis=0)                            # log p(x)

        def backward(dlog_p):
            djoint = xp.exp(joint - value) * dlog_p                 # r_k g
            dlogits = (djoint.sum(axis=1, dtype=float)
                       - softmax(logits) * dlog_p.sum(dtype=float)).astype(theta.dtype)
            return xp.concatenate([dlogits, backward_normals(djoint).ravel()])

        return value.copy(), backward                               # the caller may change its own


def _below_diagonal(xp, d):
    """Rows and columns of the entries below the diagonal, row by row."""
    pairs = [(i, j) for i in range(d) for j in range(i)]            # tril_indices makes CuPy wait
    return tuple(xp.asarray([pair[side] for pair in pairs], dtype=int) for side in (0, 1))


def _largest_exponent(dtype):
    """Of an exponential which, and one over which, floating point has, with some room."""
    return math.floor(math.log(numpy.finfo(dtype).max)) - 3         # 706, or 85 in float32


def cut_normals(theta, d):
    """µ (K, d), log L_ii (K, d) and L (K, d, d) of the rows of theta (K, n_θ)."""
    xp = array_module(theta)
    log_diagonal = theta[:, d:2 * d]
    L = xp.zeros((len(theta), d, d), dtype=theta.dtype)
    limit = _largest_exponent(theta.dtype)                          # L⁻¹ must be finite as well
    L[:, xp.arange(d), xp.arange(d)] = xp.exp(log_diagonal.clip(-limit, limit))
    i, j = _below_diagonal(xp, d)
    L[:, i, j] = theta[:, 2 * d:]
    return theta[:, :d], log_diagonal, L


@numpy.errstate(over="ignore", invalid="ignore")                    # -inf is meant, far away
def _normals(theta, X, d):
    """log N(x; µ_k, L_k L_kᵀ), shape (K, n), and backward: dlog_p (K, n) -> dtheta (K, n_θ)."""
    xp = array_module(theta)
    X = checks.observations(X, theta[0, :d], finite=False)
    mu, log_diagonal, L = cut_normals(theta, d)
    L_inverse = inverse(L)
    U = (X - mu[:, None]) @ L_inverse.swapaxes(1, 2)                # u = L⁻¹ (x - µ), (K, n, d)
    log_p = (-0.5 * (U**2).sum(axis=2) - log_diagonal.sum(axis=1)[:, None]
             - 0.5 * d * LOG_2_PI)

    def backward(dlog_p):
        pulled = ((dlog_p[:, :, None] * U) @ L_inverse).astype(float)       # g L⁻ᵀ u
        dmu = pulled.sum(axis=1)                                    # many rows: in float64
        dL = pulled.swapaxes(1, 2) @ U.astype(float)                # all but the -1 of log L_ii
        dlog_diagonal = (xp.diagonal(L, axis1=1, axis2=2) * xp.diagonal(dL, axis1=1, axis2=2)
                         - dlog_p.sum(axis=1, dtype=float)[:, None])
        i, j = _below_diagonal(xp, d)
        return xp.concatenate([dmu, dlog_diagonal, dL[:, i, j]], axis=1).astype(theta.dtype)

    return log_p, backward
