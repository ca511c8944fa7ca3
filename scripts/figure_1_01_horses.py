"""Figure 1-1: a generative model is trained on horses and makes new ones out of noise.

It shows what pictures/silhouettes.py draws and representation/autoencoder.py learns of it.
"""

import sys

import make_figures
import matplotlib as mpl
import numpy as np
from latent_planes import trained
from style import BLUE, INK, ORANGE, VERMILION, caption, stages

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.neighbors import nearest
from gdl_numpy.pictures.rasterizer import rasterize
from gdl_numpy.pictures.silhouettes import horse
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.representation.principal_components import ProbabilisticPCAFamily

SIZE = (10, 7.6)
TRAINED = True                                              # an autoencoder, for this figure
TITLE = "A generative model makes new horses out of noise, none of them a copy"
ALT = ("From left to right: a training set of {n:,} silhouettes of running horses, at all moments "
       "of the gait and of all builds; a model, an autoencoder with {k} numbers a picture and a "
       "density of these codes, from which random codes are drawn; and new horses that it made. "
       "Below, a histogram of the difference between a horse and the training horse nearest to it. "
       "It is {made:.2f} per pixel in the median for new horses and {held_out:.2f} for true ones "
       "that the model has not seen, where copies would have 0; for 99 % of the new ones it is "
       "above {made_low:.2f}.")
NOTE = ("The density of codes was chosen, among mixtures of normals, by the likelihood of held-out "
        "codes. Of the true horses that the model has not seen, 99 % are more than "
        "{held_out_low:.2f} away from the nearest training horse, of the new ones 99 % more than "
        "{made_low:.2f}. A new horse is told from a true one by whether its nearest neighbor among "
        "{n_judged:,} of each is new as well.")
N, N_JUDGED, SIDE = 6000, 2000, 48                          # horses; pixels a side
HIDDEN, K, STEPS = (256, 64), 10, 4000                      # of the autoencoder
COMPONENTS = (1, 20, 50, 100)                               # of the density of codes, at choice
SHOWN = 9                                                   # horses of each kind


def horses(n, rng):
    """Pictures (n, SIDE²) of horses of all builds at all moments of the gait, black on white."""
    latent = 2 * rng.random((n, 8)) - 1
    parts = [1 - rasterize(horse(latent[i:i + 500]), SIDE) for i in range(0, n, 500)]
    return array_module(latent).concatenate(parts).reshape(n, -1).astype("float32")


def told_apart(X, Y):
    """How often the nearest of all other rows is one of the same set: 1/2 if X and Y are alike.

    The two-sample test of Schilling (1986) and Henze (1988) with one neighbor; X and Y (n, d).
    """
    xp = array_module(X)
    both = xp.concatenate([X, Y])
    of_Y = xp.arange(len(both)) >= len(X)
    return (of_Y[nearest(both, both, 2)[1][:, 1]] == of_Y).mean()


def code_density(Z, Z_held_out, rng):
    """The mixture of normals under which held-out codes are most likely, as a triple: their mean
    log density, its number of components, and itself."""
    fits = []
    for n_components in COMPONENTS:
        family = MixtureFamily(n_components, K) if n_components > 1 else NormalFamily(K)
        method = "em" if n_components > 1 else "closed form"
        p_z = family(maximum_likelihood(family, Z, rng, method, tol=1e-4, max_steps=100))
        fits.append((float(p_z.log_prob(Z_held_out).mean()), n_components, p_z))
    return max(fits, key=lambda fit: fit[:2])


def holds(numbers):
    """Next to none is as near to a horse of the training set as a copy would be."""
    return numbers["made_low"] > numbers["held_out_low"] / 2


def compute(rng):
    X, validation, test = horses(N, rng), horses(N_JUDGED, rng), horses(N_JUDGED, rng)
    xp = array_module(X)
    autoencoder = trained(X, rng, (SIDE**2, *HIDDEN, K), STEPS)
    Z, Z_held_out = (autoencoder.encode(images).astype(float) for images in (X, validation))
    code_log_prob, components, p_z = code_density(Z, Z_held_out, rng)
    ppca = ProbabilisticPCAFamily(SIDE**2, K)
    ppca = ppca(ppca.mle(X.astype(float)))

    noise = p_z.sample(N_JUDGED, rng)
    made = autoencoder.decode(noise).clip(0, 1)
    by_planes = ppca.sample(N_JUDGED, rng).clip(0, 1).astype("float32")
    to_training, held_out = (nearest(images, X)[0][:, 0] / SIDE for images in (made, test))
    numbers = {
        "n": N, "side": SIDE, "k": K, "components": components, "code_log_prob": code_log_prob,
        "made": xp.median(to_training), "held_out": xp.median(held_out),
        "made_low": xp.sort(to_training)[N_JUDGED // 100],
        "held_out_low": xp.sort(held_out)[N_JUDGED // 100],
        "told_apart": told_apart(test, made), "told_apart_ppca": told_apart(test, by_planes),
        "n_judged": N_JUDGED}
    pictures = {"training": X[:SHOWN], "made": made[:SHOWN]}
    return ({name: rows.reshape(-1, SIDE, SIDE) for name, rows in pictures.items()}
            | {"to_training": to_training, "held_out": held_out, "noise": noise[:SHOWN]}), numbers


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.01, ha="left", size=14, weight="bold")
    caption(figure, "Asked of its nearest neighbor, a new horse is told from a true one in "
            f"{10 * numbers['told_apart']:.0f} of 10 cases, 5 being chance; one made by",
            f"probabilistic PCA, with as many numbers a picture, in "
            f"{10 * numbers['told_apart_ppca']:.0f} of 10.")
    above, below = figure.subfigures(2, 1, height_ratios=(1.75, 1))
    training, model, new = stages(above, ["training data", "model", "new horses"], [4, 2.4, 4])
    for part, name, color in ((training, "training", BLUE), (new, "made", ORANGE)):
        for ax, picture in zip(part.subplots(3, 3).flat, arrays[name], strict=True):
            ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color=color, linewidth=1.5)
    draw_model(model, arrays["noise"], numbers)
    draw_distances(below.subplots(), arrays, numbers)


def draw_model(part, codes, numbers):
    """A decoder above, and noise that goes into it."""
    ax = part.add_axes((0.02, 0.45, 0.96, 0.42))
    ax.axis("off")
    ax.add_patch(mpl.patches.FancyBboxPatch((0.08, 0.08), 0.84, 0.84, edgecolor=INK, linewidth=1.5,
                                            boxstyle="round,pad=0.05", facecolor="#F4F4F4"))
    ax.text(0.5, 0.5, f"x = f(z)\n\n{numbers['k']} numbers to\n{numbers['side']**2:,} pixels",
            ha="center", va="center")
    ax = part.add_axes((0.25, 0.1, 0.5, 0.26))
    ax.imshow(codes, cmap="gray", vmin=-2.5, vmax=2.5, aspect="auto")
    ax.set(xticks=[], yticks=[], xlabel="random codes z")
    ax.spines[:].set(visible=True, color=INK)
    part.patches.append(mpl.patches.FancyArrowPatch(
        (0.5, 0.36), (0.5, 0.46), transform=part.transSubfigure, color=INK, arrowstyle="-|>",
        mutation_scale=22, linewidth=2.5))


def draw_distances(ax, arrays, numbers):
    """How far horses are from the nearest one of the training set."""
    bins = np.linspace(0, 0.16, 33)
    ax.hist(arrays["to_training"].clip(0, 0.16), bins, histtype="stepfilled", color=ORANGE,
            label="new horses")
    ax.hist(arrays["held_out"].clip(0, 0.16), bins, histtype="step", color=BLUE, linewidth=2.5,
            label="true horses, held out")
    ax.axvline(0, color=VERMILION, linewidth=6, clip_on=False)
    ax.annotate("a copy would be here", (0, 0.5), (16, 0), xycoords=("data", "axes fraction"),
                textcoords="offset points", va="center",
                arrowprops={"arrowstyle": "-|>", "color": VERMILION, "linewidth": 2})
    ax.set(xlim=(0, 0.16), yticks=[], ylabel="horses",
           xlabel="difference to the nearest training horse (root mean square per pixel)")
    ax.legend(frameon=False, loc="upper right", fontsize=12)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_01_horses"]))
