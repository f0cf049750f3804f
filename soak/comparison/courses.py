"""How did each figure go, window by window? A run's record as the series that are compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from soak.detectors._bare import bare
from soak.report.document import as_rows, as_section
from soak.report.figures import number
from soak.report.objectives import per_window, throughput, warm_until
from soak.report.record import RunRecord
from soak.seams import Floats

# A window shorter than this share of the usual was cut by a phase or by the end.
WHOLE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One figure over the windows after warm-up. start_s, end_s, values: shape (n,), no nan.

    count: results that the figure rests on, over all windows.
    """

    start_s: Floats
    end_s: Floats
    values: Floats
    count: int


def courses(record: RunRecord) -> dict[str, Course]:
    """Metric name to its course; a figure that the run did not record is left out."""
    if not len(record.windows):
        return {}
    found = dict(_latencies(record)) | dict(_wholes(record)) | dict(_sampled(record))
    return {name: course for name, course in found.items() if course.values.size}


def paired(one: Course, other: Course) -> tuple[Floats, Floats]:
    """The values of both at the same time since the start, each shape (n,).

    The operations of both are due at the same times, so what the load does to a figure is in both
    and cancels. A window of one belongs to the window of the other that its middle lies in.
    """
    middle = (one.start_s + one.end_s) / 2
    at = np.searchsorted(other.start_s, middle, side="right") - 1
    is_covered = (at >= 0) & (middle < other.end_s[at])
    return one.values[is_covered], other.values[at[is_covered]]


def _course(record: RunRecord, start_s: Floats, end_s: Floats, values: Floats, n: float) -> Course:
    lengths = end_s - start_s
    is_whole = lengths >= WHOLE * np.median(lengths)
    chosen = np.isfinite(values) & is_whole & (start_s >= warm_until(record))
    return Course(
        start_s=start_s[chosen], end_s=end_s[chosen], values=values[chosen], count=round(n)
    )


def _latencies(record: RunRecord) -> Iterator[tuple[str, Course]]:
    for operation in record.windows.operations():
        mine = record.windows.of(operation)
        measured = mine["start_s"] >= warm_until(record)
        count = float(mine["count"][measured].sum())
        for measure in ("latency_p50", "latency_p95", "latency_p99", "service_p50", "service_p99"):
            values = mine.get(f"{measure}_s")
            if values is not None:
                # A latency of zero is a clock that did not move: no ratio can be had from it.
                known = np.where(values > 0, values, np.nan)
                course = _course(record, mine["start_s"], mine["end_s"], known, count)
                yield f"{operation}.{measure}", course


def _wholes(record: RunRecord) -> Iterator[tuple[str, Course]]:
    start_s, end_s, count = per_window(record, ("count",))
    _, _, bad = per_window(record, ("error", "timeout"))
    total = float(count.sum())
    _, per_s = throughput(record)
    yield "throughput", _course(record, start_s, end_s, per_s, total)
    yield "errors", _course(record, start_s, end_s, bad / np.maximum(count, 1), total)


def _sampled(record: RunRecord) -> Iterator[tuple[str, Course]]:
    """Sampled columns as means of the samples within each window."""
    start_s, end_s, count = per_window(record, ("count",))
    columns = record.samples
    t_s = columns["t_s"]

    def course(values: Floats) -> Course:
        means, seen = _means(t_s, values, start_s, end_s)
        return _course(record, start_s, end_s, means, seen)

    held, live = columns.get("anonymous_bytes"), columns.get("live_records")
    if held is not None:
        began_s, ended_s = _longest_life(record, until_s=float(end_s.max()))
        held = np.where((t_s >= began_s) & (t_s <= ended_s), held, np.nan)
        yield "memory", course(np.where(held > 0, held, np.nan))
    # What every worker holds without a record hides what a record takes; a run that did not
    # measure it has no such figure.
    fixed = bare(columns, "anonymous_bytes", None)
    if held is not None and live is not None and fixed > 0:
        yield "memory_per_record", course(_ratio(held - fixed, live))
    for name, column in (("disk", "disk_allocated_bytes"), ("recall", "recall")):
        if column in columns:
            values = columns[column]
            yield name, course(values if name == "recall" else np.where(values > 0, values, np.nan))
    used_s = columns.get("cpu_s", np.empty(0))
    known = np.isfinite(used_s)
    if known.sum() > 1:
        spent_s = np.diff(
            [np.interp(at, t_s[known], used_s[known]) for at in (start_s, end_s)], axis=0
        )
        per_operation = _ratio(spent_s[0], count)
        yield "cpu_per_operation", _course(record, start_s, end_s, per_operation, t_s.size)


def _longest_life(record: RunRecord, until_s: float) -> tuple[float, float]:
    """From when until when the longest process ran; what each holds it has built anew."""
    gaps = as_rows(as_section(record.document.get("certificate")).get("gaps"))
    cuts = [0.0, *(number(gap.get("at_s")) for gap in gaps), until_s]
    return max(pairwise(cuts), key=lambda life: life[1] - life[0])


def _ratio(above: Floats, below: Floats) -> Floats:
    """above / below where both are positive, else nan."""
    ratio = np.full_like(above, np.nan)
    return np.divide(above, below, out=ratio, where=(below > 0) & (above > 0))


def _means(t_s: Floats, values: Floats, start_s: Floats, end_s: Floats) -> tuple[Floats, int]:
    """The mean of the values in each window, nan where there is none, and how many there were."""
    at = np.minimum(np.searchsorted(end_s, t_s, side="left"), len(end_s) - 1)
    is_inside = np.isfinite(values) & (t_s <= end_s[at]) & (t_s > start_s[at])
    at, known = at[is_inside], values[is_inside]
    sums = np.bincount(at, weights=known, minlength=len(end_s))
    seen = np.bincount(at, minlength=len(end_s))
    means = np.divide(sums, seen, out=np.full(len(end_s), np.nan), where=seen > 0)
    return means, int(known.size)
