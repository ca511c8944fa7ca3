"""Discriminative modeling: estimate p(y|x), the label given the observation.

Why: whose picture is this, painter 0's or painter 1's? Who has seen labelled pictures can learn to
answer, and needs no idea of how a picture is painted: p_θ(y|x) says how probable each label is. It
does not say how probable x is, and it cannot make one. Idea: any function that gives K numbers for
each x, the logits a(x), gives K probabilities by softmax: exp makes them positive, and their sum
divides them. Training makes the probability of the label that was seen as large as it can be.

Labels y are whole numbers from 0 to K - 1, one for each row of X.

    p_θ(y|x)        = softmax(a)_y = exp(a_y) / Σ_k exp(a_k)
    log p_θ(y|x)    = a_y - logsumexp(a)                                                        (1)
    ∂log p(y|x)/∂a  = onehot(y) - p           1 at y and 0 elsewhere, minus softmax(a)          (2)
    loss(θ)         = -1/n Σ_i log p_θ(y_i|x_i)                                                 (3)

What a is, is the family's: a network here, planes in logistic.py.

>>> import numpy
>>> family = NetworkClassifierFamily((2, 16, 3))            # R² -> 3 classes, 16 hidden units
>>> p = family(family.initial_theta(numpy.random.default_rng(0)))
>>> print(f"{numpy.exp(p.log_posterior([[0.5, -1.0]])).sum():.6f}")
1.000000
"""

from gdl_numpy.networks.network import Network
from gdl_numpy.networks.training import starting_theta, train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import log_softmax
from gdl_numpy.probability.likelihood import negative_mean

ROWS = 2**13                                                # of one block


class Classifier(Described):
    """p_θ(y|x) for one θ."""

    def __init__(self, family, theta):
        self.family, self.theta = family, checks.theta(theta, family.n_parameters).copy()

    def log_posterior(self, X):
        """log p(y|x) for each row of X and each label, shape (n, K), in nats."""
        X = checks.observations(X, self.theta, d=self.family.d)
        return in_blocks(lambda i, j: log_softmax(
            self.family.logits(self.theta, X[i:j])[0]), len(X), ROWS)                       # (1)


class ClassifierFamily(Described):
    """What all families of classifiers share; each brings a `network` that computes its logits."""

    classifier = Classifier

    def _set_network(self, network, n_classes):
        self.network, self.n_classes = network, n_classes
        self.d, self.n_parameters = network.d_in, network.n_parameters

    def __call__(self, theta):
        return self.classifier(self, theta)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives."""
        return self.network.initial_theta(rng, dtype)

    def logits(self, theta, X):
        """a, shape (n, K), and backward: da -> dtheta."""
        a, backward = self.network(theta, X)
        return a, lambda da: backward(da, inputs=False)[0]

    def log_prob(self, theta, X, y):
        """log p_θ(y|x) for each row, shape (n,), and backward: dlog_p -> dtheta.

        ValueError if theta, X or y has another shape than it should. That the labels are from 0 to
        K - 1 nobody checks here, as this would wait for a device. Many rows are taken some at a
        time, and computed again for the gradient, so that no layer is kept of all of them.
        """
        checks.theta_shape(theta, self.n_parameters)
        X = checks.observations(X, theta, finite=False, d=self.d)
        y = checks.labels(y, X, self.n_classes, in_range=False)
        if len(X) <= ROWS:
            return self._log_prob(theta, X, y)

        def backward(dlog_p):
            return sum(self._log_prob(theta, X[i:i + ROWS], y[i:i + ROWS])[1](dlog_p[i:i + ROWS])
                       for i in range(0, len(X), ROWS))

        return in_blocks(lambda i, j: self._log_prob(theta, X[i:j], y[i:j])[0], len(X),
                         ROWS), backward

    def _log_prob(self, theta, X, y):
        a, backward = self.logits(theta, X)
        log_p = log_softmax(a)                                                              # (1)
        xp = array_module(a)
        onehot = (xp.arange(self.n_classes) == y[:, None]).astype(a.dtype)
        return ((log_p * onehot).sum(axis=1),
                lambda dlog_p: backward((onehot - xp.exp(log_p)) * dlog_p[:, None]))        # (2)

    def loss(self, theta, X, y):
        """-1/n Σ log p_θ(y|x), in nats per row, and its gradient in theta, (n_θ,)."""
        return negative_mean(*self.log_prob(theta, X, y))                                   # (3)

    def train(self, X, y, rng, optimizer=None, batch=512, max_steps=2000, theta=None):
        """Minimise the loss by steps on random rows; yields a Step each, `loss` that of its batch.

        By default Adam with η = 0.01 at first, falling to 0 as half a cosine wave. theta after any
        step is usable: stop when you like.
        """
        X, y = self._checked(X, y)
        return train(self.loss, starting_theta(self, theta, rng, X), (X, y), rng, 0.01, batch,
                     max_steps, optimizer=optimizer)

    def _checked(self, X, y):
        """X and y as arrays to which the family can be fitted."""
        X = checks.data_set(X, self.d)
        return X, checks.different_labels(checks.labels(y, X, self.n_classes))


class NetworkClassifierFamily(ClassifierFamily):
    """p_θ(y|x) = softmax(network_θ(x)), a network of `sizes` (d, ..., K), without penalty."""

    def __init__(self, sizes, activation="relu"):
        network = Network(sizes, activation)
        self.sizes, self.activation = network.sizes, network.activation
        K = checks.whole_number(network.d_out, "the number K of classes in sizes", least=2)
        self._set_network(network, K)
