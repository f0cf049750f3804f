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
# Measured: the dictionary, and what the compressor makes of it before the first payload.
_DICTIONARY_TABLE_BYTES = 146_000
_SAMPLES = 1_000
# Of one payload; its beginning is as good to learn from as the whole.
_SAMPLE_BYTES_MOST = 2_048
# Its slot in the dictionary and the number in it.
_ENTRY_BYTES = 112
# Below the position in such a number: the length.
_LENGTH_BITS = 32
_LENGTH_MASK = (1 << _LENGTH_BITS) - 1
# Room beyond the limit, for what is stored before the oldest have gone.
_SLACK_BYTES = 256 << 10


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
    """Bodies of short-term, and how payloads are compressed: each tier in a ring of its own.

    Bodies as single objects would be scattered over the heap, and half of it stay behind.
    """

    def __init__(self, dimensions: int, short_bytes: int, ring_bytes: int) -> None:
        self._vector_bytes = 2 * dimensions
        self.ring = Ring(ring_bytes)
        self._room = Ring(2 * short_bytes + _SLACK_BYTES)
        # Where each is in the room, position and length in one number; the oldest first.
        self._short: dict[int, int] = {}
        self._samples: list[bytes | bytearray | memoryview] = []
        self._samples_bytes = 0
        self._compressor = zstandard.ZstdCompressor(level=3)
        self._plain = zstandard.ZstdDecompressor()
        self._trained: zstandard.ZstdDecompressor | None = None

    def keep_whole(self, ids: Sequence[int], bodies: Sequence[bytes]) -> list[int]:
        """Into short-term, as its youngest; returns the ids for which there is no room."""
        outside = []
        for record_id, body in zip(ids, bodies, strict=True):
            self.forget(record_id)
            if len(body) > self._room.size:
                outside.append(record_id)
                continue
            self._short[record_id] = self._room.add(body) << _LENGTH_BITS | len(body)
        while self._oldest_position() < self._room.oldest:
            oldest = next(iter(self._short))
            self.forget(oldest)
            outside.append(oldest)
        return outside

    def _oldest_position(self) -> int:
        """Of what is kept; the end of the room where nothing is."""
        first = next(iter(self._short.values()), None)
        return self._room.end if first is None else first >> _LENGTH_BITS

    def forget(self, record_id: int) -> None:
        """Out of short-term."""
        place = self._short.pop(record_id, None)
        if place is not None:
            self._room.bury(place & _LENGTH_MASK)

    def body(self, record_id: int) -> bytes | None:
        """The whole body, if it is in short-term."""
        place = self._short.get(record_id)
        if place is None:
            return None
        return self._room.read(place >> _LENGTH_BITS, place & _LENGTH_MASK)

    def place(self, record_id: int) -> int | None:
        """Tells one body from a later one of the same record."""
        return self._short.get(record_id)

    def oldest_short(self, count: int) -> list[int]:
        """The ids that entered short-term first."""
        return _first(self._short, count)

    def short_count(self) -> int:
        return len(self._short)

    @property
    def needed_short_bytes(self) -> int:
        """What the records of short-term take, without the holes between them."""
        return self._room.live_bytes + _ENTRY_BYTES * len(self._short)

    @property
    def short_bytes(self) -> int:
        """Private memory that short-term holds."""
        return self._room.touched_bytes + _ENTRY_BYTES * len(self._short)

    @property
    def is_short_sparse(self) -> bool:
        """Whether most of its room is holes, which come back when the oldest have gone."""
        return self._room.is_sparse

    def give_back(self) -> None:
        """Return the room before the oldest of short-term."""
        self._room.drop_before(self._oldest_position())

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

    @property
    def compression_bytes(self) -> int:
        """What the compressor, its dictionary, and payloads to learn from take."""
        users = (self._compressor, self._plain, self._trained)
        states: int = sum(user.memory_size() for user in users if user is not None)
        return self._samples_bytes + states + _DICTIONARY_TABLE_BYTES * (self._trained is not None)

    def _learn(self, payload: bytes) -> None:
        self._samples.append(payload[:_SAMPLE_BYTES_MOST])
        self._samples_bytes += len(self._samples[-1])
        if len(self._samples) >= _SAMPLES and self._samples_bytes >= 8 * _DICTIONARY_BYTES:
            trained = zstandard.train_dictionary(_DICTIONARY_BYTES, self._samples)
            self._trained = zstandard.ZstdDecompressor(dict_data=trained)
            self._compressor = zstandard.ZstdCompressor(level=3, dict_data=trained)
        elif len(self._samples) <= 8 * _SAMPLES:
            return
        self._samples.clear()
        self._samples_bytes = 0


def _first(entries: dict[int, int], count: int) -> list[int]:
    return [record_id for record_id, _ in zip(entries, range(count), strict=False)]
