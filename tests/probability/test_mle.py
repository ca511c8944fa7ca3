"""Maximum likelihood: three methods, one estimate, and what theory says about it."""

import itertools
import math
from types import SimpleNamespace

import numpy
import pytest
from clouds import clusters, correlated, start

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.optimizer import GradientDescent, Step
from gdl_numpy.probability.density import Box
from gdl_numpy.probability.divergence import cross_entropy_estimate, kl_divergence
from gdl_numpy.probability.expectation_maximization import expectation_maximization
from gdl_numpy.probability.family import BoxFamily, HistogramFamily
from gdl_numpy.probability.likelihood import log_likelihood, mean_loss
from gdl_numpy.probability.mle import descend, maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.world.world_map import WORLD, WorldMap

UNIT = SampleSpace([0, 0], [1, 1])


# In closed form

def test_the_box_is_the_smallest_that_holds_the_data():
    X = numpy.random.default_rng(0).standard_normal((50, 3))
    theta_hat = BoxFamily(3).mle(X)
    assert theta_hat.tolist() == [*X.min(axis=0), *X.max(axis=0)]
    assert BoxFamily(3)(theta_hat).space.contains(X).all()
    volume = numpy.prod(X.max(axis=0) - X.min(axis=0))
    assert float(log_likelihood(BoxFamily(3), theta_hat, X)) == (
        pytest.approx(-50 * math.log(volume), rel=1e-14))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_normal_has_the_mean_and_the_covariance_of_the_data(d):
    X = correlated(numpy.random.default_rng(1), 40, d)
    p = NormalFamily(d)(NormalFamily(d).mle(X))
    assert p.mu == pytest.approx(X.mean(axis=0), rel=5e-15)
    assert p.covariance == pytest.approx(numpy.cov(X.T, ddof=0).reshape(d, d), rel=5e-15)


def test_the_normal_is_right_far_from_the_origin():
    X = correlated(numpy.random.default_rng(2), 1000)
    far = X + 1e8                                           # X itself is rounded to 1.5e-8 here
    p = NormalFamily(2)(NormalFamily(2).mle(far))
    assert p.mu == pytest.approx([math.fsum(column) / 1000 for column in far.T], rel=2e-16)
    assert p.covariance == pytest.approx(numpy.cov((far - 1e8).T, ddof=0), rel=1e-12)


def test_the_histogram_has_the_shares_of_the_cells():
    X = numpy.array([[0.1, 0.2], [0.9, 0.2], [0.7, 0.4], [0.1, 0.9]])
    family = HistogramFamily(SampleSpace(numpy.zeros(2), numpy.ones(2)), (2, 2))
    assert family(family.mle(X)).masses.tolist() == [[1 / 4, 1 / 4], [2 / 4, 0]]
    smooth = HistogramFamily(family.space, (2, 2), pseudocount=1)
    assert smooth(smooth.mle(X)).masses.ravel() == (
        pytest.approx([2 / 8, 2 / 8, 3 / 8, 1 / 8], rel=1e-12))


def closed_forms(rng):
    """A family with a closed form and some data for it."""
    return {"box": (BoxFamily(2), correlated(rng, 30)),
            "normal": (NormalFamily(2), correlated(rng, 30)),
            "histogram": (HistogramFamily(UNIT, (2, 3)), rng.random((60, 2)))}


every_closed_form = pytest.mark.parametrize("name", ["box", "normal", "histogram"])


@every_closed_form
def test_no_neighbor_of_the_estimate_is_better(name):
    rng = numpy.random.default_rng(3)
    family, X = closed_forms(rng)[name]
    theta_hat = family.mle(X)
    best = log_likelihood(family, theta_hat, X)
    for size in (1e-3, 1e-2, 0.1):
        for step in size * rng.standard_normal((50, len(theta_hat))):
            assert log_likelihood(family, theta_hat + step, X) < best


@pytest.mark.parametrize("name", ["normal", "histogram"])
def test_the_gradient_is_zero_at_the_estimate(name):
    family, X = closed_forms(numpy.random.default_rng(4))[name]
    assert mean_loss(family, family.mle(X), X)[1] == pytest.approx(0, abs=1e-13)


def test_of_a_thousand_boxes_that_hold_the_data_none_is_better():
    rng = numpy.random.default_rng(5)
    family, X = BoxFamily(2), correlated(rng, 30)
    theta_hat = family.mle(X)
    best = log_likelihood(family, theta_hat, X)
    for margin in rng.exponential(size=(1000, 4)):
        assert log_likelihood(family, theta_hat + margin * [-1, -1, 1, 1], X) < best
    for i, inward in enumerate([1, 1, -1, -1]):             # a side moved inward: it loses a point
        theta = theta_hat.copy()
        theta[i] += inward * 1e-12
        assert log_likelihood(family, theta, X) == -math.inf


@every_closed_form
def test_twice_the_data_give_the_same_estimate_and_twice_the_log_likelihood(name):
    family, X = closed_forms(numpy.random.default_rng(6))[name]
    twice = numpy.concatenate([X, X])
    theta_hat = family.mle(X)
    assert family.mle(twice) == pytest.approx(theta_hat, rel=1e-12, abs=1e-12)
    assert log_likelihood(family, theta_hat, twice) == (
        pytest.approx(2 * log_likelihood(family, theta_hat, X)))


def test_the_estimate_follows_a_change_of_units():
    rng = numpy.random.default_rng(7)
    a, b = numpy.array([1.8, 0.01]), numpy.array([32.0, -5.0])
    X, theta = correlated(rng, 30), BoxFamily(2).mle
    assert theta(a * X + b) == pytest.approx(numpy.tile(a, 2) * theta(X) + numpy.tile(b, 2))
    p, q = (NormalFamily(2)(NormalFamily(2).mle(Y)) for Y in (X, a * X + b))
    assert q.mu == pytest.approx(a * p.mu + b)
    assert q.covariance == pytest.approx(a[:, None] * p.covariance * a)
    X = rng.random((60, 2))
    scaled = HistogramFamily(SampleSpace(b, a + b), (2, 3))
    assert scaled.mle(a * X + b) == pytest.approx(HistogramFamily(UNIT, (2, 3)).mle(X))


# By gradient

def test_gradient_descent_ends_at_the_closed_form():
    rng = numpy.random.default_rng(20)
    X = correlated(rng, 300)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    family = NormalFamily(2)
    theta = maximum_likelihood(family, X, rng, method="gradient")
    assert theta == pytest.approx(family.mle(X), abs=1e-4)


def test_gradient_descent_finds_the_shares_of_a_histogram():
    rng = numpy.random.default_rng(21)
    family, X = HistogramFamily(UNIT, (2, 3)), rng.random((200, 2))
    theta = maximum_likelihood(family, X, rng, method="gradient", max_steps=1000)
    assert family(theta).masses == pytest.approx(family(family.mle(X)).masses, abs=1e-4)


def test_gradient_descent_is_as_good_as_em_from_the_same_start():
    rng = numpy.random.default_rng(22)
    family, X = MixtureFamily(2, 2), clusters(rng, 2, k=2)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    theta = start(family, X, rng)
    by_em, by_gradient = (maximum_likelihood(family, X, method=method, theta=theta, tol=1e-10)
                          for method in ("em", "gradient"))
    assert mean_loss(family, by_gradient, X)[0] == (
        pytest.approx(mean_loss(family, by_em, X)[0], abs=1e-4))


def test_any_optimizer_will_do_and_keeps_its_learning_rate():
    family, X = NormalFamily(1), correlated(numpy.random.default_rng(24), 100, d=1)
    optimizer = GradientDescent(0.05)
    losses = [step.loss for step in descend(family, X, numpy.zeros(2), optimizer, 300)]
    assert optimizer.learning_rate == 0.05
    assert (numpy.diff(losses) < 1e-12).all()
    theta = numpy.zeros(2)
    by_hand = theta - 0.05 * mean_loss(family, theta, X)[1]
    assert next(descend(family, X, theta, optimizer)).theta == pytest.approx(by_hand)


# What theory says

def mean_errors(family, theta, n, sets, rng):
    """The mean distance of θ̂ from θ over sets of n draws from p_θ."""
    X = family(theta).sample(n * sets, rng).reshape(sets, n, -1)
    masses = hasattr(family, "shape")                       # logits are free up to a constant

    def value(theta):
        return family(theta).masses.ravel() if masses else theta

    return numpy.mean([numpy.linalg.norm(value(family.mle(x)) - value(theta)) for x in X])


@pytest.mark.parametrize("family, theta, power", [
    (NormalFamily(2), [1.0, 2, 0, 0.5, 0.3], -1 / 2),
    (HistogramFamily(UNIT, (2, 2)), [0.0, 0.5, 1, -0.5], -1 / 2),
    (BoxFamily(2), [0.0, 0, 1, 2], -1),
])
def test_the_error_falls_as_1_over_root_n_and_for_boxes_as_1_over_n(family, theta, power):
    rng, n = numpy.random.default_rng(28), numpy.array([100, 1000, 10_000])
    errors = [mean_errors(family, numpy.array(theta), size, 100, rng) for size in n]
    slope = numpy.polyfit(numpy.log(n), numpy.log(errors), 1)[0]
    assert slope == pytest.approx(power, abs=0.15)


def test_the_interval_from_the_fisher_information_covers_the_truth():
    rng, family, theta = numpy.random.default_rng(29), NormalFamily(1), numpy.array([2.0, 0.5])
    n, sets = 400, 2000
    X = family(theta).sample(n * sets, rng).reshape(sets, n, 1)
    theta_hat = numpy.array([family.mle(x) for x in X])
    information = n * numpy.array([numpy.exp(-2 * theta_hat[:, 1]), numpy.full(sets, 2.0)]).T
    covered = abs(theta_hat - theta) <= 1.96 / numpy.sqrt(information)
    assert covered.mean(axis=0) == pytest.approx(0.95, abs=0.029)   # 6 SE: 1 in 10^8


def ring(n, rng):
    """Points near a circle: most extremes are those of four different points."""
    angle, radius = 2 * math.pi * rng.random(n), 1 + 0.1 * rng.random(n)
    return numpy.stack([radius * numpy.cos(angle), radius * numpy.sin(angle)], axis=1)


CONTINUOUS = {"land": WorldMap().sample,
              "ring": ring,
              "heavy tails": lambda n, rng: rng.standard_cauchy((n, 2)),
              "a thin line": lambda n, rng: rng.random((n, 1)) + 1e-3 * rng.random((n, 2))}
every_continuous_distribution = pytest.mark.parametrize("name", CONTINUOUS)


@every_continuous_distribution
def test_the_next_point_falls_outside_the_box_with_probability_at_most_4_over_n_plus_1(name):
    n, sets, rng = 50, 3000, numpy.random.default_rng(30)
    X = CONTINUOUS[name](sets * (n + 1), rng).reshape(sets, n + 1, 2)
    family, bound = BoxFamily(2), 4 / (n + 1)
    outside = [not family(family.mle(x[:n])).space.contains(x[n:])[0] for x in X]
    assert numpy.mean(outside) <= bound + 5 * math.sqrt(bound * (1 - bound) / sets)     # 1 in 10^6
    assert numpy.mean(outside) > 0.02


@every_continuous_distribution
def test_at_most_four_points_lie_outside_the_box_of_the_others(name):
    # all n + 1 points are alike, so this is the proof of the theorem above
    X = CONTINUOUS[name](20, numpy.random.default_rng(31))
    family = BoxFamily(2)
    others = [family(family.mle(numpy.delete(X, i, axis=0))) for i in range(20)]
    outside = [not p.space.contains(x[None])[0] for p, x in zip(others, X, strict=True)]
    at_an_edge = (X == X.min(axis=0)).any(axis=1) | (X == X.max(axis=0)).any(axis=1)
    assert outside == at_an_edge.tolist() and sum(outside) <= 4


def test_the_next_point_of_land_falls_outside_the_box_a_little_more_rarely_than_that():
    n, sets = 50, 20_000
    X = WorldMap().sample(sets * (n + 1), numpy.random.default_rng(32)).reshape(sets, n + 1, 2)
    low, high = X.min(axis=1, keepdims=True), X.max(axis=1, keepdims=True)
    outside = ((X == low) | (X == high)).any(axis=2).mean(axis=1)   # each point as the next one
    standard_error = outside.std() / math.sqrt(sets)
    # a point may be the southernmost and the westernmost: rarer, were the coordinates independent
    assert outside.mean() + 5 * standard_error < 1 - ((n - 1) / (n + 1))**2 < 4 / (n + 1)
    assert outside.mean() == pytest.approx(0.0758, abs=0.0003)
    assert outside.max() == 4 / (n + 1)


# Errata

def test_e07_the_maximum_is_over_theta_not_over_x():
    family, X = NormalFamily(1), numpy.random.default_rng(33).normal(2, 0.5, (200, 1))
    axes = numpy.linspace(1.5, 2.5, 41), numpy.linspace(-1.2, -0.2, 21)
    grid = numpy.array(list(itertools.product(*axes)))
    over_theta = grid[numpy.argmax([log_likelihood(family, theta, X) for theta in grid])]
    assert over_theta == pytest.approx(family.mle(X), abs=0.0251)       # half a step of the grid

    x = numpy.linspace(-5, 5, 1001)[:, None]
    for theta in ([0.0, 0.0], [-3.0, 1.0]):                 # over x: the mode, whatever the data
        over_x = x[family(theta).log_prob(x).argmax()]
        assert over_x.shape != over_theta.shape and over_x == pytest.approx(theta[0])


def test_e12_the_estimate_is_the_smallest_rectangle_only_for_closed_boxes_of_positive_area():
    family, X = BoxFamily(2), numpy.random.default_rng(34).random((10, 2))
    theta_hat = family.mle(X)
    for side, step in itertools.product(range(4), (-0.01, 0.01)):
        theta = theta_hat.copy()
        theta[side] += step
        assert log_likelihood(family, theta, X) < log_likelihood(family, theta_hat, X)

    def half_open(theta):                                   # low <= x < high
        p = family(theta)
        return SimpleNamespace(log_prob=lambda X: numpy.where((X < p.high).all(axis=1),
                                                              p.log_prob(X), -math.inf))

    assert log_likelihood(half_open, theta_hat, X) == -math.inf
    for degenerate in (X[:1], X[[0, 0]], X * [1, 0], X * [0, 1] + 0.3):     # a point, or a line
        with pytest.raises(ValueError, match="volume 0"):
            family.mle(degenerate)


def test_e12_the_smallest_rectangle_of_all_is_the_estimate_only_if_its_sides_are_axis_parallel():
    family, rng = BoxFamily(2), numpy.random.default_rng(38)
    X = rng.random((100, 2)) * [1.0, 0.1]                   # a strip, turned by each angle

    def area_and_log_l(X):
        theta_hat = family.mle(X)
        return (theta_hat[2:] - theta_hat[:2]).prod(), log_likelihood(family, theta_hat, X)

    area, log_l = area_and_log_l(X)
    for angle in (0.1, math.pi / 4, 1.2):
        R = numpy.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        upright_area, upright = area_and_log_l(X @ R)       # the estimate: not the smallest of all
        assert upright_area > 1.5 * area and upright < log_l - 100 * math.log(1.5)
    line = numpy.repeat(rng.random((10, 1)), 2, axis=1)     # on a diagonal: a rectangle of area 0
    assert area_and_log_l(line)[0] > 0                      # holds it, and an estimate exists


@pytest.mark.parametrize("d", [1, 2])
def test_e12_the_estimate_lies_inside_the_true_box_a_known_share_of_it(d):
    truth, n, sets = Box([0.0] * d, [1.0] * d), 10, 10_000
    X = truth.sample(n * sets, numpy.random.default_rng(35)).reshape(sets, n, d)
    theta_hat = numpy.array([BoxFamily(d).mle(x) for x in X])
    assert (theta_hat >= 0).all() and (theta_hat <= 1).all()
    volume = (theta_hat[:, d:] - theta_hat[:, :d]).prod(axis=1)
    standard_error = volume.std() / math.sqrt(sets)
    assert abs(volume.mean() - ((n - 1) / (n + 1))**d) < 6 * standard_error     # 1 in 10^8


def test_e30_what_counts_is_the_likelihood_of_data_not_seen():
    p_data, rng = WorldMap(), numpy.random.default_rng(36)
    seen, unseen = p_data.sample(400, rng), p_data.sample(4000, rng)
    families = [HistogramFamily(WORLD, (k, 2 * k), pseudocount=0.1) for k in (1, 3, 9, 27, 81)]
    thetas = [family.mle(seen) for family in families]
    pairs = list(zip(families, thetas, strict=True))
    on_seen, on_unseen = ([log_likelihood(family, theta, X) / len(X) for family, theta in pairs]
                          for X in (seen, unseen))
    assert numpy.argmax(on_seen) == 4                       # the finest remembers best
    assert 0 < numpy.argmax(on_unseen) < 4
    remembers = HistogramFamily(WORLD, (81, 162))           # and without the pseudocount, only that
    assert log_likelihood(remembers, remembers.mle(seen), unseen) == -math.inf


def test_e31_the_loss_estimates_the_divergence_from_the_data_in_every_direction_of_theta():
    p_data, family, rng = WorldMap(), NormalFamily(2), numpy.random.default_rng(37)
    X = p_data.sample(20_000, rng)
    theta_hat = family.mle(X)
    lengths = numpy.geomspace(0.05, 0.8, 8)                 # each in a direction of its own
    directions = rng.standard_normal((8, 5)) * [20, 60, 1, 1, 20]   # µ, log diagonal of L, L_21
    losses, divergences = [], []
    for step in (numpy.zeros(5), *(lengths[:, None] * directions)):
        p_theta = family(theta_hat + step)
        loss, standard_error = cross_entropy_estimate(p_theta, X)
        kl = kl_divergence(p_data, p_theta, WORLD, (450, 900))
        assert abs(loss - (p_data.entropy + kl)) < 5 * standard_error + 2e-3    # 1 in 10^6; grid
        losses.append(loss)
        divergences.append(kl)
    assert numpy.argmin(losses) == numpy.argmin(divergences) == 0
    assert max(divergences) > divergences[0] + 0.3          # far beyond the errors of both


def test_e31_only_as_n_grows_does_maximum_likelihood_minimize_the_divergence():
    """θ* has the mean and covariance of p_data; θ̂ has those of the rows, and tends to θ*."""
    p_data, family, rng = WorldMap(), NormalFamily(2), numpy.random.default_rng(38)
    grid, _ = WORLD.grid((180, 360))
    best = family.mle(grid[p_data.contains(grid)])          # all of the land, evenly

    def divergence(theta):
        return kl_divergence(p_data, family(theta), WORLD, (180, 360))

    excess = [divergence(family.mle(p_data.sample(n, rng))) - divergence(best)
              for n in (10, 100, 1000, 100_000)]
    assert excess == sorted(excess, reverse=True) and excess[0] > 0.05
    assert 0 < excess[-1] < 5e-4                            # about n_θ/2n on average


# Steps, methods, state

@pytest.mark.parametrize("train", [
    lambda family, X, theta: expectation_maximization(family, X, theta=theta, max_steps=7, tol=-1),
    lambda family, X, theta: descend(family, X, theta, max_steps=7),
])
def test_a_step_holds_its_number_the_loss_before_it_and_the_theta_after_it(train):
    rng = numpy.random.default_rng(25)
    family, X = MixtureFamily(2, 2), clusters(rng, 2, k=2)
    theta = start(family, X, rng)
    steps = list(train(family, X, theta))
    assert [step.step for step in steps] == list(range(7))
    for step in steps:
        assert isinstance(step, Step) and step.theta.shape == (family.n_parameters,)
        assert step.loss == pytest.approx(mean_loss(family, theta, X)[0], rel=1e-9)
        theta = step.theta


def test_the_default_is_the_first_method_that_the_family_offers():
    rng, X = numpy.random.default_rng(26), clusters(numpy.random.default_rng(0), 2)
    for family in (BoxFamily(2), NormalFamily(2)):
        assert (maximum_likelihood(family, X) == family.mle(X)).all()
    mixture = MixtureFamily(2, 2)
    default, em = (maximum_likelihood(mixture, X, numpy.random.default_rng(0), method=method)
                   for method in (None, "em"))
    assert (default == em).all()
    only_gradient = SimpleNamespace(log_prob=NormalFamily(2).log_prob,
                                    initial_theta=NormalFamily(2).initial_theta)
    assert maximum_likelihood(only_gradient, X, rng, max_steps=3).shape == (5,)


@pytest.mark.parametrize("method", ["em", "gradient"])
def test_the_same_seed_gives_the_same_estimate_and_no_global_state_is_used(method):
    X = clusters(numpy.random.default_rng(0), 2)
    state = numpy.random.get_state()[1].copy()                          # noqa: NPY002
    once, again, other = (maximum_likelihood(MixtureFamily(3, 2), X, numpy.random.default_rng(seed),
                                             method=method, max_steps=5) for seed in (0, 0, 1))
    assert (once == again).all() and (once != other).any()
    assert (numpy.random.get_state()[1] == state).all()                 # noqa: NPY002


@pytest.mark.parametrize("method", ["em", "gradient"])
def test_the_start_is_not_changed_and_may_be_a_list(method):
    rng = numpy.random.default_rng(27)
    family, X = MixtureFamily(2, 2), clusters(rng, 2, k=2)
    theta = start(family, X, rng)
    theta.flags.writeable = X.flags.writeable = False
    first, second = (maximum_likelihood(family, Y, method=method, theta=begin, max_steps=5)
                     for Y, begin in [(X, theta), (X.tolist(), theta.tolist())])
    assert (first == second).all() and (first != theta).any()


# Refusals

ROWS = numpy.random.default_rng(0).standard_normal((10, 2))


@pytest.mark.parametrize("X, error, message", [
    (numpy.zeros((0, 2)), ValueError, "X is empty"),
    ([[1.0, math.nan]], ValueError, "X holds nan"),
    ([[1.0, math.inf]], ValueError, "X holds inf"),
    (numpy.zeros((5, 3)), ValueError, r"X has 3 columns; it must lie in R\^2"),
    ([1.0, 2.0], ValueError, r"shape \(n, 2\).*got .*\(2,\)"),
    ([[1.0, 2.0], [3.0]], ValueError, "X is ragged"),
    ([["a", "b"]], TypeError, "X must hold real numbers"),
    (numpy.array([[1, None]]), TypeError, "X must hold real numbers, got dtype object"),
    (1.5, ValueError, r"shape \(n, 2\)"),
])
@pytest.mark.parametrize("family", [BoxFamily(2), NormalFamily(2), MixtureFamily(2, 2)],
                         ids=["box", "normal", "mixture"])
def test_what_is_not_a_data_set_is_refused(family, X, error, message):
    with pytest.raises(error, match=message):
        maximum_likelihood(family, X, numpy.random.default_rng(0))


@pytest.mark.parametrize("family, X, message", [
    (BoxFamily(2), [[1, 2]], "volume 0"),
    (BoxFamily(2), [[1, 2], [1, 3]], r"volume 0.*low = \[1. 2.\] and high = \[1. 3.\]"),
    (NormalFamily(2), [[1, 2]], "X must vary in every column, got 1 rows"),
    (NormalFamily(2), [[1, 2], [1, 3]], "X must vary in every column"),
    (NormalFamily(2), [[1, 2], [2, 3], [3, 4]], "singular covariance.* 3 rows"),
    (NormalFamily(2), [[1, 2], [2, 5]], "singular covariance.* 2 rows"),
    (NormalFamily(2), numpy.full((9, 2), 0.1), "X must vary in every column"),
    (MixtureFamily(3, 2), [[1, 2], [3, 4]], "X has 2 rows, too few for 3 components"),
    (MixtureFamily(2, 2), numpy.full((10, 2), 0.1), "X must vary in every column, got 10 rows"),
    (MixtureFamily(2, 2), numpy.full((9, 2), 1e8 + 0.1), "X must vary in every column, got 9 rows"),
    (MixtureFamily(2, 2), [[1, 2]] * 3, "X must vary in every column, got 3 rows"),
    (HistogramFamily(UNIT, (2, 2)), [[0.5, 0.5], [0.5, 1.5]], "must lie in the sample space"),
])
def test_data_that_have_no_estimate_are_refused(family, X, message):
    with pytest.raises(ValueError, match=message):
        maximum_likelihood(family, X, numpy.random.default_rng(0))


@pytest.mark.parametrize("family, options, message", [
    (BoxFamily(2), {"method": "gradient"},
     "method of a BoxFamily must be one of closed form, got .*gradient"),
    (BoxFamily(2), {"method": "em"}, "method of a BoxFamily must be one of closed form, got 'em'"),
    (NormalFamily(2), {"method": "Newton"}, "must be one of closed form, gradient, got .*Newton"),
    (MixtureFamily(2, 2), {"method": "closed form"}, "must be one of em, gradient, got .closed"),
    (MixtureFamily(2, 2), {}, "method 'em' starts somewhere: pass theta or rng"),
    (NormalFamily(2), {"method": "gradient"}, "'gradient' starts somewhere: pass theta or rng"),
    (MixtureFamily(2, 2), {"theta": [0.0] * 5}, r"theta must .* shape \(12,\), got .*5"),
    (MixtureFamily(2, 2), {"theta": [math.nan] * 12}, "theta holds nan"),
    (MixtureFamily(2, 2), {"theta": [0.0] * 12, "max_steps": 0}, "max_steps must be at least 1, "),
    (NormalFamily(2), {"method": "gradient", "theta": [0.0] * 4},
     r"theta must .* shape \(5,\), got .*4"),
    (NormalFamily(2), {"method": "gradient", "theta": [0.0] * 5, "max_steps": 0},
     "max_steps must be at least 1, got 0"),
])
def test_a_method_that_is_not_offered_or_has_no_start_is_refused(family, options, message):
    with pytest.raises(ValueError, match=message):
        maximum_likelihood(family, ROWS, **options)


# Contracts

def test_gradient_descent_lowers_the_loss_on_every_back_end(xp):
    family, X = NormalFamily(2), correlated(numpy.random.default_rng(23), 100)
    theta = numpy.zeros(5)
    steps = list(descend(family, xp.asarray(X), xp.asarray(theta), max_steps=30))
    expected = list(descend(family, X, theta, max_steps=30))
    assert array_module(steps[-1].theta, steps[-1].loss) is xp
    assert to_numpy(steps[-1].theta) == pytest.approx(expected[-1].theta, rel=1e-8)
    assert float(steps[-1].loss) < float(steps[0].loss)


@pytest.mark.parametrize("train", [expectation_maximization, descend])
def test_data_and_start_on_two_devices_are_refused(device, train):
    theta = MixtureFamily(2, 2).initial_theta(numpy.random.default_rng(0))
    with pytest.raises(TypeError, match="move one of them first"):
        next(train(MixtureFamily(2, 2), device.asarray(ROWS), theta=theta))


def test_data_that_no_theta_allows_are_refused_by_every_method():
    family, X = HistogramFamily(SampleSpace([0], [1]), (2,)), [[0.1], [0.6], [7.0]]
    for method, message in (("closed form", "X"), ("gradient", "-ℓ/n is inf at the last θ")):
        with pytest.raises(ValueError, match=message):
            maximum_likelihood(family, X, numpy.random.default_rng(0), method, max_steps=3)
