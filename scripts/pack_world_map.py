"""Pack the land of the Earth into gdl_numpy/world/data/world_map.npz.

The source is the shapefile of Natural Earth's countries at 1:110,000,000 (public domain), as
shipped in a Python wheel. Get it and run this script, in any folder:

    pip download --no-deps geopandas==0.14.4
    python scripts/pack_world_map.py geopandas-0.14.4-py3-none-any.whl

The committed file is overwritten. It takes a second.

Borders between countries of one continent are dissolved: an edge that is walked in both directions
separates land from land, so the two cancel, and what is left closes up to new rings. Coordinates
are rounded to float32, so that the same polygons are meant in either precision.
"""

import struct
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import command
import numpy as np

from gdl_numpy.networks.storage import write_whole

STEM = "geopandas/datasets/naturalearth_lowres/naturalearth_lowres"
TARGET = Path(__file__).parent.parent / "gdl_numpy" / "world" / "data" / "world_map.npz"
ORIGIN = ("Natural Earth, 1:110m Cultural Vectors, Admin 0 - Countries (naturalearthdata.com), "
          "as shipped in the geopandas 0.14.4 wheel")
LICENSE = "Public domain (naturalearthdata.com/about/terms-of-use)"


def read_shapes(shp):
    """The rings of each record of a shapefile of polygons, as arrays of (longitude, latitude)."""
    position = 100                                                  # after the file's header
    while position < len(shp):
        words = struct.unpack_from(">i", shp, position + 4)[0]      # length, in units of 16 bits
        n_rings, n_points = struct.unpack_from("<2i", shp, position + 44)
        starts = np.frombuffer(shp, "<i4", n_rings, position + 52)
        points = np.frombuffer(shp, "<f8", 2 * n_points, position + 52 + 4 * n_rings)
        yield np.split(points.reshape(-1, 2), starts[1:])
        position += 8 + 2 * words


def read_column(dbf, name):
    """The strings of one column of a dBase table."""
    n_records, header, record = struct.unpack_from("<IHH", dbf, 4)
    offset, position = 1, 32
    while dbf[position:position + 11].rstrip(b"\0").decode() != name:
        offset += dbf[position + 16]
        position += 32
    width = dbf[position + 16]
    starts = header + offset + record * np.arange(n_records)
    return [dbf[start:start + width].decode().strip() for start in starts]


def dissolve(rings):
    """Closed rings around the union of polygons that share whole edges, in a fixed order."""
    edges = Counter()
    for ring in rings:
        vertices = [tuple(map(float, vertex)) for vertex in ring]
        edges.update(zip(vertices, vertices[1:], strict=False))
    following = defaultdict(list)
    for (a, b), times in sorted(edges.items()):
        following[a] += [b] * (times - edges.get((b, a), 0))        # an edge and its reverse cancel
    while any(following.values()):
        ring = [min(a for a, ends in following.items() if ends)]
        while following[ring[-1]]:
            ring.append(following[ring[-1]].pop())
        yield ring


def countries_of(wheel):
    """The rings of all countries of each continent, float32 (latitude, longitude)."""
    shp, dbf = (wheel.read(f"{STEM}.{ending}") for ending in ("shp", "dbf"))
    countries = defaultdict(list)
    for continent, rings in zip(read_column(dbf, "continent"), read_shapes(shp), strict=True):
        countries[continent] += [ring.astype(np.float32)[:, ::-1] for ring in rings]
    return countries


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.add_argument("wheel", help="path of geopandas-0.14.4-py3-none-any.whl")
    name = parser.parse_args(arguments).wheel
    try:
        with zipfile.ZipFile(name) as wheel:
            countries = countries_of(wheel)
        continents = sorted(countries)
        rings = [(i, ring) for i, continent in enumerate(continents)
                 for ring in dissolve(countries[continent])]
        vertices = np.concatenate([np.array(ring, np.float32) for _, ring in rings])
    except OSError as error:
        parser.error(f"cannot read {name}: {error.strerror or error}")
    except Exception as error:                              # zipfile, zlib, struct and NumPy's
        parser.error(f"{name} is not the wheel with the map: {error}")
    parser.folder(TARGET.parent, TARGET.name)
    write_whole(TARGET, lambda file: np.savez_compressed(
        file, vertices=vertices,                                    # (latitude, longitude), degrees
        ring_start=np.cumsum([0] + [len(ring) for _, ring in rings], dtype=np.int32),
        ring_continent=np.array([i for i, _ in rings], np.uint8), continents=np.array(continents),
        origin=np.array(ORIGIN), license=np.array(LICENSE)))
    print(f"{TARGET.name}: {len(rings)} rings, {len(vertices)} vertices, "
          f"{TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
