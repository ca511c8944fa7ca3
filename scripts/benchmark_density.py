"""Time the densities against Shapely, scikit-learn and SciPy; write figures/benchmark_density.json.

    pip install -e '.[benchmark]'
    python scripts/benchmark_density.py

The seconds of mixture_em are per iteration. How it is measured stands in benchmark.py.
"""

import warnings
from functools import partial

import command  # noqa: F401, it says what is missing
import numpy as np
from benchmark import Case, deviation, main
from problems import BANDWIDTH, N_DATA, land_and_queries, uniform_points

from gdl_numpy.numerics.neighbors import nearest
from gdl_numpy.probability.expectation_maximization import (
    expectation_maximization,
    k_means_plus_plus,
)
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.normal_family import MixtureFamily, cut_normals
from gdl_numpy.world.world_map import WorldMap, continents

N = 1_000_000                                               # points of the map
N_NEAREST = 100_000                                         # points whose neighbors are sought
K, ITERATIONS = 50, 20                                      # components, steps of EM


# Each side of a case is a function that prepares and returns what is timed. It makes its inputs
# from a fixed seed: both sides get the same, and the memory of one has no part of the other.

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
    """Data from p_data and a start: equal weights, k-means++ centers, 10 degrees in each way."""
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


def standard_normal():
    return np.random.default_rng(5).standard_normal((N_NEAREST, 10))


def three_nearest():
    X = standard_normal()
    return lambda: nearest(X, X, 3)[0]


def three_nearest_scipy():
    from scipy.spatial import cKDTree
    X = standard_normal()
    tree = cKDTree(X)
    return lambda: tree.query(X, 3)[0]


# How far two results are from each other.

def number_differing(a, b):
    return (a != b).sum()


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
    kernel_density_case("float32", SKLEARN, "kd_tree, leaf 40, in float64", 10,
                        1e-4, deviation_above, kernel_density_sklearn, 40),
    kernel_density_case("float32", SCIPY, "logpdf, h² I, in float64", 6,
                        1e-4, deviation, kernel_density_scipy),
    Case("mixture_em", {"rows": N_DATA, "components": K, "dimensions": 2, "iterations": ITERATIONS},
         "float64", "sklearn.mixture.GaussianMixture", "full, reg_covar=0", 5,
         1e-6, deviation, mixture_em, mixture_em_sklearn, ITERATIONS),
    Case("nearest", {"points": N_NEAREST, "dimensions": 10, "neighbors": 3}, "float64",
         "scipy.spatial.cKDTree", "tree ready", 1, 1e-12, deviation, three_nearest,
         three_nearest_scipy)]


if __name__ == "__main__":
    main(CASES, __doc__, "benchmark_density.json", ("numpy", "scipy", "scikit-learn", "shapely"))
