"""A real browser for tests: Chromium from the system's packages, driven by Playwright.

    def test_something(chromium):           # a fixture, which conftest.py knows
        with browser.visited(chromium, "http://127.0.0.1:8000/") as page: ...

Nothing but the origin, or the folder, of that address can be reached. What the page tries to fetch
from elsewhere, and each error in its console, makes the test fail. Where Playwright or Chromium is
missing, tests are skipped; with GDL_NUMPY_BROWSER=required in the environment they fail.
"""

import contextlib
import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_or_skip():
    """Playwright's function that starts all, and the path of Chromium."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    try:
        from playwright.sync_api import sync_playwright
        missing = None if path else f"no {', '.join(NAMES)} on the path"
    except ImportError:
        missing = "Playwright is missing: pip install -e '.[browser]'"
    if missing:
        if os.environ.get("GDL_NUMPY_BROWSER") == "required":
            pytest.fail(f"a browser is required, but {missing}")
        pytest.skip(missing)
    return sync_playwright, path


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window, closed at the end."""
    sync_playwright, path = chromium_or_skip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def visited(chromium, address, own=None, expected=(), **context):
    """The page at `address`, in a window of its own: `viewport`, `color_scheme`, and so on.

    `own` is the beginning of all addresses that may be asked, the folder of `address` unless it is
    given. Errors in the console that hold one of the texts `expected` are meant.
    """
    own, errors, strangers = own or address.rpartition("/")[0] + "/", [], []
    window = chromium.new_context(**context)

    def guard(route):
        if route.request.url.startswith((own, "data:", "blob:")):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    window.route("**/*", guard)
    page = window.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    try:
        page.goto(address)
        yield page
        unexpected = [error for error in errors if not any(text in error for text in expected)]
        assert not unexpected and not strangers, (unexpected, strangers)
    finally:
        window.close()


def wider_than_its_window(page):
    """By how many pixels a page can be scrolled to the side."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")
