"""Normalizing flow: an invertible map of the data to a simple density.

If z = f(x) is invertible and differentiable, and z has the density p_z, then x has

    p(x) = p_z(f(x)) |det ∂f/∂x|            log p(x) = log p_z(z) + Σ_layers log |det|

and a sample is f⁻¹(z) with z ~ p_z. A coupling layer (Dinh, Krueger and Bengio 2014) makes all
three cheap. It moves x_b, every second coordinate, each by an increasing function g whose
parameters a network computes from those that stay, x_a. So the Jacobian is triangular, x_a first,
and as x_a is still there, g can be undone. The next layer moves the others:

    a = mlp(φ(x_a))       raw = B tanh(a/B)                         ∂a = (1 - (raw/B)²) ∂raw
    y_a = x_a             y_b = g(x_b; raw)         log |det| = Σ_b log g'(x_b; raw)

with the Fourier features φ and a bound B, so that no slope or shift is extreme. Two functions g,
with ℓ = log g':

    affine   g(x) = x exp(s) + t,  raw = (s, t)  (RealNVP: Dinh, Sohl-Dickstein and Bengio 2017)
             ∂x = exp(s) ∂y       ∂s = x ∂x + ∂ℓ       ∂t = ∂y       p_z = N(0, I) on R^d
    spline   a monotone rational-quadratic spline (rational_quadratic.py; Durkan and others 2019) of
             [-1, 1] onto itself;   p_z uniform on the box [-1, 1]^d, and -∞ outside

f is `to_latent`, its inverse `to_data`; `backward` is the pullback of the former. The latent space
has as many dimensions as the data.

Erratum E33: "invertible functions of a simple density" is not enough: they must be differentiable,
or at least Lipschitz both ways, with kinks only on a set of volume 0, and their |det ∂f/∂x|
tractable. It belongs in the formula: the mass of p_z(f(x)) is the mean of 1/|det| over p_z. It need
not be 1, and where it is, p_z(f(x)) is still the wrong density, unless |det| = 1 (test_e33).
"""

import math

from gdl_numpy.networks.network import Network
from gdl_numpy.networks.rational_quadratic import inverse_spline, n_numbers, spline
from gdl_numpy.networks.trained import Tractable, TractableFamily
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.probability.density import LOG_2_PI


def affine(x, raw):
    """y and log dy/dx for each x (n,) and row of raw (n, 2), and backward: dy, dlog_slope -> dx,
    draw."""
    xp, s = array_module(x), raw[:, 0]
    scale = xp.exp(s)

    def backward(dy, dlog_slope):
        dx = scale * dy
        return dx, xp.stack([x * dx + dlog_slope, dy], axis=1)

    return (x * scale + raw[:, 1], s), backward


def inverse_affine(y, raw):
    """The x (n,) that `affine` maps to y (n,)."""
    return (y - raw[:, 1]) * array_module(y).exp(-raw[:, 0])


TRANSFORMS = {"affine": (affine, inverse_affine), "spline": (spline, inverse_spline)}


class NormalizingFlowFamily(TractableFamily):
    """Flows on R^d ("affine") or on the box [-1, 1]^d ("spline", each of `n_bins` bins), d >= 2.

    `hidden` are the widths of the hidden layers of each of the n_layers networks. `bound` is B:
    columns of X should vary by about 1, or no shift of an affine flow reaches them. Options:
    `waves` are wave vectors F (d, m), whose rows for the coordinates that a network sees make its
    Fourier features.
    """

    defaults = {"max_steps": 4000}

    def __init__(self, d, n_layers, hidden, transform="affine", n_bins=32, waves=None,
                 activation="relu", bound=3.0):
        self.d = checks.whole_number(d, "d", least=2)
        self.n_layers = checks.whole_number(n_layers, "n_layers", least=1)
        self.hidden = checks.whole_numbers(hidden, "hidden", least=1)
        self.transform = checks.choice(transform, "transform", TRANSFORMS)
        self.n_bins = checks.whole_number(n_bins, "n_bins", least=1)
        self.waves, self.activation = checks.waves(waves, self.d), activation
        self.bound = checks.number(bound, "bound", "(0, inf)", optional=True)
        self.n_raw = n_numbers(self.n_bins) if transform == "spline" else 2
        self.layers, networks = [], []          # each layer moves what the one before has seen
        for i in range(self.n_layers):
            moved, seen = slice(i % 2, None, 2), slice(1 - i % 2, None, 2)
            n_moved = len(range(self.d)[moved])
            networks.append(Network(
                (self.d - n_moved, *self.hidden, n_moved * self.n_raw), activation,
                None if waves is None else self.waves[seen], bound))
            self.layers.append((moved, seen, networks[i]))
        self._set_networks(*networks)

    def __call__(self, theta):
        return NormalizingFlow(self, theta)

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives; f is nearly the identity."""
        theta = super().initial_theta(rng, dtype)
        for network, part in zip(self.networks, self.parts(theta), strict=True):
            W, _ = network.cut(part)[-1]
            W *= 0.1
        return theta

    def on_space(self, X):
        """X, if it lies in the box of a spline flow, else a ValueError."""
        if self.transform == "affine":
            return X
        return checks.rows_of_box(X, [-1] * self.d, [1] * self.d)

    def to_latent(self, theta, X):
        """z = f(x) (n, d) and log |det ∂f/∂x| (n,) for each row of X, and backward: dZ, dlog_det ->
        dtheta, dX; `backward(dZ, dlog_det, inputs=False)` leaves dX out and gives None for it."""
        xp, (g, _), parts = array_module(theta), TRANSFORMS[self.transform], self.parts(theta)
        X = checks.observations(X, theta, finite=False, d=self.d)
        Z, log_det, pullbacks = X, xp.zeros(len(X), dtype=theta.dtype), []
        for (moved, seen, network), part in zip(self.layers, parts, strict=True):
            raw, backward_network = network(part, Z[:, seen])
            x = Z[:, moved]
            (y, log_slope), backward_g = g(x.ravel(), raw.reshape(-1, self.n_raw))
            Z = Z.copy()
            Z[:, moved] = y.reshape(x.shape)
            log_det += log_slope.reshape(x.shape).sum(axis=1)
            pullbacks.append((raw.shape, backward_network, backward_g))

        def backward(dZ, dlog_det, inputs=True):
            dparts, dZ = [], dZ.copy()
            for i in reversed(range(self.n_layers)):
                moved, seen, _ = self.layers[i]
                shape, backward_network, backward_g = pullbacks[i]
                dy = dZ[:, moved]
                dx, draw = backward_g(dy.ravel(), xp.repeat(dlog_det, dy.shape[1]))
                dpart, dseen = backward_network(draw.reshape(shape), inputs or i > 0)
                dparts.insert(0, dpart)
                dZ[:, moved] = dx.reshape(dy.shape)
                if dseen is not None:
                    dZ[:, seen] += dseen
            return self.parts.join(*dparts), dZ if inputs else None

        return (Z, log_det), backward

    def to_data(self, theta, Z):
        """x = f⁻¹(z) for each row of Z, (n, d)."""
        (_, inverse), parts = TRANSFORMS[self.transform], self.parts(theta)
        X = checks.observations(Z, theta, finite=False, name="Z", d=self.d)
        for (moved, seen, network), part in zip(self.layers[::-1], parts[::-1], strict=True):
            raw, _ = network(part, X[:, seen])
            y, X = X[:, moved], X.copy()
            X[:, moved] = inverse(y.ravel(), raw.reshape(-1, self.n_raw)).reshape(y.shape)
        return X

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        xp = array_module(theta)
        if self.transform == "affine":
            (Z, log_det), backward_map = self.to_latent(theta, X)
            log_p_z = -0.5 * ((Z * Z).sum(axis=1) + self.d * LOG_2_PI)
            return (log_p_z + log_det,
                    lambda dlog_p: backward_map(-Z * dlog_p[:, None], dlog_p, inputs=False)[0])

        checks.theta_shape(theta, self.n_parameters)
        X = checks.observations(X, theta, finite=False, d=self.d)
        inside = (abs(X) <= 1).all(axis=1)
        elsewhere = xp.where(xp.isnan(X).any(axis=1), math.nan, -math.inf)
        (Z, log_det), backward_map = self.to_latent(theta, xp.where(inside[:, None], X, 0))
        log_p = xp.where(inside, log_det - self.d * math.log(2), elsewhere)

        def backward(dlog_p):                               # outside, no θ changes log p
            return backward_map(xp.zeros_like(Z), xp.where(inside, dlog_p, 0), inputs=False)[0]

        return log_p.astype(theta.dtype, copy=False), backward


class NormalizingFlow(Tractable):
    """The density of f⁻¹(z), z ~ p_z, for one θ."""

    def to_latent(self, X):
        """z = f(x) for each row, (n, d)."""
        return self._of_rows(lambda X: self.family.to_latent(self.theta, X)[0][0], X)

    def to_data(self, Z):
        """x = f⁻¹(z) for each row, (n, d)."""
        return self._of_rows(lambda Z: self.family.to_data(self.theta, Z), Z, "Z")

    def sample(self, n, rng):
        """f⁻¹(z) for n draws of z ~ p_z, (n, d)."""
        return in_blocks(lambda i, j: self.family.to_data(self.theta, self._latent(j - i, rng)),
                         checks.draws(n, rng))

    def _latent(self, n, rng):
        """n draws of z, (n, d)."""
        shape, dtype = (n, self.family.d), self.theta.dtype
        if self.family.transform == "affine":
            return rng.standard_normal(shape, dtype=dtype)
        return 2 * rng.random(shape, dtype=dtype) - 1
