"""What of the record could not be written? A disk that is full costs lines, never the run."""

from collections.abc import Callable, Sequence

from soak.clock import Clock
from soak.load.ring import Ring
from soak.rundir import LineLog, RunDirectory, RunDirError
from soak.watch.events import EventLog
from soak.watch.worker_log import LogTail


class Losses:
    """Counts what the logs of controller and worker lost, and says so once as an event.

    `look` and `keep` belong to the controller's loop; the rest may be asked from any thread.
    """

    def __init__(
        self,
        directory: RunDirectory,
        logs: Sequence[LineLog],
        ring: Ring,
        tail: LogTail,
        events: EventLog,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._logs = logs
        self._tail = tail
        self._ring = ring
        self._events = events
        self._clock = clock
        self._files: list[str] = []  # whole files, a handful
        self._worker_count = 0
        self._is_told = False

    @property
    def line_count(self) -> int:
        """Lines that are missing from the logs, damaged ones of the worker included."""
        own = sum(log.lost_count for log in self._logs)
        return own + self._worker_count + self._tail.damaged_lines

    def sentence(self) -> str:
        """What is missing, and where it should have been; empty when nothing is."""
        troubles = [log.trouble for log in self._logs if log.trouble]
        if self._worker_count:
            troubles.append(f"{self._directory.worker_log.name}: No space left")
        if self._tail.damaged_lines:
            troubles.append(f"{self._directory.worker_log.name}: damaged lines")
        if not troubles and not self._files:
            return ""
        missing = [f"lines of its logs, {self.line_count} in all,"] if troubles else []
        reasons = "; ".join([*troubles, *self._files])
        lacks = " and ".join([*missing, *(["whole files"] if self._files else [])])
        return f"the run directory {self._directory.path} lacks {lacks} ({reasons})"

    def look(self) -> None:
        """Ask the ring what the worker lost; the first loss of all becomes an event."""
        self._worker_count = self._ring.lost_lines
        said = self.sentence()
        if said and not self._is_told:
            self._is_told = True
            now_ns = self._clock.monotonic_ns()
            self._events.add("record_lost", "detected", now_ns, 0, {"reason": said})

    def carry(self, sentence: str) -> None:
        """What was missing before the run was interrupted is missing still."""
        self._files += [sentence] if sentence else []

    def keep(self, write: Callable[[], None]) -> None:
        """Write a whole file at the end; what cannot be written is one more loss."""
        try:
            write()
        except RunDirError as error:
            self._files.append(str(error))
