"""Has so long passed? On the monotonic clock: what maintenance waits for costs time, not age."""

from engine.clock import Clock


class Period:
    """So many seconds, from its making or the last restart on."""

    def __init__(self, clock: Clock, length_s: float) -> None:
        self._clock = clock
        self._length_s = length_s
        self.restart()

    def restart(self) -> None:
        self._start_ns = self._clock.monotonic_ns()

    @property
    def is_over(self) -> bool:
        return self._clock.monotonic_ns() - self._start_ns >= self._length_s * 1e9
