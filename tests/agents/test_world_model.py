"""World model: what is learned tends to the truth, and so does what is dreamt in it."""

import math

import numpy
import pytest

from gdl_numpy.agents.chart import DISPLACEMENTS, Chart
from gdl_numpy.agents.planning import expected_steps, value_iteration
from gdl_numpy.agents.sailing import Log, World, trade_winds
from gdl_numpy.agents.world_model import Journey, journey, learn
from gdl_numpy.numerics.backend import array_module, to_numpy

CHART = Chart()
WORLD, CALM = trade_winds(CHART), trade_winds(CHART, wind=0.0)
SEA, = CHART.cell([[37.5, -42.5]])                          # no land around it
NOTHING = Log(*numpy.zeros((3, 0), int))
WEST, SOUTH_WEST = DISPLACEMENTS.index((0, -1)), DISPLACEMENTS.index((-1, -1))


def logged(n, seed=0, length=10):
    return WORLD.explore(n, numpy.random.default_rng(seed), length)


def lost(model):
    """KL(world‖model) in nats per step, a mean over cells and headings."""
    p = WORLD.table
    seen = p > 0
    with numpy.errstate(divide="ignore"):
        return float((p[seen] * numpy.log(p[seen] / model.table[seen])).sum() / p[:, :, 0].size)


# The estimate

@pytest.mark.parametrize("by", ["latitude", "cell"])
def test_who_has_seen_nothing_believes_in_no_wind(by):
    numpy.testing.assert_allclose(learn(CHART, NOTHING, by).masses, CALM.masses, atol=1e-15)


@pytest.mark.parametrize("by", ["latitude", "cell"])
def test_in_open_water_a_mass_is_counted_and_the_belief_counts_as_m_steps(by):
    went = [CHART.leads_to[SEA, WEST]] * 3 + [CHART.leads_to[SEA, SOUTH_WEST]] * 2
    model = learn(CHART, Log([SEA] * 5, [3] * 5, went), by, weight=2.0)
    assert model.masses[SEA, 3, WEST] == pytest.approx((2 * 0.85 + 3) / 7)
    assert model.masses[SEA, 3, SOUTH_WEST] == pytest.approx(2 / 7)
    assert model.masses[SEA, 3, 0] == pytest.approx(2 * 0.15 / 7)
    numpy.testing.assert_allclose(model.masses[SEA, :3], CALM.masses[SEA, :3])  # never steered


def test_cells_of_one_latitude_share_what_is_seen_and_other_latitudes_learn_nothing():
    log = Log([SEA], [3], [CHART.leads_to[SEA, SOUTH_WEST]])
    model, alone = (learn(CHART, log, by, weight=1.0) for by in ("latitude", "cell"))
    same = CHART.latitude == CHART.latitude[SEA]
    assert (model.masses[same, 3, SOUTH_WEST] == 0.5).all()
    numpy.testing.assert_allclose(model.masses[~same], CALM.masses[~same])
    assert alone.masses[SEA, 3, SOUTH_WEST] == 0.5
    others = numpy.arange(len(same)) != SEA
    numpy.testing.assert_allclose(alone.masses[others], CALM.masses[others])


def test_masses_sum_to_1_and_none_is_negative():
    for by in ("latitude", "cell"):
        masses = learn(CHART, logged(3000), by, weight=1e-3).masses
        assert (masses >= 0).all()
        numpy.testing.assert_allclose(masses.sum(axis=2), 1, rtol=1e-12)


# What land hides

def test_steps_that_land_has_stopped_teach_nothing():
    """East of Lisbon is land: whatever the ship did, it stayed, and the sailor knows no more."""
    s = CHART.departs
    model = learn(CHART, Log([s] * 100, [1] * 100, [s] * 100), by="cell")
    numpy.testing.assert_allclose(model.masses, CALM.masses, atol=1e-12)


def test_no_round_of_expectation_maximization_lowers_the_likelihood():
    """For a light belief, of the log-likelihood together with its part, m Σ p_0 log p."""
    log, m = logged(2000), 0.1
    cells = numpy.unique(CHART.latitude, return_index=True)[1]      # one of each latitude
    values = []
    for rounds in (1, 2, 3, 5, 10, 20, 40):
        model = learn(CHART, log, weight=m, rounds=rounds)
        p, p_0 = model.masses[cells], CALM.masses[cells]
        values.append(model.log_mass(log).sum() + m * (p_0[p_0 > 0] * numpy.log(p[p_0 > 0])).sum())
    assert (numpy.diff(values) > -1e-9).all() and values[-1] > values[0] + 0.1
    assert values[-1] - values[-2] < 0.01


def test_the_wind_at_the_coast_is_learned_from_the_sea_and_not_from_what_land_stops():
    """A count of where ships stayed would put up to 0.3 too much on Δ = 0. This is right within
    0.03, five standard errors of the latitude with the fewest steps. At the two edges of the chart
    nobody can tell: there a step beyond is stopped in every cell."""
    log, inside = logged(200_000), (CHART.latitude > 0) & (CHART.latitude < 12)
    error = abs(learn(CHART, log).masses - WORLD.masses)
    assert error[inside].max() < 0.03
    east = (log.headings == 1) & (log.cells == log.arrivals)
    stayed = [east[CHART.latitude[log.cells] == row].sum()
              / ((log.headings == 1) & (CHART.latitude[log.cells] == row)).sum()
              for row in range(1, 12)]
    truth = [WORLD.masses[CHART.latitude == row][0, 1, 0] for row in range(1, 12)]
    assert (numpy.array(stayed) > truth).all() and max(numpy.subtract(stayed, truth)) > 0.25


# The truth, and the dream

def test_the_model_tends_to_the_truth():
    losses = [lost(learn(CHART, logged(n), weight=3.0)) for n in (0, 1000, 10_000, 100_000)]
    assert losses[0] == math.inf                            # who believes in no wind excludes it
    assert lost(WORLD) == 0 and losses[-1] < 1e-3
    errors = [abs(learn(CHART, logged(n)).table - WORLD.table).max() for n in
              (1000, 10_000, 100_000)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2] and errors[2] < 0.05


def test_what_is_dreamt_tends_to_what_is_sailed():
    """Means of ten seeds: too good by many steps at first, and by less than one at last."""
    gaps = [numpy.mean([one.sailed - one.dreamt for one in (
        journey(learn(CHART, logged(n, seed), weight=3.0), WORLD) for seed in range(10))])
        for n in (500, 5000, 100_000)]
    assert gaps[0] > 8 and gaps[0] > gaps[1] > gaps[2] and abs(gaps[2]) < 0.7


def test_a_plan_made_in_a_model_of_few_steps_is_optimistic():
    journeys = [journey(learn(CHART, logged(500, seed), weight=3.0), WORLD) for seed in range(10)]
    best = journey(WORLD, WORLD).sailed
    assert all(one.dreamt < best < one.sailed for one in journeys)


def test_the_belief_is_optimistic_about_every_plan_and_the_choice_adds_to_it():
    """After 500 steps the best plan of the true world, 29 steps, is dreamt to take some 21."""
    best, dreams = journey(WORLD, WORLD).plan, []
    for seed in range(10):
        model = learn(CHART, logged(500, seed), weight=3.0)
        of_the_best = expected_steps(model.table, best, CHART.arrives, 400)[CHART.departs]
        assert journey(model, WORLD).dreamt <= of_the_best
        dreams.append(of_the_best)
    assert numpy.mean(dreams) == pytest.approx(21, abs=0.7)


def test_in_the_true_world_the_dream_is_the_voyage():
    best = journey(WORLD, WORLD)
    assert isinstance(best, Journey) and best.dreamt == best.sailed
    assert best.sailed == pytest.approx(29.2315, abs=1e-4)


def test_a_blind_plan_is_dreamt_to_take_13_steps_and_takes_99():
    blind = journey(CALM, WORLD)
    assert blind.dreamt == pytest.approx(11 / 0.85)         # eleven cells to the west
    assert blind.sailed == pytest.approx(98.7437, abs=1e-4)
    exact = expected_steps(WORLD.table, blind.plan, CHART.arrives)[CHART.departs]
    assert exact == pytest.approx(98.7603, abs=1e-4)        # without the limit of 400
    assert CHART.cells[CHART.departs, 0] == CHART.cells[CHART.arrives, 0]
    assert (blind.plan[CHART.latitude == CHART.latitude[SEA]][3:] == 3).all()      # west


def test_plans_of_a_model_of_500_steps_are_far_better_than_blind_ones():
    sailed = [journey(learn(CHART, logged(500, seed), weight=3.0), WORLD).sailed
              for seed in range(10)]
    assert numpy.median(sailed) < 33 and numpy.mean(sailed) < 45


def test_a_goal_in_the_south_needs_no_model():
    chart = Chart(goal=(12.5, -27.5))
    world = trade_winds(chart)
    blind, best = journey(trade_winds(chart, wind=0.0), world), journey(world, world)
    assert best.sailed < blind.sailed < 1.1 * best.sailed


def test_a_flat_belief_keeps_the_ship_in_port():
    """All headings are alike to who thinks that his ship goes anywhere, whatever he steers."""
    flat = World(CHART, numpy.full(CHART.leads_to.shape, 1 / len(DISPLACEMENTS))[:, None].repeat(
        4, axis=1))
    V, plan = value_iteration(flat.table, CHART.arrives)
    assert (plan == plan[0]).all()                          # the first, for want of a better one
    assert journey(flat, WORLD).sailed == pytest.approx(400, abs=1e-3)


def test_to_learn_every_cell_for_itself_takes_more_steps():
    each, shared = (numpy.mean([journey(learn(CHART, logged(1000, seed), by), WORLD).sailed
                                for seed in range(5)]) for by in ("cell", "latitude"))
    assert each > shared + 5


# Arrays, and what is refused

def test_a_model_is_learned_where_its_log_lives(xp):
    log = logged(200)
    model = learn(CHART.on(xp), Log(*map(xp.asarray, log)))
    assert array_module(model.masses) is xp
    numpy.testing.assert_allclose(to_numpy(model.masses), learn(CHART, log).masses, rtol=1e-12)
    assert journey(model, WORLD.on(xp)).dreamt == pytest.approx(
        journey(learn(CHART, log), WORLD).dreamt)


@pytest.mark.parametrize("call, message", [
    (lambda: learn(CHART, NOTHING, by="longitude"), "by must be one of latitude, cell"),
    (lambda: learn(CHART, NOTHING, weight=0), r"weight must lie in \[1e-300, inf\)"),
    (lambda: learn(CHART, NOTHING, rounds=0), "rounds must be at least 1"),
    (lambda: learn(CHART, [1, 2, 3]), "log must be a Log"),
    (lambda: learn(CHART, Log([0], [0], [1000])), r"log\.arrivals must hold whole numbers from 0"),
    (lambda: learn(CHART, Log([SEA], [3], [CHART.arrives])), "log holds a step that no displacem"),
    (lambda: journey(CHART, WORLD), "model must be a World"),
    (lambda: journey(WORLD, trade_winds(Chart((42.5, 7.5), (37.5, 2.5)))),
     r"model\.masses must have the shape of world\.masses")])
def test_what_is_no_log_and_no_model_is_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64"])
def test_whole_numbers_of_any_kind_are_counted_alike(dtype):
    log = logged(500)
    small = Log(*(numpy.asarray(part).astype(dtype) for part in log))
    assert (learn(CHART, small).masses == learn(CHART, log).masses).all()


def test_a_log_of_empty_lists_is_one_without_a_step():
    assert (learn(CHART, Log([], [], [])).masses == learn(CHART, NOTHING).masses).all()
