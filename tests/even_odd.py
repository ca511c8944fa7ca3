"""The even-odd rule in exact arithmetic: what gdl_numpy.world.polygon is measured against.

    inside(x, start, end)       whether a walk west from the point x crosses an odd number of edges
    distance(x, start, end)     from the point x to the nearest edge
    near_edges(rng, ...)        points where rounding would show first
"""

from fractions import Fraction

import numpy


def inside(x, start, end):
    """Exact for any floating-point numbers; points on an edge may come out either way."""
    upward = start[:, 0] < end[:, 0]
    foot, head = (numpy.where(upward[:, None], *ends) for ends in ((start, end), (end, start)))
    spans = (foot[:, 0] <= x[0]) & (x[0] < head[:, 0])
    west = numpy.minimum(foot[:, 1], head[:, 1]) <= x[1]        # comparisons do not round
    x1, x2 = map(Fraction, x.tolist())
    crossed = 0
    for a, b in zip(foot[spans & west].tolist(), head[spans & west].tolist(), strict=True):
        (a1, a2), (b1, b2) = map(Fraction, a), map(Fraction, b)
        crossed += (x2 - a2) * (b1 - a1) >= (b2 - a2) * (x1 - a1)
    return crossed % 2 == 1


def distance(x, start, end):
    along = end - start
    s = ((x - start) * along).sum(axis=1) / (along**2).sum(axis=1)
    return numpy.hypot(*(start + s.clip(0, 1)[:, None] * along - x).T).min()


def near_edges(rng, start, end, n):
    """n points at distances of 2e-9 to 0.1 from an edge, spread evenly in the logarithm."""
    i = rng.integers(len(start), size=n)
    along = (end - start)[i]
    across = along[:, ::-1] * [1, -1] / numpy.hypot(*along.T)[:, None]
    offset = 10**rng.uniform(-8.7, -1, n) * rng.choice([-1, 1], n)
    return start[i] + rng.random((n, 1)) * along + offset[:, None] * across
