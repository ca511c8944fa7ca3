"""The register of densities: examples of every class of density that needs no family.

What a density promises is asked of all of them in test_contract_densities.py. The members p_theta
of families stand in the register of families, and ELSEWHERE says where other exceptions are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy

from gdl_numpy.labels.conditional import ClassConditional
from gdl_numpy.probability.change_of_units import InUnits, OnBox
from gdl_numpy.probability.density import Box, Histogram, Mixture, Normal
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.probability.recalibrated import RecalibratedFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.representation.leading_coordinates import InLeadingCoordinates, LeadingCoordinates
from gdl_numpy.representation.principal_components import PrincipalComponents
from gdl_numpy.world.world_map import WorldMap


@dataclass(frozen=True)
class Example:
    make: Callable          # make(a) -> density, where `a` makes arrays of (nested) lists
    low: list               # a box that holds its mass, all but 1e-9,
    high: list
    shape: tuple            # and a grid on it whose cells do not straddle an edge of the support
    outside: tuple = ()     # points where the density is 0
    error: float = 0        # of a mass, where the support has no such edges
    moves: bool = True      # has arrays of its own, and so a module and a dtype: p_data has none

    def built(self, xp=numpy, dtype="float64"):
        return self.make(lambda x: xp.asarray(x, dtype=dtype))

    def points(self, n):
        """n points in the box, on the host, the same in every call."""
        return numpy.random.default_rng(0).uniform(self.low, self.high, (n, len(self.low)))


CENTERS = [[0.0, 0.0], [1.0, 0.5], [1.0, 0.5], [-2.0, 3.0], [0.3, -0.4]]
D = {
    "Box on a line": Example(
        lambda a: Box(a([2.0]), a([2.5])), [1], [3], (2000,), ([1.9], [2.6], [-1e9])),
    "Box": Example(
        lambda a: Box(a([-1.0, 0.0]), a([1.0, 0.5])),
        [-2, -1], [2, 1], (200, 200), ([0, 0.6], [-2, 0.2], [1, 1], [1.1, 0.5])),
    "Normal on a line": Example(
        lambda a: Normal(a([3.0]), a([[0.25]])), [-3], [9], (2000,)),
    "Normal": Example(
        lambda a: Normal(a([1.0, -2.0]), a([[2.0, -1.2], [-1.2, 1.0]])),
        [-13, -12], [15, 8], (250, 250)),
    "Mixture of normals": Example(
        lambda a: Mixture(a([0.3, 0.7]), [Normal(a([-2.0]), a([[1.0]])),
                                          Normal(a([1.0]), a([[0.09]]))]), [-12], [10], (2000,)),
    "Mixture of boxes, one of weight 0": Example(
        lambda a: Mixture(a([0.5, 0.3, 0.0, 0.2]), [
            Box(a([0.0, 0.0]), a([1.0, 1.0])), Box(a([0.5, 0.5]), a([2.0, 1.5])),
            Box(a([3.0, 3.0]), a([4.0, 4.0])), Box(a([0.0, 2.0]), a([1.0, 4.0]))]),
        [-1, 0], [4, 5], (250, 250), ([1.5, 0.2], [3.5, 3.5], [9, 9])),
    "Mixture of a mixture": Example(
        lambda a: Mixture(a([0.25, 0.75]), [
            Normal(a([0.0, 0.0]), a([[1.0, 0.0], [0.0, 1.0]])),
            Mixture(a([0.5, 0.5]), [Normal(a([3.0, 0.0]), a([[0.5, 0.2], [0.2, 0.5]])),
                                    KernelDensity(a([[0.0, 3.0], [1.0, 3.0]]), 0.5)])]),
        [-8, -8], [11, 11], (250, 250)),
    "Histogram on a line": Example(
        lambda a: Histogram(SampleSpace(a([0.0]), a([3.0])), a([0.5, 0.0, 0.2, 0.3])),
        [-0.75], [3.75], (1200,), ([-0.1], [1.0], [3.1])),
    "Histogram": Example(
        lambda a: Histogram(SampleSpace(a([-90.0, -180.0]), a([90.0, 180.0])),
                            a([[0.1, 0.2, 0.0, 0.1], [0.3, 0.0, 0.2, 0.1]])),
        [-180, -180], [180, 180], (240, 240), ([-45, 45], [45, -45], [91, 100], [0, 181])),
    "KernelDensity on a line": Example(
        lambda a: KernelDensity(a([[0.0], [1.0], [1.0], [4.0]]), 0.5), [-6], [10], (2000,)),
    "KernelDensity": Example(
        lambda a: KernelDensity(a(CENTERS), 0.4), [-7, -5.4], [6, 8], (250, 250)),
    "RecalibratedKernelDensity": Example(
        lambda a: RecalibratedFamily(KernelDensity(a(CENTERS), 0.4), -4.0, SampleSpace(
            a([-3.0, -2.0]), a([3.0, 4.0])), (100, 120))(a([2.0, 3.0, 1.0])),
        [-3, -2], [3, 4], (100, 120), ([3.1, 0], [0, -2.1])),
    "InUnits, of a normal": Example(
        lambda a: InUnits(Normal(a([0.2, -0.1]), a([[0.02, -0.01], [-0.01, 0.03]])),
                          a([90.0, -180.0])), [-80, -220], [120, 260], (250, 250)),
    "InUnits, of a histogram": Example(
        lambda a: InUnits(Histogram(SampleSpace(a([0.0]), a([4.0])), a([0.5, 0.0, 0.2, 0.3])),
                          a([2.0])), [-2], [10], (1200,), ([-0.1], [3.0], [8.1])),
    "OnBox": Example(
        lambda a: OnBox(Normal(a([0.2, -0.1]), a([[0.08, -0.01], [-0.01, 0.05]])),
                        a([-3.0, 0.0]), a([3.0, 8.0])),
        [-3, 0], [3, 8], (250, 250), ([3.1, 1], [0, -0.2])),
    "InLeadingCoordinates": Example(
        lambda a: InLeadingCoordinates(LeadingCoordinates(PrincipalComponents(
            a([1.0, -1.0]), a([[0.6], [0.8]]), a([0.9])), a([1.5]), 0.5),
            Mixture(a([0.5, 0.5]), [Normal(a([-1.0]), a([[0.5]])), Normal(a([2.0]), a([[0.2]]))])),
        [-8, -10], [9, 10], (250, 250)),
    "ClassConditional, its marginal": Example(
        lambda a: ClassConditional([Normal(a([-2.0]), a([[1.0]])), Normal(a([1.0]), a([[0.09]]))],
                                   a([0.3, 0.7])).marginal(), [-12], [10], (2000,)),
    "WorldMap": Example(
        lambda a: WorldMap(), [-90, -180], [90, 180], (360, 720), ([11.3, 142.2], [91, 0]),
        error=1e-3, moves=False),
    "WorldMap, Africa on the sphere": Example(
        lambda a: WorldMap("sphere", "Africa"), [-40, -30], [40, 60], (320, 360),
        ([40.7, -73.9], [0, -20]), error=2e-3, moves=False),
}
ELSEWHERE = {
    "ClassConditional": "its log_prob is of X given y; its marginal is here",
    "GridNormalized": "of an energy-based model, which has a family: the register of families",
}
