"""Kernel density: one small bump on each training point.

A box or a normal density has a shape of its own, and coasts have another. Can the data alone say
where the density is high? It is high where many points are near. So put a normal bump of width h,
the bandwidth, on each of the n training points x_i, and divide by n. With s_i the squared distance
of x from x_i, in units of h²:

    s_i      = |x - x_i|²/h²                                                                    (1)
    p(x)     = 1/n Σ_i N(x; x_i, h² I)                 N is (2π h²)^(-d/2) exp(-s_i/2)
    log p(x) = log Σ_i exp(-s_i/2) - log n - d (log h + ½ log 2π)                               (2)
    x        = x_i + h ε                               i uniform in 1, ..., n, ε from N(0, I)   (3)

(2) is the logarithm of the line above it, and (3) is how a mixture is sampled: choose a bump, then
a point of it. Nothing is trained but h, and nothing is forgotten: all data stay in the model.

Which h? Here is the mean of log p, in nats, when the bumps stand on the fifty points:

    h, in degrees                  1        5       16       60
    over the fifty points       -5.7     -8.8    -10.4    -11.4        the smaller h, the better
    over new points of the map  -140    -14.2    -11.0    -11.5        best for h near 16

So the points that carry the bumps cannot choose h, as they always prefer a smaller one; new points
can. With a small h samples are copies of the training points, and a new point, far from all of
them, has almost no density: so the likelihood of held-out points finds copies. A large h blurs the
coasts.

By hand: bumps of width h = 1 stand on 0 and 1. The point 0.5 is ½ from both, so both s_i are 1/4,
and the mean of two equal heights is that height: log p = -1/8 - ½ log 2π = -0.125 - 0.919.

>>> p = KernelDensity([[0.0], [1.0]], bandwidth=1.0)
>>> print(p.plain_log_prob([[0.5]]).round(3), p.log_prob([[0.5]]).round(3))
[-1.044] [-1.044]

See figure_1_06_densities (on the map), tests/probability/test_kernel_density.py (that it holds).

Errata.
E25 (tests/probability/test_kernel_density.py)  that samples are similar to the training data proves
    little, as copies are the most similar. As h goes to 0, ℓ of the training data grows without
    bound and ℓ of held-out data falls without bound: the former measures memory, the latter finds
    the copies
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
        if self.bandwidth > numpy.finfo(self.X.dtype).max:
            raise ValueError(f"bandwidth must be a number that {self.X.dtype}, the dtype of X, can "
                             f"hold, got {bandwidth}")

    @numpy.errstate(over="ignore")                          # -inf is meant, far away
    def plain_log_prob(self, X):
        """log p(x) for each row of X (m, d), shape (m,), as it is written above: a sum of n terms
        for each row, which needs m n d numbers at once."""
        n, d = self.X.shape
        X, h = checks.observations(X, self.X), self.bandwidth
        squares = (((X[:, None].astype(float) - self.X) / h)**2).sum(axis=2)        # (m, n), (1)
        log_sum = logsumexp(-squares / 2, axis=1)           # in float64: squares leave float32
        log_p = log_sum - math.log(n) - d * (math.log(h) + 0.5 * LOG_2_PI)          # (2)
        return log_p.astype(X.dtype)

    def log_prob(self, X):
        """log p(x) for each row of X (m, d), shape (m,): the same, from near points only.

        Far bumps add less than rounding does; numerics/kernel_sum.py finds the near ones.
        """
        n, d = self.X.shape
        X, h = checks.observations(X, self.X), self.bandwidth
        log_sum = log_kernel_sum(X, self.X, h)
        return log_sum - math.log(n) - d * (math.log(h) + 0.5 * LOG_2_PI)

    def sample(self, n, rng):
        """n draws, (n, d): each is a random training point plus normal noise of width h."""
        n = checks.draws(n, rng)
        i = rng.integers(0, len(self.X), size=n)
        d, dtype = self.X.shape[1], self.X.dtype
        return in_blocks(lambda a, b: self.X[i[a:b]] + self.bandwidth * rng.standard_normal(
            (b - a, d), dtype=dtype), n)                            # (3)
