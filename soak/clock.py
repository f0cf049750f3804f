"""What time is it? The only file of the tester that asks the system.

SOAK_TIME_SCALE=60 lets a whole run, controller and worker, live sixty times faster: hours of the
tester's own life in minutes. Durations measured in it are sixty times too long as well, so it
tests the tester; it says nothing about a target's speed, and the report names it.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from soak.verdict import Mistake

NS_PER_S = 1_000_000_000

LARGEST_SCALE = 1e6
TIME_SCALE_TEXT = os.environ.get("SOAK_TIME_SCALE") or "1"


def _scale(text: str) -> float:
    """0 where the text is no scale; `require_scale` refuses it."""
    try:
        scale = float(text)
    except ValueError:
        return 0.0
    return scale if 0 < scale <= LARGEST_SCALE else 0.0


TIME_SCALE = _scale(TIME_SCALE_TEXT)


def require_scale() -> None:
    """Raises Mistake when SOAK_TIME_SCALE is no number that time can be scaled with."""
    if not TIME_SCALE:
        raise Mistake(
            f"SOAK_TIME_SCALE is {TIME_SCALE_TEXT!r}; it is a number above 0, at most "
            f"{LARGEST_SCALE:g}: how many times faster than life"
        )


def _scaled_monotonic_ns() -> int:
    return int(time.perf_counter_ns() * TIME_SCALE)


def _scaled_sleep_s(duration_s: float) -> None:
    time.sleep(duration_s / TIME_SCALE)


# The load loop calls this twice per operation: a bound name, no attribute look-ups. On Linux it
# reads CLOCK_MONOTONIC, which all processes of a machine share, so worker and controller agree.
monotonic_ns = time.perf_counter_ns if TIME_SCALE == 1 else _scaled_monotonic_ns
sleep_s = time.sleep if TIME_SCALE == 1 else _scaled_sleep_s
thread_cpu_ns = time.thread_time_ns
process_cpu_ns = time.process_time_ns


class Clock(Protocol):
    """Time as the tester sees it; injected, so that tests own it."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary moment, never going back; durations come from here."""
        ...

    def wall_s(self) -> float:
        """Seconds since 1970 in UTC; for people and for joining with other systems only."""
        ...

    def sleep_s(self, duration_s: float) -> None:
        """Wait; at least duration_s, later when the machine is busy."""
        ...


class SystemClock:
    """The machine's own clocks, TIME_SCALE times as fast."""

    def __init__(self) -> None:
        self._wall_s = time.time()
        self._origin_ns = monotonic_ns()

    def monotonic_ns(self) -> int:
        return monotonic_ns()

    def wall_s(self) -> float:
        if TIME_SCALE == 1:
            return time.time()
        return self._wall_s + (monotonic_ns() - self._origin_ns) / NS_PER_S

    def sleep_s(self, duration_s: float) -> None:
        sleep_s(max(0.0, duration_s))


def boot_id(path: Path = Path("/proc/sys/kernel/random/boot_id")) -> str:
    """Which start of this machine it is: monotonic times of another one mean nothing here."""
    return path.read_text().strip() if path.exists() else ""


def iso_utc(wall_s: float) -> str:
    """A wall time for people and files: 2026-03-01T12:00:00.000Z."""
    moment = datetime.fromtimestamp(wall_s, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
