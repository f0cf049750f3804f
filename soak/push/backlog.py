"""What waits for a receiver that is away? Requests on disk, oldest first, within a bound.

One file per request, `<number>-<samples>.z`; the newest is kept and the oldest goes when there is
no room. A full disk loses requests too, and that is counted in the same way.
"""

import re
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path

_NAMED = re.compile(r"(\d{8,})-(\d+)\.z")
# Four requests a minute: 50 h at 5.6 kB each, 8.6 h at the cap of 5,000 series.
MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One request. size_bytes: on disk."""

    path: Path
    sample_count: int
    size_bytes: int


class Backlog:
    """Makes its folder when there is something to keep. What waits there already, of a run that
    was interrupted, comes first."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._waiting: deque[Waiting] = deque()
        self._number = 0
        self.size_bytes = 0
        self.dropped_count = 0
        for path in sorted(folder.glob("*.z")):
            if named := _NAMED.fullmatch(path.name):
                self._number = int(named[1])
                self._keep(path, int(named[2]), path.stat().st_size)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, request: bytes, sample_count: int) -> None:
        """Keep it, at the expense of the oldest ones if need be."""
        content = zlib.compress(request, 1)
        while self._waiting and self.size_bytes + len(content) > self._max_bytes:
            self.dropped_count += self._forget().sample_count
        self._number += 1
        path = self._folder / f"{self._number:08}-{sample_count}.z"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError:
            path.unlink(missing_ok=True)
            self.dropped_count += sample_count
            return
        self._keep(path, sample_count, len(content))

    def _keep(self, path: Path, sample_count: int, size_bytes: int) -> None:
        self.size_bytes += size_bytes
        self._waiting.append(Waiting(path=path, sample_count=sample_count, size_bytes=size_bytes))

    def oldest(self) -> tuple[bytes, int] | None:
        """The request that has waited longest and its samples; None when none waits.

        One that cannot be read, being half-written or gone, is dropped and counted.
        """
        while self._waiting:
            first = self._waiting[0]
            try:
                return zlib.decompress(first.path.read_bytes()), first.sample_count
            except (OSError, zlib.error):
                self.refuse()
        return None

    def done(self) -> None:
        """The oldest has arrived."""
        self._forget()

    def refuse(self) -> None:
        """The oldest will never be taken."""
        self.dropped_count += self._forget().sample_count

    def _forget(self) -> Waiting:
        first = self._waiting.popleft()
        first.path.unlink(missing_ok=True)
        self.size_bytes -= first.size_bytes
        return first
