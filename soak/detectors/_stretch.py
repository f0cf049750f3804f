"""Which part of a run is one piece? A gap ends a process of the target, a standstill spoils times.

A gap has no length in run time: the run was resumed. In a standstill run time went on, and what
fell due meanwhile came late; so does the rest until that has been caught up, for which as long
again is allowed: a target that is asked for half of what it can do has then done it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from soak.seams import Evidence, Finding, Floats
from soak.sentences import clock_time, count
from soak.verdict import Status

# What the next process finds as the last one left it, so a gap does not end its growth.
OUTLASTING = ("disk_", "live_records", "tombstone")
# Of what follows warm-up. What can be seen in a share of the time is as much larger as the share is
# smaller; the detectors' first looks are at a quarter of the planned time, too.
LEAST_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What is judged of a run. share: of what follows warm-up. said: which part it is, as the end
    of a sentence; empty: all."""

    evidence: Evidence
    share: float
    said: str


def spans_gap(evidence: Evidence, begins_s: Floats, ends_s: Floats) -> NDArray[np.bool_]:
    """Which of these stretches, shape (n,), have a gap in them or part of a standstill."""
    found = np.zeros(ends_s.size, dtype=np.bool_)
    for gap_s in evidence.gaps_s:
        found |= (begins_s < gap_s) & (ends_s > gap_s)
    for from_s, to_s in evidence.standstills_s:
        found |= (begins_s < to_s + (to_s - from_s)) & (ends_s > from_s)
    return found


def unspoilt(evidence: Evidence, values: Floats) -> Floats:
    """The same with nan for figures that tell of a gap or a standstill, too.

    values: a figure per window, at its end, and nan in between; in a long run each stands for
    several windows, in the middle of them.
    """
    at = np.flatnonzero(np.isfinite(values))
    t_s = evidence.columns["t_s"][at]
    length_s = np.diff(t_s, prepend=2 * t_s[:1] - t_s[1:2]) if t_s.size > 1 else np.zeros(t_s.size)
    is_spoilt = spans_gap(evidence, t_s - length_s, t_s + length_s / 2)
    kept = values.copy()
    kept[at[is_spoilt]] = np.nan
    return kept


def spoilt_until_s(evidence: Evidence, until_s: float) -> float:
    """Until when, at most until_s, figures are left out for a standstill; 0: none are."""
    ends_s = (2 * to_s - from_s for from_s, to_s in evidence.standstills_s if from_s < until_s)
    return min(until_s, max(ends_s, default=0.0))


def left_out(evidence: Evidence) -> str:
    """The end of a sentence that says why something is missing; empty where nothing need be."""
    number = len(evidence.standstills_s)
    if not number:
        return ""
    times = "once" if number == 1 else f"{count(number)} times"
    return f"; the tester stood still {times}, and what was measured then is left out"


def in_one_process(
    evidence: Evidence, column: str, judge: Callable[[Evidence], Finding]
) -> Finding:
    """What judge finds in the longest stretch without a gap; a small share of the run is no pass.

    A column that outlasts the process is judged in the whole run.
    """
    if column.startswith(OUTLASTING):
        return judge(evidence)
    stretch = of_one_process(evidence)
    finding = judge(stretch.evidence)
    reason = finding.reason + stretch.said
    if finding.status is not Status.PASS or stretch.share >= LEAST_SHARE:
        return replace(finding, reason=reason)
    reason += (
        f", which is {stretch.share:.0%} of what follows warm-up; "
        f"at least {LEAST_SHARE:.0%} are needed to pass"
    )
    return replace(finding, status=Status.UNKNOWN, reason=reason)


def of_one_process(evidence: Evidence) -> Stretch:
    """The longest stretch without a gap in it, after warm-up: what a new process holds is no growth
    of the old one's, and what it fills at first is no leak."""
    t_s = evidence.columns.get("t_s")
    if not evidence.gaps_s or t_s is None or not t_s.size:
        return Stretch(evidence=evidence, share=1.0, said="")
    warm_s = evidence.warm_until_s
    edges = sorted({0.0, *evidence.gaps_s, max(float(t_s[-1]), *evidence.gaps_s)})
    begin_s, end_s = max(pairwise(edges), key=lambda pair: pair[1] - max(pair[0], warm_s))
    length_s, whole_s = end_s - max(begin_s, warm_s), edges[-1] - warm_s
    inside = (t_s > begin_s) & (t_s <= end_s)
    if not inside.any():
        inside[-1] = True
    said = (
        f"; the run was interrupted, so this is about {clock_time(begin_s)} to "
        f"{clock_time(end_s)} alone, the longest time with one process of the target"
    )
    judged = replace(
        evidence,
        columns={name: column[inside] for name, column in evidence.columns.items()},
        warm_until_s=max(warm_s, begin_s),
    )
    return Stretch(evidence=judged, share=length_s / whole_s if whole_s > 0 else 1.0, said=said)
