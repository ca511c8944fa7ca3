"""Typeset: a formula in plain Unicode becomes one with indices, exponents and hats.

The formulas of this project are written so that a terminal can show them: x_i, R^d, x̂, Lᵀ, <=. Here
such a text is cut into pieces, and each kind of piece is set as books set it: a letter stands for a
quantity and is italic, a word or a number is upright, an index is small and low.

>>> formula("Σ_i x_i² <= 2 log p_data(x̂)")
'Σ<sub><i>i</i></sub> <i>x</i><sub><i>i</i></sub><sup>2</sup> ≤ 2 log\
 <i>p</i><sub>data</sub>(<span class="hat"><i>x</i><b>ˆ</b></span>)'
"""

import re
import unicodedata
from html import escape

RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀ½", "0123456789−+T½")
SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "...": "…", "~": "∼", "-": "−", "*": "∗"}
UPRIGHT = "ΣΠΔ∂∇∞∫"                                         # signs, not quantities
MARKS = {"\u0302": ("hat", "ˆ"), "\u0304": ("bar", "¯"), "\u0307": ("dot", "˙")}
LETTER = r"[A-Za-zµℓ\u0391-\u03c9]"

PIECES = re.compile(rf"""
    (?P<code>`[^`]+`)
  | (?P<name>d?log_\w+ | \bE\d\d\b | log1p | expm1        # names of the code, and of errata
      | (?<![\w)}}\]\u0302\u0304\u0307])_[a-z]\w{{2,}}
      | \bn_[a-z]{{3,}} | \b[XU]_hat | \bd_(?:in|out)\b
      | (?!\w+_[ijkl]{{2}}\b)[A-Za-z]{{2,}}\d*(?:[._][A-Za-z][A-Za-z0-9]+)+\w*)
  | (?P<raised>[⁰¹²³⁴-⁹⁻⁺ᵀ]+|\^(?:½|-?[^\W_]+|\([^()]*(?:\([^()]*\)[^()]*)*\)|\{{[^{{}}]*\}}))
  | (?P<index>_(?:<?[^\W_⁰¹²³⁴-⁹ᵀ]+|\{{[^{{}}]*\}}))
  | (?P<marked>{LETTER}[\u0302\u0304\u0307])
  | (?P<possessive>(?<=\w)'s\b)
  | (?P<prime>(?<=[A-Za-z\u0391-\u03c9)\]])'(?![a-z]))
  | (?P<hyphened>(?<=[a-z])-(?=[a-z]{{2}})|(?<=\d)-(?=\d))
  | (?P<sign><=|>=|!=|->|\.\.\.|[~*-])
  | (?P<differential>(?<!{LETTER})d(?=(?!o){LETTER}\d?(?!{LETTER})))
  | (?P<numbered>(?:(?<![A-Za-z])|(?<=(?<![A-Za-z])d)){LETTER}(?=\d))
  | (?P<word>[A-Za-z]{{2,}}(?:'[a-z]+)?|C(?=\slibrary)|[EM](?=\sstep)|(?<=°\s)[NESW]\b)
  | (?P<letter>{LETTER})
  | (?P<digits>\d[\d.,]*\d(?:e-?\d+)?|\d(?:e-?\d+)?)
  | (?P<other>.)
""", re.VERBOSE | re.DOTALL)
ARTICLES = re.compile(r"\s+(?:[A-Z]?[a-z`\"*][\w`\"*-]|[A-Z]{2}|[\d\u0391-\u03c9`])")
NO_NOUNS = re.compile(
    r"\s+(?:is|are|and|or|of|for|to|in|if|as|by|with|at|on|has|be|from|so|times|becomes|where|around"
    r"|because|which|when|until|need|needs|but|than|then|make|makes|lies|cos|sin|exp|tanh"
    r"|log(?! [a-z]{4}))\b")                               # but a log density


def formula(text):
    """The formula `text` as HTML."""
    text = decomposed(text)
    out, lower_digits = [], False
    for piece in PIECES.finditer(text):
        kind, part = piece.lastgroup, piece[0]
        if lower_digits:                                    # x1 means x with the index 1
            out.append(f"<sub>{escape(part)}</sub>")
            lower_digits = False
            continue
        match kind:
            case "code":
                out.append(f"<code>{escape(part[1:-1])}</code>")
            case "name":
                out.append(f"<code>{escape(part)}</code>")
            case "raised":
                out.append(f"<sup>{exponent(part)}</sup>")
            case "index":
                out.append(f"<sub>{inner(part[1:])}</sub>")
            case "marked":
                out.append(accented(part))
            case "sign":
                out.append(SIGNS[part])
            case "prime":
                out.append("′")
            case "numbered":
                out.append(italic(part))
                lower_digits = True
            case "letter":
                out.append(part if is_article(text, piece.start()) else italic(part))
            case _:
                out.append(escape(part))
    return "".join(out)


def decomposed(text):
    """Letters with a hat, a bar or a dot become two characters, if they stand for a quantity; an x
    between numbers is the sign of a product."""
    def apart(match):
        parts = unicodedata.normalize("NFD", match[0])
        return parts if len(parts) == 2 and parts[1] in MARKS else match[0]
    text = re.sub(r"(?<=[\d\]]) x (?=[\d\[])", " × ", text)
    return re.sub(r"(?<![A-Za-zäöü])[^\W\d_](?![a-z])", apart, text)


def exponent(part):
    return inner(part[1:]) if part[0] == "^" else part.translate(RAISED)


def inner(text):
    """What stands inside an index or an exponent; outer brackets group and are not shown."""
    if text[0] + text[-1] in ("{}", "()"):
        text = text[1:-1]
    if re.fullmatch(r"[a-z]{2}", text) and text not in ("aa", "at"):
        return italic(text[0]) + italic(text[1])            # r_ik has two indices
    return formula(text)


def accented(part):
    """A letter with the sign above it; italic letters carry it a little to the right."""
    letter, (name, sign) = part[0], MARKS[part[1]]
    tall = " tall" if letter.isupper() or letter in "βδζθλξφψbdfhklt" else ""
    return f'<span class="{name}{tall}">{italic(letter)}<b>{sign}</b></span>'


def italic(letter):
    return letter if letter in UPRIGHT else f"<i>{letter}</i>"


def is_article(text, place):
    """Whether the letter at this place is the word a, A or I, and no quantity."""
    before, after = text[:place], text[place + 1:]
    if text[place] not in "aAI" or before[-1:] not in ("", " ", "(", "\n", '"'):
        return False
    if not after.strip():                                   # the rest is a link, code, or next line
        return text[place] == "a" and before.endswith(" ") and not before.endswith("= ")
    return bool(ARTICLES.match(after)) and not NO_NOUNS.match(after)


MATHEMATICAL = re.compile(
    r"[\u0302\u0304\u0307_^|‖∂∇∫√≤≥≈∞∝²³ᵀ⁻·×±½<>=~+\u0391-\u03c9µℓûāĈūŴȧṗẐᾱ]"
    r"|^\W*[A-Za-z]'?\(|^\W*[A-Z]{2}\([a-z],$|^\W*(?:log|exp|max|min|tanh|sin|cos|det|floor|onehot)\("
    r"|^[(\[\"']*-(?=[A-Za-z\d½¼¾(])|^\(?[A-Za-z\d]/\(|^[(\[][a-zA-Z],$")
BARE = re.compile(
    r"[A-Za-z]|d[a-np-zA-Z]\d?|[A-Za-z]'?\([^()]*\)?.*|d?[A-Za-z]\d?/d?[A-Za-z]\d?|-?\d[\d.,/]*|-|->"
    r"|[a-z]-(?:th|means)\S*|[\d.]+e-\d+|\d+[A-Za-z]|[A-Za-z]\d|[A-Za-z]/\d+|\d+/[A-Za-z]\d?")


NAMES = re.compile(                                         # of the code, and of errata
    r"[A-Za-z]{2,}_(?![ijkl]{2}\b)[A-Za-z]{2,}|[A-Za-z]\w*\.[A-Za-z]\w*_|__|^\W*E\d\d\b")


def mathematical(word):
    """Whether a word of a sentence is to be typeset as a formula."""
    return not NAMES.search(word) and bool(
        MATHEMATICAL.search(word) or BARE.fullmatch(word.strip(".,;:!?\"'()[]")))
