"""Companion of Figure 1-2: generative against discriminative classifiers as data grow.

It shows what labels/conditional.py and labels/logistic.py compute (erratum E23).
"""

import math
import sys

import make_figures
from map_labels import accuracy, with_continent
from progress import bar
from style import BLUE, ORANGE, caption, headline

from gdl_numpy.labels.conditional import ClassConditional
from gdl_numpy.labels.logistic import LogisticFamily, SoftmaxFamily
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.world.world_map import WorldMap

SIZE = (10, 5.2)
TITLE = "Where its assumption holds, the generative classifier can need fewer data"
ALT = ("Two plots of the error on new data against the number of training points of each class, "
       "means of {repeats} repetitions with error bars. Left, two normals with a common "
       "covariance in ten dimensions: with 20 points the error of the generative classifier is "
       "{normals_generative_20:.1%}, that of logistic regression "
       "{normals_discriminative_20:.1%}; with 6 points {normals_generative_6:.1%} and "
       "{normals_discriminative_6:.1%}; with 1000 both {normals_generative_1000:.1%} and "
       "{normals_discriminative_1000:.1%}; the least possible is {normals_best:.1%}. "
       "Right, the seven continents of the real map, which are not such normals: with 3 points "
       "{continents_generative_3:.1%} and {continents_discriminative_3:.1%}, with 500 "
       "{continents_generative_500:.1%} and {continents_discriminative_500:.1%}.")
REPEATS = 100
D, SEPARATION = 10, 2.0                                     # dimensions; distance of the two means
SIZES = {"normals": (6, 10, 20, 40, 100, 300, 1000), "continents": (3, 5, 10, 20, 50, 150, 500)}
L2 = 1e-4                                                   # keeps separable training sets finite


def normals(n, rng):
    """n points of each of two normals in R^D with unit covariance, and their labels."""
    X = rng.standard_normal((2 * n, D))
    y = (array_module(X).arange(2 * n) >= n).astype(int)
    X[:, 0] += SEPARATION * y
    return X, y


def normal_tail(x):
    """The mass of N(0, 1) beyond x: of two normals 2x apart, the error that no classifier beats."""
    return 0.5 * math.erfc(x / math.sqrt(2))


def of_each(X, y, n, n_classes):
    """The first n rows of each label."""
    xp = array_module(X)
    rows = xp.concatenate([(y == k).nonzero()[0][:n] for k in range(n_classes)])
    return X[rows], y[rows]


def in_random_order(n, k, rng):
    """k of the numbers below n: the k smallest of n draws are found before they are sorted."""
    u = rng.random(n)
    some = u.argpartition(k)[:k]
    return some[u[some].argsort()]


def errors(X, y, X_new, y_new, family):
    """The error on new data of the generative and of the discriminative classifier."""
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    X, X_new = (X - mean) / deviation, (X_new - mean) / deviation
    generative = ClassConditional.fit_normals_with_common_covariance(X, y)
    discriminative = family(family.mle(X, y))
    return [1 - float(accuracy(model.log_posterior(X_new), y_new))
            for model in (generative, discriminative)]


def holds(numbers):
    """With some more points than dimensions it errs less, where the classes are normal."""
    return sum(numbers[f"normals_generative_{n}"] - numbers[f"normals_discriminative_{n}"]
               for n in (20, 40, 100)) < 0


def compute(rng):
    X_world, y_world = with_continent(WorldMap().sample(200_000, rng))
    logistic, softmax = LogisticFamily(D, l2=L2), SoftmaxFamily(2, 7, l2=L2)
    X_new, y_new = with_continent(WorldMap().sample(200_000, rng))          # none of X_world
    test_normals, test_continents = normals(10_000, rng), of_each(X_new, y_new, 5000, 7)
    arrays, numbers = {}, {"repeats": REPEATS, "normals_best": normal_tail(SEPARATION / 2)}
    xp = array_module(X_world)
    for name, sizes in SIZES.items():
        found = []
        for n in bar(sizes, unit="size"):
            for _ in range(REPEATS):
                if name == "normals":
                    found.append(errors(*normals(n, rng), *test_normals, logistic))
                else:
                    some = in_random_order(len(X_world), 20 * 7 * n + 2000, rng)
                    training = of_each(X_world[some], y_world[some], n, 7)
                    found.append(errors(*training, *test_continents, softmax))
        found = xp.asarray(found).reshape(len(sizes), REPEATS, 2)
        arrays |= {f"{name}_mean": found.mean(axis=1),
                   f"{name}_error": found.std(axis=1, ddof=1) / REPEATS**0.5}
        for i, kind in enumerate(("generative", "discriminative")):
            numbers |= {f"{name}_{kind}_{n}": arrays[f"{name}_mean"][j, i]
                        for j, n in enumerate(sizes)}
    return arrays, numbers


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    titles = {"normals": "two normals, one covariance:\nthe assumption holds",
              "continents": "seven continents:\nthe assumption is wrong"}
    for ax, (name, sizes) in zip(figure.subplots(1, 2), SIZES.items(), strict=True):
        mean, error = 100 * arrays[f"{name}_mean"], 100 * arrays[f"{name}_error"]
        for i, (label, color, marker) in enumerate((
                ("generative: Bayes' rule", ORANGE, "s"), ("discriminative", BLUE, "o"))):
            ax.errorbar(sizes, mean[:, i], 2 * error[:, i], color=color, marker=marker, ms=7, lw=2,
                        capsize=4, label=label)
        ax.set(xscale="log", xticks=sizes, xticklabels=sizes, title="", ylim=(0, None),
               xlabel="training points of each class", ylabel="error on new data (%), ± 2 SE")
        ax.minorticks_off()
        ax.set_title(titles[name], size=12)
        ax.legend(frameon=False, loc="upper right")
    best = 100 * numbers["normals_best"]
    figure.axes[0].axhline(best, color="black", ls=":", lw=2)
    figure.axes[0].text(SIZES["normals"][0], best - 0.6, f"the best there is: {best:.1f} %",
                        va="top")
    caption(figure, f"Means of {numbers['repeats']} repetitions. Left, 10 dimensions: with hardly "
            "more points than dimensions the covariance is nearly",
            "singular. Right, 2 dimensions: continents are not normal, and softmax regression does "
            "not assume that they are.")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_02_learning_curves"]))
