"""Conditional generative model: p(x|y), the density of the observations that have the label y.

"Make me an apple": a model of fruit in general cannot do that, a conditional one can. On the map
the label is the continent, and 93% of the points that a mixture of normals makes on request for
Africa lie in Africa (figure_1_02_map).

The idea: fit one density to the rows of each label, and note how frequent each label is. Together
the two are the joint distribution of x and y, from which everything else follows, even a
classifier: among all that look like this x, how frequent is each label?

    joint      p(x, y) = p(x|y) p(y)                 p(y), the priors, sum to 1                  (1)
    marginal   p(x)    = Σ_y p(x, y)                 the generative model without a label        (2)
    posterior  p(y|x)  = p(x, y) / p(x)              Bayes' rule: a classifier                   (3)

So the discriminative and the generative model are two sides of one joint distribution. If all
p(x|y) are normal with one covariance C, both even have the same formula. For rows x, µ_0 and µ_1,

    C = Σ_y p(y) C_y                                 C_y: covariance of the rows of label y      (4)
    log(p(1|x)/p(0|x)) = log(p(1)/p(0)) - ½ (x - µ_1) C⁻¹ (x - µ_1)ᵀ + ½ (x - µ_0) C⁻¹ (x - µ_0)ᵀ
                       = x · w + b
    w = (µ_1 - µ_0) C⁻¹        b = log(p(1)/p(0)) - ½ (µ_1 + µ_0) · w

because log det C and x C⁻¹ xᵀ cancel, and since C⁻¹ is symmetric, the terms without x are
µ_1 C⁻¹ µ_1ᵀ - µ_0 C⁻¹ µ_0ᵀ = (µ_1 + µ_0) C⁻¹ (µ_1 - µ_0)ᵀ. This is logistic regression, and to find
w and b this way is called linear discriminant analysis.

Can a classifier create in turn? Yes, if it tells data from a noise that can be drawn. Let D(x) be
its probability of "data". Draw noise, and keep each draw with a probability proportional to the
odds D/(1 - D): what is left is data (`noise_kept` shows why). With u uniform on (0, 1) and a bound
that log(D/(1 - D)) nowhere exceeds, this is called rejection sampling:

    keep x if log u < log(D(x)/(1 - D(x))) - bound                                               (5)

By hand: apples (0) are between 6 and 8 cm wide, pears (1) between 7 and 11, both uniformly, and
both are equally frequent. At 7.5 cm the joint is ½ · ½ for apples, ½ · ¼ for pears: two to one.

>>> from gdl_numpy.probability.density import Box
>>> fruit = ClassConditional([Box([6.0], [8.0]), Box([7.0], [11.0])], [0.5, 0.5])
>>> print(numpy.exp(fruit.log_posterior([[7.5], [9.0]])).round(3))
[[0.667 0.333]
 [0.    1.   ]]

See figure_1_02_map (both sides), figure_1_02_sampler (noise becomes land),
figure_1_02_learning_curves (which side needs fewer data) and tests/labels/test_conditional.py
(that it holds).

Errata.
E20 (tests/labels/test_conditional.py)  p(x|y) is a density in x for each y; the joint sums to 1
E21 (tests/labels/test_conditional.py)  p(x) needs no labels; p(x|y) does, and also classifies
E22 (tests/labels/test_conditional.py)  a perfect discriminator can create, out of noise
E23 (tests/labels/test_conditional.py)  the generative problem is not always the harder one
"""

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import logsumexp
from gdl_numpy.numerics.moments import moments
from gdl_numpy.probability.density import Mixture, Normal, cholesky, sample_components
from gdl_numpy.probability.mle import maximum_likelihood

BLOCK = 2**18                                               # most rows of noise drawn at a time

class ClassConditional(Described):
    """One density for each label 0, ..., K - 1, all on the same space, and `priors` p(y), (K,)."""

    def __init__(self, densities, priors):
        self.densities = checks.densities(densities, "densities")
        self.priors = checks.probabilities(priors, "priors")
        if self.priors.shape != (len(self.densities),):
            raise ValueError(f"priors must have shape ({len(self.densities)},), one for each "
                             f"density, got shape {self.priors.shape}")

    @numpy.errstate(divide="ignore")                        # log 0 = -inf is meant
    def log_joint(self, X):
        """log p(x, y) for each row of X and each label, shape (n, K)."""
        return self._log_prob_of_each(X) + array_module(self.priors).log(self.priors)       # (1)

    def log_prob(self, X, y):
        """log p(x|y) for each row of X and its label, shape (n,)."""
        X = checks.observations(checks.real_array(X, "X", like=checks.wider(self.priors, X)))
        y = checks.labels(y, X, len(self.densities))

        def of_their_labels(i, j):
            log_p = self._log_prob_of_each(X[i:j])
            return array_module(y).take_along_axis(log_p, y[i:j, None], axis=1)[:, 0]

        return in_blocks(of_their_labels, len(X))

    def _log_prob_of_each(self, X):
        """log p(x|y) for each row of X and each label, shape (n, K)."""
        return array_module(self.priors).stack([p.log_prob(X) for p in self.densities], axis=1)

    def marginal(self):
        """p(x), a density."""
        return Mixture(self.priors, self.densities)                                         # (2)

    @numpy.errstate(invalid="ignore")
    def log_posterior(self, X):
        """log p(y|x) by Bayes' rule, shape (n, K). NaN where p(x) = 0: the rule says nothing there.
        """
        log_joint = self.log_joint(X)
        return log_joint - logsumexp(log_joint, axis=1, keepdims=True)                      # (3)

    def sample(self, n, rng, y=None):
        """n observations of label y, (n, d); without y, of random labels: X (n, d) and y (n,)."""
        n = checks.draws(n, rng)
        if y is None:
            return sample_components(self.priors, self.densities, n, rng)
        y = checks.whole_number(y, "y", most=len(self.densities) - 1)
        return self.densities[y].sample(n, rng)

    @classmethod
    def fit(cls, family, X, y, **how):
        """The maximum likelihood estimate: `family` on the rows of each label, p(y) their shares.

        `how` goes to maximum_likelihood: rng, tol, and so on.
        """
        X, rows = _by_label(X, y)
        checks.family(family)
        densities = [family(maximum_likelihood(family, X[i], **how)) for i in rows]
        return cls(densities, _shares(X, rows))

    @classmethod
    def fit_normals_with_common_covariance(cls, X, y):
        """The maximum likelihood estimate among N(µ_y, C), all with one C: linear discriminants.

        Each µ_y is the mean of its rows, and C the covariance of all rows around the mean of their
        label, which is (4); the proof is that of NormalFamily.mle. If x given y really is normal
        with one C and there are clearly more rows than dimensions, logistic regression, which finds
        the same kind of posterior, needs more data to find it as well: it is typically between one
        half and two thirds as efficient (Efron 1975, Journal of the American Statistical
        Association 70, 892). With fewer rows C is nearly singular, and where the assumption is
        wrong logistic regression wins.
        """
        X, rows = _by_label(X, y)
        checks.in_range(X)
        xp, shares = array_module(X), [len(i) / len(X) for i in rows]
        means, covariances = zip(*(moments(X[i]) for i in rows), strict=True)
        covariance = sum(p * C for p, C in zip(shares, covariances, strict=True))           # (4)
        size = xp.sqrt(sum(p * mu**2 for p, mu in zip(shares, means, strict=True)))
        checks.varying(X, "X", size, covariance.diagonal(), " within its labels")
        try:
            L = cholesky(covariance).astype(X.dtype)
        except ValueError as error:
            raise ValueError("X has a singular common covariance, so its likelihood has no maximum:"
                             f" its {len(X)} rows lie, to rounding and up to a shift for each "
                             f"label, in a plane of fewer than {X.shape[1]} dimensions") from error
        return cls([Normal.from_cholesky(mu.astype(X.dtype), L) for mu in means],
                   _shares(X, rows))


def noise_kept(classifier, noise, n, rng, log_odds_bound):
    """n draws of p_data from draws of noise, by a classifier of data (1) against noise (0), (n, d).

    For a perfect classifier of half data and half noise, Bayes' rule with p(y) = ½ gives

        D = p_data/(p_data + p_noise),    1 - D = p_noise/(p_data + p_noise)

    so D/(1 - D) = p_data/p_noise. A draw of noise is kept with the probability D/(1 - D) divided by
    exp(log_odds_bound), so the density of what is kept is proportional to
    p_noise · p_data/p_noise = p_data. Where the log-odds exceed the bound there are too few draws,
    and each error of a learned classifier is one of the sampler. With a classifier that rejects all
    noise this function never ends.
    """
    checks.offers(classifier, "classifier", "log_posterior")
    checks.offers(noise, "noise", "sample")
    log_odds_bound = checks.number(log_odds_bound, "log_odds_bound")
    n = checks.draws(n, rng)
    kept, missing = [noise.sample(0, rng)], n
    shape = classifier.log_posterior(kept[0]).shape
    if shape != (0, 2):
        raise ValueError("classifier must have two classes, noise and data, got the shape "
                         f"{shape} for no rows")
    while missing > 0:
        X = noise.sample(min(4 * missing + 64, BLOCK), rng)
        log_p = classifier.log_posterior(X)
        log_odds = log_p[:, 1] - log_p[:, 0]                # log(D/(1 - D))
        xp = array_module(X)
        log_u = xp.log1p(-rng.random(len(X)))               # of u = 1 - random, which is never 0
        X = X[(log_u < log_odds - log_odds_bound).nonzero()[0]]                             # (5)
        kept.append(X)
        missing -= len(X)
    return array_module(kept[0]).concatenate(kept)[:n]


def _by_label(X, y):
    """X as an array and, for each label, the numbers of its rows; every label must occur."""
    X = checks.data_set(X)
    y = checks.different_labels(checks.labels(y, X))
    n_classes = int(y.max()) + 1
    checks.every_label(y, n_classes)
    return X, [(y == k).nonzero()[0] for k in range(n_classes)]


def _shares(X, rows):
    """p(y) as the share of the rows of X that have each label, (K,)."""
    return array_module(X).asarray([len(i) / len(X) for i in rows], dtype=X.dtype)
