"""Normalizing flows: invertible, with the exact logarithm of their Jacobian's determinant."""

import math

import numpy
import pytest
from gradient import check_gradient
from numpy.random import default_rng
from scipy import stats
from training_checks import BAD_DATA_OF_THE_BOX, check_the_value_is_the_callers

from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.probability.density import Normal
from gdl_numpy.probability.divergence import total_mass
from gdl_numpy.probability.sample_space import SampleSpace

SHAPES = {"affine": dict(d=2, n_layers=4, hidden=(7,)),
          "affine, three axes": dict(d=3, n_layers=3, hidden=(5, 4)),
          "affine, one layer": dict(d=2, n_layers=1, hidden=()),
          "spline": dict(d=2, n_layers=3, hidden=(7,), transform="spline", n_bins=4),
          "spline, three axes": dict(d=3, n_layers=3, hidden=(5,), transform="spline", n_bins=3),
          "spline, five axes": dict(d=5, n_layers=2, hidden=(), transform="spline", n_bins=2)}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
both_transforms = pytest.mark.parametrize("transform", ["affine", "spline"])
with_waves = pytest.mark.parametrize("waves", [False, True], ids=["plain", "waves"])


def flow(shape, waves=False):
    F = wave_vectors(shape["d"], 2, (1.0, 3.0), default_rng(9)) if waves else None
    return NormalizingFlowFamily(**shape, waves=F, activation="tanh")


def small(transform, **options):
    """A flow in the plane of few parameters."""
    return NormalizingFlowFamily(2, 2, (5,), transform, n_bins=4, activation="tanh", **options)


def theta_and_X(family, n=9, seed=0):
    """Of moderate size; the rows of X lie in the box."""
    rng = default_rng(seed)
    return 0.4 * rng.standard_normal(family.n_parameters), 1.9 * rng.random((n, family.d)) - 0.95


def grid_space(transform):
    """A box that holds all the mass but some 1e-5 of it, and a grid fine enough."""
    side, cells = (1.0, 300) if transform == "spline" else (14.0, 300)
    return SampleSpace(numpy.full(2, -side), numpy.full(2, side)), (cells, cells)


def last_theta(steps):
    for step in steps:
        theta = step.theta
    return theta


# The map and its inverse

@every_shape
@with_waves
def test_to_data_undoes_to_latent_both_ways(shape, waves):
    family = flow(shape, waves)
    theta, X = theta_and_X(family, n=50)
    p = family(theta)
    Z = p.to_latent(X)
    assert Z.shape == X.shape
    assert float(abs(Z - X).max()) > 0.1
    numpy.testing.assert_allclose(p.to_data(Z), X, atol=1e-8)
    numpy.testing.assert_allclose(p.to_latent(p.to_data(X)), X, atol=1e-8)


@every_shape
@with_waves
def test_the_log_determinant_is_that_of_the_numerical_jacobian(shape, waves):
    family = flow(shape, waves)
    theta, X = theta_and_X(family, seed=1)
    log_det = family.to_latent(theta, X)[0][1]
    h, columns = 1e-6, []
    for i in range(family.d):
        step = h * (numpy.arange(family.d) == i)
        ahead, behind = (family.to_latent(theta, X + s)[0][0] for s in (step, -step))
        columns.append((ahead - behind) / (2 * h))
    sign, expected = numpy.linalg.slogdet(numpy.stack(columns, axis=2))
    assert (sign == 1).all()
    numpy.testing.assert_allclose(log_det, expected, atol=1e-5)


@every_shape
@with_waves
def test_the_gradients_of_the_map_are_those_of_central_differences(shape, waves):
    """Of z and log |det| together, in theta and X."""
    family = flow(shape, waves)
    theta, X = theta_and_X(family)

    def both(theta, X):
        (Z, log_det), backward = family.to_latent(theta, X)
        value = numpy.concatenate([Z, log_det[:, None]], axis=1)
        return value, lambda cotangent: backward(cotangent[:, :-1], cotangent[:, -1])

    check_gradient(both, theta, X, rng=default_rng(1))


@every_shape
@with_waves
def test_the_gradient_of_log_p_is_that_of_central_differences(shape, waves):
    family = flow(shape, waves)
    theta, X = theta_and_X(family)
    check_gradient(lambda theta: family.log_prob(theta, X), theta, rng=default_rng(2))


def test_a_network_uses_only_the_waves_of_the_coordinates_that_it_sees():
    """A single layer moves columns 0 and 2 and sees 1."""
    rng = numpy.random.default_rng(0)
    F, X = rng.standard_normal((3, 2)), rng.random((9, 3))
    one = NormalizingFlowFamily(3, 1, (5,), waves=F)
    theta = 0.5 * rng.standard_normal(one.n_parameters)
    for row, changes in ((0, False), (1, True), (2, False)):
        G = F + 0.5 * (numpy.arange(3) == row)[:, None]
        other = NormalizingFlowFamily(3, 1, (5,), waves=G)
        assert (other(theta).log_prob(X) != one(theta).log_prob(X)).all() == changes


def test_each_layer_may_have_waves_of_its_own():
    """Layers that share an array are as with that array for all; None is a layer without waves."""
    F, G = (wave_vectors(2, m, (1.0,), default_rng(m)) for m in (2, 3))
    one, same = (NormalizingFlowFamily(2, 3, (5,), waves=waves) for waves in (F, [F, F, F]))
    theta, X = theta_and_X(one)
    assert (one.log_prob(theta, X)[0] == same.log_prob(theta, X)[0]).all()
    family = NormalizingFlowFamily(2, 3, (5,), waves=(F, None, G), activation="tanh")
    assert [network.sizes[0] for network in family.networks] == [1, 1, 1]
    assert [network.waves.shape if network.waves is not None else None
            for network in family.networks] == [(1, 2), None, (1, 3)]
    theta, X = theta_and_X(family)
    check_gradient(lambda theta: family.log_prob(theta, X), theta, rng=default_rng(2))
    numpy.testing.assert_allclose(family.to_data(theta, family.to_latent(theta, X)[0][0]), X,
                                  rtol=1e-9)
    nested = NormalizingFlowFamily(2, 3, (5,), waves=[F.tolist(), None, G.tolist()],
                                   activation="tanh")
    assert (nested.log_prob(theta, X)[0] == family.log_prob(theta, X)[0]).all()
    F *= 2                                                  # the family has its own
    assert (family.waves[0] == F / 2).all()


def test_the_gradient_in_theta_is_the_same_without_that_in_x():
    family = flow(SHAPES["spline"], waves=True)
    theta, X = theta_and_X(family)
    (Z, log_det), backward = family.to_latent(theta, X)
    dtheta, dX = backward(Z, log_det, inputs=False)
    assert dX is None and (dtheta == backward(Z, log_det)[0]).all()


# The density


@every_shape
def test_log_p_is_that_of_the_latent_point_plus_the_log_determinant(shape):
    family = flow(shape, waves=True)
    theta, X = theta_and_X(family, n=30)
    (Z, log_det), _ = family.to_latent(theta, X)
    if family.transform == "affine":
        base = Normal(numpy.zeros(family.d), numpy.eye(family.d)).log_prob(Z)
    else:
        base = -family.d * math.log(2)
    for log_p in (family(theta).log_prob(X), family.log_prob(theta, X)[0]):
        assert array_module(log_p) is numpy and log_p.shape == (30,)
        numpy.testing.assert_allclose(log_p, base + log_det, rtol=1e-12,
                                      atol=1e-12)


@both_transforms
def test_the_total_mass_is_1(transform):
    family = small(transform)
    p = family(theta_and_X(family)[0])
    assert float(total_mass(p, *grid_space(transform))) == pytest.approx(1, abs=3e-4)


def test_a_spline_flow_has_no_mass_outside_its_box():
    family = small("spline")
    theta = theta_and_X(family)[0]
    X = numpy.array([[-1, -1], [1, 1], [0.3, -1], [1.001, 0], [0, -7], [math.inf, 0],
                     [math.nan, 0]])
    log_p, backward = family.log_prob(theta, X)
    assert numpy.isfinite(log_p[:3]).all() and math.isnan(log_p[6])
    assert log_p[3:6].tolist() == [-math.inf] * 3
    assert (backward(numpy.asarray([0, 0, 0, 1, 1, 1, 1.0])) == 0).all()


@every_shape
def test_the_mean_gradient_of_log_p_over_its_own_samples_is_0(shape):
    """n = 10,000 in 50 groups, each number within 6 standard errors, a false alarm in 4 million for
    each: ties sampler, density and gradient."""
    family = flow(shape)
    theta, _ = theta_and_X(family, seed=4)
    X = family(theta).sample(10_000, default_rng(5))
    assert X.shape == (10_000, family.d)
    gradients = numpy.array([family.log_prob(theta, rows)[1](numpy.full(200, 0.005))
                          for rows in X.reshape(-1, 200, family.d)])
    errors = gradients.std(axis=0, ddof=1) / math.sqrt(len(gradients))
    assert (abs(gradients.mean(axis=0)) <= 6 * errors).all() and (errors > 0).any()


@both_transforms
def test_samples_fall_into_cells_as_often_as_the_density_says(transform):
    """n = 20,000 in 100 cells, each within 6 standard errors."""
    family, n = small(transform), 20_000
    p = family(theta_and_X(family, seed=6)[0])
    space, fine = grid_space(transform)
    X = p.sample(n, default_rng(7))
    count = numpy.bincount(space.cell(X, (10, 10)), minlength=100)
    centers, volume = space.grid(fine)
    mass = numpy.bincount(space.cell(centers, (10, 10)), minlength=100,
                          weights=numpy.exp(p.log_prob(centers)) * float(volume))
    assert (abs(count - n * mass) < 6 * numpy.sqrt(n * mass) + 6).all()


def test_no_affine_layer_changes_log_p_by_more_than_its_bound():
    """|log |det|| < B for each coordinate moved, however large the weights."""
    family = NormalizingFlowFamily(2, 5, (6,), bound=0.7)
    theta, X = theta_and_X(family)
    (_, log_det), _ = family.to_latent(100 * theta, X)
    assert 1 < abs(log_det).max() <= 5 * 0.7 + 1e-12


@both_transforms
def test_it_starts_near_its_base_density(transform):
    """f is nearly the identity."""
    family = NormalizingFlowFamily(2, 4, (32,), transform)
    p = family(family.initial_theta(numpy.random.default_rng(0)))
    X = p.sample(500, numpy.random.default_rng(1))
    assert abs(p.to_latent(X) - X).mean() < 0.3


def test_an_affine_flow_whose_networks_are_constant_is_a_normal_density():
    """z = x exp(s) + t in each coordinate, so x ~ N(-t exp(-s), exp(-2s)), with s and t bounded."""
    family = NormalizingFlowFamily(2, 2, (), bound=2.0)
    theta = numpy.zeros(family.n_parameters)
    theta[2:4], theta[6:8] = numpy.asarray([0.5, 1.0]), numpy.asarray([-0.7, 0.3])
    s, t = (2 * numpy.tanh(numpy.array(a) / 2) for a in ([0.5, -0.7], [1.0, 0.3]))
    normal = Normal(numpy.asarray(-t * numpy.exp(-s)), numpy.asarray(numpy.diag(numpy.exp(-2 * s))))
    X = default_rng(0).standard_normal((20, 2))
    numpy.testing.assert_allclose(family(theta).log_prob(X), normal.log_prob(X),
                                  rtol=1e-12)


def test_a_spline_flow_with_theta_0_is_uniform():
    family = small("spline")
    X = default_rng(0).random((9, 2))
    log_p = family(numpy.zeros(family.n_parameters)).log_prob(X)
    numpy.testing.assert_allclose(log_p, -2 * math.log(2), rtol=1e-12)


def test_changing_the_returned_values_does_not_change_the_gradients():
    for transform in ("affine", "spline"):
        for family in (small(transform), small(transform, waves=numpy.ones((2, 3)))):
            theta, X = theta_and_X(family)
            check_the_value_is_the_callers(family.to_latent, theta, X)
            check_the_value_is_the_callers(family.log_prob, theta, X)


@both_transforms
def test_samples_taken_in_blocks_are_those_of_one_pass(monkeypatch, transform):
    """The latent points come from one stream of random numbers, whatever the blocks."""
    family, rng = small(transform), default_rng(4)
    theta, _ = theta_and_X(family)
    Z = rng.standard_normal((20, 2)) if transform == "affine" else 2 * rng.random((20, 2)) - 1
    for rows in (7, 20):
        monkeypatch.setattr("gdl_numpy.networks.trained.in_blocks",
                            lambda function, n, _, rows=rows: in_blocks(function, n, rows))
        numpy.testing.assert_allclose(family(theta).sample(20, default_rng(4)),
                                      family.to_data(theta, Z), rtol=1e-12)


@both_transforms
def test_e32_log_p_of_a_flow_is_exact_in_high_dimension(transform):
    """A grid would have k^1000 cells, or k^200. f(x) goes back to x, and log |det ∂f/∂x| is that of
    the Jacobian by central differences, d by d, for weights that are not small."""
    d, rng = {"affine": 1000, "spline": 200}[transform], default_rng(0)
    family = NormalizingFlowFamily(d, 4, (8,), transform, n_bins=4, activation="tanh")
    theta = 0.3 * rng.standard_normal(family.n_parameters)
    x = 1.6 * rng.random((1, d)) - 0.8
    (z, log_det), _ = family.to_latent(theta, x)
    numpy.testing.assert_allclose(family.to_data(theta, z), x, atol=1e-8)
    step = 1e-6 * numpy.eye(d)
    ahead, behind = (family.to_latent(theta, x + h)[0][0] for h in (step, -step))
    sign, expected = numpy.linalg.slogdet((ahead - behind) / 2e-6)
    assert sign == 1 and abs(log_det[0]) > 1
    numpy.testing.assert_allclose(log_det, expected, atol=1e-3)
    log_p_z = (stats.norm.logpdf(z).sum() if transform == "affine" else -d * math.log(2))
    assert family(theta).log_prob(x)[0] == pytest.approx(log_p_z + log_det[0], rel=1e-12)


def linear_slope(w, b_s, b_t=0.0):
    """One affine layer with s = w x_1 + b_s, t = 0.5 x_1 + b_t, which moves x_0; and its θ."""
    family = NormalizingFlowFamily(2, 1, (), bound=None)
    return family, numpy.array([w, 0.5, b_s, b_t])


def test_e33_where_the_mass_is_1_without_the_log_determinant_the_density_is_still_wrong():
    """log |det| = s(x_1), and the mass of p_z(f(x)) is the mean of exp(-s) over x_1 ~ N(0, 1), for
    s = w x_1 + b that is exp(w²/2 - b): 1 for b = w²/2, and then p_z(f(x)) loses b nats a draw."""
    w = 0.4
    for b, mass in ((w**2 / 2, 1), (0, math.exp(w**2 / 2))):
        family, theta = linear_slope(w, b)
        X, volume = SampleSpace([-50, -6], [50, 6]).grid((2000, 60))
        log_p = family(theta).log_prob(X)
        (Z, log_det), _ = family.to_latent(theta, X)
        without = stats.norm.logpdf(Z).sum(axis=1)          # log p_z(f(x))
        p = numpy.exp(log_p) * float(volume)
        assert p.sum() == pytest.approx(1, abs=1e-6)
        assert (numpy.exp(without) * float(volume)).sum() == pytest.approx(mass, abs=1e-6)
        assert abs(log_det).max() > 1
        assert (p * (log_p - without)).sum() == pytest.approx(b, abs=1e-6)  # mean of log |det|


def test_e33_where_the_determinant_is_1_the_factor_may_be_left_out():
    """Additive layers: s = 0, t any function, |det ∂f/∂x| = 1."""
    family = NormalizingFlowFamily(2, 3, (6,), bound=None, activation="tanh")
    theta, X = theta_and_X(family, n=50)
    for network, part in zip(family.networks, family.parts(theta), strict=True):
        W, b = network.cut(part)[-1]
        W[:, 0], b[0] = 0, 0                                # the output s of its one coordinate
    (Z, log_det), _ = family.to_latent(theta, X)
    assert (log_det == 0).all() and abs(Z - X).max() > 0.5
    numpy.testing.assert_allclose(family(theta).log_prob(X), stats.norm.logpdf(Z).sum(axis=1))


@both_transforms
def test_e33_without_the_log_determinant_the_mass_need_not_be_1(transform):
    """And invertible and continuous is not enough: f(x) = (x + c(x))/2, with Cantor's function c,
    has the slope 1/2 almost everywhere on [0, 1], so p_z(f(x)) f'(x) has half of the mass."""
    family = small(transform)
    theta = theta_and_X(family, seed=8)[0]
    space, shape = grid_space(transform)
    X, volume = space.grid(shape)
    p = numpy.exp(family(theta).log_prob(X))
    det = numpy.exp(family.to_latent(theta, X)[0][1])
    assert (p * float(volume)).sum() == pytest.approx(1, abs=3e-4)
    if transform == "affine":
        assert abs((p / det * float(volume)).sum() - 1) > 0.05
    else:                               # p_z is constant: any f would seem to have the mass 1
        assert (p / det * float(volume)).sum() == pytest.approx(1) and p.std() > 0.02
        assert p / det == pytest.approx(0.25)

    x = numpy.linspace(0, 1, 3**9 + 1)
    f = (x + cantor(x)) / 2                                 # increasing, from 0 to 1
    assert (numpy.diff(f) > 0).all() and f[[0, -1]].tolist() == [0, 1]
    slope = numpy.diff(f) * 3**9
    flat = slope < 0.5 + 1e-6                               # all but a share (2/3)^9 of the axis
    assert 1 - flat.mean() == pytest.approx((2 / 3)**9, rel=1e-6)
    assert slope[flat].sum() / 3**9 < 0.5                   # p_z = 1 on [0, 1]: mass 1/2, not 1


def cantor(x, digits=9):
    """The Cantor function, exact at multiples of 3^-digits."""
    number = numpy.rint(x * 3**digits).astype(int)
    value, done = numpy.zeros(len(x)), number == 3**digits
    value[done] = 1
    for i in range(1, digits + 1):
        digit = number // 3**(digits - i) % 3
        value += numpy.where(done, 0, numpy.where(digit > 0, 0.5**i, 0))
        done |= digit == 1
    return value


# Training

@both_transforms
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_raises_the_held_out_likelihood(transform, seed):
    """On two arcs of width 0.2 and length 2; area 0.4 would have the entropy -0.92."""
    rng = numpy.random.default_rng(seed)
    X, new = (arcs(n, rng).astype("float32") for n in (3000, 1000))
    family = NormalizingFlowFamily(2, 4, (32, 32), transform, n_bins=12)
    before = -family(family.initial_theta(rng)).log_prob(new).mean()
    theta = last_theta(family.train(X, rng, max_steps=150, batch=128, learning_rate=5e-3,
                                    averaging=0.9))
    assert before > 1.1 and theta.dtype == numpy.float32
    assert -family(theta).log_prob(new).mean() < before - 0.8


def arcs(n, rng):
    x = 1.8 * rng.random(n) - 0.9
    y = 0.5 * numpy.cos(2.5 * x) + 0.2 * rng.random(n) - 0.1
    return numpy.c_[x, numpy.where(rng.random(n) < 0.5, y, y - 0.4)]


@both_transforms
def test_the_loss_is_the_mean_negative_log_likelihood(transform):
    family = small(transform)
    theta, X = theta_and_X(family)
    value, dtheta = family.loss(theta, X)
    assert float(value) == pytest.approx(-float(family(theta).log_prob(X).mean()), rel=1e-12)
    assert dtheta.shape == theta.shape == (family.n_parameters,)


@both_transforms
def test_a_density_keeps_its_own_theta_and_inputs_are_not_changed(transform):
    family = small(transform)
    theta, X = theta_and_X(family)
    p = family(theta)
    before = p.log_prob(X)
    theta += 1
    assert (p.log_prob(X) == before).all() and p.family is family
    theta.flags.writeable = X.flags.writeable = before.flags.writeable = False
    pullback = family.log_prob(theta, X)[1]
    assert (pullback(before) == pullback(before)).all()
    (Z, log_det), pullback = family.to_latent(theta, X)
    Z.flags.writeable = log_det.flags.writeable = False
    assert (pullback(Z, log_det)[1] == pullback(Z, log_det)[1]).all()
    p.to_data(X)
    list(family.train(X, numpy.random.default_rng(0), max_steps=2, theta=theta))


@both_transforms
def test_rows_may_be_taken_in_blocks_and_empty_X_gives_empty_log_p(monkeypatch, transform):
    family = small(transform)
    theta, X = theta_and_X(family, n=30)
    p = family(theta)
    whole = p.log_prob(X)
    assert p.log_prob(X[:0]).shape == (0,)
    assert p.sample(0, numpy.random.default_rng(0)).shape == (0, 2)
    monkeypatch.setattr("gdl_numpy.networks.trained.in_blocks",
                        lambda function, n, rows: in_blocks(function, n, rows=7))
    numpy.testing.assert_allclose(p.log_prob(X), whole, rtol=1e-12)


@pytest.mark.parametrize("make, error, message", [
    (lambda: NormalizingFlowFamily(1, 2, ()), ValueError, "d must be at least 2, got 1"),
    (lambda: NormalizingFlowFamily(2, 0, ()), ValueError, "n_layers must be at least 1, got 0"),
    (lambda: NormalizingFlowFamily(2, 1, (2.5,)), TypeError, "hidden must be a whole number"),
    (lambda: NormalizingFlowFamily(2, 1, (3, 0)), ValueError, "hidden must be at least 1, got 0"),
    (lambda: NormalizingFlowFamily(2, 1, (), "linear"), ValueError,
     "transform must be one of affine, spline, got 'linear'"),
    (lambda: NormalizingFlowFamily(2, 1, (), "spline", 0), ValueError,
     "n_bins must be at least 1, got 0"),
    (lambda: NormalizingFlowFamily(2, 1, (), activation="sine"), ValueError,
     "activation must be one of tanh, relu, softplus, got 'sine'"),
    (lambda: NormalizingFlowFamily(2, 1, (), bound=0), ValueError,
     r"bound must lie in \[1e-30, 1e30\], got 0"),
    (lambda: NormalizingFlowFamily(2, 3, (), waves=2 * [numpy.ones((2, 4))]), ValueError,
     r"waves must be one array \(2, m\) or a list of 3, one for each layer, got 2 of them"),
    (lambda: NormalizingFlowFamily(2, 2, (), waves=[None, numpy.ones((3, 4))]), ValueError,
     r"waves\[1\] must have shape \(2, m\), got shape \(3, 4\)"),
    (lambda: NormalizingFlowFamily(2, 2, (), waves=[[[1.0], [2.0]], [3.0]]), ValueError,
     r"waves\[1\] must have shape \(2, m\), got shape \(1,\)"),
    (lambda: NormalizingFlowFamily(2, 2, (), waves=[]), ValueError, r"waves must have shape"),
    (lambda: NormalizingFlowFamily(2, 1, (), waves=numpy.ones((3, 4))), ValueError,
     r"waves must have shape \(2, m\), got shape \(3, 4\)"),
    (lambda: NormalizingFlowFamily(2, 2, ())(numpy.ones(3)), ValueError,
     r"theta must be an array of shape \(8,\), got \(3,\)"),
    (lambda: NormalizingFlowFamily(2, 2, ())(numpy.full(8, math.inf)), ValueError, "holds inf"),
    (lambda: NormalizingFlowFamily(2, 2, ()).log_prob(numpy.ones(3), numpy.ones((1, 2))),
     ValueError, r"theta must be an array of shape \(8,\), got \(3,\)"),
    (lambda: NormalizingFlowFamily(2, 2, ())(numpy.ones(8)).log_prob(numpy.ones((1, 3))),
     ValueError, "X has 3 columns"),
    (lambda: NormalizingFlowFamily(2, 2, ())(numpy.ones(8)).to_data([[math.nan, 0]]), ValueError,
     "Z holds nan"),
    (lambda: NormalizingFlowFamily(2, 2, ())(numpy.ones(8)).sample(
        -1, numpy.random.default_rng(0)), ValueError, "n must be at least 0, got -1"),
])
def test_wrong_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("X, options, error, message", [
    *BAD_DATA_OF_THE_BOX,
    (numpy.zeros((5, 2)), {"theta": numpy.ones(4)}, ValueError, r"shape \(\d+,\), got \(4,\)"),
])
def test_wrong_data_and_training_options_are_refused(X, options, error, message):
    with pytest.raises(error, match=message):
        next(small("spline").train(X, numpy.random.default_rng(0), **options))


# Contracts

@both_transforms
def test_the_pullback_to_x_and_the_way_back_to_data_live_where_x_lives(xp, transform):
    """Training asks for neither. They agree with those of NumPy, in both precisions."""
    family = small(transform, waves=wave_vectors(2, 2, (1.0, 3.0), default_rng(0)))
    theta, X = theta_and_X(family)
    (Z, log_det), backward = family.to_latent(theta, X)
    expected = [Z, log_det, *backward(Z, log_det), family(theta).to_data(X)]
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-3)):
        there, rows = (xp.asarray(array, dtype=dtype) for array in (theta, X))
        (Z, log_det), backward = family.to_latent(there, rows)
        made = [Z, log_det, *backward(Z, log_det), family(there).to_data(rows)]
        for array, other in zip(made, expected, strict=True):
            assert array_module(array) is xp and array.dtype == dtype
            numpy.testing.assert_allclose(to_numpy(array), other, rtol=tolerance, atol=tolerance)
