"""Pixels: cells and levels, masses of independent pixels, and the bound that a density gives."""

import itertools
import math
import tracemalloc

import numpy
import pytest
from scipy import stats

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.pictures.pixels import (
    Dequantized,
    IndependentPixels,
    dequantize,
    inverse_cdf,
    quantize,
)
from gdl_numpy.probability.density import Box, Normal

LEVELS = 16


def random_mass(d, levels, seed=0):
    mass = numpy.random.default_rng(seed).random((d, levels))
    return mass / mass.sum(axis=1, keepdims=True)


# Levels and cells

def test_levels_are_rounded_down():
    images = [[0.0, 1 / 16 - 1e-9, 1 / 16, 0.999, 1.0]]
    assert quantize(images, LEVELS).tolist() == [[0, 0, 1, 15, 15]]
    assert quantize([[0.0, 0.33, 0.34, 0.66, 0.67]], 3).tolist() == [[0, 0, 1, 1, 2]]
    assert quantize([[0.0, 0.9]], 1).tolist() == [[0, 0]]


def test_what_lies_outside_gets_the_nearest_level():
    assert quantize([[-1e9, -0.01, 1.01, 1e9]], 5).tolist() == [[0, 0, 4, 4]]
    assert quantize([[-1.7e308, 1.7e308]], 5).tolist() == [[0, 4]]


def test_every_point_of_a_cell_comes_back():
    K, rng = numpy.array([[0, 0, 1, 15, 15]]), numpy.random.default_rng(0)
    assert all((quantize(dequantize(K, LEVELS, rng), LEVELS) == K).all() for _ in range(100))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("levels", [1, 3, 10, 49, 256, 2**16])
def test_no_point_is_rounded_out_of_its_cell(levels, dtype):
    """At both ends of the cell, where u is 0 or the last number below 1."""
    class Ends:
        integers = standard_normal = None.__class__

        def __init__(self, u):
            self.random = lambda shape: numpy.full(shape, u)

    K = numpy.arange(levels)[None] if levels < 1000 else numpy.arange(levels)[None, ::7]
    for u in (0.0, 1e-12, 0.5, 1 - 1e-9, 1 - 2.0**-53):
        rng = Ends(u)
        rng.integers = rng.standard_normal = rng.random
        X = dequantize(K, levels, rng, dtype)
        assert X.dtype == dtype and (quantize(X, levels) == K).all()


def test_points_are_uniform_in_their_cell():
    """n = 10,000. Dvoretzky, Kiefer and Wolfowitz: a distance of 0.03 once in 30 million."""
    n = 10_000
    X = dequantize(numpy.full((n, 1), 2), 3, numpy.random.default_rng(0))
    assert abs(numpy.sort(3 * X[:, 0] - 2) - numpy.arange(n) / n).max() < 0.03


def test_a_point_is_the_level_and_u_over_the_number_of_levels():
    u = numpy.random.default_rng(0).random((1, 2))
    for levels in (1, 4):
        K = numpy.array([[0, levels - 1]])
        X = dequantize(K, levels, numpy.random.default_rng(0))
        numpy.testing.assert_allclose(X, (K + u) / levels, rtol=1e-15)


def test_a_drawn_level_is_where_the_sum_of_the_masses_passes_u():
    mass = numpy.array([0.2, 0.0, 0.5, 0.3])
    u = numpy.array([[0.0], [0.19], [0.2], [0.69], [0.71], [0.999999]])
    assert inverse_cdf(mass, u).tolist() == [0, 0, 2, 2, 3, 3]


def test_a_rare_last_level_of_float32_masses_is_drawn_as_often_as_its_mass_says():
    mass = numpy.array([0.1] * 9 + [0.1 - 1e-6, 1e-6], dtype="float32")
    u = (numpy.arange(10**6)[:, None] + 0.5) / 10**6        # one in 10^6
    assert (inverse_cdf(mass[None], u) == 10).sum() == 1
    assert inverse_cdf(mass.tolist(), [[0.05]]).tolist() == [0]


# Independent pixels

def test_the_masses_of_all_images_sum_to_1():
    every = numpy.array(list(itertools.product(range(3), repeat=4)))
    p = IndependentPixels(random_mass(4, 3))
    assert numpy.exp(p.log_mass(every)).sum() == pytest.approx(1, rel=1e-12)


def test_a_mass_is_the_product_of_those_of_the_pixels():
    mass = random_mass(5, 3)
    expected = math.log(mass[0, 2] * mass[1, 0] * mass[2, 1] * mass[3, 1] * mass[4, 2])
    assert IndependentPixels(mass).log_mass([[2, 0, 1, 1, 2]]) == pytest.approx(expected)


def test_a_fit_is_the_shares_of_the_levels_and_one_more_of_each():
    K = numpy.array([[0, 3], [0, 4], [1, 3]])
    p = IndependentPixels.fit(K, LEVELS)
    numpy.testing.assert_allclose(p.mass.sum(axis=1), 1)
    assert p.mass[0, :3] == pytest.approx([3 / 19, 2 / 19, 1 / 19])
    assert p.log_mass(K[:1]) == pytest.approx(2 * math.log(3 / 19))


def test_a_level_of_no_mass_is_impossible():
    assert IndependentPixels([[1.0, 0.0]]).log_mass([[0], [1]]).tolist() == [0, -math.inf]


def test_without_any_image_all_levels_are_equally_probable():
    p = IndependentPixels.fit(numpy.zeros((0, 2), dtype=int), 4)
    assert (p.mass == 0.25).all() and p.mass.shape == (2, 4)


def test_samples_are_as_frequent_as_their_masses():
    """n = 20,000, each of 9 shares within 5 standard errors."""
    n, p = 20_000, IndependentPixels(random_mass(2, 3))
    K = p.sample(n, numpy.random.default_rng(0))
    every = numpy.array(list(itertools.product(range(3), repeat=2)))
    share, mass = (K[:, None] == every).all(axis=2).mean(axis=0), numpy.exp(p.log_mass(every))
    assert (abs(share - mass) < 5 * numpy.sqrt(mass / n)).all()


def test_many_samples_and_masses_need_little_memory_beside_themselves():
    p = IndependentPixels(random_mass(64, 16))
    tracemalloc.start()
    K = p.sample(4000, numpy.random.default_rng(0))
    log_mass = p.log_mass(K)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * K.nbytes + 15e6 and log_mass.shape == (4000,)


# A density, by cells

def test_the_bound_of_a_density_that_is_constant_in_cells_is_its_mass():
    mass, rng = random_mass(5, LEVELS), numpy.random.default_rng(0)

    def log_p(X, rng):
        return numpy.log(LEVELS * mass[numpy.arange(5), quantize(X, LEVELS)]).sum(axis=1)

    K = rng.integers(0, LEVELS, (20, 5))
    numpy.testing.assert_allclose(Dequantized(None, LEVELS, log_p).lower_bound(K, rng),
                                  IndependentPixels(mass).log_mass(K), rtol=1e-12)


def test_the_uniform_density_gives_all_images_the_same_mass():
    p = Dequantized(Box(numpy.zeros(7), numpy.ones(7)), 5)
    K = numpy.random.default_rng(0).integers(0, 5, (9, 7))
    bound = p.lower_bound(K, numpy.random.default_rng(1))
    numpy.testing.assert_allclose(bound, -7 * math.log(5), rtol=1e-12)


def test_the_best_bound_of_a_normal_density_loses_a_quarter_of_a_bit_and_others_more():
    """On average, for one pixel. By the best normal density a bound needs a quarter of a bit, and
    a narrow one in the middle of the cell needs more, while its mass is nearly 1."""
    rng, K = numpy.random.default_rng(1), numpy.full((200_000, 1), 9)
    p = stats.norm(0.6, 0.02)
    bound = Dequantized(Normal([0.6], [[0.02**2]]), LEVELS).lower_bound(K, rng).mean()
    mass = math.log(p.cdf(10 / 16) - p.cdf(9 / 16))
    assert mass - 0.1 < bound < mass - 0.08
    best = Normal([9.5 / 16], [[(1 / 16)**2 / 12]])
    bits = -Dequantized(best, LEVELS).lower_bound(K, rng).mean() / math.log(2)
    assert bits == pytest.approx(0.2546, abs=0.003)
    narrow = Normal([9.5 / 16], [[(1 / 100)**2]])
    assert -Dequantized(narrow, LEVELS).lower_bound(K, rng).mean() / math.log(2) > 0.5
    assert stats.norm(9.5 / 16, 1 / 100).cdf(10 / 16) > 0.999


def test_samples_of_a_density_are_rounded_down():
    p = Normal([0.5, 0.5], numpy.eye(2))
    K = Dequantized(p, 4).sample(500, numpy.random.default_rng(0))
    assert (K == quantize(p.sample(500, numpy.random.default_rng(0)), 4)).all()
    assert numpy.unique(K).tolist() == [0, 1, 2, 3]


# Arrays, and what is refused

def test_a_model_may_offer_a_lower_bound_of_its_density_and_get_points_in_float32():
    seen = []
    model = Dequantized(None, 4, lambda X, rng: seen.append((X, rng)) or X.sum(axis=1), "float32")
    rng = numpy.random.default_rng(0)
    bound = model.lower_bound([[0, 3]], rng)
    (X, given), = seen
    assert X.dtype == numpy.float32 and given is rng
    assert bound == pytest.approx(X.sum() - 2 * math.log(4))


def test_arguments_are_only_read_and_masses_copied():
    mass, K = random_mass(4, 3), numpy.ones((2, 4), dtype=int)
    K.flags.writeable = False
    p = IndependentPixels(mass)
    before = p.log_mass(K)
    mass[:] = 0
    dequantize(K, 3, numpy.random.default_rng(0))
    IndependentPixels.fit(K, 3)
    assert (p.log_mass(K) == before).all()


def test_models_say_what_they_are():
    p = IndependentPixels(random_mass(4, 3))
    assert repr(p) == "IndependentPixels(mass=array of shape (4, 3))"
    assert repr(Dequantized(p, 3)) == (
        f"Dequantized(p={p}, levels=3, log_p=None, dtype='float64')")


@pytest.mark.parametrize("K, error, message", [
    ([[0, 3]], ValueError, "K must hold whole numbers from 0 to 2, got 3"),
    ([[0, -1]], ValueError, "K must hold whole numbers from 0 to 2, got -1"),
    ([[0, 0.5]], ValueError, "K must hold whole numbers from 0 to 2, got 0.5"),
    ([0, 1], ValueError, r"K must have shape \(n, [2d]\), one observation a row, got shape \(2,\)"),
    (["ab"], TypeError, "K must hold real numbers"),
])
def test_wrong_levels_are_refused(K, error, message):
    p = IndependentPixels(random_mass(2, 3))
    density, rng = Dequantized(Box([0, 0], [1, 1]), 3), numpy.random.default_rng(0)
    for call in (p.log_mass, lambda K: IndependentPixels.fit(K, 3),
                 lambda K: dequantize(K, 3, rng), lambda K: density.lower_bound(K, rng)):
        with pytest.raises(error, match=message):
            call(K)


@pytest.mark.parametrize("call, error, message", [
    (lambda: quantize([[0.5]], 0), ValueError, "levels must be at least 1, got 0"),
    (lambda: quantize([[math.nan]], 3), ValueError, "images holds nan"),
    (lambda: dequantize([[0]], 1.5, None), TypeError, "levels must be a whole number, got 1.5"),
    (lambda: dequantize([[0]], 2, 0), TypeError, "rng must be a generator .* got 0"),
    (lambda: Dequantized(None, 0), ValueError, "levels must be at least 1, got 0"),
    (lambda: IndependentPixels.fit([[0]], 0), ValueError, "levels must be at least 1, got 0"),
    (lambda: IndependentPixels([[0.5, 0.5], [0.5, 0.4]]), ValueError,
     "mass must sum to 1, got a sum of 0.9"),
    (lambda: IndependentPixels([1.0]), ValueError, r"mass must have shape \(d, L\), .* got .*1,"),
    (lambda: IndependentPixels([[[1.0]]]), ValueError, r"mass must have shape \(d, L\)"),
    (lambda: dequantize([[0]], 2, numpy.random.default_rng(0), int), TypeError,
     "dtype must be float32 or float64, got"),
    (lambda: Dequantized(Box([0], [1]), 3, dtype="half a number"), TypeError,
     "dtype must be float32 or float64"),
    (lambda: quantize([[0.5]], 10**9), ValueError, "levels must be at most 65536, got 1000000000"),
    (lambda: IndependentPixels.fit([[0]], 10**9), ValueError, "levels must be at most 65536"),
    (lambda: IndependentPixels.fit(3, 4), ValueError, r"K must have shape \(n, d\)"),
    (lambda: dequantize([[1e300]], 4, numpy.random.default_rng(0)), ValueError,
     r"K must hold whole numbers from 0 to 3, got 1e\+300"),
    (lambda: IndependentPixels([[1.5, -0.5]]), ValueError, "mass must be .* none negative"),
    (lambda: IndependentPixels([[1.0]]).log_mass([[0, 0]]), ValueError, "K has 2 columns"),
    (lambda: IndependentPixels([[1.0]]).sample(-1, numpy.random.default_rng(0)), ValueError,
     "n must be at least 0, got -1"),
    (lambda: Dequantized(Box([0], [1]), 2).sample(1, 0), TypeError, "rng must be a generator"),
])
def test_wrong_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Contracts

def test_a_device_computes_what_numpy_does(xp):
    mass, rng = random_mass(5, 3), numpy.random.default_rng(0)
    host, images = rng.integers(0, 3, (9, 5)), rng.random((9, 5))
    K, p = xp.asarray(host), IndependentPixels(xp.asarray(mass))
    box = Dequantized(Box(xp.zeros(5), xp.ones(5)), 3)
    for found, expected in [
            (p.log_mass(K), IndependentPixels(mass).log_mass(host)),
            (IndependentPixels.fit(K, 3).mass, IndependentPixels.fit(host, 3).mass),
            (quantize(xp.asarray(images), 3), quantize(images, 3)),
            (box.lower_bound(K, xp.random.default_rng(0)), numpy.full(9, -5 * math.log(3)))]:
        assert array_module(found) is xp
        numpy.testing.assert_allclose(to_numpy(found), expected, rtol=1e-12)


def test_samples_live_where_their_generator_does(xp, make_rng):
    p = IndependentPixels(xp.asarray(random_mass(5, 3)))
    box = Dequantized(Box(xp.zeros(5), xp.ones(5)), 3)
    for model in (p, box):
        K = model.sample(4, make_rng(0))
        assert K.shape == (4, 5) and K.dtype.kind == "i" and array_module(K) is xp
        assert to_numpy(K == model.sample(4, make_rng(0))).all()
        assert model.sample(0, make_rng(0)).shape == (0, 5)
    X = dequantize(p.sample(4, make_rng(0)), 3, make_rng(1), "float32")
    assert X.dtype == numpy.float32 and array_module(X) is xp


def test_arrays_on_two_devices_are_refused(device):
    mass, K = random_mass(5, 3), numpy.zeros((2, 5), dtype=int)
    with pytest.raises(TypeError, match="move one of them first"):
        IndependentPixels(mass).log_mass(device.asarray(K))
    with pytest.raises(TypeError, match="move one of them first"):
        IndependentPixels(device.asarray(mass)).log_mass(K)
