"""Command: how every script speaks on the command line, and how it ends.

Wrong use is one line and exit status 2, before any work is done; so is a library that is missing. A
script begins with `import command`, which comes first of all imports but Python's own, and reads
its arguments by `command.Parser(__doc__)`. Its exit status is

    0 done      1 something failed      2 wrong use, or something is missing      130 interrupted
"""

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

INSTALL = {"torch": "torch==2.13.0", "jax": "jax", "cupy": "-e '.[gpu]'", "pytest": "-e '.[test]'",
           "joblib": "-e '.[parallel]'",
           **dict.fromkeys(("scipy", "shapely", "sklearn", "threadpoolctl"), "-e '.[benchmark]'"),
           **dict.fromkeys(("pygments", "jinja2", "markdown_it", "fontTools", "PIL"),
                           "-e '.[book]'")}


class WrongUse(Exception):
    """Whoever called the script can mend this: said in one line, with exit status 2."""


class Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """The text as it stands in the script, and what each option is if it is not given."""

    def _get_help_string(self, action):
        plain = action.default is False or action.default in ([], None)
        return action.help if plain else super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """Arguments of a script whose docstring is `text`."""

    def __init__(self, text, **settings):
        super().__init__(description=text, formatter_class=Formatter, **settings)

    def parse_args(self, *arguments, **more):
        if signal.getsignal(signal.SIGINT) is _at_once:     # all is imported
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return super().parse_args(*arguments, **more)

    def error(self, message):
        self.exit(2, f"{self.prog}: {one_line(message)}\n")

    def folder(self, folder, *names):
        """Make the `folder`, and stop if no file of these names could be written into it."""
        try:
            if folder.exists() and not folder.is_dir():
                self.error(f"cannot write to {folder}: it is a file, and must be a folder")
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except (OSError, ValueError) as error:              # the second: no path at all
            self.error(f"cannot write to {folder}: {getattr(error, 'strerror', error)}")
        self.files(*map(folder.joinpath, names))

    def files(self, *paths):
        """Stop if one of these files could not be written, as storage.write_whole does it."""
        for path in paths:
            try:
                with contextlib.suppress(FileNotFoundError):
                    path.stat()                             # fails for a link to itself
                if path.is_file() or path.is_dir():
                    path.open("r+b").close()
                if path.is_file() or not path.exists():     # a link may lead to another folder
                    tempfile.TemporaryFile(dir=os.path.dirname(os.path.realpath(path))).close()
            except OSError as error:
                self.error(f"cannot write {path}: {error.strerror}")

    def needs(self, *libraries):
        """Stop if one of these libraries is not installed."""
        for name in libraries:
            if find_spec(name) is None:                     # not imported: that takes memory
                self.error(missing(ImportError(name=name)))


def folder(text):
    """The type of an argument: the name of a folder, which an empty text is not."""
    if not text:
        raise argparse.ArgumentTypeError("must name a folder, got ''")
    return Path(text)


def as_typed(script):
    """What starts a script from here, such as .venv/bin/python scripts/exercise.py."""
    here, paths = Path.cwd(), map(Path, (sys.executable, script))
    return quoted(*(str(path.relative_to(here) if path.is_relative_to(here) else path)
                    for path in paths))


def quoted(*words):
    """Words as a command line of this system has them."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def whole(least):
    """The type of an argument: a whole number from `least` on."""
    def number(text):
        with contextlib.suppress(ValueError):               # Python reads 4,300 digits at most
            if text.isdecimal() and int(text) >= least:
                return int(text)
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {least} on, got {text!r:.40}")
    return number


def one_line(text, most=800):
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[:most // 2]} ... {line[-most // 2:]}"


def missing(error):
    """What an ImportError means, and what to type."""
    name = (error.name or "").partition(".")[0]
    if name in sys.stdlib_module_names:
        return f"this Python has no module {name}, which Linux and macOS have"
    what = INSTALL.get(name, "-e '.[figures]'")
    return f"{f'{name} is missing' if name else one_line(error)}: pip install {what}"


def told(error):
    """What is said of an error that is not a fault of the script, and the exit status; or None."""
    match error:
        case ImportError() if "cannot import name" not in str(error):
            return missing(error), 2
        case WrongUse():
            return one_line(error), 2
        case KeyboardInterrupt():
            return "interrupted; every file is whole, as it is or as it was", 130
        case OSError() if error.strerror:
            file = f"{error.filename}: " if error.filename is not None else ""
            return one_line(f"{file}{error.strerror}"), 1


def _at_once(number, frame):
    """Ctrl-C while libraries are imported: some of them would lose a KeyboardInterrupt."""
    said, status = told(KeyboardInterrupt())
    print(f"{Path(sys.argv[0]).name}: {said}", file=sys.stderr, flush=True)
    os._exit(status)


def _last_word(kind, error, traceback):
    """In place of sys.excepthook."""
    said = told(error)
    if said is None:
        sys.__excepthook__(kind, error, traceback)
    else:
        print(f"{Path(sys.argv[0]).name}: {said[0]}", file=sys.stderr)
        sys.exit(said[1])


PROGRAM = Path(getattr(sys.modules["__main__"], "__file__", None) or ".")
if PROGRAM.resolve().parent == Path(__file__).resolve().parent:     # not where a test imports it
    sys.excepthook = _last_word
    for name in ("stdin", "stdout", "stderr"):              # one that is closed leads nowhere
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+"))  # noqa: SIM115
    sys.stdout.reconfigure(errors="replace")                # a console may have no Greek
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _at_once)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)       # `--list | head -1` ends without a word
