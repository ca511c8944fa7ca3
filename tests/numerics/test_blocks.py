"""Blocks: some rows at a time give what all rows at once give."""

import numpy
import pytest

from gdl_numpy.numerics.blocks import in_blocks, mean_over_blocks


@pytest.mark.parametrize("rows", [1, 2, 3, 6, 7, 8, 100])
def test_blocks_follow_each_other_and_cover_all_rows_once(rows):
    asked = []

    def squares(start, end):
        asked.append((start, end))
        return numpy.arange(start, end)**2

    assert in_blocks(squares, 7, rows).tolist() == [0, 1, 4, 9, 16, 25, 36]
    assert asked[0][0] == 0 and asked[-1][1] == 7
    assert all(end == start for (_, end), (start, _) in zip(asked, asked[1:], strict=False))
    assert all(0 < end - start <= rows for start, end in asked)


def test_a_block_has_8192_rows_unless_others_are_asked_for():
    sizes = []
    in_blocks(lambda start, end: sizes.append(end - start) or numpy.zeros(end - start), 20_000)
    assert sizes == [8192, 8192, 3616]


def test_of_no_rows_the_shape_and_the_dtype_are_those_of_the_function():
    empty = in_blocks(lambda start, end: numpy.zeros((end - start, 3), "float32"), 0)
    assert empty.shape == (0, 3) and empty.dtype == numpy.float32


def quadratic(theta, X, y):
    """The mean of ½ (x · θ - y)² and its gradient."""
    error = X @ theta - y
    return 0.5 * (error**2).mean(), X.T @ error / len(X)


@pytest.mark.parametrize("rows", [1, 3, 10, 11])
def test_the_mean_over_all_rows_is_the_mean_over_blocks_counted_by_their_rows(rows):
    rng = numpy.random.default_rng(0)
    theta, X, y = rng.standard_normal(2), rng.standard_normal((10, 2)), rng.standard_normal(10)
    loss, dtheta = mean_over_blocks(quadratic, theta, X, y, rows=rows)
    expected, dexpected = quadratic(theta, X, y)
    assert loss == pytest.approx(expected, rel=1e-14)
    numpy.testing.assert_allclose(dtheta, dexpected, rtol=1e-13)


def test_a_mean_is_taken_2048_rows_at_a_time():
    sizes = []
    mean_over_blocks(lambda theta, X: (sizes.append(len(X)) or 0.0, theta), numpy.zeros(1),
                     numpy.zeros((5000, 1)))
    assert sizes == [2048, 2048, 904]


@pytest.mark.parametrize("lengths", [(0,), (3, 2), (2, 3), (0, 0)])
def test_data_without_rows_or_of_different_lengths_have_no_mean(lengths):
    with pytest.raises(ValueError, match="equally many rows, at least one, got "
                       rf"\[{', '.join(map(str, lengths))}\]"):
        mean_over_blocks(quadratic, numpy.zeros(2), *map(numpy.zeros, lengths))


@pytest.mark.parametrize("rows, error", [(0, ValueError), (2.5, TypeError), (-1, ValueError)])
def test_blocks_without_rows_are_refused(rows, error):
    with pytest.raises(error, match=f"rows must be .*, got {rows}"):
        in_blocks(lambda start, end: numpy.zeros(end - start), 3, rows)


# Contracts

def test_blocks_live_where_their_rows_live(xp):
    X = xp.arange(6.0)
    result = in_blocks(lambda start, end: 2 * X[start:end], 6, rows=4)
    assert isinstance(result, xp.ndarray) and (result == 2 * X).all()
