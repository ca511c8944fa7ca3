"""Markdown: the READMEs become pages, their links lead to other pages of the book."""

import re
from html import escape
from pathlib import PurePosixPath

from book.code import colored
from book.fonts import CHINESE
from book.prose import formulas, sentence
from markdown_it import MarkdownIt


def as_html(text, address_of, links):
    """`text` as HTML; address_of(target, is_image) turns where it leads into an address."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text)
    for i, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[i + 1].content))
        for child in token.children or ():
            for name in ("href", "src"):
                if child.attrGet(name):
                    child.attrSet(name, address_of(child.attrGet(name), name == "src"))
            if child.type == "image":
                child.attrSet("loading", "lazy")
    parser.renderer.rules["code_block"] = lambda tokens, i, *_: formulas(
        tokens[i].content.rstrip().splitlines())
    parser.renderer.rules["fence"] = lambda tokens, i, *_: listing(tokens[i])
    parser.renderer.rules["text"] = lambda tokens, i, *_: CHINESE.sub(
        r'<span lang="zh">\g<0></span>', in_words(tokens, i, links))
    parser.renderer.rules["table_open"] = lambda *_: '<div class="table" tabindex="0"><table>'
    parser.renderer.rules["table_close"] = lambda *_: "</table></div>"
    return parser.renderer.render(tokens, parser.options, {})


def in_words(tokens, i, links):
    """The text of a token, typeset; inside of a link there is no other."""
    linked = i > 0 and tokens[i - 1].type == "link_open"
    return escape(tokens[i].content) if linked else sentence(tokens[i].content, links)


def listing(token):
    lines = (colored(token.content.rstrip("\n")) if token.info == "python" else
             [escape(line) for line in token.content.rstrip("\n").split("\n")])
    return '<pre class="example" tabindex="0">' + "\n".join(lines) + "</pre>\n"


def anchor(heading):
    """The name of a heading in addresses, as forges make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def joined(folder, target):
    """The path, from the root of the project, to which a link in `folder` leads."""
    parts = []
    for part in PurePosixPath(folder, target).parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
