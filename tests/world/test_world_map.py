"""The world map: its polygons in exact arithmetic, its two measures, its draws, its file."""

import math
import pickle
import tracemalloc

import even_odd
import numpy
import pytest
from pack_world_map import dissolve
from scipy import stats

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.divergence import cross_entropy_estimate, total_mass
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.world.world_map import DATA, WORLD, WorldMap, _read, continent_of, continents

MEASURES = ["map", "sphere"]
NEW_YORK, PACIFIC = [40.7306, -73.9352], [11.3493, 142.1996]


def edges(p_data):
    """Start and end of all edges, (m, 2) each, in float64."""
    return [numpy.concatenate([ring[part].astype(float) for ring in p_data.rings])
            for part in (slice(None, -1), slice(1, None))]


def shoelace(ring):
    """The area inside a ring that runs clockwise; longitude to the right, latitude upwards."""
    x1, x2 = ring.astype(float).T
    return (x1[:-1] * x2[1:] - x2[:-1] * x1[1:]).sum() / 2


def random_points(rng, n):
    return WORLD.low + (WORLD.high - WORLD.low) * rng.random((n, 2))


def awkward_points(rng, start, end):
    """Points beside edges, on the lines of vertices, on the borders of cells, outside the map."""
    free = random_points(rng, 3000)
    free[:1500] = numpy.round(2 * free[:1500]) / 2                  # corners of cells
    free[:1000, [0, 1]] += random_points(rng, 1000) * [[0, 1]] * (numpy.arange(1000) % 2)[:, None]
    i, j = rng.integers(len(start), size=(2, 1500))
    free[1500:2000, 0] = start[i[:500], 0]
    free[2000:2500, 1] = start[i[500:1000], 1]
    free[2500:] = numpy.stack([start[i[1000:], 0], start[j[1000:], 1]], axis=1)
    outside = free[:300] + rng.choice([-1, 1], (300, 1)) * [[180, 360]]
    return numpy.concatenate([even_odd.near_edges(rng, start, end, 2000), free, outside])


# Facts

@pytest.mark.parametrize("place, x, land", [
    ("New York", NEW_YORK, True),
    ("the Pacific", PACIFIC, False),
    ("inner Antarctica", [-89.9, 0.0], True),
    ("the Caspian Sea", [42.0, 50.5], False),
    ("the Arctic Ocean", [89.9, 0.0], False),
    ("far from the map", [40.0, 400.0], False),
])
def test_land_is_where_it_should_be(place, x, land):
    p_data = WorldMap()
    assert bool(p_data.contains([x])[0]) == land
    assert (float(p_data.log_prob([x])[0]) > -math.inf) == land


def test_land_covers_a_third_of_the_map_and_less_of_the_sphere():
    assert WorldMap("map").area / (180 * 360) == pytest.approx(0.332, abs=0.002)
    assert WorldMap("sphere").area / (2 * 360 * 180 / math.pi) == pytest.approx(0.289, abs=0.005)


def test_no_edge_jumps_over_the_date_line():
    start, end = edges(WorldMap())
    assert len(start) > 5000
    assert abs(end[:, 1] - start[:, 1])[start[:, 0] > -90].max() < 30
    assert (start[abs(end[:, 1] - start[:, 1]) >= 30, 0] == -90).all()      # the map's own edge


def test_rings_are_closed_and_run_clockwise():
    assert all((ring[0] == ring[-1]).all() and shoelace(ring) > 0 for ring in WorldMap().rings)


def test_the_coast_has_land_on_one_side_and_sea_on_the_other():
    p_data = WorldMap()
    start, end = numpy.moveaxis(p_data.coast.astype(float), 1, 0)
    along = end - start
    across = 1e-6 * along[:, ::-1] * [-1, 1] / numpy.hypot(*along.T)[:, None]
    middle = start + along / 2
    assert (p_data.contains(middle + across) != p_data.contains(middle - across)).all()


# Membership

@pytest.fixture(scope="module")
def exact():
    """Awkward points farther than 1e-9 from every edge, and whether they are land."""
    start, end = edges(WorldMap())
    X = awkward_points(numpy.random.default_rng(0), start, end)
    X = X[[even_odd.distance(x, start, end) > 1e-9 for x in X]]
    return X, [even_odd.inside(x, start, end) for x in X]


def test_membership_agrees_with_exact_arithmetic(exact):
    X, expected = exact
    assert len(X) > 5000 and 0.2 < numpy.mean(expected) < 0.5
    assert WorldMap().contains(X).tolist() == expected


@pytest.mark.parametrize("seed", range(2))
def test_membership_agrees_with_shapely(seed):
    shapely = pytest.importorskip("shapely")
    p_data, rng = WorldMap(), numpy.random.default_rng(seed)
    land = shapely.union_all([shapely.Polygon(ring[:, ::-1]) for ring in p_data.rings])
    shapely.prepare(land)
    close = even_odd.near_edges(rng, *edges(p_data), 20_000)
    X = numpy.concatenate([random_points(rng, 100_000), close])
    differ = X[shapely.contains_xy(land, *X.T[::-1]) != p_data.contains(X)]
    borders = shapely.MultiLineString([ring[:, ::-1] for ring in p_data.rings])
    assert (shapely.distance(shapely.points(differ[:, ::-1]), borders) <= 1e-9).all()
    assert len(differ) < 100


def test_each_continent_is_the_part_of_the_world_that_is_its_own():
    X = random_points(numpy.random.default_rng(1), 50_000)
    parts = [WorldMap(continent=name).contains(X) for name in continents()]
    assert (numpy.sum(parts, axis=0) == WorldMap().contains(X)).all()
    assert numpy.sum(parts, axis=1).min() >= 0 and len(parts) == 8


def test_the_continent_of_a_point_is_the_one_that_contains_it():
    places = {"Africa": [9.0, 20.0], "Asia": [35.0, 100.0], "South America": [-10.0, -60.0],
              "North America": NEW_YORK, "Antarctica": [-89.9, 0.0], "Oceania": [-25.0, 135.0]}
    number = continent_of([*places.values(), PACIFIC])
    assert [continents()[i] for i in number[:-1]] == list(places) and number[-1] == -1
    X = WorldMap().sample(2000, numpy.random.default_rng(2))
    number = continent_of(X)
    for i, name in enumerate(continents()):
        assert (WorldMap(continent=name).contains(X) == (number == i)).all()


# Area and entropy

def test_the_area_is_the_shoelace_sum():
    p_data = WorldMap()
    assert p_data.area == pytest.approx(sum(map(shoelace, p_data.rings)), rel=1e-13)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_continents_areas_sum_to_the_world(measure):
    parts = [WorldMap(measure, continent).area for continent in continents()]
    assert sum(parts) == pytest.approx(WorldMap(measure).area, rel=1e-13)


def land_width(x1, start, end):
    """Degrees of longitude that are land at the latitude x1, by the even-odd rule."""
    spans = (start[:, 0] <= x1) != (end[:, 0] <= x1)
    (a1, a2), (b1, b2) = start[spans].T, end[spans].T
    crossings = numpy.sort(a2 + (x1 - a1) * (b2 - a2) / (b1 - a1))
    return (crossings[1::2] - crossings[::2]).sum()


def test_area_and_entropy_on_the_sphere_by_quadrature_over_latitudes():
    start, end = edges(WorldMap())
    level = numpy.unique(start[:, 0])                       # between levels the width is linear
    height = level[1:] - level[:-1]
    w = numpy.array([[land_width(x + s * h, start, end) for s in (0.25, 0.75)]
                     for x, h in zip(level, height, strict=False)])
    s, weight = numpy.polynomial.legendre.leggauss(30)
    cosine = numpy.cos(numpy.radians(level[:-1, None] + height[:, None] * (s + 1) / 2))
    width = w.mean(axis=1)[:, None] + (w[:, 1] - w[:, 0])[:, None] * s
    mass = cosine * width * height[:, None] * weight / 2

    p_data = WorldMap("sphere")
    assert p_data.area == pytest.approx(mass.sum(), rel=1e-12)
    log_p = numpy.log(cosine / mass.sum())
    assert p_data.entropy == pytest.approx(-(mass / mass.sum() * log_p).sum(), rel=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_density_integrates_to_one(measure):
    assert total_mass(WorldMap(measure), WORLD, (900, 1800)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("continent", [None, "Africa"])
def test_the_mean_of_minus_log_p_is_the_entropy(measure, continent):
    p_data = WorldMap(measure, continent)
    X = p_data.sample(50_000, numpy.random.default_rng(0))
    value, standard_error = cross_entropy_estimate(p_data, X)
    # false alarm: 1 in 10^6; on the map all terms are equal
    assert abs(float(value) - p_data.entropy) <= 5 * float(standard_error) + 1e-12


def test_the_entropy_on_the_map_is_the_largest_there_is():
    assert WorldMap("sphere").entropy < WorldMap("map").entropy == math.log(WorldMap("map").area)


# Density

def test_the_density_is_the_same_everywhere_on_the_map_and_a_cosine_on_the_sphere():
    X = numpy.array([NEW_YORK, [-89.9, 0.0], [20.0, 10.0]])
    flat, sphere = WorldMap("map"), WorldMap("sphere")
    assert flat.log_prob(X).tolist() == [-math.log(flat.area)] * 3
    expected = numpy.log(numpy.cos(numpy.radians(X[:, 0])) / sphere.area)
    assert sphere.log_prob(X) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_the_density_is_zero_in_the_sea_and_outside_the_world(measure):
    X = [PACIFIC, [90.0, 0.0], [91.0, 0.0], [-270.0, 10.0], [20.0, 370.0], [1e300, 0.0]]
    log_p = WorldMap(measure).log_prob(X)
    assert log_p.tolist() == [-math.inf] * 6


# Draws

def grid_cells(X):
    """The number of the cell of 10 degrees that holds each row."""
    return SampleSpace(WORLD.low, WORLD.high).cell(X, (18, 36))


@pytest.mark.parametrize("measure", ["map", "sphere"])
def test_the_mass_of_a_box_is_its_share_of_draws_and_that_of_the_world_is_1(measure):
    """5 standard deviations; latitudes from 30 degrees on, the Americas."""
    p_data, box = WorldMap(measure), SampleSpace([30, -170], [90, -30])
    inside = box.contains(p_data.sample(100_000, numpy.random.default_rng(0))).mean()
    mass = p_data.mass(box)
    assert 0.1 < mass < 0.4 and abs(inside - mass) < 5 * (mass * (1 - mass) / 100_000)**0.5
    assert p_data.mass(p_data.space) == pytest.approx(1) and p_data.mass(p_data.space) <= 1
    assert p_data.mass(SampleSpace([0, -150], [1, -140])) == pytest.approx(0, abs=1e-12)
    africa = WorldMap(measure, "Africa")
    assert africa.mass(SampleSpace([-40, -20], [40, 60])) == pytest.approx(1)


@pytest.mark.parametrize("measure", MEASURES)
def test_draws_are_uniform_over_cells_of_ten_degrees(measure):
    p_data = WorldMap(measure)
    X = p_data.sample(100_000, numpy.random.default_rng(0))
    assert p_data.contains(X).all()
    grid, _ = WORLD.grid((1080, 2160))
    land = p_data.contains(grid) * (1 if measure == "map" else numpy.cos(numpy.radians(grid[:, 0])))
    share = numpy.bincount(grid_cells(grid), land) / land.sum()
    observed = numpy.bincount(grid_cells(X), minlength=len(share))
    large = share * len(X) >= 10                                    # the rest is one class
    counts = numpy.append(observed[large], observed[~large].sum())
    expected = numpy.append(share[large], share[~large].sum()) * len(X)
    assert large.sum() > 250
    assert stats.chisquare(counts, expected).pvalue > 1e-6          # false alarm: 1 in 10^6


@pytest.mark.parametrize("measure", MEASURES)
def test_draws_fall_on_each_continent_in_proportion_to_its_area(measure):
    X = WorldMap(measure).sample(100_000, numpy.random.default_rng(1))
    parts = [WorldMap(measure, name) for name in continents()]
    counts = [int(part.contains(X).sum()) for part in parts]
    areas = numpy.array([part.area for part in parts])
    assert sum(counts) == len(X)
    assert stats.chisquare(counts, areas / areas.sum() * len(X)).pvalue > 1e-6


def test_draws_from_inner_cells_and_from_coastal_cells_are_in_proportion():
    X = WorldMap().sample(100_000, numpy.random.default_rng(2))
    grid, _ = WORLD.grid((1440, 2880))
    grid = grid[WorldMap().contains(grid)]

    def coastal(X):                                                 # sea within half a degree
        return ~numpy.all([WorldMap().contains(X + [a, b]) for a in (-.5, .5) for b in (-.5, .5)],
                          axis=0)

    share = coastal(grid).mean()
    assert 0.05 < share < 0.5
    assert stats.binomtest(int(coastal(X).sum()), len(X), share).pvalue > 1e-6


@pytest.mark.parametrize("continent", continents())
def test_draws_from_a_continent_stay_on_it(continent):
    X = WorldMap("sphere", continent).sample(200, numpy.random.default_rng(0))
    assert WorldMap(continent=continent).contains(X).all()


# Errata

def test_e15_new_york_does_not_show_that_latitude_comes_first():
    """Swapped, New York lies in Antarctica, land too. Two points tell: Brazil, swapped, is sea, and
    the middle of the Atlantic, swapped, is South Africa."""
    p_data, names = WorldMap(), [*continents(), "sea"]      # -1, the sea, counts from the end
    points = numpy.array([NEW_YORK, [-10, -60], [30, -30]])
    swapped = points[:, ::-1]
    assert p_data.contains(points).tolist() == [True, True, False]
    assert p_data.contains(swapped).tolist() == [True, False, True]
    assert [names[i] for i in continent_of(points)] == ["North America", "South America", "sea"]
    assert [names[i] for i in continent_of(swapped)] == ["Antarctica", "sea", "Africa"]


def test_e17_uniform_on_the_map_and_on_the_sphere_differ():
    def polar_share(measure):
        latitude = WorldMap(measure).sample(100_000, numpy.random.default_rng(0))[:, 0]
        return (latitude > 60).mean(), (latitude < -60).mean()

    (north, south), (north_sphere, south_sphere) = map(polar_share, MEASURES)
    assert north > 1.4 * north_sphere and south > 3 * south_sphere


# State and refusals

def test_lists_integers_single_precision_and_read_only_arrays_will_do():
    p_data, X = WorldMap(), numpy.array([NEW_YORK, PACIFIC])
    X.flags.writeable = False
    whole, single = numpy.rint(X).astype(int), X.astype("float32")
    for same in (X, X.tolist(), tuple(map(tuple, X)), single, whole):
        assert p_data.contains(same).tolist() == [True, False]
        assert p_data.log_prob(same).tolist() == [-math.log(p_data.area), -math.inf]
    assert p_data.log_prob(numpy.zeros((0, 2))).shape == p_data.contains(X[:0]).shape == (0,)


def test_the_map_cannot_be_changed_by_whoever_draws_it():
    with pytest.raises(ValueError, match="read-only"):
        WorldMap().rings[0][:] = 0
    WorldMap().coast[:] = 0
    assert WorldMap().coast.any()


def test_the_same_generator_gives_the_same_draws():
    p_data, state = WorldMap(), numpy.random.get_state()[1].copy()      # noqa: NPY002
    rng = numpy.random.default_rng(0)
    first, second = p_data.sample(20, rng), p_data.sample(20, rng)
    again = p_data.sample(20, numpy.random.default_rng(0))
    assert (first == again).all() and (first != second).any()
    assert (numpy.random.get_state()[1] == state).all()                 # noqa: NPY002


@pytest.mark.parametrize("rng", [None, 0, numpy.random, numpy.random.RandomState(0),
                                 numpy.random.default_rng, "seed"])
def test_a_wrong_generator_is_refused_and_draws_nothing(rng):
    state = numpy.random.get_state()[1:3]                               # noqa: NPY002
    before = state[0].copy(), state[1]
    for n in (0, 3):
        with pytest.raises(TypeError, match="rng must be a generator of random numbers, as numpy"):
            WorldMap().sample(n, rng)
    after = numpy.random.get_state()[1:3]                               # noqa: NPY002
    assert (after[0] == before[0]).all() and after[1] == before[1]


def test_masked_points_are_refused():
    X = numpy.ma.masked_array([NEW_YORK, PACIFIC], [[False, True], [False, False]])
    for method in (WorldMap().contains, WorldMap().log_prob, WorldMap("sphere").log_prob,
                   continent_of):
        with pytest.raises(TypeError, match="X is a masked array"):
            method(X)


@pytest.mark.parametrize("measure", MEASURES)
def test_many_points_need_little_more_memory_than_themselves(measure):
    p_data, n, rng = WorldMap(measure), 200_000, numpy.random.default_rng(0)
    X, number = p_data.sample(n, rng), continent_of([NEW_YORK])
    assert number.shape == (1,)                             # the continents are cut into slabs
    for method in (lambda: p_data.sample(n, rng), lambda: p_data.contains(X),
                   lambda: p_data.log_prob(X), lambda: p_data.log_prob(X.astype("float32")),
                   lambda: continent_of(X)):
        tracemalloc.start()
        result = method()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < result.nbytes + 150 * n               # bytes: at a million rows 150 MB


def test_a_pickled_map_is_the_same_map():
    X = random_points(numpy.random.default_rng(3), 1000)
    p_data = WorldMap("sphere", "Asia")
    again = pickle.loads(pickle.dumps(p_data))
    assert (again.log_prob(X) == p_data.log_prob(X)).all() and again.entropy == p_data.entropy


@pytest.mark.parametrize("arguments, got", [
    ({"measure": "globe"}, "globe"),
    ({"measure": None}, "None"),
    ({"continent": "Atlantis"}, "Atlantis"),
    ({"continent": "africa"}, "africa"),
])
def test_an_unknown_measure_or_continent_is_named(arguments, got):
    with pytest.raises(ValueError, match=f"must be .*got '?{got}"):
        WorldMap(**arguments)


@pytest.mark.parametrize("X, error, message", [
    ([[1.0, 2.0, 3.0]], ValueError, "X has 3 columns; it must lie in R\\^2"),
    ([1.0, 2.0], ValueError, r"shape \(n, 2\).*got shape \(2,\)"),
    ([[1.0, math.nan]], ValueError, "X holds nan"),
    ([[1.0, math.inf]], ValueError, "X holds inf"),
    ([[1.0], [1.0, 2.0]], ValueError, "ragged"),
    ([["north", "west"]], TypeError, "real numbers"),
])
def test_wrong_points_are_refused(X, error, message):
    for method in (WorldMap().contains, WorldMap().log_prob, continent_of):
        with pytest.raises(error, match=message):
            method(X)


@pytest.mark.parametrize("n, error", [(-1, ValueError), (2.5, TypeError), ("3", TypeError)])
def test_a_number_of_draws_must_be_a_whole_number(n, error):
    with pytest.raises(error, match=f"n must be .*got .*{n}"):
        WorldMap().sample(n, numpy.random.default_rng(0))


def test_the_map_says_what_it_is():
    assert repr(WorldMap("sphere", "Asia")) == "WorldMap(measure='sphere', continent='Asia')"


# The file

def packed():
    with numpy.load(DATA, allow_pickle=False) as file:
        return dict(file)


def damaged(name, value=None):
    data = packed()
    if value is None:
        del data[name]
    else:
        data[name] = value(data[name])
    return data


def with_entry(place, value):
    def change(array):
        array = array.copy()
        array[place] = value
        return array
    return change


@pytest.mark.parametrize("data", [
    {},
    damaged("ring_start"),
    damaged("continents"),
    damaged("vertices", lambda v: v.astype(float)),
    damaged("vertices", lambda v: v[:-1]),
    damaged("vertices", lambda v: v.ravel()),
    damaged("vertices", with_entry((3, 0), 90.5)),
    damaged("vertices", with_entry((3, 1), numpy.nan)),
    damaged("vertices", with_entry((0, 0), 1)),                     # a ring that is not closed
    damaged("vertices", lambda v: v.astype(object)),
    damaged("ring_start", lambda s: s.astype("int64")),
    damaged("ring_start", lambda s: s[:-1]),
    damaged("ring_start", lambda s: s[:0]),
    damaged("ring_start", with_entry(0, 1)),
    damaged("ring_start", lambda s: s[1:]) | {"ring_continent": packed()["ring_continent"][1:]},
    damaged("ring_start", with_entry(1, 10**6)),
    damaged("ring_continent", lambda c: c[:-1]),
    damaged("ring_continent", lambda c: c.astype(float)),
    damaged("ring_continent", with_entry(0, 8)),
])
def test_a_file_whose_arrays_do_not_fit_together_is_refused(tmp_path, data):
    path = tmp_path / "map.npz"
    numpy.savez(path, **data)
    with pytest.raises(ValueError, match="map.npz is not a packed world map: "):
        _read(path)


@pytest.mark.parametrize("part", [slice(0), slice(1000), slice(1000, None), slice(-100)])
def test_a_file_that_is_cut_off_is_refused(tmp_path, part):
    path = tmp_path / "map.npz"
    path.write_bytes(DATA.read_bytes()[part])
    with pytest.raises(ValueError, match="map.npz is not a packed world map: "):
        _read(path)


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('a file ran code')",)


def test_nothing_in_a_file_is_run(tmp_path):
    path = tmp_path / "map.npz"
    numpy.savez(path, **packed() | {"vertices": numpy.array([Bomb()], dtype=object)})
    with pytest.raises(ValueError, match="allow_pickle"):
        _read(path)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.npz"):
        _read(tmp_path / "none.npz")


# The script that packs the file

def square(x1, x2):
    """A clockwise ring around a square of side 1."""
    return [(x1, x2), (x1 + 1, x2), (x1 + 1, x2 + 1), (x1, x2 + 1), (x1, x2)]


def test_two_squares_that_share_an_edge_dissolve_into_one_ring():
    ring, = dissolve([square(0, 0), square(0, 1)])
    assert ring == [(0, 0), (1, 0), (1, 1), (1, 2), (0, 2), (0, 1), (0, 0)]


def test_a_ring_with_a_hole_stays_as_it_is():
    outer = [(0, 0), (3, 0), (3, 3), (0, 3), (0, 0)]
    hole = square(1, 1)[::-1]
    assert list(dissolve([outer, hole])) == [outer, hole[:4] + hole[:1]]
    assert list(dissolve([outer, hole, square(1, 1)])) == [outer]       # filled, it is gone


def test_squares_that_do_not_touch_stay_apart():
    assert list(dissolve([square(5, 5), square(0, 0)])) == [square(0, 0), square(5, 5)]


def test_the_packed_rings_have_nothing_left_to_dissolve():
    for name in continents():
        rings = [ring.tolist() for ring in WorldMap(continent=name).rings]
        again = [[list(vertex) for vertex in ring] for ring in dissolve(rings)]
        assert sorted(again) == sorted(rings)


# Contracts

def test_results_live_where_the_points_live(xp, make_rng):
    p_data, X = WorldMap(), xp.asarray([NEW_YORK, PACIFIC])
    results = p_data.contains(X), p_data.log_prob(X), p_data.sample(5, make_rng(0))
    assert all(array_module(result) is xp for result in results)
    assert [result.shape for result in results] == [(2,), (2,), (5, 2)]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("continent", [None, "Africa"])
def test_the_map_is_the_same_on_every_array_module(xp, make_rng, measure, continent):
    p_data, rng = WorldMap(measure, continent), numpy.random.default_rng(4)
    X = awkward_points(rng, *edges(p_data))
    land = p_data.contains(xp.asarray(X))
    assert array_module(land) is xp and (to_numpy(land) == p_data.contains(X)).all()
    numpy.testing.assert_allclose(to_numpy(p_data.log_prob(xp.asarray(X))), p_data.log_prob(X),
                                  rtol=1e-12)
    assert (to_numpy(continent_of(xp.asarray(X))) == continent_of(X)).all()
    draws = p_data.sample(5000, make_rng(0))
    assert p_data.contains(draws).all()
    value, standard_error = cross_entropy_estimate(p_data, draws)       # 1 in 10^6
    assert abs(float(value) - p_data.entropy) <= 5 * float(standard_error) + 1e-12


@pytest.mark.parametrize("measure", MEASURES)
def test_no_box_of_sea_has_a_mass_below_0(measure):
    p_data = WorldMap(measure)
    masses = [p_data.mass(SampleSpace([x1, x2], [x1 + 10, x2 + 10]))
              for x1 in range(-60, 60, 10) for x2 in range(-180, 180, 30)]
    assert min(masses) == 0 and max(masses) < 0.1
