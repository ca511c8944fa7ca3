"""Fourier features: sines and cosines of the coordinates, so that a network can learn fine detail.

A network that is given the latitude and longitude of a point learns first what varies slowly: it
finds the continents early and the coastlines last (Rahaman et al. 2019). So let it see waves over
the map as well, of many lengths and directions. It can mix them as a Fourier series does, and the
shortest of them limit the detail that comes easily (Rahimi and Recht 2007; Tancik et al. 2020).

A wave vector f in R^d stands for a wave along f of length 2π/|f|. A sine and a cosine of it are
enough for any shift, as sin(v + c) = cos c sin v + sin c cos v. The m columns of F (d, m) are such
vectors, equally many of each scale s, whose waves are about 2π/(s √d) long. F is drawn once; it
belongs to the model as its sizes do, and is not trained:

    f    = s ε,  ε ~ N(0, I)             in radians per unit of x                            (1)
    φ(x) = (x, sin(x F), cos(x F))       d + 2m numbers                                      (2)

A short wave is steep: along f it rises by up to |f| per unit of x. In a chain of many networks,
each of which bends what the one before has bent, such slopes multiply, until every small step of θ
has a large effect. But short waves are there for small detail, and need not be high. So, as an
option, a wave that would be steeper than c = `max_slope` is made lower, until its slope is c, while
longer waves stay as they are. With a number a for each column f of F,

    φ(x) = (x, a sin(x F), a cos(x F))          a = min(1, c/|f|)                            (3)

Backward, ∂φ has the same three parts. The gradient of sin(x f) in x is cos(x f) f, and that of
cos(x f) is -sin(x f) f, so that

    ∂x   = ∂φ_x + (∂φ_sin cos(x F) - ∂φ_cos sin(x F)) Fᵀ                                     (4)

with the a of (3), if there is one, before sine and cosine.

By hand: one wave with f = π at x = 1/2. sin(π/2) = 1 and cos(π/2) = 0, and the cosine falls there
with the slope -π:

>>> import numpy
>>> phi, backward = fourier_features(numpy.array([[0.5]]), numpy.array([[numpy.pi]]))
>>> print(phi.round(3), backward(numpy.array([[0.0, 0.0, 1.0]])).round(3))
[[0.5 1.  0. ]] [[-3.142]]

See figure_1_10_taxonomy (the coasts that models with such inputs draw) and
tests/networks/test_fourier.py (that it holds).
"""

import numpy

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


def fourier_features(X, F, max_slope=None):
    """φ (n, d + 2m) of each row of X (n, d), and backward: dφ -> dX (n, d).

    F (d, m) goes where X is, and takes its precision; if it is None, φ is a copy of X. `max_slope`
    is c; without it all waves go from -1 to 1.
    """
    F = checks.waves(F, None, "F", finite=False)
    max_slope = checks.number(max_slope, "max_slope", "[1e-30, 1e30]", optional=True)
    X = checks.observations(X, finite=False, d=None if F is None else len(F))
    if F is None:
        return X.copy(), lambda dphi: dphi.copy()
    xp = array_module(X)
    F = xp.asarray(F, dtype=X.dtype)
    angle = X @ F
    sin, cos = xp.sin(angle), xp.cos(angle, out=angle)      # angle is not needed again, (2)
    if max_slope is not None:
        with numpy.errstate(over="ignore"):                 # of such squares a is 0
            a = 1 / xp.maximum(xp.sqrt((F * F).sum(axis=0)) / max_slope, 1)             # (3)
        sin *= a
        cos *= a
    phi = xp.concatenate([X, sin, cos], axis=1)

    def backward(dphi):
        d, m = F.shape
        dphi_x, dphi_sin, dphi_cos = dphi[:, :d], dphi[:, d:d + m], dphi[:, d + m:]
        dangle = dphi_sin * cos
        dangle -= dphi_cos * sin
        dX = dangle @ F.T
        dX += dphi_x                                                                    # (4)
        return dX

    return phi, backward
