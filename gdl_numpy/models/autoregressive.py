"""Autoregressive model: one coordinate after the other, each given those before it.

Any joint density is a product of conditional ones (the chain rule of probability). A model that has
one normalised factor for each coordinate is therefore normalised, and its log p is exact, at the
cost of one pass through its networks, in any dimension:

    p(x) = Π_i p(x_i | x_<i)            log p(x) = Σ_i log p(x_i | x_<i),   i in the given order

A sample is drawn in the same order, each coordinate from its factor: it costs d steps.

**On the box [-1, 1]^d** each axis has K_i equal bins, and x_i falls into the bin k_i. The first
coordinate has free logits, each later one a network of the Fourier features φ of those before it:

    a_1 = θ_1        r_i = mlp(φ(x_<i)), (K_i,)        a_i = r_i, or B tanh(r_i/B) with a bound B
    log p(x) = Σ_i log softmax(a_i)[k_i] - log(2/K_i)           -∞ outside the box
    ∂ log p/∂a_i = onehot(k_i) - softmax(a_i)          ∂r_i = (1 - (a_i/B)²) ∂a_i

The bound says that no density of a later coordinate varies by more than a factor exp(2B), so that
what never occurred is not ruled out; and as tanh is flat at both ends, two levels come easily, as
on the map: land and sea.

**On binary pictures, {0, 1}^d** one network gives all d logits at once, a_i from x_<i alone, as its
weights are multiplied by masks of 0 and 1 (MADE: Germain, Gregor, Murray and Larochelle 2015). Each
unit has a degree m: an input and an output its place 1, ..., d in the order, a hidden unit a number
from 1 to d - 1. A hidden unit depends on inputs of at most its own degree, an output on those of a
smaller one:

    weight from u to v kept where   m_u <= m_v,  v hidden        m_u < m_v,  v an output
    a = mlp_{θ·mask}(x)             log p(x) = Σ_i log sigmoid((2 x_i - 1) a_i)
    ∂θ = mask · ∂(θ·mask)           ∂ log p/∂a_i = x_i - sigmoid(a_i)

Erratum E32: it is not true that p_θ(x) cannot be computed in high dimension; what grows as k^d is a
grid. A product of conditionals is exact, here with d = 1,024 (test_e32). Erratum E37: these models
need an order, but any order is exact; it matters only for how well restricted conditionals can
follow the data (test_e37).
"""

import math

import numpy

from gdl_numpy.networks.network import Network
from gdl_numpy.networks.trained import Tractable, TractableFamily
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import log_softmax, sigmoid, softmax, softplus
from gdl_numpy.probability.density import categorical


class AutoregressiveFamily(TractableFamily):
    """Densities on [-1, 1]^d with binned conditionals; `bins` = (K_1, ..., K_d), one an axis.

    `hidden` are the widths of the hidden layers of each of the d - 1 networks, and `order` is the
    order of the factors, by default 0, ..., d - 1. Options: `bound` is B; `waves` are wave vectors
    F (d, m), whose rows for the coordinates that a network sees make its Fourier features.
    """

    defaults = {"max_steps": 4000, "learning_rate": 2e-3}

    def __init__(self, bins, hidden, waves=None, order=None, activation="relu", bound=None):
        self.bins = checks.whole_numbers(bins, "bins", least=1)
        self.d = checks.whole_number(len(self.bins), "the length of bins", least=1)
        self.hidden = checks.whole_numbers(hidden, "hidden", least=1)
        self.order = checks.permutation(order, "order", self.d)
        self.waves, self.activation = checks.waves(waves, self.d), activation
        self.bound = checks.number(bound, "bound", "(0, inf)", optional=True)
        K = [self.bins[i] for i in self.order]
        self._set_networks(*(
            Network((i, *self.hidden, K[i]), activation,
                    None if waves is None else self.waves[self.order[:i]], bound)
            for i in range(1, self.d)), before=K[:1])
        self.log_cell_volume = sum(math.log(2 / k) for k in K)

    def __call__(self, theta):
        return Autoregressive(self, theta)

    def on_space(self, X):
        """X, if all its rows lie in the box, else a ValueError."""
        return checks.rows_of_box(X, [-1] * self.d, [1] * self.d)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives: the first coordinate about uniform."""
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

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        xp, (first, *parts) = array_module(theta), self.parts(theta)
        X = checks.observations(X, theta, finite=False, d=self.d)[:, self.order]
        inside = (abs(X) <= 1).all(axis=1)
        elsewhere = xp.where(xp.isnan(X).any(axis=1), math.nan, -math.inf)     # log p off the box
        X = xp.where(inside[:, None], X, 0)
        k = [_bin(X[:, i], self.bins[axis]) for i, axis in enumerate(self.order)]

        log_p = log_softmax(first)[k[0]] - self.log_cell_volume
        pullbacks = []
        for i, (network, part) in enumerate(zip(self.networks, parts, strict=True), start=1):
            a, backward_network = network(part, X[:, :i])
            log_share, backward_softmax = _log_softmax_at(a, k[i])
            log_p += log_share
            pullbacks.append((backward_softmax, backward_network))

        def backward(dlog_p):
            dlog_p = xp.where(inside, dlog_p, 0)                    # outside, no θ changes log p
            dfirst = -softmax(first) * dlog_p.sum(dtype=float)
            xp.add.at(dfirst, k[0], dlog_p)                         # rows may share a bin
            return self.parts.join(dfirst.astype(first.dtype, copy=False), *(
                backward_network(backward_softmax(dlog_p), inputs=False)[0]
                for backward_softmax, backward_network in pullbacks))

        return xp.where(inside, log_p, elsewhere).astype(theta.dtype, copy=False), backward


def _bin(x, K):
    """The number, from 0 to K - 1, of the bin of [-1, 1] that holds each x (n,)."""
    return array_module(x).minimum(((x + 1) * (0.5 * K)).astype(int), K - 1)


def _log_softmax_at(a, k):
    """log softmax(a)[k] for each row of a (n, K) and k (n,), and backward: its cotangent -> da."""
    xp = array_module(a)
    rows = xp.arange(len(a))
    shifted = a - a.max(axis=1)[:, None]
    own = shifted[rows, k]
    exp = xp.exp(shifted, out=shifted)
    total = exp.sum(axis=1)

    def backward(dlog_share):
        da = exp * (-dlog_share / total)[:, None]
        da[rows, k] += dlog_share
        return da

    return own - xp.log(total), backward


class _Autoregressive(Tractable):
    """p_θ for one θ."""

    def _rows(self):
        """How many rows are taken at a time: at most 2^22 logits."""
        widest = max((network.d_out for network in self.family.networks), default=1)
        return min(2**13, max(1, 2**22 // widest))

    def log_prob(self, X):
        """log p(x) for each row of X (n, d), shape (n,), in nats; -inf where p is 0."""
        return self._of_rows(lambda X: self.family.log_prob(self.theta, X)[0], X,
                             rows=self._rows())

    def sample(self, n, rng):
        """n draws, coordinate by coordinate, (n, d)."""
        return in_blocks(lambda i, j: self._sample(j - i, rng), checks.draws(n, rng), self._rows())


class Autoregressive(_Autoregressive):
    """Π_i p(x_i | x_<i) on the box [-1, 1]^d, each factor constant within each bin; 0 elsewhere."""

    def _sample(self, n, rng):
        family, theta = self.family, self.theta
        xp = array_module(theta)
        X = xp.empty((n, family.d), dtype=theta.dtype)              # columns in the given order
        for i, axis in enumerate(family.order):
            K = family.bins[axis]
            if i == 0:
                k = categorical(softmax(family.parts(theta)[0]), n, rng)
            else:
                cdf = softmax(family.logits(theta, X[:, :i])[0]).cumsum(axis=1, dtype=float)
                u = rng.random((n, 1), dtype=theta.dtype) * cdf[:, -1:]
                k = (cdf[:, :-1] <= u).sum(axis=1)
            x, centre = (((k + u) * (2 / K) - 1).astype(theta.dtype)
                         for u in (rng.random(n, dtype=theta.dtype), 0.5))
            x = xp.where(_bin(x, K) == k, x, centre)                # rounding could step over
            X[:, i] = xp.minimum(x, 1)
        return X[:, [family.order.index(i) for i in range(family.d)]]


class MaskedAutoregressiveFamily(TractableFamily):
    """Probabilities of binary pictures, x in {0, 1}^d, by one masked network of widths `hidden`.

    The degrees of hidden units are spread evenly over 1, ..., d - 1. `mask` (n_θ,) is 1 for what is
    kept; the other entries of θ have no effect and the gradient 0.
    """

    defaults = {"max_steps": 4000, "learning_rate": 2e-3}

    def __init__(self, d, hidden, order=None, activation="relu"):
        self.d = checks.whole_number(d, "d", least=1)
        self.hidden = checks.whole_numbers(hidden, "hidden", least=1)
        self.order, self.activation = checks.permutation(order, "order", self.d), activation
        self.network = Network((self.d, *self.hidden, self.d), activation)
        self._set_networks(self.network)
        place = 1 + numpy.argsort(self.order)                       # of each coordinate: 1, ..., d
        degrees = [place, *(numpy.linspace(1, max(self.d - 1, 1), h).round() for h in self.hidden)]
        mask = numpy.ones(self.n_parameters, dtype=bool)
        *inner, (last, _) = self.network.cut(mask)
        for (W, _), before, after in zip(inner, degrees[:-1], degrees[1:], strict=True):
            W[...] = before[:, None] <= after
        last[...] = degrees[-1][:, None] < place
        mask.flags.writeable = False
        self._mask = mask

    def __call__(self, theta):
        return MaskedAutoregressive(self, theta)

    def mask(self, xp):
        """The mask (n_θ,), of truth values in the module xp; in NumPy it is read-only."""
        return xp.asarray(self._mask)

    def on_space(self, X):
        """X, if it holds 0 and 1 alone, else a ValueError."""
        X = checks.observations(X := checks.real_array(X, "X"), X, d=self.d)
        return checks.rows_within(X, ((X == 0) | (X == 1)).all(axis=1), f"{{0, 1}}^{self.d}")

    def logits(self, theta, X):
        """a (n, d), a_i from the coordinates before i only, and backward: da -> dtheta."""
        mask = self.mask(array_module(theta))
        a, backward = self.network(checks.theta_shape(theta, self.n_parameters) * mask, X)
        return a, lambda da: backward(da, inputs=False)[0] * mask

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, all of 0 and 1, which the caller has checked, (n,), and
        backward: dlog_p -> dtheta."""
        checks.theta_shape(theta, self.n_parameters)
        X = checks.observations(X, theta, finite=False, d=self.d)
        a, backward_network = self.logits(theta, X)

        def backward(dlog_p):
            return backward_network((X - sigmoid(a)) * dlog_p[:, None])

        return -softplus((1 - 2 * X) * a).sum(axis=1), backward


class MaskedAutoregressive(_Autoregressive):
    """Π_i p(x_i | x_<i) on {0, 1}^d: a probability mass, not a density; log p(x) <= 0."""

    def log_prob(self, X):
        """log P(x) for each row, shape (n,), in nats. ValueError off {0, 1}^d."""
        X = checks.observations(X, self.theta, d=self.family.d)
        return super().log_prob(self.family.on_space(X))

    def _sample(self, n, rng):
        """d network passes: each one settles one coordinate."""
        family, xp = self.family, array_module(self.theta)
        kept = self.theta * family.mask(xp)
        X = xp.zeros((n, family.d), dtype=kept.dtype)
        u = rng.random((n, family.d), dtype=kept.dtype)
        for i in family.order:
            a, _ = family.network(kept, X)
            X[:, i] = u[:, i] < sigmoid(a[:, i])
        return X
