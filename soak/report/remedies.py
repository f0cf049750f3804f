"""What is to be done about a check that failed, and which figure of the run speaks for it?

By what was asked (detector and params of the scenario), never by the check's name.
"""

import re

import numpy as np

from soak.report import figures
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.report.objectives import Line, taken_off, warm_until, worst
from soak.report.record import RunRecord
from soak.result import OPERATIONS
from soak.scenario.quantities import parse_duration
from soak.seams import Floats
from soak.snapshot import Event

# A call that takes less than this share of what its caller feels is not what is slow.
WAITING = 0.5
# Recall that fell by more than this since it was first scored is decay, not a weak index.
FALLEN = 0.01
# What came so close to the begin of a change may be its cause; blocks of a day take minutes.
NEAR_S = 60.0
# How the totals of one operation are called: get_p99_s, all_get_service_p50_s, get_error_count.
# The longest first: store_batch is no `batch` of store.
_LONGEST_FIRST = "|".join(sorted(OPERATIONS, key=len, reverse=True))
NAMED = re.compile(rf"(?:all_)?(?:({_LONGEST_FIRST})_)?(.+)")
TIMED = re.compile(r"(service_)?(mean|p50|p95|p99|p999|max)_s")
# Column of pile_up to what leaves it behind.
PILES = {
    "open_fds": "files and connections that are opened and never closed",
    "threads": "threads that are started and never end",
    "disk_files": "files that are written and never removed",
}

Said = tuple[str, str]


def of_failure(record: RunRecord, check: Section, asked: Line) -> Said | None:
    """What to do and its figure; None where the run recorded nothing that leads further."""
    document, params = record.document, as_section(asked.get("params"))
    match check.get("detector"):
        case "leak":
            return _of_leak(document, check, str(params.get("column") or "anonymous_bytes"))
        case "pile_up":
            return _of_pile(document, check, str(params.get("column") or "open_fds"))
        case "never":
            return _of_answers(document)
        case "recall":
            return _of_recall(document)
        case "slo":
            return _of_objective(record, check, asked)
        case "density":
            return _of_density(record, check, params)
        case "degradation":
            return _of_degradation(record, check, params)
        case "growth_law":
            return _of_growth(check, str(params.get("column") or "anonymous_bytes"))
        case "compare":
            return _of_baseline(record.comparison) or _of_answers(document)
        case _:
            return None


def _of_leak(document: Section, check: Section, column: str) -> Said | None:
    """What is kept, and when it will be full."""
    mine = (column, check.get("name"))
    leaks = [leak for leak in as_rows(document.get("leaks")) if leak.get("resource") in mine]
    leak = next((leak for leak in leaks if number(leak.get("bytes_per_s")) > 0), None)
    if leak is None:
        return None
    each = figures.size(leak.get("bytes_per_operation"))
    onset = figures.moment(leak.get("onset_s") or check.get("since_s"))
    left = figures.span(leak.get("exhaustion_s"))
    what = f"Look for what an operation leaves behind, and for what began at {onset}."
    return what, f"{each} of {_words(column)} for each operation; full in {left}"


def _of_pile(document: Section, check: Section, column: str) -> Said | None:
    held = as_section(as_section(document.get("resources")).get(column))
    first, last = number(held.get("first")), number(held.get("last"))
    per_hour = number(check.get("effect"))
    if not last - first > 0 and not per_hour > 0:
        return None
    what = f"Look for {PILES.get(column, _words(column) + ' that are never given back')}."
    figure = f"{figures.whole(first)} {_words(column)} at first, {figures.whole(last)} at the end"
    return what, f"{figure}, {figures.digits(per_hour)} per hour"


def _of_answers(document: Section) -> Said | None:
    """The same seed asks the same again."""
    violations = as_section(as_section(document.get("oracle")).get("violations"))
    kinds = {str(kind): number(count) for kind, count in violations.items() if number(count) > 0}
    if not kinds:
        return None
    most = max(kinds, key=kinds.__getitem__)
    what = (
        f"Repeat it with --seed {document.get('seed')}, which asks the same again; start with the "
        f"first {most} answer under Answers."
    )
    return what, ", ".join(f"{figures.whole(count)} {kind}" for kind, count in kinds.items())


def _of_recall(document: Section) -> Said | None:
    recall = as_section(document.get("recall"))
    first, last = number(recall.get("first")), number(recall.get("last"))
    said = f"recall {figures.in_unit(first, 'recall')} at first, "
    said += f"{figures.in_unit(last, 'recall')} at the end"
    if first - last > FALLEN:
        return "Rebuild or compact the index as records change: recall falls as it goes.", said
    if last == last:
        return "Search wider (more candidates): recall is low from the beginning.", said
    return None


def _of_objective(record: RunRecord, check: Section, asked: Line) -> Said | None:
    """An operation's time, or a total: the end of whose name says what it counts."""
    document, params = record.document, as_section(asked.get("params"))
    operation = str(params.get("operation") or "")
    if operation:
        is_service = params.get("measure") == "service"
        quantile = str(params.get("quantile") or "p99")
        return _of_time(record, check, asked, operation, quantile, is_service=is_service)
    named = NAMED.fullmatch(str(params.get("total") or ""))
    if named is None:
        return None
    operation, counted = named[1] or "", named[2]
    timed = TIMED.fullmatch(counted)
    if operation and timed:
        is_service = timed[1] is not None
        return _of_time(record, check, asked, operation, timed[2], is_service=is_service)
    match counted:
        case "achieved_per_s":
            return _of_rate(document)
        case "error_count" | "timeout_count":
            return _of_errors(document, operation)
        case "missing_count":
            return _of_missing(document, operation)
        case "recall_mean":
            return _of_recall(document)
        case "eviction_inversion_ratio":
            return _of_eviction(document)
        case _ if counted == "wrong_count" or counted.startswith("violations_"):
            return _of_answers(document)
        case _:
            return None


def _of_time(
    record: RunRecord,
    check: Section,
    asked: Line,
    operation: str,
    quantile: str,
    *,
    is_service: bool,
) -> Said | None:
    """Waiting, maintenance or the call itself: in this order, by what the run measured.

    is_service: the check is of the call alone, so waiting is not what it failed for.
    """
    row = as_section(as_section(record.document.get("operations")).get(operation))
    latencies, services = as_section(row.get("latency_s")), as_section(row.get("service_s"))
    shown = quantile if quantile in services else "p99"
    latency_s, service_s = number(latencies.get(shown)), number(services.get(shown))
    felt = f"{figures.latency(service_s)} of {figures.latency(latency_s)} felt"
    figure = f"{shown} of the call {felt}"
    if not is_service and service_s < WAITING * latency_s:
        return "Give it more clients (target.clients) or a lower rate: operations queue.", figure
    found = worst(record, asked)
    event = None if found is None else _maintenance(record, found.start_s, found.end_s)
    if found is not None and event is not None:
        what = f"Look at {event.kind}: the worst window of {check.get('name')} lies in one."
        at, took = figures.moment(found.start_s), figures.span(event.duration_s)
        return what, f"{figures.latency(found.value)} at {at}, {event.kind} took {took}"
    if service_s == service_s:
        why = "the call takes that long" if is_service else "it neither queues nor waits"
        ran = "" if found is None else "; no maintenance ran when it was worst"
        return f"Profile {_words(operation)} itself (soak profile): {why}{ran}.", figure
    return None


def _maintenance(record: RunRecord, start_s: float, end_s: float) -> Event | None:
    """The longest that ran then."""
    overlapping = [
        event
        for event in record.events
        if event.details.get("maintenance")
        and event.time_s <= end_s
        and event.time_s + event.duration_s >= start_s
    ]
    return max(overlapping, key=lambda event: event.duration_s, default=None)


def _of_rate(document: Section) -> Said | None:
    certificate = as_section(document.get("certificate"))
    offered, achieved = (number(certificate.get(f"{n}_rate")) for n in ("offered", "achieved"))
    if not offered > 0 or not achieved >= 0:
        return None
    what = "Find the highest rate it keeps (soak bench throughput/max-rate) and plan for that."
    return what, f"{figures.rate(achieved)} done of {figures.rate(offered)} asked for"


def _of_errors(document: Section, operation: str = "") -> Said | None:
    """operation: whose errors alone; empty for all."""
    rows = as_rows(document.get("errors"))
    errors = [row for row in rows if operation in ("", row.get("operation"))]
    if not errors:
        return None
    total = sum(number(row.get("count")) for row in errors)
    most = max(errors, key=lambda row: number(row.get("count")))
    what = f"Start with {most.get('type')} of {most.get('operation')}; an example is in Outcomes."
    return what, f"{figures.whole(most.get('count'))} of {figures.whole(total)} errors"


def _of_missing(document: Section, operation: str) -> Said | None:
    row = as_section(as_section(document.get("operations")).get(operation))
    missing = number(as_section(row.get("outcomes")).get("missing"))
    if not missing > 0:
        return None
    evicted = figures.whole(as_section(document.get("records")).get("evicted"))
    what = (
        f"Give it room for what is asked for, or ask for less: {_words(operation)} finds it gone."
    )
    return what, f"{figures.whole(missing)} of {figures.whole(row.get('count'))}; {evicted} evicted"


def _of_eviction(document: Section) -> Said | None:
    eviction = as_section(document.get("eviction"))
    gone, kept = (number(eviction.get(f"{n}_mean_importance")) for n in ("missing", "present"))
    if gone != gone or kept != kept:
        return None
    what = "Look at what eviction ranks by: it forgets important records before others."
    return what, f"mean importance {figures.digits(gone)} forgotten, {figures.digits(kept)} kept"


def _of_density(record: RunRecord, check: Section, params: Section) -> Said | None:
    """The figure is the detector's own: of the check's column, less what is held anyway."""
    column = str(params.get("column") or "anonymous_bytes")
    live = number(as_section(record.document.get("records")).get("live"))
    each_bytes = number(check.get("effect")) / 1_000
    if not live > 0 or each_bytes != each_bytes:
        return None
    what = "Look at what is kept beside each record: copies, indexes, caches."
    if column.startswith("disk_"):
        what = "Look at what its files keep beside live records: tombstones, old versions, logs."
    taken = taken_off(record, params)
    figure = f"{figures.size(each_bytes)} of {_words(column)} for each live record"
    less = f", without {figures.size(taken)} held without any" if taken else ""
    return what, f"{figure}, {figures.whole(live)} at the end{less}"


def _of_degradation(record: RunRecord, check: Section, params: Section) -> Said | None:
    """What began with it, else where to look; records tell whether it only grew."""
    if stood_still := _of_stalls(record, params):
        return stood_still
    series = str(params.get("series") or "search_service_p50_s")
    since_s, effect = number(check.get("since_s")), number(check.get("effect"))
    if since_s != since_s or effect != effect:
        return None
    if series == "recall":
        return _of_recall(record.document)
    if series == "error_ratio" and (said := _of_errors(record.document)):
        return said
    near = [
        event
        for event in record.events
        if not event.details.get("maintenance") and abs(event.time_s - since_s) <= NEAR_S
    ]
    at, name = figures.moment(since_s), _words(series.removesuffix("_s").removesuffix("_per_s"))
    what = f"Profile it (soak profile) before and after {at}, when {name} changed."
    if near:
        event = min(near, key=lambda event: abs(event.time_s - since_s))
        what = f"Look at {event.kind} at {figures.moment(event.time_s)}: {name} changed then."
    before, after = _live(record, since_s), _live(record, np.inf)
    held = f"{figures.whole(before)} live records then, {figures.whole(after)} at the end"
    return what, f"changed by {figures.share(effect)} since {at}; {held}"


def _of_stalls(record: RunRecord, params: Section) -> Said | None:
    """Where more windows stood still than the check allows."""
    allowed, least = params.get("max_stalls"), params.get("stall")
    if not isinstance(allowed, int) or not len(record.windows):
        return None
    columns = record.windows.figures
    start_s, inverse = np.unique(columns["start_s"], return_inverse=True)
    longest_s = np.zeros(start_s.size)
    np.fmax.at(longest_s, inverse, columns["service_max_s"])
    longest_s[start_s < warm_until(record)] = 0.0
    is_stall = longest_s >= (parse_duration(least) if isinstance(least, str) else 1.0)
    number_of = np.count_nonzero(is_stall & ~np.append(False, is_stall[:-1]))
    if number_of <= allowed:
        return None
    at_s = float(start_s[longest_s.argmax()])
    end_s = float(columns["end_s"][columns["start_s"] == at_s].max())
    event = _maintenance(record, at_s, end_s)
    said = f"{event.kind} ran then" if event else "no maintenance was seen then"
    what = f"Look at what the target did at {figures.moment(at_s)}: {said}."
    took = figures.latency(float(longest_s.max()))
    stalls = "1 stall" if number_of == 1 else f"{number_of} stalls"
    return what, f"{stalls}, {allowed} allowed; the longest took {took}"


def _live(record: RunRecord, until_s: float) -> float:
    live: Floats | None = record.samples.get("live_records")
    if live is None:
        return np.nan
    known = live[np.isfinite(live) & (record.samples["t_s"] <= until_s)]
    return float(known[-1]) if known.size else np.nan


def _of_growth(check: Section, column: str) -> Said | None:
    exponent = number(check.get("effect"))
    if exponent != exponent:
        return None
    name = _words(column.removesuffix("_s").removesuffix("_bytes"))
    what = f"Look for a pass over all records where an index is meant: {name} outgrows them."
    if column.endswith("_bytes"):
        what = f"Look for what is kept for pairs of records or for gone ones: {name} outgrows them."
    times = figures.digits(2.0**exponent)
    return what, f"twice the records take {times} times as much (power {exponent:.2f})"


def _of_baseline(comparison: Section) -> Said | None:
    """The metric that came off worst."""
    worse = [row for row in as_rows(comparison.get("metrics")) if row.get("status") == "fail"]
    if not worse:
        return None
    row = max(worse, key=lambda row: abs(number(row.get("change"))))
    unit, name = str(row.get("unit") or ""), str(row.get("name"))
    operation, _, measure = name.rpartition(".")
    what = f"Look at what changed {_words(measure)} since the baseline; comparison.md has all."
    if operation:
        what = (
            f"Profile {_words(operation)} (soak profile) in both versions; comparison.md has all."
        )
    before, after = (figures.in_unit(row.get(key), unit) for key in ("baseline", "run"))
    return what, f"{name} {after}, {before} in the baseline"


def _words(name: str) -> str:
    return name.replace("_", " ")
