"""Figure 1-4: points in the plane, made by a rule that we are not told.

It shows what probability/sample_space.py is about; the points are draws of world/world_map.py.
"""

import sys

import make_figures
from fifty_points import N, training_points
from maps import draw_points, map_axes
from style import caption

SIZE = (9, 5.4)
TITLE = "Fifty points made by an unknown rule"
ALT = ("Scatter plot of {n} points in the plane, x2 from -180 to 180 to the right and x1 from -90 "
       "to 90 upwards. The points gather in some regions and leave others empty; what rule made "
       "them is the question.")


def holds(numbers):
    return numbers["n"] == 50


def compute(rng):
    return {"X": training_points(rng)}, {"n": N}


def draw(figure, arrays, numbers):
    ax = figure.add_subplot(title=TITLE)
    map_axes(ax, revealed=False)
    draw_points(ax, arrays["X"], s=42)
    caption(figure, f"n = {numbers['n']} observations $x = (x_1, x_2)$ of an unknown $p_{{data}}$")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_04_points"]))
