"""The comparison of samplers: what it counts, what it draws without a chain, what it writes."""

import json
import math

import compare_samplers
import numpy as np
from benchmark import processor
from compare_samplers import Counted, ExactDraws, compare, main

from gdl_numpy.models.energy_based import EnergyBasedFamily, GridNormalized
from gdl_numpy.networks.network import Network


def small():
    family = EnergyBasedFamily([-1.0, -1.0], [1.0, 1.0], Network((2, 6, 1)))
    return family(2 * family.initial_theta(np.random.default_rng(0)))


def test_exact_draws_have_the_masses_of_the_density(monkeypatch):
    """20,000 of them, in 5 x 5 regions, within 6 standard errors."""
    monkeypatch.setattr(compare_samplers, "GRID", (100, 200))
    p, n = small(), 20_000
    exact, centers = ExactDraws(p), p.space.grid((100, 100))[0]
    X = exact(n, np.random.default_rng(1))
    density = np.exp(GridNormalized(p, (100, 100)).log_prob(centers))
    masses = density.reshape(5, 20, 5, 20).sum(axis=(1, 3)).ravel() / density.sum()
    shares = np.bincount(p.space.cell(X, (5, 5)), minlength=25) / n
    assert (abs(shares - masses) < 6 * np.sqrt(masses * (1 - masses) / n)).all()
    assert math.isclose(exact.largest, 4 * density.max(), rel_tol=0.02)     # the area is 4


def test_the_network_is_counted_for_each_row_and_its_slope_too(monkeypatch):
    p = small()
    p.family.network = counted = Counted(p.family.network)
    p.sample(50, np.random.default_rng(0), steps=8, jumps=24)
    assert (counted.rows, counted.slopes) == (50 * (25 + 9), 50 * 9)


def test_each_way_is_judged_and_what_is_finished_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(compare_samplers, "GRID", (36, 72))
    monkeypatch.setattr(compare_samplers, "WAYS", {
        "energy_based": {"two jumps": lambda p, n, rng: p.sample(n, rng, steps=0, jumps=2)},
        "diffusion": {"two steps": lambda p, n, rng: p.sample(n, rng, n_steps=2)}})

    def two_rounds(name, round_, *rest):
        if round_ == 2:
            raise KeyboardInterrupt
        return compare(name, round_, *rest)

    monkeypatch.setattr(compare_samplers, "compare", two_rounds)
    assert main(["--output", str(tmp_path), "--rounds", "3", "--n", "200"]) == 130
    assert "interrupted in round 3; those before it are written" in capsys.readouterr().err
    report = json.loads((tmp_path / "samplers.json").read_text())
    assert report["rounds"] == 2 and report["n"] == 200 and 2 < report["largest_density"] < 5
    assert report["processor"] == processor()
    energy, diffusion = report["summary"]["energy_based"], report["summary"]["diffusion"]
    assert energy["true draws"]["sea"] == diffusion["true draws"]["sea"] == 0
    assert diffusion["two steps"]["evaluations"] == 3 and diffusion["two steps"]["slopes"] == 0
    assert energy["two jumps"]["sea"] > 2 * energy["exact draws"]["sea"]
    assert "js_own" in energy["two jumps"] and "js_own" not in diffusion["two steps"]
