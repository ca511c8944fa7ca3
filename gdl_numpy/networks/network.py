"""Network: the multilayer perceptron, a function that is flexible enough for most of this book.

Is there land at this latitude and longitude? What does the tin of this height and width look like?
Without a formula for either, we can train one: a function with thousands of parameters, which are
moved step by step against the gradient of a loss. A network alternates two simple operations. A
matrix mixes the numbers of a row and a vector shifts them; then each number by itself goes through
a nonlinearity, the activation a. Without it all layers together would be a single one, since a
product of matrices is a matrix.

Let the layers have the sizes (d_0, d_1, ..., d_L), and X (n, d_0) one observation in each row:

    θ       = (W_1, b_1, ..., W_L, b_L)      one vector; W_i (d_{i-1}, d_i) row by row        (1)
    A_i     = H_{i-1} W_i + b_i              H_0 = X                                          (2)
    H_i     = a(A_i)                         for i < L; the last layer has none:  Y = A_L     (3)

**Backward.** The chain rule goes from the last layer to the first, from ∂A_L = ∂Y, short for
∂loss/∂Y. Within one layer, (2) is A_rk = Σ_j H_rj W_jk + b_k for row r. So W_jk and b_k act on
number k of every row: ∂W_jk = Σ_r H_rj ∂A_rk and ∂b_k = Σ_r ∂A_rk. And H_rj acts on every number
of its own row: ∂H_rj = Σ_k ∂A_rk W_jk. As matrices, with a' the slope of the activation:

    ∂W_i     = H_{i-1}ᵀ ∂A_i                                                                  (4)
    ∂b_i     = Σ_rows ∂A_i                                                                    (5)
    ∂H_{i-1} = ∂A_i W_iᵀ                     ∂X = ∂H_0 is the last of them                    (6)
    ∂A_{i-1} = ∂H_{i-1} · a'(A_{i-1})        number by number                                 (7)

The slope is known from the value, so that A need not be kept:

    tanh       a = tanh(A)            a' = 1 - a²
    relu       a = max(A, 0)          a' = 1 where a > 0, else 0
    softplus   a = log(1 + exp(A))    a' = 1 - exp(-a), which is exp(A)/(1 + exp(A))

By hand: sizes 1-2-1, relu, weights (1, -1) and then (3, 5), biases 0. At x = 2, A_1 = (2, -2), so
H_1 = (2, 0) and y = 3·2 + 5·0 = 6. Backward from ∂y = 1: ∂W_2 = H_1 = (2, 0) and ∂b_2 = 1; ∂H_1 is
(3, 5), of which relu lets ∂A_1 = (3, 0) pass; ∂W_1 = 2 (3, 0), ∂b_1 = (3, 0), ∂x = 3·1 + 0·(-1).

>>> import numpy
>>> theta, X = numpy.array([1.0, -1, 0, 0, 3, 5, 0]), numpy.array([[2.0]])   # W_1 b_1 W_2 b_2
>>> Y, backward = mlp(theta, X, (1, 2, 1), "relu")
>>> print(Y, *backward(numpy.array([[1.0]])))
[[6.]] [6. 0. 3. 0. 2. 0. 1.] [[3.]]

`mlp(theta, X, sizes)` is this function as it stands above. A `Network` keeps its sizes, so that it
can be handed to a family, which then calls network(theta, X). `Parts` cuts a θ that belongs to
several networks.

A training step makes some dozens of arrays and drops them. If the C library gives their memory back
to the system each time, a step of 512 rows through 2-128-128-2 takes 1.4 times as long, measured on
an AMD EPYC, family 25, model 17 (scripts/benchmark_network.py). One call of `keep_freed_memory`
(memory.py) tells it not to.

See figure_1_02_map (what a network learns of the land) and tests/networks/test_network.py (that
loops over single numbers give the same, and so do central differences).
"""

import math
from itertools import pairwise

from gdl_numpy.networks.fourier import fourier_features, n_features
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.numerics.elementary import bounded, softplus


def n_parameters(sizes):
    """The length of θ."""
    sizes = checks.whole_numbers(sizes, "sizes", least=1)
    if len(sizes) < 2:
        raise ValueError(f"sizes must be (d_in, ..., d_out), got {sizes}")
    return sum((d_in + 1) * d_out for d_in, d_out in zip(sizes[:-1], sizes[1:], strict=True))


def cut(theta, sizes):
    """The weights and biases (W_i, b_i) of each layer, as views of theta."""
    theta = checks.one_axis(checks.real_array(theta, "theta", finite=False), n_parameters(sizes),
                            "theta")
    return _views(theta, sizes)


def _views(theta, sizes):
    layers, position = [], 0
    for d_in, d_out in pairwise(map(int, sizes)):
        middle, end = position + d_in * d_out, position + (d_in + 1) * d_out
        layers.append((theta[position:middle].reshape(d_in, d_out), theta[middle:end]))     # (1)
        position = end
    return layers


def initial_theta(sizes, rng, activation="tanh", dtype=float):
    """A random start, shape (n_θ,), where rng lives.

    Neither the signals forward nor the gradients backward should grow or fade from layer to layer.
    A sum of d_in numbers of variance 1 with weights of variance v has the variance d_in v, and
    backward, with d_out numbers, d_out v. v = 2/(d_in + d_out) is between 1/d_in and 1/d_out
    (Glorot and Bengio 2010, for slopes a' near 1). Relu keeps half of its inputs, so that v is
    2/d_in (He et al. 2015). Biases begin at 0. Softplus is for few layers only: its slope is 1/2 at
    0, so that gradients about halve with every layer.
    """
    checks.choice(activation, "activation", ACTIVATIONS)
    n, dtype = checks.held(n_parameters(sizes)), checks.float_dtype(dtype)
    theta = checks.rng(rng).standard_normal(n, dtype=dtype)
    for W, b in cut(theta, sizes):
        W *= math.sqrt(2 / len(W) if activation == "relu" else 2 / (len(W) + len(b)))
        b *= 0
    return theta


def mlp(theta, X, sizes, activation="tanh"):
    """Y (n, d_L) of theta (n_θ,) and X (n, d_0), and backward: dY -> dtheta (n_θ,), dX (n, d_0).

    `activation` is a key of ACTIVATIONS. Y may be overwritten, since `backward` does not use it.
    `backward(dY, inputs=False)` leaves dX out, gives None for it and saves a matrix product;
    `parameters=False` does the same for dtheta. ValueError for another shape of theta or X.

    For speed, a(A) is written over A, and the gradients straight into one vector. Batches of more
    than some thousand rows are best cut into blocks that stay in the cache
    (`blocks.mean_over_blocks`).
    """
    activate, times_slope = ACTIVATIONS[checks.choice(activation, "activation", ACTIVATIONS)]
    layers = cut(theta, sizes)
    checks.theta_shape(theta)
    X = checks.observations(X, theta, finite=False, d=sizes[0])
    H = [X]
    for i, (W, b) in enumerate(layers):
        A = H[i] @ W
        A += b                                                                          # (2)
        if i + 1 < len(layers):
            activate(A)                                                                 # (3)
        H.append(A)

    def backward(dY, inputs=True, parameters=True):
        xp = array_module(theta)
        dtheta = xp.empty_like(theta) if parameters else None
        dlayers = _views(dtheta, sizes) if parameters else None
        ones = xp.ones(len(X), dtype=theta.dtype)
        dA, dX = dY, None
        for i in reversed(range(len(layers))):
            if parameters:
                dW, db = dlayers[i]
                xp.matmul(H[i].T, dA, out=dW)                                           # (4)
                xp.matmul(ones, dA, out=db)                     # ones @ dA: faster than a sum (5)
            if i > 0:
                dA = dA @ layers[i][0].T                                                # (6)
                times_slope(dA, H[i])                                                   # (7)
            elif inputs:
                dX = dA @ layers[0][0].T                                                # (6)
        return dtheta, dX

    return H[-1], backward


# Activations, in place: memory costs more time than arithmetic

def _tanh(A):
    array_module(A).tanh(A, out=A)


def _times_tanh_slope(dA, a):
    slope = a * a
    array_module(a).subtract(1, slope, out=slope)
    dA *= slope


def _relu(A):
    array_module(A).clip(A, 0, math.inf, out=A)             # as maximum(A, 0), but faster


def _times_relu_slope(dA, a):
    dA *= a > 0


def _softplus(A):
    A[...] = softplus(A)


def _times_softplus_slope(dA, a):
    dA *= -array_module(a).expm1(-a)


ACTIVATIONS = {                                             # name: (A ← a(A), ∂A ← ∂A · a')
    "tanh": (_tanh, _times_tanh_slope),
    "relu": (_relu, _times_relu_slope),
    "softplus": (_softplus, _times_softplus_slope),
}


def _as_it_is(dv):
    return dv


class Network(Described):
    """A function R^d_in -> R^d_out with parameters θ: a perceptron of `sizes` (d_in, ..., d_out).

    Options, which a first reader may leave out: `activation` is a key of ACTIVATIONS. With `waves`,
    wave vectors (d_in, m), the perceptron sees the Fourier features of its input instead of the
    input alone (fourier.py), and with `max_slope` no wave of them is steeper than that; `layers`
    are then its own sizes, which count the features. With `bound` B, its outputs y become B
    tanh(y/B), between -B and B.

    >>> network = Network((2, 64, 64, 1))
    >>> network.d_in, network.d_out, network.n_parameters
    (2, 1, 4417)
    """

    def __init__(self, sizes, activation="tanh", waves=None, bound=None, max_slope=None):
        self.sizes = checks.whole_numbers(sizes, "sizes", least=1)
        if len(self.sizes) < 2:
            raise ValueError(f"sizes must be (d_in, ..., d_out), got {sizes}")
        self.activation = checks.choice(activation, "activation", ACTIVATIONS)
        self.d_in, self.d_out = self.sizes[0], self.sizes[-1]
        self.waves = checks.own_waves(waves, self.d_in)
        self.bound = checks.number(bound, "bound", "[1e-30, 1e30]", optional=True)
        self.max_slope = checks.number(max_slope, "max_slope", "[1e-30, 1e30]", optional=True)
        self.layers = (n_features(self.d_in, self.waves), *self.sizes[1:])
        self.n_parameters = checks.held(n_parameters(self.layers))

    def initial_theta(self, rng, dtype=float):
        """A random start, shape (n_θ,), where rng lives."""
        return initial_theta(self.layers, rng, self.activation, dtype)

    def cut(self, theta):
        """The weights and biases (W_i, b_i) of each layer, as views of theta."""
        return cut(theta, self.layers)

    def __call__(self, theta, X, name="X"):
        """Y (n, d_out) of each row of X (n, d_in), and backward: dY -> dtheta (n_θ,), dX (n, d_in).

        As with `mlp`, Y may be overwritten, and `backward` takes `inputs=False` and
        `parameters=False`. ValueError for another shape of theta or X, which it calls `name`.
        """
        checks.theta_shape(theta, self.n_parameters)
        X = checks.observations(X, theta, finite=False, name=name, d=self.d_in)
        phi, backward_phi = X, _as_it_is                        # without copies, which cost time
        if self.waves is not None:
            phi, backward_phi = fourier_features(X, self.waves, self.max_slope)
        A, backward_mlp = mlp(theta, phi, self.layers, self.activation)
        Y, backward_bound = A, _as_it_is
        if self.bound is not None:
            Y, backward_bound = bounded(A, self.bound)

        def backward(dY, inputs=True, parameters=True):
            dtheta, dphi = backward_mlp(backward_bound(dY), inputs, parameters)
            return dtheta, backward_phi(dphi) if inputs else None

        return Y, backward


class Parts(Described):
    """How one vector θ is made of several, one after the other, of the given lengths.

    >>> import numpy
    >>> Parts(2, 0, 1)(numpy.arange(3.0))
    [array([0., 1.]), array([], dtype=float64), array([2.])]
    """

    def __init__(self, *lengths):
        self.lengths = checks.whole_numbers(lengths, "lengths")
        self.n_parameters = checks.held(sum(self.lengths))
        ends = [sum(self.lengths[:i]) for i in range(len(lengths) + 1)]
        self._slices = [slice(start, end) for start, end in pairwise(ends)]

    def __call__(self, theta):
        """The parts, views of theta. ValueError if theta has another shape."""
        checks.theta_shape(theta, self.n_parameters)
        return [theta[part] for part in self._slices]

    def join(self, *parts):
        """The vector that has these parts, a new array. ValueError for parts of other lengths."""
        shapes = tuple(getattr(part, "shape", None) for part in parts)
        if shapes != tuple((length,) for length in self.lengths):
            raise ValueError(f"parts must be arrays of the lengths {self.lengths}, got shapes "
                             f"{shapes}")
        return array_module(parts[0]).concatenate(parts)
