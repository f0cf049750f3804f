"""What time is it, for decay and for durations? The only file of the engine that reads a clock."""

import time
from typing import Protocol


class Clock(Protocol):
    """Time as the engine sees it; tests inject one that they move by hand."""

    def now_s(self) -> float:
        """Seconds since 1970: creation times, decay, expiry."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back: durations."""
        ...

    def aging_ns(self) -> int:
        """Nanoseconds that never go back: ages. As fast as durations, but where somebody wants to
        see months of forgetting in an hour."""
        ...

    def sleep(self, seconds: float) -> None:
        """Yield to other threads for about this long."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_s(self) -> float:
        return time.time()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def aging_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class SteadyClock:
    """Engine time: starts at the wall clock, then advances with the monotonic one.

    A wall clock set back an hour or forward a month while we run must neither make ages negative
    nor evict everything at once, so only its reading at open counts. `no_earlier_than_s` is the
    newest time found in the files: time does not run backwards across a reopen either.
    """

    def __init__(self, source: Clock, no_earlier_than_s: float = 0.0) -> None:
        self._source = source
        self._start_ns = source.aging_ns()
        self._start_s = max(source.now_s(), no_earlier_than_s)

    def now_s(self) -> float:
        return self._start_s + (self._source.aging_ns() - self._start_ns) / 1e9

    def monotonic_ns(self) -> int:
        return self._source.monotonic_ns()

    def aging_ns(self) -> int:
        return self._source.aging_ns()

    def sleep(self, seconds: float) -> None:
        self._source.sleep(seconds)
