"""Diffusion model: noise is added step by step, and the model takes it away again.

Explicit density, approximate: a bound. At the level t an observation x has become x_t, of signal α
and noise σ; the logarithm λ of the ratio of their squares falls from level 1 to level T:

    x_t = α_t x + σ_t ε,  ε ~ N(0, I)     λ_t = log α_t²/σ_t²     α² + σ² = 1
    linear   λ falls evenly (Kingma and others 2021)
    cosine   the angle a of cos a = α, sin a = σ grows evenly (Nichol and Dhariwal 2021)

One network for all levels predicts ε from x_t and λ (Ho, Jain and Abbeel 2020):

    φ = (x_t, g sin(x_t F), g cos(x_t F))     g = exp(-σ² |F|²/2): noise has washed out short waves
    ε̂ = σ x_t + α mlp(φ, τ)                   τ = sines and cosines of λ, the time embedding
    loss = mean |ε̂ - ε|²                      ∂ε̂ = 2 (ε̂ - ε)/n;  least where ε̂ = E[ε|x_t]

**The chain** starts at x_T ~ N(0, I) and goes down, from each level t to the level s = t - 1, the
last time to x itself, α_0 = 1 and σ_0 = 0:

    x̂ = (x_t - σ_t ε̂)/α_t                     what x seems to be
    r_t = 1 - exp(λ_t - λ_s),  r_1 = 1        the share of the noise that goes
    q(x_s|x_t, x) = N(α_s ((1 - r_t) x_t/α_t + r_t x), r_t σ_s² I)
    p(x_s|x_t)    = N(α_s ((1 - r_t) x_t/α_t + r_t x̂), r_t σ_t² I)

Its variance is the larger of the two that Ho and others consider, right for data from N(0, I), and
for all smooth densities where there is little noise. The density of x is an integral over all x_t.
The variational bound takes the x_t from q, which adds noise to x; its divergences between normal
densities are squared errors of ε̂, up to a constant, and their logarithms cancel:

    log p(x) >= E log p(x|x_1) - Σ_{t>1} E KL(q(x_s|x_t, x)‖p(x_s|x_t)) - KL(q(x_T|x)‖p(x_T))
    = -½ (E Σ_t w_t |ε̂ - ε|² + α_T² |x|² + d (log 2π + σ_T² - 1 + Σ_{t>1} (σ_s²/σ_t² - 1)))
    w_t = r_t α_s²/α_t²                       nearly the same for t > 1 if λ falls evenly, slowly

**The flow.** The same levels are passed without noise by x_s = α_s x̂ + σ_s ε̂ (Song, Meng and Ermon
2021), and for ever smaller steps this is an ordinary differential equation, the probability-flow
ODE (Song and others 2021). It carries N(0, I) at level T to a density of x_1, and that of x_1/α_1
is known point by point:

    dx/dλ = -½ σ (ε̂ - σ x)     log p(x) = d log α_1 + ∫ div(dx/dλ) dλ + log N(x_T; 0, I)
                               from λ_1 to λ_T, x_1 = α_1 x

Samples of the flow come down from x_T to x_1/α_1 and densities go up from x, on the same path and
by the same steps. What is left at level 1 is noise of the variance exp(-λ_1): to take it away by a
last jump to x̂ would leave the flow, and the density would be that of other points.

Erratum E36: what is learned by denoising is not the density but the mean of the noise, and this is
-σ_t times the gradient of a log density: E[ε|x_t] = -σ_t ∇ log q(x_t), q the density of data with
noise. For normal data it is known in closed form, and with it bound, flow and samplers are exact
but for the size of their steps (test_e36).
"""

import math

from gdl_numpy.networks.fourier import fourier_features, n_features
from gdl_numpy.networks.network import Network
from gdl_numpy.networks.trained import Trained, TrainedFamily
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import sigmoid
from gdl_numpy.probability.density import LOG_2_PI


def linear(u, highest, lowest):
    """λ at the time u in [0, 1]: it falls evenly from `highest` to `lowest`."""
    return highest + (lowest - highest) * u


def cosine(u, highest, lowest):
    """λ at the time u: the angle of tan a = σ/α = exp(-λ/2) grows evenly between the same ends."""
    first, last = math.atan(math.exp(-highest / 2)), math.atan(math.exp(-lowest / 2))
    return -2 * array_module(u).log(array_module(u).tan(first + (last - first) * u))


SCHEDULES = {"linear": linear, "cosine": cosine}


def signal_and_noise(log_snr):
    """α and σ at λ, arrays of its shape."""
    xp = array_module(log_snr)
    return xp.sqrt(sigmoid(log_snr)), xp.sqrt(sigmoid(-log_snr))


def _runge_kutta(slope, y, start, end, n_steps):
    """y at `end` of the curve dy/dt = slope(y, t) that begins with y at `start`, by equal steps.

    The classical method of Runge and Kutta: its error falls with the fourth power of the steps.

    >>> print(round(_runge_kutta(lambda y, t: y, 1.0, 0.0, 1.0, 10), 5))
    2.71828
    """
    h = (end - start) / n_steps
    for i in range(n_steps):
        k1 = slope(y, start + i * h)
        k2 = slope(y + h / 2 * k1, start + (i + 0.5) * h)
        k3 = slope(y + h / 2 * k2, start + (i + 0.5) * h)
        k4 = slope(y + h * k3, start + (i + 1) * h)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


class DiffusionFamily(TrainedFamily):
    """Noise predictors with layers of `hidden` units, and the chain of `n_levels` levels over R^d.

    X should vary by about 1 in each column. λ falls from log_snr[0] to log_snr[1] as `schedule`
    says, a key of SCHEDULES. Options: `waves` are wave vectors F (d, m), see fourier.py; `n_waves`
    is the number of sines of the time embedding.
    """

    def __init__(self, d, hidden, n_levels=256, waves=None, schedule="linear",
                 log_snr=(10.0, -8.0), n_waves=6, activation="tanh"):
        self.d = checks.whole_number(d, "d", least=1)
        self.hidden = checks.whole_numbers(hidden, "hidden", least=1)
        self.n_levels = checks.whole_number(n_levels, "n_levels", least=2)
        self.n_waves = checks.whole_number(n_waves, "n_waves", least=1)
        self.schedule = checks.choice(schedule, "schedule", SCHEDULES)
        self.log_snr = tuple(checks.number(end, "log_snr", "[-80, 80]")     # else α or σ underflows
                             for end in checks.falling(log_snr, "log_snr"))
        self.activation = activation
        self.waves = checks.waves(waves, self.d)
        self.network = Network((n_features(self.d, self.waves) + 2 * self.n_waves, *self.hidden,
                                self.d), activation)
        self._set_networks(self.network)

    def __call__(self, theta):
        return Diffusion(self, theta)

    def level(self, u):
        """λ at the times u in [0, 1], an array of the same shape."""
        return SCHEDULES[self.schedule](checks.real_array(u, "u", finite=False), *self.log_snr)

    def eps_hat(self, theta, X, log_snr):
        """ε̂ (n, d) for noisy rows X (n, d), and backward: deps_hat -> dtheta (n_θ,), dX (n, d).

        `log_snr` is λ, of shape (n,), or (1,) for all rows. `inputs=False` or `parameters=False`
        leaves dX or dtheta out and gives None for it.
        """
        xp, _ = array_module(theta), checks.theta_shape(theta, self.n_parameters)
        X = checks.observations(X, theta, finite=False, d=self.d)
        log_snr = checks.real_array(log_snr, "log_snr", like=theta, finite=False)
        if log_snr.shape not in ((len(X),), (1,)):
            raise ValueError(f"log_snr must have shape ({len(X)},), one level for each row of X, "
                             f"or (1,), got shape {log_snr.shape}")
        log_snr = log_snr[:, None]
        alpha, sigma = signal_and_noise(log_snr)
        phi, backward_phi = self._features(X, sigma)
        tau = xp.broadcast_to(self._embedding(log_snr), (len(X), 2 * self.n_waves))
        V, backward_network = self.network(theta, xp.concatenate([phi, tau], axis=1))

        def backward(deps_hat, inputs=True, parameters=True):
            dtheta, dH = backward_network(alpha * deps_hat, inputs, parameters)
            dX = sigma * deps_hat + backward_phi(dH[:, :phi.shape[1]]) if inputs else None
            return dtheta, dX

        return sigma * X + alpha * V, backward

    def _features(self, X, sigma):
        """φ (n, d + 2m), and backward: dphi -> dX."""
        if self.waves is None:
            return X, lambda dphi: dphi
        xp = array_module(X)
        F = xp.asarray(self.waves, dtype=X.dtype)
        phi, backward_waves = fourier_features(X, F)
        d, m = F.shape
        g = xp.exp(-0.5 * sigma**2 * (F**2).sum(axis=0))
        phi[:, d:d + m] *= g
        phi[:, d + m:] *= g

        def backward(dphi):
            return backward_waves(xp.concatenate(
                [dphi[:, :d], g * dphi[:, d:d + m], g * dphi[:, d + m:]], axis=1))

        return phi, backward

    def _embedding(self, log_snr):
        """τ: waves in λ; the slowest passes half a period over all levels, the next a whole one,
        and so on."""
        xp, (highest, lowest) = array_module(log_snr), self.log_snr
        angle = (log_snr - lowest) * (math.pi / (highest - lowest)) * 2.0**xp.arange(self.n_waves)
        angle = angle.astype(log_snr.dtype, copy=False)
        return xp.concatenate([xp.sin(angle), xp.cos(angle)], axis=1)

    def loss(self, theta, X, rng):
        """The mean of |ε - ε̂|² over the rows of X at random levels, and its gradient, (n_θ,).

        The times of the levels are spread evenly, i/n + u with one random u (Kingma and others).
        """
        checks.theta_shape(theta, self.n_parameters)
        X = checks.not_empty(checks.observations(X, theta, finite=False, d=self.d))
        xp, n, rng = array_module(theta), len(X), checks.rng(rng)
        log_snr = self.level((rng.random(1) + xp.arange(n) / n) % 1).astype(theta.dtype)
        alpha, sigma = signal_and_noise(log_snr[:, None])
        eps = rng.standard_normal(X.shape, dtype=theta.dtype)
        difference, backward = self.eps_hat(theta, alpha * X + sigma * eps, log_snr)
        difference -= eps                                           # ε̂ - ε
        dtheta, _ = backward(2 / n * difference, inputs=False)
        return (difference**2).sum() / n, dtheta


class Diffusion(Trained):
    """The chain of one θ: `elbo` bounds the density of what `sample` draws.

    `flow_log_prob` is the density of another distribution, that of the flow, from which
    `sample_deterministic` draws. It is close to the chain's if ε̂ is close to E[ε|x_t]. Of the
    family it asks d, n_parameters, n_levels, level and eps_hat alone.
    """

    def __init__(self, family, theta):
        super().__init__(family, theta)
        xp, T, dtype = array_module(self.theta), family.n_levels, self.theta.dtype
        levels = family.level(xp.arange(T) / (T - 1)).astype(dtype)             # λ_1, ..., λ_T
        self.log_snr = xp.concatenate([xp.full(1, math.inf, dtype=dtype), levels])
        self.alpha, self.sigma = signal_and_noise(self.log_snr)                 # α_0 = 1, σ_0 = 0
        r = -xp.expm1(self.log_snr[1:] - self.log_snr[:-1])
        self.r = xp.concatenate([0 * r[:1], r])                                 # no r_0
        self.w = self.r * (xp.roll(self.alpha, 1) / self.alpha)**2              # α_s is α_{t-1}

    def elbo(self, X, rng, n_terms=None):
        """ELBO(x) for each row of X, (n,), in nats, without bias: each term with one draw of ε.

        The first term, and then all others, or `n_terms` of them drawn evenly for each row. Where
        there is little noise, ε̂ - ε is near -ε; α² (|ε|² - d), whose mean is 0, is subtracted and
        takes this noise of the draws away.
        """
        xp, T = array_module(self.theta), self.family.n_levels
        X = checks.observations(X, self.theta, d=self.family.d)
        n_terms = T - 1 if n_terms is None else checks.whole_number(n_terms, "n_terms", least=1)
        checks.rng(rng)
        ratios = (self.sigma[1:-1]**2 / self.sigma[2:]**2 - 1).sum()
        constant = (self.alpha[-1] * X)**2 + LOG_2_PI + self.sigma[-1]**2 - 1 + ratios
        total = constant.sum(axis=1) + self._term(xp.ones(len(X), dtype=int), X, rng)
        u = rng.random(len(X))
        for j in range(n_terms):
            t = 2 + xp.minimum(((T - 1) / n_terms * (j + u)).astype(int), T - 2)
            total += (T - 1) / n_terms * self._term(t, X, rng)
        return -0.5 * total

    def _term(self, t, X, rng):
        """w_t |ε̂ - ε|² for each row of X at its level t (n,)."""
        return in_blocks(lambda i, j: self._term_of_block(t[i:j], X[i:j], rng), len(X))

    def _term_of_block(self, t, X, rng):
        alpha, sigma = self.alpha[t, None], self.sigma[t, None]
        eps = rng.standard_normal(X.shape, dtype=X.dtype)
        eps_hat, _ = self.family.eps_hat(self.theta, alpha * X + sigma * eps, self.log_snr[t])
        squares = (eps_hat - eps)**2 - alpha**2 * (eps**2 - 1)
        return self.w[t] * squares.sum(axis=1)

    def sample(self, n, rng):
        """n draws of the chain from x_T ~ N(0, I) down to x, (n, d)."""
        X = self._normal(checks.draws(n, rng), rng)
        for t in range(self.family.n_levels, 0, -1):
            X = in_blocks(lambda i, j, X=X, t=t: self._lower(X[i:j], t, rng), n)
        return X

    def _lower(self, X, t, rng):
        """A draw of p(x_s|x_t), s = t - 1, for each row of X at level t."""
        r, alpha, sigma = self.r[t], self.alpha[t], self.sigma[t]
        eps_hat, _ = self.family.eps_hat(self.theta, X, self.log_snr[t:t + 1])
        X_hat = (X - sigma * eps_hat) / alpha
        mean = self.alpha[t - 1] * ((1 - r) / alpha * X + r * X_hat)
        return mean + array_module(X).sqrt(r) * sigma * self._normal(len(X), rng)

    def sample_deterministic(self, n, rng, n_steps=64):
        """n draws of x_T ~ N(0, I), each taken down the flow to x_1/α_1 without further noise, by
        `n_steps` equal steps in λ, (n, d)."""
        n = checks.draws(n, rng)
        n_steps = checks.whole_number(n_steps, "n_steps", least=1)
        first, last = self.log_snr[1:2], self.log_snr[-1:]
        return in_blocks(lambda i, j: _runge_kutta(
            self._velocity, self._normal(j - i, rng), last, first, n_steps) / self.alpha[1], n)

    def flow_log_prob(self, X, n_steps=64):
        """log p(x) under the flow for each row of X, (n,), in nats.

        The divergence is exact, from one pullback for each of d coordinates; the flow is followed
        by `n_steps` equal steps in λ. For the model of the map 64 leave an error of at most some
        0.002 nats in a row, 40 of 0.02 and 20 of 0.1; smoother ones need fewer.
        """
        n_steps = checks.whole_number(n_steps, "n_steps", least=1)
        return self._of_rows(lambda X: self._flow_log_prob(X, n_steps), X)

    def _flow_log_prob(self, X, n_steps):
        xp, d, alpha = array_module(X), self.family.d, self.alpha[1]
        X_and_log_p = xp.concatenate([alpha * X, d * xp.log(alpha) + 0 * X[:, :1]], axis=1)
        X_and_log_p = _runge_kutta(self._velocity_and_divergence, X_and_log_p, self.log_snr[1:2],
                                  self.log_snr[-1:], n_steps)
        X, log_p = X_and_log_p[:, :d], X_and_log_p[:, d]
        return log_p - 0.5 * ((X**2).sum(axis=1) + d * LOG_2_PI)

    def _velocity(self, X, log_snr):
        """dx/dλ (n, d) at the level λ, of shape (1,)."""
        sigma = signal_and_noise(log_snr)[1]
        eps_hat, _ = self.family.eps_hat(self.theta, X, log_snr)
        return -0.5 * sigma * (eps_hat - sigma * X)

    def _velocity_and_divergence(self, X_and_log_p, log_snr):
        """dx/dλ and its divergence, (n, d + 1), at the level λ, of shape (1,)."""
        xp, d, X = array_module(X_and_log_p), self.family.d, X_and_log_p[:, :self.family.d]
        sigma = signal_and_noise(log_snr)[1]
        eps_hat, backward = self.family.eps_hat(self.theta, X, log_snr)
        divergence = -d * sigma
        for i, unit in enumerate(xp.eye(d, dtype=X.dtype)):
            _, dX = backward(xp.ones_like(X) * unit, parameters=False)
            divergence = divergence + dX[:, i]
        change = xp.concatenate([eps_hat - sigma * X, divergence[:, None]], axis=1)
        return -0.5 * sigma * change

    def _normal(self, n, rng):
        """n draws of N(0, I), (n, d)."""
        return rng.standard_normal((n, self.family.d), dtype=self.theta.dtype)
