"""What the training of every family must do: go on without waiting, and refuse what is no data."""

import math

import numpy
import pytest
import stand_in_cupy

BAD_DATA_OF_THE_BOX = [                                     # X, options, error, message
    (numpy.full((5, 2), 1.5), {}, ValueError, r"X must lie in \[-1, 1\]\^2, got the row \[1.5 1.5"),
    (numpy.zeros((0, 2)), {}, ValueError, "X is empty"),
    (numpy.zeros((5, 3)), {}, ValueError, "X has 3 columns"),
    (numpy.zeros((5, 2)), {"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
]


def check_a_step_never_waits(steps):
    """AssertionError if the second step of a training on the stand-in waits for the device."""
    next(steps)
    with stand_in_cupy.counted() as n:
        next(steps)
    assert n.waits == 0


def check_the_value_is_the_callers(f, *args):
    """AssertionError if what a caller does to the value of f(*args) changes what backward gives."""
    def pulled_back():
        gradients = backward(*cotangents)
        return gradients if isinstance(gradients, tuple) else (gradients,)

    value, backward = f(*args)
    values = value if isinstance(value, tuple) else (value,)
    cotangents = [numpy.ones_like(v) for v in values]
    expected = pulled_back()
    for v in values:
        v += 1
        v *= -3
    for before, after in zip(expected, pulled_back(), strict=True):
        assert (before == after).all() and (before != 0).any()


def check_refusals(family, theta, X, rng):
    """AssertionError unless a family, with `loss(theta, X, rng)`, refuses what is no theta or X."""
    with pytest.raises(ValueError, match="X has 4 columns"):
        next(family.train(numpy.ones((3, 4)), rng))
    for call in (lambda: family(theta[1:]), lambda: next(family.train(X, rng, theta=theta[1:])),
                 lambda: family.loss(theta[1:], X, rng)):
        with pytest.raises(ValueError, match="theta must be an array of shape"):
            call()
    with pytest.raises(ValueError, match="X holds nan"):
        next(family.train(X * math.nan, rng))
    with pytest.raises(ValueError, match="X is empty"):
        family.loss(theta, X[:0], rng)
