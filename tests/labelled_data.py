"""Observations with labels, for the tests of classifiers: some that overlap, some apart."""

import numpy


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
