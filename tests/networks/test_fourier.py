"""Fourier features: waves of given lengths, and their derivative."""

import numpy
import pytest
from gradient import check_gradient

from gdl_numpy.networks.fourier import fourier_features, n_features, wave_vectors
from gdl_numpy.networks.network import checked_wave_vectors, fourier_network, initial_theta, mlp
from gdl_numpy.numerics.backend import array_module, to_numpy


def test_the_features_are_the_coordinates_and_sines_and_cosines_along_each_vector(xp, make_rng):
    X, F = make_rng(0).standard_normal((7, 2)), make_rng(1).standard_normal((2, 3))
    phi, _ = fourier_features(X, F)
    assert phi.shape == (7, 8) and array_module(phi) is xp
    X, F, phi = map(to_numpy, (X, F, phi))
    for i, x in enumerate(X):
        angles = [x[0] * F[0, j] + x[1] * F[1, j] for j in range(3)]
        expected = [*x, *numpy.sin(angles), *numpy.cos(angles)]
        numpy.testing.assert_allclose(phi[i], expected, rtol=1e-13, atol=1e-13)


def test_the_gradient_in_the_points_is_that_of_central_differences(xp, make_rng):
    F = 5 * make_rng(1).standard_normal((3, 4))

    def features(X):
        phi, backward = fourier_features(X, F)
        return phi, lambda dphi: (backward(dphi),)

    check_gradient(features, make_rng(0).standard_normal((6, 3)), rng=make_rng(2))


def test_a_shift_by_a_wavelength_changes_no_wave(make_rng, xp):
    F = xp.asarray([[2 * numpy.pi, 4 * numpy.pi]])
    X = make_rng(0).random((5, 1))
    a, b = (to_numpy(fourier_features(points, F)[0]) for points in (X, X + 1))
    numpy.testing.assert_allclose(a[:, 1:], b[:, 1:], atol=1e-13)


def test_wave_vectors_have_the_spread_of_their_scale(xp, make_rng):
    n, scales = 4000, (0.5, 3.0, 20.0)
    F = to_numpy(wave_vectors(2, n, scales, make_rng(0)))
    assert F.shape == (2, 3 * n)
    for i, scale in enumerate(scales):
        spread = F[:, i * n:(i + 1) * n].std()
        assert abs(spread / scale - 1) < 6 / numpy.sqrt(2 * 2 * n)      # 6 standard errors


def test_float32_stays_float32(xp, make_rng):
    X = make_rng(0).random((4, 2), dtype="float32")
    F = make_rng(1).random((2, 3), dtype="float32")
    phi, backward = fourier_features(X, F)
    assert phi.dtype == backward(phi).dtype == "float32"


@pytest.mark.parametrize("d", [0, 1.5])
def test_a_space_without_dimensions_is_refused(d):
    with pytest.raises((TypeError, ValueError), match="d must be"):
        wave_vectors(d, 3, (1.0,), numpy.random.default_rng(0))


def test_without_wave_vectors_the_features_are_the_coordinates(xp, make_rng):
    X = make_rng(0).random((4, 2))
    phi, backward = fourier_features(X, None)
    assert phi is X and backward(phi) is phi
    assert checked_wave_vectors(None, 2) is None and n_features(2, None) == 2


def test_wave_vectors_are_checked_and_take_the_precision_of_the_points(xp, make_rng):
    F = checked_wave_vectors(make_rng(0).random((2, 3)), 2)
    assert n_features(2, F) == 8
    assert fourier_features(make_rng(1).random((4, 2), dtype="float32"), F)[0].dtype == "float32"
    with pytest.raises(ValueError, match=r"waves must have shape \(3, m\), got shape \(2, 3\)"):
        checked_wave_vectors(F, 3, "waves")


@pytest.mark.parametrize("m", [None, 3])
def test_a_network_of_fourier_features_is_the_network_after_the_features(xp, make_rng, m):
    rng = make_rng(0)
    F = None if m is None else rng.random((2, m))
    sizes, X = (n_features(2, F), 5, 3), rng.random((4, 2))
    theta = initial_theta(sizes, rng)
    Y, backward = fourier_network(theta, X, F, sizes, "tanh")
    assert to_numpy(Y == mlp(theta, fourier_features(X, F)[0], sizes)[0]).all()
    check_gradient(lambda theta, X: fourier_network(theta, X, F, sizes, "tanh"), theta, X,
                   rng=make_rng(1))
    dtheta, dX = backward(Y)
    assert to_numpy(backward(Y, inputs=False)[0] == dtheta).all()
    assert to_numpy(backward(Y, parameters=False)[1] == dX).all()
    assert backward(Y, False)[1] is None and backward(Y, True, False)[0] is None
