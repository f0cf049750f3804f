"""How far ahead is the schedule written? Enough that the load never waits for the controller."""

from dataclasses import asdict, dataclass

import numpy as np

from soak.clock import NS_PER_S, TIME_SCALE
from soak.load.block import Block
from soak.load.ring import Ring
from soak.load.workload import Workload
from soak.state import Tree

# The controller may be away this long (a slow judgement, a swapped-out page) without being felt.
AHEAD_S = 2.0 * TIME_SCALE
# Closed clients decide for themselves when they go on, so they get a store of operations: at
# least this many, and several ticks' worth of what they used in the last one.
CLOSED_AHEAD = 2048
CLOSED_TICKS = 4
# The phase after a closed one is written this long before it begins.
HANDOVER_S = 0.3


@dataclass(slots=True)
class WrittenLate:
    """Operations that were due before they were written: late by the tester's own fault.

    worst_s: how late the latest was written, after it was due.
    """

    count: int = 0
    worst_s: float = 0.0


class Feeder:
    """Moves a workload into a ring. Call `feed` ten times a second once the ring has started."""

    def __init__(self, workload: Workload, ring: Ring) -> None:
        self._workload = workload
        self._ring = ring
        self._block: Block | None = None
        self._claimed = 0
        self.is_finished = False
        self.late = WrittenLate()

    def feed(self, now_ns: int) -> bool:
        """Write what belongs into the ring at this time; True when the schedule is complete."""
        if self.is_finished:
            return True
        now_s = (now_ns - self._ring.t0_ns) / NS_PER_S
        unclaimed = self._ring.unclaimed()
        claimed = self._ring.scheduled - unclaimed
        wanted = max(CLOSED_AHEAD, CLOSED_TICKS * (claimed - self._claimed))
        closed_room = min(wanted, self._ring.size // 2) - unclaimed
        self._claimed = claimed
        while (block := self._next(now_s)) is not None:
            is_early = block.is_open and block.due_s[0] > now_s + AHEAD_S
            is_ample = not block.is_open and closed_room <= 0
            if is_early or is_ample or len(block) > self._ring.room():
                return False
            self._note_late(block, now_s)
            self._ring.write(block)
            self._block = None
            closed_room -= len(block)
        self._ring.finish()
        self.is_finished = True
        return True

    def stop(self, now_ns: int) -> None:
        """No more: what is due by now is still issued, the rest of the schedule withdrawn."""
        self.feed(now_ns)  # whoever was away at the end has not written all that is due
        self._ring.cut(now_ns)
        self._block = None
        self.is_finished = True

    def state(self) -> Tree:
        """What was drawn and found no room yet, and how often it was late."""
        block = None if self._block is None else asdict(self._block)
        return {"block": block, "late_count": self.late.count, "late_s": self.late.worst_s}

    def restore(self, tree: Tree) -> None:
        self._block = None if tree["block"] is None else Block(**tree["block"])
        self.late = WrittenLate(tree["late_count"], tree["late_s"])

    def again(self, phase: int) -> Block | None:
        """The next block, of that phase or a later one: closed phases are left when they end."""
        block = self._block or self._workload.next_block()
        while block is not None and block.phase < phase:
            self._workload.end_phase()
            block = self._workload.next_block()
        self._block = None
        return block

    def resume(self) -> None:
        """The ring has a new beginning."""
        self._claimed = self._ring.scheduled - self._ring.unclaimed()

    def _note_late(self, block: Block, now_s: float) -> None:
        late_s = now_s - block.due_s
        if block.is_open and late_s[0] > 0:
            self.late.count += int(np.count_nonzero(late_s > 0))
            self.late.worst_s = max(self.late.worst_s, float(late_s[0]))

    def _next(self, now_s: float) -> Block | None:
        if self._block is None:
            self._block = self._workload.next_block()
        while self._block and not self._block.is_open and now_s > self._block.end_s - HANDOVER_S:
            self._workload.end_phase()
            self._block = self._workload.next_block()
        return self._block
