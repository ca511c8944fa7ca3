"""Elementary functions: log-sum-exp, softmax, softplus, sigmoid, and a bound by tanh.

Under the box θ̂ the fifty points of the map have the likelihood exp(-544.3) = 4e-237, and seventy
such points would have 0: floating point ends at 5e-324. So densities are handled by their
logarithms. But masses and densities also have to be added, as for a mixture or for the Z of an
energy-based model. From their logarithms x_i that sum is Σ exp(x_i). As it is written, it overflows
where an x_i exceeds 709.8, and is 0 where all x_i are below -746.

The idea: take the largest exponential out of the sum. Let m = max x_i, and let c be how many of the
x_i are equal to m. As exp(x_i) = exp(m) exp(x_i - m), the sum is exp(m) (c + r), where

    r = Σ exp(x_i - m) over all x_i < m             every term is below 1                    (1)
    log(c + r) = log c + log1p(r/c)         log1p(v) is log(1 + v), but does not round 1 + v (2)
    logsumexp(x) = log Σ exp(x_i) = m + log(c + r)                                           (3)
    log_softmax(x) = x - logsumexp(x) = (x - m) - log(c + r)                                 (4)
    softmax(x) = exp(log_softmax(x)) = exp(x)/Σ exp(x_i)        shares: their sum is 1       (5)

Softplus is the logsumexp of the two numbers 0 and x, and the sigmoid is the share of x in their
softmax. So in both the larger of the two exponentials can be taken out as well:

    softplus(x) = log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))                             (6)
    sigmoid(x)  = exp(x)/(1 + exp(x)) = 1/(1 + exp(-x))         the first for x < 0          (7)

The last function takes any x to a y between -B and B, and y is nearly x where x is small. It stands
inside networks, and so has a `backward`, which takes ∂y = ∂loss/∂y and gives ∂x:

    y = B t,  t = tanh(x/B)                                                                  (8)
    ∂x = (1 - t²) ∂y                                tanh' = 1 - tanh²                        (9)

The slopes of the others stand in their docstrings. By hand: the exponentials of 0 and log 3 are 1
and 3, their shares 1/4 and 3/4, and log Σ exp is log 4 = 1.386; 1000 more in each is 1000 more in
the result:

>>> x = numpy.array([0.0, math.log(3.0)])
>>> print(softmax(x).round(6), logsumexp(x).round(3), logsumexp(1000 + x).round(3))
[0.25 0.75] 1.386 1001.386

Infinite arguments give the limits: equal infinities share the probability, so softmax(+inf, 0) is
(1, 0) and softmax(-inf, -inf) is (1/2, 1/2). NaN stays NaN. float32 stays float32, but the terms of
a sum are added in float64. What underflows on the way is 0 and not an error, whatever
numpy.errstate says. TypeError if x does not hold real numbers; nothing here waits for a device.

See tests/numerics/test_elementary.py (that it holds).
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
    return m, shifted, xp.log(count) + xp.log1p(others / count)             # `others` is r (1), (2)


@quiet
def logsumexp(x, axis=None, keepdims=False):
    """log Σ exp(x) along `axis` (all axes if None); -inf for an empty sum.

    Its slope in x_i is exp(x_i)/Σ exp(x_j) = softmax(x)_i.

    >>> print(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    """
    x = checks.real_array(x, "x", finite=False)
    axis, keepdims = checks.axis(axis, x.ndim), checks.truth(keepdims, "keepdims")
    if x.size == 0:
        return x.sum(axis=axis, keepdims=keepdims) - math.inf
    m, _, log_sum = _from_maximum(x, axis)
    total = (m + log_sum).astype(x.dtype, copy=False)       # (3)
    return total.sum(axis=axis, keepdims=keepdims)          # of one term: only drops the axis


@quiet
def log_softmax(x, axis=-1):
    """x - logsumexp(x) along `axis`, shape of x: the logarithms of probabilities that sum to 1.

    The slope of entry i in x_j is [i = j] - softmax(x)_j, where [i = j] is 1 if so and else 0.
    """
    x = checks.real_array(x, "x", finite=False)
    axis = checks.axis(axis, x.ndim)
    if x.size == 0:
        return x.copy()
    _, shifted, log_sum = _from_maximum(x, axis)
    return shifted - log_sum.astype(x.dtype, copy=False)    # (4)


@quiet
def softmax(x, axis=-1):
    """exp(x) / Σ exp(x) along `axis`, shape of x."""
    return array_module(x).exp(log_softmax(x, axis))        # (5)


@quiet
def softplus(x):
    """log(1 + exp(x)), elementwise, with the slope sigmoid(x); log sigmoid(x) = -softplus(-x)."""
    x = checks.real_array(x, "x", finite=False)
    xp = array_module(x)
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-abs(x)))     # (6)


@quiet
def sigmoid(x):
    """1/(1 + exp(-x)), elementwise, with the slope exp(-x)/(1 + exp(-x))² = sigmoid(x) sigmoid(-x).

    >>> print(sigmoid([-1e4, 0.0, 1e4]))
    [0.  0.5 1. ]
    """
    x = checks.real_array(x, "x", finite=False)
    xp = array_module(x)
    small = xp.exp(-abs(x))                                 # at most 1, so nothing overflows
    return xp.where(x < 0, small, 1) / (1 + small)          # (7)


@quiet
def bounded(x, B):
    """y = B tanh(x/B), shape of x, and backward: dy -> dx; with None for B, y is a copy of x.

    >>> y, backward = bounded(numpy.array([1.0]), B=2.0)
    >>> print(y.round(3), backward(numpy.array([1.0])).round(3))
    [0.924] [0.786]
    """
    x = checks.real_array(x, "x", finite=False)
    B = checks.number(B, "B", "[1e-30, 1e30]", optional=True)               # float32 holds it
    if B is None:
        return x.copy(), lambda dy: dy.copy()
    t = array_module(x).tanh(x / B)                         # backward keeps t, and the caller B t
    return B * t, quiet(lambda dy: (1 - t * t) * dy)        # (8), (9)
