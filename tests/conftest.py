"""The back ends on which a test runs: NumPy, the stand-in for CuPy, and CuPy where it has a GPU.

    def test_something(xp, make_rng): ...       once for each back end
    def test_something(device): ...             only where host and device are apart

And a browser, and the book that it shows, which is bound once:

    def test_something(chromium, book_folder): ...
"""

import os
import sys

import numpy
import pytest
import stand_in_cupy
from browser import chromium  # noqa: F401 (a fixture)


def cupy_with_a_gpu():
    """`{"cupy": cupy}` if CuPy is installed and finds a CUDA device, else `{}`."""
    try:
        import cupy
    except ImportError:
        return {}
    return {"cupy": cupy} if cupy.cuda.is_available() else {}


DEVICES = {"stand-in": stand_in_cupy} | cupy_with_a_gpu()
BACK_ENDS = {"numpy": numpy} | DEVICES


def installed(module, monkeypatch):
    """`module`; for the duration of the test it is what `import cupy` gives, unless it is NumPy."""
    if module is numpy:
        monkeypatch.delitem(sys.modules, "cupy", raising=False)
    else:
        monkeypatch.setitem(sys.modules, "cupy", module)
    return module


@pytest.fixture(params=BACK_ENDS)
def xp(request, monkeypatch):
    return installed(BACK_ENDS[request.param], monkeypatch)


@pytest.fixture(params=DEVICES)
def device(request, monkeypatch):
    return installed(DEVICES[request.param], monkeypatch)


@pytest.fixture
def make_rng(xp):
    """seed -> a generator whose numbers live where the arrays of `xp` live."""
    return xp.random.default_rng


@pytest.fixture(scope="session")
def book():
    """The book in memory."""
    for library in ("jinja2", "markdown_it", "pygments", "fontTools", "PIL"):
        pytest.importorskip(library, reason="the book needs its extra: pip install -e '.[book]'")
    from book.binding import Book
    return Book()


@pytest.fixture(scope="session")
def book_folder(book, tmp_path_factory):
    """The book on a disk: processes that share the tests (pytest-xdist) share it too."""
    from files import alone
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder /= "the 書"
    folder.mkdir(exist_ok=True)
    with alone(folder / "done"):
        if not (folder / "done").exists():
            book.write(folder)
            (folder / "done").touch()
    return folder
