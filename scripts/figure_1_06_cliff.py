"""Companion of Figure 1-6: the log-likelihood as a function of one side of the box.

It shows what probability/likelihood.py and mle.py compute.
"""

import math
import sys

import make_figures
from fifty_points import training_points
from style import BLUE, ORANGE, VERMILION

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.likelihood import log_likelihood

SIZE = (9, 5)
TITLE = "The likelihood falls off a cliff where the box becomes too small"
ALT = ("Log-likelihood in nats of the box against its upper side, theta 3, the other three sides"
       " held at their estimates. Left of {theta3:.1f} degrees some training point is outside "
       "and the log-likelihood is minus infinity. At {theta3:.1f} degrees it jumps to its "
       "maximum, {maximum:.1f} nats, and falls from there to {at_pole:.1f} nats at the north "
       "pole.")


def holds(numbers):
    """It is highest where the box just holds all points."""
    return -math.inf < numbers["at_pole"] < numbers["maximum"]


def compute(rng):
    X = training_points(rng)
    family = BoxFamily(2)
    theta_hat = family.mle(X)
    xp = array_module(X)
    sides = xp.linspace(60, 90, 301)
    sides = xp.sort(xp.concatenate([sides, theta_hat[2:3]]))
    values = []
    for side in sides:
        theta = theta_hat.copy()
        theta[2] = side
        values.append(log_likelihood(family, theta, X))
    values = xp.stack(values)
    return ({"sides": sides, "values": values, "X": X},
            {"n": len(X), "theta3": theta_hat[2], "maximum": values.max(), "at_pole": values[-1]})


def draw(figure, arrays, numbers):
    ax = figure.add_subplot(title=TITLE)
    finite = arrays["values"] > -math.inf
    side, value = arrays["sides"][finite], arrays["values"][finite]
    best, drop = numbers["maximum"], numbers["maximum"] - numbers["at_pole"]
    floor = best - 1.6 * drop
    ax.axvspan(arrays["sides"][0], numbers["theta3"], color=VERMILION, alpha=0.12, lw=0)
    ax.plot(side, value, color=BLUE, lw=3)
    ax.plot([numbers["theta3"]] * 2, [floor, best], color=BLUE, lw=2, ls=":")
    ax.plot(numbers["theta3"], best, "o", ms=12, color=ORANGE, mec="white", zorder=3,
            clip_on=False)
    ax.text(numbers["theta3"], best + 0.1 * drop, rf"$\hat\theta_3$ = {numbers['theta3']:.1f}°, "
            rf"$\ell$ = −{-best:.1f} nats", ha="right" if numbers["theta3"] > 75 else "center",
            va="bottom")
    ax.text((arrays["sides"][0] + numbers["theta3"]) / 2, best - 0.6 * drop,
            "some training point\nlies outside the box:\n" + r"$\ell = -\infty$",
            ha="center", va="center")
    inside = arrays["X"][arrays["X"][:, 0] > arrays["sides"][0], 0]
    ax.plot(inside, [floor + 0.09 * drop] * len(inside), "|", ms=16, mew=2.5, color=BLUE)
    ax.text(arrays["sides"][0] + 0.3, floor + 0.2 * drop, "latitudes of training points")
    ax.set(xlabel=r"upper side of the box $\theta_3$ (degrees latitude)",
           ylabel=r"log-likelihood $\ell(\theta|X)$ (nats)",
           xlim=(arrays["sides"][0], 90), ylim=(floor, best + 0.4 * drop))


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_06_cliff"]))
