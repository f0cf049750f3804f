"""A plain honest memory: a dictionary, a brute-force search and an append-only file.

The reference for what a target must answer, and the healthy part of the faulty one. Exact, so its
recall is 1; slow above some 50,000 records. With capacity_records it forgets the least important
unpinned record whenever a store exceeds it.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from threading import RLock

from pydantic import BaseModel, ConfigDict, Field

from soak.clock import NS_PER_S, Clock
from soak.result import OPERATIONS, RecordMissing, TargetError
from soak.seams import Edge, Hit, MaintenanceEvent, Query, Record, Scanned
from soak.targets._exact_rows import ChooseVictim, ExactRows, least_important
from soak.targets._store_log import StoreLog, frame_bytes

CAPABILITIES = frozenset({*OPERATIONS, "pin"}) - {"transition"}
EVENTS_KEPT = 1024
NODES_MAX = 1000
GARBAGE_BYTES_MIN = 1 << 20
# Forgetting is announced before it starts: more stores than this never fall between two questions.
ANNOUNCED_RECORDS = 256
# And for so long after it happened, so that every asker hears of it.
REMEMBERED_NS = 2 * NS_PER_S


class Params(BaseModel):
    """capacity_records: above it the least important goes; null keeps everything."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    capacity_records: int | None = Field(None, ge=1)
    garbage_ratio: float = Field(0.5, gt=0, le=1)


class Memory:
    """One lock around everything; as large as what was stored and not deleted."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        params: Params,
        data_dir: Path,
        clock: Clock,
        choose_victim: ChooseVictim = least_important,
    ) -> None:
        self._params = params
        self._data_dir = data_dir
        self._clock = clock
        self._choose_victim = choose_victim
        self._lock = RLock()
        self._events: deque[MaintenanceEvent] = deque(maxlen=EVENTS_KEPT)
        self._sequence = 0
        self._evicted_total = 0
        self._evicted_when_asked = 0
        self._evicted_ns = -REMEMBERED_NS
        data_dir.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        self._rows = ExactRows(self._params.dimensions)
        self._edges: dict[int, set[int]] = {}
        self._sources: dict[int, set[int]] = {}
        self._live_bytes = 0
        self._log = StoreLog(self._data_dir / "records.log")
        for entry in self._log.replay():
            if isinstance(entry, Record):
                self._insert(entry)
            elif isinstance(entry, Edge):
                self._join(entry)
            else:
                self._remove(entry)
        self._is_open = True

    def store(self, record: Record) -> None:
        with self._lock:
            self._check_open()
            self._check_vector(record.vector.shape)
            self._log.put(record)
            self._insert(record)
            capacity = self._params.capacity_records
            if capacity is not None and len(self._rows.records) > capacity:
                self._forget(self._rows.victim(self._choose_victim))
                self._evicted_total += 1
            self._compact_if_worth()

    def store_batch(self, records: Sequence[Record]) -> None:
        for record in records:
            self.store(record)

    def get(self, key: int) -> Record | None:
        with self._lock:
            self._check_open()
            return self._rows.records.get(key)

    def search(self, query: Query) -> Sequence[Hit]:
        with self._lock:
            self._check_open()
            self._check_vector(query.vector.shape)
            return self._rows.search(query)

    def update(self, record: Record) -> None:
        with self._lock:
            self._check_held(record.key)
            self.store(record)

    def delete(self, key: int) -> None:
        with self._lock:
            self._check_open()
            self._forget(key)
            self._compact_if_worth()

    def scan(self, limit: int) -> Scanned:
        with self._lock:
            self._check_open()
            read = islice(self._rows.records.values(), limit)
            return [(record.key, record.text) for record in read]

    def link(self, edge: Edge) -> None:
        with self._lock:
            self._check_held(edge.source)
            self._check_held(edge.target)
            self._log.link(edge)
            self._join(edge)

    def traverse(self, start: int, depth: int) -> Sequence[int]:
        with self._lock:
            self._check_held(start)
            reached: dict[int, None] = {start: None}
            frontier = [start]
            for _ in range(depth):
                ends = [end for key in frontier for end in sorted(self._edges.get(key, ()))]
                frontier = [end for end in dict.fromkeys(ends) if end not in reached]
                reached.update(dict.fromkeys(frontier))
            return list(reached)[1 : NODES_MAX + 1]

    def maintain(self) -> None:
        with self._lock:
            self._check_open()
            self._compact(explicit=True)

    def reopen(self) -> None:
        with self._lock:
            self.close()
            self._open()

    def stats(self) -> Mapping[str, float]:
        return {
            "records_live_count": float(len(self._rows.records)),
            "records_evicted_count": float(self._evicted_total),
            "accounted_bytes": float(self._live_bytes),
            "log_bytes": float(self._log.size_bytes),
        }

    def events(self, after: int) -> Sequence[MaintenanceEvent]:
        return [event for event in self._events.copy() if event.sequence > after]

    def may_forget(self) -> bool:
        capacity = self._params.capacity_records
        with self._lock:
            if self._evicted_total > self._evicted_when_asked:
                self._evicted_when_asked = self._evicted_total
                self._evicted_ns = self._clock.monotonic_ns()
            has_evicted = self._clock.monotonic_ns() - self._evicted_ns < REMEMBERED_NS
            is_near = capacity is not None and self.count() > capacity - ANNOUNCED_RECORDS
            return has_evicted or is_near

    def count(self) -> int:
        return len(self._rows.records)

    def processes(self) -> Sequence[int]:
        return ()

    def directories(self) -> Sequence[Path]:
        return (self._data_dir,)

    def close(self) -> None:
        with self._lock:
            if self._is_open:
                self._log.close()
            self._is_open = False

    def _check_open(self) -> None:
        if not self._is_open:
            raise TargetError("the memory is closed; reopen it")

    def _check_held(self, key: int) -> None:
        self._check_open()
        if key not in self._rows.records:
            raise RecordMissing(f"no record {key}")

    def _check_vector(self, shape: tuple[int, ...]) -> None:
        if shape != (self._params.dimensions,):
            raise TargetError(f"vector of shape {shape}, expected ({self._params.dimensions},)")

    def _insert(self, record: Record) -> None:
        replaced = self._rows.records.get(record.key)
        self._live_bytes += frame_bytes(record) - (frame_bytes(replaced) if replaced else 0)
        self._rows.put(record)

    def _join(self, edge: Edge) -> None:
        self._edges.setdefault(edge.source, set()).add(edge.target)
        self._sources.setdefault(edge.target, set()).add(edge.source)

    def _forget(self, key: int) -> None:
        if key in self._rows.records:
            self._log.delete(key)
            self._remove(key)

    def _remove(self, key: int) -> None:
        record = self._rows.remove(key)
        self._live_bytes -= frame_bytes(record) if record else 0
        for end in self._edges.pop(key, ()):
            self._sources[end].discard(key)
        for source in self._sources.pop(key, ()):
            self._edges[source].discard(key)

    def _compact_if_worth(self) -> None:
        garbage_bytes = self._log.size_bytes - self._live_bytes
        if garbage_bytes > max(
            GARBAGE_BYTES_MIN, self._params.garbage_ratio * self._log.size_bytes
        ):
            self._compact(explicit=False)

    def _compact(self, *, explicit: bool) -> None:
        start_ns = self._clock.monotonic_ns()
        edges = [Edge(source=key, target=end) for key, ends in self._edges.items() for end in ends]
        reclaimed_bytes = self._log.rewrite(self._rows.records.values(), edges)
        self._sequence += 1
        duration_s = (self._clock.monotonic_ns() - start_ns) / 1e9
        self._events.append(
            MaintenanceEvent(
                sequence=self._sequence,
                kind="compact",
                start_ns=start_ns,
                duration_s=duration_s,
                records=len(self._rows.records),
                bytes_reclaimed=max(0, reclaimed_bytes),
                longest_pause_s=duration_s,
                explicit=explicit,
            )
        )


def build(params: object, data_dir: Path, clock: Clock) -> Memory:
    assert isinstance(params, Params)
    return Memory(params, data_dir, clock)
