"""Densities: what each promises, asked of all of them; and the integrals that compare two.

D is the register: examples of every class of density.py, on which every promise is tested.
"""

import inspect
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import numpy
import pytest
import scipy.special
import scipy.stats
from sklearn.neighbors import KernelDensity as ReferenceKernelDensity

import gdl_numpy.probability.density
import gdl_numpy.probability.kernel_density
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.density import Box, Histogram, Mixture, Normal, categorical
from gdl_numpy.probability.divergence import (
    cross_entropy,
    cross_entropy_estimate,
    entropy,
    jensen_shannon,
    kl_divergence,
    total_mass,
)
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.world.world_map import WORLD, WorldMap

INF, NAN = math.inf, math.nan


# The register

@dataclass(frozen=True)
class Example:
    make: Callable          # make(a) -> density, where `a` makes arrays of (nested) lists
    low: list               # a box that holds its mass, all but 1e-9,
    high: list
    shape: tuple            # and a grid on it whose cells do not straddle an edge of the support
    outside: tuple = ()     # points where the density is 0

    def built(self, xp, dtype="float64"):
        return self.make(lambda x: xp.asarray(x, dtype=dtype))

    def points(self, n):
        """n points in the box, on the host, the same in every call."""
        return numpy.random.default_rng(0).uniform(self.low, self.high, (n, len(self.low)))


CENTRES = [[0.0, 0.0], [1.0, 0.5], [1.0, 0.5], [-2.0, 3.0], [0.3, -0.4]]
D = {
    "Box on a line": Example(
        lambda a: Box(a([2.0]), a([2.5])), [1], [3], (2000,), ([1.9], [2.6], [-1e9])),
    "Box": Example(
        lambda a: Box(a([-1.0, 0.0]), a([1.0, 0.5])),
        [-2, -1], [2, 1], (200, 200), ([0, 0.6], [-2, 0.2], [1, 1], [1.1, 0.5])),
    "Normal on a line": Example(
        lambda a: Normal(a([3.0]), a([[0.25]])), [-3], [9], (2000,)),
    "Normal": Example(
        lambda a: Normal(a([1.0, -2.0]), a([[2.0, -1.2], [-1.2, 1.0]])),
        [-13, -12], [15, 8], (250, 250)),
    "Mixture of normals": Example(
        lambda a: Mixture(a([0.3, 0.7]), [Normal(a([-2.0]), a([[1.0]])),
                                          Normal(a([1.0]), a([[0.09]]))]), [-12], [10], (2000,)),
    "Mixture of boxes, one of weight 0": Example(
        lambda a: Mixture(a([0.5, 0.3, 0.0, 0.2]), [
            Box(a([0.0, 0.0]), a([1.0, 1.0])), Box(a([0.5, 0.5]), a([2.0, 1.5])),
            Box(a([3.0, 3.0]), a([4.0, 4.0])), Box(a([0.0, 2.0]), a([1.0, 4.0]))]),
        [-1, 0], [4, 5], (250, 250), ([1.5, 0.2], [3.5, 3.5], [9, 9])),
    "Mixture of a mixture": Example(
        lambda a: Mixture(a([0.25, 0.75]), [
            Normal(a([0.0, 0.0]), a([[1.0, 0.0], [0.0, 1.0]])),
            Mixture(a([0.5, 0.5]), [Normal(a([3.0, 0.0]), a([[0.5, 0.2], [0.2, 0.5]])),
                                    KernelDensity(a([[0.0, 3.0], [1.0, 3.0]]), 0.5)])]),
        [-8, -8], [11, 11], (250, 250)),
    "Histogram on a line": Example(
        lambda a: Histogram(SampleSpace(a([0.0]), a([3.0])), a([0.5, 0.0, 0.2, 0.3])),
        [-0.75], [3.75], (1200,), ([-0.1], [1.0], [3.1])),
    "Histogram": Example(
        lambda a: Histogram(SampleSpace(a([-90.0, -180.0]), a([90.0, 180.0])),
                            a([[0.1, 0.2, 0.0, 0.1], [0.3, 0.0, 0.2, 0.1]])),
        [-180, -180], [180, 180], (240, 240), ([-45, 45], [45, -45], [91, 100], [0, 181])),
    "KernelDensity on a line": Example(
        lambda a: KernelDensity(a([[0.0], [1.0], [1.0], [4.0]]), 0.5), [-6], [10], (2000,)),
    "KernelDensity": Example(
        lambda a: KernelDensity(a(CENTRES), 0.4), [-7, -5.4], [6, 8], (250, 250)),
}
every_density = pytest.mark.parametrize("example", D.values(), ids=D)


def test_every_density_is_in_the_register():
    modules = (gdl_numpy.probability.density, gdl_numpy.probability.kernel_density)
    classes = {value for module in modules
               for _, value in inspect.getmembers(module, inspect.isclass)
               if value.__module__ == module.__name__}
    assert classes == {type(example.built(numpy)) for example in D.values()}


# What every density promises: values

@every_density
def test_the_total_mass_is_1(xp, example):
    space = SampleSpace(xp.asarray(example.low), xp.asarray(example.high))
    assert float(total_mass(example.built(xp), space, example.shape)) == pytest.approx(1, abs=1e-6)


@every_density
def test_the_density_is_exactly_0_outside_the_support_and_only_there(xp, example):
    p = example.built(xp)
    if example.outside:
        assert to_numpy(p.log_prob(xp.asarray(example.outside))).tolist() == (
            [-INF] * len(example.outside))
    else:
        assert numpy.isfinite(to_numpy(p.log_prob(xp.asarray(example.points(1000))))).all()


@every_density
def test_the_rows_of_X_do_not_meet(xp, example):
    p, X = example.built(xp), xp.asarray(example.points(100))
    together, alone = p.log_prob(X), [float(p.log_prob(X[i:i + 1])[0]) for i in range(len(X))]
    numpy.testing.assert_allclose(to_numpy(together), alone, rtol=1e-13, atol=1e-13)


@every_density
def test_no_rows_have_no_densities(xp, example, make_rng):
    p, d = example.built(xp), len(example.low)
    assert p.log_prob(xp.zeros((0, d))).shape == (0,)
    assert p.sample(0, make_rng(0)).shape == (0, d)


@every_density
def test_the_device_agrees_with_numpy(xp, example):
    X = example.points(1000)
    numpy.testing.assert_allclose(to_numpy(example.built(xp).log_prob(xp.asarray(X))),
                                  example.built(numpy).log_prob(X), rtol=1e-12)


@every_density
def test_float32_in_gives_float32_out(xp, example, make_rng):
    p, X = example.built(xp, "float32"), xp.asarray(example.points(1000), dtype="float32")
    log_p = p.log_prob(X)
    assert log_p.dtype == p.sample(10, make_rng(0)).dtype == numpy.float32
    exact = example.built(numpy).log_prob(to_numpy(X).astype(float))
    numpy.testing.assert_allclose(to_numpy(log_p), exact, rtol=1e-5, atol=1e-5)


# What every density promises: samples

N = 20_000
DKW = 0.0231                # sup |CDF of N samples - CDF| exceeds it with probability 1e-9


def grid_masses(example, p):
    """The cells' centres and their masses under p, both on the host."""
    X, cell_volume = SampleSpace(example.low, example.high).grid(example.shape)
    return X, numpy.exp(p.log_prob(X)) * cell_volume


@every_density
def test_each_margin_of_the_samples_follows_the_density(xp, example, make_rng):
    X = to_numpy(example.built(xp).sample(N, make_rng(1)))
    masses = grid_masses(example, example.built(numpy))[1].reshape(example.shape)
    for i, k in enumerate(example.shape):
        cdf = masses.sum(axis=tuple(j for j in range(masses.ndim) if j != i)).cumsum()
        borders = numpy.linspace(example.low[i], example.high[i], k + 1)[1:]
        share = numpy.searchsorted(numpy.sort(X[:, i]), borders, side="right") / N
        assert abs(share - cdf).max() < DKW


@every_density
def test_moments_and_projections_of_the_samples_are_those_of_the_density(xp, example, make_rng):
    """Within 6 standard errors: a false alarm in 5e8 for each of the 4 to 11 numbers compared."""
    grid, masses = grid_masses(example, example.built(numpy))
    mean = masses @ grid
    width = numpy.sqrt(masses @ (grid - mean)**2)
    directions = numpy.random.default_rng(2).standard_normal((len(mean), 3))

    def features(X):
        U = (X - mean) / width
        i, j = numpy.triu_indices(U.shape[1])
        return numpy.hstack([U, U[:, i] * U[:, j], numpy.cos(U @ directions),
                             numpy.sin(U @ directions)])

    drawn = features(to_numpy(example.built(xp).sample(N, make_rng(3))))
    error = drawn.mean(axis=0) - masses @ features(grid)
    assert (abs(error) < 6 * drawn.std(axis=0) / math.sqrt(N)).all()


@every_density
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_samples_lie_in_the_support(xp, example, make_rng, dtype):
    p = example.built(xp, dtype)
    X = p.sample(N, make_rng(4))
    assert X.shape == (N, len(example.low)) and (to_numpy(p.log_prob(X)) > -INF).all()


@every_density
def test_the_seed_fixes_the_samples_and_only_the_generator_is_drawn_from(xp, example, make_rng):
    p, rng, before = example.built(xp), make_rng(5), numpy.random.get_state()[1].tolist()  # noqa: NPY002
    first, second = to_numpy(p.sample(50, rng)), to_numpy(p.sample(50, rng))
    assert numpy.array_equal(first, to_numpy(example.built(xp).sample(50, make_rng(5))))
    assert (first != second).all() and (first != to_numpy(p.sample(50, make_rng(6)))).all()
    assert numpy.random.get_state()[1].tolist() == before  # noqa: NPY002


# What every density promises: arrays

@every_density
def test_results_live_where_the_density_lives(xp, example, make_rng):
    p = example.built(xp)
    X = p.sample(5, make_rng(0))
    assert array_module(X) is array_module(p.log_prob(X)) is xp


@every_density
def test_host_and_device_do_not_mix(device, example):
    here, there = example.built(numpy), example.built(device)
    X = example.points(5)
    for action in (lambda: here.log_prob(device.asarray(X)), lambda: there.log_prob(X),
                   lambda: here.sample(5, device.random.default_rng(0)),
                   lambda: there.sample(5, numpy.random.default_rng(0))):
        with pytest.raises(TypeError):
            action()


@every_density
def test_points_may_be_a_list_and_are_taken_to_where_the_density_lives(xp, example):
    p, X = example.built(xp), example.points(5)
    for points in (X.tolist(), tuple(map(tuple, X.tolist()))):
        assert to_numpy(p.log_prob(points) == p.log_prob(xp.asarray(X))).all()


def as_tuples(x):
    return tuple(map(as_tuples, x)) if isinstance(x, list) else x


@every_density
@pytest.mark.parametrize("kind", [list, as_tuples])
def test_parameters_may_be_lists_or_tuples(example, kind):
    X = example.points(100)
    assert numpy.array_equal(example.make(kind).log_prob(X), example.built(numpy).log_prob(X))


@every_density
def test_inputs_are_only_read(example):
    def read_only(x):
        x = numpy.array(x)
        x.flags.writeable = False
        return x

    p, X = example.make(read_only), read_only(example.points(100))
    p.log_prob(X)
    p.sample(10, numpy.random.default_rng(0))


def test_a_read_only_file_in_memory_is_data_like_any_other(tmp_path):
    numpy.save(tmp_path / "X.npy", CENTRES)
    X = numpy.load(tmp_path / "X.npy", mmap_mode="r")
    p, q = KernelDensity(X, 0.4), KernelDensity(CENTRES, 0.4)
    assert (p.log_prob(X) == q.log_prob(CENTRES)).all()


@every_density
def test_a_density_keeps_its_own_parameters(xp, example):
    given = []

    def remembered(x):
        given.append(xp.asarray(x))
        return given[-1]

    p, X = example.make(remembered), xp.asarray(example.points(100))
    before = p.log_prob(X)
    for x in given:
        x += 1
    assert given and to_numpy(p.log_prob(X) == before).all()


@every_density
def test_a_pickled_density_is_the_same_density(xp, example):
    p, X = example.built(xp), xp.asarray(example.points(100))
    assert to_numpy(pickle.loads(pickle.dumps(p)).log_prob(X) == p.log_prob(X)).all()


# What every density refuses

@every_density
def test_what_is_no_list_of_points_is_refused(example):
    p, d, x = example.built(numpy), len(example.low), example.points(1)[0].tolist()
    for X, error, words in [
            ([x + [0.0]], ValueError, f"X has {d + 1} columns; it must lie in R\\^{d}"),
            (x, ValueError, rf"X must have shape \(n, {d}\), .* got shape \({d},\)"),
            (1.0, ValueError, rf"X must have shape \(n, {d}\), .* got shape \(\)"),
            ([[x]], ValueError, rf"X must have shape .* \(1, 1, {d}\)"),
            ([x, x + x], ValueError, "X is ragged"),
            ([x, [NAN] * d], ValueError, "X holds nan"),
            ([x, [INF] * d], ValueError, "X holds inf"),
            ([["1"] * d], TypeError, "X must hold real numbers, got dtype <U1"),
            ([[None] * d], TypeError, "X must hold real numbers, got dtype object"),
            ([[1j] * d], TypeError, "X must hold real numbers, got dtype complex128")]:
        with pytest.raises(error, match=words):
            p.log_prob(X)


@every_density
@pytest.mark.parametrize("n, error", [(-1, ValueError), (2.0, TypeError), ("3", TypeError),
                                      (None, TypeError), (True, TypeError)])
def test_what_is_no_number_of_samples_is_refused(example, n, error):
    with pytest.raises(error, match="n must be"):
        example.built(numpy).sample(n, numpy.random.default_rng(0))


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
    (lambda: KernelDensity([[0]], 0), ValueError, r"bandwidth must lie in \(0, inf\), got 0"),
    (lambda: KernelDensity([[0]], -1), ValueError, r"bandwidth must lie in \(0, inf\), got -1"),
    (lambda: KernelDensity([[0]], NAN), ValueError, r"bandwidth must lie in .*, got nan"),
    (lambda: KernelDensity([[0]], "wide"), TypeError, "bandwidth must be a number .*wide"),
    (lambda: KernelDensity([0], 1), ValueError, r"X must have shape \(n, d\)"),
    (lambda: KernelDensity([[]], 1), ValueError, "X is empty"),
    (lambda: KernelDensity(numpy.zeros((0, 2)), 1), ValueError, "X is empty"),
    (lambda: KernelDensity([[0, NAN]], 1), ValueError, "X holds nan"),
])
def test_parameters_of_no_density_are_refused_at_construction(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_parameters_on_two_devices_are_refused_at_construction(device):
    there = device.asarray
    for make in (lambda: Box(numpy.zeros(1), there([1.0])),
                 lambda: Normal(numpy.zeros(1), there([[1.0]])),
                 lambda: Histogram(UNIT, there([0.5, 0.5]))):
        with pytest.raises(TypeError, match="move one of them first"):
            make()


# Against SciPy and scikit-learn

SEEDS = pytest.mark.parametrize("seed", range(3))


def random_normal(rng, d):
    mu, A = 3 * rng.standard_normal(d), rng.standard_normal((d, d))
    return mu, A @ A.T + 0.1 * numpy.eye(d)


@SEEDS
@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_normal_density_agrees_with_scipy(xp, seed, d):
    rng = numpy.random.default_rng(seed)
    mu, covariance = random_normal(rng, d)
    X = mu + 4 * rng.standard_normal((1000, d))
    numpy.testing.assert_allclose(
        to_numpy(Normal(xp.asarray(mu), xp.asarray(covariance)).log_prob(xp.asarray(X))),
        scipy.stats.multivariate_normal(mu, covariance).logpdf(X), rtol=1e-12)


@SEEDS
def test_the_box_agrees_with_scipy(xp, seed):
    rng = numpy.random.default_rng(seed)
    low, side, X = rng.normal(size=3), rng.uniform(0.1, 4, 3), rng.normal(0, 2, (1000, 3))
    log_p = Box(xp.asarray(low), xp.asarray(low + side)).log_prob(xp.asarray(X))
    with numpy.errstate(divide="ignore"):
        expected = scipy.stats.uniform(low, side).logpdf(X).sum(axis=1)
    numpy.testing.assert_allclose(to_numpy(log_p), expected, rtol=1e-12)


def kernel_density_by_definition(X, centres, h):
    squares = ((X[:, None] - centres) / h)**2
    return (scipy.special.logsumexp(-0.5 * squares.sum(axis=2), axis=1) - math.log(len(centres))
            - X.shape[1] * (math.log(h) + 0.5 * math.log(2 * math.pi)))


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("h", [0.01, 0.3, 5.0])
def test_the_kernel_density_agrees_with_scikit_learn_and_with_its_definition(xp, d, h):
    rng = numpy.random.default_rng(d)
    centres, X = rng.standard_normal((300, d)), 2 * rng.standard_normal((200, d))
    log_p = to_numpy(KernelDensity(xp.asarray(centres), h).log_prob(xp.asarray(X)))
    numpy.testing.assert_allclose(log_p, kernel_density_by_definition(X, centres, h), rtol=1e-12)
    plain = to_numpy(KernelDensity(xp.asarray(centres), h).plain_log_prob(xp.asarray(X)))
    numpy.testing.assert_allclose(log_p, plain, rtol=1e-12)
    reference = ReferenceKernelDensity(bandwidth=h, rtol=1e-13).fit(centres)
    kernel = numpy.exp(-d * (math.log(h) + 0.5 * math.log(2 * math.pi)))   # its tails are inexact
    numpy.testing.assert_allclose(numpy.exp(log_p), numpy.exp(reference.score_samples(X)),
                                  rtol=1e-9, atol=1e-11 * kernel)


@pytest.mark.parametrize("distance", [10.0, 1e3, 1e6, 1e12, 1e100])
def test_the_kernel_density_is_right_far_away_from_all_data(xp, make_rng, distance):
    centres, X = make_rng(0).standard_normal((300, 2)), make_rng(1).standard_normal((5, 2))
    X = distance * X
    numpy.testing.assert_allclose(
        to_numpy(KernelDensity(centres, 0.2).log_prob(X)),
        kernel_density_by_definition(to_numpy(X), to_numpy(centres), 0.2), rtol=1e-12)


@pytest.mark.parametrize("dtype, distance", [("float64", 1e155), ("float64", 1e300),
                                             ("float32", 1e20), ("float32", 1e38)])
def test_the_kernel_density_is_0_where_its_logarithm_overflows(xp, dtype, distance):
    p = KernelDensity(xp.asarray([[0.0, 0.0], [1.0, 1.0]], dtype=dtype), 1.0)
    log_p = to_numpy(p.log_prob([[distance, 0], [-1, distance], [0, 0]]))
    assert log_p[:2].tolist() == [-INF, -INF] and math.isfinite(log_p[2])


@pytest.mark.parametrize("d", [1, 3, 5])
@pytest.mark.parametrize("distance", [1, 1e3, 1e6])
def test_the_kernel_density_is_right_in_float32(xp, d, distance):
    rng = numpy.random.default_rng(d)
    centres = (1000 + rng.standard_normal((300, d))).astype("float32")
    X = (1000 + distance * rng.standard_normal((30, d))).astype("float32")
    log_p = KernelDensity(xp.asarray(centres), 0.05).log_prob(xp.asarray(X))
    assert log_p.dtype == numpy.float32
    exact = kernel_density_by_definition(X.astype(float), centres.astype(float), 0.05)
    numpy.testing.assert_allclose(to_numpy(log_p), exact, rtol=1e-5, atol=1e-5)


def test_the_kernel_density_of_one_point_is_a_normal_density(xp, make_rng):
    mu, X = xp.asarray([1.0, -2.0, 0.5]), 5 * make_rng(0).standard_normal((100, 3))
    numpy.testing.assert_allclose(to_numpy(KernelDensity(mu[None], 0.7).log_prob(X)),
                                  to_numpy(Normal(mu, 0.49 * xp.eye(3)).log_prob(X)), rtol=1e-12)


def test_repeating_every_training_point_leaves_the_kernel_density_as_it_was(xp, make_rng):
    centres, X = make_rng(0).standard_normal((2, 100, 2))
    numpy.testing.assert_allclose(
        to_numpy(KernelDensity(xp.concatenate([centres] * 3), 0.1).log_prob(X)),
        to_numpy(KernelDensity(centres, 0.1).log_prob(X)), rtol=1e-12)


# Relations between densities

@pytest.mark.parametrize("c", [-3.25, 2.0**10])
@pytest.mark.parametrize("name", ["Box", "Normal", "Mixture of normals", "Histogram",
                                  "KernelDensity"])
def test_a_density_moves_with_its_parameters(xp, name, c):
    X = xp.asarray(D[name].points(500).round(3))
    moved = {"Box": lambda: Box(xp.asarray([-1.0, 0.0]) + c, xp.asarray([1.0, 0.5]) + c),
             "Normal": lambda: Normal(xp.asarray([1.0, -2.0]) + c, [[2.0, -1.2], [-1.2, 1.0]]),
             "Mixture of normals": lambda: Mixture(xp.asarray([0.3, 0.7]), [
                 Normal(xp.asarray([-2.0 + c]), [[1]]), Normal(xp.asarray([1.0 + c]), [[0.09]])]),
             "Histogram": lambda: Histogram(
                 SampleSpace(xp.asarray([-90.0, -180]) + c, xp.asarray([90.0, 180]) + c),
                 [[0.1, 0.2, 0.0, 0.1], [0.3, 0.0, 0.2, 0.1]]),
             "KernelDensity": lambda: KernelDensity(xp.asarray(CENTRES) + c, 0.4)}[name]()
    numpy.testing.assert_allclose(to_numpy(moved.log_prob(X + c)),
                                  to_numpy(D[name].built(xp).log_prob(X)), rtol=1e-9)


@pytest.mark.parametrize("s", [1e-3, 7.0])
def test_stretching_space_by_s_divides_a_density_by_s_to_the_d(xp, make_rng, s):
    a, X = xp.asarray, 0.5 * make_rng(0).standard_normal((200, 2))
    low, high, mu, S = a([-1.0, 0.0]), a([1.0, 0.5]), a([1.0, -2.0]), a([[2.0, -1.2], [-1.2, 1.0]])
    masses, C = a([[0.25, 0.5, 0.25]]), a(CENTRES)
    for p, stretched in [
            (Box(low, high), Box(s * low, s * high)),
            (Normal(mu, S), Normal(s * mu, s**2 * S)),
            (Histogram(SampleSpace(low, high), masses),
             Histogram(SampleSpace(s * low, s * high), masses)),
            (KernelDensity(C, 0.4), KernelDensity(s * C, s * 0.4))]:
        numpy.testing.assert_allclose(to_numpy(stretched.log_prob(s * X)),
                                      to_numpy(p.log_prob(X)) - 2 * math.log(s), rtol=1e-12)


def test_the_order_of_components_and_halving_one_change_nothing(xp):
    a, X = xp.asarray, xp.asarray(D["Mixture of normals"].points(500))
    p, q = Normal(a([-2.0]), a([[1.0]])), Normal(a([1.0]), a([[0.09]]))
    first, *others = (to_numpy(mixture.log_prob(X)) for mixture in (
        Mixture(a([0.3, 0.7]), [p, q]), Mixture(a([0.7, 0.3]), [q, p]),
        Mixture(a([0.3, 0.35, 0.35]), [p, q, q])))
    for other in others:
        numpy.testing.assert_allclose(other, first, rtol=1e-13)


def test_the_margin_of_a_normal_is_normal(xp):
    p = D["Normal"].built(xp)
    x = xp.asarray(numpy.linspace(-3, 5, 9))[:, None]
    y, step = numpy.linspace(-14, 10, 4001, retstep=True)
    margin = [float(xp.exp(p.log_prob(xp.asarray([[float(value), t] for t in y]))).sum()) * step
              for value in x[:, 0]]
    numpy.testing.assert_allclose(
        margin, to_numpy(xp.exp(Normal(p.mu[:1], p.covariance[:1, :1]).log_prob(x))), rtol=1e-9)


def test_a_histogram_is_a_mixture_of_boxes(xp):
    space = SampleSpace(xp.asarray([0.0]), xp.asarray([4.0]))
    weights = xp.asarray([0.1, 0.0, 0.6, 0.3])
    boxes = [Box(xp.asarray([float(k)]), xp.asarray([k + 1.0])) for k in range(4)]
    X = xp.asarray(numpy.random.default_rng(0).uniform(-1, 5, (1000, 1)))
    numpy.testing.assert_allclose(to_numpy(Histogram(space, weights).log_prob(X)),
                                  to_numpy(Mixture(weights, boxes).log_prob(X)), rtol=1e-14)


def test_a_kernel_density_is_a_mixture_of_normals(xp):
    a, X = xp.asarray, xp.asarray(D["KernelDensity"].points(500))
    normals = [Normal(a(centre), 0.16 * xp.eye(2)) for centre in CENTRES]
    numpy.testing.assert_allclose(to_numpy(KernelDensity(a(CENTRES), 0.4).log_prob(X)),
                                  to_numpy(Mixture(a([0.2] * 5), normals).log_prob(X)), rtol=1e-12)


def test_a_normal_made_from_cholesky_factors_is_the_same_normal(xp):
    p, X = D["Normal"].built(xp), xp.asarray(D["Normal"].points(100))
    assert to_numpy(Normal.from_cholesky(p.mu, p.L).log_prob(X) == p.log_prob(X)).all()
    numpy.testing.assert_allclose(to_numpy(p.covariance), [[2, -1.2], [-1.2, 1]], rtol=1e-15)


def test_the_box_is_closed_at_every_corner(xp):
    p = Box(xp.asarray([-1.0, 0.0]), xp.asarray([1.0, 0.5]))
    corners = [[x, y] for x in (-1.0, 1.0) for y in (0.0, 0.5)]
    just_outside = [[numpy.nextafter(-1, -2), 0], [1, numpy.nextafter(0.5, 1)], [1, -1e-300]]
    assert to_numpy(p.log_prob(xp.asarray(corners + just_outside))).tolist() == (
        [0] * 4 + [-INF] * 3)


def test_the_density_of_a_cell_edge_is_that_of_the_upper_cell_the_last_one_closed(xp):
    p = Histogram(SampleSpace(xp.asarray([0.0]), xp.asarray([4.0])), [0.125, 0.25, 0.125, 0.5])
    numpy.testing.assert_allclose(
        to_numpy(xp.exp(p.log_prob([[0], [1], [2], [3], [4]]))), [0.125, 0.25, 0.125, 0.5, 0.5],
        rtol=1e-15)


def test_rounding_carries_no_sample_into_an_empty_cell(xp, make_rng):
    """Near 1000 float32 has 256 numbers to a cell of width 1/64, so many are on a border."""
    space = SampleSpace(*(xp.asarray([x], dtype="float32") for x in (1000, 1001)))
    p = Histogram(space, [1 / 32, 0.0] * 32)
    log_p = to_numpy(p.log_prob(p.sample(N, make_rng(0))))
    numpy.testing.assert_allclose(log_p, math.log(2), rtol=1e-6)


# Categories

def test_categories_are_drawn_in_proportion_to_their_weights(xp, make_rng):
    """χ² with 3 degrees of freedom; a false alarm in 1e6. Weight 0 is never drawn."""
    weights = [0.0, 1.0, 5.0, 0.0, 2.0, 2.0, 0.0]
    k = to_numpy(categorical(xp.asarray(weights), N, make_rng(0)))
    count = numpy.bincount(k, minlength=7)
    assert (count[[0, 3, 6]] == 0).all()
    assert scipy.stats.chisquare(count[[1, 2, 4, 5]], N * numpy.array([0.1, 0.5, 0.2, 0.2])
                                 ).pvalue > 1e-6


def test_a_number_on_a_step_of_the_cdf_belongs_to_the_category_above(xp):
    fixed = SimpleNamespace(random=lambda n, dtype: xp.asarray([0.0, 0.25, 0.2499, 1 - 2**-53]))
    k = categorical(xp.asarray([0.0, 0.25, 0.0, 0.75, 0.0]), 4, fixed)
    assert to_numpy(k).tolist() == [1, 3, 1, 3]


def test_the_samples_of_a_mixture_are_in_random_order(xp, make_rng):
    p = Mixture(xp.asarray([0.5, 0.5]), [Box(xp.asarray([x]), xp.asarray([x + 1.0]))
                                         for x in (0.0, 5.0)])
    second = to_numpy(p.sample(N, make_rng(0)))[:, 0] > 3
    assert abs(second[:N // 2].mean() - 0.5) < 6 * 0.5 / math.sqrt(N / 2)
    assert abs((second[1:] == second[:-1]).mean() - 0.5) < 6 * 0.5 / math.sqrt(N)


# Extremes

@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("u", [-100.0, 100.0])
def test_the_log_density_is_finite_100_standard_deviations_out(xp, dtype, u):
    a = partial(xp.asarray, dtype=dtype)
    normal = Normal(a([1.0]), a([[4.0]]))
    expected = -5000 - math.log(2) - 0.5 * math.log(2 * math.pi)
    for p in (normal, Mixture(a([1.0]), [normal]), KernelDensity(a([[1.0]]), 2.0)):
        log_p = float(p.log_prob(a([[1 + 2 * u]]))[0])
        assert log_p == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("sigma", [1e-150, 1e-8, 1e8, 1e150])
def test_the_scale_of_the_data_may_be_any(xp, make_rng, sigma):
    U = make_rng(0).standard_normal((50, 2))
    S = numpy.array([[2, -1.2], [-1.2, 1]])
    p, q = (Normal(xp.zeros(2), xp.asarray(s**2 * S)) for s in (sigma, 1.0))
    numpy.testing.assert_allclose(to_numpy(p.log_prob(sigma * U)),
                                  to_numpy(q.log_prob(U)) - 2 * math.log(sigma), rtol=1e-12)
    r, s = KernelDensity(sigma * U[:9], sigma), KernelDensity(U[:9], 1.0)
    numpy.testing.assert_allclose(to_numpy(r.log_prob(sigma * U)),
                                  to_numpy(s.log_prob(U)) - 2 * math.log(sigma), rtol=1e-12)


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


# Integrals that compare two densities

PLANE, FINE = ([-15, -16], [16, 14]), (300, 300)


def plane(xp):
    return SampleSpace(*(xp.asarray(corner) for corner in PLANE))


def two_normals(xp):
    return (Normal(xp.asarray([1.0, -2.0]), xp.asarray([[2.0, -1.2], [-1.2, 1.0]])),
            Normal(xp.asarray([0.5, -1.0]), xp.asarray([[1.5, 0.3], [0.3, 2.0]])))


def normal_kl(p, q):
    """KL of two normals: ½ (tr Σ_q⁻¹ Σ_p + (µ_q - µ_p)ᵀ Σ_q⁻¹ (µ_q - µ_p) - d + log det/det)."""
    S, T, delta = to_numpy(p.covariance), to_numpy(q.covariance), to_numpy(q.mu - p.mu)
    return 0.5 * (numpy.trace(numpy.linalg.solve(T, S)) + delta @ numpy.linalg.solve(T, delta)
                  - len(delta) + math.log(numpy.linalg.det(T) / numpy.linalg.det(S)))


def test_kl_and_entropy_of_normals_agree_with_their_closed_forms(xp):
    p, q = two_normals(xp)
    H = 0.5 * math.log((2 * math.pi * math.e)**2 * numpy.linalg.det(to_numpy(p.covariance)))
    assert float(entropy(p, plane(xp), FINE)) == pytest.approx(H, rel=1e-9)
    for a, b in ((p, q), (q, p)):
        kl = float(kl_divergence(a, b, plane(xp), FINE))
        assert kl == pytest.approx(normal_kl(a, b), rel=1e-9) and kl > 0
        assert float(cross_entropy(a, b, plane(xp), FINE)
                     - entropy(a, plane(xp), FINE)) == pytest.approx(kl, rel=1e-9)
        assert float(kl_divergence(a, a, plane(xp), FINE)) == 0


def test_the_entropy_of_a_box_is_the_logarithm_of_its_volume_and_0_log_0_is_0(xp):
    p = Box(xp.asarray([0.0, 0.0]), xp.asarray([2.0, 4.0]))
    space = SampleSpace(xp.asarray([-2.0, -4.0]), xp.asarray([4.0, 8.0]))
    assert float(entropy(p, space, (60, 60))) == pytest.approx(math.log(8), rel=1e-12)


def boxes(xp, *intervals):
    return [Box(xp.asarray([float(low)]), xp.asarray([float(high)])) for low, high in intervals]


def test_divergences_of_boxes_that_overlap_partly(xp):
    space, shape = SampleSpace(xp.asarray([-1.0]), xp.asarray([5.0])), (600,)
    p, inner, far = boxes(xp, (0, 4), (1, 3), (4, 5))
    assert float(kl_divergence(inner, p, space, shape)) == pytest.approx(math.log(2), rel=1e-12)
    assert float(kl_divergence(p, inner, space, shape)) == INF
    assert float(cross_entropy(p, inner, space, shape)) == INF
    assert float(cross_entropy(inner, p, space, shape)) == pytest.approx(math.log(4), rel=1e-12)
    m = Mixture(xp.asarray([0.5, 0.5]), [p, inner])
    js = 0.5 * (kl_divergence(p, m, space, shape) + kl_divergence(inner, m, space, shape))
    assert float(jensen_shannon(p, inner, space, shape)) == pytest.approx(float(js), rel=1e-12)
    assert float(jensen_shannon(p, far, space, shape)) == pytest.approx(math.log(2), rel=1e-12)
    assert float(jensen_shannon(p, p, space, shape)) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("names", [("Box", "Normal"), ("Normal", "KernelDensity"),
                                   ("Box", "Mixture of boxes, one of weight 0"),
                                   ("Mixture of a mixture", "KernelDensity")])
def test_jensen_shannon_lies_between_0_and_log_2_and_is_symmetric(xp, names):
    p, q = (D[name].built(xp) for name in names)
    space, shape = SampleSpace(xp.asarray([-15.0, -15.0]), xp.asarray([15.0, 15.0])), (300, 300)
    js = float(jensen_shannon(p, q, space, shape))
    assert 0 < js < math.log(2)
    assert float(jensen_shannon(q, p, space, shape)) == pytest.approx(js, rel=1e-13)


def test_integrals_over_the_grid_stay_on_the_device(xp):
    p, q = two_normals(xp)
    for value in (total_mass(p, plane(xp), (9, 9)), entropy(p, plane(xp), (9, 9)),
                  cross_entropy(p, q, plane(xp), (9, 9)), kl_divergence(p, q, plane(xp), (9, 9)),
                  jensen_shannon(p, q, plane(xp), (9, 9))):
        assert value.shape == () and (xp is numpy or array_module(value) is xp)


@SEEDS
def test_the_cross_entropy_from_a_sample_is_near_that_from_the_grid(xp, make_rng, seed):
    """Within 5 standard errors: a false alarm in 2e6."""
    p, q = two_normals(xp)
    value, error = cross_entropy_estimate(q, p.sample(N, make_rng(seed)))
    assert abs(float(value) - float(cross_entropy(p, q, plane(xp), FINE))) < 5 * float(error)
    log_q = to_numpy(q.log_prob(p.sample(N, make_rng(seed))))
    assert float(error) == pytest.approx(log_q.std(ddof=1) / math.sqrt(N), rel=1e-12)


def test_one_observation_outside_the_support_makes_the_cross_entropy_infinite(xp):
    (q,) = boxes(xp, (0, 1))
    value, error = cross_entropy_estimate(q, xp.asarray([[0.5], [2.0], [0.7]]))
    assert value == INF and math.isnan(error)
    value, error = cross_entropy_estimate(q, xp.asarray([[0.5], [0.7]]))
    assert float(value) == float(error) == 0


@pytest.mark.parametrize("X", [numpy.zeros((0, 1)), [[0.5]]])
def test_a_standard_error_needs_two_observations(X):
    with pytest.raises(ValueError, match="X must have at least 2 rows .* got"):
        cross_entropy_estimate(Box([0], [1]), X)


# Errata

def test_e04_a_density_may_exceed_one(xp):
    def density(p, x):
        return float(xp.exp(p.log_prob(xp.asarray([x])))[0])

    box = Box(xp.asarray([0.0, 0.0]), xp.asarray([0.1, 0.1]))
    narrow = Normal(xp.asarray([0.0]), xp.asarray([[1e-6]]))            # σ = 1/1000
    new_york = density(WorldMap(), [40.7306, -73.9352])                 # per square degree
    assert density(box, [0.05, 0.05]) == pytest.approx(100)
    assert density(narrow, [0.0]) == pytest.approx(1000 / math.sqrt(2 * math.pi))
    assert new_york < 1 < new_york * float(WORLD.volume)                # the map as unit square


def test_e05_to_integrate_to_1_is_not_enough(xp):
    X, cell_volume = SampleSpace(xp.asarray([0.0]), xp.asarray([2.0])).grid((200,))
    values = 1.5 - X[:, 0]
    assert float(values.sum() * cell_volume) == pytest.approx(1) and float(values.min()) < 0
    with pytest.raises(ValueError, match="none negative"):
        Histogram(SampleSpace(xp.asarray([0.0]), xp.asarray([2.0])), values * cell_volume)


def test_e16_a_point_of_the_support_has_probability_0(xp, make_rng):
    p, x = Box(xp.asarray([0.0, 0.0]), xp.asarray([4.0, 4.0])), xp.asarray([1.0, 2.0])
    assert float(p.log_prob(x[None])[0]) > -INF
    for side in (1, 0.1, 0.01, 1e-3):                                   # of a square around x
        mass = total_mass(p, SampleSpace(x - side / 2, x + side / 2), (1, 1))
        assert float(mass) == pytest.approx(side**2 / 16)
    assert not to_numpy((p.sample(N, make_rng(0)) == x).all(axis=1)).any()


def test_e19_a_random_point_of_the_box_need_not_be_uniform(xp, make_rng):
    box, rng = Box(xp.asarray([0.0, 0.0]), xp.asarray([1.0, 1.0])), make_rng(0)

    def p_value(X):
        """χ² of the counts in 10 x 10 cells against the uniform distribution."""
        cell = box.space.cell(X, (10, 10))
        return scipy.stats.chisquare(to_numpy(xp.bincount(cell, minlength=100))).pvalue

    uniform = box.sample(N, rng)
    between_two = (box.sample(N, rng) + box.sample(N, rng)) / 2         # as random, in the same box
    assert to_numpy(box.space.contains(between_two)).all()
    assert p_value(uniform) > 1e-6 and p_value(between_two) < 1e-100


def test_e25_the_likelihood_of_the_training_data_measures_memory(xp, make_rng):
    p_data, rng = Normal(xp.zeros(2), xp.eye(2)), make_rng(0)
    X, X_new = p_data.sample(100, rng), p_data.sample(100, rng)
    models = [KernelDensity(X, 0.1**k) for k in range(8)]
    training = [float(p.log_prob(X).mean()) for p in models]
    held_out = [float(p.log_prob(X_new).mean()) for p in models]
    assert training == sorted(training) and training[-1] > 25
    assert held_out == sorted(held_out, reverse=True) and held_out[-1] < -1e9


def test_e26_samples_come_nowhere_near_the_mode_in_1000_dimensions(xp, make_rng):
    p = Normal(xp.zeros(1000), xp.eye(1000))
    X = p.sample(1000, make_rng(0))
    below_the_mode = to_numpy(p.log_prob(xp.zeros((1, 1000))) - p.log_prob(X))
    assert below_the_mode.min() > 350                                   # |x|²/2, about 500 ± 22
    distance = numpy.sqrt(2 * below_the_mode)
    assert abs(distance - math.sqrt(1000)).max() < 6 * math.sqrt(0.5)   # a thin shell
