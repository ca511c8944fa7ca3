"""Energy-based model: any function E that is low where data are, made a density by one number Z.

A density of the points of the map must be positive and integrate to 1, which is hard to ask of a
network. But let a network give every place a height E, low on land and high in the sea: whatever E
is, exp(-E) is positive, and divided by its integral Z over the whole map it integrates to 1.
Training lowers E at the data and raises it where the model itself puts its mass, until the two
balance. The price is Z, which is known only approximately. θ are the parameters of the network:

    p_θ(x) = exp(-E_θ(x))/Z_θ        in a box [low, high], here the map; 0 outside
    Z_θ    = ∫ exp(-E_θ(x)) dx       over the box
    E_θ(x) = network(x)                                                                       (1)

**Maximum likelihood.** Minus the mean of log p over the n data x_i is

    loss = 1/n Σ_i E(x_i) + log Z                                                             (2)

and the gradient of log Z is a mean over the model, because dividing by Z turns exp(-E) into p:

    ∂log Z/∂θ = 1/Z ∫ ∂exp(-E)/∂θ dx = -∫ p(x) ∂E/∂θ dx = -mean of ∂E/∂θ over the model
    ∂loss/∂θ  = mean of ∂E/∂θ over the data - mean of ∂E/∂θ over the model

**Z in few dimensions** is estimated with points u_1, ..., u_m that fill the box evenly: the centers
of the cells of a grid, or uniform draws, new ones in each step. With V the volume of the box,

    log Ẑ            = log V + log (1/m Σ_j exp(-E(u_j)))                                     (3)
    ∂log Ẑ/∂E(u_j)   = -exp(-E(u_j))/Σ_l exp(-E(u_l)) = -softmax(-E(u))_j                     (4)

So ∂log Ẑ/∂θ is again minus a mean over the model, in which u_j has a softmax weight. With uniform
draws log Ẑ is too small on average, by about half its variance (Jensen's inequality).

**In many dimensions** hardly any u_j falls where p is large. Contrastive divergence (Hinton 2002)
takes the mean over the model from n' samples x'_j of Markov chains instead (langevin.py). Hinton's
chains take a few steps, from the data on; those of `train` go on from step to step:

    1/n Σ_i E(x_i) - 1/n' Σ_j E(x'_j)   has about the gradient of the loss, not its value     (5)

See `EnergyBasedFamily.log_z` (Z of two cells by hand), figure_1_10_taxonomy (its samples of the
map) and tests/models/test_energy_based.py (that it holds; in test_e35 chains run until they give
the gradient of a grid).

Errata.
E35 (tests/models/test_energy_based.py)  samples approximate the gradient of log Z, not the density
"""

import math

from gdl_numpy.networks.trained import Trained, TrainedFamily, checked_network
from gdl_numpy.networks.training import starting_theta
from gdl_numpy.numerics import checks, langevin
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks, mean_over_blocks, through_a_network
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import logsumexp, softmax
from gdl_numpy.probability.likelihood import mean
from gdl_numpy.probability.sample_space import SampleSpace

ROWS = 2**13                                                # of one block


class EnergyBasedFamily(TrainedFamily):
    """exp(-E_θ)/Z_θ on the box between `low` and `high` (d,), E a Network R^d -> R.

    The options of the network are those of E: Fourier features for coasts, and `bound` B, in nats,
    for E = B tanh(output/B). Then p lies between exp(-2B) and exp(2B) times the uniform density,
    so that it is never 0; and tanh is flat at both ends, which suits two levels, land and sea.
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
        return E[:, 0], lambda dE, **which: backward(dE[:, None], **which)              # (1)

    def mean_energy(self, theta, X):
        """1/n Σ E(x_i), and its gradient, (n_θ,)."""
        def of_block(theta, X):
            E, backward = self.energy(theta, X)
            return mean(E, lambda dE: backward(dE, inputs=False)[0])

        X = checks.not_empty(self._input(theta, X))
        return mean_over_blocks(of_block, theta, X, rows=2**13)

    def loss(self, theta, X, rng, points=2048):
        """-1/n Σ log p(x) with log Z by uniform draws, in nats, and its gradient, (n_θ,)."""
        points = checks.whole_number(points, "points", least=1)
        mean_energy, dtheta = self.mean_energy(theta, X)
        log_z, backward = self.log_z(theta, self.uniform(points, rng, like=theta))
        dtheta += backward(1.0)
        return mean_energy + log_z, dtheta                                              # (2)

    def log_z(self, theta, U):
        """log Ẑ (), by rows U (m, d) that fill the box evenly, and backward: dlog_z -> dtheta.

        With `space.grid(shape)[0]` for U it tends to log Z as the grid becomes fine.

        By hand: E(x) = θ_1 x + θ_2 on [0, 1] with θ = (log 2, 0), so exp(-E) = 2^(-x). Then Z =
        ½/log 2 = 0.721, and the mean of x = ∂E/∂θ_1 over the model is 1/log 2 - 1 = 0.443, so
        ∂log Z/∂θ_1 = -0.443. Two cells with the centers 0.25 and 0.75 give Ẑ = (0.841 + 0.595)/2 =
        0.718, and nearly that slope:

        >>> import numpy
        >>> from gdl_numpy.networks.network import Network
        >>> family = EnergyBasedFamily([0.0], [1.0], Network((1, 1)))
        >>> log_z, backward = family.log_z(numpy.log([2.0, 1.0]), numpy.array([[0.25], [0.75]]))
        >>> print(numpy.exp(log_z).round(3), backward(1.0).round(3))
        0.718 [-0.457 -1.   ]
        """
        U = checks.not_empty(self._input(theta, U, "U"), "U")
        E, backward_energy = self._energy_of_blocks(theta, U)
        log_z = self.log_volume - math.log(len(U)) + logsumexp(-E)                      # (3)
        return log_z, lambda dlog_z: backward_energy(-dlog_z * softmax(-E))             # (4)

    def _energy_of_blocks(self, theta, U):
        """E (m,) of each row of U, and backward: dE -> dtheta. Of many rows each block is computed
        once more for the gradient, so that no layer of the network is kept for all of them."""
        starts = range(0, len(U), ROWS)
        if len(starts) == 1:
            E, backward = self.energy(theta, U)
            return E, lambda dE: backward(dE, inputs=False)[0]

        def backward(dE):
            return sum(self.energy(theta, U[i:i + ROWS])[1](dE[i:i + ROWS], inputs=False)[0]
                       for i in starts)

        return in_blocks(lambda i, j: self.energy(theta, U[i:j])[0], len(U), ROWS), backward

    def contrastive_divergence(self, theta, X, samples):
        """1/n Σ E(x_i) - 1/n' Σ E(x'_j), x'_j the n' rows of `samples`, and its gradient, (n_θ,).

        The samples depend on θ, but are kept fixed here: ∂log Z/∂θ is a mean of ∂E/∂θ alone.
        """
        samples = checks.not_empty(self._input(theta, samples, "samples"), "samples")
        at_data, dtheta = self.mean_energy(theta, X)
        at_samples, dtheta_at_samples = self.mean_energy(theta, samples)
        dtheta -= dtheta_at_samples
        return at_data - at_samples, dtheta                                             # (5)

    def on_space(self, X):
        """X, if it lies in the box, else a ValueError."""
        X = checks.observations(X, d=self.d)
        space = SampleSpace(*self.corners(X))
        return checks.rows_within(X, space.contains(X), f"the box from {self.low} to {self.high}")

    def corners(self, like):
        """low and high, both (d,), in the module and the precision of the array `like`."""
        like = checks.real_array(like, "like", finite=False)
        xp = array_module(like)
        return tuple(xp.asarray(corner, dtype=like.dtype) for corner in (self.low, self.high))

    def uniform(self, n, rng, like):
        """n uniform draws from the box, (n, d), in the precision of the array `like`."""
        return langevin.uniform(checks.draws(n, rng), *self.corners(like), rng)

    def walk(self, theta, X, rng, steps, step=0.02, jump=0.1, metropolis=True, look=True):
        """Where `steps` steps of Langevin's chain lead from each row of X (n, d), shape (n, d).

        A step goes downhill in E and is shaken; with probability `jump` it goes to a uniform point
        of the box instead (see `langevin.walk`). By the rule of Metropolis, rows that are draws of
        p are still draws of p after a step. Without the rule this holds only in the limit of short
        steps, and only without jumps. Each jump is then a restart, and as short steps do not lead
        far before the next one, the chain draws from a density near the uniform one.
        """
        X, xp = self._input(theta, X), array_module(theta)

        def of_block(X):
            E, backward = self.energy(theta, X)
            _, dX = backward(xp.ones_like(E), parameters=False)
            return xp.concatenate([E[:, None], dX], axis=1)

        def energy_and_slope(X):
            both = in_blocks(lambda i, j: of_block(X[i:j]), len(X), through_a_network(X))
            return both[:, 0], both[:, 1:]

        return in_blocks(
            lambda i, j: langevin.walk(energy_and_slope, X[i:j], *self.corners(theta), rng, steps,
                                       step, jump, metropolis, look), len(X), rows=2**16)

    def train(self, X, rng, normalizer="uniform", points=2048, chains=512, chain_steps=10,
              step=0.02, jump=0.1, metropolis=True, theta=None, **options):
        """Maximum likelihood by steps on random rows; yields a Step each, whose theta is usable.

        With the `normalizer` "uniform", log Z comes from `points` uniform draws, and the loss of a
        Step is -1/n Σ log p. With "chains", only its gradient is known, from as many Markov chains
        as `chains` says; the loss of a Step is then (5), and does not tell how good the model is.
        The chains start uniform. In each step they `walk` on by `chain_steps`, as θ hardly changes
        in between, instead of starting from the data again (persistent chains: Tieleman 2008).
        `options` are those of every TrainedFamily. ValueError if a row of X lies outside the box;
        augment must not leave it.
        """
        checks.choice(normalizer, "normalizer", ("uniform", "chains"))
        checks.truth(metropolis, "metropolis")
        points = checks.whole_number(points, "points", least=1)
        chains = checks.whole_number(chains, "chains", least=1)
        chain_steps = checks.whole_number(chain_steps, "chain_steps")
        step, jump = checks.number(step, "step", "(0, inf)"), checks.number(jump, "jump", "[0, 1]")
        samples = None

        def start(*beginning):
            nonlocal samples
            theta = starting_theta(*beginning)
            samples = self.uniform(chains, rng, like=theta)
            return theta

        def loss(theta, rows):
            nonlocal samples
            if normalizer == "uniform":
                return self.loss(theta, rows, rng, points)
            samples = self.walk(theta, samples, rng, chain_steps, step, jump, metropolis,
                                look=False)
            return self.contrastive_divergence(theta, rows, samples)

        return self._train(loss, X, rng, theta, start, **{"averaging": 0.999} | options)


class EnergyBased(Trained):
    """exp(-E)/Z for one θ: a density known up to the number Z, and so without log_prob."""

    def __init__(self, family, theta):
        super().__init__(family, theta)
        self.space = SampleSpace(*family.corners(self.theta))

    def energy(self, X, rows=2**12):
        """E(x) for each row of X (n, d), inf outside the box, shape (n,); `rows` at a time."""
        rows = checks.whole_number(rows, "rows", least=1)
        E = self._of_rows(lambda X: self.family.energy(self.theta, X)[0], X, rows=rows)
        return array_module(E).where(self.space.contains(X), E, math.inf)

    def sample(self, n, rng, steps=8, step=0.02, jumps=24):
        """n points (n, d), each led from a uniform place by jumps and then by steps: nearly draws
        of p, and the more nearly, the more of them.

        First `jumps` jumps, which need no slope: they forget the start but for the share (1 -
        1/M)^jumps of all points, where p is at most M times the uniform density (`langevin.jump`).
        Land is about a third of the map, so M is not far from 3, and 24 jumps leave less than a
        thousandth. Then `steps` steps of Langevin's chain, which keep p and improve what is left.

        In many dimensions M is huge, no jump is accepted, and 8 short steps from a uniform place
        lead nowhere: give hundreds of `steps`, and look whether twice as many change the result.
        """
        def energy(X):
            return in_blocks(lambda i, j: self.family.energy(self.theta, X[i:j])[0], len(X),
                             through_a_network(X))

        steps, jumps = checks.whole_number(steps, "steps"), checks.whole_number(jumps, "jumps")
        step = checks.number(step, "step", "(0, inf)")
        start = self.family.uniform(checks.draws(n, rng), rng, like=self.theta)
        X = in_blocks(lambda i, j: langevin.jump(energy, start[i:j], *self.family.corners(start),
                                                 rng, jumps, look=False), n, rows=2**16)
        return self.family.walk(self.theta, X, rng, steps, step, jump=0.0)


class GridNormalized(Described):
    """An energy-based density `p` with its Z by a grid of `shape`, so that it has a log_prob.

    This is (3) with the m cells of the grid, each of volume V/m. For few dimensions only: a grid of
    100 cells along each axis has 100^d.
    """

    def __init__(self, p, shape):
        self.p = checks.offers(p, "p", "energy", "sample")
        checks.instance(getattr(p, "space", None), "p.space", SampleSpace)
        self.shape = p.space.cells(shape)
        U, _ = p.space.grid(shape)
        self.log_z = logsumexp(-p.energy(U)) + p.space.log_cell_volume(shape)

    def log_prob(self, X):
        """-E(x) - log Z for each row, shape (n,)."""
        return -self.p.energy(X) - self.log_z

    def sample(self, n, rng):
        """The samples of p, from its chains, not from the grid."""
        return self.p.sample(n, rng)
