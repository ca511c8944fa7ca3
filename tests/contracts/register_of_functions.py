"""The register of functions: a small call of each public function that takes or gives arrays.

What a function promises about its arrays is asked of all of them in test_contract_functions.py. A
new function needs one line here, beside its name, "module.function":

    "elementary.sigmoid": Call(lambda f, a: f(a(ROWS))),

where f is the function; `a` makes arrays of lists, in the module and the precision in which it is
to compute, `a.whole` such of whole numbers, and `a.rng` is a generator where these arrays live.
PULLED_BACK holds those that return a value and its pullback, and the methods that do. PLAIN says
why a function stands in neither.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy

import gdl_numpy
from gdl_numpy.agents.chart import Chart
from gdl_numpy.agents.sailing import Log, trade_winds
from gdl_numpy.labels.discriminative import NetworkClassifierFamily
from gdl_numpy.labels.logistic import LogisticFamily, SoftmaxFamily
from gdl_numpy.models.adversarial import AdversarialFamily
from gdl_numpy.models.autoregressive import AutoregressiveFamily, MaskedAutoregressiveFamily
from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.energy_based import EnergyBasedFamily
from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.network import Network
from gdl_numpy.probability.density import Box, Normal
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.representation.autoencoder import AutoencoderFamily
from gdl_numpy.representation.principal_components import ProbabilisticPCAFamily
from gdl_numpy.world.world_map import WorldMap


@cache
def every_function():
    """The public functions, by "module.function", wherever they are."""
    modules = [importlib.import_module(info.name) for info in
               pkgutil.walk_packages(gdl_numpy.__path__, "gdl_numpy.")]
    return {f"{module.__name__.rpartition('.')[2]}.{name}": value
            for module in modules for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
            and value.__name__ == name and not name.startswith("_")}        # under no older name


@dataclass(frozen=True)
class Call:
    call: Callable                  # call(f, a) -> what f makes of arrays that `a` makes
    dtype: str = ""                 # why not all that it makes has the precision of what it takes
    mixes: str = ""                 # why an array of another module may be among its arguments


def numbers(*shape, seed=0):
    """Numbers between -1 and 1, on the host, the same in every call."""
    return numpy.random.default_rng(seed).uniform(-0.9, 0.9, shape)


ROWS, POINTS, TIMES = numbers(6, 2), numbers(30, 2, seed=1), [0.1, 0.3, 0.8]
COMBS, COLUMN = numbers(30, 3, seed=2), numbers(6, seed=3)
WAVES = [[1.0, 0.0, 2.0], [0.5, 3.0, -1.0]]
MATRIX = [[2.0, 0.3], [0.3, 1.0]]
SIZES, RAW = (2, 4, 3), 7                                   # 3K + 1 numbers make a spline of 2 bins
LABELS = [0, 1] * 15
FLOAT64 = "it computes in float64, whatever the data"
HOST = "it gives a Python number"
WHOLE = "it gives whole numbers"
NETWORK, BENT = Network(SIZES), Network(SIZES, "relu", WAVES, 2.0)
NORMAL, MIXTURE = NormalFamily(2), MixtureFamily(2, 2)


def theta(family, seed=4):
    return 0.5 * numbers(family.n_parameters, seed=seed)


def normal(a, shift=0.0):
    return Normal(a([shift, 0.0]), a(MATRIX))


def square(a, side=1.0):
    return SampleSpace(a([-side, -side]), a([side, side]))


def world(a):
    return Box(a([-90.0, -180.0]), a([90.0, 180.0]))


def all_of(steps):
    return [(step.loss, step.theta) for step in steps]


def quadratic(a):
    """The loss θ·Aθ/2 - b·θ for Newton's method: its value, gradient, and v -> A v."""
    A, b = a(MATRIX), a([1.0, -1.0])
    return lambda t: (float((0.5 * t * (A @ t) - b * t).sum()), A @ t - b, lambda v: A @ v)


def two_classes(a):
    return LogisticFamily(2)(a([0.5, -1.0, 0.2]))


def coder(a):
    family = AutoencoderFamily((2, 4, 1))
    return family(a(theta(family)))


def sailing(a):
    """The true world of the ship, where `a` makes arrays."""
    return trade_winds(Chart()).on(a.xp)


CORRIDOR = [[[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]], [[1, 0, 0], [1, 0, 0], [0, 1, 0]]]


def squares(a):
    """Two triangles in each of three pictures."""
    corners = numpy.array([[0.1, 0.2], [0.9, 0.1], [0.5, 0.8]])
    return [a(corners + 0.02 * numbers(3, 1, 2)), a(corners[::-1] * 0.7 + 0 * numbers(3, 1, 2))]


FUNCTIONS = {
    "moments.mean_of_rows": Call(lambda f, a: f(a(ROWS))),
    "moments.moments": Call(lambda f, a: f(a(ROWS)), dtype=FLOAT64),
    "moments.varies": Call(lambda f, a: f(a([0.3, 0.0]), a([0.0, 1.0]), "float64"),
                           dtype="it gives truths"),
    "elementary.logsumexp": Call(lambda f, a: f(a(ROWS), axis=1)),
    "elementary.log_softmax": Call(lambda f, a: f(a(ROWS))),
    "elementary.softmax": Call(lambda f, a: f(a(ROWS), axis=0)),
    "elementary.softplus": Call(lambda f, a: f(a(ROWS))),
    "elementary.sigmoid": Call(lambda f, a: f(a(ROWS))),
    "kernel_sum.log_kernel_sum": Call(lambda f, a: f(a(ROWS), a(POINTS), 0.3)),
    "exact.cell_of": Call(lambda f, a: f(a(ROWS), -4.0, 4.0, 7), WHOLE),
    "neighbors.near_blocks": Call(lambda f, a: list(f(a(ROWS), a(POINTS), 0.5)), WHOLE),
    "neighbors.nearest": Call(lambda f, a: f(a(ROWS), a(POINTS), 3)),
    "newton.minimize": Call(lambda f, a: f(quadratic(a), a([0.0, 0.0]), lambda r: r, 1e-9)[0]),
    "newton.conjugate_gradient": Call(
        lambda f, a: f(quadratic(a)(a([0.0, 0.0]))[2], a([1.0, -1.0]), lambda r: r)),
    "langevin.walk": Call(lambda f, a: f(
        lambda X: ((X**2).sum(axis=1), 2 * X), a(ROWS), a([-1, -1]), a([1, 1]), a.rng, 5)),
    "langevin.jump": Call(lambda f, a: f(
        lambda X: (X**2).sum(axis=1), a(ROWS), a([-1, -1]), a([1, 1]), a.rng, 5)),
    "langevin.uniform": Call(lambda f, a: f(5, a([-1.0, 0.0]), a([1.0, 2.0]), a.rng)),
    "langevin.reflect": Call(lambda f, a: f(a(3 * ROWS), a([-1.0, -0.5]), a([1.0, 0.5]))),
    "blocks.in_blocks": Call(lambda f, a: (lambda X: f(lambda i, j: X[i:j], 6, 4))(a(ROWS))),
    "blocks.mean_over_blocks": Call(lambda f, a: f(
        lambda t, X: ((t * X).sum(axis=1).mean(), X.mean(axis=0)), a([1.0, 2.0]), a(ROWS),
        rows=4)),

    "density.categorical": Call(lambda f, a: f(a([0.2, 0.3, 0.5]), 20, a.rng), WHOLE),
    "density.sample_components": Call(
        lambda f, a: f(a([0.4, 0.6]), [normal(a), normal(a, 1.0)], 20, a.rng)),
    "density.inverse": Call(lambda f, a: f(a([[2.0, 0.0], [0.3, 1.0]]))),
    "density.cholesky": Call(lambda f, a: f(a(MATRIX))),
    "divergence.total_mass": Call(lambda f, a: f(normal(a), square(a, 3.0), (5, 6))),
    "divergence.entropy": Call(lambda f, a: f(normal(a), square(a, 3.0), (5, 6))),
    "divergence.cross_entropy": Call(
        lambda f, a: f(normal(a), normal(a, 1.0), square(a, 3.0), (5, 6))),
    "divergence.kl_divergence": Call(
        lambda f, a: f(normal(a), normal(a, 1.0), square(a, 3.0), (5, 6))),
    "divergence.jensen_shannon": Call(
        lambda f, a: f(normal(a), normal(a, 1.0), square(a, 3.0), (5, 6))),
    "divergence.cross_entropy_estimate": Call(lambda f, a: f(normal(a), a(ROWS))),
    "likelihood.likelihood": Call(lambda f, a: f(NORMAL, a(theta(NORMAL)), a(ROWS))),
    "likelihood.log_likelihood": Call(lambda f, a: f(NORMAL, a(theta(NORMAL)), a(ROWS))),
    "likelihood.negative_log_likelihood": Call(lambda f, a: f(NORMAL, a(theta(NORMAL)), a(ROWS))),
    "likelihood.mean_loss": Call(lambda f, a: f(MIXTURE, a(theta(MIXTURE)), a(ROWS))),
    "likelihood.mean": Call(lambda f, a: f(a(COLUMN), lambda dv: 2 * dv)),
    "likelihood.negative_mean": Call(lambda f, a: f(a(COLUMN), lambda dv: 2 * dv)),
    "normal_family.cut_normals": Call(lambda f, a: f(a(numbers(3, 5)), 2)),
    "mle.maximum_likelihood": Call(lambda f, a: f(
        MIXTURE, a(POINTS), theta=a(theta(MIXTURE)), method="em", max_steps=3)),
    "mle.descend": Call(lambda f, a: all_of(
        f(NORMAL, a(POINTS), a(theta(NORMAL)), max_steps=3))),
    "expectation_maximization.responsibilities": Call(
        lambda f, a: f(MIXTURE, a(theta(MIXTURE)), a(ROWS))),
    "expectation_maximization.weighted_estimate": Call(
        lambda f, a: f(MIXTURE, a(0.5 + 0.4 * numbers(30, 2)), a(POINTS))),
    "expectation_maximization.expectation_maximization": Call(lambda f, a: [
        step.theta for step in f(MIXTURE, a(POINTS), theta=a(theta(MIXTURE)), max_steps=3)]),
    "expectation_maximization.k_means_plus_plus": Call(lambda f, a: f(a(POINTS), 3, a.rng)),

    "change_of_units.to_plane": Call(lambda f, a: f(a(ROWS), a([-1.0, -2.0]), a([1.0, 1.0]))),
    "world_map.continent_of": Call(lambda f, a: f(a(80 * ROWS)), WHOLE),
    "evaluation.accuracy": Call(lambda f, a: f(normal(a), square(a), 50, a.rng),
                                "a share has the precision of NumPy's mean of truth values"),
    "evaluation.coverage": Call(
        lambda f, a: f(world(a), WorldMap(), 50, a.rng, 20.0), HOST),
    "evaluation.cells_hit": Call(lambda f, a: f(a(POINTS), 0.3), HOST),
    "evaluation.kl_to_data": Call(lambda f, a: f(world(a), WorldMap(), a(80 * ROWS))),
    "evaluation.verdict": Call(lambda f, a: vars(f(normal(a), WorldMap(), a([0.5, 0.3]))), HOST),

    "fourier.wave_vectors": Call(lambda f, a: f(2, 3, (1.0, 4.0), a.rng), FLOAT64),
    "linear_start.linear_start": Call(
        lambda f, a: f(BENT, a(theta(BENT)), a(numbers(2, 3)))),
    "network.cut": Call(lambda f, a: f(a(numbers(27)), SIZES)),
    "network.initial_theta": Call(lambda f, a: f(SIZES, a.rng, dtype=a.dtype)),
    "rational_quadratic.inverse_spline": Call(lambda f, a: f(a(1.2 * COLUMN), a(numbers(6, RAW)))),
    "training.starting_theta": Call(
        lambda f, a: f(NETWORK, a(theta(NETWORK)), a.rng, a(ROWS))),
    "training.minibatches": Call(lambda f, a: [
        rows for _, rows in f((a(ROWS), a(COLUMN)), a.rng, 4, 3,
                              lambda X, rng: X + 0.1 * rng.random(X.shape, dtype=X.dtype))],
                                 mixes="it only picks rows, of each array where it lives"),
    "training.train": Call(lambda f, a: all_of(f(
        lambda t, X: ((t * X).sum(axis=1).mean(), X.mean(axis=0)), a([1.0, 2.0]), (a(ROWS),),
        a.rng, batch=4, max_steps=3, averaging=0.9))),

    "conditional.noise_kept": Call(
        lambda f, a: f(two_classes(a), Box(a([-1, -1]), a([1, 1])), 20, a.rng, 2.0)),
    "logistic.iteratively_reweighted_least_squares": Call(
        lambda f, a: f(a(POINTS), a.whole(LABELS), 0.1)),

    "biscuit_tins.render": Call(lambda f, a: f(a(0.5 + 0.1 * ROWS), 8)),
    "biscuit_tins.derivative": Call(lambda f, a: f(a(0.5 + 0.1 * ROWS), 8)),
    "biscuit_tins.extent": Call(lambda f, a: f(a(abs(numbers(3, 16))))),
    "faces.render": Call(lambda f, a: f(a(numbers(2, 13)), 8)),
    "painters.paint": Call(lambda f, a: f(1, 2, a.rng, 16), FLOAT64),
    "painters.features": Call(lambda f, a: f(a(abs(numbers(2, 16, 16, 3))))),
    "pixels.quantize": Call(lambda f, a: f(a(abs(ROWS)), 4), WHOLE),
    "pixels.dequantize": Call(lambda f, a: f(a.whole([[0, 3], [2, 1]]), 4, a.rng, a.dtype)),
    "pixels.inverse_cdf": Call(lambda f, a: f(a([[0.5, 0.5], [0.1, 0.9]]), a([[0.3], [0.7]])),
                               WHOLE),
    "rasterizer.rasterize": Call(lambda f, a: f(squares(a), 8)),
    "silhouettes.direction": Call(lambda f, a: f(a(90 * COLUMN))),
    "silhouettes.turn": Call(lambda f, a: f(
        [[0.0, 0.0], [0.1, 0.0], [0.1, 0.2]], a(90 * COLUMN), (0.5, 0.5))),
    "silhouettes.limb": Call(lambda f, a: f(
        (0.5, 0.5), [a(90 * COLUMN), a(45 * COLUMN)], [0.2, 0.1], [0.05, 0.04, 0.03])),
    "silhouettes.dog": Call(lambda f, a: f(a(abs(ROWS)))),
    "silhouettes.horse": Call(lambda f, a: f(a(numbers(3, 8)))),

    "latent.interpolate": Call(lambda f, a: f(coder(a), a([0.5, 0.1]), a([-0.5, 0.7]), 4)),
    "latent.directions": Call(lambda f, a: f(a(COMBS), a(POINTS), a([0.0, 0.1, 0.2]), 20)),
    "manifold.intrinsic_dimension": Call(lambda f, a: f(a(POINTS)), HOST),
    "manifold.neighbor_regression": Call(lambda f, a: f(a(POINTS), a(COMBS), a(ROWS), 3)),
    "manifold.determination": Call(lambda f, a: f(a(POINTS), a(POINTS + 0.1 * COMBS[:, :2]))),
    "principal_components.principal_axes": Call(lambda f, a: f(a(POINTS)), dtype="λ in float64"),

    "sailing.trade_winds": Call(lambda f, a: f(Chart().on(a.xp)).table, dtype=FLOAT64),
    "planning.value_iteration": Call(lambda f, a: f(a(CORRIDOR), 2)),
    "planning.expected_steps": Call(lambda f, a: f(a(CORRIDOR), a.whole([0, 0, 0]), 2)),
    "world_model.learn": Call(lambda f, a: f(Chart().on(a.xp), Log(
        a.whole([90, 91]), a.whole([3, 3]), a.whole([89, 91]))).masses, dtype=FLOAT64),
    "world_model.journey": Call(lambda f, a: f(sailing(a), sailing(a)), HOST),
    "q_learning.calm_q": Call(lambda f, a: f(Chart().on(a.xp)), dtype=FLOAT64),
    "q_learning.q_learning": Call(lambda f, a: list(f(
        sailing(a), a.rng, a(numbers(160, 4)), 2, 3)), dtype=FLOAT64),

    "diffusion.linear": Call(lambda f, a: f(a(TIMES), 5.0, -3.0)),
    "diffusion.cosine": Call(lambda f, a: f(a(TIMES), 5.0, -3.0)),
    "diffusion.signal_and_noise": Call(lambda f, a: f(a([5.0, 0.0, -3.0]))),
    "normalizing_flow.inverse_affine": Call(lambda f, a: f(a(COLUMN), a(ROWS))),
}


def pulled_back(family, method, *data, **how):
    """A call of a method of `family` with a θ and these arrays."""
    return Call(lambda _, a: getattr(family, method)(a(theta(family)), *map(a, data)), **how)


def of_labels(family):
    """log p(y|x) of a family of classifiers, of rows that have the labels 0 and 1."""
    return Call(lambda _, a: family.log_prob(a(theta(family)), a(ROWS), a.whole(LABELS[:6])))


FLOW = NormalizingFlowFamily(2, 3, (5,), "spline", 4, WAVES)
AFFINE = NormalizingFlowFamily(2, 3, (5,), waves=WAVES)
AUTOREGRESSIVE = AutoregressiveFamily((3, 4), (5,), WAVES, (1, 0), bound=2.0)
MASKED = MaskedAutoregressiveFamily(4, (5,))
VAE = VariationalAutoencoderFamily(Network((2, 5, 2)), Network((1, 5, 2)))
NOISY = VariationalAutoencoderFamily(Network((2, 5, 2)), Network((1, 5, 4)))
BOUNDED = VariationalAutoencoderFamily(Network((2, 5, 2), bound=0.5), Network((1, 5, 4), bound=0.5))
ENERGY = EnergyBasedFamily([-1.0, -1.0], [1.0, 1.0], Network((2, 5, 1), "relu", WAVES, 2.0))
DIFFUSION = DiffusionFamily(2, (5,), 4, WAVES)
GAN = AdversarialFamily(Network((1, 5, 2)), Network((2, 5, 1), "relu"))
CODES = numbers(6, 1)
BITS = numpy.array([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])

PULLED_BACK = {
    "fourier.fourier_features": Call(
        lambda f, a: f(a(ROWS), a(WAVES)), mixes="wave vectors go where X is"),
    "network.mlp": Call(lambda f, a: f(a(numbers(27)), a(ROWS), SIZES, "softplus")),
    "rational_quadratic.spline": Call(lambda f, a: f(a(1.2 * COLUMN), a(numbers(6, RAW)))),
    "normalizing_flow.affine": Call(lambda f, a: f(a(COLUMN), a(ROWS))),
    "elementary.bounded": Call(lambda f, a: f(a(3 * ROWS), 0.5)),

    "discretized.log_mass_of_levels": Call(lambda f, a: f(
        a.whole([[0, 3], [2, 1]]), a([[0.1, 0.8], [0.5, 0.7]]), a([0.1, 0.2]), 4)),

    "Network, tanh": pulled_back(NETWORK, "__call__", ROWS),
    "Network, relu": pulled_back(Network((2, 4, 5, 3), "relu"), "__call__", ROWS),
    "Network, softplus": pulled_back(Network((2, 4, 5, 3), "softplus"), "__call__", ROWS),
    "Network, waves and bound": pulled_back(BENT, "__call__", ROWS),
    "NormalFamily.log_prob": pulled_back(NORMAL, "log_prob", ROWS),
    "MixtureFamily.log_prob": pulled_back(MIXTURE, "log_prob", ROWS),
    "NormalizingFlowFamily.to_latent, affine": pulled_back(AFFINE, "to_latent", ROWS),
    "NormalizingFlowFamily.log_prob, affine": pulled_back(AFFINE, "log_prob", ROWS),
    "NormalizingFlowFamily.to_latent": pulled_back(FLOW, "to_latent", ROWS),
    "NormalizingFlowFamily.log_prob": pulled_back(FLOW, "log_prob", 1.2 * ROWS),
    "AutoregressiveFamily.log_prob": pulled_back(AUTOREGRESSIVE, "log_prob", 1.2 * ROWS),
    "AutoregressiveFamily.logits": pulled_back(AUTOREGRESSIVE, "logits", CODES),
    "MaskedAutoregressiveFamily.logits": pulled_back(MASKED, "logits", BITS),
    "MaskedAutoregressiveFamily.log_prob": pulled_back(MASKED, "log_prob", BITS),
    "VariationalAutoencoderFamily.encode": pulled_back(VAE, "encode", ROWS),
    "VariationalAutoencoderFamily.encode, bounded": pulled_back(BOUNDED, "encode", ROWS),
    "VariationalAutoencoderFamily.decode, bounded": pulled_back(BOUNDED, "decode", CODES),
    "VariationalAutoencoderFamily.decode, noise as output": pulled_back(NOISY, "decode", CODES),
    "VariationalAutoencoderFamily.elbo": Call(
        lambda _, a: VAE.elbo(a(theta(VAE)), a(ROWS), a.rng)),
    "VariationalAutoencoderFamily.importance_weighted": Call(
        lambda _, a: NOISY.importance_weighted(a(theta(NOISY)), a(ROWS), a.rng, 3)),
    "EnergyBasedFamily.energy": pulled_back(ENERGY, "energy", ROWS),
    "EnergyBasedFamily.energy, without a bound": pulled_back(
        EnergyBasedFamily([-1.0, -1.0], [1.0, 1.0], Network((2, 1))), "energy", ROWS),
    "EnergyBasedFamily.log_z": pulled_back(ENERGY, "log_z", ROWS),
    "DiffusionFamily.eps_hat": pulled_back(DIFFUSION, "eps_hat", ROWS, COLUMN),
    "AdversarialFamily.generate": Call(
        lambda _, a: GAN.generate(a(theta(GAN.generator)), a(CODES))),
    "AdversarialFamily.logit": Call(lambda _, a: GAN.logit(a(theta(GAN.discriminator)), a(ROWS))),
    "SoftmaxFamily.logits": pulled_back(SoftmaxFamily(2, 3), "logits", ROWS),
    "LogisticFamily.logits": pulled_back(LogisticFamily(2), "logits", ROWS),
    "NetworkClassifierFamily.logits": pulled_back(
        NetworkClassifierFamily((2, 5, 3)), "logits", ROWS),
    "SoftmaxFamily.log_prob": of_labels(SoftmaxFamily(2, 3)),
    "LogisticFamily.log_prob": of_labels(LogisticFamily(2)),
    "NetworkClassifierFamily.log_prob": of_labels(NetworkClassifierFamily((2, 5, 3))),
    "NetworkClassifierFamily.log_prob, no hidden layer": of_labels(
        NetworkClassifierFamily((2, 3))),
    "ProbabilisticPCAFamily.log_prob": pulled_back(ProbabilisticPCAFamily(2, 1), "log_prob", ROWS),
    "AutoencoderFamily.encode": pulled_back(AutoencoderFamily((2, 4, 1)), "encode", ROWS),
    "AutoencoderFamily.decode": pulled_back(AutoencoderFamily((2, 4, 1)), "decode", CODES),
}

PLAIN = {                                                   # takes no arrays, or gives none
    "backend.array_module": "gives a module", "backend.to_numpy": "leaves the device on purpose",
    "backend.random_generator": "makes a generator", "backend.unmasked": "is a check",
    "memory.keep_freed_memory": "takes no array",
    "blocks.through_a_network": "counts", "fourier.n_features": "counts",
    "network.n_parameters": "counts",
    "rational_quadratic.n_spline_parameters": "counts", "storage.save": "writes a file",
    "storage.load": "reads a file", "storage.write_whole": "writes a file",
    "trained.checked_network": "looks at a network",
    "linear_start.can_be_linear": "looks at a network",
    "normal_family.checked_exponents": "looks at an array",
    "optimizer.half_cosine": "of plain numbers",
    "separation.separated_near": "computes on the host, with Python's whole numbers",
    "softmax_newton.planes_of_least_loss": "is SoftmaxFamily.mle, which looks at the arguments",
    "silhouettes.smooth": "of constants, when the module is imported",
    "world_map.continents": "gives names", "taxonomy.branch": "reads classes",
    "taxonomy.densities": "reads classes", "taxonomy.leaves": "reads classes",
    "taxonomy.tree": "reads classes",
}
