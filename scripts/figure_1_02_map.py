"""Companion of Figure 1-2 on the map: p(y|x) and p(x|y), two sides of one coin."""

import sys

import make_figures
import matplotlib as mpl
import numpy as np
from map_labels import SEVEN, accuracy, network, scaled, with_continent
from maps import draw_coast, map_axes
from style import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, YELLOW, caption

from gdl_numpy.labels.conditional import ClassConditional
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.density import Box
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.world.world_map import WORLD, WorldMap, continents

SIZE = (13, 7.9)
TITLE = "Two sides of one coin"
ALT = ("Four world maps. Left, discriminative: the probability of land at each point, and the "
       "most probable continent at each point, by network classifiers right in "
       "{land_network:.1%} and {continent_network:.1%} of all cases. Right, generative: the "
       "density of points given land, and points made on request for each continent, by mixtures"
       " of normals; with Bayes' rule they classify too, right in {land_bayes:.1%} and "
       "{continent_bayes:.1%}. {africa:.0%} of the points made for Africa lie in Africa.")
N, N_NEW, PICTURE = 20_000, 50_000, (180, 360)
COLOURS = (ORANGE, SKY, VERMILION, BLUE, GREEN, PURPLE, YELLOW)


def compute(rng):
    p_data, world = WorldMap(), WORLD.on(array_module(rng.random(1)))
    X, X_new = (Box(world.low, world.high).sample(n, rng) for n in (N, N_NEW))
    xp, (grid, _) = array_module(X), world.grid(PICTURE)

    y, y_new = (p_data.contains(points).astype(int) for points in (X, X_new))
    land_network = network(X, y, 2, rng)
    land = ClassConditional.fit(MixtureFamily(60, 2), X, y, rng=rng, tol=1e-4)
    numbers = {"land_network": accuracy(land_network.log_posterior(scaled(X_new)), y_new),
               "land_bayes": accuracy(land.log_posterior(X_new), y_new)}
    arrays = {"p_land": xp.exp(land_network.log_posterior(scaled(grid))[:, 1]).reshape(PICTURE),
              "density": (xp.exp(land.densities[1].log_prob(grid)) * p_data.area).reshape(PICTURE)}

    (X, y), (X_new, y_new) = (with_continent(p_data.sample(n, rng)) for n in (N, N_NEW))
    continent_network = network(X, y, 7, rng)
    by_continent = ClassConditional.fit(MixtureFamily(12, 2), X, y, rng=rng, tol=1e-4)
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
    figure.suptitle(TITLE, x=0.005, ha="left", size=16, weight="bold")
    coast, axes = WorldMap().coast, figure.subplots(2, 2)
    extent = (-180, 180, -90, 90)
    for ax in axes.flat:
        map_axes(ax, ax in axes[1], ax in axes[:, 0])
        draw_coast(ax, coast, edgecolor="black")
    picture = axes[0, 0].imshow(arrays["p_land"], origin="lower", extent=extent, cmap="cividis",
                                vmin=0, vmax=1)
    figure.colorbar(picture, ax=axes[0, 0], shrink=0.8, ticks=[0, 0.5, 1])
    axes[0, 0].set_title(f"p(land|x), right in {numbers['land_network']:.1%}", size=13)
    picture = axes[0, 1].imshow(arrays["density"], origin="lower", extent=extent, cmap="cividis",
                                norm=mpl.colors.PowerNorm(0.6, vmin=0, vmax=2.5))
    figure.colorbar(picture, ax=axes[0, 1], shrink=0.8, extend="max", ticks=[0, 0.5, 1, 2])
    axes[0, 1].set_title(f"p(x|land), by Bayes right in {numbers['land_bayes']:.1%}", size=13)
    rgb = np.array([mpl.colors.to_rgb(colour) for colour in COLOURS])[arrays["continent"]]
    axes[1, 0].imshow(1 - (1 - rgb) * (arrays["sure"]**4)[:, :, None], origin="lower",
                      extent=extent)
    axes[1, 0].set_title(f"p(continent|x), right in {numbers['continent_network']:.1%}", size=13)
    for y, colour in enumerate(COLOURS):
        X = arrays[f"made_{y}"]
        axes[1, 1].scatter(X[:, 1], X[:, 0], s=16, color=colour, edgecolor="#444444", linewidth=0.3,
                           label=continents()[SEVEN[y]], zorder=3)
    axes[1, 1].set_title(f"p(x|continent), by Bayes right in {numbers['continent_bayes']:.1%}",
                         size=13)
    handles, names = axes[1, 1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=7, frameon=False, markerscale=2,
                  handletextpad=0.1, columnspacing=1)
    caption(figure, "Left: discriminative, the label given the point, paler where unsure. Right: "
            "generative, points given the label.", "“A point in Africa, please”: "
            f"{numbers['africa']:.1%} of 20,000 points made on that request lie in Africa.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_02_map"]))
