"""Companion of Figure 1-2: a perfect discriminator can generate, and what a learned one makes.

It shows what labels/conditional.py computes (erratum E22).
"""

import math
import sys

import make_figures
from map_labels import network, scaled
from maps import draw_samples
from style import caption, headline

from gdl_numpy.labels.conditional import noise_kept
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.probability.density import Box
from gdl_numpy.world.world_map import WORLD, WorldMap

SIZE = (10, 3.1)
TRAINED = True                                              # a classifier, for this figure
TITLE = "A perfect discriminator can create: it keeps of the noise what is land"
ALT = ("Three world maps. {shown:,} points of uniform noise over the whole map; those of them that "
       "a perfect classifier of land against noise keeps, {perfect_shown:,} points, none in the "
       "sea; and those that a classifier learned from {n:,} points keeps, {learned_shown:,} of "
       "them. In the long run the perfect one keeps {perfect_kept:.1%}, {perfect_sea:.0%} of it in "
       "the sea, and {learned_sea:.1%} of what the learned one keeps is in the sea.")
N, N_MADE, SHOWN = 20_000, 20_000, 1500


class PerfectClassifier:
    """p(y|x) for uniform points of land (1) against uniform noise (0), in equal shares."""

    def __init__(self, p_data):
        self.p_data = p_data
        self.log_odds = math.log(float(WORLD.volume) / p_data.area)     # of 1 against 0, on land

    def log_posterior(self, X):
        xp = array_module(X)
        land = self.p_data.contains(X)
        on_land = xp.where(land, -math.log1p(math.exp(-self.log_odds)), -math.inf)
        elsewhere = xp.where(land, -math.log1p(math.exp(self.log_odds)), 0.0)
        return xp.stack([elsewhere, on_land], axis=1)


class Scaled:
    """A network classifier that is asked in degrees."""

    def __init__(self, classifier):
        self.classifier = classifier

    def log_posterior(self, X):
        return self.classifier.log_posterior(scaled(X))


def holds(numbers):
    return numbers["perfect_sea"] == 0 < numbers["perfect_shown"]


def compute(rng):
    p_data = WorldMap()
    xp = array_module(rng.random(1))
    world = WORLD.on(xp)
    noise = Box(world.low, world.high)
    perfect = PerfectClassifier(p_data)
    X = xp.concatenate([noise.sample(N // 2, rng), p_data.sample(N // 2, rng)])
    learned = Scaled(network(X, (xp.arange(N) >= N // 2).astype(int), 2, rng))

    grid, _ = world.grid((180, 360))
    log_p = learned.log_posterior(grid)
    bound = float((log_p[:, 1] - log_p[:, 0]).max())        # of the log-odds, on a grid of 1 degree
    by_perfect = noise_kept(perfect, noise, N_MADE, rng, perfect.log_odds)
    by_learned = noise_kept(learned, noise, N_MADE, rng, bound)

    # the density that the learned sampler draws from is D/(1 - D), normalized; its KL on new draws
    odds = xp.exp(log_p[:, 1] - log_p[:, 0])
    log_z = math.log(float(odds.mean() * world.volume))
    new = learned.log_posterior(p_data.sample(100_000, rng))
    kl = -float((new[:, 1] - new[:, 0]).mean()) + log_z - p_data.entropy
    log_p = perfect.log_posterior(noise.sample(1_000_000, rng))
    share = xp.exp(log_p[:, 1] - log_p[:, 0] - perfect.log_odds).mean()     # that noise_kept keeps
    X, log_u = noise.sample(SHOWN, rng), xp.log1p(-rng.random(SHOWN))
    kept = {"noise": X, "perfect": kept_of(X, log_u, perfect, perfect.log_odds),
            "learned": kept_of(X, log_u, learned, bound)}
    numbers = {"n": N, "perfect_kept": share, "shown": SHOWN,
               "perfect_shown": len(kept["perfect"]), "learned_shown": len(kept["learned"]),
               "land_share": p_data.area / float(WORLD.volume),
               "perfect_sea": 1 - float(p_data.contains(by_perfect).mean()),
               "learned_sea": 1 - float(p_data.contains(by_learned).mean()),
               "learned_kl": kl}
    return kept, numbers


def kept_of(X, log_u, classifier, bound):
    """The rows of X (n, d) that `noise_kept` keeps if its uniform numbers are exp(log_u) (n,)."""
    log_p = classifier.log_posterior(X)
    return X[log_u < log_p[:, 1] - log_p[:, 0] - bound]


def draw(figure, arrays, numbers):
    headline(figure, TITLE)
    titles = {"noise": "uniform noise", "perfect": "kept by a perfect classifier",
              "learned": "kept by a learned one"}
    texts = {"noise": f"{numbers['shown']:,} points",
             "perfect": f"{numbers['perfect_shown']:,} of them, {numbers['perfect_sea']:.0%} in "
                        "the sea",
             "learned": f"{numbers['learned_shown']:,}; in the long run, "
                        f"{numbers['learned_sea']:.1%} in the sea"}
    p_data = WorldMap()
    for ax, (name, title) in zip(figure.subplots(1, 3), titles.items(), strict=True):
        draw_samples(ax, arrays[name], p_data)
        ax.set_title(title, size=12)
        ax.set_xlabel(texts[name])
    caption(figure, f"{numbers['land_share']:.1%} of the map is land, and the perfect classifier "
            "keeps the points on it: draws of",
            "$p_{data}$. The learned one's errors become errors of its samples "
            f"(KL {numbers['learned_kl']:.2f} nats).")


if __name__ == "__main__":
    sys.exit(make_figures.main(["figure_1_02_sampler"]))
