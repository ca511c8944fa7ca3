"""Check that NumPy and CuPy compute the same, module by module, and how their speeds compare.

    python scripts/check_gpu.py [--size N] [--repeats R]

Each case draws its random numbers once on the host and moves the draws to the device, because the
two have different streams; then both compute the same thing in float64. Printed are the largest
relative difference and the ratio NumPy's time / CuPy's time, medians of R further runs.
Exit status 0: all agree; 1: some do not; 2: there is no GPU to check.
"""

import math
import re
import statistics
import sys
import time
from pathlib import Path

import command
import numpy as np

from gdl_numpy.agents import planning, q_learning, sailing, world_model
from gdl_numpy.agents.chart import Chart
from gdl_numpy.labels import conditional, discriminative, logistic
from gdl_numpy.models.adversarial import AdversarialFamily
from gdl_numpy.models.autoregressive import AutoregressiveFamily
from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.energy_based import EnergyBasedFamily
from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks import fourier, linear_start, network, rational_quadratic, training
from gdl_numpy.numerics import elementary, exact, kernel_sum, langevin, moments, neighbors
from gdl_numpy.numerics.backend import random_generator, to_numpy
from gdl_numpy.numerics.optimizer import Adam, GradientDescent
from gdl_numpy.pictures import (
    biscuit_tins,
    discretized,
    faces,
    painters,
    pixels,
    rasterizer,
    silhouettes,
    window,
)
from gdl_numpy.probability import divergence, family, likelihood, mle
from gdl_numpy.probability.change_of_units import InUnits, OnBox
from gdl_numpy.probability.expectation_maximization import expectation_maximization
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.recalibrated import RecalibratedKernelDensity
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.representation import (
    autoencoder,
    latent,
    leading_coordinates,
    manifold,
    principal_components,
)
from gdl_numpy.world import evaluation
from gdl_numpy.world.world_map import WORLD, WorldMap

RTOL = 1e-10
SIZES = (2, 64, 64, 3)                                      # of the network
SIDES = (1024, 64, 2)                                       # of the autoencoder
DRIVER = "/proc/driver/nvidia/version"                      # where Linux tells its own version


class EveryRow:
    """In place of a generator, so that two devices take the same steps: draws all rows in order."""

    def __init__(self, xp):
        self.xp = xp

    def integers(self, low, high, size):
        return self.xp.arange(low, high)[:size]

    def random(self, *shape):
        raise NotImplementedError("it draws rows alone")

    standard_normal = random


def draws(n, rng):
    """The random numbers of all cases, on the host: n points of the plane and parameters."""
    mixture = MixtureFamily(5, 2)
    return {"X": rng.standard_normal((n, 2)), "map": rng.uniform([-90, -180], [90, 180], (n, 2)),
            "theta": mixture.initial_theta(rng), "dlog_p": rng.standard_normal(n),
            "y": rng.integers(0, 3, n), "phi": network.initial_theta(SIZES, rng),
            "dY": rng.standard_normal((n, 3)), "images": rng.random((min(n, 200), 32, 32, 3)),
            "tins": rng.uniform(biscuit_tins.LOW, biscuit_tins.HIGH, (min(n, 500), 2)),
            "faces": rng.uniform(-1, 1, (min(n, 100), len(faces.LATENTS))),
            "gaits": rng.uniform(-1, 1, (min(n, 100), 8)),
            "F": rng.standard_normal((2, 16)), "unit": rng.uniform(-1, 1, (min(n, 5000), 2)),
            "W": rng.standard_normal(9),
            **sailing.trade_winds(Chart()).explore(n, rng)._asdict(),
            "of the window": window.WindowFamily(16, 4, 2, 2, (8,)).initial_theta(rng),
            **{f"of {name}": model.initial_theta(rng) for name, model in families().items()},
            "weights": autoencoder.AutoencoderFamily(SIDES).initial_theta(rng)}


def families():
    """One small family of each module of models, by the name of the module."""
    return {"autoregressive": AutoregressiveFamily((20, 30), (32,)),
            "normalizing_flow": NormalizingFlowFamily(2, 2, (32,), "spline", 8),
            "variational_autoencoder": VariationalAutoencoderFamily(
                network.Network((2, 32, 4)), network.Network((2, 32, 2))),
            "energy_based": EnergyBasedFamily(
                [-1.0, -1.0], [1.0, 1.0], network.Network((2, 32, 1), "relu")),
            "diffusion": DiffusionFamily(2, (32,)),
            "adversarial": AdversarialFamily(network.Network((2, 32, 2), "relu"),
                                             network.Network((2, 32, 1), "relu"))}


def cases():
    """For each module what it computes from the draws D, already moved to one module xp."""
    mixture, normal, box = MixtureFamily(5, 2), NormalFamily(2), family.BoxFamily(2)
    softmax = logistic.SoftmaxFamily(2, 3, l2=1e-3)
    classifier = discriminative.NetworkClassifierFamily(SIZES, "tanh")
    p_data, models, chart = WorldMap(), families(), Chart()
    straight = network.Network(SIZES, "relu")
    ppca = principal_components.ProbabilisticPCAFamily(1024, 2)
    codes, windows = autoencoder.AutoencoderFamily(SIDES), window.WindowFamily(16, 4, 2, 2, (8,))

    def gray(D):
        return pixels.quantize(D["images"][..., 0].reshape(-1, 1024), 4)

    def tins(D):
        return biscuit_tins.render(D["tins"]).reshape(-1, 1024)

    def histogram(xp, D):
        fitted = family.HistogramFamily(WORLD.on(xp), (30, 60), pseudocount=1.0)
        return fitted(fitted.mle(D["map"])).log_prob(D["map"])

    def near_pairs(xp, D):
        """How many of all pairs are near, counted with the blocks."""
        Q, X = D["X"][:2000], D["X"][:2000]
        return xp.stack([(((Q[i][:, None] - X[j])**2).sum(axis=2) < 0.01).sum()
                         for i, j in neighbors.near_blocks(Q, X, 0.1)]).sum()

    def divergences(xp, D):
        plane = SampleSpace([-8, -8], [8, 8]).on(xp)
        p, q = normal(normal.mle(D["X"])), normal(normal.mle(D["X"] * 1.1 + 0.2))
        return xp.stack([f(p, q, plane, (300, 300)) for f in (
            divergence.cross_entropy, divergence.kl_divergence, divergence.jensen_shannon)])

    def gradient_steps(xp, D):
        theta, adam, descent = D["theta"], Adam(0.01), GradientDescent(0.01)
        for _ in range(5):
            loss, dtheta = likelihood.mean_loss(mixture, theta, D["X"])
            theta = descent(adam(theta, dtheta), dtheta)
        return theta

    def em_steps(xp, D):
        for step in expectation_maximization(mixture, D["X"], theta=D["theta"], tol=-math.inf,
                                             max_steps=5):
            theta = step.theta
        return theta

    def training_steps(xp, D):
        def loss(theta, X):
            return likelihood.mean_loss(mixture, theta, X)

        steps = training.train(loss, D["theta"], (D["X"],), EveryRow(xp), max_steps=5,
                               batch=len(D["X"]), averaging=0.5)
        return [step.theta for step in steps][-1]

    def log_prob_gradient(name):
        return lambda xp, D: models[name].log_prob(D[f"of {name}"], D["unit"])[1](
            D["unit"][:, 0])

    def kernel_density(xp, D):
        return KernelDensity(D["X"][:5000], 0.2).log_prob(D["X"])

    def recalibrated(xp, D):
        p = RecalibratedKernelDensity.fit(D["map"][:5000], WORLD.on(xp), (18, 36), (4.0, 5.0))
        return p.log_prob(D["map"])

    def voyage(xp, D):
        P, goal = sailing.trade_winds(chart.on(xp)).table, chart.arrives
        return planning.expected_steps(P, planning.value_iteration(P, goal)[1], goal)

    def verdicts(xp, D):
        p_box = box(box.mle(D["map"]))
        judged = [evaluation.verdict(p_box, p_data, x) for x in D["map"][:20]]
        return xp.asarray([[v.p_data, v.p_model] for v in judged])

    return {
        "elementary": lambda xp, D: elementary.logsumexp(100 * D["map"], axis=0),
        "moments": lambda xp, D: moments.moments(D["X"])[1],
        "exact": lambda xp, D: exact.cell_of(D["map"][:, 0].round(1), -90.0, 90.0, 1800).sum(),
        "sample_space": lambda xp, D: WORLD.on(xp).cell(D["map"], (180, 360)),
        "neighbors": near_pairs,
        "density: box": lambda xp, D: box(box.mle(D["X"])).log_prob(D["X"] * 1.1),
        "density: normal": lambda xp, D: normal(normal.mle(D["X"])).log_prob(D["X"]),
        "density: mixture": lambda xp, D: mixture(D["theta"]).log_prob(D["X"]),
        "kernel_sum": lambda xp, D: kernel_sum.log_kernel_sum(D["X"], D["X"][:5000], 0.2),
        "kernel_density": kernel_density,
        "divergence": divergences,
        "family: histogram": histogram,
        "normal_family: pullback": lambda xp, D: mixture.log_prob(
            D["theta"], D["X"])[1](D["dlog_p"]),
        "change_of_units": lambda xp, D: InUnits(
            mixture(D["theta"]), WORLD.on(xp).high).log_prob(D["map"]),
        "change_of_units: box": lambda xp, D: OnBox(
            mixture(D["theta"]), WORLD.on(xp).low, WORLD.on(xp).high).log_prob(D["map"]),
        "recalibrated": recalibrated,
        "likelihood": lambda xp, D: likelihood.log_likelihood(mixture, D["theta"], D["X"]),
        "optimizer": gradient_steps,
        "mle: gradient": lambda xp, D: list(mle.descend(
            normal, D["X"], D["theta"][:5], max_steps=5))[-1].theta,
        "expectation_maximization": em_steps,
        "world_map": lambda xp, D: p_data.log_prob(D["map"]),
        "evaluation": verdicts,
        "linear_start": lambda xp, D: straight(
            linear_start.linear_start(straight, D["phi"], D["dY"][:2]), D["X"])[0],
        "network": lambda xp, D: network.mlp(D["phi"], D["X"], SIZES)[1](D["dY"])[0],
        "logistic": lambda xp, D: softmax.loss(D["W"], D["X"], D["y"])[1],
        "newton: softmax regression": lambda xp, D: softmax.mle(D["X"], D["y"]),
        "softmax_newton: no penalty": lambda xp, D: logistic.SoftmaxFamily(2, 3).mle(
            D["X"], D["y"]),
        "langevin: reflected points": lambda xp, D: langevin.reflect(
            D["X"], xp.asarray([-0.5, -0.2]), xp.asarray([0.5, 1.0]))[0],
        "pixels": lambda xp, D: pixels.IndependentPixels.fit(gray(D), 4).log_mass(gray(D)),
        "discretized": lambda xp, D: discretized.log_mass_of_levels(
            gray(D), 0.9 * D["images"][..., 0].reshape(-1, 1024), xp.full(1024, 0.05), 4)[0],
        "window": lambda xp, D: windows(D["of the window"]).log_mass(gray(D)[:20, :256]),
        "latent: between two tins": lambda xp, D: latent.interpolate(
            codes(D["weights"]), *tins(D)[:2], 9),
        "leading_coordinates": lambda xp, D: leading_coordinates.LeadingCoordinates.fit(
            tins(D)[:100], 3).log_prob(tins(D), lambda Z: -(Z**2).sum(axis=1)),
        "discriminative: network": lambda xp, D: classifier.loss(D["phi"], D["X"], D["y"])[1],
        "conditional": lambda xp, D: conditional.ClassConditional.fit(
            normal, D["X"], D["y"]).log_posterior(D["X"]),
        "training": training_steps,
        "fourier": lambda xp, D: fourier.fourier_features(D["X"], D["F"])[0],
        "rational_quadratic": lambda xp, D: rational_quadratic.spline(
            D["unit"][:, 0], D["of normalizing_flow"][:22] + 0 * D["unit"][:, :1])[0][0],
        "autoregressive": log_prob_gradient("autoregressive"),
        "normalizing_flow": log_prob_gradient("normalizing_flow"),
        "variational_autoencoder": lambda xp, D: models["variational_autoencoder"].encode(
            D["of variational_autoencoder"], D["unit"])[0][0],
        "energy_based": lambda xp, D: models["energy_based"].energy(
            D["of energy_based"], D["unit"])[1](xp.ones(len(D["unit"])))[0],
        "diffusion": lambda xp, D: models["diffusion"].eps_hat(
            D["of diffusion"], D["unit"], 5 * D["unit"][:, 0])[1](D["unit"])[0],
        "adversarial": lambda xp, D: models["adversarial"].generator_loss(
            D["of adversarial"], D["unit"])[1],
        "painters": lambda xp, D: painters.features(D["images"]),
        "biscuit_tins": lambda xp, D: biscuit_tins.derivative(D["tins"]),
        "rasterizer": lambda xp, D: rasterizer.rasterize(silhouettes.horse(D["gaits"])),
        "silhouettes": lambda xp, D: xp.concatenate(silhouettes.horse(D["gaits"]), axis=1),
        "faces": lambda xp, D: faces.render(D["faces"]),
        "chart": lambda xp, D: chart.on(xp).cell(D["map"][:1000]),
        "sailing": lambda xp, D: sailing.trade_winds(chart.on(xp)).table,
        "planning": voyage,
        "world_model": lambda xp, D: world_model.learn(chart.on(xp), sailing.Log(
            D["cells"], D["headings"], D["arrivals"])).table,
        "q_learning: its start": lambda xp, D: q_learning.calm_q(chart.on(xp)),
        "manifold": lambda xp, D: manifold.neighbor_regression(D["tins"], D["tins"], D["tins"]),
        "principal_components: probabilistic PCA":
            lambda xp, D: ppca(ppca.mle(tins(D))).log_prob(tins(D)),
        "autoencoder: loss": lambda xp, D: codes.loss(D["weights"], tins(D))[1],
    }


def relative_difference(a, b):
    """The largest |a - b| / max|a|; infinities must be the same."""
    a, b = to_numpy(a).astype(float), to_numpy(b).astype(float)
    finite = np.isfinite(a)
    if a.shape != b.shape or not np.array_equal(a[~finite], b[~finite]):
        return math.inf
    scale = max(abs(a[finite]).max(initial=0), 1e-300)
    return float(abs(a[finite] - b[finite]).max(initial=0) / scale)


def seconds(compute, wait, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        compute()
        wait()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def compare(xp, size, repeats, wait=lambda: None):
    """Yield (case, relative difference, NumPy's time / that of xp)."""
    host = draws(size, np.random.default_rng(0))
    device = {name: xp.asarray(value) for name, value in host.items()}
    for name, case in cases().items():
        difference = relative_difference(case(np, host), case(xp, device))
        ratio = (seconds(lambda case=case: case(np, host), lambda: None, repeats)
                 / seconds(lambda case=case: case(xp, device), wait, repeats))
        yield name, difference, ratio


def card(cupy):
    """The current device, its driver and CUDA, as far as they say."""
    runtime, device, file = cupy.cuda.runtime, cupy.cuda.Device().id, Path(DRIVER)
    properties = runtime.getDeviceProperties(device)
    said = re.search(r"\d+\.[\d.]+", file.read_text()) if file.exists() else None
    cuda = {of: f"{number // 1000}.{number % 1000 // 10}" for of, number in (
        ("driver", runtime.driverGetVersion()), ("cupy", runtime.runtimeGetVersion()))}
    return {"gpu": properties["name"].decode(),
            "gpu_memory_GB": round(properties["totalGlobalMem"] / 1e9, 1),
            "driver": said[0] if said else None, "cuda_of_driver": cuda["driver"],
            "cuda_of_cupy": cuda["cupy"]}


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.add_argument("--size", type=command.whole(1), default=100_000, help="rows of data")
    parser.add_argument("--repeats", type=command.whole(1), default=5,
                        help="runs, of whose seconds the median is taken")
    options = parser.parse_args(arguments)
    try:
        rng = random_generator(0, "gpu")
    except RuntimeError as error:
        parser.error(str(error))

    import cupy
    print(f"CuPy {cupy.__version__} on {card(cupy)['gpu']}, NumPy {np.__version__}; "
          f"{options.size} rows")
    share = float(evaluation.accuracy(WorldMap(), WorldMap(), options.size, rng))
    print(f"samples drawn on the device that lie on land: {share:.1%}")
    failed = 0
    for name, difference, ratio in compare(cupy, options.size, options.repeats,
                                           cupy.cuda.Device().synchronize):
        agrees = difference <= RTOL                         # NaN agrees with nothing
        failed += not agrees
        word = "ok" if agrees else "TOO LARGE"
        print(f"{name:32} difference {difference:8.1e} {word}   NumPy / CuPy time {ratio:8.2f}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
