"""World map: the true distribution p_data of the chapter, uniform over the Earth's land.

The reader of the chapter sees fifty points (latitude, longitude) and has to guess the rule that
made them. To judge a guess, one must know the rule, and here it is: choose a point of the land,
uniformly, and never a point of the sea. So the density is constant on land, and as its integral is
1, the constant is 1/area. This density, which made the data, is called p_data. That of a model, a
guess, is called p_model.

But uniformly on the map or on the globe? Let x = (x1, x2) be latitude and longitude in degrees. On
the flat map a field of one degree by one has the area 1 wherever it lies. On the Earth it becomes
narrower toward the poles, as cos(x1), because meridians meet there. This gives two distributions
(E17), and `measure` tells which is meant. The entropy H, the mean of -log p(x) over p itself, is
the lowest mean of -log p_model that any model can reach (divergence.py), so it is computed exactly.
All integrals are over the land:

    measure = "map"      area = ∫ dx1 dx2                       in square degrees                (1)
                         H    = log area                        as -log p = log area             (2)
    measure = "sphere"   area = ∫ cos(x1) dx1 dx2                                                (3)
                         H    = log area - (1/area) ∫ cos(x1) log cos(x1) dx1 dx2                (4)
    p_data(x) = 1/area or cos(x1)/area on land, 0 in the sea                                     (5)

where (4) is the mean of -log p = log area - log cos(x1) over p = cos(x1)/area. Each integral is
taken around the coasts, with the antiderivative of its integrand in x1 (polygon.py). What is land
is decided by some 130 polygons of Natural Earth at a scale of 1:110 million; data/README.md gives
origin and license (public domain). Small islands are missing, and all lakes except the Caspian Sea
count as land.

By hand: the whole map has 180 · 360 = 64,800 square degrees, of which 33.2 % are land. So (2) is
log 21,497 = 9.976 nats. A model uniform over the whole map has -log p_model = log 64,800 = 11.079
everywhere; it loses log(64,800/21,497) = 1.103 nats a point to p_data.

>>> p_data = WorldMap()
>>> print(round(p_data.area), round(p_data.entropy, 3))
21497 9.976
>>> print(p_data.contains([[40.7306, -73.9352], [11.3493, 142.1996]]))   # New York, the Pacific
[ True False]

See figure_1_04_points (what is seen of it), figure_1_06_world (p_data beside a first guess) and
tests/world/test_world_map.py (that it holds).

Errata.
E15 (tests/world/test_world_map.py)  the chapter's example of land, New York at (40.7, -73.9), does
    not show that latitude comes first: (-73.9, 40.7) lies in Antarctica, land too. (-10, -60) in
    Brazil shows it, as (-60, -10) is sea; so does (30, -30), which is sea, as (-30, 30) is Africa
E17 (tests/world/test_world_map.py)  "uniform over the land" is two distributions: on the flat map
    the far north and south have more mass than on the sphere, and land has a share of 33 % of the
    map, but of 29 % of the sphere
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
    """p_data: uniform over the world's land, or over one of `continents()`.

    `measure` is "map" or "sphere". `area` is in square degrees, `entropy` in nats.
    """

    def __init__(self, measure="map", continent=None):
        self.measure = checks.choice(measure, "measure", ("map", "sphere"))
        self.continent = None if continent is None else checks.choice(
            continent, "continent", continents())
        self.space = WORLD
        land = _land(continent, numpy)
        if measure == "map":
            self.area = float(land.integral(lambda x1: x1))                                 # (1)
            self.entropy = math.log(self.area)                                              # (2)
        else:                                               # a radian has 180/π degrees
            self.area = float(land.integral(_sine)) * 180 / math.pi                         # (3)
            mean_log = float(land.integral(_integral_cos_log_cos)) * 180 / math.pi / self.area
            self.entropy = math.log(self.area) - mean_log                                   # (4)

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
        return xp.where(land.contains(X), log_p, -math.inf)                                 # (5)

    def mass(self, space):
        """The share of p_data, from 0 to 1, that lies in the SampleSpace `space`: the recall of a
        model that is positive there and nowhere else."""
        land, _ = _land(self.continent, numpy), checks.instance(space, "space", SampleSpace)
        G = (lambda x1: x1) if self.measure == "map" else _sine
        return min(max(float(land.integral(G, space) / land.integral(G)), 0.0), 1.0)

    def sample(self, n, rng):
        """n points of land, (n, 2), where rng lives: uniform, or as cos(x1) on the sphere."""
        n = checks.draws(n, rng)
        land = _land(self.continent, array_module(rng.random(1)))
        weight = None if self.measure == "map" else _cosine
        return land.sample(n, rng, weight)


def continents():
    """The names of the continents in alphabetical order: the seven, and "Seven seas (open ocean)"
    for the few islands that belong to none."""
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
    """∫ cos t log cos t dt from t = 0 to the angle x1, which is in degrees.

    By parts, and as sin² t/cos t = 1/cos t - cos t, an antiderivative is

        sin t log cos t + ∫ sin² t/cos t dt = sin t (log cos t - 1) + artanh(sin t)

    In s = sin t, log cos t = ½ log(1 - s²) and artanh s = ½ log((1 + s)/(1 - s)). At the north pole
    s = 1, where both are infinite; their sum is log(1 + s) there, and the integral log 2 - 1.
    """
    xp = array_module(x1)
    sine = _sine(x1)
    inner = xp.where(abs(sine) < 1, sine, 0)
    value = inner * (0.5 * xp.log1p(-inner**2) - 1) + xp.arctanh(inner)
    return xp.where(abs(sine) < 1, value, sine * (math.log(2) - 1))


def _coast(continent):
    """The edges of the rings, (m, 2, 2), without the borders that two of the rings share."""
    rings = _rings(continent)
    edges = numpy.concatenate([numpy.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    ends = numpy.sort(edges[:, :, 0] + 1j * edges[:, :, 1], axis=1)     # equal in both directions
    _, number, times = numpy.unique(ends, axis=0, return_inverse=True, return_counts=True)
    return edges[times[number.ravel()] == 1]


def _rings(continent):
    """The closed rings of one continent, or of all for None, arrays (m, 2)."""
    data = _read(DATA)
    rings = numpy.split(data["vertices"], data["ring_start"][1:-1])
    names = data["continents"][data["ring_continent"]]
    return [ring for ring, name in zip(rings, names, strict=True) if continent in (None, name)]


@lru_cache
def _read(path):
    """The arrays of the map's file, checked and read-only; ValueError if the file is not a map."""
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
