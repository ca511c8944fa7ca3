"""Kernel sum: Σ_j exp(-|q - x_j|²/2h²), without the terms that rounding would swallow.

A kernel density puts a bump on each of its points, and its value at q is a sum over all bumps. For
20,000 points of land and a map of 259,200 cells these are five billion exponentials, minutes of
work. And nearly all of them are 0 to every digit that one could print: the bumps of Australia do
not count in Peru. The idea: add up near points only, and look farther only where none is near.

How far is far enough? Measure distances in units of h, and let S be the sum of the terms within a
radius r. Each of the others is less than exp(-r²/2), and there are at most n of them. Rounding
alone changes S by up to ε S, where 1 + ε is the float after 1. So the others do not count if

    n exp(-r²/2) <= ε S
    needed = log n - log ε                                                                      (1)
    log S + r²/2 >= needed                     the logarithm of the first line                  (2)

The first r has r²/2 = needed + 6, which is enough where S > exp(-6). Queries q for which (2) fails
look twice as far, until it holds. The near terms come from one matrix product for a block of
queries at a time, by

    -|q - x|²/2 = q·x - |x|²/2 - |q|²/2                                                         (3)

Far from the origin these three terms are large and nearly cancel, which costs digits. So the origin
is first moved to where the queries are. And squares soon leave the range of float32; so all this is
done in float64, and the sum comes back in the dtype of the data.

By hand: the points 0, 1 and 10 seen from q = 0, with h = 1. The terms are 1, exp(-½) = 0.6 and
exp(-50), which is 2e-22. Added to 1.6 in float64, where ε is 2e-16, the last one changes nothing.
needed is log 3 + 36.0 = 37.1, so the first r is √(2 · 37.1 + 12) = 9.3, and 10 is not looked at:

>>> import numpy
>>> X = numpy.array([[0.0], [1.0], [10.0]])
>>> print(log_kernel_sum(numpy.array([[0.0]]), X, 1.0), round(math.log(1 + math.exp(-0.5)), 8))
[0.47407698] 0.47407698

See kernel_density.py (what needs it), neighbors.py (how near points are found) and
tests/numerics/test_kernel_sum.py (that it holds).
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.neighbors import near_blocks


def log_kernel_sum(Q, X, h):
    """log Σ_j exp(-|q - x_j|²/2h²) for each row q of Q (m, d), over the rows of X (n, d), n > 0.

    Shape (m,); -inf where it is beyond the largest number of their dtype, or |q - x|²/h² beyond
    that of float64. Q and X are arrays of one module and one dtype, and h > 0 is in their unit.
    """
    X = checks.data_set(X)
    Q, h = checks.observations(Q, X, name="Q"), checks.number(h, "h", "(0, inf)")
    xp = array_module(Q)
    needed = math.log(len(X)) - math.log(xp.finfo(Q.dtype).eps)                             # (1)
    radius = math.sqrt(2 * needed + 12)                         # enough where S > exp(-6)
    log_sum = xp.full(len(Q), -math.inf)
    rest = xp.arange(len(Q))
    farthest = 0.1 * math.sqrt(xp.finfo(float).max / Q.shape[1])        # beyond, r² d overflows
    while len(rest) and radius < farthest:
        for i, j in near_blocks(Q[rest], X, radius * h):
            log_sum[rest[i]] = _sum_of_all(Q[rest[i]], X[j], h)
        rest = rest[log_sum[rest] + radius**2 / 2 < needed]     # these look farther            (2)
        radius *= 2
    with numpy.errstate(over="ignore"):                     # to -inf in float32, which is meant
        return log_sum.astype(Q.dtype)


def _sum_of_all(Q, X, h, entries=2**17):
    """log Σ_j exp(-|q - x_j|²/2h²) over all rows of X, one matrix product for each block of Q."""
    xp = array_module(Q)
    log_sum = xp.full(len(Q), -math.inf)
    if len(X) == 0:
        return log_sum
    origin = Q[len(Q) // 2].astype(float)                           # halves: no overflow
    q, x = ((points.astype(float) / 2 - origin / 2) / h * 2 for points in (Q, X))
    minus_half = -0.5 * (x**2).sum(axis=1)
    rows = max(1, entries // len(x))                                # a block stays in the cache
    for start in range(0, len(q), rows):
        block = q[start:start + rows]
        exponent = block @ x.T
        exponent += minus_half
        largest = exponent.max(axis=1)                              # logsumexp, in place for speed
        exponent -= largest[:, None]
        xp.exp(exponent, out=exponent)
        log_sum[start:start + rows] = (xp.log(exponent.sum(axis=1)) + largest
                                       - 0.5 * (block**2).sum(axis=1))                      # (3)
    return log_sum
