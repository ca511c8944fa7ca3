"""Training: steps on random rows, with a falling learning rate and an average of theta."""

import sys

import numpy
import pytest
import stand_in_cupy

from gdl_numpy.networks.training import Average, train
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.optimizer import Adam, GradientDescent, half_cosine


def squared_distance(theta, X):
    """|θ - x|²/2, the mean over rows, and its gradient: the minimum is the mean of the data."""
    difference = theta - X
    return 0.5 * (difference**2).sum(axis=1).mean(), difference.mean(axis=0)


def last(steps):
    return list(steps)[-1].theta


def test_the_minimum_is_found(xp, make_rng):
    X = make_rng(0).standard_normal((500, 3)) + 2
    theta = last(train(squared_distance, xp.zeros(3), (X,), make_rng(1), 0.1, max_steps=600))
    assert array_module(theta) is xp
    numpy.testing.assert_allclose(to_numpy(theta), to_numpy(X.mean(axis=0)), atol=0.05)


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


def test_the_average_is_the_weighted_mean_of_all_thetas(make_rng, xp):
    X = make_rng(0).standard_normal((50, 2))
    plain, averaged = (list(train(squared_distance, xp.zeros(2), (X,), make_rng(1), 0.1, 8, 20, a))
                       for a in (0.0, 0.9))
    weights = 0.9**numpy.arange(20)[::-1]
    thetas = numpy.stack([to_numpy(step.theta) for step in plain])
    expected = (weights[:, None] * thetas).sum(axis=0) / weights.sum()
    numpy.testing.assert_allclose(to_numpy(averaged[-1].theta), expected, rtol=1e-12)
    assert float(averaged[7].loss) == float(plain[7].loss)  # the average does not steer


def test_thetas_that_were_given_out_are_not_changed_later(make_rng, xp):
    X = make_rng(0).standard_normal((50, 2))
    for averaging in (0.0, 0.9):
        steps = train(squared_distance, xp.zeros(2), (X,), make_rng(1), averaging=averaging)
        first = next(steps).theta
        kept = first.copy()
        next(steps), next(steps)
        assert (first == kept).all()


def test_rows_of_several_arrays_belong_together(make_rng, xp):
    X = make_rng(0).standard_normal((100, 1))

    def loss(theta, x, y):
        assert (to_numpy(y) == 2 * to_numpy(x)).all()
        return 0 * theta.sum(), 0 * theta

    next(train(loss, xp.zeros(1), (X, 2 * X), make_rng(1)))


def test_what_augment_makes_of_the_rows_is_what_the_loss_sees(make_rng, xp):
    X = xp.zeros((10, 2))
    noise = []

    def augment(rows, rng):
        noise.append(rng.standard_normal(rows.shape))
        return rows + noise[-1]

    def loss(theta, x):
        assert (to_numpy(x) == to_numpy(noise[-1])).all()
        return 0 * theta.sum(), 0 * theta

    list(train(loss, xp.zeros(2), (X,), make_rng(1), max_steps=3, augment=augment))
    assert len(noise) == 3 and not (to_numpy(noise[0]) == to_numpy(noise[1])).all()
    assert (to_numpy(X) == 0).all()


def test_an_optimizer_brings_its_own_learning_rate():
    optimizer = GradientDescent(0.25)
    X = numpy.ones((4, 1))
    first = next(train(squared_distance, numpy.zeros(1), (X,), numpy.random.default_rng(0),
                       optimizer=optimizer))
    assert optimizer.learning_rate == 0.25 and first.theta.tolist() == [0.25]


def test_the_start_and_the_data_are_only_read(make_rng):
    theta, X = numpy.zeros(2), numpy.ones((4, 2))
    theta.flags.writeable = X.flags.writeable = False
    assert (last(train(squared_distance, theta, (X,), numpy.random.default_rng(0))) != 0).all()


def test_theta_has_the_precision_of_the_data(xp, make_rng):
    X = make_rng(0).random((5, 2), dtype="float32")
    for averaging in (0.0, 0.5):
        theta = last(train(squared_distance, xp.zeros(2), (X,), make_rng(1), max_steps=3,
                           averaging=averaging))
        assert theta.dtype == "float32"


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_a_step_does_not_wait_for_the_device(monkeypatch, averaging):
    monkeypatch.setitem(sys.modules, "cupy", stand_in_cupy)
    rng = stand_in_cupy.random.default_rng(0)
    X = rng.standard_normal((20, 2))
    steps = train(squared_distance, stand_in_cupy.zeros(2), (X,), rng, averaging=averaging)
    next(steps)
    with stand_in_cupy.counted() as n:
        next(steps), next(steps)
    assert n.waits == 0 and n.launches > 0


@pytest.mark.parametrize("options, error, message", [
    ({"averaging": 1.0}, ValueError, r"averaging must lie in \[0, 1\), got 1.0"),
    ({"averaging": -0.1}, ValueError, "averaging must lie"),
    ({"batch": 0}, ValueError, "batch must be at least 1, got 0"),
    ({"max_steps": 2.5}, TypeError, "max_steps must be a whole number, got 2.5"),
    ({"learning_rate": 0}, ValueError, "learning_rate must be positive"),
    ({"theta": [numpy.nan]}, ValueError, "theta holds nan"),
])
def test_what_cannot_be_trained_is_refused(options, error, message):
    theta = options.pop("theta", numpy.zeros(1))
    with pytest.raises(error, match=message):
        next(train(squared_distance, theta, (numpy.ones((3, 1)),), numpy.random.default_rng(0),
                   **options))


def test_an_average_counts_the_last_most_and_without_one_it_is_the_last(xp, make_rng):
    thetas = list(make_rng(0).random((5, 3)))
    for a in (0.0, 0.5, 0.9):
        average = Average(a)
        for t, theta in enumerate(thetas):
            mean = average(theta)
            weights = [a**(t - s) for s in range(t + 1)]
            expected = sum(w * old for w, old in zip(weights, thetas, strict=False)) / sum(weights)
            numpy.testing.assert_allclose(to_numpy(mean), to_numpy(expected), rtol=1e-12)
