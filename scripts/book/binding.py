"""Binding: all pages of the book, and the files beside them.

`Book()` reads the sources, `pages()` makes the pages, and `write(folder)` proves them (proof.py)
and writes them with their pictures, fonts and search. Nothing is written if something is missing.
"""

import ast
import re
from collections import Counter
from functools import cache, cached_property
from html import escape
from pathlib import Path

import jinja2
import update_readme
from book import code, finding, fonts, markdown, proof, prose
from book.house import House, imported_by
from book.links import Links, file_of
from book.pictures import converted
from book.tested import Tested
from book.typeset import formula
from markupsafe import Markup
from reports import ROOT

HERE = Path(__file__).parent
TITLE = "Generative Modeling"
MANY = 8                                                    # tests of other modules in a list


class Book:
    """The whole book, in memory."""

    def __init__(self):
        self.house = House()
        self.tested = Tested(self.house)
        self.files = {}                                     # shown as they are: url -> path
        tests = [test for file in [*self.tested.files.values(), *self.tested.contracts]
                 for test in file.tests]
        self.tests_of_erratum = {}
        for test in tests:
            if test.erratum:
                self.tests_of_erratum.setdefault(test.erratum, []).append(test)
        homes = {}
        for module in self.house.modules:
            for name in module.by_name:
                homes.setdefault(name, []).append((module, name))
        self.unique = {name: found[0] for name, found in homes.items() if len(found) == 1}
        self.templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"), trim_blocks=True,
            lstrip_blocks=True, undefined=jinja2.StrictUndefined, autoescape=True)
        self.templates.globals.update(house=self.house, safe=Markup, book=self)
        self.templates.filters["formula"] = lambda text: Markup(formula(text))

    # Where things are

    def url_of_file(self, name):
        """The page that shows a file of the project, or None where there is no such file."""
        path = file_of(name)
        if path is None:
            return None
        parts = path.relative_to(ROOT).parts
        if parts[0] == "gdl_numpy" and path.suffix == ".py" and path.name != "__init__.py":
            return next(module.url for module in self.house.modules if module.path == path)
        if parts[0] == "tests":
            for file in [*self.tested.files.values(), *self.tested.contracts]:
                if file.path == path:
                    return f"{file.page}#{path.stem if file.page == 'contracts.html' else 'tests'}"
        special = {"README.md": "index.html", "gdl_numpy/README.md": "how_to_read.html",
                   "figures/README.md": "gallery.html"}.get("/".join(parts))
        if special:
            return special
        url = "files/" + "-".join(parts) + ".html"
        self.files[url] = path
        return url

    def target_of(self, folder, depth):
        """A function: where a link of a README in `folder` leads, seen from its page."""
        def address(target):
            path, mark, name = target.partition("#")
            if not path:
                return target
            if re.match(r"\w+:", path):
                raise proof.Unproven(f"a README of {folder or 'the project'} leads out: {target}")
            whole = markdown.joined(folder, path)
            if whole.startswith("figures/") and whole.endswith((".png", ".svg")):
                figure = Path(whole).stem
                return "../" * depth + (f"figures/{figure}.webp" if whole.endswith(".png")
                                        else f"gallery.html#{figure}")
            if whole.endswith(".gif"):
                return "../" * depth + whole
            if (ROOT / whole).is_dir():
                return "../" * depth + f"index.html#{Path(whole).name}"
            url = self.url_of_file(whole)
            if url is None:
                raise proof.Unproven(f"{folder}/README.md leads to {target}, which is not there")
            return "../" * depth + url + mark + name
        return address

    def marked(self, text, folder="", depth=0):
        """Markdown of a README in `folder` as HTML, on a page so far below the cover."""
        return markdown.as_html(text, self.target_of(folder, depth), Links(self, depth))

    # Pages

    def pages(self):
        """{url: HTML} of all pages."""
        pages = {"index.html": self.cover(), "gallery.html": self.gallery(),
                 "errata.html": self.errata(), "how_to_read.html": self.how_to_read(),
                 "contracts.html": self.contracts()}
        pages |= {module.url: self.page_of(module) for module in self.house.modules}
        for figure in self.house.figures.values():          # whose scripts are always shown
            self.url_of_file(f"scripts/{figure.name}.py")
        done = set()
        while set(self.files) - done:                       # one file may lead to another
            for url in sorted(set(self.files) - done):
                pages[url] = self.page_of_file(self.files[url])
                done.add(url)
        return pages

    def rendered(self, template, depth=0, **values):
        return self.templates.get_template(template).render(
            base="../" * depth, links=Links(self, depth), **values)

    def cover(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        intro = readme.split("\n\n")[1]
        table = re.search(r"<!-- scoreboard -->\n(.*?)<!-- end -->", readme, flags=re.DOTALL)[1]
        after = readme.split(table)[1].split("\n\n")[1]
        return self.rendered(
            "cover.html", title=TITLE, here="index.html", intro=self.marked(intro),
            scoreboard=self.marked(table), about=self.marked(after),
            story=self.house.figures["figure_1_06_story"],
            numbers={name: figure.numbers for name, figure in self.house.figures.items()},
            rooms={room: update_readme.about_room(room).partition("): ")[2]
                   for room in update_readme.ROOMS})

    def gallery(self):
        text = (ROOT / "figures" / "README.md").read_text(encoding="utf-8")

        def framed(match):
            """The place of a figure, and the modules behind it, around what the README has."""
            name, inside = match[1], match[2]
            if name not in self.house.figures:
                return inside
            modules = ", ".join(f"[{module.concept}](../{module.path.relative_to(ROOT)})"
                                for module in self.house.figures[name].modules)
            inside = re.sub(r",\s+\[SVG\]\([^)]*\)\)", ")", inside)
            return (f'<section class="figure" id="{name}">\n\n{inside}\n\n'
                    f"Behind it: {modules}.\n\n</section>\n")

        text = re.sub(r"<!-- (\w+) -->\n(.*?)<!-- end -->", framed, text, flags=re.DOTALL)
        return self.rendered("document.html", title="Figures and numbers", here="gallery.html",
                             content=self.marked(without_title(text), "figures"))

    def how_to_read(self):
        text = re.sub(r"<!-- errata -->.*?<!-- end -->", "[All errata](README.md#errata) with "
                      "their tests have a page of their own.", self.house.how_to_read,
                      flags=re.DOTALL)
        html = self.marked(without_title(text), "gdl_numpy")
        html = html.replace('href="how_to_read.html#errata"', 'href="errata.html"')
        return self.rendered("document.html", title="How to read", here="how_to_read.html",
                             content=html)

    def errata(self):
        links = Links(self)
        rows = [{"name": name, "stated": prose.sentence(stated, links),
                 "right": prose.sentence(right, links),
                 "modules": [module for module in self.house.modules
                             if name in update_readme.errata_of(module.source)],
                 "tests": self.tests_of_erratum.get(name, [])}
                for name, (stated, right) in self.house.errata.items()]
        return self.rendered("errata.html", title="Errata", here="errata.html", rows=rows)

    def contracts(self):
        return self.rendered("contracts.html", title="Contracts", here="contracts.html",
                             files=self.tested.contracts)

    def page_of_file(self, path):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".md":
            content = self.marked(without_title(text), path.parent.relative_to(ROOT).as_posix(), 1)
        elif path.suffix == ".py":
            lines = self.colored(text, Links(self, 1))
            content = numbered(lines)
        else:
            content = numbered([escape(line) for line in text.splitlines()])
        figure = self.house.figures.get(path.stem)
        return self.rendered("file.html", 1, title=name, here=name, content=content, figure=figure)

    def page_of(self, module):
        links = Links(self, module.url.count("/"), module)
        known = {name: home for name, full in module.imported.items()
                 if (home := self.house.resolve(full))}
        known |= {name: (module, name) for name in module.by_name if "." not in name}
        where = code.targets(module.tree, module.source, links.address, known, self.house, module)
        lines = code.colored(module.source, where)
        texts = formulas_of(module.doc)
        blocks = prose.blocks(module.doc)
        i = self.house.modules.index(module)
        return self.rendered(
            "module.html", module.url.count("/"), title=module.concept, here=module.url,
            module=module, texts=texts, blocks=[
                (number, prose.as_html(block, links, texts)) for number, block in
                enumerate(blocks, 1) if block.kind != "errata" and number > 1],
            subtitle=prose.sentence(module.subtitle, links),
            errata=[(name, prose.sentence(self.house.errata[name][0], links),
                     prose.sentence(right, links),
                     self.tests_of_erratum.get(name, ())) for block in blocks
                    for name, (_, right) in block.errata.items()],
            rows=[self.row(module, definition, lines, links, texts)
                  for definition in module.definitions],
            tests=self.sections_of_tests(module),
            previous=self.house.modules[i - 1] if i else None,
            following=self.house.modules[i + 1] if i + 1 < len(self.house.modules) else None)

    def row(self, module, definition, lines, links, texts):
        """A definition as the page shows it: its words, its tests, its formulas, its lines."""
        shown, formulas_here = [], {}
        for number in range(definition.first, definition.last + 1):
            if number in definition.doc_lines:
                continue
            line, of_formulas = code.without_numbers(lines[number - 1])
            of_formulas = [n for n in of_formulas if n in texts]
            for n in of_formulas:
                formulas_here.setdefault(n, number)
            firsts = [n for n in of_formulas if module.lines_of_formulas[n][0] == number]
            shown.append((number, line, of_formulas, firsts))
        blocks = prose.blocks(definition.doc)
        tests = self.tested.of(module, definition)
        contracts = self.tested.in_contracts(module, definition)
        if not tests and not contracts and definition.kind not in ("imports", "constants"):
            raise proof.Unproven(f"{module.dotted}.{definition.name} has no test")
        return {"definition": definition, "lines": shown, "formulas": formulas_here,
                "doc": [prose.as_html(block, links) if block.kind != "paragraph" else
                        prose.as_html(block, links, texts) for block in blocks],
                "wide": any(block.kind != "paragraph" for block in blocks),
                "own": [test for test in tests if test.file.page == module.url],
                "others": elsewhere([test for test in tests if test.file.page != module.url]),
                "n_tests": len(tests),
                "contracts": contracts}

    def sections_of_tests(self, module):
        """[(heading, tests)] of the test file of a module, as its comments divide it."""
        file = self.tested.files.get(module.url)
        if file is None:
            raise proof.Unproven(f"{module.dotted} has no test file "
                                 f"{module.test_file.relative_to(ROOT)}")
        headings = [(i, line[2:]) for i, line in enumerate(file.lines, 1)
                    if re.match(r"# [A-Z]", line)]
        sections = []
        for test in file.tests:
            heading = next((text for i, text in reversed(headings) if i < test.first), "")
            if not sections or sections[-1][0] != heading:
                sections.append((heading, []))
            sections[-1][1].append(test)
        return sections

    def listing(self, test, depth):
        """The colored code of a test, on a page so far below the cover."""
        lines = self.colored_tests(test.file)[test.first - 1:test.last]
        return "\n".join(lines).replace('<a href="', f'<a href="{"../" * depth}')

    @cache                                                  # noqa: B019 (one book, one run)
    def colored_tests(self, file):
        return self.colored(file.text, Links(self), file.tree)

    def colored(self, text, links, tree=None):
        """Lines of Python with links, as HTML."""
        tree = tree or ast.parse(text)
        known = {name: home for name, full in imported_by(tree).items()
                 if (home := self.house.resolve(full))}
        return code.colored(text, code.targets(tree, text, links.address, known, self.house))

    # Files

    @cached_property
    def static(self):
        return {f"assets/{path.name}": path.read_text(encoding="utf-8")
                for path in sorted((HERE / "static").iterdir())}

    def images(self):
        """The files of the figures in their order."""
        for figure in self.house.figures.values():
            if not figure.image.is_file():
                raise proof.Unproven(f"the figure {figure.image.name} is missing: make_figures.py")
            yield figure.image

    def write(self, folder):
        """Make all, prove it, and write it into `folder`; returns the addresses of the pages."""
        with converted(list(self.images())) as figures:     # while the pages are made
            pages = self.pages()
            index = finding.script(finding.index_of(self.house, self.tested))
            pictures = {f"figures/{name}.webp": picture
                        for name, picture in zip(self.house.figures, figures, strict=True)}
        pictures |= {f"figures/{path.name}": path.read_bytes()
                     for path in (ROOT / "figures").glob("*.gif")}
        texts = {**pages, **self.static, "assets/index.js": index}
        letters = "".join(set("".join(texts.values())))
        proof.prove(self, pages, texts, {*texts, *pictures, "assets/fonts.css"})
        texts["assets/fonts.css"] = fonts.stylesheet(letters)
        contents = {url: text.encode() for url, text in texts.items()} | pictures
        for url, content in contents.items():
            (folder / url).parent.mkdir(parents=True, exist_ok=True)
            (folder / url).write_bytes(content)
        return list(pages)


def elsewhere(tests):
    """Tests of other modules as [(what the link says, its address)]; many, one for each module."""
    if len(tests) <= MANY:
        return [(test.sentence, test.url) for test in tests]
    counted = Counter(test.file for test in tests)
    return [(f"{n} test{'s' * (n > 1)} of {file.path.stem.removeprefix('test_')}",
             f"{file.page}#tests") for file, n in counted.items()]


def without_title(text):
    return re.sub(r"^# .*\n", "", text, count=1)


def formulas_of(doc):
    """{number: the formula as HTML} of a header; what goes on from the line above, with it."""
    found = {}
    for block in prose.blocks(doc):
        before = ""
        for line in block.lines if block.kind == "formulas" else ():
            parts, number = prose.cut(line, numbered=True)
            text = "   ".join(part.text for part in parts)
            if text.startswith(prose.RELATIONS):
                text = f"{before} {text}"
            before = text
            if number:
                found[number] = formula(text)
    return found


def numbered(lines):
    return '<pre class="code" tabindex="0">' + "\n".join(
        f'<span id="L{i}">{line}</span>' for i, line in enumerate(lines, 1)) + "</pre>"
