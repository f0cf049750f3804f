"""Which objectives have the benchmarks, and is each met? Measured against target, by check.

The bounds themselves are checks of the benchmarks' scenarios, judged after warm-up like any other;
here they are only gathered. tests/benchmarks/test_goals.py holds each to the check it names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from soak.report.document import Section, as_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One objective, and the check of the benchmark that measures it. target: in the check's unit.

    bound: whether the target is the most or the least that is fine.
    """

    said: str
    benchmark: str
    check: str
    target: float
    unit: str = "s"
    bound: Literal["most", "least"] = "most"


GOALS = (
    Goal(said="store p99 under load", benchmark="latency/mixed", check="store-p99", target=0.05),
    Goal(said="query p99 under load", benchmark="latency/mixed", check="search-p99", target=0.05),
    Goal(
        said="operations by one client",
        benchmark="throughput/clients-1",
        check="rate",
        target=100.0,
        unit="1/s",
        bound="least",
    ),
    Goal(
        said="memory per 1,000 records (50 MB)",
        benchmark="footprint/records-10k",
        check="footprint",
        target=50e6,
        unit="bytes",
    ),
    Goal(said="store p99", benchmark="storage/write-1", check="store-p99", target=0.01),
    Goal(said="get p99", benchmark="storage/read", check="get-p99", target=0.005),
    Goal(said="search p99", benchmark="retrieval/search-10k", check="search-p99", target=0.05),
    Goal(
        said="traversal p95, two steps",
        benchmark="retrieval/graph",
        check="traverse-p95",
        target=0.02,
    ),
    Goal(
        said="batch of 100 p95", benchmark="storage/batch-100", check="store-batch-p95", target=0.1
    ),
    Goal(said="scan of 10,000 p95", benchmark="storage/scan-10k", check="scan-p95", target=0.2),
)


def goal_rows(documents: Sequence[Section]) -> list[dict[str, object]]:
    """Every objective that these benchmarks measure, in order; after a whole suite that is all.

    status is the check's; "unknown" where the benchmark left no figure.
    """
    there = {f"{d.get('category')}/{d.get('benchmark')}": d for d in documents}
    return [_row(goal, there[goal.benchmark]) for goal in GOALS if goal.benchmark in there]


def _row(goal: Goal, document: Section) -> dict[str, object]:
    checks = {row.get("name"): row for row in as_rows(document.get("objectives"))}
    found: Section = checks.get(goal.check, {})
    return {
        "objective": goal.said,
        "benchmark": goal.benchmark,
        "check": goal.check,
        "status": found.get("status") or "unknown",
        "measured": found.get("effect"),
        "bound": goal.bound,
        "target": goal.target,
        "unit": goal.unit,
    }
