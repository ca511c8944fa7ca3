"""Companion of Figure 1-2: are the probabilities right, and which pictures are hard?"""

import math
import sys

import make_figures
from exhibition import COLOURS, N_NEW, N, judged
from style import BLACK, BLUE, caption, show_picture

from gdl_numpy.labels.logistic import LogisticFamily
from gdl_numpy.numerics.backend import array_module

SIZE = (13, 5.8)
TITLE = "Are the probabilities right?"
ALT = ("Left: calibration curve of the model of Figure 1-2 on {n_new} new pictures: in ten "
       "groups by predicted probability, the share of pictures made by painter 1 is on average "
       "{calibration_error:.3f} away from the diagonal; chance alone would make it "
       "{calibration_chance:.3f} for a perfectly calibrated model. Right: the four pictures most"
       " certainly by painter 0, the four least certain and the four most certainly by painter "
       "1. Held-out accuracy {accuracy:.1%}, from mean colour alone {accuracy_mean_colour:.1%}.")
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
    mean_colour, mean_colour_new = pictures.mean(axis=(1, 2)), new.mean(axis=(1, 2))
    by_colour = family(family.mle(mean_colour, y)).log_posterior(mean_colour_new)

    least = abs(p - 0.5).argsort()[:4]
    shown = xp.concatenate([order[:4], least, order[-4:]])
    numbers = {"n_new": N_NEW, "accuracy": ((p > 0.5) == y_new).mean(),
               "accuracy_mean_colour": (by_colour.argmax(axis=1) == y_new).mean(),
               "calibration_error": abs(predicted - observed).mean(),
               "calibration_chance": math.sqrt(2 / math.pi) * error.mean()}     # mean |normal|
    numbers |= {f"probability_{i}": p[j] for i, j in enumerate(shown)}
    return {"predicted": predicted, "observed": observed, "error": error,
            "shown": new[shown], "y": y_new[shown]}, numbers


def draw(figure, arrays, numbers):
    left, right = figure.subfigures(1, 2, width_ratios=[5, 7])
    ax = left.subplots()
    ax.plot([0, 1], [0, 1], color=BLACK, lw=1, ls="--", label="perfectly calibrated")
    ax.errorbar(arrays["predicted"], arrays["observed"], 2 * arrays["error"], fmt="o", ms=8,
                color=BLUE, capsize=4, label="tenths of the new pictures, ± 2 SE")
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=TITLE,
           xlabel="predicted probability $p_\\theta(y=1|x)$", ylabel="share made by painter 1")
    ax.legend(loc="upper left", frameon=False)
    rows = right.subfigures(3, 1)
    for i, (row, title) in enumerate(zip(rows, ["most certainly painter 0", "least certain",
                                                "most certainly painter 1"], strict=True)):
        row.suptitle(title, size=12, x=0.02, ha="left", weight="bold")
        for j, ax in enumerate(row.subplots(1, 4), start=4 * i):
            show_picture(ax, arrays["shown"][j], COLOURS[arrays["y"][j]],
                         f"p = {numbers[f'probability_{j}']:.3f}")
    caption(figure, f"{numbers['n_new']} new pictures: accuracy {numbers['accuracy']:.1%}, "
            f"from mean colour alone {numbers['accuracy_mean_colour']:.1%}; "
            "frames: blue painter 0, orange painter 1.",
            f"Mean distance from the diagonal {numbers['calibration_error']:.3f}; chance alone "
            f"makes it {numbers['calibration_chance']:.3f} for a perfectly calibrated model.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_02_calibration"]))
