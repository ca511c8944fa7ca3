"""The benchmark of a graphics card: all of it, with few numbers, on the stand-in for CuPy."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import benchmark
import benchmark_density
import benchmark_gpu
import check_gpu
import numpy as np
import problems
import pytest
import reports
import stand_in_cupy
import update_readme
from benchmark_gpu import GivenRows
from sharing import once

from gdl_numpy.numerics.backend import to_numpy

ROOT = Path(__file__).parent.parent.parent
TINY = {"BATCH": 24, "STEPS": 1, "N_DATA": 30, "CARD": "cpu", "PAUSE": 0,
        "SAMPLES": dict.fromkeys(benchmark_gpu.MODELS, 24),
        "CHAIN": {"energy_based": benchmark_gpu.CHAIN["energy_based"] | {"steps": 3}}}


@pytest.fixture
def tiny(monkeypatch):
    """The benchmark with few numbers, on the stand-in, without PyTorch."""
    for name, value in TINY.items():
        monkeypatch.setattr(benchmark_gpu, name, value)
    monkeypatch.setattr(problems, "N_DATA", TINY["N_DATA"])
    monkeypatch.setattr(problems, "POINTS", 20)
    monkeypatch.setitem(sys.modules, "cupy", stand_in_cupy)
    monkeypatch.setattr(check_gpu, "DRIVER", "no such file")
    monkeypatch.setattr(benchmark_gpu, "without_pytorch", lambda: "PyTorch is not installed")


def measured(folder, *arguments):
    """The exit status, and what was written."""
    status = benchmark_gpu.main(["--output", str(folder), "--repeats", "1", *arguments])
    file = folder / "benchmark_gpu.json"
    return status, json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def readme_of(folder, monkeypatch):
    """What update_readme.py writes about the benchmark in that folder."""
    monkeypatch.setattr(reports, "FIGURES", folder)
    return "\n".join(update_readme.benchmark_gpu())


def test_the_whole_measurement_runs_and_names_the_card_and_the_processor(
        tiny, tmp_path, monkeypatch, capsys):
    status, report = measured(tmp_path)
    assert status == 0 and report["repeats"] == 1
    assert "PyTorch is not installed, so its columns are left out." in capsys.readouterr().out
    machine = report["machine"]
    assert machine["gpu"] == "no card: a stand-in" and machine["cupy"] == stand_in_cupy.__version__
    assert (machine["cuda_of_driver"], machine["cuda_of_cupy"]) == ("13.1", "12.9")
    assert machine["processor"] and "torch" not in machine

    cases = [(case["name"], case["settings"].split(",")[0], case["peer"], case["dtype"])
             for case in report["cases"]]
    assert cases == [
        ("perceptron", "training step", "numpy", "float32"),
        *((name, "training step", "numpy", "float32") for name in benchmark_gpu.MODELS),
        ("kernel_density", "30 points and queries", "numpy", "float64"),
        ("kernel_density", "30 points and queries", "numpy", "float32"),
        *((name, "24 samples", "numpy", "float32") for name in benchmark_gpu.MODELS)]
    for case in report["cases"]:
        assert case["difference"] <= case["bound"] and case["ratio"]["median"] > 0

    said = readme_of(tmp_path, monkeypatch)
    assert said.count("\n| ") == len(report["cases"]) + 1
    words = said.replace("\n", " ")
    assert "Measured on one no card: a stand-in with 0.0 GB (driver unknown, CUDA 13.1)" in words
    assert f"OMP_NUM_THREADS = {os.environ.get('OMP_NUM_THREADS')}." in words
    assert machine["processor"] in words and "PyTorch was not measured." in words


def test_both_sides_run_in_turn_in_this_process_after_a_run_each_to_warm_up(monkeypatch):
    runs, clock = [], iter([0, 4, 10, 12, 20, 28, 30, 36])

    def side(name, result):
        return lambda: lambda: runs.append(name) or result

    monkeypatch.setattr(benchmark_gpu, "PAUSE", 0)
    case = benchmark.Case("two", {}, "float64", "peer", "", 0, 1, lambda a, b: b - a,
                          side("ours", 1.0), side("peer", 1.5), parts=2)
    with monkeypatch.context() as patch:
        patch.setattr(time, "perf_counter", lambda: next(clock))
        seconds, difference = benchmark_gpu.measure(case, 2)
    assert runs == 3 * ["ours", "peer"] and difference == 0.5
    assert seconds.tolist() == [[2, 1], [4, 3]]


def test_a_case_alone_is_printed_and_not_written(tiny, tmp_path, capsys):
    assert measured(tmp_path, "--only", "perceptron") == (0, None)
    assert "Nothing written: that takes all cases." in capsys.readouterr().out


@pytest.mark.parametrize("difference", [1.0, np.nan])
def test_results_that_differ_end_with_status_1_and_write_nothing(
        difference, tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark_gpu, "measure", lambda case, repeats: (
        np.ones((repeats, 2)), difference))
    monkeypatch.setattr(benchmark_gpu, "cases", lambda *given: list(benchmark_density.CASES))
    assert measured(tmp_path) == (1, None)
    assert "differ by more than their bound" in capsys.readouterr().err


def test_a_slow_card_is_no_failure(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_gpu, "measure", lambda case, repeats: (
        np.array([[1e3, 1e-3]]), 0.0))
    status, report = measured(tmp_path)
    assert status == 0 and report["cases"][0]["ratio"]["median"] == pytest.approx(1e-6)


def test_each_run_on_the_card_ends_with_one_wait(tiny):
    case, *_ = benchmark_gpu.cases(stand_in_cupy, ["numpy"])
    run = case.ours()
    with stand_in_cupy.counted() as n:
        run()
    assert n.waits == 1 and n.launches > 20


def test_with_pytorch_its_columns_stand_beside(tiny, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="the peer needs PyTorch")
    monkeypatch.setattr(benchmark_gpu, "without_pytorch", lambda: None)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    status, report = measured(tmp_path)
    assert status == 0 and report["machine"]["torch"] == torch.__version__
    assert [case["peer"] for case in report["cases"]] == len(report["cases"]) // 2 * [
        "numpy", "torch"]
    said = readme_of(tmp_path, monkeypatch)
    assert said.splitlines()[0].endswith("| NumPy's time / CuPy's: median (min to max) | "
                                         "PyTorch's time / CuPy's: median (min to max) |")
    assert f"PyTorch {torch.__version__}, eager, ran on the same card." in said.replace("\n", " ")


def test_all_that_pytorch_makes_lies_on_the_card(tiny, monkeypatch):
    """PyTorch's device "meta" has no numbers, but refuses what lies on another one."""
    torch = pytest.importorskip("torch", reason="the peer needs PyTorch")
    monkeypatch.setattr(benchmark_gpu, "CARD", "meta")
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    for case in benchmark_gpu.cases(stand_in_cupy, ["torch"]):
        assert case.theirs()().device.type == "meta", case.name


def test_without_pytorch_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert benchmark_gpu.without_pytorch() == "PyTorch is not installed"


@pytest.mark.parametrize("script", ["benchmark_gpu", "check_gpu"])
def test_without_a_card_there_is_one_line_and_exit_status_2(script, tmp_path):
    output = ["--output", str(tmp_path / "new")] * (script == "benchmark_gpu")
    done = subprocess.run([sys.executable, str(ROOT / "scripts" / f"{script}.py"), *output],
                          text=True, capture_output=True,
                          env=os.environ | {"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 2 and done.stdout == "" and not (tmp_path / "new").exists()
    assert len(done.stderr.splitlines()) == 1 and "device 'gpu' needs" in done.stderr


@pytest.mark.parametrize("folder, message", [
    ("file", "must be a folder"), ("file/sub", "cannot write to"), ("own", "Is a directory")])
def test_a_folder_that_cannot_be_written_stops_it_before_any_work(
        folder, message, tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark_gpu, "measure", None)
    (tmp_path / "file").touch()
    (tmp_path / "own" / "benchmark_gpu.json").mkdir(parents=True)
    with pytest.raises(SystemExit) as ended:
        benchmark_gpu.main(["--output", str(tmp_path / folder)])
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.out == "" and message in said.err


def test_blocks_of_rows_get_the_draws_that_all_rows_at_once_would_get():
    eps, u = np.arange(24.0).reshape(2, 6, 2), np.array([0.5])
    rng, whole = GivenRows([u, eps]), GivenRows([u, eps])
    assert rng.random(1) is whole.random(1) is u
    blocks = [rng.standard_normal((2, rows, 2)) for rows in (4, 2)]
    assert (np.concatenate(blocks, axis=1) == whole.standard_normal((2, 6, 2))).all()


def test_before_any_measurement_the_readme_says_that_there_is_none(tmp_path, monkeypatch):
    said = readme_of(tmp_path, monkeypatch).replace("\n", " ")
    assert said.startswith("No graphics card has been measured yet") and said.count(".") == 1


def test_a_card_says_its_name_its_driver_and_cuda(tmp_path, monkeypatch):
    file = tmp_path / "version"
    monkeypatch.setattr(check_gpu, "DRIVER", str(file))
    assert check_gpu.card(stand_in_cupy)["driver"] is None
    file.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 2023\n")
    assert check_gpu.card(stand_in_cupy) == {
        "gpu": "no card: a stand-in", "gpu_memory_GB": 0.0, "driver": "535.129.03",
        "cuda_of_driver": "13.1", "cuda_of_cupy": "12.9"}


def test_nothing_is_shared_that_was_drawn_on_a_device(device):
    drawn = once(lambda n, rng: rng.random(n))
    rng = device.random.default_rng(0)
    assert (to_numpy(drawn(3, rng)) != to_numpy(drawn(3, rng))).all()
