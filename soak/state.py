"""What must outlive this process? Attributes of objects, taken out as plain values and put back.

    magic, 8 bytes | length of the JSON, crc32 of all that follows: two uint64 | JSON | arrays

Written as JSON where it is small and as raw arrays where it is large, so that thousands of counts
cost a copy. Nothing in it can run: a run directory may come from somebody else.
"""

import json
import struct
import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np

from soak.histogram import Histogram
from soak.snapshot import Event, Exemplar, Gap, Quantiles

Tree: TypeAlias = dict[str, Any]
Buffer: TypeAlias = bytes | memoryview

MAGIC = b"soakkeep"
HEAD = struct.Struct("<8sQQ")
KINDS: Mapping[str, type] = {each.__name__: each for each in (Event, Exemplar, Gap, Quantiles)}
RECORDS = {name: [field.name for field in fields(kind)] for name, kind in KINDS.items()}


class Damaged(ValueError):
    """These bytes are not what `packed` wrote."""


def taken(owner: object, names: Sequence[str]) -> Tree:
    """Those attributes as they are now; nothing is copied before `packed`."""
    return {name: getattr(owner, name) for name in names}


def put_back(owner: object, tree: Mapping[str, Any]) -> None:
    """The reverse. A deque, counter or dictionary is filled anew, so that it keeps its kind."""
    for name, value in tree.items():
        before = getattr(owner, name)
        if isinstance(before, deque):
            before.clear()
            before.extend(value)
        elif isinstance(before, dict):
            before.clear()
            before.update(value)
        else:
            setattr(owner, name, value)


def packed(tree: Tree) -> list[Buffer]:
    """The tree as bytes, in pieces to be written one after another: megabytes that need no copy.

    Leaves: numbers, texts, arrays, histograms, and the RECORDS.
    """
    arrays: list[np.ndarray[Any, Any]] = []
    plain = _plain(tree, arrays)
    shapes = [(array.dtype.str, array.shape) for array in arrays]
    words = json.dumps({"tree": plain, "arrays": shapes}).encode()
    raw = [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in arrays]
    checksum = zlib.crc32(words)
    for piece in raw:
        checksum = zlib.crc32(piece, checksum)
    return [HEAD.pack(MAGIC, len(words), checksum), words, *raw]


def unpacked(*pieces: Buffer) -> Tree:
    """What `packed` was given; lists where there were deques. Raises Damaged."""
    content = b"".join(pieces)
    if len(content) < HEAD.size:
        raise Damaged("it is cut short")
    magic, length, checksum = HEAD.unpack_from(content)
    body = content[HEAD.size :]
    if magic != MAGIC or zlib.crc32(body) != checksum:
        raise Damaged("its checksum is wrong")
    written = json.loads(body[:length])
    arrays, offset = [], length
    for kind, shape in written["arrays"]:
        array = np.frombuffer(body, np.dtype(kind), int(np.prod(shape)), offset)
        offset += array.nbytes
        arrays.append(array.reshape(shape).copy())
    tree = _alive(written["tree"], arrays)
    assert isinstance(tree, dict)
    return tree


def _plain(value: object, arrays: list[np.ndarray[Any, Any]]) -> object:
    match value:
        case np.ndarray():
            arrays.append(value)
            return {"array": len(arrays) - 1}
        case np.generic():
            return value.item()
        case Histogram():
            index = np.flatnonzero(value.counts)
            parts = [index, value.counts[index], value.sum_ns, value.max_ns]
            return {"histogram": [_plain(part, arrays) for part in parts]}
        case Mapping():
            return {"map": [[_plain(k, arrays), _plain(v, arrays)] for k, v in value.items()]}
        case tuple():
            return {"tuple": [_plain(each, arrays) for each in value]}
        case list() | deque():
            return [_plain(each, arrays) for each in value.copy()]
    name = type(value).__name__
    if name in RECORDS:
        fields = [_plain(getattr(value, field), arrays) for field in RECORDS[name]]
        return {"record": name, "fields": fields}
    assert value is None or isinstance(value, bool | int | float | str), value
    return value


def _alive(plain: object, arrays: Sequence[np.ndarray[Any, Any]]) -> Any:
    if isinstance(plain, list):
        return [_alive(each, arrays) for each in plain]
    match plain:
        case {"array": int(number)}:
            return arrays[number]
        case {"histogram": parts}:
            index, counts, sum_ns, max_ns = _alive(parts, arrays)
            histogram = Histogram()
            histogram.counts[index] = counts
            histogram.sum_ns, histogram.max_ns = sum_ns, max_ns
            return histogram
        case {"map": pairs}:
            return {_alive(k, arrays): _alive(v, arrays) for k, v in pairs}
        case {"tuple": parts}:
            return tuple(_alive(parts, arrays))
        case {"record": name, "fields": values}:
            return KINDS[name](**dict(zip(RECORDS[name], _alive(values, arrays), strict=True)))
    return plain
