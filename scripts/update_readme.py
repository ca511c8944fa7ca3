"""Write into the READMEs the numbers that scripts have measured: `python scripts/update_readme.py`.

Between the lines `<!-- NAME -->` and `<!-- end -->` stands what the function NAME below makes of
the files manifest, encoders, scoreboard, floor, faces, sailors, samplers and benchmark_*, all
.json, of figures/.
The tables of modules and of errata are written by hand, and only their links are made anew: a
module is found by its name, an erratum's by the test that the module names. A test sees that all is
up to date.
"""

import ast
import os
import re
import textwrap
from functools import cache
from pathlib import Path

import command
import reports
from files import write_text
from reports import ROOT, counted, kl_in_words, spoken

FILES = "gdl_numpy/README.md", "figures/README.md", "README.md"     # the last reads the first
ROOMS = ["probability", "world", "labels", "pictures", "representation", "agents", "models",
         "networks", "numerics"]                            # as they are read
KINDS = {"exact": "exact", "bound": "a bound", "grid": "up to Z", "flow": "a bound", "none": "none"}


READ = []                                                   # names of files, if one is wrong


def load(name):
    READ.append(name)
    return reports.load(name)


def wrapped(text):
    return textwrap.fill(" ".join(text.split()), 130, break_on_hyphens=False,
                         break_long_words=False)


def two_digits(number):
    """A speed: more digits than two are noise."""
    return f"{float(f'{number:.2g}'):,.0f}"


# The front page

def story():
    """The chapter's story in one picture."""
    name = "figure_1_06_story"
    yield wrapped(f"![{load('manifest.json')[name]['alt']}](figures/{name}.png)")


def routes():
    """The modules of both routes in their reading order, a row for each room."""
    yield "| room | the chapter | the machinery |"
    yield "| --- | --- | --- |"
    chapter, machinery = (reading_order(name) for name in ("chapter", "machinery"))
    for room in [*ROOMS, ""]:
        cells = [", ".join(f"[{path.stem}]({path.relative_to(ROOT)})"
                           for path in map(module, route)
                           if path.relative_to(ROOT / "gdl_numpy").parent.name == room)
                 for route in (chapter, machinery)]
        yield row_of([about_room(room) if room else "the whole tree", *cells])


def about_room(room):
    """A room as its own first sentence has it."""
    source = (ROOT / "gdl_numpy" / room / "__init__.py").read_text(encoding="utf-8")
    first = " ".join(ast.get_docstring(ast.parse(source)).split()).split(". ")[0].rstrip(".")
    return f"[{room}](gdl_numpy/{room}): {first.partition(': ')[2] or first}"


def scoreboard():
    """The best first, and those last whose KL is not known."""
    report = load("scoreboard.json")
    table = report["summary"]
    yield "| model | log p | KL, nats | in the sea | land reached | training, s |"
    yield "| --- |" + " --- |" * 5
    for name, row in sorted(table.items(), key=lambda item: float(item[1].get("kl", "inf"))):
        yield (f"| {spoken(name)} | {KINDS[row['how']]} | {kl_in_words(row, spread=True)} "
               f"| {row['sea']:.1%} | {row['reached']:.1%} | {row['seconds']:.1f} |")
    yield ""
    mixed = len(set().union(*(row.get("processor", ()) for row in table.values()))) > 1
    yield wrapped(means(report) + " Times are of different processors." * mixed)


def means(report):
    """What the numbers of a scoreboard are means of, and whether its times can be trusted."""
    table = report["summary"]
    sets = {row["seeds"] for row in table.values()}
    jobs = max(row.get("jobs", 1) for row in table.values())
    return (f"Means over {' or '.join(map(counted, sorted(sets)))} training sets; ± is the largest "
            "distance of one from the mean; ≤ marks a bound."
            + f" Up to {counted(jobs)} models ran at a time: alone they are faster." * (jobs > 1))


def listed(names):
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def timed_on(table):
    """On which processors the trainings of a scoreboard were timed, if all of its rows say it."""
    if not all("processor" in row for row in table.values()):
        return ""
    groups = {}
    for name, row in table.items():
        groups.setdefault(" and ".join(row["processor"]), []).append(spoken(name))
    (most, _), *others = sorted(groups.items(), key=lambda group: -len(group[1]))
    return f" Training was timed on {most}" + "".join(
        f"; that of {listed(names)} on {processor}" for processor, names in others) + "."


# How to read

@cache
def module(stem):
    """The file of the module of that name."""
    paths = list((ROOT / "gdl_numpy").rglob(f"{stem}.py"))
    if len(paths) != 1:
        raise command.WrongUse(f"gdl_numpy/README.md names {stem}, and {len(paths)} modules of "
                               "gdl_numpy/ are called so")
    return paths[0]


def cells_of(row):
    """The cells of a row of a table, without the spaces around them."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def row_of(cells):
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def reading_order(route):
    """The names of the modules of one route, from its table in gdl_numpy/README.md."""
    text = (ROOT / "gdl_numpy" / "README.md").read_text(encoding="utf-8")
    table = re.search(rf"<!-- {route} -->\n(.*?)<!-- end -->", text, flags=re.DOTALL)[1]
    return [named[1] for row in table.splitlines()
            if (named := re.match(r"\[(\w+)\]\(", cells_of(row)[3]))]


def relinked(table):
    """Rows of modules: concept, symbol, Chinese, module, test, figure."""
    for row in table.splitlines():
        cells = cells_of(row)
        named = re.match(r"\[(\w+)\]", cells[3])
        if named:
            stem = named[1]
            tests = list((ROOT / "tests").rglob(f"test_{stem}.py"))
            cells[3:5] = link(stem, module(stem)), link("test", tests[0]) if tests else ""
        yield row_of(cells)


def link(text, path):
    return f"[{text}]({Path(os.path.relpath(path, ROOT / 'gdl_numpy')).as_posix()})"


def errata_of(text):
    """The errata that a module names, each with the file of its test, or None: {"E07": "..."}.

    At the end of a header they stand as `E07 (tests/probability/test_mle.py)  what is right`.
    """
    listed = re.findall(r"^(E\d\d) \((tests/[\w/]+\.py)\)", text, flags=re.MULTILINE)
    return {name.upper(): None for name in re.findall(r"test_(e\d\d)", text)} | dict(listed)


def errata(table):
    """Rows of errata: number, stated, right, and where: a module that names the test, the test."""
    modules, tests = ({path: path.read_text(encoding="utf-8") for path in sorted(paths)}
                      for paths in ((ROOT / "gdl_numpy").rglob("*.py"),
                                    (ROOT / "tests").rglob("test_*.py")))
    for row in table.splitlines():
        cells = cells_of(row)
        if re.fullmatch(r"E\d\d", cells[0]):
            name = f"test_{cells[0].lower()}"
            homes = [path for path, text in modules.items() if cells[0] in errata_of(text)]
            shown = [path for path, text in tests.items() if f"def {name}_" in text]
            cells[3] = ", ".join([*(link(path.stem, path) for path in homes[:1]),
                                  *(link("test", path) for path in shown[:1])])
        yield row_of(cells)


# Figures and numbers

def figure(name):
    """A figure with its description, and where it comes from."""
    entry = load("manifest.json")[name]
    title = entry["title"] + "." * (entry["title"][-1] not in "?!")
    yield wrapped(f"**{title}** ([{name}](../scripts/{name}.py), [SVG]({name}.svg))")
    yield ""
    yield wrapped(f"![{entry['alt']}]({name}.png)")
    if "note" in entry:
        yield ""
        yield wrapped(entry["note"])


def densities():
    """The models of figure_1_06_densities with their numbers."""
    numbers = load("manifest.json")["figure_1_06_densities"]["numbers"]
    models = {"box": "box", "normal": "normal",
              **{f"mixture_{name}": f"mixture of {numbers[name]} normals, by EM"
                 for name in ("few", "some", "many")},
              "histogram": f"histogram, {numbers['grid_rows']} × {numbers['grid_columns']} cells",
              "kernel_density": f"kernel density, h = {numbers['bandwidth']:.1f}°",
              "truth": "p_data itself"}
    yield "| density | KL(p_data‖p_model), nats | in the sea | land reached |"
    yield "| --- | --- | --- | --- |"
    for key, name in models.items():
        kl = numbers.get(f"{key}_kl", 0.0)
        error = numbers.get(f"{key}_kl_error", "none")
        kl = ("0" if key == "truth" else "∞" if kl == "inf" else f"{kl:.3f} ± {error:.3f}")
        yield (f"| {name} | {kl} | {numbers[f'{key}_sea']:.1%} "
               f"| {numbers[f'{key}_reached']:.1%} |")


def scoreboard_in_full():
    """The means of scoreboard.py over its training sets."""
    report, floor = load("scoreboard.json"), load("floor.json")
    table = report["summary"]
    yield ("| model | log p | parameters | training, s | steps/s | samples/s | KL, nats "
           "| above the floor | standard error | lowest log p on land | in the sea | land reached "
           "| JS of samples |")
    yield "| --- |" + " --- |" * 12
    for name, row in table.items():
        lowest = row.get("lowest", "")
        lowest = f"{lowest:.0f}" if isinstance(lowest, float) else lowest.replace("-inf", "-∞")
        error = f"{row['kl_error']:.4f}" if "kl_error" in row else ""
        above = above_the_floor(name, report, floor)
        steps = f"{row['steps_per_second']:.0f}" if "steps" in row else ""
        yield (f"| {spoken(name)} | {KINDS[row['how']]} | {row['parameters']:,.0f} "
               f"| {row['seconds']:.1f} | {steps} | {two_digits(row['samples_per_second'])} "
               f"| {kl_in_words(row, spread=True)} | {above} "
               f"| {error} | {lowest} | {row['sea']:.1%} | {row['reached']:.1%} "
               f"| {row['js']:.4f} |")
    box, vae, diffusion = (table[name] for name in ("box", "variational_autoencoder", "diffusion"))
    yield ""
    yield wrapped(
        f"{means(report)}{timed_on(table)} The JS of true samples from others is "
        f"{box['js_floor']:.4f}: no smaller one can be seen. The bound is that of "
        f"{report['importance']} draws; with one draw, the ELBO, it is {vae['elbo_kl']:.1f} ± "
        f"{vae['elbo_kl_spread']:.1f}. Half of all single draws give at least the bound of 200, "
        "but of the first model's draws some 3% lose more than 10 nats, and make nearly all of the "
        "difference: trained for the best of several draws, an encoder may miss now and then. *Z "
        "by a grid*: log p is known up to a constant, which a sum over a grid gives in two "
        "dimensions. *Of its flow*: of the deterministic flow, not of the noisy steps that sample. "
        f"Of the chain of all levels the bound {diffusion['elbo_kl']:.2f} is known.")
    yield ""
    width = floor["width"]
    yield wrapped(
        "*Above the floor*: what a better model of the first training set could still gain, at "
        "least. The mean of the densities of two models that have learned from its points in "
        f"different ways, {' and '.join(map(spoken, floor['members']))}, loses "
        f"{floor['committee']:.3f} ± {floor['error']:.3f} nats: so much, or less, is lost because "
        f"{report['n']:,} points do not show more. The first has seen draws of the second, so that "
        "they share much of their luck. The true map loses as much if its coasts are "
        f"blurred by normal steps of {width:.1f}°.")


def above_the_floor(name, report, floor):
    """By how much more a model loses, on the training set of the floor, in words."""
    row, = (row for row in report["rows"] if (row["name"], row["seed"]) == (name, floor["seed"]))
    if isinstance(row.get("kl"), float):
        return f"{row['kl'] - floor['committee']:.3f}"
    return "∞" if "kl" in row else ""


def encoders():
    """The means of compare_encoders.py over its seeds."""
    report = load("encoders.json")
    names = {"pca": "principal components", "ppca": "probabilistic PCA", "autoencoder":
             "autoencoder " + "-".join(map(str, report["sizes"])) + " and back"}
    yield wrapped(f"Fitted to {report['n']:,} tins and judged on {report['n_held_out']:,} others; "
                  f"means over {len(report['seeds'])} seeds. R² says how well the code determines "
                  "height and width.")
    yield ""
    pca = report["mean"]["pca"]["error"]
    yield ("| encoder, two numbers | mean squared error | PCA's error / its | R² of height "
           "| R² of width |")
    yield "| --- | --- | --- | --- | --- |"
    for key, name in names.items():
        numbers = report["mean"][key]
        yield (f"| {name} | {numbers['error']:.2g} | {pca / numbers['error']:.0f} "
               f"| {numbers['r2_height']:.4f} | {numbers['r2_width']:.4f} |")
    drawn = report["mean"]["autoencoder"]
    yield ""
    yield wrapped(
        "Not every code decodes to a tin. Of images decoded from N(0, I), which has the mean and "
        "the covariance of the data's codes, one in a hundred is more than "
        f"{drawn['normal_99']:.3f} away from any tin (root mean square per pixel); of those "
        f"decoded from a density fitted to the codes, {drawn['fitted_99']:.3f}. The medians, "
        f"{drawn['normal_median']:.4f} and {drawn['fitted_median']:.4f}, hardly differ.")


def samplers():
    """The means of compare_samplers.py over its rounds."""
    report = load("samplers.json")
    yield ("| model | drawn by | network, and slope, per sample | samples/s | in the sea "
           "| land reached | JS from truth | JS from its own density |")
    yield "| --- |" + " --- |" * 7
    for name, ways in report["summary"].items():
        for way, row in ways.items():
            cost = f"{row['evaluations']:.0f}, {row['slopes']:.0f}" if "slopes" in row else ""
            speed = two_digits(row["samples_per_second"]) if "samples_per_second" in row else ""
            own = with_error(row, "js_own", ".4f") if "js_own" in row else ""
            yield (f"| {spoken(name)} | {way} | {cost} | {speed} | {with_error(row, 'sea', '.1%')} "
                   f"| {with_error(row, 'reached', '.1%')} | {with_error(row, 'js', '.4f')} "
                   f"| {own} |")
    jumps = report["largest_density"]
    yield ""
    yield wrapped(
        f"Means of {report['rounds']} rounds of {report['n']:,} samples with their standard "
        f"errors; samples a second of one core, on {report['processor']}. True draws, and exact "
        "draws of the energy-based model's density by a fine grid, show what a perfect sampler "
        f"would. The density of that model is nowhere more than {jumps:.2f} times the uniform one, "
        f"so that after 24 jumps at most {(1 - 1 / jumps)**24:.2%} of the points remember their "
        "start. "
        "`sample` draws by 24 jumps and 8 steps, and of the diffusion model by 64 steps.")


def with_error(row, key, format_):
    """A mean, and its standard error if there is more than one round."""
    error = f" ± {row[f'{key}_error']:{format_}}" if f"{key}_error" in row else ""
    return f"{row[key]:{format_}}{error}"


def faces():
    """The means of compare_faces.py over its seeds."""
    report = load("faces.json")
    side, mean, chain = report["side"], report["mean"], report["chain"]["T"]
    yield wrapped(
        f"Images of {side} × {side} pixels with {report['levels']} levels of gray, where an even "
        f"guess needs {report['even']:.0f} bits per pixel. Each model learned from {report['n']:,} "
        f"faces and is judged on {report['n_held_out']} others. Means over {len(report['seeds'])} "
        "seeds; ± is the largest distance of a seed from the mean; ≤ marks a bound.")
    yield ""
    yield ("| model of faces | bits per pixel | of these paid for cells | parameters "
           "| training, s |")
    yield "| --- | --- | --- | --- | --- |"
    for name in report["order"]:
        row = mean[name]
        paid = f"≥ {row['paid']:.3f}" if row["bound"] else "0"
        yield (f"| {spoken(name)} | {'≤ ' if row['bound'] else ''}"
               f"{row['bits_per_pixel']:.3f} ± {row['bits_per_pixel_spread']:.3f} | {paid} "
               f"| {row['parameters']:,.0f} | {row['seconds']:.0f} |")
    yield ""
    yield wrapped(
        "".join(f"Between {spoken(one)} and {spoken(other)} it is a tie: their spreads meet. "
                for one, other in report["ties"])
        + "A bound is one of one draw of the codes of each face, the same for all four densities. "
        f"*Paid for cells*: how far it is known to be too high, from chains of {chain} and "
        f"{4 * chain} temperatures, which lead to the points that suit probabilistic PCA and so "
        "show less for the others. Dequantized, as a density of pixels, probabilistic PCA needs "
        f"{mean['probabilistic_pca']['dequantized']:.3f}. Seconds are those of one processor.")


def sailors():
    """What compare_sailors.py has tried: how good each value of a setting can be, with the best of
    all others."""
    report = load("sailors.json")
    yield wrapped(
        "Expected steps to arrive, of at most "
        f"{report['limit']}, means over {report['seeds']} seeds and over all numbers of steps of "
        "practice, of which Q-learning was given more. Each learner was tried with each "
        "combination of these values; shown is the best that can be had with a value, whatever the "
        "others are.")
    yield ""
    yield "| learner | setting | value: steps to arrive |"
    yield "| --- | --- | --- |"
    for kind, learner in (("model", "world model"), ("q_learning", "Q-learning")):
        tried = report[kind]["tried"]
        for setting in report[kind]["settings"]:
            values = list(dict.fromkeys(str(row[setting]) for row in tried))        # best first
            best = {value: next(row["overall"] for row in tried if str(row[setting]) == value)
                    for value in values}
            words = ", ".join(f"{spoken(value)}: {cost:.1f}" for value, cost in best.items())
            yield f"| {learner} | {spoken(setting)} | {words} |"
    yield ""
    yield wrapped("The best of each, in the order of the table: " + "; ".join(
        f"the {name} needs {', '.join(costs_in_words(report[kind]))}"
        for kind, name in (("model", "model"), ("q_learning", "Q-learner"))) + ".")


def costs_in_words(tried):
    """What the best setting needs after each number of steps."""
    best = tried["tried"][0]
    return [f"{mean:.1f} ± {error:.1f} after {n:,}" for n, mean, error in zip(
        tried["steps"], best["sailed"], best["error"], strict=True)]


def benchmark():
    """The cases of the benchmarks with their ratios, processor by processor."""
    files = [load(f"benchmark_{name}.json")
             for name in ("density", "discriminative", "network", "models")]
    for processor in dict.fromkeys(name for file in files for name in file):
        yield from speed_on(processor, [file[processor] for file in files if processor in file])


def speed_on(processor, reports):
    """What was measured on one processor: the machine, the training step, all other cases."""
    machine = {key: value for report in reports for key, value in report["machine"].items()}
    yield wrapped(
        f"**{processor}**, {machine['cores']} cores, "
        + ", ".join(f"{name} {machine[name]}" for name in
                    ("numpy", "scipy", "scikit-learn", "shapely", "torch", "jax")
                    if name in machine)
        + (". Freed memory is kept on all sides." if machine["memory_kept"] else
           ". Both sides shared a process, and freed memory was given back to the system."))
    peak = next((report["peak_GFLOP_per_s"] for report in reports
                 if "peak_GFLOP_per_s" in report), {})
    if peak:
        yield wrapped("A large matrix product in float32 reaches " + "; ".join(
            f"in {library} " + " and ".join(
                f"{speed:.0f} GFLOP/s on {threads} thread{'s' * (threads != '1')}"
                for threads, speed in speeds.items()) for library, speeds in peak.items())
            + ": that much of a ratio is the libraries', not ours.")
    cases = [case for report in reports for case in report["cases"]]
    yield ""
    yield from training_steps([case for case in cases if case["name"] == "training_step"])
    yield from other_cases([case for case in cases if case["name"] != "training_step"])


def training_steps(cases):
    """A row for each network, batch and number of threads; columns for the peers that were there.
    """
    if not cases:
        return
    peers = list(dict.fromkeys(name for case in cases for name in case["ratio"]))
    shown = [cases[0]["peer"] if name == "peer" else name for name in peers]
    yield row_of(["training step, float32", "threads", "ours, ms",
                  *(f"{name}: time / ours" for name in shown),
                  "share of the peak: ours", *(shown[i] for i, name in enumerate(peers)
                                               if "ours" not in name)])
    yield "|" + " --- |" * (4 + 2 * len(peers) - sum("ours" in name for name in peers))
    for case in cases:
        share = case["share_of_peak"]
        yield row_of([f"{'-'.join(map(str, case['sizes']['sizes']))}, {case['settings']}",
                      str(case["threads"]), f"{1e3 * case['seconds']['ours']:.2f}",
                      *(ratio_in_words(case["ratio"].get(name)) for name in peers),
                      f"{share['ours']:.0%}", *(f"{share[name]:.0%}" if name in share else ""
                                                for name in peers if "ours" not in name)])
    yield ""


def other_cases(cases):
    """A row for each case, and a column of ratios for each number of threads."""
    if not cases:
        return
    threads = sorted({case["threads"] for case in cases})
    yield row_of(["case", "peer", *(f"peer's time / ours, {n} thread{'s' * (n > 1)}"
                                    for n in threads), "memory, MB: ours, peer"])
    yield "| --- | --- |" + " --- |" * (1 + len(threads))
    rows = {}
    for case in cases:
        sizes = "-".join(map(str, case["sizes"].get("sizes", [])))          # of a network
        name = spoken(case["name"]) + f" {sizes}" * bool(sizes)
        row = (f"{name}, {case['dtype']}", f"{case['peer']}, {case['settings']}")
        rows.setdefault(row, {})[case["threads"]] = case
    for row, measured in rows.items():
        memory = next(iter(measured.values()))["memory_MB"]
        yield row_of([*row, *(ratio_in_words(measured[n]["ratio"]["peer"] if n in measured else
                                             None) for n in threads),
                      f"{memory['ours']:.0f}, {memory['peer']:.0f}"])
    yield ""


def ratio_in_words(ratio):
    """The median with the least and the largest; nothing if there is none."""
    return "" if ratio is None else "{median:.3g} ({min:.3g} to {max:.3g})".format(**ratio)


def benchmark_gpu():
    """What was measured on a graphics card, with both peers in a row; or that nothing was."""
    name = "benchmark_gpu.json"
    if not (reports.FIGURES / name).exists():
        yield wrapped("No graphics card has been measured yet, as none was at hand: that the same "
                      "source runs on CuPy has only been tested on a stand-in.")
        return
    report = load(name)
    machine, rows = report["machine"], {}
    for case in report["cases"]:
        key = f"{spoken(case['name'])}, {case['dtype']}", case["settings"]
        rows.setdefault(key, {})[case["peer"]] = case
    peers = {peer: name for peer, name in (("numpy", "NumPy"), ("torch", "PyTorch"))
             if any(peer in row for row in rows.values())}
    yield "| case | | CuPy, ms | " + " | ".join(
        f"{name}'s time / CuPy's: median (min to max)" for name in peers.values()) + " |"
    yield "| --- | --- | --- |" + " --- |" * len(peers)
    for (case, settings), row in rows.items():
        ratios = [row[peer]["ratio"] if peer in row else None for peer in peers]
        yield row_of([case, settings, f"{1e3 * row['numpy']['seconds']['ours']:.3g}", *(
            f"{r['median']:.1f} ({r['min']:.1f} to {r['max']:.1f})" if r else "" for r in ratios)])
    yield ""
    yield wrapped(
        f"Measured on one {machine['gpu']} with {machine['gpu_memory_GB']} GB (driver "
        f"{machine['driver'] or 'unknown'}, CUDA {machine['cuda_of_driver']}), CuPy "
        f"{machine['cupy']} made with CUDA {machine['cuda_of_cupy']}. NumPy {machine['numpy']} ran "
        f"beside it on one {machine['processor']} with {machine['cores']} cores, OMP_NUM_THREADS = "
        f"{machine['OMP_NUM_THREADS']}. " + (
            f"PyTorch {machine['torch']}, eager, ran on the same card." if "torch" in peers else
            "PyTorch was not measured."))


BLOCKS = {block.__name__: block for block in (story, routes, scoreboard, densities,
                                              scoreboard_in_full, encoders, samplers, faces,
                                              sailors, benchmark, benchmark_gpu)}
RELINKED = {"chapter": relinked, "machinery": relinked, "errata": errata}


def marked(name, lines):
    return f"<!-- {name} -->\n" + "\n".join(lines) + "\n<!-- end -->"


def updated(text):
    """The `text` of a README with every marked block made anew."""
    def block(match):
        name, old = match[1], match[2]
        if not (name in BLOCKS or name in RELINKED or name.startswith("figure_")):
            raise command.WrongUse(f"no block is called {name}; there are "
                                   f"{', '.join([*BLOCKS, *RELINKED])} and those of figures")
        READ.clear()
        try:
            return marked(name, RELINKED[name](old) if name in RELINKED else
                          figure(name) if name.startswith("figure_") else BLOCKS[name]())
        except (command.WrongUse, OSError):                 # which name the file
            raise
        except Exception as error:
            wrong = (f"{', '.join(sorted(set(READ)))} in figures/ has not what the block {name} "
                     "says, make it anew" if READ else f"the block {name} cannot be made")
            raise command.WrongUse(f"{wrong}: {error!r}") from error
    return re.sub(r"<!-- (\w+) -->\n(.*?)<!-- end -->", block, text, flags=re.DOTALL)


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.parse_args(arguments)
    for path in map(ROOT.joinpath, FILES):                  # the last reads the first
        try:
            old = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            parser.error(f"{path} is broken, mend it: {error}")
        new = updated(old)
        if new != old:                                      # also where writing is forbidden
            parser.files(path)
            write_text(path, new)


if __name__ == "__main__":
    main()
