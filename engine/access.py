"""How often was each record used, across a restart? Beside the log: reads write nothing there.

`access`, replaced atomically at close, on demand and every ten minutes: msgpack of a checksum and
three arrays as bytes, one entry per record that was ever read: ids u64, last access f64, accesses
u32. Losing it loses no record, only what a crash is allowed to lose: reinforcement since it was
written.
"""

import zlib
from pathlib import Path

import msgspec
import numpy as np

from engine.disk import Disk
from engine.live import Live

_NAME = "access"
_ROWS_PER_STEP = 16_384


class _Uses(msgspec.Struct, array_like=True, frozen=True):
    crc: int
    ids: bytes
    accessed: bytes
    accesses: bytes


def save(disk: Disk, directory: Path, live: Live) -> int:
    """Write the file; returns for how many records. Raises OSError."""
    parts: list[tuple[bytes, bytes, bytes]] = []
    columns = live.columns
    for first in range(0, columns.n, _ROWS_PER_STEP):
        with live.lock:
            rows = np.arange(first, min(first + _ROWS_PER_STEP, columns.n))
            rows = rows[columns.accesses[rows] > 0]
            parts.append(
                (
                    columns.id[rows].tobytes(),
                    columns.accessed[rows].tobytes(),
                    columns.accesses[rows].tobytes(),
                )
            )
    ids, accessed, accesses = (
        (b"".join(part) for part in zip(*parts, strict=True))
        if parts
        else (
            b"",
            b"",
            b"",
        )
    )
    crc = zlib.crc32(accesses, zlib.crc32(accessed, zlib.crc32(ids)))
    disk.reached("access")
    disk.replace_file(
        directory / _NAME, msgspec.msgpack.encode(_Uses(crc, ids, accessed, accesses))
    )
    return len(ids) // 8


def restore(disk: Disk, directory: Path, live: Live) -> float:
    """Apply the file to the records that are live; returns the newest access in it, or 0."""
    try:
        uses = msgspec.msgpack.decode((directory / _NAME).read_bytes(), type=_Uses)
    except (FileNotFoundError, msgspec.MsgspecError):
        return 0.0
    crc = zlib.crc32(uses.accesses, zlib.crc32(uses.accessed, zlib.crc32(uses.ids)))
    if crc != uses.crc:
        return 0.0
    ids = np.frombuffer(uses.ids, dtype=np.uint64)
    accessed = np.frombuffer(uses.accessed, dtype=np.float64)
    accesses = np.frombuffer(uses.accesses, dtype=np.uint32)
    n = live.columns.n
    if not len(ids) or not n:
        return 0.0
    order = np.argsort(ids)
    places = np.minimum(np.searchsorted(ids[order], live.columns.id[:n]), len(ids) - 1)
    matches = order[places]
    rows = np.flatnonzero(ids[matches] == live.columns.id[:n])
    live.columns.accessed[rows] = np.maximum(live.columns.accessed[rows], accessed[matches[rows]])
    live.columns.accesses[rows] = accesses[matches[rows]]
    return float(accessed.max())
