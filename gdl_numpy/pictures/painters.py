"""Painters: two rules that paint, whose pictures a discriminative model learns to tell apart.

The chapter's example of a discriminative model is asked whether a certain painter made a painting.
Here both painters are rules, so that there are as many pictures as one likes, and it is known how
often the best possible answer is right. They cover a canvas with 140 strokes in five random colors.
A stroke is either a block, short, broad and straight, horizontal or vertical; or it is swirling,
long, thin and bent, along a vector field with three vortices. On each canvas every stroke is
swirling with the probability s, and the painters y = 0 and y = 1 differ only in how they choose s:

    s ~ Beta(2, 4) if y = 0,  Beta(4, 2) if y = 1                                                (1)

The densities of s are 20 s (1 - s)³ and 20 s³ (1 - s). If both painters are equally frequent, then
by Bayes' rule p(y=1|s) = s²/(s² + (1 - s)²). Even one who knew s could do no better than to say 1
where s > ½, and a picture tells about y only what it tells about s. So no model is right with a
probability above ∫_½^1 20 s³ (1 - s) ds = 13/16.

**A stroke** is painted over the canvas below it. Let c be its center and (cos α, sin α) its
direction. A pixel at x has the coordinates u along the stroke and v across it, measured from a
parabola of curvature κ. The edge is one pixel soft, a pixel being 1/size of the side. A swirling
stroke follows the field around the vortices c_j of strength g_j, where R turns a vector by 90°:

    canvas  = canvas + cover (color - canvas)         one stroke after the other                 (2)
    field   = Σ_j g_j R (x - c_j)/r_j²                r_j = |x - c_j| + 0.05                     (3)
    u       = (x - c) · (cos α, sin α)                                                           (4)
    v       = (x - c) · (-sin α, cos α) - κ u²/2                                                 (5)
    cover   = clip(½ - size · max(|u| - length/2, |v| - width/2), 0, 1)                          (6)

**Features.** The models do not get the pixels, but 22 numbers that are computed from them. Mean
color does not tell the painters apart, because both draw the same palettes; texture does:

    color     mean and standard deviation of red, green and blue                         6
    texture   share of the squared gradient of brightness in 8 directions modulo 180°    8       (7)
              log of the mean squared difference to the pixel 1, 2, 4, 8 below, right    8       (8)

By hand: vertical stripes, black and white by turns and one pixel wide, have the mean and standard
deviation ½. A pixel differs by 1 from the next one to the right, and from no other of the eight. As
10^-6 is added before the logarithm, (8) is log 1 = 0 there, else log 10^-6 = -13.8.

>>> import numpy
>>> stripes = numpy.tile([0.0, 1.0], (1, 16, 8))
>>> values = features(numpy.stack([stripes] * 3, axis=3))[0]
>>> print(values[[0, 3]], values[14:].round(1))
[0.5 0.5] [-13.8 -13.8 -13.8 -13.8   0.  -13.8 -13.8 -13.8]

See figure_1_02_painting (some pictures) and tests/pictures/test_painters.py (that it holds).
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
    """n canvases of painter 0 or 1, (n, size, size, 3), colors from 0 to 1, where rng lives."""
    painter = checks.whole_number(painter, "painter", most=1)
    n, size = checks.draws(n, rng), checks.whole_number(size, "size", least=SMALLEST)
    checks.offers(rng, "rng", "beta")
    beta = (4, 2) if painter == 1 else (2, 4)
    share = rng.beta(*beta, size=(n,))                      # s, of swirling strokes        (1)
    palette = rng.random((n, 5, 3))
    vortices = rng.random((n, 3, 2)), rng.random((n, 3)) - 0.5
    row, strokes = array_module(palette).arange(n), []
    for _ in range(STROKES):
        center = rng.random((n, 2))
        shape = _stroke(center, share, vortices, rng)
        color = palette[row, rng.integers(0, 5, size=n)] + 0.12 * (rng.random((n, 3)) - 0.5)
        strokes.append((center, shape, color.clip(0, 1)))
    return in_blocks(lambda i, j: _painted(palette[i:j, 0], [
        (center[i:j], [p[i:j] for p in shape], color[i:j]) for center, shape, color in strokes],
        size), n, BLOCK)


def _painted(ground, strokes, size):
    """Canvases (n, size, size, 3) of the colors `ground` (n, 3) under strokes, from first to last,
    each a center (n, 2), a shape of four (n,), and a color (n, 3)."""
    xp, n, margin = array_module(ground), len(ground), math.ceil(LONGEST * size)
    width = size + 2 * margin
    canvas = xp.broadcast_to(ground[:, None, None], (n, width, width, 3)).copy()
    window = xp.arange(2 * margin)                          # what a stroke can reach
    for center, shape, color in strokes:
        corner = (center * size).astype(int)[:, :, None] + window
        x, y = ((corner[:, i] - margin + 0.5) / size - center[:, i, None] for i in (0, 1))
        cover = _cover(x[:, None, :], y[:, :, None], *shape, size)
        i, j, k = cover.nonzero()                           # about a twentieth of the window
        where = i, corner[i, 1, j], corner[i, 0, k]
        under = canvas[where]
        canvas[where] = under + cover[i, j, k][:, None] * (color[i] - under)               # (2)
    return canvas[:, margin:-margin, margin:-margin].copy()


def _stroke(center, share, vortices, rng):
    """Direction, bend, length and width of one stroke on each canvas, (n,) each."""
    n = len(center)
    xp = array_module(center)
    swirling = rng.random(n) < share
    swirl, bend = _field(center, *vortices)
    straight = math.pi / 2 * (rng.random(n) < 0.5) + 0.06 * (rng.random(n) - 0.5)
    long, wide = rng.random((2, n))
    return (xp.where(swirling, swirl, straight), xp.where(swirling, bend, 0),
            xp.where(swirling, 0.16 + (LONGEST - 0.16) * long, 0.1 + 0.1 * long),
            xp.where(swirling, 0.03 + 0.03 * wide, 0.06 + 0.05 * wide))


def _field(x, centers, strengths):
    """Direction and bend of the swirling field at the points x (n, 2), both (n,).

    It bends like the circle around the vortex that is strongest there, with the largest |g_j|/r_j²:
    κ = ±1/r_j with the sign of g_j.
    """
    xp = array_module(x)
    away = x[:, None] - centers
    distance = xp.sqrt((away**2).sum(axis=2)) + 0.05
    pull = strengths / distance**2
    flow_x, flow_y = -(pull * away[:, :, 1]).sum(axis=1), (pull * away[:, :, 0]).sum(axis=1)   # (3)
    row, strongest = xp.arange(len(x)), abs(pull).argmax(axis=1)
    return (xp.arctan2(flow_y, flow_x),
            xp.sign(strengths[row, strongest]) / distance[row, strongest])


def _cover(x, y, angle, bend, length, width, size):
    """The share of each pixel, at x and y from the center, that the stroke covers."""
    angle, bend, length, width = (a[:, None, None] for a in (angle, bend, length, width))
    xp = array_module(x)
    u = x * xp.cos(angle) + y * xp.sin(angle)                                               # (4)
    v = y * xp.cos(angle) - x * xp.sin(angle) - 0.5 * bend * u**2                           # (5)
    beyond = xp.maximum(abs(u) - length / 2, abs(v) - width / 2)
    return (0.5 - size * beyond).clip(0, 1)                                                 # (6)


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
    shares = shares / (shares.sum(axis=1, keepdims=True) + 1e-12)                           # (7)
    differences = [((brightness[:, k:] - brightness[:, :-k])**2).mean(axis=(1, 2))
                   for k in (1, 2, 4, 8)]
    differences += [((brightness[:, :, k:] - brightness[:, :, :-k])**2).mean(axis=(1, 2))
                    for k in (1, 2, 4, 8)]
    return xp.concatenate([images.mean(axis=(1, 2)), images.std(axis=(1, 2)), shares,
                           xp.log(xp.stack(differences, axis=1) + 1e-6)], axis=1)           # (8)
