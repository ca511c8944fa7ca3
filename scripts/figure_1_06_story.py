"""Figures 1-4, 1-5 and 1-6 side by side: points, a model of them, and the rule that made them.

It shows what probability/mle.py and world/world_map.py compute.
"""

import sys

import make_figures
from fifty_points import training_points
from maps import draw_box, draw_land, draw_points, frame_map
from style import ORANGE

from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.world.evaluation import accuracy
from gdl_numpy.world.world_map import WorldMap

SIZE = (10, 2.75)
TITLE = "Fifty points, a first model of them, and the rule that made them"
ALT = ("Three frames with the same {n} blue points. In the first they lie in an empty plane: what "
       "made them? In the second an orange box is drawn around them, the smallest one, a first "
       "generative model. In the third the land of a flat map of the world appears behind them: "
       "the rule was uniform over the land, and {sea_share:.0%} of what the box makes lies in the "
       "sea.")
N_NEW = 200_000


def holds(numbers):
    return numbers["n"] == 50


def compute(rng):
    X = training_points(rng)
    family = BoxFamily(2)
    box = family(family.mle(X))
    return ({"X": X, "low": box.low, "high": box.high},
            {"n": len(X), "sea_share": 1 - float(accuracy(box, WorldMap(), N_NEW, rng))})


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.01, ha="left", size=14, weight="bold")
    acts = ["1  What made these points?", "2  A model: the smallest box", "3  The rule: land alone"]
    words = ["", "it makes new points, evenly inside",
             f"{numbers['sea_share']:.0%} of what the box makes is sea"]
    for i, ax in enumerate(figure.subplots(1, 3)):
        frame_map(ax)
        if i == 2:
            draw_land(ax, WorldMap().rings)
        if i > 0:
            draw_box(ax, arrays["low"], arrays["high"], linewidth=2.5,
                     facecolor=ORANGE + "22" if i == 1 else "none")
        draw_points(ax, arrays["X"], s=22)
        ax.set_title(acts[i], size=12.5)
        ax.set_xlabel(words[i], size=12)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_06_story"]))
