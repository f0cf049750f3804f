"""How often did everything stand still, how long, and when? From the longest call per window."""

from dataclasses import dataclass, replace

import numpy as np

from soak.detectors._course import SPEED
from soak.detectors._stretch import unspoilt
from soak.seams import Evidence, Finding
from soak.sentences import clock_time, count, figure
from soak.verdict import Status

LONGEST = "stall_s_max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalls:
    """Windows with a call of at least that length, neighbouring ones taken together.

    first_s, last_s: since the start; none where nothing stalled.
    """

    number: int
    longest_s: float = 0.0
    first_s: float | None = None
    last_s: float | None = None

    def details(self) -> dict[str, float | str]:
        if self.first_s is None or self.last_s is None:
            return {"stalls": 0.0}
        return {
            "stalls": float(self.number),
            "stall_longest_s": self.longest_s,
            "stall_first_s": self.first_s,
            "stall_last_s": self.last_s,
        }

    def said(self, allowed: int | None) -> str:
        """The end of a sentence; empty where nothing stalled."""
        if self.first_s is None or self.last_s is None:
            return ""
        times = "stall" if self.number == 1 else "stalls"
        text = f"; {count(self.number)} {times}, the longest {figure(self.longest_s, 's')}, "
        text += f"the first at {clock_time(self.first_s)}"
        if self.number > 1:
            text += f", the last at {clock_time(self.last_s)}"
        return text + ("" if allowed is None else f" ({count(allowed)} allowed)")


def stalls_of(evidence: Evidence, least_s: float) -> Stalls | None:
    """After warm-up; None where no window told. A stall that is longer than a window shows when its
    call comes back. While the tester stood still every call seemed to."""
    longest = evidence.columns.get(LONGEST)
    if longest is None:
        return None
    t_s, longest = evidence.columns["t_s"], unspoilt(evidence, longest)
    seen = np.isfinite(longest) & (t_s > evidence.warm_until_s)
    if not seen.any():
        return None
    t_s, longest = t_s[seen], longest[seen]
    is_stall = longest >= least_s
    begins = np.flatnonzero(is_stall & ~np.append(False, is_stall[:-1]))
    if not begins.size:
        return Stalls(number=0)
    return Stalls(
        number=begins.size,
        longest_s=float(longest[is_stall].max()),
        first_s=float(t_s[begins[0]]),
        last_s=float(t_s[begins[-1]]),
    )


def too_many(stalls: Stalls, allowed: int, series: Finding) -> Finding:
    """The finding of a series that has not failed, with its stalls deciding.

    They are times, whatever the series measures, so the machine may have had a part in them.
    """
    return replace(
        series,
        status=Status.FAIL,
        reason=f"{stalls.said(allowed).removeprefix('; ')}; {series.reason}",
        effect=float(stalls.number),
        threshold=float(allowed),
        unit="stalls",
        since_s=stalls.first_s,
        interval=None,
        details={**series.details, **stalls.details(), "measures": SPEED},
    )
