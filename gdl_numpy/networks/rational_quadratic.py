"""Rational-quadratic spline: a monotone map of [-1, 1] onto itself, with its slope and its inverse.

Between K + 1 knots (x_j, y_j), both increasing from -1 to 1, with a positive slope δ_j at each, the
map is a ratio of two quadratics (Gregory and Delbourgo 1982; Durkan and others 2019). It increases,
its slope is continuous, and its inverse is the root of a quadratic. From 3K + 1 free numbers:

    widths   q = softmax(raw[:K])      x_j = -1 + 2 Σ_{i<j} (m + (1 - K m) q_i)
    heights  likewise from raw[K:2K]   y_j        m = SMALLEST, so that no bin becomes empty
    slopes   δ = m + softplus(raw[2K:] + c)       c such that raw = 0 is the identity, δ = 1

In the bin of x, with w = x_{j+1} - x_j, h = y_{j+1} - y_j, s = h/w, ξ = (x - x_j)/w, ζ = ξ(1 - ξ):

    η = δ_j + δ_{j+1} - 2s
    N = s ξ² + δ_j ζ       D = s + η ζ       M = δ_{j+1} ξ² + 2s ζ + δ_j (1 - ξ)²
    y = y_j + h N/D        log dy/dx = 2 log s + log M - 2 log D

Outside [-1, 1] it is the identity, with kinks at -1 and 1, as the slopes there are free too. The
pullback, for cotangents ∂y and ∂ℓ of ℓ = log dy/dx, is

    ∂N = h/D ∂y    ∂D = -(h N/D² ∂y + 2/D ∂ℓ)    ∂M = ∂ℓ/M
    ∂ξ = (2s ξ + δ_j (1 - 2ξ)) ∂N + η (1 - 2ξ) ∂D + 2 (δ_{j+1} ξ + s (1 - 2ξ) - δ_j (1 - ξ)) ∂M
    ∂s = ξ² ∂N + (1 - 2ζ) ∂D + 2ζ ∂M + 2/s ∂ℓ
    ∂δ_j = ζ ∂N + ζ ∂D + (1 - ξ)² ∂M            ∂δ_{j+1} = ζ ∂D + ξ² ∂M
    ∂h = N/D ∂y + ∂s/w                          ∂w = -(s ∂s + ξ ∂ξ)/w        ∂x = ∂ξ/w
    ∂x_{j+1} = ∂w      ∂x_j = -∂x - ∂w          ∂y_{j+1} = ∂h      ∂y_j = ∂y - ∂h

and from the knots back to raw, with dx_j/dq_i = 2 (1 - K m) for i < j, else 0, and for the softmax
∂raw_i = q_i (∂q_i - Σ_k q_k ∂q_k). The inverse solves y = y_j + h N/D, which with u = y - y_j is

    α ξ² + β ξ + γ = 0          β = h δ_j - u η        α = h s - β        γ = -s u

and its root between 0 and 1 is ξ = -2γ/(β + √(β² - 4αγ)).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.elementary import sigmoid, softplus

SMALLEST = 1e-4                                             # m: the least share, the least slope
MOST_BINS = round(1 / SMALLEST) - 1
ZERO_IS_ONE = math.log(math.expm1(1 - SMALLEST))            # c: softplus(c) = 1 - m


def n_numbers(n_bins):
    """3K + 1, the length of a row of raw. ValueError unless K m < 1."""
    return 3 * checks.whole_number(n_bins, "n_bins", least=1, most=MOST_BINS) + 1


def spline(x, raw):
    """y and log dy/dx for each x (n,), with the spline of its row of raw (n, 3K + 1); and backward:
    dy, dlog_slope -> dx, draw."""
    x, raw = _checked(x, "x", raw)
    xp, K = array_module(x), raw.shape[1] // 3
    inside = abs(x) <= 1
    knots_x, backward_x = _knots(raw[:, :K])
    knots_y, backward_y = _knots(raw[:, K:2 * K])
    rows, j = xp.arange(len(x)), _bin(xp.where(inside, x, 0), knots_x)
    x0, w, y0, h, s, d0, d1 = _in_bin(knots_x, knots_y, raw, rows, j)

    xi = (xp.where(inside, x, x0) - x0) / w
    zeta, eta = xi * (1 - xi), d0 + d1 - 2 * s
    N = s * xi**2 + d0 * zeta
    D = s + eta * zeta
    M = d1 * xi**2 + 2 * s * zeta + d0 * (1 - xi)**2
    y = xp.where(inside, (y0 + h * N / D).clip(-1, 1), x)           # rounding could step over 1
    log_slope = xp.where(inside, xp.log(M * (s / D)**2), 0)

    def backward(dy, dlog_slope):
        dy_inside, dl = xp.where(inside, dy, 0), xp.where(inside, dlog_slope, 0)
        dN = h / D * dy_inside
        dD = -(N / D * dN + 2 / D * dl)
        dM = dl / M
        tilt = 1 - 2 * xi
        dxi = ((2 * s * xi + d0 * tilt) * dN + eta * tilt * dD
               + 2 * (d1 * xi + s * tilt - d0 * (1 - xi)) * dM)
        ds = xi**2 * dN + (1 - 2 * zeta) * dD + 2 * zeta * dM + 2 / s * dl
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
    """The x (n,) that `spline` maps to y (n,)."""
    y, raw = _checked(y, "y", raw)
    xp, K = array_module(y), raw.shape[1] // 3
    inside = abs(y) <= 1
    knots_x, knots_y = _knots(raw[:, :K])[0], _knots(raw[:, K:2 * K])[0]
    rows, j = xp.arange(len(y)), _bin(xp.where(inside, y, 0), knots_y)
    x0, w, y0, h, s, d0, d1 = _in_bin(knots_x, knots_y, raw, rows, j)
    u, eta = xp.where(inside, y, y0) - y0, d0 + d1 - 2 * s
    beta, gamma = h * d0 - u * eta, -s * u
    alpha = h * s - beta
    xi = -2 * gamma / (beta + xp.sqrt(xp.maximum(beta**2 - 4 * alpha * gamma, 0)))
    return xp.where(inside, (x0 + xi * w).clip(-1, 1), y)


def _checked(x, name, raw):
    """x (n,) and raw (n, 3K + 1) as arrays; nothing waits."""
    x = checks.real_array(x, name, finite=False)
    raw = checks.real_array(raw, "raw", like=x, finite=False)
    if x.ndim != 1 or raw.ndim != 2 or len(raw) != len(x) or raw.shape[1] % 3 != 1:
        raise ValueError(f"{name} must have shape (n,) and raw (n, 3K + 1), got shapes {x.shape} "
                         f"and {raw.shape}")
    return x, raw


def _knots(logits):
    """The knots (n, K + 1) on one axis, and backward: rows, j and the cotangents of the knots j and
    j + 1 of each row -> dlogits (n, K)."""
    xp, K = array_module(logits), logits.shape[1]
    q = logits - logits.max(axis=1)[:, None]
    xp.exp(q, out=q)
    q /= q.sum(axis=1)[:, None]
    number = xp.arange(K + 1).astype(q.dtype)
    before = (number[:K, None] < number).astype(q.dtype)
    dknots_dq = 2 * (1 - K * SMALLEST) * before             # (K, K + 1)
    knots = q @ dknots_dq                                   # sums by a product: faster than cumsum
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
    """The j with knots[j] <= x < knots[j + 1] for each row, (n,), the last bin for x = 1."""
    return (knots[:, 1:-1] <= x[:, None]).sum(axis=1)


def _in_bin(knots_x, knots_y, raw, rows, j):
    """x_j, w, y_j, h, s, δ_j, δ_{j+1} for each row, (n,)."""
    first = raw.shape[1] // 3 * 2                                   # of the slopes
    x0, y0 = knots_x[rows, j], knots_y[rows, j]
    w, h = knots_x[rows, j + 1] - x0, knots_y[rows, j + 1] - y0
    d0, d1 = (SMALLEST + softplus(raw[rows, first + i] + ZERO_IS_ONE) for i in (j, j + 1))
    return x0, w, y0, h, h / w, d0, d1


def _slope_derivative(raw):
    return sigmoid(raw + ZERO_IS_ONE)
