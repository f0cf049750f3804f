"""How is one log entry laid out in bytes, and how is damage noticed?

A frame is header, body, trailer; little-endian; no alignment between frames.

    offset size header
         0    4 magic  a5 53 4b 4d
         4    4 crc32 of bytes 8..64
         8    4 crc32 of the body
        12    4 body length in bytes
        16    8 lsn         the order of all writes; the highest for an id wins, wherever it lies
        24    8 id          put, delete: the record; link, unlink: the source record
        32    8 extra       put: tag bits; link, unlink: the target record
        40    8 created     f64, seconds since 1970
        48    4 agent       u32; delete, unlink: the horizon, see compaction.py
        52    4 aux         put: dimensions; link, unlink: code of the edge's kind
        56    4 importance  f32; link: weight
        60    1 kind        see Kind
        61    1 flags       1 = pinned; delete: the reason
        62    2 reserved    zero
        64    n body        put: d x f16 unit vector, then msgpack [text, [tags]]
                            link: msgpack name of the kind, or nothing if it is a number
      64+n   20 trailer     u64 id, u64 (lsn | kind << 56), u32 crc32 of these 16 bytes

The header has a checksum of its own, so the length can be trusted when the body is damaged: one
record is lost, not the rest of the file. The trailer names the record when the header is damaged:
without it an older version of that record would come back as if it were current.
"""

import mmap
import struct
import zlib
from enum import IntEnum
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.quantise import widened

Buffer = bytes | mmap.mmap
MAGIC = b"\xa5SKM"
HEADER_BYTES = 64
TRAILER_BYTES = 20
OVERHEAD_BYTES = HEADER_BYTES + TRAILER_BYTES
PINNED = 1

_CHECK = struct.Struct("<4sI")
_FIELDS = struct.Struct("<IIQQQdIIfBBH")
_TRAILER = struct.Struct("<QQ")
_CRC = struct.Struct("<I")
_crc32 = zlib.crc32

# The same layout for numpy: a checkpoint holds the headers of a segment as one array.
HEADER = np.dtype(
    [
        ("magic", "<u4"),
        ("crc", "<u4"),
        ("body_crc", "<u4"),
        ("length", "<u4"),
        ("lsn", "<u8"),
        ("id", "<u8"),
        ("extra", "<u8"),
        ("created", "<f8"),
        ("agent", "<u4"),
        ("aux", "<u4"),
        ("importance", "<f4"),
        ("kind", "u1"),
        ("flags", "u1"),
        ("reserved", "<u2"),
    ]
)


class Kind(IntEnum):
    """What a frame says. DAMAGED is never written: recovery puts it where a put is unreadable."""

    PUT = 1
    DELETE = 2
    LINK = 3
    UNLINK = 4
    DAMAGED = 255


_SILENCING = (Kind.DELETE, Kind.UNLINK)


class Reason(IntEnum):
    """Why a record went; kept in the flags of its delete frame."""

    DELETED = 0
    EVICTED = 1
    EXPIRED = 2
    CONSOLIDATED = 3
    DAMAGED = 4


class Header(NamedTuple):
    """The fields of a frame, in file order after magic and header checksum."""

    body_crc: int
    length: int
    lsn: int
    id: int
    extra: int
    created_s: float
    agent: int
    aux: int
    importance: float
    kind: int
    flags: int
    reserved: int

    @property
    def frame_bytes(self) -> int:
        """Header, body and trailer."""
        return OVERHEAD_BYTES + self.length


class Draft(NamedTuple):
    """A frame before it has its place in the order of writes."""

    kind: int
    id: int
    body: bytes = b""
    extra: int = 0
    created_s: float = 0.0
    agent: int = 0
    aux: int = 0
    importance: float = 0.0
    flags: int = 0


class Payload(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a record says in words, as msgpack `[text, [tag, ...]]`."""

    text: str
    tags: tuple[str, ...] = ()


_payload_encoder = msgspec.msgpack.Encoder()
_payload_decoder = msgspec.msgpack.Decoder(Payload)


def encode(draft: Draft, lsn: int, horizon: int = 0) -> bytes:
    """The frame as it goes to disk; horizon: for a delete or unlink frame, the segment it is in."""
    kind, record_id, body, extra, created_s, agent, aux, importance, flags = draft
    if kind in _SILENCING:
        agent = horizon
    fields = _FIELDS.pack(
        _crc32(body),
        len(body),
        lsn,
        record_id,
        extra,
        created_s,
        agent,
        aux,
        importance,
        kind,
        flags,
        0,
    )
    tail = _TRAILER.pack(record_id, lsn | kind << 56)
    check = _CHECK.pack(MAGIC, _crc32(fields))
    return b"".join((check, fields, body, tail, _CRC.pack(_crc32(tail))))


def decode_header(buffer: Buffer, offset: int = 0) -> Header | None:
    """None when these bytes are not a whole, undamaged header."""
    if len(buffer) - offset < HEADER_BYTES:
        return None
    magic, crc = _CHECK.unpack_from(buffer, offset)
    if magic != MAGIC or crc != zlib.crc32(buffer[offset + 8 : offset + HEADER_BYTES]):
        return None
    return Header._make(_FIELDS.unpack_from(buffer, offset + 8))


def decode_trailer(buffer: Buffer, end: int) -> tuple[int, int, int] | None:
    """(id, lsn, kind) of the frame that ends at `end`; None when there is no whole trailer."""
    start = end - TRAILER_BYTES
    if start < 0 or end > len(buffer):
        return None
    tail = buffer[start : end - 4]
    if _CRC.unpack_from(buffer, end - 4)[0] != zlib.crc32(tail):
        return None
    record_id, mixed = _TRAILER.unpack(tail)
    return record_id, mixed & 0xFFFFFFFFFFFFFF, mixed >> 56


def body_of(frame: bytes, header: Header) -> bytes | None:
    """The body of a whole frame; None when it does not match its checksum."""
    body = frame[HEADER_BYTES : HEADER_BYTES + header.length]
    if len(body) != header.length or zlib.crc32(body) != header.body_crc:
        return None
    return body


def encode_payload(text: str, tags: tuple[str, ...]) -> bytes:
    return _payload_encoder.encode(Payload(text, tags))


def decode_payload(payload: bytes | memoryview) -> Payload:
    """Raises msgspec.DecodeError on bytes that passed no checksum."""
    return _payload_decoder.decode(payload)


def vector_of(body: bytes, dimensions: int) -> NDArray[np.float32]:
    """The unit vector of a put, shape (dimensions,)."""
    return widened(np.frombuffer(body, dtype="<f2", count=dimensions))


def tag_bits(tags: tuple[str, ...]) -> int:
    """Two of 64 bits per tag: a record that lacks one of them cannot carry the tag."""
    bits = 0
    for tag in tags:
        digest = zlib.crc32(tag.encode())
        bits |= 1 << (digest & 63) | 1 << (digest >> 6 & 63)
    return bits
