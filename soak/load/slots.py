"""What does the ring file look like, and how does the load loop reach it?

    header, 8,192 bytes of int64 words:
      0 magic  1 layout version  2 slots  3 t0_ns  4 closing (operations in all, -1: not known yet)
      5 worker pid  6 lines that the worker's log lost
      7 generation: how often the run was resumed  8 first index  9..11 checked, stored, deleted
      before it  12 whether the oracle's file may be torn: what a resumed worker goes on with
      13 lines that all logs lost, as far as the controller knows: a full disk has no other place
      256..511  phase_begin_ns, 512..767 phase_end_ns: written for closed phases only
    then one column after the other, `slots` entries each:
      tag      int64  index << 16 | phase << 8 | operation; -1: empty,    controller, last
               ~tag once drained or withdrawn
      due      int64  monotonic ns; from CLOSED on: that many ns after    controller (the worker
               the client became free (closed loop)                       resolves a closed one)
      argument int64  key or first id                                     controller
      start    int64  monotonic ns; 0: not issued; negative: the client   worker, before the call
               was idle before it, so a late start is the tester's fault
      end      int64  monotonic ns; 0: not finished; negative: drained    worker, last
      code     uint8  see soak.result.slot_code; written unless zero      worker

"Last" relies on stores becoming visible in program order, as x86 gives it.
"""

from dataclasses import dataclass
from itertools import pairwise

MAGIC = 0x736F616B72696E67  # "soakring"
LAYOUT = 1
HEADER_BYTES = 8192
BYTES_PER_SLOT = 5 * 8 + 1
MAX_PHASES = 256
EMPTY = -1
# Later than every moment, so that the load loop needs one comparison to see that something is up.
CLOSED = 1 << 62
WRITTEN_LATE = 1 << 61  # added to a due time that had passed before a free client could see it

SLOTS_WORD, T0_WORD, CLOSING_WORD, PID_WORD, LOST_WORD, CARRIED_WORD = 2, 3, 4, 5, 6, 7
MISSING_WORD = 13
BEGIN_WORD, END_WORD = 256, 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a worker starts from; all zero but for a run that goes on.

    generation: how often it was resumed. first_index: of the operations to come. The counts are the
    oracle's own; is_torn: its file may be older than they are.
    """

    generation: int = 0
    first_index: int = 0
    checked_count: int = 0
    stored_count: int = 0
    deleted_count: int = 0
    is_torn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The worker's view: memoryviews, because one element of numpy costs twice as much."""

    mask: int
    tag: "memoryview[int]"
    due: "memoryview[int]"
    argument: "memoryview[int]"
    start: "memoryview[int]"
    end: "memoryview[int]"
    code: "memoryview[int]"
    header: "memoryview[int]"

    def is_closed(self, index: int) -> bool:
        """The controller has said that there is no operation with this index."""
        return 0 <= self.header[CLOSING_WORD] <= index

    def phase_ns(self, phase: int) -> tuple[int, int]:
        """When a closed phase begins and ends."""
        return self.header[BEGIN_WORD + phase], self.header[END_WORD + phase]


def slots_of(file: "memoryview[int]", count: int) -> Slots:
    """The columns of a mapped ring file with `count` slots."""
    edges = [HEADER_BYTES + column * 8 * count for column in range(6)]
    tag, due, argument, start, end = (file[a:b].cast("q") for a, b in pairwise(edges))
    return Slots(
        mask=count - 1,
        tag=tag,
        due=due,
        argument=argument,
        start=start,
        end=end,
        code=file[edges[-1] :],
        header=file[:HEADER_BYTES].cast("q"),
    )
