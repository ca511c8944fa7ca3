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

from gdl_numpy.networks.trained import Trained, TrainedFamily, checked_network
from gdl_numpy.networks.training import Average, minibatches, starting_theta
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import sigmoid, softplus
from gdl_numpy.numerics.optimizer import Adam, Step, half_cosine


class AdversarialFamily(TrainedFamily):
    """g by `generator`, a Network R^k -> R^d, and the logit of D by `discriminator`, R^d -> R.

    θ = (θ_g, φ), the generator's parameters first.
    """

    def __init__(self, generator, discriminator):
        self.generator = checked_network(generator, "generator")
        self.k, self.d = generator.d_in, generator.d_out
        self.discriminator = checked_network(discriminator, "discriminator", self.d, (1,))
        self._set_networks(generator, discriminator)

    def __call__(self, theta):
        return Adversarial(self, theta)

    def noise(self, n, rng, dtype):
        """n draws of z, (n, k)."""
        n = checks.draws(n, rng)
        return rng.standard_normal((n, self.k), dtype=dtype)

    def generate(self, theta_g, Z):
        """x = g(z) (n, d) of each row of Z (n, k), and backward: dX -> dtheta_g, dZ."""
        return self.generator(theta_g, Z, "Z")

    def logit(self, phi, X):
        """The logit (n,) of D for each row of X (n, d), and backward: dlogit -> dphi, dX."""
        A, backward = self.discriminator(phi, X)
        return A[:, 0], lambda dlogit, **which: backward(dlogit[:, None], **which)

    def discriminator_loss(self, phi, X, made, rng, penalty=0.0, delta=0.01):
        """-V from rows X of the data and as many rows `made`, plus the penalty, and dphi.

        `penalty` is γ, and `delta` is δ, in the unit of x: small, where the logit is nearly linear.
        """
        checks.theta_shape(phi, self.discriminator.n_parameters)
        X, made = (checks.observations(rows, phi, finite=False, name=name, d=self.d)
                   for rows, name in ((X, "X"), (made, "made")))
        xp, n = array_module(phi), len(checks.not_empty(X))
        checks.same_shape(made, "made", X, "X")
        penalty = checks.number(penalty, "penalty", "[0, inf)")
        delta, rng = checks.number(delta, "delta", "(0, inf)"), checks.rng(rng)
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
        theta_g, phi = self.parts(theta)
        Z = checks.observations(Z, theta, finite=False, name="Z", d=self.k)
        X, backward_generate = self.generate(theta_g, checks.not_empty(Z, "Z"))
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
        penalty = checks.number(penalty, "penalty", "[0, inf)")
        delta = checks.number(delta, "delta", "(0, inf)")
        theta, average = starting_theta(self, theta, rng, X), Average(averaging)
        batches = minibatches((X,), rng, batch, max_steps, augment)
        g_step, d_step = (Adam(learning_rate, beta1=0.5, beta2=0.99) for _ in range(2))

        def play(theta):
            theta_g, phi = self.parts(theta)
            for t, (rows,) in batches:
                g_step.learning_rate = learning_rate * half_cosine(t, max_steps)
                d_step.learning_rate = 2 * g_step.learning_rate
                made, _ = self.generate(theta_g, self.noise(len(rows), rng, X.dtype))
                loss, dphi = self.discriminator_loss(phi, rows, made, rng, penalty, delta)
                phi = d_step(phi, dphi)
                Z = self.noise(len(rows), rng, X.dtype)
                _, dtheta_g = self.generator_loss(self.parts.join(theta_g, phi), Z)
                theta_g = g_step(theta_g, dtheta_g)
                yield Step(t, loss, self.parts.join(average(theta_g), phi))

        return play(theta)                                  # a wrong argument is refused before


class Adversarial(Trained):
    """The distribution of g(z), z ~ N(0, I), for one θ: a sampler, and no density."""

    def sample(self, n, rng):
        """g(z) for n draws of z, (n, d)."""
        family, (theta_g, _) = self.family, self.family.parts(self.theta)
        return in_blocks(lambda i, j: family.generate(
            theta_g, family.noise(j - i, rng, self.theta.dtype))[0], checks.draws(n, rng))
