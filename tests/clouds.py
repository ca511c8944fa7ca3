"""Data for mixtures and normals, and a place where their training may start."""

import numpy


def correlated(rng, n, d=2):
    """n rows of a normal in R^d whose coordinates are neither centered, scaled nor independent."""
    A = numpy.tril(numpy.ones((d, d))) + numpy.diag(numpy.arange(d))
    return rng.standard_normal((n, d)) @ A.T + numpy.arange(1, d + 1)


def clusters(rng, d, k=3, n=80):
    """k clouds of n rows in R^d that overlap somewhat."""
    return numpy.concatenate([correlated(rng, n, d) + 4 * rng.standard_normal(d)
                              for _ in range(k)])


def start(family, X, rng):
    """Some θ of a mixture: unequal weights, means at rows of X, unit covariances."""
    k, d = family.n_components, family.d
    weights = numpy.arange(1, k + 1) / (k * (k + 1) / 2)
    means = X[rng.choice(len(X), k, replace=False)]
    return family.theta(weights, means, numpy.array([numpy.eye(d)] * k))
