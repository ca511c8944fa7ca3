"""Tested: which tests exercise which definition, read off the tests and not run.

A test exercises what it names, and what the helpers, fixtures and lists that it names name in turn.
A method counts if the test asks for it by its name and names its class; XFamily and X belong
together, since a family makes the other. A private function is exercised by the tests of what calls
it. What stands in a register of tests/contracts/ is exercised by the contract tests.
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cache, cached_property

from book.house import imported_by
from reports import ROOT

TESTS = ROOT / "tests"
SPELLED = {word.lower(): word for word in (                 # which names of tests cannot spell
    "CUDA CuPy ELBO EM GPU JSON KL MLE MLP NaN NumPy PCA PPCA SciPy VAE Bayes Newton Langevin Adam "
    "Bernoulli Gibbs Fourier Parzen Jensen Shannon Gaussian Gaussians").split()}


@dataclass(eq=False)
class Test:
    """A test function: where it stands, and what it names."""
    name: str
    first: int
    last: int
    file: "TestFile"
    names: set = field(default_factory=set)                 # full names of gdl_numpy
    attributes: set = field(default_factory=set)

    @property
    def sentence(self):
        """Its name as it is read."""
        words = self.name.removeprefix("test_").replace("_", " ")
        words = re.sub(r"^e(\d\d)\b", lambda match: f"E{match[1]}:", words)
        words = words[0].upper() + words[1:]
        return re.sub(r"\w+", lambda word: SPELLED.get(word[0].lower(), word[0]), words)

    @property
    def erratum(self):
        match = re.match(r"test_e(\d\d)_", self.name)
        return f"E{match[1]}" if match else None

    @property
    def url(self):
        return f"{self.file.page}#{self.anchor}"

    @property
    def anchor(self):
        """Its place on a page; contracts of several files share one."""
        contract = self.file.path.parent.name == "contracts"
        return f"{self.file.path.stem}.{self.name}" if contract else self.name


class TestFile:
    """The tests of one file, with what each of them names, itself or through others."""

    __test__ = False

    def __init__(self, path, page):
        self.path, self.page = path, page
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)
        self.lines = self.text.splitlines()
        self.imported = imported_by(self.tree)
        self.top = {}                                       # name -> node that gives it a meaning
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.top[node.name] = node
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    for name in ast.walk(target):
                        if isinstance(name, ast.Name):
                            self.top[name.id] = node

    @cached_property
    def doc(self):
        return ast.get_docstring(self.tree) or ""

    @cached_property
    def tests(self):
        found = []
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                names, attributes = self.reached(node)
                found.append(Test(node.name, first, node.end_lineno, self, names, attributes))
        return found

    def reached(self, node):
        """Full names and attributes in a node and in all that it names in this file."""
        names, attributes, seen, todo = set(), set(), {node}, [node]
        while todo:
            own_names, own_attributes, others = self.named(todo.pop())
            names |= own_names
            attributes |= own_attributes
            todo += others - seen
            seen |= others
        return names, attributes

    @cache                                                  # noqa: B019 (one file, one run)
    def named(self, node):
        """Full names, attributes, and other nodes of this file that one node names."""
        names, attributes, others = set(), set(), set()
        for child in ast.walk(node):
            if isinstance(child, ast.Name | ast.arg):
                word = child.id if isinstance(child, ast.Name) else child.arg
                if word in self.imported:
                    names.add(self.imported[word])
                elif word in self.top:
                    others.add(self.top[word])
            elif isinstance(child, ast.Attribute):
                attributes.add(child.attr)
                if isinstance(child.value, ast.Name) and child.value.id in self.imported:
                    names.add(f"{self.imported[child.value.id]}.{child.attr}")
        return names, attributes, others


class Tested:
    """For each definition of the house its tests."""

    def __init__(self, house):
        self.house = house
        self.files = {module.url: TestFile(module.test_file, module.url)
                      for module in house.modules if module.test_file.exists()}
        self.contracts = [TestFile(path, "contracts.html")
                          for path in sorted((TESTS / "contracts").glob("test_*.py"))]
        self.registered = {name for path in (TESTS / "contracts").glob("register_*.py")
                           for name in imported_by(ast.parse(path.read_text("utf-8"))).values()}
        self.by_name = {}                                   # full name -> its tests
        for file in self.files.values():
            for test in file.tests:
                for name in test.names:
                    self.by_name.setdefault(name, []).append(test)
        self.heirs = self._heirs()
        self.words = {(module.url, definition.first): set(re.findall(
            r"\w+", "\n".join(module.lines[definition.first - 1:definition.last])))
            for module in house.modules for definition in module.definitions}

    def _heirs(self):
        """{full name of a class: those of all classes that inherit from it, and itself}."""
        parents = {}
        for module in self.house.modules:
            for name, bases in module.bases.items():
                parents[f"{module.dotted}.{name}"] = [
                    f"{module.dotted}.{base}" if base in module.bases else
                    module.imported.get(base, "") for base in bases]

        def above(name):
            return {name}.union(*(above(parent) for parent in parents.get(name, ())))

        heirs = {}
        for name in parents:
            for ancestor in above(name):
                heirs.setdefault(ancestor, set()).add(name)
        return heirs

    @property
    def all_files(self):
        """The test files of all modules, and the contracts."""
        return [*self.files.values(), *self.contracts]

    def text(self, module):
        """The test file of a module, "" where there is none."""
        return self.files[module.url].text if module.url in self.files else ""

    def own(self, module):
        """All tests of the file of a module."""
        return self.files[module.url].tests if module.url in self.files else []

    def of(self, module, definition):
        """The tests of a definition, those of its module first, and whether they name it, or only
        what calls it."""
        if definition.kind in ("imports", "constants"):
            return [], True
        seen, level = set(), [(module, definition)]
        while level:                                        # itself, its callers, theirs, ...
            tests = {test: None for pair in level for test in self.direct(*pair)}
            if tests:
                return sorted(tests, key=lambda test: (
                    test.file.page != module.url, test.file.page, test.first)), not seen
            seen |= {(home.url, found.first) for home, found in level}
            level = [pair for at in level for pair in self.callers(*at)
                     if (pair[0].url, pair[1].first) not in seen]
        return [], True

    def direct(self, module, definition):
        if definition.kind == "constants":
            return []
        owner, _, attribute = definition.name.rpartition(".")
        if not owner:
            return [test for name in self.together(module, definition.name)
                    for test in self.by_name.get(name, ())]
        tests = [test for name in self.together(module, owner)
                 for test in self.by_name.get(name, ())]
        return [test for test in tests
                if attribute.startswith("__") or attribute in test.attributes]

    def together(self, module, name):
        """Full names that mean a function; or a class, its family, and those that inherit."""
        full = f"{module.dotted}.{name}"
        heirs = self.heirs.get(full, {full})
        families = {f"{heir}Family" for heir in heirs} | {
            heir.removesuffix("Family") for heir in heirs}
        makers = {f"{module.dotted}.{maker}" for maker in module.makers.get(name, ())}
        return heirs | families | makers if name in module.bases else {full}

    def callers(self, module, definition):
        """Definitions whose lines name this one, in its module or where that is imported."""
        names = definition.names or (definition.short,)
        for other in self.house.modules:
            full = set(other.imported.values())
            if other is not module and module.dotted not in full and not any(
                    f"{module.dotted}.{name}" in full for name in names):
                continue
            for found in other.definitions:
                if found is not definition and found.kind != "imports" and any(
                        name in self.words[other.url, found.first] for name in names):
                    yield other, found

    def in_contracts(self, module, definition):
        """Whether the contract tests have it, by itself, by its class, or by its module."""
        owner = definition.name.partition(".")[0]
        return module.dotted in self.registered or not self.registered.isdisjoint(
            self.together(module, owner))
