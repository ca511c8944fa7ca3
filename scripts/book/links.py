"""Links: a name in the text leads to where it is defined, on the page that shows it."""

import re
from html import escape

from book.proof import Unproven
from book.typeset import formula
from reports import ROOT
from update_readme import ROOMS

WORD = re.compile(r"(?P<before>[(\"']*)(?P<name>figure_\d_\d\d_\w+|tests/[\w/]+\.py|test_e\d\d\w*"
                  rf"|(?:scripts|{'|'.join(ROOMS)})/\w+\.py|\w+\.py|E\d\d)(?P<after>\W*)")


class Links:
    """The links of one page, whose folder is `depth` below the cover."""

    def __init__(self, book, depth=0, module=None, owner=None):
        self.book, self.module, self.base = book, module, "../" * depth
        self.owner = owner                                  # the class whose words these are

    def to(self, url):
        """The address of a page of the book, seen from here."""
        path, mark, name = url.partition("#")
        if self.module and path == self.module.url and mark:
            return mark + name
        return self.base + url

    def address(self, module, name):
        return self.to(f"{module.url}#{name}" if name else module.url)

    def code(self, text):
        """`text` between backticks: linked, if it is a name with a definition."""
        place = self.place_of(text)
        if place:
            return f'<code><a href="{place}">{escape(text)}</a></code>'
        if re.fullmatch(r"[xXzZyθ∂]|.*[_^]\{.*", text):
            return formula(text)
        return f"<code>{escape(text)}</code>"

    def place_of(self, text):
        """The address of what `text` names, or None. The nearest meaning counts: that of its class,
        of its module, of what the module imports, and last a name that only one module has."""
        name = re.sub(r"\(.*", "", text).removeprefix("self.").removeprefix("gdl_numpy.")
        if not re.fullmatch(r"[A-Za-z_][\w.]*", name):
            return self.file(text)
        house, module = self.book.house, self.module
        home = None
        if module is not None:
            owner, _, attribute = name.rpartition(".")
            if self.owner and not owner:
                home = house.method(module, self.owner, name)
            if home is None and name in module.by_name:
                home = module, name
            if home is None and owner in module.by_name:
                home = house.method(module, owner, attribute)
            if home is None and name in module.imported:
                home = house.resolve(module.imported[name])
            methods = [full for full in module.by_name if full.endswith(f".{name}")]
            if home is None and len(methods) == 1 and not name.startswith("__"):
                home = module, methods[0]
        stem, _, rest = name.partition(".")
        if home is None and stem in house.by_stem and rest in house.by_stem[stem].by_name:
            home = house.by_stem[stem], rest
        home = home or house.resolve(f"gdl_numpy.{name}") or self.book.unique.get(name)
        if home is None and name in house.by_stem and "_" in name:
            home = house.by_stem[name], ""
        return self.address(*home) if home else None

    def file(self, path):
        """The page that shows a file of the project, or None."""
        url = self.book.url_of_file(path)
        return self.to(url) if url else None

    def here(self):
        """What has these words."""
        return self.module.dotted if self.module else "a text"

    def word(self, word):
        """A word of a sentence that names a figure, a file or an erratum, as a link; or None."""
        match = WORD.fullmatch(word)
        if not match:
            return None
        name, place = match["name"], None
        if name.startswith("figure_"):
            name = name.removesuffix(".png").removesuffix(".svg")
            if name not in self.book.house.figures:
                raise Unproven(f"{self.here()} names {name}, which figures/manifest.json has not")
            place = f"gallery.html#{name}"
        elif re.fullmatch(r"E\d\d", name):
            place = f"errata.html#{name}" if name in self.book.house.errata else None
        elif name.startswith("test_e"):
            tests = self.book.tests_of_erratum.get(f"E{name[6:8]}", ())
            place = tests[0].url if tests else None
        else:
            place = self.book.url_of_file(name)
        if place is None and name.startswith("tests/"):
            raise Unproven(f"{self.here()} names {name}, which is not there")
        if place is None:
            return None
        shown = escape(name) if re.fullmatch(r"E\d\d", name) else f"<code>{escape(name)}</code>"
        return (f'{escape(match["before"])}<a href="{self.to(place)}">{shown}</a>'
                f'{escape(match["after"])}')


def file_of(name):
    """The file of the project that a text calls by this name, or None."""
    for folder in ("", "gdl_numpy", "scripts"):
        path = ROOT / folder / name
        if path.is_file():
            return path
    found = list((ROOT / "gdl_numpy").rglob(name)) if re.fullmatch(r"\w+\.py", name) else []
    return found[0] if len(found) == 1 else None
