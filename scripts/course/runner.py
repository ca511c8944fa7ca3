"""Runner: the process in which a reader's code runs, apart from the one that judges it.

It is started as a program in a copy of the package, with one argument, the job as JSON, and writes
what happens to a report, one JSON object a line, as it happens. So whatever the reader's code does,
end Python, loop for ever, fill the memory, the other process knows how far it came (grading.py).

    {"begins": test}                    a test, or "" while files are imported
    {"collected": number}               of the tests that are to be run
    {"broken": message, "lines": []}    a file that cannot be imported
    {"test": ..., "called": ...}        a test that has ended, and whether it called the function;
                                        if it failed, "error", "lines" and what was got and wanted
    {"ended": true}                     nothing more is to come
"""

import errno
import functools
import importlib.util
import json
import os
import re
import signal
import sys
import types
from pathlib import Path

SHORT, LINES = 200, 8                                       # of a value, and of a message


def limit(seconds, memory, file_size):
    """Let the system refuse more than this, where it can: elsewhere only the judge's clock does."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
    try:
        import resource
    except ImportError:                                     # Windows
        return
    for kind, most in (("AS", memory), ("FSIZE", file_size), ("CPU", seconds), ("CORE", 0)):
        kind = getattr(resource, f"RLIMIT_{kind}", None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, hard))
        except (OSError, ValueError):                       # some systems have the name alone
            continue


class Report:
    """Lines of JSON, each written at once."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.process = os.getpid()

    def __call__(self, **what):
        if os.getpid() == self.process:                     # a copy that the reader's code made is
            os.write(self.file, (json.dumps(what) + "\n").encode())         # no witness


def short(value):
    """A value as text, in few characters."""
    import numpy
    try:
        with numpy.printoptions(threshold=12, edgeitems=3, precision=6, linewidth=10**4):
            text = value if isinstance(value, str) else repr(value)
    except Exception as error:                              # the reader's own class, perhaps
        text = f"<a {type(value).__name__}, whose repr raises {type(error).__name__}>"
    text = " ".join(text.split())
    return text if len(text) <= SHORT else f"{text[:SHORT - 4]} ..."


def message(error):
    """Type and text of an exception, in few lines; of a group that of its first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return "It has written or printed more than is allowed here. Is there an endless loop?"
    try:
        text = str(error)
    except Exception:
        text = ""
    lines = [line[:SHORT] for line in text[:10_000].splitlines() if line.strip()][:LINES]
    return "\n".join([f"{type(error).__name__}{': ' if lines else ''}{lines[0] if lines else ''}",
                      *lines[1:]])


def got_and_want(error):
    """What NumPy's comparison of arrays or a worked number in a text found, and what was right."""
    while getattr(error, "failures", None):                 # of a text with several numbers
        error = error.failures[0]
    if hasattr(error, "example"):
        if hasattr(error, "exc_info"):
            return {"error": message(error.exc_info[1])}
        return {"got": short(error.got), "want": short(error.example.want),
                "where": f">>> {error.example.source.strip()[:SHORT]}"}
    found = re.search(r"^ *(?:ACTUAL|x): (.*)^ *(?:DESIRED|y): (.*)", str(error)[:10**6],
                      flags=re.S | re.M)
    wrong = re.search(r"Mismatched elements: (\d+) / (\d+)", str(error)[:10**4])
    return {"got": short(found[1]), "want": short(found[2])} | (
        {"where": f"{wrong[1]} of {wrong[2]} numbers differ"} if wrong else {}) if found else {}


def lines_of(traceback, file):
    """The numbers of the lines of `file` on the way to an error, the innermost first."""
    found = []
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            found.append(traceback.tb_lineno)
        traceback = traceback.tb_next
    return found[:-50:-1]


class Witness:
    """A plugin of pytest that reports on the tests in `names`, or on all for None."""

    def __init__(self, report, names, module):
        self.report, self.names, self.module = report, names, module
        self.calls, self.compared, self.failed, self.none, self.begun = 0, None, {}, 0, False
        counter = types.ModuleType("exercise_calls")        # of which the copy knows
        counter.counted = self.counted
        sys.modules["exercise_calls"] = counter

    def counted(self, function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            self.calls += 1
            result = function(*args, **kwargs)
            self.none += result is None
            return result
        return wrapper

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if self.names is None or not hasattr(item, "function")
                    or item.function.__name__ in self.names]

    def pytest_collection_finish(self, session):
        self.report(collected=len(session.items))

    def pytest_exception_interact(self, node, call, report):
        if report.when == "collect":
            error = call.excinfo.value
            self.report(broken=message(error.__cause__ or error),
                        lines=lines_of(call.excinfo.tb, self.module)
                        or lines_of(getattr(error.__cause__, "__traceback__", None), self.module))

    def pytest_keyboard_interrupt(self, excinfo):
        """What is no Exception ends pytest itself: KeyboardInterrupt, SystemExit."""
        if not self.begun:
            self.report(broken=message(excinfo.value), lines=lines_of(excinfo.tb, self.module))

    def pytest_internalerror(self, excinfo):
        self.pytest_keyboard_interrupt(excinfo)

    def pytest_runtest_logstart(self, nodeid):
        self.begun, self.before, self.compared, self.none = True, self.calls, None, 0
        self.report(begins=nodeid)

    def pytest_assertrepr_compare(self, op, left, right):
        self.compared = {"got": short(left), "want": (f"{op} " if op != "==" else "")
                         + short(right)}

    def pytest_runtest_makereport(self, item, call):
        if call.excinfo is None or call.excinfo.errisinstance(_skipped()) and not (
                call.when == "call" and self.calls > self.before):      # nothing may skip itself
            return
        error = call.excinfo.value
        compared = self.compared if isinstance(error, AssertionError) else None
        self.failed.setdefault(item.nodeid, {
            "error": message(error), "lines": lines_of(call.excinfo.tb, self.module),
            **(compared or {}), **got_and_want(error), **({"none": True} if self.none else {})})

    def pytest_runtest_logreport(self, report):
        if report.nodeid in self.failed:
            self.failed[report.nodeid]["printed"] = report.capstdout[:2000].splitlines()[:5]
            self.failed[report.nodeid]["printed_lines"] = report.capstdout.count("\n")

    def pytest_runtest_logfinish(self, nodeid):
        self.report(test=nodeid, called=self.calls > self.before, **self.failed.get(nodeid, {}))

    def pytest_sessionfinish(self):
        self.report(ended=True)


def _skipped():
    import pytest
    return pytest.skip.Exception, pytest.xfail.Exception


def run_tests(job, report):
    """The tests of a module, in the copy in which the reader's function stands."""
    report(begins="")
    import pytest

    import gdl_numpy
    folder = Path(job["folder"]).resolve()
    assert folder in Path(gdl_numpy.__file__).resolve().parents, "another package comes first"
    os.environ.pop("PYTEST_ADDOPTS", None)                  # options of another run of pytest
    pytest.main(["-c", str(folder / "setup.cfg"), f"--rootdir={folder}", "-p", "no:cacheprovider",
                 "--tb=no", f"--basetemp={folder / 'temporary'}", *job["options"], *job["paths"]],
                plugins=[Witness(report, job["names"], job["module"])])


def run_question(job, report):
    """The checker of a question, on the reader's file as a module."""
    report(begins="")
    report(collected=1)
    import numpy
    from course import questions
    spec = importlib.util.spec_from_file_location("answer", job["answer"])
    answer = importlib.util.module_from_spec(spec)
    test = job["question"]
    try:
        spec.loader.exec_module(answer)
        report(begins=test)
        with numpy.errstate(all="ignore"):
            said = getattr(questions, test)(answer)
        report(test=test, called=True, said=said)
    except questions.Wrong as wrong:
        report(test=test, called=True, wrong=str(wrong)[:2000])
    except (Exception, SystemExit) as error:
        report(test=test, called=True, error=message(error),
               lines=lines_of(error.__traceback__, job["answer"]))
    report(ended=True)


def main(text):
    """Do the job: a function's tests, or a question's checker."""
    job = json.loads(text)
    limit(**job["limits"])
    sys.path[:0] = [job["folder"], *job["path"]]
    sys.dont_write_bytecode = True
    os.chdir(job["folder"])
    report = Report(job["report"])
    (run_question if "question" in job else run_tests)(job, report)


if __name__ == "__main__":
    here = str(Path(__file__).parent)
    sys.path[:] = [entry for entry in sys.path if entry != here]        # `course` has other names
    main(sys.argv[1])
