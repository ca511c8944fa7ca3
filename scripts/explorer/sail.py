"""Sail it: the reader sails in a wind that he does not see, then a learned model plans for him.

Nothing of a reader is kept here. He sends the seed of his voyage and all its headings, a letter
each, so the same question has the same answer, and his log is sailed again from what he sends.
"""

import functools

import numpy as np
from explorer.questions import answered_by, once

from gdl_numpy.agents.chart import HEADINGS, Chart
from gdl_numpy.agents.planning import expected_steps, value_iteration
from gdl_numpy.agents.sailing import Log, World, trade_winds
from gdl_numpy.agents.world_model import journey, learn
from gdl_numpy.numerics import checks

LETTERS = "NESW"                                            # the headings 0, 1, 2, 3
LIMIT, VOYAGES, STEPS = 400, 30, 1000                       # of a voyage; of a reader's whole log
EXPLORED, SHIPS = 5000, 12                                  # steps at most; ships of a plan
OF_VOYAGE, OF_MODEL = 0, 1                                  # two uses of a seed
APART = 1                                                   # degrees, so that all ships are seen


@once
def world():
    return trade_winds(Chart())


def rng_of(use, seed):
    return np.random.default_rng([use, checks.whole_number(seed, "seed", most=2**32 - 1)])


@answered_by(Chart, journey)
def scene():
    """The sea, and what a voyage takes at least and with a plan that knows of no wind."""
    chart = world().chart
    return {"cells": chart.cells, "departs": chart.departs, "arrives": chart.arrives,
            "optimum": journey(world(), world()).sailed,
            "blind": journey(trade_winds(chart, wind=0.0), world()).sailed,
            "limit": LIMIT, "voyages": VOYAGES, "steps": STEPS, "explored": EXPLORED}


@answered_by(trade_winds)
def wind():
    """Where a ship without a helm is most often carried from each cell, and how often."""
    masses = trade_winds(world().chart, helm=0.0).masses[:, 0]
    toward = masses[:, 1:1 + len(HEADINGS)]                 # DISPLACEMENTS[0] is to stay
    return {"toward": toward.argmax(axis=1), "probability": toward.max()}


@answered_by(World.step)
def voyage(seed, headings):
    """The cells of the reader's voyage; headings after he has arrived are not sailed."""
    track = cells_of(seed, headings)
    arrived = bool(track[-1] == world().chart.arrives)
    return {"track": track, "arrived": arrived, "ended": arrived or len(track) > LIMIT}


def cells_of(seed, headings):
    rng_of(OF_VOYAGE, seed)                                 # is it a seed?
    if (not isinstance(headings, str) or not set(headings) <= set(LETTERS)
            or len(headings) > LIMIT):
        raise ValueError(f"headings must be at most {LIMIT} of the letters N, E, S and W, "
                         f"got {headings!r:.80}")
    return sailed(seed, headings)


@functools.lru_cache(maxsize=100)
def sailed(seed, headings):
    rng, cells = rng_of(OF_VOYAGE, seed), [world().chart.departs]
    for letter in headings:
        if cells[-1] == world().chart.arrives:
            break
        cells.extend(world().step(cells[-1:], [LETTERS.index(letter)], rng).tolist())
    return np.array(cells)


def own_log(voyages):
    """The Log of the reader's voyages, (seed, headings) each."""
    try:
        pairs = [(seed, headings) for seed, headings in voyages]
    except (TypeError, ValueError):
        pairs = None
    if pairs is None or len(pairs) > VOYAGES:
        raise ValueError(f"voyages must be at most {VOYAGES} pairs of a seed and headings, such as "
                         f'[[0, "WWS"]], got {voyages!r:.80}')
    tracks = [cells_of(*pair) for pair in pairs]
    steered = [LETTERS.index(letter) for (_, headings), track in zip(pairs, tracks, strict=True)
               for letter in headings[:len(track) - 1]]
    if len(steered) > STEPS:
        raise ValueError(f"voyages must have at most {STEPS} steps, got {len(steered)}")
    none = np.zeros(0, dtype=int)
    return Log(np.concatenate([none, *(track[:-1] for track in tracks)]),
               np.array(steered, dtype=int),
               np.concatenate([none, *(track[1:] for track in tracks)]))


@answered_by(World.explore, learn, value_iteration, expected_steps, journey, World.sail)
def answer(steps, seed, voyages):
    """The plan of a model that has learned from `steps` steps of random headings and from the
    reader's own, what it is dreamt to need, what it needs, and the ways of ships that follow it."""
    steps = checks.whole_number(steps, "steps", most=EXPLORED)
    rng, own = rng_of(OF_MODEL, seed), own_log(voyages)
    log = Log(*map(np.concatenate, zip(world().explore(steps, rng), own, strict=True)))
    dreamt, needed, plan = journey(learn(world().chart, log), world())
    chart, tracks = world().chart, world().sail(plan, SHIPS, rng, LIMIT)
    places = chart.cells[tracks] + (rng.random((SHIPS, 1, 2)) - 0.5) * 2 * APART
    lengths = 1 + (tracks != chart.arrives).sum(axis=1)     # who has arrived stays
    return {"logged": len(log.cells), "own": len(own.cells), "dreamt": dreamt, "sailed": needed,
            "plan": plan, "arrived": (tracks[:, -1] == chart.arrives).sum(),
            "tracks": [way[:n] for way, n in zip(places, lengths, strict=True)]}


QUESTIONS = {"scene": scene, "wind": wind, "voyage": voyage, "answer": answer}
