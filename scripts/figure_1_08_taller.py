"""Companion of Figure 1-8: "taller" is a path in latent space, found from pictures alone.

It shows what representation/autoencoder.py and latent.py compute.
"""

import sys

import make_figures
from latent_planes import DENSE, SIDES, STEPS, N, lattice, learned_from_tins, nearest_picture
from style import BLUE, VERMILION, caption, headline

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.neighbors import nearest
from gdl_numpy.pictures.biscuit_tins import extent, render
from gdl_numpy.representation.latent import directions

SIZE = (10, 4.4)
TRAINED = True                                              # an autoencoder, for this figure
TITLE = "Taller: a short walk in codes; mixing the same two tins in pixels makes a ghost"
ALT = ("Two rows of {shown} pictures with the same first and the same last tin. Above, steps "
       "through the plane of codes, their direction found from pictures: the tin grows from height "
       "{height_from:.2f} to {height_to:.2f} of the side while its width goes from "
       "{width_from:.2f} to {width_to:.2f}, and every picture is a tin. Below, the first and the "
       "last are mixed pixel by pixel: a small tin fades while a tall one appears around it. A "
       "plot shows how far each picture is from the nearest true tin, per pixel: at most "
       "{off_taller:.3f} above, up to {off_pixels:.3f} below.")
NOTE = ("Both rows begin and end with the same two tins. A regression on the numbers of dark rows "
        "and columns of the pictures whose codes are nearest says which way in the plane is up, "
        "and {steps} small steps are taken. In pixels there is only the mixture: half of one tin "
        "and half of the other.")
PATH, SHOWN = 25, 7                                         # points of a path; pictures of it
START, RISE = (0.3, 0.5), 0.36                              # first tin; dark rows to be added
COLORS = {"taller": BLUE, "pixels": VERMILION}
NEIGHBORS = 200                                            # of a code, for the direction


def holds(numbers):
    """Height grows and width stays, and halfway in pixels is farther from any tin."""
    return (numbers["height_to"] - numbers["height_from"] > 0.15
            > 2 * abs(numbers["width_to"] - numbers["width_from"])
            and numbers["off_pixels"] > 2 * numbers["off_taller"])


def taller(model, Z, extents, z, steps, rise):
    """Codes (steps, 2) from z (2,) on; to first order, dark rows are added, and columns stay."""
    path = [z]
    for _ in range(steps - 1):
        step = directions(Z, extents, path[-1], NEIGHBORS)[0] * rise / (steps - 1)
        path.append(path[-1] + step)
    return array_module(Z).stack(path)


def compute(rng):
    tins, model = learned_from_tins(N, SIDES, STEPS, rng)
    xp = array_module(tins.images)
    Z, extents = model.encode(tins.images).astype(float), extent(tins.images)
    first = nearest(xp.asarray([START]), tins.latent)[1][0]
    path = taller(model, Z, extents, Z[first][0], PATH, RISE)
    t = xp.linspace(0, 1, PATH)[:, None]
    pictures = model.decode(path)
    rows = {"taller": pictures, "pixels": (1 - t) * pictures[0] + t * pictures[-1]}

    grid = lattice(xp, DENSE)
    true = render(grid).reshape(DENSE**2, -1)
    judged = {name: nearest_picture(row, grid, true) for name, row in rows.items()}
    latent = judged["taller"][1]
    (height_from, width_from), (height_to, width_to) = latent[0], latent[-1]
    numbers = {"height_from": height_from, "height_to": height_to, "width_from": width_from,
               "width_to": width_to, "n": N, "shown": SHOWN, "steps": PATH - 1}
    arrays = {"heights": latent[:, 0]}
    for name, (off, _) in judged.items():
        numbers[f"off_{name}"] = off.max()
        arrays |= {f"{name}_off": off, name: rows[name].reshape(PATH, 32, 32)}
    return arrays, numbers


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    caption(figure, f"A step's direction comes from the {NEIGHBORS} nearest of {numbers['n']:,} "
            "codes and the dark rows and columns of their pictures;",
            f"the width stays, {numbers['width_from']:.2f} and {numbers['width_to']:.2f} of the "
            "side. Distance: root mean square per pixel, white 1, black 0.")
    left, right = figure.subfigures(1, 2, width_ratios=(7.1, 2.9))
    titles = {"taller": "in codes: every picture is a tin",
              "pixels": "in pixels: a double exposure"}
    for (name, title), part in zip(titles.items(), left.subfigures(2, 1), strict=True):
        part.suptitle(title, size=12, weight="bold", x=0.01, ha="left", color=COLORS[name])
        for i, ax in enumerate(part.subplots(1, SHOWN)):
            step = i * (PATH - 1) // (SHOWN - 1)
            ax.imshow(arrays[name][step].clip(0, 1), cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color="#BBBBBB")
            if name == "taller":
                ax.set_xlabel(f"height {arrays['heights'][step]:.2f}" if i == 0 else
                              f"{arrays['heights'][step]:.2f}", size=11)
    ax, t = right.subplots(), [i / (PATH - 1) for i in range(PATH)]
    for (name, color), dashes in zip(COLORS.items(), ("-", "--"), strict=True):
        ax.plot(t, arrays[f"{name}_off"], color=color, linestyle=dashes, linewidth=2.5)
        ax.text(0.5, arrays[f"{name}_off"][PATH // 2] + 0.03 * numbers["off_pixels"],
                name.replace("taller", "codes"), color=color, ha="center", weight="bold")
    ax.set(ylim=(0, 1.15 * numbers["off_pixels"]), xlabel="along the row", xticks=[0, 0.5, 1])
    ax.set_title("distance to the\nnearest tin", size=12)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_08_taller"]))
