"""Cutting: from a function of the package to a reader's file, and from that file into a copy.

Nothing is run: source text is taken apart by its syntax tree, so that a file of any reader can be
looked at, and what it says stands in the copy word for word.

    start      the header's formulas, imports, signature, docstring, checks of arguments; no body
    read       the reader's file as text, or Unreadable, which says what is wrong and in which line
    pasted     the module of the package with the reader's function in the place of its own
"""

import ast
import copy
import re
import textwrap
import warnings
from dataclasses import dataclass

from course import ROOT, Question, helpers

EMPTY = "raise NotImplementedError"
LARGEST = 10**6                                             # bytes of a reader's file


class Unreadable(Exception):
    """What is wrong with a reader's file, in a few lines."""


# The package's own

def package_source(exercise):
    return (ROOT / exercise.source).read_text(encoding="utf-8")


def found(tree, qualname):
    """The node of a function, and that of the statement of the module in which it stands."""
    node = top = None
    body = tree.body
    for name in qualname.split("."):
        node = [n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)
                and n.name == name][-1]
        top, body = top or node, node.body
    return node, top


def first_line(node):
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def body_of(node):
    """The statements after the docstring."""
    return node.body[1:] if ast.get_docstring(node) is not None else node.body


def segment(lines, first, last):
    """The lines from first to last, counted from 1, without their common indentation."""
    return textwrap.dedent("\n".join(lines[first - 1:last]))


def own_code(exercise):
    """The package's own function, as it stands there."""
    source = package_source(exercise)
    node, _ = found(ast.parse(source), exercise.qualname)
    return segment(source.split("\n"), first_line(node), node.end_lineno)


def numbers(lines):
    """The numbers of the formulas that these lines of code compute."""
    comments = [line.partition("#")[2] for line in lines]
    return {int(number) for comment in comments
            for number in re.findall(r"\((\d+)\)", re.search(r"(?:\(\d+\)[, ]*)*$", comment)[0])}


def formulas(exercise):
    """The header's formulas that the function computes, a list of texts, one for each number.

    A formula ends at its number, and begins after the one before it or after an empty line.
    """
    source = package_source(exercise)
    tree, lines = ast.parse(source), source.split("\n")
    node, _ = found(tree, exercise.qualname)
    wanted = numbers(lines[body_of(node)[0].lineno - 1:node.end_lineno])
    taken, block = {}, []
    for line in ast.get_docstring(tree, clean=False).split("\n"):
        block = [*block, line] if line.startswith("  ") else []
        if number := re.search(r"\s+\((\d+)\)$", line) if block else None:
            block[-1] = f"{line[:number.start()]}    ({number[1]})"
            taken[int(number[1])], block = textwrap.dedent("\n".join(block)), []
    return [taken[n] for n in sorted(wanted)]


def used(node):
    """The names that a function reads."""
    return {n.id for part in [*node.decorator_list, *node.body, *node.args.defaults]
            for n in ast.walk(part) if isinstance(n, ast.Name)}


def imports(exercise, tree, node):
    """What the function needs of others and of its own module, as lines of code."""
    needed, lines = used(node), []
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            aliases = [alias for alias in statement.names
                       if (alias.asname or alias.name).partition(".")[0] in needed]
            if aliases:
                kept = type(statement)(**(dict(ast.iter_fields(statement)) | {"names": aliases}))
                lines.append(ast.unparse(kept))
    own = {name for statement in tree.body for name in defined(statement)}
    own = sorted(needed & own - {node.name})
    if own:
        lines.append(f"from gdl_numpy.{exercise.module} import {', '.join(own)}")
    standard = [line for line in lines if "gdl_numpy" not in line]
    house = sorted(line for line in lines if "gdl_numpy" in line)
    text = "\n\n".join("\n".join(some) for some in (standard, house) if some)
    return re.sub(r"^(from \S+ import )(.{70,})$", r"\1(\n    \2)", text, flags=re.M)


def defined(statement):
    """The names that a statement of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    return {n.id for n in ast.walk(statement)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def is_check(statement, lines):
    """Whether a statement only looks at arguments, and computes no formula."""
    text = "\n".join(lines[statement.lineno - 1:statement.end_lineno])
    plain = isinstance(statement, ast.Assign | ast.Expr) or (
        isinstance(statement, ast.If) and isinstance(statement.body[0], ast.Raise)
        and not statement.orelse)
    return plain and not numbers(text.split("\n")) and (
        "checks." in text or isinstance(statement, ast.If) or asks_for_the_module(statement))


def asks_for_the_module(statement):
    """Whether a statement is `xp = array_module(x)`, perhaps with more beside it."""
    value = statement.value
    return any(isinstance(part, ast.Call) and ast.unparse(part.func) == "array_module"
               for part in (value.elts if isinstance(value, ast.Tuple) else [value]))


def opening(node, lines):
    """The checks with which a function begins, and the statements after them, its body proper."""
    body, count = body_of(node), 0
    while count < len(body) - 1 and is_check(body[count], lines):
        count += 1
    return body[:count], body[count:]


# The reader's file

def start(exercise, *ways):
    """What a reader's file begins with; `ways` are commands for it."""
    if isinstance(exercise, Question):
        return f'{header(exercise, [], ways)}\n\n{exercise.start.strip()}\n'
    source = package_source(exercise)
    tree, lines = ast.parse(source), source.split("\n")
    node, top = found(tree, exercise.qualname)
    more = []
    if texts := formulas(exercise):
        texts = textwrap.indent("\n".join(texts), "    ")
        more.append(f"From the header of the module:\n\n{texts}")
    more += helpers.described(exercise, tree, node, top)
    checks, body = opening(node, lines)
    head = segment(lines, first_line(node), body[0].lineno - 1).rstrip()
    if checks:
        more.append("What stands in the body looks at arguments, and may stay"
                    + ("; xp is NumPy." if "xp" in head else "."))
    code = f'{head}\n    {EMPTY}("{exercise.name} is for you to write")'
    parts = [header(exercise, more, ways), imports(exercise, tree, node), f"\n{code}\n"]
    return "\n\n".join(filter(None, parts))


def header(exercise, more, ways):
    """The docstring of a reader's file."""
    asks = textwrap.fill(exercise.asks, 98)
    what = exercise.erratum if isinstance(exercise, Question) else exercise.qualname
    trials = "Trials of your own go to the end of this file, below `if __name__ == \"__main__\":`."
    parts = [f"{exercise.name}: {exercise.level}", asks, f"{what}, {exercise.source.as_posix()}",
             *more, *filter(None, ["\n".join(f"    {way}" for way in ways)]), trials]
    docstring = "\n\n".join(parts).replace("\\", "\\\\")
    return f'"""{docstring}\n"""'


def read(path):
    """The text of a reader's file, and its syntax tree."""
    try:
        if not path.is_file():
            raise Unreadable(f"{path} is not a file")
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"{path} has more than {LARGEST:,} bytes, which is no exercise")
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b"\n") + 1
        byte = f"0x{content[error.start]:02x}"
        raise Unreadable(f"{path}, line {line}: the byte {byte} is not UTF-8, "
                         "in which a file must be saved") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return text, ast.parse(text)
    except SyntaxError as error:
        shown = ""
        if error.text is not None and error.offset is not None:
            code = error.text.rstrip("\n")[:200]
            shown = f"\n    {code}\n    {' ' * (min(error.offset, len(code) + 1) - 1)}^"
        at = f", line {error.lineno}" if error.lineno else ""
        raise Unreadable(f"{path}{at}: {error.msg}{shown}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(f"{path} is no Python: {str(error) or 'it is nested too deep'}") from error


@dataclass(frozen=True)
class Pasted:
    """A module's text; for each of its lines, from 1 on, that of the reader's file, or None."""
    text: str
    lines: list


def pasted(exercise, text, tree, path, mark=""):
    """The module with the reader's function, below the line `mark`, and with the rest of the file.

    What stands before the reader's function goes before the function or class of the package, and
    what stands after it to the end. Imports from the same module are left out: there the names are
    at hand.
    """
    source = package_source(exercise)
    lines, theirs = source.split("\n"), text.split("\n")
    node, top = found(ast.parse(source), exercise.qualname)
    mine = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == exercise.function]
    if not mine:
        raise Unreadable(f"{path} defines no function {exercise.function}: its name must stay")
    mine = mine[-1]
    if signature(mine) != signature(node):
        raise Unreadable(f"{path}, line {mine.lineno}: the signature must stay\n"
                         f"    {signature(node)}\nand is\n    {signature(mine)}")
    others = [n for n in tree.body if n is not mine and not at_hand(n, exercise)]
    before, after = ([n for n in others if (n.lineno < mine.lineno) == early]
                     for early in (True, False))
    parts = [(lines[:first_line(top) - 1], None)]
    parts += [(theirs[first - 1:last], first) for first, last in map(span, before)]
    parts.append((lines[first_line(top) - 1:first_line(node) - 1], None))
    first, last = span(mine)
    indent, code = node.col_offset * " ", theirs[first - 1:last]
    within = {line for n in ast.walk(mine) if isinstance(n, ast.Constant | ast.JoinedStr)
              for line in range(n.lineno + 1, n.end_lineno + 1)}    # of texts of several lines
    code = [line if i in within or not line else indent + line
            for i, line in enumerate(code, first)]
    at_def = mine.lineno - first
    parts += [(code[:at_def], first), ([indent + mark] if mark else [], None),
              (code[at_def:], mine.lineno), (lines[node.end_lineno:], None)]
    parts += [(theirs[first - 1:last], first) for first, last in map(span, after)]
    numbered = [(line, None if start is None else start + i)
                for some, start in parts for i, line in enumerate(some)]
    return Pasted("\n".join(line for line, _ in numbered) + "\n",
                  [None, *(number for _, number in numbered)])


def span(node):
    return first_line(node) if hasattr(node, "decorator_list") else node.lineno, node.end_lineno


def signature(node):
    """Decorators, name and arguments, as one text; types that a reader adds do not count."""
    arguments = copy.deepcopy(node.args)
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    decorators = [f"@{ast.unparse(decorator)} " for decorator in node.decorator_list]
    return f"{''.join(decorators)}def {node.name}({ast.unparse(arguments)})"


def at_hand(node, exercise):
    """Whether a statement of the reader's file is left out: text, trial, name at hand."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.ImportFrom):
        own = node.module == f"gdl_numpy.{exercise.module}" and not any(
            alias.asname for alias in node.names)
        return own or node.module == "__future__"
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
