"""Which figures tell the story of a run? Chosen from its record, with what they show in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from soak.report import figures
from soak.report.charts import Bound, Chart, Line, Timeline, has_figures, line
from soak.report.document import as_rows
from soak.report.folding import runs_of
from soak.report.objectives import latency_columns, per_window, throughput, warm_until
from soak.report.occurrences import lanes, maintenance_bands, marks, phases
from soak.report.record import RunRecord
from soak.seams import Floats

SMALL_POINTS = 600
EMPTY: Floats = np.empty(0)
# What the story is told with when the scenario has it; else the operation most time goes into.
LEADING = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All figures of a report. story: one under another on one time axis; the rest in a grid."""

    timeline: Timeline | None
    story: tuple[Chart, ...]
    operations: tuple[Chart, ...]
    growth: tuple[Chart, ...]
    errors: tuple[Chart, ...]

    def all(self) -> tuple[Timeline | Chart, ...]:
        first = (self.timeline,) if self.timeline else ()
        return (*first, *self.story, *self.operations, *self.growth, *self.errors)


def draw(record: RunRecord) -> Picture:
    """The figures that have something to show; what was not measured is left out."""
    end_s = lasted(record)
    order = record.windows.operations() if len(record.windows) else []
    leading = _leading(record, order)
    story = (
        *([_latency(record, leading, is_small=False)] if leading else []),
        _throughput(record),
        _memory(record),
        _disk(record),
        _quality(record),
    )
    small = [_latency(record, name, is_small=True) for name in order if name != leading]
    growth = (_bytes_per_record(record), _handles(record))
    bands = maintenance_bands(record.events, end_s)
    ticks = tuple(replace(band, label="") for band in bands)
    moments = marks(record)

    def wide(charts: Sequence[Chart]) -> tuple[Chart, ...]:
        return tuple(
            # Said once, on top; below, the same lines need no words.
            replace(chart, end_s=end_s, bands=bands, marks=moments, has_mark_labels=number == 0)
            for number, chart in enumerate(_shown(charts))
        )

    def beside(charts: Sequence[Chart]) -> tuple[Chart, ...]:
        return tuple(replace(chart, end_s=end_s, bands=ticks) for chart in _shown(charts))

    return Picture(
        timeline=_timeline(record, end_s),
        story=wide(story),
        operations=beside(small),
        growth=beside(growth),
        errors=wide([_errors(record)]),
    )


def _shown(charts: Sequence[Chart]) -> list[Chart]:
    return [chart for chart in charts if has_figures(chart.lines)]


def lasted(record: RunRecord) -> float:
    """How long the time axis is: the last thing known of the run, in seconds; at least one."""
    series = (record.samples.get("t_s", EMPTY), record.windows.figures.get("end_s", EMPTY))
    known = [float(np.nanmax(values)) for values in series if values.size]
    told_s = figures.number(record.document.get("duration_s"))
    return max([*known, told_s if told_s == told_s else 0.0, 1.0])


def _timeline(record: RunRecord, end_s: float) -> Timeline | None:
    rows = lanes(record.events, end_s)
    stretches = phases(record)
    if not rows and len(stretches) < 2:
        return None
    count = figures.whole(sum(runs_of(event) for event in record.events))
    said = f"{count} events, one row per kind." if rows else "Nothing happened but the phases."
    return Timeline(
        name="timeline",
        title="What happened when",
        caption=f"{said} The same time axis stands under every wide figure below.",
        end_s=end_s,
        phases=stretches,
        lanes=rows,
    )


def _leading(record: RunRecord, order: Sequence[str]) -> str:
    """The operation the story is told with; none when nothing was issued."""
    if LEADING in order or not order:
        return LEADING if order else ""

    def time_spent(name: str) -> float:
        mine = record.windows.of(name)
        return float(np.nansum(mine["count"] * mine["service_p50_s"]))

    return max(order, key=time_spent)


def _latency(record: RunRecord, operation: str, *, is_small: bool) -> Chart:
    mine = record.windows.of(operation)
    t, p50, p99 = mine["end_s"], mine["latency_p50_s"], mine["latency_p99_s"]
    points = SMALL_POINTS if is_small else 1_500
    lines = (
        line("p99", "p99", t, p99, max_points=points),
        line("p50", "p50", t, p50, max_points=points),
    )
    bounds = tuple(
        Bound(value=limit, label=f"{name}: at most {figures.latency(limit)}")
        for name, (of, column) in latency_columns(record).items()
        if of == operation and column == "latency_p99_s"
        for limit in [_threshold(record, name)]
        if limit == limit
    )
    caption = (
        f"{figures.whole(mine['count'].sum())} operations, from the moment each was due. "
        f"p99 per window: {_course(p99)}."
    )
    return Chart(
        name=f"latency-{operation}",
        title=f"Latency of {operation.replace('_', ' ')}",
        caption=caption,
        lines=lines,
        end_s=0.0,
        unit="s",
        is_logarithmic=True,
        width="half" if is_small else "wide",
        bounds=bounds,
    )


def _throughput(record: RunRecord) -> Chart:
    lines: list[Line] = []
    said = "Nothing was issued."
    if len(record.windows):
        end_s, achieved = throughput(record)
        lines.append(line("achieved", "achieved", end_s, achieved))
        lowest = figures.rate(np.nanmin(achieved))
        count = record.windows.figures["count"].sum()
        said = f"{figures.rate(count / end_s[-1])} on average, {lowest} in the slowest window."
    offered = record.samples.get("offered_per_s", EMPTY)
    if offered.size:
        lines.append(line("offered", "offered", record.samples["t_s"], offered, is_dashed=True))
        said += " Where the lines part, the target did not keep up."
    return Chart(
        name="throughput",
        title="Operations per second, done and asked for",
        caption=said,
        lines=tuple(lines),
        end_s=0.0,
        unit="1/s",
        starts_at_zero=True,
    )


def _memory(record: RunRecord) -> Chart:
    live = record.samples.get("live_records", EMPTY)
    lines = _sampled(
        record,
        ("resident", "resident_bytes", "resident"),
        ("anonymous", "anonymous_bytes", "anonymous"),
    )
    if np.isfinite(live).any():
        lines += (
            line("live records (right)", "records", record.samples["t_s"], live, is_second=True),
        )
    held = _first_to_last(record, "anonymous_bytes", "bytes")
    said = f"Anonymous memory, which is what a leak grows: {held}."
    if np.isfinite(live).any():
        said += f" Live records: {_first_to_last(record, 'live_records', 'count')}. "
        said += "Memory that climbs while records do not is the sign to look for."
    return Chart(
        name="memory",
        title="Memory of the target and the records it holds",
        caption=said,
        lines=lines,
        end_s=0.0,
        unit="bytes",
    )


def _disk(record: RunRecord) -> Chart:
    return Chart(
        name="disk",
        title="Disk space of the target's files",
        caption=f"Size of all files: {_first_to_last(record, 'disk_bytes', 'bytes')}.",
        lines=_sampled(
            record,
            ("size", "disk_bytes", "disk"),
            ("allocated blocks", "disk_allocated_bytes", "allocated"),
        ),
        end_s=0.0,
        unit="bytes",
        starts_at_zero=True,
    )


def _quality(record: RunRecord) -> Chart:
    shown = (
        ("recall", "recall", "recall", "Recall"),
        ("health", "score", "health", "Health score"),
        ("health as reported", "health_ratio", "faint", "As the target reports it"),
    )
    columns = [(column, said) for _, column, _, said in shown]
    known = [pair for pair in columns if np.isfinite(record.samples.get(pair[0], EMPTY)).any()]
    parts = [f"{said}: {_course(record.samples[column], 'ratio')}." for column, said in known]
    return Chart(
        name="quality",
        title="Recall of searches and health score",
        caption=" ".join(parts),
        lines=_sampled(record, *((label, column, tone) for label, column, tone, _ in shown)),
        end_s=0.0,
        unit="ratio",
    )


def _bytes_per_record(record: RunRecord) -> Chart:
    held = record.samples.get("anonymous_bytes", EMPTY)
    live = record.samples.get("live_records", EMPTY)
    lines: tuple[Line, ...] = ()
    if held.size and live.size:
        # The first records share the fixed cost of the process; a ratio to few says nothing.
        enough = live > max(100.0, 0.3 * float(np.nanmax(live, initial=0.0)))
        enough &= np.isfinite(held)
        t_s, each = record.samples["t_s"][enough], held[enough] / live[enough]
        lines = (line("bytes per live record", "anonymous", t_s, each, max_points=SMALL_POINTS),)
    return Chart(
        name="bytes-per-record",
        title="Anonymous memory per live record",
        caption="Flat when memory follows the records; rising when something else is kept.",
        lines=lines,
        end_s=0.0,
        unit="bytes",
        width="half",
        starts_at_zero=True,
    )


def _handles(record: RunRecord) -> Chart:
    return Chart(
        name="handles",
        title="Open files and threads",
        caption="Both should level off; a slow climb ends at a limit of the system.",
        lines=_sampled(
            record, ("open files", "open_fds", "files"), ("threads", "threads", "threads")
        ),
        end_s=0.0,
        unit="count",
        width="half",
        starts_at_zero=True,
    )


def _errors(record: RunRecord) -> Chart:
    lines: list[Line] = []
    if len(record.windows):
        for name in ("error", "timeout", "wrong"):
            start_s, end_s, bad = per_window(record, (name,))
            if bad.any():
                per_s = bad / np.maximum(end_s - start_s, 1e-9)
                lines.append(line(name, name, end_s, per_s, is_filled=True))
    return Chart(
        name="failures",
        title="Operations that failed, per second",
        caption="Errors, timeouts and wrong answers by window.",
        lines=tuple(lines),
        end_s=0.0,
        unit="1/s",
        starts_at_zero=True,
    )


def _sampled(record: RunRecord, *wanted: tuple[str, str, str]) -> tuple[Line, ...]:
    """Lines of samples: (label, column, tone) each; columns without a figure are left out."""
    lines = []
    for label, column, tone in wanted:
        values = record.samples.get(column, EMPTY)
        # Sparse columns have a figure every few rows; what counts as a gap is their own spacing.
        known = np.isfinite(values)
        if known.any():
            lines.append(line(label, tone, record.samples["t_s"][known], values[known]))
    return tuple(lines)


def _threshold(record: RunRecord, check: str) -> float:
    rows = as_rows(record.document.get("checks"))
    return next(
        (figures.number(row.get("threshold")) for row in rows if row.get("name") == check),
        float("nan"),
    )


def _first_to_last(record: RunRecord, column: str, unit: str) -> str:
    """Where it was after warm-up, where it ended, and how high it got; medians of a twentieth."""
    values = record.samples.get(column, EMPTY)
    known = np.isfinite(values)
    after = known & (record.samples["t_s"] >= warm_until(record)) if known.any() else known
    measured = values[after] if after.any() else values[known]
    if not measured.size:
        return "not measured"
    end = max(1, measured.size // 20)
    first, last = float(np.median(measured[:end])), float(np.median(measured[-end:]))
    texts = [figures.in_unit(value, unit) for value in (first, last, values[known].max())]
    start = "after warm-up" if warm_until(record) else "at first"
    change = figures.change(first, last)
    return f"{texts[0]} {start}, {texts[1]} at the end ({change}), {texts[2]} at most"


def _course(values: Floats, unit: str = "s") -> str:
    known = values[np.isfinite(values)]
    if not known.size:
        return "not measured"
    typical, low, high = np.median(known), known.min(), known.max()
    if low == high:
        return f"{figures.in_unit(float(low), unit)} throughout"
    texts = [figures.in_unit(float(value), unit) for value in (typical, low, high)]
    return f"{texts[0]} typically, between {texts[1]} and {texts[2]}"
