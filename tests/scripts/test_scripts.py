"""The scripts on the command line: wrong use is one line, and no file is ever half."""

import ast
import importlib
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import command
import compare_encoders
import files
import matplotlib
import numpy as np
import pytest
import scoreboard

matplotlib.use("agg")
import make_figures  # noqa: E402

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = ROOT / "scripts"
PROGRAMS = sorted(path.stem for path in SCRIPTS.glob("*.py")
                  if "\nif __name__ == " in path.read_text(encoding="utf-8"))
FIGURES = [name for name in PROGRAMS if name.startswith("figure_")]
OTHERS = [name for name in PROGRAMS if name not in FIGURES]
without_display = pytest.mark.skipif(sys.platform != "linux", reason="there always is a display")
QUICK = ["figure_1_04_points", "figure_1_06_cliff"]


def run(script, *arguments, without=(), cwd=ROOT, start="", **environment):
    """A script as a program, where the modules `without` are not installed."""
    folder = environment.pop("folder")
    (folder / "sitecustomize.py").write_text(
        f"import sys\n{start}\nsys.modules.update(dict.fromkeys({list(without)!r}))")
    path = os.pathsep.join([str(folder), *([] if "gdl_numpy" in without else [str(ROOT)])])
    return subprocess.run([sys.executable, *script, *map(str, arguments)], text=True, cwd=cwd,
                          capture_output=True, timeout=60,
                          env=os.environ | {"PYTHONPATH": path} | environment)


def refused(done, said):
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and said in done.stderr


def stopped(program, arguments, capsys):
    """The exit status of a script's main function, and what it says."""
    module = importlib.import_module(program)
    main = module.main
    if program.startswith("benchmark_") and program != "benchmark_gpu":
        import benchmark
        cases = module.CASES

        def main(arguments):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "argv", [program, *arguments])
                benchmark.main(cases, module.__doc__, f"{program}.json", ())
    with pytest.raises(SystemExit) as ended:
        main(arguments=arguments)
    return ended.value.code, capsys.readouterr()


# Wrong use

def first_imports(name):
    tree = ast.parse((SCRIPTS / f"{name}.py").read_text(encoding="utf-8"))
    modules = [node.names[0].name if isinstance(node, ast.Import) else node.module
               for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return [module for module in modules if module.partition(".")[0] not in
            sys.stdlib_module_names]


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_script_first_imports_what_turns_a_missing_library_into_one_line(name):
    assert first_imports(name)[0] == ("make_figures" if name in FIGURES else "command")
    assert first_imports("make_figures")[0] == "command"


@pytest.mark.parametrize("name, library", [
    *((name, "gdl_numpy") for name in OTHERS if name != "make_figures"),
    *((name, "tqdm") for name in OTHERS if name.startswith("compare_")), ("scoreboard", "tqdm"),
    ("make_figures", "numpy"), ("pack_world_map", "numpy"),
    ("benchmark_network", "torch"), ("torch_references", "torch"), ("benchmark_density", "scipy"),
    ("snapshot_cupy", "cupy")])
def test_without_a_library_a_script_says_what_to_type(tmp_path, name, library):
    arguments = ["there is no such wheel"] if name == "pack_world_map" else []
    if name.startswith("benchmark_"):                       # wherever it may write
        arguments = ["--output", ROOT / "LICENSE"]
    done = run([SCRIPTS / f"{name}.py"], *arguments, without=[library], folder=tmp_path)
    refused(done, "pip install " if library == "cupy" else f"{library} is missing: pip install ")


def test_without_what_windows_has_not_a_benchmark_is_imported_and_says_what_it_needs(tmp_path):
    done = run([SCRIPTS / "benchmark_models.py"], without=["resource", "fcntl"], folder=tmp_path)
    refused(done, "this Python has no module resource, which Linux and macOS have")


@pytest.mark.parametrize("name", OTHERS)
def test_an_unknown_option_is_one_line_and_exit_status_2(name, capsys):
    wheel = ["a wheel"] if name == "pack_world_map" else []
    status, said = stopped(name, [*wheel, "--no-such-option"], capsys)
    assert status == 2 and len(said.err.splitlines()) == 1 and not said.out
    assert "unrecognized arguments: --no-such-option" in said.err


@pytest.mark.parametrize("name, arguments, message", [
    ("make_figures", ["--seed", "-1"], "must be a whole number from 0 on, got '-1'"),
    ("make_figures", ["--seed", "1.5"], "must be a whole number from 0 on"),
    ("scoreboard", ["--seeds", "0", "-1"], "must be a whole number from 0 on, got '-1'"),
    ("scoreboard", ["--jobs", "0"], "must be a whole number from 1 on, got '0'"),
    ("compare_faces", ["--seeds", "-1"], "must be a whole number from 0 on, got '-1'"),
    ("check_gpu", ["--size", "0"], "must be a whole number from 1 on, got '0'"),
    ("check_gpu", ["--repeats", "-5"], "must be a whole number from 1 on"),
    ("benchmark_density", ["--repeats", "0"], "must be a whole number from 1 on"),
    ("benchmark_density", ["--only", "nothing"], "invalid choice: 'nothing'"),
    ("benchmark_density", ["--work", "99:ours"], "--work must be one of 0:ours, 0:peer, 1:ours"),
    ("scoreboard", ["--seconds", "1e306"], "--seconds must lie in (0, 1e+06], got 1e+306"),
    ("scoreboard", ["--seconds", "nan"], "--seconds must lie in (0, 1e+06], got nan"),
    ("pack_world_map", ["there is no such wheel"], "cannot read there is no such wheel"),
    ("make_figures", ["--seed", 5000 * "9"], "must be a whole number from 0 on, got '999"),
    ("scoreboard", ["--seconds", 5000 * "9" + "x"], "invalid float value"),
    ("pack_world_map", [__file__], "is not the wheel with the map"),
    ("pack_world_map", [], "the following arguments are required: wheel")])
def test_a_wrong_argument_is_one_line_and_exit_status_2(name, arguments, message, capsys):
    status, said = stopped(name, arguments, capsys)
    assert status == 2 and len(said.err.splitlines()) == 1 and message in said.err
    assert len(said.err) < 1000


@pytest.mark.parametrize("shp, dbf", [(b"", b""), (b"junk", 50 * b"junk"), (500 * b"\xff",) * 2,
                                      (b"", struct.pack("<4xIHH20x", 0, 32, 9)
                                       + b"continent".ljust(32, b"\0"))])
def test_a_wheel_with_another_map_is_one_line(shp, dbf, tmp_path, capsys, monkeypatch):
    import pack_world_map
    monkeypatch.setattr(pack_world_map, "write_whole", None)
    with zipfile.ZipFile(tmp_path / "wheel", "w") as wheel:
        for ending, content in (("shp", shp), ("dbf", dbf)):
            wheel.writestr(f"{pack_world_map.STEM}.{ending}", content)
    status, said = stopped("pack_world_map", [str(tmp_path / "wheel")], capsys)
    assert status == 2 and len(said.err.splitlines()) == 1
    assert "is not the wheel with the map" in said.err


@pytest.mark.parametrize("name", [name for name in OTHERS if name not in (
    "benchmark_gpu", "check_gpu", "exercise", "explore", "pack_world_map", "snapshot_cupy",
    "update_readme")])
def test_a_folder_that_cannot_be_written_stops_a_script_before_any_work(
        name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command.Parser, "needs", lambda *libraries: None)
    file, own = tmp_path / "file", tmp_path / "own"
    file.write_text("a file")
    results = {"make_figures": "manifest.json", "compare_encoders": "encoders.json",
               "compare_samplers": "samplers.json", "estimate_floor": "floor.json",
               "compare_faces": "faces.json", "compare_sailors": "sailors.json",
               "make_book": "index.html", "train_explorer": "tins.npz"}.get(name, f"{name}.json")
    (own / results).mkdir(parents=True)                     # where its file should be
    for folder, message in ((file, "must be a folder"), (file / "sub", "cannot write to"),
                            (tmp_path / ("x" * 5000), "File name too long"),
                            ("", "argument --output: must name a folder, got ''"),
                            (own, f"cannot write {own / results}: Is a directory")):
        status, said = stopped(name, ["--output", str(folder)], capsys)
        assert status == 2 and len(said.err.splitlines()) == 1 and message in said.err
    assert file.read_text() == "a file"


def test_a_folder_that_nobody_may_look_into_is_one_line(monkeypatch, tmp_path, capsys):
    def denied(path, **how):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", denied)               # also for root, who may do all
    with pytest.raises(SystemExit):
        command.Parser("").folder(tmp_path / "folder")
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and "folder: Permission denied" in said


@pytest.mark.skipif(os.name != "posix", reason="links and pipes as POSIX has them")
@pytest.mark.parametrize("make, message", [
    (lambda path: path.symlink_to(path.parent / "missing" / "file"), "No such file or directory"),
    (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    (lambda path: os.mkfifo(path), "is broken, mend or remove it: it is not a file")])
@pytest.mark.parametrize("name, results", [("make_figures", "manifest.json"),
                                           ("scoreboard", "scoreboard.json")])
def test_a_table_that_leads_nowhere_is_named_before_any_work(name, results, make, message,
                                                             tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(make_figures, "make", None)
    monkeypatch.setattr(scoreboard, "fit_model", None)
    make(tmp_path / results)
    status, said = stopped(name, ["--output", str(tmp_path)], capsys)
    assert status == 2 and len(said.err.splitlines()) == 1
    assert f"{tmp_path / results}" in said.err and message in said.err


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
def test_a_link_to_a_file_whose_folder_cannot_be_written_is_found_before_any_work(
        tmp_path, monkeypatch, capsys):
    """The new file is written beside the old one. Root may do all, so the folder only says no."""
    def denied(dir):
        if Path(dir) == (tmp_path / "theirs").resolve():
            raise PermissionError(13, "Permission denied", dir)
        return io.BytesIO()

    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "table").write_text("{}")
    (tmp_path / "manifest.json").symlink_to(tmp_path / "theirs" / "table")
    monkeypatch.setattr(command.tempfile, "TemporaryFile", denied)
    monkeypatch.setattr(make_figures, "make", None)
    status, said = stopped("make_figures", ["--output", str(tmp_path)], capsys)
    assert status == 2 and len(said.err.splitlines()) == 1
    assert f"cannot write {tmp_path / 'manifest.json'}: Permission denied" in said.err


@pytest.mark.parametrize("content", [
    "", "{", "[1, 2]", '{"figure_1_04_points": 3}', "\udcff", 100_000 * "[",
    '{"figure_x": {"numbers": {"a": NaN}}}', '{"figure_x": {"a": 1e999}}',
    '{"figure_x": {"a": "\\ud800"}}'])
def test_a_broken_manifest_is_named_before_any_work(content, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(make_figures, "make", None)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(content, encoding="utf-8", errors="surrogateescape")
    status, said = stopped("make_figures", ["--output", str(tmp_path)], capsys)
    assert status == 2 and len(said.err.splitlines()) == 1
    assert f"{manifest} is broken, mend or remove it" in said.err


def test_a_broken_table_is_named(tmp_path):
    (tmp_path / "scoreboard.json").write_text("{")
    with pytest.raises(command.WrongUse, match="scoreboard.json is broken, mend or remove it"):
        files.read_json(tmp_path / "scoreboard.json")


@without_display
def test_showing_figures_without_a_display_is_one_line_and_exit_status_2(tmp_path):
    (tmp_path / "folder").mkdir()
    done = run([SCRIPTS / "make_figures.py"], *QUICK, "--show", "--output", tmp_path / "out",
               folder=tmp_path / "folder", DISPLAY="", WAYLAND_DISPLAY="", MPLBACKEND="")
    refused(done, "--show needs a display, and Matplotlib finds none")
    assert not (tmp_path / "out").exists()


@without_display
@pytest.mark.parametrize("back_end", ["agg", "TkAgg", "no_such_thing", "template",
                                      "module://matplotlib.backends.backend_agg",
                                      "module://broken_back_end"])
def test_windows_that_cannot_be_opened_are_one_line_too(back_end, tmp_path, monkeypatch, capsys):
    (tmp_path / "broken_back_end.py").write_text("raise RuntimeError('It needs\\ntornado')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(make_figures, "BACK_END", back_end)
    monkeypatch.setattr(make_figures, "make", None)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    status, said = stopped("make_figures", ["--show", "--output", str(tmp_path / "out")], capsys)
    assert status == 2 and len(said.err.splitlines()) == 1 and "--show" in said.err
    assert not (tmp_path / "out").exists()


def test_a_back_end_with_a_loop_of_its_own_opens_windows(monkeypatch):
    class Manager(matplotlib.backend_bases.FigureManagerBase):
        @classmethod
        def start_main_loop(cls):
            pass

    assert not make_figures.opens_windows()
    monkeypatch.setattr(matplotlib.backends.backend_agg.FigureCanvasAgg, "manager_class", Manager)
    assert make_figures.opens_windows() and not make_figures.plt.get_fignums()


# Where and how a script is started

@pytest.mark.parametrize("start, cwd", [
    (["-m", "scripts.make_figures"], ROOT), (["two words/scripts/make_figures.py"], None)])
def test_a_script_may_be_started_from_anywhere(start, cwd, tmp_path):
    (tmp_path / "two words").symlink_to(ROOT)
    (tmp_path / "folder").mkdir()
    done = run(start, "--list", cwd=cwd or tmp_path, folder=tmp_path / "folder")
    assert done.returncode == 0 and done.stdout.split() == FIGURES and not done.stderr


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_reader_who_has_seen_enough_hears_nothing():
    with subprocess.Popen([sys.executable, SCRIPTS / "make_figures.py", "--list"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
        process.stdout.close()
        assert process.stderr.read() == ""


@pytest.mark.parametrize("name", ["make_figures", "update_readme"])
def test_a_console_without_greek_gets_the_help_all_the_same(name, tmp_path):
    done = run([SCRIPTS / f"{name}.py"], "--help", folder=tmp_path, PYTHONIOENCODING="ascii",
               start="import argparse\n"
                     "argparse.RawDescriptionHelpFormatter._fill_text = lambda *text: 'θ'")
    assert done.returncode == 0 and "?" in done.stdout and not done.stderr


@pytest.mark.skipif(os.name != "posix", reason="streams as POSIX has them")
def test_figures_are_made_where_nobody_can_read_what_is_said(tmp_path):
    closed = ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", sys.executable]
    done = subprocess.run([*closed, SCRIPTS / "make_figures.py", QUICK[0], "--output", tmp_path],
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=60)
    assert done.returncode == 0 and (tmp_path / f"{QUICK[0]}.svg").exists()


@pytest.mark.parametrize("name", OTHERS)
def test_help_says_the_defaults_and_which_committed_files_are_overwritten(name, capsys):
    status, said = stopped(name, ["--help"], capsys)
    assert status == 0 and said.out.startswith("usage: ")
    assert importlib.import_module(name).__doc__.splitlines()[0] in said.out
    assert name == "check_gpu" or "overwrit" in said.out or "are made anew" in said.out
    assert "(default: [" not in said.out and "(default: False" not in said.out
    for option in re.findall(r"^  --(output|seed|seeds|repeats|size|seconds) ", said.out,
                             flags=re.MULTILINE):
        assert "(default:" in said.out.split(f"\n  --{option} ")[1].split("\n  -")[0]


# Figures

def made(folder, *names):
    """The exit status of making these figures as SVG, and all files of the folder."""
    status = make_figures.main(arguments=[*names, "--output", str(folder), "--format", "svg",
                                          "--jobs", "1"])
    return status, {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_a_users_matplotlibrc_says_changes_no_figure(tmp_path):
    theirs = {"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 10, "savefig.bbox": "tight",
              "svg.fonttype": "path", "lines.linewidth": 9}
    _, plain = made(tmp_path / "plain", "figure_1_06_cliff")
    with matplotlib.rc_context(theirs):
        _, other = made(tmp_path / "theirs", "figure_1_06_cliff")
    assert plain == other and len(plain) == 2


def test_a_wrong_back_end_of_matplotlib_does_not_matter_where_none_is_needed(tmp_path):
    (tmp_path / "folder").mkdir()
    done = run([SCRIPTS / "make_figures.py"], QUICK[0], "--output", tmp_path / "out",
               folder=tmp_path / "folder", MPLBACKEND="no_such_thing")
    assert done.returncode == 0 and (tmp_path / "out" / f"{QUICK[0]}.png").exists()
    assert re.fullmatch(rf"{QUICK[0]}: \d+\.\d s\n", done.stderr)       # a line, for no terminal


def test_each_figure_is_made_once_and_the_first_ones_are_quick(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(make_figures, "make", lambda name, options: order.append(name))
    assert make_figures.main(arguments=["--output", str(tmp_path), "--jobs", "1"]) == 0
    assert sorted(order) == FIGURES and set(make_figures.SECONDS) <= set(FIGURES)
    assert not set(order[:5]) & set(make_figures.SECONDS)
    order.clear()
    made(tmp_path, "figure_1_10_taxonomy", *2 * QUICK)
    assert sorted(order) == sorted([*QUICK, "figure_1_10_taxonomy"])


@pytest.mark.parametrize("fcntl", [files.fcntl, None], ids=["locks", "files"])
def test_a_manifest_loses_no_entry_of_several_writers(fcntl, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", fcntl)
    manifest, names = tmp_path / "manifest.json", [f"figure_{i:02}" for i in range(60)]

    def enter(names):
        for name in names:
            make_figures.enter(manifest, name, {"numbers": {"kl": float("inf")}})

    threads = [threading.Thread(target=enter, args=(names[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(json.loads(manifest.read_text())) == names
    assert list(tmp_path.iterdir()) == [manifest]


def test_a_lock_that_a_killed_process_left_is_waited_for_and_then_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    (tmp_path / ".table.json.lock").touch()
    os.utime(tmp_path / ".table.json.lock", (0, 0))
    files.update_json(tmp_path / "table.json", lambda old: old | {"a": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["table.json"]


def test_a_full_disk_is_one_sentence_and_ends_the_run(tmp_path, monkeypatch, capsys):
    def full(figure, file, **kwargs):
        file.write(b"<svg")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", full)
    assert made(tmp_path, *QUICK) == (1, {})
    line, = [line for line in capsys.readouterr().err.splitlines() if line]
    assert "No space left on device" in line and "figure_1_04_points.svg" in line


# How a script ends

def test_what_is_no_fault_of_a_script_is_said_in_one_line():
    full = OSError(28, "No space left on device", "figures/a.svg")
    for error, said, status in [
            (full, "figures/a.svg: No space left on device", 1),
            (OSError(28, "No space left on device"), "No space left on device", 1),
            (command.WrongUse("two\nlines"), "two lines", 2),
            (ModuleNotFoundError("No module named 'tqdm'", name="tqdm"),
             "tqdm is missing: pip install -e '.[figures]'", 2),
            (ModuleNotFoundError("No module named 'sklearn.mixture'", name="sklearn.mixture"),
             "sklearn is missing: pip install -e '.[benchmark]'", 2),
            (ModuleNotFoundError("No module named 'resource'", name="resource"),
             "this Python has no module resource, which Linux and macOS have", 2)]:
        assert command.told(error) == (said, status)
    assert command.told(KeyboardInterrupt())[1] == 130
    for bug in (ZeroDivisionError(), ImportError("cannot import name 'a' from 'b'", name="b")):
        assert command.told(bug) is None


@pytest.mark.parametrize("error, status", [("KeyboardInterrupt", 130), ("ZeroDivisionError", 1)])
def test_an_interruption_at_any_moment_is_one_sentence_and_a_fault_keeps_its_traceback(
        error, status, tmp_path):
    (tmp_path / "tqdm.py").write_text(f"raise {error}")
    done = run([SCRIPTS / "compare_encoders.py"], folder=tmp_path)
    assert done.returncode == status
    assert ("Traceback" in done.stderr) == (len(done.stderr.splitlines()) > 1) == (status == 1)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C as POSIX has it")
@pytest.mark.parametrize("name", ["make_figures", "scoreboard"])
def test_no_library_swallows_an_interruption_while_it_is_imported(name, tmp_path):
    (tmp_path / "tqdm.py").write_text("import os, signal\n"
                                      "try:\n    os.kill(os.getpid(), signal.SIGINT)\n"
                                      "except BaseException:\n    pass")
    done = run([SCRIPTS / f"{name}.py"], "--list", folder=tmp_path)
    assert done.returncode == 130 and done.stdout == ""
    assert done.stderr == (f"{name}.py: interrupted; every file is whole, as it is or as it was\n")


def test_encoders_are_written_after_each_seed_and_an_interruption_keeps_them(
        tmp_path, monkeypatch, capsys):
    def compare(seed):
        assert (tmp_path / "new" / "folder").is_dir()       # before anything is computed
        if seed == 2:
            raise KeyboardInterrupt
        return {"pca": {"error": float(seed)}}

    monkeypatch.setattr(compare_encoders, "compare", compare)
    assert compare_encoders.main(["--output", str(tmp_path / "new" / "folder")]) == 130
    assert "interrupted in seed 2; the seeds before it are written" in capsys.readouterr().err
    report = json.loads((tmp_path / "new" / "folder" / "encoders.json").read_text())
    assert report["seeds"] == [0, 1] and report["mean"] == {"pca": {"error": np.mean([0, 1])}}


def test_a_scoreboard_keeps_the_rows_that_another_run_wrote_meanwhile(tmp_path, monkeypatch):
    def judged(p, p_data, X_test, rng):
        if p == "box":                                      # another run begins and ends meanwhile
            scoreboard.main(["--only", "normal", *options])
        return {"how": "exact", "kl": 1.0}

    options = ["--seeds", "0", "--output", str(tmp_path)]
    monkeypatch.setattr(scoreboard, "N_TEST", 10)
    monkeypatch.setattr(scoreboard, "fit_model", lambda name, *args: name)
    monkeypatch.setattr(scoreboard, "described", lambda *args: {})
    monkeypatch.setattr(scoreboard, "judged", judged)
    assert scoreboard.main(["--only", "box", *options]) == 0
    report = json.loads((tmp_path / "scoreboard.json").read_text())
    assert [row["name"] for row in report["rows"]] == ["box", "normal"]
    assert set(report["summary"]) == {"normal", "box"}


@pytest.mark.parametrize("content", [
    "{", "[]", '{"rows": 3}', '{"rows": [3]}', '{"rows": [{}]}', 100_000 * "[",
    '{"rows": [{"name": [], "seed": 0}]}', '{"rows": [{"name": "box", "seed": 0, "kl": "x"}]}',
    '{"rows": [{"name": "box", "seed": "1"}]}', '{"rows": [{"name": "box", "seed": null}]}',
    '{"seconds": "abc", "rows": []}', '{"summary": {}}'])
def test_a_broken_scoreboard_is_named_before_any_work(content, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(scoreboard, "fit_model", None)
    (tmp_path / "scoreboard.json").write_text(content)
    status, said = stopped("scoreboard", ["--output", str(tmp_path)], capsys)
    assert status == 2 and len(said.err.splitlines()) == 1
    assert "scoreboard.json is broken, mend or remove it" in said.err


@pytest.mark.parametrize("broken", [b"junk", (ROOT / "figures" / "parameters" / "diffusion.npz")
                                    .read_bytes()], ids=["junk", "another family"])
def test_broken_parameters_are_named_before_anything_is_judged_again(
        broken, tmp_path, monkeypatch, capsys):
    before = (ROOT / "figures" / "scoreboard.json").read_bytes()
    (tmp_path / "scoreboard.json").write_bytes(before)
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "energy_based.npz").write_bytes(broken)
    monkeypatch.setattr(scoreboard, "judged", None)
    options = ["--judge-again", "--seeds", *map(str, scoreboard.SEEDS[1::-1]), "--output",
               str(tmp_path)]
    status, said = stopped("scoreboard", ["--only", "box", "energy_based", *options], capsys)
    assert status == 2 and len(said.err.splitlines()) == 1
    assert f"{tmp_path / 'parameters' / 'energy_based.npz'} " in said.err
    assert before == (tmp_path / "scoreboard.json").read_bytes()


@pytest.mark.parametrize("content, said", [
    ("[]", "broken, mend or"), ("3", "broken, mend or"), ("{", "broken, mend or"),
    ('{"cases": []}', "it must hold an object for each processor"),
    ('{"another": {}}', "--scaling adds to what a first run wrote"),
    (None, "--scaling adds to what a first run wrote")])
def test_how_costs_grow_is_not_measured_for_a_file_that_cannot_hold_it(
        content, said, tmp_path, monkeypatch, capsys):
    import benchmark
    import benchmark_models
    monkeypatch.setattr(benchmark, "Worker", None)
    if content is not None:
        (tmp_path / "benchmark_models.json").write_text(content)
    monkeypatch.setattr(sys, "argv", ["a", "--scaling", "--output", str(tmp_path)])
    with pytest.raises((SystemExit, command.WrongUse)) as ended:
        benchmark.main([], "", "benchmark_models.json", (), benchmark_models.scaling)
    assert said in f"{ended.value} {capsys.readouterr().err}"


def test_documents_that_say_all_already_are_not_written(tmp_path, monkeypatch):
    import update_readme
    monkeypatch.setattr(update_readme, "updated", lambda text: text)
    monkeypatch.setattr(update_readme, "write_text", None)
    update_readme.main([])


@pytest.mark.parametrize("name, content", [
    ("manifest.json", "{}"), ("scoreboard.json", "[]"), ("faces.json", '{"mean": 3}'),
    ("benchmark_models.json", '{"a processor": {"cases": [{}]}}'), ("encoders.json", "{")])
def test_tables_that_are_broken_or_of_an_older_script_are_named(
        name, content, tmp_path, monkeypatch):
    import reports
    import update_readme
    shutil.copytree(ROOT / "figures", tmp_path, dirs_exist_ok=True, copy_function=shutil.copyfile,
                    ignore=shutil.ignore_patterns("*.svg", "*.png", "*.npz"))
    (tmp_path / name).write_text(content)
    monkeypatch.setattr(reports, "FIGURES", tmp_path)
    monkeypatch.setattr(update_readme, "write_text", lambda *written: None)
    with pytest.raises(command.WrongUse, match=name):
        update_readme.main([])


@pytest.mark.parametrize("name, table, content, lacks", [
    ("figure_1_03_faces", "faces.json", "{}", "has no 'mean'"),
    ("figure_1_03_faces", "faces.json", "[3]", "must hold an object"),
    ("figure_1_10_scoreboard", "scoreboard.json", '{"summary": {"box": {}}}', "has no "),
    ("figure_1_10_cost", "benchmark_models.json", '{"a processor": {}}', "has no 'scaling'"),
    ("figure_1_10_cost", "benchmark_models.json", "{}", "has no 'a processor'")])
def test_a_figure_names_the_table_that_lacks_what_it_shows(
        name, table, content, lacks, tmp_path, monkeypatch, capsys):
    import reports
    (tmp_path / table).write_text(content)
    monkeypatch.setattr(reports, "FIGURES", tmp_path)
    assert made(tmp_path / "out", name) == (1, {})
    line, = [line for line in capsys.readouterr().err.splitlines() if line]
    assert f"{tmp_path / table} " in line and lacks in line


@pytest.mark.parametrize("content", [b"junk", b"PK\5\6" + bytes(18), b""])
def test_a_figure_names_the_broken_file_of_the_faces_that_it_shows(
        content, tmp_path, monkeypatch, capsys):
    import figure_1_03_faces
    (tmp_path / "faces.npz").write_bytes(content)
    monkeypatch.setattr(figure_1_03_faces, "FIGURES", tmp_path)
    assert made(tmp_path / "out", "figure_1_03_faces") == (1, {})
    line, = [line for line in capsys.readouterr().err.splitlines() if line]
    assert f"{tmp_path / 'faces.npz'} has not the faces" in line


def test_a_matplotlibrc_that_is_not_a_text_ends_no_script_in_a_traceback(tmp_path):
    (tmp_path / "matplotlibrc").write_bytes(b"font.size: \xff\xfe 30")
    done = run([SCRIPTS / "make_figures.py"], "--list", folder=tmp_path,
               MATPLOTLIBRC=str(tmp_path / "matplotlibrc"))
    matplotlibs, ours = done.stderr.splitlines()            # Matplotlib itself names the file
    assert done.returncode == 2 and str(tmp_path) in matplotlibs
    assert "make_figures.py: a matplotlibrc is not a text in UTF-8" in ours


@pytest.mark.parametrize("old, new, said", [
    (b"<!-- errata -->", b"<!-- mistakes -->", "no block is called mistakes; there are story, "),
    (b"[likelihood](", b"[likelihoods](", "README.md names likelihoods, and 0 modules"),
    (b"# ", b"\xff ", "README.md is broken, mend it: 'utf-8' codec can't decode byte 0xff")])
def test_a_document_that_names_what_there_is_not_is_one_line(
        old, new, said, tmp_path, monkeypatch, capsys):
    import update_readme
    text = (ROOT / "gdl_numpy" / "README.md").read_bytes()
    assert old in text
    shutil.copytree(ROOT / "gdl_numpy", tmp_path / "gdl_numpy", copy_function=shutil.copyfile)
    (tmp_path / "gdl_numpy" / "README.md").write_bytes(text.replace(old, new, 1))
    monkeypatch.setattr(update_readme, "ROOT", tmp_path)
    monkeypatch.setattr(update_readme, "write_text", None)
    update_readme.module.cache_clear()
    with pytest.raises((command.WrongUse, SystemExit)) as ended:
        update_readme.main([])
    update_readme.module.cache_clear()
    assert said in str(ended.value) + capsys.readouterr().err
