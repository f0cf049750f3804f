"""What does one client do? Claim a slot, wait until it is due, issue, check, leave the result.

The load loop is the heart of the tester. It allocates nothing that stays, takes no lock, and keeps
three times apart: when the operation was due, when it was issued, when it was answered.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

from soak.clock import NS_PER_S, monotonic_ns, sleep_s
from soak.load.slots import CLOSED, MAX_PHASES, WRITTEN_LATE, Slots
from soak.result import EXITS, MAX_ERROR_CLASSES, Outcome, TargetUnavailable, slot_code
from soak.seams import Operation

# A client sleeps at most this long at a stretch, so that it hears of the end of the run.
NAP_S = 0.05
POLL_S = 0.0005
TEXT_LENGTH = 200
VOID = slot_code(Outcome.VOID)

# prepare, call, check, abandon, phase
Steps: TypeAlias = tuple[
    Callable[[int, int], object],
    Callable[[object], object],
    Callable[[object, object, int], int],
    Callable[[object], None],
    int,
]


class Stop:
    """Asks all clients to end after the operation in hand. Set once, by any thread."""

    __slots__ = ("asked", "is_over", "unavailable")

    def __init__(self) -> None:
        self.asked = False
        self.is_over = False  # the target is closed, too
        self.unavailable = ""  # the target's own words when it is gone for good


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One kind of error: the code in a slot's detail, the type's name, the first one's text."""

    index: int
    type: str
    text: str


class ErrorClasses:
    """Which errors the target has raised, at most MAX_ERROR_CLASSES kinds; 0 stands for others."""

    def __init__(self, known: Iterable[ErrorClass] = ()) -> None:
        """known: those of the workers before, in order of their index, from 1 on."""
        self._found = {found.type: found for found in known}
        self.known_count = len(self._found)
        self._lock = Lock()

    def index_of(self, error: BaseException) -> int:
        """The class of this error, 1 to MAX_ERROR_CLASSES; 0 when there are too many kinds."""
        cause = error.__cause__ or error
        name = type(cause).__name__
        with self._lock:
            known = self._found.get(name)
            if known is None and len(self._found) < MAX_ERROR_CLASSES:
                text = str(error)[:TEXT_LENGTH]
                known = ErrorClass(len(self._found) + 1, name, text)
                self._found[name] = known
        return known.index if known else 0

    def after(self, index: int) -> list[ErrorClass]:
        """The classes above that index, in order of appearance."""
        with self._lock:
            return list(self._found.values())[index:]


def run_client(
    slots: Slots,
    operations: Mapping[int, Operation],
    claims: Iterator[int],
    stop: Stop,
    errors: ErrorClasses,
) -> None:
    """Issue operations until the run is over or stop is asked; one call per client thread.

    operations: by operation code. claims: indices in order, each given to one thread only, as
    itertools.count does. What prepare, check or abandon raise is a bug of the tester and passes
    through.
    """
    table = _steps_by_tag(operations)
    mask, tags, dues, arguments = slots.mask, slots.tag, slots.due, slots.argument
    starts, ends, codes = slots.start, slots.end, slots.code
    end_ns = monotonic_ns()
    for index in claims:
        if stop.asked:
            return
        slot = index & mask
        tag = tags[slot]
        if tag >> 16 != index:
            if not _is_written(slots, index, stop):
                return
            tag = tags[slot]
        due_ns = dues[slot]
        # Thousands are left of a closed phase: to prepare each would last into the next one.
        if due_ns >= CLOSED and _is_over(slots, slot):
            continue
        prepare, call, check, abandon, phase = table[tag & 0xFFFF]
        request = prepare(arguments[slot], phase)
        start_ns = monotonic_ns()
        if due_ns <= start_ns:
            starts[slot] = start_ns
        else:
            start_ns = _wait_for_turn(slots, index, end_ns, stop)
            if start_ns <= 0:
                abandon(request)
                continue
        # `attempt`, written out: a call more costs 25 ns of the 400 an operation may.
        try:
            answer = call(request)
        except EXITS:
            raise
        except BaseException as error:
            end_ns = monotonic_ns()
            codes[slot] = _failure_code(error, stop, errors)
            abandon(request)
        else:
            end_ns = monotonic_ns()
            code = check(request, answer, start_ns)
            if code:
                codes[slot] = code
        ends[slot] = end_ns


def _steps_by_tag(operations: Mapping[int, Operation]) -> dict[int, Steps]:
    """The bound methods of every pair of phase and operation: one look-up in the loop, not five."""
    return {
        phase << 8 | code: (o.prepare, o.call, o.check, o.abandon, phase)
        for phase in range(MAX_PHASES)
        for code, o in operations.items()
    }


def _failure_code(error: BaseException, stop: Stop, errors: ErrorClasses) -> int:
    if isinstance(error, TargetUnavailable):
        stop.unavailable = str(error)
        stop.asked = True
    return slot_code(Outcome.ERROR, errors.index_of(error))


def _is_over(slots: Slots, slot: int) -> bool:
    """Whether the slot's phase has ended; it is then marked as not issued."""
    now_ns = monotonic_ns()
    if now_ns < slots.phase_ns(slots.tag[slot] >> 8 & 255)[1]:
        return False
    slots.code[slot] = VOID
    slots.end[slot] = now_ns
    return True


def _is_written(slots: Slots, index: int, stop: Stop) -> bool:
    """Wait until the slot holds this index; False when the run has no such operation.

    An operation that was due before it was written is late by the tester's own fault, and marked.
    """
    tags, slot = slots.tag, index & slots.mask
    while tags[slot] >> 16 != index:
        if stop.asked or slots.is_closed(index):
            return False
        sleep_s(POLL_S)
    if slots.due[slot] <= monotonic_ns():
        slots.due[slot] += WRITTEN_LATE
    return True


def _wait_for_turn(slots: Slots, index: int, free_ns: int, stop: Stop) -> int:
    """Sleep until the operation is due and mark it issued; returns the start, 0 for "do not".

    free_ns: when this client finished its last operation. A closed loop is due when its client
    has waited and is ready to send, so what the tester itself takes to prepare is not in there.
    """
    slot = index & slots.mask
    due_ns = slots.due[slot]
    now_ns = monotonic_ns()
    if due_ns >= CLOSED:
        begin_ns, end_ns = slots.phase_ns(slots.tag[slot] >> 8 & 255)
        due_ns = max(free_ns + due_ns - CLOSED, begin_ns, now_ns)
        if due_ns >= end_ns:
            slots.code[slot] = VOID
            slots.end[slot] = now_ns
            return 0
        slots.due[slot] = due_ns
        if due_ns <= now_ns:
            slots.start[slot] = due_ns
            return due_ns
    elif due_ns >= WRITTEN_LATE:
        due_ns -= WRITTEN_LATE
        slots.due[slot] = due_ns
    while now_ns < due_ns:
        if stop.asked or slots.is_closed(index):
            return 0
        sleep_s(min((due_ns - now_ns) / NS_PER_S, NAP_S))
        now_ns = monotonic_ns()
    slots.start[slot] = -now_ns
    return now_ns
