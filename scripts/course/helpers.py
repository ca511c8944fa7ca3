"""Helpers: what a function of the package calls, as a reader who has not seen it must know it.

A reader's file begins with the imports of the package's own function. A name alone does not say
what comes back, a value, or a value and its pullback. So each helper stands in the head of the file
with its arguments and the first paragraph of its text, and a method with that of its class, where
the shapes of its attributes are.

    logsumexp(x, axis=-1)    what its docstring says
    self.log_joint(X)        the same of a method, of this class or of one it is derived from
"""

import ast
import textwrap
from pathlib import Path

from course import ROOT

WITHOUT_SAYING = {"checks", "array_module"}                 # which "look at arguments"


def described(exercise, tree, node, top):
    """What stands in the head of a reader's file about the class and the helpers, as texts."""
    names, attributes = reads(node)
    known = [(name, *definition(name, tree)) for name in sorted(names - WITHOUT_SAYING - {
        node.name, top.name})]
    calls = [(name, n) for name, n, _ in known if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    constants = [ast.unparse(n) for _, n, _ in known if isinstance(n, ast.Assign)]
    values = []
    for name in attributes if node is not top else ():
        n = method(name, top, tree)
        if n is None or any("property" in ast.unparse(d) for d in n.decorator_list):
            values.append(f"self.{name}")
        else:
            calls.append((f"self.{name}", n))
    texts = []
    if node is not top:
        texts.append(f"It is a method of this class:\n\n{entry(top.name, top)}")
    if values:
        texts.append(filled(f"At hand: {', '.join(values)}."))
    if calls:
        texts.append("Helpers:\n\n" + "\n".join(entry(call(name, n), n) for name, n in calls))
    if constants:
        texts.append("Constants:\n\n" + "\n".join(
            textwrap.indent(filled(text, 90), "    ") for text in constants))
    return texts


def entry(title, node):
    """A name, and below it the first paragraph of its text."""
    text = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    text = textwrap.indent(filled(text, 90), "    ")
    return textwrap.indent(f"{title}\n{text}".rstrip(), "    ")


def filled(text, width=98):
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def reads(node):
    """The names that the body reads, and the attributes of self, sorted."""
    inner = [n for statement in node.body for n in ast.walk(statement)]
    return ({n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)},
            sorted({n.attr for n in inner if isinstance(n, ast.Attribute)
                    and isinstance(n.value, ast.Name) and n.value.id == "self"}))


def definition(name, tree):
    """The statement that defines a name in a module of the package, and the module's tree; or None
    and the tree, for what comes from elsewhere."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef) and statement.name == name or (
                isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name):
            return statement, tree
        if isinstance(statement, ast.ImportFrom) and statement.module.startswith("gdl_numpy."):
            path = (ROOT / Path(*statement.module.split("."))).with_suffix(".py")
            if name in {alias.name for alias in statement.names} and path.is_file():
                return definition(name, ast.parse(path.read_text(encoding="utf-8")))
    return None, tree


def method(name, owner, tree):
    """The method of a class, or of what it is derived from; None for other attributes."""
    for statement in owner.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            return statement
    for base in owner.bases:
        parent, home = definition(ast.unparse(base), tree)
        found = method(name, parent, home) if isinstance(parent, ast.ClassDef) else None
        if found is not None:
            return found
    return None


def call(name, node):
    """How it is called."""
    if isinstance(node, ast.ClassDef):
        node = method("__init__", node, ast.Module([], [])) or node
    if isinstance(node, ast.ClassDef):
        return name
    arguments = ast.unparse(node.args)
    return f"{name}({arguments.removeprefix('self').removeprefix(', ')})"

