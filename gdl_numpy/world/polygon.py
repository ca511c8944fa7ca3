"""Polygon: a region of the plane bounded by closed rings of straight edges.

The support of p_data on the world map is such a region. Three questions about it:

*Is a point inside?* By the even-odd rule: walk west from it; if you cross an odd number of edges
you started inside. To find that number without trying every edge, cut the plane into slabs at the
height of every vertex. In a slab no edge begins or ends and none cross, so they are sorted from
west to east, and a binary search counts those west of the point (Preparata and Shamos 1985, section
2.2). Most points are spared even that: a grid of cells remembers which cells no edge touches, and
all points of such a cell get the answer of its centre.

*What is an integral over the region?* By Green's theorem one around its boundary. For a function g
of the first coordinate with antiderivative G, over edges that run clockwise (x2 to the right, x1
up),

    ∫∫ g(x1) dx1 dx2  =  Σ_edges ∫ G(x1) dx2  =  Σ_edges Δx2 ½ ∫_-1^1 G(middle + s ½ Δx1) ds

the last by Gauss and Legendre's rule with 12 nodes, exact for polynomials G of degree up to 23, and
to rounding for the sines of world_map.py.

*How to draw from it uniformly?* Draw one of the cells that are not all outside, they have equal
areas, and a point in it. Keep the point if it is in the region; only cells that an edge touches can
refuse. A region much thinner than its cells would refuse nearly all. But in its slab each odd edge
bounds a trapezoid with the next one: draw one of these by area, and a point in it. Let a and b be
the shares of its lower and upper side in their sum, and u uniform; then the height of the point is

    t = u / (a + √((1-u) a² + u b²))          as ∫_0^t (a + s (b-a)) ds = u/2 and a + b = 1     (1)

of the trapezoid's, and across it is uniform. A region without area has no such distribution.

The edges may touch and coincide but not cross. A point on an edge counts as inside or outside
according to rounding; farther than 1e-9 from every edge the answer is exact.
"""

from copy import copy

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.sample_space import SampleSpace

OUTSIDE, INSIDE, MIXED = 0, 1, 2                            # kinds of cells
THIN = 0.1                                                  # share of its cells a region must fill
PATIENCE = 10**6                                            # points refused, and none kept
BLOCK = 2**16                                               # rows that stay in the cache


class Region(Described):
    """The inside of rings whose edges run from `start` to `end`, both (m, 2), within a SampleSpace.

    NumPy arrays, every vertex the start of as many edges as it is the end of. For `integral` outer
    rings must run clockwise, with x2 to the right and x1 up, and holes the other way; membership
    does not care. `shape` says into how many cells each coordinate is cut.
    """

    def __init__(self, start, end, space, shape):
        self.space = checks.instance(space, "space", SampleSpace)
        self.shape = shape = space.cells(shape)
        self.start = start = checks.observations(start, space.low.astype(float), name="start", d=2)
        checks.rows_within(start, space.contains(start), "the space", "start")
        self.end = end = checks.paired(end, "end", start, of="start")
        if (numpy.sort(start @ [1, 1j]) != numpy.sort(end @ [1, 1j])).any():
            raise ValueError("start and end must bound a region: at each vertex as many edges must "
                             "begin as end")
        self.cell = (space.high - space.low) / numpy.array(shape)
        self.foot = numpy.where((start[:, 0] < end[:, 0])[:, None], self.start, self.end)
        self.head = numpy.where((start[:, 0] < end[:, 0])[:, None], self.end, self.start)
        rise, run = (self.head - self.foot).T
        self.slope = run / numpy.where(rise > 0, rise, 1)   # Δx2/Δx1; a level edge is in no slab

        self.level = numpy.unique(self.foot[:, 0].tolist() + self.head[:, 0].tolist())
        edge, slab = _ranges(numpy.searchsorted(self.level, self.foot[:, 0]),
                             numpy.searchsorted(self.level, self.head[:, 0]))
        middle = (self.level[slab] + self.level[slab + 1]) / 2
        order = numpy.lexsort([self._crossing(edge, middle), slab])
        self.edge = edge[order]                             # slab by slab, from west to east;
        # first[k] is where slab k - 1 begins, since searchsorted gives a point below all levels 0
        self.first = numpy.searchsorted(slab[order], numpy.arange(-1, len(self.level) + 1))

        self.slab, west, east = slab[order][::2], self.edge[::2], self.edge[1::2]   # trapezoids
        bottom, top = self.level[self.slab], self.level[self.slab + 1]
        sides = numpy.stack([(self._crossing(east, x1) - self._crossing(west, x1)).clip(0)
                             for x1 in (bottom, top)])
        largest = max(abs(start[:, 1]).tolist(), default=0)
        rounding = 8 * numpy.finfo(float).eps * largest
        sides[:, sides.max(axis=0) <= rounding] = 0         # nothing lies between equal edges
        self.lower = sides[0] / numpy.where(sides.any(axis=0), sides.sum(axis=0), 1)
        self.areas = ((top - bottom) * sides.mean(axis=0)).cumsum()

        centres, _ = space.grid(shape)
        kind = self._in_slab(centres).astype(numpy.int8).reshape(shape)
        kind[self._touched_cells()] = MIXED
        self.row, self.column = kind.nonzero()              # the cells with some inside
        self.kind = numpy.full((shape[0] + 2, shape[1] + 2), OUTSIDE, numpy.int8)   # with a margin
        self.kind[-1] = self.kind[:, -1] = MIXED            # for points on the upper borders
        self.kind[1:-1, 1:-1] = kind

    def on(self, xp):
        """The same region with its tables in the module xp."""
        if xp is array_module(self.foot):
            return self
        region = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, numpy.ndarray):
                setattr(region, name, xp.asarray(value))
        region.space = self.space.on(xp)
        return region

    def contains(self, X):
        """Whether each row of X (n, 2) lies in the region, shape (n,)."""
        X = checks.observations(X, self.foot)
        return in_blocks(lambda i, j: self._contains(X[i:j]), len(X), BLOCK)

    def _contains(self, X):
        low, cell = self.space.low, self.cell
        least, most = low - cell / 2, self.space.high + cell / 2    # beyond, all is outside
        row, column = (((X[:, i].clip(least[i], most[i]) - low[i]) / cell[i] + 1).astype(int)
                       for i in (0, 1))                     # counted from the margin
        kind = self.kind.ravel()[row * (self.shape[1] + 2) + column]
        inside = kind == INSIDE
        mixed = (kind == MIXED).nonzero()[0]
        inside[mixed] = self._in_slab(X[mixed].clip(least, most))
        return inside

    def integral(self, G):
        """∫∫ g(x1) dx1 dx2 over the region, where G is the antiderivative of g."""
        xp, _ = array_module(self.start), checks.function(G, "G")
        s, weight = map(xp.asarray, numpy.polynomial.legendre.leggauss(12))
        (a1, a2), (b1, b2) = self.start.T, self.end.T
        x1 = (a1 + b1)[:, None] / 2 + (b1 - a1)[:, None] / 2 * s        # Gauss-Legendre nodes
        return ((b2 - a2) * (G(x1) @ weight) / 2).sum()

    @property
    def area(self):
        """∫∫ dx1 dx2 over the region, that of its trapezoids; 0 for one no wider than rounding."""
        return float(self.areas[-1]) if len(self.areas) else 0.0

    def sample(self, n, rng, weight=None):
        """n points of the region, (n, 2), uniform, or as weight(x1), a number between 0 and 1.

        ValueError if the region has no area, or the weight is 0 nearly everywhere in it.
        """
        n, xp = checks.draws(n, rng), array_module(self.foot)
        checks.function(weight, "weight", optional=True)
        area = checks.number(self.area, "the area of the region", "(0, inf)")
        thin = area < THIN * len(self.row) * float(self.cell.prod())
        accepted, missing, refused = [xp.empty((0, 2))], n, 0
        while missing > 0:
            some = min(BLOCK, 2 * missing + 16 + refused)
            X, keep = self._in_trapezoids(some, rng) if thin else self._in_cells(some, rng)
            if weight is not None:
                keep &= rng.random(len(X)) < weight(X[:, 0])
            accepted.append(X[keep.nonzero()[0]])
            missing -= len(accepted[-1])
            refused = 0 if len(accepted[-1]) else refused + some
            if refused > PATIENCE:
                raise ValueError(f"weight must be positive in the region, got 0 or nearly 0 at "
                                 f"{refused} points of it")
        return xp.concatenate(accepted)[:n]

    def _in_cells(self, n, rng):
        """n points of the cells with some inside, and which of them are in the region."""
        xp, (rows, columns) = array_module(self.foot), self.shape
        low, high = self.space.low, self.space.high
        u = rng.random((2, n))
        place = u[0] * len(self.row)                        # along all cells, laid side by side
        k = place.astype(int)
        row, column = self.row[k], self.column[k]
        x1 = low[0] + (high[0] - low[0]) / rows * (row + u[1])
        x2 = low[1] + (high[1] - low[1]) / columns * (column + (place - k))
        X = xp.stack([x1, x2], axis=1)
        keep = self.kind.ravel()[(row + 1) * (columns + 2) + column + 1] == INSIDE
        mixed = (~keep).nonzero()[0]
        keep[mixed] = self._in_slab(X[mixed])
        return X, keep

    def _in_trapezoids(self, n, rng):
        """n points of the trapezoids, all in the region."""
        xp = array_module(self.foot)
        by_area, u, across = rng.random((3, n))
        k = xp.searchsorted(self.areas, by_area * self.area, side="right")
        a, u = self.lower[k], 1 - u                         # u > 0
        t = u / (a + xp.sqrt((1 - u) * a**2 + u * (1 - a)**2))                              # (1)
        bottom, top = self.level[self.slab[k]], self.level[self.slab[k] + 1]
        x1 = bottom + t * (top - bottom)
        west, east = (self._crossing(self.edge[2 * k + i], x1) for i in (0, 1))
        return xp.stack([x1, west + across * (east - west)], axis=1), xp.ones(n, dtype=bool)

    def _crossing(self, edge, x1):
        """Where the given edges cross the height x1."""
        return self.foot[edge, 1] + self.slope[edge] * (x1 - self.foot[edge, 0])

    def _in_slab(self, X):
        """Whether an odd number of edges lies west of each row of X, by binary search."""
        xp = array_module(X)
        slab = xp.searchsorted(self.level, X[:, 0], side="right")
        low, high = self.first[slab], self.first[slab + 1]
        west = low                                          # all edges before `west` are west of X
        for _ in range(int((self.first[1:] - self.first[:-1]).max()).bit_length()):
            open_ = west < high
            middle = xp.where(open_, (west + high) // 2, 0)
            passed = open_ & (self._crossing(self.edge[middle], X[:, 0]) <= X[:, 1])
            west = xp.where(passed, middle + 1, west)
            high = xp.where(open_ & ~passed, middle, high)
        return (west - low) % 2 == 1

    def _touched_cells(self, margin=1e-9):
        """Rows and columns of all cells that an edge comes closer to than `margin`."""
        (rows, columns), low, (height, width) = self.shape, self.space.low, self.cell
        bottom = (self.foot[:, 0] - margin - low[0]) // height
        top = (self.head[:, 0] + margin - low[0]) // height
        edge, row = _ranges(bottom.clip(0, rows - 1).astype(int),
                            top.clip(0, rows - 1).astype(int) + 1)
        foot, head = self.foot[edge, 0], self.head[edge, 0]
        floor = low[0] + row * height - margin              # the part of the edge within the row
        ends = numpy.stack([self._crossing(edge, x1.clip(foot, head))
                            for x1 in (floor, floor + height + 2 * margin)])
        level = foot == head
        ends[1, level] = self.head[edge[level], 1]
        left, right = ((ends.min(axis=0) - margin - low[1]) // width,
                       (ends.max(axis=0) + margin - low[1]) // width)
        part, column = _ranges(left.clip(0, columns - 1).astype(int),
                               right.clip(0, columns - 1).astype(int) + 1)
        return row[part], column


def _ranges(start, stop):
    """All pairs (i, j) with start[i] <= j < stop[i], as two arrays."""
    count = stop - start
    i = numpy.repeat(numpy.arange(len(start)), count)
    return i, numpy.arange(len(i)) - numpy.repeat(count.cumsum() - count, count) + start[i]
