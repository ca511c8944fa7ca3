"""Judgment: how far a model of the map, a density in degrees, is from the truth, which is known.

What can be asked depends on what the model can do: each kind has its own way to log p(x), exact, as
a bound or on a grid, and an implicit model has none. All of them can be asked for samples.
"""

import math
import time
from functools import partial

import numpy as np
from recipes import LAND_GRID

from gdl_numpy.models.energy_based import GridNormalized
from gdl_numpy.probability.change_of_units import InUnits
from gdl_numpy.probability.recalibrated import RecalibratedKernelDensity
from gdl_numpy.world.evaluation import cells_hit
from gdl_numpy.world.world_map import WORLD

N_SAMPLES = 20_000                                          # that are drawn of a model
IMPORTANCE, ODE_STEPS = 200, 40                             # draws a bound; steps of the flow
JS_GRID = (36, 72)                                          # cells of 5 degrees
CELL = 2.0                                                  # degrees: of the coverage


def judged(p, p_data, X, rng):
    """What the table says of a density p in degrees; X (n, 2) are points new to it.

    "reached" is evaluation.coverage, the recall, with true draws that serve "js" as well.
    """
    start = time.perf_counter()
    samples = p.sample(N_SAMPLES, rng)
    seconds = time.perf_counter() - start
    truth, again = (p_data.sample(N_SAMPLES, rng) for _ in range(2))
    centers, _ = WORLD.grid(LAND_GRID)
    numbers = {"samples_per_second": N_SAMPLES / seconds, **beside(samples, truth, p_data),
               "js_floor": histogram_js(again, truth)}
    numbers["how"], log_prob = known_log_prob(p, rng)
    if log_prob is not None:
        log_p, at_centers = log_prob(X), log_prob(centers[p_data.contains(centers)])
        numbers |= {"kl": -log_p.mean() - p_data.entropy, "lowest": at_centers.min()}
        if math.isfinite(numbers["kl"]):
            numbers["kl_error"] = log_p.std() / math.sqrt(len(X))
    if hasattr(p, "elbo"):
        numbers["elbo_kl"] = -p.elbo(X[:N_SAMPLES], rng).mean() - p_data.entropy
    return {key: value if isinstance(value, str) else float(value) if math.isfinite(value)
            else str(float(value)) for key, value in numbers.items()}


def beside(X, truth, p_data):
    """Sea, land reached and divergence of the samples X beside as many true draws."""
    on_land = X[p_data.contains(X)]
    return {"sea": 1 - len(on_land) / len(X),
            "reached": cells_hit(on_land, CELL) / max(1, cells_hit(truth[:len(on_land)], CELL)),
            "js": histogram_js(X, truth)}


def known_log_prob(p, rng):
    """How log p(x) is known of a density in degrees, and a function that gives it, or None."""
    if hasattr(p, "log_prob"):
        return "grid" if isinstance(p, RecalibratedKernelDensity) else "exact", p.log_prob
    if hasattr(p, "importance_weighted"):
        return "bound", partial(p.importance_weighted, rng=rng, n_samples=IMPORTANCE)
    if hasattr(p, "flow_log_prob"):
        return "flow", partial(p.flow_log_prob, n_steps=ODE_STEPS)
    if hasattr(p, "energy"):
        return "grid", InUnits(GridNormalized(p.p, (360, 720)), p.unit).log_prob
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
