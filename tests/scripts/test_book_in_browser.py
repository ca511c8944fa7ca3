"""The book as a reader has it: from a disk, without any network, in a real browser."""

import shutil
from pathlib import Path

import pytest
from browser import visited, wider_than_its_window


def address(folder, url=""):
    return (folder / url).as_uri()


@pytest.fixture
def page(chromium, book_folder):
    with visited(chromium, address(book_folder, "index.html"), own=address(book_folder),
                 viewport={"width": 1400, "height": 900}) as page:
        yield page


KINDS = {"index.html", "gallery.html", "errata.html", "how_to_read.html", "contracts.html",
         "models/diffusion.html", "files/scripts-figure_1_06_world.py.html"}
PAPER = {"light": "rgb(255, 253, 248)", "dark": "rgb(22, 24, 27)"}


@pytest.mark.parametrize("half", [0, 1])
def test_no_page_is_wider_than_its_window_or_says_anything_to_the_console(page, book_folder, half):
    """A page of each kind in both schemes and at both widths, all others in one scheme at each."""
    for path in sorted(book_folder.rglob("*.html"))[half::2]:
        page.goto(path.as_uri())
        looks = [(1400, "light"), (400, "dark")]
        if path.relative_to(book_folder).as_posix() in KINDS:
            looks += [(400, "light"), (1400, "dark")]
        for width, scheme in looks:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert wider_than_its_window(page) <= 0, (path, width)
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == PAPER[scheme]


def found(page, words):
    """What the search finds: [(kind, text, address)]."""
    page.fill("#search", words)
    page.wait_for_function("words => document.getElementById('found').dataset.question === words",
                           arg=words)
    return page.eval_on_selector_all("#found a", """links => links.map(
        a => [a.querySelector(".kind").textContent, a.textContent, a.getAttribute("href")])""")


def test_the_search_finds_a_chinese_term_an_erratum_a_sentence_and_a_name(page, book_folder):
    page.goto(address(book_folder, "index.html"))
    assert found(page, "VAE")[0][2] == "models/variational_autoencoder.html"
    assert found(page, "归一化流")[0][2] == "models/normalizing_flow.html"
    assert found(page, "e34")[0][2] == "errata.html#E34"
    kind, _, url = found(page, "the gradient is that of central differences")[0]
    assert kind == "test" and url.endswith("#test_the_gradient_is_that_of_central_differences")
    assert found(page, "log_likelihood")[0][::2] == [
        "name", "probability/likelihood.html#log_likelihood"]
    assert any(kind == "text" for kind, _, _ in found(page, "jensen's inequality"))
    page.fill("#search", "no such words anywhere")
    page.wait_for_selector("#found .none")
    assert "Nothing has all of" in page.inner_text("#found")


def test_the_search_and_the_pages_are_turned_by_keys(page, book_folder):
    page.goto(address(book_folder, "probability/likelihood.html"))
    page.keyboard.press("/")
    page.keyboard.type("归一化流")
    page.wait_for_selector("#found a")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/normalizing_flow.html")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/models/variational_autoencoder.html")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/models/normalizing_flow.html")
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_formula_and_its_line_light_up_together_and_lead_to_one_another(page, book_folder):
    page.goto(address(book_folder, "models/variational_autoencoder.html"))
    line = page.locator("pre.code > span[data-formula='4']").first
    assert "lit" not in (line.get_attribute("class") or "")
    page.hover("#formula-4")
    assert "lit" in line.get_attribute("class")
    page.mouse.move(0, 0)
    assert "lit" not in line.get_attribute("class")
    page.focus("#formula-4")                                # by keyboard as well
    assert "lit" in line.get_attribute("class")
    page.keyboard.press("Enter")
    assert page.url.endswith("#line-of-4")
    line.locator("a.of").click()
    assert page.url.endswith("#formula-4")


def test_a_test_unfolds_to_its_code_below_the_definition(page, book_folder):
    page.goto(address(book_folder, "probability/likelihood.html"))
    row = page.locator("section[id='log_likelihood']")
    row.locator("details.tests > summary").click()
    test = row.locator("details.test").first
    test.locator("summary").click()
    assert test.locator("pre").inner_text().lstrip().startswith(("def test_", "@"))


def test_the_address_of_a_test_unfolds_it(page, book_folder):
    page.goto(address(book_folder, "probability/mle.html"))
    name = page.locator(".all-tests details").last.get_attribute("id")
    page.goto(address(book_folder, "probability/mle.html") + f"#{name}")
    assert page.locator(f"#{name}").evaluate("test => test.open")


def test_all_links_of_the_cover_and_of_a_module_lead_to_a_place(page, book_folder):
    for url in ("index.html", "models/diffusion.html"):
        page.goto(address(book_folder, url))
        links = page.eval_on_selector_all("a[href]", "links => links.map(a => a.href)")
        for link in sorted({link.partition("#")[0] for link in links}):
            assert link.startswith("file:")
            assert page.request and Path(page.evaluate(
                "u => decodeURIComponent(new URL(u).pathname)", link)).is_file(), link


def test_on_a_phone_the_contents_open_and_close(page, book_folder):
    page.set_viewport_size({"width": 400, "height": 900})
    page.goto(address(book_folder, "probability/density.html"))
    assert not page.locator("#search").is_visible()
    page.click("#menu")
    page.wait_for_function("document.getElementById('contents').getBoundingClientRect().x === 0")
    assert page.locator("#search").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_function(
        "getComputedStyle(document.getElementById('contents')).visibility === 'hidden'")


def test_without_scripts_the_text_its_formulas_and_its_links_are_there(chromium, book_folder):
    with visited(chromium, address(book_folder, "probability/likelihood.html"),
                 own=address(book_folder), java_script_enabled=False) as page:
        assert page.locator(".formulas").count() > 0
        page.locator(".tests > summary").first.click()
        page.locator(".tests li a[href^='#test_']").first.click()
        assert "#test_" in page.url


def test_a_printed_page_has_its_text_and_no_contents(page, book_folder):
    page.goto(address(book_folder, "probability/likelihood.html"))
    page.emulate_media(media="print")
    assert not page.locator("#contents").is_visible()
    assert page.locator("article p").first.is_visible()


def test_a_book_whose_index_is_lost_says_so(chromium, book_folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(book_folder, copy, ignore=shutil.ignore_patterns("index.js", "figures"))
    with visited(chromium, (copy / "errata.html").as_uri(), expected=["ERR_FILE_NOT"]) as page:
        page.fill("#search", "box")
        page.wait_for_selector("#found:not([hidden])")
        assert "index of this book is missing" in page.inner_text("#found")
