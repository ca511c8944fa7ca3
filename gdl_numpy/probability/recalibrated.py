"""Recalibrated density: another density, its heights measured by a better scale.

Why: a kernel density f rises slowly over a coast, where p_data jumps from one level to the other,
and it is rough on both. But it knows very well which points are land: log f is high there and low
in the sea. Idea: keep the order in which f puts the points and change the heights, so that a slope
becomes a step and two rough levels become flat ones. With t = log f(x),

    g(t) = b tanh(v),  v = (a (t - m) + c)/b              from -b to b, steep by a in between   (1)
    log p(x) = g(log f(x)) - log Z                        on the space, -∞ outside
    Z = ∫ exp g(log f(x)) dx                              a sum over the cells of a grid        (2)

m is one number; `fit` takes the median of log f at points that f has not seen. θ = (a, b, c) has so
few parameters that such points fit it well: some candidates in turn, or by gradient, with

    s = 1 - tanh² v       ∂g/∂a = s (t - m)      ∂g/∂b = tanh v - v s      ∂g/∂c = s            (3)
    ∂ log Z/∂θ = Σ_cells w ∂g/∂θ,   w = softmax of g over the cells                             (4)

The price: log p(x) is known up to the error of the grid's Z, which is for few dimensions. A sample
is a cell by its mass and a point of it by chance, nearly a draw of p.

>>> from gdl_numpy.probability.density import Normal
>>> from gdl_numpy.probability.sample_space import SampleSpace
>>> space = SampleSpace([-3], [3])
>>> family = RecalibratedFamily(Normal([0], [[1]]), m=-1.5, space=space, shape=(600,))
>>> p = family([8.0, 3.0, 0.0])                             # a bell becomes a plateau
>>> print(p.log_prob([[0.0], [0.5], [1.5], [2.5], [3.5]]).round(2))
[-0.37 -0.59 -5.8  -6.11  -inf]
"""

import itertools
import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import logsumexp, softmax
from gdl_numpy.probability.density import Histogram
from gdl_numpy.probability.kernel_density import KernelDensity

CANDIDATES = tuple(itertools.product((2.0, 2.8, 4.0, 5.6), (2.5, 3.0, 3.5, 4.0),
                                     (3.0, 5.0, 7.0, 10.0)))


class RecalibratedFamily(Described):
    """All p ∝ exp(b tanh((a (log f - m) + c)/b)) for one density f, θ = (a, b, c), 0 < b < 700.

    `shape` says into how many cells each coordinate of the SampleSpace `space` is cut for Z. Below
    700 the steps are steep enough for float64; a and c are any numbers.
    """

    n_parameters = 3

    def __init__(self, f, m, space, shape):
        self.f, self.m, self.space, self.shape = f, checks.number(m, "m"), space, space.cells(shape)
        self.d = len(space.low)
        self.log_f = f.log_prob(space.grid(shape)[0])
        self.log_cell_volume = space.log_cell_volume(shape)

    def __call__(self, theta):
        return RecalibratedKernelDensity(self, theta)

    def level(self, theta, log_f):
        """g at the numbers log_f, in their shape."""
        a, b, c = theta
        return b * array_module(log_f).tanh((a * (log_f - self.m) + c) / b)         # (1)

    def log_z(self, theta):
        """log Z, a float."""
        g = self.level(theta, self.log_f).astype(float)
        return float(logsumexp(g)) + self.log_cell_volume                           # (2)

    def initial_theta(self, rng, dtype=float):
        """A start near (1, 3, 0), shape (3,): near m the heights of f, cut off 3 nats from it."""
        eps = 0.1 * checks.rng(rng).standard_normal(3, dtype=dtype)
        return eps + array_module(eps).asarray([1.0, 3.0, 0.0], dtype=dtype)

    def best_of(self, X, candidates=CANDIDATES):
        """The θ, of some, that gives the rows of X the largest mean of log p, shape (3,)."""
        log_f = self.f.log_prob(checks.data_set(X, self.d))
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
            return (dg @ dlog_p - dg_grid @ w * dlog_p.sum()).astype(theta.dtype)   # (4)

        return xp.where(inside, value, -math.inf).astype(theta.dtype, copy=False), backward

    def _level_and_slopes(self, theta, log_f):
        """g (n,), and ∂g/∂θ (3, n); where g is flat to rounding its slope is 0, log f = -∞ too."""
        (a, b, c), xp = theta, array_module(log_f)
        tanh = xp.tanh((a * (log_f - self.m) + c) / b)
        s = 1 - tanh**2
        t = xp.where(s > 0, log_f - self.m, 0)
        return b * tanh, xp.stack([s * t, tanh - (a * t + c) / b * s, s])           # (3)


class RecalibratedKernelDensity(Described):
    """p_θ of a RecalibratedFamily; `fit` makes one of a kernel density."""

    def __init__(self, family, theta):
        theta = checks.real_array(theta, "theta", like=family.log_f)
        self.family, self.theta = family, checks.theta_shape(theta, 3).copy()
        checks.number(self.theta[1], "theta[1]", "(0, 700)")
        self.log_z = family.log_z(self.theta)

    @classmethod
    def fit(cls, X, kept, space, shape, bandwidth):
        """That of a kernel density of the rows of X, whose m and θ suit the rows of `kept` best."""
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
        """n points (n, d): a cell by its mass, a point of it by chance, nearly as p has them."""
        n, family = checks.draws(n, rng), self.family
        level = family.level(self.theta, family.log_f)
        masses = softmax(level.astype(float)).reshape(family.shape)
        return Histogram(family.space, masses).sample(n, rng)
