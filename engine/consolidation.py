"""Which records of an agent say the same, and what remains of them?

Looks at what was stored since it last looked, 64 records a run, and at nothing while nothing is. Of
records whose vectors have at least the given cosine, the one worth most stays, with the highest
importance and the youngest creation of all, their reads and their edges; the others are deleted.
"""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from engine import eviction
from engine.admission import STEP_RECORDS
from engine.clock import Clock
from engine.columns import Rows
from engine.errors import CapacityError, NotFoundError
from engine.eviction import Victims
from engine.frame import PINNED, Draft, Kind, Reason, decode_payload, tag_bits
from engine.graph import EdgeKey
from engine.live import Live, Where
from engine.quantise import quantise
from engine.search import Filter, Search
from engine.writer import Writer

_NEAR_MAX = 16
_ACCESSES_MAX = 2**32 - 1


class Consolidation:
    """Remembers how far it looked: up to which LSN, and what of that is still to be looked at."""

    def __init__(
        self, live: Live, search: Search, writer: Writer, clock: Clock, half_life_s: float
    ) -> None:
        self._live = live
        self._search = search
        self._writer = writer
        self._clock = clock
        self._half_life_s = half_life_s
        self._changes: int | None = None
        self._lsn = 0
        self._backlog = np.empty(0, dtype=np.uint64)
        self._again: set[int] = set()

    @property
    def is_behind(self) -> bool:
        """Whether there is anything to look at."""
        return (
            len(self._backlog) > 0
            or len(self._again) > 0
            or self._changes != self._live.columns.changes
        )

    def run(self, similarity: float) -> int:
        """Look at up to 64 records; returns how many were merged away."""
        if not len(self._backlog):
            self._gather()
        step, self._backlog = np.split(self._backlog, [STEP_RECORDS])
        merged = 0
        for record_id in step.tolist():
            try:
                merged += self._merge_into_best(record_id, similarity)
            except CapacityError:
                # No room for what would be left of them; there may be when this is tried again.
                self._again.add(record_id)
        return merged

    def _gather(self) -> None:
        """What was stored since the last time, and what is to be looked at again; what has only
        changed its row is known already."""
        with self._live.lock:
            columns = self._live.columns
            mark, self._changes = self._changes, columns.changes
            rows = None if mark is None else columns.changes_since(mark)
            chosen = slice(columns.n) if rows is None else rows
            lsns = columns.lsn[chosen]
            is_new = lsns > self._lsn
            fresh = columns.id[chosen][is_new]
            self._lsn = int(lsns.max(initial=self._lsn))
        again = np.array(sorted(self._again), dtype=np.uint64)
        self._again.clear()
        self._backlog = np.concatenate([fresh, again])

    def _merge_into_best(self, record_id: int, similarity: float) -> int:
        with self._live.lock:
            mark = self._live.columns.changes
            where = self._live.where(record_id)
        body = self._live.read_body(where) if where else None
        if where is None or body is None:
            return 0
        unit = np.frombuffer(body, dtype="<f2", count=self._live.options.dimensions)
        hits = self._search.nearest(unit.astype(np.float32), _NEAR_MAX, Filter(agent=where.agent))
        near = [hit.id for hit in hits if hit.score >= similarity]
        with self._live.lock:
            rows = self._steady_rows(near, mark)
            alike = self._live.where_all(rows)
            scores = self._scores(rows)
            is_partial = len(alike) < sum(other in self._live.rows for other in near)
        if is_partial:
            self._again.add(record_id)
        if len(alike) < 2:
            return 0
        merged = self._merge(alike, scores)
        # There may be more of them than were asked for.
        if merged and len(near) == _NEAR_MAX:
            self._again.add(record_id)
        return merged

    def _merge(self, alike: list[Where], scores: NDArray[np.float64]) -> int:
        spared = [one for one in alike if one.pinned]
        best = spared[0] if spared else alike[int(np.argmax(scores))]
        gone = [one for one in alike if one is not best and not one.pinned]
        if not gone:
            return 0
        highest = max(one.importance for one in alike)
        youngest_s = max(one.created_s for one in (best, *gone))
        lsn = self._renewed(best, highest, youngest_s)
        if not lsn:
            return 0
        for other in gone:
            self._move_edges(other.id, best.id)
        with self._live.lock:
            now = self._live.where(best.id)
            # Gone or stored anew meanwhile, it does not stand for the others.
            if now is None or now.lsn != lsn:
                return 0
            self._add_uses(best.id, gone)
        ids, lsns = ([one.id for one in gone], [one.lsn for one in gone])
        victims = Victims(np.array(ids, dtype=np.uint64), np.array(lsns, dtype=np.uint64))
        return self._writer.forget(victims, Reason.CONSOLIDATED)

    def _add_uses(self, best: int, gone: list[Where]) -> None:
        """(lock) Whoever read one of them has read what remains of them."""
        index, single = self._live.rows, self._live.columns.single
        target = index[best]
        for row in [row for row in (index.get(one.id) for one in gone) if row is not None]:
            accesses = single.accesses[target] + single.accesses[row]
            single.accesses[target] = min(accesses, _ACCESSES_MAX)
            single.accessed[target] = max(single.accessed[target], single.accessed[row])

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

    def _renewed(self, best: Where, importance: float, created_s: float) -> int:
        """Put the best anew, if it is not that important and that young already. Its LSN, or 0: it
        has changed."""
        if importance <= best.importance and created_s <= best.created_s:
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
            created_s=created_s,
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
