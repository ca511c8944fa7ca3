"""Divergences: integrals that compare two densities, against closed forms and against a sample."""

import math

import numpy
import pytest
from register_of_densities import D

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.density import Box, Mixture, Normal
from gdl_numpy.probability.divergence import (
    cross_entropy,
    cross_entropy_estimate,
    entropy,
    jensen_shannon,
    kl_divergence,
    total_mass,
)
from gdl_numpy.probability.sample_space import SampleSpace

INF, N, SEEDS = math.inf, 20_000, pytest.mark.parametrize("seed", range(3))
PLANE, FINE = SampleSpace([-15, -16], [16, 14]), (300, 300)


def two_normals(xp=numpy):
    return (Normal(xp.asarray([1.0, -2.0]), xp.asarray([[2.0, -1.2], [-1.2, 1.0]])),
            Normal(xp.asarray([0.5, -1.0]), xp.asarray([[1.5, 0.3], [0.3, 2.0]])))


def normal_kl(p, q):
    """KL of two normals: ½ (tr Σ_q⁻¹ Σ_p + (µ_q - µ_p)ᵀ Σ_q⁻¹ (µ_q - µ_p) - d + log det/det)."""
    S, T, delta = p.covariance, q.covariance, q.mu - p.mu
    return 0.5 * (numpy.trace(numpy.linalg.solve(T, S)) + delta @ numpy.linalg.solve(T, delta)
                  - len(delta) + math.log(numpy.linalg.det(T) / numpy.linalg.det(S)))


def test_kl_and_entropy_of_normals_agree_with_their_closed_forms():
    p, q = two_normals()
    H = 0.5 * math.log((2 * math.pi * math.e)**2 * numpy.linalg.det(p.covariance))
    assert float(entropy(p, PLANE, FINE)) == pytest.approx(H, rel=1e-9)
    for a, b in ((p, q), (q, p)):
        kl = float(kl_divergence(a, b, PLANE, FINE))
        assert kl == pytest.approx(normal_kl(a, b), rel=1e-9) and kl > 0
        assert float(cross_entropy(a, b, PLANE, FINE)
                     - entropy(a, PLANE, FINE)) == pytest.approx(kl, rel=1e-9)
        assert float(kl_divergence(a, a, PLANE, FINE)) == 0


def test_the_entropy_of_a_box_is_the_logarithm_of_its_volume_and_0_log_0_is_0():
    p = Box([0.0, 0.0], [2.0, 4.0])
    space = SampleSpace([-2.0, -4.0], [4.0, 8.0])
    assert float(entropy(p, space, (60, 60))) == pytest.approx(math.log(8), rel=1e-12)


def boxes(*intervals):
    return [Box([float(low)], [float(high)]) for low, high in intervals]


def test_kl_is_infinite_where_q_leaves_out_mass_of_p_and_jensen_shannon_is_log_2_at_most():
    space, shape = SampleSpace([-1.0], [5.0]), (600,)
    p, inner, far = boxes((0, 4), (1, 3), (4, 5))
    assert float(kl_divergence(inner, p, space, shape)) == pytest.approx(math.log(2), rel=1e-12)
    assert float(kl_divergence(p, inner, space, shape)) == INF
    assert float(cross_entropy(p, inner, space, shape)) == INF
    assert float(cross_entropy(inner, p, space, shape)) == pytest.approx(math.log(4), rel=1e-12)
    m = Mixture([0.5, 0.5], [p, inner])
    js = 0.5 * (kl_divergence(p, m, space, shape) + kl_divergence(inner, m, space, shape))
    assert float(jensen_shannon(p, inner, space, shape)) == pytest.approx(float(js), rel=1e-12)
    assert float(jensen_shannon(p, far, space, shape)) == pytest.approx(math.log(2), rel=1e-12)
    assert float(jensen_shannon(p, p, space, shape)) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("names", [("Box", "Normal"), ("Normal", "KernelDensity"),
                                   ("Box", "Mixture of boxes, one of weight 0"),
                                   ("Mixture of a mixture", "KernelDensity")])
def test_jensen_shannon_lies_between_0_and_log_2_and_is_symmetric(names):
    p, q = (D[name].built() for name in names)
    space, shape = SampleSpace([-15.0, -15.0], [15.0, 15.0]), (300, 300)
    js = float(jensen_shannon(p, q, space, shape))
    assert 0 < js < math.log(2)
    assert float(jensen_shannon(q, p, space, shape)) == pytest.approx(js, rel=1e-13)


@SEEDS
def test_the_cross_entropy_from_a_sample_is_near_that_from_the_grid(seed):
    """Within 5 standard errors: a false alarm in 2e6."""
    p, q = two_normals()
    value, error = cross_entropy_estimate(q, p.sample(N, numpy.random.default_rng(seed)))
    assert abs(float(value) - float(cross_entropy(p, q, PLANE, FINE))) < 5 * float(error)
    log_q = q.log_prob(p.sample(N, numpy.random.default_rng(seed)))
    assert float(error) == pytest.approx(log_q.std(ddof=1) / math.sqrt(N), rel=1e-12)


def test_one_observation_outside_the_support_makes_the_cross_entropy_infinite():
    (q,) = boxes((0, 1))
    value, error = cross_entropy_estimate(q, [[0.5], [2.0], [0.7]])
    assert value == INF and math.isnan(error)
    value, error = cross_entropy_estimate(q, [[0.5], [0.7]])
    assert float(value) == float(error) == 0


# Refusals

@pytest.mark.parametrize("X", [numpy.zeros((0, 1)), [[0.5]]])
def test_a_standard_error_needs_two_observations(X):
    with pytest.raises(ValueError, match="X must have at least 2 rows .* got"):
        cross_entropy_estimate(Box([0], [1]), X)


# Contracts

def test_integrals_over_the_grid_stay_on_the_device(xp):
    p, q = two_normals(xp)
    plane = PLANE.on(xp)
    for value in (total_mass(p, plane, (9, 9)), entropy(p, plane, (9, 9)),
                  cross_entropy(p, q, plane, (9, 9)), kl_divergence(p, q, plane, (9, 9)),
                  jensen_shannon(p, q, plane, (9, 9))):
        assert value.shape == () and (xp is numpy or array_module(value) is xp)
