"""Likelihood: how well parameters θ account for a data set X that is held fixed.

    L(θ|X)  =  Π_i p_θ(x_i)                 likelihood
    ℓ(θ|X)  =  log L(θ|X) = Σ_i log p_θ(x_i)       log-likelihood, in nats
    -ℓ(θ|X)                                 negative log-likelihood

It is a function of θ. Erratum E11: it is no density over θ; its integral over θ can be any number
or infinite (test_e11). Erratum E08: for continuous data it is not the probability of seeing X,
which is 0, but the density of X: times ε^(nd) it is nearly the probability of n cells of side ε
(test_e08). Erratum E06: it has a unit, therefore; in other units ℓ moves by a constant and θ̂ stays
(test_e06). Erratum E09: the factors are not confined to (0, 1), so the product overflows as readily
as it underflows; the sum does neither (test_e09). Erratum E10: a box that contains all points has a
positive likelihood on paper; for the box of the whole map, 64 800 square degrees, it is 0.0 in
float64 from 68 points on (test_e10).
Erratum E27: the rows are independent and identically distributed; one that occurs twice counts
twice (test_e27). Erratum E29: the θ of largest likelihood is not the most probable θ given the
data, which needs a prior (test_e29).
"""

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


@numpy.errstate(over="ignore")
def likelihood(family, theta, X):
    """Π p_θ(x) over the rows of X: 1 for no rows; 0.0 or inf where floating point ends.

    It is exp(ℓ), for a part of the product may overflow, and another underflow, where the whole
    does neither; the order of the rows does not matter, not even to the last digit.
    """
    log_p = family(theta).log_prob(X)
    xp = array_module(log_p)
    return xp.exp(xp.sort(log_p).sum(dtype=float)).astype(log_p.dtype)


def log_likelihood(family, theta, X):
    """Σ log p_θ(x) over the rows of X, in nats; -inf if p_θ gives some row density 0."""
    log_p = family(theta).log_prob(X)
    return log_p.sum(dtype=float).astype(log_p.dtype)


def negative_log_likelihood(family, theta, X):
    """-Σ log p_θ(x) over the rows of X, in nats: what training minimises."""
    return -log_likelihood(family, theta, X)


def mean_loss(family, theta, X):
    """-1/n Σ log p_θ(x), the negative log-likelihood per row, and its gradient in theta, (n_θ,).

    For families whose `log_prob(theta, X)` returns its value and its pullback.
    """
    return negative_mean(*family.log_prob(theta, X))


def mean(values, backward):
    """1/n Σ values, and what `backward` makes of its derivative 1/n in each row; (n,), n > 0."""
    xp, n = array_module(values), len(checks.not_empty(values))
    value, dvalues = values.mean(dtype=float), xp.full(n, 1 / n, dtype=values.dtype)
    return value.astype(values.dtype), backward(dvalues)


def negative_mean(log_p, backward):
    """-1/n Σ log_p, and its gradient by `backward`, as `mean` has them."""
    value, dtheta = mean(log_p, lambda dlog_p: backward(-dlog_p))
    return -value, dtheta
