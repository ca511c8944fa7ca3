"""Discretised: masses of grey levels by a density of a few numbers, which pays little for cells.

Why: a density of pictures must be handed a point of the cell of each of 1,000 pixels, and pays for
each (pixels.py). Yet a picture is known from far fewer numbers. Idea: let a density p describe only
the codes z of a picture, k leading coordinates, and let each pixel be the decoded x̂(z) and noise,
rounded down to a level. If the noise is logistic, the mass of a level has a closed form: a sigmoid
is its cumulative distribution (Salimans and others 2017). With the cell of level l from l/L to
(l + 1)/L, without an end on the left for the first and on the right for the last,

    A = (l/L - x̂)/s        B = ((l + 1)/L - x̂)/s
    P(l) = σ(B) - σ(A) = σ(B) σ(-A) (1 - exp(A - B))                                             (1)

no digit of which cancels in the last form: the first and the last cell drop a factor or two. From
(1), as B - A = 1/(L s),

    ∂x̂ = (σ(A) - σ(-B))/s                                                                        (2)
    ∂s = (A σ(A) - B σ(-B) - (B - A)/(exp(B - A) - 1))/s                                         (3)

The picture k then has the mass P(k) = ∫ p(z) P(k|z) dz with P(k|z) = Π_i P(k_i|x̂_i(z), s_i), one s
a pixel. Codes are principal components in units u of their standard deviations, and a guess q says
which of them may be behind a picture; τ is how far, in pixels' brightness, a code may be moved:

    x̂(z) = µ + U (u z)                                                                           (4)
    z(k) = (c - µ) U/u,  c = (k + 1/2)/L, the centre of the cell
    q(z|k) = N(√(1 - ω²) z(k), ω²),   ω² = τ²/(u² + τ²)                                          (5)

The mean and the variance of all z that q draws are those of p_0 = N(0, I), so p_0, with which the
model is probabilistic PCA but for its noise, is the plainest p; others are trained on draws of q.
No sum gives the integral, but one draw bounds it in the mean, by Jensen's inequality:

    log P(k) >= mean over q of log w + log p(z)/p_0(z),     log w = log p_0(z) P(k|z)/q(z|k)     (6)

What is lost, KL(q(z|k)‖p(z|k)), is what is still paid for the cells. Steps of a Markov chain make
it smaller: they lead z from q to p_0(z) P(k|z), at the temperatures β = 1/T, ..., and log w is
collected on the way (annealed importance sampling, Neal 2001). In the coordinates ε of z = mean of
q + ω ε, where q is N(0, I),

    E_β(ε) = ½|ε|² - β log w(ε)              β = 0 is q, β = 1 is p_0(z) P(k|z)                  (7)
    log w  = Σ_t log w(ε_t)/T                ε_0 from q, ε_t from ε_{t-1} by steps at β = t/T    (8)

The mean of w is still P(k) under p_0, whatever the steps, and the bound (6) holds at the last ε for
each p: models of the same codes can be judged at the same points. But the chain leads to the points
that suit p_0, and comes nearest to log P(k) for it alone.

>>> import numpy
>>> log_p, backward = log_mass_of_levels(numpy.array([[0], [1], [2]]), numpy.full((3, 1), 0.5),
...                                      numpy.array([0.1]), 3)
>>> numpy.exp(log_p)[:, 0].round(3).tolist()            # of the three levels, around the middle one
[0.159, 0.682, 0.159]
"""

import math

from gdl_numpy.networks.training import train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import sigmoid, softplus
from gdl_numpy.numerics.langevin import walk
from gdl_numpy.pictures.pixels import MOST, quantise
from gdl_numpy.probability.density import LOG_2_PI

BLOCK = 128                                                 # pictures at a time bound the memory
FAR = 30.0                                                  # a box for ε: no posterior reaches it


def log_mass_of_levels(K, X_hat, s, levels):
    """log P(k_i) for each pixel of pictures K (n, d), shape (n, d), and backward: dlog_p -> dX_hat
    (n, d), ds (d,); the noise around X_hat (n, d) has the scales s (d,), all above 0.

    Whether K holds levels and s is positive is not looked at: no step waits for a device.
    """
    X_hat = checks.observations(X_hat, finite=False, name="X_hat")
    xp = array_module(X_hat)
    s = checks.one_axis(checks.real_array(s, "s", X_hat, finite=False), X_hat.shape[1], "s")
    levels = checks.whole_number(levels, "levels", least=1, most=MOST)
    K = checks.same_shape(checks.real_array(K, "K", X_hat, finite=False), "K", X_hat, "X_hat")
    A, B, D = (K / levels - X_hat) / s, ((K + 1) / levels - X_hat) / s, 1 / (levels * s)
    left, right = K > 0, K < levels - 1                     # has an end on this side
    log_p = (-xp.where(right, softplus(-B), 0) - xp.where(left, softplus(A), 0)             # (1)
             + xp.where(left & right, xp.log(-xp.expm1(-D)), 0))

    def backward(dlog_p):
        at_A, at_B = xp.where(left, sigmoid(A), 0), xp.where(right, sigmoid(-B), 0)
        inside = xp.where(left & right, D * xp.exp(-D) / -xp.expm1(-D), 0)
        dX_hat = dlog_p * (at_A - at_B) / s                                                 # (2)
        ds = dlog_p * (A * at_A - B * at_B - inside) / s                                    # (3)
        return dX_hat, ds.sum(axis=0, dtype=float).astype(s.dtype)

    return log_p, backward


def _scales(scales, name, like, of):
    """`scales` as a copy, an array of the shape of `like` with numbers above 0."""
    scales = checks.same_shape(checks.real_array(scales, name, like), name, like, of)
    return checks.rows_within(scales, scales > 0, "(0, inf)", name).copy()


class LogisticDecoder(Described):
    """P(k|z) and the guess q(z|k), for pictures of `levels` grey levels: `LogisticDecoder.fit`.

    `axes` are PrincipalComponents of k of d dimensions, `u` (k,) the units of the codes, `s` (d,)
    the scales of the pixels' noise, and `noise` is τ.
    """

    def __init__(self, axes, u, s, levels, noise):
        self.axes = checks.offers(axes, "axes", "encode", "decode")
        self.d, self.k = axes.components.shape
        self.u = _scales(u, "u", axes.explained_variance_ratio, "the axes")
        self.s = _scales(s, "s", axes.mu, "the axes' mean")
        self.levels = checks.whole_number(levels, "levels", least=1, most=MOST)
        self.noise = checks.number(noise, "noise", "(0, inf)")
        self.n_parameters = self.d * self.k + self.k + 2 * self.d
        self.omega = self.noise / (self.u**2 + self.noise**2)**0.5
        self.shrink = self.u / (self.u**2 + self.noise**2)**0.5             # √(1 - ω²)

    @classmethod
    def fit(cls, axes, K, levels, noise, rng, max_steps=300, batch=128):
        """Units and scales from pictures K (n, d): s is the maximum of log P(k|z), by Adam, where z
        is drawn from q; at least 1/(64 L), so that no pixel that never changed is sure for ever."""
        checks.offers(axes, "axes", "encode", "decode")
        levels = checks.whole_number(levels, "levels", least=1, most=MOST)
        K = checks.not_empty(checks.grey_levels(K, levels, d=len(axes.mu)), "K")
        floor, start = 1 / (64 * levels), 1 / (4 * levels)
        codes = cls(axes, 1 + 0 * axes.explained_variance_ratio, 1 + 0 * axes.mu, levels, noise)
        Z, xp = codes.encode(K), array_module(K)
        decoder = cls(axes, Z.std(axis=0, dtype=float).astype(Z.dtype), codes.s, levels, noise)

        def loss(rho, K, Z):
            log_p, backward = log_mass_of_levels(
                K, decoder.decode(decoder.redrawn(Z, rng)), floor + xp.exp(rho), levels)
            _, ds = backward(xp.full_like(log_p, -1 / len(K)))
            return -log_p.sum() / len(K), xp.exp(rho) * ds

        steps = train(loss, 0 * axes.mu + math.log(start), [K.astype(axes.mu.dtype), Z / decoder.u],
                      rng, learning_rate=0.1, batch=batch, max_steps=max_steps)
        *_, last = steps
        return cls(axes, decoder.u, floor + xp.exp(last.theta), levels, noise)

    def encode(self, K):
        """z(k) for each image of K (n, d), shape (n, k)."""
        K = checks.grey_levels(K, self.levels, d=self.d)
        return in_blocks(lambda i, j: self.axes.encode((K[i:j] + 0.5) / self.levels) / self.u,
                         len(K))

    def redrawn(self, Z, rng):
        """A draw of q for pictures of the codes Z (n, k), shape (n, k): what p is trained on."""
        Z, rng = checks.observations(Z, self.u, finite=False, name="Z"), checks.rng(rng)
        return self.shrink * Z + self.omega * rng.standard_normal(Z.shape, dtype=Z.dtype)   # (5)

    def decode(self, Z):
        """x̂(z) for each row of Z (n, k), shape (n, d)."""
        Z = checks.observations(Z, self.u, name="Z")
        return self.axes.decode(self.u * Z)                                                 # (4)

    def points(self, K, rng, T=1, steps=4, h=0.5):
        """One z for each picture of K, (n, k), and log w on the way to it, (n,), in nats.

        The way has T temperatures; at each of them but the last the chain makes `steps` steps of
        length h. With T = 1 there is none, and z is a draw of q.
        """
        T, steps = checks.whole_number(T, "T", least=1), checks.whole_number(steps, "steps")
        h = checks.number(h, "h", "(0, inf)")
        K, rng = checks.grey_levels(K, self.levels, d=self.d), checks.rng(rng)
        Z = self.encode(K)
        both = in_blocks(lambda i, j: self._points(K[i:j], Z[i:j], rng, T, steps, h), len(K), BLOCK)
        return both[:, :-1], both[:, -1]

    def _points(self, K, Z, rng, T, steps, h):
        xp = array_module(Z)
        far = xp.full(self.k, FAR, dtype=Z.dtype)
        eps, log_w = rng.standard_normal(Z.shape, dtype=Z.dtype), 0.0

        def at(eps):
            """z, log w, and its gradient in ε."""
            z = self.shrink * Z + self.omega * eps
            log_p, backward = log_mass_of_levels(K, self.decode(z), self.s, self.levels)
            dx_hat, _ = backward(xp.ones_like(log_p))
            dz = (dx_hat @ self.axes.components) * self.u - z
            return z, (log_p.sum(axis=1) + 0.5 * (eps**2 - z**2).sum(axis=1)
                       + xp.log(self.omega).sum()), self.omega * dz + eps

        def energy(eps, beta):
            _, log_w, dlog_w = at(eps)
            return 0.5 * (eps**2).sum(axis=1) - beta * log_w, eps - beta * dlog_w           # (7)

        for t in range(T):
            if t > 0:
                eps = walk(lambda eps, beta=t / T: energy(eps, beta), eps, -far, far, rng, steps,
                           h / (2 * FAR), jump=0)
            z, part, _ = at(eps)
            log_w = log_w + part / T                                                        # (8)
        return xp.concatenate([z, log_w[:, None]], axis=1)


class Discretised(Described):
    """Pictures of grey levels by a density p of their codes and a LogisticDecoder.

    `log_p(Z, rng)` gives log p(z) for rows z, or a lower bound of it, (n,); None for p.log_prob(Z).
    """

    def __init__(self, p, decoder, log_p=None):
        self.log_p = checks.function(log_p, "log_p", optional=True)
        self.p = p if p is None and log_p is not None else checks.density(p, "p")
        self.decoder = checks.instance(decoder, "decoder", LogisticDecoder)

    def lower_bound(self, Z, log_w, rng):
        """What is at most log P(k) in the mean, for each picture, (n,), in nats, from the points
        and their log w, that the decoder's `points` gives for pictures."""
        Z, rng = checks.observations(Z, self.decoder.u, name="Z"), checks.rng(rng)
        log_w = checks.same_shape(checks.real_array(log_w, "log_w", like=Z), "log_w", Z[:, 0],
                                  "the rows of Z")
        log_p = self.p.log_prob(Z) if self.log_p is None else self.log_p(Z, rng)
        return log_w + log_p + 0.5 * ((Z**2).sum(axis=1) + Z.shape[1] * LOG_2_PI)           # (6)

    def sample(self, n, rng):
        """n images, (n, d), whole numbers: z from p, and the decoded picture with its noise."""
        Z, decoder = self.p.sample(checks.draws(n, rng), rng), self.decoder
        u = rng.random((n, decoder.d)).clip(1e-16, 1)                       # log 0 is not wanted
        noise = array_module(u).log(u / (1 - u)).astype(Z.dtype)            # logistic
        return quantise(decoder.decode(Z) + decoder.s * noise, decoder.levels)
