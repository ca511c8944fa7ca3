"""Structure: imports point downward, importing is quiet, what is public is explained."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gdl_numpy

PACKAGE = Path(gdl_numpy.__file__).parent
READING_ORDER = re.findall(r"^    (\w+) {2,}", gdl_numpy.__doc__, flags=re.MULTILINE)
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__init__.py"]
NAMES = [".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in SOURCES]
each_module = pytest.mark.parametrize(
    "name, tree", [(name, ast.parse(path.read_text(encoding="utf-8")))
                   for name, path in zip(NAMES, SOURCES, strict=True)], ids=NAMES)


def imports(tree):
    """The full names of the modules that `tree` imports, at its top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a module is imported by its full name"
            whole = [f"gdl_numpy.{alias.name}" for alias in node.names]
            yield from whole if node.module == "gdl_numpy" else [node.module]


def public(node):
    """The public functions, classes and methods defined in `node`."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            yield child
            yield from public(child) if isinstance(child, ast.ClassDef) else ()


@each_module
def test_a_module_imports_only_what_is_read_before_it_and_no_model_another(name, tree):
    here = name.rpartition(".")[2]
    assert here in READING_ORDER, f"{name} is missing in the docstring of the package"
    before = READING_ORDER[:READING_ORDER.index(here)]
    for other in imports(tree):
        if other.startswith("gdl_numpy."):
            assert other.rpartition(".")[2] in before, f"{name} imports {other}"
            assert not (name.startswith("models.") and other.startswith("gdl_numpy.models."))


@each_module
def test_the_package_needs_numpy_alone_and_asks_for_cupy_in_one_place(name, tree):
    cupy = ["cupy"] * (name == "numerics.backend")
    allowed = {"gdl_numpy", "numpy", *sys.stdlib_module_names, *cupy}
    assert {other.partition(".")[0] for other in imports(tree)} <= allowed


@each_module
def test_what_is_public_and_longer_than_three_lines_has_a_docstring(name, tree):
    assert ast.get_docstring(tree)
    for node in public(tree):
        lines = node.end_lineno - node.body[0].lineno + 1
        assert lines <= 3 or ast.get_docstring(node), f"{name}: {node.name} has no docstring"


def test_importing_the_package_prints_nothing_and_brings_in_numpy_alone():
    heavy = {"matplotlib", "cupy", "scipy", "sklearn", "tqdm"}
    modules = ", ".join(f"gdl_numpy.{name}" for name in NAMES)
    program = f"import sys, {modules}; assert not {heavy} & set(sys.modules)"
    result = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=PACKAGE.parent,
                            capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
