"""Memory: what is freed is kept, where the C library can."""

import ctypes
import subprocess
import sys

import pytest

from gdl_numpy.numerics.memory import keep_freed_memory

TWICE = """
import resource
import numpy
from gdl_numpy.numerics.memory import keep_freed_memory
kept = keep_freed_memory()
for _ in range(3):
    numpy.ones(2**20)                                       # 8 MB, made and dropped
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    numpy.ones(2**20)
pages = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 100
assert not kept or pages < 100, pages                       # of 2,048
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count pages")
def test_an_array_as_large_as_one_that_was_dropped_needs_no_new_page():
    subprocess.run([sys.executable, "-c", TWICE], check=True)


@pytest.mark.parametrize("library", [OSError, TypeError, object()])
def test_with_another_c_library_the_answer_is_false_and_not_an_error(monkeypatch, library):
    def load(name):
        if isinstance(library, type):
            raise library
        return library

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert keep_freed_memory() is False
