"""Rational-quadratic spline: a smooth increasing curve through given points, and its inverse.

A normalizing flow (models/normalizing_flow.py) bends one density into another by increasing maps of
one coordinate at a time. If y is uniform on [-1, 1], a piece dx has the mass ½ dy of its image, so
x has the density ½ dy/dx: high where the map is steep, as over land, and low where it is flat, as
over the sea. So a flow needs y, the slope dy/dx and the way back to x. A straight line has all
three, but only one slope. A spline has them too, and many slopes.

Cut [-1, 1] into K bins by knots, points (x_j, y_j) for j = 0, ..., K, both increasing from -1 to 1,
and choose a positive slope δ_j at each. In one bin, from knot j to knot j + 1, the curve has to
climb from y_j to y_{j+1}, with the slopes δ_j and δ_{j+1} at its ends. A cubic can do this, but may
fall on its way. A quotient of two quadratics, N/D, can do it too, and never falls (Gregory and
Delbourgo 1982; Durkan et al. 2019). With w and h for the width and height of the bin, s = h/w for
its mean slope, and ξ going from 0 to 1 along it,

    ξ = (x - x_j)/w,    ζ = ξ (1 - ξ)               ζ is 0 at both ends                          (1)
    N = s ξ² + δ_j ζ                                from 0 to s                                  (2)
    D = s + η ζ,    η = δ_j + δ_{j+1} - 2s          s at both ends                               (3)
    y = y_j + h N/D                                 so from y_j to y_j + h                       (4)
    M = δ_{j+1} ξ² + 2s ζ + δ_j (1 - ξ)²            from δ_j to δ_{j+1}                          (5)
    dy/dx = s² M/D²                                 derived in `spline`                          (6)

At a knot D = s, so the slope is M = δ, seen from the left as from the right. Within the bin M is a
mean of δ_{j+1}, s and δ_j, with the weights ξ², 2ζ and (1 - ξ)², and D one of s and ½ (δ_j +
δ_{j+1}), with the weights 1 - 2ζ and 2ζ. So both are positive, and y increases.

For the way back, let u = y - y_j. By (4) h N - u D = 0, a quadratic equation for ξ, α ξ² + β ξ + γ
= 0. Its root between 0 and 1 (why this one: see `inverse_spline`) is

    β = h δ_j - u η,    γ = -s u,    α = h s - β                                                 (7)
    ξ = -2γ/(β + √(β² - 4αγ)),    x = x_j + w ξ                                                  (8)

A network chooses the curve, by a row `raw` of 3K + 1 numbers of any size: K for the widths of the
bins, K for their heights, and K + 1 for the slopes (`_knots` and `_in_bin` make them positive).
raw = 0 is the identity. So is the map outside [-1, 1], with a kink at -1 or 1 if δ is not 1 there.

Two equal bins by hand, with the slopes 1, 2, 1. At x = -1/2, the middle of the first bin, ξ = 1/2,
ζ = 1/4, s = η = 1, N = 1/2, D = M = 5/4. So y = -1 + 2/5 with slope 4/5:

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


def n_spline_parameters(n_bins):
    """3K + 1, the length of a row of raw. ValueError unless K m < 1."""
    return 3 * checks.whole_number(n_bins, "n_bins", least=1, most=MOST_BINS) + 1


def spline(x, raw):
    """y and log dy/dx (n,) of each x (n,), each by the spline of its own row of raw (n, 3K + 1);
    and backward: dy, dlog_slope -> dx, draw.

    (6) is the derivative of (4). Let ' be d/dξ, which is w d/dx. Then N' = 2s ξ + δ_j (1 - 2ξ) and
    D' = η (1 - 2ξ), and

        dy/dx       = (h/w) (N' D - N D')/D² = s (s M)/D²
        N' D - N D' = s N' + η (ζ N' - (1 - 2ξ) N)          δ_j cancels in the bracket, and
                    = s N' + η s ξ²                         2ξ ζ - (1 - 2ξ) ξ² = ξ²
                    = s (2s ξ + δ_j (1 - 2ξ) + η ξ²)
                    = s M                               put η in, and sort by δ_j, s and δ_{j+1}
    """
    x, raw = _checked(x, "x", raw)
    xp, K = array_module(x), raw.shape[1] // 3
    inside = abs(x) <= 1
    knots_x, backward_x = _knots(raw[:, :K])
    knots_y, backward_y = _knots(raw[:, K:2 * K])
    rows, j = xp.arange(len(x)), _bin(xp.where(inside, x, 0), knots_x)
    x0, w, y0, h, s, delta0, delta1 = _in_bin(knots_x, knots_y, raw, rows, j)

    xi = (xp.where(inside, x, x0) - x0) / w                         # (1)
    zeta = xi * (1 - xi)                                            # (1)
    N = s * xi**2 + delta0 * zeta                                       # (2)
    eta = delta0 + delta1 - 2 * s                                           # (3)
    D = s + eta * zeta                                              # (3)
    y = xp.where(inside, (y0 + h * N / D).clip(-1, 1), x)           # rounding could step over 1 (4)
    M = delta1 * xi**2 + 2 * s * zeta + delta0 * (1 - xi)**2                # (5)
    log_slope = xp.where(inside, xp.log(M * (s / D)**2), 0)         # (6)

    def backward(dy, dlog_slope):
        """The chain rule back from (6) to (1). y depends on N, D and h, log dy/dx = log M + 2 log s
        - 2 log D on M, s and D, these on ξ, s and both slopes, and s = h/w and ξ on the knots:

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
        dxi = ((2 * s * xi + delta0 * tilt) * dN + eta * tilt * dD
               + 2 * (delta1 * xi + s * tilt - delta0 * (1 - xi)) * dM)
        ds = xi**2 * dN + (1 - 2 * zeta) * dD + 2 * zeta * dM + 2 / s * dlog
        ddelta0 = zeta * (dN + dD) + (1 - xi)**2 * dM
        ddelta1 = zeta * dD + xi**2 * dM
        dh = N / D * dy_inside + ds / w
        dw = -(s * ds + xi * dxi) / w
        dx = dxi / w

        draw = xp.zeros_like(raw)
        draw[:, :K] = backward_x(rows, j, -dx - dw, dw)
        draw[:, K:2 * K] = backward_y(rows, j, dy_inside - dh, dh)
        draw[rows, 2 * K + j] = ddelta0 * _slope_derivative(raw[rows, 2 * K + j])
        draw[rows, 2 * K + j + 1] = ddelta1 * _slope_derivative(raw[rows, 2 * K + j + 1])
        return xp.where(inside, dx, dy), draw

    return (y, log_slope), backward


def inverse_spline(y, raw):
    """The x (n,) that `spline` maps to y (n,), each by the spline of its row of raw (n, 3K + 1).

    h N - u D is -s u <= 0 at ξ = 0 and s (h - u) >= 0 at ξ = 1, so the quadratic rises through 0
    between them. There its slope 2α ξ + β is +√(β² - 4αγ), hence ξ = (√(β² - 4αγ) - β)/(2α); times
    √(β² - 4αγ) + β, above and below, this is (8), where α may be 0. If β < 0, then α = s h - β is
    positive, and the first form keeps the digits that this sum would lose.
    """
    y, raw = _checked(y, "y", raw)
    xp, K = array_module(y), raw.shape[1] // 3
    inside = abs(y) <= 1
    knots_x, knots_y = _knots(raw[:, :K])[0], _knots(raw[:, K:2 * K])[0]
    rows, j = xp.arange(len(y)), _bin(xp.where(inside, y, 0), knots_y)
    x0, w, y0, h, s, delta0, delta1 = _in_bin(knots_x, knots_y, raw, rows, j)
    u, eta = xp.where(inside, y, y0) - y0, delta0 + delta1 - 2 * s
    beta, gamma = h * delta0 - u * eta, -s * u                          # (7)
    alpha = h * s - beta                                            # (7)
    root, falls = xp.sqrt(xp.maximum(beta**2 - 4 * alpha * gamma, 0)), beta < 0
    xi = xp.where(falls, root - beta, -2 * gamma) / xp.where(falls, 2 * alpha, beta + root)  # (8)
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

    A softmax makes the logits of a row into shares q_i, which are positive and have the sum 1. Of
    the length 2, each bin gets the share m = SMALLEST, and of what is left the share q_i:

        x_j = -1 + 2 Σ_{i<j} (m + (1 - K m) q_i)            and y_j likewise, from its own logits

    In each row the loss depends on two knots only, j and j + 1: backward takes rows, j and the
    gradients of these two, and returns dlogits (n, K). dx_j/dq_i is 2 (1 - K m) for i < j, else 0.
    The softmax has dq_l/dlogit_i = -q_l q_i, and q_i more if l = i. So, summed over l,

        ∂logit_i = q_i (∂q_i - Σ_l q_l ∂q_l)
    """
    xp, K = array_module(logits), logits.shape[1]
    q = logits - logits.max(axis=1)[:, None]
    xp.exp(q, out=q)
    q /= q.sum(axis=1)[:, None]                             # the softmax
    number = xp.arange(K + 1).astype(q.dtype)
    before = (number[:K, None] < number).astype(q.dtype)
    dknots_dq = 2 * (1 - K * SMALLEST) * before             # (K, K + 1)
    knots = q @ dknots_dq                                   # a product: faster than cumsum
    knots += 2 * SMALLEST * number - 1

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
    """x_j, w, y_j, h, s, δ_j, δ_{j+1} for each row, (n,).

        δ_j = m + softplus(raw[2K + j] + c)         c makes δ_j = 1 where raw = 0
    """
    first = raw.shape[1] // 3 * 2                                   # 2K: where the slopes begin
    x0, y0 = knots_x[rows, j], knots_y[rows, j]
    w, h = knots_x[rows, j + 1] - x0, knots_y[rows, j + 1] - y0
    delta0, delta1 = (SMALLEST + softplus(raw[rows, first + i] + ZERO_IS_ONE) for i in (j, j + 1))
    return x0, w, y0, h, h / w, delta0, delta1


def _slope_derivative(raw):
    """dδ/draw, since the slope of softplus is the sigmoid."""
    return sigmoid(raw + ZERO_IS_ONE)
