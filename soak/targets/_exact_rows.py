"""Which records are nearest, exactly? Rows of growing arrays; the last row fills a hole."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from soak.seams import Floats, Hit, Query, Record

FIRST_ROWS = 1024
ChooseVictim = Callable[[Floats, NDArray[np.bool_]], int]


def least_important(importances: Floats, pinned: NDArray[np.bool_]) -> int:
    """The row to forget first; pinned rows never, unless there are no others."""
    return int(np.argmin(np.where(pinned, np.inf, importances)))


class ExactRows:
    """Not safe for threads: the memory target holds its lock around every call."""

    def __init__(self, dimensions: int) -> None:
        self.records: dict[int, Record] = {}
        self._row_of: dict[int, int] = {}
        self._keys = np.zeros(FIRST_ROWS, dtype=np.int64)
        self._agents = np.zeros(FIRST_ROWS, dtype=np.int64)
        self._importances = np.zeros(FIRST_ROWS)
        self._pinned = np.zeros(FIRST_ROWS, dtype=np.bool_)
        self._vectors = np.zeros((FIRST_ROWS, dimensions), dtype=np.float32)

    def put(self, record: Record) -> None:
        """Insert or replace."""
        row = self._row_of.setdefault(record.key, len(self._row_of))
        if row == len(self._keys):
            self._grow()
        self.records[record.key] = record
        self._keys[row] = record.key
        self._agents[row] = record.agent
        self._importances[row] = record.importance
        self._pinned[row] = record.pinned
        self._vectors[row] = record.vector

    def remove(self, key: int) -> Record | None:
        """The record that was there."""
        record = self.records.pop(key, None)
        if record is None:
            return None
        row, last = self._row_of.pop(key), len(self._row_of)
        for column in self._columns():
            column[row] = column[last]
        if row != last:
            self._row_of[int(self._keys[row])] = row
        return record

    def search(self, query: Query) -> list[Hit]:
        count = len(self._row_of)
        scores = self._vectors[:count] @ query.vector
        rows = np.arange(count)
        if query.agent is not None:
            rows = np.flatnonzero(self._agents[:count] == query.agent)
            scores = scores[rows]
        best = np.argsort(-scores, kind="stable")[: query.k]
        return [
            Hit(int(self._keys[rows[i]]), float(scores[i]), int(self._agents[rows[i]]))
            for i in best
        ]

    def victim(self, choose: ChooseVictim) -> int:
        """The key of the row chosen among all."""
        count = len(self._row_of)
        return int(self._keys[choose(self._importances[:count], self._pinned[:count])])

    def _columns(self) -> tuple[NDArray[np.generic], ...]:
        return (self._keys, self._agents, self._importances, self._pinned, self._vectors)

    def _grow(self) -> None:
        self._keys, self._agents, self._importances, self._pinned, self._vectors = (
            np.concatenate((column, np.zeros_like(column))) for column in self._columns()
        )
