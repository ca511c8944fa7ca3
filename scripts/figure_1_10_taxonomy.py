"""Figure 1-10: the taxonomy of generative models, drawn from the code, with samples on the map.

It shows what taxonomy.py reads and what all of models/ make.
"""

import math
import sys

import make_figures
import matplotlib as mpl
from maps import draw_samples
from recipes import NETWORKS, committed
from reports import kl_in_words, load
from style import INK, ORANGE, caption, headline

from gdl_numpy import taxonomy
from gdl_numpy.world.world_map import WorldMap

SIZE = (10, 8.9)
TITLE = "The families differ in what they can say of p(x), and all of them make worlds"
ALT = ("A tree drawn from the code. {tree} Under each leaf, {n} samples of such a model of the "
       "world map, and how far it is from the truth: {best}.")
N, COLUMNS = 2000, 3                                        # points of each map; maps in a row


def holds(numbers):
    """There is more than one kind, and all put less into the sea than an even map would."""
    return ". " in numbers["tree"] and numbers["most_sea"] < 0.3


def compute(rng):
    board = load("scoreboard.json")["summary"]
    arrays, numbers = {}, {"n": N, "tree": in_words(taxonomy.tree()), "most_sea": 0.0}
    for leaf in taxonomy.leaves():
        name, *others = networks(leaf, board) or [None]
        if name is not None:
            arrays[leaf.title] = committed(name, rng.random(1)).sample(N, rng)
            kl, which = kl_in_words(board[name]), f"{name.replace('_', ' ')}: " if others else ""
            numbers[leaf.title] = (f"{which}KL {kl}" if kl else
                                   f"no density, {board[name]['sea']:.1%} in the sea")
            numbers["most_sea"] = max(numbers["most_sea"], board[name]["sea"])
    numbers["best"] = "; ".join(f"{title}: {numbers[title]}" for title in arrays)
    return arrays, numbers


def in_words(tree, above="Generative models"):
    """The tree as sentences, one for each branching."""
    names = list(tree)
    sentence = f"{above}: {', '.join(names)}."
    if isinstance(tree, list):
        return sentence
    return " ".join([sentence, *(in_words(tree[name], name[0].upper() + name[1:])
                                 for name in names)])


def networks(leaf, board):
    """The names of the networks on the scoreboard that are of this leaf, the best first."""
    modules = {density.__module__ for density in leaf.densities}
    names = [name for name in NETWORKS if name in board and board[name]["module"] in modules]
    return sorted(names, key=lambda name: board[name].get("kl", 0.0))


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    caption(figure, "The tree is read off the methods of the classes in gdl_numpy/models. Maps: "
            f"{numbers['n']:,} samples of a",
            "model fitted to 20,000 points, blue on land, orange crosses in the sea. KL: nats that "
            "it loses per point.")
    leaves, p_data = taxonomy.leaves(), WorldMap()
    shown = [leaf.title for leaf in leaves if leaf.title in arrays]
    rows = math.ceil(len(shown) / COLUMNS)
    upper, lower = figure.subfigures(2, 1, height_ratios=(3.4, 2.25 * rows))
    ax = upper.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, len(leaves)), ylim=(0, 1))
    ax.axis("off")
    place_tree(ax, {("generative models", *leaf.branch, leaf.title): i + 0.5
                    for i, leaf in enumerate(leaves)})
    axes = lower.subplots(rows, COLUMNS, squeeze=False).flat
    for ax, title in zip(axes, shown, strict=False):
        draw_samples(ax, arrays[title], p_data)
        ax.set_title(title, size=12)
        ax.set_xlabel(numbers[title])
    for ax in list(axes)[len(shown):]:
        ax.axis("off")


def place_tree(ax, leaves, path=()):
    """Draw the node at `path` and what hangs on it; returns its place. `leaves` maps paths to x."""
    level, depth = len(path), max(map(len, leaves))
    if path in leaves:
        x, y = leaves[path], 0.5 / depth                    # all leaves side by side
        box(ax, x, y, path[-1].replace(" ", "\n"), "white")
        return x, y
    children = [place_tree(ax, leaves, child) for child in
                dict.fromkeys(leaf[:level + 1] for leaf in leaves if leaf[:level] == path)]
    if not path:
        return None
    y = 1 - (level - 0.5) / depth
    x = sum(child[0] for child in children) / len(children)
    for x_child, y_child in children:
        ax.plot([x, x, x_child, x_child], [y, (y + y_child) / 2, (y + y_child) / 2, y_child],
                color=INK, linewidth=2, zorder=1)
    box(ax, x, y, path[-1], "#FBE9C6" if level > 1 else ORANGE)
    return x, y


def box(ax, x, y, text, color):
    ax.text(x, y, text, ha="center", va="center", size=11.5, zorder=2,
            bbox={"boxstyle": mpl.patches.BoxStyle("round", pad=0.4), "facecolor": color,
                  "edgecolor": INK})


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_10_taxonomy"]))
