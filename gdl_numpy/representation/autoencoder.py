"""Autoencoder: two networks, one from x to a code z of few numbers, and one from z back to x.

Two numbers determine the image of a tin, but as they grow its edges move, and one pixel after
another turns from white to gray: the tins are a curved surface. The plane of two principal
components misses a new tin by 0.064 a pixel (root mean square, gray from 0 to 1). The surface that
an autoencoder finds misses it by 0.006, with two numbers as well (figures/README.md has a table).

The idea: let both maps be networks, an encoder with parameters φ and a decoder with parameters ψ.
Train them together until x̂, what comes out of the decoder, is as near to x as can be. All that the
decoder ever gets to know of x has passed through the few numbers of z. So if x̂ is near x, these
numbers say nearly all about x. No label is needed: x itself is the answer.

    z      = encode(x) = mlp_φ(x)                (n, k)         θ = (φ, ψ), one vector           (1)
    x̂      = decode(z) = mlp_ψ(z)                (n, d)                                          (2)
    error  = mean over rows and columns of (x̂ - x)²             this is the loss                 (3)
    ∂x̂     = 2 (x̂ - x)/(n d)                     a mean of n d squares                           (4)
    ∂ψ, ∂z = the decoder's pullback of ∂x̂                                                        (5)
    ∂φ     = the encoder's pullback of ∂z        the chain rule, from the last map to the first  (6)

Training is easiest if all numbers are about 1. So it is done with u = (x - µ)/s, where µ is the
mean of X and s² its variance, averaged over the columns. Before a θ is handed out, this change of
units is put into the first layer of the encoder, x W + b, and the last one of the decoder, h V + c:

    W ← W/s      b ← b - µ W          as u W + b = x (W/s) + (b - µ (W/s)), with the new W       (7)
    V ← V s      c ← c s + µ          as x̂ = s û + µ                                             (8)

By hand: sizes (2, 1) mean z = x W + b and x̂ = z V + c. For x = (1, 3), W = (½, ½), V = (1, 2) and
b, c = 0 the code is z = 2 and x̂ = (2, 4), so that the error is 1 and ∂x̂ = (1, 1). The gradients
are ∂V = z ∂x̂ = (2, 2), ∂c = ∂x̂, and with ∂z = 1 + 2 = 3, ∂W = x ∂z = (3, 9), ∂b = ∂z. With the
decoder first, θ = (V, c, W, b):

>>> import numpy
>>> theta = numpy.array([1.0, 2.0, 0.0, 0.0, 0.5, 0.5, 0.0])
>>> error, dtheta = AutoencoderFamily((2, 1)).loss(theta, numpy.array([[1.0, 3.0]]))
>>> print(error, dtheta)
1.0 [2. 2. 1. 1. 3. 9. 3.]

An autoencoder is not a density: it says where data lie, but not how often. To make new ones, fit a
density to the codes and push it forward through the decoder (`latent.Pushforward`).

See figure_1_08_latent_space (the codes of the tins), figure_1_09_manifold (of dogs) and
tests/representation/test_autoencoder.py (that it holds).
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
    """Encoder network of `sizes` (d, ..., k), decoder network of the reversed sizes (k, ..., d).

    θ is (ψ, φ): what makes x̂ comes first, as in all families with a helper (models/__init__.py).
    """

    def __init__(self, sizes, activation="softplus"):
        self.encoder = Network(sizes, activation)
        self.decoder = Network(self.encoder.sizes[::-1], activation)
        self.sizes, self.activation = self.encoder.sizes, activation
        self.d, self.k = self.encoder.d_in, self.encoder.d_out
        self.parts = Parts(self.decoder.n_parameters, self.encoder.n_parameters)
        self.n_parameters = self.parts.n_parameters

    def __call__(self, theta):
        return Autoencoder(self, theta)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives."""
        phi = self.encoder.initial_theta(rng, dtype)
        return self.parts.join(self.decoder.initial_theta(rng, dtype), phi)

    def encode(self, theta, X):
        """z (n, k), and backward: dZ -> dphi, dX."""
        _, phi = self.parts(theta)
        return self.encoder(phi, X)                                                         # (1)

    def decode(self, theta, Z):
        """x̂ (n, d), and backward: dX_hat -> dpsi, dZ."""
        psi, _ = self.parts(theta)
        return self.decoder(psi, Z, name="Z")                                               # (2)

    def loss(self, theta, X):
        """The reconstruction error, a mean over rows and columns, and its gradient, (n_θ,)."""
        checks.theta_shape(theta, self.n_parameters)
        X = checks.not_empty(checks.observations(X, theta, finite=False, d=self.d))
        return mean_over_blocks(self._loss, theta, X, rows=2**13)

    def _loss(self, theta, X):
        Z, backward_encoder = self.encode(theta, X)
        difference, backward_decoder = self.decode(theta, Z)
        difference -= X                                     # x̂ - x, in place of x̂
        error = (difference * difference).mean()                                            # (3)
        difference *= 2 / difference.size                   # and now ∂x̂                      (4)
        dpsi, dZ = backward_decoder(difference)                                             # (5)
        dphi, _ = backward_encoder(dZ, inputs=False)                                        # (6)
        return error, self.parts.join(dpsi, dphi)

    def rescaled(self, theta, mu, scale):
        """The θ that does with scale x + mu what theta does with x, a new array (n_θ,)."""
        theta = checks.theta_shape(theta, self.n_parameters).copy()
        mu, scale = (checks.real_array(unit, name, like=theta, finite=False)
                     for unit, name in ((mu, "mu"), (scale, "scale")))
        if mu.shape != (self.d,) or scale.shape not in ((), (self.d,)):
            raise ValueError(f"mu must have shape ({self.d},) and scale () or ({self.d},), got "
                             f"{mu.shape} and {scale.shape}")
        psi, phi = self.parts(theta)
        W, b = self.encoder.cut(phi)[0]
        V, c = self.decoder.cut(psi)[-1]
        W /= scale
        b -= mu @ W                                         # encode((x - µ)/scale)           (7)
        V *= scale
        c *= scale
        c += mu                                             # scale decode(z) + µ             (8)
        return theta

    def whitened(self, theta, X):
        """The θ with the same reconstructions whose codes of X have mean 0 and covariance I.

        The units of a latent space are arbitrary, because the first layer of the decoder can undo
        what the last layer of the encoder does. If the codes have covariance L Lᵀ, those of
        z' = (z - z̄) L⁻ᵀ have L⁻¹ L Lᵀ L⁻ᵀ = I, and z = z' Lᵀ + z̄. A new array (n_θ,). ValueError if
        the codes of X lie in fewer than k dimensions.
        """
        model = self(checks.theta_shape(theta, self.n_parameters))
        theta = model.theta
        mean, C = moments(checks.in_range(model.encode(checks.data_set(X, self.d)), "the codes"))
        try:
            L = cholesky(C)
        except ValueError as error:
            raise ValueError("the codes of X must have a positive definite covariance, so vary in "
                             f"{self.k} dimensions, got {C}") from error
        L_inverse = array_module(L).linalg.inv(L)
        psi, phi = self.parts(theta)
        W, b = self.encoder.cut(phi)[-1]
        V, c = self.decoder.cut(psi)[0]
        W[...] = W @ L_inverse.T                            # z' = (z - z̄) L⁻ᵀ
        b[...] = (b - mean) @ L_inverse.T
        c += mean @ V                                       # z = z' Lᵀ + z̄
        V[...] = L.T @ V
        return theta

    def train(self, X, rng, optimizer=None, batch=128, max_steps=6000, theta=None):
        """Minimize the error by steps on random rows. Yields a Step each, `loss` that of its batch.

        By default Adam takes the steps; its η starts at 0.003 and falls to 0 like half a cosine
        wave. theta is usable after any step: stop when you like. float32 data are trained in
        float32, twice as fast. ValueError if all rows of X are equal.
        """
        X = checks.different_rows(checks.data_set(X, self.d))
        mu = mean_of_rows(X)
        wide = array_module(X).sqrt(X.var(axis=0, dtype=float).mean())      # its square may leave
        scale = wide.astype(X.dtype)                                        # the range of float32
        if float(scale) * float(array_module(X).finfo(X.dtype).max) < 1:
            raise ValueError(f"X varies by {float(wide):.3g} only, too little for {X.dtype}: take "
                             "another unit")

        def start():                                        # a theta is for x, the training for u
            first = starting_theta(self, theta, rng, X)
            return first if theta is None else self.rescaled(first, -mu / scale, 1 / scale)

        steps = train(self.loss, start, ((X - mu) / scale,), rng, 3e-3, batch, max_steps,
                      optimizer=optimizer)

        def in_units_of_the_data():
            for step in steps:
                yield Step(step.step, wide**2 * step.loss, self.rescaled(step.theta, mu, scale))

        return in_units_of_the_data()                       # wrong arguments are refused at once


class Autoencoder(Described):
    """Encoder and decoder for one θ. It has no log_prob and no sample: see `latent.Pushforward`."""

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
