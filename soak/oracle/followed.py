"""Where do the facts about the followed keys lie? Columns in one mapped file, one row per slot.

    changed_ns i64 | occupant i64 | linked i64 | importance f32 | version u32
    | in_flight u16 | state u8 | flags u8      each `keys` long, one after the other

A mapped file is not anonymous memory, so the tester's own bookkeeping does not look like the
target's, and it survives the process.
"""

import mmap
import os
from pathlib import Path
from typing import Literal

import numpy as np

from soak.rundir import unwritable

IntegerFormat = Literal["q", "I", "H", "B"]
WIDTHS = {"q": 8, "I": 4, "H": 2, "B": 1}
ROW_BYTES = 3 * 8 + 4 + 4 + 2 + 1 + 1


class FollowedKeys:
    """36 bytes per key. The singular names are for one slot, the plural ones for all at once.

    Element access through a memoryview is twice as fast as through an array; both look at the
    same bytes. resume: keep what the file says instead of starting empty. Raises RunDirError.
    """

    def __init__(self, path: Path, keys: int, *, resume: bool) -> None:
        with path.open("r+b" if resume else "w+b") as file:
            try:
                # Room for every page now: where none is left, a write to the map kills.
                os.posix_fallocate(file.fileno(), 0, keys * ROW_BYTES)
            except OSError as error:
                raise unwritable(path, error) from error
            file.truncate(keys * ROW_BYTES)
            self._map = mmap.mmap(file.fileno(), keys * ROW_BYTES)
        # Widest first, so that every column is aligned.
        self.changed_ns = self._integers("q", keys, 0)
        self.occupant = self._integers("q", keys, 8)
        self.linked = self._integers("q", keys, 16)
        self.version = self._integers("I", keys, 28)
        self.in_flight = self._integers("H", keys, 32)
        self.state = self._integers("B", keys, 34)
        self.flags = self._integers("B", keys, 35)
        self.importances = np.frombuffer(self._map, dtype=np.float32, count=keys, offset=24 * keys)
        self.changes_ns = np.frombuffer(self.changed_ns, dtype=np.int64)
        self.occupants = np.frombuffer(self.occupant, dtype=np.int64)
        self.versions = np.frombuffer(self.version, dtype=np.uint32)
        self.states = np.frombuffer(self.state, dtype=np.uint8)
        if not resume:
            self._touch()

    def _integers(self, code: IntegerFormat, keys: int, row_offset: int) -> "memoryview[int]":
        start = row_offset * keys
        return memoryview(self._map)[start : start + WIDTHS[code] * keys].cast(code)

    def _touch(self) -> None:
        # Writing every page now: a lazily mapped file looks like a leak in the first minutes.
        np.frombuffer(self._map, dtype=np.uint8).fill(0)
        self.occupants.fill(-1)
        np.frombuffer(self.linked, dtype=np.int64).fill(-1)

    def settle(self, doubtful: int) -> None:
        """After a restart: what was in flight gets this flag, and every change is past."""
        in_flight = np.frombuffer(self.in_flight, dtype=np.uint16)
        np.frombuffer(self.flags, dtype=np.uint8)[in_flight > 0] |= np.uint8(doubtful)
        in_flight.fill(0)
        # The monotonic clock starts anew with the machine, so old moments mean nothing.
        self.changes_ns.fill(0)

    def doubt_all(self, state: int, doubtful: int) -> None:
        """Every key gets this state and this flag."""
        self.states.fill(state)
        np.frombuffer(self.flags, dtype=np.uint8)[:] |= np.uint8(doubtful)

    def flush(self) -> None:
        self._map.flush()
