"""Recipes: how each model of the scoreboard is fitted to points of the map.

Why: the scoreboard, its figures and the benchmarks all need the same models with the same settings.
They stand here, by name: `fit_model(name, X, rng, seconds)` fits one, and `committed(name, like)`
is the one whose parameters are in figures/parameters/.

A family of models/ without a recipe is found as well, through the taxonomy: if XFamily(2) makes one
of the plane, it is trained with its own defaults, under the name of its module.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from command import WrongUse
from files import FIGURES
from progress import bar

from gdl_numpy import taxonomy
from gdl_numpy.models.adversarial import AdversarialFamily
from gdl_numpy.models.autoregressive import AutoregressiveFamily
from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.energy_based import EnergyBasedFamily
from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.networks.network import Network
from gdl_numpy.networks.storage import load
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.langevin import reflect
from gdl_numpy.probability.change_of_units import InUnits, OnBox, to_plane
from gdl_numpy.probability.family import BoxFamily, HistogramFamily
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.recalibrated import RecalibratedFamily, RecalibratedKernelDensity
from gdl_numpy.world.world_map import WORLD

PARAMETERS = FIGURES / "parameters"
UNIT = np.array([90.0, 180.0])                              # degrees: to [-1, 1]²
SECONDS = 90                                                # of training, on 2 cores
LONGEST = 1e6                                               # of them: twelve days
COMPONENTS, CELLS = 200, (36, 72)                           # of the mixture, of the histogram
BANDWIDTHS = (0.8, 1.0, 1.25)                               # degrees: of the middle one of 3 bumps
KEPT_BACK = 2_000                                           # points, to choose a bandwidth by
LAND_GRID, HALF_DEGREES = (180, 360), (360, 720)            # cells of the map
DRAWS = 1_000_000                                           # that stand for the points
STEPS = 4000                                                # of a family without a recipe


def in_degrees(p, on_box=False):
    """The density per square degree of x = UNIT · u, where u ~ p; with on_box=True that of the x in
    the box of the map which `to_plane` takes to u."""
    xp = array_module(p.theta)
    return OnBox(p, *xp.asarray([-UNIT, UNIT])) if on_box else InUnits(p, xp.asarray(UNIT))


@dataclass(frozen=True)
class Recipe:
    """How a family of networks, `family(xp)` with its constants in the module xp, is trained here.

    `steps` are what 90 seconds on 2 cores allow. Of what it learns from, the share `drawn` is drawn
    from the recalibrated kernel density; all else are the points given, moved by `jitter` degrees.
    `on_box` is for a family that would spend mass beyond the map: it learns in a plane to which the
    box of the map is stretched. `start(family, rng, dtype)` gives the θ from which it is trained;
    without it, the family draws one.
    """
    family: Callable
    steps: int
    drawn: float = 0.0
    jitter: float = 0.0
    on_box: bool = False
    start: Callable | None = None
    options: dict = field(default_factory=dict)

    def __post_init__(self):
        checks.truth(self.on_box, "on_box")
        if checks.function(self.start, "start", optional=True) and "theta" in self.options:
            raise ValueError("options must not have a theta beside start, which gives one")
        checks.number(self.drawn, "drawn", "[0, 1]")
        checks.number(self.jitter, "jitter", "[0, inf)")
        if self.on_box and self.jitter and not self.drawn:
            raise ValueError("with on_box=True and drawn=0, jitter must be 0, as points of the "
                             f"plane cannot be moved by degrees, got {self.jitter}")


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a training: what it had reached."""

    def __init__(self, family, theta):
        self.family, self.theta = family, theta


def moved(degrees):
    """An `augment` that moves points by normal steps, mirrored at the border of the map."""
    def augment(U, rng):
        scale, end = (array_module(U).asarray(side, dtype=U.dtype)
                      for side in (degrees / UNIT, [1.0, 1.0]))
        return reflect(U + scale * rng.standard_normal(U.shape, dtype=U.dtype), -end, end)[0]

    return augment


def recalibrated(X):
    """The recalibrated kernel density of all rows of X, with Z from half degrees."""
    p = RecalibratedKernelDensity.fit(X, WORLD, LAND_GRID, BANDWIDTHS)
    return RecalibratedFamily(p.family.f, p.family.m, WORLD, HALF_DEGREES)(p.theta)


def to_learn_from(X, network, rng):
    """Data for a network, in its units, and an `augment` for them, or None.

    Without draws the points are moved in each step anew, or, by a jitter of 0, not at all; beside
    draws stand copies of them, each moved once.

    Points that are shaken fill the gaps between 20,000 as well, but half of those at a coast are
    shaken into the sea. Draws of the recalibrated kernel density keep to the cliffs of that
    density, and a million of them cannot be learned by heart. A network that has learned from draws
    alone is at best as good as the density that they are drawn from, apart from luck. One that sees
    both can be better: what it learns is a mixture of two densities, the recalibrated one and bumps
    at the points, and where one is wrong the other often is not.
    """
    if network.drawn == 0:
        return (X / UNIT).astype(np.float32), moved(network.jitter) if network.jitter else None
    n = round(network.drawn * DRAWS)
    draws = recalibrated(X).sample(n, rng) / UNIT
    copies = moved(network.jitter)(X[np.arange(DRAWS - n) % len(X)] / UNIT, rng)
    return np.concatenate([draws, copies]).astype(np.float32), None


def n_steps(network, seconds):
    """How many steps of training `seconds` allow."""
    return max(1, round(network.steps * seconds / SECONDS))


def fit_network(network, X, rng, seconds):
    """The density, in degrees, of the network's family fitted to the points X (n, 2)."""
    family, steps = network.family(np), n_steps(network, seconds)
    U, augment = to_learn_from(X, network, rng)
    if network.on_box:
        U, _ = to_plane(U, [-1, -1], [1, 1])
    options, theta = dict(network.options), None
    if network.start is not None:
        options["theta"] = network.start(family, rng, U.dtype)
        if options["theta"] is None:                        # else the family would draw one
            raise TypeError("start must give the theta at which a training begins, got None")
    try:
        for step in bar(family.train(U, rng, max_steps=steps, augment=augment, **options), steps):
            theta = step.theta
    except KeyboardInterrupt:
        raise Interrupted(family, theta) from None
    return in_degrees(family(theta), network.on_box)


def waves(xp, scales, n_each, d=2):
    """Wave vectors in the module xp: they belong to a model like its sizes, and never change."""
    return xp.asarray(wave_vectors(d, n_each, scales, np.random.default_rng(0)).astype("float32"))


def fitted(family, method=None, **options):
    """A classical model: X, rng, seconds -> its maximum likelihood."""
    return lambda X, rng, seconds: family(maximum_likelihood(family, X, rng, method, **options))


def split(X, rng):
    """X without KEPT_BACK of its rows, at most a tenth, and these."""
    order, k = rng.random(len(X)).argsort(), min(KEPT_BACK, len(X) // 10)
    return X[order[k:]], X[order[:k]]


def kernel_density(X, rng, seconds):
    """Of some bandwidths the one that suits points kept back best."""
    train, kept = split(X, rng)
    h = max((1.2, 1.4, 1.6, 1.8, 2.0), key=lambda h: KernelDensity(train, h).log_prob(kept).mean())
    return KernelDensity(X, h)


MODELS = {                                                  # name: X, rng, seconds -> density
    "box": fitted(BoxFamily(2)),
    "normal": fitted(NormalFamily(2)),
    "mixture": fitted(MixtureFamily(COMPONENTS, 2), "em", max_steps=200),
    "histogram": fitted(HistogramFamily(WORLD, CELLS, pseudocount=0.1)),
    "kernel_density": kernel_density,
    "recalibrated_kernel_density": lambda X, rng, seconds: recalibrated(X),
}
NETWORKS = {
    "autoregressive": Recipe(
        lambda xp: AutoregressiveFamily(HALF_DEGREES, (256, 256), waves(xp, (2, 8, 32), 32),
                                        order=(1, 0), bound=3.0),
        7000, drawn=1.0, options={"learning_rate": 2e-3}),
    "spline_flow": Recipe(
        lambda xp: NormalizingFlowFamily(2, 4, (128, 128), "spline", 32, waves(xp, (2, 6, 18), 16)),
        6000, drawn=1.0, options={"learning_rate": 2e-3}),
    "affine_flow": Recipe(
        lambda xp: NormalizingFlowFamily(
            2, 36, (32,), "affine", bound=0.5, max_slope=2.0,
            waves=8 * [waves(xp, (0.5, 1, 2, 4, 8, 16), 5)] + 8 * [waves(xp, (0.5, 1, 2, 4, 8), 6)]
            + 20 * [waves(xp, (0.5, 1, 2, 4), 8)]),
        7000, drawn=1.0, on_box=True, options={"clip": 5.0, "beta2": 0.98}),
    "variational_autoencoder": Recipe(
        lambda xp: VariationalAutoencoderFamily(
            Network((2, 128, 128, 4), "relu", waves(xp, (2, 6, 20), 24), bound=8.0),
            Network((2, 128, 128, 4), "relu", waves(xp, (0.5, 1, 2, 4), 16), bound=8.0),
            floor=5e-3),
        14_000, drawn=1.0, start=partial(VariationalAutoencoderFamily.linear_theta, c=0.6),
        options={"learning_rate": 2e-3, "batch": 512, "n_samples": 4, "clip": 5.0,
                 "calmer": True}),
    "energy_based": Recipe(
        lambda xp: EnergyBasedFamily(
            [-1.0, -1.0], [1.0, 1.0],
            Network((2, 192, 192, 1), "relu", waves(xp, (2, 4, 8, 16), 32), bound=4.0)),
        6000, drawn=0.5, jitter=0.3,
        options={"learning_rate": 2e-3, "batch": 1024, "averaging": 0.999}),
    "diffusion": Recipe(
        lambda xp: DiffusionFamily(2, (224, 224), 256, waves(xp, (2, 6, 20), 24),
                                   log_snr=(10.5, -6.0), activation="relu", focus=1.5),
        31_000, drawn=0.4, jitter=0.2, options={"learning_rate": 2e-3}),
    "adversarial": Recipe(
        lambda xp: AdversarialFamily(
            Network((4, 128, 128, 2), "relu", waves(xp, (0.5, 1, 2, 4), 16, d=4)),
            Network((2, 128, 128, 1), "relu", waves(xp, (2, 4, 8, 16), 16)), rejection=0.999),
        12_000, options={"learning_rate": 2e-3, "alone": 0.35}),
}


def found(package=taxonomy.MODELS):
    """name: Recipe for the families of models/ that have none above and can be made as XFamily(2).
    """
    recipes = {}
    known = {type(recipe.family(np)).__module__ for recipe in NETWORKS.values()}
    for leaf in taxonomy.leaves(package):
        for density in leaf.densities:
            module = importlib.import_module(density.__module__)
            family = getattr(module, f"{density.__name__}Family")
            if module.__name__ not in known:
                recipes[module.__name__.rpartition(".")[2]] = Recipe(
                    lambda xp, family=family: family(2), STEPS)
    return recipes


NETWORKS |= found()
for name, network in NETWORKS.items():
    MODELS[name] = partial(fit_network, network)


def fit_model(name, X, rng, seconds=SECONDS):
    """The model of that name fitted to the points X (n, 2), (latitude, longitude) in degrees.

    A density in degrees: it has `sample(n, rng)`, and log_prob, elbo or energy as its kind has.
    `seconds` scales the number of a network's steps, chosen so that 90 suffice on two cores: up to
    180 of one.
    """
    if name not in MODELS:
        raise ValueError(f"name must be one of {', '.join(MODELS)}, got {name!r}")
    seconds = checks.number(seconds, "seconds", f"(0, {LONGEST:g}]")
    return MODELS[name](X, rng, seconds)


def committed(name, like, folder=PARAMETERS):
    """The density of a network's parameters in `folder`, the committed ones unless another is
    named, where the array `like` lives. WrongUse, which names the file, if it is broken."""
    network = NETWORKS[name]
    family = network.family(array_module(like))
    try:
        theta = load(folder / f"{name}.npz", family, like)
    except ValueError as error:
        raise WrongUse(f"{error}: mend or remove it") from error
    return in_degrees(family(theta), network.on_box)
