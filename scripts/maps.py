"""Maps: the world, points, densities and boxes on it.

Points of the package are (latitude, longitude); a page has longitude to the right. The two are
swapped here, where things are drawn, and nowhere else.

Land and coasts are added as artists. As patches they would be asked, one piece after another, how
far the axes must reach, which for a map is known; that took a third of the time of a figure.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.path import Path as Outline
from style import BLUE, LAND, ORANGE, VERMILION


def map_axes(ax, longitude_label=True, latitude_label=True, revealed=True):
    """Axes of the world map: longitude to the right, latitude upwards, in degrees.

    Before the rule is `revealed` they are x2 and x1 alone, and nothing says that this is a map.
    """
    ax.set(xlim=(-180, 180), ylim=(-90, 90), xticks=range(-180, 181, 60), yticks=range(-90, 91, 30),
           aspect="equal")
    if longitude_label:
        ax.set_xlabel("longitude $x_2$ (degrees)" if revealed else "$x_2$")
    if latitude_label:
        ax.set_ylabel("latitude $x_1$ (degrees)" if revealed else "$x_1$")


def draw_land(ax, rings, **patch):
    """The land as one filled shape, so that the rings of lakes are holes in it."""
    patch = {"facecolor": LAND, "edgecolor": "none", "zorder": 0} | patch
    vertices = np.concatenate(rings)[:, ::-1]               # drawing puts longitude first
    codes = np.concatenate([[Outline.MOVETO] + [Outline.LINETO] * (len(ring) - 2)
                            + [Outline.CLOSEPOLY] for ring in rings])
    ax.add_artist(mpl.patches.PathPatch(Outline(vertices, codes), **patch))


def draw_coast(ax, edges, **lines):
    """The edges (m, 2, 2) between land and sea, one path of so many pieces that they are pixels."""
    lines = {"edgecolor": "white", "facecolor": "none", "linewidth": 0.5, "zorder": 2,
             "rasterized": True} | lines
    codes = [Outline.MOVETO, Outline.LINETO] * len(edges)
    ax.add_artist(mpl.patches.PathPatch(Outline(edges[:, :, ::-1].reshape(-1, 2), codes), **lines))


def draw_density(ax, values, norm):
    """A density on a grid of the map, (rows, columns) from the south-west; returns the picture."""
    return ax.imshow(values, origin="lower", extent=(-180, 180, -90, 90), cmap="cividis", norm=norm,
                     interpolation="nearest", rasterized=True)              # one with the coast


def draw_samples(ax, X, p_data):
    """The map without ticks, with the points X (n, 2): blue dots on land, orange crosses at sea."""
    draw_land(ax, p_data.rings, rasterized=True)
    land = p_data.contains(X)
    ax.scatter(*X[land].T[::-1], s=4, color=BLUE, linewidth=0, rasterized=True)
    ax.scatter(*X[~land].T[::-1], s=8, color=VERMILION, marker="x", linewidth=0.9, rasterized=True)
    frame_map(ax)


def frame_map(ax):
    """The axes of a whole map without ticks, in a thin frame."""
    ax.set(xlim=(-180, 180), ylim=(-90, 90), xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set(visible=True, color="#BBBBBB")


def draw_box(ax, low, high, **patch):
    """The box with corners low and high, both (latitude, longitude)."""
    patch = {"facecolor": "none", "edgecolor": ORANGE, "linewidth": 3, "zorder": 3,
             "clip_on": False} | patch                      # whole also at the border
    ax.add_patch(mpl.patches.Rectangle(low[::-1], *(high - low)[::-1], **patch))


def draw_points(ax, X, **marker):
    marker = {"s": 28, "color": BLUE, "edgecolor": "white", "linewidth": 0.6, "zorder": 4,
              "clip_on": False} | marker                    # whole also at the border
    ax.scatter(X[:, 1], X[:, 0], **marker)
