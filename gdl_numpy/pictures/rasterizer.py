"""Rasterizer: polygons become images, in which each pixel is the share of it that is covered.

The dogs, horses and faces of this book are drawn with polygons, and models want pixels. The simple
way is to make a pixel black if its middle lies in the polygon. But then pixels jump as a corner
moves, and the images do not form a smooth surface in the space of pixels. The share of a pixel that
is covered changes continuously (the image is anti-aliased), and it can be computed exactly.

Lengths are in pixels. Look at the pixel with the right side at x = j, and at a horizontal line
through it. Between two crossings x and x' of the polygon's boundary the line is inside, and covers
the length clip(j - x, 0, 1) - clip(j - x', 0, 1) of the pixel. On the way around the polygon, one
of the two crossings leads up and the other one down. So the sign of dy tells them apart, and the
covered area is |Σ_edges ∫ clip(j - x, 0, 1) dy|. In the row of the pixel an edge passes from
(x0, y0) to (x1, y1). On it x is linear in y, so its integral is y1 - y0 times a mean:

    t     = j - x                       from t0 = j - x0 to t1 = j - x1                          (1)
    C     = ∫ clip(t, 0, 1) dt          from t0 to t1, with c = clip(t, 0, 1) at its ends,
          = ½ (c1 - c0)(c1 + c0) + max(t1, 1) - max(t0, 1)                                       (2)
    mean  = C/(t1 - t0)                 of clip(t, 0, 1) along the edge; c if t1 = t0            (3)
    cover = |Σ_edges (y1 - y0) mean|                                                             (4)
    image = 1 - Π_parts (1 - cover)     of several polygons, the parts of one image              (5)

An antiderivative of clip(t, 0, 1) is ½ t² between 0 and 1, and t - ½ beyond: (2) is its difference.
The numerator and the denominator of (3) are differences of the same rounded numbers, so rounding
does no more harm to a steep edge than to any other.

By hand: a triangle below the diagonal of 2 x 2 pixels. In the lower left pixel, j = 1: along the
triangle's right side t = -1, so clip is 0; down the diagonal t runs from 0 to 1, so the mean is ½,
and so is the cover. In the lower right pixel, j = 2: on the right side t = 0, and down the diagonal
t runs from 1 to 2, so clip is 1, and so is the cover.

>>> triangle = [[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]]
>>> print(rasterize([triangle], 2))
[[[0.  0.5]
  [0.5 1. ]]]

See figure_1_01_horses (what it draws) and tests/pictures/test_rasterizer.py (that it holds).
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks

BLOCK = 256                                                 # images at a time bound the memory


def rasterize(polygons, resolution=32):
    """The share of each pixel that the polygons cover, (n, resolution, resolution).

    `polygons` lists the parts of n images. A part is an array (n, m, 2) of the corners (x, y) of a
    closed polygon that does not cross itself, the last corner not repeated, in either direction.
    The image shows the unit square, its first row at the top; what lies outside is cut off. The
    union (5) is exact except in pixels through which edges of two parts pass. ValueError for
    corners so far outside that rounding moves an edge by more than a hundredth of a pixel.
    """
    resolution = checks.whole_number(resolution, "resolution", least=1)
    if not isinstance(polygons, list | tuple) or not polygons:
        raise ValueError(f"polygons must be a list of at least one array, got {polygons!r}")
    first = checks.real_array(polygons[0], "polygons[0]")
    parts = [checks.real_array(P, f"polygons[{i}]", like=first) for i, P in enumerate(polygons)]
    n = len(first) if first.ndim else 0
    for i, P in enumerate(parts):
        if P.ndim != 3 or P.shape[0] != n or P.shape[1] < 3 or P.shape[2] != 2:
            raise ValueError(f"polygons[{i}] must have shape (n, m, 2) with n = {n} images and m "
                             f"at least 3 corners, got {P.shape}")
    far = max((float(abs(P).max()) for P in parts if n), default=0)
    if far * resolution * float(array_module(first).finfo(first.dtype).eps) > 0.01:
        raise ValueError("polygons must have corners nearer to the unit square: "
                         f"{first.dtype} rounds too much at {far:.3g}")
    return in_blocks(lambda i, j: _united([P[i:j] for P in parts], resolution), n, BLOCK)


def _cover(P, r):
    """The cover of each pixel, first row at the bottom, by polygons (n, m, 2) in pixels."""
    xp = array_module(P)
    cover = xp.zeros((len(P), r, r), P.dtype)
    if len(P) == 0:
        return cover
    Q = xp.roll(P, -1, axis=1)                              # edges run from P to Q
    low, high = xp.minimum(P, Q), xp.maximum(P, Q)
    first = xp.floor(low.min(axis=0)).clip(0, r).astype(int).tolist()       # the pixels that an
    last = xp.ceil(high.max(axis=0)).clip(0, r).astype(int).tolist()        # edge can pass through
    for k, ((left, bottom), (right, top)) in enumerate(zip(first, last, strict=True)):
        x, y = P[:, k, 0, None], P[:, k, 1, None]
        run, rise = Q[:, k, 0, None] - x, Q[:, k, 1, None] - y
        level = xp.arange(bottom, top + 1, dtype=P.dtype)   # the heights between rows of pixels
        height = xp.minimum(xp.maximum(level, low[:, k, 1, None]), high[:, k, 1, None])
        x = x + run * (height - y) / xp.where(rise == 0, 1, rise)           # on the edge
        dy = (xp.sign(rise) * (height[:, 1:] - height[:, :-1]))[:, :, None]
        t = xp.arange(left + 1, right + 1, dtype=P.dtype) - x[:, :, None]                   # (1)
        c, beyond = t.clip(0, 1), xp.maximum(t, 1)
        dt = t[:, 1:] - t[:, :-1]
        C = ((c[:, 1:] - c[:, :-1]) * (c[:, 1:] + c[:, :-1]) / 2
             + (beyond[:, 1:] - beyond[:, :-1]))                                            # (2)
        mean = xp.where(dt == 0, c[:, 1:], C / xp.where(dt == 0, 1, dt))                    # (3)
        cover[:, bottom:top, left:right] += dy * mean                                       # (4)
        cover[:, bottom:top, right:] += dy                  # t is at least 1 there
    return xp.minimum(abs(cover), 1)


def _united(parts, r):
    """The cover of each pixel by the union of the parts, first row at the top."""
    uncovered = 1
    for P in parts:
        uncovered = uncovered * (1 - _cover(P * r, r))
    return 1 - uncovered[:, ::-1]                                                           # (5)
