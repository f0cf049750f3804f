"""What does a caller get for a record that was found? Its place and its body, put into words."""

from engine.frame import decode_payload, vector_of
from engine.live import Where
from engine.memory import Hit, Memory


def memory_of(where: Where, body: bytes, dimensions: int) -> Memory:
    """The whole record."""
    payload = decode_payload(memoryview(body)[2 * dimensions :])
    return Memory(
        id=where.id,
        agent=where.agent,
        text=payload.text,
        vector=vector_of(body, dimensions),
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
