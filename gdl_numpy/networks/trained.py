"""Trained models: what the families of models/ and their members share around their formulas.

The six families of models/ differ in how they make a density of networks. In the rest they agree. A
member p_θ keeps a θ of its own, which no later step of a training changes; many rows are taken some
thousands at a time; and where log p is known, the loss is minus its mean. All this is said once,
here, in classes from which the six derive, so that their own files are left with the formulas.

    family.loss(theta, X) = -1/n Σ_i log p_θ(x_i)   and its gradient, (n_θ,), to train with      (1)
    p = family(theta)                               keeps the family and a copy of θ             (2)
    p.log_prob(X)                                   log p_θ(x) of each row, block by block       (3)

Each class has a partner for the members of the family:

    TrainedFamily, Trained          what every family and every member have
    TractableFamily, Tractable      for families that know log p, by `family.log_prob(theta, X)`

By hand: normal densities on a line with variance 1, whose mean is θ. At θ = 0 the rows 1 and 3 give
the loss ½ log 2π + ½ (1 + 9)/2 = 0.919 + 2.5 and the gradient -(1 + 3)/2:

>>> import numpy
>>> class MeanFamily(TractableFamily):
...     d = n_parameters = 1
...     def __call__(self, theta):
...         return Tractable(self, theta)
...     def log_prob(self, theta, X):
...         log_p = -0.5 * (numpy.log(2 * numpy.pi) + (X - theta)[:, 0]**2)
...         return log_p, lambda dlog_p: dlog_p @ (X - theta)
>>> family, theta, X = MeanFamily(), numpy.array([0.0]), numpy.array([[1.0], [3.0]])
>>> loss, dtheta = family.loss(theta, X)
>>> print(loss.round(3), dtheta, family(theta).log_prob(X).round(3))
3.419 [-2.] [-1.419 -5.419]

See tests/networks/test_trained.py (that it holds).
"""

import inspect
from functools import partial

import numpy

from gdl_numpy.networks.network import Network, Parts
from gdl_numpy.networks.training import starting_theta, train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.blocks import in_blocks, through_a_network
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.likelihood import mean_loss


class TrainedFamily(Described):
    """A family over R^d whose θ of `n_parameters` numbers is found by training.

    A subclass has `loss(theta, X, rng)`, and `__call__(theta)`, which makes the member p_θ.
    """

    defaults = {}                                           # its own values of options of `train`

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives."""
        checks.rng(rng)
        return self.parts.join(*(network.initial_theta(rng, dtype) for network in self.networks))

    def on_space(self, X):
        """X, if all its rows lie where the members of the family are, else a ValueError."""
        return X

    def train(self, X, rng, max_steps=None, batch=None, learning_rate=None, averaging=0.999,
              augment=None, theta=None, clip=None, beta2=None):
        """Minimize the loss by steps on random rows of X (n, d), from theta on or from a random
        start; yields a Step each, whose theta is usable.

        The options are those of `training.train`. An option that is None has its value in
        `family.defaults`, if it stands there, else that of `training.train`. ValueError for data
        off the space.
        """
        return self._train(lambda theta, rows: self.loss(theta, rows, rng), X, rng, theta,
                           max_steps=max_steps, batch=batch, learning_rate=learning_rate,
                           averaging=averaging, augment=augment, clip=clip, beta2=beta2)

    def _data(self, X):
        """X as an array on the family's space, if a training can learn from it."""
        return self.on_space(checks.data_set(X, self.d))

    def _train(self, loss, X, rng, theta, start=starting_theta, /, **options):
        """`start(family, theta, rng, X)` gives the θ at which it begins. Options that are None have
        their value in `defaults`. TypeError for one that `train` does not have."""
        inspect.signature(TrainedFamily.train).bind(self, X, rng, **options)
        X = self._data(X)
        chosen = {name: value for name, value in options.items() if value is not None}
        return train(loss, partial(start, self, theta, rng, X), (X,), rng,
                     **self.defaults | chosen)

    # For the constructors and the formulas of families

    def _set_networks(self, *networks, before=()):
        """θ is made of vectors of the lengths `before` and then of the θ of these networks."""
        self.networks = networks
        self.parts = Parts(*before, *(network.n_parameters for network in networks))
        self.n_parameters = self.parts.n_parameters

    def _set_options(self, d, hidden, activation, waves=None, bound=None, least=1):
        """Of a family that makes its own networks: d, the widths of their layers, their options."""
        self.d = checks.whole_number(d, "d", least=least)
        self.hidden = checks.whole_numbers(hidden, "hidden", least=1)
        self.waves, self.activation = checks.own_waves(waves, self.d), activation
        self.bound = checks.number(bound, "bound", "[1e-30, 1e30]", optional=True)

    def _input(self, theta, X, name="X", d=None):
        """X as an array (n, d) beside a theta of this family; in a training step nothing waits."""
        checks.theta_shape(theta, self.n_parameters)
        return checks.observations(X, theta, finite=False, name=name, d=d or self.d)


class TractableFamily(TrainedFamily):
    """A TrainedFamily with `log_prob(theta, X)`: its loss is minus the mean of log p."""

    def loss(self, theta, X, rng=None):
        """-1/n Σ log p_θ(x), in nats per row, and its gradient (n_θ,); rng is not needed."""
        checks.rng(rng, optional=True)
        return mean_loss(self, theta, X)                    # (1)


class Trained(Described):
    """p_θ for one θ of a TrainedFamily."""

    def __init__(self, family, theta):
        self.family, self.theta = family, checks.theta(theta, family.n_parameters).copy()   # (2)

    @numpy.errstate(over="ignore")                          # far out, where log p is -inf
    def _of_rows(self, function, X, name="X", d=None, rows=None):
        """function(rows) for all rows of X (n, d), `rows` of them at a time, as one array."""
        d = self.family.d if d is None else d
        X = checks.observations(X, self.theta, name=name, d=d)
        return in_blocks(lambda i, j: function(X[i:j]), len(X),
                         through_a_network(self.theta) if rows is None else rows)

    def _draws(self, function, n, rng, rows=None):
        """function(count) for n draws, `rows` of them at a time, as one array."""
        return in_blocks(lambda i, j: function(j - i), checks.draws(n, rng),
                         through_a_network(self.theta) if rows is None else rows)


class Tractable(Trained):
    """p_θ for one θ of a TractableFamily."""

    def log_prob(self, X):
        """log p(x) for each row of X (n, d), shape (n,), in nats; -inf where p is 0."""
        return self._of_rows(lambda X: self.family.log_prob(self.theta, X)[0], X)           # (3)


def checked_network(network, name, d_in=None, d_out=()):
    """`network` if it is a Network R^d_in -> R^d_out; of `d_out`, a tuple, any will do; so will any
    d_in or d_out where None or () is given."""
    if not isinstance(network, Network):
        raise TypeError(f"{name} must be a Network, got {network!r}")
    if d_in is not None and network.d_in != d_in:
        raise ValueError(f"{name} must have d_in = {d_in}, got {network.d_in}")
    if d_out and network.d_out not in d_out:
        raise ValueError(f"{name} must have d_out = {' or '.join(map(str, d_out))}, got "
                         f"{network.d_out}")
    return network
