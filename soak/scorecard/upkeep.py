"""Is maintenance seen when it happens, and only then? Detected events against what is known."""

from collections.abc import Mapping, Sequence
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
    "start": Goal(at_most=2.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """right: per detected event, whether something happened; kind_right: whether that was of its
    kind; found: per event of COUNTED_RATIO and more, its kind and whether it was seen; delays_s: of
    sudden ones, until told; starts_off_s: by how much the start of an event of its kind was
    missed."""

    right: tuple[bool, ...]
    kind_right: tuple[bool, ...]
    found: tuple[tuple[str, bool], ...]
    delays_s: tuple[float, ...]
    starts_off_s: tuple[float, ...]
    ruled: tuple[bool, ...]
    rule_found: tuple[bool, ...]


def watch(seed: int, column: str, *, is_full: bool = False) -> Hour:
    trace = event_trace(seed, column, is_full=is_full)
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
        kind_right=tuple(bool(_of_kind(one, trace.truths)) for one, _ in seen),
        found=tuple((t.kind, any(_is_same(one, t) for one, _ in seen)) for t in large),
        delays_s=tuple(
            min(told for one, told in seen if _is_same(one, truth)) - truth.end_s
            for truth in large
            if truth.end_s - truth.start_s <= SUDDEN_S
            and any(_is_same(one, truth) for one, _ in seen)
        ),
        starts_off_s=tuple(
            min(abs(one.start_s - truth.start_s) for truth in _of_kind(one, large))
            for one, _ in seen
            if _of_kind(one, large)
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


def _of_kind(seen: Seen, truths: Sequence[Truth]) -> list[Truth]:
    return [one for one in truths if one.kind == seen.kind and _is_same(seen, one)]


def measure(hours: int, seed: int, crew: Crew) -> list[Row]:
    rows = []
    seeds = range(seed, seed + hours)
    for column in (HEAP, PRIVATE):
        goals = GOALS if column == HEAP else {}
        seen = crew.map(partial(watch, column=column), seeds)
        case = f"{NAMED[column]}, {LENGTH_S // 60} min each"
        rows += [*_seen_rows(seen, case, goals), *_rule_rows(seen, case)]
    seen = crew.map(partial(watch, column=HEAP, is_full=True), seeds)
    case = f"{NAMED[HEAP]}, full store, {LENGTH_S // 60} min each"
    return [*rows, *_seen_rows(seen, case, GOALS)]


def _seen_rows(seen: Sequence[Hour], case: str, goals: Mapping[str, Goal]) -> list[Row]:
    right = [one for hour in seen for one in hour.right]
    kind_right = [one for hour in seen for one in hour.kind_right]
    found = [one for hour in seen for one in hour.found]
    delays = [one for hour in seen for one in hour.delays_s]
    off = [one for hour in seen for one in hour.starts_off_s]
    wrong, hours = right.count(False), float(len(seen))
    evictions = [ok for kind, ok in found if kind == "eviction"]
    compactions = [ok for kind, ok in found if kind == "compaction"]
    return [
        share(AREA, "precision", case, right, goals.get("precision")),
        share(AREA, "precision, of its kind", case, kind_right),
        share(AREA, "recall of 2 % and more", case, [ok for _, ok in found], goals.get("recall")),
        share(AREA, "recall of evictions", case, evictions),
        share(AREA, "recall of compactions", case, compactions),
        per_hour(AREA, "false events", case, wrong, hours, goals.get("false")),
        median(AREA, "delay, sudden ones", case, delays, "s", goals.get("delay")),
        median(AREA, "start off by", case, off, "s", goals.get("start")),
    ]


def _rule_rows(seen: Sequence[Hour], case: str) -> list[Row]:
    ruled = [one for hour in seen for one in hour.ruled]
    found = [ok for hour in seen for ok in hour.rule_found]
    return [
        share(AREA, "fixed thresholds: precision", case, ruled),
        share(AREA, "fixed thresholds: recall", case, found),
    ]
