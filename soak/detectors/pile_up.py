"""Do open files or threads pile up? A sign test on the floors of what is counted.

Counts step and cycle, so no model of noise fits them. The run after warm-up is cut into 10, 14, 20
and 28 blocks; of each the floor (the tenth percentile) is taken. Without a trend a floor that
changes is as likely to rise as to fall, whatever the sizes; the evidence is the mean over
probabilities p from a half to one of (2p)^rises (2 - 2p)^falls, averaged over the four ways.
"""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.detectors._stretch import of_one_process
from soak.scenario.quantities import Duration
from soak.seams import Evidence, Finding, Floats
from soak.sentences import clock_time, count, figure
from soak.verdict import Concern, Status

CONCERN = Concern.LEAK
BLOCKS = (10, 14, 20, 28)
FLOOR = 0.1
SKIPPED_RATIO = 0.2
CHANCES = np.linspace(0.5, 1.0, 101)


class Params(BaseModel):
    """gain: a rise of the floor below this is no leak, however steady."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    column: str = Field("open_fds", description="What is counted: open_fds, threads, disk_files.")
    gain: float = Field(10.0, gt=0, description="Rise over the window, at least.")
    evidence: float = Field(100.0, gt=1, description="Evidence from which on a rise is real.")
    min_window: Duration = Field(300.0, description="With less after warm-up it is unknown.")


def detect(evidence: Evidence, params: Params) -> Finding:
    """Pass, fail or unknown; the effect is the rise per hour, without a gap in it."""
    stretch = of_one_process(evidence)
    finding = _of_stretch(stretch.evidence, params)
    return replace(finding, reason=finding.reason + stretch.said)


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
    ways = [floors(values, number) for number in BLOCKS]
    rise = float(ways[0][-1] - ways[0][0])
    seen = float(np.mean([evidence_of(way) for way in ways]))
    refused = _refused(ways[0], rise, seen, params)
    per_hour = 3600 * rise / (length_s * (1 - 1 / BLOCKS[0]))
    said = f"{name} went from {count(ways[0][0])} to {count(ways[0][-1])} at the floor"
    return Finding(
        status=Status.PASS if refused else Status.FAIL,
        reason=f"{said}; {refused}"
        if refused
        else f"{said}, {figure(per_hour, '')} per hour, since {clock_time(start_s)} or before",
        effect=per_hour,
        unit="per hour",
        since_s=None if refused else start_s,
        details={"evidence": seen / (1 + seen)},
    )


def floors(values: Floats, number: int) -> Floats:
    """The tenth percentile of each of so many blocks, a value that was really counted."""
    edges = np.linspace(0, values.size, number + 1).astype(np.int64)
    parts = (np.sort(values[i:j]) for i, j in pairwise(edges))
    return np.array([part[int(FLOOR * part.size)] for part in parts])


def evidence_of(way: Floats) -> float:
    """Against rises and falls alike; 1 where nothing changes."""
    changes = np.diff(way)
    rises, falls = int((changes > 0).sum()), int((changes < 0).sum())
    likely = (2 * CHANCES) ** rises * (2 - 2 * CHANCES) ** falls
    return float(np.trapezoid(likely, CHANCES) / 0.5)


def _refused(way: Floats, rise: float, seen: float, params: Params) -> str:
    """Why this is no leak; empty when it is."""
    if seen < params.evidence:
        return "no evidence of a trend"
    if rise < params.gain:
        return "the rise is too small to matter"
    half = math.floor(way.size / 2)
    first, second = way[half] - way[0], way[-1] - way[half]
    return "the rise slows down" if second < 0.5 * first else ""
