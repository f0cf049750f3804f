"""How is the embedded engine spoken to? Its words translated into those of a target."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Condition
from typing import Any, TypeVar

import engine
from soak.clock import NS_PER_S, Clock
from soak.result import CapacityRefused, RecordMissing, TargetError, TargetUnavailable
from soak.seams import Edge, Hit, MaintenanceEvent, Query, Record, Scanned

EVENTS_KEPT = 1024
# Forgetting is announced before it starts: more stores never fall between two questions.
ANNOUNCED_RECORDS = 256
ANNOUNCED_RATIO = 0.02
# And for so long after it happened, so that every asker hears of it.
REMEMBERED_NS = 2 * NS_PER_S
FORGOTTEN = ("records_evicted_count", "records_expired_count", "records_consolidated_count")
# The engine counts these from its opening; a run counts them across reopenings.
SINCE_OPEN = (
    *FORGOTTEN,
    "records_stored_count",
    "records_replaced_count",
    "records_deleted_count",
    "maintenance_busy_s",
    "maintenance_reclaimed_bytes",
    "log_appended_bytes",
    "fsync_count",
    "commit_groups_count",
)

Answer = TypeVar("Answer")


class EngineClock:
    """The engine's clock on the tester's: wall time is read once, then the monotonic one counts.

    What ages does so time_scale times as fast; durations stay what they are.
    """

    def __init__(self, clock: Clock, time_scale: float) -> None:
        self._clock = clock
        self._time_scale = time_scale
        self._start_ns = clock.monotonic_ns()
        self._start_s = clock.wall_s()

    def now_s(self) -> float:
        return self._start_s + self.aging_ns() / NS_PER_S

    def aging_ns(self) -> int:
        return round((self._clock.monotonic_ns() - self._start_ns) * self._time_scale)

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep_s(seconds)

    def monotonic_ns_of(self, moment_s: float) -> int:
        """When a moment of `now_s` was on the monotonic clock."""
        aged_ns = (moment_s - self._start_s) * NS_PER_S
        return self._start_ns + round(aged_ns / self._time_scale)

    def not_before(self, now_s: float) -> None:
        """Be as late as an engine that found later times in its files: those of a run before."""
        self._start_s += max(0.0, now_s - self.now_s())


class Embedded:
    """One engine at a time; `reopen` waits for calls under way, and calls wait for it."""

    def __init__(
        self,
        options: Mapping[str, Any],
        capabilities: frozenset[str],
        data_dir: Path,
        clock: Clock,
        time_scale: float = 1.0,
    ) -> None:
        self.capabilities = capabilities
        self._directory = data_dir / "engine"
        self._clock = EngineClock(clock, time_scale)
        self._gate = Condition()
        self._inside = 0
        self._is_reopening = False
        self._before = dict.fromkeys(SINCE_OPEN, 0.0)
        self._sequence_before = 0
        self._older_events: deque[MaintenanceEvent] = deque(maxlen=EVENTS_KEPT)
        self._forgotten_count = 0.0
        self._forgotten_ns = -REMEMBERED_NS
        try:
            self._options = engine.Options(**options)
        except engine.BadInputError as error:
            raise TargetUnavailable(f"engine options: {error}") from error
        self._engine = self._open()

    def _open(self) -> engine.Engine:
        try:
            opened = engine.open(self._directory, self._options, self._clock)
        except (engine.EngineError, OSError) as error:
            raise TargetUnavailable(f"engine.open: {type(error).__name__}: {error}") from error
        self._clock.not_before(opened.now_s())
        return opened

    def store(self, record: Record) -> None:
        memory = _memory(record)
        self._ask(lambda opened: opened.store(memory))

    def store_batch(self, records: Sequence[Record]) -> None:
        memories = [_memory(record) for record in records]
        self._ask(lambda opened: opened.store_batch(memories))

    def get(self, key: int) -> Record | None:
        memory = self._ask(lambda opened: opened.get(key))
        if memory is None:
            return None
        return Record(
            key=memory.id,
            agent=memory.agent,
            text=memory.text,
            vector=memory.vector,
            importance=memory.importance,
            pinned=memory.pinned,
        )

    def search(self, query: Query) -> Sequence[Hit]:
        hits = self._ask(lambda opened: opened.search(query.vector, query.k, agent=query.agent))
        return [Hit(hit.id, hit.score, hit.agent) for hit in hits]

    def update(self, record: Record) -> None:
        self._ask(
            lambda opened: opened.update(
                record.key,
                text=record.text,
                vector=record.vector,
                importance=record.importance,
                pinned=record.pinned,
            )
        )

    def delete(self, key: int) -> None:
        if not self._ask(lambda opened: opened.delete(key)):
            raise RecordMissing(f"no record {key}: it cannot be deleted")

    def scan(self, limit: int) -> Scanned:
        read = self._ask(lambda opened: opened.records(limit))
        return [(memory.id, memory.text) for memory in read]

    def link(self, edge: Edge) -> None:
        self._ask(lambda opened: opened.link(edge.source, edge.target, edge.kind))

    def traverse(self, start: int, depth: int) -> Sequence[int]:
        return self._ask(lambda opened: opened.traverse(start, depth))

    def maintain(self) -> None:
        self._ask(lambda opened: opened.maintain())

    def transition(self, share: float) -> int:
        return self._ask(lambda opened: opened.transition("short", share))

    def reopen(self) -> None:
        with self._gate:
            # A second reopen waits for the first, like any call.
            self._gate.wait_for(lambda: not self._is_reopening)
            self._is_reopening = True
            self._gate.wait_for(lambda: self._inside == 0)
        try:
            self._keep_what_ends(self._engine)
            self._engine.close()
            self._engine = self._open()
        except (engine.EngineError, OSError) as error:
            raise TargetError(f"close: {type(error).__name__}: {error}") from error
        finally:
            with self._gate:
                self._is_reopening = False
                self._gate.notify_all()

    def stats(self) -> Mapping[str, float]:
        figures = self._ask(lambda opened: opened.stats())
        figures |= {name: figures[name] + self._before[name] for name in SINCE_OPEN}
        return figures

    def events(self, after: int) -> Sequence[MaintenanceEvent]:
        older = [event for event in self._older_events.copy() if event.sequence > after]
        return older + self._ask(lambda opened: self._events_of(opened, after))

    def may_forget(self) -> bool:
        options = self._options
        if options.ttl_s or options.agent_records or options.consolidate_similarity:
            return True
        figures = self.stats()
        forgotten_count = sum(figures[name] for name in FORGOTTEN)
        if forgotten_count > self._forgotten_count:
            self._forgotten_count = forgotten_count
            self._forgotten_ns = self._clock.monotonic_ns()
        has_forgotten = self._clock.monotonic_ns() - self._forgotten_ns < REMEMBERED_NS
        return has_forgotten or self._is_nearly_full(figures)

    def count(self) -> int:
        return self._ask(lambda opened: opened.count())

    def processes(self) -> Sequence[int]:
        return ()

    def directories(self) -> Sequence[Path]:
        return (self._directory,)

    def close(self) -> None:
        try:
            self._engine.close()
        except (engine.EngineError, OSError) as error:
            raise TargetError(f"close: {type(error).__name__}: {error}") from error

    def _ask(self, question: Callable[[engine.Engine], Answer]) -> Answer:
        gate = self._gate
        with gate:
            while self._is_reopening:
                gate.wait()
            self._inside += 1
        try:
            return question(self._engine)
        except engine.NotFoundError as error:
            raise RecordMissing(str(error)) from error
        except engine.CapacityError as error:
            raise CapacityRefused(str(error)) from error
        except (engine.EngineError, OSError) as error:
            raise TargetError(f"{type(error).__name__}: {error}") from error
        finally:
            with gate:
                self._inside -= 1
                if self._is_reopening:
                    gate.notify_all()

    def _is_nearly_full(self, figures: Mapping[str, float]) -> bool:
        options = self._options
        margin = max(ANNOUNCED_RECORDS, ANNOUNCED_RATIO * options.capacity_records)
        soft = options.soft_ratio
        return (
            figures["records_live_count"] >= soft * options.capacity_records - margin
            or figures["accounted_bytes"] >= 0.9 * soft * (options.capacity_bytes or float("inf"))
            or figures["disk_total_bytes"] >= 0.8 * soft * (options.disk_bytes or float("inf"))
        )

    def _events_of(self, opened: engine.Engine, after: int) -> list[MaintenanceEvent]:
        """The engine numbers its events from its opening; ours go on where the last one ended."""
        ended = self._sequence_before
        return [
            MaintenanceEvent(
                sequence=ended + event.sequence,
                kind=event.kind,
                start_ns=self._clock.monotonic_ns_of(event.start_s),
                duration_s=event.duration_s,
                records=event.records,
                bytes_reclaimed=event.bytes_reclaimed,
                longest_pause_s=event.longest_pause_s,
                explicit=event.explicit,
            )
            for event in opened.events(max(0, after - ended))
        ]

    def _keep_what_ends(self, opened: engine.Engine) -> None:
        figures = opened.stats()
        events = self._events_of(opened, 0)
        self._older_events.extend(events)
        self._before = {name: self._before[name] + figures[name] for name in SINCE_OPEN}
        if events:
            self._sequence_before = events[-1].sequence


def _memory(record: Record) -> engine.Memory:
    return engine.Memory(
        id=record.key,
        agent=record.agent,
        text=record.text,
        vector=record.vector,
        importance=record.importance,
        pinned=record.pinned,
    )
