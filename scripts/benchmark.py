r"""Benchmark: time ours against a peer, pair by pair, and compare their results.

Every benchmark_*.py gives its cases to `main` here, and is run, on an otherwise idle machine, as

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=1 \
        python scripts/benchmark_density.py

or with as many threads as its docstring says. The two variables, where set, make NumPy's matrix
products use an older kernel and run at half speed. Ours and the peer run in turn, after one run
each to warm up; what a user does once (reading the map, building a tree) comes before the clock
starts, on both sides. With t the seconds of a run,

    ratio = median over the pairs of  t(peer) / t(ours).

Memory is the peak of a whole process that does one side once, interpreter and libraries included.
The exit status is 1, and nothing is written, if two results differ by more than their bound, never
because of a time.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import command
import numpy as np
from files import FIGURES, write_text

PAUSE = 0.2                                                 # s: threads of the last run fall asleep
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Case:
    """Two ways to one result; `aim` is the ratio hoped for, `parts` is what divides the seconds.

    `extra` tells from the median seconds of both sides what else there is to say of the case.
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


def deviation(a, b):
    """Largest difference, relative where |b| exceeds 1."""
    return (abs(a - b) / np.maximum(1, abs(b))).max()


def relative(ours, theirs):
    """The difference of two positive numbers as a share of the second."""
    return abs(ours - theirs) / theirs


HEADER = (f"{'case':15}{'dtype':8}{'peer':32}{'settings':27}{'seconds: ours':>13}{'peer':>9}"
          f"{'ratio':>8}{'min':>7}{'max':>7}{'aim':>6}{'MB: ours':>10}{'peer':>6}"
          f"{'difference':>12}{'bound':>8}")
ROW = ("{name:15}{dtype:8}{peer:32}{settings:27}{seconds[ours]:13.5f}{seconds[peer]:9.5f}"
       "{ratio[median]:8.1f}{ratio[min]:7.1f}{ratio[max]:7.1f}{aim:6.1f}"
       "{memory_MB[ours]:10.0f}{memory_MB[peer]:6.0f}{difference:12.1e}{bound:8.0e}")


def peak_memory(number, side):
    """Peak memory in MB of a fresh process that does one side of the case of that number once."""
    again = [sys.executable, sys.argv[0], "--memory", str(number), side]
    try:
        return float(subprocess.run(again, check=True, capture_output=True, text=True).stdout)
    except subprocess.CalledProcessError as error:
        if error.returncode == 2:                           # a peer that cannot be imported
            raise command.WrongUse(error.stderr) from None
        raise


def measure(case, repeats):
    """Seconds of both sides, (repeats, 2), in turn after a warm-up, and how the results differ."""
    sides = case.ours(), case.theirs()
    difference = case.difference(*(run() for run in sides))
    seconds = np.empty((repeats, 2))
    for pair in seconds:
        for i, run in enumerate(sides):
            time.sleep(PAUSE)
            start = time.perf_counter()
            run()
            pair[i] = time.perf_counter() - start
    return seconds / case.parts, float(difference)


def record(case, repeats, memory):
    """What the JSON file holds of a case."""
    seconds, difference = measure(case, repeats)
    ratio = seconds[:, 1] / seconds[:, 0]
    medians = dict(zip(("ours", "peer"), np.median(seconds, axis=0), strict=True))
    return {"name": case.name, "sizes": case.sizes, "dtype": case.dtype, "peer": case.peer,
            "settings": case.settings, "per": "iteration" if case.parts > 1 else "run",
            "seconds": medians,
            "ratio": {"median": np.median(ratio), "min": ratio.min(), "max": ratio.max()},
            "aim": case.aim, "met": bool(np.median(ratio) >= case.aim),
            "memory_MB": dict(zip(("ours", "peer"), memory, strict=True)),
            "difference": difference, "bound": case.bound, "measure": case.difference.__name__,
            **({"extra": case.extra(medians)} if case.extra else {})}


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
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    blas = []
    if find_spec("threadpoolctl"):
        from threadpoolctl import threadpool_info
        blas = [{key: pool.get(key) for key in ("prefix", "version", "architecture", "num_threads")}
                for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {"processor": names[0] if names else platform.processor(), "cores": os.cpu_count(),
            "python": platform.python_version(),
            **{name: version(name) for name in libraries
               if find_spec(name.replace("scikit-learn", "sklearn"))},
            "blas": blas,
            **({"torch_blas": torch_blas()} if "torch" in libraries and find_spec("torch") else {}),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
            "older_kernel_chosen": any(map(os.environ.get, SLOWING))}


def main(cases, description, file_name, libraries, ready=lambda: None, instead=None):
    """The command line of a benchmark script.

    `ready` raises WrongUse if it cannot be measured in the process as it is; `instead` is a
    function that measures something else into the folder --output, by an option of its name.
    """
    parser = command.Parser(description, epilog=f"{file_name} in the folder is overwritten, the "
                            "committed one without --output.")
    parser.add_argument("--output", type=Path, default=FIGURES, metavar="DIR",
                        help="where it is written")
    parser.add_argument("--repeats", type=command.whole(1), default=5, help="number of pairs")
    parser.add_argument("--only", nargs="+", choices=sorted({case.name for case in cases}),
                        metavar="CASE", help="print these and write nothing: %(choices)s")
    if instead:
        parser.add_argument(f"--{instead.__name__}", dest="instead", action="store_true",
                            help=instead.__doc__.splitlines()[0])
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)    # for peak_memory
    args = parser.parse_args()
    if args.memory and not (args.memory[0] in map(str, range(len(cases)))
                            and args.memory[1] in ("ours", "theirs")):
        parser.error("--memory must be the number of a case, and ours or theirs")
    chosen = {i: case for i, case in enumerate(cases)
              if args.only is None or case.name in args.only}
    if not args.memory:
        if not (instead and args.instead):
            parser.needs("resource", *sorted({case.peer.split(".")[0] for case in chosen.values()}))
        parser.folder(args.output, file_name)
    ready()
    if instead and args.instead:
        instead(args.output)
        return
    if args.memory:
        import resource  # here, since Windows has none

        getattr(cases[int(args.memory[0])], args.memory[1])()()
        unit = 1 if sys.platform == "darwin" else 1024
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
        return
    for name in filter(os.environ.get, SLOWING):
        print(f"Warning: {name} is set, so matrix products may be slow; the docstring says how to "
              "run without it.")
    load = os.getloadavg()[0]
    # Memory first: the peak of a child starts from that of its parent, which is still small.
    memory = [[peak_memory(i, side) for side in ("ours", "theirs")] for i in chosen]
    records = []
    print(HEADER)
    for case, peaks in zip(chosen.values(), memory, strict=True):
        records.append(record(case, args.repeats, peaks))
        print(ROW.format(**records[-1]), flush=True)
        if case.extra:
            print(f"    {records[-1]['extra']}", flush=True)
    about = machine(libraries)
    print("\n".join(f"{name}: {value}" for name, value in about.items()))

    if not all(r["difference"] <= r["bound"] for r in records):     # NaN is a difference too
        sys.exit("The results of a case differ by more than their bound.")
    if len(records) < len(cases):
        print("Nothing written: that takes all cases.")
    else:
        report = {"machine": about, "load_before": load, "repeats": args.repeats, "cases": records}
        write_text(args.output / file_name, json.dumps(report, indent=1) + "\n")
