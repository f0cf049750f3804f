"""How do the bytes of dead records come back?

What lives in the deadest segment is appended to the log as it is (LSN and all, damage too: it is
found when read), in steps with a pause between, then it is synced and the old file unlinked. A
crash anywhere leaves each live frame at least once; twice is harmless, the LSN is the same.

A delete frame silences older puts of its id. It may be dropped only when none of those is left on
disk, or a deleted record would come back. Those puts lie in segments numbered up to the delete's
horizon (the segment it was first appended to), because dead frames are never copied. So: a
tombstone goes when no other segment up to its horizon holds dead bytes.
"""

from collections.abc import Callable, Iterator
from itertools import compress
from typing import NamedTuple

import numpy as np

from engine import frame
from engine.commit import Commit
from engine.errors import CorruptError
from engine.graph import EdgeKey
from engine.hold import Hold
from engine.live import Live
from engine.log import Log, Place, Places
from engine.segment import START, Segment

# Of 1.2 KB frames: 35 MB/s with a pause of 1 ms, and readers wait 30 microseconds for a step.
STEP_FRAMES = 32
# Records may be moved to other rows while a pass goes on, and so escape it.
_PASSES = 16
# Frames are read in one piece when that is at most so much more than what is wanted.
_SPAN_RATIO = 4
# Tombstones beyond this share of the live bytes: clean the oldest segment that keeps them needed.
_TOMBSTONE_RATIO = 0.10


class Copied(NamedTuple):
    """What one compaction did."""

    records: int
    bytes_reclaimed: int


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
    """Compacts one segment at a time. hold: the state lock, timed."""

    def __init__(self, log: Log, live: Live, commit: Commit, hold: Hold) -> None:
        self._log = log
        self._live = live
        self._commit = commit
        self._hold = hold

    def compact(
        self, segment: Segment, pause: Callable[[], None], step_frames: int = STEP_FRAMES
    ) -> Copied:
        """Copy what lives, sync, unlink; pause is called after each step.

        Raises OSError or DurabilityError: nothing is lost then, and the segment stays.
        """
        self._log.disk.reached("compact")
        # What is appended and not yet applied may lie in it, and would look dead.
        self._commit.flush()
        keeps_tombstones = not _are_droppable(self._log, segment)
        records = copied_bytes = 0
        for _ in range(_PASSES):
            if not segment.live_bytes:
                break
            for step in self._steps_of_records(segment, step_frames):
                count, size = self._copy_records(segment, *step)
                records += count
                copied_bytes += size
                pause()
            for edges in self._steps_of_edges(segment, step_frames):
                copied_bytes += self._copy_edges(segment, edges)
                pause()
        if segment.live_bytes:
            raise CorruptError(f"{segment.path}: {segment.live_bytes} bytes belong to no record")
        if keeps_tombstones:
            copied_bytes += self._copy_tombstones(segment, pause)
        self._commit.flush()
        self._log.drop(segment)
        return Copied(records, segment.end - copied_bytes)

    def _steps_of_records(
        self, segment: Segment, size: int
    ) -> Iterator[tuple[list[int], list[int], list[int]]]:
        """(ids, offsets, lengths) of what lives there, in the order of the file.

        Seen in one moment: a row that changes hands meanwhile would give the id of one record and
        the place of another. What goes on later is each step's to notice.
        """
        columns = self._live.columns
        with self._hold:
            rows = np.flatnonzero(columns.segment[: columns.n] == segment.number)
            ids, offsets, lengths = columns.id[rows], columns.offset[rows], columns.length[rows]
        order = np.argsort(offsets)
        ids, offsets, lengths = ids[order], offsets[order], lengths[order]
        for first in range(0, len(order), size):
            part = slice(first, first + size)
            yield ids[part].tolist(), offsets[part].tolist(), lengths[part].tolist()

    def _copy_records(
        self, segment: Segment, ids: list[int], offsets: list[int], lengths: list[int]
    ) -> tuple[int, int]:
        """One step: writers wait for it, readers only for the moving of places."""
        frames = _frames_at(segment, offsets, lengths)
        # With a change of one of these under way, a copy could end up behind the horizon of the
        # delete that is about to silence it.
        with self._commit.settled(ids):
            with self._hold:
                is_here = self._are_at(segment.number, ids, offsets, lengths)
            kept = list(compress(frames, is_here))
            if not kept:
                return 0, 0
            places = self._log.append_frames(kept)
            size = sum(map(len, kept))
            with self._hold:
                index, single = self._live.rows, self._live.columns.single
                for record_id, offset in zip(compress(ids, is_here), places.offsets, strict=True):
                    row = index[record_id]
                    single.segment[row] = places.segment
                    single.offset[row] = offset
                self._tally(segment, places, size)
        return len(kept), size

    def _are_at(
        self, number: int, ids: list[int], offsets: list[int], lengths: list[int]
    ) -> list[bool]:
        index, single = self._live.rows, self._live.columns.single
        return [
            (row := index.get(record_id)) is not None
            and single.offset[row] == offset
            and single.segment[row] == number
            and single.length[row] == length
            for record_id, offset, length in zip(ids, offsets, lengths, strict=True)
        ]

    def _tally(self, segment: Segment, places: Places, size: int) -> None:
        segment.live_bytes -= size
        self._log.segments[places.segment].live_bytes += size

    def _steps_of_edges(
        self, segment: Segment, size: int
    ) -> Iterator[list[tuple[EdgeKey, int, int]]]:
        """(name, offset, length) of the edges there, in the order of the file; in one moment."""
        with self._hold:
            columns = self._live.graph.in_segment(segment.number)
        order = np.argsort(columns[3])
        for first in range(0, len(order), size):
            part = order[first : first + size]
            listed = [column[part].tolist() for column in columns]
            yield [(EdgeKey(*name), at, length) for *name, at, length in zip(*listed, strict=True)]

    def _copy_edges(self, segment: Segment, edges: list[tuple[EdgeKey, int, int]]) -> int:
        frames = _frames_at(segment, [e[1] for e in edges], [e[2] for e in edges])
        graph = self._live.graph
        ids = [end for key, _, _ in edges for end in key[:2]]
        with self._commit.settled(ids):
            with self._hold:
                is_here = [
                    (row := graph.row_of(key)) is not None
                    and graph.place_of(row) == Place(segment.number, offset)
                    for key, offset, _ in edges
                ]
            kept = list(compress(frames, is_here))
            if not kept:
                return 0
            places = self._log.append_frames(kept)
            with self._hold:
                moved = compress(edges, is_here)
                for (key, _, _), offset in zip(moved, places.offsets, strict=True):
                    row = graph.row_of(key)
                    assert row is not None
                    graph.move_to(row, Place(places.segment, offset))
                self._tally(segment, places, sum(map(len, kept)))
        return sum(map(len, kept))

    def _copy_tombstones(self, segment: Segment, pause: Callable[[], None]) -> int:
        """All of them; they keep their horizon."""
        size = 0
        step_frames = 8 * STEP_FRAMES
        offsets = sorted(segment.tombstones)
        for first in range(0, len(offsets), step_frames):
            step = offsets[first : first + step_frames]
            frames = _frames_at(segment, step, [frame.OVERHEAD_BYTES] * len(step))
            with self._log.lock:
                places = self._log.append_frames(frames)
                with self._hold:
                    self._live.bury_tombstones(places, segment.horizon)
            size += sum(map(len, frames))
            pause()
        return size


def _frames_at(segment: Segment, offsets: list[int], lengths: list[int]) -> list[bytes]:
    """The bytes of these frames, which are in the order of the file. Raises CorruptError."""
    first, end = offsets[0], offsets[-1] + lengths[-1]
    if end - first <= _SPAN_RATIO * sum(lengths):
        content = segment.read(first, end - first)
        frames = [
            content[offset - first : offset - first + length]
            for offset, length in zip(offsets, lengths, strict=True)
        ]
    else:
        frames = [segment.read(*pair) for pair in zip(offsets, lengths, strict=True)]
    if list(map(len, frames)) != lengths:
        raise CorruptError(f"{segment.path}: the file is shorter than what was written to it")
    return frames
