"""Bind the book: pages for a browser, made from the modules, their tests and their figures.

    python scripts/make_book.py                     into build/book/; open index.html there
    python scripts/make_book.py --open
    python scripts/make_book.py --output DIR

The pages need no server and no network. Each module is a page: its header with formulas, its
figures, its code beside its words, and its tests. Nothing is written, and the exit status is 1, if
a link leads nowhere, or a test, a figure, its words, a letter or the line of a formula is missing;
each is named. How the pages are made stands in scripts/book/.
"""

import gc
import sys
import time
import webbrowser
from pathlib import Path

import command
from reports import ROOT

OUTPUT = ROOT / "build" / "book"


def build(output):
    """Write the book into the folder `output`; returns the addresses of its pages.

    Syntax trees are many small objects, and Python would look again and again for circles among
    them: without that, a fifth of the time is saved.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return bound(output)
    finally:
        if collecting:
            gc.enable()


def bound(output):
    from book.ahead import Ahead
    with Ahead() as ahead:                                  # begins while the rest is imported
        from book.binding import Book
        return Book(ahead).write(Path(output))


def parse(arguments):
    parser = command.Parser(__doc__)
    parser.add_argument("--output", type=command.folder, default=OUTPUT, metavar="DIR",
                        help="the folder of the book; files of these names are overwritten, "
                             "and pages of an earlier book removed")
    parser.add_argument("--open", action="store_true", help="open the cover in a browser")
    options = parser.parse_args(arguments)
    parser.needs("pygments", "jinja2", "markdown_it", "matplotlib", "fontTools", "PIL")
    parser.folder(options.output, "index.html")
    return options


def main(arguments=None):
    options = parse(arguments)
    start = time.perf_counter()
    from book.proof import Unproven
    try:
        pages = build(options.output)
    except Unproven as error:
        print(f"make_book.py: {error}", file=sys.stderr)
        return 1
    cover = (options.output / "index.html").resolve()
    print(f"{len(pages)} pages in {time.perf_counter() - start:.1f} s: {cover}")
    if options.open and not webbrowser.open(cover.as_uri()):
        print("make_book.py: no browser was found; open that file in one", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
