"""What became of a target under pressure? What it took, its maintenance, and whether it recovered.

The run's own report draws these over the records (soak/report/pressure.py).
"""

import math
from collections.abc import Sequence

from soak.bench.variants import name_of
from soak.report import figures
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.rundir import finite

CATEGORY = "pressure"
HEAD = (
    *("benchmark", "written", "held at most", "at end", "maintenance asked", "declared"),
    *("detected", "search p99", "at end", "memory", "at end"),
)


def with_pressure(documents: Sequence[Section]) -> list[dict[str, object]]:
    """The documents, those of pressure with `results.pressure`."""
    told = []
    for document in documents:
        results = dict(as_section(document.get("results")))
        if found := pressure_figures(document):
            results["pressure"] = finite(found)
        told.append({**document, "results": results})
    return told


def pressure_figures(document: Section) -> dict[str, float]:
    """Empty for a benchmark about something else, and for one that left no run.

    Records written (the first ones included) and held at most, the saturation; maintenance that was
    asked for, declared by the target and detected from outside; search p99 in the worst phase
    beside the last, and memory at most beside the last sample, the recovery.
    """
    results = as_section(document.get("results"))
    phases = [as_section(each) for each in as_section(results.get("phases")).values()]
    if document.get("category") != CATEGORY or not phases:
        return {}
    used = as_section(results.get("resource_use"))
    held = [number(row.get("records")) for row in as_rows(used.get("timeline"))]
    held += [number(as_section(p.get("after")).get("live_records")) for p in phases]
    held.append(number(results.get("records_live")))
    tails = [number(_latency(phase, "search").get("p99")) for phase in phases]
    return {
        "written_records": _written(document),
        "held_records_max": _most(held),
        "held_records": number(results.get("records_live")),
        "maintenance_asked": _count(results, "maintain"),
        "maintenance_declared": _seen(results, "declared"),
        "maintenance_detected": _seen(results, "detected"),
        "search_p99_s_max": _most(tails),
        "search_p99_s_last": next((t for t in reversed(tails) if math.isfinite(t)), math.nan),
        "memory_bytes_max": number(used.get("memory_bytes_max")),
        "memory_bytes": number(results.get("memory_bytes")),
    }


def pressure_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of HEAD, in words."""
    rows = []
    for document in documents:
        if found := pressure_figures(document):
            *counts, worst, last, most, end = found.values()
            said = [figures.whole(count) for count in counts]
            said += [figures.latency(worst), figures.latency(last)]
            said += [figures.size(most), figures.size(end)]
            rows.append((name_of(document), *said))
    return rows


def _written(document: Section) -> float:
    """Records, not calls: a batch counts for what is in it."""
    params = as_section(as_section(document.get("metadata")).get("params"))
    population = as_section(params.get("population"))
    results = as_section(document.get("results"))
    batches = _count(results, "store_batch")
    in_batches = batches * number(population.get("batch")) if batches else 0.0
    return number(population.get("preload", 0)) + _count(results, "store") + in_batches


def _count(results: Section, operation: str) -> float:
    row = as_section(as_section(results.get("operations")).get(operation))
    return number(row.get("count", 0))


def _seen(results: Section, source: str) -> float:
    rows = as_rows(results.get("maintenance"))
    return sum(number(row.get("count")) for row in rows if row.get("source") == source)


def _latency(phase: Section, operation: str) -> Section:
    row = as_section(as_section(phase.get("operations")).get(operation))
    return as_section(row.get("latency_s"))


def _most(values: Sequence[float]) -> float:
    return max((value for value in values if math.isfinite(value)), default=math.nan)
