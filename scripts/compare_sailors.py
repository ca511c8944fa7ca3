"""Compare settings of a world model and of Q-learning, for the same steps sailed, on ten seeds.

    OMP_NUM_THREADS=1 python scripts/compare_sailors.py

Each setting of both is tried on its own, and what its plan costs is computed exactly in the true
world: expected steps to arrive, of at most 400. For the model (agents/world_model.py): what its
masses depend on, the weight of the belief, and the length of the voyages that explore at random.
For Q-learning (agents/q_learning.py): where Q begins, ε, the lowest rate, and the voyages. The best
setting is the one of the lowest mean over all numbers of steps; figure_1_03_sailing uses it, with
other seeds. It takes some ten minutes on one core, and overwrites figures/sailors.json at the end.
"""

import itertools
import json
import sys

import command
import numpy as np
from files import FIGURES, write_text
from sailors import LIMIT, VOYAGES, mean_and_error, modeled, q_learned
from tqdm import tqdm

from gdl_numpy.agents.chart import Chart
from gdl_numpy.agents.sailing import trade_winds

SEEDS = 10
MODEL_STEPS = (500, 1000, 2000, 5000)
Q_STEPS = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
STARTS = ("calm", "zero", "limit")                          # of Q: without wind, too low, too high
MODELS = {"by": ("latitude", "cell"), "weight": (0.1, 1.0, 3.0, 10.0), "length": (10, 50, 400)}
LEARNERS = {"start": STARTS, "epsilon": (0.0, 0.1, 0.3, 1.0), "rate": (0.02, 0.1, 0.3),
            "voyages": tuple(VOYAGES)}


def settings(grid):
    """All combinations of a grid, as dictionaries."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def rows(world, kind, grid, marks):
    """Yields for each setting of a grid what its plans cost, as a row of sailors.json."""
    for setting in settings(grid):
        if kind == "model":
            journeys = [[modeled(world, np.random.default_rng(seed), n, **setting)
                         for seed in range(SEEDS)] for n in marks]
            costs = [[one.sailed for one in several] for several in journeys]
        else:
            costs = q_learned(world, np.random.default_rng(0), marks, SEEDS, **setting)
        mean, error = mean_and_error(costs)
        yield {**setting, "sailed": mean, "error": error, "overall": float(np.mean(mean))}


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.add_argument("--output", type=command.folder, default=FIGURES, metavar="DIR",
                        help="where sailors.json is written")
    options = parser.parse_args(arguments)
    parser.folder(options.output, "sailors.json")
    world, report = trade_winds(Chart()), {"seeds": SEEDS, "limit": LIMIT}
    for kind, grid, marks in (("model", MODELS, MODEL_STEPS), ("q_learning", LEARNERS, Q_STEPS)):
        tried = list(tqdm(rows(world, kind, grid, marks), total=len(settings(grid)), unit="setting",
                          desc=kind, disable=None))
        tried.sort(key=lambda row: row["overall"])
        report[kind] = {"steps": marks, "settings": list(grid), "tried": tried}
        print(kind, *marks, "real steps; the best five of", len(tried))
        for row in tried[:5]:
            print(*(f"{mean:.1f} ± {error:.1f}" for mean, error in zip(
                row["sailed"], row["error"], strict=True)), {key: row[key] for key in grid})
    write_text(options.output / "sailors.json", json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
