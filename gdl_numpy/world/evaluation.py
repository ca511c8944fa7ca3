"""Evaluation: precision and recall of a generative model, and its divergence from p_data.

The box around the fifty points is a model of the map. How good is it? Figure 1-6 of the chapter
marks three points, each of another kind. A and B are the two ways in which a model can fail:

    A   the model makes it, p_data does not: a point in the sea       p_model > 0, p_data = 0
    B   p_data makes it, the model does not: land outside the box     p_model = 0, p_data > 0
    C   both make it: land in the box                                 p_model > 0, p_data > 0

A model may fail in either way and not in the other, so two numbers are needed. They are called the
precision and the recall of a generative model (Sajjadi et al. 2018, Kynkäänniemi et al. 2019):

    precision   share of the model's mass where p_data > 0        the rest is of the kind A
    recall      share of p_data's mass where p_model > 0          the rest is of the kind B

A model that makes only some kinds of data, however well, suffers from mode collapse: its precision
stays at 1, and its recall falls. `accuracy`, the chapter's word, is precision; it counts which of n
samples p_data contains. `coverage` estimates recall, also for models that can only sample: cut the
plane into square cells and ask which are hit. The samples in the sea are left out, since precision
has counted them; m remain. Even m draws of p_data miss some cells, so they are the standard:

    accuracy = m/n                                                                               (1)
    coverage = cells hit by these m samples / cells hit by m draws of p_data                     (2)
    KL(p_data‖p_model) = H(p_data, p_model) - H(p_data)      both failures in one number         (3)

where H(p_data, p_model) is the mean of -log p_model over p_data, and H(p_data) that of -log p_data
(divergence.py). With n = 100,000 the box has accuracy 0.38 and coverage 0.95; a model uniform on
Africa alone has 1 and 0.11: mode collapse. Two cautions. A model spread more evenly over the cells
than p_data hits more of them, and its coverage exceeds 1. A model whose density is positive
everywhere, such as the normal, has recall 1, and its samples may still leave out land.

By hand: p_data is uniform on [0, 4] x [0, 1], the model on [3, 5] x [0, 1]. Half of the model lies
where p_data > 0, and there it hits one of four cells of side 1:

>>> import numpy
>>> from types import SimpleNamespace
>>> from gdl_numpy.probability.family import BoxFamily
>>> strip, p_model = BoxFamily(2)([0, 0, 4, 1]), BoxFamily(2)([3, 0, 5, 1])
>>> p_data = SimpleNamespace(sample=strip.sample, contains=strip.space.contains)
>>> rng = numpy.random.default_rng(0)
>>> print(accuracy(p_model, p_data, 10_000, rng).round(2), coverage(p_model, p_data, 100, rng, 1))
0.5 0.25

See figure_1_06_world (A, B and C), figure_1_06_densities (both numbers of better models) and
tests/world/test_evaluation.py (that it holds).

Errata.
E18 (tests/world/test_evaluation.py)  p_data does not merely seem small at A: it is exactly 0 there
    and in all the sea around. One such point makes no divergence infinite, but a share of the
    model's mass in the sea does: KL(p_model‖p_data) = ∞. A share of the land outside the model's
    support makes KL(p_data‖p_model) = ∞. The box has both, and still its Jensen-Shannon divergence
    is at most log 2
"""

import math
from dataclasses import dataclass

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.divergence import cross_entropy_estimate


@dataclass(frozen=True)
class Verdict:
    """Both densities at a point, and its kind: "A", "B", "C" or, if both are 0, "neither"."""
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
    with numpy.errstate(over="ignore"):                     # a density may be too large: inf
        return Verdict(float(xp.exp(log_data)), float(xp.exp(log_model)), kind)


def accuracy(p_model, p_data, n, rng):
    """The precision of the model: the share, from 0 to 1, of its n samples that p_data contains."""
    checks.offers(p_data, "p_data", "contains")
    return p_data.contains(_samples(p_model, n, rng)).mean()                            # (1)


def coverage(p_model, p_data, n, rng, cell=2.0):
    """The recall of the model, by n samples of it: cells that it hits over cells that p_data hits.

    For points of the plane, in cells of side `cell`, in the unit of x. It is 0 if no sample lies in
    the support of p_data, and for p_data itself near 1. There should be more samples than cells:
    where cells are so small that each holds at most one point, the result is 1 for every model.
    """
    cell = checks.number(cell, "cell", "(0, inf)")
    checks.offers(p_data, "p_data", "sample", "contains")
    X = _samples(p_model, n, rng)
    X = X[p_data.contains(X)]
    if len(X) == 0:
        return 0.0
    return cells_hit(X, cell) / cells_hit(p_data.sample(len(X), rng), cell)             # (2)


def kl_to_data(p_model, p_data, X):
    """KL(p_data‖p_model) in nats, and its standard error, from draws X of p_data, (n, d).

    The draws must be new to the model, and `p_data.entropy` is H(p_data). The result is (inf, NaN)
    if the model gives some row the density 0.
    """
    checks.offers(p_model, "p_model", "log_prob")
    entropy = checks.number(getattr(p_data, "entropy", None), "p_data.entropy")
    value, standard_error = cross_entropy_estimate(p_model, X)
    return value - entropy, standard_error                                              # (3)


def cells_hit(X, cell):
    """The number of squares of side `cell`, lower border included, that hold rows of X (n, 2)."""
    X, cell = checks.observations(X, d=2), checks.number(cell, "cell", "(0, inf)")
    X = X.astype(float)
    xp = array_module(X)
    alone = abs(X) >= 2**53 * cell              # there floats are at least a cell apart
    number = xp.where(alone, X, xp.where(alone, 0, X) // cell)
    keys = xp.concatenate([number, alone], axis=1).T
    keys = keys[:, xp.lexsort(keys)]            # equal cells side by side
    return int((keys[:, 1:] != keys[:, :-1]).any(axis=0).sum()) + min(len(X), 1)


def _samples(p_model, n, rng):
    checks.offers(p_model, "p_model", "sample")
    return p_model.sample(checks.whole_number(n, "n", least=1), checks.rng(rng))
