"""Window: an image is made pixel by pixel, each given its neighbors above and to the left.

Pixels that are drawn independently make noise, not faces: a cheek is smooth, and an eye has another
eye beside it. But the masses P(k) of all images of d pixels with L levels of gray are a table of
L^d numbers. The chain rule of probability, P(k) = P(k_1) P(k_2|k_1) P(k_3|k_1, k_2) ..., asks for
less: the distribution of one pixel, given those before it, row by row from the top. And "which of L
levels?" is a question for a classifier. Two simplifications make it small enough. The classifier
does not see all pixels before, but only those nearby, a window that is called its receptive field.
And one classifier serves all pixels, as it is also told which one it is asked for (van den Oord et
al. 2016, with convolutions).

    . o o o o o .       i  the pixel that is asked for;  .  pixels that the classifier does not see
    . o o o o o .       o  the window: `reach` pixels to the left, and of each of `rows` rows above
    . o o i . . .          those from `reach` to the left to `reach` to the right; here both are 2

Pixel i has the level k_i and the brightness v_i. onehot(j) is a row of zeros with a 1 in place j.
From the input x_i a network makes L numbers a_i = mlp_θ(x_i), and softmax a distribution of levels:

    v_i     = (2 k_i + 1)/L - 1, in (-1, 1)           0 for a pixel beyond the border            (1)
    x_i     = (v in the window of i, onehot(row of i), onehot(column of i))                      (2)
    loss(θ) = mean of -log softmax(a_i) at k_i        over m random pixels i of each image       (3)
    log P(k_i|k_1, ..., k_{i-1}) = log softmax(a_i) at k_i                                       (4)
    log P(k) = Σ_i log P(k_i|k_1, ..., k_{i-1})                                                  (5)

The loss of some random pixels is on average that of all, -log P(k)/d, and costs a fraction of it.
The mass of an image is exact, and all masses sum to 1, since each softmax does. The price is paid
in sampling: pixels are drawn one after the other, because each has to see those before it.

By hand: of an image of 2 x 2 pixels with 3 levels, 0 and 1 above 2 and 1, the last pixel sees -2/3
and 0 above, 0 beyond the border, and 2/3 on its left; then its row and its column, both the second.
And the masses of all 81 such images sum to 1, whatever θ is.

>>> import numpy
>>> family = WindowFamily(side=2, levels=3, reach=1, rows=1, hidden=(5,))
>>> print(family.inputs(numpy.array([[0, 1, 2, 1]]), numpy.array([[3]])).round(2))
[[-0.67  0.    0.    0.67  0.    1.    0.    1.  ]]
>>> p = family(family.initial_theta(numpy.random.default_rng(0)))
>>> every = numpy.indices((3,) * 4).reshape(4, -1).T                # 81 images of 2 x 2 pixels
>>> print(numpy.exp(p.log_mass(every)).sum().round(6))
1.0

See figure_1_03_faces (its bits per pixel) and tests/pictures/test_window.py (that it holds).
"""

from functools import partial

from gdl_numpy.labels.discriminative import NetworkClassifierFamily
from gdl_numpy.networks.training import starting_theta, train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.pictures.pixels import MOST, inverse_cdf

BLOCK = 8                                                   # images at a time bound the memory
SAMPLES = 256                                               # images, of each of which one pixel


class WindowFamily(Described):
    """Images of side x side pixels, each one of `levels` gray levels, by their windows.

    `reach` and `rows` say how large the window is. The classifier is a network with hidden layers
    of the widths `hidden`. Images K are (n, side²), whole numbers, row by row from the top.
    """

    def __init__(self, side, levels, reach, rows, hidden):
        self.side = checks.whole_number(side, "side", least=1)
        self.levels = checks.whole_number(levels, "levels", least=2, most=MOST)
        self.reach = checks.whole_number(reach, "reach")
        self.rows = checks.whole_number(rows, "rows")
        self.hidden = checks.whole_numbers(hidden, "hidden", least=1)
        self.width = self.side + 2 * self.reach             # of the image with its borders
        seen = self.rows * (2 * self.reach + 1) + self.reach
        self.classifier = NetworkClassifierFamily(
            (seen + 2 * self.side, *self.hidden, self.levels))
        self._shifts = [row * self.width + column for row in range(-self.rows, 1)
                        for column in range(-self.reach, self.reach + 1) if (row, column) < (0, 0)]
        self.n_parameters = self.classifier.n_parameters

    def __call__(self, theta):
        return Window(self, theta)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives."""
        return self.classifier.initial_theta(checks.rng(rng), dtype)

    def inputs(self, K, pixels, dtype=float):
        """What the classifier sees when asked for the `pixels` (n, m), whole numbers from 0 to
        side² - 1, of images K (n, side²): x, one row for each pixel."""
        K, pixels = self._checked(K, pixels)
        return self._inputs(K, pixels, checks.float_dtype(dtype))

    def _checked(self, K, pixels, like=None):
        """Images K (n, side²) of this family's levels and pixels (n, m) of them, as whole numbers.
        """
        K = checks.gray_levels(K, self.levels, like=like, d=self.side**2)
        pixels = checks.gray_levels(pixels, self.side**2, like=K, name="pixels")    # in float64
        if len(pixels) != len(K):
            raise ValueError(f"pixels must be an array of whole numbers (n, m) for n = {len(K)} "
                             f"images, got shape {pixels.shape}")
        return K, pixels

    def _inputs(self, K, pixels, dtype):
        """x as above, unchecked: a check would synchronize with a device."""
        xp, side, n = array_module(K), self.side, len(K)
        framed = xp.zeros((n, side + self.rows, self.width), dtype=dtype)
        framed[:, self.rows:, self.reach:self.reach + side] = (
            (2 * K + 1) / self.levels - 1).reshape(n, side, side)                           # (1)
        row, column = pixels // side, pixels % side
        place = (row + self.rows) * self.width + column + self.reach        # in the framed image
        window = place[:, :, None] + xp.asarray(self._shifts, dtype=int)
        framed = framed.reshape(n, framed.shape[1] * self.width)
        seen = framed[xp.arange(n)[:, None, None], window]
        onehot = xp.eye(side, dtype=dtype)
        x = xp.concatenate([seen, onehot[row], onehot[column]], axis=2)                     # (2)
        return x.reshape(pixels.size, x.shape[2])

    def loss(self, theta, K, rng, m=64):
        """The loss of m random pixels of each image, in nats per pixel, and its gradient, (n_θ,).

        A pixel may be drawn twice. The levels in K are not checked: see `inputs`.
        """
        checks.theta_shape(theta, self.n_parameters)
        K = checks.observations(K, theta, finite=False, name="K", d=self.side**2)
        checks.not_empty(K, "K")
        m = checks.whole_number(m, "m", least=1)
        pixels = checks.rng(rng).integers(0, K.shape[1], size=(len(K), m))
        y = K[array_module(K).arange(len(K))[:, None], pixels].ravel().astype(int)
        return self.classifier.loss(theta, self._inputs(K, pixels, theta.dtype), y)          # (3)

    def train(self, K, rng, max_steps=6000, batch=64, learning_rate=2e-3, averaging=0.999,
              theta=None, m=64):
        """Minimize the loss by steps on random images, in float32; yields a Step each."""
        K = checks.not_empty(checks.gray_levels(K, self.levels, d=self.side**2), "K")
        K, m = K.astype("float32"), checks.whole_number(m, "m", least=1)
        return train(lambda theta, rows: self.loss(theta, rows, rng, m),
                     partial(starting_theta, self, theta, rng, K), [K], rng, learning_rate, batch,
                     max_steps, averaging)


class Window(Described):
    """P(k) of one θ, exact."""

    def __init__(self, family, theta):
        self.family, self.theta = family, checks.theta(theta, family.n_parameters).copy()
        self.classifier = family.classifier(self.theta)

    def log_conditional(self, K, pixels):
        """log P(k_i = l | window of i), for pixels i (n, m) of images K and each l, (n, m, L)."""
        return self._log_conditional(*self.family._checked(K, pixels, self.theta))

    def _log_conditional(self, K, pixels):
        x = self.family._inputs(K, pixels, self.theta.dtype)
        return self.classifier.log_posterior(x).reshape(*pixels.shape, self.family.levels)  # (4)

    def log_mass(self, K):
        """log P(k) for each image of K (n, side²), shape (n,), in nats."""
        K = checks.gray_levels(K, self.family.levels, like=self.theta, d=self.family.side**2)
        every = array_module(K).arange(K.shape[1])

        def of_rows(i, j):
            k = K[i:j]
            log_p = self._log_conditional(k, every + 0 * k)
            return log_p[array_module(k).arange(len(k))[:, None], every, k].sum(axis=1)     # (5)

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
