"""When may the load come, where two runs take turns? In every second stretch of time.

    clock     |  turn  |  turn  |  turn  |  turn  |     stretches of the machine's monotonic clock
    first     |########|        |########|        |     begins at an even one
    second    |        |########|        |########|     begins at an odd one

Both begin at a boundary of the same clock, so they need not know of each other. What is drawn is
drawn as ever and only then moved, so both get the same operations.
"""

from dataclasses import dataclass

import numpy as np

from soak.clock import NS_PER_S, Clock
from soak.scenario import Turns
from soak.seams import Arrivals, Floats

LEAD_S = 0.25  # from ready to time zero: every client is at its first slot by then


def beginning(turns: Turns | None, clock: Clock) -> tuple[int, float]:
    """When a run that is ready begins, on the monotonic clock in ns and since 1970 in s: at once,
    or where its next turn does."""
    now_ns, wall_s = clock.monotonic_ns(), clock.wall_s()
    wait_ns = round(LEAD_S * NS_PER_S)
    if turns is not None:
        every_ns = round(turns.every * NS_PER_S)
        offset_ns = every_ns if turns.is_second else 0
        wait_ns += (offset_ns - now_ns - wait_ns) % (2 * every_ns)
    return now_ns + wait_ns, wall_s + wait_ns / NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class InTurns:
    """Arrivals of a phase that begins with a turn; those of `drawn` come in turns alone.

    drawn: as they would be if time stood still while it is the other's turn.
    """

    drawn: Arrivals
    every_s: float
    is_open: bool = True

    def due(self, start_s: float, count: int, rng: np.random.Generator) -> Floats:
        drawn_s = self.drawn.due(self._worked_s(start_s), count, rng)
        return drawn_s + np.floor(drawn_s / self.every_s) * self.every_s

    def expected_rate(self, at_s: float) -> float:
        """Over a turn of each, since figures are told for both together."""
        return self.drawn.expected_rate(self._worked_s(at_s)) / 2

    def _worked_s(self, at_s: float) -> float:
        turns, rest_s = divmod(at_s, 2 * self.every_s)
        return turns * self.every_s + min(rest_s, self.every_s)
