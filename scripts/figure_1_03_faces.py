"""Figure 1-3: the same faces by models of growing strength, and bits per pixel under each."""

import sys

import make_figures
import numpy as np
from files import FIGURES
from reports import load
from style import BLUE, ORANGE, caption

from gdl_numpy.numerics.backend import array_module

SIZE = (10, 6.2)
TITLE = "Progress as a number: the same faces by models of growing strength"
ALT = ("Seven groups of six small grey images of faces: true ones, and those made by six models, "
       "above a bar for each model, the bits per pixel that it needs for faces it has not seen: "
       "{words}. {ties}An even guess needs {even:.0f}. Parts of the bars of densities are what "
       "they are known to pay for the cells of grey levels: {paid}.")
NAMES = {"independent_pixels": "independent\npixels", "probabilistic_pca": "probabilistic\nPCA",
         "mixture": "mixture\nof normals", "variational_autoencoder": "variational\nautoencoder",
         "diffusion": "diffusion\nmodel", "autoregressive": "autoregressive\nmodel"}


def plain(name):
    return NAMES[name].replace("\n", " ")


def compute(rng):
    """What compare_faces.py has measured and made; nothing is random."""
    xp = array_module(rng.random(1))
    report = load("faces.json")
    with np.load(FIGURES / "faces.npz") as file:
        arrays = {name: xp.asarray(file[name]) / (report["levels"] - 1)
                  for name in ("faces", *report["mean"])}
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
    numbers["dequantised"] = report["mean"]["probabilistic_pca"]["dequantised"]
    numbers["words"] = ", ".join(
        f"{plain(name)} {'at most ' if report['mean'][name]['bound'] else ''}"
        f"{report['mean'][name]['bits_per_pixel']:.2f}" for name in report["order"])
    numbers["ties"] = "".join(f"Between {plain(one)} and {plain(other)} it is a tie. "
                              for one, other in report["ties"])
    return arrays, numbers


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.004, ha="left", size=15, weight="bold")
    order = sorted(NAMES, key=numbers.get, reverse=True)
    upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.15))
    groups = upper.subfigures(1, len(order) + 1)
    for group, name in zip(groups, (*order, "faces"), strict=True):
        group.suptitle("true faces\n(held out)" if name == "faces" else NAMES[name], size=11.5)
        pictures = arrays[name].reshape(-1, numbers["side"], numbers["side"])[:6]
        for ax, picture in zip(group.subplots(3, 2).flat, pictures, strict=True):
            ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    draw_bars(lower.add_axes((0, 0.22, 1, 0.78)), order, numbers)
    caption(figure, f"{numbers['side']} × {numbers['side']} pixels of {numbers['levels']} levels; "
            f"an even guess needs {numbers['even']:.0f} bits. Learned from {numbers['n']:,} faces, "
            f"judged on {numbers['n_held_out']} others;",
            f"means and spread of {numbers['seeds']} seeds. Masses pay nothing for the cells of "
            "grey levels; the bounds", "of densities do, at least the hatched part, and that is no "
            "difference of models.")


def draw_bars(ax, order, numbers):
    """Bits per pixel, in parts for those that are bounds of densities."""
    x = np.arange(len(order))
    bits = np.array([numbers[name] for name in order])
    paid = np.array([numbers.get(f"{name}_paid", 0) for name in order])
    bound = [f"{name}_paid" in numbers for name in order]
    colours = np.where(bound, ORANGE, BLUE)
    bars = ax.bar(x, bits - paid, width=0.5, color=colours)
    cells = ax.bar(x[bound], paid[bound], 0.5, bottom=(bits - paid)[bound], color=ORANGE + "33",
                   edgecolor=ORANGE, hatch="/////", linewidth=0.8)
    for i, name in enumerate(order):
        ax.annotate(f"{'≤' if bound[i] else '='} {bits[i]:.3f} ± {numbers[f'{name}_spread']:.3f}",
                    (i, bits[i]), (0, 4), textcoords="offset points", ha="center", size=11)
        if numbers.get(f"{name}_ties"):                     # with the next
            ax.text(i + 0.5, 0.5 * bits[i], "a tie", ha="center", va="center", size=11)
    ax.set(xlim=(-0.5, len(order) + 0.5), ylim=(0, 1.15 * bits.max()), xticks=[], yticks=[])
    ax.set_xlabel("bits per pixel that each model needs for faces it has not seen", size=12)
    ax.spines.left.set_visible(False)
    ax.legend(handles=[bars[bound.index(False)], bars[bound.index(True)], cells],
              labels=["masses, exact", "densities, a bound", "paid for cells"], frameon=False,
              loc="upper right", fontsize=11)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_03_faces"]))
