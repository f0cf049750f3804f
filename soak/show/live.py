"""How does a run look in a terminal? One screen, redrawn with every snapshot, 80 x 24 and up.

line 1   scenario, target, phase, bar, elapsed, what is left
line 2   verdict and why          line 3   every check, health, trust
then     operations: counts and latency since the start, in the last and the worst 5 minutes
then     p99, memory and live records on one time axis, events marked below
then     the latest events        last     address and keys
"""

import atexit
import math
import os
import select
import sys
import termios
import threading
import tty
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.live import Live as Screen
from rich.text import Text

from soak.report import figures
from soak.show.plain import STATUS_WORDS, event_line, health_said, leading
from soak.snapshot import Identity, OperationTotals, Snapshot
from soak.verdict import RunVerdict, Status

BLOCKS = "▁▂▃▄▅▆▇█"
TONES = {Status.PASS: "green", Status.FAIL: "red", Status.UNKNOWN: "yellow"}
WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.PASS)
SIGNS = {Status.PASS: "✓", Status.FAIL: "✗", Status.UNKNOWN: "?"}
LABEL_WIDTH = 15
FIGURE_WIDTH = 10
RATE_SPAN_S = 10.0
MIN_EVENTS = 2
KEY_POLL_S = 0.25

# Head and width; `_cells` has what stands below. Together they fill 80 columns.
COLUMNS = (
    *(("operation", -11), ("done/s", 6), ("count", 11), ("failed", 7)),
    *(("p50", 8), ("p99", 8), ("p99.9", 8), ("5 min p99", 10), ("worst p99", 11)),
)


def failed(totals: OperationTotals) -> int:
    """Operations that broke in any way: errors, timeouts and wrong answers."""
    return sum(totals.outcomes.get(name, 0) for name in ("error", "timeout", "wrong"))


class Live:
    """A screen on stderr until closed. The same methods as `Plain`, and `restore`.

    stop: called once when the person presses q; without it, or without a keyboard, there are no
    keys and none are shown.
    """

    def __init__(
        self,
        identity: Identity,
        console: Console | None = None,
        url: str = "",
        stop: Callable[[], None] | None = None,
    ) -> None:
        self._identity = identity
        self._console = console or Console(stderr=True, highlight=False)
        self._url = url
        self._keys = Keys(stop) if stop and has_keyboard() else None
        self._latest: Snapshot | None = None
        self._rates = Rates()
        # Lines of the log scroll by above; nothing of ours goes to stdout.
        self._screen = Screen(console=self._console, auto_refresh=False, redirect_stdout=False)
        self._screen.start()
        atexit.register(self.restore)

    def update(self, snapshot: Snapshot) -> None:
        """Draw the run as it is now."""
        self._latest = snapshot
        self._rates.add(snapshot)
        self._draw(snapshot, self._footer())

    def close(self, verdict: RunVerdict, report: str = "") -> None:
        """Leave the last picture, with exit code and report, and give the terminal back."""
        where = report or self._identity.directory
        if self._latest:
            self._draw(self._latest, f"exit {int(verdict.exit_code)} · {where}", verdict)
        self.restore()

    def restore(self) -> None:
        """Give the terminal back as it was; may be called at any time, and again."""
        atexit.unregister(self.restore)
        if self._keys:
            self._keys.close()
        self._screen.stop()

    def _footer(self) -> str:
        keys = "q stop and report" if self._keys else ""
        return " · ".join(part for part in (self._url, keys) if part)

    def _draw(self, snapshot: Snapshot, footer: str, verdict: RunVerdict | None = None) -> None:
        width, height = self._console.size
        lines = frame(
            snapshot, verdict or snapshot.verdict, self._rates.now(), footer, width, height - 1
        )
        text = Text("\n", no_wrap=True, overflow="crop", end="").join(lines)
        self._screen.update(text, refresh=True)


def has_keyboard() -> bool:
    """Whether a person can press a key: a background job that reads its terminal is stopped."""
    return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


class Rates:
    """Operations per second by name, over the last ten seconds."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, dict[str, int]]] = deque(maxlen=60)

    def add(self, snapshot: Snapshot) -> None:
        counts = {name: totals.count for name, totals in snapshot.operations.items()}
        self._counts.append((snapshot.elapsed_s, counts))
        while len(self._counts) > 2 and snapshot.elapsed_s - self._counts[1][0] >= RATE_SPAN_S:
            self._counts.popleft()

    def now(self) -> dict[str, float]:
        """Empty until two snapshots a second apart were seen."""
        if not self._counts:
            return {}
        (before_s, before), (now_s, now) = self._counts[0], self._counts[-1]
        if now_s - before_s < 1:
            return {}
        return {name: (n - before.get(name, 0)) / (now_s - before_s) for name, n in now.items()}


def frame(
    snapshot: Snapshot,
    verdict: RunVerdict,
    rates: Mapping[str, float],
    footer: str,
    width: int,
    height: int,
) -> list[Text]:
    """The whole screen: at most height lines, none longer than width where width is 80 or more."""
    head = [_progress(snapshot, width), _verdict(snapshot, verdict), _checks(snapshot)]
    history = list(_history(snapshot, width))
    room = height - len(head) - len(history) - 3  # two blank lines and the footer
    rows = _operations(snapshot, rates, room - MIN_EVENTS)
    latest = [event for event in snapshot.events if event.kind != "phase"]
    shown = max(0, room - len(rows))
    events = [
        Text(f"{figures.moment(max(0.0, event.time_s))} {event_line(event)}", style="dim")
        for event in (latest[-shown:] if shown else [])
    ]
    above = [*head, Text(""), *rows, Text(""), *history, *events]
    lines = [*above[: height - 1], Text(footer, style="dim")]
    for line in lines:
        line.rstrip()
        line.truncate(width, overflow="ellipsis")
    return lines


def _progress(snapshot: Snapshot, width: int) -> Text:
    name = f"{snapshot.identity.scenario} on {snapshot.identity.target}"
    phase = f"{snapshot.phase} {snapshot.phase_index + 1}/{len(snapshot.phases)}"
    elapsed = f"{figures.span(snapshot.elapsed_s)} of {figures.span(snapshot.planned_s)}"
    left_s = max(0.0, snapshot.planned_s - snapshot.elapsed_s)
    is_going = snapshot.state in ("starting", "running")
    left = f", {figures.span(left_s)} left" if is_going else f", {snapshot.state}"
    room = max(6, width - len(name) - len(phase) - len(elapsed) - len(left) - 6)
    share = min(1.0, snapshot.elapsed_s / snapshot.planned_s) if snapshot.planned_s > 0 else 0.0
    done = round(share * room)
    return Text.assemble(
        (name, "bold"),
        f"  {phase}  ",
        ("━" * done, "cyan"),
        ("─" * (room - done), "dim"),
        f"  {elapsed}{left}",
    )


def _verdict(snapshot: Snapshot, verdict: RunVerdict) -> Text:
    chip = (f" {STATUS_WORDS[verdict.status]} ", f"bold reverse {TONES[verdict.status]}")
    if snapshot.hang:
        hang = (
            f"{snapshot.hang.operation} has not come back for {figures.span(snapshot.hang.age_s)}"
        )
        return Text.assemble(chip, " ", (hang, "bold red"))
    return Text.assemble(chip, " ", verdict.reason)


def _checks(snapshot: Snapshot) -> Text:
    worst_first = sorted(snapshot.verdicts, key=lambda verdict: WORST_FIRST.index(verdict.status))
    parts = [(f"{SIGNS[v.status]} {v.check}  ", TONES[v.status]) for v in worst_first]
    health = health_said(snapshot)
    is_trusted = snapshot.certificate.trusted
    trust = ("trusted", "green") if is_trusted else ("NOT TRUSTED", "bold red")
    certificate = snapshot.certificate
    done = f"{figures.rate(certificate.achieved_rate)} of {figures.rate(certificate.offered_rate)}"
    return Text.assemble(f"{done}  {health}  ", trust, "  ", *parts)


def _operations(snapshot: Snapshot, rates: Mapping[str, float], room: int) -> list[Text]:
    """Head and a row for each operation; in too little room the busiest ones."""
    lines = [Text(_row([head for head, _ in COLUMNS]), style="dim")]
    busiest = sorted(snapshot.operations.items(), key=lambda pair: -pair[1].count)
    fitting = busiest if len(busiest) < room else busiest[: max(1, room - 2)]
    for name, totals in fitting:
        row = Text(_row(_cells(name, totals, rates.get(name, math.nan))))
        if failed(totals):
            before = sum(abs(width) for _, width in COLUMNS[:3])
            row.stylize("bold red", before, before + COLUMNS[3][1])
        lines.append(row)
    if len(fitting) < len(busiest):
        lines.append(Text(f"and {len(busiest) - len(fitting)} more", style="dim"))
    return lines


def _cells(name: str, totals: OperationTotals, rate_per_s: float) -> list[str]:
    p50, p99, p999 = totals.latency.quantiles_s((0.5, 0.99, 0.999))
    durations = (p50, p99, p999, totals.recent.p99, totals.worst.p99)
    counts = (
        figures.digits(rate_per_s),
        figures.whole(totals.count),
        figures.whole(failed(totals)),
    )
    return [name, *counts, *(figures.latency(value_s) for value_s in durations)]


def _row(cells: Iterable[str]) -> str:
    """Cells in their columns: to the left where the width is negative."""
    placed = zip(cells, (width for _, width in COLUMNS), strict=True)
    return "".join(f"{cell[:-w]:<{-w}}" if w < 0 else f"{cell:>{w}}" for cell, w in placed)


def _history(snapshot: Snapshot, width: int) -> Iterator[Text]:
    """Three lines on one time axis, and below them when something happened."""
    trend = snapshot.trend
    times = trend.get("t_s", ())
    room = max(10, width - LABEL_WIDTH - FIGURE_WIDTH - 1)
    end_s = max(snapshot.elapsed_s, *times, 1.0)
    found = leading(snapshot)
    p99 = f"{found[0]}_p99_s" if found else ""
    for label, column, tone, say in (
        (f"p99 {found[0]}" if found else "p99", p99, "red", figures.latency),
        ("memory", "anonymous_bytes", "magenta", figures.size),
        ("live records", "live_records", "green", figures.whole),
    ):
        values = trend.get(column, ())
        newest = next((value for value in reversed(values) if not math.isnan(value)), math.nan)
        drawn = sparkline(times, values, end_s, room)
        yield Text.assemble(
            (f"{label[: LABEL_WIDTH - 1]:<{LABEL_WIDTH}}", "dim"),
            (drawn, tone),
            f"{say(newest):>{FIGURE_WIDTH}}",
        )
    kept = [(e.time_s, e.kind) for e in snapshot.events if e.kind != "phase"]
    marked = f"{'events':<{LABEL_WIDTH}}{marks(kept, end_s, room)}"
    yield Text(f"{marked}{figures.moment(end_s):>{FIGURE_WIDTH}}", style="dim")


def sparkline(times: Sequence[float], values: Sequence[float], end_s: float, width: int) -> str:
    """The highest value of each of width equal stretches from zero to end_s, as blocks.

    A stretch without a value shows the one before it, since window figures come every ten
    seconds; before the first value it is blank. The lowest block is the lowest value.
    """
    highest = [math.nan] * width
    for time_s, value in zip(times, values, strict=False):
        if not math.isnan(value):
            place = min(width - 1, int(time_s / end_s * width))
            highest[place] = (
                max(value, highest[place]) if highest[place] == highest[place] else value
            )
    known = [value for value in highest if not math.isnan(value)]
    if not known:
        return " " * width
    low, high = min(known), max(known)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    drawn = " "
    text = []
    for value in highest:
        if not math.isnan(value):
            drawn = BLOCKS[round((value - low) * scale)]
        text.append(drawn)
    return "".join(text)


def marks(events: Iterable[tuple[float, str]], end_s: float, width: int) -> str:
    """The first letter of what happened where it happened; * where several kinds meet."""
    row = [" "] * width
    for time_s, kind in events:
        place = min(width - 1, max(0, int(time_s / end_s * width)))
        row[place] = kind[0] if row[place] in (" ", kind[0]) else "*"
    return "".join(row)


class Keys:
    """Reads single keys from the terminal until closed; `q` calls stop, once."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._descriptor = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._descriptor)
        self._is_closed = threading.Event()
        tty.setcbreak(self._descriptor, termios.TCSANOW)
        self._thread = threading.Thread(target=self._read, name="keys", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading and put the terminal back as it was."""
        self._is_closed.set()
        self._thread.join()
        termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)

    def _read(self) -> None:
        while not self._is_closed.is_set():
            readable, _, _ = select.select([self._descriptor], [], [], KEY_POLL_S)
            key = os.read(self._descriptor, 1) if readable else b""
            if readable and not key:
                return  # the terminal is gone
            if key == b"q":
                self._stop()
                return
