"""The package as others get it, and the scripts that are no figures."""

import importlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import check_gpu
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = list((ROOT / "gdl_numpy").rglob("*.py"))
BENCHMARKS = [path.stem for path in (ROOT / "scripts").glob("benchmark_*.py")]
NO_CASE = {"backend", "blocks", "checks", "described", "polygon", "storage",
           "taxonomy"}                                      # of check_gpu: nothing to compute
MODULES = sorted(path.stem for path in PACKAGE if path.stem != "__init__")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the source."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for path in [*ROOT.glob("*.*"), ROOT / "LICENSE", *(ROOT / "gdl_numpy").rglob("*")]:
        if path.is_file() and "__pycache__" not in path.parts:
            target = source / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_map_and_works_on_its_own(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        file.extractall(tmp_path)
    assert "gdl_numpy/world/data/world_map.npz" in names
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"gdl_numpy"}
    code = ("import gdl_numpy; from gdl_numpy.world.world_map import WorldMap\n"
            "print(gdl_numpy.__file__, WorldMap().contains([[40.7306, -73.9352]])[0])")
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True,
                          cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert done.stdout.split() == [str(tmp_path / "gdl_numpy" / "__init__.py"), "True"], done.stderr


def test_check_gpu_agrees_with_numpy_on_the_stand_in(monkeypatch):
    import stand_in_cupy
    monkeypatch.setitem(sys.modules, "cupy", stand_in_cupy)
    compared = list(check_gpu.compare(stand_in_cupy, size=500, repeats=1))
    assert {name.split(":")[0] for name, _, _ in compared} == set(MODULES) - NO_CASE
    assert all(difference <= check_gpu.RTOL for _, difference, _ in compared)


def test_check_gpu_sees_a_difference():
    assert check_gpu.relative_difference(np.ones(3), np.array([1, 1, 1 + 1e-8])) > check_gpu.RTOL
    assert check_gpu.relative_difference([1.0, -np.inf], [1.0, 0.0]) == np.inf


def test_check_gpu_fails_where_the_device_gives_nan(monkeypatch, capsys):
    import stand_in_cupy
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(
        __version__="0", ndarray=stand_in_cupy.ndarray, cuda=SimpleNamespace(
            Device=lambda: SimpleNamespace(synchronize=None), runtime=SimpleNamespace(
                getDeviceProperties=lambda i: {"name": b"none"}))))
    monkeypatch.setattr(check_gpu, "random_generator", lambda *args: np.random.default_rng(0))
    monkeypatch.setattr(check_gpu, "compare", lambda *args: [("a case", np.nan, 1.0)])
    assert check_gpu.main(["--size", "100"]) == 1
    assert "TOO LARGE" in capsys.readouterr().out


def test_check_gpu_without_a_gpu_gives_one_line_and_exit_status_2():
    done = subprocess.run([sys.executable, str(ROOT / "scripts" / "check_gpu.py")], text=True,
                          capture_output=True, env=os.environ | {"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("script", BENCHMARKS)
def test_benchmarks_say_on_what_they_measured_and_that_both_sides_agree(script):
    report = json.loads((ROOT / "figures" / f"{script}.json").read_text(encoding="utf-8"))
    assert report["machine"]["processor"] and report["machine"]["numpy"] and report["repeats"] >= 5
    cases = importlib.import_module(script).CASES
    described = [(case["name"], case["dtype"], case["peer"], case["settings"])
                 for case in report["cases"]]
    assert described == [(c.name, c.dtype, c.peer, c.settings) for c in cases]
    for case in report["cases"]:
        assert case["difference"] <= case["bound"]
        assert case["memory_MB"]["ours"] < 500
