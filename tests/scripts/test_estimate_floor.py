"""The estimate of what no model can beat: a committee, and the true map blurred."""

import json
import math

import estimate_floor
import numpy as np
import pytest
from estimate_floor import COMMITTEE, blurred, main, mixed, nats_lost_by_blur
from reports import load as report
from training_sets import SEEDS

from gdl_numpy.world.world_map import WorldMap


def test_a_committee_loses_at_most_what_its_members_lose_on_average():
    log_p = np.random.default_rng(0).standard_normal((3, 500))
    together = mixed(log_p)
    np.testing.assert_allclose(np.exp(together), np.exp(log_p).mean(axis=0), rtol=1e-12)
    assert -together.mean() <= -log_p.mean()
    np.testing.assert_allclose(mixed(log_p[:1]), log_p[0], rtol=1e-12)


def test_a_blurred_point_becomes_a_normal_density_with_the_width_of_the_steps():
    mass = np.zeros((61, 81))
    mass[30, 40] = 1
    spread, width = blurred(mass, 4.0), 4.0
    rows, columns = np.indices(mass.shape)
    assert spread.sum() == pytest.approx(1) and (spread >= 0).all()
    for index, center in ((rows, 30), (columns, 40)):
        assert (spread * index).sum() == pytest.approx(center)
        assert (spread * (index - center)**2).sum() == pytest.approx(width**2, rel=1e-3)
    assert spread[30, 44] / spread[30, 40] == pytest.approx(math.exp(-0.5))


def test_what_leaves_the_map_is_lost():
    """Of a point in the first row its own row stays and all on one side: ½ and half of the middle,
    0.2/2. It does not come back on the other side."""
    mass = np.zeros((41, 41))
    mass[0, 20] = mass[20, 20] = 1
    spread = blurred(mass, 2.0)
    assert spread[:10].sum() == pytest.approx(0.6 * spread[10:].sum(), rel=0.01)
    assert spread[0, 20] == pytest.approx(spread[20, 20]) and spread.sum() == pytest.approx(1)


def test_the_wider_the_blur_the_more_is_lost():
    """Without any, only that a cell of half a degree is all land or all sea."""
    p_data, shape = WorldMap(), (360, 720)
    X = p_data.sample(2000, np.random.default_rng(0))
    X = X[p_data.contains(p_data.space.grid(shape)[0])[p_data.space.cell(X, shape)]]
    lost = nats_lost_by_blur(p_data, X, (0.0, 0.4, 1.0, 2.0, 4.0), shape)
    assert lost == sorted(lost) and abs(lost[0]) < 0.01 and 0.13 < lost[3] < 0.18


def test_the_report_says_of_each_member_and_of_all_what_they_lose(tmp_path, monkeypatch):
    p_data = WorldMap()

    def two_members(X):
        log_p = p_data.log_prob(X)
        return np.stack([log_p - 0.1, log_p - 0.3])

    monkeypatch.setattr(estimate_floor, "committee", two_members)
    monkeypatch.setattr(estimate_floor, "COMMITTEE", ("one", "other"))
    lost = [0.05 * k for k in range(10)]
    monkeypatch.setattr(estimate_floor, "nats_lost_by_blur", lambda *_: lost)
    assert main(["--n", "500", "--output", str(tmp_path)]) == 0
    floor = json.loads((tmp_path / "floor.json").read_text())
    assert floor["members"] == pytest.approx({"one": 0.1, "other": 0.3})
    assert floor["committee"] == pytest.approx(
        -math.log((math.exp(-0.1) + math.exp(-0.3)) / 2)) and floor["n"] == 500
    assert floor["width"] == pytest.approx(0.2 + 0.2 * floor["committee"] / 0.05)
    assert floor["error"] == pytest.approx(0, abs=1e-12)
    lost[0] = 0.25
    with pytest.raises(ValueError, match="none of the widths loses 0.195 nats, only 0.250 to 0.45"):
        main(["--n", "500", "--output", str(tmp_path)])


def test_the_committed_floor_is_below_all_members_whose_numbers_are_those_of_the_table():
    floor, rows = report("floor.json"), report("scoreboard.json")["rows"]
    table = {row["name"]: row.get("kl") for row in rows if row["seed"] == SEEDS[0]}
    assert floor["seed"] == SEEDS[0] and list(floor["members"]) == list(COMMITTEE)
    for name, kl in floor["members"].items():
        assert kl == pytest.approx(table[name], abs=2e-4)
    assert 0.05 < floor["committee"] < min(floor["members"].values())
    assert 0.5 < floor["width"] < 2 and floor["error"] < 0.002
