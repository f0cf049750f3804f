"""What does the engine do for itself, when, and what does each run give back?

One background thread, or the caller through `run(explicit=True)`: expire, evict to the watermark,
demote, compact, checkpoint sealed segments, give pages back. Every run of a kind that changed
something is an event. Steps are of at most 64 records with a pause between, so that readers never
wait longer than one of them.
"""

import threading
from collections.abc import Callable

from engine import checkpoint, compaction, eviction
from engine.clock import Clock
from engine.commit import Commit
from engine.compaction import Compaction
from engine.errors import EngineError
from engine.frame import Reason
from engine.history import EventKind, History
from engine.live import Live
from engine.log import Log
from engine.options import Options
from engine.segment import Segment
from engine.tiers import Tier
from engine.writer import STEP_RECORDS, Writer

_PERIOD_S = 0.05
_PAUSE_S = 0.001


class Maintenance:
    """The tasks and the thread that runs them."""

    def __init__(
        self,
        log: Log,
        live: Live,
        commit: Commit,
        writer: Writer,
        options: Options,
        clock: Clock,
        history: History,
    ) -> None:
        self._log = log
        self._live = live
        self._commit = commit
        self._writer = writer
        self._options = options
        self._clock = clock
        self._history = history
        self._compaction = Compaction(log, live, commit, clock.monotonic_ns)
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        # The interval mode promises that much and no more.
        waits = options.durability == "interval"
        self._period_s = min(_PERIOD_S, options.interval_s) if waits else _PERIOD_S
        self._longest_ns = 0
        self._aged_at_s = clock.now_s()
        self.failures = 0
        self.failure_last = ""

    def start(self) -> None:
        self._thread = threading.Thread(target=self._keep_going, name="engine-upkeep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _keep_going(self) -> None:
        while not self._stopping.wait(self._period_s):
            try:
                self.run(explicit=False)
            except (EngineError, OSError) as error:
                # Nothing is lost by a run that failed; the next one tries again.
                self.failures += 1
                self.failure_last = str(error)

    def run(self, explicit: bool) -> None:
        """All tasks that have something to do. Raises DurabilityError or OSError."""
        with self._one_at_a_time:
            self._task("expire", self._expire, explicit)
            self._task("evict", self._evict, explicit)
            self._task("demote", self._demote, explicit)
            if not self._commit.failure:
                self._commit.flush_if_due()
                while self._task("compact", self._compact, explicit):
                    pass
            self._task("checkpoint", self._checkpoint, explicit)
            self._give_back()

    def _task(
        self, kind: EventKind, work: Callable[[bool], tuple[int, int]], explicit: bool
    ) -> bool:
        """Run and declare it; work returns (records, bytes reclaimed). False if idle."""
        self._longest_ns = 0
        start_s = self._clock.now_s()
        start_ns = self._clock.monotonic_ns()
        records, reclaimed = work(explicit)
        if not records and not reclaimed:
            return False
        self._history.add(
            kind,
            start_s=start_s,
            duration_s=(self._clock.monotonic_ns() - start_ns) / 1e9,
            records=records,
            bytes_reclaimed=reclaimed,
            longest_pause_s=self._longest_ns / 1e9,
            explicit=explicit,
        )
        return True

    def _pause(self) -> None:
        self._clock.sleep(_PAUSE_S)

    def _expire(self, explicit: bool) -> tuple[int, int]:
        if self._options.ttl_s is None:
            return 0, 0
        before = self.accounted_bytes()
        cutoff_s = self._clock.now_s() - self._options.ttl_s
        gone = 0
        while ids := eviction.expired(self._live.columns, cutoff_s, STEP_RECORDS).tolist():
            step = self._writer.delete(ids, Reason.EXPIRED, spare_pinned=True)
            gone += step
            if not step:
                break
            self._pause()
        return self._after_forgetting(gone, before)

    def _evict(self, explicit: bool) -> tuple[int, int]:
        limit = self._options.capacity_records
        n = self._live.columns.n
        starts_at = self._options.target_ratio if explicit else self._options.soft_ratio
        if n <= starts_at * limit:
            return 0, 0
        before = self.accounted_bytes()
        gone = self._writer.evict(n - int(self._options.target_ratio * limit))
        return self._after_forgetting(gone, before)

    def _after_forgetting(self, gone: int, before_bytes: int) -> tuple[int, int]:
        if gone:
            self._give_back()
        return gone, max(before_bytes - self.accounted_bytes(), 0)

    def accounted_bytes(self) -> int:
        """All private memory the engine knows it holds."""
        with self._live.lock:
            return sum(self._live.accounted_bytes().values())

    def _demote(self, explicit: bool) -> tuple[int, int]:
        tiers = self._live.tiers
        options = self._options
        before = tiers.short_bytes + tiers.intermediate_bytes
        slack = 0 if explicit else options.short_term_records // 8
        excess = tiers.short_count() - options.short_term_records
        moved = 0
        if excess > slack or tiers.short_bytes > options.short_term_bytes:
            while (
                tiers.short_count() > options.short_term_records
                or tiers.short_bytes > options.short_term_bytes
            ):
                moved += self.compress(tiers.oldest_short(STEP_RECORDS))
                self._pause()
        moved += self._demote_aged()
        while tiers.intermediate_bytes > options.intermediate_bytes:
            with self._live.lock:
                for record_id in tiers.oldest_intermediate(STEP_RECORDS):
                    tiers.forget(record_id)
                    self._live.set_tier(record_id, Tier.LONG)
            self._pause()
        return moved, max(before - tiers.short_bytes - tiers.intermediate_bytes, 0)

    def _demote_aged(self) -> int:
        """Compress what has not been used for short_term_s; looked at four times in that time."""
        now_s = self._clock.now_s()
        if now_s < self._aged_at_s + self._options.short_term_s / 4:
            return 0
        self._aged_at_s = now_s
        moved = 0
        while True:
            with self._live.lock:
                ids = self._live.tiers.oldest_short(STEP_RECORDS)
                cutoff_s = now_s - self._options.short_term_s
                aged = [i for i in ids if self._live.last_access_s(i) < cutoff_s]
            moved += self.compress(aged)
            if len(aged) < STEP_RECORDS:
                return moved
            self._pause()

    def compress(self, ids: list[int]) -> int:
        """Move records from short-term to intermediate: compressed outside the lock."""
        tiers = self._live.tiers
        bodies = [(record_id, tiers.body(record_id)) for record_id in ids]
        packed = [(i, body, tiers.compressed(body)) for i, body in bodies if body is not None]
        with self._live.lock:
            for record_id, body, small in packed:
                # Replaced or deleted meanwhile: leave it.
                if tiers.body(record_id) is body:
                    tiers.keep_compressed(record_id, small)
                    self._live.set_tier(record_id, Tier.INTERMEDIATE)
        return len(packed)

    def _compact(self, explicit: bool) -> tuple[int, int]:
        segment = compaction.candidate(self._log, self._options.garbage_ratio)
        if segment is None:
            return 0, 0
        copied = self._compaction.compact(segment, self._pause)
        self._longest_ns = copied.longest_pause_ns
        return copied.records, copied.bytes_reclaimed

    def _checkpoint(self, explicit: bool) -> tuple[int, int]:
        frames = 0
        for segment in list(self._log.segments.values()):
            if not segment.is_sealed or segment.has_checkpoint:
                continue
            frames += self.write_checkpoint(segment)
        return frames, 0

    def write_checkpoint(self, segment: Segment) -> int:
        """Summarise a segment that is durable; returns its frames."""
        self._commit.flush()
        content = checkpoint.digest(segment, self._options.dimensions, pause=self._pause)
        checkpoint.write(self._log.disk, segment, content)
        segment.has_checkpoint = segment.is_sealed
        if segment.is_sealed:
            segment.trim()
        return len(content.headers)

    def finish(self) -> None:
        """Before closing: everything durable, and every segment with a checkpoint."""
        if self._commit.failure:
            return
        self._commit.flush()
        for segment in list(self._log.segments.values()):
            if not segment.has_checkpoint:
                self.write_checkpoint(segment)

    def _give_back(self) -> None:
        """Return the pages of what has gone, a step at a time."""
        while True:
            with self._live.lock:
                start_ns = self._clock.monotonic_ns()
                given = self._live.columns.trim()
                self._longest_ns = max(self._longest_ns, self._clock.monotonic_ns() - start_ns)
            if not given:
                break
            self._pause()
        with self._live.lock:
            self._live.graph.trim()
            self._live.shrink_index()
