"""Companion of Figure 1-3: an agent learns a model of its world and tries its plans inside it.

It shows what agents/ computes, with the settings that compare_sailors.py has found to be the best.
"""

import sys

import make_figures
from maps import draw_land
from sailors import LIMIT, mean_and_error, modeled, q_learned, sailed
from style import BLACK, BLUE, INK, ORANGE, SKY, VERMILION, caption, headline

from gdl_numpy.agents.chart import Chart
from gdl_numpy.agents.planning import value_iteration
from gdl_numpy.agents.sailing import TRADES_END, trade_winds
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.world.world_map import WorldMap

SIZE = (10, 5.6)
TRAINED = True                                              # Q-learning, for this figure
TITLE = ("Planned in a model learned from {n_shown:,} steps, the voyage takes {shown:.0f} steps "
         "instead of {blind:.0f}")
ALT = ("Left: the North Atlantic. Ships whose sailor believes in no wind struggle west along 37.5 "
       "degrees north, {blind:.0f} steps on average; those with a plan made in a learned model "
       "go south to the trades, west with them, and north to the same goal. Right: expected steps "
       "to arrive against steps of practice, both on logarithmic scales. The model's plans need "
       "{model_low:.0f} after {n_low:,} and {model_high:.1f} after {n_high:,}, and are dreamt to "
       "need {dreamt_low:.0f} and {dreamt_high:.1f}; the least possible is {optimum:.1f}. "
       "Q-learning that steers itself needs {q_low:.0f} after {n_low:,} and {q_last:.0f} after "
       "{q_n:,}; on random headings, like the model's, {random_low:.0f} and {random_last:.0f}.")
NOTE = ("What a plan costs is computed exactly, not by voyages, and a voyage ends after {limit} "
        "steps. Points are means over {sailors} learners with standard errors. All start from the "
        "belief that there is no wind. To become as good as the model of {n_few:,} steps, "
        "Q-learning that steers itself takes {q_needs}; from steps of random headings, which the "
        "model has, it takes {random_needs}. A dream is too good for two reasons: the belief in no "
        "wind, which fades as steps are counted, and that the plan chosen is partly one that the "
        "model has by mistake too good. After {n_low:,} steps the plan is dreamt to take "
        "{dreamt_low:.0f} and takes {model_low:.0f}. With the belief alone it is "
        "{dreamt_calm:.0f} and {blind:.0f}.")
N_SHOWN, SHIPS, SAILORS = 2000, 12, 20
MODEL_STEPS = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
Q_STEPS = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
MODEL = {"by": "latitude", "weight": 3.0, "length": 10}
LEARNER = {"start": "calm", "epsilon": 0.1, "rate": 0.02, "voyages": "400 from the port"}
RANDOM = LEARNER | {"epsilon": 1.0, "voyages": "10 from anywhere"}   # explores as the model does


def holds(numbers):
    """The plan of the model is much better than the blind one, and less good than it was dreamt;
    no learner without a model does as well with as many steps."""
    return (numbers["shown"] < numbers["blind"] / 2 and numbers["dreamt_low"] < numbers["model_low"]
            and numbers["model_low"] < min(numbers["q_low"], numbers["random_low"]))


def compute(rng):
    world = trade_winds(Chart()).on(array_module(rng.random(1)))
    goal, port = world.chart.arrives, world.chart.departs
    calm = trade_winds(world.chart, wind=0.0)
    V, blind = value_iteration(calm.table, goal, LIMIT)
    best, _ = value_iteration(world.table, goal, LIMIT)

    journeys = [[modeled(world, rng, n, **MODEL) for _ in range(SAILORS)] for n in MODEL_STEPS]
    shown = modeled(world, rng, N_SHOWN, **MODEL)
    curves = {"model": [[one.sailed for one in several] for several in journeys],
              "dreamt": [[one.dreamt for one in several] for several in journeys],
              "q": q_learned(world, rng, Q_STEPS, SAILORS, **LEARNER),
              "random": q_learned(world, rng, Q_STEPS, SAILORS, **RANDOM)}
    curves = {name: mean_and_error(values) for name, values in curves.items()}
    xp = array_module(world.masses)
    arrays = {f"{name}_curve": xp.asarray(curve) for name, curve in curves.items()}
    for name, plan in (("blind", blind), ("shown", shown.plan)):
        tracks = world.chart.cells[world.sail(plan, SHIPS, rng, LIMIT)]
        arrays[f"{name}_tracks"] = tracks + (rng.random((SHIPS, 1, 2)) - 0.5) * 2     # to be seen
    numbers = {
        "n_shown": N_SHOWN, "shown": shown.sailed, "blind": sailed(world, blind),
        "dreamt_calm": float(V[port]), "optimum": float(best[port]), "limit": LIMIT,
        "sailors": SAILORS, "n_low": MODEL_STEPS[0], "n_few": MODEL_STEPS[1],
        "n_high": MODEL_STEPS[-1], "q_n": Q_STEPS[-1],
        **{f"{name}_needs": needs(curves[name][0], curves["model"][0][1])
           for name in ("q", "random")}}
    for name, (mean, error) in curves.items():
        steps = MODEL_STEPS if name in ("model", "dreamt") else Q_STEPS
        for i, one in enumerate(zip(steps, mean, error, strict=True)):
            numbers |= dict(zip((f"{name}_{i}_steps", f"{name}_{i}", f"{name}_{i}_error"), one,
                                strict=True))
        numbers |= {f"{name}_low": mean[0], f"{name}_{'high' if steps is MODEL_STEPS else 'last'}":
                    mean[-1]}
    return arrays, numbers


def needs(costs, as_low):
    """In words: between which of Q_STEPS the costs first become as low as a model's."""
    low = [cost <= as_low for cost in costs]
    first = low.index(True) if any(low) else len(low)
    marks = Q_STEPS[max(first - 1, 0):first + 1] if any(low) else Q_STEPS[-1:]
    words = (" to ".join(f"{n:,}" for n in marks),
             " to ".join(f"{n / MODEL_STEPS[1]:g}" for n in marks))
    return f"{'' if any(low) else 'more than '}{words[0]}, {words[1]} times as many"


def draw(figure, arrays, numbers):
    headline(figure, TITLE.format(**numbers))
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    draw_map(left, arrays, numbers)
    draw_curves(right, arrays, numbers)
    caption(figure, f"Left: {SHIPS} ships each, drawn a little apart. Right: exact means of the "
            f"true world, of at most {numbers['limit']} steps;",
            f"points are means of {numbers['sailors']} learners ± standard error. Dreamt: what the "
            "model's plan costs in the model itself.")


def draw_map(ax, arrays, numbers):
    chart = Chart()
    departs, arrives = chart.cells[[chart.departs, chart.arrives]]
    draw_land(ax, WorldMap().rings, rasterized=True)
    for latitude, word, sign in ((51, "westerlies", 1), (15, "trades", -1)):
        for longitude in (-50, -24):
            ax.annotate("", (longitude + 4 * sign, latitude), (longitude - 4 * sign, latitude),
                        arrowprops={"arrowstyle": "-|>", "color": "#777777", "linewidth": 2})
        ax.text(-37, latitude, word, ha="center", va="center", color="#555555")
    ax.axhline(TRADES_END, color="#999999", linestyle=":")
    for place, word in ((departs, "start"), (arrives, "goal")):
        ax.plot(*place[::-1], "o", color=BLACK, markersize=7, zorder=5)
        ax.annotate(word, place[::-1], (0, 10), textcoords="offset points", ha="center")
    for name, color in (("blind", VERMILION), ("shown", BLUE)):
        for track in to_numpy(arrays[f"{name}_tracks"]):
            ax.plot(track[:, 1], track[:, 0], color=color, linewidth=1.8, alpha=0.45)
    ax.text(-40, 43.5, f"planned blind, as if without wind: {numbers['blind']:.1f} steps",
            ha="center")
    ax.text(-43, 22, f"planned in the learned model: {numbers['shown']:.1f} steps", ha="center")
    ax.set(xlim=(-90, 0), ylim=(5, 60), aspect=1.25, xlabel="longitude (degrees)",
           ylabel="latitude (degrees)")


def draw_curves(ax, arrays, numbers):
    for name, steps, label, color, marker, line in (
            ("model", MODEL_STEPS, "model: sailed", BLUE, "o", "-"),
            ("dreamt", MODEL_STEPS, "model: dreamt", SKY, "o", "--"),
            ("q", Q_STEPS, "Q-learning,\nsteers itself", VERMILION, "^", "-"),
            ("random", Q_STEPS, "Q-learning, same\nexploration", ORANGE, "s", "-.")):
        mean, error = to_numpy(arrays[f"{name}_curve"])
        ax.errorbar(steps, mean, error, color=color, marker=marker, linestyle=line, linewidth=2,
                    markersize=6, capsize=2, label=label)
    for cost, word, x, up, side in ((numbers["blind"], "planned blind", 0.01, -15, "left"),
                                    (numbers["optimum"], "least possible", 1, -15, "right")):
        ax.axhline(cost, color=BLACK, linestyle=":", linewidth=1.8, zorder=0)
        ax.annotate(f"{word}: {cost:.1f}", (x, cost), (0, up), xycoords=("axes fraction", "data"),
                    textcoords="offset points", ha=side, color=INK)
    ax.set(xscale="log", yscale="log", xlim=(380, 130_000), ylim=(12, 900),
           xlabel="steps of practice in the true world", ylabel="expected steps to arrive")
    ax.set_yticks([20, 50, 100, 200, 400], [20, 50, 100, 200, 400])
    ax.set_yticks([], minor=True)
    ax.legend(frameon=False, loc="upper right", fontsize=11)


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_03_sailing"]))
