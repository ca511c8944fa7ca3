"""Linear start: a network that begins as a matrix, and a little of what chance makes of it.

A random network is a random map. If two networks are to undo each other, as an encoder and a
decoder are, they are strangers at first. How they come to agree is decided by chance in the first
steps, and training seldom takes it back: some starts lead to worse ends than others. So let both
begin as simple maps that undo each other, such as x̂ = c z and z = x/c. Then they agree from the
first step on, and all that training has to do is to bend them.

A relu, a(v) = max(v, 0), stops what is negative. But two units, one for v and one for -v, let any
number through, and what has passed one relu passes the next as it is:

    v = a(v) - a(-v),    a(a(v)) = a(v)

So 2d units of each hidden layer carry the d numbers of x. With the weights W_i and the biases b_i
of network.py, I the identity and a small number t (`small`), in blocks

    W_1 = ( I  -I  · )        the first d rows, those of x; below them 0  0  ·                (1)
    W_i = ( I   0 )           the first 2d rows and columns carry on; 0 and · apart from them
          ( 0   · )                                                                           (2)
    W_L = (  A  )
          ( -A  )             for one layer alone, A without -A                               (3)
          ( t · )

A dot is what stands there, from a random start. The biases of the 2d units are 0. Then the network
is, but for its last bias and a `bound`,

    y   = x A + t · (what the dots make of x)

Fourier features begin with x, so that (1) holds for them too. The dots are needed: units that all
begin as 0 would get the same gradient and stay alike.

By hand: 1-3-1 with A = (2), and only the third unit left to chance. With t = 0 nothing is left but
2 a(x) - 2 a(-x), which is 2x:

>>> import numpy
>>> network, rng = Network((1, 3, 1), "relu"), numpy.random.default_rng(0)
>>> theta = linear_start(network, network.initial_theta(rng), [[2.0]], small=0.0)
>>> print(network.cut(theta)[0][0].round(2), network(theta, [[3.0], [-0.5]])[0].tolist())
[[ 1.   -1.    0.91]] [[6.0], [-1.0]]

See figure_1_10_taxonomy (what a variational autoencoder that began so draws) and
tests/networks/test_linear_start.py (that it holds).
"""

from gdl_numpy.networks.network import Network
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def linear_start(network, theta, A, small=0.1):
    """A new θ (n_θ,) at which `network` is nearly x A, made of a random one; A (d_in, d_out).

    ValueError unless the network has relu and at least 2 d_in units in each hidden layer, if it has
    any.
    """
    checks.instance(network, "network", Network)
    n = network.n_parameters
    theta = checks.theta(checks.theta_shape(theta, n), n).copy()
    A = checks.real_array(A, "A", like=theta)
    small, d, xp = checks.number(small, "small", "[0, inf)"), network.d_in, array_module(theta)
    if A.shape != (d, network.d_out):
        raise ValueError(f"A must have shape ({d}, {network.d_out}), got {A.shape}")
    hidden = network.sizes[1:-1]
    if hidden and (network.activation != "relu" or min(hidden) < 2 * d):
        raise ValueError(f"network must have relu and at least {2 * d} units in each hidden layer, "
                         f"got {network.activation} and {hidden}")
    *inner, (W_last, _) = network.cut(theta)
    identity, carried = xp.eye(d, dtype=theta.dtype), xp.eye(2 * d, dtype=theta.dtype)
    for i, (W, b) in enumerate(inner):
        W[:, :2 * d], b[:2 * d] = 0, 0
        if i == 0:
            W[:d, :d], W[:d, d:2 * d] = identity, -identity                             # (1)
        else:
            W[:2 * d], W[:2 * d, :2 * d] = 0, carried                                   # (2)
    W_last *= small
    W_last[:d] = A
    if inner:
        W_last[d:2 * d] = -A                                                            # (3)
    return theta
