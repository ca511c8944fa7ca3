"""Figure 1-9: the manifold of dogs in the space of pixels, and the flat latent plane.

It shows what representation/autoencoder.py, latent.py and manifold.py compute.
"""

import sys

import make_figures
import matplotlib as mpl
import numpy as np
from latent_planes import folded, lattice, lines, nearest_picture, rms, trained
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from mpl_toolkits.mplot3d import proj3d
from style import BLUE, INK, VERMILION, caption, headline

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.pictures.rasterizer import rasterize
from gdl_numpy.pictures.silhouettes import dog
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.representation.latent import interpolate
from gdl_numpy.representation.manifold import intrinsic_dimension
from gdl_numpy.representation.principal_components import PrincipalComponents

SIZE = (10, 7.6)
TRAINED = True                                              # an autoencoder, for this figure
TITLE = "Between two dogs the straight way leaves the manifold; the way in codes stays on it"
ALT = ("Upper left, pictures of dogs as points of a space of {pixels:,} dimensions, seen through "
       "their first three principal components: a bent sheet with lines of equal tail and of equal "
       "pose, and five dogs on it, each with its picture. Upper right, the plane of the codes of "
       "an autoencoder, with the same lines and the same dogs. From one dog to another a straight "
       "line in the plane of codes becomes a bent way on the sheet, and halfway is a dog, "
       "{off_latent:.3f} per pixel away from the nearest true one; the straight line in pixels "
       "leaves the sheet, and halfway is a double exposure, {off_pixels:.3f} away from any dog. "
       "Below, five new dogs, decoded from new codes.")
NOTE = ("Pictures of dogs not seen in training are {rms:.3f} per pixel from what their two-number "
        "codes decode to (root mean square), and the new dogs at most {off_new:.3f} from the "
        "nearest of {n_dense:,} true ones; {folded:.1%} of the plane is folded over.")
N, SIDES, STEPS, STARTS = 4000, (1024, 256, 64, 2), 3000, 2 # dogs, encoder, training
N_HELD_OUT = 1000                                           # dogs not seen in training
LINES, DENSE, COMPONENTS, N_NEW, PATH = 9, 49, 20, 5, 201
CUBE = (0, 0), (1, 1)                                       # of (tail, pose)
ENDS = ((0.1, 0.05), (0.95, 0.95))                          # (tail, pose) of the dogs to be mixed
CORNERS = ((0.03, 0.97), (0.97, 0.03))                      # of two more, to see where one is
COLORS = (INK, INK, "#8090A0", "#8090A0", BLUE)             # of ends, corners, and halfway
GRAY, VIEW = "#8090A0", (25, -60)                           # the sheet and its lines; from where


def holds(numbers):
    """Halfway in codes is nearer to a dog than halfway in pixels, by far."""
    return numbers["off_pixels"] > 2 * numbers["off_latent"]


def pictures_of(latent):
    """Black dogs on white, (n, 1024)."""
    return 1 - rasterize(dog(latent)).reshape(len(latent), -1)


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
    shown = pictures_of(xp.asarray(ENDS + CORNERS))
    straight = interpolate(model, *shown[:2], PATH)
    ghost, halfway = (shown[0] + shown[1]) / 2, straight[PATH // 2]
    means = xp.stack([ghost, halfway])
    off_new, (off_pixels, off_latent) = (nearest_picture(a, grid, dense)[0] for a in (new, means))

    surface = model.encode(dense).reshape(DENSE, DENSE, 2)
    pictures = xp.concatenate([shown, halfway[None]])       # on the sheet and on the plane
    numbers = {"n": N, "pixels": images.shape[1], "dimension": intrinsic_dimension(images),
               "variance": pca.explained_variance_ratio.sum(),
               "rms": rms(model, pictures_of(rng.random((N_HELD_OUT, 2)))),
               "folded": folded(surface), "n_dense": DENSE**2,
               "off_new": off_new.max(), "off_pixels": off_pixels, "off_latent": off_latent}
    return {"sheet": pca.encode(dense).reshape(DENSE, DENSE, 3), "plane": surface,
            "way": pca.encode(straight), "on_sheet": pca.encode(pictures),
            "on_plane": model.encode(pictures), "pictures": pictures.reshape(-1, 32, 32),
            "ghost_on_sheet": pca.encode(ghost[None]), "ghost": ghost.reshape(1, 32, 32),
            "new": new.reshape(-1, 32, 32)}, numbers


def draw(figure, arrays, numbers):
    figure.set_layout_engine("none")
    headline(figure, TITLE)
    caption(figure, f"{numbers['n']:,} pictures, seen through their first three principal "
            f"components ({numbers['variance']:.0%} of the variance); lines of equal",
            f"tail and equal pose. Their intrinsic dimension is {numbers['dimension']:.2f}. The "
            "autoencoder was told neither tail nor pose.")
    ax = figure.add_axes((-0.04, 0.28, 0.66, 0.62), projection="3d", computed_zorder=False)
    draw_sheet(ax, arrays)
    figure.text(0.02, 0.9, f"all dogs: a bent sheet among {numbers['pixels']:,} pixels",
                weight="bold")
    ax = figure.add_axes((0.65, 0.36, 0.33, 0.52))
    draw_plane(ax, arrays)
    figure.text(0.98, 0.9, "the same dogs: a flat plane of codes", weight="bold", ha="right")
    for y, word, ends in ((0.8, "encode", (0.53, 0.58)), (0.73, "decode", (0.58, 0.53))):
        figure.text(0.555, y + 0.015, word, ha="center")
        figure.patches.append(mpl.patches.FancyArrowPatch(
            (ends[0], y), (ends[1], y), transform=figure.transSubfigure, color=INK,
            arrowstyle="-|>", mutation_scale=20, linewidth=2.5))
    for y, color, what, off in ((0.225, VERMILION, "average in pixels: a double exposure,",
                                 f"{numbers['off_pixels']:.3f} per pixel from the nearest dog"),
                                (0.145, BLUE, "average in codes: a dog,",
                                 f"{numbers['off_latent']:.3f} from the nearest")):
        figure.text(0.02, y, what, color=color, weight="bold")
        figure.text(0.02, y - 0.032, off, color=color)
    figure.text(0.48, 0.225, "new codes, decoded: new dogs", weight="bold")
    for i, picture in enumerate(arrays["new"]):
        ax = figure.add_axes((0.475 + 0.103 * i, 0.095, 0.1, 0.125))
        ax.imshow(picture.clip(0, 1), cmap="gray", vmin=0, vmax=1)
        ax.axis("off")


def draw_sheet(ax, arrays):
    """The dogs as the three principal components show them, with two ways between two of them."""
    ax.plot_surface(*np.moveaxis(arrays["sheet"], 2, 0), color="#C4CCD4", alpha=0.5, rcount=DENSE,
                    ccount=DENSE, linewidth=0, rasterized=True)
    for line in np.concatenate(lines(arrays["sheet"], LINES)):
        ax.plot(*line.T, color=GRAY, linewidth=1)
    ax.plot(*arrays["way"].T, color=BLUE, linewidth=4)
    ax.plot(*arrays["on_sheet"][:2].T, color=VERMILION, linewidth=3, linestyle=(0, (4, 1.5)))
    ax.axis("off")
    ax.view_init(*VIEW)
    ax.set_box_aspect(None, zoom=1.15)
    def flat(points):
        return np.stack(proj3d.proj_transform(*points.T, ax.get_proj())[:2], 1)

    ends = arrays["on_sheet"][:2]
    straight = ends[0] + np.linspace(0, 1, 50)[:, None] * (ends[1] - ends[0])
    hang(ax, np.concatenate([arrays["pictures"], arrays["ghost"]]),
         flat(np.concatenate([arrays["on_sheet"], arrays["ghost_on_sheet"]])),
         (*COLORS, VERMILION), flat(np.concatenate([arrays["way"], straight])))


def draw_plane(ax, arrays):
    """The plane of codes with the same lines, dogs, and the way in codes, which is straight."""
    for line in np.concatenate(lines(arrays["plane"], LINES)):
        ax.plot(*line.T, color=GRAY, linewidth=1)
    first, last = arrays["on_plane"][:2]
    ax.plot(*arrays["on_plane"][:2].T, color=BLUE, linewidth=4)
    ax.margins(0.23)
    ax.set(xlabel="code $z_1$", ylabel="code $z_2$")
    hang(ax, arrays["pictures"], arrays["on_plane"], COLORS,
         first + np.linspace(0, 1, 50)[:, None] * (last - first))


def hang(ax, pictures, points, colors, ways):
    """A framed picture beside each point of the axes, where it hides the ways and others least."""
    ax.get_xlim(), ax.apply_aspect()                        # else both are settled only later
    spots, others = (ax.transData.transform(these) / ax.figure.dpi for these in (points, ways))
    taken = np.concatenate([spots, others])                 # in inches
    low, high = ax.bbox.get_points() / ax.figure.dpi + [[0.3], [-0.28]]
    low = np.maximum(low, 0.35)                             # half a picture
    for picture, point, spot, color in zip(pictures, points, spots, colors, strict=True):
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        places = spot + 0.62 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        room = np.linalg.norm(places[:, None] - taken, axis=2).min(axis=1).clip(max=0.5)
        outward = (places - spot) @ (spot - others.mean(axis=0))
        inside = ((places > low) & (places < high)).all(axis=1)
        place = places[(room + 0.1 * outward - 9 * ~inside).argmax()]
        ax.add_artist(AnnotationBbox(
            OffsetImage(picture.clip(0, 1), zoom=1.2, cmap="gray", clim=(0, 1),
                        interpolation="nearest"), point, 72 * (place - spot),
            boxcoords="offset points", pad=0.15, bboxprops={"edgecolor": color, "linewidth": 2.5},
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 1.5}))
        ax.add_artist(mpl.lines.Line2D(*point[:, None], marker="X" if color == VERMILION else "o",
                                       ls="", ms=10, color=color, mec="white", zorder=5))
        corners = place + 0.25 * np.array([[0, 0], [-1, -1], [-1, 1], [1, -1], [1, 1]])
        taken = np.concatenate([taken, corners])


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_09_manifold"]))
