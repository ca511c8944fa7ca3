"""Window: each pixel from those before it, exactly, by one classifier for all."""

import itertools
import math

import numpy
import pytest
import stand_in_cupy
from gradient import check_gradient
from training_checks import check_a_step_never_waits

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.optimizer import Step
from gdl_numpy.pictures.window import BLOCK, Window, WindowFamily

every_shape = pytest.mark.parametrize("side, levels, reach, rows", [
    (2, 3, 1, 1), (2, 2, 3, 0), (3, 2, 1, 2), (2, 3, 0, 1), (2, 2, 0, 0)])


def window(side, levels, reach, rows, seed=0, dtype=float):
    family = WindowFamily(side, levels, reach, rows, (7,))
    return family, 2 * family.initial_theta(numpy.random.default_rng(seed), dtype)


def all_pictures(side, levels):
    return numpy.array(list(itertools.product(range(levels), repeat=side**2)))


def some_pictures(side, levels, n=6):
    return numpy.random.default_rng(1).integers(0, levels, (n, side**2))


# Masses

@every_shape
def test_the_masses_of_all_pictures_sum_to_1(side, levels, reach, rows):
    family, theta = window(side, levels, reach, rows)
    log_p = family(theta).log_mass(all_pictures(side, levels))
    assert numpy.exp(log_p).sum() == pytest.approx(1, rel=1e-12)
    assert log_p.std() > 0.1


def test_a_log_mass_is_the_sum_of_those_of_the_pixels_given_the_ones_before():
    family, theta = window(4, 5, 2, 1)
    p, K = family(theta), some_pictures(4, 5)
    expected = numpy.zeros(6)
    for i in range(16):
        log_p = p.log_conditional(K, numpy.full((6, 1), i))
        numpy.testing.assert_allclose(numpy.exp(log_p).sum(axis=2), 1, rtol=1e-12)
        expected += log_p[numpy.arange(6), 0, K[:, i]]
    numpy.testing.assert_allclose(p.log_mass(K), expected, rtol=1e-12)


def test_what_comes_later_does_not_matter_for_a_pixel():
    family, theta = window(4, 3, 2, 2)
    p, K, pixels = family(theta), some_pictures(4, 3), numpy.tile(numpy.arange(16), (6, 1))
    before = p.log_conditional(K, pixels)
    for i in range(16):
        later = K.copy()
        later[:, i:] = 2 - later[:, i:]
        after = p.log_conditional(later, pixels)
        numpy.testing.assert_allclose(after[:, :i + 1], before[:, :i + 1], rtol=1e-12)


def test_samples_are_as_frequent_as_their_masses():
    """n = 20,000, each of 16 shares within 5 standard errors."""
    family, theta = window(2, 2, 2, 1)
    p, n = family(theta), 20_000
    K = p.sample(n, numpy.random.default_rng(1))
    share = numpy.bincount(K @ [8, 4, 2, 1], minlength=16) / n
    mass = numpy.exp(p.log_mass(all_pictures(2, 2)))
    assert (abs(share - mass) < 5 * numpy.sqrt(mass / n)).all()


# What a pixel sees

def test_the_window_of_a_pixel_by_hand():
    """Of the pixel in the middle of 3 x 3, with levels 0, 1, 2: v = -2/3, 0, 2/3."""
    K = numpy.array([[0, 1, 2,
                      2, 0, 1,
                      1, 1, 1]])
    family = WindowFamily(3, 3, 1, 1, (2,))
    row = column = [0, 1, 0]
    expected = [-2 / 3, 0, 2 / 3, 2 / 3, *row, *column]
    assert family.inputs(K, numpy.array([[4]])).tolist()[0] == pytest.approx(expected)
    row, column = [0, 0, 1], [1, 0, 0]
    expected = [0, 2 / 3, -2 / 3, 0, *row, *column]         # 0 beyond the border, twice
    assert family.inputs(K, numpy.array([[6]])).tolist()[0] == pytest.approx(expected)


@pytest.mark.parametrize("reach, rows", [(1, 2), (2, 1), (0, 1), (3, 0), (6, 6)])
def test_a_pixel_depends_on_its_window_and_on_nothing_else(reach, rows):
    side = 5
    family, _ = window(side, 4, reach, rows)
    K, pixels = some_pictures(side, 4, n=1), numpy.arange(side**2)[None]
    before = family.inputs(K, pixels)
    for j in range(side**2):
        changed = K.copy()
        changed[0, j] = 3 - changed[0, j]
        seen = (family.inputs(changed, pixels) != before).any(axis=1)
        row, column = divmod(j, side)
        for i in range(side**2):
            down, right = i // side - row, i % side - column
            assert seen[i] == (0 <= down <= rows and abs(right) <= reach and i > j)


def test_what_is_asked_of_a_pixel_is_checked_and_one_of_another_row_is_not_taken():
    family, theta = window(3, 4, 1, 1)
    p, K, pixels = family(theta), some_pictures(3, 4), numpy.zeros((6, 1), dtype=int)
    for call, message in [
            (lambda: p.log_conditional(K, pixels + 9), "pixels must hold .* 0 to 8, got 9"),
            (lambda: p.log_conditional(K, pixels - 1), "pixels must hold .* 0 to 8, got -1"),
            (lambda: p.log_conditional(K, pixels[1:]), r"pixels must be .* \(n, m\) for n = 6"),
            (lambda: p.log_conditional(K + 4, pixels), "K must hold whole numbers from 0 to 3"),
            (lambda: p.log_conditional(K[:, 1:], pixels), "K has 8 columns"),
            (lambda: family.inputs(K[:, 1:], pixels), "K has 8 columns"),
            (lambda: family.inputs(K, [[0]]), r"pixels must be an array of whole numbers"),
            (lambda: Window(family, theta[1:]), "theta must be an array of shape")]:
        with pytest.raises(ValueError, match=message):
            call()
    assert (p.log_conditional(K.tolist(), pixels.tolist()) == p.log_conditional(K, pixels)).all()


# The loss

@every_shape
def test_the_gradient_of_the_loss_is_that_of_central_differences(side, levels, reach, rows):
    family, theta = window(side, levels, reach, rows)

    def loss(theta):
        value, dtheta = family.loss(theta, some_pictures(side, levels),
                                    numpy.random.default_rng(2), m=5)
        return value, lambda cotangent: cotangent * dtheta

    check_gradient(loss, theta, rng=numpy.random.default_rng(1))


def test_the_mean_loss_is_the_mean_of_minus_log_mass_over_pictures_and_pixels():
    """From 40,000 pixels of each picture, within 5 standard errors."""
    family, theta = window(3, 4, 1, 1)
    K, p = some_pictures(3, 4), family(theta)
    loss, _ = family.loss(theta, K, numpy.random.default_rng(0), m=40_000)
    assert loss == pytest.approx(-p.log_mass(K).mean() / 9, abs=5 * 1 / math.sqrt(240_000))


def test_a_loss_is_of_64_pixels_unless_told():
    family, theta = window(3, 4, 1, 1)
    K = some_pictures(3, 4)
    values = [float(family.loss(theta, K, numpy.random.default_rng(0), *m)[0])
              for m in ((), (64,), (63,))]
    assert values[0] == values[1] != values[2]


# Training

def test_training_lowers_the_loss():
    rng = numpy.random.default_rng(0)
    K = rng.integers(0, 2, (200, 1)) * 3 + numpy.zeros((200, 9), dtype=int)     # black or white
    family = WindowFamily(3, 4, 1, 1, (8,))
    steps = list(family.train(K, rng, max_steps=300, batch=20, learning_rate=1e-2))
    assert float(steps[-1].loss) < 0.2 < 1 < float(steps[0].loss)
    p = family(steps[-1].theta)
    assert p.log_mass(K).mean() > math.log(0.4)             # it is log 1/2 at most
    sides = numpy.ptp(p.sample(200, rng), axis=1)
    assert (sides == 0).mean() > 0.7


def test_training_begins_at_a_given_theta_and_goes_on_with_as_many_pixels_as_told():
    family, theta = window(3, 4, 1, 1, dtype="float32")
    K, kept = some_pictures(3, 4), theta.copy()
    step = next(family.train(K, numpy.random.default_rng(0), theta=theta, learning_rate=1e-9, m=50))
    assert isinstance(step, Step) and step.theta == pytest.approx(theta, abs=1e-6)
    assert (theta == kept).all()
    rng = numpy.random.default_rng(0)
    i = rng.integers(0, 6, size=6)                          # the rows of the batch
    assert float(step.loss) == float(family.loss(theta, K[i], rng, m=50)[0])


# Arrays, and what is refused

@pytest.mark.parametrize("n", [0, 1, BLOCK, BLOCK + 1])
def test_pictures_together_have_the_masses_that_they_have_alone(n):
    family, theta = window(3, 4, 1, 1)
    p, K = family(theta), some_pictures(3, 4, n)
    alone = [p.log_mass(K[i:i + 1])[0] for i in range(n)]
    assert p.log_mass(K).shape == (n,)
    numpy.testing.assert_allclose(p.log_mass(K), alone, rtol=1e-12)
    assert (p.log_mass(K.tolist() or K) == p.log_mass(K)).all()
    assert p.sample(n, numpy.random.default_rng(0)).shape == (n, 9)


def test_a_model_keeps_its_theta_and_only_reads_pictures():
    family, theta = window(3, 4, 1, 1)
    p, K = family(theta), some_pictures(3, 4)
    K.flags.writeable = False
    before = p.log_mass(K)
    theta += 1
    assert isinstance(p, Window) and (p.log_mass(K) == before).all()


def test_models_say_what_they_are():
    family = WindowFamily(3, 4, 1, 2, [7])
    assert repr(family) == "WindowFamily(side=3, levels=4, reach=1, rows=2, hidden=(7,))"
    theta = numpy.zeros(family.n_parameters)
    assert repr(family(theta)) == f"Window(family={family}, theta=array of shape {theta.shape})"


@pytest.mark.parametrize("arguments, error, message", [
    ((0, 4, 1, 1, (7,)), ValueError, "side must be at least 1, got 0"),
    ((3, 1, 1, 1, (7,)), ValueError, "levels must be at least 2, got 1"),
    ((3, 4, -1, 1, (7,)), ValueError, "reach must be at least 0, got -1"),
    ((3, 4, 1, 1.5, (7,)), TypeError, "rows must be a whole number, got 1.5"),
    ((3, 4, 1, 1, (0,)), ValueError, "hidden must be at least 1, got 0"),
])
def test_what_is_no_window_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        WindowFamily(*arguments)


def test_what_no_model_can_be_asked_or_learn_from_is_refused():
    family, theta = window(3, 4, 1, 1)
    p, K, rng = family(theta), some_pictures(3, 4), numpy.random.default_rng(0)
    for call, error, message in [
            (lambda: family(theta[1:]), ValueError, "theta must be an array of shape"),
            (lambda: family.loss(theta[1:], K, rng), ValueError, "theta must be an array of shape"),
            (lambda: family.train(K, rng, theta=theta[1:]), ValueError, "theta must be an array"),
            (lambda: family.loss(theta, K[:0], rng), ValueError, "K is empty"),
            (lambda: family.loss(theta, K[:, 1:], rng), ValueError, "K has 8 columns"),
            (lambda: family.loss(theta, K, rng, 0), ValueError, "m must be at least 1, got 0"),
            (lambda: family.loss(theta, K, numpy.random), TypeError, "rng must be a generator"),
            (lambda: family.train(K, rng, m=0), ValueError, "m must be at least 1, got 0"),
            (lambda: WindowFamily(3, 10**9, 1, 1, (7,)), ValueError, "levels must be at most 6"),
            (lambda: family.train(K[:0], rng), ValueError, "K is empty"),
            (lambda: family.train(K + 1, rng), ValueError, "numbers from 0 to 3, got 4"),
            (lambda: p.log_mass(K + 1), ValueError, "K must hold whole numbers from 0 to 3, got 4"),
            (lambda: p.log_mass(K[:, 1:]), ValueError, "K has 8 columns"),
            (lambda: p.sample(-1, rng), ValueError, "n must be at least 0, got -1"),
            (lambda: p.sample(1, 0), TypeError, "rng must be a generator .* got 0")]:
        with pytest.raises(error, match=message):
            call()


# Contracts

@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_device_computes_what_numpy_does_in_the_precision_of_theta(xp, make_rng, dtype):
    family, theta = window(3, 4, 1, 1, dtype=dtype)
    host, pixels = some_pictures(3, 4), numpy.tile([2, 5, 8], (6, 1))
    K, p, on_host = xp.asarray(host), family(xp.asarray(theta)), family(theta)
    for found, expected in [
            (p.log_mass(K), on_host.log_mass(host)),
            (p.log_conditional(K, xp.asarray(pixels)), on_host.log_conditional(host, pixels))]:
        assert array_module(found) is xp and found.dtype == dtype
        numpy.testing.assert_allclose(to_numpy(found), expected, rtol=1e-5)
    loss, dtheta = family.loss(xp.asarray(theta), K, make_rng(0))
    assert array_module(loss, dtheta) is xp and dtheta.dtype == loss.dtype == dtype
    samples = p.sample(4, make_rng(0))
    assert samples.shape == (4, 9) and array_module(samples) is xp
    assert to_numpy(samples == p.sample(4, make_rng(0))).all()


def test_training_stays_where_the_pictures_are_and_is_in_single_precision(xp, make_rng):
    family = WindowFamily(3, 4, 1, 1, (7,))
    K = xp.asarray(some_pictures(3, 4))
    steps = list(family.train(K, make_rng(0), max_steps=3, batch=4))
    assert [step.step for step in steps] == [0, 1, 2]
    assert all(array_module(step.theta) is xp and step.theta.dtype == numpy.float32
               for step in steps)


def test_a_loss_and_a_step_of_training_never_wait_for_the_device(device):
    family, theta = window(3, 4, 1, 1)
    theta, K = device.asarray(theta), device.asarray(some_pictures(3, 4))
    with stand_in_cupy.counted() as n:
        family.loss(theta, K, device.random.default_rng(0))
    assert n.waits == 0
    check_a_step_never_waits(family.train(K, device.random.default_rng(0)))


def test_arrays_on_two_devices_are_refused(device):
    family, theta = window(3, 4, 1, 1)
    K = some_pictures(3, 4)
    for p, pictures, rng in ((family(theta), device.asarray(K), device.random.default_rng(0)),
                             (family(device.asarray(theta)), K, numpy.random.default_rng(0))):
        with pytest.raises(TypeError, match="move one of them first"):
            p.log_mass(pictures)
        with pytest.raises(TypeError):
            p.sample(2, rng)


def test_pixels_counted_in_bytes_see_what_pixels_counted_in_integers_see():
    family = WindowFamily(16, 2, 2, 2, (3,))
    K = numpy.random.default_rng(0).integers(0, 2, (1, 256)).astype(float)
    pixels = numpy.arange(256)[None]
    assert (family.inputs(K, pixels.astype(numpy.uint8)) == family.inputs(K, pixels)).all()
