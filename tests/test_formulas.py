"""Formulas and lines: each numbered formula has a line of its number, in the same order.

    header    y = W x + b                                                   (2)
    code      y = W @ x + b                                                 # (2)
"""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

import gdl_numpy

MODULES = sorted(path for path in Path(gdl_numpy.__file__).parent.rglob("*.py")
                 if path.name != "__init__.py")
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)


def numbers_of_header(source):
    """The numbers at the right margin of the module's docstring, in their order."""
    lines = (ast.get_docstring(ast.parse(source)) or "").splitlines()
    return [int(number[1]) for line in lines if (number := re.search(r"\s\((\d+)\)$", line))]


def numbers_of_code(source):
    """The numbers that comments name, `# (2)` or `# ..., (2), (3)`, in the order of the lines."""
    comments = [token.string for token in tokenize.generate_tokens(io.StringIO(source).readline)
                if token.type == tokenize.COMMENT]
    return [int(number) for comment in comments
            for number in re.findall(r"\((\d+)\)", re.search(r"(?:\(\d+\)[, ]*)*$", comment)[0])]


@each_module
def test_every_numbered_formula_has_its_line_and_every_numbered_line_its_formula(path):
    source = path.read_text(encoding="utf-8")
    assert set(numbers_of_header(source)) == set(numbers_of_code(source))


@each_module
def test_formulas_are_numbered_from_one_on_and_the_code_comes_to_them_in_that_order(path):
    source = path.read_text(encoding="utf-8")
    header = numbers_of_header(source)
    assert header == list(range(1, len(header) + 1))
    assert list(dict.fromkeys(numbers_of_code(source))) == header


def test_a_line_without_its_formula_is_found():
    source = '"""Title.\n\n    y = 2 x     (1)\n"""\ny = 2 * x      # doubled, (1), (2)\n'
    assert numbers_of_header(source) == [1] and numbers_of_code(source) == [1, 2]
