"""Companion of Figure 1-6: better densities than the box, judged against the true one.

It shows what probability/family.py, normal_family.py and kernel_density.py compute.
Where the scoreboard of models starts. All are fitted to the same 20,000 points of land. The
bandwidth of the kernel density and the grid of the histogram are those of the highest likelihood on
20,000 further points; all numbers are measured on points that no model has seen.
"""

import math
import sys

import make_figures
import matplotlib as mpl
from maps import draw_coast, draw_density
from progress import bar
from style import INK, caption

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.family import BoxFamily, HistogramFamily
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.world.evaluation import accuracy, coverage, kl_to_data
from gdl_numpy.world.world_map import WORLD, WorldMap

SIZE = (10, 7.3)
TITLE = "From a box to 200 normals: the more flexible, the closer to the truth"
ALT = ("Eight world maps with the density of each model as color, relative to the true density "
       "on land, and the coasts as lines: the truth, a box, a normal, mixtures of {few}, {some} "
       "and {many} normals, a histogram and a kernel density. KL divergence from the truth in "
       "nats: box {box_kl}, normal {normal_kl:.2f}, mixtures {mixture_few_kl:.2f}, "
       "{mixture_some_kl:.2f} and {mixture_many_kl:.2f}, histogram {histogram_kl:.2f}, kernel "
       "density {kernel_density_kl:.2f}.")
N, N_TEST, N_SAMPLES = 20_000, 200_000, 20_000
COMPONENTS = {"few": 10, "some": 50, "many": 200}
BANDWIDTHS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.4)             # degrees
GRIDS = ((18, 36), (30, 60), (36, 72), (45, 90), (60, 120), (90, 180))
PICTURE = (180, 360)


def holds(numbers):
    """From the box to the normal and to more and more of them, the KL falls."""
    kl = [numbers[f"{name}_kl"] for name in ("box", "normal", "mixture_few", "mixture_some",
                                             "mixture_many")]
    return kl == sorted(kl, reverse=True) and max(
        numbers["histogram_kl"], numbers["kernel_density_kl"]) < numbers["normal_kl"]


def compute(rng):
    p_data = WorldMap()
    X, validation, test = (p_data.sample(n, rng) for n in (N, N, N_TEST))
    xp, world = array_module(X), WORLD.on(array_module(X))
    models = {
        "box": fitted(BoxFamily(2), X),
        "normal": fitted(NormalFamily(2), X),
        **{f"mixture_{name}": fitted(MixtureFamily(k, 2), X, rng=rng, tol=1e-4)
           for name, k in bar(COMPONENTS.items(), unit="mixture")},
        "histogram": best((fitted(HistogramFamily(world, grid, pseudocount=0.1), X)
                           for grid in GRIDS), validation),
        "kernel_density": best((KernelDensity(X, h) for h in BANDWIDTHS), validation),
    }
    arrays, numbers = {}, dict(COMPONENTS)
    numbers["bandwidth"] = models["kernel_density"].bandwidth
    numbers["grid_rows"], numbers["grid_columns"] = models["histogram"].masses.shape
    grid, _ = world.grid(PICTURE)
    for name, p in {"truth": p_data, **models}.items():
        arrays[name] = (xp.exp(p.log_prob(grid)) * p_data.area).reshape(PICTURE)
        numbers |= {f"{name}_sea": 1 - float(accuracy(p, p_data, N_SAMPLES, rng)),
                    f"{name}_reached": coverage(p, p_data, N_SAMPLES, rng)}
    for name, p in bar(models.items(), unit="model"):
        numbers[f"{name}_kl"], numbers[f"{name}_kl_error"] = kl_to_data(p, p_data, test)
    numbers["box_kl_error"] = "none"                        # the error of an infinite mean
    return arrays, numbers


def fitted(family, X, **how):
    return family(maximum_likelihood(family, X, **how))


def best(densities, X):
    return max(densities, key=lambda p: float(p.log_prob(X).mean()))


def draw(figure, arrays, numbers):
    names = {"truth": "the truth $p_{data}$", "box": "box", "normal": "normal",
             **{f"mixture_{name}": f"mixture of {numbers[name]} normals" for name in COMPONENTS},
             "histogram": f"histogram, {numbers['grid_rows']} × {numbers['grid_columns']} cells",
             "kernel_density": f"kernel density, h = {numbers['bandwidth']:.1f}°"}
    order = sorted(list(names)[1:], key=lambda name: -numbers[f"{name}_kl"])
    figure.suptitle(TITLE, x=0.01, ha="left", size=14, weight="bold")
    coast = WorldMap().coast
    colors = mpl.colors.PowerNorm(0.6, vmin=0, vmax=2.5)
    axes = figure.subplots(3, 3).flat
    for name, ax in zip(["truth", *order], axes, strict=False):
        picture = draw_density(ax, arrays[name], colors)
        draw_coast(ax, coast)
        ax.set(xticks=[], yticks=[])
        kl = numbers.get(f"{name}_kl", 0)
        words = "∞" if math.isinf(kl) else f"{kl:.2f} nats" if kl else "0"
        ax.set_xlabel(f"{names[name]}\nKL {words}, "
                      f"{numbers[f'{name}_sea']:.0%} in the sea", color=INK, size=11.5)
    ax = axes[8]
    ax.axis("off")
    figure.colorbar(picture, cax=ax.inset_axes([0.05, 0.5, 0.9, 0.12]), orientation="horizontal",
                    extend="max", ticks=[0, 0.5, 1, 1.5, 2, 2.5],
                    label="density, as a multiple\nof the truth on land")
    caption(figure, "KL: nats that a model loses per point of land it has not seen. In the sea: "
            "the share of its", "samples that the truth never makes. White: the coasts.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_06_densities"]))
