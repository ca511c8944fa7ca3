"""Regions of the plane: membership in exact arithmetic, integrals in closed form, uniform draws."""

import itertools
import math

import even_odd
import numpy
import pytest
from scipy import stats

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.world.polygon import BLOCK, Region

SPACE = SampleSpace([0, 0], [8, 12])
TRIANGLE = numpy.array([[1, 2], [7, 5], [2, 11], [1, 2]])                       # clockwise
SQUARE = numpy.array([[1, 1], [7, 1], [7, 7], [1, 7], [1, 1]])
HOLE = numpy.array([[2, 3], [2, 6], [5, 6], [5, 3], [2, 3]])                    # the other way
GRIDS = [(1, 1), (3, 2), (8, 12), (50, 37)]


def edges(rings):
    return (numpy.concatenate([ring[:-1] for ring in rings]).astype(float),
            numpy.concatenate([ring[1:] for ring in rings]).astype(float))


def region(*rings, shape=(8, 12)):
    return Region(*edges(rings), SPACE, shape)


def star(rng, corners=9):
    """A random ring around the middle whose corners have coordinates in eighths."""
    angle = numpy.sort(rng.random(corners)) * 2 * math.pi
    radius = 1 + 2.9 * rng.random(corners)
    ring = numpy.stack([4 + radius * numpy.cos(angle), 6 + radius * numpy.sin(angle)], axis=1)
    ring = numpy.round(8 * ring) / 8
    return numpy.concatenate([ring, ring[:1]])


def lattice():
    """All points with coordinates in quarters: on the lines of vertices, of cells, and outside."""
    return numpy.stack(numpy.meshgrid(numpy.arange(-1, 9.1, 0.25), numpy.arange(-1, 13.1, 0.25),
                                      indexing="ij"), axis=-1).reshape(-1, 2)


# Membership

@pytest.mark.parametrize("shape", GRIDS)
def test_membership_agrees_with_exact_arithmetic(shape):
    rng = numpy.random.default_rng(0)
    for _ in range(4):
        ring = star(rng)
        X = numpy.concatenate([lattice()[::3], even_odd.near_edges(rng, ring[:-1], ring[1:], 200)])
        X = X[[even_odd.distance(x, ring[:-1], ring[1:]) > 1e-9 for x in X]]
        expected = [even_odd.inside(x, ring[:-1], ring[1:]) for x in X]
        assert len(X) > 900 and 0.05 < numpy.mean(expected) < 0.95
        assert region(ring, shape=shape).contains(X).tolist() == expected


def test_what_is_in_the_hole_is_outside():
    land = region(SQUARE, HOLE)
    X = numpy.array([[1.5, 2.0], [3.0, 4.0], [6.0, 4.0], [3.0, 6.5], [7.5, 4.0]])
    assert land.contains(X).tolist() == [True, False, True, True, False]


def test_a_border_that_two_rings_share_separates_nothing():
    left, right = SQUARE.copy(), SQUARE.copy()
    left[2:4, 1], right[[0, 1, 4], 1] = 4, 4
    X = lattice()[(lattice()[:, 0] % 1 != 0) & (lattice()[:, 1] % 6 != 1)]
    assert (X[:, 1] == 4).any()
    assert (region(left, right).contains(X) == region(SQUARE).contains(X)).all()


def test_the_grid_of_cells_changes_no_answer():
    rng = numpy.random.default_rng(1)
    ring = star(rng)
    X = numpy.concatenate([lattice(), rng.random((5000, 2)) * [8, 12]])
    first, *others = [region(ring, shape=shape).contains(X) for shape in GRIDS]
    assert all((first == other).all() for other in others)


def test_a_cell_that_no_edge_touches_is_all_inside_or_all_outside():
    rng = numpy.random.default_rng(2)
    ring = star(rng)
    land = region(ring, shape=(16, 24))                             # cells of side 1/2
    kind = land.kind[1:-1, 1:-1]
    assert set(kind.ravel()) == {0, 1, 2}
    for cell in numpy.argwhere(kind < 2):
        for corner in itertools.product([0, 1], [0, 1]):
            x = (cell + corner) / 2
            assert even_odd.inside(x, ring[:-1], ring[1:]) == kind[tuple(cell)]
            assert even_odd.distance(x, ring[:-1], ring[1:]) > 0


def test_points_outside_the_space_are_outside_however_far():
    steep = TRIANGLE * [1, -1] + [0, 12]                    # its first edge, in the west
    land = region(steep, shape=(50, 37))
    far = [[sign * 10.0**power, 6.0] for sign in (-1, 1) for power in (2, 9, 20, 307)]
    far += [[x2, x1] for x1, x2 in far] + [[1.7e308, -1.7e308], [8.0001, 6.0], [4.0, 12.0001]]
    assert not land.contains(far).any()


def test_more_rows_than_a_block_are_answered_in_their_order():
    land, X = region(TRIANGLE), numpy.random.default_rng(3).random((2 * BLOCK + 5, 2)) * [8, 12]
    assert (land.contains(X)[::-1] == land.contains(X[::-1])).all()
    assert land.contains(X).any() and not land.contains(X).all()


def test_vertices_keep_their_decimals_in_a_space_of_single_precision():
    single = SampleSpace(numpy.zeros(2, "float32"), numpy.array([8, 12], "float32"))
    start, end = edges([TRIANGLE + 1e-9])
    land = Region(start, end, single, (8, 12))
    assert land.start.dtype == float and (land.start == start).all()
    X = numpy.random.default_rng(4).random((2000, 2)) * [8, 12]
    assert (land.contains(X) == Region(start, end, SPACE, (8, 12)).contains(X)).all()


def test_no_rows_give_no_answers():
    assert region(TRIANGLE).contains(numpy.zeros((0, 2))).shape == (0,)


# Integrals

@pytest.mark.parametrize("power", range(6))
def test_integrals_over_a_triangle_have_their_closed_form(power):
    a, b, c = TRIANGLE[:3, 0].tolist()
    area = abs(numpy.linalg.det(TRIANGLE[1:3] - TRIANGLE[0])) / 2
    # the mean of x1^k over a triangle is the mean of all monomials of degree k in the three corners
    mean = numpy.mean([a**i * b**j * c**(power - i - j)
                       for i in range(power + 1) for j in range(power + 1 - i)])
    value = region(TRIANGLE).integral(lambda x1: x1**(power + 1) / (power + 1))
    assert float(value) == pytest.approx(area * mean, rel=1e-13)


def part(land, low, high, G=lambda x1: x1):
    return float(land.integral(G, SampleSpace(low, high)))


def test_the_integral_over_the_part_in_a_box_leaves_out_what_is_outside_and_the_hole():
    land = region(SQUARE, HOLE)
    for low, high, area in (([0, 0], [4, 5], 3 * 4 - 2 * 2), ([2.5, 3.5], [4, 5], 0),
                            ([8, 0], [9, 9], 0), ([-9, -9], [99, 99], 36 - 9)):
        assert part(land, low, high) == pytest.approx(area, abs=1e-12)
    assert part(land, [0, 0], [4, 5], numpy.exp) == pytest.approx(
        4 * (math.exp(4) - math.e) - 2 * (math.exp(4) - math.exp(2)))


def test_the_parts_in_four_boxes_around_a_point_are_the_whole():
    land, rng = region(TRIANGLE), numpy.random.default_rng(0)
    for x1, x2 in rng.random((20, 2)) * [8, 12]:
        parts = [part(land, low, high) for low, high in (
            ([0, 0], [x1, x2]), ([0, x2], [x1, 12]), ([x1, 0], [8, x2]), ([x1, x2], [8, 12]))]
        assert sum(parts) == pytest.approx(land.area) and min(parts) > -1e-12


def test_the_part_in_a_box_is_its_share_of_uniform_draws():
    """5 standard deviations."""
    land, rng = region(TRIANGLE), numpy.random.default_rng(1)
    X = land.sample(100_000, rng)
    share = part(land, [2, 3.5], [5, 7]) / land.area
    inside = SampleSpace([2, 3.5], [5, 7]).contains(X).mean()
    assert 0.2 < share < 0.8 and abs(inside - share) < 5 * (share * (1 - share) / len(X))**0.5


def test_the_integral_over_a_square_leaves_out_its_hole():
    land = region(SQUARE[::-1], HOLE[::-1])
    assert float(land.integral(lambda x1: x1)) == -(36 - 9)         # walked the other way: negative
    land = region(SQUARE, HOLE)
    assert float(land.integral(lambda x1: x1)) == 36 - 9
    assert float(land.integral(numpy.exp)) == pytest.approx(
        6 * (math.exp(7) - math.exp(1)) - 3 * (math.exp(5) - math.exp(2)), rel=1e-13)


# Draws

def test_draws_are_uniform_over_a_triangle():
    land = region(TRIANGLE)
    X = land.sample(60_000, numpy.random.default_rng(1))
    assert land.contains(X).all()
    to_barycentric = numpy.linalg.inv(numpy.vstack([TRIANGLE[:3].T, numpy.ones(3)]))
    order = (to_barycentric @ numpy.vstack([X.T, numpy.ones(len(X))])).argsort(axis=0)
    # the medians cut a triangle into six of equal area, one for each order of the coordinates
    counts = [(order.T == p).all(axis=1).sum() for p in itertools.permutations(range(3))]
    assert stats.chisquare(counts).pvalue > 1e-6                    # false alarm: 1 in 10^6


@pytest.mark.parametrize("shape", GRIDS)
def test_draws_are_uniform_whatever_the_cells(shape):
    land = region(SQUARE, HOLE, shape=shape)
    X = land.sample(50_000, numpy.random.default_rng(2))
    assert land.contains(X).all()
    counts = numpy.histogramdd(X, [numpy.arange(1, 8), numpy.arange(1, 8)])[0]
    assert (counts[1:4, 2:5] == 0).all()                            # the hole
    assert stats.chisquare(counts[counts > 0]).pvalue > 1e-6
    assert (counts > 0).sum() == 36 - 9


def test_weighted_draws_follow_the_weight():
    land = region(SQUARE)
    X = land.sample(50_000, numpy.random.default_rng(3), weight=lambda x1: x1 / 8)
    cdf = (X[:, 0]**2 - 1) / (7**2 - 1)                             # density proportional to x1
    assert stats.kstest(cdf, "uniform").pvalue > 1e-6
    assert stats.kstest(X[:, 1], stats.uniform(1, 6).cdf).pvalue > 1e-6


@pytest.mark.parametrize("n", [0, 1, 3, BLOCK + 1])
def test_as_many_draws_as_asked_for(n):
    assert region(TRIANGLE).sample(n, numpy.random.default_rng(4)).shape == (n, 2)


# Regions thinner than their cells, and regions of no area

UNIT = SampleSpace([0, 0], [1, 1])


def ring(*corners):
    """The region of one ring in the unit square, whose cells are 64 x 64."""
    start = numpy.array(corners, dtype=float)
    return Region(start, numpy.roll(start, -1, axis=0), UNIT, (64, 64))


@pytest.mark.parametrize("corners, area", [
    ([(0.5, 0.5), (0.5 + 1e-6, 0.5), (0.5, 0.5 + 1e-6)], 5e-13),
    ([(0.5, 0.5), (0.5 + 2**-40, 0.5), (0.5, 0.5 + 2**-40)], 2**-81),
    ([(0, 0), (1e-150, 0), (0, 1e-150)], 5e-301),           # as small as its numbers allow
    ([(0, 0), (1, 1), (1, 1 - 2**-36)], 2**-37),            # a sliver along the diagonal
    ([(0.5, 0), (0.5 + 2**-40, 1), (0.5, 1)], 2**-41),      # nearly level
    ([(0, 0.5), (1, 0.5), (1, 0.5 + 2**-40)], 2**-41),      # nearly upright
    ([(0.1, 0.1), (0.1, 0.9), (0.1 + 2**-30, 0.9), (0.1 + 2**-30, 0.1)], 0.8 * 2**-30),
])
def test_a_region_may_be_as_thin_as_it_likes(corners, area):
    region = ring(*corners)
    assert region.area == pytest.approx(area, rel=1e-3)
    X = region.sample(5000, numpy.random.default_rng(6))
    low, high = (getattr(numpy.array(corners), end)(axis=0) for end in ("min", "max"))
    assert X.shape == (5000, 2) and (low <= X).all() and (X <= high).all()
    assert region.contains(X).mean() > 0.99                 # the rest lies on an edge, up to ulps


def test_draws_from_trapezoids_are_uniform_over_a_small_triangle():
    corners = 1 / 4 + TRIANGLE[:3] / 2**20
    land = ring(*corners)
    X = land.sample(60_000, numpy.random.default_rng(7))
    assert land.contains(X).all()
    to_barycentric = numpy.linalg.inv(numpy.vstack([TRIANGLE[:3].T, numpy.ones(3)]))
    U = (X - 1 / 4) * 2**20
    order = (to_barycentric @ numpy.vstack([U.T, numpy.ones(len(U))])).argsort(axis=0)
    counts = [(order.T == p).all(axis=1).sum() for p in itertools.permutations(range(3))]
    assert stats.chisquare(counts).pvalue > 1e-6                    # false alarm: 1 in 10^6


@pytest.mark.parametrize("seed", range(3))
def test_draws_from_trapezoids_are_those_from_cells(seed):
    corners = star(numpy.random.default_rng(seed))[:-1]
    large = Region(corners, numpy.roll(corners, -1, axis=0), SPACE, (50, 37))
    scale = 2.0**-12
    small = ring(*corners * scale)
    assert small.area == pytest.approx(large.area * scale**2, rel=1e-12)
    X = large.sample(20_000, numpy.random.default_rng(seed))
    Y = small.sample(20_000, numpy.random.default_rng(10 + seed)) / scale
    assert large.contains(Y).all()
    for direction in ([1, 0], [0, 1], [1, 1], [1, -1]):
        assert stats.ks_2samp(X @ direction, Y @ direction).pvalue > 1e-6


def test_weighted_draws_from_a_thin_region_follow_the_weight():
    X = ring((0, 0.5), (1, 0.5), (1, 0.5 + 1e-9), (0, 0.5 + 1e-9)).sample(
        20_000, numpy.random.default_rng(8), weight=lambda x1: x1)
    assert stats.kstest(X[:, 0]**2, "uniform").pvalue > 1e-6


def test_the_area_is_that_of_the_inside_by_the_even_odd_rule():
    assert region(TRIANGLE).area == pytest.approx(float(region(TRIANGLE).integral(lambda x1: x1)))
    assert region(SQUARE, HOLE).area == region(SQUARE[::-1], HOLE).area == 36 - 9


@pytest.mark.parametrize("corners", [
    [(0.2, 0.2), (0.5, 0.5), (0.8, 0.8)],                   # three corners on a line
    [(0.1, 0.2), (0.2, 0.4), (0.3, 0.6)],                   # up to rounding
    [(0.1, 0.7), (0.2, 0.4), (0.3, 0.1)],
    [(0.5, 0.1), (0.5, 0.4), (0.5, 0.9)],
    [(0.1, 0.3), (0.7, 0.3), (0.9, 0.3)],
    [(0.1, 0.2), (0.7, 0.4)],                               # there and back
    [(0.5, 0.5)] * 4,
    [(0.1, 0.1), (0.9, 0.3), (0.2, 0.8), (0.9, 0.3)],       # a path and its way back
    [(0, 0), (1e-200, 0), (0, 1e-200)],                     # an area below all numbers
    [(0.2, 0.2), (0.8, 0.5), (0.5, 0.8), (0.2, 0.2), (0.8, 0.5), (0.5, 0.8)],      # all twice
])
def test_a_region_without_area_contains_nothing_to_draw(corners):
    region = ring(*corners)
    assert region.area == 0
    with pytest.raises(ValueError, match=r"the area of the region must lie in \(0, inf\), got 0"):
        region.sample(5, numpy.random.default_rng(0))


def test_a_region_of_no_edges_is_empty():
    empty = Region(numpy.zeros((0, 2)), numpy.zeros((0, 2)), UNIT, (3, 3))
    assert empty.area == 0 and not empty.contains([[0.5, 0.5]]).any()
    with pytest.raises(ValueError, match="the area of the region must lie in"):
        empty.sample(1, numpy.random.default_rng(0))


def test_a_weight_that_is_0_everywhere_is_refused():
    with pytest.raises(ValueError, match="weight must be positive in the region, got 0 or nearly"):
        region(SQUARE).sample(3, numpy.random.default_rng(0), lambda x1: 0 * x1)


@pytest.mark.parametrize("weight", [lambda x1: numpy.nan * x1, lambda x1: 4 + x1, lambda x1: 0.5,
                                    lambda x1: x1 - 10])
def test_what_is_no_probability_for_each_point_is_refused_as_a_weight(weight):
    with pytest.raises(ValueError, match="^weight "):
        region(SQUARE).sample(3, numpy.random.default_rng(0), weight)


@pytest.mark.parametrize("d", [1, 3])
def test_the_part_in_a_space_of_another_dimension_is_refused(d):
    with pytest.raises(ValueError, match=rf"space must be in R\^2, got one in R\^{d}"):
        region(SQUARE).integral(lambda x: x, SampleSpace([0] * d, [1] * d))


def test_a_small_weight_makes_draws_slow_and_stops_none():
    X = region(SQUARE).sample(3, numpy.random.default_rng(0), lambda x1: 1e-5 + 0 * x1)
    assert X.shape == (3, 2)


# State and refusals

def test_the_edges_given_are_not_changed():
    start, end = edges([SQUARE, HOLE])
    for array in (start, end):
        array.flags.writeable = False
    before = start.copy()
    Region(start, end, SPACE, (8, 12)).sample(10, numpy.random.default_rng(0))
    assert (start == before).all()


@pytest.mark.parametrize("start, end, shape, error, words", [
    (numpy.zeros((4, 3)), numpy.zeros((4, 3)), (1, 1), ValueError, "start has 3 columns"),
    (SQUARE[:-1], SQUARE[1:-1], (1, 1), ValueError, "end must have a row for each of the 4 rows"),
    (SQUARE[:-1] * math.nan, SQUARE[1:], (1, 1), ValueError, "start holds nan"),
    (SQUARE[:-1], SQUARE[1:], (0, 1), ValueError, "shape must be at least 1, got 0"),
    (SQUARE[:-1], SQUARE[1:], 3, ValueError, "shape has 1 entries; this space is in"),
    (SQUARE[:-1], SQUARE[1:], "ab", TypeError, "shape must be a list of whole numbers"),
    (SQUARE[:-1] + 3, SQUARE[1:] + 3, (1, 1), ValueError, "start must lie in the space, got the"),
    (SQUARE[:-2], SQUARE[1:-1], (1, 1), ValueError, "at each vertex as many edges must begin"),
    (numpy.ma.masked_array(SQUARE[:-1]), SQUARE[1:], (1, 1), TypeError, "start is a masked array"),
    (SQUARE[:-1], numpy.ma.masked_array(SQUARE[1:]), (1, 1), TypeError, "end is a masked array"),
])
def test_edges_that_bound_no_region_are_refused(start, end, shape, error, words):
    with pytest.raises(error, match=words):
        Region(start, end, SPACE, shape)


@pytest.mark.parametrize("n, rng, error, words", [
    (-1, numpy.random.default_rng(0), ValueError, "n must be at least 0, got -1"),
    (2.5, numpy.random.default_rng(0), TypeError, "n must be a whole number, got 2.5"),
    (3, 0, TypeError, "rng must be a generator of random numbers"),
    (3, None, TypeError, "rng must be a generator of random numbers"),
    (3, numpy.random, TypeError, "rng must be a generator of random numbers"),
    (3, numpy.random.RandomState(0), TypeError, "rng must be a generator of random numbers"),
])
def test_draws_need_a_number_and_a_generator(n, rng, error, words):
    with pytest.raises(error, match=words):
        region(TRIANGLE).sample(n, rng)


def test_a_region_says_what_it_is():
    assert repr(region(SQUARE, HOLE)) == (
        "Region(start=array of shape (8, 2), end=array of shape (8, 2), "
        "space=SampleSpace(low=[0. 0.], high=[ 8. 12.]), shape=(8, 12))")


# Contracts

def test_the_tables_move_to_the_device_of_the_points(xp, make_rng):
    land = region(SQUARE, HOLE)
    there = land.on(xp)
    X = make_rng(0).random((500, 2)) * 8
    assert array_module(there.contains(X)) is xp
    assert (to_numpy(there.contains(X)) == land.contains(to_numpy(X))).all()
    assert land.on(numpy) is land


@pytest.mark.parametrize("n", [0, 1, 3, BLOCK + 1])
def test_as_many_draws_as_asked_for_live_where_the_region_lives(xp, make_rng, n):
    X = region(TRIANGLE).on(xp).sample(n, make_rng(4))
    assert X.shape == (n, 2) and array_module(X) is xp


@pytest.mark.parametrize("weight", [None, lambda x1: x1])
def test_draws_from_a_thin_region_live_where_it_lives(xp, make_rng, weight):
    there = ring((0, 0), (1, 1), (1, 1 - 2**-30)).on(xp)
    X = there.sample(1000, make_rng(5), weight)
    assert array_module(X) is xp and X.shape == (1000, 2)
    assert float((X[:, 0] - X[:, 1]).min()) >= 0 and float((X[:, 0] - X[:, 1]).max()) < 1e-9
    with pytest.raises(ValueError, match="the area of the region"):
        ring((0, 0), (1, 1)).on(xp).sample(1, make_rng(0))


def test_the_integral_over_a_square_is_the_same_on_every_array_module(xp):
    land = region(SQUARE[::-1], HOLE[::-1]).on(xp)
    assert float(land.integral(lambda x1: x1)) == -(36 - 9)         # walked the other way: negative
    land = region(SQUARE, HOLE).on(xp)
    assert float(land.integral(lambda x1: x1)) == 36 - 9
    assert float(land.integral(lambda x1: x1, SampleSpace([0, 0], [4, 5]))) == pytest.approx(8)
    assert float(land.integral(xp.exp)) == pytest.approx(
        6 * (math.exp(7) - math.exp(1)) - 3 * (math.exp(5) - math.exp(2)), rel=1e-13)


def test_draws_stay_inside_on_every_array_module(xp, make_rng):
    land = region(SQUARE, HOLE).on(xp)
    for weight in (None, lambda x1: x1 / 8):
        X = land.sample(3000, make_rng(5), weight)
        assert X.shape == (3000, 2) and land.contains(X).all()
    far = [[sign * 10.0**power, 6.0] for sign in (-1, 1) for power in (2, 9, 20, 307)]
    assert not land.contains(xp.asarray(far)).any()
