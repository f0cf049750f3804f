"""Is the worker alive? The process that holds the target: started fresh, watched, stopped.

A new interpreter, not a fork: a fork would inherit this process's memory and show it as the
target's, and the target may need the interpreter of another virtual environment. It gets a
session of its own, so that Ctrl-C in a terminal reaches only the controller.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from soak.rundir import RunDirectory
from soak.scenario import Scenario
from soak.targets._packages import interpreter

POLL_S = 0.1
# Threads of the target's own numeric libraries would fight with its clients over the cores, and
# how many there are must not depend on the machine. A value that is already set stays.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LAST_WORDS_BYTES = 2_000


class WorkerProcess:
    """`python -m soak.worker RUN`; a context manager that never leaves it behind."""

    def __init__(
        self, scenario: Scenario, directory: RunDirectory, closing_s: Callable[[], float]
    ) -> None:
        """Raises NotInstalled where the target's packages are missing.

        closing_s: how long the target may take to close, asked while it does.
        """
        self._closing_s = closing_s
        self._python = interpreter(scenario.target)
        self._directory = directory
        self._stderr = directory.path / "worker.stderr"

    def __enter__(self) -> Self:
        environment = dict.fromkeys(ONE_THREAD, "1") | os.environ
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                [self._python, "-m", "soak.worker", str(self._directory.path)],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                env=environment,
                start_new_session=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that killed it."""
        return self._process.poll()

    def last_words(self) -> str:
        """How it ended, in one line: its exit and the last line it printed."""
        code = self.exit_code()
        ended = "still running" if code is None else f"exit code {code}"
        if code is not None and code < 0:
            ended = f"killed by {signal.Signals(-code).name}"
        content = self._stderr.read_bytes()[-LAST_WORDS_BYTES:] if self._stderr.exists() else b""
        lines = content.decode(errors="replace").strip().splitlines()
        return f"{ended}: {lines[-1]}" if lines else ended

    def stop(self) -> None:
        """Ask it to close the target and end; kill it, and what it started, when it does not."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        waited_s = 0.0
        while not self._has_ended_within(POLL_S):
            waited_s += POLL_S
            if waited_s >= self._closing_s():
                self._kill_session()

    def _has_ended_within(self, wait_s: float) -> bool:
        try:
            self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it at once."""
        self._kill_session()

    def _kill_session(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
