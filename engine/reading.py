"""What does a reader get? One record, what it says, or many of them."""

from collections.abc import Sequence
from math import inf

import numpy as np

from engine.answers import memories_of, memory_of
from engine.live import Live
from engine.memory import Memory
from engine.pulse import Pulse

_RECORDS_PER_STEP = 256


class Reading:
    """Reads of one live state. Files are read without its lock."""

    def __init__(self, live: Live, pulse: Pulse) -> None:
        self._live = live
        self._pulse = pulse
        self._dimensions = live.options.dimensions

    def one(self, record_id: int, now_s: float) -> Memory | None:
        """It is worth more from now on. Raises CorruptError."""
        live = self._live
        with live.lock:
            where = live.readable(record_id, now_s)
            if where is None:
                return None
            live.touch(record_id, now_s)
        with self._pulse:
            body = live.read_body(where)
        return None if body is None else memory_of(where, body, self._dimensions)

    def text(self, record_id: int, now_s: float) -> str | None:
        """From RAM where it is there. Raises CorruptError."""
        live = self._live
        with live.lock:
            where = live.readable(record_id, now_s)
            if where is None:
                return None
            found = live.text_in_memory(record_id)
            if found is not None:
                live.touch(record_id, now_s)
                return found
        memory = self.one(record_id, now_s)
        return None if memory is None else memory.text

    def some(self, limit: int, now_s: float) -> list[Memory]:
        """In no particular order, without those that go meanwhile. Raises CorruptError.

        The ids are taken at once, since rows change places; the lock is held for a step each, so
        that writers do not wait for the whole.
        """
        live = self._live
        with live.lock:
            ids: list[int] = live.columns.id[: min(limit, live.columns.n)].tolist()
        found: list[Memory] = []
        for first in range(0, len(ids), _RECORDS_PER_STEP):
            found += self._of(ids[first : first + _RECORDS_PER_STEP], now_s)
        return found

    def _of(self, ids: Sequence[int], now_s: float) -> list[Memory]:
        live, ttl_s = self._live, self._live.options.ttl_s
        oldest_s = -inf if ttl_s is None else now_s - ttl_s
        with live.lock:
            rows = [row for row in map(live.rows.get, ids) if row is not None]
            places = live.where_all(np.array(rows, dtype=np.intp))
        alive = [where for where in places if where.pinned or where.created_s >= oldest_s]
        with self._pulse:
            bodies = list(map(live.read_body, alive))
        found = [
            (where, body) for where, body in zip(alive, bodies, strict=True) if body is not None
        ]
        return memories_of(found, self._dimensions)
