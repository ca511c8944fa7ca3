"""Recalibrated densities: a better scale for the heights of another density."""

import math
import pickle

import numpy
import pytest
from gradient import check_gradient

from gdl_numpy.probability.density import Box, Normal
from gdl_numpy.probability.divergence import cross_entropy_estimate, total_mass
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.likelihood import mean_loss
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.recalibrated import (
    CANDIDATES,
    RecalibratedFamily,
    RecalibratedKernelDensity,
)
from gdl_numpy.probability.sample_space import SampleSpace

SPACE, SHAPE, THETA = SampleSpace([-3, -2], [3, 2]), (60, 40), numpy.array([1.5, 2.0, 0.7])
F = Normal([0.5, 0.0], [[1.0, 0.3], [0.3, 0.5]])
FAMILY = RecalibratedFamily(F, -2.0, SPACE, SHAPE)


def points(n, seed=0):
    return numpy.random.default_rng(seed).uniform(SPACE.low, SPACE.high, (n, 2))


def test_log_p_is_b_tanh_of_a_times_the_root_of_f_minus_1_plus_c_over_b_minus_log_z():
    X, (a, b, c) = points(200), THETA
    grid, volume = SPACE.grid(SHAPE)

    def g(X):
        t = numpy.sqrt(numpy.exp(F.log_prob(X)) / math.exp(-2.0)) - 1
        return b * numpy.tanh((a * t + c) / b)

    log_z = math.log((numpy.exp(g(grid)) * volume).sum())
    numpy.testing.assert_allclose(FAMILY(THETA).log_prob(X), g(X) - log_z, rtol=1e-12)


@pytest.mark.parametrize("theta", [THETA, [-2.0, 1.0, 0.0], [30.0, 3.0, 5.0], [0.0, 1.0, 1.0]])
def test_the_mass_on_the_grid_is_1(theta):
    assert total_mass(FAMILY(theta), SPACE, SHAPE) == pytest.approx(1, rel=1e-12)


def test_the_mass_on_a_finer_grid_is_1_up_to_the_error_of_the_coarser():
    assert total_mass(FAMILY(THETA), SPACE, (600, 400)) == pytest.approx(1, abs=1e-3)


def test_the_order_of_the_heights_is_that_of_f_or_the_reverse():
    X = points(300)
    order = F.log_prob(X).argsort()
    assert (numpy.diff(FAMILY(THETA).log_prob(X)[order]) >= 0).all()
    assert (numpy.diff(FAMILY(-THETA * [1, -1, 1]).log_prob(X)[order]) <= 0).all()


def test_a_steep_a_makes_two_levels_that_differ_by_2b():
    log_p = FAMILY([1e4, 1.5, 0.0]).log_prob(points(300))
    assert numpy.unique(log_p.round(9)).tolist() == [
        pytest.approx(log_p.min()), pytest.approx(log_p.min() + 3)]


def test_where_a_is_0_the_density_is_uniform():
    assert FAMILY([0.0, 1.0, 5.0]).log_prob(points(5)) == pytest.approx([-math.log(24)] * 5)


def test_where_b_is_large_the_log_density_is_a_times_the_root_of_f_normalized():
    X, a, b = points(50), 0.2, 600.0                        # b tanh(v/b) = v - v³/3b² + ...
    log_p, root = FAMILY([a, b, 0.0]).log_prob(X), a * numpy.exp(F.log_prob(X) / 2 + 1)
    numpy.testing.assert_allclose(log_p - log_p[0], root - root[0], atol=1e-3)


def test_the_root_of_a_count_has_about_the_variance_of_one_quarter_whatever_its_mean_is():
    """The reason of (1): the variance of a count is its mean, that of its root hardly changes."""
    rng = numpy.random.default_rng(8)
    for mean, rel in ((5, 0.2), (30, 0.03), (1000, 0.03)):
        counts = rng.poisson(mean, 100_000)
        assert counts.var() == pytest.approx(mean, rel=0.03)
        assert numpy.sqrt(counts).var() == pytest.approx(0.25, rel=rel)
    assert all(numpy.sqrt(rng.poisson(mean, 100_000)).var() < 0.42 for mean in (0.3, 1, 1.4, 3))


def test_outside_the_space_the_density_is_0():
    outside = [[3.1, 0.0], [0.0, -2.1], [1e9, 0.0]]
    assert FAMILY(THETA).log_prob(outside).tolist() == [-math.inf] * 3
    log_p, backward = FAMILY.log_prob(THETA, numpy.array(outside))
    assert log_p.tolist() == [-math.inf] * 3 and not backward(numpy.ones(3)).any()


def test_samples_follow_the_density():
    """The mean of -log p over 20,000 samples is the entropy on the grid, within 5 SE: 1 in 10^6."""
    p = FAMILY(THETA)
    X = p.sample(20_000, numpy.random.default_rng(1))
    value, error = cross_entropy_estimate(p, X)
    grid, volume = SPACE.grid(SHAPE)
    log_p = p.log_prob(grid)
    assert abs(value + (numpy.exp(log_p) * log_p).sum() * volume) < 5 * error + 1e-3
    masses = numpy.exp(log_p).reshape(SHAPE) * volume
    counts = numpy.bincount(SPACE.cell(X, (6, 4)), minlength=24)
    expected = 20_000 * masses.reshape(6, 10, 4, 10).sum(axis=(1, 3)).ravel()
    assert ((counts - expected)**2 / expected).sum() < 80   # χ², 23 degrees of freedom: 1 in 10^7


# θ: its gradient, and how it is chosen

@pytest.mark.parametrize("theta", [THETA, numpy.array([-2.0, 1.0, 0.0]), numpy.array([0.1, 9, 3])])
def test_the_gradient_in_a_b_c_is_that_of_central_differences(theta):
    X = points(50, seed=2)
    check_gradient(lambda theta: FAMILY.log_prob(theta, X), theta, rng=numpy.random.default_rng(3))


def test_log_prob_in_theta_is_log_prob_of_the_density():
    X = points(100)
    numpy.testing.assert_allclose(FAMILY.log_prob(THETA, X)[0], FAMILY(THETA).log_prob(X),
                                  rtol=1e-12)


def test_the_mean_gradient_of_log_p_over_the_cells_is_0():
    """∫ p ∂ log p/∂θ = 0, on the grid that Z is a sum over."""
    grid, volume = SPACE.grid(SHAPE)
    log_p, backward = FAMILY.log_prob(THETA, grid)
    assert backward(numpy.exp(log_p) * volume) == pytest.approx(0, abs=1e-12)


def test_where_log_f_is_minus_infinity_nothing_is_left_to_differentiate():
    family = RecalibratedFamily(Box([-1, -1], [1, 1]), -math.log(4), SPACE, SHAPE)
    log_p, backward = family.log_prob(THETA, numpy.array([[2.0, 1.5], [0.0, 0.0]]))
    assert numpy.isfinite(log_p).all() and numpy.isfinite(backward(numpy.ones(2))).all()


def two_levels(n, rng):
    """Points of the disc |x| < 1.2 with probability 0.95, elsewhere in the space 0.05."""
    X = rng.uniform(SPACE.low, SPACE.high, (40 * n, 2))
    disc = (X**2).sum(axis=1) < 1.2**2
    return numpy.concatenate([X[disc][:round(0.95 * n)], X[~disc][:n - round(0.95 * n)]])


def test_a_coast_is_found_better_than_by_the_kernel_density():
    rng = numpy.random.default_rng(4)
    X, new = two_levels(1000, rng), two_levels(20_000, rng)
    p = RecalibratedKernelDensity.fit(X, SPACE, SHAPE, [0.2, 0.3])
    best = max(KernelDensity(X, h).log_prob(new).mean() for h in (0.1, 0.15, 0.2, 0.3))
    assert p.log_prob(new).mean() > best + 0.02


def test_the_best_candidate_has_the_smallest_loss_and_the_gradient_finds_a_better_theta():
    rng = numpy.random.default_rng(5)
    f, kept = KernelDensity(two_levels(500, rng), 0.3), two_levels(200, rng)
    family = RecalibratedFamily(f, float(numpy.median(f.log_prob(kept))), SPACE, SHAPE)
    best, mean = family.best_of(f.log_prob(kept))
    losses = [mean_loss(family, numpy.array(theta), kept)[0] for theta in CANDIDATES]
    assert best.tolist() == list(CANDIDATES[numpy.argmin(losses)])
    assert mean == pytest.approx(-min(losses), rel=1e-12)
    theta = maximum_likelihood(family, kept, theta=best, max_steps=60)
    assert mean_loss(family, theta, kept)[0] < min(losses)


def test_a_candidate_has_the_middle_of_its_cliff_where_f_is_a_share_of_its_median():
    a, b, c = numpy.array(CANDIDATES).T
    assert len(CANDIDATES) == 7 * 6 * 5 and (a.min(), a.max()) == (4, 32)
    assert (b.min(), b.max()) == (2.5, 5)
    shares = (1 - c / a)**2                                 # v = 0 where √f/e^(m/2) is 1 - c/a
    assert numpy.unique(shares.round(9)).tolist() == [0.05, 0.08, 0.12, 0.16, 0.2]


def densities_of_the_others(X, h):
    """f at each row of X from all others, as (6) and (7) define it."""
    n, d = X.shape
    squares = ((X[:, None] - X)**2).sum(axis=2)
    bumps = sum(numpy.exp(-squares / (2 * w**2)) / (2 * math.pi * w**2)**(d / 2)
                for w in (h / 2, h, 2 * h)) / 3
    return (bumps.sum(axis=1) - bumps.diagonal()) / (n - 1)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_row_is_judged_by_the_bumps_of_the_others(d):
    X = numpy.random.default_rng(6).standard_normal((200, d))
    p = RecalibratedKernelDensity.fit(X, SampleSpace([-5] * d, [5] * d), (10,) * d, [0.3])
    log_f = numpy.log(densities_of_the_others(X, 0.3))
    assert p.family.m == pytest.approx(numpy.median(log_f), rel=1e-9)
    new = numpy.random.default_rng(7).standard_normal((100, d))
    f = sum(numpy.exp(KernelDensity(X, w).log_prob(new)) for w in (0.15, 0.3, 0.6)) / 3
    numpy.testing.assert_allclose(p.family.f.log_prob(new), numpy.log(f), rtol=1e-12)
    best, _ = p.family.best_of(log_f)
    assert p.theta.tolist() == best.tolist()


def test_fit_takes_the_bandwidth_under_which_each_row_is_most_likely_without_itself():
    rng = numpy.random.default_rng(9)
    X, found = two_levels(300, rng), {}
    for h in (0.05, 0.3, 3.0):
        p = RecalibratedKernelDensity.fit(X, SPACE, SHAPE, [h])
        with numpy.errstate(divide="ignore"):               # a row may be alone
            log_f = numpy.log(densities_of_the_others(X, h))
        found[h] = p.family.best_of(log_f)[1]
    p = RecalibratedKernelDensity.fit(X, SPACE, SHAPE, list(found))
    assert max(found, key=found.get) == 0.3 == p.family.f.components[1].bandwidth


def test_fit_finds_what_points_kept_back_would_choose():
    """Leave-one-out estimates the loss on new points without bias: the two agree within 5 SE."""
    rng = numpy.random.default_rng(10)
    X, new = two_levels(2000, rng), two_levels(20_000, rng)
    p = RecalibratedKernelDensity.fit(X, SPACE, SHAPE, [0.2])
    log_f = numpy.log(densities_of_the_others(X, 0.2))
    own = p.family.level(p.theta, log_f) - p.log_z
    error = own.std() / math.sqrt(len(X)) + p.log_prob(new).std() / math.sqrt(len(new))
    assert abs(own.mean() - p.log_prob(new).mean()) < 5 * error
    under_its_own_bump = p.log_prob(X).mean()
    assert under_its_own_bump > own.mean()


def test_a_row_that_no_other_reaches_counts_as_sea():
    near = 0.1 * points(50, seed=11)
    X = numpy.concatenate([near, [[2.9, -1.9]]])            # the last one is alone
    p = RecalibratedKernelDensity.fit(X, SPACE, SHAPE, [0.03])
    alone = p.family.level(p.theta, numpy.array([-math.inf]))
    others = p.family.level(p.theta, numpy.log(densities_of_the_others(near, 0.03)))
    assert p.family.best_of(numpy.append(numpy.log(
        densities_of_the_others(near, 0.03) * 49 / 50), -math.inf))[0].tolist() == p.theta.tolist()
    assert alone < others.min() and math.isfinite(p.log_z)


def test_an_initial_theta_is_near_the_heights_of_f():
    theta = FAMILY.initial_theta(numpy.random.default_rng(7))
    assert theta == pytest.approx([2, 3, 0], abs=0.5) and FAMILY(theta).log_z < math.inf


def test_a_steep_scale_does_not_overflow_in_float32():
    def a(x):
        return numpy.array(x, dtype="float32")

    f = Normal(a([0]), a([[1]]))
    family = RecalibratedFamily(f, -1.5, SampleSpace(a([-3]), a([3])), [60])
    assert family.shape == (60,)
    p = family(a([500.0, 600.0, 0.0]))
    assert math.isfinite(p.log_z) and p.log_prob(a([[0.0]])).dtype == "float32"
    assert p.sample(100, numpy.random.default_rng(0)).shape == (100, 1)


# State and refusals

def test_it_keeps_its_own_theta_can_be_pickled_and_says_what_it_is():
    theta = THETA.copy()
    p, X = FAMILY(theta), points(10)
    before = p.log_prob(X)
    theta += 1
    assert (p.log_prob(X) == before).all()
    assert (pickle.loads(pickle.dumps(p)).log_prob(X) == before).all()
    family = RecalibratedFamily(Box([0], [1]), 0, SampleSpace([0], [2]), (4,))
    assert repr(family) == ("RecalibratedFamily(f=Box(low=[0.], high=[1.]), m=0.0, "
                            "space=SampleSpace(low=[0.], high=[2.]), shape=(4,))")


@pytest.mark.parametrize("theta, error, words", [
    ([1.0, 2.0], ValueError, r"theta must be an array of shape \(3,\), got \(2,\)"),
    ([1.0, 0.0, 1.0], ValueError, r"theta\[1\] must lie in \(0, 700\), got 0.0"),
    ([1.0, 701.0, 1.0], ValueError, r"theta\[1\] must lie in \(0, 700\), got 701.0"),
    ([1.0, math.nan, 1.0], ValueError, "theta holds nan"),
    (["a"], TypeError, "theta must hold real numbers"),
])
def test_a_wrong_theta_is_refused(theta, error, words):
    with pytest.raises(error, match=words):
        FAMILY(theta)


def test_what_cannot_be_fitted_is_refused():
    X, fit = points(20), RecalibratedKernelDensity.fit
    for rows, words in ((X[:0], "X is empty"), (X[:1], "X must have 2 rows or more"),
                        (X[:, :1], "X has 1 columns")):
        with pytest.raises(ValueError, match=words):
            fit(rows, SPACE, SHAPE, [0.3])
    for bandwidths, error, words in (
            ([0], ValueError, r"bandwidths must lie in \(0, inf\), got 0"),
            ([0.3, -1], ValueError, r"bandwidths must lie in \(0, inf\), got -1"),
            (0.3, TypeError, "bandwidths must be a list of one or more numbers, got 0.3"),
            ([], TypeError, r"bandwidths must be a list of one or more numbers, got \[\]"),
            ([1e-9], ValueError, r"must reach from most rows of X to others, got \[1e-09\]"),
            ([1e-200], ValueError, r"must reach from most rows of X to others, got \[1e-200\]")):
        with pytest.raises(error, match=words):
            fit(X, SPACE, SHAPE, bandwidths)
    assert fit(X, SPACE, SHAPE, [1e-9, 0.3]).family.f.components[1].bandwidth == 0.3
    with pytest.raises(ValueError, match="X must lie in SampleSpace"):
        fit(numpy.concatenate([X, [[50.0, 0.0]]]), SPACE, SHAPE, [0.3])
    with pytest.raises(ValueError, match="the b of candidates must lie in"):
        FAMILY.best_of(numpy.zeros(3), [(1.0, 0.0, 0.0)])
    with pytest.raises(ValueError, match=r"m must lie in \(-inf, inf\), got inf"):
        RecalibratedFamily(F, math.inf, SPACE, SHAPE)
    with pytest.raises(TypeError, match=r"candidates must be a list of θ, got \[\]"):
        FAMILY.best_of(numpy.zeros(3), [])
