"""Sample space: a closed box and its grids."""

import math
from fractions import Fraction

import numpy
import pytest

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.sample_space import SampleSpace

NAN, INF = float("nan"), float("inf")


def test_the_volume_is_the_product_of_the_sides():
    assert float(SampleSpace([-90.0, -180], [90.0, 180]).volume) == 64_800


def test_the_volume_of_integer_corners_does_not_overflow():
    side = numpy.array([60_000, 60_000], dtype=numpy.int32)
    assert float(SampleSpace(-side, side).volume) == 120_000**2 > 2**31


def test_the_box_is_closed():
    space = SampleSpace([0.0, 1.0], [2.0, 4.0])
    inside = [[0, 1], [2, 4], [0, 4], [2, 1], [1, 1], [1, 2]]
    outside = [[numpy.nextafter(2, 3), 2], [1, numpy.nextafter(1, 0)], [-1e-300, 1], [1, 1e300]]
    assert space.contains(numpy.array(inside, dtype=float)).all()
    assert not space.contains(outside).any()
    assert space.contains(numpy.zeros((0, 2))).shape == (0,)


# Grids

SPACE, SHAPE = ([-90, -180], [90, 180]), (6, 8)


def test_grid_points_are_centers_of_equal_cells_the_last_coordinate_fastest():
    X, cell_volume = SampleSpace(*SPACE).grid(SHAPE)
    assert X.shape == (48, 2) and float(cell_volume) * 48 == 64_800
    assert X[:3].tolist() == [[-75, -157.5], [-75, -112.5], [-75, -67.5]]
    assert X[-1].tolist() == [75, 157.5]


@pytest.mark.parametrize("low, high, shape", [
    (*SPACE, SHAPE), ([0.1], [0.7], (1000,)), ([-1, 0, 5], [1, 1e-3, 6], (3, 1, 7)),
    ([1e3, -1e-6], [1e3 + 1, 1e-6], (100, 100))])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_center_lies_in_its_own_cell(low, high, shape, dtype):
    space = SampleSpace(numpy.array(low, dtype=dtype), numpy.array(high, dtype=dtype))
    X, _ = space.grid(shape)
    assert X.dtype == dtype
    assert space.cell(X, shape).tolist() == list(range(len(X)))


def test_the_numbers_of_cells_may_be_an_array_and_on_a_line_one_number():
    plane, line = SampleSpace([0, 0], [1, 1]), SampleSpace([0], [1])
    for given, shape, space in (([5, 6], (5, 6), plane), ([5], (5,), line), (5, (5,), line)):
        assert space.cells(numpy.array(given)) == space.cells(given) == shape
        assert space.grid(numpy.array(given))[1] == 1 / math.prod(shape)


def test_sums_over_the_grid_times_the_volume_of_a_cell_are_integrals():
    X, cell_volume = SampleSpace([0.0, 0.0], [2.0, 3.0]).grid((400, 400))
    assert float((X[:, 0] + 5 * X[:, 1]).sum() * cell_volume) == pytest.approx(6 + 45, rel=1e-12)
    assert float((X[:, 0]**2 * X[:, 1]).sum() * cell_volume) == pytest.approx(12, rel=1e-5)


def test_a_border_belongs_to_the_upper_cell_and_the_last_border_to_the_last():
    space = SampleSpace([0.0], [4.0])
    x = [0.0, 1.0, numpy.nextafter(1, 0), 2.5, 3.0, 4.0]
    assert space.cell(numpy.array(x)[:, None], (4,)).tolist() == [0, 1, 0, 2, 3, 3]


def test_points_outside_have_no_cell():
    space = SampleSpace([0.0, 0.0], [1.0, 1.0])
    X = numpy.array([[0.5, 1.1], [-1e-9, 0.5], [1e300, -1e300], [numpy.nextafter(1, 2), 1]])
    assert space.cell(X, (2, 2)).tolist() == [-1] * 4


def test_counts_in_cells_agree_with_numpy():
    X = numpy.random.default_rng(0).uniform(-1, 2, (5000, 2))
    space = SampleSpace([0.0, 0.5], [1.0, 1.5])
    cell = space.cell(X, (5, 7))
    counts, *_ = numpy.histogram2d(*X.T, bins=(5, 7), range=[(0, 1), (0.5, 1.5)])
    assert numpy.bincount(cell[cell >= 0], minlength=35).tolist() == counts.ravel().tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("low, high, k", [(2, 2280, 8296), (-7, 11, 54), (0, 3, 7), (-90, 90, 360),
                                          (1000, 1049, 49_000)])
def test_the_cell_is_the_one_of_rational_arithmetic(low, high, k, dtype):
    """Whole x, whose (x - low) k / side has a quotient that a float may round up to a border."""
    space = SampleSpace(*numpy.array([[low], [high]], dtype=dtype))
    x = range(low, high)
    right = [(a - low) * k // (high - low) for a in x]
    assert space.cell(numpy.array([[a] for a in x], dtype=dtype), k).tolist() == right


def test_a_point_below_a_border_stays_below_it_though_its_quotient_rounds_up():
    side, k = 2.0**53 - 1, 2**52
    x = numpy.array([[side - 1], [side / 2], [1.0], [3.0]])
    right = [int(Fraction(a) * k / Fraction(side)) for a in x[:, 0]]
    assert SampleSpace([0.0], [side]).cell(x, k).tolist() == right


@pytest.mark.parametrize("low, high, k, x, cell", [
    (-1.2, 2.0999999999999996, 10, -0.21000000000000008, 3), (0.1, 0.7, 60, 0.3, 20)])
def test_a_point_within_rounding_of_a_border_is_in_the_cell_of_rational_arithmetic(low, high, k, x,
                                                                                  cell):
    assert (Fraction(x) - Fraction(low)) * k // (Fraction(high) - Fraction(low)) == cell
    assert SampleSpace([low], [high]).cell([[x]], k).tolist() == [cell]
    space = SampleSpace([low, 0], [high, 1])
    assert space.cell([[x, 0.5]], (k, 3)).tolist() == [3 * cell + 1]


@pytest.mark.parametrize("shape", [(2,) * 64, (10,) * 25, (2**40, 2**40), (2**64,)])
def test_a_grid_may_have_more_cells_than_a_machine_integer_can_count(shape):
    space = SampleSpace([0.0] * len(shape), [1.0] * len(shape))
    X = numpy.array([[0.0], [0.75], [1.0], [1.5]]) * numpy.ones(len(shape))
    at = [[int(Fraction(3, 4) * k) for k in shape], [k - 1 for k in shape]]
    right = [0, *(sum(c * math.prod(shape[i + 1:]) for i, c in enumerate(cell)) for cell in at), -1]
    assert space.cell(X, shape).tolist() == right


@pytest.mark.parametrize("low, high, shape", [
    ([0.0] * 13, [1e3] * 13, (2,) * 13), ([0.0] * 2, [1e-23] * 2, (4, 4)),
    ([0.0] * 5, [1e100] * 5, (1,) * 5), ([-1e307] * 2, [1e307] * 2, (3, 5))])
def test_the_logarithm_of_a_volume_is_right_where_the_volume_overflows(low, high, shape):
    space = SampleSpace(low, high)
    log_volume = sum(math.log(b - a) for a, b in zip(low, high, strict=True))
    assert space.log_volume == pytest.approx(log_volume, rel=1e-14)
    assert space.log_cell_volume(shape) == pytest.approx(log_volume - math.log(math.prod(shape)))


def test_a_side_longer_than_the_largest_number_is_refused():
    with pytest.raises(ValueError, match="high - low must be finite in float64, got sides"):
        SampleSpace([-1e308], [1e308])


# State and refusals

def test_a_space_keeps_its_own_corners():
    low, high = numpy.zeros(2), numpy.ones(2)
    space = SampleSpace(low, high)
    low[:], high[:] = -7, 7
    assert space.low.tolist() == [0, 0] and space.high.tolist() == [1, 1]


@pytest.mark.parametrize("low, high, error, words", [
    ([0, 0], [1, 0], ValueError, "low must be below high in every coordinate, got low = .* and"),
    ([0, 2], [1, 1], ValueError, "low must be below high in every coordinate"),
    ([0], [1, 1], ValueError, r"must both have shape \(d,\), got shapes \(1,\) and \(2,\)"),
    (0, 1, ValueError, r"must both have shape \(d,\)"),
    ([], [], ValueError, r"must both have shape \(d,\)"),
    ([[0, 0]], [[1, 1]], ValueError, r"must both have shape \(d,\)"),
    ([0, NAN], [1, 1], ValueError, "low holds nan"),
    ([0, 0], [1, INF], ValueError, "high holds inf"),
    (["a"], ["b"], TypeError, "low must hold real numbers"),
])
def test_corners_that_bound_no_box_are_refused(low, high, error, words):
    with pytest.raises(error, match=words):
        SampleSpace(low, high)


@pytest.mark.parametrize("shape, error, words", [
    ((3,), ValueError, r"shape has 1 entries; this space is in R\^2"),
    ((3, 0), ValueError, "shape must be at least 1, got 0"),
    ((3, 2.5), TypeError, "shape must be a whole number"),
])
def test_a_grid_needs_a_whole_number_of_cells_for_each_coordinate(shape, error, words):
    space = SampleSpace(*SPACE)
    for method in (space.grid, lambda shape: space.cell([[0, 0]], shape)):
        with pytest.raises(error, match=words):
            method(shape)


def test_a_space_says_what_it_is():
    assert repr(SampleSpace([0], [1])) == "SampleSpace(low=[0.], high=[1.])"


# Contracts

def test_corners_on_two_devices_are_refused(device):
    with pytest.raises(TypeError, match="high is an array of"):
        SampleSpace(numpy.zeros(2), device.ones(2))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_grids_and_cells_live_where_the_space_lives_and_agree_with_numpy(xp, dtype):
    here = SampleSpace(*(numpy.array(x, dtype=dtype) for x in SPACE))
    space = here.on(xp)
    X, cell_volume = space.grid(SHAPE)
    beyond = 2.1 * X                                        # some of them outside
    results = X, space.contains(beyond), space.cell(beyond, SHAPE)
    assert all(array_module(result) is xp for result in results) and X.dtype == dtype
    assert float(space.volume) == 64_800 and float(cell_volume) == 64_800 / 48
    there = to_numpy(beyond)
    for result, same in zip(results, (here.grid(SHAPE)[0], here.contains(there),
                                      here.cell(there, SHAPE)), strict=True):
        assert (to_numpy(result) == same).all()


def test_a_side_that_float32_cannot_hold_is_refused_for_corners_in_float32():
    low, high = numpy.float32([-3e38]), numpy.float32([3e38])
    with pytest.raises(ValueError, match="high - low must be finite in float32"):
        SampleSpace(low, high)
    assert SampleSpace(low.astype(float), high.astype(float)).sides == (2 * float(high[0]),)
