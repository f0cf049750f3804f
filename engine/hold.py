"""For how long did a step of maintenance keep readers waiting?"""

from types import TracebackType

from engine.clock import Clock
from engine.live import Live


class Hold:
    """The state lock, timed: `with hold:`. Only one thread at a time maintains."""

    def __init__(self, live: Live, clock: Clock) -> None:
        self._lock = live.lock
        self._clock = clock
        self._start_ns = 0
        self._longest_ns = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._start_ns = self._clock.monotonic_ns()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._longest_ns = max(self._longest_ns, self._clock.monotonic_ns() - self._start_ns)
        self._lock.release()

    def longest_ns(self) -> int:
        """Since the last question."""
        longest, self._longest_ns = self._longest_ns, 0
        return longest
