"""Neighbors: no pair of close points is missed, no query is answered twice."""

import math
import tracemalloc

import numpy
import pytest
from scipy.spatial import cKDTree

from gdl_numpy.numerics import neighbors
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.neighbors import near_blocks, nearest


def pairs(Q, X, radius):
    """How often each pair (row of Q, row of X) is named, and how often each row of Q is."""
    times_pair = numpy.zeros((len(Q), len(X)), dtype=int)
    times_query = numpy.zeros(len(Q), dtype=int)
    for i, j in near_blocks(Q, X, radius):
        times_pair[i[:, None], j] += 1
        numpy.add.at(times_query, i, 1)
    return times_pair, times_query


def near(Q, X, radius):
    return ((Q[:, None] - X)**2).sum(axis=2) <= radius**2


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("radius", [1e-3, 0.3, 2.0, 100.0])
def test_every_pair_of_neighbors_is_named_and_every_query_once(d, radius):
    rng = numpy.random.default_rng(d)
    Q, X = rng.standard_normal((150, d)), rng.standard_normal((200, d))
    X[:50] = Q[:50]                                         # some at distance 0
    times_pair, times_query = pairs(Q, X, radius)
    assert (times_query == 1).all()
    assert (times_pair[near(Q, X, radius)] == 1).all() and times_pair.max() <= 1


def test_points_at_exactly_the_radius_are_neighbors():
    Q = numpy.array([[x, y] for x in range(6) for y in range(6)], dtype=float)
    for radius in (1, 2, 5):
        assert (pairs(Q, Q, radius)[0][near(Q, Q, radius)] == 1).all()


def test_repeated_points_are_all_named():
    Q = numpy.array([[1.0, 2.0]] * 5 + [[1.0, 3.0]] * 5)
    assert pairs(Q, Q, 2.0)[0].min() == 1


def test_most_pairs_far_apart_are_left_out():
    rng = numpy.random.default_rng(0)
    for d, share in ((1, 0.03), (2, 0.0009), (3, 0.00003)):             # about (3 · 0.01)^d
        Q, X = rng.random((1000, d)), rng.random((1000, d))
        assert pairs(Q, X, 0.01)[0].mean() < 1.5 * share


@pytest.mark.parametrize("d", [1, 2, 3, 4, 6])
def test_the_queries_of_a_block_lie_together_whatever_the_others_are(d):
    rng, radius = numpy.random.default_rng(d), 0.5
    Q, X = rng.standard_normal((200, d)), rng.standard_normal((100, d))
    Q[:8] *= 10.0**numpy.array([2, 4, 8, 16, 32, 64, 128, 300])[:, None]
    Q[:100, -1] *= 1000                                     # in another unit
    for i, _ in near_blocks(Q, X, radius):
        block = Q[i] - Q[i[len(i) // 2]]
        assert numpy.sqrt((block**2).sum(axis=1)).max() <= 2 * radius
    times_pair, times_query = pairs(Q[8:], X, radius)
    assert (times_query == 1).all() and (times_pair[near(Q[8:], X, radius)] == 1).all()


def test_strips_narrower_than_the_spacing_of_numbers_hold_equal_numbers():
    Q = numpy.array([[1e10], [numpy.nextafter(1e10, 2e10)], [-1e308], [1e10], [1e308]])
    blocks = sorted(sorted(i.tolist()) for i, _ in near_blocks(Q, Q, 1e-300))
    assert blocks == [[0, 3], [1], [2], [4]]


def test_no_points_have_no_neighbors():
    some, none = numpy.ones((3, 2)), numpy.zeros((0, 2))
    assert pairs(some, none, 1.0)[1].tolist() == [1, 1, 1]
    assert pairs(none, some, 1.0)[0].shape == (0, 3)


# The nearest k

@pytest.mark.parametrize("d", [1, 2, 5, 1024])
@pytest.mark.parametrize("k", [1, 2, 7, 60])
def test_the_nearest_are_those_of_a_search_tree_in_its_order(d, k):
    rng = numpy.random.default_rng(d)
    Q, X = rng.standard_normal((40, d)), rng.standard_normal((60, d))
    distances, numbers = nearest(Q, X, k)
    assert distances.shape == numbers.shape == (40, k)
    expected, rows = cKDTree(X).query(Q, range(1, k + 1))
    assert (numbers == rows).all()
    numpy.testing.assert_allclose(distances, expected, rtol=1e-13)


def test_by_default_one_neighbor_is_given():
    X = numpy.random.default_rng(0).random((20, 3))
    assert nearest(X, X)[1].shape == (20, 1)


def test_a_row_is_its_own_nearest_neighbor_at_distance_exactly_0():
    for d in (1, 3, 1024):
        X = 1 + numpy.random.default_rng(d).standard_normal((100, d))
        distances, numbers = nearest(X, X, 3)
        assert numbers[:, 0].tolist() == list(range(100))
        assert not distances[:, 0].any() and (distances[:, 1:] > 0).all()


@pytest.mark.parametrize("d", [1, 2, 5])
def test_far_from_the_origin_distances_keep_their_digits(d):
    """|x|² is 10^8 d here, and rounding of it 10^-8 d, as much as the squares of small distances:
    differences of such numbers would keep one digit or none."""
    X = numpy.random.default_rng(d).random((300, d)) + 1e4
    distances, numbers = map(to_numpy, nearest(X, X, 3))
    host = X
    exact = numpy.sqrt(((host[:, None] - host[numbers])**2).sum(axis=2))
    numpy.testing.assert_allclose(distances, exact, rtol=1e-14)
    by_tree = cKDTree(host).query(host, 3)[0]
    numpy.testing.assert_allclose(distances**2, by_tree**2, rtol=1e-12, atol=1e-7 * d)


@pytest.mark.parametrize("entries", [1, 60, 61, 500, 10**9])
def test_blocks_of_any_size_give_the_same(entries):
    rng = numpy.random.default_rng(0)
    Q, X = rng.random((50, 3)), rng.random((60, 3))
    for result, expected in zip(nearest(Q, X, 4, entries), nearest(Q, X, 4), strict=True):
        assert (result == expected).all()


@pytest.mark.parametrize("n, k", [(3, 1), (20, 2)])
def test_many_queries_need_memory_for_blocks_only(n, k):
    X, Q = (numpy.random.default_rng(0).random((m, 2)) for m in (n, 300_000))
    tracemalloc.start()
    distances, numbers = nearest(Q, X, k)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - distances.nbytes - numbers.nbytes < 40 * 2**20


def test_equal_rows_are_all_found():
    distances, numbers = nearest([[1.0, 2.0]], [[1.0, 2.0]] * 4, 4)
    assert distances.tolist() == [[0] * 4]
    assert sorted(numbers[0].tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("value", [0.3, -0.3, 0.1, 0.7, 1e-300, 1e300])
def test_more_equal_queries_than_a_group_holds_come_to_an_end(value):
    """The mean of a thousand times 0.3 is rounded to less than 0.3: no row is below it."""
    X = numpy.full((1000, 1), value)
    distances, numbers = nearest(X, X, 2)
    assert not distances.any() and (numbers == [0, 1]).all()


def exactly_nearest(Q, X, k):
    """The k smallest distances by definition, in more digits than either dtype has."""
    Q, X = Q.astype(numpy.longdouble), X.astype(numpy.longdouble)
    return numpy.sort(numpy.sqrt(((Q[:, None] - X)**2).sum(axis=2)), axis=1)[:, :k]


GROUPS = {
    "one cloud": lambda X: X,
    "two clouds far apart": lambda X: X + 3000.0 * (numpy.arange(len(X)) < 100)[:, None],
    "one outlier": lambda X: X + 1e9 * (numpy.arange(len(X)) == 0)[:, None],
    "an outlier whose square overflows in float32":
        lambda X: X + 1e30 * (numpy.arange(len(X)) == 0)[:, None],
    "clouds as far apart as their numbers allow": lambda X: X + 10.0**(numpy.arange(len(X)) % 7)[
        :, None],
    "numbers whose squares underflow in float32": lambda X: 1e-30 * X,
    "many copies of a row": lambda X: numpy.repeat(X[:10], 20, axis=0),
    "a lattice far from the origin": lambda X: (3 * X).round() + 1e4,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("d", [1, 2, 5, 64])
@pytest.mark.parametrize("name", GROUPS)
def test_the_nearest_are_right_wherever_groups_of_points_lie(name, d, dtype):
    X = GROUPS[name](numpy.random.default_rng(d).standard_normal((200, d))).astype(dtype)
    rtol = 4 * numpy.finfo(dtype).eps
    numpy.testing.assert_allclose(nearest(X, X, 3)[0], exactly_nearest(X, X, 3), rtol=rtol)


@pytest.mark.parametrize("scale", [1e-200, 1e200, 1e307])
def test_distances_neither_overflow_nor_underflow(scale):
    X = numpy.random.default_rng(0).uniform(-1, 1, (100, 2))
    distances, numbers = nearest(scale * X, scale * X, 3)
    assert (numbers == nearest(X, X, 3)[1]).all()
    numpy.testing.assert_allclose(distances, scale * nearest(X, X, 3)[0], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("far", [1e3, 1e6, 1e30])
def test_the_nearest_of_a_row_do_not_depend_on_the_other_queries(far, dtype):
    rng = numpy.random.default_rng(1)
    X = rng.standard_normal((150, 2)).astype(dtype)
    Q = numpy.concatenate([X[:20], [[far, 0], [0, -far], [far, far]]]).astype(dtype)
    distances, numbers = nearest(Q, X, 4)
    for i in range(len(Q)):
        alone = nearest(Q[i:i + 1], X, 4)
        assert (alone[0][0] == distances[i]).all()
        if i < 20:                                          # the far ones see all at one distance
            assert (alone[1][0] == numbers[i]).all()


def test_of_equally_far_rows_the_first_come_first():
    X = numpy.array([[1.0], [-1.0], [1.0], [0.5], [-1.0]])
    assert nearest([[0.0]], X, 4)[1].tolist() == [[3, 0, 1, 2]]
    assert nearest([[0.0], [0.0]], X, 4)[1].tolist() == [[3, 0, 1, 2]] * 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("d", [1, 2, 10])
def test_many_groups_of_queries_find_what_a_search_tree_finds(d, dtype):
    rng = numpy.random.default_rng(d)
    X = (rng.standard_normal((1500, d)) * 10.0**rng.integers(-2, 3, (1500, 1))).astype(dtype)
    Q = (5 * rng.standard_normal((1300, d))).astype(dtype)
    assert len(Q) > 2 * neighbors.QUERIES
    for k in (1, 4):
        distances, numbers = nearest(Q, X, k)
        expected, rows = cKDTree(X).query(Q, range(1, k + 1))
        assert (numbers == rows).all()
        numpy.testing.assert_allclose(distances, expected, rtol=2 * numpy.finfo(dtype).eps)


def test_a_neighbor_at_the_end_of_the_reach_is_found():
    """c = 0 and R = 1; a point is 0.5 from c, so the reach is 2.5."""
    X = numpy.array([[-0.5], [2.5 - 1e-6], [2.5 + 1e-6], [-9.0]])
    assert nearest([[-1.0], [1.0]], X)[1].tolist() == [[0], [1]]
    X[1] = 2.5                                              # as far from 1 as -0.5 is
    assert nearest([[-1.0], [1.0]], X)[1].tolist() == [[0], [0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_points_as_far_apart_as_numbers_allow_keep_their_order(dtype):
    far = numpy.finfo(dtype).max
    X = numpy.array([[-far], [far], [far / 2]], dtype=dtype)
    distances, numbers = nearest(numpy.full((3, 1), far, dtype=dtype), X, 3)
    assert distances.tolist() == [[0, far / 2, math.inf]] * 3
    assert numbers.tolist() == [[1, 2, 0]] * 3
    for signs in ([-1, -1, 1], [1, 1, -1]):                 # the mean of the queries is infinite
        ends = far * numpy.array(signs, dtype=dtype)[:, None]
        distances, numbers = nearest(ends, numpy.array([[-far], [far], [0]], dtype=dtype), 3)
        assert distances.tolist() == [[0, far, math.inf]] * 3
        assert numbers[:, 0].tolist() == [(sign + 1) // 2 for sign in signs]


def test_what_float32_cannot_tell_apart_float64_tells_apart():
    rng = numpy.random.default_rng(0)
    t, order = 2 * math.pi * rng.random(400), rng.permutation(400)
    X = (1 + 1e-9 * order[:, None]) * numpy.stack([numpy.cos(t), numpy.sin(t)], axis=1)
    assert (order[nearest(numpy.zeros((3, 2)), X, 20)[1]] == numpy.arange(20)).all()


@pytest.mark.parametrize("n", [1, 2, 7, 60, 101, 5000])
def test_the_smallest_numbers_of_a_row_lie_in_the_pieces_with_the_smallest_minima(n):
    rng = numpy.random.default_rng(n)
    for A in (rng.random((20, n)), rng.integers(0, 5, (20, n)), numpy.sort(rng.random((20, n)))):
        for count in {1, min(3, n), (n + 1) // 2, n}:
            columns = neighbors._smallest(A, count)
            assert columns.shape == (20, count)
            assert all(len(set(row)) == count for row in columns.tolist())
            found = numpy.sort(numpy.take_along_axis(A, columns, axis=1))
            assert (found == numpy.sort(A)[:, :count]).all()


# How much is compared

def compared(Q, X, monkeypatch):
    """How many pairs `nearest` compares by (4), for three neighbors of each query."""
    smallest, sizes = neighbors._smallest, []
    with monkeypatch.context() as patch:
        patch.setattr(neighbors, "_smallest", lambda A, count: sizes.append(A.size) or smallest(
            A, count))
        nearest(Q, X, 3)
    return sum(sizes)


@pytest.mark.parametrize("d, pairs", [(1, 1000), (2, 3000)])
@pytest.mark.parametrize("n", [5000, 10_000, 20_000])
def test_in_few_dimensions_each_point_is_compared_with_few_however_many_there_are(d, pairs, n,
                                                                                  monkeypatch):
    X = numpy.random.default_rng(0).random((n, d))
    assert compared(X, X, monkeypatch) < pairs * n


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1000, 3000])
def test_in_ten_dimensions_all_pairs_are_compared_once(n, dtype, monkeypatch):
    X = numpy.random.default_rng(0).random((n, 10)).astype(dtype)
    assert n**2 <= compared(X, X, monkeypatch) < 1.01 * n**2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clusters_far_apart_are_not_compared(dtype, monkeypatch):
    rng = numpy.random.default_rng(0)
    X = (rng.standard_normal((16, 1024, 10)) + 1e4 * numpy.eye(16)[:, None, :10]).astype(dtype)
    X[10:] -= 1e4 * numpy.eye(10, dtype=dtype)[:6, None]
    X = X.reshape(-1, 10)
    assert compared(X, X, monkeypatch) < 0.2 * len(X)**2


def test_memory_is_for_blocks_of_pairs_only():
    X = numpy.random.default_rng(0).random((10_000, 10))
    tracemalloc.start()
    nearest(X[:2000], X, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 2**20                                # all pairs at once: 76 MB in float32


# Arrays and refusals

def test_near_blocks_does_not_change_the_points():
    Q, X = numpy.random.default_rng(0).random((2, 50, 2))
    Q.flags.writeable = X.flags.writeable = False
    assert (pairs(Q, X, 0.1)[1] == 1).all()


def test_without_queries_the_answer_is_empty():
    distances, numbers = nearest(numpy.zeros((0, 2)), numpy.ones((3, 2)), 2)
    assert distances.shape == numbers.shape == (0, 2)


def test_nearest_does_not_change_the_points():
    Q, X = numpy.random.default_rng(0).random((2, 50, 2))
    Q.flags.writeable = X.flags.writeable = False
    nearest(Q, X, 3)


@pytest.mark.parametrize("Q, X, k, error, message", [
    ([[0.0]], [[1.0], [2.0]], 0, ValueError, "k must be at least 1, got 0"),
    ([[0.0]], [[1.0], [2.0]], 3, ValueError, "k must be at most 2, got 3"),
    ([[0.0]], [[1.0], [2.0]], 1.0, TypeError, "k must be a whole number, got 1.0"),
    ([[0.0]], [[1.0], [2.0]], True, TypeError, "k must be a whole number, got True"),
    ([[0.0]], [[1.0], [2.0]], -1, ValueError, "k must be at least 1, got -1"),
    ([[0.0]], numpy.zeros((0, 1)), 1, ValueError, "X is empty"),
    ([[0.0, 1.0]], [[1.0], [2.0]], 1, ValueError, "Q has 2 columns"),
    ([0.0], [[1.0], [2.0]], 1, ValueError, "Q must have shape"),
    ([[math.nan]], [[1.0], [2.0]], 1, ValueError, "Q holds nan"),
    ([[0.0]], [[math.inf], [2.0]], 1, ValueError, "X holds inf"),
])
def test_too_few_points_or_wrong_queries_are_refused(Q, X, k, error, message):
    with pytest.raises(error, match=message):
        nearest(Q, X, k)


# Contracts

def test_queries_and_points_on_two_devices_are_refused(device):
    X = numpy.random.default_rng(0).random((20, 2))
    for Q, P in ((X, device.asarray(X)), (device.asarray(X), X)):
        with pytest.raises(TypeError):
            nearest(Q, P)


def test_distances_follow_the_dtype_of_the_points(xp, make_rng):
    X = make_rng(0).random((80, 4))
    distances, numbers = nearest(X, X.astype("float32"), 5)
    assert distances.dtype == numpy.float32 and numbers.dtype == int
    expected, rows = nearest(X, X, 5)
    assert to_numpy(numbers == rows).mean() > 0.99
    numpy.testing.assert_allclose(to_numpy(distances), to_numpy(expected), atol=1e-6)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("radius", [1e-3, 0.3, 2.0])
def test_the_blocks_of_neighbors_are_the_same_on_every_array_module(xp, d, radius):
    Q, X = numpy.random.default_rng(d).standard_normal((2, 150, d))
    blocks = list(near_blocks(xp.asarray(Q), xp.asarray(X), radius))
    assert all(array_module(i) is array_module(j) is xp for i, j in blocks)
    for block, same in zip(blocks, near_blocks(Q, X, radius), strict=True):
        assert all((to_numpy(rows) == expected).all()
                   for rows, expected in zip(block, same, strict=True))


@pytest.mark.parametrize("d", [1, 2, 5, 1024])
@pytest.mark.parametrize("k", [1, 7, 60])
def test_the_nearest_are_the_same_on_every_array_module(xp, d, k):
    rng = numpy.random.default_rng(d)
    Q, X = rng.standard_normal((800 if d == 2 else 40, d)), rng.standard_normal((60, d))
    distances, numbers = nearest(xp.asarray(Q), xp.asarray(X), k)
    assert array_module(distances) is array_module(numbers) is xp
    here, rows = nearest(Q, X, k)
    assert (to_numpy(numbers) == rows).all()
    numpy.testing.assert_allclose(to_numpy(distances), here, rtol=1e-13)
