"""The comparison of a world model with Q-learning: what was tried, and what the figure takes."""

import json

import compare_sailors
import figure_1_03_sailing as script
import numpy as np
import pytest
import update_readme
from reports import load

from gdl_numpy.agents.chart import Chart
from gdl_numpy.agents.sailing import trade_winds

WORLD = trade_winds(Chart())
REPORT = load("sailors.json")
GRIDS = {"model": compare_sailors.MODELS, "q_learning": compare_sailors.LEARNERS}


@pytest.mark.parametrize("kind", GRIDS)
def test_every_setting_was_tried_and_the_best_stands_first(kind):
    tried = REPORT[kind]["tried"]
    wanted = [tuple(one.values()) for one in compare_sailors.settings(GRIDS[kind])]
    assert sorted(tuple(row[key] for key in GRIDS[kind]) for row in tried) == sorted(wanted)
    overall = [row["overall"] for row in tried]
    assert overall == sorted(overall) and REPORT["seeds"] >= 10
    assert overall == pytest.approx([np.mean(row["sailed"]) for row in tried])


def test_the_numbers_of_the_best_model_are_those_that_the_script_computes():
    best = REPORT["model"]["tried"][0]
    grid = {key: (best[key],) for key in GRIDS["model"]}
    row, = compare_sailors.rows(WORLD, "model", grid, compare_sailors.MODEL_STEPS)
    assert row["sailed"] == pytest.approx(best["sailed"], rel=1e-6)
    assert row["error"] == pytest.approx(best["error"], rel=1e-6)


def test_the_figure_takes_the_best_settings():
    best = {kind: {key: REPORT[kind]["tried"][0][key] for key in GRIDS[kind]} for kind in GRIDS}
    assert best == {"model": script.MODEL, "q_learning": script.LEARNER}


def test_the_best_model_of_500_steps_is_better_than_the_best_q_learner_of_ten_times_as_many():
    model, learner = REPORT["model"], REPORT["q_learning"]
    cost = dict(zip(learner["steps"], learner["tried"][0]["sailed"], strict=True))
    assert model["tried"][0]["sailed"][0] < cost[5000]


@pytest.mark.parametrize("costs, words", [
    ([400, 90, 50, 40, 35, 33, 30, 30], "20,000 to 50,000, 20 to 50 times as many"),
    ([30] * 8, "500, 0.5 times as many"),
    ([400] * 8, "more than 100,000, 100 times as many")])
def test_how_many_steps_are_needed_is_known_between_two_marks(costs, words):
    assert script.needs(costs, 31) == words


def test_a_report_is_written_and_said_in_a_table(tmp_path, monkeypatch, capsys):
    for name, value in (("MODELS", {"by": ("latitude",), "weight": (1.0,), "length": (10, 50)}),
                        ("LEARNERS", {"start": ("calm", "zero", "limit"), "epsilon": (1.0,),
                                      "rate": (0.1,), "voyages": ("10 from anywhere",)}),
                        ("MODEL_STEPS", (100, 200)), ("Q_STEPS", (50, 60)), ("SEEDS", 3)):
        monkeypatch.setattr(compare_sailors, name, value)
    assert compare_sailors.main(["--output", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "sailors.json").read_text())
    assert len(report["q_learning"]["tried"]) == 3 and report["seeds"] == 3
    said = capsys.readouterr().out
    assert "model 100 200 real steps" in said and "'start': 'calm'" in said
    monkeypatch.setattr(update_readme, "load", lambda name: report)
    table = "\n".join(update_readme.sailors())
    assert "| Q-learning | start | " in table and "| world model | length | " in table
    assert "after 100" in table and "after 60" in table
