"""How often was each record used, across a restart? Beside the log: reads write nothing there.

`access`, replaced atomically at close, on demand and every ten minutes: msgpack of a checksum,
three arrays as bytes, one entry per record that was ever read: ids u64, last access f64, accesses
u32; and what time it was for the engine, f64, and its lead, f64 (clock.py). Losing it loses no
record, only what a crash is allowed to lose: reinforcement since it was written.
"""

import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from engine.clock import SteadyClock
from engine.disk import Disk
from engine.live import Live

_NAME = "access"
_ROWS_PER_STEP = 16_384


class _Uses(msgspec.Struct, array_like=True, frozen=True):
    crc: int
    ids: bytes
    accessed: bytes
    accesses: bytes
    now_s: float = 0.0
    lead_s: float = 0.0

    def checksum(self) -> int:
        # Files of earlier versions end before the times.
        times = struct.pack("<2d", self.now_s, self.lead_s) if self.now_s else b""
        crc = 0
        for part in (self.ids, self.accessed, self.accesses, times):
            crc = zlib.crc32(part, crc)
        return crc


class Times(NamedTuple):
    """The engine's own time when the file was written, and its lead (clock.py); 0: not known."""

    now_s: float = 0.0
    lead_s: float = 0.0


def save(disk: Disk, directory: Path, live: Live, clock: SteadyClock) -> int:
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
    uses = _Uses(0, ids, accessed, accesses, clock.now_s(), clock.lead_s)
    uses = msgspec.structs.replace(uses, crc=uses.checksum())
    disk.reached("access")
    disk.replace_file(directory / _NAME, msgspec.msgpack.encode(uses))
    return len(ids) // 8


def restore(directory: Path, live: Live) -> Times:
    """Apply the file to the records that are live; returns the times in it. Raises OSError."""
    try:
        uses = msgspec.msgpack.decode((directory / _NAME).read_bytes(), type=_Uses)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Times()
    if uses.checksum() != uses.crc:
        return Times()
    _apply(uses, live)
    return Times(uses.now_s, uses.lead_s)


def _apply(uses: _Uses, live: Live) -> None:
    ids = np.frombuffer(uses.ids, dtype=np.uint64)
    accessed = np.frombuffer(uses.accessed, dtype=np.float64)
    accesses = np.frombuffer(uses.accesses, dtype=np.uint32)
    n = live.columns.n
    if not len(ids) or not n:
        return
    order = np.argsort(ids)
    places = np.minimum(np.searchsorted(ids[order], live.columns.id[:n]), len(ids) - 1)
    matches = order[places]
    rows = np.flatnonzero(ids[matches] == live.columns.id[:n])
    live.columns.accessed[rows] = np.maximum(live.columns.accessed[rows], accessed[matches[rows]])
    live.columns.accesses[rows] = accesses[matches[rows]]
