"""The disk is full: what is given up for room, and in which order?

Ballast; tiers; what is dead, where that is enough; else a fifth of the records, and what is dead
then, in segments from the deadest on.
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

    def goal_bytes(self, needed_bytes: int) -> int:
        """What the segments may hold when there is room again, for so much in one write, too."""
        limit = self._options.disk_bytes
        if limit is None:
            # Not known by how much it is full.
            return int(self._log.held_bytes * _KEPT_RATIO)
        room_bytes = pressure.disk_room_bytes(self._live, self._log, limit)
        # A segment may have to be begun for it.
        needed_bytes += self._log.step_bytes + START
        return min(int(room_bytes * _RELIEVED_RATIO), room_bytes - needed_bytes)

    def is_over(self, needed_bytes: int) -> bool:
        """Another writer may have met the same limit a moment ago."""
        has_limit = self._options.disk_bytes is not None
        return has_limit and self._log.held_bytes <= self.goal_bytes(needed_bytes)

    def relieve(self, needed_bytes: int) -> tuple[int, int]:
        """Returns (records evicted, bytes won). Raises OSError, EngineError."""
        before = self._log.held_bytes
        goal_bytes = self.goal_bytes(needed_bytes)
        self._ballast.release()
        self._demotion.all_to_long()
        gone = 0
        is_enough = before - self._log.dead_bytes <= goal_bytes
        if not (is_enough and self._compact_down_to(goal_bytes)):
            n = self._live.columns.n
            gone = self._writer.evict(n - int(n * _KEPT_RATIO))
            self._compact_down_to(0 if self._options.disk_bytes is None else goal_bytes)
        reclaimed = max(before - self._log.held_bytes, 0)
        # If much was won, at once: writers may fill the disk before the next ordinary run.
        if reclaimed >= _BALLAST_RATIO * self._options.ballast_size():
            self._ballast.restore()
        return gone, reclaimed

    def _compact_down_to(self, goal_bytes: int) -> bool:
        """False when that little cannot be reached."""
        while self._log.held_bytes > goal_bytes:
            segment = compaction.candidate(self._log, TIGHT_GARBAGE_RATIO)
            if segment is None:
                return False
            self._compaction.compact(segment, self._breathe, _HASTE_FRAMES)
        return True
