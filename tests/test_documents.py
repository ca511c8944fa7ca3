"""What can be read beside the code: numbers are current, code runs, links lead somewhere."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import update_readme
from gradient import check_gradient
from reports import kl_in_words, load, spoken

import gdl_numpy

ROOT = Path(__file__).parent.parent
DOCUMENTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in
             ("README.md", "gdl_numpy/README.md", "figures/README.md", "CONTRIBUTING.md")}
README, HOW_TO_READ, GALLERY, _ = DOCUMENTS.values()
PACKAGE = list((ROOT / "gdl_numpy").rglob("*.py"))
MODULES = sorted(path.stem for path in PACKAGE if path.stem != "__init__")
BLOCKS = [(name, block) for name, text in DOCUMENTS.items()
          for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)]
MANIFEST = load("manifest.json")
NUMBER = r"\d+(?:\.\d+)?"
each_document = pytest.mark.parametrize("name", DOCUMENTS)


# The front page

def test_the_front_page_is_short():
    assert len(README.split()) <= 1500


def test_the_quick_start_has_exactly_two_code_blocks_of_one_line():
    section = README.split("## Quick start")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    assert len(blocks) == 2 and all(block.count("\n") == 1 for block in blocks)
    assert "make_figures.py" in blocks[0] and "pytest" in blocks[1]


def test_on_windows_three_commands_do_what_the_first_one_does():
    first = README.split("```sh\n")[1].split("\n")[0]
    windows = README.split("```bat\n")[1].split("\n```")[0]
    for old, new in (("py -m", "python3 -m"), (".venv\\Scripts\\", ".venv/bin/"), ("\\", "/"),
                     ('"', "'"), ("\n", " && ")):
        windows = windows.replace(old, new)
    assert windows == first


def test_trained_figures_are_those_whose_scripts_say_so():
    for name, entry in MANIFEST.items():
        script = importlib.import_module(name)
        assert entry["trained"] == getattr(script, "TRAINED", False), name


def test_a_script_that_trains_says_so():
    training = ("family.train(", "trained(", "network(", "learned_from_tins(", "q_learned(")
    for name in MANIFEST:
        text = (ROOT / "scripts" / f"{name}.py").read_text(encoding="utf-8")
        trains = any(word in text for word in training)
        assert trains == getattr(importlib.import_module(name), "TRAINED", False), name


def test_the_chapters_story_takes_eight_lines():
    story = next(block for name, block in BLOCKS if name == "README.md")
    assert len(story.split("\n\n")[1].strip().splitlines()) == 8


def test_the_chapters_story_is_one_picture():
    story = README.split("<!-- story -->\n")[1].split("<!-- end -->")[0]
    assert story.count("![") == 1 and "](figures/figure_1_06_story.png)" in story


def test_the_scoreboard_of_the_front_page_has_six_columns_and_the_best_model_first():
    table = README.split("<!-- scoreboard -->\n")[1].split("<!-- end -->")[0]
    rows = [update_readme.cells_of(row) for row in table.splitlines()[2:] if row.startswith("|")]
    assert {len(row) for row in rows} == {6}
    named = {row[0]: row[2] for row in rows}
    wanted = {spoken(name): row for name, row in load("scoreboard.json")["summary"].items()}
    assert named == {name: kl_in_words(row, spread=True) for name, row in wanted.items()}
    kl = [float(wanted[name].get("kl", "inf")) for name in named]
    assert kl == sorted(kl) and next(iter(named.values())).startswith(f"{kl[0]:.3f}")


# Numbers, code and links

def words_and_numbers(text):
    """The `text` with # for each number of a figure, and those numbers in their order.

    A reader may have made the figures on another machine, where rounding differs and training
    amplifies it: their words must hold there too, their numbers nearly; of what is trained, words.
    """
    numbers = []

    def blank(match):
        name, block = match[1], match[2]
        if name.startswith("figure_") or name in ("story", "densities"):
            if name not in MANIFEST or not MANIFEST[name]["trained"]:
                numbers.extend(map(float, re.findall(NUMBER, block)))
            block = re.sub(NUMBER, "#", block)
        return f"<!-- {name} -->\n{' '.join(block.split())}"
    return re.sub(r"<!-- (\w+) -->\n(.*?)<!-- end -->", blank, text, flags=re.DOTALL), numbers


@pytest.mark.parametrize("name", update_readme.FILES)
def test_the_numbers_are_those_that_scripts_have_written(name):
    said, numbers = words_and_numbers(DOCUMENTS[name])
    now, wanted = words_and_numbers(update_readme.updated(DOCUMENTS[name]))
    assert said == now
    np.testing.assert_allclose(numbers, wanted, rtol=0.02, atol=0.01)


def test_asking_for_help_changes_no_document():
    before = [(path, path.stat().st_mtime_ns) for path in map(ROOT.joinpath, DOCUMENTS)]
    done = subprocess.run([sys.executable, ROOT / "scripts" / "update_readme.py", "--help"],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "Write into the READMEs" in done.stdout
    assert before == [(path, path.stat().st_mtime_ns) for path, _ in before]


@pytest.mark.parametrize("name, block", BLOCKS, ids=[f"{name}-{i}" for i, (name, _) in
                                                     enumerate(BLOCKS)])
def test_every_block_of_python_runs_and_prints_what_it_says(name, block, capsys):
    exec(compile(block, name, "exec"), {"__name__": name})
    said = re.findall(r"# -> (.*)", block)
    assert capsys.readouterr().out.splitlines() == said
    assert said or name == "CONTRIBUTING.md"                # a module prints nothing


def links(text):
    """The targets of links and images in Markdown and in HTML, without code."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    yield from re.findall(r"\]\(([^)]+)\)", text)
    yield from re.findall(r'(?:src|href)="([^"]+)"', text)


@each_document
def test_every_link_leads_to_a_file_or_a_heading(name):
    text = DOCUMENTS[name]
    headings = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
                for heading in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)}
    for link in links(text):
        path, _, heading = link.partition("#")
        assert not path or ((ROOT / name).parent / path).exists(), link
        assert path or heading in headings, link


@each_document
def test_every_image_says_what_it_shows(name):
    text = DOCUMENTS[name]
    said = [*re.findall(r"!\[(.*?)\]\(", text, flags=re.DOTALL),
            *re.findall(r'<img [^>]*?alt="(.*?)"', text, flags=re.DOTALL)]
    assert len(said) == len(re.findall(r"!\[|<img ", text))
    assert all(len(alt.split()) >= 10 for alt in said)


def test_the_gallery_shows_every_figure_once():
    shown = re.findall(r"^<!-- (figure_\w+) -->$", GALLERY, flags=re.MULTILINE)
    assert sorted(shown) == sorted(load("manifest.json"))


# How to read

def test_both_routes_are_complete_and_in_the_order_of_the_package():
    in_package = re.findall(r"^    (\w+) {2,}", gdl_numpy.__doc__, flags=re.MULTILINE)
    routes = [update_readme.reading_order(route) for route in ("chapter", "machinery")]
    for route in routes:
        assert route == [name for name in in_package if name in route]
    assert sorted(sum(routes, [])) == sorted(in_package) == MODULES


def test_package_and_table_name_the_same_sections_of_the_book():
    """As headings of modules: the name of each section in quotation marks, in the same order."""
    in_package = gdl_numpy.__doc__.split("\nThe chapter:")[1].split("\nThe machinery")[0]
    table = HOW_TO_READ.split("<!-- chapter -->\n")[1].split("<!-- end -->")[0]
    in_table = "".join(re.findall(r"^\| \*\*(.*?)\*\*", table, flags=re.MULTILINE))
    sections = [re.findall(r'"([^"]*)"', " ".join(text.split())) for text in (in_package, in_table)]
    assert "Hello, world" in sections[0]
    assert set(sections[0]) == set(sections[1]) and len(sections[0]) == len(sections[1])


def test_the_reading_order_links_every_module_to_the_test_that_it_has():
    for route in ("chapter", "machinery"):
        table = HOW_TO_READ.split(f"<!-- {route} -->\n")[1].split("<!-- end -->")[0]
        for concept, _, _, module, test, _ in map(update_readme.cells_of, table.splitlines()[2:]):
            if concept.startswith("**"):                    # a section of the book
                continue
            stem = re.match(r"\[(\w+)\]", module)[1]
            assert (f"test_{stem}.py" in test) == any((ROOT / "tests").rglob(f"test_{stem}.py"))


def test_every_erratum_named_in_a_module_has_its_test_and_its_row():
    tests = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
             for path in (ROOT / "tests").rglob("test_*.py")}
    named = [erratum for path in PACKAGE
             for erratum in update_readme.errata_of(path.read_text(encoding="utf-8")).items()]
    for erratum, file in named:
        assert file is None or f"def test_{erratum.lower()}_" in tests[file], (erratum, file)
    named = {erratum for erratum, _ in named}
    assert named == {name.upper() for text in tests.values()
                     for name in re.findall(r"def test_(e\d\d)_", text)}
    rows = re.findall(r"^\| (E\d\d) \|.*\[\w+\]\(.*\), \[test\]\(.*\) \|$", HOW_TO_READ,
                      flags=re.MULTILINE)
    assert rows == sorted(named)


def test_a_table_keeps_its_words_and_gets_the_links_that_are_right_today():
    old = "| p | p(x\\|y) | | [density](old/density.py) | [test](old.py) | [1-4](a.png) |"
    new, = update_readme.relinked(old)
    assert new == ("| p | p(x\\|y) | | [density](probability/density.py) "
                   "| [test](../tests/probability/test_density.py) | [1-4](a.png) |")
    new, = update_readme.errata("| E13 | stated | right | nowhere |")
    assert new == ("| E13 | stated | right | [family](probability/family.py), "
                   "[test](../tests/probability/test_family.py) |")


# The rules of the house

def test_the_new_family_of_the_rules_is_a_whole_module_whose_gradient_is_right():
    block, = (block for name, block in BLOCKS if name == "CONTRIBUTING.md")
    assert ast.get_docstring(ast.parse(block)).startswith("Product of logistics: ")
    assert max(map(len, block.splitlines())) <= 100
    names = {"__name__": "example"}
    exec(block, names)
    rng = np.random.default_rng(0)
    family = names["LogisticProductFamily"](2)
    theta, X = family.initial_theta(rng), rng.standard_normal((6, 2))
    check_gradient(lambda theta: family.log_prob(theta, X), theta, rng=rng)
    mu, s = theta[:2], np.exp(theta[2:])
    new = family(theta).sample(100_000, rng)
    error = np.pi * s / np.sqrt(3) / np.sqrt(100_000)       # of a mean
    assert (abs(new.mean(axis=0) - mu) < 5 * error).all()
    *_, step = family.train(new, rng, max_steps=2000, learning_rate=0.05, averaging=0.99)
    np.testing.assert_allclose(step.theta, theta, atol=0.05)


def test_the_rules_name_no_file_that_is_not_there():
    text = re.sub(r"```.*?```", "", DOCUMENTS["CONTRIBUTING.md"], flags=re.DOTALL)
    for name in re.findall(r"`([a-z_.]+/[a-z_/]+\.?\w*)`", text):
        homes = ROOT / name, ROOT / "gdl_numpy" / name
        assert any(path.exists() for path in homes) or "logistic_product" in name, name
