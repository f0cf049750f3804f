"""Is this directory an engine's, which format has it, and is nobody else using it?

`manifest` is one JSON object, swapped atomically: {"format": 1, "dimensions": 384}. Losing it loses
nothing while segments are there: they carry the same two numbers. `lock` is empty; who holds an
exclusive flock on it owns the directory.

Ours are files of exactly the names in docs/engine/files.md. A directory that holds anything else is
refused, for what we take for ours we may delete.
"""

import fcntl
import os
import re
from pathlib import Path

import msgspec

from engine.disk import Disk
from engine.errors import DirectoryError, FormatError, LockedError
from engine.segment import FORMAT

_OURS = re.compile(
    r"(\d{6}|[1-9]\d{6,})\.(seg|ckpt|ckpt\.tmp)|(manifest|access)(\.tmp)?|lock|ballast"
)


class Manifest(msgspec.Struct, frozen=True):
    """The content of the file."""

    format: int
    dimensions: int


def path_of(directory: Path | str) -> Path:
    """Raises DirectoryError when it is no path."""
    try:
        return Path(directory)
    except TypeError as error:
        raise DirectoryError(f"{directory!r} is no path; an engine needs a directory") from error


def lock(directory: Path) -> int:
    """The descriptor that holds the lock until closed. Raises LockedError, DirectoryError."""
    try:
        if directory.exists() and not directory.is_dir():
            raise DirectoryError(f"{directory} is a file; an engine needs a directory")
        directory.mkdir(parents=True, exist_ok=True)
        _refuse_strangers(directory)
        fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DirectoryError(f"{directory}: {error.strerror}") from error
    except ValueError as error:
        raise DirectoryError(f"{str(directory)!r} is no path: {error}") from error
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
    with os.scandir(directory) as entries:
        strangers = [
            entry.name for entry in entries if not _OURS.fullmatch(entry.name) or entry.is_dir()
        ]
    if strangers:
        raise DirectoryError(
            f"{directory} holds {min(strangers)!r}, which is not an engine's file; "
            "choose an empty directory"
        )


def files(directory: Path, suffix: str) -> list[Path]:
    """Those of ours that end in the suffix, in the order of their numbers."""
    found = [
        path
        for path in directory.iterdir()
        if path.name.endswith(suffix) and _OURS.fullmatch(path.name)
    ]
    return sorted(found, key=lambda path: (len(path.name), path.name))


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
