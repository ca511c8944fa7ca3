"""Likelihood: how well the parameters θ account for a data set X.

Two boxes hold all fifty points. Which is the better model? The one that expected these points the
more: the one under which the data, as they are, have the higher density. So hold X fixed, and ask
each θ for the density that it gives to X.

The rows of X are taken to be independent and identically distributed: each comes from the same p_θ,
whatever the others are. Then the density of all rows together is the product of theirs. It is
called the likelihood of θ when it is read as a function of θ. For n rows x_i:

    L(θ|X)         = Π_i p_θ(x_i)              likelihood                                    (1)
    ℓ(θ|X)         = Σ_i log p_θ(x_i)          log-likelihood, log L, in nats                (2)
    -ℓ(θ|X)                                    negative log-likelihood                       (3)
    loss(θ)        = -ℓ(θ|X)/n                 what training minimizes: its size does not
                                               grow with the number of rows                  (4)
    ∂loss/∂log p_i = -1/n                      the same for each row; log p_i = log p_θ(x_i) (5)

log grows with its argument, so L and ℓ rank all θ alike. In practice one computes ℓ. The box around
the fifty points gives each the density 1/53,422, so ℓ = -50 log 53,422 = -544.3, while L is near
10^-236; the box of the whole map has ℓ = -50 log 64,800 = -554.0, and is worse. A box over the
western half of the map leaves points outside, so that L = 0 and ℓ = -∞. For the gradient in θ, the
family's `backward` takes (5) and adds up (-1/n) ∂log p_i/∂θ over the rows.

By hand: the three points 1, 2, 4. In the box [0, 5] each has the density 1/5, in [1, 4] it has 1/3.
So L = 1/125 and 1/27, and ℓ = -3 log 5 = -4.828 and -3 log 3 = -3.296; [2, 4] does not hold the 1.

>>> from gdl_numpy.probability.family import BoxFamily
>>> family, X = BoxFamily(1), [[1.0], [2.0], [4.0]]
>>> for theta in ([0.0, 5.0], [1.0, 4.0], [2.0, 4.0]):
...     print(likelihood(family, theta, X).round(6), log_likelihood(family, theta, X).round(3))
0.008 -4.828
0.037037 -3.296
0.0 -inf

See figure_1_06_cliff (ℓ of a box, as one side moves), tests/probability/test_likelihood.py.

Errata.
E06 (tests/probability/test_likelihood.py)  L has a unit, as p has: in other units ℓ moves by a
    constant and θ̂ stays where it is
E08 (tests/probability/test_likelihood.py)  L is not the probability of seeing X, which is 0 for
    continuous data, but a density: times ε^(nd) it is nearly the probability of n cells of side ε
E09 (tests/probability/test_likelihood.py)  the factors of L are not confined to (0, 1): L overflows
    as readily as it underflows; ℓ does neither
E10 (tests/probability/test_likelihood.py)  a box that contains all points has L > 0 on paper; for
    the box of the whole map L is 0.0 in float64 from 68 points on
E11 (tests/probability/test_likelihood.py)  L is not a density over θ: its integral over θ may be
    any positive number, or infinite
E27 (tests/probability/test_likelihood.py)  independent is not enough: the rows are identically
    distributed too, and a row that occurs twice counts twice
E29 (tests/probability/test_likelihood.py)  the θ of largest likelihood is not the most probable θ
    given the data; that needs a prior
"""

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import mean_over_blocks


@numpy.errstate(over="ignore")
def likelihood(family, theta, X):
    """Π p_θ(x) over the rows of X: 1 for no rows; 0.0 or inf where floating point ends.

    It is computed as exp(ℓ): the first half of the rows may overflow and the second underflow where
    the whole product does neither. The logarithms are sorted before they are added, so that the
    order of the rows does not change even the last digit.
    """
    log_p = checks.family(family)(theta).log_prob(X)
    xp = array_module(log_p)
    return xp.exp(xp.sort(log_p).sum(dtype=float)).astype(log_p.dtype)          # (1)


def log_likelihood(family, theta, X):
    """Σ log p_θ(x) over the rows of X, in nats; -inf if p_θ gives some row density 0."""
    log_p = checks.family(family)(theta).log_prob(X)
    return log_p.sum(dtype=float).astype(log_p.dtype)               # (2)


def negative_log_likelihood(family, theta, X):
    """-Σ log p_θ(x) over the rows of X, in nats."""
    return -log_likelihood(family, theta, X)                        # (3)


def mean_loss(family, theta, X):
    """-1/n Σ log p_θ(x) over the rows of X, and its gradient in theta, (n_θ,).

    For families that offer `log_prob(theta, X)`; many rows are taken some thousands at a time.
    """
    log_prob = checks.offers(family, "family", "log_prob").log_prob
    X = checks.observations(X, finite=False, d=getattr(family, "d", None))
    return mean_over_blocks(lambda theta, X: negative_mean(*log_prob(theta, X)), theta,     # (4)
                            checks.not_empty(X), rows=2**13)


def mean(values, backward):
    """1/n Σ_i values_i, and its gradient: `backward` of ∂mean/∂values_i = 1/n, for n > 0 values."""
    checks.one_axis(values, None, "values"), checks.function(backward, "backward")
    xp, n = array_module(values), len(checks.not_empty(values))
    value, dvalues = values.mean(dtype=float), xp.full(n, 1 / n, dtype=values.dtype)
    return value.astype(values.dtype), backward(dvalues)


def negative_mean(log_p, backward):
    """-1/n Σ_i log_p_i, and its gradient: `backward` of -1/n for each row."""
    checks.one_axis(log_p, None, "log_p"), checks.function(backward, "backward")
    value, dtheta = mean(log_p, lambda dlog_p: backward(-dlog_p))   # (5)
    return -value, dtheta
