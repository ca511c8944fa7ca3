"""Variational autoencoder: a latent z behind every x, and a guess of which z it was.

Behind the image of a biscuit tin stand a height and a width, but only pixels are given. So let a
model make x in two steps: draw a few hidden numbers z, then let a network, the decoder, turn them
into an image. To make a given x likely, one must know which z could have made it. Trying all z is
hopeless, so a second network, the encoder, looks at x and guesses. Both are trained together.

**The model.** z ~ N(0, I) in R^k. Given z, the d numbers of x are normal and independent of each
other. The decoder gives their means x̂. Their standard deviations s are the same for all z:

    x̂(z) = decoder(z),   s = floor + exp(ρ)       ρ: d numbers of θ                           (1)
    p(x, z) = N(z; 0, I) N(x; x̂(z), s²)           p(x) = ∫ p(x, z) dz

So the joint density is known. Its integral has no formula, unless the decoder is linear. If x̂(z) is
a point of the data, s could shrink to 0 and p(x) grow without bound there: hence the floor.

**The guess** is a normal density too. Its draws are written as a function of µ and σ, so that the
gradient of what is done with z reaches the encoder (the reparametrization trick):

    µ(x), log σ(x) = encoder(x)   q(z|x) = N(z; µ, σ²)                                        (2)
    z = µ + σ ε                   ε ~ N(0, I)                                                 (3)

**The bound.** Each draw gives a weight w = p(x, z)/q(z|x). Its mean over q is p(x), since that mean
is ∫ q w dz = ∫ p(x, z) dz. The logarithm is concave, so the mean of log w is at most the log of the
mean (Jensen's inequality). It is called the evidence lower bound, ELBO (Kingma and Welling 2014;
Rezende et al. 2014). As p(x, z) = p(x) p(z|x), it falls short by the error of the guess:

    ELBO(x) = mean of log w = log p(x) - mean of log(q(z|x)/p(z|x)) = log p(x) - KL(q(z|x)‖p(z|x))

Let u = (x - x̂)/s, number by number. By (3) (z - µ)/σ is ε, and the k/2 log 2π of both densities of
z cancel. With Σ over the k numbers of σ, and over the d numbers of u and s,

    log w = log N(z; 0, I) - log q(z|x) + log N(x; x̂, s²)
          = ½ (|ε|² - |z|²) + Σ log σ - Σ (½ u² + log s) - d/2 log 2π                         (4)

This is the ELBO of one draw. Options: the decoder may compute ρ as well, for each z its own. And
the mean of m weights may stand for p(x). It varies less than one weight, so its log is closer to
log p(x) (Burda et al. 2016):

    bound = log (1/m Σ_i w_i)     ELBO(x) <= mean of the bound <= log p(x)                    (5)

**A calmer gradient**, another option. If each guess were the posterior p(z|x), each w would be p(x)
whatever z is. Nothing about the encoder could be better then, and its gradient should be 0. That of
(5) is 0 only on average. It has two parts, since log w depends on µ and σ through z and through
log q. The second part is mostly noise (for m = 1 nothing else), and the more draws, the less the
gradient stands out from it (Rainforth et al. 2018). In its place stands something that has the same
mean and goes through z alone (Tucker et al. 2019; derived in `_log_weights`). With the share ω_i =
w_i/Σ_j w_j of a draw, and with µ and σ in q held fixed, the encoder gets

    ∂z_i  = ω_i² ∂bound ∂/∂z_i (log p(x, z_i) - log q(z_i|x))                                 (6)

and the decoder what it had. As -∂/∂z log q is ε/σ, this needs a σ that does not go to 0, such as
that of an encoder with a `bound`. If q is the posterior, log w does not change with z, and (6) is 0
for each draw.

**A linear start**, a third option. Encoder and decoder are to undo each other, and two random
networks do not. Which z comes to stand for which x is then decided by chance, in the first steps,
and some choices may be worse than others. So begin with a model whose posterior is known. With a
factor c and noise of standard deviation s, coordinate by coordinate,

    x̂      = c z                        so that x ~ N(0, v) with v = c² + s²
    p(z|x) = N(z; c x/v, s²/v)          by Bayes' rule                                        (7)

since log p(x, z), which is -½ z² - ½ (x - c z)²/s² up to a constant, is a parabola in z: its slope
c x/s² - z v/s² is 0 at c x/v, and falls by v/s² per unit of z, which is one over the variance.
`linear_theta` makes the decoder c z and the encoder this posterior, plus a little chance
(linear_start.py). Training then only has to bend two maps that already fit together.

See figure_1_10_taxonomy (what it draws), `VariationalAutoencoderFamily.elbo` (one point by hand),
and tests/models/test_variational_autoencoder.py (that it holds; in test_e34 p(x) is known exactly).

Errata.
E34 (tests/models/test_variational_autoencoder.py)  the joint is exact, the marginal is bounded
"""

import math
from functools import partial

from gdl_numpy.networks.linear_start import can_be_linear, linear_start
from gdl_numpy.networks.network import Parts
from gdl_numpy.networks.trained import Trained, TrainedFamily, checked_network
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks, mean_over_blocks, through_a_network
from gdl_numpy.numerics.elementary import logsumexp
from gdl_numpy.probability.density import LOG_2_PI
from gdl_numpy.probability.likelihood import negative_mean

NOISE = 0.1                                                 # exp(ρ) at the start


class VariationalAutoencoderFamily(TrainedFamily):
    """q(z|x) by `encoder`, a Network R^d -> R^2k; p(x|z) by `decoder`, R^k -> R^d or -> R^2d.

    In the plain case the decoder has d outputs, x̂, and θ = (decoder, ρ, encoder): first what makes
    x, then what guesses z. If it has 2d outputs, the last d of them are ρ, for each z its own, and
    θ = (decoder, encoder). `floor` is the least s. X should vary by about 1 in each column.
    """

    defaults = {"batch": 128}

    def __init__(self, encoder, decoder, floor=1e-3):
        self.encoder = checked_network(encoder, "encoder")
        self.d, self.k = encoder.d_in, encoder.d_out // 2
        if encoder.d_out % 2 == 1:
            raise ValueError("encoder must have d_out = 2k, µ and log σ for each of k latent "
                             f"coordinates, got {encoder.d_out}")
        self.decoder = checked_network(decoder, "decoder", self.k, (self.d, 2 * self.d))
        self.floor = checks.number(floor, "floor", "[0, inf)")
        self.constant_noise = decoder.d_out == self.d       # ρ is d numbers of θ
        self.parts = Parts(decoder.n_parameters, self.d if self.constant_noise else 0,
                           encoder.n_parameters)
        self.n_parameters = self.parts.n_parameters

    def __call__(self, theta):
        return VariationalAutoencoder(self, theta)

    def decode(self, theta, Z):
        """x̂ (n, d) and s of p(x|z) for each row of Z, s (d,) if the same for all, else (n, d); and
        backward: dX_hat, ds (n, d) -> dtheta of the decoder and ρ, dZ. By (1), ∂ρ = exp(ρ) ∂s."""
        xp, d, (decoder, rho, _) = array_module(theta), self.d, self.parts(theta)
        H, backward_network = self.decoder(decoder, Z, "Z")
        exp_rho = xp.exp(rho if self.constant_noise else H[:, d:])                      # s - floor

        def backward(dX_hat, ds):
            drho = ds * exp_rho
            if not self.constant_noise:
                return backward_network(xp.concatenate([dX_hat, drho], axis=1))
            dtheta, dZ = backward_network(dX_hat)
            return xp.concatenate([dtheta, drho.sum(axis=0, dtype=float).astype(dtheta.dtype)]), dZ

        return (H[:, :d], self.floor + exp_rho), backward                               # (1)

    def encode(self, theta, X):
        """µ and log σ of q(z|x), each (n, k); and backward: dmu, dlog_sigma -> dphi."""
        xp, k, (_, _, phi) = array_module(theta), self.k, self.parts(theta)
        H, backward_network = self.encoder(phi, X)

        def backward(dmu, dlog_sigma):
            return backward_network(xp.concatenate([dmu, dlog_sigma], axis=1), inputs=False)[0]

        return (H[:, :k], H[:, k:]), backward                                           # (2)

    def _log_weights(self, theta, X, eps):
        """log w (m, n) of m draws eps (m, n, k) for each row of X; and backward: dlog_w -> dtheta.

        Let g be ∂log w, and differentiate (4) with ε fixed. The decoder pulls ∂x̂ and ∂s back to a
        part v of ∂z. µ and log σ of a row serve all its draws, so their gradients are sums Σ over
        these:

            ∂x̂ = g u/s              ∂s = g (u² - 1)/s
            ∂z = v - g z            since z also stands in -½ |z|²
            ∂µ = Σ ∂z               ∂log σ = Σ (∂z σ ε + g)         by z = µ + σ ε

        With `shares` ω (m, n) the last line becomes (6):

            ∂z = ω (v - g z + g ε/σ)        ∂µ = Σ ∂z        ∂log σ = Σ ∂z σ ε

        For look at one draw z of q, and let f(z) be any smooth function of it in which all else is
        held fixed. Its mean over q has two derivatives in µ, or in log σ, that are the same, by (3)
        and by differentiating q in ∫ q f dz:

            mean of ∂f/∂z ∂z/∂µ  =  mean of f(z) ∂/∂µ log q(z)

        The gradient of (5) in µ is Σ ω_i (∂log w_i/∂z_i ∂z_i/∂µ - ∂/∂µ log q(z_i)). Let f be ω_i as
        a function of z_i, whose slope is (ω_i - ω_i²) ∂log w_i/∂z_i. So ω_i ∂/∂µ log q(z_i), which
        is subtracted, has the mean of (ω_i - ω_i²) ∂log w_i/∂z_i ∂z_i/∂µ. Of the weight ω_i of the
        first part, ω_i² is left.
        """
        xp, d, (m, n, k) = array_module(theta), self.d, eps.shape
        (mu, log_sigma), backward_encoder = self.encode(theta, X)
        sigma = xp.exp(log_sigma)
        Z = mu + sigma * eps                                            # (m, n, k), (3)
        (X_hat, s), backward_decoder = self.decode(theta, Z.reshape(m * n, k))
        X_hat, s = X_hat.reshape(m, n, d), s if s.ndim == 1 else s.reshape(m, n, d)
        U = (X - X_hat) / s
        log_w = (0.5 * (eps**2 - Z**2).sum(axis=2) + log_sigma.sum(axis=1)
                 - 0.5 * (U**2).sum(axis=2) - xp.log(s).sum(axis=-1) - 0.5 * d * LOG_2_PI)    # (4)

        def backward(dlog_w, shares=None):
            g = dlog_w[:, :, None]
            dX_hat, ds = g * U / s, g * (U**2 - 1) / s
            dtheta, dZ = backward_decoder(dX_hat.reshape(m * n, d), ds.reshape(m * n, d))
            dZ = dZ.reshape(m, n, k) - g * Z
            if shares is None:
                dlog_sigma = (dZ * sigma * eps + g).sum(axis=0)
            else:
                dZ = shares[:, :, None] * (dZ + g * eps / sigma)
                dlog_sigma = (dZ * sigma * eps).sum(axis=0)
            return xp.concatenate([dtheta, backward_encoder(dZ.sum(axis=0), dlog_sigma)])

        return log_w, backward

    def elbo(self, theta, X, rng):
        """log w of one draw z for each row, (n,), in nats, whose mean is ELBO(x) <= log p_θ(x); and
        backward: delbo -> dtheta.

        One point by hand: x̂ = z and s = 1, so p(x) = N(x; 0, 2) and p(z|x) = N(z; x/2, 1/2). At
        x = 2, log p(x) is -½ (2 + log 2 + log 2π) = -2.266. If q is this posterior, each draw gives
        just that. The guess N(z; x/2, 1) is too wide and loses KL = ½ (2 - 1 - log 2) = 0.153. The
        bound of 10 draws loses less than 0.01.

        >>> import numpy
        >>> from gdl_numpy.networks.network import Network
        >>> family = VariationalAutoencoderFamily(Network((1, 2)), Network((1, 1)), floor=0.0)
        >>> theta = numpy.array([1, 0, 0, 0.5, 0, 0, -0.5 * math.log(2)])
        >>> X, rng = numpy.full((100_000, 1), 2.0), numpy.random.default_rng(0)
        >>> print(family(theta).elbo(X[:3], rng).round(3))
        [-2.266 -2.266 -2.266]
        >>> theta[-1] = 0                                               # log σ(x) = 0: too wide
        >>> print(family(theta).elbo(X, rng).mean().round(2))
        -2.42
        >>> print(family(theta).importance_weighted(X, rng, 10).mean().round(2))
        -2.27
        """
        return self.importance_weighted(theta, X, rng, 1)

    def importance_weighted(self, theta, X, rng, n_samples):
        """log (1/m Σ_i w_i) for each row of X, m = n_samples, (n,); backward: dbound -> dtheta.

        ∂log w_i = (w_i/Σ_j w_j) ∂bound: each draw has its share in the sum. `backward(dbound,
        calmer=True)` gives the encoder (6), which has the same mean.
        """
        m, rng = checks.whole_number(n_samples, "n_samples", least=1), checks.rng(rng)
        X, xp = self._input(theta, X), array_module(theta)
        eps = rng.standard_normal((m, len(X), self.k), dtype=theta.dtype)
        log_w, backward_weights = self._log_weights(theta, X, eps)
        log_sum = logsumexp(log_w, axis=0)

        def backward(dbound, calmer=False):
            shares = xp.exp(log_w - log_sum)
            return backward_weights(dbound * shares, shares if calmer else None)

        return log_sum - math.log(m), backward                                          # (5)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives; exp(ρ) is about 1/10.

        With noise as wide as the data a decoder learns to do without z, and does not come back
        (posterior collapse).
        """
        dtype = checks.float_dtype(dtype)
        decoder, encoder = (network.initial_theta(rng, dtype)
                            for network in (self.decoder, self.encoder))
        rho = array_module(decoder).zeros(self.d, dtype=dtype) + math.log(NOISE)
        if not self.constant_noise:
            decoder[-self.d:] = rho                                 # the bias of these outputs
            rho = rho[:0]
        return self.parts.join(decoder, rho, encoder)

    def loss(self, theta, X, rng, n_samples=1, calmer=False):
        """The mean of the negative bound over the rows of X, and its gradient, (n_θ,).

        With calmer=True the encoder's part is (6): not the slope of this value, but on average
        over the draws the same.
        """
        calmer = checks.truth(calmer, "calmer")

        def loss(theta, X):
            bound, backward = self.importance_weighted(theta, X, rng, n_samples)
            return negative_mean(bound, partial(backward, calmer=calmer))               # (6)

        return mean_over_blocks(loss, theta, checks.not_empty(self._input(theta, X)), rows=2**12)

    def linear_theta(self, rng, dtype=float, c=1.0, small=0.1):
        """Another random start, shape (n_θ,): x̂ is nearly c z, exp(ρ) nearly 1/10, and the guess is
        nearly the posterior. The columns of X should have a mean near 0 and a variance near c².

        `small` is that of `linear_start`: with 0 the guess is the posterior, with 0.1 the ELBO may
        be a nat lower at first. A `bound` of a network should be well above what (7) asks of it. If
        x has more numbers than z, the others begin as noise around 0; if z has more, the guess of
        the others begins as N(0, 1). ValueError if `linear_start` refuses one of the networks.
        """
        c, small = checks.number(c, "c", "(0, inf)"), checks.number(small, "small", "[0, 1]")
        can_be_linear(self.decoder, "decoder"), can_be_linear(self.encoder, "encoder")
        theta, both = self.initial_theta(rng, dtype), min(self.d, self.k)
        xp = array_module(theta)
        decoder, rho, encoder = self.parts(theta)
        s = self.floor + NOISE
        root = math.hypot(c, s)                                         # √v
        to_x, to_z = (xp.zeros((network.d_in, network.d_out), dtype=theta.dtype)
                      for network in (self.decoder, self.encoder))
        to_x[:, :self.d] = c * xp.eye(self.k, self.d, dtype=theta.dtype)
        to_z[:, :self.k] = c / root / root * xp.eye(self.d, self.k, dtype=theta.dtype)
        decoder = linear_start(self.decoder, decoder, to_x, small)
        encoder = linear_start(self.encoder, encoder, to_z, small)
        encoder[-self.k:][:both] = math.log(s / root)               # the bias of log σ         (7)
        return self.parts.join(decoder, rho, encoder)

    def train(self, X, rng, max_steps=None, n_samples=1, theta=None, calmer=False, **options):
        """Maximize the bound of `n_samples` draws by steps on random rows; yields a Step each;
        `calmer` is that of `loss`, `options` are those of every TrainedFamily.

        Trained with several draws, an encoder may miss now and then, since the best of them counts
        most. A single guess that misses can lose hundreds of nats, and even a few of them put
        the ELBO far below log p(x).
        """
        n_samples = checks.whole_number(n_samples, "n_samples", least=1)
        calmer = checks.truth(calmer, "calmer")
        return self._train(lambda theta, rows: self.loss(theta, rows, rng, n_samples, calmer), X,
                           rng, theta, max_steps=max_steps, **{"averaging": 0.999} | options)


class VariationalAutoencoder(Trained):
    """The density of one θ, known by bounds, with an encoder and a decoder."""

    def elbo(self, X, rng):
        """An estimate of ELBO(x) for each row of X, (n,), in nats, unbiased, from one draw of z."""
        return self.importance_weighted(X, rng, 1)

    def importance_weighted(self, X, rng, n_samples, z_at_once=2**15):
        """log (1/m Σ_i w_i) for each row of X, m = n_samples, (n,), in nats.

        About `z_at_once` z are decoded at a time, but never fewer than the m of one row.
        """
        m, rng = checks.whole_number(n_samples, "n_samples", least=1), checks.rng(rng)
        rows = max(1, checks.whole_number(z_at_once, "z_at_once", least=1) // m)
        return self._of_rows(
            lambda X: self.family.importance_weighted(self.theta, X, rng, m)[0], X, rows=rows)

    def sample(self, n, rng):
        """x̂(z) + s(z) ε for n draws of z ~ N(0, I), (n, d)."""
        n, dtype = checks.draws(n, rng), self.theta.dtype
        Z = rng.standard_normal((n, self.family.k), dtype=dtype)

        def decoded(i, j):
            (X_hat, s), _ = self.family.decode(self.theta, Z[i:j])
            return X_hat + s * rng.standard_normal((j - i, self.family.d), dtype=dtype)

        return in_blocks(decoded, n, through_a_network(Z))

    def encode(self, X):
        """µ(x), the mean of q(z|x), for each row, (n, k)."""
        return self._of_rows(lambda X: self.family.encode(self.theta, X)[0][0], X)

    def decode(self, Z):
        """x̂(z), the mean of p(x|z), for each row, (n, d)."""
        return self._of_rows(lambda Z: self.family.decode(self.theta, Z)[0][0], Z, "Z",
                             self.family.k)
