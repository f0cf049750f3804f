"""What does the directory say is live? Read at open; the answer is the same after any crash.

For each segment its checkpoint, and a walk over what the checkpoint does not cover. Then, for every
id, the frame with the highest LSN decides, wherever it lies: put means live, delete means gone. A
damaged put decides too: an older version would be a wrong answer, so the record is given up and
counted; so is one whose last version is gone with the end of its segment, if a checkpoint still
knows of it. An edge is live when its own last frame says so, both ends are live, and neither was
deleted after it. Rows to search by are made from the vectors in the segments.
"""

import mmap
from array import array
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine import checkpoint, manifest
from engine.checkpoint import Digest
from engine.disk import Disk
from engine.errors import CapacityError, CorruptError
from engine.frame import HEADER_BYTES, OVERHEAD_BYTES, PINNED, Kind
from engine.graph import EdgeKey
from engine.live import HEADROOM_RECORDS, Live
from engine.log import Log, Place, Places
from engine.quantise import quantise
from engine.segment import Segment, is_unborn
from engine.tiers import Tier

_ROWS_PER_STEP = 256


@dataclass(slots=True)
class Recovery:
    """What was found. walked_count: segments that had no checkpoint to go by; damaged: ids whose
    last version is unreadable, to be deleted for good; unlinked: edges whose last version is gone
    with the end of its segment, to be unlinked for good."""

    walked_count: int = 0
    lost_count: int = 0
    cut_bytes: int = 0
    damaged: tuple[int, ...] = ()
    unlinked: tuple[EdgeKey, ...] = ()
    duration_s: float = 0.0


class _Frames(NamedTuple):
    """All frames of all segments: headers, and for each its segment and offset."""

    headers: NDArray[np.void]
    segments: NDArray[np.uint32]
    offsets: NDArray[np.uint32]


def recover(disk: Disk, log: Log, live: Live) -> Recovery:
    """Fill the log and the live state from the directory.

    Raises FormatError, CorruptError (a segment whose file header is damaged), CapacityError (live
    records: over HEADROOM_RECORDS more than capacity_records; fewer are evicted later), OSError.
    """
    report = Recovery()
    digests: dict[int, Digest] = {}
    for segment in _segments(disk, log):
        digests[segment.number] = _digest(disk, log, segment, report)
    if not digests:
        return report
    frames = _joined(digests)
    log.next_lsn = int(frames.headers["lsn"].max(initial=0)) + 1
    last = _last_of_each_id(frames)
    kinds = frames.headers["kind"][last]
    _fill(live, frames, last[kinds == Kind.PUT])
    _derive_rows(disk, live)
    report.damaged = tuple(frames.headers["id"][last[kinds == Kind.DAMAGED]].tolist())
    _tombstones(live, frames)
    for content in digests.values():
        live.graph.names.update(content.names)
    report.unlinked = _edges(live, frames)
    return report


def _segments(disk: Disk, log: Log) -> list[Segment]:
    """In the order of their numbers; the newest is the active one."""
    for stray in manifest.files(log.directory, ".tmp"):
        disk.unlink(stray)
    paths = manifest.files(log.directory, ".seg")
    for orphan in manifest.files(log.directory, ".ckpt"):
        if not orphan.with_suffix(".seg").exists():
            disk.unlink(orphan)
    segments = []
    for path in paths:
        is_newest = path == paths[-1]
        try:
            segment = Segment.open(disk, path, log.dimensions)
        except CorruptError:
            # What was never whole was never summarised.
            if not is_newest or checkpoint.beside(path).exists() or not is_unborn(path):
                raise
            # The crash came between creating the file and its header being durable.
            disk.unlink(path)
            continue
        segments.append(segment)
    for segment in segments:
        log.adopt(segment, is_active=segment is segments[-1])
    return segments


def _digest(disk: Disk, log: Log, segment: Segment, report: Recovery) -> Digest:
    content = checkpoint.read(disk, segment, log.dimensions)
    if content is None:
        content = checkpoint.digest(segment)
        report.walked_count += 1
    elif content.covered_bytes > segment.allocated:
        content = checkpoint.cut_to(content, segment.allocated, segment.number)
        # What is written there now, a later opening would take for what the checkpoint means.
        log.adopt(segment, is_active=False)
    elif not segment.is_sealed or content.covered_bytes < segment.allocated:
        content = checkpoint.joined(content, checkpoint.digest(segment, content.covered_bytes))
    else:
        segment.has_checkpoint = True
    segment.offsets = None
    if not segment.has_checkpoint and not content.is_damaged:
        segment.offsets = array("I", content.offsets.tobytes())
    report.lost_count += content.lost_count
    report.cut_bytes += content.cut_bytes
    segment.end = content.covered_bytes
    # What follows the last whole frame must not be taken for a frame later.
    if content.cut_bytes:
        disk.truncate(segment.fd, segment.end)
        segment.allocated = segment.end
    return content


def _joined(digests: dict[int, Digest]) -> _Frames:
    counts = [len(content.headers) for content in digests.values()]
    return _Frames(
        np.concatenate([content.headers for content in digests.values()]),
        np.repeat(np.array(list(digests), dtype=np.uint32), counts),
        np.concatenate([content.offsets for content in digests.values()]),
    )


def _last_of_each_id(frames: _Frames) -> NDArray[np.intp]:
    """Of all frames about a record, the index of the one with the highest LSN; ordered by LSN."""
    headers = frames.headers
    about = np.flatnonzero(np.isin(headers["kind"], (Kind.PUT, Kind.DELETE, Kind.DAMAGED)))
    ids = headers["id"][about]
    lsns = headers["lsn"][about]
    # The same frame twice (compaction had copied it): the later copy counts, the first is dead.
    order = np.lexsort((frames.segments[about], lsns, ids))
    ids = ids[order]
    is_last = np.append(ids[1:] != ids[:-1], True) if len(ids) else np.empty(0, dtype=np.bool_)
    chosen = about[order[is_last]]
    ordered: NDArray[np.intp] = chosen[np.argsort(headers["lsn"][chosen], kind="stable")]
    return ordered


def _fill(live: Live, frames: _Frames, chosen: NDArray[np.intp]) -> None:
    columns = live.columns
    n = len(chosen)
    if n > columns.capacity:
        raise CapacityError(
            f"{n} records on disk; capacity_records must be at least {n - HEADROOM_RECORDS}"
        )
    columns.extend(n)
    headers = frames.headers[chosen]
    columns.id[:n] = headers["id"]
    columns.lsn[:n] = headers["lsn"]
    columns.tags[:n] = headers["extra"]
    columns.created[:n] = headers["created"]
    columns.accessed[:n] = headers["created"]
    columns.agent[:n] = headers["agent"]
    columns.segment[:n] = frames.segments[chosen]
    columns.offset[:n] = frames.offsets[chosen]
    columns.length[:n] = headers["length"] + OVERHEAD_BYTES
    columns.importance[:n] = headers["importance"]
    columns.tier[:n] = Tier.LONG
    columns.pinned[:n] = (headers["flags"] & PINNED) != 0
    live.rows.put(headers["id"].tolist(), range(n))
    agents, counts = np.unique(headers["agent"], return_counts=True)
    live.by_agent = dict(zip(agents.tolist(), counts.tolist(), strict=True))


def _derive_rows(disk: Disk, live: Live) -> None:
    """Quantise the vectors of all records, a segment at a time through one buffer."""
    columns = live.columns
    segments = live.log.segments
    width = 2 * columns.dimensions
    largest = max((segment.end for segment in segments.values()), default=0)
    # In a mapping of its own, which goes back to the system at once, unlike the heap.
    buffer = mmap.mmap(-1, max(largest, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    by_segment = np.argsort(columns.segment[: columns.n], kind="stable")
    numbers = columns.segment[by_segment]
    for number, segment in segments.items():
        first, end = np.searchsorted(numbers, [number, number + 1]).tolist()
        rows = by_segment[first:end]
        segment.live_bytes += int(columns.length[rows].sum())
        disk.read_into(segment.fd, memoryview(buffer)[: segment.end], 0)
        for at in range(0, len(rows), _ROWS_PER_STEP):
            step = rows[at : at + _ROWS_PER_STEP]
            starts = (columns.offset[step] + HEADER_BYTES).tolist()
            halves = b"".join([buffer[start : start + width] for start in starts])
            quantised = quantise(np.frombuffer(halves, "<f2").reshape(len(step), -1))
            columns.levels[step] = quantised.levels
            columns.scale[step] = quantised.scales
            columns.sketch[step] = quantised.sketches


def _tombstones(live: Live, frames: _Frames) -> None:
    headers = frames.headers
    is_tombstone = np.isin(headers["kind"], (Kind.DELETE, Kind.UNLINK)) & (frames.offsets > 0)
    for index in np.flatnonzero(is_tombstone).tolist():
        header = headers[index]
        place = Place(int(frames.segments[index]), int(frames.offsets[index]))
        # A delete saved from its trailer has no horizon; its own segment is late enough.
        horizon = int(header["agent"]) or place.segment
        live.bury_tombstones(Places(place.segment, [place.offset]), horizon)


def _edges(live: Live, frames: _Frames) -> tuple[EdgeKey, ...]:
    """Link what is live; returns the edges that may come back when that is forgotten which the
    end of a segment said of them or of their records: it is gone."""
    headers = frames.headers
    about = np.flatnonzero(np.isin(headers["kind"], (Kind.LINK, Kind.UNLINK)))
    if not len(about):
        return ()
    deletes = headers[np.isin(headers["kind"], (Kind.DELETE, Kind.DAMAGED))]
    order = np.argsort(deletes["lsn"], kind="stable")
    deleted_at = dict(
        zip(deletes["id"][order].tolist(), deletes["lsn"][order].tolist(), strict=True)
    )
    order = about[np.lexsort((frames.segments[about], headers["lsn"][about]))]
    last: dict[EdgeKey, int] = {}
    unreadable: dict[int, int] = {}
    for index in order.tolist():
        header = headers[index]
        if header["flags"] == checkpoint.DAMAGED_EDGE:
            unreadable[int(header["id"])] = int(header["lsn"])
            continue
        key = EdgeKey(int(header["id"]), int(header["extra"]), int(header["aux"]))
        last[key] = index
    for key, index in last.items():
        header = headers[index]
        lsn = int(header["lsn"])
        ends = (deleted_at.get(key.source, 0), deleted_at.get(key.target, 0))
        # An unreadable edge frame may have been an unlink of any of this record's edges.
        if header["kind"] == Kind.UNLINK or lsn < max(*ends, unreadable.get(key.source, 0)):
            continue
        place = Place(int(frames.segments[index]), int(frames.offsets[index]))
        length = int(header["length"]) + OVERHEAD_BYTES
        live.link(key, float(header["importance"]), lsn, place, length)
    gone = set(headers["id"][(headers["kind"] == Kind.DAMAGED) & (frames.offsets == 0)].tolist())
    return tuple(
        key
        for key, index in last.items()
        if not frames.offsets[index]
        or (not gone.isdisjoint(key[:2]) and live.graph.row_of(key) is None)
    )
