"""Diffusion: the network's gradient, and chain, bound and flow where the noise is known exactly."""

import itertools
import math

import numpy
import pytest
from gradient import check_gradient
from numpy.random import default_rng
from scipy import special, stats
from training_checks import check_refusals, check_the_value_is_the_callers

from gdl_numpy.models.diffusion import SCHEDULES, DiffusionFamily, signal_and_noise
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.probability.density import Normal
from gdl_numpy.probability.divergence import total_mass
from gdl_numpy.probability.sample_space import SampleSpace

every_schedule = pytest.mark.parametrize("schedule", SCHEDULES)


class NormalNoise(DiffusionFamily):
    """E[ε|x_t] for data from N(0, diag(c)), θ = log c: σ x_t/(α² c + σ²), without a network.

    With N(0, c') at level T in place of N(0, 1) it is exact; `excess` is c'.
    """

    def __init__(self, d, n_levels, schedule="linear", log_snr=(10.0, -8.0), focus=1.0):
        super().__init__(d, (), n_levels, schedule=schedule, log_snr=log_snr, focus=focus)
        self.n_parameters = d

    def gain(self, theta, log_snr):
        """σ/(α² c + σ²), one row for each λ, and its derivative in θ."""
        alpha, sigma = signal_and_noise(log_snr.astype(theta.dtype)[:, None])
        c = array_module(theta).exp(theta)
        gain = sigma / (alpha**2 * c + sigma**2)
        return gain, -gain**2 / sigma * alpha**2 * c

    def eps_hat(self, theta, X, log_snr):
        gain, slope = self.gain(theta, log_snr)

        def backward(deps_hat, inputs=True, parameters=True):
            return (deps_hat * slope * X).sum(axis=0), gain * deps_hat

        return gain * X, backward


def network(make_rng, d=2, m=5, **options):
    waves = wave_vectors(d, m, (0.5, 2.0), make_rng(1)) if m else None
    return DiffusionFamily(d, (7, 6), waves=waves, **options)


def levels(family, n):
    return family.log_snr_at((numpy.arange(n) + 0.5) / n)


def host_levels(family):
    """α and σ of all levels, from their definition."""
    log_snr = family.log_snr_at(numpy.arange(family.n_levels) / (family.n_levels - 1))
    return numpy.sqrt(1 / (1 + numpy.exp(-log_snr))), numpy.sqrt(1 / (1 + numpy.exp(log_snr)))


def within_6_standard_errors(values, expected):
    """A false alarm in 500 million, for each mean of a column."""
    values = to_numpy(values)
    return (abs(values.mean(axis=0) - expected)
            <= 6 * values.std(axis=0, ddof=1) / math.sqrt(len(values))).all()


# Levels

@every_schedule
def test_signal_and_noise_share_a_variance_of_1_and_the_signal_falls(schedule):
    family = DiffusionFamily(1, (), schedule=schedule, log_snr=(9.0, -7.0))
    log_snr = family.log_snr_at(numpy.arange(101) / 100)
    alpha, sigma = (a for a in signal_and_noise(log_snr))
    numpy.testing.assert_allclose(alpha**2 + sigma**2, 1, rtol=1e-14)
    numpy.testing.assert_allclose(log_snr[[0, -1]], [9, -7], rtol=1e-12)
    even = {"linear": 2 * numpy.log(alpha / sigma), "cosine": numpy.arctan2(sigma, alpha)}[schedule]
    numpy.testing.assert_allclose(numpy.diff(even), (even[-1] - even[0]) / 100, rtol=1e-9)
    assert (numpy.diff(alpha) < 0).all()


def test_the_cosine_schedule_is_that_of_nichol_and_dhariwal():
    """f(t) = cos²((t/T + s)/(1 + s) π/2) is ᾱ_t of Nichol and Dhariwal without its factor 1/f(0),
    which only serves to begin without noise; its last angle is π/2, here a little less."""
    s, u = 0.008, numpy.linspace(0, 1, 50)[:-1]
    angle = (u + s) / (1 + s) * math.pi / 2
    ends = [-2 * math.log(math.tan(a)) for a in angle[[0, -1]]]
    family = DiffusionFamily(1, (), schedule="cosine", log_snr=ends)
    alpha, _ = signal_and_noise(family.log_snr_at(u / u[-1]))
    numpy.testing.assert_allclose(alpha**2, numpy.cos(angle)**2, rtol=1e-12)


# The noise predictor

@pytest.mark.parametrize("d, m", [(1, 0), (2, 0), (2, 5), (3, 4)])
@pytest.mark.parametrize("activation", ["tanh", "softplus"])
def test_the_gradient_is_that_of_central_differences(d, m, activation):
    family, rng = network(default_rng, d, m, activation=activation), default_rng(2)
    theta, X = family.initial_theta(rng), rng.standard_normal((9, d))
    for log_snr in (levels(family, 9), levels(family, 3)[1:2]):
        check_gradient(lambda theta, X, level=log_snr: family.eps_hat(theta, X, level), theta, X,
                       rng=rng)


def test_changing_the_returned_noise_in_place_leaves_its_gradient_right():
    for m in (0, 5):
        family, rng = network(default_rng, 2, m), default_rng(2)
        theta, X = family.initial_theta(rng), rng.standard_normal((9, 2))
        check_the_value_is_the_callers(family.eps_hat, theta, X, levels(family, 9))


def test_one_level_for_all_rows_is_that_level_for_each_row():
    family, rng = network(default_rng), default_rng(2)
    theta, X = family.initial_theta(rng), rng.standard_normal((4, 2))
    one = numpy.asarray([0.7])
    each, all_rows = (family.eps_hat(theta, X, s)[0] for s in (numpy.zeros(4) + one, one))
    numpy.testing.assert_allclose(each, all_rows, rtol=1e-12)
    dtheta, dX = family.eps_hat(theta, X, one)[1](X, inputs=False)
    assert dtheta.shape == theta.shape and dX is None


def test_at_the_last_level_all_is_noise_and_short_waves_no_longer_matter():
    make_rng = numpy.random.default_rng
    family = network(make_rng, m=40, log_snr=(10.0, -20.0))
    theta, X = family.initial_theta(make_rng(0)), make_rng(1).standard_normal((5, 2))
    last = family.log_snr_at(numpy.ones(1))
    eps_hat, _ = family.eps_hat(theta, X, last)
    numpy.testing.assert_allclose(eps_hat, X, atol=1e-3)
    family.waves[:, (family.waves**2).sum(axis=0) > 80] *= -3
    assert abs(family.eps_hat(theta, X, last)[0] - eps_hat).max() < 1e-15


@pytest.mark.parametrize("d", [1, 3])
def test_the_gradient_of_the_loss_is_that_of_central_differences(d):
    family = network(default_rng, d, 3)
    theta, X = family.initial_theta(default_rng(2)), default_rng(3).standard_normal((6, d))

    def loss(theta):
        value, dtheta = family.loss(theta, X, default_rng(7))
        return value, lambda dvalue: dvalue * dtheta

    check_gradient(loss, theta, rng=default_rng(4))


@pytest.mark.parametrize("focus", [1.0, 2.0])
def test_the_loss_is_least_at_the_conditional_mean(focus):
    """Its gradient has mean 0 there, n = 400 batches, each coordinate within 6 standard errors; its
    value is the mean conditional variance α² c/(α² c + σ²) of ε, over times that are spread evenly
    and then raised to the power `focus`."""
    family, theta = NormalNoise(2, 2, focus=focus), numpy.log(numpy.asarray([0.3, 2.0]))
    rng, c = default_rng(0), numpy.exp(theta)
    scale = numpy.exp(theta / 2)
    losses, gradients = zip(*(family.loss(theta, scale * rng.standard_normal((64, 2)), rng)
                              for _ in range(400)), strict=True)
    assert within_6_standard_errors(numpy.stack(gradients), 0)
    alpha, sigma = signal_and_noise(family.log_snr_at(numpy.linspace(0, 1, 2001)**focus)[:, None])
    variance = (alpha**2 * c / (alpha**2 * c + sigma**2)).sum(axis=1)
    assert within_6_standard_errors(numpy.stack(losses), numpy.trapezoid(variance, dx=1 / 2000))
    away = numpy.stack([family.loss(theta + 0.5, scale * rng.standard_normal((64, 2)), rng)[1]
                        for _ in range(400)])
    assert not within_6_standard_errors(away, 0)


# Erratum E36: the noise is a gradient, and where it is known all else follows

def test_e36_the_mean_of_the_noise_is_minus_sigma_times_the_gradient_of_the_log_density():
    """E[ε|x_t] = -σ ∇ log q(x_t) in words of what can be counted: summed over an interval [a, b] of
    x_t, q E[ε|x_t] is the mean of ε where x_t fell there, and -σ ∇q is -σ (q(b) - q(a)). Data are
    uniform on [0, 1] or 2 (with probability 1/4); 200,000 draws, each within 6 standard errors."""
    rng, n = default_rng(0), 200_000
    x = numpy.where(rng.random(n) < 0.25, 2, rng.random(n))
    eps, ends = rng.standard_normal(n), numpy.linspace(-0.5, 2.5, 11)
    for alpha, sigma in ((0.95, math.sqrt(1 - 0.95**2)), (0.6, 0.8), (0.1, math.sqrt(0.99))):
        def q(y, alpha=alpha, sigma=sigma):
            flat = stats.norm.cdf(y / sigma) - stats.norm.cdf((y - alpha) / sigma)
            return 0.75 * flat / alpha + 0.25 * stats.norm.pdf(y, 2 * alpha, sigma)

        x_t = alpha * x + sigma * eps
        fell = (ends[:-1] <= x_t[:, None]) & (x_t[:, None] < ends[1:])
        assert within_6_standard_errors(eps[:, None] * fell, -sigma * numpy.diff(q(ends)))
        if sigma < 0.9:                                     # the factor σ is not left out
            assert not within_6_standard_errors(eps[:, None] * fell, -numpy.diff(q(ends)))


@every_schedule
def test_e36_for_normal_data_the_mean_of_the_noise_is_known(schedule):
    """And is σ x_t/(α² c + σ²): on intervals of x_t, ε - ε̂ has the mean 0, within 6 standard errors
    of 100,000 draws. All that follows rests on this formula."""
    rng, c, n = default_rng(0), numpy.array([0.3, 2.0]), 100_000
    family, theta, ends = NormalNoise(2, 5, schedule), numpy.log(c), numpy.linspace(-2, 2, 9)
    for log_snr in family.log_snr_at(numpy.array([0.1, 0.5, 0.9]))[:, None]:
        alpha, sigma = signal_and_noise(log_snr)
        eps = rng.standard_normal((n, 2))
        x_t = alpha * numpy.sqrt(c) * rng.standard_normal((n, 2)) + sigma * eps
        wrong = eps - family.eps_hat(theta, x_t, log_snr)[0]
        for i in range(2):
            fell = (ends[:-1] <= x_t[:, i, None]) & (x_t[:, i, None] < ends[1:])
            assert within_6_standard_errors(wrong[:, i, None] * fell, 0)


def exact_log_prob(family, c, X):
    """The normal density of the flow: variance c + σ_1²/α_1² if N(0, 1) were that of x_T, whose
    variance is α_T² c + σ_T²; the flow is linear, so the ratio carries over."""
    (a1, *_, aT), (s1, *_, sT) = host_levels(family)
    variance = (c + (s1 / a1)**2) / (aT**2 * c + sT**2)
    return stats.norm.logpdf(X, scale=numpy.sqrt(variance)).sum(axis=1)


@every_schedule
@pytest.mark.parametrize("c", [(0.05,), (0.3, 2.0)])
def test_e36_the_density_of_the_flow_is_exact_for_normal_data(schedule, c):
    """And twice as many steps make its error at least some 16 times as small."""
    family, theta = NormalNoise(len(c), 9, schedule), numpy.log(numpy.asarray(c))
    p, X = family(theta), 1.5 * default_rng(0).standard_normal((20, len(c)))
    exact = exact_log_prob(family, numpy.array(c), X)
    errors = [abs(p.flow_log_prob(X, n) - exact).max() for n in (15, 30, 200)]
    assert errors[2] < 1e-6 and errors[0] / errors[1] > 12
    data = stats.norm.logpdf(X, scale=numpy.sqrt(c)).sum(axis=1)
    narrow = NormalNoise(len(c), 9, schedule, log_snr=(20.0, -20.0))
    numpy.testing.assert_allclose(narrow(theta).flow_log_prob(X, 200), data, atol=1e-4)


def mean_elbo(family, c):
    """E ELBO(x) for x ~ N(0, diag(c)) and its own predictor, whose E|ε - ε̂|² is a variance: by the
    divergences of scalar normal densities, one for each level and coordinate."""
    alpha, sigma = (a[:, None] for a in host_levels(family))
    v = alpha**2 * c / (alpha**2 * c + sigma**2)
    beta = 1 - (alpha[1:] / alpha[:-1])**2
    tilde = beta * (sigma[:-1] / sigma[1:])**2
    shift = (beta / (alpha[1:] / alpha[:-1]) / sigma[1:])**2 * v[1:]           # E (µ̂ - µ)²
    kl = 0.5 * (tilde / beta + shift / beta - 1 - numpy.log(tilde / beta)).sum()
    kl_T = 0.5 * (alpha[-1]**2 * c + sigma[-1]**2 - 1 - 2 * numpy.log(sigma[-1])).sum()
    x1 = -0.5 * (numpy.log(2 * math.pi * sigma[0]**2) + v[0] / alpha[0]**2).sum()
    return x1 - kl - kl_T


@every_schedule
def test_e36_the_bound_is_as_computed_by_hand_and_closes_with_the_number_of_levels(schedule):
    """6 standard errors of 4,000 rows; twice as many levels about halve the gap to -H of the data
    where λ falls evenly."""
    c = numpy.array([0.3, 2.0])
    theta, rng = numpy.log(numpy.asarray(c)), default_rng(1)
    for n_levels, n_terms in ((5, None), (40, None), (40, 3), (40, 100)):
        family = NormalNoise(2, n_levels, schedule)
        X = numpy.exp(theta / 2) * rng.standard_normal((4000, 2))
        elbo = family(theta).elbo(X, rng, n_terms)
        assert elbo.shape == (4000,)
        assert within_6_standard_errors(elbo, mean_elbo(family, c))
    minus_entropy = -0.5 * numpy.log(2 * math.pi * math.e * c).sum()
    gaps = [minus_entropy - mean_elbo(NormalNoise(2, T, schedule, (14.0, -14.0)), c)
            for T in (250, 500, 1000, 2000)]
    assert min(gaps) > 0
    if schedule == "linear":
        assert all(0.45 < b / a < 0.55 for a, b in itertools.pairwise(gaps))
        assert gaps[-1] < 0.1


@pytest.mark.parametrize("n_levels", [2, 7])
def test_e36_the_bound_is_the_log_density_for_standard_normal_data(n_levels):
    """For each x, with however few levels: each p(x_s|x_t) is then the exact one. 6 standard errors
    of 4,000 draws."""
    family, theta = NormalNoise(2, n_levels, log_snr=(3.0, -3.0)), numpy.zeros(2)
    for x in ([0.0, 0.0], [-1.0, 2.0]):
        X = numpy.asarray([x] * 4000)
        elbo = family(theta).elbo(X, default_rng(0))
        assert within_6_standard_errors(elbo, stats.norm.logpdf(x).sum())
    assert chain_variance(family, theta) == pytest.approx(1)


def chain_variance(family, theta):
    """The variance of x, by the linear map and the noise of each level as Ho and others write
    them with β."""
    alpha, sigma = host_levels(family)
    theta, variance = to_numpy(theta), 1.0
    gain = family.gain(theta, 2 * numpy.log(alpha / sigma))[0]
    for t in range(family.n_levels - 1, 0, -1):
        a, b = alpha[t] / alpha[t - 1], 1 - (alpha[t] / alpha[t - 1])**2        # √(1-β_t), β_t
        variance = ((1 - b / sigma[t] * gain[t]) / a)**2 * variance + b
    return ((1 - sigma[0] * gain[0]) / alpha[0])**2 * variance + sigma[0]**2


@every_schedule
def test_e36_the_chain_ends_with_its_variance_which_tends_to_that_of_the_data(schedule):
    """20,000 chains, mean and second moment within 6 standard errors."""
    theta = numpy.log(numpy.asarray([0.3, 2.0]))
    for n_levels in (4, 50):
        family = NormalNoise(2, n_levels, schedule, (6.0, -6.0))
        *_, X = family(theta).chain(20_000, default_rng(5))
        assert X.shape == (20_000, 2)
        assert within_6_standard_errors(X, 0)
        assert within_6_standard_errors(X**2, chain_variance(family, theta))
    fine = chain_variance(NormalNoise(2, 4000, schedule, (14.0, -14.0)), theta)
    numpy.testing.assert_allclose(fine, [0.3, 2.0], rtol=5e-3)


def sampled_variance(family, theta, n_steps):
    """The variance of `sample` for the predictor of normal data, by hand: x_t and the guess before
    it are linear in the noise, so their covariance (2, 2) is led from step to step."""
    (highest, lowest), variances = family.log_snr, []
    log_snr = numpy.linspace(lowest, highest, n_steps + 1)
    alpha, sigma = 1 / numpy.sqrt(1 + numpy.exp(-log_snr)), 1 / numpy.sqrt(1 + numpy.exp(log_snr))
    for c in numpy.exp(theta):
        slope, both = alpha * c / (alpha**2 * c + sigma**2), numpy.diag([1.0, 0.0])      # of x̂
        for i in range(n_steps):
            r = 1 - math.exp(log_snr[i] - log_snr[i + 1])
            now, then = (1.5, -0.5) if i else (1.0, 0.0)
            a, a_s = alpha[i:i + 2]
            step = numpy.array([[a_s * ((1 - r) / a + r * now * slope[i]), a_s * r * then],
                                [slope[i], 0.0]])
            both = step @ both @ step.T
            both[0, 0] += r * sigma[i + 1]**2
        variances.append(slope[-1]**2 * both[0, 0])
    return numpy.array(variances)


@every_schedule
def test_samples_have_nearly_the_variance_of_the_data_and_twice_the_steps_a_quarter_of_the_error(
        schedule):
    """20,000 samples, mean and second moment within 6 standard errors of what is computed by hand,
    however few levels the chain has."""
    c = numpy.array([0.3, 2.0])
    family, theta = NormalNoise(2, 3, schedule, (10.0, -8.0)), numpy.log(c)
    for n_steps in (1, 5, 20):
        X = family(theta).sample(20_000, default_rng(5), n_steps)
        assert X.shape == (20_000, 2)
        assert within_6_standard_errors(X, 0)
        assert within_6_standard_errors(X**2, sampled_variance(family, theta, n_steps))
    errors = [sampled_variance(family, theta, n_steps) / c - 1 for n_steps in (24, 48, 96)]
    for some, twice in itertools.pairwise(errors):
        assert (3 < some / twice).all() and (some / twice < 5).all()
    standard = sampled_variance(family, numpy.zeros(1), 64), sampled_variance(family, [0.0], 12)
    numpy.testing.assert_allclose(numpy.concatenate(standard).round(3), [1.006, 1.105])


class Known(DiffusionFamily):
    """The noise in x_t if it is known that x is 3 in every coordinate; it counts how often it is
    asked."""

    asked = 0

    def eps_hat(self, theta, X, log_snr):
        alpha, sigma = signal_and_noise(log_snr[:, None])
        self.asked += 1
        return (X - 3 * alpha) / sigma, None


@pytest.mark.parametrize("n_steps", [1, 2, 17])
def test_if_x_is_known_steps_of_any_length_lead_to_it(n_steps):
    family = Known(2, (), 5)
    X = family(numpy.zeros(family.n_parameters)).sample(50, default_rng(0), n_steps)
    numpy.testing.assert_allclose(X, 3, rtol=1e-10)
    assert family.asked == n_steps + 1


def test_if_x_is_known_one_long_step_is_as_good_as_many_short_ones():
    """40,000 draws of x_s from x_t = 1 have the mean and the variance of q(x_s|x_t, x), by Bayes'
    rule, after one step and after three; 6 standard errors."""
    family, n = Known(1, (), 5), 40_000
    p, ends = family(numpy.zeros(family.n_parameters)), numpy.array([-3.0, 1.0])
    (a, a_s), (s, s_s) = signal_and_noise(ends)
    added = s**2 - (a / a_s * s_s)**2                       # the noise that came between s and t
    variance = 1 / (1 / s_s**2 + (a / a_s)**2 / added)
    mean = variance * (3 * a_s / s_s**2 + (a / a_s) * 1 / added)
    for stops in ([-3.0, 1.0], [-3.0, -2.5, 0.0, 1.0]):
        X, rng = numpy.ones((n, 1)), default_rng(3)
        for start, end in itertools.pairwise(stops):
            X = p._nearer(X, 3 + 0 * X, numpy.array([start]), numpy.array([end]), rng)
        assert within_6_standard_errors(X, mean)
        assert within_6_standard_errors((X - mean)**2, variance)


ISLANDS = numpy.array([[-1.6, -1.0], [-0.6, -0.55], [0.0, 0.9], [1.3, 1.32], [1.5, 1.9]])


class Islands(DiffusionFamily):
    """E[ε|x_t] for data that are uniform on ISLANDS: x given x_t is a normal density of the mean
    x_t/α and the deviation σ/α, cut off at the coasts."""

    def eps_hat(self, theta, X, log_snr):
        alpha, sigma = signal_and_noise(log_snr[:, None])
        first, last = (ISLANDS.T[:, None] - X / alpha) * (alpha / sigma)
        swap = first > 0                                    # the far tail on the left is accurate
        mass = (special.ndtr(numpy.where(swap, -first, last))
                - special.ndtr(numpy.where(swap, -last, first)) + 1e-300)
        slope = (numpy.exp(-first**2 / 2) - numpy.exp(-last**2 / 2)) / math.sqrt(2 * math.pi)
        x_hat = X / alpha + sigma / alpha * (slope.sum(axis=1) / mass.sum(axis=1))[:, None]
        return (X - alpha * x_hat.clip(ISLANDS.min(), ISLANDS.max())) / sigma, None


@pytest.mark.parametrize("log_snr", [(10.0, -6.0), (12.0, -6.0)])
def test_64_steps_reach_each_island_in_its_share_and_leave_fewer_at_sea_than_256_levels(log_snr):
    """2,000 samples, shares within 6 standard errors; wherever the levels end."""
    family, n = Islands(1, (), 256, log_snr=log_snr), 2000
    p, length = family(numpy.zeros(family.n_parameters)), ISLANDS[:, 1] - ISLANDS[:, 0]
    *_, of_chain = p.chain(n, default_rng(1))

    def on(X, beyond):
        return (ISLANDS[:, 0] - beyond <= X) & (X <= ISLANDS[:, 1] + beyond)

    X = p.sample(n, default_rng(1), 64)
    assert within_6_standard_errors(on(X, 0.04), length / length.sum())
    sea, sea_of_chain = (1 - on(rows, 1e-9).any(axis=1).mean() for rows in (X, of_chain))
    assert sea < 0.001 < sea_of_chain


def test_the_chain_begins_as_noise_and_its_states_are_the_callers():
    """Bit by bit, whatever a caller does with the states on the way; 6 standard errors."""
    family = network(default_rng, n_levels=5)
    p = family(family.initial_theta(default_rng(0)))
    states = []
    for X in p.chain(5000, default_rng(1)):
        states.append(X.copy())
        X *= numpy.nan
    assert len(states) == family.n_levels + 1
    assert within_6_standard_errors(states[0], 0) and within_6_standard_errors(states[0]**2, 1)
    for X, kept in zip(p.chain(5000, default_rng(1)), states, strict=True):
        assert (X == kept).all()


def test_a_step_of_the_chain_is_a_draw_of_its_normal_density():
    """x_s - α_s ((1 - r_t) x_t/α_t + r_t x̂) over √r_t σ_t is N(0, 1): 6 standard errors."""
    family = network(default_rng, n_levels=5)
    p = family(family.initial_theta(default_rng(0)))
    states = list(p.chain(5000, default_rng(1)))
    for t, X, X_s in zip((5, 4, 3, 2, 1), states, states[1:], strict=False):
        eps_hat, _ = family.eps_hat(p.theta, X, p.log_snr[t:t + 1])
        X_hat = (X - p.sigma[t] * eps_hat) / p.alpha[t]
        mean = p.alpha[t - 1] * ((1 - p.r[t]) * X / p.alpha[t] + p.r[t] * X_hat)
        eps = (X_s - mean) / (p.r[t]**0.5 * p.sigma[t])
        assert within_6_standard_errors(eps, 0) and within_6_standard_errors(eps**2, 1)


# The bound of a network

def test_the_bound_is_that_of_the_definition():
    """E_q log p(x, x_1, ..., x_T) - log q(x_1, ..., x_T|x), the x_t drawn one after the other from
    q(x_t|x_{t-1}); 6 standard errors of 40,000 draws."""
    make_rng, n = numpy.random.default_rng, 40_000
    family, rng = network(make_rng, n_levels=5, log_snr=(4.0, -3.0)), make_rng(2)
    p = family(family.initial_theta(rng))
    X = numpy.repeat(rng.standard_normal((1, 2)), n, axis=0)
    alpha, sigma = host_levels(family)

    def log_normal(x, mean, scale):
        return stats.norm.logpdf(x, mean, scale).sum(axis=1)

    def denoised(x, t):
        eps_hat, _ = family.eps_hat(p.theta, x, p.log_snr[t + 1:t + 2])        # p counts from 1
        return (x - sigma[t] * eps_hat) / alpha[t]

    x = alpha[0] * X + sigma[0] * rng.standard_normal(X.shape)
    ratio = (log_normal(X, denoised(x, 0), sigma[0])
             - log_normal(x, alpha[0] * X, sigma[0]))
    for t in range(1, 5):
        a = alpha[t] / alpha[t - 1]                                             # √(1-β_t)
        b = 1 - a**2                                                            # β_t
        after = a * x + math.sqrt(b) * rng.standard_normal(x.shape)
        mean = (alpha[t - 1] * b * denoised(after, t) + a * sigma[t - 1]**2 * after) / sigma[t]**2
        ratio += (log_normal(x, mean, math.sqrt(b))
                  - log_normal(after, a * x, math.sqrt(b)))
        x = after
    ratio += log_normal(x, 0, 1)
    elbo = p.elbo(X, rng)
    difference = elbo.mean() - ratio.mean()
    assert abs(difference) < 6 * math.sqrt((elbo.var() + ratio.var()) / n)
    some = p.elbo(X, rng, 2)
    assert abs(some.mean() - ratio.mean()) < 6 * math.sqrt((some.var() + ratio.var()) / n)


def test_the_bound_lies_below_the_log_density_of_the_chain():
    """For the linear predictor the chain is normal, with the variance computed above."""
    family, theta = NormalNoise(2, 3, log_snr=(6.0, -6.0)), numpy.log(numpy.asarray([0.02, 4.0]))
    X = numpy.asarray(numpy.random.default_rng(0).standard_normal((4, 2)).repeat(4000, axis=0))
    elbo = (family(theta).elbo(X, default_rng(1))).reshape(4, 4000)
    scale = numpy.sqrt(chain_variance(family, theta))
    log_p = stats.norm.logpdf(X[::4000], scale=scale).sum(axis=1)
    assert (elbo.mean(axis=1) + 6 * elbo.std(axis=1) / math.sqrt(4000) < log_p).all()


# The flow of a network

@pytest.mark.parametrize("seed", [0, 1])
def test_the_total_mass_of_the_flow_is_1(seed):
    family = network(numpy.random.default_rng, log_snr=(3.0, -6.0))
    p = family(family.initial_theta(numpy.random.default_rng(seed)))

    class Flow:
        log_prob = staticmethod(lambda X: p.flow_log_prob(X, 40))

    assert total_mass(Flow(), SampleSpace([-6, -6], [6, 6]), (40, 40)) == pytest.approx(1, abs=1e-4)


class TwoPoints(DiffusionFamily):
    """E[ε|x_t] for data at 1 and -1, each half of the time: (x_t - α tanh(α x_t/σ²))/σ."""

    def __init__(self, log_snr, n_levels=2):
        super().__init__(1, (), n_levels, log_snr=log_snr)
        self.n_parameters = 1                               # which changes nothing

    def eps_hat(self, theta, X, log_snr):
        alpha, sigma = signal_and_noise(log_snr[:, None])
        mean = numpy.tanh(alpha / sigma**2 * X)
        slope = (1 - alpha**2 / sigma**2 * (1 - mean**2)) / sigma
        return (X - alpha * mean) / sigma, lambda deps_hat, **which: (None, slope * deps_hat)


ENDS = [(4.0, -4.0), (2.0, -8.0), (8.0, -6.0), (0.5, -3.0)]


def of_one_coordinate(kind, log_snr, n_levels):
    if kind == "two points":
        return TwoPoints(log_snr, n_levels)(numpy.zeros(1))
    if kind == "normal":
        return NormalNoise(1, n_levels, log_snr=log_snr)(numpy.log([0.3]))
    family = network(default_rng, 1, log_snr=log_snr, n_levels=n_levels)
    return family(family.initial_theta(default_rng(3)))


@pytest.mark.parametrize("kind", ["two points", "normal", "network"])
@pytest.mark.parametrize("log_snr, n_levels", [(ends, 2) for ends in ENDS] + [(ENDS[0], 100)])
def test_deterministic_samples_have_the_density_of_the_flow(kind, log_snr, n_levels):
    """5,000 samples against the integral of the density: by Kolmogorov and Smirnov, with a false
    alarm in a million. However few levels the chain has, and wherever it ends."""
    p, steps = of_one_coordinate(kind, log_snr, n_levels), 64 if kind == "two points" else 16
    x = numpy.linspace(-6, 6, 1601)
    density = numpy.exp(p.flow_log_prob(x[:, None], steps))
    cdf = numpy.concatenate([[0], ((density[1:] + density[:-1]) / 2).cumsum()]) * (x[1] - x[0])
    assert cdf[-1] == pytest.approx(1, abs=2e-3)
    X = p.sample_deterministic(5000, default_rng(4), steps)
    assert X.shape == (5000, 1)
    assert stats.kstest(X[:, 0], lambda y: numpy.interp(y, x, cdf)).pvalue > 1e-6
    if kind == "two points" and log_snr == ENDS[0]:         # a last jump to x̂ leaves the flow
        (alpha, *_), (sigma, *_) = host_levels(p.family)
        eps_hat, _ = p.family.eps_hat(p.theta, alpha * X, p.log_snr[1:2])
        X_hat = X - sigma / alpha * eps_hat
        assert stats.kstest(X_hat[:, 0], lambda y: numpy.interp(y, x, cdf)).pvalue < 1e-100


@pytest.mark.parametrize("highest", [4.0, 1.0])
def test_the_flow_gives_data_with_the_noise_of_level_1(highest):
    """Half N(1, exp(-λ_1)) and half N(-1, exp(-λ_1)), if level T is noise alone."""
    x, scale = numpy.linspace(0.5, 1.5, 11), math.exp(-highest / 2)
    x = numpy.concatenate([x, -x])
    p = TwoPoints((highest, -16.0))(numpy.zeros(1))
    expected = numpy.logaddexp(*(stats.norm.logpdf(x, c, scale) for c in (1, -1))) - math.log(2)
    numpy.testing.assert_allclose(p.flow_log_prob(x[:, None], 200), expected, atol=1e-3)


def test_deterministic_samples_of_a_plane_have_the_moments_of_the_flow():
    """2,000 samples: E log p and moments against sums over a grid, 6 standard errors."""
    family = network(numpy.random.default_rng, n_levels=3, log_snr=(4.0, -8.0))
    p = family(family.initial_theta(numpy.random.default_rng(3)))
    X = p.sample_deterministic(2000, numpy.random.default_rng(4), 20)
    grid, cell = SampleSpace([-9, -9], [9, 9]).grid((50, 50))
    on_grid = p.flow_log_prob(grid, 20)
    mass = numpy.exp(on_grid) * cell
    assert within_6_standard_errors(p.flow_log_prob(X, 20), mass @ on_grid)
    for power in (1, 2):
        assert within_6_standard_errors(X**power, mass @ grid**power)
    assert within_6_standard_errors(X[:, 0] * X[:, 1], mass @ (grid[:, 0] * grid[:, 1]))


def test_a_level_passed_without_noise_is_a_step_of_the_flow_if_it_is_small():
    """x_s = α_s x̂ + σ_s ε̂ against dx/dλ = -½ σ (ε̂ - σ x), with an error that falls as the step."""
    family = network(default_rng)
    theta, X = family.initial_theta(default_rng(0)), default_rng(1).standard_normal((5, 2))
    (alpha, alpha_s), (sigma, sigma_s) = signal_and_noise(numpy.array([0.7, 0.7 + 1e-5]))
    eps_hat, _ = family.eps_hat(theta, X, numpy.array([0.7]))
    X_s = alpha_s * (X - sigma * eps_hat) / alpha + sigma_s * eps_hat
    numpy.testing.assert_allclose((X_s - X) / 1e-5, -sigma / 2 * (eps_hat - sigma * X), atol=1e-4)


@pytest.mark.parametrize("call", [
    lambda p, X, rng: p.sample(20, rng, 3), lambda p, X, rng: p.sample_deterministic(20, rng, 3),
    lambda p, X, rng: p.elbo(X, rng), lambda p, X, rng: p.flow_log_prob(X, 3)])
def test_blocks_of_rows_change_no_random_number(monkeypatch, call):
    family = network(default_rng, n_levels=4)
    p, X = family(family.initial_theta(default_rng(0))), default_rng(1).standard_normal((20, 2))
    whole = call(p, X, default_rng(2))
    for module in ("models.diffusion", "networks.trained"):
        monkeypatch.setattr(f"gdl_numpy.{module}.in_blocks",
                            lambda function, n, rows=0: in_blocks(function, n, rows=7))
    numpy.testing.assert_allclose(call(p, X, default_rng(2)), whole, rtol=1e-9)


# Training

def spiral(n, rng):
    angle = 4 * rng.random(n) + 1
    return (angle / 4 * numpy.array([numpy.cos(2 * angle), numpy.sin(2 * angle)])).T


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_raises_bound_and_density_of_new_data(seed):
    """By some 1.4 and 1.8 nats over a normal density; 0.5 is ten times the noise of 1,000 rows."""
    rng = numpy.random.default_rng(seed)
    X, new = (spiral(n, rng).astype("float32") for n in (2000, 1000))
    family = DiffusionFamily(2, (64, 64), 64, wave_vectors(2, 16, (1, 3), rng), log_snr=(7.0, -6.0))
    before = family(family.initial_theta(rng, "float32"))
    *_, last = family.train(X, rng, max_steps=250, batch=256, learning_rate=3e-3, averaging=0.98)
    p = family(last.theta)
    assert last.theta.dtype == "float32"
    normal = Normal(X.mean(axis=0), numpy.cov(X.T)).log_prob(new).mean()
    assert p.elbo(new, rng, 10).mean() > normal + 0.5 > before.elbo(new, rng, 10).mean()
    assert p.flow_log_prob(new, 15).mean() > normal + 0.5 > before.flow_log_prob(new, 15).mean()


def test_a_diffusion_model_has_a_bound_and_samples_but_no_log_prob():
    family = network(default_rng)
    theta = family.initial_theta(default_rng(0))
    p = family(theta)
    theta += 1
    assert p.family is family and float(abs(p.theta - theta).min()) > 0.5   # it has a copy
    assert hasattr(p, "elbo") and not hasattr(p, "log_prob") and not hasattr(p, "energy")
    assert p.sample(0, default_rng(0)).shape == (0, 2)


# What is refused

@pytest.mark.parametrize("options, error, message", [
    ({"d": 0}, ValueError, "d must be at least 1, got 0"),
    ({"hidden": (3, 0)}, ValueError, "hidden must be at least 1, got 0"),
    ({"n_levels": 1}, ValueError, "n_levels must be at least 2, got 1"),
    ({"n_levels": 2.0}, TypeError, "n_levels must be a whole number, got 2.0"),
    ({"n_waves": 0}, ValueError, "n_waves must be at least 1, got 0"),
    ({"focus": 0}, ValueError, r"focus must lie in \[0.1, 10\], got 0"),
    ({"schedule": "sine"}, ValueError, "schedule must be one of linear, cosine, got 'sine'"),
    ({"activation": "sin"}, ValueError, "activation must be one of .*, got 'sin'"),
    ({"log_snr": (1.0, 1.0)}, ValueError, r"the second below the first, got \(1.0, 1.0\)"),
    ({"log_snr": (math.inf, 1.0)}, ValueError, "log_snr must be two finite numbers"),
    ({"log_snr": (10.0, -2000.0)}, ValueError, r"log_snr must lie in \[-80, 80\], got -2000"),
    ({"log_snr": (5.0, 0.0, -5.0)}, ValueError, "log_snr must be two finite numbers"),
    ({"log_snr": None}, ValueError, "log_snr must be two finite numbers, .*, got None"),
    ({"log_snr": (math.nan, 1.0)}, ValueError, "log_snr must lie in"),
    ({"log_snr": "high"}, TypeError, "log_snr must be a number in .*, got 'h'"),
    ({"waves": numpy.ones((3, 4))}, ValueError, r"shape \(2, m\), got shape \(3, 4\)"),
    ({"waves": numpy.ones(2)}, ValueError, r"shape \(2, m\), got shape \(2,\)"),
    ({"waves": [[math.nan], [1.0]]}, ValueError, "waves holds nan"),
])
def test_wrong_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        DiffusionFamily(**{"d": 2, "hidden": (3,)} | options)


def test_wrong_arguments_are_refused():
    make_rng = numpy.random.default_rng
    family = DiffusionFamily(2, (3,))
    theta, rng, X = family.initial_theta(make_rng(0)), make_rng(1), numpy.ones((3, 2))
    p, wrong = family(theta), numpy.ones((3, 4))
    for call in (lambda: p.elbo(wrong, rng), lambda: p.flow_log_prob(wrong)):
        with pytest.raises(ValueError, match="X has 4 columns"):
            call()
    check_refusals(family, theta, X, rng)
    with pytest.raises(ValueError, match="n_terms must be at least 1, got 0"):
        p.elbo(X, rng, 0)
    for call in (lambda: p.flow_log_prob(X, 0), lambda: p.sample_deterministic(2, rng, 0),
                 lambda: p.sample(2, rng, 0)):
        with pytest.raises(ValueError, match="n_steps must be at least 1, got 0"):
            call()
    for sample in (p.sample, p.chain, p.sample_deterministic):
        with pytest.raises(ValueError, match="n must be at least 0, got -1"):
            sample(-1, rng)
    for call in (lambda: p.elbo(X, None), lambda: family.loss(theta, X, None),
                 lambda: p.sample_deterministic(2, None)):
        with pytest.raises(TypeError, match="rng must be a generator"):
            call()
    for log_snr in (numpy.zeros(2), 0.0):
        with pytest.raises(ValueError, match=r"log_snr must have shape \(3,\).*, got shape"):
            family.eps_hat(theta, X, log_snr)


# Contracts

def test_training_goes_on_from_theta_and_changes_neither_it_nor_the_data(xp, make_rng):
    family, X = network(make_rng), make_rng(0).standard_normal((50, 2))
    theta = family.initial_theta(make_rng(1))
    kept = to_numpy(theta).copy(), to_numpy(X).copy()
    step = next(family.train(X, make_rng(2), theta=theta, batch=8))
    assert array_module(step.theta) is xp and step.step == 0
    assert 0 < abs(to_numpy(step.theta) - kept[0]).max() < 2e-3
    assert (to_numpy(theta) == kept[0]).all() and (to_numpy(X) == kept[1]).all()
    shifted = next(family.train(X, make_rng(2), theta=theta, batch=8,
                                augment=lambda rows, rng: rows + 1))
    assert float(shifted.loss) != float(step.loss)


def test_single_precision_stays_single(xp, make_rng):
    family = network(make_rng, n_levels=3)
    theta = family.initial_theta(make_rng(0), "float32")
    X = make_rng(1).standard_normal((4, 2), dtype="float32")
    p, rng = family(theta), make_rng(2)
    loss, dtheta = family.loss(theta, X, rng)
    for array in (loss, dtheta, p.elbo(X, rng), p.elbo(X, rng, 2), p.flow_log_prob(X, 2),
                  p.sample(3, rng), p.sample_deterministic(3, rng, 2)):
        assert array.dtype == "float32" and array_module(array) is xp


@pytest.mark.parametrize("dtype, highest, lowest", [
    ("float64", 80, -80), ("float64", 10, -60), ("float64", 80, 70), ("float64", -60, -70),
    ("float32", 10, -40), ("float32", 20, -10), ("float32", 60, 50)])
def test_the_cosine_schedule_reaches_both_of_its_ends_and_the_angle_between(dtype, highest, lowest):
    """Far from λ = 0 an angle is about exp(-|λ|/2), from 0 or from a right angle."""
    start, middle, end = SCHEDULES["cosine"](numpy.array([0, 0.5, 1], dtype), highest, lowest)
    rel = 1e-5 if dtype == "float32" else 1e-12
    assert [start, end] == pytest.approx([highest, lowest], rel=rel)
    if highest * lowest > 0:
        sign = math.copysign(1, highest)
        mean = (math.exp(-sign * highest / 2) + math.exp(-sign * lowest / 2)) / 2
        assert middle == pytest.approx(-2 * sign * math.log(mean), rel=rel)
