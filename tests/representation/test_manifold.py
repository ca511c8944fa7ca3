"""Manifold: how many dimensions it has, and whether codes are coordinates of it."""

import math

import numpy
import pytest
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsRegressor

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.representation.manifold import (
    determination,
    intrinsic_dimension,
    neighbor_regression,
)


def rotation(rng, d):
    return numpy.linalg.qr(rng.standard_normal((d, d)))[0]


def flat(U, rng):
    """Rows of U turned into R^20."""
    return numpy.pad(U, ((0, 0), (0, 20 - U.shape[1]))) @ rotation(rng, 20)


def bent(U, rng):
    """Rows of U on a smooth surface in R^20 that is not a plane."""
    return numpy.concatenate([U, numpy.sin(2 * U @ rng.standard_normal((U.shape[1],
                                                                        20 - U.shape[1])))], axis=1)


def standard_error(k, n):
    """Of k̂ from n rows; k/√n, that of independent ratios, is too small."""
    return 1.25 * k / math.sqrt(n)


# The number of dimensions

@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_standard_error_is_a_quarter_larger_than_that_of_independent_ratios(k):
    """Measured on 400 flat tori, cubes without edges: the product of k circles lies in R^2k, and
    small distances on it are those of the cube. A standard deviation of 400 numbers is known to
    3.5 %; the mean is k within 5 standard errors."""
    n, rng, found = 200, numpy.random.default_rng(k), []
    for _ in range(400):
        t = 2 * math.pi * rng.random((n, k))
        found.append(intrinsic_dimension(numpy.concatenate([numpy.cos(t), numpy.sin(t)], axis=1)))
    assert numpy.std(found) == pytest.approx(standard_error(k, n), rel=0.12)
    assert numpy.std(found) > 1.1 * k / math.sqrt(n)
    bias = 0.02 * k                                         # circles are not straight
    assert abs(numpy.mean(found) - k) < 5 * standard_error(k, n) / 20 + bias


@pytest.mark.parametrize("embed", [flat, bent])
@pytest.mark.parametrize("k, bias", [(1, 0), (2, 0.03), (3, 0.15), (5, 0.5)])
def test_a_cube_of_k_dimensions_in_a_space_of_20_has_k_dimensions(k, bias, embed):
    """Within 4 standard errors for three seeds, and the bias that a cube has because a
    point near its border finds its second neighbor farther off than it should."""
    n = 2000
    for seed in range(3):
        rng = numpy.random.default_rng(seed)
        found = intrinsic_dimension(embed(rng.random((n, k)), rng))
        assert isinstance(found, float)
        assert -4 * standard_error(k, n) - bias < found - k < 4 * standard_error(k, n)


def test_the_estimate_is_n_minus_1_over_the_sum_of_the_logarithms_of_the_ratios():
    """Of 0, 1, 3, 7 on a line: the ratios are 3, 2, 3/2 (3 - 1 = 2, 3) and 6/4."""
    expected = 3 / math.log(3 * 2 * 1.5 * 1.5)
    assert intrinsic_dimension([[0.0], [1.0], [3.0], [7.0]]) == pytest.approx(expected, rel=1e-12)


def test_the_estimate_does_not_depend_on_the_density_of_the_points():
    rng = numpy.random.default_rng(0)
    for U in (rng.standard_normal((2000, 2)), rng.exponential(size=(2000, 2)), rng.beta(
            3, 1, size=(2000, 2))):
        assert intrinsic_dimension(U) == pytest.approx(2, abs=4 * standard_error(2, 2000))


def test_turning_shifting_and_scaling_change_nothing():
    rng = numpy.random.default_rng(1)
    X = bent(rng.random((500, 2)), rng)
    expected = intrinsic_dimension(X)
    for other in (X @ rotation(rng, 20), X + 30 * rng.standard_normal(20), 1e-6 * X, 1e6 * X,
                  X[rng.permutation(500)], X[:, ::-1]):
        assert intrinsic_dimension(other.copy()) == pytest.approx(expected, rel=1e-8)


def test_noise_of_the_size_of_the_distances_has_all_the_dimensions_of_the_space():
    rng = numpy.random.default_rng(2)
    U = numpy.pad(rng.random((2000, 1)), ((0, 0), (0, 2)))
    noise = rng.standard_normal((2000, 3))
    assert abs(intrinsic_dimension(U + 1e-7 * noise) - 1) < 4 * standard_error(1, 2000)
    assert intrinsic_dimension(U + 0.1 * noise) > 2.5


def test_single_precision_finds_the_same_dimension():
    rng = numpy.random.default_rng(3)
    X = flat(rng.random((1000, 2)), rng)
    assert intrinsic_dimension(X.astype("float32")) == pytest.approx(intrinsic_dimension(X),
                                                                     rel=1e-3)


@pytest.mark.parametrize("X, message", [
    ([[0.0, 1.0], [2.0, 3.0]], "X must have at least 3 rows, got 2"),
    ([[0.0], [1.0], [1.0], [3.0]], "X must not hold equal rows, got 2 that are not alone"),
    ([[0.0, 0.0]] * 5, "X must not hold equal rows, got 5 that are not alone"),
    ([[x, y] for x in range(5) for y in range(5)], "X lies on a lattice"),
    ([[0.0], [math.nan], [1.0]], "X holds nan"),
    ([1.0, 2.0, 3.0], "X must have shape"),
    (numpy.zeros((0, 2)), "X is empty"),
])
def test_data_without_a_dimension_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        intrinsic_dimension(X)


# Regression on the nearest codes

@pytest.mark.parametrize("k", [1, 10, 200])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_regression_is_the_mean_over_the_nearest_codes(d, k):
    rng = numpy.random.default_rng(0)
    Z, U, Q = rng.standard_normal((200, d)), rng.standard_normal((200, 3)), rng.random((50, d))
    U_hat = neighbor_regression(Z, U, Q, k)
    assert U_hat.shape == (50, 3)
    expected = KNeighborsRegressor(k).fit(Z, U).predict(Q)
    numpy.testing.assert_allclose(U_hat, expected, rtol=1e-12, atol=1e-14)


def test_regression_follows_the_dtype_of_the_codes():
    rng = numpy.random.default_rng(0)
    Z, U = rng.standard_normal((50, 2)).astype("float32"), rng.standard_normal((50, 1))
    assert neighbor_regression(Z, U, Z).dtype == numpy.float32


def test_the_mean_over_many_float32_neighbors_is_added_in_float64():
    """300,000 rows near 241, added one after the other in float32, gave a mean 0.24 too small."""
    U = 241 + numpy.random.default_rng(0).standard_normal((300_000, 2), dtype="f4")
    Z = numpy.zeros((len(U), 1), numpy.float32)
    U_hat = neighbor_regression(Z, U, Z[:1], k=len(U))
    assert U_hat.dtype == numpy.float32
    numpy.testing.assert_allclose(U_hat, U.mean(axis=0, dtype=float)[None], rtol=1e-7)


def test_codes_that_are_coordinates_determine_the_others_and_noise_does_not():
    rng = numpy.random.default_rng(0)
    U, Q = rng.random((3000, 2)), rng.random((300, 2))

    def codes(U):
        return numpy.stack([numpy.exp(U[:, 0]) + U[:, 1], U[:, 1]**3 + U[:, 1] - U[:, 0]], axis=1)

    assert (determination(Q, neighbor_regression(codes(U), U, codes(Q))) > 0.99).all()
    noise = neighbor_regression(rng.random((3000, 2)), U, codes(Q))
    assert (determination(Q, noise) < 0.1).all()


# R²

@pytest.mark.parametrize("c", [1, 3])
def test_r_squared_is_that_of_scikit_learn(c):
    rng = numpy.random.default_rng(0)
    U, noise = rng.standard_normal((100, c)) + 5, rng.standard_normal((100, c))
    for size in (0.1, 1, 3):
        R2 = determination(U, U + size * noise)
        assert R2.shape == (c,)
        expected = r2_score(U, U + size * noise, multioutput="raw_values")
        numpy.testing.assert_allclose(R2, expected, rtol=1e-12)


def test_a_constant_prediction_of_many_float32_rows_explains_nothing():
    """R² = -(mean - 180)²/variance, about -10⁻⁹; 1,000,000 rows, added naively, gave far more."""
    U = numpy.float32(180) + numpy.random.default_rng(0).standard_normal((10**6, 2), dtype="f4")
    R2, right = determination(U, numpy.full_like(U, 180)), U.astype(float)
    assert R2.dtype == numpy.float32
    numpy.testing.assert_allclose(R2, -(right.mean(axis=0) - 180)**2 / right.var(axis=0), atol=1e-6)


@pytest.mark.parametrize("dtype, unit", [("f4", 1e-30), ("f4", 1e-23), ("f4", 1e19), ("f4", 1e30),
                                         ("f8", 1e-140), ("f8", 1e140)])
def test_r_squared_is_the_same_in_every_unit(dtype, unit):
    rng = numpy.random.default_rng(0)
    U = rng.standard_normal((100, 2))
    U_hat = U + 0.3 * rng.standard_normal((100, 2))
    R2 = determination((U * unit).astype(dtype), (U_hat * unit).astype(dtype))
    assert R2.dtype == dtype
    numpy.testing.assert_allclose(R2, determination(U, U_hat), rtol=1e-5)


def test_regression_at_many_queries_is_computed_in_blocks():
    rng = numpy.random.default_rng(0)
    Z, U, Q = rng.random((50, 2)), rng.random((50, 1)), rng.random((9000, 2))
    expected = numpy.concatenate([neighbor_regression(Z, U, Q[i:i + 100]) for i in range(
        0, 9000, 100)])
    numpy.testing.assert_allclose(neighbor_regression(Z, U, Q), expected, rtol=1e-13)
    assert neighbor_regression(Z, U, Q[:0]).shape == (0, 1)


def test_whole_numbers_are_numbers_like_others():
    rng = numpy.random.default_rng(0)
    Z, U = rng.integers(0, 100, (50, 2)), rng.integers(0, 9, (50, 1))
    Q = rng.random((5, 2)) * 100
    assert (neighbor_regression(Z, U, Q) == neighbor_regression(
        Z.astype(float), U.astype(float), Q)).all()
    assert determination(U, U + 0.5) == pytest.approx(1 - 0.25 / U.var())


def test_r_squared_of_the_truth_is_1_and_of_the_mean_0():
    U = numpy.random.default_rng(0).standard_normal((100, 2))
    assert determination(U, U).tolist() == [1, 1]
    mean = numpy.zeros_like(U) + U.mean(axis=0)
    assert determination(U, mean).tolist() == pytest.approx([0, 0], abs=1e-15)


# Arrays, and what is refused

def test_data_are_only_read():
    rng = numpy.random.default_rng(0)
    Z, U, Q = rng.random((50, 2)), rng.random((50, 1)), rng.random((5, 2))
    for array in (Z, U, Q):
        array.flags.writeable = False
    intrinsic_dimension(Z)
    determination(U[:5], neighbor_regression(Z, U, Q))


@pytest.mark.parametrize("U, Q, k, error, message", [
    (numpy.ones((9, 1)), numpy.ones((2, 2)), 1, ValueError, r"U must have a row for each of the "
                                                            r"10 rows of Z, got shape \(9, 1\)"),
    (numpy.ones(10), numpy.ones((2, 2)), 1, ValueError, r"got shape \(10,\)"),
    (numpy.ones((10, 1)), numpy.ones((2, 3)), 1, ValueError, "Q has 3 columns"),
    (numpy.ones((10, 1)), numpy.ones((2, 2)), 11, ValueError, "k must be at most 10, got 11"),
    (numpy.ones((10, 1)), numpy.ones((2, 2)), 0, ValueError, "k must be at least 1, got 0"),
    (numpy.full((10, 1), math.inf), numpy.ones((2, 2)), 1, ValueError, "U holds inf"),
])
def test_wrong_arguments_of_the_regression_are_refused(U, Q, k, error, message):
    with pytest.raises(error, match=message):
        neighbor_regression(numpy.arange(20.0).reshape(10, 2), U, Q, k)


@pytest.mark.parametrize("U, U_hat, message", [
    (numpy.eye(3), numpy.eye(3)[:2], r"U_hat must have the shape of U, \(3, 3\), got \(2, 3\)"),
    (numpy.ones((5, 1)), numpy.ones((5, 1)), "U must vary in every column"),
    (numpy.stack([numpy.arange(999), numpy.full(999, 0.1)], axis=1), numpy.zeros((999, 2)),
     "U must vary in every column"),
    (numpy.full((500, 1), 0.3, "float32"), numpy.zeros((500, 1)), "U must vary in every column"),
    (numpy.zeros((0, 1)), numpy.zeros((0, 1)), "U is empty"),
    (numpy.eye(2), numpy.full((2, 2), math.nan), "U_hat holds nan"),
])
def test_wrong_arguments_of_r_squared_are_refused(U, U_hat, message):
    with pytest.raises(ValueError, match=message):
        determination(U, U_hat)


# Contracts

def test_a_device_computes_what_numpy_does(xp):
    rng = numpy.random.default_rng(0)
    host = rng.standard_normal((200, 2)), rng.standard_normal((200, 3)), rng.random((200, 2))
    Z, U, Q = (xp.asarray(a) for a in host)
    U_hat = neighbor_regression(Z, U, Q)
    R2 = determination(U, U_hat)
    assert array_module(U_hat) is array_module(R2) is xp
    expected = neighbor_regression(*host)
    numpy.testing.assert_allclose(to_numpy(U_hat), expected, rtol=1e-12, atol=1e-14)
    numpy.testing.assert_allclose(to_numpy(R2), determination(host[1], expected), rtol=1e-12)
    found = intrinsic_dimension(Z)
    assert isinstance(found, float) and found == pytest.approx(intrinsic_dimension(host[0]))


def test_arrays_on_two_devices_are_refused(device):
    X = numpy.random.default_rng(0).random((20, 2))
    on_device = device.asarray(X)
    for arguments in ((on_device, X, X), (X, on_device, X), (X, X, on_device)):
        with pytest.raises(TypeError):
            neighbor_regression(*arguments)
    for pair in ((X, on_device), (on_device, X)):
        with pytest.raises(TypeError):
            determination(*pair)
