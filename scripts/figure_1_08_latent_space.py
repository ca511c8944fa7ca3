"""Figure 1-8: the true latent plane, the learned one, and new tins decoded from it."""

import sys

import make_figures
import matplotlib as mpl
import numpy as np
from style import BLUE, INK, ORANGE, VERMILION, caption

from gdl_numpy.backend import array_module
from gdl_numpy.biscuit_tins import HIGH, LOW, BiscuitTins, render
from gdl_numpy.family import MixtureFamily
from gdl_numpy.latent import AutoencoderFamily
from gdl_numpy.manifold import determination, neighbour_regression
from gdl_numpy.mle import maximum_likelihood
from gdl_numpy.neighbours import nearest

SIZE = (14, 6.6)
TITLE = "A learned latent space: the same plane, bent"
ALT = ("Left, the true latent plane of the tins with lines of equal height and equal width, a "
       "rectangle. Middle, the plane of the codes that an autoencoder learned from {n} pictures "
       "alone: the same lines, bent, without a crossing. Right, {n_new} new tins, drawn in the "
       "learned plane, decoded, each above the tin of the true mapping that is nearest to it; they "
       "differ by {worst:.3f} per pixel at most. From the code, height and width follow with an R² "
       "of {r2_height:.3f} and {r2_width:.3f}.")
N, N_HELD_OUT, N_NEW = 5000, 1000, 4
SIDES, STEPS = (1024, 256, 64, 2), 6000                     # of the encoder, of the training
LINES, DENSE = 11, 101                                      # shown of each kind; of the dense grid
COMPONENTS = 20                                             # of the mixture fitted to the codes


def lattice(xp, rows, columns):
    """Latents on a grid from LOW to HIGH, (rows · columns, 2), row by row."""
    h, w = (low + (high - low) * xp.linspace(0, 1, k)
            for low, high, k in zip(LOW, HIGH, (rows, columns), strict=True))
    return xp.stack([xp.repeat(h, columns), xp.tile(w, rows)], axis=1)


def trained(images, rng, sizes, steps, starts=1):
    """An autoencoder of the images (n, d), whose codes have mean 0 and covariance I.

    Of several random starts the one that ends at the smallest error: now and then one ends folded.
    """
    family, X = AutoencoderFamily(sizes), images.astype("float32")
    ends = []
    for _ in range(starts):
        for step in family.train(X, rng, max_steps=steps):
            theta = step.theta
        ends.append((float(family.loss(theta, X)[0]), theta))
    return family(family.whitened(min(ends, key=lambda end: end[0])[1], X))


def nearest_tin(images, grid, pictures):
    """Root mean square difference per pixel to the nearest of the pictures, and its latent."""
    distances, numbers = nearest(images, pictures)
    return distances[:, 0] / pictures.shape[1]**0.5, grid[numbers[:, 0]]


def compute(rng):
    tins, held_out = BiscuitTins(N, rng), BiscuitTins(N_HELD_OUT, rng)
    xp = array_module(tins.images)
    model = trained(tins.images, rng, SIDES, STEPS)
    Z, Z_held_out = model.encode(tins.images), model.encode(held_out.images)
    r2 = determination(held_out.latent, neighbour_regression(Z, tins.latent, Z_held_out))
    error = ((model.decode(Z_held_out) - held_out.images)**2).mean()

    codes = MixtureFamily(COMPONENTS, 2)
    p_z = codes(maximum_likelihood(codes, Z.astype(float), rng, method="em"))
    new = p_z.sample(9 * N_NEW, rng)
    new = new[new[:, 1].argsort()][4::9]                    # so that they do not hide each other
    decoded = model.decode(new)
    grid = lattice(xp, DENSE, DENSE)
    pictures = render(grid).reshape(DENSE**2, -1)
    off, found = nearest_tin(decoded, grid, pictures)
    to_training = nearest(decoded, tins.images)[0][:, 0] / decoded.shape[1]**0.5

    lines = lattice(xp, LINES, DENSE), lattice(xp, DENSE, LINES)    # of equal height, equal width
    numbers = {"n": N, "n_held_out": N_HELD_OUT, "n_new": N_NEW, "r2_height": r2[0],
               "r2_width": r2[1], "rms": error**0.5, "worst": off.max(),
               "nearest_training": to_training.min()}
    return {"latent": tins.latent[:1500], "codes": Z[:1500], "new": new, "found": found,
            "decoded": decoded.reshape(N_NEW, 32, 32), "true": render(found),
            "height_lines": model.encode(render(lines[0]).reshape(LINES * DENSE, -1)),
            "width_lines": model.encode(render(lines[1]).reshape(LINES * DENSE, -1))}, numbers


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
            f"and pictures come back with an error of {numbers['rms']:.4f} per pixel (root mean "
            f"square). The new tins 1 to {numbers['n_new']} are decoded from draws of a density "
            "fitted to the codes;",
            f"the nearest tin of the true mapping differs by at most {numbers['worst']:.4f}, "
            f"the nearest training picture by at least {numbers['nearest_training']:.4f}.")
    left, middle, right = figure.subfigures(1, 3, width_ratios=[4.4, 5.2, 3.6])
    lines = arrays["latent"], arrays["found"]
    h, w = (np.linspace(low, high, LINES) for low, high in zip(LOW, HIGH, strict=True))
    ax = left.subplots()
    plane(ax, lines[0][:, ::-1], lines[1][:, ::-1],
          [np.array([[LOW[1], a], [HIGH[1], a]]) for a in h],
          [np.array([[a, LOW[0]], [a, HIGH[0]]]) for a in w])
    ax.set(xlabel="width (share of the side)", ylabel="height (share of the side)")
    ax.set_title("true latent plane", size=13)
    ax.legend(handles=[mpl.lines.Line2D([], [], color=BLUE, label="equal height"),
                       mpl.lines.Line2D([], [], color=ORANGE, linestyle=(0, (4, 1.5)),
                                        label="equal width")],
              loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    ax = middle.subplots()
    plane(ax, arrays["codes"], arrays["new"], arrays["height_lines"].reshape(LINES, -1, 2),
          arrays["width_lines"].reshape(-1, LINES, 2).swapaxes(0, 1))
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    ax.set_title("learned latent plane", size=13)
    axes = right.subplots(numbers["n_new"], 2)
    for i, row in enumerate(axes):
        for ax, name in zip(row, ("decoded", "true"), strict=True):
            ax.imshow(arrays[name][i].clip(0, 1), cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color="#BBBBBB")
        row[0].set_ylabel(str(i + 1), size=13, weight="bold", color=VERMILION, rotation=0,
                          va="center", labelpad=12)
    axes[0, 0].set_title("f(z), new", size=13, loc="center")
    axes[0, 1].set_title("nearest tin", size=13, loc="center")
    x = (4.4 + 5.2) / (4.4 + 5.2 + 3.6)
    figure.patches.append(mpl.patches.FancyArrowPatch(
        (x - 0.025, 0.51), (x + 0.015, 0.51), transform=figure.transSubfigure, color=INK,
        arrowstyle="-|>", mutation_scale=26, linewidth=2.5))
    figure.text(x - 0.006, 0.55, "f", size=17, style="italic", ha="center")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_08_latent_space"]))
