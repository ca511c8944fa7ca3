"""Probability density function: what a model p(x) of continuous data is.

A density p maps each point x of the sample space to a number p(x) >= 0 such that

    ∫ p(x) dx = 1                                  total mass, over the sample space.

A class here is a density because of what it can do: `log_prob(X)` gives log p(x) in nats for each
row of X, shape (n,), and -inf outside the support; `sample(n, rng)` draws n observations, (n, d).

    Box            p(x) = 1 / volume inside, 0 outside        the chapter's model of the world map
    Normal         p(x) = exp(-|u|²/2) / ((2π)^(d/2) det L),  u = L⁻¹ (x - µ),  Σ = L Lᵀ
    Mixture        p(x) = Σ_k w_k p_k(x)
    Histogram      p(x) = mass of the cell of x / volume of the cell
    KernelDensity  p(x) = 1/n Σ_i N(x; x_i, h² I)             one small bump on each training point

and the functions that compare two of them are integrals over the space, in nats:

    entropy          H(p)     = -∫ p log p
    cross-entropy    H(p, q)  = -∫ p log q
    KL divergence    KL(p‖q)  =  ∫ p log(p/q)
    Jensen-Shannon   JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m),  m = ½ (p + q)

Erratum E04: a density is not a number between 0 and 1, only masses are (test_e04). Erratum E05: to
integrate to 1 is not enough, p must not be negative either (test_e05). Erratum E06: a density has a
unit, one over that of volume: p per square radian is (180/π)² times p per square degree (test_e06).
Erratum E16: a point belongs to the support of a distribution; its own probability is 0 (test_e16).
Erratum E19: "a random point in the box" names no distribution until it says uniformly (test_e19).
Erratum E26: samples need not have high density: in 1,000 dimensions none comes near the mode of a
normal (test_e26).
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.neighbours import near_blocks
from gdl_numpy.probability.sample_space import SampleSpace

LOG_2_PI = math.log(2 * math.pi)


def categorical(weights, n, rng):
    """n draws of k with probability proportional to weights[k], by the inverse of the CDF, (n,)."""
    cdf = weights.ravel().cumsum()
    u = rng.random(n, dtype=cdf.dtype) * cdf[-1]
    return array_module(cdf).searchsorted(cdf, u, side="right").clip(0, len(cdf) - 1)


def sample_components(weights, components, n, rng):
    """n draws of a component k, as `categorical`, and of x from it: X (n, d) and k (n,)."""
    k = categorical(weights, checks.whole_number(n, "n"), rng)
    xp = array_module(k)
    counts = xp.bincount(k, minlength=len(components)).tolist()
    X = xp.concatenate([p.sample(m, rng) for p, m in zip(components, counts, strict=True)])
    return X[k.argsort().argsort()], k                              # in the order of the draws


class Box:
    """The uniform density on the closed box with corners `low` and `high`, both of shape (d,).

    >>> p = Box([0, 0], [0.1, 0.1])
    >>> print(numpy.exp(p.log_prob([[0.05, 0.1], [0.05, 0.2]])))        # a density may exceed 1
    [100.   0.]
    """

    def __init__(self, low, high):
        self.space = SampleSpace(low, high)
        self.low, self.high = self.space.low, self.space.high

    def log_prob(self, X):
        xp = array_module(self.low)
        return xp.where(self.space.contains(X), -xp.log(self.high - self.low).sum(), -math.inf)

    def sample(self, n, rng):
        u = rng.random((checks.whole_number(n, "n"), len(self.low)), dtype=self.low.dtype)
        X = self.low + (self.high - self.low) * u
        return array_module(X).minimum(X, self.high)                # rounding could step over it


class Normal:
    """The normal density N(µ, Σ) with mean `mu` (d,) and any covariance Σ (d, d)."""

    def __init__(self, mu, covariance):
        mu = checks.real_array(mu, "mu")
        covariance = checks.real_array(covariance, "covariance", like=mu)
        if mu.ndim != 1 or covariance.shape != 2 * mu.shape:
            raise ValueError("mu must have shape (d,) and covariance (d, d), got shapes "
                             f"{mu.shape} and {covariance.shape}")
        self.mu, self.L = mu.copy(), cholesky(covariance)
        self._set_inverse()

    @classmethod
    def from_cholesky(cls, mu, L):
        """N(µ, L Lᵀ) from a lower triangular L with positive diagonal, never multiplied out."""
        p = cls.__new__(cls)
        p.mu, p.L = mu.copy(), L.copy()
        p._set_inverse()
        return p

    def _set_inverse(self):
        xp = array_module(self.mu)
        self.L_inverse = xp.linalg.inv(self.L)
        self.log_det_L = xp.log(self.L.diagonal()).sum()

    @property
    def covariance(self):
        return self.L @ self.L.T

    def log_prob(self, X):
        u = (checks.observations(X, self.mu) - self.mu) @ self.L_inverse.T
        return -0.5 * (u**2).sum(axis=1) - self.log_det_L - 0.5 * len(self.mu) * LOG_2_PI

    def sample(self, n, rng):
        eps = rng.standard_normal((checks.whole_number(n, "n"), len(self.mu)), dtype=self.mu.dtype)
        return self.mu + eps @ self.L.T


def cholesky(covariance):
    """The lower triangular L with L Lᵀ = Σ; ValueError if Σ is not symmetric or not positive.

    L_ii² / Σ_ii is the share of the variance of x_i that the coordinates before it do not explain.
    Near 0 it is mostly rounding error, so below √(machine epsilon) Σ is refused as singular.
    """
    xp = array_module(covariance)
    rounding = xp.finfo(covariance.dtype).eps
    spread = xp.sqrt(abs(covariance.diagonal()))
    tolerance = 100 * len(covariance) * rounding * spread[:, None] * spread
    if not (abs(covariance - covariance.T) <= tolerance).all():
        raise ValueError(f"covariance must be symmetric, got {covariance}")
    try:
        L = xp.linalg.cholesky(covariance)
    except numpy.linalg.LinAlgError:
        L = xp.zeros_like(covariance)                               # CuPy returns, it never raises
    if not ((L.diagonal() > rounding**0.25 * spread).all()
            and (abs(L @ L.T - covariance) <= tolerance).all()):
        raise ValueError("covariance must be positive definite and not nearly singular, "
                         f"got {covariance}")
    return L


class Mixture:
    """Σ_k w_k p_k: `weights` (K,) that sum to 1, and K densities on the same space."""

    def __init__(self, weights, components):
        self.weights, self.components = checks.probabilities(weights, "weights"), tuple(components)
        if self.weights.shape != (len(self.components),):
            raise ValueError(f"weights must have shape ({len(self.components)},), one for each "
                             f"component, got shape {self.weights.shape}")

    def log_prob(self, X):
        """log Σ_k w_k p_k(x), shape (n,), over the components whose weight is not 0."""
        xp = array_module(self.weights)
        used = [(xp.log(w), p) for w, p in zip(self.weights, self.components, strict=True) if w > 0]
        log_w, p = used[0]
        log_p = log_w + p.log_prob(X)
        for log_w, p in used[1:]:
            log_p = xp.logaddexp(log_p, log_w + p.log_prob(X))
        return log_p

    def sample(self, n, rng):
        """Draws a component k for each row with probability w_k, then the row from p_k, (n, d)."""
        return sample_components(self.weights, self.components, n, rng)[0]


class Histogram:
    """Piecewise constant on a grid over a sample space; `masses`, shaped as the grid, sum to 1."""

    def __init__(self, space, masses):
        self.space, self.masses = space, checks.probabilities(masses, "masses", like=space.low)
        self.cell_volume = space.volume / self.masses.size
        if self.masses.ndim != len(space.low):
            raise ValueError(f"masses must have one axis for each of the {len(space.low)} "
                             f"coordinates, got shape {self.masses.shape}")

    @numpy.errstate(divide="ignore")                                # log 0 = -inf is meant
    def log_prob(self, X):
        """log of the mass of the cell of x over the cell's volume, shape (n,)."""
        xp = array_module(self.masses)
        cell = self.space.cell(X, self.masses.shape)
        mass = xp.where(cell >= 0, self.masses.ravel()[cell], 0)
        return xp.log(mass / self.cell_volume)

    def sample(self, n, rng):
        """Draws a cell for each row with probability its mass, then a point of it, (n, d)."""
        cell = categorical(self.masses, checks.whole_number(n, "n"), rng)
        xp = array_module(cell)
        shape, low, high = self.masses.shape, self.space.low, self.space.high
        corner = xp.stack(xp.unravel_index(cell, shape), axis=1)
        width = (high - low) / xp.asarray(shape, dtype=low.dtype)
        u = rng.random(corner.shape, dtype=low.dtype)
        X = (low + width * (corner + u)).astype(low.dtype)
        centre = (low + width * (corner + 0.5)).astype(low.dtype)
        inside = self.space.cell(X, shape) == cell                  # rounding could step over
        return xp.where(inside[:, None], X, centre)


class KernelDensity:
    """1/n Σ_i N(x; x_i, h² I) over the rows of X (n, d), with `bandwidth` h > 0 in the unit of X.

    Only near kernels are added up: with distances in units of h, the terms beyond a radius r are
    together at most n exp(-r²/2), less than rounding (ε) takes from the sum S of the others as soon
    as log S + r²/2 >= log n - log ε. Rows for which that fails look twice as far. Erratum E25: as h
    goes to 0 the likelihood of the training data grows without bound and that of other data falls
    to 0, so the former measures memory and not generation (test_e25).
    """

    def __init__(self, X, bandwidth):
        self.X = checks.data_set(X).copy()
        self.bandwidth = float(checks.real_array(bandwidth, "bandwidth"))
        if not self.bandwidth > 0:
            raise ValueError(f"bandwidth must be positive, got {bandwidth}")

    def log_prob(self, X):
        """log 1/n Σ_i N(x; x_i, h² I), shape (n,)."""
        xp = array_module(self.X)
        n, d = self.X.shape
        X, h = checks.observations(X, self.X), self.bandwidth
        needed = math.log(n) - math.log(xp.finfo(X.dtype).eps)      # of log S + r²/2
        radius = math.sqrt(2 * needed + 12)                         # enough where S > exp(-6)
        log_sum = xp.full(len(X), -math.inf, dtype=X.dtype)         # log Σ_i exp(-|x - x_i|²/2h²)
        rest = xp.arange(len(X))
        farthest = 0.1 * math.sqrt(xp.finfo(X.dtype).max)           # beyond, r² overflows: -inf
        while len(rest) and radius < farthest:
            for i, j in near_blocks(X[rest], self.X, radius * h):
                log_sum[rest[i]] = _log_kernel_sum(X[rest[i]], self.X[j], h)
            rest = rest[log_sum[rest] + radius**2 / 2 < needed]     # far from all: look farther
            radius *= 2
        return log_sum - math.log(n) - d * (math.log(h) + 0.5 * LOG_2_PI)

    def sample(self, n, rng):
        i = rng.integers(0, len(self.X), size=checks.whole_number(n, "n"))
        eps = rng.standard_normal((n, self.X.shape[1]), dtype=self.X.dtype)
        return self.X[i] + self.bandwidth * eps


def _log_kernel_sum(X, centres, h, entries=2**17):
    """log Σ_j exp(-|x - c_j|²/2h²) for each row of X, as one matrix product a block of some rows.

    -|x - c|²/2 = x·c - |c|²/2 - |x|²/2, with h = 1 and the origin moved to where the x are: there
    the three terms are small and little is lost in their difference.
    """
    xp = array_module(X)
    log_sum = xp.full(len(X), -math.inf, dtype=X.dtype)
    if len(centres) == 0:
        return log_sum
    origin = X.mean(axis=0)
    x, c = (X - origin) / h, (centres - origin) / h
    minus_half = -0.5 * (c**2).sum(axis=1)
    rows = max(1, entries // len(c))                                # a block stays in the cache
    for start in range(0, len(x), rows):
        block = x[start:start + rows]
        exponent = block @ c.T
        exponent += minus_half
        m = exponent.max(axis=1)                                    # logsumexp, in place for speed
        exponent -= m[:, None]
        xp.exp(exponent, out=exponent)
        log_sum[start:start + rows] = (xp.log(exponent.sum(axis=1)) + m
                                       - 0.5 * (block**2).sum(axis=1))
    return log_sum


def total_mass(p, space, shape):
    """∫ p over `space`, as a sum over the centres of the cells of a grid of `shape`."""
    X, cell_volume = space.grid(shape)
    return array_module(X).exp(p.log_prob(X)).sum() * cell_volume


def entropy(p, space, shape):
    """-∫ p log p, in nats, on a grid."""
    return cross_entropy(p, p, space, shape)


def cross_entropy(p, q, space, shape):
    """-∫ p log q, in nats, on a grid; +inf where p has mass and q has none."""
    X, cell_volume = space.grid(shape)
    return -_expectation(p.log_prob(X), q.log_prob(X)) * cell_volume


def kl_divergence(p, q, space, shape):
    """∫ p log(p/q), in nats, on a grid; +inf where p has mass and q has none."""
    X, cell_volume = space.grid(shape)
    log_p, log_q = p.log_prob(X), q.log_prob(X)
    return (_expectation(log_p, log_p) - _expectation(log_p, log_q)) * cell_volume


def jensen_shannon(p, q, space, shape):
    """½ KL(p‖m) + ½ KL(q‖m) with m = ½ (p + q), in nats, on a grid; at most log 2, so finite."""
    X, cell_volume = space.grid(shape)
    log_p, log_q = p.log_prob(X), q.log_prob(X)
    log_m = array_module(X).logaddexp(log_p, log_q) - math.log(2)
    return 0.5 * (_expectation(log_p, log_p) - _expectation(log_p, log_m)
                  + _expectation(log_q, log_q) - _expectation(log_q, log_m)) * cell_volume


def _expectation(log_p, g):
    """Σ p g over the points where p > 0; p log p is 0 where p is."""
    xp = array_module(log_p)
    p = xp.exp(log_p)
    return (p * xp.where(p > 0, g, 0)).sum()


def cross_entropy_estimate(q, X):
    """-∫ p log q from a sample X of p: the mean of -log q over its rows, and its standard error.

    A row outside the support of q makes the value inf and the standard error NaN.
    """
    log_q = q.log_prob(X)
    n = len(log_q)
    if n < 2:
        raise ValueError(f"X must have at least 2 rows for a standard error, got {n}")
    if (log_q == -math.inf).any():
        return math.inf, math.nan
    return -log_q.mean(), log_q.std(ddof=1) / math.sqrt(n)
