"""Faces: gray images of faces, each determined by thirteen numbers.

The chapter shows by a row of generated faces, each better than the one before, how far models have
come. The eye cannot say how much better each is. Here a number says it: six models learn from the
same faces, and are judged by the bits per pixel (pixels.py) of faces that they have not seen. That
takes as many faces as one likes, so they are drawn by a rule. To draw numbers as a face was
Chernoff's idea (1973, Journal of the American Statistical Association 68, 361).

The numbers u0, ..., u12 lie between -1 and 1. They are named in `LATENTS`, and `_layers` lists what
each does. For example, the head is 2a wide and 2b high, in shares of the side of the image, with

    a = 0.315 + 0.045 u0        b = 0.38 + 0.04 u1

Measure x to the right and y up, from the middle of the head. **Ovals** are what every part of a
face consists of: polygons whose corners lie on a curve. At the angle t it passes through

    x + w cos t (1 + taper sin t),     y + h sin t + bend cos² t + slope cos t                   (1)

Without taper, bend and slope this is an ellipse around (x, y) with the half axes w and h. Head and
nose taper, that is, they are narrower at one end; mouth, brows, fringe and its shadow are bent; and
brows slope.

**Layers** of brightness g are painted one over the other on a white ground, F = 1, from back to
front. Where its ovals cover the share c of a pixel (rasterizer.py), a layer turns F into

    F_new = F + c (g - F)           so every pixel is a continuous function of the latents       (2)

    layer     ears  hair  head  shadow  fringe  cheeks  rims  eyes  pupils  glints  brows  nose
    g         0.7   0.25  0.82  0.7     0.25    0.75    0.4   1     0.15    1       0.25   0.62

    layer     lips  mouth  teeth
    g         0.4   0.15   1

By hand: if all numbers are 0, the nose ends at y = 0.04 b - 0.3 b = -0.099, and the lips begin near
-0.195. Between them is skin, 0.82; and a face that looks straight ahead is symmetric.

>>> import numpy
>>> face = render(numpy.zeros((1, 13)))[0]
>>> print(face[0, 0], face[21, 16].round(2), abs(face - face[:, ::-1]).max() < 1e-12)
1.0 0.82 True

See figure_1_03_faces (some of them) and tests/pictures/test_faces.py (that it holds).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.pictures.rasterizer import rasterize

LATENTS = ("width of the head", "length of the head", "length of the hair",
           "size of the eyes", "height of the eyes", "distance of the eyes", "gaze",
           "slope of the brows", "height of the brows", "length of the nose",
           "width of the mouth", "height of the mouth", "smile")
CENTER = (0.5, 0.48)                                        # of the head in the image
CORNERS = 32                                                # of an oval
BLOCK = 256                                                 # faces at a time bound the memory


class Faces:
    """n faces with latents uniform between -1 and 1, and images of them.

    `latent` (n, 13) holds the truth, in the order of LATENTS. `images` (n, resolution²) are row by
    row from the top, from 0 for black to 1 for white. Both live where rng lives.
    """

    def __init__(self, n, rng, resolution=32):
        n, r = checks.draws(n, rng), checks.whole_number(resolution, "resolution", least=1)
        self.latent = 2 * rng.random((n, len(LATENTS))) - 1
        self.images = render(self.latent, r).reshape(n, r**2)


def render(latent, resolution=32):
    """Images (n, resolution, resolution) in [0, 1] of latent (n, 13), all between -1 and 1."""
    latent = checks.rows_of_box(latent, [-1] * len(LATENTS), [1] * len(LATENTS), "latent")
    r = checks.whole_number(resolution, "resolution", least=1)
    return in_blocks(lambda i, j: _image(latent[i:j], r), len(latent), BLOCK)


def _oval(x, y, w, h, bend=0, slope=0, taper=0):
    """The polygons (n, CORNERS, 2) of ovals whose width w has the shape (n, 1)."""
    xp = array_module(w)
    t = 2 * math.pi / CORNERS * xp.arange(CORNERS, dtype=w.dtype)
    cos, sin = xp.cos(t), xp.sin(t)
    return xp.stack([CENTER[0] + x + w * cos * (1 + taper * sin),
                     CENTER[1] + y + h * sin + bend * cos**2 + slope * cos], axis=2)     # (1)


def _layers(latent):
    """From back to front, the brightness of each layer and its ovals (n, CORNERS, 2).

     0  width of the head         a = 0.315 + 0.045 u0 is half of it
     1  length of the head        b = 0.38 + 0.04 u1 is half of it
     2  length of the hair        it ends at y = -(0.6 + 0.35 u2) b; long hair is wider
     3  size of the eyes          e = (0.245 + 0.045 u3) a is half the width of an eye
     4  height of the eyes        their middles are at y = (0.04 + 0.06 u4) b
     5  distance of the eyes      ... and x = ±(0.43 + 0.07 u5) a
     6  gaze                      pupils are 0.32 e u6 right of there: to the left ... to the right
     7  slope of the brows        inner ends rise, outer fall by 0.011 + 0.019 u7: stern ... worried
     8  height of the brows       0.054 + 0.015 u8 above the eyes, which are 1.6 e high
     9  length of the nose        (0.3 + 0.09 u9) b
    10  width of the mouth        w = (0.41 + 0.08 u10) a is half of it
    11  height of the mouth       h = (0.22 + 0.11 u11) w is half of it: closed ... open
    12  smile                     its corners rise by (0.23 + 0.35 u12) w: frown ... smile
    """
    u = latent.T[:, :, None]
    a, b = 0.315 + 0.045 * u[0], 0.38 + 0.04 * u[1]
    ends = -(0.6 + 0.35 * u[2]) * b
    e = (0.245 + 0.045 * u[3]) * a
    x, y = (0.43 + 0.07 * u[5]) * a, (0.04 + 0.06 * u[4]) * b
    shift = 0.32 * e * u[6]
    brow, fall = y + 0.8 * e + 0.054 + 0.015 * u[8], 0.011 + 0.019 * u[7]
    half = (0.15 + 0.045 * u[9]) * b                        # of the nose
    w = (0.41 + 0.08 * u[10]) * a
    h, bend = (0.22 + 0.11 * u[11]) * w, (0.23 + 0.35 * u[12]) * w
    lip = -0.6 * b - 0.3 * bend
    return [
        (0.7, [_oval(side * a, -0.04 * b, 0.14 * a, 0.17 * b) for side in (-1, 1)]),
        (0.25, [_oval(0, 0.48 * b, 1.1 * a, 0.62 * b),
                _oval(0, (0.95 * b + ends) / 2, (1.14 + 0.05 * u[2]) * a, (0.95 * b - ends) / 2)]),
        (0.82, [_oval(0, 0, a, b, taper=0.08)]),
        (0.7, [_oval(0, 0.87 * b, 0.86 * a, 0.21 * b, bend=-0.3 * b)]),
        (0.25, [_oval(0, 0.91 * b, 0.86 * a, 0.21 * b, bend=-0.3 * b)]),
        (0.75, [_oval(0.6 * side * a, -0.33 * b, 0.2 * a, 0.14 * b) for side in (-1, 1)]),
        (0.4, [_oval(side * x, y + 0.04 * e, 1.1 * e, 0.92 * e) for side in (-1, 1)]),
        (1, [_oval(side * x, y, e, 0.8 * e) for side in (-1, 1)]),
        (0.15, [_oval(side * x + shift, y, 0.62 * e, 0.68 * e) for side in (-1, 1)]),
        (1, [_oval(side * x + shift, y + 0.25 * e, 0.2 * e, 0.2 * e) for side in (-1, 1)]),
        (0.25, [_oval(side * x, brow, 0.27 * a, 0.018, bend=-0.02, slope=-side * fall)
                for side in (-1, 1)]),
        (0.62, [_oval(0, y - half, 0.12 * a, half, taper=-0.55)]),
        (0.4, [_oval(0, lip, w, h + 0.014, bend)]),
        (0.15, [_oval(0, lip, 0.84 * w, h, bend)]),
        (1, [_oval(0, lip + 0.4 * h, 0.74 * w, 0.5 * h, 0.8 * bend)]),
    ]


def _image(latent, r):
    F = array_module(latent).ones((len(latent), r, r), dtype=latent.dtype)
    for g, ovals in _layers(latent):
        F += rasterize(ovals, r) * (g - F)                                                  # (2)
    return F
