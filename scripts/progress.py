"""Progress: what one sees of something that takes long: a bar on a terminal, nothing elsewhere."""

from contextlib import contextmanager
from contextvars import ContextVar

from tqdm import tqdm

_hidden = ContextVar("hidden", default=False)


def bar(steps, total=None, unit="step"):
    """The `steps` themselves, and a bar that is gone after the last one."""
    if _hidden.get():
        return steps
    return tqdm(steps, total=total, unit=unit, leave=False, disable=None)


@contextmanager
def hidden():
    """Meanwhile no bar is shown: those of several workers would write over one another."""
    before = _hidden.set(True)
    try:
        yield
    finally:
        _hidden.reset(before)
