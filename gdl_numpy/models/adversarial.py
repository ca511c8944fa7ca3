"""Generative adversarial network: a generator that learns from being found out.

Can new points of the map be made without any formula for p(x)? Draw z from N(0, I), let a network
g, the generator, move it, and call x = g(z) a new point. That is a sampler; what is missing is a
loss that says how to change g. So let a second network, the discriminator, learn to tell the data
from the generator's fakes: it outputs D(x), the probability that x is one of the data. At a fake x,
the gradient of D says in which direction x would look more like the data, and g learns to go there
(Goodfellow et al. 2014):

    z ~ N(0, I) of k dimensions                                                                  (1)
    x = g(z)                                                                                     (2)
    D(x) = sigmoid(logit(x))                                                                     (3)
    V = mean over the data of log D(x) + mean over z of log(1 - D(g(z)))

The discriminator raises V, the value of the game, and the generator lowers it. At an x where the
data have the density p_data and the fakes the density q, D adds p_data log D + q log(1 - D) to V.
The derivative p_data/D - q/(1 - D) falls as D grows, through 0 at D = p_data/(p_data + q). For this
best D, with m = (p_data + q)/2,

    V = mean over p_data of log(p_data/(2m)) + mean over q of log(q/(2m))
      = -log 4 + KL(p_data‖m) + KL(q‖m) = -log 4 + 2 JS(p_data, q)

as each 1/2 gives -log 2, and JS is the mean of the two KL (probability/divergence.py). So the
generator lowers a divergence, which is 0 for q = p_data alone. As V is made of means over samples,
q need not be known. But then it stays unknown: this family is implicit, it can only sample.

In code both sides minimize a loss, over n rows x_i of the data and n draws z_i. By (3) log D is
-softplus(-logit), and log(1 - D) is -softplus(logit):

    loss_g = 1/n Σ softplus(-logit(g(z_i)))     mean of -log D: fakes should pass for data       (4)
    ∂logit = -sigmoid(-logit)/n                 to ∂x through D, then to ∂θ_g through g          (5)
    loss_D = 1/n Σ softplus(-logit(x_i)) + 1/n Σ softplus(logit(g(z_i)))     an estimate of -V   (6)
    ∂logit = -sigmoid(-logit)/n at data,  sigmoid(logit)/n at fakes                              (7)

loss_g is not the part of V that depends on g, but falls with it (why: see `generator_loss`). As an
option, loss_D has a penalty on steep logits, at which g would overshoot.

**What the discriminator knows.** For the best D, exp(logit(x)) = D/(1 - D) is p_data(x)/q(x): how
much too rare x is among the fakes. So a fake can be kept or thrown away accordingly:

    keep x = g(z) with the probability min(1, exp(logit(x))/M)                                   (8)

What is kept has a density in proportion to q min(1, p_data/(q M)), that is to min(M q, p_data): to
p_data wherever p_data/q is at most M. It is an option, rejection sampling (for such models Azadi et
al. 2019). D must be good for it: in the last steps of a training it may learn alone, from a
generator that rests, and without a penalty. What g never makes is not made in this way either.

See `AdversarialFamily` (one row by hand), figure_1_10_taxonomy (its samples of the map) and
tests/models/test_adversarial.py (that the best D gives V its value, and that both sides learn).
"""

import itertools
import math

from gdl_numpy.networks.trained import Trained, TrainedFamily, checked_network
from gdl_numpy.networks.training import Average, minibatches, starting_theta
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks, through_a_network
from gdl_numpy.numerics.elementary import sigmoid, softplus
from gdl_numpy.numerics.optimizer import Adam, Step, half_cosine


class AdversarialFamily(TrainedFamily):
    """g is `generator`, a Network R^k -> R^d, and the logit of D is `discriminator`, R^d -> R.

    θ = (θ_g, φ): first what makes x, then what judges it. With `rejection`, a number in (0, 1),
    samples are those that D lets pass. log M is that quantile of the logits of the first 8,192
    fakes of a call. So it differs from call to call, most where `rejection` is near 1: beyond the
    quantile 0.999 lie only eight of these fakes. The larger M is, the nearer samples are to p_data,
    if D is right, and the more fakes are made for nothing; 1 - rejection of them or more pass.

    One row by hand: g(z) = z and logit(x) = x, at x_1 = log 3 and z_1 = -log 3. D is 3/4 at x_1,
    1/4 at the fake, loss_D = -2 log(3/4), loss_g = log 4. The gradient for the bias of g is -3/4,
    and for its weight z_1 times that:

    >>> import numpy
    >>> from gdl_numpy.networks.network import Network
    >>> family = AdversarialFamily(Network((1, 1)), Network((1, 1)))
    >>> theta, x = numpy.array([1.0, 0, 1, 0]), numpy.log([[3.0]])          # W and b of g, of logit
    >>> loss_D, dphi = family.discriminator_loss(theta[2:], x, -x, numpy.random.default_rng(0))
    >>> loss_g, dtheta_g = family.generator_loss(theta, -x)
    >>> print(loss_D.round(4), loss_g.round(4), dtheta_g.round(4))
    0.5754 1.3863 [ 0.824 -0.75 ]
    """

    def __init__(self, generator, discriminator, rejection=None):
        self.generator = checked_network(generator, "generator")
        self.k, self.d = generator.d_in, generator.d_out
        self.discriminator = checked_network(discriminator, "discriminator", self.d, (1,))
        self.rejection = checks.number(rejection, "rejection", "(0, 1)", optional=True)
        self._set_networks(generator, discriminator)

    def __call__(self, theta):
        return Adversarial(self, theta)

    def noise(self, n, rng, dtype):
        """n draws of z, (n, k)."""
        shape = checks.draws(n, rng), self.k
        return rng.standard_normal(shape, dtype=checks.float_dtype(dtype))      # (1)

    def generate(self, theta_g, Z):
        """x = g(z) (n, d) of each row of Z (n, k), and backward: dX -> dtheta_g, dZ."""
        return self.generator(theta_g, Z, "Z")                      # (2)

    def logit(self, phi, X):
        """The logit (n,) of D for each row of X (n, d), and backward: dlogit -> dphi, dX."""
        A, backward = self.discriminator(phi, X)                    # (3)
        return A[:, 0], lambda dlogit, **which: backward(dlogit[:, None], **which)

    def generator_loss(self, theta, Z):
        """loss_g from rows Z of noise, and its gradient in θ_g; the discriminator is held fixed.

        The part of V that depends on g is -1/n Σ softplus(logit(g(z_i))). It and loss_g both fall
        as the logits rise. But where D finds every fake out, at logits far below 0, the derivative
        of that part in the logit fades to 0, while that of softplus(-logit) goes to -1: with loss_g
        a generator learns the most where it is found out.
        """
        theta_g, phi = self.parts(theta)
        Z = checks.not_empty(self._input(theta, Z, "Z", self.k), "Z")
        X, backward_generate = self.generate(theta_g, Z)
        logit, backward_logit = self.logit(phi, X)
        loss = softplus(-logit).mean()                              # (4)
        _, dX = backward_logit(-sigmoid(-logit) / len(Z), parameters=False)             # (5)
        return loss, backward_generate(dX, inputs=False)[0]         # (5)

    def discriminator_loss(self, phi, X, fake, rng, penalty=0.0, delta=0.01):
        """loss_D from rows X of the data and as many fakes `fake`, and its gradient in φ.

        With γ = `penalty` > 0, loss_D grows with the slope of the logit at all 2n rows:

            slope  = (logit(x + δ ε) - logit(x))/δ      ε ~ N(0, I)
            loss_D ← loss_D + γ/(2n) Σ slope²           ∂slope = γ slope/n
            ∂logit = ∂slope/δ at x + δ ε, and at x another -∂slope/δ

        `delta` is δ, in the unit of x: so small that the logit is nearly linear between x and x +
        δ ε. Then slope is nearly ε · ∂logit/∂x, and the mean of its square over ε is |∂logit/∂x|²,
        as the mean of ε_i ε_j is 1 for i = j and 0 otherwise.
        """
        checks.theta_shape(phi, self.discriminator.n_parameters)
        X = checks.not_empty(checks.observations(X, phi, finite=False, d=self.d))
        fake = checks.observations(fake, phi, finite=False, name="fake", d=self.d)
        fake, xp, n = checks.same_shape(fake, "fake", X, "X"), array_module(phi), len(X)
        penalty = checks.number(penalty, "penalty", "[0, 1e30]")
        delta, rng = checks.number(delta, "delta", "[1e-30, 1e30]"), checks.rng(rng)
        rows = xp.concatenate([X, fake])
        if penalty > 0:
            moved = rows + delta * rng.standard_normal(rows.shape, dtype=phi.dtype)
            rows = xp.concatenate([rows, moved])
        logit, backward = self.logit(phi, rows)
        data, fake = logit[:n], logit[n:2 * n]
        loss = (softplus(-data) + softplus(fake)).sum()             # n times (6)
        dlogit = xp.concatenate([-sigmoid(-data), sigmoid(fake)])   # n times (7)
        if penalty == 0:
            return loss / n, backward(dlogit / n, inputs=False)[0]

        slope = (logit[2 * n:] - logit[:2 * n]) / delta             # the penalty
        loss = loss + 0.5 * penalty * (slope**2).sum()
        at_moved = penalty / delta * slope                          # n ∂slope/δ
        dlogit = xp.concatenate([dlogit - at_moved, at_moved]) / n
        return loss / n, backward(dlogit, inputs=False)[0]

    def train(self, X, rng, max_steps=10_000, batch=512, learning_rate=2e-3, averaging=0.999,
              augment=None, theta=None, penalty=0.003, delta=0.01, alone=0.0):
        """Play the game by steps on random rows, a step of each side in turn; yields a Step each.

        Each side's best step depends on the other, so the game may cycle without end, or the
        generator may drop most of the data (mode collapse). Against both:

            penalty     γ/2 |∂logit/∂x|² on average, at data and at fakes: it keeps D from being so
                        steep that g overshoots (Roth et al. 2017 and Mescheder et al. 2018, with
                        second derivatives, which a step of the length `delta` replaces here)
            memory      Adam with β1 = 0.5 and β2 = 0.99 soon forgets the gradients of an earlier D
            rates       `learning_rate` is the generator's and falls as half a cosine wave; the
                        discriminator, which has to keep up, learns at twice this rate
            averaging   a step's theta has the mean of the last generators, as in `training.train`

        A step's theta is usable: the averaged generator, and the discriminator as it is. Its loss
        is the discriminator's: log 4 where D cannot tell, plus the penalty. It does not say how
        good the samples are. `augment(rows, rng)` changes rows of the data.

        In the last steps, a share `alone` of all, rounded, the averaged generator rests, and only D
        learns, without a penalty and from `learning_rate` down again; it is then averaged, too. (8)
        needs this: else D was penalized, and judged a generator that is not the one given.
        """
        penalty = checks.number(penalty, "penalty", "[0, 1e30]")
        delta = checks.number(delta, "delta", "[1e-30, 1e30]")
        alone = checks.number(alone, "alone", "[0, 1)")
        X, average = self._data(X), Average(averaging)
        batches = minibatches((X,), rng, batch, max_steps, augment)
        game = max(1, max_steps - round(max_steps * alone))
        g_step = Adam(learning_rate, beta1=0.5, beta2=0.99)
        d_step = Adam(2 * g_step.learning_rate, beta1=0.5, beta2=0.99)
        theta = starting_theta(self, theta, rng, X)         # drawn when the rest is right

        def play(theta):
            theta_g, phi = self.parts(theta)
            for t, (rows,) in itertools.islice(batches, game):
                g_step.learning_rate = learning_rate * half_cosine(t, game)
                d_step.learning_rate = 2 * g_step.learning_rate
                fake, _ = self.generate(theta_g, self.noise(len(rows), rng, X.dtype))
                loss, dphi = self.discriminator_loss(phi, rows, fake, rng, penalty, delta)
                phi = d_step(phi, dphi)
                Z = self.noise(len(rows), rng, X.dtype)
                _, dtheta_g = self.generator_loss(self.parts.join(theta_g, phi), Z)
                theta_g = g_step(theta_g, dtheta_g)
                mean_g = average(theta_g)
                yield Step(t, loss, self.parts.join(mean_g, phi))
            step, average_of_phi = Adam(learning_rate), Average(averaging)
            for t, (rows,) in batches:                      # the generator rests
                step.learning_rate = learning_rate * half_cosine(t - game, max_steps - game)
                fake, _ = self.generate(mean_g, self.noise(len(rows), rng, X.dtype))
                loss, dphi = self.discriminator_loss(phi, rows, fake, rng)
                phi = step(phi, dphi)
                yield Step(t, loss, self.parts.join(mean_g, average_of_phi(phi)))

        return play(theta)                                  # wrong arguments are refused at once


class Adversarial(Trained):
    """The distribution of g(z), z ~ N(0, I), for one θ: it can be sampled, and nothing else. So can
    the part of it that D lets pass.

    If k < d, it has no density at all (E38 in latent.py). If k = d, as on the map, g may fold the
    space, so that p(x) is a sum over all z that g takes to x, and no formula finds them.
    """

    def sample(self, n, rng):
        """g(z) for n draws of z, (n, d), or, with `rejection`, n of those that D lets pass."""
        if self.family.rejection is None:
            return self._draws(lambda n: self._fakes(n, rng), n, rng)
        n, log_m, kept, xp = checks.draws(n, rng), None, [], array_module(self.theta)
        _, phi = self.family.parts(self.theta)
        if n == 0:
            return self._fakes(0, rng)
        while sum(map(len, kept)) < n:
            X = self._draws(lambda n: self._fakes(n, rng), 2**13, rng)
            logit = in_blocks(lambda i, j, X=X: self.family.logit(phi, X[i:j])[0], len(X),
                              through_a_network(X))
            log_m = self._log_m(logit) if log_m is None else log_m
            log_u = xp.log1p(-rng.random(len(X), dtype=X.dtype))            # of 1 - u > 0
            kept.append(X[log_u <= logit - log_m])                          # (8)
        return xp.concatenate(kept)[:n]

    def _log_m(self, logit):
        log_m = array_module(logit).quantile(logit, self.family.rejection)
        if not math.isfinite(log_m):
            raise ValueError(f"theta gives fakes whose logits have the quantile {float(log_m)}: of "
                             "these none could be kept")
        return log_m

    def _fakes(self, n, rng):
        """g(z) for n draws of z, all at once, (n, d)."""
        family, (theta_g, _) = self.family, self.family.parts(self.theta)
        return family.generate(theta_g, family.noise(n, rng, self.theta.dtype))[0]
