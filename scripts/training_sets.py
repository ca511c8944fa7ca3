"""Training sets: the points of land to which the models of the scoreboard are fitted.

How much a model loses depends on the points that it happened to see, and on the chance in its
training. A spread over both needs several training sets, each with a seed of its own, and that seed
decides everything: the points to fit, the points to judge, the training and the judgment.

    training_set(seed)              N points of land, (N, 2)
    generator(seed, TRAINING)       the random numbers of that one use, whatever the others took

No model was tuned on these sets: what was tried out was tried on others. Of the first training set
the parameters of all networks are committed, and the figures show these.
"""

import numpy as np

from gdl_numpy.world.world_map import WorldMap

SEEDS = (11, 12, 13, 14, 15)                                # one for each training set
N, N_TEST = 20_000, 200_000                                 # points of a set, and to judge it by
POINTS, NEW_POINTS, TRAINING, JUDGMENT = range(4)           # what random numbers are used for


def generator(seed, use):
    return np.random.default_rng([seed, use])


def training_set(seed):
    return WorldMap().sample(N, generator(seed, POINTS))
