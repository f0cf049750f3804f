"""Does this machine let a sleeping thread wake in time? A thread that only sleeps says how late.

What it sees is nobody's operation: the scheduler, the interpreter's lock, a stolen processor. It
tells a late tester from a slow target.
"""

import numpy as np

from soak.clock import NS_PER_S, TIME_SCALE, monotonic_ns, sleep_s
from soak.histogram import Histogram
from soak.load.client import Stop

# A real millisecond, however fast the run lives.
INTERVAL_S = 0.001 * TIME_SCALE
# A collection that nobody takes stops growing here: ten seconds' worth.
MOST_KEPT = 10_000


class HiccupMeter:
    """Sleeps a millisecond at a time; `take` gives the oversleeping since the start."""

    def __init__(self) -> None:
        self._late_ns: list[int] = []
        self._total = Histogram()

    def run(self, stop: Stop) -> None:
        """Until stop is asked; costs 1 to 2 percent of a core."""
        interval_ns = round(INTERVAL_S * NS_PER_S)
        while not stop.asked:
            late_ns = self._late_ns
            before_ns = monotonic_ns()
            sleep_s(INTERVAL_S)
            if len(late_ns) < MOST_KEPT:
                late_ns.append(monotonic_ns() - before_ns - interval_ns)

    def take(self) -> dict[str, float]:
        """count, p50_s, p99_s and max_s since the start; only the count when it is zero."""
        late_ns, self._late_ns = self._late_ns, []
        self._total.add(np.array(late_ns, dtype=np.int64))
        if not self._total.count:
            return {"count": 0}
        p50, p99 = self._total.quantiles_s((0.5, 0.99))
        return {
            "count": self._total.count,
            "p50_s": p50,
            "p99_s": p99,
            "max_s": self._total.max_ns / NS_PER_S,
        }
