"""Polygon: a region of the plane bounded by closed rings of straight edges.

The land of the map is given by its coasts, some 5,000 straight edges. For p_data three questions
must be answered. Is a point inside? What is an integral over the region, such as its area? How does
one draw from it uniformly? Let x1 run upward and x2 to the right, as latitude and longitude do.

**Is a point inside?** Walk west from it until you are surely outside. Each edge that you cross
leads you in or out, so you began inside if you crossed an odd number of them: the even-odd rule.
Trying every edge would be slow. So cut the plane into slabs, horizontal strips that end at the
heights of the vertices. Within a slab no edge begins or ends and none cross, so its edges have an
order from west to east, and a binary search counts those west of the point (Preparata and Shamos
1985, section 2.2). Before that, a grid of cells helps: in a cell that no edge touches, all points
share one answer, which is stored, and only in the others is there anything to search.

    inside = the number of edges of its slab that lie west of the point is odd                   (1)

**What is an integral over the region?** Let g be a function of x1 alone, and G' = g. A narrow
column of the width dx2 meets the region from a lower edge to an upper one, perhaps several times,
and the integral in it is (G(upper) - G(lower)) dx2. Let the edges run clockwise around the region:
upper edges to the right, with dx2 > 0, lower ones to the left, with dx2 < 0. So a walk around the
region gives each G its sign (Green's theorem):

    ∫∫ g(x1) dx1 dx2 = Σ_edges ∫ G(x1) dx2 = Σ_edges Δx2 · (mean of G along the edge)            (2)

The mean is taken with 12 Gauss-Legendre nodes and weights. It is exact if G is a polynomial of
degree up to 23, and exact to rounding for the functions of world_map.py. Of the region's part in a
box it is the same sum, if each edge is cut where it crosses a side of the box, and what lies
outside is pushed onto the border: the walk then follows the border where the region goes beyond.

**How to draw from it uniformly?** Cells have equal areas. Draw one of those that are not wholly
outside, and a point in it; keep the point if it is in the region, otherwise begin again (rejection
sampling). In a region much thinner than its cells nearly all points would be rejected. But within a
slab the region consists of trapezoids, from the first edge to the second, from the third to the
fourth, so draw one of these in proportion to its area. Let a and b be its lower and upper side,
divided by their sum, and u uniform in (0, 1]. Then the share t of the height (`_in_trapezoids`
shows why) and a uniform place across make a uniform point:

    t = u/(a + √((1 - u) a² + u b²))                                                             (3)

By hand: the triangle below has base 4 and height 2, so the area 4. The mean of x1 is a third of the
height, so ∫∫ x1 dx1 dx2 = 4 · 2/3. West of (1, 2) lies one edge, west of (1, 3.5) lie two:

>>> corners = numpy.array([[0.0, 0.0], [2.0, 2.0], [0.0, 4.0]])     # (x1, x2), clockwise
>>> triangle = Region(corners, numpy.roll(corners, -1, axis=0), SampleSpace([0, 0], [4, 4]), (4, 4))
>>> print(triangle.area, triangle.integral(lambda x1: x1**2 / 2).round(3))
4.0 2.667
>>> print(triangle.contains([[1.0, 2.0], [1.0, 3.5]]))
[ True False]

See figure_1_06_world (such a region) and tests/world/test_polygon.py (that it holds).
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

    Both are NumPy arrays, and as many edges start at a vertex as end there. Edges may touch and
    coincide, but not cross. For `integral` outer rings must run clockwise and holes the other way;
    for the rest the direction does not matter. `shape` says into how many cells each coordinate is
    cut.
    """

    def __init__(self, start, end, space, shape):
        self.space = checks.instance(space, "space", SampleSpace)
        self.shape = shape = space.cells(shape)
        start = checks.observations(start, space.low.astype(float), name="start", d=2).copy()
        checks.rows_within(start, space.contains(start), "the space", "start")
        end = checks.paired(end, "end", start, of="start").copy()
        checks.same_shape(end, "end", start, "start")
        self.start, self.end = start, end
        if (numpy.sort(start @ [1, 1j]) != numpy.sort(end @ [1, 1j])).any():
            raise ValueError("start and end must bound a region: at each vertex as many edges must "
                             "begin as end")
        self.cell = (space.high - space.low) / numpy.array(shape)
        self.foot = numpy.where((start[:, 0] < end[:, 0])[:, None], self.start, self.end)
        self.head = numpy.where((start[:, 0] < end[:, 0])[:, None], self.end, self.start)
        rise, run = (self.head - self.foot).T
        self.slope = run / numpy.where(rise > 0, rise, 1)   # Δx2/Δx1; 0 if horizontal: in no slab

        self.level = numpy.unique(self.foot[:, 0].tolist() + self.head[:, 0].tolist())
        edge, slab = _ranges(numpy.searchsorted(self.level, self.foot[:, 0]),
                             numpy.searchsorted(self.level, self.head[:, 0]))
        middle = (self.level[slab] + self.level[slab + 1]) / 2
        order = numpy.lexsort([self._crossing(edge, middle), slab])
        self.edge = edge[order]                             # slab by slab, from west to east
        self.first = numpy.searchsorted(slab[order], numpy.arange(-1, len(self.level) + 1))

        self.slab, west, east = slab[order][::2], self.edge[::2], self.edge[1::2]   # trapezoids
        heights = self.level[numpy.stack([self.slab, self.slab + 1])]
        sides = (self._crossing(east, heights) - self._crossing(west, heights)).clip(0)
        rounding = 8 * numpy.finfo(float).eps * max(abs(start[:, 1]).tolist(), default=0)
        sides[:, sides.max(axis=0) <= rounding] = 0         # nothing lies between equal edges
        self.lower = sides[0] / numpy.where(sides.any(axis=0), sides.sum(axis=0), 1)
        self.areas = ((heights[1] - heights[0]) * sides.mean(axis=0)).cumsum()

        kind = self._in_slab(space.grid(shape)[0]).astype(numpy.int8).reshape(shape)
        kind[self._touched_cells()] = MIXED
        self.row, self.column = kind.nonzero()              # the cells with some inside
        self.kind = numpy.pad(kind, 1, constant_values=OUTSIDE)
        self.kind[-1] = self.kind[:, -1] = MIXED            # for points on the upper borders

    def on(self, xp):
        """The same region with its tables in the array module xp."""
        if xp is array_module(self.foot):
            return self
        region = copy(self)
        vars(region).update({name: xp.asarray(value) for name, value in vars(self).items()
                             if isinstance(value, numpy.ndarray)}, space=self.space.on(xp))
        return region

    def contains(self, X):
        """Whether each row of X (n, 2) lies in the region, shape (n,).

        Exact for points farther than 1e-9 from every edge; rounding decides about the others.
        """
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

    def _crossing(self, edge, x1):
        """Where the given edges cross the height x1."""
        return self.foot[edge, 1] + self.slope[edge] * (x1 - self.foot[edge, 0])

    def _in_slab(self, X):
        """Whether an odd number of edges lies west of each row of X, by binary search.

        A row above k of the levels lies between level[k - 1] and level[k]. The edges of this slab,
        from west to east, are edge[first[k]:first[k + 1]]; there are none for k = 0, below all.
        """
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
        return (west - low) % 2 == 1                                                        # (1)

    def integral(self, G, space=None):
        """∫∫ g(x1) dx1 dx2 over the region, or over its part in the SampleSpace `space`, where G is
        an antiderivative of g."""
        xp, _ = array_module(self.start), checks.function(G, "G")
        s, weight = map(xp.asarray, numpy.polynomial.legendre.leggauss(12))
        start, end = (self.start, self.end) if space is None else self._pushed_into(space)
        (a1, a2), (b1, b2) = start.T, end.T
        x1 = (a1 + b1)[:, None] / 2 + (b1 - a1)[:, None] / 2 * s        # the nodes of each edge
        return ((b2 - a2) * (G(x1) @ weight) / 2).sum()                                     # (2)

    def _pushed_into(self, space):
        """Start and end of all pieces into which the sides of a box cut the edges, each of their
        points moved to the nearest one of the box."""
        xp = array_module(self.start)
        space = checks.instance(space, "space", SampleSpace).on(xp)
        if len(space.low) != 2:
            raise ValueError(f"space must be in R^2, got one in R^{len(space.low)}")
        run = self.end - self.start
        cuts = [(side - self.start) / xp.where(run == 0, numpy.inf, run)
                for side in (space.low, space.high)]
        t = xp.concatenate([0 * run, *cuts, 0 * run + 1], axis=1).clip(0, 1)
        t.sort(axis=1)
        X = (self.start[:, None] + t[:, :, None] * run[:, None]).clip(space.low, space.high)
        return X[:, :-1].reshape(-1, 2), X[:, 1:].reshape(-1, 2)

    @property
    def area(self):
        """The area of the region, of all its trapezoids; 0 if none is wider than rounding."""
        return float(self.areas[-1]) if len(self.areas) else 0.0

    def sample(self, n, rng, weight=None):
        """n points of the region, (n, 2), uniform, or with a density in proportion to weight(x1).

        A weight lies between 0 and 1: it is the probability that a uniform point is kept.
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
                keep &= rng.random(len(X)) < _between_0_and_1(weight(X[:, 0]), X)
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
        """n points of the trapezoids, and which of them are in the region: all.

        At the share s of the height the side is a + s (b - a), and as a + b = 1 its mean is ½. So
        below the share t lies the share u = 2 ∫_0^t (a + s (b - a)) ds = 2 a t + (b - a) t² of the
        area, and the points are uniform if u is. This quadratic equation has the root
        t = (√(a² + (b - a) u) - a)/(b - a), or u/(a + √(a² + (b - a) u)), which allows a = b. And
        a² + (b - a) u = a² + (b - a) (b + a) u = (1 - u) a² + u b² makes (3) of it.
        """
        xp = array_module(self.foot)
        by_area, u, across = rng.random((3, n))
        k = xp.searchsorted(self.areas, by_area * self.area, side="right")
        a, u = self.lower[k], 1 - u                         # not 0, and t not 0/0
        t = u / (a + xp.sqrt((1 - u) * a**2 + u * (1 - a)**2))                              # (3)
        bottom, top = self.level[self.slab[k]], self.level[self.slab[k] + 1]
        x1 = bottom + t * (top - bottom)
        west, east = (self._crossing(self.edge[2 * k + i], x1) for i in (0, 1))
        return xp.stack([x1, west + across * (east - west)], axis=1), xp.ones(n, dtype=bool)

    def _touched_cells(self, margin=1e-9):
        """Rows and columns of all cells that an edge comes closer to than `margin`."""
        (rows, columns), low, (height, width) = self.shape, self.space.low, self.cell
        edge, row = _overlaps(self.foot[:, 0] - margin - low[0],
                              self.head[:, 0] + margin - low[0], height, rows)
        foot, head = self.foot[edge, 0], self.head[edge, 0]
        floor = low[0] + row * height - margin              # where the row begins
        part = numpy.stack([floor, floor + height + 2 * margin]).clip(foot, head)
        ends = self._crossing(edge, part)
        level = foot == head
        ends[1, level] = self.head[edge[level], 1]
        which, column = _overlaps(ends.min(axis=0) - margin - low[1],
                                  ends.max(axis=0) + margin - low[1], width, columns)
        return row[which], column


def _overlaps(low, high, size, count):
    """All pairs (i, j) where the interval from low[i] to high[i] meets [j, j + 1] size, j < count.

    What lies beyond the first or the last of these cells counts as in it.
    """
    first, last = ((end // size).clip(0, count - 1).astype(int) for end in (low, high))
    return _ranges(first, last + 1)


def _ranges(start, stop):
    """All pairs (i, j) with start[i] <= j < stop[i], as two arrays."""
    count = stop - start
    i = numpy.repeat(numpy.arange(len(start)), count)
    return i, numpy.arange(len(i)) - numpy.repeat(count.cumsum() - count, count) + start[i]


def _between_0_and_1(weight, X):
    """`weight` (n,), one number from 0 to 1 for each row of X (n, 2)."""
    weight = checks.one_axis(checks.real_array(weight, "weight", like=X), len(X), "weight")
    return checks.rows_within(weight, (0 <= weight) & (weight <= 1), "[0, 1]", "weight")
