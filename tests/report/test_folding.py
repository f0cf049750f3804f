"""Is what is taken together still right?"""

from dataclasses import asdict

import numpy as np
import pytest

from soak.report.folding import LATEST, EventFold, WindowFold
from soak.report.ledger import entries
from soak.snapshot import Event

NAMES = ("start_s", "end_s", "count", "ok", "latency_p50_s", "latency_p99_s")
WINDOWS, OPERATIONS = 1_000, 3
PHASE_ENDS = 333  # in the middle of any number of windows that is taken together


def windows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Figures, phases and operations; the third operation is seldom issued."""
    rng = np.random.default_rng(1)
    number, operation = np.divmod(np.arange(WINDOWS * OPERATIONS), OPERATIONS)
    count = rng.integers(1, 50, number.size).astype(np.float64)
    figures = np.column_stack(
        [
            *(10.0 * number, 10.0 * number + 10, count, count),
            *(rng.uniform(1, 2, number.size), rng.uniform(2, 9, number.size)),
        ]
    )
    kept = (operation < 2) | (number % 7 == 0)
    figures[(number == 500) & (operation == 1), 4] = np.nan
    return figures[kept], (number[kept] >= PHASE_ENDS).astype(np.int64), operation[kept]


def folded(max_rows: int) -> tuple[WindowFold, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    fold = WindowFold(NAMES, max_rows)
    figures, phases, operations = windows()
    for at in range(0, len(figures), 100):  # blocks end in the middle of windows
        fold.add(figures[at : at + 100], phases[at : at + 100], operations[at : at + 100])
    return fold, *fold.rows()


def test_few_windows_stay_as_they_are() -> None:
    figures, phases, operations = windows()
    fold, columns, of_phase, of_operation = folded(10_000)

    assert 1 == fold.factor
    np.testing.assert_array_equal(figures, np.column_stack(list(columns.values())))
    assert (phases.tolist(), operations.tolist()) == (of_phase.tolist(), of_operation.tolist())


@pytest.mark.parametrize(("max_rows", "factor"), [(1_500, 4), (500, 16)])
def test_each_row_is_what_its_windows_are_together(max_rows: int, factor: int) -> None:
    figures, phases, operations = windows()
    fold, columns, of_phase, of_operation = folded(max_rows)

    assert factor == fold.factor
    assert max_rows >= len(of_phase)
    number = figures[:, 0] // 10
    for i, (phase, operation) in enumerate(zip(of_phase, of_operation, strict=True)):
        row = {name: column[i] for name, column in columns.items()}
        inside = (figures[:, 0] >= row["start_s"]) & (figures[:, 1] <= row["end_s"])
        mine = inside & (phases == phase) & (operations == operation)
        assert 1 == len(set(number[inside & (phases == phase)] // factor))
        assert row["count"] == row["ok"] == figures[mine, 2].sum()
        assert row["latency_p99_s"] == figures[mine, 5].max()
        known = mine & np.isfinite(figures[:, 4])
        mean = np.average(figures[known, 4], weights=figures[known, 2])
        assert pytest.approx(mean, rel=0.01) == row["latency_p50_s"]
    assert columns["count"].sum() == figures[:, 2].sum()
    assert (np.diff(columns["start_s"]) >= 0).all()


def test_all_operations_of_a_stretch_begin_and_end_together() -> None:
    _, columns, _, _ = folded(500)

    spans = set(zip(columns["start_s"], columns["end_s"], strict=True))
    assert len(spans) == len({start_s for start_s, _ in spans})


def test_events_taken_together_sum_up_alike() -> None:
    rng = np.random.default_rng(2)
    events = [
        Event(
            time_s=float(i),
            wall_time=float(i),
            kind="gap" if i % 5_000 == 17 else str(rng.choice(["evict", "compact"])),
            source="declared",
            duration_s=float(rng.integers(1, 64)) / 64,
            details={"maintenance": True, "records": i, "longest_pause_s": i / 1024},
        )
        for i in range(20_000)
    ]
    fold = EventFold(max_events=1_000)
    for event in events:
        fold.add(event)

    kept = fold.events()

    told, expected = ([asdict(entry) for entry in entries(some)] for some in (events, kept))
    for row, other in zip(told, expected, strict=True):
        assert {**row, "last_s": 0} == {**other, "last_s": 0}
    assert 2 * (1_000 + LATEST) + 4 >= len(kept)
    assert events[-LATEST:] == list(kept[-LATEST:])
    assert [event for event in events if event.kind == "gap"] == [
        event for event in kept if event.kind == "gap"
    ]
