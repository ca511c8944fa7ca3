"""Style: what all figures share, and how one is written to disk."""

import re

import matplotlib as mpl
import numpy as np
from files import write_whole
from matplotlib.path import Path as Outline

# Okabe and Ito's palette: distinct for all common kinds of colour vision
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
LAND, SEA, INK = "#C9C9C9", "#FFFFFF", "#222222"

RC = {
    "font.size": 12, "axes.titlesize": 14, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.labelsize": 12, "legend.fontsize": 11, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": "#888888", "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False,
    "figure.dpi": 100, "savefig.dpi": 150, "figure.constrained_layout.use": True,
    "svg.hashsalt": "gdl_numpy",                            # the same identifiers in every run
}


def save(figure, path, title, alt):
    """Write `figure` to `path` whole or not at all; SVG and PDF carry the alt text themselves."""
    ending = path.suffix[1:]
    metadata = {
        "svg": {"Title": title, "Description": alt, "Date": None, "Creator": None},
        "png": {"Title": title, "Description": alt, "Software": None},
        "pdf": {"Title": title, "Subject": alt, "CreationDate": None, "Producer": None,
                "Creator": None},
    }[ending]
    write_whole(path, lambda partial: figure.savefig(partial, format=ending, metadata=metadata))


def caption(figure, *lines):
    """Sentences below everything else, left-aligned; hyphens before digits become minus signs."""
    text = re.sub(r"(?<![\w$])-(?=\d)", "−", "\n".join(lines))
    figure.supxlabel(text, x=0.02, ha="left", size=12, linespacing=1.5)


def map_axes(ax, longitude_label=True, latitude_label=True):
    """Axes of the world map: longitude to the right, latitude upwards, in degrees."""
    ax.set(xlim=(-180, 180), ylim=(-90, 90), xticks=range(-180, 181, 60), yticks=range(-90, 91, 30),
           aspect="equal")
    if longitude_label:
        ax.set_xlabel("longitude $x_2$ (degrees)")
    if latitude_label:
        ax.set_ylabel("latitude $x_1$ (degrees)")


def draw_land(ax, rings, **patch):
    """The land as one filled shape, so that the rings of lakes are holes in it."""
    patch = {"facecolor": LAND, "edgecolor": "none", "zorder": 0} | patch
    vertices = np.concatenate(rings)[:, ::-1]               # drawing puts longitude first
    codes = np.concatenate([[Outline.MOVETO] + [Outline.LINETO] * (len(ring) - 2)
                            + [Outline.CLOSEPOLY] for ring in rings])
    ax.add_patch(mpl.patches.PathPatch(Outline(vertices, codes), **patch))


def draw_coast(ax, edges, **lines):
    """The edges (m, 2, 2) between land and sea, as one path of many pieces."""
    lines = {"edgecolor": "white", "facecolor": "none", "linewidth": 0.5, "zorder": 2} | lines
    codes = [Outline.MOVETO, Outline.LINETO] * len(edges)
    ax.add_patch(mpl.patches.PathPatch(Outline(edges[:, :, ::-1].reshape(-1, 2), codes), **lines))


def draw_density(ax, values, norm):
    """A density on a grid of the map, (rows, columns) from the south-west; returns the picture."""
    return ax.imshow(values, origin="lower", extent=(-180, 180, -90, 90), cmap="cividis", norm=norm,
                     interpolation="nearest")


def draw_samples(ax, X, p_data):
    """The map without ticks, with the points X (n, 2): blue dots on land, orange crosses at sea."""
    draw_land(ax, p_data.rings, rasterized=True)
    land = p_data.contains(X)
    ax.scatter(*X[land].T[::-1], s=1.5, color=BLUE, linewidth=0, rasterized=True)
    ax.scatter(*X[~land].T[::-1], s=6, color=VERMILION, marker="x", linewidth=0.7, rasterized=True)
    frame_map(ax)


def frame_map(ax):
    """The axes of a whole map without ticks, in a thin frame."""
    ax.set(xlim=(-180, 180), ylim=(-90, 90), xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set(visible=True, color="#BBBBBB")


def draw_box(ax, low, high, **patch):
    """The box with corners low and high, both (latitude, longitude)."""
    patch = {"facecolor": "none", "edgecolor": ORANGE, "linewidth": 3, "zorder": 3} | patch
    ax.add_patch(mpl.patches.Rectangle(low[::-1], *(high - low)[::-1], **patch))


def draw_points(ax, X, **marker):
    marker = {"s": 28, "color": BLUE, "edgecolor": "white", "linewidth": 0.6, "zorder": 4} | marker
    ax.scatter(X[:, 1], X[:, 0], **marker)


def stages(figure, titles, widths):
    """Subfigures from left to right, joined by arrows: training set, model, new observation, ..."""
    parts = figure.subfigures(1, len(titles), width_ratios=widths)
    for part, title in zip(parts, titles, strict=True):
        part.suptitle(title, size=13, weight="bold")
    edges = np.cumsum(widths)[:-1] / np.sum(widths)
    for x in edges:
        figure.patches.append(mpl.patches.FancyArrowPatch(
            (x - 0.012, 0.5), (x + 0.012, 0.5), transform=figure.transSubfigure, color=INK,
            arrowstyle="-|>", mutation_scale=26, linewidth=2.5))
    return parts


def show_picture(ax, picture, colour=None, label=None):
    """A picture without ticks, framed in `colour`, with a word below."""
    ax.imshow(picture.clip(0, 1), interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=colour is not None, color=colour, linewidth=3)
    if label is not None:
        ax.set_xlabel(label, color=INK)
