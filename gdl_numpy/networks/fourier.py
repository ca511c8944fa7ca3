"""Fourier features: sines and cosines of the coordinates, so that a network can learn fine detail.

A network whose inputs are two coordinates learns slow functions first and coastlines last (Rahaman
and others 2019). Given waves of many lengths and directions as inputs, it mixes them as a Fourier
series does, and the lengths set how fine it can see (Tancik and others 2020; Rahimi and Recht
2007):

    φ(x) = (x, sin(x F), cos(x F))       F (d, m): m wave vectors, in radians per unit of x
    ∂x   = ∂φ_x + (∂φ_sin cos(x F) - ∂φ_cos sin(x F)) Fᵀ

The wave vectors are drawn once, as many of each scale, and belong to the model like its sizes.
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def wave_vectors(d, n_each, scales, rng):
    """F (d, n_each · number of scales): for each scale s, n_each vectors from N(0, s² I)."""
    d, n_each = (checks.whole_number(n, name, least=1) for n, name in ((d, "d"),
                                                                       (n_each, "n_each")))
    scales = checks.numbers(scales, "scales", "[0, inf)")
    F = checks.rng(rng).standard_normal((d, len(scales), n_each))
    return (F * array_module(F).asarray(scales)[:, None]).reshape(d, -1)


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
    sin, cos = xp.sin(angle), xp.cos(angle)

    def backward(dphi):
        d, m = F.shape
        dx, dsin, dcos = dphi[:, :d], dphi[:, d:d + m], dphi[:, d + m:]
        return dx + (dsin * cos - dcos * sin) @ F.T

    return xp.concatenate([X, sin, cos], axis=1), backward
