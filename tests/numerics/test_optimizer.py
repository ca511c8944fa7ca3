"""Optimizers: each step against the formula of its paper, one coordinate at a time."""

import math
import sys

import numpy
import pytest
import stand_in_cupy

from gdl_numpy.numerics import optimizer
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.optimizer import Adam, GradientDescent, half_cosine

OPTIMIZERS = [GradientDescent, Adam]


def adam_by_hand(theta, gradients, learning_rate=1e-3, beta1=0.9, beta2=0.999, delta=1e-8):
    """Algorithm 1 of Kingma and Ba (2015) for one number; all iterates."""
    m = v = 0.0
    iterates = []
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        theta -= learning_rate * m_hat / (math.sqrt(v_hat) + delta)
        iterates.append(theta)
    return iterates


def walk(optimizer, theta, gradients):
    """All iterates of the optimizer."""
    iterates = []
    for dtheta in gradients:
        theta = optimizer(theta, dtheta)
        iterates.append(theta)
    return numpy.array(iterates)


def test_gradient_descent_goes_against_the_gradient():
    theta, dtheta = numpy.array([1.0, -2.0, 3.0]), numpy.array([10.0, 0.0, -4.0])
    assert GradientDescent(0.5)(theta, dtheta).tolist() == [-4.0, -2.0, 5.0]
    assert GradientDescent()(theta, dtheta) == pytest.approx([0.0, -2.0, 3.4])


@pytest.mark.parametrize("options", [
    {}, {"learning_rate": 0.1, "beta2": 0.9}, {"beta1": 0.0}, {"beta2": 0.0}, {"delta": 0.1},
])
def test_adam_follows_its_formula_in_each_coordinate(options):
    rng = numpy.random.default_rng(0)
    scale = 10.0**numpy.arange(-3, 4)
    theta, gradients = rng.standard_normal(7), scale * rng.standard_normal((30, 7))
    iterates = walk(Adam(**options), theta, gradients)
    expected = [adam_by_hand(x, g, **options) for x, g in zip(theta, gradients.T, strict=True)]
    assert iterates.T == pytest.approx(numpy.array(expected), rel=1e-12)


def test_a_long_theta_is_taken_piece_by_piece_to_the_same_numbers(monkeypatch):
    rng, whole, pieces = numpy.random.default_rng(0), Adam(0.1), Adam(0.1)
    theta = a = b = rng.standard_normal(8)
    for _ in range(3):
        dtheta = rng.standard_normal(8)
        a = whole(a, dtheta)
        with monkeypatch.context() as patch:
            patch.setattr(optimizer, "PIECE", 3)
            b = pieces(b, dtheta)
    assert (a == b).all() and (a != theta).all()


def test_many_steps_of_adam_in_single_precision_follow_the_formula_in_double():
    """3,000 steps add up to about 1; each rounds θ by at most 2^-24 of it, which makes 2e-4."""
    rng = numpy.random.default_rng(2)
    gradients = (rng.standard_normal((3000, 4)) + 0.3) * [1e-4, 1e-2, 1, 1e4]
    iterates = walk(Adam(), numpy.ones(4, "float32"), gradients.astype("float32"))
    expected = numpy.array([adam_by_hand(1.0, g) for g in gradients.T])
    assert iterates.dtype == "float32" and (iterates[-1] < 0.5).all()
    assert iterates.T == pytest.approx(expected, abs=2e-4)


def test_a_coordinate_without_gradient_stays_where_adam_finds_it():
    optimizer, theta = Adam(0.1), numpy.array([1.0, 2.0])
    for _ in range(3):
        theta = optimizer(theta, numpy.array([0.0, 1.0]))   # 0/√0, but for δ
    assert theta == pytest.approx([1.0, 1.7])


def test_the_first_step_of_adam_has_the_length_of_the_learning_rate():
    gradients = numpy.array([[1e-3, -1.0, 1e6]])
    steps = walk(Adam(0.25), numpy.zeros(3), gradients)
    assert steps[0] == pytest.approx([-0.25, 0.25, -0.25], rel=1e-4)


def test_the_learning_rate_may_be_changed_between_steps():
    optimizer = GradientDescent(1.0)
    theta = optimizer(numpy.array([0.0]), numpy.array([1.0]))
    optimizer.learning_rate = 0.25
    assert optimizer(theta, numpy.array([1.0])).tolist() == [-1.25]


@pytest.mark.parametrize("make, steps", [(GradientDescent, 200), (Adam, 1000)])
def test_the_minimum_of_a_quadratic_loss_is_found(make, steps):
    optimizer, target, theta = make(0.1), numpy.array([3.0, -1.0]), numpy.zeros(2)
    for _ in range(steps):
        theta = optimizer(theta, theta - target)                    # loss = |θ - target|²/2
    assert theta == pytest.approx([3.0, -1.0], abs=1e-6)


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_step_gives_a_new_theta_and_changes_neither_argument(make):
    theta, dtheta = numpy.array([1.0, 2.0]), numpy.array([3.0, -4.0])
    theta.flags.writeable = dtheta.flags.writeable = False
    optimizer = make()
    first = optimizer(theta, dtheta)
    kept = first.copy()
    second = optimizer(first, dtheta)
    assert not numpy.shares_memory(first, theta) and not numpy.shares_memory(first, second)
    assert (first == kept).all() and (first != theta).all()


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_new_optimizer_remembers_nothing(make):
    gradients = numpy.random.default_rng(1).standard_normal((5, 2))
    first, second = (walk(make(), numpy.zeros(2), gradients) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("value", [0.0, -0.1, math.nan, math.inf])
def test_a_learning_rate_that_is_not_positive_is_refused(make, value):
    with pytest.raises(ValueError, match=rf"learning_rate must lie in \(0, 1e30\], got {value}"):
        make(learning_rate=value)


@pytest.mark.parametrize("options, message", [
    ({"beta1": 1.0}, r"beta1 must lie in \[0, 1\), got 1.0"),
    ({"beta2": -0.1}, r"beta2 must lie in \[0, 1\), got -0.1"),
    ({"beta1": math.nan}, r"beta1 must lie in \[0, 1\), got nan"),
    ({"delta": 0.0}, r"delta must lie in \[1e-30, 1e30\], got 0.0"),
    ({"delta": math.nan}, r"delta must lie in \[1e-30, 1e30\], got nan"),
])
def test_constants_of_adam_outside_their_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Adam(**options)


THETA = numpy.array([1.0, -2.0, 0.5])


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("theta, dtheta, error, words", [
    (THETA.astype("float16"), THETA.astype("float16"), TypeError, "theta must be .* dtype float16"),
    (THETA.astype(int), THETA, TypeError, "theta must be .* dtype int64"),
    (THETA.tolist(), THETA, ValueError, r"theta must be an array of shape \(n,\), got <class"),
    (THETA[None], THETA, ValueError, r"theta must be an array of shape \(n,\), got \(1, 3\)"),
    (THETA, THETA[:2], ValueError, r"dtheta must be an array of the shape \(3,\) .* got \(2,\)"),
    (THETA, THETA[:, None], ValueError, r"dtheta must be .* got \(3, 1\) and float64"),
    (THETA, 0.5, ValueError, "dtheta must be .* got <class 'float'>"),
    (THETA, THETA.astype("float32"), ValueError, "dtype float64 of theta, got .* and float32"),
    (THETA, numpy.ma.masked_equal(THETA, 0.5), TypeError, "dtheta is a masked array"),
])
def test_a_wrong_theta_or_a_gradient_of_another_shape_is_refused(make, theta, dtheta, error, words):
    optimizer = make()
    with pytest.raises(error, match=words):
        optimizer(theta, dtheta)
    assert getattr(optimizer, "t", 0) == 0                  # and nothing is remembered of it


def test_adam_refuses_a_theta_of_another_shape_than_that_of_its_first_step():
    optimizer = Adam()
    optimizer(THETA, THETA)
    with pytest.raises(ValueError, match=r"shape \(3,\) .* of the step before, got \(2,\)"):
        optimizer(THETA[:2], THETA[:2])


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_wrong_learning_rate_that_is_set_later_is_refused_by_the_next_step(make):
    optimizer = make()
    for rate in (-0.1, math.nan, None, "0.1"):
        optimizer.learning_rate = rate
        with pytest.raises((ValueError, TypeError), match=r"learning_rate must .* \[0, 1e30\]"):
            optimizer(THETA, THETA)
    optimizer.learning_rate = half_cosine(5, 5)
    assert (optimizer(THETA, THETA) == THETA).all()         # 0 at the end of a schedule


def test_half_a_cosine_wave_falls_from_1_to_0():
    values = [half_cosine(t, 3) for t in range(4)]
    assert values == pytest.approx([1, 0.75, 0.25, 0], abs=1e-15)           # cos 60° is 1/2
    assert [half_cosine(t, 1) for t in (0, 1)] == pytest.approx([1, 0])


def test_half_a_cosine_wave_needs_at_least_one_step():
    for t, steps, words in ((1, 0, "steps must be at least 1"), (1, 2.5, "steps must be a whole"),
                            ("1", 3, "t must be a number"), (math.nan, 3, "t must lie in"),
                            (4, 3, r"t must lie in \[0, 3\], got 4"), (-1, 3, "t must lie in")):
        with pytest.raises((ValueError, TypeError), match=words):
            half_cosine(t, steps)


# Contracts

@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_step_stays_where_theta_is_and_in_its_precision(xp, make):
    theta = xp.zeros(3, dtype="float32")
    optimizer = make()
    for _ in range(3):
        theta = optimizer(theta, xp.ones(3, dtype="float32"))
    assert array_module(theta) is xp and theta.dtype == "float32" and theta.shape == (3,)


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_step_does_not_wait_for_the_device(monkeypatch, make):
    monkeypatch.setitem(sys.modules, "cupy", stand_in_cupy)
    theta, dtheta, optimizer = stand_in_cupy.zeros(3), stand_in_cupy.ones(3), make()
    with stand_in_cupy.counted() as n:
        for _ in range(3):
            theta = optimizer(theta, dtheta)
    assert n.waits == 0 and 0 < n.launches <= 3 * 20
