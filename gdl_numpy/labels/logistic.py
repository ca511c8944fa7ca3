"""Logistic regression and softmax regression: classes that planes keep apart.

Why: before a network is asked, the simplest model should be, whose weights can be read: how much
more probable does one more unit of this feature make the label? Idea: the logarithm of the odds
p/(1 - p) of two classes is a plane over x, and so is the logit of each of K classes.

    logistic regression    a = (0, x · w + b)       K = 2, so p(y=1|x) = sigmoid(x · w + b)
    softmax regression     a = x W + b              W (d, K), b (K,)
    loss(θ)                = -1/n Σ_i log p_θ(y_i|x_i) + λ/2 |W|²                               (1)

The intercepts b are not penalised, so that it does not matter where the origin of R^d lies. No
formula gives θ̂, but the loss is convex, and Newton's method needs some ten steps. With x1 = (x, 1),
θ = (w, b), and Λ the diagonal matrix of λ, ..., λ, 0, for two classes:

    p_i  = sigmoid(x1_i · θ)                                                                    (2)
    g    = 1/n Σ_i (p_i - y_i) x1_i + Λ θ                     the gradient                      (3)
    H    = 1/n Σ_i p_i (1 - p_i) x1_i x1_iᵀ + Λ               the Hessian                       (4)
    θ    ← θ - H⁻¹ g                                                                            (5)

Each step is a regression by least squares, with a weight p (1 - p) for every row that changes from
step to step: hence its other name, iteratively reweighted least squares.

`mle` does the same for any number of classes and columns, by newton.py, which only multiplies by H:

    H v  = 1/n Σ_i x1_iᵀ [p_i ⊙ (ȧ_i - p_i · ȧ_i)] + Λ v               with ȧ_i = x1_i v        (6)

Columns are shifted to a median near 0, which only changes b, and measured in units of their own;
without a penalty any basis will do, and where a row is far away it gets a column for itself. As
preconditioner M it takes the Hessian of two classes with all p = ½ at first, and later the blocks
of H that stay within one class. If the rows are many, it begins with a tenth of them. In softmax
regression one vector added to the weights of all classes changes nothing; among equal minima these
steps find the one whose weights sum to 0 over the classes.

If planes separate the classes and λ = 0, there is no maximum: longer weights always make the
likelihood larger. `mle` refuses such data (separation.py); with a penalty λ > 0 the estimate
exists, and as λ falls the weights grow like log 1/λ. There p is within λ of 0 or 1, and a
difference p - 1 has no digits left; it is computed as minus the sum of the other p.

By hand: of four rows with x = 0 one has the label 1, of four with x = 1 three have it. The odds are
1/3 and 3, so b = -log 3 = -1.099 and w = log 3 - b = 2.197:

>>> X, y = [[0.0]] * 4 + [[1.0]] * 4, [0, 0, 0, 1] + [0, 1, 1, 1]
>>> print(LogisticFamily(1).mle(X, y).round(3), iteratively_reweighted_least_squares(X, y).round(3))
[ 2.197 -1.099] [ 2.197 -1.099]
"""

import math

import numpy

from gdl_numpy.labels.discriminative import Classifier, ClassifierFamily
from gdl_numpy.labels.separation import separated_near
from gdl_numpy.networks.network import Network
from gdl_numpy.numerics import checks, newton
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import log_softmax, sigmoid

BLOCK = 2**10                                               # rows


def iteratively_reweighted_least_squares(X, y, l2=0.0, tol=1e-16, max_steps=100):
    """θ̂ = (w, b) of logistic regression, shape (d + 1,), by Newton's method as it is written above.

    Stops when g · H⁻¹ g, twice the decrease of the loss that a step promises, is at most tol, or
    ε^1.5 for the machine's ε. ValueError if that takes more than max_steps, or H has no inverse.
    Unlike `LogisticFamily.mle` it writes H down, takes whole steps only, and does not notice
    classes that are separated.
    """
    X = checks.data_set(X)
    y = checks.different_labels(checks.labels(y, X, n_classes=2)).astype(float)
    tol = checks.number(tol, "tol", "[0, inf)")
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    xp, (n, d), dtype = array_module(X), X.shape, X.dtype
    X1 = xp.concatenate([X, xp.ones((n, 1))], axis=1)       # in float64, for the sums over rows
    penalty = xp.full(d + 1, checks.number(l2, "l2", "[0, inf)"))
    penalty[d] = 0
    tol, theta = max(tol, float(xp.finfo(float).eps)**1.5), xp.zeros(d + 1)
    for _ in range(max_steps):
        p = sigmoid(X1 @ theta)                                                             # (2)
        g = X1.T @ (p - y) / n + penalty * theta                                            # (3)
        H = (X1.T * (p * (1 - p))) @ X1 / n + xp.diag(penalty)                              # (4)
        try:
            step = xp.linalg.solve(H, g)
        except numpy.linalg.LinAlgError:
            step = xp.full(d + 1, math.nan)                 # CuPy returns it, and never raises
        if not xp.isfinite(step).all():
            raise ValueError("the Hessian is singular: columns of X depend on each other or on a "
                             "constant, or the classes are separated; pass a larger l2")
        theta = theta - step                                                                # (5)
        if g @ step <= tol:
            return theta.astype(dtype)
    raise ValueError(f"Newton's method has not converged in {max_steps} steps: pass a larger l2")


class LinearClassifier(Classifier):
    """p_θ(y|x) with `weights`, (d,) for two classes or (d, K), and `intercepts`, () or (K,)."""

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
        self._set_network(Network((d, n_classes)), n_classes)
        self.l2 = checks.number(l2, "l2", "[0, inf)")

    def cut(self, theta):
        """The weights (d, K) and the intercepts (K,), views of theta."""
        return self.network.cut(checks.theta_shape(theta, self.n_parameters))[0]

    def loss(self, theta, X, y):
        """The mean loss, penalty included, in nats per row, and its gradient in theta, (n_θ,)."""
        loss, dtheta = super().loss(theta, X, y)
        penalised = self._without_intercepts(theta)
        return loss + 0.5 * self.l2 * (penalised**2).sum(), dtheta + self.l2 * penalised    # (1)

    def mle(self, X, y, tol=1e-16, max_steps=1000):
        """θ̂ by Newton's method, computed in float64, shape (n_θ,), in the dtype of X.

        Stops when gradient · step, twice the decrease of the loss that a step promises, is at most
        tol · max(1, loss) and the step would move no logit by as much as 0.001, or when rounding
        hides every decrease.
        ValueError if a label does not occur, or l2 is 0 and the classes are separated or columns of
        X depend on each other: the likelihood then has no maximum, or no single one.
        """
        X, y = self._checked(X, y)
        checks.every_label(y, self.n_classes)
        tol = checks.number(tol, "tol", "[0, inf)")
        max_steps = checks.whole_number(max_steps, "max_steps", least=1)
        unit, origin = _in_units(X)
        planes = self._planes(X, y, unit, origin, tol, max_steps)
        planes[:-1] = (planes[:-1] / unit[:, None]).astype(X.dtype)     # b makes up for rounding
        planes[-1] -= origin @ planes[:-1]                  # x W + b = (x - origin) W + b'
        if planes.shape[1] > 1:                             # what all classes share is rounding
            planes -= planes.mean(axis=1, keepdims=True)
        return planes.ravel().astype(X.dtype)

    def _planes(self, X, y, unit, origin, tol, max_steps):
        """θ̂ for the rows x1 = ((x - origin)/unit, 1), W above b', (d + 1, columns)."""
        xp = array_module(X)
        X1 = xp.ones((len(X), self.d + 1))
        X1[:, :-1] = (X.astype(float) - origin) / unit
        U = xp.eye(self.d + 1)
        if self.l2 == 0:                                    # then θ may be measured in any basis
            _refuse_dependent(X1)
            if abs(X1).max() > 1e4:
                X1, U = _far_rows_apart(X1)
        penalty = xp.zeros((self.d + 1, self.network.d_out))
        penalty[:-1] = (self.l2 / unit / unit)[:, None]
        penalty = penalty.ravel()
        theta, even = 0 * penalty, xp.full((1, 1), 0.25)
        precondition = _inverse_of_blocks(X1, even, penalty)

        def renew(theta):
            return _inverse_of_blocks(X1, self._curvatures(theta, X1, y), penalty)

        def look(step):                                     # whether it moves no logit far
            moved = -self._all_classes(step.reshape(self.d + 1, -1))
            far = float(in_blocks(lambda i, j: _farthest(X1[i:j] @ moved, y[i:j]), len(X)).max())
            if self.l2 == 0 and far >= 0.5 and separated_near(
                    X.astype(float) / unit, origin / unit, y, xp.linalg.solve(U, moved)):
                raise ValueError("the classes are separated by a plane, so the likelihood has no "
                                 "maximum: longer weights always raise it; pass a positive l2")
            return far < 1e-3

        if len(X1) > 100 * self.n_parameters:               # far away a tenth of the rows will do
            few, labels = X1[::10].copy(), y[::10]
            theta, _, _ = newton.minimize(
                lambda theta: self._evaluate(theta, few, labels, penalty), theta,
                precondition, 1e-4, 10, enough=1e-6)
        theta, loss, converged = newton.minimize(
            lambda theta: self._evaluate(theta, X1, y, penalty), theta, precondition,
            0.5 * tol, max_steps, enough=0.01 * tol, look=look, renew=renew,
            worth=self.d)
        if not converged:
            raise ValueError(f"Newton's method has not converged in {max_steps} steps, at a loss "
                             f"of {loss} nats per row: pass a positive l2")
        return xp.linalg.solve(U, theta.reshape(self.d + 1, -1))

    def _evaluate(self, theta, X1, y, penalty):
        """The penalised loss, a float, its gradient (n_θ,), and v -> Hessian · v."""
        n, gradient = len(X1), penalty * theta
        loss = 0.5 * float((gradient * theta).sum())
        p = array_module(X1).empty((n, self.n_classes))
        for start in range(0, n, BLOCK):                    # the rows of a block stay in the cache
            rows = slice(start, start + BLOCK)
            log_p, onehot, p[rows], residual = self._residual(theta, X1[rows], y[rows])
            loss -= float((log_p * onehot).sum()) / n                                       # (1)
            gradient += self._pulled_back(residual / n, X1[rows])                           # (3)
        return loss, gradient, lambda v: self._hessian_times(v, p, X1, y, penalty)

    def _residual(self, theta, X1, y):
        """log p (n, K), the one-hot labels, p, and p - onehot, none of whose digits are lost."""
        log_p = log_softmax(self._logits_of(theta, X1))
        xp = array_module(log_p)
        onehot, p = y[:, None] == xp.arange(self.n_classes), xp.exp(log_p)
        others = xp.where(onehot, 0, p)                     # p_y - 1 is minus the sum of these
        return log_p, onehot, p, others - onehot * others.sum(axis=1, keepdims=True)

    def _hessian_times(self, v, p, X1, y, penalty):
        """Hessian · v, where the model gives the rows of X1 the probabilities p (n, K)."""
        image, xp = penalty * v, array_module(X1)
        for start in range(0, len(X1), BLOCK):
            rows = slice(start, start + BLOCK)
            x, q = X1[rows], p[rows]
            da = self._logits_of(v, x)                                                      # (6)
            da -= xp.take_along_axis(da, y[rows, None], axis=1)     # changes nothing; see _residual
            da -= xp.einsum("ik,ik->i", q, da)[:, None]
            da *= q / len(X1)
            image += self._pulled_back(da, x)
        return image

    def _curvatures(self, theta, X1, y):
        """p (1 - p) for each row of X1 and each class with parameters, (n, columns)."""
        def of_rows(i, j):
            _, onehot, p, residual = self._residual(theta, X1[i:j], y[i:j])
            return (p * array_module(p).where(onehot, -residual, 1 - p))[:, -self.network.d_out:]

        return in_blocks(of_rows, len(X1))

    def _logits_of(self, v, X1):
        return self._all_classes(X1 @ v.reshape(self.d + 1, -1))

    def _pulled_back(self, da, X1):
        return (X1.T @ da[:, -self.network.d_out:]).ravel()

    def _all_classes(self, a):
        """The logits of all classes from those that have parameters."""
        return a

    def _without_intercepts(self, theta):
        """theta with the intercepts set to 0, a new array."""
        penalised = theta.copy()
        penalised[-self.network.d_out:] = 0
        return penalised


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
        return self._all_classes(a), lambda da: backward(da[:, 1:])

    def _all_classes(self, a):
        xp = array_module(a)
        return xp.concatenate([xp.zeros_like(a), a], axis=1)


def _in_units(X):
    """The unit and the origin (d,) of each column of X (n, d), in float64.

    The origin is about the median, because differences lose no digit near it. The unit is about the
    median distance from it, or the largest where that is 0, and a power of two, which rounds no
    number.
    """
    xp = array_module(X)
    some = X[::max(1, len(X) // 2**10)].astype(float)
    origin = xp.median(some, axis=0)
    typical = xp.median(abs(some - origin), axis=0)
    typical = xp.where(typical > 0, typical, abs(X - origin).max(axis=0))
    return 2.0**xp.log2(xp.where(typical > 0, typical, 1)).round().clip(-300, 300), origin


def _far_rows_apart(X1):
    """L (n, d + 1) and U (d + 1, d + 1) with X1 = L U, by Gauss's elimination with pivots.

    A row that is far away in many columns of X1 is so in one column of L only, and 0 in those after
    it, so that it hides nothing there of what the other rows say.
    """
    L, U = X1.copy(), array_module(X1).eye(X1.shape[1])
    for j in range(len(U)):
        i = int(abs(L[:, j]).argmax())
        U[j, j + 1:] = L[i, j + 1:] / L[i, j]
        L[:, j + 1:] -= L[:, j:j + 1] * U[j, j + 1:]
        L[i, j + 1:] = 0                                    # exactly, whatever rounding left
    return L, U


def _farthest(a, y):
    """The largest difference of logits a (n, K) from that of the label, for each row, (n,)."""
    return abs(array_module(a).take_along_axis(a, y[:, None], axis=1) - a).max(axis=1)


def _refuse_dependent(X1):
    """ValueError if the columns of X1 depend on each other; a row counts as much as any other."""
    xp = array_module(X1)
    X1 = X1 / abs(X1).max(axis=1, keepdims=True)
    G = X1.T @ X1
    size = G.diagonal()
    scale = 1 / xp.sqrt(xp.where(size > 0, size, 1))        # 1 for a constant column
    if not xp.linalg.eigvalsh(G * scale[:, None] * scale)[0] > 10 * len(G) * xp.finfo(float).eps:
        raise ValueError("columns of X depend linearly on each other or on a constant, so θ̂ is not "
                         "unique: pass a positive l2")


def _inverse_of_blocks(X1, weights, penalty):
    """r -> M⁻¹ r, for the Hessian's blocks M_k = X1ᵀ diag(w_k) X1/n + Λ of each class, with weights
    w (n, columns), or one for all. What is left out leads from one class to another."""
    xp, n, inverses = array_module(X1), len(X1), []
    penalty = xp.diag(penalty.reshape(X1.shape[1], -1)[:, 0])
    for w in weights.T:
        M = (X1.T * w) @ X1 / n + penalty
        size = M.diagonal()
        scale = 1 / xp.sqrt(xp.where(size > 0, size, 1))
        eigenvalues, V = xp.linalg.eigh(M * scale[:, None] * scale)
        eigenvalues = xp.maximum(eigenvalues, 10 * len(M) * xp.finfo(float).eps)
        inverses.append((scale[:, None] * V / eigenvalues) @ (V.T * scale))
    inverses = xp.stack(inverses)

    def within(r):                                          # what all classes share does nothing
        return r - r.mean(axis=0) if len(r) > 1 else r

    def precondition(r):
        r = within(r.reshape(X1.shape[1], -1).T)            # (columns, d + 1)
        return within((inverses @ r[:, :, None])[:, :, 0]).T.ravel()

    return precondition
