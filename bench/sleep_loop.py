"""What does the usual pacing loop measure? Sleep until the next one, time from the actual send."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.stalling import STALL_S
from soak.clock import NS_PER_S, monotonic_ns, process_cpu_ns, sleep_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """start and took in ns, one entry per operation; due: when it should have been sent."""

    due_ns: NDArray[np.int64]
    start_ns: NDArray[np.int64]
    took_ns: NDArray[np.int64]
    cpu_ns: float


def run(rate_per_s: float, duration_s: float, stall_at: int = -1) -> Paced:
    """An operation that does nothing; the one numbered stall_at takes a second."""
    count = round(rate_per_s * duration_s)
    start_ns = np.zeros(count, dtype=np.int64)
    took_ns = np.zeros(count, dtype=np.int64)
    cpu_ns, begin_ns = process_cpu_ns(), monotonic_ns()
    next_s = begin_ns / NS_PER_S
    for n in range(count):
        next_s += 1 / rate_per_s
        sleep_s(max(0.0, next_s - monotonic_ns() / NS_PER_S))
        start_ns[n] = monotonic_ns()
        if n == stall_at:
            sleep_s(STALL_S)
        took_ns[n] = monotonic_ns() - start_ns[n]
    due_ns = begin_ns + (np.arange(1, count + 1) * (NS_PER_S / rate_per_s)).astype(np.int64)
    return Paced(
        due_ns=due_ns,
        start_ns=start_ns,
        took_ns=took_ns,
        cpu_ns=(process_cpu_ns() - cpu_ns) / count,
    )
