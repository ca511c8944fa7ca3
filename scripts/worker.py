"""Worker: one side of a benchmark, in a process of its own that has one or two processors.

Why: two libraries in one process share its threads and its memory, and some of them take as many
threads as the machine has processors, whatever they are told: the pool of XLA, on which JAX
computes, has no number to set. And a library that was imported for one side would count as memory
of the other.

Idea: a process is given its processors before it starts, and so before any library asks how many
there are. On Linux that is its affinity, which holds for all threads that it starts and for all
libraries alike. Beside it stands the variable by which OpenMP, OpenBLAS and MKL are told; where the
system has no affinity, as on macOS, it is all there is, and JAX is left out. A worker prepares one
side, runs it once, and answers with the result and the most memory that it held. Then it waits,
and runs the side again when it is asked, so that all sides of a case run in turn:

    benchmark                                   worker
    Worker("0:ours", threads=2)         ->      prepare, run
    .result, .memory                    <-      result, peak memory
    .seconds()                          ->      run
                                        <-      seconds
"""

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import command

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")         # make NumPy choose an older kernel
PATIENCE = 60                                               # s, until a worker has to be stopped
HOLDS = hasattr(os, "sched_setaffinity")


def processors():
    """The numbers of the processors that this process may use."""
    return sorted(os.sched_getaffinity(0)) if HOLDS else list(range(os.cpu_count()))


@contextlib.contextmanager
def held_to(threads):
    """What is started in this context has so many processors, where the system has affinity."""
    before = processors()
    if HOLDS:
        os.sched_setaffinity(0, before[-threads:])
    try:
        yield
    finally:
        if HOLDS:
            os.sched_setaffinity(0, before)


class Worker:
    """The process of one job, by the name that `serve` finds it under; `with` ends it."""

    def __init__(self, job, threads, aloud=False):
        environment = {name: value for name, value in os.environ.items() if name not in SLOWING}
        environment |= dict.fromkeys(THREADS, str(threads)) | {"JAX_PLATFORMS": "cpu"}
        self.said = None if aloud else tempfile.TemporaryFile("w+")
        with held_to(threads):
            self.process = subprocess.Popen(
                [sys.executable, sys.argv[0], "--work", job], env=environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said)
        try:
            self.result, self.memory = self._answer()
        except BaseException:
            self.end()
            raise

    def seconds(self):
        """Those of one more run."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        try:
            return pickle.load(self.process.stdout)
        except EOFError:
            status, said = self.process.wait(), ""
            if self.said is not None:
                self.said.seek(0)
                said = self.said.read()
            if status == 2:                                 # wrong use, as command.py has it
                raise command.WrongUse(said.partition(": ")[2]) from None
            raise RuntimeError(f"a worker ended with status {status}: {said}") from None

    def end(self):
        """It stops when nothing can come any more, and is stopped if it does not."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
        finally:
            self.process.kill()                             # nothing, if it has stopped
            self.process.wait()
            self.process.stdout.close()
            if self.said is not None:
                self.said.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.end()


def serve(prepare):
    """In the worker: run what `prepare` returns once, and again for each line that comes."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)                                           # what libraries print is no answer

    def answer(what):
        pickle.dump(what, answers)
        answers.flush()

    run = prepare()
    result = run()
    answer((result, peak_memory()))
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        answer(time.perf_counter() - start)


def peak_memory():
    """The most memory that this process held so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        kilobytes, = (line.split()[1] for line in status.read_text().splitlines()
                      if line.startswith("VmHWM"))
        return int(kilobytes) * 1024 / 1e6
    import resource  # here, since Windows has none; on Linux it would count the parent's memory

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6
