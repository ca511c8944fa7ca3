"""Painters: two rules that paint, and the features by which a model tells them apart."""

import math

import numpy
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from gdl_numpy.labels.logistic import LogisticFamily
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.pictures import painters
from gdl_numpy.pictures.painters import N_FEATURES, features, paint

COLOR, TEXTURE = slice(0, 6), slice(6, 22)
SHARES, DOWN, RIGHT = slice(6, 14), slice(14, 18), slice(18, 22)


def flat(value=0.3, n=1, size=12):
    return numpy.full((n, size, size, 3), value)


def waves(angle, size=64, length=8.0):
    """A picture whose brightness goes up and down along (cos angle, sin angle): x right, y down."""
    y, x = numpy.mgrid[:size, :size]
    wave = 0.5 + 0.4 * numpy.sin(2 * math.pi / length
                                 * (x * math.cos(angle) + y * math.sin(angle)))
    return numpy.repeat(wave[None, :, :, None], 3, axis=3)


@pytest.fixture(scope="module")
def pictures():
    """240 pictures of each painter, their features, and who painted them, in random order."""
    rng = numpy.random.default_rng(0)
    F = numpy.concatenate([features(paint(painter, 240, rng, size=32)) for painter in (0, 1)])
    order = rng.permutation(480)
    return F[order], numpy.repeat([0, 1], 240)[order]


def held_out_accuracy(F, y, folds=4):
    """The share of right answers about each quarter of a model that learned from the others."""
    family, right = LogisticFamily(F.shape[1], l2=0.03), []
    for held_out in numpy.arange(len(F)).reshape(folds, -1):
        Z, z = numpy.delete(F, held_out, axis=0), F[held_out]
        mean, scale = Z.mean(axis=0), Z.std(axis=0)
        p = family(family.mle((Z - mean) / scale, numpy.delete(y, held_out)))
        right.append(p.log_posterior((z - mean) / scale).argmax(axis=1) == y[held_out])
    return numpy.mean(right)


# Pictures

@pytest.mark.parametrize("painter", [0, 1])
@pytest.mark.parametrize("n, size", [(3, 32), (2, 9), (1, 17), (0, 16)])
def test_a_picture_is_a_square_of_colors_from_0_to_1(painter, n, size):
    images = paint(painter, n, numpy.random.default_rng(0), size=size)
    assert images.shape == (n, size, size, 3)
    assert numpy.isfinite(images).all() and ((images >= 0) & (images <= 1)).all()
    F = features(images)
    assert F.shape == (n, N_FEATURES) and numpy.isfinite(F).all()


def test_a_picture_is_made_by_its_seed_and_its_painter():
    first, again, other, by_another = (
        paint(painter, 2, numpy.random.default_rng(seed), size=16)
        for painter, seed in [(0, 0), (0, 0), (0, 1), (1, 0)])
    assert (first == again).all() and (first != other).any() and (first != by_another).any()


@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0])
def test_a_straight_stroke_covers_a_rectangle_along_its_direction(angle):
    """Its area is length · width, and its second moments are length²/12 along (cos, sin) of the
    angle and width²/12 across."""
    size, length, width = 400, 0.4, 0.1
    x, y = (numpy.mgrid[:size, :size][[1, 0]] + 0.5) / size - 0.5
    stroke = (numpy.array([value]) for value in (angle, 0.0, length, width))
    cover = painters._cover(x[None], y[None], *stroke, size)[0]
    assert cover.sum() / size**2 == pytest.approx(length * width, rel=0.01)
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    for u, side in ((along, length), (across, width)):
        assert (cover * u**2).sum() / cover.sum() == pytest.approx(side**2 / 12, rel=0.02)


def test_a_bent_stroke_follows_its_parabola():
    """Its middle line is v = κ u²/2, here along x."""
    size, bend = 400, 3.0
    x, y = (numpy.mgrid[:size, :size][[1, 0]] + 0.5) / size - 0.5
    stroke = (numpy.array([value]) for value in (0.0, bend, 0.6, 0.05))
    cover = painters._cover(x[None], y[None], *stroke, size)[0]
    for column in (100, 200, 290):
        middle = (cover[:, column] * y[:, column]).sum() / cover[:, column].sum()
        assert middle == pytest.approx(0.5 * bend * x[0, column]**2, abs=1 / size)


@pytest.mark.parametrize("strength", [0.4, -0.4])
def test_the_field_circles_its_vortex_and_bends_with_its_radius(strength):
    """Round one vortex the flow is at right angles to the way there; a positive one turns from x to
    y. The bend is the curvature of the circle, 1 over the distance, softened by 0.05."""
    x = numpy.array([[0.8, 0.5], [0.5, 0.9], [0.3, 0.3]])
    center = numpy.full((3, 1, 2), 0.5)
    angle, bend = painters._field(x, center, numpy.full((3, 1), strength))
    away = x - 0.5
    flow = numpy.stack([numpy.cos(angle), numpy.sin(angle)], axis=1)
    assert (away * flow).sum(axis=1) == pytest.approx(0, abs=1e-12)
    turning = away[:, 0] * flow[:, 1] - away[:, 1] * flow[:, 0]
    radius = numpy.sqrt((away**2).sum(axis=1))
    assert turning == pytest.approx(math.copysign(1, strength) * radius)
    assert bend == pytest.approx(math.copysign(1, strength) / (radius + 0.05))


def test_the_strokes_cover_the_canvas_and_no_two_pictures_are_alike():
    images = paint(1, 4, numpy.random.default_rng(0), size=32)
    assert (images.reshape(4, -1).std(axis=1) > 0.02).all()
    assert all(abs(images[i] - images[j]).max() > 0.1 for i in range(4) for j in range(i))


def test_the_best_possible_share_of_right_answers_is_13_in_16():
    """∫ max(p(s|0), p(s|1))/2 ds, and Bayes' rule p(y=1|s) = s²/(s² + (1 - s)²)."""
    zero, one = beta(2, 4), beta(4, 2)
    best = sum(quad(lambda s: max(zero.pdf(s), one.pdf(s)) / 2, *ends)[0]
               for ends in [(0, 0.5), (0.5, 1)])
    assert best == pytest.approx(13 / 16, rel=1e-12)
    s = numpy.linspace(0.01, 0.99, 99)
    numpy.testing.assert_allclose(one.pdf(s) / (zero.pdf(s) + one.pdf(s)),
                                  s**2 / (s**2 + (1 - s)**2), rtol=1e-12)


# Features

def test_an_image_of_one_color_has_no_texture():
    F = features(flat() * numpy.array([1.0, 2.0, 3.0]))[0]
    numpy.testing.assert_allclose(F[COLOR], [0.3, 0.6, 0.9, 0, 0, 0], atol=1e-14)
    assert not F[SHARES].any()
    numpy.testing.assert_allclose(F[14:], math.log(1e-6), rtol=1e-12)


@pytest.mark.parametrize("direction", range(8))
def test_all_the_gradient_of_straight_waves_lies_in_one_of_8_directions(direction):
    shares = features(waves(math.pi * (direction + 0.5) / 8))[0, SHARES]
    assert shares.argmax() == direction and shares[direction] > 0.9
    assert shares.sum() == pytest.approx(1, abs=1e-9)


def test_a_mirror_turns_the_directions_round_and_changes_nothing_else():
    images = numpy.random.default_rng(0).random((3, 16, 20, 3))
    F = features(images)
    for mirrored in (images[:, ::-1], images[:, :, ::-1]):
        G = features(mirrored)
        numpy.testing.assert_allclose(G[:, SHARES], F[:, SHARES][:, ::-1], atol=1e-9)
        for unchanged in (COLOR, DOWN, RIGHT):
            numpy.testing.assert_allclose(G[:, unchanged], F[:, unchanged], rtol=1e-9, atol=1e-12)


def test_vertical_stripes_differ_to_the_right_and_not_downwards():
    upright, level = waves(0), waves(0).swapaxes(1, 2)
    F, G = features(upright)[0], features(level)[0]
    numpy.testing.assert_allclose(F[DOWN], math.log(1e-6), rtol=1e-12)
    assert F[SHARES][0] == pytest.approx(1, abs=1e-9)
    assert G[SHARES][3:5].sum() == pytest.approx(1, abs=1e-9)       # 90° is where these two meet
    numpy.testing.assert_allclose(G[DOWN], F[RIGHT], rtol=1e-12)
    wave = 0.4 * numpy.sin(2 * math.pi / 8 * numpy.arange(64))
    mean_squares = [((wave[k:] - wave[:-k])**2).mean() for k in (1, 2, 4, 8)]
    numpy.testing.assert_allclose(F[RIGHT], numpy.log(numpy.array(mean_squares) + 1e-6), rtol=1e-9)


def test_the_shares_of_the_directions_sum_to_1():
    F = features(numpy.random.default_rng(0).random((5, 20, 30, 3)))
    numpy.testing.assert_allclose(F[:, SHARES].sum(axis=1), 1, rtol=1e-9)


def test_more_light_changes_the_mean_color_and_nothing_else():
    images = 0.5 * numpy.random.default_rng(0).random((5, 16, 16, 3))
    F, G = features(images), features(images + 0.25)
    numpy.testing.assert_allclose(G[:, :3], F[:, :3] + 0.25, rtol=1e-12)
    numpy.testing.assert_allclose(G[:, 3:], F[:, 3:], rtol=1e-9, atol=1e-9)


def test_the_color_features_are_the_moments_of_the_pixels():
    images = numpy.random.default_rng(0).random((3, 10, 14, 3))
    F, pixels = features(images), images.reshape(3, -1, 3)
    numpy.testing.assert_allclose(F[:, :3], pixels.mean(axis=1), rtol=1e-12)
    numpy.testing.assert_allclose(F[:, 3:6], pixels.std(axis=1), rtol=1e-12)


def test_the_features_of_a_picture_do_not_depend_on_the_others():
    images = numpy.random.default_rng(0).random((3, 12, 12, 3))
    numpy.testing.assert_allclose(features(images[1:2])[0], features(images)[1], rtol=1e-12)


def test_pictures_are_only_read_and_may_be_whole_numbers():
    images = numpy.random.default_rng(0).integers(0, 256, size=(2, 12, 12, 3))
    images.flags.writeable = False
    assert (features(images) == features(images.astype(float))).all()


# Telling the painters apart

def test_texture_tells_the_painters_apart_and_mean_color_does_not(pictures):
    """480 answers: 50 % of them right come out as 59 % in 1 case of 25,000, and 81 %, the best
    there is, by 5 standard errors higher in 1 of 3 million."""
    F, y = pictures
    assert 0.70 < held_out_accuracy(F, y) < 13 / 16 + 5 * math.sqrt(13 * 3 / 256 / 480)
    assert held_out_accuracy(F[:, TEXTURE], y) > 0.65
    assert held_out_accuracy(F[:, :3], y) < 0.59


# What is refused

@pytest.mark.parametrize("arguments, error, words", [
    ((2, 1), ValueError, "painter must be at most 1, got 2"),
    ((-1, 1), ValueError, "painter must be at least 0, got -1"),
    (("Monet", 1), TypeError, "painter must be a whole number, got 'Monet'"),
    ((None, 1), TypeError, "painter must be a whole number, got None"),
    ((0, -1), ValueError, "n must be at least 0, got -1"),
    ((0, 1.5), TypeError, "n must be a whole number, got 1.5"),
    ((0, 1, 8), ValueError, "size must be at least 9, got 8"),
    ((0, 1, 32.0), TypeError, "size must be a whole number, got 32.0"),
])
def test_a_wrong_painter_number_or_size_is_refused(arguments, error, words):
    painter, n, *size = arguments
    with pytest.raises(error, match=words):
        paint(painter, n, numpy.random.default_rng(0), *size)


def test_a_seed_in_place_of_a_generator_is_refused():
    with pytest.raises(TypeError, match="rng must be a generator .* got 0"):
        paint(0, 1, 0)


@pytest.mark.parametrize("images, error, words", [
    (numpy.zeros((12, 12, 3)), ValueError, r"images must have shape .* got \(12, 12, 3\)"),
    (numpy.zeros((1, 12, 12, 4)), ValueError, r"images must have shape .* got \(1, 12, 12, 4\)"),
    (numpy.zeros((1, 8, 12, 3)), ValueError, "height and width at least 9"),
    (numpy.full((1, 12, 12, 3), math.nan), ValueError, "images holds nan"),
    (numpy.full((1, 12, 12, 3), "red"), TypeError, "images must hold real numbers"),
])
def test_wrong_images_are_refused(images, error, words):
    with pytest.raises(error, match=words):
        features(images)


# Contracts

@pytest.mark.parametrize("painter", [0, 1])
@pytest.mark.parametrize("n, size", [(3, 32), (0, 16)])
def test_pictures_are_painted_where_the_generator_lives(xp, make_rng, painter, n, size):
    images = paint(painter, n, make_rng(0), size=size)
    assert images.shape == (n, size, size, 3) and array_module(images) is xp
    host = to_numpy(images)
    assert numpy.isfinite(host).all() and ((host >= 0) & (host <= 1)).all()
    assert (host == to_numpy(paint(painter, n, make_rng(0), size=size))).all()


def test_a_device_finds_the_features_that_numpy_finds(xp):
    host = numpy.random.default_rng(0).random((5, 20, 30, 3))
    F = features(xp.asarray(host))
    assert array_module(F) is xp
    numpy.testing.assert_allclose(to_numpy(F), features(host), rtol=1e-9)
