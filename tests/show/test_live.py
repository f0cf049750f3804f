"""Does the terminal view fit its screen, show the snapshot's figures and give the terminal back?"""

import io
import os
import pty
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from soak.report import figures
from soak.show.live import Keys, Live, Rates, failed, frame, marks, sparkline
from soak.snapshot import Hang, Snapshot
from soak.verdict import RunVerdict, Status
from tests.programs import program
from tests.snapshots import ELAPSED_S, six_hours

FOOTER = "http://127.0.0.1:9464"
NAN = float("nan")


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return six_hours(2_000)


def screen(snapshot: Snapshot, width: int = 80, height: int = 23) -> list[str]:
    lines = frame(snapshot, snapshot.verdict, {}, FOOTER, width, height)
    return [line.plain for line in lines]


@pytest.mark.parametrize("height", [16, 20, 23, 50])
@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_screen_is_as_wide_and_as_high_as_the_terminal_at_most(snapshot, width, height):
    lines = screen(snapshot, width, height)
    assert height >= len(lines)
    assert [] == [line for line in lines if len(line) > width]
    assert FOOTER == lines[-1]


def test_the_first_line_is_name_phase_bar_elapsed_and_what_is_left(snapshot):
    first = screen(snapshot)[0]
    assert first.startswith("steady on engine  steady 2/3  ━")
    assert first.endswith("  3 h of 6 h, 3 h left")
    bar = [c for c in first if c in "━─"]
    assert 0.5 == pytest.approx(bar.count("━") / len(bar), abs=0.03)


def test_a_run_that_is_being_stopped_says_so(snapshot):
    assert screen(replace(snapshot, state="stopping"))[0].endswith(", stopping")


def test_verdict_and_checks_come_with_the_worst_first(snapshot):
    _, verdict, checks, *_ = screen(snapshot)
    assert f" FAIL  {snapshot.verdict.reason}" == verdict
    assert checks.startswith("200/s of 200/s  health 93 %  trusted  ")
    assert checks.split("trusted  ")[1] == "✗ memory  ? recall  ✓ search-p99  ✓ oracle"


def test_a_run_that_cannot_be_trusted_says_so(snapshot):
    certificate = replace(snapshot.certificate, trusted=False)
    assert "NOT TRUSTED" in screen(replace(snapshot, certificate=certificate))[2]


def test_an_operation_that_hangs_takes_the_place_of_the_reason(snapshot):
    line = screen(replace(snapshot, hang=Hang(operation="get", index=1, age_s=62.0)))[1]
    assert " FAIL  get has not come back for 62 s" == line


def test_an_operation_s_row_holds_its_figures_in_the_order_of_the_head(snapshot):
    lines = screen(snapshot)
    head = next(line for line in lines if line.startswith("operation"))
    assert "operation done/s count failed p50 p99 p99.9 5 min p99 worst p99" == " ".join(
        head.split()
    )
    for name, totals in snapshot.operations.items():
        row = next(line for line in lines if line.startswith(f"{name} "))
        quantiles = totals.latency.quantiles_s((0.5, 0.99, 0.999))
        durations = [*quantiles, totals.recent.p99, totals.worst.p99]
        counts = [figures.whole(totals.count), figures.whole(failed(totals))]
        expected = [name, "–", *counts, *map(figures.latency, durations)]
        assert " ".join(expected).split() == row.split()


def test_numbers_of_a_long_run_do_not_touch(snapshot):
    many = {"store_batch": replace(snapshot.operations["store"], count=20_736_000)}
    lines = frame(
        replace(snapshot, operations=many), snapshot.verdict, {"store_batch": 200.0}, "", 80, 23
    )
    assert any(line.plain.startswith("store_batch   200 20,736,000 ") for line in lines)


def test_operations_that_find_no_room_are_counted(snapshot):
    totals = snapshot.operations["get"]
    many = {f"operation{i:02}": replace(totals, count=i) for i in range(20)}
    lines = screen(replace(snapshot, operations=many))
    shown = [line for line in lines if line.startswith(("operation0", "operation1"))]
    assert "operation19" == shown[0].split()[0]
    assert f"and {20 - len(shown)} more" in lines


def test_the_newest_figures_stand_beside_their_lines(snapshot):
    lines = screen(snapshot)
    for label, column, say in (
        ("p99 search", "search_p99_s", figures.latency),
        ("memory", "anonymous_bytes", figures.size),
        ("live records", "live_records", figures.whole),
    ):
        line = next(line for line in lines if line.startswith(label))
        assert line.endswith(say(snapshot.trend[column][-1]))


def test_lines_and_marks_share_one_axis(snapshot):
    """Memory falls where the mark of the eviction stands, seven times."""
    lines = screen(snapshot)
    marked = next(line for line in lines if line.startswith("events"))
    assert 7 == marked[15:].count("e")
    assert marked.endswith(figures.moment(ELAPSED_S))


def test_the_latest_events_come_last(snapshot):
    event = snapshot.events[-1]
    line = screen(snapshot)[-2]
    assert line.startswith(f"{figures.moment(event.time_s)} {event.kind} 14 s")


def test_the_first_second_of_a_run_can_be_drawn(snapshot):
    lines = screen(
        replace(snapshot, elapsed_s=0.0, trend={}, events=(), verdicts=(), health={}, operations={})
    )
    assert "0 s of 6 h" in lines[0]


@pytest.mark.parametrize(
    ("times", "values", "expected"),
    [
        ((0, 1, 2, 3), (1.0, 2.0, 3.0, 8.0), "▁▂▃█"),
        ((0, 1, 2, 3), (5.0, 5.0, 5.0, 5.0), "▁▁▁▁"),
        ((0, 1, 2, 3), (NAN, 1.0, NAN, 8.0), " ▁▁█"),
        ((0, 0.5, 2, 2.5), (8.0, 1.0, 1.0, 2.0), "██▁▁"),
        ((), (), "    "),
        ((0, 1), (NAN, NAN), "    "),
    ],
    ids=["rising", "flat", "holes", "highest-of-each-stretch", "nothing", "unknown"],
)
def test_a_sparkline_shows_the_highest_of_each_stretch(times, values, expected):
    assert expected == sparkline(times, values, 4.0, 4)


def test_marks_are_first_letters_and_a_star_where_kinds_meet():
    events = [(0.0, "evict"), (1.2, "evict"), (1.4, "evict"), (2.0, "evict"), (2.1, "compact")]
    assert "ee* " == marks(events, 4.0, 4)
    assert "   e" == marks([(4.0, "evict")], 4.0, 4)


def test_rates_are_those_of_the_last_ten_seconds(snapshot):
    rates = Rates()
    totals = snapshot.operations["get"]
    for second in range(40):
        count = 100 * second if second < 20 else 2_000 + 7 * (second - 20)
        operations = {"get": replace(totals, count=count)}
        rates.add(replace(snapshot, elapsed_s=float(second), operations=operations))
    assert {"get": 7.0} == rates.now()


def drawn(snapshot: Snapshot, **console: object) -> str:
    stream = io.StringIO()
    view = Live(
        snapshot.identity,
        Console(file=stream, force_terminal=True, width=80, height=24, **console),
        url=FOOTER,
        stop=lambda: None,
    )
    view.update(snapshot)
    view.close(RunVerdict(status=Status.PASS, exit_code=0, reason="all passed"), "runs/r.html")
    return stream.getvalue()


def test_the_last_picture_has_the_final_verdict_exit_code_and_report(snapshot):
    text = drawn(snapshot, color_system=None).rsplit("steady on engine", 1)[1]
    assert " PASS  all passed" in text
    assert "exit 0 · runs/r.html" in text


def test_no_key_is_shown_where_nobody_can_press_one(snapshot):
    """Under pytest, stdin is no terminal."""
    assert "q stop" not in drawn(snapshot)


def test_no_color_means_no_colour(snapshot):
    def foreground(text: str) -> list[str]:
        return [code for code in ("[31m", "[32m", "[1;7;31m", "[36m") if code in text]

    assert foreground(drawn(snapshot, color_system="standard"))
    plain = drawn(snapshot, color_system="standard", _environ={"NO_COLOR": "1"})
    assert [] == foreground(plain)


def test_the_cursor_comes_back(snapshot):
    text = drawn(snapshot)
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


@contextmanager
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal in the place of stdin; what is written to the descriptor is typed."""
    typing, terminal = pty.openpty()
    with open(terminal, closefd=False) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield typing
    os.close(typing)
    os.close(terminal)


def test_q_stops_once_and_other_keys_do_nothing(monkeypatch):
    stopped = threading.Event()
    with keyboard(monkeypatch) as typing:
        keys = Keys(stopped.set)
        os.write(typing, b"x\nQ")
        assert not stopped.is_set()
        os.write(typing, b"q")
        assert stopped.wait(10)
        keys.close()


def test_the_terminal_is_given_back_as_it_was(monkeypatch):
    with keyboard(monkeypatch):
        before = termios.tcgetattr(sys.stdin.fileno())
        keys = Keys(lambda: None)
        assert before != termios.tcgetattr(sys.stdin.fileno())
        keys.close()
        assert before == termios.tcgetattr(sys.stdin.fileno())


SHOWN = """
import sys, threading
from soak.show.live import Live
from tests.snapshots import six_hours
snapshot, stopped = six_hours(1_000), threading.Event()
view = Live(snapshot.identity, url="http://127.0.0.1:9464", stop=stopped.set)
view.update(snapshot)
print("a line of the log", file=sys.stderr)
stopped.wait(60)
view.close(snapshot.verdict, "runs/r/report.html")
print("given back")
"""


@pytest.mark.slow
def test_in_a_real_terminal_the_log_scrolls_above_and_q_ends_the_view(tmp_path):
    tmux = program("tmux")
    server = [tmux, "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    command = [sys.executable, "-c", SHOWN]
    root = Path(__file__).parents[2]
    size = ["-x", "80", "-y", "24"]
    environment = ["-e", f"PYTHONPATH={root}", "-e", "PYTHONUTF8=1"]
    start = [*server, "-u", "new-session", "-d", *size, *environment, "-c", str(root), *command]
    subprocess.run([*start, ";", "set", "-g", "remain-on-exit", "on"], check=True)

    def shows(text: str) -> str:
        return until(lambda: captured(server), lambda pane: text in pane)

    try:
        pane = shows("q stop and report").splitlines()
        assert "a line of the log" == pane[0]
        assert pane[1].startswith("steady on engine")
        assert any(line.startswith("events") for line in pane)
        subprocess.run([*server, "send-keys", "q"], check=True)
        pane = shows("given back").splitlines()
        assert "exit 12 · runs/r/report.html" in pane
    finally:
        subprocess.run([*server, "kill-server"], check=False)


def captured(server: list[str]) -> str:
    command = [*server, "capture-pane", "-p"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def until(look: Callable[[], str], is_there: Callable[[str], bool]) -> str:
    """What is seen once it is there; looks a hundred times a quarter of a second apart."""
    pause = threading.Event()
    for _ in range(100):
        seen = look()
        if is_there(seen):
            return seen
        pause.wait(0.25)
    raise AssertionError(f"not seen; the last look:\n{look()}")
