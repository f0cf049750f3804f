"""What of a record is kept in RAM besides its row in the columns?

    short-term    the whole body: payload and half-precision vector   -> no disk access at all
    intermediate  the payload, compressed (ratio about 2, 1 us to read), until overwritten
    long-term     nothing: payload and vector come from the log (4 us when the page is cached)

Every record is in the log from its store on, so a move between tiers writes nothing. The caller
holds the state lock, except for `compressed`, which may take its time outside of it.
"""

from collections.abc import Sequence
from enum import IntEnum

import zstandard

from engine.errors import BadInputError
from engine.frame import Payload, decode_payload
from engine.ring import Ring

_DICTIONARY_BYTES = 16_384
_SAMPLES = 1_000
# Its place in the dictionary, the object around the bytes, what the allocator adds.
_ENTRY_BYTES = 137


class Tier(IntEnum):
    """Where a record is; the number in the columns."""

    SHORT = 0
    INTERMEDIATE = 1
    LONG = 2


def tier_of(name: Tier | str | None) -> Tier | None:
    """A tier by its name: short, intermediate, long. Raises BadInputError."""
    if name is None or isinstance(name, Tier):
        return name
    try:
        return Tier[name.upper()]
    except (AttributeError, KeyError) as error:
        raise BadInputError(f"tier {name!r}; there are short, intermediate, long") from error


class Tiers:
    """Bodies of short-term by id, and how payloads are compressed. short_bytes counts objects and
    their entries; compressed payloads lie in `ring`."""

    def __init__(self, dimensions: int, ring_bytes: int) -> None:
        self._vector_bytes = 2 * dimensions
        self.ring = Ring(ring_bytes)
        self._short: dict[int, bytes] = {}
        self.short_bytes = 0
        self._samples: list[bytes | bytearray | memoryview] = []
        self._compressor = zstandard.ZstdCompressor(level=3)
        self._plain = zstandard.ZstdDecompressor()
        self._trained: zstandard.ZstdDecompressor | None = None

    def keep_whole(self, ids: Sequence[int], bodies: Sequence[bytes]) -> None:
        """Into short-term, as its youngest."""
        for record_id, body in zip(ids, bodies, strict=True):
            self.forget(record_id)
            self._short[record_id] = body
        self.short_bytes += sum(map(len, bodies)) + _ENTRY_BYTES * len(bodies)

    def forget(self, record_id: int) -> None:
        """Out of short-term."""
        body = self._short.pop(record_id, None)
        if body is not None:
            self.short_bytes -= len(body) + _ENTRY_BYTES

    def body(self, record_id: int) -> bytes | None:
        """The whole body, if it is in short-term."""
        return self._short.get(record_id)

    def oldest_short(self, count: int) -> list[int]:
        """The ids that entered short-term first."""
        return _first(self._short, count)

    def short_count(self) -> int:
        return len(self._short)

    def compressed(self, body: bytes) -> bytes:
        """The payload of a body, compressed; one marker byte says with which dictionary.

        The dictionary is trained on the first thousand payloads seen, and lives as long as the
        process: nothing compressed is ever written to disk.
        """
        payload = body[self._vector_bytes :]
        if self._trained is None:
            self._learn(payload)
        marker = b"\0" if self._trained is None else b"\1"
        return marker + self._compressor.compress(payload)

    def payload(self, packed: bytes) -> Payload:
        """What `compressed` took apart."""
        expander = self._trained if packed[0] and self._trained else self._plain
        return decode_payload(expander.decompress(packed[1:]))

    def _learn(self, payload: bytes) -> None:
        self._samples.append(payload)
        if len(self._samples) < _SAMPLES or sum(map(len, self._samples)) < 8 * _DICTIONARY_BYTES:
            if len(self._samples) > 8 * _SAMPLES:
                self._samples.clear()
            return
        trained = zstandard.train_dictionary(_DICTIONARY_BYTES, self._samples)
        self._samples.clear()
        self._trained = zstandard.ZstdDecompressor(dict_data=trained)
        self._compressor = zstandard.ZstdCompressor(level=3, dict_data=trained)


def _first(entries: dict[int, bytes], count: int) -> list[int]:
    return [record_id for record_id, _ in zip(entries, range(count), strict=False)]
