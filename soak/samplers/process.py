"""How much do the target's processes hold and use? Memory, files, threads, CPU, I/O; from /proc.

Figures are sums over the target's processes and all their descendants. Where the kernel keeps a
file from us (another user's process), its columns are missing, never replaced by others of the
same name: `anonymous_bytes` is the exact sum of smaps_rollup, `anonymous_counted_bytes` the
kernel's running counter in status, which lags by up to 64 pages per thread and CPU.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from soak.clock import NS_PER_S, thread_cpu_ns
from soak.seams import SampleError, Sampler, Subject

KIB = 1024
PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
MAX_PROCESSES = 1024

# smaps_rollup walks the page table, 13 ms per GiB of small pages (0.3 ms per GiB of huge ones), and
# the target's mmap calls may wait meanwhile. So it gets one percent of the time at most: a target
# of several GiB is read exactly every few seconds, and its columns are missing in between.
EXACT_SHARE = 0.01

# Column to the fields of smaps_rollup that add up to it. uss_bytes: what no other process shares.
EXACT: Mapping[str, tuple[str, ...]] = {
    "resident_bytes": ("Rss",),
    "proportional_bytes": ("Pss",),
    "uss_bytes": ("Private_Clean", "Private_Dirty", "Private_Hugetlb"),
    "anonymous_bytes": ("Anonymous",),
    "swapped_bytes": ("Swap",),
}
COUNTED: Mapping[str, tuple[str, ...]] = {
    "resident_counted_bytes": ("VmRSS",),
    "anonymous_counted_bytes": ("RssAnon",),
    "swapped_bytes": ("VmSwap",),
}
IO: Mapping[str, str] = {"read_bytes": "read_bytes", "written_bytes": "write_bytes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """What one line of /proc/<pid>/stat tells. cpu_s includes children that have ended."""

    state: str
    parent: int
    started_ticks: int
    cpu_s: float
    threads: int
    faults_minor: int
    faults_major: int


def parse_stat(text: str) -> Stat:
    """Fields by their numbers in proc_pid_stat(5); the name in brackets may hold anything."""
    fields = text[text.rindex(")") + 2 :].split()
    at = {number: fields[number - 3] for number in (3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 20, 22)}
    ticks = sum(int(at[number]) for number in (14, 15, 16, 17))
    return Stat(
        state=at[3],
        parent=int(at[4]),
        started_ticks=int(at[22]),
        cpu_s=ticks / TICKS_PER_S,
        threads=int(at[20]),
        faults_minor=int(at[10]) + int(at[11]),
        faults_major=int(at[12]) + int(at[13]),
    )


def parse_fields(text: str) -> dict[str, int]:
    """`Name:  123 kB` and `name: 123` lines to integers, kB to bytes; other lines are skipped."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdecimal() and len(words) <= 2:
            found[name] = int(words[0]) * (KIB if words[1:] == ["kB"] else 1)
    return found


def figures(fields: Mapping[str, int], columns: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Sums of fields by column; a field an older kernel lacks counts as zero if others are there.

    A column none of whose fields exists is left out.
    """
    return {
        column: float(sum(fields.get(name, 0) for name in names))
        for column, names in columns.items()
        if any(name in fields for name in names)
    }


class ProcessSampler:
    """Sums over a process tree; sample() raises SampleError when one of its roots is gone.

    A target whose processes are out of reach has no columns.
    """

    def __init__(self, subject: Subject, proc: Path, cpu_ns: Callable[[], int]) -> None:
        self._subject = subject
        self._proc = proc
        self._cpu_ns = cpu_ns
        self._started_ticks: dict[int, int] = {}
        self._exact_due_ns = 0
        self._waited_ns: dict[str, int] = {}  # by thread, at most as many as live
        self._cpu_wait_s = 0.0

    def sample(self) -> Mapping[str, float]:
        roots = tuple(self._subject.pids())
        if not roots:
            return {}  # a server somewhere else
        stats = self._tree(roots)
        row = {
            "processes": float(len(stats)),
            "threads": float(sum(stat.threads for stat in stats.values())),
            "cpu_s": sum(stat.cpu_s for stat in stats.values()),
            "faults_minor": float(sum(stat.faults_minor for stat in stats.values())),
            "faults_major": float(sum(stat.faults_major for stat in stats.values())),
        }
        row |= self._waiting(stats)
        row |= self._memory(stats)
        row |= self._sum(stats, self._io)
        row |= self._sum(stats, self._open_files)
        return row

    def _tree(self, roots: Sequence[int]) -> dict[int, Stat]:
        """Roots and descendants. A descendant may end while we look; a root must not."""
        stats = {pid: self._root(pid) for pid in roots}
        self._started_ticks = {pid: stats[pid].started_ticks for pid in roots}
        waiting = list(roots)
        while waiting:
            for pid in self._children(waiting.pop()):
                if pid in stats or len(stats) >= MAX_PROCESSES:
                    continue
                try:
                    stats[pid] = parse_stat(self._read(pid, "stat"))
                except (FileNotFoundError, ProcessLookupError):
                    continue
                waiting.append(pid)
        return stats

    def _root(self, pid: int) -> Stat:
        try:
            stat = parse_stat(self._read(pid, "stat"))
        except (FileNotFoundError, ProcessLookupError) as error:
            raise SampleError(f"process {pid} of the target is gone") from error
        if stat.state in "ZX":
            raise SampleError(f"process {pid} of the target has ended")
        if self._started_ticks.get(pid, stat.started_ticks) != stat.started_ticks:
            raise SampleError(f"process {pid} of the target is gone; another has its number now")
        return stat

    def _children(self, pid: int) -> Iterator[int]:
        for thread in self._threads(pid):
            try:
                text = _read(thread / "children")
            except (FileNotFoundError, ProcessLookupError):
                continue
            yield from map(int, text.split())

    def _threads(self, pid: int) -> list[Path]:
        try:
            return list((self._proc / str(pid) / "task").iterdir())
        except FileNotFoundError:
            return []

    def _waiting(self, stats: Mapping[int, Stat]) -> dict[str, float]:
        """Seconds for which threads that could have run got no CPU, since the first sample.

        Threads end and take their counts along, so what each gained since the last sample is
        added up. Missing where the kernel keeps no scheduling statistics.
        """
        now_ns = {}
        for pid in stats:
            for thread in self._threads(pid):
                try:
                    now_ns[thread.name] = int(_read(thread / "schedstat").split()[1])
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    continue
        if not now_ns:
            return {}
        before_ns = self._waited_ns
        gained_ns = sum(ns - before_ns.get(thread, ns) for thread, ns in now_ns.items())
        self._waited_ns = now_ns
        self._cpu_wait_s += max(0, gained_ns) / NS_PER_S
        return {"cpu_wait_s": self._cpu_wait_s}

    def _memory(self, stats: Mapping[int, Stat]) -> dict[str, float]:
        """Exact figures where allowed, else the counters under names of their own."""
        now_ns = self._subject.clock.monotonic_ns()
        if now_ns < self._exact_due_ns:
            return self._sum(stats, self._counted)
        before_ns = self._cpu_ns()
        exact = self._sum(stats, self._exact)
        took_ns = self._cpu_ns() - before_ns
        # Half a second early, so that a sample a second is not missed by a hair.
        self._exact_due_ns = now_ns + round(took_ns / EXACT_SHARE) - NS_PER_S // 2
        return exact or self._sum(stats, self._counted)

    def _exact(self, pid: int) -> dict[str, float]:
        return figures(parse_fields(self._read(pid, "smaps_rollup")), EXACT)

    def _counted(self, pid: int) -> dict[str, float]:
        return figures(parse_fields(self._read(pid, "status")), COUNTED)

    def _io(self, pid: int) -> dict[str, float]:
        fields = parse_fields(self._read(pid, "io"))
        return {column: float(fields[name]) for column, name in IO.items()}

    def _open_files(self, pid: int) -> dict[str, float]:
        return {"open_fds": float(sum(1 for _ in (self._proc / str(pid) / "fd").iterdir()))}

    def _sum(
        self, pids: Mapping[int, Stat], read: Callable[[int], dict[str, float]]
    ) -> dict[str, float]:
        """Per column over all processes; empty as soon as one of them may not be read."""
        total: dict[str, float] = {}
        for pid in pids:
            try:
                part = read(pid)
            except PermissionError:
                return {}
            except (FileNotFoundError, ProcessLookupError) as error:
                if pid in self._started_ticks and not self._is_alive(pid):
                    raise SampleError(f"process {pid} of the target is gone") from error
                continue
            for column, value in part.items():
                total[column] = total.get(column, 0.0) + value
        return total

    def _is_alive(self, pid: int) -> bool:
        return (self._proc / str(pid) / "stat").exists()

    def _read(self, pid: int, name: str) -> str:
        return _read(self._proc / str(pid) / name)


def _read(path: Path) -> str:
    # os.open and one read: half the cost of Path.read_text on files of the kernel. 64 KiB hold
    # every file read here; the list of children is the longest.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 16).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def build(
    subject: Subject, proc: Path = PROC, cpu_ns: Callable[[], int] = thread_cpu_ns
) -> Sampler:
    """The sampler of the target's processes. proc: where /proc is; cpu_ns: this thread's CPU."""
    return ProcessSampler(subject, proc, cpu_ns)
