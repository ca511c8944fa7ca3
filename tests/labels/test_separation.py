"""Separation: planes that keep classes apart, found for certain or not at all."""

import tracemalloc

import numpy
import pytest
from scipy.optimize import linprog

from gdl_numpy.labels.logistic import LogisticFamily, SoftmaxFamily
from gdl_numpy.labels.separation import _margins, _whole, separated_near


def margins(X, y, V):
    """x1_i · (V_{y_i} - V_k), the own class left out, (n, K - 1)."""
    a, rows = numpy.c_[X, numpy.ones(len(X))] @ V, numpy.arange(len(X))
    differences = a[rows, y][:, None] - a
    return differences[numpy.arange(V.shape[1]) != y[:, None]].reshape(len(X), -1)


def greatest_sum_of_margins(X, y, K):
    """The largest Σ t of margins >= t, 0 <= t <= 1, by linear programming: 0 if classes overlap."""
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    V = numpy.eye((X.shape[1] + 1) * K).reshape(-1, X.shape[1] + 1, K)
    C = numpy.array([margins(X, y, v).ravel() for v in V]).T
    m, p = C.shape
    found = linprog(numpy.r_[numpy.zeros(p), -numpy.ones(m)], numpy.c_[-C, numpy.eye(m)],
                    numpy.zeros(m), bounds=[(-1e3, 1e3)] * p + [(0, 1)] * m)
    return -found.fun


def random_classes(seed):
    """Labels that planes give, with or without noise, of points anywhere, or on a lattice where
    many lie on the very border, or half of them in a plane; in units that are powers of two."""
    rng = numpy.random.default_rng(seed)
    K, d = rng.integers(2, 5), rng.integers(1, 5)
    n, kind = rng.integers(K + d + 2, 50), rng.integers(4)
    X = rng.standard_normal((n, d)) if kind < 2 else rng.integers(0, 3, (n, d)).astype(float)
    noise = rng.choice([0, 1, 10]) * rng.gumbel(size=(n, K))
    W = rng.standard_normal((d + 1, K)) * rng.choice([1, 3])
    y = (numpy.c_[X, numpy.ones(n)] @ W + noise).argmax(axis=1)
    y[:K] = numpy.arange(K)
    if kind == 1:
        X[:, 0] = numpy.where(y == 0, abs(X[:, 0]) * (rng.random(n) < 0.3), 0)
    return X * 2.0**rng.integers(-9, 10, d) + rng.choice([0, 1, 64], d), y, int(K)


# Against linear programming

@pytest.mark.parametrize("block", range(4))
def test_classes_are_refused_exactly_if_a_linear_program_separates_them(block):
    verdicts = []
    for seed in range(30 * block, 30 * block + 30):
        X, y, K = random_classes(seed)
        ones = numpy.ones((len(X), 1))
        if numpy.linalg.matrix_rank(numpy.c_[(X - X.mean(axis=0)) / (X.std(axis=0) + 1e-99), ones]
                                    ) <= X.shape[1]:
            continue                                        # columns depend on each other
        separated = greatest_sum_of_margins(X, y, K) > 1e-6
        for family in [SoftmaxFamily(X.shape[1], K)] + [LogisticFamily(X.shape[1])] * (K == 2):
            if separated:
                with pytest.raises(ValueError, match="separated by a plane"):
                    family.mle(X, y)
            else:
                assert abs(family.loss(family.mle(X, y), X, y)[1]).max() < 1e-6
        verdicts.append(separated)
    assert 5 < sum(verdicts) < len(verdicts) - 5            # both kinds are among them


# Rows that nearly touch

def near_pairs(d, gap, overlap, seed=0):
    """Two clouds apart, and pairs of points on the border between, at `gap` from each other: enough
    of them that no plane leaves all pairs to the right sides if they overlap."""
    rng = numpy.random.default_rng(seed)
    w = rng.standard_normal(d)
    w /= numpy.linalg.norm(w)
    X = rng.standard_normal((40, d))
    y = (X @ w > 0).astype(int)
    X += numpy.where(y == 1, 0.3, -0.3)[:, None] * w
    border = rng.standard_normal((d + 2, d))
    border -= (border @ w)[:, None] * w
    side = numpy.repeat([1, 0], d + 2)
    shift = (-0.5 if overlap else 0.5) * gap * numpy.where(side == 1, 1, -1)
    return (numpy.concatenate([X, numpy.tile(border, (2, 1)) + shift[:, None] * w]),
            numpy.concatenate([y, side]))


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("gap", [1e-3, 1e-7, 1e-9, 1e-12, 1e-14])
def test_the_smallest_gap_separates_and_the_smallest_overlap_does_not(d, gap):
    for family in (LogisticFamily(d), SoftmaxFamily(d, 2)):
        with pytest.raises(ValueError, match="separated by a plane"):
            family.mle(*near_pairs(d, gap, overlap=False))
        X, y = near_pairs(d, gap, overlap=True)
        theta = family.mle(X, y)
        assert abs(family.loss(theta, X, y)[1]).max() < 1e-10 and abs(theta).max() < 1e3


def test_0_1_plus_0_2_lies_beyond_0_3():
    """... in floats: so these classes overlap, and if both are written 0.3 they are separated."""
    y = [0, 0, 0, 1, 1, 1]
    theta = LogisticFamily(1).mle([[0.1], [0.2], [0.1 + 0.2], [0.3], [1.0], [1.1]], y)
    assert 100 < theta[0] < 1000
    with pytest.raises(ValueError, match="separated by a plane"):
        LogisticFamily(1).mle([[0.1], [0.2], [0.3], [0.3], [1.0], [1.1]], y)


@pytest.mark.parametrize("where", [(1, 0, 0), (1, 1, 1), (1, -1, 0), (0, 1, 0)])
@pytest.mark.parametrize("label", [0, 1])
def test_an_outlier_does_not_separate_classes_that_overlap(where, label):
    """The others overlap in every direction; from 10⁸ on it does not matter how far it is."""
    rng = numpy.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    y = (X @ [1, -2, 0.5] + rng.logistic(size=200) > 0).astype(int)
    y[0], estimates = label, []
    for far in (1e8, 1e11, 1e20):
        X[0] = far * numpy.array(where)
        estimates.append(LogisticFamily(3).mle(X, y))
    for theta in estimates[1:]:
        numpy.testing.assert_allclose(theta, estimates[0], rtol=1e-4, atol=2e-7)


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("far", [1e16, 1e100])
def test_an_outlier_in_one_column_may_be_very_far(far, label):
    rng = numpy.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    y = (X @ [1, -2, 0.5] + rng.logistic(size=200) > 0).astype(int)
    X[0], y[0] = (1e10, 0, 0), label
    near = LogisticFamily(3).mle(X, y)
    X[0] = far, 0, 0
    numpy.testing.assert_allclose(LogisticFamily(3).mle(X, y), near, rtol=1e-6, atol=1e-8)


# The proof itself

SQUARE = numpy.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


@pytest.mark.parametrize("y, V, separated", [
    ([0, 0, 1, 1], [[0, 0], [0, 2], [0, -1]], True),        # 2 x2 - 1 > 0
    ([0, 0, 1, 1], [[0, 1e-3], [0, 2], [0, -1]], True),
    ([0, 0, 1, 1], [[0, 0], [0, -2], [0, 1]], False),       # the other way round
    ([0, 1, 1, 1], [[0, 1], [0, 1], [0, -0.6]], True),
    ([0, 1, 1, 0], [[0, 1], [0, 1], [0, 0]], False),        # exclusive or
    ([0, 0, 1, 1], [[0, 0], [0, 0], [0, 0]], False),        # no planes
])
def test_planes_are_judged_by_the_signs_of_their_margins(y, V, separated):
    assert separated_near(SQUARE, numpy.zeros(2), numpy.array(y), numpy.array(V, float)
                          ) is separated


def test_planes_that_nearly_separate_are_corrected_exactly():
    """On the diagonal all labels occur, off it they are known; a plane turned a little is turned
    back, and the margins on the diagonal are 0 exactly, though 1/3 and 0.1 are not floats."""
    t = numpy.repeat([0.1, 1 / 3, 0.7, 1e-9], 2)
    X = numpy.concatenate([numpy.c_[t, t], [[0.0, 1.0], [1.0, 0.0]]])
    y = numpy.array([0, 1] * 4 + [1, 0])
    V = numpy.array([[0, -1.01], [0, 1], [0, 0.003]])
    assert (margins(X, y, V) < 0).any()
    assert separated_near(X, numpy.zeros(2), y, V)
    X[0, 0] = numpy.nextafter(X[0, 0], 1)                   # on the side of 0: nothing contradicts
    assert not separated_near(X, numpy.zeros(2), y, V)      # ... but its margin cannot be 0 too


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_many_separated_rows_are_refused_with_memory_for_blocks_only(gap):
    """With rows of both classes on the plane too, which only exact numbers tell from an overlap."""
    rng = numpy.random.default_rng(0)
    X, y = rng.standard_normal((40_000, 2)), rng.integers(0, 2, 40_000)
    X[:, 0] = (abs(X[:, 0]) + gap) * (2 * y - 1)
    if gap == 0:
        X[:2_000, 0] = 0
    tracemalloc.start()
    with pytest.raises(ValueError, match="the classes are separated by a plane"):
        LogisticFamily(2).mle(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20


def test_an_origin_is_subtracted_without_rounding():
    """1e16 + 2 is the next float after 1e16; a third of them is not a float."""
    X = 1e16 + numpy.array([[-4.0], [0.0], [0.0], [4.0]])
    V = numpy.array([[0.0, 1.0], [0.0, 0.0]])
    assert separated_near(X, numpy.array([1e16]), numpy.array([0, 0, 1, 1]), V)
    assert not separated_near(X, numpy.array([1e16]), numpy.array([1, 0, 0, 1]), V)


def test_the_error_of_a_margin_is_within_its_bound():
    rng = numpy.random.default_rng(0)
    X, y, V = rng.standard_normal((50, 5)), rng.integers(0, 3, 50), rng.standard_normal((6, 3))
    found, error = _margins(X.astype("f4").astype(float), y, V.astype("f4").astype(float))
    own = numpy.arange(3) == y[:, None]
    assert (found[own] == numpy.inf).all() and (error > 0).all()
    exact = margins(X.astype("f4").astype("longdouble"), y, V.astype("f4").astype("longdouble"))
    assert (abs(found[~own] - exact.ravel()) <= error[~own]).all()


def test_floats_are_whole_numbers_times_a_power_of_two():
    x = numpy.array([0.1, -3.0, 0.0, 2.0**70, 5e-324])
    whole, power = _whole(x)
    assert all(isinstance(number, int) for number in whole) and power == 2**1126
    assert [number / power for number in whole] == x.tolist()


# Contracts

def test_on_a_device_the_verdicts_are_the_same(device):
    for overlap in (False, True):
        X, y = near_pairs(2, 1e-9, overlap)
        if overlap:
            X[0] = 1e12
            numpy.testing.assert_allclose(
                device.asnumpy(LogisticFamily(2).mle(device.asarray(X), device.asarray(y))),
                LogisticFamily(2).mle(X, y), rtol=1e-3, atol=1e-3)
        else:
            with pytest.raises(ValueError, match="separated by a plane"):
                LogisticFamily(2).mle(device.asarray(X), device.asarray(y))
