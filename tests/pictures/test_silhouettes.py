"""Silhouettes: the animals made of polygons move as their latents say."""

import math

import numpy
import pytest

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.pictures.rasterizer import rasterize
from gdl_numpy.pictures.silhouettes import direction, dog, horse, limb, smooth, turn

ANIMALS = pytest.mark.parametrize("animal, k, low", [(dog, 2, 0), (horse, 8, -1)])


def crosses_itself(P):
    """Whether two edges of the polygon P (m, 2) that are not neighbors cross."""
    Q = numpy.roll(P, -1, axis=0)

    def side(a, b, c):
        (x, y), (u, v) = (b - a).T, (c - a).T
        return x * v - y * u > 0

    i, j = numpy.triu_indices(len(P), 2)
    return ((side(P[i], Q[i], P[j]) != side(P[i], Q[i], Q[j]))
            & (side(P[j], Q[j], P[i]) != side(P[j], Q[j], Q[i]))
            & ((j + 1) % len(P) != i)).any()


def latents(rng, n, k, low):
    """n points of the cube, the first half of them corners of it."""
    latent = rng.uniform(low, 1, (n, k))
    latent[:n // 2] = rng.choice([low, 1], (n // 2, k))
    return latent


def test_a_smooth_curve_passes_through_its_points_and_almost_follows_a_circle():
    points = 1000 * direction(numpy.arange(0, 360, 30))
    P = smooth(points, pieces=5)
    assert P.shape == (60, 2)
    numpy.testing.assert_allclose(P[::5], points / 1000, atol=1e-15)
    numpy.testing.assert_allclose(numpy.hypot(*P.T), 1, atol=2e-3)


def test_a_turn_keeps_distances_and_the_joint():
    outline = numpy.array([(0, 0), (1, 0), (0, 2)])
    P = turn(outline, numpy.array([0.0, 90, 180]), (5, 7))
    numpy.testing.assert_allclose(P[:, 0], [(5, 7)] * 3, atol=1e-15)
    numpy.testing.assert_allclose(P[:, 1], [(6, 7), (5, 8), (4, 7)], atol=1e-14)
    numpy.testing.assert_allclose(P[:, 2], [(5, 9), (3, 7), (5, 5)], atol=1e-14)


def test_a_bone_is_the_hull_of_two_circles():
    """Its area is two sectors of circles and two trapezoids between the points of tangency."""
    r, s, length = 0.3, 0.1, 0.7
    (bone,), end = limb((0.2, 0.5), [numpy.array([0.0, 70, 200])], [length], [r, s])
    numpy.testing.assert_allclose(end, (0.2, 0.5) + length * numpy.array(
        [(math.cos(a), math.sin(a)) for a in numpy.radians([0, 70, 200])]), rtol=1e-14)
    half, tangent = math.acos((r - s) / length), math.sqrt(length**2 - (r - s)**2)
    hull = (math.pi - half) * r**2 + half * s**2 + tangent * (r + s)
    x, y = numpy.moveaxis(bone, 2, 0)                       # 8 chords for each arc: the shoelace
    inscribed = (x * numpy.roll(y, -1, axis=1) - y * numpy.roll(x, -1, axis=1)).sum(axis=1) / 2
    assert (inscribed < hull).all() and (inscribed > 0.98 * hull).all()


# Animals

@ANIMALS
def test_animals_stay_inside_the_outermost_pixels(animal, k, low):
    latent = latents(numpy.random.default_rng(0), 600, k, low)
    images = rasterize(animal(latent), 32)
    ring = images.copy()
    ring[:, 1:-1, 1:-1] = 0
    assert ring.max() < 1e-12 and images.max() > 1 - 1e-12
    share = images.mean(axis=(1, 2))
    assert share.min() > 0.1 and share.max() < 0.4


@ANIMALS
def test_no_part_of_an_animal_crosses_itself(animal, k, low):
    for part in animal(latents(numpy.random.default_rng(1), 8, k, low)):
        assert not any(crosses_itself(P) for P in part)


@ANIMALS
def test_an_animal_does_not_depend_on_the_others(animal, k, low):
    latent = latents(numpy.random.default_rng(3), 6, k, low)
    numpy.testing.assert_allclose(rasterize(animal(latent[2:3]))[0],
                                  rasterize(animal(latent))[2], atol=1e-12)


@ANIMALS
def test_each_latent_shows_in_the_image_and_without_a_jump(animal, k, low):
    """A step of 1/200 of the range moves no corner farther than 1/2 of a pixel of 1/32."""
    base = numpy.full((201, k), 0.3)
    for i in range(k):
        latent = base.copy()
        latent[:, i] = numpy.linspace(low, 1, 201)
        parts = animal(latent)
        assert max(abs(P[1:] - P[:-1]).max() for P in parts) < 0.5 / 32
        one, other = rasterize([P[[50, 200]] for P in parts])
        assert abs(other - one).sum() > 8


def test_the_ends_of_a_cycle_of_the_gait_are_the_same_image():
    latent = numpy.tile(numpy.random.default_rng(4).uniform(-1, 1, 8), (2, 1))
    latent[:, 0] = -1, 1
    first, last = rasterize(horse(latent))
    numpy.testing.assert_allclose(first, last, atol=1e-12)


def moving(animal, latent):
    """The corners of the parts that are not everywhere the same in `latent`, (n, m, 2)."""
    return numpy.concatenate([P for P in animal(latent) if numpy.ptp(P, axis=0).max() > 1e-9],
                             axis=1)


def test_raising_the_tail_of_a_dog_raises_its_tip():
    tail = numpy.stack([numpy.linspace(0, 1, 50), numpy.full(50, 0.5)], axis=1)
    P = moving(dog, tail)
    tip = ((P - P[:, :1])**2).sum(axis=2).argmax(axis=1)[0]
    height = P[:, tip, 1]
    assert (numpy.diff(height) > 0).all() and height[0] < 0.5 < 0.8 < height[-1]


@pytest.mark.parametrize("number, end, part", [(7, "left", 1), (2, "right", 4)])
def test_a_horse_raises_its_tail_and_its_head_with_its_neck(number, end, part):
    """Latent 7 lifts the tip of the tail, the leftmost point of part 1; latent 2 lifts the head."""
    low, high = numpy.zeros((2, 1, 8))
    low[0, number], high[0, number] = -1, 1
    heights = []
    for latent in (low, high):
        P = horse(latent)[part][0]
        tip = P[:, 0].argmin() if end == "left" else P[:, 0].argmax()
        heights.append(P[tip, 1])
    assert heights[1] > heights[0] + 0.02


def test_raising_the_head_of_a_dog_raises_its_nose():
    pose = numpy.stack([numpy.full(50, 0.5), numpy.linspace(0, 1, 50)], axis=1)
    P = moving(dog, pose)
    nose = P[25, :, 0].argmax()                             # farthest right when looking ahead
    assert (numpy.diff(P[:, nose, 1]) > 0).all() and numpy.ptp(P[:, nose, 1]) > 0.25


def test_the_mean_of_two_dogs_is_a_double_exposure():
    """In both movements, more than 30 pixels are dog in one image and background in the other."""
    images = rasterize(dog(numpy.array([(0, 0.5), (1, 0.5), (0.5, 0), (0.5, 1)])))
    for a, b in (images[:2], images[2:]):
        gray = abs((a + b) / 2 - 0.5) < 0.1
        assert gray.sum() > 30


# What is refused


@ANIMALS
def test_a_latent_out_of_its_cube_is_refused(animal, k, low):
    inside = numpy.full((3, k), 0.5)
    for latent, error, words in [
            (inside[0], ValueError, rf"latent must have shape \(n, {k}\), .* got shape \({k},\)"),
            (inside[:, 1:], ValueError, f"latent has {k - 1} columns"),
            (inside + 0.6, ValueError, rf"latent must lie in \[{low}, 1\]\^{k}, got the row \[1.1"),
            (inside - 2, ValueError, rf"latent must lie in \[{low}, 1\]\^{k}, got the row \[-1.5"),
            (inside * math.nan, ValueError, "latent holds nan"),
            (inside.astype(str), TypeError, "latent must hold real numbers")]:
        with pytest.raises(error, match=words):
            animal(latent)


STILL = numpy.zeros(2)
TRIANGLE = [[0, 0], [1, 0], [1, 1]]


@pytest.mark.parametrize("call, message", [
    (lambda: smooth([1, 2]), r"points must have shape \(n, 2\)"),
    (lambda: smooth(numpy.zeros((0, 2))), "points is empty"),
    (lambda: smooth(TRIANGLE, 0), "pieces must be at least 1, got 0"),
    (lambda: turn([1, 2], STILL, (0, 0)), r"outline must have shape \(m, 2\), .* got \(2,\)"),
    (lambda: turn(TRIANGLE, 30.0, (0, 0)), r"angle must have shape \(n,\), .* got \(\)"),
    (lambda: turn(TRIANGLE, STILL, 0), r"joint must have shape \(2,\) or \(m, 2\), .* got \(\)"),
    (lambda: limb((0, 0), STILL, [0.1], [0.1, 0.1]), "a limb needs a list of angles"),
    (lambda: limb((0, 0), [STILL], [0.1, 0.2], [0.1, 0.1]), "a limb needs a list of angles"),
    (lambda: limb((0, 0), [1.0], [0.1], [0.1, 0.1]), r"angles must have shape \(n,\)"),
    (lambda: limb((0, 0), [STILL], [0.1], [0.1, -0.1]), r"radii must lie in \(0, inf\), got -0.1"),
])
def test_wrong_parts_of_an_animal_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Contracts

def test_turns_and_limbs_are_made_where_their_angles_are(xp):
    host, outline = numpy.array([0.0, 70, 200]), numpy.array([(0, 0), (1, 0), (0, 2)])
    angle = xp.asarray(host)
    (bone,), end = limb((0.2, 0.5), [angle], [0.7], [0.3, 0.1])
    (bone_on_host,), end_on_host = limb((0.2, 0.5), [host], [0.7], [0.3, 0.1])
    for found, expected in [(turn(outline, angle, (5, 7)), turn(outline, host, (5, 7))),
                            (direction(angle), direction(host)), (bone, bone_on_host),
                            (end, end_on_host)]:
        assert array_module(found) is xp
        numpy.testing.assert_allclose(to_numpy(found), expected, atol=1e-14)


@ANIMALS
def test_animals_have_the_dtype_and_the_device_of_their_latents(xp, animal, k, low):
    latent = latents(numpy.random.default_rng(2), 5, k, low)
    single = animal(xp.asarray(latent.astype("float32")))
    assert all(P.dtype == "float32" and array_module(P) is xp for P in single)
    images = rasterize(single)
    assert images.shape == (5, 32, 32) and images.dtype == "float32"
    numpy.testing.assert_allclose(to_numpy(images), rasterize(animal(latent)), atol=2e-5)
    assert rasterize(animal(xp.asarray(latent[:0]))).shape == (0, 32, 32)
