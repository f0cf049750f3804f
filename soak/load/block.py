"""What is a stretch of the schedule? Operations that were drawn together, in one phase."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soak.seams import Floats

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of the schedule within one phase; arrays of equal length.

    due_s: seconds since time zero, ascending; in a closed phase (is_open False) the seconds to
    wait after the client became free. begin_s and end_s bound the phase.
    """

    phase: int
    is_open: bool
    begin_s: float
    end_s: float
    due_s: Floats
    operation: Bytes
    argument: Integers

    def __len__(self) -> int:
        return self.due_s.size
