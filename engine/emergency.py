"""The disk is full: what is given up for room, and in which order?

Ballast; tiers; what is dead, where that is enough; else a fifth of the records, and what is dead
then, in segments from the deadest on. Where disk_bytes says what is enough, again until it is.
"""

from collections.abc import Callable

from engine import compaction, pressure
from engine.ballast import Ballast
from engine.compaction import Compaction
from engine.demotion import Demotion
from engine.live import Live
from engine.log import Log
from engine.options import Options
from engine.segment import START
from engine.writer import Writer

_HASTE_FRAMES = 128
_KEPT_RATIO = 0.80
# Of disk_bytes: enough room for the background to take over.
_RELIEVED_RATIO = 0.85
# Near the disk limit, garbage is worth copying for that policy would let lie.
TIGHT_GARBAGE_RATIO = 0.05
# An emergency that won so many times the ballast can spare it.
_BALLAST_RATIO = 2


class Emergency:
    """breathe: called between steps, so that readers run."""

    def __init__(
        self,
        *,
        log: Log,
        live: Live,
        writer: Writer,
        ballast: Ballast,
        demotion: Demotion,
        compaction: Compaction,
        options: Options,
        breathe: Callable[[], None],
    ) -> None:
        self._log = log
        self._live = live
        self._writer = writer
        self._ballast = ballast
        self._demotion = demotion
        self._compaction = compaction
        self._options = options
        self._breathe = breathe

    def is_over(self, needed_bytes: int) -> bool:
        """Another writer may have met the same limit a moment ago."""
        limit = self._options.disk_bytes
        return limit is not None and self._log.held_bytes <= self._most_bytes(limit, needed_bytes)

    def relieve(self, needed_bytes: int) -> tuple[int, int]:
        """Returns (records evicted, bytes won). Raises OSError, EngineError."""
        before = self._log.held_bytes
        self._ballast.release()
        self._demotion.all_to_long()
        limit = self._options.disk_bytes
        if limit is None:
            gone = self._relieve_disk(before)
        else:
            gone = self._relieve_directory(limit, needed_bytes)
        reclaimed = max(before - self._log.held_bytes, 0)
        # If much was won, at once: writers may fill the disk before the next ordinary run.
        if reclaimed >= _BALLAST_RATIO * self._options.ballast_size():
            self._ballast.restore()
        return gone, reclaimed

    def _most_bytes(self, limit: int, needed_bytes: int) -> int:
        """What the segments may hold for so much more to fit, with a segment begun for it."""
        room_bytes = pressure.disk_room_bytes(self._live, self._log, limit)
        return room_bytes - needed_bytes - self._log.step_bytes - START

    def _relieve_disk(self, held_bytes: int) -> int:
        """By how much it is full is not known; returns how many records went."""
        goal_bytes = int(held_bytes * _KEPT_RATIO)
        is_enough = held_bytes - self._log.dead_bytes <= goal_bytes
        if is_enough and self._compact_down_to(goal_bytes):
            return 0
        gone = self._evict()
        self._compact_down_to(0)
        return gone

    def _relieve_directory(self, limit: int, needed_bytes: int) -> int:
        gone = 0
        while True:
            most_bytes = self._most_bytes(limit, needed_bytes)
            room_bytes = pressure.disk_room_bytes(self._live, self._log, limit)
            goal_bytes = min(most_bytes, int(room_bytes * _RELIEVED_RATIO))
            is_enough = gone > 0 or self._log.held_bytes - self._log.dead_bytes <= goal_bytes
            if is_enough:
                self._compact_down_to(goal_bytes)
            if is_enough and self._log.held_bytes <= most_bytes:
                return gone
            # If all that may go is not enough, nothing does.
            step = self._evict() if self._pinned_bytes() <= most_bytes else 0
            gone += step
            if not step:
                self._compact_down_to(goal_bytes)
                return gone

    def _evict(self) -> int:
        n = self._live.columns.n
        return self._writer.evict(n - int(n * _KEPT_RATIO))

    def _pinned_bytes(self) -> int:
        columns = self._live.columns
        with self._live.lock:
            return int(columns.length[: columns.n][columns.pinned[: columns.n]].sum())

    def _compact_down_to(self, goal_bytes: int) -> bool:
        """False when that little cannot be reached."""
        while self._log.held_bytes > goal_bytes:
            segment = compaction.candidate(self._log, TIGHT_GARBAGE_RATIO)
            if segment is not None:
                self._compaction.compact(segment, self._breathe, _HASTE_FRAMES)
            elif not self._seal_garbage():
                return False
        return True

    def _seal_garbage(self) -> bool:
        """In a small directory much of what is dead may lie where is being written."""
        has_limit = self._options.disk_bytes is not None
        return has_limit and self._log.seal_garbage(TIGHT_GARBAGE_RATIO)
