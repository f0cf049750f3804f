"""How long does an end wait? Long where the run is over, briefly where somebody asked for it.

Whoever sends SIGTERM kills after a while, so from the signal to the report 20 s must be enough:

    operations in flight   4 s, none where all clients have hung for longer already
    the target closes      6 s, then it is killed with all that it started
    verdict and report     the rest
"""

from dataclasses import dataclass

import numpy as np

from soak.clock import NS_PER_S
from soak.load.ring import Ring
from soak.scenario import Target


@dataclass(slots=True)
class StopRequest:
    """Written by a signal handler, read by the loop. 0: nobody asked."""

    signal_number: int = 0

    def closing_s(self) -> float:
        """How long the target may take to close."""
        return 6.0 if self.signal_number else 15.0

    def is_waited_for(self, ring: Ring, target: Target, began_ns: int, now_ns: int) -> bool:
        """Whether operations in flight may still be answered. began_ns: when the load ended."""
        grace_s = min(4.0 if self.signal_number else 10.0, target.timeout)
        if now_ns - began_ns >= grace_s * NS_PER_S:
            return False
        return not self.signal_number or _hanging_count(ring, now_ns, grace_s) < target.clients


def _hanging_count(ring: Ring, now_ns: int, hung_s: float) -> int:
    """How many operations have been in flight for so long."""
    tag, _, _, start_ns, end_ns, _ = ring.columns(ring.folded, ring.scheduled)
    is_in_flight = (tag >= 0) & (start_ns != 0) & (end_ns == 0)
    return int(np.count_nonzero(is_in_flight & (np.abs(start_ns) <= now_ns - hung_s * NS_PER_S)))
