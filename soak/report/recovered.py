"""What can be said of a run that left no report? A document from what it had written until then."""

from collections.abc import Mapping

import numpy as np

from soak.clock import iso_utc
from soak.histogram import SIZE, Histogram
from soak.report.document import Document, check_row, maintenance_section
from soak.report.folding import runs_of
from soak.report.journal import Journal
from soak.result import OUTCOMES
from soak.rundir import finite
from soak.seams import Floats
from soak.sentences import clock_time
from soak.snapshot import SCHEMA_VERSION, Quantiles
from soak.verdict import Concern, Status, Verdict, merge

RANGES = ("resident_bytes", "anonymous_bytes", "disk_bytes", "open_fds", "threads")
RECORDS = ("live", "stored", "evicted", "deleted")


def recover(journal: Journal, run_id: str, *, is_alive: bool) -> Document:
    """The keys of report.json as far as the journal goes; what it cannot tell is null.

    is_alive: somebody still writes the journal, so the end is yet to come. The verdict is unknown,
    unless a wrong answer was on record: that stays a failure.
    """
    elapsed_s = elapsed(journal)
    verdicts = last_verdicts(journal)
    distrust = f"it ended without a verdict, last heard of at {clock_time(elapsed_s)}"
    if is_alive:
        distrust = "it is still going on"
    verdict = merge(verdicts, trusted=False, distrust=distrust)
    target = journal.plan.get("target")
    environment = dict(journal.environment)
    counters = [line for line in journal.worker if line.get("kind") == "counters"]
    content: Document = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "scenario": journal.plan.get("name", ""),
        "target": target.get("name") if isinstance(target, Mapping) else target,
        "seed": journal.plan.get("seed"),
        "time_scale": target.get("time_scale", 1.0) if isinstance(target, Mapping) else 1.0,
        "started": _started(journal),
        "duration_s": elapsed_s,
        "verdict": {
            "status": str(verdict.status),
            "exit_code": int(verdict.exit_code),
            "reason": verdict.reason,
        },
        "checks": [check_row(judged) for judged in verdicts],
        "certificate": {"trusted": False, "reasons": [distrust]},
        "operations": _operations(journal),
        "resources": _resources(journal.samples),
        "records": {
            name: _last(journal.samples, f"{name}_total" if name != "live" else "live_records")
            for name in RECORDS
        },
        "maintenance": maintenance_section(journal.events, _maintenance_counts(journal)),
        "leaks": [],
        "oracle": {
            "checked": counters[-1].get("checked") if counters else None,
            "violations": counters[-1].get("violations") if counters else None,
        },
        "recall": {"k": _k(journal), **_recall(journal.samples)},
        "eviction": {},
        "fidelity": {},
        "health": _health(journal.samples),
        "environment": environment,
        "version": environment.get("soak", ""),
        "state": "running" if is_alive else "interrupted",
    }
    safe = finite(content)
    assert isinstance(safe, dict)
    return safe


def elapsed(journal: Journal) -> float:
    """The last second the run is heard of; zero when it wrote nothing."""
    ends_s = [journal.windows.figures["end_s"], journal.samples["t_s"]]
    known = [float(np.nanmax(v)) for values in ends_s if (v := values[np.isfinite(values)]).size]
    return max(known, default=0.0)


def last_verdicts(journal: Journal) -> list[Verdict]:
    """The last word on every check, in the order the checks first appeared."""
    latest: dict[str, Mapping[str, object]] = {}
    for line in journal.verdicts:
        latest[str(line.get("check", ""))] = line
    return [_verdict(line) for line in latest.values()]


def _started(journal: Journal) -> str | None:
    """Time zero as any event tells it, which carries both clocks."""
    known = (event.wall_time - event.time_s for event in journal.events if event.wall_time)
    started = next(known, None)
    return None if started is None else iso_utc(started)


def _k(journal: Journal) -> object:
    population = journal.plan.get("population")
    return population.get("k") if isinstance(population, Mapping) else None


def _verdict(line: Mapping[str, object]) -> Verdict:
    status, concern = str(line.get("status")), str(line.get("concern"))
    interval = line.get("interval")
    edges = [_number(edge) for edge in interval] if isinstance(interval, list) else []
    low, high = edges if len(edges) == 2 else (None, None)
    return Verdict(
        check=str(line.get("check", "")),
        detector=str(line.get("detector", "")),
        concern=Concern(concern) if concern in list(Concern) else Concern.OBJECTIVE,
        status=Status(status) if status in list(Status) else Status.UNKNOWN,
        reason=str(line.get("reason", "")),
        effect=_number(line.get("effect")),
        threshold=_number(line.get("threshold")),
        unit=str(line.get("unit", "")),
        since_s=_number(line.get("since_s")),
        interval=None if low is None or high is None else (low, high),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _operations(journal: Journal) -> Document:
    rows: Document = {}
    for name in sorted(journal.windows.operations()):
        mine = journal.windows.of(name)
        rows[name] = {
            "count": int(mine["count"].sum()),
            "outcomes": {outcome: int(np.nansum(mine[outcome])) for outcome in OUTCOMES},
            "latency_s": _quantiles(journal, name, "latency", mine),
            "service_s": _quantiles(journal, name, "service", mine),
            "lateness_s": _quantiles(journal, name, "lateness", mine),
        }
    return rows


def _quantiles(
    journal: Journal, operation: str, measure: str, windows: Mapping[str, Floats]
) -> Document:
    """From the saved counts where there are any, else the maximum alone: a quantile of the whole
    cannot be had from quantiles of its parts."""
    worst = windows.get(f"{measure}_max_s", np.array([]))
    known = worst[np.isfinite(worst)]
    max_s = float(known.max()) if known.size else float("nan")
    counts = journal.counts.get(f"{operation}.{measure}")
    if counts is None or counts.shape != (SIZE,):
        return {"p50": None, "p95": None, "p99": None, "p999": None, "max": max_s}
    histogram = Histogram()
    histogram.counts[:] = counts
    histogram.max_ns = round(max_s * 1e9) if max_s == max_s else int(np.iinfo(np.int64).max)
    seen = Quantiles.of(histogram)
    return {"p50": seen.p50, "p95": seen.p95, "p99": seen.p99, "p999": seen.p999, "max": max_s}


def _resources(samples: Mapping[str, Floats]) -> Document:
    rows: Document = {}
    for name in RANGES:
        known = _known(samples, name)
        if known.size:
            key = "rss_bytes" if name == "resident_bytes" else name
            rows[key] = {"first": known[0], "last": known[-1], "max": known.max()}
    return {
        name: {k: float(v) for k, v in row.items()}
        for name, row in rows.items()
        if isinstance(row, dict)
    }


def _recall(samples: Mapping[str, Floats]) -> Document:
    known = _known(samples, "recall")
    if not known.size:
        return {"samples": 0, "mean": None, "first": None, "last": None}
    mean, first, last = float(known.mean()), float(known[0]), float(known[-1])
    return {"samples": int(known.size), "mean": mean, "first": first, "last": last}


def _health(samples: Mapping[str, Floats]) -> Document:
    known = _known(samples, "score")
    last = float(known[-1]) if known.size else None
    lowest = float(known.min()) if known.size else None
    reported = _last(samples, "health_ratio")
    return {"last": last, "min": lowest, "worst_component": None, "reported": reported}


def _maintenance_counts(journal: Journal) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for event in journal.events:
        if event.details.get("maintenance"):
            key = event.kind, str(event.source)
            counts[key] = counts.get(key, 0) + runs_of(event)
    return counts


def _known(samples: Mapping[str, Floats], name: str) -> Floats:
    values = samples.get(name, np.array([]))
    return values[np.isfinite(values)]


def _last(samples: Mapping[str, Floats], name: str) -> float | None:
    known = _known(samples, name)
    return float(known[-1]) if known.size else None
