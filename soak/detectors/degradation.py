"""Does it get slower, or worse, than it was? Steps and drifts that the machine does not explain.

A figure of the windows (a latency, throughput, recall, the share of errors) is held against the
first part of the run after warm-up. On a shared machine latencies wander by tens of percent with
nothing wrong, and every test that looks at them alone alarms in a third of clean hours; so the
worker times a piece of work of its own beside the target's (`control_s`), and what that explains,
or waiting for a processor, live records, tombstones and the rate asked for, is not counted; nor are
windows in which the machine was far from its usual. A look takes the run up to a moment, in two
ways to cut it into blocks (soak/detectors/_change.py); it finds a change if there is evidence, if
the effect less twice its error is large enough to matter, and if it has not gone again. Three of
the last four looks must agree, the last among them, unless the machine was too busy for that one.
How often this is wrong is measured by `soak scorecard`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from soak.detectors._change import Change, detectable, find_change, since
from soak.detectors._course import (
    QUALITIES,
    QUALITY,
    SERIES,
    SPEED,
    Course,
    Cut,
    calm,
    course_of,
    cut,
    measured_of,
)
from soak.detectors._stalls import stalls_of, too_many
from soak.detectors._stretch import in_one_process, left_out, spoilt_until_s
from soak.detectors._trend import log_mean
from soak.plugins import nearest
from soak.scenario.quantities import Duration
from soak.seams import Evidence, Finding
from soak.sentences import clock_time, count, figure
from soak.verdict import Concern, Status

CONCERN = Concern.OBJECTIVE
PERIOD_S = 60.0
UNIT = "ratio"

# Of what was looked at, at its end: without a figure a change is not new, and no change no pass.
SILENT_RATIO = 0.05
# A figure that comes now and then is silent when it has not come for so many times as long; and
# windows of a busy machine may be missing for so much of the time before a pass means nothing.
SILENT_SPACINGS = 10
BUSY_RATIO = 0.25

BLOCK_COUNTS = (72, 30)
LEAST_BLOCKS = 20
WINDOWS_PER_BLOCK = 2
FIRST_LOOK_SHARE = 0.25
LOOK_RATIO = 1.08
LOOKS, OF_LOOKS = 3, 4
# What must be large enough is the effect less so many of its errors. Evidence of a hundred and one
# error alarmed in none of 60 clean hours and missed half of the steps of 5 %; evidence of three and
# two errors alarmed in none either, and found nine of ten.
CERTAIN = 2.0
# Who could not have seen twice the time, or all recall lost, has not looked.
BLIND = 1.0
# Half of an interval, in standard errors.
ERRORS = 3.0

NO_EVIDENCE = "no evidence of a change"
SMALL = "the change is too small to matter"
GONE = "the change has gone again"
STRAYS = "the figure strays too much to tell"
SILENT = "nothing of it was measured since"
BUSY = "the machine is too far from its usual now to tell"
ALONE = "but nothing tells the machine's doing from the target's: control_s was not measured"
# Without anything to compare with, only what no machine does by itself.
UNCONTROLLED = 0.5


def _known(series: str) -> str:
    if series not in SERIES:
        examples = "search_service_p50_s, store_p99_s, achieved_per_s, recall, error_ratio"
        raise ValueError(f"{series!r} is no series; {examples}, ...{nearest(series, SERIES)}")
    return series


class Params(BaseModel):
    """series: OPERATION_p50_s and _p99_s (from when it was due), OPERATION_service_p50_s and
    _service_p99_s (from its start), achieved_per_s, recall or error_ratio.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    series: Annotated[str, AfterValidator(_known)] = Field(
        "search_service_p50_s",
        description="Which figure of the windows.",
        json_schema_extra={"enum": list(SERIES)},
    )
    min_change: float = Field(
        0.02,
        ge=0,
        description="A change below this does not matter: share of a time or rate; points of "
        "recall or errors.",
    )
    evidence: float = Field(3.0, ge=1, description="Evidence from which on a change is real.")
    baseline: Duration | None = Field(
        None,
        description="What it is held against, from the end of warm-up on; a sixth of the rest.",
    )
    min_window: Duration = Field(600.0, description="With less after warm-up it is unknown.")
    stall: Duration = Field(1.0, gt=0, description="An operation this long is a stall.")
    max_stalls: int | None = Field(None, ge=0, description="More of them fail the check.")

    @property
    def asks_of(self) -> Mapping[str, str]:
        """By parameter, whose results it names: without that operation it is never known."""
        operation = measured_of(self.series)
        return {"series": operation} if operation else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One moment's view. refused: the first gate that did not hold, empty when all did."""

    at_s: float
    blocks: Cut
    change: Change
    log_evidence: float
    refused: str


class TooShort(ValueError):
    """There is not enough to judge yet; the message says how much is missing."""


def detect(evidence: Evidence, params: Params) -> Finding:
    """Fail when three of four looks find a change for the worse, the effect of which is a share; or
    when it stood still too often, whatever is known of the series."""
    finding, stalls = _of_series(evidence, params), stalls_of(evidence, params.stall)
    if stalls is None:
        if params.max_stalls is None or finding.status is Status.FAIL:
            return finding
        reason = f"{finding.reason}; stalls not measured"
        return replace(finding, status=Status.UNKNOWN, reason=reason)
    told = replace(
        finding,
        reason=finding.reason + stalls.said(params.max_stalls),
        details={**finding.details, **stalls.details()},
    )
    if params.max_stalls is None or stalls.number <= params.max_stalls:
        return told
    return told if finding.status is Status.FAIL else too_many(stalls, params.max_stalls, finding)


def _of_series(evidence: Evidence, params: Params) -> Finding:
    """Of a run with gaps times and rates are judged in the longest stretch between them: another
    process, perhaps on another machine, is no change of this one. Quality has to last."""
    if params.series in QUALITIES:
        finding = _of_stretch(evidence, params)
    else:
        finding = in_one_process(evidence, params.series, lambda part: _of_stretch(part, params))
    said = left_out(evidence) if finding.status is Status.UNKNOWN else ""
    return replace(finding, reason=finding.reason + said)


def _of_stretch(evidence: Evidence, params: Params) -> Finding:
    course = course_of(evidence, params.series)
    if course is None or not course.t_s.size:
        return _unknown(f"{params.series} not measured")
    now_s = float(evidence.columns["t_s"][-1])
    try:
        last = look(course, evidence, params, now_s)
    except TooShort as error:
        return _unknown(str(error))
    looks = []
    for at_s in look_times(evidence, now_s)[1 - OF_LOOKS :]:
        try:
            looks.append(look(course, evidence, params, at_s))
        except TooShort:
            continue
    return conclude(course, evidence, params, [*looks, last])


def look_times(evidence: Evidence, now_s: float) -> list[float]:
    """The looks before now; now itself is one more."""
    times = []
    at_s = evidence.warm_until_s + FIRST_LOOK_SHARE * (evidence.planned_s - evidence.warm_until_s)
    while 0 < at_s < now_s / LOOK_RATIO**0.5:
        times.append(at_s)
        at_s *= LOOK_RATIO
    return times


def look(course: Course, evidence: Evidence, params: Params, until_s: float) -> Look:
    """What the run up to until_s says. Raises TooShort."""
    whole = course.until(until_s)
    seen = calm(whole)
    ways = [_cut(seen, evidence, params, number) for number in BLOCK_COUNTS]
    changes = [find_change(blocks, _baseline(blocks, evidence, params)) for blocks in ways]
    log_evidence = log_mean(np.array([change.log_evidence for change in changes]))
    best = int(np.argmax([change.log_evidence for change in changes]))
    refused = NO_EVIDENCE
    if log_evidence >= math.log(params.evidence):
        refused = _gate(seen, changes[best], params)
    refused = _unless_silent(refused, whole, seen, until_s, spoilt_until_s(evidence, until_s))
    return Look(
        at_s=until_s,
        blocks=ways[best],
        change=changes[best],
        log_evidence=log_evidence,
        refused=refused,
    )


def conclude(course: Course, evidence: Evidence, params: Params, looks: list[Look]) -> Finding:
    """What the last OF_LOOKS of these looks say of the series; oldest first, at least one."""
    last = looks[-1]
    recent = looks[-OF_LOOKS:]
    refused = last.refused
    agreeing = [one for one in recent if not one.refused]
    is_open = refused in (ALONE, BUSY, SILENT)
    if refused == BUSY and len(agreeing) >= LOOKS:
        # What was seen before the machine got busy is not gone because it cannot be seen now.
        refused = ""
    elif not refused and len(agreeing) < LOOKS:
        refused = f"seen at {len(agreeing)} of the last {OF_LOOKS} looks so far, {LOOKS} are needed"
        is_open = True
    seen_ratio = detectable(last.change, course.scale)
    if refused == NO_EVIDENCE and seen_ratio > BLIND:
        refused, is_open = STRAYS, True
    if refused == SILENT:
        refused += f" {clock_time(course.t_s[-1])}"
    seen = calm(course.until(last.at_s))
    when_s, low_s, high_s = since(seen, last.blocks, last.change)
    effect, interval = _effect(course, last.change)
    failed = not refused
    status = Status.FAIL if failed else Status.UNKNOWN if is_open else Status.PASS
    grown = math.exp(min(last.log_evidence, 700.0))
    details: dict[str, float | str] = {
        "evidence": grown / (1 + grown),
        "detectable_ratio": seen_ratio,
        "measures": QUALITY if course.scale == "share" else SPEED,
    }
    words = _sentence(course, params, last, effect, interval)
    if failed:
        details |= {"change": last.change.kind, "since_low_s": low_s, "since_high_s": high_s}
        words += (
            f" since {clock_time(when_s)} ({clock_time(low_s)} to {clock_time(high_s)}), "
            f"as a {last.change.kind}"
        )
    else:
        could = figure(max(seen_ratio, params.min_change), UNIT)
        words += f"; {refused}; this run could have seen a change above {could}"
    return Finding(
        status=status,
        reason=words,
        effect=effect,
        threshold=params.min_change,
        unit=UNIT,
        since_s=when_s if failed else None,
        interval=interval,
        details=details,
    )


def _cut(course: Course, evidence: Evidence, params: Params, number: int) -> Cut:
    length_s = float(course.t_s[-1]) - evidence.warm_until_s if course.t_s.size else 0.0
    if length_s < params.min_window:
        raise TooShort(
            f"{figure(max(0.0, length_s), 's')} since warm-up, at least "
            f"{figure(params.min_window, 's')} are needed to tell a change from the usual"
        )
    most = min(number, course.t_s.size // WINDOWS_PER_BLOCK)
    if most < LEAST_BLOCKS:
        raise TooShort(
            f"{count(course.t_s.size)} windows of {params.series} since warm-up, at least "
            f"{count(LEAST_BLOCKS * WINDOWS_PER_BLOCK)} are needed"
        )
    return cut(course, most)


def _baseline(blocks: Cut, evidence: Evidence, params: Params) -> int:
    """Blocks that come before any change: at least a sixth, at most half of them."""
    number = blocks.y.size
    measured_s = evidence.planned_s - evidence.warm_until_s
    asked_s = measured_s / 6 if params.baseline is None else params.baseline
    length_s = float(blocks.edges_s[-1] - blocks.edges_s[0])
    return min(number // 2, max(LEAST_BLOCKS // 4, round(number * asked_s / length_s)))


def _gate(course: Course, change: Change, params: Params) -> str:
    """Why a change of which there is evidence is no degradation; empty when it is."""
    is_ratio = course.scale == "ratio"
    certain = change.gain - CERTAIN * change.error
    if certain <= (math.log1p(params.min_change) if is_ratio else params.min_change):
        return SMALL
    if is_ratio and "control" not in course.covariates and certain <= math.log1p(UNCONTROLLED):
        return ALONE
    after = change.adjusted[change.onset :]
    before = change.adjusted[: max(1, change.onset)]
    late = after[-max(2, after.size // 3) :]
    if np.median(late) - np.median(before) < 0.5 * change.gain:
        return GONE
    return ""


def _unless_silent(
    refused: str, whole: Course, seen: Course, until_s: float, spoilt_s: float
) -> str:
    """The same, or that too much is missing at the end to say so. seen: the calm part of whole;
    spoilt_s: until when what was measured is left out."""
    length_s = until_s - float(seen.t_s[0])
    if not refused:
        # Looks at the same windows would agree for no reason.
        return BUSY if until_s - seen.t_s[-1] > SILENT_RATIO * length_s else ""
    if refused == ALONE:
        return ALONE
    usual_s = SILENT_SPACINGS * float(np.median(np.diff(whole.t_s)))
    if until_s - max(whole.t_s[-1], spoilt_s) > max(SILENT_RATIO * length_s, usual_s):
        return SILENT
    return BUSY if until_s - max(seen.t_s[-1], spoilt_s) > BUSY_RATIO * length_s else refused


def _effect(course: Course, change: Change) -> tuple[float, tuple[float, float]]:
    """The change as people say it: a share of what was before, or points; a fall is negative."""
    edges = [change.gain + times * change.error for times in (0.0, -ERRORS, ERRORS)]
    edges = [course.sign * edge for edge in edges]
    if course.scale == "ratio":
        edges = [math.expm1(edge) for edge in edges]
    effect, *interval = edges
    return effect, (min(interval), max(interval))


def _sentence(
    course: Course, params: Params, last: Look, effect: float, interval: tuple[float, float]
) -> str:
    name = params.series.removesuffix("_per_s").removesuffix("_s").replace("_", " ")
    low, high = (figure(edge, UNIT) for edge in interval)
    way = "rose" if effect >= 0 else "fell"
    of = "" if course.scale == "ratio" else " of all"
    return f"{name} {way} by {figure(abs(effect), UNIT)}{of} ({low} to {high})"


def _unknown(reason: str) -> Finding:
    return Finding(status=Status.UNKNOWN, reason=reason, unit=UNIT)
