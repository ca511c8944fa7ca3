"""Normalizing flow: an invertible map f that takes the data to a simple density, and back.

The box θ̂ of the fifty points of the map is easy to sample, and its density is easy to compute, but
it cannot follow a coast. A flow can do all three. Stretch and squeeze the plane by an invertible
map f until the data look as if drawn from a density p_z that is easy to sample, say N(0, I). A new
observation is then a draw of z, taken back by f⁻¹. And p(x) is p_z(z) times the factor by which f
stretches the space at x, since mass moves with the points. On the line, an increasing f takes a
small piece dx to a piece dz = f'(x) dx that holds the same mass. In d dimensions a small volume
grows by the factor |det ∂f/∂x|:

    p(x) dx = p_z(z) dz          p(x) = p_z(f(x)) |det ∂f/∂x|,    z = f(x)

So f has to be flexible, be undone easily and have a cheap determinant, which in general takes some
d³ operations. Here f is a chain of coupling layers (Dinh et al. 2014). A layer leaves every second
coordinate as it is; these are x_a. It moves each of the others, x_b, by an increasing function g of
that x_b alone, whose parameters, `raw`, a network computes from x_a. The simplest g is a straight
line (RealNVP: Dinh et al. 2017):

    g(x) = x exp(s) + t,    raw = (s, t)                                                         (1)
    log g'(x) = s                                                                                (2)
    g⁻¹(y) = (y - t) exp(-s)                                                                     (3)

A layer takes x = (x_a, x_b) to y = (y_a, y_b). As y_a does not depend on x_b, and each y_b only on
its own x_b and on x_a, the Jacobian is triangular. Its determinant is the product of its diagonal:

    ∂y/∂x = | I           0       |             |det ∂y/∂x| = Π_b g'(x_b; raw)
            | ∂y_b/∂x_a   diag g' |

    raw = network(x_a)                                                                           (4)
    y_a = x_a,    y_b = g(x_b; raw)                                                              (5)
    log |det ∂y/∂x| = Σ_b log g'(x_b; raw)                                                       (6)
    x_a = y_a,    x_b = g⁻¹(y_b; raw)           undone: x_a is still there, so raw is known      (7)

The next layer moves the coordinates that this one leaves. The determinants of a chain multiply, so
their logarithms add up:

    log p(x) = log p_z(z) + Σ_layers log |det|                                                   (8)
    z ~ p_z,    x = f⁻¹(z)                      a sample                                         (9)

f is continuous both ways, so it cannot tear the plane: in the density of the map, land stays joined
to land by thin bridges over the sea.

See `NormalizingFlowFamily.to_latent` (one layer by hand), figure_1_10_taxonomy (its samples of the
map) and tests/models/test_normalizing_flow.py (that inverse, determinant and mass are right, and
log p is exact in 1,000 dimensions as well).

Errata.
E33 (tests/models/test_normalizing_flow.py)  invertible is not enough: f must be differentiable (or
    Lipschitz both ways, with kinks only on a set of volume 0, as with relu) and |det| tractable.
    Without the factor |det|, p_z(f(x)) has the mass ∫ p_z(z)/|det| dz, which need not be 1; and if
    it is 1, p_z(f(x)) is still the wrong density, unless |det| = 1 everywhere
"""

import math

from gdl_numpy.networks.network import Network
from gdl_numpy.networks.rational_quadratic import inverse_spline, n_spline_parameters, spline
from gdl_numpy.networks.trained import Tractable, TractableFamily
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.density import LOG_2_PI


def affine(x, raw):
    """y and log dy/dx (n,) for each x (n,) and row (s, t) of raw (n, 2); and backward: dy,
    dlog_slope -> dx, draw. By y = x exp(s) + t and log dy/dx = s,

        ∂x = exp(s) ∂y        ∂s = x exp(s) ∂y + ∂log_slope        ∂t = ∂y
    """
    x, raw = checks.with_raw(x, "x", raw, 2)
    xp, s = array_module(x), raw[:, 0].copy()               # the caller may change its own
    scale = xp.exp(s)

    def backward(dy, dlog_slope):
        dx = scale * dy
        return dx, xp.stack([x * dx + dlog_slope, dy], axis=1)

    return (x * scale + raw[:, 1], s), backward             # (1), (2)


def inverse_affine(y, raw):
    """The x (n,) that `affine` maps to y (n,)."""
    y, raw = checks.with_raw(y, "y", raw, 2)
    return (y - raw[:, 1]) * array_module(y).exp(-raw[:, 0])        # (3)


TRANSFORMS = {"affine": (affine, inverse_affine), "spline": (spline, inverse_spline)}


class NormalizingFlowFamily(TractableFamily):
    """Flows of `n_layers` coupling layers, d >= 2; θ holds the weights, layer by layer.

    Each network has hidden layers of the widths `hidden`. With B = `bound`, its output r becomes
    the number B tanh(r/B) of raw, so that no slope or shift is extreme. Columns of X should vary by
    about 1, or no shift of an affine flow reaches them.

    Options. With transform="spline", g is a rational-quadratic spline of `n_bins` bins
    (networks/rational_quadratic.py), and p_z is uniform on the box [-1, 1]^d; off it log p is -∞.
    `waves` are wave vectors F (d, m); a network has the Fourier features of the rows of F for the
    coordinates that it sees, with no wave steeper than `max_slope` (networks/fourier.py). In a list
    each layer has an F of its own, or None: short waves help most in the first layers, which see
    the data as they are, while later ones see what is bent already.
    """

    defaults = {"max_steps": 4000}

    def __init__(self, d, n_layers, hidden, transform="affine", n_bins=32, waves=None,
                 activation="relu", bound=3.0, max_slope=None):
        self._set_options(d, hidden, activation, bound=bound, least=2)
        self.n_layers = checks.whole_number(n_layers, "n_layers", least=1)
        self.waves = checks.waves_of_layers(waves, self.d, self.n_layers)
        each = self.waves if isinstance(self.waves, list) else [self.waves] * self.n_layers
        self.transform = checks.choice(transform, "transform", TRANSFORMS)
        self.n_bins = checks.whole_number(n_bins, "n_bins", least=1)
        self.n_raw = n_spline_parameters(self.n_bins) if transform == "spline" else 2
        self.layers, networks = [], []          # each layer moves what the one before has seen
        for i, F in enumerate(each):
            moved, seen = slice(i % 2, None, 2), slice(1 - i % 2, None, 2)
            n_moved = len(range(self.d)[moved])
            networks.append(Network(
                (self.d - n_moved, *self.hidden, n_moved * self.n_raw), activation,
                None if F is None else F[seen], bound, max_slope))
            self.layers.append((moved, seen, networks[i]))
        self._set_networks(*networks)
        self.max_slope = networks[0].max_slope                  # which has looked at it

    def __call__(self, theta):
        return NormalizingFlow(self, theta)

    def to_latent(self, theta, X):
        """z = f(x) (n, d) and log |det ∂f/∂x| (n,) for each row of X; and backward: dZ, dlog_det ->
        dtheta, dX; `backward(dZ, dlog_det, inputs=False)` leaves dX out and gives None for it.

        One layer by hand moves x_0, with s = x_1 log 2 and t = -x_1: z = (2^x_1 x_0 - x_1, x_1). It
        takes (0.5, 1) to (0, 1) with |det| = 2. So log p is -1/2 - log 2π + log 2 = -1.6447:

        >>> import numpy
        >>> family = NormalizingFlowFamily(d=2, n_layers=1, hidden=(), bound=None)
        >>> theta = numpy.array([math.log(2), -1, 0, 0])        # W of s, W of t, both biases
        >>> (Z, log_det), backward = family.to_latent(theta, [[0.5, 1]])
        >>> print(Z, numpy.exp(log_det), family(theta).log_prob([[0.5, 1]]).round(4))
        [[0. 1.]] [2.] [-1.6447]
        """
        X, xp = self._input(theta, X), array_module(theta)
        (g, _), parts = TRANSFORMS[self.transform], self.parts(theta)
        Z, log_det, pullbacks = X, xp.zeros(len(X), dtype=theta.dtype), []
        for (moved, seen, network), part in zip(self.layers, parts, strict=True):
            raw, backward_network = network(part, Z[:, seen])       # (4)
            x = Z[:, moved]
            (y, log_slope), backward_g = g(x.ravel(), raw.reshape(-1, self.n_raw))
            Z = Z.copy()
            Z[:, moved] = y.reshape(x.shape)                        # (5)
            log_det += log_slope.reshape(x.shape).sum(axis=1)       # (6)
            pullbacks.append((raw.shape, backward_network, backward_g))

        def backward(dZ, dlog_det, inputs=True):
            """From the last layer to the first. log |det| is a sum of log g', so that ∂log_det is
            handed to each; x_a goes to y_a and into the network, so ∂x_a is the sum of both."""
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
        X, (_, inverse) = self._input(theta, Z, "Z"), TRANSFORMS[self.transform]
        parts = self.parts(theta)
        for (moved, seen, network), part in zip(self.layers[::-1], parts[::-1], strict=True):
            raw, _ = network(part, X[:, seen])
            y, X = X[:, moved], X.copy()
            X[:, moved] = inverse(y.ravel(), raw.reshape(-1, self.n_raw)).reshape(y.shape)  # (7)
        return X

    def log_prob(self, theta, X):
        """log p_θ(x) for each row of X, shape (n,), and backward: dlog_p -> dtheta."""
        X, xp = self._input(theta, X), array_module(theta)
        if self.transform == "affine":
            (Z, log_det), backward_map = self.to_latent(theta, X)
            log_p_z = -0.5 * ((Z * Z).sum(axis=1) + self.d * LOG_2_PI)      # so ∂z = -z ∂log_p
            return (log_p_z + log_det,                                      # (8)
                    lambda dlog_p: backward_map(-Z * dlog_p[:, None], dlog_p, inputs=False)[0])

        inside = (abs(X) <= 1).all(axis=1)
        elsewhere = xp.where(xp.isnan(X).any(axis=1), math.nan, -math.inf)
        (Z, log_det), backward_map = self.to_latent(theta, xp.where(inside[:, None], X, 0))
        log_p = xp.where(inside, log_det - self.d * math.log(2), elsewhere)         # (8)

        def backward(dlog_p):                               # outside, no θ changes log p
            return backward_map(xp.zeros_like(Z), xp.where(inside, dlog_p, 0), inputs=False)[0]

        return log_p.astype(theta.dtype, copy=False), backward

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
        return self._draws(lambda n: self.family.to_data(                   # (9)
            self.theta, self._latent(n, rng)), n, rng)

    def _latent(self, n, rng):
        """n draws of z, (n, d)."""
        shape, dtype = (n, self.family.d), self.theta.dtype
        if self.family.transform == "affine":
            return rng.standard_normal(shape, dtype=dtype)
        return 2 * rng.random(shape, dtype=dtype) - 1
