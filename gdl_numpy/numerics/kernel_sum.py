"""Kernel sum: Σ_j exp(-|q - x_j|²/2h²), without the terms that rounding would swallow.

A kernel density puts a bump on each of its points, and its value at q is a sum over all bumps. For
20,000 points of land and a map of 259,200 cells these are five billion exponentials, minutes of
work. And nearly all of them are 0 to every digit that one could print: the bumps of Australia do
not count in Peru. The idea: add up near points only, and look farther only where none is near.

How far is far enough? Measure distances in units of h, and let S be the sum of the terms within a
radius r. Each of the others is less than exp(-r²/2), and there are at most n of them. They are lost
in the rounding of S, a relative error ε, if n exp(-r²/2) <= ε S; in logarithms, if

    needed = log n - log ε                                                                      (1)
    log S + r²/2 >= needed                                                                      (2)

Queries q for which this fails look twice as far. The near terms come from one matrix product for a
block of queries at a time, by

    -|q - x|²/2 = q·x - |x|²/2 - |q|²/2                                                         (3)

Far from the origin these three terms are large and nearly cancel, which costs digits. So the origin
is first moved to where the queries are.

The points 0, 1 and 9 seen from q = 0, with h = 1: the terms are 1, exp(-½) = 0.6 and exp(-40.5),
which is 3e-18. Added to 1.6 in float64, where ε is 2e-16, the last one changes nothing:

>>> import numpy
>>> X = numpy.array([[0.0], [1.0], [9.0]])
>>> print(log_kernel_sum(numpy.array([[0.0]]), X, 1.0), round(math.log(1 + math.exp(-0.5)), 8))
[0.47407698] 0.47407698

See kernel_density.py (what needs it), neighbours.py (how near points are found) and
tests/numerics/test_kernel_sum.py (that it holds).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.neighbours import near_blocks


def log_kernel_sum(Q, X, h):
    """log Σ_j exp(-|q - x_j|²/2h²) for each row q of Q (m, d), over the rows of X (n, d), n > 0.

    Shape (m,); -inf where |q - x|²/h² overflows. Q and X are arrays of one module and one dtype,
    and h > 0 is in their unit.
    """
    X = checks.data_set(X)
    Q, h = checks.observations(Q, X, name="Q"), checks.number(h, "h", "(0, inf)")
    xp = array_module(Q)
    needed = math.log(len(X)) - math.log(xp.finfo(Q.dtype).eps)                             # (1)
    radius = math.sqrt(2 * needed + 12)                         # enough where S > exp(-6)
    log_sum = xp.full(len(Q), -math.inf, dtype=Q.dtype)
    rest = xp.arange(len(Q))
    farthest = 0.1 * math.sqrt(xp.finfo(Q.dtype).max / Q.shape[1])      # beyond, r² d overflows
    while len(rest) and radius < farthest:
        for i, j in near_blocks(Q[rest], X, radius * h):
            log_sum[rest[i]] = _sum_of_all(Q[rest[i]], X[j], h)
        rest = rest[log_sum[rest] + radius**2 / 2 < needed]     # these look farther            (2)
        radius *= 2
    return log_sum


def _sum_of_all(Q, X, h, entries=2**17):
    """log Σ_j exp(-|q - x_j|²/2h²) over all rows of X, one matrix product for each block of Q."""
    xp = array_module(Q)
    log_sum = xp.full(len(Q), -math.inf, dtype=Q.dtype)
    if len(X) == 0:
        return log_sum
    origin = Q[len(Q) // 2].astype(float)                           # halves: no overflow
    q, x = (((points / 2 - origin / 2) / h * 2).astype(Q.dtype) for points in (Q, X))
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
