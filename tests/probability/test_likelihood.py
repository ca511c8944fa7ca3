"""Likelihood: a product and a sum over rows, what they are and what they are not."""

import itertools
import math
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import numpy
import pytest
from gradient import check_gradient
from scipy import stats

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.blocks import mean_over_blocks
from gdl_numpy.probability.density import Box
from gdl_numpy.probability.family import BoxFamily, HistogramFamily
from gdl_numpy.probability.likelihood import (
    likelihood,
    log_likelihood,
    mean_loss,
    negative_log_likelihood,
)
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace

WORLD = [-90.0, -180.0, 90.0, 180.0]                        # θ of the box around the whole map
SMALL = [0.0, 0.0, 0.1, 0.1]                                # density 100 inside
DIFFERENTIABLE = {
    "normal": lambda xp: NormalFamily(2),
    "mixture": lambda xp: MixtureFamily(3, 2),
    "histogram": lambda xp: HistogramFamily(SampleSpace([-4, -4], [4, 4]).on(xp), (3, 4))}
FAMILIES = DIFFERENTIABLE | {"box": lambda xp: BoxFamily(2)}


def example(name, rng, n=5, xp=numpy):
    """A family, some θ of it, and n rows in its support."""
    theta = numpy.array([-4.0, -3, 3, 4]) if name == "box" else (
        FAMILIES[name](numpy).initial_theta(rng))
    return FAMILIES[name](xp), xp.asarray(theta), xp.asarray(6 * rng.random((n, 2)) - 3)


every_family = pytest.mark.parametrize("name", FAMILIES)
every_differentiable_family = pytest.mark.parametrize("name", DIFFERENTIABLE)


@every_family
def test_the_likelihood_is_the_product_and_its_log_the_sum(name):
    family, theta, X = example(name, numpy.random.default_rng(0))
    log_p = [family(theta).log_prob(x[None])[0] for x in X]
    assert likelihood(family, theta, X) == pytest.approx(math.prod(map(math.exp, log_p)), rel=1e-12)
    assert log_likelihood(family, theta, X) == pytest.approx(math.fsum(log_p), rel=1e-12)
    assert negative_log_likelihood(family, theta, X) == -log_likelihood(family, theta, X)


@every_family
def test_log_likelihoods_of_two_data_sets_add_up(name):
    family, theta, X = example(name, numpy.random.default_rng(1), n=12)
    parts = log_likelihood(family, theta, X[:5]) + log_likelihood(family, theta, X[5:])
    assert log_likelihood(family, theta, X) == pytest.approx(parts, rel=1e-12)


@every_family
def test_the_order_of_the_rows_does_not_matter(name):
    family, theta, X = example(name, numpy.random.default_rng(2), n=50)
    shuffled = numpy.random.default_rng(3).permutation(X)
    for function in (likelihood, log_likelihood):
        assert function(family, theta, X) == pytest.approx(function(family, theta, shuffled), 1e-12)


@every_family
def test_no_rows_have_likelihood_one(name):
    family, theta, X = example(name, numpy.random.default_rng(4))
    assert likelihood(family, theta, X[:0]) == 1 and log_likelihood(family, theta, X[:0]) == 0


def test_a_row_outside_the_support_makes_the_likelihood_zero():
    left_half = [-90.0, -180.0, 90.0, 0.0]
    X = [[0.0, -10.0], [0.0, 10.0]]
    assert likelihood(BoxFamily(2), left_half, X) == 0
    assert log_likelihood(BoxFamily(2), left_half, X) == -math.inf
    many = [[0.05, 0.05]] * 155 + [[0.5, 0.05]]             # where the other factors overflow, too
    assert likelihood(BoxFamily(2), SMALL, many) == 0


def test_the_maximum_of_the_log_likelihood_is_the_minimum_of_the_loss():
    family, _, X = example("normal", numpy.random.default_rng(5), n=20)
    grid = [numpy.array([a, b, 0.5, 0.5, 0]) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    best = numpy.argmax([log_likelihood(family, theta, X) for theta in grid])
    assert best == numpy.argmin([negative_log_likelihood(family, theta, X) for theta in grid])
    assert best == numpy.argmin([mean_loss(family, theta, X)[0] for theta in grid])
    assert best == numpy.argmax([likelihood(family, theta, X) for theta in grid])


def test_the_likelihood_of_a_million_rows_is_right():
    X = numpy.zeros((10**6, 2))
    X.flags.writeable = False
    log_l = log_likelihood(BoxFamily(2), WORLD, X)
    assert log_l == pytest.approx(-1e6 * math.log(64800), rel=1e-12)
    assert likelihood(BoxFamily(2), WORLD, X) == 0
    loss, dtheta = mean_loss(NormalFamily(2), numpy.zeros(5), X)
    assert loss == pytest.approx(math.log(2 * math.pi), rel=1e-12)
    assert dtheta == pytest.approx([0, 0, 1, 1, 0], abs=1e-12)


# The loss and its gradient

@every_differentiable_family
def test_the_mean_loss_is_the_negative_log_likelihood_per_row(name):
    family, theta, X = example(name, numpy.random.default_rng(7), n=30)
    loss, dtheta = mean_loss(family, theta, X)
    assert loss == pytest.approx(negative_log_likelihood(family, theta, X) / 30, rel=1e-12)
    assert dtheta.shape == theta.shape


@every_differentiable_family
@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_of_the_mean_loss_agrees_with_differences(name, seed):
    rng = numpy.random.default_rng(seed)
    family, theta, X = example(name, rng, n=20)

    def loss(theta):
        value, dtheta = mean_loss(family, theta, X)
        return value, lambda dvalue: dvalue * dtheta

    check_gradient(loss, theta, rng=rng)


@pytest.mark.parametrize("rows", [1, 5, 12, 1000])
@every_differentiable_family
def test_the_mean_over_blocks_is_the_mean_over_all_rows(name, rows):
    family, theta, X = example(name, numpy.random.default_rng(10), n=12)
    loss, dtheta = mean_loss(family, theta, X)
    mean, dmean = mean_over_blocks(partial(mean_loss, family), theta, X, rows=rows)
    assert mean == pytest.approx(loss, rel=1e-12)
    assert dmean == pytest.approx(dtheta, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("log_p, right", [
    ([-460, -460, 1106], math.exp(186)), ([-800, -800, 1700], math.exp(100)),
    ([700, 700, -1400], 1.0), ([700, 700], math.inf), ([-700, -700], 0.0),
    ([1000, -math.inf, 1000], 0.0), ([], 1.0)])
def test_a_product_that_leaves_floating_point_on_its_way_comes_back_in_any_order(log_p, right):
    for order in itertools.permutations(log_p):
        values = numpy.array(order, dtype=float)
        p = SimpleNamespace(log_prob=lambda X, values=values: values)
        assert likelihood(lambda theta, p=p: p, None, None) == pytest.approx(right, rel=1e-12)


# Errata

def test_e06_other_units_shift_the_log_likelihood_and_leave_the_estimate():
    family, n = BoxFamily(2), 20
    degrees = numpy.random.default_rng(0).uniform(-80, 80, (n, 2))
    radians = numpy.radians(degrees)
    estimate = family.mle(degrees)
    assert family.mle(radians) == pytest.approx(numpy.radians(estimate), rel=1e-15)
    shift = 2 * n * math.log(180 / math.pi)
    for theta in (estimate, numpy.array(WORLD)):
        log_l = log_likelihood(family, theta, degrees)
        assert log_likelihood(family, numpy.radians(theta), radians) == pytest.approx(log_l + shift)
    p_degrees, p_radians = (family(t).log_prob(X) for t, X in ((estimate, degrees),
                                                               (numpy.radians(estimate), radians)))
    assert numpy.exp(p_radians) == pytest.approx(numpy.exp(p_degrees) * (180 / math.pi)**2)


@pytest.mark.parametrize("units", [(math.pi / 180, math.pi / 180), (60.0, 24 / 360)],
                         ids=["radians", "minutes of arc and hours"])
@pytest.mark.parametrize("name", ["box", "normal", "histogram", "mixture"])
def test_e06_other_units_shift_every_log_likelihood_alike_and_leave_every_estimate(name, units):
    """Y = units · X row by row: log p(y) = log p(x) - Σ log units for the estimate from Y and the
    estimate from X, and ℓ shifts by n times that, whatever the family and whatever its θ."""
    n, rng, units = 200, numpy.random.default_rng(1), numpy.array(units)
    X = rng.uniform([-80, -170], [80, 170], (n, 2))
    low, high = numpy.array([-90.0, -180.0]), numpy.array([90.0, 180.0])

    def family(scale):
        return {"box": BoxFamily(2), "normal": NormalFamily(2), "mixture": MixtureFamily(3, 2),
                "histogram": HistogramFamily(SampleSpace(scale * low, scale * high), (3, 4), 0.5)}[
                    name]

    def theta(scale, start):                                # the same start in either unit
        if name != "mixture":
            return family(scale).mle(scale * X)
        p = MixtureFamily(3, 2)
        in_units = p.theta(numpy.full(3, 1 / 3), scale * start,
                           numpy.full((3, 2, 2), numpy.diag(50 * scale)))
        return maximum_likelihood(p, scale * X, theta=in_units, method="em", max_steps=20)

    start, shift = rng.uniform(low, high, (3, 2)), -numpy.log(units).sum()
    here, there = theta(numpy.ones(2), start), theta(units, start)
    log_p = family(1.0)(here).log_prob(X)
    assert family(units)(there).log_prob(units * X) == pytest.approx(log_p + shift, rel=1e-9)
    assert log_likelihood(family(units), there, units * X) == pytest.approx(
        log_likelihood(family(1.0), here, X) + n * shift, rel=1e-9)


def test_e08_the_likelihood_is_not_a_probability_but_the_density_of_the_data():
    family, theta = NormalFamily(1), numpy.array([0.3, math.log(0.5)])
    X = numpy.array([[0.1], [0.8], [-0.4]])
    density = likelihood(family, theta, X)
    t, weights = numpy.polynomial.legendre.leggauss(10)     # ∫ f over [-1, 1] = Σ weights f(t)

    def probability_of_cells(side):                         # P(each row within side/2 of the data)
        return (stats.norm(0.3, 0.5).pdf(X + side / 2 * t) @ weights * side / 2).prod()

    cdf = stats.norm(0.3, 0.5).cdf
    assert probability_of_cells(0.1) == pytest.approx((cdf(X + 0.05) - cdf(X - 0.05)).prod())
    for side in (0.1, 0.01, 0.001, 1e-10, 1e-100):          # smaller than any number: P(data) = 0
        assert probability_of_cells(side) / side**3 == pytest.approx(
            density, rel=5 * side**2 + 1e-12)
    assert 0 < probability_of_cells(1e-100) < 1e-300 < density


@pytest.mark.parametrize("theta, density, dtype, n, extreme", [
    (WORLD, 1 / 64800, "float64", 68, 0.0),
    (WORLD, 1 / 64800, "float32", 10, 0.0),
    (SMALL, 100, "float64", 155, math.inf),
])
def test_e09_products_overflow_as_readily_as_they_underflow(theta, density, dtype, n, extreme):
    family, theta, X = BoxFamily(2), numpy.array(theta, dtype), numpy.full((n, 2), 0.05, dtype)
    assert 0 < likelihood(family, theta, X[1:]) < math.inf
    assert likelihood(family, theta, X) == extreme
    assert log_likelihood(family, theta, X) == pytest.approx(n * math.log(density), rel=1e-6)
    assert likelihood(family, theta, X).dtype == dtype


def test_e10_a_box_that_holds_all_points_has_likelihood_zero_in_floating_point():
    X = numpy.random.default_rng(0).uniform(-90, 90, (68, 2))
    assert Box(WORLD[:2], WORLD[2:]).space.contains(X).all()
    assert Fraction(1, 64800)**68 > 0
    assert likelihood(BoxFamily(2), WORLD, X) == 0.0
    assert likelihood(BoxFamily(2), WORLD, X[:67]) > 0


def test_e11_the_likelihood_is_not_a_density_over_theta():
    def area(family, X, theta):                             # ∫ L(θ|X) dθ, by the midpoint rule
        middle, width = (theta[1:] + theta[:-1]) / 2, numpy.diff(theta)
        return sum(w * likelihood(family, t, X) for t, w in zip(middle, width, strict=True))

    def exponential(theta):                                 # p(x) = θ exp(-θ x)
        return SimpleNamespace(log_prob=lambda X: numpy.log(theta) - theta * X[:, 0])

    for x in (0.5, 1.0, 2.0):
        assert area(exponential, numpy.array([[x]]), numpy.linspace(0, 60, 4001)) == (
            pytest.approx(1 / x**2, rel=1e-4))

    def uniform(theta):                                     # on [0, θ]: L = 1/θ where θ > x
        return BoxFamily(1)([0, theta])

    for limit in (10, 1000):                                # beyond all bounds, as the logarithm
        assert area(uniform, [[1.0]], numpy.geomspace(1, limit, 401)) == (
            pytest.approx(math.log(limit), rel=1e-4))


def test_e27_a_row_that_occurs_twice_counts_twice():
    family, X = NormalFamily(1), numpy.array([[0.0], [1.0], [1.0]])
    as_a_set = numpy.unique(X, axis=0)
    assert family(family.mle(X)).mu == pytest.approx([2 / 3])
    assert family(family.mle(as_a_set)).mu == pytest.approx([1 / 2])
    theta = numpy.zeros(2)
    once, twice = (log_likelihood(family, theta, X[rows]) for rows in ([1], [1, 2]))
    assert twice == 2 * once
    assert log_likelihood(family, theta, X) - log_likelihood(family, theta, as_a_set) == (
        pytest.approx(once))


def test_e27_independent_rows_of_different_distributions_are_not_a_sample_of_one_density():
    """Row i of N(µ_i, 1) with µ_i from -3 to 3: one normal has variance 1 + 3, a log 2 a row worse.

    And the order of rows then counts, which it never does in Σ log p_θ(x_i).
    """
    n, rng = 2000, numpy.random.default_rng(10)
    mu = numpy.linspace(-3, 3, n)[:, None]
    X = mu + rng.standard_normal((n, 1))
    mixed = X[rng.permutation(n)]
    family, each = NormalFamily(1), stats.norm(mu, 1)
    theta_hat = family.mle(X)
    as_one = log_likelihood(family, theta_hat, X)
    assert each.logpdf(X).sum() - as_one == pytest.approx(n * math.log(2), rel=0.15)  # 1 in 10^6
    assert log_likelihood(family, theta_hat, mixed) == pytest.approx(as_one, rel=1e-12)
    assert each.logpdf(mixed).sum() < as_one                # a row no longer has its own density


def test_e29_the_largest_likelihood_is_not_the_most_probable_theta():
    coin, heads = HistogramFamily(SampleSpace([0], [2]), (2,)), numpy.array([[1.5]] * 3)
    estimate = coin(coin.mle(heads)).masses[1]
    assert estimate == 1                                    # three of three heads: never a tail
    p = numpy.linspace(0, 1, 1001)[1:-1]
    L = numpy.array([likelihood(coin, numpy.log([1 - q, q]), heads) for q in p])
    prior = p * (1 - p)                                     # coins are rather fair
    assert L.argmax() == len(p) - 1
    assert p[(L * prior).argmax()] == pytest.approx(4 / 5)
    with_prior = HistogramFamily(coin.space, (2,), pseudocount=1)
    assert with_prior(with_prior.mle(heads)).masses[1] == pytest.approx(4 / 5)


# Arrays and refusals

@every_differentiable_family
def test_the_loss_and_its_gradient_keep_single_precision(name):
    family, theta, X = example(name, numpy.random.default_rng(8))
    loss, dtheta = mean_loss(family, theta.astype("float32"), X.astype("float32"))
    assert loss.dtype == dtheta.dtype == numpy.float32


@every_family
def test_neither_theta_nor_the_rows_are_changed(name):
    family, theta, X = example(name, numpy.random.default_rng(9))
    theta.flags.writeable = X.flags.writeable = False
    likelihood(family, theta, X)
    log_likelihood(family, theta, X)
    if name in DIFFERENTIABLE:
        mean_loss(family, theta, X)


@pytest.mark.parametrize("X, error, message", [
    ([[0.0, math.nan]], ValueError, "X holds nan"),
    ([[0.0, -math.inf]], ValueError, "X holds -inf"),
    ([[0.0, 1.0, 2.0]], ValueError, r"X has 3 columns; it must lie in R\^2"),
    ([0.0, 1.0], ValueError, r"shape \(n, 2\).*got shape \(2,\)"),
    ([["a", "b"]], TypeError, "X must hold real numbers"),
])
@every_differentiable_family
def test_rows_of_the_wrong_shape_or_not_finite_are_refused(name, X, error, message):
    family, theta, _ = example(name, numpy.random.default_rng(0))
    for function in (likelihood, log_likelihood, negative_log_likelihood, mean_loss):
        if function is mean_loss and "holds" in message and "numbers" not in message:
            continue                                        # a step does not wait to see the values
        with pytest.raises(error, match=message):
            function(family, theta, X)


@every_differentiable_family
def test_the_mean_over_no_rows_is_refused(name):
    family, theta, X = example(name, numpy.random.default_rng(0))
    with pytest.raises(ValueError, match="X is empty"):
        mean_loss(family, theta, X[:0])


@every_family
def test_a_theta_of_the_wrong_length_is_refused(name):
    family, theta, X = example(name, numpy.random.default_rng(0))
    functions = [likelihood, log_likelihood] + [mean_loss] * (name in DIFFERENTIABLE)
    for function in functions:
        with pytest.raises(ValueError, match=rf"shape \({len(theta)},\), got .*{len(theta) + 1}"):
            function(family, numpy.append(theta, 1.0), X)


# Contracts

@every_family
def test_values_live_where_theta_and_the_rows_live(xp, name):
    here = example(name, numpy.random.default_rng(6))
    there = example(name, numpy.random.default_rng(6), xp=xp)
    for function in (likelihood, log_likelihood, negative_log_likelihood):
        value = function(*there)
        assert array_module(value) is xp and value.shape == ()
        assert float(value) == pytest.approx(float(function(*here)), rel=1e-12)


@every_differentiable_family
def test_the_mean_loss_lives_where_theta_and_the_rows_live(xp, name):
    here = example(name, numpy.random.default_rng(7), n=30)
    there = example(name, numpy.random.default_rng(7), n=30, xp=xp)
    loss, dtheta = mean_loss(*there)
    assert float(loss) == pytest.approx(float(negative_log_likelihood(*here)) / 30, rel=1e-12)
    assert dtheta.shape == here[1].shape and array_module(dtheta) is xp
    assert to_numpy(dtheta) == pytest.approx(mean_loss(*here)[1], rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("rows", [1, 3, 4, 11, 12, 13, 1000])
@every_differentiable_family
def test_the_mean_over_blocks_is_that_over_all_rows_wherever_they_live(xp, name, rows):
    family, theta, X = example(name, numpy.random.default_rng(10), n=12, xp=xp)
    loss, dtheta = mean_loss(family, theta, X)
    mean, dmean = mean_over_blocks(partial(mean_loss, family), theta, X, rows=rows)
    assert array_module(mean, dmean) is xp and dmean.shape == theta.shape
    assert float(mean) == pytest.approx(float(loss), rel=1e-12)
    assert to_numpy(dmean) == pytest.approx(to_numpy(dtheta), rel=1e-10, abs=1e-12)
