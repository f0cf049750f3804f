"""Does memory grow without the records growing? Trend evidence at repeated looks, then gates.

A look takes the run up to a moment: what follows warm-up and filling, cut into blocks; their
medians, with live records as covariate, go to soak/detectors/_trend.py. Evidence alone alarms in
every tenth clean run that is watched, because no noise model is quite true; so at three looks in a
row all gates must hold: evidence, size, no slowing down (a cache that fills), rank correlation, and
an estimate that does not shrink from look to look. Looks are at a quarter of the planned time and
then 1.2 times later each, so the answer depends on the data alone, never on earlier answers.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.detectors._blocks import Blocks, TooShort, cut, rank_correlation, robust_slope
from soak.detectors._trend import Trend, find_trend
from soak.scenario.quantities import Duration, Size
from soak.seams import Evidence, Finding, Floats
from soak.sentences import clock_time, figure
from soak.verdict import Concern, Status

CONCERN = Concern.LEAK
UNIT = "bytes/s"
HOUR_S = 3600.0

FIRST_LOOK_SHARE = 0.25
LOOK_RATIO = 1.2
LOOKS = 3
# Shapes of growth: from the start, from later on, and with the operations instead of with time.
ONSETS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75)
STEEPNESS = np.array([*(1 / (1 - onset) for onset in ONSETS), 1.0])

NO_EVIDENCE = "no evidence of a trend"
# In simulation 6 of 700 clean runs end with it, and a quarter of the leaks of 10 % per hour that
# a quarter of an hour cannot prove.
LIKELY = "a rise is likely, but a longer run is needed to prove it"
UNSETTLED = "but not all records have been replaced yet, and until then memory may settle"
HIDING = "the records grow as evenly as time passes, so a leak cannot be told from them"
# Of an even rise; the one percent left is too little to find anything but an enormous leak.
HIDDEN = 0.99


class Params(BaseModel):
    """column: memory that only the target's own data can grow.

    plus: columns added where they exist, because a swapped page is still held.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    column: str = "anonymous_bytes"
    plus: tuple[str, ...] = Field(("swapped_bytes",), strict=False)
    records: str = Field("live_records", description="What memory may grow with.")
    evidence: float = Field(100.0, gt=1, description="Evidence from which on a trend is real.")
    gain_ratio: float = Field(
        0.005, ge=0, description="Growth over the window, of the memory held, to be a leak."
    )
    gain: Size = Field(1 << 20, description="And at least these bytes.")
    lasting: float = Field(
        0.7, description="Slope of the second half, of the first's, to be no cache that fills."
    )
    correlation: float = Field(0.5, description="Rank correlation of the blocks with time.")
    steady: float = Field(0.85, description="An estimate must keep this share to the next look.")
    min_window: Duration = Field(300.0, description="With less after warm-up it is unknown.")
    min_blocks: int = Field(12, ge=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One moment's view. refused: the first gate that did not hold, empty when all did."""

    blocks: Blocks
    trend: Trend
    refused: str

    @property
    def bytes_per_s(self) -> float:
        return self.trend.speed / self.blocks.span_s

    @property
    def interval(self) -> tuple[float, float]:
        low, high = self.trend.interval
        return low / self.blocks.span_s, high / self.blocks.span_s


def detect(evidence: Evidence, params: Params) -> Finding:
    """Fail when three looks in a row find a leak; effect and interval in bytes per second."""
    absent = [c for c in (params.column, params.records) if c not in evidence.columns]
    if absent:
        reason = f"{' and '.join(absent)} not measured, so a leak cannot be told from growth"
        return Finding(status=Status.UNKNOWN, reason=reason, unit=UNIT)
    try:
        last = look(evidence, params, float(evidence.columns["t_s"][-1]))
    except TooShort as error:
        return Finding(status=Status.UNKNOWN, reason=str(error), unit=UNIT)
    looks = [*_earlier(evidence, params), last]
    refused = _refused(looks, params)
    if refused == NO_EVIDENCE:
        refused = _why_no_evidence(last, params)
    status = Status.FAIL if not refused else _status_without_alarm(last, refused)
    return Finding(
        status=status,
        reason=_sentence(evidence, params, last, refused),
        effect=last.bytes_per_s,
        threshold=_smallest_gain(last.blocks, params) / last.blocks.span_s,
        unit=UNIT,
        since_s=_onset_s(last) if status is Status.FAIL else None,
        interval=last.interval,
    )


def look_times(planned_s: float, now_s: float) -> list[float]:
    """The looks before now, the last LOOKS - 1 of them; now itself is one more."""
    times = []
    at_s = planned_s * FIRST_LOOK_SHARE
    # One that is as good as now would count the same data twice.
    while 0 < at_s < now_s / LOOK_RATIO**0.5:
        times.append(at_s)
        at_s *= LOOK_RATIO
    return times[-(LOOKS - 1) :]


def look(evidence: Evidence, params: Params, until_s: float) -> Look:
    """What the run up to until_s says. Raises TooShort."""
    blocks = cut(evidence, params, until_s)
    shapes = _shapes(blocks)
    trend = find_trend(blocks.held, blocks.covariates, shapes, STEEPNESS[: shapes.shape[1]])
    return Look(blocks=blocks, trend=trend, refused=_gate(blocks, trend, params))


def _earlier(evidence: Evidence, params: Params) -> list[Look]:
    now_s = float(evidence.columns["t_s"][-1])
    looks = []
    for at_s in look_times(evidence.planned_s, now_s):
        try:
            looks.append(look(evidence, params, at_s))
        except TooShort:
            continue
    return looks


def _shapes(blocks: Blocks) -> Floats:
    """Rises from 0 to 1, shape (n, k): by time for each onset, then by operations if known."""
    share = np.linspace(0.0, 1.0, blocks.held.size)
    shapes = [np.maximum(share - onset, 0) / (1 - onset) for onset in ONSETS]
    done = blocks.operations
    if done is not None and done[-1] > done[0]:
        shapes.append((done - done[0]) / (done[-1] - done[0]))
    return np.column_stack(shapes)


def _gate(blocks: Blocks, trend: Trend, params: Params) -> str:
    """Why this look finds no leak; empty when it does."""
    if trend.evidence < params.evidence:
        return NO_EVIDENCE
    if trend.gain < _smallest_gain(blocks, params):
        return f"the rise of {figure(trend.gain, 'bytes')} is too small to matter"
    half = trend.adjusted.size // 2
    first, second = robust_slope(trend.adjusted[:half]), robust_slope(trend.adjusted[-half:])
    if second <= 0 or second < params.lasting * first:
        return "the growth slows down, like a cache that fills"
    if rank_correlation(trend.adjusted) < params.correlation:
        return "the rise is not steady"
    if not blocks.is_settled and trend.gain < _unsettled_bytes(blocks):
        return UNSETTLED
    return ""


def _unsettled_bytes(blocks: Blocks) -> float:
    """What memory may gain before all records were replaced: as much again as what was stored."""
    if math.isnan(blocks.stored_count):
        return 0.0
    return blocks.stored_count * blocks.typical / max(1.0, blocks.live_count)


def _refused(looks: list[Look], params: Params) -> str:
    """Why there is no alarm; empty for an alarm. looks: oldest first."""
    if looks[-1].refused:
        return looks[-1].refused
    in_a_row = next((i for i, one in enumerate(reversed(looks)) if one.refused), len(looks))
    if in_a_row < LOOKS:
        return f"seen at {in_a_row} of {LOOKS} looks in a row so far"
    if any(_shrinks(before.trend, after.trend, params) for before, after in pairwise(looks)):
        return "the estimate shrinks as the run goes on"
    return ""


def _shrinks(before: Trend, after: Trend, params: Params) -> bool:
    # With its error's benefit: where a leak began is known to a step of ONSETS only, and the
    # speed jumps by a tenth when another of them fits best.
    return after.speed + after.speed_error < params.steady * before.speed


def _status_without_alarm(last: Look, refused: str) -> Status:
    """Unknown where a leak could not be seen, or is seen but not confirmed by earlier looks."""
    is_open = refused in (HIDING, LIKELY, UNSETTLED) or not last.refused
    return Status.UNKNOWN if is_open else Status.PASS


def _why_no_evidence(last: Look, params: Params) -> str:
    """A rise that is likely, or that could not be seen, is not the same as none."""
    if hidden_ratio(last.blocks) > HIDDEN:
        return HIDING
    is_large = last.trend.gain > _smallest_gain(last.blocks, params)
    return LIKELY if is_large and last.interval[0] > 0 else NO_EVIDENCE


def _smallest_gain(blocks: Blocks, params: Params) -> float:
    return max(params.gain, params.gain_ratio * blocks.typical)


def hidden_ratio(blocks: Blocks) -> float:
    """How much of an even rise the covariates could take for their own, 0 to 1 (R squared)."""
    rise = np.linspace(-1.0, 1.0, blocks.held.size)
    coefficients = np.linalg.lstsq(blocks.covariates, rise, rcond=None)[0]
    left = rise - blocks.covariates @ coefficients
    return 1 - float((left**2).sum() / (rise**2).sum())


def _onset_s(last: Look) -> float:
    """Where the best shape begins to rise."""
    onsets = (*ONSETS, 0.0)
    return last.blocks.start_s + onsets[last.trend.best_shape] * last.blocks.span_s


def _sentence(evidence: Evidence, params: Params, last: Look, refused: str) -> str:
    name = params.column.replace("_", " ")
    low, high = (figure(bound * HOUR_S, "bytes") for bound in last.interval)
    rate = figure(last.bytes_per_s * HOUR_S, "bytes")
    if refused:
        return (
            f"{name} beyond what {params.records.replace('_', ' ')} explain: {rate} per hour "
            f"({low} to {high}); {refused}"
        )
    onset_s = _onset_s(last)
    since = clock_time(onset_s) + (" or before" if onset_s == last.blocks.start_s else "")
    return (
        f"{name} grow by {rate} per hour ({low} to {high}) beyond what "
        f"{params.records.replace('_', ' ')} explain, since {since}"
        f"{_per_operation(last)}{_exhaustion(evidence, last)}"
    )


def _per_operation(last: Look) -> str:
    done = last.blocks.operations
    if done is None or done[-1] <= done[0]:
        return ""
    return f", {figure(last.trend.gain / float(done[-1] - done[0]), 'bytes')} per operation"


def _exhaustion(evidence: Evidence, last: Look) -> str:
    """When the memory limit will be reached at this rate, where the host sampler tells it."""
    limit = evidence.columns.get("host_limit_bytes", np.empty(0))
    limit = limit[np.isfinite(limit)]
    if not limit.size or last.bytes_per_s <= 0:
        return ""
    left = float(limit[-1]) - float(last.blocks.held[-1])
    if left <= 0:
        return ""
    return (
        f"; the limit of {figure(float(limit[-1]), 'bytes')} is reached in "
        f"{figure(left / last.bytes_per_s, 's')}"
    )
