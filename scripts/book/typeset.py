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
  | (?P<name>(?![A-Za-z]+_[ijkl]{{1,2}}\b)(?:[A-Za-z]{{2,}}\d*(?:[._]\w+)+
                                              |[A-Za-z]+_[a-z]{{2,}}_\w+))       # log_prob
  | (?P<raised>[⁰¹²³⁴-⁹⁻⁺ᵀ]+|\^(?:½|-?[^\W_]+|\([^()]*(?:\([^()]*\)[^()]*)*\)|\{{[^{{}}]*\}}))
  | (?P<index>_(?:<?[^\W_⁰¹²³⁴-⁹ᵀ]+|\{{[^{{}}]*\}}))
  | (?P<marked>{LETTER}[\u0302\u0304\u0307])
  | (?P<hyphened>(?<=[a-z])-(?=[a-z]{{2}}))
  | (?P<sign><=|>=|!=|->|\.\.\.|[~*-])
  | (?P<differential>(?<![A-Za-z])d(?=[xyztuNMD](?![a-z])|[θξζλ]))
  | (?P<numbered>(?<![A-Za-z]){LETTER}(?=\d))
  | (?P<word>[A-Za-z]{{2,}}(?:'[a-z]+)?)
  | (?P<letter>{LETTER})
  | (?P<digits>\d[\d.,]*\d|\d)
  | (?P<other>.)
""", re.VERBOSE | re.DOTALL)

NO_NOUNS = r"\s+(?:is|are|and|or|of|for|to|in|if|as|by|with|at|on|has|be|from|so|times|becomes)\b"


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
            case "numbered":
                out.append(italic(part))
                lower_digits = True
            case "letter":
                out.append(part if is_article(text, piece.start()) else italic(part))
            case _:
                out.append(escape(part))
    return "".join(out)


def decomposed(text):
    """Letters with a hat, a bar or a dot become two characters, if they stand for a quantity."""
    def apart(match):
        parts = unicodedata.normalize("NFD", match[0])
        return parts if len(parts) == 2 and parts[1] in MARKS else match[0]
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
    return bool(re.match(r"\s+[a-z`\"*][a-z]", after)) and not re.match(NO_NOUNS, after)


def mathematical(word):
    """Whether a word of a sentence is to be typeset as a formula."""
    if re.search(r"[A-Za-z]{2,}_[A-Za-z]{2,}|[A-Za-z]\w*\.[A-Za-z]\w*_|__", word):
        return False
    bare = word.strip(".,;:!?\"'()[]")
    return bool(re.search(r"[\u0302\u0304\u0307_^|‖∂∇∫√≤≥≈∞∝²³ᵀ⁻·×±½<>=~+\u0391-\u03c9µℓûāĈūŴȧṗẐᾱ]",
                          word)
                or re.fullmatch(r"[A-Za-z]|d[xyzt]", bare)
                or re.fullmatch(r"[A-Za-z]'?\([^()]*\)?.*", bare)
                or re.match(r"\W*[A-Za-z]\(|\W*(?:log|exp|max|min|tanh|sin|cos|det|floor)\(", word)
                or re.fullmatch(r"[A-Za-z]/[A-Za-z]", bare)
                or re.fullmatch(r"-?\d*[A-Za-z]?[/-]?\d*[a-z]?", bare) and re.search(r"\d", bare)
                or re.fullmatch(r"-?\d[\d.,/]*|-|->", bare))
