"""Conditional generative modeling: p(x|y), observations of a kind that is asked for.

A density for each label y, and the probabilities p(y) of the labels, the priors, model both:

    joint      p(x, y) = p(x|y) p(y)                 Σ_y ∫ p(x, y) dx = 1
    marginal   p(x)    = Σ_y p(x, y)                 the generative model that needs no label
    posterior  p(y|x)  = p(x, y) / p(x)              Bayes' rule: a classifier, for nothing

So a discriminative and a generative model are two sides of one joint distribution. For normal
densities with one common covariance Σ the posterior is exactly that of logistic regression:

    log p(y=1|x)/p(y=0|x) = x · w + b,   w = Σ⁻¹ (µ1 - µ0),   b = log p(1)/p(0) - ½ (µ1 + µ0) · w

Erratum E20: p(x|y) is not the probability that x has the label y. It is a density in x for each y,
∫ p(x|y) dx = 1; it is the joint that sums to 1 over both (test_e20). Erratum E21: p(x) needs no
labels, but p(x|y) does, and then it also classifies (test_e21). Erratum E22: a perfect
discriminator can generate: if it tells p_data from noise of known density, half of each, then

    D(x) = p_data(x) / (p_data(x) + p_noise(x)),   so   p_data = p_noise · D/(1 - D),

and noise kept with probability proportional to D/(1 - D) is a draw of p_data (test_e22). Erratum
E23: no theorem makes the generative problem the harder one. If x given y really is normal with one
Σ, and there are clearly more rows than dimensions, the normal densities above need fewer data than
logistic regression, which estimates the same posterior and is between one half and two thirds as
efficient (Efron 1975, Journal of the American Statistical Association 70, 892; test_e23); with
fewer rows their Σ is nearly singular, and where the assumption is wrong logistic regression wins.
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


class ClassConditional(Described):
    """One density for each label 0, ..., K - 1, all on the same space, and `priors` p(y), (K,)."""

    def __init__(self, densities, priors):
        self.densities, self.priors = tuple(densities), checks.probabilities(priors, "priors")
        if self.priors.shape != (len(self.densities),):
            raise ValueError(f"priors must have shape ({len(self.densities)},), one for each "
                             f"density, got shape {self.priors.shape}")

    @classmethod
    def fit(cls, family, X, y, **how):
        """The maximum likelihood estimate: `family` on the rows of each label, p(y) their shares.

        `how` goes to maximum_likelihood: rng, tol, and so on.
        """
        X, rows = _by_label(X, y)
        densities = [family(maximum_likelihood(family, X[i], **how)) for i in rows]
        return cls(densities, _shares(X, rows))

    @classmethod
    def fit_normals_with_common_covariance(cls, X, y):
        """The maximum likelihood estimate among N(µ_y, Σ), all with one Σ; linear discriminant
        analysis is its other name."""
        X, rows = _by_label(X, y)
        xp, shares = array_module(X), [len(i) / len(X) for i in rows]
        means, covariances = zip(*(moments(X[i]) for i in rows), strict=True)
        covariance = sum(p * C for p, C in zip(shares, covariances, strict=True))
        size = xp.sqrt(sum(p * mu**2 for p, mu in zip(shares, means, strict=True)))
        checks.varied(size, covariance.diagonal(), X, where=" within its labels")
        try:
            L = cholesky(covariance).astype(X.dtype)
        except ValueError as error:
            raise ValueError("X has a singular common covariance, so its likelihood has no maximum:"
                             f" its {len(X)} rows lie, to rounding and up to a shift for each "
                             f"label, in a plane of fewer than {X.shape[1]} dimensions") from error
        return cls([Normal.from_cholesky(mu.astype(X.dtype), L) for mu in means],
                   _shares(X, rows))

    @numpy.errstate(divide="ignore")                        # log 0 = -inf is meant
    def log_joint(self, X):
        """log p(x, y) for each row of X and each label, shape (n, K)."""
        return self._log_prob_of_each(X) + array_module(self.priors).log(self.priors)

    def log_prob(self, X, y):
        """log p(x|y) for each row of X and its label, shape (n,)."""
        X = checks.real_array(X, "X", like=self.priors)
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
        return Mixture(self.priors, self.densities)

    @numpy.errstate(invalid="ignore")
    def log_posterior(self, X):
        """log p(y|x) by Bayes' rule, shape (n, K); NaN where p(x) = 0 and the rule says nothing."""
        log_joint = self.log_joint(X)
        return log_joint - logsumexp(log_joint, axis=1, keepdims=True)

    def sample(self, n, rng, y=None):
        """n observations of label y, (n, d); without y, of random labels: X (n, d) and y (n,)."""
        n = checks.draws(n, rng)
        if y is None:
            return sample_components(self.priors, self.densities, n, rng)
        y = checks.whole_number(y, "y", most=len(self.densities) - 1)
        return self.densities[y].sample(n, rng)


def noise_kept(classifier, noise, n, rng, log_odds_bound):
    """n draws of p_data from draws of noise, by a classifier of data (1) against noise (0), (n, d).

    It is meant for a classifier of half data, half noise; it never returns if that rejects all.
    A draw of noise is kept with probability D/(1 - D) / exp(log_odds_bound). That is exact if the
    classifier is perfect and its log-odds nowhere exceed the bound; where they do, the draws are
    fewer than they should be, and a learned classifier's errors are the sampler's.
    """
    log_odds_bound = checks.number(log_odds_bound, "log_odds_bound")
    n = checks.draws(n, rng)
    kept, missing = [noise.sample(0, rng)], n
    while missing > 0:
        X = noise.sample(4 * missing + 64, rng)
        log_p = classifier.log_posterior(X)
        log_odds = log_p[:, 1] - log_p[:, 0]
        xp = array_module(X)
        X = X[(xp.log1p(-rng.random(len(X))) < log_odds - log_odds_bound).nonzero()[0]]
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
