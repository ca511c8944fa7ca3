"""House: what there is to show, read from the sources and not imported.

A `Module` is a file of gdl_numpy with its row in a table of gdl_numpy/README.md: concept, symbol,
Chinese term, figures. Its `Definition`s are what can be named in it: functions, classes, methods
and constants. The `House` holds all of them, in reading order, with the figures and their scripts.
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import update_readme
from book.proof import Unproven
from files import read_json
from reports import ROOT

PACKAGE = ROOT / "gdl_numpy"
HELPERS = {"fifty_points", "latent_planes", "exhibition", "recipes", "sailors"}     # of scripts
REPORTS = {"scoreboard.json": "recipes", "faces.json": "compare_faces",     # and who makes them
           "benchmark_models.json": "benchmark_models"}


@dataclass
class Definition:
    """Lines `first` to `last` of a module that belong to one name, or to several constants."""
    name: str                                               # Box.log_prob; "" for plain lines
    kind: str                       # imports, constants, function, class, method
    first: int
    last: int
    doc: str = ""
    doc_lines: range = range(0)
    names: tuple = ()                                       # of constants
    heading: str = ""                                       # a comment that stands alone above it

    @property
    def short(self):
        return self.name.rpartition(".")[2]

    @property
    def public(self):
        return bool(self.name) and not any(part.startswith("_") and not part.startswith("__")
                                           for part in self.name.split("."))


@dataclass
class Module:
    path: Path
    concept: str
    symbol: str
    chinese: str
    figures: list                                           # (what the link says, its name)
    route: str                                              # chapter or machinery
    section: str
    number: int = 0

    @cached_property
    def source(self):
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self):
        return ast.parse(self.source, str(self.path))

    @cached_property
    def lines(self):
        return self.source.splitlines()

    @property
    def stem(self):
        return self.path.stem

    @cached_property
    def dotted(self):
        """Its full name: gdl_numpy.probability.density."""
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)

    @cached_property
    def url(self):
        return self.path.relative_to(PACKAGE).with_suffix(".html").as_posix()

    @property
    def test_file(self):
        folder = self.path.relative_to(PACKAGE).parent
        return ROOT / "tests" / folder / f"test_{self.stem}.py"

    @cached_property
    def doc(self):
        return ast.get_docstring(self.tree) or ""

    @property
    def subtitle(self):
        """The first line of the header after its concept."""
        return self.doc.partition("\n\n")[0].partition(": ")[2].replace("\n", " ")

    @cached_property
    def lines_of_formulas(self):
        """{number: [lines of code whose comment ends with it]}."""
        found = {}
        for i, line in enumerate(self.lines, 1):
            comment = re.search(r"#[^#\"']*?((?:\(\d+\)[, ]*)+)$", line)
            for number in re.findall(r"\((\d+)\)", comment[1]) if comment else ():
                found.setdefault(int(number), []).append(i)
        return found

    @cached_property
    def definitions(self):
        found, lines = list(definitions_of(self.tree, self.lines)), [*self.lines, ""]
        for definition in found:
            while lines[definition.last].startswith(" ") and (
                    lines[definition.last].lstrip().startswith("#")):
                definition.last += 1                        # a comment on its last line goes on
        ends = [self.tree.body[0].end_lineno] + [definition.last for definition in found]
        for definition, end in zip(found, ends, strict=False):
            between = self.lines[end:definition.first - 1]
            definition.heading = " ".join(line.strip(" #") for line in between if line.strip())
        return found

    @cached_property
    def by_name(self):
        return ({definition.name: definition for definition in self.definitions if definition.name}
                | {name: definition for definition in self.definitions
                   for name in definition.names})

    @cached_property
    def imported(self):
        """{name here: full name} of what is imported from gdl_numpy."""
        return imported_by(self.tree)

    @cached_property
    def classes(self):
        return [node for node in self.tree.body if isinstance(node, ast.ClassDef)]

    @cached_property
    def bases(self):
        """{class: [names of its bases]}."""
        return {node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
                for node in self.classes}

    @cached_property
    def makers(self):
        """{class: what makes one}: the families whose family(theta) it is, and functions."""
        found = {}
        calls = [(family.name, call) for family in self.classes for call in family.body
                 if isinstance(call, ast.FunctionDef) and call.name == "__call__"]
        functions = [(node.name, node) for node in self.tree.body
                     if isinstance(node, ast.FunctionDef)]
        for maker, body in calls + functions:
            for name in ast.walk(body):
                if isinstance(name, ast.Name) and name.id in self.bases:
                    found.setdefault(name.id, set()).add(maker)
        return found


@cache
def imported_by(tree):
    """{name here: full name} of what a file imports from gdl_numpy, at its top."""
    return {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in tree.body
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gdl_numpy")
            for alias in node.names}


def words_of(tree):
    """Modules that a script imports by a bare name, and the texts in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def definitions_of(tree, lines):
    """The definitions of a module in the order of their lines, each with the comments above it."""
    statements = tree.body[1:] if ast.get_docstring(tree) else tree.body
    plain = []
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from loose(plain, lines)
            plain = []
            yield from (class_and_methods(node, lines) if isinstance(node, ast.ClassDef)
                        else [definition(node, "function", node.name, lines)])
        else:
            if plain and is_import(plain[-1]) != is_import(node):
                yield from loose(plain, lines)
                plain = []
            plain.append(node)
    yield from loose(plain, lines)


def is_import(node):
    return isinstance(node, ast.Import | ast.ImportFrom)


def loose(nodes, lines):
    """Imports or constants that stand together."""
    if nodes:
        kind = "imports" if is_import(nodes[0]) else "constants"
        names = () if kind == "imports" else tuple(
            name.id for node in nodes for target in targets(node)
            for name in ast.walk(target) if isinstance(name, ast.Name))
        yield Definition("", kind, with_comments(nodes[0].lineno, lines), nodes[-1].end_lineno,
                         names=names)


def targets(node):
    return node.targets if isinstance(node, ast.Assign) else (
        [node.target] if isinstance(node, ast.AnnAssign) else [])


def with_comments(line, lines):
    while line > 1 and lines[line - 2].lstrip().startswith("#"):
        line -= 1
    return line


def definition(node, kind, name, lines, last=None):
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    doc, doc_lines = ast.get_docstring(node) or "", range(0)
    if doc:
        doc_lines = range(node.body[0].lineno, node.body[0].end_lineno + 1)
    return Definition(name, kind, with_comments(first, lines), last or node.end_lineno, doc,
                      doc_lines)


def class_and_methods(node, lines):
    """The class up to its first method, and each method."""
    methods = [child for child in node.body if isinstance(child, ast.FunctionDef)]
    found = [definition(child, "method", f"{node.name}.{child.name}", lines) for child in methods]
    starts = [method.first for method in found] + [node.end_lineno + 1]
    head = definition(node, "class", node.name, lines, last=starts[0] - 1)
    while not lines[head.last - 1].strip():
        head.last -= 1
    yield head
    for method, end in zip(found, starts[1:], strict=True):
        method.last = max(method.last, end - 1)             # with what follows, as an alias
        while not lines[method.last - 1].strip():
            method.last -= 1
        yield method


def between_marks(text, name, file):
    """What stands between <!-- name --> and <!-- end --> in a file, which is `text`."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", text, flags=re.DOTALL)
    if not found:
        raise Unproven(f"{file} has no <!-- {name} -->")
    return found[1]


@dataclass
class Figure:
    """A figure with what its manifest says, and its script."""
    name: str
    title: str
    alt: str
    note: str
    numbers: dict
    modules: list = field(default_factory=list)             # behind it: urls and concepts

    @property
    def image(self):
        return ROOT / "figures" / f"{self.name}.png"

    @property
    def script(self):
        return ROOT / "scripts" / f"{self.name}.py"

    @property
    def word(self):
        """What it is called: Figure 1-6, world."""
        _, chapter, number, word = self.name.split("_", 3)
        return f"Figure {chapter}-{int(number)}, {word.replace('_', ' ')}"


class House:
    """All modules in reading order, both routes, all figures, all errata."""

    def __init__(self):
        self.how_to_read = (PACKAGE / "README.md").read_text(encoding="utf-8")
        self.modules = [module for route in ("chapter", "machinery")
                        for module in self.rows(route)]
        for number, module in enumerate(self.modules, 1):
            module.number = number
        for path in sorted(PACKAGE.rglob("*.py")):
            if path.name != "__init__.py" and path not in [module.path for module in self.modules]:
                raise Unproven(f"{path.relative_to(PACKAGE)} is in no table of gdl_numpy/README.md")
        self.by_dotted = {module.dotted: module for module in self.modules}
        self.by_stem = {module.stem: module for module in self.modules}
        manifest = read_json(ROOT / "figures" / "manifest.json")
        if not isinstance(manifest, dict):
            raise Unproven("figures/manifest.json holds no figures by their names")
        self.figures = {name: self.figure(name, entry) for name, entry in manifest.items()}
        self.errata = self.table_of_errata()

    def table(self, name):
        return between_marks(self.how_to_read, name, "gdl_numpy/README.md").splitlines()

    def rows(self, route):
        """The modules of one route, with the section of the chapter to which each belongs."""
        section = ""
        for row in self.table(route)[2:]:
            cells = [cell.replace("\\|", "|") for cell in update_readme.cells_of(row)]
            named = re.match(r"\[(\w+)\]\(", cells[3])
            if not named:
                section = cells[0].strip("*")
                continue
            figures = re.findall(r"\[([^\]]+)\]\([^)]*/(figure_\w+)\.png\)", cells[5])
            yield Module(update_readme.module(named[1]), cells[0], cells[1], cells[2], figures,
                         route, section)

    def figure(self, name, entry):
        for key in ("title", "alt", "numbers"):
            if key not in entry or not str(entry[key]).strip():
                raise Unproven(f"figures/manifest.json has no {key} of {name}")
        figure = Figure(name, entry["title"], entry["alt"], entry.get("note", ""),
                        entry["numbers"])
        figure.modules = self.behind(figure.script)
        return figure

    def behind(self, script):
        """The modules of the chapter that a script imports, itself or through its helpers, or that
        the script imports which made the report that it draws."""
        seen, found, todo = set(), set(), [script]
        while todo:
            path = todo.pop()
            if path in seen or not path.exists():
                continue
            seen.add(path)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for full in imported_by(tree).values():
                found |= {full, full.rpartition(".")[0]}
            todo += [path.with_name(f"{name}.py") for name in HELPERS & set(words_of(tree))]
            todo += [path.with_name(f"{REPORTS[name]}.py") for name in words_of(tree)
                     if name in REPORTS]
        behind = [module for module in self.modules if module.dotted in found]
        return [module for module in behind if module.route == "chapter"] or behind

    def table_of_errata(self):
        """{"E07": (stated, right)}."""
        found = {}
        for row in self.table("errata")[2:]:
            cells = [cell.replace("\\|", "|") for cell in update_readme.cells_of(row)]
            found[cells[0]] = cells[1], cells[2]
        return found

    def resolve(self, dotted):
        """(module, name) of a full name such as gdl_numpy.probability.density.Box; or None."""
        if dotted in self.by_dotted:
            return self.by_dotted[dotted], ""
        head, _, tail = dotted.rpartition(".")
        module = self.by_dotted.get(head)
        if module and tail in module.by_name:
            return module, tail
        if module and tail in module.imported:              # handed on by another module
            return self.resolve(module.imported[tail])
        return None

    def method(self, module, name, attribute):
        """(module, full name) of a method of the class `name` or of a base of it; or None."""
        if f"{name}.{attribute}" in module.by_name:
            return module, f"{name}.{attribute}"
        for base in module.bases.get(name, ()):
            home = (module, base) if base in module.by_name else self.resolve(
                module.imported.get(base, ""))
            if home and (found := self.method(*home, attribute)):
                return found
        return None
