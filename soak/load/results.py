"""What became of operations? The columns that come out of the ring."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What became of operations; columns of equal length, copies that outlive the ring.

    is_idle: the client had waited for the operation, so start - due is the tester's own lateness.
    """

    index: Integers
    operation: Bytes
    phase: Bytes
    due_ns: Integers
    argument: Integers
    start_ns: Integers
    end_ns: Integers
    code: Bytes
    is_idle: NDArray[np.bool_]

    def __len__(self) -> int:
        return self.index.size


def joined(parts: list[Results]) -> Results:
    """All rows of the parts, in order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return NOTHING
    columns = Results.__dataclass_fields__
    return Results(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in columns})


def selected(results: Results, is_wanted: NDArray[np.bool_]) -> Results:
    """The rows where is_wanted, shape (n,)."""
    columns = Results.__dataclass_fields__
    return Results(**{name: getattr(results, name)[is_wanted] for name in columns})


_INTEGERS = np.zeros(0, dtype=np.int64)
_BYTES = np.zeros(0, dtype=np.uint8)
NOTHING = Results(
    index=_INTEGERS,
    operation=_BYTES,
    phase=_BYTES,
    due_ns=_INTEGERS,
    argument=_INTEGERS,
    start_ns=_INTEGERS,
    end_ns=_INTEGERS,
    code=_BYTES,
    is_idle=np.zeros(0, dtype=np.bool_),
)
