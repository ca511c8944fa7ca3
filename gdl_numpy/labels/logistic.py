"""Logistic regression and softmax regression: the logits are planes over x.

Whose picture is this? Try the simplest model before a network, because its weights can be read:
each says by how much one more unit of a feature changes the odds of a label. In figure 1-2 a
picture is reduced to 22 features of color and texture, and a model of 22 weights and one intercept
names the right painter for 78% of all new pictures.

The idea: let each logit be a plane over x, a = x · w + b. With two classes only the difference of
the logits matters, so class 0 gets the logit 0. Then the odds of class 1, p/(1 - p), are exp(a),
and one more unit of feature j multiplies them by exp(w_j): that is how a weight is read.

    softmax regression     a = x W + b             W (d, K), b (K,), a (K,)                      (1)
    loss(θ)                = -1/n Σ_i log p_θ(y_i|x_i) + λ/2 |W|²       θ = (W, b)               (2)
    logistic regression    a = (0, x · w + b)      w (d,), b a number; K = 2                     (3)
                           p(y=1|x) = exp(a_1)/(1 + exp(a_1)) = sigmoid(a_1)

|W|² is the sum of the squares of all weights. The penalty λ keeps them short: if planes separate
the classes, longer weights always make the likelihood larger, and with λ = 0 there is no maximum.
`mle` refuses such data (separation.py). The intercepts are not penalized, so that it does not
matter where the origin of R^d lies.

No formula gives θ̂, but the loss of logistic regression is convex, and some ten steps of Newton's
method find it. At the minimum the gradient is 0. If it is g at θ, it is about g - H s at θ - s,
with H the matrix of second derivatives, the Hessian. That is 0 for s = H⁻¹ g, so this is the step.
With x1 = (x, 1) a row, θ = (w, b) and Λ the diagonal matrix of λ, ..., λ, 0:

    p_i  = sigmoid(x1_i · θ)                                                                     (4)
    g    = 1/n Σ_i (p_i - y_i) x1_i + Λ θ               as ∂loss/∂a_i = (p_i - y_i)/n            (5)
    H    = 1/n Σ_i p_i (1 - p_i) x1_iᵀ x1_i + Λ         as ∂p_i/∂a_i = p_i (1 - p_i)             (6)
    θ    ← θ - H⁻¹ g                                                                             (7)

With λ = 0, H s = g are the normal equations of a least-squares fit of (p_i - y_i)/(p_i (1 - p_i))
by x1_i · s, in which row i has the weight p_i (1 - p_i). These weights change from step to step:
hence the name, iteratively reweighted least squares. `mle` takes such steps for any number of
classes and columns, faster and safe from rounding (softmax_newton.py).

By hand: of four rows with x = 0 one has the label 1, of four with x = 1 three have it. The odds are
1/3 and 3, so b = log(1/3) = -1.099 and w + b = log 3, which makes w = 2.197:

>>> X, y = [[0.0]] * 4 + [[1.0]] * 4, [0, 0, 0, 1] + [0, 1, 1, 1]
>>> print(LogisticFamily(1).mle(X, y).round(3), iteratively_reweighted_least_squares(X, y).round(3))
[ 2.197 -1.099] [ 2.197 -1.099]

See figure_1_02_painting (it judges a picture), figure_1_02_calibration (whether its p are right)
and tests/labels/test_logistic.py (that it holds).
"""

import math

import numpy

from gdl_numpy.labels.discriminative import Classifier, ClassifierFamily
from gdl_numpy.labels.softmax_newton import planes_of_least_loss
from gdl_numpy.networks.network import Network
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.elementary import sigmoid


class LinearClassifier(Classifier):
    """p_θ(y|x) with `weights`, (d, K) or (d,) for two classes, and `intercepts`, (K,) or ()."""

    @property
    def weights(self):
        return self.family.cut(self.theta)[0]

    @property
    def intercepts(self):
        return self.family.cut(self.theta)[1]


class SoftmaxFamily(ClassifierFamily):
    """Softmax regression on R^d, θ = (W, b), with penalty λ = `l2` on the weights W (d, K)."""

    classifier = LinearClassifier

    def __init__(self, d, n_classes, l2=0.0):
        d = checks.whole_number(d, "d", least=1)
        n_classes = checks.whole_number(n_classes, "n_classes", least=2)
        self._set_network(Network((d, n_classes)), n_classes)                               # (1)
        self.l2 = checks.number(l2, "l2", "[0, inf)")

    def cut(self, theta):
        """The weights (d, K) and the intercepts (K,), views of theta."""
        return self.network.cut(checks.theta_shape(theta, self.n_parameters))[0]

    def loss(self, theta, X, y):
        """The mean loss, penalty included, in nats per row, and its gradient in theta, (n_θ,)."""
        loss, dtheta = super().loss(theta, X, y)
        penalized = self._without_intercepts(theta)
        return loss + 0.5 * self.l2 * (penalized**2).sum(), dtheta + self.l2 * penalized    # (2)

    def mle(self, X, y, tol=1e-16, max_steps=1000):
        """θ̂ by Newton's method, computed in float64, shape (n_θ,), in the dtype of X.

        Of equal minima it is the one whose weights and intercepts sum to 0 over the classes. Stops
        when gradient · step, twice the decrease of the loss that a step promises, is at most
        tol · max(1, loss) and no derivative is more than a millionth of the sum of the sizes of
        its terms, or when rounding hides every decrease. ValueError if a label does not occur, if a
        row is 10¹⁵⁰ times as far out as most others, or if l2 is 0 and the classes are separated or
        columns of X depend on each other: then the likelihood has no maximum, or more than one.
        """
        X, y = self._checked(X, y)
        checks.every_label(y, self.n_classes)
        half = (X.max(axis=0) / 2 - X.min(axis=0) / 2).astype(float)
        if self.l2 == 0 and ((half > 0) & (half < 0.5e-240)).any():
            raise ValueError("X has a column that varies by less than 1e-240, too little for "
                             f"float64: take another unit, got {2 * half}")
        tol = checks.number(tol, "tol", "[0, inf)")
        max_steps = checks.whole_number(max_steps, "max_steps", least=1)
        return planes_of_least_loss(X, y, self.network.d_out, self.l2, tol, max_steps)

    def _without_intercepts(self, theta):
        """theta with the intercepts set to 0, a new array."""
        penalized = theta.copy()
        penalized[-self.network.d_out:] = 0
        return penalized


class LogisticFamily(SoftmaxFamily):
    """Logistic regression on R^d, θ = (w, b), shape (d + 1,): class 0 has the logit 0."""

    def __init__(self, d, l2=0.0):
        super().__init__(d, 2, l2)
        self._set_network(Network((self.d, 1)), 2)

    def cut(self, theta):
        """The weights (d,) and the intercept (), views of theta."""
        checks.theta_shape(theta, self.n_parameters)
        return theta[:self.d], theta[self.d]

    def logits(self, theta, X):
        """a, shape (n, 2), and backward: da -> dtheta."""
        a, backward = super().logits(theta, X)
        xp = array_module(a)
        a = xp.concatenate([xp.zeros_like(a), a], axis=1)                                   # (3)
        return a, lambda da: backward(da[:, 1:])


def iteratively_reweighted_least_squares(X, y, l2=0.0, tol=1e-16, max_steps=100):
    """θ̂ = (w, b) of logistic regression, shape (d + 1,), by Newton's method as the header has it.

    Stops when g · H⁻¹ g, twice the decrease of the loss that a step promises, is at most tol, or
    at most the machine's precision to the power 1.5. ValueError if that takes more than max_steps,
    if H has no inverse, or if l2 is 0 and a column of X does not vary. Unlike `LogisticFamily.mle`
    it writes H down, takes whole steps only, and does not notice that classes are separated.
    """
    X = checks.data_set(X)
    y = checks.different_labels(checks.labels(y, X, n_classes=2))
    tol = checks.number(tol, "tol", "[0, inf)")
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    xp, (n, d), dtype = array_module(X), X.shape, X.dtype
    X1 = xp.concatenate([X, xp.ones((n, 1))], axis=1)       # in float64, for the sums over rows
    l2 = checks.number(l2, "l2", "[0, inf)")
    if l2 == 0:
        checks.varying(X)                                   # otherwise H is singular
    penalty = xp.full(d + 1, l2)
    penalty[d] = 0
    tol, theta = max(tol, float(xp.finfo(float).eps)**1.5), xp.zeros(d + 1)
    for _ in range(max_steps):
        a = X1 @ theta
        p, rest = sigmoid(a), sigmoid(-a)                   # rest is 1 - p, with all its digits (4)
        g = X1.T @ xp.where(y == 1, -rest, p) / n + penalty * theta         # and p - 1 is -rest (5)
        H = (X1.T * (p * rest)) @ X1 / n + xp.diag(penalty)                                 # (6)
        try:
            step = xp.linalg.solve(H, g)
        except numpy.linalg.LinAlgError:
            step = xp.full(d + 1, math.nan)                 # CuPy returns it, and never raises
        if not xp.isfinite(step).all():
            raise ValueError("the Hessian is singular: columns of X depend on each other or on a "
                             "constant, or the classes are separated; pass a larger l2")
        theta = theta - step                                                                # (7)
        if g @ step <= tol:
            return theta.astype(dtype)
    raise ValueError(f"Newton's method has not converged in {max_steps} steps: pass a larger l2")
