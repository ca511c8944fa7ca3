"""Divergence: one number that says how far one density is from another.

A box has been fitted to fifty points of the map. It is not p_data: it covers the Atlantic and
leaves out some land. How wrong is it? Two densities differ at many x, and one number is wanted: 0
where they are the same, and larger the more the model misses.

The idea: let each observation x cost -log q(x) nats under the model q, little where q expects many
observations and much where it expects few. If p is the truth, what x costs on average is the
cross-entropy H(p, q). It is least for the model q = p, and is then called the entropy H(p). What q
costs beyond that is the Kullback-Leibler divergence KL(p‖q):

    total mass       ∫ p                                          1 for a density               (1)
    entropy          H(p)     = -∫ p log p                                                      (2)
    cross-entropy    H(p, q)  = -∫ p log q                                                      (3)
    KL divergence    KL(p‖q)  =  ∫ p log(p/q) = H(p, q) - H(p)    at least 0                    (4)

KL is at least 0 because log t <= t - 1 for every t > 0, with equality for t = 1 alone: with t = q/p

    -KL(p‖q) = ∫ p log(q/p) <= ∫ p (q/p - 1) <= ∫ q - ∫ p = 0

Where q is 0 but p has mass, x costs -log 0 and KL(p‖q) = ∞; where p is 0, 0 log 0 counts as 0, the
limit of p log p. In general KL(p‖q) and KL(q‖p) differ, and for the map and its box both are
infinite: the box has mass in the sea, and some land is outside. The Jensen-Shannon divergence
compares each with the mixture of both, m. It is finite: p/m is at most 2 because m is at least p/2.

    m = ½ (p + q)                                                                               (5)
    JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m)           from 0 to log 2 = 0.693; map and box: 0.293      (6)

An integral is a sum over the cells of a grid with centers c; X is a sample of n rows from p:

    ∫ p g   = Σ_c p(c) g(c) · volume of a cell                                                  (7)
    H(p, q) = mean of -log q(x) over X, with the standard error (std of log q(x))/√n            (8)

A grid of k cells for each of d coordinates has k^d cells, too many from d = 4 or 5 on. A sample
works in any dimension, and (8) needs no formula for p.

By hand: p is uniform on [0, 1] and q on [0, 4]. So p/q = 4 where p has mass, and KL(p‖q) is log 4.
The other way it is infinite, as q has mass where p is 0:

>>> from gdl_numpy.probability.density import Box
>>> from gdl_numpy.probability.sample_space import SampleSpace
>>> line, p, q = SampleSpace([0], [4]), Box([0], [1]), Box([0], [4])
>>> print(round(float(kl_divergence(p, q, line, (8,))), 6), kl_divergence(q, p, line, (8,)))
1.386294 inf

See figure_1_06_world (map and box) and tests/probability/test_divergence.py (that it holds).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.sample_space import SampleSpace


def total_mass(p, space, shape):
    """∫ p over `space`, as a sum over the centers of the cells of a grid of `shape`."""
    X = _grid(space, shape, p=p)
    log_p = p.log_prob(X)
    return _expectation(log_p, 1, space, shape).astype(log_p.dtype)                 # (1)


def entropy(p, space, shape):
    """-∫ p log p, in nats, on a grid."""
    return cross_entropy(p, p, space, shape)                                        # (2)


def cross_entropy(p, q, space, shape):
    """-∫ p log q, in nats, on a grid; +inf where p has mass and q has none."""
    X = _grid(space, shape, p=p, q=q)
    log_p, log_q = p.log_prob(X), q.log_prob(X)
    return -_expectation(log_p, log_q, space, shape).astype(log_p.dtype)            # (3)


def kl_divergence(p, q, space, shape):
    """∫ p log(p/q), in nats, on a grid; +inf where p has mass and q has none."""
    X = _grid(space, shape, p=p, q=q)
    log_p, log_q = p.log_prob(X), q.log_prob(X)
    return (_expectation(log_p, log_p, space, shape)
            - _expectation(log_p, log_q, space, shape)).astype(log_p.dtype)         # (4)


def jensen_shannon(p, q, space, shape):
    """½ KL(p‖m) + ½ KL(q‖m) with m = ½ (p + q), in nats, on a grid; at most log 2, so finite."""
    X = _grid(space, shape, p=p, q=q)
    log_p, log_q = p.log_prob(X), q.log_prob(X)
    log_m = array_module(X).logaddexp(log_p, log_q) - math.log(2)                   # (5)
    both = sum(_expectation(log, log, space, shape) - _expectation(log, log_m, space, shape)
               for log in (log_p, log_q))
    return (0.5 * both).astype(log_p.dtype)                                         # (6)


def _grid(space, shape, **densities):
    """The centers of the cells of a grid, (cells, d)."""
    for name, p in densities.items():
        checks.offers(p, name, "log_prob")
    return checks.instance(space, "space", SampleSpace).grid(shape)[0]


def _expectation(log_p, g, space, shape):
    """∫ p g, a sum over the cells with mass, in float64; so 0 log 0 counts as 0."""
    xp = array_module(log_p)
    mass = xp.exp(log_p.astype(float) + space.log_cell_volume(shape))       # of each cell
    return (mass * xp.where(mass > 0, g, 0)).sum()                                  # (7)


def cross_entropy_estimate(q, X):
    """-∫ p log q from a sample X of p: the mean of -log q over its rows, and its standard error.

    A row outside the support of q makes the value inf and the standard error NaN.
    """
    log_q = checks.offers(q, "q", "log_prob").log_prob(X)
    n = len(log_q)
    if n < 2:
        raise ValueError(f"X must have at least 2 rows for a standard error, got {n}")
    if (log_q == -math.inf).any():
        return math.inf, math.nan
    error = log_q.std(ddof=1, dtype=float) / math.sqrt(n)
    return -log_q.mean(dtype=float).astype(log_q.dtype), error.astype(log_q.dtype)  # (8)
