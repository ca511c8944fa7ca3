"""Moments: sums of millions of float32 rows lose nothing, and a constant column is seen as one.

    µ = 1/n Σ x          C = 1/n Σ (x - µ)(x - µ)ᵀ
"""

import numpy as np
import pytest

from gdl_numpy.numerics.moments import ROWS, mean_of_rows, moments, varies


def test_mean_and_covariance_are_those_of_numpy():
    X = np.random.default_rng(0).standard_normal((2 * ROWS + 3, 3)) @ np.triu(np.ones((3, 3))) + 5
    mu, C = moments(X)
    np.testing.assert_allclose(mu, X.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(mean_of_rows(X), mu, rtol=1e-13)
    np.testing.assert_allclose(C, np.cov(X.T, bias=True), rtol=1e-12)


def test_millions_of_float32_rows_are_added_as_if_they_were_float64():
    rng = np.random.default_rng(0)
    X = np.float32([180, 241]) + rng.standard_normal((2_000_000, 2), dtype=np.float32)
    assert abs(X.mean(axis=0) - X.astype(float).mean(axis=0)).max() > 1      # what NumPy gives
    mu, C = moments(X)
    np.testing.assert_allclose(mu, X.astype(float).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(C, np.cov(X.T.astype(float), bias=True), rtol=1e-9, atol=1e-12)
    assert mean_of_rows(X).dtype == np.float32 and mu.dtype == C.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.3, -1e6, 1e-30])
def test_a_column_of_equal_numbers_does_not_vary(value, dtype):
    X = np.c_[np.random.default_rng(0).standard_normal(501), np.full(501, value)].astype(dtype)
    mu, C = moments(X)
    assert varies(mu, C.diagonal(), dtype).tolist() == [True, False]


def test_a_small_spread_beside_a_large_mean_is_seen():
    mu, C = moments(np.array([[1e6], [1e6 + 1e-6]]))
    assert varies(mu, C.diagonal(), float).all()
    assert C[0, 0] == pytest.approx(0.25e-12, rel=1e-3)
