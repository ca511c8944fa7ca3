"""Scoreboard: all models fitted to the same training sets, and what each of them loses.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=2 python scripts/scoreboard.py
    python scripts/scoreboard.py --only energy_based mixture --seconds 30 --output /tmp/trial
    python scripts/scoreboard.py --judge-again
    python scripts/scoreboard.py --jobs 8 --output /tmp/trial
    python scripts/scoreboard.py --list

Because p_data is known, so is the distance of every model from it, in nats: from log p itself where
a model has it, on a grid for the energy-based model, as an upper bound where there is only a lower
bound of log p, and for the diffusion model that of its flow. Each training set has 20,000 points of
land and a seed of its own (training_sets.py). A training may take 90 seconds on 2 cores; it takes a
fixed number of steps, in proportion to --seconds, so that the result depends on the seed alone.
Everything is measured on points that no model has seen. After Ctrl-C what was measured so far is
kept; a model that fails, say in a training that diverges, is named, and costs no other.

It writes figures/scoreboard.json, where models and seeds measured before stay, and, of the first
training set, the parameters of the networks to figures/parameters/, from which Figure 1-10 is
drawn.

With --judge-again a measure that has changed is taken again, but no training is timed: the networks
of the first training set are those of the parameters; all else is fitted again, which its seed
decides, some five minutes for each of the other sets. What scoreboard.json says of the training
stays, and whatever else was measured is replaced.

With --jobs several models are measured side by side, by processes that share the cores. They
measure what --jobs 1 does, to the last digit with as many threads, except the times: who shares a
machine takes longer. So a row says how many ran at the same time, and on which processor it was
measured, and the READMEs say it of their tables. There are no bars; a line for each row says that
it is written. The workers are joblib's, of whichever back end the caller has chosen. On a cluster,
whose workers need scripts/ and the folder above it in their PYTHONPATH, that is, once its client is
there,

    with joblib.parallel_config("dask"):                # or "ray"
        scoreboard.main(["--jobs", "64"])

Ray gives all rows at the end: there an interruption loses them.
"""

import math
import operator
import os
import sys
import time
from functools import partial

import command
import numpy as np
import progress
from benchmark import processor
from files import FIGURES, read_json, update_json
from judgment import IMPORTANCE, N_SAMPLES, ODE_STEPS, judged
from recipes import (
    CELLS,
    COMPONENTS,
    LONGEST,
    MODELS,
    NETWORKS,
    SECONDS,
    Interrupted,
    committed,
    fit_model,
    n_steps,
)
from training_sets import (
    JUDGMENT,
    N_TEST,
    NEW_POINTS,
    SEEDS,
    TRAINING,
    N,
    generator,
    training_set,
)

from gdl_numpy import taxonomy
from gdl_numpy.networks.storage import save
from gdl_numpy.numerics.memory import keep_freed_memory
from gdl_numpy.world.world_map import WorldMap

OF_THE_TRAINING = ("name", "seed", "seconds", "parameters", "branch", "steps", "steps_per_second",
                   "module", "jobs", "processor")           # what judging again leaves as it is


# A row of the table

def measured(name, seed, seconds, p=None):
    """What is measured of a model of one training set, and the model: p, or else it is fitted.

    Nothing but the arguments decides it, and all can be pickled: another process may do it.
    """
    keep_freed_memory()                                     # training is faster with it
    p_data, X = WorldMap(), training_set(seed)
    X_test = p_data.sample(N_TEST, generator(seed, NEW_POINTS))
    start = time.perf_counter()
    if p is None:
        p = fit_model(name, X, generator(seed, TRAINING), seconds)
    took = time.perf_counter() - start
    try:
        numbers = judged(p, p_data, X_test, generator(seed, JUDGMENT))
    except KeyboardInterrupt as stopped:
        raise Interrupted(p.p.family, p.p.theta) if name in NETWORKS else stopped from None
    row = {"name": name, "seed": seed, "seconds": took, "processor": processor(),
           **described(p, name, len(X))}
    if name in NETWORKS:
        steps = n_steps(NETWORKS[name], seconds)
        row |= {"steps": steps, "steps_per_second": steps / took,
                "module": type(p.p).__module__}             # its leaf in the taxonomy
    return row | numbers, p


def attempt(name, seed, *more):
    """What is measured, or, if that fails, name and seed and the error: it costs no other model."""
    try:
        return measured(name, seed, *more)
    except Exception as error:
        return {"name": name, "seed": seed}, error


def described(p, name, n):
    """The number of parameters behind a density, and its kind as the taxonomy has it."""
    inner = getattr(p, "p", p)
    if name in NETWORKS:
        parameters = inner.family.n_parameters
    else:
        parameters = {"box": 4, "normal": 5, "mixture": COMPONENTS * 6 - 1,
                      "histogram": math.prod(CELLS) - 1, "kernel_density": 2 * n + 1,
                      "recalibrated_kernel_density": 2 * n + 5}[name]
    return {"parameters": parameters, "branch": list(taxonomy.branch(type(inner)))}


def summary(rows):
    """For each model the mean over its training sets of what all have, how far one of them is from
    it at most, how many models were measured at the same time, and on which processors.

    An infinite mean is a string, "inf" or "-inf", as in the rows.
    """
    table = {}
    for name in (name for name in MODELS if any(row["name"] == name for row in rows)):
        mine = [row for row in rows if row["name"] == name]
        table[name] = {"seeds": len(mine), "jobs": max(int(row.get("jobs", 1)) for row in mine)}
        for key in (key for key in mine[0] if all(key in row for row in mine)):
            values = [row[key] for row in mine]
            if key in ("how", "branch", "module"):
                table[name][key] = values[0]
            elif key == "processor":
                table[name][key] = sorted(set(values))
            elif key not in ("name", "seed", "jobs"):
                mean = float(np.mean([float(value) for value in values]))
                table[name][key] = mean if math.isfinite(mean) else str(mean)
                if math.isfinite(mean):
                    table[name][f"{key}_spread"] = max(abs(value - mean) for value in values)
    return table


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


def rows_before(file, seconds):
    """The rows that the file holds, by name and seed; WrongUse if they cannot stand beside those of
    trainings of that length."""
    before = rows_of(read_json(file, {}), file)
    if before.get("seconds", seconds) != seconds:
        raise command.WrongUse(f"{file} is of --seconds {before['seconds']:g}: name another "
                               "--output")
    return {key_of(row): row for row in before["rows"]}


def with_row(report, row, file, seconds):
    """What the `file`, which holds `report` now, is to hold with this row."""
    rows = [other for other in rows_of(report, file)["rows"] if key_of(other) != key_of(row)]
    rows = sorted([*rows, row],
                  key=lambda row: (row["seed"], [*MODELS, row["name"]].index(row["name"])))
    return {"n": N, "n_test": N_TEST, "n_samples": N_SAMPLES, "seconds": seconds,
            "importance": IMPORTANCE, "ode_steps": ODE_STEPS, "entropy": WorldMap().entropy,
            "summary": summary(rows), "rows": rows}


def key_of(row):
    return row["name"], row["seed"]


def timed_before(row, old):
    """The row that was measured again, with what `old` says of the training."""
    return {key: old[key] if key in OF_THE_TRAINING else value for key, value in row.items()
            if key in old or key not in OF_THE_TRAINING}


# All rows, one after the other or side by side

def to_do(options, known, folder):
    """The arguments of `measured` for all rows that are wanted; `known` are the rows there are."""
    for seed in options.seeds:
        for name in options.only or MODELS:
            if not options.judge_again:
                yield name, seed, options.seconds
            elif (name, seed) in known:
                yield name, seed, options.seconds, at_hand(name, seed, folder)


def at_hand(name, seed, folder):
    """The network whose parameters are in `folder`; None for a model that must be fitted again."""
    there = name in NETWORKS and seed == SEEDS[0] and (folder / f"{name}.npz").exists()
    return committed(name, np.zeros(1), folder) if there else None


def one_by_one(tasks, folder):
    """What is measured in each of the tasks. After Ctrl-C the KeyboardInterrupt says where it came,
    and the `folder`, if it is not None, has the parameters of the network that was in training.
    """
    for name, *more in tasks:
        try:
            yield attempt(name, *more)
        except KeyboardInterrupt as stopped:
            saved = rescued(stopped, folder, name) if folder else ""
            raise KeyboardInterrupt(f" at {name}{saved}") from None


def rescued(stopped, folder, name):
    """Where the parameters of an interrupted training or judgment are now, in words, if any."""
    file = folder / f"{name}_interrupted.npz"
    if getattr(stopped, "theta", None) is None:
        return ""
    save(file, stopped.family, stopped.theta)               # those of a finished one stay
    return f", whose parameters so far are in {file}"


def side_by_side(tasks, jobs):
    """What is measured in all tasks, each as soon as it is there, by `jobs` workers of joblib."""
    from joblib import Parallel, delayed
    try:
        workers = Parallel(jobs, batch_size=1, return_as="generator_unordered")
    except ValueError:                                      # Ray's can only give all at the end
        workers = Parallel(jobs, batch_size=1)
    yield from workers(delayed(measured_without_bars)(*task) for task in tasks)


def measured_without_bars(*task):
    with progress.hidden():
        return attempt(*task)


# The command line

def parser_of_the_command():
    parser = command.Parser(__doc__, epilog="Rows of the same names and seeds are overwritten, the "
                            "committed ones without --output.")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--only", nargs="+", choices=list(MODELS), metavar="NAME",
                        help="models to fit; all if none is named")
    parser.add_argument("--seeds", nargs="+", type=command.whole(0), default=SEEDS, metavar="SEED",
                        help="of the training sets")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of training, per network")
    parser.add_argument("--jobs", type=command.whole(1), default=1,
                        help="models that are measured at the same time")
    parser.add_argument("--judge-again", action="store_true",
                        help="keep what scoreboard.json says of trainings, measure all else again")
    parser.add_argument("--output", type=command.folder, default=FIGURES, metavar="DIR",
                        help="where scoreboard.json and parameters/ are written")
    return parser


def main(arguments=None):
    parser = parser_of_the_command()
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(MODELS), flush=True)
        return 0
    file, parameters = options.output / "scoreboard.json", options.output / "parameters"
    refuse(parser, options, file, parameters)
    try:
        known = rows_before(file, options.seconds)
        tasks = list(to_do(options, known, parameters))
    except command.WrongUse as error:
        parser.error(str(error))
    results = (side_by_side(tasks, options.jobs) if options.jobs > 1 else
               one_by_one(tasks, None if options.judge_again else parameters))
    failed = 0
    try:
        for row, p in results:
            if isinstance(p, Exception):
                failed = 1
                print(f"{row['name']} of seed {row['seed']} failed, what is said of it stays: "
                      f"{p!r:.300}", file=sys.stderr, flush=True)
                continue
            row["jobs"] = options.jobs
            if options.judge_again:
                row = timed_before(row, known[key_of(row)])
            elif row["name"] in NETWORKS and row["seed"] == SEEDS[0]:
                save(parameters / f"{row['name']}.npz", p.p.family, p.p.theta)
            update_json(file, partial(with_row, row=row, file=file, seconds=options.seconds),
                        indent=1)
            print(row["name"], {key: value if isinstance(value, str | list) else round(value, 4)
                                for key, value in row.items() if key != "name"}, flush=True)
    except KeyboardInterrupt as stopped:
        where = stopped if options.jobs == 1 else ""        # one worker of many does not matter
        print(f"interrupted{where}; what was measured before is written", file=sys.stderr)
        return 130
    return failed


def refuse(parser, options, file, parameters):
    """Stop if the options cannot be followed, or the results could not be written."""
    if not 0 < options.seconds <= LONGEST:
        parser.error(f"--seconds must lie in (0, {LONGEST:g}], got {options.seconds:g}")
    if options.jobs > 1:
        parser.needs("joblib")
    if options.judge_again and not os.path.exists(file):
        parser.error(f"{file} does not exist: there is nothing to judge again")
    parser.folder(options.output, "scoreboard.json")
    parser.folder(parameters, *(f"{name}.npz" for name in NETWORKS))


if __name__ == "__main__":
    sys.exit(main())
