"""Figure 1-8: the true latent plane, the learned one, and new tins decoded from it."""

import math
import sys

import make_figures
import matplotlib as mpl
import numpy as np
from latent_planes import (
    COMPONENTS,
    DENSE,
    SIDES,
    STEPS,
    N,
    folded,
    lattice,
    learned_from_tins,
    lines,
    nearest_picture,
    rms,
)
from style import BLUE, INK, ORANGE, VERMILION, caption

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.pictures.biscuit_tins import HIGH, LOW, BiscuitTins, render
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.representation.manifold import determination, neighbour_regression
from gdl_numpy.representation.principal_components import PrincipalComponents

SIZE = (14, 6.6)
TRAINED = True                                              # an autoencoder, for this figure
TITLE = "A learned latent space: the same lines, bent"
ALT = ("Left, the true latent plane of the tins with lines of equal height and equal width, a "
       "rectangle. Middle, the plane of the codes that an autoencoder learned from {n} pictures "
       "alone: the same lines, bent; {folded:.2%} of the cells between them lie the wrong way "
       "round. Right, {n_shown} new tins, drawn in the learned plane, decoded, each beside the tin "
       "of the true mapping that is nearest to it; of {n_new} such tins, half differ by less than "
       "{off:.4f} per pixel from the nearest.")
N_HELD_OUT, N_NEW, SHOWN = 2000, 2000, 4
LINES = 11                                                  # shown of each kind


def apart(points, k):
    """Row numbers of k of the points (n, 2), each as far as can be from those before."""
    xp = array_module(points)
    chosen, distance = [0], math.inf
    while len(chosen) < k:
        distance = xp.minimum(distance, ((points - points[chosen[-1]])**2).sum(axis=1))
        chosen.append(int(distance.argmax()))
    return chosen


def compute(rng):
    tins, model = learned_from_tins(N, SIDES, STEPS, rng)
    xp, held_out = array_module(tins.images), BiscuitTins(N_HELD_OUT, rng)
    Z, Z_held_out = model.encode(tins.images), model.encode(held_out.images)
    r2 = determination(held_out.latent, neighbour_regression(Z, tins.latent, Z_held_out))
    pca = PrincipalComponents.fit(tins.images, 2)

    codes = MixtureFamily(COMPONENTS, 2)
    p_z = codes(maximum_likelihood(codes, Z.astype(float), rng, method="em"))
    new = p_z.sample(N_NEW, rng)
    decoded = model.decode(new)
    grid = lattice(xp, DENSE)
    pictures = render(grid).reshape(DENSE**2, -1)
    off, found = nearest_picture(decoded, grid, pictures)
    shown = apart(new[:10 * SHOWN], SHOWN)                  # so that they do not hide each other
    surface = model.encode(pictures).reshape(DENSE, DENSE, 2)

    numbers = {"n": N, "n_held_out": N_HELD_OUT, "n_new": N_NEW, "n_shown": SHOWN,
               "r2_height": r2[0], "r2_width": r2[1], "rms": rms(model, held_out.images),
               "rms_pca": rms(pca, held_out.images), "off": xp.median(off),
               "folded": folded(surface)}
    return {"latent": tins.latent[:1500], "codes": Z[:1500], "new": new[shown],
            "found": found[shown], "decoded": decoded[shown].reshape(SHOWN, 32, 32),
            "true": render(found[shown]), "surface": surface}, numbers


def plane(ax, points, new, height_lines, width_lines):
    """Points of a latent plane, and in it the lines of equal height and of equal width."""
    ax.scatter(*points.T, s=3, color="#BBBBBB", zorder=1)
    for line in height_lines:
        ax.plot(*line.T, color=BLUE, linewidth=1.6, zorder=2)
    for line in width_lines:
        ax.plot(*line.T, color=ORANGE, linewidth=1.6, linestyle=(0, (4, 1.5)), zorder=2)
    for i, point in enumerate(new):
        ax.text(*point, str(i + 1), size=11, weight="bold", color="white", ha="center", va="center",
                zorder=4, bbox={"boxstyle": "circle,pad=0.25", "color": VERMILION})


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.01, ha="left", size=16, weight="bold")
    caption(figure, f"The autoencoder saw {numbers['n']:,} pictures and no latent. On "
            f"{numbers['n_held_out']:,} others, height and width follow from the two numbers of the"
            f" code with R² {numbers['r2_height']:.4f} and {numbers['r2_width']:.4f},",
            f"and the codes decode to pictures that differ by {numbers['rms']:.4f} per pixel (root "
            f"mean square; {numbers['rms_pca']:.4f} for two principal components). New tins are "
            "decoded",
            f"from draws of a density fitted to the codes; in the median over {numbers['n_new']:,},"
            f" {numbers['off']:.4f} per pixel lies between one and the nearest tin of the true "
            "mapping.")
    left, middle, right = figure.subfigures(1, 3, width_ratios=[4.4, 5.2, 3.6])
    h, w = (np.linspace(low, high, LINES) for low, high in zip(LOW, HIGH, strict=True))
    ax = left.subplots()
    plane(ax, arrays["latent"][:, ::-1], arrays["found"][:, ::-1],
          [np.array([[LOW[1], a], [HIGH[1], a]]) for a in h],
          [np.array([[a, LOW[0]], [a, HIGH[0]]]) for a in w])
    ax.set(xlabel="width (share of the side)", ylabel="height (share of the side)")
    ax.set_title("true latent plane", size=13)
    ax.legend(handles=[mpl.lines.Line2D([], [], color=BLUE, label="equal height"),
                       mpl.lines.Line2D([], [], color=ORANGE, linestyle=(0, (4, 1.5)),
                                        label="equal width")],
              loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    ax = middle.subplots()
    plane(ax, arrays["codes"], arrays["new"], *lines(arrays["surface"], LINES))
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    ax.set_title("learned latent plane", size=13)
    axes = right.subplots(numbers["n_shown"], 2)
    for i, row in enumerate(axes):
        for ax, name in zip(row, ("decoded", "true"), strict=True):
            ax.imshow(arrays[name][i].clip(0, 1), cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color="#BBBBBB")
        row[0].text(3.5, 4.5, str(i + 1), size=11, weight="bold", color="white", ha="center",
                    va="center", bbox={"boxstyle": "circle,pad=0.25", "color": VERMILION})
    axes[0, 0].set_title("f(z), new", size=13, loc="center")
    axes[0, 1].set_title("nearest tin", size=13, loc="center")
    x = (4.4 + 5.2) / (4.4 + 5.2 + 3.6)
    figure.patches.append(mpl.patches.FancyArrowPatch(
        (x - 0.02, 0.56), (x + 0.02, 0.56), transform=figure.transSubfigure, color=INK,
        arrowstyle="-|>", mutation_scale=26, linewidth=2.5))
    figure.text(x, 0.6, "f", size=17, style="italic", ha="center")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_08_latent_space"]))
