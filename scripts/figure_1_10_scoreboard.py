"""Companion of Figure 1-10: the scoreboard as a ranking, and as precision against recall.

It shows what the models in models/ and probability/ lose on the map, as scoreboard.py measured it.
"""

import statistics
import sys

import make_figures
import matplotlib as mpl
from reports import kl_in_words, load, spoken
from style import BLUE, DARK_ORANGE, INK, ORANGE, caption, headline

from gdl_numpy.numerics.backend import array_module

SIZE = (10, 7.4)
TITLE = "The {best} model loses least; models differ most in the sea they make"
ALT = ("Two plots of {n_models} models of the map. Left, a ranking by the nats that each loses per "
       "point of land, KL, with the spread of {seeds} training sets: {ranking}. Right, the share "
       "of samples in the sea, which is what the precision lacks, against the share of the land "
       "that the samples do not reach, what the recall lacks. Most models are in one crowd, with "
       "{crowd_sea_low:.0%} to {crowd_sea_high:.0%} in the sea and {crowd_missed_low:.0%} to "
       "{crowd_missed_high:.0%} of the land not reached. The {gan} has {gan_sea:.0%} in the sea "
       "and {gan_missed:.0%} of the land not reached.")
NOTE = ("The ranking asks what a model says of new points, the other plot what it makes. Land is "
        "reached where its samples fall into as many cells of 2° × 2° as true draws do; a model as "
        "even as they are may reach a little more, by chance. Of the {gan}, whose density nobody "
        "knows, this is all that can be asked.")
SHORT = {"recalibrated_kernel_density": "recalibrated KDE", "variational_autoencoder": "VAE",
         "adversarial": "GAN", "energy_based": "energy-based"}
UNKNOWN = {"box": "∞: some land is outside", "adversarial": "no density: cannot say"}


def holds(numbers):
    """On each training set the best model is ahead of all others; and in the crowd the shares in
    the sea are farther apart than those of land not reached."""
    sea, missed = (numbers[f"crowd_{what}_high"] - numbers[f"crowd_{what}_low"]
                   for what in ("sea", "missed"))
    return numbers["best_on"] == numbers["seeds"] and sea > 1.2 * missed


def compute(rng):
    """The means and spreads that scoreboard.py has measured; nothing is random."""
    report = load("scoreboard.json")
    board, xp = report["summary"], array_module(rng.random(1))
    order = sorted(board, key=lambda name: (float(board[name].get("kl", "inf")),
                                            "kl" not in board[name]))
    numbers = {"order": " ".join(order), "n_models": len(order), "n": report["n"],
               "n_test": report["n_test"], "seeds": board[order[0]]["seeds"],
               "best": short(order[0]), "gan": short("adversarial")}
    for name in order:
        row = board[name]
        numbers |= {f"{name}_{key}": float(row[key]) for key in ("kl", "kl_spread") if key in row}
        numbers |= {f"{name}_sea": row["sea"], f"{name}_sea_spread": row["sea_spread"],
                    f"{name}_missed": 1 - row["reached"],
                    f"{name}_missed_spread": row["reached_spread"],
                    f"{name}_words": kl_in_words(row, spread=True),
                    f"{name}_network": int("steps" in row)}
    sets = {row["seed"]: [] for row in report["rows"]}
    for row in report["rows"]:
        sets[row["seed"]].append((float(row.get("kl", "inf")), row["name"]))
    numbers["best_on"] = sum(min(losses)[1] == order[0] for losses in sets.values())
    sea, missed = ([numbers[f"{name}_{what}"] for name in order] for what in ("sea", "missed"))
    crowd = [name for name in order if numbers[f"{name}_sea"] < 3 * statistics.median(sea)
             and numbers[f"{name}_missed"] < 2 * statistics.median(missed)]
    for what in ("sea", "missed"):
        values = [numbers[f"{name}_{what}"] for name in crowd]
        numbers |= {f"crowd_{what}_low": min(values), f"crowd_{what}_high": max(values),
                    f"gan_{what}": numbers[f"adversarial_{what}"]}
    numbers["ranking"] = ", ".join(
        f"{short(name)} {kl_in_words(board[name], spread=True) or 'unknown'}" for name in order)
    numbers["crowd"] = " ".join(crowd)
    return {"sea": xp.asarray(sea), "missed": xp.asarray(missed)}, numbers


def short(name):
    return SHORT.get(name, spoken(name))


def draw(figure, arrays, numbers):
    headline(figure, TITLE.format(**numbers))
    caption(figure, f"Means over {numbers['seeds']} training sets of {numbers['n']:,} points of "
            f"land, judged on {numbers['n_test']:,} others; ± and bars to the farthest.",
            f"The {numbers['best']} one leads on {numbers['best_on']} of {numbers['seeds']} sets. "
            "Filled: exact density; open: Z by a grid, a bound, or of the flow.")
    order = numbers["order"].split()
    left, right = figure.subplots(1, 2, width_ratios=(4.5, 5.5))
    for i, name in enumerate(order):
        draw_row(left, i, name, numbers)
    left.set(xscale="log", xlim=(0.08, 3), ylim=(len(order) - 0.4, -0.6),
             xticks=[0.1, 0.2, 0.5, 1, 2], xticklabels=["0.1", "0.2", "0.5", "1", "2"],
             xlabel="nats lost per point of land, KL", yticks=range(len(order)),
             yticklabels=map(short, order))
    left.minorticks_off()
    left.tick_params(axis="y", length=0)
    for label, name in zip(left.get_yticklabels(), order, strict=True):
        label.set(color=looks(name, numbers)[1], weight="bold")
    left.set_title("how well it predicts new points", size=12)

    for name in order:
        marker, _, color = looks(name, numbers)
        right.errorbar(100 * numbers[f"{name}_sea"], 100 * numbers[f"{name}_missed"],
                       100 * numbers[f"{name}_missed_spread"], 100 * numbers[f"{name}_sea_spread"],
                       fmt=marker, ms=7, color=color, mec="white", mew=0.8, elinewidth=1.8)
    right.set(xscale="log", xlim=(0.9, 105), ylim=(-2.5, 12.5), xticks=[1, 2, 5, 10, 20, 50, 100],
              xticklabels=["1", "2", "5", "10", "20", "50", "100"],
              xlabel="samples in the sea, %  (100 − precision)",
              ylabel="land not reached, %  (100 − recall)")
    right.minorticks_off()
    right.axhline(0, color="#BBBBBB", lw=1, zorder=0)
    right.annotate("", (0.03, 0.025), (0.15, 0.125), xycoords="axes fraction",
                   arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 2, "mutation_scale": 18})
    right.annotate("better", (0.16, 0.12), xycoords="axes fraction", weight="bold")
    right.set_title("what it invents, what it forgets", size=12)
    right.legend(handles=[mpl.lines.Line2D([], [], ls="", marker=marker, color=color, label=label)
                          for label, marker, color in (("a network", "o", BLUE),
                                                       ("no network", "s", ORANGE))],
                 frameon=False, loc="upper left", handletextpad=0.1)
    name_points(right, {name: (100 * numbers[f"{name}_sea"], 100 * numbers[f"{name}_missed"])
                        for name in order}, numbers)


def name_points(ax, points, numbers):
    """Those of the crowd in two columns beside it, the others beside themselves."""
    crowd = sorted(numbers["crowd"].split(), key=lambda name: points[name][0])
    half = len(crowd) // 2
    least = min(100 * (numbers[f"{name}_sea"] - numbers[f"{name}_sea_spread"]) for name in crowd)
    most = points[crowd[-1]][0]
    for names, side, x in ((crowd[:half], "right", 0.95 * least),
                           (crowd[half:], "left", 1.5 * most)):
        names = sorted(names, key=lambda name: points[name][1])
        middle = statistics.mean(points[name][1] for name in names)
        for i, name in enumerate(names):
            color = looks(name, numbers)[1]
            ax.annotate(short(name), points[name], (x, middle + 0.8 * (i - (len(names) - 1) / 2)),
                        color=color, ha=side, va="center", size=11,
                        arrowprops={"arrowstyle": "-", "color": color, "lw": 0.8})
    for name in [name for name in points if name not in crowd]:         # a set has any order
        ax.annotate(short(name), points[name], (-9, -10), textcoords="offset points", ha="right",
                    va="center", color=looks(name, numbers)[1], weight="bold")


def looks(name, numbers):
    """Marker, color of words and color of marks: of a network, or of another model."""
    return ("o", BLUE, BLUE) if numbers[f"{name}_network"] else ("s", DARK_ORANGE, ORANGE)


def draw_row(ax, i, name, numbers):
    """A model of the ranking: its KL with its spread, or why there is none."""
    marker, _, color = looks(name, numbers)
    kl, words = numbers.get(f"{name}_kl", float("inf")), numbers[f"{name}_words"]
    if kl == float("inf"):
        ax.text(0.086, i, UNKNOWN.get(name, words or "no density"), va="center", style="italic",
                color="#555555")
        return
    exact = words[0].isdigit() and ", " not in words        # no bound, and no Z by a grid
    ax.plot([0.08, kl], [i, i], color="#CCCCCC", lw=1.5, zorder=0)
    ax.errorbar(kl, i, xerr=numbers[f"{name}_kl_spread"], fmt=marker, ms=9, color=color, lw=2.5,
                mfc=color if exact else "white", mew=2)
    words = words.replace(", ", " (") + ")" * (", " in words)
    far = kl > 1
    end = kl if far else kl + numbers[f"{name}_kl_spread"]
    ax.annotate(words, (end, i), (-11 if far else 12, 0), textcoords="offset points",
                ha="right" if far else "left", va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_10_scoreboard"]))
