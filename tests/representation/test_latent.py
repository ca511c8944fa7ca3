"""Latent space: what encoders and decoders are used for, and what is not to be believed of it."""

import itertools
import math

import numpy
import pytest

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.neighbors import nearest
from gdl_numpy.pictures.biscuit_tins import HIGH, LOW, BiscuitTins, render
from gdl_numpy.probability.density import Box, Normal
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.representation.autoencoder import AutoencoderFamily
from gdl_numpy.representation.latent import Pushforward, directions, interpolate


def small_autoencoder(make_rng=numpy.random.default_rng):
    """An autoencoder (4, 6, 2) and nine rows."""
    family, rng = AutoencoderFamily((4, 6, 2)), make_rng(3)
    return family(0.7 * rng.standard_normal(family.n_parameters)), rng.standard_normal((9, 4))


@pytest.fixture(scope="module")
def tins():
    """An autoencoder, its codes whitened, the 2,000 tins of 16 x 16 pixels that it learned from,
    and the distance of pictures, root mean square per pixel, to the nearest tin of a dense grid."""
    X = BiscuitTins(2000, numpy.random.default_rng(0), 16).images.astype("float32")
    family = AutoencoderFamily((256, 64, 32, 2))
    *_, last = family.train(X, numpy.random.default_rng(1), max_steps=1000)
    latent = SampleSpace(LOW, HIGH).grid((64, 64))[0].astype("float32")
    grid = render(latent, 16).reshape(-1, 256)
    model = family(family.whitened(last.theta, X))
    return model, X, lambda images: nearest(images, grid)[0][:, 0] / 16


# Walks in latent space

def test_an_interpolation_ends_at_the_reconstructions_of_its_ends():
    model, X = small_autoencoder()
    path = interpolate(model, X[0], X[1], 5)
    assert path.shape == (5, 4)
    numpy.testing.assert_allclose(path[[0, 4]], model.decode(model.encode(X[:2])), rtol=1e-12)
    middle = model.decode(model.encode(X[:2]).mean(axis=0)[None])
    numpy.testing.assert_allclose(path[2], middle[0], rtol=1e-12)


def test_an_interpolation_of_one_point_is_its_beginning():
    model, X = small_autoencoder()
    numpy.testing.assert_allclose(interpolate(model, X[0], X[1], 1),
                                  model.decode(model.encode(X[:1])), rtol=1e-12)
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        interpolate(model, X[0], X[1], 0)


def test_directions_of_linear_codes_are_their_matrix():
    rng = numpy.random.default_rng(0)
    attributes, B = rng.random((300, 3)), rng.standard_normal((3, 2))
    Z = attributes @ B + 5
    found = directions(Z, attributes, Z[7], k=40)
    assert found.shape == (3, 2)
    numpy.testing.assert_allclose(found, B, rtol=1e-9, atol=1e-9)


def test_directions_of_curved_codes_are_their_derivative():
    rng = numpy.random.default_rng(0)
    A = rng.random((20_000, 2))
    Z = numpy.stack([numpy.sin(2 * A[:, 0]) + A[:, 1], A[:, 0] - A[:, 1]**2], axis=1)
    for i in numpy.nonzero((abs(A - 0.5) < 0.3).all(axis=1))[0][:5]:
        a, b = A[i]
        expected = [[2 * math.cos(2 * a), 1], [1, -2 * b]]
        numpy.testing.assert_allclose(directions(Z, A, Z[i]), expected, atol=0.05)


def test_a_direction_holds_the_other_attributes_fixed():
    """Two attributes that go together: regressing on one alone would give 1 + 0.9."""
    rng = numpy.random.default_rng(1)
    a = rng.standard_normal(1000)
    A = numpy.stack([a, 0.9 * a + 0.4 * rng.standard_normal(1000)], axis=1)
    Z = A.sum(axis=1, keepdims=True)
    numpy.testing.assert_allclose(directions(Z, A, Z[0]), [[1], [1]], rtol=1e-8)


def test_the_codes_of_tins_move_as_height_and_width_grow(tins):
    """Decoding a step along a direction changes the tin by as much as its attribute."""
    model, _, _ = tins
    latent = BiscuitTins(2000, numpy.random.default_rng(5), 16).latent
    Z = model.encode(render(latent, 16).reshape(-1, 256))
    here = numpy.array([[0.45, 0.5]])
    z = model.encode(render(here, 16).reshape(1, -1))[0]
    for attribute, move in enumerate(directions(Z, latent, z)):
        step = 0.05 * numpy.eye(2)[attribute]
        aimed = model.encode(render(here + step, 16).reshape(1, -1))[0]
        assert numpy.linalg.norm(z + 0.05 * move - aimed) < 0.3 * numpy.linalg.norm(aimed - z)


# Pushforwards

def test_a_pushforward_can_be_sampled_and_has_no_log_prob():
    p_z = Normal(numpy.zeros(2), numpy.eye(2))
    push = Pushforward(p_z, lambda Z: 3 * Z + 1)
    drawn, Z = (p.sample(5, numpy.random.default_rng(0)) for p in (push, p_z))
    assert (drawn == 3 * Z + 1).all()
    assert not hasattr(push, "log_prob")
    for n, rng, error, message in [(-1, numpy.random.default_rng(0), ValueError, "n must be at"),
                                   (1, 0, TypeError, "rng must be a generator .* got 0")]:
        with pytest.raises(error, match=message):
            push.sample(n, rng)


def test_a_pushforward_says_what_it_is():
    assert repr(Pushforward(Box([0.0], [1.0]), abs)).startswith("Pushforward(p_z=")


def test_the_ends_of_a_walk_may_be_lists_of_whole_numbers_but_not_masked():
    model, _ = small_autoencoder()
    x0, x1 = [1, 0, 2, -1], [0, 1, 1, 3]
    numpy.testing.assert_allclose(interpolate(model, x0, x1, 3), interpolate(
        model, numpy.array(x0, float), numpy.array(x1, float), 3), rtol=1e-13)
    for ends in [(numpy.ma.masked_equal(x0, 2), x1), (x0, numpy.ma.masked_equal(x1, 3))]:
        with pytest.raises(TypeError, match="x[01] is a masked array"):
            interpolate(model, *ends, 3)
    with pytest.raises(ValueError, match=r"x1 must have the shape of x0, \(4,\), got \(3,\)"):
        interpolate(model, x0, x1[:3], 3)


# What is refused

@pytest.mark.parametrize("attributes, z, k, message", [
    (numpy.ones((50, 1)), numpy.zeros(2), 20, "attributes near z must vary independently"),
    (numpy.arange(100).reshape(50, 2), numpy.zeros(2), 20, "than k = 20"),
    (numpy.eye(50)[:, :2], numpy.zeros(2), 2, "than k = 2, or other attributes"),
    (numpy.ones((49, 1)), numpy.zeros(2), 20, r"a row for each of the 50 rows of Z, got shape"),
    (numpy.ones(50), numpy.zeros(2), 20, r"got shape \(50,\)"),
    (numpy.ones((50, 1)), numpy.zeros(3), 20, r"z must be an array of shape \(2,\), got \(3,\)"),
    (numpy.ones((50, 1)), numpy.zeros(2), 51, "k must be at most 50, got 51"),
    (numpy.full((50, 1), math.nan), numpy.zeros(2), 20, "attributes holds nan"),
])
def test_attributes_that_determine_no_direction_are_refused(attributes, z, k, message):
    with pytest.raises(ValueError, match=message):
        directions(numpy.random.default_rng(0).standard_normal((50, 2)), attributes, z, k)


def test_an_attribute_that_varies_by_its_rounding_only_gives_no_direction():
    Z = numpy.random.default_rng(0).standard_normal((50, 2))
    for dtype in ("f4", "f8"):
        for constant in (0.3, 1e8 / 3):
            attributes = numpy.stack([Z[:, 0], numpy.full(50, constant)], axis=1).astype(dtype)
            with pytest.raises(ValueError, match="attributes near z must vary independently"):
                directions(Z.astype(dtype), attributes, numpy.zeros(2, dtype), 20)


# Errata

def test_e24_a_fixed_function_of_random_z_is_random_and_a_constant_one_a_point_mass():
    """A generative model draws z and may do the rest without chance. One that always gives the
    same x0 is a distribution too, all of it on a point: no box of positive volume fits it best, and
    the likelihood of any other x falls to 0 as a density closes in on it."""
    p_z, x0 = Normal(numpy.zeros(1), numpy.eye(1)), numpy.array([1.0, 2.0])
    circle = Pushforward(p_z, lambda Z: numpy.concatenate([numpy.cos(Z), numpy.sin(Z)], axis=1))
    drawn = circle.sample(100, numpy.random.default_rng(0))
    assert len(numpy.unique(drawn, axis=0)) == 100
    assert (drawn == circle.sample(100, numpy.random.default_rng(0))).all()

    same = Pushforward(p_z, lambda Z: numpy.zeros((len(Z), 2)) + x0)
    X = same.sample(100, numpy.random.default_rng(0))
    assert (X == x0).all()
    with pytest.raises(ValueError, match="box of volume 0"):
        BoxFamily(2).mle(X)
    elsewhere = x0 + [[0.1, 0.0]]
    log_p = [float(KernelDensity(X, 10.0**-j).log_prob(elsewhere)[0]) for j in range(1, 6)]
    assert (numpy.diff(log_p) < 0).all() and log_p[-1] < -1e7
    assert Box(x0 - 1e-3, x0 + 1e-3).log_prob(elsewhere).tolist() == [-math.inf]


def test_e24_the_mean_of_two_tins_is_a_tin_in_latent_space_but_not_in_pixels(tins):
    model, _, distance = tins
    latent = numpy.array([[0.25, 0.3], [0.65, 0.7]])
    ends = render(latent, 16).reshape(2, -1).astype("float32")
    in_pixels, = distance(ends.mean(axis=0, keepdims=True))
    in_codes, = distance(model.decode(model.encode(ends).mean(axis=0, keepdims=True)))
    by_truth, = distance(render(latent.mean(axis=0, keepdims=True), 16).reshape(1, -1))
    assert in_pixels > 4 * in_codes and in_pixels > 10 * by_truth
    numpy.testing.assert_allclose(
        interpolate(model, *ends, 3)[1],
        model.decode(model.encode(ends).mean(axis=0, keepdims=True))[0], atol=1e-5)


def test_e38_a_curve_in_the_plane_fills_no_area_so_its_points_have_no_density():
    """The number of cells of side s that it hits grows like 1/s and their area falls like s; the
    area of the cells that a density fills stays what it is."""
    curve = Pushforward(Box([0.0], [1.0]), lambda Z: numpy.concatenate(
        [0.1 + 0.8 * Z, 0.5 + 0.4 * numpy.sin(7 * Z)], axis=1))
    square, space = Box([0.1, 0.1], [0.9, 0.9]), SampleSpace([0.0, 0.0], [1.0, 1.0])

    def areas(X, sides):
        return [len(numpy.unique(space.cell(X, (m, m)))) / m**2 for m in sides]

    X = curve.sample(200_000, numpy.random.default_rng(0))
    thin = numpy.array(areas(X, 2**numpy.arange(3, 11)))
    assert (thin[1:] / thin[:-1] == pytest.approx(0.5, abs=0.1)) and thin[-1] < 0.005
    X = square.sample(200_000, numpy.random.default_rng(0))
    assert areas(X, [10, 20, 50, 100]) == pytest.approx([0.64] * 4, rel=1e-6)


def test_e39_draws_of_a_density_fitted_to_the_codes_decode_to_tins_and_of_a_normal_do_not(tins):
    """The codes are whitened: mean 0 and covariance I. Yet N(0, I) puts some of its mass where no
    tin was encoded, and the worst twentieth of what it decodes to is none: farther from every tin
    than 0.03, root mean square per pixel, where two tins are 0.13 apart. The medians hardly differ:
    what lies near a code decodes well, whatever it is drawn from."""
    model, X, distance = tins
    Z, rng = model.encode(X), numpy.random.default_rng(2)
    numpy.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-3)
    numpy.testing.assert_allclose(Z.T @ Z / len(Z), numpy.eye(2), atol=1e-2)

    family = MixtureFamily(10, 2)
    densities = {
        "assumed": Normal(numpy.zeros(2, "float32"), numpy.eye(2)),
        "mixture": family(maximum_likelihood(family, Z.astype(float), rng, "em")),
        "kernels": KernelDensity(Z, 0.1)}
    codes = {name: p_z.sample(2000, rng).astype("float32") for name, p_z in densities.items()}
    errors = {name: distance(model.decode(z)) for name, z in codes.items()}
    median, worst = ({name: numpy.percentile(e, share) for name, e in errors.items()}
                     for share in (50, 95))
    assert worst["assumed"] > 0.03 > 0.02 > max(worst["mixture"], worst["kernels"])
    assert max(median.values()) < 0.012 and median["assumed"] < 1.2 * median["kernels"]

    from_codes, e = nearest(codes["assumed"], Z)[0][:, 0], errors["assumed"]
    assert numpy.percentile(e[from_codes < 0.2], 95) < 0.02
    assert numpy.median(e[from_codes > 0.3]) > 0.03 and 0.05 < (from_codes > 0.3).mean() < 0.15


def test_e42_ten_facts_tell_1024_people_apart_at_best():
    """Only if each is true of every other person and none is known from the others. Even then, of
    500 people one is alone with his facts with probability (1 - 2^-10)^499 = 0.61; in 20,000
    crowds within 6 standard errors."""
    answers = numpy.array(list(itertools.product([0, 1], repeat=10)))
    assert len(numpy.unique(answers, axis=0)) == 2**10

    def bits(probability):
        p = numpy.where(answers == 1, probability, 1 - probability).prod(axis=1)
        return -(p * numpy.log2(p)).sum()

    assert bits(0.5) == pytest.approx(10, rel=1e-12)
    assert bits(0.1) == pytest.approx(4.69, abs=0.005)              # as few as 26 even answers
    assert len({(fact, *[fact] * 9) for fact in (0, 1)}) == 2       # all ten the same fact

    alone, crowds = (1 - 2**-10)**499, 20_000
    people = numpy.random.default_rng(0).integers(0, 2**10, size=(crowds, 500), dtype=numpy.int16)
    share = (people[:, 1:] != people[:, :1]).all(axis=1).mean()
    assert share == pytest.approx(alone, abs=6 * math.sqrt(alone * (1 - alone) / crowds))
    assert alone == pytest.approx(0.61, abs=0.005)


# Contracts

def test_walks_stay_where_their_ends_are(xp, make_rng):
    model, X = small_autoencoder(make_rng)
    path = interpolate(model, X[0], X[1], 5)
    assert path.shape == (5, 4) and array_module(path) is xp
    numpy.testing.assert_allclose(to_numpy(path[[0, 4]]),
                                  to_numpy(model.decode(model.encode(X[:2]))), rtol=1e-12)


def test_directions_are_found_where_the_codes_are(xp):
    rng = numpy.random.default_rng(0)
    A, B = rng.random((300, 3)), rng.standard_normal((3, 2))
    Z, A = (xp.asarray(a) for a in (A @ B + 5, A))
    found = directions(Z, A, Z[7], k=40)
    assert array_module(found) is xp
    numpy.testing.assert_allclose(to_numpy(found), B, rtol=1e-9, atol=1e-9)


def test_arrays_on_two_devices_are_refused(device):
    X = numpy.random.default_rng(0).random((20, 4))
    with pytest.raises(TypeError):
        directions(X, device.asarray(X)[:, :1], X[0], k=10)
