"""Sailing: a world on the chart, with steps that chance decides, and the true one among them.

An agent does something and the world answers. Here it is a sailor, who steers a heading a in the
cell s, and helm and wind together move his ship by Δ (chart.py). The answer is random, so a world
is a generative model of Δ, given what the agent sees and does: p(Δ|s, a), eleven masses that sum to
1 for every s and a. A world that he has learned (world_model.py) is of the same kind as the true
one, with other masses. That is why he can try a plan in the one instead of in the other.

The idea of the true world: the ship obeys the helm with probability h = 0.85, else it makes no way.
The wind, on its own, carries it one cell further with probability w = 0.75: to the west in the
trades, south of 30° N, and to the east in the westerlies, north of it. For d, the step that the
heading wants, and e, the step that the wind wants,

    p(Δ|s, a) = h w [Δ = d + e] + h (1 - w) [Δ = d] + (1 - h) w [Δ = e] + (1 - h)(1 - w) [Δ = 0] (1)

Without wind, w = 0, this is what a sailor believes who knows only his ship. A step draws Δ and asks
the chart where it leads. With u uniform on (0, 1),

    Δ  = the first one at which the sum of p(Δ|s, a) passes u                                    (2)
    s' = leads_to(s, Δ)                                                                          (3)

What is logged of a step is s, a and s', never Δ: if land has stopped the ship, nobody on board can
see by which Δ. The probability of what was seen is P(s'|s, a) of chart.py, the sum over all Δ that
lead to s'. Given s and a, a step does not depend on those before it, and the sailor's choices say
nothing about the wind. So the likelihood of a world is a product over the logged steps, and its
logarithm ℓ the sum of

    log P(s'_i|s_i, a_i)                        for the i-th step                                (4)

By hand: a ship that is steered west against the westerlies goes a cell west with 0.85 · 0.25 =
0.2125, a cell east, because the helm fails, with 0.15 · 0.75 = 0.1125, and stays with the rest,
0.675. So it gains 0.1 cells a step. In the trades the same helm gains 0.85 + 0.75 = 1.6.

>>> from gdl_numpy.agents.chart import Chart, DISPLACEMENTS
>>> world, west = trade_winds(Chart()), 3
>>> s, = world.chart.cell([[37.5, -42.5]])
>>> for delta in ((0, -1), (0, 1), (0, 0)):
...     print(delta, world.masses[s, west, DISPLACEMENTS.index(delta)].round(4))
(0, -1) 0.2125
(0, 1) 0.1125
(0, 0) 0.675

See figure_1_03_sailing (ships in this world) and tests/agents/test_sailing.py (that it holds).
"""

from typing import NamedTuple

import numpy

from gdl_numpy.agents.chart import DISPLACEMENTS, HEADINGS, Chart
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.pictures.pixels import inverse_cdf

TRADES_END = 30.0                                           # degrees north


class Log(NamedTuple):
    """Steps in the order in which they were sailed: s, a and s', each (n,), whole numbers."""
    cells: object
    headings: object
    arrivals: object


def trade_winds(chart, helm=0.85, wind=0.75):
    """The true world: the helm and the wind act with these probabilities, (1)."""
    chart = checks.instance(chart, "chart", Chart)
    helm, wind = (checks.number(p, name, "[0, 1]") for p, name in ((helm, "helm"), (wind, "wind")))
    xp = array_module(chart.cells)
    west = (chart.cells[:, 0] < TRADES_END)[:, None]
    rows = [[_masses(d, e, helm, wind) for d in HEADINGS] for e in ((0, -1), (0, 1))]
    trades, westerlies = xp.asarray(rows)
    return World(chart, xp.where(west[:, :, None], trades, westerlies))


def _masses(d, e, h, w):
    """p(Δ|s, a) for each of DISPLACEMENTS, a list."""
    masses = dict.fromkeys(DISPLACEMENTS, 0.0)
    both = (d[0] + e[0], d[1] + e[1])
    for delta, p in ((both, h * w), (d, h * (1 - w)), (e, (1 - h) * w),                 # (1)
                     ((0, 0), (1 - h) * (1 - w))):
        masses[delta] += p
    return list(masses.values())


class World(Described):
    """A world on a `chart`: `masses` (n, 4, 11) are p(Δ|s, a), `table` (4, n, n) is P(s'|s, a)."""

    def __init__(self, chart, masses):
        self.chart = checks.instance(chart, "chart", Chart)
        self.masses = checks.probabilities(masses, "masses", like=chart.cells, axis=2)
        self.table = chart.table(self.masses)

    def step(self, cells, headings, rng):
        """s' (m,) for ships in `cells` (m,) that steer `headings` (m,), where rng lives."""
        cells, headings = self._asked(cells, headings)
        return self.moved(cells, headings, checks.rng(rng).random((len(cells), 1)))

    def moved(self, cells, headings, u):
        """`step` with its uniform numbers u (m, 1), and without a look at the arguments."""
        delta = inverse_cdf(self.masses[cells, headings], u)                                # (2)
        return self.chart.leads_to[cells, delta]                                            # (3)

    def explore(self, n, rng, length=10):
        """The Log of n steps of random headings, in voyages of `length` steps, each of which begins
        in a random cell."""
        n, length = checks.draws(n, rng), checks.whole_number(length, "length", least=1)
        voyages = -(-n // length)
        xp, cells = array_module(self.masses), rng.integers(0, len(self.masses), voyages)
        seen = [[], [], []]
        for _ in range(min(length, n)):
            headings = rng.integers(0, len(HEADINGS), voyages)
            arrivals = self.moved(cells, headings, rng.random((voyages, 1)))
            for part, values in zip(seen, (cells, headings, arrivals), strict=True):
                part.append(values)
            cells = arrivals
        parts = (xp.stack(part, axis=1).ravel()[:n] if part else cells for part in seen)
        return Log(*parts)

    def sail(self, plan, m, rng, limit=400):
        """The tracks of m ships that follow `plan` (n,), a heading for each cell: the cells of
        each from `chart.departs` on, (m, limit + 1). Who has arrived stays."""
        plan = checks.indices(plan, "plan", len(HEADINGS), self.masses, len(self.masses))
        rng = checks.rng(rng)
        m, limit = checks.whole_number(m, "m"), checks.whole_number(limit, "limit")
        xp, goal = array_module(self.masses), self.chart.arrives
        tracks = [xp.full(m, self.chart.departs)]
        for _ in range(limit):
            cells = tracks[-1]
            new = self.moved(cells, plan[cells], rng.random((m, 1)))
            tracks.append(xp.where(cells == goal, goal, new))
        return xp.stack(tracks, axis=1)

    def log_mass(self, log):
        """log P(s'|s, a) of each step of a Log, (n,), in nats; -inf for what cannot happen."""
        cells, headings, arrivals = self.checked(log)
        with numpy.errstate(divide="ignore"):               # log 0 is -inf
            return array_module(cells).log(self.table[headings, cells, arrivals])           # (4)

    def checked(self, log):
        """The three arrays of a Log whose numbers are of this world."""
        log = checks.instance(log, "log", Log)
        cells, headings = self._asked(log.cells, log.headings, "log.")
        arrivals = checks.indices(log.arrivals, "log.arrivals", len(self.masses), self.masses,
                                  len(cells))
        return cells, headings, arrivals

    def on(self, xp):
        """The same world with its arrays in the module xp."""
        return World(self.chart.on(xp), xp.asarray(self.masses))

    def _asked(self, cells, headings, of=""):
        cells = checks.indices(cells, f"{of}cells", len(self.masses), self.masses)
        return cells, checks.indices(headings, f"{of}headings", len(HEADINGS), self.masses,
                                     len(cells))
