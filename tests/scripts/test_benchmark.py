"""Benchmarks: their sides run apart, peers that are missing are left out, reports stand side by
side, each under its processor. Small cases stand for large ones; no time is judged."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import benchmark
import benchmark_models
import command
import numpy as np
import pytest
import update_readme
import worker
from reports import load

from gdl_numpy.networks import network

ROOT = Path(__file__).parent.parent.parent
SMALL = """
import os
import sys
import benchmark
import command
import numpy as np

def ours():
    return lambda: np.arange(10.0).sum()

def wrong():
    return lambda: 44.0

def processors():
    return lambda: float(len(os.sched_getaffinity(0)))

def without():
    raise command.WrongUse("this side cannot be measured")

def told():
    return lambda: float(os.environ["OMP_NUM_THREADS"] + os.environ.get("OPENBLAS_CORETYPE", ""))

sys.excepthook = command._last_word                        # as in a script of scripts/
benchmark.SIDE, benchmark.TRIALS, benchmark.PAUSE = 256, 3, 0
benchmark.PRODUCTS = {"numpy": benchmark.product_of_numpy}

def case(name, one, other, **more):
    return benchmark.Case(name, {}, "float64", "numpy.sum", "", 1, 1e-9, benchmark.deviation,
                          one, other, **more)

CASES = CASES_HERE
if __name__ == "__main__":
    benchmark.main(CASES, "Small.", "small.json", ("numpy",))
"""
EQUAL = ("[case('sum', ours, ours, operations=1e3, given_back=True, "
         "others={'nolibrary.jit': (ours, 1.0), 'numpy.again': (ours, None)})]")


def ran(folder, cases, *arguments, **environment):
    """What a benchmark script of these cases does, one round of each."""
    script = folder / "small.py"
    script.write_text(SMALL.replace("CASES_HERE", cases))
    path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    return subprocess.run(
        [sys.executable, script, "--output", folder, "--repeats", "1", *arguments], text=True,
        capture_output=True, timeout=100, env=os.environ | {"PYTHONPATH": path} | environment)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say how much memory it took")
def test_a_run_replaces_the_report_of_its_processor_and_leaves_out_the_peers_that_are_missing(
        tmp_path):
    file, mine = tmp_path / "small.json", benchmark.processor()
    file.write_text(json.dumps({"another": {"cases": 3}, mine: {"cases": 4, "scaling": 5}}))
    done = ran(tmp_path, EQUAL)
    assert done.returncode == 0, done.stderr
    assert "Without nolibrary.jit: nolibrary is missing: pip install nolibrary" in done.stdout
    assert mine in done.stdout
    reports = json.loads(file.read_text())
    assert reports["another"] == {"cases": 3} and reports[mine]["scaling"] == 5
    case, = reports[mine]["cases"]
    sides = {"peer", "numpy.again", benchmark.GIVEN_BACK}
    assert set(case["ratio"]) == set(case["difference"]) == sides
    assert set(case["seconds"]) == set(case["memory_MB"]) == set(case["share_of_peak"]) == {
        "ours", *sides}
    peak = reports[mine]["peak_GFLOP_per_s"]["numpy"]["1"]
    assert case["share_of_peak"]["ours"] == pytest.approx(
        1e-6 / case["seconds"]["ours"] / peak, abs=1e-3)
    assert case["aim"] == {"peer": 1}
    assert all(memory > 1 for memory in case["memory_MB"].values())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say how much memory it took")
def test_results_that_differ_are_not_written(tmp_path):
    done = ran(tmp_path, "[case('sum', ours, wrong)]")
    assert done.returncode == 1 and "differ by more than their bound" in done.stderr
    assert not (tmp_path / "small.json").exists()


@pytest.mark.skipif(not worker.HOLDS, reason="this system has no affinity")
def test_a_worker_has_as_many_processors_as_the_case_has_threads_and_no_slow_kernel(tmp_path):
    done = ran(tmp_path, "[case('processors', processors, told)]", OPENBLAS_CORETYPE="9")
    assert done.returncode == 0, done.stderr                # one processor, and told so: 1 = 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say how much memory it took")
def test_what_a_worker_refuses_is_one_line_and_exit_status_2(tmp_path):
    done = ran(tmp_path, "[case('sum', ours, without)]")
    assert done.returncode == 2 and done.stderr.strip() == "small.py: this side cannot be measured"


def test_more_threads_than_processors_are_refused_before_any_work(monkeypatch, capsys):
    cases = [benchmark.Case("a", {}, "float64", "numpy", "", 1, 0, benchmark.deviation, None, None,
                            threads=10**6)]
    monkeypatch.setattr(sys, "argv", ["benchmark_a.py"])
    monkeypatch.setattr(benchmark, "Worker", None)
    with pytest.raises(SystemExit) as ended:
        benchmark.main(cases, "", "a.json", ())
    assert ended.value.code == 2 and "a case has 1000000 threads" in capsys.readouterr().err


def test_where_threads_cannot_be_held_jax_is_left_out(monkeypatch, capsys):
    case = benchmark.Case("a", {}, "float64", "numpy", "", 1, 0, benchmark.deviation, None, None,
                          others={"jax.jit": (None, 1.0), "numpy.sum": (None, None)})
    monkeypatch.setattr(benchmark, "HOLDS", False)
    monkeypatch.setattr(benchmark, "find_spec", lambda name: name)
    assert benchmark.optional([case]) == ["numpy.sum"]
    assert capsys.readouterr().out.splitlines() == [
        "Without jax.jit: this system cannot hold jax to one or two processors"]


def test_a_processor_is_told_from_another_of_the_same_name(monkeypatch):
    texts = [f"model name : An EPYC\ncpu family : 25\nmodel : {model}\n" for model in (1, 17)]
    monkeypatch.setattr(Path, "exists", lambda path: True)
    names = []
    for text in texts:
        monkeypatch.setattr(Path, "read_text", lambda path, text=text: text)
        names.append(benchmark.processor())
    assert names == ["An EPYC, family 25, model 1", "An EPYC, family 25, model 17"]


def test_every_library_multiplies_the_same_matrices(monkeypatch):
    monkeypatch.setattr(benchmark, "SIDE", 8)
    A = np.random.default_rng(0).random((8, 8), np.float32)
    for name, product in benchmark.PRODUCTS.items():
        try:
            assert product()() == pytest.approx(A[0] @ A[:, 0], rel=1e-6)
        except ImportError as error:
            assert error.name == name                       # this one is not installed


def test_the_table_names_each_processor_and_has_no_column_for_a_peer_that_was_missing():
    step = {"name": "training_step", "sizes": {"sizes": [2, 8, 2]}, "settings": "batch 5",
            "threads": 1, "peer": "torch.nn", "seconds": {"ours": 0.001},
            "ratio": {"peer": {"median": 1.5, "min": 1, "max": 2}},
            "share_of_peak": {"ours": 0.7, "peer": 0.6}}
    with_jax = step | {"ratio": step["ratio"] | {"jax.jit": {"median": 12.34, "min": 1, "max": 20}}}
    machine = {"cores": 2, "numpy": "2", "memory_kept": True}
    plain, more = ("\n".join(update_readme.speed_on(name, [{
        "machine": machine, "peak_GFLOP_per_s": {"numpy": {"1": 99.6}}, "cases": [case]}]))
        for name, case in (("EPYC 1", step), ("EPYC 2", with_jax)))
    assert "**EPYC 1**, 2 cores" in plain and "jax" not in plain
    assert "in numpy 100 GFLOP/s on 1 thread" in plain
    assert "| 2-8-2, batch 5 | 1 | 1.00 | 1.5 (1 to 2) | 70% | 60% |" in plain
    assert "**EPYC 2**" in more and "jax.jit: time / ours" in more and "12.3 (1 to 20)" in more
    assert len({line.count("|") for line in more.splitlines() if line.startswith("|")}) == 1


@pytest.mark.parametrize("name", benchmark_models.STEPS)
def test_every_family_takes_the_steps_of_the_benchmark_and_draws_its_samples(name, monkeypatch):
    monkeypatch.setitem(benchmark_models.STEPS, name, 2)
    monkeypatch.setitem(benchmark_models.SAMPLES, name, (4, 1))
    monkeypatch.setattr(benchmark_models, "WARM_UP", 1)
    losses, (X,) = (prepare(name)() for prepare in (benchmark_models.training_ours,
                                                    benchmark_models.sampling_ours))
    assert len(losses) in (2, 4) and np.isfinite(losses).all()          # adversarial: two a step
    assert len(X) == 4 and np.isfinite(X).all()


def test_the_header_of_the_network_says_what_keeping_freed_memory_was_measured_to_save():
    said, processor = re.search(r"takes (\d\.\d) times as long, measured on an (.*?) \(scripts/",
                                " ".join(network.__doc__.split())).groups()
    reports = load("benchmark_network.json")
    for case in reports[processor]["cases"]:
        if case["settings"] == "batch 512" and case["threads"] == 1:
            assert f"{case['ratio'][benchmark.GIVEN_BACK]['median']:.1f}" == said


def test_a_file_that_holds_no_reports_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"machine": {}, "cases": []}')
    with pytest.raises(command.WrongUse, match="a.json is broken, mend or remove it: it must hold"):
        benchmark.reports_in(tmp_path / "a.json")


def test_what_measures_all_of_its_own_takes_no_choice_of_cases(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmark_models.py", "--scaling", "--only", "diffusion"])
    with pytest.raises(SystemExit) as ended:
        benchmark.main(benchmark_models.CASES, "", "benchmark_models.json", (),
                       benchmark_models.scaling)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "--scaling measures all of its own, and takes no --only" in said
