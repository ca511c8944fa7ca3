"""Figure 1-7: biscuit tins; height and width determine each picture."""

import sys

import make_figures
from style import caption

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.pictures.biscuit_tins import HIGH, LOW, BiscuitTins, render
from gdl_numpy.representation.manifold import intrinsic_dimension
from gdl_numpy.representation.principal_components import principal_axes

SIZE = (10, 8.3)
TITLE = "Two numbers make every tin"
ALT = ("Grey pictures of biscuit tins in {rows} rows and {columns} columns: from bottom to top they"
       " become taller, from left to right wider, and nothing else changes. Measured on {n} such "
       "tins of {pixels} pixels: the intrinsic dimension is {dimension:.2f}, while principal "
       "components need {for_90}, {for_95} and {for_99} dimensions for 90, 95 and 99 % of the "
       "variance.")
ROWS, COLUMNS, RESOLUTION = 5, 7, 160                       # of the pictures shown
N = 5000                                                    # tins to measure


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
    rows, columns, side, _ = pictures.shape
    mosaic = pictures.transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
    ax.imshow(mosaic, cmap="gray", vmin=0, vmax=1, extent=(-0.5, columns - 0.5, -0.5, rows - 0.5))
    ticks = [[low + (high - low) * i / (k - 1) for i in range(k)]
             for k, low, high in zip((rows, columns), LOW, HIGH, strict=True)]
    ax.set(xticks=range(columns), xticklabels=[f"{t:.2g}" for t in ticks[1]],
           yticks=range(rows), yticklabels=[f"{t:.3g}" for t in ticks[0]],
           xlabel="width (share of the picture's side)",
           ylabel="height (share of the picture's side)")
    ax.spines[:].set_visible(False)
    figure.suptitle(TITLE, x=0.02, ha="left", size=16, weight="bold")
    caption(figure, f"On {numbers['n']:,} tins of {numbers['pixels']:,} pixels: intrinsic dimension"
            f" {numbers['dimension']:.2f}, by the distances to two neighbours.",
            f"Principal components, which know only planes, need {numbers['for_90']}, "
            f"{numbers['for_95']} and {numbers['for_99']} dimensions",
            "for 90, 95 and 99 % of the variance.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_07_tins"]))
