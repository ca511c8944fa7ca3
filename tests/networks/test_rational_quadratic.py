"""Rational-quadratic splines: against SciPy's root finder, their own inverse, and differences."""

import numpy
import pytest
from gradient import check_gradient

from gdl_numpy.networks.rational_quadratic import inverse_spline, n_spline_parameters, spline
from gdl_numpy.numerics.backend import to_numpy

every_size = pytest.mark.parametrize("K", [1, 2, 5, 32])


def rows(n, K, seed=0, scale=1.0, make_rng=numpy.random.default_rng):
    """x (n,) in [-1, 1] and raw (n, 3K + 1)."""
    rng = make_rng(seed)
    return 2 * rng.random(n) - 1, scale * rng.standard_normal((n, n_spline_parameters(K)))


def along_the_axis(K, n=400, seed=1, scale=1.0):
    """One spline at n points from -1 to 1."""
    raw = rows(1, K, seed, scale)[1]
    return numpy.linspace(-1, 1, n), raw + numpy.zeros((n, 1))


def by_the_book(x, raw):
    """Formulas (4) and (5) of Durkan et al. (2019) for one x, one bin after the other."""
    K = len(raw) // 3
    m = 1e-4

    def shares(logits):
        return m + (1 - K * m) * numpy.exp(logits) / numpy.exp(logits).sum()

    xs = -1 + 2 * numpy.r_[0, shares(raw[:K]).cumsum()]
    ys = -1 + 2 * numpy.r_[0, shares(raw[K:2 * K]).cumsum()]
    slopes = m + numpy.log1p(numpy.exp(raw[2 * K:] + numpy.log(numpy.expm1(1 - m))))
    for k in range(K):
        if xs[k] <= x <= xs[k + 1]:
            s = (ys[k + 1] - ys[k]) / (xs[k + 1] - xs[k])
            xi = (x - xs[k]) / (xs[k + 1] - xs[k])
            below = s + (slopes[k + 1] + slopes[k] - 2 * s) * xi * (1 - xi)
            y = ys[k] + (ys[k + 1] - ys[k]) * (s * xi**2 + slopes[k] * xi * (1 - xi)) / below
            slope = s**2 * (slopes[k + 1] * xi**2 + 2 * s * xi * (1 - xi)
                            + slopes[k] * (1 - xi)**2) / below**2
            return y, numpy.log(slope)


@every_size
def test_it_is_the_spline_of_the_paper(K):
    x, raw = rows(50, K)
    (y, log_slope), _ = spline(x, raw)
    expected = [by_the_book(*row) for row in zip(x, raw, strict=True)]
    numpy.testing.assert_allclose(numpy.stack([y, log_slope], axis=1), expected, rtol=1e-9,
                                  atol=1e-9)


@every_size
def test_the_gradient_is_that_of_central_differences(K):
    """Of y and log dy/dx together, in x and raw; some x lie outside, where the map is fixed."""
    x, raw = rows(20, K)
    x[:3] = 3 * x[:3] / abs(x[:3])

    def both(x, raw):
        (y, log_slope), backward = spline(x, raw)
        return numpy.stack([y, log_slope]), lambda cotangent: backward(cotangent[0], cotangent[1])

    check_gradient(both, x, raw, rng=numpy.random.default_rng(2))


@every_size
def test_the_logarithm_of_the_slope_is_that_of_the_numerical_slope(K):
    x, raw = rows(100, K, seed=3)
    h = 1e-6
    ahead, behind = (spline(x + step, raw)[0][0] for step in (h, -h))
    slope = numpy.exp(spline(x, raw)[0][1])
    numpy.testing.assert_allclose((ahead - behind) / (2 * h), slope, rtol=1e-3)


@every_size
@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_it_increases_from_minus_1_to_1(K, scale):
    x, raw = along_the_axis(K, scale=scale)
    y = spline(x, raw)[0][0]
    assert (numpy.diff(y) > 0).all()
    assert y[[0, -1]] == pytest.approx([-1, 1], abs=1e-12) and abs(y).max() <= 1


@every_size
def test_its_slope_integrates_to_the_length_of_the_interval(K):
    x, raw = along_the_axis(K, n=20_001)
    slope = numpy.exp(spline(x, raw)[0][1])
    assert numpy.trapezoid(slope, x) == pytest.approx(2, abs=1e-4)


@every_size
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_the_inverse_undoes_it_both_ways(K, scale):
    x, raw = rows(200, K, seed=4, scale=scale)
    numpy.testing.assert_allclose(inverse_spline(spline(x, raw)[0][0], raw), x, atol=1e-8)
    numpy.testing.assert_allclose(spline(inverse_spline(x, raw), raw)[0][0], x, atol=1e-8)


def test_it_is_the_identity_outside_the_interval_and_where_raw_is_0():
    x, raw = rows(50, 6)
    outside = numpy.where(x < 0, x - 1, x + 1)
    (y, log_slope), _ = spline(outside, raw)
    assert (y == outside).all() and (log_slope == 0).all()
    assert (inverse_spline(outside, raw) == outside).all()
    (y, log_slope), _ = spline(x, numpy.zeros_like(raw))
    numpy.testing.assert_allclose(y, x, atol=1e-12)
    numpy.testing.assert_allclose(log_slope, 0, atol=1e-12)


def test_infinity_and_nan_pass_through_without_a_warning():
    x, raw = numpy.array([numpy.inf, -numpy.inf, numpy.nan]), rows(3, 4)[1]
    (y, log_slope), backward = spline(x, raw)
    assert y[:2].tolist() == [numpy.inf, -numpy.inf] and numpy.isnan(y[2])
    assert (log_slope == 0).all()
    assert (backward(numpy.ones(3), numpy.ones(3))[1] == 0).all()


def test_the_arguments_are_not_changed():
    x, raw = rows(9, 4)
    x.flags.writeable = raw.flags.writeable = False
    (y, log_slope), backward = spline(x, raw)
    y.flags.writeable = log_slope.flags.writeable = False
    for first, again in zip(backward(y, log_slope), backward(y, log_slope), strict=True):
        assert (first == again).all()


def test_more_bins_than_their_least_width_allows_are_refused():
    assert n_spline_parameters(9999) == 29_998
    with pytest.raises(ValueError, match="n_bins must be at most 9999, got 10000"):
        n_spline_parameters(10_000)


# Contracts

def test_single_precision_stays_and_is_near_double(xp, make_rng):
    x, raw = (array.astype("float32") for array in rows(300, 32, make_rng=make_rng))
    (y, log_slope), backward = spline(x, raw)
    assert {a.dtype for a in (y, log_slope, *backward(y, log_slope), inverse_spline(x, raw))} == {
        numpy.dtype("float32")}
    (y64, log_slope64), _ = spline(x.astype(float), raw.astype(float))
    numpy.testing.assert_allclose(to_numpy(y), to_numpy(y64), atol=1e-5)
    numpy.testing.assert_allclose(to_numpy(log_slope), to_numpy(log_slope64), atol=1e-2)
    back = spline(inverse_spline(y, raw), raw)[0][0]        # x itself is lost where y is flat
    numpy.testing.assert_allclose(to_numpy(back), to_numpy(y), atol=1e-5)


@pytest.mark.parametrize("dtype, slope, rel", [("float32", 1e3, 1e-3), ("float32", 1e5, 1e-3),
                                               ("float64", 1e8, 1e-6), ("float64", 1e12, 1e-4)])
def test_the_inverse_keeps_its_digits_where_a_bin_ends_steeply(dtype, slope, rel):
    """x is near -1/slope; the other form of the root lost a hundredth of it, then all digits."""
    raw = numpy.array([[0, 0, 0, 0, -20, slope, 0]], dtype)
    x = inverse_spline(numpy.array([-0.5], dtype), raw)
    assert -2 / slope < x[0] < -0.5 / slope
    (y, _), _ = spline(x.astype(float), raw.astype(float))
    assert y == pytest.approx([-0.5], rel=rel)
