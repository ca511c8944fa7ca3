"""Companion of Figure 1-10: samples and density of every model on the scoreboard, over the map.

Networks have the parameters that scoreboard.py saved, of its first training set; the other models
are fitted again to the same points. All of this happens on the host.
"""

import sys

import make_figures
import matplotlib as mpl
import numpy as np
from judgment import known_log_prob
from maps import draw_coast, draw_density, draw_samples, frame_map
from progress import bar
from recipes import MODELS, NETWORKS, committed, fit_model
from reports import kl_in_words, load, spoken
from style import INK, headline
from training_sets import SEEDS, TRAINING, generator, training_set

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.world.world_map import WORLD, WorldMap

SIZE = (10, 12)
TITLE = "{n_models} models of one world: what loses fewer nats puts less into the sea"
ALT = ("Pairs of world maps, {n_drawn} samples of a model above its density, from the best model "
       "to the worst: the truth, {names}. Nats lost per point: {best}. Ranked by what they lose "
       "and by their share in the sea, the models have a rank correlation of {agreement:.2f}.")
N_DRAWN, PICTURE, NAMED = 700, (60, 120), tuple(MODELS)     # samples, cells of 3°, models
LEVELS = (0, 0.02, 0.1, 0.25, 0.5, 0.8, 1.2, 1.6, 2)        # of a color each, few for a small file
SHORT = {"recalibrated_kernel_density": "recalibrated KDE"}


def holds(numbers):
    """The two rankings are nearly one."""
    return numbers["agreement"] > 0.7


def rank_correlation(a, b):
    """Spearman's: the correlation of the ranks of two lists without ties."""
    return float(np.corrcoef(*(np.argsort(np.argsort(values)) for values in (a, b)))[0, 1])


def compute(rng):
    xp, p_data = array_module(rng.random(1)), WorldMap()
    board, seed = load("scoreboard.json")["summary"], int(rng.integers(0, 2**31))
    named = sorted((name for name in NAMED if name in board),       # a new model may not be yet
                   key=lambda name: float(board[name].get("kl", "inf")))
    X = training_set(SEEDS[0])
    grid, _ = WORLD.grid(PICTURE)
    models = {"truth": p_data}
    for name in named:
        models[name] = (committed(name, X) if name in NETWORKS else
                        fit_model(name, X, generator(SEEDS[0], TRAINING)))
    arrays = {}
    for name, p in bar(models.items(), unit="model"):
        arrays[f"{name}_samples"] = xp.asarray(p.sample(N_DRAWN, np.random.default_rng(seed)))
        _, log_prob = known_log_prob(p, np.random.default_rng(seed))
        if log_prob is not None:
            arrays[f"{name}_density"] = xp.asarray(
                np.exp(log_prob(grid).astype(float)).reshape(PICTURE) * p_data.area)
    numbers = {"n_drawn": N_DRAWN, "names": ", ".join(map(spoken, named)), "n_models": len(named)}
    for name, row in board.items():
        kl = kl_in_words(row)
        numbers[name] = f"{f'KL {kl}' if kl else 'no density'}\nsea {row['sea']:.0%}"
    known = {name: row["kl"] for name, row in board.items() if isinstance(row.get("kl"), float)}
    numbers["best"] = "; ".join(f"{spoken(name)} {kl_in_words(board[name])}"
                                for name in sorted(known, key=known.get))
    numbers["agreement"] = rank_correlation(
        list(known.values()), [board[name]["sea"] for name in known])
    return arrays, numbers


def draw(figure, arrays, numbers):
    headline(figure, TITLE.format(**numbers))
    world = WorldMap()
    colors = mpl.colors.BoundaryNorm(LEVELS, 256, extend="max")
    names = [key.removesuffix("_samples") for key in arrays if key.endswith("_samples")]
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, hspace=0.01, wspace=0.01)
    cells = figure.subfigures(len(names) // 4 + 1, 4)       # one is left for the legend
    for cell, name in zip(cells.flat, names, strict=False):
        upper, lower = cell.subplots(2, 1)
        draw_samples(upper, arrays[f"{name}_samples"], world)
        upper.set_title("the truth" if name == "truth" else SHORT.get(name, spoken(name)), size=12)
        if f"{name}_density" in arrays:
            picture = draw_density(lower, arrays[f"{name}_density"], colors)
            draw_coast(lower, world.coast, antialiased=False)
        else:
            lower.text(0, 0, "no density", ha="center", va="center")
        frame_map(lower)
        lower.set_xlabel(numbers.get(name, "KL 0\nsea 0%"), color=INK)
    ax = cells.flat[len(names)].subplots()
    ax.axis("off")
    figure.colorbar(picture, cax=ax.inset_axes([0.05, 0.86, 0.9, 0.06]), orientation="horizontal",
                    ticks=[0, 0.5, 1, 2],
                    label="density, as a multiple\nof the truth on land")
    ax.text(0.05, 0.5, f"above: {numbers['n_drawn']:,} samples,\nblue on land, orange\ncrosses in "
            "the sea\n\nKL: nats lost per point\nsea: share of the samples\nin the sea", va="top",
            transform=ax.transAxes, linespacing=1.4)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_10_worlds"]))
