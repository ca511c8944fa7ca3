"""Blocks: some rows at a time, and the same in the end."""

import numpy
import pytest
import stand_in_cupy

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.blocks import in_blocks, mean_over_blocks, through_a_network


def squared_error(theta, X, y, weight):
    """Mean of weight (Xθ - y)² and its gradient: a loss of three arrays."""
    residual = X @ theta - y
    return (weight * residual**2).mean(), 2 / len(X) * ((weight * residual) @ X)


every_rows = pytest.mark.parametrize("rows", [1, 3, 4, 11, 12, 13, 1000])


@pytest.mark.parametrize("n", [0, 1, 7, 8, 20])
def test_blocks_are_put_together_in_order(n):
    X, sizes = numpy.random.default_rng(0).random((n, 3)), []

    def function(start, end):
        sizes.append(end - start)
        return 2 * X[start:end]

    assert (in_blocks(function, n, rows=1) == 2 * X).all() and set(sizes) == {min(n, 1)}
    sizes.clear()
    whole = in_blocks(function, n, rows=7)
    assert (whole == 2 * X).all()
    assert max(sizes) <= 7 and sum(sizes) == n and len(sizes) == max(1, -(-n // 7))


@every_rows
def test_blocks_cut_all_data_alike(rows):
    rng = numpy.random.default_rng(0)
    theta, *data = rng.random(3), rng.random((12, 3)), rng.random(12), rng.random(12)
    loss, dtheta = squared_error(theta, *data)
    mean, dmean = mean_over_blocks(squared_error, theta, *data, rows=rows)
    assert float(mean) == pytest.approx(float(loss), rel=1e-12)
    assert dmean == pytest.approx(dtheta, rel=1e-12)


def test_each_row_is_in_one_block_of_at_most_so_many_rows():
    seen = []

    def loss(theta, X):
        seen.append(X[:, 0].tolist())
        return 0.0, theta

    mean_over_blocks(loss, numpy.zeros(1), numpy.arange(10)[:, None], rows=4)
    assert seen == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    seen.clear()
    mean_over_blocks(loss, numpy.zeros(1), numpy.zeros((2500, 1)))
    assert [len(block) for block in seen] == [2048, 452]


def test_a_device_gets_few_large_blocks_for_a_launch_costs_the_same_however_few_the_rows(
        device):
    seen = []

    def loss(theta, X):
        seen.append(len(X))
        return X.mean(), theta

    mean_over_blocks(loss, device.zeros(1), device.zeros((70_000, 1)), rows=4)
    assert seen == [65_536, 4464]
    assert through_a_network(device.zeros(1)) == 65_536
    assert through_a_network(numpy.zeros(1)) == 2048


def test_the_gradient_that_a_loss_returned_is_not_changed():
    kept = numpy.ones(2)                                    # a loss may give the same array again
    mean, dmean = mean_over_blocks(lambda theta, X: (1.0, kept), kept, numpy.zeros((7, 1)), rows=3)
    assert mean == pytest.approx(1) and dmean == pytest.approx([1, 1])
    assert kept.tolist() == [1, 1] and not numpy.shares_memory(dmean, kept)


def test_blocks_change_no_argument_and_keep_single_precision():
    rng = numpy.random.default_rng(0)
    theta, *data = (rng.random(shape, "float32") for shape in (3, (12, 3), 12, 12))
    for array in (theta, *data):
        array.flags.writeable = False
    mean, dmean = mean_over_blocks(squared_error, theta, *data, rows=5)
    assert mean.dtype == dmean.dtype == numpy.float32


def test_the_mean_over_blocks_of_no_rows_is_refused():
    with pytest.raises(ValueError, match="data must have equally many rows, at least one"):
        mean_over_blocks(squared_error, numpy.zeros(3), numpy.zeros((0, 3)), *numpy.zeros((2, 0)))


def test_a_block_has_8192_rows_unless_others_are_asked_for():
    sizes = []
    in_blocks(lambda start, end: sizes.append(end - start) or numpy.zeros(end - start), 20_000)
    assert sizes == [8192, 8192, 3616]


def test_of_no_rows_the_shape_and_the_dtype_are_those_of_the_function():
    empty = in_blocks(lambda start, end: numpy.zeros((end - start, 3), "float32"), 0)
    assert empty.shape == (0, 3) and empty.dtype == numpy.float32


@pytest.mark.parametrize("lengths", [(0,), (3, 2), (2, 3), (0, 0)])
def test_data_without_rows_or_of_different_lengths_have_no_mean(lengths):
    with pytest.raises(ValueError, match="equally many rows, at least one, got "
                       rf"\[{', '.join(map(str, lengths))}\]"):
        mean_over_blocks(squared_error, numpy.zeros(2), *map(numpy.zeros, lengths))


@pytest.mark.parametrize("rows, error", [(0, ValueError), (2.5, TypeError), (-1, ValueError)])
def test_blocks_without_rows_are_refused(rows, error):
    with pytest.raises(error, match=f"rows must be .*, got {rows}"):
        in_blocks(lambda start, end: numpy.zeros(end - start), 3, rows)


# Contracts

@pytest.mark.parametrize("n", [0, 1, 7, 8, 20])
def test_blocks_are_put_together_where_they_live(xp, make_rng, n):
    X, sizes = make_rng(0).random((n, 3)), []

    def function(start, end):
        sizes.append(end - start)
        return 2 * X[start:end]

    whole = in_blocks(function, n, rows=7)
    assert array_module(whole) is xp and to_numpy(whole == 2 * X).all()
    assert max(sizes) <= 7 and sum(sizes) == n and len(sizes) == max(1, -(-n // 7))


@every_rows
def test_the_mean_over_blocks_is_the_same_on_every_array_module(xp, make_rng, rows):
    rng = make_rng(0)
    theta, *data = rng.random(3), rng.random((12, 3)), rng.random(12), rng.random(12)
    loss, dtheta = squared_error(theta, *data)
    mean, dmean = mean_over_blocks(squared_error, theta, *data, rows=rows)
    assert float(mean) == pytest.approx(float(loss), rel=1e-12)
    assert to_numpy(dmean) == pytest.approx(to_numpy(dtheta), rel=1e-12)


def test_blocks_do_not_wait_for_the_device(device):
    rng = device.random.default_rng(0)
    theta, *data = rng.random(3), rng.random((12, 3)), rng.random(12), rng.random(12)
    with stand_in_cupy.counted() as n:
        mean_over_blocks(squared_error, theta, *data, rows=5)
    assert n.waits == 0


@pytest.mark.parametrize("rows, error", [(0, ValueError), (-3, ValueError), (2.5, TypeError),
                                         (None, TypeError)])
def test_blocks_have_rows(rows, error):
    with pytest.raises(error, match="rows must be"):
        mean_over_blocks(squared_error, numpy.zeros(2), numpy.zeros((4, 2)), rows=rows)


def test_what_is_not_a_tuple_of_arrays_is_refused():
    for data in ((), (3.0,), (numpy.float64(3),), (None,)):
        with pytest.raises((ValueError, TypeError), match="data must"):
            mean_over_blocks(squared_error, numpy.zeros(2), *data)


def test_a_loss_of_several_numbers_is_refused():
    with pytest.raises(ValueError, match=r"loss must be one number, got an array of shape \(4,\)"):
        mean_over_blocks(lambda theta, X: (X[:, 0], theta), numpy.zeros(2), numpy.zeros((4, 2)))


def test_slopes_of_a_million_float32_rows_are_added_in_float64():
    n = 1_000_000
    X = numpy.full((n, 1), 0.3, "float32")

    def loss(theta, X):                                     # mean of θ x, whose slope is 0.3
        return (theta * X).mean(dtype=float), numpy.ones(len(X), "float32") @ X / numpy.float32(
            len(X))

    mean, dmean = mean_over_blocks(loss, numpy.ones(1, "float32"), X, rows=100)
    assert dmean.dtype == numpy.float32
    assert dmean[0] == pytest.approx(0.3, rel=1e-6) and float(mean) == pytest.approx(0.3, rel=1e-6)
