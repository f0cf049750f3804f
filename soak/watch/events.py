"""What happened when? Every event of a run: into events.jsonl, and the latest ones in memory."""

from collections import Counter, deque
from collections.abc import Mapping

from soak.clock import NS_PER_S
from soak.rundir import LineLog
from soak.snapshot import Event, Source
from soak.state import Tree, put_back

KEPT = 300

Details = Mapping[str, float | int | str | bool]


class EventLog:
    """Append-only; memory is bounded by KEPT events whatever the run's length."""

    def __init__(self, log: LineLog) -> None:
        self._log = log
        self.origin_ns = 0
        self._wall_s = 0.0
        self.latest: deque[Event] = deque(maxlen=KEPT)
        # (kind, source) of maintenance; the kinds are the target's own few words.
        self.maintenance: Counter[tuple[str, str]] = Counter()

    def begin(self, origin_ns: int, wall_s: float) -> None:
        """Fix time zero: the same moment on the monotonic and on the wall clock."""
        self.origin_ns = origin_ns
        self._wall_s = wall_s

    def wall_time(self, time_s: float) -> float:
        """Seconds since 1970 of a moment that many seconds after time zero."""
        return self._wall_s + time_s

    def add(
        self,
        kind: str,
        source: Source,
        at_ns: int,
        duration_s: float = 0.0,
        details: Details | None = None,
    ) -> Event:
        time_s = (at_ns - self.origin_ns) / NS_PER_S
        event = Event(
            time_s=time_s,
            wall_time=self.wall_time(time_s),
            kind=kind,
            source=source,
            duration_s=duration_s,
            details=details or {},
        )
        self.latest.append(event)
        self._log.append_json(
            {
                "time_s": event.time_s,
                "wall_time": event.wall_time,
                "kind": event.kind,
                "source": event.source,
                "duration_s": event.duration_s,
                **event.details,
            }
        )
        return event

    def state(self) -> Tree:
        return {"latest": self.latest.copy(), "maintenance": self.maintenance.copy()}

    def restore(self, tree: Tree) -> None:
        put_back(self, tree)

    def add_maintenance(self, kind: str, source: Source, at_ns: int, details: Details) -> Event:
        """A maintenance run of the target; `details` has duration_s, records, bytes_reclaimed."""
        self.maintenance[kind, source] += 1
        rest = {k: v for k, v in details.items() if k != "duration_s"}
        duration_s = float(details.get("duration_s", 0.0))
        return self.add(kind, source, at_ns, duration_s, {"maintenance": True, **rest})
