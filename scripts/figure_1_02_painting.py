"""Figure 1-2: a discriminative model is trained on labeled pictures and judges new ones.

It shows what labels/logistic.py computes of pictures/painters.py.
"""

import sys

import make_figures
import matplotlib as mpl
from exhibition import COLORS, N_NEW, PAINTERS, N, judged
from style import GREEN, INK, VERMILION, caption, headline, show_picture, stages

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.pictures.painters import N_FEATURES

SIZE = (10, 5.2)
TITLE = "A discriminative model says who painted a picture, and how sure it is"
ALT = ("From left to right: a training set of {n:,} labeled pictures by two procedural painters, "
       "one of straight blocks and one of swirling strokes; a model, logistic regression on "
       "{n_features} features of color and texture; and three new pictures, each with the "
       "probability that the painter of strokes made it: {p_right:.2f}, sure and right; "
       "{p_unsure:.2f}, unsure; {p_wrong:.2f}, {wrong_word}. On {n_new:,} new pictures the model "
       "is right in {accuracy:.1%}.")
KINDS = ("right", "unsure", "wrong")


def holds(numbers):
    """It is right more often than chance, and surer of one picture than of another."""
    return numbers["accuracy"] > 0.6 and abs(numbers["p_unsure"] - 0.5) < 0.1 < abs(
        numbers["p_right"] - 0.5)


def compute(rng):
    pictures, y, new, y_new, log_posterior = judged(N, N_NEW, rng)
    xp = array_module(pictures)
    p = xp.exp(log_posterior[:, 1])
    right = (p > 0.5) == y_new
    sure = abs(p - 0.5)
    chosen = {"right": (sure * right).argmax(), "unsure": sure.argmin(),
              "wrong": (sure * ~right).argmax()}            # the surest of each, and the least sure
    share = right.mean()
    numbers = {"n": N, "n_features": N_FEATURES, "n_new": N_NEW, "accuracy": share,
               "accuracy_error": (share * (1 - share) / N_NEW)**0.5,
               "wrong_word": "right as well" if right[chosen["wrong"]] else "sure and wrong"}
    for kind, i in chosen.items():
        numbers |= {f"p_{kind}": p[i], f"y_{kind}": int(y_new[i])}
    return ({"pictures": pictures[:9], "y": y[:9]}
            | {f"new_{kind}": new[i] for kind, i in chosen.items()}), numbers


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    caption(figure, f"On {numbers['n_new']:,} new pictures the model is right in "
            f"{numbers['accuracy']:.1%} of all cases (± {numbers['accuracy_error']:.1%}, 1 SE).",
            "It scores pictures; it cannot make one.")
    training, model, new = stages(
        figure, ["training set, labeled", "model", "new pictures, judged"], [3.4, 2.5, 4.1])
    for ax, picture, y in zip(training.subplots(3, 3).flat, arrays["pictures"], arrays["y"],
                              strict=True):
        show_picture(ax, picture, COLORS[y], PAINTERS[y])
    ax = model.subplots()
    ax.axis("off")
    ax.add_patch(mpl.patches.FancyBboxPatch((0.08, 0.2), 0.84, 0.6, boxstyle="round,pad=0.05",
                                            facecolor="#F4F4F4", edgecolor=INK, linewidth=1.5))
    ax.text(0.5, 0.5, "$p_\\theta(y|x)$\n\nlogistic\nregression on\n"
            f"{numbers['n_features']} features\nof color\nand texture", ha="center", va="center")
    for kind, (left, right) in zip(KINDS, new.subplots(3, 2, width_ratios=(1, 1.7)), strict=True):
        y, p = numbers[f"y_{kind}"], numbers[f"p_{kind}"]
        show_picture(left, arrays[f"new_{kind}"], COLORS[y], PAINTERS[y])
        right.barh([1, 0], [1 - p, p], color=COLORS, height=0.6)
        for i, share in enumerate((1 - p, p)):
            right.text(share + 0.03, 1 - i, f"{share:.2f}", va="center")
        right.set(yticks=[1, 0], yticklabels=PAINTERS, xlim=(0, 1.25), ylim=(-0.5, 1.5), xticks=[])
        right.spines[["bottom"]].set_visible(False)
        is_right = (p > 0.5) == y
        word, color = (("unsure", INK) if kind == "unsure" else ("sure and right", GREEN)
                       if is_right else ("sure and wrong", VERMILION))
        right.set_title(word, size=12, color=color)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_02_painting"]))
