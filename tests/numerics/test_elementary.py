"""Elementary functions: right where the formula is, right where the formula overflows."""

import math

import numpy
import pytest
import scipy.special
import stand_in_cupy
from gradient import check_gradient

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.elementary import (
    bounded,
    log_softmax,
    logsumexp,
    sigmoid,
    softmax,
    softplus,
)

INF, NAN = math.inf, math.nan
EVERY = [logsumexp, log_softmax, softmax, softplus, sigmoid]


# log Σ exp

@pytest.mark.parametrize("x, expected", [
    ([1000.0, 1000.0], 1000 + math.log(2)),
    ([-1000.0] * 3, -1000 + math.log(3)),
    ([0.0, -40.0], math.log1p(math.exp(-40))),              # 4.248e-18: no digit is lost
    ([-40.0, 0.0, -41.0], math.log1p(math.exp(-40) + math.exp(-41))),
    ([-INF, -INF], -INF),
    ([INF, 0.0], INF),
    ([INF, -INF, INF], INF),
    ([], -INF),
    ([NAN, 0.0], NAN),
    ([NAN, INF], NAN),
    (3.0, 3.0),
])
def test_logsumexp_where_the_formula_as_written_fails(x, expected):
    result = logsumexp(x)
    numpy.testing.assert_allclose(result, expected, rtol=1e-15)
    assert result.shape == ()


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_agrees_with_scipy_on_every_axis(axis, keepdims):
    x = numpy.random.default_rng(0).normal(0, 30, (4, 5, 6))
    result = logsumexp(x, axis=axis, keepdims=keepdims)
    expected = scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)
    numpy.testing.assert_allclose(result, expected, rtol=1e-12, strict=True)


def test_logsumexp_of_no_terms_is_minus_infinity_on_every_axis():
    assert logsumexp(numpy.zeros((2, 0)), axis=1).tolist() == [-INF, -INF]
    assert logsumexp(numpy.zeros((0, 2)), axis=1).shape == (0,)
    assert logsumexp(numpy.zeros((2, 0)), axis=1, keepdims=True).shape == (2, 1)


@pytest.mark.parametrize("c", [-1e5, -3.7, 1e5])
def test_logsumexp_moves_with_its_arguments(c):
    x = numpy.random.default_rng(1).standard_normal(50)
    assert float(logsumexp(x + c)) == pytest.approx(float(logsumexp(x)) + c, rel=1e-14)


# softmax

def test_softmax_agrees_with_scipy():
    x = numpy.random.default_rng(2).normal(0, 30, (40, 7))
    for axis in (0, 1):
        numpy.testing.assert_allclose(softmax(x, axis=axis),
                                      scipy.special.softmax(x, axis=axis), rtol=1e-12)
        numpy.testing.assert_allclose(log_softmax(x, axis=axis),
                                      scipy.special.log_softmax(x, axis=axis), rtol=1e-12,
                                      atol=1e-15)


@pytest.mark.parametrize("scale", [1e-3, 1, 100, 1e4, 1e300])
def test_softmax_sums_to_1(scale):
    p = softmax(scale * numpy.random.default_rng(3).standard_normal((100, 10)))
    numpy.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    assert (p >= 0).all()


@pytest.mark.parametrize("x, expected", [
    ([INF, 0.0], [1, 0]),
    ([INF, INF, 0.0], [0.5, 0.5, 0]),
    ([-INF, -INF], [0.5, 0.5]),
    ([-INF, 3.0], [0, 1]),
    ([NAN, 0.0], [NAN, NAN]),
    ([5.0], [1]),
    ([], []),
])
def test_softmax_of_infinite_logits_is_the_limit(x, expected):
    assert numpy.array_equal(softmax(x), expected, equal_nan=True)


def test_log_softmax_is_finite_where_softmax_underflows():
    x = numpy.array([0.0, -1e4])
    assert softmax(x).tolist() == [1, 0]
    assert log_softmax(x).tolist() == [0, -1e4]


# softplus and sigmoid

def test_softplus_and_sigmoid_agree_with_scipy():
    x = numpy.linspace(-700, 700, 30_001)
    numpy.testing.assert_allclose(sigmoid(x), scipy.special.expit(x),
                                  rtol=1e-12)
    numpy.testing.assert_allclose(softplus(x), numpy.logaddexp(0, x),
                                  rtol=1e-12)


def test_softplus_and_sigmoid_at_the_ends_of_the_line():
    x = numpy.array([-INF, -1e4, -800.0, 0.0, 800.0, 1e4, INF, NAN])
    assert numpy.array_equal(sigmoid(x), [0, 0, 0, 0.5, 1, 1, 1, NAN], equal_nan=True)
    assert numpy.array_equal(softplus(x),
                             [0, 0, 0, math.log(2), 800, 1e4, INF, NAN], equal_nan=True)


def test_sigmoids_of_both_signs_sum_to_1_and_softplus_is_the_logarithm():
    x = 20 * numpy.random.default_rng(4).standard_normal(1000)
    numpy.testing.assert_allclose(sigmoid(x) + sigmoid(-x), 1, rtol=1e-15)
    numpy.testing.assert_allclose(numpy.log(sigmoid(x)), -softplus(-x),
                                  rtol=1e-12, atol=1e-15)


# The derivatives that the module's header states

def test_the_derivative_of_logsumexp_is_softmax():
    X, rng = numpy.random.default_rng(5).standard_normal((4, 6)), numpy.random.default_rng(6)
    check_gradient(lambda x: (logsumexp(x, axis=1), lambda c: c[:, None] * softmax(x, axis=1)),
                   X, rng=rng)


def test_the_derivative_of_log_softmax_is_a_projection():
    X, rng = numpy.random.default_rng(5).standard_normal((4, 6)), numpy.random.default_rng(6)
    check_gradient(lambda x: (log_softmax(x), lambda c: c - c.sum(axis=-1)[:, None] * softmax(x)),
                   X, rng=rng)


def test_the_derivatives_of_softplus_and_sigmoid():
    x, rng = 3 * numpy.random.default_rng(5).standard_normal(20), numpy.random.default_rng(6)
    check_gradient(lambda x: (softplus(x), lambda c: c * sigmoid(x)), x, rng=rng)
    check_gradient(lambda x: (sigmoid(x), lambda c: c * sigmoid(x) * sigmoid(-x)), x, rng=rng)


@pytest.mark.parametrize("B", [None, 0.5, 3.0])
def test_a_bounded_number_keeps_its_place_and_its_slope_at_0(B):
    x = 5 * numpy.random.default_rng(5).standard_normal(20)
    x.flags.writeable = False
    check_gradient(lambda x: bounded(x, B), x, rng=numpy.random.default_rng(6))
    small, _ = bounded(numpy.array([-1e-6, 0.0, 1e-6]), B)
    numpy.testing.assert_allclose(small, [-1e-6, 0, 1e-6], rtol=1e-9)
    if B is not None:
        ends, backward = bounded(numpy.array([-1e9, 1e9]), B)
        assert ends.tolist() == [-B, B]
        assert backward(numpy.ones(2)).tolist() == [0, 0]


# All of them


@pytest.mark.parametrize("f", EVERY)
def test_lists_are_taken_and_arrays_are_left_as_they_are(f):
    x = numpy.array([3.0, -INF, 1.0])
    x.flags.writeable = False
    numpy.testing.assert_array_equal(f(x), f([3.0, -INF, 1.0]))


ENDS = [-INF, -1.7e308, -1e4, -745.2, -37.0, -1e-320, 0.0, 1e-300, 37.0, 710.0, 1.7e308, INF]


def bounded_by_2(x):
    return bounded(x, 2.0)[0]


@pytest.mark.parametrize("f", [*EVERY, bounded_by_2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_number_raises_a_floating_point_error(f, dtype):
    limit = numpy.finfo(dtype).max
    x = numpy.array(ENDS).clip(-limit, limit).astype(dtype)
    pairs = numpy.stack(numpy.meshgrid(x, x), axis=-1).reshape(-1, 2)
    with numpy.errstate(all="raise"):
        strict = f(x), *map(f, pairs)
    numpy.testing.assert_array_equal(numpy.hstack(strict), numpy.hstack([f(x), *map(f, pairs)]))


def test_the_pullback_of_a_bounded_number_raises_no_floating_point_error():
    with numpy.errstate(all="raise"):
        y, backward = bounded(numpy.array(ENDS), 0.5)
        dx = backward(numpy.full(len(ENDS), 1e-320))
    assert y[0] == -0.5 and y[-1] == 0.5 and dx[0] == dx[-1] == 0


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_many_terms_are_added_in_double_precision(dtype):
    """70,000 is beyond float16, and 3,000,000 float32 numbers added one by one are 0.1 % wrong."""
    assert float(logsumexp(numpy.zeros(70_000, dtype))) == pytest.approx(math.log(70_000), rel=1e-7)
    x = numpy.full((3_000_000, 1), math.log(0.3), dtype)
    x[0] = 0
    rest = 2_999_999 * math.exp(float(x[1, 0]))
    assert float(logsumexp(x, axis=0)[0]) == pytest.approx(math.log1p(rest), rel=3e-7)


@pytest.mark.parametrize("f", [*EVERY, bounded_by_2])
@pytest.mark.parametrize("x", [
    [1 + 1j, 2], ["1", "2"], numpy.array(["0", "1"], object), [True, False], None,
    numpy.array(["2020-01-01"], "datetime64[D]")])
def test_what_is_not_a_real_number_is_refused(f, x):
    with pytest.raises(TypeError, match="x must hold real numbers, got dtype"):
        f(x)


@pytest.mark.parametrize("f", [*EVERY, bounded_by_2])
def test_a_mask_is_not_dropped_and_ragged_lists_are_named(f):
    with pytest.raises(TypeError, match="x is a masked array"):
        f(numpy.ma.masked_values([1.0, -9999.0], -9999))
    with pytest.raises(ValueError, match="x is ragged"):
        f([[1.0, 2.0], [3.0]])


@pytest.mark.parametrize("f", [*EVERY, bounded_by_2])
@pytest.mark.parametrize("dtype, wanted", [
    ("float16", "float32"), (">f4", "float32"), (">f8", "float64"), ("longdouble", "float64"),
    ("int8", "float64"), ("uint64", "float64")])
def test_every_kind_of_real_number_is_computed_with_in_one_of_two_precisions(f, dtype, wanted):
    x = numpy.array([1, 2, 3])
    result = f(x.astype(dtype))
    assert result.dtype == wanted and result.dtype.isnative
    numpy.testing.assert_allclose(result, f(x), rtol=1e-6)


@pytest.mark.parametrize("f", [logsumexp, log_softmax, softmax])
@pytest.mark.parametrize("axis, error", [(2, ValueError), (-3, ValueError), ("1", TypeError),
                                         (1.0, TypeError), (True, TypeError), ([0], TypeError)])
def test_what_is_not_an_axis_is_refused(f, axis, error):
    with pytest.raises(error, match="axis must be"):
        f(numpy.zeros((2, 3)), axis)


@pytest.mark.parametrize("B", [0, -1.0, NAN, INF, "2", True, [1.0], numpy.ones(2)])
def test_what_is_not_a_bound_is_refused(B):
    with pytest.raises((ValueError, TypeError), match=r"B must .* in \[1e-30, 1e30\]"):
        bounded([1.0], B)


# Contracts

@pytest.mark.parametrize("f", [*EVERY, bounded_by_2])
def test_nothing_waits_for_the_device(device, f):
    x = device.asarray([1.0, 2.0])
    with stand_in_cupy.counted() as n:
        f(x)
    assert n.waits == 0 and n.launches > 0


@pytest.mark.parametrize("f", EVERY)
def test_float32_stays_float32_and_integers_become_float64(xp, f):
    assert f(xp.asarray([1.0, 2.0], dtype="float32")).dtype == numpy.float32
    assert f(xp.asarray([1, 2])).dtype == numpy.float64
    numpy.testing.assert_allclose(to_numpy(f(xp.asarray([1, 2], dtype="float32"))),
                                  to_numpy(f(xp.asarray([1, 2]))), rtol=1e-6)


@pytest.mark.parametrize("f", EVERY)
def test_results_live_where_the_argument_lives(xp, f):
    assert array_module(f(xp.asarray([1.0, 2.0]))) is xp


@pytest.mark.parametrize("f", EVERY)
def test_a_device_agrees_with_the_host_even_at_the_ends_of_the_line(device, f):
    for x in ([-INF, -1e4, 0.0, 30.0, 800.0], [INF, INF, 0.0], [-INF, -INF], [NAN, 0.0], []):
        x = numpy.array(x)
        there = f(device.asarray(x))
        assert isinstance(there, device.ndarray)
        numpy.testing.assert_allclose(device.asnumpy(there), f(x), rtol=1e-14)


@pytest.mark.parametrize("B", [1e-30, 1e30])
def test_the_least_and_the_largest_bound_are_numbers_in_float32(B):
    y, backward = bounded(numpy.float32([-2e30, 0, 1]), B)
    assert numpy.isfinite(y).all() and numpy.isfinite(backward(numpy.ones_like(y))).all()
    for beyond in (1e-31, 1e31):
        with pytest.raises(ValueError, match="B must lie in"):
            bounded(numpy.float32([1]), beyond)
