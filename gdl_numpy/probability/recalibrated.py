"""Recalibrated density: another density, whose heights are measured on a better scale.

The density of land is a plateau with cliffs: one height on land, 0 in the sea. A kernel density f
of points of land (kernel_density.py) cannot look like that. It falls slowly across a coast, and on
land it is rough. But it knows well which points are land: log f is high there and low in the sea.

The idea: keep the order in which f puts the points, and change the heights. A curve g that is flat,
then rises steeply, and then is flat again makes one level of all high points, another of all low
ones, and a cliff between them. Let t = log f(x) - m, how far log f is above some number m:

    g(t)     = b tanh(v),   v = (a t + c)/b      between -b and b, of slope a where v = 0       (1)
    log p(x) = g(t) - log Z                      on the sample space, -∞ outside
    Z        = ∫ exp g dx                        a sum over the cells of a grid                 (2)

`fit` takes for m the median of log f at points that were kept back from f. θ = (a, b, c) are only
three numbers, so the same points suffice to choose them: the best of some candidates, or from there
on by gradient. For that ∂log p/∂θ is needed. Each cell has a share w of Z, and so

    ∂log Z/∂θ = Σ_cells exp(g) ∂g/∂θ / Σ_cells exp(g) = Σ_cells w ∂g/∂θ,  w = softmax of g
    ∂log p/∂θ = ∂g/∂θ - Σ_cells w ∂g/∂θ                                                         (3)

As tanh' is s = 1 - tanh² v, and ∂v/∂a = t/b, ∂v/∂b = -v/b, ∂v/∂c = 1/b,

    ∂g/∂a = s t          ∂g/∂b = tanh v - v s          ∂g/∂c = s                                (4)

The price: log p(x) is known up to the error of the grid's Z, and grids are for few dimensions. A
sample is a cell by its mass and a uniform point of that cell, which is nearly a draw of p.

A bell becomes a plateau. At x = 0, log f = -0.92, t = 0.58, v = 8 · 0.58/3 = 1.55 and g = 2.74; far
out g is -3. So the two levels differ by 5.74; outside the space p is 0:

>>> from gdl_numpy.probability.density import Normal
>>> from gdl_numpy.probability.sample_space import SampleSpace
>>> space = SampleSpace([-3], [3])
>>> family = RecalibratedFamily(Normal([0], [[1]]), m=-1.5, space=space, shape=(600,))
>>> p = family([8.0, 3.0, 0.0])
>>> print(p.log_prob([[0.0], [0.5], [1.5], [2.5], [3.5]]).round(2))
[-0.37 -0.59 -5.8  -6.11  -inf]

See figure_1_10_scoreboard (what it gains on the map) and tests/probability/test_recalibrated.py
(that it holds).
"""

import itertools
import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import logsumexp, softmax
from gdl_numpy.probability.density import Histogram
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.sample_space import SampleSpace

CANDIDATES = tuple(itertools.product((2.0, 2.8, 4.0, 5.6), (2.5, 3.0, 3.5, 4.0),
                                     (3.0, 5.0, 7.0, 10.0)))


class RecalibratedFamily(Described):
    """All p ∝ exp(b tanh((a (log f - m) + c)/b)) for one density f, θ = (a, b, c), 0 < b < 700.

    `shape` says into how many cells each coordinate of the SampleSpace `space` is cut for Z. Below
    700 the steps are steep enough for float64; a and c are any numbers.
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

    def level(self, theta, log_f):
        """g at the numbers log_f, in their shape."""
        a, b, c = checks.numbers(theta, "theta", n=3)
        log_f = checks.real_array(log_f, "log_f", finite=False)
        return b * array_module(log_f).tanh((a * (log_f - self.m) + c) / b)         # (1)

    def log_z(self, theta):
        """log Z, a float."""
        g = self.level(theta, self.log_f).astype(float)
        return float(logsumexp(g)) + self.log_cell_volume                           # (2)

    def initial_theta(self, rng, dtype=float):
        """A start near (1, 3, 0), shape (3,): the heights of f, flattened beyond 3 nats from m."""
        eps = 0.1 * checks.rng(rng).standard_normal(3, dtype=checks.float_dtype(dtype))
        return eps + array_module(eps).asarray([1.0, 3.0, 0.0], dtype=eps.dtype)

    def best_of(self, X, candidates=CANDIDATES):
        """The candidate θ for which the rows of X have the largest mean of log p, shape (3,)."""
        log_f = self.f.log_prob(checks.data_set(X, self.d))
        if not isinstance(candidates, list | tuple) or not candidates:
            raise TypeError(f"candidates must be a list of θ, got {candidates!r:.80}")
        candidates = [checks.numbers(theta, "candidates", n=3) for theta in candidates]
        best = min(candidates, key=lambda theta: self.log_z(theta) - float(
            self.level(theta, log_f).mean(dtype=float)))
        return array_module(log_f).asarray(best, dtype=log_f.dtype)

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta.

        f is not differentiated, and, unlike other families, it may look at the values of X.
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
            return (dg @ dlog_p - dg_grid @ w * dlog_p.sum()).astype(theta.dtype)   # (3)

        return xp.where(inside, value, -math.inf).astype(theta.dtype, copy=False), backward

    def _level_and_slopes(self, theta, log_f):
        """g (n,), and ∂g/∂θ (3, n); where g is flat to rounding s is 0, also where log f = -∞."""
        (a, b, c), xp = theta, array_module(log_f)
        tanh = xp.tanh((a * (log_f - self.m) + c) / b)
        s = 1 - tanh**2
        t = xp.where(s > 0, log_f - self.m, 0)
        return b * tanh, xp.stack([s * t, tanh - (a * t + c) / b * s, s])           # (4)


class RecalibratedKernelDensity(Described):
    """p_θ of a RecalibratedFamily; `fit` makes one from a kernel density."""

    def __init__(self, family, theta):
        theta = checks.real_array(theta, "theta", like=family.log_f)
        self.family, self.theta = family, checks.theta_shape(theta, 3).copy()
        checks.number(self.theta[1], "theta[1]", "(0, 700)")
        self.log_z = family.log_z(self.theta)

    @classmethod
    def fit(cls, X, kept, space, shape, bandwidth):
        """From a kernel density of the rows of X; m and θ are chosen by the rows of `kept`."""
        f = KernelDensity(X, bandwidth)
        log_f = f.log_prob(checks.data_set(kept, f.X.shape[1], "kept"))
        family = RecalibratedFamily(f, float(array_module(log_f).median(log_f)), space, shape)
        return cls(family, family.best_of(kept))

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
