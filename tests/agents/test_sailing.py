"""Sailing: the true world is what its header says, and its steps are draws of it."""

import math

import numpy
import pytest
from scipy.stats import chisquare

from gdl_numpy.agents.chart import DISPLACEMENTS, HEADINGS, Chart
from gdl_numpy.agents.planning import expected_steps, value_iteration
from gdl_numpy.agents.sailing import Log, World, trade_winds
from gdl_numpy.numerics.backend import array_module, to_numpy

CHART = Chart()
WORLD, CALM = trade_winds(CHART), trade_winds(CHART, wind=0.0)
TRADES = CHART.cells[:, 0] < 30
N = len(CHART.cells)


# p(Δ|s, a)

def test_masses_are_not_negative_and_sum_to_1():
    for world in (WORLD, CALM, trade_winds(CHART, 0.3, 1.0)):
        assert (world.masses >= 0).all() and (world.table >= 0).all()
        numpy.testing.assert_allclose(world.masses.sum(axis=2), 1, rtol=1e-12)
        numpy.testing.assert_allclose(world.table.sum(axis=2), 1, rtol=1e-12)


@pytest.mark.parametrize("helm, wind", [(0.85, 0.75), (0.2, 0.9), (1.0, 0.0)])
def test_the_mean_displacement_is_that_of_the_helm_and_that_of_the_wind(helm, wind):
    mean = trade_winds(CHART, helm, wind).masses @ numpy.array(DISPLACEMENTS, dtype=float)
    blows = numpy.where(TRADES[:, None], [0.0, -1.0], [0.0, 1.0])
    wanted = helm * numpy.array(HEADINGS) + wind * blows[:, None]
    numpy.testing.assert_allclose(mean, wanted, atol=1e-12)


def test_without_wind_a_ship_goes_as_steered_or_stays():
    for a in range(4):
        assert (CALM.masses[:, a, 1 + a] == 0.85).all()
        numpy.testing.assert_allclose(CALM.masses[:, a, 0], 0.15)


def test_west_against_the_westerlies_gains_a_tenth_of_a_cell_and_with_the_trades_1_6():
    gain = -(WORLD.masses @ numpy.array(DISPLACEMENTS, dtype=float))[:, 3, 1]
    numpy.testing.assert_allclose(gain, numpy.where(TRADES, 1.6, 0.1), atol=1e-12)


# Steps

def test_steps_are_as_frequent_as_their_masses():
    """At the coast and at sea; together a false alarm in a thousand seeds."""
    for s, a, seed in ((CHART.departs, 3, 0), (CHART.departs, 0, 1), (40, 1, 2)):
        n, expected = 20_000, WORLD.table[a, s]
        new = WORLD.step(numpy.full(n, s), numpy.full(n, a), numpy.random.default_rng(seed))
        counts = numpy.bincount(new, minlength=N)
        assert not counts[expected == 0].any()
        possible = expected > 0
        assert chisquare(counts[possible], n * expected[possible]).pvalue > 0.0003


def test_no_explorer_enters_the_land_or_another_sea():
    log = WORLD.explore(20_000, numpy.random.default_rng(0))
    assert (WORLD.table[log.headings, log.cells, log.arrivals] > 0).all()
    moved = (CHART.cells[log.arrivals] - CHART.cells[log.cells]) / 5
    assert abs(moved[:, 0]).max() == 1 and abs(moved[:, 1]).max() == 2


def test_a_log_holds_whole_voyages_one_after_the_other_and_begins_each_anywhere():
    log = WORLD.explore(95, numpy.random.default_rng(0), length=10)
    assert all(len(part) == 95 for part in log)
    follows = log.cells[1:] == log.arrivals[:-1]
    new = numpy.arange(1, 95) % 10 == 0
    assert follows[~new].all() and not follows[new].all()
    far = WORLD.explore(40_000, numpy.random.default_rng(1), length=1)
    assert set(far.cells.tolist()) == set(range(N)) and set(far.headings.tolist()) == {0, 1, 2, 3}


def test_a_voyage_that_is_longer_than_the_log_is_cut():
    log = WORLD.explore(5, numpy.random.default_rng(0), length=10**15)
    assert len(log.cells) == 5 and (log.cells[1:] == log.arrivals[:-1]).all()


def test_the_same_seed_gives_the_same_log():
    one, two, other = (WORLD.explore(500, numpy.random.default_rng(seed)) for seed in (3, 3, 4))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert not (one.arrivals == other.arrivals).all()
    assert all(len(part) == 0 for part in WORLD.explore(0, numpy.random.default_rng(0)))


def test_the_mean_log_mass_of_a_log_is_minus_the_entropy_of_a_step():
    """Within 5 standard errors: a false alarm in a million seeds."""
    s, n = CHART.departs, 50_000
    new = WORLD.step(numpy.full(n, s), numpy.full(n, 3), numpy.random.default_rng(0))
    log_mass = WORLD.log_mass(Log(numpy.full(n, s), numpy.full(n, 3), new))
    p = WORLD.table[3, s][WORLD.table[3, s] > 0]
    assert abs(log_mass.mean() - (p * numpy.log(p)).sum()) < 5 * log_mass.std() / n**0.5


def test_what_cannot_happen_has_log_mass_minus_infinity_and_what_land_hides_is_a_sum():
    s = CHART.departs
    far, stayed = CALM.log_mass(Log([s, s], [3, 1], [CHART.arrives, s]))
    assert far == -math.inf and stayed == 0.0               # east of Lisbon is land: it must stay


# Tracks of a plan

def test_the_mean_time_of_tracks_is_what_the_plan_costs():
    """Within 5 standard errors: a false alarm in a million seeds."""
    _, plan = value_iteration(WORLD.table, CHART.arrives)
    tracks = WORLD.sail(plan, 2000, numpy.random.default_rng(0))
    times = (tracks != CHART.arrives).sum(axis=1)
    exact = expected_steps(WORLD.table, plan, CHART.arrives, limit=400)[CHART.departs]
    assert abs(times.mean() - exact) < 5 * times.std() / 2000**0.5


def test_tracks_begin_in_port_and_end_at_the_goal():
    _, plan = value_iteration(WORLD.table, CHART.arrives)
    tracks = WORLD.sail(plan, 20, numpy.random.default_rng(0), limit=300)
    assert tracks.shape == (20, 301) and (tracks[:, 0] == CHART.departs).all()
    arrived = tracks == CHART.arrives
    assert arrived[:, -1].all() and (arrived[:, 1:] >= arrived[:, :-1]).all()


# Where arrays live, and what is refused

def test_a_world_acts_where_it_lives(xp, make_rng):
    world = WORLD.on(xp)
    log = world.explore(30, make_rng(0), length=7)
    assert all(array_module(part) is xp for part in log)
    assert array_module(world.log_mass(log)) is xp and bool((world.log_mass(log) < 0).any())
    plan = xp.full(N, 3)
    assert array_module(world.sail(plan, 2, make_rng(0), limit=5)) is xp
    assert array_module(world.step(log.cells, log.headings, make_rng(0))) is xp
    numpy.testing.assert_allclose(to_numpy(trade_winds(CHART.on(xp)).table), WORLD.table)


@pytest.mark.parametrize("call, message", [
    (lambda: World(CHART, WORLD.masses[:-1]), "masses must have the shape"),
    (lambda: World(CHART, 2 * WORLD.masses), "masses must sum to 1"),
    (lambda: World("a chart", WORLD.masses), "chart must be a Chart"),
    (lambda: trade_winds(CHART, wind=1.5), r"wind must lie in \[0, 1\]"),
    (lambda: WORLD.log_mass(([0], [0], [0])), "log must be a Log"),
    (lambda: WORLD.log_mass(Log([0], [4], [0])), r"log\.headings must hold whole numbers from"),
    (lambda: WORLD.log_mass(Log([0, 1], [1, 1], [0])), r"log\.arrivals must be an array of shape"),
    (lambda: WORLD.log_mass(Log([0.5], [1], [0])), r"log\.cells must hold whole numbers"),
    (lambda: WORLD.sail([0] * N, 3, 5, limit=0), "rng must be a generator"),
    (lambda: WORLD.sail([0, 1], 3, numpy.random.default_rng(0)), "plan must be an array of shape")])
def test_what_is_no_world_no_log_and_no_plan_is_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
