"""Network: the multilayer perceptron, its gradient, its start."""

import math

import numpy
import pytest
import stand_in_cupy
from gradient import check_gradient

from gdl_numpy.networks.network import ACTIVATIONS, cut, initial_theta, mlp, n_parameters
from gdl_numpy.numerics.backend import array_module, to_numpy

BENT = {"tanh": math.tanh, "relu": lambda a: max(a, 0.0),
        "softplus": lambda a: math.log1p(math.exp(a))}
SIZES = {"no hidden layer": (3, 2), "one": (2, 5, 3), "two": (3, 4, 6, 1), "narrow": (1, 1, 1)}
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
every_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)


def theta_and_X(sizes, make_rng, n=7):
    rng = make_rng(0)
    return rng.standard_normal(n_parameters(sizes)), rng.standard_normal((n, sizes[0]))


def slow_mlp(theta, x, sizes, bend):
    """The network's output for one x, number by number, from lists."""
    theta = iter(theta)
    for i, (d_in, d_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        W = [[next(theta) for _ in range(d_out)] for _ in range(d_in)]
        b = [next(theta) for _ in range(d_out)]
        a = [b[k] + sum(x[j] * W[j][k] for j in range(d_in)) for k in range(d_out)]
        x = [bend(number) for number in a] if i + 2 < len(sizes) else a
    return x


@every_size
@every_activation
def test_a_network_computes_what_loops_over_its_numbers_compute(xp, make_rng, sizes, activation):
    theta, X = theta_and_X(sizes, make_rng)
    Y, _ = mlp(theta, X, sizes, activation)
    expected = [slow_mlp(to_numpy(theta).tolist(), x, sizes, BENT[activation])
                for x in to_numpy(X).tolist()]
    assert array_module(Y) is xp
    numpy.testing.assert_allclose(to_numpy(Y), expected, rtol=1e-12, atol=1e-13)


def test_every_activation_has_its_reference():
    assert set(ACTIVATIONS) == set(BENT)


@every_size
@every_activation
def test_the_gradient_in_theta_and_X_is_that_of_central_differences(
        xp, make_rng, sizes, activation):
    check_gradient(lambda theta, X: mlp(theta, X, sizes, activation),
                   *theta_and_X(sizes, make_rng), rng=make_rng(1))


@every_activation
def test_the_slope_is_known_from_the_value(xp, make_rng, activation):
    bend, times_slope = ACTIVATIONS[activation]
    A, h = 3 * make_rng(0).standard_normal(100), 1e-6
    a, above, below, slope = A.copy(), A + h, A - h, xp.ones_like(A)
    for bent in (a, above, below):
        bend(bent)
    times_slope(slope, a)
    numpy.testing.assert_allclose(to_numpy(slope), to_numpy((above - below) / (2 * h)), atol=1e-8)


@every_activation
def test_large_inputs_overflow_nothing(xp, activation):
    sizes = (1, 1, 1)
    X = xp.asarray([[-1e4], [1e4]])
    Y, backward = mlp(xp.ones(4), X, sizes, activation)
    dtheta, dX = backward(xp.ones_like(Y))
    assert all(numpy.isfinite(to_numpy(a)).all() for a in (Y, dtheta, dX))


@every_activation
def test_the_gradient_of_the_whole_is_the_sum_over_the_rows(xp, make_rng, activation):
    sizes = SIZES["two"]
    theta, X = theta_and_X(sizes, make_rng)
    dY = make_rng(1).standard_normal((len(X), 1))
    dtheta, dX = mlp(theta, X, sizes, activation)[1](dY)
    one_by_one = [mlp(theta, X[i:i + 1], sizes, activation)[1](dY[i:i + 1])
                  for i in range(len(X))]
    numpy.testing.assert_allclose(to_numpy(sum(g for g, _ in one_by_one)), to_numpy(dtheta),
                                  rtol=1e-12, atol=1e-13)
    numpy.testing.assert_allclose(to_numpy(xp.concatenate([g for _, g in one_by_one])),
                                  to_numpy(dX), rtol=1e-12, atol=1e-13)


@every_size
@pytest.mark.parametrize("left_out, other", [("parameters", 1), ("inputs", 0)])
def test_without_one_gradient_the_other_is_the_same(xp, make_rng, sizes, left_out, other):
    theta, X = theta_and_X(sizes, make_rng)
    Y, backward = mlp(theta, X, sizes)
    gradients = backward(Y, **{left_out: False})
    assert gradients[1 - other] is None
    assert to_numpy(gradients[other] == backward(Y)[other]).all()


@every_size
def test_what_a_network_gives_may_be_overwritten(xp, make_rng, sizes):
    theta, X = theta_and_X(sizes, make_rng)
    Y, backward = mlp(theta, X, sizes)
    before, dY = backward(xp.ones_like(Y)), xp.ones_like(Y)
    Y *= 0
    assert all(to_numpy(a == b).all() for a, b in zip(before, backward(dY), strict=True))


@every_activation
def test_a_network_of_no_rows_has_no_gradient(xp, make_rng, activation):
    theta, X = theta_and_X((2, 5, 3), make_rng, n=0)
    Y, backward = mlp(theta, X, (2, 5, 3), activation)
    dtheta, dX = backward(Y)
    assert Y.shape == (0, 3) and dX.shape == (0, 2) and not to_numpy(dtheta).any()


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
def test_theta_X_and_dY_are_only_read(activation):
    sizes = SIZES["two"]
    theta, X = theta_and_X(sizes, numpy.random.default_rng)
    theta.flags.writeable = X.flags.writeable = False
    Y, backward = mlp(theta, X, sizes, activation)
    Y.flags.writeable = False
    first, second = backward(Y), backward(Y)
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


@every_size
@every_activation
def test_gradients_of_one_network_are_arrays_of_their_own(xp, make_rng, sizes, activation):
    theta, X = theta_and_X(sizes, make_rng)
    Y, backward = mlp(theta, X, sizes, activation)
    first = backward(Y)
    kept = [array.copy() for array in first]
    doubled = backward(2 * Y)
    for a, b, c in zip(first, kept, doubled, strict=True):
        assert to_numpy(a == b).all() and to_numpy(2 * a == c).all()


@every_size
@every_activation
def test_the_output_may_be_overwritten_before_its_gradient_is_asked_for(
        xp, make_rng, sizes, activation):
    theta, X = theta_and_X(sizes, make_rng)
    Y, backward = mlp(theta, X, sizes, activation)
    dY = make_rng(1).standard_normal(Y.shape)
    expected = backward(dY)
    Y *= 0
    for a, b in zip(backward(dY), expected, strict=True):
        assert to_numpy(a == b).all()


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


@every_size
def test_the_layers_cut_theta_into_views_that_cover_it(xp, sizes):
    theta = xp.zeros(n_parameters(sizes))
    shapes = []
    for W, b in cut(theta, sizes):
        W += 1
        b += 1
        shapes.append((W.shape, b.shape))
    assert to_numpy(theta == 1).all()
    assert shapes == [((a, b), (b,)) for a, b in zip(sizes[:-1], sizes[1:], strict=True)]


@every_activation
def test_a_start_has_the_variances_it_states_and_no_biases(xp, make_rng, activation):
    """Mean square of 6,000 normal weights: within 5 standard errors, √(2/n) of it each; a false
    alarm in 1.7 million per layer."""
    sizes = (60, 100, 80)
    theta = initial_theta(sizes, make_rng(0), activation)
    assert array_module(theta) is xp
    for W, b in cut(theta, sizes):
        expected = 2 / len(W) if activation == "relu" else 2 / sum(W.shape)
        assert float((W**2).mean()) == pytest.approx(expected, rel=5 * math.sqrt(2 / W.size))
        assert not to_numpy(b).any()


def test_a_start_is_made_by_its_seed(make_rng):
    first, again, other = (to_numpy(initial_theta((3, 4, 2), make_rng(s))) for s in (0, 0, 1))
    assert (first == again).all() and (first != other).any()
