"""Is what the caller hands in acceptable, and what does it look like inside? Nothing is written."""

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import BadInputError, TooLargeError
from engine.frame import PINNED, Draft, Kind, encode_payload, tag_bits
from engine.graph import EdgeKey, Graph
from engine.memory import Memory
from engine.options import Options
from engine.quantise import Rows, quantise, unit_halves

ID_MAX = 2**64 - 1
AGENT_MAX = 2**32 - 1
# It is an f32 on disk.
WEIGHT_MAX = float(np.finfo(np.float32).max)
TAGS_MAX = 64
# Kinds of arrays that hold real numbers.
_NUMBERS = "fiub"


def drafts_of(
    memories: Sequence[Memory], options: Options, now_s: float
) -> tuple[list[Draft], Rows]:
    """Frames to append and rows to search, in the same order. Raises BadInputError."""
    halves = _halves(memories, options.dimensions)
    width = 2 * options.dimensions
    vectors = halves.tobytes()
    put, limit = int(Kind.PUT), options.record_bytes_max
    drafts = []
    for index, memory in enumerate(memories):
        record_id, importance, created_s = _checked_record(memory, now_s)
        body = vectors[index * width : (index + 1) * width] + _payload(memory)
        if len(body) > limit:
            raise TooLargeError(f"record {memory.id}: {len(body)} bytes; the limit is {limit}")
        drafts.append(
            Draft(
                put,
                record_id,
                body,
                tag_bits(memory.tags) if len(memory.tags) else 0,
                created_s,
                operator.index(memory.agent),
                options.dimensions,
                importance,
                PINNED if memory.pinned else 0,
            )
        )
    return drafts, quantise(halves)


def distinct(memories: Iterable[Memory]) -> list[Memory]:
    """The last of equal ids. Raises BadInputError on what is no memory, or has no id."""
    try:
        listed = list(memories)
    except TypeError as error:
        raise BadInputError(f"store_batch of {memories!r}; a sequence of Memory") from error
    found: dict[int, Memory] = {}
    for memory in listed:
        if not isinstance(memory, Memory):
            raise BadInputError(f"{memory!r} is no Memory")
        found[checked_id(memory.id)] = memory
    return list(found.values())


def _halves(memories: Sequence[Memory], dimensions: int) -> NDArray[np.float16]:
    """All vectors as unit vectors, (n, dimensions), checked as one; a bad one is then sought."""
    vectors: list[Any] = [memory.vector for memory in memories]
    if all(isinstance(v, np.ndarray) and v.dtype.kind in _NUMBERS for v in vectors):
        try:
            with np.errstate(over="ignore"):
                stacked = np.array(vectors, dtype=np.float32)
            if stacked.shape == (len(vectors), dimensions):
                return unit_halves(stacked)
        except ValueError:
            pass
    checked = [checked_vector(m.vector, dimensions, f"record {m.id}") for m in memories]
    return unit_halves(np.stack(checked))


def checked_vector(vector: NDArray[np.float32], dimensions: int, owner: str) -> NDArray[np.float32]:
    """Raises BadInputError on a wrong shape, NaN, infinity or zero length."""
    try:
        given = np.asarray(vector)
    except (ValueError, TypeError) as error:
        raise BadInputError(f"{owner}: the vector is no array of numbers: {error}") from error
    if given.dtype.kind not in _NUMBERS:
        raise BadInputError(f"{owner}: the vector is no array of real numbers but {given.dtype}")
    if given.shape != (dimensions,):
        raise BadInputError(f"{owner}: vector of shape {given.shape}; expected ({dimensions},)")
    with np.errstate(over="ignore"):
        checked = given.astype(np.float32)
    if not np.isfinite(checked).all():
        raise BadInputError(
            f"{owner}: the vector holds NaN, infinity or more than single precision"
        )
    if not checked.any():
        raise BadInputError(f"{owner}: the vector is all zero in single precision: no direction")
    return checked


def checked_id(record_id: int) -> int:
    """Raises BadInputError outside 0..2^64-1."""
    plain = _whole(record_id, "id")
    if not 0 <= plain <= ID_MAX:
        raise BadInputError(f"id is {record_id!r}; it must be 0..2^64-1")
    return plain


def checked_ids(record_ids: Iterable[int]) -> list[int]:
    """Raises BadInputError on what is none, and where there are none to go through."""
    try:
        listed = list(record_ids)
    except TypeError as error:
        raise BadInputError(f"ids are {record_ids!r}; a sequence of whole numbers") from error
    return [checked_id(record_id) for record_id in listed]


def checked_agent(agent: int, owner: str) -> int:
    """Raises BadInputError outside 0..2^32-1."""
    plain = _whole(agent, f"{owner}: agent")
    if not 0 <= plain <= AGENT_MAX:
        raise BadInputError(f"{owner}: agent is {agent!r}; it must be 0..2^32-1")
    return plain


def checked_count(count: int, name: str) -> int:
    """Raises BadInputError unless it is a whole number, not negative."""
    plain = _whole(count, name)
    if plain < 0:
        raise BadInputError(f"{name} is {count!r}; it must not be negative")
    return plain


def _whole(number: int, name: str) -> int:
    """As Python's own; numpy's whole numbers are fine. Raises BadInputError."""
    try:
        return operator.index(number)
    except TypeError as error:
        raise BadInputError(f"{name} is {number!r}; it must be a whole number") from error


def checked_edge(
    graph: Graph, source: int, target: int, kind: str | int, weight: float = 1.0
) -> tuple[EdgeKey, float]:
    """Raises BadInputError on an end that is no id, a kind that is none, a weight beyond f32."""
    ends = checked_id(source), checked_id(target)
    owner = f"edge {source} -> {target}"
    if not isinstance(kind, int):
        kind = checked_text(kind, "kind", owner)
    weight = checked_number(weight, "weight", owner)
    if abs(weight) > WEIGHT_MAX:
        raise BadInputError(f"{owner}: weight {weight}; at most {WEIGHT_MAX:.6g} either way")
    return EdgeKey(*ends, graph.code_of(kind)), weight


def checked_number(value: float, name: str, owner: str) -> float:
    """Raises BadInputError unless it is a number, and finite."""
    plain = _number(value, name, owner)
    if not math.isfinite(plain):
        raise BadInputError(f"{owner}: {name} {value!r} is not finite")
    return plain


def checked_time(value: float, name: str, owner: str) -> float:
    """Seconds since 1970, or an infinity: no bound. Raises BadInputError."""
    plain = _number(value, name, owner)
    if math.isnan(plain):
        raise BadInputError(f"{owner}: {name} is NaN; seconds since 1970")
    return plain


def _number(value: float, name: str, owner: str) -> float:
    if isinstance(value, np.ndarray):
        raise BadInputError(f"{owner}: {name} is an array, not a number")
    try:
        # Not float("0.5"): text that reads like a number is a field in the wrong place.
        return math.fsum((value,))
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInputError(f"{owner}: {name} {value!r} is no number") from error


def checked_text(text: str, name: str, owner: str) -> str:
    """Raises BadInputError unless it is text that can be encoded."""
    try:
        text.encode()
    except (AttributeError, UnicodeEncodeError) as error:
        raise BadInputError(f"{owner}: {name} {text!r} is no text") from error
    # One of a subclass cannot be encoded as msgpack.
    return str(text)


def _payload(memory: Memory) -> bytes:
    if isinstance(memory.tags, str):
        raise BadInputError(f"record {memory.id}: tags {memory.tags!r}; a tuple of texts")
    for text in (memory.text, *memory.tags):
        if not isinstance(text, str):
            raise BadInputError(f"record {memory.id}: text or tags are not text: {text!r}")
    try:
        return encode_payload(str(memory.text), tuple(map(str, memory.tags)))
    except UnicodeEncodeError as error:
        raise BadInputError(f"record {memory.id}: text or tags are not text: {error}") from error


def _checked_record(memory: Memory, now_s: float) -> tuple[int, float, float]:
    """Id, importance and time of creation as Python's own, the latter at most now: what is said to
    come from the future would have a negative age. Raises BadInputError.
    """
    record_id = checked_id(memory.id)
    importance, created_s = memory.importance, memory.created_s
    if created_s is None:
        created_s = now_s
    if type(importance) is not float or type(created_s) is not float:
        owner = f"record {record_id}"
        importance = checked_number(importance, "importance", owner)
        created_s = checked_number(created_s, "created_s", owner)
    try:
        is_right = (
            0 <= operator.index(memory.agent) <= AGENT_MAX
            and 0.0 <= importance <= 1.0
            and 0.0 <= created_s < math.inf
            and len(memory.tags) <= TAGS_MAX
            and isinstance(memory.pinned, bool | np.bool_)
        )
    except TypeError:
        is_right = False
    if not is_right:
        _complain(memory)
    return record_id, importance, min(created_s, now_s)


def _complain(memory: Memory) -> None:
    """Say what is wrong with it. Raises BadInputError."""
    owner = f"record {memory.id}"
    checked_agent(memory.agent, owner)
    importance = checked_number(memory.importance, "importance", owner)
    if not 0.0 <= importance <= 1.0:
        raise BadInputError(f"{owner}: importance {importance}; it must be 0..1")
    if memory.created_s is not None and checked_number(memory.created_s, "created_s", owner) < 0:
        raise BadInputError(f"{owner}: created_s {memory.created_s}; seconds since 1970")
    if not isinstance(memory.pinned, bool | np.bool_):
        raise BadInputError(f"{owner}: pinned {memory.pinned!r}; True or False")
    if not isinstance(memory.tags, list | tuple):
        raise BadInputError(f"{owner}: tags {memory.tags!r}; a tuple of texts")
    raise BadInputError(f"{owner}: {len(memory.tags)} tags; at most {TAGS_MAX}")
