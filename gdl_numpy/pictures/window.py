"""Window: a picture pixel by pixel, each given its neighbours above and to the left.

Why: pixels that are drawn independently make noise, not faces, as a cheek is smooth and an eye has
another eye beside it. Yet P(k) of all pixels at once is a table of L^d numbers. Idea: the chain
rule needs only P of one pixel given those before it, row by row from the top, and "which level?" is
the question of a classifier. What it sees of the pixels before is a window, its receptive field;
and one classifier does for all pixels if it is also told which one it is asked for (van den Oord,
Kalchbrenner and Kavukcuoglu 2016, with convolutions).

    . o o o o o .       o  window: `rows` rows above, from `reach` to the left to `reach` to the
    . o o o o o .          right, and `reach` pixels to the left; here rows = 2, reach = 2
    . o o i . . .       i  the pixel that is asked for;  .  pixels that it does not see

    v = (2k + 1)/L - 1 in (-1, 1) for a pixel in the picture, 0 for one beyond its border        (1)
    x_i = (v of the window of i, onehot(row of i), onehot(column of i))                          (2)
    P(k_i | k_1, ..., k_{i-1}) = softmax(mlp_θ(x_i)) at k_i                                      (3)
    log P(k) = Σ_i log P(k_i | k_1, ..., k_{i-1})                                                (4)
    loss(θ) = mean of -log P(k_i | ...) over m random pixels i of each picture                   (5)

The mass of a picture is exact, and all masses sum to 1. A loss of some pixels has the mean of a
loss of all, at a fraction of the cost. Sampling cannot be done in parallel: pixel by pixel, each
level is drawn and then seen by the next.

>>> import numpy
>>> family = WindowFamily(side=2, levels=3, reach=1, rows=1, hidden=(5,))
>>> p = family(family.initial_theta(numpy.random.default_rng(0)))
>>> every = numpy.indices((3,) * 4).reshape(4, -1).T                # 81 pictures of 2 x 2 pixels
>>> round(float(numpy.exp(p.log_mass(every)).sum()), 6)
1.0
"""

from gdl_numpy.labels.discriminative import NetworkClassifierFamily
from gdl_numpy.networks.training import starting_theta, train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.pictures.pixels import MOST, inverse_cdf

BLOCK = 8                                                   # images at a time bound the memory,
SAMPLES = 256                                               # and these where only one pixel of each


class WindowFamily(Described):
    """Pictures of side x side pixels, each one of `levels` grey levels, by their windows.

    The window are `reach` pixels to the left and the `rows` rows above, from `reach` to the left to
    `reach` to the right. The classifier is a network with `hidden` layers of these widths. Images K
    are (n, side²), whole numbers, row by row from the top.
    """

    def __init__(self, side, levels, reach, rows, hidden):
        self.side = checks.whole_number(side, "side", least=1)
        self.levels = checks.whole_number(levels, "levels", least=2, most=MOST)
        self.reach = checks.whole_number(reach, "reach")
        self.rows = checks.whole_number(rows, "rows")
        self.hidden = checks.whole_numbers(hidden, "hidden", least=1)
        self.width = self.side + 2 * self.reach             # of the picture with its borders
        self._shifts = [row * self.width + column for row in range(-self.rows, 1)
                        for column in range(-self.reach, self.reach + 1) if (row, column) < (0, 0)]
        self.classifier = NetworkClassifierFamily(
            (len(self._shifts) + 2 * self.side, *self.hidden, self.levels))
        self.n_parameters = self.classifier.n_parameters

    def __call__(self, theta):
        return Window(self, theta)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives."""
        return self.classifier.initial_theta(checks.rng(rng), dtype)

    def inputs(self, K, pixels, dtype=float):
        """What the classifier sees when asked for the `pixels` (n, m) of images K (n, side²), x
        (n·m, w). Which levels and pixels they are is not looked at: no step waits for a device."""
        K = checks.observations(K, finite=False, name="K", d=self.side**2)
        dtype = checks.float_dtype(dtype)
        xp, side, n = array_module(K), self.side, len(K)
        shape = getattr(checks.unmasked(pixels, "pixels"), "shape", ())
        if len(shape) != 2 or shape[0] != n or pixels.dtype.kind not in "iu":
            raise ValueError(f"pixels must be an array of whole numbers (n, m) for n = {n} images, "
                             f"got {pixels!r:.80}")
        framed = xp.zeros((n, side + self.rows, self.width), dtype=dtype)
        framed[:, self.rows:, self.reach:self.reach + side] = (
            (2 * K + 1) / self.levels - 1).reshape(n, side, side)                           # (1)
        pixels = pixels.astype(int, copy=False)                # bytes would wrap around below
        row, column = pixels // side, pixels % side
        place = (row + self.rows) * self.width + column + self.reach        # in the framed picture
        window = place[:, :, None] + xp.asarray(self._shifts, dtype=int)
        framed = framed.reshape(n, framed.shape[1] * self.width)
        seen = framed[xp.arange(n)[:, None, None], window]
        onehot = xp.eye(side, dtype=dtype)
        x = xp.concatenate([seen, onehot[row], onehot[column]], axis=2)                     # (2)
        return x.reshape(pixels.size, x.shape[2])

    def loss(self, theta, K, rng, m=64):
        """The loss of m random pixels of each image, in nats per pixel, and its gradient, (n_θ,).

        A pixel may be drawn twice. The levels in K are not looked at: no step waits for a device.
        """
        checks.theta_shape(theta, self.n_parameters)
        K = checks.observations(K, theta, finite=False, name="K", d=self.side**2)
        checks.not_empty(K, "K")
        m = checks.whole_number(m, "m", least=1)
        pixels = checks.rng(rng).integers(0, K.shape[1], size=(len(K), m))
        y = K[array_module(K).arange(len(K))[:, None], pixels].ravel().astype(int)
        return self.classifier.loss(theta, self.inputs(K, pixels, theta.dtype), y)          # (5)

    def train(self, K, rng, max_steps=6000, batch=64, learning_rate=2e-3, averaging=0.999,
              theta=None, m=64):
        """Minimise the loss by steps on random pictures, in float32; yields a Step each."""
        K = checks.not_empty(checks.grey_levels(K, self.levels, d=self.side**2), "K")
        K, m = K.astype("float32"), checks.whole_number(m, "m", least=1)
        theta = starting_theta(self, theta, rng, K)
        return train(lambda theta, rows: self.loss(theta, rows, rng, m), theta, [K], rng,
                     learning_rate, batch, max_steps, averaging)


class Window(Described):
    """P(k) of one θ, exact."""

    def __init__(self, family, theta):
        self.family, self.theta = family, checks.theta(theta, family.n_parameters).copy()
        self.classifier = family.classifier(self.theta)

    def log_conditional(self, K, pixels):
        """log P(k_i = l | window of i), for pixels i (n, m) of images K and each l, (n, m, L)."""
        K = checks.grey_levels(K, self.family.levels, like=self.theta, d=self.family.side**2)
        pixels = checks.grey_levels(pixels, self.family.side**2, like=self.theta, name="pixels")
        return self._log_conditional(K, pixels)

    def _log_conditional(self, K, pixels):
        x = self.family.inputs(K, pixels, self.theta.dtype)
        return self.classifier.log_posterior(x).reshape(*pixels.shape, self.family.levels)  # (3)

    def log_mass(self, K):
        """log P(k) for each image of K (n, side²), shape (n,), in nats."""
        K = checks.grey_levels(K, self.family.levels, like=self.theta, d=self.family.side**2)
        every = array_module(K).arange(K.shape[1])

        def of_rows(i, j):
            k = K[i:j]
            log_p = self._log_conditional(k, every + 0 * k)
            return log_p[array_module(k).arange(len(k))[:, None], every, k].sum(axis=1)     # (4)

        return in_blocks(of_rows, len(K), BLOCK)

    def sample(self, n, rng):
        """n images, (n, side²), whole numbers."""
        n = checks.draws(n, rng)
        return in_blocks(lambda i, j: self._sample(j - i, rng), n, SAMPLES)

    def _sample(self, n, rng):
        xp = array_module(self.theta)
        K = xp.zeros((n, self.family.side**2), dtype=int)
        for i in range(K.shape[1]):
            log_p = self._log_conditional(K, xp.full((n, 1), i))[:, 0]
            K[:, i] = inverse_cdf(xp.exp(log_p), rng.random((n, 1)))
        return K
