"""Divergence: how far one density is from another.

Why: a model and p_data are two densities, and no table shows at a glance how much they differ. One
number is wanted: 0 where they are the same, larger the more one misses of the other. Idea: ask how
much longer, in nats, a description of x becomes by believing in q while p is true, in the mean. All
of these are integrals over the sample space, here sums over the cells of a grid:

    total mass       ∫ p                                          1 for a density
    entropy          H(p)     = -∫ p log p
    cross-entropy    H(p, q)  = -∫ p log q                        smallest for q = p, and then H(p)
    KL divergence    KL(p‖q)  =  ∫ p log(p/q) = H(p, q) - H(p)    at least 0
    Jensen-Shannon   JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m),  m = ½ (p + q)        from 0 to log 2

0 log 0 counts as 0, the limit of p log p; where p has mass and q has none, log q is -∞ and so the
cross-entropy is +∞. The Jensen-Shannon divergence is finite even then, since m has mass wherever p
or q has.

A grid of k cells for each of d coordinates has k^d cells, too many from d = 4 or 5 on. A sample of
p goes anywhere: H(p, q) is the mean of -log q(x) over it, with a standard error.

>>> from gdl_numpy.probability.density import Box
>>> from gdl_numpy.probability.sample_space import SampleSpace
>>> line, p, q = SampleSpace([0], [4]), Box([0], [1]), Box([0], [4])
>>> print(round(float(kl_divergence(p, q, line, (8,))), 6), kl_divergence(q, p, line, (8,)))
1.386294 inf

The first is log 4: knowing that x lies in p's quarter of the line is worth that much.
"""

import math

from gdl_numpy.numerics.backend import array_module


def total_mass(p, space, shape):
    """∫ p over `space`, as a sum over the centres of the cells of a grid of `shape`."""
    log_p = p.log_prob(space.grid(shape)[0])
    return _expectation(log_p, 1, space, shape).astype(log_p.dtype)


def entropy(p, space, shape):
    """-∫ p log p, in nats, on a grid."""
    return cross_entropy(p, p, space, shape)


def cross_entropy(p, q, space, shape):
    """-∫ p log q, in nats, on a grid; +inf where p has mass and q has none."""
    X, _ = space.grid(shape)
    log_p, log_q = p.log_prob(X), q.log_prob(X)
    return -_expectation(log_p, log_q, space, shape).astype(log_p.dtype)


def kl_divergence(p, q, space, shape):
    """∫ p log(p/q), in nats, on a grid; +inf where p has mass and q has none."""
    X, _ = space.grid(shape)
    log_p, log_q = p.log_prob(X), q.log_prob(X)
    return (_expectation(log_p, log_p, space, shape)
            - _expectation(log_p, log_q, space, shape)).astype(log_p.dtype)


def jensen_shannon(p, q, space, shape):
    """½ KL(p‖m) + ½ KL(q‖m) with m = ½ (p + q), in nats, on a grid; at most log 2, so finite."""
    X, _ = space.grid(shape)
    log_p, log_q = p.log_prob(X), q.log_prob(X)
    log_m = array_module(X).logaddexp(log_p, log_q) - math.log(2)
    both = sum(_expectation(log, log, space, shape) - _expectation(log, log_m, space, shape)
               for log in (log_p, log_q))
    return (0.5 * both).astype(log_p.dtype)


def _expectation(log_p, g, space, shape):
    """∫ p g, a sum over the cells with mass, in float64; p log p is 0 where p is."""
    xp = array_module(log_p)
    mass = xp.exp(log_p.astype(float) + space.log_cell_volume(shape))       # of each cell
    return (mass * xp.where(mass > 0, g, 0)).sum()


def cross_entropy_estimate(q, X):
    """-∫ p log q from a sample X of p: the mean of -log q over its rows, and its standard error.

    A row outside the support of q makes the value inf and the standard error NaN.
    """
    log_q = q.log_prob(X)
    n = len(log_q)
    if n < 2:
        raise ValueError(f"X must have at least 2 rows for a standard error, got {n}")
    if (log_q == -math.inf).any():
        return math.inf, math.nan
    error = log_q.std(ddof=1, dtype=float) / math.sqrt(n)
    return -log_q.mean(dtype=float).astype(log_q.dtype), error.astype(log_q.dtype)
