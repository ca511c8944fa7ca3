"""Evaluation: the points A, B and C of the chapter as measures of a model against p_data.

    A   the model makes it, p_data does not: a point in the sea       p_model > 0, p_data = 0
    B   p_data makes it, the model does not: land outside the box     p_model = 0, p_data > 0
    C   both make it                                                  p_model > 0, p_data > 0

Why: a model can fail in two ways, which have nothing to do with each other: it makes what p_data
does not, or it leaves out what p_data makes. Idea: ask for both. In the field's words the first is
a lack of precision, the second a lack of recall (Sajjadi et al. 2018, Kynkäänniemi et al. 2019):

    precision   share of what the model makes that lies in the support of p_data     1 - share of A
    recall      share of the support of p_data that the model makes as well          1 - share of B

Here `accuracy`, the chapter's word, is precision, and `coverage` is recall. A mean over samples is
all that precision takes. For recall one would have to know the support of the model, and many have
no density to ask, only samples, of which n can never be everywhere. So cut the plane into cells. Of
n samples m lie in the support of p_data; hold the cells that they hit against those of m true
draws, which cannot be everywhere either:

    accuracy = m/n                                                                          (1)
    coverage = cells hit by these m samples / cells hit by m draws of p_data                (2)

Samples in the sea do not count a second time in (2): precision has counted them. So p_data itself
has coverage 1, but for chance; so has the uniform density of the whole map, two thirds of which is
A; and a model that copies one continent has accuracy 1 and a small coverage (mode collapse). A
model spread more evenly over the cells than p_data, as "map" is if p_data is "sphere", exceeds 1.

    KL          KL(p_data‖p_model) = H(p_data, p_model) - H(p_data), in nats: one number for both

A model with positive density everywhere, such as the normal, has no B at all in the strict sense,
and yet its samples may leave out land.

Erratum E18: p_data does not merely seem small at A, it is exactly 0 there and in all the sea around
it. One such point makes no divergence infinite; a share of the model's mass in the sea does: then
KL(p_model‖p_data) = ∞. If some share of the land is B, KL(p_data‖p_model) = ∞; for the box both
hold. The Jensen-Shannon divergence of divergence.py is finite, at most log 2 (test_e18).
"""

import math
from dataclasses import dataclass

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.divergence import cross_entropy_estimate


def accuracy(p_model, p_data, n, rng):
    """The precision of the model: the share, between 0 and 1, of n samples of it that lie in the
    support of p_data."""
    checks.offers(p_data, "p_data", "contains")
    return p_data.contains(_samples(p_model, n, rng)).mean()                                # (1)


def coverage(p_model, p_data, n, rng, cell=2.0):
    """The recall of the model: the number of cells of side `cell` that those of n samples hit that
    lie in the support of p_data, over the number hit by as many draws of p_data.

    In the plane; `cell` has the unit of x. At least 0, which it is if no sample lies in the
    support; 1 for p_data itself, but for chance. With cells so small that each holds one point it
    is 1 for every model: there should be fewer cells than samples.
    """
    cell = checks.number(cell, "cell", "(0, inf)")
    checks.offers(p_data, "p_data", "sample", "contains")
    X = _samples(p_model, n, rng)
    X = X[p_data.contains(X)]
    if len(X) == 0:
        return 0.0
    return cells_hit(X, cell) / cells_hit(p_data.sample(len(X), rng), cell)                 # (2)


def _samples(p_model, n, rng):
    checks.offers(p_model, "p_model", "sample")
    return p_model.sample(checks.whole_number(n, "n", least=1), checks.rng(rng))


def cells_hit(X, cell):
    """The number of squares of side `cell`, lower border included, that hold rows of X (n, 2)."""
    X, cell = checks.observations(X, d=2), checks.number(cell, "cell", "(0, inf)")
    X = X.astype(float)
    xp = array_module(X)
    alone = abs(X) >= 2**53 * cell              # floats there are farther apart than a cell is wide
    number = xp.where(alone, X, xp.where(alone, 0, X) // cell)
    keys = xp.concatenate([number, alone], axis=1).T
    keys = keys[:, xp.lexsort(keys)]            # equal cells side by side
    return int((keys[:, 1:] != keys[:, :-1]).any(axis=0).sum()) + min(len(X), 1)


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
