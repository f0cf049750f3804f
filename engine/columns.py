"""Where are the fields of every live record, in arrays that can be scanned at memory speed?

Record i of n lies in row i of every column; rows n and up are unused. A removed record's place is
taken by the last one, so there are no holes, no tombstones and nothing to rebuild. The caller
holds the state lock for every change. Scans run without it: `changes_since` tells which rows were
written meanwhile.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.reserved import Reserved
from engine.sketch import word_count

Rows = NDArray[np.intp]
_RING = 16_384
_TRIM_BYTES = 1 << 20
_TRIM_ROWS = 4_096


class Single:
    """The fields of one row at a time: a third of what numpy's own indexing costs."""

    __slots__ = (
        "accessed",
        "accesses",
        "agent",
        "created",
        "id",
        "importance",
        "kept",
        "kept_length",
        "length",
        "lsn",
        "offset",
        "pinned",
        "segment",
        "tags",
        "tier",
    )

    def __init__(self, columns: "Columns") -> None:
        self.id: memoryview[int] = columns.id.data
        self.lsn: memoryview[int] = columns.lsn.data
        self.tags: memoryview[int] = columns.tags.data
        self.segment: memoryview[int] = columns.segment.data
        self.offset: memoryview[int] = columns.offset.data
        self.length: memoryview[int] = columns.length.data
        self.agent: memoryview[int] = columns.agent.data
        self.accesses: memoryview[int] = columns.accesses.data
        self.kept: memoryview[int] = columns.kept.data
        self.kept_length: memoryview[int] = columns.kept_length.data
        self.tier: memoryview[int] = columns.tier.data
        self.created: memoryview[Any] = columns.created.data
        self.accessed: memoryview[Any] = columns.accessed.data
        self.importance: memoryview[Any] = columns.importance.data
        self.pinned: memoryview[Any] = columns.pinned.data


class Columns:
    """bytes per record: 82 of fields, dimensions of int8 levels, dimensions / 8 of sign sketch."""

    def __init__(self, capacity: int, dimensions: int) -> None:
        self.capacity = capacity
        self.dimensions = dimensions
        self.n = 0
        self.high_water = 0
        self._reserved: list[Reserved] = []
        self._columns: list[NDArray[np.generic]] = []
        self.id = self._column(np.uint64)
        self.lsn = self._column(np.uint64)
        self.tags = self._column(np.uint64)
        self.created = self._column(np.float64)
        self.accessed = self._column(np.float64)
        self.agent = self._column(np.uint32)
        self.segment = self._column(np.uint32)
        self.offset = self._column(np.uint32)
        self.length = self._column(np.uint32)
        self.accesses = self._column(np.uint32)
        self.importance = self._column(np.float32)
        self.scale = self._column(np.float32)
        self.kept = self._column(np.uint64)
        self.kept_length = self._column(np.uint32)
        self.tier = self._column(np.uint8)
        self.pinned = self._column(np.bool_)
        self.levels = self._column(np.int8, dimensions)
        self.sketch = self._column(np.uint64, word_count(dimensions), is_by_item=True)
        self.single = Single(self)
        self._ring = np.zeros(_RING, dtype=np.intp)
        self.changes = 0

    def _column(
        self, dtype: type[np.generic], width: int = 0, *, is_by_item: bool = False
    ) -> NDArray[Any]:
        column = Reserved(self.capacity, width, dtype, is_by_item=is_by_item)
        self._reserved.append(column)
        self._columns.append(column.array)
        return column.array

    @property
    def row_bytes(self) -> int:
        return sum(column.row_bytes for column in self._reserved)

    @property
    def touched_bytes(self) -> int:
        """Private memory the columns hold now."""
        return sum(column.touched_bytes(self.high_water) for column in self._reserved)

    def extend(self, count: int) -> Rows:
        """Rows for `count` more records, which the caller fills."""
        first = self.n
        assert first + count <= self.capacity, "admission comes before the append"
        self.n += count
        self.high_water = max(self.high_water, self.n)
        return np.arange(first, self.n)

    def remove(self, row: int) -> int:
        """Move the last record into `row`; returns the row it came from."""
        last = self.n - 1
        if row != last:
            for column in self._columns:
                column[row] = column[last]
            self.note(row)
        self.n = last
        return last

    def remove_many(self, rows: Rows) -> Rows:
        """Like `remove` for distinct rows at once; returns the rows with another record in them."""
        first = self.n - len(rows)
        is_kept = np.ones(len(rows), dtype=np.bool_)
        is_kept[rows[rows >= first] - first] = False
        sources = first + np.flatnonzero(is_kept)
        targets = rows[rows < first]
        for column in self._columns:
            column[targets] = column[sources]
        self.note_all(targets)
        self.n = first
        return targets

    def note(self, row: int) -> None:
        """This row was written: scans under way must look at it again."""
        self._ring[self.changes % _RING] = row
        self.changes += 1

    def note_all(self, rows: Rows) -> None:
        for first in range(0, len(rows), _RING):
            step = rows[first : first + _RING]
            self._ring[(self.changes + np.arange(len(step))) % _RING] = step
            self.changes += len(step)

    def changes_since(self, mark: int) -> Rows | None:
        """Live rows written since `changes` was `mark`; None when there were too many to know."""
        count = self.changes - mark
        if count > _RING:
            return None
        rows = np.unique(self._ring[np.arange(mark, self.changes) % _RING])
        return rows[rows < self.n]

    def trim(self) -> int:
        """Give pages of removed records back, one step's worth; returns the bytes, 0 when done."""
        if (self.high_water - self.n) * self.row_bytes < _TRIM_BYTES:
            return 0
        before = self.touched_bytes
        first = max(self.n, self.high_water - _TRIM_ROWS)
        for column in self._reserved:
            column.release(first, self.high_water)
        self.high_water = first
        return before - self.touched_bytes
