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

The chain is Langevin's: downhill in E and shaken, with some x' uniform on the box (langevin.py).
The rule of Metropolis keeps p exactly. Without it p is kept only by ever shorter steps and without
uniform x': these are then restarts, and between two of them short steps lead nowhere, so that what
remains is the uniform density. Training starts its chains uniform and carries them over from step
to step, as θ hardly changes in between (persistent chains: Tieleman 2008).
"""

import math

from gdl_numpy.networks.trained import Trained, TrainedFamily, checked_network
from gdl_numpy.networks.training import starting_theta, train
from gdl_numpy.numerics import checks, langevin
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import logsumexp, softmax
from gdl_numpy.probability.likelihood import mean
from gdl_numpy.probability.sample_space import SampleSpace


class EnergyBasedFamily(TrainedFamily):
    """exp(-E_θ)/Z_θ on the box between `low` and `high` (d,), E a Network R^d -> R.

    The network's `bound` is b, in nats.
    """

    def __init__(self, low, high, network):
        self.space = SampleSpace(low, high)
        self.low, self.high, self.d = self.space.low, self.space.high, len(self.space.low)
        self.network = checked_network(network, "network", self.d, (1,))
        self.log_volume = float(array_module(self.low).log(self.high - self.low).sum())
        self._set_networks(network)

    def __call__(self, theta):
        return EnergyBased(self, theta)

    def energy(self, theta, X):
        """E(x) (n,) of each row of X (n, d), and backward: dE -> dtheta (n_θ,), dX (n, d).

        `inputs=False` or `parameters=False` leaves dX or dtheta out and gives None for it.
        """
        E, backward = self.network(theta, X)
        return E[:, 0], lambda dE, **which: backward(dE[:, None], **which)

    def mean_energy(self, theta, X):
        """1/n Σ E(x_i), and its gradient, (n_θ,)."""
        E, backward = self.energy(theta, X)
        return mean(E, lambda dE: backward(dE, inputs=False)[0])

    def log_z(self, theta, U):
        """log Z (), by rows U (m, d) that fill the box evenly, and backward: dlog_z -> dtheta.

        With `space.grid(shape)[0]` for U it is exact as the grid becomes fine.
        """
        checks.theta_shape(theta, self.n_parameters)
        U = checks.observations(U, theta, finite=False, name="U", d=self.d)
        E, backward_energy = self.energy(theta, checks.not_empty(U, "U"))
        log_z = self.log_volume - math.log(len(U)) + logsumexp(-E)
        return log_z, lambda dlog_z: backward_energy(-dlog_z * softmax(-E), inputs=False)[0]

    def loss(self, theta, X, rng, points=2048):
        """-1/n Σ log p(x) with log Z by uniform draws, in nats, and its gradient, (n_θ,)."""
        checks.theta_shape(theta, self.n_parameters)
        points = checks.whole_number(points, "points", least=1)
        log_z, backward = self.log_z(theta, self.uniform(points, rng, like=theta))
        mean_energy, dtheta = self.mean_energy(theta, X)
        dtheta += backward(1.0)
        return mean_energy + log_z, dtheta

    def contrastive_divergence(self, theta, X, samples):
        """1/n Σ E(x_i) - 1/m Σ E(x'_j), which means nothing, and its gradient, which does."""
        at_data, dtheta = self.mean_energy(theta, X)
        samples = checks.observations(samples, theta, finite=False, name="samples", d=self.d)
        at_samples, dtheta_at_samples = self.mean_energy(theta, samples)
        dtheta -= dtheta_at_samples
        return at_data - at_samples, dtheta

    def on_space(self, X):
        """X, if it lies in the box, else a ValueError."""
        X = checks.observations(X := checks.real_array(X, "X"), X, d=self.d)
        space = SampleSpace(*self.corners(X))
        return checks.rows_within(X, space.contains(X), f"the box from {self.low} to {self.high}")

    def corners(self, like):
        """low and high, both (d,), in the module and the precision of the array `like`."""
        xp = array_module(like)
        return tuple(xp.asarray(corner, dtype=like.dtype) for corner in (self.low, self.high))

    def uniform(self, n, rng, like):
        """n uniform draws from the box, (n, d), in the precision of the array `like`."""
        return langevin.uniform(checks.draws(n, rng), *self.corners(like), rng)

    def walk(self, theta, X, rng, steps, step=0.02, jump=0.1, metropolis=True):
        """Where `steps` steps of Langevin's chain lead from each row of X (n, d), shape (n, d);
        see `langevin.walk`."""
        xp, _ = array_module(theta), checks.rng(rng)
        X = checks.observations(X, checks.theta_shape(theta, self.n_parameters), finite=False,
                                d=self.d)

        def of_block(X):
            E, backward = self.energy(theta, X)
            _, dX = backward(xp.ones_like(E), parameters=False)
            return xp.concatenate([E[:, None], dX], axis=1)

        def energy_and_slope(X):
            both = in_blocks(lambda i, j: of_block(X[i:j]), len(X))
            return both[:, 0], both[:, 1:]

        return in_blocks(
            lambda i, j: langevin.walk(energy_and_slope, X[i:j], *self.corners(theta), rng, steps,
                                       step, jump, metropolis), len(X), rows=2**16)

    def train(self, X, rng, normaliser="uniform", points=2048, chains=512, chain_steps=10,
              step=0.02, jump=0.1, metropolis=True, theta=None, **options):
        """Maximum likelihood by steps on random rows; yields a Step each, whose theta is usable.

        `normaliser` "uniform" takes log Z from `points` uniform draws, and the loss of a Step is
        -1/n Σ log p. "chains" takes its gradient from persistent chains, `chains` of them, which
        `walk` on by `chain_steps` in each step; the loss then is no measure of anything. `options`
        (max_steps, batch, learning_rate, averaging, augment) are those of every TrainedFamily.
        ValueError if a row of X lies outside the box; augment must not leave it.
        """
        checks.choice(normaliser, "normaliser", ("uniform", "chains"))
        points = checks.whole_number(points, "points", least=1)
        chains = checks.whole_number(chains, "chains", least=1)
        chain_steps = checks.whole_number(chain_steps, "chain_steps")
        step, jump = checks.number(step, "step", "(0, inf)"), checks.number(jump, "jump", "[0, 1]")
        X = self.on_space(checks.data_set(X, self.d))
        theta = starting_theta(self, theta, rng, X)
        samples = self.uniform(chains, rng, like=X)

        def loss(theta, rows):
            nonlocal samples
            if normaliser == "uniform":
                return self.loss(theta, rows, rng, points)
            samples = self.walk(theta, samples, rng, chain_steps, step, jump, metropolis)
            return self.contrastive_divergence(theta, rows, samples)

        options = {name: value for name, value in options.items() if value is not None}
        return train(loss, theta, (X,), rng, **{"averaging": 0.999} | options)


class EnergyBased(Trained):
    """exp(-E)/Z for one θ: a density but for the number Z, and so without log_prob."""

    def __init__(self, family, theta):
        super().__init__(family, theta)
        self.space = SampleSpace(*family.corners(self.theta))

    def energy(self, X, rows=2**12):
        """E(x) for each row of X (n, d), inf outside the box, shape (n,); `rows` at a time."""
        E = self._of_rows(lambda X: self.family.energy(self.theta, X)[0], X, rows=rows)
        return array_module(E).where(self.space.contains(X), E, math.inf)

    def sample(self, n, rng, steps=100, step=0.02, jump=0.25):
        """n chains, each after `steps` steps from a uniform start, (n, d): nearly draws of p."""
        start = self.family.uniform(checks.draws(n, rng), rng, like=self.theta)
        return self.family.walk(self.theta, start, rng, steps, step, jump)


class GridNormalised(Described):
    """An energy-based density `p` with its Z by a grid of `shape`, in few dimensions: k^d cells."""

    def __init__(self, p, shape):
        self.p, self.shape = p, p.space.cells(shape)
        U, _ = p.space.grid(shape)
        self.log_z = logsumexp(-p.energy(U)) + p.space.log_cell_volume(shape)

    def log_prob(self, X):
        """-E(x) - log Z for each row, shape (n,)."""
        return -self.p.energy(X) - self.log_z

    def sample(self, n, rng):
        """The samples of p, from its chains, not from the grid."""
        return self.p.sample(n, rng)
