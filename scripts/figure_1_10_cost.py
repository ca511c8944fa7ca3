"""Companion of Figure 1-10: how fast a training step computes as batch, width and depth grow.

It shows what networks/network.py and networks/training.py do, as benchmark_models.py measured it.
"""

import sys

import make_figures
from reports import load
from style import BLUE, INK, ORANGE, caption, headline

from gdl_numpy.numerics.backend import array_module

SIZE = (10, 4.6)
TITLE = ("Wide layers pay: {narrow:.0%} of the machine's peak with {width_first} units, "
         "{wide:.0%} with {width_last}")
ALT = ("Three plots of the speed of a training step on one thread, in billions of operations per "
       "second, of an affine flow of 8 networks and a diffusion model of one, under a line at "
       "{peak:.0f}, the speed of a large matrix product on the same machine. From {batch_first} "
       "to {batch_last:,} rows in a batch the flow goes from {affine_flow_batch_first:.0f} to "
       "{affine_flow_batch_last:.0f} and is fastest with {affine_flow_batch_best:,} rows, the "
       "diffusion model from {diffusion_batch_first:.0f} to {diffusion_batch_last:.0f}, fastest "
       "with {diffusion_batch_best:,}. From {width_first} to {width_last} units in a layer they go "
       "from {affine_flow_width_first:.0f} and {diffusion_width_first:.0f} to "
       "{affine_flow_width_last:.0f} and {diffusion_width_last:.0f}; from {depth_first} to "
       "{depth_last} hidden layers from {affine_flow_depth_first:.0f} and "
       "{diffusion_depth_first:.0f} to {affine_flow_depth_last:.0f} and "
       "{diffusion_depth_last:.0f}.")
NOTE = ("A large matrix product is what the machine can do. Narrow layers and small batches pay "
        "for each call however few its numbers, and for what is done with each number beside the "
        "products; beyond {affine_flow_batch_best:,} and {diffusion_batch_best:,} rows larger "
        "batches gain nothing.")
KINDS = {"affine_flow": ("affine flow, 8 networks", BLUE, "o", "-"),
         "diffusion": ("diffusion model, one network", ORANGE, "s", "--")}
LABELS = {"batch": "rows in a batch", "width": "units in a hidden layer", "depth": "hidden layers"}


def holds(numbers):
    """Of the three sizes, the width changes the speed of both models most."""
    def gain(kind, size):
        return numbers[f"{kind}_{size}_last"] / numbers[f"{kind}_{size}_first"]
    return all(gain(kind, "width") > 1.2 * gain(kind, size)
               for kind in KINDS for size in ("batch", "depth"))


def compute(rng):
    """What benchmark_models.py --scaling and benchmark_network.py measured; nothing is random."""
    xp = array_module(rng.random(1))
    reports = load("benchmark_models.json")
    processor = max(reports, key=lambda name: "scaling" in reports[name], default="a processor")
    report = reports[processor]["scaling"]
    peak = load("benchmark_network.json")[processor]["peak_GFLOP_per_s"]["numpy"]["1"]
    arrays, numbers = {}, {"peak": peak, "processor": processor}
    for size, values in report["growing"].items():
        arrays[size] = xp.asarray(values)
        numbers |= {f"{size}_first": values[0], f"{size}_last": values[-1],
                    f"{size}_usual": report["usual"][size]}
        for kind in KINDS:
            speed = [1e-9 * operations / seconds for operations, seconds in zip(
                report["operations"][kind][size], report["seconds"][kind][size], strict=True)]
            arrays[f"{kind}_{size}"] = xp.asarray(speed)
            numbers |= {f"{kind}_{size}_first": speed[0], f"{kind}_{size}_last": speed[-1],
                        f"{kind}_{size}_best": values[speed.index(max(speed))]}
    for word, end in (("narrow", "first"), ("wide", "last")):
        numbers[word] = sum(numbers[f"{kind}_width_{end}"] for kind in KINDS) / len(KINDS) / peak
    return arrays, numbers


def draw(figure, arrays, numbers):
    headline(figure, TITLE.format(**numbers))
    axes = figure.subplots(1, 3, sharey=True)
    for ax, (size, label) in zip(axes, LABELS.items(), strict=True):
        x = arrays[size]
        for kind, (name, color, marker, line) in KINDS.items():
            ax.plot(x, arrays[f"{kind}_{size}"], line, color=color, marker=marker, ms=7, lw=2.5,
                    label=name)
        ax.axhline(numbers["peak"], color=INK, ls=":", lw=2)
        ax.set(xscale="log", xlabel=label, ylim=(0, 1.12 * numbers["peak"]))
        ax.minorticks_off()
        ax.set_xticks(x, [f"{value:,}" if i % 2 == 0 or len(x) < 7 else ""
                          for i, value in enumerate(x)])
    axes[0].text(axes[0].get_xlim()[0] * 1.1, numbers["peak"] * 1.02,
                 f"matrix product: {numbers['peak']:.0f}", va="bottom")
    axes[0].set_ylabel("10⁹ operations per second")
    axes[2].legend(frameon=False, loc="lower right", borderpad=0, handlelength=1.6)
    caption(figure, f"One thread of: {numbers['processor']}. What does not grow: "
            f"{numbers['batch_usual']} rows, {numbers['width_usual']} units, "
            f"{numbers['depth_usual']} layers.", "Dotted: a matrix product. What a step lacks goes "
            "to calls, memory and the work on single numbers.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_10_cost"]))
