"""What is written beside the log, so that opening is quick and nothing that was read is forgotten?

A checkpoint beside each segment that is full, and at close beside the last; and the access file.
"""

from collections.abc import Callable
from functools import partial

from engine import access, checkpoint
from engine.clock import SteadyClock
from engine.commit import Commit
from engine.disk import is_full
from engine.live import Live
from engine.log import Log
from engine.options import Options
from engine.period import Period
from engine.segment import Segment

_ACCESS_PERIOD_S = 600.0
# Half of what engine time may be ahead of what was saved of it, and be believed at the next open.
_LEAD_STEP_S = 43_200.0


class Bookkeeping:
    """Only one thread at a time. Raises DurabilityError or OSError; then less is written, and the
    next opening reads more."""

    def __init__(
        self,
        log: Log,
        live: Live,
        commit: Commit,
        options: Options,
        clock: SteadyClock,
        pause: Callable[[], None],
    ) -> None:
        self._log = log
        self._live = live
        self._commit = commit
        self._options = options
        self._clock = clock
        self._pause = pause
        self._saving = Period(clock, _ACCESS_PERIOD_S)
        self._saved_lead_s = clock.lead_s

    def run(self, explicit: bool) -> tuple[int, int]:
        """What is due, or with explicit all there is; returns (frames covered, 0)."""
        frames = 0
        for segment in list(self._log.segments.values()):
            if segment.is_sealed and not segment.has_checkpoint:
                frames += self._write_checkpoint(segment)
        lead_s = self._clock.lead_s
        if explicit or self._saving.is_over or lead_s - self._saved_lead_s >= _LEAD_STEP_S:
            self._saving.restart()
            self._saved_lead_s = lead_s
            self._save_access()
        return frames, 0

    def _write_checkpoint(self, segment: Segment) -> int:
        """Summarise a segment once it is durable; returns its frames."""
        self._commit.flush()
        content = checkpoint.collected(segment, self._live.graph.names, self._pause)
        if content is None:
            content = checkpoint.digest(segment, pause=self._pause)
        checkpoint.write(self._log.disk, segment, self._options.dimensions, content)
        if segment.is_sealed:
            segment.has_checkpoint = True
            segment.offsets = None
            segment.trim()
        return len(content.headers)

    def finish(self) -> None:
        """Before closing: everything durable, every segment trimmed and with a checkpoint.

        Raises DurabilityError, or the first OSError that is not of a full disk, when all the rest
        is done: no record is lost without what is missing, the next opening reads the segments.
        """
        if self._commit.failure:
            return
        self._commit.flush()
        steps: list[Callable[[], object]] = [self._save_access]
        for segment in self._log.segments.values():
            if not segment.has_checkpoint:
                steps += [partial(self._write_checkpoint, segment), segment.trim]
        failures: list[OSError] = []
        for step in steps:
            try:
                step()
            except OSError as error:
                failures.append(error)
        for failure in failures:
            if not is_full(failure):
                raise failure

    def _save_access(self) -> None:
        access.save(self._log.disk, self._log.directory, self._live, self._clock)
