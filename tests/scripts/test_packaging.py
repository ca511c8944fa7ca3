"""The package as others get it, and the scripts that are no figures."""

import importlib
import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from configparser import ConfigParser
from email import message_from_string
from pathlib import Path

import check_gpu
import numpy as np
import pytest

from gdl_numpy.numerics import backend

ROOT = Path(__file__).parent.parent.parent
SETTINGS = ConfigParser()
SETTINGS.read(ROOT / "setup.cfg", encoding="utf-8")
PACKAGE = list((ROOT / "gdl_numpy").rglob("*.py"))
BENCHMARKS = [path.stem for path in (ROOT / "scripts").glob("benchmark_*.py")
              if path.stem != "benchmark_gpu"]              # which needs a card
NO_CASE = {"backend", "blocks", "checks", "described", "memory", "polygon", "separation",
           "storage", "taxonomy", "trained"}            # of check_gpu: nothing to compute
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
    assert {"gdl_numpy/README.md", "gdl_numpy/world/data/world_map.npz"} < set(names)
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"gdl_numpy"}
    code = ("import gdl_numpy; from gdl_numpy.world.world_map import WorldMap\n"
            "print(gdl_numpy.__file__, WorldMap().contains([[40.7306, -73.9352]])[0])")
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True,
                          cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert done.stdout.split() == [str(tmp_path / "gdl_numpy" / "__init__.py"), "True"], done.stderr


def test_the_metadata_say_who_what_and_for_which_python(wheel):
    with zipfile.ZipFile(wheel) as file:
        name, = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_string(file.read(name).decode("utf-8"))
    assert metadata["Author"] == "gdl_numpy contributors"
    assert metadata["License-Expression"] == "MIT" and metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11" and metadata["Keywords"]
    assert metadata["Version"] == SETTINGS["metadata"]["version"]
    needed = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert needed == ["numpy>=2.0"]
    classifiers = metadata.get_all("Classifier")
    assert {"Intended Audience :: Education", "Topic :: Education",
            "Operating System :: OS Independent"} < set(classifiers)
    assert not any(line.startswith("License ::") for line in classifiers)   # the expression says it


def test_the_workflow_runs_what_a_change_must_pass_on_the_first_and_the_last_python():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    versions = re.findall(r":: (3\.\d+)$", SETTINGS["metadata"]["classifiers"], flags=re.MULTILINE)
    assert re.findall(r'"(3\.\d+)"', text) == [versions[0], versions[-1]]
    assert text.rstrip().endswith("- run: .ci/run") and os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_oldest_versions_that_are_tested_are_those_that_setup_cfg_names():
    """On the oldest Python, of all that is installed for figures and tests; on others, none."""
    done = subprocess.run([sys.executable, ROOT / ".ci" / "oldest.py"], text=True,
                          capture_output=True, check=True)
    options, extras = SETTINGS["options"], SETTINGS["options.extras_require"]
    if options["python_requires"] != f">={sys.version_info[0]}.{sys.version_info[1]}":
        assert done.stdout == ""
        return
    oldest = done.stdout.split()
    assert set(re.findall(r"^[\w-]+", done.stdout, flags=re.MULTILINE)) == {
        "numpy", "matplotlib", "tqdm", "pytest", "pytest-xdist", "scipy", "scikit-learn",
        "joblib"}
    for line in oldest:
        named = line.replace("==", ">=")
        assert named in (options["install_requires"] + extras["figures"] + extras["test"]).split()


def test_a_python_that_is_too_old_is_told_so_in_a_sentence(monkeypatch):
    floor = SETTINGS["options"]["python_requires"].removeprefix(">=")
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    with pytest.raises(SystemExit, match=f"needs Python {floor} or newer, and this is Python 3.10"):
        runpy.run_path(str(ROOT / "setup.py"))


def test_no_hint_names_a_package_that_somebody_else_could_own():
    """Nothing of that name is on PyPI: what is installed is this folder, `.` or `.[gpu]`."""
    own = "gdl" + r"[_-]numpy"
    for path in [*PACKAGE, *(ROOT / "scripts").glob("*.py"), *ROOT.rglob("*.md")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(rf"pip install [^\n]*{own}", text), path


def test_the_hint_for_the_gpu_installs_an_extra_that_there_is():
    extra, = re.findall(r"pip install -e '\.\[(\w+)\]'", backend.INSTALL)
    assert SETTINGS["options.extras_require"][extra].startswith("\ncupy-cuda12x")


def test_the_citation_has_what_its_format_requires_and_the_version_of_the_package():
    """Its lines are `key: value`, lists below a key without one; a value with ": " is quoted."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    top = dict(re.findall(r"^([\w-]+): *(.*)$", text, flags=re.MULTILINE))
    assert {"cff-version", "message", "title", "authors"} < set(top)
    ours = SETTINGS["metadata"]
    assert top["cff-version"] == "1.2.0" and top["license"] == ours["license_expression"]
    assert top["version"] == ours["version"]
    assert f"- name: {ours['author']}" in text and "family-names: Foster" in text
    for value in re.findall(r"^[ -]*[\w-]+: +(.*)$", text, flags=re.MULTILINE):
        assert ": " not in value or value[0] == value[-1] == '"'


def test_the_source_distribution_holds_all_that_its_own_tests_read():
    """It is what git knows; `.ci/run` builds one and runs tests from it."""
    recipe = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    requires = [name.partition(">")[0] for name in recipe["build-system"]["requires"]]
    assert requires == ["setuptools", "setuptools-scm"]


def test_pytest_alone_runs_all_tests_but_those_of_the_scripts():
    folders = {path.parts[len(ROOT.parts) + 1] for path in (ROOT / "tests").rglob("*/test_*.py")}
    assert set(SETTINGS["tool:pytest"]["testpaths"].split()) == {
        "gdl_numpy", "tests/test_*.py", *(f"tests/{name}" for name in folders - {"scripts"})}


def test_the_linter_finds_its_settings_without_being_told_where():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    assert settings["line-length"] == 100 and {"E", "F", "NPY"} < set(settings["lint"]["select"])


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
    monkeypatch.setitem(sys.modules, "cupy", stand_in_cupy)
    monkeypatch.setattr(check_gpu, "compare", lambda *args: [("a case", np.nan, 1.0)])
    assert check_gpu.main(["--size", "100"]) == 1
    assert "TOO LARGE" in capsys.readouterr().out


def test_check_gpu_without_a_gpu_gives_one_line_and_exit_status_2():
    done = subprocess.run([sys.executable, str(ROOT / "scripts" / "check_gpu.py")], text=True,
                          capture_output=True, env=os.environ | {"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("script", BENCHMARKS)
def test_benchmarks_say_on_what_they_measured_and_that_both_sides_agree(script):
    reports = json.loads((ROOT / "figures" / f"{script}.json").read_text(encoding="utf-8"))
    cases = importlib.import_module(script).CASES
    for report in reports.values():
        assert report["machine"]["processor"] and report["machine"]["numpy"]
        assert report["repeats"] >= 5
        threads = {case["threads"] for case in report["cases"]}
        described = [(case["name"], case["dtype"], case["peer"], case["settings"], case["threads"])
                     for case in report["cases"]]
        all_cases = [(c.name, c.dtype, c.peer, c.settings, c.threads) for c in cases
                     if c.threads in threads]
        assert described == [case for case in all_cases if case in described] != []
        if report["machine"].get("memory_kept"):            # older ones may lack a later case
            assert described == all_cases
        for case in report["cases"]:
            assert all(difference <= case["bound"] for difference in case["difference"].values())
            assert case["memory_MB"]["ours"] < 500
