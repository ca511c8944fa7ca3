"""Figure 1-6: the rule is revealed, uniform over the land of a flat map. The points A, B and C.

It shows what world/evaluation.py and world_map.py compute.
"""

import math
import sys

import make_figures
from fifty_points import training_points
from maps import draw_box, draw_land, draw_points, map_axes
from style import GREEN, PURPLE, VERMILION, caption

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.divergence import jensen_shannon, kl_divergence
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.world.evaluation import accuracy, coverage, verdict
from gdl_numpy.world.world_map import WORLD, WorldMap

SIZE = (10, 6.2)
TITLE = "Revealed: the rule is uniform over the land of this flat map"
ALT = ("World map with land in gray, {n} blue training points on land and the orange box around "
       "them. A, in the sea inside the box, is a point that only the model makes; B, on land "
       "outside the box, one that only the true rule makes; C, on land inside, one that both "
       "make. {sea_share:.0%} of what the model makes lies in the sea, and it can never make "
       "{land_outside:.1%} of the land. Uniform means evenly over the flat map as it is drawn: "
       "Antarctica has {antarctica:.1%} of its land, on the sphere {antarctica_sphere:.1%}.")
NOTE = ("Per square degree, p_data and p_model are {A_p_data:.3g} and {A_p_model:.3g} at "
        "A = ({A_latitude:.1f}°, {A_longitude:.1f}°), {B_p_data:.3g} and {B_p_model:.3g} at "
        "B = ({B_latitude:.1f}°, {B_longitude:.1f}°), {C_p_data:.3g} and {C_p_model:.3g} at "
        "C = ({C_latitude:.1f}°, {C_longitude:.1f}°). Points such as A make KL(p_model‖p_data) = "
        "{kl_model_data:.2f}, points such as B KL(p_data‖p_model) = {kl_data_model:.2f}; the "
        "Jensen-Shannon divergence is {jensen_shannon:.2f} nats.")
GRID = (360, 720)
MEANING = {"A": "only the model makes it", "B": "only the rule makes it", "C": "both make it"}


def holds(numbers):
    """A, B and C are where their names say, and only land counts."""
    return [numbers[f"{name}_kind"] for name in "ABC"] == ["A", "B", "C"] and numbers[
        "A_p_data"] == 0 < numbers["B_p_data"]


def compute(rng):
    X = training_points(rng)
    family = BoxFamily(2)
    box = family(family.mle(X))
    p_data, world = WorldMap(), WORLD.on(array_module(X))
    points = chosen_points(box, p_data, world)
    arrays = {"X": X, "low": box.low, "high": box.high}
    numbers = {"n": len(X), "antarctica": share_of_land("Antarctica", "map"),
               "antarctica_sphere": share_of_land("Antarctica", "sphere")}
    for name, x in points.items():
        judged = verdict(box, p_data, x)
        arrays[name] = x
        numbers |= {f"{name}_latitude": x[0], f"{name}_longitude": x[1],
                    f"{name}_kind": judged.kind,
                    f"{name}_p_data": judged.p_data, f"{name}_p_model": judged.p_model}
    new = p_data.sample(1_000_000, rng)
    numbers |= {
        "sea_share": 1 - float(accuracy(box, p_data, 1_000_000, rng)),
        "land_outside": 1 - float(box.space.contains(new).mean()),
        "land_reached": coverage(box, p_data, 20_000, rng),
        "kl_data_model": kl_divergence(p_data, box, world, GRID),
        "kl_model_data": kl_divergence(box, p_data, world, GRID),
        "jensen_shannon": jensen_shannon(p_data, box, world, GRID),
    }
    return arrays, numbers


def share_of_land(continent, measure):
    return WorldMap(measure, continent).area / WorldMap(measure).area


def chosen_points(box, p_data, world):
    """The plainest A, B and C on a 5-degree grid: of their kind, those farthest from any other kind
    and from the border of the map. What is nearest in each row is nearest of all in one of them."""
    coarse, fine = (36, 72), (180, 360)
    X, Y = (world.grid(shape)[0] for shape in (coarse, fine))
    xp = array_module(X)
    land, in_box = p_data.contains(Y), box.space.contains(Y)
    on_map = xp.minimum(X - world.low, world.high - X).min(axis=1)
    north, east = (xp.unique(X[:, i])[:, None] - xp.unique(Y[:, i]) for i in (0, 1))
    points = {}
    for name, kind in (("A", in_box & ~land), ("B", land & ~in_box), ("C", land & in_box)):
        in_row = xp.where(kind.reshape(fine)[:, None], math.inf, east**2).min(axis=2)
        nearest = (north[:, :, None]**2 + in_row).min(axis=1).ravel()       # of any other kind
        points[name] = X[xp.minimum(nearest, on_map**2).argmax()]
    return points


def draw(figure, arrays, numbers):
    ax = figure.add_subplot(title=TITLE)
    map_axes(ax)
    draw_land(ax, WorldMap().rings)
    draw_box(ax, arrays["low"], arrays["high"])
    draw_points(ax, arrays["X"], s=30)
    for name, color in (("A", VERMILION), ("B", GREEN), ("C", PURPLE)):
        latitude, longitude = arrays[name]
        ax.plot(longitude, latitude, "o", ms=22, mfc="white", mec=color, mew=3.5, zorder=5)
        ax.text(longitude, latitude, name, ha="center", va="center_baseline", weight="bold",
                zorder=6)
    ax.text(2, -53, f"Antarctica: {numbers['antarctica']:.1%} of the land here,\n"
            f"{numbers['antarctica_sphere']:.1%} on a globe", size=11.5, va="center", zorder=5)
    caption(figure, "  ".join(f"{name}: {MEANING[numbers[f'{name}_kind']]}." for name in "ABC")
            + "  Frame: the model, the box of Figure 1-5.",
            f"{numbers['sea_share']:.0%} of what it makes lies in the sea, and "
            f"{numbers['land_outside']:.1%} of the land lies outside of it.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_06_world"]))
