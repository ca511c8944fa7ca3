"""Empty bodies: each function of the exercises is made empty in turn, and some test must see it.

    python tests/empty_bodies.py        prints {name: what the first failing test said, or null}

A reader's answer is tested in a process and a copy of its own (scripts/course/grading.py), which
takes a second. Here sixty functions are emptied one after another in one process, which has
collected all tests once. It is a process of its own, as what it does to the package stays in it.
"""

import ast
import contextlib
import importlib
import inspect
import json
import os
import sys
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]

import course  # noqa: E402
from course import grading  # noqa: E402


def empty(*args, **kwargs):
    raise NotImplementedError("the body is empty")


@contextlib.contextmanager
def emptied(exercise):
    """The function has another code, under whatever name and in whatever list it is kept."""
    found = importlib.import_module(f"gdl_numpy.{exercise.module}")
    for name in exercise.qualname.split("."):
        found = vars(found)[name]
    function = inspect.unwrap(getattr(found, "fget", getattr(found, "__func__", found)))
    code = empty.__code__.replace(co_freevars=function.__code__.co_freevars)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(function, "__code__", code)
        yield


class Emptied:
    """A plugin that runs, for each exercise, its tests until one of them fails."""

    def __init__(self, exercises):
        self.exercises, self.said = exercises, {}

    def pytest_runtestloop(self, session):
        items = [item for item in session.items if hasattr(item, "function")]
        for name, exercise in self.exercises.items():
            wanted, path = {*grading.formula_tests(exercise)}, course.ROOT / exercise.tests
            named = {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body
                     if isinstance(node, ast.FunctionDef)
                     and exercise.function.strip("_") in ast.unparse(node)}
            tests = [item for item in items if item.path == path and item.function.__name__
                     in wanted]
            tests.sort(key=lambda item: item.function.__name__ not in named)    # likely ones first
            with emptied(exercise):
                self.said[name] = next(filter(None, map(failure, tests)), None)
        return True                                         # what pytest does else is not done


def failure(item):
    """What the test says if its call fails, or None."""
    for report in runtestprotocol(item, log=False, nextitem=None):
        if report.failed:
            return report.longreprtext[-2000:]
    return None


if __name__ == "__main__":
    exercises = {name: e for name, e in course.exercises().items()
                 if isinstance(e, course.Exercise)}
    plugin, paths = Emptied(exercises), sorted({e.tests for e in exercises.values()})
    os.environ.pop("PYTEST_ADDOPTS", None)                  # options of another run of pytest
    os.chdir(ROOT)
    with contextlib.redirect_stdout(sys.stderr):
        status = pytest.main(["-p", "no:cacheprovider", "--assert=plain", "--tb=short", *paths],
                             plugins=[plugin])
    print(json.dumps(plugin.said))
    sys.exit(status)
