"""The box and its cliff: a box as model of fifty points, and how far it is from the rule.

Shares of land are exact. Divergences are sums over cells, never draws, so that the same box always
has the same numbers; the cells are those of the box, whatever its size.
"""

import math

import numpy as np
from explorer.questions import answered_by, once
from explorer.world import P_DATA
from fifty_points import training_points

from gdl_numpy.numerics import checks
from gdl_numpy.probability.density import Box
from gdl_numpy.probability.divergence import jensen_shannon, kl_divergence
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.likelihood import likelihood, log_likelihood
from gdl_numpy.world.evaluation import kl_to_data, verdict
from gdl_numpy.world.world_map import WORLD, WorldMap

FAMILY, GRID = BoxFamily(2), (180, 360)                     # cells of a box
CURVE = 121                                                 # places of a side
LEAST = 0.001                                               # degrees; shares are right to 1e-10


@once
def points():
    return training_points(np.random.default_rng(0))        # those of Figures 1-4 to 1-6


class OnGrid:
    """A density whose log p at the centers of a grid of `space` is computed once."""

    def __init__(self, p, space):
        self.p, self.centers = p, space.grid(GRID)[0]
        self.values = p.log_prob(self.centers)

    def log_prob(self, X):
        return self.values if np.array_equal(X, self.centers) else self.p.log_prob(X)


@once
def corners_of_land():
    """A box holds all land if it holds these: then, and only then, is its KL finite, and as its p
    is the same everywhere, the mean of -log p over them is that over all land."""
    return np.concatenate(P_DATA().rings).astype(float)


def on_the_map(theta):
    """The box θ, if it lies on the map and its numbers are more than their rounding errors."""
    box = FAMILY(theta)
    checks.rows_of_box([box.low, box.high], WORLD.low, WORLD.high, "theta")
    checks.numbers((box.high - box.low).tolist(), "a side of theta", f"[{LEAST}, inf)")
    return box


@answered_by(BoxFamily.mle)
def scene():
    """The points, and the box of the greatest likelihood."""
    X = points()
    return {"points": X, "theta_hat": FAMILY.mle(X)}


@answered_by(Box.log_prob, likelihood, log_likelihood, WorldMap.mass, kl_to_data,
             kl_divergence, jensen_shannon)
def answer(theta, side):
    """All numbers of the box θ, and ℓ as its side number `side`, from 0, takes other places."""
    X, box = points(), on_the_map(theta)
    rule, held = OnGrid(P_DATA(), box.space), P_DATA().mass(box.space)
    p = math.exp(box.log_prob([box.low])[0])
    places, values = curve(box, side)
    return {"inside": box.space.contains(X), "p": p,
            "likelihood": likelihood(FAMILY, theta, X),
            "log_likelihood": log_likelihood(FAMILY, theta, X),
            "in_the_sea": 1 - held * P_DATA().area * p, "missed_land": 1 - held,
            "kl_data_model": kl_to_data(box, P_DATA(), corners_of_land())[0],
            "kl_model_data": kl_divergence(box, rule, box.space, GRID),
            # Outside of the box p_data is twice the mixture
            "jensen_shannon": jensen_shannon(rule, box, box.space, GRID)
                              + 0.5 * (1 - held) * math.log(2),
            "places": places, "values": values}


def curve(box, side):
    """Places of one side between the opposite one and the border of the map, and ℓ at each.

    Among them is where the side is now, and where it is at the cliff, on the outermost point.
    """
    X, theta = points(), np.concatenate([box.low, box.high])
    side = checks.whole_number(side, "side", most=3)
    opposite, border = theta[(side + 2) % 4], (WORLD.low, WORLD.high)[side // 2][side % 2]
    places = np.linspace(opposite, border, CURVE)
    places = np.unique([*places[1:], theta[side], FAMILY.mle(X)[side]])
    places = places[places < opposite] if side < 2 else places[places > opposite]
    values = []
    for place in places:
        theta[side] = place
        values.append(log_likelihood(FAMILY, theta, X))
    return places, np.stack(values)


@answered_by(verdict)
def judge(theta, x):
    """The verdict on the point x, (latitude, longitude)."""
    return vars(verdict(on_the_map(theta), P_DATA(), x))


QUESTIONS = {"scene": scene, "answer": answer, "judge": judge}
