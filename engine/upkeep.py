"""Who works in the background, and is it still at work?"""

import threading
from collections.abc import Callable

from engine.errors import EngineError


class Upkeep:
    """A thread that does something every period_s, from `start` to `stop`."""

    def __init__(self, run: Callable[[], None], period_s: float, name: str) -> None:
        self._run = run
        self._name = name
        self._period_s = period_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed_count = 0

    def start(self) -> None:
        self._thread = threading.Thread(target=self._keep_going, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when the run under way has ended."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def has_died(self) -> bool:
        """It was started and ended by itself, whatever the reason: nothing is done now."""
        thread = self._thread
        return thread is not None and not thread.is_alive() and not self.is_stopping

    @property
    def failed_count(self) -> int:
        """Runs that failed, the one that ended the thread included."""
        return self._failed_count + self.has_died

    def _keep_going(self) -> None:
        while not self._stopping.wait(self._period_s):
            try:
                self._run()
            except (EngineError, OSError):
                # Nothing is lost by a run that failed; the next one tries again.
                self._failed_count += 1
