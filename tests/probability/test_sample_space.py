"""Sample space: a closed box, its grids, and what counts as data in it."""

import numpy
import pytest

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.sample_space import SampleSpace

NAN, INF = float("nan"), float("inf")


# Observations, data sets, whole numbers

NOT_DATA = [
    ([[1.0, 2.0, 3.0]], ValueError, r"X has 3 columns; (it must lie in|this family lives on) R\^2"),
    ([[1.0]], ValueError, "X has 1 columns"),
    ([1.0, 2.0], ValueError, r"X must have shape \(n, 2\), one observation a row, got .*\(2,\)"),
    (1.0, ValueError, r"X must have shape \(n, 2\), one observation a row, got .*\(\)"),
    ([[[1.0, 2.0]]], ValueError, r"X must have shape \(n, 2\).*\(1, 1, 2\)"),
    ([[1.0, 2.0], [3.0]], ValueError, "X is ragged"),
    ([[1.0, NAN]], ValueError, "X holds nan"),
    ([[1.0, -INF]], ValueError, "X holds -inf"),
    ([["1", "2"]], TypeError, "X must hold real numbers"),
    ([[1.0, None]], TypeError, "X must hold real numbers, got dtype object"),
    (None, TypeError, "X must hold real numbers"),
]


@pytest.mark.parametrize("X, error, words", NOT_DATA)
def test_what_is_no_list_of_points_in_the_plane_is_refused(X, error, words):
    with pytest.raises(error, match=words):
        checks.observations(X, like=numpy.zeros(2))
    with pytest.raises(error, match=words):
        checks.data_set(X, 2)


def test_observations_follow_the_module_and_dtype_of_what_they_meet(xp):
    like = xp.zeros(2, dtype="float32")
    for X in ([[1, 2]], ((1, 2),), xp.asarray([[1, 2]]), xp.asarray([[1.0, 2.0]])):
        X = checks.observations(X, like)
        assert array_module(X) is xp and X.dtype == "float32" and X.shape == (1, 2)


def test_no_observations_are_observations_but_no_data_set():
    empty = numpy.zeros((0, 2))
    assert checks.observations(empty, like=numpy.zeros(2)).shape == (0, 2)
    with pytest.raises(ValueError, match="X is empty: nothing can be estimated"):
        checks.data_set(empty, 2)


def test_a_data_set_may_have_any_number_of_columns_if_none_is_asked_for():
    assert checks.data_set([[1, 2, 3]]).shape == (1, 3)
    with pytest.raises(ValueError, match=r"X must have shape \(n, d\)"):
        checks.data_set([1, 2, 3])


@pytest.mark.parametrize("n", [3, numpy.int8(3), numpy.uint64(3), numpy.array(3)])
def test_whole_numbers_of_every_kind_are_taken(n):
    whole = checks.whole_number(n, "n")
    assert type(whole) is int and whole == 3


@pytest.mark.parametrize("n", [3.0, "3", None, True, numpy.True_, numpy.float64(3),
                               numpy.array(2.5), numpy.array([1, 2]), [3]])
def test_what_is_no_whole_number_is_refused(n):
    with pytest.raises(TypeError, match="n must be a whole number, got"):
        checks.whole_number(n, "n")


@pytest.mark.parametrize("n, least", [(-1, 0), (0, 1), (numpy.int64(4), 5)])
def test_a_number_that_is_too_small_is_refused(n, least):
    with pytest.raises(ValueError, match=f"k must be at least {least}, got {n}"):
        checks.whole_number(n, "k", least)


# The box

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
def test_what_is_no_box_is_refused(low, high, error, words):
    with pytest.raises(error, match=words):
        SampleSpace(low, high)


def test_corners_on_two_devices_are_refused(device):
    with pytest.raises(TypeError, match="high is an array of"):
        SampleSpace(numpy.zeros(2), device.ones(2))


def test_the_volume_is_the_product_of_the_sides(xp):
    assert float(SampleSpace(xp.asarray([-90.0, -180]), xp.asarray([90.0, 180])).volume) == 64_800


def test_the_volume_of_integer_corners_does_not_overflow():
    side = numpy.array([60_000, 60_000], dtype=numpy.int32)
    assert float(SampleSpace(-side, side).volume) == 120_000**2 > 2**31


def test_the_box_is_closed(xp):
    space = SampleSpace(xp.asarray([0.0, 1.0]), xp.asarray([2.0, 4.0]))
    inside = [[0, 1], [2, 4], [0, 4], [2, 1], [1, 1], [1, 2]]
    outside = [[numpy.nextafter(2, 3), 2], [1, numpy.nextafter(1, 0)], [-1e-300, 1], [1, 1e300]]
    assert to_numpy(space.contains(xp.asarray(inside, dtype=float))).all()
    assert not to_numpy(space.contains(xp.asarray(outside))).any()
    assert space.contains(xp.zeros((0, 2))).shape == (0,)


def test_a_space_keeps_its_own_corners():
    low, high = numpy.zeros(2), numpy.ones(2)
    space = SampleSpace(low, high)
    low[:], high[:] = -7, 7
    assert space.low.tolist() == [0, 0] and space.high.tolist() == [1, 1]


# Grids

SPACE, SHAPE = ([-90, -180], [90, 180]), (6, 8)


def test_grid_points_are_centres_of_equal_cells_the_last_coordinate_fastest(xp):
    X, cell_volume = SampleSpace(*(xp.asarray(x) for x in SPACE)).grid(SHAPE)
    assert array_module(X) is xp and X.shape == (48, 2) and float(cell_volume) * 48 == 64_800
    assert to_numpy(X[:3]).tolist() == [[-75, -157.5], [-75, -112.5], [-75, -67.5]]
    assert to_numpy(X[-1]).tolist() == [75, 157.5]


@pytest.mark.parametrize("low, high, shape", [
    (*SPACE, SHAPE), ([0.1], [0.7], (1000,)), ([-1, 0, 5], [1, 1e-3, 6], (3, 1, 7)),
    ([1e3, -1e-6], [1e3 + 1, 1e-6], (100, 100))])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_centre_lies_in_its_own_cell(xp, low, high, shape, dtype):
    space = SampleSpace(xp.asarray(low, dtype=dtype), xp.asarray(high, dtype=dtype))
    X, _ = space.grid(shape)
    assert X.dtype == dtype
    assert to_numpy(space.cell(X, shape)).tolist() == list(range(len(X)))


def test_sums_over_the_grid_are_integrals(xp):
    X, cell_volume = SampleSpace(xp.asarray([0.0, 0.0]), xp.asarray([2.0, 3.0])).grid((400, 400))
    assert float((X[:, 0] + 5 * X[:, 1]).sum() * cell_volume) == pytest.approx(6 + 45, rel=1e-12)
    assert float((X[:, 0]**2 * X[:, 1]).sum() * cell_volume) == pytest.approx(12, rel=1e-5)


def test_a_border_belongs_to_the_upper_cell_and_the_last_border_to_the_last(xp):
    space = SampleSpace(xp.asarray([0.0]), xp.asarray([4.0]))
    x = [0.0, 1.0, numpy.nextafter(1, 0), 2.5, 3.0, 4.0]
    assert to_numpy(space.cell(xp.asarray(x)[:, None], (4,))).tolist() == [0, 1, 0, 2, 3, 3]


def test_points_outside_have_no_cell(xp):
    space = SampleSpace(xp.asarray([0.0, 0.0]), xp.asarray([1.0, 1.0]))
    X = xp.asarray([[0.5, 1.1], [-1e-9, 0.5], [1e300, -1e300], [numpy.nextafter(1, 2), 1]])
    assert to_numpy(space.cell(X, (2, 2))).tolist() == [-1] * 4


def test_counts_in_cells_agree_with_numpy(xp):
    X = numpy.random.default_rng(0).uniform(-1, 2, (5000, 2))
    space = SampleSpace(xp.asarray([0.0, 0.5]), xp.asarray([1.0, 1.5]))
    cell = to_numpy(space.cell(xp.asarray(X), (5, 7)))
    counts, *_ = numpy.histogram2d(*X.T, bins=(5, 7), range=[(0, 1), (0.5, 1.5)])
    assert numpy.bincount(cell[cell >= 0], minlength=35).tolist() == counts.ravel().tolist()


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


def test_whole_numbers_are_a_tuple_of_them_or_an_error_that_names_them():
    assert checks.whole_numbers([1, numpy.int64(2)], "hidden", 1) == (1, 2)
    assert checks.whole_numbers((), "hidden") == ()
    with pytest.raises(TypeError, match="hidden must be a list of whole numbers, got 8"):
        checks.whole_numbers(8, "hidden")
    with pytest.raises(ValueError, match="hidden must be at least 1, got 0"):
        checks.whole_numbers((3, 0), "hidden", 1)
