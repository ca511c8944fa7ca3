"""Autoencoder: the curved surface that a network finds, its units, and its training."""

import itertools
import math
import tracemalloc

import numpy
import pytest
import stand_in_cupy
from gradient import check_gradient
from training_checks import check_a_step_never_waits

from gdl_numpy.networks.network import ACTIVATIONS
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.optimizer import Adam
from gdl_numpy.pictures.biscuit_tins import BiscuitTins
from gdl_numpy.representation.autoencoder import Autoencoder, AutoencoderFamily
from gdl_numpy.representation.principal_components import PrincipalComponents

SIZES = {"linear": (5, 2), "one hidden layer": (4, 6, 2), "two": (6, 5, 4, 1), "wide": (3, 8, 3)}
every_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


def data(n, d, seed=0):
    """n rows of d columns of very different variance, all correlated, around a mean that is not 0.
    """
    rng = numpy.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * 2.0**-numpy.arange(d)
    return X @ numpy.linalg.qr(rng.standard_normal((d, d)))[0] + rng.random(d)


def theta_and_X(family, n=9, make_rng=numpy.random.default_rng):
    rng = make_rng(3)
    return 0.7 * rng.standard_normal(family.n_parameters), rng.standard_normal((n, family.d))


def error(model, X):
    return float(((model.decode(model.encode(X)) - X)**2).mean())


def last_theta(steps):
    for step in steps:
        theta = step.theta
    return theta


# The loss

@every_size
def test_the_loss_is_the_error_of_reconstruction(sizes):
    family = AutoencoderFamily(sizes)
    theta, X = theta_and_X(family)
    model = family(theta)
    assert isinstance(model, Autoencoder)
    Z = model.encode(X)
    assert Z.shape == (9, sizes[-1]) and model.decode(Z).shape == (9, sizes[0])
    value, dtheta = family.loss(theta, X)
    assert float(value) == pytest.approx(error(model, X), rel=1e-12)
    assert dtheta.shape == theta.shape == (family.n_parameters,)


@every_size
@every_activation
def test_the_gradient_of_the_error_is_that_of_central_differences(sizes, activation):
    family = AutoencoderFamily(sizes, activation)
    theta, X = theta_and_X(family)

    def loss(theta):
        value, dtheta = family.loss(theta, X)
        return value, lambda cotangent: cotangent * dtheta

    check_gradient(loss, theta, rng=numpy.random.default_rng(1))


def test_a_loss_of_no_rows_or_of_rows_of_another_space_is_refused():
    family = AutoencoderFamily((4, 3, 2))
    theta, X = theta_and_X(family)
    with pytest.raises(ValueError, match="X is empty"):
        family.loss(theta, X[:0])
    with pytest.raises(ValueError, match="X has 3 columns"):
        family.loss(theta, X[:, :3])


def test_an_autoencoder_is_not_a_density():
    family = AutoencoderFamily((3, 2))
    model = family(family.initial_theta(numpy.random.default_rng(0)))
    assert not any(hasattr(model, name) for name in ("log_prob", "sample"))


# Changes of units

@every_size
def test_a_rescaled_theta_does_in_other_units_what_theta_does(sizes):
    family = AutoencoderFamily(sizes)
    theta, X = theta_and_X(family)
    mu, scale = numpy.random.default_rng(4).standard_normal(family.d), 3.5
    other = family.rescaled(theta, mu, scale)
    model, rescaled = family(theta), family(other)
    units = scale * X + mu
    numpy.testing.assert_allclose(rescaled.encode(units), model.encode(X), rtol=1e-10, atol=1e-11)
    numpy.testing.assert_allclose(rescaled.decode(rescaled.encode(units)),
                                  scale * model.decode(model.encode(X)) + mu,
                                  rtol=1e-10, atol=1e-11)
    back = family.rescaled(other, -mu / scale, 1 / scale)
    numpy.testing.assert_allclose(back, theta, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("sizes", [(5, 2), (4, 6, 2), (6, 5, 4, 1)])
def test_whitened_codes_are_standard_and_the_reconstructions_stay(sizes):
    family = AutoencoderFamily(sizes)
    theta, X = theta_and_X(family, n=60)
    white, model = family(family.whitened(theta, X)), family(theta)
    Z = white.encode(X)
    numpy.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-10)
    numpy.testing.assert_allclose(Z.T @ Z / 60, numpy.eye(sizes[-1]), atol=1e-10)
    new = numpy.random.default_rng(5).standard_normal((20, family.d))
    for rows in (X, new):
        numpy.testing.assert_allclose(white.decode(white.encode(rows)),
                                      model.decode(model.encode(rows)), rtol=1e-9,
                                      atol=1e-9)


def test_codes_on_a_line_cannot_be_whitened():
    family = AutoencoderFamily((3, 2))
    theta = family.initial_theta(numpy.random.default_rng(0))
    _, phi = family.parts(theta)
    phi[:6] = numpy.repeat(phi[:3], 2)                      # both codes alike
    with pytest.raises(ValueError, match="positive definite"):
        family.whitened(theta, data(20, 3))


# Training

def test_a_linear_autoencoder_finds_the_plane_of_principal_components():
    X, family = data(300, 6), AutoencoderFamily((6, 2))
    best = PrincipalComponents.fit(X, 2)
    theta = last_theta(family.train(X, numpy.random.default_rng(1), Adam(0.01), batch=300,
                                    max_steps=1500))
    assert error(best, X) < error(family(theta), X) < 1.05 * error(best, X)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_curved_surface_is_much_nearer_to_new_tins_than_a_plane(seed):
    """Some eleven times in the error, at resolution 8, and after more steps some twenty times."""
    rng = numpy.random.default_rng(seed)
    X, new = (BiscuitTins(n, rng, 8).images.astype("float32") for n in (1000, 500))
    family = AutoencoderFamily((64, 64, 32, 2))
    theta = last_theta(family.train(X, rng, batch=64, max_steps=1000))
    assert theta.dtype == numpy.float32
    assert error(family(theta), new) < error(PrincipalComponents.fit(X, 2), new) / 8


def test_the_loss_of_a_step_is_in_the_units_of_the_data():
    """Two rows only, 500 times each: about the same error on every large batch."""
    X = numpy.tile(data(2, 4), (500, 1)) * 100
    family = AutoencoderFamily((4, 3, 1))
    steps = list(family.train(X, numpy.random.default_rng(0), batch=1000, max_steps=30))
    for before, after in itertools.pairwise(steps):
        assert float(after.loss) == pytest.approx(error(family(before.theta), X), rel=0.3)
    assert [step.step for step in steps] == list(range(30))


def test_training_in_other_units_is_the_same_training_in_those_units():
    X, family = data(100, 4), AutoencoderFamily((4, 3, 2))
    units = 30 * X - 7
    plain, other = (list(family.train(rows, numpy.random.default_rng(0), max_steps=20))
                    for rows in (X, units))
    expected = family.rescaled(plain[-1].theta, numpy.full(4, -7.0), 30.0)
    numpy.testing.assert_allclose(other[-1].theta, expected, rtol=1e-8, atol=1e-8)
    assert float(other[-1].loss) == pytest.approx(900 * float(plain[-1].loss), rel=1e-8)


def test_the_first_step_moves_theta_by_0_003_in_units_of_mean_0_and_variance_1():
    """All of Adam's first steps have the length η, except for numbers whose slope is 0."""
    X, family = data(100, 4), AutoencoderFamily((4, 3, 2))
    X = (X - X.mean(axis=0)) / math.sqrt(X.var(axis=0).mean())
    theta = family.initial_theta(numpy.random.default_rng(0))
    step = next(family.train(X, numpy.random.default_rng(1), theta=theta))
    numpy.testing.assert_allclose(abs(step.theta - theta), 0.003, rtol=1e-3)
    twice = 2 * X                                           # the first layer takes smaller steps
    step = next(family.train(twice, numpy.random.default_rng(1), theta=theta))
    _, moved = family.parts(abs(step.theta - theta))
    numpy.testing.assert_allclose(moved[:4 * 3], 0.0015, rtol=1e-3)


def test_a_stopped_training_can_be_continued_from_its_theta():
    X, family = data(200, 5), AutoencoderFamily((5, 8, 2))
    for step in family.train(X, numpy.random.default_rng(0), max_steps=1000):
        if step.step == 300:
            break
    stopped = step.theta
    middle = error(family(stopped), X)
    start = family.rescaled(family.initial_theta(numpy.random.default_rng(0)), X.mean(axis=0), 1.0)
    assert middle < 0.1 * error(family(start), X)
    first, *_, last = family.train(X, numpy.random.default_rng(1), batch=200, max_steps=500,
                                   theta=stopped)
    assert float(first.loss) == pytest.approx(middle, rel=0.5)      # of 200 random rows
    assert error(family(last.theta), X) < middle


def test_training_on_with_tiny_steps_keeps_theta():
    X, family = data(50, 5), AutoencoderFamily((5, 4, 2))
    theta = family.initial_theta(numpy.random.default_rng(0))
    kept = theta.copy()
    step = next(family.train(X, numpy.random.default_rng(1), Adam(1e-12), theta=theta))
    numpy.testing.assert_allclose(step.theta, theta, rtol=1e-8, atol=1e-8)
    assert (theta == kept).all()


def test_the_same_seed_gives_the_same_training_and_earlier_thetas_stay_as_they_were():
    X, family = data(50, 5), AutoencoderFamily((5, 4, 2))
    X.flags.writeable = False
    thetas, copies = [], []
    for step in family.train(X, numpy.random.default_rng(0), batch=10, max_steps=20):
        thetas.append(step.theta)
        copies.append(step.theta.copy())
    assert all((a == b).all() for a, b in zip(thetas, copies, strict=True))
    again = last_theta(family.train(X, numpy.random.default_rng(0), batch=10, max_steps=20))
    assert (again == thetas[-1]).all() and (thetas[0] != thetas[1]).any()


def test_wrong_arguments_of_training_are_refused_at_the_call():
    """And not at its first step."""
    family, rng = AutoencoderFamily((3, 2)), numpy.random.default_rng(0)
    for X, options, message in [(numpy.ones((5, 3)), {}, "X must vary"),
                                (numpy.eye(3), {"batch": 0}, "batch must be at least 1"),
                                (numpy.eye(3), {"theta": numpy.ones(5)}, "theta must be an array")]:
        with pytest.raises(ValueError, match=message):
            family.train(X, rng, **options)


@pytest.mark.parametrize("unit", [1e-23, 1e-30, 1e19, 1e30])
def test_a_training_in_float32_follows_the_data_into_any_unit(unit):
    X, family = numpy.random.default_rng(0).standard_normal((60, 3)), AutoencoderFamily((3, 2))
    (one, theta), (two, scaled) = (
        [(step.loss, step.theta) for step in family.train(
            (X * u).astype("f4"), numpy.random.default_rng(0), max_steps=2)][-1] for u in (1, unit))
    assert float(two) / unit / unit == pytest.approx(float(one), rel=1e-3)
    numpy.testing.assert_allclose(family(scaled).decode(family(scaled).encode(X * unit)) / unit,
                                  family(theta).decode(family(theta).encode(X)), atol=1e-4)


def test_the_units_of_a_million_float32_rows_are_those_of_float64():
    rng = numpy.random.default_rng(0)
    X = numpy.float32([180, 220]) + rng.standard_normal((10**6, 2), dtype="f4")
    family = AutoencoderFamily((2, 1))
    theta = family.initial_theta(rng)
    steps = [next(family.train(rows, numpy.random.default_rng(1), Adam(1e-9), theta=theta))
             for rows in (X, X.astype(float))]
    assert steps[0].loss == pytest.approx(steps[1].loss, rel=1e-3)
    one, two = ([next(family.train(rows, numpy.random.default_rng(1), max_steps=1)).theta
                 for rows in (X, X.astype(float))])
    psi, wide = (family.parts(theta)[0][-2:] for theta in (one, two))   # the last biases
    numpy.testing.assert_allclose(psi, wide, atol=0.05)


# Many rows

def test_blocks_of_rows_give_the_result_of_all_rows_at_once():
    family, rng = AutoencoderFamily((3, 4, 2)), numpy.random.default_rng(0)
    theta, X = rng.standard_normal(family.n_parameters), rng.standard_normal((10_000, 3))
    model = family(theta)
    numpy.testing.assert_allclose(model.encode(X), family.encode(theta, X)[0], rtol=1e-12)
    numpy.testing.assert_allclose(model.decode(model.encode(X)),
                                  family.decode(theta, family.encode(theta, X)[0])[0], rtol=1e-12)
    value, dtheta = family.loss(theta, X)
    assert value == pytest.approx(error(model, X), rel=1e-12)
    expected = numpy.mean([family.loss(theta, X[i:i + 1000])[1] for i in range(0, 10_000, 1000)],
                          axis=0)
    numpy.testing.assert_allclose(dtheta, expected, rtol=1e-9, atol=1e-12)


def test_no_layer_is_kept_for_all_of_many_rows():
    """Of which each of 64 numbers would take 51 MB."""
    family, rng = AutoencoderFamily((2, 64, 64, 1)), numpy.random.default_rng(0)
    theta, X = family.initial_theta(rng), rng.standard_normal((100_000, 2))
    model = family(theta)
    for work in (lambda: model.decode(model.encode(X)), lambda: family.loss(theta, X)):
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 40e6


# Arrays, and what is refused

@every_size
def test_a_model_keeps_its_own_theta(sizes):
    family = AutoencoderFamily(sizes)
    theta, X = theta_and_X(family)
    model = family(theta)
    before = model.encode(X), model.decode(model.encode(X))
    theta += 1
    after = model.encode(X), model.decode(model.encode(X))
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_theta_and_X_are_only_read():
    family = AutoencoderFamily((4, 3, 2))
    theta, X = theta_and_X(family)
    theta.flags.writeable = X.flags.writeable = False
    family.loss(theta, X)
    family.rescaled(theta, X[0], 2.0)
    family.whitened(theta, X)
    model = family(theta)
    model.decode(model.encode(X))


@pytest.mark.parametrize("make, error, message", [
    (lambda: AutoencoderFamily((3,)), ValueError,
     r"sizes must be \(d_in, ..., d_out\), got \(3,\)"),
    (lambda: AutoencoderFamily((3, 0)), ValueError, "sizes must be at least 1, got 0"),
    (lambda: AutoencoderFamily((3, 2.5)), TypeError, "sizes must be a whole number, got 2.5"),
    (lambda: AutoencoderFamily((3, 2), "sine"), ValueError,
     "activation must be one of tanh, relu, softplus, got 'sine'"),
    (lambda: AutoencoderFamily((3, 2))(numpy.ones(5)), ValueError,
     r"theta must be an array of shape \(17,\), got \(5,\)"),
    (lambda: AutoencoderFamily((3, 2)).loss(numpy.ones(5), numpy.ones((2, 3))), ValueError,
     r"theta must be an array of shape \(17,\), got \(5,\)"),
    (lambda: Autoencoder(AutoencoderFamily((3, 2)), numpy.ones(5)), ValueError,
     r"theta must be an array of shape \(17,\), got \(5,\)"),
    (lambda: AutoencoderFamily((3, 2)).rescaled(numpy.ones(5), numpy.ones(3), 1.0), ValueError,
     r"theta must be an array of shape \(17,\), got \(5,\)"),
    (lambda: AutoencoderFamily((3, 2)).rescaled(numpy.ones(17), 0.0, 1.0), ValueError,
     r"mu must have shape \(3,\) and scale .* got \(\) and"),
    (lambda: AutoencoderFamily((3, 2)).whitened(numpy.ones(5), numpy.eye(3)), ValueError,
     r"theta must be an array of shape \(17,\), got \(5,\)"),
    (lambda: AutoencoderFamily((3, 2)).encode(numpy.ones(17, int), numpy.eye(3)), TypeError,
     "theta must be an array of float32 or float64"),
    (lambda: AutoencoderFamily((3, 2))(numpy.ones(17)).encode(numpy.ones((1, 2))), ValueError,
     "X has 2 columns"),
    (lambda: AutoencoderFamily((3, 2))(numpy.ones(17)).decode(numpy.ones((1, 3))), ValueError,
     "Z has 3 columns"),
    (lambda: AutoencoderFamily((3, 2))(numpy.ones(17)).encode([[math.nan] * 3]), ValueError,
     "X holds nan"),
])
def test_wrong_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("X, options, error, message", [
    (numpy.full((1000, 3), 0.1), {}, ValueError, "X must vary, but its 1000 rows are all equal"),
    (numpy.ones((1, 3)), {}, ValueError, "X must vary"),
    (numpy.eye(4), {}, ValueError, "X has 4 columns"),
    (numpy.zeros((0, 3)), {}, ValueError, "X is empty"),
    (numpy.full((2, 3), math.nan), {}, ValueError, "X holds nan"),
    (numpy.eye(3), {"batch": 0}, ValueError, "batch must be at least 1, got 0"),
    (numpy.eye(3), {"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
])
def test_wrong_data_and_options_of_training_are_refused(X, options, error, message):
    with pytest.raises(error, match=message):
        next(AutoencoderFamily((3, 2)).train(X, numpy.random.default_rng(0), **options))


def test_a_model_says_what_it_is():
    family = AutoencoderFamily((3, 2))
    assert repr(family) == "AutoencoderFamily(sizes=(3, 2), activation='softplus')"
    theta = "array of shape (17,)"
    assert repr(family(numpy.ones(17))) == f"Autoencoder(family={family}, theta={theta})"


# Contracts

def test_the_loss_never_waits_for_the_device(device):
    family = AutoencoderFamily((4, 6, 2))
    theta, X = theta_and_X(family, make_rng=device.random.default_rng)
    with stand_in_cupy.counted() as n:
        family.loss(theta, X)
    assert n.waits == 0


def test_a_step_of_training_never_waits_for_the_device(device):
    family = AutoencoderFamily((4, 6, 2))
    steps = family.train(theta_and_X(family, make_rng=device.random.default_rng)[1],
                         device.random.default_rng(0))
    check_a_step_never_waits(steps)


@every_size
def test_a_device_computes_what_numpy_does(xp, sizes):
    family = AutoencoderFamily(sizes)
    host = theta_and_X(family, n=60)
    theta, X = (xp.asarray(a) for a in host)
    for f in (lambda theta, X: family(theta).decode(family(theta).encode(X)),
              lambda theta, X: family(theta).encode(X), lambda theta, X: family.loss(theta, X)[0],
              lambda theta, X: family.loss(theta, X)[1],
              lambda theta, X: family.rescaled(theta, X[0], 3.5)):
        found = f(theta, X)
        assert array_module(found) is xp
        numpy.testing.assert_allclose(to_numpy(found), f(*host), rtol=1e-9, atol=1e-9)


def test_whitening_stays_on_the_device(xp):
    family = AutoencoderFamily((4, 6, 2))
    host = theta_and_X(family, n=60)
    white = family.whitened(*(xp.asarray(a) for a in host))
    assert array_module(white) is xp
    numpy.testing.assert_allclose(to_numpy(white), family.whitened(*host), rtol=1e-9, atol=1e-9)


def test_training_stays_where_the_data_are_and_in_their_precision(xp, make_rng):
    family = AutoencoderFamily((4, 5, 2))
    for dtype in ("float32", "float64"):
        X = xp.asarray(data(30, 4).astype(dtype))
        for step in family.train(X, make_rng(0), batch=8, max_steps=3):
            assert array_module(step.theta, step.loss) is xp and step.theta.dtype == dtype
        model = family(step.theta)
        assert model.encode(X).dtype == model.decode(model.encode(X)).dtype == dtype


def test_a_start_lives_where_its_generator_does(xp, make_rng):
    family = AutoencoderFamily((4, 3, 2))
    theta, again = family.initial_theta(make_rng(0)), family.initial_theta(make_rng(0))
    assert theta.shape == (family.n_parameters,) and array_module(theta) is xp
    assert to_numpy(theta == again).all()
    assert family.initial_theta(make_rng(0), "float32").dtype == numpy.float32


def test_arrays_on_two_devices_are_refused(device):
    X, family = data(20, 4), AutoencoderFamily((4, 3, 2))
    on_device, theta = device.asarray(X), theta_and_X(family)[0]
    for model, rows in ((family(theta), on_device), (family(device.asarray(theta)), X)):
        for mapping in (model.encode, lambda rows, p=model: p.decode(rows[:, :2])):
            with pytest.raises(TypeError):
                mapping(rows)
