"""Companion of Figure 1-2: are the probabilities right, and which pictures are hard?

It shows what labels/logistic.py computes of pictures/painters.py.
"""

import math
import sys

import make_figures
from exhibition import COLORS, N_NEW, PAINTERS, N, judged
from style import BLACK, BLUE, caption, headline, show_picture

from gdl_numpy.labels.logistic import LogisticFamily
from gdl_numpy.numerics.backend import array_module

SIZE = (10, 5.4)
TITLE = "Its probabilities {verdict}: of what gets {near:.2f}, {near_share:.0%} are strokes"
ALT = ("Left: calibration curve of the model of Figure 1-2 on {n_new} new pictures: in ten "
       "groups by predicted probability, the share made by the painter of strokes is on average "
       "{calibration_error:.3f} away from the diagonal; chance alone would make it "
       "{calibration_chance:.3f} for a perfectly calibrated model. Right: the four pictures most"
       " certainly by the painter of blocks, the four least certain and the four most certainly by "
       "the painter of strokes. Held-out accuracy {accuracy:.1%}, from mean color alone "
       "{accuracy_mean_color:.1%}.")
GROUPS = 10


def compute(rng):
    pictures, y, new, y_new, log_posterior = judged(N, N_NEW, rng)
    xp = array_module(pictures)
    p = xp.exp(log_posterior[:, 1])

    order = p.argsort()
    groups = order.reshape(GROUPS, -1)                      # equally many pictures in each
    predicted, observed = p[groups].mean(axis=1), y_new[groups].mean(axis=1)
    error = xp.sqrt(predicted * (1 - predicted) / groups.shape[1])          # if calibrated

    family = LogisticFamily(3)
    mean_color, mean_color_new = pictures.mean(axis=(1, 2)), new.mean(axis=(1, 2))
    by_color = family(family.mle(mean_color, y)).log_posterior(mean_color_new)

    least, near = abs(p - 0.5).argsort()[:4], int(abs(predicted - 0.7).argmin())
    shown = xp.concatenate([order[:4], least, order[-4:]])
    numbers = {"n_new": N_NEW, "accuracy": ((p > 0.5) == y_new).mean(),
               "accuracy_mean_color": (by_color.argmax(axis=1) == y_new).mean(),
               "calibration_error": abs(predicted - observed).mean(),
               "calibration_chance": math.sqrt(2 / math.pi) * error.mean()}     # mean |normal|
    numbers |= {"near": predicted[near], "near_share": observed[near], "verdict": (
        "can be believed" if numbers["calibration_error"] < 2 * numbers["calibration_chance"]
        else "exaggerate")}
    numbers |= {f"probability_{i}": p[j] for i, j in enumerate(shown)}
    return {"predicted": predicted, "observed": observed, "error": error,
            "shown": new[shown], "y": y_new[shown]}, numbers


def draw(figure, arrays, numbers):
    headline(figure, TITLE.format(**numbers))
    left, right = figure.subfigures(1, 2, width_ratios=[4.6, 5.4])
    ax = left.subplots()
    ax.plot([0, 1], [0, 1], color=BLACK, lw=2, ls="--", label="perfectly calibrated")
    ax.errorbar(arrays["predicted"], arrays["observed"], 2 * arrays["error"], fmt="o", ms=7,
                color=BLUE, elinewidth=2, capsize=4, label="a tenth of the pictures, ± 2 SE")
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal",
           xlabel="predicted probability of strokes", ylabel="share made by strokes")
    ax.legend(loc="upper left", frameon=False, borderpad=0, handlelength=1.2)
    rows = right.subfigures(3, 1)
    for i, (row, title) in enumerate(zip(rows, ["surely blocks", "unsure", "surely strokes"],
                                         strict=True)):
        row.suptitle(title, size=12, x=0.02, ha="left", weight="bold")
        for j, ax in enumerate(row.subplots(1, 4), start=4 * i):
            show_picture(ax, arrays["shown"][j], COLORS[arrays["y"][j]],
                         f"p = {numbers[f'probability_{j}']:.3f}")
    caption(figure, f"Of {numbers['n_new']:,} new pictures {numbers['accuracy']:.1%} are judged "
            f"rightly, by their mean color alone {numbers['accuracy_mean_color']:.1%}. Frames: "
            "the truth,", f"blue {PAINTERS[0]}, orange {PAINTERS[1]}. Mean distance from the "
            f"diagonal {numbers['calibration_error']:.3f}; chance alone makes it "
            f"{numbers['calibration_chance']:.3f}.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_02_calibration"]))
