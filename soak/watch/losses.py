"""What of the record could not be written? A disk that is full costs lines, never the run."""

from collections.abc import Callable, Sequence

from soak.clock import Clock
from soak.load.ring import Ring
from soak.rundir import LineLog, RunDirectory, RunDirError
from soak.state import Tree
from soak.watch.events import EventLog
from soak.watch.worker_log import LogTail

UNKNOWN_CAUSE = "after its last checkpoint, for which there was no room either"


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
        self._lines_before = 0
        self._troubles_before: list[str] = []  # one for each file and cause

    @property
    def line_count(self) -> int:
        """Lines that are missing from the logs, damaged ones of the worker included."""
        own = self._lines_before + sum(log.lost_count for log in self._logs)
        return own + self._worker_count + self._tail.damaged_lines

    def sentence(self) -> str:
        """What is missing, and where it should have been; empty when nothing is."""
        troubles = self._troubles()
        if not troubles and not self._files:
            return ""
        missing = [f"lines of its logs, {self.line_count} in all,"] if troubles else []
        reasons = "; ".join([*troubles, *self._files])
        lacks = " and ".join([*missing, *(["whole files"] if self._files else [])])
        return f"the run directory {self._directory.path} lacks {lacks} ({reasons})"

    def look(self) -> None:
        """Ask the ring what the worker lost; the first loss of all becomes an event."""
        self._worker_count = self._ring.lost_lines
        # Damaged lines are found again by who goes on.
        self._ring.missing_lines = self.line_count - self._tail.damaged_lines
        said = self.sentence()
        if said and not self._is_told:
            self._is_told = True
            now_ns = self._clock.monotonic_ns()
            self._events.add("record_lost", "detected", now_ns, 0, {"reason": said})

    def state(self) -> Tree:
        """Without whole files: these are written when a run ends, and again when it goes on."""
        lines = {"line_count": self.line_count, "troubles": self._troubles()}
        return {**lines, "is_told": self._is_told}

    def restore(self, tree: Tree, missing_count: int) -> None:
        """What was missing before the run was interrupted is missing still.

        missing_count: as the ring has it, which is newer where a checkpoint found no room.
        """
        self._lines_before = max(tree["line_count"], missing_count)
        self._troubles_before = tree["troubles"]
        if self._lines_before and not self._troubles_before:
            self._troubles_before = [UNKNOWN_CAUSE]
        self._is_told = tree["is_told"]

    def keep(self, write: Callable[[], None]) -> None:
        """Write a whole file at the end; what cannot be written is one more loss."""
        try:
            write()
        except RunDirError as error:
            self._files.append(str(error))

    def _troubles(self) -> list[str]:
        """Why lines are missing, each cause once, by file."""
        found = [*self._troubles_before, *(log.trouble for log in self._logs if log.trouble)]
        if self._worker_count:
            found.append(f"{self._directory.worker_log.name}: No space left")
        if self._tail.damaged_lines:
            found.append(f"{self._directory.worker_log.name}: damaged lines")
        return list(dict.fromkeys(found))
