"""Leading coordinates: a model of k numbers and normal noise are a density on R^d."""

import math

import numpy
import pytest
import stand_in_cupy
from scipy import stats

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.density import Box, Normal
from gdl_numpy.representation.leading_coordinates import InLeadingCoordinates, LeadingCoordinates
from gdl_numpy.representation.principal_components import (
    PrincipalComponents,
    ProbabilisticPCAFamily,
)

every_unit = pytest.mark.parametrize("own_units", [True, False])
VARIANCES = numpy.array([1.0, 2.0, 0.5])                    # of a normal p_z


def data(n=400, d=6, seed=0):
    rng = numpy.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 3


def fitted(own_units=True, X=None):
    """Three coordinates of the data, and the density of a normal one of them."""
    coordinates = LeadingCoordinates.fit(data() if X is None else X, 3, own_units)
    dtype = coordinates.s.dtype
    p_z = Normal(numpy.zeros(3, dtype), numpy.diag(VARIANCES).astype(dtype))
    return coordinates, InLeadingCoordinates(coordinates, p_z)


def covariance(coordinates):
    """U s² diag(VARIANCES) Uᵀ + σ² (I - U Uᵀ)."""
    U = coordinates.axes.components
    return ((U * (coordinates.s**2 * VARIANCES)) @ U.T
            + coordinates.sigma**2 * (numpy.eye(len(U)) - U @ U.T))


# The density

@every_unit
def test_with_a_normal_density_of_coordinates_it_is_a_normal_density(own_units):
    coordinates, p = fitted(own_units)
    expected = stats.multivariate_normal(data().mean(axis=0), covariance(coordinates))
    new = data(seed=1)
    for X in (data(), new):
        numpy.testing.assert_allclose(p.log_prob(X), expected.logpdf(X), rtol=1e-10)


def test_with_standard_normal_coordinates_it_is_the_maximum_of_probabilistic_pca():
    X, family = data(), ProbabilisticPCAFamily(6, 3)
    p = InLeadingCoordinates(LeadingCoordinates.fit(X, 3), Normal(numpy.zeros(3), numpy.eye(3)))
    numpy.testing.assert_allclose(p.log_prob(X), family(family.mle(X)).log_prob(X), rtol=1e-10)


def test_a_bound_of_log_p_z_that_is_1_too_low_gives_one_that_is_1_too_low():
    coordinates, p = fitted()
    low = coordinates.log_prob(data(), lambda Z: p.p_z.log_prob(Z) - 1)
    numpy.testing.assert_allclose(low, p.log_prob(data()) - 1, rtol=1e-12)


def test_with_a_box_of_coordinates_it_is_a_density_too():
    """Its mass is 1: log p = -log of the volume of the box in x, plus the noise's."""
    coordinates, _ = fitted()
    p = InLeadingCoordinates(coordinates, Box(-2 * numpy.ones(3), 2 * numpy.ones(3)))
    x = coordinates.axes.mu[None]
    expected = (-math.log(4**3 * coordinates.s.prod())
                + stats.norm(0, coordinates.sigma).logpdf(0) * 3)
    assert p.log_prob(x) == pytest.approx(expected, rel=1e-12)
    assert p.log_prob(x + 9 * coordinates.s[0] * coordinates.axes.components.T[:1]) == -math.inf


@every_unit
def test_samples_have_its_mean_and_covariance(own_units):
    """n = 100,000, each number within 6 standard errors."""
    coordinates, p = fitted(own_units)
    n, C = 100_000, covariance(coordinates)
    X = p.sample(n, numpy.random.default_rng(1)) - data().mean(axis=0)
    variance = C.diagonal()
    assert X.shape == (n, 6)
    assert (abs(X.mean(axis=0)) < 6 * numpy.sqrt(variance / n)).all()
    assert (abs(X.T @ X / n - C) < 6 * numpy.sqrt((numpy.outer(variance, variance) + C**2)
                                                  / n)).all()


def test_float32_rows_near_the_plane_have_the_density_of_float64():
    rng = numpy.random.default_rng(0)
    Z, eps = rng.standard_normal((500, 1)), rng.standard_normal((500, 3))
    X = (Z * [1, 2, 3] + 1e-2 * eps).astype("f4")
    axes = LeadingCoordinates.fit(X, 1)
    one, two = (LeadingCoordinates(PrincipalComponents(
        *(a.astype(t) for a in (axes.axes.mu, axes.axes.components,
                                axes.axes.explained_variance_ratio))), axes.s.astype(t),
        axes.sigma).log_prob(X.astype(t), Normal(numpy.zeros(1, t), numpy.eye(1, dtype=t)).log_prob)
        for t in ("f4", "f8"))
    numpy.testing.assert_allclose(one, two, atol=3e-3)


# Coordinates

@every_unit
def test_decoding_undoes_encoding_on_the_plane_whatever_the_noise_beside_it(own_units):
    coordinates, _ = fitted(own_units)
    Z = numpy.random.default_rng(1).standard_normal((20, 3))
    X = coordinates.decode(Z, numpy.random.default_rng(2))
    numpy.testing.assert_allclose(coordinates.encode(X), Z, atol=1e-12)
    noise = X - coordinates.axes.decode(Z * coordinates.s)
    assert abs(noise @ coordinates.axes.components).max() < 1e-12 < abs(noise).min()


def test_an_observation_is_the_point_of_the_plane_and_noise_beside_it():
    """x = µ + U (s z) + (I - U Uᵀ) σ ε."""
    coordinates, _ = fitted()
    Z = numpy.random.default_rng(1).standard_normal((20, 3))
    eps, U = numpy.random.default_rng(2).standard_normal((20, 6)), coordinates.axes.components
    expected = (data().mean(axis=0) + (coordinates.s * Z) @ U.T
                + coordinates.sigma * eps @ (numpy.eye(6) - U @ U.T))
    X = coordinates.decode(Z, numpy.random.default_rng(2))
    numpy.testing.assert_allclose(X, expected, rtol=1e-10)


def test_jittered_codes_are_moved_by_the_noise_in_their_units():
    coordinates, _ = fitted()
    Z, eps = numpy.ones((20, 3)), numpy.random.default_rng(2).standard_normal((20, 3))
    found = coordinates.jittered(Z, 0.3, numpy.random.default_rng(2))
    numpy.testing.assert_allclose(found, 1 + 0.3 * eps / coordinates.s, rtol=1e-12)


def test_the_noise_has_as_much_variance_as_the_data_beside_the_plane():
    coordinates, _ = fitted()
    eigenvalues = numpy.linalg.eigvalsh(numpy.cov(data().T, bias=True))
    assert coordinates.sigma**2 == pytest.approx(eigenvalues[:3].mean(), rel=1e-10)


def test_coordinates_have_variance_1_each_in_units_of_their_own_and_on_average_in_a_common_one():
    own, common = (fitted(own_units)[0] for own_units in (True, False))
    numpy.testing.assert_allclose(own.encode(data()).std(axis=0), 1)
    assert (common.encode(data())**2).mean() == pytest.approx(1)
    assert len(set(common.s)) == 1 < len(set(own.s))
    assert LeadingCoordinates.fit(data(), 3).s.tolist() == own.s.tolist()


def test_its_parameters_are_counted():
    """µ, U, s and σ."""
    assert fitted()[0].n_parameters == 6 + 18 + 3 + 1


def test_codes_vary_as_those_of_points_drawn_from_the_cells_of_many_pixels():
    rng = numpy.random.default_rng(0)
    side, x = 1 / 16, rng.random(300)
    coordinates = LeadingCoordinates.fit(rng.standard_normal((50, 300)), 3)
    Z = coordinates.encode(numpy.tile(x, (4000, 1)))
    moved = x + side * (rng.random((4000, 300)) - 0.5)
    noises = (coordinates.jittered(Z, side / math.sqrt(12), rng) - Z,
              coordinates.encode(moved) - Z)
    for noise in noises:
        numpy.testing.assert_allclose(noise.std(axis=0) * coordinates.s, side / math.sqrt(12),
                                      rtol=0.06)
        assert (abs(noise.mean(axis=0)) < 5 * noise.std(axis=0) / math.sqrt(4000)).all()


def test_a_million_float32_rows_have_the_units_of_float64():
    X = numpy.float32([180, 220, 241]) + numpy.random.default_rng(0).standard_normal(
        (10**6, 3), dtype="f4") * numpy.float32([3, 2, 1])
    for own_units in (True, False):
        one, two = (LeadingCoordinates.fit(rows, 2, own_units) for rows in (X, X.astype(float)))
        numpy.testing.assert_allclose(one.s, two.s, rtol=1e-6)
        assert one.sigma == pytest.approx(two.sigma, rel=1e-6)


# Arrays, and what is refused

def test_data_and_codes_are_only_read():
    X = data()
    X.flags.writeable = False
    coordinates, p = fitted(X=X)
    Z = coordinates.encode(X)
    Z.flags.writeable = False
    p.log_prob(X)
    coordinates.decode(Z, numpy.random.default_rng(0))
    coordinates.jittered(Z, 0.1, numpy.random.default_rng(0))
    assert (coordinates.jittered(Z, 0, numpy.random.default_rng(0)) == Z).all()


def test_no_row_and_one_row_and_lists():
    coordinates, p = fitted()
    X, rng = data(), numpy.random.default_rng(0)
    assert p.log_prob(X[:0]).shape == (0,) and p.sample(0, rng).shape == (0, 6)
    assert p.log_prob(X[:1].tolist()) == pytest.approx(p.log_prob(X)[:1], rel=1e-12)
    assert coordinates.encode(X[:0]).shape == (0, 3)


def test_models_say_what_they_are():
    coordinates, p = fitted()
    assert repr(coordinates).startswith("LeadingCoordinates(axes=PrincipalComponents(mu=array of")
    assert repr(p) == f"InLeadingCoordinates(coordinates={coordinates}, p_z={p.p_z})"


@pytest.mark.parametrize("X, k, error, message", [
    (data(), 0, ValueError, "k must be at least 1, got 0"),
    (data(), 6, ValueError, "k must be at most 5, got 6"),
    (data(n=3), 4, ValueError, "k must be at most 3, got 4"),
    (data(), 1.5, TypeError, "k must be a whole number, got 1.5"),
    (data(d=2) @ numpy.eye(2, 5), 2, ValueError, "X lies in a plane of 2 dimensions or fewer"),
    (data(n=3), 2, ValueError, "X lies in a plane of 2 dimensions or fewer"),
    (numpy.ones((9, 3)), 1, ValueError, "X must vary, but its 9 rows are all equal"),
    (numpy.zeros((0, 3)), 1, ValueError, "X is empty"),
])
def test_data_with_nothing_beside_the_plane_are_refused(X, k, error, message):
    with pytest.raises(error, match=message):
        LeadingCoordinates.fit(X, k)


def test_wrong_observations_codes_and_noises_are_refused():
    coordinates, p = fitted()
    rng, Z = numpy.random.default_rng(0), numpy.zeros((2, 3))
    for call, error, message in [
            (lambda: p.log_prob(numpy.ones((2, 5))), ValueError, "X has 5 columns"),
            (lambda: p.log_prob([[math.nan] * 6]), ValueError, "X holds nan"),
            (lambda: coordinates.encode(numpy.ones((2, 5))), ValueError, "X has 5 columns"),
            (lambda: coordinates.decode(numpy.ones((2, 5)), rng), ValueError, "Z has 5 columns"),
            (lambda: coordinates.decode(Z, 0), TypeError, "rng must be a generator .* got 0"),
            (lambda: coordinates.jittered(Z[:, 1:], 1, rng), ValueError, "Z has 2 columns"),
            (lambda: coordinates.jittered(Z, -1, rng), ValueError, "noise must lie in .* got -1"),
            (lambda: coordinates.jittered(Z, 1, 0), TypeError, "rng must be a generator .* got 0"),
            (lambda: p.sample(-1, rng), ValueError, "n must be at least 0, got -1"),
            (lambda: p.sample(1, 0), TypeError, "rng must be a generator .* got 0"),
            (lambda: LeadingCoordinates(coordinates.axes, coordinates.s, 0), ValueError,
             r"sigma must lie in \(0, inf\), got 0"),
            (lambda: LeadingCoordinates(coordinates.axes, coordinates.s[:2], 1), ValueError,
             r"s must be an array of shape \(3,\), got \(2,\)"),
            (lambda: LeadingCoordinates(coordinates.axes, [1.0, 0.0, 2.0], 1), ValueError,
             "s must be positive, got 0.0"),
            (lambda: LeadingCoordinates(coordinates.axes, [1.0, math.nan, 2.0], 1), ValueError,
             "s holds nan")]:
        with pytest.raises(error, match=message):
            call()


# Contracts

@every_unit
@pytest.mark.parametrize("dtype, rtol", [("float32", 1e-3), ("float64", 1e-9)])
def test_all_stays_where_the_data_are_and_in_their_precision(xp, make_rng, own_units, dtype, rtol):
    coordinates, p = fitted(own_units)
    X = xp.asarray(data().astype(dtype))
    moved = LeadingCoordinates.fit(X, 3, own_units)
    p_z = Normal(xp.zeros(3, dtype=dtype), xp.asarray(numpy.diag(VARIANCES).astype(dtype)))
    q = InLeadingCoordinates(moved, p_z)
    for found, expected in [(q.log_prob(X), p.log_prob(data())), (moved.s, coordinates.s)]:
        assert array_module(found) is xp and found.dtype == dtype
        numpy.testing.assert_allclose(to_numpy(found), expected, rtol=rtol)
    assert moved.sigma == pytest.approx(coordinates.sigma, rel=rtol)
    Z = moved.encode(X)
    for array in (Z, moved.decode(Z, make_rng(0)), q.sample(3, make_rng(0)),
                  moved.jittered(Z, 0.1, make_rng(0))):
        assert array_module(array) is xp and array.dtype == dtype
    assert to_numpy(q.sample(3, make_rng(0)) == q.sample(3, make_rng(0))).all()


def test_jittering_never_waits_for_the_device(device):
    coordinates = LeadingCoordinates.fit(device.asarray(data()), 3)
    Z, rng = coordinates.encode(device.asarray(data())), device.random.default_rng(0)
    with stand_in_cupy.counted() as n:
        coordinates.jittered(Z, 0.1, rng)
    assert n.waits == 0


def test_arrays_on_two_devices_are_refused(device):
    coordinates, p = fitted()
    X, rng = device.asarray(data()), device.random.default_rng(0)
    for call in (lambda: p.log_prob(X), lambda: coordinates.encode(X),
                 lambda: coordinates.decode(X[:, :3], rng),
                 lambda: coordinates.decode(numpy.zeros((2, 3)), rng),
                 lambda: coordinates.jittered(X[:, :3], 0.1, rng)):
        with pytest.raises(TypeError):
            call()
