"""What did maintenance do? Which runs were declared, seen from outside, or both; gain and cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from soak.report.folding import longest_s, runs_of
from soak.snapshot import Event

# Sampling is once a second and an event's onset is dated to the sample after it.
TOLERANCE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How well outside detection and the target's own words agree.

    precision: share of detected runs that something declared explains; recall: share of declared
    runs that were detected. None where the denominator is zero.
    """

    detected: int
    declared: int
    matched: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """All runs of one kind from one source, summed; longest_pause_s is the worst of them."""

    kind: str
    source: str
    count: int
    first_s: float
    last_s: float
    duration_s: float
    longest_s: float
    records: float
    bytes_reclaimed: float
    longest_pause_s: float


def maintenance_of(events: Iterable[Event]) -> list[Event]:
    """The events that are maintenance of the target, oldest first."""
    found = [event for event in events if event.details.get("maintenance")]
    return sorted(found, key=lambda event: event.time_s)


def match(events: Iterable[Event], tolerance_s: float = TOLERANCE_S) -> Match:
    """Pair maintenance seen from outside with declared maintenance that overlaps it in time.

    Kinds are not compared, because from outside a compaction and a snapshot can look alike. One
    detected event may explain several declared ones (a burst of small runs looks like one).
    """
    runs = maintenance_of(events)
    declared = [event for event in runs if event.source == "declared"]
    detected = [event for event in runs if event.source == "detected"]
    explained = _count_overlapping(detected, declared, tolerance_s)
    found = _count_overlapping(declared, detected, tolerance_s)
    return Match(
        detected=len(detected),
        declared=len(declared),
        matched=found,
        precision=explained / len(detected) if detected and declared else None,
        recall=found / len(declared) if declared else None,
    )


def entries(events: Iterable[Event]) -> list[Entry]:
    """One entry per kind and source, the most frequent first."""
    groups: dict[tuple[str, str], list[Event]] = {}
    for event in maintenance_of(events):
        groups.setdefault((event.kind, event.source), []).append(event)
    rows = [_entry(kind, source, runs) for (kind, source), runs in groups.items()]
    return sorted(rows, key=lambda row: (-row.count, row.kind, row.source))


def _entry(kind: str, source: str, runs: Sequence[Event]) -> Entry:
    return Entry(
        kind=kind,
        source=source,
        count=sum(runs_of(event) for event in runs),
        first_s=runs[0].time_s,
        last_s=runs[-1].time_s,
        duration_s=sum(event.duration_s for event in runs),
        longest_s=max(longest_s(event) for event in runs),
        records=sum(_figure(event.details, "records") for event in runs),
        bytes_reclaimed=sum(_figure(event.details, "bytes_reclaimed") for event in runs),
        longest_pause_s=max(_figure(event.details, "longest_pause_s") for event in runs),
    )


def _count_overlapping(events: Sequence[Event], others: Sequence[Event], tolerance_s: float) -> int:
    """How many of events overlap at least one of others; both are ordered by time. O(n + m)."""
    count = 0
    reach_s = float("-inf")  # the latest end among others that begin before this event ends
    upcoming = iter(others)
    other = next(upcoming, None)
    for event in sorted(events, key=_end_s):
        while other is not None and other.time_s <= _end_s(event) + tolerance_s:
            reach_s = max(reach_s, _end_s(other))
            other = next(upcoming, None)
        count += reach_s >= event.time_s - tolerance_s
    return count


def _end_s(event: Event) -> float:
    return event.time_s + event.duration_s


def _figure(details: Mapping[str, float | int | str | bool], name: str) -> float:
    value = details.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0
