"""Companion of Figure 1-6: the likelihood over two sides of the box, and what more data mend.

It shows what probability/likelihood.py, mle.py, family.py, normal_family.py and kernel_density.py
compute.
"""

import math
import statistics
import sys

import make_figures
import matplotlib as mpl
import numpy as np
from fifty_points import training_points
from style import BLUE, GREEN, ORANGE, VERMILION, caption, headline

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.likelihood import log_likelihood
from gdl_numpy.probability.normal_family import NormalFamily
from gdl_numpy.world.world_map import WorldMap

SIZE = (10, 5.4)
TITLE = "The best box is the corner of a cliff; more data mend its edge, not a wrong shape"
ALT = ("Left: the log-likelihood of the box over its northern and its eastern side, the other two "
       "held at their estimates. South or west of the estimate some training point is outside and "
       "it is minus infinity; at the estimate it has its maximum, and falls slowly, to "
       "{at_corner:.1f} nats below it in the corner of the map. Right, above: the share of the "
       "land outside of the box against the number n of training points: {outside_first:.0%} with "
       "{n_first:,} and {outside_last:.2%} with {n_last:,}. The dotted line 4/(n + 1) is a bound "
       "of its mean over all data sets; the means of {repeats} of them, with bars of two standard "
       "errors, scatter around it. Right, below: the KL of a normal density is at most a tenth "
       "above {normal_last:.2f} nats from {n_flat:,} points on, because its shape is wrong, while "
       "that of a kernel density falls to {kernel_last:.2f}.")
SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)       # of data sets
REPEATS, N_TEST = 20, 4000                                  # data sets of each size; new points
SIDES = 61                                                  # values of each of the two sides


def holds(numbers):
    """The edge comes right as n grows, and the normal's shape stays worse than another one."""
    return (numbers["outside_last"] < numbers["outside_first"] / 10
            and numbers["kernel_last"] < numbers["normal_last"] / 2 and numbers["at_corner"] > 0)


def compute(rng):
    X = training_points(rng)
    xp, family = array_module(X), BoxFamily(2)
    theta_hat = family.mle(X)
    north, east = (xp.sort(xp.concatenate([xp.linspace(0, 1, SIDES) * 2.2 * (end - side)
                                           + side - 1.2 * (end - side), side]))
                   for end, side in ((90, theta_hat[2:3]), (180, theta_hat[3:])))
    values = xp.zeros((len(north), len(east)))
    for i, theta3 in enumerate(north):
        for j, theta4 in enumerate(east):
            theta = xp.concatenate([theta_hat[:2], theta3[None], theta4[None]])
            values[i, j] = log_likelihood(family, theta, X)
    maximum = log_likelihood(family, theta_hat, X)

    p_data, errors, curves = WorldMap(), [], {"outside": [], "normal": [], "kernel": []}
    for n in SIZES:
        results = [judged(p_data, p_data.sample(n, rng), p_data.sample(N_TEST, rng))
                   for _ in range(REPEATS)]
        for key in curves:
            curves[key].append(statistics.mean(result[key] for result in results))
        errors.append(2 * statistics.stdev(result["outside"] for result in results) / REPEATS**0.5)
    numbers = {"theta3": theta_hat[2], "theta4": theta_hat[3], "maximum": maximum,
               "at_corner": maximum - values[-1, -1], "n": len(X), "repeats": REPEATS,
               "n_first": SIZES[0], "n_last": SIZES[-1],
               "outside_first": curves["outside"][0], "outside_last": curves["outside"][-1],
               "normal_last": curves["normal"][-1], "kernel_last": curves["kernel"][-1],
               "n_flat": next(n for i, n in enumerate(SIZES)
                              if max(curves["normal"][i:]) < 1.1 * curves["normal"][-1])}
    for i, n in enumerate(SIZES):
        numbers |= {f"{name}_{n}": curve[i] for name, curve in curves.items()}
        numbers[f"outside_{n}_error"] = errors[i]
    return ({"north": north, "east": east, "below": values - maximum, "errors": xp.asarray(errors)}
            | {name: xp.asarray(curve) for name, curve in curves.items()}), numbers


def judged(p_data, X, new):
    """The share of `new` outside of the box of X, and the KL of two densities, fitted to X."""
    normal, box = NormalFamily(2), BoxFamily(2)
    h = bandwidth(X)
    return {"outside": float((box(box.mle(X)).log_prob(new) == -math.inf).mean()),
            "normal": kl(p_data, normal(normal.mle(X)), new),
            "kernel": kl(p_data, KernelDensity(X, h), new)}


def kl(p_data, p_model, new):
    return -p_data.entropy - float(p_model.log_prob(new).mean())


def bandwidth(X):
    """Silverman's rule for two coordinates, n^(-1/6) of their spread, a third: land has edges."""
    return float(X.std(axis=0).mean()) * len(X)**(-1 / 6) / 3


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    left, right = figure.subfigures(1, 2, width_ratios=(5.4, 4.6))
    draw_cliff(left.subplots(), arrays, numbers)
    above, below = right.subplots(2, 1, sharex=True)
    above.errorbar(SIZES, 100 * arrays["outside"], 100 * arrays["errors"], fmt="o-", color=ORANGE,
                   lw=2.5, capsize=3)
    above.plot(SIZES, [400 / (n + 1) for n in SIZES], ":", color="black", lw=2, zorder=3)
    above.annotate("bound of the mean, 4/(n + 1)", (50, 400 / 51), (12, 8),
                   textcoords="offset points")
    above.set(xscale="log", yscale="log", ylabel="land outside (%)", yticks=[0.1, 1, 10],
              yticklabels=["0.1", "1", "10"])
    above.set_title("the box: its edge comes right", size=12)
    below.semilogx(SIZES, arrays["normal"], "s--", color=BLUE, lw=2.5)
    below.semilogx(SIZES, arrays["kernel"], "^-", color=GREEN, lw=2.5)
    below.text(SIZES[-1], numbers["normal_last"] + 0.12, "normal: wrong shape", color=BLUE,
               ha="right")
    below.text(SIZES[4], arrays["kernel"][4] + 0.15, "kernel density", color=GREEN)
    below.set(ylabel="KL (nats)", xlabel="training points n", ylim=(0, 2.6),
              xticks=[10, 100, 1000], xticklabels=["10", "100", "1,000"])
    below.set_title("a wrong shape stays wrong", size=12)
    caption(figure, f"Left: n = {numbers['n']} points, two sides held at their estimates. Right: "
            f"means over {numbers['repeats']} data sets, bars two standard errors.")


def draw_cliff(ax, arrays, numbers):
    below = arrays["below"]
    finite = below[below > -math.inf]
    levels = mpl.ticker.MaxNLocator(9).tick_values(finite.min(), 0)
    ax.set_facecolor(VERMILION + "22")
    shown = ax.contourf(arrays["east"], arrays["north"], np.ma.masked_less(below, -1e300),
                        levels=levels, cmap="cividis")
    ax.plot(numbers["theta4"], numbers["theta3"], "o", ms=12, color=ORANGE, mec="white", mew=2,
            zorder=5)
    ax.annotate(r"$\hat\theta$", (numbers["theta4"], numbers["theta3"]), (-14, -20),
                textcoords="offset points", ha="center")
    east, north = arrays["east"], arrays["north"]
    ax.text((east[0] + numbers["theta4"]) / 2, (numbers["theta3"] + north[-1]) / 2,
            "a point lies\noutside, east:\n" + r"$\ell = -\infty$", ha="center", va="center")
    ax.text((east[0] + east[-1]) / 2, (north[0] + numbers["theta3"]) / 2,
            "a point lies outside, north", ha="center", va="center")
    ax.set(xlabel=r"eastern side $\theta_4$ (degrees)",
           ylabel=r"northern side $\theta_3$ (degrees)")
    ax.set_title("log-likelihood below its maximum", size=12)
    bar = ax.figure.colorbar(shown, ax=ax)
    bar.set_label("nats")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_06_likelihood"]))
