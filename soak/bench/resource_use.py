"""What does a set rate take of processor, memory, disk and network, and what is its course?"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from soak.report import figures
from soak.report.charts import Chart, Line
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.report.record import RunRecord
from soak.seams import Floats

STEM = "resources"
MOST_POINTS = 60
# Counters, by what is told of them: growth over the run, and since its first sample.
COUNTERS = {
    "cpu_s": "cpu_s",
    "disk_read_bytes": "read_bytes",
    "disk_written_bytes": "written_bytes",
    "tcp_sent_bytes": "tcp_sent_bytes",
    "tcp_received_bytes": "tcp_received_bytes",
    "host_loopback_bytes": "host_loopback_bytes",
    "operations": "operations_total",
}
LEVELS = {
    "memory_bytes": "anonymous_bytes",
    "resident_bytes": "resident_bytes",
    "disk_bytes": "disk_allocated_bytes",
    "records": "live_records",
}
HEAD = (
    *("benchmark", "operations/s", "processor", "per operation", "per processor second"),
    *("memory", "operations/MB", "disk read", "written", "TCP sent", "received", "loopback, all"),
)


def resource_use(record: RunRecord) -> dict[str, object]:
    """Between the first and the last sample: totals, and for an operation, a second and a MB.

    What is not known is nan: of a target out of reach, and TCP where the kernel does not tell.
    timeline: at most MOST_POINTS moments, counters as they had grown since the first.
    """
    t_s = record.samples.get("t_s", np.empty(0))
    if t_s.size < 2:
        return {}
    grown = {told: _growth(record, column) for told, column in COUNTERS.items()}
    total = {told: float(values[-1]) for told, values in grown.items()}
    levels = {told: _column(record, column) for told, column in LEVELS.items()}
    length_s, count = float(t_s[-1] - t_s[0]), total.pop("operations")
    memory = float(np.nanmean(levels["memory_bytes"])) if _some(levels["memory_bytes"]) else np.nan
    return {
        "length_s": length_s,
        "operations": count,
        "operations_per_s": count / length_s,
        **total,
        "cpu_ratio": total["cpu_s"] / length_s,
        "memory_bytes_mean": memory,
        "memory_bytes_max": _most(levels["memory_bytes"]),
        "operations_per_cpu_s": count / total["cpu_s"] if total["cpu_s"] else np.nan,
        "operations_per_mb": 1e6 * count / memory,
        "per_operation": {n: v / count if count else np.nan for n, v in total.items()},
        "timeline": list(_timeline(t_s, {**grown, **levels})),
    }


def _column(record: RunRecord, name: str) -> Floats:
    nothing = np.full(len(record.samples["t_s"]), np.nan)
    return record.samples.get(name, nothing)


def _growth(record: RunRecord, name: str) -> Floats:
    """Since the first sample; what was not read for a while stands where it was."""
    values = _column(record, name)
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return values
    filled = np.interp(np.arange(values.size), known, values[known])
    grown: Floats = filled - filled[0]
    return grown


def _some(values: Floats) -> bool:
    return bool(np.isfinite(values).any())


def _most(values: Floats) -> float:
    return float(np.nanmax(values)) if _some(values) else float("nan")


def _timeline(t_s: Floats, columns: Mapping[str, Floats]) -> Iterator[dict[str, float]]:
    count = min(MOST_POINTS, t_s.size)
    for place in np.unique(np.linspace(0, t_s.size - 1, count).round().astype(int)):
        row = {name: float(values[place]) for name, values in columns.items()}
        yield {"t_s": float(t_s[place]), **row}


def resource_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of HEAD in words, for benchmarks of a set rate."""
    return [tuple(_cells(document)) for document in documents if _use(document)]


def _use(document: Section) -> Section:
    """Empty for a benchmark about something else."""
    if document.get("benchmark") != STEM:
        return {}
    return as_section(as_section(document.get("results")).get("resource_use"))


def _cells(document: Section) -> Iterator[str]:
    used = _use(document)
    yield f"{document.get('category')}/{document.get('benchmark')}"
    yield figures.digits(number(used.get("operations_per_s")))
    yield figures.share(used.get("cpu_ratio"))
    yield figures.latency(as_section(used.get("per_operation")).get("cpu_s"))
    yield figures.digits(number(used.get("operations_per_cpu_s")))
    yield figures.size(used.get("memory_bytes_mean"))
    yield figures.digits(number(used.get("operations_per_mb")))
    for name in ("disk_read_bytes", "disk_written_bytes", "tcp_sent_bytes", "tcp_received_bytes"):
        yield figures.size(used.get(name))
    yield figures.size(used.get("host_loopback_bytes"))


def resource_charts(category: str, documents: Sequence[Section]) -> list[Chart]:
    """The course of processor time, memory, and bytes read, written, sent and received."""
    charts = []
    for document in documents:
        rows = as_rows(_use(document).get("timeline"))
        if len(rows) >= 2:
            charts += _charts(category, rows)
    return charts


def _charts(category: str, rows: Sequence[Section]) -> list[Chart]:
    def line(label: str, tone: str, name: str) -> Line:
        y = np.array([number(row.get(name)) for row in rows])
        return Line(label=label, tone=tone, t=t, y=y)

    t = np.array([number(row.get("t_s")) for row in rows])
    parts = {
        "processor": ("s", "Processor time since the first sample", [("taken", "p50", "cpu_s")]),
        "memory": ("bytes", "Memory", [("anonymous", "anonymous", "memory_bytes")]),
        "traffic": (
            "bytes",
            "Disk and network since the first sample",
            [
                ("disk, written", "disk", "disk_written_bytes"),
                ("disk, read", "allocated", "disk_read_bytes"),
                ("TCP, sent", "achieved", "tcp_sent_bytes"),
                ("TCP, received", "recall", "tcp_received_bytes"),
            ],
        ),
    }
    charts = []
    for name, (unit, title, wanted) in parts.items():
        lines = tuple(each for each in (line(*one) for one in wanted) if _some(each.y))
        if lines:
            charts.append(
                Chart(
                    name=f"{category}-{STEM}-{name}",
                    title=title,
                    caption="Of the target's processes, at the rate that was asked for.",
                    lines=lines,
                    end_s=float(t[-1]),
                    unit="s" if unit == "s" else "bytes",
                    starts_at_zero=True,
                )
            )
    return charts
