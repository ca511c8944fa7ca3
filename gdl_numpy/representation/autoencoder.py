"""Autoencoder: the plane of principal components becomes a curved surface, which a network finds.

Why: two numbers determine the picture of a tin, but as they grow its edges move, and pixel after
pixel turns from white to grey: no plane holds all these pictures. Idea: let both maps be networks,
the encoder from x to few numbers z, the decoder from z to x̂, and train them for the least error.
What comes out well has passed through the few numbers between, so these must say all about it.

    z = encode(x) = mlp_φ(x)        x̂ = decode(z) = mlp_ψ(z)        θ = (φ, ψ), one vector
    error = mean over rows and columns of (x̂ - x)²
    ∂x̂ = 2 (x̂ - x) / number of entries     ∂ψ, ∂z by the decoder's pullback, ∂φ by the encoder's

Steps are taken in units in which the columns of X have mean 0 and all together variance 1, where
gradients are of one size; the first and the last layer absorb the change of units. The units of z
are arbitrary: the last layer of the encoder and the first of the decoder can undo each other.

An autoencoder is no density: it says where data lie, and not how often. To sample, fit a density to
the codes and push it forward (`latent.Pushforward`).

>>> family = AutoencoderFamily((1024, 64, 2))                       # a tin, two numbers, a tin
>>> family.n_parameters                                 # 1025 · 64 + 65 · 2 + 3 · 64 + 65 · 1024
132482
"""

from gdl_numpy.networks.network import Network, Parts
from gdl_numpy.networks.training import starting_theta, train
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks, mean_over_blocks
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.moments import mean_of_rows, moments
from gdl_numpy.numerics.optimizer import Step
from gdl_numpy.probability.density import cholesky


class AutoencoderFamily(Described):
    """Encoder network of `sizes` (d, ..., k), decoder network of the reversed sizes (k, ..., d)."""

    def __init__(self, sizes, activation="softplus"):
        self.encoder = Network(sizes, activation)
        self.decoder = Network(self.encoder.sizes[::-1], activation)
        self.sizes, self.activation = self.encoder.sizes, activation
        self.d, self.k = self.encoder.d_in, self.encoder.d_out
        self.parts = Parts(self.encoder.n_parameters, self.decoder.n_parameters)
        self.n_parameters = self.parts.n_parameters

    def __call__(self, theta):
        return Autoencoder(self, theta)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives."""
        return self.parts.join(self.encoder.initial_theta(rng, dtype),
                               self.decoder.initial_theta(rng, dtype))

    def encode(self, theta, X):
        """z (n, k), and backward: dZ -> dphi, dX."""
        phi, _ = self.parts(theta)
        return self.encoder(phi, X)

    def decode(self, theta, Z):
        """x̂ (n, d), and backward: dX_hat -> dpsi, dZ."""
        _, psi = self.parts(theta)
        return self.decoder(psi, Z, name="Z")

    def loss(self, theta, X):
        """The reconstruction error, a mean over rows and columns, and its gradient, (n_θ,)."""
        X = checks.not_empty(checks.observations(X, theta, finite=False, d=self.d))
        return mean_over_blocks(self._loss, theta, X, rows=2**13)

    def _loss(self, theta, X):
        Z, backward_encoder = self.encode(theta, X)
        difference, backward_decoder = self.decode(theta, Z)
        difference -= X                                             # x̂ - x
        error = (difference * difference).mean()
        difference *= 2 / difference.size                           # ∂x̂
        dpsi, dZ = backward_decoder(difference)
        dphi, _ = backward_encoder(dZ, inputs=False)
        return error, self.parts.join(dphi, dpsi)

    def rescaled(self, theta, mu, scale):
        """The θ that does with scale x + mu what theta does with x, a new array (n_θ,)."""
        theta = checks.theta_shape(theta, self.n_parameters).copy()
        mu = checks.vector(mu, "mu", self.d, like=theta, finite=False)
        phi, psi = self.parts(theta)
        W, b = self.encoder.cut(phi)[0]
        V, c = self.decoder.cut(psi)[-1]
        W /= scale                                                  # encode((x - µ)/scale)
        b -= mu @ W
        V *= scale                                                  # scale decode(z) + µ
        c *= scale
        c += mu
        return theta

    def whitened(self, theta, X):
        """The θ with the same reconstructions whose codes of X have mean 0 and covariance I.

        The units of a latent space are arbitrary: the last layer of the encoder and the first of
        the decoder undo each other. A new array (n_θ,). ValueError if the codes of X lie in fewer
        than k dimensions.
        """
        model = self(theta)
        theta = model.theta
        mean, C = moments(model.encode(checks.data_set(X, self.d)))
        L = cholesky(C)
        L_inverse = array_module(L).linalg.inv(L)
        phi, psi = self.parts(theta)
        W, b = self.encoder.cut(phi)[-1]
        V, c = self.decoder.cut(psi)[0]
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
        X = checks.different_rows(checks.data_set(X, self.d))
        mu = mean_of_rows(X)
        scale = array_module(X).sqrt(X.var(axis=0, dtype=float).mean()).astype(X.dtype)
        given, theta = theta is not None, starting_theta(self, theta, rng, X)
        if given:
            theta = self.rescaled(theta, -mu / scale, 1 / scale)
        steps = train(self.loss, theta, ((X - mu) / scale,), rng, 3e-3, batch, max_steps,
                      optimizer=optimizer)

        def in_units_of_the_data():
            for step in steps:
                yield Step(step.step, scale**2 * step.loss, self.rescaled(step.theta, mu, scale))

        return in_units_of_the_data()                       # a wrong argument is refused before


class Autoencoder(Described):
    """Encoder and decoder for one θ. No density, and no sample: see `latent.Pushforward`."""

    def __init__(self, family, theta):
        self.family, self.theta = family, checks.theta(theta, family.n_parameters).copy()

    def encode(self, X):
        """z for each row of X (n, d), shape (n, k)."""
        X = checks.observations(X, self.theta, d=self.family.d)
        return in_blocks(lambda i, j: self.family.encode(self.theta, X[i:j])[0], len(X))

    def decode(self, Z):
        """f(z) = x̂ for each row of Z (n, k), shape (n, d)."""
        Z = checks.observations(Z, self.theta, name="Z", d=self.family.k)
        return in_blocks(lambda i, j: self.family.decode(self.theta, Z[i:j])[0], len(Z))
