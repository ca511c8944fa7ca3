"""World map: the true distribution p_data of the chapter, uniform over the Earth's land.

The reader of the chapter sees only points (latitude, longitude), in degrees, and has to guess the
rule that made them. The rule is: choose uniformly among all points that are land.

    p_data(x) = 1 / area  on land,  0 in the sea                    measure = "map"
    p_data(x) = cos(x1) / area  on land,  0 in the sea              measure = "sphere"

Erratum E17: "uniform over the land" is two distributions. A degree of longitude is shorter near the
poles, so uniform on the flat map favours the far north and south over uniform on the sphere
(test_e17). Land covers 33 % of the map and 29 % of the sphere. The area is in square degrees:
∫ dx1 dx2 over the land on the map, ∫ cos(x1) dx1 dx2 on the sphere. The entropies are exact:

    H = log area                                                    measure = "map"
    H = log area - 1/area ∫ cos(x1) log cos(x1) dx1 dx2             measure = "sphere"
    ∫ cos t log cos t dt = sin t log cos t - sin t + artanh(sin t)

with every integral over the land taken around its coasts (polygon.py). Land is what Natural Earth's
polygons say at a scale of 1:110 million, some 130 rings; data/README.md gives origin
and licence (public domain). Small islands are missing, lakes but for the Caspian Sea are land.

Erratum E15: that New York is land does not show that latitude comes first: swapped it lies in
Antarctica, land too. (-10, -60) in Brazil and (30, -30) in the Atlantic show it (test_e15).
"""

import math
from functools import lru_cache
from pathlib import Path

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.world.polygon import Region

WORLD = SampleSpace([-90, -180], [90, 180])                 # (latitude, longitude), degrees
DATA = Path(__file__).parent / "data" / "world_map.npz"


class WorldMap(Described):
    """p_data: uniform over the world's land, or over one continent, on the map or on the sphere.

    >>> p_data = WorldMap()
    >>> print(p_data.contains([[40.7306, -73.9352], [11.3493, 142.1996]]))   # New York, the Pacific
    [ True False]
    >>> print(round(p_data.entropy, 3), "nats")
    9.976 nats
    """

    def __init__(self, measure="map", continent=None):
        self.measure = checks.choice(measure, "measure", ("map", "sphere"))
        self.continent = None if continent is None else checks.choice(
            continent, "continent", continents())
        self.space = WORLD
        land = _land(continent, numpy)
        if measure == "map":
            self.area = float(land.integral(lambda x1: x1))
            self.entropy = math.log(self.area)
        else:
            self.area = float(land.integral(_sine)) * 180 / math.pi
            mean_log = float(land.integral(_integral_cos_log_cos)) * 180 / math.pi / self.area
            self.entropy = math.log(self.area) - mean_log

    @property
    def rings(self):
        """The polygons: a list of closed rings, arrays of vertices (m, 2)."""
        return _rings(self.continent)

    @property
    def coast(self):
        """The outline: edges that bound the land, or the continent, (m, 2, 2), start and end."""
        return _coast(self.continent)

    def contains(self, X):
        """Whether each row of X is land, shape (n,); decided by the polygons, not by a raster."""
        return _land(self.continent, array_module(X)).contains(X)

    def log_prob(self, X):
        """log p_data(x) in nats for each row of X, shape (n,); p per square degree of the map."""
        land = _land(self.continent, array_module(X))
        X = checks.observations(X, land.foot)
        xp = array_module(X)
        log_p = -math.log(self.area)
        if self.measure == "sphere":
            log_p = log_p + xp.log(_cosine(X[:, 0].clip(-90, 90)))
        return xp.where(land.contains(X), log_p, -math.inf)

    def sample(self, n, rng):
        """n points of land, (n, 2), where rng lives."""
        n = checks.draws(n, rng)
        land = _land(self.continent, array_module(rng.random(1)))
        weight = None if self.measure == "map" else _cosine
        return land.sample(n, rng, weight)


def continents():
    """The names of the continents that the data distinguish, in alphabetical order: the seven, and
    "Seven seas (open ocean)" for the few islands that belong to none."""
    return tuple(str(name) for name in _read(DATA)["continents"])


def continent_of(X):
    """The number in continents() of the continent of each row of X, shape (n,); -1 in the sea."""
    X = checks.observations(X, d=2)
    xp = array_module(X)
    number = xp.full(len(X), -1)
    for i, name in enumerate(continents()):
        number = xp.where(_land(name, xp).contains(X), i, number)
    return number


@lru_cache
def _read(path):
    """The arrays of the packed map, checked, read-only; ValueError if the file is not one."""
    try:
        with open(path, "rb") as stream, numpy.load(stream, allow_pickle=False) as file:
            data = {name: file[name] for name in file.files}
        start, vertices = data["ring_start"], data["vertices"]
        sound = (vertices.dtype == numpy.float32 and vertices.ndim == 2 and vertices.shape[1] == 2
                 and start.dtype == numpy.int32 and start[0] == 0 and start[-1] == len(vertices)
                 and (start[1:] - start[:-1] > 3).all()
                 and (vertices[start[:-1]] == vertices[start[1:] - 1]).all()
                 and data["ring_continent"].shape == (len(start) - 1,)
                 and data["ring_continent"].dtype == numpy.uint8
                 and data["ring_continent"].max() < len(data["continents"])
                 and WORLD.contains(vertices).all())
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is not a packed world map: {error}") from error
    if not sound:
        raise ValueError(f"{path} is not a packed world map: its arrays do not fit together")
    for array in data.values():
        array.flags.writeable = False                       # whoever asks gets the same arrays
    return data


def _rings(continent):
    data = _read(DATA)
    rings = numpy.split(data["vertices"], data["ring_start"][1:-1])
    names = data["continents"][data["ring_continent"]]
    return [ring for ring, name in zip(rings, names, strict=True) if continent in (None, name)]


def _coast(continent):
    rings = _rings(continent)
    edges = numpy.concatenate([numpy.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    ends = numpy.sort(edges[:, :, 0] + 1j * edges[:, :, 1], axis=1)     # equal in both directions
    _, number, times = numpy.unique(ends, axis=0, return_inverse=True, return_counts=True)
    return edges[times[number.ravel()] == 1]                # twice: a border between continents


@lru_cache
def _land(continent, xp):
    if xp is not numpy:
        return _land(continent, numpy).on(xp)
    edges = _coast(continent)
    return Region(edges[:, 0], edges[:, 1], WORLD, (360, 720))


def _cosine(x1):
    xp = array_module(x1)
    return xp.cos(xp.radians(x1))


def _sine(x1):
    xp = array_module(x1)
    return xp.sin(xp.radians(x1))


def _integral_cos_log_cos(x1):
    """∫ cos t log cos t dt from 0 to the angle x1, in degrees; its limit at the poles."""
    xp = array_module(x1)
    sine = _sine(x1)
    inner = xp.where(abs(sine) < 1, sine, 0)
    value = inner * (0.5 * xp.log1p(-inner**2) - 1) + xp.arctanh(inner)
    return xp.where(abs(sine) < 1, value, sine * (math.log(2) - 1))
