"""Is this directory an engine's, which format has it, and is nobody else using it?

`manifest` is one JSON object, swapped atomically: {"format": 1, "dimensions": 384}. Losing it loses
nothing while segments are there: they carry the same two numbers. `lock` is empty; who holds an
exclusive flock on it owns the directory.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from engine.disk import Disk
from engine.errors import DirectoryError, FormatError, LockedError
from engine.segment import FORMAT

_OURS = ("*.seg", "*.ckpt", "*.tmp", "manifest", "lock", "ballast", "access")


class Manifest(msgspec.Struct, frozen=True):
    """The content of the file."""

    format: int
    dimensions: int


def lock(directory: Path) -> int:
    """The descriptor that holds the lock until closed. Raises LockedError, DirectoryError."""
    if directory.exists() and not directory.is_dir():
        raise DirectoryError(f"{directory} is a file; an engine needs a directory")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _refuse_strangers(directory)
        fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DirectoryError(f"{directory}: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise LockedError(f"{directory} is in use by another engine; close it first") from error
    return fd


def unlock(fd: int) -> None:
    """Let go of the directory, also where a forked child still has the descriptor."""
    try:
        fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)


def _refuse_strangers(directory: Path) -> None:
    strangers = [
        path.name
        for path in directory.iterdir()
        if not any(path.match(pattern) for pattern in _OURS)
    ]
    if strangers:
        raise DirectoryError(
            f"{directory} holds {sorted(strangers)[0]!r}, which is not an engine's file; "
            "choose an empty directory"
        )


def agree(disk: Disk, directory: Path, dimensions: int) -> None:
    """Check the manifest against the options, or write it. Raises FormatError, OSError."""
    path = directory / "manifest"
    expected = Manifest(FORMAT, dimensions)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        disk.reached("manifest")
        disk.replace_file(path, msgspec.json.encode(expected))
        return
    if found.format != FORMAT:
        raise FormatError(f"{path}: format {found.format}; this engine reads format {FORMAT}")
    if found.dimensions != dimensions:
        raise FormatError(
            f"{path}: vectors of {found.dimensions}; options say {dimensions}, which cannot change"
        )
