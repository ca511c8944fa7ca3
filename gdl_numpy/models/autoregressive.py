"""Autoregressive model: one coordinate after the other, each given those before it.

The box θ̂ of the fifty points of the map draws latitude and longitude independently of each other,
so it can only be a rectangle. But once the longitude is given, only some latitudes are land: at
100° W those of North America and of Antarctica. So draw the longitude first, from a histogram, and
then the latitude from another histogram, whose heights a network computes from the longitude. The
same goes for any number of coordinates x_i, taken in some order, i = 0, ..., d - 1:

    p(x) = Π_i p(x_i | x_<i)            x_<i: the coordinates before i in the order

This is the chain rule of probability, and it is exact: integrate p over the last coordinate, whose
factor gives 1, then over the one before it, and so on, and the mass of p is 1.

On the box [-1, 1]^d the axis of x_i is cut into K_i equal bins of width 2/K_i. The height of the
histogram over a bin is its share of the mass divided by this width; the shares are a softmax:

    a_0 = θ_0,    a_i = network_i(x_<i)                 K_i logits; θ = (θ_0, weights)           (1)
    k_i = the bin of x_i                                0, ..., K_i - 1                          (2)
    log p(x) = Σ_i (log softmax(a_i)[k_i] - log(2/K_i))                                          (3)
    ∂a_i = (onehot(k_i) - softmax(a_i)) ∂log p          see `_log_softmax_at`                    (4)
    k_i ~ softmax(a_i),  x_i uniform in bin k_i         a sample, for i = 0, ..., d - 1          (5)

The networks can compute log p(x) at the same time, as all of x is known. To draw x takes d steps,
as each one needs those before it. For binary images, x in {0, 1}^d, a single network is enough
(`MaskedAutoregressiveFamily` says how).

Two axes of two bins by hand, all of width 1. Let a_0 = (0, log 3), so that the shares of x_0 are
1/4 and 3/4, and a_1 = (2 x_0 log 3, 0), so that those of x_1 are 3/4 and 1/4 where x_0 = 1/2. The
density of (1/2, -1/2) is 3/4 · 3/4 = 9/16:

>>> import numpy
>>> family = AutoregressiveFamily(bins=(2, 2), hidden=())
>>> theta = math.log(3) * numpy.array([0, 1,  2, 0,  0, 0])     # a_0; W and b of a_1 = x_0 W + b
>>> print(numpy.exp(family(theta).log_prob([[0.5, -0.5]])))
[0.5625]

See figure_1_10_taxonomy (its samples of the map) and tests/models/test_autoregressive.py (that
masses add up to 1, and that a_i sees only what comes before it).

Errata.
E32 (tests/models/test_autoregressive.py)  p_θ(x) can be computed in high dimension, here exactly
    with d = 1,024; a grid cannot, as one of 100 cells along each axis has 100^d
E37 (tests/models/test_autoregressive.py)  the model needs an order, but any order is exact; it
    matters only for how well restricted conditionals can follow the data
"""

import math

import numpy

from gdl_numpy.networks.network import Network
from gdl_numpy.networks.trained import Tractable, TractableFamily
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import through_a_network
from gdl_numpy.numerics.elementary import log_softmax, sigmoid, softmax, softplus
from gdl_numpy.numerics.exact import cell_of
from gdl_numpy.probability.density import categorical


class AutoregressiveFamily(TractableFamily):
    """Densities on [-1, 1]^d with binned conditionals; `bins` has the number of bins of each axis.

    `hidden` are the widths of the hidden layers of each of the d - 1 networks, and `order` is the
    order of the factors, by default 0, ..., d - 1.

    Options. With `bound` B, an output r of a network becomes the logit B tanh(r/B). Then no
    conditional density varies by more than a factor exp(2B), so that what the data never showed is
    not ruled out; and as tanh is flat at both ends, two levels come easily: land and sea. `waves`
    are wave vectors F (d, m); a network has the Fourier features of the rows of F for the
    coordinates that it sees.
    """

    defaults = {"max_steps": 4000, "learning_rate": 2e-3}

    def __init__(self, bins, hidden, waves=None, order=None, activation="relu", bound=None):
        self.bins = checks.whole_numbers(bins, "bins", least=1)
        d = checks.whole_number(len(self.bins), "the length of bins", least=1)
        self._set_options(d, hidden, activation, waves, bound)
        self.order = checks.permutation(order, "order", d)
        K = [self.bins[i] for i in self.order]
        self._set_networks(*(
            Network((i, *self.hidden, K[i]), activation,
                    None if waves is None else self.waves[self.order[:i]], bound)
            for i in range(1, self.d)), before=K[:1])
        checks.wide_cells([-1.0] * d, [1.0] * d, self.bins, float, "bins")
        self.log_cell_volume = sum(math.log(2 / k) for k in K)

    def __call__(self, theta):
        """p_θ. ValueError if bins are too narrow for the precision of theta."""
        p = Autoregressive(self, theta)
        checks.wide_cells([-1.0] * self.d, [1.0] * self.d, self.bins, p.theta.dtype, "bins")
        return p

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        X = self._input(theta, X)[:, self.order]
        xp, (first, *parts) = array_module(theta), self.parts(theta)                    # (1)
        inside = (abs(X) <= 1).all(axis=1)
        elsewhere = xp.where(xp.isnan(X).any(axis=1), math.nan, -math.inf)     # log p off the box
        X = xp.where(inside[:, None], X, 0)
        k = cell_of(X, -1.0, 1.0, xp.asarray([self.bins[axis] for axis in self.order])).T   # (2)

        log_p = log_softmax(first)[k[0]] - self.log_cell_volume     # the widths of all axes (3)
        pullbacks = []
        for i, (network, part) in enumerate(zip(self.networks, parts, strict=True), start=1):
            a, backward_network = network(part, X[:, :i])                               # (1)
            log_share, backward_softmax = _log_softmax_at(a, k[i])
            log_p += log_share                                                          # (3)
            pullbacks.append((backward_softmax, backward_network))

        def backward(dlog_p):
            dlog_p = xp.where(inside, dlog_p, 0)                    # outside, no θ changes log p
            dfirst = -softmax(first) * dlog_p.sum(dtype=float)      # (4)
            xp.add.at(dfirst, k[0], dlog_p)                         # rows may share a bin (4)
            return self.parts.join(dfirst.astype(first.dtype, copy=False), *(
                backward_network(backward_softmax(dlog_p), inputs=False)[0]
                for backward_softmax, backward_network in pullbacks))

        return xp.where(inside, log_p, elsewhere).astype(theta.dtype, copy=False), backward

    def on_space(self, X):
        """X, if all its rows lie in the box, else a ValueError."""
        return checks.rows_of_box(X, [-1] * self.d, [1] * self.d)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives: the first coordinate about uniform."""
        dtype = checks.float_dtype(dtype)
        first = 0.01 * checks.rng(rng).standard_normal(self.parts.lengths[0], dtype=dtype)
        return self.parts.join(first, *(network.initial_theta(rng, dtype)
                                        for network in self.networks))

    def logits(self, theta, before):
        """a (n, K) of the next coordinate given `before` (n, i), the first i in the order, i > 0,
        and backward: da -> dθ of its network."""
        parts = self.parts(theta)
        before = checks.real_array(before, "before", like=theta, finite=False)
        i = checks.whole_number(before.shape[-1] if before.ndim else 0, "the columns of before", 1,
                                self.d - 1)
        a, backward = self.networks[i - 1](parts[i], before, "before")
        return a, lambda da: backward(da, inputs=False)[0]


def _log_softmax_at(a, k):
    """log softmax(a)[k] for each row of a (n, K) and k (n,), and backward: dlog_share -> da.

    It is a_k - log Σ_l exp(a_l), whose derivative in a_l is onehot(k)_l - softmax(a)_l. onehot(k)
    is 1 at k and 0 elsewhere.
    """
    xp = array_module(a)
    rows = xp.arange(len(a))
    shifted = a - a.max(axis=1)[:, None]
    own = shifted[rows, k]
    exp = xp.exp(shifted, out=shifted)
    total = exp.sum(axis=1)

    def backward(dlog_share):
        da = exp * (-dlog_share / total)[:, None]                   # (4)
        da[rows, k] += dlog_share                                   # (4)
        return da

    return own - xp.log(total), backward


class _Autoregressive(Tractable):
    """p_θ for one θ."""

    def _rows(self):
        """How many rows are taken at a time: if each has over 1024 logits, fewer than elsewhere."""
        widest = max((network.d_out for network in self.family.networks), default=1)
        rows = through_a_network(self.theta)
        return min(rows, max(1, 1024 * rows // widest))

    def log_prob(self, X):
        """log p(x) for each row of X (n, d), shape (n,), in nats; -inf where p is 0."""
        return self._of_rows(lambda X: self.family.log_prob(self.theta, X)[0], X,
                             rows=self._rows())

    def sample(self, n, rng):
        """n draws, coordinate by coordinate, (n, d)."""
        return self._draws(lambda n: self._sample(n, rng), n, rng, self._rows())


class Autoregressive(_Autoregressive):
    """Π_i p(x_i | x_<i) on the box [-1, 1]^d, each factor constant within each bin; 0 elsewhere."""

    def _sample(self, n, rng):
        family, theta = self.family, self.theta
        xp = array_module(theta)
        X = xp.empty((n, family.d), dtype=theta.dtype)              # columns in the given order
        for i, axis in enumerate(family.order):
            K = family.bins[axis]
            if i == 0:
                k = categorical(softmax(family.parts(theta)[0]), n, rng)            # (5)
            else:
                cdf = softmax(family.logits(theta, X[:, :i])[0]).cumsum(axis=1, dtype=float)
                u = rng.random((n, 1), dtype=float) * cdf[:, -1:]       # of float32, 0 is too often
                k = (cdf[:, :-1] <= u).sum(axis=1)                                  # (5)
            x, center = (((k + u) * (2 / K) - 1).astype(theta.dtype)
                         for u in (rng.random(n, dtype=theta.dtype), 0.5))
            own = cell_of(x, -1.0, 1.0, K) == k                     # rounding could step over
            X[:, i] = xp.minimum(xp.where(own, x, center), 1)                       # (5)
        return X[:, [family.order.index(i) for i in range(family.d)]]


class MaskedAutoregressiveFamily(TractableFamily):
    """Probabilities of binary images, x in {0, 1}^d, by one masked network of widths `hidden`.

    A pixel has two values, so one logit a_i is enough, and one network computes all d of them at
    once. a_i must not depend on x_i or on what follows. So some weights are multiplied by 0, by a
    mask (MADE: Germain et al. 2015). Each unit has a degree: x_i and a_i their place i + 1 in the
    order, hidden units numbers spread evenly over 1, ..., d - 1.

        into a hidden unit, keep weights from units of at most its degree
        into a_i, keep weights from units of a smaller degree

    By the first rule, layer by layer, a hidden unit of degree c depends on the first c coordinates
    at most; so by the second a_i depends on those before x_i only. With the masked weights,

        a = network(x) with mask·θ          ∂θ = mask·∂(mask·θ)
        p(x_i = 1 | x_<i) = sigmoid(a_i), and p(x_i = 0 | x_<i) = 1 - sigmoid(a_i) = sigmoid(-a_i)
        log p(x) = Σ_i log sigmoid((2x_i - 1) a_i)          ∂a_i = (x_i - sigmoid(a_i)) ∂log p

    `mask` (n_θ,) is true where a number of θ is kept; the others have no effect.
    """

    defaults = {"max_steps": 4000, "learning_rate": 2e-3}

    def __init__(self, d, hidden, order=None, activation="relu"):
        self._set_options(d, hidden, activation)
        self.network = Network((self.d, *self.hidden, self.d), activation)
        self._set_networks(self.network)
        self.order = checks.permutation(order, "order", self.d)
        place = 1 + numpy.argsort(self.order)                       # of each coordinate: 1, ..., d
        degrees = [place, *(numpy.linspace(1, max(self.d - 1, 1), h).round() for h in self.hidden)]
        mask = numpy.ones(self.n_parameters)
        *inner, (last, _) = self.network.cut(mask)
        for (W, _), before, after in zip(inner, degrees[:-1], degrees[1:], strict=True):
            W[...] = before[:, None] <= after
        last[...] = degrees[-1][:, None] < place
        self._mask = mask.astype(bool)
        self._mask.flags.writeable = False

    def __call__(self, theta):
        return MaskedAutoregressive(self, theta)

    def mask(self, xp):
        """The mask (n_θ,), of truth values in the module xp; in NumPy it is read-only."""
        return xp.asarray(self._mask)

    def on_space(self, X):
        """X, if it holds 0 and 1 alone, else a ValueError."""
        X = checks.observations(X, d=self.d)
        return checks.rows_within(X, ((X == 0) | (X == 1)).all(axis=1), f"{{0, 1}}^{self.d}")

    def logits(self, theta, X):
        """a (n, d), a_i from the coordinates before i only, and backward: da -> dtheta."""
        X, mask = self._input(theta, X), self.mask(array_module(theta))
        a, backward = self.network(theta * mask, X)
        return a, lambda da: backward(da, inputs=False)[0] * mask

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, all of 0 and 1, which the caller has checked, (n,), and
        backward: dlog_p -> dtheta."""
        X = self._input(theta, X)
        a, backward_network = self.logits(theta, X)
        log_p = -softplus((1 - 2 * X) * a).sum(axis=1)              # log sigmoid(v) = -softplus(-v)

        def backward(dlog_p):
            return backward_network((X - sigmoid(a)) * dlog_p[:, None])

        return log_p, backward


class MaskedAutoregressive(_Autoregressive):
    """Π_i p(x_i | x_<i) on {0, 1}^d: a probability mass, not a density; log p(x) <= 0."""

    def log_prob(self, X):
        """log P(x) for each row, shape (n,), in nats. ValueError off {0, 1}^d."""
        X = checks.observations(X, self.theta, d=self.family.d)
        return super().log_prob(self.family.on_space(X))

    def _sample(self, n, rng):
        """d passes of the network: each one settles one coordinate."""
        family, xp = self.family, array_module(self.theta)
        kept = self.theta * family.mask(xp)
        X = xp.zeros((n, family.d), dtype=kept.dtype)
        u = rng.random((n, family.d), dtype=float)                  # of float32, 0 is too often
        for i in family.order:
            a, _ = family.network(kept, X)
            X[:, i] = u[:, i] < sigmoid(a[:, i].astype(float))      # in float32, 1 is too often
        return X
