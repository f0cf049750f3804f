"""One file of the log: what is in it, and can each frame be trusted?

`000001.seg` is 64 bytes of file header, then frames (frame.py) until zeros or the end of file:

    offset size
         0    8 magic "SOAKSEG\\n"
         8    4 crc32 of bytes 12..64
        12    4 format version
        16    4 segment number
        20    4 vector dimensions
        24   40 zero

A segment is append-only; it is preallocated in steps so that a sync need not journal a new size.
"""

import os
import struct
import zlib
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from engine import frame
from engine.disk import Disk
from engine.errors import CorruptError, FormatError
from engine.frame import Buffer, Header, Kind

FORMAT = 1
START = 64
_MAGIC = b"SOAKSEG\n"
_FILE_HEADER = struct.Struct("<8sIIII40x")
_FRAMES_PER_STEP = 256
_ZEROS_STEP = 65_536


class Found(NamedTuple):
    """A frame met while walking a segment. A damaged one has only what could be saved of it."""

    offset: int
    header: Header
    is_damaged: bool


class Walk(NamedTuple):
    """A segment read from start to end. lost_count: frames of which not even the id is known;
    content: the bytes from start on."""

    frames: list[Found]
    end: int
    lost_count: int
    cut_bytes: int
    content: Buffer


def header_bytes(number: int, dimensions: int) -> bytes:
    rest = _FILE_HEADER.pack(_MAGIC, 0, FORMAT, number, dimensions)[12:]
    return _MAGIC + struct.pack("<I", zlib.crc32(rest)) + rest


def is_unborn(path: Path) -> bool:
    """Whether this is a segment whose creation a crash cut short, so that nothing was in it yet."""
    content = path.read_bytes()
    return _MAGIC.startswith(content[: len(_MAGIC)].rstrip(b"\0")) and not any(content[START:])


class Segment:
    """An open segment file and the tallies of what it holds.

    end           where the next frame goes
    live_bytes    frames of records and edges that are current
    step_bytes    by how much it is preallocated
    tombstones    offsets of delete and unlink frames (they are neither live nor dead until
                  compaction asks)
    offsets       of all frames, until a checkpoint has them; None when damage was met in it
    The descriptor is closed when the last reader lets go of the object, so a segment can be
    unlinked while others still read from it.
    """

    def __init__(self, disk: Disk, path: Path, number: int, fd: int) -> None:
        self.disk = disk
        self.path = path
        self.number = number
        self.fd = fd
        self.end = START
        self.allocated = 0
        self.step_bytes = 0
        self.live_bytes = 0
        self.tombstones = array("I")
        self.offsets: array[int] | None = array("I")
        self.horizon = 0
        self.is_sealed = False
        self.has_checkpoint = False
        self._is_tainted = False

    def __del__(self) -> None:
        os.close(self.fd)

    @property
    def tombstone_bytes(self) -> int:
        return frame.OVERHEAD_BYTES * len(self.tombstones)

    @property
    def dead_bytes(self) -> int:
        """Frames of records and edges that were replaced or deleted."""
        return self.end - START - self.live_bytes - self.tombstone_bytes

    @classmethod
    def create(
        cls, disk: Disk, directory: Path, number: int, dimensions: int, step_bytes: int
    ) -> "Segment":
        """A new, empty, durable file. Raises OSError and leaves nothing behind."""
        path = directory / f"{number:06d}.seg"
        segment = cls(disk, path, number, disk.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        segment.step_bytes = step_bytes
        try:
            segment.reserve(0)
            disk.write(segment.fd, header_bytes(number, dimensions), 0)
            disk.sync(segment.fd)
            disk.sync_directory(directory)
        except OSError:
            os.unlink(path)
            raise
        return segment

    @classmethod
    def open(cls, disk: Disk, path: Path, dimensions: int) -> "Segment":
        """Raises FormatError for another version or dimension, CorruptError for a bad header."""
        number = int(path.stem)
        segment = cls(disk, path, number, disk.open(path, os.O_RDWR))
        head = disk.read(segment.fd, START, 0)
        if len(head) < START or zlib.crc32(head[12:START]) != _FILE_HEADER.unpack(head)[1]:
            raise CorruptError(f"{path}: the file header does not match its checksum")
        _, _, version, stored_number, stored_dimensions = _FILE_HEADER.unpack(head)
        if version != FORMAT:
            raise FormatError(f"{path}: format {version}; this engine reads format {FORMAT}")
        if stored_dimensions != dimensions:
            raise FormatError(f"{path}: vectors of {stored_dimensions}, options say {dimensions}")
        if stored_number != number:
            raise CorruptError(f"{path}: the header says this is segment {stored_number}")
        segment.allocated = os.fstat(segment.fd).st_size
        return segment

    def reserve(self, size: int) -> None:
        """Make sure that `size` more bytes have room on the disk. Raises OSError (ENOSPC)."""
        missing = self.end + size - self.allocated
        if missing <= 0:
            return
        step = max(self.step_bytes, missing)
        try:
            self.disk.allocate(self.fd, self.allocated, step)
        except OSError:
            # Nearly full: a delete frame needs little, and is how room is made.
            step = missing
            self.disk.allocate(self.fd, self.allocated, step)
        self.allocated += step

    def append(self, content: bytes) -> int:
        """Write at the end and return the offset; on OSError the file is as it was."""
        offset = self.end
        # A half-written batch must not be replayed: it was refused. If cutting it off failed too,
        # it is cut before the next one is written.
        if self._is_tainted:
            self.trim()
            self._is_tainted = False
        try:
            self.reserve(len(content))
            self.disk.write(self.fd, content, offset)
        except OSError:
            self._is_tainted = True
            self.trim()
            self._is_tainted = False
            raise
        self.end += len(content)
        return offset

    def trim(self) -> None:
        """Give preallocated room back."""
        self.disk.truncate(self.fd, self.end)
        self.allocated = self.end

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes of frame; fewer only if the file is shorter than it should be."""
        return self.disk.read(self.fd, length, offset)

    def walk(self, start: int = START, pause: Callable[[], None] | None = None) -> Walk:
        """Read every frame from `start` on, checking both checksums of each; damage does not raise.

        pause is called every few hundred frames, so that other threads get their turn.
        """
        size = os.fstat(self.fd).st_size
        buffer = self.disk.read_large(self.fd, size - start, start)
        frames: list[Found] = []
        lost_count = 0
        end = start
        for step, item in enumerate(_scan(buffer, start)):
            if pause is not None and step % _FRAMES_PER_STEP == 0:
                pause()
            if item is None:
                lost_count += 1
                continue
            end = item.offset + item.header.frame_bytes
            frames.append(item)
        cut_bytes = max(start + _used(buffer) - end, 0)
        return Walk(frames, end, lost_count, cut_bytes, buffer)


def _scan(buffer: Buffer, origin: int) -> Iterator[Found | None]:
    """Frames in order, offsets counted from origin; None: a frame that does not say whose it was.

    Stops before a torn tail: a last frame that lacks its end, or its header and its trailer.
    """
    position = 0
    while position < len(buffer):
        header = frame.decode_header(buffer, position)
        if header is not None:
            end = position + header.frame_bytes
            body = buffer[position + frame.HEADER_BYTES : end - frame.TRAILER_BYTES]
            is_damaged = zlib.crc32(body) != header.body_crc
            if end > len(buffer) or (is_damaged and _is_torn(buffer, end)):
                return
            yield Found(origin + position, header, is_damaged)
            position = end
            continue
        end = _next_frame(buffer, position + 1)
        if end < len(buffer):
            yield _saved(buffer, origin, position, end)
            position = end
            continue
        last = _last_trailer_end(buffer, position)
        if last:
            yield _saved(buffer, origin, position, last)
        return


def _used(buffer: Buffer) -> int:
    """Length without the zeros at the end."""
    end = len(buffer)
    while end:
        start = max(0, end - _ZEROS_STEP)
        tail = buffer[start:end].rstrip(b"\0")
        if tail:
            return start + len(tail)
        end = start
    return 0


def _is_torn(buffer: Buffer, end: int) -> bool:
    """Was the frame that should end here cut off, rather than damaged after it was whole?"""
    is_last = not buffer[end : end + frame.HEADER_BYTES].strip(b"\0")
    return is_last and frame.decode_trailer(buffer, end) is None


def _next_frame(buffer: Buffer, position: int) -> int:
    """Where the next undamaged header starts, or the end of the buffer."""
    while (position := buffer.find(frame.MAGIC, position)) >= 0:
        if frame.decode_header(buffer, position) is not None:
            return position
        position += 1
    return len(buffer)


def _last_trailer_end(buffer: Buffer, position: int) -> int:
    """Where the last trailer after `position` ends; 0 if there is none. It may end in zeros."""
    last = _used(buffer)
    for end in range(last, min(last + frame.TRAILER_BYTES, len(buffer)) + 1):
        if end - position >= frame.OVERHEAD_BYTES and frame.decode_trailer(buffer, end):
            return end
    return 0


def _saved(buffer: Buffer, origin: int, start: int, end: int) -> Found | None:
    """What the trailer tells of a frame whose header is damaged. A delete needs no more."""
    trailer = frame.decode_trailer(buffer, end)
    if trailer is None or end - start < frame.OVERHEAD_BYTES:
        return None
    record_id, lsn, kind = trailer
    if kind in (Kind.DELETE, Kind.UNLINK):
        # These have no body, so that is where it starts; what lies before it is lost.
        start = end - frame.OVERHEAD_BYTES
    length = end - start - frame.OVERHEAD_BYTES
    header = Header(0, length, lsn, record_id, 0, 0.0, 0, 0, 0.0, kind, 0, 0)
    return Found(origin + start, header, is_damaged=kind != Kind.DELETE)
