"""Problems: what more than one benchmark sets its sides, on a processor and on a graphics card.

Why: seconds measured by benchmark_gpu.py can be set beside those of the other benchmarks only if
all were given the same problem. So what they share stands here, and not in one of them.

Idea: a problem is made from a fixed seed wherever it is needed, so that all sides get the same:

    land_and_queries(dtype)             the data of a kernel density, and where it is asked
    start(sizes, batch)                 a perceptron's first θ, and rows with targets
    drawn(name, family, batch, rng)     the random numbers of one training step of a model
    options(name)                       what its loss is told beside them

The models are those of scoreboard.py, by name. Of two samplers no two draws are equal, and so
`standard_errors` compares what their samples are like on average.
"""

from functools import partial

import numpy as np

from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.networks.network import initial_theta
from gdl_numpy.world.world_map import WORLD, WorldMap

N_DATA = 20_000                                             # points of land, and queries
BANDWIDTH = 1.5                                             # degrees
RATE = 1e-5                                                 # of the models' training
POINTS, PENALTY, DELTA = 2048, 0.003, 0.01                  # energy-based; adversarial
CHAIN = {"energy_based": {"steps": 8, "step": 0.02, "jumps": 24},          # of their samplers
         "diffusion": {"n_steps": 64}}


# --- kernel density ---

def uniform_points(n):
    """n points (latitude, longitude), uniform on the map, land and sea."""
    return WORLD.low + (WORLD.high - WORLD.low) * np.random.default_rng(0).random((n, 2))


def land_and_queries(dtype):
    """Training data from p_data, and queries from the whole map, land and sea, in a dtype."""
    X = WorldMap().sample(N_DATA, np.random.default_rng(3))
    return X.astype(dtype), uniform_points(N_DATA).astype(dtype)


# --- training steps ---

def start(sizes, batch):
    """θ, X and noisy targets T, from a fixed seed."""
    rng = np.random.default_rng(0)
    X, eps = (rng.standard_normal((batch, d), np.float32) for d in (sizes[0], sizes[-1]))
    return initial_theta(sizes, rng, "relu", np.float32), X, np.sin(X) + 0.5 * eps


def samples(name):
    """The draws of z for each row, of the variational autoencoder."""
    from recipes import NETWORKS  # here, since it loads all models, and a density needs none
    return NETWORKS[name].options.get("n_samples", 1)


def drawn(name, family, batch, rng):
    """A list of the random numbers that the loss of so many rows takes, none for most models."""
    normal = partial(rng.standard_normal, dtype=np.float32)
    return {
        "variational_autoencoder": lambda: [normal((samples(name), batch, family.k))],
        "energy_based": lambda: [rng.random((POINTS, family.d), np.float32)],
        "diffusion": lambda: [rng.random(1), normal((batch, family.d))],
        "adversarial": lambda: [normal((batch, family.k)), normal((2 * batch, family.d)),
                                normal((batch, family.k))],
    }.get(name, list)()


def options(name):
    """The settings that the loss takes by name."""
    return {"variational_autoencoder": lambda: {"n_samples": samples(name)},
            "energy_based": lambda: {"points": POINTS}}.get(name, dict)()


# --- samplers ---

def standard_errors(ours, theirs):
    """By how many standard errors the means of sines and cosines of X K differ at most, for two
    lists of arrays of rows."""
    means, variances = [], []
    for X in map(np.concatenate, (ours, theirs)):
        angle = X @ wave_vectors(X.shape[1], 16, (2, 6), np.random.default_rng(0)) / X.shape[1]**0.5
        parts = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
        means.append(parts.mean(axis=0))
        variances.append(parts.var(axis=0) / len(X))
    return (abs(means[0] - means[1]) / np.sqrt(sum(variances))).max()
