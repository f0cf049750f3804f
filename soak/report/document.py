"""What is the outcome of a run, as a document with stable keys? report.json and /api/run."""

import dataclasses
from collections.abc import Mapping

from soak.clock import iso_utc
from soak.report.ledger import match
from soak.rundir import finite
from soak.snapshot import SCHEMA_VERSION, Certificate, Event, OperationTotals, Quantiles, Snapshot
from soak.verdict import Verdict

Document = dict[str, object]
Section = Mapping[str, object]

# report.json stays small whatever the run's length; events.jsonl has them all.
MAX_EVENTS = 200
MAX_TREND_POINTS = 300

# Series column to its name in `resources`; the rest keep their column's name.
RESOURCE_NAMES = {"resident_bytes": "rss_bytes"}


def document(snapshot: Snapshot) -> Document:
    """The run as JSON can say it: nan and infinity are null, the order of keys is fixed.

    The stable keys come first; what follows `environment` is for pages that show a live run.
    """
    identity = snapshot.identity
    content: Document = {
        "schema_version": SCHEMA_VERSION,
        "run_id": identity.run_id,
        "scenario": identity.scenario,
        "target": identity.target,
        "seed": identity.seed,
        "time_scale": identity.time_scale,
        "started": iso_utc(identity.started),
        "duration_s": snapshot.elapsed_s,
        "verdict": {
            "status": str(snapshot.verdict.status),
            "exit_code": int(snapshot.verdict.exit_code),
            "reason": snapshot.verdict.reason,
        },
        "checks": [check_row(verdict) for verdict in snapshot.verdicts],
        "certificate": _certificate(snapshot.certificate),
        "operations": {
            name: operation_row(totals) for name, totals in sorted(snapshot.operations.items())
        },
        "resources": _resources(snapshot),
        "records": dict(snapshot.records),
        "maintenance": maintenance_section(snapshot.events, snapshot.event_counts),
        "leaks": [dict(leak) for leak in snapshot.leaks],
        "oracle": {
            "checked": snapshot.checked,
            "violations": dict(sorted(snapshot.violations.items())),
        },
        "recall": dataclasses.asdict(snapshot.recall),
        "eviction": dict(snapshot.eviction),
        "fidelity": dict(snapshot.fidelity),
        "health": _health(snapshot),
        "environment": dict(snapshot.environment),
        "skipped": [{"name": name, "reason": reason} for name, reason in snapshot.skipped],
        "version": identity.version,
        "state": snapshot.state,
        "progress": _progress(snapshot),
        "errors": [
            {"operation": operation, "type": kind, "count": count}
            for (operation, kind), count in sorted(snapshot.errors.items())
        ],
        "samplers": dict(sorted(snapshot.sampler_success.items())),
        "hang": dataclasses.asdict(snapshot.hang) if snapshot.hang else None,
        "events": [event_row(event) for event in snapshot.events[-MAX_EVENTS:]],
        "trend": {
            name: list(values[-MAX_TREND_POINTS:]) for name, values in snapshot.trend.items()
        },
    }
    safe = finite(content)
    assert isinstance(safe, dict)
    return safe


def check_row(verdict: Verdict) -> Document:
    """One check; interval is a pair or null."""
    return {
        "name": verdict.check,
        "detector": verdict.detector,
        "concern": str(verdict.concern),
        "status": str(verdict.status),
        "effect": verdict.effect,
        "unit": verdict.unit,
        "threshold": verdict.threshold,
        "since_s": verdict.since_s,
        "reason": verdict.reason,
        "interval": list(verdict.interval) if verdict.interval else None,
    }


def operation_row(totals: OperationTotals) -> Document:
    """One operation: counts, and distributions from when due (latency) and from issue (service)."""
    return {
        "count": totals.count,
        "outcomes": dict(totals.outcomes),
        "latency_s": dataclasses.asdict(Quantiles.of(totals.latency)),
        "service_s": dataclasses.asdict(Quantiles.of(totals.service)),
        "lateness_s": dataclasses.asdict(Quantiles.of(totals.lateness)),
        "recent_s": dataclasses.asdict(totals.recent),
        "worst_s": dataclasses.asdict(totals.worst),
    }


def event_row(event: Event) -> Document:
    """One event as events.jsonl has it: the details stand beside the fixed fields."""
    return {
        "time_s": event.time_s,
        "wall_time": event.wall_time,
        "kind": event.kind,
        "source": event.source,
        "duration_s": event.duration_s,
        **event.details,
    }


def maintenance_section(
    events: tuple[Event, ...], counts: Mapping[tuple[str, str], int]
) -> Document:
    """Maintenance: counts of the whole run, agreement over the events at hand, the latest ones.

    precision and recall are null where there is nothing to compare with.
    """
    seen = match(events)
    latest = [event for event in events if event.details.get("maintenance")][-MAX_EVENTS:]
    return {
        "detected": sum(n for (_, source), n in counts.items() if source == "detected"),
        "declared": sum(n for (_, source), n in counts.items() if source == "declared"),
        "matched": seen.matched,
        "precision": seen.precision,
        "recall": seen.recall,
        "considered": seen.detected + seen.declared,
        "counts": [
            {"kind": kind, "source": source, "count": count}
            for (kind, source), count in sorted(counts.items())
        ],
        "events": [event_row(event) for event in latest],
    }


def as_rows(value: object) -> list[Section]:
    """The objects of a list of a document; empty when it is none."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def as_section(value: object) -> Section:
    """An object of a document; empty when it is none."""
    return value if isinstance(value, Mapping) else {}


def _certificate(certificate: Certificate) -> Document:
    return {
        "trusted": certificate.trusted,
        "reasons": list(certificate.reasons),
        "lateness_s": dataclasses.asdict(certificate.lateness),
        "hiccup_s": dataclasses.asdict(certificate.hiccup),
        "dropped_results": certificate.dropped_results,
        "lost_lines": certificate.lost_lines,
        "gaps": [dataclasses.asdict(gap) for gap in certificate.gaps],
        "offered_rate": certificate.offered_rate,
        "achieved_rate": certificate.achieved_rate,
        "tester_rss_bytes": certificate.tester_rss_bytes,
        "tester_cpu_ratio": certificate.tester_cpu_ratio,
        "host_steal_ratio": certificate.host_steal_ratio,
        "host_pressure_ratio": certificate.host_pressure_ratio,
        "clock_step_s": certificate.clock_step_s,
        "sampler_failures": dict(sorted(certificate.sampler_failures.items())),
    }


def _resources(snapshot: Snapshot) -> Document:
    """First, last and largest of every sampled column, `rss_bytes` and `anonymous_bytes` first."""
    ranges = snapshot.resource_range
    leading = [name for name in ("resident_bytes", "anonymous_bytes") if name in ranges]
    return {
        RESOURCE_NAMES.get(name, name): dict(
            zip(("first", "last", "max"), ranges[name], strict=True)
        )
        for name in dict.fromkeys([*leading, *sorted(ranges)])
    }


def _health(snapshot: Snapshot) -> Document:
    components = {k: v for k, v in sorted(snapshot.health.items()) if k != "score"}
    lowered = [name for name, value in components.items() if value < 1]
    return {
        "last": snapshot.health.get("score"),
        "min": snapshot.health_min,
        "worst_component": min(lowered, key=components.__getitem__, default=None),
        "components": components,
        "reported": snapshot.health_reported,
    }


def _progress(snapshot: Snapshot) -> Document:
    planned_s = snapshot.planned_s
    return {
        "phase": snapshot.phase,
        "phase_index": snapshot.phase_index,
        "phases": list(snapshot.phases),
        "elapsed_s": snapshot.elapsed_s,
        "planned_s": planned_s,
        "ratio": min(1.0, snapshot.elapsed_s / planned_s) if planned_s > 0 else None,
    }
