"""Which figures does a run publish? A snapshot as named families of numbers, whatever the format.

Names, types and labels are the contract with dashboards and alert rules: they may grow, they do
not change. A family's samples are keyed by label values, so no series can appear twice. A figure
that is not known (nan) is left out.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from soak.histogram import Histogram
from soak.result import OUTCOMES
from soak.show.columns import REPORTED, RESOURCES
from soak.show.family import Family, counter, gauge, labelled, without_nan
from soak.show.judged import judged
from soak.show.occurred import occurred
from soak.snapshot import Exemplar, Snapshot, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One histogram metric; its samples are keyed by operation, and so are their exemplars."""

    name: str
    help: str
    samples: Mapping[str, Histogram]
    exemplars: Mapping[str, Sequence[Exemplar]] = field(default_factory=dict)


def distributions(snapshot: Snapshot) -> list[Distribution]:
    """Durations per operation: as a caller feels them, as the target worked, and our lateness."""
    operations = snapshot.operations
    exemplars: dict[str, dict[str, Sequence[Exemplar]]] = {}
    for (operation, measure), found in snapshot.exemplars.items():
        exemplars.setdefault(measure, {})[operation] = found
    return [
        Distribution(
            name="soak_operation_latency_seconds",
            help="From when an operation was due to its answer.",
            samples={name: totals.latency for name, totals in operations.items()},
            exemplars=exemplars.get("latency", {}),
        ),
        Distribution(
            name="soak_operation_service_seconds",
            help="From when an operation was issued to its answer.",
            samples={name: totals.service for name, totals in operations.items()},
            exemplars=exemplars.get("service", {}),
        ),
        Distribution(
            name="soak_operation_lateness_seconds",
            help="From when an operation was due to when it was issued.",
            samples={name: totals.lateness for name, totals in operations.items()},
            exemplars=exemplars.get("lateness", {}),
        ),
    ]


def families(snapshot: Snapshot) -> list[Family]:
    """Everything but the histograms; those whose labels nobody bounds beforehand come last."""
    every = [
        *_run(snapshot),
        *_load(snapshot),
        *_records(snapshot),
        *_resources(snapshot),
        *judged(snapshot),
        *occurred(snapshot),
        *_open_ended(snapshot),
    ]
    return [known for known in map(without_nan, every) if known.samples]


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
    yield labelled("soak_phase_info", "1 for the phase under way.", "phase", phases.items())
    yield gauge("soak_run_start_timestamp_seconds", "When the run began (UTC).", identity.started)
    yield gauge(
        "soak_run_expected_end_timestamp_seconds",
        "When the run means to end (UTC).",
        identity.started + snapshot.planned_s + snapshot.certificate.absent_s,
    )
    yield gauge("soak_run_elapsed_seconds", "Since the start.", snapshot.elapsed_s)
    yield labelled(
        "soak_run_state",
        "1 for what the run is doing.",
        "state",
        ((state, state == snapshot.state) for state in get_args(State)),
    )
    yield gauge(
        "soak_run_exit_code",
        "What the process would say if it ended now.",
        snapshot.verdict.exit_code,
    )


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
    yield gauge("soak_offered_rate", "Operations per second due.", certificate.offered_rate)
    yield gauge("soak_achieved_rate", "Operations per second done.", certificate.achieved_rate)
    yield counter(
        "soak_results_dropped_total",
        "Results that were lost before they were counted.",
        certificate.dropped_results,
    )
    yield counter(
        "soak_record_lines_lost_total",
        "Lines of the run's logs that could not be written or read.",
        certificate.lost_lines,
    )
    hiccup = certificate.hiccup
    yield labelled(
        "soak_tester_hiccup_seconds",
        "How late a thread of the worker wakes that only sleeps, by rank.",
        "rank",
        (("p50", hiccup.p50), ("p99", hiccup.p99), ("max", hiccup.max)),
    )
    hang = snapshot.hang
    waiting = dict.fromkeys(snapshot.operations, 0.0)
    if hang:
        waiting[hang.operation] = hang.age_s
    yield labelled(
        "soak_hang_seconds",
        "Age of the oldest overdue operation in flight; 0 where there is none.",
        "operation",
        waiting.items(),
    )


def _records(snapshot: Snapshot) -> Iterator[Family]:
    records = snapshot.records
    tiers = {key[5:]: value for key, value in records.items() if key.startswith("tier_")}
    yield labelled(
        "soak_records",
        "Live records by tier; tier is all where the target has none.",
        "tier",
        (tiers or {"all": records.get("live", math.nan)}).items(),
    )
    for word in ("stored", "evicted", "deleted"):
        yield counter(f"soak_records_{word}_total", f"Records {word}.", records.get(word, math.nan))


def _resources(snapshot: Snapshot) -> Iterator[Family]:
    for column, name, kind, explanation in RESOURCES:
        value = snapshot.resources.get(column, math.nan)
        make = counter if kind == "counter" else gauge
        yield make(name, explanation, value)


def _open_ended(snapshot: Snapshot) -> Iterator[Family]:
    yield Family(
        name="soak_errors_total",
        kind="counter",
        help="Operations that the target failed, by class of error.",
        labels=("operation", "error_type"),
        samples={(operation, kind): n for (operation, kind), n in snapshot.errors.items()},
    )
    resources = snapshot.resources.items()
    yield labelled(
        "soak_target_reported",
        "What the target says of itself; the unit is the end of the figure's name.",
        "figure",
        ((key[len(REPORTED) :], value) for key, value in resources if key.startswith(REPORTED)),
    )
