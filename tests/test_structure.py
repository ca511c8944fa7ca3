"""Structure: imports point downward, importing is quiet, what is public is explained."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gdl_numpy

PACKAGE = Path(gdl_numpy.__file__).parent
ROOMS = ["numerics", "probability", "world", "networks", "labels", "pictures", "representation",
         "agents", "models", "taxonomy"]                    # each imports only from those before it
READING_ORDER = re.findall(r"^    (\w+) {2,}", gdl_numpy.__doc__, flags=re.MULTILINE)
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__init__.py"]
NAMES = [".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in SOURCES]
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
each_module = pytest.mark.parametrize(
    "name, tree", list(zip(NAMES, TREES, strict=True)), ids=NAMES)


def imports(tree):
    """The full names of the modules that `tree` imports, at its top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a module is imported by its full name"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name.removeprefix("gdl_numpy.") in NAMES else node.module
                        for name in whole)


def public(node):
    """The public functions, classes and methods defined in `node`."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            yield child
            yield from public(child) if isinstance(child, ast.ClassDef) else ()


@each_module
def test_imports_between_rooms_point_one_way_and_no_model_imports_another(name, tree):
    room = name.partition(".")[0]
    for other in (other.split(".") for other in imports(tree) if other.startswith("gdl_numpy.")):
        assert ROOMS.index(other[1]) <= ROOMS.index(room), f"{name} imports {'.'.join(other)}"
        assert not (room == other[1] == "models"), f"{name} imports {'.'.join(other)}"


def test_imports_have_no_circle():
    order = graphlib.TopologicalSorter({
        name: [other.removeprefix("gdl_numpy.") for other in imports(tree)
               if other.startswith("gdl_numpy.")]
        for name, tree in zip(NAMES, TREES, strict=True)})
    assert set(order.static_order()) == set(NAMES)


def test_every_module_stands_once_in_the_reading_order():
    assert sorted(READING_ORDER) == sorted(name.rpartition(".")[2] for name in NAMES)


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


def test_programs_that_use_the_older_names_still_run():
    from gdl_numpy.models.diffusion import Diffusion
    from gdl_numpy.representation import manifold
    assert Diffusion.ode_log_prob is Diffusion.flow_log_prob
    assert manifold.neighbour_regression is manifold.neighbor_regression
