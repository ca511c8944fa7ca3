"""Labels of the map: land or sea, and the seven continents, for scripts about classifiers."""

from progress import bar

from gdl_numpy.labels.discriminative import NetworkClassifierFamily
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.world.world_map import continent_of, continents

STEPS = 4000                                                # of the training of a network
SEVEN = [i for i, name in enumerate(continents()) if "seas" not in name]    # without a few islands


def scaled(X):
    """Degrees to the range of some units, which suits a network."""
    return X / array_module(X).asarray([45.0, 90.0])


def network(X, y, n_classes, rng):
    family = NetworkClassifierFamily((2, 64, 64, n_classes))
    for step in bar(family.train(scaled(X), y, rng, max_steps=STEPS), STEPS):
        theta = step.theta
    return family(theta)


def accuracy(log_posterior, y):
    return (log_posterior.argmax(axis=1) == y).mean()


def with_continent(X):
    """The rows of X on one of the seven continents, and their labels 0, ..., 6."""
    xp = array_module(X)
    y = continent_of(X)
    seven = xp.asarray(SEVEN)
    rows = (y[:, None] == seven).any(axis=1).nonzero()[0]
    return X[rows], (y[rows][:, None] == seven).argmax(axis=1)
