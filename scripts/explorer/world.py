"""World: the land, which all maps of the page draw."""

from explorer.questions import answered_by, once

from gdl_numpy.world.world_map import WorldMap

P_DATA = once(WorldMap)


@answered_by(WorldMap)
def land():
    """The rings of the polygons, vertices (latitude, longitude)."""
    return {"rings": P_DATA().rings}


QUESTIONS = {"land": land}
