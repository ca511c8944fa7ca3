"""Change of units: the density of x = unit · u, where u has the density p.

Why: networks learn best where numbers are about as large as 1, and a map is in degrees. So a model
of the map learns u = (latitude/90, longitude/180) and is asked for densities per square degree.
Idea: the same mass lies in a rectangle whatever its sides are measured in. If they are 90 and 180
times as long in degrees, the density per square degree is 90 · 180 times smaller (Erratum E06 of
likelihood.py):

    x = unit · u, coordinate by coordinate        log |det| = Σ_i log |unit_i|
    log p_x(x) = log p(x/unit) - log |det|                                          (1)

A lower bound of log p, such as an ELBO, moves by the same constant. An energy is -log p but for a
constant that nobody knows; to let exp(-E)/Z keep its Z, it moves the other way:

    E_x(x) = E(x/unit) + log |det|                                                  (2)

Of the methods of p, `InUnits(p, unit)` has `sample` and those above, as far as p has them: so the
taxonomy sees the same branch.

>>> from gdl_numpy.probability.density import Box
>>> p = InUnits(Box([-1, -1], [1, 1]), [90, 180])           # the whole map, in degrees
>>> print(p.log_prob([[40.7, -73.9], [91.0, 0.0]]).round(3), round(-math.log(180 * 360), 3))
[-11.079    -inf] -11.079
>>> hasattr(p, "log_prob"), hasattr(p, "elbo")
(True, False)
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.described import Described

SIGNS = {"log_prob": -1, "elbo": -1, "importance_weighted": -1, "flow_log_prob": -1,         # (1)
         "energy": 1}                                                                       # (2)


class InUnits(Described):
    """The density of x = unit · u, u ~ p; `unit` (d,) holds no 0 and lives where p does."""

    def __init__(self, p, unit):
        unit = checks.real_array(unit, "unit")
        if unit.shape != (getattr(p, "d", unit.size),) or not (unit != 0).all():
            raise ValueError(f"unit must have shape ({getattr(p, 'd', 'd')},) and hold no 0, got "
                             f"{unit}")
        self.p, self.unit = p, unit.copy()
        self.log_det = math.fsum(math.log(abs(u)) for u in unit.tolist())

    def __getattr__(self, name):
        """Those of the methods in SIGNS that p has: a function of X (n, d) in the unit of x."""
        if name not in SIGNS:
            raise AttributeError(f"a density in other units has no {name!r}")
        method, added = getattr(self.p, name), SIGNS[name] * self.log_det

        def in_units(X, *args, **kwargs):
            return added + method(checks.observations(X, self.unit) / self.unit, *args, **kwargs)

        return in_units

    def sample(self, n, rng):
        """n draws of x, (n, d)."""
        U = self.p.sample(n, rng)
        return checks.observations(U, self.unit, finite=False, name="what p draws") * self.unit
