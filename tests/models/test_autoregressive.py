"""Autoregressive models: exact log p, by binned conditionals on a box and by masks on images."""

import itertools
import math
from fractions import Fraction

import numpy
import pytest
from gradient import check_gradient
from numpy.random import default_rng
from training_checks import BAD_DATA_OF_THE_BOX, check_the_value_is_the_callers

from gdl_numpy.models.autoregressive import AutoregressiveFamily, MaskedAutoregressiveFamily
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.optimizer import Adam
from gdl_numpy.probability.divergence import total_mass
from gdl_numpy.probability.sample_space import SampleSpace

SHAPES = {"one axis": dict(bins=(5,), hidden=()),
          "two axes": dict(bins=(4, 6), hidden=(8,)),
          "two axes, the second first": dict(bins=(4, 6), hidden=(8, 5), order=(1, 0)),
          "three axes": dict(bins=(3, 2, 4), hidden=(6,), order=(2, 0, 1)),
          "no hidden layer": dict(bins=(3, 5), hidden=()),
          "bounded logits": dict(bins=(4, 6), hidden=(8,), bound=1.5)}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
with_waves = pytest.mark.parametrize("waves", [False, True], ids=["plain", "waves"])
every_mask = pytest.mark.parametrize("d, hidden, order", [
    (1, (3,), None), (2, (4,), None), (5, (7, 6), None), (6, (4,), (5, 2, 0, 1, 4, 3)),
    (4, (), None), (7, (20, 3, 20), (6, 5, 4, 3, 2, 1, 0))])


def binned(shape, waves=False):
    d = len(shape["bins"])
    F = wave_vectors(d, 2, (1.0, 4.0), default_rng(9)) if waves else None
    return AutoregressiveFamily(**shape, waves=F, activation="tanh")


def theta_of(family, rng):
    return 0.8 * rng.standard_normal(family.n_parameters)


def last_theta(steps):
    for step in steps:
        theta = step.theta
    return theta


def box(d):
    return SampleSpace(numpy.full(d, -1.0), numpy.full(d, 1.0))


def images(d):
    """All 2^d binary images, (2^d, d)."""
    return numpy.array(list(itertools.product([0.0, 1.0], repeat=d)))


# Binned conditionals

@every_shape
@with_waves
def test_the_gradient_is_that_of_central_differences(shape, waves):
    family, rng = binned(shape, waves), default_rng(0)
    X = 2 * rng.random((9, family.d)) - 1
    check_gradient(lambda theta: family.log_prob(theta, X), theta_of(family, rng), rng=rng)


@every_shape
def test_the_total_mass_is_1_on_a_grid_finer_than_the_bins(shape):
    """The conditional densities vary within a bin, along the coordinates that are given."""
    family = binned(shape, waves=True)
    p = family(theta_of(family, default_rng(1)))
    grid = [7 * k for k in family.bins]
    assert float(total_mass(p, box(family.d), grid)) == pytest.approx(1, abs=1e-12)


@every_shape
def test_log_p_is_the_sum_of_the_conditionals(shape):
    """The oracle takes one row and one coordinate at a time."""
    family, rng = binned(shape, waves=True), default_rng(2)
    theta, X = theta_of(family, rng), 2 * rng.random((6, family.d)) - 1
    log_p = family.log_prob(theta, X)[0]
    numpy.testing.assert_allclose(family(theta).log_prob(X), log_p, rtol=1e-12)
    for row, expected in zip(X, log_p, strict=True):
        total = 0.0
        for i, axis in enumerate(family.order):
            K = family.bins[axis]
            before = numpy.stack([row[j] for j in family.order[:i]])[None] if i else None
            a = family.logits(theta, before)[0][0] if i else theta[:K]
            k = int((float(row[axis]) + 1) / 2 * K)
            total += a[k] - math.log(numpy.exp(a).sum()) - math.log(2 / K)
        assert total == pytest.approx(expected, rel=1e-10)


def test_each_factor_depends_only_on_the_coordinates_before_it():
    """Summed over the last coordinate in the order, the density is the product of the others."""
    family = AutoregressiveFamily((3, 4), (5,), order=(1, 0))
    p = family(theta_of(family, numpy.random.default_rng(0)))
    x0, _ = SampleSpace([-1], [1]).grid(3)
    for x1 in (-0.9, -0.2, 0.3, 0.999):
        mass = numpy.exp(p.log_prob(numpy.c_[x0, numpy.full(3, x1)])).sum() * 2 / 3
        logits = p.theta[:4]
        k = int((x1 + 1) * 2)
        assert mass == pytest.approx(2 * numpy.exp(logits[k]) / numpy.exp(logits).sum(), rel=1e-12)


def test_the_box_is_closed_and_outside_it_log_p_is_minus_infinity():
    family = AutoregressiveFamily((2, 3), (4,))
    theta = theta_of(family, default_rng(0))
    X = numpy.asarray([[-1, -1], [1, 1], [1.001, 0], [0, -7], [math.inf, 0], [math.nan, 0],
                    [0.2, 0.3]])
    log_p, backward = family.log_prob(theta, X)
    assert numpy.isfinite(log_p[[0, 1, 6]]).all()
    assert log_p[2:5].tolist() == [-math.inf] * 3 and math.isnan(log_p[5])
    assert (family(theta).log_prob(X[:4])).tolist() == log_p[:4].tolist()
    only_outside = numpy.asarray([0, 0, 1, 1, 1, 1, 0.0])
    assert (backward(only_outside) == 0).all()


@every_shape
def test_samples_fall_into_cells_as_often_as_the_density_says(shape):
    """n = 20,000: each cell within 6 standard errors, a false alarm in 500 million a cell."""
    family, n = binned(shape, waves=True), 20_000
    p, space = family(theta_of(family, default_rng(3))), box(family.d)
    grid = [2 * k for k in family.bins]                     # twice as fine as the bins
    X = p.sample(n, default_rng(4))
    assert X.shape == (n, family.d)
    count = numpy.bincount(space.cell(X, grid), minlength=math.prod(grid))
    fine = [8 * k for k in grid]                            # integrals over the cells
    centers, volume = space.grid(fine)
    mass = numpy.zeros(math.prod(grid))
    numpy.add.at(mass, space.cell(centers, grid),
                 numpy.exp(p.log_prob(centers)) * float(volume))
    assert (abs(count - n * mass) < 6 * numpy.sqrt(n * mass) + 6).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("K, own", [(1000, 900), (1000, 0), (100_000, 77_777), (100_000, 99_999),
                                    (49, 48)])
def test_samples_stay_in_their_own_bin_however_narrow_it_is(dtype, K, own):
    """All the mass lies in one bin of the first coordinate, log p = log K/2 - log 2/2; in float32 a
    sample (k + u) 2/K - 1 can be rounded into the next bin, which has none."""
    family = AutoregressiveFamily((K, 2), ())
    theta = numpy.full(family.n_parameters, -200, dtype=dtype)
    theta[own], theta[K:] = 0, 0
    X = family(theta).sample(100_000, default_rng(0))
    assert (abs(X) <= 1).all()
    numpy.testing.assert_allclose(family(theta).log_prob(X), math.log(K / 2) - math.log(2),
                                  rtol=1e-5)


class AtZero:
    """A generator whose numbers of float32 are 0, as one of 2^24 is, and whose float64 are not."""

    def __init__(self):
        self.rng = default_rng(0)
        self.standard_normal, self.integers = self.rng.standard_normal, self.rng.integers

    def random(self, n, dtype=float):
        return numpy.zeros(n, "float32") if dtype == "float32" else self.rng.random(n)


def test_a_bin_or_a_pixel_that_is_all_but_impossible_is_not_drawn_where_float32_says_0():
    """exp(-60) is 1e-26: no draw of float32 may pick it, though u = 0 lies below any mass."""
    binned = AutoregressiveFamily((2, 2), ())
    theta = numpy.zeros(binned.n_parameters, dtype="float32")
    theta[-2] = -60                                         # the first bin of the last coordinate
    assert (binned(theta).sample(1000, AtZero())[:, 1] >= 0).all()
    masked = MaskedAutoregressiveFamily(2, ())
    theta = numpy.full(masked.n_parameters, -60, dtype="float32")
    assert (masked(theta).sample(1000, AtZero()) == 0).all()


def test_a_rare_dark_pixel_is_drawn_from_a_float32_theta():
    """Where x = 0 has a mass near 2e-9, sigmoid(a) is 1 in float32, and x = 0 never came."""
    class Highest(AtZero):
        def random(self, n, dtype=float):
            return numpy.full(n, 1 - 1e-9)

    masked = MaskedAutoregressiveFamily(2, ())
    theta = numpy.full(masked.n_parameters, 20, dtype="float32")
    assert (masked(theta).sample(3, Highest())[:, 0] == 0).all()


def test_bins_narrower_than_numbers_can_tell_are_refused():
    family = AutoregressiveFamily((2**23 + 1,), ())
    family(numpy.zeros(family.n_parameters))
    with pytest.raises(ValueError, match="bins makes 8388609 cells of width .* of float32"):
        family(numpy.zeros(family.n_parameters, dtype="float32"))


@pytest.mark.parametrize("K", [3, 10, 60, 49])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_point_within_rounding_of_a_border_has_the_density_of_its_own_bin(K, dtype):
    family = AutoregressiveFamily((K, 1), ())
    theta = numpy.zeros(family.n_parameters)
    theta[:K] = numpy.arange(K)
    borders = numpy.array([2 * c / K - 1 for c in range(1, K)], dtype=dtype)
    ends = numpy.array([-1, 1], dtype=dtype)
    x = numpy.concatenate([borders, *(numpy.nextafter(borders, end) for end in ends)])
    bins = [int((Fraction(y) + 1) * K // 2) for y in x.tolist()]
    log_p = family(theta).log_prob(numpy.stack([x, 0 * x], axis=1))
    numpy.testing.assert_allclose(log_p - log_p[0], numpy.array(bins) - bins[0], atol=1e-5)


def test_many_rows_add_to_a_gradient_without_rounding_it_away():
    """300,000 rows in one bin of float32: ∂/∂θ of its logit is 1 - 1/K for the mean of log p."""
    family = AutoregressiveFamily((4,), ())
    theta, X = numpy.zeros(4, "float32"), numpy.full((300_000, 1), 0.1, "float32")
    dtheta = family.log_prob(theta, X)[1](numpy.full(len(X), 1 / len(X), "float32"))
    numpy.testing.assert_allclose(dtheta, [-0.25, -0.25, 0.75, -0.25], rtol=1e-6)


@pytest.mark.parametrize("shape", [SHAPES["two axes"], SHAPES["three axes"]])
def test_the_mean_gradient_of_log_p_over_its_own_samples_is_0(shape):
    """n = 20,000 in 200 groups, each number within 6 standard errors."""
    family = binned(shape)
    theta = theta_of(family, default_rng(5))
    X = family(theta).sample(20_000, default_rng(6))
    assert_zero_mean_gradient(family, theta, X)


def test_changing_the_returned_values_does_not_change_the_gradients():
    for shape in SHAPES.values():
        family, rng = binned(shape, waves=True), default_rng(0)
        theta, X = theta_of(family, rng), 2 * rng.random((9, family.d)) - 1
        check_the_value_is_the_callers(family.log_prob, theta, X)
        if family.d > 1:
            check_the_value_is_the_callers(family.logits, theta, X[:, :1])
    family = MaskedAutoregressiveFamily(4, (6,))
    theta, X = theta_of(family, rng), (rng.random((9, 4)) < 0.5).astype(float)
    check_the_value_is_the_callers(family.log_prob, theta, X)
    check_the_value_is_the_callers(family.logits, theta, X)


def assert_zero_mean_gradient(family, theta, X):
    gradients = numpy.array([to_numpy(family.log_prob(theta, rows)[1](numpy.full(100, 0.01)))
                          for rows in X.reshape(-1, 100, family.d)])
    errors = gradients.std(axis=0, ddof=1) / math.sqrt(len(gradients))
    assert (abs(gradients.mean(axis=0)) <= 6 * errors).all() and (errors > 0).any()


@pytest.mark.parametrize("order, row", [((0, 1), 0), ((1, 0), 1)])
def test_a_network_uses_only_the_waves_of_the_coordinate_that_it_sees(order, row):
    rng = numpy.random.default_rng(0)
    F = rng.standard_normal((2, 3))
    families = [AutoregressiveFamily((4, 5), (6,), F + step, order) for step in (
        0, numpy.eye(2)[:, [1 - row]], numpy.eye(2)[:, [row]])]
    theta, X = theta_of(families[0], rng), 2 * rng.random((9, 2)) - 1
    log_p, unseen, seen = (family(theta).log_prob(X) for family in families)
    assert (unseen == log_p).all() and (seen != log_p).all()


def test_bounded_logits_bound_the_ratio_of_conditional_densities():
    """exp(2B), here e²; without a bound these weights make it far larger."""
    X = SampleSpace(numpy.asarray([-1.0, -1.0]), numpy.asarray([1.0, 1.0])).grid((20, 6))[0]
    ratios = []
    for bound in (1.0, None):
        family = AutoregressiveFamily((4, 6), (8,), bound=bound)
        log_p = family(10 * theta_of(family, default_rng(0))).log_prob(X).reshape(20, 6)
        ratios.append(float((log_p.max(axis=1) - log_p.min(axis=1)).max()))
    assert 1.9 < ratios[0] <= 2 + 1e-12 and ratios[1] > 10


def test_equal_logits_are_the_uniform_density():
    family = AutoregressiveFamily((4, 3, 2), (5,))
    p = family(numpy.zeros(family.n_parameters))
    X = p.sample(50, default_rng(0))
    numpy.testing.assert_allclose(p.log_prob(X), -3 * math.log(2), rtol=1e-12)


def test_logits_of_any_size_leave_log_p_finite():
    """exp(1000) is not a floating-point number, but log softmax(a)[k] = a_k - max a, nearly."""
    family = AutoregressiveFamily((2, 3), ())
    for a in ([1000.0, 400.0, -500.0], [-1000.0, -1600.0, -2500.0]):
        theta = numpy.r_[0.0, 0.0, numpy.zeros(3), a]       # both logits of x0; W, b of x1 after x0
        log_p, backward = family.log_prob(theta, numpy.array([[0.0, -0.9], [0, 0], [0, 0.9]]))
        expected = numpy.array([0, -600, -1500]) - math.log(2) + math.log(3 / 2) - math.log(2 / 2)
        numpy.testing.assert_allclose(log_p, expected, rtol=1e-12)
        numpy.testing.assert_allclose(backward(numpy.ones(3))[-3:], [-2, 1, 1], atol=1e-12)


def test_a_start_is_nearly_uniform_in_the_first_coordinate():
    """None of 1,000 bins has a probability that is off by more than 1 in 20, nor all the same."""
    family = AutoregressiveFamily((1000, 2), ())
    p = family(family.initial_theta(default_rng(0)))
    x = (numpy.arange(1000) + 0.5) / 500 - 1
    mass = sum(numpy.exp(p.log_prob(numpy.c_[x, numpy.full(1000, y)])) for y in (-0.5, 0.5)) / 500
    assert mass.sum() == pytest.approx(1, rel=1e-12)
    assert 0.01 < abs(1000 * mass - 1).max() < 0.05


# Masked weights

@every_mask
def test_the_gradient_through_the_masks_is_that_of_central_differences(d, hidden, order):
    family, rng = MaskedAutoregressiveFamily(d, hidden, order, "tanh"), default_rng(0)
    X = (rng.random((9, d)) < 0.5).astype(float)
    check_gradient(lambda theta: family.log_prob(theta, X), theta_of(family, rng), rng=rng)


@every_mask
def test_the_masses_of_all_images_sum_to_1(d, hidden, order):
    family = MaskedAutoregressiveFamily(d, hidden, order)
    p = family(3 * theta_of(family, default_rng(1)))
    assert float(numpy.exp(p.log_prob(images(d))).sum()) == pytest.approx(1, rel=1e-12)


@every_mask
def test_a_logit_changes_only_with_the_coordinates_before_it(d, hidden, order):
    """And, with a hidden layer wide enough, with each of them for some place."""
    family, rng = MaskedAutoregressiveFamily(d, hidden, order, "tanh"), default_rng(2)
    theta, x = theta_of(family, rng), (rng.random((1, d)) < 0.5).astype(float)
    a = family.logits(theta, x)[0][0]
    changed = numpy.zeros((d, d), dtype=bool)               # [place of input, place of output]
    for i, axis in enumerate(family.order):
        other = x.copy()
        other[:, axis] = 1 - other[:, axis]
        b = family.logits(theta, other)[0][0]
        changed[i] = (a != b)[family.order]
    assert not numpy.tril(changed).any()
    if min(hidden, default=d) >= d:
        assert (changed == numpy.triu(numpy.ones((d, d)), 1)).all()


def test_masked_weights_have_no_effect():
    family, rng = MaskedAutoregressiveFamily(5, (6, 7)), default_rng(3)
    theta, X = theta_of(family, rng), (rng.random((8, 5)) < 0.5).astype(float)
    kept = family.mask(numpy)
    other = numpy.where(kept, theta, rng.standard_normal(theta.shape))
    log_p, backward = family.log_prob(theta, X)
    numpy.testing.assert_allclose(family.log_prob(other, X)[0], log_p)
    assert (backward(log_p)[~kept] == 0).all()
    assert 0 < int(kept.sum()) < family.n_parameters


def test_the_mask_cannot_be_changed():
    """Nor is it kept for another module: each gets its own from that of NumPy."""
    family = MaskedAutoregressiveFamily(3, (4,))
    with pytest.raises(ValueError, match="read-only"):
        family.mask(numpy)[:] = True
    assert not family.mask(numpy).all()


def test_samples_are_images_as_frequent_as_their_masses():
    """n = 20,000, 32 images, each within 6 standard errors."""
    family, n = MaskedAutoregressiveFamily(5, (9, 8), (3, 1, 4, 0, 2)), 20_000
    theta = theta_of(family, default_rng(4))
    p = family(theta)
    X = p.sample(n, default_rng(5))
    assert X.shape == (n, 5)
    number = X.astype(int) @ (2**numpy.arange(5)[::-1])
    mass = numpy.exp(p.log_prob(images(5)))
    assert (abs(numpy.bincount(number, minlength=32) - n * mass) < 6 * numpy.sqrt(n * mass)).all()
    assert_zero_mean_gradient(family, theta, X)


def test_without_weights_the_pixels_are_independent():
    family = MaskedAutoregressiveFamily(4, ())
    theta = numpy.zeros(family.n_parameters)
    bias = family.network.cut(theta)[-1][1]
    bias[...] = numpy.asarray([0.0, 1.0, -2.0, 5.0])
    q = 1 / (1 + numpy.exp(-numpy.array([0.0, 1.0, -2.0, 5.0])))
    X = images(4)
    expected = numpy.where(X == 1, numpy.log(q), numpy.log(1 - q)).sum(axis=1)
    numpy.testing.assert_allclose(family(theta).log_prob(X), expected, rtol=1e-9)


# Errata

def test_e32_log_p_is_exact_where_a_grid_has_2_to_the_1024_cells():
    """The masses of all 2^d images can be added up for d = 10 and not for d = 1,024; log p is
    there the sum of the conditionals, each from an image that is blank from its pixel on. And in
    1,024 dimensions a density on a box is as exact."""
    rng = numpy.random.default_rng(0)
    small = MaskedAutoregressiveFamily(10, (16,))
    masses = numpy.exp(small(theta_of(small, rng)).log_prob(images(10)))
    assert len(masses) == 2**10 and masses.sum() == pytest.approx(1, rel=1e-12)

    d = 1024
    family = MaskedAutoregressiveFamily(d, (40,))
    theta = 0.1 * theta_of(family, rng)
    x = (rng.random(d) < 0.5).astype(float)
    blank = numpy.tril(numpy.ones((d, d)), -1) * x                  # row i: pixels 0, ..., i - 1
    a = family.logits(theta, blank)[0].diagonal()
    log_p = family(theta).log_prob(x[None])[0]
    assert log_p == pytest.approx(-numpy.log1p(numpy.exp((1 - 2 * x) * a)).sum(), rel=1e-12)
    assert log_p < -600                                     # about -1,024 log 2, and 2^1024 cells

    d = 1000                                                # 2^1000 cells on [-1, 1]^1000
    rows = AutoregressiveFamily((2,) * d, (), order=rng.permutation(d).tolist())
    theta = 0.05 * rng.standard_normal(rows.n_parameters)
    X = 2 * rng.random((3, d)) - 1
    seen, (first, *parts) = X[:, rows.order], rows.parts(theta)
    a = [first + numpy.zeros((3, 2))] + [                   # logits of x_i, from x_<i alone
        seen[:, :i] @ part[:-2].reshape(i, 2) + part[-2:] for i, part in enumerate(parts, start=1)]
    p = numpy.exp(a) / numpy.exp(a).sum(axis=2, keepdims=True)              # (d, 3, 2)
    conditionals = numpy.log(numpy.where(seen.T < 0, p[:, :, 0], p[:, :, 1]))
    log_p = conditionals.sum(axis=0)                        # bins of width 1
    numpy.testing.assert_allclose(rows(theta).log_prob(X), log_p, rtol=1e-10)
    assert abs(log_p + d * math.log(2)).min() > 10          # far from uniform
    last = rows.order[-1]
    both = [rows(theta).log_prob(numpy.where(numpy.arange(d) == last, x, X)) for x in (-0.5, 0.5)]
    numpy.testing.assert_allclose(numpy.logaddexp(*both), log_p - conditionals[-1], rtol=1e-10)


def interpolating_theta(joint, order):
    """θ of an AutoregressiveFamily(joint.shape, (K,), order) that has these masses at the centers
    of the grid's cells: the logits of the second factor, as a function of the first coordinate,
    are broken lines through the given values, sums of relu."""
    joint = joint if order == (0, 1) else joint.T
    K = len(joint)
    centers = (2 * numpy.arange(K) + 1) / K - 1
    hinges = numpy.r_[-2.0, centers[:-1]]                   # relu(x - hinge), unit after unit
    values = numpy.log(joint)
    slopes = numpy.linalg.solve(numpy.maximum(centers[:, None] - hinges, 0), values)
    return numpy.concatenate([numpy.log(joint.sum(axis=1)), numpy.ones(K), -hinges, slopes.ravel(),
                              numpy.zeros(joint.shape[1])])


def test_e37_any_order_is_exact_and_matters_only_for_restricted_conditionals():
    """With logits free to be any function of the coordinate before, both orders give the same
    joint. With logits linear in it, p(x1|x0) can be exact while p(x0|x1) is not: its best
    likelihood, a concave problem, stays below."""
    rng, shape = numpy.random.default_rng(0), (5, 7)
    X, _ = SampleSpace([-1, -1], [1, 1]).grid(shape)
    joint = rng.random(shape)
    joint /= joint.sum()
    for order in ((0, 1), (1, 0)):
        family = AutoregressiveFamily(shape, (shape[order[0]],), order=order)
        p = family(interpolating_theta(joint, order))
        numpy.testing.assert_allclose(numpy.exp(p.log_prob(X)) * 4 / 35, joint.ravel(), rtol=1e-9)

    linear = AutoregressiveFamily(shape, (), order=(0, 1))
    joint = numpy.exp(linear(1.5 * rng.standard_normal(linear.n_parameters)).log_prob(X)) * 4 / 35
    kl = {order: best_kl(AutoregressiveFamily(shape, (), order=order), X, joint)
          for order in ((0, 1), (1, 0))}
    assert abs(kl[0, 1]) < 1e-4 and kl[1, 0] > 0.02


def best_kl(family, X, joint, steps=800):
    """min over θ of KL(joint‖p_θ) on the centers X of a grid, in nats, by Adam."""
    theta, optimizer = numpy.zeros(family.n_parameters), Adam(0.1)
    for t in range(steps):
        optimizer.learning_rate = 0.1 * (1 - t / steps)
        log_p, backward = family.log_prob(theta, X)
        theta = optimizer(theta, backward(-joint))
    volume = 4 / len(X)
    return (joint * (numpy.log(joint / volume) - family.log_prob(theta, X)[0])).sum()


# Training

def stripes(n, rng):
    """Two coordinates in [-1, 1]: the second one lies near one of two waves of the first."""
    x = 2 * rng.random(n) - 1
    wave = 0.5 * numpy.sin(3 * x) + numpy.where(rng.random(n) < 0.5, 0.4, -0.4)
    return numpy.c_[x, wave + 0.05 * (2 * rng.random(n) - 1)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_raises_the_held_out_likelihood(seed):
    """From log 4 = 1.39 nats of the uniform density; the entropy is log 2 + log 0.2 = -0.92."""
    rng = numpy.random.default_rng(seed)
    X, new = (stripes(n, rng).astype("float32") for n in (3000, 1000))
    family = AutoregressiveFamily((10, 40), (64,), wave_vectors(2, 8, (2.0, 6.0), rng))
    before = -family(family.initial_theta(rng)).log_prob(new).mean()
    theta = last_theta(family.train(X, rng, max_steps=250, batch=256, learning_rate=5e-3,
                                    averaging=0.99))
    assert before > 1.3 and theta.dtype == numpy.float32
    assert -family(theta).log_prob(new).mean() < 0.0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_with_masks_raises_the_held_out_likelihood(seed):
    """Each of 12 pixels copies the one 6 before it, 9 times in 10: the entropy is 6 log 2 + 6 h =
    6.11 nats, h that of 0.9; independent pixels have 12 log 2 = 8.32."""
    rng = numpy.random.default_rng(seed)
    first = rng.random((2500, 6)) < 0.5
    X = numpy.c_[first, first ^ (rng.random(first.shape) < 0.1)].astype("float32")
    family = MaskedAutoregressiveFamily(12, (48,))
    theta = last_theta(family.train(X[:2000], rng, max_steps=500, batch=100, learning_rate=0.01,
                                    averaging=0.9))
    assert -family(theta).log_prob(X[2000:]).mean() < 7.0


FAMILIES = {
    "bins": (lambda: AutoregressiveFamily((4, 5), (6,)), lambda rng: 2 * rng.random((30, 2)) - 1),
    "masks": (lambda: MaskedAutoregressiveFamily(4, (6,)),
              lambda rng: (rng.random((30, 4)) < 0.5).astype(float))}
every_family = pytest.mark.parametrize("make, draw", FAMILIES.values(), ids=FAMILIES)


@every_family
def test_the_loss_is_the_mean_negative_log_likelihood(make, draw):
    family, X = make(), draw(default_rng(0))
    theta = theta_of(family, default_rng(1))
    value, dtheta = family.loss(theta, X)
    assert float(value) == pytest.approx(-float(family(theta).log_prob(X).mean()), rel=1e-12)
    assert dtheta.shape == theta.shape == (family.n_parameters,)


@every_family
def test_a_density_keeps_its_own_theta_and_inputs_are_not_changed(make, draw):
    family, rng = make(), numpy.random.default_rng(0)
    theta, X = theta_of(family, rng), draw(rng)
    p = family(theta)
    before = p.log_prob(X)
    theta += 1
    assert (p.log_prob(X) == before).all()
    theta.flags.writeable = X.flags.writeable = before.flags.writeable = False
    pullback = family.log_prob(theta, X)[1]
    assert (pullback(before) == pullback(before)).all()
    list(family.train(X, rng, max_steps=2, theta=theta))


@every_family
def test_rows_may_be_taken_in_blocks(monkeypatch, make, draw):
    family, rng = make(), numpy.random.default_rng(0)
    p, X = family(theta_of(family, rng)), draw(rng)
    whole = p.log_prob(X)
    monkeypatch.setattr("gdl_numpy.networks.trained.in_blocks",
                        lambda function, n, rows: in_blocks(function, n, rows=7))
    numpy.testing.assert_allclose(p.log_prob(X), whole, rtol=1e-12)
    assert p.sample(30, rng).shape == X.shape


@pytest.mark.parametrize("hidden", [(3,), (5, 4), (40,)])
def test_with_few_hidden_units_the_first_and_the_last_coordinates_still_count(hidden):
    """Degrees reach from 1 to d - 1: output 2 sees input 1, the last output all other inputs."""
    d = 20
    family = MaskedAutoregressiveFamily(d, hidden, activation="tanh")
    theta, rng = theta_of(family, numpy.random.default_rng(0)), numpy.random.default_rng(1)
    x = rng.random(d)
    a, _ = family.logits(theta, x + numpy.zeros((d, d)))
    changed, _ = family.logits(theta, x + numpy.eye(d))
    moved = abs(changed - a) > 0
    assert moved[0, 1] and moved[:d - 1, d - 1].all()
    assert not numpy.tril(moved).any()


@pytest.mark.parametrize("make, error, message", [
    (lambda: AutoregressiveFamily((3, 0), ()), ValueError, "bins must be at least 1, got 0"),
    (lambda: AutoregressiveFamily((), ()), ValueError, "length of bins must be at least 1, got 0"),
    (lambda: AutoregressiveFamily((3, 2.5), ()), TypeError, "bins must be a whole number, got 2.5"),
    (lambda: AutoregressiveFamily((3, 2), (0,)), ValueError, "hidden must be at least 1, got 0"),
    (lambda: AutoregressiveFamily((3, 2), (), order=(0, 0)), ValueError,
     r"order must hold each of 0, ..., 1 once, got \(0, 0\)"),
    (lambda: AutoregressiveFamily((3, 2), (), activation="sine"), ValueError,
     "activation must be one of tanh, relu, softplus, got 'sine'"),
    (lambda: AutoregressiveFamily((3, 2), (), bound=0.0), ValueError,
     r"bound must lie in \[1e-30, 1e30\], got 0.0"),
    (lambda: AutoregressiveFamily((3, 2), (), numpy.ones((1, 4))), ValueError,
     r"waves must have shape \(2, m\), got shape \(1, 4\)"),
    (lambda: MaskedAutoregressiveFamily(0, ()), ValueError, "d must be at least 1, got 0"),
    (lambda: MaskedAutoregressiveFamily(3, (2,), (0, 1)), ValueError, "order must hold each"),
    (lambda: AutoregressiveFamily((3, 2), ())(numpy.ones(3)), ValueError,
     r"theta must be an array of shape \(7,\), got \(3,\)"),
    (lambda: AutoregressiveFamily((3, 2), ())(numpy.full(7, math.nan)), ValueError,
     "theta holds nan"),
    (lambda: AutoregressiveFamily((3, 2), ()).log_prob(numpy.ones(3), numpy.ones((1, 2))),
     ValueError, r"theta must be an array of shape \(7,\), got \(3,\)"),
    (lambda: AutoregressiveFamily((3, 2), ())(numpy.ones(7)).log_prob(numpy.ones((1, 3))),
     ValueError, "X has 3 columns"),
    (lambda: AutoregressiveFamily((3, 2), ())(numpy.ones(7)).log_prob([[math.nan, 0]]), ValueError,
     "X holds nan"),
    (lambda: AutoregressiveFamily((3, 2), ())(numpy.ones(7)).sample(
        -1, numpy.random.default_rng(0)), ValueError, "n must be at least 0, got -1"),
    (lambda: MaskedAutoregressiveFamily(2, ())(numpy.ones(6)).log_prob([[0, 0.5]]), ValueError,
     r"X must lie in \{0, 1\}\^2, got the row \[0.  0.5\]"),
])
def test_wrong_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("X, options, error, message", [
    *BAD_DATA_OF_THE_BOX,
    (numpy.zeros((5, 2)), {"theta": numpy.ones(4)}, ValueError, r"shape \(7,\), got \(4,\)"),
    (numpy.zeros((5, 2)), {"averaging": 1.0}, ValueError, r"averaging must lie in \[0, 1\)"),
    (numpy.zeros((5, 2)), {"batch": 1.5}, TypeError, "batch must be a whole number"),
])
def test_wrong_data_and_training_options_are_refused(X, options, error, message):
    with pytest.raises(error, match=message):
        next(AutoregressiveFamily((3, 2), ()).train(X, numpy.random.default_rng(0), **options))
    if not options and X.size:
        with pytest.raises(ValueError):
            MaskedAutoregressiveFamily(2, ()).train(X, numpy.random.default_rng(0))


# Contracts

@every_family
def test_empty_X_gives_empty_log_p_and_a_start_is_made_by_its_seed(xp, make_rng, make, draw):
    family = make()
    theta = family.initial_theta(make_rng(0))
    assert array_module(theta) is xp and theta.shape == (family.n_parameters,)
    assert to_numpy(theta == family.initial_theta(make_rng(0))).all()
    assert family.initial_theta(make_rng(0), "float32").dtype == numpy.float32
    p = family(theta)
    assert p.log_prob(draw(make_rng(0))[:0]).shape == (0,)
    assert p.sample(0, make_rng(0)).shape == (0, family.d)
    assert p.family is family and to_numpy(p.theta == theta).all()


def test_wave_vectors_go_where_the_data_are(device):
    X = numpy.zeros((4, 2))
    waves = AutoregressiveFamily((3, 2), (), numpy.ones((2, 1)))
    log_p, _ = waves.log_prob(device.zeros(waves.n_parameters), device.asarray(X))
    assert isinstance(log_p, device.ndarray)


@pytest.mark.parametrize("K, rows", [(360, 2048), (1024, 2048), (4096, 512)])
def test_where_a_row_has_many_logits_fewer_rows_are_taken_at_a_time(K, rows):
    family = AutoregressiveFamily((2, K), ())
    p, seen = family(numpy.zeros(family.n_parameters)), []
    logits, family.logits = family.logits, lambda *args: seen.append(len(args[1])) or logits(*args)
    assert p.sample(rows + 1, numpy.random.default_rng(0)).shape == (rows + 1, 2)
    assert seen == [rows, 1]
