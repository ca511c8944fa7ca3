"""Sample space: the set of all values that an observation x can take.

Fifty points are given, each a latitude and a longitude, and a model is to make more of them. Before
it can say where points are likely, it must be settled where points can be at all. On the world map
this is a rectangle, latitude from -90 to 90 and longitude from -180 to 180 degrees. In general an
observation x is a row of d numbers, its features, and the sample space here is a box in R^d between
two corners, `low` and `high`. Its edges belong to it: the poles are places too.

Two questions are asked of a space all the time: how large is it, and what is the integral of a
function g over it? Most integrals have no formula. So the space is cut into a grid of equal cells,
k_j of them along coordinate j, and g is taken as constant in each cell, as it is at the center.

    log V       = Σ_j log(high_j - low_j)             logarithm of the volume, j = 1, ..., d     (1)
    V           = Π_j (high_j - low_j)                the map: 180 · 360 = 64,800 square degrees (2)
    x is inside  if low_j <= x_j <= high_j for every j                                           (3)
    center_j    = low_j + (c_j + ½) (high_j - low_j)/k_j      of the cell c, c_j = 0, ..., k_j-1 (4)
    ∫ g(x) dx   ≈ Σ_c g(center of c) · V/(k_1 ... k_d)        volume of a cell times a sum       (5)
    c_j         = floor((x_j - low_j) k_j/(high_j - low_j))   the cell that holds x              (6)
    number of c = (... (c_1 k_2 + c_2) k_3 + ...) k_d + c_d   cells are counted row by row       (7)

The sides of a box in many dimensions can have a product that no floating-point number holds; the
sum of their logarithms (1) has no such limit. A data set X is a list of n observations, one a row,
shape (n, d).

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

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described


class SampleSpace(Described):
    """The closed box in R^d between the corners `low` and `high`, both of shape (d,)."""

    def __init__(self, low, high):
        low, high = checks.corners(low, high, checks.real_array(low, "low"))
        self.low, self.high = low.copy(), high.copy()
        self.sides = tuple(b - a for a, b in zip(low.tolist(), high.tolist(), strict=True))
        if not math.isfinite(max(self.sides)):
            raise ValueError(f"high - low must be finite, got sides {self.sides}")
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
        of the space to the last. Division may round a quotient up to the next whole number and so
        put a point just below a border into the cell above it; this is found and undone.
        With more than 2^53 cells the numbers are Python's own, in an array of objects.
        """
        shape = self.cells(shape)
        X = checks.observations(X, self.low, checks.truth(finite, "finite"))
        xp, inside = array_module(X), self.contains(X, finite=False)
        U = xp.where(inside[:, None], X, self.low).astype(float) - self.low
        small = math.prod(shape) <= 2**53                           # exact as a float
        number = xp.zeros(len(X), dtype=int if small else object)
        for i, (side, k) in enumerate(zip(self.sides, shape, strict=True)):
            unit = 2.0**(math.frexp(side)[1] - 1)                   # a power of 2 rounds nothing,
            side, steps = side / unit, U[:, i] / unit * k           # and nothing overflows
            column = xp.floor(steps / side)                         # (6)
            column -= column * side > steps                         # where it was rounded up
            whole = column.astype(int) if small else xp.asarray(
                [int(x) for x in column.tolist()], dtype=object)
            number = number * k + xp.minimum(whole, k - 1)          # (7)
        return xp.where(inside, number, -1)

    def log_cell_volume(self, shape):
        """The logarithm of the volume of one of `shape` equal cells, a float."""
        return self.log_volume - math.fsum(map(math.log, self.cells(shape)))

    def on(self, xp):
        """The same space with its corners in the module xp."""
        return SampleSpace(xp.asarray(self.low), xp.asarray(self.high))

    def cells(self, shape):
        """`shape`, the numbers of cells along each coordinate, as a tuple of ints."""
        one = hasattr(shape, "__index__") and not getattr(shape, "ndim", 0)  # a line's
        shape = checks.whole_numbers((shape,) if one else shape, "shape", least=1)
        if len(shape) != len(self.low):
            raise ValueError(f"shape has {len(shape)} entries; this space is in R^{len(self.low)}")
        return shape
