"""Evaluation: models whose distance from p_data is known exactly."""

import math
from types import SimpleNamespace

import numpy
import pytest

from gdl_numpy.probability.density import Box, Normal
from gdl_numpy.probability.divergence import jensen_shannon, kl_divergence
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.world.evaluation import Verdict, accuracy, coverage, kl_to_data, verdict
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


# Accuracy: how little of the model is A

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


# Coverage: how little of the data is B

@pytest.mark.parametrize("theta, share", [
    ((0.0, 0.0, 1.0, 1.0), 1),
    ((0.0, 0.0, 0.5, 1.0), 1 / 2),
    ((0.25, 0.5, 0.5, 2.0), 1 / 8),
    ((0.0, 0.0, 5.0, 1.0), 1),
    ((2.0, 2.0, 3.0, 3.0), 0),
])
def test_coverage_is_the_share_of_the_cells_that_the_model_hits(theta, share):
    # 16 cells, each missed by 2,000 uniform draws with a probability below 10^-50
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


@pytest.mark.parametrize("measure", ["map", "sphere"])
def test_the_data_themselves_are_accurate_and_cover_themselves(measure):
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

def test_e18_p_data_of_a_is_zero_so_both_divergences_are_infinite():
    p_data, grid = WorldMap(), (180, 360)
    p_model = BoxFamily(2)(AFRICA_TO_INDIA)
    assert verdict(p_model, p_data, [-20.0, 70.0]).p_data == 0
    assert kl_divergence(p_model, p_data, WORLD, grid) == math.inf      # A: it makes sea
    assert kl_divergence(p_data, p_model, WORLD, grid) == math.inf      # B: it misses land
    assert 0 < jensen_shannon(p_data, p_model, WORLD, grid) < math.log(2)
    apart = BoxFamily(2)([-10.0, -150.0, 10.0, -100.0])                 # in the Pacific
    assert jensen_shannon(p_data, apart, WORLD, grid) == pytest.approx(math.log(2), rel=1e-2)


# State and refusals

def test_the_generator_is_all_that_decides_a_measure():
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
