"""Code: lines become colored lines, whose names lead to their definitions.

Pygments knows the kinds of words of Python. Which name means which definition is read off the
syntax tree: what is defined or imported in the module and not hidden by a name inside a function,
`module.name` of an imported module, and `self.name` of a class or its bases.
"""

import ast
import itertools
import re
from functools import cache
from html import escape

from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String

CLASSES = ((Comment, "c"), (Keyword, "k"), (String, "s"), (Number, "m"), (Operator.Word, "k"),
           (Name.Function, "f"), (Name.Class, "f"), (Name.Builtin.Pseudo, "c0"),
           (Name.Decorator, "d"))
LEXER = PythonLexer(stripnl=False, ensurenl=False)


@cache
def class_of(kind):
    return next((short for parent, short in CLASSES if kind in parent), "")


def lexed(source):
    """The lines of `source`, each a list of (class, word)."""
    lines = [[]]
    for kind, value in LEXER.get_tokens(source):
        short = class_of(kind)
        for i, text in enumerate(value.split("\n")):
            if i:
                lines.append([])
            if text:
                lines[-1].append((short, text))
    return lines


def colored(source, targets=None, lines=None):
    """The lines of `source` as HTML. `targets` {(line, column): (length, address)} become links;
    `lines` are those of lexed(source), if they are at hand."""
    targets, colored_lines = targets or {}, []
    for number, line in enumerate(lines or lexed(source), 1):
        parts, column = [], 0
        for short, text in line:
            inside = escape(text, quote=False)
            length, address = targets.get((number, column), (0, ""))
            if length == len(text):
                inside = f'<a href="{address}">{inside}</a>'
            parts.append((short, inside))
            column += len(text)
        colored_lines.append(joined(parts))
    return colored_lines


def joined(parts):
    """A line of (class, HTML); neighbors of the same class share an element."""
    return "".join(
        f'<span class="{short}">{inside}</span>' if short else inside
        for short, group in itertools.groupby(parts, key=lambda part: part[0])
        for inside in ["".join(text for _, text in group)])


def targets(tree, source, address_of, known, house=None, module=None):
    """{(line, column): (length, address)} for all names of a syntax tree that have a definition.

    `known` {name here: (module, name there)}; address_of(module, name) is where that stands.
    """
    found, lines = {}, source.splitlines()

    def mark(node_line, byte_column, name, home):
        column = len(lines[node_line - 1].encode()[:byte_column].decode())
        found[node_line, column] = len(name), address_of(*home)

    def visit(node, hidden, inside):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            hidden = hidden | local_names(node)
        if isinstance(node, ast.ClassDef):
            inside = node.name
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gdl_numpy"):
            for alias in node.names:
                if alias.name in known and not alias.asname:
                    mark(alias.lineno, alias.col_offset, alias.name, known[alias.name])
        if isinstance(node, ast.Name) and node.id in known and node.id not in hidden and (
                isinstance(node.ctx, ast.Load)):
            mark(node.lineno, node.col_offset, node.id, known[node.id])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            home, owner = None, node.value.id
            if owner == "self" and module is not None and inside:
                home = house.method(module, inside, node.attr)
            elif owner in known and owner not in hidden:
                other, name = known[owner]
                if not name and node.attr in other.by_name:         # of an imported module
                    home = other, node.attr
                elif name and house is not None:
                    home = house.method(other, name, node.attr)
            if home:
                end = node.end_col_offset - len(node.attr.encode())
                mark(node.end_lineno, end, node.attr, home)
        for child in ast.iter_child_nodes(node):
            visit(child, hidden, inside)

    visit(tree, frozenset(), None)
    return found


def local_names(function):
    """The names that a function gives a meaning of its own."""
    arguments = function.args
    names = {argument.arg for argument in (*arguments.args, *arguments.kwonlyargs,
                                           *arguments.posonlyargs, arguments.vararg,
                                           arguments.kwarg) if argument}
    if isinstance(function, ast.FunctionDef):
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.FunctionDef) and node is not function:
                names.add(node.name)
    return names


def without_numbers(line):
    """A colored line without the numbers of formulas at its end, and these numbers."""
    match = re.search(r'<span class="c">([^<]*?)((?:\(\d+\)[, ]*)+)</span>$', line)
    if not match:
        return line, []
    comment, before = match[1].rstrip(" ,"), line[:match.start()]
    if comment != "#":
        before += f'<span class="c">{comment}</span>'
    return before.rstrip(), [int(number) for number in re.findall(r"\d+", match[2])]
