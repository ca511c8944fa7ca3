"""Biscuit tins: grey pictures, each determined by two numbers, the height and the width of a tin.

The chapter's example of representation learning. Here the true mapping f from the two numbers to
the pictures is known, and so is its derivative: what a model finds can be held against them.

A tin of height h and radius a = width/2, as shares of the picture's side, stands on a white ground
and is seen from slightly above: its discs are ellipses, of height κ times their width. Let x run to
the right from the middle of the picture and y upwards from the foot of the tin. Two shapes make
everything; how much of a pixel they cover, c, is the sigmoid σ of how far its centre lies inside
their edge, in units s of 0.4 pixels. So the pictures are anti-aliased, and every pixel is a smooth
function of h and a:

    disc of radius a around (0, b)     c = σ(D/s),   D = (a² - x² - (y-b)²/κ²) / 2m,
                                                     m² = x² + (y-b)²/κ⁴ + s²
    tube |x| < a, b < y < t            c = σ((a+x)/s) σ((a-x)/s) σ((y-b)/s) σ((t-y)/s)

(But for s², which keeps it from 0, 2m is the slope of D's numerator: so D is the distance, to first
order.) The tin is painted from back to front: a layer of brightness g makes out of the picture F
below it F + c (g - F).

    layer       its shape                                           g
    shadow      disc of radius 1.15 a around (0, 0), s = 0.03       0.8
    side        tube from 0 to h, joined with the disc at 0         0.38 + 0.3 cos(1.5 x/a + 0.7)
    rim         the same, radius a' = 1.07 a, from h - 0.09 to h    0.5 + 0.3 cos(1.5 x/a' + 0.7)
    lid         disc of radius a' around (0, h)                     0.8 + 0.1 cos(1.5 x/a' + 0.7)

Two joined shapes cover 1 - (1 - c)(1 - c'). The derivative follows the same lines.

>>> tin = render([[0.5, 0.4]])[0]
>>> bool(tin[0].min() > 0.99), bool(tin[16].min() < 0.6)            # nothing on top, dark inside
(True, True)

Erratum E40: height and width determine the picture only because position, light and resolution are
fixed. Then the pictures have two dimensions, although PCA, which knows only planes, needs 27 for 99
% of their variance (test_e40). Erratum E41: that few pictures are tins can be counted: in black and
white, 32 x 32, there are 2^1024 pictures; 256 heights and as many widths give 9,607 different tins,
and finer steps some more, 512 of each 11,950 (test_e41).
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import sigmoid

LOW, HIGH = (0.2, 0.2), (0.7, 0.8)                          # of (height, width)
FOOT = 0.14                                                 # where the tin stands in the picture
TILT = 0.3                                                  # κ
SHADOW, RIM, DEPTH = 1.15, 1.07, 0.09                       # radii in units of a; rim's height
SOFT, SHADOW_SOFT = 0.4, 0.03                               # s, in pixels and as a share
BLOCK = 64                                                  # tins at a time stay in the cache


class BiscuitTins:
    """n tins with height and width uniform between LOW and HIGH, and images of them.

    `latent` (n, 2) holds the truth, (height, width); `images` (n, resolution²) hold them, row by
    row from the top, from 0 for black to 1 for white. Both live where rng lives.
    """

    def __init__(self, n, rng, resolution=32):
        n, r = checks.draws(n, rng), checks.whole_number(resolution, "resolution", least=1)
        u = rng.random((n, 2))
        low, high = (array_module(u).asarray(corner) for corner in (LOW, HIGH))
        self.latent = low + (high - low) * u
        self.images = render(self.latent, r).reshape(n, r**2)


def render(latent, resolution=32):
    """f(height, width): images (n, resolution, resolution) in [0, 1] of latent (n, 2).

    ValueError unless all heights and widths lie between LOW and HIGH: such tins fit the picture,
    the widest but for the edge of their shadow.
    """
    return _by_blocks(latent, resolution, lambda F, slope: F)


def derivative(latent, resolution=32):
    """∂f/∂(height, width) at latent (n, 2), shape (n, resolution, resolution, 2)."""
    return _by_blocks(latent, resolution, lambda F, slope: slope())


def extent(images):
    """How many rows and columns of an image are dark, as shares of its side, (n, 2).

    Measured on the images (n, resolution²) alone. A row counts fully if its darkest pixel is at
    most 0.6, not at all from 0.75 on. The first is not the height: it grows with the width too.
    """
    images = checks.real_array(images, "images")
    side = round(images.shape[-1]**0.5) if images.ndim == 2 else 0
    if side < 1 or side**2 != images.shape[1]:
        raise ValueError(f"images must have shape (n, resolution²), got {images.shape}")
    return in_blocks(lambda i, j: _extent(images[i:j].reshape(j - i, side, side)), len(images),
                     BLOCK)


def _extent(images):
    darkness = ((0.75 - images) / 0.15).clip(0, 1)
    return array_module(images).stack([darkness.max(axis=2).mean(axis=1),
                                       darkness.max(axis=1).mean(axis=1)], axis=1)


def _by_blocks(latent, resolution, wanted):
    latent = checks.rows_of_box(latent, LOW, HIGH, "latent")
    r = checks.whole_number(resolution, "resolution", least=1)
    return in_blocks(lambda i, j: wanted(*_picture(latent[i:j], r)), len(latent), BLOCK)


def _picture(latent, r):
    """F (n, r, r), and slope: () -> ∂F/∂(height, width), (n, r, r, 2)."""
    xp = array_module(latent)
    h, a = latent[:, 0, None, None], latent[:, 1, None, None] / 2
    middle = (xp.arange(r, dtype=latent.dtype) + 0.5) / r
    x, y, s = middle - 0.5, (1 - FOOT - middle)[:, None], SOFT / r
    layers = [                                              # radius/a, db/dh, cover, mean, contrast
        (SHADOW, 0, _disc(x, y, SHADOW * a, 0 * h, SHADOW_SOFT), 0.8, 0),
        (1, 0, _side(x, y, a, 0 * h, h, s), 0.38, 0.3),
        (RIM, 1, _side(x, y, RIM * a, h - DEPTH, h, s), 0.5, 0.3),
        (RIM, 1, _disc(x, y, RIM * a, h, s), 0.8, 0.1),
    ]
    angles = [1.5 * x / (wider * a) + 0.7 for wider, *_ in layers]
    F, g = [xp.ones((len(latent), r, r), dtype=latent.dtype)], []
    for angle, (_, _, (c, _), mean, contrast) in zip(angles, layers, strict=True):
        g.append(mean + contrast * xp.cos(angle))
        F.append(F[-1] + c * (g[-1] - F[-1]))

    def slope():
        dF_dh = dF_da = 0
        for i, (wider, moves, (c, slopes), _, contrast) in enumerate(layers):
            dg_da = contrast * xp.sin(angles[i]) * (angles[i] - 0.7) / a
            dc_da, dc_db, dc_dt = slopes()
            above = g[i] - F[i]
            dF_dh = dF_dh + (moves * dc_db + dc_dt) * above - c * dF_dh
            dF_da = dF_da + wider * dc_da * above + c * (dg_da - dF_da)
        return xp.stack([dF_dh, 0.5 * dF_da], axis=-1)      # a = width/2

    return F[-1], slope


def _disc(x, y, a, b, s):
    """The cover c of the disc of radius a around (0, b), and () -> ∂c/∂a, ∂c/∂b and 0."""
    xp = array_module(x)
    Y = y - b
    m = xp.sqrt(x**2 + Y**2 / TILT**4 + s**2)
    D = (a**2 - x**2 - Y**2 / TILT**2) / (2 * m)
    c = sigmoid(D / s)

    def slopes():
        dc_dD = c * (1 - c) / s
        dD_da, dD_db = a / m, Y / TILT**2 / m + D * Y / TILT**4 / m**2
        return dc_dD * dD_da, dc_dD * dD_db, 0

    return c, slopes


def _side(x, y, a, b, t, s):
    """The cover c of a tube from b to t joined with its lower disc, and () -> ∂c/∂a, ∂b, ∂t."""
    left, right, above, below = (sigmoid(u / s) for u in (a + x, a - x, y - b, t - y))
    tube = left * right * (above * below)
    disc, disc_slopes = _disc(x, y, a, b, s)

    def slopes():
        ddisc_da, ddisc_db, _ = disc_slopes()
        dtube_da, dtube_db, dtube_dt = (tube / s * u for u in (2 - left - right, above - 1,
                                                               1 - below))
        return ((1 - disc) * dtube_da + (1 - tube) * ddisc_da,
                (1 - disc) * dtube_db + (1 - tube) * ddisc_db, (1 - disc) * dtube_dt)

    return 1 - (1 - tube) * (1 - disc), slopes
