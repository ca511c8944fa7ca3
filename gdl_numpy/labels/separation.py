"""Separation: whether planes keep the classes apart, decided without rounding.

If they do, longer weights always make the likelihood of a softmax regression larger, and there is
no θ̂; if they do not, there is one (Albert and Anderson 1984). So `mle` has to know. But two points
of different classes that nearly touch may overlap or just not, and rounding must not decide which.

The idea: let Newton's method show where to look, then compute exactly. Far out, where only the
tails of exp are left to gain, one of its steps makes each row that planes keep apart more certain
by about 1 nat or more, and leaves the others as they are. So the step itself, as planes V, nearly
separates the classes if anything does, and what is nearly 0 there should be exactly 0. Whether it
can be is a question about whole numbers, because each float is a whole number times a power of two,
and whole numbers are added and multiplied without rounding.

With planes V (d + 1, K), a column for each class, x1 = (x, 1) and y_i the label of row i,

    margin_ik = x1_i · (V_{y_i} - V_k)             by how much the label's logit exceeds that of k
    separated      all margins with k other than y_i are >= 0, and some are > 0
    contested      the pairs (i, k) whose margin is nearly 0

A contested margin that is to be 0 is a linear equation c · v = 0, where v are the numbers of V one
after the other and the coefficients c are whole. Such equations are solved as at school: take one,
solve it for one of the v, its pivot, and put the result into all others. In whole numbers one
multiplies instead of dividing, and divides only where no remainder is left (Bareiss 1968). Let the
rows of E be the equations so far, multiplied so that each has the coefficient δ at its own pivot
and 0 at the pivots of the others. A new equation c, with the pivot q, brings

    v_pivots = -E v_free/δ                     solves the equations so far, whatever v_free is   (1)
    c ← δ c - c_pivots E                       no pivot before q is left in it                   (2)
    E ← (c_q E - E_q c)/δ,   δ ← c_q           and q is taken out of all others                  (3)

v_free are the numbers of V that are not pivots. They are left as the step has them, so that the
solution is near it. If it leaves all contested margins 0 and all others positive, the classes are
separated.

By hand: let 1 and 2 be of class 0, and 2 and 3 of class 1. The two at 2 are contested, and the
threshold 2 separates the classes. Once the first lies beyond the second, however little, none does:

>>> x, V = numpy.array([[1.0], [2.0], [2.0], [3.0]]), numpy.array([[0.0, 1.0], [0.0, -2.0]])
>>> separated_near(x, numpy.zeros(1), numpy.array([0, 0, 1, 1]), V)
True
>>> x[1] += 1e-15
>>> separated_near(x, numpy.zeros(1), numpy.array([0, 0, 1, 1]), V)
False

See tests/labels/test_separation.py (that it holds).
"""

import numpy

from gdl_numpy.numerics.backend import to_numpy


def separated_near(X, origin, y, V, nearly=0.5):
    """Whether planes near V (d + 1, K) separate the labels y (n,) of the rows of X (n, d): a bool.

    Logits are (x - origin, 1) · V with an origin (d,), and margins from -nearly to nearly are
    contested. True is certain; False says nothing of planes far from V.
    """
    X, origin, y, V = map(to_numpy, (X, origin, y, V))
    margin, _ = _margins(X - origin, y, V)
    if not (margin > -nearly).all() or not (margin[margin < numpy.inf] >= nearly).any():
        return False
    contested = numpy.argwhere(margin < nearly)
    if _independent(X - origin, y, contested, V.shape[1]):
        return False                                        # only V = 0 makes all of them 0
    planes = _with_margins_0(X, origin, y, contested, V[:, 1:] - V[:, :1])
    if not planes.any():
        return False
    rounded = (planes / abs(planes).max()).astype(float)
    margin, error = _margins(X - origin, y, numpy.insert(rounded, 0, 0, axis=1))
    margin[tuple(contested.T)] = numpy.inf                  # is 0 exactly
    doubtful = numpy.argwhere(margin <= error)
    return bool((_exact_margins(X, origin, y, doubtful, planes) > 0).all())


def _margins(X, y, V):
    """The margins (n, K), infinite for the own class, and a bound of their errors by rounding."""
    rows, rounding = numpy.arange(len(X)), 4 * (len(V) + 2) * numpy.finfo(float).eps
    a, size = X @ V[:-1] + V[-1], abs(X) @ abs(V[:-1]) + abs(V[-1])
    margin = a[rows, y][:, None] - a
    margin[rows, y] = numpy.inf
    return margin, rounding * (size[rows, y][:, None] + size)


def _independent(X, y, pairs, K):
    """Whether the margins of some of these pairs are 0 for V = 0 only, beyond any doubt."""
    V = numpy.eye(K)[:, 1:]
    some = pairs[::max(1, len(pairs) // (4 * K * (X.shape[1] + 1)))]
    x1 = numpy.insert(X, X.shape[1], 1, axis=1)[some[:, 0]]
    C = x1[:, :, None] * (V[y[some[:, 0]]] - V[some[:, 1]])[:, None]
    C = C.reshape(len(some), (X.shape[1] + 1) * (K - 1))
    if len(C) < C.shape[1]:
        return False
    C = C / abs(C).max(axis=1, keepdims=True)
    singular = numpy.linalg.svd(C / (abs(C).max(axis=0) + (C == 0).all(axis=0)), compute_uv=False)
    return bool(singular[-1] > 1e-6 * singular[0])


def _with_margins_0(X, origin, y, contested, V):
    """Planes (d + 1, K - 1) near V in whole numbers, in which all contested margins are 0.

    Class 0 has the plane 0, as V is a difference of planes. Each time the equation is taken whose
    margin is farthest from 0, until none is left; planes are V times a common factor.
    """
    v = _whole(V)[0].ravel()
    E, pivots, delta = numpy.zeros((0, len(v)), dtype=object), [], 1
    while True:
        free = v.copy()
        free[pivots] = 0
        planes = delta * free
        planes[pivots] = -E.dot(free)                                                       # (1)
        planes = (planes if delta > 0 else -planes).reshape(V.shape)
        left = _exact_margins(X, origin, y, contested, planes)
        if not left.any():
            return planes
        i, k = contested[abs(left).argmax()]
        c = numpy.zeros((V.shape[0], V.shape[1] + 1), dtype=object)
        c[:, y[i]] = _whole_rows(X[[i]], origin)[0]
        c[:, k] = -c[:, y[i]]
        c = c[:, 1:].ravel()
        c = delta * c - c[pivots].dot(E)                                                    # (2)
        q = abs(c).argmax()
        E = numpy.vstack([(c[q] * E - numpy.outer(E[:, q], c)) // delta, c])                # (3)
        pivots.append(q)
        delta = c[q]


def _exact_margins(X, origin, y, pairs, planes):
    """The margins of pairs (row, class), (m,), up to a positive factor, as whole numbers."""
    rows, which = numpy.unique(pairs[:, 0], return_inverse=True)
    a = numpy.insert(_whole_rows(X[rows], origin).dot(planes), 0, 0, axis=1)
    return a[which, y[pairs[:, 0]]] - a[which, pairs[:, 1]]


def _whole_rows(X, origin):
    """The rows (x - origin, 1), (n, d + 1), times one power of two, as whole numbers."""
    whole, one = _whole(numpy.vstack([X, origin]))
    return numpy.insert(whole[:-1] - whole[-1], X.shape[1], one, axis=1)


def _whole(x):
    """x times the least power of two that makes whole numbers of it, and that power, for Python."""
    mantissa, exponent = numpy.frexp(x.astype(float))
    least = min([0, *(exponent[x != 0] - 53).tolist()])
    whole = (mantissa * 2.0**53).astype(numpy.int64).astype(object)
    shift = numpy.where(x != 0, exponent - 53 - least, 0).astype(object)
    return whole << shift, 2**-least
