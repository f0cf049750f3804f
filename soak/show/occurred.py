"""What happened to the target? Its maintenance and the run's other events as metrics."""

from collections.abc import Iterator

from soak.show.family import Family, moments
from soak.snapshot import Event, Snapshot

MAINTENANCE_KINDS = (
    "checkpoint",
    "compact",
    "consolidate",
    "demote",
    "emergency",
    "evict",
    "expire",
    "explicit",
    "recover",
)
MAINTENANCE_SOURCES = ("declared", "detected")


def occurred(snapshot: Snapshot) -> Iterator[Family]:
    """Counts and sums of maintenance, and when the latest event of each kind was."""
    yield from _maintenance(snapshot)
    others = (event for event in snapshot.events if not event.details.get("maintenance"))
    begun_s: dict[tuple[str, ...], float] = {(event.kind,): event.wall_time for event in others}
    yield from moments("soak_event", "When the latest event of a kind began", ("kind",), begun_s)


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
    yield from moments("soak_maintenance_last_start", "When the latest one began", labels, begun_s)
    yield from moments("soak_maintenance_last_end", "When the latest one ended", labels, ended_s)
    yield Family(
        name="soak_maintenance_last_reclaimed_bytes",
        kind="gauge",
        help="What the latest one gave back.",
        labels=labels,
        samples={key: float(e.details.get("bytes_reclaimed", 0)) for key, e in latest.items()},
    )
    yield Family(
        name="soak_maintenance_last_duration_seconds",
        kind="gauge",
        help="How long the latest one took.",
        labels=labels,
        samples={key: event.duration_s for key, event in latest.items()},
    )
    yield Family(
        name="soak_maintenance_last_pause_seconds",
        kind="gauge",
        help="The longest the latest one held callers up, in the target's own words.",
        labels=labels,
        samples={key: float(e.details.get("longest_pause_s", 0)) for key, e in latest.items()},
    )
    yield Family(
        name="soak_maintenance_last_records",
        kind="gauge",
        help="Records that the latest one dealt with.",
        labels=labels,
        samples={key: float(e.details.get("records", 0)) for key, e in latest.items()},
    )
