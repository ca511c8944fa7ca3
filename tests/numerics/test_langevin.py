"""Langevin: the chain keeps exp(-E) in a box exactly, for energies that are given by a formula."""

import itertools
import math

import numpy
import pytest
import stand_in_cupy

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.langevin import jump, reflect, uniform, walk

LOW, HIGH = numpy.array([-1.0, -2.0]), numpy.array([1.0, 3.0])
LONG = 0.3                                                  # a step: many x' are refused
any_jump = pytest.mark.parametrize("jump", [0.0, 0.5])


def valleys(X):
    """E = 1 + cos 3x + (y - x)²/4 >= 0, low on both sides of a ridge, and its slope."""
    x, y = X.T
    slope = [-3 * numpy.sin(3 * x) - (y - x) / 2, (y - x) / 2]
    return 1 + numpy.cos(3 * x) + (y - x)**2 / 4, numpy.stack(slope, axis=1)


def slide(X):
    """E = log(1 + exp(1 - 4x + 2y)) >= 0, steep up to two borders of the box, and its slope."""
    a = numpy.exp(X @ [-4.0, 2.0] + 1)
    return numpy.log1p(a), (a / (1 + a))[:, None] * [-4.0, 2.0]


def flat(X):
    return 0 * X[:, 0], 0 * X


def exact_draws(energy, n, seed):
    """n draws of exp(-E)/Z: of uniform ones each is kept with probability exp(-E) <= 1."""
    rng = numpy.random.default_rng(seed)
    U = LOW + (HIGH - LOW) * rng.random((10 * n, 2))
    kept = U[rng.random(len(U)) < numpy.exp(-energy(U)[0])]
    assert len(kept) >= n
    return kept[:n]


def statistics(X):
    """Some functions of each row, (n, 6), all of size 1."""
    x, y = ((X - LOW) / (HIGH - LOW)).T
    return numpy.stack([x, y, x * y, numpy.cos(6 * x), numpy.cos(9 * y), x < 0.05], axis=1)


def standard_errors(A, B=0.0):
    """The mean of the rows of A - B in standard errors, (k,)."""
    difference = A - B
    error = difference.std(axis=0, ddof=1) / math.sqrt(len(difference))
    return difference.mean(axis=0) / numpy.maximum(error, 1e-12)


# One step

def test_a_step_goes_downhill_by_half_h_squared_times_the_slope_and_is_shaken_by_h():
    """x' - x has the mean -h²/2 ∂E(x), within 6 standard errors, and the deviation h."""
    x, h = numpy.array([0.2, 0.4]), 0.05 * (HIGH - LOW)
    X = numpy.tile(x, (40_000, 1))
    Y = walk(valleys, X, LOW, HIGH, numpy.random.default_rng(0), 1, 0.05, 0.0, metropolis=False)
    drift = -0.5 * h**2 * [-3 * math.sin(0.6) - 0.1, 0.1]
    assert (abs(standard_errors(Y - X, drift)) < 6).all()
    numpy.testing.assert_allclose((Y - X).std(axis=0), h, rtol=0.03)


def test_nearly_all_short_steps_are_accepted_and_many_long_ones_are_not():
    X = exact_draws(valleys, 20_000, 4)
    rates = [(walk(valleys, X, LOW, HIGH, numpy.random.default_rng(0), 1, step, 0.0) != X).mean()
             for step in (0.003, 0.03, LONG)]
    assert rates[0] > 0.999 and rates[0] > rates[1] > rates[2] and 0.2 < rates[2] < 0.9


def test_a_jump_is_uniform_and_happens_with_its_probability():
    """On a flat energy each is accepted; 40,000 rows, within 6 standard errors."""
    X = numpy.tile([0.9, 2.9], (40_000, 1))
    Y = walk(flat, X, LOW, HIGH, numpy.random.default_rng(0), 1, step=1e-6, jump=0.3)
    jumped = abs(Y - X).max(axis=1) > 1e-4
    assert abs(standard_errors(jumped[:, None], 0.3)) < 6
    u = ((Y - LOW) / (HIGH - LOW))[jumped]
    powers = numpy.concatenate([u, u**2, u[:, :1] * u[:, 1:]], axis=1)
    assert (abs(standard_errors(powers, [1/2, 1/2, 1/3, 1/3, 1/4])) < 6).all()


# The density that it keeps

@any_jump
def test_as_many_points_go_from_x_to_y_as_back(jump):
    """x ~ p and x' after a step: (x, x') and (x', x) have the same distribution, so the mean of
    f(x) g(x') - g(x) f(x') is 0, here within 6 standard errors for 15 pairs f, g. Without the rule
    of Metropolis, steps of this length are far from it."""
    X = exact_draws(valleys, 40_000, 4)
    f = statistics(X)
    for metropolis in (True, False):
        rng = numpy.random.default_rng(5)
        g = statistics(walk(valleys, X, LOW, HIGH, rng, 1, LONG, jump, metropolis))
        moved = (f[:, 0] != g[:, 0]).mean()
        pairs = numpy.stack([f[:, i] * g[:, j] - f[:, j] * g[:, i]
                             for i, j in itertools.combinations(range(6), 2)], axis=1)
        worst = abs(standard_errors(pairs)).max()
        assert (worst < 6 and 0.2 < moved < 0.99) if metropolis else worst > 8


@any_jump
@pytest.mark.parametrize("energy", [valleys, slide])
def test_steps_keep_p_even_where_many_are_refused_or_reflected(energy, jump):
    """After three long steps from x ~ p still x ~ p, within 6 standard errors."""
    X = exact_draws(energy, 40_000, 4)
    after = statistics(walk(energy, X, LOW, HIGH, numpy.random.default_rng(5), 3, LONG, jump))
    assert (abs(standard_errors(after, statistics(X))) < 6).all()


def test_from_any_start_the_chain_comes_to_p():
    """20,000 chains from one corner, against independent draws, within 6 standard errors."""
    X = numpy.tile(HIGH, (20_000, 1))
    Y = walk(valleys, X, LOW, HIGH, numpy.random.default_rng(2), 60, 0.1, 0.25)
    expected = statistics(exact_draws(valleys, 20_000, 4))
    assert (abs(standard_errors(statistics(Y), expected)) < 6).all()


# Jumps alone

def height(X):
    """The energy of `valleys` without its slope."""
    return valleys(X)[0]


def test_jumps_alone_are_the_steps_of_a_walk_that_always_jumps():
    """In distribution: after each of three, from one corner, within 6 standard errors."""
    X = numpy.tile(HIGH, (40_000, 1))
    for n in (1, 2, 3):
        jumped = jump(height, X, LOW, HIGH, numpy.random.default_rng(0), n)
        walked = walk(valleys, X, LOW, HIGH, numpy.random.default_rng(1), n, jump=1.0)
        assert (abs(standard_errors(statistics(jumped), statistics(walked))) < 6).all()
    assert (jump(height, X, LOW, HIGH, numpy.random.default_rng(0), 0) == X).all()


def test_jumps_keep_p():
    X = exact_draws(valleys, 40_000, 4)
    after = statistics(jump(height, X, LOW, HIGH, numpy.random.default_rng(5), 3))
    assert (abs(standard_errors(after, statistics(X))) < 6).all()


def test_jumps_forget_their_start_as_fast_as_the_largest_density_says():
    """p is M on a share 1/M of the box and 0 elsewhere: from outside, (1 - 1/M)^j of the points
    have not come in after j jumps, the most that the bound allows; 6 standard errors."""
    start = numpy.tile([0.9, 0.0], (40_000, 1))
    for M, jumps in ((2, 3), (4, 6), (10, 20)):
        def inside(X, M=M):
            return (X[:, 0] - LOW[0]) / (HIGH[0] - LOW[0]) < 1 / M

        def energy(X, inside=inside):
            return numpy.where(inside(X), 0.0, 50.0)

        X = jump(energy, start, LOW, HIGH, numpy.random.default_rng(M), jumps)
        assert abs(standard_errors(~inside(X)[:, None], (1 - 1 / M)**jumps)) < 6


def test_the_bound_of_jumps_holds_from_any_start():
    """The share of any region is off by at most (1 - 1/M)^j: here of 16, from two corners."""
    M = numpy.exp(-height(exact_grid())).max() / numpy.exp(-height(exact_grid())).mean()
    masses = shares(exact_grid(), numpy.exp(-height(exact_grid())))
    for corner in (LOW, HIGH):
        for jumps in (1, 3, 6):
            X = jump(height, numpy.tile(corner, (40_000, 1)), LOW, HIGH,
                     numpy.random.default_rng(2), jumps)
            off = abs(shares(X, numpy.ones(len(X))) - masses)
            assert (off < (1 - 1 / M)**jumps + 6 * 0.5 / math.sqrt(len(X))).all()
    assert 1.5 < M < 5                                      # so the bound says something


def exact_grid():
    """The centers of 400 x 400 cells of the box."""
    u = (numpy.arange(400) + 0.5) / 400
    return LOW + (HIGH - LOW) * numpy.stack(numpy.meshgrid(u, u), axis=-1).reshape(-1, 2)


def shares(X, weights):
    """What part of the weights lies in each of 4 x 4 regions of the box."""
    row, column = numpy.minimum(4 * (X - LOW) / (HIGH - LOW), 3).astype(int).T
    return numpy.bincount(4 * row + column, weights, 16) / weights.sum()


def test_in_ten_dimensions_jumps_from_a_uniform_place_hardly_ever_arrive():
    """On half of each side M is 2^10: after 24 jumps less than a twentieth of the points lie there,
    1 - (1 - 1/M)^25 of them."""
    low, high = numpy.zeros(10), numpy.ones(10)

    def energy(X):
        return 50.0 * (X > 0.5).any(axis=1)

    rng = numpy.random.default_rng(0)
    X = jump(energy, uniform(20_000, low, high, rng), low, high, rng, 24)
    arrived = (energy(X) == 0)[:, None]
    assert abs(standard_errors(arrived, 1 - (1 - 2.0**-10)**25)) < 6 and arrived.mean() < 0.05


@pytest.mark.parametrize("options, error, message", [
    ({"jumps": -1}, ValueError, "jumps must be at least 0, got -1"),
    ({"jumps": 2.5}, TypeError, "jumps must be a whole number, got 2.5"),
    ({"X": [[0.0, 3.5]]}, ValueError, r"X must lie in the box from .*, got the row \[0.  3.5\]"),
    ({"X": [[0.0]]}, ValueError, "X has 1 columns"),
    ({"rng": 0}, TypeError, "rng must be a generator"),
    ({"energy": None}, TypeError, "energy must be a function"),
    ({"energy": valleys}, ValueError, r"E must be an array of shape \(1,\)"),
])
def test_wrong_jumps_are_refused_before_anything_is_drawn(options, error, message):
    rng = numpy.random.default_rng(0)
    right = {"energy": height, "X": [[0.0, 0.0]], "low": LOW, "high": HIGH, "rng": rng, "jumps": 1}
    with pytest.raises(error, match=message):
        jump(**right | options)
    assert rng.random() == numpy.random.default_rng(0).random()


@pytest.mark.parametrize("metropolis", [True, False])
def test_five_steps_are_two_steps_and_then_three(metropolis):
    """Also after a refusal nothing but x is remembered: E and its slope are those at x."""
    X, rng = exact_draws(flat, 50, 3), numpy.random.default_rng(1)
    in_two = X
    for steps in (2, 3):
        in_two = walk(valleys, in_two, LOW, HIGH, rng, steps, LONG, 0.1, metropolis)
    at_once = walk(valleys, X, LOW, HIGH, numpy.random.default_rng(1), 5, LONG, 0.1, metropolis)
    numpy.testing.assert_allclose(at_once, in_two, rtol=1e-12)
    assert (walk(valleys, X, LOW, HIGH, rng, 0) == X).all()


# The box

def test_reflection_mirrors_at_the_borders_as_often_as_needed():
    X = numpy.array([[-0.25], [0.25], [1.25], [2.25], [3.25], [-1.25], [0.0], [1.0]])
    inside, mirrored = reflect(X, numpy.array([0.0]), numpy.array([1.0]))
    assert inside[:, 0].tolist() == [0.25, 0.25, 0.75, 0.25, 0.75, 0.75, 0, 1]
    assert mirrored[:6, 0].tolist() == [-1, 1, -1, 1, -1, 1]


def test_a_box_has_mirrors_of_its_own_on_each_axis():
    """At low + k (high - low): the slope of what is mirrored is the sign."""
    X = numpy.random.default_rng(0).uniform(-20, 20, (200, 2))
    inside, sign = reflect(X, LOW, HIGH)
    assert ((LOW <= inside) & (inside <= HIGH)).all()
    k = (X - LOW) // (HIGH - LOW)                           # in which image X lies
    assert (sign == (-1.0)**k).all()
    moved, _ = reflect(X + 1e-6, LOW, HIGH)
    same = k == (X + 1e-6 - LOW) // (HIGH - LOW)
    numpy.testing.assert_allclose((moved - inside)[same], 1e-6 * sign[same], rtol=1e-6)


def test_uniform_draws_fill_the_box_evenly():
    """20,000 of them; means and second moments within 6 standard errors."""
    u = (uniform(20_000, LOW, HIGH, numpy.random.default_rng(0)) - LOW) / (HIGH - LOW)
    assert u.shape == (20_000, 2) and u.min() >= 0 and u.max() <= 1
    powers = numpy.concatenate([u, u**2, u[:, :1] * u[:, 1:]], axis=1)
    assert (abs(standard_errors(powers, [1/2, 1/2, 1/3, 1/3, 1/4])) < 6).all()


@pytest.mark.parametrize("options, error, message", [
    ({"steps": -1}, ValueError, "steps must be at least 0, got -1"),
    ({"steps": 2.5}, TypeError, "steps must be a whole number, got 2.5"),
    ({"step": 0.0}, ValueError, r"step must lie in \(0, inf\), got 0.0"),
    ({"step": math.nan}, ValueError, r"step must lie in \(0, inf\), got nan"),
    ({"jump": 1.1}, ValueError, r"jump must lie in \[0, 1\], got 1.1"),
    ({"jump": -0.1}, ValueError, r"jump must lie in \[0, 1\], got -0.1"),
])
def test_wrong_options_of_a_walk_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        walk(flat, numpy.zeros((3, 2)), LOW, HIGH, numpy.random.default_rng(0),
             **{"steps": 1} | options)


@pytest.mark.parametrize("options, error, message", [
    ({"X": [[0.0, 3.5]]}, ValueError, r"X must lie in the box from .*, got the row \[0.  3.5\]"),
    ({"X": [[0.0, math.nan]]}, ValueError, "X holds nan"),
    ({"X": [[0.0]]}, ValueError, "X has 1 columns"),
    ({"low": HIGH, "high": LOW}, ValueError, "low must be below high"),
    ({"low": [0.0]}, ValueError, r"low and high must both have shape \(d,\)"),
    ({"rng": 0}, TypeError, "rng must be a generator"),
    ({"energy": None}, TypeError, "energy must be a function"),
    ({"metropolis": "no"}, TypeError, "metropolis must be True or False"),
    ({"energy": lambda X: (X, 2 * X)}, ValueError, r"E must be an array of shape \(1,\)"),
    ({"energy": lambda X: (X[:, 0], X[:, 0])}, ValueError, "dE must have the shape of X"),
])
def test_a_walk_that_cannot_begin_is_refused_before_anything_is_drawn(options, error, message):
    rng = numpy.random.default_rng(0)
    right = {"energy": flat, "X": [[0.0, 0.0]], "low": LOW, "high": HIGH, "rng": rng, "steps": 1}
    with pytest.raises(error, match=message):
        walk(**right | options)
    assert rng.random() == numpy.random.default_rng(0).random()


def test_a_walk_of_no_steps_leads_to_a_copy_of_its_start():
    X = numpy.zeros((3, 2))
    Y = walk(flat, X, LOW, HIGH, numpy.random.default_rng(0), 0)
    assert (Y == X).all() and not numpy.shares_memory(X, Y)


def test_with_look_false_a_walk_does_not_wait_to_check_its_start(device):
    X, low, high = (device.asarray(x) for x in (numpy.zeros((3, 2)), LOW, HIGH))
    with stand_in_cupy.counted() as n:
        walk(lambda X: (0 * X[:, 0], 0 * X), X, low, high, device.random.default_rng(0), 3,
             look=False)
    assert n.waits == 0 and n.launches > 0


# Contracts

@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("metropolis", [True, False])
def test_chains_stay_in_the_box_in_their_precision_and_read_their_start_only(
        xp, make_rng, dtype, metropolis):
    low, high = (xp.asarray(corner, dtype=dtype) for corner in (LOW, HIGH))
    X = uniform(500, low, high, make_rng(3))
    start = X.copy()

    def energy(X):
        return (X**2).sum(axis=1), 2 * X

    Y = walk(energy, X, low, high, make_rng(2), 3, step=5.0, metropolis=metropolis)
    assert to_numpy((low <= Y) & (Y <= high)).all()
    assert X.dtype == Y.dtype == dtype and array_module(Y) is array_module(X) is xp
    assert to_numpy(X == start).all() and not to_numpy(Y == start).all()


def test_an_energy_that_is_infinite_where_p_is_0_needs_no_warning():
    low, high, X = numpy.array([0.0]), numpy.array([1.0]), numpy.full((200, 1), 0.5)
    X = jump(lambda X: numpy.where(X[:, 0] < 0.25, 0, math.inf), X, low, high,
             numpy.random.default_rng(0), 30)
    X = walk(lambda X: (numpy.where(X[:, 0] < 0.25, 0, math.inf), 0 * X), X, low, high,
             numpy.random.default_rng(1), 5, 0.1)
    assert 0 < X.min() and X.max() < 0.25
