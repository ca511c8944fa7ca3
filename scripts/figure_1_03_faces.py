"""Figure 1-3: the same faces by models of growing strength, and bits per pixel under each."""

import sys

import make_figures
import numpy as np
from files import FIGURES
from reports import load
from style import BLUE, INK, ORANGE, caption

from gdl_numpy.numerics.backend import array_module

SIZE = (15, 6.9)
TITLE = "Progress as a number: the same faces by models of growing strength"
ALT = ("Seven groups of six small grey pictures of faces: true ones, and those made by six models, "
       "above a bar for each model, the bits per pixel that it needs for faces it has not seen: "
       "{words}. An even guess needs {even:.0f}.")
NAMES = {"independent_pixels": "independent\npixels", "probabilistic_pca": "probabilistic\nPCA",
         "mixture": "mixture\nof normals", "variational_autoencoder": "variational\nautoencoder",
         "diffusion": "diffusion\nmodel", "autoregressive": "autoregressive\nmodel"}


def compute(rng):
    """What compare_faces.py has measured and made; nothing is random."""
    xp = array_module(rng.random(1))
    report = load("faces.json")
    with np.load(FIGURES / "faces.npz") as file:
        arrays = {name: xp.asarray(file[name]) / (report["levels"] - 1)
                  for name in ("faces", *report["mean"])}
    numbers = {key: report[key] for key in ("n", "n_held_out", "levels", "side")}
    numbers["even"], numbers["seeds"] = report["even"], len(report["seeds"])
    for name, row in report["mean"].items():
        numbers |= {name: row["bits_per_pixel"], f"{name}_spread": row["bits_per_pixel_spread"],
                    f"{name}_sign": "≤" if row["bound"] else "="}
    numbers["words"] = ", ".join(
        f"{NAMES[name].replace(chr(10), ' ')} {'at most ' if row['bound'] else ''}"
        f"{row['bits_per_pixel']:.2f}" for name, row in report["mean"].items())
    return arrays, numbers


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.004, ha="left", size=16, weight="bold")
    order = sorted(NAMES, key=numbers.get, reverse=True)
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.25, 1))
    groups = upper.subfigures(1, len(order) + 1)
    for group, name in zip(groups, (*order, "faces"), strict=True):
        group.suptitle("true faces\n(held out)" if name == "faces" else NAMES[name], size=13)
        pictures = arrays[name].reshape(-1, numbers["side"], numbers["side"])[:6]
        for ax, picture in zip(group.subplots(3, 2).flat, pictures, strict=True):
            ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    ax = lower.add_axes((0, 0.33, 1, 0.67))
    x = range(len(order))
    bars = ax.bar(x, [numbers[name] for name in order], width=0.5,
                  color=[ORANGE if numbers[f"{name}_sign"] == "≤" else BLUE for name in order])
    ax.bar_label(bars, [f"{numbers[f'{name}_sign']} {numbers[name]:.3f}" for name in order],
                 padding=3, size=14, color=INK)
    ax.set(xlim=(-0.5, len(order) + 0.5), ylim=(0, 1.18 * max(numbers[name] for name in order)),
           xticks=[], yticks=[])
    ax.set_xlabel("bits per pixel that each model needs for faces it has not seen", size=13)
    ax.spines.left.set_visible(False)
    ax.legend(handles=[bars[order.index(name)] for name in ("independent_pixels", "diffusion")],
              labels=["exact", "at most: a bound"], frameon=False, loc="upper right")
    caption(figure, f"{numbers['side']} × {numbers['side']} pixels of {numbers['levels']} levels; "
            f"an even guess needs {numbers['even']:.0f} bits. Each model learned from "
            f"{numbers['n']:,} faces and is judged on {numbers['n_held_out']} others; means of "
            f"{numbers['seeds']} seeds.", "A bound charges a density for the cells of grey levels, "
            "0.25 bits or more; masses are not charged.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_03_faces"]))
