"""Discriminative models: p(y|x), its gradient, and the training of a network."""

import math
import re
import tracemalloc

import numpy
import pytest
import stand_in_cupy
from gradient import check_gradient
from labeled_data import LINEAR, overlapping, theta_and_data, wrong_data_set

from gdl_numpy.labels.discriminative import Classifier, NetworkClassifierFamily
from gdl_numpy.labels.logistic import LogisticFamily, SoftmaxFamily
from gdl_numpy.networks.network import mlp, n_parameters
from gdl_numpy.numerics.optimizer import Adam, Step

NAN = math.nan
FAMILIES = LINEAR | {
    "network": NetworkClassifierFamily((3, 6, 4), "tanh"),
    "network without a hidden layer": NetworkClassifierFamily((3, 2)),
}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


# p(y|x)

@every_family
@pytest.mark.parametrize("scale", [1, 1000])
def test_the_probabilities_of_the_labels_sum_to_1(family, scale):
    theta, X, _ = theta_and_data(family)
    log_p = family(scale * theta).log_posterior(X)
    assert log_p.shape == (len(X), family.n_classes)
    numpy.testing.assert_allclose(numpy.exp(log_p).sum(axis=1), 1, rtol=1e-13)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_posterior_is_the_softmax_of_a_network(activation):
    family = NetworkClassifierFamily((3, 6, 4), activation)
    theta, X, _ = theta_and_data(family)
    e = numpy.exp(mlp(theta, X, (3, 6, 4), activation)[0])
    numpy.testing.assert_allclose(numpy.exp(family(theta).log_posterior(X)),
                                  e / e.sum(axis=1, keepdims=True), rtol=1e-12)


@every_family
def test_log_prob_is_the_log_posterior_of_the_label(family):
    theta, X, y = theta_and_data(family)
    expected = family(theta).log_posterior(X)[numpy.arange(len(X)), y]
    numpy.testing.assert_allclose(family.log_prob(theta, X, y)[0], expected, rtol=1e-13)


def test_the_number_of_parameters_is_that_of_the_network():
    assert NetworkClassifierFamily((3, 5, 2)).n_parameters == n_parameters((3, 5, 2)) == 32


# Gradients

@every_family
def test_the_gradient_of_log_prob_is_that_of_central_differences(family):
    theta, X, y = theta_and_data(family)
    check_gradient(lambda theta: family.log_prob(theta, X, y), theta,
                   rng=numpy.random.default_rng(2))


@every_family
def test_the_gradient_of_the_loss_is_that_of_central_differences(family):
    theta, X, y = theta_and_data(family)

    def loss(theta):
        value, dtheta = family.loss(theta, X, y)
        return value, lambda dloss: dloss * dtheta

    check_gradient(loss, theta, rng=numpy.random.default_rng(2))


@every_family
def test_the_loss_is_the_mean_over_the_rows_plus_the_penalty_of_the_weights(family):
    theta, X, y = theta_and_data(family)
    expected = -family.log_prob(theta, X, y)[0].mean()
    if getattr(family, "l2", 0.0) > 0:
        expected += 0.5 * getattr(family, "l2", 0.0) * (family(theta).weights**2).sum()
    assert family.loss(theta, X, y)[0] == pytest.approx(expected, rel=1e-13)


def test_the_loss_of_labels_that_are_equally_probable_is_log_K():
    family = NetworkClassifierFamily((3, 6, 4))
    _, X, y = theta_and_data(family)
    loss, _ = family.loss(numpy.zeros(family.n_parameters), X, y)
    assert loss == pytest.approx(math.log(4), rel=1e-14)


# Many rows

@every_family
def test_blocks_of_rows_give_the_result_of_all_rows_at_once(family, monkeypatch):
    theta, X, y = theta_and_data(family, n=100)
    at_once, cotangent = family.log_prob(theta, X, y), numpy.sin(numpy.arange(100.0))
    posterior, (loss, dtheta) = family(theta).log_posterior(X), family.loss(theta, X, y)
    monkeypatch.setattr("gdl_numpy.labels.discriminative.ROWS", 30)
    log_p, backward = family.log_prob(theta, X, y)
    numpy.testing.assert_allclose(log_p, at_once[0], rtol=1e-13)
    numpy.testing.assert_allclose(backward(cotangent), at_once[1](cotangent), rtol=1e-10,
                                  atol=1e-12)
    numpy.testing.assert_allclose(family(theta).log_posterior(X), posterior, rtol=1e-13)
    by_blocks, slopes = family.loss(theta, X, y)
    assert by_blocks == pytest.approx(loss, rel=1e-13)
    numpy.testing.assert_allclose(slopes, dtheta, rtol=1e-10, atol=1e-12)


def test_no_layer_is_kept_for_all_of_many_rows():
    """Of which each of 64 numbers would take 51 MB."""
    family, rng = NetworkClassifierFamily((2, 64, 64, 2)), numpy.random.default_rng(0)
    X, theta = rng.standard_normal((100_000, 2)), family.initial_theta(rng)
    y = (X[:, 0] > 0).astype(int)
    for work in (lambda: family(theta).log_posterior(X), lambda: family.loss(theta, X, y)):
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 40e6


# Training

@pytest.mark.parametrize("seed", range(3))
def test_training_makes_a_network_better_on_rows_it_has_not_seen(seed):
    rng = numpy.random.default_rng(seed)
    X = 2 * rng.random((600, 2)) - 1
    y = ((X**2).sum(axis=1) < 0.6).astype(int)              # a disc: no plane will do
    family = NetworkClassifierFamily((2, 16, 2))
    theta = family.initial_theta(rng)
    *_, step = family.train(X[:400], y[:400], rng, batch=64, max_steps=300, theta=theta)
    before, after = (family.loss(t, X[400:], y[400:])[0] for t in (theta, step.theta))
    assert after < 0.5 * before and after < 0.3


def test_the_same_seed_gives_the_same_training():
    family = NetworkClassifierFamily((3, 5, 2))
    X, y = overlapping(0, 2)
    last = []
    for seed in (0, 0, 1):
        *_, step = family.train(X, y, numpy.random.default_rng(seed), max_steps=5)
        last.append(step.theta)
    assert (last[0] == last[1]).all() and (last[0] != last[2]).any()


def test_training_continues_from_a_given_theta_with_a_given_optimizer():
    """All rows are the same, so that every batch is: one label in two, or nearly."""
    family, X, y = NetworkClassifierFamily((3, 5, 2)), numpy.ones((9, 3)), numpy.arange(9) % 2
    theta, optimizer = family.initial_theta(numpy.random.default_rng(0)), Adam(0.1)
    step = next(family.train(X, y, numpy.random.default_rng(0), optimizer, theta=theta))
    p = numpy.exp(family(theta).log_posterior(X[:1]))[0]
    ones = y[numpy.random.default_rng(0).integers(0, 9, size=9)].mean()
    assert step.step == 0 and isinstance(step, Step)
    assert step.loss == pytest.approx(-(1 - ones) * math.log(p[0]) - ones * math.log(p[1]))
    expected = Adam(0.1)(theta, family.loss(theta, X, y[numpy.random.default_rng(0).integers(
        0, 9, size=9)])[1])
    assert (step.theta == expected).all()
    assert optimizer.learning_rate == 0.1                   # who brings an optimizer, steers it


def test_the_first_step_of_training_moves_theta_by_0_01():
    family = NetworkClassifierFamily((3, 5, 2))
    theta, X, y = theta_and_data(family)
    step = next(family.train(X, y, numpy.random.default_rng(0), theta=theta))
    assert abs(step.theta - theta).max() == pytest.approx(0.01, rel=1e-3)


# Arrays

def test_a_classifier_keeps_its_own_theta():
    family = NetworkClassifierFamily((3, 2))
    theta, X, _ = theta_and_data(family)
    p = family(theta)
    before = p.log_posterior(X)
    theta += 1
    assert type(p) is Classifier and (before == p.log_posterior(X)).all()


def test_models_say_what_they_are():
    family = NetworkClassifierFamily([3, 5, 2])
    assert repr(family) == "NetworkClassifierFamily(sizes=(3, 5, 2), activation='relu')"
    p = family(numpy.zeros(32))
    assert repr(p) == f"Classifier(family={family}, theta=array of shape (32,))"


@every_family
def test_theta_X_and_y_are_only_read(family):
    theta, X, y = theta_and_data(family)
    theta.flags.writeable = X.flags.writeable = y.flags.writeable = False
    family.loss(theta, X, y)
    family(theta).log_posterior(X)
    list(family.train(X, y, numpy.random.default_rng(0), max_steps=2, theta=theta))


@every_family
def test_X_and_y_and_a_start_may_be_lists(family):
    theta, X, y = theta_and_data(family)
    listed = X.tolist(), y.tolist()
    for a, b in zip(family.log_prob(theta, X, y), family.log_prob(theta, *listed), strict=True):
        assert callable(a) or (a == b).all()
    one, two = (next(family.train(*data, numpy.random.default_rng(0), theta=start)).theta
                for data, start in [((X, y), theta), (listed, theta.tolist())])
    assert (one == two).all()


@every_family
def test_no_rows_give_an_empty_posterior(family):
    theta, X, _ = theta_and_data(family)
    assert family(theta).log_posterior(X[:0]).shape == (0, family.n_classes)


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
def test_wrong_labels_are_refused(family, y, error, words):
    X = [[0.0], [1.0], [2.0], [1.5]]
    with pytest.raises(error, match=words):
        family.train(X, y, numpy.random.default_rng(0))
    if "shape" in words or "dtype" in words:
        with pytest.raises(error, match=words):
            family.loss(numpy.zeros(family.n_parameters), X, y)


@every_family
@wrong_data_set
def test_a_wrong_data_set_is_refused(family, X, words):
    y = [0, 1] if len(X) == 2 else []
    with pytest.raises(ValueError, match=words):
        family.train(X, numpy.array(y, int), numpy.random.default_rng(0))
    if "empty" not in words:
        with pytest.raises(ValueError, match=words):
            family(numpy.zeros(family.n_parameters)).log_posterior(X)


@every_family
def test_a_wrong_theta_is_refused_everywhere(family):
    _, X, y = theta_and_data(family)
    p, doors = family.n_parameters, [
        family, lambda theta: family.train(X, y, numpy.random.default_rng(0), theta=theta),
        lambda theta: family.log_prob(theta, X, y), lambda theta: family.loss(theta, X, y),
        lambda theta: family.logits(theta, X), *([family.cut] if hasattr(family, "cut") else [])]
    for shape in [(p - 1,), (p + 2,), (1, p)]:
        for call in doors:
            with pytest.raises(ValueError, match="theta must be an array of shape " + re.escape(
                    f"({p},), got {shape}")):
                call(numpy.zeros(shape))
    for call in doors[:2]:
        with pytest.raises(ValueError, match="theta holds nan"):
            call(numpy.full(p, NAN))


@pytest.mark.parametrize("sizes, activation, error, words", [
    ((2, 1), "relu", ValueError, "classes in sizes must be at least 2, got 1"),
    ((2,), "relu", ValueError, r"sizes must be \(d_in, ..., d_out\), got \(2,\)"),
    ((2, 0, 2), "relu", ValueError, "sizes must be at least 1, got 0"),
    (2, "relu", TypeError, "sizes must be a list of whole numbers, got 2"),
    ((2, 3, 2), "sine", ValueError, "activation must be .*tanh.*, got 'sine'"),
])
def test_wrong_sizes_and_activations_are_refused(sizes, activation, error, words):
    with pytest.raises(error, match=words):
        NetworkClassifierFamily(sizes, activation)


@pytest.mark.parametrize("how, error, words", [
    ({"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
    ({"max_steps": 1.5}, TypeError, "max_steps must be a whole number"),
    ({"batch": 0}, ValueError, "batch must be at least 1, got 0"),
    ({"rng": 0}, TypeError, "rng must be a generator of random numbers.*, got 0"),
])
def test_training_without_steps_rows_or_a_generator_is_refused(how, error, words):
    X, y = overlapping(0, 2)
    with pytest.raises(error, match=words):
        NetworkClassifierFamily((3, 2)).train(X, y, **{"rng": numpy.random.default_rng(0)} | how,
                                              theta=numpy.zeros(8))


# Contracts

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


@every_family
def test_a_device_computes_what_the_host_computes(device, family):
    results = []
    for theta, X, y in (theta_and_data(family), theta_and_data(family, device)):
        log_p, backward = family.log_prob(theta, X, y)
        results.append([log_p, backward(log_p), *family.loss(theta, X, y),
                        family(theta).log_posterior(X)])
    for host, there in zip(*results, strict=True):
        assert isinstance(there, device.ndarray)
        numpy.testing.assert_allclose(device.asnumpy(there), host, rtol=1e-10, atol=1e-12)


@every_family
def test_X_and_y_on_two_devices_are_refused(device, family):
    theta, X, y = theta_and_data(family)
    for X_there, y_there in [(X, device.asarray(y)), (device.asarray(X), y)]:
        with pytest.raises(TypeError, match="X and y must live on the same device"):
            family.train(X_there, y_there, numpy.random.default_rng(0))
    with pytest.raises(TypeError, match="X and y must live on the same device"):
        family.loss(theta, X, device.asarray(y))
    with pytest.raises(TypeError):
        family(theta).log_posterior(device.asarray(X))
