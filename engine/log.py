"""In which order did everything happen, and is it on disk?

The log is the only durable truth: segments of frames, ordered by LSN wherever they lie. Writers
append under `lock`; syncing happens outside of it (a sync under a lock that readers or writers
take costs a hundred times the median, measured).
"""

import threading
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from engine import frame
from engine.disk import Disk
from engine.errors import CorruptError
from engine.frame import Draft
from engine.segment import START, Segment


class Place(NamedTuple):
    """Where a frame lies."""

    segment: int
    offset: int


class Places(NamedTuple):
    """Where the frames of one append lie: all in one segment."""

    segment: int
    offsets: list[int]

    def first(self) -> Place:
        return Place(self.segment, self.offsets[0])


class Log:
    """The segments, one of which is active. Methods marked (lock) want `lock` held."""

    def __init__(
        self,
        disk: Disk,
        directory: Path,
        dimensions: int,
        segment_bytes: int,
        step_bytes: int = 0,
    ) -> None:
        self.disk = disk
        self.directory = directory
        self.dimensions = dimensions
        self.segment_bytes = segment_bytes
        self.step_bytes = step_bytes
        self.lock = threading.Lock()
        self.segments: dict[int, Segment] = {}
        self.next_lsn = 1
        self.appended_bytes = 0
        self.syncs = 0
        self.sync_s_last = 0.0
        self._active: Segment | None = None
        self._next_number = 1
        self._unsynced: set[Segment] = set()

    def adopt(self, segment: Segment, is_active: bool) -> None:
        """Take a segment found on disk."""
        self.segments[segment.number] = segment
        self._next_number = max(self._next_number, segment.number + 1)
        segment.is_sealed = not is_active
        segment.step_bytes = self.step_bytes
        if is_active:
            self._active = segment
        elif self._active is segment:
            self._active = None

    def append(self, drafts: Sequence[Draft]) -> Places:
        """(lock) All of them in one write, with consecutive LSNs from `next_lsn` on, or OSError."""
        first = self.next_lsn
        # Never reuse a number, not even after a failed write: remains of it might be found.
        self.next_lsn += len(drafts)
        size = sum(len(draft.body) for draft in drafts) + frame.OVERHEAD_BYTES * len(drafts)
        segment = self._with_room(size)
        # The horizon: what a delete silences lies in this segment or an earlier one.
        horizon = segment.number
        frames = [frame.encode(draft, lsn, horizon) for lsn, draft in enumerate(drafts, first)]
        return self._write(segment, frames)

    def append_frames(self, frames: Sequence[bytes]) -> Places:
        """(lock) Frames as they are: compaction keeps the LSNs of what it copies."""
        return self._write(self._with_room(sum(map(len, frames))), frames)

    def _write(self, segment: Segment, frames: Sequence[bytes]) -> Places:
        self.disk.reached("append")
        content = b"".join(frames)
        offset = segment.append(content)
        self._unsynced.add(segment)
        self.appended_bytes += len(content)
        offsets = list(accumulate(map(len, frames[:-1]), initial=offset))
        if segment.offsets is not None:
            segment.offsets.extend(offsets)
        return Places(segment.number, offsets)

    def _with_room(self, size: int) -> Segment:
        active = self._active
        if active is not None:
            if self._fits(active, size):
                return active
            self._seal(active)
        created = Segment.create(
            self.disk, self.directory, self._next_number, self.dimensions, self.step_bytes
        )
        self.segments[created.number] = created
        # Not reused while we run: a reader may still hold the place of a frame in a dropped one.
        self._next_number += 1
        self._active = created
        return created

    def _seal(self, active: Segment) -> None:
        self.disk.reached("seal")
        active.trim()
        active.is_sealed = True
        self._active = None

    def seal_garbage(self, garbage_ratio: float) -> bool:
        """Seal the active segment for compaction, if so much of it is dead. Raises OSError."""
        with self.lock:
            active = self._active
            if active is None or active.dead_bytes <= garbage_ratio * active.end:
                return False
            self._seal(active)
            return True

    def _fits(self, segment: Segment, size: int) -> bool:
        return segment.end == START or segment.end + size <= self.segment_bytes

    def growth_bytes(self, size: int) -> int:
        """(lock) By how much an append of this size would make the files longer, at most."""
        active = self._active
        if active is None or not self._fits(active, size):
            return max(self.step_bytes, START + size)
        missing = active.end + size - active.allocated
        return max(self.step_bytes, missing) if missing > 0 else 0

    @property
    def has_unsynced(self) -> bool:
        return bool(self._unsynced)

    def take_unsynced(self) -> list[Segment]:
        """(lock) Segments written since the last call; the caller syncs them."""
        taken = list(self._unsynced)
        self._unsynced.clear()
        return taken

    def sync(self, segments: Sequence[Segment]) -> None:
        """Without the lock. OSError means: nothing written since the last sync may be trusted."""
        self.disk.reached("fsync")
        for segment in segments:
            self.disk.sync(segment.fd)
            self.syncs += 1

    def read(self, place: Place, length: int, record_id: int, lsn: int) -> bytes | None:
        """The body of a record's frame; None when the segment has been compacted away.

        Raises CorruptError when it is there and does not match its checksums.
        """
        segment = self.segments.get(place.segment)
        if segment is None:
            return None
        content = segment.read(place.offset, length)
        header = frame.decode_header(content)
        body = frame.body_of(content, header) if header else None
        if header is None or body is None or (header.id, header.lsn) != (record_id, lsn):
            raise CorruptError(
                f"record {record_id}: {segment.path} at {place.offset} does not match its checksum"
            )
        return body

    def drop(self, segment: Segment) -> None:
        """Delete a segment that holds nothing any more; readers under way keep their descriptor.

        On OSError it stays in the log, as dead as it is: were it forgotten while its file remains,
        deletes that silence what is in it would be dropped too early.
        """
        self.disk.reached("unlink")
        checkpoint = segment.path.with_suffix(".ckpt")
        # The checkpoint first: alone it could be taken for that of a later segment.
        segment.has_checkpoint = False
        if checkpoint.exists():
            self.disk.unlink(checkpoint)
        if segment.path.exists():
            self.disk.unlink(segment.path)
        self.disk.sync_directory(self.directory)
        with self.lock:
            del self.segments[segment.number]

    def release(self) -> None:
        """Let go of all files; each is closed when its last reader has ended."""
        self.segments.clear()
        self._unsynced.clear()
        self._active = None

    @property
    def accounted_bytes(self) -> int:
        """Private memory: where frames lie whose segment has no checkpoint yet, and deletes."""
        segments = list(self.segments.values())
        return sum(4 * (len(s.tombstones) + len(s.offsets or ())) for s in segments)

    @property
    def total_bytes(self) -> int:
        """Bytes of frames, dead and alive, without preallocated room."""
        return sum(segment.end for segment in list(self.segments.values()))

    @property
    def held_bytes(self) -> int:
        """What the segments take of the disk, preallocated room included."""
        return sum(segment.allocated for segment in list(self.segments.values()))

    @property
    def tombstone_count(self) -> int:
        return sum(len(segment.tombstones) for segment in list(self.segments.values()))

    @property
    def live_bytes(self) -> int:
        return sum(segment.live_bytes for segment in list(self.segments.values()))

    @property
    def dead_bytes(self) -> int:
        return sum(segment.dead_bytes for segment in list(self.segments.values()))
