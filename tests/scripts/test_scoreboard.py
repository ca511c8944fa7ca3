"""The scoreboard: fitting by name, what is measured, and the committed table and parameters."""

import contextlib
import inspect
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import judgment
import numpy as np
import progress
import pytest
import recipes
import scoreboard
import training_sets
import update_readme
from benchmark import processor
from judgment import known_log_prob
from recipes import MODELS, NETWORKS, committed, fit_model
from reports import load as report
from training_sets import SEEDS, training_set

from gdl_numpy.models.autoregressive import AutoregressiveFamily
from gdl_numpy.networks.storage import load
from gdl_numpy.numerics.optimizer import Step
from gdl_numpy.world.evaluation import accuracy, coverage
from gdl_numpy.world.world_map import WorldMap

ROOT = Path(__file__).parent.parent.parent
P_DATA, FIGURES = WorldMap(), ROOT / "figures"
FIRST, SECOND = map(str, SEEDS[:2])
try:
    import joblib
except ImportError:                                         # an extra
    joblib = None
needs_joblib = pytest.mark.skipif(joblib is None, reason="pip install -e '.[parallel]'")

SMALL = {"adversarial": 64, "diffusion": 64, "energy_based": 64}        # samples that are slow


@pytest.fixture(scope="module")
def X():
    return P_DATA.sample(2000, np.random.default_rng(0))


@pytest.fixture
def coarse(monkeypatch):
    """Grids of few cells and few draws, where a fit is to be quick and not good."""
    for name, value in (("LAND_GRID", (36, 72)), ("HALF_DEGREES", (60, 120)), ("DRAWS", 5000),
                        ("BANDWIDTHS", (1.25,))):
        monkeypatch.setattr(recipes, name, value)


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_fitted_by_its_name_and_sampled_in_degrees(name, X):
    p = fit_model(name, X, np.random.default_rng(1), seconds=1e-6)
    samples = p.sample(SMALL.get(name, 500), np.random.default_rng(2))
    assert samples.shape[1] == 2 and np.isfinite(samples).all()
    assert abs(samples).max() > 5                           # not in the units of networks
    how, log_prob = known_log_prob(p, np.random.default_rng(3))
    assert (log_prob is None) == (how == "none")
    assert how == {"variational_autoencoder": "bound", "diffusion": "flow", "energy_based": "grid",
                   "recalibrated_kernel_density": "grid", "adversarial": "none"}.get(name, "exact")


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("name", ["autoregressive", "spline_flow", "affine_flow", "energy_based"])
def test_densities_in_degrees_have_mass_1_per_square_degree(name, X):
    p = fit_model(name, X, np.random.default_rng(1), seconds=1e-6)
    log_prob = known_log_prob(p, None)[1]
    centers, cell = judgment.WORLD.grid((180, 360))
    mass = np.exp(log_prob(centers).astype(float)).sum() * cell
    assert mass == pytest.approx(1, abs=2e-3)


@pytest.mark.usefixtures("coarse")
def test_the_same_seed_gives_the_same_model(X):
    a, b, c = (fit_model("autoregressive", X, np.random.default_rng(seed), 0.05).p.theta
               for seed in (0, 0, 1))
    assert (a == b).all() and not (a == c).all()


class Noted:
    """A family that keeps what it is trained with; its training yields the numbers of its steps as
    θ."""

    def train(self, U, rng, max_steps, augment):
        self.seen = U, augment
        yield from (Step(t, 0.0, np.array([t])) for t in range(max_steps))

    def __call__(self, theta):
        return SimpleNamespace(theta=theta, sample=callable)


def what_is_learned_from(X, drawn, jitter):
    family = Noted()
    network = recipes.Recipe(lambda xp: family, 10, drawn, jitter)
    assert recipes.fit_network(network, X, np.random.default_rng(0), 90).p.theta == 9
    U, augment = family.seen
    assert U.dtype == np.float32 and abs(U).max() <= 1
    return U.astype(float) * recipes.UNIT, augment


def nearest(rows, X):
    """How far each row is from the nearest point, in degrees along the axis in which it is more."""
    return abs(rows[:, None] - X).max(axis=2).min(axis=1)


def test_without_draws_a_network_sees_the_points_and_moves_them_in_each_step(X):
    rows, augment = what_is_learned_from(X, 0.0, 2.0)
    np.testing.assert_allclose(rows, X, atol=1e-4)
    moved = augment((X / recipes.UNIT).astype(np.float32), np.random.default_rng(1))
    assert 1.8 < (moved * recipes.UNIT - X).std() < 2.1
    assert what_is_learned_from(X, 0.0, 0.0)[1] is None     # no random number for nothing


@pytest.mark.usefixtures("coarse")
def test_draws_are_new_points_of_the_map_and_most_of_them_on_land(X, monkeypatch):
    monkeypatch.setattr(recipes, "HALF_DEGREES", (180, 360))
    rows, augment = what_is_learned_from(X, 1.0, 0.0)
    assert augment is None and rows.shape == (recipes.DRAWS, 2)
    assert (nearest(rows, X) > 1e-4).all() and P_DATA.contains(rows).mean() > 0.8


@pytest.mark.usefixtures("coarse")
def test_half_of_the_data_can_be_draws_and_half_moved_points_each_equally_often(X):
    rows, augment = what_is_learned_from(X[:500], 0.5, 0.1)
    assert augment is None and len(rows) == recipes.DRAWS
    draws, copies = np.split(rows, 2)
    steps = copies.reshape(-1, 500, 2) - X[:500]            # five times each point
    steps = steps[:, (abs(X[:500]) < [89, 179]).all(axis=1)]                # no mirror is near
    assert 0.09 < steps.std() < 0.11 and abs(steps).max() < 0.6
    assert (nearest(draws, X[:500]) > 0.6).mean() > 0.5


def test_moved_points_stay_on_the_map(X):
    U = (X / recipes.UNIT).astype(np.float32)
    moved = recipes.moved(30.0)(U, np.random.default_rng(0))
    assert abs(moved).max() <= 1 and moved.dtype == np.float32 and abs(moved - U).max() > 0.1


def test_histograms_of_the_same_points_have_no_divergence_and_of_others_at_most_log_2(X):
    assert judgment.histogram_js(X, X) == 0
    outside = np.full((10, 2), 500.0)
    assert judgment.histogram_js(X, outside) == pytest.approx(math.log(2))


def test_an_unknown_name_is_refused(X):
    with pytest.raises(ValueError, match="name must be one of box, normal, .*, got 'gan'"):
        fit_model("gan", X, np.random.default_rng(0))


@pytest.mark.parametrize("seconds", [0, -5, math.nan, math.inf, 1e300])
def test_a_training_of_no_time_or_of_endless_time_is_refused(seconds, X):
    with pytest.raises(ValueError, match=r"seconds must lie in \(0, 1e\+06\], got"):
        fit_model("diffusion", X, np.random.default_rng(0), seconds)


@pytest.mark.parametrize("how, error, words", [
    ({"drawn": 1.5}, ValueError, r"drawn must lie in \[0, 1\], got 1.5"),
    ({"drawn": "x"}, TypeError, "drawn must be a number"),
    ({"jitter": -0.1}, ValueError, r"jitter must lie in \[0, inf\), got -0.1"),
    ({"jitter": math.nan}, ValueError, "jitter must lie in"),
    ({"start": len, "options": {"theta": 0}}, ValueError, "must not have a theta beside start"),
    ({"start": 3}, TypeError, "start"),
])
def test_a_recipe_that_cannot_be_followed_is_refused(how, error, words):
    with pytest.raises(error, match=words):
        recipes.Recipe(lambda xp: None, 1, **how)


def test_a_start_that_gives_nothing_is_refused(X):
    recipe = recipes.Recipe(lambda xp: NETWORKS["diffusion"].family(xp), 1,
                            start=lambda family, rng, dtype: None)
    with pytest.raises(TypeError, match="start must give the theta at .*, got None"):
        recipes.fit_network(recipe, X, np.random.default_rng(0), 1)


def test_list_names_all_models_and_bad_arguments_give_exit_status_2(capsys, tmp_path):
    assert scoreboard.main(["--list"]) == 0
    assert capsys.readouterr().out.split() == list(MODELS)
    for bad in (["--seconds", "0"], ["--only", "gan"], ["--seeds", "x"], ["--jobs", "0"],
                ["--jobs", "-1"], ["--jobs", "x"], ["--jobs", "1.5"]):
        with pytest.raises(SystemExit) as stopped:
            scoreboard.main([*bad, "--output", str(tmp_path)])
        assert stopped.value.code == 2 and not list(tmp_path.iterdir())


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


def test_the_mean_of_numbers_of_which_one_is_infinite_is_infinite():
    rows = [{"name": "box", "seed": seed, "how": "exact", "kl": kl, "sea": 0.5, **more}
            for seed, kl, more in ((0, 1.0, {"kl_error": 0.1}), (1, "inf", {}))]
    assert scoreboard.summary(rows)["box"] == {
        "seeds": 2, "jobs": 1, "how": "exact", "kl": "inf", "sea": 0.5, "sea_spread": 0.0}


def test_trainings_of_another_length_do_not_come_into_the_same_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scoreboard, "N_TEST", 1000)
    options = ["--only", "normal", "--seeds", "0", "--output", str(tmp_path)]
    scoreboard.main([*options, "--seconds", "30"])
    with pytest.raises(SystemExit):
        scoreboard.main(options)
    assert "scoreboard.json is of --seconds 30" in capsys.readouterr().err


class Stopped(AutoregressiveFamily):
    """A small family whose training is interrupted after one step."""

    def train(self, *args, **options):
        yield next(super().train(*args, **options))
        raise KeyboardInterrupt


def test_an_interrupted_training_leaves_usable_parameters(tmp_path, monkeypatch, capsys):
    family = Stopped((18, 36), (8,))
    network = replace(NETWORKS["autoregressive"], family=lambda xp: family, drawn=0.0)
    monkeypatch.setitem(MODELS, "autoregressive", partial(recipes.fit_network, network))
    monkeypatch.setattr(scoreboard, "N_TEST", 1000)
    options = ["--only", "normal", "autoregressive", "--seeds", "0", "--output", str(tmp_path)]
    assert scoreboard.main(options) == 130
    theta = load(tmp_path / "parameters" / "autoregressive_interrupted.npz", family)
    assert family(theta).sample(3, np.random.default_rng(0)).shape == (3, 2)
    assert "interrupted at autoregressive" in capsys.readouterr().err
    report = json.loads((tmp_path / "scoreboard.json").read_text())
    assert [row["name"] for row in report["rows"]] == ["normal"]    # what was measured before


class Diverging(AutoregressiveFamily):
    """A small family whose training ends at no number."""

    def train(self, *args, **options):
        for step in super().train(*args, **options):
            yield Step(step.step, step.loss, step.theta * np.nan)


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=needs_joblib)])
def test_a_training_that_fails_is_named_and_costs_no_other_model(
        jobs, tmp_path, monkeypatch, capsys):
    small_networks(monkeypatch)
    options, file = ["--output", str(tmp_path), "--jobs", jobs], tmp_path / "scoreboard.json"
    scoreboard.main(["--only", "autoregressive", "--seeds", FIRST, *options[:2]])
    before = json.loads(file.read_text())["rows"]
    network = replace(NETWORKS["autoregressive"], family=lambda xp: Diverging((18, 36), (8,)),
                      drawn=0.0)
    monkeypatch.setitem(MODELS, "autoregressive", partial(recipes.fit_network, network))
    back_end = joblib.parallel_config("threading") if jobs == "2" else contextlib.nullcontext()
    with back_end:
        status = scoreboard.main(["--only", "autoregressive", "box", "--seeds", FIRST, *options])
    said = capsys.readouterr().err.splitlines()
    failed = f"autoregressive of seed {FIRST} failed, what is said of it stays: ValueError('theta"
    assert status == 1 and any(line.startswith(failed) for line in said)
    rows = json.loads(file.read_text())["rows"]
    assert [row["name"] for row in rows] == ["box", "autoregressive"] and rows[1:] == before


def small_networks(monkeypatch):
    """The autoregressive model of the table, but small, and a table of few points."""
    family = AutoregressiveFamily((18, 36), (8,))
    network = replace(NETWORKS["autoregressive"], family=lambda xp: family, steps=200, drawn=0.0)
    monkeypatch.setitem(NETWORKS, "autoregressive", network)
    monkeypatch.setitem(MODELS, "autoregressive", partial(recipes.fit_network, network))
    for module, name in ((training_sets, "N"), (scoreboard, "N"), (scoreboard, "N_TEST"),
                         (judgment, "N_SAMPLES"), (scoreboard, "N_SAMPLES")):
        monkeypatch.setattr(module, name, 2000)


def test_judging_again_keeps_what_was_timed_and_measures_all_else(tmp_path, monkeypatch):
    small_networks(monkeypatch)
    options, file = ["--output", str(tmp_path)], tmp_path / "scoreboard.json"
    scoreboard.main(["--only", "box", "autoregressive", "--seeds", FIRST, SECOND, *options])
    first = json.loads(file.read_text())
    spoiled = json.loads(file.read_text())
    for row in spoiled["rows"]:
        row |= {"seconds": 12.5, "samples_per_second": 7.0, "sea": -1.0, "reached": -1.0,
                "a measure of old": 3.0}
    file.write_text(json.dumps(spoiled))

    fitted, fit_model = [], scoreboard.fit_model

    def noted(name, X, rng, seconds):
        fitted.append((name, np.array_equal(X, training_set(SEEDS[0]))))
        return fit_model(name, X, rng, seconds)

    monkeypatch.setattr(scoreboard, "fit_model", noted)
    parameters = (tmp_path / "parameters" / "autoregressive.npz").read_bytes()
    scoreboard.main(["--judge-again", *options])            # all models; two were measured
    again = json.loads(file.read_text())
    assert [row.pop("samples_per_second") != 7 for row in again["rows"]] == [True] * 4
    assert again["rows"] == [{key: value for key, value in (row | {"seconds": 12.5}).items()
                              if key != "samples_per_second"} for row in first["rows"]]
    # the first network is that of the parameters, which stay; the second has none
    assert fitted == [("box", True), ("box", False), ("autoregressive", False)]
    assert (tmp_path / "parameters" / "autoregressive.npz").read_bytes() == parameters


def test_without_parameters_judging_again_trains_as_the_seed_says(tmp_path, monkeypatch):
    small_networks(monkeypatch)
    options = ["--output", str(tmp_path), "--seeds", FIRST]
    scoreboard.main(["--only", "autoregressive", *options])
    first = rows_in(tmp_path, "samples_per_second")
    (tmp_path / "parameters" / "autoregressive.npz").unlink()
    scoreboard.main(["--judge-again", *options])
    assert rows_in(tmp_path, "samples_per_second") == first
    assert not (tmp_path / "parameters" / "autoregressive.npz").exists()


def test_only_of_the_first_training_set_the_parameters_are_kept(tmp_path, monkeypatch):
    small_networks(monkeypatch)
    options = ["--only", "autoregressive", "--output", str(tmp_path)]
    scoreboard.main([*options, "--seeds", SECOND])
    assert not list((tmp_path / "parameters").iterdir())
    monkeypatch.setattr(scoreboard, "SEEDS", SEEDS[1:])
    scoreboard.main([*options, "--seeds", SECOND])
    assert (tmp_path / "parameters" / "autoregressive.npz").exists()


def test_there_are_several_training_sets_and_no_two_are_alike():
    assert len(set(SEEDS)) == len(SEEDS) >= 5
    assert len({training_set(seed).tobytes() for seed in SEEDS}) == len(SEEDS)
    assert training_set(SEEDS[0]).shape == (training_sets.N, 2)


def test_judging_again_needs_something_that_was_judged(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        scoreboard.main(["--judge-again", "--output", str(tmp_path / "new")])
    assert stopped.value.code == 2 and not (tmp_path / "new").exists()
    assert "does not exist: there is nothing to judge again" in capsys.readouterr().err


def test_what_the_table_calls_reached_is_the_coverage(X):
    p, n = fit_model("normal", X, np.random.default_rng(0)), judgment.N_SAMPLES
    row = judgment.judged(p, P_DATA, X, np.random.default_rng(4))
    found = [coverage(p, P_DATA, n, np.random.default_rng(seed)) for seed in range(5)]
    assert row["reached"] == pytest.approx(np.mean(found), abs=5 * np.std(found, ddof=1))
    assert row["sea"] == pytest.approx(1 - accuracy(p, P_DATA, n, np.random.default_rng(0)),
                                       abs=5 * math.sqrt(0.5 / n))


def test_a_model_that_makes_no_land_reaches_none_of_it(X):
    p = fit_model("box", np.array([[-10.0, -150.0], [10.0, -100.0]]), None)     # in the Pacific
    row = judgment.judged(p, P_DATA, X, np.random.default_rng(5))
    assert row["reached"] == 0 and row["sea"] == 1 and row["kl"] == "inf"


@pytest.mark.usefixtures("coarse")
def test_a_recalibrated_kernel_density_has_about_mass_1_on_a_finer_grid(X, monkeypatch):
    monkeypatch.setattr(recipes, "HALF_DEGREES", (180, 360))
    p = fit_model("recalibrated_kernel_density", X, np.random.default_rng(1))
    centers, cell = judgment.WORLD.grid((300, 600))
    assert np.exp(p.log_prob(centers)).sum() * cell == pytest.approx(1, abs=0.01)
    assert known_log_prob(p, None)[0] == "grid"


# Side by side

TIMES = ("seconds", "steps_per_second", "samples_per_second", "jobs", "processor")


def rows_in(folder, *without):
    """All that a scoreboard says, but for the times, or only without what is named."""
    rows = json.loads((folder / "scoreboard.json").read_text())["rows"]
    return [{key: value for key, value in row.items() if key not in (without or TIMES)}
            for row in rows]


def started(folder, *arguments):
    """The script as a program, on one thread and in a group of processes of its own."""
    return subprocess.Popen(
        [sys.executable, ROOT / "scripts" / "scoreboard.py", "--output", folder, *arguments],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})


@needs_joblib
def test_two_workers_measure_what_one_does(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two workers 二"
    names = ["box", "histogram", "adversarial"]
    for folder, jobs in ((one, "1"), (two, "2")):
        program = started(folder, "--only", *names, "--seeds", FIRST, SECOND, "--seconds", "0.1",
                          "--jobs", jobs)
        said, complaints = program.communicate(timeout=120)
        assert (program.returncode, complaints) == (0, "")
        assert sorted(line.split()[0] for line in said.splitlines()) == sorted(2 * names)
    assert rows_in(one) == rows_in(two) and len(rows_in(one)) == 6
    assert ((one / "parameters" / "adversarial.npz").read_bytes()
            == (two / "parameters" / "adversarial.npz").read_bytes())
    report = json.loads((two / "scoreboard.json").read_text())
    assert {row["jobs"] for row in report["rows"]} == {2}
    assert {row["jobs"] for row in report["summary"].values()} == {2}
    assert {row["processor"] for row in report["rows"]} == {processor()}


@needs_joblib
@pytest.mark.parametrize("back_end", ["threading", "all at once"])
def test_the_caller_chooses_the_back_end_of_joblib(back_end, tmp_path, monkeypatch):
    class AllAtOnce(joblib.parallel.ThreadingBackend):
        supports_return_generator = False                   # like Ray's: a list when all is done

    joblib.register_parallel_backend("all at once", AllAtOnce)
    small_networks(monkeypatch)
    threads, fit_model = set(), scoreboard.fit_model

    def noted(*arguments):
        threads.add(threading.current_thread())
        return fit_model(*arguments)

    monkeypatch.setattr(scoreboard, "fit_model", noted)
    options = ["--only", "normal", "autoregressive", "--seeds", FIRST, SECOND, "--output"]
    scoreboard.main([*options, str(tmp_path / "one")])
    assert threads == {threading.main_thread()}
    threads.clear()
    with joblib.parallel_config(back_end):
        scoreboard.main([*options, str(tmp_path / "two"), "--jobs", "2"])
    assert threads and threading.main_thread() not in threads
    assert rows_in(tmp_path / "one") == rows_in(tmp_path / "two")


@needs_joblib
def test_a_row_is_written_while_others_are_still_measured(tmp_path, monkeypatch):
    def measured(name, seed, seconds):
        deadline = time.monotonic() + 30
        while name == "normal" and not (tmp_path / "scoreboard.json").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return {"name": name, "seed": seed, "how": "exact", "kl": 1.0}, None

    monkeypatch.setattr(scoreboard, "measured", measured)
    with joblib.parallel_config("threading"):
        scoreboard.main(["--only", "normal", "box", "--seeds", FIRST, "--jobs", "2", "--output",
                         str(tmp_path)])
    assert [row["name"] for row in rows_in(tmp_path)] == ["box", "normal"]


@needs_joblib
def test_judging_again_side_by_side_takes_the_parameters_and_keeps_what_was_of_the_training(
        tmp_path, monkeypatch):
    small_networks(monkeypatch)
    options = ["--only", "box", "autoregressive", "--seeds", FIRST, "--output", str(tmp_path)]
    scoreboard.main(options)
    before = rows_in(tmp_path, "samples_per_second")
    monkeypatch.setitem(MODELS, "autoregressive", None)     # it is not fitted again
    with joblib.parallel_config("threading"):
        scoreboard.main([*options, "--judge-again", "--jobs", "2"])
    assert rows_in(tmp_path, "samples_per_second") == before


@needs_joblib
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows has no groups of processes")
def test_an_interruption_ends_all_workers_and_keeps_what_was_measured(tmp_path):
    program = started(tmp_path, "--only", "box", "affine_flow", "--seeds", FIRST, "--jobs", "2")
    assert program.stdout.readline().startswith("box")
    os.killpg(program.pid, signal.SIGINT)                   # as a terminal does it
    _, complaints = program.communicate(timeout=60)         # ends when all have closed it
    assert program.returncode == 130
    assert "interrupted; what was measured before is written\n" in complaints
    assert [row["name"] for row in rows_in(tmp_path)] == ["box"]


def test_only_several_jobs_need_joblib(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "joblib", None)
    small_networks(monkeypatch)
    options = ["--only", "box", "--seeds", FIRST, "--output", str(tmp_path / "new")]
    with pytest.raises(SystemExit) as stopped:
        scoreboard.main([*options, "--jobs", "2"])
    complaints = capsys.readouterr().err
    assert stopped.value.code == 2 and not (tmp_path / "new").exists()
    assert complaints.endswith("joblib is missing: pip install -e '.[parallel]'\n")
    assert len(complaints.splitlines()) == 1
    assert scoreboard.main(options) == 0


def test_workers_show_no_bars(monkeypatch):
    steps = range(3)
    monkeypatch.setattr(progress, "tqdm", lambda steps, **how: list(steps))
    with progress.hidden():
        assert progress.bar(steps) is steps
    assert progress.bar(steps) == [0, 1, 2]


def test_the_readmes_say_over_what_their_means_are_and_whether_times_were_disturbed():
    rows = [{"name": "box", "seed": seed, "how": "exact", "kl": 1.0} for seed in range(5)]
    said = update_readme.means({"summary": scoreboard.summary(rows)})
    assert "time" not in said and said.startswith("Means over five training sets; ±")
    rows[3]["jobs"] = 8
    said = update_readme.means({"summary": scoreboard.summary(rows)})
    assert said.endswith("Up to eight models ran at a time: alone they are faster.")


def test_the_readme_says_on_which_processors_training_was_timed():
    rows = [{"name": name, "seed": seed, "how": "exact", "processor": "A, model 1"}
            for name in ("box", "kernel_density") for seed in (1, 2)]
    assert update_readme.timed_on(scoreboard.summary(rows)) == (
        " Training was timed on A, model 1.")
    rows[3]["processor"] = "B"
    assert update_readme.timed_on(scoreboard.summary(rows)) == (
        " Training was timed on A, model 1; that of kernel density on A, model 1 and B.")
    rows += [{"name": name, "seed": 1, "how": "exact", "processor": "B"}
             for name in ("normal", "mixture", "histogram")]
    assert update_readme.timed_on(scoreboard.summary(rows)) == (
        " Training was timed on B; that of box on A, model 1; that of kernel density on A, model 1 "
        "and B.")
    assert [update_readme.listed("abc"[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
    del rows[0]["processor"]
    assert update_readme.timed_on(scoreboard.summary(rows)) == ""


# The committed table

ROWS = report("scoreboard.json")["rows"]
AIMS = {"autoregressive": 0.118, "spline_flow": 0.122, "recalibrated_kernel_density": 0.115,
        "energy_based": 0.106, "diffusion": 0.145, "affine_flow": 0.165,
        "variational_autoencoder": 0.230}                               # nats: on each training set


def test_the_committed_table_is_complete():
    table = report("scoreboard.json")["summary"]
    assert list(table) == list(MODELS) and len(ROWS) == len(SEEDS) * len(MODELS)
    for name in MODELS:
        assert {row["seed"] for row in ROWS if row["name"] == name} == set(SEEDS)
    # 90 seconds of two cores are 180 of one, which is what each of two models has side by side
    assert all(row["seconds"] <= row["jobs"] * scoreboard.SECONDS for row in ROWS)
    assert {row["jobs"] for row in ROWS} <= {1, 2}


def test_the_committed_table_reaches_what_was_aimed_at():
    table = report("scoreboard.json")["summary"]
    assert all(row["kl"] <= AIMS[row["name"]] for row in ROWS if row["name"] in AIMS)
    assert table["energy_based"]["kl"] <= 0.102
    assert all(row["sea"] <= 0.065 for row in ROWS if row["name"] == "diffusion")
    assert table["diffusion"]["reached"] >= 0.93
    assert all(row["sea"] <= 0.08 and row["reached"] >= 0.92 for row in ROWS
               if row["name"] == "adversarial")
    assert table["box"]["reached"] == pytest.approx(1, abs=0.02)            # it holds all the land
    assert all(row["reached"] > 0.9 for row in table.values())


def test_the_recalibrated_kernel_density_keeps_up_with_the_networks_as_the_readme_says():
    table = report("scoreboard.json")["summary"]
    recalibrated = table["recalibrated_kernel_density"]
    ahead = {name: recalibrated["kl"] - table[name]["kl"] for name in NETWORKS
             if table[name].get("kl", 1) < recalibrated["kl"]}
    assert list(ahead) == ["energy_based"] and ahead["energy_based"] < 0.01
    text = " ".join((FIGURES / "README.md").read_text(encoding="utf-8").split())
    assert "in the table one network is ahead of it" in text
    assert recalibrated["seconds"] < 20


def with_row(name):
    """The density of the committed parameters of a network, and its row."""
    row, = (row for row in ROWS if row["name"] == name and row["seed"] == SEEDS[0])
    return committed(name, np.ones(1)), row


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "adversarial"])
def test_the_committed_parameters_have_the_committed_distance_from_the_truth(name):
    p, row = with_row(name)
    n = 300 if name in ("diffusion", "variational_autoencoder") else 5000
    log_p = known_log_prob(p, np.random.default_rng(1))[1](
        P_DATA.sample(n, np.random.default_rng(2))).astype(float)
    kl, error = -log_p.mean() - P_DATA.entropy, log_p.std() / math.sqrt(n)
    assert abs(kl - row["kl"]) < 6 * error


def test_the_committed_generator_leaves_as_many_points_in_the_sea_as_committed():
    p, row = with_row("adversarial")
    sea = 1 - P_DATA.contains(p.sample(4000, np.random.default_rng(1))).mean()
    assert abs(sea - row["sea"]) < 6 * math.sqrt(row["sea"] / 4000)


@pytest.mark.parametrize("name", ["adversarial", "autoregressive", "spline_flow",
                                  "variational_autoencoder"])
def test_a_committed_network_reaches_as_much_land_as_committed(name):
    p, row = with_row(name)
    reached = coverage(p, P_DATA, 20_000, np.random.default_rng(1))
    assert reached == pytest.approx(row["reached"], abs=0.02) and reached > 0.9


def test_a_family_on_the_box_learns_in_the_plane_to_which_it_is_stretched(X):
    """X = 90 tanh u for the latitude, and so on; a point of the border is one of the plane too."""
    family, X = Noted(), np.concatenate([X, [[90.0, -180.0]]])
    network = recipes.Recipe(lambda xp: family, 10, on_box=True)
    recipes.fit_network(network, X, np.random.default_rng(0), 90)
    assert family.seen[0].dtype == np.float32
    np.testing.assert_allclose(np.tanh(family.seen[0].astype(float)) * recipes.UNIT, X, atol=1e-4)
    with pytest.raises(ValueError, match="jitter must be 0, .* got 0.5"):
        recipes.Recipe(lambda xp: family, 10, jitter=0.5, on_box=True)


def test_what_the_discriminator_throws_away_lies_in_the_sea_and_where_fakes_are_many():
    """The committed generator alone makes more than 1.8 times the sea, and is farther from even."""
    p, row = with_row("adversarial")
    fakes = p.p._fakes(20_000, np.random.default_rng(1)) * recipes.UNIT
    numbers = judgment.beside(fakes, P_DATA.sample(20_000, np.random.default_rng(2)), P_DATA)
    assert numbers["sea"] > 1.8 * row["sea"] and numbers["js"] > row["js"]


def test_the_steps_of_the_flow_are_small_enough():
    p, _ = with_row("diffusion")
    X = P_DATA.sample(200, np.random.default_rng(3))
    fine = p.flow_log_prob(X, n_steps=128)
    for n, most in ((judgment.ODE_STEPS, 0.03), (64, 0.02)):            # of either sign, as relu's
        error = p.flow_log_prob(X, n_steps=n) - fine                    # kinks come at any place
        assert error.std() < most and abs(error.mean()) < 0.001 + 5 * error.std() / len(X)**0.5


def test_a_single_guess_of_the_committed_encoder_is_mostly_good_and_rarely_very_bad():
    text = " ".join((FIGURES / "README.md").read_text(encoding="utf-8").split())
    p, rng = committed("variational_autoencoder", np.zeros(1, "float32")), np.random.default_rng(0)
    X = P_DATA.sample(5000, rng)
    lost = p.importance_weighted(X, rng, n_samples=200) - p.elbo(X, rng)
    assert abs(np.median(lost)) < 0.05 and "Half of all single draws give at least" in text
    assert 0.02 < (lost > 10).mean() < 0.04 and "some 3% lose more than 10 nats" in text
    assert lost[lost > 10].sum() > 0.9 * lost.sum()


def test_the_readme_says_what_was_used():
    text = " ".join((FIGURES / "README.md").read_text(encoding="utf-8").split())
    drawn = [name for name, network in NETWORKS.items() if network.drawn == 1]
    assert drawn == ["autoregressive", "spline_flow", "affine_flow", "variational_autoencoder"]
    assert recipes.DRAWS == 1_000_000 and "learned from a million draws of the recalibrated" in text
    assert (NETWORKS["energy_based"].drawn, NETWORKS["energy_based"].jitter) == (0.5, 0.3)
    diffusion = NETWORKS["diffusion"]
    assert (diffusion.drawn, diffusion.jitter) == (0.4, 0.2)
    assert "were half of the data of the first and 40% of the second's" in text
    assert "the rest were the points, moved by 0.3° and by 0.2°" in text
    assert f"{0.5**(1 / diffusion.family(np).focus):.0%} of its rows go to the less noisy" in text
    cut = {name: network.options for name, network in NETWORKS.items() if "clip" in network.options}
    assert set(cut) == {"variational_autoencoder", "affine_flow"}
    assert {options["clip"] for options in cut.values()} == {5} and "to the length 5" in text
    assert cut["affine_flow"]["beta2"] == 1 - 1 / 50 and "after some fifty steps" in text
    flow = NETWORKS["affine_flow"].family(np)
    assert f"chain of {flow.n_layers} layers" in text
    shortest = [abs(F).max() for F in flow.waves]
    assert shortest[0] > shortest[8] > shortest[-1] and flow.max_slope == 2
    assert shortest == sorted(shortest, reverse=True) and "no wave is steeper than 2" in text
    assert [name for name, network in NETWORKS.items() if network.on_box] == ["affine_flow"]
    assert "Only the affine flow learned in a plane" in text
    assert NETWORKS["variational_autoencoder"].options["calmer"]
    assert "with the calmer gradient" in text
    started = [name for name, network in NETWORKS.items() if network.start is not None]
    assert started == ["variational_autoencoder"]
    assert NETWORKS["variational_autoencoder"].start.keywords == {"c": 0.6}
    assert "Its training begins linearly, with nearly x̂ = 0.6 z" in text
    assert f"chosen on {recipes.KEPT_BACK:,} of the points" in text
    energy, autoregressive = (NETWORKS[name].family(np) for name in
                              ("energy_based", "autoregressive"))
    assert energy.network.bound == 4 and "bounded to ± 4 nats" in text
    assert autoregressive.bound == 3 and "so are, to ± 3, in the autoregressive model" in text
    assert autoregressive.bins == (360, 720) and autoregressive.order == [1, 0]
    assert "half a degree of latitude given the longitude" in text
    points = inspect.signature(energy.train).parameters["points"].default
    assert f"from {points:,} uniform points" in text
    draws = NETWORKS["variational_autoencoder"].options["n_samples"]
    assert f"the bound of {draws} draws" in text
    histogram = MODELS["histogram"](np.zeros((1, 2)), None, 1)
    assert histogram.masses.max() / histogram.masses.min() == pytest.approx(11)     # 1.1 and 0.1
    assert "counts 0.1 more in each cell" in text
    assert recipes.BANDWIDTHS == (0.8, 1, 1.25) and "of 0.8°, 1° and 1.25°" in text
    gan = NETWORKS["adversarial"]
    assert gan.family(np).rejection == 0.999 and gan.options["alone"] == 0.35
    assert "in the last 35% of the steps" in text and "all but 0.1% of the quotients" in text
    assert {name for name, network in NETWORKS.items() if network.drawn == network.jitter == 0} == {
        "adversarial"}
