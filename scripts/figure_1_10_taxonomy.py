"""Figure 1-10: the taxonomy of generative models, drawn from the code, with samples on the map."""

import sys

import make_figures
import matplotlib as mpl
from maps import draw_samples
from recipes import NETWORKS, committed
from reports import kl_in_words, load
from style import INK, ORANGE, caption

from gdl_numpy import taxonomy
from gdl_numpy.world.world_map import WorldMap

SIZE = (17, 7.6)
TITLE = "The taxonomy of generative models"
ALT = ("A tree drawn from the code. {tree} Under each leaf, {n} samples of such a model of the "
       "world map, and how far it is from the truth: {best}.")
N = 3000                                                    # points of each map


def compute(rng):
    board = load("scoreboard.json")["summary"]
    arrays, numbers = {}, {"n": N, "tree": in_words(taxonomy.tree())}
    for leaf in taxonomy.leaves():
        name, *others = networks(leaf, board) or [None]
        if name is not None:
            arrays[leaf.title] = committed(name, rng.random(1)).sample(N, rng)
            kl, which = kl_in_words(board[name]), f"{name.replace('_', ' ')}: " if others else ""
            numbers[leaf.title] = (f"{which}KL {kl}" if kl else
                                   f"no density, {board[name]['sea']:.1%} in the sea")
    numbers["best"] = "; ".join(f"{title}: {numbers[title]}" for title in arrays)
    return arrays, numbers


def in_words(tree, above="Generative models"):
    """The tree as sentences, one for each branching."""
    names = list(tree)
    sentence = f"{above}: {', '.join(names)}."
    if isinstance(tree, list):
        return sentence
    return " ".join([sentence, *(in_words(tree[name], name.capitalize()) for name in names)])


def networks(leaf, board):
    """The names of the networks on the scoreboard that are of this leaf, the best first."""
    modules = {density.__module__ for density in leaf.densities}
    names = [name for name in NETWORKS if name in board and board[name]["module"] in modules]
    return sorted(names, key=lambda name: board[name].get("kl", 0.0))


def draw(figure, arrays, numbers):
    figure.set_layout_engine("none")
    figure.suptitle(TITLE, x=0.005, y=0.985, ha="left", size=18, weight="bold")
    caption(figure, "The tree is read off the methods of the classes in gdl_numpy/models. Each map "
            f"shows {numbers['n']:,} samples of a model fitted to 20,000 points of land,",
            "orange crosses those in the sea. KL: the nats that the model loses per point.")
    leaves, p_data = taxonomy.leaves(), WorldMap()
    ax = figure.add_axes((0, 0.42, 1, 0.52))
    ax.set(xlim=(0, len(leaves)), ylim=(0, 1))
    ax.axis("off")
    place_tree(ax, {("generative models", *leaf.branch, leaf.title): i + 0.5
                    for i, leaf in enumerate(leaves)})
    for i, leaf in enumerate(leaves):
        if leaf.title not in arrays:
            continue
        ax = figure.add_axes(((i + 0.03) / len(leaves), 0.19, 0.94 / len(leaves), 0.22))
        draw_samples(ax, arrays[leaf.title], p_data)
        ax.set_xlabel(numbers[leaf.title].replace(", ", ",\n"), size=12)


def place_tree(ax, leaves, path=()):
    """Draw the node at `path` and what hangs on it; returns its place. `leaves` maps paths to x."""
    level, depth = len(path), max(map(len, leaves))
    if path in leaves:
        x, y = leaves[path], 0.5 / depth                    # all leaves side by side
        box(ax, x, y, path[-1].replace(" ", "\n", 1), "white")
        return x, y
    children = [place_tree(ax, leaves, child) for child in
                dict.fromkeys(leaf[:level + 1] for leaf in leaves if leaf[:level] == path)]
    if not path:
        return None
    y = 1 - (level - 0.5) / depth
    x = sum(child[0] for child in children) / len(children)
    for x_child, y_child in children:
        ax.plot([x, x, x_child, x_child], [y, (y + y_child) / 2, (y + y_child) / 2, y_child],
                color=INK, linewidth=1.5, zorder=1)
    box(ax, x, y, path[-1], "#FBE9C6" if level > 1 else ORANGE)
    return x, y


def box(ax, x, y, text, colour):
    ax.text(x, y, text, ha="center", va="center", size=13, zorder=2,
            bbox={"boxstyle": mpl.patches.BoxStyle("round", pad=0.4), "facecolor": colour,
                  "edgecolor": INK})


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_10_taxonomy"]))
