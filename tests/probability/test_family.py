"""Families: one vector θ, the density it stands for, its gradient, and its estimate from data."""

import math

import numpy
import pytest
import stand_in_cupy
from gradient import check_gradient

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.density import Box
from gdl_numpy.probability.family import BoxFamily, HistogramFamily
from gdl_numpy.probability.likelihood import log_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace

INF, NAN = math.inf, math.nan


def cube(d):
    """The space [-9, 9]^d."""
    return SampleSpace([-9.0] * d, [9.0] * d)


DIFFERENTIABLE = {                                          # each in the array module xp
    "normal on a line": lambda xp=numpy: NormalFamily(1),
    "normal in space": lambda xp=numpy: NormalFamily(3),
    "mixture of one": lambda xp=numpy: MixtureFamily(1, 2),
    "mixture on a line": lambda xp=numpy: MixtureFamily(4, 1),
    "mixture": lambda xp=numpy: MixtureFamily(3, 2),
    "histogram on a line": lambda xp=numpy: HistogramFamily(cube(1).on(xp), (5,)),
    "histogram": lambda xp=numpy: HistogramFamily(cube(2).on(xp), (3, 4)),
}
FITTABLE = {
    "box": lambda xp=numpy: BoxFamily(2),
    "normal": lambda xp=numpy: NormalFamily(2),
    "histogram": lambda xp=numpy: HistogramFamily(cube(2).on(xp), (3, 4)),
    "histogram with a pseudocount": lambda xp=numpy: HistogramFamily(cube(2).on(xp), (3, 4), 0.5),
}
differentiable = pytest.mark.parametrize("make", DIFFERENTIABLE.values(), ids=DIFFERENTIABLE)
fittable = pytest.mark.parametrize("make", FITTABLE.values(), ids=FITTABLE)
every_family = pytest.mark.parametrize("make", (FITTABLE | DIFFERENTIABLE).values(),
                                       ids=FITTABLE | DIFFERENTIABLE)


def dimension(family):
    return family.d if hasattr(family, "d") else len(family.shape)


def theta_and_X(family, make_rng=numpy.random.default_rng, n=200):
    """A random θ and n points of the cube of side 16 around 0."""
    rng = make_rng(0)
    theta = rng.standard_normal(family.n_parameters)
    return theta, 16 * rng.random((n, dimension(family))) - 8


# θ and the density it stands for

@differentiable
def test_log_prob_in_theta_is_log_prob_of_the_density(make):
    family = make()
    theta, X = theta_and_X(family)
    value, _ = family.log_prob(theta, X)
    numpy.testing.assert_allclose(value, family(theta).log_prob(X), rtol=1e-12)


@differentiable
@pytest.mark.parametrize("scale", [0.1, 1, 10])
def test_every_vector_is_a_valid_theta(make, scale):
    family = make()
    theta, X = theta_and_X(family)
    for p in (family(scale * theta), family(-scale * theta)):
        assert numpy.isfinite(p.log_prob(X)).all()


def test_theta_of_a_box_is_its_corners():
    p = BoxFamily(2)(numpy.array([-1.0, 0.0, 2.0, 5.0]))
    assert isinstance(p, Box)
    assert (p.low.tolist(), p.high.tolist()) == ([-1, 0], [2, 5])


def test_theta_of_a_histogram_is_the_logarithm_of_its_masses_up_to_a_constant():
    family = HistogramFamily(cube(1), (4,))
    p = family(numpy.array([math.log(2) + 7, 7.0, -INF, 7.0]))
    numpy.testing.assert_allclose(p.masses, [0.5, 0.25, 0, 0.25], rtol=1e-14)


@differentiable
def test_an_initial_theta_is_a_start_that_the_seed_fixes(make):
    family = make()
    theta, again, other = (family.initial_theta(numpy.random.default_rng(s)) for s in (0, 0, 1))
    assert theta.shape == (family.n_parameters,)
    assert (theta == again).all() and (theta != other).any()
    X = family(theta).sample(10, numpy.random.default_rng(2))
    assert numpy.isfinite(family.log_prob(theta, X)[0]).all()
    with pytest.raises(TypeError, match="rng must be a generator"):
        family.initial_theta(0)


# Gradients

@differentiable
def test_the_gradient_is_that_of_central_differences(make):
    family = make()
    theta, X = theta_and_X(family)
    check_gradient(lambda theta: family.log_prob(theta, X), theta, rng=numpy.random.default_rng(1))


@differentiable
def test_the_gradient_of_log_p_is_0_on_average_over_samples_of_p(make):
    """100 means of 200 rows each; within 4 standard errors, a false alarm in 8,000 per number."""
    family = make()
    theta = 0.5 * numpy.random.default_rng(0).standard_normal(family.n_parameters)
    X = family(theta).sample(20_000, numpy.random.default_rng(1))
    gradients = []
    for rows in X.reshape(100, 200, -1):
        log_p, backward = family.log_prob(theta, rows)
        gradients.append(backward(numpy.ones(200) / 200))
    error = numpy.std(gradients, axis=0, ddof=1) / math.sqrt(100)
    assert (abs(numpy.mean(gradients, axis=0)) < 4 * error + 1e-12).all()


@differentiable
def test_the_gradient_in_theta_is_linear_in_the_gradient_in_log_p(make):
    family = make()
    theta, X = theta_and_X(family)
    _, backward = family.log_prob(theta, X)
    g, h = numpy.random.default_rng(1).standard_normal((2, len(X)))
    numpy.testing.assert_allclose(backward(2 * g - h),
                                  2 * backward(g) - backward(h), rtol=1e-9, atol=1e-9)


@differentiable
def test_the_gradient_over_no_rows_is_0(make):
    family = make()
    theta, X = theta_and_X(family, n=0)
    log_p, backward = family.log_prob(theta, X)
    assert log_p.shape == (0,)
    assert backward(log_p).tolist() == [0] * family.n_parameters


# Estimates in closed form

def data(make_rng=numpy.random.default_rng, n=60):
    return make_rng(3).standard_normal((n, 2)) + 1


def test_the_estimated_box_has_the_extremes_of_the_data_as_its_corners():
    family, X = BoxFamily(2), data()
    theta = family.mle(X)
    assert theta.tolist() == [*X.min(axis=0), *X.max(axis=0)]
    log_volume = math.log(float((theta[2:] - theta[:2]).prod()))
    assert float(log_likelihood(family, theta, X)) == pytest.approx(-60 * log_volume, rel=1e-14)


def test_no_box_has_a_larger_likelihood_than_the_estimate():
    family, X, rng = BoxFamily(2), data(), numpy.random.default_rng(4)
    theta = family.mle(X)
    best, outward = log_likelihood(family, theta, X), numpy.array([-1.0, -1.0, 1.0, 1.0])
    for _ in range(1000):                                   # boxes that contain all points
        assert float(log_likelihood(family, theta + outward * rng.random(4), X)) < float(best)
    for i in range(4):                                      # a hair too small on one side
        smaller = theta.copy()
        smaller[i] -= outward[i] * 1e-12
        assert float(log_likelihood(family, smaller, X)) == -INF


@pytest.mark.parametrize("name", ["normal", "histogram"])
def test_the_estimate_is_stationary_and_no_neighbor_is_better(name):
    family, X = FITTABLE[name](), 16 * numpy.random.default_rng(0).random((500, 2)) - 8
    theta, rng = family.mle(X), numpy.random.default_rng(1)
    _, backward = family.log_prob(theta, X)
    assert abs(backward(numpy.ones(len(X)))).max() < 1e-9 * len(X)
    best = float(log_likelihood(family, theta, X))
    for size in (1e-3, 0.1, 1):
        for _ in range(20):
            other = theta + size * rng.standard_normal(family.n_parameters)
            assert float(log_likelihood(family, other, X)) < best


def test_the_estimated_histogram_has_the_shares_of_the_data():
    family = HistogramFamily(cube(1), (3,))
    X = [[-8], [-7], [-4], [0], [0], [8], [8], [9]]
    masses = family(family.mle(X)).masses
    numpy.testing.assert_allclose(masses, [3 / 8, 2 / 8, 3 / 8], rtol=1e-15)


def test_an_empty_cell_has_mass_0_unless_a_pseudocount_fills_it():
    X = numpy.array([[-8.0], [-7.0], [8.0]])
    theta = HistogramFamily(cube(1), (3,)).mle(X)
    assert theta[1] == -INF
    p = HistogramFamily(cube(1), (3,))(theta)
    numpy.testing.assert_allclose(p.masses, [2 / 3, 0, 1 / 3], rtol=1e-15)
    assert float(p.log_prob([[0.0]])[0]) == -INF
    family = HistogramFamily(cube(1), (3,), pseudocount=0.5)
    numpy.testing.assert_allclose(family(family.mle(X)).masses,
                                  [2.5 / 4.5, 0.5 / 4.5, 1.5 / 4.5], rtol=1e-15)


@pytest.mark.parametrize("name", ["box", "normal", "histogram"])
def test_the_order_of_the_rows_does_not_matter_nor_that_all_occur_twice(name):
    family, X = FITTABLE[name](), data()
    for other in (X[::-1], numpy.concatenate([X, X])):
        numpy.testing.assert_allclose(family.mle(other), family.mle(X),
                                      rtol=1e-13, atol=1e-13)


def test_the_estimate_moves_and_stretches_with_the_data():
    X, a, b = data(), numpy.array([3.0, 0.01]), numpy.array([-100.0, 7.0])
    Y = a * X + b
    p, q = (BoxFamily(2)(BoxFamily(2).mle(data)) for data in (X, Y))
    assert (q.low == a * p.low + b).all() and (q.high == a * p.high + b).all()

    here = SampleSpace([-9.0, -9.0], [9.0, 9.0])
    there = SampleSpace(a * here.low + b, a * here.high + b)
    assert (HistogramFamily(here, (3, 4), 1.0).mle(X)
            == HistogramFamily(there, (3, 4), 1.0).mle(Y)).all()


# Errata

def test_e13_a_rotated_rectangle_can_have_a_larger_likelihood():
    family, R = BoxFamily(2), numpy.array([[1.0, 1.0], [-1.0, 1.0]]) / math.sqrt(2)
    X = numpy.random.default_rng(0).random((1000, 2)) @ R   # a unit square turned by 45°
    upright = log_likelihood(family, family.mle(X), X)
    turned = log_likelihood(family, family.mle(X @ R.T), X @ R.T)      # |det R| = 1: same units
    assert float(turned) > float(upright) + 300             # nearly half the area: n log 2


def test_e14_four_numbers_are_a_box_only_if_low_is_below_high():
    family = BoxFamily(2)
    family([0, 0, 1, 1])
    for theta in ([1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 1]):
        with pytest.raises(ValueError, match="low must be below high in every coordinate"):
            family(theta)


# Arrays and refusals

@every_family
def test_theta_may_be_a_list(make):
    family = make()
    theta = numpy.arange(family.n_parameters) / 10
    X = numpy.zeros((1, dimension(family)))
    for kind in (list, tuple):
        assert family(kind(theta)).log_prob(X) == family(theta).log_prob(X)


@differentiable
def test_neither_theta_nor_X_is_changed(make):
    family = make()
    theta, X = theta_and_X(family)
    theta.flags.writeable = X.flags.writeable = False
    value, backward = family.log_prob(theta, X)
    value.flags.writeable = False
    backward(value)
    family(theta).log_prob(X)


@fittable
def test_fitting_twice_is_fitting_once_and_data_are_only_read(make):
    family, X = make(), data()
    X.flags.writeable = False
    theta = family.mle(X)
    assert not numpy.shares_memory(theta, X)
    for other in (X, X.tolist()):
        assert numpy.array_equal(family.mle(other), theta)


def test_some_cells_of_a_histogram_may_be_empty_but_not_all():
    family = HistogramFamily(SampleSpace([0.0], [1.0]), (2,))
    log_p = family([0.0, -INF]).log_prob([[0.2], [0.7]])
    assert log_p.tolist() == [pytest.approx(math.log(2)), -INF]
    for theta in ([-INF, -INF], [0.0, INF], [NAN, -INF]):
        with pytest.raises(ValueError, match="theta holds"):
            family(theta)


def test_the_gradient_of_many_float32_rows_is_added_in_float64():
    family = HistogramFamily(SampleSpace([0.0], [1.0]), (2,))
    X = numpy.full((200_000, 1), 0.2, dtype="float32")
    log_p, backward = family.log_prob(numpy.zeros(2, dtype="float32"), X)
    given = numpy.full(len(X), 0.1, dtype="float32")
    expected = 0.5 * given.sum(dtype=float)
    assert backward(given) == pytest.approx([expected, -expected], rel=1e-6)


@every_family
def test_a_wrong_theta_is_refused(make):
    family = make()
    p, X = family.n_parameters, numpy.zeros((1, dimension(family)))
    for theta, error, words in [
            (numpy.zeros(p + 1), ValueError, rf"theta must .* \({p},\), got .*\({p + 1},\)"),
            (numpy.zeros((1, p)), ValueError, rf"theta must .* \({p},\), got .*\(1, {p}\)"),
            (0.0, ValueError, rf"theta must .* \({p},\), got"),
            ([NAN] * p, ValueError, "theta holds nan"),
            ([INF] * p, ValueError, "theta holds inf"),
            (["1"] * p, TypeError, "theta must hold real numbers")]:
        with pytest.raises(error, match=words):
            family(theta)
    if hasattr(family, "log_prob"):
        for theta in (numpy.zeros(p + 1), numpy.zeros((1, p)), [0.0] * p):
            with pytest.raises(ValueError, match=rf"theta must be an array of shape \({p},\), got"):
                family.log_prob(theta, X)


@differentiable
def test_rows_of_the_wrong_shape_or_not_finite_are_refused(make):
    family = make()
    theta, d = numpy.zeros(family.n_parameters), dimension(family)
    for X, words in [([[0.0] * (d + 1)], f"X has {d + 1} columns"),
                     ([0.0] * d, "X must have shape")]:
        with pytest.raises(ValueError, match=words):
            family.log_prob(theta, X)
    for x in (NAN, INF):                                    # the density checks, a step has no time
        with pytest.raises(ValueError, match=f"X holds {x}"):
            family(theta).log_prob([[x] * d])


@fittable
@pytest.mark.parametrize("X, error, words", [
    (numpy.zeros((0, 2)), ValueError, "X is empty"),
    ([], ValueError, r"X must have shape \(n, 2\)"),
    ([1.0, 2.0], ValueError, r"X must have shape \(n, 2\)"),
    ([[1.0, 2.0, 3.0]] * 4, ValueError, r"X has 3 columns; it must lie in R\^2"),
    ([[1.0, 2.0], [3.0]], ValueError, "X is ragged"),
    ([[1.0, NAN], [2.0, 3.0]], ValueError, "X holds nan"),
    ([[1.0, INF], [2.0, 3.0]], ValueError, "X holds inf"),
    ([["a", "b"]], TypeError, "X must hold real numbers"),
])
def test_a_data_set_of_the_wrong_shape_or_not_finite_is_refused(make, X, error, words):
    with pytest.raises(error, match=words):
        make().mle(X)


@pytest.mark.parametrize("make, error, words", [
    (lambda: BoxFamily(0), ValueError, "d must be at least 1, got 0"),
    (lambda: HistogramFamily(cube(2), (3,)), ValueError, r"shape has 1 entries; .* R\^2"),
    (lambda: HistogramFamily(cube(1), (0,)), ValueError, "shape must be at least 1"),
    (lambda: HistogramFamily(cube(1), (3,), -1), ValueError,
     r"pseudocount must lie in \[0, 1e100\], got -1"),
    (lambda: HistogramFamily(cube(1), (3,), NAN), ValueError,
     r"pseudocount must lie in \[0, 1e100\], got nan"),
])
def test_wrong_arguments_of_a_family_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_points_outside_the_grid_have_density_0_and_no_estimate():
    family, X = FITTABLE["histogram"](), [[0.0, 0.0], [10.0, 0.0]]
    with pytest.raises(ValueError, match=r"X must lie in the sample space, .* \[ *10"):
        family.mle(X)
    log_p, backward = family.log_prob(numpy.zeros(12), X)
    assert log_p.tolist() == [log_p[0], -INF] and numpy.isfinite(log_p[0])
    assert not backward(numpy.array([0.0, 1.0])).any()      # no θ changes what is outside


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("constant", [0.0, 0.1, -1 / 3, 1e6])
def test_a_point_or_a_constant_column_has_no_estimate(dtype, constant):
    varied = numpy.random.default_rng(0).standard_normal(100)
    column = numpy.full(100, constant)
    for X in (numpy.array([[constant, 2.0]]), numpy.array([[constant, 2.0]] * 9),
              numpy.stack([column, varied], axis=1), numpy.stack([varied, column], axis=1)):
        with pytest.raises(ValueError, match="X spans a box of volume 0"):
            BoxFamily(2).mle(X.astype(dtype))
        with pytest.raises(ValueError, match="X must vary in every column, got .* of variance"):
            NormalFamily(2).mle(X.astype(dtype))


def test_a_family_says_what_it_is():
    assert repr(HistogramFamily(cube(1), (3,), 1)) == (
        "HistogramFamily(space=SampleSpace(low=[-9.], high=[9.]), shape=(3,), pseudocount=1.0)")
    assert repr(MixtureFamily(3, 2)) == "MixtureFamily(n_components=3, d=2)"


# Contracts

@every_family
def test_a_density_keeps_its_own_theta(xp, make_rng, make):
    family = make(xp)
    theta, X = theta_and_X(family, make_rng)
    theta = abs(theta).cumsum() - 1                         # increasing: also the corners of a box
    p = family(theta)
    before = p.log_prob(X)
    theta += 1
    assert to_numpy(p.log_prob(X) == before).all()


@differentiable
def test_an_initial_theta_is_a_start_where_the_generator_lives(xp, make_rng, make):
    family = make(xp)
    theta, again, other = (family.initial_theta(make_rng(seed)) for seed in (0, 0, 1))
    assert theta.shape == (family.n_parameters,) and array_module(theta) is xp
    assert to_numpy(theta == again).all() and to_numpy(theta != other).any()
    X = family(theta).sample(10, make_rng(2))
    assert numpy.isfinite(to_numpy(family.log_prob(theta, X)[0])).all()


@differentiable
def test_value_and_gradient_follow_the_dtype_of_theta(xp, make_rng, make):
    family = make(xp)
    theta, X = theta_and_X(family, make_rng)
    expected, backward = family.log_prob(theta, X)
    value, backward32 = family.log_prob(theta.astype("float32"), X)
    gradient = backward32(xp.ones(len(X), dtype="float32"))
    assert value.dtype == gradient.dtype == numpy.float32
    numpy.testing.assert_allclose(to_numpy(value), to_numpy(expected), rtol=1e-4, atol=1e-4)
    exact = to_numpy(backward(xp.ones(len(X))))
    assert abs(to_numpy(gradient) - exact).max() < 1e-4 * abs(exact).max()


@differentiable
def test_the_device_agrees_with_numpy(xp, make_rng, make):
    theta, X = theta_and_X(make(numpy), numpy.random.default_rng)
    results = []
    for module in (numpy, xp):
        value, backward = make(module).log_prob(module.asarray(theta), module.asarray(X))
        gradient = backward(module.asarray(X[:, 0]))
        assert array_module(value) is array_module(gradient) is module
        results.append(numpy.concatenate([to_numpy(value), to_numpy(gradient)]))
    numpy.testing.assert_allclose(*results, rtol=1e-10, atol=1e-10)


@differentiable
def test_theta_and_X_on_two_devices_are_refused(device, make):
    theta, X = theta_and_X(make(numpy), numpy.random.default_rng)
    with pytest.raises(TypeError):
        make(numpy).log_prob(theta, device.asarray(X))
    with pytest.raises(TypeError):
        make(device).log_prob(device.asarray(theta), X)


@differentiable
def test_a_training_step_never_waits_for_the_device(make, device):
    family = make(device)
    rng = device.random.default_rng(0)
    theta, X = family.initial_theta(rng), rng.random((50, dimension(family)))
    minus_ones = -device.ones(len(X))
    with stand_in_cupy.counted() as n:
        log_p, backward = family.log_prob(theta, X)
        theta = theta - backward(minus_ones)
    assert n.waits == 0


@fittable
def test_an_estimate_lives_where_the_data_live_in_their_dtype(xp, make_rng, make):
    family, X = make(xp), data(make_rng)
    theta, theta32 = family.mle(X), family.mle(X.astype("float32"))
    assert array_module(theta) is array_module(theta32) is xp and theta32.dtype == "float32"
    finite = numpy.isfinite(to_numpy(theta))
    numpy.testing.assert_allclose(to_numpy(theta32)[finite], to_numpy(theta)[finite], rtol=1e-4)
