"""Linear start: a network that begins as a matrix product, plus a little chance.

A random network is a random map. An encoder and a decoder are to undo each other, and two random
networks do not. It is easier to begin with two simple maps that do, such as x̂ = c z and z = x/c,
and to bend both in training. So how does a network become a given matrix?

A relu, a(v) = max(v, 0), stops what is negative. But two units, one for v and one for -v, let any
number through, and what has passed one relu passes the next as it is:

    v = a(v) - a(-v),    a(a(v)) = a(v)

So 2d units of each hidden layer carry the d numbers of x. Let W_1, ..., W_L be the weights of the
layers (network.py), M the matrix (d, d_out), I the identity and t a small number, `small`. In
blocks,

    W_1 = ( I  -I  · )        the d rows of x
          ( 0   0  · )        the rows of its waves, if there are any                            (1)
    W_i = ( I   0 )           the 2d rows and columns of the units that carry x
          ( 0   · )           the others                                                      (2)
    W_L = ( M   )             the rows of the units that carry x, or of x itself if L = 1
          ( -M  )             not there if L = 1
          ( t · )             the others                                                      (3)

A dot is a block of the random θ that was given, left as it is. The biases of the units that carry x
are 0. Then the network is, but for its last bias and a `bound`,

    y = x M + t (what the dots make of x)

Fourier features begin with x, so that (1) holds for them too. The dots are needed, even if t is 0:
units whose weights all begin as 0 have the gradient 0, and would stay 0 for ever.

By hand: 1-3-1 with M = (2), and only the third unit left to chance. With t = 0 nothing is left but
2 a(x) - 2 a(-x), which is 2x:

>>> import numpy
>>> rng, network = numpy.random.default_rng(0), Network((1, 3, 1), "relu")
>>> theta = linear_start(network, network.initial_theta(rng), [[2.0]], small=0.0)
>>> print(network.cut(theta)[0][0].round(2), network(theta, [[3.0], [-0.5]])[0].tolist())
[[ 1.   -1.    0.91]] [[6.0], [-1.0]]

See figure_1_10_taxonomy (what a variational autoencoder that began so draws) and
tests/networks/test_linear_start.py (that it holds).
"""

from gdl_numpy.networks.network import Network
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def can_be_linear(network, name="network"):
    """`network`, which an error calls `name`, if it has relu and at least 2 d_in units in each
    hidden layer, or no hidden layer."""
    hidden, d = checks.instance(network, name, Network).sizes[1:-1], network.d_in
    if hidden and (network.activation != "relu" or min(hidden) < 2 * d):
        raise ValueError(f"{name} must have relu and at least {2 * d} units in each hidden layer, "
                         f"got {network.activation} and {hidden}")
    return network


def linear_start(network, theta, M, small=0.1):
    """A new θ (n_θ,) at which `network` is nearly x M, made from `theta`, a random start; M (d_in,
    d_out).

    ValueError unless `can_be_linear(network)`.
    """
    n = can_be_linear(network).n_parameters
    theta = checks.theta(checks.theta_shape(theta, n), n).copy()
    M = checks.real_array(M, "M", like=theta)
    small, d, xp = checks.number(small, "small", "[0, 1]"), network.d_in, array_module(theta)
    if M.shape != (d, network.d_out):
        raise ValueError(f"M must have shape ({d}, {network.d_out}), got {M.shape}")
    *inner, (W_last, _) = network.cut(theta)
    identity, carried = xp.eye(d, dtype=theta.dtype), xp.eye(2 * d, dtype=theta.dtype)
    for i, (W, b) in enumerate(inner):
        W[:, :2 * d], b[:2 * d] = 0, 0
        if i == 0:
            W[:d, :d], W[:d, d:2 * d] = identity, -identity                             # (1)
        else:
            W[:2 * d], W[:2 * d, :2 * d] = 0, carried                                   # (2)
    W_last *= small
    W_last[:d] = M
    if inner:
        W_last[d:2 * d] = -M                                                            # (3)
    return theta
