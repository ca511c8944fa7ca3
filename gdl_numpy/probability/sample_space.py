"""Sample space: the set of all values that an observation x can take.

An observation is a row of d features, and a data set X is a list of n such rows, shape (n, d): a
list and not a set, because a row that occurs twice counts twice (Erratum E27, test_e27). On the
world map x = (x1, x2) is (latitude, longitude) in degrees, and the sample space is the rectangle

    [-90, 90] x [-180, 180],        volume 180 · 360 = 64 800 square degrees.

Here the sample space is a closed box in R^d. A grid cuts it into equal cells; its points are the
cells' centres, so that sums over the grid times the cell's volume are integrals over the space:

    ∫ g(x) dx  ≈  Σ g(centre of a cell) · volume of a cell
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described


class SampleSpace(Described):
    """The closed box in R^d between the corners `low` and `high`, both of shape (d,).

    >>> X, cell_volume = SampleSpace([-90, -180], [90, 180]).grid((2, 3))
    >>> print(X[0], cell_volume)
    [ -45. -120.] 10800.0
    """

    def __init__(self, low, high):
        low = checks.real_array(low, "low")
        high = checks.real_array(high, "high", like=low)
        if low.ndim != 1 or low.shape != high.shape or len(low) == 0:
            raise ValueError("low and high must both have shape (d,), got shapes "
                             f"{low.shape} and {high.shape}")
        if not (low < high).all():
            raise ValueError(f"low must be below high in every coordinate, got low = {low} and "
                             f"high = {high}")
        self.low, self.high = low.copy(), high.copy()
        self.sides = tuple(b - a for a, b in zip(low.tolist(), high.tolist(), strict=True))
        if not math.isfinite(max(self.sides)):
            raise ValueError(f"high - low must be finite, got sides {self.sides}")
        self.log_volume = math.fsum(map(math.log, self.sides))      # a product may overflow

    @property
    def volume(self):
        """The product of the side lengths, in the product of the coordinates' units; where that is
        too large or too small a number, `log_volume` is its logarithm still."""
        return math.prod(self.sides)

    def log_cell_volume(self, shape):
        """The logarithm of the volume of one of `shape` equal cells, a float."""
        return self.log_volume - math.fsum(map(math.log, self.cells(shape)))

    def on(self, xp):
        """The same space with its corners in the module xp."""
        return SampleSpace(xp.asarray(self.low), xp.asarray(self.high))

    def contains(self, X, finite=True):
        """Whether each row of X lies in the box, its edges included, shape (n,)."""
        X = checks.observations(X, self.low, finite)
        return ((self.low <= X) & (X <= self.high)).all(axis=1)

    def grid(self, shape):
        """The centres of `shape` equal cells, the last coordinate fastest, and a cell's volume.

        `shape` has one number of cells for each coordinate; the centres have shape (cells, d).
        """
        shape = self.cells(shape)
        xp = array_module(self.low)
        axes = [low + (xp.arange(k) + 0.5) * side / k
                for low, side, k in zip(self.low.astype(float), self.sides, shape, strict=True)]
        X = xp.stack(xp.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
        return X.astype(self.low.dtype, copy=False), self.volume / math.prod(shape)

    def cell(self, X, shape, finite=True):
        """The number of the grid cell that holds each row of X, shape (n,); -1 outside the space.

        A point on the border of two cells belongs to the upper one, on the last border to the last.
        Numbers of more than 2^53 cells are Python's, in an array of objects.
        """
        shape = self.cells(shape)
        X = checks.observations(X, self.low, finite)
        xp, inside = array_module(X), self.contains(X, finite=False)
        U = xp.where(inside[:, None], X, self.low).astype(float) - self.low
        small = math.prod(shape) <= 2**53                           # exact as a float
        number = xp.zeros(len(X), dtype=int if small else object)
        for i, (side, k) in enumerate(zip(self.sides, shape, strict=True)):
            unit = 2.0**(math.frexp(side)[1] - 1)                   # a power of 2 rounds nothing,
            side, steps = side / unit, U[:, i] / unit * k           # and nothing overflows
            column = xp.floor(steps / side)
            column -= column * side > steps                         # where it was rounded up
            whole = column.astype(int) if small else xp.asarray(
                [int(x) for x in column.tolist()], dtype=object)
            number = number * k + xp.minimum(whole, k - 1)
        return xp.where(inside, number, -1)

    def cells(self, shape):
        """`shape`, the numbers of cells along each coordinate, as a tuple of ints."""
        shape = (shape,) if hasattr(shape, "__index__") else shape          # one number is a line's
        shape = checks.whole_numbers(shape, "shape", least=1)
        if len(shape) != len(self.low):
            raise ValueError(f"shape has {len(shape)} entries; this space is in R^{len(self.low)}")
        return shape
