"""Neighbors: which points lie close together, found without looking at every pair.

A kernel density asks which points of land are within a radius r of a cell of the map. Whoever
checks that a model has not copied its data asks which horse of the training set is nearest to a new
one. To compare every query q with every point x answers both questions, but for 259,200 cells and
20,000 points that takes five billion distances.

`near_blocks` finds what is within a radius r. If |q - x| <= r, then |q_i - x_i| <= r for every
coordinate i. So sort both sets along the first coordinate and cut the queries into strips half a
radius wide. What a strip can reach is a slice of the sorted points:

    strip of q   = floor(q_1/(r/2))                                                             (1)
    slice        = all x with  smallest q_1 of the strip - r <= x_1 <= largest q_1 + r          (2)

Then do the same along the second and the third coordinate inside each strip. With more coordinates
most strips would hold one query. So from the fourth on, a block is cut in half along its longest
side until all its queries are within 2r of the middle one: kernel_sum.py needs them close together.

`nearest` finds the k nearest points. It cuts the queries in two along their longest side, at the
mean, and the parts again. Let c be the middle of the box around such a group, R the largest
|q - c|, and let r now be the distance of the k-th nearest point from c. Then k points are within
r + R of each q. So for a neighbor x of q

    |x - c| <= |x - q| + |q - c| <= (r + R) + R,    the reach of the group                       (3)

A part looks for neighbors only within the reach of the whole. A small group compares all that is
left with all its queries at once, by a matrix product, with the origin moved to c:

    |q - x|² = |q|² - 2 q·x + |x|² = |q|² + (q, 1)·(-2x, |x|²)                                   (4)

For points much closer to each other than to c the terms nearly cancel, and digits are lost. Hence
(4) only chooses candidates, a few more than k; their distances are computed from q - x itself.
Could a nearer point have been left out? As |x| is at most |q| + |q - x|, the terms sum in size to
at most (|q| + |x|)² <= (2 |q| + |q - x|)². Each operation has a relative error of up to ε. The
errors of d products add up to at most about d ε and, as their signs vary, to about √d ε. So allow
(4) four times that, which for many dimensions is no proof but hardly ever fails. For |q - x|² put
the largest (4) of a candidate:

    e = 4 √d ε (2 |q| + |q - x|)²                                                               (5)
    sure, if     (k-th nearest distance)² + e <= the largest (4) of a candidate                 (6)

A point that was left out has no smaller (4) than that. Either it is farther, or its |q - x|² is at
least its (4) less e; so if (6) holds none is nearer than the k-th. A query is also sure if e is
below √ε times the k-th squared distance: what was left out is then nearer by half of √ε at most,
as a share. As (4) only chooses, float32 will do at first, which is twice as fast. Queries that are
not sure are cut in two again, and compared in float64; a single one by q - x itself.

To put n numbers in order takes longer than to compute them. But cut a row of (4) into pieces: its k
smallest numbers lie in the k pieces with the smallest minima, and a minimum is quickly found:

    of 7 1 | 8 2 | 5 9 the minima are 1, 2, 5, so the two smallest are among 7, 1, 8 and 2       (7)

How long does it take? If the queries lie as the points do, the reach of a small group holds some
thousand points on a line and at most three thousand on a plane, however many there are: the number
of pairs grows as n. In ten dimensions a group is nearly as wide as all the data, nothing is out of
reach, and all n² pairs are compared: for ten times the points a hundred times the time. It also
grows as d, the steps of a product.

By hand, on a line with r = 1: the queries 0 and 0.1 share the strip [0, 0.5), and what is within 1
of them lies between -1 and 1.1. Of the points 9, 4 and 0.3 this is 0.3, row 2. For the query 5 it
is 4, row 1. And of 3, -1 and 2 the nearest to 0 are -1, at distance 1, and 2, at distance 2:

>>> Q, X = numpy.array([[0.0], [5.0], [0.1]]), numpy.array([[9.0], [4.0], [0.3]])
>>> [(i.tolist(), j.tolist()) for i, j in near_blocks(Q, X, 1.0)]
[([0, 2], [2]), ([1], [1])]
>>> distances, rows = nearest(numpy.array([[0.0]]), numpy.array([[3.0], [-1.0], [2.0]]), k=2)
>>> distances.tolist(), rows.tolist()
([[1.0, 2.0]], [[1, 2]])

See figure_1_01_horses (new horses and their nearest ones) and tests/numerics/test_neighbors.py
(that it holds).
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks

QUERIES, PAIRS = 512, 2**17                                 # a group is small if it has no more
MORE = 2                                                    # candidates than are asked for


def near_blocks(Q, X, radius, rows_Q=None, rows_X=None, axis=0):
    """Pairs (i, j) of arrays of row numbers of Q and of X that bring neighbors together.

    Every row of Q is in exactly one i, and the j beside it holds at least all rows of X that are
    within `radius` of one of those. No row of Q is farther than 2 radii from the middle one of
    its block, the row i[len(i) // 2].
    """
    xp = array_module(Q)
    rows_Q = xp.arange(len(Q)) if rows_Q is None else rows_Q
    rows_X = xp.arange(len(X)) if rows_X is None else rows_X
    if axis == Q.shape[1] or len(rows_Q) == 0:
        yield rows_Q, rows_X
        return
    if axis == 3:
        yield from _halves(Q, X, radius, rows_Q, rows_X)
        return
    rows_Q = rows_Q[Q[rows_Q, axis].argsort()]
    rows_X = rows_X[X[rows_X, axis].argsort()]
    q, x = Q[rows_Q, axis].astype(float), X[rows_X, axis].astype(float)
    first = _begins_strip(q, radius / 2).nonzero()[0]                                       # (1)
    last = xp.concatenate([first[1:], xp.asarray([len(q)])])
    with numpy.errstate(over="ignore"):                     # infinity is an end as well
        begin = xp.searchsorted(x, q[first] - radius, side="left")                          # (2)
        end = xp.searchsorted(x, q[last - 1] + radius, side="right")                        # (2)
    bounds = (bound.tolist() for bound in (first, last, begin, end))
    for q_first, q_last, x_begin, x_end in zip(*bounds, strict=True):
        yield from near_blocks(Q, X, radius, rows_Q[q_first:q_last], rows_X[x_begin:x_end],
                               axis + 1)


@numpy.errstate(over="ignore")
def _begins_strip(q, width):
    """Whether each of the sorted numbers q is the first in its strip."""
    xp = array_module(q)
    strip, begins = xp.floor(q / width), xp.ones(len(q), dtype=bool)
    exact = abs(strip[1:]) < 2**52                          # else no two numbers are that close
    begins[1:] = xp.where(exact, strip[1:] > strip[:-1], q[1:] > q[:-1])
    return begins


def _halves(Q, X, radius, rows_Q, rows_X):
    """Pairs (i, j) as those of near_blocks, from a block of queries and what it may reach."""
    q, x, m = Q[rows_Q].astype(float), X[rows_X].astype(float), len(rows_Q) // 2
    low, high = q.min(axis=0), q.max(axis=0)
    with numpy.errstate(over="ignore"):
        reached = ((low - radius <= x) & (x <= high + radius)).all(axis=1)
        farthest = (((q - q[m]) / radius)**2).sum(axis=1).max()
    rows_X = rows_X[reached.nonzero()[0]]
    if farthest <= 4:
        yield rows_Q, rows_X
        return
    rows_Q = rows_Q[q[:, int((high / 2 - low / 2).argmax())].argsort()]
    for half in rows_Q[:m], rows_Q[m:]:
        yield from _halves(Q, X, radius, half, rows_X)


@numpy.errstate(over="ignore")
def nearest(Q, X, k=1, entries=2**21):
    """Distances and row numbers of the k rows of X nearest to each row of Q, both (m, k), in order.

    `entries` is how many numbers a block of queries may need at once. Of points whose distances
    agree to √ε, seven digits or three in float32, any may be in the list. For more than a
    few dimensions d the time grows as len(Q) · len(X) · d.
    """
    X = checks.data_set(X)
    Q, xp = checks.observations(Q, X, name="Q"), array_module(X)
    k = checks.whole_number(k, "k", least=1, most=len(X))
    entries = checks.whole_number(entries, "entries", least=1)
    distances, numbers = xp.empty((len(Q), k), dtype=X.dtype), xp.empty((len(Q), k), dtype=int)
    todo = [(xp.arange(len(Q)), xp.arange(len(X)), numpy.dtype("f4"))] * (len(Q) > 0)
    while todo:
        group, rows, dtype = todo.pop()
        q = Q[group].astype(float)
        low, high = q.min(axis=0), q.max(axis=0)
        c = low + (high / 2 - low / 2)
        distance = _from(c, X, rows)
        if len(group) == 1:                                 # c is the query
            number = distance.argsort(kind="stable")[:k]
            distances[group], numbers[group] = distance[number].astype(X.dtype), rows[number]
            continue
        reach = float(xp.partition(distance, k - 1)[k - 1] + 2 * _length(q - c).max())      # (3)
        rows = rows[(distance <= reach * (1 + 1e-8)).nonzero()[0]]     # and for rounding
        if len(group) <= max(QUERIES, PAIRS // len(rows)) and reach < math.inf:
            sure = _of_many(Q, group, X, rows, c, reach, dtype, entries, distances, numbers)
            group, dtype = group[(~sure).nonzero()[0]], numpy.dtype(float)
        if len(group):                                      # cut at the mean of the longest side
            side = Q[group, int((high / 2 - low / 2).argmax())]
            group, m = group[side.argsort()], int((side <= side.mean(dtype=float)).sum())
            m = m if 0 < m < len(group) else len(group) // 2        # equal numbers, or rounding
            todo += [(half, rows, dtype) for half in (group[:m], group[m:]) if len(half)]
    return distances, numbers


def _from(c, X, rows):
    """|x - c| of the `rows` of X, in blocks that stay in the cache."""
    return in_blocks(lambda i, j: _length(X[rows[i:j]] - c), len(rows), max(1, 2**17 // len(c)))


def _of_many(Q, group, X, rows, c, reach, dtype, entries, distances, numbers):
    """Writes what `nearest` gives for the rows `group` (m,) of Q, by (4) around c from `rows` of X,
    and says for which of them, (m,), it is surely right: by (6), or as e is too small to matter or
    all k distances are 0."""
    xp, n, d, k = array_module(X), len(rows), X.shape[1], distances.shape[1]
    unit = math.ldexp(1.0, math.frexp(reach)[1] - 1)        # no number is above 2, no square inf
    x, limits, more = ((X[rows] - c) / unit).astype(dtype), xp.finfo(dtype), min(k + MORE, n)
    of_x = xp.empty((d + 1, n), dtype=dtype)
    of_x[:d], of_x[d] = -2 * x.T, (x**2).sum(axis=1)
    in_block, small = max(1, entries // max(n, more * d)), xp.finfo(X.dtype).eps**0.5
    memory = xp.empty((min(in_block, len(group)), n), dtype=dtype)      # asked for only once
    sure = xp.empty(len(group), dtype=bool)
    for start in range(0, len(group), in_block):
        numbers_Q = group[start:start + in_block]
        block = Q[numbers_Q]
        q = ((block - c) / unit).astype(dtype)
        of_q = xp.concatenate([q, xp.ones((len(q), 1), dtype=dtype)], axis=1)
        by_formula = xp.matmul(of_q, of_x, out=memory[:len(q)])         # without |q|²      (4)
        near = _smallest(by_formula, more)
        worst = xp.take_along_axis(by_formula, near, axis=1).max(axis=1)
        near = rows[near]
        near.sort(axis=1)                                   # of equal distances the first row wins
        distance = _length(block[:, None].astype(float) - X[near])
        order = distance.argsort(axis=1, kind="stable")[:, :k]
        distance = xp.take_along_axis(distance, order, axis=1)
        number = xp.take_along_axis(near, order, axis=1)

        length, last = xp.sqrt((q**2).sum(axis=1)), distance[:, -1] / unit
        worst = xp.maximum(worst + length**2, 0)
        e = 4 * d**0.5 * limits.eps * (2 * length + xp.sqrt(worst))**2                      # (5)
        e = e + 4 * limits.tiny                             # and what underflows
        sure[start:start + in_block] = ((last**2 + e <= worst) | (e <= small * last**2)
                                        | (last == 0) | (more == n))                        # (6)
        distances[numbers_Q], numbers[numbers_Q] = distance.astype(X.dtype), number
    return sure


def _smallest(A, count):
    """Columns (m, count) of the `count` smallest numbers in each row of A (m, n), in any order."""
    xp, (m, n) = array_module(A), A.shape
    size = max(1, int((n / count)**0.5))                    # so g is about count·size
    g = n // size
    minima = A[:, :g * size].reshape(m, size, g).min(axis=1)            # a piece: every g-th
    pieces = minima.argpartition(count - 1, axis=1)[:, None, :count]                        # (7)
    near = (pieces + g * xp.arange(size)[:, None]).reshape(m, -1)
    rest = xp.broadcast_to(xp.arange(g * size, n), (m, n - g * size))
    near = xp.concatenate([near, rest], axis=1)
    best = xp.take_along_axis(A, near, axis=1).argpartition(count - 1, axis=1)[:, :count]
    return xp.take_along_axis(near, best, axis=1)


def _length(U):
    """|u| of the vectors u along the last axis of U; their squares neither over- nor underflow."""
    xp = array_module(U)
    exponent = xp.frexp(abs(U).max(axis=-1))[1]
    unit = xp.ldexp(xp.ones(exponent.shape), exponent - 1)  # a power of 2 rounds nothing
    return unit * xp.sqrt(((U / unit[..., None])**2).sum(axis=-1))
