"""Which promises were broken, how often, by what? All counts, the latest 1,000 in words."""

from collections import deque
from dataclasses import dataclass
from threading import Lock

from soak.result import VIOLATIONS, Violation

NOTES = 1000


@dataclass(frozen=True, slots=True)
class Note:
    """One broken promise. start_ns: when the operation that showed it started."""

    violation: Violation
    operation: str
    key: int
    start_ns: int
    note: str


class BrokenPromises:
    """Written by all client threads, drained by the telemetry thread."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(VIOLATIONS, 0)
        self._notes: deque[Note] = deque(maxlen=NOTES)
        self._lock = Lock()

    def add(self, note: Note) -> None:
        with self._lock:
            self.counts[note.violation] += 1
            self._notes.append(note)

    def drain(self) -> list[Note]:
        """What was added since the last call, oldest first."""
        with self._lock:
            notes = list(self._notes)
            self._notes.clear()
        return notes
