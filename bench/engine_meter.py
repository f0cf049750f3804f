"""What did it cost this process: CPU, wall time, private memory, disk?

CPU is of all threads of the process; none of the systems measured here starts servers.
"""

import ctypes
import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Figures = dict[str, float]
_QUIET_WINDOW_S = 0.5
_QUIET_WINDOWS = 3
_QUIET_CPU_S = 0.01


def cost(
    work: Callable[[T], object], arguments: Iterable[T], *, limit_s: float, block: int = 1
) -> Figures:
    """What one call costs, in µs: medians over blocks of that many calls, p99 over blocks.

    Stops after limit_s of wall time, so count says how many calls there were. The median keeps
    out what background threads do now and then; the mean has it.
    """
    cpu: list[float] = []
    wall: list[float] = []
    listed = list(arguments)
    end_ns = time.perf_counter_ns() + int(limit_s * 1e9)
    for first in range(0, len(listed), block):
        these = listed[first : first + block]
        start_ns, start_cpu_ns = time.perf_counter_ns(), time.process_time_ns()
        for argument in these:
            work(argument)
        now_cpu_ns, now_ns = time.process_time_ns(), time.perf_counter_ns()
        cpu.append((now_cpu_ns - start_cpu_ns) / len(these) / 1e3)
        wall.append((now_ns - start_ns) / len(these) / 1e3)
        if now_ns > end_ns:
            break
    return {
        "count": float(min(len(cpu) * block, len(listed))),
        "cpu_us": float(np.median(cpu)),
        "cpu_us_mean": float(np.mean(cpu)),
        "wall_us": float(np.median(wall)),
        "wall_us_p99": float(np.quantile(wall, 0.99)),
    }


def once(work: Callable[[], object]) -> Figures:
    """CPU and wall seconds of one call."""
    start_ns, start_cpu_ns = time.perf_counter_ns(), time.process_time_ns()
    work()
    return {
        "cpu_s": (time.process_time_ns() - start_cpu_ns) / 1e9,
        "wall_s": (time.perf_counter_ns() - start_ns) / 1e9,
    }


def quiet(limit_s: float) -> Figures:
    """Wait until this process is idle, at most limit_s; how long it took, and the CPU meanwhile.

    Idle is three windows in a row: background work that waits for the disk is not done. What it
    does for what came before must not be charged to what comes next, and is shown.
    """
    start_s, start_cpu_s = time.monotonic(), time.process_time()
    idle = 0
    while idle < _QUIET_WINDOWS and time.monotonic() < start_s + limit_s:
        before_s = time.process_time()
        time.sleep(_QUIET_WINDOW_S)
        idle = idle + 1 if time.process_time() - before_s < _QUIET_CPU_S else 0
    return {"wall_s": time.monotonic() - start_s, "cpu_s": time.process_time() - start_cpu_s}


def private_bytes() -> int:
    """RssAnon: what this process alone holds. Mapped files are not memory held."""
    return _status_bytes("RssAnon")


def resident_bytes() -> int:
    """VmRSS, mapped libraries included."""
    return _status_bytes("VmRSS")


def _status_bytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status has no {name}")


def give_back() -> None:
    """Let the allocator return free pages: what it keeps is no leak of a peer."""
    ctypes.CDLL(None).malloc_trim(0)


def disk_bytes(directory: Path) -> int:
    """Bytes taken on the disk; files that vanish meanwhile count as gone."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def warm(directory: Path) -> None:
    """Read all files once: a machine that takes back pages nobody used for a while would else
    charge one system's reads with the disk, and another's not."""
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                (Path(folder) / name).read_bytes()
            except FileNotFoundError:
                continue


def machine() -> dict[str, str]:
    """Where and when the figures were taken."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
