"""Generative adversarial network: a generator that learns from being found out.

A generator g makes observations of noise, and a discriminator D says how probably an observation is
one of the data and not made (Goodfellow and others 2014). They play a game with the value V, which
the discriminator raises and the generator lowers:

    x = g(z),  z ~ N(0, I) of k dimensions           D(x) = sigmoid(logit(x))
    V = E_data[log D(x)] + E_z[log(1 - D(g(z)))]

For a fixed generator with the density q the best D is p_data/(p_data + q), as in any discriminative
model of two classes, and then V = -log 4 + 2 JS(p_data, q): what the generator lowers is a
divergence, 0 where q = p_data. Both terms are means over samples; nobody needs to know q, and
nobody gets to know it, if there is a density at all (see E38 in latent.py). So this family is
implicit: it can sample, and nothing else.

Both sides minimise. With log D = -softplus(-logit) and log(1 - D) = -softplus(logit),

    discriminator   1/n Σ softplus(-logit(x_i)) + 1/n Σ softplus(logit(g(z_i)))   (estimates of -V)
                    + γ/2n Σ (logit(x + δ ε) - logit(x))²/δ²     for x = x_i and g(z_i), ε ~ N(0, I)
    generator       1/n Σ softplus(-logit(g(z_i)))
                    ∂logit = -sigmoid(-logit)/n, ∂x by the discriminator, ∂θ by the generator

The generator's loss is not V: it pushes each logit the same way, but does not fade where D sees
through every g(z). Played with steps of a gradient the game may circle for ever, or the generator
give up most of the data. Against this works the term in γ, the penalty: it holds the slope of the
logit down, its mean being about γ/2 times that of |∂logit/∂x|², at the data and at what is made
(Roth and others 2017; Mescheder and others 2018, both by second derivatives). Besides, Adam forgets
soon, β1 = 0.5 and β2 = 0.99, the discriminator learns at twice the generator's rate, and the
generator is averaged over its last steps. No loss here tells how good the samples are.
"""

import math

from gdl_numpy.networks.fourier import n_features
from gdl_numpy.networks.network import (
    checked_activation,
    checked_wave_vectors,
    fourier_network,
    initial_theta,
    n_parameters,
)
from gdl_numpy.networks.training import Average
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.elementary import sigmoid, softplus
from gdl_numpy.numerics.optimizer import Adam, Step, half_cosine


class AdversarialFamily:
    """g from R^k to R^d with the layers `generator`, and logit from R^d with those `discriminator`.

    θ = (θ_g, φ), the generator's parameters first. `frequencies` (d, m) give the discriminator, and
    `latent_frequencies` (k, m) the generator, Fourier features of their inputs.
    """

    def __init__(self, d, k, generator=(128, 128), discriminator=(128, 128), frequencies=None,
                 latent_frequencies=None, activation="relu"):
        self.d, self.k = checks.whole_number(d, "d", least=1), checks.whole_number(k, "k", least=1)
        self.activation = checked_activation(activation)
        self.frequencies = checked_wave_vectors(frequencies, self.d)
        self.latent_frequencies = checked_wave_vectors(latent_frequencies, self.k,
                                                       "latent_frequencies")
        self.generator = (n_features(self.k, self.latent_frequencies),
                          *checks.whole_numbers(generator, "generator", least=1), self.d)
        self.discriminator = (n_features(self.d, self.frequencies),
                              *checks.whole_numbers(discriminator, "discriminator", least=1), 1)
        self.split = n_parameters(self.generator)
        self.n_parameters = self.split + n_parameters(self.discriminator)

    def __call__(self, theta):
        return Adversarial(self, checks.theta(theta, self.n_parameters).copy())

    def initial_theta(self, rng, dtype=float):
        """A random start of both networks, shape (p,), where rng lives."""
        parts = [initial_theta(sizes, rng, self.activation, dtype)
                 for sizes in (self.generator, self.discriminator)]
        return array_module(parts[0]).concatenate(parts)

    def cut(self, theta):
        """θ_g and φ, views of theta."""
        checks.theta_shape(theta, self.n_parameters)
        return theta[:self.split], theta[self.split:]

    def noise(self, n, rng, dtype):
        """n draws of z, (n, k)."""
        return rng.standard_normal((n, self.k), dtype=dtype)

    def generate(self, theta_g, Z):
        """x = g(z) (n, d) of each row of Z (n, k), and backward: dX -> dtheta_g, dZ."""
        Z = checks.observations(Z, theta_g, finite=False, name="Z", d=self.k)
        return fourier_network(theta_g, Z, self.latent_frequencies, self.generator,
                               self.activation)

    def logit(self, phi, X):
        """The logit (n,) of D for each row of X (n, d), and backward: dlogit -> dphi, dX."""
        X = checks.observations(X, phi, finite=False, d=self.d)
        A, backward = fourier_network(phi, X, self.frequencies, self.discriminator,
                                      self.activation)
        return A[:, 0], lambda dlogit, inputs=True, parameters=True: backward(
            dlogit[:, None], inputs, parameters)

    def discriminator_loss(self, phi, X, made, rng, penalty=0.0, delta=0.01):
        """-V from rows X of the data and as many rows `made`, plus the penalty, and dphi.

        `penalty` is γ, and `delta` is δ, in the unit of x: small, where the logit is nearly linear.
        """
        xp, n = array_module(phi), len(X)
        if n == 0 or made.shape != X.shape:
            raise ValueError("X and made must have the same shape (n, d) with n > 0, got "
                             f"{X.shape} and {made.shape}")
        rows = xp.concatenate([X, made])
        moved = rows + delta * rng.standard_normal(rows.shape, dtype=phi.dtype)
        logit, backward = self.logit(phi, xp.concatenate([rows, moved]))
        data, fake = logit[:n], logit[n:2 * n]
        slope = (logit[2 * n:] - logit[:2 * n]) / delta
        loss = (softplus(-data) + softplus(fake)).sum() + 0.5 * penalty * (slope**2).sum()

        dlogit = xp.concatenate([-sigmoid(-data), sigmoid(fake), penalty / delta * slope])
        dlogit[:2 * n] -= dlogit[2 * n:]
        dlogit /= n
        return loss / n, backward(dlogit, inputs=False)[0]

    def generator_loss(self, theta, Z):
        """1/n Σ softplus(-logit(g(z))), and its gradient in θ_g, the discriminator held fixed."""
        theta_g, phi = self.cut(theta)
        if len(Z) == 0:
            raise ValueError("Z is empty: there is no mean over no rows")
        X, backward_generate = self.generate(theta_g, Z)
        logit, backward_logit = self.logit(phi, X)
        _, dX = backward_logit(-sigmoid(-logit) / len(Z), parameters=False)
        return softplus(-logit).mean(), backward_generate(dX, inputs=False)[0]

    def train(self, X, rng, max_steps=10_000, batch=512, learning_rate=2e-3, averaging=0.999,
              augment=None, theta=None, penalty=0.003, delta=0.01):
        """Play the game by steps on random rows, a step of each side in turn; yields a Step each.

        Its theta is usable: the averaged generator and the discriminator as it is. Its loss is the
        discriminator's: log 4 where D cannot tell, plus the penalty, and no measure of quality.
        `learning_rate` is the generator's and falls as half a cosine wave; `augment(rows, rng)`
        changes rows of the data; `averaging` is that of `training.train`, `penalty` γ, `delta` δ.
        """
        X = checks.data_set(X, self.d)
        batch = min(checks.whole_number(batch, "batch", least=1), len(X))
        max_steps = checks.whole_number(max_steps, "max_steps", least=1)
        average = Average(averaging)
        if not (0 <= penalty < math.inf and 0 < delta < math.inf):
            raise ValueError("penalty must be finite and not negative, delta finite and positive, "
                             f"got {penalty} and {delta}")
        theta = (self.initial_theta(rng, X.dtype) if theta is None
                 else checks.real_array(theta, "theta", like=X).copy())
        checks.theta_shape(theta, self.n_parameters)
        g_step, d_step = (Adam(learning_rate, beta1=0.5, beta2=0.99) for _ in range(2))

        def play(theta):
            xp, (theta_g, phi) = array_module(theta), self.cut(theta)
            for t in range(max_steps):
                g_step.learning_rate = learning_rate * half_cosine(t, max_steps)
                d_step.learning_rate = 2 * g_step.learning_rate
                rows = X[rng.integers(0, len(X), size=batch)]
                rows = rows if augment is None else augment(rows, rng)
                made, _ = self.generate(theta_g, self.noise(batch, rng, X.dtype))
                loss, dphi = self.discriminator_loss(phi, rows, made, rng, penalty, delta)
                phi = d_step(phi, dphi)
                Z = self.noise(batch, rng, X.dtype)
                _, dtheta_g = self.generator_loss(xp.concatenate([theta_g, phi]), Z)
                theta_g = g_step(theta_g, dtheta_g)
                yield Step(t, loss, xp.concatenate([average(theta_g), phi]))

        return play(theta)                                  # a wrong argument is refused before


class Adversarial:
    """The distribution of g(z), z ~ N(0, I), for one θ: a sampler, and no density."""

    def __init__(self, family, theta):
        self.family, self.theta = family, theta

    def sample(self, n, rng):
        """g(z) for n draws of z, (n, d)."""
        theta_g, _ = self.family.cut(self.theta)
        Z = self.family.noise(checks.whole_number(n, "n"), rng, self.theta.dtype)
        return self.family.generate(theta_g, Z)[0]
