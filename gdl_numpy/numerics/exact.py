"""Exact cells: into which of k equal pieces of an interval a number falls, whatever is rounded.

A piecewise density must find the same piece when it draws a number and when it is asked for the
density there; otherwise a sample lies in a piece that it was not drawn from (sample_space.py and
autoregressive.py need this). But cut [0.1, 0.7] into 60 pieces: is 0.3 in piece 20, or below it in
piece 19? As written it is the border of both. The machine holds other numbers, the nearest binary
fractions, and (x - low) k/(high - low), computed with them, is rounded four times, and a little
below 20.

Yet these fractions have a right answer. Far from the borders any arithmetic finds it, so compute c
once a little too small and once a little too large: if both agree, it is right. If not, a border is
near, and the sign of a sum of three products tells on which side x lies:

    c = floor((x - low) k/(high - low))                                                          (1)
    x is not below the border c  if  S = x k - low (k - c) - high c >= 0                         (2)

(2) is (x - low) k >= (high - low) c with its terms collected. The sign of S must not suffer from
rounding. What a sum or a product loses is itself a number of the machine, so it can be computed
without loss and kept (Knuth; Dekker 1971). fl rounds to the digits of the machine:

    a + b = s + e     s = fl(a + b),  t = fl(s - a),  e = fl(fl(a - fl(s - t)) + fl(b - t))      (3)
    a b   = p + e     p = fl(a b),  e from halves a_1 + a_2 = a, whose products are exact        (4)

In (3), t is the part of s that came from b, and s - t the part from a, so what was lost of each is
a - (s - t) and b - t. By hand, with three decimal digits: 9.97 + 0.126 = 10.096 gives s = 10.1.
Then t = 0.13, s - t = 9.97, and e = 0 + (0.126 - 0.13) = -0.004: s + e is 10.096 again. In (4),
with four digits, 1234 · 5678 = 7006652 gives p = 7007000. The halves are 1200 and 34, 5600 and 78,
and e = 6720000 - p + 93600 + 190400 + 2652 = -348. All these sums, from left to right, and all four
products have at most four digits before their zeros, so that nothing is lost.

So S is a sum of six numbers. Each is added to the parts so far, from the smallest to the largest,
by (3): s goes on to the next part, and e stays as a part. The digits of the parts do not overlap,
so the smaller ones cannot outweigh the largest that is not 0: it has the sign of S (Shewchuk 1997).

For x = 0.3 the three p are 18, -4 and -14, and the three e are -3, -1 and 4 times 2^-52. Their sum
is S = 0: 0.3 is exactly at the border, and the border belongs to piece 20.

>>> import numpy
>>> x = numpy.array([0.3])
>>> cell_of(x, 0.1, 0.7, 60), numpy.floor((x - 0.1) * 60 / (0.7 - 0.1))
(array([20]), array([19.]))

See tests/numerics/test_exact.py (that it holds).
"""

import math
from fractions import Fraction

import numpy

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks

ROUNDING = 2.0**-49                                 # more than all roundings of (1) together
MOST = 2**47                                        # pieces; up to here it moves c by less than one


def cell_of(x, low, high, k):
    """c, from 0 to k - 1: in which of k equal pieces of [low, high] the numbers x (...) lie.

    low and high are floats, high - low is finite, and x is between them; k may be an array (...)
    that goes with x. A border belongs to the piece above it, `high` to the last. On a device the
    sign of S is computed for all x, so that nothing waits; on the host only near a border. With
    more than 2^47 pieces, c comes from Python's fractions, and from 2^63 on it is Python's own.
    """
    xp, x = array_module(x), x.astype(float)
    if isinstance(k, int) and k > MOST:
        low, side = Fraction(low), Fraction(high) - Fraction(low)
        return xp.asarray([min((Fraction(a) - low) * k // side, k - 1) for a in x.tolist()],
                          dtype=int if k < 2**63 else object)
    unit = 2.0**(math.frexp(high - low)[1] - 1)             # a power of 2 rounds nothing, and with
    steps, pieces = (x - low) / unit, k / ((high - low) / unit)         # it nothing overflows
    c, above = (xp.floor(steps * (pieces * (1 + off))) for off in (-ROUNDING, ROUNDING))    # (1)
    near = c < above
    if xp is not numpy:
        c += near & _not_below(x, low, high, k, above)
    elif near.any():
        near = near.nonzero()
        x, k_near, above = x[near], numpy.broadcast_to(k, c.shape)[near], above[near]
        c[near] += in_blocks(lambda i, j: _not_below(x[i:j], low, high, k_near[i:j], above[i:j]),
                             len(x), 2**16)
    return xp.minimum(c, k - 1).astype(int)


def _not_below(x, low, high, k, c):
    """Whether each x (...) is at the border c of k pieces of [low, high] or above it."""
    xp = array_module(x)
    if max(abs(low), abs(high)) > 2.0**900:                 # products would overflow; of a number
        small = 2.0**-200                                   # that would vanish the sign is enough
        x = xp.where(x * small == 0, x, x * small)
        low, high = low * small or low, high * small or high
    parts = []                                              # of S, from small to large
    for a, b in ((x, k), (-low, k - c), (-high, c)):
        for part in _product(a, b):
            for i, other in enumerate(parts):
                part, parts[i] = _sum(part, other)                                          # (2)
            parts.append(part)
    S = parts[0]
    for part in parts[1:]:
        S = xp.where(part == 0, S, part)
    return S >= 0


def _sum(a, b):
    """s and e with s + e = a + b."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)                                                       # (3)


def _product(a, b):
    """p and e with p + e = a b, if no product overflows."""
    p, (a1, a2), (b1, b2) = a * b, _halves(a), _halves(b)
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2                                 # (4)


def _halves(a):
    """a_1 and a_2 of 26 binary digits each, whose sum is a."""
    t = (2.0**27 + 1) * a
    a1 = t - (t - a)
    return a1, a - a1
