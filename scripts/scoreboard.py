"""Scoreboard: all models fitted to the same 20,000 points of land, and what each of them loses.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=2 python scripts/scoreboard.py
    python scripts/scoreboard.py --only energy_based mixture --seconds 30 --output /tmp/trial
    python scripts/scoreboard.py --judge-again
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

With --judge-again a measure that has changed is taken again, and no time: the networks of seed 0
are those of the parameters; all else is fitted again, which its seed decides, 10 minutes for seeds
1 and 2. The times in scoreboard.json stay, and whatever else was measured is replaced.
"""

import math
import operator
import os
import sys
import time
from pathlib import Path

import command
import numpy as np
from files import FIGURES, read_json, update_json
from judgment import IMPORTANCE, N_SAMPLES, ODE_STEPS, judged
from recipes import (
    CELLS,
    COMPONENTS,
    KEPT_BACK,
    MODELS,
    NETWORKS,
    SECONDS,
    committed,
    fit_model,
    n_steps,
)
from training_sets import JUDGMENT, NEW_POINTS, SEEDS, TRAINING, N, generator, training_set

from gdl_numpy import taxonomy
from gdl_numpy.networks.storage import save
from gdl_numpy.numerics.memory import keep_freed_memory
from gdl_numpy.world.world_map import WorldMap

N_TEST, LONGEST = 200_000, 1e6                              # the second: s, twelve days
OF_THE_TRAINING = ("name", "seed", "seconds", "parameters", "branch", "steps", "steps_per_second",
                   "module", "samples_per_second")          # what judging again leaves as it is


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
    parser = command.Parser(__doc__, epilog="Rows of the same names and seeds are overwritten, the "
                            "committed ones without --output.")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--only", nargs="+", choices=list(MODELS), metavar="NAME",
                        help="models to fit; all if none is named")
    parser.add_argument("--seeds", nargs="+", type=command.whole(0), default=SEEDS, metavar="SEED",
                        help="of all random numbers")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of training, per network")
    parser.add_argument("--judge-again", action="store_true",
                        help="keep the times of scoreboard.json and measure all else again")
    parser.add_argument("--output", type=Path, default=FIGURES, metavar="DIR",
                        help="where scoreboard.json and parameters/ are written")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(MODELS), flush=True)
        return 0
    if not 0 < options.seconds <= LONGEST:
        parser.error(f"--seconds must lie in (0, {LONGEST:g}], got {options.seconds:g}")
    keep_freed_memory()                                     # training is faster with it
    p_data, file = WorldMap(), options.output / "scoreboard.json"
    if options.judge_again and not os.path.exists(file):
        parser.error(f"{file} does not exist: there is nothing to judge again")
    parameters = options.output / "parameters"
    parser.folder(options.output, "scoreboard.json")
    parser.folder(parameters, *(f"{name}.npz" for name in NETWORKS))
    names = options.only or MODELS

    def at_hand(name, seed):                                # whether its parameters are there
        return (options.judge_again and name in NETWORKS and seed == SEEDS[0]
                and (parameters / f"{name}.npz").exists())

    try:
        before = rows_of(read_json(file, {}), file)
        for name, seed in ((name, seed) for name in names for seed in options.seeds):
            if at_hand(name, seed):
                committed(name, np.zeros(1), parameters)    # WrongUse if they are broken
    except command.WrongUse as error:
        parser.error(str(error))
    if before.get("seconds", options.seconds) != options.seconds:
        parser.error(f"{file} is of --seconds {before['seconds']:g}: name another --output")
    known = {(row["name"], row["seed"]): row for row in before["rows"]}
    for seed in options.seeds:
        X = training_set(seed)
        X_test = p_data.sample(N_TEST, generator(seed, NEW_POINTS))
        for name in names:
            if options.judge_again and (name, seed) not in known:
                continue
            stored = parameters / f"{name}.npz"             # of the first
            p, start = None, time.perf_counter()
            try:
                p = (committed(name, X, parameters) if at_hand(name, seed) else
                     fit_model(name, X, generator(seed, TRAINING), options.seconds))
                seconds = time.perf_counter() - start
                numbers = judged(p, p_data, X_test, generator(seed, JUDGMENT))
            except KeyboardInterrupt as stopped:
                saved = "" if options.judge_again else rescued(p or stopped, parameters, name)
                print(f"interrupted at {name}{saved}; what was measured before is written",
                      file=sys.stderr)
                return 130
            row = {"name": name, "seed": seed, "seconds": seconds, **described(p, name, N)}
            if options.judge_again:
                old = known[name, seed]
                row = {key: old[key] for key in OF_THE_TRAINING if key in old}
            elif name in NETWORKS:
                steps = n_steps(NETWORKS[name], options.seconds)
                row |= {"steps": steps, "steps_per_second": steps / seconds,
                        "module": type(p.p).__module__}     # its leaf in the taxonomy
                if seed == SEEDS[0]:
                    save(stored, p.p.family, p.p.theta)
            row |= {key: value for key, value in numbers.items() if key not in row}
            print(name, {key: value if isinstance(value, str | list) else round(value, 4)
                         for key, value in row.items() if key != "name"}, flush=True)
            report = {"n": N, "n_test": N_TEST, "n_samples": N_SAMPLES, "seconds": options.seconds,
                      "importance": IMPORTANCE, "ode_steps": ODE_STEPS, "entropy": p_data.entropy}

            def with_row(old, row=row, report=report):      # others may have written in between
                rows = [other for other in rows_of(old, file)["rows"] if
                        (other["name"], other["seed"]) != (row["name"], row["seed"])] + [row]
                rows.sort(key=lambda row: (row["seed"], [*MODELS, row["name"]].index(row["name"])))
                return report | {"summary": summary(rows), "rows": rows}

            update_json(file, with_row, indent=1)
    return 0


def rows_of(report, file):
    """What was measured before, with "rows"; WrongUse if that is not a scoreboard."""
    if report == {}:
        return {"rows": []}
    try:
        hash(tuple((row["name"], operator.index(row["seed"])) for row in report["rows"]))
        summary(report["rows"])
        f"{report.get('seconds', SECONDS):g}"
    except Exception as error:
        raise command.WrongUse(f"{file} is broken, mend or remove it: its rows are not those of a "
                               f"scoreboard ({error!r})") from error
    return report


def rescued(stopped, folder, name):
    """Where the parameters of an interrupted training or judgment are now, in words, if any."""
    inner, file = getattr(stopped, "p", stopped), folder / f"{name}_interrupted.npz"
    if getattr(inner, "theta", None) is None:
        return ""
    save(file, inner.family, inner.theta)                   # those of a finished one stay
    return f", whose parameters so far are in {file}"


if __name__ == "__main__":
    sys.exit(main())
