"""Neighbours: no pair of close points is missed, no query is answered twice."""

import numpy
import pytest

from gdl_numpy.backend import array_module, to_numpy
from gdl_numpy.neighbours import near_blocks


def pairs(Q, X, radius):
    """How often each pair (row of Q, row of X) is named, and how often each row of Q is."""
    times_pair = numpy.zeros((len(Q), len(X)), dtype=int)
    times_query = numpy.zeros(len(Q), dtype=int)
    for i, j in near_blocks(Q, X, radius):
        assert array_module(i, j) is array_module(Q)
        i, j = to_numpy(i), to_numpy(j)
        times_pair[i[:, None], j] += 1
        numpy.add.at(times_query, i, 1)
    return times_pair, times_query


def near(Q, X, radius):
    return ((to_numpy(Q)[:, None] - to_numpy(X))**2).sum(axis=2) <= radius**2


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("radius", [1e-3, 0.3, 2.0, 100.0])
def test_every_pair_of_neighbours_is_named_and_every_query_once(xp, make_rng, d, radius):
    rng = make_rng(d)
    Q, X = rng.standard_normal((150, d)), rng.standard_normal((200, d))
    X[:50] = Q[:50]                                         # some at distance 0
    times_pair, times_query = pairs(Q, X, radius)
    assert (times_query == 1).all()
    assert (times_pair[near(Q, X, radius)] == 1).all() and times_pair.max() <= 1


def test_points_at_exactly_the_radius_are_neighbours(xp):
    Q = xp.asarray([[x, y] for x in range(6) for y in range(6)], dtype=float)
    for radius in (1, 2, 5):
        assert (pairs(Q, Q, radius)[0][near(Q, Q, radius)] == 1).all()


def test_repeated_points_are_all_named(xp):
    Q = xp.asarray([[1.0, 2.0]] * 5 + [[1.0, 3.0]] * 5)
    assert pairs(Q, Q, 2.0)[0].min() == 1


def test_most_pairs_far_apart_are_left_out(xp, make_rng):
    rng = make_rng(0)
    for d, share in ((1, 0.03), (2, 0.0009), (3, 0.00003)):             # about (3 · 0.01)^d
        Q, X = rng.random((1000, d)), rng.random((1000, d))
        assert pairs(Q, X, 0.01)[0].mean() < 1.5 * share


def test_no_points_have_no_neighbours(xp):
    some, none = xp.ones((3, 2)), xp.zeros((0, 2))
    assert pairs(some, none, 1.0)[1].tolist() == [1, 1, 1]
    assert pairs(none, some, 1.0)[0].shape == (0, 3)


def test_points_are_left_as_they_are():
    Q, X = numpy.random.default_rng(0).random((2, 50, 2))
    Q.flags.writeable = X.flags.writeable = False
    assert (pairs(Q, X, 0.1)[1] == 1).all()
