"""Scoreboard: all models fitted to the same 20,000 points of land, and what each of them loses.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=2 python scripts/scoreboard.py
    python scripts/scoreboard.py --only energy_based mixture --seconds 30 --output /tmp/trial
    python scripts/scoreboard.py --list

Because p_data is known, so is the distance of every model from it, in nats: from log p itself where
a model has it, on a grid for the energy-based model, as an upper bound where there is only a lower
bound of log p, and for the diffusion model that of its flow. A training may take 90 seconds on 2
cores; it takes a fixed number of steps, in proportion to --seconds, so that the result depends on
the seed alone. A network with a `judge` sees 18,000 of the points and keeps, of its averaged
parameters, those that suit the other 2,000 best. Everything is measured on points that no model has
seen. After Ctrl-C what was measured so far is kept.

It writes figures/scoreboard.json, where models and seeds measured before stay, and, from seed 0,
the parameters of the networks to figures/parameters/, from which Figure 1-10 is drawn.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from style import write_whole
from tqdm import tqdm

from gdl_numpy import taxonomy
from gdl_numpy.models.adversarial import AdversarialFamily
from gdl_numpy.models.autoregressive import AutoregressiveFamily
from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.energy_based import EnergyBasedFamily, GridNormalised
from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.networks.network import Network
from gdl_numpy.networks.storage import load, save
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.langevin import reflect
from gdl_numpy.probability.change_of_units import InUnits
from gdl_numpy.probability.family import BoxFamily, HistogramFamily
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.recalibrated import RecalibratedKernelDensity
from gdl_numpy.world.evaluation import cells_hit
from gdl_numpy.world.world_map import WORLD, WorldMap

FIGURES = Path(__file__).parent.parent / "figures"
UNIT = np.array([90.0, 180.0])                              # degrees: networks see [-1, 1]²
N, N_TEST, N_SAMPLES, SEEDS, SECONDS = 20_000, 200_000, 20_000, (0, 1, 2), 90
COMPONENTS, CELLS = 200, (36, 72)                           # of the mixture, of the histogram
BANDWIDTH = 1.3                                             # degrees: before it is recalibrated
KEPT_BACK, CHECKS = 2_000, 10                               # points, and how often they are asked
IMPORTANCE, ODE_STEPS = 200, 20                             # draws a bound; steps of the flow
LAND_GRID, JS_GRID = (180, 360), (36, 72)                   # cells of 1 and of 5 degrees
CELL = 2.0                                                  # degrees: of the land reached


def in_degrees(p):
    """The density of x = UNIT · u, where u ~ p, per square degree."""
    return InUnits(p, array_module(p.theta).asarray(UNIT))


@dataclass(frozen=True)
class Recipe:
    """How a family of networks, `family(xp)` with its constants in the module xp, is trained here.

    `steps` are what 90 seconds on 2 cores allow. `judge(p, U, rng)` is to be small on points kept
    back, None takes the last parameters; `jitter` is how far training points are moved, in degrees.
    """
    family: Callable
    judge: Callable | None
    steps: int
    jitter: float
    options: dict = field(default_factory=dict)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a training: what it had reached."""

    def __init__(self, family, theta):
        self.family, self.theta = family, theta


def moved(degrees):
    """An `augment` that moves points by normal steps, mirrored at the border of the map."""
    scale, end = (degrees / UNIT).astype(np.float32), np.ones(2, np.float32)
    return lambda U, rng: reflect(
        U + scale * rng.standard_normal(U.shape, dtype=U.dtype), -end, end)[0]


def n_steps(network, seconds):
    """How many steps of training `seconds` allow."""
    return max(1, round(network.steps * seconds / SECONDS))


def fit_network(network, X, rng, seconds):
    """The density, in degrees, of the network's family fitted to the points X (n, 2)."""
    U, kept = split(X / UNIT, rng) if network.judge else (X / UNIT, X[:0])
    U, kept, family = U.astype(np.float32), kept.astype(np.float32), network.family(np)
    steps = n_steps(network, seconds)
    best, best_theta, theta = math.inf, None, None
    try:
        for step in tqdm(family.train(U, rng, max_steps=steps, augment=moved(network.jitter),
                                      **network.options), total=steps, leave=False, disable=None):
            theta = step.theta
            if network.judge and (step.step + 1) % max(1, steps // CHECKS) == 0:
                value = network.judge(family(theta), kept, rng)
                if value < best:
                    best, best_theta = value, theta
    except KeyboardInterrupt:
        raise Interrupted(family, theta) from None
    return in_degrees(family(theta if best_theta is None else best_theta))


def split(X, rng):
    """X without KEPT_BACK of its rows, at most a tenth, and these."""
    order, k = rng.random(len(X)).argsort(), min(KEPT_BACK, len(X) // 10)
    return X[order[k:]], X[order[:k]]


def waves(xp, scales, n_each, d=2):
    """Wave vectors in the module xp: they belong to a model like its sizes, and never change."""
    return xp.asarray(wave_vectors(d, n_each, scales, np.random.default_rng(0)).astype("float32"))


def cross_entropy(p, U, rng):
    return -p.log_prob(U).mean()


def grid_cross_entropy(p, U, rng):
    return -GridNormalised(p, (120, 240)).log_prob(U).mean()


def fitted(family, method=None, **options):
    """A classical model: X, rng, seconds -> its maximum likelihood."""
    return lambda X, rng, seconds: family(maximum_likelihood(family, X, rng, method, **options))


def kernel_density(X, rng, seconds):
    """Of some bandwidths the one that suits points kept back best."""
    train, kept = split(X, rng)
    h = max((1.2, 1.4, 1.6, 1.8, 2.0), key=lambda h: KernelDensity(train, h).log_prob(kept).mean())
    return KernelDensity(X, h)


MODELS = {                                                  # name: X, rng, seconds -> density
    "box": fitted(BoxFamily(2)),
    "normal": fitted(NormalFamily(2)),
    "mixture": fitted(MixtureFamily(COMPONENTS, 2), "em", max_steps=200),
    "histogram": fitted(HistogramFamily(WORLD, CELLS, pseudocount=0.1)),
    "kernel_density": kernel_density,
    "recalibrated_kernel_density":
        lambda X, rng, seconds: RecalibratedKernelDensity.fit(*split(X, rng), WORLD, LAND_GRID,
                                                              BANDWIDTH),
}
NETWORKS = {
    "autoregressive": Recipe(
        lambda xp: AutoregressiveFamily((180, 360), (256, 256), waves(xp, (2, 8, 32), 32),
                                        order=(1, 0), bound=3.0),
        None, 4000, 1.0, {"learning_rate": 2e-3}),
    "spline_flow": Recipe(
        lambda xp: NormalizingFlowFamily(2, 4, (128, 128), "spline", 32, waves(xp, (2, 6, 18), 16)),
        None, 7000, 1.0, {"learning_rate": 2e-3}),
    "affine_flow": Recipe(
        lambda xp: NormalizingFlowFamily(2, 12, (128, 128), "affine",
                                         waves=waves(xp, (1, 3), 16), bound=1.0),
        cross_entropy, 10_000, 1.0, {"learning_rate": 1e-3}),
    "variational_autoencoder": Recipe(
        lambda xp: VariationalAutoencoderFamily(
            Network((2, 128, 128, 4), waves=waves(xp, (2, 6, 20), 24)),
            Network((2, 128, 128, 4), waves=waves(xp, (0.5, 1.5), 16)), floor=5e-3),
        None, 40_000, 0.5, {"learning_rate": 2e-3, "n_samples": 8}),
    "energy_based": Recipe(
        lambda xp: EnergyBasedFamily(
            [-1.0, -1.0], [1.0, 1.0],
            Network((2, 128, 128, 1), "relu", waves(xp, (2, 4, 8, 16), 32), bound=3.0)),
        grid_cross_entropy, 5000, 0.4,
        {"learning_rate": 2e-3, "batch": 1024, "averaging": 0.999}),
    "diffusion": Recipe(
        lambda xp: DiffusionFamily(2, (256, 256), 256, waves(xp, (2, 6, 20), 24),
                                   log_snr=(10.0, -6.0)),
        None, 32_000, 0.0, {"learning_rate": 2e-3}),
    "adversarial": Recipe(
        lambda xp: AdversarialFamily(
            Network((2, 128, 128, 2), "relu", waves(xp, (0.5, 1, 2, 4), 16)),
            Network((2, 128, 128, 1), "relu", waves(xp, (2, 4, 8, 16), 16))),
        None, 10_000, 0.0, {"learning_rate": 2e-3}),
}
for name, network in NETWORKS.items():
    MODELS[name] = partial(fit_network, network)


def fit_model(name, X, rng, seconds=SECONDS):
    """The model of that name fitted to the points X (n, 2), (latitude, longitude) in degrees.

    A density in degrees: it has `sample(n, rng)`, and log_prob, elbo or energy as its kind has.
    `seconds` scales the number of a network's steps, chosen so that 90 suffice on two cores.
    """
    if name not in MODELS:
        raise ValueError(f"name must be one of {', '.join(MODELS)}, got {name!r}")
    return MODELS[name](X, rng, seconds)


def judged(p, p_data, X, rng):
    """What the table says of a density p in degrees; X (n, 2) are points new to it."""
    start = time.perf_counter()
    samples = p.sample(N_SAMPLES, rng)
    seconds = time.perf_counter() - start
    truth, again = (p_data.sample(N_SAMPLES, rng) for _ in range(2))
    land = p_data.contains(samples)
    centres, _ = WORLD.grid(LAND_GRID)
    numbers = {"samples_per_second": N_SAMPLES / seconds, "sea": 1 - land.mean(),
               "reached": cells_hit(samples[land], CELL) / cells_hit(truth, CELL),
               "js": histogram_js(samples, truth), "js_floor": histogram_js(again, truth)}
    numbers["how"], log_prob = known_log_prob(p, rng)
    if log_prob is not None:
        log_p, on_land = log_prob(X), log_prob(centres[p_data.contains(centres)])
        numbers |= {"kl": -log_p.mean() - p_data.entropy, "lowest": on_land.min()}
        if math.isfinite(numbers["kl"]):
            numbers["kl_error"] = log_p.std() / math.sqrt(len(X))
    if hasattr(p, "elbo"):
        numbers["elbo_kl"] = -p.elbo(X[:N_SAMPLES], rng).mean() - p_data.entropy
    return {key: value if isinstance(value, str) else float(value) if math.isfinite(value)
            else str(float(value)) for key, value in numbers.items()}


def known_log_prob(p, rng):
    """How log p(x) is known of a density in degrees, and a function that gives it, or None."""
    if hasattr(p, "log_prob"):
        return "grid" if isinstance(p, RecalibratedKernelDensity) else "exact", p.log_prob
    if hasattr(p, "importance_weighted"):
        return "bound", partial(p.importance_weighted, rng=rng, n_samples=IMPORTANCE)
    if hasattr(p, "ode_log_prob"):
        return "flow", lambda X: in_blocks(
            lambda i, j: p.ode_log_prob(X[i:j], n_steps=ODE_STEPS), len(X), 2000)
    if hasattr(p, "energy"):
        return "grid", InUnits(GridNormalised(p.p, (360, 720)), p.unit).log_prob
    return "none", None


def histogram_js(X, Y):
    """Jensen-Shannon divergence, in nats, of histograms on JS_GRID, one cell more for elsewhere."""
    masses = []
    for points in (X, Y):
        cell = WORLD.cell(points, JS_GRID)
        masses.append(np.bincount(cell + 1, minlength=math.prod(JS_GRID) + 1) / len(points))
    p, q = masses
    m = (p + q) / 2
    return 0.5 * sum((r[r > 0] * np.log(r[r > 0] / m[r > 0])).sum() for r in (p, q))


def described(p, name, n):
    """The number of parameters behind a density, and its kind as the taxonomy has it."""
    inner = getattr(p, "p", p)
    if name in NETWORKS:
        parameters = inner.family.n_parameters
    else:
        parameters = {"box": 4, "normal": 5, "mixture": COMPONENTS * 6 - 1,
                      "histogram": math.prod(CELLS) - 1, "kernel_density": 2 * n + 1,
                      "recalibrated_kernel_density": 2 * (n - KEPT_BACK) + 4}[name]
    return {"parameters": parameters, "branch": list(taxonomy.branch(type(inner)))}


def summary(rows):
    """For each model the mean over seeds of what all have, and how far a seed is from it at most.

    An infinite mean is a string, "inf" or "-inf", as in the rows.
    """
    table = {}
    for name in (name for name in MODELS if any(row["name"] == name for row in rows)):
        mine = [row for row in rows if row["name"] == name]
        table[name] = {"seeds": len(mine)}
        for key in (key for key in mine[0] if all(key in row for row in mine)):
            values = [row[key] for row in mine]
            if key in ("how", "branch", "module"):
                table[name][key] = values[0]
            elif key not in ("name", "seed"):
                mean = float(np.mean([float(value) for value in values]))
                table[name][key] = mean if math.isfinite(mean) else str(mean)
                if math.isfinite(mean):
                    table[name][f"{key}_spread"] = max(abs(value - mean) for value in values)
    return table


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--only", nargs="+", choices=list(MODELS), metavar="NAME", default=MODELS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, metavar="SEED")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of training, per network")
    parser.add_argument("--output", type=Path, default=FIGURES, metavar="DIR")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(MODELS))
        return 0
    if not 0 < options.seconds < math.inf:
        parser.error(f"--seconds must be positive, got {options.seconds}")
    (options.output / "parameters").mkdir(parents=True, exist_ok=True)

    p_data, file = WorldMap(), options.output / "scoreboard.json"
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"rows": []}
    if before.get("seconds", options.seconds) != options.seconds:
        parser.error(f"{file} is of --seconds {before['seconds']:g}: name another --output")
    rows = before["rows"]
    for seed in options.seeds:
        X, X_test = (p_data.sample(n, np.random.default_rng([seed, i]))
                     for i, n in enumerate((N, N_TEST)))
        for name in options.only:
            rng = np.random.default_rng([seed, 2])
            p, start = None, time.perf_counter()
            try:
                p = fit_model(name, X, rng, options.seconds)
                seconds = time.perf_counter() - start
                numbers = judged(p, p_data, X_test, rng)
            except KeyboardInterrupt as stopped:
                saved = rescued(p or stopped, options.output / "parameters", name)
                print(f"interrupted at {name}{saved}; what was measured before is written",
                      file=sys.stderr)
                return 130
            row = {"name": name, "seed": seed, "seconds": seconds, **described(p, name, N)}
            if name in NETWORKS:
                steps = n_steps(NETWORKS[name], options.seconds)
                row |= {"steps": steps, "steps_per_second": steps / seconds,
                        "module": type(p.p).__module__}     # its leaf in the taxonomy
                if seed == 0:
                    save(options.output / "parameters" / f"{name}.npz", p.p.family, p.p.theta)
            rows = [old for old in rows if (old["name"], old["seed"]) != (name, seed)]
            rows.append(row | numbers)
            print(name, {key: value if isinstance(value, str | list) else round(value, 4)
                         for key, value in rows[-1].items() if key != "name"}, flush=True)
            report = {"n": N, "n_test": N_TEST, "n_samples": N_SAMPLES, "seconds": options.seconds,
                      "importance": IMPORTANCE, "ode_steps": ODE_STEPS, "entropy": p_data.entropy,
                      "summary": summary(rows), "rows": rows}
            write_whole(file, lambda path, report=report: path.write_text(
                json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8"))
    return 0


def rescued(stopped, folder, name):
    """Where the parameters of an interrupted training or judgement are now, in words, if any."""
    inner, file = getattr(stopped, "p", stopped), folder / f"{name}_interrupted.npz"
    if getattr(inner, "theta", None) is None:
        return ""
    save(file, inner.family, inner.theta)                   # those of a finished one stay
    return f", whose parameters so far are in {file}"


HOW = {"exact": "{}", "bound": "≤ {}", "grid": "{}, Z by a grid", "flow": "{}, of its flow"}


def kl_in_words(row, spread=False):
    """The KL of a row of the summary and how it is known; nothing if it is not."""
    if row["how"] not in HOW:
        return ""
    more = f" ± {row['kl_spread']:.3f}" if spread and row["kl"] != "inf" else ""
    return HOW[row["how"]].format("∞" if row["kl"] == "inf" else f"{row['kl']:.3f}{more}")


def committed(name, like):
    """The density of the committed parameters of a network, where the array `like` lives."""
    family = NETWORKS[name].family(array_module(like))
    return in_degrees(family(load(FIGURES / "parameters" / f"{name}.npz", family, like)))


def reports():
    """The summary of figures/scoreboard.json: for each name its numbers."""
    return json.loads((FIGURES / "scoreboard.json").read_text(encoding="utf-8"))["summary"]


if __name__ == "__main__":
    sys.exit(main())
