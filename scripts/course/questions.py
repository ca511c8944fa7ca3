"""Questions: whether an answer to an erratum is one, computed from the answer itself.

Each function looks at what the reader's file defines and raises Wrong, which says with numbers what
is missing, or returns a sentence about the answer. None of them knows an answer. Integrals are sums
over fine grids, so that an answer has to be right to about one percent only.
"""

import math

import numpy

from gdl_numpy.labels.conditional import ClassConditional
from gdl_numpy.probability.change_of_units import InUnits
from gdl_numpy.probability.density import Box, Normal
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.likelihood import likelihood, log_likelihood
from gdl_numpy.probability.normal_family import NormalFamily
from gdl_numpy.world.world_map import WorldMap

POSITIVE = numpy.exp(numpy.linspace(-40, 40, 160_001))      # from 4e-18 to 2e17
AXIS = numpy.linspace(-10, 10, 2_000_001)


class Wrong(Exception):
    """Why an answer is none, in a sentence with numbers."""


# What the reader's file defines

def of(answer, name):
    value = getattr(answer, name, None)
    if value is None or value is ...:
        raise Wrong(f"{name} is not given yet")
    return value


def array(answer, name, shape, what):
    """A value as an array of finite numbers whose shape is `shape`, where None is any length."""
    try:
        value = numpy.asarray(of(answer, name), float)
    except (TypeError, ValueError) as error:
        raise Wrong(f"{name} must be {what}, got {of(answer, name)!r:.80}") from error
    if value.ndim != len(shape) or not numpy.isfinite(value).all() or any(
            most not in (None, length) for length, most in zip(value.shape, shape, strict=True)):
        raise Wrong(f"{name} must be {what}, got {of(answer, name)!r:.80}")
    return value


def number(answer, name, least=-math.inf, most=math.inf):
    value = float(array(answer, name, (), "a number"))
    if not least <= value <= most:
        raise Wrong(f"{name} must lie between {least:g} and {most:g}, got {value:g}")
    return value


def values(answer, name, *arguments):
    """What a function of the reader gives for an array."""
    function = of(answer, name)
    if not callable(function):
        raise Wrong(f"{name} must be a function, got {function!r:.80}")
    shape = numpy.broadcast_shapes(*(numpy.shape(argument) for argument in arguments))
    result = numpy.asarray(function(*arguments), float)
    if result.shape not in (shape, ()):
        raise Wrong(f"{name} must give one number for each number, so the shape {shape}, got "
                    f"{result.shape}")
    result = numpy.broadcast_to(result, shape)
    if not numpy.isfinite(result).all():
        bad = int((~numpy.isfinite(result)).argmax())
        at = [float(numpy.broadcast_to(argument, shape)[bad]) for argument in arguments]
        at = ", ".join(f"{v:g}" for v in at)
        raise Wrong(f"{name} must be finite, and is {result[bad]} at {at}")
    return result


def integral(y, x):
    return float(((y[1:] + y[:-1]) / 2 * (x[1:] - x[:-1])).sum())


def about(value, wanted, what, tolerance=0.01):
    if not abs(value - wanted) <= tolerance * max(1, abs(wanted)):
        raise Wrong(f"{what} is {value:.4g}, and must be {wanted:g}")


def positive(y, x, what):
    if (y < 0).any():
        raise Wrong(f"{what} is no density: it is {y.min():.3g} at {x[y.argmin()]:.3g}")


# The questions

def density_above_one(answer):
    low, high = number(answer, "low"), number(answer, "high")
    if not low < high:
        raise Wrong(f"low must be below high, got {low:g} and {high:g}")
    x = numpy.linspace(low, high, 100_001)
    p = values(answer, "density", x)
    positive(p, x, "density")
    about(integral(p, x), 1, "its integral from low to high")
    if p.min() <= 1:
        raise Wrong(f"at {x[p.argmin()]:.4g} it is {p.min():.4g}, which does not exceed 1")
    return f"It is {p.min():.4g} or more everywhere, and its mass is {integral(p, x):.4f}."


def no_density(answer):
    f = values(answer, "f", AXIS)
    about(integral(f, AXIS), 1, "its integral from -10 to 10")
    if f.min() >= 0:
        raise Wrong(f"its smallest value is {f.min():.3g}, so that it is a density")
    x = AXIS[f.argmin()]
    return f"Its integral is {integral(f, AXIS):.4f}, but it is {f.min():.3g} at {x:.3g}."


def unit_of_density_one(answer):
    unit = number(answer, "unit", 1e-9, 1e9)
    p = InUnits(Box([-90.0, -180.0], [90.0, 180.0]), [1 / unit, 1 / unit])
    density = math.exp(float(p.log_prob([[0.0, 0.0]])[0]))
    about(density, 1, f"with a unit of {unit:g} degrees the density")
    return f"Per square of {unit:.4g} degrees the density is {density:.4f}."


def boxes_out_of_range(answer):
    X, family, said = numpy.linspace(0, 1, 100)[:, None], BoxFamily(1), []
    for name, wanted in (("wide", 0.0), ("narrow", math.inf)):
        side = number(answer, name, 1e-200, 1e200)
        with numpy.errstate(all="ignore"):
            L = float(likelihood(family, [0.0, side], side * X))
        log_L = float(log_likelihood(family, [0.0, side], side * X))
        if L != wanted:
            raise Wrong(f"with the side {side:g} the likelihood of 100 points is {L:.4g}, and must "
                        f"be {wanted} in floating point")
        said.append(f"{name}: {L}, although log L is {log_L:.4g}.")
    return " ".join(said)


def likelihood_area_four(answer):
    x = number(answer, "x", 1e-9, 1e9)
    for theta in (0.2, 1.0, 5.0):
        p = values(answer, "density", POSITIVE, theta)
        positive(p, POSITIVE, f"for θ = {theta:g} density")
        about(integral(p, POSITIVE), 1, f"for θ = {theta:g} the integral over x")
    L = values(answer, "density", x, POSITIVE)
    about(integral(L, POSITIVE), 4, "the integral of the likelihood over θ")
    return f"For each θ its mass is 1, and ∫ L(θ|x) dθ = {integral(L, POSITIVE):.4f}."


def list_not_set(answer):
    X = array(answer, "X", (None,), "a list of numbers")
    if len(numpy.unique(X)) < 2:
        raise Wrong(f"X must hold two different numbers at least, got {X.tolist()!r:.80}")
    family = NormalFamily(1)
    mean, of_set = (float(family(family.mle(rows[:, None])).mu[0]) for rows in (X, numpy.unique(X)))
    about(mean, 0, "the mean of θ̂ for the list", 1e-6)
    about(of_set, 1, "the mean of θ̂ for the set", 1e-6)
    return f"The mean of the list is {mean:.3g}, that of the set {of_set:.3g}."


def prior_of_a_coin(answer):
    p = numpy.linspace(0, 1, 100_001)[1:-1]
    prior = values(answer, "prior", p)
    positive(prior, p, "prior")
    about(integral(prior, p), 1, "the integral of the prior from 0 to 1")
    best = p[(p**3 * prior).argmax()]
    about(best, 0.75, "the most probable p after three heads of three", 1e-3)
    return f"p³ is largest at 1, and p³ prior(p) at {best:.4f}."


def turned_rectangle(answer):
    X = array(answer, "X", (None, 2), "a list of points (x1, x2)")
    corners = array(answer, "rectangle", (4, 2), "four corners (x1, x2), one after the other")
    along, across = corners[1] - corners[0], corners[3] - corners[0]
    lengths = math.hypot(*along), math.hypot(*across)
    if min(lengths) == 0 or abs(along @ across) > 1e-9 * math.prod(lengths) or not numpy.allclose(
            corners[2], corners[1] + across, atol=1e-9 * max(lengths), rtol=0):
        raise Wrong("the four corners are not those of a rectangle, one after the other")
    share = (X - corners[0]) @ numpy.stack([along / lengths[0]**2, across / lengths[1]**2], axis=1)
    outside = ((share < -1e-9) | (share > 1 + 1e-9)).any(axis=1)
    if outside.any():
        raise Wrong(f"the point {X[outside.argmax()].tolist()} lies outside the rectangle")
    sides = X.max(axis=0) - X.min(axis=0)
    if not (sides > 0).all():
        raise Wrong(f"the box θ̂ has the sides {sides[0]:g} and {sides[1]:g}, so no area")
    area, box = math.prod(lengths), float(sides.prod())
    if area >= box:
        raise Wrong(f"the rectangle has the area {area:.4g}, and the box θ̂ only {box:.4g}")
    return (f"Area {area:.4g} against {box:.4g}: the log-likelihood is larger by "
            f"{len(X) * math.log(box / area):.3g}.")


def swapped_to_sea(answer):
    point = array(answer, "point", (2,), "a pair (latitude, longitude)")
    if (abs(point) > 90).any():
        raise Wrong(f"both numbers must lie between -90 and 90, so that they can be swapped, got "
                    f"{point.tolist()}")
    land, swapped = WorldMap().contains([point, point[::-1]])
    if not land or swapped:
        raise Wrong(f"{point.tolist()} is {'land' if land else 'sea'}, and swapped, "
                    f"{point[::-1].tolist()} is {'land' if swapped else 'sea'}")
    return f"{point.tolist()} is land, and {point[::-1].tolist()} is sea."


def far_from_the_mode(answer):
    def near(d):                                            # by shells of the radius r
        r = numpy.linspace(0, 1, 100_001)
        log_c = (1 - d / 2) * math.log(2) - math.lgamma(d / 2)
        return integral(r**(d - 1) * numpy.exp(log_c - r**2 / 2), r)

    d = number(answer, "d", 1, 300)
    if d != round(d):
        raise Wrong(f"d must be a whole number, got {d:g}")
    if near(d) >= 1e-3:
        raise Wrong(f"in {d:.0f} dimensions the share of draws within 1 of 0 is {near(d):.3g}")
    if d > 1 and near(d - 1) < 1e-3:
        raise Wrong(f"fewer dimensions will do: in {d - 1:.0f} the share is {near(d - 1):.3g}")
    return f"In {d:.0f} dimensions the share is {near(d):.2g}, and the density is largest there."


def denser_but_less_probable(answer):
    x, prior = number(answer, "x"), number(answer, "prior", 0, 1)
    p = [Normal([number(answer, name)], [[1.0]]) for name in ("mu_0", "mu_1")]
    density = [math.exp(float(q.log_prob([[x]])[0])) for q in p]
    posterior = float(numpy.exp(ClassConditional(p, [1 - prior, prior]).log_posterior([[x]])[0, 1]))
    if not density[1] > density[0]:
        raise Wrong(f"p(x|1) is {density[1]:.4g}, and must exceed p(x|0) = {density[0]:.4g}")
    if not posterior < 0.5:
        raise Wrong(f"p(1|x) is {posterior:.4g}, so that the label 1 is not the less probable one")
    return f"p(x|1) = {density[1]:.3g} > p(x|0) = {density[0]:.3g}, but p(1|x) = {posterior:.3g}."


def flow_without_its_factor(answer):
    x = numpy.linspace(-50, 50, 1_000_001)
    z = values(answer, "f", x)
    slope = numpy.diff(z) / numpy.diff(x)
    if not (slope > 0).all():
        raise Wrong(f"f must rise everywhere, and its slope is {slope.min():.3g} near "
                    f"{x[slope.argmin()]:.3g}")
    if z[0] > -5 or z[-1] < 5:
        raise Wrong(f"f must reach all z, and takes -50 to {z[0]:.3g} and 50 to {z[-1]:.3g}")
    p = numpy.exp(Normal([0.0], [[1.0]]).log_prob(z[:, None]))
    about(integral(p, x), 1, "the integral of N(f(x); 0, 1) over x")
    middle = (p[1:] + p[:-1]) / 2
    difference = float((abs(slope * middle - middle) * numpy.diff(x)).sum())
    if difference < 0.1:
        raise Wrong(f"the slope of f is 1 nearly everywhere: ∫ |N(f(x)) f'(x) - N(f(x))| dx is "
                    f"{difference:.3g}, and must be 0.1 at least")
    return (f"N(f(x); 0, 1) has the mass {integral(p, x):.4f}, and is not the density of x: they "
            f"differ by {difference:.3g} in all.")
