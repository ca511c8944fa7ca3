"""Latent space: few numbers z that stand for an observation x of many, and the mapping f back.

    encoder   z = encode(x)       decoder, the mapping function f   x̂ = decode(z)
    reconstruction error = mean over rows and columns of (x - decode(encode(x)))²

**Principal components.** Among all planes of k dimensions the one through the mean µ along the
leading eigenvectors U = (u_1, ..., u_k) of the covariance has the smallest error: encode(x) =
(x - µ) U, decode(z) = µ + z Uᵀ. The share of the variance in direction i is λ_i / Σ λ.

**Probabilistic PCA** (Tipping and Bishop 1999) makes it a density: z ~ N(0, I), x = µ + W z + σ ε,

    p(x) = N(µ, C),  C = W Wᵀ + σ² I        M = Wᵀ W + σ² I, k by k
    C⁻¹ = (I - W M⁻¹ Wᵀ)/σ²                 log det C = (d - k) log σ² + log det M
    E[z|x] = M⁻¹ Wᵀ (x - µ)                 the encoder
    σ̂² = mean of λ_{k+1}, ..., λ_d          Ŵ = U (Λ - σ̂² I)^½         maximum likelihood

and with a = C⁻¹ (x - µ) the gradient of log p is a in µ, a aᵀW - W M⁻¹ in W, σ² (|a|² - tr C⁻¹) in
log σ. Beside the data and what has their shape, nothing in it is larger than d by k.

**Autoencoder.** The plane becomes a curved surface: both maps are networks, and their weights one
vector θ = (φ of the encoder, ψ of the decoder), trained for the least error. Steps are taken in
units in which the columns of X have mean 0 and all together variance 1, where gradients are of one
size; the first and the last layer absorb the change of units. An autoencoder is no density: it says
where data lie, and not how often. To sample, fit a density p_z to the codes and push it forward, x
= f(z).

Erratum E24: a generative model need not be random but for its input: a fixed function f of a random
z is the usual one. The mean of two tins in latent space is a tin; in pixels it is none (test_e24).
Erratum E38: such a pushforward has no density if z has fewer dimensions than x: its values fill a
volume of 0 (test_e38). Erratum E39: not every z decodes well, only those where training put codes,
so p_z is to be fitted to codes and not to be N(0, I) by decree (test_e39). Erratum E42: ten yes/no
facts tell 2^10 people apart at best, fewer if they are not independent and even (test_e42).
"""

from gdl_numpy.networks.network import ACTIVATIONS, cut, initial_theta, mlp, n_parameters
from gdl_numpy.networks.training import train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.neighbours import nearest
from gdl_numpy.numerics.optimizer import Step
from gdl_numpy.probability.density import LOG_2_PI, cholesky


class PrincipalComponents:
    """The plane of k dimensions nearest to a data set: `PrincipalComponents.fit(X, k)`.

    `mu` (d,), `components` (d, k) as columns, `explained_variance_ratio` (k,), falling.
    """

    def __init__(self, mu, components, explained_variance_ratio):
        self.mu, self.components = mu, components
        self.explained_variance_ratio = explained_variance_ratio

    @classmethod
    def fit(cls, X, k):
        """From the rows of X (n, d); ValueError unless 1 <= k <= min(n, d) and X varies."""
        X = checks.data_set(X)
        mu, eigenvalues, U = principal_axes(X)
        if not 1 <= checks.whole_number(k, "k") <= U.shape[1]:
            raise ValueError(f"k must lie between 1 and {U.shape[1]}, the smaller side of X "
                             f"{X.shape}, got {k}")
        return cls(mu, U[:, :k], eigenvalues[:k] / eigenvalues.sum())

    def encode(self, X):
        """z = (x - µ) U for each row, (n, k)."""
        return (checks.observations(X, self.mu) - self.mu) @ self.components

    def decode(self, Z):
        """x̂ = µ + z Uᵀ for each row, (n, d)."""
        return self.mu + checks.observations(Z, self.components, name="Z") @ self.components.T


def principal_axes(X):
    """Mean (d,), eigenvalues λ (m,) of the covariance, falling, and their vectors U (d, m).

    From the singular values of the centred rows, X - µ = V S Uᵀ and λ = S²/n, so that no digits are
    lost by squaring; m = min(n, d), all other λ are 0. ValueError if all rows are equal.
    """
    xp = array_module(X)
    mu = X.mean(axis=0)
    _, S, Ut = xp.linalg.svd(X - mu, full_matrices=False)
    if (X == X[0]).all() or not S[0] > 0:
        raise ValueError(f"X must vary, but its {len(X)} rows are all equal")
    return mu, S**2 / len(X), Ut.T


class ProbabilisticPCAFamily:
    """N(µ, W Wᵀ + σ² I) on R^d with W (d, k), θ = (µ, W row by row, log σ)."""

    def __init__(self, d, k):
        self.d, self.k = checks.whole_number(d, "d", least=2), checks.whole_number(k, "k", least=1)
        if not self.k < self.d:
            raise ValueError(f"k must be less than d = {d}, got {k}")
        self.n_parameters = self.d + self.d * self.k + 1

    def __call__(self, theta):
        return ProbabilisticPCA(self, checks.theta(theta, self.n_parameters).copy())

    def cut(self, theta):
        """µ (d,), W (d, k) and log σ (), views of theta."""
        return theta[:self.d], theta[self.d:-1].reshape(self.d, self.k), theta[-1]

    def initial_theta(self, rng):
        """A start near the standard normal, shape (p,)."""
        return 0.1 * rng.standard_normal(self.n_parameters)

    def mle(self, X):
        """θ̂, shape (p,). ValueError if k directions hold all the variance of X: then σ̂ is 0."""
        X = checks.data_set(X, self.d)
        xp = array_module(X)
        mu, eigenvalues, U = principal_axes(X)
        variance = eigenvalues[self.k:].sum() / (self.d - self.k)
        rounding = (8 * xp.finfo(X.dtype).eps)**2 * (eigenvalues[0] + self.d * abs(X).max()**2)
        if not variance > rounding:
            raise ValueError(f"X lies in a plane of {self.k} dimensions or fewer, so its likelihood"
                             " has no maximum: take a smaller k")
        W = U[:, :self.k] * xp.sqrt(eigenvalues[:self.k] - variance)
        return xp.concatenate([mu, W.ravel(), 0.5 * xp.log(variance)[None]])

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        xp = array_module(theta)
        mu, W, log_sigma = self.cut(checks.theta_shape(theta, self.n_parameters))
        variance = xp.exp(2 * log_sigma)
        R = checks.observations(X, mu, finite=False) - mu
        M_inverse, log_det_M = self._inverse(W, variance)
        A = (R - R @ W @ M_inverse @ W.T) / variance        # a = C⁻¹ (x - µ)
        log_det = 2 * (self.d - self.k) * log_sigma + log_det_M
        log_p = -0.5 * ((R * A).sum(axis=1) + log_det + self.d * LOG_2_PI)

        def backward(dlog_p):
            gA, total = dlog_p[:, None] * A, dlog_p.sum()
            trace = (self.d - self.k) / variance + xp.trace(M_inverse)      # tr C⁻¹
            dW = gA.T @ (A @ W) - total * W @ M_inverse
            dlog_sigma = variance * ((gA * A).sum() - total * trace)
            return xp.concatenate([gA.sum(axis=0), dW.ravel(), dlog_sigma[None]])

        return log_p, backward

    def _inverse(self, W, variance):
        """M⁻¹ (k, k) and log det M, of M = Wᵀ W + σ² I."""
        xp = array_module(W)
        L = xp.linalg.cholesky(W.T @ W + variance * xp.eye(self.k, dtype=W.dtype))
        L_inverse = xp.linalg.inv(L)
        return L_inverse.T @ L_inverse, 2 * xp.log(L.diagonal()).sum()


class ProbabilisticPCA:
    """The density N(µ, W Wᵀ + σ² I), with an encoder and a decoder."""

    def __init__(self, family, theta):
        self.family, self.theta = family, theta
        self.mu, self.W, log_sigma = family.cut(theta)
        self.sigma = array_module(theta).exp(log_sigma)
        self.M_inverse, _ = family._inverse(self.W, self.sigma**2)

    def log_prob(self, X):
        """log p(x) for each row, shape (n,), in O(n d k)."""
        return self.family.log_prob(self.theta, checks.observations(X, self.mu))[0]

    def sample(self, n, rng):
        """µ + W z + σ ε with z and ε from normal distributions, (n, d)."""
        Z = rng.standard_normal((checks.whole_number(n, "n"), self.family.k), dtype=self.mu.dtype)
        eps = rng.standard_normal((n, self.family.d), dtype=self.mu.dtype)
        return self.decode(Z) + self.sigma * eps

    def encode(self, X):
        """E[z|x] for each row, (n, k)."""
        return (checks.observations(X, self.mu) - self.mu) @ self.W @ self.M_inverse

    def decode(self, Z):
        """E[x|z] = µ + W z for each row, (n, d)."""
        return self.mu + checks.observations(Z, self.W, name="Z") @ self.W.T


class AutoencoderFamily:
    """Encoder network of `sizes` (d, ..., k), decoder network of the reversed sizes (k, ..., d)."""

    def __init__(self, sizes, activation="softplus"):
        self.sizes = checks.whole_numbers(sizes, "sizes", least=1)
        if len(self.sizes) < 2:
            raise ValueError(f"sizes must be (d, ..., k), got {sizes}")
        checks.choice(activation, "activation", ACTIVATIONS)
        self.d, self.k, self.activation = self.sizes[0], self.sizes[-1], activation
        self.split = n_parameters(self.sizes)
        self.n_parameters = self.split + n_parameters(self.sizes[::-1])

    def __call__(self, theta):
        return Autoencoder(self, checks.theta(theta, self.n_parameters).copy())

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (p,), where rng lives."""
        parts = [initial_theta(sizes, rng, self.activation, dtype)
                 for sizes in (self.sizes, self.sizes[::-1])]
        return array_module(parts[0]).concatenate(parts)

    def encode(self, theta, X):
        """z (n, k), and backward: dZ -> dphi."""
        return mlp(theta[:self.split], X, self.sizes, self.activation)

    def decode(self, theta, Z):
        """x̂ (n, d), and backward: dX_hat -> dpsi, dZ."""
        return mlp(theta[self.split:], Z, self.sizes[::-1], self.activation)

    def loss(self, theta, X):
        """The reconstruction error, a mean over rows and columns, and its gradient, (p,)."""
        checks.theta_shape(theta, self.n_parameters)
        if len(X) == 0:
            raise ValueError("X is empty: there is no mean over no rows")
        Z, backward_encoder = self.encode(theta, X)
        difference, backward_decoder = self.decode(theta, Z)
        difference -= X                                             # x̂ - x
        error = (difference * difference).mean()
        difference *= 2 / difference.size                           # ∂error/∂x̂
        dpsi, dZ = backward_decoder(difference)
        dphi, _ = backward_encoder(dZ, inputs=False)
        return error, array_module(theta).concatenate([dphi, dpsi])

    def rescaled(self, theta, mu, scale):
        """The θ that does with scale x + mu what theta does with x, a new array (p,)."""
        theta = checks.theta_shape(theta, self.n_parameters).copy()
        W, b = cut(theta[:self.split], self.sizes)[0]
        V, c = cut(theta[self.split:], self.sizes[::-1])[-1]
        W /= scale                                                  # encode((x - µ)/scale)
        b -= mu @ W
        V *= scale                                                  # scale decode(z) + µ
        c *= scale
        c += mu
        return theta

    def whitened(self, theta, X):
        """The θ with the same reconstructions whose codes of X have mean 0 and covariance I, (p,).

        The units of a latent space are arbitrary: the last layer of the encoder and the first of
        the decoder undo each other. ValueError if the codes of X lie in fewer than k dimensions.
        """
        Z = self(theta).encode(checks.data_set(X, self.d))
        mean = Z.mean(axis=0)
        L = cholesky((Z - mean).T @ (Z - mean) / len(Z))
        L_inverse = array_module(L).linalg.inv(L)
        theta = theta.copy()
        W, b = cut(theta[:self.split], self.sizes)[-1]
        V, c = cut(theta[self.split:], self.sizes[::-1])[0]
        W[...] = W @ L_inverse.T                                    # z' = L⁻¹ (z - z̄)
        b[...] = (b - mean) @ L_inverse.T
        c += mean @ V                                               # z = L z' + z̄
        V[...] = L.T @ V
        return theta

    def train(self, X, rng, optimizer=None, batch=128, max_steps=6000, theta=None):
        """Minimise the error by steps on random rows; yields a Step each, `loss` that of its batch.

        By default Adam with η = 0.003 at first, falling to 0 as half a cosine wave. theta after any
        step is usable: stop when you like. float32 data are trained in float32, twice as fast.
        ValueError if all rows of X are equal.
        """
        X = checks.data_set(X, self.d)
        mu, scale = X.mean(axis=0), array_module(X).sqrt(X.var(axis=0).mean())
        if (X == X[0]).all() or not scale > 0:
            raise ValueError(f"X must vary, but its {len(X)} rows are all equal")
        X = (X - mu) / scale
        if theta is None:
            theta = self.initial_theta(rng, X.dtype)
        else:
            theta = checks.real_array(theta, "theta", like=X)
            theta = self.rescaled(theta, -mu / scale, 1 / scale)
        for step in train(self.loss, theta, (X,), rng, 3e-3, batch, max_steps,
                          optimizer=optimizer):
            yield Step(step.step, scale**2 * step.loss, self.rescaled(step.theta, mu, scale))


class Autoencoder:
    """Encoder and decoder for one θ. No density, and no sample: see `Pushforward`."""

    def __init__(self, family, theta):
        self.family, self.theta = family, theta

    def encode(self, X):
        """z for each row of X (n, d), shape (n, k)."""
        return self._mapped(self.family.encode, X, self.family.d, "X")

    def decode(self, Z):
        """f(z) = x̂ for each row of Z (n, k), shape (n, d)."""
        return self._mapped(self.family.decode, Z, self.family.k, "Z")

    def _mapped(self, mapping, X, d, name):
        X = checks.observations(X, self.theta, name=name, d=d)
        return mapping(self.theta, X)[0]


class Pushforward:
    """The distribution of f(z) for z ~ p_z: it can be sampled; a density it may not have (E38).

    `p_z` is a density on the codes, fitted to them, and `f` maps codes (n, k) to rows (n, d).
    """

    def __init__(self, p_z, f):
        self.p_z, self.f = p_z, f

    def sample(self, n, rng):
        """f(z) for n draws of z ~ p_z, shape (n, d)."""
        return self.f(self.p_z.sample(n, rng))


def interpolate(model, x0, x1, n):
    """n decoded points of the straight line between the codes of x0 and x1 (d,), shape (n, d)."""
    xp, n = array_module(x0), checks.whole_number(n, "n", least=1)
    z0, z1 = model.encode(xp.stack([x0, x1]))
    t = xp.linspace(0, 1, n, dtype=z0.dtype)[:, None]
    return model.decode((1 - t) * z0 + t * z1)


def directions(Z, attributes, z, k=100):
    """How the code moves, seen from z (k_z,), as one attribute grows and the others stay, (c, k_z).

    `attributes` (n, c) are measured on the observations with the codes Z (n, k_z). Around z, z_i is
    nearly linear in them: the rows are the coefficients B of the least squares fit
    z_i - z̄ ≈ (a_i - ā) B to the k codes nearest to z. ValueError if these do not determine it.
    """
    Z = checks.data_set(Z)
    xp = array_module(Z)
    attributes = checks.paired(attributes, "attributes", Z)
    z = checks.real_array(z, "z", like=Z)
    near = nearest(z[None], Z, k)[1][0]
    A = attributes[near] - attributes[near].mean(axis=0)
    scale = xp.sqrt((A**2).mean(axis=0))                            # so that no unit counts more
    A = A / xp.where(scale > 0, scale, 1)
    eigenvalues, V = xp.linalg.eigh(A.T @ A / k)
    if not eigenvalues[0] > 1000 * xp.finfo(Z.dtype).eps:
        raise ValueError("attributes near z must vary independently of each other: take more "
                         f"neighbours than k = {k}, or other attributes")
    B = (V / eigenvalues) @ V.T @ A.T @ (Z[near] - Z[near].mean(axis=0)) / k
    return B / scale[:, None]
