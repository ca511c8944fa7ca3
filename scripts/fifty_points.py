"""Fifty points: the training data of the story of the box, Figures 1-4 to 1-6.

Each of these figures draws them first, from its own generator of the same seed, so that all of them
show the same points.
"""

from gdl_numpy.world.world_map import WorldMap

N = 50


def training_points(rng):
    """The data set X of this and the next figures: N draws of p_data, (N, 2)."""
    return WorldMap().sample(N, rng)
