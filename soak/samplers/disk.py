"""How much disk does the target take? Size, blocks and number of its files, and what is left.

Files are found by name below the target's directories. One that was deleted while still open is
not among them, but its space is missing from disk_free_bytes.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from soak.clock import NS_PER_S, thread_cpu_ns
from soak.seams import SampleError, Sampler, Subject

MAX_FILES = 200_000
BLOCK_BYTES = 512  # st_blocks counts these, whatever the file system's own block size

# A walk costs 2.5 us per file. One percent of the time at most, as for the page tables.
SHARE = 0.01


class DiskSampler:
    """Walks the directories; nothing is kept but when the next walk may be."""

    def __init__(self, subject: Subject, cpu_ns: Callable[[], int]) -> None:
        self._subject = subject
        self._cpu_ns = cpu_ns
        self._due_ns = 0

    def sample(self) -> Mapping[str, float]:
        roots = outermost(self._subject.directories())
        now_ns = self._subject.clock.monotonic_ns()
        if not roots or now_ns < self._due_ns:
            return {}
        before_ns = self._cpu_ns()
        row = measure(roots)
        took_ns = self._cpu_ns() - before_ns
        self._due_ns = now_ns + round(took_ns / SHARE) - NS_PER_S // 2
        return row


def outermost(directories: Sequence[Path]) -> list[Path]:
    """Those that lie in none of the others, so that no file counts twice."""
    known = sorted({directory.resolve() for directory in directories})
    return [path for path in known if not any(path.is_relative_to(o) for o in known if o != path)]


def measure(roots: Sequence[Path]) -> dict[str, float]:
    """Sums over all regular files below roots; links count once. roots: at least one.

    Raises SampleError for a directory that is not there and above MAX_FILES files.
    """
    size = blocks = files = 0
    for found in _each_once(roots):
        size += found.st_size
        blocks += found.st_blocks
        files += 1
        if files > MAX_FILES:
            raise SampleError(f"{roots[0]}: more than {MAX_FILES} files; not measured")
    left = os.statvfs(roots[0])
    return {
        "disk_bytes": float(size),
        "disk_allocated_bytes": float(blocks * BLOCK_BYTES),
        "disk_files": float(files),
        "disk_free_bytes": float(left.f_bavail * left.f_frsize),
    }


def _each_once(roots: Sequence[Path]) -> Iterator[os.stat_result]:
    """Regular files below roots; one with several names comes once."""
    linked: set[tuple[int, int]] = set()  # at most MAX_FILES
    for root in roots:
        if not root.is_dir():
            raise SampleError(f"{root}: the target's directory is not there")
        for found in _files(root):
            identity = (found.st_dev, found.st_ino)
            if found.st_nlink > 1 and identity in linked:
                continue
            if found.st_nlink > 1:
                linked.add(identity)
            yield found


def _files(root: Path) -> Iterator[os.stat_result]:
    """Regular files below root; what vanishes while we look is left out, links are not followed."""
    waiting = [os.fspath(root)]
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield from _stat(entry)


def _entries(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _stat(entry: "os.DirEntry[str]") -> Iterator[os.stat_result]:
    try:
        yield entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return


def build(subject: Subject, cpu_ns: Callable[[], int] = thread_cpu_ns) -> Sampler:
    """The sampler of the target's directories. cpu_ns: this thread's CPU time."""
    return DiskSampler(subject, cpu_ns)
