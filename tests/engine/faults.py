"""A disk that fails when told to, and a workload that knows what must be true afterwards."""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine import Disk, Engine, EngineError
from tests.engine.scene import memory


class FailingDisk(Disk):
    """Fails its N-th call (from 1) with an errno, then works again. Reads are not counted."""

    def __init__(self, failing_call: int, error_number: int) -> None:
        self.calls = 0
        self.failed_in = ""
        self._failing_call = failing_call
        self._error_number = error_number

    def _count(self, name: str) -> None:
        self.calls += 1
        if self.calls == self._failing_call:
            self.failed_in = name
            raise OSError(self._error_number, os.strerror(self._error_number), name)

    def open(self, path: Path, flags: int) -> int:
        self._count(f"open {path.name}")
        return super().open(path, flags)

    def write(self, fd: int, content: bytes | memoryview, offset: int) -> None:
        try:
            self._count("write")
        except OSError:
            super().write(fd, content[: len(content) // 2], offset)
            raise
        super().write(fd, content, offset)

    def allocate(self, fd: int, offset: int, size: int) -> None:
        self._count("allocate")
        super().allocate(fd, offset, size)

    def truncate(self, fd: int, size: int) -> None:
        self._count("truncate")
        super().truncate(fd, size)

    def sync(self, fd: int) -> None:
        self._count("sync")
        super().sync(fd)

    def sync_directory(self, path: Path) -> None:
        self._count("sync_directory")
        super().sync_directory(path)

    def rename(self, source: Path, target: Path) -> None:
        self._count(f"rename {target.name}")
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self._count(f"unlink {path.name}")
        super().unlink(path)


class LittleDisk(Disk):
    """Has room for `room_bytes` in all; ENOSPC beyond. Counts allocations, as a disk does."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes = room_bytes
        self._sizes: dict[tuple[int, int], int] = {}

    def allocate(self, fd: int, offset: int, size: int) -> None:
        used = sum(self._refreshed().values())
        if used + size > self.room_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().allocate(fd, offset, size)
        self._sizes[self._key(fd)] = offset + size

    def truncate(self, fd: int, size: int) -> None:
        super().truncate(fd, size)
        self._sizes[self._key(fd)] = size

    def unlink(self, path: Path) -> None:
        status = path.stat()
        super().unlink(path)
        self._sizes.pop((status.st_dev, status.st_ino), None)

    def _key(self, fd: int) -> tuple[int, int]:
        status = os.fstat(fd)
        return status.st_dev, status.st_ino

    def _refreshed(self) -> dict[tuple[int, int], int]:
        return self._sizes


@dataclass(slots=True)
class Ledger:
    """Which texts each record may have (None: absent), by what was acknowledged or failed."""

    allowed: dict[int, set[str | None]] = field(default_factory=dict)
    failures: int = 0

    def attempt(self, store: Engine, rng: np.random.Generator, ids: int) -> None:
        """One store, delete or maintenance; the ledger learns what it may have done.

        All records are pinned: an emergency may evict others.
        """
        record_id = int(rng.integers(ids))
        choice = rng.random()
        if choice < 0.05:
            try:
                store.maintain()
            except (EngineError, OSError):
                self.failures += 1
            return
        text = None if choice < 0.3 else f"{record_id} {rng.integers(10**9)} " + "x" * 700
        before = self.allowed.get(record_id, {None})
        try:
            if text is None:
                store.delete(record_id)
            else:
                store.store(memory(record_id, text=text, pinned=True))
        except EngineError:
            self.failures += 1
            self.allowed[record_id] = before | {text}
            return
        self.allowed[record_id] = {text}

    def check(self, store: Engine) -> None:
        """Every record is as it may be."""
        for record_id, texts in self.allowed.items():
            found = store.get(record_id)
            assert (found.text if found else None) in texts, f"record {record_id}"
