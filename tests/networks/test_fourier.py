"""Fourier features: waves of given lengths, and their derivative."""

import numpy
import pytest
from gradient import check_gradient

from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.networks.fourier import fourier_features, n_features, wave_vectors
from gdl_numpy.networks.network import Network
from gdl_numpy.numerics.elementary import bounded


def test_the_features_are_the_coordinates_and_sines_and_cosines_along_each_vector():
    rng = numpy.random.default_rng(0)
    X, F = rng.standard_normal((7, 2)), rng.standard_normal((2, 3))
    phi, _ = fourier_features(X, F)
    assert phi.shape == (7, 8)
    for i, x in enumerate(X):
        angles = [x[0] * F[0, j] + x[1] * F[1, j] for j in range(3)]
        expected = [*x, *numpy.sin(angles), *numpy.cos(angles)]
        numpy.testing.assert_allclose(phi[i], expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("max_slope", [None, 2.0])
def test_the_gradient_in_the_points_is_that_of_central_differences(max_slope):
    F = 5 * numpy.random.default_rng(1).standard_normal((3, 4))

    def features(X):
        phi, backward = fourier_features(X, F, max_slope)
        return phi, lambda dphi: (backward(dphi),)

    check_gradient(features, numpy.random.default_rng(0).standard_normal((6, 3)),
                   rng=numpy.random.default_rng(2))


def test_with_a_largest_slope_no_wave_is_steeper_and_long_ones_are_as_they_were():
    F, X = numpy.array([[3.0, 0.6], [4.0, -0.8]]), numpy.random.default_rng(0).random((9, 2))
    (plain, _), (lower, backward) = fourier_features(X, F), fourier_features(X, F, max_slope=2.0)
    numpy.testing.assert_allclose(lower, plain * [1, 1, 0.4, 1, 0.4, 1], rtol=1e-13)
    for part in (2, 4):                                     # |f| = 5, in sine and cosine
        dphi = numpy.zeros((9, 6))
        dphi[:, part] = 1
        assert (numpy.linalg.norm(backward(dphi), axis=1) <= 2).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("max_slope", [1e-30, 1e30])
def test_waves_of_the_least_and_the_largest_slope_are_numbers(max_slope, dtype):
    F, X = numpy.array([[0.0, 3.0]], dtype), numpy.ones((4, 1), dtype)
    phi, _ = fourier_features(X, F, max_slope)
    a = 1 if max_slope > 1 else max_slope / 3
    numpy.testing.assert_allclose(phi[0], [1, 0, a * numpy.sin(3), 1, a * numpy.cos(3)], rtol=1e-5)


@pytest.mark.parametrize("max_slope", [0, -1.0, numpy.inf])
def test_a_largest_slope_that_no_float32_holds_is_refused(max_slope):
    for make in (lambda: fourier_features(numpy.ones((3, 2)), numpy.ones((2, 5)), max_slope),
                 lambda: Network((2, 3), waves=numpy.ones((2, 5)), max_slope=max_slope),
                 lambda: NormalizingFlowFamily(2, 1, (), max_slope=max_slope)):
        with pytest.raises(ValueError, match=r"max_slope must lie in \[1e-30, 1e30\]"):
            make()


def test_a_network_has_the_features_of_its_largest_slope():
    F, X = 5 * numpy.random.default_rng(1).standard_normal((2, 4)), numpy.ones((3, 2))
    plain, lower = (Network((2, 3), waves=F, max_slope=c) for c in (None, 0.5))
    theta = plain.initial_theta(numpy.random.default_rng(0))
    W, b = plain.cut(theta)[0]
    numpy.testing.assert_allclose(lower(theta, X)[0], fourier_features(X, F, 0.5)[0] @ W + b)


def test_a_shift_by_a_wavelength_changes_no_wave():
    F = numpy.array([[2 * numpy.pi, 4 * numpy.pi]])
    X = numpy.random.default_rng(0).random((5, 1))
    a, b = (fourier_features(points, F)[0] for points in (X, X + 1))
    numpy.testing.assert_allclose(a[:, 1:], b[:, 1:], atol=1e-13)


def test_wave_vectors_have_the_spread_of_their_scale():
    n, scales = 4000, (0.5, 3.0, 20.0)
    F = wave_vectors(2, n, scales, numpy.random.default_rng(0))
    assert F.shape == (2, 3 * n)
    for i, scale in enumerate(scales):
        spread = F[:, i * n:(i + 1) * n].std()
        assert abs(spread / scale - 1) < 6 / numpy.sqrt(2 * 2 * n)      # 6 standard errors


@pytest.mark.parametrize("d", [0, 1.5])
def test_a_space_without_dimensions_is_refused(d):
    with pytest.raises((TypeError, ValueError), match="d must be"):
        wave_vectors(d, 3, (1.0,), numpy.random.default_rng(0))


@pytest.mark.parametrize("options, words", [
    ({"n_each": 0}, "n_each must be at least 1"), ({"n_each": 1.5}, "n_each must be a whole"),
    ({"scales": ()}, "scales must be a list of one or more numbers"),
    ({"scales": 2.0}, "scales must be a list"), ({"scales": ("1",)}, "scales must be a number"),
    ({"scales": (-1.0,)}, r"scales must lie in \[0, inf\)"), ({"rng": None}, "rng must be"),
])
def test_a_wrong_number_of_waves_scale_or_generator_is_refused(options, words):
    right = {"d": 2, "n_each": 3, "scales": (1.0,), "rng": numpy.random.default_rng(0)}
    with pytest.raises((TypeError, ValueError), match=words):
        wave_vectors(**right | options)


def test_points_and_wave_vectors_live_in_one_space():
    with pytest.raises(ValueError, match="X has 3 columns; it must lie in R.2"):
        fourier_features(numpy.zeros((4, 3)), numpy.ones((2, 5)))
    with pytest.raises(ValueError, match=r"F must have shape \(d, m\)"):
        fourier_features(numpy.zeros((4, 3)), numpy.ones(3))


def test_without_wave_vectors_the_features_are_the_coordinates():
    X = numpy.random.default_rng(0).random((4, 2))
    phi, backward = fourier_features(X, None)
    dphi = numpy.ones_like(X)
    assert (phi == X).all() and (backward(dphi) == dphi).all()


@pytest.mark.parametrize("function", [fourier_features, bounded])
def test_what_comes_back_unchanged_is_a_copy_that_the_caller_may_change(function):
    X, dphi = numpy.random.default_rng(0).random((2, 4, 2))
    before, cotangent = X.copy(), dphi.copy()
    phi, backward = function(X, None)
    phi += 1
    dX = backward(dphi)
    dX += 1
    assert (X == before).all() and (dphi == cotangent).all() and (dX == cotangent + 1).all()


def test_a_network_keeps_its_own_waves():
    F = numpy.ones((2, 3))
    network = Network((2, 1), waves=F)
    theta, X = network.initial_theta(numpy.random.default_rng(0)), numpy.ones((1, 2))
    y = network(theta, X)[0]
    F[:] = 7
    assert (network(theta, X)[0] == y).all()
    assert n_features(2, None) == 2 and n_features(2, numpy.zeros((2, 3))) == 8


# Contracts

def test_float32_stays_float32(xp, make_rng):
    X = make_rng(0).random((4, 2), dtype="float32")
    for F in (make_rng(1).random((2, 3), dtype="float32"), make_rng(1).random((2, 3))):
        phi, backward = fourier_features(X, F)
        assert phi.dtype == backward(phi).dtype == "float32"


def test_the_squares_of_a_very_long_wave_vector_may_leave_the_range():
    phi, _ = fourier_features([[1.0]], [[1e200]], max_slope=1.0)
    assert (phi == [[1, 0, 0]]).all()
