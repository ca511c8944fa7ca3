"""Network: the multilayer perceptron, its gradient, its start, and networks as values."""

import math

import numpy
import pytest
import stand_in_cupy
from gradient import check_gradient

from gdl_numpy.networks.fourier import fourier_features
from gdl_numpy.networks.network import (
    ACTIVATIONS,
    Network,
    Parts,
    cut,
    initial_theta,
    mlp,
    n_parameters,
)
from gdl_numpy.numerics.backend import to_numpy

BENT = {"tanh": math.tanh, "relu": lambda a: max(a, 0.0),
        "softplus": lambda a: math.log1p(math.exp(a))}
SIZES = {"no hidden layer": (3, 2), "one": (2, 5, 3), "two": (3, 4, 6, 1), "narrow": (1, 1, 1)}
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
every_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)


def theta_and_X(sizes, make_rng=numpy.random.default_rng, n=7):
    rng = make_rng(0)
    return rng.standard_normal(n_parameters(sizes)), rng.standard_normal((n, sizes[0]))


def slow_mlp(theta, x, sizes, activate):
    """The network's output for one x, number by number, from lists."""
    theta = iter(theta)
    for i, (d_in, d_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        W = [[next(theta) for _ in range(d_out)] for _ in range(d_in)]
        b = [next(theta) for _ in range(d_out)]
        a = [b[k] + sum(x[j] * W[j][k] for j in range(d_in)) for k in range(d_out)]
        x = [activate(number) for number in a] if i + 2 < len(sizes) else a
    return x


@every_size
@every_activation
def test_a_network_computes_what_loops_over_its_numbers_compute(sizes, activation):
    theta, X = theta_and_X(sizes)
    Y, _ = mlp(theta, X, sizes, activation)
    expected = [slow_mlp(theta.tolist(), x, sizes, BENT[activation]) for x in X.tolist()]
    numpy.testing.assert_allclose(Y, expected, rtol=1e-12, atol=1e-13)


def test_every_activation_has_its_reference():
    assert set(ACTIVATIONS) == set(BENT)


@every_size
@every_activation
def test_the_gradient_in_theta_and_X_is_that_of_central_differences(sizes, activation):
    check_gradient(lambda theta, X: mlp(theta, X, sizes, activation),
                   *theta_and_X(sizes), rng=numpy.random.default_rng(1))


@every_activation
def test_the_slope_is_known_from_the_value(activation):
    activate, times_slope = ACTIVATIONS[activation]
    A, h = 3 * numpy.random.default_rng(0).standard_normal(100), 1e-6
    a, above, below, slope = A.copy(), A + h, A - h, numpy.ones_like(A)
    for bent in (a, above, below):
        activate(bent)
    times_slope(slope, a)
    numpy.testing.assert_allclose(slope, (above - below) / (2 * h), atol=1e-8)


@every_activation
def test_large_inputs_do_not_overflow(activation):
    sizes = (1, 1, 1)
    X = numpy.array([[-1e4], [1e4]])
    Y, backward = mlp(numpy.ones(4), X, sizes, activation)
    dtheta, dX = backward(numpy.ones_like(Y))
    assert all(numpy.isfinite(a).all() for a in (Y, dtheta, dX))


@every_activation
def test_what_is_not_a_number_stays_none(activation):
    A = numpy.array([[numpy.nan, -1.0, 1.0]])
    ACTIVATIONS[activation][0](A)
    assert numpy.isnan(A).tolist() == [[True, False, False]]


@every_activation
def test_the_gradient_of_the_whole_is_the_sum_over_the_rows(activation):
    sizes = SIZES["two"]
    theta, X = theta_and_X(sizes)
    dY = numpy.random.default_rng(1).standard_normal((len(X), 1))
    dtheta, dX = mlp(theta, X, sizes, activation)[1](dY)
    one_by_one = [mlp(theta, X[i:i + 1], sizes, activation)[1](dY[i:i + 1])
                  for i in range(len(X))]
    numpy.testing.assert_allclose(sum(g for g, _ in one_by_one), dtheta,
                                  rtol=1e-12, atol=1e-13)
    numpy.testing.assert_allclose(numpy.concatenate([g for _, g in one_by_one]), dX,
                                  rtol=1e-12, atol=1e-13)


@every_size
@pytest.mark.parametrize("left_out, other", [("parameters", 1), ("inputs", 0)])
def test_without_one_gradient_the_other_is_the_same(sizes, left_out, other):
    theta, X = theta_and_X(sizes)
    Y, backward = mlp(theta, X, sizes)
    gradients = backward(Y, **{left_out: False})
    assert gradients[1 - other] is None
    assert (gradients[other] == backward(Y)[other]).all()


@every_size
def test_the_output_of_a_perceptron_may_be_overwritten(sizes):
    theta, X = theta_and_X(sizes)
    Y, backward = mlp(theta, X, sizes)
    before, dY = backward(numpy.ones_like(Y)), numpy.ones_like(Y)
    Y *= 0
    assert all((a == b).all() for a, b in zip(before, backward(dY), strict=True))


@every_activation
def test_a_network_of_no_rows_has_no_gradient(activation):
    theta, X = theta_and_X((2, 5, 3), n=0)
    Y, backward = mlp(theta, X, (2, 5, 3), activation)
    dtheta, dX = backward(Y)
    assert Y.shape == (0, 3) and dX.shape == (0, 2) and not dtheta.any()


@every_activation
def test_theta_X_and_dY_are_only_read(activation):
    sizes = SIZES["two"]
    theta, X = theta_and_X(sizes)
    theta.flags.writeable = X.flags.writeable = False
    Y, backward = mlp(theta, X, sizes, activation)
    Y.flags.writeable = False
    first, second = backward(Y), backward(Y)
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


@every_size
@every_activation
def test_gradients_of_one_network_are_arrays_of_their_own(sizes, activation):
    theta, X = theta_and_X(sizes)
    Y, backward = mlp(theta, X, sizes, activation)
    first = backward(Y)
    kept = [array.copy() for array in first]
    doubled = backward(2 * Y)
    for a, b, c in zip(first, kept, doubled, strict=True):
        assert (a == b).all() and (2 * a == c).all()


@every_size
@every_activation
def test_the_output_may_be_overwritten_before_its_gradient_is_asked_for(sizes, activation):
    theta, X = theta_and_X(sizes)
    Y, backward = mlp(theta, X, sizes, activation)
    dY = numpy.random.default_rng(1).standard_normal(Y.shape)
    expected = backward(dY)
    Y *= 0
    for a, b in zip(backward(dY), expected, strict=True):
        assert (a == b).all()


@every_size
def test_the_layers_cut_theta_into_views_that_cover_it(sizes):
    theta = numpy.zeros(n_parameters(sizes))
    shapes = []
    for W, b in cut(theta, sizes):
        W += 1
        b += 1
        shapes.append((W.shape, b.shape))
    assert (theta == 1).all()
    assert shapes == [((a, b), (b,)) for a, b in zip(sizes[:-1], sizes[1:], strict=True)]


@every_activation
def test_a_start_has_the_variances_it_states_and_no_biases(activation):
    """Mean square of 6,000 normal weights: within 5 standard errors, √(2/n) of it each; a false
    alarm in 1.7 million per layer."""
    sizes = (60, 100, 80)
    theta = initial_theta(sizes, numpy.random.default_rng(0), activation)
    for W, b in cut(theta, sizes):
        expected = 2 / len(W) if activation == "relu" else 2 / sum(W.shape)
        assert float((W**2).mean()) == pytest.approx(expected, rel=5 * math.sqrt(2 / W.size))
        assert not b.any()


def test_a_start_is_made_by_its_seed():
    first, again, other = (initial_theta((3, 4, 2), numpy.random.default_rng(s)) for s in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


# Networks as values

WAVES = 2 * numpy.random.default_rng(5).standard_normal((2, 3))
OPTIONS = {"plain": {}, "relu": {"activation": "relu"}, "waves": {"waves": WAVES},
           "bound": {"bound": 0.7}, "all": {"activation": "softplus", "waves": WAVES, "bound": 2}}
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def network_and_data(options, n=7, seed=0):
    """A network R^2 -> R^4, a theta of it, and n rows."""
    network, rng = Network((2, 5, 4), **options), numpy.random.default_rng(seed)
    return network, rng.standard_normal(network.n_parameters), rng.standard_normal((n, 2))


@every_option
def test_a_network_is_a_bounded_perceptron_of_the_fourier_features_of_its_input(options):
    network, theta, X = network_and_data(options)
    phi, _ = fourier_features(X, options.get("waves"))
    Y, _ = mlp(theta, phi, (phi.shape[1], 5, 4), options.get("activation", "tanh"))
    if "bound" in options:
        Y = options["bound"] * numpy.tanh(Y / options["bound"])
    numpy.testing.assert_allclose(network(theta, X)[0], Y, rtol=1e-13)


@every_option
def test_the_gradient_of_a_network_is_that_of_central_differences(options):
    network, theta, X = network_and_data(options)
    check_gradient(network, theta, X, rng=numpy.random.default_rng(1))


@every_option
@pytest.mark.parametrize("left_out, other", [("parameters", 1), ("inputs", 0)])
def test_a_network_without_one_gradient_has_the_other(options, left_out, other):
    network, theta, X = network_and_data(options)
    Y, backward = network(theta, X)
    both, one = backward(Y), backward(Y, **{left_out: False})
    assert one[1 - other] is None and (one[other] == both[other]).all()


@every_option
def test_a_network_knows_its_dimensions_and_how_many_parameters_it_has(options):
    network, theta, X = network_and_data(options)
    features = 2 + 2 * 3 * ("waves" in options)
    assert (network.d_in, network.d_out, network.sizes) == (2, 4, (2, 5, 4))
    assert network.n_parameters == (features + 1) * 5 + 6 * 4
    assert network(theta, X)[0].shape == (7, 4)
    assert [(W.shape, b.shape) for W, b in network.cut(theta)] == [
        ((features, 5), (5,)), ((5, 4), (4,))]


@every_option
def test_the_start_of_a_network_is_that_of_its_perceptron(options):
    network, theta, _ = network_and_data(options)
    sizes = (2 + 6 * ("waves" in options), 5, 4)
    expected = initial_theta(sizes, numpy.random.default_rng(3), options.get("activation", "tanh"))
    assert (network.initial_theta(numpy.random.default_rng(3)) == expected).all()
    assert network.initial_theta(numpy.random.default_rng(3), "float32").dtype == numpy.float32


@every_option
def test_the_output_of_a_network_may_be_overwritten_whether_it_is_bounded_or_not(options):
    network, theta, X = network_and_data(options)
    Y, backward = network(theta, X)
    before = backward(numpy.ones_like(Y))
    Y *= 0
    assert all((a == b).all() for a, b in zip(before, backward(numpy.ones_like(Y)), strict=True))


@every_option
def test_a_network_of_no_rows_gives_none_and_has_no_gradient(options):
    network, theta, X = network_and_data(options, n=0)
    Y, backward = network(theta, X)
    dtheta, dX = backward(Y)
    assert Y.shape == (0, 4) and dX.shape == (0, 2) and not dtheta.any()


def test_a_network_says_what_it_is():
    assert repr(Network((2, 5, 4))) == (
        "Network(sizes=(2, 5, 4), activation='tanh', waves=None, bound=None, max_slope=None)")
    assert "waves=array of shape (2, 3), bound=2.0" in repr(Network((2, 4), waves=WAVES, bound=2))


@pytest.mark.parametrize("options, error, words", [
    ({"sizes": (2,)}, ValueError, r"sizes must be \(d_in, ..., d_out\), got \(2,\)"),
    ({"sizes": 3}, TypeError, "sizes must be a list of whole numbers, got 3"),
    ({"sizes": (2, 0, 1)}, ValueError, "sizes must be at least 1, got 0"),
    ({"activation": "sine"}, ValueError,
     "activation must be one of tanh, relu, softplus, got 'sine'"),
    ({"waves": WAVES.T}, ValueError, r"waves must have shape \(2, m\), got shape \(3, 2\)"),
    ({"bound": 0}, ValueError, r"bound must lie in \[1e-30, 1e30\], got 0"),
    ({"bound": "2"}, TypeError, r"bound must be a number in \[1e-30, 1e30\], got '2'"),
])
def test_wrong_networks_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        Network(**{"sizes": (2, 5, 4)} | options)


def test_a_wrong_theta_or_X_is_refused_by_its_name():
    network, theta, X = network_and_data({})
    with pytest.raises(ValueError, match=r"theta must be an array of shape \(39,\), got \(38,\)"):
        network(theta[1:], X)
    with pytest.raises(ValueError, match="Z has 1 columns; it must lie in R.2"):
        network(theta, X[:, :1], name="Z")
    with pytest.raises(ValueError, match=r"X must have shape \(n, 2\), .* got shape \(2,\)"):
        network(theta, X[0])


# Parts of a vector

@pytest.mark.parametrize("lengths", [(3,), (2, 3), (1, 0, 4), (0, 0), ()])
def test_joining_undoes_cutting_and_cutting_undoes_joining(lengths):
    parts, theta = Parts(*lengths), numpy.arange(float(sum(lengths)))
    assert parts.n_parameters == len(theta) and parts.lengths == lengths
    cut_up = parts(theta)
    assert tuple(map(len, cut_up)) == lengths
    if lengths:
        assert (parts.join(*cut_up) == theta).all()
        again = parts(parts.join(*cut_up))
        assert all((a == b).all() for a, b in zip(again, cut_up, strict=True))


def test_parts_follow_each_other_and_are_views():
    theta = numpy.arange(5.0)
    first, second = Parts(2, 3)(theta)
    assert first.tolist() == [0, 1] and second.tolist() == [2, 3, 4]
    first += 10
    assert theta.tolist() == [10, 11, 2, 3, 4]
    joint = Parts(2, 3).join(first, second)
    joint *= 0
    assert theta.tolist() == [10, 11, 2, 3, 4]              # what is joined is new


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"theta must be an array of shape \(5,\), got \(6,\)"):
        Parts(2, 3)(numpy.zeros(6))


def test_a_theta_of_another_length_is_refused():
    X = numpy.zeros((3, 2))
    for theta in (numpy.zeros(25), numpy.zeros(29), numpy.zeros((27, 1))):
        for call in (lambda theta=theta: mlp(theta, X, (2, 4, 3)), lambda theta=theta: cut(
                theta, (2, 4, 3))):
            with pytest.raises(ValueError, match=r"theta must be an array of shape \(27,\), got"):
                call()


@pytest.mark.parametrize("dtype", ["float16", "int", "text", None, 3, ">f8"])
def test_a_start_in_another_precision_than_float32_or_float64_is_refused(dtype):
    with pytest.raises(TypeError, match="dtype must be float32 or float64, got"):
        Network((2, 4, 3)).initial_theta(numpy.random.default_rng(0), dtype)


# Contracts

@every_activation
def test_float32_goes_in_and_comes_out(xp, make_rng, activation):
    sizes = SIZES["two"]
    theta, X = theta_and_X(sizes, make_rng)
    theta32, X32 = theta.astype("float32"), X.astype("float32")
    Y32, backward = mlp(theta32, X32, sizes, activation)
    assert {a.dtype for a in (Y32, *backward(Y32))} == {numpy.dtype("float32")}
    numpy.testing.assert_allclose(to_numpy(Y32), to_numpy(mlp(theta, X, sizes, activation)[0]),
                                  rtol=1e-3, atol=1e-4)
    assert initial_theta(sizes, make_rng(0), activation, "float32").dtype == numpy.float32


@every_activation
def test_forward_and_backward_never_wait_for_the_device(device, activation):
    theta, X = theta_and_X((2, 5, 3), device.random.default_rng)
    with stand_in_cupy.counted() as n:
        Y, backward = mlp(theta, X, (2, 5, 3), activation)
        backward(Y)
    assert n.waits == 0


def test_theta_and_X_on_two_devices_are_refused(device):
    theta, X = theta_and_X((2, 5, 3), numpy.random.default_rng)
    with pytest.raises(TypeError):
        mlp(theta, device.asarray(X), (2, 5, 3))
    with pytest.raises(TypeError):
        mlp(device.asarray(theta), X, (2, 5, 3))


@every_option
def test_a_network_never_waits_for_the_device_and_agrees_with_the_host(device, options):
    network, theta, X = network_and_data(options)
    theta_there, X_there = device.asarray(theta), device.asarray(X)
    with stand_in_cupy.counted() as n:
        Y_there, backward_there = network(theta_there, X_there)
        gradients_there = backward_there(Y_there)
    assert n.waits == 0
    Y, backward = network(theta, X)
    for there, host in zip((Y_there, *gradients_there), (Y, *backward(Y)), strict=True):
        assert isinstance(there, device.ndarray)
        numpy.testing.assert_allclose(device.asnumpy(there), host, rtol=1e-10, atol=1e-12)


@every_option
def test_a_network_has_the_precision_of_theta(xp, make_rng, options):
    network = Network((2, 5, 4), **options)
    theta = network.initial_theta(make_rng(0), "float32")
    Y, backward = network(theta, make_rng(1).random((6, 2)))
    assert {a.dtype for a in (Y, *backward(Y))} == {numpy.dtype("float32")}


def test_sizes_in_small_whole_numbers_do_not_run_over():
    parts = Parts(numpy.int8(100), numpy.int8(100))(numpy.arange(200.0))
    assert [len(part) for part in parts] == [100, 100]
    Y, _ = mlp(numpy.ones(272), numpy.ones((1, 16)), numpy.array([16, 16], numpy.uint8))
    assert (Y == 17).all()
