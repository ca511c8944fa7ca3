"""Langevin chain: a random walk that visits each place as often as exp(-E) says, for any energy E.

An energy-based model of the map says p(x) = exp(-E(x))/Z and may not know Z. How can points be
drawn from such a density? There is no formula. The idea: walk. Let a point roll downhill in E and
shake it at the same time. It spends most of its time in valleys, the land, and now and then crosses
a sea; after many steps it is found at x as often as p says.

One step from x. A new place x' is proposed. h (d,) is the length of the step in each coordinate, ε
is drawn from N(0, I), and all products are coordinate by coordinate. Sometimes x' is uniform on the
box instead, since valleys far apart would never be reached by rolling:

    x' = x - h²/2 ∂E(x) + h ε          ∂E is the gradient of E in x                             (1)
    or x' uniform on the box           with the probability `jump`                              (2)

Rolling and shaking alone would be exact for infinitely short steps only. So x' is accepted with a
probability A, else the point stays at x (Metropolis et al. 1953; Hastings 1970; for Langevin's
steps Roberts and Tweedie 1996). Let q(x'|x) be the density with which x' is proposed. Then p stays
as it is if as many points go from x to x' as back, and `walk` shows that they do for

    A = min(1, ratio)       where ratio = p(x') q(x|x') / (p(x) q(x'|x)), in which Z cancels

If x' is uniform, q is the same both ways. Otherwise q(x'|x) is, by (1), a constant times
exp(-|ε|²/2), and q(x|x') the same constant times exp(-|ε'|²/2), where ε' is the noise that would
lead back from x' to x:

    x  = x' - h²/2 ∂E(x') + h ε'       the way back; put (1) in for x' and solve for ε'
    ε' = h/2 (∂E(x) + ∂E(x')) - ε                                                               (3)
    log ratio = E(x) - E(x') + (|ε|² - |ε'|²)/2       only E(x) - E(x') for a uniform x'        (4)
    A = min(1, exp(log ratio))         accept if log u < log ratio, u uniform on (0, 1)         (5)

A walk may leave the box. So let mirror images of the box, and of E in it, fill the whole of R^d:
then all of the above holds there. To fold x' back into the box only forgets in which image it was.
In a mirrored coordinate ∂E has the other sign. With side = high - low,

    v = (x - low) mod 2 side                                                                    (6)
    folded x = low + min(v, 2 side - v)                                                         (7)

By hand: E = x²/2, h = 1, x = 1 and ε = 1. Then x' = 1 - ½ + 1 = 1.5, ε' = ½ (1 + 1.5) - 1 = 0.25,
and the log ratio is ½ - 1.125 + (1 - 0.0625)/2 = -0.156: accepted with the probability 0.86. After
a hundred such steps in [-2, 2], where h = 1 is a quarter of the side, the mean of x² is that of the
normal density cut off at ±2, 0.77:

>>> import numpy
>>> X, low, high = numpy.ones((20_000, 1)), numpy.array([-2.0]), numpy.array([2.0])
>>> X = walk(lambda X: (0.5 * X[:, 0]**2, X), X, low, high, numpy.random.default_rng(0), 100, 0.25)
>>> print((X**2).mean().round(1))
0.8

Uniform places alone, (2), are the quicker way where p is nowhere many times the uniform density.
They need no slope, and if p is at most 4 times that, after 24 jumps one point in a thousand
remembers its start (see `jump`). In many dimensions hardly any jump meets a valley, and only
rolling gets on.

See energy_based.py (what needs it), figure_1_10_taxonomy (what it draws) and
tests/numerics/test_langevin.py (that it holds).
"""

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def walk(energy, X, low, high, rng, steps, step=0.02, jump=0.1, metropolis=True, look=True):
    """Where `steps` steps of the Markov chain lead from each row of X (n, d), shape (n, d).

    `energy(X)` gives E (n,) and ∂E (n, d); the box has the corners low and high, both (d,). h is
    `step` times the sides of the box. Without `metropolis` every x' is accepted: then p is
    stationary only in the limit h = 0 and with `jump` = 0. A jump is then a restart at a uniform
    place, and if short steps do not lead far before the next one, draws stay nearly uniform.

    For each kind of move, (1) and (2), as many points go from x to x' as back if

        p(x) q(x'|x) A(x'|x) = p(x') q(x|x') A(x|x')

    Where ratio <= 1 the left side is p(x) q(x'|x) ratio = p(x') q(x|x'), and on the right side
    A(x|x') is 1, as the ratio of the way back is 1/ratio. Where ratio > 1, exchange x and x'.
    """
    checks.rng(rng), checks.function(energy, "energy"), checks.truth(metropolis, "metropolis")
    checks.truth(look, "look")
    steps = checks.whole_number(steps, "steps")
    step, jump = checks.number(step, "step", "(0, inf)"), checks.number(jump, "jump", "[0, 1]")
    X, low, high = _start(X, low, high, look)
    xp, dtype = array_module(X), X.dtype
    h = step * (high - low)
    E, dE = energy(X)
    checks.one_axis(E, len(X), "E"), checks.same_shape(dE, "dE", X, "X")
    for _ in range(steps):
        eps = rng.standard_normal(X.shape, dtype=dtype)
        proposal, sign = reflect(X - 0.5 * h**2 * dE + h * eps, low, high)          # (1)
        jumps = rng.random(len(X), dtype=dtype) < jump
        proposal = xp.where(jumps[:, None], uniform(len(X), low, high, rng), proposal)      # (2)
        E_new, dE_new = energy(proposal)
        if metropolis:
            eps_back = 0.5 * h * (dE + sign * dE_new) - eps                         # (3)
            log_ratio = 0.5 * (eps**2 - eps_back**2).sum(axis=1)
            with numpy.errstate(invalid="ignore"):          # inf - inf: p is 0 on both sides
                log_ratio = E - E_new + xp.where(jumps, 0, log_ratio)               # (4)
            accepted = _log_u(X, rng) < log_ratio                                   # (5)
            X = xp.where(accepted[:, None], proposal, X)
            E = xp.where(accepted, E_new, E)
            dE = xp.where(accepted[:, None], dE_new, dE)
        else:
            X, E, dE = proposal, E_new, dE_new
    return X


def jump(energy, X, low, high, rng, jumps, look=True):
    """Where `jumps` jumps lead from each row of X (n, d), each to a uniform place x' of the box or,
    if that is refused, nowhere. Shape (n, d). `energy(X)` gives E (n,): no slope is needed.

    How many are enough? Let V be the volume of the box, and M the largest value of p in it, in
    units of the uniform density 1/V. As p <= M/V everywhere, both 1 and p(x')/p(x) are at least
    p(x') V/M. So a jump arrives at x' with at least the density

        1/V · min(1, p(x')/p(x)) >= 1/V · p(x') V/M = p(x')/M

    which is 1/M of p itself: one jump in M is a perfect draw of p, whatever x was, and what is a
    draw of p remains one. Hence the start matters, after j jumps, for at most the share (1 - 1/M)^j
    of all points (Mengersen and Tweedie 1996). A density that is uniform on a quarter of the box
    has M = 4, and 24 jumps leave a thousandth. But one that is uniform on half of each side of a
    box in d dimensions has M = 2^d: in ten, it would take thousands of jumps.

    By hand: E = 0 on a quarter of [0, 1], 9 elsewhere, and all points start outside. From there a
    jump leads to the quarter with the probability ¼, and from the quarter hardly any leads away:
    after 4 jumps (¾)^4 = 0.32 of the points are still outside.

    >>> import numpy
    >>> X, low, high = numpy.full((20_000, 1), 0.5), numpy.array([0.0]), numpy.array([1.0])
    >>> rng = numpy.random.default_rng(0)
    >>> X = jump(lambda X: numpy.where(X[:, 0] < 0.25, 0, 9), X, low, high, rng, 4)
    >>> print((X > 0.25).mean().round(2))
    0.32
    """
    checks.rng(rng), checks.function(energy, "energy"), checks.truth(look, "look")
    jumps = checks.whole_number(jumps, "jumps")
    X, low, high = _start(X, low, high, look)
    E, xp = checks.one_axis(energy(X), len(X), "E"), array_module(X)
    for _ in range(jumps):
        proposal = uniform(len(X), low, high, rng)                                  # (2)
        E_new = energy(proposal)
        with numpy.errstate(invalid="ignore"):              # inf - inf: p is 0 at both places
            accepted = _log_u(X, rng) < E - E_new                                   # (4), (5)
        X, E = xp.where(accepted[:, None], proposal, X), xp.where(accepted, E_new, E)
    return X


def _log_u(X, rng):
    """log u for each row of X, (n,). 1 - u is drawn, as a generator may give 0 but never 1."""
    return array_module(X).log1p(-rng.random(len(X), dtype=X.dtype))


def _start(X, low, high, look):
    """A copy of X, and the corners, after a look whether the rows are in the box."""
    X = checks.real_array(X, "X", finite=look).copy()
    low, high = checks.corners(low, high, X, look)
    X = checks.observations(X, low, finite=False)
    if look:
        inside = ((low <= X) & (X <= high)).all(axis=1)
        checks.rows_within(X, inside, f"the box from {low} to {high}")
    return X, low, high


def uniform(n, low, high, rng):
    """n uniform draws from the box with the corners low and high (d,), in their precision."""
    n = checks.draws(n, rng)
    low = checks.real_array(low, "low", finite=False)
    low, high = checks.corners(low, high, low, look=False)
    return low + (high - low) * rng.random((n, len(low)), dtype=low.dtype)


def reflect(X, low, high):
    """X (n, d) mirrored into the box, and signs (n, d), -1 after an odd number of mirrorings.

    There is a mirror at low + k side for every whole number k: box and mirror image alternate, and
    all repeats after 2 side.
    """
    X = checks.real_array(X, "X", finite=False)
    low, high = checks.corners(low, high, X, look=False)
    X = checks.observations(X, low, finite=False)
    xp, side = array_module(X), high - low
    v = (X - low) % (2 * side)                                                          # (6)
    sign = xp.where(v > side, -1, 1).astype(X.dtype)
    X = low + xp.minimum(v, 2 * side - v)                                               # (7)
    return X.clip(low, high), sign                          # rounding could step over
