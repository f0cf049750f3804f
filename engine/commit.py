"""When is a write acknowledged, and in which order do writes become visible?

Writers append under the log's lock and queue their change. Whoever finds no sync under way leads:
one sync for everything appended so far, then the changes are applied in the order of the log, then
everybody waiting is released (group commit). A change is never visible before it is durable, and
the state in RAM is always that of one LSN.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from engine.clock import Clock
from engine.errors import DurabilityError
from engine.live import Live
from engine.log import Log
from engine.options import Options
from engine.segment import Segment

# Long enough for a reader that waits to take the lock.
_YIELD_S = 0.00005


class Change(NamedTuple):
    """Appended, not yet visible. ids are those whose state it depends on or alters; yields: others
    get a turn after it, since there are many more like it."""

    lsn: int
    ids: Sequence[int]
    apply: Callable[[], None]
    yields: bool = False


class Commit:
    """The queue between log and live state."""

    def __init__(self, log: Log, live: Live, clock: Clock, options: Options) -> None:
        self._log = log
        self._live = live
        self._clock = clock
        self._waits = options.durability == "always"
        self._interval_ns: float | None = None
        if options.durability == "interval":
            self._interval_ns = options.interval_s * 1e9
        self._synced_ns = clock.monotonic_ns()
        self._turn = threading.Condition()
        self._queue: deque[Change] = deque()
        self._applied_lsn = 0
        self._is_syncing = False
        self._failure: str | None = None
        self.pending: Counter[int] = Counter()
        self.groups = 0
        self.longest_apply_ns = 0

    @property
    def failure(self) -> str | None:
        """Why nothing can be written any more, if so."""
        return self._failure

    def _queued_lsn(self) -> int:
        """(log lock) The LSN to wait for to see everything that is queued now."""
        return self._queue[-1].lsn if self._queue else self._applied_lsn

    def check(self) -> None:
        """Raises DurabilityError after a failed sync."""
        if self._failure:
            raise DurabilityError(f"{self._failure}; reads go on, reopen before writing")

    def add(self, change: Change) -> None:
        """(log lock) Queue what was just appended; without waiting durability, apply it now."""
        if self._waits:
            self._queue.append(change)
            self.pending.update(change.ids)
            return
        self._apply(change)
        self._applied_lsn = change.lsn

    def _apply(self, change: Change) -> None:
        """Readers wait for this, so a change is a step and no more."""
        with self._live.lock:
            start_ns = self._clock.monotonic_ns()
            change.apply()
            taken_ns = self._clock.monotonic_ns() - start_ns
        self.longest_apply_ns = max(self.longest_apply_ns, taken_ns)
        if change.yields:
            self._clock.sleep(_YIELD_S)

    def wait(self, lsn: int) -> None:
        """Without the log lock: until `lsn` is durable and visible. Raises DurabilityError."""
        if not self._waits:
            self.flush_if_due()
            return
        while True:
            with self._turn:
                while self._is_syncing and self._applied_lsn < lsn and not self._failure:
                    self._turn.wait()
                if self._applied_lsn >= lsn:
                    return
                self.check()
                self._is_syncing = True
            self._lead()

    def _lead(self) -> None:
        """Sync and apply everything appended so far. A failure here is final until reopened."""
        failure: str | None = "interrupted while syncing"
        applied = self._applied_lsn
        try:
            with self._log.lock:
                changes = list(self._queue)
                segments = self._log.take_unsynced()
            self._sync(segments)
            for change in changes:
                self._apply(change)
            with self._log.lock:
                self._dequeue(changes)
            if changes:
                applied = changes[-1].lsn
            self.groups += 1
            failure = None
        except OSError as error:
            failure = f"sync failed: {error}"
            raise DurabilityError(f"{failure}; reads go on, reopen before writing") from error
        finally:
            with self._turn:
                self._is_syncing = False
                self._applied_lsn = applied
                self._failure = self._failure or failure
                self._turn.notify_all()

    def _dequeue(self, changes: list[Change]) -> None:
        """(log lock) These, the first of the queue, are applied."""
        for _ in changes:
            self._queue.popleft()
        if not self._queue:
            self.pending.clear()
            return
        for change in changes:
            self.pending.subtract(change.ids)
        for record_id in [i for i, count in self.pending.items() if not count]:
            del self.pending[record_id]

    def _sync(self, segments: Sequence[Segment]) -> None:
        start_ns = self._clock.monotonic_ns()
        self._log.sync(segments)
        self._synced_ns = self._clock.monotonic_ns()
        self._log.sync_s_last = (self._synced_ns - start_ns) / 1e9

    @contextmanager
    def settled(self, ids: Sequence[int]) -> Iterator[None]:
        """The log lock, at a moment when no change of these ids is under way."""
        while True:
            self._log.lock.acquire()
            if not self.pending or not any(map(self.pending.get, ids)):
                break
            last = self._queued_lsn()
            self._log.lock.release()
            self.wait(last)
        try:
            yield
        finally:
            self._log.lock.release()

    def flush_if_due(self) -> None:
        """In the interval mode: sync when the last one is long enough ago."""
        if self._interval_ns is None or not self._log.has_unsynced:
            return
        if self._clock.monotonic_ns() - self._synced_ns >= self._interval_ns:
            self.flush()

    def flush(self) -> None:
        """Make everything appended so far durable and visible. Raises DurabilityError."""
        with self._turn:
            while self._is_syncing:
                self._turn.wait()
            self.check()
            self._is_syncing = True
        self._lead()
