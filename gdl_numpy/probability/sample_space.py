"""Sample space: the set of all values that an observation x can take.

Fifty points are given, each a latitude and a longitude, and a model is to make more of them. Before
it can say where points are likely, it must be settled where points can be at all. On the world map
this is a rectangle, latitude from -90 to 90 and longitude from -180 to 180 degrees. In general an
observation x is a row of d numbers, its features. A data set X is a list of n observations, one a
row, of shape (n, d). The sample space here is a box in R^d between two corners, `low` and `high`.
Its edges belong to it: the poles are places too.

Two questions are asked of a space all the time: how large is it, and what is the integral of a
function g over it? Most integrals have no formula. So the space is cut into a grid of equal cells,
k_j along coordinate j. A cell has the name c = (c_1, ..., c_d), each c_j from 0 to k_j - 1. If the
cells are small, g is nearly constant in each, and its value at the center stands for the cell: the
integral is about the volume of one cell times the sum of g over all centers. `grid` returns both,
the centers and that volume.

    log V       = Σ_j log(high_j - low_j)             logarithm of the volume, j = 1, ..., d     (1)
    V           = Π_j (high_j - low_j)                the map: 180 · 360 = 64,800 square degrees (2)
    x is inside  if low_j <= x_j <= high_j for every j                                           (3)
    center_j    = low_j + (c_j + ½) (high_j - low_j)/k_j      of the cell c                      (4)
    ∫ g(x) dx   ≈ ΔV Σ_c g(center of c)
    ΔV          = V/(k_1 ... k_d)                             the volume of one cell             (5)
    c_j         = floor((x_j - low_j) k_j/(high_j - low_j))   the cell of x, and k_j - 1, the last
                                                              one, on the edge x_j = high_j      (6)
    number of c = (... (c_1 k_2 + c_2) k_3 + ...) k_d + c_d   cells are counted row by row       (7)

The sides of a box in many dimensions can have a product that no floating-point number holds; the
sum of their logarithms (1) has no such limit.

By hand: 2 cells along the latitude and 3 along the longitude make 6 cells of 90 by 120 degrees. The
first has its center at (-90 + 45, -180 + 60). New York is in the upper half of the map, c_1 = 1,
and in the first third from the left, c_2 = 0, so its cell has the number 1 · 3 + 0.

>>> space = SampleSpace([-90, -180], [90, 180])
>>> X, cell_volume = space.grid((2, 3))
>>> print(X[0], cell_volume, space.cell([[40.7306, -73.9352]], (2, 3)))
[ -45. -120.] 10800.0 [3]

See figure_1_04_points (fifty points in their space) and tests/probability/test_sample_space.py
(that it holds).

Errata.
E27 (tests/probability/test_likelihood.py)  X is a list, not a set: a row given twice counts twice
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.exact import cell_of


class SampleSpace(Described):
    """The closed box in R^d between the corners `low` and `high`, both of shape (d,)."""

    def __init__(self, low, high):
        low, high = checks.corners(low, high, checks.real_array(low, "low"))
        self.low, self.high = low.copy(), high.copy()
        self._corners = low.tolist(), high.tolist()
        self.sides = tuple(b - a for a, b in zip(*self._corners, strict=True))
        if not max(self.sides) <= float(numpy.finfo(low.dtype).max):
            raise ValueError(f"high - low must be finite in {low.dtype}, got sides {self.sides}")
        self.log_volume = math.fsum(map(math.log, self.sides))      # (1)

    @property
    def volume(self):
        """The product of the side lengths, in the product of the coordinates' units. Where a float
        cannot hold it, this is inf or 0.0, and only `log_volume` is right."""
        return math.prod(self.sides)                                # (2)

    def contains(self, X, finite=True):
        """Whether each row of X lies in the box, its edges included, shape (n,)."""
        X = checks.observations(X, self.low, checks.truth(finite, "finite"))
        return ((self.low <= X) & (X <= self.high)).all(axis=1)     # (3)

    def grid(self, shape):
        """The centers of all cells, (number of cells, d), and the volume of one of them.

        `shape` is (k_1, ..., k_d), the number of cells along each coordinate. The last coordinate
        changes fastest from one center to the next.
        """
        shape = self.cells(shape)
        xp = array_module(self.low)
        axes = [low + (xp.arange(k) + 0.5) * side / k                           # (4)
                for low, side, k in zip(self.low.astype(float), self.sides, shape, strict=True)]
        X = xp.stack(xp.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
        return X.astype(self.low.dtype, copy=False), self.volume / math.prod(shape)         # (5)

    def cell(self, X, shape, finite=True):
        """The number of the grid cell that holds each row of X, shape (n,); -1 outside the space.

        A point on the border of two cells belongs to the upper one, and a point on the upper edge
        of the space to the last. The cell is that of the exact fractions, whatever division rounds.
        With more than 2^53 cells the numbers are Python's own, in an array of objects.
        """
        shape = self.cells(shape)
        X = checks.observations(X, self.low, checks.truth(finite, "finite"))
        xp, inside = array_module(X), self.contains(X, finite=False)
        number = xp.zeros(len(X), dtype=int if math.prod(shape) <= 2**53 else object)
        for i, (low, high, k) in enumerate(zip(*self._corners, shape, strict=True)):
            x = xp.where(inside, X[:, i], low)
            number = number * k + cell_of(x, low, high, k)                      # (6), (7)
        return xp.where(inside, number, -1)

    def log_cell_volume(self, shape):
        """The logarithm of the volume of one of `shape` equal cells, a float."""
        return self.log_volume - math.fsum(map(math.log, self.cells(shape)))

    def wide_cells(self, shape, name="shape"):
        """`shape`, if each of its cells holds at least four numbers of the space's dtype."""
        return checks.wide_cells(*self._corners, self.cells(shape), self.low.dtype, name)

    def on(self, xp):
        """The same space with its corners in the module xp."""
        return SampleSpace(xp.asarray(self.low), xp.asarray(self.high))

    def cells(self, shape):
        """`shape`, the numbers of cells along each coordinate, as a tuple of ints."""
        one = hasattr(shape, "__index__") and not getattr(shape, "ndim", 0)  # for a line
        shape = checks.whole_numbers((shape,) if one else shape, "shape", least=1)
        if len(shape) != len(self.low):
            raise ValueError(f"shape has {len(shape)} entries; this space is in R^{len(self.low)}")
        return shape
