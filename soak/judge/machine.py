"""What did the machine do to tester and target? Means and rates out of the samples."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from soak.seams import Floats
from soak.snapshot import NAN

# What `machine_of` reads.
MACHINE_COLUMNS = (
    *("t_s", "tester_resident_bytes", "tester_cpu_s", "cpu_s", "cpu_wait_s"),
    *("host_steal_ratio", "host_cpu_pressure_ratio", "host_memory_pressure_ratio"),
    *("host_throttled_s", "host_clock_step_s_max", "host_busy_s", "host_cpus"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Tester and host over the run, as sampled; nan where nothing was read."""

    tester_rss_bytes: float = NAN
    tester_cpu_ratio: float = NAN
    steal_ratio: float = NAN
    cpu_pressure_ratio: float = NAN
    memory_pressure_ratio: float = NAN
    throttled_ratio: float = NAN
    starved_ratio: float = NAN
    foreign_ratio: float = NAN
    clock_step_s: float = NAN


def machine_of(columns: Mapping[str, Floats]) -> Machine:
    """Tester and host figures out of the series' columns."""
    return Machine(
        tester_rss_bytes=_last(columns, "tester_resident_bytes"),
        tester_cpu_ratio=_rate(columns, "tester_cpu_s"),
        steal_ratio=_mean(columns, "host_steal_ratio"),
        cpu_pressure_ratio=_mean(columns, "host_cpu_pressure_ratio"),
        memory_pressure_ratio=_mean(columns, "host_memory_pressure_ratio"),
        throttled_ratio=_rate(columns, "host_throttled_s"),
        starved_ratio=_share(_rate(columns, "cpu_wait_s"), _rate(columns, "cpu_s")),
        foreign_ratio=_foreign_ratio(columns),
        clock_step_s=_largest(columns, "host_clock_step_s_max"),
    )


def _present(columns: Mapping[str, Floats], name: str) -> Floats:
    column = columns.get(name, np.empty(0))
    return column[~np.isnan(column)]


def _mean(columns: Mapping[str, Floats], name: str) -> float:
    seen = _present(columns, name)
    return float(seen.mean()) if seen.size else math.nan


def _last(columns: Mapping[str, Floats], name: str) -> float:
    seen = _present(columns, name)
    return float(seen[-1]) if seen.size else math.nan


def _largest(columns: Mapping[str, Floats], name: str) -> float:
    seen = _present(columns, name)
    return float(seen.max()) if seen.size else math.nan


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else math.nan


def _foreign_ratio(columns: Mapping[str, Floats]) -> float:
    """Of all CPUs, what neither target nor tester used."""
    busy = _rate(columns, "host_busy_s")
    own = _rate(columns, "cpu_s") + _rate(columns, "tester_cpu_s")
    return max(0.0, busy - own) / _last(columns, "host_cpus")


def _rate(columns: Mapping[str, Floats], name: str) -> float:
    """How fast a cumulative column rose over the run, per second."""
    if name not in columns:
        return math.nan
    is_seen = ~np.isnan(columns[name])
    t_s, value = columns["t_s"][is_seen], columns[name][is_seen]
    return float((value[-1] - value[0]) / (t_s[-1] - t_s[0])) if t_s.size >= 2 else math.nan
