"""How did the figures change over the run? Columns of bounded length, however long it runs.

Rows are appended once a second. When the columns are full, neighbouring rows are merged in pairs
and every later row stands for twice as many samples: 4,096 rows are 68 minutes at 1 s, 6 hours at
8 s, three days at 64 s. Memory is columns x capacity x 8 bytes and does not depend on the run.
"""

import math
from collections.abc import Collection, Mapping

import numpy as np

from soak.seams import Floats
from soak.state import Tree, put_back, taken

MAX_COLUMNS = 256
STATE = ("_rows", "_stride", "_pending_rows")
MAX_SUFFIX = "_max"  # merged by maximum; every other column by the mean of what is not nan


class Series:
    """Appended by row, read by column. Not thread-safe: the caller holds the lock.

    Copies take the room of whole columns: as much in the first minute as when they are full, lest
    the tester's memory rise until then.

    capacity: rows kept, even. A column exists from the first row that names it; before that, and
    where a row lacks it, it is nan; `t_s` exists always. Columns beyond MAX_COLUMNS are refused
    and counted.
    """

    def __init__(self, capacity: int = 4096) -> None:
        assert capacity >= 2
        assert capacity % 2 == 0
        self._capacity = capacity
        self._columns: dict[str, Floats] = {"t_s": np.full(capacity, np.nan)}
        self._refused: set[str] = set()
        self._rows = 0
        self._stride = 1
        self._pending: dict[str, tuple[float, int]] = {}  # name to (sum or maximum, how many)
        self._pending_rows = 0

    def __len__(self) -> int:
        return self._rows + bool(self._pending_rows)

    @property
    def stride(self) -> int:
        """How many appended rows one kept row stands for."""
        return self._stride

    @property
    def refused_count(self) -> int:
        """Columns that found no room; counted up to MAX_COLUMNS of them."""
        return len(self._refused)

    def append(self, row: Mapping[str, float]) -> None:
        """Add one row; it needs a `t_s` above the last row's. O(columns)."""
        assert "t_s" in row
        for name, value in row.items():
            if math.isnan(value) or not self._has_room_for(name):
                continue
            total, count = self._pending.get(name, (-math.inf if _is_max(name) else 0.0, 0))
            merged = max(total, value) if _is_max(name) else total + value
            self._pending[name] = merged, count + 1
        self._pending_rows += 1
        if self._pending_rows == self._stride:
            self._keep_pending()

    def state(self) -> Tree:
        kept = {name: column.copy()[: self._rows] for name, column in self._columns.items()}
        return {**taken(self, STATE), "_pending": dict(self._pending), "columns": kept}

    def restore(self, tree: Tree) -> None:
        """What `state` gave."""
        put_back(self, {name: tree[name] for name in (*STATE, "_pending")})
        for name, kept in tree["columns"].items():
            self._columns[name] = np.full(self._capacity, np.nan)
            self._columns[name][: kept.size] = kept

    def columns(
        self, names: Collection[str] | None = None, room: dict[str, Floats] | None = None
    ) -> dict[str, Floats]:
        """Copies of those columns that exist, or of all; equally long.

        The last row may stand for fewer samples. room: where to put the copies; who asks every
        second passes the same again, and what it got before is overwritten.
        """
        wanted = self._columns.keys() if names is None else self._columns.keys() & set(names)
        copies = {} if room is None else room
        for name in wanted:
            if name not in copies:
                copies[name] = np.full(self._capacity, np.nan)
            copied = copies[name]
            copied[: self._rows] = self._columns[name][: self._rows]
            if self._pending_rows:
                copied[self._rows] = self._pending_value(name)
        return {name: copies[name][: len(self)] for name in wanted}

    def _has_room_for(self, name: str) -> bool:
        if name in self._columns:
            return True
        if len(self._columns) < MAX_COLUMNS:
            self._columns[name] = np.full(self._capacity, np.nan)
            return True
        if len(self._refused) < MAX_COLUMNS:
            self._refused.add(name)
        return False

    def _pending_value(self, name: str) -> float:
        total, count = self._pending.get(name, (math.nan, 1))
        return total if _is_max(name) else total / count

    def _keep_pending(self) -> None:
        for name, kept in self._columns.items():
            kept[self._rows] = self._pending_value(name)
        self._rows += 1
        self._pending = {}
        self._pending_rows = 0
        if self._rows == self._capacity:
            self._halve()

    def _halve(self) -> None:
        half = self._capacity // 2
        for name, kept in self._columns.items():
            left, right = kept[::2], kept[1::2]
            if _is_max(name):
                merged = np.fmax(left, right)
            else:
                # The mean of a pair; of a pair with one nan, the other.
                first = np.where(np.isnan(left), right, left)
                second = np.where(np.isnan(right), left, right)
                merged = (first + second) / 2
            kept[:half] = merged
            kept[half:] = np.nan
        self._rows = half
        self._stride *= 2


def _is_max(name: str) -> bool:
    return name.endswith(MAX_SUFFIX)
