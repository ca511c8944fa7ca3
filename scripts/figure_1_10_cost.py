"""Companion of Figure 1-10: what a training step costs as batch, width and depth grow."""

import sys

import make_figures
from reports import load
from style import BLUE, ORANGE, caption

from gdl_numpy.numerics.backend import array_module

SIZE = (14, 5.4)
TITLE = "Small steps cost more than their arithmetic, large ones about as much"
ALT = ("Three plots, logarithmic axes, of the milliseconds of a training step on one thread, of "
       "an affine flow of 8 networks and a diffusion model of one. From {batch_first} to "
       "{batch_last} rows in a batch it grows {affine_flow_batch:.0f} and {diffusion_batch:.0f} "
       "times, the operations in its matrix products {diffusion_batch_operations:.0f} times. From "
       "{width_first} to {width_last} units in a layer {affine_flow_width:.0f} and "
       "{diffusion_width:.0f} times, the operations {affine_flow_width_operations:.0f} and "
       "{diffusion_width_operations:.0f} times. From {depth_first} to {depth_last} hidden layers "
       "{affine_flow_depth:.1f} and {diffusion_depth:.1f} times, the operations "
       "{affine_flow_depth_operations:.0f} and {diffusion_depth_operations:.0f} times. With the "
       "usual {batch_usual} rows, {width_usual} units and {depth_usual} layers it takes "
       "{affine_flow_ms:.1f} and {diffusion_ms:.1f} milliseconds.")
KINDS = {"affine_flow": ("affine flow, 8 networks", BLUE, "o", "-"),
         "diffusion": ("diffusion model, one network", ORANGE, "s", "--")}
LABELS = {"batch": "rows in a batch", "width": "units in a hidden layer", "depth": "hidden layers"}


def compute(rng):
    """The milliseconds that benchmark_models.py --scaling has measured; nothing is random."""
    xp = array_module(rng.random(1))
    report = load("benchmark_models.json")["scaling"]
    arrays, numbers = {}, {}
    for size, values in report["growing"].items():
        arrays[size] = xp.asarray(values)
        numbers |= {f"{size}_first": values[0], f"{size}_last": values[-1],
                    f"{size}_usual": report["usual"][size]}
        for kind in KINDS:
            seconds, operations = (report[key][kind][size] for key in ("seconds", "operations"))
            name = f"{kind}_{size}"
            arrays |= {name: 1e3 * xp.asarray(seconds),
                       f"{name}_operations": xp.asarray(operations, dtype=float)}
            numbers |= {name: seconds[-1] / seconds[0],
                        f"{name}_operations": operations[-1] / operations[0]}
    for kind in KINDS:
        usual = report["growing"]["batch"].index(report["usual"]["batch"])
        numbers[f"{kind}_ms"] = 1e3 * report["seconds"][kind]["batch"][usual]
    return arrays, numbers


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.005, ha="left", size=16, weight="bold")
    axes = figure.subplots(1, 3, sharey=True)
    for ax, (size, label) in zip(axes, LABELS.items(), strict=True):
        x, words = arrays[size], []
        for kind, (name, colour, marker, line) in KINDS.items():
            y, operations = (arrays[f"{kind}_{size}{end}"] for end in ("", "_operations"))
            ax.plot(x, y, line, color=colour, marker=marker, ms=7, lw=2, label=name)
            ax.plot(x, y[-1] * operations / operations[-1], ":", color=colour, lw=1.5, zorder=1,
                    label="its operations" if kind == "affine_flow" else None)
            words.append(f"{name.split()[0]}: {numbers[f'{kind}_{size}']:.2g} × the time for "
                         f"{numbers[f'{kind}_{size}_operations']:.3g} × the operations")
        ax.set(xscale="log", yscale="log", xlabel=label)
        ax.minorticks_off()
        ax.set_xticks(x, [f"{value:,}" for value in x])
        ax.set_title("\n".join(words), size=11.5, weight="normal")
    axes[0].set_ylabel("milliseconds of a training step")
    axes[0].legend(frameon=False)
    caption(figure, f"On one thread; sizes that do not grow are {numbers['batch_usual']} rows, "
            f"{numbers['width_usual']} units and {numbers['depth_usual']} layers. Dotted: in "
            "proportion to the operations of the matrix products, down from the last",
            "point. The smallest steps fall short of that speed: they pay for each call however "
            "few its numbers, and for what they do with each number beside the products.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_10_cost"]))
