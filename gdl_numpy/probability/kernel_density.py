"""Kernel density: one small bump on each training point.

Why: a box, a normal, even a mixture of normals have a shape of their own, and the world's coasts
have another. Can the data alone say where the density is high? Idea: near many points it is. Put a
normal bump of width h, the bandwidth, on each of the n training points, and divide by n:

    p(x) = 1/n Σ_i N(x; x_i, h² I)
    log p(x) = log Σ_i exp(-|x - x_i|²/2h²) - log n - d (log h + ½ log 2π)

Nothing is trained but h, and nothing is forgotten: all data stay in the model. A small h shows
every point, a large h blurs the coasts, and data kept back say which is best. The plain sum over
all points has m n terms for m rows; numerics/kernel_sum.py gives the same number from the near
ones.

>>> p = KernelDensity([[0.0], [1.0]], bandwidth=1.0)
>>> print(p.log_prob([[0.5]]), round(-1 / 8 - 0.5 * LOG_2_PI, 8))        # |x - x_i|² = 1/4 for both
[-1.04393853] -1.04393853

Erratum E25: as h goes to 0 the likelihood of the training data grows without bound and that of
other data falls to 0, so the former measures memory and not generation (test_e25).
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import logsumexp
from gdl_numpy.numerics.kernel_sum import log_kernel_sum
from gdl_numpy.probability.density import LOG_2_PI


class KernelDensity(Described):
    """1/n Σ_i N(x; x_i, h² I) over the rows of X (n, d); `bandwidth` h > 0 is in the unit of X."""

    def __init__(self, X, bandwidth):
        self.X = checks.data_set(X).copy()
        self.bandwidth = checks.number(bandwidth, "bandwidth", "(0, inf)")

    @numpy.errstate(over="ignore")                          # -inf is meant, far away
    def plain_log_prob(self, X):
        """log p(x) as it is written above, from all pairs of rows, shape (m,); it needs m n d
        numbers at once."""
        n, d = self.X.shape
        X, h = checks.observations(X, self.X), self.bandwidth
        squares = (((X[:, None] - self.X) / h)**2).sum(axis=2)      # |x - x_i|²/h², (m, n)
        log_sum = logsumexp(-squares / 2, axis=1)
        return log_sum - math.log(n) - d * (math.log(h) + 0.5 * LOG_2_PI)

    def log_prob(self, X):
        """log p(x) for each row of X (m, d), shape (m,): the same from near points only."""
        n, d = self.X.shape
        X, h = checks.observations(X, self.X), self.bandwidth
        log_sum = log_kernel_sum(X, self.X, h)
        return log_sum - math.log(n) - d * (math.log(h) + 0.5 * LOG_2_PI)

    def sample(self, n, rng):
        """n draws, (n, d): a training point each by chance, moved by a normal step of length h."""
        n = checks.draws(n, rng)
        i = rng.integers(0, len(self.X), size=n)
        d, dtype = self.X.shape[1], self.X.dtype
        return in_blocks(lambda a, b: self.X[i[a:b]] + self.bandwidth * rng.standard_normal(
            (b - a, d), dtype=dtype), n)
