r"""Time training steps and samplers of the model families against PyTorch, with 1 and 2 threads.

    pip install -e '.[benchmark,figures]' && pip install torch==2.13.0
    python scripts/benchmark_models.py
    python scripts/benchmark_models.py --scaling

The first run writes its report into figures/benchmark_models.json, the second adds to it how the
cost of our training step grows with the batch, the width and the depth. How it is measured stands
in benchmark.py; PyTorch is eager. The models are those of scoreboard.py, on points of the world
map, and beside them a masked autoregressive model of tins of 32 x 32 pixels in black and white.
Each has a reference in torch_references.py, in PyTorch as one would write it there: the same
architecture and the same θ in float32, gradients by autograd, PyTorch's Adam.

A training step is the loss of a batch, its gradient and Adam, for the adversarial family one such
step of each side. Both sides take the same steps with the same rows and the same random numbers,
drawn before, and the losses of the first COMPARED of them are compared, relative where they exceed
1. They may differ by 1e-4: rounding, 1e-7 at first, grows as θ moves, because Adam divides even a
gradient that is all rounding by its own size. It grows fastest where the loss is steep, as at the
start of the variational autoencoder: after 100 steps it is a hundredth.

Samplers draw their own random numbers, from a model after WARM_UP steps of training. Compared are
the means over the samples of 32 sines and 32 cosines, which are values of the characteristic
function, in units of the standard error of their difference. Beyond 6 the largest is not chance: of
64 normal numbers one is in one of 8 million cases.
"""

import math
import sys
import time
from functools import partial
from itertools import pairwise

import command  # noqa: F401, it says what is missing
import numpy as np
from benchmark import PAUSE, Case, deviation, main
from problems import CHAIN, DELTA, N_DATA, PENALTY, RATE, drawn, options, standard_errors
from recipes import NETWORKS, UNIT, waves

from gdl_numpy.models.autoregressive import MaskedAutoregressiveFamily
from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.numerics.optimizer import Adam
from gdl_numpy.pictures.biscuit_tins import BiscuitTins
from gdl_numpy.world.world_map import WorldMap

WARM_UP = 200                                               # steps, before samples are drawn
STEPS = {"autoregressive": 100, "masked_autoregressive": 50, "spline_flow": 60, "affine_flow": 60,
         "variational_autoencoder": 200, "energy_based": 60, "diffusion": 150, "adversarial": 25}
COMPARED = 8                                                # of the losses of a run
SAMPLES = {                                                 # at once; how often in a run
    "autoregressive": (8192, 8), "masked_autoregressive": (32, 1), "spline_flow": (8192, 8),
    "affine_flow": (8192, 8), "variational_autoencoder": (8192, 50), "energy_based": (512, 2),
    "diffusion": (512, 2), "adversarial": (8192, 80)}
BATCH = {"masked_autoregressive": 128, "variational_autoencoder": 128, "energy_based": 1024}


def first_losses(ours, theirs):
    """How far those that are compared differ."""
    return deviation(ours[:COMPARED], theirs[:COMPARED])


class Given:
    """A random generator whose draws were made before; it gives them out in turn."""

    def __init__(self, draws):
        self.draws = iter(draws)

    def standard_normal(self, shape, dtype=float):
        return next(self.draws)

    random = integers = standard_normal


def problem(name):
    """The family, its data X, a first θ, and the rows and random numbers of each step."""
    rng, batch, f = np.random.default_rng(0), BATCH.get(name, 512), np.float32
    if name == "masked_autoregressive":
        family = MaskedAutoregressiveFamily(1024, (500,))
        X = (BiscuitTins(2000, rng).images > 0.5).astype(f)
    else:
        family, X = NETWORKS[name].family(np), (WorldMap().sample(N_DATA, rng) / UNIT).astype(f)
    theta = family.initial_theta(rng, f)
    return family, X, theta, [(rng.integers(0, len(X), batch), drawn(name, family, batch, rng))
                              for _ in range(STEPS[name])]


def training_ours(name):
    family, X, first, batches = problem(name)
    settings = options(name)

    def run():
        theta, adam, losses = first, Adam(RATE), []
        for rows, draws in batches:
            rng = [Given(draws)] if draws else []
            loss, dtheta = family.loss(theta, X[rows], *rng, **settings)
            theta = adam(theta, dtheta)
            losses.append(float(loss))
        return np.array(losses)

    def play():
        (theta_g, phi), losses = family.parts(first), []
        g_step, d_step = (Adam(RATE, beta1=0.5, beta2=0.99) for _ in range(2))
        for rows, (Z, eps, Z_new) in batches:
            made, _ = family.generate(theta_g, Z)
            loss, dphi = family.discriminator_loss(phi, X[rows], made, Given([eps]), PENALTY, DELTA)
            phi = d_step(phi, dphi)
            g_loss, dtheta_g = family.generator_loss(np.concatenate([theta_g, phi]), Z_new)
            theta_g = g_step(theta_g, dtheta_g)
            losses += [float(loss), float(g_loss)]
        return np.array(losses)

    return play if name == "adversarial" else run


def training_torch(name):
    import torch_references
    family, X, first, batches = problem(name)
    inputs = family, first, X, [(rows, *draws) for rows, draws in batches], RATE
    if name == "adversarial":
        return torch_references.adversarial_training(*inputs, PENALTY, DELTA)
    return torch_references.training(name, *inputs)


def warmed_up(name):
    """The family, and θ after some steps of training."""
    family, X, theta, _ = problem(name)
    for step in family.train(X, np.random.default_rng(1), max_steps=WARM_UP, theta=theta,
                             averaging=0.0, batch=BATCH.get(name, 512)):
        theta = step.theta                                  # a list of all would fill the memory
    return family, theta


def sampling_ours(name):
    family, theta = warmed_up(name)
    p, (n, times), rng = family(theta), SAMPLES[name], np.random.default_rng(2)
    return lambda: [p.sample(n, rng, **CHAIN.get(name, {})) for _ in range(times)]


def sampling_torch(name):
    import torch_references
    return torch_references.sampling(name, *warmed_up(name), *SAMPLES[name], seed=2,
                                     **CHAIN.get(name, {}))


def per_second(name, seconds):
    """Samples in a second, of both sides."""
    n, _ = SAMPLES[name]
    return {"samples_per_second": {side: round(n / s) for side, s in seconds.items()}}


CASES = [case for name in STEPS for threads in (1, 2) for case in (
    Case(name, {"batch": BATCH.get(name, 512), "steps": STEPS[name]}, "float32", "torch",
         f"training step, batch {BATCH.get(name, 512)}", 1.5, 1e-4, first_losses,
         partial(training_ours, name), partial(training_torch, name), STEPS[name],
         threads=threads),
    Case(name, dict(zip(("samples", "times"), SAMPLES[name], strict=True)), "float32", "torch",
         f"{SAMPLES[name][0]} samples", 1.0, 6, standard_errors, partial(sampling_ours, name),
         partial(sampling_torch, name), SAMPLES[name][1], partial(per_second, name), threads))]


# --- how the cost of our training step grows ---

GROWING = {"batch": (64, 128, 256, 512, 1024, 2048, 4096), "width": (32, 64, 128, 256, 512),
           "depth": (1, 2, 3, 4, 6, 8)}
USUAL = {"batch": 512, "width": 128, "depth": 2}
SECONDS, REPEATS = 0.1, 5                                  # of a run at least; runs
SCALED = {
    "affine_flow": lambda hidden: NormalizingFlowFamily(2, 8, hidden, "affine",
                                                        waves=waves(np, (1, 3), 16)),
    "diffusion": lambda hidden: DiffusionFamily(2, hidden,
                                                waves=waves(np, (2, 6, 20), 24)),
}


def step_seconds(family, batch):
    """The median of the seconds of a training step, over REPEATS runs."""
    X = np.random.default_rng(0).random((N_DATA, 2), np.float32)
    steps = family.train(X, np.random.default_rng(1), max_steps=10**6, batch=batch)

    def seconds(n):
        start = time.perf_counter()
        for _ in range(n):
            next(steps)
        return (time.perf_counter() - start) / n

    seconds(2)
    n = max(2, math.ceil(SECONDS / seconds(2)))
    runs = []
    for _ in range(REPEATS):
        time.sleep(PAUSE)
        runs.append(seconds(n))
    return float(np.median(runs))


def operations(family, batch):
    """The floating point operations of a step in matrix products, see benchmark_network.py."""
    products = [[a * b for a, b in pairwise(network.layers)] for network in family.networks]
    return 2 * batch * sum(3 * sum(each) - each[0] for each in products)


def scaling():
    """Add how the cost of our training step grows to what a first run wrote.

    For each family and each size that grows: seconds and operations of a step, the other sizes as
    usual.
    """
    report = {"usual": USUAL, "growing": GROWING, "repeats": REPEATS, "seconds": {},
              "operations": {}}
    for name, make in SCALED.items():
        for results in (report["seconds"], report["operations"]):
            results[name] = {growing: [] for growing in GROWING}
        for growing, values in GROWING.items():
            for value in values:
                size = USUAL | {growing: value}
                family = make((size["width"],) * size["depth"])
                report["seconds"][name][growing].append(step_seconds(family, size["batch"]))
                report["operations"][name][growing].append(operations(family, size["batch"]))
            print(name, growing, dict(zip(values, report["seconds"][name][growing], strict=True)),
                  file=sys.stderr)                          # standard output is the worker's
    return report


if __name__ == "__main__":
    main(CASES, __doc__, "benchmark_models.json", ("numpy", "torch"), scaling)
