"""Parametric model: a family of densities p_θ, one for each vector θ of n_θ numbers.

One box around the fifty points is a guess. To find the best box one must be able to name every box,
and four numbers do: θ = (θ1, θ2, θ3, θ4), of which (θ1, θ2) is the lower left corner and (θ3, θ4)
the upper right one. A family is this naming: a function that turns a vector θ into a density. The
density has its numbers inside, the family has none. Optimizers and files handle θ only; what its
numbers stand for, only the family knows. There are two objects for each model:

    p = family(theta)                            the density of one θ; p.log_prob(X) is log p, (n,)
    log_p, backward = family.log_prob(theta, X)  the same numbers, and what training needs as well:
                                                 backward turns ∂loss/∂log p (n,) into ∂loss/∂θ

The loss is what training makes small, mostly the mean of -log p over the rows; gdl_numpy/README.md
shows how `backward` works. A family offers what it can: `mle(X)` where a formula gives the maximum
likelihood estimate θ̂; `log_prob(theta, X)` where log p has a gradient in θ, and then
`initial_theta(rng)`, a start for a search along that gradient.

θ̂ is the θ with the largest ℓ, the sum of log p(x_i) over all rows x_i (likelihood.py says why). If
n rows lie in a box of volume V, each has the density 1/V and ℓ is -n log V; if one is outside, ℓ is
-∞. So the smallest box that holds all rows wins, and its sides pass through the outermost rows. For
the fifty points it is (-89.9, -142.6, 78.1, 175.5), with ℓ = -50 log 53,422 = -544.3.

    θ           = (low, high)                                the two corners, shape (2d,)       (1)
    θ̂           = (min_i x_i, max_i x_i)                     in each coordinate                 (2)

A histogram has a mass m_c >= 0 for each cell c of a grid, and they sum to 1. The softmax (3) makes
such masses of any θ with one number a cell, called a logit. Let n_c of the n rows lie in c:

    m_c         = exp(θ_c) / Σ_j exp(θ_j)                    softmax of θ                       (3)
    θ̂_c         = log(n_c/n)                                 -∞ for an empty cell               (4)
    log p(x)    = θ_c - log Σ_j exp(θ_j) - log(cell volume)  if x is in the cell c              (5)
    ∂log p/∂θ_j = [j = c] - m_j                              [j = c] is 1 if j is c, else 0     (6)

(6) is the derivative of (5). Its sum over the rows, n_j - n m_j, is 0 where m_j = n_j/n, and these
are the masses of (4); `HistogramFamily.mle` proves that no others do better.

By hand: three places on land, and their box. Its sides are 31.7 and 173.9 degrees, so log p is
-log(31.7 · 173.9) = -8.615 in it.

>>> family = BoxFamily(d=2)
>>> theta_hat = family.mle([[40.7, -73.9], [9.0, 20.0], [35.0, 100.0]])
>>> print(theta_hat, family(theta_hat).log_prob([[20.0, 0.0]]).round(3))
[  9.  -73.9  40.7 100. ] [-8.615]

See figure_1_05_box (the box of the fifty points), tests/probability/test_family.py.

Errata.
E13 (tests/probability/test_family.py)  "uniform distributions" are axis-parallel boxes here; a
    rotated rectangle can have a larger likelihood
E14 (tests/probability/test_family.py)  not any four numbers are a box: θ1 < θ3 and θ2 < θ4
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import log_softmax, softmax
from gdl_numpy.probability.density import Box, Histogram
from gdl_numpy.probability.sample_space import SampleSpace


class BoxFamily(Described):
    """Uniform densities on axis-parallel boxes in R^d, θ = (low, high), shape (2d,)."""

    def __init__(self, d):
        self.d = checks.whole_number(d, "d", least=1)
        self.n_parameters = checks.held(2 * self.d)

    def __call__(self, theta):
        theta = checks.theta(theta, self.n_parameters)
        return Box(theta[:self.d], theta[self.d:])                  # (1)

    def mle(self, X):
        """The smallest closed box that holds every row of X, shape (2d,).

        If the rows came from a box, this one lies inside it. ValueError if the box has volume 0: a
        box around it has a larger likelihood the thinner it is, without end.
        """
        X = checks.data_set(X, self.d)
        low, high = X.min(axis=0), X.max(axis=0)                    # (2)
        if not (low < high).all():
            raise ValueError("X spans a box of volume 0: its likelihood has no maximum; got low = "
                             f"{low} and high = {high}")
        return array_module(X).concatenate([low, high])


class HistogramFamily(Described):
    """Histograms on the grid of `shape` over a sample space, θ = one logit a cell.

    `mle` adds `pseudocount` to the number of observations in each cell. With 0, the default, it is
    the maximum likelihood estimate, and an empty cell has the logit -inf. A new observation in that
    cell then has density 0, and the log-likelihood of all new data is -inf; a positive pseudocount
    is the usual remedy.
    """

    def __init__(self, space, shape, pseudocount=0.0):
        self.space = checks.instance(space, "space", SampleSpace)
        self.shape = checks.whole_numbers(shape, "shape", least=1)
        self.n_parameters, self.d = checks.held(math.prod(self.shape)), len(space.low)
        self.pseudocount = checks.number(pseudocount, "pseudocount", "[0, 1e100]")
        if len(self.shape) != self.d:
            raise ValueError(f"shape has {len(self.shape)} entries; the space is in "
                             f"R^{self.d}")
        space.wide_cells(self.shape, "shape")
        self.log_cell_volume = space.log_cell_volume(self.shape)

    def __call__(self, theta):
        theta = checks.real_array(theta, "theta", finite=False)
        empty = theta == -math.inf                                  # allowed: a cell of mass 0
        if empty.any() and not empty.all():
            checks.theta(array_module(theta).where(empty, 0, theta), self.n_parameters)
        else:
            checks.theta(theta, self.n_parameters)
        return Histogram(self.space, softmax(theta).reshape(self.shape))            # (3)

    def initial_theta(self, rng, dtype=float):
        """A start near the uniform density, shape (n_θ,)."""
        dtype = checks.float_dtype(dtype)
        return 0.1 * checks.rng(rng).standard_normal(self.n_parameters, dtype=dtype)

    def mle(self, X):
        """log((count + pseudocount) / sum of these) for each cell, shape (n_θ,).

        With pseudocount 0 no other masses m do better. For the shares s_c = n_c/n, and summed over
        the cells c that hold rows, log t <= t - 1 with t = m_c/s_c gives

            ℓ(m) - ℓ(s) = n Σ_c s_c log(m_c/s_c) <= n Σ_c (m_c - s_c) <= n (1 - 1) = 0
        """
        X = checks.data_set(X, len(self.shape))
        xp = array_module(X)
        cell = self.space.cell(X, self.shape)
        checks.rows_within(X, cell >= 0, "the sample space, where the histogram has its cells")
        count = xp.bincount(cell, minlength=self.n_parameters) + self.pseudocount
        mass = (count / count.sum()).astype(X.dtype)
        return xp.where(mass > 0, xp.log(xp.where(mass > 0, mass, 1)), -math.inf)   # (4)

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta.

        Row i is in the cell c_i, and g_i = ∂loss/∂log p(x_i). The chain rule sums over the rows:

            ∂θ_j = Σ_i g_i ([j = c_i] - m_j) = (sum of g_i over the rows in cell j) - m_j Σ_i g_i
        """
        theta = checks.theta(theta, self.n_parameters, finite=False)
        xp, log_mass = array_module(theta), log_softmax(theta)
        X = checks.observations(X, self.space.low, finite=False)
        cell = self.space.cell(X, self.shape, finite=False)
        inside = cell >= 0
        elsewhere = xp.where(xp.isnan(X).any(axis=1), math.nan, -math.inf)
        value = xp.where(inside, log_mass[cell] - self.log_cell_volume, elsewhere)     # (5)

        def backward(dlog_p):
            dlog_p = xp.where(inside, dlog_p, 0).astype(float)      # outside, no θ changes log p
            dtheta = -softmax(theta).astype(float) * dlog_p.sum()   # many rows: in float64, (6)
            xp.add.at(dtheta, cell, dlog_p)                         # (6)
            return dtheta.astype(theta.dtype)

        return value.astype(theta.dtype, copy=False), backward
