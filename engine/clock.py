"""What time is it, for decay and for durations? The only file of the engine that reads a clock."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# A time zone mistaken, and then some.
_AHEAD_MAX_S = 86_400.0
# 2023. A wall clock that says less has lost its battery and knows nothing.
_RIGHT_FROM_S = 1_672_531_200.0


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
    nor evict everything at once, so only its reading at open counts. Nor does time run backwards
    across a reopen: it starts at the latest time in the files that is credible, which is at most a
    day ahead of the wall clock. Beyond that, the wall clock was wrong when it was written, and must
    not be so for ever.

    found_s: the times in the files, arrays of any shape. recorded_s: the engine's own time when it
    was last saved, and lead_s: how much of it was won by ages that pass faster than durations; by
    as much more it may be ahead.
    """

    def __init__(
        self,
        source: Clock,
        found_s: Sequence[Floats] = (),
        recorded_s: float = 0.0,
        lead_s: float = 0.0,
    ) -> None:
        self._source = source
        # A clock of somebody's own may not know it: ages pass as fast as durations then.
        self._aging_ns: Callable[[], int] = getattr(source, "aging_ns", source.monotonic_ns)
        self._start_ns = self._aging_ns()
        self._opened_ns = source.monotonic_ns()
        wall_s = source.now_s()
        likely_s = max(wall_s, recorded_s) if wall_s < _RIGHT_FROM_S else wall_s
        credible_s = likely_s + lead_s + _AHEAD_MAX_S
        found = [*found_s, np.array([recorded_s])]
        latest_s = [float(times[times <= credible_s].max(initial=likely_s)) for times in found]
        self._start_s = max(latest_s)
        self._lead_s = lead_s

    def now_s(self) -> float:
        return self._start_s + (self._aging_ns() - self._start_ns) / 1e9

    @property
    def lead_s(self) -> float:
        """How much further now_s is than durations add up to, in whole seconds."""
        aged_ns = self._aging_ns() - self._start_ns
        passed_ns = self._source.monotonic_ns() - self._opened_ns
        return float(round(self._lead_s + max(aged_ns - passed_ns, 0) / 1e9))

    def monotonic_ns(self) -> int:
        return self._source.monotonic_ns()

    def aging_ns(self) -> int:
        return self._aging_ns()

    def sleep(self, seconds: float) -> None:
        self._source.sleep(seconds)
