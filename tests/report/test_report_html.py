import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from soak.report.files import write_reports
from soak.report.html import CONTENTS, html
from soak.report.record import load_run
from soak.result import OPERATIONS
from tests.programs import program
from tests.runs import write_run

MAX_BYTES = 2_000_000
# The browser's own calls home are shut off, so that every request seen is the page's.
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three hours of each kind, with their reports."""
    above = tmp_path_factory.mktemp("runs")
    for kind in ("healthy", "leaking", "crashed"):
        path = write_run(above / kind, kind, length_s=10_800.0)
        for file in path.iterdir():
            os.utime(file, (0, 0))  # silent for long: not going on any more
        write_reports(path)
    return above


class Tags(HTMLParser):
    """Elements that were opened and not shut, and ids that were given twice."""

    VOID = ("meta", "link", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)
        self.wrong += self.open

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        identity = dict(attrs).get("id")
        if identity in self.ids:
            self.wrong.append(f"#{identity} twice")
        self.ids |= {identity} - {None}

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID and self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


@pytest.mark.parametrize("kind", ["healthy", "leaking", "crashed"])
def test_every_element_is_shut_and_every_id_is_unique(runs, kind):
    assert [] == Tags((runs / kind / "report.html").read_text()).wrong


@pytest.mark.parametrize("kind", ["healthy", "leaking", "crashed"])
def test_the_page_needs_nothing_else(runs, kind):
    text = (runs / kind / "report.html").read_text()

    links = re.findall(r'(?:src|href)="([^"]*)"|url\(([^)]*)\)|@import', text)
    assert {"#", "d"} == {(first or second)[:1] for first, second in links}  # anchors, data:,


def test_the_contents_lead_to_sections(runs):
    text = (runs / "leaking" / "report.html").read_text()

    assert {place for place, _ in CONTENTS} <= Tags(text).ids


def test_a_crashed_run_says_what_is_missing(runs):
    text = (runs / "crashed" / "report.html").read_text()

    assert "report.json is missing" in text
    assert "samples.csv: 1 line was torn or damaged and skipped." in text
    assert "Undecided after 1 h 12 min (interrupted)" in text


def test_what_a_target_says_cannot_become_markup(tmp_path):
    path = write_run(tmp_path / "run", "crashed", length_s=600.0)
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    with (path / "worker.jsonl").open("a") as file:
        file.write("\n")
        violation = {"kind": "violation", "index": 1, "operation": "get", "key": 2, "note": evil}
        file.write(json.dumps(violation) + "\n")
    with (path / "events.jsonl").open("a") as file:
        file.write("\n" + json.dumps({"time_s": 5, "kind": evil, "source": "declared"}) + "\n")
    with (path / "scenario.yaml").open("a") as file:
        file.write(f"question: '{evil} $title ${{css}}'\n")

    text = html(load_run(path))

    assert evil not in text
    assert 1 == text.count("<script>")
    assert 3 <= text.count("&lt;script&gt;alert(1)")


def test_wrong_answers_are_named_with_what_repeats_them(tmp_path):
    path = write_run(tmp_path / "run", "crashed", length_s=600.0)
    found = {"index": 4_711, "operation": "get", "key": 12, "violation": "pinned_lost"}
    counters = {"kind": "counters", "checked": 900, "violations": {"pinned_lost": 2, "ghost": 0}}
    with (path / "worker.jsonl").open("a") as file:
        file.write("\n" + json.dumps({"kind": "violation", "note": "gone", **found}) + "\n")
        file.write(json.dumps(counters) + "\n")

    text = html(load_run(path))

    assert "900 answers were compared with what had been written; 2 were wrong." in text
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr>.*?</tr>", text)]
    assert {"||pinned lost||2||", "||4,711||get||12||pinned lost||gone||"} <= set(rows)
    assert "seed 7 issues the same operations" in text


def test_a_run_that_wrote_nothing_has_a_report(tmp_path):
    (tmp_path / "scenario.yaml").write_text("name: steady\ntarget: engine\n")

    assert "Undecided after 0 s (running)" in html(load_run(tmp_path))


@pytest.mark.slow
def test_a_day_of_ten_operations_stays_small(tmp_path):
    operations = dict.fromkeys(OPERATIONS[:10], 0.1)
    path = write_run(tmp_path / "day", "leaking", length_s=86_400.0, operations=operations)

    assert len(html(load_run(path)).encode()) < MAX_BYTES / 2


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = program("chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield launched
        launched.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1_200, "height": 900})
    yield opened
    opened.close()


def watched(page: Page, path) -> list[str]:
    """Open the report there; what the page asked of others or complained of."""
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: trouble.append(request.url))
    page.goto(path.as_uri())
    page.mouse.move(600, 400)
    return [said for said in trouble if not said.startswith(("data:", path.as_uri()))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["healthy", "leaking", "crashed"])
def test_a_browser_shows_it_without_complaint_or_request(runs, page, kind):
    assert [] == watched(page, runs / kind / "report.html")
    assert 10 <= page.locator("svg[role=img]").count()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1_200, 420])
def test_nothing_sticks_out_sideways(runs, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((runs / "leaking" / "report.html").as_uri())

    assert width == page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.slow
def test_pointing_at_memory_says_what_was_sampled_then(runs, page):
    path = runs / "leaking"
    page.goto((path / "report.html").as_uri())
    figure = page.locator("figure", has_text="Memory of the target").first
    figure.scroll_into_view_if_needed()
    svg = figure.locator("svg")
    left, _, width, _ = map(float, svg.get_attribute("data-frame").split())
    box = svg.bounding_box()
    scale = box["width"] / float(svg.get_attribute("viewBox").split()[2])

    page.mouse.move(box["x"] + (left + 0.7 * width) * scale, box["y"] + box["height"] / 2)

    moment, _, anonymous, live = figure.locator(".readout").inner_text().splitlines()
    hours, minutes, seconds = map(int, moment.split(":"))
    at_s = hours * 3_600 + minutes * 60 + seconds
    assert at_s == pytest.approx(0.7 * 10_800, abs=20)
    samples = load_run(path).samples
    held = samples["anonymous_bytes"][at_s - 1] / 2**20
    assert float(anonymous.split()[1]) == pytest.approx(held, rel=0.02)
    records = samples["live_records"][at_s - 1]
    assert float(live.split()[2].replace(",", "")) == pytest.approx(records, rel=0.02)


@pytest.mark.slow
def test_dark_pages_have_dark_figures(runs, page):
    page.emulate_media(color_scheme="dark")
    page.goto((runs / "healthy" / "report.html").as_uri())

    stroke = "getComputedStyle(document.querySelector('[data-curve] path')).stroke"
    assert "rgb(240, 138, 93)" == page.evaluate(stroke)  # p99, dark
