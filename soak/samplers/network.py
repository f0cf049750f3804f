"""How much goes over the network? TCP of the target's processes, and all of this name space.

Linux counts no network bytes by process, so the connections that a process has open are looked up
and their own counts added. That is a lower bound: what a connection carried between the last look
and its end is missed, and so is one that lived in between. UDP and local sockets are not in it.

Processes out of reach, or in another network name space, have no columns: unknown, not zero.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from soak.clock import NS_PER_S, thread_cpu_ns
from soak.samplers._sockets import Connection, connections
from soak.samplers.process import PROC
from soak.seams import SampleError, Sampler, Subject

SOCKET = re.compile(r"socket:\[(\d+)\]")
LOOPBACK = "lo"
# Of the fields of a line of net/dev.
RECEIVED, SENT = 0, 8
MAX_PROCESSES = 1024
# A look costs microseconds for each open file of the target and each connection of the machine.
SHARE = 0.01


def parse_devices(text: str) -> dict[str, tuple[int, int]]:
    """Device to (received, sent) bytes, from /proc/net/dev."""
    found = {}
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        fields = rest.split()
        found[name.strip()] = (int(fields[RECEIVED]), int(fields[SENT]))
    return found


class NetworkSampler:
    """Keeps what ended connections had carried, and the latest counts of those that are open."""

    def __init__(
        self,
        subject: Subject,
        proc: Path,
        list_connections: Callable[[], Sequence[Connection]],
        cpu_ns: Callable[[], int],
    ) -> None:
        self._subject = subject
        self._proc = proc
        self._list = list_connections
        self._cpu_ns = cpu_ns
        self._due_ns = 0
        self._ended = [0, 0]
        self._open: dict[int, tuple[int, int]] = {}  # by cookie, at most as many as are open

    def sample(self) -> Mapping[str, float]:
        row = self._devices()
        now_ns = self._subject.clock.monotonic_ns()
        if now_ns < self._due_ns:
            return row
        before_ns = self._cpu_ns()
        row |= self._connections()
        self._due_ns = now_ns + round((self._cpu_ns() - before_ns) / SHARE) - NS_PER_S // 2
        return row

    def _devices(self) -> dict[str, float]:
        """Of everybody in this name space; loopback counts what was sent, which is received too."""
        path = self._proc / "net" / "dev"
        try:
            devices = parse_devices(path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, IndexError) as error:
            raise SampleError(f"{path}: cannot be read: {error}") from error
        _, loopback = devices.pop(LOOPBACK, (0, 0))
        return {
            "host_loopback_bytes": float(loopback),
            "host_received_bytes": float(sum(received for received, _ in devices.values())),
            "host_sent_bytes": float(sum(sent for _, sent in devices.values())),
        }

    def _connections(self) -> dict[str, float]:
        """Empty where anything of it is hidden from us."""
        if not self._subject.pids():
            return {}
        try:
            inodes = set(self._inodes())
            mine = [one for one in self._list() if one.inode in inodes] if inodes else []
        except OSError:
            return {}
        now = {one.cookie: (one.sent_bytes, one.received_bytes) for one in mine}
        for cookie, counts in self._open.items():
            if cookie not in now:
                self._ended = [a + b for a, b in zip(self._ended, counts, strict=True)]
        self._open = now
        sent, received = (
            ended + sum(counts[place] for counts in now.values())
            for place, ended in enumerate(self._ended)
        )
        return {"tcp_sent_bytes": float(sent), "tcp_received_bytes": float(received)}

    def _inodes(self) -> Iterator[int]:
        """Of the sockets of the target's processes and their descendants. Raises OSError."""
        here = (self._proc / "self" / "ns" / "net").readlink()
        for pid in self._tree():
            home = self._proc / str(pid)
            try:
                if (home / "ns" / "net").readlink() != here:
                    raise PermissionError("another network name space")
                descriptors = list((home / "fd").iterdir())
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended; the process sampler says so where that matters
            for descriptor in descriptors:
                yield from _inode(descriptor)

    def _tree(self) -> list[int]:
        found = list(self._subject.pids())
        for pid in found:
            for children in (self._proc / str(pid) / "task").glob("*/children"):
                try:
                    more = [int(word) for word in children.read_text().split()]
                except (FileNotFoundError, ProcessLookupError):
                    continue
                found += [child for child in more if child not in found]
            if len(found) >= MAX_PROCESSES:
                break
        return found


def _inode(descriptor: Path) -> Iterator[int]:
    try:
        named = SOCKET.fullmatch(str(descriptor.readlink()))
    except (FileNotFoundError, ProcessLookupError):
        return
    if named:
        yield int(named[1])


def build(
    subject: Subject,
    proc: Path = PROC,
    list_connections: Callable[[], Sequence[Connection]] = connections,
    cpu_ns: Callable[[], int] = thread_cpu_ns,
) -> Sampler:
    """The sampler of the network. proc: where /proc is; cpu_ns: this thread's CPU time."""
    return NetworkSampler(subject, proc, list_connections, cpu_ns)
