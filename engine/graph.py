"""Which records are linked, and how does one get from here to there?

Edges are rows of reserved columns; a record knows the rows of its edges, outgoing and incoming, and
an edge its place in both lists, so that taking one out costs the same however many there are.
The caller holds the state lock. An edge is named by source, target and kind; linking again
replaces its weight.
"""

import zlib
from array import array
from collections import deque
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.errors import BadInputError, CapacityError
from engine.log import Place
from engine.reserved import Reserved

_NAMED = 1 << 31
_TRIM_BYTES = 1 << 18
_LIST_BYTES = 200
# From here on numpy looks through a list faster than a loop.
_LONG_LIST = 64


class EdgeKey(NamedTuple):
    """What names an edge; kind is the code, see `Graph.code_of`."""

    source: int
    target: int
    kind: int


class Graph:
    """Links between records, both ways. bytes per edge: 52 of columns, 8 of row lists."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.n = 0
        self.high_water = 0
        self.names: dict[int, str] = {}
        dtypes = ("u8", "u8", "u8", "u4", "u4", "f4", "u4", "u4", "u4", "u4")
        self._reserved = [Reserved(capacity, 0, dtype) for dtype in dtypes]
        views = [column.items() for column in self._reserved]
        self._source, self._target, self._lsn = views[:3]
        self._kind, self._segment, self._weight, self._offset, self._length = views[3:8]
        self._out_at, self._into_at = views[8:]
        self._out: dict[int, array[int]] = {}
        self._into: dict[int, array[int]] = {}

    def code_of(self, kind: str | int) -> int:
        """The number that stands for a kind. Raises BadInputError."""
        if isinstance(kind, int):
            if not 0 <= kind < _NAMED:
                raise BadInputError(f"kind {kind}; a number must be 0..2^31-1")
            return kind
        if not 1 <= len(kind) <= 64:
            raise BadInputError(f"kind {kind!r} has {len(kind)} characters; it must have 1..64")
        code = zlib.crc32(kind.encode()) | _NAMED
        if self.names.get(code, kind) != kind:
            raise BadInputError(f"kind {kind!r} collides with {self.names[code]!r}; rename it")
        return code

    def name_of(self, code: int) -> str | int:
        return self.names.get(code, code)

    def row_of(self, key: EdgeKey) -> int | None:
        out, into = self._out.get(key.source), self._into.get(key.target)
        if out is None or into is None:
            return None
        rows = min(out, into, key=len)
        if len(rows) > _LONG_LIST:
            return self._row_among(rows, key)
        for row in rows:
            if (self._source[row], self._target[row], self._kind[row]) == key:
                return row
        return None

    def _row_among(self, rows: "array[int]", key: EdgeKey) -> int | None:
        chosen = np.array(rows)
        source, target, _, kind = (column.array for column in self._reserved[:4])
        is_it = (target[chosen] == key.target) & (kind[chosen] == key.kind)
        found = chosen[is_it & (source[chosen] == key.source)]
        return int(found[0]) if len(found) else None

    def place_of(self, row: int) -> Place:
        return Place(self._segment[row], self._offset[row])

    def move_to(self, row: int, place: Place) -> None:
        """Compaction has copied the edge's frame."""
        self._segment[row], self._offset[row] = place

    def in_segment(self, number: int) -> tuple[NDArray[Any], ...]:
        """Copies of (source, target, kind, offset, length) of the edges whose frames lie there."""
        columns = [column.array[: self.n] for column in self._reserved[:8]]
        source, target, _, kind, segment, _, offset, length = columns
        rows = np.flatnonzero(segment == number)
        return tuple(column[rows] for column in (source, target, kind, offset, length))

    def add(self, key: EdgeKey, weight: float, lsn: int, place: Place, length: int) -> None:
        """A new edge; one of the same name must have been removed. Raises CapacityError."""
        if self.n == self.capacity:
            raise CapacityError(f"{self.n} edges; raise capacity_edges or delete some")
        row = self.n
        self.n += 1
        self.high_water = max(self.high_water, self.n)
        self._source[row], self._target[row], self._kind[row] = key
        self._weight[row] = weight
        self._lsn[row] = lsn
        self._length[row] = length
        self._segment[row], self._offset[row] = place
        out = self._out.setdefault(key.source, array("I"))
        into = self._into.setdefault(key.target, array("I"))
        self._out_at[row], self._into_at[row] = len(out), len(into)
        out.append(row)
        into.append(row)

    def remove(self, row: int) -> tuple[Place, int]:
        """Take the edge out; the last one moves into its row. Returns its frame and its length."""
        frame = self.place_of(row), self._length[row]
        _unlist(self._out, self._source[row], self._out_at, row)
        _unlist(self._into, self._target[row], self._into_at, row)
        last = self.n - 1
        if row != last:
            self._out[self._source[last]][self._out_at[last]] = row
            self._into[self._target[last]][self._into_at[last]] = row
            for column in self._reserved:
                column.array[row] = column.array[last]
        self.n = last
        return frame

    def remove_record(self, record_id: int) -> list[tuple[Place, int]]:
        """Take out every edge of a record; returns their frames and lengths."""
        frames = []
        for lists in (self._out, self._into):
            while rows := lists.get(record_id):
                frames.append(self.remove(rows[-1]))
        return frames

    def neighbours(self, record_id: int) -> list[tuple[int, int, float]]:
        """(target, kind code, weight) of each outgoing edge."""
        rows = self._out.get(record_id, ())
        return [(self._target[r], self._kind[r], self._weight[r]) for r in rows]

    def incoming(self, record_id: int) -> list[tuple[int, int, float]]:
        """(source, kind code, weight) of each incoming edge."""
        rows = self._into.get(record_id, ())
        return [(self._source[r], self._kind[r], self._weight[r]) for r in rows]

    def traverse(self, start: int, depth: int, limit: int) -> list[int]:
        """Records within `depth` links of start, nearest first, start not among them."""
        seen = {start: 0}
        frontier = [start]
        for _ in range(depth):
            if not frontier:
                break
            frontier = self._unseen(frontier, seen, limit + 1)
        return list(seen)[1:]

    def _unseen(self, nodes: list[int], seen: dict[int, int], size_max: int) -> list[int]:
        """What the nodes link to and was not seen before; it is now, up to size_max in all."""
        ahead: list[int] = []
        for row in chain.from_iterable(self._out.get(node, ()) for node in nodes):
            target = self._target[row]
            if target in seen:
                continue
            if len(seen) == size_max:
                break
            seen[target] = 1
            ahead.append(target)
        return ahead

    def shortest_path(self, start: int, goal: int, visits_max: int) -> list[int]:
        """Fewest links from start to goal, both included; empty when there is none in reach."""
        came_from = {start: start}
        queue = deque([start])
        while queue and goal not in came_from and len(came_from) < visits_max:
            node = queue.popleft()
            for row in self._out.get(node, ()):
                target = self._target[row]
                if target not in came_from:
                    came_from[target] = node
                    queue.append(target)
        if goal not in came_from:
            return []
        path = [goal]
        while path[-1] != start:
            path.append(came_from[path[-1]])
        return path[::-1]

    @property
    def accounted_bytes(self) -> int:
        """Columns by the page, lists by their number and length."""
        columns = sum(column.touched_bytes(self.high_water) for column in self._reserved)
        return columns + 2 * 4 * self.n + _LIST_BYTES * (len(self._out) + len(self._into))

    def trim(self) -> None:
        """Give the pages of removed edges back."""
        row_bytes = sum(column.row_bytes for column in self._reserved)
        if (self.high_water - self.n) * row_bytes < _TRIM_BYTES:
            return
        for column in self._reserved:
            column.release(self.n, self.high_water)
        self.high_water = self.n


def _unlist(lists: dict[int, "array[int]"], node: int, at: "memoryview[int]", row: int) -> None:
    """Take a row out of its node's list; the list's last takes its place there."""
    rows = lists[node]
    last = rows.pop()
    if last != row:
        rows[at[row]] = last
        at[last] = at[row]
    if not rows:
        del lists[node]
