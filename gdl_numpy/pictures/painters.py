"""Painters: two procedural painters, whose pictures a discriminative model learns to tell apart.

The chapter's example is a painting and the question whether a certain painter made it. Here the
painters are two rules, so that pictures are plenty and the truth is known. Both cover a canvas with
strokes from a palette of five random colours. There are two manners of moving the brush:

    blocks      short broad strokes, straight, level or upright
    swirling    long thin strokes, bent, along a vector field with three vortices

Neither painter is pure. On each canvas every stroke is swirling with a probability s, and what
tells the painters apart is only how they choose it, so that no model can be right always:

    painter 0   s ~ Beta(2, 4)         painter 1   s ~ Beta(4, 2)
    p(y=1|s) = s²/(s² + (1 - s)²),     so even who knew s would be right in only 13/16 of all cases

A stroke with centre c, direction (cos α, sin α) and bend κ covers the pixels whose coordinates
along and across it are small:

    u = (x - c) · (cos α, sin α)       v = (x - c) · (-sin α, cos α) - κ u²/2
    covered:  |u| < length/2  and  |v| < width/2,  with edges one pixel soft

Mean colour does not tell the painters apart, because both draw the same palettes. The features that
the models get are computed by hand, from the picture alone:

    colour    mean and standard deviation of red, green and blue                           6
    texture   share of the squared gradient of brightness in 8 directions modulo 180°      8
              logarithm of the mean squared difference of brightness to the pixel
              1, 2, 4, 8 below, and to the right                                           8

>>> import numpy
>>> canvases = paint(1, 2, numpy.random.default_rng(0), size=32)    # of the second painter
>>> canvases.shape, features(canvases).shape
((2, 32, 32, 3), (2, 22))
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks

N_FEATURES = 22
STROKES = 140                                               # on a canvas
SMALLEST = 9                                                # canvas: has pixels 8 apart
LONGEST = 0.28                                              # stroke, as a share of the canvas
BLOCK = 128                                                 # canvases at a time bound the memory


def paint(painter, n, rng, size=64):
    """n canvases of painter 0 or 1, (n, size, size, 3), colours from 0 to 1, where rng lives."""
    painter = checks.whole_number(painter, "painter", most=1)
    n, size = checks.draws(n, rng), checks.whole_number(size, "size", least=SMALLEST)
    a, b = (4, 2) if painter == 1 else (2, 4)
    share = rng.beta(a, b, size=(n,))                       # s: probability of a swirling stroke
    palette = rng.random((n, 5, 3))
    vortices = rng.random((n, 3, 2)), rng.random((n, 3)) - 0.5
    row, strokes = array_module(palette).arange(n), []
    for _ in range(STROKES):
        centre = rng.random((n, 2))
        shape = _stroke(centre, share, vortices, rng)
        colour = palette[row, rng.integers(0, 5, size=n)] + 0.12 * (rng.random((n, 3)) - 0.5)
        strokes.append((centre, shape, colour.clip(0, 1)))
    return in_blocks(lambda i, j: _painted(palette[i:j, 0], [
        (centre[i:j], [a[i:j] for a in shape], colour[i:j]) for centre, shape, colour in strokes],
        size), n, BLOCK)


def _painted(ground, strokes, size):
    """Canvases (n, size, size, 3) of the colours `ground` (n, 3) under strokes, from first to last,
    each a centre (n, 2), a shape of four (n,), and a colour (n, 3)."""
    xp, n, margin = array_module(ground), len(ground), math.ceil(LONGEST * size)
    width = size + 2 * margin
    canvas = xp.broadcast_to(ground[:, None, None], (n, width, width, 3)).copy()
    row, window = xp.arange(n), xp.arange(2 * margin)       # what a stroke can reach
    for centre, shape, colour in strokes:
        corner = (centre * size).astype(int)[:, :, None] + window
        x, y = ((corner[:, i] - margin + 0.5) / size - centre[:, i, None] for i in (0, 1))
        cover = _cover(x[:, None, :], y[:, :, None], *shape, size)[..., None]
        where = row[:, None, None], corner[:, 1, :, None], corner[:, 0, None, :]
        under = canvas[where]
        canvas[where] = under + cover * (colour[:, None, None] - under)
    return canvas[:, margin:-margin, margin:-margin].copy()


def _stroke(centre, share, vortices, rng):
    """Direction, bend, length and width of one stroke on each canvas, (n,) each."""
    n = len(centre)
    xp = array_module(centre)
    swirling = rng.random(n) < share
    swirl, bend = _field(centre, *vortices)
    straight = math.pi / 2 * (rng.random(n) < 0.5) + 0.06 * (rng.random(n) - 0.5)
    u, v = rng.random((2, n))
    return (xp.where(swirling, swirl, straight), xp.where(swirling, bend, 0),
            xp.where(swirling, 0.16 + (LONGEST - 0.16) * u, 0.1 + 0.1 * u),
            xp.where(swirling, 0.03 + 0.03 * v, 0.06 + 0.05 * v))


def _field(x, centres, strengths):
    """Direction and bend of the swirling field at the points x (n, 2), both (n,)."""
    xp = array_module(x)
    away = x[:, None] - centres
    distance = xp.sqrt((away**2).sum(axis=2)) + 0.05
    pull = strengths / distance**2
    flow_x, flow_y = -(pull * away[:, :, 1]).sum(axis=1), (pull * away[:, :, 0]).sum(axis=1)
    row, strongest = xp.arange(len(x)), abs(pull).argmax(axis=1)
    return (xp.arctan2(flow_y, flow_x),
            xp.sign(strengths[row, strongest]) / distance[row, strongest])


def _cover(x, y, angle, bend, length, width, size):
    """How much of each pixel, at x and y from the centre, the stroke covers, between 0 and 1."""
    angle, bend, length, width = (a[:, None, None] for a in (angle, bend, length, width))
    xp = array_module(x)
    u = x * xp.cos(angle) + y * xp.sin(angle)
    v = y * xp.cos(angle) - x * xp.sin(angle) - 0.5 * bend * u**2
    beyond = xp.maximum(abs(u) - length / 2, abs(v) - width / 2)
    return (0.5 - size * beyond).clip(0, 1)


def features(images):
    """The features of each image (n, height, width, 3), shape (n, 22), as listed above."""
    images = checks.real_array(images, "images")
    if images.ndim != 4 or images.shape[3] != 3 or min(images.shape[1:3]) < SMALLEST:
        raise ValueError(f"images must have shape (n, height, width, 3), height and width at least "
                         f"{SMALLEST}, got {images.shape}")
    return in_blocks(lambda i, j: _features(images[i:j].astype(float)).astype(images.dtype),
                     len(images), BLOCK)


def _features(images):
    xp, brightness = array_module(images), images.mean(axis=3)
    dx = brightness[:, :, 1:] - brightness[:, :, :-1]
    dy = brightness[:, 1:] - brightness[:, :-1]
    dx = (dx[:, 1:] + dx[:, :-1]) / 2                       # both where four pixels meet
    dy = (dy[:, :, 1:] + dy[:, :, :-1]) / 2
    energy = dx**2 + dy**2
    direction = (xp.arctan2(dy, dx) % math.pi / math.pi * 8).astype(int).clip(0, 7)
    shares = xp.stack([(energy * (direction == i)).sum(axis=(1, 2)) for i in range(8)], axis=1)
    shares = shares / (shares.sum(axis=1, keepdims=True) + 1e-12)
    differences = [((brightness[:, k:] - brightness[:, :-k])**2).mean(axis=(1, 2))
                   for k in (1, 2, 4, 8)]
    differences += [((brightness[:, :, k:] - brightness[:, :, :-k])**2).mean(axis=(1, 2))
                    for k in (1, 2, 4, 8)]
    return xp.concatenate([images.mean(axis=(1, 2)), images.std(axis=(1, 2)), shares,
                           xp.log(xp.stack(differences, axis=1) + 1e-6)], axis=1)
