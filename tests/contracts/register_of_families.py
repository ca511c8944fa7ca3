"""The register of families: small examples of every class of family in the package.

What a family and its members promise is asked of all of them in test_contract_families.py. A new
family needs one line here:

    "NameFamily": Entry(lambda a: find("NameFamily")(2)),

`a` makes arrays of lists, in the module and the precision in which the family is to compute. What
the family offers (log_prob, loss, train, mle) and its members (log_prob, elbo, energy, encode,
sample and so on) is found by its names.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy

import gdl_numpy
from gdl_numpy.networks.network import Network
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.sample_space import SampleSpace


@cache
def every_family():
    """The public classes whose names end in Family, by name, wherever they are."""
    modules = [importlib.import_module(info.name) for info in
               pkgutil.walk_packages(gdl_numpy.__path__, "gdl_numpy.")]
    return {name: value for module in modules for name, value in vars(module).items()
            if inspect.isclass(value) and value.__module__ == module.__name__
            and name.endswith("Family") and not name.startswith("_")}


def find(name):
    return every_family()[name]


def plane(n):
    """n points in the square [-1, 1]²."""
    return (numpy.random.default_rng(0).uniform(-0.9, 0.9, (n, 2)),)


def labeled(n_classes):
    """n points in the square and a label for each, every label at least once."""
    return lambda n: (*plane(n), numpy.arange(n) % n_classes)


def levels(L, d):
    """n pictures of d pixels, as numbers, with levels 0, ..., L - 1."""
    return lambda n: (numpy.random.default_rng(0).integers(0, L, (n, d)).astype(float),)


@dataclass(frozen=True)
class Entry:
    make: Callable              # make(a) -> family
    data: Callable = plane      # data(n) -> what it is fitted to, on the host: (X,) or (X, y)
    theta: tuple = ()           # a θ; by default small random numbers
    waits: str = ""             # why log_prob waits for a device, if it does
    any_row: bool = True        # whether every row of real numbers is an observation

    def built(self, xp=numpy, dtype="float64"):
        return self.make(lambda x: xp.asarray(x, dtype=dtype))

    def theta_of(self, xp=numpy, dtype="float64"):
        n = self.built().n_parameters
        theta = self.theta or 0.5 * numpy.random.default_rng(1).standard_normal(n)
        return xp.asarray(theta, dtype=dtype)

    def data_of(self, n, xp=numpy, dtype="float64"):
        X, *y = self.data(n)
        return (xp.asarray(X, dtype=dtype), *map(xp.asarray, y))


WAVES = [[1.0, 0.0, 2.0], [0.5, 3.0, -1.0]]
BOX = [-1.0, -1.0], [1.0, 1.0]


def square(a):
    return SampleSpace(*map(a, BOX))


FAMILIES = {
    "BoxFamily": Entry(lambda a: find("BoxFamily")(2), theta=(-1.0, -1.0, 1.0, 1.0)),
    "HistogramFamily": Entry(lambda a: find("HistogramFamily")(square(a), (3, 4))),
    "NormalFamily": Entry(lambda a: find("NormalFamily")(2)),
    "MixtureFamily": Entry(lambda a: find("MixtureFamily")(3, 2)),
    "RecalibratedFamily": Entry(
        lambda a: find("RecalibratedFamily")(
            KernelDensity(a([[0.0, 0.0], [0.5, -0.5], [-0.2, 0.6]]), 0.4), -1.0, square(a),
            (10, 12)), theta=(2.0, 3.0, 1.0),
        waits="it asks a kernel density, which looks at the rows"),
    "NetworkClassifierFamily": Entry(
        lambda a: find("NetworkClassifierFamily")((2, 5, 3)), labeled(3)),
    "SoftmaxFamily": Entry(lambda a: find("SoftmaxFamily")(2, 3, 0.1), labeled(3)),
    "LogisticFamily": Entry(lambda a: find("LogisticFamily")(2, 0.1), labeled(2)),
    "ProbabilisticPCAFamily": Entry(lambda a: find("ProbabilisticPCAFamily")(2, 1)),
    "AutoencoderFamily": Entry(lambda a: find("AutoencoderFamily")((2, 4, 1))),
    "WindowFamily": Entry(lambda a: find("WindowFamily")(2, 3, 1, 1, (4,)), levels(3, 4),
                          any_row=False),
    "AutoregressiveFamily": Entry(lambda a: find("AutoregressiveFamily")((3, 4), (5,))),
    "AutoregressiveFamily, waves and bound": Entry(
        lambda a: find("AutoregressiveFamily")((3, 4), (5,), a(WAVES), (1, 0), bound=2.0)),
    "MaskedAutoregressiveFamily": Entry(
        lambda a: find("MaskedAutoregressiveFamily")(4, (5,)), levels(2, 4), any_row=False),
    "NormalizingFlowFamily, affine": Entry(
        lambda a: find("NormalizingFlowFamily")(2, 3, (5,), waves=a(WAVES))),
    "NormalizingFlowFamily, spline": Entry(
        lambda a: find("NormalizingFlowFamily")(2, 3, (5,), "spline", 4)),
    "VariationalAutoencoderFamily": Entry(
        lambda a: find("VariationalAutoencoderFamily")(Network((2, 5, 2)), Network((1, 5, 2)))),
    "VariationalAutoencoderFamily, noise as output": Entry(
        lambda a: find("VariationalAutoencoderFamily")(
            Network((2, 5, 4), waves=a(WAVES)), Network((2, 5, 4), waves=a(WAVES)), 0.1)),
    "EnergyBasedFamily": Entry(
        lambda a: find("EnergyBasedFamily")(*map(a, BOX), Network((2, 5, 1), "relu"))),
    "EnergyBasedFamily, waves and bound": Entry(
        lambda a: find("EnergyBasedFamily")(
            *map(a, BOX), Network((2, 5, 1), "softplus", a(WAVES), 2.0))),
    "DiffusionFamily": Entry(lambda a: find("DiffusionFamily")(2, (5,), 4)),
    "DiffusionFamily, waves": Entry(
        lambda a: find("DiffusionFamily")(2, (5,), 4, a(WAVES), "cosine", (3.0, -3.0))),
    "AdversarialFamily": Entry(
        lambda a: find("AdversarialFamily")(Network((1, 5, 2)), Network((2, 5, 1), "relu"))),
    "AdversarialFamily, rejection": Entry(
        lambda a: find("AdversarialFamily")(Network((1, 5, 2)), Network((2, 5, 1), "relu"), 0.9)),
}
SHARED = {                                                  # classes that are families in part
    "TrainedFamily": "what the families of models/ share, without a density of its own",
    "TractableFamily": "what those of them share that know log p",
    "ClassifierFamily": "what the three families of classifiers share",
}
