"""What came out of a benchmark? Its run's report as results, objectives and metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from soak.bench.phases import phase_figures
from soak.bench.resource_use import resource_use
from soak.bench.suite import Benchmark
from soak.bench.tiers import tier_figures
from soak.bench.transitions import transition_figures
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.report.record import ALIVE, RunRecord
from soak.rundir import finite

SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One benchmark. record is None where it left no run; trouble says why."""

    benchmark: Benchmark
    exit_code: int
    execution_s: float
    record: RunRecord | None
    trouble: str = ""


def document(outcome: Outcome) -> dict[str, object]:
    """The outcome as JSON: benchmark, category, timestamp, results, objectives, metadata."""
    report = outcome.record.document if outcome.record else {}
    plan: Mapping[str, object] = outcome.record.plan if outcome.record else {}
    content = {
        "benchmark": outcome.benchmark.stem,
        "category": outcome.benchmark.category,
        "timestamp": report.get("started"),
        "verdict": _verdict(outcome, report),
        "results": _all_results(report, plan, outcome.record),
        "objectives": [objective(check) for check in as_rows(report.get("checks"))],
        "metadata": {
            "execution_time_s": outcome.execution_s,
            "run": str(outcome.record.directory) if outcome.record else None,
            "config": str(Path(*outcome.benchmark.file.parts[-3:])),
            "params": plan,
            "environment": report.get("environment"),
            "trusted": as_section(report.get("certificate")).get("trusted"),
        },
    }
    safe = finite(content)
    assert isinstance(safe, dict)
    return safe


def left_out(benchmark: Benchmark, reason: str) -> dict[str, object]:
    """One that was not run, as JSON: its status is "skipped", and it has no exit code."""
    bare = document(Outcome(benchmark=benchmark, exit_code=0, execution_s=0.0, record=None))
    return {**bare, "verdict": {"status": SKIPPED, "exit_code": None, "reason": reason}}


def _all_results(report: Section, plan: Section, record: RunRecord | None) -> dict[str, object]:
    """Those of the report, and what only the windows, samples and events of the run can tell."""
    found = results(report, plan)
    found |= tier_figures(report, found)
    if record is None:
        return found
    phases, tiers = phase_figures(record), as_section(found["tiers"])
    moved = transition_figures(record, phases, tiers, as_section(report.get("oracle")))
    used = resource_use(record)
    more = {"phases": phases, "transitions": moved, "resource_use": used}
    return {**found, **_for_each(used), **more}


def _for_each(used: Section) -> dict[str, object]:
    """What `resource_use` says of an operation: the counters run since the target began, its start
    and the records stored before time zero included."""
    return {
        "cpu_s_per_operation": as_section(used.get("per_operation")).get("cpu_s"),
        "operations_per_cpu_s": used.get("operations_per_cpu_s"),
        "operations_per_mb": used.get("operations_per_mb"),
    }


def _verdict(outcome: Outcome, report: Section) -> object:
    """The run's own; of one that never began or was cut off, what its last words were."""
    if report.get("verdict") and report.get("state") not in ALIVE:
        return report["verdict"]
    return {"status": "unknown", "exit_code": outcome.exit_code, "reason": outcome.trouble}


def objective(check: Section) -> dict[str, object]:
    """One bound with what was measured, in the check's unit."""
    names = ("name", "status", "effect", "threshold", "unit", "reason")
    return {name: check.get(name) for name in names}


def results(report: Section, plan: Section) -> dict[str, object]:
    """The figures of the run; what it did not measure is null.

    Rates are over the whole run, warm-up included.
    """
    duration_s = number(report.get("duration_s"))
    operations = {
        name: _operation(as_section(row), duration_s)
        for name, row in as_section(report.get("operations")).items()
    }
    resources = as_section(report.get("resources"))
    live = number(as_section(report.get("records")).get("live"))
    memory = number(as_section(resources.get("anonymous_bytes")).get("last"))
    bare = number(as_section(resources.get("bare_bytes")).get("last"))
    disk = number(as_section(resources.get("disk_allocated_bytes")).get("last"))
    count = sum(number(row["count"]) for row in operations.values())
    batch = number(as_section(plan.get("population")).get("batch"))
    maintenance = as_section(report.get("maintenance"))
    return {
        "operations": operations,
        "operations_per_s": count / duration_s if duration_s else None,
        "records_stored_per_s": _stored_per_s(operations, batch),
        "memory_bytes": memory,
        # In this order: what was not measured stays so.
        "memory_bytes_per_1000_records": 1_000 * max(memory - bare, 0.0) / live if live else None,
        "disk_bytes": disk,
        "disk_bytes_per_1000_records": 1_000 * disk / live if live else None,
        "records_live": live,
        "recall": as_section(report.get("recall")).get("mean"),
        "maintenance": maintenance.get("counts"),
        "oracle": report.get("oracle"),
        "resources": resources,
    }


def _operation(row: Section, duration_s: float) -> dict[str, object]:
    count = number(row.get("count"))
    return {
        "count": count,
        "per_s": count / duration_s if duration_s else None,
        "latency_s": row.get("latency_s"),
        "service_s": row.get("service_s"),
    }


def _stored_per_s(operations: Mapping[str, Mapping[str, object]], batch: float) -> float:
    """Records, not calls: a batch counts for what is in it."""
    single, several = (
        number(operations.get(name, {}).get("per_s", 0.0)) for name in ("store", "store_batch")
    )
    return single + (several * batch if several else 0.0)
