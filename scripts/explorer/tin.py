"""Two numbers make a tin: the latent plane of a small autoencoder of biscuit tins."""

import numpy as np
from explorer.learned import TINS, stored
from explorer.questions import answered_by, once
from latent_planes import lattice, nearest_picture

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.neighbors import nearest
from gdl_numpy.pictures.biscuit_tins import HIGH, LOW, BiscuitTins, extent, render
from gdl_numpy.representation.autoencoder import Autoencoder
from gdl_numpy.representation.latent import directions

SHOWN, NEIGHBORS = 1000, 200                                # codes drawn; those for a direction
COARSE, FINE = 41, 9                                        # points a side of the two grids
SIDE = 32                                                   # pixels
RISE = 1 / SIDE                                             # one more dark row


@once
def model():
    return stored("tins")


@once
def codes():
    """The codes of the tins that the autoencoder has learned from, and their dark rows, columns."""
    images = BiscuitTins(TINS, np.random.default_rng(0)).images
    return model().encode(images.astype("float32")).astype(float), extent(images)


def pictures(k, low, high):
    """Heights and widths on a grid of k x k points from low to high, and pictures of these tins."""
    grid = lattice(np, k, low, high)
    return grid, render(grid).reshape(k**2, -1).astype("float32")


@once
def coarse_grid():
    return pictures(COARSE, LOW, HIGH)


def nearest_tin(image):
    """The height and width (2,) of the true tin that is nearest to an image, and how far it is,
    the root mean square difference per pixel: on a coarse grid, then on a fine one around there."""
    _, latent = nearest_picture(image[None], *coarse_grid())
    cell = (np.array(HIGH) - LOW) / (COARSE - 1)
    around = pictures(FINE, (latent[0] - cell).clip(LOW), (latent[0] + cell).clip(None, HIGH))
    distance, latent = nearest_picture(image[None], *around)
    return latent[0], distance[0]


@answered_by(Autoencoder.encode)
def scene():
    """Some codes, the middle one of which is a place to begin."""
    Z = codes()[0][:SHOWN]
    return {"codes": Z, "start": np.median(Z, axis=0), "low": Z.min(axis=0), "high": Z.max(axis=0)}


@answered_by(Autoencoder.decode, render, nearest)
def answer(z):
    """The picture of the code z, and the true tin that is nearest to it."""
    decoded, = model().decode([checks.numbers(z, "z", n=2)])
    latent, distance = nearest_tin(decoded)
    return {"decoded": decoded, "nearest": render([latent])[0].ravel(), "latent": latent,
            "distance": distance}


@answered_by(directions)
def taller(z, rows):
    """The code that lies `rows` dark rows up from z, and as many columns wide, to first order."""
    Z, extents = codes()
    z = np.array(checks.numbers(z, "z", n=2))
    rows = checks.number(rows, "rows", f"[-{SIDE}, {SIDE}]")
    return {"z": z + directions(Z, extents, z, NEIGHBORS)[0] * rows * RISE}


QUESTIONS = {"scene": scene, "answer": answer, "taller": taller}
