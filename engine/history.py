"""What has the engine done to itself lately, and what did it cost the others?"""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Literal

EventKind = Literal[
    "evict", "expire", "demote", "consolidate", "compact", "checkpoint", "emergency", "recover"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceEvent:
    """One run of one kind of maintenance.

    start_s          engine time (seconds since 1970)
    records          evicted, expired, demoted, merged, copied, covered or recovered
    bytes_reclaimed  of RAM (evict, expire, demote, consolidate) or disk (compact; recover: cut)
    longest_pause_s  the longest that readers were kept waiting by one step of it
    explicit         asked for by the caller, not by policy
    """

    sequence: int
    kind: EventKind
    start_s: float
    duration_s: float
    records: int
    bytes_reclaimed: int
    longest_pause_s: float
    explicit: bool


class History:
    """The last events, at most `kept`, and how many there were of each kind."""

    def __init__(self, kept: int) -> None:
        self._lock = threading.Lock()
        self._events: deque[MaintenanceEvent] = deque(maxlen=kept)
        self._sequence = 0
        self.counts: dict[str, int] = {}
        self.busy_s = 0.0
        self.reclaimed_bytes = 0

    def add(
        self,
        kind: EventKind,
        *,
        start_s: float,
        duration_s: float,
        records: int,
        bytes_reclaimed: int,
        longest_pause_s: float,
        explicit: bool,
    ) -> MaintenanceEvent:
        with self._lock:
            self._sequence += 1
            event = MaintenanceEvent(
                sequence=self._sequence,
                kind=kind,
                start_s=start_s,
                duration_s=duration_s,
                records=records,
                bytes_reclaimed=bytes_reclaimed,
                longest_pause_s=longest_pause_s,
                explicit=explicit,
            )
            self._events.append(event)
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.busy_s += duration_s
            self.reclaimed_bytes += bytes_reclaimed
        return event

    def after(self, sequence: int) -> list[MaintenanceEvent]:
        """Events with a higher sequence, oldest first."""
        with self._lock:
            return [event for event in self._events if event.sequence > sequence]
