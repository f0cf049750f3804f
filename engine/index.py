"""In which row does a record lie? From its id, in shards small enough to be rebuilt in a step.

A dictionary never shrinks, and one whose entries come and go doubles: the places of removed ones
count until all are moved. One of a million entries also stops everybody for 20 ms each time that it
grows; a shard of them takes a part of that, and is rebuilt when it holds more than it needs.
"""

from collections.abc import Iterable, Iterator
from sys import getsizeof

# Prime, so that ids with a common divisor spread too, but for this one.
_SHARDS = 251
# A dictionary takes 27 to 54 bytes an entry where none was removed, so that a rebuilt one is far
# from here: at least a sixth as many entries as it has must be added first.
_ENTRY_BYTES_MOST = 64
_EMPTY_BYTES = 512
# Readers wait for as many.
_STEP_ENTRIES = 4_096
# The interpreter's whole numbers: the id and the row.
_NUMBERS_BYTES = 64


class Index:
    """Ids to rows; the caller holds the state lock."""

    __slots__ = ("_count", "_peak", "_shards", "_turn")

    def __init__(self) -> None:
        self._shards: list[dict[int, int]] = [{} for _ in range(_SHARDS)]
        self._count = 0
        # The interpreter keeps the room of whole numbers once taken, so this never falls.
        self._peak = 0
        self._turn = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        for shard in self._shards:
            yield from shard

    def __contains__(self, record_id: int) -> bool:
        return record_id in self._shards[record_id % _SHARDS]

    def __getitem__(self, record_id: int) -> int:
        return self._shards[record_id % _SHARDS][record_id]

    def get(self, record_id: int) -> int | None:
        """None where there is no such record."""
        return self._shards[record_id % _SHARDS].get(record_id)

    def put(self, ids: Iterable[int], rows: Iterable[int]) -> None:
        """These records lie in these rows now, wherever they lay before."""
        shards = self._shards
        before = after = 0
        for record_id, row in zip(ids, rows, strict=True):
            shard = shards[record_id % _SHARDS]
            before += len(shard)
            shard[record_id] = row
            after += len(shard)
        self._count += after - before
        self._peak = max(self._peak, self._count)

    def pop(self, record_id: int) -> int | None:
        """The row that the record had; None where there is no such record."""
        row = self._shards[record_id % _SHARDS].pop(record_id, None)
        if row is not None:
            self._count -= 1
        return row

    def shrink(self) -> bool:
        """Rebuild shards that hold more than they need, a step's worth; False when none did."""
        moved = 0
        for _ in range(_SHARDS):
            turn = self._turn
            self._turn = (turn + 1) % _SHARDS
            shard = self._shards[turn]
            if getsizeof(shard) <= _EMPTY_BYTES + _ENTRY_BYTES_MOST * len(shard):
                continue
            fresh = dict(shard)
            # Or it would be rebuilt for ever, should an interpreter's dictionaries be larger.
            if getsizeof(fresh) < getsizeof(shard):
                self._shards[turn] = fresh
                moved += 1 + len(shard)
            if moved >= _STEP_ENTRIES:
                break
        return moved > 0

    @property
    def accounted_bytes(self) -> int:
        """Private memory it holds."""
        return sum(map(getsizeof, self._shards)) + _NUMBERS_BYTES * self._peak
