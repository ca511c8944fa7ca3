"""Pages: each kind of page of the book, made of what the house has and a template."""

import re
from collections import Counter
from html import escape

import course
import update_readme
from book import code, proof, prose
from book.house import between_marks
from book.links import Links
from book.typeset import formula
from reports import ROOT

TITLE = "Generative Modeling"
MANY = 8                        # tests of other modules, or of what calls it, in a list


def cover(book):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    intro = readme.split("\n\n")[1]
    table = between_marks(readme, "scoreboard", "README.md")
    after = readme.split(table)[1].split("\n\n")[1]
    return book.rendered(
        "cover.html", title=TITLE, here="index.html", intro=book.marked(intro),
        scoreboard=book.marked(table), about=book.marked(after),
        story=book.house.figures["figure_1_06_story"],
        numbers={name: figure.numbers for name, figure in book.house.figures.items()},
        rooms={room: update_readme.about_room(room).partition("): ")[2]
               for room in update_readme.ROOMS})


def gallery(book):
    text = (ROOT / "figures" / "README.md").read_text(encoding="utf-8")

    def framed(match):
        """The place of a figure, and the modules behind it, around what the README has."""
        name, inside = match[1], match[2]
        if name not in book.house.figures:
            return inside
        modules = ", ".join(f"[{module.concept}](../{module.path.relative_to(ROOT)})"
                            for module in book.house.figures[name].modules)
        inside = re.sub(r",\s+\[SVG\]\([^)]*\)\)", ")", inside)
        return (f'<section class="figure" id="{name}">\n\n{inside}\n\n'
                f"Behind it: {modules}.\n\n</section>\n")

    text = re.sub(r"<!-- (\w+) -->\n(.*?)<!-- end -->", framed, text, flags=re.DOTALL)
    return book.rendered("document.html", title="Figures and numbers", here="gallery.html",
                         content=book.marked(without_title(text), "figures"))


def how_to_read(book):
    text = re.sub(r"<!-- errata -->.*?<!-- end -->", '<a href="errata.html">All errata</a> with '
                  "their tests have a page of their own.", book.house.how_to_read,
                  flags=re.DOTALL)
    return book.rendered("document.html", title="How to read", here="how_to_read.html",
                         content=book.marked(without_title(text), "gdl_numpy"))


def errata(book):
    links = Links(book)
    rows = [{"name": name, "stated": prose.sentence(stated, links),
             "right": prose.sentence(right, links),
             "modules": [module for module in book.house.modules
                         if name in update_readme.errata_of(module.source)],
             "tests": book.tests_of_erratum.get(name, []),
             "questions": [question for question in course.exercises().values()
                           if getattr(question, "erratum", None) == name]}
            for name, (stated, right) in book.house.errata.items()]
    return book.rendered("errata.html", title="Errata", here="errata.html", rows=rows)


def contracts(book):
    return book.rendered("contracts.html", title="Contracts", here="contracts.html",
                         files=book.tested.contracts)


def of_file(book, path):
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        content = book.marked(without_title(text), path.parent.relative_to(ROOT).as_posix(), 1)
    elif path.suffix == ".py":
        lines = book.colored(text, Links(book, 1))
        content = numbered(lines)
    else:
        content = f'<pre class="listing" tabindex="0">{escape(text, quote=False)}</pre>'
    figure = book.house.figures.get(path.stem)
    return book.rendered("file.html", 1, True, title=name, here=name, content=content,
                         figure=figure)


def of_module(book, module):
    links = Links(book, module.url.count("/"), module)
    lines = book.colored(module.source, links, module.tree, module)
    texts = formulas_of(module.doc)
    blocks = prose.blocks(module.doc)
    i = book.house.modules.index(module)
    return book.rendered(
        "module.html", module.url.count("/"), title=module.concept, here=module.url,
        module=module, texts=texts, blocks=[
            (number, prose.as_html(block, links, texts)) for number, block in
            enumerate(blocks, 1) if block.kind != "errata" and number > 1],
        subtitle=prose.sentence(module.subtitle, links),
        errata=[(name, prose.sentence(book.house.errata[name][0], links),
                 prose.sentence(right, links),
                 book.tests_of_erratum.get(name, ())) for block in blocks
                for name, (_, right) in block.errata.items()],
        rows=[row(book, module, definition, lines, texts)
              for definition in module.definitions],
        tests=sections_of_tests(book, module),
        previous=book.house.modules[i - 1] if i else None,
        following=book.house.modules[i + 1] if i + 1 < len(book.house.modules) else None)


def row(book, module, definition, lines, texts):
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
    owner = definition.name.partition(".")[0] if definition.kind in ("class", "method") else None
    links = Links(book, module.url.count("/"), module, owner)
    blocks = prose.blocks(definition.doc)
    tests, direct = book.tested.of(module, definition)
    own = [test for test in tests if test.file.page == module.url]
    contracts = book.tested.in_contracts(module, definition)
    if not tests and not contracts and definition.kind not in ("imports", "constants"):
        raise proof.Unproven(f"{module.dotted}.{definition.name} has no test")
    return {"definition": definition, "lines": shown, "formulas": formulas_here,
            "doc": [prose.as_html(block, links) if block.kind != "paragraph" else
                    prose.as_html(block, links, texts) for block in blocks],
            "wide": any(block.kind != "paragraph" for block in blocks),
            "own": own if direct else own[:MANY], "more": 0 if direct else len(own[MANY:]),
            "others": elsewhere([test for test in tests if test.file.page != module.url]),
            "n_tests": len(tests), "direct": direct,
            "contracts": contracts,
            "exercise": course.of(module.dotted.removeprefix("gdl_numpy."), definition.name)}


def sections_of_tests(book, module):
    """[(heading, tests)] of the test file of a module, as its comments divide it."""
    file = book.tested.files.get(module.url)
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
