"""How much did it take? The pressure table, and everything drawn against the records held."""

import numpy as np

from soak.detectors.growth_law import Law, Params, law_of
from soak.detectors.growth_law import said as law_said
from soak.report import figures
from soak.report.charts import Chart, Line, Mark, Unit
from soak.report.document import as_rows, as_section
from soak.report.ledger import maintenance_of
from soak.report.markdown import violation_count
from soak.report.record import RunRecord
from soak.seams import Floats

# Shown where the records grew at least this much: elsewhere there is nothing to draw against.
GROWN = 2.0
BINS = 240
MAX_MARKS = 60
EMPTY: Floats = np.empty(0)


def has_grown(record: RunRecord) -> bool:
    live = _known(record, "live_records")
    return live.size >= 2 and float(live.max()) >= GROWN * max(1.0, float(live[0]))


def rows(record: RunRecord) -> list[tuple[str, str]]:
    """The figures of the pressure benchmark, as (name, text)."""
    live, held = _known(record, "live_records"), _known(record, "anonymous_bytes")
    p50 = _known(record, "search_p50_s")
    p99 = _known(record, "search_p99_s")
    seen = as_section(record.document.get("maintenance"))
    operations = as_section(record.document.get("operations")).values()
    outcomes = [as_section(as_section(row).get("outcomes")) for row in operations]
    failed = sum(figures.number(o.get(k, 0)) for o in outcomes for k in ("error", "timeout"))
    told = [check for check in as_rows(record.document.get("checks")) if _is_rule(check)]
    first, last = (held[0], held[-1]) if held.size else (np.nan, np.nan)
    grown = live[-1] - live[0] if live.size else np.nan
    per_record = (last - first) / grown if grown > 0 else np.nan
    health = as_section(record.document.get("health"))
    table = [
        ("maximum records", figures.whole(_most(live))),
        ("final memory", figures.size(float(last))),
        ("memory per record added", figures.size(float(per_record))),
        ("final query latency, p50", figures.latency(_last(p50))),
        ("final query latency, p99", figures.latency(_last(p99))),
        ("health, last", figures.share(health.get("last"))),
        ("health, as the target reports it", figures.share(health.get("reported"))),
        ("maintenance events, declared", figures.whole(seen.get("declared"))),
        ("maintenance events, seen from outside", figures.whole(seen.get("detected"))),
        *(
            ("maintenance events, by fixed thresholds", figures.whole(check.get("effect")))
            for check in told
        ),
        *laws(record),
        ("failed operations", figures.whole(failed)),
        ("wrong answers", figures.whole(violation_count(record.document))),
    ]
    return [(name, text) for name, text in table if text != figures.NOT_KNOWN]


def laws(record: RunRecord) -> list[tuple[str, str]]:
    """How memory, disk and latency grow with the records, as (name, text); those that are known."""
    named = (
        ("memory", "anonymous_bytes"),
        ("disk", "disk_allocated_bytes"),
        ("query latency", "search_p50_s"),
    )
    found = ((name, law_of(record.samples, Params(column=column), 0.0)) for name, column in named)
    return [
        (f"{name} by records", law_said(law).removeprefix("grows with the records to the "))
        for name, law in found
        if isinstance(law, Law)
    ]


def charts(record: RunRecord) -> tuple[Chart, ...]:
    """Memory, latency and health against live records, maintenance as red lines."""
    if not has_grown(record):
        return ()
    wanted: tuple[tuple[str, str, str, Unit, str], ...] = (
        ("memory", "anonymous_bytes", "anonymous", "bytes", "Memory"),
        ("latency", "search_p99_s", "p99", "s", "Latency of search, p99"),
        ("health", "score", "health", "ratio", "Health score"),
    )
    marks = _marks(record)
    most = float(np.nanmax(record.samples["live_records"]))
    drawn = []
    for name, column, tone, unit, title in wanted:
        curve = _against_records(record, column, tone)
        if curve is not None:
            chart = Chart(
                name=f"pressure-{name}",
                title=f"{title} against the records held",
                caption="Red: maintenance, at the number of records it began with.",
                lines=(curve,),
                end_s=most,
                unit=unit,
                along="records",
                marks=marks,
                starts_at_zero=True,
            )
            drawn.append(chart)
    return tuple(drawn)


def _against_records(record: RunRecord, column: str, tone: str) -> Line | None:
    """Means over equally many records each; None where nothing is known."""
    values = record.samples.get(column, EMPTY)
    if not values.size:
        return None
    live = record.samples["live_records"]
    known = np.isfinite(values) & np.isfinite(live)
    if known.sum() < 2:
        return None
    edges = np.linspace(0.0, float(live[known].max()), BINS + 1)
    place = np.clip(np.digitize(live[known], edges) - 1, 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    sums = np.bincount(place, weights=values[known], minlength=BINS)
    is_filled = counts > 0
    middle = (edges[:-1] + edges[1:]) / 2
    y: Floats = sums[is_filled] / counts[is_filled]
    return Line(label=column.replace("_", " "), tone=tone, t=middle[is_filled], y=y)


def _marks(record: RunRecord) -> tuple[Mark, ...]:
    """Where maintenance seen from outside began; where none was seen, the declared."""
    live = record.samples["live_records"]
    known = np.isfinite(live)
    runs = maintenance_of(record.events)
    seen = [run for run in runs if run.source == "detected"] or runs
    at_s = np.array([run.time_s for run in seen])
    held = np.interp(at_s, record.samples["t_s"][known], live[known])
    chosen = np.unique(np.round(held, -1))
    step = max(1, -(-chosen.size // MAX_MARKS))
    return tuple(Mark(at_s=float(n), label="", tone="fault") for n in chosen[::step])


def _is_rule(check: object) -> bool:
    return as_section(check).get("detector") == "threshold_rule"


def _known(record: RunRecord, column: str) -> Floats:
    values = record.samples.get(column, EMPTY)
    return values[np.isfinite(values)]


def _most(values: Floats) -> float:
    return float(values.max()) if values.size else float("nan")


def _last(values: Floats) -> float:
    """Of the last tenth, in the median: one window is no figure."""
    tail = values[-max(1, values.size // 10) :]
    return float(np.median(tail)) if tail.size else float("nan")
