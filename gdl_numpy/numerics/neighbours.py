"""Neighbours: which rows of two point sets can lie close together.

A kernel that falls off like exp(-distance²/2) is beyond some radius negligible beside nearer ones,
so a sum over all n · m pairs of points needs only the near ones. To find them, sort both sets along
the first coordinate and cut the queries into strips half a radius wide: what a strip can reach is a
slice of the sorted points. Then do the same along the second and the third coordinate inside each
strip. Beyond three coordinates cutting no longer pays: nearly every pair is a neighbour in most of
them.

    |q - x| <= r   implies   |q_i - x_i| <= r  for every coordinate i

`nearest` compares all pairs, in any number of dimensions, by one matrix product for many queries,

    |q - x|² = |q|² - 2 q · x + |x|²

whose three terms nearly cancel for close points; so the origin is first moved among the points, and
the k distances are then computed again as they are written.
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def near_blocks(Q, X, radius, rows_Q=None, rows_X=None, axis=0):
    """Pairs (i, j) of arrays of row numbers of Q and of X that bring neighbours together.

    Every row of Q is in exactly one i, and the j beside it holds at least all rows of X that are
    within `radius` of one of those.
    """
    xp = array_module(Q)
    rows_Q = xp.arange(len(Q)) if rows_Q is None else rows_Q
    rows_X = xp.arange(len(X)) if rows_X is None else rows_X
    if axis == min(Q.shape[1], 3) or len(rows_Q) == 0:
        yield rows_Q, rows_X
        return
    rows_Q = rows_Q[Q[rows_Q, axis].argsort()]
    rows_X = rows_X[X[rows_X, axis].argsort()]
    q, x = Q[rows_Q, axis], X[rows_X, axis]

    strip = xp.floor((q - q[0]) / (radius / 2))
    first = xp.concatenate([xp.asarray([True]), strip[1:] > strip[:-1]]).nonzero()[0]
    last = xp.concatenate([first[1:], xp.asarray([len(q)])])
    begin = xp.searchsorted(x, q[first] - radius, side="left")
    end = xp.searchsorted(x, q[last - 1] + radius, side="right")
    for a, b, c, e in zip(*(bound.tolist() for bound in (first, last, begin, end)), strict=True):
        yield from near_blocks(Q, X, radius, rows_Q[a:b], rows_X[c:e], axis + 1)


def nearest(Q, X, k=1, entries=2**19):
    """Distances and row numbers of the k rows of X nearest to each row of Q, both (m, k), in order.

    `entries` is how many numbers a block of queries may need at once. Two points closer than
    rounding of |x|² tells apart may change places.
    """
    X = checks.data_set(X)
    Q, xp = checks.observations(Q, X), array_module(X)
    k = checks.whole_number(k, "k", least=1, most=len(X))
    middle = X.mean(axis=0)
    Q, X = Q - middle, X - middle
    squares = (X**2).sum(axis=1)
    distances, numbers = xp.empty((len(Q), k), dtype=X.dtype), xp.empty((len(Q), k), dtype=int)
    rows = max(1, entries // max(len(X), k * X.shape[1]))   # in a block: it stays in the cache
    for start in range(0, len(Q), rows):
        q = Q[start:start + rows]
        near = (squares - 2 * q @ X.T).argpartition(k - 1, axis=1)[:, :k]
        distance = xp.sqrt(((q[:, None] - X[near])**2).sum(axis=2))
        order = distance.argsort(axis=1)
        distances[start:start + rows] = xp.take_along_axis(distance, order, axis=1)
        numbers[start:start + rows] = xp.take_along_axis(near, order, axis=1)
    return distances, numbers
