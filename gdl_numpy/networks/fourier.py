"""Fourier features: sines and cosines of the coordinates, so that a network can learn fine detail.

A network that is given the latitude and longitude of a point learns slow functions first: it finds
the continents early and the coastlines last (Rahaman and others 2019). So give it waves over the
map as further inputs, of many lengths and directions. It can mix them as a Fourier series does, and
their lengths set how fine it can see (Rahimi and Recht 2007; Tancik and others 2020).

A wave vector f in R^d stands for a wave along f of length 2π/|f|. The m columns of F (d, m) are
such vectors, drawn once, equally many of each scale s; they belong to the model like its sizes:

    f    = s ε,  ε ~ N(0, I)             in radians per unit of x                            (1)
    φ(x) = (x, sin(x F), cos(x F))       d + 2m numbers                                      (2)

Backward, ∂φ has the same three parts. The slope of sin(x f) in x is cos(x f) f, of cos(x f) it is
-sin(x f) f, so that

    ∂x   = ∂φ_x + (∂φ_sin cos(x F) - ∂φ_cos sin(x F)) Fᵀ                                     (3)

By hand: one wave with f = π at x = 1/2. sin(π/2) = 1 and cos(π/2) = 0, and the cosine falls there
with the slope -π:

    >>> import numpy
    >>> phi, backward = fourier_features(numpy.array([[0.5]]), numpy.array([[numpy.pi]]))
    >>> print(phi.round(3), backward(numpy.array([[0.0, 0.0, 1.0]])).round(3))
    [[0.5 1.  0. ]] [[-3.142]]

See figure_1_10_taxonomy (the coasts that models with such inputs draw) and
tests/networks/test_fourier.py (that it holds).
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def wave_vectors(d, n_each, scales, rng):
    """F (d, n_each · number of scales): for each scale s, n_each vectors from N(0, s² I)."""
    d, n_each = (checks.whole_number(n, name, least=1) for n, name in ((d, "d"),
                                                                       (n_each, "n_each")))
    scales = checks.numbers(scales, "scales", "[0, inf)")
    F = checks.rng(rng).standard_normal((d, len(scales), n_each))
    return (F * array_module(F).asarray(scales)[:, None]).reshape(d, -1)                # (1)


def n_features(d, F):
    """The length of φ(x) for x in R^d: d + 2m, or d if F is None."""
    d, F = checks.whole_number(d, "d", least=1), checks.waves(F, d, "F", finite=False)
    return d if F is None else d + 2 * F.shape[1]


def fourier_features(X, F):
    """φ (n, d + 2m) of each row of X (n, d), and backward: dφ -> dX (n, d).

    F (d, m) goes where X is, and takes its precision; if it is None, φ is X itself.
    """
    if F is None:
        return X, lambda dphi: dphi
    X, F = checks.real_array(X, "X", finite=False), checks.waves(F, None, "F", finite=False)
    X, xp = checks.observations(X, X, finite=False, d=len(F)), array_module(X)
    F = xp.asarray(F, dtype=X.dtype)
    angle = X @ F
    sin, cos = xp.sin(angle), xp.cos(angle)                                             # (2)

    def backward(dphi):
        d, m = F.shape
        dx, dsin, dcos = dphi[:, :d], dphi[:, d:d + m], dphi[:, d + m:]
        return dx + (dsin * cos - dcos * sin) @ F.T                                     # (3)

    return xp.concatenate([X, sin, cos], axis=1), backward
