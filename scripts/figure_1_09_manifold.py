"""Figure 1-9: the manifold of dogs in the space of pixels, and the flat latent plane."""

import sys

import make_figures
import numpy as np
from figure_1_08_latent_space import nearest_tin as nearest_picture
from figure_1_08_latent_space import trained
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from style import BLUE, ORANGE, VERMILION, caption

from gdl_numpy.backend import array_module
from gdl_numpy.family import MixtureFamily
from gdl_numpy.latent import PrincipalComponents, interpolate
from gdl_numpy.manifold import intrinsic_dimension
from gdl_numpy.mle import maximum_likelihood
from gdl_numpy.rasteriser import rasterise
from gdl_numpy.silhouettes import dog

SIZE = (14, 9.4)
TITLE = "The manifold of dogs"
ALT = ("Upper left, pictures of dogs as points of a space of {pixels} dimensions, seen through "
       "their first three principal components: a bent sheet with lines of equal tail and of equal "
       "pose. Upper right, the plane of the codes of an autoencoder, with the same lines and small "
       "decoded dogs along them. Below, dogs decoded from new codes; then two dogs, their average "
       "in pixels, a double exposure {off_pixels:.3f} away from any dog, and in the latent plane, "
       "a dog, {off_latent:.3f} away.")
N, SIDES, STEPS, STARTS = 4000, (1024, 256, 64, 2), 3000, 2 # dogs, encoder, training
LINES, DENSE, COMPONENTS, N_NEW = 9, 49, 20, 5
ENDS = ((0.1, 0.05), (0.95, 0.95))                          # (tail, pose) of the dogs to be mixed


def pictures_of(latent):
    """Black dogs on white, (n, 1024)."""
    return 1 - rasterise(dog(latent)).reshape(len(latent), -1)


def lattice(xp, rows, columns):
    """(tail, pose) on a grid over the unit square, (rows · columns, 2), row by row."""
    return xp.stack([xp.repeat(xp.linspace(0, 1, rows), columns),
                     xp.tile(xp.linspace(0, 1, columns), rows)], axis=1)


def compute(rng):
    images = pictures_of(rng.random((N, 2)))
    xp = array_module(images)
    model = trained(images, rng, SIDES, STEPS, STARTS)
    pca = PrincipalComponents.fit(images, 3)
    grid = lattice(xp, DENSE, DENSE)
    dense = pictures_of(grid)

    codes = MixtureFamily(COMPONENTS, 2)
    p_z = codes(maximum_likelihood(codes, model.encode(images).astype(float), rng, method="em"))
    new = model.decode(p_z.sample(N_NEW, rng))
    ends = pictures_of(xp.asarray(ENDS))
    means = xp.stack([(ends[0] + ends[1]) / 2, interpolate(model, *ends, 3)[1]])
    off_new, (off_pixels, off_latent) = (nearest_picture(a, grid, dense)[0] for a in (new, means))

    fresh = pictures_of(rng.random((1000, 2)))
    error = ((model.decode(model.encode(fresh)) - fresh)**2).mean()
    ratio = pca.explained_variance_ratio
    numbers = {"n": N, "pixels": images.shape[1], "dimension": intrinsic_dimension(images),
               "pc1": ratio[0], "pc2": ratio[1], "pc3": ratio[2], "rms": error**0.5,
               "off_new": off_new.max(), "off_pixels": off_pixels, "off_latent": off_latent}
    small = model.encode(pictures_of(lattice(xp, 3, 3)))
    return {"sheet": pca.encode(dense).reshape(DENSE, DENSE, 3),
            "plane": model.encode(dense).reshape(DENSE, DENSE, 2), "small": small,
            "thumbnails": model.decode(small).reshape(-1, 32, 32),
            "new": new.reshape(-1, 32, 32),
            "mixed": xp.concatenate([ends, means]).reshape(-1, 32, 32)}, numbers


def lines(surface):
    """The lines of equal tail and of equal pose in a grid of points (m, m, k)."""
    every = np.linspace(0, len(surface) - 1, LINES).astype(int)
    return surface[every], surface[:, every].swapaxes(0, 1)


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.01, ha="left", size=16, weight="bold")
    caption(figure, f"{numbers['n']:,} pictures of {numbers['pixels']:,} pixels, whose intrinsic "
            f"dimension is {numbers['dimension']:.2f}; the three components hold "
            f"{numbers['pc1'] + numbers['pc2'] + numbers['pc3']:.0%} of their variance.",
            "Differences per pixel, root mean square: of pictures not seen in training from what "
            f"their two-number codes decode to, {numbers['rms']:.3f}; from the nearest true dog,",
            f"at most {numbers['off_new']:.3f} for the new dogs, {numbers['off_pixels']:.3f} for "
            f"the average in pixels, {numbers['off_latent']:.3f} for the average in the latent "
            "plane.")
    upper, lower = figure.subfigures(2, 1, height_ratios=[3, 1])
    left, right = upper.subfigures(1, 2)
    ax = left.add_subplot(projection="3d", computed_zorder=False)
    left.suptitle("in the space of pixels: a bent sheet", size=13, weight="bold")
    ax.plot_surface(*np.moveaxis(arrays["sheet"], 2, 0), color="#DDDDDD", alpha=0.35,
                    rcount=DENSE, ccount=DENSE, linewidth=0)
    for several, colour, dashes, label in zip(lines(arrays["sheet"]), (BLUE, ORANGE),
                                              ("-", (0, (4, 1.5))),
                                              ("equal tail", "equal pose"), strict=True):
        for i, line in enumerate(several):
            ax.plot(*line.T, color=colour, linestyle=dashes, linewidth=1.8,
                    label=label if i == 0 else None)
    ax.set(**{f"{axis}ticks": [] for axis in "xyz"},
           **{f"{axis}label": f"component {i} ({numbers[f'pc{i}']:.0%})"
              for i, axis in enumerate("xyz", start=1)})
    ax.legend(loc="lower left", frameon=False)
    ax.view_init(25, -60)
    ax.set_box_aspect(None, zoom=0.92)

    right.suptitle("in the learned latent plane: flat", size=13, weight="bold")
    ax = right.subplots()
    for several, colour, dashes in zip(lines(arrays["plane"]), (BLUE, ORANGE),
                                       ("-", (0, (4, 1.5))), strict=True):
        for line in several:
            ax.plot(*line.T, color=colour, linestyle=dashes, linewidth=1.8)
    for z, picture in zip(arrays["small"], arrays["thumbnails"], strict=True):
        ax.add_artist(AnnotationBbox(OffsetImage(picture.clip(0, 1), zoom=1.35, cmap="gray",
                                                 clim=(0, 1), interpolation="nearest"), z,
                                     pad=0.15, bboxprops={"edgecolor": "#888888"}))
    ax.margins(0.12)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")

    new, mixed = lower.subfigures(1, 2, width_ratios=[5, 4.6])
    new.suptitle("new dogs, decoded", size=13, weight="bold")
    mixed.suptitle("two dogs and their averages", size=13, weight="bold")
    for ax, picture in zip(new.subplots(1, len(arrays["new"])), arrays["new"], strict=True):
        ax.imshow(picture.clip(0, 1), cmap="gray", vmin=0, vmax=1)
        ax.axis("off")
    for ax, picture, title in zip(mixed.subplots(1, 4), arrays["mixed"],
                                  ("", "", "in pixels", "in latent"), strict=True):
        ax.imshow(picture.clip(0, 1), cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=bool(title), color=VERMILION, linewidth=2)
        ax.set_xlabel(title)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_09_manifold"]))
