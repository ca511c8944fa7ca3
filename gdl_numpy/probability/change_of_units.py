"""Change of units: the density of x = unit · u, where u has the density p, or of x on a box.

Networks learn best from numbers of about size 1, and the points of the map are in degrees. So a
model of the map is trained on u = (latitude/90, longitude/180), and its p is a density of u. The
question is still about degrees: what is the density of x, per square degree?

Probability does not depend on units. A small box holds the same mass whether its sides are measured
in u or in x. In x they are |unit_1|, ..., |unit_d| times as long. Let |det| be the product of these
factors: the volume is |det| times as large, so the density, mass per volume, is divided by |det|:

    p_x(x) dx    = p(u) du              the mass of the small box; dx = |det| du
    log p_x(x)   = log p(x/unit) - log |det|                                                    (1)

A lower bound of log p, such as the ELBO, moves by the same constant. An energy E moves the other
way, because it is -log p up to a constant, log Z. If Z is to be the same in both units,

    exp(-E_x(x))/Z = p_x(x) = p(u)/|det| = exp(-E(u))/(Z |det|)
    E_x(x)       = E(x/unit) + log |det|                                                        (2)

Multiplication and division are coordinate by coordinate, and

    log |det|    = Σ_i log |unit_i|                                                             (3)

`InUnits(p, unit)` can do what p can: it has `sample`, and of `log_prob`, `elbo`, `energy` and their
like just those that p has. By hand: on the whole map u fills a square of side 2; if p is uniform on
it, p = 1/4. So the density per square degree is 1/4/(90 · 180) = 1/64,800, one over the map's area:

>>> from gdl_numpy.probability.density import Box
>>> p = InUnits(Box([-1, -1], [1, 1]), [90, 180])
>>> print(p.log_prob([[40.7, -73.9], [91.0, 0.0]]).round(3), round(-math.log(64_800), 3))
[-11.079    -inf] -11.079
>>> hasattr(p, "log_prob"), hasattr(p, "elbo")
(True, False)

**A box instead of the plane.** Some models make densities of all of R^d, and a map ends at its
border. Such a model wastes mass beyond it, and has to learn that the ice of Antarctica stops at 90
degrees south as if cut by a knife. So let u range over R^d, and x over the box with the corners a
and b. A sigmoid makes x of u, coordinate by coordinate. It rises from 0 to 1, and its inverse makes
u of x:

    x            = a + (b - a) sigmoid(2u)                     u = ½ log((x - a)/(b - x))

In u, sigmoid(2u) has the slope 2 sigmoid(2u) (1 - sigmoid(2u)). Here sigmoid(2u) is the share (x -
a)/(b - a) of the way, and the rest of it is (b - x)/(b - a). So with a factor that now differs from
place to place, inside the box,

    dx           = Π_i 2 (x_i - a_i)(b_i - x_i)/(b_i - a_i) du
    log p_x(x)   = log p(u) - Σ_i log(2 (x_i - a_i)(b_i - x_i)/(b_i - a_i))                     (4)

and p_x = 0 outside. Bounds and energies move as in (1) and (2). `to_plane(X, a, b)` gives the u to
train p on, and `OnBox(p, a, b)` is p_x. On [-1, 1] x is tanh u, near the middle about u: that is
what the 2 is for. By hand: if p is N(0, 1) and the box [0, 4], then x = 3 is u = ½ log 3 = 0.549,
and log p(u) = -½ (0.549² + log 2π) = -1.070. dx is 2 · 3 · 1/4 du = 1.5 du, and log 1.5 = 0.405, so
that log p_x = -1.070 - 0.405:

>>> from gdl_numpy.probability.density import Normal
>>> p = OnBox(Normal([0.0], [[1.0]]), [0.0], [4.0])
>>> print(p.log_prob([[3.0], [5.0]]).round(3))
[-1.475   -inf]

On the border u is infinite. So an x that is nearer to it than rounding can tell, (b - a) times the
eps of its dtype, counts as that far away: |u| ends at 8 in float32 and at 18 in float64. If p puts
much mass beyond these, samples pile up on the border.

See E06 in likelihood.py (the likelihood has a unit too), figure_1_10_taxonomy (models that were
trained on u) and tests/probability/test_change_of_units.py (that it holds).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import quiet, sigmoid
from gdl_numpy.probability.sample_space import SampleSpace

SIGNS = {"log_prob": -1, "elbo": -1, "importance_weighted": -1, "flow_log_prob": -1,         # (1)
         "energy": 1}                                                                       # (2)


class _Changed(Described):
    """The density of an x that is made of u ~ p. A subclass says how by `_to_u(X)`: u of each row
    of X, and log |det ∂x/∂u|, a number or (n,), which is inf where there is no u."""

    def __getattr__(self, name):
        """Those of the methods in SIGNS that p has: a function of X (n, d) in the unit of x."""
        if name not in SIGNS:
            raise AttributeError(f"a density {self._where} has no {name!r}")
        method, sign = getattr(self.p, name), SIGNS[name]

        def of_x(X, *args, **kwargs):
            U, log_det = self._to_u(X)
            value = method(U, *args, **kwargs)
            return (value + sign * log_det).astype(value.dtype, copy=False)

        return of_x


class InUnits(_Changed):
    """The density of x = unit · u, u ~ p; `unit` (d,) holds no 0 and lives where p does."""

    _where = "in other units"

    def __init__(self, p, unit):
        unit = checks.real_array(unit, "unit")
        if unit.shape != (getattr(p, "d", max(unit.size, 1)),) or not (unit != 0).all():
            raise ValueError(f"unit must have shape ({getattr(p, 'd', 'd')},) and hold no 0, got "
                             f"{unit}")
        self.p, self.unit = checks.density(p, "p"), unit.copy()
        self.log_det = math.fsum(math.log(abs(factor)) for factor in unit.tolist())         # (3)

    def _to_u(self, X):
        X = checks.observations(X, checks.wider(self.unit, X))      # which keeps its precision
        return X / self.unit, self.log_det

    def sample(self, n, rng):
        """n draws of x, (n, d)."""
        U = self.p.sample(n, rng)
        return checks.observations(U, self.unit, finite=False, name="what p draws") * self.unit


def to_plane(X, low, high):
    """u (n, d) of each row x of X in the box with corners a = `low` and b = `high`, both (d,), and
    log |det ∂x/∂u|, (n,). ValueError for rows off the box."""
    X = checks.observations(X)
    low, high = checks.corners(low, high, X)
    _check_sides(low, high)
    return _to_plane(checks.rows_of_box(X, low.tolist(), high.tolist()), low, high)


@quiet
def _check_sides(low, high):
    """ValueError unless b - a, and the least that rounding can tell of it, are numbers that their
    dtype can hold."""
    xp, sides = array_module(low), high - low
    if not (xp.isfinite(sides) & (sides * xp.finfo(sides.dtype).eps > 0)).all():
        raise ValueError(f"high - low must be neither too small nor too large for {sides.dtype}, "
                         f"got {sides}")


def _to_plane(X, low, high):
    xp, sides = array_module(X), high - low
    least = sides * xp.finfo(X.dtype).eps
    below, above = (xp.maximum(part, least) for part in (X - low, high - X))
    return 0.5 * xp.log(below / above), xp.log(below * (2 * (above / sides))).sum(axis=1)   # (4)


class OnBox(_Changed):
    """The density of x = a + (b - a) sigmoid(2u), u ~ p, on the box with corners a = `low` and b =
    `high`, both (d,), which live where p does; 0 off the box."""

    _where = "on a box"

    def __init__(self, p, low, high):
        self.p, space = checks.density(p, "p"), SampleSpace(low, high)
        self.low, self.high = space.low, space.high
        if len(self.low) != getattr(p, "d", len(self.low)):
            raise ValueError(f"low and high must have shape ({p.d},), got {self.low.shape}")
        _check_sides(self.low, self.high)

    def _to_u(self, X):
        X = checks.observations(X, checks.wider(self.low, X))
        xp, inside = array_module(X), ((self.low <= X) & (X <= self.high)).all(axis=1)
        U, log_det = _to_plane(xp.clip(X, self.low, self.high), self.low, self.high)
        return U, xp.where(inside, log_det, math.inf)

    def sample(self, n, rng):
        """n draws of x, (n, d)."""
        U = checks.observations(self.p.sample(n, rng), self.low, finite=False, name="what p draws")
        X = self.low + (self.high - self.low) * sigmoid(2 * U)
        return array_module(X).clip(X, self.low, self.high)     # rounding could step over it
