"""How is a system's own server run for a soak? Started, waited for, stopped, never left behind.

It stays in the worker's process group, which the controller kills as a whole; and where there is
setpriv (util-linux), the kernel ends it when the worker dies in any other way.
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from soak.clock import NS_PER_S, Clock
from soak.result import TargetUnavailable

READY_S = 60.0
POLL_S = 0.05
STOP_S = 10.0
LAST_WORDS_BYTES = 2_000
NOBODY = "nobody"  # for servers that refuse to run as root


class Server:
    """A process of the target's. is_ready: asked until it says yes; must not raise.

    awaited: what it has not done while it is not ready, for the message. Raises TargetUnavailable,
    with the server's last line, when it ends or is not ready in READY_S.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        clock: Clock,
        is_ready: Callable[[], bool],
        awaited: str = "",
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*_dying_with_parent(), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | dict(environment or {}),
                user=user,
            )
        self.pid = self._process.pid
        deadline_ns = clock.monotonic_ns() + round(READY_S * NS_PER_S)
        while not is_ready():
            if self._process.poll() is not None:
                raise TargetUnavailable(f"{command[0]}: {self._last_words()}")
            if clock.monotonic_ns() > deadline_ns:
                self.stop()
                late = f"{command[0]}: not ready after {READY_S:g} s"
                words = [late, awaited, f"it said last: {self._last_words()}"]
                raise TargetUnavailable("; ".join(filter(None, words)))
            clock.sleep_s(POLL_S)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, then end it."""
        if self._process.poll() is None:
            self._process.send_signal(by)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        lines = self._log.read_bytes()[-LAST_WORDS_BYTES:].decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"exit code {self._process.returncode}, without a word"


def watched(server: Server | None, pid: int | None) -> Sequence[int] | None:
    """Whose resources are the target's: our server's, the named process's, or out of reach."""
    if server is not None:
        return (server.pid,)
    return None if pid is None else (pid,)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody accepts connections on that port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _dying_with_parent() -> list[str]:
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "KILL", "--"] if found else []
