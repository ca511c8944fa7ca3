"""Binding: all pages of the book, and the files beside them.

`Book()` reads the sources, `pages()` makes the pages, and `write(folder)` proves them (proof.py)
and writes them with their pictures, fonts and search. Nothing is written if something is missing.
All is written beside the book that was there, and then moved to its place, so that a full disk or
Ctrl-C leaves no half book. Pages of modules that are gone are removed.
"""

import ast
import os
import re
import tempfile
from functools import cache, cached_property
from pathlib import Path

import jinja2
from book import code, finding, fonts, markdown, pages, proof
from book.ahead import Ahead
from book.house import House, imported_by
from book.links import Links, file_of
from book.pictures import webp
from book.tested import Tested
from book.typeset import formula
from markupsafe import Markup
from reports import ROOT

HERE = Path(__file__).parent
OURS = '<meta name="generator" content="make_book.py">'     # in each page, and in no other file


class Book:
    """The whole book, in memory. `ahead` may have a second process, which makes it sooner there."""

    def __init__(self, ahead=None):
        self.ahead = ahead or Ahead()
        self.house = House()
        self.ahead.ask(webp, [figure.image for figure in self.house.figures.values()])
        self.tested = Tested(self.house)
        self.ahead.ask(code.lexed, [text for module in reversed(self.house.modules)
                                    for text in (self.tested.text(module), module.source)])
        self.files = {}                                     # shown as they are: url -> path
        tests = [test for file in self.tested.all_files for test in file.tests]
        self.tests_of_erratum = {}
        for test in tests:
            if test.erratum:
                self.tests_of_erratum.setdefault(test.erratum, []).append(test)
        homes = {}
        for module in self.house.modules:
            for name in module.by_name:
                homes.setdefault(name, []).append((module, name))
        options = {argument.arg for module in self.house.modules
                   for argument in ast.walk(module.tree) if isinstance(argument, ast.arg)}
        self.unique = {name: found[0] for name, found in homes.items()
                       if len(found) == 1 and name not in options
                       and found[0][0].stem != "checks"}
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
            for file in self.tested.all_files:
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
        def address(target, is_image=False):
            path, mark, name = target.partition("#")
            if not path:
                return target
            if re.match(r"\w+:", path):
                raise proof.Unproven(f"a README of {folder or 'the project'} leads out: {target}")
            whole = markdown.joined(folder, path)
            if whole.startswith("figures/") and whole.endswith((".png", ".svg")):
                figure = Path(whole).stem
                return "../" * depth + (f"figures/{figure}.webp" if is_image
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
        made = {"index.html": pages.cover(self), "gallery.html": pages.gallery(self),
                "errata.html": pages.errata(self), "contracts.html": pages.contracts(self),
                "how_to_read.html": pages.how_to_read(self)}
        made |= {module.url: pages.of_module(self, module) for module in self.house.modules}
        for figure in self.house.figures.values():          # whose scripts are always shown
            self.url_of_file(f"scripts/{figure.name}.py")
        done = set()
        while set(self.files) - done:                       # one file may lead to another
            for url in sorted(set(self.files) - done):
                made[url] = pages.of_file(self, self.files[url])
                done.add(url)
        return made

    def rendered(self, template, depth=0, bare=False, **values):
        """A page from its template; if it is bare, its contents name no modules."""
        return self.templates.get_template(template).render(
            base="../" * depth, links=Links(self, depth), bare=bare, **values)

    def listing(self, test, depth):
        """The colored code of a test, on a page so far below the cover."""
        lines = self.colored_tests(test.file)[test.first - 1:test.last]
        return "\n".join(lines).replace('<a href="', f'<a href="{"../" * depth}')

    @cache                                                  # noqa: B019 (one book, one run)
    def colored_tests(self, file):
        return self.colored(file.text, Links(self), file.tree)

    def colored(self, text, links, tree=None, module=None):
        """Lines of Python with links, as HTML; of a module, its own names lead home, too."""
        tree = tree or ast.parse(text)
        known = {name: home for name, full in imported_by(tree).items()
                 if (home := self.house.resolve(full))}
        if module is not None:
            known |= {name: (module, name) for name in module.by_name if "." not in name}
        where = code.targets(tree, text, links.address, known, self.house, module)
        return code.colored(text, where, self.ahead.get(code.lexed, text))

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
        images = list(self.images())
        made = self.pages()
        index = finding.script(finding.index_of(self.house, self.tested))
        pictures = {f"figures/{path.stem}.webp": self.ahead.get(webp, path) for path in images}
        pictures |= {f"figures/{path.name}": path.read_bytes()
                     for path in (ROOT / "figures").glob("*.gif")}
        texts = {**made, **self.static, "assets/index.js": index}
        letters = "".join(set("".join(texts.values())))
        proof.prove(self, made, texts, {*texts, *pictures, "assets/fonts.css"})
        texts["assets/fonts.css"] = fonts.stylesheet(letters)
        contents = {url: text.encode() for url, text in texts.items()} | pictures
        replace(folder, contents)
        return list(made)


def replace(folder, contents):
    """Write the files {url: bytes} of a book in the place of an earlier one."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        new = Path(name)
        for url, content in contents.items():
            (new / url).parent.mkdir(parents=True, exist_ok=True)
            (new / url).write_bytes(content)
        for url in contents:
            (folder / url).parent.mkdir(parents=True, exist_ok=True)
            os.replace(new / url, folder / url)
    for within in {(folder / url).parent for url in contents}:          # and not in others
        for page in within.glob("*.html"):
            if page.relative_to(folder).as_posix() not in contents and is_ours(page):
                page.unlink()


def is_ours(page):
    """Whether a file is a page of an earlier book."""
    return page.is_file() and not page.is_symlink() and OURS.encode() in page.read_bytes()[:400]
