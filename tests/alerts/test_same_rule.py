"""Is a burn above 1 over the whole run a broken objective, and nothing else? On the same data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soak.alerts.checks import budget_of
from soak.histogram import Histogram
from soak.plugins import load as load_plugin
from soak.scenario import load
from soak.seams import Evidence
from soak.show.exporter import Exporter
from soak.snapshot import OperationTotals, Snapshot
from soak.verdict import Status
from soak.watch.status import flat
from tests.servers import backfill, prometheus
from tests.snapshots import six_hours

pytestmark = pytest.mark.slow

STEADY = load("steady")
RUNS = 40
HOUR_S = 3600.0
START_S = 1_700_000_000.0
MS = 1_000_000
NAMES = ("store", "search")


def totals(rng: np.random.Generator, slow_share: float, error_share: float) -> OperationTotals:
    """A few thousand operations, that share of them above 50 ms and that share failed."""
    count = int(rng.integers(2_000, 4_000))
    slow, errors = rng.binomial(count, slow_share), rng.binomial(count, error_share)
    latency = Histogram()
    latency.add(rng.integers(1 * MS, 45 * MS, count - slow))
    latency.add(rng.integers(55 * MS, 500 * MS, slow))
    outcomes = {"ok": count - errors, "missing": 0, "wrong": 0, "error": errors, "timeout": 0}
    empty = Histogram()
    return OperationTotals(
        count=count, outcomes=outcomes, latency=latency, service=empty, lateness=empty
    )


def runs() -> list[dict[str, OperationTotals]]:
    """Runs on both sides of each bound, many of them close to it."""
    rng = np.random.default_rng(11)
    shares = rng.choice([0.004, 0.008, 0.0095, 0.0105, 0.012, 0.03], (RUNS, 2))
    errors = rng.choice([0.0, 0.0008, 0.0012, 0.003], RUNS)
    return [
        {name: totals(rng, share, errors[run]) for name, share in zip(NAMES, pair, strict=True)}
        for run, pair in enumerate(shares)
    ]


def as_judged(operations: dict[str, OperationTotals]) -> dict[str, bool]:
    """Check to whether its detector says that it is broken."""
    evidence = Evidence(
        columns={}, totals=flat(operations, HOUR_S), warm_until_s=0.0, planned_s=HOUR_S
    )
    return {
        check.name: Status.FAIL
        is load_plugin("detectors", check.detector).detect(evidence, check.params).status
        for check in STEADY.checks
        if budget_of(STEADY, check)
    }


def pages(run: int, operations: dict[str, OperationTotals]) -> list[tuple[float, str]]:
    """Nothing done yet, and an hour later all of it; a target of its own per run."""
    empty = {
        name: OperationTotals(
            count=0,
            outcomes=dict.fromkeys(held.outcomes, 0),
            latency=Histogram(),
            service=Histogram(),
            lateness=Histogram(),
        )
        for name, held in operations.items()
    }
    begun = START_S
    return [(begun, page(run, empty)), (begun + HOUR_S, page(run, operations))]


def page(run: int, operations: dict[str, OperationTotals]) -> str:
    snapshot: Snapshot = replace(
        SNAPSHOT,
        identity=replace(SNAPSHOT.identity, target=f"run{run}"),
        operations=operations,
    )
    return Exporter().render(snapshot, openmetrics=True).decode()


SNAPSHOT = six_hours(2_000)


def test_every_objective_is_broken_just_where_its_budget_is_overspent(tmp_path: Path):
    made = runs()
    backfill([found for run, held in enumerate(made) for found in pages(run, held)], tmp_path)
    judged = {
        (name, f"run{run}"): broken
        for run, held in enumerate(made)
        for name, broken in as_judged(held).items()
    }
    with prometheus(tmp_path, "global: {}\n") as server:
        burned = {
            (budget.check, dict(labels)["target"]): burn > 1
            for check in STEADY.checks
            if (budget := budget_of(STEADY, check))
            for labels, burn in server.query(budget.burn("1h"), START_S + HOUR_S).items()
        }
    assert judged == burned
    assert {("errors", True), ("errors", False), ("store-p99", True), ("search-p99", False)} <= {
        (name, broken) for (name, _), broken in judged.items()
    }
