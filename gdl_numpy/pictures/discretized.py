"""Discretized logistic: masses of gray levels in closed form, by a density of a few codes.

The bound of pixels.py may lose a quarter of a bit in each of 1,000 pixels, because it averages the
logarithm of a density over each cell. Three ideas lose less: the mass of a pixel's cell has a
closed form; a density need only describe the code of an image, a few numbers that tell it from
others; and a slow way leads from a guess to the codes that may have made the image.

**Masses.** Let a pixel be x̂ plus noise, rounded to one of L levels. The mass of level l is the
probability that x̂ plus noise lies in its cell, from l/L to (l + 1)/L; the first cell has no left
end, the last no right end. If the noise is logistic, of the scale s, its cumulative distribution is
the sigmoid σ (Salimans et al. 2017). So with the ends of the cell seen from x̂ in units of s,

    A    = (l/L - x̂)/s,   B = ((l + 1)/L - x̂)/s
    P(l) = σ(B) - σ(A) = σ(B) σ(-A) (1 - exp(A - B))        no digit is lost if A ≈ B            (1)

By hand: L = 3, x̂ = ½, s = 0.1. The middle cell ends 1/6 from x̂, at B = -A = 1.67. As σ(-1.67) is
0.159, the masses are 0.159, 1 - 2 · 0.159 and 0.159.

>>> import numpy
>>> K, X_hat, s = numpy.array([[0], [1], [2]]), numpy.full((3, 1), 0.5), numpy.array([0.1])
>>> log_p, backward = log_mass_of_levels(K, X_hat, s, levels=3)
>>> print(numpy.exp(log_p)[:, 0].round(3))
[0.159 0.682 0.159]

**Codes.** x̂ must change from image to image. Let it be what a code z decodes to: z are principal
components with the mean µ and the directions U, in units u of their standard deviations. An image k
of the levels k_1, ..., k_d is encoded as z(k), from the middles c of its cells. But other codes may
have made it as well. Noise of the brightness τ would move a code by about τ/u, so q(z|k) guesses:

    x̂(z)   = µ + (u z) Uᵀ           P(k|z) = Π_i P(k_i), with x̂_i(z) and s_i in (1)              (2)
    z(k)   = (c - µ) U/u,  c = (k + ½)/L                                                         (3)
    q(z|k) = N(z; √(1 - ω²) z(k), ω²),  ω² = τ²/(u² + τ²)   (`LogisticDecoder.redrawn`)          (4)

If p is a density of codes, the image has the mass P(k) = ∫ p(z) P(k|z) dz. No formula gives it, but
P(k) is also the mean of the ratio p(z) P(k|z)/q(z|k) over draws z of q: one draw estimates it. Let
p be p_0 = N(0, I) at first, the plainest model, and r the ratio with it. A draw is
z = √(1 - ω²) z(k) + ω ε with ε ~ N(0, I), so q(z|k) is the density of ε over the product of all ω:

    log r(ε) = log P(k|z) + ½ (|ε|² - |z|²) + Σ log ω       on average at most log P(k) (Jensen) (5)

**Annealing.** On average (5) is KL(q(z|k)‖p_0(z|k)) below log P(k) under p_0, as q is only a guess.
To lose less, let a Markov chain (langevin.py) lead ε in small steps from q towards p_0(z|k). The
densities on its way are proportional to exp(-E_β): q for β = 0, and p_0(z|k) for β = 1. Each of T
stops adds a share 1/T of log r (annealed importance sampling, Neal 2001). At the last one, p takes
the place of p_0:

    E_β(ε)   = ½|ε|² - β log r(ε)                                                                (6)
    log w    = Σ_t log r(ε_t)/T       t = 0, ..., T - 1; ε_0 from q, then steps at β = t/T       (7)
    log P(k) >= mean of log w + log(p(z)/p_0(z))      z that of ε_{T-1}; T = 1 is q alone        (8)

`LogisticDecoder.points` shows why the mean of w is P(k) under p_0, and why (8) holds.

See figure_1_03_faces (its bits per pixel) and tests/pictures/test_discretized.py (that it holds).
"""

import math

from gdl_numpy.networks.training import train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import sigmoid, softplus
from gdl_numpy.numerics.langevin import walk
from gdl_numpy.pictures.pixels import MOST, quantize
from gdl_numpy.probability.density import LOG_2_PI

BLOCK = 128                                                 # images at a time bound the memory
FAR = 30.0                                                  # a wall around ε, never reached


def log_mass_of_levels(K, X_hat, s, levels):
    """log P(k_i) for each pixel of images K (n, d), shape (n, d), and backward: dlog_p -> dX_hat
    (n, d), ds (d,). The noise around X_hat (n, d) has the scales s (d,), all above 0.

    As σ(v) = 1/(1 + exp(-v)), the difference (1) is (exp(-A) - exp(-B)) σ(A) σ(B), and σ(A) exp(-A)
    is σ(-A). A first level has A = -∞, so that σ(B) is left of (1); a last level leaves σ(-A).
    d log σ(v)/dv = σ(-v), ∂A/∂x̂ = -1/s, ∂A/∂s = -A/s, likewise for B, and with D = B - A = 1/(L s)

        ∂log P/∂x̂ = (σ(A) - σ(-B))/s
        ∂log P/∂s = (A σ(A) - B σ(-B) - D exp(-D)/(1 - exp(-D)))/s

    Whether K holds levels and s is positive is not checked: a device would have to synchronize.
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
        dX_hat = dlog_p * (at_A - at_B) / s
        ds = dlog_p * (A * at_A - B * at_B - inside) / s
        return dX_hat, ds.sum(axis=0, dtype=float).astype(s.dtype)

    return log_p, backward


def _checked(axes):
    """`axes`, if they are a plane, with a code and a mean."""
    checks.offers(axes, "axes", "encode", "decode")
    if not all(hasattr(axes, part) for part in ("components", "mu", "explained_variance_ratio")):
        raise TypeError(f"axes must be PrincipalComponents, got {axes!r:.80}")
    return axes


def _scales(scales, name, like, of):
    """`scales` as a copy, an array of the shape of `like` with numbers above 0."""
    scales = checks.same_shape(checks.real_array(scales, name, like), name, like, of)
    return checks.rows_within(scales, scales > 0, "(0, inf)", name).copy()


class LogisticDecoder(Described):
    """P(k|z) and the guess q(z|k), for images of `levels` gray levels: `LogisticDecoder.fit`.

    `axes` are PrincipalComponents with n_z of d directions, `u` (n_z,) the units of the codes, `s`
    (d,) the scales of the pixels' noise, and `noise` is τ. The attribute `k` is n_z, the number of
    codes, as in every encoder of this book; in the formulas of this module k is an image.
    """

    def __init__(self, axes, u, s, levels, noise):
        self.axes = _checked(axes)
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
        """u and s from images K (n, d): s maximizes the mean of log P(k|z) for z drawn from q, by
        Adam; at least 1/(64 L), so that a pixel that never changed is not certain to stay."""
        _checked(axes)
        levels = checks.whole_number(levels, "levels", least=1, most=MOST)
        K = checks.not_empty(checks.gray_levels(K, levels, d=len(axes.mu)), "K")
        floor, start = 1 / (64 * levels), 1 / (4 * levels)
        codes = cls(axes, 1 + 0 * axes.explained_variance_ratio, 1 + 0 * axes.mu, levels, noise)
        Z, xp = codes.encode(K), array_module(K)
        if not (Z.max(axis=0) > Z.min(axis=0)).all():
            raise ValueError(f"the codes of the {len(K)} pictures K must vary along every axis")
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

    def decode(self, Z):
        """x̂(z) for each row of Z (n, n_z), shape (n, d)."""
        Z = checks.observations(Z, self.u, name="Z")
        return self.axes.decode(self.u * Z)                                                 # (2)

    def encode(self, K):
        """z(k) for each image of K (n, d), shape (n, n_z)."""
        K = checks.gray_levels(K, self.levels, d=self.d)
        return in_blocks(lambda i, j: self.axes.encode((K[i:j] + 0.5) / self.levels) / self.u,
                         len(K))                                                            # (3)

    def redrawn(self, Z, rng):
        """A draw of q for images of the codes Z (n, n_z), of that shape: what p is trained on.

        Where (4) comes from: let z and ε come from N(0, I), and let z + (τ/u) ε be the code of an
        image with noise. Its variance is 1 + τ²/u² = 1/(1 - ω²), and its covariance with z is 1, so
        their correlation is √(1 - ω²). If z(k) is this code in units of its own deviation, then
        given z(k), z is normal with the mean √(1 - ω²) z(k) and the variance ω². Over all images
        z(k) has mean 0 and variance 1, and so have these draws: (1 - ω²) + ω² = 1.
        """
        Z, rng = checks.observations(Z, self.u, finite=False, name="Z"), checks.rng(rng)
        return self.shrink * Z + self.omega * rng.standard_normal(Z.shape, dtype=Z.dtype)   # (4)

    def points(self, K, rng, T=1, steps=4, h=0.5):
        """One z for each image of K (n, d), (n, n_z), and log w on the way to it, (n,), in nats.

        With T = 1, z is a draw of q. Otherwise a chain makes `steps` steps of length h at each of
        β = 1/T, ..., (T - 1)/T. The mean of w is P(k) even if these steps are few and short. Let
        γ_t(ε) = N(ε; 0, I) r(ε)^(t/T), proportional to exp(-E_β) at β = t/T, and let w_t be the
        product of r(ε_0)^(1/T), ..., r(ε_{t-1})^(1/T). Then, step by step, for any function f,

            mean of w_t f(ε_t) = ∫ γ_t(ε) f(ε) dε          w_0 = 1, and ε_0 has the density γ_0
            mean of w_{t+1} f(ε_t) = ∫ γ_{t+1} f dε        as w_{t+1} = w_t r(ε_t)^(1/T) and
                                                           γ_t r^(1/T) = γ_{t+1}
            mean of w_{t+1} f(ε_{t+1}) = ∫ γ_{t+1} f dε    the chain leaves γ_{t+1} as it is

        The third line is the first one for t + 1. The last stop ends with the second: as w = w_T,
        the mean of w f is ∫ N(ε; 0, I) r(ε) f dε, the mean of r f under q, ∫ p_0(z) P(k|z) f dz.
        For f = 1 this is P(k) under p_0. For f = p/p_0 it is P(k) under p, and Jensen's inequality
        makes (8) of it. So models of the same codes can be judged at the same points, though these
        suit p_0 best and give it the nearest bound.
        """
        T, steps = checks.whole_number(T, "T", least=1), checks.whole_number(steps, "steps")
        h = checks.number(h, "h", "(0, inf)")
        K, rng = checks.gray_levels(K, self.levels, d=self.d), checks.rng(rng)
        Z = self.encode(K)
        both = in_blocks(lambda i, j: self._points(K[i:j], Z[i:j], rng, T, steps, h), len(K), BLOCK)
        return both[:, :-1], both[:, -1]

    def _points(self, K, Z, rng, T, steps, h):
        xp = array_module(Z)
        far = xp.full(self.k, FAR, dtype=Z.dtype)
        eps, log_w = rng.standard_normal(Z.shape, dtype=Z.dtype), 0.0

        def at(eps):
            """z, log r, and its gradient in ε, ω (∂log P(k|z)/∂z - z) + ε."""
            z = self.shrink * Z + self.omega * eps
            log_p, backward = log_mass_of_levels(K, self.decode(z), self.s, self.levels)
            dx_hat, _ = backward(xp.ones_like(log_p))
            dz = (dx_hat @ self.axes.components) * self.u - z
            return z, (log_p.sum(axis=1) + 0.5 * (eps**2 - z**2).sum(axis=1)
                       + xp.log(self.omega).sum()), self.omega * dz + eps                   # (5)

        def energy(eps, beta):
            _, log_r, dlog_r = at(eps)
            return 0.5 * (eps**2).sum(axis=1) - beta * log_r, eps - beta * dlog_r           # (6)

        for t in range(T):
            if t > 0:
                eps = walk(lambda eps, beta=t / T: energy(eps, beta), eps, -far, far, rng, steps,
                           h / (2 * FAR), jump=0)
            z, log_r, _ = at(eps)
            log_w = log_w + log_r / T                                                       # (7)
        return xp.concatenate([z, log_w[:, None]], axis=1)


class Discretized(Described):
    """Images of gray levels by a density p of their codes and a LogisticDecoder.

    A model that has only a lower bound of log p(z) passes it as `log_p(Z, rng)`, (n,) for rows Z;
    None means p.log_prob(Z).
    """

    def __init__(self, p, decoder, log_p=None):
        self.log_p = checks.function(log_p, "log_p", optional=True)
        self.p = p if p is None and log_p is not None else checks.density(p, "p")
        self.decoder = checks.instance(decoder, "decoder", LogisticDecoder)

    def lower_bound(self, Z, log_w, rng):
        """The bound (8) for each image, (n,), in nats: at most log P(k) on average. Z and log_w are
        what `decoder.points` gives for the images."""
        Z, rng = checks.observations(Z, self.decoder.u, name="Z"), checks.rng(rng)
        log_w = checks.same_shape(checks.real_array(log_w, "log_w", like=Z), "log_w", Z[:, 0],
                                  "the rows of Z")
        log_p = self.p.log_prob(Z) if self.log_p is None else self.log_p(Z, rng)
        return log_w + log_p + 0.5 * ((Z**2).sum(axis=1) + Z.shape[1] * LOG_2_PI)           # (8)

    def sample(self, n, rng):
        """n images, (n, d), whole numbers: decoded draws of p, with noise, quantized."""
        checks.offers(self.p, "p", "sample")
        Z, decoder = self.p.sample(checks.draws(n, rng), rng), self.decoder
        share = rng.random((n, decoder.d)).clip(1e-16, 1)                   # not 0, for its log
        noise = array_module(share).log(share / (1 - share)).astype(Z.dtype)   # of σ(noise) = share
        return quantize(decoder.decode(Z) + decoder.s * noise, decoder.levels)
