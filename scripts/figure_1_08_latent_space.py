"""Figure 1-8: the true latent plane, the learned one, and new tins decoded from it.

It shows what representation/autoencoder.py and manifold.py compute.
"""

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
from style import BLUE, ORANGE, VERMILION, caption, headline

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.pictures.biscuit_tins import HIGH, LOW, BiscuitTins, render
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.representation.manifold import determination, neighbor_regression
from gdl_numpy.representation.principal_components import PrincipalComponents

SIZE = (10, 7.2)
TRAINED = True                                              # an autoencoder, for this figure
TITLE = "What an autoencoder learns from pictures alone is the true latent plane, bent"
ALT = ("Upper left, the true latent plane of the tins with lines of equal height and equal width, "
       "a rectangle. Upper right, the plane of the codes that an autoencoder learned from {n:,} "
       "pictures alone: the same lines, bent; {folded:.2%} of the cells between them lie the wrong "
       "way round. Below, {n_shown} new tins, drawn in the learned plane and decoded, each beside "
       "the tin of the true mapping that is nearest to it; of {n_new:,} such tins, half differ by "
       "less than {off:.4f} per pixel from the nearest.")
NOTE = ("On {n_held_out:,} other pictures, height and width follow from the two numbers of the "
        "code with R² {r2_height:.4f} and {r2_width:.4f}, and the codes decode to pictures that "
        "are {rms:.4f} per pixel off (root mean square); two principal components are "
        "{rms_pca:.4f} off.")
N_HELD_OUT, N_NEW, SHOWN = 2000, 2000, 4
LINES = 11                                                  # shown of each kind


def holds(numbers):
    """Height and width follow from the codes, and next to nothing of the plane is folded over."""
    return min(numbers["r2_height"], numbers["r2_width"]) > 0.9 and numbers["folded"] < 0.05


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
    r2 = determination(held_out.latent, neighbor_regression(Z, tins.latent, Z_held_out))
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
        ax.plot(*line.T, color=BLUE, linewidth=1.8, zorder=2)
    for line in width_lines:
        ax.plot(*line.T, color=ORANGE, linewidth=1.8, linestyle=(0, (4, 1.5)), zorder=2)
    ax.update_datalim(new)
    for i, point in enumerate(new):
        badge(ax, *point, i)


def badge(ax, x, y, i):
    """The number of a new tin, white on red."""
    ax.text(x, y, str(i + 1), size=11, weight="bold", color="white", ha="center", va="center",
            zorder=4, bbox={"boxstyle": "circle,pad=0.25", "color": VERMILION})


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    caption(figure, f"The autoencoder saw {numbers['n']:,} pictures and no latent. New tins are "
            "decoded draws of a density fitted to their codes;",
            f"half of {numbers['n_new']:,} are within {numbers['off']:.4f} per pixel of a tin of "
            "the true mapping (root mean square).")
    upper, lower = figure.subfigures(2, 1, height_ratios=(4.4, 1.6))
    left, right = upper.subplots(1, 2)
    h, w = (np.linspace(low, high, LINES) for low, high in zip(LOW, HIGH, strict=True))
    plane(left, arrays["latent"][:, ::-1], arrays["found"][:, ::-1],
          [np.array([[LOW[1], a], [HIGH[1], a]]) for a in h],
          [np.array([[a, LOW[0]], [a, HIGH[0]]]) for a in w])
    left.set(xlabel="width (share of the side)", ylabel="height (share of the side)")
    left.set_title("true latent plane", size=12)
    plane(right, arrays["codes"], arrays["new"], *lines(arrays["surface"], LINES))
    right.set(xlabel="code $z_1$", ylabel="code $z_2$")
    right.set_title("learned latent plane", size=12)
    right.legend(handles=[mpl.lines.Line2D([], [], color=BLUE, lw=2, label="equal height"),
                          mpl.lines.Line2D([], [], color=ORANGE, lw=2, linestyle=(0, (4, 1.5)),
                                           label="equal width")], frameon=False, borderpad=0)
    pairs = lower.subfigures(1, numbers["n_shown"])
    for i, pair in enumerate(pairs):
        for ax, name, label in zip(pair.subplots(1, 2), ("decoded", "true"),
                                   ("f(z), new", "nearest tin"), strict=True):
            ax.imshow(arrays[name][i].clip(0, 1), cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[], xlabel=label)
            ax.spines[:].set(visible=True, color="#BBBBBB")
            if name == "decoded":
                badge(ax, 3.5, 4, i)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_08_latent_space"]))
