"""Discriminative modeling: estimate p(y|x), the label given the observation.

Labels y are whole numbers from 0 to K - 1, one for each row of X. A model p_θ(y|x) says how
probable each label is. It does not say how probable x is, and it cannot make one.

    p_θ(y|x) = softmax(a)_y         log p_θ(y|x) = a_y - logsumexp(a)

    logistic regression     a = (0, x · w + b),  K = 2, so p(y=1|x) = sigmoid(x · w + b)
    softmax regression      a = x W + b
    network classifier      a = mlp_θ(x)

    loss(θ)       = -1/n Σ_i log p_θ(y_i|x_i) + λ/2 |W|²          intercepts b are not penalised
    ∂loss/∂a_i    = (p_i - onehot(y_i)) / n
    Hessian · v   = 1/n Σ_i (x_i, 1)ᵀ [p_i ⊙ (ȧ_i - p_i · ȧ_i)] + λ v on W,  with ȧ_i = (x_i, 1) v

For the two linear models the loss is convex, and Newton's method, θ ← θ - Hessian⁻¹ ∂loss, also
called iteratively reweighted least squares, needs some ten steps. Each solves its linear system by
conjugate gradients, which only multiply by the Hessian and never write it down. In softmax
regression one vector added to the weights of all classes changes nothing; among equal minima these
steps find the one whose weights sum to 0 over the classes.

If planes separate the classes and λ = 0, there is no maximum: longer weights always make the
likelihood larger. `mle` refuses such data; with a penalty λ > 0 the estimate exists.
"""

import math

from gdl_numpy.networks.network import ACTIVATIONS, initial_theta, mlp, n_parameters
from gdl_numpy.networks.training import train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.elementary import log_softmax
from gdl_numpy.probability.likelihood import negative_mean

BLOCK = 2**10                                               # rows


class Classifier:
    """p_θ(y|x) for one θ."""

    def __init__(self, family, theta):
        theta = checks.real_array(theta, "theta").copy()
        if theta.shape != (family.n_parameters,):
            raise ValueError(f"theta must have shape ({family.n_parameters},), got {theta.shape}")
        self.family, self.theta = family, theta

    def log_posterior(self, X):
        """log p(y|x) for each row of X and each label, shape (n, K), in nats."""
        X = checks.observations(X, self.theta, d=self.family.d)
        return log_softmax(self.family.logits(self.theta, X)[0])


class LinearClassifier(Classifier):
    """p_θ(y|x) with `weights`, (d,) for two classes or (d, K), and `intercepts`, () or (K,)."""

    @property
    def weights(self):
        return self.family.cut(self.theta)[0]

    @property
    def intercepts(self):
        return self.family.cut(self.theta)[1]


class ClassifierFamily:
    """What the families below share; each brings its own `logits(theta, X) -> a, backward`."""

    l2 = 0.0                                                # λ, where a family has no penalty
    classifier = Classifier

    def __call__(self, theta):
        return self.classifier(self, theta)

    def log_prob(self, theta, X, y):
        """log p_θ(y|x) for each row, shape (n,), and backward: dlog_p -> dtheta."""
        a, backward = self.logits(theta, X)
        log_p = log_softmax(a)
        xp = array_module(a)
        onehot = (xp.arange(self.n_classes) == y[:, None]).astype(a.dtype)
        return ((log_p * onehot).sum(axis=1),
                lambda dlog_p: backward((onehot - xp.exp(log_p)) * dlog_p[:, None]))

    def loss(self, theta, X, y):
        """The mean loss, penalty included, in nats per row, and its gradient in theta, (p,)."""
        return negative_mean(*self.log_prob(theta, X, y))

    def train(self, X, y, rng, optimizer=None, batch=512, max_steps=2000, theta=None):
        """Minimise the loss by steps on random rows; yields a Step each, `loss` that of its batch.

        By default Adam with η = 0.01 at first, falling to 0 as half a cosine wave. theta after any
        step is usable: stop when you like.
        """
        X, y = self.checked(X, y)
        theta = self.initial_theta(rng, X.dtype) if theta is None else theta
        yield from train(self.loss, theta, (X, y), rng, 0.01, batch, max_steps,
                         optimizer=optimizer)

    def checked(self, X, y):
        """X and y as arrays, or an error that says what is wrong with them."""
        X = checks.data_set(X, self.d)
        y = checks.labels(y, X, self.n_classes)
        if y.min() == y.max():
            raise ValueError(f"y must hold at least two different labels, got only {int(y[0])}")
        return X, y


class NetworkClassifierFamily(ClassifierFamily):
    """p_θ(y|x) = softmax(mlp_θ(x)) for a network of `sizes` (d, ..., K), without penalty."""

    def __init__(self, sizes, activation="relu"):
        self.sizes = checks.whole_numbers(sizes, "sizes", least=1)
        if len(self.sizes) < 2 or self.sizes[-1] < 2:
            raise ValueError(f"sizes must be (d, ..., K) with K >= 2 classes, got {sizes}")
        self.activation = checks.choice(activation, "activation", ACTIVATIONS)
        self.d, self.n_classes = self.sizes[0], self.sizes[-1]
        self.n_parameters = n_parameters(self.sizes)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (p,), where rng lives."""
        return initial_theta(self.sizes, rng, self.activation, dtype)

    def logits(self, theta, X):
        """a, shape (n, K), and backward: da -> dtheta."""
        a, backward = mlp(theta, X, self.sizes, self.activation)
        return a, lambda da: backward(da, inputs=False)[0]


class SoftmaxFamily(ClassifierFamily):
    """Softmax regression on R^d, θ = (W, b), with penalty λ = `l2` on the weights W (d, K)."""

    classifier = LinearClassifier

    def __init__(self, d, n_classes, l2=0.0):
        self.d = checks.whole_number(d, "d", least=1)
        self.n_classes = checks.whole_number(n_classes, "n_classes", least=2)
        self._set_columns(self.n_classes)
        self.l2 = float(l2)
        if not 0 <= self.l2 < math.inf:
            raise ValueError(f"l2 must be finite and not negative, got {l2}")

    def _set_columns(self, columns):
        """theta is a matrix (d + 1, columns), W above b, row by row."""
        self.columns, self.n_parameters = columns, (self.d + 1) * columns

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (p,), where rng lives."""
        return initial_theta((self.d, self.columns), rng, dtype=dtype)

    def logits(self, theta, X):
        """a, shape (n, K), and backward: da -> dtheta."""
        a, backward = mlp(theta, X, (self.d, self.columns))
        return self._all_classes(a), lambda da: backward(da[:, -self.columns:], inputs=False)[0]

    def _all_classes(self, a):
        """The logits of all classes from those that have parameters."""
        return a

    def loss(self, theta, X, y):
        """The mean loss, penalty included, in nats per row, and its gradient in theta, (p,)."""
        loss, dtheta = super().loss(theta, X, y)
        penalised = self.without_intercepts(theta)
        return loss + 0.5 * self.l2 * (penalised**2).sum(), dtheta + self.l2 * penalised

    def cut(self, theta):
        """The weights (d, K) and the intercepts (K,), views of theta."""
        W = theta[:self.d * self.n_classes].reshape(self.d, self.n_classes)
        return W, theta[self.d * self.n_classes:]

    def without_intercepts(self, theta):
        """theta with the intercepts set to 0, a new array."""
        penalised = theta.copy()
        penalised[-self.columns:] = 0
        return penalised

    def mle(self, X, y, tol=1e-16, max_steps=100):
        """θ̂ by Newton's method, shape (p,).

        Stops when gradient · step, twice the decrease of the loss that a step promises, is at most
        tol · max(1, loss), with a tol not below ε^1.5 for the machine's ε, or when rounding hides
        every decrease.
        ValueError if a label does not occur, or l2 is 0 and the classes can be separated or columns
        of X depend on each other: the likelihood then has no maximum, or no single one.
        """
        X, y = self.checked(X, y)
        xp = array_module(X)
        rows = xp.bincount(y, minlength=self.n_classes).tolist()
        if min(rows) == 0:
            raise ValueError(f"y must hold every label from 0 to {self.n_classes - 1}, or its "
                             f"intercept has no maximum, got {rows} rows of each")
        mean = X.mean(axis=0)
        X1 = xp.ones((len(X), self.d + 1), dtype=X.dtype)
        xp.subtract(X, mean, out=X1[:, :-1])
        theta = self._centred_mle(X1, mean, y, tol, max_steps)
        by_column = theta.reshape(self.d + 1, self.columns)         # its last row is b: x W + b
        by_column[-1] -= mean @ by_column[:-1]                      #         = (x - mean) W + b'
        if self.columns > 1:                                # what all classes share is rounding
            by_column -= by_column.mean(axis=1, keepdims=True)
        return theta

    def _centred_mle(self, X1, mean, y, tol, max_steps):
        xp = array_module(X1)
        precondition = self._preconditioner(X1, mean)
        tol = max(tol, float(xp.finfo(X1.dtype).eps)**1.5)  # float32 promises no 1e-16
        theta = xp.zeros(self.n_parameters, dtype=X1.dtype)
        if len(X1) > 100 * self.n_parameters:               # far away a tenth of the rows will do
            theta, _ = self._newton(theta, X1[::10].copy(), y[::10], precondition, 1e-4, 10)
        theta, loss = self._newton(theta, X1, y, precondition, tol, max_steps, self.l2 == 0)
        if loss is not None:
            raise ValueError(f"Newton's method has not converged in {max_steps} steps, at a loss "
                             f"of {loss} nats per row: pass a positive l2")
        return theta

    def _newton(self, theta, X1, y, precondition, tol, max_steps, may_diverge=False):
        """θ after Newton's steps, and the loss if it has not converged, else None."""
        loss, gradient, p = self._evaluate(theta, X1, y)
        for _ in range(max_steps):
            step = conjugate_gradient(self._hessian(p, X1), gradient, precondition,
                                      0 if may_diverge else 0.01 * tol)
            if may_diverge:
                self._refuse_separated(step, X1, y)
            promised = float((step * gradient).sum())
            if not promised > tol * max(1.0, loss):
                return theta, None
            for halvings in range(40):                      # a full step may go too far
                shorter = theta - 0.5**halvings * step
                new_loss, gradient, p = self._evaluate(shorter, X1, y)
                if new_loss <= loss - 1e-4 * 0.5**halvings * promised:
                    break
            if not new_loss < loss:
                return theta, None                          # rounding leaves nothing to gain
            theta, loss = shorter, new_loss
        return theta, loss

    def _evaluate(self, theta, X1, y):
        """The penalised loss, a float, its gradient (p,), and the probabilities (n, K)."""
        xp, n = array_module(X1), len(X1)
        penalised = self.without_intercepts(theta)
        loss = 0.5 * self.l2 * float((penalised**2).sum())
        gradient = self.l2 * penalised
        p = xp.empty((n, self.n_classes), dtype=X1.dtype)
        for start in range(0, n, BLOCK):                    # the rows of a block stay in the cache
            rows = slice(start, start + BLOCK)
            log_p = log_softmax(self._logits_of(theta, X1[rows]))
            onehot = y[rows, None] == xp.arange(self.n_classes)
            p[rows] = xp.exp(log_p)
            loss -= float((log_p * onehot).sum()) / n
            gradient += self._pulled_back((p[rows] - onehot) / n, X1[rows])
        return loss, gradient, p

    def _hessian(self, p, X1):
        """v -> Hessian · v, where the model gives the rows of X1 the probabilities p (n, K)."""
        xp, n = array_module(X1), len(X1)

        def product(v):
            image = self.l2 * self.without_intercepts(v)
            for start in range(0, n, BLOCK):
                x, q = X1[start:start + BLOCK], p[start:start + BLOCK]
                da = self._logits_of(v, x)
                da -= xp.einsum("ik,ik->i", q, da)[:, None]
                da *= q / n
                image += self._pulled_back(da, x)
            return image

        return product

    def _logits_of(self, v, X1):
        return self._all_classes(X1 @ v.reshape(self.d + 1, self.columns))

    def _pulled_back(self, da, X1):
        return (X1.T @ da[:, -self.columns:]).ravel()

    def _preconditioner(self, X1, mean):
        """v -> M⁻¹ v for a matrix M that is like the Hessian in its scales but easy to invert."""
        xp = array_module(X1)
        M = X1.T @ X1 / (4 * len(X1))
        penalty = xp.full(self.d + 1, self.l2, dtype=X1.dtype)
        penalty[-1] = 0
        M = M + xp.diag(penalty)
        eps, size = xp.finfo(M.dtype).eps, M.diagonal().copy()
        rounding = xp.concatenate([(10 * eps * mean)**2, xp.zeros(1, dtype=M.dtype)])
        scale = 1 / xp.sqrt(xp.where(size > rounding, size, 1))     # 1 for a constant column
        eigenvalues, V = xp.linalg.eigh(M * scale[:, None] * scale)
        if self.l2 == 0 and not eigenvalues[0] > 10 * len(M) * eps:
            raise ValueError("columns of X depend linearly on each other or on a constant, so θ̂ is "
                             "not unique: pass a positive l2")
        eigenvalues = xp.maximum(eigenvalues, 10 * len(M) * eps)
        inverse = (scale[:, None] * V / eigenvalues) @ (V.T * scale)

        def precondition(v):
            v = v.reshape(self.d + 1, self.columns)
            if self.columns > 1:                            # what all classes share does nothing
                v = v - v.mean(axis=1, keepdims=True)
            return (inverse @ v).ravel()

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
        self._set_columns(1)

    def cut(self, theta):
        """The weights (d,) and the intercept (), views of theta."""
        return theta[:self.d], theta[self.d]

    def _all_classes(self, a):
        xp = array_module(a)
        return xp.concatenate([xp.zeros_like(a), a], axis=1)


def conjugate_gradient(product, b, precondition, enough=0.0):
    """A v with product(v) ≈ b, the closer the smaller b is (Hestenes and Stiefel 1952); `enough` is
    the size r · M⁻¹ r of a residual r that need not become smaller.

    `product` multiplies by a symmetric matrix without negative eigenvalues, `precondition` by
    something like its inverse.
    """
    v = 0 * b
    residual, z = b, precondition(b)
    direction, size = z, float((b * z).sum())
    enough = max(enough, size * min(0.1, max(1e-6, math.sqrt(abs(size))))**2)
    for _ in range(2 * len(b)):
        if not size > enough:
            break
        image = product(direction)
        length = size / float((direction * image).sum())
        v = v + length * direction
        residual = residual - length * image
        z = precondition(residual)
        old, size = size, float((residual * z).sum())
        direction = z + size / old * direction
    return v
