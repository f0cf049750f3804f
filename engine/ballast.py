"""Where does the room come from that is needed to make room on a full disk?

From a file that holds nothing. Eviction writes delete frames and compaction a copy of what lives,
so a full disk could never be emptied. The ballast is unlinked first and put back afterwards.
"""

import os
from pathlib import Path

from engine.disk import Disk


class Ballast:
    """`ballast`, of `size` bytes, or none at all if there was no room for it."""

    def __init__(self, disk: Disk, directory: Path, size: int) -> None:
        self._disk = disk
        self._path = directory / "ballast"
        self._size = size
        self.restore()

    @property
    def held_bytes(self) -> int:
        return self._size if self._path.exists() else 0

    def restore(self) -> None:
        """Take the room again; without it if the disk has none to give."""
        if not self._size or self._path.exists():
            return
        try:
            fd = self._disk.open(self._path, os.O_RDWR | os.O_CREAT)
        except OSError:
            return
        try:
            self._disk.allocate(fd, 0, self._size)
        except OSError:
            os.unlink(self._path)
        finally:
            self._disk.close(fd)

    def release(self) -> None:
        """Give the room to whoever writes next."""
        if self._path.exists():
            self._disk.unlink(self._path)
