"""Companion of Figure 1-5: where the samples of a normal density are, in 1, 10 and 100 dimensions.

It shows what probability/density.py computes (erratum E26).
"""

import math
import sys

import make_figures
from style import BLUE, ORANGE, caption, headline

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.density import Normal

SIZE = (10, 3.9)
TITLE = "In many dimensions, samples are not where the density is highest"
ALT = ("Three histograms of the distance of {n:,} samples of the normal density N(0, I) from its "
       "mode, the origin, where the density is highest. In 1 dimension most samples are near the "
       "mode; in 10 dimensions the distances gather around {median_10:.1f}; in 100 dimensions "
       "around {median_100:.1f}, the square root of the dimension, and none of the samples is "
       "nearer than {least_100:.1f}, although the log density there is {drop_100:.0f} nats lower "
       "than at the mode.")
DIMENSIONS, N = (1, 10, 100), 100_000


def holds(numbers):
    """In 100 dimensions no sample is near the mode, where each point is more likely."""
    return numbers["least_100"] > 5 and numbers["drop_100"] > numbers["drop_10"] > 1


def compute(rng):
    xp = array_module(rng.random(1))
    arrays, numbers = {}, {"n": N}
    for d in DIMENSIONS:
        p = Normal(xp.zeros(d), xp.eye(d))
        X = p.sample(N, rng)
        radius = xp.sqrt((X**2).sum(axis=1))
        mode = p.log_prob(xp.zeros((1, d)))[0]
        counts, edges = xp.histogram(radius, bins=80, range=(0.0, 13.0))
        arrays |= {f"edges_{d}": edges, f"density_{d}": counts / N / (edges[1] - edges[0])}
        numbers |= {f"median_{d}": xp.median(radius), f"least_{d}": radius.min(),
                    f"drop_{d}": mode - p.log_prob(X).mean()}
    return arrays, numbers


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    for ax, d in zip(figure.subplots(1, 3, sharex=True, sharey=True), DIMENSIONS, strict=True):
        ax.stairs(arrays[f"density_{d}"], arrays[f"edges_{d}"], fill=True, color=BLUE)
        ax.axvline(math.sqrt(d), color=ORANGE, lw=2.5, ls="--")
        left = math.sqrt(d) > 6                             # where there is room for words
        ax.text(0.04 if left else 0.97, 0.95, f"√d = {math.sqrt(d):.1f}\n"
                f"log density:\n{numbers[f'drop_{d}']:.1f} nats below\nthe mode, on average",
                transform=ax.transAxes, ha="left" if left else "right", va="top")
        ax.set_title(f"{d} dimension{'s' * (d > 1)}", size=12)
        ax.set(xlim=(0, 13), xlabel="distance from the mode")
    figure.axes[0].set_ylabel("density of the distance")
    caption(figure, f"{numbers['n']:,} samples of N(0, I) each. The density is highest at the "
            "mode, but a ball around it has almost",
            "no volume in many dimensions: what counts is density times volume, and that is "
            "largest near √d.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_05_radii"]))
