r"""Benchmark: time ours against its peers, run by run in turn, and compare their results.

Every benchmark_*.py gives its cases to `main` here, and is run, on an otherwise idle machine, as

    python scripts/benchmark_density.py

Each side of a case, ours or a peer, is a process of its own with as many processors as the case
has threads; worker.py says how all libraries are held to them, JAX as well. All sides run in turn,
after one run each to warm up and, where a peer compiles, to compile. What a user does once (reading
the map, building a tree) comes before the clock starts, on every side. With t the seconds of a run,

    ratio = median over the rounds of  t(peer) / t(ours).

Freed memory is kept on all sides: each process calls `keep_freed_memory` (numerics/memory.py) at
its start, and PyTorch and JAX take their arrays from the same malloc that it advises. A case may
say what ours takes without that call: a side called GIVEN_BACK. Memory is the peak of the process
after its first run, interpreter and libraries included.

One peer of a case must be there. The others are optional: of a library that is missing one line
says so, and its columns are left out. What a large float32 matrix product reaches in a library, the
best of TRIALS, is its peak. Where a case knows how many floating point operations its matrix
products take, the share of the peak is these, divided by the seconds, over the peak of the library.

A ratio belongs to the processor that it was measured on. So the file has a report for each
processor, under its name, and a run replaces no other than that of its own. The exit status is 1,
and nothing is written, if a result differs from ours by more than the bound of its case, never
because of a time.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import command
import numpy as np
from files import FIGURES, read_json, update_json
from worker import HOLDS, Worker, processors, serve

from gdl_numpy.numerics.memory import keep_freed_memory

PAUSE = 0.2                                                 # s: threads of the last run fall asleep
SIDE, TRIALS = 2048, 8                                      # of the square product; its runs
GIVEN_BACK = "ours, memory given back"
THREADS = (1, 2)                                            # for which the peaks are measured


@dataclass(frozen=True)
class Case:
    """Ways to one result: ours, its peer, and others.

    Each is a function that prepares and returns what is timed. `aim` is the ratio hoped for,
    `parts` is what divides the seconds, and `operations` those of the matrix products of a part.
    `others` are optional: by name, which begins with that of the library, the function and its aim
    or None. `extra` tells from the median seconds of all sides what else there is to say.
    """
    name: str
    sizes: dict
    dtype: str
    peer: str
    settings: str
    aim: float
    bound: float
    difference: Callable
    ours: Callable
    theirs: Callable
    parts: int = 1
    extra: Callable | None = None
    threads: int = 1
    operations: float | None = None
    others: dict = field(default_factory=dict)
    given_back: bool = False                                # whether ours is timed so as well

    def sides(self):
        """The functions of all sides by name."""
        return {"ours": self.ours, "peer": self.theirs,
                **{name: prepare for name, (prepare, _) in self.others.items()},
                **({GIVEN_BACK: self.ours} if self.given_back else {})}

    def library(self, side):
        """What a side computes with."""
        side = self.peer if side == "peer" else side
        return "numpy" if side in ("ours", GIVEN_BACK) else side.partition(".")[0]

    def aims(self):
        return {"peer": self.aim} | {name: aim for name, (_, aim) in self.others.items()
                                     if aim is not None}


def deviation(a, b):
    """Largest difference, relative where |b| exceeds 1."""
    return (abs(a - b) / np.maximum(1, abs(b))).max()


def relative(ours, theirs):
    """The difference of two positive numbers as a share of the second."""
    return abs(ours - theirs) / theirs


# --- the peaks ---

def product_of_numpy():
    A = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    return lambda: (A @ A)[0, 0]


def product_of_torch():
    import torch
    A = torch.from_numpy(np.random.default_rng(0).random((SIDE, SIDE), np.float32))
    return lambda: (A @ A)[0, 0].item()


def product_of_jax():
    import jax
    A = jax.numpy.asarray(np.random.default_rng(0).random((SIDE, SIDE), np.float32))
    product = jax.jit(lambda A: A @ A)
    return lambda: float(product(A)[0, 0])


PRODUCTS = {"numpy": product_of_numpy, "torch": product_of_torch, "jax": product_of_jax}


def peaks(libraries):
    """GFLOP/s of a square matrix product by library and threads, the best of TRIALS."""
    reached = {}
    for library in libraries:
        for threads in [threads for threads in THREADS if threads <= len(processors())]:
            with Worker(f"peak:{library}", threads) as worker:
                time.sleep(PAUSE)
                seconds = min(worker.seconds() for _ in range(TRIALS))
            reached.setdefault(library, {})[str(threads)] = round(2e-9 * SIDE**3 / seconds, 1)
    return reached


# --- the cases ---

def measure(case, number, names, rounds):
    """The seconds of each side, its peak memory, and how its result differs from ours."""
    workers, seconds = {}, {name: [] for name in names}
    try:
        for name in names:                                  # one after the other
            workers[name] = Worker(f"{number}:{name}", case.threads)
        for _ in range(rounds):
            for name, worker in workers.items():
                time.sleep(PAUSE)
                seconds[name].append(worker.seconds() / case.parts)
    finally:
        for worker in workers.values():
            worker.end()
    memory = {name: worker.memory for name, worker in workers.items()}
    results = {name: worker.result for name, worker in workers.items()}
    return ({name: np.array(each) for name, each in seconds.items()}, memory,
            {name: float(case.difference(results["ours"], result))
             for name, result in results.items() if name != "ours"})


def record(case, number, names, rounds, peak):
    """What the JSON file holds of a case."""
    seconds, memory, difference = measure(case, number, names, rounds)
    medians = {name: float(np.median(each)) for name, each in seconds.items()}
    ratio = {name: {"median": np.median(r), "min": r.min(), "max": r.max()}
             for name, r in ((name, each / seconds["ours"]) for name, each in seconds.items())
             if name != "ours"}
    aims = {name: aim for name, aim in case.aims().items() if name in ratio}
    share = {name: round(1e-9 * case.operations / medians[name]
                         / peak[case.library(name)][str(case.threads)], 3)
             for name in names if case.operations and case.library(name) in peak}
    return {"name": case.name, "sizes": case.sizes, "dtype": case.dtype, "peer": case.peer,
            "settings": case.settings, "threads": case.threads,
            "per": "iteration" if case.parts > 1 else "run", "seconds": medians, "ratio": ratio,
            "aim": aims, "met": {name: bool(ratio[name]["median"] >= aim)
                                 for name, aim in aims.items()},
            "memory_MB": memory, "difference": difference, "bound": case.bound,
            "measure": case.difference.__name__, **({"share_of_peak": share} if share else {}),
            **({"extra": case.extra(medians)} if case.extra else {})}


def lines(case):
    """What is printed of a record: the case, and a line for each side."""
    yield (f"{case['name']}, {case['dtype']}, {case['settings']}, "
           f"{case['threads']} thread{'s' * (case['threads'] > 1)}")
    for name, seconds in case["seconds"].items():
        shown = case["peer"] if name == "peer" else name
        line = f"    {shown:32}{seconds:12.6f} s{case['memory_MB'][name]:7.0f} MB"
        if name in case.get("share_of_peak", {}):
            line += f"{case['share_of_peak'][name]:7.1%} of peak"
        if name in case["ratio"]:
            r = case["ratio"][name]
            line += (f"   time / ours {r['median']:.2f} ({r['min']:.2f} to {r['max']:.2f})"
                     f"   difference {case['difference'][name]:.1e}")
        if name in case["aim"]:
            line += f"   aim {case['aim'][name]:.2g}{'' if case['met'][name] else ', missed'}"
        yield line
    if "extra" in case:
        yield f"    {case['extra']}"


# --- the machine ---

def processor():
    """The name of the processor, with the numbers that tell one of that name from another."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    facts = {}                                              # of the first one
    for line in cpuinfo.read_text().splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    numbers = [f"{name.split()[-1]} {facts[name]}" for name in ("cpu family", "model")
               if name in facts]
    return ", ".join([facts.get("model name") or platform.machine(), *numbers])


def torch_blas():
    """What PyTorch's matrix products are made of. Its MKL is linked in, so that threadpoolctl does
    not see it, and names on request the processors that its kernel is for."""
    import torch
    lines = [line.strip(" -") for line in torch.__config__.show().splitlines()
             if any(name in line for name in ("Math Kernel Library", "MKL-DNN", "CPU capability"))]
    product = [sys.executable, "-c", "import torch; torch.ones(64, 64) @ torch.ones(64, 64)"]
    said = subprocess.run(product, check=True, capture_output=True, text=True,
                          env=os.environ | {"MKL_VERBOSE": "1"}).stdout
    return lines + [line for line in said.splitlines() if line.startswith("MKL_VERBOSE")][:1]


def machine(libraries):
    """The processor and the libraries, as far as they say."""
    blas = []
    if find_spec("threadpoolctl"):
        from threadpoolctl import threadpool_info
        blas = [{key: pool.get(key) for key in ("prefix", "version", "architecture")}
                for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {"processor": processor(), "cores": os.cpu_count(),
            "python": platform.python_version(),
            **{name: version(name) for name in libraries
               if find_spec(name.replace("scikit-learn", "sklearn"))},
            "blas": blas, "memory_kept": keep_freed_memory(),
            **({"torch_blas": torch_blas()} if "torch" in libraries and find_spec("torch") else {})}


# --- the command line ---

def jobs(cases, libraries, more):
    """What a worker can be asked for, by name: functions that prepare and return what is run."""
    table = {f"{i}:{side}": prepare for i, case in enumerate(cases)
             for side, prepare in case.sides().items()}
    table |= {f"peak:{library}": prepare for library, prepare in PRODUCTS.items()}
    table["machine"] = lambda: partial(machine, libraries)
    if more:
        table[more.__name__] = lambda: more
    return table


def optional(cases):
    """The optional sides that can be measured here; a line for each library of the others."""
    sides = {name: case.library(name) for case in cases for name in case.others}
    for library in dict.fromkeys(sides.values()):
        why = (f"{library} is missing: pip install {command.INSTALL.get(library, library)}"
               if find_spec(library) is None else
               "this system cannot hold jax to one or two processors"
               if library == "jax" and not HOLDS else None)
        if why:
            left_out = [name for name in sides if sides[name] == library]
            print(f"Without {', '.join(left_out)}: {why}")
            sides = {name: other for name, other in sides.items() if other != library}
    return list(sides)


def reports_in(file):
    """The reports of a file by processor, none if it is not there."""
    reports = read_json(file, {})
    if not isinstance(reports, dict) or not all(isinstance(r, dict) for r in reports.values()):
        raise command.WrongUse(f"{file} is broken, mend or remove it: it must hold an object for "
                               "each processor")
    return reports


def main(cases, description, file_name, libraries, more=None):
    """The command line of a benchmark script.

    `more` is a function that measures something else, by an option of its name, and adds what it
    returns to the report of this processor.
    """
    parser = command.Parser(description, epilog=f"In {file_name} of the folder the "
                            "report of this processor is overwritten; without --output, "
                            "in the committed file.")
    parser.add_argument("--output", type=command.folder, default=FIGURES, metavar="DIR",
                        help="where it is written")
    parser.add_argument("--repeats", type=command.whole(1), default=5, help="number of rounds")
    parser.add_argument("--only", nargs="+", choices=sorted({case.name for case in cases}),
                        metavar="CASE", help="print these and write nothing: %(choices)s")
    if more:
        parser.add_argument(f"--{more.__name__}", dest="more", action="store_true",
                            help=more.__doc__.splitlines()[0])
    parser.add_argument("--work", help=argparse.SUPPRESS)               # for workers
    args, table = parser.parse_args(), jobs(cases, libraries, more)
    if args.work is not None:
        if args.work not in table:
            parser.error(f"--work must be one of {', '.join(table)}")
        if not args.work.endswith(GIVEN_BACK):
            keep_freed_memory()
        serve(table[args.work])
        return
    file, name = args.output / file_name, processor()
    if more and args.more and args.only:
        parser.error(f"--{more.__name__} measures all of its own, and takes no --only")
    if not (more and args.more):
        chosen = {i: case for i, case in enumerate(cases)
                  if args.only is None or case.name in args.only}
        parser.needs("resource", *sorted({case.peer.split(".")[0] for case in chosen.values()}))
        wanted = max(case.threads for case in chosen.values())
        if wanted > len(processors()):
            parser.error(f"a case has {wanted} threads, and there is {len(processors())} processor")
    parser.folder(args.output, file_name)
    before = reports_in(file)
    if more and args.more:
        if name not in before:
            parser.error(f"{file} has no report of {name}: --{more.__name__} adds to what a first "
                         "run wrote")
        with Worker("machine", 1) as about, Worker(more.__name__, 1, aloud=True) as worker:
            added = {more.__name__: worker.result | {"machine": about.result}}
        update_json(file, lambda old: old | {name: old.get(name, {}) | added}, indent=1)
        return

    load, others, records = os.getloadavg()[0], optional(chosen.values()), []
    peak = peaks([library for library in PRODUCTS if find_spec(library)
                  and (HOLDS or library != "jax")])
    print(name)
    for library, reached in peak.items():
        print(f"{library}: a matrix product reaches " + ", ".join(
            f"{speed:.0f} GFLOP/s on {threads} thread{'s' * (threads != '1')}"
            for threads, speed in reached.items()), flush=True)
    for i, case in chosen.items():
        sides = [side for side in case.sides() if side not in case.others or side in others]
        records.append(record(case, i, sides, args.repeats, peak))
        print("\n".join(lines(records[-1])), flush=True)
    with Worker("machine", 1) as worker:
        about = worker.result
    print("\n".join(f"{key}: {value}" for key, value in about.items()))

    if not all(difference <= r["bound"]                     # NaN is a difference too
               for r in records for difference in r["difference"].values()):
        sys.exit("The results of a case differ by more than their bound.")
    if len(records) < len(cases):
        print("Nothing written: that takes all cases.")
        return
    report = {"machine": about, "load_before": load, "repeats": args.repeats,
              "peak_GFLOP_per_s": peak, "cases": records}
    update_json(file, lambda old: old | {name: old.get(name, {}) | report}, indent=1)
