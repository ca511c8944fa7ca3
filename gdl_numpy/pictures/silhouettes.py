"""Silhouettes: dogs and horses made of polygons, each determined by a few numbers.

An image of a dog has a thousand pixels, but if few numbers determine it, all such images form a
manifold. In the chapter dogs illustrate this, and a generative model learns to make horses. Whether
a model finds a manifold is seen only if it is known, so here the numbers come first: a latent
vector turns and stretches polygons, and these are rasterized (rasterizer.py).

    latent (n, k)  ->  polygons, each (n, m, 2)  ->  images (n, resolution, resolution)

**Outlines** are smooth curves through given points (Catmull and Rom 1974). From the point P1 to the
next one P2, with P0 before and P3 after them, take the cubic curve x(t), t from 0 to 1, that begins
at P1 and ends at P2 with the derivatives (P2 - P0)/2 and (P3 - P1)/2. So the pieces join smoothly:

    x(t) = P1 + t/2 (P2 - P0 + t (2 P0 - 5 P1 + 4 P2 - P3 + t (3 (P1 - P2) + P3 - P0)))          (1)

**Joints.** Let e(α) be the unit vector in the direction α. An outline is turned by α about its
origin, which is placed at a joint j; and a bone leads from a joint j to the next one, j':

    p' = j + p_1 e(α) + p_2 e(α + 90°)         of each corner p = (p_1, p_2)                     (2)
    j' = j + length e(α)                                                                         (3)

A bone is bounded by circles of the radii r around j and s around j', and their common tangents. A
tangent is r away from j and s away from j'. If its normal is at the angle γ to the bone, the way
from j to j' leads nearer to it by length · cos γ, so that is r - s. It touches each circle where
the normal points. So the arc around j' goes from α - γ to α + γ, and that around j the rest of it:

    γ  = arccos((r - s)/length)                                                                  (4)

**Gait.** At the phase φ of the gallop a leg with the delay φ0 swings forward and back, and is
lifted on its way forward. With the amplitude A,

    swing = A cos(φ + φ0)                                                                        (5)
    lift  = A (1 - sin(φ + φ0 + 23°))²/4       between 0 and A                                   (6)

By hand: at t = ½, (1) is (9 (P1 + P2) - P0 - P3)/16. So for the square with the corners (±1, ±1)
the curve passes through (20/16, 0) between (1, -1) and (1, 1).

>>> square = [(-1000, -1000), (1000, -1000), (1000, 1000), (-1000, 1000)]
>>> print(smooth(square, pieces=2)[3])
[1.25 0.  ]
>>> body, tail, *_ = dog([[0.0, 0.5], [1.0, 0.5]])                  # tail lowered, tail straight up
>>> print(tail.shape, tail[..., 1].max(axis=1).round(2))            # its highest corner
(2, 44, 2) [0.6  0.85]

See figure_1_01_horses, figure_1_09_manifold (dogs) and tests/pictures/test_silhouettes.py (that it
holds).
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def smooth(points, pieces=4):
    """A polygon (m, 2) along the closed curve (1) through points, which are in thousandths: the
    corners of each piece are at t = 0, 1/pieces, 2/pieces, ..."""
    P = checks.real_array(points, "points")
    P = checks.not_empty(checks.observations(P, P, name="points", d=2), "points") / 1000
    pieces = checks.whole_number(pieces, "pieces", least=1)
    before, after, beyond = (numpy.roll(P, -i, axis=0) for i in (-1, 1, 2))
    curve = [P + t / 2 * (after - before + t * (2 * before - 5 * P + 4 * after - beyond
                                                + t * (3 * (P - after) + beyond - before)))
             for t in numpy.arange(pieces) / pieces]
    return numpy.stack(curve, axis=1).reshape(-1, 2)                                        # (1)


def direction(angle):
    """The unit vector (..., 2) at an angle in degrees, 0 to the right, 90 up."""
    radians = math.pi / 180 * checks.real_array(angle, "angle", finite=False)
    xp = array_module(radians)
    return xp.stack([xp.cos(radians), xp.sin(radians)], axis=-1)


def turn(outline, angle, joint):
    """The outline (m, 2), its origin at the joint, turned by angle (n,), in degrees: (n, m, 2)."""
    angle = _angles(angle, "angle")
    P, joint = _points(outline, "outline", angle, (2,)), _points(joint, "joint", angle)
    return (joint[..., None, :] + P[:, :1] * direction(angle)[:, None]
            + P[:, 1:] * direction(angle + 90)[:, None])                                    # (2)


def _angles(angle, name):
    """`angle` as an array (n,)."""
    angle = checks.real_array(angle, name, finite=False)
    if angle.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), one for each image, got {angle.shape}")
    return angle


def _points(points, name, like, dimensions=(1, 2)):
    """Points (2,) or (m, 2) where `like` lives, in its precision; outlines come from the host."""
    P = checks.real_array(points, name, finite=False)
    if P.shape[-1:] != (2,) or P.ndim not in dimensions:
        shapes = " or ".join(["", "(2,)", "(m, 2)"][k] for k in dimensions)
        raise ValueError(f"{name} must have shape {shapes}, points (x, y), got {P.shape}")
    return array_module(like).asarray(P, dtype=like.dtype)


def limb(joint, angles, lengths, radii):
    """The polygons of a chain of bones from joint, (2,) or (n, 2), and the joint where it ends.

    Bone i points in the direction angles[i] (n,), in degrees, and has the length lengths[i], a
    number or (n, 1). It is the convex hull of circles around its joints. There is one more of the
    `radii` than bones, and neighbors differ by less than the length. Each arc has 9 corners.
    """
    if not (all(isinstance(a, list | tuple) for a in (angles, lengths, radii))
            and len(radii) - 1 == len(lengths) == len(angles) > 0):
        raise ValueError("a limb needs a list of angles, one of as many lengths, and one of radii, "
                         f"one more, got {angles!r:.80}, {lengths!r:.80} and {radii!r:.80}")
    angles = [_angles(angle, "angles") for angle in angles]
    lengths = [checks.real_array(a, "lengths", like=angles[0], finite=False) for a in lengths]
    radii = [checks.number(r, "radii", "(0, inf)") for r in radii]
    xp, bones = array_module(angles[0]), []
    joint = _points(joint, "joint", angles[0])
    u = xp.linspace(-1, 1, 9, dtype=angles[0].dtype)
    for angle, length, r, s in zip(angles, lengths, radii[:-1], radii[1:], strict=True):
        end = joint + length * direction(angle)                                             # (3)
        half = 180 / math.pi * xp.arccos((r - s) / length + 0 * angle[:, None])             # (4)
        front, back = angle[:, None] + half * u, angle[:, None] + 180 + (180 - half) * u
        bones.append(xp.concatenate([end[:, None] + s * direction(front),
                                     joint[..., None, :] + r * direction(back)], axis=1))
        joint = end
    return bones, joint


# Outlines in thousandths, x to the right and y up. Bodies stand in their place in the image, the
# other parts have the joint about which they turn at (0, 0).
DOG_BODY = smooth([(278, 550), (310, 608), (390, 620), (480, 605), (570, 620), (640, 632),
                   (698, 596), (714, 525), (685, 440), (600, 400), (510, 425), (430, 460),
                   (350, 450), (290, 490)])
DOG_TAIL = smooth([(-10, 26), (45, 50), (117, 76), (189, 63), (243, 8), (270, -47), (236, -60),
                   (171, -55), (99, -44), (40, -32), (-10, -26)])
DOG_HEAD = smooth([(-55, 30), (-10, 70), (60, 75), (92, 40), (150, 32), (188, 32), (202, 10),
                   (190, -25), (130, -50), (60, -65), (0, -70), (-45, -40)])
DOG_EAR = smooth([(-50, 20), (-70, 75), (-75, 130), (-30, 110), (20, 60)])
DOG_PAW = smooth([(-8, 22), (15, 21), (38, 18), (45, 0), (40, -19), (15, -21), (-10, -20)])
HORSE_BODY = smooth([(284, 580), (310, 638), (369, 652), (468, 624), (544, 638), (621, 638),
                     (675, 593), (677, 534), (616, 478), (522, 460), (432, 480), (360, 503),
                     (297, 526)])
HORSE_TAIL = smooth([(-27, -20), (18, -29), (72, -33), (135, -16), (194, 27), (236, 86),
                     (184, 65), (130, 52), (72, 30), (18, 20), (-18, 20)])
HORSE_NECK = smooth([(-99, 50), (-27, 81), (54, 74), (126, 63), (184, 43), (210, 0), (184, -32),
                     (126, -34), (58, -52), (-9, -88), (-90, -54)])
HORSE_MANE = smooth([(198, 18), (192, 61), (148, 94), (94, 110), (124, 81), (76, 101), (18, 113),
                     (56, 83), (9, 97), (-54, 97), (-11, 68), (-36, 36), (58, 36)])
HORSE_HEAD = smooth([(-34, 9), (-4, 39), (49, 40), (106, 26), (160, 20), (186, 9), (196, -12),
                     (184, -32), (158, -35), (117, -32), (77, -49), (43, -64), (0, -58),
                     (-29, -29)])
HORSE_EAR = smooth([(-20, 20), (-34, 58), (-31, 90), (-5, 67), (13, 34)])
HORSE_HOOF = numpy.array([(-4, 15), (27, 14), (56, 22), (32, -21), (18, -14), (-4, -15)]) / 1000

# Legs: where they begin, directions of bones and foot in degrees, lengths, radii of the joints
DOG_LEGS = [
    ((0.335, 0.51), (-75, -116, -84, -5), (0.14, 0.115, 0.118), (0.078, 0.042, 0.026, 0.023)),
    ((0.395, 0.51), (-62, -110, -74, -5), (0.14, 0.115, 0.118), (0.068, 0.042, 0.026, 0.023)),
    ((0.61, 0.50), (-102, -90, -5), (0.14, 0.205), (0.066, 0.036, 0.023)),
    ((0.655, 0.50), (-86, -78, -5), (0.14, 0.205), (0.052, 0.034, 0.023))]
# of a horse: the mean directions, and what swing and lift of the leg add to them
HIND = ([(-75, 26, 0), (-112, 24, -20), (-92, 32, 8), (-60, 35, -70)],
        (0.117, 0.13, 0.14), (0.076, 0.047, 0.023, 0.015))
FORE = ([(-112, 12, 0), (-88, 40, 14), (-90, 40, -62), (-58, 42, -95)],
        (0.09, 0.14, 0.124), (0.068, 0.042, 0.022, 0.015))
HORSE_CENTER = (0.486, 0.602)
# hip, shoulder, withers, dock
HORSE_JOINTS = [(0.356, 0.575), (0.621, 0.575), (0.612, 0.588), (0.299, 0.618)]


def dog(latent):
    """The polygons of n standing dogs that look to the right; latent (n, 2), from 0 to 1.

    0  tail     lowered ... straight up, over 106 degrees
    1  pose     head lowered ... raised: neck over 80 degrees, head over 50
    """
    latent = checks.rows_of_box(latent, [0] * 2, [1] * 2, "latent")
    (tail, pose), still = latent.T, 0 * latent[:, 0]
    neck, poll = limb((0.61, 0.54), [80 * pose - 8], [0.165], [0.084, 0.064])
    parts = [turn(DOG_BODY, still, (0, 0)), turn(DOG_TAIL, 212 - 106 * tail, (0.315, 0.573)),
             *neck, *(turn(part, 50 * pose - 35, poll) for part in (DOG_HEAD, DOG_EAR))]
    for joint, angles, lengths, radii in DOG_LEGS:
        bones, ankle = limb(joint, [angle + still for angle in angles[:-1]], lengths,
                            radii)
        parts += [*bones, turn(DOG_PAW, angles[-1] + still, ankle)]
    return parts


def horse(latent):
    """The polygons of n horses that run to the right; latent (n, 8), from -1 to 1.

    0  phase    of the gait; -1 and 1 are the same
    1  stride   30 ... 100 %: from a slow to a galloping swing of the legs
    2  neck     24 ... 60 degrees above the horizontal
    3  head     tucked in ... stretched forward, over 36 degrees
    4  legs     90 ... 110 % of their length
    5  length   90 ... 110 % of the body's
    6  depth    88 ... 112 % of the body's
    7  tail     carried low ... streaming, over 44 degrees

    It gallops, the hind legs before the fore legs. `stride` is the amplitude A of (5) and (6).
    """
    latent = checks.rows_of_box(latent, [-1] * 8, [1] * 8, "latent")
    phase, stride, neck, head, legs, length, depth, tail = latent.T
    xp = array_module(latent)
    center, body, joints = (xp.asarray(P, dtype=latent.dtype)
                            for P in (HORSE_CENTER, HORSE_BODY, HORSE_JOINTS))
    stretch = xp.stack([1 + 0.1 * length, 1 + 0.12 * depth], axis=1)[:, None]
    body, joints = (center + stretch * (P - center) for P in (body, joints))
    hip, shoulder, withers, dock = (joints[:, i] for i in range(4))
    neck = 42 + 18 * neck
    head = neck - 88 + 18 * head
    poll = withers + 0.185 * direction(neck)
    parts = [body, turn(HORSE_TAIL, 195 - 22 * tail, dock),
             *(turn(part, neck, withers) for part in (HORSE_NECK, HORSE_MANE)),
             *(turn(part, head, poll) for part in (HORSE_HEAD, HORSE_EAR))]
    amplitude = 0.65 + 0.35 * stride
    for joint, (moves, lengths, radii), delay in [(hip, HIND, 0), (hip, HIND, 50),
                                                  (shoulder, FORE, 150), (shoulder, FORE, 200)]:
        swing = amplitude * direction(180 * phase + delay)[:, 0]                            # (5)
        lift = amplitude * (1 - direction(180 * phase + delay + 23)[:, 1])**2 / 4           # (6)
        angles = [mean + a * swing + b * lift for mean, a, b in moves]
        lengths = [bone * (1 + 0.1 * legs[:, None]) for bone in lengths]
        bones, fetlock = limb(joint, angles[:-1], lengths, radii)
        parts += [*bones, turn(HORSE_HOOF, angles[-1], fetlock)]
    return parts
