"""Are the costs of phases, and of moves between tiers, what they are by hand?"""

import math
from pathlib import Path

import numpy as np
import pytest

from soak.bench import page, table
from soak.bench.phases import phase_figures
from soak.bench.suite import chosen, possible
from soak.bench.tiers import tier_figures
from soak.bench.transitions import transition_figures
from soak.report.journal import WindowRows
from soak.report.record import RunRecord
from soak.snapshot import Event
from tests.benchmarks.documents import told

# phase, operation, start_s, count, p50, p99 and max in ms; the busy phase is twice as long.
WINDOWS = (
    ("before", "get", 1, 10, 1.0, 2.0, 2.0),
    ("meanwhile", "get", 2, 30, 1.0, 4.0, 5.0),
    ("meanwhile", "get", 3, 10, 3.0, 8.0, 9.0),
    ("meanwhile", "transition", 3, 2, 50.0, 60.0, 60.0),
    ("audit", "get", 4, 1_000, 0.1, 0.2, 0.3),
)
OF_TIERS = {
    "reported_tier_short_count": {"last": 900.0},
    "reported_tier_long_count": {"last": 100.0},
    "reported_records_live_count": {"last": 1_000.0},
}
ORACLE = {"checked": 1_042, "violations": {"lost": 0}}


def move(time_s: float, *, explicit: bool, records: int = 300) -> Event:
    details = {"records": records, "bytes_reclaimed": 5, "longest_pause_s": 0.001}
    return Event(
        time_s=time_s,
        wall_time=time_s,
        kind="demote",
        source="declared",
        duration_s=0.1,
        details={**details, "explicit": explicit},
    )


@pytest.fixture
def record() -> RunRecord:
    columns = np.array([row[2:] for row in WINDOWS], dtype=np.float64)
    start_s, count, p50, p99, worst = columns.T
    figures = {"start_s": start_s, "end_s": start_s + 1, "count": count}
    for measure in ("latency", "service"):
        for name, values in (("p50", p50), ("p95", p99), ("p99", p99), ("max", worst)):
            figures[f"{measure}_{name}_s"] = values / 1e3
    t_s = np.array([0.5, 1.5, 2.5, 3.5, 4.5])
    return RunRecord(
        directory=Path("run"),
        document={"resources": OF_TIERS},
        windows=WindowRows(
            phase=np.array([row[0] for row in WINDOWS]),
            operation=np.array([row[1] for row in WINDOWS]),
            figures=figures,
        ),
        samples={"t_s": t_s, "cpu_s": np.array([0.5, 1.5, 3.0, 5.0, 6.0])},
        events=(move(0.2, explicit=False), move(2.5, explicit=True), move(3.5, explicit=True)),
        worker=(),
        scenario="",
        plan={},
        notes=(),
    )


def moved(record: RunRecord, tiers: dict) -> dict:
    return transition_figures(record, phase_figures(record), tiers, ORACLE)


def tiers_of(record: RunRecord) -> dict:
    return tier_figures(record.document, {})["tiers"]


def test_a_phase_has_its_operations_and_what_was_spent_in_it(record):
    busy = phase_figures(record)["meanwhile"]

    assert (2.0, 2.0) == (busy["begin_s"], busy["duration_s"])
    get = busy["operations"]["get"]
    assert (40.0, 20.0) == (get["count"], get["per_s"])
    # Means over the windows by their counts; the worst as it was.
    assert pytest.approx([0.0015, 0.005, 0.009]) == [
        get["latency_s"][q] for q in ("p50", "p99", "max")
    ]
    # From 2.25 s of processor time halfway between two samples to 5.5.
    assert pytest.approx(5.5 - 2.25) == busy["spent"]["cpu_s"]
    assert math.isnan(busy["spent"]["written_bytes"])


def test_forced_moves_are_told_apart_from_those_by_itself(record):
    found = moved(record, tiers_of(record))

    assert (2, 600.0, 3_000.0) == tuple(
        found["forced"][name] for name in ("count", "records", "records_per_s")
    )
    assert 1 == found["automatic"]["count"]


def test_a_forced_move_costs_what_its_phase_took_more_than_the_calm_one(record):
    found = moved(record, tiers_of(record))

    calm_s = 2.25 - 1.0  # processor time of the second before
    assert pytest.approx((5.5 - 2.25 - 2 * calm_s) / 2) == found["cost_each"]["cpu_s"]
    assert pytest.approx([0.002, 0.005]) == [
        found["others"]["get"][name] for name in ("p99_before_s", "p99_meanwhile_s")
    ]


def test_tiers_that_do_not_add_up_are_seen(record):
    tiers = tiers_of(record)
    assert moved(record, tiers)["correct"]["tiers_add_up"]
    assert 1 - math.exp(-1) == pytest.approx(moved(record, tiers)["correct"]["asked_share"])

    short = {"short": {**tiers["short"], "records": 899.0}, "long": tiers["long"]}
    assert not moved(record, short)["correct"]["tiers_add_up"]


def test_page_table_and_markdown_have_moves_and_phases(record):
    phases = phase_figures(record)
    results = {"operations": {}, "phases": phases, "transitions": moved(record, tiers_of(record))}
    document = {**told("transition/forced-20"), "results": results}

    for text in (page.html([document]), table.table([document]), table.markdown([document])):
        assert "3,000" in text
        assert "meanwhile" in text


def test_what_has_no_tiers_is_not_asked_to_move_records():
    can, cannot = possible(chosen(["transition"]), [], "faiss")

    assert ["transition/forced"] == [each.name for each in can]
    assert 3 == len(cannot)
