"""Files: where results lie, and how one is written, whole or not at all.

A script may be stopped at any moment, or the disk may be full. Whoever reads figures/ is never to
meet half a file, so that a file is first written beside its place and then moved into it.
"""

import os
from pathlib import Path

FIGURES = Path(__file__).parent.parent / "figures"


def write_whole(path, write):
    """Let `write` fill a sibling of `path`, then move it into place; leave no sibling behind."""
    partial = path.with_name(f"{path.name}.tmp")            # a killed run's leftover is overwritten
    try:
        write(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path, text):
    """Write `text` to `path` whole, in UTF-8."""
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))
