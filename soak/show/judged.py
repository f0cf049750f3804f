"""How does the run stand? Verdicts, health, leaks and quality as metrics."""

import math
from collections.abc import Iterator

from soak.result import VIOLATIONS
from soak.show.family import Family, counter, gauge, labelled, moments
from soak.snapshot import Snapshot
from soak.verdict import Status, Verdict

LEAK_FIGURES = (
    ("bytes_per_s", "soak_leak_bytes_per_second", "Growth of the resource's floor."),
    ("low_bytes_per_s", "soak_leak_bytes_per_second_low", "Lower bound of that growth."),
    ("high_bytes_per_s", "soak_leak_bytes_per_second_high", "Upper bound of that growth."),
    ("bytes_per_operation", "soak_leak_bytes_per_operation", "Growth per operation issued."),
    ("evidence", "soak_leak_evidence", "How sure the leak detector is, 0 to 1."),
    ("exhaustion_s", "soak_leak_exhaustion_seconds", "Time until the limit at this growth."),
)


def judged(snapshot: Snapshot) -> Iterator[Family]:
    """Everything that is an opinion."""
    yield from _checks(snapshot)
    yield from _judgement(snapshot)
    yield from _quality(snapshot)
    yield from _leaks(snapshot)


def _checks(snapshot: Snapshot) -> Iterator[Family]:
    """Each check's status, what it measured, its bound, and since when it is broken."""
    verdicts = snapshot.verdicts
    yield Family(
        name="soak_verdict_status",
        kind="gauge",
        help="1 for the current status of a check.",
        labels=("check", "status"),
        samples={
            (verdict.check, str(status)): float(verdict.status is status)
            for verdict in verdicts
            for status in Status
        },
    )
    yield _figures("soak_check_effect", "What a check measured, in its unit.", _effects(verdicts))
    bounds: dict[tuple[str, ...], float] = {
        (v.check, v.unit): v.threshold for v in verdicts if v.threshold is not None
    }
    yield _figures("soak_check_threshold", "What a check allows, in its unit.", bounds)
    broken: dict[tuple[str, ...], float] = {
        (verdict.check, verdict.detector): snapshot.identity.started + verdict.since_s
        for verdict in verdicts
        if verdict.status is Status.FAIL and verdict.since_s is not None
    }
    labels = ("check", "detector")
    yield from moments("soak_check_broken", "Since when a check fails", labels, broken)


def _effects(verdicts: tuple[Verdict, ...]) -> dict[tuple[str, ...], float]:
    return {(v.check, v.unit): v.effect for v in verdicts if v.effect is not None}


def _figures(name: str, explanation: str, samples: dict[tuple[str, ...], float]) -> Family:
    return Family(
        name=name, kind="gauge", help=explanation, labels=("check", "unit"), samples=samples
    )


def _judgement(snapshot: Snapshot) -> Iterator[Family]:
    health = {key: value for key, value in snapshot.health.items() if key != "score"}
    yield gauge(
        "soak_health_ratio", "Health of the target, 0 to 1.", snapshot.health.get("score", math.nan)
    )
    yield labelled(
        "soak_health_component_ratio", "What health consists of.", "component", health.items()
    )
    yield gauge(
        "soak_health_reported_ratio",
        "Health as the target itself reports it; no part of soak_health_ratio.",
        snapshot.health_reported,
    )
    yield labelled(
        "soak_run_verdict_status",
        "1 for the current verdict on the whole run.",
        "status",
        ((str(status), snapshot.verdict.status is status) for status in Status),
    )
    yield gauge(
        "soak_certificate_trusted",
        "1 while this run can be trusted.",
        float(snapshot.certificate.trusted),
    )
    yield labelled(
        "soak_sampler_success",
        "1 where the last reading worked.",
        "sampler",
        snapshot.sampler_success.items(),
    )


def _quality(snapshot: Snapshot) -> Iterator[Family]:
    yield labelled(
        "soak_recall_ratio",
        "Share of the true k nearest records that searches return now.",
        "k",
        [(str(snapshot.recall.k), snapshot.recall.last)],
    )
    yield counter(
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
    yield gauge(
        "soak_eviction_inversion_ratio",
        "Chance that a forgotten record mattered more than a kept one; 0.5 is blind chance.",
        snapshot.eviction.get("inversion_ratio", math.nan),
    )
    survival = {k: v for k, v in snapshot.eviction.items() if k.startswith("survival_")}
    yield labelled(
        "soak_eviction_survival_ratio",
        "Share of reads of records that may be forgotten that find theirs, by its importance.",
        "importance",
        (
            (key.removeprefix("survival_").removesuffix("_ratio").replace("_", " "), value)
            for key, value in survival.items()
        ),
    )


def _leaks(snapshot: Snapshot) -> Iterator[Family]:
    for key, name, explanation in LEAK_FIGURES:
        found = ((str(leak.get("resource")), leak.get(key)) for leak in snapshot.leaks)
        figures = [(resource, value) for resource, value in found if isinstance(value, float | int)]
        yield labelled(name, explanation, "resource", figures)
