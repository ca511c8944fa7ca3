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
from functools import partial
from pathlib import Path

import numpy as np
from recipes import (
    CELLS,
    COMPONENTS,
    KEPT_BACK,
    LAND_GRID,
    MODELS,
    NETWORKS,
    SECONDS,
    fit_model,
    n_steps,
)
from style import write_whole

from gdl_numpy import taxonomy
from gdl_numpy.models.energy_based import GridNormalised
from gdl_numpy.networks.storage import save
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.probability.change_of_units import InUnits
from gdl_numpy.probability.recalibrated import RecalibratedKernelDensity
from gdl_numpy.world.evaluation import cells_hit
from gdl_numpy.world.world_map import WORLD, WorldMap

FIGURES = Path(__file__).parent.parent / "figures"
N, N_TEST, N_SAMPLES, SEEDS = 20_000, 200_000, 20_000, (0, 1, 2)
IMPORTANCE, ODE_STEPS = 200, 20                             # draws a bound; steps of the flow
JS_GRID = (36, 72)                                          # cells of 5 degrees
CELL = 2.0                                                  # degrees: of the land reached


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


def reports():
    """The summary of figures/scoreboard.json: for each name its numbers."""
    return json.loads((FIGURES / "scoreboard.json").read_text(encoding="utf-8"))["summary"]


if __name__ == "__main__":
    sys.exit(main())
