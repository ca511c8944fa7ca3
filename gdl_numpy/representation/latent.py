"""Latent space: few numbers z that stand for an observation x of many, and the mapping f back.

Why: who wants a taller biscuit tin does not change a thousand pixels one by one. In a space of few
numbers, one of which has to do with height, it is a single step. Idea: an encoder takes an
observation to its code z, a decoder takes any code to an observation, and what is hard between
observations (the mean of two, a step towards more of something, a draw of a new one) is done
between codes.

    encoder   z = encode(x)       decoder, the mapping function f   x̂ = decode(z)
    reconstruction error = mean over rows and columns of (x - decode(encode(x)))²

    interpolation   f((1 - t) z0 + t z1),  0 <= t <= 1, from one observation to another
    direction       B in  z_i - z̄ ≈ (a_i - ā) B,  how z moves as an attribute a grows
    pushforward     x = f(z),  z ~ p_z, a density fitted to codes: a way to sample

Here are the things that any pair of encoder and decoder can be used for, planes
(`principal_components`) and curved surfaces (`autoencoder`) alike.

>>> import numpy
>>> from gdl_numpy.probability.density import Box
>>> circle = Pushforward(Box([0], [6.3]), lambda Z: numpy.hstack([numpy.cos(Z), numpy.sin(Z)]))
>>> X = circle.sample(1000, numpy.random.default_rng(0))
>>> bool(numpy.allclose((X**2).sum(axis=1), 1))                     # random, but on a curve
True

Erratum E24: a generative model need not be random but for its input: a fixed function f of a random
z is the usual one. The mean of two tins in latent space is a tin; in pixels it is none (test_e24).
Erratum E38: such a pushforward has no density if z has fewer dimensions than x: its values fill a
volume of 0 (test_e38). Erratum E39: not every z decodes well. Near the codes of training all do;
away from them nobody told the decoder what to do. N(0, I), by decree, puts a tenth of its mass
there: the median of what it decodes to is hardly worse than that of a p_z fitted to the codes, but
the worst twentieth are no tins (test_e39). Erratum E42: ten yes/no facts tell 2^10 people apart at
best, fewer if they are not independent and even (test_e42).
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.moments import mean_of_rows
from gdl_numpy.numerics.neighbours import nearest


class Pushforward(Described):
    """The distribution of f(z) for z ~ p_z: it can be sampled; a density it may not have (E38).

    `p_z` is a density on the codes, fitted to them, and `f` maps codes (n, k) to rows (n, d).
    """

    def __init__(self, p_z, f):
        self.p_z, self.f = p_z, f

    def sample(self, n, rng):
        """f(z) for n draws of z ~ p_z, shape (n, d)."""
        return self.f(self.p_z.sample(checks.draws(n, rng), rng))


def interpolate(model, x0, x1, n):
    """n decoded points of the straight line between the codes of x0 and x1 (d,), shape (n, d)."""
    n, x0 = checks.whole_number(n, "n", least=1), checks.vector(x0, "x0")
    xp, x1 = array_module(x0), checks.vector(x1, "x1", len(x0), like=x0)
    z0, z1 = model.encode(xp.stack([x0, x1]))
    t = xp.linspace(0, 1, n, dtype=z0.dtype)[:, None]
    return model.decode((1 - t) * z0 + t * z1)


def directions(Z, attributes, z, k=100):
    """How the code moves, seen from z (k_z,), as one attribute grows and the others stay, (c, k_z).

    `attributes` (n, c) are measured on the observations with the codes Z (n, k_z). Around z, z_i is
    nearly linear in them: the rows are the coefficients B of the least squares fit
    z_i - z̄ ≈ (a_i - ā) B to the k codes nearest to z. ValueError if these do not determine it.
    """
    Z = checks.data_set(Z)
    xp = array_module(Z)
    attributes = checks.paired(attributes, "attributes", Z)
    z = checks.vector(z, "z", Z.shape[1], like=Z)
    near = nearest(z[None], Z, k)[1][0]
    A = attributes[near] - mean_of_rows(attributes[near])
    scale = xp.sqrt((A**2).mean(axis=0))                            # so that no unit counts more
    A = A / xp.where(scale > 0, scale, 1)
    eigenvalues, V = xp.linalg.eigh(A.T @ A / k)
    if not eigenvalues[0] > 1000 * xp.finfo(Z.dtype).eps:
        raise ValueError("attributes near z must vary independently of each other: take more "
                         f"neighbours than k = {k}, or other attributes")
    B = (V / eigenvalues) @ V.T @ A.T @ (Z[near] - mean_of_rows(Z[near])) / k
    return B / scale[:, None]
