"""Linear classifiers and observations with labels, for their tests: some overlap, some do not."""

import math

import numpy
import pytest

from gdl_numpy.labels.logistic import LogisticFamily, SoftmaxFamily

LINEAR = {
    "logistic": LogisticFamily(3),
    "logistic with a penalty": LogisticFamily(3, l2=0.3),
    "softmax": SoftmaxFamily(3, 4),
    "softmax with a penalty": SoftmaxFamily(3, 4, l2=0.3),
}
linear = pytest.mark.parametrize("family", LINEAR.values(), ids=LINEAR)
wrong_data_set = pytest.mark.parametrize("X, words", [      # for a classifier of three numbers
    ([[math.nan, 0, 0], [0, 1, 2]], "X holds nan"),
    ([[math.inf, 0, 0], [0, 1, 2]], "X holds inf"),
    ([[0, 0], [0, 1]], "X has 2 columns"),
    ([0, 1, 2], "X must have shape"),
    (numpy.zeros((0, 3)), "X is empty"),
])


def overlapping(seed, K, n=200, d=3):
    """Rows of R^d that depend on each other, and labels by a softmax regression that overlap."""
    rng = numpy.random.default_rng(seed)
    X = rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)
    a = X @ rng.standard_normal((d, K)) * 0.7 + rng.gumbel(size=(n, K))
    y = a.argmax(axis=1)
    y[:2 * K] = numpy.arange(2 * K) % K                     # every label occurs
    return X, y


def apart(K=2, n=90):
    """K clouds that planes separate."""
    rng = numpy.random.default_rng(0)
    y = numpy.arange(n) % K
    return rng.random((n, 2)) + 3.0 * y[:, None] * [1, (-1)**K], y


def theta_and_data(family, xp=numpy, n=60):
    """A random theta of the family, and n rows with labels, as arrays of xp."""
    X, y = overlapping(0, family.n_classes, n)
    theta = numpy.random.default_rng(1).standard_normal(family.n_parameters)
    return xp.asarray(theta), xp.asarray(X), xp.asarray(y)
