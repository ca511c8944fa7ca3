"""Prose: a docstring becomes paragraphs, formulas, examples and errata.

    paragraph    lines at the left margin
    formulas     lines that are indented; what stands one below the other stays so
    example      lines that begin with >>> and what they print
    errata       after the line "Errata.": number, file of the test, what is right

`**bold**`, `*emphasis*` and `` `code` `` mean what they mean everywhere. A number in brackets at
the end of a formula is its name: the same number in a sentence leads to it.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from html import escape

from book.typeset import formula, is_article, mathematical
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonConsoleLexer

NUMBERED = re.compile(r"\s+\((\d+)\)$")
RELATIONS = ("=", "≈", "∝", "<", ">", "~", "≤", "≥", "+", "-")


@dataclass
class Block:
    """A piece of a docstring: its kind, and its lines without their common indentation."""
    kind: str
    lines: list
    errata: dict = field(default_factory=dict)              # E07 -> (test file, what is right)


def blocks(text):
    """The blocks of a docstring, in their order."""
    found, lines = [], text.splitlines()
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        end = start
        kind = kind_of(lines[start])
        if lines[start] == "Errata.":
            found.append(Block("errata", [], errata(lines[start + 1:])))
            break
        while end < len(lines) and (
                kind_of(lines[end]) == kind if lines[end].strip() else
                kind != "paragraph" and goes_on(lines, end, kind)):
            end += 1
        if kind == "example" and end < len(lines) and lines[end].strip():
            while end < len(lines) and lines[end].strip():  # what is printed
                end += 1
        part = lines[start:end]
        if found and found[-1].kind == kind == "example":
            found[-1].lines += ["", *part]
        else:
            found.append(Block(kind, part))
        start = end
    for block in found:
        block.lines = unindented(block.lines)
    return found


def kind_of(line):
    if line.lstrip().startswith((">>>", "...")) and not line.startswith("..."):
        return "example"
    return "formulas" if line.startswith("    ") else "paragraph"


def goes_on(lines, blank, kind):
    """Whether a block goes on after an empty line."""
    after = next((line for line in lines[blank:] if line.strip()), "")
    return kind == kind_of(after) == "formulas"


def unindented(lines):
    least = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[least:].rstrip() for line in lines]


def errata(lines):
    """{"E07": (test file, what is right)} of the last lines of a header."""
    found, name = {}, None
    for line in lines:
        head = re.match(r"(E\d\d) \((tests/[\w/]+\.py)\)\s+(.*)", line)
        if head:
            name = head[1]
            found[name] = (head[2], head[3])
        elif name and line.strip():
            found[name] = (found[name][0], f"{found[name][1]} {line.strip()}")
    return found


# Blocks as HTML

def as_html(block, links, numbers=None):
    """One block. `links` turns names into places; `numbers` are those of the header's formulas."""
    match block.kind:
        case "paragraph":
            text = " ".join(line.strip() for line in block.lines)
            return f"<p>{sentence(text, links, numbers or ())}</p>"
        case "formulas":
            return formulas(block.lines, numbered=numbers is not None)
        case "example":
            code = highlight("\n".join(block.lines), PythonConsoleLexer(),
                             HtmlFormatter(nowrap=True))
            return f'<pre class="example" tabindex="0">{code.rstrip()}</pre>'
    raise ValueError(f"no block is of the kind {block.kind}")


WORDS = re.compile(r"(`[^`]+`|\*\*.+?\*\*|(?<!\w)\*[^*\s][^*]*\*(?!\w)|\s+|[^\s`]+|`)")
SHORT = 28                                                  # letters of a formula kept on a line
OPERATORS = {"=", "+", "-", "<=", ">=", "<", ">", "~", "·", "->", "×", "≈", "/", "|", "∝"}
FUNCTIONS = {"log", "exp", "max", "min", "tanh", "sin", "cos", "det", "softmax", "mod"}


def sentence(text, links, numbers=()):
    """Running text as HTML: code, emphasis, links, and letters that stand for quantities."""
    words, out, i = list(WORDS.finditer(text)), [], 0
    while i < len(words):
        word = words[i][0]
        if word.isspace():
            out.append(" ")
        elif word[0] == "`" and word[-1] == "`" and len(word) > 2:
            out.append(links.code(word[1:-1]))
        elif word.startswith("**") and word.endswith("**") and len(word) > 4:
            out.append(f"<strong>{sentence(word[2:-2], links, numbers)}</strong>")
        elif word[0] == "*" and word[-1] == "*" and len(word) > 2:
            out.append(f"<em>{sentence(word[1:-1], links, numbers)}</em>")
        elif (named := named_place(word, links, numbers)) is not None:
            out.append(named)
        else:
            end = run(words, i, text)
            if end > i:
                inside = text[words[i].start():words[end - 1].end()]
                html = formula(inside)
                short = " " in inside and len(inside) <= SHORT
                out.append(f'<span class="q">{html}</span>' if short else html)
                i = end
                continue
            out.append(escape(word).replace("...", "…"))
        i += 1
    return "".join(out)


def run(words, start, text):
    """The end of the formula that begins with this word; `start` itself if it is no formula.

    Words that are mathematics belong together, with the signs between them, and with what stands in
    a bracket that one of them opens.
    """
    end, i, opened = start, start, 0
    while i < len(words):
        word = words[i][0]
        if word.isspace():
            i += 1
            continue
        following = next((other[0] for other in words[i + 1:] if not other[0].isspace()), "")
        inside = opened > 0 and (len(re.sub(r"\W", "", word)) <= 2
                                 or text[:words[i].start()].rstrip()[-1] in "+-=<")
        belongs = (is_quantity(words[i], text) or inside
                   or word.lstrip("(-") in FUNCTIONS and following and mathematical(following)
                   or end > start and word in OPERATORS)
        if not belongs or word[0] == "`" or word in OPERATORS and i == start:
            break
        if word not in OPERATORS or not following:
            end = i + 1
        opened += word.count("(") - word.count(")")
        if opened <= 0 and word[-1] in ",;:.":
            break
        i += 1
    return end


def is_quantity(match, text):
    word = match[0]
    if word in OPERATORS or not mathematical(word):
        return False
    bare = word.strip("\"'(.,;:")
    if re.match(r"[EM] step|C library", text[match.start():]) or (
            bare in "NESW" and text[:match.start()].endswith("° ")):
        return False
    return bare not in ("a", "A", "I") or not is_article(text, match.start() + word.index(bare))


def named_place(word, links, numbers):
    """A word that names a figure, a file, an erratum or a formula, as a link; or None."""
    named = links.word(word)
    if named is not None:
        return named
    number = re.fullmatch(r"(\W*?)\((\d+)\)(\W*)", word)
    if number and int(number[2]) in numbers:
        return (f'{escape(number[1])}<a class="to-formula" data-formula="{number[2]}" '
                f'href="#formula-{number[2]}">({number[2]})</a>{escape(number[3])}')
    return None


# Formulas in their columns

def formulas(lines, numbered=False):
    """Lines of formulas as a grid: what begins at the same column in the source is aligned."""
    if any(map(is_drawn, lines)) and not any(map(NUMBERED.search, lines)):
        return f'<pre class="example" tabindex="0">{escape(chr(10).join(lines))}</pre>'
    rows = [cut(line, numbered) for line in lines]
    aligned(rows)
    starts = sorted({part.start for parts, _ in rows for part in parts})
    column = {start: i for i, start in enumerate(starts, 1)}
    n, out = len(starts), []
    for row, (parts, number) in enumerate(rows, 1):
        mark = f' data-formula="{number}"' if number else ""
        ends = [column[part.start] for part in parts[1:]] + [n + 2]
        for part, end in zip(parts, ends, strict=bool(parts)):
            tight = ' class="tight"' if part.tight else ""
            out.append(f"<span{tight}{mark} style=\"grid-area:{row}/{column[part.start]}/{row + 1}/"
                       f'{end}">{formula(part.text)}</span>')
        if not parts:
            out.append(f'<span class="gap" style="grid-row:{row}"></span>')
        if number:
            out.append(f'<a class="number" id="formula-{number}" data-formula="{number}" '
                       f'href="#line-of-{number}" style="grid-area:{row}/{n + 2}" '
                       f'aria-label="formula {number}, to its line of code">({number})</a>')
    style = f"grid-template-columns:repeat({n},max-content) 1fr max-content"
    return f'<div class="formulas" tabindex="0" style="{style}">{"".join(out)}</div>'


def is_drawn(line):
    """Whether a line is one of a table of numbers or of a picture made of letters."""
    parts = re.split(r" {2,}", line.strip())
    return (sum(bool(re.fullmatch(r"-?[\d.,]+", part)) for part in parts) >= 4
            or bool(re.match(r"[.oi](?: [.oi]){4}", line.strip())))


@dataclass
class Part:
    """A part of a line of formulas, where it begins, and whether the next one is near."""
    start: int
    text: str
    tight: bool = False


def cut(line, numbered):
    """The parts of a line that two or more spaces keep apart, and its number or None."""
    number = NUMBERED.search(line) if numbered else None
    if number:
        line = line[:number.start()]
    parts = [Part(column_of(line, part.start()), part[0])
             for part in re.finditer(r"\S+(?: \S+)*", line)]
    return parts, int(number[1]) if number else None


def column_of(line, place):
    """The column in which a letter is seen: the hat of an x̂ takes none."""
    return place - sum(unicodedata.combining(letter) > 0 for letter in line[:place])


def aligned(rows):
    """A sign of relation that begins a part is aligned with the same sign above it and below it.

        λ_t  = λ_1 + u          two parts, the second begins with =
        α_t² = 1/(1 + u)        one part, which is cut at = because both stand at the same place
    """
    lines = [parts for parts, _ in rows]
    for order in (1, -1):                                   # downwards, then upwards
        sequence = lines[::order]
        for parts, following in zip(sequence, sequence[1:], strict=False):
            for part in parts:
                if part.text.startswith(RELATIONS):
                    cut_at(following, part.start, part.text[0])


def cut_at(parts, column, sign):
    """Cut the part that has the `sign` in this column into two, if a space stands before it."""
    for j, part in enumerate(parts):
        for match in re.finditer(rf"(?<= ){re.escape(sign)}", part.text):
            if part.start + column_of(part.text, match.start()) == column:
                left, right = part.text[:match.start()].rstrip(), part.text[match.start():]
                parts[j:j + 1] = [Part(part.start, left, tight=True),
                                  Part(column, right, part.tight)]
                return
