"""Files: where results lie, and how JSON is read, written, and changed.

A script may be stopped at any moment, and two may run at the same time. A file is written whole or
not at all (storage.py), and who reads one, changes it and writes it back is alone meanwhile.
"""

import contextlib
import json
import os
import time
from pathlib import Path

from command import WrongUse

from gdl_numpy.networks.storage import write_whole

try:
    import fcntl
except ImportError:                                         # Windows
    fcntl = None

FIGURES = Path(__file__).parent.parent / "figures"
ABANDONED = 30                                              # s: a change takes some milliseconds


def write_text(path, text):
    """Write `text` to `path` whole, in UTF-8."""
    write_whole(path, lambda file: file.write(text.encode()))


def read_json(path, otherwise=None):
    """What a JSON file holds; `otherwise`, if that is not None, where there is none.

    WrongUse, which names the file, if it is broken, or holds what could not be written again.
    """
    if otherwise is not None and not path.exists():
        return otherwise
    try:
        if path.exists() and not path.is_file():            # a pipe would let us wait
            raise ValueError("it is not a file")
        content = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(content, allow_nan=False, ensure_ascii=False).encode()
        return content
    except (ValueError, RecursionError) as error:
        raise WrongUse(f"{path} is broken, mend or remove it: {error}") from error


def update_json(path, change, **how):
    """Write change(what `path` holds, or {}) to `path`, so that no change of others is lost."""
    with alone(path):
        content = change(read_json(path, {}))
        write_text(path, json.dumps(content, allow_nan=False, **how) + "\n")


@contextlib.contextmanager
def alone(path):
    """Wait until no other process is here with the same `path`."""
    end = locked_folder(path.parent) or locked_file(path)
    try:
        yield
    finally:
        end()


def locked_folder(folder):
    """Lock a folder, and give what ends it; the end of the process does so too.

    None where the system or the disk, one of a network for instance, has no such locks.
    """
    if fcntl is None:
        return None
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
    except OSError:
        os.close(held)
        return None
    return lambda: os.close(held)


def locked_file(path):
    """The same by a file beside `path`, which a killed process leaves there: an old one is none."""
    lock, end = path.with_name(f".{path.name}.lock"), time.monotonic() + 2 * ABANDONED
    while True:
        try:
            lock.open("x").close()
            return lambda: lock.unlink(missing_ok=True)
        except (FileExistsError, PermissionError):          # the second while Windows removes it
            if time.monotonic() > end:
                raise
        with contextlib.suppress(OSError):
            if time.time() - lock.stat().st_mtime > ABANDONED:
                lock.unlink()
        time.sleep(0.01)
