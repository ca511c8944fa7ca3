"""Separation: whether planes keep the classes apart, decided without rounding.

If they do, longer weights always raise the likelihood of a softmax regression, and there is no θ̂;
if they do not, there is one (Albert and Anderson 1984). So `mle` has to know. But two points of
different classes may nearly touch, and rounding must not decide whether they overlap.

So let Newton's method show where to look, and then compute exactly. If planes keep the classes
apart, its steps do not end. A row whose margin m (its label's logit minus that of another class) is
large costs about exp(-m). So where margins are large, a step that adds Δm_j to each margin m_j
changes the loss, to second order, by

    Σ_j exp(-m_j) (-Δm_j + ½ Δm_j²)  =  ½ Σ_j exp(-m_j) (Δm_j - 1)² + const

Newton's step makes this least, so it fits all Δm_j to 1 by least squares: margins that can grow
without end grow by about 1 or more. The others, which rows of different classes keep from growing,
soon change by about 0. So the step itself, read as planes V, nearly separates the classes if any
planes do, and only its margins near 0 are in doubt: do planes near V make exactly 0 of them? Each
float is a whole number times a power of two, and whole numbers are added and multiplied without
rounding, so this can be decided.

With planes V (d + 1, K), a column for each class, x1 = (x, 1) and y_i the label of row i,

    margin_ik = x1_i · (V_{y_i} - V_k)             by how much the label's logit exceeds that of k
    separated      all margins with k other than y_i are >= 0, and some are > 0
    contested      the pairs (i, k) whose margin is nearly 0

A contested margin that is to be 0 is a linear equation c · v = 0, where v are the numbers of V one
after the other and the coefficients c are whole. Such equations are solved as at school: solve one
for one of the v, its pivot, and put the result into all others. The rows of E are the equations so
far, multiplied so that each has the same coefficient δ at its own pivot, and 0 at the pivots of the
others. The numbers v_free that are not pivots stay as the step has them, so that the solution is
near it. A new equation c, with the coefficients c_pivots at the pivots so far, brings the pivot q:

    v_pivots = -E v_free/δ                     solves the equations so far, whatever v_free is   (1)
    c ← δ c - c_pivots E                       now c is 0 at all pivots; q is where |c| is most  (2)
    E ← (c_q E - E_q c)/δ,   δ ← c_q           now E, with column E_q, is 0 at q; c joins it     (3)

In (3) each row of c_q E - E_q c has c_q δ at its own pivot, so the division leaves c_q, the new δ.
It has no remainder (Bareiss 1968; `_with_margins_0` shows why). If v makes all contested margins 0
and leaves all others positive, the classes are separated.

By hand: 1 and 2 are of class 0, and 2 and 3 of class 1. The threshold 2 separates them: the rows at
2 have the margin 0, the others a positive one. But once the 2 of class 0 lies beyond the other 2,
however little, no threshold does. V has the planes 0 for class 0, and x - 2 for class 1:

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

ROWS = 2**13                                                # of one block


def separated_near(X, origin, y, V, nearly=0.5):
    """Whether planes near V (d + 1, K) separate the labels y (n,) of the rows of X (n, d): a bool.

    Logits are (x - origin, 1) · V with an origin (d,). Margins up to `nearly` from 0 are contested;
    ½ lies halfway between the 0 and the 1 that a Newton step adds. True is certain; False says
    nothing of planes far from V.
    """
    X, origin, y, V = map(to_numpy, (X, origin, y, V))
    contested, certain = [], False
    for i in range(0, len(X), ROWS):
        margin, _ = _margins(X[i:i + ROWS] - origin, y[i:i + ROWS], V)
        if not (margin > -nearly).all():
            return False
        certain = certain or (margin[margin < numpy.inf] >= nearly).any()
        contested.append(numpy.argwhere(margin < nearly) + [i, 0])
    contested = numpy.concatenate(contested)
    if not certain or _independent(X, origin, y, contested, V.shape[1]):
        return False                                        # only V = 0 makes all of them 0
    planes = _with_margins_0(X, origin, y, contested, V[:, 1:] - V[:, :1])
    if not planes.any():
        return False
    rounded = numpy.insert((planes / abs(planes).max()).astype(float), 0, 0, axis=1)
    for i in range(0, len(X), ROWS):
        margin, error = _margins(X[i:i + ROWS] - origin, y[i:i + ROWS], rounded)
        here = contested[numpy.searchsorted(contested[:, 0], i):
                         numpy.searchsorted(contested[:, 0], i + ROWS)]
        margin[here[:, 0] - i, here[:, 1]] = numpy.inf      # is 0 exactly
        doubtful = numpy.argwhere(margin <= error) + [i, 0]
        if not (_exact_margins(X, origin, y, doubtful, planes) > 0).all():
            return False
    return True


def _margins(X, y, V):
    """The margins (n, K), infinite for the own label, and a bound of their rounding errors."""
    rows, rounding = numpy.arange(len(X)), 4 * (len(V) + 2) * numpy.finfo(float).eps
    a, size = X @ V[:-1] + V[-1], abs(X) @ abs(V[:-1]) + abs(V[-1])
    margin = a[rows, y][:, None] - a
    margin[rows, y] = numpy.inf
    return margin, rounding * (size[rows, y][:, None] + size)


def _independent(X, origin, y, pairs, K):
    """Whether the margins of some of these pairs are 0 for V = 0 only, beyond any doubt."""
    of_class = numpy.eye(K)[:, 1:]                          # 0 for class 0
    some = pairs[::max(1, len(pairs) // (4 * K * (X.shape[1] + 1)))]
    x1 = numpy.insert(X[some[:, 0]] - origin, X.shape[1], 1, axis=1)
    C = x1[:, :, None] * (of_class[y[some[:, 0]]] - of_class[some[:, 1]])[:, None]
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

    Why (3) has no remainder: let the rows of A be the equations so far as they came, A_p its
    columns at the pivots. The rows of E combine those of A and are δ I at the pivots, so that
    E = δ A_p⁻¹ A. By Cramer's rule det(A_p) A_p⁻¹ is whole, and so E is, if δ is det A_p. It is: at
    first both are 1, and c_q in (2) is δ (c_q - c_pivots A_p⁻¹ A_q), with the column A_q of A: the
    determinant of A_p bordered by A_q, c_pivots and c_q, which is the next A_p.
    """
    v = _whole(V)[0].ravel()
    E, pivots, delta = numpy.zeros((0, len(v)), dtype=object), [], 1
    while True:
        free = v.copy()
        free[pivots] = 0
        planes = delta * free
        planes[pivots] = -E.dot(free)                                                       # (1)
        planes = (planes if delta > 0 else -planes).reshape(V.shape)    # as V, times |δ|, not δ
        i, k = _farthest_from_0(X, origin, y, contested, planes)
        if i < 0:
            return planes
        c = numpy.zeros((V.shape[0], V.shape[1] + 1), dtype=object)
        c[:, y[i]] = _whole_rows(X[[i]], origin)[0]
        c[:, k] = -c[:, y[i]]
        c = c[:, 1:].ravel()                                # class 0 has no coefficients
        c = delta * c - c[pivots].dot(E)                                                    # (2)
        q = abs(c).argmax()
        E = numpy.vstack([(c[q] * E - numpy.outer(E[:, q], c)) // delta, c])                # (3)
        pivots.append(q)
        delta = c[q]


def _farthest_from_0(X, origin, y, pairs, planes):
    """The pair (row, class) whose margin is farthest from 0, in the first block where any is not 0,
    and (-1, -1) if all of them are."""
    for i in range(0, len(pairs), ROWS):
        margin = _exact_margins(X, origin, y, pairs[i:i + ROWS], planes)
        if margin.any():
            return pairs[i + abs(margin).argmax()]
    return -1, -1


def _exact_margins(X, origin, y, pairs, planes):
    """The margins of pairs (row, class), (m,), up to a positive factor, as whole numbers."""
    rows, which = numpy.unique(pairs[:, 0], return_inverse=True)
    a = numpy.insert(_whole_rows(X[rows], origin).dot(planes), 0, 0, axis=1)    # 0 for class 0
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
