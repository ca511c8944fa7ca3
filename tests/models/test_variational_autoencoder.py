"""Variational autoencoder: its gradient, and its bounds where log p(x) is known exactly."""

import math
from functools import partial

import numpy
import pytest
from gradient import check_gradient
from numpy.random import default_rng
from scipy import stats
from training_checks import (
    check_a_step_never_waits,
    check_refusals,
    check_the_value_is_the_callers,
)

from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.networks.network import Network
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.probability.density import Normal
from gdl_numpy.representation.principal_components import ProbabilisticPCAFamily
from gdl_numpy.world.world_map import WorldMap

every_noise = pytest.mark.parametrize("noise", ["constant", "output"])


def vae(d, k, hidden, F=None, G=None, noise="constant", activation="tanh", bound=None, **options):
    """The family whose decoder has the layers of its encoder in reverse."""
    d_out = d if noise == "constant" else 2 * d
    return VariationalAutoencoderFamily(
        Network((d, *hidden, 2 * k), activation, F, bound),
        Network((k, *hidden[::-1], d_out), activation, G, bound), **options)


def network(d=2, k=2, m=3, **options):
    F, G = (wave_vectors(size, m, (1.0,), default_rng(1)) if m else None for size in (d, k))
    return vae(d, k, (6, 5), F, G, **options)


def theta_and_X(family, n=6):
    rng = default_rng(3)
    return (family.initial_theta(rng) + 0.1 * rng.standard_normal(family.n_parameters),
            rng.standard_normal((n, family.d)))


def within_6_standard_errors(values, expected):
    """A false alarm in 500 million, for each mean of a column."""
    return (abs(values.mean(axis=0) - expected)
            <= 6 * values.std(axis=0, ddof=1) / math.sqrt(len(values))).all()


# The bound and its gradient

@every_noise
@pytest.mark.parametrize("d, k, m, n_samples", [(1, 1, 0, 1), (3, 2, 0, 4), (2, 3, 3, 1),
                                                (2, 1, 3, 5)])
def test_the_gradient_is_that_of_central_differences(noise, d, k, m, n_samples):
    family = network(d, k, m, noise=noise, floor=0.1)
    theta, X = theta_and_X(family)
    check_gradient(lambda theta: family.importance_weighted(theta, X, default_rng(5), n_samples),
                   theta, rng=default_rng(6))
    if n_samples == 1:
        check_gradient(lambda theta: family.elbo(theta, X, default_rng(5)), theta,
                       rng=default_rng(6))


@every_noise
@pytest.mark.parametrize("m", [1, 3])
def test_the_calmer_gradient_has_the_same_mean_and_leaves_the_decoders_part_as_it_is(noise, m):
    """Each difference is a mean over 100 rows, so that its errors are nearly normal."""
    family = network(noise=noise, floor=0.3)
    theta, _ = theta_and_X(family)
    X, differences = default_rng(3).standard_normal((100, 2)), []
    for seed in range(400):
        plain, calmer = (family.loss(theta, X, default_rng(seed), m, calmer)[1]
                         for calmer in (False, True))
        *decoder, encoder = family.parts(calmer - plain)
        assert all((part == 0).all() for part in decoder) and (encoder != 0).any()
        differences.append(encoder)
    assert within_6_standard_errors(numpy.array(differences), 0)


@pytest.mark.parametrize("m", [1, 4])
def test_the_calmer_gradient_of_a_perfect_guess_is_0_for_each_draw(m):
    """p(x) = N(x; 0, 2) of `elbo`'s example, whose posterior is N(z; x/2, 1/2)."""
    family = vae(1, 1, (), floor=0.0)
    theta = numpy.array([1, 0, 0, 0.5, 0, 0, -0.5 * math.log(2)])
    X, rng = numpy.array([[2.0], [-0.3]]), default_rng(0)
    _, backward = family.importance_weighted(theta, X, rng, m)
    plain, calmer = (family.parts(backward(numpy.ones(2), calmer=calmer))[2]
                     for calmer in (False, True))
    assert abs(calmer).max() < 1e-14 and abs(plain).max() > 0.1


# The linear start

def relu_vae(d, k, noise, bound=None):
    F = wave_vectors(d, 4, (1.0,), default_rng(1))
    return vae(d, k, (9, 8), F, noise=noise, activation="relu", bound=bound, floor=0.05)


@every_noise
@pytest.mark.parametrize("d, k, c", [(2, 2, 1.0), (1, 1, 0.6), (3, 2, 0.5), (1, 3, 2.0)])
def test_at_a_linear_start_without_chance_each_draw_gives_the_density_of_a_normal(d, k, c, noise):
    """x_i = c z_i + s ε with s = 0.05 + 1/10, or s ε alone where there is no z_i."""
    family, m = relu_vae(d, k, noise), min(d, k)
    theta, X = family.linear_theta(default_rng(0), c=c, small=0), default_rng(2).random((30, d))
    variance = numpy.full(d, 0.15**2)
    variance[:m] += c**2
    log_p = stats.norm.logpdf(X, 0, numpy.sqrt(variance)).sum(axis=1)
    for n_samples in (1, 5):
        bound = family(theta).importance_weighted(X, default_rng(3), n_samples)
        numpy.testing.assert_allclose(bound, log_p, rtol=1e-10)
    (mu, log_sigma), _ = family.encode(theta, X)
    assert (mu[:, m:] == 0).all() and (log_sigma[:, m:] == 0).all()


@every_noise
def test_at_a_linear_start_with_a_little_chance_the_guess_is_nearly_the_posterior(noise):
    """The ELBO falls short of the bound of 500 draws by 0.01 nats or so; with the usual chance by
    more, which reaches both networks."""
    family = relu_vae(2, 2, noise, bound=20.0)
    X, gaps = default_rng(2).standard_normal((400, 2)), {}
    for small in (0.0, 0.01, 0.1):
        p = family(family.linear_theta(default_rng(0), small=small))
        gaps[small] = (p.importance_weighted(X, default_rng(1), 500)
                       - p.elbo(X, default_rng(1))).mean()
    assert gaps[0.01] < 0.05 < gaps[0.1] < 3 and abs(gaps[0.0]) < 0.01
    default, without = (family.parts(family.linear_theta(default_rng(0), **options))
                        for options in ({}, {"small": 0}))
    assert all((a != b).any() for a, b in zip(default, without, strict=True) if len(a) > 2)
    assert (family.linear_theta(default_rng(0), c=1.0) == p.theta).all()


def test_a_linear_start_is_random_has_the_dtype_asked_for_and_can_be_trained_from():
    family = relu_vae(2, 2, "output")
    one, two, other = (family.linear_theta(default_rng(seed), "float32") for seed in (0, 0, 1))
    assert (one == two).all() and (one != other).any() and one.dtype == "float32"
    X = default_rng(2).standard_normal((50, 2)).astype("float32")
    *_, last = family.train(X, default_rng(3), max_steps=3, theta=one)
    assert last.theta.dtype == "float32" and (last.theta != one).any()


@pytest.mark.parametrize("c", [1e-300, 1e300])
def test_a_linear_start_of_the_largest_and_the_smallest_c_is_finite(c):
    assert numpy.isfinite(relu_vae(2, 2, "output").linear_theta(default_rng(0), c=c)).all()


def test_a_linear_start_is_refused_to_networks_that_are_not_fit_for_it_and_c_must_be_positive():
    right, wrong = Network((2, 4, 4), "relu"), Network((2, 4, 4), "tanh")
    rng, before = default_rng(0), str(default_rng(0).bit_generator.state)
    for name, family in (("encoder", VariationalAutoencoderFamily(wrong, right)),
                         ("decoder", VariationalAutoencoderFamily(right, wrong))):
        with pytest.raises(ValueError, match=f"^{name} must have relu and at least 4 units"):
            family.linear_theta(rng)
        assert str(rng.bit_generator.state) == before       # nothing was drawn
    for c in (0, -1.0, math.inf):
        with pytest.raises(ValueError, match=r"c must lie in \(0, inf\)"):
            relu_vae(2, 2, "output").linear_theta(default_rng(0), c=c)


# Values and samples

@every_noise
def test_changing_the_returned_values_in_place_leaves_their_gradients_right(noise):
    family = network(3, 2, noise=noise)
    theta, X = theta_and_X(family)
    check_the_value_is_the_callers(family.encode, theta, X)
    for m in (1, 4):
        check_the_value_is_the_callers(
            lambda *args, m=m: family.importance_weighted(*args, default_rng(5), m), theta, X)
    (_, s), backward = family.decode(theta, X[:, :2])
    expected = backward(X, X)
    s += 1
    assert all((a == b).all() for a, b in zip(expected, backward(X, X), strict=True))


@every_noise
def test_samples_are_those_of_one_pass_of_the_decoder(monkeypatch, noise):
    """All z are drawn first, then the noise: in whatever blocks they are decoded."""
    family = network(3, 2, noise=noise)
    theta, rng = theta_and_X(family)[0], default_rng(4)
    (X_hat, s), _ = family.decode(theta, rng.standard_normal((20, 2)))
    expected = X_hat + s * rng.standard_normal((20, 3))
    for rows in (7, 20):
        monkeypatch.setattr("gdl_numpy.models.variational_autoencoder.in_blocks",
                            lambda function, n, _, rows=rows: in_blocks(function, n, rows))
        X = family(theta).sample(20, default_rng(4))
        numpy.testing.assert_allclose(X, expected, rtol=1e-12)


@every_noise
def test_the_weights_are_joint_density_over_guess(noise):
    """p(x|z) p(z)/q(z|x) with normal densities of SciPy."""
    family, m = network(3, 2, noise=noise), 4
    theta, X = theta_and_X(family)
    (mu, log_sigma), _ = family.encode(theta, X)
    Z = mu + numpy.exp(log_sigma) * numpy.random.default_rng(5).standard_normal((m, len(X), 2))
    log_w = numpy.empty((m, len(X)))
    for i in range(m):
        (X_hat, s), _ = family.decode(theta, Z[i])
        log_w[i] = (stats.norm.logpdf(X, X_hat, s).sum(axis=1) + stats.norm.logpdf(Z[i]).sum(axis=1)
                    - stats.norm.logpdf(Z[i], mu, numpy.exp(log_sigma)).sum(axis=1))
    bound, _ = family.importance_weighted(theta, X, numpy.random.default_rng(5), m)
    numpy.testing.assert_allclose(bound, numpy.log(numpy.exp(log_w).mean(axis=0)), rtol=1e-10)
    elbo, _ = family.elbo(theta, X, numpy.random.default_rng(6))
    one, _ = family.importance_weighted(theta, X, numpy.random.default_rng(6), 1)
    assert (elbo == one).all()


@pytest.mark.parametrize("z_at_once, rows", [(21, 3), (1, 1)])
def test_many_rows_are_bounded_some_at_a_time(z_at_once, rows):
    family = network()
    theta, X = theta_and_X(family)
    rng = default_rng(4)
    expected = [family.importance_weighted(theta, X[i:i + rows], rng, 7)[0]
                for i in range(0, len(X), rows)]
    in_parts = family(theta).importance_weighted(X, default_rng(4), 7, z_at_once)
    assert in_parts.tolist() == numpy.concatenate(expected).tolist()


@every_noise
def test_the_bounds_of_a_member_are_those_of_its_family(noise):
    """The ELBO is the bound from one draw of z, and not from more."""
    family = network(noise=noise)
    theta, X = theta_and_X(family)
    p = family(theta)
    assert (p.elbo(X, default_rng(4)) == family.elbo(theta, X, default_rng(4))[0]).all()
    bounds = [call(X, default_rng(4), 5) for call in (
        p.importance_weighted, lambda *args: family.importance_weighted(theta, *args)[0])]
    assert (bounds[0] == bounds[1]).all() and (bounds[0] != p.elbo(X, default_rng(4))).all()


def on_a_grid(p, X, half=7.0, cells=4001):
    """log ∫ p(x, z) dz by a sum over z in R^1, for each row of X."""
    z, step = numpy.linspace(-half, half, cells, retstep=True)
    (X_hat, s), _ = p.family.decode(p.theta, z[:, None])
    joint = stats.norm.logpdf(X[:, None], X_hat, s).sum(axis=2) + stats.norm.logpdf(z)
    return numpy.log(numpy.exp(joint).sum(axis=1) * step)


@every_noise
def test_the_bounds_rise_to_the_log_density(noise):
    """With k = 1, where p(x) is a sum over a grid of z: w is unbiased, and the means of the bounds
    are in order. 3,000 draws, 6 standard errors."""
    family = network(2, 1, noise=noise, floor=0.8)
    theta, X = theta_and_X(family, n=3)
    p, rng = family(theta), numpy.random.default_rng(1)
    log_p = on_a_grid(p, X)
    rows = X.repeat(3000, axis=0)
    bounds = {m: p.importance_weighted(rows, rng, m).reshape(3, 3000).T for m in (1, 4, 64)}
    assert within_6_standard_errors(numpy.exp(bounds[64] - log_p), 1)
    means = [b.mean(axis=0) for b in bounds.values()] + [log_p]
    errors = [b.std(axis=0) / math.sqrt(3000) for b in bounds.values()] + [0 * log_p]
    for i in range(2):
        assert (means[i] + 6 * numpy.hypot(errors[i], errors[i + 1]) < means[i + 1]).all()
    assert (abs(means[2] - log_p) < 0.3).all()


def test_samples_have_the_density():
    """k = 1: the moments of 20,000 samples against those of the mixture over a grid of z."""
    family = network(2, 1, noise="output")
    theta, _ = theta_and_X(family)
    p = family(theta)
    X = p.sample(20_000, numpy.random.default_rng(2))
    z, step = numpy.linspace(-7, 7, 2001, retstep=True)
    (X_hat, s), _ = family.decode(theta, z[:, None])
    mass = stats.norm.pdf(z) * step
    assert within_6_standard_errors(X, mass @ X_hat)
    assert within_6_standard_errors(X**2, mass @ (X_hat**2 + s**2))
    assert within_6_standard_errors(X[:, 0] * X[:, 1], mass @ (X_hat[:, 0] * X_hat[:, 1]))


def test_the_mean_gradient_of_a_tight_bound_is_0_for_samples_of_the_model():
    """The gradient of the bound with many draws, here of a guess that is the prior, is nearly that
    of log p: 100 batches of 50, each coordinate of the decoder within 6 standard errors."""
    family, rng = vae(2, 1, (3,)), numpy.random.default_rng(0)
    theta, _ = theta_and_X(family)
    theta[family.decoder.n_parameters:] = 0                              # s = 1, µ = 0, σ = 1
    p = family(theta)

    def mean_gradients(X):
        _, backward = family.importance_weighted(theta, X, rng, 200)
        return backward(numpy.full(len(X), 1 / len(X)))[:-family.encoder.n_parameters]

    gradients = numpy.array([mean_gradients(p.sample(50, rng)) for _ in range(100)])
    assert within_6_standard_errors(gradients, 0)
    wide = numpy.array([mean_gradients(1.2 * p.sample(50, rng)) for _ in range(100)])
    assert not within_6_standard_errors(wide, 0)


# Erratum E34: the linear case

def M_inverse(p):
    """M⁻¹ for M = Wᵀ W + σ² I of a ProbabilisticPCA: its posterior is N((x - µ) W M⁻¹, σ² M⁻¹)."""
    return numpy.linalg.inv(p.W.T @ p.W + p.sigma**2 * numpy.eye(p.W.shape[1]))


def linear_case(d=4, k=2, n=40, sigma_factor=1.0, shift=0.0):
    """Probabilistic PCA at θ̂, and the linear VAE with its decoder and, as q, its posterior with σ
    times `sigma_factor` and µ plus `shift`; and the data."""
    rng = numpy.random.default_rng(0)
    X = rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.random(d)
    pca = ProbabilisticPCAFamily(d, k)
    p = pca(pca.mle(X))
    family = vae(d, k, (), floor=0.0)
    A = p.W @ M_inverse(p)                                  # E[z|x] = (x - µ) W M⁻¹
    variance = p.sigma**2 * M_inverse(p)                    # W has orthogonal columns: diagonal
    assert abs(variance - numpy.diag(variance.diagonal())).max() < 1e-12
    theta = numpy.concatenate([
        p.W.T.ravel(), p.mu, numpy.zeros(d) + numpy.log(p.sigma),                  # decoder
        numpy.concatenate([A, 0 * A], axis=1).ravel(), shift - p.mu @ A,           # encoder
        0.5 * numpy.log(variance.diagonal()) + math.log(sigma_factor)])
    return p, family(theta), X


@pytest.mark.parametrize("d, k", [(4, 2), (5, 3), (3, 1)])
def test_e34_with_the_exact_posterior_each_draw_gives_log_p(d, k):
    p, vae, X = linear_case(d, k)
    for seed in range(3):
        for bound in (vae.elbo(X, default_rng(seed)),
                      vae.importance_weighted(X, default_rng(seed), 5)):
            numpy.testing.assert_allclose(bound, p.log_prob(X), rtol=1e-10)
    numpy.testing.assert_allclose(vae.encode(X), p.encode(X), atol=1e-12)
    Z = vae.encode(X)
    numpy.testing.assert_allclose(vae.decode(Z), p.decode(Z), rtol=1e-12)


@pytest.mark.parametrize("sigma_factor, shift", [(0.5, 0.0), (1.7, 0.0), (1.0, 0.3), (0.8, -0.5)])
def test_e34_the_gap_is_the_divergence_of_the_guess_from_the_posterior(sigma_factor, shift):
    """KL(q‖p(z|x)) = Σ_k ½ (f² + (shift/σ_k)² - 1) - log f, the same for each x; 1,000 draws of
    each of 40 rows, 6 standard errors."""
    p, vae, X = linear_case(sigma_factor=sigma_factor, shift=shift)
    variance = (p.sigma**2 * M_inverse(p)).diagonal()
    gap = (0.5 * (sigma_factor**2 + shift**2 / variance - 1) - math.log(sigma_factor)).sum()
    X = X.repeat(1000, axis=0)
    gaps = p.log_prob(X) - vae.elbo(X, default_rng(1))
    assert gap > 0.1 and within_6_standard_errors(gaps, gap)


def test_e34_the_joint_is_exact_and_its_integral_the_marginal():
    """k = 1: ∫ p(x, z) dz by a sum over z is log p(x) of probabilistic PCA."""
    p, vae, X = linear_case(d=3, k=1, n=10)
    numpy.testing.assert_allclose(on_a_grid(vae, X), p.log_prob(X), rtol=1e-8)


def test_e34_the_gradient_of_an_exact_bound_is_that_of_the_log_density():
    """At θ̂ the mean log p is stationary in µ and W, and the gap, which is 0, is least."""
    _, vae, X = linear_case()
    rng, family = default_rng(0), vae.family
    gradients = []
    for _ in range(200):
        _, backward = family.importance_weighted(vae.theta, X, rng, 8)
        gradients.append(backward(numpy.full(len(X), 1 / len(X))))
    gradients = numpy.stack(gradients)
    for part in (gradients[:, :family.decoder.n_parameters],
                 gradients[:, -family.encoder.n_parameters:]):
        assert within_6_standard_errors(part, 0)


def test_a_linear_vae_learns_probabilistic_pca():
    """Its bound on the training data comes within 0.05 nats of the maximum of log p."""
    rng = numpy.random.default_rng(0)
    X = rng.standard_normal((300, 3)) * numpy.array([1.5, 0.8, 0.3])
    family, pca = vae(3, 1, (), floor=0.0), ProbabilisticPCAFamily(3, 1)
    *_, last = family.train(X, rng, max_steps=1500, batch=100, learning_rate=0.02, averaging=0.98)
    bound = family(last.theta).importance_weighted(X, rng, 100).mean()
    best = pca(pca.mle(X)).log_prob(X).mean()
    assert bound > best - 0.05                              # s may differ by column, so above too


# Training

def ring(n, rng):
    angle = 2 * math.pi * rng.random(n)
    X = numpy.array([numpy.cos(angle), numpy.sin(angle)]).T + 0.05 * rng.standard_normal((n, 2))
    return X.astype("float32")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_raises_the_bound_on_new_data(seed):
    """To some 1.05 nats above a normal density; 0.4 is far from the noise of 1,000 rows, 0.05."""
    rng = numpy.random.default_rng(seed)
    X, new = ring(2000, rng), ring(1000, rng)
    family = vae(2, 2, (48, 48))
    before = family(family.initial_theta(rng, "float32")).importance_weighted(new, rng, 50).mean()
    *_, last = family.train(X, rng, max_steps=400, batch=64, learning_rate=4e-3, averaging=0.98,
                            n_samples=4)
    assert last.theta.dtype == "float32"
    after = family(last.theta).importance_weighted(new, rng, 50).mean()
    normal = Normal(X.mean(axis=0), numpy.cov(X.T)).log_prob(new).mean()
    assert before < normal < after - 0.4


def test_from_a_linear_start_training_is_ahead_of_all_random_starts():
    """Land of the map, three starts of each kind: after 60 steps by 0.2 nats or more."""
    X = WorldMap().sample(1000, default_rng(0)).astype("float32") / numpy.float32([90, 180])
    F = wave_vectors(2, 8, (0.5, 1, 2), default_rng(1))
    family = vae(2, 2, (32, 32), F, F, "output", "relu", bound=8.0, floor=5e-3)
    bounds = {}
    for seed in range(3):
        for name, start in (("random", family.initial_theta),
                            ("linear", partial(family.linear_theta, c=0.6))):
            rng = default_rng(seed)
            *_, last = family.train(X, rng, max_steps=60, n_samples=4, clip=5.0,
                                    theta=start(rng, "float32"))
            bound = family(last.theta).importance_weighted(X, default_rng(9), 10).mean()
            bounds.setdefault(name, []).append(float(bound))
    assert min(bounds["linear"]) > max(bounds["random"]) + 0.2


def test_a_variational_autoencoder_has_bounds_and_samples_but_no_log_prob():
    family = network(d=3, k=2)
    theta, X = theta_and_X(family)
    p = family(theta)
    theta += 1
    assert p.family is family and float(abs(p.theta - theta).min()) > 0.5       # it has a copy
    assert hasattr(p, "elbo") and not hasattr(p, "log_prob") and not hasattr(p, "energy")
    assert p.encode(X).shape == (6, 2) and p.decode(p.encode(X)).shape == (6, 3)
    assert p.sample(0, default_rng(0)).shape == (0, 3)
    assert p.elbo(X[:0], default_rng(0)).shape == (0,)


@every_noise
def test_the_noise_of_the_decoder_stays_above_its_floor(noise):
    family = network(noise=noise, floor=0.25)
    theta, Z = theta_and_X(family)
    (_, s), _ = family.decode(theta - 50, Z)
    assert (s >= 0.25).all()


# What is refused

@pytest.mark.parametrize("encoder, decoder, error, message", [
    (None, Network((1, 2)), TypeError, "encoder must be a Network, got None"),
    (Network((2, 2)), "linear", TypeError, "decoder must be a Network, got 'linear'"),
    (Network((2, 3)), Network((1, 2)), ValueError, "encoder must have d_out = 2k, .*, got 3"),
    (Network((2, 1)), Network((1, 2)), ValueError, "encoder must have d_out = 2k, .*, got 1"),
    (Network((2, 4)), Network((1, 2)), ValueError, "decoder must have d_in = 2, got 1"),
    (Network((2, 2)), Network((1, 3)), ValueError, "decoder must have d_out = 2 or 4, got 3"),
])
def test_networks_that_do_not_fit_are_refused(encoder, decoder, error, message):
    with pytest.raises(error, match=message):
        VariationalAutoencoderFamily(encoder, decoder)


@pytest.mark.parametrize("floor", [-0.1, math.nan, math.inf])
def test_a_floor_that_is_negative_or_not_finite_is_refused(floor):
    with pytest.raises(ValueError, match=rf"floor must lie in \[0, inf\), got {floor}"):
        vae(2, 1, (3,), floor=floor)


def test_wrong_arguments_are_refused():
    family = vae(2, 3, (3,))
    theta, X = theta_and_X(family)
    p, rng, wrong = family(theta), numpy.random.default_rng(0), numpy.ones((3, 4))
    for call in (lambda: p.elbo(wrong, rng), lambda: p.encode(wrong)):
        with pytest.raises(ValueError, match="X has 4 columns"):
            call()
    with pytest.raises(ValueError, match=r"Z has 4 columns.* R\^3"):
        p.decode(wrong)
    check_refusals(family, theta, X, rng)
    for call in (lambda: p.importance_weighted(X, rng, 0),
                 lambda: next(family.train(X, rng, n_samples=0))):
        with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
            call()
    for call in (lambda: p.elbo(X, None), lambda: p.importance_weighted(X, 3, 2),
                 lambda: family.elbo(theta, X, None), lambda: family.loss(theta, X, numpy.random),
                 lambda: family.importance_weighted(theta, X[:0], None, 2)):
        with pytest.raises(TypeError, match="rng must be a generator of random numbers"):
            call()
    with pytest.raises(ValueError, match="z_at_once must be at least 1, got 0"):
        p.importance_weighted(X, rng, 2, z_at_once=0)
    with pytest.raises(ValueError, match="theta must be an array of shape"):
        family.elbo(None, X, rng)
    with pytest.raises(ValueError, match="n must be at least 0, got -1"):
        p.sample(-1, rng)


# Contracts

@every_noise
def test_means_of_data_and_bounds_of_many_draws_live_where_theta_lives(xp, make_rng, noise):
    """In both precisions."""
    family = network(noise=noise)
    for dtype in ("float32", "float64"):
        theta, rng = family.initial_theta(make_rng(0), dtype), make_rng(1)
        X = rng.standard_normal((4, 2), dtype=dtype)
        p = family(theta)
        (mu, log_sigma), to_phi = family.encode(theta, X)
        (X_hat, s), to_theta = family.decode(theta, X)
        for array in (*family.loss(theta, X, rng, 3), p.importance_weighted(X, rng, 5, 8),
                      p.decode(X), mu, log_sigma, to_phi(mu, log_sigma), X_hat, s,
                      *to_theta(X_hat, X_hat)):
            assert array.dtype == dtype and array_module(array) is xp


@every_noise
def test_a_step_on_several_draws_never_waits_for_the_device(device, noise):
    rng = device.random.default_rng(0)
    family = network(noise=noise)
    check_a_step_never_waits(family.train(rng.standard_normal((6, 2)), rng, n_samples=3))


def test_the_third_argument_of_a_training_is_the_number_of_its_steps_as_in_every_family():
    family = network(3, 2)
    _, X = theta_and_X(family)
    assert len(list(family.train(X, default_rng(0), 3))) == 3
