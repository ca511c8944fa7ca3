"""Principal components: the nearest plane, and the normal density of one."""

import math
import tracemalloc

import numpy
import pytest
from gradient import check_gradient
from scipy import stats
from sklearn.decomposition import PCA

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.density import Normal
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.representation.principal_components import (
    PrincipalComponents,
    ProbabilisticPCA,
    ProbabilisticPCAFamily,
    principal_axes,
)

every_shape = pytest.mark.parametrize("n, d, k", [(60, 5, 2), (60, 5, 4), (7, 20, 3), (40, 2, 1)])
every_ppca = pytest.mark.parametrize("d, k", [(2, 1), (5, 2), (5, 4), (12, 3)])


def data(n, d, seed=0):
    """n rows of d columns of very different variance, all correlated, around a mean that is not 0.
    """
    rng = numpy.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * 2.0**-numpy.arange(d)
    return X @ numpy.linalg.qr(rng.standard_normal((d, d)))[0] + rng.random(d)


def theta_and_X(family, n=9, make_rng=numpy.random.default_rng):
    rng = make_rng(3)
    return 0.7 * rng.standard_normal(family.n_parameters), rng.standard_normal((n, family.d))


def error(model, X):
    return float(((model.decode(model.encode(X)) - X)**2).mean())


def covariance(family, theta):
    _, W, log_sigma = family.cut(theta)
    return W @ W.T + math.exp(2 * log_sigma) * numpy.eye(family.d)


# Principal components

@every_shape
def test_encoding_and_decoding_is_the_projection_onto_the_plane(n, d, k):
    X, new = data(n, d), data(10, d, seed=1)
    plane = PrincipalComponents.fit(X, k)
    numpy.testing.assert_allclose(plane.components.T @ plane.components, numpy.eye(k), atol=1e-12)
    once = plane.decode(plane.encode(new))
    assert plane.encode(new).shape == (10, k) and once.shape == (10, d)
    numpy.testing.assert_allclose(plane.decode(plane.encode(once)), once, rtol=1e-12, atol=1e-12)
    assert abs((new - once) @ plane.components).max() < 1e-12
    eigenvalues = numpy.linalg.eigvalsh(numpy.cov(X.T, bias=True))[::-1]
    assert error(plane, X) == pytest.approx(eigenvalues[k:].sum() / d, rel=1e-9)


def test_no_other_plane_is_nearer():
    X = data(50, 6)
    plane, rng = PrincipalComponents.fit(X, 2), numpy.random.default_rng(0)
    for _ in range(20):
        U = numpy.linalg.qr(plane.components + 0.1 * rng.standard_normal((6, 2)))[0]
        assert error(PrincipalComponents(plane.mu, U, numpy.ones(2)), X) > error(plane, X)


@every_shape
def test_the_plane_is_that_of_scikit_learn(n, d, k):
    X = data(n, d)
    plane, pca = PrincipalComponents.fit(X, k), PCA(k, svd_solver="full").fit(X)
    cosines = plane.components.T @ pca.components_.T
    numpy.testing.assert_allclose(abs(cosines), numpy.eye(k), atol=1e-10)
    numpy.testing.assert_allclose(plane.explained_variance_ratio,
                                  pca.explained_variance_ratio_, rtol=1e-10)
    numpy.testing.assert_allclose(plane.mu, pca.mean_, rtol=1e-12)
    numpy.testing.assert_allclose(plane.encode(X) * cosines.diagonal().round(),
                                  pca.transform(X), atol=1e-10)


def test_as_many_components_as_columns_lose_nothing():
    X = data(30, 4)
    plane = PrincipalComponents.fit(X, 4)
    assert float(plane.explained_variance_ratio.sum()) == pytest.approx(1)
    numpy.testing.assert_allclose(plane.decode(plane.encode(X)), X, rtol=1e-12)


def test_small_variances_are_not_lost_beside_large_ones():
    """λ = S²/n keeps a ratio of 10^-20, which no covariance of 16 digits holds."""
    X = numpy.random.default_rng(0).standard_normal((100, 2)) * numpy.array([1, 1e-10])
    _, eigenvalues, _ = principal_axes(X)
    assert float(eigenvalues[1]) == pytest.approx(1e-20, rel=0.5)


def test_many_rows_are_added_block_by_block_to_one_triangle(monkeypatch):
    X = data(200, 5)
    at_once = PrincipalComponents.fit(X, 5)
    monkeypatch.setattr("gdl_numpy.representation.principal_components.ROWS", 30)
    blocks = PrincipalComponents.fit(X, 5)
    numpy.testing.assert_allclose(blocks.explained_variance_ratio,
                                  at_once.explained_variance_ratio, rtol=1e-12)
    numpy.testing.assert_allclose(abs(blocks.components.T @ at_once.components), numpy.eye(5),
                                  atol=1e-10)
    few, wide = data(7, 20), data(70, 100)                  # fewer rows than columns
    for X in (few, wide):
        expected = numpy.linalg.svd(X - X.mean(axis=0), compute_uv=False)**2 / len(X)
        numpy.testing.assert_allclose(principal_axes(X)[1], expected, rtol=1e-10, atol=1e-12)


def test_a_million_float32_pixels_have_the_axes_of_float64():
    rng, A = numpy.random.default_rng(0), [[1, 0.5, 0.2], [0, 1, 0.3], [0, 0, 1]]
    X = numpy.float32([180, 220, 241]) + (rng.standard_normal((10**6, 3)) @ A).astype("f4")
    one, two = PrincipalComponents.fit(X, 3), PrincipalComponents.fit(X.astype(float), 3)
    assert one.mu.dtype == one.components.dtype == numpy.float32
    numpy.testing.assert_allclose(one.mu, two.mu, rtol=1e-6)
    numpy.testing.assert_allclose(one.explained_variance_ratio, two.explained_variance_ratio,
                                  rtol=1e-6)
    numpy.testing.assert_allclose(abs(one.components.T @ two.components), numpy.eye(3), atol=1e-6)
    family = ProbabilisticPCAFamily(3, 1)
    numpy.testing.assert_allclose(family.mle(X)[[0, 1, 2, 6]],
                                  family.mle(X.astype(float))[[0, 1, 2, 6]], rtol=1e-6)
    theta = family.mle(X)
    gradient = family.log_prob(theta, X)[1](numpy.full(10**6, 1e-6, "f4"))
    assert abs(gradient[:3]).max() < 1e-5


# Probabilistic PCA: the density

@every_ppca
def test_probabilistic_pca_is_a_normal_density(d, k):
    family = ProbabilisticPCAFamily(d, k)
    theta, X = theta_and_X(family, n=50)
    C, mu = covariance(family, theta), theta[:d]
    expected = stats.multivariate_normal(mu, C).logpdf(X)
    for log_p in (family(theta).log_prob(X), family.log_prob(theta, X)[0]):
        numpy.testing.assert_allclose(log_p, expected, rtol=1e-10)
    normal = Normal(theta[:d], C)
    numpy.testing.assert_allclose(normal.log_prob(X), expected, rtol=1e-10)


@every_ppca
def test_the_gradient_of_log_prob_is_that_of_central_differences(d, k):
    family = ProbabilisticPCAFamily(d, k)
    theta, X = theta_and_X(family)
    check_gradient(lambda theta: family.log_prob(theta, X), theta, rng=numpy.random.default_rng(1))


def test_the_mean_gradient_over_its_samples_is_0_and_they_have_its_mean_and_covariance():
    """n = 20,000, each number within 6 standard errors: a false alarm in 500 million."""
    family, n = ProbabilisticPCAFamily(4, 2), 20_000
    theta = theta_and_X(family)[0]
    X = family(theta).sample(n, numpy.random.default_rng(5))
    assert X.shape == (n, 4)
    C = covariance(family, theta)
    variance = C.diagonal()
    host = X - theta[:4]
    assert (abs(host.mean(axis=0)) < 6 * numpy.sqrt(variance / n)).all()
    assert (abs(host.T @ host / n - C) < 6 * numpy.sqrt((numpy.outer(variance, variance) + C**2)
                                                        / n)).all()
    scores = numpy.array([family.log_prob(theta, rows)[1](numpy.ones(100) / 100)
                          for rows in X.reshape(-1, 100, 4)])
    errors = scores.std(axis=0, ddof=1) / math.sqrt(len(scores))
    assert (abs(scores.mean(axis=0)) < 6 * errors).all()


@every_ppca
def test_the_code_is_the_posterior_mean(d, k):
    """(z, x) is normal with covariance ((I, Wᵀ), (W, C)), so E[z|x] = Wᵀ C⁻¹ (x - µ)."""
    family = ProbabilisticPCAFamily(d, k)
    theta, X = theta_and_X(family)
    p, (mu, W, _) = family(theta), family.cut(theta)
    expected = numpy.linalg.solve(covariance(family, theta), (X - mu).T).T @ W
    numpy.testing.assert_allclose(p.encode(X), expected, rtol=1e-9, atol=1e-12)
    Z = p.encode(X)
    numpy.testing.assert_allclose(p.decode(p.encode(X)), mu + Z @ W.T, rtol=1e-10, atol=1e-12)


def test_parameters_of_whole_numbers_do_not_round_the_data():
    X, whole = [[0.5, -0.7, 0.2], [1.9, 0.1, 0.3]], [1, 0, 0, 1, 2, 1, 0]
    family = ProbabilisticPCAFamily(3, 1)
    expected = family(numpy.array(whole, float))
    for theta in (whole, numpy.array(whole), numpy.array(whole, "int8")):
        for p in (family(theta), ProbabilisticPCA(family, theta)):
            numpy.testing.assert_array_equal(p.log_prob(X), expected.log_prob(X))
            numpy.testing.assert_array_equal(p.encode(X), expected.encode(X))
            assert p.sample(2, numpy.random.default_rng(0)).dtype == float
    with pytest.raises(TypeError, match="theta must be an array of float32 or float64, .* int64"):
        family.log_prob(numpy.array(whole, "int64"), X)
    plane = PrincipalComponents([1, 0, 0], [[1], [0], [0]], [1])
    assert plane.encode(X).tolist() == [[-0.5], [0.8999999999999999]]
    assert plane.decode([[0.25]]).tolist() == [[1.25, 0, 0]]


# Probabilistic PCA: maximum likelihood

@every_shape
def test_the_likelihood_is_stationary_at_its_maximum_and_no_neighbor_has_more(n, d, k):
    X, family = data(n, d), ProbabilisticPCAFamily(d, k)
    theta = family.mle(X)
    log_p, backward = family.log_prob(theta, X)
    sigma, rng = math.exp(float(theta[-1])), numpy.random.default_rng(0)
    assert abs(backward(numpy.ones(n) / n)).max() * sigma < 1e-6
    for size in (1e-3, 1e-2, 0.1, 1):
        for _ in range(10):
            step = size * sigma * rng.standard_normal(family.n_parameters)
            assert float(family.log_prob(theta + step, X)[0].sum()) < float(log_p.sum())


@pytest.mark.parametrize("n, d, k", [(60, 5, 2), (60, 5, 4), (40, 2, 1), (7, 20, 3)])
def test_the_estimate_is_that_of_scikit_learn(n, d, k):
    """Which divides variances by n - 1."""
    X, family = data(n, d), ProbabilisticPCAFamily(d, k)
    theta = family.mle(X)
    assert theta.shape == (family.n_parameters,)
    share = n / (n - 1)
    if n > d:                                               # its σ² for fewer rows is another
        pca = PCA(k, svd_solver="full").fit(X)
        numpy.testing.assert_allclose(covariance(family, theta) * share, pca.get_covariance(),
                                      rtol=1e-10, atol=1e-12)
        assert math.exp(2 * float(theta[-1])) * share == pytest.approx(pca.noise_variance_)
        wider = theta.copy()
        wider[d:-1] *= math.sqrt(share)
        wider[-1] += 0.5 * math.log(share)
        numpy.testing.assert_allclose(family(wider).log_prob(X), pca.score_samples(X), rtol=1e-10)
    S = numpy.cov(X.T, bias=True)
    assert covariance(family, theta).trace() == pytest.approx(S.trace(), rel=1e-10)


def test_the_closed_form_and_the_gradient_method_find_the_same_theta():
    X, family = data(200, 3), ProbabilisticPCAFamily(3, 1)
    theta = maximum_likelihood(family, X, numpy.random.default_rng(0), "gradient")
    best = family.mle(X)
    assert (maximum_likelihood(family, X) == best).all()
    numpy.testing.assert_allclose(covariance(family, theta), covariance(family, best), rtol=1e-3,
                                  atol=1e-4)


def test_no_array_but_the_data_is_larger_than_d_by_k():
    """A covariance of d = 20,000 would take 3.2 GB."""
    d, n = 20_000, 5
    X, family = numpy.random.default_rng(0).standard_normal((n, d)), ProbabilisticPCAFamily(d, 2)
    tracemalloc.start()
    theta = family.mle(X)
    log_p, backward = family.log_prob(theta, X)
    backward(log_p)
    p = family(theta)
    p.decode(p.encode(p.sample(2, numpy.random.default_rng(1))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert numpy.isfinite(log_p).all() and peak < 40 * 8 * d * n


# Arrays, and what is refused

def test_a_model_keeps_its_own_theta():
    family = ProbabilisticPCAFamily(4, 2)
    theta, X = theta_and_X(family)
    model = family(theta)
    before = model.encode(X), model.decode(model.encode(X))
    theta += 1
    after = model.encode(X), model.decode(model.encode(X))
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_theta_and_X_are_only_read():
    family = ProbabilisticPCAFamily(4, 2)
    theta, X = theta_and_X(family)
    theta.flags.writeable = X.flags.writeable = False
    family.log_prob(theta, X)[1](numpy.ones(len(X)))
    family.mle(X)
    model = family(theta)
    model.decode(model.encode(X))


@pytest.mark.parametrize("X, k, error, message", [
    (numpy.eye(3), 0, ValueError, "k must be at least 1, got 0"),
    (numpy.eye(3)[:2], 3, ValueError, "k must be at most 2, got 3"),
    (numpy.eye(3), 4, ValueError, "k must be at most 3, got 4"),
    (numpy.eye(3), 1.0, TypeError, "k must be a whole number, got 1.0"),
    (numpy.full((1000, 3), 0.1), 1, ValueError, "X must vary, but its 1000 rows are all equal"),
    (numpy.ones((1, 3)), 1, ValueError, "X must vary"),
    (numpy.zeros((5, 3)), 1, ValueError, "X must vary"),
    (numpy.zeros((0, 3)), 1, ValueError, "X is empty"),
    (numpy.full((2, 2), math.nan), 1, ValueError, "X holds nan"),
    (numpy.ones(4), 1, ValueError, "X must have shape"),
])
def test_data_without_a_nearest_plane_are_refused(X, k, error, message):
    with pytest.raises(error, match=message):
        PrincipalComponents.fit(X, k)


@pytest.mark.parametrize("mu, components, ratio, error, message", [
    ([[0.0]], [[1.0]], [1.0], ValueError, r"mu must be an array of shape \(n,\), got \(1, 1\)"),
    ([0.0, 0.0], [[1.0]], [1.0], ValueError, r"components must have shape \(2, k\), as columns, "),
    ([0.0, 0.0], [1.0, 0.0], [1.0], ValueError, r"got shape \(2,\)"),
    ([0.0, 0.0], [[1.0], [0.0]], [0.5, 0.5], ValueError,
     r"explained_variance_ratio must be an array of shape \(1,\), got \(2,\)"),
    ([0.0, math.nan], [[1.0], [0.0]], [0.5], ValueError, "mu holds nan"),
    ([0.0, 0.0], [["a"], ["b"]], [0.5], TypeError, "components must hold real numbers"),
    (numpy.ma.zeros(2), [[1.0], [0.0]], [0.5], TypeError, "mu is a masked array"),
])
def test_arrays_that_do_not_fit_together_are_refused(mu, components, ratio, error, message):
    with pytest.raises(error, match=message):
        PrincipalComponents(mu, components, ratio)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_that_differ_by_rounding_alone_are_equal(dtype):
    X = numpy.full((100, 3), 0.3, dtype)
    X[::2, 1] = numpy.nextafter(X[0, 1], numpy.array(1, dtype))
    for fit in (lambda: PrincipalComponents.fit(X, 1), lambda: ProbabilisticPCAFamily(3, 1).mle(X)):
        with pytest.raises(ValueError, match="X must vary, but its 100 rows are all equal"):
            fit()


def test_rows_and_codes_of_another_space_are_refused():
    plane = PrincipalComponents.fit(data(20, 4), 2)
    for mapping, name, d in ((plane.encode, "X", 4), (plane.decode, "Z", 2)):
        with pytest.raises(ValueError, match=f"{name} has 3 columns.* R\\^{d}"):
            mapping(numpy.ones((1, 3)))


@pytest.mark.parametrize("make, error, message", [
    (lambda: ProbabilisticPCAFamily(3, 3), ValueError, "k must be at most 2, got 3"),
    (lambda: ProbabilisticPCAFamily(1, 1), ValueError, "d must be at least 2, got 1"),
    (lambda: ProbabilisticPCAFamily(3, 0), ValueError, "k must be at least 1, got 0"),
    (lambda: ProbabilisticPCAFamily(3, 1.5), TypeError, "k must be a whole number, got 1.5"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.ones(6)), ValueError,
     r"theta must be an array of shape \(7,\), got \(6,\)"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.full(7, math.nan)), ValueError, "theta holds nan"),
    (lambda: ProbabilisticPCA(ProbabilisticPCAFamily(3, 1), numpy.ones(6)), ValueError,
     r"theta must be an array of shape \(7,\), got \(6,\)"),
    (lambda: ProbabilisticPCAFamily(3, 1).cut(numpy.ones(6)), ValueError,
     r"theta must be an array of shape \(7,\), got \(6,\)"),
    (lambda: ProbabilisticPCAFamily(3, 1).log_prob(numpy.ones(6), numpy.ones((1, 3))), ValueError,
     r"theta must be an array of shape \(7,\), got \(6,\)"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.ones(7)).log_prob(numpy.ones((1, 2))), ValueError,
     "X has 2 columns"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.ones(7)).decode(numpy.ones((1, 2))), ValueError,
     "Z has 2 columns"),
    (lambda: ProbabilisticPCAFamily(3, 1).mle(numpy.ones((5, 2))), ValueError, "X has 2 columns"),
    (lambda: ProbabilisticPCAFamily(3, 2).mle(data(9, 2) @ numpy.eye(2, 3)), ValueError,
     "X lies in a plane of 2 dimensions or fewer, so its likelihood has no maximum"),
    (lambda: ProbabilisticPCAFamily(5, 3).mle(data(4, 5)), ValueError, "plane of 3 dim"),
    (lambda: ProbabilisticPCAFamily(5, 4).mle(data(3, 5)), ValueError, "plane of 4 dim"),
    (lambda: ProbabilisticPCAFamily(3, 1).mle(numpy.full((1000, 3), 0.1)), ValueError,
     "X must vary, but its 1000 rows are all equal"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.ones(7)).sample(
        -1, numpy.random.default_rng(0)), ValueError, "n must be at least 0, got -1"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.ones(7)).sample(1, 0), TypeError,
     "rng must be a generator .* got 0"),
])
def test_wrong_arguments_of_probabilistic_pca_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_models_say_what_they_are():
    plane, family = PrincipalComponents.fit(data(9, 5), 1), ProbabilisticPCAFamily(5, 2)
    assert repr(plane).startswith("PrincipalComponents(mu=array of shape (5,), components=array of")
    assert repr(family) == "ProbabilisticPCAFamily(d=5, k=2)"
    assert repr(family(numpy.ones(16))) == (
        f"ProbabilisticPCA(family={family}, theta=array of shape (16,))")


@pytest.mark.parametrize("sigma", [1e-2, 1e-3])
def test_float32_rows_near_a_plane_have_the_density_of_float64(sigma):
    rng, family = numpy.random.default_rng(0), ProbabilisticPCAFamily(3, 1)
    Z, eps = rng.standard_normal((500, 1)), rng.standard_normal((500, 3))
    X = (Z * [1, 2, 3] + sigma * eps).astype("f4")
    theta = family.mle(X)
    (one, backward), (two, backward64) = (family.log_prob(theta.astype(t), X.astype(t))
                                          for t in ("f4", "f8"))
    numpy.testing.assert_allclose(one, two, atol=3e-5 / sigma)
    # At θ̂ the rows' terms almost cancel, and their rounding does not
    size = sum(abs(backward64(row)[:3]) for row in numpy.diag(two))
    assert (abs(backward(one)[:3] - backward64(two)[:3]) < 1.5e-7 / sigma * size).all()


every_range = pytest.mark.parametrize("dtype, unit", [
    ("f4", 1e-23), ("f4", 1e-30), ("f4", 1e19), ("f4", 1e30), ("f8", 1e-140), ("f8", 1e140)])


@every_range
def test_planes_and_their_densities_follow_the_data_into_any_unit(dtype, unit):
    X, family = data(60, 5), ProbabilisticPCAFamily(5, 2)
    one, two = PrincipalComponents.fit(X, 2), PrincipalComponents.fit((X * unit).astype(dtype), 2)
    numpy.testing.assert_allclose(two.explained_variance_ratio, one.explained_variance_ratio,
                                  rtol=1e-5)
    numpy.testing.assert_allclose(two.encode(X * unit) / unit, one.encode(X), atol=1e-5)
    eigenvalues = principal_axes((X * unit).astype(dtype))[1]
    numpy.testing.assert_allclose(eigenvalues / unit / unit, principal_axes(X)[1], rtol=1e-4)
    p, q = family(family.mle(X)), family(family.mle((X * unit).astype(dtype)))
    log_p = q.log_prob(X * unit) + 5 * math.log(unit)
    numpy.testing.assert_allclose(log_p, p.log_prob(X), rtol=1e-4, atol=1e-3)
    numpy.testing.assert_allclose(abs(q.encode(X * unit)), abs(p.encode(X)), atol=1e-4)


@every_range
def test_the_gradient_of_log_prob_follows_the_unit(dtype, unit):
    family = ProbabilisticPCAFamily(5, 2)
    theta, X = theta_and_X(family)
    units = numpy.append(numpy.full(15, unit), 1)           # θ = (µ, W, log σ)
    shift = numpy.append(numpy.zeros(15), math.log(unit))
    scaled = (theta * units + shift).astype(dtype)
    dtheta = family.log_prob(scaled, (X * unit).astype(dtype))[1](numpy.ones(len(X), dtype))
    expected = family.log_prob(theta, X)[1](numpy.ones(len(X)))
    numpy.testing.assert_allclose(dtheta * units, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("size, words", [(1e200, "X holds .*, whose square leaves the range"),
                                         (1e-170, "X varies by .* only, whose square leaves")])
def test_data_whose_squares_leave_float64_are_refused_in_words(size, words):
    for fit in (lambda X: PrincipalComponents.fit(X, 2), principal_axes,
                ProbabilisticPCAFamily(5, 2).mle):
        with pytest.raises(ValueError, match=words):
            fit(size * data(60, 5))


def test_the_gradient_of_a_million_float32_rows_is_added_in_float64():
    rng, family = numpy.random.default_rng(0), ProbabilisticPCAFamily(3, 1)
    theta, g = numpy.float32([0, 0, 0, 1, 1, 1, 0]), numpy.ones(10**6, "f4")
    X = rng.standard_normal((10**6, 3), dtype="f4") + numpy.float32(3)
    single, double = (family.log_prob(theta.astype(t), X.astype(t))[1](g.astype(t))
                      for t in ("f4", "f8"))
    numpy.testing.assert_allclose(single, double, rtol=2e-6)


@pytest.mark.parametrize("dtype, far", [("f4", 3e38), ("f8", 1e308)])
def test_log_p_is_never_nan_for_finite_rows_and_parameters(dtype, far):
    family = ProbabilisticPCAFamily(3, 1)
    X = numpy.array([[far, -far, far], [-far, -far, -far], [0, 0, 0]], dtype)
    for theta in ([far, far, far, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1, -80], [0, 0, 0, 1, 2, 3, 80],
                  [-far, far, 0, 1, 1, 1, -60]):
        log_p = family.log_prob(numpy.array(theta, dtype), X)[0]
        assert not numpy.isnan(log_p).any() and (log_p < math.inf).all()


# Contracts

def test_a_plane_and_its_density_live_where_the_data_do(xp):
    host, family = data(20, 4), ProbabilisticPCAFamily(4, 2)
    X, plane, theta = xp.asarray(host), PrincipalComponents.fit(host, 2), family.mle(host)
    moved, p, on_host = PrincipalComponents.fit(X, 2), family(family.mle(X)), family(theta)
    log_p, backward = family.log_prob(xp.asarray(theta), X)
    for found, expected in [
            (moved.mu, plane.mu), (moved.decode(moved.encode(X)), plane.decode(plane.encode(host))),
            (moved.explained_variance_ratio, plane.explained_variance_ratio),
            (p.log_prob(X), on_host.log_prob(host)), (log_p, on_host.log_prob(host)),
            (p.decode(p.encode(X)), on_host.decode(on_host.encode(host))),
            (backward(log_p), family.log_prob(theta, host)[1](on_host.log_prob(host)))]:
        assert array_module(found) is xp
        numpy.testing.assert_allclose(to_numpy(found), expected, rtol=1e-9, atol=1e-9)
    assert array_module(moved.components, moved.encode(X), p.theta, p.encode(X)) is xp


def test_a_start_and_samples_live_where_their_generator_does(xp, make_rng):
    family = ProbabilisticPCAFamily(4, 2)
    theta, again = family.initial_theta(make_rng(0)), family.initial_theta(make_rng(0))
    assert theta.shape == (family.n_parameters,) and array_module(theta) is xp
    assert to_numpy(theta == again).all()
    assert family.initial_theta(make_rng(0), "float32").dtype == numpy.float32
    assert array_module(family(theta).sample(3, make_rng(1))) is xp


def test_single_precision_goes_in_and_comes_out(xp, make_rng):
    family = ProbabilisticPCAFamily(4, 2)
    theta, X = (a.astype("float32") for a in theta_and_X(family, make_rng=make_rng))
    p = family(theta)
    log_p, backward = family.log_prob(theta, X)
    arrays = (log_p, backward(log_p), p.encode(X), p.decode(p.encode(X)), family.mle(X),
              p.sample(3, make_rng(0)), PrincipalComponents.fit(X, 2).encode(X))
    assert {a.dtype for a in arrays} == {numpy.dtype("float32")}


def test_arrays_on_two_devices_are_refused(device):
    X, family = data(20, 4), ProbabilisticPCAFamily(4, 2)
    on_device, theta = device.asarray(X), theta_and_X(family)[0]
    for model, rows in ((PrincipalComponents.fit(X, 2), on_device), (family(theta), on_device),
                        (family(device.asarray(theta)), X)):
        for mapping in (model.encode, lambda rows, p=model: p.decode(rows[:, :2])):
            with pytest.raises(TypeError):
                mapping(rows)
    with pytest.raises(TypeError):
        family.log_prob(numpy.ones(13), on_device)


# Little noise

@pytest.mark.parametrize("dtype, log_sigmas", [("float64", (-3, -10, -14, -18, -25, -30)),
                                               ("float32", (-3, -6, -8, -10))])
def test_with_little_noise_around_dependent_columns_the_density_keeps_its_digits(dtype, log_sigmas):
    """W has the column 1 twice, so C = 2 · 11ᵀ + σ² I has the eigenvalues 6 + σ², σ² and σ²."""
    family, X = ProbabilisticPCAFamily(3, 2), numpy.ones((1, 3), dtype)
    for log_sigma in log_sigmas:
        theta = numpy.array([0, 0, 0, 1, 1, 1, 1, 1, 1, log_sigma], dtype)
        largest = 6 + math.exp(2 * log_sigma)
        expected = -0.5 * (3 / largest + math.log(largest) + 4 * log_sigma
                           + 3 * math.log(2 * math.pi))
        rel = 1e-9 if dtype == "float64" else 1e-3
        assert family(theta).log_prob(X)[0] == pytest.approx(expected, rel=rel)
        log_p, backward = family.log_prob(theta, X)
        assert backward(numpy.ones_like(log_p))[-1] == pytest.approx(-2, rel=2e-2)


def test_the_encoder_of_a_density_with_nearly_no_noise_is_a_number():
    assert ProbabilisticPCAFamily(2, 1)([0.0, 0, 1, 1, -400]).encode([[1.0, 1.0]]) == (
        pytest.approx(1, rel=1e-12))


@pytest.mark.parametrize("log_sigma", [-1000.0, 1000.0])
def test_a_noise_that_is_no_number_is_refused(log_sigma):
    with pytest.raises(ValueError, match=r"log σ must lie in \[-706, 706\] in float64, got -?1000"):
        ProbabilisticPCAFamily(2, 1)([0.0, 0, 1, 1, log_sigma])
    with pytest.raises(ValueError, match=r"W/σ leaves the range of float64: σ is .*e-305"):
        ProbabilisticPCAFamily(2, 1)([0.0, 0, 1e10, 1, -700.0])
