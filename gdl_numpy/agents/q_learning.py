"""Q-learning: to learn from steps what each action costs, without a model of the world.

Is a model worth its trouble? One can also learn directly which heading is best in each cell, from
the same steps, and never ask how the wind blows. A fair comparison needs the plainest such learner.

The idea: let Q(s, a) be an estimate of the expected number of steps to the goal if the action a is
taken in s and the best ones after it. One step has been made, and from s' on the best action costs
min_a' Q(s', a'). So each step that is sailed gives a better guess, toward which Q(s, a) is moved by
a part η of the way (Watkins 1989). Near the goal Q becomes right first, and the news spreads from
cell to cell, by one cell a visit:

    a        = argmin_a Q(s, a)    but with probability ε any of the four, drawn uniformly       (1)
    η        = max(η_0, N(s, a)^-½)          for the N-th visit of s with a                      (2)
    Q(s, a)  ← Q(s, a) + η (1 + min_{a'} Q(s', a') - Q(s, a)),     Q(goal, a) = 0                (3)

ε = 1 is a ship that explores at random. A small ε sails mostly where Q believes the way to be, and
so spends its steps where they matter. A Q that begins too low is tried and found wanting, one that
begins too high may never be tried, so a start below the truth explores by itself. `calm_q` is
such a start: what the chart says, without wind.

Q holds 4 · 160 numbers and each step moves one of them, once. A model that shares its counts along
a latitude (world_model.py) learns from a step about a whole ocean, and planning uses every step as
often as it is needed. A learner that keeps its log and replays it stands between the two: a log
that is kept is a model already, namely its counts.

By hand: who knows the chart and believes in no wind expects 11/0.85 = 12.94 steps from Lisbon if he
begins by steering west, 1 more if he first steers east, where land stops him, and 2 more by way of
the north or the south. If his first step west leads nowhere, N = 1 and η = 1, so that this 12.94
becomes 1 + 12.94, and east looks as good.

>>> from gdl_numpy.agents.chart import Chart
>>> chart = Chart()
>>> print(calm_q(chart)[chart.departs].round(2))                        # north, east, south, west
[14.94 13.94 14.94 12.94]

See figure_1_03_sailing (its plans beside those of the model) and tests/agents/test_q_learning.py
(that it holds).
"""

from gdl_numpy.agents.chart import HEADINGS
from gdl_numpy.agents.planning import value_iteration
from gdl_numpy.agents.sailing import World, trade_winds
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def calm_q(chart, limit=400):
    """Q(s, a), (n, 4), of a sailor who has the chart and believes in no wind."""
    calm = trade_winds(chart, wind=0.0)
    V, _ = value_iteration(calm.table, calm.chart.arrives, limit)
    sailing = array_module(V).arange(len(V)) != calm.chart.arrives
    return ((1 + calm.table @ V) * sailing).T


def q_learning(world, rng, Q, sailors=1, max_steps=1000, epsilon=0.1, rate=0.02, length=400,
               anywhere=False):
    """Yields Q (sailors, n, 4) after each of `max_steps` steps of so many independent learners.

    Each begins with a copy of Q (n, 4). A voyage ends at the goal or after `length` steps; the next
    begins in the port, or with `anywhere` in a random cell. `epsilon` is ε and `rate` is η_0. All
    steps change the same array: copy it to keep it.
    """
    masses, rng = checks.instance(world, "world", World).masses, checks.rng(rng)
    Q = checks.same_shape(checks.real_array(Q, "Q", like=masses), "Q", masses[:, :, 0], "p(Δ|s, a)")
    epsilon, rate = (checks.number(x, name, "[0, 1]") for x, name in ((epsilon, "epsilon"),
                                                                      (rate, "rate")))
    sailors, length = (checks.whole_number(k, name, least=1) for k, name in (
        (sailors, "sailors"), (length, "length")))
    return _steps(world, rng, Q, sailors, checks.whole_number(max_steps, "max_steps"), epsilon,
                  rate, length, checks.truth(anywhere, "anywhere"))


def _steps(world, rng, Q, m, max_steps, epsilon, rate, length, anywhere):
    xp, n, goal = array_module(Q), len(Q), world.chart.arrives
    Q = xp.broadcast_to(Q * (xp.arange(n) != goal)[:, None], (m, *Q.shape)).copy()
    visits, who = 0 * Q, xp.arange(m)

    def begin():
        return rng.integers(0, n, m) if anywhere else xp.full(m, world.chart.departs)

    s, age = begin(), 0 * who
    for _ in range(max_steps):
        any_heading = rng.integers(0, len(HEADINGS), m)
        a = xp.where(rng.random(m) < epsilon, any_heading, Q[who, s].argmin(axis=1))        # (1)
        new = world.moved(s, a, rng.random((m, 1)))
        visits[who, s, a] = visit = visits[who, s, a] + 1
        eta, old = xp.maximum(rate, visit**-0.5), Q[who, s, a]                              # (2)
        better = old + eta * (1 + Q[who, new].min(axis=1) - old)                            # (3)
        Q[who, s, a] = xp.where(s == goal, 0, better)       # a voyage may begin at the goal
        age = age + 1
        over = (new == goal) | (age == length)
        s, age = xp.where(over, begin(), new), xp.where(over, 0, age)
        yield Q
