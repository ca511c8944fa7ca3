"""Families: one vector θ, the density it stands for, its gradient, and its estimate from data."""

import math

import numpy
import pytest
import stand_in_cupy
from gradient import check_gradient

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.density import Box, Mixture, Normal
from gdl_numpy.probability.divergence import total_mass
from gdl_numpy.probability.family import BoxFamily, HistogramFamily
from gdl_numpy.probability.likelihood import log_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace

INF, NAN = math.inf, math.nan


def space(xp, d):
    return SampleSpace(xp.asarray([-9.0] * d), xp.asarray([9.0] * d))


DIFFERENTIABLE = {
    "normal on a line": lambda xp: NormalFamily(1),
    "normal in space": lambda xp: NormalFamily(3),
    "mixture of one": lambda xp: MixtureFamily(1, 2),
    "mixture on a line": lambda xp: MixtureFamily(4, 1),
    "mixture": lambda xp: MixtureFamily(3, 2),
    "histogram on a line": lambda xp: HistogramFamily(space(xp, 1), (5,)),
    "histogram": lambda xp: HistogramFamily(space(xp, 2), (3, 4)),
}
FITTABLE = {
    "box": lambda xp: BoxFamily(2),
    "normal": lambda xp: NormalFamily(2),
    "histogram": lambda xp: HistogramFamily(space(xp, 2), (3, 4)),
    "histogram with a pseudocount": lambda xp: HistogramFamily(space(xp, 2), (3, 4), 0.5),
}
differentiable = pytest.mark.parametrize("make", DIFFERENTIABLE.values(), ids=DIFFERENTIABLE)
fittable = pytest.mark.parametrize("make", FITTABLE.values(), ids=FITTABLE)
every_family = pytest.mark.parametrize("make", (FITTABLE | DIFFERENTIABLE).values(),
                                       ids=FITTABLE | DIFFERENTIABLE)


def dimension(family):
    return family.d if hasattr(family, "d") else len(family.shape)


def theta_and_X(family, make_rng, n=200):
    """A random θ and n points of the cube of side 16 around 0."""
    rng = make_rng(0)
    theta = rng.standard_normal(family.n_parameters)
    return theta, 16 * rng.random((n, dimension(family))) - 8


# θ and the density it stands for

@differentiable
def test_log_prob_in_theta_is_log_prob_of_the_density(xp, make_rng, make):
    family = make(xp)
    theta, X = theta_and_X(family, make_rng)
    value, _ = family.log_prob(theta, X)
    numpy.testing.assert_allclose(to_numpy(value), to_numpy(family(theta).log_prob(X)), rtol=1e-12)


def test_a_mixture_loses_no_digits_to_a_component_far_away(xp):
    family = MixtureFamily(2, 1)
    theta = family.theta(xp.asarray([0.5, 0.5]), xp.asarray([[1e6], [0.0]]), xp.ones((2, 1, 1)))
    value, _ = family.log_prob(theta, xp.asarray([[1.0]]))
    assert float(value[0]) == pytest.approx(-0.5 - math.log(2) - 0.5 * math.log(2 * math.pi),
                                            rel=1e-15)


@differentiable
@pytest.mark.parametrize("scale", [0.1, 1, 10])
def test_every_vector_is_a_valid_theta(xp, make_rng, make, scale):
    family = make(xp)
    theta, X = theta_and_X(family, make_rng)
    for p in (family(scale * theta), family(-scale * theta)):
        assert numpy.isfinite(to_numpy(p.log_prob(X))).all()


@pytest.mark.parametrize("family", [NormalFamily(1), MixtureFamily(3, 1)])
def test_every_theta_gives_a_density_of_mass_1(xp, make_rng, family):
    for seed in range(3):
        p = family(make_rng(seed).standard_normal(family.n_parameters))
        wide = SampleSpace(xp.asarray([-120.0]), xp.asarray([120.0]))
        assert float(total_mass(p, wide, (40_000,))) == pytest.approx(1, abs=1e-9)


def test_theta_of_a_box_is_its_corners(xp):
    p = BoxFamily(2)(xp.asarray([-1.0, 0.0, 2.0, 5.0]))
    assert isinstance(p, Box)
    assert (to_numpy(p.low).tolist(), to_numpy(p.high).tolist()) == ([-1, 0], [2, 5])


@pytest.mark.parametrize("d", [1, 2, 4])
def test_theta_of_a_normal_goes_round(xp, make_rng, d):
    family = NormalFamily(d)
    theta = make_rng(d).standard_normal(family.n_parameters)
    p = family(theta)
    assert isinstance(p, Normal) and (to_numpy(p.mu) == to_numpy(theta[:d])).all()
    numpy.testing.assert_allclose(to_numpy(family.theta(p.mu, p.L)), to_numpy(theta), rtol=1e-14)


def test_theta_of_a_normal_is_mu_then_the_log_diagonal_then_the_rest_of_L(xp):
    p = NormalFamily(2)(xp.asarray([5.0, 6.0, math.log(2), math.log(3), 7.0]))
    assert to_numpy(p.mu).tolist() == [5, 6]
    numpy.testing.assert_allclose(to_numpy(p.L), [[2, 0], [7, 3]], rtol=1e-15)


def test_theta_of_a_mixture_goes_round_but_for_a_constant_in_the_logits(xp, make_rng):
    family = MixtureFamily(3, 2)
    theta = make_rng(0).standard_normal(family.n_parameters)
    p = family(theta)
    assert isinstance(p, Mixture)
    again = family.theta(p.weights, xp.stack([q.mu for q in p.components]),
                         xp.stack([q.L for q in p.components]))
    difference = to_numpy(again - theta)
    numpy.testing.assert_allclose(difference[:3], difference[0], rtol=1e-13)
    numpy.testing.assert_allclose(difference[3:], 0, atol=1e-14)


def test_theta_of_a_histogram_is_the_logarithm_of_its_masses_but_for_a_constant(xp):
    family = HistogramFamily(space(xp, 1), (4,))
    p = family(xp.asarray([math.log(2) + 7, 7.0, -INF, 7.0]))
    numpy.testing.assert_allclose(to_numpy(p.masses), [0.5, 0.25, 0, 0.25], rtol=1e-14)


@every_family
def test_a_density_keeps_its_own_theta(xp, make_rng, make):
    family = make(xp)
    theta, X = theta_and_X(family, make_rng)
    theta = abs(theta).cumsum() - 1                         # increasing: also the corners of a box
    p = family(theta)
    before = p.log_prob(X)
    theta += 1
    assert to_numpy(p.log_prob(X) == before).all()


@every_family
def test_theta_may_be_a_list(make):
    family = make(numpy)
    theta = numpy.arange(family.n_parameters) / 10
    X = numpy.zeros((1, dimension(family)))
    for kind in (list, tuple):
        assert family(kind(theta)).log_prob(X) == family(theta).log_prob(X)


@differentiable
def test_an_initial_theta_is_a_start_where_the_generator_lives(xp, make_rng, make):
    family = make(xp)
    theta, again, other = (family.initial_theta(make_rng(seed)) for seed in (0, 0, 1))
    assert theta.shape == (family.n_parameters,) and array_module(theta) is xp
    assert to_numpy(theta == again).all() and to_numpy(theta != other).any()
    X = family(theta).sample(10, make_rng(2))
    assert numpy.isfinite(to_numpy(family.log_prob(theta, X)[0])).all()


# Gradients

@differentiable
def test_the_gradient_is_that_of_central_differences(xp, make_rng, make):
    family = make(xp)
    theta, X = theta_and_X(family, make_rng)
    check_gradient(lambda theta: family.log_prob(theta, X), theta, rng=make_rng(1))


@differentiable
def test_the_mean_score_is_0(xp, make_rng, make):
    """100 means of 200 rows each; within 4 standard errors, a false alarm in 8,000 per number."""
    family = make(xp)
    theta = 0.5 * make_rng(0).standard_normal(family.n_parameters)
    X = family(theta).sample(20_000, make_rng(1))
    scores = []
    for rows in X.reshape(100, 200, -1):
        log_p, backward = family.log_prob(theta, rows)
        scores.append(to_numpy(backward(xp.ones(200) / 200)))
    error = numpy.std(scores, axis=0, ddof=1) / math.sqrt(100)
    assert (abs(numpy.mean(scores, axis=0)) < 4 * error + 1e-12).all()


@differentiable
def test_the_gradient_is_linear_in_what_comes_back(xp, make_rng, make):
    family = make(xp)
    theta, X = theta_and_X(family, make_rng)
    _, backward = family.log_prob(theta, X)
    g, h = make_rng(1).standard_normal((2, len(X)))
    numpy.testing.assert_allclose(to_numpy(backward(2 * g - h)),
                                  to_numpy(2 * backward(g) - backward(h)), rtol=1e-9, atol=1e-9)


@differentiable
def test_no_rows_have_no_gradient(xp, make_rng, make):
    family = make(xp)
    theta, X = theta_and_X(family, make_rng, n=0)
    log_p, backward = family.log_prob(theta, X)
    assert log_p.shape == (0,)
    assert to_numpy(backward(log_p)).tolist() == [0] * family.n_parameters


# Arrays

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
def test_theta_and_X_are_only_read(make):
    family = make(numpy)
    theta, X = theta_and_X(family, numpy.random.default_rng)
    theta.flags.writeable = X.flags.writeable = False
    value, backward = family.log_prob(theta, X)
    value.flags.writeable = False
    backward(value)
    family(theta).log_prob(X)


# What a family refuses

@every_family
def test_what_is_no_theta_is_refused(make):
    family = make(numpy)
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
def test_what_is_no_list_of_points_is_refused(make):
    family = make(numpy)
    theta, d = numpy.zeros(family.n_parameters), dimension(family)
    for X, words in [([[0.0] * (d + 1)], f"X has {d + 1} columns"),
                     ([0.0] * d, "X must have shape")]:
        with pytest.raises(ValueError, match=words):
            family.log_prob(theta, X)
    for x in (NAN, INF):                                    # the density checks, a step has no time
        with pytest.raises(ValueError, match=f"X holds {x}"):
            family(theta).log_prob([[x] * d])


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


@pytest.mark.parametrize("make, error, words", [
    (lambda: BoxFamily(0), ValueError, "d must be at least 1, got 0"),
    (lambda: NormalFamily(2.0), TypeError, "d must be a whole number, got 2.0"),
    (lambda: MixtureFamily(0, 2), ValueError, "n_components must be at least 1, got 0"),
    (lambda: MixtureFamily(2, -1), ValueError, "d must be at least 1"),
    (lambda: HistogramFamily(space(numpy, 2), (3,)), ValueError, r"shape has 1 entries; .* R\^2"),
    (lambda: HistogramFamily(space(numpy, 1), (0,)), ValueError, "shape must be at least 1"),
    (lambda: HistogramFamily(space(numpy, 1), (3,), -1), ValueError,
     r"pseudocount must lie in \[0, inf\), got -1"),
    (lambda: HistogramFamily(space(numpy, 1), (3,), NAN), ValueError,
     r"pseudocount must lie in \[0, inf\), got nan"),
])
def test_what_makes_no_family_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_histogram_knows_no_points_outside_its_cells():
    family, X = FITTABLE["histogram"](numpy), [[0.0, 0.0], [10.0, 0.0]]
    with pytest.raises(ValueError, match=r"X must lie in the sample space, .* \[ *10"):
        family.mle(X)
    log_p, backward = family.log_prob(numpy.zeros(12), X)
    assert log_p.tolist() == [log_p[0], -INF] and numpy.isfinite(log_p[0])
    assert not backward(numpy.array([0.0, 1.0])).any()      # no θ changes what is outside


# Estimates in closed form

def data(make_rng, n=60):
    return make_rng(3).standard_normal((n, 2)) + 1


def test_the_estimated_box_has_the_extremes_of_the_data_as_its_corners(xp, make_rng):
    family, X = BoxFamily(2), data(make_rng)
    theta = family.mle(X)
    assert to_numpy(theta).tolist() == [*to_numpy(X).min(axis=0), *to_numpy(X).max(axis=0)]
    log_volume = math.log(float((theta[2:] - theta[:2]).prod()))
    assert float(log_likelihood(family, theta, X)) == pytest.approx(-60 * log_volume, rel=1e-14)


def test_no_box_has_a_larger_likelihood_than_the_estimate(xp, make_rng):
    family, X, rng = BoxFamily(2), data(make_rng), make_rng(4)
    theta = family.mle(X)
    best, outward = log_likelihood(family, theta, X), xp.asarray([-1.0, -1.0, 1.0, 1.0])
    for _ in range(1000):                                   # boxes that contain all points
        assert float(log_likelihood(family, theta + outward * rng.random(4), X)) < float(best)
    for i in range(4):                                      # a hair too small on one side
        smaller = theta.copy()
        smaller[i] -= outward[i] * 1e-12
        assert float(log_likelihood(family, smaller, X)) == -INF


@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_estimated_normal_has_the_mean_and_covariance_of_the_data(xp, d):
    X = numpy.random.default_rng(d).standard_normal((500, d)) @ numpy.tri(d) + 3
    p = NormalFamily(d)(NormalFamily(d).mle(xp.asarray(X)))
    numpy.testing.assert_allclose(to_numpy(p.mu), X.mean(axis=0), rtol=5e-15)
    S = numpy.atleast_2d(numpy.cov(X.T, ddof=0))
    numpy.testing.assert_allclose(to_numpy(p.covariance), S, rtol=5e-15, atol=5e-15 * S.max())


def test_the_estimated_normal_is_right_where_the_mean_is_1e8_and_the_variance_1(xp):
    X = numpy.random.default_rng(0).standard_normal((1000, 2)) + [1e8, -1e8]
    p = NormalFamily(2)(NormalFamily(2).mle(xp.asarray(X)))
    X = X.astype(numpy.longdouble)                          # the twin has more digits
    centred = X - X.mean(axis=0)
    numpy.testing.assert_allclose(to_numpy(p.mu), X.mean(axis=0).astype(float), rtol=5e-16)
    S = (centred.T @ centred / 1000).astype(float)
    numpy.testing.assert_allclose(to_numpy(p.covariance), S, rtol=5e-15, atol=5e-15)


@pytest.mark.parametrize("name", ["normal", "histogram"])
def test_the_estimate_is_stationary_and_no_neighbour_is_better(xp, make_rng, name):
    family, X = FITTABLE[name](xp), 16 * make_rng(0).random((500, 2)) - 8
    theta, rng = family.mle(X), make_rng(1)
    _, backward = family.log_prob(theta, X)
    assert abs(to_numpy(backward(xp.ones(len(X))))).max() < 1e-9 * len(X)
    best = float(log_likelihood(family, theta, X))
    for size in (1e-3, 0.1, 1):
        for _ in range(20):
            other = theta + size * rng.standard_normal(family.n_parameters)
            assert float(log_likelihood(family, other, X)) < best


def test_the_estimated_histogram_has_the_shares_of_the_data(xp):
    family = HistogramFamily(space(xp, 1), (3,))
    X = [[-8], [-7], [-4], [0], [0], [8], [8], [9]]
    masses = to_numpy(family(family.mle(xp.asarray(X))).masses)
    numpy.testing.assert_allclose(masses, [3 / 8, 2 / 8, 3 / 8], rtol=1e-15)


def test_an_empty_cell_has_mass_0_unless_a_pseudocount_fills_it(xp):
    X = xp.asarray([[-8.0], [-7.0], [8.0]])
    theta = HistogramFamily(space(xp, 1), (3,)).mle(X)
    assert to_numpy(theta)[1] == -INF
    p = HistogramFamily(space(xp, 1), (3,))(theta)
    numpy.testing.assert_allclose(to_numpy(p.masses), [2 / 3, 0, 1 / 3], rtol=1e-15)
    assert float(p.log_prob([[0.0]])[0]) == -INF
    family = HistogramFamily(space(xp, 1), (3,), pseudocount=0.5)
    numpy.testing.assert_allclose(to_numpy(family(family.mle(X)).masses),
                                  [2.5 / 4.5, 0.5 / 4.5, 1.5 / 4.5], rtol=1e-15)


@pytest.mark.parametrize("name", ["box", "normal", "histogram"])
def test_the_order_of_the_rows_does_not_matter_nor_that_all_occur_twice(xp, make_rng, name):
    family, X = FITTABLE[name](xp), data(make_rng)
    for other in (X[::-1], xp.concatenate([X, X])):
        numpy.testing.assert_allclose(to_numpy(family.mle(other)), to_numpy(family.mle(X)),
                                      rtol=1e-13, atol=1e-13)


def test_the_estimate_moves_and_stretches_with_the_data(xp, make_rng):
    X, a, b = data(make_rng), xp.asarray([3.0, 0.01]), xp.asarray([-100.0, 7.0])
    Y = a * X + b
    p, q = (BoxFamily(2)(BoxFamily(2).mle(data)) for data in (X, Y))
    assert to_numpy(q.low == a * p.low + b).all() and to_numpy(q.high == a * p.high + b).all()

    here = SampleSpace(xp.asarray([-9.0, -9.0]), xp.asarray([9.0, 9.0]))
    there = SampleSpace(a * here.low + b, a * here.high + b)
    assert to_numpy(HistogramFamily(here, (3, 4), 1.0).mle(X)
                    == HistogramFamily(there, (3, 4), 1.0).mle(Y)).all()

    A = xp.asarray([[2.0, -1.0], [0.5, 3.0]])
    p, q = (NormalFamily(2)(NormalFamily(2).mle(data)) for data in (X, X @ A.T + b))
    numpy.testing.assert_allclose(to_numpy(q.mu), to_numpy(A @ p.mu + b), rtol=1e-13)
    numpy.testing.assert_allclose(to_numpy(q.covariance), to_numpy(A @ p.covariance @ A.T),
                                  rtol=1e-12)


@fittable
def test_an_estimate_lives_where_the_data_live_in_their_dtype(xp, make_rng, make):
    family, X = make(xp), data(make_rng)
    theta, theta32 = family.mle(X), family.mle(X.astype("float32"))
    assert array_module(theta) is array_module(theta32) is xp and theta32.dtype == "float32"
    finite = numpy.isfinite(to_numpy(theta))
    numpy.testing.assert_allclose(to_numpy(theta32)[finite], to_numpy(theta)[finite], rtol=1e-4)


@fittable
def test_fitting_twice_is_fitting_once_and_data_are_only_read(make):
    family, X = make(numpy), data(numpy.random.default_rng)
    X.flags.writeable = False
    theta = family.mle(X)
    assert not numpy.shares_memory(theta, X)
    for other in (X, X.tolist()):
        assert numpy.array_equal(family.mle(other), theta)


# Data that have no estimate

@fittable
@pytest.mark.parametrize("X, error, words", [
    (numpy.zeros((0, 2)), ValueError, "X is empty"),
    ([], ValueError, r"X must have shape \(n, 2\)"),
    ([1.0, 2.0], ValueError, r"X must have shape \(n, 2\)"),
    ([[1.0, 2.0, 3.0]] * 4, ValueError, r"X has 3 columns; this family lives on R\^2"),
    ([[1.0, 2.0], [3.0]], ValueError, "X is ragged"),
    ([[1.0, NAN], [2.0, 3.0]], ValueError, "X holds nan"),
    ([[1.0, INF], [2.0, 3.0]], ValueError, "X holds inf"),
    ([["a", "b"]], TypeError, "X must hold real numbers"),
])
def test_what_is_no_data_set_is_refused(make, X, error, words):
    with pytest.raises(error, match=words):
        make(numpy).mle(X)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("constant", [0.0, 0.1, -1 / 3, 1e6])
def test_a_point_or_a_constant_column_has_no_estimate(xp, make_rng, dtype, constant):
    varied = make_rng(0).standard_normal(100)
    column = xp.full(100, constant)
    for X in (xp.asarray([[constant, 2.0]]), xp.asarray([[constant, 2.0]] * 9),
              xp.stack([column, varied], axis=1), xp.stack([varied, column], axis=1)):
        with pytest.raises(ValueError, match="X spans a box of volume 0"):
            BoxFamily(2).mle(X.astype(dtype))
        with pytest.raises(ValueError, match="X must vary in every column, got .* of variance"):
            NormalFamily(2).mle(X.astype(dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("slope", [1.0, -math.pi, 1e-4, 1e5])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_collinear_rows_have_no_normal_estimate_but_a_box(xp, make_rng, dtype, slope, offset):
    x = make_rng(0).standard_normal(50)
    X = xp.stack([x, slope * (x + offset)], axis=1).astype(dtype)
    with pytest.raises(ValueError, match="singular covariance, so its likelihood has no maximum"):
        NormalFamily(2).mle(X)
    assert to_numpy(BoxFamily(2)(BoxFamily(2).mle(X)).space.contains(X)).all()


@pytest.mark.parametrize("n", [2, 3, 4, 100])
def test_rows_in_a_plane_have_no_normal_estimate_in_space(xp, make_rng, n):
    Z = make_rng(n).standard_normal((n, 2))
    X = Z @ xp.asarray([[1.0, 0.3, -2.0], [0.5, 1.0, 1.0]]) + xp.asarray([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="singular covariance"):
        NormalFamily(3).mle(X)


# Errata

def test_e13_a_rotated_rectangle_can_have_a_larger_likelihood(xp, make_rng):
    family, R = BoxFamily(2), xp.asarray([[1.0, 1.0], [-1.0, 1.0]]) / math.sqrt(2)
    X = make_rng(0).random((1000, 2)) @ R                   # a unit square turned by 45°
    upright = log_likelihood(family, family.mle(X), X)
    turned = log_likelihood(family, family.mle(X @ R.T), X @ R.T)      # |det R| = 1: same units
    assert float(turned) > float(upright) + 300             # nearly half the area: n log 2


def test_e14_not_any_four_numbers_are_a_box():
    family = BoxFamily(2)
    family([0, 0, 1, 1])
    for theta in ([1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 1]):
        with pytest.raises(ValueError, match="low must be below high in every coordinate"):
            family(theta)
