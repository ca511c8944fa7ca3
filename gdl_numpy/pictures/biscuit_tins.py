"""Biscuit tins: gray images, each determined by two numbers, the height and the width of a tin.

An image of 32 x 32 pixels is 1,024 numbers, but anyone who looks at a hundred images of biscuit
tins sees that they differ in height and width only. Can a machine find that out? This is the
chapter's example of representation learning (latent.py). So that what a model finds can be compared
with the truth, the tins are drawn by a rule: a known function f from the two numbers to the pixels,
whose derivative is known too.

A tin has the height h and the radius a = width/2, as shares of the side of the image. It stands on
a white ground and is seen from slightly above, so that its discs are ellipses, κ = 0.3 times as
high as wide. Let x run to the right from the middle of the image, and y up from the tin's foot.

**Two shapes** make everything. If pixels were either in a shape or not, they would jump as the tin
grows. Instead c, the share of a pixel that a shape covers, is the sigmoid σ of how far the middle
of the pixel lies inside the edge, in units s of 0.4 pixels; so every pixel is a smooth function of
h and a. The distance from an ellipse has no simple formula. To first order it is N/|∇N|, where
N = a² - x² - (y - b)²/κ² is 0 on the edge, and |∇N| = 2m (s² is added to keep m above 0):

    disc of radius a around (0, b)     D = N/(2m),  m² = x² + (y - b)²/κ⁴ + s²                   (1)
                                       c = σ(D/s)                                                (2)
    tube |x| < a, b < y < t            c = σ((a+x)/s) σ((a-x)/s) σ((y-b)/s) σ((t-y)/s)           (3)
    two shapes c and c' joined         1 - (1 - c)(1 - c')                                       (4)

**Layers** of brightness g are painted one over the other, from back to front. Each turns the image
F below it into a new one, and ∂, the derivative in h or a, follows by the product rule:

    F_new  = F + c (g - F)                                                                       (5)
    ∂F_new = ∂F + ∂c (g - F) + c (∂g - ∂F)                                                       (6)

    layer       its shape                                           g
    shadow      disc of radius 1.15 a around (0, 0), s = 0.03       0.8
    side        tube from 0 to h, joined with the disc at 0         0.38 + 0.3 cos(1.5 x/a + 0.7)
    rim         the same, radius a' = 1.07 a, from h - 0.09 to h    0.5 + 0.3 cos(1.5 x/a' + 0.7)
    lid         disc of radius a' around (0, h)                     0.8 + 0.1 cos(1.5 x/a' + 0.7)

By hand: above the tin all is white, 1, and the middle of its side, x = 0, has the brightness
0.38 + 0.3 cos 0.7 = 0.609.

>>> tin = render([[0.5, 0.4]], resolution=31)[0]
>>> print(tin[0, 15].round(3), tin[22, 15].round(3))
1.0 0.609

See figure_1_07_tins (some of them) and tests/pictures/test_biscuit_tins.py (that it holds).

Errata.
E40 (tests/pictures/test_biscuit_tins.py)  height and width determine the image only if position,
    light and resolution are fixed; then the images have two dimensions, although PCA, which knows
    only planes, needs 27 for 99 % of their variance
E41 (tests/pictures/test_biscuit_tins.py)  that few images are tins can be counted: in black and
    white there are 2^1024 images of 32 x 32 pixels; 256 heights and as many widths give 9,607
    different tins, and finer steps some more, 512 of each 11,950
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import sigmoid

LOW, HIGH = (0.2, 0.2), (0.7, 0.8)                          # of (height, width)
FOOT = 0.14                                                 # from the lower border to the foot
TILT = 0.3                                                  # κ
SHADOW, RIM, DEPTH = 1.15, 1.07, 0.09                       # radii in units of a; rim's height
SOFT, SHADOW_SOFT = 0.4, 0.03                               # s, in pixels and as a share
BLOCK = 64                                                  # tins at a time stay in the cache


class BiscuitTins:
    """n tins with height and width uniform between LOW and HIGH, and images of them.

    `latent` (n, 2) holds the truth, (height, width). `images` (n, resolution²) are row by row from
    the top, from 0 for black to 1 for white. Both live where rng lives.
    """

    def __init__(self, n, rng, resolution=32):
        n, r = checks.draws(n, rng), checks.whole_number(resolution, "resolution", least=1)
        u = rng.random((n, 2))
        low, high = (array_module(u).asarray(corner) for corner in (LOW, HIGH))
        self.latent = low + (high - low) * u
        self.images = render(self.latent, r).reshape(n, r**2)


def render(latent, resolution=32):
    """f(height, width): images (n, resolution, resolution) in [0, 1] of latent (n, 2).

    ValueError unless all heights and widths lie between LOW and HIGH. Such tins fit the image, and
    so do their shadows, except for the edges of the widest.
    """
    return _by_blocks(latent, resolution, lambda F, slope: F)


def derivative(latent, resolution=32):
    """∂f/∂(height, width) at latent (n, 2), shape (n, resolution, resolution, 2)."""
    return _by_blocks(latent, resolution, lambda F, slope: slope())


def extent(images):
    """How many rows and columns of an image are dark, as shares of its side, (n, 2).

    Measured on the images (n, resolution²) alone. A row counts fully if its darkest pixel is at
    most 0.6, and not at all from 0.75 on. The share of rows is not the height: a wider tin has
    higher ellipses.
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
    return in_blocks(lambda i, j: wanted(*_image(latent[i:j], r)), len(latent), BLOCK)


def _disc(x, y, a, b, s):
    """The cover c of the disc of radius a around (0, b), and () -> ∂c/∂a, ∂c/∂b and 0.

    As ∂m/∂b = -(y - b)/κ⁴/m and σ' = σ (1 - σ),

        ∂D/∂a = a/m      ∂D/∂b = (y - b)/κ²/m + D (y - b)/κ⁴/m²      ∂c = c (1 - c)/s ∂D
    """
    xp = array_module(x)
    Y = y - b
    m = xp.sqrt(x**2 + Y**2 / TILT**4 + s**2)
    D = (a**2 - x**2 - Y**2 / TILT**2) / (2 * m)                                            # (1)
    c = sigmoid(D / s)                                                                      # (2)

    def slopes():
        dc_dD = c * (1 - c) / s
        dD_da, dD_db = a / m, Y / TILT**2 / m + D * Y / TILT**4 / m**2
        return dc_dD * dD_da, dc_dD * dD_db, 0

    return c, slopes


def _side(x, y, a, b, t, s):
    """The cover c of a tube from b to t joined with its lower disc, and () -> ∂c/∂a, ∂c/∂b, ∂c/∂t.

    A factor σ(v/s) of the tube has ∂ log σ(v/s)/∂v = (1 - σ(v/s))/s.
    """
    left, right, above, below = (sigmoid(u / s) for u in (a + x, a - x, y - b, t - y))
    tube = left * right * (above * below)                                                   # (3)
    disc, disc_slopes = _disc(x, y, a, b, s)

    def slopes():
        ddisc_da, ddisc_db, _ = disc_slopes()
        dtube_da, dtube_db, dtube_dt = (tube / s * u for u in (2 - left - right, above - 1,
                                                               1 - below))
        return ((1 - disc) * dtube_da + (1 - tube) * ddisc_da,
                (1 - disc) * dtube_db + (1 - tube) * ddisc_db, (1 - disc) * dtube_dt)

    return 1 - (1 - tube) * (1 - disc), slopes                                              # (4)


def _image(latent, r):
    """F (n, r, r), and slope: () -> ∂F/∂(height, width), (n, r, r, 2)."""
    xp = array_module(latent)
    h, a = latent[:, 0, None, None], latent[:, 1, None, None] / 2
    middle = (xp.arange(r, dtype=latent.dtype) + 0.5) / r
    x, y, s = middle - 0.5, (1 - FOOT - middle)[:, None], SOFT / r
    layers = [                                              # radius/a, ∂b/∂h, cover, mean, contrast
        (SHADOW, 0, _disc(x, y, SHADOW * a, 0 * h, SHADOW_SOFT), 0.8, 0),
        (1, 0, _side(x, y, a, 0 * h, h, s), 0.38, 0.3),
        (RIM, 1, _side(x, y, RIM * a, h - DEPTH, h, s), 0.5, 0.3),
        (RIM, 1, _disc(x, y, RIM * a, h, s), 0.8, 0.1),
    ]
    angles = [1.5 * x / (wider * a) + 0.7 for wider, *_ in layers]
    F, g = [xp.ones((len(latent), r, r), dtype=latent.dtype)], []
    for angle, (_, _, (c, _), mean, contrast) in zip(angles, layers, strict=True):
        g.append(mean + contrast * xp.cos(angle))
        F.append(F[-1] + c * (g[-1] - F[-1]))                                               # (5)

    def slope():
        dF_dh = dF_da = 0
        for i, (wider, moves, (c, slopes), _, contrast) in enumerate(layers):
            dg_da = contrast * xp.sin(angles[i]) * (angles[i] - 0.7) / a
            dc_da, dc_db, dc_dt = slopes()
            above = g[i] - F[i]
            dF_dh = dF_dh + (moves * dc_db + dc_dt) * above - c * dF_dh                     # (6)
            dF_da = dF_da + wider * dc_da * above + c * (dg_da - dF_da)                     # (6)
        return xp.stack([dF_dh, 0.5 * dF_da], axis=-1)      # a = width/2

    return F[-1], slope
