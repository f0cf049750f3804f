"""Where does the memory target write? One append-only file of puts, deletes and edges.

    kind u8 | key i64 | other i64 | importance f32 | pinned u8 | text bytes u32 | dimensions u32
    then the text (UTF-8) and the vector (float32)

`other` is the agent of a put and the far end of an edge. A torn last frame is cut off.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path

import numpy as np

from soak.result import TargetError
from soak.seams import Edge, Record

HEADER = struct.Struct("<BqqfBII")


class Kind(IntEnum):
    PUT = 1
    DELETE = 2
    EDGE = 3


class StoreLog:
    """Every append is one write to the page cache: it survives a killed process, not the power.

    What cannot be written raises TargetError and leaves the file as it was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self.size_bytes = os.fstat(self._fd).st_size

    def put(self, record: Record) -> None:
        self._append(_put_frame(record))

    def delete(self, key: int) -> None:
        self._append(HEADER.pack(Kind.DELETE, key, 0, 0.0, 0, 0, 0))

    def link(self, edge: Edge) -> None:
        self._append(_edge_frame(edge))

    def replay(self) -> Iterator[Record | Edge | int]:
        """What was appended, in order; a deleted key stands as its number."""
        content = self.path.read_bytes()
        start = 0
        while start + HEADER.size <= len(content):
            kind, key, other, importance, pinned, text_bytes, dimensions = HEADER.unpack_from(
                content, start
            )
            text_start = start + HEADER.size
            vector_start = text_start + text_bytes
            end = vector_start + 4 * dimensions
            if end > len(content):
                break
            if kind == Kind.PUT:
                yield Record(
                    key=key,
                    agent=other,
                    text=content[text_start:vector_start].decode(),
                    vector=np.frombuffer(content, np.float32, dimensions, vector_start).copy(),
                    importance=importance,
                    pinned=bool(pinned),
                )
            elif kind == Kind.EDGE:
                yield Edge(source=key, target=other)
            else:
                yield int(key)
            start = end
        os.truncate(self.path, start)
        self.size_bytes = start

    def rewrite(self, records: Iterable[Record], edges: Iterable[Edge]) -> int:
        """Keep only these; returns the bytes given back."""
        before_bytes = self.size_bytes
        fresh = self.path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                for record in records:
                    file.write(_put_frame(record))
                for edge in edges:
                    file.write(_edge_frame(edge))
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise TargetError(f"{self.path}: cannot be rewritten: {error.strerror}") from error
        fresh.replace(self.path)
        os.close(self._fd)
        self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND)
        self.size_bytes = os.fstat(self._fd).st_size
        return before_bytes - self.size_bytes

    def close(self) -> None:
        os.close(self._fd)

    def _append(self, frame: bytes) -> None:
        try:
            written_bytes = os.write(self._fd, frame)
        except OSError as error:
            raise TargetError(f"{self.path}: cannot be written: {error.strerror}") from error
        if written_bytes != len(frame):
            # Half a frame would spoil every one after it.
            os.ftruncate(self._fd, self.size_bytes)
            raise TargetError(f"{self.path}: no room for {len(frame)} bytes")
        self.size_bytes += len(frame)


def frame_bytes(record: Record) -> int:
    """How much of the log a live record is worth."""
    return HEADER.size + len(record.text) + 4 * record.vector.size


def _put_frame(record: Record) -> bytes:
    text = record.text.encode()
    vector = np.ascontiguousarray(record.vector, dtype=np.float32)
    header = HEADER.pack(
        Kind.PUT,
        record.key,
        record.agent,
        record.importance,
        record.pinned,
        len(text),
        vector.size,
    )
    return header + text + vector.tobytes()


def _edge_frame(edge: Edge) -> bytes:
    return HEADER.pack(Kind.EDGE, edge.source, edge.target, 0.0, 0, 0, 0)
