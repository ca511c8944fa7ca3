"""Q-learning: the truth is its fixed point, and it comes there late."""

import numpy
import pytest

from gdl_numpy.agents.chart import Chart
from gdl_numpy.agents.planning import expected_steps, value_iteration
from gdl_numpy.agents.q_learning import calm_q, q_learning
from gdl_numpy.agents.sailing import World, trade_winds
from gdl_numpy.agents.world_model import journey, learn
from gdl_numpy.numerics.backend import array_module, to_numpy

CHART = Chart(goal=(37.5, -32.5))                           # near, so that learning is quick
WORLD = trade_winds(CHART)
SURE = trade_winds(CHART, helm=1.0, wind=0.0)               # nothing is left to chance
N = len(CHART.cells)


def true_q(world):
    """Q(s, a) = 1 + Σ_s' P(s'|s, a) V(s'), and 0 at the goal."""
    V, _ = value_iteration(world.table, world.chart.arrives, limit=5000)
    Q = (1 + world.table @ V).T
    Q[world.chart.arrives] = 0
    return Q


def learned(world, Q, steps, seed=0, **settings):
    """What is learned at last."""
    *_, last = q_learning(world, numpy.random.default_rng(seed), Q, max_steps=steps, **settings)
    return last


def test_where_nothing_is_left_to_chance_the_truth_does_not_move():
    Q = true_q(SURE)
    numpy.testing.assert_allclose(learned(SURE, Q, 500, rate=0.5, epsilon=0.5)[0], Q, rtol=1e-12)


def test_at_the_truth_the_mean_change_is_0():
    Q = true_q(WORLD)
    change = 1 + (WORLD.table @ Q.min(axis=1)).T - Q
    change[CHART.arrives] = 0
    assert abs(change).max() < 1e-9


def test_where_nothing_is_left_to_chance_q_rises_to_the_truth_from_below_and_finds_the_way():
    """With η = 1 a guess that is too low stays so, and a start at 0 explores by itself."""
    want, before = true_q(SURE), numpy.zeros((1, N, 4))
    for step, Q in enumerate(q_learning(SURE, numpy.random.default_rng(0), before[0], epsilon=0.0,
                                        max_steps=10_000, rate=1.0)):
        if step % 1000 == 0:
            assert (Q >= before).all() and (Q <= want + 1e-9).all()
            before = Q.copy()
    s, way = CHART.departs, 0
    while s != CHART.arrives and way < 50:
        s = int(CHART.leads_to[s, 1 + Q[0, s].argmin()])
        way += 1
    assert way == want[CHART.departs].min() == 4


def test_the_first_visit_takes_the_whole_step_and_later_ones_a_part():
    """η = 1, then √½, unless the lowest rate is higher; here a ship that the land always stops."""
    class East:
        """In place of a generator: always the second heading, and no chance."""
        integers = staticmethod(lambda low, high, size: numpy.full(size, 1))
        random = standard_normal = staticmethod(lambda shape: numpy.full(shape, 0.5))

    Q = numpy.full((N, 4), 10.0)
    values = [Q[0, CHART.departs, 1] for Q in q_learning(SURE, East(), Q, max_steps=3, epsilon=1.0,
                                                         rate=0.0)]
    first = 11.0                                            # 1 + min Q = 1 + 10, and then again
    numpy.testing.assert_allclose(values, [first] * 3)
    Q[CHART.departs] = [30.0, 0.0, 30.0, 30.0]              # min Q is its own
    values = [Q[0, CHART.departs, 1] for Q in q_learning(SURE, East(), Q, max_steps=3, epsilon=1.0,
                                                         rate=0.0)]
    numpy.testing.assert_allclose(values, [1, 1 + 2**-0.5, 1 + 2**-0.5 + 3**-0.5])


def test_the_goal_costs_nothing_even_if_voyages_begin_there():
    Q = learned(WORLD, calm_q(CHART), 2000, sailors=5, epsilon=1.0, length=2, anywhere=True)
    assert (Q[:, CHART.arrives] == 0).all()


@pytest.mark.parametrize("length, steps", [(3, 3), (4, 4), (6, 4)])
def test_a_voyage_ends_at_the_goal_or_after_its_own_length(length, steps):
    begins = []

    class Watched(World):
        def moved(self, cells, headings, u):
            begins.append((cells == CHART.departs).tolist())
            return super().moved(cells, headings, u)

    learned(Watched(CHART, SURE.masses), true_q(SURE), 12, sailors=2, epsilon=0.0, length=length)
    assert begins == [[step % steps == 0] * 2 for step in range(12)]


def test_learners_are_independent():
    Q = learned(WORLD, numpy.full((N, 4), 7.0), 300, sailors=3)
    assert Q.shape == (3, N, 4) and (Q[:, CHART.arrives] == 0).all()
    assert not (Q[0] == Q[1]).all() and not (Q[1] == Q[2]).all()


def test_the_same_seed_learns_the_same():
    one, two, other = (learned(WORLD, calm_q(CHART), 200, seed) for seed in (0, 0, 1))
    assert (one == two).all() and not (one == other).all()


def test_a_start_without_wind_is_what_the_chart_says():
    Q, calm = calm_q(CHART), trade_winds(CHART, wind=0.0)
    V, plan = value_iteration(calm.table, CHART.arrives)
    numpy.testing.assert_allclose(Q.min(axis=1), V, rtol=1e-9)
    numpy.testing.assert_allclose(Q[numpy.arange(N), plan], V, rtol=1e-9)  # some are as good
    assert (Q <= true_q(WORLD) + 1e-9)[CHART.departs].all()         # too low, so it explores


def test_with_a_thousand_steps_it_does_worse_than_a_model_of_five_hundred():
    """Means of ten learners, bound for the far goal."""
    chart = Chart()
    world = trade_winds(chart)
    Q = learned(world, calm_q(chart), 1000, sailors=10, rate=0.02, anywhere=True)
    direct = [expected_steps(world.table, one.argmin(axis=1), chart.arrives, 400)[chart.departs]
              for one in Q]
    rngs = map(numpy.random.default_rng, range(10))
    model = [journey(learn(chart, world.explore(500, rng, 10), weight=3.0), world).sailed
             for rng in rngs]
    assert numpy.mean(direct) > 5 * numpy.mean(model)


def test_a_learner_lives_where_its_world_lives(xp, make_rng):
    world = WORLD.on(xp)
    *_, Q = q_learning(world, make_rng(0), calm_q(world.chart), sailors=2, max_steps=20)
    assert array_module(Q) is xp and Q.shape == (2, N, 4)
    numpy.testing.assert_allclose(to_numpy(calm_q(world.chart)), calm_q(CHART), rtol=1e-12)


@pytest.mark.parametrize("wrong, message", [
    ({"Q": numpy.zeros((N, 3))}, "Q must have the shape of"),
    ({"sailors": 0}, "sailors must be at least 1"), ({"length": 0}, "length must be at least 1"),
    ({"epsilon": 1.5}, r"epsilon must lie in \[0, 1\]"), ({"rate": -1}, r"rate must lie in \[0, 1"),
    ({"anywhere": 1}, "anywhere must be True or False"),
    ({"world": CHART}, "world must be a World")])
def test_what_no_learner_can_use_is_refused_before_any_step(wrong, message):
    right = {"world": WORLD, "rng": numpy.random.default_rng(0), "Q": calm_q(CHART)}
    with pytest.raises((ValueError, TypeError), match=message):
        q_learning(**right | wrong)
