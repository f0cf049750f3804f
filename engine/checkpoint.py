"""What would replaying this segment say, without reading all of it again?

A checkpoint is written beside a segment when it is full (and at close): every frame's header and
where it lies. Rows to search by are derived from the vectors in the segment, so it is a twentieth
of the segment's size, where it was a third with them in it. It is a pure function of the segment,
may be deleted at any time, and costs one sequential write per segment, where a checkpoint of all
columns would be written again and again. `000001.ckpt`, little-endian:

    offset size
         0    8 magic "SOAKCKP\\n"
         8    4 crc32 of everything after it
        12    4 format version
        16    4 segment number
        20    4 dimensions
        24    8 bytes of the segment that are covered
        32    4 frames: n
        36    4 length of the names
        40    4 frames that are lost (damaged beyond their id)
        44      n x 64 headers, n x u32 offsets, names (msgpack map from code to name of the kinds
                of edges)

Damaged records stand in it with the kind DAMAGED.

A segment that is shorter than its checkpoint covers has lost bytes: nothing is summarised before it
is durable. What it held there is still known by the checkpoint, see `cut_to`.
"""

import os
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import frame
from engine.disk import Disk
from engine.frame import HEADER, HEADER_BYTES, OVERHEAD_BYTES, Kind
from engine.segment import FORMAT, START, Segment

_MAGIC = b"SOAKCKP\n"
_HEAD = struct.Struct("<8sIIIIQIII")
_FRAMES_PER_STEP = 64
_FRAME_MAGIC = int.from_bytes(frame.MAGIC, "little")
_CHECKED_FROM = 8
# In the flags of an edge frame that could not be read; only its source is known for certain.
DAMAGED_EDGE = 255


class Digest(NamedTuple):
    """A segment in numbers. headers: (n,) of frame.HEADER; offsets: (n,); covered_bytes: how far
    it reads; is_damaged: something in it did not match its checksum."""

    headers: NDArray[np.void]
    offsets: NDArray[np.uint32]
    names: Mapping[int, str]
    covered_bytes: int
    lost_count: int
    cut_bytes: int
    is_damaged: bool = False


def digest(segment: Segment, start: int = START, pause: Callable[[], None] | None = None) -> Digest:
    """Read the segment from `start`, every byte of it."""
    walk = segment.walk(start, pause)
    headers = np.zeros(len(walk.frames), dtype=HEADER)
    offsets = np.zeros(len(walk.frames), dtype=np.uint32)
    names: dict[int, str] = {}
    for index, found in enumerate(walk.frames):
        header = found.header
        offsets[index] = found.offset
        if found.is_damaged:
            kind = Kind.DAMAGED if header.kind == Kind.PUT else header.kind
            horizon = segment.number
            headers[index] = (0, 0, *header._replace(kind=kind, flags=DAMAGED_EDGE, agent=horizon))
            continue
        headers[index] = (0, 0, *header)
        if header.kind == Kind.LINK and header.length:
            at = found.offset - start + HEADER_BYTES
            body = walk.content[at : at + header.length]
            names[header.aux] = msgspec.msgpack.decode(body, type=str)
    is_damaged = bool(walk.lost_count) or any(found.is_damaged for found in walk.frames)
    return Digest(headers, offsets, names, walk.end, walk.lost_count, walk.cut_bytes, is_damaged)


def collected(
    segment: Segment, names: Mapping[int, str], pause: Callable[[], None]
) -> Digest | None:
    """The same from where the frames are known to lie, a tenth of the work; names: of all kinds.

    None when that is not known, or a header does not match its checksum: read the segment then.
    """
    if segment.offsets is None:
        return None
    covered_bytes = segment.end
    offsets = np.array(segment.offsets, dtype=np.uint32)
    headers = np.zeros(len(offsets), dtype=HEADER)
    for first in range(0, len(offsets), _FRAMES_PER_STEP):
        step = offsets[first : first + _FRAMES_PER_STEP]
        begin = int(step[0])
        content = segment.read(begin, int(step[-1]) + HEADER_BYTES - begin)
        found = [content[at : at + HEADER_BYTES] for at in (step - begin).tolist()]
        if len(found[-1]) < HEADER_BYTES:
            return None
        part = headers[first : first + len(step)]
        part[:] = np.frombuffer(b"".join(found), dtype=HEADER)
        checks = [zlib.crc32(header[_CHECKED_FROM:]) for header in found]
        if (part["magic"] != _FRAME_MAGIC).any() or (part["crc"] != checks).any():
            return None
        pause()
    headers["magic"] = headers["crc"] = 0
    is_named = (headers["kind"] == Kind.LINK) & (headers["length"] > 0)
    kinds = np.unique(headers["aux"][is_named]).tolist()
    return Digest(headers, offsets, {code: names[code] for code in kinds}, covered_bytes, 0, 0)


def joined(first: Digest, second: Digest) -> Digest:
    """The digest of a segment whose parts were digested one after the other."""
    return Digest(
        np.concatenate([first.headers, second.headers]),
        np.concatenate([first.offsets, second.offsets]),
        {**first.names, **second.names},
        second.covered_bytes,
        first.lost_count + second.lost_count,
        second.cut_bytes,
        first.is_damaged or second.is_damaged,
    )


def cut_to(content: Digest, size: int, number: int) -> Digest:
    """What is left when only `size` bytes of segment `number` are.

    The frames beyond stand at offset 0, as what keeps older versions dead: a record is damaged, an
    edge unlinked. cut_bytes: what the checkpoint covers and no whole frame is left of.
    """
    headers, offsets = content.headers.copy(), content.offsets.copy()
    ends = offsets.astype(np.int64) + headers["length"] + OVERHEAD_BYTES
    is_lost = (ends > size) & (offsets >= START)
    is_edge = np.isin(headers["kind"], (Kind.LINK, Kind.UNLINK))
    headers["kind"][is_lost] = np.where(is_edge[is_lost], Kind.UNLINK, Kind.DAMAGED)
    headers["agent"][is_lost] = number
    offsets[is_lost] = 0
    covered = int(ends[~is_lost].max(initial=START))
    return content._replace(
        headers=headers,
        offsets=offsets,
        covered_bytes=covered,
        cut_bytes=content.covered_bytes - covered,
        is_damaged=True,
    )


def beside(segment: Path) -> Path:
    """Where the checkpoint of this segment file is, if it has one."""
    return segment.with_suffix(".ckpt")


def write(disk: Disk, segment: Segment, dimensions: int, content: Digest) -> None:
    """Atomically. Raises OSError; the segment alone is then enough."""
    disk.reached("checkpoint")
    names = msgspec.msgpack.encode(dict(content.names))
    head = _HEAD.pack(
        _MAGIC,
        0,
        FORMAT,
        segment.number,
        dimensions,
        content.covered_bytes,
        len(content.headers),
        len(names),
        content.lost_count,
    )
    parts: list[bytes | memoryview] = [
        head[12:],
        _flat(content.headers),
        _flat(content.offsets),
        names,
    ]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    disk.replace_file(beside(segment.path), _MAGIC, struct.pack("<I", crc), *parts)


def _flat(array: NDArray[Any]) -> memoryview:
    """Its bytes, not copied."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def read(disk: Disk, segment: Segment, dimensions: int) -> Digest | None:
    """None when there is none, or it is damaged. It may cover more than the segment holds."""
    try:
        fd = disk.open(beside(segment.path), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        content = disk.read_large(fd, os.fstat(fd).st_size, 0)
    finally:
        disk.close(fd)
    if len(content) < _HEAD.size:
        return None
    magic, crc, version, number, stored_dimensions, covered, n, length, lost = _HEAD.unpack_from(
        content
    )
    expected = (_MAGIC, FORMAT, segment.number, dimensions)
    if (magic, version, number, stored_dimensions) != expected:
        return None
    size = _HEAD.size + n * (HEADER.itemsize + 4) + length
    if size != len(content) or crc != zlib.crc32(memoryview(content)[12:]):
        return None
    headers = np.frombuffer(content, dtype=HEADER, count=n, offset=_HEAD.size)
    offsets = np.frombuffer(content, np.uint32, count=n, offset=_HEAD.size + headers.nbytes)
    names = msgspec.msgpack.decode(content[size - length :], type=dict[int, str])
    kinds = headers["kind"]
    is_damaged = bool(lost) or bool(
        ((kinds == Kind.DAMAGED) | (headers["flags"] == DAMAGED_EDGE)).any()
    )
    return Digest(headers, offsets, names, covered, lost, 0, is_damaged)
