"""Latent planes: how scripts learn one from pictures alone, and see whether it is the true one.

An autoencoder is trained on pictures that were drawn from two numbers each, by a rule that is
known. Is its plane of codes the true plane, only bent? A grid of true latents, drawn and encoded,
lies in the plane of codes as a net. Where its cells are turned over, the plane is folded. And a
picture that is decoded from a new code is right if it is near some picture of a dense grid.
"""

import numpy as np
from progress import bar
from sharing import once

from gdl_numpy.numerics.neighbors import nearest
from gdl_numpy.pictures.biscuit_tins import HIGH, LOW, BiscuitTins
from gdl_numpy.representation.autoencoder import AutoencoderFamily

N, SIDES, STEPS = 5000, (1024, 256, 64, 2), 6000            # tins; their encoder; its training
COMPONENTS = 20                                             # of the mixture fitted to their codes
DENSE = 101                                                 # points a side of the dense grid


def trained(images, rng, sizes, steps, starts=1):
    """An autoencoder of the images (n, d), whose codes have mean 0 and covariance I.

    Of several random starts the one that ends at the smallest error: now and then one ends folded.
    """
    family, X = AutoencoderFamily(sizes), images.astype("float32")
    ends = []
    for _ in range(starts):
        for step in bar(family.train(X, rng, max_steps=steps), steps):
            theta = step.theta
        ends.append((rms(family(theta), X), theta))
    return family(family.whitened(min(ends, key=lambda end: end[0])[1], X))


@once
def learned_from_tins(n, sizes, steps, rng):
    """n tins, and an autoencoder of their pictures alone."""
    tins = BiscuitTins(n, rng)
    return tins, trained(tins.images, rng, sizes, steps)


def rms(model, images):
    """The root mean square difference per pixel of images and what their codes decode to."""
    return float(((model.decode(model.encode(images)) - images)**2).mean())**0.5


def lattice(xp, k, low=LOW, high=HIGH):
    """Latents on a grid of k x k points from low to high, (k², 2), row by row."""
    first, second = (a + (b - a) * xp.linspace(0, 1, k) for a, b in zip(low, high, strict=True))
    return xp.stack([xp.repeat(first, k), xp.tile(second, k)], axis=1)


def lines(surface, k):
    """k lines along each side of a grid of points (m, m, c): their points (k, m, c), twice."""
    every = np.linspace(0, len(surface) - 1, k).astype(int)
    return surface[every], surface[:, every].swapaxes(0, 1)


def folded(surface):
    """The share of the cells of a grid of points (m, m, 2) that lie the other way round."""
    u, v = surface[1:, :-1] - surface[:-1, :-1], surface[:-1, 1:] - surface[:-1, :-1]
    turned = (u[..., 0] * v[..., 1] > u[..., 1] * v[..., 0]).mean()
    return min(float(turned), 1 - float(turned))


def nearest_picture(images, grid, pictures):
    """Root mean square difference per pixel to the nearest of the pictures, and its latent."""
    distances, numbers = nearest(images, pictures)
    return distances[:, 0] / pictures.shape[1]**0.5, grid[numbers[:, 0]]
