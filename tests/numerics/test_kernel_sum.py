"""Kernel sum: the near terms are all that counts, to the last digits, wherever the points are."""

import math

import numpy
import pytest
from scipy.special import logsumexp

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.kernel_sum import log_kernel_sum


def plain(Q, X, h):
    """log Σ_j exp(-|q - x_j|²/2h²) over all pairs."""
    return logsumexp(-0.5 * (((Q[:, None] - X) / h)**2).sum(axis=2), axis=1)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("h", [0.01, 0.3, 5.0, 1e4])
def test_the_fast_sum_is_the_sum_over_all_pairs(d, h):
    rng = numpy.random.default_rng(d)
    Q, X = 2 * rng.standard_normal((200, d)), rng.standard_normal((300, d))
    numpy.testing.assert_allclose(log_kernel_sum(Q, X, h), plain(Q, X, h), rtol=1e-12, atol=1e-13)


def test_of_one_point_the_sum_is_minus_half_the_squared_distance_in_units_of_h():
    Q = numpy.array([[0.0, 0.0], [3.0, 4.0], [300.0, 400.0]])
    expected = [0, -0.5 * (5 / 2)**2, -0.5 * (500 / 2)**2]
    assert log_kernel_sum(Q, Q[:1], 2.0) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
def test_n_equal_points_count_n_times(n):
    Q = numpy.random.default_rng(0).standard_normal((50, 2))
    numpy.testing.assert_allclose(log_kernel_sum(Q, numpy.ones((n, 2)), 0.5),
                                  log_kernel_sum(Q, numpy.ones((1, 2)), 0.5) + math.log(n),
                                  rtol=1e-13)


@pytest.mark.parametrize("distance", [10.0, 1e3, 1e6, 1e12, 1e100])
def test_queries_far_from_all_points_look_as_far_as_they_must(distance):
    rng = numpy.random.default_rng(1)
    Q, X = distance * rng.standard_normal((5, 2)), rng.standard_normal((300, 2))
    numpy.testing.assert_allclose(log_kernel_sum(Q, X, 0.2), plain(Q, X, 0.2), rtol=1e-12)


def test_many_points_beyond_the_first_radius_are_not_forgotten():
    """A first look to r = 10.35 sees the one point at 10; the 100,000 at 11 weigh more."""
    n = 100_000
    assert 10 < math.sqrt(2 * (math.log(n + 1) - math.log(2**-52)) + 12) < 11
    X = numpy.concatenate([[[10.0]], numpy.full((n, 1), 11.0)])
    expected = math.log(math.exp(-50) + n * math.exp(-60.5))
    assert log_kernel_sum(numpy.zeros((1, 1)), X, 1.0) == pytest.approx([expected], rel=1e-12)


@pytest.mark.parametrize("d", [1, 2])
def test_more_pairs_than_a_block_holds_give_the_same(d):
    rng = numpy.random.default_rng(2)
    Q, X = rng.random((300, d)), rng.random((2000, d))
    numpy.testing.assert_allclose(log_kernel_sum(Q, X, 0.5), plain(Q, X, 0.5), rtol=1e-12)


def far_and_near(d, dtype, unit):
    """Queries among the points, beside them, and far away, of which one column has another unit."""
    rng = numpy.random.default_rng(d)
    X, Q = rng.random((300, d)), rng.random((15, d))
    farthest = [1e3, 1e6, -1e9, -1e34 if dtype == "float64" else -1e12]
    far = numpy.full((len(farthest), d), 0.5)
    far[:, -1] = farthest
    Q = numpy.concatenate([X[:5], Q, far, [[x] * d for x in farthest]])
    X[:, -1] *= unit
    Q[:-len(farthest), -1] *= unit
    return Q.astype(dtype), X.astype(dtype)


@pytest.mark.parametrize("d", [1, 2, 4, 5, 8])
@pytest.mark.parametrize("unit", [1.0, 1e3])
@pytest.mark.parametrize("h", [0.05, 2.0])
@pytest.mark.parametrize("dtype, rtol", [("float64", 1e-12), ("float32", 3e-5)])
def test_the_sum_of_a_row_does_not_depend_on_the_other_rows(d, unit, h, dtype, rtol):
    Q, X = far_and_near(d, dtype, unit)
    together = log_kernel_sum(Q, X, h)
    alone = numpy.concatenate([log_kernel_sum(q[None], X, h) for q in Q])
    numpy.testing.assert_allclose(together, alone, rtol=rtol, atol=rtol)
    expected = plain(Q.astype(float), X.astype(float), h)
    numpy.testing.assert_allclose(together, expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("dtype, largest", [("float64", 1e308), ("float32", 3e38)])
@pytest.mark.parametrize("h", [1e-320, 1e-300, 1.0])
def test_nothing_overflows_between_the_smallest_and_the_largest_numbers(d, dtype, largest, h):
    X = numpy.zeros((3, d), dtype=dtype)
    X[1], X[2] = largest, -largest
    assert log_kernel_sum(X, X, h).tolist() == [0, 0, 0]
    assert log_kernel_sum(X[:1], X[1:], h).tolist() == [-math.inf]


def test_points_farther_apart_than_the_largest_number_have_a_sum():
    X = numpy.array([[-1e308], [1e308]])
    assert log_kernel_sum(X[:1], X[1:], 1e300) == pytest.approx([-0.5 * 2e8**2])


def test_where_the_squared_distance_overflows_the_sum_is_0_and_no_rows_have_no_sums():
    Q = numpy.array([[1e155, 0.0], [0.0, -1e300], [0.0, 0.0]])
    assert log_kernel_sum(Q, numpy.zeros((2, 2)), 1.0).tolist() == [
        -math.inf, -math.inf, pytest.approx(math.log(2))]
    assert log_kernel_sum(Q[:0], numpy.zeros((2, 2)), 1.0).shape == (0,)


@pytest.mark.parametrize("h", [1e-30, 1e-20, 1.0, 1e20])
def test_sums_of_float32_points_are_those_of_float64_wherever_float32_can_tell(h):
    X = (h * numpy.array([[0.0, 1.0], [2.0, -1.0], [1e3, 0.0], [1e10, 3.0]])).astype("float32")
    Q = numpy.concatenate([X, 10 * X, 1e5 * X[:3]])
    single, double = log_kernel_sum(Q, X, h), log_kernel_sum(Q.astype(float), X.astype(float), h)
    assert single.dtype == numpy.float32
    numpy.testing.assert_allclose(single, double, rtol=1e-6, atol=1e-6)


def test_the_points_are_not_changed():
    Q, X = numpy.random.default_rng(0).random((2, 50, 2))
    Q.flags.writeable = X.flags.writeable = False
    log_kernel_sum(Q, X, 0.1)


# Contracts

@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("dtype, distance", [("float64", 2), ("float64", 1e6), ("float32", 2)])
def test_the_sum_lives_where_the_points_live_in_their_dtype(xp, d, dtype, distance):
    rng = numpy.random.default_rng(d)
    n = 200 if distance == 2 else 10                        # each far point is looked for alone
    Q = (distance * rng.standard_normal((n, d))).astype(dtype)
    X = rng.standard_normal((300, d)).astype(dtype)
    log_sum = log_kernel_sum(xp.asarray(Q), xp.asarray(X), 0.3)
    assert array_module(log_sum) is xp and log_sum.dtype == dtype
    expected = plain(Q.astype(float), X.astype(float), 0.3)
    rtol = 1e-12 if dtype == "float64" else 1e-5
    numpy.testing.assert_allclose(to_numpy(log_sum), expected, rtol=rtol, atol=rtol)
