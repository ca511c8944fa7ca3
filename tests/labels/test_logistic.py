"""Logistic and softmax regression: their planes, their maximum, and data without one."""

import math

import numpy
import pytest
from labeled_data import apart, linear, overlapping, theta_and_data, wrong_data_set
from sklearn.linear_model import LogisticRegression

from gdl_numpy.labels.logistic import (
    LinearClassifier,
    LogisticFamily,
    SoftmaxFamily,
    iteratively_reweighted_least_squares,
)
from gdl_numpy.numerics.elementary import sigmoid
from gdl_numpy.numerics.optimizer import Step

NAN, INF = math.nan, math.inf


def log_posterior(family, theta, X):
    return family(theta).log_posterior(X)


def kinds(d, K):
    """l2 -> a linear family, for each kind that K classes allow."""
    softmax = [lambda l2: SoftmaxFamily(d, K, l2)]
    return softmax + [lambda l2: LogisticFamily(d, l2)] if K == 2 else softmax


# Planes

def test_the_logistic_posterior_is_the_sigmoid_of_a_plane():
    family = LogisticFamily(3)
    theta, X, _ = theta_and_data(family)
    p = family(theta)
    assert p.weights.shape == (3,) and p.intercepts.shape == ()
    numpy.testing.assert_allclose(numpy.exp(p.log_posterior(X))[:, 1],
                                  sigmoid(X @ p.weights + p.intercepts), rtol=1e-12)


def test_the_softmax_posterior_is_the_softmax_of_planes():
    family = SoftmaxFamily(3, 4)
    theta, X, _ = theta_and_data(family)
    p = family(theta)
    assert p.weights.shape == (3, 4) and p.intercepts.shape == (4,)
    e = numpy.exp(X @ p.weights + p.intercepts)
    numpy.testing.assert_allclose(numpy.exp(p.log_posterior(X)),
                                  e / e.sum(axis=1, keepdims=True), rtol=1e-12)


@linear
def test_theta_is_the_weights_row_by_row_and_then_the_intercepts(family):
    theta, _, _ = theta_and_data(family)
    p = family(theta)
    assert type(p) is LinearClassifier
    assert (numpy.append(p.weights, p.intercepts) == theta).all()


def test_the_number_of_parameters_is_d_plus_1_for_each_plane():
    assert SoftmaxFamily(3, 4).n_parameters == 16 and LogisticFamily(3).n_parameters == 4


# Newton's method as it is written

@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("l2", [0, 1e-3, 0.5])
def test_the_textbook_method_and_the_fast_one_find_the_same_estimate(l2, seed):
    X, y = overlapping(seed, 2)
    numpy.testing.assert_allclose(iteratively_reweighted_least_squares(X, y, l2),
                                  LogisticFamily(3, l2).mle(X, y), rtol=1e-8)


@pytest.mark.parametrize("l2", [1e-6, 1e-10, 1e-14, 1e-18])
def test_the_textbook_keeps_the_digits_of_what_is_almost_certain(l2):
    """The gradient 2 λ w = ½ sigmoid(-w/2) + (3/2) sigmoid(-3w/2) is seen only if p - 1 is."""
    X, y = [[-1.5], [-0.5], [0.5], [1.5]], [0, 0, 1, 1]
    w, b = iteratively_reweighted_least_squares(X, y, l2, tol=0)
    others = 0.25 * sigmoid(-w / 2) + 0.75 * sigmoid(-1.5 * w)
    assert l2 * w == pytest.approx(others, rel=1e-4) and abs(b) < 1e-12


def test_each_step_is_a_regression_by_least_squares_with_weights_p_times_1_minus_p():
    """θ after a step fits z = x1 · θ + (y - p)/(p (1 - p)), which is where least squares reweighted
    iteratively have their name from. At the last step z is fitted by θ̂ itself."""
    X, y = overlapping(0, 2)
    theta = iteratively_reweighted_least_squares(X, y)
    X1 = numpy.c_[X, numpy.ones(len(X))]
    p = sigmoid(X1 @ theta)
    root, z = numpy.sqrt(p * (1 - p)), X1 @ theta + (y - p) / (p * (1 - p))
    numpy.testing.assert_allclose(numpy.linalg.lstsq(root[:, None] * X1, root * z)[0], theta,
                                  rtol=1e-9)


def test_the_odds_of_a_column_of_0_and_1_are_those_of_its_rows():
    """One in four and three in four: b = log 1/3 and w + b = log 3."""
    X, y = [[0.0]] * 4 + [[1.0]] * 4, [0, 0, 0, 1] + [0, 1, 1, 1]
    for theta in (iteratively_reweighted_least_squares(X, y), LogisticFamily(1).mle(X, y)):
        numpy.testing.assert_allclose(theta, [2 * math.log(3), -math.log(3)], rtol=1e-10)


def test_the_textbook_method_starts_from_p_one_half():
    """θ = 4 (X1ᵀX1)⁻¹ X1ᵀ(y - ½), which a loose tolerance returns."""
    X, y = overlapping(1, 2)
    X1 = numpy.c_[X, numpy.ones(len(X))]
    theta = iteratively_reweighted_least_squares(X, y, tol=10.0)
    numpy.testing.assert_allclose(theta, 4 * numpy.linalg.solve(X1.T @ X1, X1.T @ (y - 0.5)),
                                  rtol=1e-10)


def test_the_textbook_method_in_float32_is_near_that_in_float64():
    X, y = overlapping(1, 2)
    theta = iteratively_reweighted_least_squares(X.astype("float32"), y)
    assert theta.dtype == numpy.float32
    numpy.testing.assert_allclose(theta, LogisticFamily(3).mle(X, y), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("X, y, how, error, words", [
    ([[0.0], [1.0]], [0, 2], {}, ValueError, "labels from 0 to 1, got 0 to 2"),
    ([[0.0], [1.0]], [1, 1], {}, ValueError, "at least two different labels, got only 1"),
    ([0.0, 1.0], [0, 1], {}, ValueError, "X must have shape"),
    ([[0.0], [1.0]], [0, 1], {"l2": -1}, ValueError, r"l2 must lie in \[0, inf\), got -1"),
    ([[0.0], [1.0]], [0, 1], {"l2": 1e-3, "max_steps": 2}, ValueError,
     "not converged in 2 steps: pass a larger l2"),
    ([[0.0], [0.0]], [0, 1], {}, ValueError, "X must vary in every column"),
    ([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [0, 1, 0], {}, ValueError,
     "the Hessian is singular: columns of X depend"),
    ([[0.0], [1.0]], [0, 1], {"tol": -1}, ValueError, r"tol must lie in \[0, inf\), got -1"),
    ([[0.0], [1.0]], [0, 1], {"tol": None}, TypeError, "tol must be a number in"),
    ([[0.0], [1.0]], [0, 1], {"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
    ([[0.0], [1.0]], [0, 1], {"max_steps": 2.5}, TypeError, "max_steps must be a whole number"),
])
def test_what_the_textbook_method_cannot_fit_is_refused(X, y, how, error, words):
    with pytest.raises(error, match=words):
        iteratively_reweighted_least_squares(X, y, **how)


# The maximum likelihood estimate

@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("l2", [0, 1e-3, 0.5])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_the_estimate_is_that_of_scikit_learn(K, l2, seed):
    X, y = overlapping(seed, K, n=300)
    family = LogisticFamily(3, l2) if K == 2 else SoftmaxFamily(3, K, l2)
    theirs = LogisticRegression(C=1 / (len(X) * l2) if l2 > 0 else INF, tol=1e-10,
                                solver="newton-cholesky", max_iter=1000)
    numpy.testing.assert_allclose(log_posterior(family, family.mle(X, y), X),
                                  theirs.fit(X, y).predict_log_proba(X), atol=1e-6)


@linear
def test_the_gradient_is_0_at_the_estimate_and_all_around_it_the_loss_is_larger(family):
    _, X, y = theta_and_data(family)
    theta = family.mle(X, y)
    loss, dtheta = family.loss(theta, X, y)
    assert abs(dtheta).max() < 1e-8
    rng = numpy.random.default_rng(3)
    for _ in range(100):
        v = 0.1 * rng.standard_normal(len(theta))
        assert family.loss(theta + v, X, y)[0] > loss


def test_two_classes_are_the_same_by_softmax_and_by_logistic_regression():
    X, y = overlapping(5, 2)
    one, two = LogisticFamily(3), SoftmaxFamily(3, 2)
    theta_one, theta_two = one.mle(X, y), two.mle(X, y)
    numpy.testing.assert_allclose(log_posterior(one, theta_one, X),
                                  log_posterior(two, theta_two, X), atol=1e-7)
    W = two(theta_two).weights
    numpy.testing.assert_allclose(W[:, 1] - W[:, 0], one(theta_one).weights, atol=1e-6)


def test_among_equal_softmax_estimates_the_one_whose_weights_sum_to_0_is_found():
    for K, l2 in [(2, 0), (2, 0.1), (4, 0), (4, 0.1)]:
        X, y = overlapping(6, K)
        p = SoftmaxFamily(3, K, l2)(SoftmaxFamily(3, K, l2).mle(X, y))
        numpy.testing.assert_allclose(p.weights.sum(axis=1), 0, atol=1e-14)
        assert p.intercepts.sum() == pytest.approx(0, abs=1e-14)


@linear
def test_repeating_all_rows_does_not_change_the_estimate(family):
    _, X, y = theta_and_data(family)
    twice = family.mle(numpy.concatenate([X, X]), numpy.concatenate([y, y]))
    numpy.testing.assert_allclose(twice, family.mle(X, y), atol=1e-7)


def test_at_the_estimate_the_labels_expected_are_the_labels_seen():
    """Σ p(y|x_i) = Σ onehot(y_i): the gradient in the intercepts, which are not penalized."""
    X, y = overlapping(7, 3)
    for l2 in (0, 10):
        family = SoftmaxFamily(3, 3, l2)
        p = numpy.exp(log_posterior(family, family.mle(X, y), X))
        numpy.testing.assert_allclose(p.sum(axis=0), numpy.bincount(y), rtol=1e-7)


def test_two_equal_columns_share_their_weight():
    X, y = overlapping(9, 2)
    p = LogisticFamily(2, 0.1)(LogisticFamily(2, 0.1).mle(X[:, [0, 0]], y))
    assert p.weights[0] == pytest.approx(p.weights[1], rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("K", [2, 3])
def test_the_estimate_in_float32_is_that_in_float64(K, seed):
    X, y = overlapping(seed, K)
    family = LogisticFamily(3) if K == 2 else SoftmaxFamily(3, K)
    theta, theta32 = family.mle(X, y), family.mle(X.astype("float32"), y)
    assert theta32.dtype == numpy.float32
    numpy.testing.assert_allclose(theta32, theta, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("family", [LogisticFamily(3, 0.01), SoftmaxFamily(3, 3, 0.01)])
def test_training_reaches_the_loss_of_the_estimate(family):
    X, y = overlapping(10, family.n_classes)
    best = family.loss(family.mle(X, y), X, y)[0]
    steps = list(family.train(X, y, numpy.random.default_rng(0), max_steps=800))
    assert [s.step for s in steps] == list(range(800)) and isinstance(steps[0], Step)
    assert best <= family.loss(steps[-1].theta, X, y)[0] < best + 1e-3


# Data without a maximum

def quasi_separated(seed, K):
    """Labels that overlap within a plane, and outside it are known."""
    rng = numpy.random.default_rng(seed)
    X, y = rng.standard_normal((80, 2)), rng.integers(0, K, size=80)
    X[:, 1] = numpy.where(y == 0, abs(X[:, 1]) * (rng.random(80) < 0.3), 0)
    return X, y


def two_groups(seed, K):
    """K + 2 labels, of which the first two overlap and the others overlap; a plane between them."""
    rng = numpy.random.default_rng(seed)
    X, y = rng.standard_normal((150, 2)), rng.integers(0, K + 2, size=150)
    X[:, 0] += 20 * (y > 1)
    return X, y


NO_MAXIMUM = {
    "separated": lambda seed, K: apart(K),
    "separated, other units": lambda seed, K: (apart(K)[0] * [1e-3, 1e3] + 100, apart(K)[1]),
    "quasi-separated": quasi_separated,
    "two groups": two_groups,
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("make", NO_MAXIMUM.values(), ids=NO_MAXIMUM)
def test_without_a_penalty_separated_classes_are_refused_and_with_one_they_are_fitted(
        make, K, seed):
    X, y = make(seed, K)
    K = int(y.max()) + 1
    for family in kinds(2, K):
        with pytest.raises(ValueError, match="separated by a plane.* pass a positive l2"):
            family(0).mle(X, y)
        p = family(1e-3)(family(1e-3).mle(X, y))
        assert numpy.isfinite(p.log_posterior(X)).all()


@pytest.mark.parametrize("overlap", [0.1, 1e-3, 1e-5])
def test_classes_that_barely_overlap_have_an_estimate(overlap):
    X, y = numpy.array([[-9.0], [0.0], [-overlap], [9.0]]), [0, 0, 1, 1]
    for family in kinds(1, 2):
        theta = family(0).mle(X, y)
        assert abs(family(0).loss(theta, X, y)[1]).max() < 1e-7


@pytest.mark.parametrize("l2", [0, 0.1])
def test_a_label_that_does_not_occur_is_refused(l2):
    """Its intercept, which no penalty holds, would fall for ever."""
    X, y = overlapping(0, 2)
    for labels_seen, counts in [(y, r"\d+, \d+, 0"), (2 * y, r"\d+, 0, \d+")]:
        with pytest.raises(ValueError, match=rf"every label from 0 to 2, got \[{counts}\] rows"):
            SoftmaxFamily(3, 3, l2).mle(X, labels_seen)


@pytest.mark.parametrize("K", [2, 3])
def test_dependent_columns_are_refused_without_a_penalty_and_fitted_with_one(K):
    X, y = overlapping(8, K)
    for column in (X[:, 0] - 2 * X[:, 1], numpy.full(len(X), 7.0), numpy.zeros(len(X))):
        Z = numpy.c_[X, column]
        for family in kinds(4, K):
            with pytest.raises(ValueError, match="columns of X depend linearly.*positive l2"):
                family(0).mle(Z, y)
            theta = family(0.1).mle(Z, y)
            assert abs(family(0.1).loss(theta, Z, y)[1]).max() < 1e-8


def test_an_estimate_that_takes_too_many_steps_is_refused_with_its_loss():
    X, y = overlapping(0, 2)
    with pytest.raises(ValueError, match=r"not converged in 1 steps, at a loss of 0\.\d+ nats"):
        LogisticFamily(3).mle(X, y, max_steps=1)


# Arrays

@linear
def test_X_and_y_are_only_read_and_may_be_lists(family):
    _, X, y = theta_and_data(family)
    X.flags.writeable = y.flags.writeable = False
    assert (family.mle(X, y) == family.mle(X.tolist(), y.tolist())).all()


def test_families_say_what_they_are():
    assert repr(LogisticFamily(3)) == "LogisticFamily(d=3, l2=0.0)"
    assert repr(SoftmaxFamily(3, 4, 1)) == "SoftmaxFamily(d=3, n_classes=4, l2=1.0)"


# What is refused

@pytest.mark.parametrize("y, error, words", [
    ([0, 1, 1, 2], ValueError, "labels from 0 to 1, got 0 to 2"),
    ([0, 1, 1, -1], ValueError, "labels from 0 to 1, got -1 to 1"),
    ([0.0, 1.0, 1.0, 0.0], TypeError, "whole numbers, got dtype float64"),
    ([0, 1, 1], ValueError, r"shape \(4,\), got shape \(3,\)"),
    ([1, 1, 1, 1], ValueError, "at least two different labels, got only 1"),
])
@pytest.mark.parametrize("family", [LogisticFamily(1), SoftmaxFamily(1, 2)])
def test_wrong_labels_have_no_estimate(family, y, error, words):
    with pytest.raises(error, match=words):
        family.mle([[0.0], [1.0], [2.0], [1.5]], y)


@linear
@wrong_data_set
def test_a_wrong_data_set_has_no_estimate(family, X, words):
    with pytest.raises(ValueError, match=words):
        family.mle(X, numpy.array([0, 1] if len(X) == 2 else [], int))


@pytest.mark.parametrize("make, error, words", [
    (lambda: SoftmaxFamily(2, 3, -1), ValueError, r"l2 must lie in \[0, inf\), got -1"),
    (lambda: LogisticFamily(2, NAN), ValueError, r"l2 must lie in \[0, inf\), got nan"),
    (lambda: LogisticFamily(2, INF), ValueError, r"l2 must lie in \[0, inf\), got inf"),
    (lambda: SoftmaxFamily(2, 1), ValueError, "n_classes must be at least 2, got 1"),
    (lambda: SoftmaxFamily(0, 2), ValueError, "d must be at least 1, got 0"),
    (lambda: LogisticFamily(2.0), TypeError, "d must be a whole number, got 2.0"),
    (lambda: LogisticFamily(1).mle([[0.0], [1.0]], [0, 1], tol=-1), ValueError,
     r"tol must lie in \[0, inf\), got -1"),
    (lambda: LogisticFamily(1).mle([[0.0], [1.0]], [0, 1], max_steps=0), ValueError,
     "max_steps must be at least 1, got 0"),
])
def test_numbers_out_of_range_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


# Contracts

@linear
@pytest.mark.parametrize("n", [60, 2000])
def test_the_estimate_on_a_device_is_that_on_the_host(device, family, n):
    theta_hat, there = (family.mle(X, y) for _, X, y in (
        theta_and_data(family, n=n), theta_and_data(family, device, n)))
    assert isinstance(there, device.ndarray)
    numpy.testing.assert_allclose(device.asnumpy(there), theta_hat, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_textbook_method_on_a_device_finds_what_it_finds_on_the_host(device, dtype):
    X, y = overlapping(1, 2)
    X = X.astype(dtype)
    there = iteratively_reweighted_least_squares(device.asarray(X), device.asarray(y), 0.1)
    assert isinstance(there, device.ndarray) and there.dtype == dtype
    numpy.testing.assert_allclose(device.asnumpy(there),
                                  iteratively_reweighted_least_squares(X, y, 0.1), rtol=1e-4)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("make", NO_MAXIMUM.values(), ids=NO_MAXIMUM)
def test_on_a_device_data_without_a_maximum_are_refused_as_well(device, make, K):
    X, y = make(0, K)
    K = int(y.max()) + 1
    X, y = device.asarray(X), device.asarray(y)
    for family in kinds(2, K):
        with pytest.raises(ValueError, match="separated by a plane.* pass a positive l2"):
            family(0).mle(X, y)
    for family in kinds(4, K):
        with pytest.raises(ValueError, match="columns of X depend linearly.*positive l2"):
            family(0).mle(device.concatenate([X, X], axis=1), y)
    with pytest.raises(ValueError, match=rf"every label from 0 to {K}, got"):
        SoftmaxFamily(2, K + 1).mle(X, y)


@linear
def test_X_and_y_on_two_devices_have_no_estimate(device, family):
    _, X, y = theta_and_data(family)
    for X_there, y_there in [(X, device.asarray(y)), (device.asarray(X), y)]:
        with pytest.raises(TypeError, match="X and y must live on the same device"):
            family.mle(X_there, y_there)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("constant", [0.3, 1e6 / 3])
def test_a_constant_column_whose_weight_rounding_would_choose_is_refused_without_a_penalty(
        constant, dtype):
    rng = numpy.random.default_rng(0)
    x, y = rng.standard_normal(500), numpy.arange(500) % 2
    X = numpy.stack([x, numpy.full(500, constant)], axis=1).astype(dtype)
    with pytest.raises(ValueError, match="X must vary in every column"):
        iteratively_reweighted_least_squares(X, y)
    assert numpy.isfinite(iteratively_reweighted_least_squares(X, y, l2=1e-3)).all()
