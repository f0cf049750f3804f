"""What became of an operation: its code, its outcome, and which promise was broken."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TypeVar

# The position is the code in the slot ring, in windows.csv order and in every array indexed by
# operation; append only. A name here is a file in soak/operations/.
OPERATIONS = (
    "store",
    "store_batch",
    "get",
    "search",
    "update",
    "delete",
    "scan",
    "link",
    "traverse",
    "maintain",
    "reopen",
    "transition",
)


class Outcome(IntEnum):
    """How an operation ended. VOID never leaves the drain: it was scheduled but not issued."""

    OK = 0
    MISSING = 1  # not there, and it was allowed not to be
    WRONG = 2  # the oracle was contradicted
    ERROR = 3  # the target raised
    TIMEOUT = 4  # took longer than the scenario's limit, or never came back
    VOID = 5


OUTCOMES = ("ok", "missing", "wrong", "error", "timeout")


class Violation(StrEnum):
    """Which promise a wrong answer broke; the code in a slot's detail byte is the position + 1."""

    LOST = "lost"  # acknowledged and never to be forgotten, yet not found
    PINNED_LOST = "pinned_lost"  # the same for a pinned record
    STALE = "stale"  # an older version of the record came back
    CORRUPT = "corrupt"  # content that was never written under this key
    RESURRECTED = "resurrected"  # found after an acknowledged delete
    BLEED = "bleed"  # another agent's record in a filtered answer
    DISORDER = "disorder"  # hits not best first, doubled, or more than asked for
    GHOST = "ghost"  # a hit or neighbour that was never stored


VIOLATIONS = tuple(Violation)

# A slot's code byte: the outcome in the low three bits, its detail (violation or error class,
# 0 to 31) above. Zero is the common case, and the load loop does not even write it.
DETAIL_SHIFT = 3
OUTCOME_MASK = 7
MAX_ERROR_CLASSES = 31


# What is the interpreter's own and never an answer of the target's. All else that is no Exception
# is: a panic of Rust derives from BaseException, that no Python code may swallow it by mistake.
EXITS = (KeyboardInterrupt, SystemExit, GeneratorExit)

Request = TypeVar("Request")
Answer = TypeVar("Answer")


def slot_code(outcome: Outcome, detail: int = 0) -> int:
    """The byte that stands in the slot for an outcome and its detail."""
    return int(outcome) | detail << DETAIL_SHIFT


def violation_code(violation: Violation) -> int:
    """The byte for a wrong answer that broke this promise."""
    return slot_code(Outcome.WRONG, VIOLATIONS.index(violation) + 1)


class TargetError(Exception):
    """The target failed an operation; counted as an outcome, never ends the run."""


class TargetUnavailable(TargetError):
    """The target cannot start, or is gone for good; ends the run with exit code 14."""


class CapacityRefused(TargetError):
    """The target is full and says so; reads go on."""


class RecordMissing(TargetError):
    """An update, delete or link named a record the target does not hold; judged by the oracle."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What the target raised."""

    error: Exception


def attempt(call: Callable[[Request], Answer], request: Request) -> Answer | Failure:
    """The target's answer, or a Failure when it raised: that is an outcome, too."""
    try:
        return call(request)
    except Exception as error:
        # The traceback would keep alive whatever the target had in hand.
        return Failure(error.with_traceback(None))
    except EXITS:
        raise
    except BaseException as panic:
        told = TargetError(f"{type(panic).__name__}: {panic}")
        told.__cause__ = panic.with_traceback(None)
        return Failure(told)
