"""Planning: values against closed forms, and a plan costs what it is said to cost."""

import itertools
import math

import numpy
import pytest

from gdl_numpy.agents.planning import expected_steps, value_iteration

rng = numpy.random.default_rng(0)


def corridor(n, p):
    """n states before the goal; the first action goes on with probability p, the second back."""
    on, back = numpy.zeros((2, n + 1, n + 1))
    for s in range(n):
        on[s, s], on[s, s + 1] = 1 - p, p
        back[s, max(s - 1, 0)] += p
        back[s, s] += 1 - p
    on[n, n] = back[n, n] = 1
    return numpy.stack([on, back])


def any_table(n, actions=3, seed=0):
    return numpy.random.default_rng(seed).dirichlet(numpy.full(n, 0.3), (actions, n))


# Closed forms

@pytest.mark.parametrize("n, p", [(1, 0.5), (10, 0.3), (30, 1.0)])
def test_a_corridor_of_n_steps_that_succeed_with_probability_p_takes_n_over_p(n, p):
    V, plan = value_iteration(corridor(n, p), goal=n, limit=10_000)
    numpy.testing.assert_allclose(V, numpy.arange(n, -1, -1) / p, rtol=1e-10)
    assert (plan[:n] == 0).all()
    numpy.testing.assert_allclose(expected_steps(corridor(n, p), plan, n), V, rtol=1e-10)


def test_a_fair_walk_from_a_wall_takes_the_square_of_the_distance():
    """From k, with a wall at 0 and the goal at n: n² - k² (the gambler's ruin, folded)."""
    n = 20
    P = numpy.zeros((1, n + 1, n + 1))
    P[0, 0, 1] = P[0, n, n] = 1
    for k in range(1, n):
        P[0, k, k - 1] = P[0, k, k + 1] = 0.5
    want = n**2 - numpy.arange(n + 1)**2
    numpy.testing.assert_allclose(expected_steps(P, numpy.zeros(n + 1, int), n), want, rtol=1e-10)
    numpy.testing.assert_allclose(value_iteration(P, n, limit=20_000)[0], want, rtol=1e-8)


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_with_a_limit_it_is_the_mean_of_the_smaller_of_time_and_limit(limit):
    p = 0.2
    want = (1 - (1 - p)**limit) / p                         # Σ P(T > t) over t < limit
    V, plan = value_iteration(corridor(1, p), goal=1, limit=limit)
    assert V[0] == pytest.approx(want, rel=1e-12)
    assert expected_steps(corridor(1, p), plan, 1, limit)[0] == pytest.approx(want, rel=1e-12)


# The best plan

def test_the_value_of_the_best_plan_is_the_least_of_all_plans_from_every_state():
    P = any_table(4)
    V, plan = value_iteration(P, goal=0, limit=10_000)
    costs = [expected_steps(P, list(one), goal=0) for one in itertools.product(range(3), repeat=4)]
    numpy.testing.assert_allclose(V, numpy.min(costs, axis=0), rtol=1e-10)
    numpy.testing.assert_allclose(V, expected_steps(P, plan, goal=0), rtol=1e-10)


@pytest.mark.parametrize("limit", [2, 3, 5])
def test_the_first_action_of_a_limited_plan_leaves_one_step_less(limit):
    P = any_table(30, seed=5)
    (before, _), (V, plan) = (value_iteration(P, 7, t) for t in (limit - 1, limit))
    want = 1 + P[plan, numpy.arange(30)] @ before
    numpy.testing.assert_allclose(numpy.delete(V, 7), numpy.delete(want, 7), rtol=1e-12)


def test_the_value_solves_its_equation():
    P = any_table(30, seed=1)
    V, plan = value_iteration(P, goal=7, limit=10_000)
    residual = 1 + (P @ V).min(axis=0) - V
    assert V[7] == 0 and abs(numpy.delete(residual, 7)).max() < 1e-10


def test_the_cost_of_any_plan_solves_its_equation():
    P, plan = any_table(30, seed=2), rng.integers(0, 3, 30)
    V = expected_steps(P, plan, goal=7)
    residual = 1 + P[plan, numpy.arange(30)] @ V - V
    assert V[7] == 0 and abs(numpy.delete(residual, 7)).max() < 1e-9
    numpy.testing.assert_allclose(expected_steps(P, plan, 7, limit=5000), V, rtol=1e-9)


def test_more_time_never_makes_the_mean_smaller():
    P = any_table(10, seed=3)
    values = [value_iteration(P, goal=3, limit=limit)[0] for limit in (1, 2, 5, 20, 400)]
    assert (numpy.diff(values, axis=0) >= 0).all() and (values[0] <= 1).all()


def test_of_equally_good_actions_the_plan_has_the_first():
    P = any_table(6, actions=1, seed=4)
    assert (value_iteration(numpy.concatenate([P, P]), goal=2)[1] == 0).all()


# Who never arrives

def test_a_plan_that_may_miss_the_goal_for_good_costs_infinitely_much_and_others_do_not():
    """0 and 1 may fall into the trap 3, 2 is safe, and the trap never lets go."""
    P = numpy.array([[[0, 0.9, 0, 0.1, 0], [0, 0, 0.5, 0.5, 0], [0, 0, 0.5, 0, 0.5],
                      [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]])
    V = expected_steps(P, [0] * 5, goal=4)
    assert V.tolist() == [math.inf, math.inf, 2.0, math.inf, 0.0]
    limited = expected_steps(P, [0] * 5, goal=4, limit=50)
    assert numpy.isfinite(limited).all() and limited[3] == 50 and 20 < limited[0] < 50


def test_a_trap_far_away_is_found():
    n = 40
    P = corridor(n, 1.0)[:1].copy()
    P[0, n - 1] = 0
    P[0, n - 1, n - 1] = 1                                  # the last state before the goal
    V = expected_steps(P, [0] * (n + 1), goal=n)
    assert numpy.isinf(V[:n]).all() and V[n] == 0
    assert (value_iteration(P, n, limit=77)[0][:n] == 77).all()


# Arrays, and what is refused

def test_plan_and_cost_are_computed_where_the_table_lives(xp):
    P = xp.asarray(any_table(5), dtype="float32")
    V, plan = value_iteration(P, goal=1)
    assert V.dtype == P.dtype and plan.dtype.kind == "i"
    cost = expected_steps(P, plan, goal=1)
    assert float(abs(cost - V).max()) < 1e-3 * float(V.max())


@pytest.mark.parametrize("call, message", [
    (lambda P: value_iteration(P[0], 0), r"P must have shape \(actions, n, n\)"),
    (lambda P: value_iteration(P[:, :-1], 0), r"P must have shape \(actions, n, n\)"),
    (lambda P: value_iteration(0.9 * P, 0), "P must sum to 1"),
    (lambda P: value_iteration(P, 4), "goal must be at most 3, got 4"),
    (lambda P: value_iteration(P, 0, limit=0), "limit must be at least 1"),
    (lambda P: expected_steps(P, [0, 0, 0], 0), r"plan must be an array of shape \(4,\)"),
    (lambda P: expected_steps(P, [0, 0, 0, 3], 0), "plan must hold whole numbers from 0 to 2"),
    (lambda P: expected_steps(P, [0, 0, 0, 0.5], 0), "plan must hold whole numbers, got dtype")])
def test_what_is_no_table_and_no_plan_is_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call(any_table(4))


# Ways out that are nearly never taken

RARE = 1e-5, 1e-15, 1.2e-16, 1e-20, 1e-200                  # 1 - (1 - p) has few digits, or none


@pytest.mark.parametrize("p", RARE)
def test_however_seldom_a_state_is_left_it_takes_1_over_p_steps(p):
    assert expected_steps([[[1 - p, p], [0, 1]]], [0, 0], 1) == pytest.approx([1 / p, 0], rel=1e-12)


def test_a_row_that_sums_to_a_little_more_than_1_is_left_as_often_as_it_says():
    P = [[[1 + 3e-7, 5e-7], [0, 1]]]
    assert expected_steps(P, [0, 0], 1) == pytest.approx([2e6, 0], rel=1e-6)


@pytest.mark.parametrize("p", RARE)
def test_however_seldom_several_states_are_left_together_no_digit_is_lost(p):
    """There and back between two states, and out of the second with the probability p:
    V_1 = 1 + V_2 and V_2 = 1 + (1 - p) V_1 give V_1 = 2/p. In any order of the states."""
    P = numpy.array([[0, 1, 0], [1 - p, 0, p], [0, 0, 1]])
    for order in itertools.permutations(range(3)):
        moved = P[numpy.ix_(order, order)]
        V = expected_steps(moved[None], [0, 0, 0], order.index(2))
        assert V == pytest.approx(numpy.array([2 / p, 2 / p - 1, 0])[list(order)], rel=1e-12)


def test_more_steps_than_the_largest_number_are_infinitely_many():
    assert expected_steps([[[1, 1e-310], [0, 1]]], [0, 0], 1).tolist() == [math.inf, 0]
