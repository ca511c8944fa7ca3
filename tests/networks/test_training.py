"""Training: steps on random rows, with a falling learning rate and an average of theta."""

import sys

import numpy
import pytest
import stand_in_cupy

from gdl_numpy.networks.network import Network
from gdl_numpy.networks.training import Average, minibatches, starting_theta, train
from gdl_numpy.numerics.optimizer import Adam, GradientDescent, half_cosine


def squared_distance(theta, X):
    """|θ - x|²/2, the mean over rows, and its gradient: the minimum is the mean of the data."""
    difference = theta - X
    return 0.5 * (difference**2).sum(axis=1).mean(), difference.mean(axis=0)


def last(steps):
    return list(steps)[-1].theta


def test_the_minimum_is_found():
    X = numpy.random.default_rng(0).standard_normal((500, 3)) + 2
    theta = last(train(squared_distance, numpy.zeros(3), (X,), numpy.random.default_rng(1), 0.1,
                       max_steps=600))
    numpy.testing.assert_allclose(theta, X.mean(axis=0), atol=0.05)


def test_the_steps_are_those_of_the_optimizer_on_the_drawn_rows():
    X = numpy.random.default_rng(0).standard_normal((50, 2))
    steps = list(train(squared_distance, numpy.zeros(2), (X,), numpy.random.default_rng(1), 0.1,
                       batch=8, max_steps=5))
    rng, adam, theta = numpy.random.default_rng(1), Adam(0.1), numpy.zeros(2)
    for t, step in enumerate(steps):
        adam.learning_rate = 0.1 * half_cosine(t, 5)
        loss, dtheta = squared_distance(theta, X[rng.integers(0, 50, size=8)])
        theta = adam(theta, dtheta)
        assert step.step == t and step.loss == loss and (step.theta == theta).all()


@pytest.mark.parametrize("clip", [0.5, 2.0, 1e9])
def test_a_gradient_longer_than_clip_keeps_its_direction_and_has_that_length(clip):
    X, seen = numpy.random.default_rng(0).standard_normal((50, 2)), []

    def noted(theta, dtheta):
        seen.append(dtheta)
        return theta - 0.1 * dtheta

    thetas = [numpy.array([3.0, 4.0])]
    steps = train(squared_distance, thetas[0], (X,), numpy.random.default_rng(1), batch=8,
                  max_steps=5, optimizer=noted, clip=clip)
    thetas += [step.theta for step in steps]
    rng = numpy.random.default_rng(1)
    for theta, dtheta in zip(thetas[:-1], seen, strict=True):
        _, whole = squared_distance(theta, X[rng.integers(0, 50, size=8)])
        length = numpy.linalg.norm(whole)
        numpy.testing.assert_allclose(dtheta, whole * min(1, clip / length), rtol=1e-12)
    assert numpy.linalg.norm(seen[0]) == pytest.approx(min(clip, 5), rel=0.2)   # the mean is near 0


def test_after_a_huge_gradient_only_a_clipped_training_goes_on():
    """All rows are 1, but for the first, a million. Adam's mean of squares does not forget it."""
    ends = {}
    for clip in (None, 1.0):
        factors = iter([1e6, *[1.0] * 199])
        ends[clip] = last(train(squared_distance, numpy.zeros(1), (numpy.ones((1, 1)),),
                                numpy.random.default_rng(0), 0.1, max_steps=200,
                                augment=lambda X, rng, factors=factors: X * next(factors),
                                clip=clip))
    assert abs(ends[1.0] - 1) < 0.01 < 0.05 < abs(ends[None] - 1)


def test_the_average_is_the_weighted_mean_of_all_thetas():
    X = numpy.random.default_rng(0).standard_normal((50, 2))
    plain, averaged = (list(train(squared_distance, numpy.zeros(2), (X,),
                                  numpy.random.default_rng(1), 0.1, 8, 20, a)) for a in (0.0, 0.9))
    weights = 0.9**numpy.arange(20)[::-1]
    thetas = numpy.stack([step.theta for step in plain])
    expected = (weights[:, None] * thetas).sum(axis=0) / weights.sum()
    numpy.testing.assert_allclose(averaged[-1].theta, expected, rtol=1e-12)
    assert float(averaged[7].loss) == float(plain[7].loss)  # the average does not steer


def test_thetas_that_were_given_out_are_not_changed_later():
    X = numpy.random.default_rng(0).standard_normal((50, 2))
    for averaging in (0.0, 0.9):
        steps = train(squared_distance, numpy.zeros(2), (X,), numpy.random.default_rng(1),
                      averaging=averaging)
        first = next(steps).theta
        kept = first.copy()
        next(steps), next(steps)
        assert (first == kept).all()


def test_rows_of_several_arrays_belong_together():
    X = numpy.random.default_rng(0).standard_normal((100, 1))

    def loss(theta, x, y):
        assert (y == 2 * x).all()
        return 0 * theta.sum(), 0 * theta

    next(train(loss, numpy.zeros(1), (X, 2 * X), numpy.random.default_rng(1)))


def test_what_augment_makes_of_the_rows_is_what_the_loss_sees():
    X = numpy.zeros((10, 2))
    noise = []

    def augment(rows, rng):
        noise.append(rng.standard_normal(rows.shape))
        return rows + noise[-1]

    def loss(theta, x):
        assert (x == noise[-1]).all()
        return 0 * theta.sum(), 0 * theta

    list(train(loss, numpy.zeros(2), (X,), numpy.random.default_rng(1), max_steps=3,
               augment=augment))
    assert len(noise) == 3 and not (noise[0] == noise[1]).all()
    assert (X == 0).all()


def test_an_optimizer_brings_its_own_learning_rate():
    optimizer = GradientDescent(0.25)
    X = numpy.ones((4, 1))
    first = next(train(squared_distance, numpy.zeros(1), (X,), numpy.random.default_rng(0),
                       optimizer=optimizer))
    assert optimizer.learning_rate == 0.25 and first.theta.tolist() == [0.25]


def test_the_start_and_the_data_are_only_read():
    theta, X = numpy.zeros(2), numpy.ones((4, 2))
    theta.flags.writeable = X.flags.writeable = False
    assert (last(train(squared_distance, theta, (X,), numpy.random.default_rng(0))) != 0).all()


@pytest.mark.parametrize("options, error, message", [
    ({"averaging": 1.0}, ValueError, r"averaging must lie in \[0, 1\), got 1.0"),
    ({"averaging": -0.1}, ValueError, r"averaging must lie in \[0, 1\), got -0.1"),
    ({"clip": 0}, ValueError, r"clip must lie in \[1e-30, 1e30\], got 0"),
    ({"clip": 1e39}, ValueError, r"clip must lie in \[1e-30, 1e30\], got 1e\+39"),
    ({"clip": "5"}, TypeError, "clip must be a"),
    ({"beta2": None}, TypeError, "beta2 must be a"),
    ({"beta2": 1}, ValueError, r"beta2 must lie in \[0, 1\), got 1"),
    ({"batch": 0}, ValueError, "batch must be at least 1, got 0"),
    ({"max_steps": 2.5}, TypeError, "max_steps must be a whole number, got 2.5"),
    ({"learning_rate": 0}, ValueError, r"learning_rate must lie in \(0, 1e30\], got 0"),
    ({"theta": [numpy.nan]}, ValueError, "theta holds nan"),
    ({"rng": 3}, TypeError, "rng must be a generator of random numbers, .* got 3"),
])
def test_what_cannot_be_trained_is_refused(options, error, message):
    theta = options.pop("theta", numpy.zeros(1))
    options = {"rng": numpy.random.default_rng(0)} | options
    with pytest.raises(error, match=message):               # at once, not at the first step
        train(squared_distance, theta, (numpy.ones((3, 1)),), **options)


def test_an_average_counts_the_last_most_and_without_one_it_is_the_last():
    thetas = list(numpy.random.default_rng(0).random((5, 3)))
    for a in (0.0, 0.5, 0.9):
        average = Average(a)
        for t, theta in enumerate(thetas):
            mean = average(theta)
            weights = [a**(t - s) for s in range(t + 1)]
            expected = sum(w * old for w, old in zip(weights, thetas, strict=False)) / sum(weights)
            numpy.testing.assert_allclose(mean, expected, rtol=1e-12)


# Starts and rows

def test_a_start_is_random_if_there_is_none_and_else_a_copy():
    network, X = Network((2, 3, 1)), numpy.ones((4, 2))
    expected = network.initial_theta(numpy.random.default_rng(3))
    assert (starting_theta(network, None, numpy.random.default_rng(3), X) == expected).all()
    rng = numpy.random.default_rng(3)
    theta = starting_theta(network, expected, rng, X)
    theta += 1
    assert (theta == expected + 1).all()
    assert (starting_theta(network, expected.tolist(), rng, X) == expected).all()


@pytest.mark.parametrize("theta", [None, numpy.zeros(13), [0] * 13])
def test_a_start_has_the_precision_of_the_data(theta):
    X = numpy.ones((4, 2), dtype="float32")
    start = starting_theta(Network((2, 3, 1)), theta, numpy.random.default_rng(3), X)
    assert start.dtype == numpy.float32 and start.shape == (13,)


@pytest.mark.parametrize("theta, words", [
    (numpy.zeros(12), r"theta must be an array of shape \(13,\), got \(12,\)"),
    ([0.0] * 14, r"theta must be an array of shape \(13,\), got \(14,\)"),
    (numpy.full(13, numpy.nan), "theta holds nan"),
])
def test_a_start_that_does_not_fit_the_family_is_refused(theta, words):
    with pytest.raises(ValueError, match=words):
        starting_theta(Network((2, 3, 1)), theta, numpy.random.default_rng(0), numpy.ones((4, 2)))


def test_minibatches_are_rows_drawn_with_replacement():
    X, rng = numpy.arange(10.0)[:, None], numpy.random.default_rng(1)
    steps = list(minibatches((X, -X), numpy.random.default_rng(1), 4, 5))
    assert [t for t, _ in steps] == [0, 1, 2, 3, 4]
    for _, (x, y) in steps:
        assert (x == X[rng.integers(0, 10, size=4)]).all() and (y == -x).all()


def test_a_batch_is_never_larger_than_the_data():
    (_, (rows,)), = minibatches((numpy.ones((3, 2)),), numpy.random.default_rng(0), 512, 1)
    assert rows.shape == (3, 2)


@pytest.mark.parametrize("how, error, words", [
    ({"batch": 0}, ValueError, "batch must be at least 1, got 0"),
    ({"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
    ({"rng": 0}, TypeError, "rng must be a generator .* got 0"),
    ({"augment": 2}, TypeError, "augment must be a function, got 2"),
    ({"data": ()}, ValueError, r"data must have equally many rows, at least one, got \[\]"),
    ({"data": (numpy.ones((0, 2)),)}, ValueError, r"data must have .* got \[0\]"),
    ({"data": (numpy.ones((3, 2)), numpy.ones(4))}, ValueError, r"data must have .* got \[3, 4\]"),
    ({"data": ([[1.0, 2.0]],)}, TypeError, "data must be a tuple of arrays"),
    ({"data": numpy.ones((3, 2))}, TypeError, "data must be a tuple of arrays"),
])
def test_rows_that_cannot_be_drawn_are_refused_before_the_first_is_asked_for(how, error, words):
    how = {"data": (numpy.ones((3, 2)),), "rng": numpy.random.default_rng(0), "batch": 2,
           "max_steps": 3} | how
    with pytest.raises(error, match=words):
        minibatches(**how)


def test_a_loss_of_several_numbers_is_refused():
    steps = train(lambda theta, X: (X[:, 0], theta), numpy.zeros(2), (numpy.ones((3, 2)),),
                  numpy.random.default_rng(0))
    with pytest.raises(ValueError, match=r"loss must be one number, got an array of shape \(3,\)"):
        next(steps)


@pytest.mark.parametrize("how, error, words", [
    ({"learning_rate": 0.0}, ValueError, r"learning_rate must lie in \(0, 1e30\], got 0.0"),
    ({"learning_rate": -1, "optimizer": Adam()}, ValueError, "learning_rate must lie in"),
    ({"averaging": 1.0}, ValueError, r"averaging must lie in \[0, 1\)"),
    ({"optimizer": 0}, TypeError, "optimizer must be a function, got 0"),
    ({"loss": None}, TypeError, "loss must be a function, got None"),
    ({"theta": numpy.zeros((2, 1))}, ValueError, r"theta must be an array of shape \(n,\)"),
])
def test_a_training_refuses_at_the_call_what_it_cannot_do(how, error, words):
    right = {"loss": squared_distance, "theta": numpy.zeros(2), "data": (numpy.ones((3, 2)),),
             "rng": numpy.random.default_rng(0)}
    with pytest.raises(error, match=words):
        train(**right | how)


# Contracts

def test_theta_has_the_precision_of_the_data(xp, make_rng):
    X = make_rng(0).random((5, 2), dtype="float32")
    for averaging in (0.0, 0.5):
        theta = last(train(squared_distance, xp.zeros(2), (X,), make_rng(1), max_steps=3,
                           averaging=averaging))
        assert theta.dtype == "float32"


@pytest.mark.parametrize("averaging, clip", [(0.0, None), (0.9, None), (0.0, 0.1)])
def test_a_step_does_not_wait_for_the_device(monkeypatch, averaging, clip):
    monkeypatch.setitem(sys.modules, "cupy", stand_in_cupy)
    rng = stand_in_cupy.random.default_rng(0)
    X = rng.standard_normal((20, 2))
    steps = train(squared_distance, stand_in_cupy.zeros(2), (X,), rng, averaging=averaging,
                  clip=clip)
    next(steps)
    with stand_in_cupy.counted() as n:
        next(steps), next(steps)
    assert n.waits == 0 and n.launches > 0
