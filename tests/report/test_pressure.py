"""Is what a growing run took told, and drawn against its records?"""

from pathlib import Path

import numpy as np
import pytest

from soak.report.journal import WindowRows
from soak.report.pressure import charts, has_grown, rows
from soak.report.record import RunRecord
from soak.snapshot import Event

MIB = 1 << 20


def record(live: np.ndarray) -> RunRecord:
    count = live.size
    samples = {
        "t_s": np.arange(float(count)),
        "live_records": live,
        "anonymous_bytes": 50 * MIB + 2048 * live,
        "search_p99_s": np.full(count, 0.004),
    }
    cleaned = Event(
        time_s=count / 2,
        wall_time=0,
        kind="evict",
        source="declared",
        details={"maintenance": True},
    )
    return RunRecord(
        directory=Path(),
        document={
            "health": {"last": 0.9, "reported": 0.8},
            "maintenance": {"declared": 1, "detected": 0},
        },
        windows=WindowRows.__new__(WindowRows),
        samples=samples,
        events=(cleaned,),
        worker=(),
        scenario="",
        plan={},
        notes=(),
    )


def test_the_table_holds_what_the_pressure_benchmark_asks_for():
    told = dict(rows(record(np.linspace(100.0, 1100.0, 101))))

    assert "1,100" == told["maximum records"]
    assert "2 KiB" == told["memory per record added"]
    assert "4 ms" == told["final query latency, p99"]
    assert "90 %" == told["health, last"]
    assert "80 %" == told["health, as the target reports it"]
    assert "1" == told["maintenance events, declared"]


def test_the_exponents_of_growth_are_told_for_what_was_measured():
    grown = record(np.linspace(0.0, 10_000.0, 2001))
    told = dict(rows(grown))

    assert told["memory by records"].startswith("power of 1.0")
    assert "disk by records" not in told


def test_curves_count_records_and_maintenance_stands_where_it_began():
    drawn = {chart.name: chart for chart in charts(record(np.linspace(100.0, 1100.0, 101)))}
    memory = drawn["pressure-memory"]

    assert {"pressure-memory", "pressure-latency"} == set(drawn)
    assert ("records", 1100.0) == (memory.along, memory.end_s)
    assert [600.0] == [pytest.approx(mark.at_s, abs=10) for mark in memory.marks]


def test_a_run_at_constant_records_has_no_such_part():
    steady = record(np.full(50, 1000.0))

    assert not has_grown(steady)
    assert () == charts(steady)
