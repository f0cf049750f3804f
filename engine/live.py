"""Which records and edges are live, and where do they lie? The state that the log adds up to.

Changes are applied in LSN order, after they are durable, each under `lock` and within
microseconds. Everything here can be rebuilt from the log.
"""

import threading
from collections.abc import Sequence
from sys import getsizeof
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns
from engine.frame import OVERHEAD_BYTES, PINNED, Draft, Reason, decode_payload
from engine.graph import EdgeKey, Graph
from engine.index import Index
from engine.log import Log, Place, Places
from engine.options import Options
from engine.quantise import Rows
from engine.tiers import Tier, Tiers
from engine.totals import Totals

_AGENT_BYTES = 64
_RELIEF_RECORDS = 16
# Room for what is admitted and not yet applied by writers running at the same time.
HEADROOM_RECORDS = 8_192


class Where(NamedTuple):
    """A live record at one moment; body if it was in short-term. The LSN tells whether it is still
    the same one later."""

    id: int
    lsn: int
    place: Place
    length: int
    agent: int
    importance: float
    created_s: float
    pinned: bool
    body: bytes | None


class Live:
    """Columns, id -> row, edges, tiers and each segment's tallies, always of one LSN."""

    def __init__(self, options: Options, log: Log) -> None:
        self.lock = threading.Lock()
        self.log = log
        self.options = options
        self.columns = Columns(options.capacity_records + HEADROOM_RECORDS, options.dimensions)
        self.rows = Index()
        self.graph = Graph(options.capacity_edges)
        self.tiers = Tiers(options.dimensions, options.short_term_bytes, options.intermediate_bytes)
        self.totals = Totals()
        self.by_agent: dict[int, int] = {}
        self._dropped_before = 0

    def put(
        self, drafts: Sequence[Draft], places: Places, lsn: int, rows: Rows, is_update: bool = False
    ) -> None:
        """(lock) Records of distinct ids; LSNs run from `lsn`; rows are their quantised vectors.

        is_update: the one record was read as often as before, and as lately.
        """
        if len(drafts) == 1:
            self._put_one(drafts[0], places, lsn, rows, is_update)
        else:
            self._put_many(drafts, places, lsn, rows)
        ids, bodies = [draft.id for draft in drafts], [draft.body for draft in drafts]
        for record_id in self.tiers.keep_whole(ids, bodies):
            self.keep_nothing(record_id)
        size = sum(map(len, bodies)) + OVERHEAD_BYTES * len(drafts)
        self.log.segments[places.segment].live_bytes += size
        for draft in drafts:
            self.by_agent[draft.agent] = self.by_agent.get(draft.agent, 0) + 1
        self.totals.stored += len(drafts)
        self._relieve_short_term()

    def _put_one(self, draft: Draft, places: Places, lsn: int, rows: Rows, is_update: bool) -> None:
        """What `_put_many` does, at a third of its cost for one: most stores are of one."""
        columns, single = self.columns, self.columns.single
        row = self.rows.get(draft.id)
        accesses, accessed_s = 0, draft.created_s
        if row is None:
            row = int(columns.extend(1)[0])
            self.rows.put((draft.id,), (row,))
        else:
            if is_update:
                accesses, accessed_s = single.accesses[row], single.accessed[row]
            self._bury_rows(np.array([row]))
            self.totals.replaced += 1
        single.id[row], single.lsn[row], single.tags[row] = draft.id, lsn, draft.extra
        single.created[row], single.accessed[row] = draft.created_s, accessed_s
        single.agent[row] = draft.agent
        single.segment[row], single.offset[row] = places.segment, places.offsets[0]
        single.length[row] = len(draft.body) + OVERHEAD_BYTES
        single.accesses[row], single.kept_length[row] = accesses, 0
        single.importance[row] = draft.importance
        single.tier[row] = Tier.SHORT
        single.pinned[row] = draft.flags & PINNED != 0
        columns.levels[row], columns.scale[row], columns.sketch[row] = (part[0] for part in rows)
        columns.note(row)

    def _put_many(self, drafts: Sequence[Draft], places: Places, lsn: int, rows: Rows) -> None:
        columns, index = self.columns, self.rows
        ids = [draft.id for draft in drafts]
        known = map(index.get, ids)
        targets = np.array([-1 if row is None else row for row in known], dtype=np.intp)
        is_fresh = targets < 0
        replaced = targets[~is_fresh]
        if len(replaced):
            self._bury_rows(replaced)
            self.totals.replaced += len(replaced)
        targets[is_fresh] = columns.extend(len(drafts) - len(replaced))
        self._fill(targets, drafts, places, lsn)
        columns.levels[targets] = rows.levels
        columns.scale[targets] = rows.scales
        columns.sketch[targets] = rows.sketches
        columns.note_all(targets)
        index.put(ids, targets.tolist())

    def _relieve_short_term(self) -> None:
        """Writers may outrun demotion, but not by more than the tier's own size: what is too much
        goes to long-term at once, which costs nothing."""
        tiers, options = self.tiers, self.options
        while tiers.short_count() and (
            tiers.short_count() > 2 * options.short_term_records
            or tiers.needed_short_bytes > 2 * options.short_term_bytes
        ):
            for record_id in tiers.oldest_short(_RELIEF_RECORDS):
                self.keep_nothing(record_id)

    def _fill(
        self, rows: NDArray[np.intp], drafts: Sequence[Draft], places: Places, lsn: int
    ) -> None:
        columns = self.columns
        _, ids, bodies, extras, created, agents, _, importances, flags = zip(*drafts, strict=True)
        columns.id[rows] = np.array(ids, dtype=np.uint64)
        columns.lsn[rows] = np.arange(lsn, lsn + len(drafts), dtype=np.uint64)
        columns.tags[rows] = np.array(extras, dtype=np.uint64)
        columns.created[rows] = columns.accessed[rows] = np.array(created)
        columns.agent[rows] = np.array(agents, dtype=np.uint32)
        columns.segment[rows], columns.offset[rows] = places.segment, places.offsets
        columns.length[rows] = np.array(list(map(len, bodies))) + OVERHEAD_BYTES
        columns.importance[rows] = importances
        columns.accesses[rows] = columns.kept_length[rows] = 0
        columns.tier[rows] = Tier.SHORT
        columns.pinned[rows] = (np.array(flags) & PINNED) != 0

    def delete(self, ids: Sequence[int], places: Places, reason: Reason) -> None:
        """(lock) Records with their edges; ids that are not there leave only a tombstone."""
        self.bury_tombstones(places, places.segment)
        found = [row for row in map(self.rows.pop, ids) if row is not None]
        if not found:
            return
        for record_id in ids:
            self.tiers.forget(record_id)
            if self.graph.n:
                for edge in self.graph.remove_record(record_id):
                    self.bury(*edge)
        self._remove_rows(np.array(found, dtype=np.intp))
        self.totals.count_removed(reason, len(found))

    def _remove_rows(self, rows: NDArray[np.intp]) -> None:
        self._bury_rows(rows)
        if len(rows) == 1:
            # A third of the cost, and most deletes are of one.
            row = int(rows[0])
            if self.columns.remove(row) != row:
                self.rows.put([int(self.columns.id[row])], [row])
            return
        moved = self.columns.remove_many(rows)
        self.rows.put(self.columns.id[moved].tolist(), moved.tolist())

    def _bury_rows(self, rows: NDArray[np.intp]) -> None:
        """The frames of these records are dead, and their agents have that many less."""
        columns = self.columns
        frames = zip(columns.segment[rows].tolist(), columns.length[rows].tolist(), strict=True)
        for number, length in frames:
            self.log.segments[number].live_bytes -= length
        self.tiers.ring.bury(sum(columns.kept_length[rows].tolist()))
        for agent in columns.agent[rows].tolist():
            count = self.by_agent[agent] - 1
            if count:
                self.by_agent[agent] = count
            else:
                del self.by_agent[agent]

    def link(self, key: EdgeKey, weight: float, lsn: int, place: Place, length: int) -> None:
        """(lock) If an end has gone meanwhile, the frame is dead on arrival."""
        self._drop_edge(key)
        if key.source not in self.rows or key.target not in self.rows:
            return
        self.graph.add(key, weight, lsn, place, length)
        self.log.segments[place.segment].live_bytes += length

    def unlink(self, key: EdgeKey, places: Places) -> None:
        """(lock)"""
        self._drop_edge(key)
        self.bury_tombstones(places, places.segment)

    def _drop_edge(self, key: EdgeKey) -> None:
        row = self.graph.row_of(key)
        if row is not None:
            self.bury(*self.graph.remove(row))

    def bury(self, place: Place, length: int) -> None:
        """(lock) The frame there is dead."""
        self.log.segments[place.segment].live_bytes -= length

    def bury_tombstones(self, places: Places, horizon: int) -> None:
        """(lock) Delete or unlink frames lie there; see compaction.py for their horizon."""
        segment = self.log.segments[places.segment]
        segment.tombstones.extend(places.offsets)
        segment.horizon = max(segment.horizon, horizon)

    def where(self, record_id: int) -> Where | None:
        """(lock) None when there is no such record."""
        row = self.rows.get(record_id)
        if row is None:
            return None
        single = self.columns.single
        return Where(
            record_id,
            single.lsn[row],
            Place(single.segment[row], single.offset[row]),
            single.length[row],
            single.agent[row],
            single.importance[row],
            single.created[row],
            single.pinned[row],
            self.tiers.body(record_id),
        )

    def where_all(self, rows: NDArray[np.intp]) -> list[Where]:
        """(lock) The records of these rows."""
        columns = self.columns
        fields = zip(
            columns.id[rows].tolist(),
            columns.lsn[rows].tolist(),
            map(Place, columns.segment[rows].tolist(), columns.offset[rows].tolist()),
            columns.length[rows].tolist(),
            columns.agent[rows].tolist(),
            columns.importance[rows].tolist(),
            columns.created[rows].tolist(),
            columns.pinned[rows].tolist(),
            strict=True,
        )
        body = self.tiers.body
        return [Where._make((*field, body(field[0]))) for field in fields]

    def read_body(self, where: Where) -> bytes | None:
        """Without the lock: vector and payload; None when the record has gone meanwhile.

        Raises CorruptError. Compaction may move the frame while we look for it, hence the loop.
        """
        while where.body is None:
            found = self.log.read(where.place, where.length, where.id, where.lsn)
            if found is not None:
                return found
            with self.lock:
                now = self.where(where.id)
            if now is None or now.lsn != where.lsn:
                return None
            where = now
        return where.body

    def touch(self, record_id: int, now_s: float) -> None:
        """(lock) It was read: it is worth more from now on."""
        row = self.rows.get(record_id)
        if row is not None:
            single = self.columns.single
            single.accesses[row] += 1
            single.accessed[row] = max(now_s, single.accessed[row])

    def readable(self, record_id: int, now_s: float) -> Where | None:
        """(lock) None also when it is past its time, though maintenance has not come by yet."""
        where, ttl_s = self.where(record_id), self.options.ttl_s
        if where is None or ttl_s is None or where.pinned or where.created_s >= now_s - ttl_s:
            return where
        return None

    def last_access_s(self, record_id: int) -> float:
        """(lock) Engine time; infinitely long ago for a record that is gone."""
        row = self.rows.get(record_id)
        return float("-inf") if row is None else float(self.columns.accessed[row])

    def keep_compressed(self, record_id: int, packed: bytes) -> None:
        """(lock) From short-term into intermediate, or into long-term if it has no room at all."""
        self.tiers.forget(record_id)
        row = self.rows.get(record_id)
        if row is None:
            return
        single = self.columns.single
        if len(packed) > self.tiers.ring.size:
            single.tier[row] = Tier.LONG
            return
        single.kept[row] = self.tiers.ring.add(packed)
        single.kept_length[row] = len(packed)
        single.tier[row] = Tier.INTERMEDIATE

    def keep_nothing(self, record_id: int) -> None:
        """(lock) Into long-term."""
        self.tiers.forget(record_id)
        row, single = self.rows.get(record_id), self.columns.single
        if row is not None:
            self.tiers.ring.bury(single.kept_length[row])
            single.kept_length[row] = 0
            single.tier[row] = Tier.LONG

    def drop_overwritten(self) -> int:
        """(lock) What the ring has overwritten is long-term now; returns how many records."""
        columns, ring = self.columns, self.tiers.ring
        if ring.oldest == self._dropped_before:
            return 0
        self._dropped_before = ring.oldest
        is_kept = columns.tier[: columns.n] == Tier.INTERMEDIATE
        lost = np.flatnonzero(is_kept & (columns.kept[: columns.n] < ring.oldest))
        ring.bury(int(columns.kept_length[lost].sum()))
        columns.kept_length[lost] = 0
        columns.tier[lost] = Tier.LONG
        return len(lost)

    def text_in_memory(self, record_id: int) -> str | None:
        """(lock) What the record says, if short-term or intermediate has it."""
        body = self.tiers.body(record_id)
        if body is not None:
            return decode_payload(memoryview(body)[2 * self.options.dimensions :]).text
        row, single = self.rows[record_id], self.columns.single
        if single.tier[row] != Tier.INTERMEDIATE:
            return None
        packed = self.tiers.ring.read(single.kept[row], single.kept_length[row])
        return None if packed is None else self.tiers.payload(packed).text

    def accounted_bytes(self) -> dict[str, int]:
        """What this state holds in private memory, by part."""
        tiers = self.tiers
        return {
            "rows": self.columns.touched_bytes,
            "index": self.rows.accounted_bytes,
            "short": tiers.short_bytes,
            "intermediate": tiers.ring.touched_bytes,
            "compression": tiers.compression_bytes,
            "graph": self.graph.accounted_bytes,
            "agents": getsizeof(self.by_agent) + _AGENT_BYTES * len(self.by_agent),
            "log": self.log.accounted_bytes,
        }
