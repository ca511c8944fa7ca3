"""From noise to land: the states of chains of the committed diffusion model."""

import numpy as np
from explorer.questions import answered_by, once
from explorer.world import P_DATA
from recipes import committed

from gdl_numpy.models.diffusion import Diffusion
from gdl_numpy.numerics import checks
from gdl_numpy.world.world_map import WorldMap

CHAINS = 1500


@once
def model():
    return committed("diffusion", np.zeros(1))


@once
def states():
    """The points in degrees, from level T, where all is noise, down to level 0."""
    p = model()
    return [X * p.unit for X in p.p.chain(CHAINS, np.random.default_rng(0))]


@answered_by(Diffusion.chain)
def scene():
    """How many levels there are, once the chains have been computed."""
    return {"levels": len(states()) - 1, "chains": CHAINS}


@answered_by(Diffusion.chain, WorldMap.contains)
def answer(step):
    """The points after `step` steps down the chain: where they are, and which are on land."""
    p, steps = model().p, len(states()) - 1
    step = checks.whole_number(step, "step", most=steps)
    X = states()[step]
    on_land = P_DATA().contains(X)
    return {"level": steps - step, "sigma": p.sigma[steps - step], "points": X, "land": on_land,
            "on_land": on_land.mean()}


QUESTIONS = {"scene": scene, "answer": answer}
