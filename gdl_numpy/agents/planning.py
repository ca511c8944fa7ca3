"""Planning: the best action in every state, if it is known what follows from what.

From Lisbon one would sail west. But where the wind blows east, a detour through other winds may be
shorter, and how far it pays to go depends on the whole way. To try all routes is hopeless: with 160
cells and four headings there are 4^160 plans.

The idea: ask from the end. A plan names an action for every state, and P(s'|s, a) says what
follows. Let V_t(s) be the least expected number of steps to the goal, of those within the next t.
With no step left it is 0. With one more, take the action after which the least is still to come
(Bellman 1957); at the goal nothing is to be done:

    V_0(s)      = 0                                                                              (1)
    V_{t+1}(s)  = 1 + min_a Σ_{s'} P(s'|s, a) V_t(s'),      V_{t+1}(goal) = 0                    (2)
    plan(s)     = argmin_a Σ_{s'} P(s'|s, a) V_t(s')                                             (3)

This is value iteration. V_t rises with t, so it has a limit V, or grows for ever where every plan
may miss the goal for good. It is stopped when it stands still, or after `limit` sweeps: then V is
the least mean of min(T, limit) for the time T of arrival, and no chance of never arriving makes it
infinite.

What a given plan π costs needs no search and no voyage. P_π(s'|s) = P(s'|s, π(s)) is one matrix,
with zeros in the row of the goal, and V_π the solution of linear equations. If 1 stands for a
vector of ones with a 0 at the goal,

    V_π        = 1 + P_π V_π     hence     (I - P_π) V_π = 1                                     (4)

It is ∞ where one may come to a state from which the plan never leads to the goal; these are found
first. The others are eliminated one after another. Let each step from s have a price, at first 1.
The chance that it leaves s is the sum of P_π(s'|s) over all other s'. So a stay in s costs
price/chance on average, and leads to s' with the probability P_π(s'|s)/chance. Now s can be left
out: whoever would come to s pays this at once, and goes on to these s'. Nothing is subtracted, so
no digit is lost where a way out is nearly never taken (Grassmann, Taksar and Heyman 1985).

With a limit it is (2) without a choice:

    V_{t+1}(s)  = 1 + Σ_{s'} P_π(s'|s) V_t(s'),             V_{t+1}(goal) = 0                    (5)

By hand: a corridor of three states, the goal at its end, and an action that succeeds with the
probability ½. Each state takes 1/½ = 2 steps on average, so from the first it is 4. The second
action leads back, or nowhere: a plan that takes it in the first state never arrives.

>>> import numpy
>>> forward = [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]]
>>> back = [[1, 0, 0], [1, 0, 0], [0, 1, 0]]
>>> V, plan = value_iteration([forward, back], goal=2)
>>> print(V.round(6), plan)
[4. 2. 0.] [0 0 0]
>>> print(expected_steps([forward, back], [0, 0, 0], goal=2))
[4. 2. 0.]
>>> print(expected_steps([forward, back], [1, 0, 0], goal=2))
[inf  2.  0.]

See figure_1_03_sailing (the best way across) and tests/agents/test_planning.py (that it holds).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.elementary import quiet


def value_iteration(P, goal, limit=400):
    """The least expected number of steps from each state to the state `goal`, at most `limit`,
    (n,), and the plan that needs so many, an action for each state, (n,).

    P (actions, n, n) is P(s'|s, a) with the axes a, s, s'. Where several actions are equally good,
    the plan has the first. If `limit` ends the sweeps, its actions are the best ones while all that
    time is left, and to follow them to the end may cost more than V.
    """
    P, goal = _table(P, goal)
    limit, xp = checks.whole_number(limit, "limit", least=1), array_module(P)
    step = (xp.arange(P.shape[1]) != goal).astype(P.dtype)
    V = 0 * step                                                                            # (1)
    for _ in range(limit):
        to_come = P @ V
        new = step * (1 + to_come.min(axis=0))                                              # (2)
        still, V = (new - V).max() <= 2 * xp.finfo(P.dtype).eps * new.max(), new
        if still:
            break
    return V, to_come.argmin(axis=0)                                                        # (3)


def expected_steps(P, plan, goal, limit=None):
    """V_π (n,): the expected number of steps from each state to `goal` by `plan` (n,), exactly.

    It is inf where the goal may be missed for good. With a `limit`, it is the mean of min(T, limit)
    for the time T of arrival.
    """
    P, goal = _table(P, goal)
    xp, n = array_module(P), P.shape[1]
    plan = checks.indices(plan, "plan", len(P), like=P, length=n)
    under_way = (xp.arange(n) != goal).astype(P.dtype)
    P = P[plan, xp.arange(n)] * under_way[:, None]
    if limit is None:
        sure = _arrives(P, goal)                            # and so is all that follows
        return xp.where(sure, _steps_to(goal, P, sure), math.inf)                           # (4)
    V = 0 * under_way
    for _ in range(checks.whole_number(limit, "limit", least=1)):
        V = under_way + P @ V                                                               # (5)
    return V


@quiet                                                      # 1/P may be beyond the largest number
def _steps_to(goal, P, sure):
    """V_π of the states that are `sure` (n,) to arrive, by elimination; 0 for the others."""
    P = P.copy()
    states = [s for s, arrives in enumerate(sure.tolist()) if arrives and s != goal]
    left = sure.astype(P.dtype)                             # 1 for those that are not left out
    price, chance, V = left.copy(), 0 * left, 0 * left
    for s in reversed(states):
        left[s] = 0
        chance[s] = (P[s] * left).sum()
        visits = left * P[:, s] / chance[s]
        P += visits[:, None] * P[s]
        price += visits * price[s]
    for s in states:                                        # the last that was left out comes first
        V[s] = (price[s] + P[s] @ V) / chance[s]
    return V


def _arrives(P, goal):
    """Whether each state leads surely to `goal`: whatever it can lead to can lead there, (n,)."""
    xp, n = array_module(P), len(P)
    leads = ((P > 0) | (xp.eye(n) > 0)).astype(P.dtype)     # in at most one step
    for _ in range(n.bit_length()):                         # in 2, 4, 8, ... of them
        leads = (leads @ leads > 0).astype(P.dtype)
    return ~((leads > 0) & ~(leads[:, goal] > 0)).any(axis=1)


def _table(P, goal):
    """`P` as an array (actions, n, n) of masses and `goal` as the number of a state."""
    P = checks.real_array(P, "P")
    if P.ndim != 3 or P.shape[1] != P.shape[2] or 0 in P.shape:
        raise ValueError("P must have shape (actions, n, n), the masses of what follows each "
                         f"state, got shape {P.shape}")
    return (checks.probabilities(P, "P", axis=2),
            checks.whole_number(goal, "goal", most=P.shape[1] - 1))
