"""Choose a family: samples of each model of the scoreboard, its density, and its numbers.

The models are those of the scoreboard's first training set: networks with their committed
parameters, the others fitted to the same 20,000 points when they are first asked for.
"""

from functools import partial

import numpy as np
from explorer.learned import LEARNED, stored
from explorer.questions import answered_by, once
from explorer.world import P_DATA
from files import FIGURES, read_json
from recipes import MODELS, NETWORKS, committed, fit_model
from training_sets import SEEDS, TRAINING, generator, training_set

from gdl_numpy.models.energy_based import GridNormalized
from gdl_numpy.numerics import checks
from gdl_numpy.probability.change_of_units import InUnits
from gdl_numpy.taxonomy import branch
from gdl_numpy.world.world_map import WORLD, WorldMap

DRAWS, PICTURE = 1500, (60, 120)                            # cells of 3 degrees
IMPORTANCE, ODE_STEPS, CELLS_OF_Z = 20, 8, (180, 360)       # fewer than the scoreboard has
NUMBERS = ("kl", "elbo_kl", "sea", "reached", "parameters", "seeds")


def model(name):
    return fitted(checks.choice(name, "name", tuple(MODELS)))


@once
def fitted(name):
    if name in NETWORKS:
        return committed(name, np.zeros(1))
    if name in LEARNED:
        return stored(name)
    return fit_model(name, training_set(SEEDS[0]), generator(SEEDS[0], TRAINING))


@answered_by(branch)
def scene():
    """The names, each with its place in the taxonomy and its numbers in figures/scoreboard.json."""
    summary = read_json(FIGURES / "scoreboard.json")["summary"]
    return {"families": [
        {"name": name, "branch": summary[name]["branch"]}
        | {key: summary[name][key] for key in NUMBERS if key in summary[name]}
        for name in MODELS if name in summary]}


@answered_by(WorldMap.contains)
def draws(name, seed):
    """New points of a model, and which of them are on land."""
    p, seed = model(name), checks.whole_number(seed, "seed", most=2**32 - 1)
    X = p.sample(DRAWS, np.random.default_rng(seed))
    on_land = P_DATA().contains(X)
    return {"points": X, "land": on_land, "in_the_sea": 1 - on_land.mean(),
            "answered_by": [by(p, "sample")]}


def by(p, method):
    """The method of a model that answers, or its class where the method is one of a private base.
    """
    kind = type(getattr(p, "p", p))
    function = getattr(kind, method)
    return kind if function.__qualname__.startswith("_") else function


@answered_by()
def density(name):
    """p at the centers of cells of the world, row by row from the south-west, as a multiple of the
    density of the rule on land; None of an implicit model, which has no density."""
    how, function, log_p = picture(checks.choice(name, "name", tuple(MODELS)))
    values = None if log_p is None else np.exp(log_p.astype(float)) * P_DATA().area
    return {"rows": PICTURE[0], "columns": PICTURE[1], "how": how, "values": values,
            "answered_by": [function] if function else []}


@once
def picture(name):
    """How log p is known, the function of the package that gives it, and log p on a grid."""
    how, function, log_prob = known(model(name))
    return how, function, None if log_prob is None else log_prob(WORLD.grid(PICTURE)[0])


def known(p):
    """How log p is known of a density in degrees, the function that gives it, and log p itself."""
    if hasattr(p, "log_prob"):
        return "log p(x)", by(p, "log_prob"), p.log_prob
    if hasattr(p, "importance_weighted"):
        return (f"a lower bound of log p(x) by {IMPORTANCE} draws", by(p, "importance_weighted"),
                partial(p.importance_weighted, rng=np.random.default_rng(0), n_samples=IMPORTANCE))
    if hasattr(p, "flow_log_prob"):
        return (f"log p(x) of its flow in {ODE_STEPS} steps", by(p, "flow_log_prob"),
                partial(p.flow_log_prob, n_steps=ODE_STEPS))
    if hasattr(p, "energy"):
        return ("log p(x), with its Z by a grid", GridNormalized.log_prob,
                InUnits(GridNormalized(p.p, CELLS_OF_Z), p.unit).log_prob)
    return "this model has none: it is implicit, and can only be sampled", None, None


QUESTIONS = {"scene": scene, "draws": draws, "density": density}
