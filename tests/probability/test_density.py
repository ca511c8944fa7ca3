"""Densities: boxes, normals, mixtures, histograms against SciPy, each other and exact arithmetic.

What all densities promise is asked in contracts/test_contract_densities.py.
"""

import math
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import numpy
import pytest
import scipy.stats
from register_of_densities import CENTERS, D

from gdl_numpy.probability.density import Box, Histogram, Mixture, Normal, categorical
from gdl_numpy.probability.divergence import total_mass
from gdl_numpy.probability.family import HistogramFamily
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.world.world_map import WORLD, WorldMap

INF, NAN, N = math.inf, math.nan, 20_000
SEEDS = pytest.mark.parametrize("seed", range(3))


def random_normal(rng, d):
    mu, A = 3 * rng.standard_normal(d), rng.standard_normal((d, d))
    return mu, A @ A.T + 0.1 * numpy.eye(d)


@SEEDS
@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_normal_density_agrees_with_scipy(seed, d):
    rng = numpy.random.default_rng(seed)
    mu, covariance = random_normal(rng, d)
    X = mu + 4 * rng.standard_normal((1000, d))
    numpy.testing.assert_allclose(
        Normal(mu, covariance).log_prob(X),
        scipy.stats.multivariate_normal(mu, covariance).logpdf(X), rtol=1e-12)


@SEEDS
def test_the_box_agrees_with_scipy(seed):
    rng = numpy.random.default_rng(seed)
    low, side, X = rng.normal(size=3), rng.uniform(0.1, 4, 3), rng.normal(0, 2, (1000, 3))
    log_p = Box(low, low + side).log_prob(X)
    with numpy.errstate(divide="ignore"):
        expected = scipy.stats.uniform(low, side).logpdf(X).sum(axis=1)
    numpy.testing.assert_allclose(log_p, expected, rtol=1e-12)


# Relations between densities

@pytest.mark.parametrize("c", [-3.25, 2.0**10])
@pytest.mark.parametrize("name", ["Box", "Normal", "Mixture of normals", "Histogram",
                                  "KernelDensity"])
def test_a_density_moves_with_its_parameters(name, c):
    X = D[name].points(500).round(3)
    moved = {"Box": lambda: Box(numpy.array([-1.0, 0.0]) + c, numpy.array([1.0, 0.5]) + c),
             "Normal": lambda: Normal(numpy.array([1.0, -2.0]) + c, [[2.0, -1.2], [-1.2, 1.0]]),
             "Mixture of normals": lambda: Mixture([0.3, 0.7], [
                 Normal([-2.0 + c], [[1]]), Normal([1.0 + c], [[0.09]])]),
             "Histogram": lambda: Histogram(
                 SampleSpace(numpy.array([-90.0, -180]) + c, numpy.array([90.0, 180]) + c),
                 [[0.1, 0.2, 0.0, 0.1], [0.3, 0.0, 0.2, 0.1]]),
             "KernelDensity": lambda: KernelDensity(numpy.array(CENTERS) + c, 0.4)}[name]()
    numpy.testing.assert_allclose(moved.log_prob(X + c),
                                  D[name].built().log_prob(X), rtol=1e-9)


@pytest.mark.parametrize("s", [1e-3, 7.0])
def test_stretching_space_by_s_divides_a_density_by_s_to_the_d(s):
    a, X = numpy.asarray, 0.5 * numpy.random.default_rng(0).standard_normal((200, 2))
    low, high, mu, S = a([-1.0, 0.0]), a([1.0, 0.5]), a([1.0, -2.0]), a([[2.0, -1.2], [-1.2, 1.0]])
    masses, C = a([[0.25, 0.5, 0.25]]), a(CENTERS)
    for p, stretched in [
            (Box(low, high), Box(s * low, s * high)),
            (Normal(mu, S), Normal(s * mu, s**2 * S)),
            (Histogram(SampleSpace(low, high), masses),
             Histogram(SampleSpace(s * low, s * high), masses)),
            (KernelDensity(C, 0.4), KernelDensity(s * C, s * 0.4))]:
        numpy.testing.assert_allclose(stretched.log_prob(s * X),
                                      p.log_prob(X) - 2 * math.log(s), rtol=1e-12)


def test_reordering_the_components_or_splitting_one_in_two_changes_nothing():
    a, X = numpy.asarray, D["Mixture of normals"].points(500)
    p, q = Normal(a([-2.0]), a([[1.0]])), Normal(a([1.0]), a([[0.09]]))
    first, *others = (mixture.log_prob(X) for mixture in (
        Mixture(a([0.3, 0.7]), [p, q]), Mixture(a([0.7, 0.3]), [q, p]),
        Mixture(a([0.3, 0.35, 0.35]), [p, q, q])))
    for other in others:
        numpy.testing.assert_allclose(other, first, rtol=1e-13)


def test_the_marginal_density_of_a_normal_is_normal():
    p = D["Normal"].built()
    x = numpy.linspace(-3, 5, 9)[:, None]
    y, step = numpy.linspace(-14, 10, 4001, retstep=True)
    margin = [float(numpy.exp(p.log_prob([[float(value), t] for t in y])).sum()) * step
              for value in x[:, 0]]
    numpy.testing.assert_allclose(
        margin, numpy.exp(Normal(p.mu[:1], p.covariance[:1, :1]).log_prob(x)), rtol=1e-9)


def test_a_histogram_is_a_mixture_of_boxes():
    space = SampleSpace([0.0], [4.0])
    weights = numpy.array([0.1, 0.0, 0.6, 0.3])
    boxes = [Box([float(k)], [k + 1.0]) for k in range(4)]
    X = numpy.random.default_rng(0).uniform(-1, 5, (1000, 1))
    numpy.testing.assert_allclose(Histogram(space, weights).log_prob(X),
                                  Mixture(weights, boxes).log_prob(X), rtol=1e-14)


def test_a_normal_made_from_cholesky_factors_is_the_same_normal():
    p, X = D["Normal"].built(), D["Normal"].points(100)
    assert (Normal.from_cholesky(p.mu, p.L).log_prob(X) == p.log_prob(X)).all()
    numpy.testing.assert_allclose(p.covariance, [[2, -1.2], [-1.2, 1]], rtol=1e-15)


def test_the_box_is_closed_at_every_corner():
    p = Box([-1.0, 0.0], [1.0, 0.5])
    corners = [[x, y] for x in (-1.0, 1.0) for y in (0.0, 0.5)]
    just_outside = [[numpy.nextafter(-1, -2), 0], [1, numpy.nextafter(0.5, 1)], [1, -1e-300]]
    assert p.log_prob(corners + just_outside).tolist() == (
        [0] * 4 + [-INF] * 3)


def test_the_density_of_a_cell_edge_is_that_of_the_upper_cell_the_last_one_closed():
    p = Histogram(SampleSpace([0.0], [4.0]), [0.125, 0.25, 0.125, 0.5])
    numpy.testing.assert_allclose(
        numpy.exp(p.log_prob([[0], [1], [2], [3], [4]])), [0.125, 0.25, 0.125, 0.5, 0.5],
        rtol=1e-15)


def test_rounding_carries_no_sample_into_an_empty_cell():
    """Near 1000 float32 has 256 numbers to a cell of width 1/64, so many are on a border."""
    space = SampleSpace(*(numpy.array([x], dtype="float32") for x in (1000, 1001)))
    p = Histogram(space, [1 / 32, 0.0] * 32)
    log_p = p.log_prob(p.sample(N, numpy.random.default_rng(0)))
    numpy.testing.assert_allclose(log_p, math.log(2), rtol=1e-6)


# Categories

def test_categories_are_drawn_in_proportion_to_their_weights():
    """χ² with 3 degrees of freedom; a false alarm in 1e6. Weight 0 is never drawn."""
    weights = [0.0, 1.0, 5.0, 0.0, 2.0, 2.0, 0.0]
    k = categorical(numpy.array(weights), N, numpy.random.default_rng(0))
    count = numpy.bincount(k, minlength=7)
    assert (count[[0, 3, 6]] == 0).all()
    assert scipy.stats.chisquare(count[[1, 2, 4, 5]], N * numpy.array([0.1, 0.5, 0.2, 0.2])
                                 ).pvalue > 1e-6


def test_a_number_on_a_step_of_the_cdf_belongs_to_the_category_above():
    fixed = SimpleNamespace(random=lambda n, dtype: numpy.array([0.0, 0.25, 0.2499, 1 - 2**-53]),
                            standard_normal=callable, integers=callable)
    k = categorical(numpy.array([0.0, 0.25, 0.0, 0.75, 0.0]), 4, fixed)
    assert k.tolist() == [1, 3, 1, 3]


def test_the_samples_of_a_mixture_are_in_random_order():
    p = Mixture([0.5, 0.5], [Box([x], [x + 1.0])
                                         for x in (0.0, 5.0)])
    second = p.sample(N, numpy.random.default_rng(0))[:, 0] > 3
    assert abs(second[:N // 2].mean() - 0.5) < 6 * 0.5 / math.sqrt(N / 2)
    assert abs((second[1:] == second[:-1]).mean() - 0.5) < 6 * 0.5 / math.sqrt(N)


def test_rare_categories_are_drawn_from_float32_weights():
    weights = numpy.repeat([1.0, 1e-3], 50_000)
    weights = (weights / weights.sum()).astype("float32")
    k = categorical(weights, 1_000_000, numpy.random.default_rng(0))
    assert abs((k >= 50_000).sum() - 999) < 6 * math.sqrt(999)


def test_float32_weights_draw_what_float64_weights_draw():
    weights = numpy.random.default_rng(1).random(1000).astype("float32")
    k, same = (categorical(w, 20_000, numpy.random.default_rng(0))
               for w in (weights, weights.astype(float)))
    assert (k == same).all()


@pytest.mark.parametrize("weights", [[0.0, 0.0], [-1.0, 2.0], [], [1e308, 1e308]])
def test_weights_that_are_no_shares_draw_nothing(weights):
    with pytest.raises(ValueError, match="weights must be numbers from 0 to 1e290 and not all 0"):
        categorical(weights, 3, numpy.random.default_rng(0))


def test_a_last_category_of_weight_0_is_not_drawn_by_rounding():
    fixed = SimpleNamespace(random=lambda n, dtype: numpy.array([numpy.nextafter(1, 0)]),
                            standard_normal=print, integers=print)      # never called
    assert categorical(numpy.array([0.1] * 7 + [0.0]), 1, fixed).tolist() == [6]


@pytest.mark.parametrize("low, high", [([0.0] * 13, [1e3] * 13), ([0.0] * 2, [1e-23] * 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_histogram_of_equal_masses_is_the_box_whatever_its_volume(low, high, dtype):
    low, high = numpy.array([low, high], dtype=dtype)
    p = Histogram(SampleSpace(low, high), numpy.full((2,) * len(low), 0.5**len(low), dtype=dtype))
    X = high[None] / 2
    assert numpy.isfinite(p.log_prob(X)).all()
    numpy.testing.assert_allclose(p.log_prob(X), Box(low, high).log_prob(X), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_of_a_histogram_of_many_cells_lie_in_their_own_cell(dtype):
    space = SampleSpace(*numpy.array([[-1], [1]], dtype=dtype))
    masses = (numpy.arange(100_000) % 2 / 50_000).astype(dtype)
    X = Histogram(space, masses).sample(50_000, numpy.random.default_rng(0))
    assert (masses[space.cell(X, 100_000)] > 0).all()


@pytest.mark.parametrize("low, high, cells, dtype", [
    (1e6, 1e6 + 1, 1000, "float32"), (1e6, 1e6 + 1, 5, "float32"), (0, 1, 2**23, "float32"),
    (1e15, 1e15 + 10, 100, "float64"), (-1e-45, 1e-45, 4, "float32")])
def test_cells_narrower_than_numbers_can_tell_are_refused(low, high, cells, dtype):
    space = SampleSpace(*numpy.array([[low], [high]], dtype=dtype))
    for make in (lambda: Histogram(space, numpy.full(cells, 1 / cells)),
                 lambda: HistogramFamily(space, (cells,))):
        with pytest.raises(ValueError, match=f"makes {cells} cells of width .* numbers of {dtype} "
                                             "are up to .* apart"):
            make()


def test_a_single_cell_may_be_as_narrow_as_its_space():
    space = SampleSpace([0.0], [5e-324])
    X = Histogram(space, [1.0]).sample(9, numpy.random.default_rng(0))
    assert space.contains(X).all() and HistogramFamily(space, (1,)).n_parameters == 1


@pytest.mark.parametrize("low, high, cells, dtype", [
    (1e6, 1e6 + 1, 4, "float32"), (1e6 + 0.1, 1e6 + 97, 383, "float32"), (0, 1, 2**22, "float32"),
    (1e15, 1e15 + 10, 20, "float64"), (-2e7 / 3, -2e7 / 3 + 11, 5, "float32")])
def test_in_the_narrowest_cells_that_are_taken_each_sample_lies_in_its_own(low, high, cells, dtype):
    space = SampleSpace(*numpy.array([[low], [high]], dtype=dtype))
    masses = numpy.arange(cells) % 2 * 1.0
    X = Histogram(space, masses / masses.sum()).sample(20_000, numpy.random.default_rng(0))
    assert (space.cell(X, cells) % 2 == 1).all()


def test_whole_numbers_as_parameters_leave_the_decimals_of_the_data():
    X = numpy.array([[0.5], [0.25]])
    for whole, real in [
            (Normal([0], [[1]]), Normal([0.0], [[1.0]])),
            (Normal.from_cholesky(numpy.array([0]), numpy.array([[1]])), Normal([0.0], [[1.0]])),
            (Box(numpy.array([0]), numpy.array([1])), Box([0.0], [1.0])),
            (Mixture(numpy.array([1]), [Normal([0], [[1]])]), Normal([0.0], [[1.0]]))]:
        assert (whole.log_prob(X) == real.log_prob(X)).all()
        sample = whole.sample(5, numpy.random.default_rng(0))
        assert sample.dtype == float and (sample % 1 != 0).all()


@pytest.mark.parametrize("mu, L, words", [
    ([0.0, 0.0], numpy.ones((2, 2)), "L must be lower triangular with a positive diagonal"),
    ([0.0, 0.0], numpy.diag([1.0, 0.0]), "L must be lower triangular with a positive diagonal"),
    ([0.0], numpy.eye(2), r"got shapes \(1,\) and \(2, 2\)"),
    ([0.0, NAN], numpy.eye(2), "mu holds nan")])
def test_a_matrix_that_is_not_a_cholesky_factor_is_refused(mu, L, words):
    with pytest.raises(ValueError, match=words):
        Normal.from_cholesky(mu, L)


def test_a_normal_far_away_has_the_density_0_and_overflows_nowhere():
    p = Normal.from_cholesky(numpy.zeros(2), numpy.array([[1e-150, 0], [1.0, 1e-150]]))
    assert p.log_prob([[1e10, -1e10]]).tolist() == [-INF]


# Errata

def test_e04_a_density_may_be_any_number_from_0_on_and_only_masses_are_at_most_one():
    def density(p, x):
        return float(numpy.exp(p.log_prob([x]))[0])

    box = Box([0.0, 0.0], [0.1, 0.1])
    narrow = Normal([0.0], [[1e-6]])            # σ = 1/1000
    new_york = density(WorldMap(), [40.7306, -73.9352])                 # per square degree
    assert density(box, [0.05, 0.05]) == pytest.approx(100)
    assert density(narrow, [0.0]) == pytest.approx(1000 / math.sqrt(2 * math.pi))
    assert new_york < 1 < new_york * float(WORLD.volume)                # the map as unit square

    for side in (1e-1, 1e-3, 1e-100):                       # there is no largest density
        assert density(Box([0.0], [side]), [side / 2]) == pytest.approx(1 / side)
        assert density(Box([0.0], [side]), [-side]) == 0    # and 0 is the smallest

    space = SampleSpace([-1.0, -1.0], [1.0, 1.0])
    X, cell = space.grid((200, 200))
    for p in (box, Normal([0.0, 0.0], [[1e-3, 0.0], [0.0, 1e-3]])):
        masses = numpy.exp(p.log_prob(X)) * cell            # of 40,000 cells
        assert numpy.exp(p.log_prob(X)).max() > 99 and masses.max() < 0.02
        for part in (X[:, 0] < 0.05, X.sum(axis=1) < 0.1, X[:, 1] > 0.02, masses > 0):
            assert 0 <= masses[part].sum() <= 1 + 1e-12     # the mass of a region
        assert masses.sum() == pytest.approx(1)


def test_e05_to_integrate_to_1_is_not_enough_for_a_density():
    X, cell_volume = SampleSpace([0.0], [2.0]).grid((200,))
    values = 1.5 - X[:, 0]
    assert float(values.sum() * cell_volume) == pytest.approx(1) and float(values.min()) < 0
    with pytest.raises(ValueError, match="none negative"):
        Histogram(SampleSpace([0.0], [2.0]), values * cell_volume)


def test_e16_a_point_of_the_support_has_probability_0():
    p, x = Box([0.0, 0.0], [4.0, 4.0]), numpy.array([1.0, 2.0])
    assert float(p.log_prob(x[None])[0]) > -INF
    for side in (1, 0.1, 0.01, 1e-3):                                   # of a square around x
        mass = total_mass(p, SampleSpace(x - side / 2, x + side / 2), (1, 1))
        assert float(mass) == pytest.approx(side**2 / 16)
    assert not ((p.sample(N, numpy.random.default_rng(0)) == x).all(axis=1)).any()


def test_e19_a_random_point_of_the_box_need_not_be_uniform():
    box, rng = Box([0.0, 0.0], [1.0, 1.0]), numpy.random.default_rng(0)

    def p_value(X):
        """χ² of the counts in 10 x 10 cells against the uniform distribution."""
        cell = box.space.cell(X, (10, 10))
        return scipy.stats.chisquare(numpy.bincount(cell, minlength=100)).pvalue

    uniform = box.sample(N, rng)
    between_two = (box.sample(N, rng) + box.sample(N, rng)) / 2         # as random, in the same box
    assert box.space.contains(between_two).all()
    assert p_value(uniform) > 1e-6 and p_value(between_two) < 1e-100


def test_e26_samples_come_nowhere_near_the_mode_in_1000_dimensions():
    p = Normal(numpy.zeros(1000), numpy.eye(1000))
    X = p.sample(1000, numpy.random.default_rng(0))
    below_the_mode = p.log_prob(numpy.zeros((1, 1000))) - p.log_prob(X)
    assert below_the_mode.min() > 350                                   # |x|²/2, about 500 ± 22
    distance = numpy.sqrt(2 * below_the_mode)
    assert abs(distance - math.sqrt(1000)).max() < 6 * math.sqrt(0.5)   # a thin shell


# Extremes

@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("u", [-100.0, 100.0])
def test_the_log_density_is_finite_100_standard_deviations_out(dtype, u):
    a = partial(numpy.asarray, dtype=dtype)
    normal = Normal(a([1.0]), a([[4.0]]))
    expected = -5000 - math.log(2) - 0.5 * math.log(2 * math.pi)
    for p in (normal, Mixture(a([1.0]), [normal]), KernelDensity(a([[1.0]]), 2.0)):
        log_p = float(p.log_prob(a([[1 + 2 * u]]))[0])
        assert log_p == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("sigma", [1e-150, 1e-8, 1e8, 1e150])
def test_the_log_density_is_right_at_any_scale_of_the_data(sigma):
    U = numpy.random.default_rng(0).standard_normal((50, 2))
    S = numpy.array([[2, -1.2], [-1.2, 1]])
    p, q = (Normal(numpy.zeros(2), s**2 * S) for s in (sigma, 1.0))
    numpy.testing.assert_allclose(p.log_prob(sigma * U),
                                  q.log_prob(U) - 2 * math.log(sigma), rtol=1e-12)
    r, s = KernelDensity(sigma * U[:9], sigma), KernelDensity(U[:9], 1.0)
    numpy.testing.assert_allclose(r.log_prob(sigma * U),
                                  s.log_prob(U) - 2 * math.log(sigma), rtol=1e-12)


def exact_log_normal(S, x):
    """log N(x; 0, S) in the plane by rational arithmetic."""
    (a, b), (_, c), x, y = *(map(Fraction, row) for row in S.tolist()), *map(Fraction, x.tolist())
    det = a * c - b * b
    return (-float((c * x**2 - 2 * b * x * y + a * y**2) / det) / 2
            - math.log(det) / 2 - math.log(2 * math.pi))


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6, 1e8, 1e10, 1e12, 1e14, 1e16])
def test_an_ill_conditioned_covariance_is_handled_to_1e_6_or_refused(condition):
    handled = 0
    for angle in numpy.linspace(0.1, 3, 20):
        R = numpy.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        S = R @ numpy.diag([1, 1 / condition]) @ R.T
        S = (S + S.T) / 2
        try:
            p = Normal([0, 0], S)
        except ValueError:
            continue
        handled += 1
        X = p.sample(10, numpy.random.default_rng(0))
        numpy.testing.assert_allclose(p.log_prob(X), [exact_log_normal(S, x) for x in X],
                                      rtol=1e-6, atol=1e-6)
    assert handled == 20 if condition <= 1e6 else handled == 0 if condition >= 1e12 else True


def test_units_that_differ_by_any_factor_make_no_ill_conditioned_covariance():
    S = numpy.array([[1e-14, 0.5e-7], [0.5e-7, 1]])                     # condition 1e14, ρ = 0.5
    p = Normal([0, 0], S)
    X = p.sample(20, numpy.random.default_rng(0))
    numpy.testing.assert_allclose(p.log_prob(X), [exact_log_normal(S, x) for x in X], rtol=1e-13)


def test_integer_corners_give_the_volume_in_floating_point():
    side = numpy.array([60_000, 60_000], dtype=numpy.int32)
    assert Box(-side, side).log_prob([[0, 0]])[0] == pytest.approx(-2 * math.log(120_000))


# Refusals

UNIT, ONE = SampleSpace([0], [1]), Normal([0], [[1]])


@pytest.mark.parametrize("make, error, words", [
    (lambda: Box([0, 1], [1, 0]), ValueError, "low must be below high"),
    (lambda: Box([0, 1], [1, 1]), ValueError, "low must be below high"),
    (lambda: Box([0], [1, 1]), ValueError, r"low and high must both have shape \(d,\)"),
    (lambda: Box([0], [NAN]), ValueError, "high holds nan"),
    (lambda: Box(["0"], ["1"]), TypeError, "low must hold real numbers"),
    (lambda: Normal(0, [[1]]), ValueError, r"mu must have shape \(d,\) .* \(d, d\), got shapes"),
    (lambda: Normal([0], [1]), ValueError, r"covariance \(d, d\), got shapes \(1,\) and \(1,\)"),
    (lambda: Normal([0, 0], [[1, 0]]), ValueError, r"got shapes \(2,\) and \(1, 2\)"),
    (lambda: Normal([0, 0], [[1, 0], [0]]), ValueError, "covariance is ragged"),
    (lambda: Normal([NAN], [[1]]), ValueError, "mu holds nan"),
    (lambda: Normal([0], [[NAN]]), ValueError, "covariance holds nan"),
    (lambda: Normal([0], [[0]]), ValueError, "covariance must be positive definite"),
    (lambda: Normal([0], [[-1]]), ValueError, "covariance must be positive definite"),
    (lambda: Normal([0, 0], [[1, 2], [2, 1]]), ValueError, "covariance must be positive definite"),
    (lambda: Normal([0, 0], [[1, 1], [1, 1]]), ValueError, "covariance must be positive definite"),
    (lambda: Normal([0, 0], [[1, 0.1], [0, 1]]), ValueError, "covariance must be symmetric"),
    (lambda: Mixture([0.5, 0.6], [ONE, ONE]), ValueError, "weights must sum to 1, got a sum of"),
    (lambda: Mixture([0, 0], [ONE, ONE]), ValueError, "weights must sum to 1, got a sum of 0"),
    (lambda: Mixture([1.5, -0.5], [ONE, ONE]), ValueError, "weights must be .* none negative"),
    (lambda: Mixture([0.5, NAN], [ONE, ONE]), ValueError, "weights holds nan"),
    (lambda: Mixture([1], [ONE, ONE]), ValueError, r"weights must have shape \(2,\), one for each"),
    (lambda: Mixture([], []), ValueError, "weights must be one or more numbers"),
    (lambda: Histogram(UNIT, [0.5, 0.6]), ValueError, "masses must sum to 1"),
    (lambda: Histogram(UNIT, [1.5, -0.5]), ValueError, "masses must be .* none negative"),
    (lambda: Histogram(UNIT, [[0.5, 0.5]]), ValueError, "masses must have one axis for each"),
    (lambda: Histogram(UNIT, []), ValueError, "masses must be one or more numbers"),
    (lambda: Histogram(UNIT, [INF]), ValueError, "masses holds inf"),
])
def test_parameters_that_make_no_density_are_refused_at_construction(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_mixture_of_what_can_only_be_sampled_says_so():
    only_samples = SimpleNamespace(sample=lambda n, rng: numpy.zeros((n, 1)))
    p = Mixture([1.0], [only_samples])
    assert p.sample(2, numpy.random.default_rng(0)).shape == (2, 1)
    with pytest.raises(TypeError, match=r"components\[0\] must have the methods log_prob"):
        p.log_prob([[0.0]])
