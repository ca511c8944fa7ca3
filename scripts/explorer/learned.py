"""Learned: models of the pages that take too long to fit while a reader waits.

scripts/train_explorer.py fits them, and their parameters are committed as
figures/parameters/NAME.npz. An autoencoder of tins with layers of 256 and 64 units, as Figure 1-8
has it, would take 2.2 MB there. This one, with 64 and 32, takes 0.5 MB; the pictures that it makes
of codes are 0.008 from a true tin in the median, root mean square per pixel.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from command import WrongUse
from latent_planes import learned_from_tins
from map_labels import network, with_continent
from recipes import COMPONENTS, PARAMETERS
from training_sets import SEEDS, TRAINING, generator, training_set

from gdl_numpy.labels.discriminative import NetworkClassifierFamily
from gdl_numpy.networks.storage import load
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.representation.autoencoder import AutoencoderFamily

TINS, SIDES, STEPS = 5000, (1024, 64, 32, 2), 6000          # of the autoencoder
CONTINENTS = (2, 64, 64, 7)                                 # sizes of the classifier


def train_tins():
    return learned_from_tins(TINS, SIDES, STEPS, np.random.default_rng(0))[1].theta


def train_continents():
    X, y = with_continent(training_set(SEEDS[0]))
    return network(X, y, CONTINENTS[-1], np.random.default_rng(0)).theta.astype("float32")


def train_mixture():
    return maximum_likelihood(LEARNED["mixture"].family, training_set(SEEDS[0]),
                              generator(SEEDS[0], TRAINING), "em", max_steps=200)


@dataclass(frozen=True)
class Learned:
    """A family, and a function that gives its θ."""
    family: object
    train: Callable


LEARNED = {
    "tins": Learned(AutoencoderFamily(SIDES), train_tins),
    "continents": Learned(NetworkClassifierFamily(CONTINENTS), train_continents),
    "mixture": Learned(MixtureFamily(COMPONENTS, 2), train_mixture),
}


def stored(name, folder=PARAMETERS):
    """The model of the committed parameters; WrongUse, which names their file, if it is broken."""
    family, file = LEARNED[name].family, folder / f"{name}.npz"
    try:
        return family(load(file, family))
    except (OSError, ValueError) as error:
        raise WrongUse(f"{error}: run scripts/train_explorer.py --only {name}") from error
