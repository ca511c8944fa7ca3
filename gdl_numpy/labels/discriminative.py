"""Discriminative model: p(y|x), how probable each label y is once the observation x is known.

Two painters have made the pictures of an exhibition, and a new picture x arrives: is it by painter
0 or by painter 1? Anyone who has seen enough labeled pictures can learn to answer, without knowing
how a picture is painted. This answer is all that a discriminative model learns. It gives a
probability to each label; it does not say how probable x itself is, and cannot make a picture.

The idea: take any function of x that gives one number for each of the K labels, the logits
a = (a_0, ..., a_{K-1}). They may be negative and need not sum to 1, so they are not probabilities
yet. The exponential makes them positive; dividing by their sum makes them sum to 1. This is called
softmax. Training changes the parameters θ of the function until the labels that were seen are as
probable as they can be.

    p_θ(y|x)       = exp(a_y) / Σ_k exp(a_k)                   softmax of the logits a of x
    log p_θ(y|x)   = a_y - log Σ_k exp(a_k)                    for every label y                (1)
    ∂log p/∂a_j    = [j = y] - exp(a_j) / Σ_k exp(a_k)         [j = y] is 1 if j is y, else 0
                   = onehot(y)_j - p_θ(j|x)                    log p is that of the label y     (2)
    loss(θ)        = -1/n Σ_i log p_θ(y_i|x_i)                 over the n rows of X             (3)

(1) is the logarithm of the line above it, and (2) is the derivative of (1). So the gradient is what
was seen minus what was expected. A step along it raises the logit of the label and lowers the
others; it nears 0 as the model becomes certain and is right. The `backward` of the function that
gave a turns ∂a into ∂θ. If all K labels are equally probable the loss is log K: 0.69 nats a picture
for two painters.

Which function gives a is up to the family. Here it is a network; logistic.py has the simplest
choice, a plane for each label.

By hand: the network of sizes (1, 2) has no hidden layer, so a = x W + b with θ = (W, b). For x = 1,
W = (0, log 3) and b = (0, 0) the logits are (0, log 3), and p = (1, 3)/4. If the label is 0, then
log p = -log 4 = -1.386. By (2) its gradient in a is (1, 0) - (¼, ¾) = (¾, -¾). In b it is the same,
and in W it is x times that:

>>> import numpy
>>> family, theta = NetworkClassifierFamily((1, 2)), numpy.array([0, numpy.log(3), 0, 0])
>>> print(numpy.exp(family(theta).log_posterior([[1.0]])).round(6))
[[0.25 0.75]]
>>> log_p, backward = family.log_prob(theta, numpy.array([[1.0]]), numpy.array([0]))
>>> print(log_p.round(3), backward(numpy.array([1.0])).round(6))
[-1.386] [ 0.75 -0.75  0.75 -0.75]

See figure_1_02_painting (a new picture is judged), figure_1_02_calibration (whether labels that get
70 % are right in 70 % of all cases) and tests/labels/test_discriminative.py (that it holds).
"""

from functools import partial

from gdl_numpy.networks.network import Network
from gdl_numpy.networks.training import starting_theta, train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks, mean_over_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import log_softmax
from gdl_numpy.probability.likelihood import negative_mean

ROWS = 2**13                                                # of one block, for long X


class Classifier(Described):
    """p_θ(y|x) for one θ, the posterior: what the share p(y) becomes once x is known."""

    def __init__(self, family, theta):
        self.family, self.theta = family, checks.theta(theta, family.n_parameters).copy()

    def log_posterior(self, X):
        """log p(y|x) for each row of X and each label, shape (n, K), in nats."""
        X = checks.observations(X, self.theta, d=self.family.d)
        return in_blocks(lambda i, j: log_softmax(
            self.family.logits(self.theta, X[i:j])[0]), len(X), ROWS)                       # (1)


class ClassifierFamily(Described):
    """What all families of classifiers share: everything except the `network` of their logits."""

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

    def _log_prob(self, theta, X, y):
        """The same as `log_prob`, computed for all rows at once and without checks."""
        a, backward = self.logits(theta, X)
        log_p = log_softmax(a)                                                              # (1)
        xp = array_module(a)
        onehot = (xp.arange(self.n_classes) == y[:, None]).astype(a.dtype)
        return ((log_p * onehot).sum(axis=1),
                lambda dlog_p: backward((onehot - xp.exp(log_p)) * dlog_p[:, None]))        # (2)

    def log_prob(self, theta, X, y):
        """log p_θ(y|x) for each row, shape (n,), and backward: dlog_p -> dtheta.

        ValueError if theta, X or y has another shape than it should. Whether the labels lie in 0,
        ..., K - 1 is not checked here, because the answer would have to wait for a device. Many
        rows are taken in blocks, each computed once more for the gradient, so that no layer of the
        network is ever kept for all rows.
        """
        X, y = self._input(theta, X, y)
        if len(X) <= ROWS:
            return self._log_prob(theta, X, y)

        def backward(dlog_p):
            return sum(self._log_prob(theta, X[i:i + ROWS], y[i:i + ROWS])[1](dlog_p[i:i + ROWS])
                       for i in range(0, len(X), ROWS))

        return in_blocks(lambda i, j: self._log_prob(theta, X[i:j], y[i:j])[0], len(X),
                         ROWS), backward

    def loss(self, theta, X, y):
        """-1/n Σ log p_θ(y|x), in nats per row, and its gradient in theta, (n_θ,)."""
        X, y = self._input(theta, X, y)

        def of_block(theta, X, y):
            return negative_mean(*self._log_prob(theta, X, y))                              # (3)

        return mean_over_blocks(of_block, theta, checks.not_empty(X), y, rows=ROWS)

    def _input(self, theta, X, y):
        """X and y as arrays that fit theta; whether their values are in range is not looked at."""
        checks.theta_shape(theta, self.n_parameters)
        X = checks.observations(X, theta, finite=False, d=self.d)
        return X, checks.labels(y, X, self.n_classes, in_range=False)

    def train(self, X, y, rng, optimizer=None, batch=512, max_steps=2000, theta=None):
        """Minimize the loss by steps on random rows. Yields a Step each; its `loss` is the batch's.

        By default Adam takes the steps; its η starts at 0.01 and falls to 0 like half a cosine
        wave. theta is usable after any step: stop when you like.
        """
        X, y = self._checked(X, y)
        return train(self.loss, partial(starting_theta, self, theta, rng, X), (X, y), rng, 0.01,
                     batch, max_steps, optimizer=optimizer)

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
