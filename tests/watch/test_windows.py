"""Do windows, totals and slot codes always add up?"""

import numpy as np
import pytest

from soak.result import OPERATIONS, Outcome, Violation, slot_code, violation_code
from soak.watch.windows import HEADER, Windows

GET, STORE = OPERATIONS.index("get"), OPERATIONS.index("store")
MS = 1_000_000


def windows(timeout_s: float = 30.0, first_measured: int = 0) -> Windows:
    return Windows(["store", "get"], 10.0, timeout_s, first_measured)


def add(
    folded: Windows,
    operation: int,
    latencies_ms: list[int],
    codes: list[int],
    phases: list[int] | None = None,
) -> None:
    """Operations due at zero, started after 1 ms of waiting."""
    end = np.array(latencies_ms, dtype=np.int64) * MS
    count = len(latencies_ms)
    folded.add(
        operation=np.full(count, operation, dtype=np.int64),
        due_ns=np.zeros(count, dtype=np.int64),
        start_ns=np.full(count, MS, dtype=np.int64),
        end_ns=end,
        code=np.array(codes, dtype=np.uint8),
        phase=None if phases is None else np.array(phases, dtype=np.uint8),
    )


def test_latency_counts_from_due_service_from_start_and_lateness_between():
    folded = windows()
    add(folded, GET, [5], [0])
    totals = folded.totals()["get"]
    assert (5 * MS, 4 * MS, MS) == (
        totals.latency.max_ns,
        totals.service.max_ns,
        totals.lateness.max_ns,
    )


def test_the_sum_of_windows_is_the_totals():
    folded = windows()
    rows = []
    for second in range(7):
        add(folded, GET, [2] * (second + 1), [0] * (second + 1))
        add(folded, STORE, [3], [slot_code(Outcome.ERROR, 2)])
        rows += folded.close(end_s=second + 1.0, phase="steady")
    totals = folded.totals()
    assert totals["get"].count == sum(r.count for r in rows if r.operation == "get") == 28
    assert totals["store"].outcomes["error"] == 7
    assert totals["get"].latency.count == 28


def test_a_window_forgets_what_the_one_before_saw():
    folded = windows()
    add(folded, GET, [900], [0])
    folded.close(end_s=10.0, phase="steady")
    add(folded, GET, [2], [0])
    (row,) = folded.close(end_s=20.0, phase="steady")
    assert row.latency.max == pytest.approx(0.002)
    assert (10.0, 20.0, 1) == (row.start_s, row.end_s, row.count)


def test_a_result_belongs_to_the_phase_it_was_due_in_whenever_it_came():
    folded = windows(first_measured=1)
    add(folded, GET, [900, 2], [0, 0], phases=[0, 1])
    folded.close(end_s=10.0, phase="warm-up", is_measured=False)
    add(folded, GET, [800, 3, 3], [0, 0, 0], phases=[0, 1, 1])
    folded.close(end_s=20.0, phase="steady", pending_count=4)
    assert (7, 10.0) == (folded.measured_due_count, folded.measured_s)
    assert 5 == folded.totals()["get"].count
    assert 3 == folded.after_warm_up()["get"].outcomes["ok"]
    assert folded.after_warm_up()["get"].latency.max_ns == 3 * MS
    assert folded.totals()["get"].latency.max_ns == 900 * MS


def test_an_operation_slower_than_the_limit_is_a_timeout_whatever_it_answered():
    folded = windows(timeout_s=1.0)
    add(folded, GET, [1_002], [0])
    assert 1 == folded.totals()["get"].outcomes["timeout"]


def test_slots_that_were_never_issued_are_not_counted():
    folded = windows()
    add(folded, GET, [1], [int(Outcome.VOID)])
    assert 0 == folded.totals()["get"].count
    assert [] == folded.close(end_s=10.0, phase="steady")


def test_failed_are_errors_and_timeouts_of_all_operations_so_far():
    folded = windows(timeout_s=0.010)
    add(folded, GET, [5, 12, 5], [0, 0, slot_code(Outcome.ERROR, 1)])
    add(folded, STORE, [3, 3], [slot_code(Outcome.ERROR, 2), slot_code(Outcome.MISSING)])
    folded.close(end_s=10.0, phase="steady")
    add(folded, STORE, [14], [slot_code(Outcome.ERROR, 2)])

    assert 4 == folded.failed_count()


def test_violations_and_error_classes_are_read_from_the_slot_codes():
    folded = windows()
    add(
        folded,
        GET,
        [1, 1],
        [violation_code(Violation.STALE), violation_code(Violation.STALE)],
    )
    add(folded, STORE, [1], [slot_code(Outcome.ERROR, 3)])
    assert 2 == folded.violations()["stale"]
    assert 0 == folded.violations()["lost"]
    assert {("store", 3): 1} == folded.errors()
    assert 2 == folded.totals()["get"].outcomes["wrong"]


def test_the_worst_stretch_is_remembered_when_it_has_left_the_recent_ones():
    folded = Windows(["get"], window_s=100.0, timeout_s=30.0)
    add(folded, GET, [800], [0])
    for second in range(5):
        folded.close(end_s=100.0 * (second + 1), phase="steady")
        add(folded, GET, [2], [0])
    folded.close(end_s=600.0, phase="steady")
    totals = folded.totals()["get"]
    assert totals.recent.p99 == pytest.approx(0.002, rel=0.01)
    assert totals.worst.p99 == pytest.approx(0.8, rel=0.01)


def test_a_row_has_a_field_for_every_column():
    folded = windows()
    add(folded, GET, [2], [0])
    (row,) = folded.close(end_s=10.0, phase="steady")
    assert len(HEADER.split(",")) == len(row.row())
