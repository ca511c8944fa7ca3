"""Figure 1-5: the same points and a first generative model, the box of maximum likelihood.

It shows what probability/density.py, family.py, likelihood.py and mle.py compute.
"""

import sys

import make_figures
from fifty_points import training_points
from maps import draw_box, draw_points, map_axes
from style import ORANGE, caption

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.likelihood import log_likelihood
from gdl_numpy.world.world_map import WorldMap

SIZE = (9, 5.5)
TITLE = "A first model: the smallest box around the points"
ALT = ("The {n} points of Figure 1-4 inside an orange box, the maximum likelihood estimate, from"
       " x1 = {theta1:.1f} to {theta3:.1f} and from x2 = {theta2:.1f} to {theta4:.1f}. Its density "
       "is {density:.3g} per unit of area inside and 0 outside, its "
       "log-likelihood {log_likelihood:.1f} nats. A new point falls outside with probability "
       "{outside:.3f}; averaged over data sets of {n} points that is at most {bound:.3f}, "
       "whatever the rule.")


def holds(numbers):
    """A likelihood above zero, so no point is outside; and each side lies at a point."""
    return numbers["log_likelihood"] > -float("inf")


def compute(rng):
    X = training_points(rng)
    family = BoxFamily(2)
    theta_hat = family.mle(X)
    box = family(theta_hat)
    p_data = WorldMap()
    numbers = {f"theta{i + 1}": value for i, value in enumerate(theta_hat)} | {
        "n": len(X),
        "density": array_module(X).exp(box.log_prob(X[:1]))[0],
        "log_likelihood": log_likelihood(family, theta_hat, X),
        "outside": 1 - float(box.space.contains(p_data.sample(1_000_000, rng)).mean()),
        "bound": 4 / (len(X) + 1),
    }
    return {"X": X, "low": box.low, "high": box.high}, numbers


def draw(figure, arrays, numbers):
    ax = figure.add_subplot(title=TITLE)
    map_axes(ax, revealed=False)
    draw_box(ax, arrays["low"], arrays["high"], facecolor=ORANGE + "22")
    draw_points(ax, arrays["X"], s=42)
    theta_hat = ", ".join(f"{numbers[f'theta{i}']:.1f}" for i in (1, 2, 3, 4))
    caption(figure,
            rf"$\hat\theta$ = ({theta_hat});  $p_{{model}}$ = "
            f"{numbers['density'] * 1e5:.2f} × 10⁻⁵ inside, 0 outside",
            rf"log-likelihood $\ell(\hat\theta|X)$ = {numbers['log_likelihood']:.1f} nats;  "
            f"next point outside: {numbers['outside']:.3f}; "
            f"mean over data sets ≤ 4/(n+1) = {numbers['bound']:.3f}")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_05_box"]))
