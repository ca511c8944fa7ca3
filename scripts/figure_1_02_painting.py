"""Figure 1-2: a discriminative model is trained on labelled pictures and judges a new one."""

import sys

import make_figures
import matplotlib as mpl
from exhibition import COLOURS, N_NEW, N, judged
from style import INK, caption, show_picture, stages

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.pictures.painters import N_FEATURES

SIZE = (13, 5.2)
TITLE = "A discriminative model: whose picture is this?"
ALT = ("From left to right: a training set of {n} labelled pictures by two procedural painters, "
       "some with straight blocks and some with swirling strokes; a model, logistic regression "
       "on {n_features} features of colour and texture; a new picture; and the output, the "
       "probability {probability:.2f} that painter 1 made it. On new pictures the model is right"
       " in {accuracy:.0%} of all cases.")


def compute(rng):
    pictures, y, new, y_new, log_posterior = judged(N, N_NEW, rng)
    xp = array_module(pictures)
    right = (log_posterior.argmax(axis=1) == y_new).mean()
    numbers = {"n": N, "n_features": N_FEATURES, "n_new": N_NEW,
               "probability": xp.exp(log_posterior[0, 1]), "truth": int(y_new[0]),
               "accuracy": right, "accuracy_error": (right * (1 - right) / N_NEW)**0.5}
    return {"pictures": pictures[:12], "y": y[:12], "new": new[0]}, numbers


def draw(figure, arrays, numbers):
    caption(figure, f"On {numbers['n_new']} new pictures the model is right in "
            f"{numbers['accuracy']:.1%} of all cases (± {numbers['accuracy_error']:.1%}, 1 SE); "
            "none exceeds 13/16 in the mean, because neither painter is pure.",
            "It scores pictures; it cannot make one.")
    training, model, new, output = stages(
        figure, ["training set, labelled", "model", "new observation", "output"], [4, 2.6, 2.2, 2])
    for ax, picture, y in zip(training.subplots(3, 4).flat, arrays["pictures"], arrays["y"],
                              strict=True):
        show_picture(ax, picture, COLOURS[y], f"y = {y}")
    ax = model.subplots()
    ax.axis("off")
    ax.add_patch(mpl.patches.FancyBboxPatch((0.08, 0.2), 0.84, 0.6, boxstyle="round,pad=0.05",
                                            facecolor="#F4F4F4", edgecolor=INK, linewidth=1.5))
    ax.text(0.5, 0.5, "$p_\\theta(y|x)$\n\nlogistic regression\n"
            f"on {numbers['n_features']} features\nof colour and texture,\n"
            f"trained on {numbers['n']}\npictures", ha="center", va="center")
    show_picture(new.subplots(), arrays["new"], label="x")
    ax = output.subplots()
    p = [1 - numbers["probability"], numbers["probability"]]
    ax.bar([0, 1], p, color=COLOURS, width=0.6)
    for i in (0, 1):
        ax.text(i, p[i] + 0.02, f"{p[i]:.2f}", ha="center", weight="bold")
    ax.spines[["left"]].set_visible(False)
    ax.set(xticks=[0, 1], xticklabels=["y = 0", "y = 1"], ylim=(0, 1.1), yticks=[],
           xlabel=f"$p_\\theta(y|x)$\n(made by painter {numbers['truth']})")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_02_painting"]))
