"""Figure 1-3: the same faces by models of growing strength, and bits per pixel under each."""

import sys

import make_figures
import numpy as np
from files import FIGURES
from reports import load
from style import BLUE, INK, ORANGE, caption

from gdl_numpy.numerics.backend import array_module

SIZE = (10, 6.2)
TITLE = "Progress as a number: the same faces by models of growing strength"
ALT = ("Seven groups of six small grey images of faces: true ones, and those made by six models, "
       "above a bar for each model, the bits per pixel that it needs for faces it has not seen: "
       "{words}. {ties}An even guess needs {even:.0f}. Parts of the bars of densities are what "
       "they pay for the cells of grey levels: {still} or more with the chain that gives these "
       "numbers, and {paid} more with one draw.")
NAMES = {"independent_pixels": "independent\npixels", "probabilistic_pca": "probabilistic\nPCA",
         "mixture": "mixture\nof normals", "variational_autoencoder": "variational\nautoencoder",
         "diffusion": "diffusion\nmodel", "autoregressive": "autoregressive\nmodel"}


def plain(name):
    return NAMES[name].replace("\n", " ")


def between(values):
    return f"{min(values):.3f} to {max(values):.3f}"


def compute(rng):
    """What compare_faces.py has measured and made; nothing is random."""
    xp = array_module(rng.random(1))
    report = load("faces.json")
    with np.load(FIGURES / "faces.npz") as file:
        arrays = {name: xp.asarray(file[name]) / (report["levels"] - 1)
                  for name in ("faces", *report["mean"])}
    numbers = {key: report[key] for key in ("n", "n_held_out", "levels", "side", "even", "codes")}
    numbers |= {"seeds": len(report["seeds"]), "T": report["chain"]["T"]}
    for name, row in report["mean"].items():
        numbers |= {name: row["bits_per_pixel"], f"{name}_spread": row["bits_per_pixel_spread"]}
        if row["bound"]:
            numbers |= {f"{name}_one_draw": row["one_draw"], f"{name}_still": row["still_paid"]}
    for one, _ in report["ties"]:
        numbers[f"{one}_ties"] = True
    bounds = [row for row in report["mean"].values() if row["bound"]]
    numbers["paid"] = between([row["one_draw"] - row["bits_per_pixel"] for row in bounds])
    numbers["still"] = between([row["still_paid"] for row in bounds])
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
            f"means and spread of {numbers['seeds']} seeds. For the cells of levels densities "
            "pay at least the dark part,", "and with one draw the light one too; masses do not.")


def draw_bars(ax, order, numbers):
    """Bits per pixel, in parts for those that are bounds of densities."""
    x = np.arange(len(order))
    bits = np.array([numbers[name] for name in order])
    still = np.array([numbers.get(f"{name}_still", 0) for name in order])
    top = np.array([numbers.get(f"{name}_one_draw", numbers[name]) for name in order])
    bound = [f"{name}_one_draw" in numbers for name in order]
    colours = np.where(bound, ORANGE, BLUE)
    bars = ax.bar(x, bits - still, width=0.5, color=colours)
    chain = ax.bar(x[bound], still[bound], 0.5, bottom=(bits - still)[bound], color=INK,
                   edgecolor=INK, linewidth=1, zorder=3)
    draws = ax.bar(x[bound], (top - bits)[bound], 0.5, bottom=bits[bound], color=ORANGE + "55",
                   edgecolor=ORANGE, hatch="////", linewidth=0.8)
    for i, name in enumerate(order):
        ax.annotate(f"{'≤' if bound[i] else '='} {bits[i]:.3f} ± {numbers[f'{name}_spread']:.3f}",
                    (i, top[i]), (0, 4), textcoords="offset points", ha="center", size=11)
        if numbers.get(f"{name}_ties"):                     # with the next
            ax.text(i + 0.5, 0.5 * bits[i], "a tie", ha="center", va="center", size=11)
    ax.set(xlim=(-0.5, len(order) + 0.5), ylim=(0, 1.15 * top.max()), xticks=[], yticks=[])
    ax.set_xlabel("bits per pixel that each model needs for faces it has not seen", size=12)
    ax.spines.left.set_visible(False)
    ax.legend(handles=[bars[bound.index(False)], bars[bound.index(True)], chain, draws],
              labels=["masses, exact", "densities, a bound", "still paid for cells",
                      "paid with one draw"], frameon=False, loc="upper right", fontsize=11)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_03_faces"]))
