"""How often is a leak missed, or seen where there is none? Runs watched from look to look."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from soak.detectors._account import Look
from soak.detectors._blocks import TooShort
from soak.detectors.leak import PERIOD_S, Params, conclude, detect, look, look_times
from soak.scorecard.asking import ask_times
from soak.scorecard.card import Goal, Row, median, share
from soak.scorecard.crew import Crew
from soak.scorecard.leak_traces import HEAP, LEAKS, LIVES, PRIVATE, LeakTrace, leak_trace
from soak.seams import Finding
from soak.verdict import Status

AREA = "leaks"
NAMED = {PRIVATE: "private memory", HEAP: "used heap"}
FALSE_ALARMS = Goal(at_most=0.003)
COVERED = Goal(at_least=0.93)
ESTIMATED = Goal(at_most=0.10)
# (hours, leak per hour) to the share that must be found.
FOUND = {(8.0, 0.03): 0.95, (8.0, 0.01): 0.80, (24.0, 0.01): 0.95, (24.0, 0.001): 0.75}
# Growing records hide a leak that is as even as they are: those runs are shown on their own.
TELLING = tuple(live for live in LIVES if live != "growing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run to simulate and watch."""

    seed: int
    live: str
    hours: float
    share: float
    leak: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What came of it. is_failed: what the run says at its end, which is its exit code; an alarm on
    the way may be taken back. after_h: when the alarm came, nan without one; error: of the rate,
    relative, infinite before anything leaked; is_covered: whether the interval holds the true
    rate."""

    case: Case
    is_alarmed: bool
    is_failed: bool
    is_passed: bool
    after_h: float
    error: float
    is_covered: bool

    @property
    def is_found(self) -> bool:
        """Whether the alarm came when something had leaked."""
        return self.is_alarmed and math.isfinite(self.error)


def watch(case: Case) -> Watched:
    """Look at every time the detector has in its plan and at the end; the first alarm counts."""
    trace = leak_trace(case.seed, case.live, hours=case.hours, share=case.share, leak=case.leak)
    evidence, params = trace.evidence, Params(column=case.column)
    looks = []
    finding = None
    for at_s in (*look_times(evidence.planned_s, evidence.planned_s), evidence.planned_s):
        try:
            looks.append(look(evidence, params, at_s))
        except TooShort:
            continue
        finding = conclude(evidence, params, looks)
        if finding.status is Status.FAIL:
            return _alarmed(case, trace, finding, at_s)
    return Watched(
        case=case,
        is_alarmed=False,
        is_failed=False,
        is_passed=finding is not None and finding.status is Status.PASS,
        after_h=float("nan"),
        error=float("nan"),
        is_covered=False,
    )


def _alarmed(case: Case, trace: LeakTrace, finding: Finding, at_s: float) -> Watched:
    assert finding.since_s is not None
    assert finding.effect is not None
    assert finding.interval is not None
    true = trace.bytes_per_s(finding.since_s, at_s) if case.share else float("nan")
    low, high = finding.interval
    return Watched(
        case=case,
        is_alarmed=True,
        is_failed=detect(trace.evidence, Params(column=case.column)).status is Status.FAIL,
        is_passed=False,
        after_h=at_s / 3600,
        error=abs(finding.effect / true - 1) if true else float("inf"),
        is_covered=low <= true <= high,
    )


def is_ever_alarmed(case: Case) -> bool:
    """Whether a run would alarm at any time, asked as often as its judge does."""
    trace = leak_trace(case.seed, case.live, hours=case.hours, share=case.share, leak=case.leak)
    evidence, params = trace.evidence, Params(column=case.column)

    @cache
    def looked(at_s: float) -> Look | None:
        try:
            return look(evidence, params, at_s)
        except TooShort:
            return None

    for at_s in ask_times(evidence.planned_s, PERIOD_S):
        before = look_times(evidence.planned_s, at_s)
        looks = [one for one in map(looked, (*before, at_s)) if one]
        # A first look alone is never an alarm, nor is one that says itself that it is none.
        if not before or not looks or looks[-1].refused:
            continue
        if conclude(evidence, params, looks).status is Status.FAIL:
            return True
    return False


def clean_cases(seed: int, count: int, hours: float, column: str) -> list[Case]:
    make = partial(Case, hours=hours, share=0.0, leak=LEAKS[0], column=column)
    return [make(seed=seed + i // len(LIVES), live=LIVES[i % len(LIVES)]) for i in range(count)]


def leaking_cases(seed: int, count: int, hours: float, per_hour: float, column: str) -> list[Case]:
    """Every live set with every kind of leak, over and over."""
    pairs = [(live, leak) for live in LIVES for leak in LEAKS]
    order = np.random.default_rng(seed).permutation(len(pairs))
    make = partial(Case, hours=hours, share=per_hour, column=column)
    return [
        make(seed=seed + i // len(pairs), live=live, leak=leak)
        for i in range(count)
        for live, leak in [pairs[order[i % len(pairs)]]]
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many runs: clean ones by length, of these so many asked as often as a run asks, which
    takes twenty times as long; leaking ones by (hours, leak per hour)."""

    clean: dict[float, int]
    asked: dict[float, int]
    leaking: dict[tuple[float, float], int]


QUICK = Plan(
    clean=dict.fromkeys((1 / 6, 1.0, 8.0, 24.0), 24),
    asked={1.0: 12},
    leaking=dict.fromkeys(((8.0, 0.01), (8.0, 0.03), (24.0, 0.001), (24.0, 0.01)), 18),
)
FULL = Plan(
    clean={1 / 6: 1200, 1.0: 1200, 8.0: 900, 24.0: 600},
    asked={1 / 6: 300, 1.0: 300, 8.0: 100, 24.0: 60},
    leaking=dict.fromkeys(
        (
            *((1.0, 0.1), (1.0, 0.3), (1.0, 1.0)),
            *((8.0, 0.003), (8.0, 0.01), (8.0, 0.03), (8.0, 0.1)),
            *((24.0, 0.001), (24.0, 0.003), (24.0, 0.01), (24.0, 0.03)),
        ),
        216,
    ),
)


def measure(plan: Plan, seed: int, crew: Crew) -> list[Row]:
    rows = []
    for column in (PRIVATE, HEAP):
        for hours, count in plan.clean.items():
            seen = crew.map(watch, clean_cases(seed, count, hours, column))
            case = f"{NAMED[column]}, {_length(hours)}"
            alarmed = [one.is_alarmed for one in seen]
            rows.append(share(AREA, "false alarms", case, alarmed, FALSE_ALARMS))
            passed = [one.is_passed for one in seen]
            rows.append(share(AREA, "clean runs passed", case, passed))
        for hours, count in plan.asked.items():
            asked = crew.map(is_ever_alarmed, clean_cases(seed, count, hours, column))
            case = f"{NAMED[column]}, {_length(hours)}"
            rows.append(share(AREA, "false alarms, asked as in a run", case, asked, FALSE_ALARMS))
        for (hours, per_hour), count in plan.leaking.items():
            seen = crew.map(watch, leaking_cases(seed, count, hours, per_hour, column))
            rows += _found(seen, hours, per_hour, column)
    return rows


def _found(seen: Sequence[Watched], hours: float, per_hour: float, column: str) -> list[Row]:
    case = f"{NAMED[column]}, {100 * per_hour:g} %/h in {_length(hours)}"
    told = [one for one in seen if one.case.live in TELLING]
    hidden = [one for one in seen if one.case.live not in TELLING]
    found = [one for one in seen if one.is_found]
    least = FOUND.get((hours, per_hour))
    goal = Goal(at_least=least) if least else None
    late = [one.is_found for one in seen if one.case.leak == "late"]
    return [
        share(AREA, "alarm at one of the looks", case, [one.is_found for one in seen], goal),
        share(AREA, "failed at the end", case, [one.is_failed for one in seen], goal),
        share(AREA, "alarm, records not growing", case, [one.is_found for one in told]),
        share(AREA, "passed, records growing", case, [one.is_passed for one in hidden]),
        share(AREA, "alarm, onset at 40 %", case, late),
        median(AREA, "first alarm after", case, [one.after_h for one in found], "h"),
        median(AREA, "error of the rate", case, [one.error for one in found], "ratio", ESTIMATED),
        share(AREA, "interval covers", case, [one.is_covered for one in found], COVERED),
    ]


def _length(hours: float) -> str:
    return f"{hours:g} h" if hours >= 1 else f"{60 * hours:.0f} min"
