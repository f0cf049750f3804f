"""How do the bytes of dead records come back?

The deadest segment is read once, its live frames are appended to the log as they are (LSN and all),
in steps of 64 with a pause between, then it is synced and the old file unlinked. A crash anywhere
leaves each live frame at least once; twice is harmless, the LSN is the same.

A delete frame silences older puts of its id. It may be dropped only when none of those is left on
disk, or a deleted record would come back. Those puts lie in segments numbered up to the delete's
horizon (the segment it was first appended to), because dead frames are never copied. So: a
tombstone goes when no other segment up to its horizon holds dead bytes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from engine import frame
from engine.commit import Commit
from engine.frame import Buffer, Kind
from engine.graph import EdgeKey
from engine.live import Live
from engine.log import Log, Place
from engine.segment import START, Found, Segment

STEP_FRAMES = 64
# Tombstones beyond this share of the live bytes: clean the oldest segment that keeps them needed.
_TOMBSTONE_RATIO = 0.10


class Copied(NamedTuple):
    """What one compaction did."""

    records: int
    bytes_reclaimed: int
    longest_pause_ns: int


def garbage_bytes(log: Log, segment: Segment) -> int:
    """What compacting this segment would give back now."""
    if segment.tombstones and _are_droppable(log, segment):
        return segment.dead_bytes + segment.tombstone_bytes
    return segment.dead_bytes


def _are_droppable(log: Log, segment: Segment) -> bool:
    others = list(log.segments.values())
    return not any(
        other.dead_bytes and other.number <= segment.horizon and other is not segment
        for other in others
    )


def candidate(log: Log, garbage_ratio: float) -> Segment | None:
    """The sealed segment most worth compacting, if any is."""
    sealed = [segment for segment in list(log.segments.values()) if segment.is_sealed]
    if not sealed:
        return None
    deadest = max(sealed, key=lambda segment: _share(log, segment))
    if _share(log, deadest) >= garbage_ratio:
        return deadest
    tombstone_bytes = sum(segment.tombstone_bytes for segment in sealed)
    if tombstone_bytes > _TOMBSTONE_RATIO * max(log.live_bytes, START):
        keepers = [segment for segment in sealed if segment.dead_bytes]
        return min(keepers, key=lambda segment: segment.number, default=None)
    return None


def _share(log: Log, segment: Segment) -> float:
    return garbage_bytes(log, segment) / max(segment.end - START, 1)


class Compaction:
    """Compacts one segment at a time. now_ns: a monotonic clock; pause: let others run."""

    def __init__(self, log: Log, live: Live, commit: Commit, now_ns: Callable[[], int]) -> None:
        self._log = log
        self._live = live
        self._commit = commit
        self._now_ns = now_ns
        self._longest_ns = 0

    def compact(self, segment: Segment, pause: Callable[[], None]) -> Copied:
        """Copy what lives, sync, unlink. Raises OSError or DurabilityError: nothing is lost then,
        and the segment stays."""
        copied_bytes = 0
        self._log.disk.reached("compact")
        walk = segment.walk(pause=pause)
        keeps_tombstones = not _are_droppable(self._log, segment)
        records = 0
        self._longest_ns = 0
        for first in range(0, len(walk.frames), STEP_FRAMES):
            step = walk.frames[first : first + STEP_FRAMES]
            kept = self._copy(segment, step, walk.content, keeps_tombstones)
            records += len(kept)
            copied_bytes += sum(found.header.frame_bytes for found in kept)
            pause()
        self._commit.flush()
        with self._log.lock:
            self._log.drop(segment)
        return Copied(records, segment.end - copied_bytes, self._longest_ns)

    def _copy(
        self, segment: Segment, step: list[Found], content: Buffer, keeps_tombstones: bool
    ) -> list[Found]:
        """One step: writers wait for it, readers only for the moving of places."""
        ids = [found.header.id for found in step]
        ids += [found.header.extra for found in step if found.header.kind == Kind.LINK]
        # With a change of one of these under way, a copy could end up behind the horizon of the
        # delete that is about to silence it.
        with self._commit.settled(ids):
            with self._held():
                kept = [
                    found for found in step if self._is_needed(segment, found, keeps_tombstones)
                ]
            if not kept:
                return []
            places = self._log.append_frames([_bytes_of(found, content) for found in kept])
            with self._held():
                for found, place in zip(kept, places, strict=True):
                    self._move(segment, found, place)
        return kept

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The state lock, timed: this is what readers wait for."""
        with self._live.lock:
            start_ns = self._now_ns()
            yield
            self._longest_ns = max(self._longest_ns, self._now_ns() - start_ns)

    def _is_needed(self, segment: Segment, found: Found, keeps_tombstones: bool) -> bool:
        header = found.header
        if header.kind in (Kind.DELETE, Kind.UNLINK):
            return keeps_tombstones
        if found.is_damaged:
            return False
        here = Place(segment.number, found.offset)
        if header.kind == Kind.PUT:
            row = self._live.rows.get(header.id)
            return (
                row is not None
                and self._live.columns.offset[row] == here.offset
                and self._live.columns.segment[row] == here.segment
            )
        edge = self._live.graph.row_of(EdgeKey(header.id, header.extra, header.aux))
        return edge is not None and self._live.graph.place_of(edge) == here

    def _move(self, segment: Segment, found: Found, place: Place) -> None:
        header = found.header
        target = self._log.segments[place.segment]
        length = header.frame_bytes
        if header.kind in (Kind.DELETE, Kind.UNLINK):
            self._live.bury_tombstone(place, header.agent or segment.number, length)
            segment.tombstones -= 1
            segment.tombstone_bytes -= length
            return
        segment.live_bytes -= length
        target.live_bytes += length
        if header.kind == Kind.PUT:
            row = self._live.rows[header.id]
            self._live.columns.segment[row], self._live.columns.offset[row] = place
            return
        edge = self._live.graph.row_of(EdgeKey(header.id, header.extra, header.aux))
        assert edge is not None
        self._live.graph.move_to(edge, place)


def _bytes_of(found: Found, content: Buffer) -> bytes:
    start = found.offset - START
    copied = content[start : start + found.header.frame_bytes]
    if frame.decode_header(copied) is not None:
        return copied
    # A delete whose header is damaged: all it says stands in its trailer.
    return frame.encode(frame.Draft(Kind.DELETE, found.header.id), found.header.lsn)
