"""How can a system be slow, leak or die? Troubles of the whole system, struck before each call."""

import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Event, Lock, Thread

from pydantic import BaseModel, ConfigDict, Field

from soak.clock import NS_PER_S, Clock
from soak.scenario.quantities import Duration, Size

CHUNK_BYTES = 4096
NAP_S = 3600.0


class TroubleParams(BaseModel):
    """All troubles are off by default; none begins before onset_s.

    leak_operation: which operation leaks leak_bytes_per_operation, or any. leak_step_bytes: what
    is leaked is held once it adds up to that, and then at once. stall_every_s: the stall repeats.
    maintain_stops_s: for so long each maintenance lets nobody through. n-th means n-th call of all
    kinds, counted from 1.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    onset_s: Duration = 0.0
    leak_operation: str = "any"
    leak_bytes_per_operation: Size = 0
    leak_bytes_per_s: Size = 0
    leak_bytes_per_error: Size = 0
    leak_step_bytes: Size = Field(CHUNK_BYTES, ge=CHUNK_BYTES)
    leak_disk_bytes_per_operation: Size = 0
    delay_s: Duration = 0.0
    slow_factor: float = Field(1.0, ge=1, le=1000)
    drift_s_per_hour: Duration = 0.0
    stall_at_s: Duration | None = None
    stall_s: Duration = 1.0
    stall_every_s: Duration | None = None
    maintain_stops_s: Duration = 0.0
    hang_at_operation: int | None = Field(None, ge=1)
    crash_at_operation: int | None = Field(None, ge=1)
    fd_leak_every_operations: int | None = Field(None, ge=1)
    thread_leak_every_operations: int | None = Field(None, ge=1)


class Troubles:
    """Strikes in the calling thread. Everything it leaks is leaked on purpose, until `close`."""

    def __init__(
        self, params: TroubleParams, data_dir: Path, clock: Clock, kill: Callable[[], None]
    ) -> None:
        self._params = params
        self._clock = clock
        self._kill = kill
        self._path = data_dir / "leaked"
        self._start_ns = clock.monotonic_ns()
        self._calls = count(1)
        self._lock = Lock()
        self._owed_bytes = 0
        self._paid_bytes = 0
        self._leaked: list[bytes] = []
        self._owed_disk_bytes = 0
        self._stopped_until_s = 0.0
        self._leaked_fds: list[int] = []
        self._leaked_threads: list[Thread] = []
        self._released = Event()

    def strike(self, operation: str) -> float:
        """Suffer what is due now; returns when the call itself began, in monotonic seconds."""
        call = next(self._calls)
        elapsed_s = (self._clock.monotonic_ns() - self._start_ns) / NS_PER_S
        if elapsed_s >= self._params.onset_s:
            self._die(call)
            self._leak(operation, call, elapsed_s - self._params.onset_s)
            self._wait(operation, elapsed_s)
        return self._clock.monotonic_ns() / NS_PER_S

    def linger(self, began_s: float) -> None:
        """Stretch a call that is done by the slow factor."""
        if self._params.slow_factor > 1:
            took_s = self._clock.monotonic_ns() / NS_PER_S - began_s
            self._clock.sleep_s(took_s * (self._params.slow_factor - 1))

    def has_failed(self) -> None:
        """The call ends in an error, which leaks, too; held from the next call on."""
        with self._lock:
            self._owed_bytes += self._params.leak_bytes_per_error

    def leaked_bytes(self) -> int:
        return self._paid_bytes

    def close(self) -> None:
        self._released.set()
        for fd in self._leaked_fds:
            os.close(fd)
        self._leaked_fds.clear()

    def _die(self, call: int) -> None:
        if call == self._params.crash_at_operation:
            self._kill()
        if call == self._params.hang_at_operation:
            while not self._released.is_set():
                self._clock.sleep_s(NAP_S)

    def _leak(self, operation: str, call: int, leaking_s: float) -> None:
        params = self._params
        with self._lock:
            if params.leak_operation in ("any", operation):
                self._owed_bytes += params.leak_bytes_per_operation
            due_bytes = self._owed_bytes + int(leaking_s * params.leak_bytes_per_s)
            # In chunks, each written, so that what is held grows by what was asked for.
            while due_bytes - self._paid_bytes >= params.leak_step_bytes:
                self._leaked.append(b"\x01" * params.leak_step_bytes)
                self._paid_bytes += params.leak_step_bytes
            self._leak_disk(params.leak_disk_bytes_per_operation)
            if _is_turn(call, params.fd_leak_every_operations):
                self._leaked_fds.append(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644))
            if _is_turn(call, params.thread_leak_every_operations):
                thread = Thread(target=self._released.wait, daemon=True)
                thread.start()
                self._leaked_threads.append(thread)

    def _leak_disk(self, more_bytes: int) -> None:
        self._owed_disk_bytes += more_bytes
        if self._owed_disk_bytes >= CHUNK_BYTES:
            with self._path.open("ab") as file:
                file.write(b"\x01" * self._owed_disk_bytes)
            self._owed_disk_bytes = 0

    def _wait(self, operation: str, elapsed_s: float) -> None:
        params = self._params
        delay_s = params.delay_s + params.drift_s_per_hour * (elapsed_s - params.onset_s) / 3600
        if params.stall_at_s is not None and elapsed_s >= params.stall_at_s:
            into_s = elapsed_s - params.stall_at_s
            if params.stall_every_s:
                into_s %= params.stall_every_s
            # Everybody waits for the end of the stall, as behind a lock.
            delay_s += max(0.0, params.stall_s - into_s)
        if operation == "maintain":
            self._stopped_until_s = elapsed_s + params.maintain_stops_s
        delay_s += max(0.0, self._stopped_until_s - elapsed_s)
        if delay_s > 0:
            self._clock.sleep_s(delay_s)


def die_at_once() -> None:
    """No clean-up, no exit handlers: as if the machine had killed it."""
    os.kill(os.getpid(), signal.SIGKILL)


def _is_turn(call: int, every: int | None) -> bool:
    return every is not None and call % every == 0
