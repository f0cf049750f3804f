"""Are the slowest and the failed operations written down, bounded, and where metrics say?"""

import csv
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from soak.histogram import BOUNDS_S
from soak.load.results import Results
from soak.result import OPERATIONS, Outcome, Violation, slot_code, violation_code
from soak.rundir import LineLog
from soak.watch.events import EventLog
from soak.watch.outliers import MOST_FAILED, MOST_STRETCHES, Outliers

GET, STORE = OPERATIONS.index("get"), OPERATIONS.index("store")
MS = 1_000_000
ORIGIN_NS = 5 * 10**15


class Bench:
    """Outliers of a run, and the rows that they wrote."""

    def __init__(self, folder: Path, planned_s: float = 60.0) -> None:
        self.path = folder / "operations.csv"
        self.logs = LineLog(folder / "events.jsonl"), LineLog(self.path)
        events = EventLog(self.logs[0])
        events.begin(ORIGIN_NS, wall_s=1_000.0)
        phases = ["warm-up", "steady"]
        self.outliers = Outliers(self.logs[1], events, phases, timeout_s=1.0, planned_s=planned_s)

    def take(self, operation: int, latencies_ms: list[int], first: int = 0, code: int = 0) -> None:
        """Operations due one after the other, each sent a millisecond late."""
        count = len(latencies_ms)
        index = np.arange(first, first + count)
        due_ns = ORIGIN_NS + index * 10 * MS
        self.outliers.take(
            Results(
                index=index,
                operation=np.full(count, operation, dtype=np.uint8),
                phase=np.ones(count, dtype=np.uint8),
                due_ns=due_ns,
                argument=index + 100,
                start_ns=due_ns + MS,
                end_ns=due_ns + np.array(latencies_ms, dtype=np.int64) * MS,
                code=np.full(count, code, dtype=np.uint8),
                is_idle=np.zeros(count, dtype=np.bool_),
            )
        )

    def rows(self) -> list[dict[str, str]]:
        if not self.path.stat().st_size:
            return []
        with self.path.open() as file:
            return list(csv.DictReader(file))

    def close(self) -> None:
        for log in self.logs:
            log.close()

    def ids(self) -> list[int]:
        return [int(row["id"]) for row in self.rows()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_the_slowest_of_each_kind_in_a_window_is_written_when_it_ends(bench: Bench):
    bench.take(GET, [3, 9, 4])
    bench.take(GET, [2, 8], first=10)
    bench.take(STORE, [5, 6], first=20)
    assert [] == bench.rows()
    bench.outliers.close(10.0)
    slow = {row["id"]: row for row in bench.rows() if "latency" in row["slowest_by"]}
    assert ["1", "21"] == list(slow)
    expected = {
        **{"id": "1", "operation": "get", "phase": "steady", "key": "101"},
        **{"due_ns": f"{10 * MS}", "start_ns": f"{11 * MS}", "end_ns": f"{19 * MS}"},
        **{"outcome": "ok", "detail": "0", "is_idle": "0", "slowest_by": "latency service"},
    }
    assert expected == slow["1"]


def test_an_exemplar_appears_with_its_row_and_not_before(bench: Bench):
    bench.take(GET, [9])
    assert {} == bench.outliers.exemplars()
    bench.outliers.close(10.0)
    (latency,) = bench.outliers.exemplars()["get", "latency"]
    (service,) = bench.outliers.exemplars()["get", "service"]
    assert [latency.index] == bench.ids()
    assert (0.009, 0.008) == (latency.duration_s, service.duration_s)
    assert pytest.approx(1_000.009) == latency.wall_time


def test_a_slow_window_stays_visible_when_fast_ones_follow(bench: Bench):
    for window, slowest_ms in enumerate((900, 4, 3, 4)):
        bench.take(GET, [1, slowest_ms], first=200 * window)
        bench.outliers.close(10.0 * (window + 1))
    shown = bench.outliers.exemplars()["get", "latency"]
    assert [(1, 0.9), (601, 0.004)] == [(found.index, found.duration_s) for found in shown]


def test_what_a_bucket_shows_never_gets_older(bench: Bench):
    """Prometheus takes exemplars of a series in order alone. Of up to 50 ms are 30 and 45, of up
    to 75 are 60, and 45 and 60 are of one power of two."""
    latest: dict[int, float] = {}
    for window, slowest_ms in enumerate((30, 45, 60, 30, 45, 60)):
        bench.take(GET, [1, slowest_ms], first=2_000 * window)
        bench.outliers.close(20.0 * (window + 1))
        for found in bench.outliers.exemplars()["get", "latency"]:
            place = bisect_left(BOUNDS_S, found.duration_s)
            assert found.wall_time >= latest.get(place, 0.0)
            latest[place] = found.wall_time
    assert 2 == len(latest)


def test_operations_that_failed_are_written_at_once_with_what_they_broke(bench: Bench):
    bench.take(GET, [2], code=violation_code(Violation.STALE))
    bench.take(STORE, [2], first=1, code=slot_code(Outcome.ERROR, 4))
    bench.take(STORE, [2], first=2, code=slot_code(Outcome.MISSING))
    bench.take(STORE, [1_002], first=3)
    told = [(row["id"], row["outcome"], row["detail"]) for row in bench.rows()]
    stale = list(Violation).index(Violation.STALE) + 1
    assert [("0", "wrong", f"{stale}"), ("1", "error", "4"), ("3", "timeout", "0")] == told


def test_a_target_that_fails_for_ever_does_not_fill_the_disk(bench: Bench):
    for turn in range(5):
        bench.take(GET, [2] * 400, first=400 * turn, code=slot_code(Outcome.ERROR, 1))
    assert MOST_FAILED == len(bench.rows())


def test_a_run_of_days_writes_no_more_rows_than_one_of_hours(tmp_path: Path):
    bench = Bench(tmp_path, planned_s=72 * 3600)
    for window in range(1, 4_000):
        bench.take(GET, [2], first=window)
        bench.outliers.close(10.0 * window)
    days = 4_000 * 10 / (72 * 3600)
    assert len(bench.rows()) <= MOST_STRETCHES * days + 1
    bench.take(GET, [5], first=4_000)
    bench.outliers.flush()
    bench.close()
    assert 4_000 in bench.ids()
