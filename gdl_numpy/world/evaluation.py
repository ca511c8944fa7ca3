"""Evaluation: the points A, B and C of the chapter as measures of a model against p_data.

    A   the model makes it, p_data does not: a point in the sea       p_model > 0, p_data = 0
    B   the model never makes it, p_data does: land outside the box   p_model = 0, p_data > 0
    C   both make it                                                  p_model > 0, p_data > 0

How much of the model is A, and how much of the world is B?

    accuracy   share of the model's samples that lie in the support of p_data; A is the rest
    coverage   land cells hit by n samples / land cells hit by n draws of p_data; B is the rest
    KL         KL(p_data‖p_model) = H(p_data, p_model) - H(p_data), in nats: one number for both

Coverage counts cells because it has to serve models without a density as well: these have no
support that one could ask for, only samples. More samples reach more cells, therefore both sides
draw equally many; p_data itself scores 1, but for chance. A model with positive density everywhere,
such as the normal, has no B at all in the strict sense, and still may miss land in practice.

Erratum E18: p_data(A) is exactly 0, it does not merely seem small. So any model with a share in the
sea has KL(p_model‖p_data) = ∞, any that excludes some land has KL(p_data‖p_model) = ∞, the box
both. The Jensen-Shannon divergence of divergence.py is finite, at most log 2 (test_e18).
"""

import math
from dataclasses import dataclass

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.divergence import cross_entropy_estimate


def accuracy(p_model, p_data, n, rng):
    """The share of n samples of the model that lie in the support of p_data, between 0 and 1."""
    checks.offers(p_model, "p_model", "sample"), checks.offers(p_data, "p_data", "contains")
    n, rng = checks.whole_number(n, "n", least=1), checks.rng(rng)
    return p_data.contains(p_model.sample(n, rng)).mean()


def coverage(p_model, p_data, n, rng, cell=2.0):
    """The number of cells of side `cell` that n samples of the model hit inside the support of
    p_data, over the number hit by n draws of p_data. In the plane, `cell` in the unit of x; a model
    that spreads wide can exceed 1 a little."""
    checks.offers(p_model, "p_model", "sample")
    checks.offers(p_data, "p_data", "sample", "contains")
    cell = checks.number(cell, "cell", "(0, inf)")
    return _cells_hit(p_model, p_data, n, rng, cell) / _cells_hit(p_data, p_data, n, rng, cell)


def _cells_hit(p, p_data, n, rng, cell):
    X = p.sample(checks.whole_number(n, "n", least=1), checks.rng(rng))
    return cells_hit(X[p_data.contains(X)], cell)


def cells_hit(X, cell):
    """The number of squares of side `cell` that hold rows of X (n, 2)."""
    X, cell = checks.real_array(X, "X"), checks.number(cell, "cell", "(0, inf)")
    X, xp = checks.observations(X, X, d=2), array_module(X)
    number = xp.floor(X / cell).astype(int)
    width = 2 * int(abs(number).max()) + 1 if number.size else 1
    return len(xp.unique(number @ xp.asarray([width, 1])))


def kl_to_data(p_model, p_data, X):
    """KL(p_data‖p_model) in nats, and its standard error, from draws X of p_data, (n, d).

    The draws must be new to the model; p_data knows its entropy. (inf, NaN) if the model gives some
    row density 0.
    """
    checks.offers(p_model, "p_model", "log_prob"), checks.offers(p_data, "p_data", "log_prob")
    value, standard_error = cross_entropy_estimate(p_model, X)
    return value - p_data.entropy, standard_error


@dataclass(frozen=True)
class Verdict:
    """Both densities at a point, and its kind: "A", "B", "C" or "neither"."""
    p_data: float
    p_model: float
    kind: str


def verdict(p_model, p_data, x):
    """The Verdict on one point x, shape (d,)."""
    checks.offers(p_model, "p_model", "log_prob"), checks.offers(p_data, "p_data", "log_prob")
    X = checks.real_array(x, "x")[None]
    xp = array_module(X)
    log_data, log_model = p_data.log_prob(X)[0], p_model.log_prob(X)[0]
    kinds = {(False, True): "A", (True, False): "B", (True, True): "C", (False, False): "neither"}
    kind = kinds[bool(log_data > -math.inf), bool(log_model > -math.inf)]
    return Verdict(float(xp.exp(log_data)), float(xp.exp(log_model)), kind)
