"""How does the engine touch files? Through one object, so that a test can make any call fail."""

import contextlib
import errno
import mmap
import os
from collections.abc import Sequence
from pathlib import Path


def is_full(error: OSError) -> bool:
    """Was it refused for want of room? Then there may be room later."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


class Disk:
    """The operating system's files. All methods raise OSError.

    Tests pass a subclass that fails the N-th call, or dies at a named step.
    """

    def open(self, path: Path, flags: int) -> int:
        return os.open(path, flags | os.O_CLOEXEC, 0o644)

    def close(self, fd: int) -> None:
        os.close(fd)

    def read(self, fd: int, size: int, offset: int) -> bytes:
        """May return fewer bytes than asked only at the end of the file."""
        return os.pread(fd, size, offset)

    def read_large(self, fd: int, size: int, offset: int) -> "bytes | mmap.mmap":
        """Megabytes, in a mapping of their own that goes back to the system when dropped.

        On the heap they would: after the first such block is freed, the C library keeps up to
        twice its size per thread (measured: 20 MB held for nothing).
        """
        if size <= 0:
            return b""
        content = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with memoryview(content) as view:
            self.read_into(fd, view, offset)
        return content

    def read_into(self, fd: int, view: memoryview, offset: int) -> int:
        """Fill the view; how many bytes there were, fewer only at the end of the file."""
        filled = 0
        while filled < len(view):
            got = os.preadv(fd, [view[filled:]], offset + filled)
            if not got:
                break
            filled += got
        return filled

    def write(self, fd: int, content: bytes | memoryview, offset: int) -> None:
        """All of it or OSError."""
        view = memoryview(content)
        while view:
            written = os.pwrite(fd, view, offset)
            offset += written
            view = view[written:]

    def allocate(self, fd: int, offset: int, size: int) -> None:
        """Reserve room now, so that a full disk refuses here and not in a later sync."""
        os.posix_fallocate(fd, offset, size)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        os.fdatasync(fd)

    def sync_directory(self, path: Path) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def unlink(self, path: Path) -> None:
        os.unlink(path)

    def reached(self, step: str) -> None:
        """A named step begins. Nothing happens here; crash tests die here.

        Steps: append, fsync, seal, manifest, checkpoint, access, evict (also what expires and what
        is merged: chosen, and still there), compact, unlink.
        """

    def replace_file(self, path: Path, *parts: bytes | memoryview) -> None:
        """Atomically: a reader finds the old content or the new, also after a power cut.

        On OSError nothing is left of the new one, which on a full disk would take the last room;
        only when syncing the directory fails it may be either that is found after a power cut.
        """
        temporary = path.with_name(path.name + ".tmp")
        try:
            self._write_file(temporary, parts)
            self.rename(temporary, path)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        self.sync_directory(path.parent)

    def _write_file(self, path: Path, parts: Sequence[bytes | memoryview]) -> None:
        fd = self.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            offset = 0
            for part in parts:
                self.write(fd, part, offset)
                offset += len(part)
            self.sync(fd)
        finally:
            self.close(fd)
