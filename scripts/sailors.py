"""Sailors: what plans cost that are learned from steps, with a model of the world or without."""

import numpy as np

from gdl_numpy.agents.planning import expected_steps
from gdl_numpy.agents.q_learning import calm_q, q_learning
from gdl_numpy.agents.world_model import journey, learn

LIMIT = 400                                                 # steps, after which a voyage ends
VOYAGES = {                                                 # of Q-learning: length, and where from
    "400 from the port": (400, False), "400 from anywhere": (400, True),
    "10 from anywhere": (10, True)}


def modeled(world, rng, n, by, weight, length):
    """The Journey planned in a model of n steps of random headings."""
    return journey(learn(world.chart, world.explore(n, rng, length), by, weight), world, LIMIT)


def q_learned(world, rng, marks, sailors, start, epsilon, rate, voyages):
    """What the plans of so many learners cost after each number of steps in `marks`, (marks,
    sailors), on the host."""
    calm = calm_q(world.chart, LIMIT)
    Q = {"calm": calm, "zero": 0 * calm, "limit": 0 * calm + LIMIT}[start]
    learners = q_learning(world, rng, Q, sailors, max(marks), epsilon, rate,
                          *VOYAGES[voyages])
    return np.array([[sailed(world, Q_of_one.argmin(axis=1)) for Q_of_one in Q]
                     for step, Q in enumerate(learners, 1) if step in marks])


def sailed(world, plan):
    """What `plan` costs from the port, in steps."""
    chart = world.chart
    return float(expected_steps(world.table, plan, chart.arrives, LIMIT)[chart.departs])


def mean_and_error(values):
    """The means of rows of values, one for each seed, and their standard errors, as lists."""
    values = np.asarray(values)
    error = values.std(axis=1, ddof=1) / values.shape[1]**0.5
    return values.mean(axis=1).tolist(), error.tolist()
