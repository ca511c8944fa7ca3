"""Classifier and Bayes: p(continent|x) of a point from both sides.

A discriminative model, a network, gives p(y|x) itself. A generative one gives p(x|y), here a
mixture of normals for each continent, and Bayes' rule makes p(y|x) of it.
"""

import numpy as np
from explorer.learned import stored
from explorer.questions import answered_by, once
from map_labels import SEVEN, scaled, with_continent
from training_sets import SEEDS, training_set

from gdl_numpy.labels.conditional import ClassConditional
from gdl_numpy.labels.discriminative import Classifier
from gdl_numpy.numerics import checks
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.world.world_map import WORLD, continent_of, continents

COMPONENTS, PICTURE = 12, (60, 120)                         # of a continent; cells of 3 degrees


@once
def network():
    return stored("continents")


@once
def conditional():
    X, y = with_continent(training_set(SEEDS[0]))
    return ClassConditional.fit(MixtureFamily(COMPONENTS, 2), X, y, rng=np.random.default_rng(0),
                                tol=1e-4)


@answered_by(Classifier.log_posterior, ClassConditional.log_posterior)
def scene():
    """The continents, and which of them each side finds most probable in each cell of the world."""
    centers, _ = WORLD.grid(PICTURE)
    return {"labels": [continents()[i] for i in SEVEN], "rows": PICTURE[0], "columns": PICTURE[1],
            "network": network().log_posterior(scaled(centers)).argmax(axis=1),
            "bayes": conditional().log_posterior(centers).argmax(axis=1)}


@answered_by(Classifier.log_posterior, ClassConditional.log_posterior, continent_of)
def answer(x):
    """Both p(y|x) at the point x, what Bayes' rule makes its own from, and what is true there."""
    X = np.array([checks.numbers(x, "x", n=2)])
    p = conditional()
    number = continent_of(X)[0]
    return {"network": np.exp(network().log_posterior(scaled(X))[0]),
            "bayes": np.exp(p.log_posterior(X)[0]), "priors": p.priors,
            "p_of_x": np.exp([q.log_prob(X)[0] for q in p.densities]),
            "truth": "sea" if number < 0 else continents()[number]}


QUESTIONS = {"scene": scene, "answer": answer}
