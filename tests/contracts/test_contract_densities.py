"""What every density promises, asked once of each in the register, on every array module."""

import importlib
import inspect
import math
import pickle
import pkgutil

import numpy
import pytest
from register_of_densities import ELSEWHERE, D

import gdl_numpy
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.density import Box, Histogram, Normal
from gdl_numpy.probability.divergence import total_mass
from gdl_numpy.probability.sample_space import SampleSpace

INF, NAN = math.inf, math.nan
every_density = pytest.mark.parametrize("example", D.values(), ids=D)
every_density_with_arrays = pytest.mark.parametrize(
    "example", [example for example in D.values() if example.moves],
    ids=[name for name, example in D.items() if example.moves])


def densities_without_a_family():
    """The public classes of the package that are a density, or may be one, and take no family."""
    for info in pkgutil.walk_packages(gdl_numpy.__path__, "gdl_numpy."):
        for name, value in vars(importlib.import_module(info.name)).items():
            if (inspect.isclass(value) and value.__module__ == info.name and name[0] != "_"
                    and hasattr(value, "sample")
                    and (hasattr(value, "log_prob") or hasattr(value, "__getattr__"))
                    and "family" not in inspect.signature(value).parameters):
                yield name


def test_every_density_that_needs_no_family_is_in_the_register():
    registered = {type(example.built()).__name__ for example in D.values()}
    found = set(densities_without_a_family())
    assert found - registered == set(ELSEWHERE) and {"Box", "InUnits", "WorldMap"} <= found


# Values

@every_density
def test_the_total_mass_is_1(xp, example):
    space = SampleSpace(xp.asarray(example.low), xp.asarray(example.high))
    assert float(total_mass(example.built(xp), space, example.shape)) == (
        pytest.approx(1, abs=1e-6 + example.error))


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
    together = to_numpy(p.log_prob(X))[::4]
    alone = [float(p.log_prob(X[i:i + 1])[0]) for i in range(0, len(X), 4)]
    numpy.testing.assert_allclose(together, alone, rtol=1e-13, atol=1e-13)


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


@every_density_with_arrays
def test_float32_in_gives_float32_out(xp, example, make_rng):
    p, X = example.built(xp, "float32"), xp.asarray(example.points(1000), dtype="float32")
    log_p = p.log_prob(X)
    assert log_p.dtype == p.sample(10, make_rng(0)).dtype == numpy.float32
    exact = example.built(numpy).log_prob(to_numpy(X).astype(float))
    numpy.testing.assert_allclose(to_numpy(log_p), exact, rtol=1e-5, atol=1e-5)


# Samples

N = 20_000
DKW = 0.0231                # sup |CDF of N samples - CDF| exceeds it with probability 1e-9


def grid_masses(example, p):
    """The cells' centers and their masses under p, both on the host."""
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
        assert abs(share - cdf).max() < DKW + example.error


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
    assert (abs(error) < 6 * drawn.std(axis=0) / math.sqrt(N) + 5 * example.error).all()


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


# Arrays

@every_density
def test_results_live_where_the_density_lives(xp, example, make_rng):
    p = example.built(xp)
    X = p.sample(5, make_rng(0))
    assert array_module(X) is array_module(p.log_prob(X)) is xp


@every_density_with_arrays
def test_host_and_device_do_not_mix(device, example):
    here, there = example.built(numpy), example.built(device)
    X = example.points(5)
    for action in (lambda: here.log_prob(device.asarray(X)), lambda: there.log_prob(X),
                   lambda: here.sample(5, device.random.default_rng(0)),
                   lambda: there.sample(5, numpy.random.default_rng(0))):
        with pytest.raises(TypeError):
            action()


@every_density_with_arrays
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


@every_density_with_arrays
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


# What it says of itself

@every_density
def test_a_density_says_what_it_is_in_one_line(xp, example):
    p = example.built(xp)
    assert repr(p).startswith(type(p).__name__ + "(")
    assert len(repr(p)) < 500 and "\n" not in repr(p)


# Refusals

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


@every_density
def test_a_seed_is_no_generator(example):
    for rng in (0, None, numpy.random, numpy.random.default_rng):
        with pytest.raises(TypeError, match="rng must be a generator of random numbers"):
            example.built().sample(1, rng)


def test_parameters_on_two_devices_are_refused_at_construction(device):
    there = device.asarray
    for make in (lambda: Box(numpy.zeros(1), there([1.0])),
                 lambda: Normal(numpy.zeros(1), there([[1.0]])),
                 lambda: Histogram(SampleSpace([0], [1]), there([0.5, 0.5]))):
        with pytest.raises(TypeError, match="move one of them first"):
            make()
