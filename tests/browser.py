"""A browser for tests: Chromium from the system, driven by Playwright.

    with opened(chromium, 1400, "dark") as page:
        page.goto(address)
        ...
    assert page.faults == []                      # messages of the console, requests elsewhere

Where Playwright or a browser is missing, tests that ask for `chromium` are skipped and say why.
With GDL_NUMPY_BROWSER=required in the environment they fail, so that nobody believes they ran.
"""

import contextlib
import os
import shutil

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LOCAL = ("file:", "data:", "blob:", "about:", "http://127.0.0.1:")


def missing(why):
    """Skip the test, or let it fail where a browser is required."""
    if os.environ.get("GDL_NUMPY_BROWSER") == "required":
        pytest.fail(f"a browser is required, and {why}")
    pytest.skip(why)


@pytest.fixture(scope="module")
def chromium():
    """The browser, started once for the tests of a module."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright is not installed: pip install -e '.[browser]'")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        missing("no Chromium was found; it comes from the packages of the system")
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(chromium, width=1400, scheme="light", height=900):
    """A page of its own; `faults` has what the console says and who else is asked for something."""
    context = chromium.new_context(viewport={"width": width, "height": height},
                                   color_scheme=scheme)
    page = context.new_page()
    page.faults = []
    page.on("console", lambda message: page.faults.append(message.text)
            if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.faults.append(str(error)))

    def answer(route):
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            page.faults.append(f"a request to {route.request.url}")
            route.abort()

    context.route("**/*", answer)
    try:
        yield page
    finally:
        context.close()


def too_wide(page):
    """By how many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")
