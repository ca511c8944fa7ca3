"""Make the figures of the chapter, all of them or those named.

    python scripts/make_figures.py                          all, into figures/, as SVG and PNG
    python scripts/make_figures.py figure_1_06_world --format pdf --output /tmp --seed 7
    python scripts/make_figures.py --list

Files of these names that are in the folder are overwritten, without --output the committed ones in
figures/. Several figures are made side by side, the quick ones first; the times stand below. After
Ctrl-C those that are finished stay. A figure has the same bytes in every run on the same machine,
made alone, with others, or beside them.

A figure is a script of three parts: `compute(rng)` returns arrays and numbers, `draw(figure,
arrays, numbers)` only draws them, and TITLE and ALT say and describe the result; NOTE is what the
gallery says below it. Every number that is drawn, described or noted is among the numbers, and is
written to manifest.json beside the figures. A title whose words are fixed has `holds(numbers)`:
whether it is true of these numbers, which another seed has made. What moves has `animate(figure,
arrays, numbers)`, one step for each picture of a GIF. With TRAINED a script says that it trains
what it shows: rounding, which differs from machine to machine, is amplified by a training, and the
figure looks a little different elsewhere.
"""

import argparse
import contextlib
import errno
import functools
import importlib
import io
import os
import sys
import time
import traceback
from pathlib import Path
from typing import NamedTuple

import command

BACK_END = os.environ.pop("MPLBACKEND", None)               # for --show alone; it may be wrong
for threads in ("OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(threads, "1")                     # processes use all cores; two threads
                                                            # of a BLAS would round otherwise

try:
    import matplotlib as mpl
except UnicodeDecodeError as error:
    raise command.WrongUse(f"a matplotlibrc is not a text in UTF-8: {error}") from error
import matplotlib.pyplot as plt  # noqa: E402
import style  # noqa: E402
from files import FIGURES, read_json, update_json  # noqa: E402
from matplotlib.backend_bases import FigureManagerBase  # noqa: E402
from side_by_side import cores, side_by_side  # noqa: E402
from tqdm import tqdm  # noqa: E402

from gdl_numpy.numerics.backend import random_generator, to_numpy  # noqa: E402
from gdl_numpy.numerics.memory import keep_freed_memory  # noqa: E402

SECONDS = {                                                 # of one core; others take a few
    "figure_1_10_taxonomy": 5, "figure_1_10_diffusion": 7, "figure_1_10_training": 9,
    "figure_1_02_map": 11, "figure_1_03_sailing": 13, "figure_1_06_densities": 12,
    "figure_1_02_painting": 30, "figure_1_02_calibration": 30, "figure_1_02_learning_curves": 36,
    "figure_1_10_worlds": 36, "figure_1_08_taller": 43, "figure_1_09_manifold": 47,
    "figure_1_08_latent_space": 50, "figure_1_01_horses": 80}

SHARING = [                                                 # each time the same training
    ["figure_1_02_painting", "figure_1_02_calibration"],
    ["figure_1_08_latent_space", "figure_1_08_taller"]]
QUICK = 15                                                  # seconds


def parse(arguments, all_names, fixed_names):
    """The options of the command line, once it is clear that nothing stands in their way."""
    slow = "\n".join(f"    {name:30}{seconds:4}" for name, seconds in SECONDS.items())
    in_all = sum(max(SECONDS.get(name, 2) for name in chain) for chain in chains(all_names))
    parser = command.Parser(__doc__, epilog=f"seconds on one core, about {in_all / 60:.0f} minutes "
                            "in all, because what two figures share is computed once; others take "
                            f"a few:\n{slow}")
    if fixed_names is None:
        parser.add_argument("names", nargs="*", metavar="NAME", default=[],
                            help="which figures; all if none is named")
        parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--output", type=command.folder, default=FIGURES, metavar="DIR",
                        help="where figures and manifest.json are written")
    parser.add_argument("--format", choices=["svg", "png", "pdf"], default=argparse.SUPPRESS,
                        help="only this one (default: svg and png, and gif if it moves)")
    parser.add_argument("--seed", type=command.whole(0), default=0, metavar="N",
                        help="of all random numbers")
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu", help="where to compute")
    parser.add_argument("--jobs", type=command.whole(1), metavar="N", help="figures made at the "
                        "same time (default: one for each core; one with --show or a GPU)")
    parser.add_argument("--show", action="store_true", help="also open each figure in a window")
    options = parser.parse_args(arguments)
    if fixed_names is not None:
        options.names, options.list = fixed_names, False
    unknown = sorted(set(options.names) - set(all_names))
    if unknown:
        parser.error(f"no figure is called {', '.join(unknown)}; --list names them")
    options.moving, options.jobs = "format" not in options, options.jobs or cores()
    options.endings = [options.format] if "format" in options else ["svg", "png"]
    options.names = list(dict.fromkeys(options.names)) or all_names
    if options.show or options.device == "gpu":             # one window, one GPU
        options.jobs = 1
    if not options.list:
        check(parser, options)
    return options


def check(parser, options):
    """Stop before any work if it could not be done, shown or written."""
    try:
        random_generator(options.seed, options.device)
    except RuntimeError as error:
        parser.error(str(error))
    choose_back_end(parser, options.show)
    parser.folder(options.output, "manifest.json", *(
        f"{name}.{ending}" for name in options.names for ending in options.endings))
    try:
        entries_of(read_json(options.output / "manifest.json", {}), options.output)
    except command.WrongUse as error:
        parser.error(str(error))


def choose_back_end(parser, show):
    """Let Matplotlib draw into files alone, or into windows as well."""
    try:
        with without_stderr():
            plt.switch_backend((BACK_END or mpl.get_backend()) if show else "agg")
            window = show and opens_windows()
    except Exception as error:                              # whatever a back end may raise
        parser.error(f"--show: {error}")
    if show and not window:
        parser.error("--show needs a display, and Matplotlib finds none; without --show the "
                     "figures are written all the same")


def opens_windows():
    """Whether the back end has a way of its own to show a figure."""
    kinds = type(plt.figure().canvas.manager).mro()
    plt.close()
    own = [name for kind in kinds[:kinds.index(FigureManagerBase)] for name in vars(kind)]
    return not {"show", "pyplot_show", "start_main_loop"}.isdisjoint(own)


@contextlib.contextmanager
def without_stderr():
    """Libraries in C, which look for a display, have something to say of their own."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def main(fixed_names=None, arguments=None):
    """Make `fixed_names`, or what the command line names; returns the exit status."""
    all_names = sorted(path.stem for path in Path(__file__).parent.glob("figure_*.py"))
    options = parse(arguments, all_names, fixed_names)
    if options.list:
        print("\n".join(all_names), flush=True)
        return 0

    failed, running = [], []
    with (tqdm(total=len(options.names), unit="figure", disable=None) as progress,
          contextlib.closing(outcomes(options)) as figures):
        try:
            for name, outcome in figures:
                if name is None:
                    progress.refresh()                      # one sees the seconds pass
                    continue
                if outcome is None:
                    running.append(name)
                    progress.set_description(", ".join(running))
                    continue
                running.remove(name)
                progress.update()
                progress.set_description(", ".join(running))
                tqdm.write(outcome.said, file=sys.stderr, end="")
                if outcome.failure is not None:
                    failed.append(f"{name} ({outcome.failure})")
                    if outcome.full:                        # the disk, for the others, too
                        break
                elif progress.disable:                      # no terminal: a line instead of a bar
                    print(f"{name}: {outcome.seconds:.1f} s", file=sys.stderr)
        except KeyboardInterrupt:
            progress.close()
            print(f"interrupted at {', '.join(running)}; what was written before is whole",
                  file=sys.stderr)
            return 130
    if failed:
        print(f"failed: {'; '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


class Outcome(NamedTuple):
    """What became of a figure."""
    seconds: float = 0.0
    failure: str | None = None                              # why it is not there, in a line
    full: bool = False                                      # because the disk is full
    said: str = ""                                          # beside that, about faults of ours


def outcomes(options):
    """Yield (name, None) when a figure is begun and (name, its outcome) when it is finished."""
    all_chains = chains(options.names)
    if options.jobs > 1 and len(all_chains) > 1:
        work = functools.partial(made_apart, options=options)
        for name, outcome in side_by_side(work, all_chains, options.jobs):
            died = isinstance(outcome, ChildProcessError)
            yield name, Outcome(failure=str(outcome)) if died else outcome
    else:
        keep_freed_memory()                                 # training is faster with it
        for name in sum(all_chains, []):
            yield name, None
            yield name, made(name, options)


def chains(names):
    """Lists of figures, those in one list that share what takes long.

    The quick ones come first, so that there is something to look at, and then the slowest, so that
    at the end no core waits for one of them.
    """
    lists = {}
    for name in names:
        first = next((chain[0] for chain in SHARING if name in chain), name)
        lists.setdefault(first, []).append(name)

    def turn(chain):
        seconds = max(SECONDS.get(name, 0) for name in chain)
        return (0, seconds) if seconds <= QUICK else (1, -seconds)

    return sorted(lists.values(), key=turn)


def made(name, options):
    """The outcome of making one figure."""
    start = time.perf_counter()
    try:
        make(name, options)
    except Exception as error:
        return Outcome(failure=f"{type(error).__name__}: {error}",
                       full=getattr(error, "errno", None) == errno.ENOSPC,
                       said=traceback.format_exc() if command.told(error) is None else "")
    return Outcome(time.perf_counter() - start)


def made_apart(name, options):
    """The same in a process of its own, which prints nothing."""
    keep_freed_memory()
    plt.switch_backend("agg")
    with contextlib.redirect_stderr(io.StringIO()) as said:
        outcome = made(name, options)
    return outcome._replace(said=said.getvalue() + outcome.said)


def make(name, options):
    """Compute, draw and write one figure, and enter its numbers into the manifest."""
    script = importlib.import_module(name)
    arrays, numbers = script.compute(random_generator(options.seed, options.device))
    arrays = {key: to_numpy(value) for key, value in arrays.items()}
    numbers = {key: rounded(value) for key, value in numbers.items()}
    title, alt = script.TITLE.format(**numbers), script.ALT.format(**numbers)
    if not getattr(script, "holds", lambda numbers: True)(numbers):
        print(f"{name}: its title does not hold with seed {options.seed}", file=sys.stderr)
    note = {"note": script.NOTE.format(**numbers)} if hasattr(script, "NOTE") else {}
    with style.ours():
        figure = plt.figure(figsize=script.SIZE)
        try:
            script.draw(figure, arrays, numbers)
            for ending in options.endings:
                style.save(figure, options.output / f"{name}.{ending}", title, alt)
            if options.moving and hasattr(script, "animate"):
                moving = plt.figure(figsize=script.MOVING_SIZE)
                style.save_animation(moving, options.output / f"{name}.gif",
                                     script.animate(moving, arrays, numbers), title)
                plt.close(moving)
            enter(options.output / "manifest.json", name,
                  {"title": title, "alt": alt, **note, "seed": options.seed,
                   "device": options.device, "trained": getattr(script, "TRAINED", False),
                   "numbers": numbers})
            if options.show:
                plt.show(block=True)
        finally:
            plt.close(figure)


def rounded(number):
    """A float of six significant digits, the same on every machine; whole numbers as they are."""
    if isinstance(number, (str, int)):
        return number
    return float(f"{float(number):.6g}")


def entries_of(manifest, where):
    """The entries of a manifest; WrongUse if it is none."""
    if not (isinstance(manifest, dict) and all(isinstance(v, dict) for v in manifest.values())):
        raise command.WrongUse(f"{where / 'manifest.json'} is broken, mend or remove it: it must "
                               "hold an object with one for each figure")
    return manifest


def enter(manifest, name, entry):
    """Replace the entry of one figure in the manifest; JSON has no infinity, so it is a string."""
    numbers = {key: str(value) if value in (float("inf"), -float("inf")) else value
               for key, value in entry["numbers"].items()}

    def entered(entries):
        entries = entries_of(entries, manifest.parent) | {name: entry | {"numbers": numbers}}
        return dict(sorted(entries.items()))

    update_json(manifest, entered, indent=2, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
