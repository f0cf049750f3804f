"""What does the engine do for itself, when, and what does each run give back?

One background thread, or the caller through `run(explicit=True)`: expire, evict to the watermark,
consolidate, demote, compact, checkpoint sealed segments, give pages back, probe recall. Another one
syncs, in the interval mode, whatever the first is at. Every run of a kind that changed something is
an event. Steps are of at most 64 records (of 128 while writers wait for room, of 256 tombstones)
with a pause between, so that readers wait for one step, or for a look at one column of all rows
where the ring has overwritten records or a share of a tier is moved.
"""

import threading
from collections.abc import Callable
from math import ceil

from engine import allocator, compaction, eviction, pressure
from engine.admission import STEP_RECORDS
from engine.ballast import Ballast
from engine.bookkeeping import Bookkeeping
from engine.clock import SteadyClock
from engine.commit import Commit
from engine.compaction import Compaction
from engine.consolidation import Consolidation
from engine.demotion import Demotion
from engine.emergency import TIGHT_GARBAGE_RATIO, Emergency
from engine.frame import Reason
from engine.history import EventKind, History
from engine.hold import Hold
from engine.live import Live
from engine.log import Log
from engine.options import Options
from engine.period import Period
from engine.search import Search
from engine.tiers import Tier
from engine.upkeep import Upkeep
from engine.writer import GROUP_RECORDS, Writer

_PERIOD_S = 0.05
# Ten times a step: readers beside compaction then see a p99 of less than twice the usual one.
_PAUSE_S = 0.003
# While writers wait for room: a tenth of the time is left to readers, not nine tenths.
_HASTE_PAUSE_S = 0.0002
# Without writes for so long, garbage is copied that would not be worth it under load.
_IDLE_S = 1.0
_TRIM_PERIOD_S = 1.0
# Readers do not see what has expired, so it may wait that long; looking takes a scan.
_EXPIRE_PERIOD_S = 1.0
_PROBE_PERIOD_S = 10.0
_SYNC_PERIOD_S_MAX = 3_600.0


class Maintenance:
    """The tasks, and the threads that run them."""

    def __init__(
        self,
        *,
        log: Log,
        live: Live,
        commit: Commit,
        writer: Writer,
        search: Search,
        ballast: Ballast,
        options: Options,
        clock: SteadyClock,
        history: History,
    ) -> None:
        self._log = log
        self._live = live
        self._commit = commit
        self._writer = writer
        self._search = search
        self._ballast = ballast
        self._options = options
        self._clock = clock
        self._history = history
        self._hold = Hold(live, clock)
        self._compaction = Compaction(log, live, commit, self._hold)
        self._demotion = Demotion(live, options, clock, self._pause, self._hold)
        self._consolidation = Consolidation(live, search, writer, clock, options.half_life_s)
        self._emergency = Emergency(
            log=log,
            live=live,
            writer=writer,
            ballast=ballast,
            demotion=self._demotion,
            compaction=self._compaction,
            options=options,
            breathe=self._breathe,
        )
        self._bookkeeping = Bookkeeping(log, live, commit, options, clock, self._pause)
        self._one_at_a_time = threading.RLock()
        self.upkeep = Upkeep(lambda: self.run(explicit=False), _PERIOD_S, "engine-upkeep")
        # Half of what the interval mode promises is left to the sync itself.
        period_s = min(options.interval_s / 2, _SYNC_PERIOD_S_MAX)
        self._syncing = Upkeep(self._sync, period_s, "engine-sync")
        self._appended_bytes = log.appended_bytes
        self._has_freed = False
        self._counted_at: int | None = None
        self._idle = Period(clock, _IDLE_S)
        self._trimming = Period(clock, _TRIM_PERIOD_S)
        self._probing = Period(clock, _PROBE_PERIOD_S)
        self._expiry = Period(clock, _EXPIRE_PERIOD_S)

    def start(self) -> None:
        """The threads that the options ask for."""
        if self._options.maintenance:
            self.upkeep.start()
        if self._options.durability == "interval":
            self._syncing.start()

    def stop(self) -> None:
        """Returns when what is under way has ended."""
        self.upkeep.stop()
        self._syncing.stop()

    @property
    def has_died(self) -> bool:
        """A thread ended by itself: what it did is not done now."""
        return self.upkeep.has_died or self._syncing.has_died

    @property
    def failed_count(self) -> int:
        """Runs that failed, those that ended a thread included."""
        return self.upkeep.failed_count + self._syncing.failed_count

    def _sync(self) -> None:
        if self._log.has_unsynced and not self._commit.failure:
            self._commit.flush()

    def run(self, explicit: bool) -> None:
        """All tasks that have something to do. Raises EngineError (DurabilityError) or OSError."""
        with self._one_at_a_time:
            # First: on a disk nearly full, what follows may fail, and then it is needed most.
            self._ballast.restore()
            self._task("expire", self._expire, explicit)
            self._task("evict", self._evict, explicit)
            self._task("consolidate", self._consolidate, explicit)
            self._task("demote", self._demote, explicit)
            if not self._commit.failure:
                while self._task("compact", self._compact, explicit):
                    pass
                self._task("checkpoint", self._bookkeeping.run, explicit)
            self._give_back()
            self._trim_heap()
            self._appended_bytes = self._log.appended_bytes
            self._probe()

    def _task(
        self, kind: EventKind, work: Callable[[bool], tuple[int, int]], explicit: bool
    ) -> bool:
        """Run and declare it; work returns (records, bytes reclaimed). False if idle."""
        self._longest_pause_ns()
        start_s = self._clock.now_s()
        start_ns = self._clock.monotonic_ns()
        records, reclaimed = work(explicit)
        if not records and not reclaimed:
            return False
        self._has_freed = True
        self._history.add(
            kind,
            start_s=start_s,
            duration_s=(self._clock.monotonic_ns() - start_ns) / 1e9,
            records=records,
            bytes_reclaimed=reclaimed,
            longest_pause_s=self._longest_pause_ns() / 1e9,
            explicit=explicit,
        )
        return True

    def _longest_pause_ns(self) -> int:
        """The longest that one step kept readers waiting, since the last question."""
        applied_ns, self._commit.longest_apply_ns = self._commit.longest_apply_ns, 0
        return max(applied_ns, self._hold.longest_ns())

    def _pause(self) -> None:
        """Let others run; at close there are none."""
        if not self.upkeep.is_stopping:
            self._clock.sleep(_PAUSE_S)

    def pressure(self) -> pressure.Pressure:
        """How near the limits are."""
        return pressure.measure(self._live, self._log, self._options)

    def accounted_bytes(self) -> int:
        """All private memory the engine knows it holds."""
        with self._live.lock:
            return sum(self._live.accounted_bytes().values())

    def _expire(self, explicit: bool) -> tuple[int, int]:
        now_s, ttl_s = self._clock.now_s(), self._options.ttl_s
        if ttl_s is None or not (explicit or self._expiry.is_over):
            return 0, 0
        self._expiry.restart()
        before = self.accounted_bytes()
        gone = 0
        while step := self._writer.forget(self._expired(now_s - ttl_s), Reason.EXPIRED):
            gone += step
            self._pause()
        return self._after_forgetting(gone, before)

    def _expired(self, cutoff_s: float) -> eviction.Victims:
        return eviction.expired(self._live, cutoff_s, GROUP_RECORDS)

    def _evict(self, explicit: bool) -> tuple[int, int]:
        fill_ratio = self.pressure().fill_ratio
        target_ratio = self._options.target_ratio
        start_ratio = target_ratio if explicit else self._options.soft_ratio
        agent_limit = self._options.agent_records or 0
        mark, self._counted_at = self._counted_at, self._live.columns.changes
        crowded: list[int] = []
        if agent_limit and (explicit or mark != self._counted_at):
            crowded = eviction.crowded_agents(self._live, ceil(agent_limit * start_ratio))
        if fill_ratio <= start_ratio and not crowded:
            return 0, 0
        before = self.accounted_bytes()
        gone = self._writer.evict_agents(crowded, ceil(agent_limit * target_ratio))
        if fill_ratio > start_ratio:
            fill_ratio, n = self.pressure().fill_ratio, self._live.columns.n
            gone += self._writer.evict(pressure.excess_records(n, fill_ratio, target_ratio))
        return self._after_forgetting(gone, before)

    def _after_forgetting(self, gone: int, before_bytes: int) -> tuple[int, int]:
        if gone:
            self._give_back()
        return gone, max(before_bytes - self.accounted_bytes(), 0)

    def _consolidate(self, explicit: bool) -> tuple[int, int]:
        similarity = self._options.consolidate_similarity
        if similarity is None or not self._consolidation.is_behind:
            return 0, 0
        before = self.accounted_bytes()
        # Twice all there is: what remains of some is looked at again.
        steps = 2 + 2 * self._live.columns.n // STEP_RECORDS if explicit else 1
        gone = 0
        while steps and self._consolidation.is_behind:
            steps -= 1
            gone += self._consolidation.run(similarity)
            self._pause()
        return self._after_forgetting(gone, before)

    def _demote(self, explicit: bool) -> tuple[int, int]:
        return self._demoted(lambda: self._demotion.by_policy(0.0 if explicit else 1 / 8))

    def _demoted(self, move: Callable[[], int]) -> tuple[int, int]:
        tiers = self._live.tiers
        before = tiers.short_bytes + tiers.ring.touched_bytes
        moved = move()
        return moved, max(before - tiers.short_bytes - tiers.ring.touched_bytes, 0)

    def transition(self, tier: Tier, share: float) -> int:
        """Move a share of a tier to the next one now; returns how many records moved."""
        moved = 0

        def forced(explicit: bool) -> tuple[int, int]:
            nonlocal moved
            moved, given = self._demoted(lambda: self._demotion.force(tier, share))
            return moved, given

        with self._one_at_a_time:
            self._task("demote", forced, explicit=True)
        return moved

    def _compact(self, explicit: bool) -> tuple[int, int]:
        segment = compaction.candidate(self._log, self._worth_copying(explicit))
        if segment is None:
            return 0, 0
        copied = self._compaction.compact(segment, self._pause)
        self._appended_bytes = self._log.appended_bytes
        return copied

    def _worth_copying(self, explicit: bool) -> float:
        """The share of garbage from which a segment is compacted now."""
        options = self._options
        if self.pressure().disk_ratio > options.soft_ratio:
            return TIGHT_GARBAGE_RATIO
        if self._log.appended_bytes != self._appended_bytes:
            self._idle.restart()
        is_idle = explicit or self._idle.is_over
        return options.idle_garbage_ratio if is_idle else options.garbage_ratio

    def finish(self) -> None:
        """Before closing: everything durable, and what `Bookkeeping.finish` says."""
        with self._one_at_a_time:
            self._bookkeeping.finish()

    def relieve(self, needed_bytes: int) -> bool:
        """The disk is full, see emergency.py. False if what was done about it did not help."""
        emergency = self._emergency

        def relieved(explicit: bool) -> tuple[int, int]:
            won = emergency.relieve(needed_bytes)
            self._give_back()
            return won

        with self._one_at_a_time:
            return emergency.is_over(needed_bytes) or self._task("emergency", relieved, False)

    def _breathe(self) -> None:
        """Let readers run, and no longer."""
        self._clock.sleep(_HASTE_PAUSE_S)

    def _give_back(self) -> None:
        """Return the pages of what has gone, a step at a time."""
        for step in (self._live.columns.trim, self._live.rows.shrink):
            given = True
            while given:
                with self._hold:
                    given = bool(step())
                self._has_freed |= given
                self._pause()
        with self._hold:
            self._live.drop_overwritten()
            self._live.graph.trim()

    def _trim_heap(self) -> None:
        """The allocator gives back, too, soon after something was freed."""
        if self._has_freed and self._trimming.is_over:
            self._trimming.restart()
            self._has_freed = False
            if self._options.tune_allocator:
                allocator.trim()

    def _probe(self) -> None:
        if self._probing.is_over:
            self._probing.restart()
            self._search.probe()
