"""Evaluation: models whose distance from p_data is known exactly."""

import math
import tracemalloc
from fractions import Fraction
from types import SimpleNamespace

import numpy
import pytest

from gdl_numpy.probability.density import Box, Histogram, Normal
from gdl_numpy.probability.divergence import (
    cross_entropy_estimate,
    jensen_shannon,
    kl_divergence,
)
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.world.evaluation import (
    Verdict,
    accuracy,
    cells_hit,
    coverage,
    kl_to_data,
    verdict,
)
from gdl_numpy.world.world_map import WORLD, WorldMap

AFRICA_TO_INDIA = [-35.0, -20.0, 60.0, 90.0]                # a box with land and sea in it


class UniformData(Box):
    """p_data on a box: what is a share of the map for land is here a ratio of areas."""

    def contains(self, X):
        return self.space.contains(X)

    @property
    def entropy(self):
        return math.log(float(self.space.volume))


def box(*theta, kind=Box, xp=numpy):
    return kind(xp.asarray(theta[:2]), xp.asarray(theta[2:]))


def square():
    """p_data: uniform on the unit square."""
    return box(0.0, 0.0, 1.0, 1.0, kind=UniformData)


# Accuracy, the precision of a generative model: how little of it is A

@pytest.mark.parametrize("theta, share", [
    ((0.0, 0.0, 1.0, 1.0), 1),
    ((0.2, 0.2, 0.5, 0.7), 1),
    ((2.0, 2.0, 3.0, 3.0), 0),
])
def test_accuracy_is_one_inside_the_data_and_zero_beside_them(theta, share):
    assert float(accuracy(box(*theta), square(), 1000, numpy.random.default_rng(0))) == share


@pytest.mark.parametrize("theta, share", [
    ((0.0, 0.0, 1.0, 2.0), 1 / 2), ((0.0, -1.0, 2.0, 3.0), 1 / 8), ((0.5, 0.5, 1.5, 1.5), 1 / 4)])
def test_accuracy_is_the_share_of_the_box_that_is_data(theta, share):
    n = 20_000
    value = float(accuracy(box(*theta), square(), n, numpy.random.default_rng(1)))
    assert abs(value - share) < 5 * math.sqrt(share * (1 - share) / n)      # false alarm: 1 in 10^6


@pytest.mark.parametrize("theta, share", [
    ((15.0, 0.0, 25.0, 20.0), 1),                           # in the Sahara
    ((-10.0, -150.0, 10.0, -100.0), 0),                     # in the Pacific
])
def test_accuracy_on_the_map_tells_land_from_sea(theta, share):
    assert float(accuracy(box(*theta), WorldMap(), 1000, numpy.random.default_rng(2))) == share


# Coverage, the recall of a generative model: how little of the data is B

@pytest.mark.parametrize("theta, share", [
    ((0.0, 0.0, 1.0, 1.0), 1),
    ((0.0, 0.0, 0.5, 1.0), 1 / 2),
    ((0.25, 0.5, 0.5, 2.0), 1 / 8),
    ((0.0, 0.0, 5.0, 1.0), 1),                              # four fifths of it lie elsewhere
    ((2.0, 2.0, 3.0, 3.0), 0),                              # no sample among the data
])
def test_coverage_is_the_share_of_the_cells_that_the_model_hits(theta, share):
    # 16 cells, each missed by 800 uniform draws with a probability below 10^-22
    assert coverage(box(*theta), square(), 4000, numpy.random.default_rng(3), cell=0.25) == share


def test_cells_lie_on_both_sides_of_zero():
    p_data = box(-1.0, -1.0, 1.0, 1.0, kind=UniformData)
    for theta, share in (((-1.0, -1.0, 0.0, 1.0), 1 / 2), ((0.0, -1.0, 1.0, 0.0), 1 / 4)):
        rng = numpy.random.default_rng(4)
        assert coverage(box(*theta), p_data, 4000, rng, cell=0.5) == share


def test_a_box_within_one_cell_covers_one_cell():
    p_model, rng = Box([20.1, 10.1], [21.9, 11.9]), numpy.random.default_rng(5)
    hit = round(1 / coverage(p_model, WorldMap(), 1000, rng))
    assert coverage(p_model, WorldMap(), 1000, numpy.random.default_rng(5)) == 1 / hit
    assert 700 < hit < 1000                                 # a thousand draws fall into other cells


def hits(p_data, m, cell=2.0):
    """Mean and standard deviation, at most, of the number of cells that m draws of p_data hit.

    A draw hits the cell c with probability q_c, the cells are hit nearly independently, rather less
    together: the mean is Σ h_c with h_c = 1 - (1 - q_c)^m, the variance at most Σ h_c (1 - h_c).
    """
    grid, _ = WORLD.grid((720, 1440))
    mass = numpy.exp(p_data.log_prob(grid))
    number = WORLD.cell(grid, (round(180 / cell), round(360 / cell)))
    q = numpy.bincount(number, mass) / mass.sum()
    h = 1 - (1 - q)**m
    return h.sum(), math.sqrt((h * (1 - h)).sum())


def test_as_many_cells_are_hit_as_the_masses_of_the_cells_say():
    p_data, m = WorldMap(), 5000
    mean, deviation = hits(p_data, m)
    hit = cells_hit(p_data.sample(m, numpy.random.default_rng(12)), 2.0)
    assert 0 < deviation < 0.02 * mean and abs(hit - mean) < 5 * deviation      # 1 in 10^6


WHOLE_MAP = [-90.0, -180.0, 90.0, 180.0]


@pytest.mark.parametrize("name", ["the whole map", "the box of 20,000 points"])
def test_what_lies_in_the_sea_is_not_punished_twice(name):
    """Both models miss no land, or next to none, and two thirds of them lie in the sea: as many
    samples as lie on land hit as many cells as true draws do, within the errors of both counts."""
    p_data, family, n = WorldMap(), BoxFamily(2), 20_000
    theta = WHOLE_MAP if name == "the whole map" else family.mle(
        p_data.sample(n, numpy.random.default_rng(13)))
    p_model, rng = family(theta), numpy.random.default_rng(14)
    share = float(accuracy(p_model, p_data, n, rng))
    mean, deviation = hits(p_data, round(share * n))
    assert share < 0.36
    assert abs(coverage(p_model, p_data, n, rng) - 1) < 5 * math.sqrt(2) * deviation / mean < 0.08


@pytest.mark.parametrize("continent", ["Africa", "Antarctica"])
def test_a_model_that_copies_one_continent_is_precise_and_has_little_recall(continent):
    p_data, p_model, n = WorldMap(), WorldMap(continent=continent), 20_000
    assert float(accuracy(p_model, p_data, n, numpy.random.default_rng(15))) == 1
    (part, part_deviation), (whole, deviation) = hits(p_model, n), hits(p_data, n)
    share = part / whole
    error = share * (part_deviation / part + deviation / whole)
    assert share < 0.3
    assert abs(coverage(p_model, p_data, n, numpy.random.default_rng(16)) - share) < 5 * error


def test_a_model_that_leaves_out_half_the_land_misses_half_the_cells():
    # the northern half of the square, whatever share of the model lies beside it
    for right in (1.0, 2.0, 10.0):
        p_model = box(0.5, 0.0, 1.0, right)
        assert coverage(p_model, square(), 20_000, numpy.random.default_rng(17), cell=0.1) == 0.5


def test_a_model_spread_more_evenly_than_the_data_reaches_more_cells():
    flat, sphere, rng = WorldMap("map"), WorldMap("sphere"), numpy.random.default_rng(18)
    assert coverage(flat, sphere, 20_000, rng) > 1.05
    assert coverage(sphere, flat, 20_000, rng) < 0.95
    one_cell = Histogram(SampleSpace([0.0], [10.0]), [0.991, *[0.001] * 9])
    p_data = SimpleNamespace(sample=lambda n, rng: numpy.hstack([one_cell.sample(n, rng),
                                                                 numpy.zeros((n, 1))]),
                             contains=lambda X: (X[:, 0] >= 0) & (X[:, 0] <= 10))
    assert coverage(box(0.0, 0.0, 10.0, 1.0), p_data, 50, rng, cell=1.0) > 3


def test_where_each_point_has_a_cell_of_its_own_every_model_has_coverage_1():
    p_model = WorldMap(continent="Africa")
    assert coverage(p_model, WorldMap(), 1000, numpy.random.default_rng(19), cell=1e-9) == 1


def test_a_model_that_makes_sea_only_has_coverage_0():
    for n in (1, 1000):
        p_model = box(-10.0, -150.0, 10.0, -100.0)          # in the Pacific
        assert coverage(p_model, WorldMap(), n, numpy.random.default_rng(20)) == 0
        assert accuracy(p_model, WorldMap(), n, numpy.random.default_rng(20)) == 0


# Counting cells

@pytest.mark.parametrize("X, cell, hit", [
    ([[0.5, 0.5], [0.1, 0.9], [1.5, 0.5]], 1.0, 2),
    ([[-0.5, 0.5], [0.5, 0.5], [0.5, -0.5], [-0.5, -0.5]], 1.0, 4),
    ([[1.0, 0.0], [1.5, 0.5], [0.99, 0.0]], 1.0, 2),        # the lower border is of the cell
    ([[0.0, 1.0], [-0.0, 1.0]], 1.0, 1),
    ([[3, 4], [5, 5]], 2.0, 2),
    (numpy.zeros((0, 2)), 1.0, 0),
    ([[1e19, 0], [2e19, 0], [3e19, 0]], 1.0, 3),
    ([[0, -1e300], [0, 1e300], [0, 1e300], [1, 1e300]], 1e-300, 3),
    ([[1e3, 0.0], [1e-15, 0.0]], 1e-18, 2),
    ([[2.0**60, 0.0], [2.0**60 + 512, 0.0]], 0.75, 2),      # neighbors among floats
    ([[5e-324, 0.0], [1e-323, 0.0]], 5e-324, 2),
    ([[1e300, 1e300], [-1e300, 1e300]], 1.7e308, 2),
])
def test_cells_are_counted_wherever_they_are_and_however_small(X, cell, hit):
    assert cells_hit(numpy.array(X), cell) == hit


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("power", [-30, -18, 0, 30])
def test_scattered_points_lie_each_in_a_cell_of_its_own(dtype, power):
    X = (numpy.random.default_rng(21).random((1000, 2)) * 10.0**(power + 6)).astype(dtype)
    assert cells_hit(X, 10.0**power) == 1000


def test_cells_are_counted_as_exact_arithmetic_does():
    rng = numpy.random.default_rng(22)
    for cell in (0.1, 0.3, 1 / 3, 7.0):
        X = cell * rng.integers(-50, 50, (500, 2))          # on borders, up to rounding
        X = numpy.concatenate([X, numpy.nextafter(X, -math.inf), numpy.nextafter(X, math.inf)])
        exact = {tuple(Fraction(float(x)) // Fraction(cell) for x in row) for row in X}
        assert cells_hit(X, cell) == len(exact)


@pytest.mark.parametrize("measure", ["map", "sphere"])
def test_p_data_itself_has_accuracy_1_and_coverage_near_1(measure):
    p_data, rng = WorldMap(measure), numpy.random.default_rng(6)
    assert float(accuracy(p_data, p_data, 10_000, rng)) == 1
    assert float(coverage(p_data, p_data, 10_000, rng)) == pytest.approx(1, abs=0.02)
    value, standard_error = kl_to_data(p_data, p_data, p_data.sample(10_000, rng))
    assert abs(float(value)) <= 5 * float(standard_error) + 1e-12


@pytest.mark.parametrize("measure", [accuracy, coverage])
def test_a_model_without_a_density_can_be_measured(measure):
    p_model = box(*AFRICA_TO_INDIA)
    implicit = SimpleNamespace(sample=p_model.sample)
    value, same = (measure(p, WorldMap(), 2000, numpy.random.default_rng(7))
                   for p in (p_model, implicit))
    assert value == same and 0.1 < value < 0.9


# KL: both in one number

@pytest.mark.parametrize("theta, kl", [
    ((0.0, 0.0, 1.0, 1.0), 0),
    ((0.0, 0.0, 1.0, 2.0), math.log(2)),
    ((-1.0, -1.0, 9.0, 9.0), math.log(100)),
])
def test_the_divergence_from_uniform_data_is_the_log_of_the_ratio_of_areas(theta, kl):
    p_data = square()
    X = p_data.sample(100, numpy.random.default_rng(8))
    value, standard_error = kl_to_data(box(*theta), p_data, X)
    assert float(value) == pytest.approx(kl, abs=1e-12)
    assert float(standard_error) == pytest.approx(0, abs=1e-12)


def test_the_divergence_of_the_whole_map_is_the_log_of_the_share_of_land():
    p_data = WorldMap()
    whole = Box(WORLD.low, WORLD.high)
    value, _ = kl_to_data(whole, p_data, p_data.sample(100, numpy.random.default_rng(9)))
    assert float(value) == pytest.approx(math.log(180 * 360 / p_data.area), rel=1e-12)


def test_the_divergence_agrees_with_an_integral_on_a_grid():
    p_data, p_model = WorldMap(), Normal([20.0, 0.0], [[1500.0, 0.0], [0.0, 9000.0]])
    X = p_data.sample(20_000, numpy.random.default_rng(10))
    value, standard_error = kl_to_data(p_model, p_data, X)
    expected = kl_divergence(p_data, p_model, WORLD, (450, 900))
    assert 0.001 < standard_error < 0.05
    assert abs(value - expected) < 5 * standard_error + 3e-3    # 1 in 10^6; the grid's error


def test_a_model_that_excludes_some_land_is_infinitely_far():
    p_data = WorldMap()
    p_model = box(*AFRICA_TO_INDIA)
    X = p_data.sample(100, numpy.random.default_rng(11))
    value, standard_error = kl_to_data(p_model, p_data, X)
    assert value == math.inf and math.isnan(standard_error)


# Verdicts

@pytest.mark.parametrize("x, kind", [
    ((0.5, 1.5), "A"), ((0.2, 0.5), "B"), ((0.75, 0.5), "C"), ((5.0, 5.0), "neither"),
    ((0.5, 1.0), "C"),                                      # both boxes are closed
])
def test_a_verdict_tells_both_densities_and_the_kind(x, kind):
    p_data, p_model = square(), box(0.5, 0.0, 1.0, 4.0)
    data, model = {"A": (0, 0.5), "B": (1, 0), "C": (1, 0.5), "neither": (0, 0)}[kind]
    assert verdict(p_model, p_data, x) == Verdict(data, pytest.approx(model), kind)


@pytest.mark.parametrize("x, kind", [
    ((-20.0, 70.0), "A"),                                   # the Indian Ocean, in the box
    ((40.7306, -73.9352), "B"),                             # New York, outside
    ((9.0, 20.0), "C"),                                     # Africa, in the box
    ((11.3493, 142.1996), "neither"),                       # the Pacific, outside
])
@pytest.mark.parametrize("measure", ["map", "sphere"])
def test_points_of_the_chapter_are_of_their_kind(x, kind, measure):
    found = verdict(box(*AFRICA_TO_INDIA), WorldMap(measure), x)
    assert found.kind == kind
    assert (found.p_data > 0) == (kind in "BC") and (found.p_model > 0) == (kind in "AC")
    assert type(found.p_data) is type(found.p_model) is float


def test_a_point_may_be_a_list_of_whole_numbers_and_is_not_changed():
    p_model, x = Box(AFRICA_TO_INDIA[:2], AFRICA_TO_INDIA[2:]), numpy.array([9.0, 20.0])
    x.flags.writeable = False
    assert verdict(p_model, WorldMap(), [9, 20]) == verdict(p_model, WorldMap(), x)


# Erratum

def test_e18_a_share_of_the_model_in_the_sea_makes_the_divergence_infinite_and_a_point_does_not():
    p_data, grid = WorldMap(), (180, 360)
    p_model = BoxFamily(2)(AFRICA_TO_INDIA)
    assert verdict(p_model, p_data, [-20.0, 70.0]).p_data == 0
    assert float(accuracy(p_model, p_data, 10_000, numpy.random.default_rng(0))) < 0.9
    assert kl_divergence(p_model, p_data, WORLD, grid) == math.inf      # A: it makes sea
    assert kl_divergence(p_data, p_model, WORLD, grid) == math.inf      # B: it misses land
    assert 0 < jensen_shannon(p_data, p_model, WORLD, grid) < math.log(2)
    apart = BoxFamily(2)([-10.0, -150.0, 10.0, -100.0])                 # in the Pacific
    assert jensen_shannon(p_data, apart, WORLD, grid) == pytest.approx(math.log(2), rel=1e-2)

    within = BoxFamily(2)([15.0, 0.0, 25.0, 20.0])          # of A's two divergences one is finite
    assert kl_divergence(within, p_data, WORLD, grid) == pytest.approx(
        math.log(p_data.area / 200), rel=1e-12)
    assert kl_divergence(p_data, within, WORLD, grid) == math.inf

    def without(low, high):                                 # p_data, 0 between two corners
        def log_prob(X):
            X = numpy.asarray(X)
            gone = ((low <= X) & (X <= high)).all(axis=1)
            return numpy.where(gone, -math.inf, p_data.log_prob(X))
        return SimpleNamespace(log_prob=log_prob)

    X, x = within.sample(10_000, numpy.random.default_rng(1)), numpy.array([20.0, 10.0])
    value, _ = cross_entropy_estimate(without(x, x), X)     # one point of density 0
    assert without(x, x).log_prob([x]) == -math.inf
    assert float(value) == pytest.approx(math.log(p_data.area), rel=1e-12)
    assert cross_entropy_estimate(without(x, x + 1), X)[0] == math.inf          # a share of 1/200


# State and refusals

def test_the_same_generator_gives_the_same_accuracy_and_coverage():
    p_model = Box(AFRICA_TO_INDIA[:2], AFRICA_TO_INDIA[2:])
    for measure in (accuracy, coverage):
        once, again, other = (measure(p_model, WorldMap(), 500, numpy.random.default_rng(seed))
                              for seed in (0, 0, 1))
        assert once == again != other


@pytest.mark.parametrize("n, error", [
    (0, ValueError), (-1, ValueError), (2.0, TypeError), ("9", TypeError), (True, TypeError)])
@pytest.mark.parametrize("measure", [accuracy, coverage])
def test_a_number_of_samples_must_be_a_whole_number(measure, n, error):
    p = square()
    with pytest.raises(error, match=f"n must be .*got .*{n}"):
        measure(p, p, n, numpy.random.default_rng(0))


@pytest.mark.parametrize("cell", [0, -1.0, math.nan, math.inf])
def test_a_cell_must_have_a_size(cell):
    p = square()
    with pytest.raises(ValueError, match=rf"cell must lie in \(0, inf\), got {cell}"):
        coverage(p, p, 10, numpy.random.default_rng(0), cell=cell)


@pytest.mark.parametrize("rng", [None, 0, numpy.random, numpy.random.RandomState(0),
                                 numpy.random.default_rng])
@pytest.mark.parametrize("measure", [accuracy, coverage])
def test_a_measure_needs_a_generator_even_for_a_model_that_asks_for_none(measure, rng):
    p_model = SimpleNamespace(sample=lambda n, rng: numpy.full((n, 2), 0.5))
    with pytest.raises(TypeError, match="rng must be a generator of random numbers, as numpy"):
        measure(p_model, square(), 10, rng)


@pytest.mark.parametrize("X, error, message", [
    (numpy.ma.masked_array([[1.0, 2.0]], [[True, False]]), TypeError, "X is a masked array"),
    ([[1.0, 2.0, 3.0]], ValueError, "X has 3 columns"),
    ([1.0, 2.0], ValueError, r"X must have shape \(n, 2\)"),
    ([[1.0, math.nan]], ValueError, "X holds nan"),
    ([["a", "b"]], TypeError, "X must hold real numbers"),
])
def test_cells_are_counted_for_points_of_the_plane(X, error, message):
    with pytest.raises(error, match=message):
        cells_hit(X, 1.0)


@pytest.mark.parametrize("cell", [0, -1.0, math.nan, math.inf])
def test_a_cell_to_count_must_have_a_size(cell):
    with pytest.raises(ValueError, match=rf"cell must lie in \(0, inf\), got {cell}"):
        cells_hit([[1.0, 2.0]], cell)


@pytest.mark.parametrize("n", [0, 1])
def test_a_standard_error_needs_two_rows(n):
    p = square()
    with pytest.raises(ValueError, match=f"at least 2 rows .*got {n}"):
        kl_to_data(p, p, numpy.full((n, 2), 0.5))


@pytest.mark.parametrize("x, message", [
    ([1.0, math.nan], "x holds nan"),
    ([1.0, 2.0, 3.0], "X has 3 columns"),
    ([[1.0, 2.0]], r"got shape \(1, 1, 2\)"),
    (1.0, r"got shape \(1,\)"),
])
def test_a_verdict_needs_one_point(x, message):
    with pytest.raises(ValueError, match=message):
        verdict(square(), WorldMap(), x)


def test_a_verdict_on_a_masked_point_is_refused():
    with pytest.raises(TypeError, match="x is a masked array"):
        verdict(square(), WorldMap(), numpy.ma.masked_array([0.5, 0.5], [True, False]))


def test_measures_of_many_points_need_little_more_than_the_points():
    n, p_data, rng = 200_000, WorldMap(), numpy.random.default_rng(0)
    X, p_model = p_data.sample(n, rng), box(*WHOLE_MAP)
    for measure in (lambda: accuracy(p_model, p_data, n, rng), lambda: cells_hit(X, 2.0),
                    lambda: coverage(p_data, p_data, n, rng),
                    lambda: kl_to_data(p_model, p_data, X)):
        tracemalloc.start()
        measure()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 150 * n                               # bytes: at a million rows 150 MB


# Contracts

def test_measures_and_verdicts_are_taken_where_the_model_lives(xp, make_rng):
    p_data, p_model = WorldMap(), box(*AFRICA_TO_INDIA, xp=xp)
    assert 0.1 < float(accuracy(p_model, p_data, 2000, make_rng(0))) < 0.9
    assert 0.1 < float(coverage(p_model, p_data, 2000, make_rng(0))) < 0.9
    assert coverage(p_data, p_data, 10_000, make_rng(0)) == pytest.approx(1, abs=0.02)
    whole = box(-90.0, -180.0, 90.0, 180.0, xp=xp)
    value, standard_error = kl_to_data(whole, p_data, p_data.sample(100, make_rng(0)))
    assert float(value) == pytest.approx(math.log(180 * 360 / p_data.area), rel=1e-12)
    assert float(standard_error) == pytest.approx(0, abs=1e-12)
    for x, kind in (((-20.0, 70.0), "A"), ((40.7306, -73.9352), "B"), ((9.0, 20.0), "C")):
        found = verdict(p_model, p_data, xp.asarray(x))
        assert found.kind == kind and type(found.p_data) is type(found.p_model) is float


def test_a_density_beyond_the_largest_number_is_infinite_in_a_verdict():
    found = verdict(Box([0, 0], [1e-200, 1e-200]), WorldMap(), [0.0, 0.0])
    assert found.p_model == math.inf and found.p_data == 0 and found.kind == "A"


def test_p_data_without_an_entropy_is_refused():
    with pytest.raises(TypeError, match="p_data.entropy must be a number"):
        kl_to_data(Box([0, 0], [1, 1]), Box([0, 0], [1, 1]), [[0.5, 0.5], [0.2, 0.2]])
