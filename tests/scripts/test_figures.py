"""The figure scripts: what they compute and draw, and how they behave on the command line."""

import ast
import contextlib
import functools
import importlib
import itertools
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image
from programs import programs

matplotlib.use("agg")
import make_figures  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import style  # noqa: E402

from gdl_numpy.numerics.backend import to_numpy  # noqa: E402

ROOT = Path(__file__).parent.parent.parent
SCRIPTS, FIGURES = ROOT / "scripts", ROOT / "figures"
NAMES = sorted(path.stem for path in SCRIPTS.glob("figure_*.py"))
MANIFEST = json.loads((FIGURES / "manifest.json").read_text(encoding="utf-8"))
FEWER = {                                                   # constants that make slow scripts quick
    "figure_1_01_horses": {"N": 200, "N_JUDGED": 60, "SIDE": 24, "HIDDEN": (16,), "K": 2,
                           "STEPS": 60, "COMPONENTS": (1, 2)},
    "figure_1_02_calibration": {"N": 80, "N_NEW": 80},
    "figure_1_02_learning_curves": {"REPEATS": 3},
    "figure_1_02_map": {"N": 2000, "N_NEW": 2000, "OF_LAND": 12, "OF_A_CONTINENT": 4},
    "figure_1_02_painting": {"N": 80, "N_NEW": 80},
    "figure_1_02_sampler": {"N_MADE": 2000},
    "figure_1_03_sailing": {"Q_STEPS": (500, 550, 600, 650, 700, 750, 800, 900), "SAILORS": 6},
    "figure_1_07_tins": {"N": 100, "RESOLUTION": 16},
    "figure_1_08_latent_space": {"N": 300, "N_HELD_OUT": 100, "N_NEW": 50,
                                 "SIDES": (1024, 16, 2), "STEPS": 200, "DENSE": 21,
                                 "COMPONENTS": 2},
    "figure_1_08_taller": {"N": 1000, "SIDES": (1024, 64, 16, 2), "STEPS": 800, "DENSE": 21},
    "figure_1_09_manifold": {"N": 300, "SIDES": (1024, 64, 16, 2), "STEPS": 600, "STARTS": 1,
                             "N_HELD_OUT": 100, "DENSE": 17, "COMPONENTS": 2},
    "figure_1_06_densities": {"N": 2000, "N_TEST": 2000, "N_SAMPLES": 2000,
                              "COMPONENTS": {"few": 2, "some": 3, "many": 4}},
    "figure_1_10_diffusion": {"N": 200, "N_MOVING": 4},
    "figure_1_10_taxonomy": {"N": 40},
    "figure_1_10_training": {"N": 2000, "N_TEST": 2000, "GRID": (18, 36),
                             "MOMENTS": (1, 5, 20, 100)},
    "figure_1_10_worlds": {"N_DRAWN": 50, "PICTURE": (6, 12), "NAMED": (
        "box", "histogram", "autoregressive", "variational_autoencoder", "diffusion",
        "adversarial")},
}
FEWER_ON_A_DEVICE = {                                       # where they are only to be computed
    "figure_1_01_horses": {"N": 60, "N_JUDGED": 20, "STEPS": 10},
    "figure_1_02_calibration": {"N": 20, "N_NEW": 20},
    "figure_1_02_learning_curves": {"REPEATS": 2, "SIZES": {"normals": (6, 20),
                                                            "continents": (3, 20)}},
    "figure_1_02_map": {"N": 500, "N_NEW": 500, "PICTURE": (18, 36), "OF_LAND": 3,
                        "OF_A_CONTINENT": 2},
    "figure_1_02_painting": {"N": 20, "N_NEW": 20},
    "figure_1_06_densities": {"N": 500, "N_TEST": 500, "N_SAMPLES": 500, "PICTURE": (18, 36),
                              "BANDWIDTHS": (1.4, 2.0), "GRIDS": ((18, 36), (36, 72))},
    "figure_1_03_sailing": {"Q_STEPS": (20, 40), "MODEL_STEPS": (100, 200), "SAILORS": 2},
    "figure_1_06_likelihood": {"SIDES": 11, "REPEATS": 2, "N_TEST": 1000},
    "figure_1_08_latent_space": {"STEPS": 40},
    "figure_1_08_taller": {"N": 200, "STEPS": 40},
    "figure_1_09_manifold": {"N": 100, "STEPS": 40, "N_HELD_OUT": 50, "DENSE": 9, "PATH": 21},
    "figure_1_10_training": {"N": 500, "MOMENTS": (1, 5, 10, 20)},
}
WIDTH, LEAST_TYPE, LEAST_MARK = 830, 12, 2                  # px: of a figure in a README, in it
QUICK = [name for name in NAMES if name not in FEWER]       # their numbers are computed again here
FEWER_FOR_OTHER_SEEDS = FEWER | {"figure_1_06_likelihood": {"SIDES": 21, "REPEATS": 10}}
# Two seeds each, neither of them that of the committed figure; on fewer data 0 gives others as well
OTHER_SEEDS = [(name, seed) for seed in (0, 1, 2) for name in NAMES     # so that `once` can share
               if seed in ((0, 1) if name in FEWER else (1, 2))]


def run(*arguments, script="make_figures.py", **kwargs):
    return subprocess.run([sys.executable, str(SCRIPTS / script), *map(str, arguments)],
                          capture_output=True, text=True, timeout=300, **kwargs)


def computed(name, rng, fewer=FEWER):
    """What a script computes, with fewer data if it is slow."""
    script = importlib.import_module(name)
    with pytest.MonkeyPatch.context() as patch:
        for constant, value in fewer.get(name, {}).items():
            patch.setattr(script, constant, value)
        patch.setattr("map_labels.STEPS", 20)
        arrays, numbers = script.compute(rng)
    return arrays, {key: make_figures.rounded(value) for key, value in numbers.items()}


@functools.cache
def computed_once(name, seed):
    """What a script computes from a seed, for several tests."""
    return computed(name, np.random.default_rng(seed), FEWER_FOR_OTHER_SEEDS if seed else FEWER)


def drawn(name, seed=0):
    """The figure and the numbers of a script, as make_figures makes them but not written."""
    script = importlib.import_module(name)
    arrays, numbers = computed_once(name, seed)
    with matplotlib.rc_context(style.RC):
        figure = plt.figure(figsize=script.SIZE)
        script.draw(figure, arrays, numbers)
    plt.close(figure)                                       # out of pyplot's list; it can be used
    return figure, arrays, numbers


@functools.cache
def drawn_once(name, seed=0):
    """What `drawn` gives, for several tests that only look at it."""
    return drawn(name, seed)


def texts(figure):
    """All that is written on a figure, its numbers with plain minus signs."""
    texts = [text.get_text() for text in figure.findobj(matplotlib.text.Text)]
    return "\n".join(texts).replace("−", "-")


def on_a_page(points, figure):
    """A length in points as the pixels in which a README shows it."""
    return points * WIDTH / (72 * figure.get_figwidth())


def marks(figure):
    """Widths, in points, of all lines and markers in color or black; gray ones are background."""
    for ax in figure.axes:
        for line in ax.lines:
            if carries_meaning(line.get_color()):
                if line.get_linestyle() != "None":
                    yield line.get_linewidth()
                if line.get_marker() not in ("None", None):
                    yield line.get_markersize()
        for collection in ax.collections:
            if isinstance(collection, matplotlib.collections.LineCollection):
                yield from (width for width, color in zip(
                    collection.get_linewidth(), collection.get_edgecolor(), strict=False)
                    if carries_meaning(color))
            elif isinstance(collection, matplotlib.collections.PathCollection) and any(
                    map(carries_meaning, collection.get_facecolor())):
                yield from np.sqrt(collection.get_sizes())


def is_true(script, numbers):
    """Whether the title of a figure is true of its numbers: it is asked, or it is computed."""
    return script.holds(numbers) if hasattr(script, "holds") else "{" in script.TITLE


def carries_meaning(color):
    red_green_blue = matplotlib.colors.to_rgb(color)
    return max(red_green_blue) - min(red_green_blue) > 0.15 or max(red_green_blue) < 0.3


def written_on(figure):
    """Its texts beside the ticks, whose labels are also made where none is shown."""
    ticks = {label for tick in figure.findobj(matplotlib.axis.Tick)
             for label in (tick.label1, tick.label2)}
    return [text for text in figure.findobj(matplotlib.text.Text)
            if text.get_text() and text.get_visible() and text not in ticks]


def test_every_script_has_its_figures_and_every_figure_its_script():
    figures = {path.stem for path in FIGURES.iterdir() if path.suffix in (".svg", ".png")}
    assert figures == set(NAMES) == set(MANIFEST)
    for name in NAMES:
        moves = hasattr(importlib.import_module(name), "animate")
        assert (FIGURES / f"{name}.svg").exists() and (FIGURES / f"{name}.png").exists()
        assert (FIGURES / f"{name}.gif").exists() == moves
        assert not moves or (FIGURES / f"{name}.gif").stat().st_size < 1_000_000


@pytest.mark.parametrize("name", QUICK)
def test_the_committed_numbers_are_those_that_the_script_computes(name):
    _, numbers = computed_once(name, 0)
    committed = MANIFEST[name]["numbers"]
    assert set(committed) == set(numbers)
    for key, value in numbers.items():
        want = committed[key]
        want = float(want) if want in ("inf", "-inf") else want
        assert value == (want if isinstance(value, str) else pytest.approx(want, rel=1e-4)), key


def test_a_script_computes_the_same_twice_and_other_numbers_with_another_seed():
    a, b, c = (computed("figure_1_05_box", np.random.default_rng(seed))[0] for seed in (0, 0, 1))
    assert all(np.array_equal(a[key], b[key]) for key in a)
    assert not np.array_equal(a["X"], c["X"])


def test_a_figure_has_the_same_bytes_whatever_was_drawn_before_and_in_whatever_format(tmp_path):
    def written(*endings):
        figure, *_ = drawn("figure_1_03_faces")             # many axes, in subfigures
        with matplotlib.rc_context(style.RC):
            for ending in endings:
                style.save(figure, tmp_path / f"x.{ending}", "a title", "words")
        return [(tmp_path / f"x.{ending}").read_bytes() for ending in sorted(endings)]

    _, svg = written("png", "svg")
    assert written("svg") == [svg]


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_can_be_read_where_a_readme_shows_it(name):
    """At most 10 inches become 830 pixels, in which type has 12, and what carries meaning 2."""
    figure, *_ = drawn_once(name)
    sizes = {text.get_text(): on_a_page(text.get_fontsize(), figure)
             for text in figure.findobj(matplotlib.text.Text) if text.get_text()}
    thin = [mark for mark in marks(figure) if on_a_page(mark, figure) < LEAST_MARK]
    assert figure.get_figwidth() <= 10
    assert not {text: size for text, size in sizes.items() if size < LEAST_TYPE}
    assert not thin


@pytest.mark.parametrize("name", NAMES)
def test_what_a_figure_says_holds_of_the_committed_numbers(name):
    numbers = {key: float(value) if value in ("inf", "-inf") else value
               for key, value in MANIFEST[name]["numbers"].items()}
    script = importlib.import_module(name)
    assert is_true(script, numbers) and MANIFEST[name]["title"] == script.TITLE.format(**numbers)


@pytest.mark.parametrize("name, seed", OTHER_SEEDS)
def test_what_a_figure_says_holds_for_other_seeds_and_stands_in_the_picture(name, seed):
    """On fewer data: the title is true of the numbers and drawn, and all words can be read."""
    script = importlib.import_module(name)
    figure, _, numbers = drawn_once(name, seed)
    words, frame = " ".join(texts(figure).split()), figure.bbox.padded(3)
    figure.draw_without_rendering()
    places = {text: matplotlib.text.Text.get_window_extent(text) for text in written_on(figure)}
    out = [text.get_text() for text, place in places.items() if not (
        frame.x0 < place.x0 < place.x1 < frame.x1 and frame.y0 < place.y0 < place.y1 < frame.y1)]
    hidden = [(one.get_text(), other.get_text()) for one, other in itertools.combinations(places, 2)
              if places[one].padded(-1.5).overlaps(places[other].padded(-1.5))]
    assert is_true(script, numbers)
    assert script.TITLE.format(**numbers) in words
    assert script.ALT.format(**numbers) and getattr(script, "NOTE", "-").format(**numbers)
    assert not out and not hidden


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_names_its_numbers_and_labels_its_axes(name):
    figure, _, numbers = drawn_once(name)
    if any(ax.axison and ax.get_xticks().size for ax in figure.axes):       # not only pictures
        assert any(ax.get_xlabel() for ax in figure.axes)
    alt = importlib.import_module(name).ALT.format(**numbers)
    assert len(alt) > 100 and "nan" not in alt
    assert set(MANIFEST[name]["numbers"]) == set(numbers)
    assert MANIFEST[name]["seed"] == 0 and MANIFEST[name]["device"] == "cpu"


def test_an_animation_holds_every_frame_and_has_the_same_bytes_twice(tmp_path):
    import figure_1_10_diffusion as script
    arrays, numbers = computed_once("figure_1_10_diffusion", 0)
    for path in (one := tmp_path / "one.gif", two := tmp_path / "two.gif"):
        with matplotlib.rc_context(style.RC):
            figure = plt.figure(figsize=script.MOVING_SIZE)
            style.save_animation(figure, path, script.animate(figure, arrays, numbers), "words")
            plt.close(figure)
    assert one.read_bytes() == two.read_bytes()
    with Image.open(one) as moving:
        assert moving.n_frames == len(arrays["moments"]) == 5
        assert moving.size[0] <= WIDTH and moving.info["comment"] == b"words"
        pixels = np.asarray(moving.convert("RGB")).reshape(-1, 3)           # the noise
    for color in (style.LAND, style.SEA, style.BLUE, style.VERMILION):
        want = np.array(matplotlib.colors.to_rgb(color)) * 255
        assert (abs(pixels - want).max(axis=1) < 1).any()


def imported(path):
    """The modules that a script imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_scripts_share_code_by_small_modules_and_not_by_figures_or_experiments():
    paths = list(SCRIPTS.glob("*.py"))
    experiments = {path.stem for path in paths
                   if path.stem.startswith(("figure_", "compare_", "benchmark_"))} | {"scoreboard"}
    for path in paths:
        assert not experiments & set(imported(path)), path.name


def test_only_what_draws_needs_matplotlib():
    import_of = {path.stem: set(imported(path)) for path in SCRIPTS.glob("*.py")}
    draw = {name for name, modules in import_of.items()
            if any(module.partition(".")[0] == "matplotlib" for module in modules)} | set(NAMES)
    for name in draw.copy():
        draw |= {other for other, modules in import_of.items() if name in modules}
    assert draw == {"make_figures", "style", "maps", "exhibition", *NAMES}


def test_help_says_what_a_script_is_for_and_changes_nothing(tmp_path):
    scripts = sorted(path.name for path in SCRIPTS.glob("*.py")
                     if "\nif __name__ == " in path.read_text("utf-8"))
    for script, (status, out, err) in zip(
            scripts, programs([[script, "--help"] for script in scripts], cwd=tmp_path),
            strict=True):
        assert status == 0 and out.startswith(f"usage: {script}") and not err, script
    assert not list(tmp_path.iterdir())


def test_a_model_that_nobody_has_measured_yet_is_left_out_of_the_figures(monkeypatch):
    import figure_1_10_worlds as script
    monkeypatch.setattr(script, "N_DRAWN", 20)
    monkeypatch.setattr(script, "PICTURE", (6, 12))
    monkeypatch.setattr(script, "NAMED", ("box", "a_new_family"))
    arrays, numbers = script.compute(np.random.default_rng(0))
    assert {"truth_samples", "box_samples"} < set(arrays) and numbers["names"] == "box"
    assert not any(key.startswith("a_new_family") for key in arrays)


def test_the_taxonomy_is_drawn_for_any_leaves_without_one_box_on_another():
    import figure_1_10_taxonomy as script
    title = "generative models"
    leaves = {(title, "explicit", "exact", "a"): 0.5, (title, "explicit", "exact", "b"): 1.5,
              (title, "explicit", "not exact", "bound", "c d"): 2.5, (title, "implicit", "e"): 3.5}
    figure, ax = plt.subplots()
    script.place_tree(ax, leaves)
    places = {text.get_text(): text.get_position() for text in ax.texts}
    plt.close(figure)
    assert len(set(places.values())) == len(places) == 10
    for path in leaves:
        heights = [places[name.replace(" ", "\n") if name == "c d" else name][1] for name in path]
        assert heights == sorted(heights, reverse=True) and len(set(heights)) == len(heights)
    assert len({places[name][1] for name in ("a", "b", "c\nd", "e")}) == 1


def test_the_box_of_figure_1_05_is_drawn_where_the_estimate_is():
    figure, arrays, numbers = drawn_once("figure_1_05_box")
    box, = figure.axes[0].patches
    X = arrays["X"]
    np.testing.assert_allclose(box.get_xy(), X.min(axis=0)[::-1])           # longitude first
    np.testing.assert_allclose([box.get_height(), box.get_width()], np.ptp(X, axis=0))
    area = np.prod(np.ptp(X, axis=0))
    assert numbers["density"] == pytest.approx(1 / area, rel=1e-5)
    assert numbers["log_likelihood"] == pytest.approx(-len(X) * math.log(area), rel=1e-5)


def test_figure_1_06_draws_a_b_and_c_with_their_computed_verdicts():
    figure, arrays, numbers = drawn_once("figure_1_06_world")
    written = texts(figure)
    marks = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    for name in "ABC":
        assert numbers[f"{name}_kind"] == name
        np.testing.assert_allclose(marks[name], arrays[name][::-1])
        meaning = {"A": "only the model", "B": "only the rule", "C": "both"}[name]
        assert f"{name}: {meaning} make" in written
    assert f"{numbers['sea_share']:.0%} of what it makes lies in the sea" in written
    assert "Antarctica: 28.0% of the land here,\n8.3% on a globe" in written           # E17


def test_the_cliff_is_drawn_only_where_the_log_likelihood_is_finite():
    figure, arrays, numbers = drawn_once("figure_1_06_cliff")
    curve = figure.axes[0].lines[0].get_xydata()
    assert np.isfinite(curve).all() and curve[0, 0] == pytest.approx(numbers["theta3"], rel=1e-5)
    assert (np.diff(curve[:, 1]) < 0).all()                 # falls from its maximum on
    assert (arrays["values"][arrays["sides"] < numbers["theta3"] - 1e-3] == -math.inf).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_svg_figure_is_small_and_says_what_it_shows_but_not_when_it_was_made(name):
    svg = (FIGURES / f"{name}.svg").read_text(encoding="utf-8")
    title, desc = list(ElementTree.fromstring(svg))[:2]
    assert (title.text, desc.text) == (MANIFEST[name]["title"], MANIFEST[name]["alt"])
    assert len(svg.encode()) < 600_000 and "<dc:date>" not in svg
    assert set(re.findall(r"font[^;\"]*?'([^']+)'", svg)) <= {"DejaVu Sans"}      # comes first


@pytest.mark.parametrize("options, endings", [([], ["svg", "png"]), (["--format", "pdf"], ["pdf"])])
def test_two_processes_write_the_same_bytes_in_any_folder(tmp_path, options, endings):
    folders = [tmp_path / "one", tmp_path / "two words 数据"]
    for hash_seed, folder in enumerate(folders):
        folder.mkdir()
        done = run("figure_1_04_points", *options, "--output", folder, cwd=folder,
                   env=os.environ | {"PYTHONHASHSEED": str(hash_seed)})
        assert done.returncode == 0, done.stderr
    for ending in endings:
        one, two = ((folder / f"figure_1_04_points.{ending}").read_bytes() for folder in folders)
        assert one == two and len(one) > 1000


def test_each_script_also_runs_alone(tmp_path):
    done = programs([[f"{name}.py", "--output", tmp_path, "--format", "svg"] for name in QUICK],
                    cwd=tmp_path)
    assert [status for status, *_ in done] == [0] * len(QUICK), done
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {f"{name}.svg" for name in QUICK} | {"manifest.json"}


@pytest.mark.parametrize("script", ["make_figures.py", "figure_1_02_painting.py",
                                    "figure_1_04_points.py"])
@pytest.mark.parametrize("missing", ["matplotlib", "tqdm", "gdl_numpy"])
def test_without_what_it_needs_a_script_says_what_to_install(tmp_path, script, missing):
    (tmp_path / f"{missing}.py").write_text(f"raise ImportError(name={missing!r})")
    done = run(script=script, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
    assert f"{missing} is missing: pip install -e '.[figures]'" in done.stderr


def test_list_names_every_figure():
    done = run("--list")
    assert done.returncode == 0 and done.stdout.split() == NAMES


BAD = [["no_such_figure"], ["--format", "gif"], ["--seed", "x"], ["--seed", "-1"],
       ["--device", "tpu"], ["--output", "/proc/none"], ["--nonsense"]]


@functools.cache
def ended_badly():
    """What each of the bad calls ends with and says, one after another in a fresh process."""
    return programs([["make_figures.py", *arguments] for arguments in BAD])


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_arguments_give_one_line_and_exit_status_2(arguments):
    status, out, err = ended_badly()[BAD.index(arguments)]
    assert status == 2 and out == ""
    assert len(err.strip().splitlines()) == 1 and "Traceback" not in err


@pytest.mark.parametrize("script", ["make_figures.py", "figure_1_04_points.py"])
def test_asking_for_a_gpu_that_is_not_there_gives_one_line_and_exit_status_2(script, tmp_path):
    without = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = run("--device", "gpu", "--output", tmp_path, script=script, env=without)
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
    assert "CuPy" in done.stderr and not list(tmp_path.iterdir())


def test_one_failing_figure_does_not_hide_the_others_and_fails_the_run(
        tmp_path, monkeypatch, capsys):
    script = importlib.import_module("figure_1_05_box")
    monkeypatch.setattr(script, "compute", lambda rng: 1 / 0)
    status = make_figures.main(arguments=["figure_1_05_box", "figure_1_04_points", "--output",
                                          str(tmp_path), "--format", "svg", "--jobs", "1"])
    assert status == 1 and (tmp_path / "figure_1_04_points.svg").exists()
    assert "figure_1_05_box (ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("error", [OSError("no space left on device"), KeyboardInterrupt()])
def test_an_interrupted_run_leaves_the_old_figure_whole_and_no_fragment(
        tmp_path, monkeypatch, error):
    old = tmp_path / "figure_1_04_points.svg"
    old.write_text("the old figure")

    def half(figure, file, **kwargs):
        file.write(b"half a fig")
        raise error

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", half)
    arguments = ["figure_1_04_points", "--output", str(tmp_path), "--format", "svg"]
    assert make_figures.main(arguments=arguments) == (1 if isinstance(error, OSError) else 130)
    assert old.read_text() == "the old figure"
    assert [path.name for path in tmp_path.iterdir()] == [old.name]


def test_a_killed_run_leaves_whole_figures_and_the_next_one_cleans_up(tmp_path):
    names = ["figure_1_04_points", "figure_1_06_cliff"]
    command = [sys.executable, str(SCRIPTS / "make_figures.py"), *names,
               "--output", str(tmp_path), "--format", "svg"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (tmp_path / "figure_1_04_points.svg").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / "figure_1_04_points.svg").read_text().rstrip().endswith("</svg>")
    half = tmp_path / f".figure_1_06_cliff.svg.{8 * '1a2b'}.partial"        # killed while writing
    half.write_text("half a fig")
    for path in tmp_path.glob(".*.partial"):                # and what the kill itself has left:
        with contextlib.suppress(FileNotFoundError):        # its processes end a moment later
            os.utime(path, (0, time.time() - 3700))         # an hour ago
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert {path.suffix for path in tmp_path.iterdir()} == {".svg", ".json"}
    assert set(json.loads((tmp_path / "manifest.json").read_text())) == set(names)


# Contracts

@pytest.mark.parametrize("name", NAMES)
def test_every_figure_can_be_computed_on_a_device(name, device):
    fewer = {name: FEWER.get(name, {}) | FEWER_ON_A_DEVICE.get(name, {})}
    arrays, numbers = computed(name, device.random.default_rng(0), fewer)
    assert all(isinstance(value, (str, int, float)) for value in numbers.values())
    assert all(isinstance(to_numpy(value), np.ndarray) for value in arrays.values())
    assert any(isinstance(value, device.ndarray) for value in arrays.values())
