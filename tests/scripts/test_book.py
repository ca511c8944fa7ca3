"""The book: formulas are set as in books, names lead home, and what is missing is named."""

import dataclasses
import errno
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

for library in ("jinja2", "markdown_it", "pygments", "fontTools", "PIL"):
    pytest.importorskip(library, reason="the book needs its extra: pip install -e '.[book]'")

from book import binding, code, fonts, house, proof, prose  # noqa: E402
from book.links import Links  # noqa: E402
from book.pages import of_module  # noqa: E402
from book.typeset import formula  # noqa: E402

ROOT = Path(__file__).parent.parent.parent
SECONDS_TO_BUILD = 60                                       # far more than it takes: a safeguard


class NoLinks:
    """No name leads anywhere."""

    @staticmethod
    def code(text):
        return f"<code>{text}</code>"

    @staticmethod
    def word(word):
        return None


@pytest.fixture(scope="module")
def pages(book_folder):
    return {path.relative_to(book_folder).as_posix(): path.read_text(encoding="utf-8")
            for path in book_folder.rglob("*.html")}


def urls(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# Formulas

def i(letter):
    return f"<i>{letter}</i>"


@pytest.mark.parametrize("text, html", [
    ("x_i", f"{i('x')}<sub>{i('i')}</sub>"),
    ("r_ik", f"{i('r')}<sub>{i('i')}{i('k')}</sub>"),
    ("p_data", f"{i('p')}<sub>data</sub>"),
    ("x_{j+1}", f"{i('x')}<sub>{i('j')}+1</sub>"),
    ("x_<i", f"{i('x')}<sub>&lt;{i('i')}</sub>"),
    ("û_i²", f'<span class="hat">{i("u")}<b>ˆ</b></span><sub>{i("i")}</sub><sup>2</sup>'),
    ("θ1", f"{i('θ')}<sub>1</sub>"),
    ("H_{i-1}ᵀ", f"{i('H')}<sub>{i('i')}−1</sub><sup>T</sup>"),
    ("10^-3", "10<sup>−3</sup>"),
    ("ε^(nd)", f"{i('ε')}<sup>{i('n')}{i('d')}</sup>"),
    ("∫ p dx", f"∫ {i('p')} d{i('x')}"),
    ("log p <= 2x", f"log {i('p')} ≤ 2{i('x')}"),
    ("a well-formed image", "a well-formed image"),
    ("log_prob(X)", f"<code>log_prob</code>({i('X')})"),
    ("x < y & z", f"{i('x')} &lt; {i('y')} &amp; {i('z')}")])
def test_a_formula_in_plain_unicode_is_set_as_in_a_book(text, html):
    assert formula(text) == html


@pytest.mark.parametrize("text, html", [
    ("a point x of a density", f"a point {i('x')} of a density"),
    ("The logits a = W x", f'The logits <span class="q">{i("a")} = {i("W")} {i("x")}</span>'),
    ("of a log density, a log that, a log", f"of a log density, a log that, {i('a')} log"),
    ("A square, then A.", f"A square, then {i('A')}."),
    ("Bayes' rule isn't math", "Bayes&#x27; rule isn&#x27;t math"),
    ("by `log_prob` and **not** by *eye*",
     "by <code>log_prob</code> and <strong>not</strong> by <em>eye</em>")])
def test_in_a_sentence_letters_are_quantities_and_words_are_words(text, html):
    assert prose.sentence(text, NoLinks) == html


def test_what_stands_below_one_another_in_the_source_stays_so():
    html = prose.formulas(["log w = a + b    if a", "      = c        if b"])
    places = re.findall(r"grid-area:(\d)/(\d)/\d/\d\">([^<]*)", html)
    assert [(row, column) for row, column, _ in places] == [
        ("1", "1"), ("1", "2"), ("1", "3"), ("2", "2"), ("2", "3")]


def test_a_number_at_the_margin_names_its_formula_and_leads_to_its_line():
    html = prose.formulas(["y = W x + b            (2)"], numbered=True)
    assert 'id="formula-2"' in html and 'href="#line-of-2"' in html
    assert html.count('data-formula="2"') == 2              # the formula and its number


def test_a_docstring_is_cut_into_paragraphs_formulas_examples_and_errata():
    blocks = prose.blocks("Title.\n\nWhy\nso.\n\n    x = y\n\n    z = x\n\n>>> 1 + 1\n2\n\n"
                          "Errata.\nE07 (tests/probability/test_mle.py)  over θ,\n    not x\n")
    assert [block.kind for block in blocks] == [
        "paragraph", "paragraph", "formulas", "example", "errata"]
    assert blocks[2].lines == ["x = y", "", "z = x"] and blocks[3].lines == [">>> 1 + 1", "2"]
    assert blocks[4].errata == {"E07": ("tests/probability/test_mle.py", "over θ, not x")}


def test_code_is_colored_without_changing_a_letter():
    source = 'def f(x):\n    """Doc & <tag>."""\n    return x < 1  # (3)\n'
    lines = code.colored(source)
    plain = [re.sub(r"<[^>]*>", "", line) for line in lines]
    assert plain == ["def f(x):", '    """Doc &amp; &lt;tag&gt;."""',
                     "    return x &lt; 1  # (3)", ""]
    assert code.without_numbers(lines[2]) == ("    <span class=\"k\">return</span> x &lt; "
                                              "<span class=\"m\">1</span>", [3])


# The pages

def test_each_module_has_a_page_with_all_its_definitions_and_lines(book, pages):
    for module in book.house.modules:
        html = pages[module.url]
        for definition in module.definitions:
            assert not definition.name or f'id="{definition.name}"' in html, definition.name
            shown = set(range(definition.first, definition.last + 1)) - set(definition.doc_lines)
            assert all(f'<span id="L{number}"' in html for number in shown)
        covered = {number for definition in module.definitions
                   for number in range(definition.first, definition.last + 1)}
        header = module.tree.body[0].end_lineno
        left = [line for number, line in enumerate(module.lines, 1)
                if number > header and number not in covered and line.strip()]
        assert all(f'<h3 class="part">{line[2:]}</h3>' in html for line in left), left


def test_formulas_and_lines_are_linked_both_ways(book, pages):
    n_links = 0
    for module in book.house.modules:
        html = pages[module.url]
        for number, lines in module.lines_of_formulas.items():
            assert f'href="#line-of-{number}"' in html
            assert html.count(f'id="line-of-{number}"') == 1
            n_links += len(lines)
            for line in lines:
                assert re.search(rf'<span id="L{line}"[^>]*data-formula="[^"]*\b{number}\b', html)
    assert n_links > 300


def test_each_definition_lists_the_tests_that_exercise_it(book):
    likelihood = book.house.by_stem["likelihood"]
    tests, direct = book.tested.of(likelihood, likelihood.by_name["log_likelihood"])
    assert direct and any(test.erratum == "E27" for test in tests)
    density = book.house.by_stem["density"]
    of_box, _ = book.tested.of(density, density.by_name["Box.log_prob"])
    of_normal, _ = book.tested.of(density, density.by_name["Normal.log_prob"])
    assert any(test.erratum == "E04" for test in of_box)
    assert any(test.erratum == "E26" for test in set(of_normal) - set(of_box))
    private, direct = book.tested.of(density, density.by_name["Mixture._log_prob"])
    assert private and not direct


def test_names_lead_to_their_definitions(pages):
    vae = pages["models/variational_autoencoder.html"]
    assert '<a href="../networks/network.html#Parts">Parts</a>' in vae
    assert '<a href="../numerics/checks.html#whole_number">whole_number</a>' in vae
    assert '<a href="#VariationalAutoencoderFamily.decode">decode</a>' in vae
    assert '<a href="../gallery.html#figure_1_10_taxonomy">' in vae


def test_errata_are_called_out_with_a_link_to_their_tests(book, pages):
    for module in book.house.modules:
        for block in prose.blocks(module.doc):
            for name in block.errata:
                aside = pages[module.url].split(f'<aside class="erratum" id="{name}">')[1]
                assert 'class="proof"' in aside.split("</aside>")[0], name
    assert pages["errata.html"].count('class="erratum"') == len(book.house.errata)


def test_every_figure_has_its_words_its_script_and_the_modules_behind_it(book, pages):
    from html import escape
    for name, figure in book.house.figures.items():
        section = pages["gallery.html"].split(f'id="{name}"')[1].split("</section>")[0]
        assert f"figures/{name}.webp" in section and f"scripts-{name}.py.html" in section
        assert "Behind it: <a " in section, name
        assert escape(" ".join(figure.alt.split())[:40], quote=True) in " ".join(section.split())


def test_the_cover_has_the_problem_the_acts_both_routes_and_the_scoreboard(book, pages):
    cover = pages["index.html"]
    assert "fifty points" in cover and cover.count("<li><h3>") == 3
    for module in book.house.modules:
        assert f'href="{module.url}"' in cover
    assert "energy based" in cover and 'href="gallery.html"' in cover


def test_the_book_is_small(book_folder):
    size = sum(path.stat().st_size for path in book_folder.rglob("*") if path.is_file())
    assert size < 12e6


def test_no_page_asks_for_anything_that_is_not_in_the_folder(book_folder, pages):
    for url, html in pages.items():
        assert "http://" not in re.sub(r"(?s)<pre.*?</pre>|data:[^\"]*", "", html), url
    for path in (book_folder / "assets").iterdir():
        assert proof.remote(path.read_text(encoding="utf-8")) == []


def test_two_builds_have_the_same_pages(book, pages):
    program = ("import sys; sys.path.insert(0, 'scripts')\n"
               "from book.binding import Book; from book.pages import of_module\n"
               "book = Book(); module = book.house.by_stem['density']\n"
               "sys.stdout.buffer.write(of_module(book, module).encode())")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True,
                          timeout=SECONDS_TO_BUILD)
    assert done.stdout.decode() == pages["probability/density.html"], done.stderr.decode()


# What is missing is named

@pytest.mark.parametrize("change, said", [
    (lambda html: html.replace("</main>", '<a href="nowhere.html">x</a></main>'),
     "errata.html leads to nowhere.html, which is not there"),
    (lambda html: html.replace("</main>", '<a href="index.html#nowhere">x</a></main>'),
     "errata.html leads to index.html#nowhere, a place which is not there"),
    (lambda html: html.replace("</main>", '<a href="https://example.org">x</a></main>'),
     "errata.html leads to https://example.org, a remote address"),
    (lambda html: html.replace("</main>", '<img src="figures/figure_1_04_points.webp"></main>'),
     "errata.html shows a picture without an alt text"),
    (lambda html: html.replace("</main>", '<img src="figures/figure_1_04_points.webp" alt=" ">'
                               "</main>"), "errata.html shows a picture without an alt text"),
    (lambda html: html.replace("</main>", "<img src='https://example.org/x.png' alt=\"x\"></main>"),
     "errata.html has an address without double quotes: <img src='https://example.org/x.png'"),
    (lambda html: html.replace("</main>", '<video poster="https://example.org/x.png"></main>'),
     "errata.html names the remote address https://example.org/x.png"),
    (lambda html: html.replace("</main>", '<p id="E07"></p></main>'),
     "errata.html has the place E07 2 times"),
    (lambda html: html.replace("</main>", "\u4f60\u597d</main>"),
     "errata.html does not mark as Chinese: \u4f60\u597d"),
    (lambda html: html.replace("</main>", "\U0001f600</main>"),
     "errata.html has the letter '\U0001f600' (U+1F600), which no font of the book has"),
    (lambda html: html.replace("</head>", '<script src="//cdn.example/x.js"></script></head>'),
     "errata.html names the remote address //cdn.example/x.js")])
def test_a_fault_of_a_page_stops_the_build(book, book_folder, pages, change, said):
    changed = pages | {"errata.html": change(pages["errata.html"])}
    with pytest.raises(proof.Unproven, match=re.escape(said)):
        proof.prove(book, changed, changed, urls(book_folder))


def test_a_formula_without_its_line_and_a_line_without_its_formula_stop_the_build(book):
    module = book.house.by_stem["likelihood"]
    html = of_module(book, module)
    assert list(proof.formulas_and_lines(module, html)) == []
    assert list(proof.formulas_and_lines(module, html.replace('id="line-of-1"', ""))) == [
        "gdl_numpy.probability.likelihood: (1) has no line"]
    assert list(proof.formulas_and_lines(module, html.replace('id="formula-1"', ""))) == [
        "gdl_numpy.probability.likelihood: (1) has no formula"]


def test_a_missing_figure_test_or_erratum_stops_the_build(book, book_folder, pages, monkeypatch):
    name = "figure_1_04_points"
    figure = dataclasses.replace(book.house.figures[name], name="figure_1_04_lost")
    with monkeypatch.context() as patch:
        patch.setitem(book.house.figures, name, figure)
        with pytest.raises(proof.Unproven, match="figure_1_04_lost.png is missing"):
            list(book.images())
    module = book.house.by_stem["likelihood"]
    with monkeypatch.context() as patch:
        patch.setattr(book.tested, "of", lambda module, definition: ([], True))
        patch.setattr(book.tested, "in_contracts", lambda module, definition: False)
        with pytest.raises(proof.Unproven, match="likelihood.in_blocks|likelihood.* has no test"):
            of_module(book, module)
    with monkeypatch.context() as patch:
        patch.delitem(book.tested.files, module.url)
        with pytest.raises(proof.Unproven, match="has no test"):
            of_module(book, module)
    with monkeypatch.context() as patch:
        patch.delitem(book.tests_of_erratum, "E07")
        with pytest.raises(proof.Unproven, match="erratum E07 has no test"):
            proof.prove(book, pages, pages, urls(book_folder))


def test_a_letter_is_missing_if_neither_font_has_it():
    assert fonts.missing("xθ‖ℓ√\u4f60") == set() and fonts.missing("x\U0001f600") == {"\U0001f600"}


@pytest.mark.parametrize("words, said", [
    ("See figure_1_99_nothing.", "likelihood names figure_1_99_nothing, which figures/manifest.js"),
    ("See tests/world/test_nothing.py.", "names tests/world/test_nothing.py, which is not there")])
def test_words_that_name_what_is_not_there_stop_the_build(book, words, said):
    module = book.house.by_stem["likelihood"]
    with pytest.raises(proof.Unproven, match=re.escape(said)):
        prose.sentence(words, Links(book, 1, module))


@pytest.mark.parametrize("entry", [{}, {"title": "t", "alt": " ", "numbers": {"n": 1}}])
def test_a_figure_without_its_words_is_named(book, entry):
    with pytest.raises(proof.Unproven, match="manifest.json has no .* of figure_1_99_new"):
        book.house.figure("figure_1_99_new", entry)


def test_a_readme_without_a_table_or_with_a_link_above_the_project_is_named(book):
    with pytest.raises(proof.Unproven, match="README.md has no <!-- chapter -->"):
        house.between_marks("text", "chapter", "README.md")
    with pytest.raises(proof.Unproven, match=r"leads to \.\./\.\./\.\./x\.md, which is not there"):
        book.marked("[x](../../../x.md)", "figures")


def test_a_module_in_no_table_and_one_that_is_no_python_are_named(book, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(house.House, "rows", lambda self, route: [])
        with pytest.raises(proof.Unproven, match=r"\w+\.py is in no table of gdl_numpy/README.md"):
            house.House()
    broken = dataclasses.replace(book.house.modules[0], path=tmp_path / "broken.py")
    broken.path.write_text("x = (")
    with pytest.raises(SyntaxError) as caught:
        broken.tree  # noqa: B018 (a property)
    assert caught.value.filename == str(broken.path)


def test_what_a_docstring_says_is_text_and_no_markup(book):
    html = prose.sentence("Let <script>alert(1)</script> & `<b>` be, and a lone ` or ** or *.",
                          Links(book))
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; <code>&lt;b&gt;</code> be" in html
    assert html.endswith("a lone ` or ** or *.")


# An earlier book

def test_an_earlier_book_is_replaced_and_what_is_not_of_it_stays(tmp_path):
    for folder in ("world", "another/book"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "gone.html").write_text(f"<head>{binding.OURS}")
    (tmp_path / "index.html").write_text("old")
    (tmp_path / "mine.html").write_text("<p>mine")
    binding.replace(tmp_path, {"index.html": b"new", "world/box.html": b"1"})
    assert {path.relative_to(tmp_path).as_posix(): path.read_text()
            for path in tmp_path.rglob("*.*")} == {
        "index.html": "new", "world/box.html": "1", "mine.html": "<p>mine",
        "another/book/gone.html": f"<head>{binding.OURS}"}


def test_a_full_disk_leaves_the_earlier_book_as_it_was(tmp_path, monkeypatch):
    binding.replace(tmp_path, {"index.html": b"old", "errata.html": b"old"})
    write, left = Path.write_bytes, iter([True])

    def full(path, content):
        if next(left, False):
            return write(path, content)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        binding.replace(tmp_path, {"index.html": b"new", "errata.html": b"new"})
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old", b"old"]


# On the command line

def run(*arguments):
    return subprocess.run([sys.executable, ROOT / "scripts" / "make_book.py", *map(str, arguments)],
                          capture_output=True, text=True, timeout=SECONDS_TO_BUILD)


def test_a_folder_that_is_a_file_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").touch()
    done = run("--output", tmp_path / "file")
    assert done.returncode == 2 and "it is a file, and must be a folder" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="copies the project")
def test_what_is_missing_is_one_line_and_nothing_is_written(tmp_path):
    project = tmp_path / "a project"
    for name in ("gdl_numpy", "scripts", "tests"):
        shutil.copytree(ROOT / name, project / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    (project / "figures").mkdir()
    for name in ("manifest.json", "README.md"):
        shutil.copy(ROOT / "figures" / name, project / "figures")
    shutil.copy(ROOT / "README.md", project)
    done = subprocess.run([sys.executable, project / "scripts" / "make_book.py"],
                          capture_output=True, text=True, timeout=SECONDS_TO_BUILD)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "figure_1_01_horses.png is missing" in done.stderr
    assert list((project / "build" / "book").iterdir()) == []
