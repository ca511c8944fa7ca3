"""Latent space: planes, the density of one, and curved surfaces that a network finds."""

import itertools
import math
import tracemalloc

import numpy
import pytest
import stand_in_cupy
from gradient import check_gradient
from scipy import stats
from sklearn.decomposition import PCA
from training_checks import check_a_step_never_waits

from gdl_numpy.networks.network import ACTIVATIONS
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.neighbours import nearest
from gdl_numpy.numerics.optimizer import Adam
from gdl_numpy.pictures.biscuit_tins import HIGH, LOW, BiscuitTins, render
from gdl_numpy.probability.density import Box, Normal
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.representation.latent import (
    Autoencoder,
    AutoencoderFamily,
    PrincipalComponents,
    ProbabilisticPCAFamily,
    Pushforward,
    directions,
    interpolate,
    principal_axes,
)

SIZES = {"linear": (5, 2), "one hidden layer": (4, 6, 2), "two": (6, 5, 4, 1), "wide": (3, 8, 3)}
every_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
every_shape = pytest.mark.parametrize("n, d, k", [(60, 5, 2), (60, 5, 4), (7, 20, 3), (40, 2, 1)])


def data(xp, n, d, seed=0):
    """n rows of d columns of very different variance, all correlated, around a mean that is not 0;
    where the arrays of xp live."""
    rng = numpy.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * 2.0**-numpy.arange(d)
    return xp.asarray(X @ numpy.linalg.qr(rng.standard_normal((d, d)))[0] + rng.random(d))


def theta_and_X(family, make_rng, n=9):
    rng = make_rng(3)
    return 0.7 * rng.standard_normal(family.n_parameters), rng.standard_normal((n, family.d))


def error(model, X):
    return float(((model.decode(model.encode(X)) - X)**2).mean())


def last_theta(steps):
    for step in steps:
        theta = step.theta
    return theta


@pytest.fixture(scope="module")
def tins():
    """An autoencoder, its codes whitened, the 2,000 tins of 16 x 16 pixels that it learned from,
    and the distance of pictures, root mean square per pixel, to the nearest tin of a dense grid."""
    X = BiscuitTins(2000, numpy.random.default_rng(0), 16).images.astype("float32")
    family = AutoencoderFamily((256, 64, 32, 2))
    theta = last_theta(family.train(X, numpy.random.default_rng(1), max_steps=1500))
    latent = SampleSpace(LOW, HIGH).grid((64, 64))[0].astype("float32")
    grid = render(latent, 16).reshape(-1, 256)
    model = family(family.whitened(theta, X))
    return model, X, lambda images: nearest(images, grid)[0][:, 0] / 16


# Principal components

@every_shape
def test_the_plane_is_that_of_scikit_learn(xp, n, d, k):
    X = data(xp, n, d)
    plane, pca = PrincipalComponents.fit(X, k), PCA(k, svd_solver="full").fit(to_numpy(X))
    assert all(array_module(a) is xp for a in (plane.mu, plane.components))
    cosines = to_numpy(plane.components).T @ pca.components_.T
    numpy.testing.assert_allclose(abs(cosines), numpy.eye(k), atol=1e-10)
    numpy.testing.assert_allclose(to_numpy(plane.explained_variance_ratio),
                                  pca.explained_variance_ratio_, rtol=1e-10)
    numpy.testing.assert_allclose(to_numpy(plane.mu), pca.mean_, rtol=1e-12)
    numpy.testing.assert_allclose(to_numpy(plane.encode(X)) * cosines.diagonal().round(),
                                  pca.transform(to_numpy(X)), atol=1e-10)


@every_shape
def test_encoding_and_decoding_is_the_projection_onto_the_plane(xp, n, d, k):
    X, new = data(xp, n, d), data(xp, 10, d, seed=1)
    plane = PrincipalComponents.fit(X, k)
    numpy.testing.assert_allclose(to_numpy(plane.components.T @ plane.components), numpy.eye(k),
                                  atol=1e-12)
    once = plane.decode(plane.encode(new))
    assert plane.encode(new).shape == (10, k) and once.shape == (10, d)
    numpy.testing.assert_allclose(to_numpy(plane.decode(plane.encode(once))), to_numpy(once),
                                  rtol=1e-12, atol=1e-12)
    assert abs(to_numpy((new - once) @ plane.components)).max() < 1e-12
    eigenvalues = numpy.linalg.eigvalsh(numpy.cov(to_numpy(X).T, bias=True))[::-1]
    assert error(plane, X) == pytest.approx(eigenvalues[k:].sum() / d, rel=1e-9)


def test_no_other_plane_is_nearer(make_rng):
    X = data(numpy, 50, 6)
    plane, rng = PrincipalComponents.fit(X, 2), numpy.random.default_rng(0)
    for _ in range(20):
        U = numpy.linalg.qr(plane.components + 0.1 * rng.standard_normal((6, 2)))[0]
        assert error(PrincipalComponents(plane.mu, U, None), X) > error(plane, X)


def test_as_many_components_as_columns_lose_nothing(xp):
    X = data(xp, 30, 4)
    plane = PrincipalComponents.fit(X, 4)
    assert float(plane.explained_variance_ratio.sum()) == pytest.approx(1)
    numpy.testing.assert_allclose(to_numpy(plane.decode(plane.encode(X))), to_numpy(X), rtol=1e-12)


def test_small_variances_are_not_lost_beside_large_ones(xp, make_rng):
    """λ = S²/n keeps a ratio of 10^-20, which no covariance of 16 digits holds."""
    X = make_rng(0).standard_normal((100, 2)) * xp.asarray([1, 1e-10])
    _, eigenvalues, _ = principal_axes(X)
    assert float(eigenvalues[1]) == pytest.approx(1e-20, rel=0.5)


@pytest.mark.parametrize("X, k, error, message", [
    (numpy.eye(3), 0, ValueError, r"k must lie between 1 and 3.*\(3, 3\), got 0"),
    (numpy.eye(3)[:2], 3, ValueError, r"k must lie between 1 and 2.*\(2, 3\), got 3"),
    (numpy.eye(3), 1.0, TypeError, "k must be a whole number, got 1.0"),
    (numpy.full((1000, 3), 0.1), 1, ValueError, "X must vary, but its 1000 rows are all equal"),
    (numpy.ones((1, 3)), 1, ValueError, "X must vary"),
    (numpy.zeros((5, 3)), 1, ValueError, "X must vary"),
    (numpy.zeros((0, 3)), 1, ValueError, "X is empty"),
    (numpy.full((2, 2), math.nan), 1, ValueError, "X holds nan"),
    (numpy.ones(4), 1, ValueError, "X must have shape"),
])
def test_what_has_no_plane_is_refused(X, k, error, message):
    with pytest.raises(error, match=message):
        PrincipalComponents.fit(X, k)


def test_rows_and_codes_of_another_space_are_refused():
    plane = PrincipalComponents.fit(data(numpy, 20, 4), 2)
    for mapping, name, d in ((plane.encode, "X", 4), (plane.decode, "Z", 2)):
        with pytest.raises(ValueError, match=f"{name} has 3 columns.* R\\^{d}"):
            mapping(numpy.ones((1, 3)))


# Probabilistic PCA: the density

def covariance(family, theta):
    _, W, log_sigma = family.cut(to_numpy(theta))
    return W @ W.T + math.exp(2 * log_sigma) * numpy.eye(family.d)


every_ppca = pytest.mark.parametrize("d, k", [(2, 1), (5, 2), (5, 4), (12, 3)])


@every_ppca
def test_probabilistic_pca_is_a_normal_density(xp, make_rng, d, k):
    family = ProbabilisticPCAFamily(d, k)
    theta, X = theta_and_X(family, make_rng, n=50)
    C, mu = covariance(family, theta), to_numpy(theta[:d])
    expected = stats.multivariate_normal(mu, C).logpdf(to_numpy(X))
    for log_p in (family(theta).log_prob(X), family.log_prob(theta, X)[0]):
        assert array_module(log_p) is xp
        numpy.testing.assert_allclose(to_numpy(log_p), expected, rtol=1e-10)
    normal = Normal(theta[:d], xp.asarray(C))
    numpy.testing.assert_allclose(to_numpy(normal.log_prob(X)), expected, rtol=1e-10)


@every_ppca
def test_its_gradient_is_that_of_central_differences(xp, make_rng, d, k):
    family = ProbabilisticPCAFamily(d, k)
    theta, X = theta_and_X(family, make_rng)
    check_gradient(lambda theta: family.log_prob(theta, X), theta, rng=make_rng(1))


def test_its_mean_score_is_0_and_its_samples_have_its_mean_and_covariance(xp, make_rng):
    """n = 20,000, each number within 6 standard errors: a false alarm in 500 million."""
    family, n = ProbabilisticPCAFamily(4, 2), 20_000
    theta = theta_and_X(family, make_rng)[0]
    X = family(theta).sample(n, make_rng(5))
    assert X.shape == (n, 4) and array_module(X) is xp
    C = covariance(family, theta)
    variance = C.diagonal()
    host = to_numpy(X) - to_numpy(theta[:4])
    assert (abs(host.mean(axis=0)) < 6 * numpy.sqrt(variance / n)).all()
    assert (abs(host.T @ host / n - C) < 6 * numpy.sqrt((numpy.outer(variance, variance) + C**2)
                                                        / n)).all()
    scores = numpy.array([to_numpy(family.log_prob(theta, rows)[1](xp.ones(100) / 100))
                          for rows in X.reshape(-1, 100, 4)])
    errors = scores.std(axis=0, ddof=1) / math.sqrt(len(scores))
    assert (abs(scores.mean(axis=0)) < 6 * errors).all()


@every_ppca
def test_the_code_is_the_posterior_mean(xp, make_rng, d, k):
    """(z, x) is normal with covariance ((I, Wᵀ), (W, C)), so E[z|x] = Wᵀ C⁻¹ (x - µ)."""
    family = ProbabilisticPCAFamily(d, k)
    theta, X = theta_and_X(family, make_rng)
    p, (mu, W, _) = family(theta), family.cut(to_numpy(theta))
    expected = numpy.linalg.solve(covariance(family, theta), (to_numpy(X) - mu).T).T @ W
    numpy.testing.assert_allclose(to_numpy(p.encode(X)), expected, rtol=1e-9, atol=1e-12)
    Z = to_numpy(p.encode(X))
    numpy.testing.assert_allclose(to_numpy(p.decode(p.encode(X))), mu + Z @ W.T, rtol=1e-10,
                                  atol=1e-12)


# Probabilistic PCA: maximum likelihood

@pytest.mark.parametrize("n, d, k", [(60, 5, 2), (60, 5, 4), (40, 2, 1), (7, 20, 3)])
def test_the_estimate_is_that_of_scikit_learn(xp, n, d, k):
    """Which divides variances by n - 1."""
    X, family = data(xp, n, d), ProbabilisticPCAFamily(d, k)
    theta = family.mle(X)
    assert array_module(theta) is xp and theta.shape == (family.n_parameters,)
    share = n / (n - 1)
    if n > d:                                               # its σ² for fewer rows is another
        pca = PCA(k, svd_solver="full").fit(to_numpy(X))
        numpy.testing.assert_allclose(covariance(family, theta) * share, pca.get_covariance(),
                                      rtol=1e-10, atol=1e-12)
        assert math.exp(2 * float(theta[-1])) * share == pytest.approx(pca.noise_variance_)
        wider = theta.copy()
        wider[d:-1] *= math.sqrt(share)
        wider[-1] += 0.5 * math.log(share)
        numpy.testing.assert_allclose(to_numpy(family(wider).log_prob(X)),
                                      pca.score_samples(to_numpy(X)), rtol=1e-10)
    S = numpy.cov(to_numpy(X).T, bias=True)
    assert covariance(family, theta).trace() == pytest.approx(S.trace(), rel=1e-10)


@every_shape
def test_the_likelihood_is_stationary_at_its_maximum_and_no_neighbour_has_more(xp, n, d, k):
    X, family = data(xp, n, d), ProbabilisticPCAFamily(d, k)
    theta = family.mle(X)
    log_p, backward = family.log_prob(theta, X)
    sigma, rng = math.exp(float(theta[-1])), numpy.random.default_rng(0)
    assert abs(to_numpy(backward(xp.ones(n) / n))).max() * sigma < 1e-6
    for size in (1e-3, 1e-2, 0.1, 1):
        for _ in range(10):
            step = xp.asarray(size * sigma * rng.standard_normal(family.n_parameters))
            assert float(family.log_prob(theta + step, X)[0].sum()) < float(log_p.sum())


def test_the_closed_form_equals_the_gradient_route():
    X, family = data(numpy, 200, 3), ProbabilisticPCAFamily(3, 1)
    theta = maximum_likelihood(family, X, numpy.random.default_rng(0), "gradient")
    best = family.mle(X)
    assert (maximum_likelihood(family, X) == best).all()
    numpy.testing.assert_allclose(covariance(family, theta), covariance(family, best), rtol=1e-3,
                                  atol=1e-4)


def test_nothing_is_larger_than_d_by_k_or_the_data():
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


@pytest.mark.parametrize("make, error, message", [
    (lambda: ProbabilisticPCAFamily(3, 3), ValueError, "k must be less than d = 3, got 3"),
    (lambda: ProbabilisticPCAFamily(1, 1), ValueError, "d must be at least 2, got 1"),
    (lambda: ProbabilisticPCAFamily(3, 0), ValueError, "k must be at least 1, got 0"),
    (lambda: ProbabilisticPCAFamily(3, 1.5), TypeError, "k must be a whole number, got 1.5"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.ones(6)), ValueError,
     r"theta must be an array of shape \(7,\), got \(6,\)"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.full(7, math.nan)), ValueError, "theta holds nan"),
    (lambda: ProbabilisticPCAFamily(3, 1).log_prob(numpy.ones(6), numpy.ones((1, 3))), ValueError,
     r"theta must be an array of shape \(7,\), got \(6,\)"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.ones(7)).log_prob(numpy.ones((1, 2))), ValueError,
     "X has 2 columns"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.ones(7)).decode(numpy.ones((1, 2))), ValueError,
     "Z has 2 columns"),
    (lambda: ProbabilisticPCAFamily(3, 1).mle(numpy.ones((5, 2))), ValueError, "X has 2 columns"),
    (lambda: ProbabilisticPCAFamily(3, 2).mle(data(numpy, 9, 2) @ numpy.eye(2, 3)), ValueError,
     "X lies in a plane of 2 dimensions or fewer, so its likelihood has no maximum"),
    (lambda: ProbabilisticPCAFamily(5, 3).mle(data(numpy, 4, 5)), ValueError, "plane of 3 dim"),
    (lambda: ProbabilisticPCAFamily(5, 4).mle(data(numpy, 3, 5)), ValueError, "plane of 4 dim"),
    (lambda: ProbabilisticPCAFamily(3, 1).mle(numpy.full((1000, 3), 0.1)), ValueError,
     "X must vary, but its 1000 rows are all equal"),
    (lambda: ProbabilisticPCAFamily(3, 1)(numpy.ones(7)).sample(
        -1, numpy.random.default_rng(0)), ValueError, "n must be at least 0, got -1"),
])
def test_what_probabilistic_pca_cannot_do_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


# Autoencoder: the loss

@every_size
@every_activation
def test_the_gradient_of_the_error_is_that_of_central_differences(
        xp, make_rng, sizes, activation):
    family = AutoencoderFamily(sizes, activation)
    theta, X = theta_and_X(family, make_rng)

    def loss(theta):
        value, dtheta = family.loss(theta, X)
        return value, lambda cotangent: cotangent * dtheta

    check_gradient(loss, theta, rng=make_rng(1))


@every_size
def test_the_loss_is_the_error_of_reconstruction(xp, make_rng, sizes):
    family = AutoencoderFamily(sizes)
    theta, X = theta_and_X(family, make_rng)
    model = family(theta)
    assert isinstance(model, Autoencoder)
    Z = model.encode(X)
    assert Z.shape == (9, sizes[-1]) and model.decode(Z).shape == (9, sizes[0])
    assert array_module(Z) is array_module(model.decode(Z)) is xp
    value, dtheta = family.loss(theta, X)
    assert float(value) == pytest.approx(error(model, X), rel=1e-12)
    assert dtheta.shape == theta.shape == (family.n_parameters,)


def test_the_loss_never_waits_for_the_device(device):
    family = AutoencoderFamily((4, 6, 2))
    theta, X = theta_and_X(family, device.random.default_rng)
    with stand_in_cupy.counted() as n:
        family.loss(theta, X)
    assert n.waits == 0


def test_a_step_of_training_never_waits_for_the_device(device):
    family = AutoencoderFamily((4, 6, 2))
    steps = family.train(theta_and_X(family, device.random.default_rng)[1],
                         device.random.default_rng(0))
    check_a_step_never_waits(steps)


def test_an_autoencoder_is_no_density_and_a_pushforward_only_a_sampler(make_rng):
    family = AutoencoderFamily((3, 2))
    model = family(family.initial_theta(make_rng(0)))
    push = Pushforward(Normal(*(to_numpy(a) for a in (numpy.zeros(2), numpy.eye(2)))), model.decode)
    assert not any(hasattr(model, name) for name in ("log_prob", "sample"))
    assert hasattr(push, "sample") and not hasattr(push, "log_prob")


# Autoencoder: changes of units

@every_size
def test_a_rescaled_theta_does_in_other_units_what_theta_does(xp, make_rng, sizes):
    family = AutoencoderFamily(sizes)
    theta, X = theta_and_X(family, make_rng)
    mu, scale = make_rng(4).standard_normal(family.d), 3.5
    other = family.rescaled(theta, mu, scale)
    model, rescaled = family(theta), family(other)
    units = scale * X + mu
    numpy.testing.assert_allclose(to_numpy(rescaled.encode(units)), to_numpy(model.encode(X)),
                                  rtol=1e-10, atol=1e-11)
    numpy.testing.assert_allclose(to_numpy(rescaled.decode(rescaled.encode(units))),
                                  to_numpy(scale * model.decode(model.encode(X)) + mu),
                                  rtol=1e-10, atol=1e-11)
    back = family.rescaled(other, -mu / scale, 1 / scale)
    numpy.testing.assert_allclose(to_numpy(back), to_numpy(theta), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("sizes", [(5, 2), (4, 6, 2), (6, 5, 4, 1)])
def test_whitened_codes_are_standard_and_the_reconstructions_stay(xp, make_rng, sizes):
    family = AutoencoderFamily(sizes)
    theta, X = theta_and_X(family, make_rng, n=60)
    white, model = family(family.whitened(theta, X)), family(theta)
    Z = to_numpy(white.encode(X))
    numpy.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-10)
    numpy.testing.assert_allclose(Z.T @ Z / 60, numpy.eye(sizes[-1]), atol=1e-10)
    new = make_rng(5).standard_normal((20, family.d))
    for rows in (X, new):
        numpy.testing.assert_allclose(to_numpy(white.decode(white.encode(rows))),
                                      to_numpy(model.decode(model.encode(rows))), rtol=1e-9,
                                      atol=1e-9)


def test_codes_on_a_line_cannot_be_whitened():
    family = AutoencoderFamily((3, 2))
    theta = family.initial_theta(numpy.random.default_rng(0))
    theta[:6] = numpy.repeat(theta[:3], 2)                  # both codes alike
    with pytest.raises(ValueError, match="positive definite"):
        family.whitened(theta, data(numpy, 20, 3))


# Autoencoder: training

def test_a_linear_autoencoder_finds_the_plane_of_principal_components(make_rng):
    X, family = data(numpy, 300, 6), AutoencoderFamily((6, 2))
    best = PrincipalComponents.fit(X, 2)
    theta = last_theta(family.train(X, numpy.random.default_rng(1), Adam(0.01), batch=300,
                                    max_steps=1500))
    assert error(best, X) < error(family(theta), X) < 1.05 * error(best, X)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_curved_surface_is_much_nearer_to_new_tins_than_a_plane(seed):
    """Some twenty times in the error, at resolution 8."""
    rng = numpy.random.default_rng(seed)
    X, new = (BiscuitTins(n, rng, 8).images.astype("float32") for n in (1000, 500))
    family = AutoencoderFamily((64, 64, 32, 2))
    theta = last_theta(family.train(X, rng, batch=64, max_steps=2000))
    assert theta.dtype == numpy.float32
    assert error(family(theta), new) < error(PrincipalComponents.fit(X, 2), new) / 8


def test_the_loss_of_a_step_is_in_the_units_of_the_data(make_rng):
    """Two rows only, 500 times each: about the same error on every large batch."""
    X = numpy.tile(data(numpy, 2, 4), (500, 1)) * 100
    family = AutoencoderFamily((4, 3, 1))
    steps = list(family.train(X, numpy.random.default_rng(0), batch=1000, max_steps=30))
    for before, after in itertools.pairwise(steps):
        assert float(after.loss) == pytest.approx(error(family(before.theta), X), rel=0.3)
    assert [step.step for step in steps] == list(range(30))


def test_training_stays_where_the_data_are_and_in_their_precision(xp, make_rng):
    family = AutoencoderFamily((4, 5, 2))
    for dtype in ("float32", "float64"):
        X = data(xp, 30, 4).astype(dtype)
        for step in family.train(X, make_rng(0), batch=8, max_steps=3):
            assert array_module(step.theta, step.loss) is xp and step.theta.dtype == dtype
        model = family(step.theta)
        assert model.encode(X).dtype == model.decode(model.encode(X)).dtype == dtype


def test_a_stopped_training_leaves_a_theta_to_go_on_from(make_rng):
    X, family = data(numpy, 200, 5), AutoencoderFamily((5, 8, 2))
    for step in family.train(X, numpy.random.default_rng(0), max_steps=1000):
        if step.step == 300:
            break
    stopped = step.theta
    middle = error(family(stopped), X)
    start = family.rescaled(family.initial_theta(numpy.random.default_rng(0)), X.mean(axis=0), 1.0)
    assert middle < 0.1 * error(family(start), X)
    first, *_, last = family.train(X, numpy.random.default_rng(1), batch=200, max_steps=500,
                                   theta=stopped)
    assert float(first.loss) == pytest.approx(middle, rel=0.5)      # of 200 random rows
    assert error(family(last.theta), X) < middle


def test_going_on_with_no_step_to_speak_of_keeps_theta():
    X, family = data(numpy, 50, 5), AutoencoderFamily((5, 4, 2))
    theta = family.initial_theta(numpy.random.default_rng(0))
    kept = theta.copy()
    step = next(family.train(X, numpy.random.default_rng(1), Adam(1e-12), theta=theta))
    numpy.testing.assert_allclose(step.theta, theta, rtol=1e-8, atol=1e-8)
    assert (theta == kept).all()


def test_training_is_made_by_its_seed_and_changes_no_theta_it_gave():
    X, family = data(numpy, 50, 5), AutoencoderFamily((5, 4, 2))
    X.flags.writeable = False
    thetas, copies = [], []
    for step in family.train(X, numpy.random.default_rng(0), batch=10, max_steps=20):
        thetas.append(step.theta)
        copies.append(step.theta.copy())
    assert all((a == b).all() for a, b in zip(thetas, copies, strict=True))
    again = last_theta(family.train(X, numpy.random.default_rng(0), batch=10, max_steps=20))
    assert (again == thetas[-1]).all() and (thetas[0] != thetas[1]).any()


@every_size
def test_models_keep_their_own_theta(xp, make_rng, sizes):
    for family in (AutoencoderFamily(sizes), ProbabilisticPCAFamily(4, 2)):
        theta, X = theta_and_X(family, make_rng)
        model = family(theta)
        before = model.encode(X), model.decode(model.encode(X))
        theta += 1
        after = model.encode(X), model.decode(model.encode(X))
        assert all(to_numpy(a == b).all() for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("make", [lambda: AutoencoderFamily((4, 3, 2)),
                                  lambda: ProbabilisticPCAFamily(4, 2)])
def test_theta_and_X_are_only_read(make):
    family = make()
    theta, X = theta_and_X(family, numpy.random.default_rng)
    theta.flags.writeable = X.flags.writeable = False
    if isinstance(family, AutoencoderFamily):
        family.loss(theta, X)
        family.rescaled(theta, X[0], 2.0)
        family.whitened(theta, X)
    else:
        family.log_prob(theta, X)[1](numpy.ones(len(X)))
        family.mle(X)
    model = family(theta)
    model.decode(model.encode(X))


@pytest.mark.parametrize("make", [lambda: AutoencoderFamily((4, 3, 2)),
                                  lambda: ProbabilisticPCAFamily(4, 2)])
def test_a_start_lives_where_its_generator_does(xp, make_rng, make):
    family = make()
    theta, again = family.initial_theta(make_rng(0)), family.initial_theta(make_rng(0))
    assert theta.shape == (family.n_parameters,) and array_module(theta) is xp
    assert to_numpy(theta == again).all()
    single = AutoencoderFamily((4, 3, 2)).initial_theta(make_rng(0), "float32")
    assert single.dtype == numpy.float32


def test_single_precision_goes_in_and_comes_out(xp, make_rng):
    family = ProbabilisticPCAFamily(4, 2)
    theta, X = (a.astype("float32") for a in theta_and_X(family, make_rng))
    p = family(theta)
    log_p, backward = family.log_prob(theta, X)
    arrays = (log_p, backward(log_p), p.encode(X), p.decode(p.encode(X)), family.mle(X),
              p.sample(3, make_rng(0)), PrincipalComponents.fit(X, 2).encode(X))
    assert {a.dtype for a in arrays} == {numpy.dtype("float32")}


def test_arrays_on_two_devices_are_refused(device):
    X = data(numpy, 20, 4)
    on_device = device.asarray(X)
    plane = PrincipalComponents.fit(X, 2)
    with pytest.raises(TypeError):
        plane.encode(on_device)
    with pytest.raises(TypeError):
        plane.decode(on_device[:, :2])
    for family in (AutoencoderFamily((4, 3, 2)), ProbabilisticPCAFamily(4, 2)):
        theta, _ = theta_and_X(family, numpy.random.default_rng)
        for model, rows in ((family(theta), on_device), (family(device.asarray(theta)), X)):
            for mapping in (lambda rows, p=model: p.encode(rows),
                            lambda rows, p=model: p.decode(rows[:, :2])):
                with pytest.raises(TypeError):
                    mapping(rows)
    with pytest.raises(TypeError):
        ProbabilisticPCAFamily(4, 2).log_prob(numpy.ones(13), on_device)
    with pytest.raises(TypeError):
        directions(X, on_device[:, :1], X[0], k=10)


@pytest.mark.parametrize("make, error, message", [
    (lambda: AutoencoderFamily((3,)), ValueError, r"sizes must be \(d, ..., k\), got \(3,\)"),
    (lambda: AutoencoderFamily((3, 0)), ValueError, "sizes must be at least 1, got 0"),
    (lambda: AutoencoderFamily((3, 2.5)), TypeError, "sizes must be a whole number, got 2.5"),
    (lambda: AutoencoderFamily((3, 2), "sine"), ValueError,
     "activation must be one of tanh, relu, softplus, got 'sine'"),
    (lambda: AutoencoderFamily((3, 2))(numpy.ones(5)), ValueError,
     r"theta must be an array of shape \(17,\), got \(5,\)"),
    (lambda: AutoencoderFamily((3, 2)).loss(numpy.ones(5), numpy.ones((2, 3))), ValueError,
     r"theta must be an array of shape \(17,\), got \(5,\)"),
    (lambda: AutoencoderFamily((3, 2))(numpy.ones(17)).encode(numpy.ones((1, 2))), ValueError,
     "X has 2 columns"),
    (lambda: AutoencoderFamily((3, 2))(numpy.ones(17)).decode(numpy.ones((1, 3))), ValueError,
     "Z has 3 columns"),
    (lambda: AutoencoderFamily((3, 2))(numpy.ones(17)).encode([[math.nan] * 3]), ValueError,
     "X holds nan"),
])
def test_what_an_autoencoder_cannot_do_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("X, options, error, message", [
    (numpy.full((1000, 3), 0.1), {}, ValueError, "X must vary, but its 1000 rows are all equal"),
    (numpy.ones((1, 3)), {}, ValueError, "X must vary"),
    (numpy.eye(4), {}, ValueError, "X has 4 columns"),
    (numpy.zeros((0, 3)), {}, ValueError, "X is empty"),
    (numpy.full((2, 3), math.nan), {}, ValueError, "X holds nan"),
    (numpy.eye(3), {"batch": 0}, ValueError, "batch must be at least 1, got 0"),
    (numpy.eye(3), {"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
])
def test_what_no_autoencoder_learns_from_is_refused(X, options, error, message):
    with pytest.raises(error, match=message):
        next(AutoencoderFamily((3, 2)).train(X, numpy.random.default_rng(0), **options))


# Walks in latent space

def test_an_interpolation_ends_at_the_reconstructions_of_its_ends(xp, make_rng):
    family = AutoencoderFamily((4, 6, 2))
    theta, X = theta_and_X(family, make_rng)
    model = family(theta)
    path = interpolate(model, X[0], X[1], 5)
    assert path.shape == (5, 4) and array_module(path) is xp
    numpy.testing.assert_allclose(to_numpy(path[[0, 4]]),
                                  to_numpy(model.decode(model.encode(X[:2]))), rtol=1e-12)
    middle = model.decode(model.encode(X[:2]).mean(axis=0)[None])
    numpy.testing.assert_allclose(to_numpy(path[2]), to_numpy(middle[0]), rtol=1e-12)


def test_directions_of_linear_codes_are_their_matrix(xp, make_rng):
    rng = make_rng(0)
    attributes, B = rng.random((300, 3)), rng.standard_normal((3, 2))
    Z = attributes @ B + 5
    found = directions(Z, attributes, Z[7], k=40)
    assert array_module(found) is xp and found.shape == (3, 2)
    numpy.testing.assert_allclose(to_numpy(found), to_numpy(B), rtol=1e-9, atol=1e-9)


def test_directions_of_curved_codes_are_their_derivative():
    rng = numpy.random.default_rng(0)
    A = rng.random((20_000, 2))
    Z = numpy.stack([numpy.sin(2 * A[:, 0]) + A[:, 1], A[:, 0] - A[:, 1]**2], axis=1)
    for i in numpy.nonzero((abs(A - 0.5) < 0.3).all(axis=1))[0][:5]:
        a, b = A[i]
        expected = [[2 * math.cos(2 * a), 1], [1, -2 * b]]
        numpy.testing.assert_allclose(directions(Z, A, Z[i]), expected, atol=0.05)


def test_a_direction_is_the_other_attributes_held_fixed():
    """Two attributes that go together: regressing on one alone would give 1 + 0.9."""
    rng = numpy.random.default_rng(1)
    a = rng.standard_normal(1000)
    A = numpy.stack([a, 0.9 * a + 0.4 * rng.standard_normal(1000)], axis=1)
    Z = A.sum(axis=1, keepdims=True)
    numpy.testing.assert_allclose(directions(Z, A, Z[0]), [[1], [1]], rtol=1e-8)


@pytest.mark.parametrize("attributes, z, k, message", [
    (numpy.ones((50, 1)), numpy.zeros(2), 20, "attributes near z must vary independently"),
    (numpy.arange(100).reshape(50, 2), numpy.zeros(2), 20, "than k = 20"),
    (numpy.eye(50)[:, :2], numpy.zeros(2), 2, "than k = 2, or other attributes"),
    (numpy.ones((49, 1)), numpy.zeros(2), 20, r"a row for each of the 50 rows of Z, got shape"),
    (numpy.ones(50), numpy.zeros(2), 20, r"got shape \(50,\)"),
    (numpy.ones((50, 1)), numpy.zeros(3), 20, "X has 3 columns"),
    (numpy.ones((50, 1)), numpy.zeros(2), 51, "k must lie between 1 and the 50 rows"),
    (numpy.full((50, 1), math.nan), numpy.zeros(2), 20, "attributes holds nan"),
])
def test_attributes_that_determine_no_direction_are_refused(attributes, z, k, message):
    with pytest.raises(ValueError, match=message):
        directions(numpy.random.default_rng(0).standard_normal((50, 2)), attributes, z, k)


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


def test_e24_the_mean_of_two_tins_is_a_tin_in_latent_space_and_none_in_pixels(tins):
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
    tin was encoded, and the worst twentieth of what it decodes to is none."""
    model, X, distance = tins
    Z, rng = model.encode(X), numpy.random.default_rng(2)
    numpy.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-3)
    numpy.testing.assert_allclose(Z.T @ Z / len(Z), numpy.eye(2), atol=1e-2)

    family = MixtureFamily(10, 2)
    densities = {
        "by decree": Normal(numpy.zeros(2, "float32"), numpy.eye(2)),
        "mixture": family(maximum_likelihood(family, Z.astype(float), rng, "em")),
        "kernels": KernelDensity(Z, 0.1)}
    worst = {name: numpy.percentile(distance(Pushforward(p_z, model.decode).sample(2000, rng)), 95)
             for name, p_z in densities.items()}
    assert worst["by decree"] > 2 * worst["mixture"]
    assert worst["by decree"] > 2 * worst["kernels"]


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
