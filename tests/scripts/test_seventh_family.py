"""A seventh family is one file: the example of CONTRIBUTING.md is added to a copy of the house."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLE, = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.S)
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.svg", "*.png", "*.pdf", "build", "dist")


def add_line(path, before, line):
    """Put `line` into the file in front of the text `before`, which stands in it once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path.name}: {before!r}"
    path.write_text(text.replace(before, f"{line}\n{before}"), encoding="utf-8")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the house with one more model: one file, and a line wherever models are listed."""
    house = tmp_path_factory.mktemp("seventh") / "house"
    shutil.copytree(ROOT, house, ignore=LEFT_OUT)
    for path in [house, *house.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)             # the checkout may be read-only
    package = house / "gdl_numpy"
    (package / "models" / "logistic_product.py").write_text(EXAMPLE, encoding="utf-8")
    add_line(package / "__init__.py", "    taxonomy ", "    logistic_product   a hump")
    add_line(package / "README.md", "| taxonomy |",
             "| product of logistics | | 逻辑斯谛之积 | [logistic_product]() | | |")
    add_line(house / "tests" / "contracts" / "register_of_families.py", '    "BoxFamily": ',
             '    "LogisticProductFamily": Entry(lambda a: find("LogisticProductFamily")(2)),')
    return house


def python(house, *arguments):
    """What a fresh interpreter prints in the copy; it must end well."""
    done = subprocess.run([sys.executable, *arguments], cwd=house, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(house)})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_taxonomy_hangs_it_on_its_branch(house):
    tree = python(house, "-c", "from gdl_numpy import taxonomy; print(taxonomy.tree())")
    assert re.search(r"'tractable': \[[^]]*'Product of logistics'", tree)


def test_the_scoreboard_lists_it_and_fits_it(house):
    assert "logistic_product" in python(house, "scripts/scoreboard.py", "--list").split()
    fit = ("import sys; sys.path.insert(0, 'scripts'); import numpy; import recipes; "
           "rng = numpy.random.default_rng(0); X = rng.normal([20, 50], [15, 30], (500, 2)); "
           "p = recipes.fit_model('logistic_product', X, rng, seconds=90); "
           "print(p.log_prob(X).mean() > -9.2, p.sample(3, rng).shape)")
    assert python(house, "-c", fit).split("\n")[-2] == "True (3, 2)"


def test_it_keeps_the_promises_of_all_families_and_stands_in_both_reading_orders(house):
    python(house, "scripts/update_readme.py")
    python(house, "-m", "pytest", "-p", "no:cacheprovider", "-k", "LogisticProduct or register",
           "tests/contracts/test_contract_families.py")
    python(house, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_structure.py")
    assert "[logistic_product](gdl_numpy/models/logistic_product.py)" in (
        house / "README.md").read_text(encoding="utf-8")
