"""Softmax regression by Newton's method: θ̂ for any number of classes, rows and columns.

The method at the end of logistic.py fills a page and is enough for two classes and harmless data.
Real data are not harmless: one column may be in millimeters and the next in kilometers, one row may
lie so far out that rounding hides all others, and the classes may not overlap at all, so that there
is no θ̂. This module finds θ̂ or says why there is none. The chapter needs none of it.

The idea: the Hessian H of K classes has (K (d + 1))² entries, so it is never written down.
newton.py needs only its products H v, the rate at which the gradient g changes as θ moves along v,
and such a product costs no more than g. Let x1 = (x, 1) be a row of the data with a 1 at its end, θ
a matrix with a column of d weights and an intercept for each class, and Λ the diagonal matrix of
λ, ..., λ, 0. Then a_i = x1_i θ are the logits of row i, and

    p_i = softmax(a_i)     r_i = p_i - onehot(y_i)        ∂loss/∂a_i = r_i/n: discriminative.py  (1)
    g   = 1/n Σ_i x1_iᵀ r_i + Λ θ                         the gradient                           (2)
    ȧ_i = x1_i v                                          the rate of a_i as θ moves along v     (3)
    ṗ_ik = p_ik (ȧ_ik - Σ_j p_ij ȧ_ij)                    the rate of p_ik, and so of r_ik       (4)
    H v = 1/n Σ_i x1_iᵀ ṗ_i + Λ v                         the rate of g, by (2)                  (5)

To solve H s = g in a few products, newton.py wants a matrix M like H that is easy to invert. Leave
out of H all entries for two different classes: what is left is a block M_k for each class. If θ
moves in column k only, the other ȧ_ij are 0, and (4) says ṗ_ik = w_ik ȧ_ik, where

    w_ik = p_ik (1 - p_ik)            ½ (1 - ½) = ¼ at first, before any p is known              (6)
    M_k  = 1/n Σ_i w_ik x1_iᵀ x1_i + Λ                                                           (7)

Digits are lost where nearly equal numbers are subtracted. So p_y - 1 in (1) is computed as minus
the sum of the other p, and each column is shifted and measured in a unit of its own. If a row is
far out even then, and there is no penalty, a change of basis keeps it from hiding the others
(`_far_rows_apart`). Both are undone at the end:

    x1   = ((x - origin)/unit, 1)       a median near 0, a typical size of 1                     (8)
    X1   = L U                          by elimination; X1 θ = L (U θ), so L replaces X1         (9)
    b    = b' - origin · W, W = W'/unit        W', b' belong to (8), and W, b to x itself       (10)
    θ    ← θ - its mean over classes    a vector added to all columns of θ changes no p         (11)

By hand: the eight rows of logistic.py, whose θ̂ is (log 9, -log 3). With a column for each class,
(11) gives half of it to class 1 and minus half of it to class 0:

>>> import numpy
>>> X, y = numpy.array([[0.0]] * 4 + [[1.0]] * 4), numpy.array([0, 0, 0, 1] + [0, 1, 1, 1])
>>> print(planes_of_least_loss(X, y, 1, 0.0, 1e-16, 100).round(3))        # weight, intercept
[ 2.197 -1.099]
>>> print(planes_of_least_loss(X, y, 2, 0.0, 1e-16, 100).round(3))        # of each class
[-1.099  1.099  0.549 -0.549]

See tests/labels/test_softmax_newton.py (that it holds).
"""

import math

from gdl_numpy.labels.separation import separated_near
from gdl_numpy.numerics import newton
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import log_softmax

BLOCK = 2**10                                               # rows, which stay in the cache


# The loss, its gradient and its Hessian

def _all_classes(a):
    """The logits of all classes, from those of the classes that have parameters: in logistic
    regression θ has one column only, and class 0 has the logit 0."""
    xp = array_module(a)
    return a if a.shape[1] > 1 else xp.concatenate([xp.zeros_like(a), a], axis=1)


def _logits(v, X1):
    return _all_classes(X1 @ v.reshape(X1.shape[1], -1))


def _pulled_back(da, X1, columns):
    return (X1.T @ da[:, -columns:]).ravel()


def _residual(theta, X1, y):
    """log p (n, K), the one-hot labels, p, and r = p - onehot, none of whose digits are lost."""
    log_p = log_softmax(_logits(theta, X1))
    xp = array_module(log_p)
    onehot, p = y[:, None] == xp.arange(log_p.shape[1]), xp.exp(log_p)
    others = xp.where(onehot, 0, p)                         # p_y - 1 is minus the sum of these
    return log_p, onehot, p, others - onehot * others.sum(axis=1, keepdims=True)            # (1)


def _evaluate(theta, X1, y, penalty):
    """The penalized loss, a float, its gradient (n_θ,), and v -> H v.

    `penalty` (n_θ,) is the diagonal of Λ for all columns of θ, and theta (n_θ,) is θ row by row.
    """
    n, columns, gradient = len(X1), len(theta) // X1.shape[1], penalty * theta
    loss = 0.5 * float((gradient * theta).sum())
    p = array_module(X1).empty((n, max(2, columns)))
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        log_p, onehot, p[rows], residual = _residual(theta, X1[rows], y[rows])
        loss -= float((log_p * onehot).sum()) / n
        gradient += _pulled_back(residual / n, X1[rows], columns)                           # (2)
    return loss, gradient, lambda v: _hessian_times(v, p, X1, y, penalty)


def _left(gradient, theta, X1, y, penalty):
    """How little of the gradient at theta has canceled: |sum of terms| over the sum of their sizes
    |term|, the largest over the parameters. Where it is tiny, only rounding may be left.
    """
    size, columns, xp = abs(penalty * theta), len(theta) // X1.shape[1], array_module(X1)
    for start in range(0, len(X1), BLOCK):
        x = X1[start:start + BLOCK]
        r = _residual(theta, x, y[start:start + BLOCK])[3] / len(X1)
        size = size + _pulled_back(abs(r), abs(x), columns)
    return float((abs(gradient) / xp.where(size > 0, size, 1)).max())


def _hessian_times(v, p, X1, y, penalty):
    """H v, where the model gives the rows of X1 the probabilities p (n, K).

    As log p_k = a_k - log Σ_j exp(a_j), its rate is ȧ_k - Σ_j p_j ȧ_j, and that of p_k is p_k times
    as large: this is (4).
    """
    product, columns, xp = penalty * v, len(v) // X1.shape[1], array_module(X1)
    for start in range(0, len(X1), BLOCK):
        rows = slice(start, start + BLOCK)
        x, q = X1[rows], p[rows]
        da = _logits(v, x)                                                                  # (3)
        da -= xp.take_along_axis(da, y[rows, None], axis=1)     # the same for all k: (4) stays
        da -= xp.einsum("ik,ik->i", q, da)[:, None]
        da *= q / len(X1)                                                                   # (4)
        product += _pulled_back(da, x, columns)                                             # (5)
    return product


# A matrix like the Hessian whose inverse is known

def _curvature(onehot, p, residual):
    """p_k (1 - p_k) for each class, where 1 - p_y is -r_y: so no digit is lost."""
    return p * array_module(p).where(onehot, -residual, 1 - p)                              # (6)


def _curvatures(theta, X1, y):
    """w for each row of X1 and each class with parameters, (n, columns)."""
    columns = len(theta) // X1.shape[1]

    def of_rows(i, j):
        return _curvature(*_residual(theta, X1[i:j], y[i:j])[1:])[:, -columns:]

    return in_blocks(of_rows, len(X1))


def _inverse_of_blocks(X1, weights, penalty):
    """r -> M⁻¹ r for the blocks M_k of the Hessian, with `weights` w (n, columns), or (1, 1)."""
    xp, n, inverses = array_module(X1), len(X1), []
    penalty = xp.diag(penalty.reshape(X1.shape[1], -1)[:, 0])
    for w in weights.T:
        M = (X1.T * w) @ X1 / n + penalty                                                   # (7)
        size = M.diagonal()
        scale = 1 / xp.sqrt(xp.where(size > 0, size, 1))
        eigenvalues, V = xp.linalg.eigh(M * scale[:, None] * scale)
        eigenvalues = xp.maximum(eigenvalues, 10 * len(M) * xp.finfo(float).eps)
        inverses.append((scale[:, None] * V / eigenvalues) @ (V.T * scale))
    inverses = xp.stack(inverses)

    def within(r):                                          # what all classes share changes no p
        return r - r.mean(axis=0) if len(r) > 1 else r

    def precondition(r):
        r = within(r.reshape(X1.shape[1], -1).T)            # (columns, d + 1)
        return within((inverses @ r[:, :, None])[:, :, 0]).T.ravel()

    return precondition


# Data that would lose digits, or have no θ̂

def _in_units(X):
    """The unit and the origin (d,) of each column of X (n, d), in float64.

    The origin is the median of about a thousand rows, because most differences from it lose no
    digit. The unit is about the median distance from it, or the largest where that is 0, rounded to
    a power of two, because to divide by one changes no digit.
    """
    xp = array_module(X)
    some = X[::max(1, len(X) // 2**10)].astype(float)
    origin = xp.median(some, axis=0)
    typical = xp.median(abs(some - origin), axis=0)
    typical = xp.where(typical > 0, typical, abs(X - origin).max(axis=0))
    return 2.0**xp.log2(xp.where(typical > 0, typical, 1)).round().clip(-300, 300), origin


def _far_rows_apart(X1):
    """L (n, d + 1) and U (d + 1, d + 1) with X1 = L U, by Gauss's elimination with pivots.

    Since X1 θ = L (U θ), the rows of L are the same data in another basis. A row that is far out in
    many columns of X1 is far out in one column of L, and 0 in those after it, where it can hide
    nothing of what the other rows say.
    """
    L, U = X1.copy(), array_module(X1).eye(X1.shape[1])
    for j in range(len(U)):
        i = int(abs(L[:, j]).argmax())
        U[j, j + 1:] = L[i, j + 1:] / L[i, j]
        L[:, j + 1:] -= L[:, j:j + 1] * U[j, j + 1:]
        L[i, j + 1:] = 0                                    # exactly, whatever rounding left
    return L, U


def _refuse_far(X1):
    """ValueError if squares of X1, a column in its typical size, leave the range of float64."""
    largest = abs(X1).max(axis=0)
    if not float(largest.max()) < 1e150:
        raise ValueError(f"X has a row {float(largest.max()):.3g} times as far out in column "
                         f"{int(largest.argmax())} as most others, so squares overflow: rescale or "
                         "drop it")


def _refuse_dependent(X1):
    """ValueError if the columns of X1 depend on each other; a row counts as much as any other."""
    xp = array_module(X1)
    X1 = X1 / abs(X1).max(axis=1, keepdims=True)
    G = X1.T @ X1
    size = G.diagonal()
    scale = 1 / xp.sqrt(xp.where(size > 0, size, 1))        # 1 for a constant column
    if not xp.linalg.eigvalsh(G * scale[:, None] * scale)[0] > 10 * len(G) * xp.finfo(float).eps:
        raise ValueError("columns of X depend linearly on each other or on a constant, so θ̂ is not "
                         "unique: pass a positive l2")


def _moves_far(moved, X1, y):
    """Whether planes `moved` (d + 1, K) add 0.5 or more to a label's logit beside another one's."""
    xp = array_module(X1)

    def farthest(i, j):
        a = X1[i:j] @ moved
        return abs(xp.take_along_axis(a, y[i:j, None], axis=1) - a).max(axis=1)

    return float(in_blocks(farthest, len(X1)).max()) >= 0.5


def _still_promised(theta, X1, y, penalty):
    """The largest g_j²/H_jj, twice what a step along one parameter alone is to gain."""
    xp, columns = array_module(X1), len(theta) // X1.shape[1]
    g, H = penalty * theta, penalty.copy()
    for start in range(0, len(X1), BLOCK):
        x = X1[start:start + BLOCK]
        _, onehot, p, residual = _residual(theta, x, y[start:start + BLOCK])
        g += _pulled_back(residual / len(X1), x, columns)
        H += _pulled_back(_curvature(onehot, p, residual) / len(X1), x**2, columns)
    return float((g * (g / xp.where(H > 0, H, 1))).max())


# θ̂

def _planes(X, y, columns, l2, unit, origin, tol, max_steps):
    """θ̂ for the rows x1 = ((x - origin)/unit, 1), W above b', (d + 1, columns)."""
    xp, d = array_module(X), X.shape[1]
    X1 = xp.ones((len(X), d + 1))
    X1[:, :-1] = (X.astype(float) - origin) / unit                                          # (8)
    _refuse_far(X1)
    U = xp.eye(d + 1)
    if l2 == 0:                                             # then θ may be measured in any basis
        _refuse_dependent(X1)
        if abs(X1).max() > 1e4:
            X1, U = _far_rows_apart(X1)                                                     # (9)
    penalty = xp.zeros((d + 1, columns))
    penalty[:-1] = (l2 / unit / unit)[:, None]              # |W|² = |W'/unit|²
    penalty = penalty.ravel()
    theta, at_first = 0 * penalty, xp.full((1, 1), 0.25)
    precondition = _inverse_of_blocks(X1, at_first, penalty)
    far_rows, least, waited = float(abs(X1).max()) > 1e4, math.inf, 0

    def renew(theta):
        return _inverse_of_blocks(X1, _curvatures(theta, X1, y), penalty)

    def evaluate(theta):
        nonlocal here
        loss, gradient, product = _evaluate(theta, X1, y, penalty)
        here = theta, loss, gradient
        return loss, gradient, product

    def look(step):                                         # whether the gradient is nearly 0
        nonlocal least, waited
        moved = -_all_classes(step.reshape(d + 1, -1))
        if l2 == 0 and _moves_far(moved, X1, y) and separated_near(
                X / unit, origin / unit, y, xp.linalg.solve(U, moved)):
            raise ValueError("the classes are separated by a plane, so the likelihood has no "
                             "maximum: longer weights always raise it; pass a positive l2")
        at, loss, gradient = here
        if float((step * gradient).sum()) > max(tol, 1e-9) * max(1.0, loss):
            return False                                    # nothing ends yet: save the sums
        left = _left(gradient, at, X1, y, penalty)
        least, waited = (left, 0) if left < 0.5 * least else (least, waited + 1)
        return left <= 1e-6 or (least < 0.1 and waited > 20)        # it is rounding that is left

    if len(X1) > 100 * len(theta):                          # far away a tenth of the rows will do
        few, labels = X1[::10].copy(), y[::10]
        theta, _, _ = newton.minimize(lambda theta: _evaluate(theta, few, labels, penalty), theta,
                                      precondition, 1e-4, 10, enough=1e-6)
    here = None                                             # θ, the loss and its gradient there
    theta, loss, converged = newton.minimize(
        evaluate, theta, precondition, 0.5 * tol, max_steps, enough=0 if far_rows else 0.01 * tol,
        look=look, renew=renew, worth=0 if far_rows else d)
    if not converged:
        raise ValueError(f"Newton's method has not converged in {max_steps} steps, at a loss "
                         f"of {loss} nats per row: pass a positive l2")
    promised = _still_promised(theta, X1, y, penalty)
    if not promised <= max(1e-8, tol):
        raise ValueError("Newton's method has ended where one weight alone still promises "
                         f"{promised:.3g} nats per row, as rounding hides the minimum beside rows "
                         f"{float(abs(X1).max()):.3g} times as far out as most: rescale or drop "
                         "them")
    return xp.linalg.solve(U, theta.reshape(d + 1, -1))


def planes_of_least_loss(X, y, columns, l2, tol, max_steps):
    """θ̂ = (W, b) of softmax regression, row by row, (n_θ,), in the dtype of X.

    `columns` is the number of classes with parameters: K, or 1 for two classes. What it stops at
    and what it refuses is said by `SoftmaxFamily.mle`, which has looked at its arguments.
    """
    unit, origin = _in_units(X)
    planes = _planes(X, y, columns, l2, unit, origin, tol, max_steps)
    planes[:-1] = (planes[:-1] / unit[:, None]).astype(X.dtype)         # b makes up for rounding
    planes[-1] -= origin @ planes[:-1]                                                      # (10)
    if columns > 1:
        planes -= planes.mean(axis=1, keepdims=True)                                        # (11)
    return planes.ravel().astype(X.dtype)
