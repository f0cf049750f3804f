"""What would replaying this segment say, without reading all of it again?

A checkpoint is written beside a segment when it is full (and at close): every frame's header, and
the int8 row of every record. It is a pure function of the segment, so it may be deleted at any
time, and it costs one sequential write per segment, where a checkpoint of all columns would be
written again and again. `000001.ckpt`, little-endian:

    offset size
         0    8 magic "SOAKCKP\\n"
         8    4 crc32 of everything after it
        12    4 format version
        16    4 segment number
        20    4 dimensions
        24    8 bytes of the segment that are covered
        32    4 frames: n
        36    4 of them records: m
        40    4 length of the names
        44    4 frames that are lost (damaged beyond their id)
        48      n x 64 headers, n x u32 offsets, m x f32 scales, m x d int8 levels, names (msgpack
                map from code to name of the kinds of edges)

Damaged records stand in it with the kind DAMAGED; they come with no row.
"""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import frame
from engine.disk import Disk
from engine.frame import HEADER, Kind
from engine.quantise import quantise
from engine.reserved import Reserved
from engine.segment import FORMAT, START, Segment

_MAGIC = b"SOAKCKP\n"
_HEAD = struct.Struct("<8sIIIIQIIII")
_ROWS_PER_STEP = 256
# In the flags of an edge frame that could not be read; only its source is known for certain.
DAMAGED_EDGE = 255


class Digest(NamedTuple):
    """A segment in numbers. headers: (n,) of frame.HEADER; offsets: (n,); scales, levels: one row
    per put, in the order of the headers of kind PUT; covered_bytes: how far it reads."""

    headers: NDArray[np.void]
    offsets: NDArray[np.uint32]
    scales: NDArray[np.float32]
    levels: NDArray[np.int8]
    names: dict[int, str]
    covered_bytes: int
    lost_count: int
    cut_bytes: int


def digest(
    segment: Segment, dimensions: int, start: int = START, pause: Callable[[], None] | None = None
) -> Digest:
    """Read the segment from `start` and quantise what is in it."""
    walk = segment.walk(start, pause)
    headers = np.zeros(len(walk.frames), dtype=HEADER)
    offsets = np.zeros(len(walk.frames), dtype=np.uint32)
    names: dict[int, str] = {}
    halves: list[bytes] = []
    for index, found in enumerate(walk.frames):
        header = found.header
        at = found.offset - start
        offsets[index] = found.offset
        body = walk.content[at + frame.HEADER_BYTES : at + header.frame_bytes - frame.TRAILER_BYTES]
        if found.is_damaged:
            kind = Kind.DAMAGED if header.kind == Kind.PUT else header.kind
            horizon = segment.number
            headers[index] = (0, 0, *header._replace(kind=kind, flags=DAMAGED_EDGE, agent=horizon))
            continue
        headers[index] = (0, 0, *header)
        if header.kind == Kind.PUT:
            halves.append(body[: 2 * dimensions])
        elif header.kind == Kind.LINK and body:
            names[header.aux] = msgspec.msgpack.decode(body, type=str)
    scales, levels = _rows(halves, dimensions, pause)
    return Digest(
        headers, offsets, scales, levels, names, walk.end, walk.lost_count, walk.cut_bytes
    )


def _rows(
    halves: list[bytes], dimensions: int, pause: Callable[[], None] | None
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    scales = np.empty(len(halves), dtype=np.float32)
    # A column of its own: megabytes that must go back to the system, see Disk.read_large.
    levels: NDArray[Any] = Reserved(len(halves), dimensions, np.int8).array
    for first in range(0, len(halves), _ROWS_PER_STEP):
        step = halves[first : first + _ROWS_PER_STEP]
        stacked = np.frombuffer(b"".join(step), dtype="<f2").reshape(len(step), dimensions)
        rows = quantise(stacked)
        scales[first : first + len(step)] = rows.scales
        levels[first : first + len(step)] = rows.levels
        if pause is not None:
            pause()
    return scales, levels


def joined(first: Digest, second: Digest) -> Digest:
    """The digest of a segment whose parts were digested one after the other."""
    return Digest(
        np.concatenate([first.headers, second.headers]),
        np.concatenate([first.offsets, second.offsets]),
        np.concatenate([first.scales, second.scales]),
        np.concatenate([first.levels, second.levels]),
        first.names | second.names,
        second.covered_bytes,
        first.lost_count + second.lost_count,
        second.cut_bytes,
    )


def path_of(segment: Segment) -> Path:
    return segment.path.with_suffix(".ckpt")


def write(disk: Disk, segment: Segment, content: Digest) -> None:
    """Atomically. Raises OSError; the segment alone is then enough."""
    disk.reached("checkpoint")
    names = msgspec.msgpack.encode(content.names)
    head = _HEAD.pack(
        _MAGIC,
        0,
        FORMAT,
        segment.number,
        content.levels.shape[1],
        content.covered_bytes,
        len(content.headers),
        len(content.levels),
        len(names),
        content.lost_count,
    )
    arrays = (content.headers, content.offsets, content.scales, content.levels)
    parts: list[bytes | memoryview] = [head[12:], *map(_flat, arrays), names]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    disk.replace_file(path_of(segment), _MAGIC, struct.pack("<I", crc), *parts)


def _flat(array: NDArray[Any]) -> memoryview:
    """Its bytes, not copied."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def read(disk: Disk, segment: Segment, dimensions: int) -> Digest | None:
    """None when there is none, or it is damaged, or it covers more than the segment holds."""
    try:
        fd = disk.open(path_of(segment), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        content = disk.read_large(fd, os.fstat(fd).st_size, 0)
    finally:
        disk.close(fd)
    if len(content) < _HEAD.size:
        return None
    magic, crc, version, number, stored_dimensions, covered, n, m, length, lost = _HEAD.unpack_from(
        content
    )
    expected = (_MAGIC, FORMAT, segment.number, dimensions)
    if (magic, version, number, stored_dimensions) != expected:
        return None
    size = _HEAD.size + n * (HEADER.itemsize + 4) + m * (4 + dimensions) + length
    if size != len(content) or crc != zlib.crc32(memoryview(content)[12:]):
        return None
    if covered > segment.allocated:
        return None
    at = _HEAD.size
    headers = np.frombuffer(content, dtype=HEADER, count=n, offset=at)
    at += headers.nbytes
    offsets = np.frombuffer(content, dtype=np.uint32, count=n, offset=at)
    at += offsets.nbytes
    scales = np.frombuffer(content, dtype=np.float32, count=m, offset=at)
    at += scales.nbytes
    levels = np.frombuffer(content, dtype=np.int8, count=m * dimensions, offset=at)
    names = msgspec.msgpack.decode(content[at + levels.nbytes :], type=dict[int, str])
    return Digest(headers, offsets, scales, levels.reshape(m, dimensions), names, covered, lost, 0)
