"""Companion of Figure 1-10: one model of the map at four moments of its training.

It shows what models/normalizing_flow.py and networks/training.py compute.
"""

import sys

import make_figures
from maps import draw_coast, draw_density, frame_map
from matplotlib.colors import Normalize
from recipes import in_degrees, moved, waves
from style import caption, headline

from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.world.world_map import WORLD, WorldMap

SIZE = (10, 5.6)
TRAINED = True                                              # a flow, for this figure
TITLE = "Training sharpens a blur into coasts, ever more slowly"
ALT = ("Four world maps of the density of one normalizing flow, after {step_0:,}, {step_1:,}, "
       "{step_2:,} and {step_3:,} steps of training on {n:,} points of land. It begins as a blur "
       "over the whole map and ends with visible continents and coasts. Its KL falls from "
       "{kl_0:.2f} to {kl_1:.2f}, {kl_2:.2f} and {kl_3:.2f} nats: every further step gains "
       "less.")
N, N_TEST, GRID = 20_000, 20_000, (180, 360)
MOMENTS = (1, 10, 100, 1000)                                # steps
LAYERS, HIDDEN, BINS, WAVES = 4, (64, 64), 16, ((2, 6), 16)


def holds(numbers):
    """All steps make it better, those of each moment by less than those before, one by one."""
    step, kl = ([numbers[f"{name}_{i}"] for i in range(4)] for name in ("step", "kl"))
    gain = [(kl[i] - kl[i + 1]) / (step[i + 1] - step[i]) for i in range(3)]
    return gain[0] > gain[1] > gain[2] > 0


def compute(rng):
    p_data = WorldMap()
    X, new = p_data.sample(N, rng), p_data.sample(N_TEST, rng)
    xp = array_module(X)
    unit = xp.asarray([90.0, 180.0])
    family = NormalizingFlowFamily(2, LAYERS, HIDDEN, "spline", BINS, waves(xp, *WAVES))
    grid, _ = WORLD.on(xp).grid(GRID)
    arrays, numbers = {}, {"n": N}
    for step in family.train((X / unit).astype("float32"), rng, max_steps=MOMENTS[-1],
                             learning_rate=2e-3, averaging=0.99, augment=moved(1.0)):
        if step.step + 1 in MOMENTS:
            i = MOMENTS.index(step.step + 1)
            p = in_degrees(family(step.theta))
            arrays[f"density_{i}"] = xp.exp(p.log_prob(grid)).reshape(GRID) * p_data.area
            numbers |= {f"step_{i}": MOMENTS[i],
                        f"kl_{i}": -p_data.entropy - float(p.log_prob(new).mean())}
    return arrays, numbers


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    coast, norm = WorldMap().coast, Normalize(0, 1.5)
    for i, ax in enumerate(figure.subplots(2, 2).flat):
        shown = draw_density(ax, arrays[f"density_{i}"], norm)
        draw_coast(ax, coast, rasterized=True)
        frame_map(ax)
        ax.set_title(f"step {numbers[f'step_{i}']:,}: KL {numbers[f'kl_{i}']:.2f} nats", size=12)
    bar = figure.colorbar(shown, ax=figure.axes, extend="max", shrink=0.8, aspect=30)
    bar.set_label("density, in units of the truth on land")
    caption(figure, f"A flow of {LAYERS} spline couplings, trained on {numbers['n']:,} points; "
            "judged on as many others.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_10_training"]))
