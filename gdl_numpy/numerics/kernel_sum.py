"""Kernel sum: Σ_j exp(-|q - x_j|²/2h²), fast, without the terms that rounding would swallow.

Why: m sums of n terms each are m n exponentials. For 20,000 training points and a map of 259,200
cells these are five billion, minutes of work, and nearly all of the terms are 0 to any digit that
one could print. Idea: add up only near points, and look farther only where none of them is near.

With distances in units of h, the terms beyond a radius r are together at most n exp(-r²/2). That is
less than rounding (ε) takes from the sum S of the others as soon as

    log S + r²/2 >= log n - log ε

Rows for which this fails look twice as far. The near terms are one matrix product for a block of
rows, from

    -|q - x|²/2 = q·x - |x|²/2 - |q|²/2

with the origin moved to where the q are: there the three terms are small and little is lost in
their difference.

>>> import numpy
>>> X = numpy.array([[0.0], [1.0], [9.0]])
>>> print(log_kernel_sum(numpy.array([[0.0]]), X, 1.0), round(math.log(1 + math.exp(-0.5)), 8))
[0.47407698] 0.47407698
"""

import math

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.neighbours import near_blocks


def log_kernel_sum(Q, X, h):
    """log Σ_j exp(-|q - x_j|²/2h²) for each row q of Q (m, d), over the rows of X (n, d), n > 0.

    Shape (m,); -inf where |q - x|²/h² overflows. Both are arrays of one module and one dtype, and
    h > 0 is in their unit.
    """
    xp = array_module(Q)
    needed = math.log(len(X)) - math.log(xp.finfo(Q.dtype).eps)     # of log S + r²/2
    radius = math.sqrt(2 * needed + 12)                         # enough where S > exp(-6)
    log_sum = xp.full(len(Q), -math.inf, dtype=Q.dtype)
    rest = xp.arange(len(Q))
    farthest = 0.1 * math.sqrt(xp.finfo(Q.dtype).max / Q.shape[1])      # beyond, r² d overflows
    while len(rest) and radius < farthest:
        for i, j in near_blocks(Q[rest], X, radius * h):
            log_sum[rest[i]] = _sum_of_all(Q[rest[i]], X[j], h)
        rest = rest[log_sum[rest] + radius**2 / 2 < needed]     # far from all: look farther
        radius *= 2
    return log_sum


def _sum_of_all(Q, X, h, entries=2**17):
    """log Σ_j exp(-|q - x_j|²/2h²) over all rows of X, as one matrix product a block of some q."""
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
        m = exponent.max(axis=1)                                    # logsumexp, in place for speed
        exponent -= m[:, None]
        xp.exp(exponent, out=exponent)
        log_sum[start:start + rows] = (xp.log(exponent.sum(axis=1)) + m
                                       - 0.5 * (block**2).sum(axis=1))
    return log_sum
