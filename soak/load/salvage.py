"""What did a run that was killed leave in its ring? Each operation's fate, told once.

Since the last checkpoint (where `ours` were written and not drained):

    slot has an end           its result, which the checkpoint does not know
    slot has a start, no end  in flight: whether the target did it, nobody knows
    neither                   still to be issued, under a new index

What was written after the checkpoint is drawn again, and must be the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soak.load.block import Block
from soak.load.results import NOTHING, Results, selected
from soak.load.ring import Ring, RingError
from soak.load.slots import CLOSED, WRITTEN_LATE
from soak.result import OUTCOME_MASK, Outcome

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Operations that were scheduled, by index; columns of equal length.

    due_s: seconds since time zero, in a closed phase the seconds to wait.
    """

    index: Integers
    phase: Integers
    operation: Integers
    due_s: NDArray[np.float64]
    argument: Integers

    @staticmethod
    def of(block: Block, first: int) -> "Ours":
        """A block whose operations have the indices from first on."""
        return Ours(
            index=np.arange(first, first + len(block), dtype=np.int64),
            phase=np.full(len(block), block.phase, dtype=np.int64),
            operation=block.operation.astype(np.int64),
            due_s=block.due_s,
            argument=block.argument,
        )

    def taken(self, rows: NDArray[np.bool_] | slice) -> "Ours":
        return Ours(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


NONE = Ours(
    index=np.zeros(0, dtype=np.int64),
    phase=np.zeros(0, dtype=np.int64),
    operation=np.zeros(0, dtype=np.int64),
    due_s=np.zeros(0),
    argument=np.zeros(0, dtype=np.int64),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """results: to be folded. waiting: to be issued. last_ns: when a client last began one.

    missing_lines: what the logs had lost by then, which the checkpoint may not know.
    """

    results: Results
    waiting: Ours
    scheduled: int
    void_count: int = 0
    in_doubt_count: int = 0
    last_ns: int = 0
    missing_lines: int = 0


class Wreck:
    """The ring of a run that nobody runs any more, read once. Raises RingError and OSError."""

    def __init__(self, path: Path) -> None:
        ring = Ring.open(path)
        try:
            self.generation = ring.carried.generation
            self.t0_ns = ring.t0_ns
            self.missing_lines = ring.missing_lines
            columns = ring.columns(0, ring.size)
        finally:
            ring.close()
        tag, self._due, self._argument, start, end, self._code = columns
        self._tag = np.where(tag >= 0, tag, ~tag)
        self._start, self._end = start, np.abs(end)
        self._mask = tag.size - 1

    @property
    def end_index(self) -> int:
        """One above the highest index that was written."""
        return int(self._tag.max() >> 16) + 1

    @property
    def last_ns(self) -> int:
        return int(np.abs(self._start).max())

    def phase_of(self, index: int) -> int:
        """In which phase it was written; 0 where it was not."""
        tag = int(self._tag[index & self._mask])
        return tag >> 8 & 255 if tag >> 16 == index else 0

    def fate(self, ours: Ours) -> tuple[Results, NDArray[np.bool_], NDArray[np.bool_]]:
        """Results of what ended, shape (k,), what is in doubt and what waits, shape (n,)."""
        slot = ours.index & self._mask
        tag = self._tag[slot]
        is_here = tag >> 16 == ours.index
        if np.any(tag >> 16 > ours.index):
            raise RingError("it has gone on since the last checkpoint, and results are lost")
        if np.any(is_here & (tag & 0xFFFF != (ours.phase << 8 | ours.operation))):
            raise RingError("its operations are not those of this scenario and seed")
        has_ended = is_here & (self._end[slot] > 0)
        has_begun = is_here & (self._start[slot] != 0) & ~has_ended
        gone = slot[has_ended]
        start = self._start[gone]
        results = Results(
            index=ours.index[has_ended],
            operation=ours.operation[has_ended].astype(np.uint8),
            phase=ours.phase[has_ended].astype(np.uint8),
            due_ns=self._due[gone],
            argument=self._argument[gone],
            start_ns=np.abs(start),
            end_ns=self._end[gone],
            code=self._code[gone].astype(np.uint8),
            is_idle=start < 0,
        )
        return results, has_begun, ~has_ended & ~has_begun


def unanswered(ring: Ring) -> Ours:
    """What a running ring holds that was not drained; the worker may change it meanwhile."""
    tag, due_ns, argument, *_ = ring.columns(ring.folded, ring.scheduled)
    is_open = tag >= 0
    tag, due_ns, argument = tag[is_open], due_ns[is_open], argument[is_open]
    wait_ns = np.where(due_ns >= CLOSED, due_ns - CLOSED, 0)
    phase = tag >> 8 & 255
    is_closed = np.isin(phase, ring.closed_phases())
    due_ns = np.where(due_ns >= WRITTEN_LATE, due_ns - WRITTEN_LATE, due_ns) - ring.t0_ns
    return Ours(
        index=tag >> 16,
        phase=phase,
        operation=tag & 255,
        due_s=np.where(is_closed, wait_ns, due_ns) / 1e9,
        argument=argument,
    )


def salvage(
    wreck: Wreck | None, ours: Ours, scheduled: int, again: Callable[[int], Block | None]
) -> Remains:
    """What became of `ours` and of what followed; wreck: None where nothing was begun since.

    scheduled: how many operations the checkpoint knows. again: the next block, of that phase or a
    later one, as it was drawn the first time. Raises RingError.
    """
    if wreck is None:
        return Remains(results=NOTHING, waiting=ours, scheduled=scheduled)
    parts = [ours]
    while scheduled < wreck.end_index:
        block = again(wreck.phase_of(scheduled))
        if block is None:
            break
        parts.append(Ours.of(block, scheduled))
        scheduled += len(block)
    names = Ours.__dataclass_fields__
    ours = Ours(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})
    results, is_in_doubt, is_waiting = wreck.fate(ours)
    is_void = (results.code & OUTCOME_MASK) == Outcome.VOID
    return Remains(
        results=selected(results, ~is_void),
        waiting=ours.taken(is_waiting),
        scheduled=scheduled,
        void_count=int(np.count_nonzero(is_void)),
        in_doubt_count=int(np.count_nonzero(is_in_doubt)),
        last_ns=wreck.last_ns,
        missing_lines=wreck.missing_lines,
    )


def renumbered(ours: Ours, first: int) -> Ours:
    """The same with the indices from first on: no two operations of a run have the same."""
    whole = {name: getattr(ours, name) for name in ours.__dataclass_fields__}
    index = np.arange(first, first + ours.index.size, dtype=np.int64)
    return Ours(**{**whole, "index": index})


def blocks(ours: Ours, bounds: Callable[[int], tuple[bool, float, float]]) -> list[Block]:
    """As a ring takes them. bounds: of a phase, whether it is open, its begin and its end."""
    changes = np.flatnonzero(np.diff(ours.phase)) + 1
    found = []
    for first, last in pairwise([0, *changes.tolist(), ours.phase.size]):
        if first == last:
            continue
        phase = int(ours.phase[first])
        is_open, begin_s, end_s = bounds(phase)
        found.append(
            Block(
                phase=phase,
                is_open=is_open,
                begin_s=begin_s,
                end_s=end_s,
                due_s=ours.due_s[first:last],
                operation=ours.operation[first:last].astype(np.uint8),
                argument=ours.argument[first:last],
            )
        )
    return found
