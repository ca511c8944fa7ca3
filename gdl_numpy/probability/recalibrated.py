"""Recalibrated density: another density, its heights bent into two levels with a cliff between.

The density of land is a plateau with cliffs: one height on land, 0 in the sea. A kernel density f
of points of land (kernel_density.py) cannot look like that. It falls slowly across a coast, and on
land it is rough. But it knows well which points are land: f is high there and low in the sea.

So keep the order in which f puts the points, and change the heights. A curve g that is flat, then
rises steeply, and then is flat again makes one level of all high points, another of all low ones,
and a cliff between them. In units of e^m, the height of f at a typical point of land,

    t(x)     = √(f(x)/e^m) - 1                    -1 where f is 0, 0 where f is e^m             (1)
    g(x)     = b tanh(v),   v = (a t + c)/b       between -b and b, of slope a in t at v = 0    (2)
    log p(x) = g(x) - log Z                       on the sample space, -∞ outside
    Z        = ∫ exp g dx                         a sum over the cells of a grid                (3)

Why the root? f is a count of near points, over a constant. A count varies by chance, with a
variance of about its mean. The slope of a root is 1/(2 √mean), so the root of a count has about the
variance (1/(2 √mean))² mean = ¼ for any mean from 5 on, and never more than 0.42. So √f is about
equally rough at all heights, and one steepness a suits them all.

**The gradient.** Each cell of the grid has a share w of Z, and so

    ∂log Z/∂θ = Σ_cells exp(g) ∂g/∂θ / Σ_cells exp(g) = Σ_cells w ∂g/∂θ,  w = softmax of g
    ∂log p/∂θ = ∂g/∂θ - Σ_cells w ∂g/∂θ                                                         (4)

As tanh' is s = 1 - tanh² v, and ∂v/∂a = t/b, ∂v/∂b = -v/b, ∂v/∂c = 1/b,

    ∂g/∂a = s t          ∂g/∂b = tanh v - v s          ∂g/∂c = s                                (5)

**Which f?** Wide bumps make it smooth inside a continent, narrow ones make it sharp at a coast. So
`fit` mixes kernel densities of three widths:

    f = (f_{h/2} + f_h + f_{2h})/3                the index is the width of the bumps           (6)

**What chooses m, h and θ = (a, b, c)?** Not f(x_i): a training point lies under its own bump. Take
that bump away, and the others say how dense a new point would be there. So each point is kept back
once, which is called leave-one-out, and none is lost to f. With n bumps, each of the height β in
its middle,

    f without x_i, at x_i = (n f(x_i) - β)/(n - 1),   β = the mean of (2π w²)^(-d/2) over
                                                          the three widths w                    (7)

m is the median of the logs of these densities. h and θ are the candidates with the largest mean of
log p over all points, each without its own bump. (Z keeps it: one bump in n hardly changes a sum
over the grid.) A candidate has its cliff, v = 0, where f is a share of 5% to 20% of e^m: there t is
√share - 1, and so c = a (1 - √share). As t is never below -1, the sea has g = b tanh((c - a)/b),
which may be well above -b.

`fit` takes the best candidate as it is. With points that carry no bump, one may go on from it along
the gradient.

The price: Z, and so log p(x), has the error of the grid, and grids are for few dimensions. To
sample, draw a cell by its mass, then a uniform point in it; this is nearly a draw of p.

By hand: a bell becomes a plateau. Let f be N(0, 1), m = -1.5 and θ = (16, 3, 8). At x = 0 log f is
-0.919, so t = √e^0.581 - 1 = 0.337, v = (16 · 0.337 + 8)/3 = 4.46 and g = 3 tanh 4.46 = 3.00. Far
out t is -1 and g = 3 tanh(-8/3) = -2.97. So the levels of g differ by 5.97 (at x = 2.9, where t is
-0.84, still by 5.84), and the cliff is where t = -½, that is f = e^m/4; outside the space p is 0:

>>> from gdl_numpy.probability.density import Normal
>>> from gdl_numpy.probability.sample_space import SampleSpace
>>> space = SampleSpace([-3], [3])
>>> family = RecalibratedFamily(Normal([0], [[1]]), m=-1.5, space=space, shape=(600,))
>>> p = family([16.0, 3.0, 8.0])
>>> print(p.log_prob([[0.0], [0.5], [1.5], [2.9], [3.5]]).round(2))
[-1.17 -1.17 -1.52 -7.01  -inf]

See figure_1_10_scoreboard (what it gains on the map) and tests/probability/test_recalibrated.py
(that it holds).
"""

import itertools
import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import logsumexp, softmax
from gdl_numpy.probability.density import LOG_2_PI, Histogram, Mixture
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.sample_space import SampleSpace

WIDTHS = 0.5, 1.0, 2.0                                      # of the bumps, in units of h
CANDIDATES = tuple((a, b, a * (1 - math.sqrt(share))) for a, b, share in itertools.product(
    (4.0, 5.6, 8.0, 11.0, 16.0, 22.0, 32.0), (2.5, 3.0, 3.5, 4.0, 4.5, 5.0),
    (0.05, 0.08, 0.12, 0.16, 0.2)))     # the middle of the cliff is where f is this share of e^m


class RecalibratedFamily(Described):
    """All p ∝ exp(b tanh((a t + c)/b)) for one density f, t = √(f/e^m) - 1, θ = (a, b, c).

    `shape` says into how many cells each coordinate of the SampleSpace `space` is cut for Z. g lies
    between -b and b, and with 0 < b < 700 exp(g) is a float64; a and c are any numbers.
    """

    n_parameters = 3

    def __init__(self, f, m, space, shape):
        self.f, self.m = checks.offers(f, "f", "log_prob"), checks.number(m, "m")
        self.space = checks.instance(space, "space", SampleSpace)
        self.shape = space.cells(shape)
        self.d = len(space.low)
        self.log_f = f.log_prob(space.grid(shape)[0])
        self.log_cell_volume = space.log_cell_volume(shape)

    def __call__(self, theta):
        return RecalibratedKernelDensity(self, theta)

    def _height(self, log_f):
        """t, cut off at e^25, far below the largest float32; g is flat there for every θ in use."""
        xp = array_module(log_f)
        return xp.expm1(xp.minimum((log_f - self.m) / 2, 25.0))                     # (1)

    def level(self, theta, log_f):
        """g where log f has the values log_f, in their shape."""
        a, b, c = checks.numbers(theta, "theta", n=3)
        checks.number(b, "theta[1]", "(0, 700)")
        log_f = checks.real_array(log_f, "log_f", finite=False)
        return b * array_module(log_f).tanh((a * self._height(log_f) + c) / b)      # (2)

    def log_z(self, theta):
        """log Z, a float."""
        g = self.level(theta, self.log_f).astype(float)
        return float(logsumexp(g)) + self.log_cell_volume                           # (3)

    def initial_theta(self, rng, dtype=float):
        """A start near (2, 3, 0), shape (3,): g is about 2t near f = e^m, and levels off to ±3."""
        eps = 0.1 * checks.rng(rng).standard_normal(3, dtype=checks.float_dtype(dtype))
        return eps + array_module(eps).asarray([2.0, 3.0, 0.0], dtype=eps.dtype)

    def best_of(self, log_f, candidates=CANDIDATES):
        """The candidate θ with the largest mean of log p over points where log f has the values
        log_f (n,): θ, shape (3,), and that mean, a float."""
        log_f = checks.numbers_of_rows(log_f, "log_f")
        if not (log_f < math.inf).all():
            raise ValueError("log_f must hold log densities below inf, but holds nan or inf")
        if not isinstance(candidates, list | tuple) or not candidates:
            raise TypeError(f"candidates must be a list of θ, got {candidates!r:.80}")
        candidates = [checks.numbers(theta, "candidates", n=3) for theta in candidates]
        checks.numbers([b for _, b, _ in candidates], "the b of candidates", "(0, 700)")
        mean, best = max((float(self.level(theta, log_f).mean(dtype=float)) - self.log_z(theta),
                          theta) for theta in candidates)
        return array_module(log_f).asarray(best, dtype=log_f.dtype), mean

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta.

        f is not differentiated. On a GPU f may look at the values of X, and so wait for them.
        """
        theta, xp = checks.theta(theta, 3, finite=False), array_module(theta)
        log_f = self.f.log_prob(X).astype(theta.dtype, copy=False)
        grid = self.log_f.astype(theta.dtype, copy=False)
        inside = self.space.contains(X)
        g, dg = self._level_and_slopes(theta, log_f)
        g_grid, dg_grid = self._level_and_slopes(theta, grid)
        log_z = logsumexp(g_grid.astype(float)).astype(theta.dtype) + self.log_cell_volume
        value = g - log_z

        def backward(dlog_p):
            dlog_p = xp.where(inside, dlog_p, 0).astype(float)
            w = softmax(g_grid.astype(float))
            return (dg @ dlog_p - dg_grid @ w * dlog_p.sum()).astype(theta.dtype)   # (4)

        return xp.where(inside, value, -math.inf).astype(theta.dtype, copy=False), backward

    def _level_and_slopes(self, theta, log_f):
        """g (n,), and ∂g/∂θ (3, n); where g is flat to rounding s is 0."""
        (a, b, c), xp = theta, array_module(log_f)
        t = self._height(log_f)
        tanh = xp.tanh((a * t + c) / b)
        s = 1 - tanh**2
        t = xp.where(s > 0, t, 0)                           # if a t overflows, times 0 it is nan
        return b * tanh, xp.stack([s * t, tanh - (a * t + c) / b * s, s])           # (5)


class RecalibratedKernelDensity(Described):
    """p_θ of a RecalibratedFamily; `fit` makes one from points."""

    def __init__(self, family, theta):
        theta = checks.real_array(theta, "theta", like=family.log_f)
        self.family, self.theta = family, checks.theta_shape(theta, 3).copy()
        checks.number(self.theta[1], "theta[1]", "(0, 700)")
        self.log_z = family.log_z(self.theta)

    @classmethod
    def fit(cls, X, space, shape, bandwidths):
        """From bumps of three widths on all rows of X (n, d), n > 1; of the `bandwidths`, a list
        of h > 0 in the unit of X, the one with the highest mean of log p, each row without itself.
        """
        d, best = len(checks.instance(space, "space", SampleSpace).low), -math.inf
        X = checks.data_set(X, d)
        checks.rows_within(X, space.contains(X), space)
        if len(X) < 2:
            raise ValueError("X must have 2 rows or more, each without itself, got 1")
        for h in checks.numbers(bandwidths, "bandwidths", "(0, inf)"):
            f, log_f = _three_widths(X, h)
            m = float(array_module(log_f).median(log_f))
            if m == -math.inf:                              # most rows reach no other
                continue
            family = RecalibratedFamily(f, m, space, shape)
            theta, mean = family.best_of(log_f)
            if mean > best:
                best, p = mean, cls(family, theta)
        if best == -math.inf:
            raise ValueError("one of the bandwidths must reach from most rows of X to others, got "
                             f"{bandwidths!r:.80}")
        return p

    def log_prob(self, X):
        """log p(x) for each row of X (n, d), shape (n,); -inf outside the space."""
        family = self.family
        log_p = family.level(self.theta, family.f.log_prob(X)) - self.log_z
        return array_module(log_p).where(family.space.contains(X), log_p, -math.inf)

    def sample(self, n, rng):
        """n points (n, d), nearly draws of p: a cell by its mass, then a uniform point of it."""
        n, family = checks.draws(n, rng), self.family
        level = family.level(self.theta, family.log_f)
        masses = softmax(level.astype(float)).reshape(family.shape)
        return Histogram(family.space, masses).sample(n, rng)


def _three_widths(X, h):
    """f, and the log of its densities at the rows of X (n, d), each without its own bump, (n,).

    A row gets -∞ if it is so far from all others that rounding hides their bumps in its own.
    """
    xp, (n, d) = array_module(X), X.shape
    bumps = [KernelDensity(X, width * h) for width in WIDTHS]
    f = Mixture(xp.full(len(bumps), 1 / len(bumps), dtype=X.dtype), bumps)          # (6)
    log_beta = math.log(sum(width**-d for width in WIDTHS) / len(bumps)) - d * (
        math.log(h) + 0.5 * LOG_2_PI)
    others = n * xp.exp(f.log_prob(X).astype(float) - log_beta) - 1         # in units of β
    others = xp.where(others > 1000 * xp.finfo(X.dtype).eps, others, 0)     # less is rounding
    with numpy.errstate(divide="ignore"):                           # log 0 = -inf is meant
        return f, (xp.log(others / (n - 1)) + log_beta).astype(X.dtype)             # (7)
