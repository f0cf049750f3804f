"""Does the page show the snapshot's figures in a real browser, and ask nobody else?"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from soak.report import figures
from soak.show.web import Server, serve
from soak.snapshot import Hang, Quantiles, Snapshot
from soak.verdict import RunVerdict, Status
from tests.programs import program
from tests.snapshots import ELAPSED_S, PLANNED_S, six_hours

pytestmark = pytest.mark.slow

# --disable-...: the browser's own calls home; a test asserts that the page makes none.
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


SCREEN = {"width": 1920, "height": 1080}


@dataclass
class Board:
    snapshot: Snapshot
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return six_hours(2_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = program("chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def board(snapshot) -> Board:
    return Board(snapshot)


@pytest.fixture(scope="module")
def server(board) -> Iterator[Server]:
    running = serve("127.0.0.1:0", lambda: board.snapshot, lambda: 0.0)
    yield running
    running.close()


@pytest.fixture(scope="module")
def page(browser, server, board) -> Iterator[Page]:
    """The page of a run that stands still; who changes its looks changes them back."""
    opened = browser.new_page(viewport=SCREEN)
    listen(opened, board)
    opened.goto(server.url)
    opened.wait_for_selector("body[data-shown]")
    yield opened
    opened.close()


@pytest.fixture
def moving(browser, server, board, snapshot) -> Iterator[Page]:
    """A page of its own, whose clock the test moves with `next_poll`; the run may change."""
    opened = browser.new_page(viewport=SCREEN)
    listen(opened, board)
    opened.clock.install()
    opened.goto(server.url)
    opened.wait_for_selector("body[data-shown]")
    yield opened
    opened.close()
    board.snapshot = snapshot


def listen(opened: Page, board: Board) -> None:
    opened.on("request", lambda request: board.requests.append(request.url))
    opened.on("console", lambda message: board.complaints.append(message.text))
    opened.on("pageerror", lambda error: board.complaints.append(str(error)))


def next_poll(page: Page) -> None:
    page.clock.run_for(2_000)


def rows(page: Page, table: str) -> list[list[str]]:
    return [
        row.locator("td").all_inner_texts()
        for row in page.locator(f"#{table} tr").all()
        if row.locator("td").count()
    ]


def tiles(page: Page) -> dict[str, tuple[str, str]]:
    """Label to figure and note."""
    found = [tile.locator("> *").all_inner_texts() for tile in page.locator("#tiles > *").all()]
    return {label: (figure, note) for label, figure, note in found}


def test_the_strip_says_verdict_reason_progress_health_and_trust(page, snapshot):
    text = page.locator("#strip").inner_text()
    assert "fail" == page.locator("#strip").get_attribute("data-status")
    assert "FAIL so far" == page.locator("#verdict").inner_text()
    assert snapshot.verdict.reason in text
    assert "phase steady (2 of 3)" in text
    assert f"{figures.span(ELAPSED_S)} of {figures.span(PLANNED_S)}" in text
    assert "93 %" == page.locator("#health").inner_text()
    assert "worst: memory 81 %" in text
    assert "trusted" == page.locator("#trusted").inner_text()
    assert page.title().startswith("FAIL · steady on engine")


def test_the_tiles_are_the_snapshot_s_figures(page, snapshot):
    shown = tiles(page)
    recent = snapshot.operations["search"].recent
    first, last, _ = snapshot.resource_range["anonymous_bytes"]
    live = snapshot.records["live"]
    assert ("200/s", "of 200/s asked for") == shown["done"]
    assert figures.latency(recent.p99) == shown["p99 search"][0]
    assert (
        figures.size(last),
        f"{figures.change(first, last)} since the start",
    ) == shown["memory"]
    assert figures.whole(live) == shown["live records"][0]
    assert "98.7 %" == shown["recall"][0]
    assert ("3", "0.15 % of 2,000") == shown["failed operations"]
    assert ("0", "1,206,000 checked") == shown["wrong answers"]


def test_the_operations_table_is_the_histograms(page, snapshot):
    shown = {cells[0]: cells[1:] for cells in rows(page, "operations")}
    assert set(snapshot.operations) == set(shown)
    for name, totals in snapshot.operations.items():
        held, service = Quantiles.of(totals.latency), Quantiles.of(totals.service)
        outcomes = totals.outcomes
        counts = [totals.count, outcomes["error"], outcomes["wrong"], outcomes["missing"]]
        durations = [held.p50, held.p95, held.p99, held.p999, held.max, service.p99]
        durations += [totals.recent.p99, totals.worst.p99]
        expected = [*map(figures.whole, counts), *map(figures.latency, durations)]
        assert expected == shown[name]


def test_checks_come_worst_first_with_their_reasons(page, snapshot):
    shown = page.locator("#checks li").all()
    statuses = [row.get_attribute("data-status") for row in shown]
    assert ["fail", "unknown", "pass", "pass"] == statuses
    assert snapshot.verdicts[2].reason in shown[0].inner_text()
    assert "11.2 ms / 50 ms" in shown[2].inner_text()


def test_maintenance_comes_newest_first_with_what_it_gave_back(page, snapshot):
    events = [event for event in snapshot.events if event.details.get("maintenance")]
    shown = rows(page, "maintenance")
    assert [figures.moment(e.time_s) for e in reversed(events)] == [cells[0] for cells in shown]
    assert figures.size(9_000 * 1_900) == shown[0][5]
    expected = "10 declared, 7 detected, precision 100 %, recall 70 %"
    assert expected == page.locator("#agreement").inner_text()


def test_a_reading_that_fails_is_named(page):
    assert "(now: host)" in page.locator("#certificate").inner_text()


def test_lines_go_where_the_trend_goes(page, snapshot):
    """The path's heights are a falling linear function of the values."""
    path = page.locator("figure[data-chart=memory] path.stroke-anonymous").get_attribute("d")
    drawn = [float(point.split(",")[1]) for point in path[1:].replace("M", "L").split("L")]
    values = snapshot.trend["anonymous_bytes"]
    assert len(values) == len(drawn)
    low, high = values.index(min(values)), values.index(max(values))
    scale = (drawn[high] - drawn[low]) / (values[high] - values[low])
    assert scale < 0
    for value, height in zip(values, drawn, strict=True):
        assert drawn[low] + (value - values[low]) * scale == pytest.approx(height, abs=0.11)


def test_every_event_but_phases_is_a_band_in_every_chart(page, snapshot):
    events = [event for event in snapshot.events if event.kind != "phase"]
    for name in ("latency", "memory", "throughput", "quality"):
        assert len(events) == page.locator(f"figure[data-chart={name}] rect.band").count()


def test_a_kind_of_event_can_be_hidden_and_shown_again(page, snapshot):
    bands = page.locator("figure[data-chart=latency] rect.band")
    everything = bands.count()
    page.get_by_role("button", name="evict").click()
    compactions = [event for event in snapshot.events if event.kind == "compact"]
    expect(bands).to_have_count(len(compactions))
    page.get_by_role("button", name="evict").click()
    expect(bands).to_have_count(everything)


def test_another_operation_s_latency_can_be_chosen_and_stays(moving, board, snapshot):
    moving.select_option("#operation", "get")
    caption = moving.locator("figure[data-chart=latency] figcaption")
    expect(caption).to_contain_text("Latency of get")
    last = next(v for v in reversed(snapshot.trend["get_p99_s"]) if v == v)
    expect(caption).to_contain_text(figures.latency(last))
    board.snapshot = replace(snapshot, elapsed_s=ELAPSED_S + 1)
    next_poll(moving)
    expect(moving.locator("#updated")).to_have_text(f"as of {figures.moment(ELAPSED_S + 1)}")
    expect(caption).to_contain_text("Latency of get")


def test_the_arrows_move_a_reading_line_through_all_charts(page):
    page.locator("#charts").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#at")).to_have_text(f"at {figures.moment(ELAPSED_S * 0.99)}")
    expect(page.locator("line.cursor.shown")).to_have_count(4)
    page.keyboard.press("Escape")
    expect(page.locator("line.cursor.shown")).to_have_count(0)


def test_charts_are_told_in_words_too(page):
    told = page.locator("figure[data-chart=memory] svg").get_attribute("aria-label")
    assert told.startswith("Memory and records: resident from 126 MiB to")


def test_a_newer_snapshot_appears_by_itself(moving, board, snapshot):
    verdict = RunVerdict(status=Status.PASS, exit_code=0, reason="all 4 checks passed")
    board.snapshot = replace(snapshot, verdict=verdict, state="finished")
    next_poll(moving)
    expect(moving.locator("#verdict")).to_have_text("PASS")
    expect(moving.locator("#strip")).to_have_attribute("data-status", "pass")


def test_an_operation_that_hangs_is_shouted(moving, board, snapshot):
    board.snapshot = replace(snapshot, hang=Hang(operation="search", index=1, age_s=75.0))
    next_poll(moving)
    expect(moving.locator("#lost")).to_have_text("search has not come back for 75 s")


def test_checks_that_the_run_is_too_short_for_are_listed_as_skipped(moving, board, snapshot):
    board.snapshot = replace(snapshot, skipped=(("leak-disk", "needs an hour"),))
    next_poll(moving)
    expect(moving.locator("#checks li.skipped")).to_have_count(1)
    expect(moving.locator("#checks li.skipped")).to_contain_text("needs an hour")


def test_a_tester_that_is_gone_is_said_and_the_last_figures_stay(moving, board):
    moving.route("**/api/run", lambda route: route.abort())
    next_poll(moving)
    expect(moving.locator("#lost")).to_contain_text("No answer from the tester")
    assert "FAIL so far" == moving.locator("#verdict").inner_text()
    moving.unroute("**/api/run")
    next_poll(moving)
    expect(moving.locator("#lost")).to_be_hidden()
    board.complaints.clear()  # the browser's own words on the failed request


def test_the_first_second_of_a_run_is_shown_without_complaint(moving, board, snapshot):
    empty = dict.fromkeys(snapshot.trend, ())
    board.snapshot = replace(
        snapshot, elapsed_s=0.0, state="starting", trend=empty, events=(), verdicts=(), health={}
    )
    next_poll(moving)
    expect(moving.locator("#state")).to_have_text("· starting")
    expect(moving.locator("#health")).to_have_text("–")
    assert [] == board.complaints


def test_health_as_the_target_reports_it_stands_beside_the_score(moving, board, snapshot):
    said = {**snapshot.resources, "health_ratio": 1.0}
    board.snapshot = replace(snapshot, resources=said)
    next_poll(moving)
    expect(moving.locator("#health")).to_have_text("93 %")
    expect(moving.locator("#worst")).to_have_text("worst: memory 81 % · it reports 100 %")


def test_phases_begin_within_the_charts_also_before_the_first_sample(moving, board, snapshot):
    late = tuple(t + ELAPSED_S / 2 for t in range(len(snapshot.trend["t_s"])))
    phase = replace(snapshot.events[0], kind="phase", time_s=0.0, details={"phase": "only"})
    trend = {**snapshot.trend, "t_s": late}
    board.snapshot = replace(snapshot, trend=trend, events=(phase,), elapsed_s=ELAPSED_S + 1)
    next_poll(moving)
    chart = moving.locator("figure[data-chart=latency]")
    expect(chart.locator("line.passage")).to_have_count(1)
    edge = chart.locator("line.grid").first.get_attribute("x1")
    assert float(edge) <= float(chart.locator("line.passage").get_attribute("x1"))


def test_the_browser_asks_nobody_but_the_tester_and_has_no_complaint(page, board, server):
    expect(page.locator("#charts figure")).to_have_count(4)
    assert board.requests
    assert [] == [url for url in board.requests if not url.startswith(server.url)]
    assert [] == board.complaints


def test_nothing_sticks_out_at_any_width(page):
    for width in (360, 800, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.locator("#charts figure")).to_have_count(4)
        assert width >= page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(SCREEN)


def test_the_first_screen_holds_strip_tiles_picture_and_checks_at_1080p(page):
    for part in ("#strip", "#tiles", ".picture", "#checks"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= 1080


def test_dark_and_light_pages_differ_and_can_both_be_read(page):
    def contrast(scheme: str) -> float:
        page.emulate_media(color_scheme=scheme)
        tones = page.evaluate(
            "() => { const style = getComputedStyle(document.body);"
            " return [style.color, style.backgroundColor]; }"
        )
        light, dark = sorted((luminance(tone) for tone in tones), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    assert contrast("light") > 7  # WCAG 2.2, level AAA
    assert contrast("dark") > 7


def luminance(tone: str) -> float:
    """Relative luminance of `rgb(r, g, b)` (WCAG 2.2)."""
    channels = [int(part) / 255 for part in tone[4:-1].split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(c * weight for c, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


VALUES = [0.0, 1e-9, 2.5e-7, 8.4e-4, 0.00099951, 0.0125, 0.5, 0.9949, 0.99, 0.9996, 1.0, 9.99]
VALUES += [41.7, 61.0, 119.6, 125.0, 999.4, 999.6, 1023.0, 1024.0, 99_999.0, 200_000.0, 3e8, 5e12]


@pytest.mark.parametrize(
    "name", ["digits", "whole", "size", "latency", "span", "moment", "share", "rate"]
)
def test_figures_read_on_the_page_as_they_do_in_reports(page, name):
    shown = page.evaluate(
        "async ([name, values]) => { const all = await import('/figures.js');"
        " return values.map((value) => all[name](value)); }",
        [name, [*VALUES, None]],
    )
    expected = [getattr(figures, name)(value) for value in VALUES]
    assert [*expected, figures.NOT_KNOWN] == shown


def test_changes_and_units_read_on_the_page_as_they_do_in_reports(page):
    pairs = list(pairwise(VALUES))
    units = ["s", "bytes", "ratio", "bytes/s", "recall", "count", "1/s", "", "records"]
    shown = page.evaluate(
        "async ([pairs, units]) => { const all = await import('/figures.js');"
        " return [pairs.map((pair) => all.change(...pair)),"
        " units.map((unit) => all.inUnit(0.0125, unit))]; }",
        [pairs, units],
    )
    assert [
        [figures.change(*pair) for pair in pairs],
        [figures.in_unit(0.0125, unit) for unit in units],
    ] == shown
