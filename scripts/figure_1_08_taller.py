"""Companion of Figure 1-8: "taller" is a path in latent space, found from pictures alone."""

import sys

import make_figures
from latent_planes import DENSE, SIDES, STEPS, N, lattice, learned_from_tins, nearest_picture
from style import BLUE, ORANGE, VERMILION, caption

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.neighbours import nearest
from gdl_numpy.pictures.biscuit_tins import extent, render
from gdl_numpy.representation.latent import directions, interpolate

SIZE = (13, 8.2)
TRAINED = True                                              # an autoencoder, for this figure
TITLE = "Taller: awkward in pixels, a short walk in latent space"
ALT = ("Three rows of decoded tins. First: steps through the latent space, their direction found "
       "from pictures; the tin grows from height {height_from:.2f} to {height_to:.2f} while its "
       "width goes from {width_from:.2f} to {width_to:.2f}; a curve beside it shows both. Second: "
       "mixing two tins pixel by pixel gives a double exposure, up to {off_pixels:.3f} away from "
       "any tin. Third: mixing their codes gives tins, at most {off_codes:.3f} away from one.")
PATH, SHOWN = 25, 7                                         # points of a path; pictures of it
START, RISE = (0.3, 0.5), 0.36                              # first tin; dark rows to be added
ENDS = ((0.25, 0.3), (0.6, 0.7))                            # tins to be mixed
NEIGHBOURS = 200                                            # of a code, for the direction


def taller(model, Z, extents, z, steps, rise):
    """Codes (steps, 2) from z (2,) on; to first order, dark rows are added, and columns stay."""
    path = [z]
    for _ in range(steps - 1):
        step = directions(Z, extents, path[-1], NEIGHBOURS)[0] * rise / (steps - 1)
        path.append(path[-1] + step)
    return array_module(Z).stack(path)


def compute(rng):
    tins, model = learned_from_tins(N, SIDES, STEPS, rng)
    xp = array_module(tins.images)
    Z, extents = model.encode(tins.images).astype(float), extent(tins.images)
    first = nearest(xp.asarray([START]), tins.latent)[1][0]
    path = taller(model, Z, extents, Z[first][0], PATH, RISE)
    ends = render(xp.asarray(ENDS)).reshape(2, -1)
    t = xp.linspace(0, 1, PATH)[:, None]
    rows = {"taller": model.decode(path), "pixels": (1 - t) * ends[0] + t * ends[1],
            "codes": interpolate(model, *ends, PATH)}

    grid = lattice(xp, DENSE)
    pictures = render(grid).reshape(DENSE**2, -1)
    judged = {name: nearest_picture(row, grid, pictures) for name, row in rows.items()}
    (height_from, width_from), (height_to, width_to) = (judged["taller"][1][i] for i in (0, -1))
    numbers = {"height_from": height_from, "height_to": height_to, "width_from": width_from,
               "width_to": width_to, "off_taller": judged["taller"][0].max(),
               "off_pixels": judged["pixels"][0].max(), "off_codes": judged["codes"][0].max(),
               "n": N}
    arrays = {f"{name}_off": off for name, (off, _) in judged.items()}
    arrays |= {name: row.reshape(PATH, 32, 32) for name, row in rows.items()}
    return arrays | {"path": judged["taller"][1]}, numbers


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.01, ha="left", size=16, weight="bold")
    caption(figure, f"The direction of each of the {PATH - 1} steps comes from a regression of the "
            f"nearest {NEIGHBOURS} of {numbers['n']:,} codes on the numbers of dark rows and "
            "columns of their",
            f"pictures. {RISE:.0%} of the rows were to be added and no column; the height grew by "
            f"{numbers['height_to'] - numbers['height_from']:.0%} of the side. Heights, widths and "
            "distances are those of the",
            "nearest tin of the true mapping, at most "
            f"{numbers['off_taller']:.4f} away from a picture of the first row (root mean square "
            "per pixel, white being 1 and black 0).")
    titles = {"taller": "growing taller in latent space", "pixels": "mixing two tins in pixels",
              "codes": "mixing their codes"}
    parts = figure.subfigures(3, 2, width_ratios=[3.2, 1])
    step = 1 / (PATH - 1)
    t = [i * step for i in range(PATH)]
    for (pictures, curve), (name, title) in zip(parts, titles.items(), strict=True):
        pictures.suptitle(title, size=13, weight="bold", x=0.01, ha="left")
        for i, ax in enumerate(pictures.subplots(1, SHOWN)):
            ax.imshow(arrays[name][i * (PATH - 1) // (SHOWN - 1)].clip(0, 1), cmap="gray", vmin=0,
                      vmax=1)
            ax.axis("off")
        ax = curve.subplots()
        if name == "taller":
            for i, (word, colour, dashes) in enumerate((("height", BLUE, "-"),
                                                        ("width", ORANGE, "--"))):
                ax.plot(t, arrays["path"][:, i], color=colour, linestyle=dashes, linewidth=2.5,
                        label=word)
            ax.legend(frameon=False, loc="lower right")
            ax.set(ylim=(0.2, 0.75), ylabel="share of the side")
        else:
            ax.plot(t, arrays[f"{name}_off"], color=VERMILION, linewidth=2.5)
            ax.set(ylim=(0, 0.12), ylabel="RMS to nearest tin")
        ax.set_xlabel("along the row")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_08_taller"]))
