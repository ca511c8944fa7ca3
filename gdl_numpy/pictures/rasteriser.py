"""Rasteriser: polygons become pictures, each pixel the share of it that is covered.

So the pictures are anti-aliased: nothing jumps when a corner moves, and every pixel is a
continuous function of the corners. By Green's theorem the area of a polygon is an integral around
it, and so is the covered area of a pixel: each edge adds the signed area between itself and the
pixel's right side. With lengths in pixels, the right side at x = j, and an edge that passes through
the row of the pixel from (x0, y0) to (x1, y1),

    cover  =  |Σ_edges ∫ clip(j - x, 0, 1) dy|  =  |Σ_edges (y1 - y0) mean|
    mean   =  ∫ clip(t, 0, 1) dt / (t1 - t0),      from t0 = j - x0 to t1 = j - x1
    ∫ clip(t, 0, 1) dt  =  (c1 - c0)(c1 + c0)/2 + (max(t1, 1) - max(t0, 1)),     c = clip(t, 0, 1)

The differences in numerator and denominator are of the same rounded numbers, so that rounding does
no more harm to a steep edge than to another.

>>> triangle = [[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]]               # below the diagonal
>>> rasterise([triangle], 2).tolist()
[[[0.0, 0.5], [0.5, 1.0]]]
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks

BLOCK = 256                                                 # pictures at a time bound the memory


def rasterise(polygons, resolution=32):
    """The share of each pixel that the polygons cover, (n, resolution, resolution).

    `polygons` lists the parts of n pictures; a part is an array (n, m, 2) of the corners (x, y) of
    a closed polygon that does not cross itself, the last corner not repeated, in either direction.
    The picture shows the unit square, its first row at the top; what lies outside is cut off. The
    parts are united as 1 - Π (1 - cover), exact but in pixels through which edges of two parts
    pass.
    """
    resolution = checks.whole_number(resolution, "resolution", least=1)
    if not isinstance(polygons, list | tuple) or not polygons:
        raise ValueError(f"polygons must be a list of at least one array, got {polygons!r}")
    first = checks.real_array(polygons[0], "polygons[0]")
    parts = [checks.real_array(P, f"polygons[{i}]", like=first) for i, P in enumerate(polygons)]
    n = len(first) if first.ndim else 0
    for i, P in enumerate(parts):
        if P.ndim != 3 or P.shape[0] != n or P.shape[1] < 3 or P.shape[2] != 2:
            raise ValueError(f"polygons[{i}] must have shape (n, m, 2) with n = {n} pictures and m "
                             f"at least 3 corners, got {P.shape}")
    return in_blocks(lambda i, j: _united([P[i:j] for P in parts], resolution), n, BLOCK)


def _united(parts, r):
    """The cover of each pixel by all parts, first row at the top."""
    uncovered = 1
    for P in parts:
        uncovered = uncovered * (1 - _cover(P * r, r))
    return 1 - uncovered[:, ::-1]


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
        level = xp.arange(bottom, top + 1, dtype=P.dtype)
        height = xp.minimum(xp.maximum(level, low[:, k, 1, None]), high[:, k, 1, None])
        x = x + run * (height - y) / xp.where(rise == 0, 1, rise)           # where it meets level
        dy = (xp.sign(rise) * (height[:, 1:] - height[:, :-1]))[:, :, None]
        t = xp.arange(left + 1, right + 1, dtype=P.dtype) - x[:, :, None]
        c, beyond = t.clip(0, 1), xp.maximum(t, 1)
        dt = t[:, 1:] - t[:, :-1]
        C = (c[:, 1:] - c[:, :-1]) * (c[:, 1:] + c[:, :-1]) / 2 + (beyond[:, 1:] - beyond[:, :-1])
        mean = xp.where(dt == 0, c[:, 1:], C / xp.where(dt == 0, 1, dt))
        cover[:, bottom:top, left:right] += dy * mean
        cover[:, bottom:top, right:] += dy
    return xp.minimum(abs(cover), 1)
