"""Pixels: images of whole gray levels have probabilities, and their models can be compared in bits.

Which of two models knows the faces of faces.py better? Their densities do not tell: a density can
be as large as one likes, and some models have none. But a stored pixel is not a real number. It is
one of L levels of gray, so there are L^d images of d pixels and no others. Each model gives each of
them a mass, the masses sum to 1, and masses can be compared. The usual unit is bits per pixel,
-log2 P(k)/d: as many bits for each pixel as the file of image k would need, if it were compressed
as well as the model allows. If all images are equally probable, that is log2 L.

From brightness x in [0, 1]^d to levels k in {0, ..., L - 1}^d, and back to some x of the same cell:

    k = floor(L x), at most L - 1                                quantize                        (1)
    x = (k + u)/L                u uniform in [0, 1)^d           dequantize                      (2)

**Masses without a density.** The simplest model takes pixels to be independent. The levels of each
pixel i are counted in n images, and 1 is added to each count, so that no level is impossible:

    P_i(l) = (1 + number of images with k_i = l)/(L + n)                                         (3)
    P(k)   = Π_i P_i(k_i)                                                                        (4)

**Masses of a density.** A density p on R^d gives the image k the mass of its cell, which runs from
k_i/L to (k_i + 1)/L in each pixel i. The cell has the volume L^-d, so its mass is L^-d times the
mean of p over it. Such a mean over 1,000 dimensions cannot be computed. But log is concave, so the
mean of a logarithm is at most the logarithm of the mean (Jensen's inequality), and a mean of
logarithms can be estimated from a single u (Theis, van den Oord and Bethge 2016):

    log P(k) = log(L^-d mean over u of p((k + u)/L)) >= mean over u of log p((k + u)/L) - d log L
    bound    = log p((k + u)/L) - d log L       with one u: at most log P(k) on average          (5)

How much is lost? Suppose that all images are equal. A normal density that is narrow enough has
nearly all its mass in their cell, and needs 0 bits. Yet the best bound of a normal density, reached
with the variance of a uniform u, says ½ log2(2πe/12) = 0.25 bits per pixel, which is by how much
the entropy of that normal exceeds that of u. Masses that lose almost nothing: discretized.py.

By hand: three images of 2 pixels, L = 2. The first pixel is 0 in all of them, the second 1 in two,
so the image (0, 1) has the mass (3 + 1)/(2 + 3) · (2 + 1)/(2 + 3) = 12/25, or 0.53 bits per pixel.

>>> import numpy
>>> p = IndependentPixels.fit([[0, 1], [0, 0], [0, 1]], 2)
>>> log_mass = p.log_mass([[0, 1]])
>>> print(numpy.exp(log_mass).round(2), (-log_mass / numpy.log(2) / 2).round(2))
[0.48] [0.53]

See figure_1_03_faces (models in bits per pixel) and tests/pictures/test_pixels.py (that it holds).
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described

MOST = 2**16                                                # levels, those of 16 bits
BLOCK = 256                                                 # images at a time bound the memory


def quantize(images, levels):
    """The gray levels, whole numbers 0, ..., levels - 1, of images in [0, 1], of the same shape.

    A number outside [0, 1], as samples of a density may be, gets the nearest level.
    """
    levels = checks.whole_number(levels, "levels", least=1, most=MOST)
    images = checks.real_array(images, "images")
    return (images.clip(0, 1) * levels).clip(0, levels - 1).astype(int)                     # (1)


def dequantize(K, levels, rng, dtype=float):
    """A random point of the cell of each image K (n, d), shape (n, d), float32 or float64.

    Rounding to `dtype` could move a point into the next cell, so u keeps that far from 0 and 1.
    """
    levels = checks.whole_number(levels, "levels", least=1, most=MOST)
    K, dtype = checks.gray_levels(K, levels), checks.float_dtype(dtype)
    rounding = levels * float(numpy.finfo(dtype).eps)
    u = checks.rng(rng).random(K.shape).clip(rounding, 1 - rounding)
    return ((K + u) / levels).astype(dtype)                                                 # (2)


def inverse_cdf(mass, u):
    """The level, a whole number, at which the sum of mass (..., L) passes u in [0, 1), (..., 1).

    The sum is taken in float64, so that no rare level is lost, and u is a share of its total.
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
        """The model whose `mass` is (3), from images K (n, d) of that many levels."""
        levels = checks.whole_number(levels, "levels", least=1, most=MOST)
        K = checks.gray_levels(K, levels)
        xp = array_module(K)
        counts = xp.stack([(K == level).sum(axis=0) for level in range(levels)], axis=1) + 1
        return cls(counts / counts.sum(axis=1, keepdims=True))                              # (3)

    def log_mass(self, K):
        """log P(k) for each image of K (n, d), shape (n,), in nats."""
        d, levels = self.mass.shape
        K, xp = checks.gray_levels(K, levels, like=self.mass, d=d), array_module(self.mass)
        with numpy.errstate(divide="ignore"):               # log 0 is -inf
            log_mass = xp.log(self.mass)
        return in_blocks(lambda i, j: log_mass[xp.arange(d), K[i:j]].sum(axis=1), len(K),   # (4)
                         BLOCK)

    def sample(self, n, rng):
        """n images, (n, d), whole numbers."""
        n, d = checks.draws(n, rng), len(self.mass)
        return in_blocks(lambda i, j: inverse_cdf(self.mass, rng.random((j - i, d, 1))), n, BLOCK)


class Dequantized(Described):
    """Images of gray levels by a density p on R^d: P(k) is the integral of p over the cell of k.

    A model that has only a lower bound of log p(x) passes it as `log_p(X, rng)`, (n,) for rows X;
    None means p.log_prob(X). `dtype` is that of X.
    """

    def __init__(self, p, levels, log_p=None, dtype=float):
        self.levels = checks.whole_number(levels, "levels", least=1, most=MOST)
        self.log_p = checks.function(log_p, "log_p", optional=True)
        self.p = p if p is None and log_p is not None else checks.density(p, "p")
        self.dtype = checks.float_dtype(dtype).name

    def lower_bound(self, K, rng):
        """The bound (5) for each image of K (n, d), (n,), in nats.

        It is random, as each image gets one draw of u. For a mean over many images that is enough.
        """
        if self.log_p is None:
            checks.offers(self.p, "p", "log_prob")
        X = dequantize(K, self.levels, rng, self.dtype)
        log_p = self.p.log_prob(X) if self.log_p is None else self.log_p(X, rng)
        return log_p - X.shape[1] * math.log(self.levels)                                   # (5)

    def sample(self, n, rng):
        """n images, (n, d), whole numbers: samples of p, quantized."""
        checks.offers(self.p, "p", "sample")
        return quantize(self.p.sample(checks.draws(n, rng), rng), self.levels)
