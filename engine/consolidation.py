"""Which records of an agent say the same, and what remains of them?

Walks over the rows, 64 a run. Of records whose vectors have at least the given cosine, the one
worth most stays, with the highest importance of all and their edges; the others are deleted.
"""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from engine import eviction
from engine.clock import Clock
from engine.columns import Rows
from engine.errors import NotFoundError
from engine.eviction import Victims
from engine.frame import PINNED, Draft, Kind, Reason, decode_payload, tag_bits
from engine.graph import EdgeKey
from engine.live import Live, Where
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
            mark = self._live.columns.changes
            where = self._live.where(record_id)
        body = self._live.read_body(where) if where else None
        if where is None or body is None:
            return 0
        unit = np.frombuffer(body, dtype="<f2", count=self._live.options.dimensions)
        hits = self._search.nearest(unit.astype(np.float32), _NEAR_MAX, Filter(agent=where.agent))
        with self._live.lock:
            rows = self._steady_rows([h.id for h in hits if h.score >= similarity], mark)
            alike = self._live.where_all(rows)
            scores = self._scores(rows)
        if len(alike) < 2:
            return 0
        spared = [one for one in alike if one.pinned]
        best = spared[0] if spared else alike[int(np.argmax(scores))]
        gone = [one for one in alike if one is not best and not one.pinned]
        highest = max(one.importance for one in alike)
        lsn = self._raise_importance(best, highest) if gone else 0
        if not lsn:
            return 0
        for other in gone:
            self._move_edges(other.id, best.id)
        with self._live.lock:
            now = self._live.where(best.id)
        # Gone or stored anew meanwhile, it does not stand for the others.
        if now is None or now.lsn != lsn:
            return 0
        ids, lsns = ([one.id for one in gone], [one.lsn for one in gone])
        victims = Victims(np.array(ids, dtype=np.uint64), np.array(lsns, dtype=np.uint64))
        return self._writer.forget(victims, Reason.CONSOLIDATED)

    def _steady_rows(self, ids: list[int], mark: int) -> Rows:
        """(lock) The rows of those that are live and have not been written since the mark."""
        changed = self._live.columns.changes_since(mark)
        if changed is None:
            return np.empty(0, dtype=np.intp)
        found = [row for row in map(self._live.rows.get, ids) if row is not None]
        rows = np.array(found, dtype=np.intp)
        return rows[~np.isin(rows, changed)]

    def _scores(self, rows: Rows) -> NDArray[np.float64]:
        now_s = self._clock.now_s()
        return eviction.scores_of(self._live.columns, rows, now_s, self._half_life_s)

    def _raise_importance(self, best: Where, importance: float) -> int:
        """Put the best anew, if it is not that important already. Its LSN, or 0: it has changed."""
        if importance <= best.importance:
            return best.lsn
        body = self._live.read_body(best)
        if body is None:
            return 0
        dimensions = self._live.options.dimensions
        half = np.frombuffer(body, dtype="<f2", count=dimensions)
        draft = Draft(
            Kind.PUT,
            best.id,
            body,
            extra=tag_bits(decode_payload(memoryview(body)[2 * dimensions :]).tags),
            created_s=best.created_s,
            agent=best.agent,
            aux=dimensions,
            importance=importance,
            flags=PINNED if best.pinned else 0,
        )
        return self._writer.replace(draft, quantise(half[None, :]), best.lsn)

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
            # An end that has gone meanwhile took its edges along.
            with suppress(NotFoundError):
                self._writer.link(key, graph.name_of(key.kind), weight)
