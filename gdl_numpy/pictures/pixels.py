"""Pixels: pictures of whole grey levels have probabilities, and how to compare models by them.

Why: a density can be as large as one likes, so what does it say about a picture? A pixel on a disk
is no real number but one of L levels of grey. Then there are L^d pictures of d pixels, each model
gives them masses that sum to 1, and masses can be compared: in bits per pixel, how long a picture
is in the best code for a model. Idea: a model of levels gives masses at once; a model that is a
density on [0, 1]^d gives the picture k the integral over its cell, all x that are rounded down to
k. Nobody can compute that integral in 1,000 dimensions, but one point drawn from the cell bounds
it in the mean.

    k = floor(L x), at most L - 1        quantise: k in {0, ..., L - 1}^d                        (1)
    x = (k + u)/L,  u ~ uniform [0, 1)^d                             dequantise                  (2)
    bits per pixel = -log2 P(k)/d,  log2 L if all pictures are equally probable

The simplest model forgets that pixels have neighbours. From n pictures, and one more of each level
so that nothing is impossible,

    P(k) = Π_i P_i(k_i)                                                                          (3)
    P_i(l) = (1 + number of pictures with k_i = l)/(L + n)                                       (4)

For a density p, P(k) is the mean of p over the cell times its volume L^-d; as log is concave, the
mean of a logarithm is at most the logarithm of the mean (Jensen; Theis, van den Oord and Bethge
2016):

    log P(k) = log (L^-d mean_u p((k + u)/L)) >= mean_u log p((k + u)/L) - d log L               (5)

For a smooth density the gap does not vanish. Even if a picture is known, and so has the mass 1, the
bound by a normal density needs 0.25 bits per pixel or more; the normal's own mass of the cell need
not be smaller than 1 (test_pixels). discretised.py gives masses that are hardly charged.

>>> import numpy
>>> K = numpy.array([[0, 1], [0, 0], [0, 1]])                       # 3 pictures of 2 pixels, L = 2
>>> p = IndependentPixels.fit(K, 2)
>>> numpy.exp(p.log_mass([[0, 1]])).round(2).tolist()               # 4/5 times 3/5
[0.48]
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described

MOST = 2**16                                                # levels: a pixel of 16 bits
BLOCK = 256                                                 # images at a time bound the memory


def quantise(images, levels):
    """The grey levels, whole numbers 0, ..., levels - 1, of images in [0, 1], of the same shape.

    What lies outside of [0, 1], as the samples of a density do, gets the nearest level.
    """
    levels = checks.whole_number(levels, "levels", least=1, most=MOST)
    images = checks.real_array(images, "images")
    return (images.clip(0, 1) * levels).clip(0, levels - 1).astype(int)                     # (1)


def dequantise(K, levels, rng, dtype=float):
    """A random point of the cell of each image K (n, d), shape (n, d), float32 or float64.

    Where `dtype` would round it over the border, u is as far from 0 and 1 as L x is rounded.
    """
    levels = checks.whole_number(levels, "levels", least=1, most=MOST)
    K, dtype = checks.grey_levels(K, levels), checks.float_dtype(dtype)
    rounding = levels * float(numpy.finfo(dtype).eps)
    u = checks.rng(rng).random(K.shape).clip(rounding, 1 - rounding)
    return ((K + u) / levels).astype(dtype)                                                 # (2)


def inverse_cdf(mass, u):
    """The level, a whole number, at which the sum of mass (..., L) passes u in [0, 1), (..., 1).

    The sum is one of float64, so that no rare level is lost in it, and u a share of all of it.
    """
    mass, u = (checks.real_array(a, name, finite=False) for a, name in ((mass, "mass"), (u, "u")))
    total = mass.cumsum(axis=-1, dtype=float)
    return (total[..., :-1] <= u * total[..., -1:]).sum(axis=-1)


class IndependentPixels(Described):
    """P(k) = Π_i P_i(k_i) with `mass` (d, L), a distribution of the levels for each pixel."""

    def __init__(self, mass):
        mass = checks.real_array(mass, "mass")
        if mass.ndim != 2 or 0 in mass.shape:
            raise ValueError("mass must have shape (d, L), a distribution of levels for each of d "
                             f"pixels, got shape {mass.shape}")
        self.mass = checks.probabilities(mass, "mass", axis=1)

    @classmethod
    def fit(cls, K, levels):
        """From images K (n, d) of that many levels: their shares, and one more of each level."""
        levels = checks.whole_number(levels, "levels", least=1, most=MOST)
        K = checks.grey_levels(K, levels)
        xp = array_module(K)
        counts = xp.stack([(K == level).sum(axis=0) for level in range(levels)], axis=1) + 1
        return cls(counts / counts.sum(axis=1, keepdims=True))                              # (4)

    def log_mass(self, K):
        """log P(k) for each image of K (n, d), shape (n,), in nats."""
        d, levels = self.mass.shape
        K, xp = checks.grey_levels(K, levels, like=self.mass, d=d), array_module(self.mass)
        with numpy.errstate(divide="ignore"):               # log 0 is -inf
            log_mass = xp.log(self.mass)
        return in_blocks(lambda i, j: log_mass[xp.arange(d), K[i:j]].sum(axis=1), len(K),   # (3)
                         BLOCK)

    def sample(self, n, rng):
        """n images, (n, d), whole numbers."""
        n, d = checks.draws(n, rng), len(self.mass)
        return in_blocks(lambda i, j: inverse_cdf(self.mass, rng.random((j - i, d, 1))), n, BLOCK)


class Dequantised(Described):
    """Pictures of grey levels by a density p on R^d: P(k) = integral of p over the cell of k.

    `log_p(X, rng)` gives log p(x) for rows x, or a lower bound of it, (n,); None for
    p.log_prob(X). `dtype` is that of the points at which it is asked.
    """

    def __init__(self, p, levels, log_p=None, dtype=float):
        self.levels = checks.whole_number(levels, "levels", least=1, most=MOST)
        self.log_p = checks.function(log_p, "log_p", optional=True)
        self.p = p if p is None and log_p is not None else checks.density(p, "p")
        self.dtype = checks.float_dtype(dtype).name

    def lower_bound(self, K, rng):
        """What is at most log P(k) in the mean, for each image of K (n, d), (n,), in nats.

        It is random, from one draw of u for each picture: for a mean over many that is enough.
        """
        X = dequantise(K, self.levels, rng, self.dtype)
        log_p = self.p.log_prob(X) if self.log_p is None else self.log_p(X, rng)
        return log_p - X.shape[1] * math.log(self.levels)                                   # (5)

    def sample(self, n, rng):
        """n images, (n, d), whole numbers: what p samples, rounded down."""
        return quantise(self.p.sample(checks.draws(n, rng), rng), self.levels)
