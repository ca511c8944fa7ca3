"""Kernel density: the plain sum and the fast one, against scikit-learn and the definition."""

import math

import numpy
import pytest
import scipy.special
from register_of_densities import CENTERS, D
from sklearn.neighbors import KernelDensity as ReferenceKernelDensity

from gdl_numpy.probability.density import Mixture, Normal
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.normal_family import NormalFamily

INF, NAN = math.inf, math.nan


def kernel_density_by_definition(X, centers, h):
    squares = ((X[:, None] - centers) / h)**2
    return (scipy.special.logsumexp(-0.5 * squares.sum(axis=2), axis=1) - math.log(len(centers))
            - X.shape[1] * (math.log(h) + 0.5 * math.log(2 * math.pi)))


@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("h", [0.01, 0.3, 5.0])
def test_the_kernel_density_agrees_with_scikit_learn_and_with_its_definition(d, h):
    rng = numpy.random.default_rng(d)
    centers, X = rng.standard_normal((300, d)), 2 * rng.standard_normal((200, d))
    log_p = KernelDensity(centers, h).log_prob(X)
    numpy.testing.assert_allclose(log_p, kernel_density_by_definition(X, centers, h), rtol=1e-12)
    plain = KernelDensity(centers, h).plain_log_prob(X)
    numpy.testing.assert_allclose(log_p, plain, rtol=1e-12)
    reference = ReferenceKernelDensity(bandwidth=h, rtol=1e-13).fit(centers)
    kernel = numpy.exp(-d * (math.log(h) + 0.5 * math.log(2 * math.pi)))   # its tails are inexact
    numpy.testing.assert_allclose(numpy.exp(log_p), numpy.exp(reference.score_samples(X)),
                                  rtol=1e-9, atol=1e-11 * kernel)


def test_a_kernel_density_is_a_mixture_of_normals():
    a, X = numpy.asarray, D["KernelDensity"].points(500)
    normals = [Normal(a(center), 0.16 * numpy.eye(2)) for center in CENTERS]
    numpy.testing.assert_allclose(KernelDensity(a(CENTERS), 0.4).log_prob(X),
                                  Mixture(a([0.2] * 5), normals).log_prob(X), rtol=1e-12)


def test_the_kernel_density_of_one_point_is_a_normal_density():
    mu, X = numpy.array([1.0, -2.0, 0.5]), 5 * numpy.random.default_rng(0).standard_normal((100, 3))
    numpy.testing.assert_allclose(KernelDensity(mu[None], 0.7).log_prob(X),
                                  Normal(mu, 0.49 * numpy.eye(3)).log_prob(X), rtol=1e-12)


def test_repeating_every_training_point_does_not_change_the_kernel_density():
    centers, X = numpy.random.default_rng(0).standard_normal((2, 100, 2))
    numpy.testing.assert_allclose(
        KernelDensity(numpy.concatenate([centers] * 3), 0.1).log_prob(X),
        KernelDensity(centers, 0.1).log_prob(X), rtol=1e-12)


def test_e25_the_likelihood_of_the_training_data_measures_memory():
    p_data, rng = Normal(numpy.zeros(2), numpy.eye(2)), numpy.random.default_rng(0)
    X, X_new = p_data.sample(100, rng), p_data.sample(100, rng)
    models = [KernelDensity(X, 0.1**k) for k in range(8)]
    training = [float(p.log_prob(X).mean()) for p in models]
    held_out = [float(p.log_prob(X_new).mean()) for p in models]
    assert training == sorted(training) and training[-1] > 25
    assert held_out == sorted(held_out, reverse=True) and held_out[-1] < -1e9


def test_e25_copies_are_most_similar_to_the_data_and_held_out_likelihood_finds_them():
    p_data, rng = Normal(numpy.zeros(2), numpy.eye(2)), numpy.random.default_rng(1)
    X, X_new = p_data.sample(100, rng), p_data.sample(100, rng)
    copier, family = KernelDensity(X, 1e-6), NormalFamily(2)
    honest = family(family.mle(X))

    def distance(samples):                                  # of each from the nearest training row
        return numpy.linalg.norm(samples[:, None] - X, axis=2).min(axis=1)

    copies, new = copier.sample(100, rng), honest.sample(100, rng)
    assert distance(copies).max() < 1e-5 < distance(new).min()
    assert numpy.median(distance(new)) == pytest.approx(numpy.median(distance(X_new)), rel=0.5)
    assert copier.log_prob(X).mean() > honest.log_prob(X).mean() + 10
    assert copier.log_prob(X_new).mean() < -1e6             # impossible, says the copier
    assert abs((honest.log_prob(X_new) - p_data.log_prob(X_new)).mean()) < 0.2


# Extremes

@pytest.mark.parametrize("distance", [10.0, 1e3, 1e6, 1e12, 1e100])
def test_the_kernel_density_is_right_far_away_from_all_data(distance):
    rng = numpy.random.default_rng(0)
    centers, X = rng.standard_normal((300, 2)), distance * rng.standard_normal((5, 2))
    numpy.testing.assert_allclose(
        KernelDensity(centers, 0.2).log_prob(X),
        kernel_density_by_definition(X, centers, 0.2), rtol=1e-12)


@pytest.mark.parametrize("dtype, distance", [("float64", 1e155), ("float64", 1e300),
                                             ("float32", 1e20), ("float32", 1e38)])
def test_the_kernel_density_is_0_where_its_logarithm_overflows(dtype, distance):
    p = KernelDensity(numpy.array([[0.0, 0.0], [1.0, 1.0]], dtype=dtype), 1.0)
    log_p = p.log_prob([[distance, 0], [-1, distance], [0, 0]])
    assert log_p[:2].tolist() == [-INF, -INF] and math.isfinite(log_p[2])


@pytest.mark.parametrize("d", [1, 3, 5])
@pytest.mark.parametrize("distance", [1, 1e3, 1e6])
def test_the_kernel_density_is_right_in_float32(d, distance):
    rng = numpy.random.default_rng(d)
    centers = (1000 + rng.standard_normal((300, d))).astype("float32")
    X = (1000 + distance * rng.standard_normal((30, d))).astype("float32")
    log_p = KernelDensity(centers, 0.05).log_prob(X)
    assert log_p.dtype == numpy.float32
    exact = kernel_density_by_definition(X.astype(float), centers.astype(float), 0.05)
    numpy.testing.assert_allclose(log_p, exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("distance", [1e15, 1e18, 9e18, 2e19])
def test_far_away_float32_data_have_the_log_density_that_float64_tells(d, distance):
    """-½ (2 · 10¹⁹)² is a number of float32, though the square of 2 · 10¹⁹ is none."""
    centers = numpy.random.default_rng(d).random((20, d), dtype="float32")
    X = numpy.zeros((3, d), dtype="float32")
    X[1, 0], X[2, -1] = distance, -distance
    exact = KernelDensity(centers.astype(float), 1.0).log_prob(X.astype(float))
    p = KernelDensity(centers, 1.0)
    for log_prob in (p.log_prob, p.plain_log_prob):
        assert log_prob(X).dtype == numpy.float32
        numpy.testing.assert_allclose(log_prob(X), exact, rtol=1e-6, atol=1e-6)


# Files and refusals

def test_a_read_only_file_in_memory_is_data_like_any_other(tmp_path):
    numpy.save(tmp_path / "X.npy", CENTERS)
    X = numpy.load(tmp_path / "X.npy", mmap_mode="r")
    p, q = KernelDensity(X, 0.4), KernelDensity(CENTERS, 0.4)
    assert (p.log_prob(X) == q.log_prob(CENTERS)).all()


@pytest.mark.parametrize("make, error, words", [
    (lambda: KernelDensity([[0]], 0), ValueError, r"bandwidth must lie in \(0, inf\), got 0"),
    (lambda: KernelDensity([[0]], -1), ValueError, r"bandwidth must lie in \(0, inf\), got -1"),
    (lambda: KernelDensity([[0]], NAN), ValueError, r"bandwidth must lie in .*, got nan"),
    (lambda: KernelDensity([[0]], "wide"), TypeError, "bandwidth must be a number .*wide"),
    (lambda: KernelDensity([0], 1), ValueError, r"X must have shape \(n, d\)"),
    (lambda: KernelDensity([[]], 1), ValueError, "X is empty"),
    (lambda: KernelDensity(numpy.zeros((0, 2)), 1), ValueError, "X is empty"),
    (lambda: KernelDensity([[0, NAN]], 1), ValueError, "X holds nan"),
])
def test_wrong_arguments_of_a_kernel_density_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()
