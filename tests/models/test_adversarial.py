"""Generative adversarial network: both players' gradients, the value of the game, and the play."""

import math
import statistics

import numpy
import pytest
from gradient import check_gradient
from numpy.random import default_rng
from training_checks import check_the_value_is_the_callers

from gdl_numpy.models.adversarial import AdversarialFamily
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.networks.network import Network
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.optimizer import Adam
from gdl_numpy.probability.density import Histogram, Mixture, Normal
from gdl_numpy.probability.divergence import jensen_shannon
from gdl_numpy.probability.sample_space import SampleSpace


def a_family(activation="tanh", rng=None):
    """Both players with Fourier features if rng draws them."""
    F, G = (None, None) if rng is None else (wave_vectors(2, 3, (1, 2), rng),
                                             wave_vectors(3, 2, (1, 2), rng))
    return AdversarialFamily(Network((3, 6, 5, 2), activation, G),
                             Network((2, 7, 4, 1), activation, F))


def players(d, k, generator=(), discriminator=(), activation="relu"):
    """A generator R^k -> R^d and a discriminator with these hidden layers."""
    return AdversarialFamily(Network((k, *generator, d), activation),
                             Network((d, *discriminator, 1), activation))


def theta_X_and_Z(family, n=9):
    rng = default_rng(3)
    return (0.7 * rng.standard_normal(family.n_parameters), rng.standard_normal((n, family.d)),
            rng.standard_normal((n, family.k)))


def every_family():
    return [a_family(), a_family("softplus"), a_family(rng=default_rng(7))]


# The gradients

def test_the_gradients_of_the_logit_are_those_of_central_differences():
    for family in every_family():
        theta, X, _ = theta_X_and_Z(family)
        check_gradient(family.logit, family.parts(theta)[1], X, rng=default_rng(1))


def test_the_gradients_of_the_generator_are_those_of_central_differences():
    for family in every_family():
        theta, _, Z = theta_X_and_Z(family)
        check_gradient(family.generate, family.parts(theta)[0], Z, rng=default_rng(1))


@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_the_gradient_of_the_discriminators_loss_is_that_of_central_differences(penalty):
    for family in every_family():
        theta, X, Z = theta_X_and_Z(family)
        theta_g, phi = family.parts(theta)
        made = family.generate(theta_g, Z)[0]

        def loss(phi, family=family, X=X, made=made):
            value, dphi = family.discriminator_loss(phi, X, made, default_rng(5), penalty, 0.1)
            return value, lambda cotangent: cotangent * dphi

        check_gradient(loss, phi, rng=default_rng(1))


def test_the_gradient_of_the_generators_loss_goes_through_the_discriminator():
    """By central differences in θ_g, with φ held fixed."""
    for family in every_family():
        theta, _, Z = theta_X_and_Z(family)
        theta_g, phi = family.parts(theta)

        def loss(theta_g, family=family, phi=phi, Z=Z):
            value, dtheta_g = family.generator_loss(numpy.concatenate([theta_g, phi]), Z)
            return value, lambda cotangent: cotangent * dtheta_g

        check_gradient(loss, theta_g, rng=default_rng(1))


def test_the_generators_gradient_has_the_sign_of_the_games_and_does_not_fade():
    """-sigmoid(-l) against -sigmoid(l), the derivative of log(1 - D): of one sign, and where the
    discriminator is sure, at l = -20, nearly 1 against 2e-9."""
    family = players(1, 1, (), ())
    for bias in (-20.0, 0.0, 5.0):
        theta = numpy.array([1.0, 0.0, 1.0, bias])          # g(z) = z, logit(x) = x + bias
        _, dtheta_g = family.generator_loss(theta, numpy.zeros((4, 1)))
        assert dtheta_g[1] == pytest.approx(-1 / (1 + math.exp(bias)))
    assert 1 / (1 + math.exp(20)) < 3e-9


# The losses

def test_the_discriminators_loss_is_minus_the_value_of_the_game():
    family = a_family()
    theta, X, Z = theta_X_and_Z(family)
    theta_g, phi = family.parts(theta)
    made = family.generate(theta_g, Z)[0]
    D_data, D_made = (1 / (1 + numpy.exp(-family.logit(phi, rows)[0]))
                      for rows in (X, made))
    V = numpy.log(D_data).mean() + numpy.log(1 - D_made).mean()
    loss = family.discriminator_loss(phi, X, made, default_rng(5))[0]
    assert float(loss) == pytest.approx(-V, rel=1e-12)
    assert float(family.generator_loss(theta, Z)[0]) == pytest.approx(-numpy.log(D_made).mean())


def test_the_penalty_is_half_gamma_times_the_squared_slope_at_data_and_at_fakes():
    """For a linear logit w·x of slope w the mean of (w·ε)² is |w|², with a standard error of
    √2 |w|²/√rows: 20,000 rows of each kind, within 6."""
    family, n, penalty = players(2, 1, (), ()), 20_000, 0.5
    w = numpy.asarray([3.0, -4.0, 0.0])                        # and the bias
    X, made = default_rng(1).standard_normal((n, 2)), default_rng(2).standard_normal((n, 2))
    values = [float(family.discriminator_loss(w, X, made, default_rng(5), gamma, 0.01)[0])
              for gamma in (penalty, 0.0)]
    assert values[0] - values[1] == pytest.approx(penalty * 25, rel=6 * math.sqrt(2 / (2 * n)))


# The value of the game

SPACE = SampleSpace([-12.0], [12.0])
P, Q = Normal([0.5], [[0.64]]), Normal([-0.5], [[1.44]])


def test_with_the_best_discriminator_the_game_is_worth_twice_jensen_shannon_minus_log_4():
    """On a grid of 4,000 cells; any other logit is worth less, by the more the farther it is."""
    x, width = SPACE.grid(4000)
    log_p, log_q = P.log_prob(x), Q.log_prob(x)

    def worth(logit):
        terms = -numpy.exp(log_p) * numpy.logaddexp(0, -logit)
        return ((terms - numpy.exp(log_q) * numpy.logaddexp(0, logit)) * width).sum()

    best = worth(log_p - log_q)                             # D* = p/(p + q)
    js = float(jensen_shannon(P, Q, SPACE, 4000))
    assert best == pytest.approx(-math.log(4) + 2 * js, abs=1e-9) and js > 0.1
    for other in (1.1 * (log_p - log_q), log_p - log_q + 0.1 * numpy.sin(5 * x[:, 0]), 0 * log_p):
        assert worth(other) < best - 1e-4
    assert worth(0 * log_p) == pytest.approx(-math.log(4))


@pytest.mark.parametrize("seed", range(3))
def test_a_discriminator_trained_against_a_fixed_generator_approaches_that_value(seed):
    """g(z) = 1.2 z - 0.5 has the density q. On 40,000 new draws of each, V goes from -log 4, where
    D knows nothing, to the theory's -1.12, within 0.02 (6 standard errors), and the logit to
    log p - log q, within 0.15 (root mean square)."""
    rng = numpy.random.default_rng(seed)
    family = players(1, 1, (), (16, 16), activation="tanh")
    theta_g, phi = family.parts(family.initial_theta(rng))
    theta_g[:] = 1.2, -0.5
    phi[-17:] = 0                                           # the last layer, so that D = 1/2
    optimizer = Adam(1e-2)

    def draws(n):
        return P.sample(n, rng), family.generate(theta_g, family.noise(n, rng, float))[0]

    def value(phi, n=40_000):
        return -float(family.discriminator_loss(phi, *draws(n), rng)[0])

    expected = -math.log(4) + 2 * float(jensen_shannon(P, Q, SPACE, 4000))
    assert value(phi) == pytest.approx(-math.log(4)) and expected > -1.13
    for t in range(400):
        optimizer.learning_rate = 1e-2 * (1 - t / 400)
        phi = optimizer(phi, family.discriminator_loss(phi, *draws(256), rng)[1])
    assert value(phi) == pytest.approx(expected, abs=0.02)
    x = P.sample(2000, rng)
    difference = family.logit(phi, x)[0] - (P.log_prob(x) - Q.log_prob(x))
    assert math.sqrt((difference**2).mean()) < 0.15


def test_the_generators_samples_have_the_density_that_its_map_gives_them():
    """A linear g makes N(b, WᵀW); n = 20,000, each number within 6 standard errors."""
    family, n = players(2, 3, (), ()), 20_000
    theta, _, _ = theta_X_and_Z(family)
    W, b = theta[:6].reshape(3, 2), theta[6:8]
    X = family(theta).sample(n, default_rng(4))
    assert X.shape == (n, 2)
    C, centered = W.T @ W, X - b
    assert (abs(centered.mean(axis=0)) < 6 * numpy.sqrt(C.diagonal() / n)).all()
    error = numpy.sqrt((numpy.outer(C.diagonal(), C.diagonal()) + C**2) / n)
    assert (abs(centered.T @ centered / n - C) < 6 * error).all()


def test_the_distribution_is_a_sampler_and_nothing_else():
    family = a_family()
    p = family(theta_X_and_Z(family)[0])
    assert hasattr(p, "sample")
    assert not any(hasattr(p, name) for name in ("log_prob", "elbo", "energy"))


# The play

TRUTH = Mixture(numpy.array([0.5, 0.5]), [Normal([-1.0, 0.0], 0.05 * numpy.eye(2)),
                                          Normal([1.0, 0.5], 0.1 * numpy.eye(2))])
BOX = SampleSpace([-3.0, -3.0], [3.0, 3.0])


def divergence(X, Y, shape=(12, 12)):
    """Jensen-Shannon between the histograms of two samples, in nats."""
    p, q = (Histogram(BOX, numpy.bincount(BOX.cell(rows[BOX.contains(rows)], shape), minlength=144)
                      .reshape(shape) / BOX.contains(rows).sum()) for rows in (X, Y))
    return float(jensen_shannon(p, q, BOX, shape))


@pytest.mark.parametrize("seed", range(3))
def test_the_samples_come_near_the_data(seed):
    """Two clusters: from a Jensen-Shannon divergence of 0.5 or more to 0.1 or less (two samples
    of 5,000 of the truth: 0.002); and no cluster is left out or much preferred."""
    rng = numpy.random.default_rng(seed)
    X, new = TRUTH.sample(4000, rng).astype("float32"), TRUTH.sample(5000, rng)
    family = players(2, 2, (32, 32), (32, 32))
    start = family(family.initial_theta(rng, "float32")).sample(5000, rng)
    *_, last = family.train(X, rng, max_steps=500, batch=128, learning_rate=2e-3, averaging=0.99,
                            penalty=0.1)
    made = family(last.theta).sample(5000, rng)
    assert divergence(start, new) > 0.3 and divergence(made, new) < 0.15
    assert 0.35 < (made[:, 0] < 0).mean() < 0.65


def test_both_sides_learn_and_the_generator_given_is_averaged():
    family = a_family()
    theta, X, _ = theta_X_and_Z(family, n=50)
    plain, averaged = (list(family.train(X, numpy.random.default_rng(1), 4, averaging=a,
                                         theta=theta)) for a in (0.0, 0.5))
    thetas = [family.parts(step.theta) for step in plain]
    weights = 0.5**numpy.arange(3, -1, -1)
    expected = sum(w * theta_g for w, (theta_g, _) in zip(weights, thetas, strict=True))
    theta_g, phi = family.parts(averaged[-1].theta)
    numpy.testing.assert_allclose(theta_g, expected / weights.sum(), rtol=1e-12)
    assert (phi == thetas[-1][1]).all()
    assert all((a != b).any() for a, b in zip(family.parts(theta), thetas[0], strict=True))
    assert [step.step for step in plain] == [0, 1, 2, 3]


def test_the_sides_take_turns_the_discriminator_at_twice_the_rate_and_both_with_short_memories():
    """Three steps by hand, by Adam with β1 = 0.5 and β2 = 0.99 and a rate that falls as half a
    cosine wave; the generator answers to the discriminator that has just learned."""
    family = a_family()
    theta, X, _ = theta_X_and_Z(family, n=50)
    steps = family.train(X, default_rng(1), 3, 8, 0.01, averaging=0.0, theta=theta, penalty=0.2,
                         delta=0.1)
    rng, (theta_g, phi) = default_rng(1), family.parts(theta)
    sides = [Adam(0.01, beta1=0.5, beta2=0.99) for _ in range(2)]
    for step, rate in zip(steps, [0.01, 0.0075, 0.0025], strict=True):
        sides[0].learning_rate, sides[1].learning_rate = rate, 2 * rate
        rows = X[rng.integers(0, 50, size=8)]
        made = family.generate(theta_g, rng.standard_normal((8, family.k)))[0]
        loss, dphi = family.discriminator_loss(phi, rows, made, rng, 0.2, 0.1)
        phi = sides[1](phi, dphi)
        Z = rng.standard_normal((8, family.k))
        dtheta_g = family.generator_loss(numpy.concatenate([theta_g, phi]), Z)[1]
        theta_g = sides[0](theta_g, dtheta_g)
        assert step.loss == loss
        numpy.testing.assert_allclose(step.theta, numpy.concatenate([theta_g, phi]), rtol=1e-9)


def test_at_last_the_discriminator_learns_alone_from_a_generator_that_rests():
    """Two steps of the game, then three by hand: the usual Adam, whose rate falls anew, no penalty,
    fakes of the averaged generator; then φ is what is averaged."""
    family = a_family()
    theta, X, _ = theta_X_and_Z(family, n=50)
    how = {"batch": 8, "learning_rate": 0.01, "averaging": 0.5, "theta": theta}
    game = list(family.train(X, default_rng(1), 2, **how))
    steps = list(family.train(X, default_rng(1), 5, alone=0.6, **how))
    assert [step.step for step in steps] == [0, 1, 2, 3, 4]
    assert all((a.theta == b.theta).all() for a, b in zip(game, steps, strict=False))
    rng = default_rng(1)
    again = family.train(X, rng, 5, alone=0.6, **how)
    next(again), next(again)                                # rng is now where the game has left it
    theta_g, phi = family.parts(game[-1].theta)
    adam, sum_, weight = Adam(0.01), 0, 0
    for step, rate in zip(steps[2:], [0.01, 0.0075, 0.0025], strict=True):
        adam.learning_rate = rate
        rows = X[rng.integers(0, 50, size=8)]
        fake = family.generate(theta_g, rng.standard_normal((8, family.k)))[0]
        loss, dphi = family.discriminator_loss(phi, rows, fake, rng)
        phi = adam(phi, dphi)
        sum_, weight = 0.5 * sum_ + phi, 0.5 * weight + 1
        assert step.loss == loss
        numpy.testing.assert_allclose(
            step.theta, numpy.concatenate([theta_g, sum_ / weight]), rtol=1e-9)


@pytest.mark.parametrize("max_steps, alone, game", [(10, 0.7, 3), (10, 0.04, 10), (1, 0.9, 1),
                                                    (3, 0.99, 1)])
def test_the_share_of_steps_alone_is_rounded_and_one_of_the_game_is_left(max_steps, alone, game):
    family = a_family()
    theta, X, _ = theta_X_and_Z(family, n=50)
    steps = list(family.train(X, default_rng(1), max_steps, alone=alone, theta=theta))
    made = [step.theta[:family.parts(theta)[0].size].tobytes() for step in steps]
    assert len(steps) == max_steps and len(set(made)) == game == len(set(made[:game]))


def test_without_a_penalty_no_number_is_drawn_and_half_of_the_rows_are_judged():
    family = a_family()
    theta, X, _ = theta_X_and_Z(family)
    rng, phi = default_rng(4), family.parts(theta)[1]
    family.discriminator_loss(phi, X, X + 1, rng)
    assert rng.random() == default_rng(4).random()
    loss, dphi = family.discriminator_loss(phi, X, X + 1, rng)
    with_one, dphi_with_one = family.discriminator_loss(phi, X, X + 1, rng, 1e-12)
    assert loss == pytest.approx(with_one, rel=1e-9)
    numpy.testing.assert_allclose(dphi, dphi_with_one, rtol=1e-6)


def shifted(rejection):
    """q = N(-1, 1), and the best logit for p_data = N(0, 1): log p_data/q = x + ½."""
    family = AdversarialFamily(Network((1, 1)), Network((1, 1)), rejection)
    return family(numpy.array([1.0, -1.0, 1.0, 0.5]))


@pytest.mark.parametrize("rejection", [0.5, 0.9, 0.999])
def test_what_the_discriminator_lets_pass_has_the_density_of_the_data_up_to_the_bound(rejection):
    """In 40 cells within 6 standard errors of q min(1, p_data/(q M)), normalized; M is of the
    quantile of 8,192 fakes, and so the limit may be off by 6 of its standard errors."""
    X, n = shifted(rejection).sample(20_000, default_rng(0))[:, 0], 20_000
    x = numpy.linspace(-6, 6, 4001)
    middle, q = (x[1:] + x[:-1]) / 2, numpy.exp(-(x[1:] + x[:-1] + 2)**2 / 8)
    limit = statistics.NormalDist(-1, 1).inv_cdf(rejection)

    def shares(limit):
        kept = q * numpy.exp(numpy.minimum(middle - limit, 0))
        return kept.reshape(40, 100).sum(axis=1) / kept.sum()

    error = math.sqrt(rejection * (1 - rejection) / 8192) / statistics.NormalDist().pdf(limit + 1)
    low, high = shares(limit - 6 * error), shares(limit + 6 * error)
    counts = numpy.histogram(X, numpy.linspace(-6, 6, 41))[0] / n
    slack = 6 * numpy.sqrt(shares(limit) / n) + 2 / n
    assert (counts > numpy.minimum(low, high) - slack).all()
    assert (counts < numpy.maximum(low, high) + slack).all()
    assert X.mean() > {0.5: -0.7, 0.9: -0.3, 0.999: -0.05}[rejection]      # all fakes: -1


def test_with_a_bound_that_few_logits_exceed_what_is_kept_is_nearly_the_data():
    X = shifted(0.9999).sample(3000, default_rng(1))[:, 0]
    assert X.mean() == pytest.approx(0, abs=6 / math.sqrt(3000))
    assert X.var() == pytest.approx(1, abs=6 * math.sqrt(2 / 3000))


def test_fakes_are_made_until_enough_are_kept_and_none_if_none_is_asked_for():
    assert [shifted(0.99).sample(n, default_rng(2)).shape for n in (0, 1, 9000)] == [
        (0, 1), (1, 1), (9000, 1)]
    rng = default_rng(2)
    shifted(0.99).sample(0, rng)
    assert rng.random() == default_rng(2).random()
    a, b = (shifted(0.99).sample(9000, default_rng(2)) for _ in range(2))
    assert (a == b).all() and len(numpy.unique(a)) == 9000


def test_logits_beyond_all_numbers_are_refused_before_fakes_are_made_without_end():
    family = AdversarialFamily(Network((1, 1)), Network((1, 1)), 0.9)
    theta = numpy.array([1e200, 0.0, 1e200, 0.0])
    with numpy.errstate(all="ignore"), pytest.raises(ValueError, match="quantile (inf|nan)"):
        family(theta).sample(3, default_rng(0))


def test_training_depends_on_its_seed_alone_and_changes_no_array_of_the_caller():
    family = a_family()
    theta, X, _ = theta_X_and_Z(family)
    theta.flags.writeable = X.flags.writeable = False
    runs = [[(step.theta, step.theta.copy()) for step in
             family.train(X, numpy.random.default_rng(1), 5, theta=theta)] for _ in range(2)]
    assert all((a == b).all() for run in runs for a, b in run)
    assert (runs[0][-1][0] == runs[1][-1][0]).all()


def test_a_stopped_training_leaves_a_theta_to_go_on_from():
    rng, family = numpy.random.default_rng(0), players(2, 2, (16,), (16,))
    X = TRUTH.sample(500, rng)
    for step in family.train(X, rng, 1000):
        if step.step == 5:
            break
    again = next(family.train(X, rng, 1000, learning_rate=1e-9, theta=step.theta))
    numpy.testing.assert_allclose(again.theta, step.theta, atol=1e-7)


def test_samples_taken_in_blocks_are_those_of_one_pass(monkeypatch):
    family = a_family()
    theta, _, _ = theta_X_and_Z(family)
    expected, _ = family.generate(family.parts(theta)[0], default_rng(4).standard_normal((20, 3)))
    for rows in (7, 20):
        monkeypatch.setattr("gdl_numpy.networks.trained.in_blocks",
                            lambda function, n, _, rows=rows: in_blocks(function, n, rows))
        X = family(theta).sample(20, default_rng(4))
        numpy.testing.assert_allclose(X, expected, rtol=1e-12)


def test_changing_the_returned_values_does_not_change_the_gradients():
    for family in every_family():
        theta, X, Z = theta_X_and_Z(family)
        theta_g, phi = family.parts(theta)
        check_the_value_is_the_callers(family.generate, theta_g, Z)
        check_the_value_is_the_callers(family.logit, phi, X)


def test_the_sampler_keeps_its_own_theta():
    family = a_family()
    theta, _, _ = theta_X_and_Z(family)
    p = family(theta)
    before = p.sample(5, default_rng(0))
    theta += 1
    assert (p.sample(5, default_rng(0)) == before).all()


# What is refused

LINEAR = players(1, 1, (), ())                    # four parameters
ROWS = numpy.ones((3, 1))


@pytest.mark.parametrize("make, error, message", [
    (lambda: AdversarialFamily(None, Network((2, 1))), TypeError,
     "generator must be a Network, got None"),
    (lambda: AdversarialFamily(Network((1, 2)), 3), TypeError, "discriminator must be a Network"),
    (lambda: AdversarialFamily(Network((1, 2)), Network((3, 1))), ValueError,
     "discriminator must have d_in = 2, got 3"),
    (lambda: AdversarialFamily(Network((1, 2)), Network((2, 2))), ValueError,
     "discriminator must have d_out = 1, got 2"),
    (lambda: AdversarialFamily(Network((1, 1)), Network((1, 1)), 0), ValueError,
     r"rejection must lie in \(0, 1\), got 0"),
    (lambda: AdversarialFamily(Network((1, 1)), Network((1, 1)), 1), ValueError,
     r"rejection must lie in \(0, 1\), got 1"),
    (lambda: AdversarialFamily(Network((1, 1)), Network((1, 1)), "0.9"), TypeError,
     "rejection must be a number"),
    (lambda: LINEAR(numpy.ones(3)), ValueError, r"shape \(4,\), got \(3,\)"),
    (lambda: LINEAR(numpy.full(4, math.nan)), ValueError, "theta holds nan"),
    (lambda: LINEAR(numpy.ones(4)).sample(-1, numpy.random.default_rng(0)), ValueError,
     "n must be at least 0, got -1"),
    (lambda: LINEAR.discriminator_loss(numpy.ones(2), ROWS, ROWS[:2], None), ValueError,
     r"fake must have the shape of X, \(3, 1\), got \(2, 1\)"),
    (lambda: LINEAR.discriminator_loss(numpy.ones(2), ROWS[:0], ROWS[:0], None), ValueError,
     "X is empty: the mean over no rows is undefined"),
    (lambda: LINEAR.discriminator_loss(numpy.ones(2), ROWS, ROWS, None), TypeError,
     "rng must be a generator of random numbers"),
    (lambda: LINEAR.discriminator_loss(numpy.ones(2), ROWS, ROWS, default_rng(0), None), TypeError,
     r"penalty must be a number in \[0, 1e30\], got None"),
    (lambda: LINEAR.discriminator_loss(numpy.ones(2), ROWS, ROWS, default_rng(0), 1.0, 0.0),
     ValueError, r"delta must lie in \[1e-30, 1e30\], got 0.0"),
    (lambda: LINEAR.discriminator_loss([1.0, 2.0], ROWS, ROWS, default_rng(0)), ValueError,
     r"theta must be an array of shape \(2,\), got"),
    (lambda: LINEAR.discriminator_loss(numpy.ones(2), [1.0], ROWS, default_rng(0)), ValueError,
     r"X must have shape \(n, 1\)"),
    (lambda: LINEAR.generator_loss(numpy.ones(4), None), TypeError, "Z must hold real numbers"),
    (lambda: LINEAR.noise(2, None, float), TypeError, "rng must be a generator"),
])
def test_wrong_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("X, options, error, message", [
    (ROWS[:0], {}, ValueError, "X is empty"),
    (numpy.ones((3, 2)), {}, ValueError, "X has 2 columns"),
    (math.nan * ROWS, {}, ValueError, "X holds nan"),
    (ROWS, {"batch": 0}, ValueError, "batch must be at least 1, got 0"),
    (ROWS, {"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
    (ROWS, {"averaging": 1.0}, ValueError, r"averaging must lie in \[0, 1\), got 1.0"),
    (ROWS, {"penalty": -1.0}, ValueError, r"penalty must lie in \[0, 1e30\], got -1.0"),
    (ROWS, {"alone": 1.0}, ValueError, r"alone must lie in \[0, 1\), got 1.0"),
    (ROWS, {"alone": -0.1}, ValueError, r"alone must lie in \[0, 1\), got -0.1"),
    (ROWS, {"delta": 0.0}, ValueError, r"delta must lie in \[1e-30, 1e30\], got 0.0"),
    (ROWS, {"learning_rate": 0.0}, ValueError, r"learning_rate must lie in \(0, 1e30\], got 0.0"),
    (ROWS, {"theta": numpy.ones(3)}, ValueError, r"shape \(4,\), got \(3,\)"),
])
def test_wrong_data_and_training_options_are_refused(X, options, error, message):
    with pytest.raises(error, match=message):
        LINEAR.train(X, numpy.random.default_rng(0), **options)
