"""Do open files or threads pile up? A sign test on the floors of what is counted.

Counts step and cycle, so no model of noise fits them. The run after warm-up is cut into 10, 14, 20
and 28 blocks of equal time; of each the floor (the tenth percentile) is taken. Without a trend a
floor that changes is as likely to rise as to fall, whatever the sizes; the evidence is the mean
over probabilities p from a half to one of (2p)^rises (2 - 2p)^falls, averaged over the four ways.

What began late rises in a few blocks of the whole only, so the last half and the last quarter are
asked as well. Their evidence is no proof, because what comes and goes rises for as long now and
then; but it is no pass either.
"""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.detectors._columns import Column
from soak.detectors._stretch import in_one_process
from soak.scenario.quantities import Duration
from soak.seams import Evidence, Finding, Floats
from soak.sentences import clock_time, count, figure
from soak.verdict import Concern, Status

CONCERN = Concern.LEAK
BLOCKS = (10, 14, 20, 28)
FLOOR = 0.1
SKIPPED_RATIO = 0.2
SLOWER = 0.625  # in the second half, beside the first: a pool that fills
CHANCES = np.linspace(0.5, 1.0, 101)
LATE = (0.5, 0.25)  # shares of the window, at its end

NO_EVIDENCE = "no evidence of a trend"
LIKELY = "a rise is likely, but a longer run is needed to prove it"


class Params(BaseModel):
    """gain: a rise of the floor below this is no leak, however steady."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    column: Column = Field(
        "open_fds", description="What is counted: open_fds, threads, disk_files."
    )
    gain: float = Field(10.0, gt=0, description="Rise over the window, at least.")
    evidence: float = Field(100.0, gt=1, description="Evidence from which on a rise is real.")
    min_window: Duration = Field(300.0, description="With less after warm-up it is unknown.")


def detect(evidence: Evidence, params: Params) -> Finding:
    """Pass, fail or unknown; the effect is the rise per hour. Only files on disk outlast a gap."""
    return in_one_process(evidence, params.column, lambda part: _of_stretch(part, params))


def _of_stretch(evidence: Evidence, params: Params) -> Finding:
    values = evidence.columns.get(params.column, np.empty(0))
    name = params.column.replace("_", " ")
    if not values.size:
        return Finding(status=Status.UNKNOWN, reason=f"{params.column} not measured")
    t_s = evidence.columns["t_s"]
    start_s = max(evidence.warm_until_s, SKIPPED_RATIO * float(t_s[-1]))
    chosen = (t_s >= start_s) & ~np.isnan(values)
    t_s, values = t_s[chosen], values[chosen]
    length_s = float(t_s[-1] - t_s[0]) if t_s.size else 0.0
    if length_s < params.min_window or t_s.size < 3 * BLOCKS[-1]:
        needed = figure(params.min_window, "s")
        reason = f"{figure(length_s, 's')} of {name} since warm-up, at least {needed} are needed"
        return Finding(status=Status.UNKNOWN, reason=reason)
    ways = [floors(t_s, values, number) for number in BLOCKS]
    at, way = ways[0]
    rise = float(way[-1] - way[0])
    seen, refused = _refused(ways, params)
    if refused == NO_EVIDENCE and rise >= params.gain and _rises_late(t_s, values, params):
        refused = LIKELY
    per_hour = 3600 * rise / (length_s / BLOCKS[0] * max(1.0, float(at[-1] - at[0])))
    said = f"{name} went from {count(way[0])} to {count(way[-1])} at the floor"
    return Finding(
        status=_status(refused),
        reason=f"{said}; {refused}"
        if refused
        else f"{said}, {figure(per_hour, '')} per hour, since {clock_time(start_s)} or before",
        effect=per_hour,
        unit="per hour",
        since_s=None if refused else start_s,
        details={"evidence": seen / (1 + seen)},
    )


def _status(refused: str) -> Status:
    if not refused:
        return Status.FAIL
    return Status.UNKNOWN if refused == LIKELY else Status.PASS


def _rises_late(t_s: Floats, values: Floats, params: Params) -> bool:
    """Whether the last part, taken by itself, would be a leak."""
    for share in LATE:
        late = t_s >= t_s[-1] - share * (t_s[-1] - t_s[0])
        if late.sum() < 3 * BLOCKS[-1]:
            continue
        ways = [floors(t_s[late], values[late], number) for number in BLOCKS]
        if not _refused(ways, params)[1]:
            return True
    return False


def floors(t_s: Floats, values: Floats, number: int) -> tuple[Floats, Floats]:
    """Which of so many blocks of equal time know a value, and the tenth percentile of each.

    It is a value that was counted. In blocks of equally many values a steady rise would seem to
    slow down where a busy machine had left samples out before.
    """
    place = np.floor(number * (t_s - t_s[0]) / (t_s[-1] - t_s[0]))
    place = np.minimum(place, number - 1)
    at = np.unique(place)
    parts = (np.sort(values[place == one]) for one in at)
    return at, np.array([part[int(FLOOR * part.size)] for part in parts])


def evidence_of(way: Floats) -> float:
    """Against rises and falls alike; 1 where nothing changes."""
    changes = np.diff(way)
    rises, falls = int((changes > 0).sum()), int((changes < 0).sum())
    likely = (2 * CHANCES) ** rises * (2 - 2 * CHANCES) ** falls
    return float(np.trapezoid(likely, CHANCES) / 0.5)


def _refused(ways: Sequence[tuple[Floats, Floats]], params: Params) -> tuple[float, str]:
    """The evidence, and why this is no leak; empty when it is. ways: as BLOCKS, each of floors."""
    seen = float(np.mean([evidence_of(way) for _, way in ways]))
    at, way = ways[0]
    if seen < params.evidence:
        return seen, NO_EVIDENCE
    if way[-1] - way[0] < params.gain:
        return seen, "the rise is too small to matter"
    half = way.size // 2
    first = (way[half] - way[0]) / (at[half] - at[0])
    second = (way[-1] - way[half]) / (at[-1] - at[half])
    return seen, "the rise slows down" if second < SLOWER * first else ""
