"""Energy-based model: any function E that is low where data are, made a density by one number Z.

    p_θ(x) = exp(-E_θ(x)) / Z_θ    in the box [low, high] of R^d, 0 outside
    Z_θ    = ∫ exp(-E_θ(x)) dx     over the box

E is a network of φ(x), x itself or its Fourier features, and may be bounded to ±b nats, which keeps
p between exp(-2b) and exp(2b) times the uniform density: nowhere is it 0, and where p_data knows
only two levels, land and sea, tanh is flat at both.

    A = mlp(φ(x))      E = A    or    E = b tanh(A/b),  ∂A = ∂E (1 - (E/b)²)

Maximum likelihood lowers E at the data and raises it where the model is,

    loss  = 1/n Σ_i E(x_i) + log Z       ∂loss/∂θ = E_data[∂E/∂θ] - E_model[∂E/∂θ]

and only Z is hard. In few dimensions points u_j that fill the box evenly measure it: the centres of
a grid, all but exact, or as many uniform draws, new ones in each step (importance sampling; the
mean of log Ẑ is below log Z, by about half the variance of log Ẑ):

    log Ẑ = log volume + log (1/m Σ_j exp(-E(u_j)))        ∂log Ẑ/∂E(u_j) = -softmax(-E(u))_j

In many dimensions nearly no u_j meets a region where p is large. Contrastive divergence (Hinton
2002) takes the second expectation over samples x'_j of a Markov chain instead, a few steps away
from the data where it starts; what it lowers, 1/n Σ E(x_i) - 1/m Σ E(x'_j), is a difference whose
gradient means something and whose value does not. Erratum E35: what samples approximate is not the
density, which is exact up to Z, but the gradient of log Z: converged chains give the grid's, one
step from the data a biased one (test_e35).

The chain is Langevin's: downhill in E and shaken. With h (d,) the length of a step,

    x' = x - h²/2 ∂E(x) + h ε,   ε ~ N(0, I)          now and then instead  x' ~ uniform on the box
    ε' = h/2 (∂E(x) + ∂E(x')) - ε                     the noise of the way back from x' to x
    accept x' with probability min(1, exp(E(x) - E(x') + (|ε|² - |ε'|²)/2)),  else stay

The last line (Metropolis and others 1953; Hastings 1970; for Langevin's steps Roberts and Tweedie
1996) makes p exactly stationary; for uniform x' only E(x) - E(x') remains. Beyond the border the
box goes on as its mirror image, and E with it; ∂E changes its sign in mirrored coordinates. So x'
is reflected, and the rule stays exact. Training starts its chains uniform and carries them over
from step to step, as θ hardly changes in between (persistent chains: Tieleman 2008).
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
from gdl_numpy.networks.training import train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import bounded, logsumexp, softmax
from gdl_numpy.probability.sample_space import SampleSpace


class EnergyBasedFamily:
    """exp(-E_θ)/Z_θ on the box between `low` and `high` (d,), E a network with layers `hidden`.

    `frequencies` (d, m) make the inputs Fourier features; `bound` is b, in nats, None for no bound.
    """

    def __init__(self, low, high, hidden, frequencies=None, bound=None, activation="relu"):
        self.space = SampleSpace(low, high)
        self.d, self.bound = len(self.space.low), None if bound is None else float(bound)
        self.frequencies = checked_wave_vectors(frequencies, self.d)
        if bound is not None and not 0 < bound < math.inf:
            raise ValueError(f"bound must be positive and finite, or None, got {bound}")
        self.activation = checked_activation(activation)
        self.sizes = (n_features(self.d, self.frequencies),
                      *checks.whole_numbers(hidden, "hidden", least=1), 1)
        self.n_parameters = n_parameters(self.sizes)
        low, high = self.space.low, self.space.high
        self.log_volume = float(array_module(low).log(high - low).sum())

    def __call__(self, theta):
        return EnergyBased(self, checks.theta(theta, self.n_parameters).copy())

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (p,), where rng lives."""
        return initial_theta(self.sizes, rng, self.activation, dtype)

    def corners(self, like):
        """low and high, both (d,), in the module and the precision of the array `like`."""
        xp = array_module(like)
        return (xp.asarray(self.space.low, dtype=like.dtype),
                xp.asarray(self.space.high, dtype=like.dtype))

    def uniform(self, n, rng, like):
        """n uniform draws from the box, (n, d), in the precision of the array `like`."""
        low, high = self.corners(like)
        return low + (high - low) * rng.random((n, self.d), dtype=like.dtype)

    def energy(self, theta, X):
        """E(x) (n,) of each row of X (n, d), and backward: dE -> dtheta (p,), dX (n, d).

        `inputs=False` or `parameters=False` leaves dX or dtheta out and gives None for it.
        """
        checks.theta_shape(theta, self.n_parameters)
        X = checks.observations(X, theta, finite=False, d=self.d)
        A, backward_network = fourier_network(theta, X, self.frequencies, self.sizes,
                                              self.activation)
        E, backward_bound = bounded(A[:, 0], self.bound)
        return E, lambda dE, inputs=True, parameters=True: backward_network(
            backward_bound(dE)[:, None], inputs, parameters)

    def log_z(self, theta, U):
        """log Z (), by rows U (m, d) that fill the box evenly, and backward: dlog_z -> dtheta (p,).

        With `space.grid(shape)[0]` for U it is exact as the grid becomes fine.
        """
        if len(U) == 0:
            raise ValueError("U is empty: no points give no Z")
        E, backward_energy = self.energy(theta, U)
        log_z = self.log_volume - math.log(len(U)) + logsumexp(-E)
        return log_z, lambda dlog_z: backward_energy(-dlog_z * softmax(-E), inputs=False)[0]

    def loss(self, theta, X, rng, points=2048):
        """-1/n Σ log p(x) with log Z by uniform draws, in nats, and its gradient, (p,)."""
        log_z, backward = self.log_z(theta, self.uniform(points, rng, like=theta))
        mean, dtheta = self.mean_energy(theta, X)
        dtheta += backward(1.0)
        return mean + log_z, dtheta

    def contrastive_divergence(self, theta, X, samples):
        """1/n Σ E(x_i) - 1/m Σ E(x'_j), which means nothing, and its gradient, (p,), which does."""
        mean, dtheta = self.mean_energy(theta, X)
        mean_of_samples, dtheta_of_samples = self.mean_energy(theta, samples)
        dtheta -= dtheta_of_samples
        return mean - mean_of_samples, dtheta

    def mean_energy(self, theta, X):
        """1/n Σ E(x_i), and its gradient, (p,)."""
        if len(X) == 0:
            raise ValueError("X is empty: there is no mean over no rows")
        E, backward = self.energy(theta, X)
        dE = array_module(theta).full(len(X), 1 / len(X), dtype=theta.dtype)
        return E.mean(), backward(dE, inputs=False)[0]

    def walk(self, theta, X, rng, steps, step=0.02, jump=0.1, metropolis=True):
        """Where `steps` steps of the Markov chain lead from each row of X (n, d), shape (n, d).

        h is the share `step` of the box's sides; a row's x' is uniform with probability `jump`.
        Without `metropolis` every x' is accepted: p is stationary only in the limit h = 0, and
        uniform x' are restarts.
        """
        xp, steps = array_module(theta), checks.whole_number(steps, "steps")
        if not (0 < step < math.inf and 0 <= jump <= 1):
            raise ValueError("step must be positive and finite and jump lie in [0, 1], got "
                             f"{step} and {jump}")
        low, high = self.corners(theta)
        h = step * (high - low)

        def energy_and_slope(X):
            E, backward = self.energy(theta, X)
            return E, backward(xp.ones_like(E), parameters=False)[1]

        E, dE = energy_and_slope(X)
        for _ in range(steps):
            eps = rng.standard_normal(X.shape, dtype=theta.dtype)
            proposal, sign = reflect(X - 0.5 * h**2 * dE + h * eps, low, high)
            jumps = rng.random(len(X), dtype=theta.dtype) < jump
            proposal = xp.where(jumps[:, None], self.uniform(len(X), rng, like=theta), proposal)
            E_new, dE_new = energy_and_slope(proposal)
            if metropolis:
                eps_back = 0.5 * h * (dE + sign * dE_new) - eps
                log_ratio = 0.5 * (eps**2 - eps_back**2).sum(axis=1)
                log_ratio = E - E_new + xp.where(jumps, 0, log_ratio)
                u = rng.random(len(X), dtype=theta.dtype)
                accepted = xp.log1p(-u) < log_ratio         # 1 - u > 0
                X = xp.where(accepted[:, None], proposal, X)
                E = xp.where(accepted, E_new, E)
                dE = xp.where(accepted[:, None], dE_new, dE)
            else:
                X, E, dE = proposal, E_new, dE_new
        return X

    def train(self, X, rng, normaliser="uniform", points=2048, chains=512, chain_steps=10,
              step=0.02, jump=0.1, metropolis=True, theta=None, **options):
        """Maximum likelihood by steps on random rows; yields a Step each, whose theta is usable.

        `normaliser` "uniform" takes log Z from `points` uniform draws, and the loss of a Step is
        -1/n Σ log p. "chains" takes its gradient from persistent chains, `chains` of them, which
        `walk` on by `chain_steps` in each step; the loss then is no measure of anything. `options`
        (max_steps, batch, learning_rate, averaging, augment) are those of `training.train`.
        ValueError if a row of X lies outside the box; augment must not leave it.
        """
        X = checks.data_set(X, self.d)
        if not SampleSpace(*self.corners(X)).contains(X).all():
            raise ValueError(f"X must lie in the box from {self.space.low} to {self.space.high}")
        if normaliser not in ("uniform", "chains"):
            raise ValueError(f'normaliser must be "uniform" or "chains", got {normaliser!r}')
        points, chains = (checks.whole_number(points, "points", least=1),
                          checks.whole_number(chains, "chains", least=1))
        theta = self.initial_theta(rng, X.dtype) if theta is None else theta
        samples = self.uniform(chains, rng, like=X)

        def loss(theta, rows):
            nonlocal samples
            if normaliser == "uniform":
                return self.loss(theta, rows, rng, points)
            samples = self.walk(theta, samples, rng, chain_steps, step, jump, metropolis)
            return self.contrastive_divergence(theta, rows, samples)

        return train(loss, theta, [X], rng, **options)


def reflect(X, low, high):
    """X (n, d) mirrored into the box, and signs (n, d), -1 after an odd number of mirrorings.

    low + k (high - low) is a mirror for every whole k: box and image take turns for ever.
    """
    xp, side = array_module(X), high - low
    u = (X - low) % (2 * side)
    sign = xp.where(u > side, -1, 1).astype(X.dtype)
    return xp.minimum(low + xp.minimum(u, 2 * side - u), high), sign


class EnergyBased:
    """exp(-E)/Z for one θ: a density but for the number Z, and so without log_prob."""

    def __init__(self, family, theta):
        self.family, self.theta = family, theta
        self.space = SampleSpace(*family.corners(theta))

    def energy(self, X, rows=2**12):
        """E(x) for each row of X (n, d), inf outside the box, shape (n,); `rows` at a time."""
        X = checks.observations(X, self.space.low)
        E = in_blocks(lambda i, j: self.family.energy(self.theta, X[i:j])[0], len(X), rows)
        return array_module(E).where(self.space.contains(X), E, math.inf)

    def sample(self, n, rng, steps=100, step=0.02, jump=0.25):
        """n chains, each after `steps` steps from a uniform start, (n, d): nearly draws of p."""
        start = self.family.uniform(checks.whole_number(n, "n"), rng, like=self.theta)
        return self.family.walk(self.theta, start, rng, steps, step, jump)


class GridNormalised:
    """An energy-based density `p` with its Z by a grid of `shape`, in few dimensions: k^d cells."""

    def __init__(self, p, shape):
        self.p = p
        U, cell_volume = p.space.grid(shape)
        self.log_z = logsumexp(-p.energy(U)) + math.log(float(cell_volume))

    def log_prob(self, X):
        """-E(x) - log Z for each row, shape (n,)."""
        return -self.p.energy(X) - self.log_z

    def sample(self, n, rng):
        """The samples of p, from its chains, not from the grid."""
        return self.p.sample(n, rng)
