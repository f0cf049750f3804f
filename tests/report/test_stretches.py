import numpy as np
import pytest

from soak.report.journal import WindowRows
from soak.report.stretches import compare


def rows(count: int, p99_s: list[float], window_s: float = 10.0) -> WindowRows:
    """Windows of one operation, `count` operations each."""
    n = len(p99_s)
    start_s = np.arange(n) * window_s
    zeros = np.zeros(n)
    return WindowRows(
        phase=np.array(["steady"] * n),
        operation=np.array(["get"] * n),
        figures={
            "start_s": start_s,
            "end_s": start_s + window_s,
            "count": np.full(n, float(count)),
            "latency_p50_s": np.array(p99_s) / 4,
            "latency_p99_s": np.array(p99_s),
            "latency_max_s": np.array(p99_s) * 2,
            "wrong": zeros,
            "error": np.where(start_s >= (n - 1) * window_s, 1.0, 0.0),
            "timeout": zeros,
        },
    )


def test_first_last_and_worst_five_minutes():
    p99_s = [0.01] * 60 + [0.05] * 30 + [0.02] * 60

    found = compare(rows(200, p99_s), "get", from_s=0)

    assert (0, 300, 0.01) == (found.first.start_s, found.first.end_s, found.first.p99_s)
    assert (1_200, 1_500) == (found.last.start_s, found.last.end_s)
    assert (600, 900) == (found.worst.start_s, found.worst.end_s)
    assert found.worst.p99_s == pytest.approx(0.05)
    assert (0.1, 20.0) == (found.worst.max_s, found.first.rate_per_s)


def test_failures_are_counted_where_they_happened():
    found = compare(rows(200, [0.01] * 90), "get", from_s=0)

    assert (0.0, 1 / 6_000) == (found.first.bad_ratio, found.last.bad_ratio)


def test_warm_up_is_left_out():
    found = compare(rows(200, [9.0] * 30 + [0.01] * 90), "get", from_s=300)

    assert 300 == found.first.start_s
    assert found.worst.p99_s == pytest.approx(0.01)


def test_a_short_run_is_cut_in_three():
    found = compare(rows(200, [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]), "get", from_s=0)

    assert (0, 20) == (found.first.start_s, found.first.end_s)
    assert (40, 60) == (found.last.start_s, found.last.end_s)


def test_two_windows_are_too_few_to_compare():
    assert compare(rows(200, [0.01, 0.02]), "get", from_s=0) is None


def test_windows_without_a_quantile_do_not_count():
    found = compare(rows(200, [0.01, float("nan"), 0.03] * 3), "get", from_s=0)

    assert found.first.p99_s == pytest.approx(0.02)
