"""Normal families: θ and Σ = L Lᵀ, mixtures of them, and the normal estimated from data."""

import math

import numpy
import pytest
from gradient import check_gradient

from gdl_numpy.numerics.backend import to_numpy
from gdl_numpy.probability.density import Mixture, Normal
from gdl_numpy.probability.divergence import total_mass
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace


def test_theta_of_a_normal_is_mu_then_the_log_diagonal_then_the_rest_of_L():
    p = NormalFamily(2)(numpy.array([5.0, 6.0, math.log(2), math.log(3), 7.0]))
    assert p.mu.tolist() == [5, 6]
    numpy.testing.assert_allclose(p.L, [[2, 0], [7, 3]], rtol=1e-15)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_mu_and_L_of_a_normal_give_back_its_theta(d):
    family = NormalFamily(d)
    theta = numpy.random.default_rng(d).standard_normal(family.n_parameters)
    p = family(theta)
    assert isinstance(p, Normal) and (p.mu == theta[:d]).all()
    numpy.testing.assert_allclose(family.theta(p.mu, p.L), theta, rtol=1e-14)


def test_weights_mu_and_L_of_a_mixture_give_back_its_theta_up_to_a_constant_in_the_logits():
    family = MixtureFamily(3, 2)
    theta = numpy.random.default_rng(0).standard_normal(family.n_parameters)
    p = family(theta)
    assert isinstance(p, Mixture)
    again = family.theta(p.weights, numpy.stack([q.mu for q in p.components]),
                         numpy.stack([q.L for q in p.components]))
    difference = again - theta
    numpy.testing.assert_allclose(difference[:3], difference[0], rtol=1e-13)
    numpy.testing.assert_allclose(difference[3:], 0, atol=1e-14)


@pytest.mark.parametrize("family", [NormalFamily(1), MixtureFamily(3, 1)])
def test_every_theta_gives_a_density_of_mass_1(family):
    for seed in range(3):
        p = family(numpy.random.default_rng(seed).standard_normal(family.n_parameters))
        wide = SampleSpace([-120.0], [120.0])
        assert float(total_mass(p, wide, (40_000,))) == pytest.approx(1, abs=1e-9)


def test_a_mixture_loses_no_digits_to_a_component_far_away():
    family = MixtureFamily(2, 1)
    mu = numpy.array([[1e6], [0.0]])
    theta = family.theta(numpy.array([0.5, 0.5]), mu, numpy.ones((2, 1, 1)))
    value, _ = family.log_prob(theta, [[1.0]])
    assert float(value[0]) == pytest.approx(-0.5 - math.log(2) - 0.5 * math.log(2 * math.pi),
                                            rel=1e-15)


@pytest.mark.parametrize("family", [NormalFamily(1), NormalFamily(3), MixtureFamily(3, 2)])
def test_the_gradient_of_log_p_in_theta_is_that_of_central_differences(family):
    rng = numpy.random.default_rng(0)
    theta, X = rng.standard_normal(family.n_parameters), 3 * rng.standard_normal((50, family.d))
    numpy.testing.assert_allclose(family.log_prob(theta, X)[0], family(theta).log_prob(X),
                                  rtol=1e-12)
    check_gradient(lambda theta: family.log_prob(theta, X), theta, rng=rng)


def test_a_mixture_starts_with_equal_weights_unit_covariances_and_random_means():
    family = MixtureFamily(400, 2)
    p = family(family.initial_theta(numpy.random.default_rng(1)))
    assert p.weights == pytest.approx([1 / 400] * 400, rel=1e-12)
    assert all((q.covariance == numpy.eye(2)).all() for q in p.components)
    means = numpy.array([q.mu for q in p.components])
    assert means.mean() == pytest.approx(0, abs=0.2) and means.std() == pytest.approx(1, abs=0.2)


# Estimates in closed form

@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_estimated_normal_has_the_mean_and_covariance_of_the_data(d):
    X = numpy.random.default_rng(d).standard_normal((500, d)) @ numpy.tri(d) + 3
    p = NormalFamily(d)(NormalFamily(d).mle(X))
    numpy.testing.assert_allclose(p.mu, X.mean(axis=0), rtol=5e-15)
    S = numpy.atleast_2d(numpy.cov(X.T, ddof=0))
    numpy.testing.assert_allclose(p.covariance, S, rtol=5e-15, atol=5e-15 * S.max())


def test_the_estimated_normal_is_right_where_the_mean_is_1e8_and_the_variance_1():
    X = numpy.random.default_rng(0).standard_normal((1000, 2)) + [1e8, -1e8]
    p = NormalFamily(2)(NormalFamily(2).mle(X))
    X = X.astype(numpy.longdouble)                          # the twin has more digits
    centered = X - X.mean(axis=0)
    numpy.testing.assert_allclose(p.mu, X.mean(axis=0).astype(float), rtol=5e-16)
    S = (centered.T @ centered / 1000).astype(float)
    numpy.testing.assert_allclose(p.covariance, S, rtol=5e-15, atol=5e-15)


def test_the_estimated_normal_moves_and_stretches_with_the_data():
    X, b = numpy.random.default_rng(3).standard_normal((60, 2)) + 1, numpy.array([-100.0, 7.0])
    A = numpy.array([[2.0, -1.0], [0.5, 3.0]])
    p, q = (NormalFamily(2)(NormalFamily(2).mle(data)) for data in (X, X @ A.T + b))
    numpy.testing.assert_allclose(q.mu, A @ p.mu + b, rtol=1e-13)
    numpy.testing.assert_allclose(q.covariance, A @ p.covariance @ A.T, rtol=1e-12)


def test_a_theta_of_whole_numbers_does_not_round_the_data():
    X = numpy.array([[0.5], [-0.5]])
    for family in (NormalFamily(1), MixtureFamily(2, 1)):
        n = family.n_parameters
        log_p, backward = family.log_prob(numpy.zeros(n, dtype=int), X)
        same, back = family.log_prob(numpy.zeros(n), X)
        assert (log_p == same).all() and (backward(log_p) == back(same)).all()


@pytest.mark.parametrize("log_sigma, right", [
    (800.0, -800.0), (-800.0, -math.inf), (300.0, -300.0)])
def test_extreme_standard_deviations_give_limits_and_no_warnings(log_sigma, right):
    log_p, _ = NormalFamily(1).log_prob(numpy.array([0.0, log_sigma]), [[1.0]])
    assert log_p == pytest.approx([right - 0.5 * math.log(2 * math.pi)])
    log_p, _ = NormalFamily(1).log_prob(numpy.array([1.0, log_sigma]), [[1.0]])
    assert log_p == pytest.approx([-log_sigma - 0.5 * math.log(2 * math.pi)])


@pytest.mark.parametrize("log_sigma", [800.0, -800.0])
def test_a_density_without_a_standard_deviation_in_floating_point_is_refused_in_words(log_sigma):
    for family, theta in ((NormalFamily(1), [0.0, log_sigma]),
                          (MixtureFamily(1, 1), [0, 0, log_sigma])):
        with pytest.raises(ValueError, match="the logarithms of the diagonal of L must lie in"):
            family(theta)


@pytest.mark.parametrize("dtype, far", [("f4", 3e38), ("f8", 1e308)])
@pytest.mark.parametrize("K", [1, 2])
def test_log_p_is_never_nan_for_finite_rows_and_parameters(K, dtype, far):
    """It is -inf where |u|² is beyond the largest number, also where u itself is inf - inf."""
    X = numpy.array([[far, -far], [-far, -far], [far, far], [0, 0]], dtype)
    for theta in ([far, far, 0, 0, 0], [0, 0, 0, 0, far], [0, 0, -50, -50, 1], [0, 0, 80, -80, 1],
                  [-far, far, -85, -85, 1], [far, 0, 80, 80, -far], [0, 0, -far, -far, 0]):
        theta = numpy.array(theta, dtype)
        family = NormalFamily(2) if K == 1 else MixtureFamily(2, 2)
        if K == 2:
            theta = numpy.concatenate([[0, 0], theta, numpy.zeros(5)]).astype(dtype)
        log_p = family.log_prob(theta, X)[0]
        assert not numpy.isnan(log_p).any()
        assert log_p.dtype == dtype and (K == 1 or log_p[3] > -math.inf)


def test_a_component_infinitely_far_away_adds_nothing_to_the_gradient_of_a_mixture():
    family, X = MixtureFamily(2, 2), numpy.array([[0.5, 1.0], [0.0, -1.0]])
    near = numpy.zeros(5)
    theta = numpy.concatenate([[0, 0], near, [1e300, -1e300, 0, 0, 1]])
    log_p, backward = family.log_prob(theta, X)
    expected, backward_alone = NormalFamily(2).log_prob(near, X)
    numpy.testing.assert_allclose(log_p, expected - math.log(2), rtol=1e-14)
    dtheta = backward(numpy.array([1.0, 2.0]))
    numpy.testing.assert_allclose(dtheta[2:7], backward_alone(numpy.array([1.0, 2.0])), rtol=1e-14)
    assert (dtheta[7:] == 0).all()


def test_what_is_not_a_number_stays_so():
    log_p, _ = NormalFamily(1).log_prob(numpy.zeros(2), numpy.array([[math.nan], [0.0]]))
    assert numpy.isnan(log_p).tolist() == [True, False]


def test_the_estimate_from_millions_of_float32_rows_is_that_from_float64_rows():
    rng = numpy.random.default_rng(0)
    X = numpy.float32([180, 241]) + rng.standard_normal((1_000_000, 2), dtype=numpy.float32)
    theta = NormalFamily(2).mle(X)
    assert theta.dtype == numpy.float32
    numpy.testing.assert_allclose(theta, NormalFamily(2).mle(X.astype(float)), rtol=1e-5, atol=1e-5)


def test_a_column_that_varies_by_rounding_only_has_no_estimate():
    X = numpy.stack([numpy.arange(500.0), 0.3 + numpy.arange(500) % 2 * 2.0**-54], axis=1)
    for estimate in (NormalFamily(2).mle, lambda X: maximum_likelihood(
            MixtureFamily(2, 2), X, numpy.random.default_rng(0))):
        with pytest.raises(ValueError, match="X must vary in every column"):
            estimate(X)


@pytest.mark.parametrize("mu, L, words", [
    (numpy.zeros(3), numpy.eye(3), r"mu must have shape \(2,\)"),
    (numpy.zeros(2), -numpy.eye(2), "L must be lower triangular with a positive diagonal"),
    (numpy.zeros(2), numpy.eye(3), "got shapes")])
def test_a_wrong_mean_or_factor_is_refused(mu, L, words):
    with pytest.raises(ValueError, match=words):
        NormalFamily(2).theta(mu, L)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_start_has_the_precision_that_is_asked_for(dtype):
    for family in (NormalFamily(2), MixtureFamily(3, 2)):
        assert family.initial_theta(numpy.random.default_rng(0), dtype).dtype == dtype


# Data that have no estimate, and refusals

@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("slope", [1.0, -math.pi, 1e-4, 1e5])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_collinear_rows_have_an_estimated_box_and_no_estimated_normal(dtype, slope, offset):
    x = numpy.random.default_rng(0).standard_normal(50)
    X = numpy.stack([x, slope * (x + offset)], axis=1).astype(dtype)
    with pytest.raises(ValueError, match="singular covariance, so its likelihood has no maximum"):
        NormalFamily(2).mle(X)
    assert BoxFamily(2)(BoxFamily(2).mle(X)).space.contains(X).all()


@pytest.mark.parametrize("n", [2, 3, 4, 100])
def test_rows_in_a_plane_have_no_normal_estimate_in_space(n):
    Z = numpy.random.default_rng(n).standard_normal((n, 2))
    X = Z @ numpy.array([[1.0, 0.3, -2.0], [0.5, 1.0, 1.0]]) + numpy.array([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="singular covariance"):
        NormalFamily(3).mle(X)


@pytest.mark.parametrize("make, error, words", [
    (lambda: NormalFamily(2.0), TypeError, "d must be a whole number, got 2.0"),
    (lambda: MixtureFamily(0, 2), ValueError, "n_components must be at least 1, got 0"),
    (lambda: MixtureFamily(2, -1), ValueError, "d must be at least 1"),
])
def test_wrong_arguments_of_a_normal_family_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


# Contracts

@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("slope", [1.0, -math.pi, 1e-4, 1e5])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_collinear_rows_are_refused_on_every_device(xp, make_rng, dtype, slope, offset):
    x = make_rng(0).standard_normal(50)
    X = xp.stack([x, slope * (x + offset)], axis=1).astype(dtype)
    with pytest.raises(ValueError, match="singular covariance, so its likelihood has no maximum"):
        NormalFamily(2).mle(X)
    assert to_numpy(BoxFamily(2)(BoxFamily(2).mle(X)).space.contains(X)).all()


@pytest.mark.parametrize("n", [2, 3, 4, 100])
def test_rows_in_a_plane_are_refused_where_cholesky_does_not_raise(xp, make_rng, n):
    Z = make_rng(n).standard_normal((n, 2))
    X = Z @ xp.asarray([[1.0, 0.3, -2.0], [0.5, 1.0, 1.0]]) + xp.asarray([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="singular covariance"):
        NormalFamily(3).mle(X)


def test_float32_weights_leave_float64_means_and_triangles_their_precision():
    family, mu, L = MixtureFamily(2, 1), numpy.array([[1e9 + 1], [1e9 + 2]]), numpy.ones((2, 1, 1))
    theta = family.theta(numpy.float32([0.5, 0.5]), mu, L)
    assert [p.mu.tolist() for p in family(theta).components] == mu.tolist()
