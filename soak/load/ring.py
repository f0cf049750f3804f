"""How do schedule and results pass between controller and worker? Slots, written and drained.

The layout of the file is in soak.load.slots. The operation with index i lives in slot i modulo
`size`. A slot is reused only after its result was drained, so a full ring delays writing and loses
nothing: due times are numbers.
"""

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from soak.clock import NS_PER_S
from soak.load.block import Block
from soak.load.results import NOTHING, Results, joined, selected
from soak.load.slots import (
    BEGIN_WORD,
    BYTES_PER_SLOT,
    CARRIED_WORD,
    CLOSED,
    CLOSING_WORD,
    EMPTY,
    END_WORD,
    HEADER_BYTES,
    LAYOUT,
    LOST_WORD,
    MAGIC,
    MAX_PHASES,
    MISSING_WORD,
    PID_WORD,
    SLOTS_WORD,
    T0_WORD,
    Carried,
    Slots,
    slots_of,
)
from soak.result import OUTCOME_MASK, Outcome, slot_code
from soak.rundir import unwritable

SLOTS = 1 << 17

Integers = NDArray[np.int64]


class RingError(Exception):
    """The file is no ring of this version, or there is no room; the message names the file."""


class _Word:
    """One number of the header."""

    def __init__(self, place: int) -> None:
        self._place = place

    def __get__(self, ring: "Ring", owner: object) -> int:
        return int(ring._header[self._place])

    def __set__(self, ring: "Ring", number: int) -> None:
        ring._header[self._place] = number


class Ring:
    """The mapped file as the controller uses it; `slots` gives the worker's view.

    One thread writes and drains. `scheduled` operations were written, `folded` is the index below
    which every result was drained. Slots from `secured` on are not reused, though drained: what
    they say is nowhere else on disk. Without it (None) nobody will want to read them. lost_lines:
    of the worker's log, which itself could not say so; missing_lines: of all logs, for who goes on.
    """

    worker_pid = _Word(PID_WORD)
    lost_lines = _Word(LOST_WORD)
    missing_lines = _Word(MISSING_WORD)

    def __init__(self, memory: mmap.mmap) -> None:
        header = np.frombuffer(memory, np.int64, HEADER_BYTES // 8)
        self.size = int(header[SLOTS_WORD])
        self.scheduled = 0
        self.folded = 0
        self.secured: int | None = None
        self.void_count = 0
        self._memory = memory
        self._header = header
        self._tag, self._due, self._argument, self._start, self._end = (
            np.frombuffer(memory, np.int64, self.size, HEADER_BYTES + column * 8 * self.size)
            for column in range(5)
        )
        self._code = np.frombuffer(memory, np.uint8, self.size, HEADER_BYTES + 40 * self.size)

    @classmethod
    def create(cls, path: Path, slots: int = SLOTS) -> Self:
        """A new, empty ring; slots must be a power of two. Replaces what was there.

        Raises RunDirError where there is no room for it, and leaves nothing behind.
        """
        assert slots.bit_count() == 1, "slots must be a power of two"
        header = np.zeros(HEADER_BYTES // 8, dtype=np.int64)
        header[:5] = (MAGIC, LAYOUT, slots, 0, EMPTY)
        try:
            with path.open("wb") as file:
                file.write(header.tobytes())
                file.write(np.full(slots, EMPTY, dtype=np.int64).tobytes())
                file.write(bytes((BYTES_PER_SLOT - 8) * slots))
            return cls.open(path)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise unwritable(path, error) from error

    @classmethod
    def open(cls, path: Path) -> Self:
        """The ring in that file; raises RingError when it is none.

        Every page is mapped at once: a lazily mapped ring looks like a leak of its own size.
        """
        with path.open("r+b") as file:
            word = np.frombuffer(file.read(HEADER_BYTES).ljust(HEADER_BYTES, b"\0"), np.int64)
            expected_bytes = HEADER_BYTES + BYTES_PER_SLOT * int(word[SLOTS_WORD])
            if (word[0], word[1]) != (MAGIC, LAYOUT) or path.stat().st_size != expected_bytes:
                raise RingError(f"{path} is not a slot ring of layout {LAYOUT}")
            flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
            return cls(mmap.mmap(file.fileno(), expected_bytes, flags=flags))

    def close(self) -> None:
        """Unmap the file; the ring and its slots must not be used afterwards."""
        del self._header, self._tag, self._due, self._argument, self._start, self._end, self._code
        self._memory.close()

    def slots(self) -> Slots:
        """The columns for the load loop. They keep the file mapped."""
        return slots_of(memoryview(self._memory), self.size)

    def columns(self, first: int, last: int) -> Sequence[Integers]:
        """Copies of tag, due, argument, start, end and code in the slots of those indices."""
        slots = np.arange(first, last) & (self.size - 1)
        held = self._tag, self._due, self._argument, self._start, self._end, self._code
        return [column[slots].astype(np.int64) for column in held]

    def closed_phases(self) -> list[int]:
        """Those of which a block was written."""
        return np.flatnonzero(self._header[END_WORD : END_WORD + MAX_PHASES]).tolist()

    @property
    def t0_ns(self) -> int:
        """Time zero of the run on the monotonic clock; 0 before `start`."""
        return int(self._header[T0_WORD])

    @property
    def carried(self) -> Carried:
        words = self._header[CARRIED_WORD : CARRIED_WORD + 6].tolist()
        return Carried(**dict(zip(Carried.__dataclass_fields__, words, strict=True)))

    def carry(self, carried: Carried) -> None:
        """Go on at its first index; before `start`."""
        self._header[CARRIED_WORD : CARRIED_WORD + 6] = astuple(carried)
        self.scheduled = self.folded = carried.first_index

    def start(self, t0_ns: int) -> None:
        """Fix time zero; blocks can be written from here on."""
        self._header[T0_WORD] = t0_ns

    def room(self) -> int:
        """How many operations can be written now."""
        oldest = self.folded if self.secured is None else min(self.secured, self.folded)
        return self.size - (self.scheduled - oldest)

    def unclaimed(self) -> int:
        """Operations written but not issued, those of clients that wait for their time included."""
        pieces = self._pieces(self.folded, self.scheduled)
        return sum(
            int(np.count_nonzero((self._start[a:b] == 0) & (self._tag[a:b] >= 0)))
            for a, b in pieces
        )

    def write(self, block: Block) -> None:
        """Schedule a block; raises RingError when there is no room or time zero is not fixed."""
        if len(block) > self.room() or not self.t0_ns:
            raise RingError(f"no room for {len(block)} operations, or the run has not started")
        t0_ns = self.t0_ns
        due_ns = np.rint(block.due_s * NS_PER_S).astype(np.int64)
        if block.is_open:
            due_ns += t0_ns
        else:
            due_ns += CLOSED
            self._header[BEGIN_WORD + block.phase] = t0_ns + round(block.begin_s * NS_PER_S)
            self._header[END_WORD + block.phase] = t0_ns + round(block.end_s * NS_PER_S)
        first = self.scheduled
        tag = np.arange(first, first + len(block), dtype=np.int64) << 16
        tag |= block.phase << 8
        tag |= block.operation
        done = 0
        for a, b in self._pieces(first, first + len(block)):
            part = slice(done, done + b - a)
            self._start[a:b] = 0
            self._end[a:b] = 0
            self._code[a:b] = 0
            self._due[a:b] = due_ns[part]
            self._argument[a:b] = block.argument[part]
            self._tag[a:b] = tag[part]
            done += b - a
        self.scheduled = first + len(block)

    def drain(self) -> Results:
        """All results finished since the last call, by index; what was void is only counted."""
        taken = [self._take(a, b) for a, b in self._pieces(self.folded, self.scheduled)]
        self._advance()
        found = joined([part for part in taken if len(part)])
        is_void = (found.code & OUTCOME_MASK) == Outcome.VOID
        if not is_void.any():
            return found
        self.void_count += int(np.count_nonzero(is_void))
        return selected(found, ~is_void)

    def due_count(self, now_ns: int) -> int:
        """How many operations were to be issued by now: all that are due, issued or not."""
        found = self.folded - self.void_count
        for a, b in self._pieces(self.folded, self.scheduled):
            is_due = self._due[a:b] <= now_ns
            is_due |= (self._start[a:b] != 0) | (self._tag[a:b] < 0)
            found += int(np.count_nonzero(is_due))
        return found

    def overdue_count(self, now_ns: int) -> int:
        """How many operations are due that no client has come to yet."""
        found = 0
        for a, b in self._pieces(self.folded, self.scheduled):
            is_overdue = (self._start[a:b] == 0) & (self._due[a:b] <= now_ns)
            found += int(np.count_nonzero(is_overdue & (self._tag[a:b] >= 0)))
        return found

    def oldest_unfinished(self, now_ns: int) -> tuple[int, int, int, int] | None:
        """(index, operation, due_ns, start_ns) of the oldest operation in flight or overdue.

        start_ns is 0 while no client has come to it; None when nothing is owed.
        """
        for a, b in self._pieces(self.folded, self.scheduled):
            slots = np.flatnonzero(self._is_owed(a, b, now_ns))
            if slots.size:
                slot = a + int(slots[0])
                tag = int(self._tag[slot])
                return tag >> 16, tag & 255, int(self._due[slot]), abs(int(self._start[slot]))
        return None

    def finish(self, total: int | None = None) -> int:
        """Say that the run has `total` operations (default: those written); returns total.

        What was written beyond is withdrawn: it is neither issued nor drained.
        """
        total = self.scheduled if total is None else total
        self._header[CLOSING_WORD] = total
        for a, b in self._pieces(total, self.scheduled):
            self._withdraw(a, b)
        self.scheduled = min(total, self.scheduled)
        self.folded = min(total, self.folded)
        return total

    def cut(self, at_ns: int) -> int:
        """Finish now: what is due by at_ns is still issued, the rest withdrawn; returns total."""
        done = self.folded
        for a, b in self._pieces(self.folded, self.scheduled):
            is_kept = (self._start[a:b] != 0) | (self._tag[a:b] < 0)
            is_kept |= self._due[a:b] <= at_ns
            kept = np.flatnonzero(is_kept)
            if kept.size:
                done = self.folded + int((a + kept[-1] - self.folded) % self.size) + 1
        return self.finish(done)

    def is_done(self) -> bool:
        """The run was finished and every result drained."""
        return int(self._header[CLOSING_WORD]) >= 0 and self.folded == self.scheduled

    def abandon_unfinished(self, now_ns: int) -> Results:
        """Give up on everything owed: timeouts that end now; what was not due yet is void.

        Drain afterwards: what has ended meanwhile is left for that. Operations no client came to
        count as started now: all their time is waiting.
        """
        parts = []
        for a, b in self._pieces(self.folded, self.scheduled):
            tag = self._tag[a:b]
            is_open = (tag >= 0) & (self._end[a:b] <= 0)
            is_owed = is_open & ((self._start[a:b] != 0) | (self._due[a:b] <= now_ns))
            self.void_count += int(np.count_nonzero(is_open & ~is_owed))
            slots = a + np.flatnonzero(is_owed)
            found = self._copy(slots)
            found.start_ns[found.start_ns == 0] = now_ns
            found.end_ns[:] = now_ns
            found.code[:] = slot_code(Outcome.TIMEOUT)
            parts.append(found)
            tag[is_open] = ~tag[is_open]
        self._advance()
        return joined([part for part in parts if len(part)])

    def _is_owed(self, a: int, b: int, now_ns: int) -> NDArray[np.bool_]:
        is_due = self._due[a:b] <= now_ns
        is_unfinished = (self._end[a:b] == 0) & (self._tag[a:b] >= 0)
        owed: NDArray[np.bool_] = is_unfinished & ((self._start[a:b] != 0) | is_due)
        return owed

    def _pieces(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The slots of indices first to last, at most two stretches."""
        while first < last:
            a = first & (self.size - 1)
            b = min(self.size, a + last - first)
            yield a, b
            first += b - a

    def _take(self, a: int, b: int) -> Results:
        has_ended = (self._end[a:b] > 0) & (self._tag[a:b] >= 0)
        finished = np.flatnonzero(has_ended)  # a copy: the worker writes meanwhile
        if not finished.size:
            return NOTHING
        is_solid = int(finished[-1]) - int(finished[0]) + 1 == finished.size
        slots = slice(a + int(finished[0]), a + int(finished[-1]) + 1) if is_solid else a + finished
        found = self._copy(slots)
        self._tag[slots] = ~self._tag[slots]
        self._end[slots] = -found.end_ns
        return found

    def _withdraw(self, a: int, b: int) -> None:
        """Nobody may issue or drain these any more; a run that is resumed still finds them."""
        tag = self._tag[a:b]
        tag[tag >= 0] = ~tag[tag >= 0]

    def _copy(self, slots: slice | Integers) -> Results:
        tag = self._tag[slots]
        start_ns = self._start[slots]
        return Results(
            index=tag >> 16,
            operation=tag.astype(np.uint8),
            phase=(tag >> 8).astype(np.uint8),
            due_ns=self._due[slots].copy(),
            argument=self._argument[slots].copy(),
            start_ns=np.abs(start_ns),
            end_ns=self._end[slots].copy(),
            code=self._code[slots].copy(),
            is_idle=start_ns < 0,
        )

    def _advance(self) -> None:
        for a, b in self._pieces(self.folded, self.scheduled):
            is_open = self._tag[a:b] >= 0
            first = int(is_open.argmax())
            if is_open[first]:
                self.folded += first
                return
            self.folded += b - a
