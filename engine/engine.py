"""The engine as its user sees it: open, store, search, forget, link, ask how it is.

import engine

with engine.open("memories") as store:
    store.store(engine.Memory(id=1, agent=7, text="likes tea", vector=embed("likes tea")))
    hits = store.search(embed("what to drink?"), k=3, agent=7)
"""

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from engine import intake, manifest
from engine.answers import memory_of
from engine.calls import Calls
from engine.clock import Clock, SystemClock
from engine.disk import Disk
from engine.errors import BadInputError, NotFoundError
from engine.frame import tag_bits
from engine.health import Health
from engine.history import MaintenanceEvent
from engine.memory import Edge, Hit, Memory
from engine.options import Options
from engine.parts import assemble, release
from engine.reading import Reading
from engine.search import Filter
from engine.tiers import Tier, tier_of

_BATCH_RECORDS = 256
_VISITS_MAX = 100_000
_K_MAX = 1_000


def open(
    directory: Path | str,
    options: Options | None = None,
    clock: Clock | None = None,
    *,
    disk: Disk | None = None,
) -> "Engine":
    """An engine on this directory, created if need be, recovered if it was not closed.

    Raises DirectoryError, LockedError, FormatError, CorruptError (a file header), CapacityError
    (records on disk: over 8,192 more than capacity_records), BadInputError, OSError.
    """
    chosen = Options() if options is None else options
    if not isinstance(chosen, Options):
        raise BadInputError(f"options are {options!r}; they must be engine.Options")
    return Engine(manifest.path_of(directory), chosen, clock or SystemClock(), disk or Disk())


class Engine:
    """An embedded memory for agents. Every method is thread-safe and raises ClosedError after
    close() and LockedError in a forked child; writes raise CapacityError when there is no room and
    DurabilityError after a failed sync, and reads still work then."""

    def __init__(self, directory: Path, options: Options, clock: Clock, disk: Disk) -> None:
        self.directory = directory
        self.options = options
        self._lock_fd = manifest.lock(directory)
        self._is_open = False
        try:
            parts = assemble(directory, options, clock, disk)
            self._is_open = True
        finally:
            if not self._is_open:
                manifest.unlock(self._lock_fd)
        self._calls = Calls(directory)
        self._closing = threading.RLock()
        self._clock = parts.clock
        self._live = parts.live
        self._writer = parts.writer
        self._search = parts.search
        self._maintenance = parts.maintenance
        self._history = parts.history
        self._pulse = parts.pulse
        self._stats = parts.stats
        self._reading = Reading(parts.live, parts.pulse)
        self._maintenance.start()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for calls under way, refuse others, sync, checkpoint, let go of the directory.

        Closing twice is fine; in a forked child it does nothing. Raises DurabilityError or OSError
        when the last sync fails; the engine is closed all the same.
        """
        if self._calls.are_of_a_parent:
            return
        with self._closing:
            if not self._is_open:
                return
            self._calls.refuse()
            self._maintenance.stop()
            self._calls.wait()
            self._is_open = False
            try:
                self._maintenance.finish()
            finally:
                manifest.unlock(self._lock_fd)
                release(self._live)

    def now_s(self) -> float:
        """The engine's own time: records are created, expire, and events begin in it."""
        return self._clock.now_s()

    def store(self, memory: Memory) -> None:
        """Acknowledged and visible on return. An existing id is replaced."""
        self.store_batch((memory,))

    def store_batch(self, memories: Sequence[Memory]) -> None:
        """Like `store` for each in order, with one sync per 256; the last of equal ids wins.

        Raises BadInputError, TooLargeError before anything is written: the whole batch is made
        ready in RAM first. After CapacityError a part of one of more than 256 may be stored.
        """
        with self._calls:
            distinct = intake.distinct(memories)
            now_s = self._clock.now_s()
            steps = [
                intake.drafts_of(distinct[first : first + _BATCH_RECORDS], self.options, now_s)
                for first in range(0, len(distinct), _BATCH_RECORDS)
            ]
            for drafts, rows in steps:
                with self._pulse:
                    self._writer.put(drafts, rows)

    def get(self, record_id: int) -> Memory | None:
        """The record, or None. Reading it makes it worth more. Raises CorruptError."""
        with self._calls:
            return self._reading.one(intake.checked_id(record_id), self._clock.now_s())

    def text(self, record_id: int) -> str | None:
        """What the record says, without its vector: from RAM in short-term and intermediate.

        None when there is no such record. Raises CorruptError. Reading it counts as in `get`.
        """
        with self._calls:
            return self._reading.text(intake.checked_id(record_id), self._clock.now_s())

    def search(
        self,
        vector: NDArray[np.float32],
        k: int = 10,
        *,
        agent: int | None = None,
        tier: Tier | str | None = None,
        since_s: float | None = None,
        until_s: float | None = None,
        tag: str | None = None,
    ) -> list[Hit]:
        """At most k records by cosine, best first; every filter given must hold.

        vector: (dimensions,), finite, not zero; tier: short, intermediate or long; times are of
        creation, [since_s, until_s). What is returned counts as read. Raises BadInputError.
        """
        checked = intake.checked_vector(vector, self.options.dimensions, "query")
        if not 1 <= intake.checked_count(k, "k") <= _K_MAX:
            raise BadInputError(f"k is {k}; it must be 1..{_K_MAX}")
        now_s = self._clock.now_s()
        ttl_s = self.options.ttl_s
        wanted = Filter(
            agent=None if agent is None else intake.checked_agent(agent, "query"),
            tier=tier_of(tier),
            since_s=None if since_s is None else intake.checked_time(since_s, "since_s", "query"),
            until_s=None if until_s is None else intake.checked_time(until_s, "until_s", "query"),
            tag=None if tag is None else intake.checked_text(tag, "tag", "query"),
            tag_bits=tag_bits((tag,)) if tag is not None else 0,
            alive_since_s=None if ttl_s is None else now_s - ttl_s,
        )
        with self._calls:
            start_ns = self._clock.monotonic_ns()
            with self._pulse:
                hits = self._search.nearest(checked, k, wanted)
            self._pulse.searched(self._clock.monotonic_ns() - start_ns)
            with self._live.lock:
                for hit in hits:
                    self._live.touch(hit.id, now_s)
            return hits

    def update(
        self,
        record_id: int,
        *,
        text: str | None = None,
        vector: NDArray[np.float32] | None = None,
        importance: float | None = None,
        pinned: bool | None = None,
    ) -> None:
        """Change what is given, keep the rest. Raises NotFoundError, BadInputError."""
        record_id = intake.checked_id(record_id)
        with self._calls:
            while True:
                with self._live.lock:
                    where = self._live.where(record_id)
                body = self._live.read_body(where) if where is not None else None
                if where is None:
                    raise NotFoundError(f"no record {record_id}: it cannot be updated")
                if body is None:
                    continue
                old = memory_of(where, body, self.options.dimensions)
                updated = replace(
                    old,
                    text=old.text if text is None else text,
                    vector=old.vector if vector is None else vector,
                    importance=old.importance if importance is None else importance,
                    pinned=old.pinned if pinned is None else pinned,
                )
                drafts, rows = intake.drafts_of([updated], self.options, where.created_s)
                replaced = partial(self._writer.replace, drafts[0], rows, where.lsn)
                with self._pulse:
                    lsn = self._writer.with_room(replaced)
                if lsn:
                    return

    def delete(self, record_id: int) -> bool:
        """Remove the record and its edges; False when there was none."""
        return self.delete_batch((record_id,)) == 1

    def delete_batch(self, record_ids: Sequence[int]) -> int:
        """How many of these existed and are gone now, with their edges; one sync per 1,024."""
        with self._calls:
            ids = intake.checked_ids(record_ids)
            with self._pulse:
                return self._writer.delete_all(ids)

    def scan(self, limit: int) -> list[int]:
        """At most `limit` ids of live records, in no particular order."""
        limit = intake.checked_count(limit, "limit")
        with self._calls, self._live.lock:
            ids: list[int] = self._live.columns.id[: min(limit, self._live.columns.n)].tolist()
            return ids

    def records(self, limit: int) -> list[Memory]:
        """At most `limit` live records, whole, in no particular order. Raises CorruptError.

        Cheaper than so many `get`, by a third, and it does not count as reading.
        """
        limit = intake.checked_count(limit, "limit")
        with self._calls:
            return self._reading.some(limit, self._clock.now_s())

    def count(self) -> int:
        """Live records."""
        with self._calls:
            return self._live.columns.n

    def link(self, source: int, target: int, kind: str | int, weight: float = 1.0) -> None:
        """A directed edge; linking again with the same kind replaces the weight.

        Raises NotFoundError unless both records exist, BadInputError, CapacityError.
        """
        with self._calls:
            key, weight = intake.checked_edge(self._live.graph, source, target, kind, weight)
            name = kind if isinstance(kind, int) else str(kind)
            with self._pulse:
                self._writer.with_room(lambda: self._writer.link(key, name, weight))

    def unlink(self, source: int, target: int, kind: str | int) -> bool:
        """False when there was no such edge."""
        with self._calls:
            key, _ = intake.checked_edge(self._live.graph, source, target, kind)
            with self._pulse:
                return self._writer.with_room(lambda: self._writer.unlink(key))

    def neighbours(self, record_id: int) -> list[Edge]:
        """Outgoing edges."""
        record_id = intake.checked_id(record_id)
        with self._calls, self._live.lock:
            graph = self._live.graph
            return [
                Edge(source=record_id, target=target, kind=graph.name_of(kind), weight=weight)
                for target, kind, weight in graph.neighbours(record_id)
            ]

    def traverse(self, start: int, depth: int, limit: int = 1_000) -> list[int]:
        """At most `limit` records within `depth` edges of start, nearest first, without start."""
        start = intake.checked_id(start)
        depth = intake.checked_count(depth, "depth")
        limit = intake.checked_count(limit, "limit")
        with self._calls, self._live.lock:
            return self._live.graph.traverse(start, depth, limit)

    def shortest_path(self, start: int, goal: int) -> list[int]:
        """Fewest edges, both ends included; empty when there is none within 100,000 records."""
        start, goal = intake.checked_id(start), intake.checked_id(goal)
        with self._calls, self._live.lock:
            if start not in self._live.rows or goal not in self._live.rows:
                return []
            return self._live.graph.shortest_path(start, goal, _VISITS_MAX)

    def maintain(self) -> None:
        """Do all maintenance that has something to do, now: expire, evict to target_ratio, demote,
        compact, checkpoint, give memory back. Raises DurabilityError, OSError."""
        with self._calls:
            self._maintenance.run(explicit=True)

    def transition(self, tier: Tier | str, share: float) -> int:
        """Move the share (0..1) of a tier that is worth least to the next tier; how many moved.

        Raises BadInputError for a share outside 0..1 and for long-term, which has no next.
        """
        with self._calls:
            chosen = tier_of(tier)
            if chosen is None:
                raise BadInputError("tier is None; there are short, intermediate, long")
            share = intake.checked_number(share, "share", "transition")
            return self._maintenance.transition(chosen, share)

    def stats(self) -> dict[str, float]:
        """Figures whose names end in their unit; see docs/engine/stats.md."""
        with self._calls:
            return self._stats.as_dict()

    def health(self) -> Health:
        """0..1, with its components."""
        with self._calls:
            return self._stats.health()

    def events(self, after: int = 0) -> list[MaintenanceEvent]:
        """Maintenance runs with a higher sequence; the last `events_kept` are remembered."""
        with self._calls:
            return self._history.after(after)
