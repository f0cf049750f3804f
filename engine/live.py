"""Which records and edges are live, and where do they lie? The state that the log adds up to.

Changes are applied in LSN order, after they are durable, each under `lock` and within
microseconds. Everything here can be rebuilt from the log.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from sys import getsizeof
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns
from engine.frame import OVERHEAD_BYTES, PINNED, Draft, Reason, decode_payload
from engine.graph import EdgeKey, Graph
from engine.log import Log, Place
from engine.options import Options
from engine.quantise import Rows
from engine.tiers import Tier, Tiers

_ID_BYTES = 64
_SHRINK_RATIO = 0.6
_RELIEF_RECORDS = 16
# Room for what is admitted and not yet applied by writers running at the same time.
HEADROOM_RECORDS = 8_192


@dataclass(slots=True)
class Totals:
    """Counted since open."""

    stored: int = 0
    replaced: int = 0
    deleted: int = 0
    evicted: int = 0
    expired: int = 0
    consolidated: int = 0
    damaged: int = 0


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
    body: bytes | None


class Live:
    """Columns, id -> row, edges, tiers and each segment's tallies, always of one LSN."""

    def __init__(self, options: Options, log: Log) -> None:
        self.lock = threading.Lock()
        self.log = log
        self.options = options
        self.columns = Columns(options.capacity_records + HEADROOM_RECORDS, options.dimensions)
        self.rows: dict[int, int] = {}
        self.graph = Graph(options.capacity_edges)
        self.tiers = Tiers(options.dimensions, options.intermediate_bytes)
        self.totals = Totals()
        self.by_agent: dict[int, int] = {}
        self._rows_peak = 0
        # The interpreter keeps the room of whole numbers once taken, so this never falls.
        self._ids_peak = 0

    def put(self, drafts: Sequence[Draft], places: Sequence[Place], lsn: int, rows: Rows) -> None:
        """(lock) Records of distinct ids; LSNs run from `lsn`; rows are their quantised vectors."""
        columns = self.columns
        targets = np.empty(len(drafts), dtype=np.intp)
        fresh = []
        for index, draft in enumerate(drafts):
            row = self.rows.get(draft.id)
            if row is None:
                fresh.append(index)
                continue
            targets[index] = row
            self.bury(Place(int(columns.segment[row]), 0), int(columns.length[row]))
            self._count_agent(int(columns.agent[row]), -1)
            self.totals.replaced += 1
        if fresh:
            targets[fresh] = columns.extend(len(fresh))
        self._fill(targets, drafts, places, lsn)
        columns.levels[targets] = rows.levels
        columns.scale[targets] = rows.scales
        columns.sketch[targets] = rows.sketches
        columns.note_all(targets)
        for draft, row, place in zip(drafts, targets.tolist(), places, strict=True):
            self.rows[draft.id] = row
            self.tiers.keep_whole(draft.id, draft.body)
            self.log.segments[place.segment].live_bytes += len(draft.body) + OVERHEAD_BYTES
            self._count_agent(draft.agent, 1)
        self.totals.stored += len(drafts)
        self._rows_peak = max(self._rows_peak, len(self.rows))
        self._ids_peak = max(self._ids_peak, len(self.rows))
        self._relieve_short_term()

    def _relieve_short_term(self) -> None:
        """Writers may outrun demotion, but not by more than the tier's own size: what is too much
        goes to long-term at once, which costs nothing."""
        tiers, options = self.tiers, self.options
        while (
            tiers.short_count() > 2 * options.short_term_records
            or tiers.short_bytes > 2 * options.short_term_bytes
        ):
            for record_id in tiers.oldest_short(_RELIEF_RECORDS):
                self.keep_nothing(record_id)

    def _fill(
        self, rows: NDArray[np.intp], drafts: Sequence[Draft], places: Sequence[Place], lsn: int
    ) -> None:
        columns = self.columns
        columns.id[rows] = np.array([d.id for d in drafts], dtype=np.uint64)
        columns.lsn[rows] = np.arange(lsn, lsn + len(drafts), dtype=np.uint64)
        columns.tags[rows] = np.array([d.extra for d in drafts], dtype=np.uint64)
        created = np.array([d.created_s for d in drafts])
        columns.created[rows] = created
        columns.accessed[rows] = created
        columns.agent[rows] = [d.agent for d in drafts]
        columns.segment[rows] = [p.segment for p in places]
        columns.offset[rows] = [p.offset for p in places]
        columns.length[rows] = [len(d.body) + OVERHEAD_BYTES for d in drafts]
        columns.accesses[rows] = 0
        columns.importance[rows] = [d.importance for d in drafts]
        columns.tier[rows] = Tier.SHORT
        columns.pinned[rows] = [bool(d.flags & PINNED) for d in drafts]

    def delete(self, ids: Sequence[int], places: Sequence[Place], reason: Reason) -> None:
        """(lock) Records with their edges; ids that are not there leave only a tombstone."""
        for record_id, place in zip(ids, places, strict=True):
            self.bury_tombstone(place, place.segment, OVERHEAD_BYTES)
            row = self.rows.pop(record_id, None)
            if row is None:
                continue
            self._remove_row(row)
            self.tiers.forget(record_id)
            for edge in self.graph.remove_record(record_id):
                self.bury(*edge)
            self._count_removed(reason)

    def _remove_row(self, row: int) -> None:
        columns = self.columns
        self.bury(Place(int(columns.segment[row]), 0), int(columns.length[row]))
        self._count_agent(int(columns.agent[row]), -1)
        if columns.remove(row) != row:
            self.rows[int(columns.id[row])] = row

    def _count_removed(self, reason: Reason) -> None:
        match reason:
            case Reason.DELETED:
                self.totals.deleted += 1
            case Reason.EVICTED:
                self.totals.evicted += 1
            case Reason.EXPIRED:
                self.totals.expired += 1
            case Reason.CONSOLIDATED:
                self.totals.consolidated += 1
            case Reason.DAMAGED:
                self.totals.damaged += 1

    def link(self, key: EdgeKey, weight: float, lsn: int, place: Place, length: int) -> None:
        """(lock) If an end has gone meanwhile, the frame is dead on arrival."""
        self._drop_edge(key)
        if key.source not in self.rows or key.target not in self.rows:
            return
        self.graph.add(key, weight, lsn, place, length)
        self.log.segments[place.segment].live_bytes += length

    def unlink(self, key: EdgeKey, place: Place, length: int) -> None:
        """(lock)"""
        self._drop_edge(key)
        self.bury_tombstone(place, place.segment, length)

    def _drop_edge(self, key: EdgeKey) -> None:
        row = self.graph.row_of(key)
        if row is not None:
            self.bury(*self.graph.remove(row))

    def bury(self, place: Place, length: int) -> None:
        """(lock) The frame there is dead."""
        self.log.segments[place.segment].live_bytes -= length

    def bury_tombstone(self, place: Place, horizon: int, length: int) -> None:
        """(lock) A delete or unlink frame lies there; see compaction.py for its horizon."""
        segment = self.log.segments[place.segment]
        segment.tombstones += 1
        segment.tombstone_bytes += length
        segment.horizon = max(segment.horizon, horizon)

    def _count_agent(self, agent: int, change: int) -> None:
        count = self.by_agent.get(agent, 0) + change
        if count:
            self.by_agent[agent] = count
        else:
            self.by_agent.pop(agent, None)

    def where(self, record_id: int) -> Where | None:
        """(lock) None when there is no such record."""
        row = self.rows.get(record_id)
        if row is None:
            return None
        c = self.columns
        return Where(
            record_id,
            c.lsn.item(row),
            Place(c.segment.item(row), c.offset.item(row)),
            c.length.item(row),
            c.agent.item(row),
            c.importance.item(row),
            c.created.item(row),
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
            strict=True,
        )
        return [
            Where(i, lsn, place, length, agent, weight, created, self.tiers.body(i))
            for i, lsn, place, length, agent, weight, created in fields
        ]

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
            columns = self.columns
            columns.accesses[row] += 1
            columns.accessed[row] = max(now_s, columns.accessed.item(row))

    def is_pinned(self, record_id: int) -> bool:
        """(lock)"""
        row = self.rows.get(record_id)
        return row is not None and bool(self.columns.pinned[row])

    def is_expired(self, record_id: int, now_s: float) -> bool:
        """(lock) Past its time, though maintenance has not come by yet."""
        ttl_s = self.options.ttl_s
        if ttl_s is None or self.is_pinned(record_id):
            return False
        return bool(self.columns.created[self.rows[record_id]] < now_s - ttl_s)

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
        if len(packed) > self.tiers.ring.size:
            self.columns.tier[row] = Tier.LONG
            return
        self.columns.kept[row] = self.tiers.ring.add(packed)
        self.columns.kept_length[row] = len(packed)
        self.columns.tier[row] = Tier.INTERMEDIATE

    def keep_nothing(self, record_id: int) -> None:
        """(lock) Into long-term."""
        self.tiers.forget(record_id)
        row = self.rows.get(record_id)
        if row is not None:
            self.columns.tier[row] = Tier.LONG

    def drop_overwritten(self) -> int:
        """(lock) What the ring has overwritten is long-term now; returns how many records."""
        columns, ring = self.columns, self.tiers.ring
        is_kept = columns.tier[: columns.n] == Tier.INTERMEDIATE
        is_lost = is_kept & (columns.kept[: columns.n] < ring.oldest)
        columns.tier[: columns.n][is_lost] = Tier.LONG
        return int(is_lost.sum())

    def text_in_memory(self, record_id: int) -> str | None:
        """(lock) What the record says, if short-term or intermediate has it."""
        body = self.tiers.body(record_id)
        if body is not None:
            return decode_payload(memoryview(body)[2 * self.options.dimensions :]).text
        row = self.rows[record_id]
        if self.columns.tier[row] != Tier.INTERMEDIATE:
            return None
        position, length = self.columns.kept.item(row), self.columns.kept_length.item(row)
        packed = self.tiers.ring.read(position, length)
        return None if packed is None else self.tiers.payload(packed).text

    def shrink_index(self) -> bool:
        """(lock) Rebuild id -> row well below its peak; a dict never shrinks itself."""
        if len(self.rows) > _SHRINK_RATIO * self._rows_peak or self._rows_peak < 1_024:
            return False
        self.rows = dict(self.rows)
        self._rows_peak = len(self.rows)
        return True

    def forget_peak(self) -> None:
        """(lock) After recovery: what is there is the peak."""
        self._rows_peak = self._ids_peak = len(self.rows)

    def accounted_bytes(self) -> dict[str, int]:
        """What this state holds in private memory, by part."""
        tiers = self.tiers
        return {
            "rows": self.columns.touched_bytes,
            "index": getsizeof(self.rows) + _ID_BYTES * self._ids_peak,
            "short": tiers.short_bytes,
            "intermediate": tiers.ring.touched_bytes,
            "graph": self.graph.accounted_bytes,
            "agents": getsizeof(self.by_agent) + _ID_BYTES * len(self.by_agent),
        }
