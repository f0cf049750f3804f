"""Does this machine let a sleeping thread wake in time? A thread that only sleeps says how late.

What it sees is nobody's operation: the scheduler, the interpreter's lock, a stolen processor. It
tells a late tester from a slow target.
"""

import numpy as np

from soak.clock import NS_PER_S, monotonic_ns, sleep_s
from soak.load.client import Stop

INTERVAL_S = 0.001
# A collection that nobody takes stops growing here: ten seconds' worth.
MOST_KEPT = 10_000


class HiccupMeter:
    """Sleeps a millisecond at a time; `take` gives the oversleeping since the last call."""

    def __init__(self) -> None:
        self._late_ns: list[int] = []

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
        """count, p50_s, p99_s and max_s since the last call; only the count when it is zero."""
        late_ns, self._late_ns = self._late_ns, []
        if not late_ns:
            return {"count": 0}
        p50, p99, worst = np.quantile(np.array(late_ns), (0.5, 0.99, 1.0)) / NS_PER_S
        return {
            "count": len(late_ns),
            "p50_s": float(p50),
            "p99_s": float(p99),
            "max_s": float(worst),
        }
