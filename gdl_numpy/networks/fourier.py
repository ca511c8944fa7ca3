"""Fourier features: sines and cosines of the coordinates, so that a network can learn fine detail.

A network whose inputs are two coordinates learns slow functions first and coastlines last (Rahaman
and others 2019). Given waves of many lengths and directions as inputs, it mixes them as a Fourier
series does, and the lengths set how fine it can see (Tancik and others 2020; Rahimi and Recht
2007):

    φ(x) = (x, sin(x F), cos(x F))       F (d, m): m wave vectors, in radians per unit of x
    ∂x   = ∂φ_x + (∂φ_sin cos(x F) - ∂φ_cos sin(x F)) Fᵀ

The wave vectors are drawn once, as many of each scale, and belong to the model like its sizes.
"""

from gdl_numpy.networks.network import mlp
from gdl_numpy.numerics.backend import array_module, real_array
from gdl_numpy.probability.sample_space import whole_number


def wave_vectors(d, n_each, scales, rng):
    """F (d, n_each · number of scales): for each scale s, n_each vectors from N(0, s² I)."""
    F = rng.standard_normal((whole_number(d, "d", least=1), len(scales), n_each))
    return (F * array_module(F).asarray(scales)[:, None]).reshape(d, -1)


def checked_wave_vectors(F, d, name="frequencies"):
    """F as an array (d, m), or None for no waves; ValueError for another shape."""
    F = None if F is None else real_array(F, name)
    if F is not None and (F.ndim != 2 or len(F) != d):
        raise ValueError(f"{name} must have shape ({d}, m), got shape {F.shape}")
    return F


def n_features(d, F):
    """The length of φ(x) for x in R^d: d + 2m, or d if F is None."""
    return d if F is None else d + 2 * F.shape[1]


def fourier_features(X, F):
    """φ (n, d + 2m) of each row of X (n, d), and backward: dφ -> dX (n, d).

    F (d, m) goes where X is, and takes its precision; if it is None, φ is X itself.
    """
    if F is None:
        return X, lambda dphi: dphi
    xp = array_module(X)
    F = xp.asarray(F, dtype=X.dtype)
    angle = X @ F
    sin, cos = xp.sin(angle), xp.cos(angle)

    def backward(dphi):
        d, m = F.shape
        dx, dsin, dcos = dphi[:, :d], dphi[:, d:d + m], dphi[:, d + m:]
        return dx + (dsin * cos - dcos * sin) @ F.T

    return xp.concatenate([X, sin, cos], axis=1), backward


def fourier_network(theta, X, F, sizes, activation):
    """mlp(φ(x)) for each row of X, (n, dL), and backward: dY -> dtheta, dX.

    As with `network.mlp`, Y may be overwritten, and `backward` may leave out inputs or parameters.
    """
    phi, backward_phi = fourier_features(X, F)
    Y, backward_mlp = mlp(theta, phi, sizes, activation)

    def backward(dY, inputs=True, parameters=True):
        dtheta, dphi = backward_mlp(dY, inputs, parameters)
        return dtheta, backward_phi(dphi) if inputs else None

    return Y, backward
