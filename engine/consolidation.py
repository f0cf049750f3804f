"""Which records of an agent say the same, and what remains of them?

Walks over the rows, 64 a run. Of records whose vectors have at least the given cosine, the one
worth most stays, with the highest importance of all and their edges; the others are deleted.
"""

import numpy as np
from numpy.typing import NDArray

from engine import eviction
from engine.clock import Clock
from engine.frame import PINNED, Draft, Kind, Reason
from engine.graph import EdgeKey
from engine.live import Live
from engine.quantise import quantise
from engine.search import Filter, Search
from engine.writer import Writer

STEP_RECORDS = 64
_NEAR_MAX = 16


class Consolidation:
    """Remembers where it stopped; a full round of the rows takes n / 64 runs."""

    def __init__(
        self, live: Live, search: Search, writer: Writer, clock: Clock, half_life_s: float
    ) -> None:
        self._live = live
        self._search = search
        self._writer = writer
        self._clock = clock
        self._half_life_s = half_life_s
        self._next_row = 0

    def run(self, similarity: float) -> int:
        """Look at the next 64 rows; returns how many records were merged away."""
        with self._live.lock:
            n = self._live.columns.n
            if not n:
                return 0
            rows = (self._next_row + np.arange(min(STEP_RECORDS, n))) % n
            self._next_row = int(rows[-1]) + 1
            ids = self._live.columns.id[rows].tolist()
        return sum(self._merge_into_best(record_id, similarity) for record_id in ids)

    def _merge_into_best(self, record_id: int, similarity: float) -> int:
        with self._live.lock:
            where = self._live.where(record_id)
        body = self._live.read_body(where) if where else None
        if where is None or body is None:
            return 0
        unit = np.frombuffer(body, dtype="<f2", count=self._live.options.dimensions)
        hits = self._search.nearest(unit.astype(np.float32), _NEAR_MAX, Filter(agent=where.agent))
        alike = [hit.id for hit in hits if hit.score >= similarity]
        with self._live.lock:
            live_ids = [i for i in alike if i in self._live.rows]
            spared = [i for i in live_ids if self._live.is_pinned(i)]
            scores = self._scores(live_ids)
        if len(live_ids) < 2:
            return 0
        best = spared[0] if spared else live_ids[int(np.argmax(scores))]
        gone = [i for i in live_ids if i != best and i not in spared]
        if not gone:
            return 0
        self._raise_importance(best, live_ids)
        for other in gone:
            self._move_edges(other, best)
        return self._writer.delete(gone, Reason.CONSOLIDATED, spare_pinned=True)

    def _scores(self, ids: list[int]) -> NDArray[np.float64]:
        rows = np.array([self._live.rows[i] for i in ids], dtype=np.intp)
        now_s = self._clock.now_s()
        return eviction.scores_of(self._live.columns, rows, now_s, self._half_life_s)

    def _raise_importance(self, best: int, ids: list[int]) -> None:
        """Put the best anew with the highest importance of all, unless it has that already."""
        columns = self._live.columns
        with self._live.lock:
            where = self._live.where(best)
            weights = [columns.importance.item(self._live.rows[i]) for i in ids]
            tags = columns.tags.item(self._live.rows[best])
            flags = PINNED if self._live.is_pinned(best) else 0
        body = self._live.read_body(where) if where else None
        if where is None or body is None or max(weights) <= where.importance:
            return
        dimensions = self._live.options.dimensions
        half = np.frombuffer(body, dtype="<f2", count=dimensions)
        draft = Draft(
            Kind.PUT,
            best,
            body,
            extra=tags,
            created_s=where.created_s,
            agent=where.agent,
            aux=dimensions,
            importance=max(weights),
            flags=flags,
        )
        self._writer.replace(draft, quantise(half[None, :]), where.lsn)

    def _move_edges(self, other: int, best: int) -> None:
        graph = self._live.graph
        with self._live.lock:
            outgoing = [(EdgeKey(best, t, k), w) for t, k, w in graph.neighbours(other)]
            incoming = [(EdgeKey(s, best, k), w) for s, k, w in graph.incoming(other)]
            moved = [
                (key, weight)
                for key, weight in outgoing + incoming
                if key.source != key.target
                and other not in key[:2]
                and graph.row_of(key) is None
                and key.source in self._live.rows
                and key.target in self._live.rows
            ]
        for key, weight in moved:
            self._writer.link(key, graph.name_of(key.kind), weight)
