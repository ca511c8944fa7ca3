"""Chart: the sea in cells of 5°, and where a step leads, which the sailor knows.

A world model (world_model.py) is about what an agent does not know. So it must be said what he
knows: the map. Our agent is a ship on the North Atlantic of the chapter's map, bound from the coast
off Lisbon, at 37.5° N 12.5° W, to 37.5° N 67.5° W. He can see where land is and in which cell he
is. How the wind blows, he cannot see.

The idea: the map from the equator to 65° N and from 80° W to 20° E is cut into squares of 5°. A
square whose center is land is land. Of the others, those from which one can sail to the goal are
the cells, with the numbers s = 0, ..., n - 1. A ship moves by one of eleven displacements Δ, whole
numbers of squares to the north and to the east. If Δ would end on land or beyond the edge of the
chart, the ship stays where it is. What lies between is not asked, so two squares at once pass over
Scotland and the south of Greenland:

    square of s' = square of s + Δ                                                               (1)
    leads_to(s, Δ) = s'   if s' is a cell,   otherwise s                                         (2)

A rule p(Δ|s, a) says how probable each Δ is if one steers the heading a in s: north, east, south or
west. With the chart it is a table of what follows from what. With [...] = 1 if that is so, else 0,

    P(s'|s, a) = Σ_Δ p(Δ|s, a) [leads_to(s, Δ) = s']                                             (3)

So two things that are mixed in P are kept apart: which Δ the wind and the helm make is to be
learned, and what land does to it is known.

By hand: from the coast off Lisbon a step to the west leads 5° to the west, and a step to the east
leads nowhere, because Portugal is there.

>>> chart = Chart()
>>> west, east = DISPLACEMENTS.index((0, -1)), DISPLACEMENTS.index((0, 1))
>>> s = chart.departs
>>> print(len(chart.cells), chart.cells[s], chart.cells[chart.leads_to[s, west]])
160 [ 37.5 -12.5] [ 37.5 -17.5]
>>> print(chart.leads_to[s, east] == s)
True

See figure_1_03_sailing (ships on this chart) and tests/agents/test_chart.py (that it holds).
"""

from copy import copy

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.world.world_map import WorldMap

ATLANTIC = SampleSpace([0, -80], [65, 20])                  # (latitude, longitude), degrees
SHAPE = (13, 20)                                            # squares of 5°
HEADINGS = ((1, 0), (0, 1), (-1, 0), (0, -1))               # north, east, south, west
DISPLACEMENTS = ((0, 0), *HEADINGS, (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 2), (0, -2))


class Chart(Described):
    """The cells of the sea from which one can sail to `goal`, a point (latitude, longitude).

    `cells` (n, 2) are their centers in degrees, `leads_to` (n, 11) the cell to which each of
    DISPLACEMENTS leads, `departs` and `arrives` the cells that hold `start` and `goal`, and
    `latitude` (n,) counts the rows of cells from the south. ValueError if `start` or `goal` is not
    on this sea.
    """

    def __init__(self, start=(37.5, -12.5), goal=(37.5, -67.5)):
        self.start, self.goal = (checks.numbers(x, name, n=2) for x, name in (
            (start, "start"), (goal, "goal")))
        centers, _ = ATLANTIC.grid(SHAPE)
        sea = ~WorldMap().contains(centers)
        first, last = (int(ATLANTIC.cell([x], SHAPE)[0]) for x in (self.start, self.goal))
        if last < 0 or not sea[last]:
            raise ValueError(f"goal must be a point at sea in {_words()}, got {self.goal}")
        squares = _connected(sea, last)
        if first not in squares:
            raise ValueError(f"start must be a point at sea in {_words()} from which one can sail "
                             f"to the goal, got {self.start}")
        number = numpy.full(len(sea), -1)
        number[squares] = numpy.arange(len(squares))
        self.departs, self.arrives = int(number[first]), int(number[last])
        self.cells, self.latitude = centers[squares], squares // SHAPE[1]
        others = number[_moved(squares)]                                                    # (1)
        self.leads_to = numpy.where(others < 0, numpy.arange(len(squares))[:, None], others)  # (2)

    def cell(self, X):
        """The number of the cell that holds each row of X (n, 2), shape (n,); -1 off this sea.

        A point on the border of two cells belongs to the one with the larger number.
        """
        X = checks.observations(X, self.cells)
        near = (abs(X[:, None] - self.cells) <= 2.5).all(axis=2)
        last = len(self.cells) - 1 - near[:, ::-1].argmax(axis=1)
        return array_module(X).where(near.any(axis=1), last, -1)

    def table(self, masses):
        """P(s'|s, a), shape (4, n, n) with the axes a, s, s', from p(Δ|s, a), shape (n, 4, 11)."""
        masses, n = checks.real_array(masses, "masses"), len(self.cells)
        checks.same_shape(masses, "masses", numpy.empty((n, 4, len(DISPLACEMENTS))),
                          "p(Δ|s, a)")
        leads = self.leads_to[:, :, None] == array_module(masses).arange(n)
        return (masses @ leads.astype(masses.dtype)).transpose(1, 0, 2)                     # (3)

    def on(self, xp):
        """The same chart with its arrays in the module xp."""
        chart = copy(self)
        for name in ("cells", "latitude", "leads_to"):
            setattr(chart, name, xp.asarray(getattr(chart, name)))
        return chart


def _words():
    """The extent of the chart, for errors."""
    (south, west), (north, east) = ATLANTIC.low, ATLANTIC.high
    return f"{south:g} to {north:g}° N and {west:g} to {east:g}° E"


def _moved(squares):
    """The number of the square to which each of DISPLACEMENTS leads, (n, 11); -1 off the chart."""
    row, column = (part[:, None] + delta for part, delta in zip(
        divmod(squares, SHAPE[1]), numpy.transpose(DISPLACEMENTS), strict=True))
    inside = (0 <= row) & (row < SHAPE[0]) & (0 <= column) & (column < SHAPE[1])
    return numpy.where(inside, row * SHAPE[1] + column, -1)


def _connected(sea, square):
    """The squares of `sea` that are joined to this one across edges, in rising order."""
    joined = {square}
    new = [square]
    while new:
        around = _moved(numpy.array(new))[:, 1:1 + len(HEADINGS)].ravel().tolist()
        new = [s for s in dict.fromkeys(around) if s >= 0 and sea[s] and s not in joined]
        joined.update(new)
    return numpy.array(sorted(joined))
