"""Time the densities against Shapely, scikit-learn and SciPy; write figures/benchmark_density.json.

    pip install -e '.[benchmark]'
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=1 \
        python scripts/benchmark_density.py

The two variables, where set, make NumPy's matrix products use an older kernel and run at half
speed. Ours and the peer run in turn, after one run each to warm up; what a user does once (reading
the map, building a tree) comes before the clock starts, on both sides. With t the seconds of a run,

    ratio = median over the pairs of  t(peer) / t(ours).

Memory is the peak of a whole process that does one side once, interpreter and libraries included.
The exit status is 1, and nothing is written, if two results differ by more than their bound, never
because of a time. The seconds of mixture_em are per iteration.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gdl_numpy.density import KernelDensity
from gdl_numpy.family import MixtureFamily, cut_normals
from gdl_numpy.mle import expectation_maximization, k_means_plus_plus
from gdl_numpy.world_map import WORLD, WorldMap, continents

N = 1_000_000                                               # points of the map
N_DATA = 20_000                                             # observations, and queries
BANDWIDTH = 1.5                                             # degrees
K, ITERATIONS = 50, 20                                      # components, steps of EM
PAUSE = 0.2                                                 # s: threads of the last run fall asleep
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
FIGURES = Path(__file__).parent.parent / "figures"


# Each side of a case is a function that prepares and returns what is timed. It makes its inputs
# from a fixed seed: both sides get the same, and the memory of one has no part of the other.

def uniform_points(n):
    """n points (latitude, longitude), uniform on the map, land and sea."""
    return WORLD.low + (WORLD.high - WORLD.low) * np.random.default_rng(0).random((n, 2))


def shapely_land(continent=None):
    """The same land as one prepared Shapely geometry, x = longitude and y = latitude."""
    import shapely
    parts = [shapely.build_area(shapely.GeometryCollection(
                [shapely.LineString(ring[:, ::-1]) for ring in WorldMap(continent=name).rings]))
             for name in continents() if continent in (None, name)]
    land = shapely.union_all(parts)
    shapely.prepare(land)
    return land


def membership():
    X, land = uniform_points(N), WorldMap()
    return lambda: land.contains(X)


def membership_shapely_xy():
    import shapely
    (x1, x2), land = uniform_points(N).T.copy(), shapely_land()
    return lambda: shapely.contains_xy(land, x2, x1)


def membership_shapely_points():
    import shapely
    points, land = shapely.points(uniform_points(N)[:, ::-1]), shapely_land()
    return lambda: shapely.contains(land, points)


def sampling():
    rng, land = np.random.default_rng(1), WorldMap()
    return lambda: land.sample(N, rng)


def sampling_shapely(batch=10_000):
    import shapely
    rng, land = np.random.default_rng(2), shapely_land()

    def run():
        accepted, missing = [], N
        while missing > 0:
            x1, x2 = 180 * rng.random(batch) - 90, 360 * rng.random(batch) - 180
            inside = shapely.contains_xy(land, x2, x1)
            accepted.append(np.stack([x1[inside], x2[inside]], axis=1))
            missing -= len(accepted[-1])
        return np.concatenate(accepted)[:N]
    return run


def land_and_queries(dtype):
    """Training data from p_data, and queries from the whole map, land and sea, in a dtype."""
    X = WorldMap().sample(N_DATA, np.random.default_rng(3))
    return X.astype(dtype), uniform_points(N_DATA).astype(dtype)


def kernel_density(dtype):
    X, queries = land_and_queries(dtype)
    p = KernelDensity(X, BANDWIDTH)
    return lambda: p.log_prob(queries)


def kernel_density_sklearn(dtype, leaf_size):
    from sklearn.neighbors import KernelDensity
    X, queries = (x.astype(float) for x in land_and_queries(dtype))
    p = KernelDensity(bandwidth=BANDWIDTH, algorithm="kd_tree", leaf_size=leaf_size, rtol=0, atol=0)
    p.fit(X)
    return lambda: p.score_samples(queries)


def kernel_density_scipy(dtype):
    """SciPy's kernel has the data's covariance times a number, never h² I: it is replaced here."""
    from scipy.stats import gaussian_kde
    X, queries = (x.astype(float).T for x in land_and_queries(dtype))
    p = gaussian_kde(X)
    p.covariance, p.cho_cov = BANDWIDTH**2 * np.eye(2), BANDWIDTH * np.eye(2)
    p.log_det = 2 * np.log(2 * np.pi * BANDWIDTH**2)        # log det(2π h² I)
    return lambda: p.logpdf(queries)


def mixture_start():
    """Data from p_data and a start: equal weights, k-means++ centres, 10 degrees in each way."""
    rng = np.random.default_rng(4)
    X = WorldMap().sample(N_DATA, rng)
    return X, np.full(K, 1 / K), k_means_plus_plus(X, K, rng), np.tile(10 * np.eye(2), (K, 1, 1))


def mixture_em():
    X, *start = mixture_start()
    family = MixtureFamily(K, 2)
    theta = family.theta(*start)

    def run():
        *_, last = expectation_maximization(family, X, theta=theta, tol=0, floor=1e-12,
                                            max_steps=ITERATIONS)
        logits, blocks = family.cut(last.theta)
        mu, _, L = cut_normals(blocks, 2)
        return np.concatenate([np.exp(logits), mu.ravel(), (L @ L.swapaxes(1, 2)).ravel()])
    return run


def mixture_em_sklearn():
    """Its fit ends with one E step more, so the seconds per iteration are up to 5 % too many."""
    from sklearn.mixture import GaussianMixture
    X, weights, mu, L = mixture_start()
    mixture = GaussianMixture(K, tol=0, reg_covar=0, max_iter=ITERATIONS, weights_init=weights,
                              means_init=mu, precisions_init=np.linalg.inv(L @ L))

    def run():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")                 # it did not converge: it was not to
            mixture.fit(X)
        return np.concatenate([mixture.weights_, mixture.means_.ravel(),
                               mixture.covariances_.ravel()])
    return run


# How far two results are from each other.

def number_differing(a, b):
    return (a != b).sum()


def deviation(a, b):
    """Largest difference, relative where |b| exceeds 1."""
    return (abs(a - b) / np.maximum(1, abs(b))).max()


def deviation_above(log_p, log_q, least=-20):
    """The same where log q > least: beyond, scikit-learn's trees of many leaves lose up to hundreds
    of nats even when asked for no error; a tree of a single leaf loses nothing and is slower."""
    near = log_q > least
    return deviation(log_p[near], log_q[near])


def share_deviation(ours, theirs):
    """Largest difference of a continent's share, in standard errors; inf if a point is at sea."""
    import shapely
    inside = np.array([[shapely.contains_xy(shapely_land(name), X[:, 1], X[:, 0])
                        for name in continents()] for X in (ours, theirs)])
    p, q = inside.mean(axis=2)
    sigma = np.sqrt((p + q) / 2 * (1 - (p + q) / 2) * 2 / N)
    return (abs(p - q) / sigma).max() if inside.any(axis=1).all() else np.inf


@dataclass(frozen=True)
class Case:
    """Two ways to one result; `aim` is the ratio hoped for, `parts` is what divides the seconds."""
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


def kernel_density_case(dtype, peer, settings, aim, bound, difference, theirs, *inputs):
    sizes = {"training": N_DATA, "queries": N_DATA, "dimensions": 2, "bandwidth": BANDWIDTH}
    return Case("kernel_density", sizes, dtype, peer, settings, aim, bound, difference,
                partial(kernel_density, dtype), partial(theirs, dtype, *inputs))


SKLEARN, SCIPY = "sklearn.neighbors.KernelDensity", "scipy.stats.gaussian_kde"
CASES = [
    Case("membership", {"points": N}, "float64", "shapely.contains_xy", "prepared", 10,
         0, number_differing, membership, membership_shapely_xy),
    Case("membership", {"points": N}, "float64", "shapely.contains", "prepared, points ready", 10,
         0, number_differing, membership, membership_shapely_points),
    Case("sampling", {"points": N}, "float64", "shapely.contains_xy", "prepared, rejection",
         1 / 0.15, 6, share_deviation, sampling, sampling_shapely),
    kernel_density_case("float64", SKLEARN, "kd_tree, leaf 40 (default)", 10,
                        1e-6, deviation_above, kernel_density_sklearn, 40),
    kernel_density_case("float64", SKLEARN, "kd_tree, one leaf (exact)", 10,
                        1e-6, deviation, kernel_density_sklearn, N_DATA),
    kernel_density_case("float64", SCIPY, "logpdf, covariance h² I", 6,
                        1e-6, deviation, kernel_density_scipy),
    kernel_density_case("float32", SKLEARN, "kd_tree, leaf 40 (default)", 10,
                        1e-4, deviation_above, kernel_density_sklearn, 40),
    kernel_density_case("float32", SCIPY, "logpdf, covariance h² I", 6,
                        1e-4, deviation, kernel_density_scipy),
    Case("mixture_em", {"rows": N_DATA, "components": K, "dimensions": 2, "iterations": ITERATIONS},
         "float64", "sklearn.mixture.GaussianMixture", "full, reg_covar=0", 5,
         1e-6, deviation, mixture_em, mixture_em_sklearn, ITERATIONS)]


HEADER = (f"{'case':15}{'dtype':8}{'peer':32}{'settings':27}{'seconds: ours':>13}{'peer':>9}"
          f"{'ratio':>8}{'min':>7}{'max':>7}{'aim':>6}{'MB: ours':>10}{'peer':>6}"
          f"{'difference':>12}{'bound':>8}")
ROW = ("{name:15}{dtype:8}{peer:32}{settings:27}{seconds[ours]:13.4f}{seconds[peer]:9.4f}"
       "{ratio[median]:8.1f}{ratio[min]:7.1f}{ratio[max]:7.1f}{aim:6.1f}"
       "{memory_MB[ours]:10.0f}{memory_MB[peer]:6.0f}{difference:12.1e}{bound:8.0e}")


def peak_memory(case, side):
    """Peak memory in MB of a fresh process that does `side` of a case once."""
    command = [sys.executable, __file__, "--memory", str(CASES.index(case)), side]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


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
    return {"name": case.name, "sizes": case.sizes, "dtype": case.dtype, "peer": case.peer,
            "settings": case.settings, "per": "iteration" if case.parts > 1 else "run",
            "seconds": dict(zip(("ours", "peer"), np.median(seconds, axis=0), strict=True)),
            "ratio": {"median": np.median(ratio), "min": ratio.min(), "max": ratio.max()},
            "aim": case.aim, "met": bool(np.median(ratio) >= case.aim),
            "memory_MB": dict(zip(("ours", "peer"), memory, strict=True)),
            "difference": difference, "bound": case.bound, "measure": case.difference.__name__}


def machine():
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
            **{name: version(name) for name in ("numpy", "scipy", "scikit-learn", "shapely")
               if find_spec(name.replace("scikit-learn", "sklearn"))},
            "blas": blas, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
            "load_average": os.getloadavg()[0]}             # the benchmark itself is about 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=FIGURES, metavar="DIR")
    parser.add_argument("--repeats", type=int, default=5, help="number of pairs (default 5)")
    parser.add_argument("--only", nargs="+", choices=sorted({case.name for case in CASES}),
                        metavar="CASE", help="print these and write nothing: %(choices)s")
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)    # for peak_memory
    args = parser.parse_args()
    if args.memory:
        getattr(CASES[int(args.memory[0])], args.memory[1])()()
        unit = 1 if sys.platform == "darwin" else 1024
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
        return
    if args.repeats < 1:
        parser.error(f"--repeats must be at least 1, got {args.repeats}")

    for name in filter(os.environ.get, SLOWING):
        print(f"Warning: {name} is set, so matrix products may be slow; the docstring says how to "
              "run without it.")
    cases = [case for case in CASES if args.only is None or case.name in args.only]
    for library in sorted({case.peer.split(".")[0] for case in cases}):
        if find_spec(library) is None:
            print(f"Skipped all cases with {library}: pip install -e '.[benchmark]' installs it.")
            cases = [case for case in cases if not case.peer.startswith(library)]
    # Memory first: the peak of a child starts from that of its parent, which is still small.
    memory = [[peak_memory(case, side) for side in ("ours", "theirs")] for case in cases]
    records = []
    print(HEADER)
    for case, peaks in zip(cases, memory, strict=True):
        records.append(record(case, args.repeats, peaks))
        print(ROW.format(**records[-1]), flush=True)
    print("\n".join(f"{name}: {value}" for name, value in machine().items()))

    if not all(r["difference"] <= r["bound"] for r in records):     # NaN is a difference too
        sys.exit("The results of a case differ by more than their bound.")
    if args.only is None and records:
        args.output.mkdir(parents=True, exist_ok=True)
        target, sibling = (args.output / f"benchmark_density.json{end}" for end in ("", ".part"))
        sibling.write_text(json.dumps({"machine": machine(), "repeats": args.repeats,
                                       "cases": records}, indent=1) + "\n")
        os.replace(sibling, target)


if __name__ == "__main__":
    main()
