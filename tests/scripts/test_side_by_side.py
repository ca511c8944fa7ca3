"""Figures side by side: nothing is lost, nothing is left behind, and every byte is the same."""

import json
import operator
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")
import make_figures  # noqa: E402
from sharing import once  # noqa: E402
from side_by_side import side_by_side  # noqa: E402

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "make_figures.py"
FAST = ["figure_1_03_faces", "figure_1_04_points", "figure_1_05_box"]
SLOW = ["figure_1_01_horses", "figure_1_02_learning_curves"]
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def started(*arguments):
    return subprocess.Popen([sys.executable, SCRIPT, *map(str, arguments)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finished(*arguments):
    process = started(*arguments)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def bytes_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Tasks in processes

def test_each_task_begins_and_ends_once_and_those_of_a_chain_one_after_another():
    events = [event for event in side_by_side(operator.neg, [[1, 2], [3], [4]], 2) if event[0]]
    assert sorted(events, key=str) == sorted(
        [(task, result) for task in (1, 2, 3, 4) for result in (None, -task)], key=str)
    assert events.index((1, -1)) < events.index((2, None))
    assert all(events.index((task, None)) < events.index((task, -task)) for task in (1, 2, 3, 4))


def test_a_process_that_dies_costs_its_task_alone():
    results = [event for event in side_by_side(os._exit, [[3, 4], [5]], 2) if event[1]]
    assert sorted((task, str(error)) for task, error in results) == [
        (task, f"its process ended with status {task}") for task in (3, 4, 5)]
    assert all(isinstance(error, ChildProcessError) for _, error in results)


@posix
def test_of_a_process_that_was_killed_one_learns_by_which_signal():
    *_, (_, error) = side_by_side(signal.raise_signal, [[signal.SIGKILL]], 1)
    assert str(error) == "its process was ended by signal 9"


def test_whoever_waits_hears_each_second_that_nothing_has_happened():
    events = list(side_by_side(time.sleep, [[3]], 1))
    assert (None, None) in events and events[0] == (3, None)


def test_who_stops_listening_leaves_no_process_behind():
    events = side_by_side(time.sleep, [[600], [600]], 2)
    next(events), next(events)
    begin = time.monotonic()
    events.close()
    assert time.monotonic() - begin < 60


# Figures in processes

def test_figures_have_the_same_bytes_alone_together_in_any_order_and_in_parallel(tmp_path):
    for name in FAST:
        assert finished(name, "--output", tmp_path / "alone")[0] == 0
    assert finished(*FAST, "--jobs", 1, "--output", tmp_path / "together")[0] == 0
    status, out, err = finished(*FAST[::-1], "--jobs", 3, "--output", tmp_path / "parallel")
    assert (status, out) == (0, "") and len(err.splitlines()) == len(FAST)
    alone, together, parallel = (bytes_in(tmp_path / folder)
                                 for folder in ("alone", "together", "parallel"))
    assert alone == together == parallel and len(alone) == 2 * len(FAST) + 1
    assert list(json.loads(alone["manifest.json"])) == FAST


@posix
def test_ctrl_c_ends_all_processes_in_one_line_and_leaves_whole_files(tmp_path):
    process = started(*SLOW, FAST[1], "--jobs", 2, "--format", "svg", "--output", tmp_path)
    while process.poll() is None and not (tmp_path / f"{FAST[1]}.svg").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)                # all who could write to it are gone
    assert process.returncode == 130
    line = err.splitlines()[-1]
    assert line.startswith("interrupted at figure_1_0") and line.endswith("before is whole")
    assert "Traceback" not in err
    assert {path.name for path in tmp_path.iterdir()} <= {f"{FAST[1]}.svg", "manifest.json"}


@posix
def test_if_the_first_process_is_killed_the_others_end_as_well(tmp_path):
    process = started(*SLOW, FAST[1], "--jobs", 2, "--format", "svg", "--output", tmp_path)
    while process.poll() is None and not (tmp_path / f"{FAST[1]}.svg").exists():
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=20)                         # the slow figures would take longer
    assert not {path.stem for path in tmp_path.iterdir()} & set(SLOW)


def test_a_figure_whose_process_dies_is_named_and_the_others_are_made(monkeypatch, tmp_path,
                                                                      capsys):
    def dying(work, chains, jobs):
        assert jobs == 2 and sorted(sum(chains, [])) == FAST[1:3]
        yield FAST[1], None
        yield FAST[1], ChildProcessError("its process was ended by signal 9")
        yield FAST[2], None
        yield FAST[2], make_figures.Outcome(0.5, said="a warning\n")

    monkeypatch.setattr(make_figures, "side_by_side", dying)
    assert make_figures.main(arguments=[*FAST[1:3], "--jobs", "2", "--output", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert f"failed: {FAST[1]} (its process was ended by signal 9)" in said
    assert "a warning\n" in said and f"{FAST[2]}: 0.5 s" in said


def test_a_fault_in_another_process_is_told_as_in_this_one(monkeypatch, tmp_path):
    options = make_figures.parse(["--output", str(tmp_path)], FAST, None)
    monkeypatch.setattr(make_figures, "make", lambda name, options: 1 / 0)
    outcome = make_figures.made_apart(FAST[0], options)
    assert outcome.failure == "ZeroDivisionError: division by zero" and not outcome.full
    assert outcome.said.startswith("Traceback") and "1 / 0" in outcome.said


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5"])
def test_a_wrong_number_of_jobs_is_one_line(jobs, capsys):
    with pytest.raises(SystemExit) as ended:
        make_figures.main(arguments=["--jobs", jobs])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and len(said.splitlines()) == 1 and "--jobs" in said


def test_quick_figures_come_first_then_the_slowest_and_those_that_share_are_together():
    names = list(make_figures.SECONDS) + FAST
    chains = make_figures.chains(names)
    seconds = [max(make_figures.SECONDS.get(name, 0) for name in chain) for chain in chains]
    n_quick = sum(time <= make_figures.QUICK for time in seconds)
    assert sorted(sum(chains, [])) == sorted(set(names))
    assert seconds[:n_quick] == sorted(seconds[:n_quick])
    assert seconds[n_quick:] == sorted(seconds[n_quick:], reverse=True)
    assert all(sorted(chain) in map(sorted, chains) for chain in make_figures.SHARING)


# What figures share

def test_what_is_shared_is_computed_once_and_leaves_the_generator_as_if_computed_again():
    calls = []

    @once
    def drawn(n, rng):
        calls.append(n)
        return rng.random(n)

    def story(n, seed=0):
        rng = np.random.default_rng(seed)
        return [*drawn(n, rng), *rng.random(2)]

    assert story(3) == story(3) == list(np.random.default_rng(0).random(5)) and calls == [3]
    assert story(4) != story(3) and story(3, seed=1) != story(3) and len(calls) == 5


def test_what_has_no_state_to_compare_is_computed_again():
    calls = []
    count = once(calls.append)
    count("a generator of CuPy"), count("a generator of CuPy")
    assert len(calls) == 2


@pytest.mark.parametrize("names", make_figures.SHARING)
def test_figures_that_are_made_one_after_another_do_share(names):
    shared = []
    for name in names:
        text = SCRIPT.with_name(f"{name}.py").read_text(encoding="utf-8")
        shared.append({word for word in ("judged(", "learned_from_tins(") if word in text})
    assert len(set.intersection(*shared)) == 1
