"""Softmax regression by Newton's method: its derivatives, and an estimate that loses no digits."""

import math

import numpy
import pytest
from labeled_data import linear, overlapping, theta_and_data

from gdl_numpy.labels.logistic import LogisticFamily, SoftmaxFamily
from gdl_numpy.labels.softmax_newton import (
    _curvatures,
    _evaluate,
    _far_rows_apart,
    _inverse_of_blocks,
    _residual,
)


def penalty_of(family):
    """λ for each weight and 0 for each intercept, (n_θ,)."""
    weights = numpy.ones(family.n_parameters)
    weights[-family.network.d_out:] = 0
    return family.l2 * weights


def log_posterior(family, theta, X):
    return family(theta).log_posterior(X)


# The loss, its gradient and its Hessian

@linear
def test_the_hessian_product_is_the_difference_of_gradients(family):
    theta, X, y = theta_and_data(family)
    X1, h = numpy.c_[X, numpy.ones(len(X))], 1e-5
    loss, gradient, product = _evaluate(theta, X1, y, penalty_of(family))
    assert loss == pytest.approx(float(family.loss(theta, X, y)[0]), rel=1e-13)
    numpy.testing.assert_allclose(gradient, family.loss(theta, X, y)[1], rtol=1e-10, atol=1e-12)
    for seed in range(3):
        v = numpy.random.default_rng(seed).standard_normal(len(theta))
        difference = (family.loss(theta + h * v, X, y)[1]
                      - family.loss(theta - h * v, X, y)[1]) / (2 * h)
        numpy.testing.assert_allclose(product(v), difference, atol=1e-8)


def test_the_hessian_of_two_classes_is_the_mean_of_p_times_1_minus_p_times_x_times_x():
    family = LogisticFamily(3, l2=0.3)
    theta, X, y = theta_and_data(family)
    X1, w = numpy.c_[X, numpy.ones(len(X))], numpy.exp(log_posterior(family, theta, X)).prod(axis=1)
    H = numpy.einsum("n,ni,nj->ij", w, X1, X1) / len(X) + numpy.diag([0.3, 0.3, 0.3, 0])
    product = _evaluate(theta, X1, y, penalty_of(family))[2]
    numpy.testing.assert_allclose([product(v) for v in numpy.eye(4)], H, rtol=1e-12, atol=1e-14)


def test_p_minus_1_keeps_all_its_digits_where_p_is_near_1():
    """p - 1 of a row that is almost certain is -exp(-a), which the difference of floats is not."""
    a = numpy.array([3.0, 30.0, 60.0, 300.0])
    theta, X1 = numpy.array([1.0, 0.0]), numpy.c_[a, 0 * a]
    _, _, _, residual = _residual(theta, X1, numpy.ones(4, int))
    expected = -numpy.exp(-a) / (1 + numpy.exp(-a))
    numpy.testing.assert_allclose(residual, numpy.c_[-expected, expected], rtol=1e-12)


@linear
def test_blocks_of_rows_give_the_result_of_all_rows_at_once(family, monkeypatch):
    theta, X, y = theta_and_data(family, n=1100)            # one block and a part of another
    X1 = numpy.c_[X, numpy.ones(len(X))]
    loss, gradient, product = _evaluate(theta, X1, y, penalty_of(family))
    monkeypatch.setattr("gdl_numpy.labels.softmax_newton.BLOCK", 5000)
    at_once = _evaluate(theta, X1, y, penalty_of(family))
    assert loss == pytest.approx(at_once[0], rel=1e-13)
    numpy.testing.assert_allclose(gradient, at_once[1], rtol=1e-9, atol=1e-13)
    numpy.testing.assert_allclose(product(theta), at_once[2](theta), rtol=1e-9, atol=1e-13)


# A matrix like the Hessian whose inverse is known

@pytest.mark.parametrize("l2", [0, 0.3])
@pytest.mark.parametrize("size", [0, 1])
def test_a_step_of_two_classes_is_solved_with_their_hessian(l2, size):
    """At the start, where every p is ½, and at any θ where M is made anew."""
    family, (X, y) = LogisticFamily(3, l2), overlapping(0, 2)
    X1, theta = numpy.c_[X - X.mean(axis=0), numpy.ones(len(X))], size * numpy.ones(4)
    product = _evaluate(theta, X1, y, penalty_of(family))[2]
    weights = _curvatures(theta, X1, y) if size else numpy.full((1, 1), 0.25)
    precondition = _inverse_of_blocks(X1, weights, penalty_of(family))
    for v in numpy.eye(4):
        numpy.testing.assert_allclose(precondition(product(v)), v, atol=1e-12)


def test_the_blocks_of_several_classes_are_those_of_their_hessian():
    family = SoftmaxFamily(3, 4, 0.3)
    theta, X, y = theta_and_data(family)
    X1 = numpy.c_[X, numpy.ones(len(X))]
    product = _evaluate(theta, X1, y, penalty_of(family))[2]
    H = numpy.array([product(v) for v in numpy.eye(16)]).reshape(4, 4, 4, 4)    # by x1, by class
    precondition = _inverse_of_blocks(X1, _curvatures(theta, X1, y), penalty_of(family))
    r = numpy.random.default_rng(0).standard_normal((4, 4))
    r -= r.mean(axis=1, keepdims=True)                      # what all classes share does nothing
    z = numpy.array([numpy.linalg.solve(H[:, k, :, k], r[:, k]) for k in range(4)]).T
    numpy.testing.assert_allclose(precondition(r.ravel()).reshape(4, 4),
                                  z - z.mean(axis=1, keepdims=True), rtol=1e-9, atol=1e-12)


# Rows and columns of all sizes

def test_rows_that_are_far_in_many_columns_become_far_in_one():
    """X1 = L U, and the row is 0 in all columns of L but its own."""
    rng = numpy.random.default_rng(0)
    X1 = numpy.c_[rng.standard_normal((20, 3)), numpy.ones(20)]
    X1[7, :3], X1[4, 1:3] = (1e20, -2e20, 3e20), (3e9, 1e10)
    L, U = _far_rows_apart(X1)
    numpy.testing.assert_allclose(L @ U, X1, rtol=1e-9)
    assert (numpy.tril(U) == numpy.eye(4)).all()
    assert (L[7] != 0).sum() == 1 and (L[4, 2:] == 0).all()
    assert abs(numpy.delete(L, [4, 7], axis=0)).max() < 100


@pytest.mark.parametrize("K", [2, 3])
def test_the_estimate_does_not_depend_on_the_units_of_the_columns(K):
    X, y = overlapping(4, K, n=300)
    family = LogisticFamily(3) if K == 2 else SoftmaxFamily(3, K)
    scaled = X * [1e-3, 1, 1e3] + [100, -100, 100]
    results = [log_posterior(family, family.mle(Z, y), Z) for Z in (X, scaled)]
    numpy.testing.assert_allclose(*results, atol=1e-6)


@linear
def test_the_estimate_from_many_rows_is_as_exact_as_from_few(family):
    """More than 100 for each parameter, which a tenth of them lead near it first."""
    _, X, y = theta_and_data(family, n=2000)
    assert abs(family.loss(family.mle(X, y), X, y)[1]).max() < 1e-8


def test_sums_over_millions_of_float32_rows_lose_no_digits():
    """200,000 rows of eight kinds: the estimate is that of the eight kinds, each counted."""
    X = numpy.float32([[1000.0], [1001.0]] * 4)
    y = numpy.array([0, 0, 0, 0, 0, 1, 1, 1])
    expected = LogisticFamily(1).mle(X.astype(float), y)
    many = LogisticFamily(1).mle(numpy.tile(X, (25_000, 1)), numpy.tile(y, 25_000))
    numpy.testing.assert_allclose(many, expected, rtol=1e-6)


def share_of_the_gradient(family, theta, X, y):
    """The largest of |g_j|/Σ |terms of g_j| for two classes, in long doubles."""
    theta, X1 = theta.astype("longdouble"), numpy.c_[X, numpy.ones(len(X))].astype("longdouble")
    sign = numpy.where(y == 1, -1, 1)
    with numpy.errstate(over="ignore"):                     # 1/(1 + inf) is 0
        r = sign / (1 + numpy.exp(-sign * (X1 @ theta))) / len(X)
    penalized = family.l2 * numpy.append(theta[:-1], 0)
    return (abs(X1.T @ r + penalized) / (abs(X1.T) @ abs(r) + abs(penalized))).max()


@pytest.mark.parametrize("far", [1e6, 1e10, -1e18, 1e18, 1e50, 1e100, 1e140, 1e149])
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("l2", [0, 1e-14, 1e-3, 1])
def test_however_far_out_a_row_is_the_gradient_is_0_at_the_estimate(far, label, l2):
    """If the label contradicts the others, its probability must become as small as 1/far."""
    X, y = overlapping(0, 2, n=60)
    X[0], y[0] = (far, 0, 0), label
    family = LogisticFamily(3, l2)
    assert share_of_the_gradient(family, family.mle(X, y), X, y) < 1e-6


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("l2", [0, 1])
def test_a_row_so_far_out_that_squares_overflow_is_refused_with_its_column(K, l2):
    X, y = overlapping(0, K, n=60)
    X[7, 1] = 1e200
    with pytest.raises(ValueError, match=r"e\+\d+ times as far out in column 1 as most"):
        SoftmaxFamily(3, K, l2).mle(X, y)


# Small penalties

def promised(family, theta, X, y):
    """g · H⁻¹ g, and the largest change of a logit by the step H⁻¹ g, in long doubles up to the
    solution of the linear system, whose columns are brought to one scale."""
    n, K, columns = len(X), family.n_classes, family.network.d_out
    X, wide = X.astype("longdouble"), theta.astype("longdouble")
    mu, scale = X.mean(axis=0), X.std(axis=0)
    X1, T = numpy.c_[(X - mu) / scale, numpy.ones(n)], wide.reshape(-1, columns).copy()
    T[-1] += mu @ T[:-1]
    T[:-1] *= scale[:, None]
    penalty = numpy.append(family.l2 / scale**2, 0)
    a = X1 @ T if columns > 1 else numpy.c_[numpy.zeros(n), X1 @ T]
    own = numpy.arange(K) == y[:, None]
    p = numpy.exp(a - a.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    others = numpy.where(own, 0, p)
    r = (others - own * others.sum(axis=1, keepdims=True))[:, -columns:]
    g = X1.T @ r / n + penalty[:, None] * T
    S = numpy.where(numpy.eye(K, dtype=bool), (p * numpy.where(
        own, others.sum(axis=1, keepdims=True), 1 - p))[:, :, None], -p[:, :, None] * p[:, None])
    H = numpy.einsum("njk,ni,nl->jikl", S[:, -columns:, -columns:], X1, X1) / n
    H = H.reshape(2 * (g.size,)) + numpy.diag(numpy.tile(penalty, columns))
    unit = 1 / numpy.sqrt(H.diagonal())
    s = unit * (numpy.linalg.pinv((H * unit[:, None] * unit).astype(float), 1e-15, hermitian=True)
                @ (g.T.ravel() * unit).astype(float))
    return float(g.T.ravel() @ s), float(abs(X1 @ s.reshape(columns, -1).T).max())


@pytest.mark.parametrize("l2", [1e-2, 1e-6, 1e-10, 1e-12, 1e-14])
@pytest.mark.parametrize("d, K", [(1, 2), (1, 3), (5, 2), (5, 4), (30, 2), (20, 3)])
def test_however_small_the_penalty_the_gradient_is_what_tol_promises(d, K, l2):
    """Of classes that planes separate, where p (1 - p) falls like λ, and of others; with columns in
    units from 10⁻⁴ to 10⁴."""
    for seed in range(4):
        rng = numpy.random.default_rng(seed)
        X = rng.standard_normal((3 * d + 30, d))
        noise = 3 * (seed % 2) * rng.gumbel(size=(len(X), K))
        y = (X @ rng.standard_normal((d, K)) * 5 + noise).argmax(axis=1)
        y[:K] = numpy.arange(K)
        X *= 10.0**rng.integers(-4, 5, d)
        for family in [SoftmaxFamily(d, K, l2)] + [LogisticFamily(d, l2)] * (K == 2):
            decrease, moved = promised(family, family.mle(X, y), X, y)
            assert 0 <= decrease < 1e-16 and moved < 0.05


@pytest.mark.parametrize("l2", [1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 1e-16])
def test_with_a_penalty_the_weight_of_four_separated_points_is_where_the_slope_is_0(l2):
    """λ w = ¼ · 1/(1 + exp(w/2)) + ¾ · 1/(1 + exp(3w/2)), found by bisection."""
    low, high = 0.0, 200.0
    for _ in range(100):
        w = (low + high) / 2
        falls = l2 * w < 0.25 / (1 + math.exp(w / 2)) + 0.75 / (1 + math.exp(1.5 * w))
        low, high = (w, high) if falls else (low, w)
    X, y = [[-1.5], [-0.5], [0.5], [1.5]], [0, 0, 1, 1]
    assert LogisticFamily(1, l2).mle(X, y)[0] == pytest.approx(w, rel=1e-4)
    W = SoftmaxFamily(1, 2, l2 * 2).mle(X, y)               # |W|² = 2 (w/2)²
    assert W[1] - W[0] == pytest.approx(w, rel=1e-4)


@pytest.mark.parametrize("power", [-670, -790, -820, -1000])
def test_a_column_of_tiny_numbers_is_fitted_or_refused_with_a_word_on_units(power):
    """Units from 1e-202 to 1e-301, powers of 2, by which the weight is divided, and no more."""
    X, y = overlapping(0, 2, n=60)
    plain = LogisticFamily(3).mle(X, y)
    X[:, 1] *= 2.0**power
    if power < -800:
        with pytest.raises(ValueError, match="take another unit"):
            LogisticFamily(3).mle(X, y)
    else:
        tiny = LogisticFamily(3).mle(X, y) * [1, 2.0**power, 1, 1]
        assert tiny == pytest.approx(plain, rel=1e-6)
