"""How do figures get to a receiver without being fetched? A thread that writes what it shows.

Every few seconds the newest snapshot goes to the end of the backlog, and then as much of the
backlog as the receiver takes goes out, oldest first. A receiver that is away or busy (no answer,
5xx, 429) is asked again at the next turn; what it refuses (any other 4xx) will never be taken and
is dropped. Nothing here is in the way of the load.
"""

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from soak.clock import Clock
from soak.push.backlog import Backlog
from soak.push.samples import series, snappy, write_request
from soak.show.family import Family, counter, gauge
from soak.snapshot import Snapshot

EVERY_S = 15.0
TIMEOUT_S = 5.0
SAID_EVERY_S = 60.0
HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
    "User-Agent": "soak",
}
BUSY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where to. token: as a bearer token, empty for none."""

    url: str
    token: str = ""
    every_s: float = EVERY_S
    fixed: dict[str, str] = field(default_factory=dict)


class RemoteWrite:
    """Writes until closed; say is told of trouble at most once a minute."""

    def __init__(
        self,
        receiver: Receiver,
        source: Callable[[], Snapshot],
        folder: Path,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._receiver = receiver
        self._source = source
        self._clock = clock
        self._say = say
        self._said_s = -SAID_EVERY_S
        self._over = threading.Event()
        self.backlog = Backlog(folder)
        self.sent_count = 0
        self.failure_count = 0
        self._thread = threading.Thread(target=self._turns, name="remote-write", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Write the last snapshot, and wait for one attempt to send everything."""
        self._over.set()
        self._thread.join(2 * TIMEOUT_S)
        if not self._thread.is_alive():
            self.turn()

    def use_token(self, token: str) -> None:
        """From the next attempt on."""
        self._receiver = replace(self._receiver, token=token)

    def turn(self) -> None:
        """Take the newest snapshot in, and send what the receiver takes."""
        found = list(series(self._source(), self.families()))
        request = write_request(found, self._receiver.fixed, self._clock.wall_s())
        self.backlog.add(request, len(found))
        while (waiting := self.backlog.oldest()) is not None:
            if not self._sent(*waiting):
                return

    def families(self) -> Sequence[Family]:
        """What it says of itself on the page."""
        return (
            counter("soak_push_samples_total", "Samples that were written.", self.sent_count),
            counter(
                "soak_push_samples_dropped_total",
                "Samples refused, or too many while the receiver was away.",
                self.backlog.dropped_count,
            ),
            counter("soak_push_failures_total", "Attempts that failed.", self.failure_count),
            gauge("soak_push_waiting_bytes", "Size of the backlog.", self.backlog.size_bytes),
        )

    def _turns(self) -> None:
        while not self._over.wait(self._receiver.every_s):
            self.turn()

    def _sent(self, request: bytes, sample_count: int) -> bool:
        """Whether there is a point in sending the next one."""
        trouble, is_final = self._post(snappy(request))
        if not trouble:
            self.backlog.done()
            self.sent_count += sample_count
            return True
        self.failure_count += 1
        now_s = self._clock.monotonic_ns() / 1e9
        if now_s >= self._said_s + SAID_EVERY_S:
            self._said_s = now_s
            self._say(f"{self._receiver.url}: {trouble}")
        if is_final:
            self.backlog.refuse()
        return is_final

    def _post(self, body: bytes) -> tuple[str, bool]:
        """What went wrong, empty for nothing; and whether it will go wrong again."""
        headers, receiver = dict(HEADERS), self._receiver
        if receiver.token:
            headers["Authorization"] = f"Bearer {receiver.token}"
        request = urllib.request.Request(receiver.url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                return "", False
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(200).decode(errors="replace").strip()
            return f"{error.code} {said}", 400 <= error.code < 500 and error.code != BUSY
        except (OSError, http.client.HTTPException) as error:
            return str(getattr(error, "reason", error)), False
