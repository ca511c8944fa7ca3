"""The README, the wheel, and the scripts that are no figures."""

import importlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import check_gpu
import numpy as np
import pytest
import update_readme

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGE = list((ROOT / "gdl_numpy").rglob("*.py"))
BENCHMARKS = [path.stem for path in (ROOT / "scripts").glob("benchmark_*.py")]
NO_CASE = {"backend", "polygon", "storage", "taxonomy"}     # of check_gpu: nothing to compute
MODULES = sorted(path.stem for path in PACKAGE if path.stem != "__init__")


def test_the_quick_start_has_exactly_two_code_blocks_of_one_line():
    section = README.split("## Quick start")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    assert len(blocks) == 2 and all(block.count("\n") == 1 for block in blocks)
    assert "make_figures.py" in blocks[0] and "pytest" in blocks[1]


def test_the_example_of_the_readme_trains_a_flow(capsys):
    block, = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names = {}
    exec(block, names)
    assert capsys.readouterr().out and names["step"].step == 199
    entropy = 1 + np.log(2 * np.pi) + np.log(0.6)           # of the points: N(0, ΛᵀΛ), |Λ| = 0.6
    assert names["p"].log_prob(names["X"]).mean() > -entropy - 0.2


def test_the_numbers_in_the_readme_are_those_that_scripts_have_written():
    assert update_readme.updated(README) == README


def test_the_reading_order_is_complete_and_the_same_in_the_readme_and_in_the_package():
    section = README.split("## Reading order")[1].split("\n## ")[0]
    in_readme = re.findall(r"\(gdl_numpy/(?:\w+/)?(\w+)\.py\)", section)
    docstring = (ROOT / "gdl_numpy" / "__init__.py").read_text(encoding="utf-8")
    in_package = re.findall(r"^    (\w+) {2,}", docstring, flags=re.MULTILINE)
    assert in_readme == in_package and sorted(in_readme) == MODULES


def test_every_file_that_the_readme_links_to_exists():
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_every_erratum_named_in_a_module_has_its_test_and_its_line_in_the_readme():
    tests, modules = ("".join(path.read_text(encoding="utf-8") for path in paths)
                      for paths in ((ROOT / "tests").rglob("test_*.py"), PACKAGE))
    named = {name.upper() for name in re.findall(r"test_(e\d\d)", modules)}
    assert named == {name.upper() for name in re.findall(r"def test_(e\d\d)_", tests)}
    assert named == set(re.findall(r"^\| (E\d\d) \|", README, flags=re.MULTILINE))


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
