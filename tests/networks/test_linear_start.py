"""Linear start: what the network gives at it, what is left to chance, and what is refused."""

import numpy
import pytest
from numpy.random import default_rng

from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.networks.linear_start import linear_start
from gdl_numpy.networks.network import Network

SIZES = [(2, 3), (2, 4, 3), (2, 9, 4, 3), (1, 2, 5, 3, 1), (3, 6, 8, 7, 6, 2)]


def network_theta_and_M(sizes, F=None, **options):
    network, rng = Network(sizes, "relu", F, **options), default_rng(0)
    return network, network.initial_theta(rng), rng.standard_normal((sizes[0], sizes[-1]))


def waves(d):
    return wave_vectors(d, 5, (1.0, 4.0), default_rng(1))


@pytest.mark.parametrize("with_waves", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_without_chance_the_network_is_the_matrix(sizes, with_waves):
    network, theta, M = network_theta_and_M(sizes, waves(sizes[0]) if with_waves else None)
    X = 3 * default_rng(2).standard_normal((50, sizes[0]))
    Y, _ = network(linear_start(network, theta, M, small=0), X)
    numpy.testing.assert_allclose(Y, X @ M, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("sizes", [(2, 9, 3), (2, 9, 12, 3), (3, 16, 9, 17, 2)], ids=str)
def test_what_chance_adds_is_as_small_as_is_asked_for(sizes):
    network, theta, M = network_theta_and_M(sizes, waves(sizes[0]))
    X = default_rng(2).standard_normal((50, sizes[0]))
    added = {small: network(linear_start(network, theta, M, small), X)[0] - X @ M
             for small in (1.0, 0.1)}
    assert abs(added[1.0]).max() > 0.1
    numpy.testing.assert_allclose(added[0.1], 0.1 * added[1.0], rtol=1e-9, atol=1e-12)
    default, _ = network(linear_start(network, theta, M), X)
    assert (default - X @ M == added[0.1]).all()


def test_all_else_stays_as_the_random_start_has_it():
    """Weights between the other units, all biases but theirs, and the θ that was given."""
    network, theta, M = network_theta_and_M((2, 9, 7, 3), waves(2))
    theta += default_rng(3).standard_normal(len(theta))     # biases, too
    given = theta.copy()
    for (W, b), (V, c) in zip(network.cut(linear_start(network, theta, M))[:2],
                              network.cut(theta), strict=False):
        rows = slice(0 if len(W) > 9 else 4, None)          # of the first layer all
        assert (W[rows, 4:] == V[rows, 4:]).all() and (b[4:] == c[4:]).all()
        assert (b[:4] == 0).all() and (W[4:, :4] == 0).all()
        assert len(W) > 9 or (W[:4, 4:] == 0).all()         # what carries x goes to no other unit
    last, before = (network.cut(t)[2] for t in (linear_start(network, theta, M), theta))
    numpy.testing.assert_allclose(last[0][4:], 0.1 * before[0][4:])
    assert (last[1] == before[1]).all() and (theta == given).all()


def test_the_last_bias_shifts_and_a_bound_bends_what_comes_of_it():
    network, theta, M = network_theta_and_M((2, 6, 3), bound=2.0)
    network.cut(theta)[-1][1][:] = [0.5, -1.0, 0.0]
    X = default_rng(2).standard_normal((20, 2))
    Y, _ = network(linear_start(network, theta, M, small=0), X)
    numpy.testing.assert_allclose(Y, 2 * numpy.tanh((X @ M + [0.5, -1, 0]) / 2), atol=1e-14)


def test_every_weight_is_trained_from_there():
    """Some of 40 rows pass nearly each unit."""
    network, theta, M = network_theta_and_M((2, 12, 12, 2))
    X = default_rng(2).standard_normal((40, 2))
    Y, backward = network(linear_start(network, theta, M), X)
    dtheta, _ = backward(default_rng(4).standard_normal(Y.shape))
    for dW, _ in network.cut(dtheta):
        assert (dW != 0).mean() > 0.8                       # a unit may stop all rows by chance


def test_a_network_without_hidden_layers_needs_no_relu():
    network = Network((2, 3), "tanh", waves(2))
    M, X = numpy.arange(6.0).reshape(2, 3), default_rng(0).standard_normal((5, 2))
    theta = linear_start(network, network.initial_theta(default_rng(1)), M, small=0)
    numpy.testing.assert_allclose(network(theta, X)[0], X @ M, atol=1e-14)


@pytest.mark.parametrize("sizes, activation", [((2, 5, 3), "tanh"), ((2, 5, 3), "softplus"),
                                               ((2, 3, 3), "relu"), ((2, 8, 3, 3), "relu")])
def test_a_network_that_cannot_carry_its_inputs_is_refused(sizes, activation):
    network = Network(sizes, activation)
    theta = network.initial_theta(default_rng(0))
    with pytest.raises(ValueError, match="network must have relu and at least 4 units in each "
                                         f"hidden layer, got {activation} and"):
        linear_start(network, theta, numpy.ones((2, 3)))


@pytest.mark.parametrize("M", [numpy.ones((3, 2)), numpy.ones(2), 1.0, numpy.ones((2, 4))])
def test_a_matrix_of_another_shape_is_refused(M):
    network, theta, _ = network_theta_and_M((2, 4, 3))
    with pytest.raises(ValueError, match=r"M must have shape \(2, 3\), got \("):
        linear_start(network, theta, M)


def test_what_is_no_network_and_an_impossible_size_of_chance_are_refused():
    network, theta, M = network_theta_and_M((2, 4, 3))
    with pytest.raises(TypeError, match="network must be a Network, got None"):
        linear_start(None, theta, M)
    for small in (-0.1, 1.1, numpy.nan, numpy.inf):
        with pytest.raises(ValueError, match="small must"):
            linear_start(network, theta, M, small)
