"""Proof: what must hold of the finished pages before they are written.

No dead link and no place twice; every picture with words; every numbered formula with its line and
every line with its formula; every erratum with its test; no letter that no font has; no address
outside of the book. What fails is named.
"""

import re
from collections import Counter
from html import unescape
from posixpath import dirname, join, normpath
from urllib.parse import unquote

from book import fonts


class Unproven(Exception):
    """The book cannot be bound: what is missing, by its name."""


class Page:
    """What a page of this book leads to, which places it has, and its faults.

    The pages are all made by the templates, so that regular expressions are enough to read them.
    """

    def __init__(self, html):
        self.targets = [unescape(found) for found in
                        re.findall(r'<[^>]*?\s(?:href|src)="([^"]*)"', html)]
        places = re.findall(r'<[^>]*?\sid="([^"]*)"', html)
        self.places = set(places)
        self.faults = [f"has the place {place} {n} times" for place, n in Counter(places).items()
                       if n > 1]
        self.faults += [f"shows a picture without an alt text: {picture}" for picture in
                        re.findall(r"<img[^>]*>", html)
                        if not re.search(r'\salt="\s*[^"\s]', picture)]
        self.faults += [f"has an address without double quotes: {tag}" for tag in
                        re.findall(r'(?i)<\w[^<>]*?\s(?:href|src)\s*=(?!")[^<>]*>', html)]
        text = re.sub(r'(?s)<(script|title|pre)\b.*?</\1>|<(\w+) lang="zh">.*?</\2>|<[^>]*>', " ",
                      html)
        self.faults += [f"does not mark as Chinese: {found}" for found in
                        fonts.CHINESE.findall(text)]


def prove(book, pages, texts, urls):
    """Raise Unproven, with all that is missing."""
    read = {url: Page(html) for url, html in pages.items()}
    faults = [f"{url} {fault}" for url, page in read.items() for fault in page.faults]
    faults += [f"{url} leads to {target}, {why}" for url, page in read.items()
               for target in page.targets if (why := dead(url, target, read, urls))]
    for url, text in texts.items():
        faults += [f"{url} has the letter {letter!r} (U+{ord(letter):04X}), which no font of the "
                   "book has" for letter in sorted(fonts.missing(text))]
        faults += [f"{url} names the remote address {address}" for address in remote(text)]
    for module in book.house.modules:
        faults += formulas_and_lines(module, pages[module.url])
    for name in book.house.errata:
        if name not in book.tests_of_erratum:
            faults.append(f"erratum {name} has no test")
    if faults:
        raise Unproven("; ".join(dict.fromkeys(faults)))


def dead(url, target, pages, urls):
    """Why a link leads nowhere, or None."""
    path, _, place = target.partition("#")
    if target.startswith("data:"):
        return None
    if re.match(r"[\w+.-]+:|//", target):
        return "a remote address"
    whole = normpath(join(dirname(url), unquote(path))) if path else url
    if whole not in urls:
        return "which is not there"
    if place and whole in pages and unquote(place) not in pages[whole].places:
        return "a place which is not there"
    return None


LOADED = [                                                  # from where a browser would load
    r'<\w[^>]*?\s(?:src|srcset|poster|data|action|background)="((?:\w+:)?//[^"]*)',
    r'<link\b[^>]*?href="((?:\w+:)?//[^"]*)',
    r"url\(\s*['\"]?((?:https?:)?//[^)]*)", r"@import\s+([^;]*)",
    r"(?:fetch|import|src\s*=)\s*\(?\s*['\"`]((?:https?:)?//[^'\"`]*)"]


def remote(text):
    """Addresses from which a browser would load something of another place."""
    return [found for pattern in LOADED for found in re.findall(pattern, text)]


def formulas_and_lines(module, html):
    """Numbers that stand in the header alone, or in the code alone."""
    header = set(map(int, re.findall(r'id="formula-(\d+)"', html)))
    lines = set(map(int, re.findall(r'id="line-of-(\d+)"', html)))
    for number in sorted(header ^ set(module.lines_of_formulas) | header ^ lines):
        where = "line" if number in header else "formula"
        yield f"{module.dotted}: ({number}) has no {where}"
