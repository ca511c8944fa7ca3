"""Change of units: a density per square degree and one per square of another unit are one."""

import math
import pickle
from types import SimpleNamespace

import numpy
import pytest
from scipy import stats

from gdl_numpy.probability.change_of_units import SIGNS, InUnits, OnBox, to_plane
from gdl_numpy.probability.density import Box, Normal
from gdl_numpy.probability.divergence import total_mass
from gdl_numpy.probability.normal_family import NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.taxonomy import branch

DEGREES = numpy.array([90.0, 180.0])
P = Normal([0.1, -0.2], [[0.05, 0.02], [0.02, 0.04]])


def test_log_p_of_x_is_log_p_of_x_over_unit_minus_the_logarithm_of_the_determinant():
    X = numpy.random.default_rng(0).uniform(-1, 1, (100, 2)) * DEGREES
    numpy.testing.assert_allclose(InUnits(P, DEGREES).log_prob(X),
                                  P.log_prob(X / DEGREES) - math.log(90 * 180), rtol=1e-13)


def test_a_stretched_normal_is_the_normal_of_the_stretched_data():
    stretched = Normal(DEGREES * P.mu, DEGREES[:, None] * P.covariance * DEGREES)
    X = numpy.random.default_rng(1).uniform(-1, 1, (100, 2)) * DEGREES
    numpy.testing.assert_allclose(InUnits(P, DEGREES).log_prob(X), stretched.log_prob(X),
                                  rtol=1e-12)


@pytest.mark.parametrize("unit", [[90.0, 180.0], [-1e-3, 7.0], [1.0, 1.0]])
def test_the_mass_is_1_in_every_unit_a_mirrored_one_too(unit):
    corner = 1.5 * abs(numpy.array(unit))
    mass = total_mass(InUnits(P, unit), SampleSpace(-corner, corner), (300, 300))
    assert mass == pytest.approx(1, abs=1e-6)


def test_samples_are_those_of_p_times_the_unit():
    drawn = InUnits(P, DEGREES).sample(50, numpy.random.default_rng(2))
    assert (drawn == DEGREES * P.sample(50, numpy.random.default_rng(2))).all()


def test_units_of_units_are_multiplied():
    X = numpy.random.default_rng(3).uniform(-5, 5, (20, 2))
    twice, once = InUnits(InUnits(P, [2.0, 3.0]), [5.0, 0.5]), InUnits(P, [10.0, 1.5])
    numpy.testing.assert_allclose(twice.log_prob(X), once.log_prob(X), rtol=1e-12)


def test_a_bound_moves_as_log_p_does_and_an_energy_the_other_way():
    """exp(-E)/Z = p in both units, with one Z."""
    p = SimpleNamespace(energy=lambda U: -P.log_prob(U) + 5, **{
        name: P.log_prob for name in SIGNS if name != "energy"})
    q, X = InUnits(p, DEGREES), numpy.array([[9.0, 90.0], [0.0, 0.0]])
    expected = P.log_prob(X / DEGREES) - math.log(90 * 180)
    for name in ("log_prob", "elbo", "importance_weighted", "flow_log_prob"):
        assert getattr(q, name)(X) == pytest.approx(expected, rel=1e-13)
    assert -q.energy(X) + 5 == pytest.approx(expected, rel=1e-13)


def test_options_of_a_method_reach_it():
    p = SimpleNamespace(elbo=lambda U, rng, n_samples=1: U[:, 0] * rng + n_samples)
    assert InUnits(p, [2.0]).elbo([[4.0]], 10, n_samples=3) == pytest.approx(23 - math.log(2))


def test_it_can_do_what_p_can_and_no_more():
    p = InUnits(P, DEGREES)
    assert hasattr(p, "log_prob") and not any(map(lambda name: hasattr(p, name), (
        "elbo", "energy", "importance_weighted", "flow_log_prob", "theta", "mu")))
    assert branch(p) == branch(P) == ("explicit density", "tractable")
    assert branch(InUnits(SimpleNamespace(sample=P.sample), [1.0])) == ("implicit density",)
    with pytest.raises(AttributeError, match="a density in other units has no 'mu'"):
        p.mu  # noqa: B018


def test_the_density_of_the_whole_map_is_one_over_its_area_in_square_degrees():
    p = InUnits(Box([-1, -1], [1, 1]), [90, 180])
    assert p.log_prob([[90, 180], [90.1, 0]]).tolist() == [-math.log(64_800), -math.inf]


def test_a_member_of_a_family_may_be_put_into_other_units():
    p = InUnits(NormalFamily(2)(numpy.zeros(5)), DEGREES)
    expected = -0.5 * (0.1**2 + 0.5**2) - math.log(2 * math.pi) - math.log(90 * 180)
    assert p.log_prob([[9.0, 90.0]]) == pytest.approx([expected])


def test_many_long_units_have_a_finite_determinant():
    for unit in (1e3, 1e-200):
        p = InUnits(Box(numpy.zeros(150), numpy.ones(150)), numpy.full(150, unit))
        assert p.log_prob(numpy.full((1, 150), unit / 2)) == pytest.approx([-150 * math.log(unit)])


def test_a_density_in_fewer_dimensions_than_units_draws_nothing():
    with pytest.raises(ValueError, match="what p draws has 1 columns"):
        InUnits(Box([0.0], [1.0]), [2.0, 3.0]).sample(3, numpy.random.default_rng(0))


# A box instead of the plane

CORNERS = numpy.array([[-90.0, 0.0], [90.0, 360.0]])


def test_a_logistic_density_is_uniform_on_the_box():
    """P(u <= a) of a logistic u with scale 1/2 is (1 + tanh a)/2, that of a uniform tanh u."""
    p = SimpleNamespace(sample=P.sample,
                        log_prob=lambda U: stats.logistic.logpdf(U, scale=0.5).sum(axis=1))
    X = numpy.random.default_rng(0).uniform(*CORNERS, (100, 2))
    assert OnBox(p, *CORNERS).log_prob(X) == pytest.approx(-math.log(64_800), rel=1e-12)


def test_the_mass_on_the_box_is_1():
    mass = total_mass(OnBox(P, *CORNERS), SampleSpace(*CORNERS), (300, 300))
    assert mass == pytest.approx(1, abs=1e-6)


def test_what_is_taken_to_the_plane_comes_back_and_the_slope_is_that_of_differences():
    X, step = numpy.random.default_rng(0).uniform(*CORNERS, (20, 2)), 1e-5
    U, log_slope = to_plane(X, *CORNERS)
    numpy.testing.assert_allclose([0, 180] + DEGREES * numpy.tanh(U), X, rtol=1e-12, atol=1e-12)
    slopes = [2 * step / (to_plane(X + step * e, *CORNERS)[0] - to_plane(X - step * e, *CORNERS)[0]
                          )[:, i] for i, e in enumerate(numpy.eye(2))]
    numpy.testing.assert_allclose(log_slope, numpy.log(slopes).sum(axis=0), rtol=1e-6)


def test_off_the_box_nothing_is_possible():
    """Just beyond the border too; an energy is infinite there."""
    p = OnBox(SimpleNamespace(sample=P.sample, elbo=P.log_prob, energy=lambda U: -P.log_prob(U)),
              *CORNERS)
    X = [[90.0000001, 180.0], [0.0, -200.0], [45.0, 270.0]]
    assert p.elbo(X)[:2].tolist() == [-math.inf] * 2 and p.energy(X)[:2].tolist() == [math.inf] * 2
    assert p.energy(X)[2] == -p.elbo(X)[2] == pytest.approx(
        math.log(90 * 0.75) + math.log(180 * 0.75)
        - P.log_prob([[0.5 * math.log(3)] * 2])[0], rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_border_counts_as_the_nearest_number_inside(dtype):
    p = OnBox(P, *numpy.array([[-1, -1], [1, 1]], dtype))
    inside = numpy.nextafter(numpy.ones(2, dtype), numpy.zeros(2, dtype))
    X = numpy.array([[1, -1], [1, -1] * inside, [-1, 1]], dtype)
    log_p = p.log_prob(X)
    assert numpy.isfinite(log_p).all() and log_p[0] == pytest.approx(log_p[1], rel=0.05)
    U, log_slope = to_plane(X, p.low, p.high)
    assert numpy.isfinite(U).all() and numpy.isfinite(log_slope).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_off_the_box_nothing_overflows(dtype):
    """Whatever the precision of the corners; what lies off by 1e-9 does so in their precision."""
    p = OnBox(P, *numpy.array([[-1, -1], [1, 1]], dtype))
    X = numpy.array([[1e300, 0.0], [0.0, -1e39], [1 + 1e-9, 0.0]])
    assert p.log_prob(X).tolist() == [-math.inf] * 3
    assert p.log_prob(numpy.float32([[1e38, 0]])).tolist() == [-math.inf]


def test_the_sides_of_a_box_are_numbers_that_its_precision_holds():
    p = OnBox(Normal([0.0], [[1.0]]), [-8e307], [8e307])
    assert p.log_prob([[7e307]]) == pytest.approx(
        [stats.norm.logpdf(0.5 * math.log(15)) - math.log(2 * 15 / 16) - math.log(1e307)])
    for make in (lambda: OnBox(P, [-1e308] * 2, [1e308] * 2),
                 lambda: OnBox(P, *numpy.float32([[-3e38] * 2, [3e38] * 2])),
                 lambda: to_plane([[0.0]], [-1e308], [1e308]),
                 lambda: to_plane([[0.0]], [0.0], [1e-310])):
        with pytest.raises(ValueError, match="neither too small nor too large|finite|infinite"):
            make()


def test_samples_on_the_box_are_a_sigmoid_of_those_of_p():
    """sigmoid(2u) = (1 + tanh u)/2."""
    X = OnBox(P, *CORNERS).sample(50, numpy.random.default_rng(2))
    V = numpy.tanh(P.sample(50, numpy.random.default_rng(2)))
    numpy.testing.assert_allclose(X, [0, 180] + DEGREES * V, rtol=1e-12)


def test_wide_samples_stay_on_the_box_and_are_possible():
    p = OnBox(Normal(numpy.zeros(2), 900 * numpy.eye(2)), *CORNERS)
    X = p.sample(1000, numpy.random.default_rng(0))
    assert SampleSpace(*CORNERS).contains(X).all() and numpy.isfinite(p.log_prob(X)).all()


def test_a_density_on_a_box_can_do_what_p_can_and_no_more():
    p = OnBox(P, *CORNERS)
    assert branch(p) == branch(P) and not hasattr(p, "elbo")
    with pytest.raises(AttributeError, match="a density on a box has no 'mu'"):
        p.mu  # noqa: B018


# State and refusals

def test_samples_have_the_dtype_of_the_unit_and_log_p_that_of_p():
    p = Normal(numpy.zeros(2, "float32"), numpy.eye(2, dtype="float32"))
    X = p.sample(5, numpy.random.default_rng(0))
    for dtype in ("float32", "float64"):
        q = InUnits(p, DEGREES.astype(dtype))
        assert q.log_prob(X).dtype == numpy.float32
        assert q.sample(5, numpy.random.default_rng(0)).dtype == dtype


def test_it_can_be_pickled_and_says_what_it_is():
    on_box = OnBox(Box([0.0], [1.0]), [0.0], [2.0])
    assert pickle.loads(pickle.dumps(on_box)).log_prob([[1.5]]) == on_box.log_prob([[1.5]])
    assert repr(on_box) == "OnBox(p=Box(low=[0.], high=[1.]), low=[0.], high=[2.])"
    p = InUnits(Box([0], [1]), [3.0])
    assert pickle.loads(pickle.dumps(p)).log_prob([[2.0]]) == p.log_prob([[2.0]])
    assert repr(p) == "InUnits(p=Box(low=[0.], high=[1.]), unit=[3.])"


@pytest.mark.parametrize("unit, error, words", [
    ([1.0, 0.0], ValueError, r"unit must have shape \(d,\) and hold no 0, got \[1. 0.\]"),
    (2.0, ValueError, r"unit must have shape \(d,\)"),
    ([math.nan, 1.0], ValueError, "unit holds nan"),
    (["degree"], TypeError, "unit must hold real numbers"),
])
def test_a_unit_of_wrong_shape_or_with_a_0_is_refused(unit, error, words):
    with pytest.raises(error, match=words):
        InUnits(P, unit)


@pytest.mark.parametrize("args, error, words", [
    ((P, [0.0, 1.0], [1.0, 1.0]), ValueError, "low must be below high"),
    ((SimpleNamespace(d=2, sample=P.sample), [0.0], [1.0]), ValueError,
     r"low and high must have shape \(2,\), got \(1,\)"),
    ((3, [0.0], [1.0]), TypeError, "p must"),
])
def test_a_box_that_does_not_suit_p_is_refused(args, error, words):
    with pytest.raises(error, match=words):
        OnBox(*args)


@pytest.mark.parametrize("X, low, words", [
    ([[0.0, 361.0]], [-90.0, 0.0], r"\[-90, 90\] x \[0, 360\]"),
    ([[0.0, math.nan]], [-90.0, 0.0], "X holds nan"),
    ([[0.0, 1.0]], [-90.0], "low and high must both have shape"),
])
def test_only_points_of_the_box_are_taken_to_the_plane(X, low, words):
    with pytest.raises(ValueError, match=words):
        to_plane(X, low, [90.0, 360.0])


def test_points_of_another_dimension_than_the_unit_are_refused():
    with pytest.raises(ValueError, match="X has 3 columns"):
        InUnits(P, DEGREES).log_prob(numpy.zeros((4, 3)))


def test_a_float32_unit_leaves_float64_data_their_precision():
    p = Normal(numpy.array([5e8]), numpy.eye(1))
    found = InUnits(p, numpy.float32([2])).log_prob(numpy.array([[1e9 + 1]]))
    assert found == pytest.approx(p.log_prob([[5e8 + 0.5]]) - math.log(2), rel=1e-12)
