"""Grading: a reader's answer is run in a copy, in a process of its own, and judged from outside.

The package is never changed: a folder that is removed at the end holds a copy of it and of its
tests, in which the reader's function has replaced the package's. What runs there has little time,
memory and room on the disk; what it prints is kept short. It has passed only if every test of those
that were to be run has said so and at least one has called the reader's function.

The tests are the formula tests of the module. Those of bad input, of other array modules, of single
precision and of whole trainings ask for more than the formula, and are run as well if `strict`.
Then NumPy's warnings are errors, too; else a right result by way of log 0 is right.
"""

import ast
import contextlib
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from course import ROOT, Question, cutting

SECONDS = 20                                                # a test, and 5 times as long for all
MEMORY, FILE = 2**32, 2**24                                 # bytes
BEFORE_TESTS = 3                                            # lines of a report
MARK = '@__import__("exercise_calls").counted'
BEYOND = {"xp", "device", "make_rng", "monkeypatch"}      # arguments of tests
BEYOND_WORDS = re.compile(r"float32|single_precision|dtype|memory|refuse|million|training|trained"
                          r"|floating_point_error")
ALWAYS = ["-W", "ignore::pytest.PytestCollectionWarning",   # of what a file brings along
          "-p", "no:unraisableexception", "-p", "no:threadexception"]   # and leaves; slow to find
LENIENT = ["-W", "ignore::RuntimeWarning"]                  # log 0, or exp of much, on the way


@dataclass
class Result:
    """What came of it: tests by sentence as [passed, failed], the first failure, or a `verdict`."""
    passed: bool = False
    tests: dict = field(default_factory=dict)
    others: int = 0                                         # that passed without a call
    failure: dict | None = None
    verdict: str = ""


def formula_tests(exercise):
    """The names of the tests that ask for the formula, not for what is refused or for devices."""
    tree = ast.parse((ROOT / exercise.tests).read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)
            and node.name.startswith("test_") and not BEYOND_WORDS.search(node.name)
            and not BEYOND & {argument.arg for argument in node.args.args}
            and "pytest.raises" not in ast.unparse(node)] + [
            re.search(r"::(\w+)", test)[1] for test in exercise.also]


def sentence(test):
    """The name of a test as a sentence, and its case, if it has several."""
    name, _, case = test.rpartition("::")[2].partition("[")
    if "::test_" not in test:
        return f"the worked numbers in the text of {name.removeprefix('gdl_numpy.')}", ""
    return name.removeprefix("test_").replace("_", " "), case.removesuffix("]")


def copied(folder):
    """Copy the package and its tests into a new `folder`, where all can be written."""
    folder.mkdir()
    for path in [ROOT / "setup.cfg",
                 *(path for name in ("gdl_numpy", "tests") for path in (ROOT / name).rglob("*"))]:
        target = folder / path.relative_to(ROOT)
        if path.is_file() and not path.name.endswith(".partial"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            stat = path.stat()
            os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))       # compiled files fit


def prepared(exercise, path, folder, strict=False, options=()):
    """The job for the runner in `folder`, and which line of the copy is which of the reader's."""
    text, tree = cutting.read(path)
    job = {"folder": str(folder), "report": str(folder.parent / "report"), "path": [],
           "limits": {"seconds": 5 * SECONDS, "memory": MEMORY, "file_size": FILE}}
    if isinstance(exercise, Question):
        if not folder.exists():
            copied(folder)
        answer = folder / path.name
        answer.write_text(text, encoding="utf-8")
        return job | {"question": exercise.name, "answer": str(answer),
                      "path": [str(ROOT / "scripts")]}, range(10**6)
    pasted = cutting.pasted(exercise, text, tree, path, MARK)
    if not folder.exists():                                 # a test uses one copy many times
        copied(folder)
    module = folder / exercise.source
    module.write_text(pasted.text, encoding="utf-8")
    paths = [folder / exercise.tests, module, *(folder / test for test in exercise.also)]
    return job | {"module": str(module), "paths": list(map(str, paths)),
                  "names": None if strict else formula_tests(exercise),
                  "options": [*options, *ALWAYS, *([] if strict else LENIENT)]}, pasted.lines


def check(exercise, path, strict=False, seconds=SECONDS):
    """The Result for the reader's file at `path`. Unreadable, if it cannot even be run."""
    with tempfile.TemporaryDirectory(prefix="exercise-", ignore_cleanup_errors=True) as outer:
        outer = Path(outer).resolve()
        job, lines = prepared(exercise, path, outer / "copy", strict)
        job["limits"]["seconds"] = math.ceil(5 * seconds) + 60      # if nobody watches
        ended = watched(job, outer, seconds)
        events = read_report(outer / "report")
        said = (outer / "said").read_bytes()[-2000:].decode("utf-8", "replace")
    return judged(events, ended, lines, said)


def watched(job, outer, seconds):
    """Run the job, and say how it ended: its exit status, or in a few words why it was stopped.

    The clock of the tests begins with the first of them, as libraries may take long to load.
    """
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("PYTEST_", "COV_"))}
    more = os.pathsep + environment["PYTHONPATH"] if environment.get("PYTHONPATH") else ""
    environment |= {"PYTHONPATH": job["folder"] + more, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1",
                    "TMPDIR": str(outer), "TEMP": str(outer), "TMP": str(outer)}
    runner = Path(__file__).with_name("runner.py")
    with open(outer / "said", "wb") as said:
        process = subprocess.Popen(
            [sys.executable, str(runner), json.dumps(job)], stdin=subprocess.DEVNULL, stdout=said,
            stderr=said, cwd=outer, env=environment, start_new_session=True)
    report, said, began = outer / "report", b"", None
    moved = time.monotonic()
    try:
        while process.poll() is None:
            now, before = time.monotonic(), said
            said = report.read_bytes() if report.exists() else b""
            if said != before:
                moved = now
            if began is None and said.count(b"\n") >= BEFORE_TESTS:
                began = now
            if now - moved > (max(seconds, SECONDS) if began is None else seconds):
                return f"after {now - moved:.0f} s without an end"
            if began is not None and now - began > 5 * seconds:
                return f"after {5 * seconds:g} s for all tests"
            time.sleep(0.02)
        return process.returncode
    finally:
        end(process, outer)


def end(process, outer):
    """End a process, and all that it has started: its group, and on Linux what has left the group,
    which is known by its environment."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
    mark = f"TMPDIR={outer}\0".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):                  # of others, or gone
            if mark in environment.read_bytes():
                os.kill(int(environment.parent.name), signal.SIGKILL)


def read_report(path):
    """The events of a report; what was being written when Python ended is left out."""
    events = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                events.append(json.loads(line))
    return events


def judged(events, ended, lines, said=""):
    """The Result of a run."""
    result = Result()
    for event in events:
        if "broken" in event and result.failure is None:
            result.failure = {"error": event["broken"], "line": own_line(event, lines)}
            result.verdict = "The file cannot be imported."
        if "test" in event:
            count(event, result, lines)
    missing = incomplete(events, ended, said)
    if missing:
        result.verdict = missing
    elif not result.failure and not result.tests:
        result.verdict = "No test called the function, so nothing is known of it."
    result.passed = not missing and result.failure is None and bool(result.tests)
    return result


def count(event, result, lines):
    """Add a test that has ended to the result."""
    failed = "error" in event or "wrong" in event
    title, case = sentence(event["test"])
    if not event["called"] and not failed:
        result.others += 1
        return
    result.tests.setdefault(title, [0, 0])[failed] += 1
    if failed and result.failure is None:
        result.failure = event | {"title": title, "case": case, "line": own_line(event, lines)}
    elif "said" in event:                                   # of a question that is answered
        result.verdict = event["said"]


def incomplete(events, ended, said):
    """Why not all tests were run to their end, or None."""
    begun = [event["begins"] for event in events if "begins" in event]
    finished = [event["test"] for event in events if "test" in event]
    if not begun:
        return f"The tests could not be started.{last_words(said)}"
    here = (" while it was imported" if begun[-1] == "" else "" if begun[-1] in finished
            else f" in the test: {sentence(begun[-1])[0]}")
    if isinstance(ended, str):
        return f"Stopped {ended}{here}. Is there an endless loop?"
    if not any("ended" in event for event in events):
        return f"Python itself ended{here} ({status(ended)}).{last_words(said)}"
    collected = sum(event.get("collected", 0) for event in events)
    if len(finished) < collected and not any("broken" in event for event in events):
        return f"Only {len(finished)} of {collected} tests were run: the last was broken off."
    return None


def own_line(event, lines):
    """The innermost line of the reader's file on the way to an error, or None."""
    return next((lines[line] for line in event.get("lines", ())
                 if line < len(lines) and lines[line] is not None), None)


def status(ended):
    if ended < 0:
        with contextlib.suppress(ValueError):
            return f"by the signal {signal.Signals(-ended).name}"
    return f"exit status {ended}"


def last_words(said):
    lines = [line for line in said.splitlines() if line.strip(" .sxFE")]    # not pytest's dots
    return f" Its last words: {lines[-1][:300]}" if lines else ""
