"""What does a caller get for a record that was found? Its place and its body, put into words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.frame import decode_payload, vector_of
from engine.live import Where
from engine.memory import Hit, Memory
from engine.quantise import widened


def memory_of(where: Where, body: bytes, dimensions: int) -> Memory:
    """The whole record."""
    return _memory(where, body, vector_of(body, dimensions))


def memories_of(found: Sequence[tuple[Where, bytes]], dimensions: int) -> list[Memory]:
    """The whole records; their vectors, rows of one array, are widened at once."""
    halves = b"".join([body[: 2 * dimensions] for _, body in found])
    vectors = widened(np.frombuffer(halves, dtype="<f2").reshape(len(found), dimensions))
    return [_memory(*pair, vector) for pair, vector in zip(found, vectors, strict=True)]


def _memory(where: Where, body: bytes, vector: NDArray[np.float32]) -> Memory:
    payload = decode_payload(memoryview(body)[2 * len(vector) :])
    return Memory(
        id=where.id,
        agent=where.agent,
        text=payload.text,
        vector=vector,
        importance=where.importance,
        pinned=where.pinned,
        tags=payload.tags,
        created_s=where.created_s,
    )


def hit_of(score: float, where: Where, body: bytes, dimensions: int) -> Hit:
    """The record as an answer of a search."""
    payload = decode_payload(memoryview(body)[2 * dimensions :])
    return Hit(
        id=where.id,
        score=score,
        agent=where.agent,
        text=payload.text,
        importance=where.importance,
        created_s=where.created_s,
        tags=payload.tags,
    )
