"""Variational autoencoder: a latent z behind every x, and a guess of which z it was.

Explicit density, approximate: a bound. A decoder network turns z ~ N(0, I) in R^k into a normal
density of x, and p(x) is an integral over all z, which has no formula once the decoder bends:

    p(x, z) = N(z; 0, I) N(x; x̂(z), s(z)²)        p(x) = ∫ p(x, z) dz = E_q p(x, z)/q(z|x)

An encoder network guesses which z are worth looking at, q(z|x) = N(µ(x), σ(x)²), and the mean of m
draws from it stands for the integral (Burda and others 2016). By Jensen's inequality the logarithm
of that mean is too small on average, but less so the larger m: a lower bound on log p(x). With m =
1 it is the evidence lower bound of Kingma and Welling (2014) and Rezende and others (2014), whose
gap is KL(q(z|x)‖p(z|x)), the error of the guess. With Σ_i over draws and Σ over coordinates,

    z_i = µ + σ ε_i,  ε_i ~ N(0, I)                 u_i = (x - x̂(z_i))/s(z_i)
    log w_i = log p(x, z_i) - log q(z_i|x)
            = ½ (|ε_i|² - |z_i|²) + Σ log σ - Σ (½ u_i² + log s_i) - d/2 log 2π
    log p(x) >= E log (1/m Σ_i w_i)

Once ε is drawn, z is a differentiable function of µ and σ (the reparametrisation). With g_i =
w_i/Σ_j w_j times ∂loss/∂bound, and ∂ẑ_i what the decoder pulls back from ∂x̂_i and ∂s_i to z_i,

    ∂x̂_i = g_i u_i/s_i       ∂s_i = g_i (u_i² - 1)/s_i       ∂z_i = ∂ẑ_i - g_i z_i
    ∂µ = Σ_i ∂z_i            ∂log σ = Σ_i (∂z_i σ ε_i + g_i)

s = floor + exp(ρ), ∂ρ = exp(ρ) ∂s, with ρ either d numbers or d more outputs of the decoder. The
floor keeps the likelihood bounded: s could shrink to 0 where x̂(z) is a point of the data.

Erratum E34: it is not the joint density that is approximated; p(x, z) is known exactly. What is
maximised is a lower bound on the logarithm of the marginal p(x). For a linear decoder and one s for
all coordinates p(x) is that of probabilistic PCA: with the exact posterior as q each single draw
gives log p(x), and with any other q the gap is its divergence from the posterior (test_e34).
"""

import math

from gdl_numpy.networks.network import Parts
from gdl_numpy.networks.trained import Trained, TrainedFamily, checked_network
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import logsumexp
from gdl_numpy.probability.density import LOG_2_PI
from gdl_numpy.probability.likelihood import negative_mean


class VariationalAutoencoderFamily(TrainedFamily):
    """q(z|x) by `encoder`, a Network R^d -> R^2k; p(x|z) by `decoder`, R^k -> R^d or -> R^2d.

    With d outputs of the decoder ρ are d numbers, the same for all z; with 2d outputs the last d of
    them are ρ, for each z its own. θ = (decoder, ρ, encoder), and in the second case θ holds no ρ.
    `floor` is the least s. X should vary by about 1 in each column.
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
        self.constant_noise = decoder.d_out == self.d       # ρ is d numbers, and no output
        self.parts = Parts(decoder.n_parameters, self.d if self.constant_noise else 0,
                           encoder.n_parameters)
        self.n_parameters = self.parts.n_parameters

    def __call__(self, theta):
        return VariationalAutoencoder(self, theta)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives; exp(ρ) is about 1/10.

        With noise as wide as the data a decoder learns to do without z, and does not come back
        (posterior collapse).
        """
        decoder, encoder = (network.initial_theta(rng, dtype)
                            for network in (self.decoder, self.encoder))
        rho = array_module(decoder).zeros(self.d, dtype=dtype) - math.log(10)
        if not self.constant_noise:
            decoder[-self.d:] = rho                                 # the bias of these outputs
            rho = rho[:0]
        return self.parts.join(decoder, rho, encoder)

    def encode(self, theta, X):
        """(µ, log σ) of q(z|x), each (n, k), and backward: dmu, dlog_sigma -> dphi."""
        xp, k, (_, _, phi) = array_module(theta), self.k, self.parts(theta)
        H, backward_network = self.encoder(phi, X)

        def backward(dmu, dlog_sigma):
            return backward_network(xp.concatenate([dmu, dlog_sigma], axis=1), inputs=False)[0]

        return (H[:, :k], H[:, k:]), backward

    def decode(self, theta, Z):
        """(x̂, s) of p(x|z), (n, d) and (n, d) or (d,), and backward: dX_hat, ds (n, d) -> dtheta
        of the decoder and ρ, dZ."""
        xp, d, (decoder, rho, _) = array_module(theta), self.d, self.parts(theta)
        H, backward_network = self.decoder(decoder, Z, "Z")
        exp_rho = xp.exp(rho if self.constant_noise else H[:, d:])

        def backward(dX_hat, ds):
            drho = ds * exp_rho
            if not self.constant_noise:
                return backward_network(xp.concatenate([dX_hat, drho], axis=1))
            dtheta, dZ = backward_network(dX_hat)
            return xp.concatenate([dtheta, drho.sum(axis=0, dtype=float).astype(dtheta.dtype)]), dZ

        return (H[:, :d], self.floor + exp_rho), backward

    def elbo(self, theta, X, rng):
        """An unbiased draw of ELBO(x) <= log p_θ(x) for each row, with one z, (n,), in nats; and
        backward: delbo -> dtheta."""
        return self.importance_weighted(theta, X, rng, 1)

    def importance_weighted(self, theta, X, rng, n_samples):
        """log (1/m Σ_i w_i) for each row of X, m = n_samples, (n,); backward: dbound -> dtheta."""
        xp, d, k = array_module(theta), self.d, self.k
        m, rng = checks.whole_number(n_samples, "n_samples", least=1), checks.rng(rng)
        checks.theta_shape(theta, self.n_parameters)
        X = checks.observations(X, theta, finite=False, d=d)
        n = len(X)
        (mu, log_sigma), backward_encoder = self.encode(theta, X)
        sigma = xp.exp(log_sigma)
        eps = rng.standard_normal((m, n, k), dtype=theta.dtype)
        Z = mu + sigma * eps                                        # z_i ~ q(z|x), (m, n, k)
        (X_hat, s), backward_decoder = self.decode(theta, Z.reshape(m * n, k))
        X_hat, s = X_hat.reshape(m, n, d), s if s.ndim == 1 else s.reshape(m, n, d)
        U = (X - X_hat) / s
        log_w = (0.5 * (eps**2 - Z**2).sum(axis=2) + log_sigma.sum(axis=1)
                 - 0.5 * (U**2).sum(axis=2) - xp.log(s).sum(axis=-1) - 0.5 * d * LOG_2_PI)
        log_sum = logsumexp(log_w, axis=0)

        def backward(dbound):
            g = (dbound * xp.exp(log_w - log_sum))[:, :, None]
            dX_hat, ds = g * U / s, g * (U**2 - 1) / s
            dtheta, dZ = backward_decoder(dX_hat.reshape(m * n, d), ds.reshape(m * n, d))
            dZ = dZ.reshape(m, n, k) - g * Z
            dlog_sigma = (dZ * sigma * eps + g).sum(axis=0)
            return xp.concatenate([dtheta, backward_encoder(dZ.sum(axis=0), dlog_sigma)])

        return log_sum - math.log(m), backward

    def loss(self, theta, X, rng, n_samples=1):
        """The mean of the negative bound over the rows of X, and its gradient, (n_θ,)."""
        return negative_mean(*self.importance_weighted(theta, X, rng, n_samples))

    def train(self, X, rng, max_steps=None, batch=None, learning_rate=None, averaging=0.999,
              augment=None, theta=None, n_samples=1):
        """Maximise the bound of `n_samples` draws by steps on random rows; yields a Step each; the
        other options are those of every TrainedFamily."""
        n_samples = checks.whole_number(n_samples, "n_samples", least=1)
        return self._train(lambda theta, rows: self.loss(theta, rows, rng, n_samples), X, rng,
                           theta, max_steps=max_steps, batch=batch, learning_rate=learning_rate,
                           averaging=averaging, augment=augment)


class VariationalAutoencoder(Trained):
    """The density of one θ, known by bounds, with an encoder and a decoder."""

    def elbo(self, X, rng):
        """ELBO(x) for each row of X, (n,), in nats, without bias: from one draw of z."""
        return self.importance_weighted(X, rng, 1)

    def importance_weighted(self, X, rng, n_samples, z_at_once=2**15):
        """log (1/m Σ_i w_i) for each row of X, m = n_samples, (n,), in nats.

        `z_at_once` is about how many z are decoded at a time.
        """
        m = checks.whole_number(n_samples, "n_samples", least=1)
        rows = max(1, checks.whole_number(z_at_once, "z_at_once", least=1) // m)
        checks.rng(rng)
        return self._of_rows(
            lambda X: self.family.importance_weighted(self.theta, X, rng, m)[0], X, rows=rows)

    def sample(self, n, rng):
        """x̂(z) + s(z) ε for n draws of z ~ N(0, I), (n, d)."""
        n, dtype = checks.draws(n, rng), self.theta.dtype
        Z = rng.standard_normal((n, self.family.k), dtype=dtype)

        def decoded(i, j):
            (X_hat, s), _ = self.family.decode(self.theta, Z[i:j])
            return X_hat + s * rng.standard_normal((j - i, self.family.d), dtype=dtype)

        return in_blocks(decoded, n)

    def encode(self, X):
        """µ(x), the mean of q(z|x), for each row, (n, k)."""
        return self._of_rows(lambda X: self.family.encode(self.theta, X)[0][0], X)

    def decode(self, Z):
        """x̂(z), the mean of p(x|z), for each row, (n, d)."""
        return self._of_rows(lambda Z: self.family.decode(self.theta, Z)[0][0], Z, "Z",
                             self.family.k)
