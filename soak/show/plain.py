"""How does a run look in a log file? Plain lines: the start, one per ten seconds, news, the end."""

import math
from collections.abc import Iterator
from typing import TextIO

from soak.report import figures
from soak.snapshot import Event, Identity, OperationTotals, Snapshot
from soak.streams import say
from soak.verdict import RunVerdict, Status

EVERY_S = 10.0
STATUS_WORDS = {Status.PASS: "PASS", Status.FAIL: "FAIL", Status.UNKNOWN: "UNKNOWN"}
NOT_SHOWN = ("maintenance", "phase", "sequence")
LEADING = "search"


class Plain:
    """Writes a snapshot a line at a time; the same methods as `Live`.

    Every line begins with the time since the start, so a log can be read without the clock.
    """

    def __init__(self, identity: Identity, stream: TextIO, url: str = "") -> None:
        self._stream = stream
        self._identity = identity
        self._next_s = 0.0
        self._phase = ""
        self._latest: Event | None = None
        self._skipped: tuple[tuple[str, str], ...] = ()
        self._statuses: dict[str, Status] = {}
        where = f", {url}" if url else ""
        self._say(f"soak {identity.run_id}: {identity.scenario} on {identity.target}{where}")

    def update(self, snapshot: Snapshot) -> None:
        """Say what is new; every ten seconds also how it goes."""
        for event in new_events(snapshot.events, self._latest):
            if event.kind != "phase":
                self._say(f"{figures.moment(max(0.0, event.time_s))} event {event_line(event)}")
        self._skipped = snapshot.skipped
        self._latest = snapshot.events[-1] if snapshot.events else None
        for line in self._news(snapshot):
            self._say(f"{figures.moment(snapshot.elapsed_s)} {line}")
        if snapshot.elapsed_s >= self._next_s and snapshot.state == "running":
            self._next_s = (snapshot.elapsed_s // EVERY_S + 1) * EVERY_S
            self._say(f"{figures.moment(snapshot.elapsed_s)} {progress_line(snapshot)}")

    def close(self, verdict: RunVerdict, report: str = "") -> None:
        """The last lines: verdict, exit code, why, what was skipped, where the report is."""
        self._say(f"verdict: {STATUS_WORDS[verdict.status]} (exit {int(verdict.exit_code)})")
        self._say(f"because: {verdict.reason}")
        for name, reason in self._skipped:
            self._say(f"skipped: {name}, {reason}")
        self._say(f"report:  {report or self._identity.directory}")

    def restore(self) -> None:
        """Nothing: lines leave a terminal as it was."""

    def _news(self, snapshot: Snapshot) -> Iterator[str]:
        if snapshot.phase != self._phase:
            self._phase = snapshot.phase
            number, total = snapshot.phase_index + 1, len(snapshot.phases)
            yield f"phase {snapshot.phase} ({number} of {total})"
        for verdict in snapshot.verdicts:
            before = self._statuses.get(verdict.check, Status.UNKNOWN)
            if verdict.status is not before:
                yield f"check {verdict.check}: {STATUS_WORDS[verdict.status]}, {verdict.reason}"
            self._statuses[verdict.check] = verdict.status

    def _say(self, line: str) -> None:
        say(self._stream, line + "\n")


def progress_line(snapshot: Snapshot) -> str:
    """How it goes, on one line: rate, latency, memory, records, health, verdict."""
    certificate = snapshot.certificate
    parts = [
        f"{figures.rate(certificate.achieved_rate)} of {figures.rate(certificate.offered_rate)}",
        *_latency(snapshot),
        f"memory {figures.size(snapshot.resources.get('anonymous_bytes', float('nan')))}",
        f"records {figures.whole(snapshot.records.get('live', float('nan')))}",
        health_said(snapshot),
        STATUS_WORDS[snapshot.verdict.status],
    ]
    if snapshot.hang:
        age = figures.span(snapshot.hang.age_s)
        parts.append(f"HANGING: {snapshot.hang.operation} for {age}")
    return " | ".join(parts)


def health_said(snapshot: Snapshot) -> str:
    """The score, and what the target reports of itself beside it."""
    reported = snapshot.health_reported
    beside = "" if math.isnan(reported) else f" (it reports {figures.share(reported)})"
    return f"health {figures.share(snapshot.health.get('score'))}{beside}"


def leading(snapshot: Snapshot) -> tuple[str, OperationTotals] | None:
    """The operation the story is told with: search, else the one most time went into."""
    measured = {name: totals for name, totals in snapshot.operations.items() if totals.count}
    if not measured:
        return None
    longest = max(measured, key=lambda name: measured[name].service.sum_ns)
    name = LEADING if LEADING in measured else longest
    return name, measured[name]


def _latency(snapshot: Snapshot) -> Iterator[str]:
    found = leading(snapshot)
    if found:
        name, recent = found[0], found[1].recent
        yield f"{name} p50 {figures.latency(recent.p50)} p99 {figures.latency(recent.p99)}"


def new_events(events: tuple[Event, ...], latest: Event | None) -> tuple[Event, ...]:
    """Those that came after `latest`, in the order they were noticed; all if it is gone."""
    position = max((i for i, event in enumerate(events) if event == latest), default=-1)
    return events[position + 1 :]


def event_line(event: Event) -> str:
    """One event: what, how long, from whom, and the figures it came with."""
    lasted = f" {figures.latency(event.duration_s)}" if event.duration_s else ""
    details = ", ".join(
        f"{name} {_figure(name, value)}"
        for name, value in event.details.items()
        if name not in NOT_SHOWN and value not in (0, "")
    )
    return f"{event.kind}{lasted} ({event.source})" + (f": {details}" if details else "")


def _figure(name: str, value: float | int | str | bool) -> str:
    if isinstance(value, str | bool):
        return str(value)
    if "bytes" in name:
        return figures.size(value)
    return figures.latency(value) if name.endswith("_s") else figures.whole(value)
