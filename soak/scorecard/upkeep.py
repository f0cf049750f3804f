"""Is maintenance seen when it happens, and only then? Detected events against what is known."""

from dataclasses import dataclass
from functools import partial

from soak.detectors.threshold_rule import MEMORY, Params, events
from soak.scorecard.card import Goal, Row, median, per_hour, share
from soak.scorecard.crew import Crew
from soak.scorecard.event_traces import HEAP, LENGTH_S, PRIVATE, EventTrace, Truth, event_trace
from soak.watch.upkeep import Seen, Upkeep

AREA = "maintenance"
NAMED = {HEAP: "used heap", PRIVATE: "private memory"}
COUNTED_RATIO = 0.02
# An event and its truth belong together when they are at most this far apart.
REACH_S = 15.0
SUDDEN_S = 2.0
# What happens before the usual is known, or too late to be told, may be seen but need not.
WATCHED_S = (120.0, LENGTH_S - 60.0)
GOALS = {
    "precision": Goal(at_least=0.98),
    "recall": Goal(at_least=0.98),
    "false": Goal(at_most=0.5),
    "delay": Goal(at_most=5.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """right: per detected event, whether something happened; found: per event of COUNTED_RATIO and
    more, its kind and whether it was seen; delays_s: of sudden ones, until told."""

    right: tuple[bool, ...]
    found: tuple[tuple[str, bool], ...]
    delays_s: tuple[float, ...]
    ruled: tuple[bool, ...]
    rule_found: tuple[bool, ...]


def watch(seed: int, column: str) -> Hour:
    trace = event_trace(seed, column)
    seen = _watched(trace)
    large = [
        truth
        for truth in trace.truths
        if truth.ratio >= COUNTED_RATIO and WATCHED_S[0] < truth.start_s < WATCHED_S[1]
    ]
    at_s = trace.columns["t_s"][9::10]
    fired = [float(t) for t in events(trace.columns[column][9::10], at_s, MEMORY, Params())]
    dots = [Seen(kind="", start_s=t - 10, end_s=t) for t in fired]
    return Hour(
        right=tuple(any(_is_same(one, truth) for truth in trace.truths) for one, _ in seen),
        found=tuple((t.kind, any(_is_same(one, t) for one, _ in seen)) for t in large),
        delays_s=tuple(
            min(told for one, told in seen if _is_same(one, truth)) - truth.end_s
            for truth in large
            if truth.end_s - truth.start_s <= SUDDEN_S
            and any(_is_same(one, truth) for one, _ in seen)
        ),
        ruled=tuple(any(_is_same(dot, truth) for truth in trace.truths) for dot in dots),
        rule_found=tuple(any(_is_same(dot, truth) for dot in dots) for truth in large),
    )


def _watched(trace: EventTrace) -> list[tuple[Seen, float]]:
    """Every event with the second at which it was told."""
    upkeep = Upkeep()
    names = list(trace.columns)
    rows = zip(*trace.columns.values(), strict=True)
    told = []
    for values in rows:
        row = dict(zip(names, map(float, values), strict=True))
        told += [(one, row["t_s"]) for one in upkeep.take(row)]
    return told


def _is_same(seen: Seen, truth: Truth) -> bool:
    return seen.start_s - REACH_S <= truth.end_s and truth.start_s <= seen.end_s + REACH_S


def measure(hours: int, seed: int, crew: Crew) -> list[Row]:
    rows = []
    for column in (HEAP, PRIVATE):
        seen = crew.map(partial(watch, column=column), range(seed, seed + hours))
        goals = GOALS if column == HEAP else {}
        case = f"{NAMED[column]}, {LENGTH_S // 60} min each"
        right = [one for hour in seen for one in hour.right]
        found = [one for hour in seen for one in hour.found]
        ruled = [one for hour in seen for one in hour.ruled]
        delays = [one for hour in seen for one in hour.delays_s]
        wrong = right.count(False)
        rows += [
            share(AREA, "precision", case, right, goals.get("precision")),
            share(
                AREA, "recall of 2 % and more", case, [ok for _, ok in found], goals.get("recall")
            ),
            share(AREA, "recall of evictions", case, [ok for k, ok in found if k == "eviction"]),
            share(
                AREA, "recall of compactions", case, [ok for k, ok in found if k == "compaction"]
            ),
            per_hour(AREA, "false events", case, wrong, float(hours), goals.get("false")),
            median(AREA, "delay, sudden ones", case, delays, "s", goals.get("delay")),
            share(AREA, "fixed thresholds: precision", case, ruled),
            share(
                AREA, "fixed thresholds: recall", case, [ok for h in seen for ok in h.rule_found]
            ),
        ]
    return rows
