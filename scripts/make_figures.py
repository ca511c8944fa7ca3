"""Make the figures of the chapter, all of them or those named.

    python scripts/make_figures.py                          all, into figures/, as SVG and PNG
    python scripts/make_figures.py figure_1_06_world --format pdf --output /tmp --seed 7
    python scripts/make_figures.py --list

A figure is a script of three parts: `compute(rng)` returns arrays and numbers, `draw(figure,
arrays, numbers)` only draws them, and TITLE and ALT name and describe the result. Every number that
is drawn or described is among the numbers, and is written to manifest.json beside the figures. With
TRAINED a script says that it trains what it shows: rounding, which differs from machine to machine,
is amplified by a training, and the figure looks a little different elsewhere.
"""

import argparse
import importlib
import json
import sys
import traceback
from pathlib import Path

try:
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from tqdm import tqdm

    from gdl_numpy.numerics.backend import random_generator, to_numpy
except ImportError as error:
    print(f"{error.name} is missing: pip install -e '.[figures]'", file=sys.stderr)
    sys.exit(2)

from files import FIGURES, write_text
from style import RC, save


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"{self.prog}: {message}\n")           # one line, without the usage


def seed(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 on, got {text!r}")
    return int(text)


def parse(arguments, all_names, fixed_names):
    parser = Parser(description=__doc__.splitlines()[0])
    if fixed_names is None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
        parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--output", type=Path, default=FIGURES, metavar="DIR")
    parser.add_argument("--format", choices=["svg", "png", "pdf"], help="default: svg and png")
    parser.add_argument("--seed", type=seed, default=0, metavar="N")
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu", help="where to compute")
    parser.add_argument("--show", action="store_true", help="also open each figure in a window")
    options = parser.parse_args(arguments)
    if fixed_names is not None:
        options.names, options.list = fixed_names, False
    unknown = sorted(set(options.names) - set(all_names))
    if unknown:
        parser.error(f"no figure is called {', '.join(unknown)}; --list names them")
    return parser, options


def main(fixed_names=None, arguments=None):
    """Make `fixed_names`, or what the command line names; returns the exit status."""
    all_names = sorted(path.stem for path in Path(__file__).parent.glob("figure_*.py"))
    parser, options = parse(arguments, all_names, fixed_names)
    if options.list:
        print("\n".join(all_names))
        return 0
    try:
        random_generator(options.seed, options.device)
    except RuntimeError as error:
        parser.error(str(error))
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "manifest.json.tmp").write_text("")
        (options.output / "manifest.json.tmp").unlink()
    except OSError as error:
        parser.error(f"cannot write to {options.output}: {error.strerror}")
    if not options.show:
        mpl.use("agg")

    failed = []
    progress = tqdm(options.names or all_names, unit="figure", disable=None)
    for name in progress:
        progress.set_description(name)
        try:
            make(name, options)
        except KeyboardInterrupt:
            print(f"interrupted at {name}; what was written before is whole", file=sys.stderr)
            return 130
        except Exception as error:                          # report it, go on with the others
            traceback.print_exc()
            failed.append(f"{name} ({type(error).__name__}: {error})")
    if failed:
        print(f"failed: {'; '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def make(name, options):
    """Compute, draw and write one figure, and enter its numbers into the manifest."""
    script = importlib.import_module(name)
    arrays, numbers = script.compute(random_generator(options.seed, options.device))
    arrays = {key: to_numpy(value) for key, value in arrays.items()}
    numbers = {key: rounded(value) for key, value in numbers.items()}
    alt = script.ALT.format(**numbers)
    with mpl.rc_context(RC):
        figure = plt.figure(figsize=script.SIZE)
        try:
            script.draw(figure, arrays, numbers)
            for ending in [options.format] if options.format else ["svg", "png"]:
                save(figure, options.output / f"{name}.{ending}", script.TITLE, alt)
            enter(options.output / "manifest.json", name,
                  {"title": script.TITLE, "alt": alt, "seed": options.seed,
                   "device": options.device, "trained": getattr(script, "TRAINED", False),
                   "numbers": numbers})
            if options.show:
                plt.show()
        finally:
            plt.close(figure)


def rounded(number):
    """A float of six significant digits, the same on every machine; whole numbers as they are."""
    if isinstance(number, (str, int)):
        return number
    return float(f"{float(number):.6g}")


def enter(manifest, name, entry):
    """Replace the entry of one figure in the manifest; JSON has no infinity, so it is a string."""
    entries = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
    numbers = {key: str(value) if value in (float("inf"), -float("inf")) else value
               for key, value in entry["numbers"].items()}
    entries[name] = entry | {"numbers": numbers}
    text = json.dumps(dict(sorted(entries.items())), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(manifest, text + "\n")


if __name__ == "__main__":
    sys.exit(main())
