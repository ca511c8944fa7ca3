"""Elementary functions: log-sum-exp, softmax, softplus, sigmoid, and a bound by tanh.

Densities are handled by their logarithms, because products of them leave the range of floating
point (see likelihood.py). What then has to be added is a sum of exponentials, and computed as it is
written it overflows at 710. The first four below are rewritten so that the largest exponent is 0:
no argument overflows, and no digit of a small result is lost against a large intermediate one.

    logsumexp(x)   = m + log k + log1p(Σ' exp(x_i - m) / k)     ∂/∂x_i = softmax(x)_i
                     with m = max x_i, k of the x_i equal to it, Σ' over the others
    log_softmax(x) = x - logsumexp(x)                           ∂(.)_i/∂x_j = [i=j] - softmax(x)_j
    softplus(x)    = log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))     d/dx = sigmoid(x)
    sigmoid(x)     = 1 / (1 + exp(-x))                          d/dx = sigmoid(x) sigmoid(-x)
    bounded(x)     = B t  with  t = tanh(x/B), between -B and B d/dx = 1 - t²

Infinite arguments give the limits: equal infinities share the probability, so softmax(+inf, 0) is
(1, 0) and softmax(-inf, -inf) is (1/2, 1/2). NaN stays NaN. float32 stays float32, but the terms of
a sum are added in float64. What underflows on the way is 0 and no error, whatever numpy.errstate
says. TypeError if x holds no real numbers; nothing here waits for a device.
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module

quiet = numpy.errstate(all="ignore")                        # exp(-1e4) = 0 is meant; inf - inf and
                                                            # log 0 with NaN are replaced


def _from_maximum(x, axis):
    """The maximum m of `x` along `axis`, x - m, and, in float64, log sum exp(x - m)."""
    xp = array_module(x)
    m = x.max(axis=axis, keepdims=True)
    at_maximum = x == m
    shifted = xp.where(at_maximum, 0, x - m).astype(x.dtype, copy=False)
    count = at_maximum.sum(axis=axis, keepdims=True)
    others = xp.where(at_maximum, 0, xp.exp(shifted)).sum(axis=axis, keepdims=True, dtype=float)
    return m, shifted, xp.log(count) + xp.log1p(others / count)


@quiet
def logsumexp(x, axis=None, keepdims=False):
    """log Σ exp(x) along `axis` (all axes if None); -inf for an empty sum.

    >>> print(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    """
    x = checks.real_array(x, "x", finite=False)
    axis, keepdims = checks.axis(axis, x.ndim), checks.truth(keepdims, "keepdims")
    if x.size == 0:
        return x.sum(axis=axis, keepdims=keepdims) - math.inf
    m, _, log_sum = _from_maximum(x, axis)
    total = (m + log_sum).astype(x.dtype, copy=False)
    return total.sum(axis=axis, keepdims=keepdims)          # of one term: only drops the axis


@quiet
def log_softmax(x, axis=-1):
    """x - logsumexp(x) along `axis`, shape of x: the logarithms of probabilities that sum to 1."""
    x = checks.real_array(x, "x", finite=False)
    axis = checks.axis(axis, x.ndim)
    if x.size == 0:
        return x.copy()
    _, shifted, log_sum = _from_maximum(x, axis)
    return shifted - log_sum.astype(x.dtype, copy=False)


@quiet
def softmax(x, axis=-1):
    """exp(x) / Σ exp(x) along `axis`, shape of x."""
    return array_module(x).exp(log_softmax(x, axis))


@quiet
def softplus(x):
    """log(1 + exp(x)), elementwise; -softplus(-x) is the logarithm of sigmoid(x)."""
    x = checks.real_array(x, "x", finite=False)
    xp = array_module(x)
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-abs(x)))


@quiet
def sigmoid(x):
    """1 / (1 + exp(-x)), elementwise.

    >>> print(sigmoid([-1e4, 0.0, 1e4]))
    [0.  0.5 1. ]
    """
    x = checks.real_array(x, "x", finite=False)
    xp = array_module(x)
    small = xp.exp(-abs(x))                                 # at most 1, so nothing overflows
    return xp.where(x < 0, small, 1) / (1 + small)


@quiet
def bounded(x, B):
    """B tanh(x/B), shape of x, and backward: dy -> dx; with None for B, x as it is."""
    x, B = checks.real_array(x, "x", finite=False), checks.number(B, "B", "(0, inf)", optional=True)
    if B is None:
        return x, lambda dy: dy
    t = array_module(x).tanh(x / B)                         # backward keeps t, and the caller B t
    return B * t, quiet(lambda dy: (1 - t * t) * dy)
