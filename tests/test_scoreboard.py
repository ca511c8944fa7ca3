"""The scoreboard: fitting by name, what is measured, and what an interruption leaves."""

import json
import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import scoreboard
from scoreboard import MODELS, NETWORKS, InDegrees, fit_model, known_log_prob

from gdl_numpy.family import NormalFamily
from gdl_numpy.models.autoregressive import AutoregressiveFamily
from gdl_numpy.storage import load
from gdl_numpy.taxonomy import branch
from gdl_numpy.world_map import WorldMap

P_DATA = WorldMap()
SMALL = {"adversarial": 64, "diffusion": 64, "energy_based": 64}        # samples that are slow


@pytest.fixture(scope="module")
def X():
    return P_DATA.sample(2000, np.random.default_rng(0))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_fitted_by_its_name_and_sampled_in_degrees(name, X):
    p = fit_model(name, X, np.random.default_rng(1), seconds=1e-6)
    samples = p.sample(SMALL.get(name, 500), np.random.default_rng(2))
    assert samples.shape[1] == 2 and np.isfinite(samples).all()
    assert abs(samples).max() > 5                           # not in the units of networks
    how, log_prob = known_log_prob(p, np.random.default_rng(3))
    assert (log_prob is None) == (how == "none")
    if name not in ("box", "normal", "mixture"):
        assert how == {"autoregressive": "exact", "spline_flow": "exact", "affine_flow": "exact",
                       "variational_autoencoder": "bound", "diffusion": "flow",
                       "energy_based": "grid", "adversarial": "none"}.get(name, "exact")


@pytest.mark.parametrize("name", ["autoregressive", "spline_flow", "affine_flow", "energy_based"])
def test_densities_in_degrees_have_mass_1_per_square_degree(name, X):
    p = fit_model(name, X, np.random.default_rng(1), seconds=1e-6)
    log_prob = known_log_prob(p, None)[1]
    centres, cell = scoreboard.WORLD.grid((180, 360))
    mass = np.exp(log_prob(centres).astype(float)).sum() * cell
    assert (mass < 1.001 if name == "affine_flow" else abs(mass - 1) < 2e-3)
    assert mass > 0.3                                       # an affine flow is wider than the map


def test_the_same_seed_gives_the_same_model(X):
    a, b, c = (fit_model("autoregressive", X, np.random.default_rng(seed), 0.05).p.theta
               for seed in (0, 0, 1))
    assert (a == b).all() and not (a == c).all()


def test_a_density_in_degrees_can_do_what_it_can_in_other_units():
    family = NormalFamily(2)
    p = InDegrees(family(np.zeros(family.n_parameters)))
    p.p.theta = np.zeros(1)
    X = np.array([[9.0, 90.0]])
    expected = -0.5 * (0.1**2 + 0.5**2) - math.log(2 * math.pi) - math.log(90 * 180)
    assert p.log_prob(X) == pytest.approx([expected])
    assert not hasattr(p, "elbo") and not hasattr(p, "energy") and branch(p) == branch(p.p)


def test_moved_points_stay_on_the_map(X):
    U = (X / scoreboard.UNIT).astype(np.float32)
    moved = scoreboard.moved(30.0)(U, np.random.default_rng(0))
    assert abs(moved).max() <= 1 and moved.dtype == np.float32 and abs(moved - U).max() > 0.1


def test_histograms_of_the_same_points_have_no_divergence_and_of_others_at_most_log_2(X):
    assert scoreboard.histogram_js(X, X) == 0
    outside = np.full((10, 2), 500.0)
    assert scoreboard.histogram_js(X, outside) == pytest.approx(math.log(2))


def test_an_unknown_name_is_refused(X):
    with pytest.raises(ValueError, match="name must be one of box, normal, .*, got 'gan'"):
        fit_model("gan", X, np.random.default_rng(0))


def test_list_names_all_models_and_bad_arguments_give_exit_status_2(capsys, tmp_path):
    assert scoreboard.main(["--list"]) == 0
    assert capsys.readouterr().out.split() == list(MODELS)
    for bad in (["--seconds", "0"], ["--only", "gan"], ["--seeds", "x"]):
        with pytest.raises(SystemExit) as stopped:
            scoreboard.main([*bad, "--output", str(tmp_path)])
        assert stopped.value.code == 2


def test_models_and_seeds_measured_before_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(scoreboard, "N_TEST", 2000)
    for only, seeds in ((["box", "normal"], ["0", "1"]), (["normal"], ["2"])):
        scoreboard.main(["--only", *only, "--seeds", *seeds, "--output", str(tmp_path)])
    report = json.loads((tmp_path / "scoreboard.json").read_text())
    assert [(row["name"], row["seed"]) for row in report["rows"]] == [
        ("box", 0), ("normal", 0), ("box", 1), ("normal", 1), ("normal", 2)]
    normal = [row["kl"] for row in report["rows"] if row["name"] == "normal"]
    summary = report["summary"]["normal"]
    assert summary["seeds"] == 3 and summary["kl"] == pytest.approx(np.mean(normal))
    assert summary["kl_spread"] == pytest.approx(max(abs(np.array(normal) - np.mean(normal))))


class Stopped(AutoregressiveFamily):
    """A small family whose training is interrupted after one step."""

    def train(self, *args, **options):
        yield next(super().train(*args, **options))
        raise KeyboardInterrupt


def test_an_interrupted_training_leaves_usable_parameters(tmp_path, monkeypatch, capsys):
    family = Stopped((18, 36), (8,))
    network = replace(NETWORKS["autoregressive"], family=lambda xp: family)
    monkeypatch.setitem(MODELS, "autoregressive", partial(scoreboard.fit_network, network))
    monkeypatch.setattr(scoreboard, "N_TEST", 1000)
    options = ["--only", "normal", "autoregressive", "--seeds", "0", "--output", str(tmp_path)]
    assert scoreboard.main(options) == 130
    theta = load(tmp_path / "parameters" / "autoregressive.npz", family)
    assert family(theta).sample(3, np.random.default_rng(0)).shape == (3, 2)
    assert "interrupted at autoregressive" in capsys.readouterr().err
    report = json.loads((tmp_path / "scoreboard.json").read_text())
    assert [row["name"] for row in report["rows"]] == ["normal"]    # what was measured before
