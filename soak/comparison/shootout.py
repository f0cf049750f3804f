"""Which target does what at which price? Runs of several on one stream of operations, side by side.

The figures are those of the pressure table (soak/report/pressure.py), a line per target: what was
asked of them, and when, was the same for all, because the scenario and the seed were.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from soak.report import figures, pressure
from soak.report.document import as_section
from soak.report.ranges import Ranges, Row
from soak.report.record import RunRecord

# A column's head to the pressure table's own word for it.
COLUMNS = {
    "records": "maximum records",
    "memory": "final memory",
    "per record added": "memory per record added",
    "search p50": "final query latency, p50",
    "search p99": "final query latency, p99",
    "failed": "failed operations",
    "wrong": "wrong answers",
}
# CPU pressure: how long somebody waited for a CPU; runs one after another may meet another machine.
HEAD = ("target", "", *COLUMNS, "recall", "disk", "CPU pressure")
PICTURE = "![latency of a search, per target]({})"
WORDS = 2  # columns that stand to the left


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One target. record is None where it could not be run; trouble says why."""

    target: str
    record: RunRecord | None = None
    trouble: str = ""


def table(entries: Sequence[Entry]) -> str:
    """Lines for a terminal; who could not be run stands below, with the reason."""
    rows = [HEAD, *(_cells(entry.record) for entry in entries if entry.record)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.ljust(width) if place < WORDS else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, *_absent(entries)])


def markdown(entries: Sequence[Entry], picture_path: str | None) -> str:
    """The same table, as a page; picture_path: where its picture is, as seen from the page."""
    rows = [HEAD, ("---",) * len(HEAD)]
    rows += [_cells(entry.record) for entry in entries if entry.record]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    absent = [f"- {line}" for line in _absent(entries)]
    parts = ["# Shootout", _caption(entries), "\n".join(lines), "\n".join(absent)]
    parts.append("" if picture_path is None else PICTURE.format(picture_path))
    return "\n\n".join(part for part in parts if part) + "\n"


def picture(entries: Sequence[Entry]) -> Ranges:
    """The latency of a search, from the median to the tail, of each that was run."""
    return Ranges(
        name="shootout",
        title="Latency of a search",
        caption="Over the whole run, from when a search was due to its answer.",
        unit="s",
        tones=(("p50", "p50"), ("p99", "p99")),
        rows=tuple(
            Row(label=entry.target, values=_latencies(entry.record))
            for entry in entries
            if entry.record
        ),
    )


def _latencies(record: RunRecord) -> tuple[tuple[str, float], ...]:
    operations = as_section(record.document.get("operations"))
    latency = as_section(as_section(operations.get("search")).get("latency_s"))
    return tuple((name, figures.number(latency.get(name))) for name in ("p50", "p99"))


def _cells(record: RunRecord) -> tuple[str, ...]:
    told, document = dict(pressure.rows(record)), record.document
    disk = as_section(as_section(document.get("resources")).get("disk_allocated_bytes"))
    recall = as_section(document.get("recall")).get("mean")
    return (
        str(document.get("target")),
        str(as_section(document.get("verdict")).get("status")),
        *(told.get(name, figures.NOT_KNOWN) for name in COLUMNS.values()),
        figures.in_unit(recall, "recall"),
        figures.size(disk.get("last")),
        figures.share(as_section(document.get("certificate")).get("host_pressure_ratio")),
    )


def _caption(entries: Sequence[Entry]) -> str:
    """What was asked of all: of the first that was run, because it is the same for each."""
    for entry in entries:
        if entry.record:
            document = entry.record.document
            length = figures.span(document.get("duration_s"))
            return f"Scenario {document.get('scenario')}, {length} each, one after another."
    return ""


def _absent(entries: Sequence[Entry]) -> list[str]:
    return [f"{entry.target}: {entry.trouble}" for entry in entries if entry.record is None]
