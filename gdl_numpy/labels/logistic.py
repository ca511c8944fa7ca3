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

    H v  = 1/n Σ_i x1_iᵀ [p_i ⊙ (ȧ_i - p_i · ȧ_i)] + λ v on W          with ȧ_i = x1_i v        (6)

It shifts the columns of X to mean 0, which only changes b, and takes as preconditioner M the
Hessian of two classes with all p = ½. If the rows are many, it begins with a tenth of them. In
softmax regression one vector added to the weights of all classes changes nothing; among equal
minima these steps find the one whose weights sum to 0 over the classes.

If planes separate the classes and λ = 0, there is no maximum: longer weights always make the
likelihood larger. `mle` refuses such data; with a penalty λ > 0 the estimate exists.

By hand: of four rows with x = 0 one has the label 1, of four with x = 1 three have it. The odds are
1/3 and 3, so b = -log 3 = -1.099 and w = log 3 - b = 2.197:

>>> X, y = [[0.0]] * 4 + [[1.0]] * 4, [0, 0, 0, 1] + [0, 1, 1, 1]
>>> print(LogisticFamily(1).mle(X, y).round(3), iteratively_reweighted_least_squares(X, y).round(3))
[ 2.197 -1.099] [ 2.197 -1.099]
"""

from gdl_numpy.labels.discriminative import Classifier, ClassifierFamily
from gdl_numpy.networks.network import Network
from gdl_numpy.numerics import checks, newton
from gdl_numpy.numerics.backend import array_module
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
    y = checks.different_labels(checks.labels(y, X, n_classes=2)).astype(X.dtype)
    xp, (n, d) = array_module(X), X.shape
    X1 = xp.concatenate([X, xp.ones((n, 1), dtype=X.dtype)], axis=1)
    penalty = xp.full(d + 1, checks.number(l2, "l2", "[0, inf)"), dtype=X.dtype)
    penalty[d] = 0
    tol = checks.number(tol, "tol", "[0, inf)")
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    tol, theta = max(tol, float(xp.finfo(X.dtype).eps)**1.5), xp.zeros(d + 1, dtype=X.dtype)
    for _ in range(max_steps):
        p = sigmoid(X1 @ theta)                                                             # (2)
        g = X1.T @ (p - y) / n + penalty * theta                                            # (3)
        H = (X1.T * (p * (1 - p))) @ X1 / n + xp.diag(penalty)                              # (4)
        step = xp.linalg.solve(H, g)
        theta = theta - step                                                                # (5)
        if g @ step <= tol:
            return theta
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
        return self.network.cut(theta)[0]

    def loss(self, theta, X, y):
        """The mean loss, penalty included, in nats per row, and its gradient in theta, (n_θ,)."""
        loss, dtheta = super().loss(theta, X, y)
        penalised = self._without_intercepts(theta)
        return loss + 0.5 * self.l2 * (penalised**2).sum(), dtheta + self.l2 * penalised    # (1)

    def mle(self, X, y, tol=1e-16, max_steps=100):
        """θ̂ by Newton's method, shape (n_θ,).

        Stops when gradient · step, twice the decrease of the loss that a step promises, is at most
        tol · max(1, loss), with a tol not below ε^1.5 for the machine's ε, or when rounding hides
        every decrease.
        ValueError if a label does not occur, or l2 is 0 and the classes can be separated or columns
        of X depend on each other: the likelihood then has no maximum, or no single one.
        """
        X, y = self._checked(X, y)
        checks.every_label(y, self.n_classes)
        mean = X.mean(axis=0)
        X1 = array_module(X).ones((len(X), self.d + 1), dtype=X.dtype)
        X1[:, :-1] = X - mean
        by_column = self._centred_mle(X1, mean, y, checks.number(tol, "tol", "[0, inf)"),
                                      checks.whole_number(max_steps, "max_steps", least=1))
        by_column[-1] -= mean @ by_column[:-1]              # x W + b = (x - mean) W + b'
        if len(by_column[0]) > 1:                           # what all classes share is rounding
            by_column -= by_column.mean(axis=1, keepdims=True)
        return by_column.ravel()

    def _centred_mle(self, X1, mean, y, tol, max_steps):
        """θ̂ for the rows x1 (n, d + 1) of centred columns, W above b', (d + 1, columns)."""
        xp = array_module(X1)
        precondition = self._preconditioner(X1, mean)
        theta = xp.zeros(self.n_parameters, dtype=X1.dtype)
        if len(X1) > 100 * self.n_parameters:               # far away a tenth of the rows will do
            few, labels = X1[::10].copy(), y[::10]
            theta, _, _ = newton.minimize(lambda theta: self._evaluate(theta, few, labels), theta,
                                          precondition, 1e-4, 10, enough=1e-6)
        tol = max(tol, float(xp.finfo(X1.dtype).eps)**1.5)  # float32 promises no 1e-16
        steps = {"enough": 0.01 * tol} if self.l2 > 0 else {
            "refuse": lambda step: self._refuse_separated(step, X1, y)}
        theta, loss, converged = newton.minimize(lambda theta: self._evaluate(theta, X1, y), theta,
                                                 precondition, tol, max_steps, **steps)
        if not converged:
            raise ValueError(f"Newton's method has not converged in {max_steps} steps, at a loss "
                             f"of {loss} nats per row: pass a positive l2")
        return theta.reshape(self.d + 1, -1)

    def _evaluate(self, theta, X1, y):
        """The penalised loss, a float, its gradient (n_θ,), and v -> Hessian · v."""
        xp, n = array_module(X1), len(X1)
        penalised = self._without_intercepts(theta)
        loss = 0.5 * self.l2 * float((penalised**2).sum())
        gradient = self.l2 * penalised
        p = xp.empty((n, self.n_classes), dtype=X1.dtype)
        for start in range(0, n, BLOCK):                    # the rows of a block stay in the cache
            rows = slice(start, start + BLOCK)
            log_p = log_softmax(self._logits_of(theta, X1[rows]))
            onehot = y[rows, None] == xp.arange(self.n_classes)
            p[rows] = xp.exp(log_p)
            loss -= float((log_p * onehot).sum()) / n                                       # (1)
            gradient += self._pulled_back((p[rows] - onehot) / n, X1[rows])                 # (3)
        return loss, gradient, lambda v: self._hessian_times(v, p, X1)

    def _hessian_times(self, v, p, X1):
        """Hessian · v, where the model gives the rows of X1 the probabilities p (n, K)."""
        image = self.l2 * self._without_intercepts(v)
        for start in range(0, len(X1), BLOCK):
            x, q = X1[start:start + BLOCK], p[start:start + BLOCK]
            da = self._logits_of(v, x)                                                      # (6)
            da -= array_module(q).einsum("ik,ik->i", q, da)[:, None]
            da *= q / len(X1)
            image += self._pulled_back(da, x)
        return image

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

    def _preconditioner(self, X1, mean):
        """r -> M⁻¹ r for an M that is like the Hessian in its scales but easy to invert."""
        xp = array_module(X1)
        M = X1.T @ X1 / (4 * len(X1))
        penalty = xp.full(self.d + 1, self.l2, dtype=X1.dtype)
        penalty[-1] = 0
        M = M + xp.diag(penalty)
        rounding, size = xp.finfo(M.dtype).eps, M.diagonal().copy()
        lost = xp.concatenate([(10 * rounding * mean)**2, xp.zeros(1, dtype=M.dtype)])
        scale = 1 / xp.sqrt(xp.where(size > lost, size, 1))     # 1 for a constant column
        eigenvalues, V = xp.linalg.eigh(M * scale[:, None] * scale)
        if self.l2 == 0 and not eigenvalues[0] > 10 * len(M) * rounding:
            raise ValueError("columns of X depend linearly on each other or on a constant, so θ̂ is "
                             "not unique: pass a positive l2")
        eigenvalues = xp.maximum(eigenvalues, 10 * len(M) * rounding)
        inverse = (scale[:, None] * V / eigenvalues) @ (V.T * scale)

        def precondition(r):
            r = r.reshape(self.d + 1, -1)
            if r.shape[1] > 1:                              # what all classes share does nothing
                r = r - r.mean(axis=1, keepdims=True)
            return (inverse @ r).ravel()

        return precondition

    def _refuse_separated(self, step, X1, y):
        """ValueError if going on against `step` for ever makes no row's label less probable."""
        a = -self._logits_of(step, X1)
        own = a[array_module(a).arange(len(a)), y]
        worst, best = (own - a.max(axis=1)).min(), (own - a.min(axis=1)).max()
        if best > 0 and worst >= -1e-9 * best:
            raise ValueError("the classes are separated by a plane, so the likelihood has no "
                             "maximum: longer weights always raise it; pass a positive l2")


class LogisticFamily(SoftmaxFamily):
    """Logistic regression on R^d, θ = (w, b), shape (d + 1,): class 0 has the logit 0."""

    def __init__(self, d, l2=0.0):
        super().__init__(d, 2, l2)
        self._set_network(Network((self.d, 1)), 2)

    def cut(self, theta):
        """The weights (d,) and the intercept (), views of theta."""
        checks.one_axis(theta, self.n_parameters, "theta")
        return theta[:self.d], theta[self.d]

    def logits(self, theta, X):
        """a, shape (n, 2), and backward: da -> dtheta."""
        a, backward = super().logits(theta, X)
        return self._all_classes(a), lambda da: backward(da[:, 1:])

    def _all_classes(self, a):
        xp = array_module(a)
        return xp.concatenate([xp.zeros_like(a), a], axis=1)
