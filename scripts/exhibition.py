"""Exhibition: labeled pictures by two painters, and a judge who learned from some of them."""

from progress import bar
from sharing import once
from style import BLUE, ORANGE

from gdl_numpy.labels.logistic import LogisticFamily
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.pictures.painters import N_FEATURES, features, paint

N, N_NEW = 1200, 1200                                       # pictures, half by each painter
COLORS = (BLUE, ORANGE)                                    # of painter 0 and painter 1
PAINTERS = ("blocks", "strokes")                            # what each of them mostly paints


def exhibition(n, rng):
    """n pictures, half by each painter in random order, and who made them."""
    pictures = [paint(painter, n // 2, rng) for painter in bar((0, 1), unit="painter")]
    xp = array_module(pictures[0])
    order = rng.random(n).argsort()
    return xp.concatenate(pictures)[order], (xp.arange(n) >= n // 2).astype(int)[order]


class Judge:
    """Logistic regression on standardized features: trained on pictures, log p(y|picture)."""

    def __init__(self, pictures, y):
        X = features(pictures)
        self.mean, self.deviation = X.mean(axis=0), X.std(axis=0)
        family = LogisticFamily(N_FEATURES, l2=1e-3)
        self.classifier = family(family.mle((X - self.mean) / self.deviation, y))

    def log_posterior(self, pictures):
        return self.classifier.log_posterior((features(pictures) - self.mean) / self.deviation)


@once
def judged(n, n_new, rng):
    """n training pictures with their labels, n_new others with theirs, and log p(y|x) of these."""
    pictures, y = exhibition(n, rng)
    new, y_new = exhibition(n_new, rng)
    return pictures, y, new, y_new, Judge(pictures, y).log_posterior(new)
