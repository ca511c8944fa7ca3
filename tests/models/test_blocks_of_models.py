"""Memory: beside data and result a model needs some megabytes, however many rows there are."""

import math
import tracemalloc

import numpy
import pytest
from numpy.random import default_rng

from gdl_numpy.models.adversarial import AdversarialFamily
from gdl_numpy.models.autoregressive import AutoregressiveFamily, MaskedAutoregressiveFamily
from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.energy_based import EnergyBasedFamily
from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.network import Network

N, MOST = 100_000, 45e6                                     # rows; bytes, fewer than 64 N numbers
FAMILIES = {
    "adversarial": lambda: AdversarialFamily(Network((2, 64, 2)), Network((2, 64, 1))),
    "variational autoencoder": lambda: VariationalAutoencoderFamily(Network((2, 64, 4)),
                                                                    Network((2, 64, 4))),
    "diffusion": lambda: DiffusionFamily(2, (64,), n_levels=2),
    "energy": lambda: EnergyBasedFamily([-1.0, -1.0], [1.0, 1.0], Network((2, 64, 1))),
    "affine flow": lambda: NormalizingFlowFamily(2, 2, (64,)),
    "spline flow": lambda: NormalizingFlowFamily(2, 1, (64,), "spline", 8),
    "bins": lambda: AutoregressiveFamily((64, 64), (64,)),
    "masks": lambda: MaskedAutoregressiveFamily(2, (64,)),
}
CALLS = {
    "sample": lambda p, X, rng: p.sample(len(X), rng),
    "sample_deterministic": lambda p, X, rng: p.sample_deterministic(len(X), rng, n_steps=1),
    "elbo": lambda p, X, rng: p.elbo(X[:N // 2], rng),      # half: 2^15 draws of z at a time
    "log_prob": lambda p, X, rng: p.log_prob(X), "energy": lambda p, X, rng: p.energy(X),
    "to_data": lambda p, X, rng: p.to_data(X), "encode": lambda p, X, rng: p.encode(X),
}


def built(name):
    family = FAMILIES[name]()
    return family(family.initial_theta(default_rng(0)))


PAIRS = [(name, call) for name in FAMILIES for call in CALLS if hasattr(built(name), call)]


@pytest.mark.parametrize("name, call", PAIRS)
def test_no_layer_of_a_network_is_held_for_all_rows_at_once(name, call):
    p = built(name)
    X = (default_rng(1).random((N, 2)) < 0.5).astype(float)
    fewer = {"energy": {"steps": 1, "jumps": 1}, "diffusion": {"n_steps": 1}}
    walk = fewer.get(name, {}) if call == "sample" else {}
    tracemalloc.start()
    try:
        result = p.sample(N, default_rng(2), **walk) if walk else CALLS[call](p, X, default_rng(2))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert numpy.isfinite(result).all()
    assert peak - result.nbytes < MOST, f"{peak - result.nbytes:,} bytes beside the result"


def test_log_z_and_its_gradient_by_a_fine_grid_hold_no_layer_for_all_cells_at_once():
    family = FAMILIES["energy"]()
    theta, U = family.initial_theta(default_rng(0)), family.space.grid((320, 320))[0]
    tracemalloc.start()
    try:
        log_z, backward = family.log_z(theta, U)
        dtheta = backward(1.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST, f"{peak:,} bytes"
    E, backward_energy = family.energy(theta, U)
    shares = numpy.exp(-E) / numpy.exp(-E).sum()
    numpy.testing.assert_allclose(log_z, math.log(4 * numpy.exp(-E).mean()), rtol=1e-12)
    numpy.testing.assert_allclose(dtheta, backward_energy(-shares, inputs=False)[0], atol=1e-12)
