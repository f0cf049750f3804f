"""Which figures does a run publish? A snapshot as named families of numbers, whatever the format.

Names, types and labels are the contract with dashboards and alert rules: they may grow, they do
not change. A family's samples are keyed by label values, so no series can appear twice. A figure
that is not known (nan) is left out.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from soak.histogram import Histogram
from soak.result import OUTCOMES, VIOLATIONS
from soak.show.columns import REPORTED, RESOURCES
from soak.snapshot import Event, Snapshot
from soak.verdict import Status

Samples = Mapping[tuple[str, ...], float]

MAINTENANCE_KINDS = (
    "checkpoint",
    "compact",
    "consolidate",
    "demote",
    "emergency",
    "evict",
    "expire",
    "explicit",
)
MAINTENANCE_SOURCES = ("declared", "detected")

LEAK_FIGURES = (
    ("bytes_per_s", "soak_leak_bytes_per_second", "Growth of the resource's floor."),
    ("low_bytes_per_s", "soak_leak_bytes_per_second_low", "Lower bound of that growth."),
    ("high_bytes_per_s", "soak_leak_bytes_per_second_high", "Upper bound of that growth."),
    ("bytes_per_operation", "soak_leak_bytes_per_operation", "Growth per operation issued."),
    ("evidence", "soak_leak_evidence", "How sure the leak detector is, 0 to 1."),
    ("exhaustion_s", "soak_leak_exhaustion_seconds", "Time until the limit at this growth."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric. labels: names, in the order of the samples' keys; scenario and target not in.

    for_annotations: a time in milliseconds, which Grafana reads and promtool calls bad style; it is
    in the format that Prometheus asks for, and not in the plain text one.
    """

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    labels: tuple[str, ...] = ()
    samples: Samples
    for_annotations: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One histogram metric; its samples are keyed by operation."""

    name: str
    help: str
    samples: Mapping[str, Histogram]


def distributions(snapshot: Snapshot) -> list[Distribution]:
    """Durations per operation: as a caller feels them, as the target worked, and our lateness."""
    operations = snapshot.operations
    return [
        Distribution(
            name="soak_operation_latency_seconds",
            help="From when an operation was due to its answer.",
            samples={name: totals.latency for name, totals in operations.items()},
        ),
        Distribution(
            name="soak_operation_service_seconds",
            help="From when an operation was issued to its answer.",
            samples={name: totals.service for name, totals in operations.items()},
        ),
        Distribution(
            name="soak_operation_lateness_seconds",
            help="From when an operation was due to when it was issued.",
            samples={name: totals.lateness for name, totals in operations.items()},
        ),
    ]


def families(snapshot: Snapshot) -> list[Family]:
    """Everything but the histograms; those whose labels nobody bounds beforehand come last."""
    every = [
        *_run(snapshot),
        *_load(snapshot),
        *_records(snapshot),
        *_resources(snapshot),
        *_judgement(snapshot),
        *_quality(snapshot),
        *_maintenance(snapshot),
        *_open_ended(snapshot),
    ]
    return [known for known in map(_without_nan, every) if known.samples]


def _without_nan(family: Family) -> Family:
    if not any(map(math.isnan, family.samples.values())):
        return family
    known = {key: value for key, value in family.samples.items() if not math.isnan(value)}
    return replace(family, samples=known)


def _gauge(name: str, explanation: str, value: float) -> Family:
    return Family(name=name, kind="gauge", help=explanation, samples={(): value})


def _counter(name: str, explanation: str, value: float) -> Family:
    return Family(name=name, kind="counter", help=explanation, samples={(): value})


def _labelled(
    name: str, explanation: str, label: str, samples: Iterable[tuple[str, float]]
) -> Family:
    return Family(
        name=name,
        kind="gauge",
        help=explanation,
        labels=(label,),
        samples={(key,): float(value) for key, value in samples},
    )


def _run(snapshot: Snapshot) -> Iterator[Family]:
    identity = snapshot.identity
    yield Family(
        name="soak_run_info",
        kind="gauge",
        help="Which run this is; always 1.",
        labels=("run_id", "version", "seed"),
        samples={(identity.run_id, identity.version, str(identity.seed)): 1},
    )
    phases = dict.fromkeys(snapshot.phases, 0) | {snapshot.phase: 1}
    yield _labelled("soak_phase_info", "1 for the phase under way.", "phase", phases.items())
    yield _gauge("soak_run_start_timestamp_seconds", "When the run began (UTC).", identity.started)
    yield _gauge(
        "soak_run_expected_end_timestamp_seconds",
        "When the run means to end (UTC).",
        identity.started + snapshot.planned_s,
    )
    yield _gauge("soak_run_elapsed_seconds", "Since the start.", snapshot.elapsed_s)


def _load(snapshot: Snapshot) -> Iterator[Family]:
    certificate = snapshot.certificate
    yield Family(
        name="soak_operations_total",
        kind="counter",
        help="Operations by how they ended.",
        labels=("operation", "outcome"),
        samples={
            (name, outcome): totals.outcomes.get(outcome, 0)
            for name, totals in snapshot.operations.items()
            for outcome in OUTCOMES
        },
    )
    yield _gauge("soak_offered_rate", "Operations per second due.", certificate.offered_rate)
    yield _gauge("soak_achieved_rate", "Operations per second done.", certificate.achieved_rate)
    yield _counter(
        "soak_results_dropped_total",
        "Results that were lost before they were counted.",
        certificate.dropped_results,
    )
    hang = snapshot.hang
    waiting = dict.fromkeys(snapshot.operations, 0.0)
    if hang:
        waiting[hang.operation] = hang.age_s
    yield _labelled(
        "soak_hang_seconds",
        "Age of the oldest overdue operation in flight; 0 where there is none.",
        "operation",
        waiting.items(),
    )


def _records(snapshot: Snapshot) -> Iterator[Family]:
    records = snapshot.records
    tiers = {key[5:]: value for key, value in records.items() if key.startswith("tier_")}
    yield _labelled(
        "soak_records",
        "Live records by tier; tier is all where the target has none.",
        "tier",
        (tiers or {"all": records.get("live", math.nan)}).items(),
    )
    for word in ("stored", "evicted", "deleted"):
        yield _counter(
            f"soak_records_{word}_total", f"Records {word}.", records.get(word, math.nan)
        )


def _resources(snapshot: Snapshot) -> Iterator[Family]:
    for column, name, kind, explanation in RESOURCES:
        value = snapshot.resources.get(column, math.nan)
        make = _counter if kind == "counter" else _gauge
        yield make(name, explanation, value)


def _judgement(snapshot: Snapshot) -> Iterator[Family]:
    health = {key: value for key, value in snapshot.health.items() if key != "score"}
    yield _gauge(
        "soak_health_ratio", "Health of the target, 0 to 1.", snapshot.health.get("score", math.nan)
    )
    yield _labelled(
        "soak_health_component_ratio", "What health consists of.", "component", health.items()
    )
    yield Family(
        name="soak_verdict_status",
        kind="gauge",
        help="1 for the current status of a check.",
        labels=("check", "status"),
        samples={
            (verdict.check, str(status)): float(verdict.status is status)
            for verdict in snapshot.verdicts
            for status in Status
        },
    )
    yield _labelled(
        "soak_run_verdict_status",
        "1 for the current verdict on the whole run.",
        "status",
        ((str(status), snapshot.verdict.status is status) for status in Status),
    )
    yield _gauge(
        "soak_certificate_trusted",
        "1 while this run can be trusted.",
        float(snapshot.certificate.trusted),
    )
    yield _labelled(
        "soak_sampler_success",
        "1 where the last reading worked.",
        "sampler",
        snapshot.sampler_success.items(),
    )


def _quality(snapshot: Snapshot) -> Iterator[Family]:
    yield _labelled(
        "soak_recall_ratio",
        "Share of the true k nearest records that searches return now.",
        "k",
        [(str(snapshot.recall.k), snapshot.recall.last)],
    )
    yield _counter(
        "soak_oracle_checked_total", "Answers compared with the oracle.", snapshot.checked
    )
    broken = {str(kind): 0 for kind in VIOLATIONS} | dict(snapshot.violations)
    yield Family(
        name="soak_oracle_violations_total",
        kind="counter",
        help="Answers that broke a promise.",
        labels=("kind",),
        samples={(kind,): count for kind, count in broken.items()},
    )
    yield _gauge(
        "soak_eviction_inversion_ratio",
        "Chance that a forgotten record mattered more than a kept one; 0.5 is blind chance.",
        snapshot.eviction.get("inversion_ratio", math.nan),
    )


def _maintenance(snapshot: Snapshot) -> Iterator[Family]:
    counts: dict[tuple[str, ...], float] = {
        (kind, source): 0 for kind in MAINTENANCE_KINDS for source in MAINTENANCE_SOURCES
    }
    counts.update({(kind, source): n for (kind, source), n in snapshot.event_counts.items()})
    yield Family(
        name="soak_maintenance_events_total",
        kind="counter",
        help="Maintenance runs: declared by the target, or detected from outside.",
        labels=("kind", "source"),
        samples=counts,
    )
    latest: dict[tuple[str, ...], Event] = {
        (event.kind, str(event.source)): event
        for event in snapshot.events
        if event.details.get("maintenance")
    }
    labels = ("kind", "source")
    begun_s = {key: event.wall_time for key, event in latest.items()}
    ended_s = {key: event.wall_time + event.duration_s for key, event in latest.items()}
    yield from _moments("soak_maintenance_last_start", "When the latest one began", labels, begun_s)
    yield from _moments("soak_maintenance_last_end", "When the latest one ended", labels, ended_s)
    yield Family(
        name="soak_maintenance_last_reclaimed_bytes",
        kind="gauge",
        help="What the latest one gave back.",
        labels=labels,
        samples={key: float(e.details.get("bytes_reclaimed", 0)) for key, e in latest.items()},
    )


def _moments(
    stem: str, explanation: str, labels: tuple[str, ...], wall_s: Samples
) -> Iterator[Family]:
    """Times since 1970, in seconds and, for annotations, in milliseconds."""
    seconds = Family(
        name=f"{stem}_timestamp_seconds",
        kind="gauge",
        help=f"{explanation} (UTC).",
        labels=labels,
        samples=wall_s,
    )
    yield seconds
    yield replace(
        seconds,
        name=f"{stem}_timestamp_milliseconds",
        help=f"{explanation} (UTC); milliseconds, as annotations want them.",
        samples={key: 1000 * value for key, value in wall_s.items()},
        for_annotations=True,
    )


def _open_ended(snapshot: Snapshot) -> Iterator[Family]:
    for key, name, explanation in LEAK_FIGURES:
        found = ((str(leak.get("resource")), leak.get(key)) for leak in snapshot.leaks)
        figures = [(resource, value) for resource, value in found if isinstance(value, float | int)]
        yield _labelled(name, explanation, "resource", figures)
    others = (event for event in snapshot.events if not event.details.get("maintenance"))
    begun_s: dict[tuple[str, ...], float] = {(event.kind,): event.wall_time for event in others}
    yield from _moments("soak_event", "When the latest event of a kind began", ("kind",), begun_s)
    yield Family(
        name="soak_errors_total",
        kind="counter",
        help="Operations that the target failed, by class of error.",
        labels=("operation", "error_type"),
        samples={(operation, kind): n for (operation, kind), n in snapshot.errors.items()},
    )
    resources = snapshot.resources.items()
    yield _labelled(
        "soak_target_reported",
        "What the target says of itself; the unit is the end of the figure's name.",
        "figure",
        ((key[len(REPORTED) :], value) for key, value in resources if key.startswith(REPORTED)),
    )
