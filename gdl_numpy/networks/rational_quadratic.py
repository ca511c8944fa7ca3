"""Rational-quadratic spline: a smooth increasing curve through given points, and its inverse.

A normalizing flow (models/normalizing_flow.py) bends one density into another by increasing maps of
one coordinate at a time, and needs three things of each: y, the way back to x, and the slope dy/dx.
If y is uniform on [-1, 1], then x has the density ½ dy/dx: high where the map is steep, as over
land, and low where it is flat, as over the sea. A straight line has all three, but only one slope.
This curve has them too, and can be steep in many places.

Cut [-1, 1] into K bins by knots, points (x_j, y_j) for j = 0, ..., K, both increasing from -1 to 1,
and choose a positive slope δ_j at each. Between two knots take a quotient of two quadratics that
passes through both with the slopes wanted there (Gregory and Delbourgo 1982; Durkan et al. 2019). A
cubic that does the same may fall on its way; this quotient never does.

In the bin of x, between the knots j and j + 1, let w = x_{j+1} - x_j and h = y_{j+1} - y_j be its
width and height, and s = h/w its mean slope. Then ξ goes from 0 to 1 along the bin, and

    ξ = (x - x_j)/w,    ζ = ξ (1 - ξ),    η = δ_j + δ_{j+1} - 2s                                 (1)
    N = s ξ² + δ_j ζ                                numerator: from 0 to s                       (2)
    D = s + η ζ                                     denominator: s at both ends                  (3)
    M = δ_{j+1} ξ² + 2s ζ + δ_j (1 - ξ)²            mean of the three slopes                     (4)
    y = y_j + h N/D                                                                              (5)
    dy/dx = (h/w) (N' D - N D')/D² = s² M/D²        where ' is the derivative in ξ               (6)

The last step is N' D - N D' = s M: multiply out N' = 2s ξ + δ_j (1 - 2ξ) and D' = η (1 - 2ξ), and
use 2ξ ζ - ξ² (1 - 2ξ) = ξ². The weights (1 - ξ)², 2ζ and ξ² of M have the sum 1; D is a mean too,
of s and (δ_j + δ_{j+1})/2, with the weights 1 - 2ζ and 2ζ. So M and D are positive, and y
increases. At a knot D = s and M is its δ: the slope is δ, seen from the left as from the right.

For the way back, let u = y - y_j. Then u D = h N is a quadratic equation for ξ, α ξ² + β ξ + γ = 0,
whose root between 0 and 1 is written here so that α may be 0:

    β = h δ_j - u η,    γ = -s u,    α = h s - β                                                 (7)
    ξ = -2γ/(β + √(β² - 4αγ)),    x = x_j + w ξ                                                  (8)

A network chooses the curve, and its outputs may be any real numbers. So a row `raw` of 3K + 1 of
them is made into widths and heights by a softmax, whose shares q_i are positive and have the sum 1,
and into slopes by a softplus. No bin has a share, no knot a slope, of less than m = SMALLEST:

    q = softmax(raw[:K]), and likewise softmax(raw[K:2K]) for the heights                        (9)
    x_j = -1 + 2 Σ_{i<j} (m + (1 - K m) q_i), and likewise y_j                                  (10)
    δ_j = m + softplus(raw[2K + j] + c)            c makes raw = 0 the identity: δ_j = 1        (11)

Outside [-1, 1] the map is the identity, with a kink at -1 and 1 where the slope there is not 1.

Two bins by hand, of equal width and height, with the slopes 1, 2, 1. At x = -1/2, the middle of the
first bin, ξ = 1/2, ζ = 1/4, s = η = 1, N = 1/2, D = M = 5/4. So y = -1 + 2/5 with slope 4/5:

>>> import numpy
>>> raw = [0, 0,  0, 0,  0, 1.3133, 0]                  # softplus(1.3133 + c) = 2, nearly
>>> (y, log_slope), backward = spline([-0.5, 0], [raw, raw])
>>> print(y.round(3), numpy.exp(log_slope).round(3))
[-0.6  0. ] [0.8 2. ]

See figure_1_10_taxonomy (what a flow of such curves makes of the map) and
tests/networks/test_rational_quadratic.py (that slope, inverse and gradient are right).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.elementary import sigmoid, softplus

SMALLEST = 1e-4                                             # m: the least share, the least slope
MOST_BINS = round(1 / SMALLEST) - 1
ZERO_IS_ONE = math.log(math.expm1(1 - SMALLEST))            # c: m + softplus(c) = 1


def n_numbers(n_bins):
    """3K + 1, the length of a row of raw. ValueError unless K m < 1."""
    return 3 * checks.whole_number(n_bins, "n_bins", least=1, most=MOST_BINS) + 1


def spline(x, raw):
    """y and log dy/dx (n,) of each x (n,), by the spline of its row of raw (n, 3K + 1); and
    backward: dy, dlog_slope -> dx, draw."""
    x, raw = _checked(x, "x", raw)
    xp, K = array_module(x), raw.shape[1] // 3
    inside = abs(x) <= 1
    knots_x, backward_x = _knots(raw[:, :K])
    knots_y, backward_y = _knots(raw[:, K:2 * K])
    rows, j = xp.arange(len(x)), _bin(xp.where(inside, x, 0), knots_x)
    x0, w, y0, h, s, d0, d1 = _in_bin(knots_x, knots_y, raw, rows, j)

    xi = (xp.where(inside, x, x0) - x0) / w                         # (1)
    zeta, eta = xi * (1 - xi), d0 + d1 - 2 * s                      # (1)
    N = s * xi**2 + d0 * zeta                                       # (2)
    D = s + eta * zeta                                              # (3)
    M = d1 * xi**2 + 2 * s * zeta + d0 * (1 - xi)**2                # (4)
    y = xp.where(inside, (y0 + h * N / D).clip(-1, 1), x)           # rounding could step over 1 (5)
    log_slope = xp.where(inside, xp.log(M * (s / D)**2), 0)         # (6)

    def backward(dy, dlog_slope):
        """The chain rule through (6) to (1). y sees N, D and h, and log dy/dx = log M + 2 log s
        - 2 log D; N, D and M see ξ, s and the two slopes; s = h/w and ξ see the knots:

            ∂N = h/D ∂y        ∂D = -(h N/D² ∂y + 2/D ∂log_slope)        ∂M = 1/M ∂log_slope
            ∂ξ = ∂N dN/dξ + ∂D dD/dξ + ∂M dM/dξ, with dζ/dξ = 1 - 2ξ
            ∂s = ξ² ∂N + (1 - 2ζ) ∂D + 2ζ ∂M + 2/s ∂log_slope            as η holds -2s
            ∂δ_j = ζ ∂N + ζ ∂D + (1 - ξ)² ∂M        ∂δ_{j+1} = ζ ∂D + ξ² ∂M
            ∂h = N/D ∂y + 1/w ∂s        ∂w = -(s ∂s + ξ ∂ξ)/w        ∂x = 1/w ∂ξ

        x_j is subtracted in w = x_{j+1} - x_j and in ξ = (x - x_j)/w, where x stands; y_j is
        subtracted in h = y_{j+1} - y_j and added in y:

            ∂x_j = -∂x - ∂w        ∂x_{j+1} = ∂w        ∂y_j = ∂y - ∂h        ∂y_{j+1} = ∂h
        """
        dy_inside, dlog = xp.where(inside, dy, 0), xp.where(inside, dlog_slope, 0)
        dN = h / D * dy_inside
        dD = -(N / D * dN + 2 / D * dlog)
        dM = dlog / M
        tilt = 1 - 2 * xi
        dxi = ((2 * s * xi + d0 * tilt) * dN + eta * tilt * dD
               + 2 * (d1 * xi + s * tilt - d0 * (1 - xi)) * dM)
        ds = xi**2 * dN + (1 - 2 * zeta) * dD + 2 * zeta * dM + 2 / s * dlog
        dd0 = zeta * (dN + dD) + (1 - xi)**2 * dM
        dd1 = zeta * dD + xi**2 * dM
        dh = N / D * dy_inside + ds / w
        dw = -(s * ds + xi * dxi) / w
        dx = dxi / w

        draw = xp.zeros_like(raw)
        draw[:, :K] = backward_x(rows, j, -dx - dw, dw)
        draw[:, K:2 * K] = backward_y(rows, j, dy_inside - dh, dh)
        draw[rows, 2 * K + j] = dd0 * _slope_derivative(raw[rows, 2 * K + j])
        draw[rows, 2 * K + j + 1] = dd1 * _slope_derivative(raw[rows, 2 * K + j + 1])
        return xp.where(inside, dx, dy), draw

    return (y, log_slope), backward


def inverse_spline(y, raw):
    """The x (n,) that `spline` maps to y (n,), by the spline of its row of raw (n, 3K + 1)."""
    y, raw = _checked(y, "y", raw)
    xp, K = array_module(y), raw.shape[1] // 3
    inside = abs(y) <= 1
    knots_x, knots_y = _knots(raw[:, :K])[0], _knots(raw[:, K:2 * K])[0]
    rows, j = xp.arange(len(y)), _bin(xp.where(inside, y, 0), knots_y)
    x0, w, y0, h, s, d0, d1 = _in_bin(knots_x, knots_y, raw, rows, j)
    u, eta = xp.where(inside, y, y0) - y0, d0 + d1 - 2 * s
    beta, gamma = h * d0 - u * eta, -s * u                          # (7)
    alpha = h * s - beta                                            # (7)
    xi = -2 * gamma / (beta + xp.sqrt(xp.maximum(beta**2 - 4 * alpha * gamma, 0)))          # (8)
    return xp.where(inside, (x0 + xi * w).clip(-1, 1), y)


def _checked(x, name, raw):
    """x (n,) and raw (n, 3K + 1) as arrays. Their values are not looked at: that would wait."""
    x = checks.real_array(x, name, finite=False)
    raw = checks.real_array(raw, "raw", like=x, finite=False)
    if x.ndim != 1 or raw.ndim != 2 or len(raw) != len(x) or raw.shape[1] % 3 != 1:
        raise ValueError(f"{name} must have shape (n,) and raw (n, 3K + 1), got shapes {x.shape} "
                         f"and {raw.shape}")
    return x, raw


def _knots(logits):
    """The knots (n, K + 1) on one axis from logits (n, K), and backward.

    In each row the loss sees two knots only, j and j + 1: backward takes rows, j and the gradients
    of these two, and returns dlogits (n, K). By (10), dx_j/dq_i = 2 (1 - K m) for i < j, else 0.
    The softmax has dq_k/dlogit_i = q_k ([k = i] - q_i), so ∂logit_i = q_i (∂q_i - Σ_k q_k ∂q_k).
    """
    xp, K = array_module(logits), logits.shape[1]
    q = logits - logits.max(axis=1)[:, None]
    xp.exp(q, out=q)
    q /= q.sum(axis=1)[:, None]                             # softmax (9)
    number = xp.arange(K + 1).astype(q.dtype)
    before = (number[:K, None] < number).astype(q.dtype)
    dknots_dq = 2 * (1 - K * SMALLEST) * before             # (K, K + 1)
    knots = q @ dknots_dq                                   # a product: faster than cumsum (10)
    knots += 2 * SMALLEST * number - 1                      # (10)

    def backward(rows, j, dleft, dright):
        dknots = xp.zeros_like(knots)
        dknots[rows, j] = dleft
        dknots[rows, j + 1] = dright
        dq = dknots @ dknots_dq.T
        dq -= xp.einsum("ik,ik->i", q, dq)[:, None]
        dq *= q
        return dq                                                   # which is dlogits now

    return knots, backward


def _bin(x, knots):
    """The j with knots[j] <= x < knots[j + 1] for each row, (n,); for x = 1 the last one, K - 1."""
    return (knots[:, 1:-1] <= x[:, None]).sum(axis=1)


def _in_bin(knots_x, knots_y, raw, rows, j):
    """x_j, w, y_j, h, s, δ_j, δ_{j+1} for each row, (n,)."""
    first = raw.shape[1] // 3 * 2                                   # 2K: where the slopes begin
    x0, y0 = knots_x[rows, j], knots_y[rows, j]
    w, h = knots_x[rows, j + 1] - x0, knots_y[rows, j + 1] - y0
    d0, d1 = (SMALLEST + softplus(raw[rows, first + i] + ZERO_IS_ONE) for i in (j, j + 1))    # (11)
    return x0, w, y0, h, h / w, d0, d1


def _slope_derivative(raw):
    """dδ/draw by (11), as softplus' = sigmoid."""
    return sigmoid(raw + ZERO_IS_ONE)
