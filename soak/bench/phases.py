"""What did each phase of a benchmark cost, and how long did its operations take?"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from soak.report import figures
from soak.report.document import Section, as_section
from soak.report.figures import number
from soak.report.journal import WindowRows
from soak.report.record import RunRecord
from soak.seams import Floats

QUANTILES = ("p50", "p95", "p99")
# Columns that only grow, by what their growth in a phase is called.
SPENT = {"cpu_s": "cpu_s", "read_bytes": "read_bytes", "written_bytes": "written_bytes"}
HELD = ("anonymous_bytes", "accounted_bytes", "disk_allocated_bytes", "live_records")
# Only where phases differ in what is measured.
CATEGORIES = ("transition", "pressure")
HEAD = (
    *("benchmark", "phase", "operation", "ops/s", "p50", "p95", "p99", "max"),
    *("cpu/s", "written/s", "memory before", "after"),
)


def phase_figures(record: RunRecord) -> dict[str, dict[str, object]]:
    """Phase to its length, operations, what was spent in it, and what was held before and after.

    A quantile is the mean over the phase's windows by their counts; max is exact. What is spent is
    interpolated between samples, a second apart.
    """
    windows = record.windows
    names = dict.fromkeys(str(name) for name in windows.phase)
    return {name: _phase(record, windows, name) for name in names}


def _phase(record: RunRecord, windows: WindowRows, name: str) -> dict[str, object]:
    mine = windows.phase == name
    begin_s = float(windows.figures["start_s"][mine].min())
    end_s = float(windows.figures["end_s"][mine].max())
    operations = {
        operation: _operation(windows, mine & (windows.operation == operation), end_s - begin_s)
        for operation in dict.fromkeys(str(each) for each in windows.operation[mine])
    }
    spent = {called: _grown(record, column, begin_s, end_s) for column, called in SPENT.items()}
    before, after = ({h: at(record, h, t_s) for h in HELD} for t_s in (begin_s, end_s))
    length = {"begin_s": begin_s, "duration_s": end_s - begin_s}
    return {**length, "operations": operations, "spent": spent, "before": before, "after": after}


def _operation(windows: WindowRows, mine: Floats, length_s: float) -> dict[str, object]:
    count = windows.figures["count"][mine]
    told: dict[str, object] = {
        "count": float(count.sum()),
        "per_s": float(count.sum()) / length_s if length_s else float("nan"),
    }
    for measure in ("latency", "service"):
        found = {q: _weighted(windows.figures[f"{measure}_{q}_s"][mine], count) for q in QUANTILES}
        worst = windows.figures[f"{measure}_max_s"][mine]
        told[f"{measure}_s"] = {**found, "max": float(worst.max(initial=0.0))}
    return told


def _weighted(values: Floats, weights: Floats) -> float:
    """nan where there is nothing."""
    is_known = np.isfinite(values) & (weights > 0)
    if not is_known.any():
        return float("nan")
    return float(np.average(values[is_known], weights=weights[is_known]))


def _grown(record: RunRecord, column: str, begin_s: float, end_s: float) -> float:
    return at(record, column, end_s) - at(record, column, begin_s)


def at(record: RunRecord, column: str, t_s: float) -> float:
    """A sampled column at that moment, between its neighbours; nan before it was first read."""
    values = record.samples.get(column, np.empty(0))
    times = record.samples.get("t_s", np.empty(0))[: len(values)]
    is_known = np.isfinite(values)
    if not is_known.any():
        return float("nan")
    return float(np.interp(t_s, times[is_known], values[is_known], left=np.nan))


def phase_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of HEAD, one for each operation of each phase, in words; of CATEGORIES."""
    return [
        row
        for document in documents
        if document.get("category") in CATEGORIES
        for row in _rows(document)
    ]


def _rows(document: Section) -> Iterator[tuple[str, ...]]:
    name = f"{document.get('category')}/{document.get('benchmark')}"
    phases = as_section(as_section(document.get("results")).get("phases"))
    for phase, told in phases.items():
        row = as_section(told)
        costs = tuple(_costs(row))
        for place, (operation, of) in enumerate(as_section(row.get("operations")).items()):
            latency = as_section(as_section(of).get("latency_s"))
            times = (figures.latency(latency.get(q)) for q in (*QUANTILES, "max"))
            per_s = figures.digits(number(as_section(of).get("per_s")))
            first = (name, phase) if place == 0 else ("", "")
            yield (*first, operation, per_s, *times, *(costs if place == 0 else ("",) * 4))


def _costs(row: Mapping[str, object]) -> Iterator[str]:
    spent, length_s = as_section(row.get("spent")), number(row.get("duration_s"))
    yield figures.latency(number(spent.get("cpu_s")) / length_s if length_s else None)
    written = number(spent.get("written_bytes")) / length_s if length_s else None
    yield figures.size(written)
    for moment in ("before", "after"):
        yield figures.size(as_section(row.get(moment)).get("anonymous_bytes"))
