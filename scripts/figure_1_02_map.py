"""Companion of Figure 1-2 on the map: p(y|x) and p(x|y), two sides of one coin.

It shows what labels/discriminative.py and conditional.py compute.
"""

import sys

import make_figures
import matplotlib as mpl
import numpy as np
from map_labels import SEVEN, accuracy, network, scaled, with_continent
from maps import draw_coast, draw_density, frame_map
from style import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, YELLOW, caption

from gdl_numpy.labels.conditional import ClassConditional
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.density import Box
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.world.world_map import WORLD, WorldMap, continents

SIZE = (10, 7)
TRAINED = True                                              # networks, for this figure
TITLE = "Two sides of one coin: one model labels places, the other makes them"
ALT = ("Four world maps. Left, discriminative: the probability of land at each point, and the "
       "most probable continent at each point, by network classifiers right in "
       "{land_network:.1%} and {continent_network:.1%} of all cases. Right, generative: the "
       "density of points given land, and points made on request for each continent, by mixtures"
       " of normals; with Bayes' rule they classify too, right in {land_bayes:.1%} and "
       "{continent_bayes:.1%}. {africa:.0%} of the points made for Africa lie in Africa. "
       "All of Russia is Europe in these data.")
NOTE = ("A discriminative model gives the label of a point, a conditional generative one points of "
        "a label; by Bayes' rule it gives labels, too. The data are Natural Earth's, for which all "
        "of Russia is Europe: points from Vladivostok to Chukotka are not a fault of the models.")
N, N_NEW, PICTURE = 20_000, 50_000, (180, 360)
OF_LAND, OF_A_CONTINENT = 60, 12                            # normals in a mixture
PLACES = {                                                  # of names, in and beside a continent
    "Africa": ((5, 22), (-22, -12)), "Antarctica": ((-80, 30), (-60, 30)),
    "Asia": ((32, 95), (-6, 88)), "Europe": ((60, 55), (77, 25)),
    "North America": ((47, -100), (24, -150)), "Oceania": ((-25, 134), (-48, 120)),
    "South America": ((-12, -59), (-30, -105))}
COLORS = (ORANGE, SKY, VERMILION, BLUE, GREEN, PURPLE, YELLOW)


def holds(numbers):
    """Labels are right more often than chance, and most points made for Africa lie there."""
    return min(numbers["land_network"], numbers["africa"]) > 0.6


def compute(rng):
    p_data, world = WorldMap(), WORLD.on(array_module(rng.random(1)))
    X, X_new = (Box(world.low, world.high).sample(n, rng) for n in (N, N_NEW))
    xp, (grid, _) = array_module(X), world.grid(PICTURE)

    y, y_new = (p_data.contains(points).astype(int) for points in (X, X_new))
    land_network = network(X, y, 2, rng)
    land = ClassConditional.fit(MixtureFamily(OF_LAND, 2), X, y, rng=rng, tol=1e-4)
    numbers = {"land_network": accuracy(land_network.log_posterior(scaled(X_new)), y_new),
               "land_bayes": accuracy(land.log_posterior(X_new), y_new)}
    arrays = {"p_land": xp.exp(land_network.log_posterior(scaled(grid))[:, 1]).reshape(PICTURE),
              "density": (xp.exp(land.densities[1].log_prob(grid)) * p_data.area).reshape(PICTURE)}

    (X, y), (X_new, y_new) = (with_continent(p_data.sample(n, rng)) for n in (N, N_NEW))
    continent_network = network(X, y, 7, rng)
    by_continent = ClassConditional.fit(MixtureFamily(OF_A_CONTINENT, 2), X, y, rng=rng, tol=1e-4)
    log_posterior = continent_network.log_posterior(scaled(X_new))
    numbers |= {"continent_network": accuracy(log_posterior, y_new),
                "continent_bayes": accuracy(by_continent.log_posterior(X_new), y_new)}
    p = xp.exp(continent_network.log_posterior(scaled(grid)))
    arrays |= {"continent": p.argmax(axis=1).reshape(PICTURE),
               "sure": p.max(axis=1).reshape(PICTURE)}
    for y in range(7):
        arrays[f"made_{y}"] = by_continent.sample(120, rng, y=y)
    numbers["africa"] = WorldMap(continent="Africa").contains(
        by_continent.sample(20_000, rng, y=SEVEN.index(continents().index("Africa")))).mean()
    return arrays, numbers


def draw(figure, arrays, numbers):
    figure.suptitle(TITLE, x=0.01, ha="left", size=14, weight="bold")
    figure.get_layout_engine().set(h_pad=0.08)
    coast, axes = WorldMap().coast, figure.subplots(2, 2)
    titles = [["p(land | x)", "p(x | land)"], ["p(continent | x)", "p(x | continent)"]]
    for (row, column), ax in np.ndenumerate(axes):
        share = numbers[("land_", "continent_")[row] + ("network", "bayes")[column]]
        ax.set_title(f"{titles[row][column]}, {'by Bayes ' if column else ''}right in {share:.1%}",
                     size=12)
        draw_coast(ax, coast, edgecolor="black")
        frame_map(ax)
    bars = {"location": "bottom", "shrink": 0.7, "aspect": 30, "pad": 0.03}
    picture = draw_density(axes[0, 0], arrays["p_land"], mpl.colors.Normalize(0, 1))
    figure.colorbar(picture, ax=axes[0, 0], ticks=[0, 0.5, 1], label="probability of land", **bars)
    picture = draw_density(axes[0, 1], arrays["density"], mpl.colors.PowerNorm(0.6, 0, 2.5))
    figure.colorbar(picture, ax=axes[0, 1], extend="max", ticks=[0, 0.5, 1, 2],
                    label="density, as a multiple of the truth on land", **bars)
    rgb = np.array([mpl.colors.to_rgb(color) for color in COLORS])[arrays["continent"]]
    axes[1, 0].imshow(1 - (1 - rgb) * (arrays["sure"]**4)[:, :, None], origin="lower",
                      extent=(-180, 180, -90, 90))
    for y, color in enumerate(COLORS):
        X, name = arrays[f"made_{y}"], continents()[SEVEN[y]]
        axes[1, 1].scatter(X[:, 1], X[:, 0], s=16, color=color, edgecolor="#444444", linewidth=0.3,
                           zorder=3)
        for ax, place in zip(axes[1], PLACES[name], strict=True):
            ax.text(*place[::-1], name.replace(" ", "\n"), ha="center", va="center", size=11.5,
                    zorder=4, bbox={"facecolor": "#FFFFFFCC", "edgecolor": "none", "pad": 1})
    caption(figure, "Left, paler where unsure. Right, points made on request: of 20,000 for Africa "
            f"{numbers['africa']:.1%} lie there.", "All of Russia is Europe in these data.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_02_map"]))
