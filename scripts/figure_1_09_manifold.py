"""Figure 1-9: the manifold of dogs in the space of pixels, and the flat latent plane."""

import sys

import make_figures
import numpy as np
from latent_planes import folded, lattice, lines, nearest_picture, rms, trained
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from style import BLUE, ORANGE, VERMILION, caption

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.pictures.rasteriser import rasterise
from gdl_numpy.pictures.silhouettes import dog
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.representation.latent import interpolate
from gdl_numpy.representation.manifold import intrinsic_dimension
from gdl_numpy.representation.principal_components import PrincipalComponents

SIZE = (14, 9.4)
TRAINED = True                                              # an autoencoder, for this figure
TITLE = "The manifold of dogs"
ALT = ("Upper left, pictures of dogs as points of a space of {pixels} dimensions, seen through "
       "their first three principal components: a bent sheet with lines of equal tail and of equal "
       "pose. Upper right, the plane of the codes of an autoencoder, with the same lines and small "
       "decoded dogs along them. Below, dogs decoded from new codes; then two dogs, their average "
       "in pixels, a double exposure {off_pixels:.3f} away from any dog, and in the latent plane, "
       "a dog, {off_latent:.3f} away.")
N, SIDES, STEPS, STARTS = 4000, (1024, 256, 64, 2), 3000, 2 # dogs, encoder, training
LINES, DENSE, COMPONENTS, N_NEW = 9, 49, 20, 5
CUBE = (0, 0), (1, 1)                                       # of (tail, pose)
ENDS = ((0.1, 0.05), (0.95, 0.95))                          # (tail, pose) of the dogs to be mixed


def pictures_of(latent):
    """Black dogs on white, (n, 1024)."""
    return 1 - rasterise(dog(latent)).reshape(len(latent), -1)


def compute(rng):
    images = pictures_of(rng.random((N, 2)))
    xp = array_module(images)
    model = trained(images, rng, SIDES, STEPS, STARTS)
    pca = PrincipalComponents.fit(images, 3)
    grid = lattice(xp, DENSE, *CUBE)
    dense = pictures_of(grid)

    codes = MixtureFamily(COMPONENTS, 2)
    p_z = codes(maximum_likelihood(codes, model.encode(images).astype(float), rng, method="em"))
    new = model.decode(p_z.sample(N_NEW, rng))
    ends = pictures_of(xp.asarray(ENDS))
    means = xp.stack([(ends[0] + ends[1]) / 2, interpolate(model, *ends, 3)[1]])
    off_new, (off_pixels, off_latent) = (nearest_picture(a, grid, dense)[0] for a in (new, means))

    surface = model.encode(dense).reshape(DENSE, DENSE, 2)
    ratio = pca.explained_variance_ratio
    numbers = {"n": N, "pixels": images.shape[1], "dimension": intrinsic_dimension(images),
               "pc1": ratio[0], "pc2": ratio[1], "pc3": ratio[2],
               "rms": rms(model, pictures_of(rng.random((1000, 2)))),
               "folded": folded(surface), "n_dense": DENSE**2,
               "off_new": off_new.max(), "off_pixels": off_pixels, "off_latent": off_latent}
    small = model.encode(pictures_of(lattice(xp, 3, *CUBE)))
    return {"sheet": pca.encode(dense).reshape(DENSE, DENSE, 3),
            "plane": surface, "small": small,
            "thumbnails": model.decode(small).reshape(-1, 32, 32),
            "new": new.reshape(-1, 32, 32),
            "mixed": xp.concatenate([ends, means]).reshape(-1, 32, 32)}, numbers


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.01, ha="left", size=16, weight="bold")
    caption(figure, f"{numbers['n']:,} pictures of {numbers['pixels']:,} pixels, whose intrinsic "
            f"dimension is {numbers['dimension']:.2f}; the three components hold "
            f"{numbers['pc1'] + numbers['pc2'] + numbers['pc3']:.0%} of their variance.",
            "Pictures not seen in training differ from what their two-number codes decode to by "
            f"{numbers['rms']:.3f} per pixel (root mean square). From the nearest of "
            f"{numbers['n_dense']:,} true dogs differ",
            f"the new ones by at most {numbers['off_new']:.3f}, the average in pixels by "
            f"{numbers['off_pixels']:.3f}, and the average in codes by {numbers['off_latent']:.3f}."
            f" {numbers['folded']:.1%} of the plane is folded over.")
    upper, lower = figure.subfigures(2, 1, height_ratios=[3, 1])
    left, right = upper.subfigures(1, 2)
    ax = left.add_subplot(projection="3d", computed_zorder=False)
    left.suptitle("in the space of pixels: a bent sheet", size=13, weight="bold")
    ax.plot_surface(*np.moveaxis(arrays["sheet"], 2, 0), color="#DDDDDD", alpha=0.35,
                    rcount=DENSE, ccount=DENSE, linewidth=0)
    for several, colour, dashes, label in zip(lines(arrays["sheet"], LINES), (BLUE, ORANGE),
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

    right.suptitle("in the learned latent plane", size=13, weight="bold")
    ax = right.subplots()
    for several, colour, dashes in zip(lines(arrays["plane"], LINES), (BLUE, ORANGE),
                                       ("-", (0, (4, 1.5))), strict=True):
        for line in several:
            ax.plot(*line.T, color=colour, linestyle=dashes, linewidth=1.8)
    for z, picture in zip(arrays["small"], arrays["thumbnails"], strict=True):
        ax.add_artist(AnnotationBbox(OffsetImage(picture.clip(0, 1), zoom=1.1, cmap="gray",
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
                                  ("", "", "in pixels", "in codes"), strict=True):
        ax.imshow(picture.clip(0, 1), cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=bool(title), color=VERMILION, linewidth=2)
        ax.set_xlabel(title)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_09_manifold"]))
