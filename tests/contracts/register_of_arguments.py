"""The register of arguments: right ones for every public function, class and method that has any.

In test_contract_arguments.py each argument in turn is replaced by wrong ones. A new class needs the
arguments of its constructor in CLASSES, a new function or method those of its arguments that
BY_NAME does not know in CALLS. `every_call` finds them all, `right` gives their arguments.
"""

import importlib
import inspect
import pkgutil
from functools import cache

import numpy

import gdl_numpy
from gdl_numpy.agents.chart import Chart
from gdl_numpy.agents.sailing import Log, trade_winds
from gdl_numpy.networks.network import Network
from gdl_numpy.probability.density import Box, Normal
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.representation.principal_components import PrincipalComponents
from gdl_numpy.world.world_map import WorldMap


@cache
def every_class():
    """The classes of the package, private ones too, by name."""
    modules = [importlib.import_module(info.name) for info in
               pkgutil.walk_packages(gdl_numpy.__path__, "gdl_numpy.")]
    return {name: value for module in modules for name, value in vars(module).items()
            if inspect.isclass(value) and value.__module__ == module.__name__}


@cache
def every_call():
    """The public functions, constructors and methods that take arguments, by "module.function",
    "Class" and "Class.method", the latter where it is defined."""
    modules = [importlib.import_module(info.name) for info in
               pkgutil.walk_packages(gdl_numpy.__path__, "gdl_numpy.")]
    calls = {f"{module.__name__.rpartition('.')[2]}.{name}": value
             for module in modules for name, value in vars(module).items()
             if inspect.isfunction(value) and value.__module__ == module.__name__
             and value.__name__ == name and not name.startswith("_")}       # under no older name
    for name, kind in every_class().items():
        for method, value in vars(kind).items():
            if inspect.isfunction(value) and value.__name__ == method and (
                    not method.startswith("_") or method == "__call__"):
                calls[f"{name}.{method}"] = value
            elif isinstance(value, classmethod) and not method.startswith("_"):
                calls[f"{name}.{method}"] = getattr(kind, method)
        if name in CLASSES:
            calls[name] = kind
    return {name: call for name, call in calls.items()
            if name not in ELSEWHERE and not name.startswith("checks.")
            and name.rpartition(".")[2] not in NOT_LOOKED_AT and set(parameters(call)) - {"self"}}


def parameters(call):
    """The names of the arguments of a call, without *args and **kwargs."""
    return [name for name, parameter in inspect.signature(call).parameters.items()
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name != "name"]


def rng():
    return numpy.random.default_rng(0)


def rows(n, d, seed=0):
    return numpy.random.default_rng(seed).uniform(-0.9, 0.9, (n, d))


X = rows(30, 2)
LABELS = numpy.arange(30) % 2
CUBE = [[0.1, 0.2], [0.9, 0.1], [0.5, 0.8]]
PIXELS = [[0, 1, 2], [2, 0, 1], [1, 1, 0]]
WAVES = [[1.0, 0.0], [0.5, 3.0]]


def square():
    return SampleSpace([-1.0, -1.0], [1.0, 1.0])


def normal(shift=0.0):
    return Normal([shift, 0.0], [[2.0, 0.3], [0.3, 1.0]])


def axes():
    return PrincipalComponents.fit(rows(30, 3), 2)


@cache
def sailing():
    return trade_winds(Chart())


CORRIDOR = numpy.array([[[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]], [[1, 0, 0], [1, 0, 0],
                                                                   [0, 1, 0]]])


CLASSES = {                                                 # right arguments of constructors
    "Chart": lambda: {"start": [37.5, -12.5], "goal": [37.5, -67.5]},
    "World": lambda: {"chart": sailing().chart, "masses": sailing().masses},
    "Box": lambda: {"low": [-1.0, -1.0], "high": [1.0, 1.0]},
    "SampleSpace": lambda: {"low": [-1.0, -1.0], "high": [1.0, 1.0]},
    "Normal": lambda: {"mu": [0.0, 0.0], "covariance": [[2.0, 0.3], [0.3, 1.0]]},
    "Mixture": lambda: {"weights": [0.4, 0.6], "components": [normal(), normal(1.0)]},
    "Histogram": lambda: {"space": square(), "masses": [[0.1, 0.2], [0.3, 0.4]]},
    "KernelDensity": lambda: {"X": X, "bandwidth": 0.4},
    "InUnits": lambda: {"p": normal(), "unit": [90.0, 180.0]},
    "OnBox": lambda: {"p": normal(), "low": [-9.0, -9.0], "high": [9.0, 9.0]},
    "ClassConditional": lambda: {"densities": [normal(), normal(1.0)], "priors": [0.4, 0.6]},
    "PrincipalComponents": lambda: {
        "mu": [0.0, 0.0], "components": [[0.6], [0.8]], "explained_variance_ratio": [0.7]},
    "LeadingCoordinates": lambda: {"axes": axes(), "s": [1.0, 0.5], "sigma": 0.3},
    "InLeadingCoordinates": lambda: {
        "coordinates": instance("LeadingCoordinates"), "p_z": normal()},
    "Pushforward": lambda: {"p_z": normal(), "f": lambda Z: Z},
    "IndependentPixels": lambda: {"mass": [[0.2, 0.8], [0.5, 0.5], [0.1, 0.9], [0.5, 0.5]]},
    "Dequantized": lambda: {"p": Box([0.0] * 4, [1.0] * 4), "levels": 3},
    "LogisticDecoder": lambda: {"axes": axes(), "u": [0.5, 0.3], "s": [0.1, 0.2, 0.1], "levels": 3,
                                "noise": 0.07},
    "Discretized": lambda: {"p": normal(), "decoder": instance("LogisticDecoder")},
    "BiscuitTins": lambda: {"n": 3, "rng": rng(), "resolution": 4},
    "Faces": lambda: {"n": 3, "rng": rng(), "resolution": 4},
    "WorldMap": lambda: {},
    "Region": lambda: {"start": [[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]],
                       "end": [[0.5, 0.0], [0.5, 0.5], [0.0, 0.0]], "space": square(),
                       "shape": (4, 5)},
    "Network": lambda: {"sizes": (2, 4, 2)},
    "Average": lambda: {"a": 0.9},
    "GradientDescent": lambda: {}, "Adam": lambda: {},
    "BoxFamily": lambda: {"d": 2}, "NormalFamily": lambda: {"d": 2},
    "MixtureFamily": lambda: {"n_components": 2, "d": 2},
    "HistogramFamily": lambda: {"space": square(), "shape": (3, 4)},
    "RecalibratedFamily": lambda: {
        "f": KernelDensity(X, 0.4), "m": -1.0, "space": square(), "shape": (5, 6)},
    "NetworkClassifierFamily": lambda: {"sizes": (2, 5, 2)},
    "SoftmaxFamily": lambda: {"d": 2, "n_classes": 2}, "LogisticFamily": lambda: {"d": 2},
    "ProbabilisticPCAFamily": lambda: {"d": 2, "k": 1},
    "AutoencoderFamily": lambda: {"sizes": (2, 4, 1)},
    "WindowFamily": lambda: {"side": 2, "levels": 3, "reach": 1, "rows": 1, "hidden": (4,)},
    "AutoregressiveFamily": lambda: {"bins": (3, 4), "hidden": (5,)},
    "MaskedAutoregressiveFamily": lambda: {"d": 4, "hidden": (5,)},
    "NormalizingFlowFamily": lambda: {"d": 2, "n_layers": 2, "hidden": (5,), "waves": WAVES},
    "VariationalAutoencoderFamily": lambda: {
        "encoder": Network((2, 5, 2)), "decoder": Network((1, 5, 2))},
    "EnergyBasedFamily": lambda: {
        "low": [-1.0, -1.0], "high": [1.0, 1.0], "network": Network((2, 5, 1))},
    "DiffusionFamily": lambda: {"d": 2, "hidden": (5,), "n_levels": 4},
    "AdversarialFamily": lambda: {
        "generator": Network((1, 5, 2)), "discriminator": Network((2, 5, 1))},
    "GridNormalized": lambda: {"p": instance("EnergyBased"), "shape": (5, 6)},
}
MEMBERS = {                                                 # classes of p_theta, and their families
    "Autoregressive": "AutoregressiveFamily", "MaskedAutoregressive": "MaskedAutoregressiveFamily",
    "_Autoregressive": "AutoregressiveFamily", "NormalizingFlow": "NormalizingFlowFamily",
    "VariationalAutoencoder": "VariationalAutoencoderFamily", "EnergyBased": "EnergyBasedFamily",
    "Diffusion": "DiffusionFamily", "Adversarial": "AdversarialFamily", "Window": "WindowFamily",
    "Classifier": "NetworkClassifierFamily", "Autoencoder": "AutoencoderFamily",
    "ProbabilisticPCA": "ProbabilisticPCAFamily", "LinearClassifier": "SoftmaxFamily",
    "RecalibratedKernelDensity": "RecalibratedFamily", "Tractable": "NormalizingFlowFamily",
    "Trained": "NormalizingFlowFamily",
}
SHARED = {                                                  # bases, and a class with their methods
    "ClassifierFamily": "SoftmaxFamily", "TrainedFamily": "EnergyBasedFamily",
    "TractableFamily": "NormalizingFlowFamily",
}


def instance(name):
    """An object of a class."""
    name = SHARED.get(name, name)
    if name in MEMBERS:
        family = instance(MEMBERS[name])
        return family(theta_of(family))
    return every_class()[name](**CLASSES[name]())


def theta_of(family):
    if type(family).__name__ == "BoxFamily":
        return numpy.array([-1.0, -1.0, 1.0, 1.0])
    if type(family).__name__ == "RecalibratedFamily":
        return numpy.array([2.0, 3.0, 1.0])
    return 0.5 * rows(1, family.n_parameters, seed=4)[0]


BY_NAME = {                                                 # what arguments of a name are, mostly
    "rng": rng, "n": lambda: 3, "X": lambda: X, "y": lambda: LABELS,
    "K": lambda: [[0, 1, 2, 1]] * 6,
    "Z": lambda: rows(6, 2), "theta": lambda: theta_of(NormalFamily(2)), "family": lambda:
    NormalFamily(2), "like": lambda: X, "p_data": lambda: WorldMap(), "p_model": normal,
    "space": square, "shape": lambda: (5, 6), "sizes": lambda: (2, 4, 3), "p": normal,
    "q": lambda: normal(1.0), "levels": lambda: 3, "dtype": lambda: "float64",
    "resolution": lambda: 4, "axis": lambda: -1, "x": lambda: rows(1, 6)[0],
    "raw": lambda: rows(6, 7), "low": lambda: [-1.0, -1.0], "high": lambda: [1.0, 1.0],
    "theta_g": lambda: 0.5 * rows(1, 22)[0], "phi": lambda: 0.5 * rows(1, 21)[0],
    "chart": lambda: sailing().chart, "world": sailing, "model": sailing,
    "log": lambda: Log(numpy.array([90, 91]), numpy.array([3, 3]), numpy.array([89, 91])),
    "P": lambda: CORRIDOR, "goal": lambda: 2, "m": lambda: 3,
    "cells": lambda: numpy.array([90, 91]), "headings": lambda: numpy.array([3, 3]),
}


def vae(**more):
    return lambda: {"Z": rows(6, 1)} | more


CALLS = {                                                   # what BY_NAME does not know
    "density.categorical": lambda: {"weights": numpy.array([0.2, 0.8])},
    "density.sample_components": lambda: {
        "weights": numpy.array([0.2, 0.8]), "components": [normal(), normal(1.0)]},
    "density.inverse": lambda: {"L": numpy.eye(2)},
    "discretized.log_mass_of_levels": lambda: {
        "X_hat": rows(6, 4), "s": numpy.ones(4)},
    "density.cholesky": lambda: {"covariance": numpy.eye(2)},
    "expectation_maximization.expectation_maximization": lambda: {
        "family": MixtureFamily(2, 2), "rng": rng()},
    "expectation_maximization.k_means_plus_plus": lambda: {"k": 3},
    "mle.descend": lambda: {},
    "conditional.noise_kept": lambda: {
        "classifier": instance("Classifier"), "noise": normal(), "log_odds_bound": 2.0},
    "evaluation.coverage": lambda: {"p_model": Box([-90, -180], [90, 180])},
    "evaluation.verdict": lambda: {"x": numpy.array([0.3, 0.4])},
    "evaluation.cells_hit": lambda: {"cell": 0.5},
    "change_of_units.to_plane": lambda: {"low": [-9.0, -9.0], "high": [9.0, 9.0]},
    "fourier.wave_vectors": lambda: {"d": 2, "n_each": 3, "scales": (1.0, 2.0)},
    "fourier.n_features": lambda: {"d": 2, "F": WAVES},
    "fourier.fourier_features": lambda: {"F": WAVES},
    "linear_start.linear_start": lambda: {
        "network": Network((2, 4, 3), "relu"), "theta": rows(1, 27)[0], "M": rows(2, 3)},
    "network.mlp": lambda: {"theta": rows(1, 27)[0]},
    "network.cut": lambda: {"theta": rows(1, 27)[0]},
    "rational_quadratic.n_spline_parameters": lambda: {"n_bins": 4},
    "rational_quadratic.inverse_spline": lambda: {"y": rows(1, 6)[0]},
    "normalizing_flow.affine": lambda: {"raw": rows(6, 2)},
    "normalizing_flow.inverse_affine": lambda: {"y": rows(1, 6)[0], "raw": rows(6, 2)},
    "planning.expected_steps": lambda: {"plan": numpy.array([0, 0, 0])},
    "q_learning.q_learning": lambda: {"Q": rows(160, 4)},
    "diffusion.linear": lambda: {"u": rows(1, 6)[0], "highest": 5.0, "lowest": -3.0},
    "diffusion.cosine": lambda: {"u": abs(rows(1, 6)[0]), "highest": 5.0, "lowest": -3.0},
    "diffusion.signal_and_noise": lambda: {"log_snr": rows(1, 6)[0]},
    "training.starting_theta": lambda: {
        "family": Network((2, 4, 2)), "theta": rows(1, 22)[0]},
    "training.minibatches": lambda: {"data": (X, LABELS), "batch": 4, "max_steps": 3},
    "training.train": lambda: {"loss": lambda theta, X: (0.0, theta), "data": (X,)},
    "langevin.walk": lambda: {"energy": lambda X: ((X**2).sum(axis=1), 2 * X), "steps": 2},
    "langevin.jump": lambda: {"energy": lambda X: (X**2).sum(axis=1), "jumps": 2},
    "langevin.uniform": lambda: {"low": numpy.zeros(2), "high": numpy.ones(2)},
    "blocks.in_blocks": lambda: {"function": numpy.arange},
    "elementary.bounded": lambda: {"B": 2.0},
    "optimizer.half_cosine": lambda: {"t": 1, "steps": 3},
    "neighbors.nearest": lambda: {"Q": rows(6, 2)},
    "kernel_sum.log_kernel_sum": lambda: {"Q": rows(6, 2), "h": 0.4},
    "newton.minimize": lambda: {
        "evaluate": lambda t: (float((t**2).sum()), 2 * t, lambda v: 2 * v),
        "theta": numpy.ones(3), "precondition": lambda r: r, "tol": 1e-9},
    "backend.random_generator": lambda: {"seed": 0},
    "painters.paint": lambda: {"painter": 1, "size": 16},
    "painters.features": lambda: {"images": abs(rows(2, 16 * 16 * 3)).reshape(2, 16, 16, 3)},
    "pixels.quantize": lambda: {"images": abs(X)},
    "rasterizer.rasterize": lambda: {"polygons": [numpy.array([CUBE])]},
    "biscuit_tins.render": lambda: {"latent": 0.5 + 0.1 * X},
    "biscuit_tins.derivative": lambda: {"latent": 0.5 + 0.1 * X},
    "biscuit_tins.extent": lambda: {"images": abs(rows(3, 16))},
    "faces.render": lambda: {"latent": rows(2, 13)},
    "silhouettes.dog": lambda: {"latent": abs(X)},
    "silhouettes.horse": lambda: {"latent": rows(3, 8)},
    "latent.interpolate": lambda: {
        "model": instance("Autoencoder"), "x0": numpy.zeros(2), "x1": numpy.ones(2)},
    "latent.directions": lambda: {
        "Z": rows(30, 3), "attributes": X, "z": [0.0, 0.1, 0.2], "k": 20},
    "manifold.neighbor_regression": lambda: {"Z": X, "U": rows(30, 3), "Q": rows(6, 2)},
    "manifold.determination": lambda: {"U": X, "U_hat": X + 0.1},
    "likelihood.mean": lambda: {"values": rows(1, 6)[0], "backward": lambda dv: dv},
    "likelihood.negative_mean": lambda: {"log_p": rows(1, 6)[0], "backward": lambda dv: dv},
    "logistic.iteratively_reweighted_least_squares": lambda: {"l2": 0.1},
    "expectation_maximization.responsibilities": lambda: {
        "family": MixtureFamily(2, 2), "theta": theta_of(MixtureFamily(2, 2))},
    "expectation_maximization.weighted_estimate": lambda: {
        "family": MixtureFamily(2, 2), "R": 0.5 + 0.4 * rows(30, 2)},

    "Chart.table": lambda: {"masses": sailing().masses},
    "World.sail": lambda: {"plan": numpy.full(160, 3)},

    "AdversarialFamily.noise": lambda: {}, "AdversarialFamily.generate": vae(),
    "AdversarialFamily.generator_loss": vae(),
    "AdversarialFamily.discriminator_loss": lambda: {"fake": rows(30, 2, 1)},
    "AutoregressiveFamily.logits": lambda: {"before": rows(6, 1)},
    "MaskedAutoregressiveFamily.logits": lambda: {"X": (rows(6, 4) > 0) * 1.0},
    "MaskedAutoregressiveFamily.on_space": lambda: {"X": (rows(6, 4) > 0) * 1.0},
    "MaskedAutoregressiveFamily.log_prob": lambda: {"X": (rows(6, 4) > 0) * 1.0},
    "MaskedAutoregressive.log_prob": lambda: {"X": (rows(6, 4) > 0) * 1.0},
    "MaskedAutoregressiveFamily.mask": lambda: {"xp": numpy},
    "DiffusionFamily.log_snr_at": lambda: {"u": rows(1, 6)[0]},
    "DiffusionFamily.eps_hat": lambda: {"log_snr": rows(1, 30)[0]},
    "EnergyBasedFamily.log_z": lambda: {"U": X},
    "EnergyBasedFamily.walk": lambda: {"steps": 2},
    "EnergyBasedFamily.contrastive_divergence": lambda: {"samples": X},
    "VariationalAutoencoderFamily.linear_theta": lambda: {
        "self": every_class()["VariationalAutoencoderFamily"](Network((2, 5, 2), "relu"),
                                                              Network((1, 5, 2), "relu"))},
    "VariationalAutoencoderFamily.decode": vae(), "VariationalAutoencoder.decode": vae(),
    "VariationalAutoencoderFamily.importance_weighted": lambda: {"n_samples": 2},
    "VariationalAutoencoder.importance_weighted": lambda: {"n_samples": 2},
    "AutoencoderFamily.decode": vae(), "Autoencoder.decode": vae(),
    "AutoencoderFamily.rescaled": lambda: {"mu": numpy.zeros(2), "scale": 2.0},
    "ProbabilisticPCA.decode": vae(), "PrincipalComponents.decode": vae(),
    "WindowFamily.inputs": lambda: {"K": numpy.array([[0, 1, 2, 1]]), "pixels": numpy.array([[1]])},
    "Window.log_conditional": lambda: {
        "K": numpy.array([[0, 1, 2, 1]]), "pixels": numpy.array([[1]])},
    "LogisticDecoder.fit": lambda: {"axes": axes(), "K": PIXELS, "noise": 0.07, "max_steps": 2},
    "LogisticDecoder.encode": lambda: {"K": PIXELS},
    "LogisticDecoder.points": lambda: {"K": PIXELS},
    "Discretized.lower_bound": lambda: {"log_w": numpy.zeros(6)},
    "IndependentPixels.log_mass": lambda: {"K": [[0, 1, 0, 1]]},
    "RecalibratedFamily.level": lambda: {"log_f": rows(1, 6)[0]},
    "RecalibratedFamily.best_of": lambda: {"log_f": rows(1, 6)[0]},
    "RecalibratedKernelDensity.fit": lambda: {"bandwidths": [0.3, 0.4]},
    "Normal.from_cholesky": lambda: {"mu": numpy.zeros(2), "L": numpy.eye(2)},
    "NormalFamily.theta": lambda: {"mu": numpy.zeros(2), "L": numpy.eye(2)},
    "MixtureFamily.theta": lambda: {"weights": numpy.array([0.4, 0.6]), "mu": numpy.zeros((2, 2)),
                                    "L": numpy.stack([numpy.eye(2)] * 2)},
    "PrincipalComponents.fit": lambda: {"k": 1},
    "LeadingCoordinates.fit": lambda: {"X": rows(30, 3), "k": 2},
    "LeadingCoordinates.encode": lambda: {"X": rows(30, 3)},
    "LeadingCoordinates.jittered": lambda: {"noise": 0.1},
    "LeadingCoordinates.log_prob": lambda: {"X": rows(30, 3), "log_p_z": normal().log_prob},
    "InLeadingCoordinates.log_prob": lambda: {"X": rows(30, 3)},
    "SampleSpace.on": lambda: {"xp": numpy}, "Region.on": lambda: {"xp": numpy},
    "Region.integral": lambda: {"G": numpy.sin},
    "GradientDescent.__call__": lambda: {"theta": numpy.ones(3), "dtheta": numpy.ones(3)},
    "Adam.__call__": lambda: {"theta": numpy.ones(3), "dtheta": numpy.ones(3)},
}


HERE = "is called by others here, with arrays that they have looked at"
ELSEWHERE = {                                               # or have no arguments of these kinds
    "blocks.mean_over_blocks": "takes any number of arrays: test_blocks.py",
    "Parts.__call__": "is made of any number of lengths: test_network.py",
    "trained.checked_network": "is a check", "linear_start.can_be_linear": "is a check",
    "normal_family.checked_exponents": "is a check",
    "backend.to_numpy": "takes what NumPy does, without a mask: test_backend.py",
    "backend.unmasked": "is a check",
    "neighbors.near_blocks": HERE, "newton.conjugate_gradient": HERE,
    "exact.cell_of": HERE, "World.moved": HERE,
    "moments.mean_of_rows": HERE, "moments.moments": HERE, "moments.varies": HERE,
    "normal_family.cut_normals": HERE, "pixels.inverse_cdf": HERE, "silhouettes.smooth": HERE,
    "silhouettes.direction": HERE, "silhouettes.turn": HERE, "silhouettes.limb": HERE,
    "storage.save": "writes a file: test_storage.py", "storage.load": "test_storage.py",
    "storage.write_whole": "writes a file: test_storage.py", "separation.separated_near": HERE,
    "softmax_newton.planes_of_least_loss": HERE,
    "taxonomy.branch": "reads classes", "taxonomy.densities": "reads classes",
    "taxonomy.leaves": "reads classes", "taxonomy.tree": "reads classes",
}
CONVERTED = ("expectation_maximization", "mle.descend", "mle.maximum_likelihood", "likelihood.log",
             "likelihood.likelihood", "likelihood.negative", "likelihood.mean_loss", "training.",
             "RecalibratedFamily.l", "HistogramFamily.l", "NormalFamily.l", "MixtureFamily.l")
ANY_LENGTH = ("training.train", "newton.minimize", "GradientDescent.__call__", "Adam.__call__",
              "Average.__call__")
NOT_LOOKED_AT = {"on_space", "on", "mask"}                  # methods that are called by others here

STEPS = (                                                   # of a training, or parts of one
    "Adam", "Average", "GradientDescent", "Network.", "diffusion.", "discretized.log_mass",
    "elementary.", "fourier.", "langevin.reflect", "langevin.uniform", "likelihood.mean",
    "likelihood.negative_mean", "network.", "normalizing_flow.", "rational_quadratic.",
    "training.starting_theta", "LeadingCoordinates.jittered", "LogisticDecoder.redrawn",
    "density.inverse")

FUNCTIONS = dict.fromkeys((                                 # whose own errors are their own
    "loss", "augment", "optimizer", "energy", "function", "evaluate", "precondition", "look",
    "renew",
    "backward", "log_p_z", "f", "G", "weight",
    "Dequantized.log_p", "Discretized.log_p", "likelihood.negative_mean.backward"), ("class",))
NEVER_WAITS = dict.fromkeys((                               # so nobody asks whether it is finite
    "elementary.logsumexp.x", "elementary.log_softmax.x", "elementary.softmax.x", "u",
    "elementary.softplus.x", "elementary.sigmoid.x", "elementary.bounded.x", "langevin.reflect.X",
    "like", "log_snr",
    "training.starting_theta.X", "RecalibratedFamily.level.log_f", "scale"), ("NaN",))
TAKEN = FUNCTIONS | NEVER_WAITS | {                         # what else is right for an argument
    "HistogramFamily.__call__.theta": ("-inf",),            # of a cell without mass
    "keepdims": ("True",), "calmer": ("True",), "anywhere": ("True",), "axis": ("None",),
    "F": ("None",), "B": ("None",), "seed": ("None",), "bound": ("None",), "averaging": ("None",),
    "training.starting_theta.theta": ("None",), "Diffusion.sample.n_steps": ("None",),
    "RecalibratedFamily.best_of.log_f": ("-inf",),          # where f is 0
}
OTHER_NAMES = {                                             # by which an error calls an argument
    "Average.a": "averaging", "theta_g": "theta", "phi": "theta", "highest": "highest, lowest",
    "planning.value_iteration.P": "goal", "planning.expected_steps.P": "goal",     # none of P's
    "evaluation.verdict.x": "X", "Dequantized.lower_bound.K": "X", "World.step.cells": "headings",
}


def right(name):
    """The arguments, by name, with which the call of this name works."""
    given = dict(_right(name))
    return given | {"rng": rng()} if "rng" in given else given


@cache
def _right(name):
    call, given = every_call()[name], {}
    if name in CLASSES:
        return CLASSES[name]()
    wanted = parameters(call)
    if wanted[0] == "self":
        given["self"] = instance(name.partition(".")[0])
    if hasattr(given.get("self"), "n_parameters") and "theta" in wanted:
        given["theta"] = theta_of(given["self"])
    own = CALLS.get(name, dict)()
    for parameter, details in inspect.signature(call).parameters.items():
        if parameter in own:
            given[parameter] = own[parameter]
        elif parameter in wanted and parameter not in given and details.default is details.empty:
            given[parameter] = BY_NAME[parameter]()
    return given
