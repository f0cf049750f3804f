"""What is the highest rate that still keeps the objectives? Found by trials."""

import math
from collections.abc import Callable
from dataclasses import dataclass

# Far steps at first: a target's limit may be anywhere.
STEP = 4.0
# Rates this close cannot be told apart by one trial each.
CLOSE = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """The highest rate that held and the lowest above it that did not, per second.

    kept is 0 where none held; lost is infinite where all did.
    """

    kept_per_s: float
    lost_per_s: float


def highest_rate(
    holds: Callable[[float], bool],
    *,
    first_per_s: float,
    least_per_s: float,
    most_per_s: float,
    trials_count: int,
) -> Bracket:
    """Between least and most, by at most that many trials, from first on; holds(rate) runs one.

    Steps of STEP until one holds and one does not, then halves on a logarithmic scale until CLOSE.
    """
    assert 0 < least_per_s <= first_per_s <= most_per_s
    kept_per_s, lost_per_s = 0.0, math.inf
    for _ in range(trials_count):
        if kept_per_s == 0 and math.isinf(lost_per_s):
            rate_per_s = first_per_s
        elif kept_per_s == 0:
            rate_per_s = max(least_per_s, lost_per_s / STEP)
        elif math.isinf(lost_per_s):
            rate_per_s = min(most_per_s, kept_per_s * STEP)
        else:
            rate_per_s = math.sqrt(kept_per_s * lost_per_s)
        if holds(rate_per_s):
            kept_per_s = rate_per_s
        else:
            lost_per_s = rate_per_s
        is_close = lost_per_s <= kept_per_s * CLOSE
        if is_close or kept_per_s >= most_per_s or lost_per_s <= least_per_s:
            break
    return Bracket(kept_per_s=kept_per_s, lost_per_s=lost_per_s)
