"""How often is a slower target missed, or seen where nothing changed? Hours, look by look."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from soak.detectors._course import course_of
from soak.detectors.degradation import (
    PERIOD_S,
    Look,
    Params,
    TooShort,
    conclude,
    detect,
    look,
    look_times,
)
from soak.scorecard.asking import ask_times
from soak.scorecard.card import Goal, Row, median, share
from soak.scorecard.crew import Crew
from soak.scorecard.speed_traces import SERIES, WINDOW_S, speed_trace
from soak.verdict import Status

AREA = "degradation"
FALSE_ALARMS = Goal(at_most=0.01)
ON_TIME = Goal(at_most=2.0 * WINDOW_S)
# (kind, effect) to the share that must be found within an hour.
FOUND = {("step", 0.05): 0.85, ("step", 0.10): 0.95}
COVERED = Goal(at_least=0.93)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run to simulate and watch; effect 0 for a clean one."""

    seed: int
    hours: float
    kind: str = "step"
    effect: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What came of it. is_failed: what the run says at its end, which is its exit code; late_s:
    from onset to alarm; off_s: the time of the change, by how much it was missed; error: of the
    effect, relative; covered: whether each interval holds the truth."""

    case: Case
    is_alarmed: bool
    is_failed: bool = False
    is_early: bool = False
    late_s: float = 0.0
    off_s: float = 0.0
    error: float = 0.0
    is_time_covered: bool = False
    is_effect_covered: bool = False


def watch(case: Case) -> Watched:
    """Look at every time the detector has in its plan and at the end; the first alarm counts."""
    trace = speed_trace(case.seed, hours=case.hours, effect=case.effect, kind=case.kind)
    evidence, params = trace.evidence, Params(series=SERIES)
    course = course_of(evidence, SERIES)
    assert course is not None
    looks: list[Look] = []
    for at_s in (*look_times(evidence, evidence.planned_s), evidence.planned_s):
        try:
            looks.append(look(course, evidence, params, at_s))
        except TooShort:
            continue
        finding = conclude(course, evidence, params, looks)
        if finding.status is not Status.FAIL:
            continue
        assert finding.since_s is not None
        assert finding.effect is not None
        assert finding.interval is not None
        low, high = finding.interval
        true = trace.effect_by(at_s)
        return Watched(
            case=case,
            is_alarmed=True,
            is_failed=detect(evidence, params).status is Status.FAIL,
            is_early=at_s < trace.onset_s,
            late_s=at_s - trace.onset_s,
            off_s=abs(finding.since_s - trace.onset_s),
            error=abs(finding.effect / true - 1) if case.effect else 0.0,
            is_time_covered=float(finding.details["since_low_s"])
            <= trace.onset_s
            <= float(finding.details["since_high_s"]),
            is_effect_covered=low <= true <= high,
        )
    return Watched(case=case, is_alarmed=False)


def is_ever_alarmed(case: Case) -> bool:
    """Whether a run would alarm at any time, asked as often as its judge does."""
    trace = speed_trace(case.seed, hours=case.hours, effect=case.effect, kind=case.kind)
    evidence, params = trace.evidence, Params(series=SERIES)
    course = course_of(evidence, SERIES)
    assert course is not None

    @cache
    def looked(at_s: float) -> Look | None:
        try:
            return look(course, evidence, params, at_s)
        except TooShort:
            return None

    for at_s in ask_times(evidence.planned_s, PERIOD_S):
        before = look_times(evidence, at_s)
        looks = [one for one in map(looked, (*before, at_s)) if one]
        if before and looks and conclude(course, evidence, params, looks).status is Status.FAIL:
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many runs: clean ones by hours, of these so many asked as often as a run asks; changed
    ones by (kind, effect), each an hour."""

    clean: dict[float, int]
    asked: dict[float, int] = field(default_factory=dict)
    changed: dict[tuple[str, float], int] = field(default_factory=dict)


CHANGES = (
    *(("step", effect) for effect in (0.03, 0.05, 0.10, 0.20)),
    *(("drift", effect) for effect in (0.05, 0.10, 0.20)),
)
QUICK = Plan(
    clean={1.0: 48},
    asked={1.0: 12},
    changed=dict.fromkeys((("step", 0.05), ("step", 0.10)), 24),
)
FULL = Plan(clean={1.0: 1500, 4.0: 300}, asked={1.0: 300}, changed=dict.fromkeys(CHANGES, 300))


def measure(plan: Plan, seed: int, crew: Crew) -> list[Row]:
    rows = []
    for hours, count in plan.clean.items():
        cases = [Case(seed=seed + i, hours=hours) for i in range(count)]
        alarmed = [one.is_alarmed for one in crew.map(watch, cases)]
        goal = FALSE_ALARMS if hours == 1 else None
        rows.append(share(AREA, "false alarms", f"clean, {hours:g} h", alarmed, goal))
    for hours, count in plan.asked.items():
        cases = [Case(seed=seed + i, hours=hours) for i in range(count)]
        asked = crew.map(is_ever_alarmed, cases)
        goal = FALSE_ALARMS if hours == 1 else None
        case = f"clean, {hours:g} h"
        rows.append(share(AREA, "false alarms, asked as in a run", case, asked, goal))
    for (kind, effect), count in plan.changed.items():
        make = partial(Case, hours=1.0, kind=kind, effect=effect)
        seen = crew.map(watch, [make(seed=seed + i) for i in range(count)])
        rows += _found(seen, kind, effect)
    return rows


def _found(seen: Sequence[Watched], kind: str, effect: float) -> list[Row]:
    case = f"{kind} of {100 * effect:g} % in 1 h"
    least = FOUND.get((kind, effect))
    right = [one for one in seen if one.is_alarmed and not one.is_early]
    held = [one.is_effect_covered for one in right]
    found = [one.is_alarmed and not one.is_early for one in seen]
    error = [one.error for one in right]
    failed = [one.is_failed for one in seen]
    goal = Goal(at_least=least) if least else None
    rows = [
        share(AREA, "alarm at one of the looks", case, found, goal),
        share(AREA, "failed at the end", case, failed, goal),
        median(AREA, "first alarm after", case, [one.late_s for one in right], "s"),
        median(AREA, "error of the effect", case, error, "ratio"),
        share(AREA, "interval holds the effect", case, held, COVERED),
    ]
    if kind == "step":
        off = [one.off_s for one in right]
        timed = [one.is_time_covered for one in right]
        rows += [
            median(AREA, "time of the change off by", case, off, "s", ON_TIME),
            share(AREA, "interval holds the time", case, timed),
        ]
    return rows
