"""Faces: they stay in the image, are symmetric, and move as their latents say."""

import math

import numpy
import pytest

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.pictures.faces import BLOCK, CENTER, LATENTS, Faces, render

K = len(LATENTS)
GAZE = LATENTS.index("gaze")
GRAYS = (0.15, 0.25, 0.4, 0.62, 0.7, 0.75, 0.82, 1)
every_latent = pytest.mark.parametrize("name", LATENTS)


def latents(seed, n):
    """n points of the cube, the first half of them corners of it."""
    rng = numpy.random.default_rng(seed)
    latent = rng.uniform(-1, 1, (n, K))
    latent[:n // 2] = rng.choice([-1, 1], (n // 2, K))
    return latent


def along(name, n, **others):
    """n faces that differ in one latent, which runs from -1 to 1; the others are 0 or given."""
    latent = numpy.zeros((n, K))
    for other, value in others.items():
        latent[:, LATENTS.index(other.replace("_", " "))] = value
    latent[:, LATENTS.index(name)] = numpy.linspace(-1, 1, n)
    return latent


def coordinates(r):
    """x and y of the columns and rows of a image, from the middle of the head."""
    middle = (numpy.arange(r) + 0.5) / r
    return middle - CENTER[0], 1 - middle - CENTER[1]


def dark(images, threshold, left, right, low, high):
    """The mean place (n, 2) of what is darker than the threshold in a box, and its amount (n,)."""
    x, y = coordinates(images.shape[1])
    weight = (threshold - images).clip(0) * ((x > left) & (x < right))
    weight *= ((y > low) & (y < high))[:, None]
    amount = weight.sum(axis=(1, 2))
    place = [(weight * x).sum(axis=(1, 2)), (weight * y[:, None]).sum(axis=(1, 2))]
    return numpy.stack(place, axis=1) / amount[:, None], amount


# The images

def test_faces_stay_inside_the_outermost_pixels_and_fill_the_image():
    images = render(latents(0, 400), 32)
    assert images.shape == (400, 32, 32)
    ring = 1 - images
    ring[:, 1:-1, 1:-1] = 0
    assert abs(ring).max() < 1e-12
    assert images.min() > 0.15 - 1e-12 and images.max() < 1 + 1e-12
    share = (images < 0.99).mean(axis=(1, 2))
    assert share.min() > 0.25 and share.max() < 0.75


def test_a_face_that_looks_the_other_way_is_the_mirrored_face():
    latent = latents(1, 20)
    mirrored = latent * numpy.where(numpy.arange(K) == GAZE, -1, 1)
    numpy.testing.assert_allclose(render(mirrored), render(latent)[:, :, ::-1], atol=1e-12)


def test_large_images_have_the_grays_of_the_layers_except_at_edges():
    images = render(latents(2, 10), 128)
    of = numpy.stack([abs(images - g) < 1e-9 for g in GRAYS])
    assert (of.any(axis=0).mean(axis=(1, 2)) > 0.85).all()
    assert (of.sum(axis=(2, 3)) > 2).all()


@pytest.mark.parametrize("r", [16, 32])
def test_a_finer_image_seen_from_afar_is_the_coarser_one(r):
    """But for pixels through which the edges of several layers pass."""
    latent = latents(3, 20)
    coarser = render(latent, 4 * r).reshape(20, r, 4, r, 4).mean(axis=(2, 4))
    assert math.sqrt(((coarser - render(latent, r))**2).mean()) < 0.6 / r


# What the latents mean

@every_latent
def test_each_latent_shows_in_the_image_and_without_a_jump(name):
    """A step of 1/100 of the range changes no pixel by more than 0.1."""
    images = render(along(name, 101), 32)
    assert abs(numpy.diff(images, axis=0)).max() < 0.1
    assert abs(images[100] - images[0]).sum() > 1


def test_thirteen_numbers_move_a_face_in_thirteen_directions():
    """The derivative by central differences: its smallest singular value is far from rounding."""
    h, latent = 1e-4, 0.9 * latents(4, 10)
    steps = h * numpy.eye(K)
    there, back = (render((latent[:, None] + sign * steps).reshape(-1, K)) for sign in (1, -1))
    slope = ((there - back) / (2 * h)).reshape(10, K, -1)
    sizes = numpy.linalg.svd(slope, compute_uv=False)
    assert sizes.min() > 0.1 and sizes.max() < 20


def test_the_head_is_as_wide_and_as_long_as_its_formulas_say():
    """The ears, 1.14 a from the middle, show beyond short hair; the hair ends at 1.1 b."""
    r, n = 128, 11
    images = render(along("width of the head", n, length_of_the_hair=-1), r)
    columns = (images < 1 - 1e-9).any(axis=1).sum(axis=1)
    a = 0.315 + 0.045 * numpy.linspace(-1, 1, n)
    assert abs(columns / r - 2.28 * a).max() <= 2 / r
    images = render(along("length of the head", n), r)
    rows = (images < 1 - 1e-9).any(axis=2).sum(axis=1)
    b = 0.38 + 0.04 * numpy.linspace(-1, 1, n)
    assert abs(rows / r - 2.12 * b).max() <= 2 / r


def test_longer_hair_is_more_hair():
    images = render(along("length of the hair", 21), 64)
    hair = (abs(images - 0.25) < 1e-9).sum(axis=(1, 2))
    assert (numpy.diff(hair) >= 0).all() and hair[-1] > 1.3 * hair[0]


PUPIL = 0.24, 0.02, 0.23, -0.08, 0.12                       # threshold and box, of the right one
BROW = 0.5, 0.09, 0.18, 0.078, 0.22


@pytest.mark.parametrize("name, part, axis, change", [
    ("distance of the eyes", PUPIL, 0, 0.14 * 0.315), ("gaze", PUPIL, 0, 0.64 * 0.245 * 0.315),
    ("height of the eyes", PUPIL, 1, 0.12 * 0.38), ("height of the brows", BROW, 1, 0.03)])
def test_what_a_latent_moves_goes_as_far_as_its_formula_says(name, part, axis, change):
    small = {"size_of_the_eyes": -1} if part is BROW else {}
    place, _ = dark(render(along(name, 7, **small), 128), *part)
    assert (numpy.diff(place[:, axis]) > 0).all()
    assert place[-1, axis] - place[0, axis] == pytest.approx(change, rel=0.05)
    assert numpy.ptp(place[:, 1 - axis]) < 0.004


def test_larger_eyes_have_larger_pupils():
    _, amount = dark(render(along("size of the eyes", 7), 128), *PUPIL)
    assert (numpy.diff(amount) > 0).all()
    assert amount[-1] / amount[0] == pytest.approx((0.29 / 0.2)**2, rel=0.2)


def test_brows_turn_from_stern_to_worried():
    images = render(along("slope of the brows", 7, height_of_the_brows=1), 128)
    inner, outer = (dark(images, 0.5, left, right, 0.11, 0.23)[0][:, 1]
                    for left, right in ((0.06, 0.12), (0.15, 0.21)))
    assert (numpy.diff(inner - outer) > 0).all()
    assert inner[0] < outer[0] + 0.01 and inner[-1] > outer[-1] + 0.02


def test_a_longer_nose_ends_lower():
    images = render(along("length of the nose", 7), 128)
    place, amount = dark(images, 0.8, -0.03, 0.03, -0.18, 0.02)
    assert (numpy.diff(place[:, 1]) < 0).all() and (numpy.diff(amount) > 0).all()


def mouth(name):
    """Along a latent: its lift, corners above middle; its width and its height in the middle."""
    images = render(along(name, 7, length_of_the_nose=-1), 256)
    x, y = coordinates(256)
    box = (y > -0.3) & (y < -0.13)
    inside = abs(images[:, box] - 0.82) > 0.12              # neither skin nor cheek
    middle, corners = (inside[:, :, (x > left) & (x < right)].any(axis=2)
                       for left, right in ((-0.01, 0.01), (0.09, 0.11)))
    center = [((rows * y[box]).sum(axis=1) / rows.sum(axis=1)) for rows in (middle, corners)]
    width = inside[:, :, abs(x) < 0.16].any(axis=1).sum(axis=1)
    return center[1] - center[0], width / 256, middle.sum(axis=1) / 256


def test_a_smile_turns_to_a_frown():
    """At 0.1 from the middle, where cos² t = (0.1/w)²."""
    lift, *_ = mouth("smile")
    w = 0.41 * 0.315
    header = (0.23 + 0.35 * numpy.linspace(-1, 1, 7)) * w * (0.1 / w)**2
    assert header[0] < 0 < header[-1] and abs(lift - header).max() < 1 / 256
    assert (numpy.diff(lift) > 0).all() and lift[0] < 0 < 0.03 < lift[-1]


def test_a_mouth_is_as_wide_and_as_high_as_its_formulas_say():
    """Its lips add 0.014 above and below."""
    u = numpy.linspace(-1, 1, 7)
    _, width, height = mouth("width of the mouth")
    w = (0.41 + 0.08 * u) * 0.315
    assert abs(width - 2 * w).max() < 2 / 256
    assert abs(height - 2 * (0.22 * w + 0.014)).max() < 2 / 256
    _, width, height = mouth("height of the mouth")
    w = 0.41 * 0.315
    assert abs(width - 2 * w).max() < 2 / 256
    assert abs(height - 2 * ((0.22 + 0.11 * u) * w + 0.014)).max() < 2 / 256


# Arrays

@pytest.mark.parametrize("n", [0, 1, BLOCK, BLOCK + 1])
def test_faces_painted_together_are_those_painted_one_by_one(n):
    latent = latents(5, n)
    images = render(latent, 8)
    assert images.shape == (n, 8, 8)
    for i in {0, n // 3, n - 1} if n else ():
        numpy.testing.assert_allclose(images[i], render(latent[i:i + 1], 8)[0],
                                      rtol=1e-12, atol=1e-14)


def test_latents_are_only_read_and_may_be_a_list():
    latent = latents(7, 4)
    latent.flags.writeable = False
    assert (render(latent.tolist(), 16) == render(latent, 16)).all()


def test_the_same_seed_gives_the_same_faces_and_their_latents_are_kept():
    faces, again, other = (Faces(5, numpy.random.default_rng(seed), 16) for seed in (0, 0, 1))
    assert faces.latent.shape == (5, K) and faces.images.shape == (5, 256)
    assert (faces.images == again.images).all() and (faces.images != other.images).any()
    assert (faces.images == render(faces.latent, 16).reshape(5, -1)).all()


def test_an_image_has_32_by_32_pixels_by_default():
    assert Faces(2, numpy.random.default_rng(0)).images.shape == (2, 1024)


def test_latents_are_uniform_between_minus_1_and_1():
    """n = 256. Dvoretzky, Kiefer and Wolfowitz: the largest distance of the distribution functions
    exceeds 0.2 once in 300 million for one latent."""
    n = 256
    u = (Faces(n, numpy.random.default_rng(0), 1).latent + 1) / 2
    assert abs(numpy.sort(u, axis=0) - numpy.arange(n)[:, None] / n).max() < 0.2


# What is refused

def test_a_latent_out_of_its_cube_is_refused():
    inside = numpy.full((3, K), 0.5)
    for latent, error, words in [
            (inside[0], ValueError, rf"latent must have shape \(n, {K}\), .* got shape \({K},\)"),
            (inside[:, 1:], ValueError, f"latent has {K - 1} columns"),
            (inside + 0.6, ValueError, rf"latent must lie in \[-1, 1\]\^{K}, got the row \[1.1"),
            (inside - 2, ValueError, rf"latent must lie in \[-1, 1\]\^{K}, got the row \[-1.5"),
            (inside * math.nan, ValueError, "latent holds nan"),
            (inside.astype(str), TypeError, "latent must hold real numbers")]:
        with pytest.raises(error, match=words):
            render(latent)


@pytest.mark.parametrize("resolution, error, message", [
    (0, ValueError, "resolution must be at least 1, got 0"),
    (3.5, TypeError, "resolution must be a whole number, got 3.5"),
    (True, TypeError, "resolution must be a whole number, got True")])
def test_a_wrong_resolution_is_refused(resolution, error, message):
    for make in (lambda r: render(numpy.zeros((1, K)), r),
                 lambda r: Faces(2, numpy.random.default_rng(0), r)):
        with pytest.raises(error, match=message):
            make(resolution)


@pytest.mark.parametrize("n, error, message", [
    (-1, ValueError, "n must be at least 0, got -1"),
    (2.0, TypeError, "n must be a whole number, got 2.0")])
def test_a_wrong_number_of_faces_is_refused(n, error, message):
    with pytest.raises(error, match=message):
        Faces(n, numpy.random.default_rng(0))


def test_a_generator_is_not_moved_by_a_call_that_is_refused():
    rng, still = (numpy.random.default_rng(0) for _ in range(2))
    with pytest.raises(ValueError, match="resolution must be at least 1, got 0"):
        Faces(3, rng, 0)
    assert rng.random() == still.random()


def test_a_seed_in_place_of_a_generator_is_refused():
    with pytest.raises(TypeError, match="rng must be a generator .* got 0"):
        Faces(1, 0)


# Contracts

def test_a_device_computes_what_numpy_does(xp):
    images = render(xp.asarray(latents(0, 40)), 32)
    assert images.shape == (40, 32, 32) and array_module(images) is xp
    numpy.testing.assert_allclose(to_numpy(images), render(latents(0, 40), 32), atol=1e-12)


def test_faces_are_made_where_their_generator_lives(xp, make_rng):
    faces, again = (Faces(5, make_rng(0), resolution=16) for _ in range(2))
    assert array_module(faces.latent) is xp and array_module(faces.images) is xp
    assert to_numpy(faces.images == render(faces.latent, 16).reshape(5, -1)).all()
    assert to_numpy(faces.images == again.images).all()


def test_float32_goes_in_and_comes_out(xp):
    latent = latents(6, 40)
    single = render(xp.asarray(latent.astype("float32")))
    assert single.dtype == "float32" and array_module(single) is xp
    numpy.testing.assert_allclose(to_numpy(single), render(latent), atol=5e-5)
