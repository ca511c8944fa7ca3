"""Fonts: the letters of the book, cut out of free fonts.

A page must look the same where no font has been installed and no network is at hand, so the book
brings its letters along: STIX (like Times, made for mathematics) and DejaVu Sans Mono, which
Matplotlib ships. Of each only the letters that some page uses are kept. A letter that none of them
has would be shown as an empty box on some machine, so the build stops and names it. Chinese letters
alone are left to the reader's system: a font that has them is larger than the book.
"""

import base64
import io
import logging
import re
from functools import cache
from pathlib import Path

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont

FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FACES = [                                                   # family, weight, style, file
    ("Book", 400, "normal", "STIXGeneral"), ("Book", 400, "italic", "STIXGeneralItalic"),
    ("Book", 700, "normal", "STIXGeneralBol"), ("Book", 700, "italic", "STIXGeneralBolIta"),
    ("Code", 400, "normal", "DejaVuSansMono"), ("Code", 700, "normal", "DejaVuSansMono-Bold")]
CHINESE = re.compile("[\u3000-\u9fff\uff00-\uffef]+")       # ideographs, and their punctuation


@cache
def letters_of(file):
    return set(TTFont(FOLDER / f"{file}.ttf").getBestCmap())


def missing(text):
    """The letters of `text` that no font of the book has."""
    known = letters_of("STIXGeneral") | letters_of("DejaVuSansMono")
    return {letter for letter in set(text)
            if ord(letter) not in known and not CHINESE.match(letter) and letter not in "\n\t"}


def stylesheet(text):
    """The CSS that brings the letters of `text` along."""
    return "\n".join(
        f"@font-face{{font-family:{family};font-weight:{weight};font-style:{style};"
        f"font-display:block;src:url(data:font/woff;base64,{cut(file, text)})format('woff')}}"
        for family, weight, style, file in FACES) + "\n"


def cut(file, text):
    """The font `file` with the letters of `text` alone, as text."""
    options = subset.Options(flavor="woff", notdef_outline=True, hinting=False,
                             layout_features=["kern", "mark", "mkmk", "ccmp"])
    logging.getLogger("fontTools.subset").setLevel(logging.ERROR)       # tables that it drops
    font = TTFont(FOLDER / f"{file}.ttf", recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    font.flavor = "woff"
    held = io.BytesIO()
    font.save(held)
    return base64.b64encode(held.getvalue()).decode()
