"""Figure 1-3: the same faces by several models, and the bits per pixel that each of them needs.

It shows what compare_faces.py has measured, with pictures/faces.py, pixels.py and discretized.py.
"""

import sys

import make_figures
import matplotlib as mpl
import numpy as np
from command import WrongUse
from files import FIGURES
from reports import load
from style import BLUE, INK, ORANGE, caption

from gdl_numpy.numerics.backend import array_module

SIZE = (10, 7.4)
TITLE = "A model that learns more of a face needs fewer bits for the next one"
ROWS = 4                                                    # faces shown of each
ALT = ("Seven columns of small gray images of faces, made by six models and true ones, above a bar "
       "for each model, the bits per pixel that it needs for faces it has not seen, from the worst "
       "to the best: {words}. {ties}An even guess needs {even:.0f}. Of their bounds the densities "
       "are known to pay for the cells of gray levels: {paid}.")
NOTE = ("An even guess needs {even:.0f} bits. A density is charged for the cell of gray levels in "
        "which a pixel lies, a mass is not; what is known of that charge stands in the bars, and "
        "what is paid beyond it is unknown. So two bars of different colors are to be compared "
        "with care: ≤ says that the density may be better than its bar.")
NAMES = {"independent_pixels": "independent\npixels", "probabilistic_pca": "probabilistic\nPCA",
         "mixture": "mixture\nof normals", "variational_autoencoder": "variational\nautoencoder",
         "diffusion": "diffusion\nmodel", "autoregressive": "autoregressive\nmodel"}


def plain(name):
    return NAMES[name].replace("\n", " ")


def holds(numbers):
    """What knows no more than each pixel's own share of grays needs most bits."""
    return max(NAMES, key=numbers.get) == "independent_pixels"


def compute(rng):
    """What compare_faces.py has measured and made; nothing is random."""
    xp = array_module(rng.random(1))
    report = load("faces.json")
    made = FIGURES / "faces.npz"
    try:
        with np.load(made) as file:
            arrays = {name: xp.asarray(file[name]) / (report["levels"] - 1)
                      for name in ("faces", *report["mean"])}
    except Exception as error:                              # zipfile's, zlib's and NumPy's
        raise WrongUse(f"{made} has not the faces that compare_faces.py makes, make it anew: "
                       f"{error}") from error
    numbers = {key: report[key] for key in ("n", "n_held_out", "levels", "side", "even", "codes")}
    numbers["seeds"] = len(report["seeds"])
    for name, row in report["mean"].items():
        numbers |= {name: row["bits_per_pixel"], f"{name}_spread": row["bits_per_pixel_spread"]}
        if row["bound"]:
            numbers[f"{name}_paid"] = row["paid"]
    for one, _ in report["ties"]:
        numbers[f"{one}_ties"] = True
    numbers["paid"] = ", ".join(f"{plain(name)} {report['mean'][name]['paid']:.3f} or more"
                                for name in report["order"] if report["mean"][name]["bound"])
    numbers["dequantized"] = report["mean"]["probabilistic_pca"]["dequantized"]
    numbers["words"] = ", ".join(
        f"{plain(name)} {'at most ' if report['mean'][name]['bound'] else ''}"
        f"{report['mean'][name]['bits_per_pixel']:.2f}" for name in report["order"])
    numbers["ties"] = "".join(f"Between {plain(one)} and {plain(other)} it is a tie. "
                              for one, other in report["ties"])
    return arrays, numbers


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.01, ha="left", size=14, weight="bold")
    order = sorted(NAMES, key=numbers.get, reverse=True)
    grid = figure.add_gridspec(ROWS + 1, len(order) + 1, height_ratios=[1] * ROWS + [2.6])
    for column, name in enumerate((*order, "faces")):
        for row in range(ROWS):
            ax = figure.add_subplot(grid[row, column])
            picture = arrays[name][row].reshape(numbers["side"], numbers["side"])
            ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if row == 0:
                ax.set_title("true faces\n(held out)" if name == "faces" else NAMES[name],
                             size=12, loc="center", weight="bold" if name == "faces" else "normal")
    draw_bars(figure.add_subplot(grid[ROWS, :]), order, numbers)
    caption(figure, f"Learned from {numbers['n']:,} faces of {numbers['side']} × {numbers['side']} "
            f"pixels of {numbers['levels']} grays, judged on {numbers['n_held_out']} others. Means "
            f"of {numbers['seeds']} seeds", "± the farthest one. A bound also pays for the cells "
            "of gray levels, which is not a merit of others.")


def draw_bars(ax, order, numbers):
    """Bits per pixel; in the bars what those that are bounds are known to pay for cells."""
    for i, name in enumerate(order):
        bits, paid = numbers[name], numbers.get(f"{name}_paid")
        ax.bar(i, bits, width=0.62, color=BLUE if paid is None else ORANGE)
        ax.annotate(f"{'=' if paid is None else '≤'} {bits:.3f}\n± "
                    f"{numbers[f'{name}_spread']:.3f}", (i, bits), (0, 3),
                    textcoords="offset points", ha="center", size=12)
        if paid:
            ax.text(i, bits / 2, f"cells\n≥ {paid:.3f}", ha="center", va="center", size=11)
        if numbers.get(f"{name}_ties"):                     # with the next
            ax.text(i + 0.5, 1.4 * bits, "a tie", ha="center", va="center", size=12)
            ax.plot([i, i + 1], [1.3 * bits] * 2, color=INK)
    ax.set(xlim=(-0.5, len(order) + 0.5), ylim=(0, 1.4 * max(map(numbers.get, order))), xticks=[],
           yticks=[0, 0.5, 1], ylabel="bits per pixel")
    ax.legend(handles=[mpl.patches.Patch(color=color, label=label) for color, label in (
        (BLUE, "exact"), (ORANGE, "a bound: at most"))], frameon=False, loc="upper right",
        fontsize=12)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_03_faces"]))
