"""The pages that compute, in a real browser: what is dragged or moved by keys changes the numbers.
"""

import functools
import re
import threading
import time

import browser
import pytest
from explorer import noise, questions
from explorer.panels import PANELS
from explorer.server import serving

ALL = "#noise[data-ready]"                                  # the panel that is started last
EAST = "#box .handle[aria-label^='side east']"


@pytest.fixture(scope="module")
def address():
    """Of a server in this process, whose diffusion model draws few chains."""
    with pytest.MonkeyPatch.context() as patch, serving(0) as server:
        patch.setattr(noise, "CHAINS", 60)
        patch.setattr(noise, "states", questions.once(noise.states.__wrapped__))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.address
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def shared(chromium, address):
    """A page that is used by several tests, each of another panel."""
    with browser.visited(chromium, address, expected=["status of 400"],
                         viewport={"width": 1280, "height": 900}) as page:
        page.set_default_timeout(10_000)
        page.wait_for_selector(ALL, timeout=60_000)
        yield page


def shown(page, panel, name):
    return page.text_content(f"#{panel} [data-show={name}]")


def until(page, panel, name, pattern):
    """Wait until a number of a panel is written in a way, and return it."""
    page.wait_for_function("([place, pattern]) => new RegExp(pattern).test("
                           "document.querySelector(place).textContent)",
                           arg=[f"#{panel} [data-show={name}]", pattern])
    return shown(page, panel, name)


def changed(page, panel, name, before):
    return until(page, panel, name, f"^(?!{re.escape(before)}$)")


def drag(page, what, right, down):
    page.locator(what).scroll_into_view_if_needed()
    place = page.locator(what).bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=8)
    page.mouse.up()


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window_and_nothing_is_fetched_from_elsewhere(
        chromium, address, width, scheme):
    with browser.visited(chromium, address, viewport={"width": width, "height": 800},
                         color_scheme=scheme) as page:
        page.wait_for_selector(ALL, timeout=60_000)
        page.click("#box [data-do=reveal]")
        for panel in PANELS.keys() - {"world"}:
            page.wait_for_function("panel => document.querySelector(panel).textContent.startsWith("
                                   "'computed in')", arg=f"#{panel} .told")
        assert browser.wider_than_its_window(page) <= 0
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 200) == (scheme == "dark")
        assert not "".join(page.locator("[role=alert]").all_text_contents())


def test_a_dragged_side_changes_the_numbers_and_a_button_leads_back(shared):
    assert until(shared, "box", "inside", "of") == "50 of 50"
    assert shown(shared, "box", "log_likelihood") == "−544.30 nats"
    drag(shared, EAST, -150, 3)
    assert until(shared, "box", "inside", "^[34]") != "50 of 50"
    assert until(shared, "box", "likelihood", "^0$") == "0"
    assert shown(shared, "box", "log_likelihood") == "−∞ nats"
    assert "θ4 alone" in shown(shared, "box", "curve")
    shared.click("#box [data-do=back]")
    assert until(shared, "box", "inside", "^50") == "50 of 50"


def test_a_corner_moves_two_sides(shared):
    before = [shared.get_attribute(f"#box .handle[aria-label^='side {side}']", "aria-valuenow")
              for side in ("south", "west", "north", "east")]
    drag(shared, "#box .handle[aria-label^='corner south, θ1 and west']", 60, -40)
    after = [shared.get_attribute(f"#box .handle[aria-label^='side {side}']", "aria-valuenow")
             for side in ("south", "west", "north", "east")]
    assert [a == b for a, b in zip(after, before, strict=True)] == [False, False, True, True]
    shared.click("#box [data-do=back]")
    until(shared, "box", "inside", "^50")


def test_keys_move_a_side_and_home_brings_it_back(shared):
    shared.focus(EAST)
    for key, east in (("ArrowLeft", "174.5"), ("Shift+ArrowLeft", "174.4"), ("PageDown", "164.4"),
                      ("ArrowRight", "165.4"), ("ArrowUp", "165.4")):
        shared.keyboard.press(key)
        assert shared.get_attribute(EAST, "aria-valuenow") == east
    assert until(shared, "box", "inside", "^4") != "50 of 50"
    shared.wait_for_function("side => document.querySelector(side).ariaValueText.includes('−∞')",
                             arg=EAST)
    shared.keyboard.press("Home")
    assert until(shared, "box", "inside", "^50") == "50 of 50"


def test_the_rule_is_hidden_until_it_is_revealed(shared):
    assert shown(shared, "box", "missed_land") == "?"
    assert not shared.locator("#box .land").count()
    shared.click("#box [data-do=reveal]")
    assert until(shared, "box", "missed_land", "%") == "4.9 %"
    assert shown(shared, "box", "kl_data_model") == "∞ nats"
    assert shared.locator("#box .land").is_visible()
    shared.locator("#box svg.map").hover(position={"x": 20, "y": 120})
    assert "p_data = 0, p_model = 0 – " in until(shared, "box", "verdict", "^neither at ")
    shared.focus("#box .probe")
    before = shown(shared, "box", "verdict")
    shared.keyboard.press("PageUp")
    changed(shared, "box", "verdict", before)
    shared.click("#box [data-do=reveal]")
    assert until(shared, "box", "missed_land", r"\?") == "?"
    assert not shared.locator("#box .land").is_visible()


def test_what_is_no_box_is_refused_in_the_words_of_the_package(shared):
    shared.focus("#box .handle[aria-label^='side west']")
    for _ in range(33):
        shared.keyboard.press("PageUp")
    shared.wait_for_function("() => document.querySelector('#box [role=alert]').textContent"
                             ".includes('low must be below high')")
    shared.keyboard.press("Home")
    shared.wait_for_function("() => document.querySelector('#box [role=alert]').textContent === ''")
    until(shared, "box", "inside", "^50")


def test_the_slider_leads_from_noise_to_land_and_so_does_the_button(shared):
    assert until(shared, "noise", "level", r"\d") == "256"
    noise_on_land = float(shown(shared, "noise", "on_land").split()[0])
    shared.focus("#noise-step")
    shared.keyboard.press("ArrowRight")
    assert until(shared, "noise", "level", "^255$") == "255"
    shared.keyboard.press("End")
    assert until(shared, "noise", "level", "^0$") == "0"
    assert float(shown(shared, "noise", "on_land").split()[0]) > 60 > 50 > noise_on_land
    shared.locator("#noise-step").fill("236")
    until(shared, "noise", "level", "^20$")
    shared.click("#noise [data-do=play]")
    until(shared, "noise", "level", "^0$")
    assert "Denoise" in shared.text_content("#noise [data-do=play]")


def test_who_wants_less_motion_gets_the_end_at_once(chromium, address):
    with browser.visited(chromium, address, reduced_motion="reduce") as page:
        page.wait_for_selector(ALL, timeout=60_000)
        page.click("#noise [data-do=play]")
        assert until(page, "noise", "level", "^0$") == "0"
        assert page.input_value("#noise-step") == "256"
        assert not page.locator("#sail [data-do=play]").is_visible()        # all ways are drawn


def test_new_draws_are_others_and_a_family_has_its_density_and_numbers(shared):
    assert until(shared, "families", "draws", r"\d") == "1,500"
    before = shared.get_attribute("#families .dots", "d")
    shared.click("#families [data-do=draw]")
    shared.wait_for_function("before => document.querySelector('#families .dots')"
                             ".getAttribute('d') !== before", arg=before)
    shared.select_option("#families-name", "adversarial")
    assert shown(shared, "families", "kl") == "unknown"
    shared.check("#families-density")
    until(shared, "families", "how", "implicit")
    shared.select_option("#families-name", "normal")
    until(shared, "families", "how", "full color")
    assert shown(shared, "families", "kl") == "1.398 nats"
    seen = shared.evaluate("(c => [...c.getContext('2d').getImageData(60, 30, 1, 1).data])"
                           "(document.querySelector('#families canvas'))")
    assert seen[:3] != [0, 0, 0] and seen[3] > 50
    shared.uncheck("#families-density")


def test_numbers_of_another_family_never_stand_beside_a_name(shared, monkeypatch):
    draws, go_on = PANELS["families"].QUESTIONS["draws"], threading.Event()

    @functools.wraps(draws)
    def slow(name, seed):
        assert go_on.wait(20)
        return draws(name, seed)

    until(shared, "families", "in_the_sea", "%")
    monkeypatch.setitem(PANELS["families"].QUESTIONS, "draws", slow)
    shared.select_option("#families-name", "box")
    assert shown(shared, "families", "in_the_sea") == shown(shared, "families", "draws") == "…"
    assert not shared.get_attribute("#families .dots", "d")
    assert not shared.text_content("#families .told")
    shared.select_option("#families-name", "normal")        # the draws of the box come meanwhile
    go_on.set()
    assert 65 < float(until(shared, "families", "in_the_sea", "%").split()[0]) < 75
    assert "Normal.sample" in shared.text_content("#families .told")
    assert "model normal, " in shared.get_attribute("#families svg", "aria-label")


def test_a_strip_of_missed_land_is_not_called_none(shared):
    for side in ("south", "west", "north", "east"):
        shared.focus(f"#box .handle[aria-label^='side {side}']")
        for _ in range(11):
            shared.keyboard.press("PageUp" if side in ("north", "east") else "PageDown")
    shared.click("#box [data-do=reveal]")
    assert until(shared, "box", "kl_data_model", r"^\d").endswith(" nats")
    assert shown(shared, "box", "missed_land") == "0.0 %"
    shared.focus("#box .handle[aria-label^='side north']")
    for key in 6 * ["ArrowDown"] + 4 * ["Shift+ArrowDown"]:
        shared.keyboard.press(key)
    until(shared, "box", "kl_data_model", "∞")
    assert shown(shared, "box", "missed_land") == "< 0.1 %"
    shared.click("#box [data-do=reveal]")
    shared.click("#box [data-do=back]")
    until(shared, "box", "inside", "^50")


def test_a_dragged_code_is_another_tin_and_taller_is_taller(shared):
    def picture():
        return shared.evaluate("document.querySelector('[data-picture=decoded]').toDataURL()")

    before, latent = picture(), until(shared, "tin", "latent", ",")
    shared.click("#tin [data-do=taller]")
    taller = changed(shared, "tin", "latent", latent)
    assert 0.01 < float(taller.split(",")[0]) - float(latent.split(",")[0]) < 0.06
    assert picture() != before
    drag(shared, "#tin .handle", 300, -120)
    until(shared, "tin", "distance", r"^0\.(0[2-9]|[1-9])")  # off the cloud: no tin
    shared.focus("#tin .handle")
    shared.keyboard.press("Home")
    assert until(shared, "tin", "latent", f"^{latent}$") == latent


def test_a_reader_sails_by_buttons_and_keys_against_a_hidden_wind(shared):
    assert until(shared, "sail", "steps", r"^\d") == "0"
    assert "lies at 37.5° N 12.5° W, the goal at 37.5° N 67.5° W" in shown(shared, "sail", "status")
    assert shown(shared, "sail", "optimum") == "29.2 steps"
    assert shown(shared, "sail", "blind") == "98.7 steps"
    shared.click("#sail [data-do=west]")
    until(shared, "sail", "status", "Steered west, (stayed|came)")
    for key, heading in (("Down", "south"), ("Up", "north"), ("Right", "east"), ("Left", "west")):
        shared.focus("#sail svg" if heading == "south" else "#sail [data-do=west]")
        before = shared.evaluate("scrollY")
        shared.keyboard.press(f"Arrow{key}")
        until(shared, "sail", "status", f"Steered {heading}")
        assert shared.evaluate("scrollY") == before
    assert shown(shared, "sail", "steps") == "5"
    assert shared.get_attribute("#sail .columns > div > svg > .track", "d").count("L") == 5
    assert not shared.locator("#sail .wind .arrow").count()
    shared.click("#sail [data-do=reveal]")
    assert "0.75" in until(shared, "sail", "wind", "probability")
    assert shared.locator("#sail .wind .arrow").count() == 160
    shared.click("#sail [data-do=reveal]")
    assert not shared.locator("#sail .wind .arrow").count()
    until(shared, "sail", "own", "^5$")
    shared.click("#sail [data-do=again]")
    until(shared, "sail", "steps", "^0$")
    shared.click("#sail [data-do=west]")
    assert until(shared, "sail", "own", "^6$") == "6"       # the log keeps the first voyage


def test_of_headings_that_come_while_an_answer_is_slow_none_is_lost(shared):
    shared.click("#sail [data-do=again]")
    until(shared, "sail", "steps", "^0$")
    shared.evaluate("""() => { for (let i = 0; i < 420; i++)
        document.querySelector('#sail [data-do=east]').click(); }""")
    shared.wait_for_function("() => document.querySelector('#sail [role=alert]').textContent"
                             ".includes('headings must be at most 400')")
    shared.click("#sail [data-do=again]")
    until(shared, "sail", "steps", "^0$")
    for _ in range(3):
        shared.click("#sail [data-do=west]")
    until(shared, "sail", "steps", "^3$")
    assert not shared.text_content("#sail [role=alert]")


def test_a_model_plans_from_more_steps_and_its_ships_sail(shared):
    shared.uncheck("#sail-own")
    until(shared, "sail", "own", "^0$")
    shared.locator("#sail-steps").fill("0")
    until(shared, "sail", "logged", "^0$")
    assert shown(shared, "sail", "sailed") == "98.7 steps"
    assert shown(shared, "sail", "dreamt") == "12.9 steps"
    shared.locator("#sail-steps").fill("5000")
    until(shared, "sail", "logged", "^5,000$")
    assert 29.2 <= float(shown(shared, "sail", "sailed").split()[0]) < 32
    assert shared.locator("#sail .plan .arrow").count() == 160
    dreamt = shown(shared, "sail", "dreamt")
    shared.click("#sail [data-do=log]")
    changed(shared, "sail", "dreamt", dreamt)
    points = "[...document.querySelectorAll('#sail .tracks .track')].map(p => p.getAttribute('d'))"
    whole = shared.evaluate(points)
    shared.click("#sail [data-do=play]")
    assert all(a.startswith(b) for a, b in zip(whole, shared.evaluate(points), strict=True))
    assert len("".join(shared.evaluate(points))) < len("".join(whole))
    shared.click("#sail [data-do=play]")                    # stopped: the whole ways again
    assert shared.evaluate(points) == whole and len(whole) == 12


def test_a_point_has_its_label_from_both_sides(shared):
    place = "#bayes caption"
    assert "Asia" in shared.text_content(place)
    shared.focus("#bayes .handle")
    for _ in range(4):
        shared.keyboard.press("PageDown")
    shared.wait_for_function("() => document.querySelector('#bayes caption').textContent"
                             ".includes('(8.0°, 20.0°); the truth: Africa')")
    best = shared.locator("#bayes tr:has(th:text('Africa')) .best")
    assert [float(text.split()[0]) > 90 for text in best.all_text_contents()] == [True, True]
    shared.select_option("#bayes-side", "bayes")


def test_every_control_has_a_name_and_every_link_leads_into_the_book(shared):
    for panel in PANELS.keys() - {"world"}:
        links = shared.eval_on_selector_all(f"#{panel} .told a",
                                            "all => all.map(a => a.getAttribute('href'))")
        assert all(re.fullmatch(r"/book/[\w/]+\.html#[\w.]+", link) for link in links)
    assert shared.eval_on_selector_all(
        "button, select, input, [role=slider], svg[role], canvas[role]",
        """all => all.filter(e => !(e.getAttribute('aria-label') || e.textContent.trim()
                                     || e.labels?.length)).length""") == 0
    shared.focus("#box .handle")
    assert shared.locator("#box .handle:focus-visible").count() == 1


def test_questions_never_queue_while_an_answer_is_slow(shared, monkeypatch):
    """Of twenty moves during a slow answer the first is asked, and then the last."""
    asked, answer = [], PANELS["bayes"].QUESTIONS["answer"]

    @functools.wraps(answer)
    def slow(x):
        asked.append(x)
        time.sleep(0.3)
        return answer(x)

    monkeypatch.setitem(PANELS["bayes"].QUESTIONS, "answer", slow)
    shared.focus("#bayes .handle")
    before = float(shared.get_attribute("#bayes .handle", "aria-valuenow"))
    shared.evaluate("""() => { for (let i = 0; i < 20; i++) document.activeElement.dispatchEvent(
        new KeyboardEvent('keydown', {key: 'ArrowUp', bubbles: true})); }""")
    shared.wait_for_function(f"""() => document.querySelector('#bayes caption').textContent
        .includes('({before + 20:.1f}°')""")
    assert [x[0] for x in asked] == [before + 1, before + 20]


def test_without_an_answer_the_page_says_so_and_goes_on_when_there_is_one(chromium, address):
    with browser.visited(chromium, address, expected=["Failed to load resource"]) as page:
        page.wait_for_selector(ALL, timeout=60_000)
        page.context.set_offline(True)                      # Chromium then reaches nothing at all
        page.focus("#bayes .handle")
        page.keyboard.press("ArrowUp")
        page.wait_for_function("() => document.querySelector('#bayes [role=alert]').textContent"
                               ".includes('The server does not answer')")
        page.context.set_offline(False)
        page.keyboard.press("ArrowUp")
        page.wait_for_function("() => !document.querySelector('#bayes [role=alert]').textContent")


def test_a_missing_browser_is_a_reason_to_skip_unless_it_is_required(monkeypatch):
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    for required, ended in (("", pytest.skip.Exception), ("required", pytest.fail.Exception)):
        monkeypatch.setenv("GDL_NUMPY_BROWSER", required)
        with pytest.raises(ended, match="chromium|Playwright"):
            browser.chromium_or_skip()
