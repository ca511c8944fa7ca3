"""Probability density function: how densely a model expects observations around each point x.

What is a model of the fifty points? A rule that says where further points are likely. It cannot say
so by the probability of each point of the map: there are infinitely many, and each single one has
probability 0. But each region has a probability, also called its mass. The mass of a region divided
by its area tends to the density p as the region shrinks to a point. So p is nowhere negative, its
integral over a region is the mass of that region, and over the whole sample space it is 1:

    p(x) >= 0          ∫ p(x) dx = 1          mass of a region = ∫ p(x) dx over that region

The x with p(x) > 0 are the support of p. In code a density is an object with two methods.
`log_prob(X)` gives log p(x) for each row of X, shape (n,), and -inf where p(x) = 0. Why log? A
product of many densities leaves the range of floating point, and the sum of their logarithms does
not. They are natural logarithms, in nats. `sample(n, rng)` draws n observations, shape (n, d).

Here are four densities. V is a volume, µ (d,) a mean, Σ = L Lᵀ (d, d) a covariance with L lower
triangular and positive on its diagonal; the weights w_k >= 0 sum to 1, so a mixture has mass 1 too:

    Box         log p(x)  = -log V in the box, -∞ outside        p is constant: p V = 1         (1)
                x         = low + share (high - low)             share uniform in [0, 1]^d      (2)
    Normal      log det L = Σ_i log L_ii                         as L is triangular             (3)
                u         = L⁻¹ (x - µ)                                                         (4)
                log p(x)  = -|u|²/2 - log det L - (d/2) log 2π                                  (5)
                x         = µ + L ε                              ε from N(0, I)                 (6)
    Mixture     log p(x)  = log Σ_k w_k p_k(x)                   p_k are densities              (7)
                k with probability w_k, then x from p_k                                         (8)
    Histogram   log p(x)  = log(mass of the cell of x / volume of the cell)                     (9)
                a cell with probability its mass, then x uniform in it                         (10)

(5) follows from (6). ε has the density (2π)^(-d/2) exp(-|ε|²/2). The map x = µ + L ε takes a small
piece of volume dε to one of volume det L dε, which holds the same mass; so the density at x is that
at ε = u, divided by det L. On average ε εᵀ is I, so (x - µ)(x - µ)ᵀ = L ε εᵀ Lᵀ is L Lᵀ = Σ.

By hand: the box around the fifty points has V = 53,422 square degrees, so log p = -10.886 in it. A
square of side 0.1 has p = 1/0.01 = 100. A density may exceed 1, as it is mass per area: 100 · 0.01
is only 1. N(0, 4) has L = 2, so at x = 2, u = 1 and log p = -0.5 - 0.693 - 0.919 = -2.112.

>>> print(numpy.exp(Box([0, 0], [0.1, 0.1]).log_prob([[0.05, 0.1], [0.05, 0.2]])))
[100.   0.]
>>> print(Normal([0], [[4]]).log_prob([[2]]).round(3))
[-2.112]

See figure_1_06_densities (these and others on the map), tests/probability/test_density.py.

Errata.
E04 (tests/probability/test_density.py)  a density may exceed 1; only masses may not
E05 (tests/probability/test_density.py)  to integrate to 1 is not enough; p must not be negative
E06 (tests/probability/test_likelihood.py)  a density has a unit, one over that of volume: p per
    square radian is (180/π)² times p per square degree
E16 (tests/probability/test_density.py)  a point belongs to the support, not to the distribution;
    its own probability is 0
E19 (tests/probability/test_density.py)  "a random point of the box" must say: uniformly
E26 (tests/probability/test_density.py)  samples need not have a high density: in 1,000 dimensions
    none comes near the mode of a normal density
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.sample_space import SampleSpace

LOG_2_PI = math.log(2 * math.pi)


class Box(Described):
    """The uniform density on the closed box with corners `low` and `high`, both of shape (d,)."""

    def __init__(self, low, high):
        self.space = SampleSpace(low, high)
        self.low, self.high = self.space.low, self.space.high

    def log_prob(self, X):
        """log p(x) for each row of X, shape (n,): -log V, or -inf outside."""
        log_p = array_module(self.low).where(self.space.contains(X), -self.space.log_volume,
                                             -math.inf)             # (1)
        return log_p.astype(self.low.dtype)

    def sample(self, n, rng):
        """n draws, uniform over the box, (n, d)."""
        n = checks.draws(n, rng)
        share = rng.random((n, len(self.low)), dtype=self.low.dtype)
        X = self.low + (self.high - self.low) * share               # (2)
        return array_module(X).minimum(X, self.high)                # rounding could step over it


class Normal(Described):
    """The normal density N(µ, Σ) with mean `mu` (d,) and covariance Σ (d, d), positive definite."""

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
        mu = checks.one_axis(checks.real_array(mu, "mu"), None, "mu")
        L = checks.triangle(checks.real_array(L, "L", like=mu), mu)
        p = cls.__new__(cls)
        p.mu, p.L = mu.copy(), L.copy()
        p._set_inverse()
        return p

    def _set_inverse(self):
        self.L_inverse = inverse(self.L)
        self.log_det_L = array_module(self.L).log(self.L.diagonal()).sum()    # (3)

    @property
    def covariance(self):
        return self.L @ self.L.T

    @numpy.errstate(over="ignore", invalid="ignore")                # -inf is meant, far away
    def log_prob(self, X):
        """log p(x) for each row of X, shape (n,); -inf where |u|² overflows."""
        u = (checks.observations(X, self.mu) - self.mu) @ self.L_inverse.T          # (4)
        square = (u**2).sum(axis=1)
        square = array_module(u).where(square >= 0, square, math.inf)       # not inf - inf
        return -0.5 * square - self.log_det_L - 0.5 * len(self.mu) * LOG_2_PI     # (5)

    def sample(self, n, rng):
        """x = µ + L ε with ε from N(0, I), n times, (n, d)."""
        n = checks.draws(n, rng)
        eps = rng.standard_normal((n, len(self.mu)), dtype=self.mu.dtype)
        return self.mu + eps @ self.L.T                             # (6)


class Mixture(Described):
    """Σ_k w_k p_k: `weights` (K,) that sum to 1, and K densities on the same space."""

    def __init__(self, weights, components):
        self.weights = checks.probabilities(weights, "weights")
        self.components = checks.densities(components, "components")
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
        used = [(xp.log(w), checks.offers(p, f"components[{i}]", "log_prob")) for i, (w, p) in
                enumerate(zip(self.weights, self.components, strict=True)) if w > 0]
        log_w, p = used[0]
        log_p = log_w + p.log_prob(X)
        for log_w, p in used[1:]:
            log_p = xp.logaddexp(log_p, log_w + p.log_prob(X))      # log(exp(a) + exp(b)), (7)
        return log_p

    def sample(self, n, rng):
        """Draws a component k for each row with probability w_k, then the row from p_k, (n, d)."""
        return sample_components(self.weights, self.components, n, rng)[0]          # (8)


class Histogram(Described):
    """Piecewise constant on a grid over a sample space; `masses`, shaped as the grid, sum to 1."""

    def __init__(self, space, masses):
        self.space = checks.instance(space, "space", SampleSpace)
        self.masses = checks.probabilities(masses, "masses", like=space.low)
        if self.masses.ndim != len(space.low):
            raise ValueError(f"masses must have one axis for each of the {len(space.low)} "
                             f"coordinates, got shape {self.masses.shape}")
        space.wide_cells(self.masses.shape, "masses")
        self.log_cell_volume = space.log_cell_volume(self.masses.shape)

    @numpy.errstate(divide="ignore")                                # log 0 = -inf is meant
    def log_prob(self, X):
        """log of the mass of the cell of x over the cell's volume, shape (n,)."""
        xp = array_module(self.masses)
        cell = self.space.cell(X, self.masses.shape)
        mass = xp.where(cell >= 0, self.masses.ravel()[cell], 0)
        return xp.log(mass) - self.log_cell_volume                  # (9)

    def sample(self, n, rng):
        """Draws a cell for each row with probability its mass, then a point of it, (n, d)."""
        cell = categorical(self.masses, checks.draws(n, rng), rng)
        return in_blocks(lambda i, j: self._point_of(cell[i:j], rng), n)           # (10)

    def _point_of(self, cell, rng):
        """A point uniform in each cell, (n, d)."""
        xp, low = array_module(cell), self.space.low
        shape = self.masses.shape
        corner = xp.stack(xp.unravel_index(cell, shape), axis=1)
        width = xp.asarray([side / k for side, k in zip(self.space.sides, shape, strict=True)])
        share = rng.random(corner.shape, dtype=low.dtype)
        X, center = ((low + width * (corner + shift)).astype(low.dtype) for shift in (share, 0.5))
        inside = self.space.cell(X, shape) == cell                  # rounding could step over
        return xp.where(inside[:, None], X, center)


def categorical(weights, n, rng):
    """n draws of k with probability proportional to weights[k], (n,).

    The weights, one after the other, fill a line of length Σ weights. A point uniform on this line
    lies in the piece of k with exactly that probability. The ends of the pieces are the cumulative
    sums; many small weights make them, so they are added in float64, whatever the dtype is.
    """
    n, weights = checks.draws(n, rng), checks.real_array(weights, "weights").ravel().astype(float)
    xp, possible = array_module(weights), weights.nonzero()[0]
    if len(possible) == 0 or (weights < 0).any() or weights.max() > 1e290:      # the sum is finite
        raise ValueError("weights must be numbers from 0 to 1e290 and not all 0, got "
                         f"{str(weights):.80}")
    cdf, last = weights.cumsum(), int(possible[-1])
    draws = in_blocks(lambda i, j: xp.searchsorted(
        cdf, rng.random(j - i, dtype=float) * cdf[-1], side="right"), n)
    return draws.clip(0, last)                                      # rounding could step over


def sample_components(weights, components, n, rng):
    """n draws of a component k by `categorical`, then of x from it: X (n, d) and k (n,)."""
    for i, p in enumerate(components := checks.densities(components, "components")):
        checks.offers(p, f"components[{i}]", "sample")
    weights = checks.one_axis(checks.real_array(weights, "weights"), len(components), "weights")
    k = categorical(weights, checks.draws(n, rng), rng)
    xp = array_module(k)
    counts = xp.bincount(k, minlength=len(components)).tolist()
    X = xp.concatenate([p.sample(m, rng) for p, m in zip(components, counts, strict=True)])
    # X has the rows of component 0 first, as k[k.argsort()] has; the inverse permutation undoes it
    return X[k.argsort().argsort()], k


def inverse(L):
    """L⁻¹ of a lower triangular L (..., d, d); ValueError where rounding makes L singular.

    There is no error on a GPU, as CuPy does not report a singular L.
    """
    L = checks.real_array(L, "L", finite=False)
    if L.ndim < 2 or L.shape[-2] != L.shape[-1]:
        raise ValueError(f"L must have shape (..., d, d), got {L.shape}")
    try:
        return array_module(L).linalg.inv(L)
    except numpy.linalg.LinAlgError as error:
        raise ValueError(f"L has no inverse in {L.dtype}: its numbers are too large or too small "
                         f"for each other, got a diagonal {L.diagonal(axis1=-2, axis2=-1)}"
                         ) from error


def cholesky(covariance):
    """The lower triangular L with L Lᵀ = Σ; ValueError if Σ is not symmetric or not positive.

    L_ii² / Σ_ii is the share of the variance of x_i that the coordinates before it do not explain.
    Near 0 it is mostly rounding error, so where it is below the square root of the machine epsilon
    Σ is refused as singular.
    """
    covariance = checks.real_array(covariance, "covariance")
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"covariance must have shape (d, d), got {covariance.shape}")
    xp = array_module(covariance)
    rounding = xp.finfo(covariance.dtype).eps
    spread = xp.sqrt(abs(covariance.diagonal()))
    tolerance = 100 * len(covariance) * rounding * spread[:, None] * spread
    if not (abs(covariance - covariance.T) <= tolerance).all():
        raise ValueError(f"covariance must be symmetric, got {covariance}")
    try:
        L = xp.linalg.cholesky(covariance)
    except numpy.linalg.LinAlgError:
        L = xp.zeros_like(covariance)               # refused below, as on CuPy, which never raises
    if not ((L.diagonal() > rounding**0.25 * spread).all()
            and (abs(L @ L.T - covariance) <= tolerance).all()):
        raise ValueError("covariance must be positive definite and not nearly singular, "
                         f"got {covariance}")
    return L
