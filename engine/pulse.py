"""Are operations as fast and as sound as they were at first?"""

import threading
from collections import deque
from types import TracebackType

from engine.errors import CapacityError, CorruptError, DurabilityError

_KEPT = 256
_FAILURES = (CapacityError, CorruptError, DurabilityError, OSError)


class Pulse:
    """Durations of the first and the last 256 searches, outcomes of the last 256 operations."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first_ns: list[int] = []
        self._last_ns: deque[int] = deque(maxlen=_KEPT)
        self._failed: deque[bool] = deque(maxlen=_KEPT)

    def searched(self, duration_ns: int) -> None:
        with self._lock:
            if len(self._first_ns) < _KEPT:
                self._first_ns.append(duration_ns)
            self._last_ns.append(duration_ns)

    def __enter__(self) -> None:
        """`with pulse:` counts what is inside as failed when it ends in an error that is ours."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, _FAILURES):
            self._failed.append(kind is not None)

    def slowdown_ratio(self) -> float:
        """Median of the last searches over that of the first; 1 until there are enough."""
        with self._lock:
            if len(self._first_ns) < _KEPT:
                return 1.0
            first, last = sorted(self._first_ns), sorted(self._last_ns)
        return last[len(last) // 2] / max(first[len(first) // 2], 1)

    def error_ratio(self) -> float:
        outcomes = list(self._failed)
        return sum(outcomes) / len(outcomes) if outcomes else 0.0
