"""The book beside the pages: built once, when somebody follows a link into it.

It is kept in memory, so that nothing is left behind, and no address leads to any other file.
"""

import html
import tempfile
import threading
from pathlib import Path

from command import one_line

MISSING = "The book is not there, because {name} is missing: pip install -e '.[book]'"


class Book:
    """`page(name)` is the status and the content of a file of the book; where there is none, a page
    that says why."""

    def __init__(self):
        self.files, self.alone = {}, threading.Lock()

    def page(self, name):
        with self.alone:
            if not self.files:
                try:
                    self.files = built()
                except ImportError as error:
                    return 503, notice(MISSING.format(name=error.name))
                except Exception as error:
                    return 500, notice(f"The book cannot be built: {error}")
        if name not in self.files:
            return 404, notice(f"The book has no page {one_line(name, 80)}.")
        return 200, self.files[name]


def built():
    """The files of the book by their names, paths from its folder with slashes."""
    import make_book  # not before: it needs more libraries than the pages do

    with tempfile.TemporaryDirectory() as folder:
        make_book.build(Path(folder))
        return {path.relative_to(folder).as_posix(): path.read_bytes()
                for path in Path(folder).rglob("*") if path.is_file()}


def notice(sentence):
    return ('<!doctype html><html lang="en"><meta charset="utf-8"><title>The book</title>'
            f'<p>{html.escape(one_line(sentence))}</p><p><a href="/">Back</a></html>').encode()
