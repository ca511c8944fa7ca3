"""Parametric model: a family of densities p_θ described by finitely many numbers θ.

Why: one box is a guess; to choose the best box, all boxes must be within reach of a search. Idea: a
family is a function from vectors to densities. It turns one vector θ of shape (n_θ,) into a
density, `family(theta)`, and alone knows how to cut the vector; optimizers, tests and files see
only θ. A family offers what it can:

    family(theta)               p_θ, a density, which keeps a copy of what it needs of theta
    family.n_parameters         n_θ
    family.mle(X)               θ̂, the maximum likelihood estimate, where there is a formula for it
    family.log_prob(theta, X)   log p_θ(x) for each row, and `backward`, the pullback: it turns
                                ∂loss/∂log p, shape (n,), into ∂loss/∂θ, shape (n_θ,)
    family.initial_theta(rng)   a start for those who search by that gradient

`family(theta).log_prob(X)` gives the same numbers as `family.log_prob(theta, X)`, without pullback.
Here are the two families that count or compare, normal_family.py has those with a gradient in
matrices:

    BoxFamily(d)           θ = (low, high);  for d = 2 the chapter's (θ1, θ2, θ3, θ4)
    HistogramFamily(...)   θ = one logit a cell,  masses = softmax(θ)

For the histogram every vector of numbers is a valid θ. With m = softmax(θ), a row x in cell c gives

    log p = log m_c - log volume of a cell           ∂ log p/∂θ_k = 1 - m_k for k = c, else -m_k

>>> family = BoxFamily(d=2)
>>> theta_hat = family.mle([[40.7, -73.9], [9.0, 20.0], [35.0, 100.0]])
>>> theta_hat.tolist()
[9.0, -73.9, 40.7, 100.0]
>>> print(family(theta_hat).log_prob([[20.0, 0.0]]).round(3))       # -log of 31.7 · 173.9
[-8.615]

Erratum E13: the chapter's "uniform distributions" are axis-parallel boxes; a rotated rectangle can
have a larger likelihood (test_e13). Erratum E14: not any four numbers are a box: θ1 < θ3 and θ2 <
θ4 (test_e14).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import log_softmax, softmax
from gdl_numpy.probability.density import Box, Histogram


class BoxFamily(Described):
    """Uniform densities on axis-parallel boxes in R^d, θ = (low, high), shape (2d,)."""

    def __init__(self, d):
        self.d = checks.whole_number(d, "d", least=1)
        self.n_parameters = 2 * self.d

    def __call__(self, theta):
        theta = checks.theta(theta, self.n_parameters)
        return Box(theta[:self.d], theta[self.d:])

    def mle(self, X):
        """The smallest closed box that holds every row of X, inside any box that X came from."""
        X = checks.data_set(X, self.d)
        low, high = X.min(axis=0), X.max(axis=0)
        if not (low < high).all():
            raise ValueError("X spans a box of volume 0: its likelihood has no maximum; got low = "
                             f"{low} and high = {high}")
        return array_module(X).concatenate([low, high])


class HistogramFamily(Described):
    """Histograms on the grid of `shape` over a sample space, θ = one logit a cell.

    `mle` adds `pseudocount` to the number of observations in each cell. With 0, the default, it is
    the maximum likelihood estimate, and empty cells have the logit -inf; they make the
    cross-entropy of new data infinite, and a positive pseudocount is the usual remedy.
    """

    def __init__(self, space, shape, pseudocount=0.0):
        self.space = space
        self.shape = checks.whole_numbers(shape, "shape", least=1)
        self.n_parameters = math.prod(self.shape)
        self.pseudocount = checks.number(pseudocount, "pseudocount", "[0, inf)")
        if len(self.shape) != len(space.low):
            raise ValueError(f"shape has {len(self.shape)} entries; the space is in "
                             f"R^{len(space.low)}")
        self.log_cell_volume = space.log_cell_volume(self.shape)

    def __call__(self, theta):
        theta = checks.real_array(theta, "theta", finite=False)
        empty = theta == -math.inf                                  # allowed: a cell of mass 0
        if empty.any() and not empty.all():
            checks.theta(array_module(theta).where(empty, 0, theta), self.n_parameters)
        else:
            checks.theta(theta, self.n_parameters)
        return Histogram(self.space, softmax(theta).reshape(self.shape))

    def initial_theta(self, rng, dtype=float):
        """A start near the uniform density, shape (n_θ,)."""
        return 0.1 * checks.rng(rng).standard_normal(self.n_parameters, dtype=dtype)

    def mle(self, X):
        """log((count + pseudocount) / sum of these) for each cell."""
        X = checks.data_set(X, len(self.shape))
        xp = array_module(X)
        cell = self.space.cell(X, self.shape)
        checks.rows_within(X, cell >= 0, "the sample space, where the histogram has its cells")
        count = xp.bincount(cell, minlength=self.n_parameters) + self.pseudocount
        mass = (count / count.sum()).astype(X.dtype)
        return xp.where(mass > 0, xp.log(xp.where(mass > 0, mass, 1)), -math.inf)

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        theta = checks.theta(theta, self.n_parameters, finite=False)
        xp, log_mass = array_module(theta), log_softmax(theta)
        X = checks.observations(X, self.space.low, finite=False)
        cell = self.space.cell(X, self.shape, finite=False)
        inside = cell >= 0
        elsewhere = xp.where(xp.isnan(X).any(axis=1), math.nan, -math.inf)

        def backward(dlog_p):
            dlog_p = xp.where(inside, dlog_p, 0).astype(float)      # outside, no θ changes log p
            dtheta = -softmax(theta).astype(float) * dlog_p.sum()
            xp.add.at(dtheta, cell, dlog_p)                         # many rows: in float64
            return dtheta.astype(theta.dtype)

        value = xp.where(inside, log_mass[cell] - self.log_cell_volume, elsewhere)
        return value.astype(theta.dtype, copy=False), backward
