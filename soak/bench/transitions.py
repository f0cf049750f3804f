"""What did moves between tiers take, what did they give, and did all records survive them?"""

import math
from collections.abc import Iterator, Sequence

from soak.report import figures
from soak.report.document import Section, as_section
from soak.report.figures import number
from soak.report.record import RunRecord
from soak.snapshot import Event

KIND = "demote"  # as the target declares it
CALM, BUSY, AUDIT = "before", "meanwhile", "audit"  # phases of a benchmark of forced moves
TIER, LIVE = "reported_tier_", "reported_records_live_count"
HEAD = (
    *("benchmark", "moves", "count", "records", "took", "at most", "longest pause"),
    *("records/s", "given back", "cpu", "written", "tiers add up", "wrong"),
)


def transition_figures(
    record: RunRecord, phases: Section, tiers: Section, oracle: Section
) -> dict[str, object]:
    """Of one run: moves that were `forced` and `automatic`, cost, correctness, and how long
    others took; empty where the target declared none.

    cost_each: what phase "meanwhile" spent more than phase "before", for each forced move. others:
    operation to its latencies in both. asked_share: of the records, what the gets of phase "audit"
    are expected to have asked for, as they draw evenly; its scans count all.
    """
    moves = [e for e in record.events if e.kind == KIND and e.source == "declared"]
    if not moves:
        return {}
    forced = [event for event in moves if event.details.get("explicit")]
    automatic = [event for event in moves if not event.details.get("explicit")]
    live = _sampled(record, LIVE)
    in_tiers = sum(number(as_section(row).get("records")) for row in tiers.values())
    violations = as_section(oracle.get("violations"))
    return {
        "forced": _moved(forced),
        "automatic": _moved(automatic),
        "cost_each": _cost(phases, len([e for e in forced if _is_in(e, phases)])),
        "others": _others(phases),
        "correct": {
            "checked": oracle.get("checked"),
            "wrong": sum(number(n) for n in violations.values()),
            "records": live,
            "records_in_tiers": in_tiers,
            "tiers_add_up": in_tiers == live,
            "asked_share": _asked(phases, live),
        },
    }


def _moved(events: Sequence[Event]) -> dict[str, float]:
    if not events:
        return {"count": 0}
    took_s = [event.duration_s for event in events]
    records = _sum(events, "records")
    return {
        "count": len(events),
        "records": records,
        "duration_s_mean": sum(took_s) / len(took_s),
        "duration_s_max": max(took_s),
        "longest_pause_s": max(number(e.details.get("longest_pause_s")) for e in events),
        "records_per_s": records / sum(took_s) if sum(took_s) else math.nan,
        "bytes_reclaimed": _sum(events, "bytes_reclaimed"),
    }


def _sum(events: Sequence[Event], name: str) -> float:
    return sum(number(event.details.get(name)) for event in events)


def _is_in(event: Event, phases: Section) -> bool:
    phase = as_section(phases.get(BUSY))
    begin_s = number(phase.get("begin_s"))
    return begin_s <= event.time_s < begin_s + number(phase.get("duration_s"))


def _cost(phases: Section, count: int) -> dict[str, float]:
    calm, busy = as_section(phases.get(CALM)), as_section(phases.get(BUSY))
    length_s, calm_s = number(busy.get("duration_s")), number(calm.get("duration_s"))
    found = {}
    for name, spent in as_section(busy.get("spent")).items():
        usual = number(as_section(calm.get("spent")).get(name)) / calm_s * length_s
        found[name] = (number(spent) - usual) / count if count else math.nan
    return found


def _others(phases: Section) -> dict[str, dict[str, float]]:
    calm = as_section(as_section(phases.get(CALM)).get("operations"))
    busy = as_section(as_section(phases.get(BUSY)).get("operations"))
    found: dict[str, dict[str, float]] = {}
    for name in (name for name in calm if name in busy):
        before, during = (as_section(as_section(of[name]).get("latency_s")) for of in (calm, busy))
        for q in ("p50", "p95", "p99", "max"):
            found.setdefault(name, {})[f"{q}_before_s"] = number(before.get(q))
            found[name][f"{q}_meanwhile_s"] = number(during.get(q))
    return found


def _asked(phases: Section, live: float) -> float:
    operations = as_section(as_section(phases.get(AUDIT)).get("operations"))
    gets = number(as_section(operations.get("get")).get("count"))
    return 1 - math.exp(-gets / live) if live else math.nan


def _sampled(record: RunRecord, column: str) -> float:
    return number(as_section(as_section(record.document.get("resources")).get(column)).get("last"))


def transition_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of HEAD, for forced and automatic moves each, in words; of category transition."""
    return [row for document in documents for row in _rows(document)]


def _rows(document: Section) -> Iterator[tuple[str, ...]]:
    told = as_section(as_section(document.get("results")).get("transitions"))
    if document.get("category") != "transition" or not told:
        return
    correct, cost = as_section(told.get("correct")), as_section(told.get("cost_each"))
    for kind in ("forced", "automatic"):
        row = as_section(told.get(kind))
        if not number(row.get("count")) > 0:
            continue
        yield (
            f"{document.get('category')}/{document.get('benchmark')}",
            kind,
            figures.whole(row.get("count")),
            figures.whole(row.get("records")),
            *(figures.latency(row.get(f"duration_s_{which}")) for which in ("mean", "max")),
            figures.latency(row.get("longest_pause_s")),
            figures.rate(row.get("records_per_s")),
            figures.size(row.get("bytes_reclaimed")),
            figures.latency(cost.get("cpu_s")) if kind == "forced" else "",
            figures.size(cost.get("written_bytes")) if kind == "forced" else "",
            "yes" if correct.get("tiers_add_up") else "no",
            figures.whole(correct.get("wrong")),
        )
