"""World model: what follows from an action, learned from steps, so that plans are tried inside it.

The chapter gives it as a reason why generative modeling matters for artificial intelligence: an
agent can learn a generative model of its environment and try its policies there, instead of paying
for every trial in the world. Our agent, a sailor, has the chart and some logged steps. How does the
wind blow?

The idea: p(Δ|s, a) is a conditional distribution (conditional.py), so count what has happened. Two
things need care. First, no cell has been visited often, but the wind may be the same along a whole
parallel: then cells of one latitude share their counts. Let c(s) be what the masses depend on, the
latitude or the cell. Second, land hides what it stops: of a ship that stayed where it was, nobody
knows by which Δ, and to log it would tell the sailor what he cannot see. So likelihood is the sum
over all Δ that would have led there, and its maximum is found by expectation maximization
(expectation_maximization.py), as for any hidden cause. To begin with, and where nothing was seen,
the sailor believes p_0: his ship without wind. This belief counts as much as m steps (m = 3). For
the N(s, a, s') steps from s by a to s',

    E step   q(Δ|s, a, s') = p(Δ|c, a) / Σ_{Δ'} p(Δ'|c, a)        Δ and Δ' lead from s to s'     (1)
             n(Δ, c, a)    = Σ_{s,s'} N(s, a, s') q(Δ|s, a, s')     over the cells s of c        (2)
    M step   p(Δ|c, a)     = (m p_0(Δ|c, a) + n(Δ, c, a)) / (m + Σ_Δ n(Δ, c, a))                 (3)

With m → 0 this is maximum likelihood. A flat p_0 would be a poor belief: to a sailor who thinks
that his ship goes anywhere whatever he steers, all headings are alike, and he stays in port.

Then the sailor makes a plan π inside the model, by value iteration (planning.py). How many steps he
dreams of is what π costs in the model, and how many he sails, what it costs in the world:

    dreamt = V_π(departs) in the model,       sailed = V_π(departs) in the world                 (4)

A plan made in a learned model is optimistic: dreamt < sailed, more often than not. One cause is the
belief: it crosses in 13 steps. After 500 logged steps even the best plan of the true world,
which takes 29 steps, is dreamt to take some 21. The other is the choice. A plan is chosen because
it looks good in the model, and what the model has by mistake too good is chosen, too. Even if the
model were right on average about V_π for each plan, the least of them would be too low: the mean of
a minimum is at most the minimum of the means. Only data close the gap.

By hand: off Lisbon the ship was steered west twice. Once it went west, once it did not move. The
belief is 0.85 for west and 0.15 for Δ = 0. With m = 3 the new masses are (3 · 0.85 + 1)/5 and
(3 · 0.15 + 1)/5.

>>> from gdl_numpy.agents.chart import Chart, DISPLACEMENTS
>>> from gdl_numpy.agents.sailing import Log
>>> chart = Chart()
>>> west, s = DISPLACEMENTS.index((0, -1)), chart.departs
>>> model = learn(chart, Log([s, s], [3, 3], [chart.leads_to[s, west], s]))
>>> print(model.masses[s, 3, west].round(3), model.masses[s, 3, 0].round(3))
0.71 0.29

If ships farther out were seen to drift to the east, the step without motion could also be such a
drift, which the land of Portugal has stopped. Then (1) shares it between the two.

See figure_1_03_sailing (dreamt and sailed) and tests/agents/test_world_model.py (that it holds).
"""

from typing import NamedTuple

from gdl_numpy.agents.chart import HEADINGS
from gdl_numpy.agents.planning import expected_steps, value_iteration
from gdl_numpy.agents.sailing import World, trade_winds
from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


class Journey(NamedTuple):
    """What a plan (n,) needs from port to goal, in the model and in the world, in steps."""
    dreamt: float
    sailed: float
    plan: object


def learn(chart, log, by="latitude", weight=3.0, rounds=20):
    """The World learned from a Log: masses of largest likelihood, with a belief of some `weight`.

    `by` is what they depend on, "latitude" or "cell"; `weight` is m, `rounds` the number of E and M
    steps. Without any logged step it is the belief, a ship without wind. ValueError for a step that
    no displacement can make.
    """
    belief = trade_winds(chart, wind=0.0)
    by = checks.choice(by, "by", ("latitude", "cell"))
    m = checks.number(weight, "weight", "[1e-300, inf)")    # m p_0 must not underflow
    cells, headings, arrivals = belief.checked(log)
    xp, (n, _, n_deltas) = array_module(belief.masses), belief.masses.shape
    led = chart.leads_to[cells] == arrivals[:, None]
    if not led.any(axis=1).all():
        raise ValueError("log holds a step that no displacement of the chart can make, from cell "
                         f"{int(cells[led.any(axis=1).argmin()])}")
    delta = led.argmax(axis=1)                              # 0 if the ship stayed where it was
    seen = xp.bincount((cells * len(HEADINGS) + headings) * n_deltas + delta,
                       minlength=belief.masses.size).reshape(belief.masses.shape)
    c = chart.latitude if by == "latitude" else xp.arange(n)
    shared = (c[:, None] == c).astype(float)
    stopped = (chart.leads_to == xp.arange(n)[:, None])[:, None, :]
    masses = belief.masses
    for _ in range(checks.whole_number(rounds, "rounds", least=1)):
        hidden = masses * stopped
        q = hidden / hidden.sum(axis=2, keepdims=True)                                      # (1)
        made = xp.where(stopped, seen[:, :, :1] * q, seen)
        counts = (shared @ made.reshape(n, -1)).reshape(made.shape)                         # (2)
        masses = m * belief.masses + counts
        masses = masses / masses.sum(axis=2, keepdims=True)                                 # (3)
    return World(chart, masses)


def journey(model, world, limit=400):
    """The Journey of at most `limit` steps that is planned in the World `model` and sailed in
    `world`, from port to goal of the chart of `world`."""
    model, world = (checks.instance(w, name, World) for w, name in ((model, "model"),
                                                                    (world, "world")))
    checks.same_shape(model.masses, "model.masses", world.masses, "world.masses")
    port, goal = world.chart.departs, world.chart.arrives
    _, plan = value_iteration(model.table, goal, limit)
    dreamt, sailed = (float(expected_steps(w.table, plan, goal, limit)[port])
                      for w in (model, world))                                              # (4)
    return Journey(dreamt, sailed, plan)
