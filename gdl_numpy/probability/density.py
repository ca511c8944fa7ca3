"""Probability density function: what a model p(x) of continuous data is.

A density p maps each point x of the sample space to a number p(x) >= 0 such that

    ∫ p(x) dx = 1                                  total mass, over the sample space.

A class here is a density because of what it can do: `log_prob(X)` gives log p(x) in nats for each
row of X, shape (n,), and -inf outside the support; `sample(n, rng)` draws n observations, (n, d).

    Box        p(x) = 1 / volume inside, 0 outside        the chapter's model of the world map
    Normal     p(x) = exp(-|u|²/2) / ((2π)^(d/2) det L),  u = L⁻¹ (x - µ),  Σ = L Lᵀ
    Mixture    p(x) = Σ_k w_k p_k(x)
    Histogram  p(x) = mass of the cell of x / volume of the cell

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
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.sample_space import SampleSpace

LOG_2_PI = math.log(2 * math.pi)


def categorical(weights, n, rng):
    """n draws of k with probability proportional to weights[k], by the inverse of the CDF, (n,).

    The CDF is a sum of many small weights, so it is added in float64, whatever theirs is.
    """
    xp, weights = array_module(weights), weights.ravel().astype(float)
    cdf, possible = weights.cumsum(), weights.nonzero()[0]
    last = int(possible[-1]) if len(possible) else len(cdf) - 1
    draws = in_blocks(lambda i, j: xp.searchsorted(
        cdf, rng.random(j - i, dtype=float) * cdf[-1], side="right"), n)
    return draws.clip(0, last)                                      # rounding could step over


def sample_components(weights, components, n, rng):
    """n draws of a component k, as `categorical`, and of x from it: X (n, d) and k (n,)."""
    k = categorical(weights, checks.draws(n, rng), rng)
    xp = array_module(k)
    counts = xp.bincount(k, minlength=len(components)).tolist()
    X = xp.concatenate([p.sample(m, rng) for p, m in zip(components, counts, strict=True)])
    return X[k.argsort().argsort()], k                              # in the order of the draws


class Box(Described):
    """The uniform density on the closed box with corners `low` and `high`, both of shape (d,).

    >>> p = Box([0, 0], [0.1, 0.1])
    >>> print(numpy.exp(p.log_prob([[0.05, 0.1], [0.05, 0.2]])))        # a density may exceed 1
    [100.   0.]
    """

    def __init__(self, low, high):
        self.space = SampleSpace(low, high)
        self.low, self.high = self.space.low, self.space.high

    def log_prob(self, X):
        log_p = array_module(self.low).where(self.space.contains(X), -self.space.log_volume,
                                             -math.inf)
        return log_p.astype(self.low.dtype)

    def sample(self, n, rng):
        """n draws, each point of the box equally likely, (n, d)."""
        n = checks.draws(n, rng)
        u = rng.random((n, len(self.low)), dtype=self.low.dtype)
        X = self.low + (self.high - self.low) * u
        return array_module(X).minimum(X, self.high)                # rounding could step over it


class Normal(Described):
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
        mu = checks.real_array(mu, "mu")
        L = checks.triangle(checks.real_array(L, "L", like=mu), mu)
        p = cls.__new__(cls)
        p.mu, p.L = mu.copy(), L.copy()
        p._set_inverse()
        return p

    def _set_inverse(self):
        xp = array_module(self.mu)
        self.L_inverse = inverse(self.L)
        self.log_det_L = xp.log(self.L.diagonal()).sum()

    @property
    def covariance(self):
        return self.L @ self.L.T

    @numpy.errstate(over="ignore", invalid="ignore")                # -inf is meant, far away
    def log_prob(self, X):
        """log p(x) for each row of X, shape (n,); -inf where |u|² overflows."""
        u = (checks.observations(X, self.mu) - self.mu) @ self.L_inverse.T
        square = (u**2).sum(axis=1)
        square = array_module(u).where(square >= 0, square, math.inf)       # not inf - inf
        return -0.5 * square - self.log_det_L - 0.5 * len(self.mu) * LOG_2_PI

    def sample(self, n, rng):
        """x = µ + L ε with ε from N(0, I), n times, (n, d)."""
        n = checks.draws(n, rng)
        eps = rng.standard_normal((n, len(self.mu)), dtype=self.mu.dtype)
        return self.mu + eps @ self.L.T


def inverse(L):
    """L⁻¹ of a lower triangular L (..., d, d); ValueError if rounding leaves none, on the host."""
    try:
        return array_module(L).linalg.inv(L)
    except numpy.linalg.LinAlgError as error:
        raise ValueError(f"L has no inverse in {L.dtype}: its numbers are too large or too small "
                         f"for each other, got a diagonal {L.diagonal(axis1=-2, axis2=-1)}"
                         ) from error


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


class Mixture(Described):
    """Σ_k w_k p_k: `weights` (K,) that sum to 1, and K densities on the same space."""

    def __init__(self, weights, components):
        self.weights, self.components = checks.probabilities(weights, "weights"), tuple(components)
        if self.weights.shape != (len(self.components),):
            raise ValueError(f"weights must have shape ({len(self.components)},), one for each "
                             f"component, got shape {self.weights.shape}")

    def log_prob(self, X):
        """log Σ_k w_k p_k(x), shape (n,), over the components whose weight is not 0."""
        X = checks.real_array(X, "X", like=None if hasattr(X, "dtype") else self.weights)
        if X.ndim != 2:
            return self._log_prob(X)                                # which refuses it
        return in_blocks(lambda i, j: self._log_prob(X[i:j]), len(X))

    def _log_prob(self, X):
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


class Histogram(Described):
    """Piecewise constant on a grid over a sample space; `masses`, shaped as the grid, sum to 1."""

    def __init__(self, space, masses):
        self.space, self.masses = space, checks.probabilities(masses, "masses", like=space.low)
        if self.masses.ndim != len(space.low):
            raise ValueError(f"masses must have one axis for each of the {len(space.low)} "
                             f"coordinates, got shape {self.masses.shape}")
        self.log_cell_volume = space.log_cell_volume(self.masses.shape)

    @numpy.errstate(divide="ignore")                                # log 0 = -inf is meant
    def log_prob(self, X):
        """log of the mass of the cell of x over the cell's volume, shape (n,)."""
        xp = array_module(self.masses)
        cell = self.space.cell(X, self.masses.shape)
        mass = xp.where(cell >= 0, self.masses.ravel()[cell], 0)
        return xp.log(mass) - self.log_cell_volume

    def sample(self, n, rng):
        """Draws a cell for each row with probability its mass, then a point of it, (n, d)."""
        cell = categorical(self.masses, checks.draws(n, rng), rng)
        return in_blocks(lambda i, j: self._point_of(cell[i:j], rng), n)

    def _point_of(self, cell, rng):
        """A point of each cell by chance, (n, d)."""
        xp, low = array_module(cell), self.space.low
        shape = self.masses.shape
        corner = xp.stack(xp.unravel_index(cell, shape), axis=1)
        width = xp.asarray([side / k for side, k in zip(self.space.sides, shape, strict=True)])
        u = rng.random(corner.shape, dtype=low.dtype)
        X, centre = ((low + width * (corner + shift)).astype(low.dtype) for shift in (u, 0.5))
        inside = self.space.cell(X, shape) == cell                  # rounding could step over
        return xp.where(inside[:, None], X, centre)
