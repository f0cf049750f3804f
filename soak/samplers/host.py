"""What did the machine do meanwhile? Pressure, stolen time, throttling, memory left, clock steps.

What this kernel does not offer (pressure before 4.20, control groups in a bare system) is left
out. Figures that are differences are missing in the first sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from soak.samplers._limits import (
    CGROUP,
    PROC,
    cpu_limit,
    group_folders,
    memory_limit_bytes,
    parse_groups,
    parse_table,
)
from soak.samplers.process import TICKS_PER_S
from soak.seams import SampleError, Sampler, Subject

PRESSURES = ("cpu", "memory", "io")
IDLE_FIELDS = (3, 4)
STEAL_FIELD = 7  # of the cpu line: user nice system idle iowait irq softirq steal
KIB = 1024


def parse_pressure(text: str) -> float:
    """Share of the last ten seconds in which some task waited; `some avg10=1.50 ...` is 0.015."""
    for line in text.splitlines():
        words = line.split()
        if words and words[0] == "some":
            fields = dict(word.split("=", 1) for word in words[1:])
            return float(fields["avg10"]) / 100
    raise ValueError("no line begins with some")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """Ticks since boot, summed over all CPUs. busy: neither idle, waiting for a disk nor stolen."""

    stolen: int
    busy: int
    all: int
    cpus: int


def parse_cpu(text: str) -> Cpu:
    """The first lines of /proc/stat.

    guest and guest_nice are counted in user and nice already, so they are left out.
    """
    lines = text.splitlines()
    ticks = [int(word) for word in lines[0].split()[1 : STEAL_FIELD + 2]]
    stolen = ticks[STEAL_FIELD]
    return Cpu(
        stolen=stolen,
        busy=sum(ticks) - stolen - sum(ticks[field] for field in IDLE_FIELDS),
        all=sum(ticks),
        cpus=sum(line.startswith("cpu") for line in lines) - 1,
    )


def parse_available(text: str) -> float:
    """Bytes that can be had without swapping, from /proc/meminfo."""
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return float(rest.split()[0]) * KIB
    raise ValueError("no MemAvailable")


def throttled_s(table: Mapping[str, int]) -> float | None:
    """Seconds for which a group's tasks were held back, from cpu.stat of either version."""
    if "throttled_usec" in table:
        return table["throttled_usec"] / 1e6
    if "throttled_time" in table:
        return table["throttled_time"] / 1e9
    return None


class HostSampler:
    """Keeps the last clock and CPU readings, for differences."""

    def __init__(self, subject: Subject, proc: Path, cgroup: Path) -> None:
        self._clock = subject.clock
        self._proc = proc
        self._cgroup = cgroup
        self._offset_s: float | None = None
        self._cpu: Cpu | None = None
        listing = proc / "self" / "cgroup"
        self._groups = parse_groups(listing.read_text()) if listing.exists() else {}

    def sample(self) -> Mapping[str, float]:
        row = self._clock_step()
        try:
            row |= self._cpus()
            row["host_load_1m"] = float(self._read("loadavg").split()[0])
            row["host_available_bytes"] = parse_available(self._read("meminfo"))
        except (OSError, ValueError, IndexError) as error:
            raise SampleError(f"{self._proc} cannot be read: {error}") from error
        row["host_limit_bytes"] = memory_limit_bytes("self", self._proc, self._cgroup)
        row["host_limit_cpus"] = min(row["host_cpus"], cpu_limit(self._groups, self._cgroup))
        return row | self._pressure() | self._throttled()

    def _clock_step(self) -> dict[str, float]:
        """How far wall time moved against monotonic time since the last sample."""
        offset_s = self._clock.wall_s() - self._clock.monotonic_ns() / 1e9
        before_s, self._offset_s = self._offset_s, offset_s
        return {} if before_s is None else {"host_clock_step_s_max": abs(offset_s - before_s)}

    def _cpus(self) -> dict[str, float]:
        now = parse_cpu(self._read("stat"))
        before, self._cpu = self._cpu, now
        row = {"host_busy_s": now.busy / TICKS_PER_S, "host_cpus": float(now.cpus)}
        if before is not None and now.all > before.all:
            row["host_steal_ratio"] = (now.stolen - before.stolen) / (now.all - before.all)
        return row

    def _pressure(self) -> dict[str, float]:
        row = {}
        for kind in PRESSURES:
            try:
                text = self._read(f"pressure/{kind}")
            except OSError:
                # No such file, or a kernel booted with psi=0, which refuses the read.
                continue
            row[f"host_{kind}_pressure_ratio"] = parse_pressure(text)
        return row

    def _throttled(self) -> dict[str, float]:
        for folder in group_folders(self._groups, "cpu", self._cgroup):
            path = folder / "cpu.stat"
            if not path.exists():
                continue
            held_back_s = throttled_s(parse_table(path.read_text()))
            if held_back_s is not None:
                return {"host_throttled_s": held_back_s}
        return {}

    def _read(self, name: str) -> str:
        return (self._proc / name).read_text()


def build(subject: Subject, proc: Path = PROC, cgroup: Path = CGROUP) -> Sampler:
    """The sampler of the machine. proc, cgroup: where those file systems are."""
    return HostSampler(subject, proc, cgroup)
