"""Latent space: few numbers z that stand for an observation x of many, and a mapping f back to x.

Make this biscuit tin taller. In its image of 1,024 pixels that is awkward: the edge moves, and one
pixel after another turns from white to gray. In a space where one of two numbers is the height, it
is a single step. To mix two tins is no easier. Half of each, pixel by pixel, is a double exposure,
0.05 away from any tin (root mean square per pixel, gray from 0 to 1); the way between their codes
leads over tins, all of them within 0.006 (figure_1_08_taller).

The idea: an encoder takes an observation x to its code z, and a decoder, the mapping function f of
the chapter, takes any code to an observation. The tins are a curved surface in the space of pixels,
so that the straight line between two of them leaves it; their codes fill a flat piece of the plane,
so that a line between codes stays in it. So do with codes what is hard with observations, and
decode the result:

    z = encode(x)         x̂ = f(z) = decode(z)       x̂ is near x if the code says enough

    interpolation   from x0 to x1:  f((1 - t) z0 + t z1),   t from 0 to 1                        (1)
    direction       how z moves as an attribute, such as the height, grows by 1:
                    B = (AᵀA)⁻¹ Aᵀ (Z - z̄),   one row for each attribute                         (2)
    pushforward     x = f(z),  z ~ p_z, a density fitted to the codes: new observations          (3)

In (2) a_i is the row of all attributes of observation i, and the rows of A are the a_i - ā.

This module holds what any pair of encoder and decoder can be used for. How to find such a pair is
the subject of the next two: principal_components, where f(z) runs over a plane, and autoencoder,
where it runs over a curved surface.

By hand: the code of a point (cos z, sin z) of a circle is the angle z. Halfway between the codes of
(1, 0) and (0, 1) is another point of the circle; the mean of the two points, (½, ½), is not on it.
And codes that go from (0, 0) to (1, 2) as a height goes from 10 to 20 move by (0.1, 0.2) per unit:

>>> import numpy
>>> from types import SimpleNamespace
>>> circle = SimpleNamespace(encode=lambda X: numpy.arctan2(X[:, 1:], X[:, :1]),
...                          decode=lambda Z: numpy.hstack([numpy.cos(Z), numpy.sin(Z)]))
>>> print(interpolate(circle, [1.0, 0.0], [0.0, 1.0], 3).round(3))
[[1.    0.   ]
 [0.707 0.707]
 [0.    1.   ]]
>>> Z, heights = numpy.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]), [[10.0], [20.0], [30.0]]
>>> print(directions(Z, heights, Z[1], k=3).round(3))
[[0.1 0.2]]

See figure_1_08_taller (a walk), figure_1_08_latent_space (the codes) and
tests/representation/test_latent.py (that it holds).

Errata.
E24 (tests/representation/test_latent.py)  a model may be a fixed function of a random z
E38 (tests/representation/test_latent.py)  a pushforward need not have a density
E39 (tests/representation/test_latent.py)  not every latent point decodes to a good image
E42 (tests/representation/test_latent.py)  ten yes/no facts tell 2^10 people apart, at best
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.moments import mean_of_rows, moments, varies
from gdl_numpy.numerics.neighbors import nearest


def interpolate(model, x0, x1, n):
    """n decoded points of the straight line between the codes of x0 and x1 (d,), shape (n, d)."""
    n, _ = checks.whole_number(n, "n", least=1), checks.offers(model, "model", "encode", "decode")
    x0 = checks.one_axis(checks.real_array(x0, "x0"), None, "x0")
    x1 = checks.same_shape(checks.real_array(x1, "x1", like=x0), "x1", x0, "x0")
    xp = array_module(x0)
    z0, z1 = model.encode(xp.stack([x0, x1]))
    t = xp.linspace(0, 1, n, dtype=z0.dtype)[:, None]
    return model.decode((1 - t) * z0 + t * z1)                                              # (1)


def directions(Z, attributes, z, k=100):
    """B: how the code moves from z (k_z,) as one attribute grows and the others stay, (c, k_z).

    `attributes` (n, c) are measured on the observations whose codes are Z (n, k_z). Codes far apart
    lie on a curve, so (2) is fitted to the k neighbors of z alone, the codes nearest to it: these
    are nearly linear in the attributes. ValueError if these do not determine B.

    The fit is z_i - z̄ ≈ (a_i - ā) B by least squares. In B, Σ_i |z_i - z̄ - (a_i - ā) B|² has the
    derivative -2 Aᵀ (Z - z̄ - A B), and (2) is where that is 0.
    """
    Z = checks.data_set(Z, name="Z")
    xp = array_module(Z)
    attributes = checks.paired(attributes, "attributes", checks.wider(Z, attributes))
    if attributes.shape[1] == 0:
        raise ValueError(f"attributes must have one column or more, got shape {attributes.shape}")
    z = checks.one_axis(checks.real_array(z, "z", like=Z), Z.shape[1], "z")
    near = nearest(z[None], Z, k)[1][0]
    A = attributes[near] - mean_of_rows(attributes[near])
    size, C = moments(checks.in_range(attributes[near], "attributes"))
    vary = varies(size, C.diagonal(), A.dtype)
    scale = xp.sqrt(xp.where(vary, C.diagonal(), 1)).astype(A.dtype)   # so that no unit counts more
    A = xp.where(vary, A / scale, 0)                                # 0: it varies by rounding only
    eigenvalues, V = xp.linalg.eigh(A.T @ A / k)
    if not eigenvalues[0] > 1000 * xp.finfo(Z.dtype).eps:
        raise ValueError("attributes near z must vary independently of each other: take more "
                         f"neighbors than k = {k}, or other attributes")
    # (V / eigenvalues) @ V.T / k is (AᵀA)⁻¹
    B = (V / eigenvalues) @ V.T @ A.T @ (Z[near] - mean_of_rows(Z[near])) / k               # (2)
    return (B / scale[:, None]).astype(Z.dtype)


class Pushforward(Described):
    """The distribution of f(z) for z ~ p_z. `f` maps codes (n, k_z) to rows (n, d).

    It can be sampled, but it has no density if z has fewer dimensions than x and f is smooth: its
    values fill a volume of 0 (E38). f need not be random: chance comes in through z alone (E24).

    `p_z` should be a density fitted to the codes. Near them f has been trained; elsewhere nothing
    told it what to do (E39). N(0, I) is not such a density, not even for codes of mean 0 and
    covariance I: about a tenth of its mass lies far from the codes of the tins. In the median, what
    it decodes to is as near to a tin as with a fitted p_z, but the worst twentieth are not tins.
    """

    def __init__(self, p_z, f):
        self.p_z, self.f = checks.offers(p_z, "p_z", "sample"), checks.function(f, "f")

    def sample(self, n, rng):
        """f(z) for n draws of z ~ p_z, shape (n, d)."""
        return self.f(self.p_z.sample(checks.draws(n, rng), rng))                           # (3)
