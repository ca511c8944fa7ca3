"""Companion of Figure 1-10: a diffusion model at work, from noise to points on land.

It shows what models/diffusion.py computes. The numbers are those of the committed parameters.
"""

import sys

import make_figures
from maps import draw_samples
from recipes import committed
from style import caption, headline

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.world.world_map import WORLD, WorldMap

SIZE, MOVING_SIZE = (10, 5.35), (7.2, 4.15)
TITLE = "A diffusion model turns noise into a world, a little at a time"
ALT = ("Six world maps with the same {n:,} points, blue on land and orange crosses elsewhere, at "
       "six moments of their way through {steps} steps of a diffusion model. They begin as a "
       "cloud of noise around the middle of the map, {off_0:.0%} of them off the land; after step "
       "{step_1} it is {off_1:.0%}, after {step_2} {off_2:.0%}, after {step_3} {off_3:.0%}, after "
       "{step_4} {off_4:.0%}; after the last they fill the continents, and {off_5:.0%} are off "
       "the land, mostly near the coast.")
N, N_MOVING, N_POINTS = 2000, 32, 20_000                    # chains; frames; points learned from
SHARES = (0, 0.45, 0.6, 0.72, 0.85, 1)                      # of all steps: the moments shown


def holds(numbers):
    """From mostly off the land to mostly on it, and never back by more than a little."""
    off = [numbers[f"off_{i}"] for i in range(len(SHARES))]
    return off[0] > 0.6 and off[-1] < 0.3 and all(
        later < earlier + 0.05 for earlier, later in zip(off, off[1:], strict=False))


def compute(rng):
    xp, p_data = array_module(rng.random(1)), WorldMap()
    p = committed("diffusion", rng.random(1))
    states = [X * p.unit for X in p.p.chain(N, rng)]
    steps = len(states) - 1
    numbers, arrays = {"n": N, "steps": steps}, {}
    for i, share in enumerate(SHARES):
        X = states[round(share * steps)]
        arrays[f"state_{i}"] = X
        numbers |= {f"step_{i}": round(share * steps), f"off_{i}": 1 - p_data.contains(X).mean(),
                    f"beyond_{i}": 1 - WORLD.on(xp).contains(X).mean()}
    moments = [round(i * steps / N_MOVING) for i in range(N_MOVING + 1)]
    return arrays | {"moments": xp.asarray(moments),
                     "moving": xp.stack([states[t] for t in moments])}, numbers


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    p_data = WorldMap()
    for i, ax in enumerate(figure.subplots(2, 3).flat):
        draw_samples(ax, arrays[f"state_{i}"], p_data)
        step = f"step {numbers[f'step_{i}']} of {numbers['steps']}"
        ax.set_title({0: "noise: ", len(SHARES) - 1: "samples: "}.get(i, "") + step, size=12)
        ax.set_xlabel(f"{numbers[f'off_{i}']:.0%} off the land")
    caption(figure, f"The same {numbers['n']:,} points in every map, blue on land, orange crosses "
            f"off it; of the noise {numbers['beyond_0']:.0%} lie beyond",
            "the map's edge. The model never saw a coast: all it knows comes from "
            f"{N_POINTS:,} points of land.")


def animate(figure, arrays, numbers):
    """One picture after the other on the same figure."""
    headline(figure, TITLE)
    p_data, ax = WorldMap(), figure.subplots()
    for step, X in zip(arrays["moments"], arrays["moving"], strict=True):
        ax.clear()
        draw_samples(ax, X, p_data)
        ax.set_xlabel(f"step {step} of {numbers['steps']}: {1 - p_data.contains(X).mean():.0%} of "
                      f"{numbers['n']:,} points off the land")
        yield


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_10_diffusion"]))
