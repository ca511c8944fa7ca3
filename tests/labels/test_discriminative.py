"""Discriminative models: p(y|x), its gradient, its maximum, and data that have none."""

import math

import numpy
import pytest
import stand_in_cupy
from gradient import check_gradient
from sklearn.linear_model import LogisticRegression

from gdl_numpy.labels.discriminative import (
    Classifier,
    LinearClassifier,
    LogisticFamily,
    NetworkClassifierFamily,
    SoftmaxFamily,
    conjugate_gradient,
)
from gdl_numpy.networks.network import n_parameters
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.elementary import sigmoid
from gdl_numpy.numerics.optimizer import Adam, Step

NAN, INF = math.nan, math.inf
FAMILIES = {
    "logistic": LogisticFamily(3),
    "logistic with a penalty": LogisticFamily(3, l2=0.3),
    "softmax": SoftmaxFamily(3, 4),
    "softmax with a penalty": SoftmaxFamily(3, 4, l2=0.3),
    "network": NetworkClassifierFamily((3, 6, 4), "tanh"),
    "network without a hidden layer": NetworkClassifierFamily((3, 2)),
}
LINEAR = {name: family for name, family in FAMILIES.items() if hasattr(family, "mle")}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
linear = pytest.mark.parametrize("family", LINEAR.values(), ids=LINEAR)


def problem(seed, K, n=200, d=3):
    """Rows of R^d that depend on each other, and labels by a softmax regression that overlap."""
    rng = numpy.random.default_rng(seed)
    X = rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)
    a = X @ rng.standard_normal((d, K)) * 0.7 + rng.gumbel(size=(n, K))
    y = a.argmax(axis=1)
    y[:2 * K] = numpy.arange(2 * K) % K                     # every label occurs
    return X, y


def theta_and_data(family, xp, n=60):
    X, y = problem(0, family.n_classes, n)
    theta = numpy.random.default_rng(1).standard_normal(family.n_parameters)
    return xp.asarray(theta), xp.asarray(X), xp.asarray(y)


def log_posterior(family, theta, X):
    return to_numpy(family(theta).log_posterior(X))


def apart(K=2, n=90):
    """K clouds that planes separate."""
    rng = numpy.random.default_rng(0)
    y = numpy.arange(n) % K
    return rng.random((n, 2)) + 3.0 * y[:, None] * [1, (-1)**K], y


def kinds(d, K):
    """l2 -> a linear family, for each kind that K classes allow."""
    softmax = [lambda l2: SoftmaxFamily(d, K, l2)]
    return softmax + [lambda l2: LogisticFamily(d, l2)] if K == 2 else softmax


# p(y|x)

@every_family
@pytest.mark.parametrize("scale", [1, 1000])
def test_the_probabilities_of_the_labels_sum_to_1(xp, family, scale):
    theta, X, _ = theta_and_data(family, xp)
    log_p = family(scale * theta).log_posterior(X)
    assert log_p.shape == (len(X), family.n_classes) and array_module(log_p) is xp
    numpy.testing.assert_allclose(numpy.exp(to_numpy(log_p)).sum(axis=1), 1, rtol=1e-13)


@every_family
def test_log_prob_is_the_posterior_of_the_label(xp, family):
    theta, X, y = theta_and_data(family, xp)
    value = to_numpy(family.log_prob(theta, X, y)[0])
    expected = log_posterior(family, theta, X)[numpy.arange(len(X)), to_numpy(y)]
    numpy.testing.assert_allclose(value, expected, rtol=1e-13)


def test_the_logistic_posterior_is_the_sigmoid_of_a_plane(xp):
    family = LogisticFamily(3)
    theta, X, _ = theta_and_data(family, xp)
    p = family(theta)
    assert p.weights.shape == (3,) and p.intercepts.shape == ()
    numpy.testing.assert_allclose(numpy.exp(log_posterior(family, theta, X))[:, 1],
                                  to_numpy(sigmoid(X @ p.weights + p.intercepts)), rtol=1e-12)


def test_the_softmax_posterior_is_the_softmax_of_planes(xp):
    family = SoftmaxFamily(3, 4)
    theta, X, _ = theta_and_data(family, xp)
    p = family(theta)
    assert p.weights.shape == (3, 4) and p.intercepts.shape == (4,)
    e = numpy.exp(to_numpy(X @ p.weights + p.intercepts))
    numpy.testing.assert_allclose(numpy.exp(log_posterior(family, theta, X)),
                                  e / e.sum(axis=1, keepdims=True), rtol=1e-12)


def test_a_classifier_keeps_its_own_theta_and_knows_its_kind(xp):
    for family, kind in [(LogisticFamily(3), LinearClassifier), (SoftmaxFamily(3, 4),
                         LinearClassifier), (NetworkClassifierFamily((3, 2)), Classifier)]:
        theta, X, _ = theta_and_data(family, xp)
        p = family(theta)
        before = to_numpy(p.log_posterior(X))
        theta += 1
        assert type(p) is kind and (before == to_numpy(p.log_posterior(X))).all()


@every_family
def test_no_rows_have_no_posterior(xp, family):
    theta, X, _ = theta_and_data(family, xp)
    assert family(theta).log_posterior(X[:0]).shape == (0, family.n_classes)


# Gradients

@every_family
def test_the_gradient_of_log_prob_is_that_of_central_differences(xp, make_rng, family):
    theta, X, y = theta_and_data(family, xp)
    check_gradient(lambda theta: family.log_prob(theta, X, y), theta, rng=make_rng(2))


@every_family
def test_the_gradient_of_the_loss_is_that_of_central_differences(xp, make_rng, family):
    theta, X, y = theta_and_data(family, xp)

    def loss(theta):
        value, dtheta = family.loss(theta, X, y)
        return value, lambda dloss: dloss * dtheta

    check_gradient(loss, theta, rng=make_rng(2))


@every_family
def test_the_loss_is_the_mean_over_the_rows_and_the_penalty_of_the_weights(xp, family):
    theta, X, y = theta_and_data(family, xp)
    expected = -float(family.log_prob(theta, X, y)[0].mean())
    if family.l2 > 0:
        expected += 0.5 * family.l2 * float((family(theta).weights**2).sum())
    assert float(family.loss(theta, X, y)[0]) == pytest.approx(expected, rel=1e-13)


@linear
def test_the_hessian_product_is_the_difference_of_gradients(xp, make_rng, family):
    theta, X, y = theta_and_data(family, xp)
    X1 = xp.concatenate([X, xp.ones((len(X), 1))], axis=1)
    p = xp.exp(family(theta).log_posterior(X))
    product, h = family._hessian(p, X1), 1e-5
    for seed in range(3):
        v = make_rng(seed).standard_normal(len(theta))
        difference = (family.loss(theta + h * v, X, y)[1]
                      - family.loss(theta - h * v, X, y)[1]) / (2 * h)
        numpy.testing.assert_allclose(to_numpy(product(v)), to_numpy(difference), atol=1e-8)


@every_family
def test_a_training_step_never_waits_for_the_device(device, family):
    theta, X, y = theta_and_data(family, device)
    optimizer = Adam(0.01)
    with stand_in_cupy.counted() as n:
        loss, dtheta = family.loss(theta, X, y)
        theta = optimizer(theta, dtheta)
    assert n.waits == 0 and loss.shape == ()


@every_family
def test_float32_goes_in_and_comes_out(xp, family):
    theta, X, y = theta_and_data(family, xp)
    theta, X = theta.astype("float32"), X.astype("float32")
    loss, dtheta = family.loss(theta, X, y)
    assert {a.dtype for a in (loss, dtheta, family(theta).log_posterior(X))} == {
        numpy.dtype("float32")}
    start = family.initial_theta(xp.random.default_rng(0), "float32")
    assert start.dtype == numpy.float32 and start.shape == theta.shape


def test_conjugate_gradients_solve_a_linear_system(xp, make_rng):
    rng = make_rng(0)
    A = rng.standard_normal((6, 6))
    A = A @ A.T + 0.1 * xp.eye(6)
    b = 1e-9 * rng.standard_normal(6)                       # near the end of Newton's method
    v = conjugate_gradient(lambda v: A @ v, b, lambda r: r / A.diagonal())
    numpy.testing.assert_allclose(to_numpy(A @ v), to_numpy(b), atol=1e-5 * float(abs(b).max()))


# The maximum likelihood estimate

@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("l2", [0, 1e-3, 0.5])
@pytest.mark.parametrize("K", [2, 3, 5])
def test_the_estimate_is_that_of_scikit_learn(xp, K, l2, seed):
    X, y = problem(seed, K, n=300)
    family = LogisticFamily(3, l2) if K == 2 else SoftmaxFamily(3, K, l2)
    theta = family.mle(xp.asarray(X), xp.asarray(y))
    assert array_module(theta) is xp
    theirs = LogisticRegression(C=1 / (len(X) * l2) if l2 > 0 else INF, tol=1e-10,
                                solver="newton-cholesky", max_iter=1000)
    numpy.testing.assert_allclose(log_posterior(family, theta, xp.asarray(X)),
                                  theirs.fit(X, y).predict_log_proba(X), atol=1e-6)


@linear
def test_the_gradient_is_0_at_the_estimate_and_all_around_it_the_loss_is_larger(xp, family):
    _, X, y = theta_and_data(family, xp)
    theta = family.mle(X, y)
    loss, dtheta = family.loss(theta, X, y)
    assert to_numpy(abs(dtheta)).max() < 1e-8
    rng = numpy.random.default_rng(3)
    for _ in range(100):
        v = xp.asarray(0.1 * rng.standard_normal(len(theta)))
        assert float(family.loss(theta + v, X, y)[0]) > float(loss)


@pytest.mark.parametrize("K", [2, 3])
def test_the_estimate_does_not_depend_on_the_units_of_the_columns(xp, K):
    X, y = problem(4, K, n=300)
    y, family = xp.asarray(y), LogisticFamily(3) if K == 2 else SoftmaxFamily(3, K)
    scaled = X * [1e-3, 1, 1e3] + [100, -100, 100]
    results = [log_posterior(family, family.mle(xp.asarray(Z), y), xp.asarray(Z))
               for Z in (X, scaled)]
    numpy.testing.assert_allclose(*results, atol=1e-6)


def test_two_classes_are_the_same_by_softmax_and_by_logistic_regression(xp):
    X, y = map(xp.asarray, problem(5, 2))
    one, two = LogisticFamily(3), SoftmaxFamily(3, 2)
    theta_one, theta_two = one.mle(X, y), two.mle(X, y)
    numpy.testing.assert_allclose(log_posterior(one, theta_one, X),
                                  log_posterior(two, theta_two, X), atol=1e-7)
    W = to_numpy(two(theta_two).weights)
    numpy.testing.assert_allclose(W[:, 1] - W[:, 0], to_numpy(one(theta_one).weights), atol=1e-6)


def test_among_equal_softmax_estimates_the_one_whose_weights_sum_to_0_is_found(xp):
    X, y = map(xp.asarray, problem(6, 4))
    for l2 in (0, 0.1):
        p = SoftmaxFamily(3, 4, l2)(SoftmaxFamily(3, 4, l2).mle(X, y))
        numpy.testing.assert_allclose(to_numpy(p.weights).sum(axis=1), 0, atol=1e-8)
        assert float(p.intercepts.sum()) == pytest.approx(0, abs=1e-8)


@linear
def test_what_is_said_twice_changes_no_estimate(xp, family):
    _, X, y = theta_and_data(family, xp)
    theta = family.mle(X, y)
    twice = family.mle(xp.concatenate([X, X]), xp.concatenate([y, y]))
    numpy.testing.assert_allclose(to_numpy(twice), to_numpy(theta), atol=1e-7)


def test_at_the_estimate_the_labels_expected_are_the_labels_seen(xp):
    """Σ p(y|x_i) = Σ onehot(y_i): the gradient in the intercepts, which are not penalised."""
    X, y = problem(7, 3)
    for l2 in (0, 10):
        family = SoftmaxFamily(3, 3, l2)
        p = numpy.exp(log_posterior(family, family.mle(xp.asarray(X), xp.asarray(y)),
                                    xp.asarray(X)))
        numpy.testing.assert_allclose(p.sum(axis=0), numpy.bincount(y), rtol=1e-7)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("K", [2, 3])
def test_the_estimate_in_float32_is_that_in_float64(xp, K, seed):
    X, y = problem(seed, K)
    family = LogisticFamily(3) if K == 2 else SoftmaxFamily(3, K)
    X, y = xp.asarray(X), xp.asarray(y)
    theta, theta32 = family.mle(X, y), family.mle(X.astype("float32"), y)
    assert theta32.dtype == numpy.float32
    numpy.testing.assert_allclose(to_numpy(theta32), to_numpy(theta), rtol=1e-3, atol=1e-2)


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
        xp, make, K, seed):
    X, y = make(seed, K)
    K = int(y.max()) + 1
    X, y = xp.asarray(X), xp.asarray(y)
    for family in kinds(2, K):
        with pytest.raises(ValueError, match="separated by a plane.* pass a positive l2"):
            family(0).mle(X, y)
        p = family(1e-3)(family(1e-3).mle(X, y))
        assert numpy.isfinite(to_numpy(p.log_posterior(X))).all()


@pytest.mark.parametrize("l2", [0, 0.1])
def test_a_label_that_does_not_occur_is_refused(xp, l2):
    """Its intercept, which no penalty holds, would fall for ever."""
    X, y = map(xp.asarray, problem(0, 2))
    for labels_seen, counts in [(y, r"\d+, \d+, 0"), (2 * y, r"\d+, 0, \d+")]:
        with pytest.raises(ValueError, match=rf"every label from 0 to 2, .* got \[{counts}\]"):
            SoftmaxFamily(3, 3, l2).mle(X, labels_seen)


@pytest.mark.parametrize("K", [2, 3])
def test_dependent_columns_are_refused_without_a_penalty_and_fitted_with_one(xp, K):
    X, y = problem(8, K)
    for column in (X[:, 0] - 2 * X[:, 1], numpy.full(len(X), 7.0), numpy.zeros(len(X))):
        Z = xp.asarray(numpy.c_[X, column])
        for family in kinds(4, K):
            with pytest.raises(ValueError, match="columns of X depend linearly.*positive l2"):
                family(0).mle(Z, xp.asarray(y))
            theta = family(0.1).mle(Z, xp.asarray(y))
            assert to_numpy(abs(family(0.1).loss(theta, Z, xp.asarray(y))[1])).max() < 1e-8


def test_two_equal_columns_share_their_weight(xp):
    X, y = problem(9, 2)
    p = LogisticFamily(2, 0.1)(LogisticFamily(2, 0.1).mle(xp.asarray(X[:, [0, 0]]), xp.asarray(y)))
    assert float(p.weights[0]) == pytest.approx(float(p.weights[1]), rel=1e-9)


# Training

@pytest.mark.parametrize("family", [LogisticFamily(3, 0.01), SoftmaxFamily(3, 3, 0.01)])
def test_a_training_reaches_the_loss_of_the_estimate(xp, make_rng, family):
    X, y = map(xp.asarray, problem(10, family.n_classes))
    best = float(family.loss(family.mle(X, y), X, y)[0])
    steps = list(family.train(X, y, make_rng(0), max_steps=1500))
    assert [s.step for s in steps] == list(range(1500)) and isinstance(steps[0], Step)
    assert best <= float(family.loss(steps[-1].theta, X, y)[0]) < best + 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_a_training_makes_a_network_better_at_what_it_has_not_seen(make_rng, seed):
    rng = make_rng(seed)
    X = 2 * rng.random((600, 2)) - 1
    y = ((X**2).sum(axis=1) < 0.6).astype(int)              # a disc: no plane will do
    family = NetworkClassifierFamily((2, 16, 2))
    theta = family.initial_theta(rng)
    *_, step = family.train(X[:400], y[:400], rng, batch=64, max_steps=300, theta=theta)
    before, after = (float(family.loss(t, X[400:], y[400:])[0]) for t in (theta, step.theta))
    assert after < 0.5 * before and after < 0.3


def test_a_training_is_made_by_its_seed_and_its_first_loss_is_that_of_its_start(make_rng):
    family = NetworkClassifierFamily((3, 5, 2))
    X, y = problem(0, 2)
    last = []
    for seed in (0, 0, 1):
        *_, step = family.train(X, y, numpy.random.default_rng(seed), max_steps=5)
        last.append(step.theta)
    assert (last[0] == last[1]).all() and (last[0] != last[2]).any()
    theta = family.initial_theta(numpy.random.default_rng(0))
    optimizer = Adam(0.1)
    step = next(family.train(X[:1].repeat(9, axis=0), numpy.arange(9) % 2,
                             numpy.random.default_rng(0), optimizer, theta=theta))
    assert optimizer.learning_rate == 0.1                   # who brings an optimizer, steers it
    assert 0 < float(step.loss) < 10 and (step.theta != theta).any()


# Arrays

@every_family
def test_theta_X_and_y_are_only_read(family):
    theta, X, y = theta_and_data(family, numpy)
    theta.flags.writeable = X.flags.writeable = y.flags.writeable = False
    family.loss(theta, X, y)
    family(theta).log_posterior(X)
    list(family.train(X, y, numpy.random.default_rng(0), max_steps=2, theta=theta))
    if hasattr(family, "mle"):
        family.mle(X, y)


@every_family
def test_X_and_y_on_two_devices_are_refused(device, family):
    theta, X, y = theta_and_data(family, numpy)
    for X_there, y_there in [(X, device.asarray(y)), (device.asarray(X), y)]:
        with pytest.raises(TypeError, match="X and y must live on the same device"):
            next(family.train(X_there, y_there, numpy.random.default_rng(0)))
        if hasattr(family, "mle"):
            with pytest.raises(TypeError, match="X and y must live on the same device"):
                family.mle(X_there, y_there)
    with pytest.raises(TypeError):
        family(theta).log_posterior(device.asarray(X))


# What is refused

@pytest.mark.parametrize("y, error, words", [
    ([0, 1, 1, 2], ValueError, "labels from 0 to 1, got 0 to 2"),
    ([0, 1, 1, -1], ValueError, "labels from 0 to 1, got -1 to 1"),
    ([0.0, 1.0, 1.0, 0.0], TypeError, "whole numbers, got dtype float64"),
    ([True, False, True, False], TypeError, "whole numbers, got dtype bool"),
    (["0", "1", "0", "1"], TypeError, "whole numbers, got dtype"),
    ([0, 1, 1], ValueError, r"shape \(4,\), got shape \(3,\)"),
    ([[0], [1], [1], [0]], ValueError, r"shape \(4,\), got shape \(4, 1\)"),
    (1, ValueError, r"shape \(4,\), got shape \(\)"),
    ([1, 1, 1, 1], ValueError, "at least two different labels, got only 1"),
])
@pytest.mark.parametrize("family", [LogisticFamily(1), SoftmaxFamily(1, 2),
                                    NetworkClassifierFamily((1, 3, 2))])
def test_what_are_no_labels_is_refused(family, y, error, words):
    X = [[0.0], [1.0], [2.0], [1.5]]
    with pytest.raises(error, match=words):
        next(family.train(X, y, numpy.random.default_rng(0)))
    if hasattr(family, "mle"):
        with pytest.raises(error, match=words):
            family.mle(X, y)


def test_labels_may_be_a_list_and_of_any_whole_type():
    X = numpy.zeros((3, 1))
    for y in ([0, 1, 2], numpy.array([0, 1, 2], "uint8"), numpy.array([0, 1, 2], "int32")):
        assert checks.labels(y, X).tolist() == checks.labels(y, X, 3).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="labels from 0, got -2 to 2"):
        checks.labels([-2, 0, 2], X)
    assert checks.labels(numpy.array([], int), X[:0]).shape == (0,)


@every_family
@pytest.mark.parametrize("X, words", [
    ([[NAN, 0, 0], [0, 1, 2]], "X holds nan"),
    ([[INF, 0, 0], [0, 1, 2]], "X holds inf"),
    ([[0, 0], [0, 1]], "X has 2 columns"),
    ([0, 1, 2], "X must have shape"),
    (numpy.zeros((0, 3)), "X is empty"),
])
def test_what_is_no_data_set_is_refused(family, X, words):
    y = [0, 1] if len(X) == 2 else []
    with pytest.raises(ValueError, match=words):
        next(family.train(X, numpy.array(y, int), numpy.random.default_rng(0)))
    if hasattr(family, "mle"):
        with pytest.raises(ValueError, match=words):
            family.mle(X, numpy.array(y, int))
    if "empty" not in words:
        with pytest.raises(ValueError, match=words):
            family(numpy.zeros(family.n_parameters)).log_posterior(X)


@every_family
def test_what_is_no_theta_is_refused(family):
    p = family.n_parameters
    for theta, words in [(numpy.zeros(p + 1), rf"theta must have shape \({p},\), got \({p + 1},\)"),
                         (numpy.zeros((1, p)), "theta must have shape"),
                         (numpy.full(p, NAN), "theta holds nan")]:
        with pytest.raises(ValueError, match=words):
            family(theta)


@pytest.mark.parametrize("make, error, words", [
    (lambda: SoftmaxFamily(2, 3, -1), ValueError, "l2 must be finite and not negative, got -1"),
    (lambda: LogisticFamily(2, NAN), ValueError, "l2 must be finite and not negative, got nan"),
    (lambda: LogisticFamily(2, INF), ValueError, "l2 must be finite and not negative, got inf"),
    (lambda: SoftmaxFamily(2, 1), ValueError, "n_classes must be at least 2"),
    (lambda: SoftmaxFamily(0, 2), ValueError, "at least 1, got 0"),
    (lambda: LogisticFamily(2.0), TypeError, "a whole number, got 2.0"),
    (lambda: NetworkClassifierFamily((2, 1)), ValueError, "K >= 2 classes"),
    (lambda: NetworkClassifierFamily((2,)), ValueError, "K >= 2 classes"),
    (lambda: NetworkClassifierFamily((2, 0, 2)), ValueError, "sizes must be at least 1, got 0"),
    (lambda: NetworkClassifierFamily((2, 3, 2), "sine"), ValueError,
     "activation must be .*tanh.*, got 'sine'"),
])
def test_what_makes_no_family_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("how, error, words", [
    ({"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
    ({"max_steps": 1.5}, TypeError, "max_steps must be a whole number"),
    ({"batch": 0}, ValueError, "batch must be at least 1, got 0"),
])
def test_a_training_without_steps_or_rows_is_refused(how, error, words):
    X, y = problem(0, 2)
    with pytest.raises(error, match=words):
        next(LogisticFamily(3).train(X, y, numpy.random.default_rng(0), **how))


def test_the_number_of_parameters_is_that_of_the_network_but_for_the_fixed_logit():
    assert NetworkClassifierFamily((3, 5, 2)).n_parameters == n_parameters((3, 5, 2)) == 32
    assert SoftmaxFamily(3, 4).n_parameters == 16 and LogisticFamily(3).n_parameters == 4
