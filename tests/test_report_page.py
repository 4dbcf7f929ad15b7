"""The page in a real browser, headless and without a network."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager

import pytest
from contrast import contrast
from report_cases import HOSTILE, ODD, ordinary
from report_readings import check, shown

from fastcal.report import make_report
from fastcal.report._words import readout

pytest.importorskip("vl_convert")
playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("chromium is not installed (make browser)", allow_module_level=True)

READY = "document.documentElement.dataset.ready === 'true'"
FOCUSABLE = "a[href], button, input, summary, [tabindex='0']"
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser():
    # As root chromium refuses to start with its sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


@pytest.fixture(scope="module")
def report():
    run, qrels, profile, options = ordinary()
    return make_report(run, qrels, profile, **options)


@pytest.fixture(scope="module")
def path(report, tmp_path_factory):
    found = tmp_path_factory.mktemp("page") / "report.html"
    report.save(found)
    return found


@contextmanager
def opened(browser, path, **options):
    """The page, drawn; whatever it says to the console or asks of the network fails."""
    said = []
    with browser.new_context(**{"viewport": {"width": 1000, "height": 800}, **options}) as context:
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
        page.goto(path.as_uri())
        if options.get("java_script_enabled", True):
            page.wait_for_function(READY)
        yield page
        assert not said


@pytest.fixture(scope="module")
def shared(browser, path):
    with opened(browser, path) as page:
        yield page


@pytest.fixture
def page(shared):
    """The page with its sliders where they were at the start."""
    shared.reload()
    shared.wait_for_function(READY)
    return shared


# -- the sliders --------------------------------------------------------------------------------------------
def test_it_starts_where_the_profile_acts(page, report):
    facts = report.to_dict()
    assert check(page, facts) == (facts["operating"]["start"], facts["operating"]["escalate_start"])


def test_the_slider_moves_by_keyboard(page, report):
    facts = report.to_dict()
    last = len(facts["operating"]["threshold"]) - 1
    at, _ = check(page, facts)
    page.locator("#act").focus()
    for key, step in (("ArrowRight", 1), ("ArrowUp", 1), ("ArrowLeft", -1), ("PageUp", 10), ("PageDown", -10), ("ArrowDown", -1)):
        before = shown(page)
        page.keyboard.press(key)
        at = min(max(at + step, 0), last)
        assert check(page, facts)[0] == at
        assert key.startswith("Arrow") or shown(page) != before
        assert shown(page)["precision"] in page.locator("#act").get_attribute("aria-valuetext")
    page.keyboard.press("End")
    assert check(page, facts)[0] == last
    page.keyboard.press("Home")
    assert check(page, facts) == (0, 0)  # the edge to escalate from was pushed along
    page.keyboard.press("End")
    assert check(page, facts) == (last, facts["operating"]["escalate_start"])  # and came back
    page.keyboard.press("Home")
    page.locator("#reset").click()
    assert check(page, facts) == (facts["operating"]["start"], facts["operating"]["escalate_start"])
    said = shown(page)
    page.locator("#told:not(:empty)").wait_for(state="attached")
    for text in (page.locator("#told").text_content(), page.locator("#chart-rates").locator("..").get_attribute("aria-label")):
        assert f"precision {said['precision']}, recall {said['recall']}" in text


def test_the_slider_moves_by_drag(page, report):
    facts = report.to_dict()
    grid = facts["operating"]["threshold"]
    slider = page.locator("#act")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    height = box["y"] + box["height"] / 2
    travel, start = box["width"] - 18, box["x"] + 9  # of the middle of a thumb 18 pixels wide
    page.mouse.move(start + travel * grid[facts["operating"]["start"]], height)
    page.mouse.down()
    for share in (0.5, 0.7, 0.9):
        page.mouse.move(start + travel * share, height, steps=3)
        assert grid[check(page, facts)[0]] == pytest.approx(share, abs=0.01)
    page.mouse.up()
    assert slider.evaluate("e => e === document.activeElement")


def test_edges_by_number_and_by_name(page, report):
    facts = report.to_dict()
    grid, texts, marks = (facts["operating"][name] for name in ("threshold", "threshold_text", "marks"))
    page.locator("#escalate-value").fill("0.8")
    page.locator("#escalate-value").press("Enter")
    act, escalate = check(page, facts)
    assert act == escalate == min(range(len(grid)), key=lambda i: abs(grid[i] - 0.8))  # and pushes the other
    page.locator("#act").focus()
    page.keyboard.press("PageDown")
    assert check(page, facts) == (act - 10, act - 10)  # nothing escalates: no band comes out of moving the other
    for mark in marks:
        page.get_by_role("button", name=mark["label"]).click()
        assert check(page, facts) == (mark["at"], min(mark["at"], facts["operating"]["escalate_start"]))
    for text, at in (("", marks[-1]["at"]), ("7", len(grid) - 1)):
        page.locator("#act-value").fill(text)
        page.locator("#act-value").press("Enter")
        assert check(page, facts)[0] == at
        assert page.locator("#act-said").text_content() == f"from {texts[0]} to {texts[-1]}"
    numbers = facts["operating"]["n_selected"]
    for at in range(0, len(grid), 7):  # what is shown is understood
        page.locator("#act-value").fill(texts[at])
        page.locator("#act-value").press("Enter")
        assert numbers[check(page, facts)[0]] == numbers[at]
        assert page.locator("#act-said").text_content() == ""


# -- colours, sizes, paper ---------------------------------------------------------------------------------------
def test_light_and_dark(page):
    button = page.locator("#theme")
    light = page.screenshot()
    assert button.get_attribute("aria-label") == "Switch to dark colours"
    button.click()
    page.mouse.move(0, 0)
    dark = page.screenshot()
    assert light != dark
    assert contrast(page) >= 4.5
    page.emulate_media(color_scheme="dark")
    button.click()
    assert contrast(page) >= 4.5
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.reload()
    page.wait_for_function(READY)
    assert button.get_attribute("aria-label") == "Switch to light colours"
    assert page.screenshot() != light
    page.emulate_media(color_scheme="light")


def test_a_phone_scrolls_in_one_direction(browser, path, report):
    with opened(browser, path, viewport=PHONE, has_touch=True) as page:
        for details in page.locator("summary").all():
            details.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        check(page, report.to_dict())
        # Nothing has to be scrolled to sideways, and every cell of a card says what it is.
        assert page.evaluate("[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth).length") == 0
        cells = page.locator("#classes .cards td")
        assert cells.count() >= 8
        for cell in cells.all():
            box = cell.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= PHONE["width"]
            assert cell.get_attribute("data-label") in cell.evaluate("e => getComputedStyle(e, '::before').content")
        assert page.get_by_role("columnheader", name="Own threshold").count() == 1
        small = page.evaluate("[...document.querySelectorAll('button, input, summary')].filter((e) => e.getBoundingClientRect().height < 20).length")
        assert small == 0


def test_on_paper_controls_are_gone_and_numbers_stay(page):
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("nav").is_visible()
    assert not page.locator("#act").is_visible()
    assert page.locator("#board").is_visible()
    page.locator("details:not([open])").first.wait_for(state="detached")
    page.set_viewport_size({"width": 700, "height": 900})  # A4 less its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    page.set_viewport_size({"width": 1000, "height": 800})
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media(media="screen", color_scheme="light")
    page.locator("details[open]").first.wait_for(state="detached")
    assert page.evaluate("[...document.querySelectorAll('.scroll')].every((e) => e.scrollWidth <= e.clientWidth)")


# -- for everybody ----------------------------------------------------------------------------------------------
def test_tab_reaches_everything_and_shows_where_it_is(page):
    wanted = page.evaluate(f'[...document.querySelectorAll("{FOCUSABLE}")].filter((e) => e.checkVisibility()).length')
    page.evaluate(f'[...document.querySelectorAll("{FOCUSABLE}")].forEach((e, i) => {{ e.dataset.stop = i; }})')
    reached, hidden = [], []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        stop, outline = page.evaluate("[document.activeElement.dataset.stop, parseFloat(getComputedStyle(document.activeElement).outlineWidth)]")
        reached.append(int(stop))
        hidden += [stop] if outline < 2 else []
    assert reached == sorted(set(reached))
    assert len(reached) == wanted
    assert not hidden
    assert reached[0] == 0
    assert page.evaluate("document.querySelector('.skip').getAttribute('href')") == "#main"


def test_charts_of_scores_share_their_axis(page):
    found = page.evaluate("""[...document.querySelectorAll('#scores .chart svg')].map((svg) => {
        const plot = svg.querySelector('.root > g > path.background').getBoundingClientRect();
        const labels = [...svg.querySelectorAll('.role-axis-label text')].filter((e) => e.getBoundingClientRect().top > plot.bottom);
        const seen = labels.filter((e) => e.getAttribute('opacity') !== '0');
        return [plot.left, plot.right, seen.map((e) => [e.textContent, e.getAttribute('text-anchor')])];
    })""")
    assert len({tuple(ends) for *ends, _ in found}) == 1
    assert found[-1][2][-1] == ["1.00", "middle"]
    assert [len(labels) for *_, labels in found[:-1]] == [0, 0]


def test_what_is_drawn_is_also_said(page, report):
    assert page.locator(".chart svg").count() == page.locator(".chart").count() >= 8
    for chart in page.locator(".chart").all():
        assert chart.get_attribute("role") == "img"
        assert len(chart.get_attribute("aria-label")) > 20
    assert page.evaluate("[...document.querySelectorAll('[id]')].length === new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size")
    assert page.evaluate("[...document.querySelectorAll('table')].every((t) => t.querySelector('th[scope=row]') && t.caption)")
    assert page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1]))")[0] == 1
    assert page.title() == f"{report.facts['title']} \u2013 fastcal report"
    assert page.evaluate("[...document.querySelectorAll('input')].every((e) => e.labels.length || e.getAttribute('aria-label'))")


def test_without_scripts_the_numbers_are_there(browser, path, report):
    facts = report.to_dict()
    with opened(browser, path, java_script_enabled=False) as page:
        texts = readout(facts["operating"], facts["data"], facts["operating"]["start"], facts["operating"]["escalate_start"])
        assert not page.get_by_text("Drag the sliders").is_visible()
        assert page.locator("[data-out=precision]").text_content() == texts["precision"]
        assert not page.locator("#act").is_visible()
        assert page.get_by_text("need JavaScript").is_visible()


# -- nothing in, nothing out ------------------------------------------------------------------------------------------
def test_the_policy_forbids_the_network(browser, path):
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"<[^>]+\b(?:src|href|action|data)=\"(?!data:,|#)", markup)
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(path.as_uri())
        refused = page.evaluate("""async () => {
            const seen = new Promise((done) => document.addEventListener('securitypolicyviolation', (e) => done(e.effectiveDirective)));
            try { await fetch('https://example.invalid/'); return 'fetched'; } catch { return await seen; }
        }""")
        assert refused == "connect-src"
        # Neither does a script that data would bring in run.
        page.evaluate("document.body.appendChild(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))")
        assert page.evaluate("window.ran") is None


@pytest.mark.parametrize("name", ODD)
def test_odd_data_has_a_page(name, browser, tmp_path):
    run, qrels, profile, options = ODD[name]
    report = make_report(run, qrels, profile, **options)
    report.save(tmp_path / "odd.html")
    with opened(browser, tmp_path / "odd.html", viewport=PHONE) as page:
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.locator("h1").text_content() == report.facts["title"]
        assert page.locator("img").count() == 0
        check(page, report.to_dict())
        page.locator("#act").focus()
        page.keyboard.press("ArrowLeft")
        check(page, report.to_dict())
        if options.get("name") == HOSTILE:
            assert page.get_by_role("rowheader", name=HOSTILE).count() >= 1
