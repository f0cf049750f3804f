"""Does memory grow without the records growing? Trend evidence at repeated looks, then gates.

A look takes the run up to a moment: what follows warm-up and filling, cut into blocks in nine ways
(soak/detectors/_blocks.py); each goes with its covariates to soak/detectors/_trend.py, and the mean
of their evidence counts, which is evidence again. It is evidence against memory that stays and
against caches that would fill within the planned time: in simulation nine of ten single looks
that are wrong without that are right with it. No noise model is quite true, so at two looks in a
row, or three for a late onset, all gates must hold: evidence, seven of the nine ways agreeing,
size, no slowing down, rank correlation, and an estimate that does not shrink from look to look.
Looks are at a quarter of the planned time and then 1.12 times later each, so the answer depends on
the data alone, never on earlier answers. What this finds and how often it is wrong: `soak
scorecard`.
"""

import math
from itertools import pairwise

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.detectors._account import (
    DISK,
    ONSETS,
    TIME,
    Look,
    account,
    detectable_bytes_per_s,
    even_rise,
    hidden_ratio,
    said,
)
from soak.detectors._blocks import Blocks, TooShort, cut, rank_correlation, robust_slope
from soak.detectors._columns import Column
from soak.detectors._stretch import in_one_process
from soak.detectors._trend import TINY, Trend, find_trend, log_mean
from soak.scenario.quantities import Duration, Size
from soak.seams import Evidence, Finding, Floats
from soak.sentences import clock_time, figure
from soak.verdict import Concern, Status

CONCERN = Concern.LEAK
# Asked no more often: growth is a matter of minutes at least, and a look costs ten milliseconds.
PERIOD_S = 60.0
UNIT = "bytes/s"
HOUR_S = 3600.0

FIRST_LOOK_SHARE = 0.25
LOOK_RATIO = 1.12
# Of the ways to cut; what only some of them see is noise that they happen to follow.
AGREEING = 0.75
LOOKS = 2
# One step looks like a leak that began late, until it is seen that nothing follows.
LATE = 0.45
LATE_LOOKS = 3

NO_EVIDENCE = "no evidence of a trend"
LIKELY = "a rise is likely, but a longer run is needed to prove it"
SLOWS = "the growth slows down, like a cache that fills"
UNSETTLED = "but not all records have been replaced yet, and until then memory may settle"
UNSTEADY = "the rise is not steady"
UNSEEN = "the figure strays too much to tell a leak from what is held"
HIDING = "the records grow as evenly as time passes, so a leak cannot be told from them"
# Of an even rise; the one percent left is too little to find anything but an enormous leak.
HIDDEN = 0.99
# Of memory held: who could have missed as much again over the window has not looked. Of 180 clean
# hours in simulation 122 pass without this and 117 with it; 106 with half of what is held.
BLIND = 1.0


class Params(BaseModel):
    """column: memory that only the target's own data can grow.

    plus: columns added where they exist, because a swapped page is still held.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    column: Column = "anonymous_bytes"
    plus: tuple[Column, ...] = Field(("swapped_bytes",), strict=False)
    records: Column = Field("live_records", description="What memory may grow with.")
    evidence: float = Field(
        10.0, gt=1, description="Evidence from which on a trend is real, and no cache that fills."
    )
    gain_ratio: float = Field(
        0.01, ge=0, description="Growth over the window, of the memory held, to be a leak."
    )
    gain: Size = Field(1 << 20, description="And at least these bytes.")
    lasting: float = Field(
        0.7, description="Slope of the second half, of the first's, to be no cache that fills."
    )
    correlation: float = Field(0.7, description="Rank correlation of the blocks with time.")
    steady: float = Field(0.7, description="An estimate must keep this share to the next look.")
    min_window: Duration = Field(300.0, description="With less after warm-up it is unknown.")
    min_blocks: int = Field(12, ge=8)


def detect(evidence: Evidence, params: Params) -> Finding:
    """Fail when two looks in a row find a leak; effect and interval in bytes per second.

    Of a run with gaps the longest stretch between them is looked at, but for what is on disk.
    """
    return in_one_process(evidence, params.column, lambda part: _of_stretch(part, params))


def _of_stretch(evidence: Evidence, params: Params) -> Finding:
    absent = [c for c in (params.column, params.records) if c not in evidence.columns]
    if absent:
        reason = f"{' and '.join(absent)} not measured, so a leak cannot be told from growth"
        return Finding(status=Status.UNKNOWN, reason=reason, unit=UNIT)
    try:
        last = look(evidence, params, float(evidence.columns["t_s"][-1]))
    except TooShort as error:
        return Finding(status=Status.UNKNOWN, reason=str(error), unit=UNIT)
    return conclude(evidence, params, [*_earlier(evidence, params), last])


def conclude(evidence: Evidence, params: Params, looks: list[Look]) -> Finding:
    """What the last of these looks say together; oldest first, at least one."""
    last = looks[-1]
    refused = _refused(looks, params)
    smallest_bytes = _smallest_gain(last.blocks, params, even_rise(last.blocks))
    seen_bytes_per_s = detectable_bytes_per_s(last, smallest_bytes)
    if refused == NO_EVIDENCE:
        refused = _why_no_evidence(last, params)
    if refused and not _is_open(last, refused):
        seen_bytes = seen_bytes_per_s * last.blocks.span_s
        refused = _why_unseen(last, params, seen_bytes, smallest_bytes) or refused
    status = Status.FAIL
    if refused:
        status = Status.UNKNOWN if _is_open(last, refused) else Status.PASS
    return Finding(
        status=status,
        reason=_sentence(evidence, params, last, refused, seen_bytes_per_s),
        effect=last.bytes_per_s,
        threshold=smallest_bytes / last.blocks.span_s,
        unit=UNIT,
        since_s=last.onset_s if status is Status.FAIL else None,
        interval=last.interval,
        details=account(evidence.columns, last, seen_bytes_per_s, params.column),
    )


def look_times(planned_s: float, now_s: float) -> list[float]:
    """The looks before now; now itself is one more."""
    times = []
    at_s = planned_s * FIRST_LOOK_SHARE
    # One that is as good as now would count the same data twice.
    while 0 < at_s < now_s / LOOK_RATIO**0.5:
        times.append(at_s)
        at_s *= LOOK_RATIO
    return times


def look(evidence: Evidence, params: Params, until_s: float) -> Look:
    """What the run up to until_s says. Raises TooShort."""
    seen = [(blocks, *_shapes(blocks)) for blocks in cut(evidence, params, until_s)]
    trends = [
        find_trend(blocks.held, blocks.covariates, shapes, steepness, blocks.phi_most, blocks.fills)
        for blocks, shapes, steepness, _ in seen
    ]
    logs = np.array([trend.log_evidence for trend in trends])
    best = int(np.argmax(logs))
    blocks, shapes, _, causes = seen[best]
    log_evidence = log_mean(logs)
    is_seen = log_evidence >= math.log(params.evidence) and (logs > 0).mean() >= AGREEING
    refused = NO_EVIDENCE
    if is_seen and trends[best].interval[0] > 0:
        refused = _gate(blocks, trends[best], shapes, params)
    return Look(
        at_s=until_s,
        blocks=blocks,
        trend=trends[best],
        log_evidence=log_evidence,
        causes=causes,
        refused=refused,
    )


def _earlier(evidence: Evidence, params: Params) -> list[Look]:
    now_s = float(evidence.columns["t_s"][-1])
    looks = []
    for at_s in look_times(evidence.planned_s, now_s)[1 - LATE_LOOKS :]:
        try:
            looks.append(look(evidence, params, at_s))
        except TooShort:
            continue
    return looks


def _shapes(blocks: Blocks) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Rises from 0 to 1, shape (n, k), their slope where they rise, and what each follows."""
    share = np.linspace(0.0, 1.0, blocks.held.size)
    shapes = [np.maximum(share - onset, 0) / (1 - onset) for onset in ONSETS]
    steepness = [1 / (1 - onset) for onset in ONSETS]
    causes = [TIME] * len(ONSETS)
    for name, counter in blocks.counters.items():
        # Nothing grows with a target's own counter that its next process began anew.
        if counter[-1] > counter[0] and (np.diff(counter) >= 0).all():
            shapes.append((counter - counter[0]) / (counter[-1] - counter[0]))
            steepness.append(1.0)
            causes.append(name)
    return np.column_stack(shapes), np.array(steepness), tuple(causes)


def _gate(blocks: Blocks, trend: Trend, shapes: Floats, params: Params) -> str:
    """Why a rise of which there is evidence is no leak; empty when it is one."""
    if trend.gain < max(params.gain, params.gain_ratio * blocks.typical):
        return f"the rise of {figure(trend.gain, 'bytes')} is too small to matter"
    if trend.gain < _smallest_gain(blocks, params, shapes[:, trend.best_shape]):
        return LIKELY
    if _slows(trend, shapes[:, trend.best_shape], params):
        return SLOWS
    if rank_correlation(trend.adjusted) < params.correlation:
        return UNSTEADY
    if not blocks.is_settled and trend.gain < _unsettled_bytes(blocks):
        return UNSETTLED
    return ""


def _slows(trend: Trend, shape: Floats, params: Params) -> bool:
    half = trend.adjusted.size // 2
    first, second = robust_slope(trend.adjusted[:half]), robust_slope(trend.adjusted[-half:])
    return second <= 0 or second < params.lasting * first * _slowing(shape)


def _slowing(shape: Floats) -> float:
    """How much slower what the growth follows became itself, 0 to 1."""
    half = shape.size // 2
    first, second = robust_slope(shape[:half]), robust_slope(shape[-half:])
    return min(1.0, max(0.0, second / first)) if first > 0 else 1.0


def _unsettled_bytes(blocks: Blocks) -> float:
    """What memory may gain before all records were replaced: as much again as what was stored."""
    if math.isnan(blocks.stored_count):
        return 0.0
    return blocks.stored_count * blocks.typical / max(1.0, blocks.live_count)


def _refused(looks: list[Look], params: Params) -> str:
    """Why there is no alarm; empty for an alarm. looks: oldest first."""
    if looks[-1].refused:
        return looks[-1].refused
    best = looks[-1].trend.best_shape
    is_late = best < len(ONSETS) and ONSETS[best] >= LATE
    needed = LATE_LOOKS if is_late else LOOKS
    agreeing = looks[-needed:]
    found = sum(not one.refused for one in agreeing)
    if found < needed:
        return f"seen at {found} of the last {needed} looks, all {needed} are needed"
    if any(_shrinks(before.trend, after.trend, params) for before, after in pairwise(agreeing)):
        return "the estimate shrinks as the run goes on"
    return ""


def _shrinks(before: Trend, after: Trend, params: Params) -> bool:
    # With its error's benefit: where a leak began is known to a step of ONSETS only, and the
    # speed jumps by a tenth when another of them fits best.
    return after.speed + after.speed_error < params.steady * before.speed


def _is_open(last: Look, refused: str) -> bool:
    """Whether a leak could not be seen, or is seen but not proven or not confirmed by other looks.

    What came late, or in a few bursts, is steady in no order of ranks, and it came all the same.
    """
    is_risen = refused == UNSTEADY and last.interval[0] > 0
    return refused in (HIDING, LIKELY, UNSETTLED, UNSEEN) or not last.refused or is_risen


def _why_no_evidence(last: Look, params: Params) -> str:
    """A rise that is likely, or that could not be seen, is not the same as none."""
    if _is_hidden(last):
        return HIDING
    even = even_rise(last.blocks)
    is_large = last.trend.gain > _smallest_gain(last.blocks, params, even)
    if not is_large or last.interval[0] <= 0:
        return NO_EVIDENCE
    return SLOWS if _slows(last.trend, even, params) else LIKELY


def _why_unseen(last: Look, params: Params, seen_bytes: float, smallest_bytes: float) -> str:
    """Why a leak that matters could be there all the same; empty when it would have been seen."""
    if _is_hidden(last):
        return HIDING
    # What is written and compacted away again may be several times what files hold in between; of
    # memory where little is held as much again may be less than what matters at all.
    least_bytes = max(smallest_bytes, BLIND * last.blocks.typical)
    return UNSEEN if params.column not in DISK and seen_bytes > least_bytes else ""


def _is_hidden(last: Look) -> bool:
    return hidden_ratio(last.blocks.covariates, even_rise(last.blocks)) > HIDDEN


def _smallest_gain(blocks: Blocks, params: Params, shape: Floats) -> float:
    """What may be an error of the model: small, but as much larger as covariates hide the shape."""
    seen_ratio = max(1 - hidden_ratio(blocks.covariates, shape), TINY)
    return max(params.gain, params.gain_ratio * blocks.typical) / math.sqrt(seen_ratio)


def _sentence(
    evidence: Evidence, params: Params, last: Look, refused: str, seen_bytes_per_s: float
) -> str:
    name = params.column.replace("_", " ")
    low, high = (figure(bound * HOUR_S, "bytes") for bound in last.interval)
    rate = figure(last.bytes_per_s * HOUR_S, "bytes")
    beyond = f"beyond what {params.records.replace('_', ' ')} explain"
    if refused:
        seen = figure(seen_bytes_per_s * HOUR_S, "bytes")
        return (
            f"{name} {beyond}: {rate} per hour ({low} to {high}); {refused}; "
            f"this run could have seen leaks above {seen} per hour"
        )
    since = clock_time(last.onset_s)
    since += " or before" if last.onset_s == last.blocks.start_s else ""
    return (
        f"{name} grow by {rate} per hour ({low} to {high}) {beyond}, since {since}"
        f"{said(account(evidence.columns, last, seen_bytes_per_s, params.column))}"
    )
