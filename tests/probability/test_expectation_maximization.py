"""Expectation maximization: the formulas, scikit-learn, and what no step may do."""

import math
import re
import tracemalloc
import warnings

import numpy
import pytest
from clouds import clusters, correlated, start
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.density import Mixture, Normal
from gdl_numpy.probability.expectation_maximization import (
    expectation_maximization,
    k_means_plus_plus,
    responsibilities,
    weighted_estimate,
)
from gdl_numpy.probability.likelihood import log_likelihood
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily

every_dimension = pytest.mark.parametrize("d", [1, 2, 3])


def covariances(family, theta):
    return numpy.array([p.covariance for p in family(theta).components])


@every_dimension
def test_responsibilities_are_what_bayes_rule_says(d):
    """r_ik = w_k N(x_i; µ_k, Σ_k) / Σ_j w_j N(x_i; µ_j, Σ_j)"""
    rng = numpy.random.default_rng(38)
    family, X = MixtureFamily(3, d), clusters(rng, d)
    theta = start(family, X, rng)
    p = family(theta)
    joint = numpy.stack([w * multivariate_normal(q.mu, q.covariance).pdf(X)
                         for w, q in zip(p.weights, p.components, strict=True)], axis=1)
    R = responsibilities(family, theta, X)
    numpy.testing.assert_allclose(R, joint / joint.sum(axis=1, keepdims=True), rtol=1e-9)


@every_dimension
def test_components_are_fitted_to_the_rows_that_they_are_responsible_for(d):
    """With r_ik 0 or 1 the M step is the estimate of a normal from the rows of each component."""
    rng = numpy.random.default_rng(39)
    family, X, y = MixtureFamily(3, d), clusters(rng, d), numpy.repeat([0, 1, 2], 80)
    p = family(weighted_estimate(family, numpy.eye(3)[y], X))
    assert p.weights == pytest.approx([1 / 3] * 3)
    for k, q in enumerate(p.components):
        numpy.testing.assert_allclose(q.mu, X[y == k].mean(axis=0), rtol=1e-12)
        numpy.testing.assert_allclose(q.covariance, numpy.cov(X[y == k].T, ddof=0).reshape(d, d),
                                      rtol=1e-9, atol=1e-12)


def test_more_starting_centers_than_different_rows_are_refused():
    X = numpy.repeat([[0.0, 1.0], [2.0, 3.0]], 5, axis=0)
    with pytest.raises(ValueError, match="X must have at least k = 3 different rows, got 2"):
        k_means_plus_plus(X, 3, numpy.random.default_rng(0))


@pytest.mark.parametrize("R, got", [(numpy.ones((5, 1)), "(5, 1)"), (numpy.ones((5, 3)), "(5, 3)"),
                                    (numpy.eye(5)[:, :2] * 0, "(5, 2)"),
                                    (numpy.eye(5)[:, :2] - 0.1, "(5, 2)")])
def test_responsibilities_that_are_no_shares_of_the_components_are_refused(R, got):
    X = numpy.random.default_rng(0).random((5, 1))
    with pytest.raises(ValueError, match="R must have a column for each of the 2 components, none "
                                         f"negative and none all 0, got shape {re.escape(got)}"):
        weighted_estimate(MixtureFamily(2, 1), R, X)


@pytest.mark.parametrize("constant", [0.0, 0.3, 1e8 / 3])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_step_without_a_floor_refuses_a_component_of_which_a_column_is_constant(constant, dtype):
    rng = numpy.random.default_rng(39)
    X, y = rng.standard_normal((100, 2)).astype(dtype), numpy.repeat([0, 1], 50)
    X[y == 1, 1] = constant
    with pytest.raises(ValueError, match="X has a singular covariance in a component"):
        weighted_estimate(MixtureFamily(2, 2), numpy.eye(2)[y], X)


@every_dimension
@pytest.mark.parametrize("seed", range(3))
def test_a_fast_step_is_a_plain_step(d, seed):
    rng = numpy.random.default_rng(seed)
    family, X = MixtureFamily(3, d), clusters(rng, d)
    theta = start(family, X, rng)
    plain = weighted_estimate(family, responsibilities(family, theta, X), X)
    fast = next(expectation_maximization(family, X, theta=theta, floor=1e-12)).theta
    numpy.testing.assert_allclose(fast, plain, rtol=1e-9, atol=1e-9)


def test_the_loss_of_a_step_is_minus_the_mean_of_log_p_before_it():
    rng = numpy.random.default_rng(41)
    family, X = MixtureFamily(3, 2), clusters(rng, 2)
    theta = start(family, X, rng)
    step = next(expectation_maximization(family, X, theta=theta))
    assert step.loss == pytest.approx(-family(theta).log_prob(X).mean(), rel=1e-12)


def test_a_start_gives_each_row_to_the_nearest_of_the_centers_drawn():
    """Three clouds far apart: k-means++ draws a center in each, the first M step their means."""
    rng, middles = numpy.random.default_rng(42), numpy.array([[0.0, 0], [100, 0], [0, 100]])
    X = (middles[:, None] + rng.standard_normal((3, 50, 2))).reshape(-1, 2)
    family = MixtureFamily(3, 2)
    p = family(next(expectation_maximization(family, X, rng)).theta)
    means = sorted(q.mu.round(6).tolist() for q in p.components)
    assert means == sorted(X.reshape(3, 50, 2).mean(axis=1).round(6).tolist())


def test_as_many_rows_as_components_are_enough_since_variances_have_a_floor():
    X, family = numpy.array([[0.0], [1.0], [5.0]]), MixtureFamily(3, 1)
    theta = maximum_likelihood(family, X, numpy.random.default_rng(43))
    assert sorted(q.mu[0].round(6) for q in family(theta).components) == [0, 1, 5]


@every_dimension
@pytest.mark.parametrize("seed", range(3))
def test_em_never_lowers_the_likelihood(d, seed):
    rng = numpy.random.default_rng(seed)
    family, X = MixtureFamily(4, d), clusters(rng, d)
    steps = list(expectation_maximization(family, X, rng, tol=-math.inf, max_steps=60))
    thetas = [step.theta for step in steps]
    log_l = numpy.array([log_likelihood(family, theta, X) for theta in thetas])
    assert len(log_l) == 60 and log_l[-1] > log_l[0]
    assert (numpy.diff(log_l) >= -1e-9 * abs(log_l[1:])).all()


@every_dimension
@pytest.mark.parametrize("k", [1, 3])
def test_em_takes_the_steps_that_scikit_learn_takes(d, k):
    rng = numpy.random.default_rng(d)
    family, X = MixtureFamily(k, d), clusters(rng, d)
    theta = start(family, X, rng)
    before, reference = family(theta), {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                     # it did not converge: nor should it
        for n in (1, 5, 20):
            reference[n] = GaussianMixture(
                k, reg_covar=0, max_iter=n, tol=0, init_params="random",
                weights_init=before.weights,
                means_init=numpy.array([p.mu for p in before.components]),
                precisions_init=numpy.array([numpy.eye(d)] * k)).fit(X)
    steps = list(expectation_maximization(family, X, theta=theta, tol=-1, max_steps=20,
                                          floor=1e-12))
    for n, other in reference.items():
        p = family(steps[n - 1].theta)
        assert p.weights == pytest.approx(other.weights_, rel=1e-8)
        assert numpy.array([q.mu for q in p.components]) == pytest.approx(other.means_, rel=1e-8)
        assert covariances(family, steps[n - 1].theta) == (
            pytest.approx(other.covariances_, rel=1e-8, abs=1e-10))


@every_dimension
def test_em_with_one_component_is_the_normal_in_one_step(d):
    rng = numpy.random.default_rng(8)
    X = correlated(rng, 60, d)
    step = next(expectation_maximization(MixtureFamily(1, d), X, rng))
    expected = numpy.append(0, NormalFamily(d).mle(X))
    assert step.theta == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_em_finds_what_made_the_data():
    rng, family = numpy.random.default_rng(9), MixtureFamily(2, 2)
    p = Mixture([0.3, 0.7], [Normal([-3, 0], numpy.eye(2)), Normal([3, 1], numpy.eye(2) / 4)])
    found = family(maximum_likelihood(family, p.sample(5000, rng), rng))
    order = numpy.argsort(found.weights)
    assert found.weights[order] == pytest.approx([0.3, 0.7], abs=0.03)
    assert found.components[order[0]].mu == pytest.approx([-3, 0], abs=0.15)
    assert found.components[order[1]].covariance == pytest.approx(numpy.eye(2) / 4, abs=0.05)


def test_em_stops_where_a_step_gains_less_than_tol():
    rng = numpy.random.default_rng(12)
    X = clusters(rng, 2)
    for tol in (1e-2, 1e-4, 1e-6):
        steps = expectation_maximization(MixtureFamily(3, 2), X, numpy.random.default_rng(0),
                                         tol=tol)
        gain = -numpy.diff([step.loss for step in steps])
        assert (gain[:-1] >= tol).all() and gain[-1] < tol


def test_the_floor_holds_the_variances_up_where_points_repeat():
    rng = numpy.random.default_rng(13)
    X = numpy.concatenate([numpy.repeat([[1.0, 2.0]], 100, axis=0), correlated(rng, 100)])
    family, floor = MixtureFamily(3, 2), 1e-4
    steps = list(expectation_maximization(family, X, rng, floor=floor, tol=-1, max_steps=50))
    unit = X.std(axis=0)                                    # in which the floor is measured
    smallest = [numpy.linalg.eigvalsh(covariances(family, step.theta) / unit[:, None] / unit).min()
                for step in steps]
    assert min(smallest) >= floor * (1 - 1e-9)
    assert smallest[-1] == pytest.approx(floor, rel=1e-9)
    losses = numpy.array([step.loss for step in steps])
    assert (numpy.diff(losses) <= 1e-9 * abs(losses[1:])).all()


def test_a_component_without_rows_stays_where_it_was():
    X = correlated(numpy.random.default_rng(14), 50)
    family = MixtureFamily(2, 2)
    means = numpy.array([[1.0, 2.0], [1e6, 1e6]])
    theta = family.theta(numpy.array([0.5, 0.5]), means, numpy.array([numpy.eye(2)] * 2))
    p = family(next(expectation_maximization(family, X, theta=theta)).theta)
    assert p.components[1].mu == pytest.approx([1e6, 1e6])
    assert p.components[1].covariance == pytest.approx(numpy.eye(2))
    assert p.weights == pytest.approx([1, 0], abs=1e-11)
    assert p.components[0].mu == pytest.approx(X.mean(axis=0))


def test_em_takes_and_gives_single_precision_and_computes_in_double():
    rng, family = numpy.random.default_rng(15), MixtureFamily(2, 2)
    X = (0.3 * correlated(rng, 200) + rng.choice([-100, 100], (200, 1))).astype("float32")
    theta = start(family, X, rng).astype("float32")
    single, double = (maximum_likelihood(family, Y, theta=theta, tol=0, max_steps=50)
                      for Y in (X, X.astype(float)))
    assert single.dtype == "float32" and double.dtype == "float64"
    assert single == pytest.approx(double, rel=2e-6, abs=1e-5)


def test_em_gives_the_same_wherever_the_origin_is():
    rng = numpy.random.default_rng(16)
    family, X = MixtureFamily(2, 2), clusters(rng, 2, k=2)
    far = X + 1e8
    theta = start(family, X, rng)
    moved = theta.copy()
    family.cut(moved)[1][:, :2] += 1e8
    near = family(maximum_likelihood(family, far - 1e8, theta=theta))
    p = family(maximum_likelihood(family, far, theta=moved))
    assert p.weights == pytest.approx(near.weights, rel=1e-6)
    for q, same in zip(p.components, near.components, strict=True):
        assert q.mu - 1e8 == pytest.approx(same.mu, abs=1e-6)
        assert q.covariance == pytest.approx(same.covariance, rel=1e-5)


def test_em_follows_a_change_of_units():
    rng = numpy.random.default_rng(17)
    family, X = MixtureFamily(2, 2), clusters(rng, 2, k=2)
    p, q = (family(maximum_likelihood(family, Y, numpy.random.default_rng(0)))
            for Y in (X, 1.8 * X + 32))
    assert q.weights == pytest.approx(p.weights, rel=1e-6)
    assert q.components[0].mu == pytest.approx(1.8 * p.components[0].mu + 32, rel=1e-6)
    assert q.components[1].covariance == (
        pytest.approx(1.8**2 * p.components[1].covariance, rel=1e-6))


@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize("far, rtol", [(1e4, 1e-8), (1e6, 1e-8), (1e8, 1e-6), (1e10, 1e-5)])
def test_clusters_far_apart_keep_their_widths(d, far, rtol):
    """Around ±10⁸ the squares are 10¹⁶, in which variances of 1 and 4 do not show."""
    rng, family = numpy.random.default_rng(d), MixtureFamily(2, d)
    y, direction = numpy.repeat([0, 1], [150, 250]), rng.standard_normal(d)
    X = (1 + y[:, None]) * rng.standard_normal((400, d)) + numpy.where(y, far, -far)[:, None]
    X = X + numpy.outer(rng.standard_normal(400), direction)
    steps = list(expectation_maximization(family, X, rng, floor=(1e-3 / far)**2))
    assert all(b.loss <= a.loss + 1e-9 for a, b in zip(steps, steps[1:], strict=False))
    p = family(steps[-1].theta)
    for q, k in zip(sorted(p.components, key=lambda q: float(q.mu[0])), (0, 1), strict=True):
        right = numpy.cov(X[y == k].T, bias=True).reshape(d, d)
        numpy.testing.assert_allclose(q.mu, X[y == k].mean(axis=0), rtol=1e-12)
        numpy.testing.assert_allclose(q.covariance, right, rtol=rtol, atol=rtol * right.max())
    assert sorted(p.weights) == pytest.approx([150 / 400, 250 / 400], rel=1e-12)


def test_from_a_given_start_far_clusters_take_the_plain_steps():
    rng, family = numpy.random.default_rng(0), MixtureFamily(2, 1)
    X = rng.standard_normal((300, 1)) + numpy.repeat([-1e8, 1e8], 150)[:, None]
    X[:100] += 3
    theta = family.theta(numpy.array([0.4, 0.6]), numpy.array([[-1e8 + 5], [1e8 - 2]]),
                         numpy.array([[[2.0]], [[3.0]]]))
    step = next(expectation_maximization(family, X, theta=theta, floor=1e-18))
    assert step.loss == pytest.approx(-float(family(theta).log_prob(X).mean()), rel=1e-7)
    plain = weighted_estimate(family, responsibilities(family, theta, X), X)
    numpy.testing.assert_allclose(step.theta, plain, rtol=1e-7)


def test_a_floor_below_what_float64_can_tell_is_raised_to_it():
    X = numpy.repeat([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]], 20, axis=0)
    family = MixtureFamily(3, 2)
    *_, last = expectation_maximization(family, X, numpy.random.default_rng(0), floor=1e-300)
    for q in family(last.theta).components:
        assert (q.L.diagonal() > 1e-15).all() and (q.L.diagonal() < 1e-13).all()
    line = numpy.random.default_rng(0).standard_normal((100, 1)) @ [[1.0, 1.0]]
    *_, last = expectation_maximization(MixtureFamily(1, 2), line, numpy.random.default_rng(0),
                                        floor=1e-30)
    assert 1e-8 < family.normal(last.theta[1:]).L[1, 1] < 1e-6


def test_k_means_plus_plus_draws_different_rows():
    X = numpy.repeat(numpy.random.default_rng(18).standard_normal((6, 2)), 5, axis=0)
    for seed in range(20):
        centers = k_means_plus_plus(X, 6, numpy.random.default_rng(seed))
        assert len(numpy.unique(centers, axis=0)) == 6
        assert {tuple(c) for c in centers} == {tuple(x) for x in X}


def test_k_means_plus_plus_draws_in_proportion_to_the_squared_distance():
    X, counts = numpy.array([[0.0], [1.0], [3.0]]), numpy.zeros((3, 3))
    rng = numpy.random.default_rng(19)
    for _ in range(6000):
        first, second = X[:, 0].searchsorted(k_means_plus_plus(X, 2, rng)[:, 0])
        counts[first, second] += 1
    expected = 2000 * numpy.array([[0, 1 / 10, 9 / 10], [1 / 5, 0, 4 / 5], [9 / 13, 4 / 13, 0]])
    chi2 = ((counts - expected)**2 / numpy.where(expected > 0, expected, 1)).sum()
    assert chi2 < 35.9                                      # 5 degrees of freedom: 1 in 10^6
    assert (counts[expected == 0] == 0).all()


def test_em_gives_the_same_in_all_units():
    X = correlated(numpy.random.default_rng(15), 300)
    family, unit = MixtureFamily(2, 2), numpy.array([1e-4, 1e3])
    plain, scaled = (list(expectation_maximization(family, data, numpy.random.default_rng(0),
                                                   tol=-1, max_steps=10))[-1]
                     for data in (X, X * unit))
    means = [numpy.array([p.mu for p in family(step.theta).components]) for step in (plain, scaled)]
    numpy.testing.assert_allclose(means[0] * unit, means[1], rtol=1e-9)
    assert scaled.loss == pytest.approx(plain.loss + numpy.log(unit).sum(), rel=1e-9)


def peak_of(call):
    """Megabytes that `call` needs at once, beside what there was before."""
    tracemalloc.start()
    result = call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (peak - getattr(result, "nbytes", 0)) / 2**20


def test_em_and_its_responsibilities_need_memory_for_blocks_only():
    rng = numpy.random.default_rng(0)
    X, family = rng.standard_normal((160_000, 2)), MixtureFamily(20, 2)
    theta = family.initial_theta(rng)
    data = X.nbytes / 2**20                                 # once more, in units of its columns
    assert peak_of(lambda: next(expectation_maximization(family, X, theta=theta)).theta) < 20 + data
    assert peak_of(lambda: responsibilities(family, theta, X)) < 20
    assert peak_of(lambda: family(theta).log_prob(X)) < 20
    wide = rng.standard_normal((2000, 100))
    assert peak_of(lambda: next(expectation_maximization(MixtureFamily(2, 100), wide, rng))) < 30


def test_a_wrong_argument_is_refused_before_the_first_step_is_asked_for():
    for options, error in (({"tol": "small"}, TypeError), ({"tol": math.nan}, ValueError),
                           ({"max_steps": 0}, ValueError), ({"floor": 0}, ValueError)):
        with pytest.raises(error):
            expectation_maximization(MixtureFamily(2, 2), ROWS, theta=numpy.zeros(12), **options)


# Refusals

ROWS = numpy.random.default_rng(0).standard_normal((10, 2))


@pytest.mark.parametrize("options, message", [
    ({}, "pass theta or rng"),
    ({"theta": numpy.zeros(12), "floor": 0.0}, r"floor must lie in \(0, inf\), got 0.0"),
    ({"theta": numpy.zeros(12), "floor": math.nan}, r"floor must lie in \(0, inf\), got nan"),
])
def test_em_refuses_options_with_which_it_cannot_start(options, message):
    with pytest.raises(ValueError, match=message):
        next(expectation_maximization(MixtureFamily(2, 2), ROWS, **options))


@pytest.mark.parametrize("rng", [0, numpy.random])
def test_em_refuses_a_seed_in_place_of_a_generator(rng):
    with pytest.raises(TypeError, match="rng must be a generator of random numbers"):
        next(expectation_maximization(MixtureFamily(2, 2), ROWS, rng))


# Contracts

def test_em_takes_the_same_steps_on_every_back_end(xp):
    rng = numpy.random.default_rng(10)
    family, X = MixtureFamily(3, 2), clusters(rng, 2)
    theta = start(family, X, rng)
    steps = expectation_maximization(family, xp.asarray(X), theta=xp.asarray(theta), max_steps=10)
    expected = expectation_maximization(family, X, theta=theta, max_steps=10)
    for step, same in zip(steps, expected, strict=True):
        assert array_module(step.theta) is xp
        assert step.loss == pytest.approx(same.loss, rel=1e-10)
        assert to_numpy(step.theta) == pytest.approx(same.theta, rel=1e-8, abs=1e-10)


def test_em_draws_its_start_where_the_generator_lives(xp, make_rng):
    X = xp.asarray(clusters(numpy.random.default_rng(11), 2))
    theta = maximum_likelihood(MixtureFamily(2, 2), X, make_rng(0))
    assert array_module(theta) is xp and theta.shape == (12,)


def test_a_plain_step_agrees_with_numpy_where_the_data_live(xp):
    rng = numpy.random.default_rng(40)
    family, X = MixtureFamily(3, 2), clusters(rng, 2)
    theta = start(family, X, rng)
    R = responsibilities(family, xp.asarray(theta), xp.asarray(X))
    after = weighted_estimate(family, R, xp.asarray(X))
    assert array_module(R) is array_module(after) is xp
    here = weighted_estimate(family, responsibilities(family, theta, X), X)
    assert to_numpy(after) == pytest.approx(here, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("dtype, units", [("float64", (1e-200, 1e200, 1e-310)),
                                          ("float32", (1e-25, 1e25))])
def test_k_means_plus_plus_draws_the_same_rows_in_every_unit(dtype, units):
    X = numpy.random.default_rng(0).standard_normal((50, 2))
    X = (X * 2.0**10).round() / 2.0**10                     # few digits, also among tiny numbers
    plain = k_means_plus_plus(X.astype(dtype), 5, numpy.random.default_rng(1))
    for unit in units:
        power = 2.0**numpy.round(numpy.log2(unit))
        rows = k_means_plus_plus((X * power).astype(dtype), 5, numpy.random.default_rng(1))
        assert (rows / rows.dtype.type(power) == plain).all()


def test_rows_whose_squares_leave_the_range_are_refused_as_such():
    with pytest.raises(ValueError, match="take another unit"):
        weighted_estimate(MixtureFamily(1, 1), [[1.0]] * 3, [[1e200], [2e200], [3e200]])
