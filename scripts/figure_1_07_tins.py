"""Figure 1-7: biscuit tins; height and width determine each picture.

It shows what pictures/biscuit_tins.py draws and representation/manifold.py measures.
"""

import sys

import make_figures
import matplotlib as mpl
from style import caption

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.pictures.biscuit_tins import HIGH, LOW, BiscuitTins, render
from gdl_numpy.representation.manifold import intrinsic_dimension
from gdl_numpy.representation.principal_components import principal_axes

SIZE = (10, 8.8)
TITLE = "Two numbers, height and width, make every picture of a tin"
ALT = ("Gray pictures of biscuit tins in {rows} rows and {columns} columns: from bottom to top they"
       " become taller, from left to right wider, and nothing else changes. Measured on {n} such "
       "tins of {pixels} pixels: the intrinsic dimension is {dimension:.2f}.")
NOTE = ("Principal components, which know only planes, need {for_90}, {for_95} and {for_99} "
        "dimensions for 90, 95 and 99 % of the variance of these pictures.")
ROWS, COLUMNS, RESOLUTION = 6, 7, 128                       # of the pictures shown
SHARE = 0.94                                                # of its room that a picture takes
N = 5000                                                    # tins to measure


def holds(numbers):
    """The nearest whole number to their intrinsic dimension."""
    return round(numbers["dimension"]) == 2


def compute(rng):
    tins = BiscuitTins(N, rng)
    xp = array_module(tins.images)
    low, high = (xp.asarray(corner) for corner in (LOW, HIGH))
    shown = [low + (high - low) * xp.asarray([(ROWS - 1 - i) / (ROWS - 1), j / (COLUMNS - 1)])
             for i in range(ROWS) for j in range(COLUMNS)]
    pictures = render(xp.stack(shown), RESOLUTION).reshape(ROWS, COLUMNS, RESOLUTION, RESOLUTION)
    _, eigenvalues, _ = principal_axes(tins.images)
    share = eigenvalues.cumsum() / eigenvalues.sum()
    numbers = {"rows": ROWS, "columns": COLUMNS, "n": N, "pixels": tins.images.shape[1],
               "dimension": intrinsic_dimension(tins.images)}
    numbers |= {f"for_{part}": int((share < part / 100).sum()) + 1 for part in (90, 95, 99)}
    return {"pictures": pictures}, numbers


def draw(figure, arrays, numbers):
    ax = figure.subplots()
    pictures = arrays["pictures"]
    rows, columns = pictures.shape[:2]
    for i in range(rows):
        for j in range(columns):
            x, y = j - SHARE / 2, rows - 1 - i - SHARE / 2
            ax.imshow(pictures[i, j], cmap="gray", vmin=0, vmax=1,
                      extent=(x, x + SHARE, y, y + SHARE))
            ax.add_patch(mpl.patches.Rectangle((x, y), SHARE, SHARE, fill=False,
                                               edgecolor="#BBBBBB"))
    ticks = [[low + (high - low) * i / (k - 1) for i in range(k)]
             for k, low, high in zip((rows, columns), LOW, HIGH, strict=True)]
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(-0.5, rows - 0.5), aspect="equal",
           xticks=range(columns), xticklabels=[f"{t:.1f}" for t in ticks[1]],
           yticks=range(rows), yticklabels=[f"{t:.1f}" for t in ticks[0]],
           xlabel="width of the tin (share of the picture's side)",
           ylabel="height of the tin (share of the picture's side)")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    figure.suptitle(TITLE, x=0.01, ha="left", size=14, weight="bold")
    caption(figure, f"{numbers['n']:,} of them, of {numbers['pixels']:,} pixels each, have the "
            f"intrinsic dimension {numbers['dimension']:.2f}, by the distances to two neighbors.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_07_tins"]))
