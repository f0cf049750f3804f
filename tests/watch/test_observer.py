"""Is what was measured laid to the right time?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soak.clock import NS_PER_S, SystemClock
from soak.load.results import Results
from soak.result import Outcome, slot_code
from soak.rundir import LineLog, RunDirectory
from soak.scenario import load
from soak.state import packed, unpacked
from soak.watch.events import EventLog
from soak.watch.observer import STANDSTILL_S, Observer
from soak.watch.worker_log import LogTail, WorkerFacts


def started_at(start_ns: list[int]) -> Results:
    start = np.array(start_ns, dtype=np.int64)
    none = np.zeros(start.size, dtype=np.uint8)
    return Results(
        index=np.arange(start.size),
        operation=none,
        phase=none,
        due_ns=start,
        argument=np.arange(start.size),
        start_ns=start,
        end_ns=start + 1_000,
        code=none,
        is_idle=none.astype(np.bool_),
    )


def test_only_what_started_after_the_planned_end_counts_as_not_issued(tmp_path: Path):
    directory, scenario = RunDirectory(tmp_path), load("smoke")
    log = LineLog(directory.events)
    events = EventLog(log)
    tail = LogTail(directory.worker_log)
    # As in a run: time zero is fixed only when the observer is there.
    observer = Observer(scenario, directory, SystemClock(), events, WorkerFacts(), tail)
    origin_ns = 10**15
    events.begin(origin_ns, wall_s=0.0)
    end_ns = origin_ns + round(scenario.duration_s * NS_PER_S)

    observer.take(started_at([origin_ns + 1, end_ns, end_ns + 1]))
    for written in (log, *observer.logs):
        written.close()

    assert 1 == observer.unissued_count


def test_what_was_begun_in_no_time_belongs_to_the_next_window(tmp_path: Path):
    """As after two kills with not a result between them."""
    directory = RunDirectory(tmp_path)
    log = LineLog(directory.events)
    events = EventLog(log)
    events.begin(0, wall_s=0.0)
    facts, tail = WorkerFacts(), LogTail(directory.worker_log)
    observer = Observer(load("smoke"), directory, SystemClock(), events, facts, tail)
    observer.take(started_at([5, 6]))
    observer.close_window(5.0, "warm-up", 2, is_measured=False)
    observer.take(started_at([8]))

    assert [] == observer.close_window(5.0, "warm-up", 3, is_measured=False)
    (row,) = observer.close_window(6.0, "warm-up", 3, is_measured=False)

    assert (5.0, 6.0, 1) == (row.start_s, row.end_s, row.count)
    for written in (log, *observer.logs):
        written.close()


def test_an_observer_goes_on_where_another_one_stopped(tmp_path: Path):
    directory, scenario = RunDirectory(tmp_path), load("smoke")

    def made() -> tuple[Observer, LineLog]:
        log = LineLog(directory.events)
        events = EventLog(log)
        events.begin(0, wall_s=0.0)
        facts, tail = WorkerFacts(), LogTail(directory.worker_log)
        return Observer(scenario, directory, SystemClock(), events, facts, tail), log

    first, log = made()
    first.take(started_at([5, 6, 7]))
    first.close_window(5.0, "warm-up", 3, is_measured=False)
    first.take(started_at([8]))
    first.latest["tester_cpu_s"] = 1_000.0
    first.series.append({"t_s": 1.0, "tester_cpu_s": 1_000.0})
    tree = unpacked(*packed(first.state()))
    second, other_log = made()
    second.restore(tree)
    second.resume(6.0)
    second.sample({})
    (row,) = second.close_window(6.0, "warm-up", 4, is_measured=False)
    for written in (log, other_log, *first.logs, *second.logs):
        written.close()

    assert (4, 4) == (second.result_count, second.windows.totals()["store"].count)
    assert (5.0, 6.0, 1) == (row.start_s, row.end_s, row.count)
    assert [1_000.0, 1_000.0] == second.columns()["tester_cpu_s"].tolist()


@pytest.fixture
def observer(tmp_path: Path) -> Iterator[Observer]:
    """Of a smoke run, time zero a hundred seconds ago."""
    directory, clock = RunDirectory(tmp_path), SystemClock()
    log = LineLog(directory.events)
    events = EventLog(log)
    events.begin(clock.monotonic_ns() - 100 * NS_PER_S, wall_s=0.0)
    tail = LogTail(directory.worker_log)
    made = Observer(load("smoke"), directory, clock, events, WorkerFacts(), tail)
    yield made
    for written in (log, *made.logs):
        written.close()


def test_a_call_that_has_not_come_back_is_a_stall_already(observer: Observer):
    observer.close_window(10.0, "steady", 0, 4.0, is_measured=True)
    observer.sample({})

    assert [4.0] == observer.columns()["stall_s_max"].tolist()


def test_a_window_in_which_nothing_was_asked_tells_of_no_stall(observer: Observer):
    observer.close_window(10.0, "steady", 0, is_measured=True)
    observer.sample({})

    assert "stall_s_max" not in observer.columns()


def test_the_longest_stall_of_several_windows_is_in_the_next_sample(observer: Observer):
    observer.close_window(0.2, "steady", 0, 4.0, is_measured=True)
    observer.close_window(0.4, "steady", 0, 0.1, is_measured=True)
    observer.sample({})

    assert [4.0] == observer.columns()["stall_s_max"].tolist()


def test_what_was_given_up_on_was_not_achieved_nor_is_the_wait_for_it_counted(observer: Observer):
    """As when the target hangs at the end: two answered in the last second, three never."""
    planned_s = load("smoke").duration_s
    observer.close_window(planned_s - 1.0, "steady", 0, is_measured=True)
    observer.take(started_at([5, 6]))
    observer.abandon(started_at([7, 8, 9]), now_ns=20)
    observer.close_window(planned_s + 10.0, "steady", 5, is_measured=True)
    observer.sample({})

    assert [2.0] == observer.columns()["achieved_per_s"].tolist()


def test_a_sample_counts_timeouts_among_the_errors(observer: Observer):
    codes = np.array([slot_code(Outcome.TIMEOUT), 0], dtype=np.uint8)
    observer.take(replace(started_at([5, 6]), code=codes))
    observer.sample({})

    assert [1.0] == observer.columns()["errors_total"].tolist()


@pytest.mark.parametrize(("excused_s", "missed"), [(0.0, 99), (60.0, 39)])
def test_what_nobody_was_to_sample_was_not_missed(
    observer: Observer, excused_s: float, missed: int
):
    """smoke samples once a second."""
    observer.excuse(excused_s)
    observer.sample({})

    assert pytest.approx(missed, abs=5) == observer.sampler_records["host"].worst_gap


def test_a_loop_that_did_not_turn_stood_still(tmp_path: Path):
    directory = RunDirectory(tmp_path)
    log = LineLog(directory.events)
    events = EventLog(log)
    events.begin(100 * NS_PER_S, wall_s=0.0)
    tail = LogTail(directory.worker_log)
    observer = Observer(load("smoke"), directory, SystemClock(), events, WorkerFacts(), tail)
    before_ns = 140 * NS_PER_S

    observer.note_turn(before_ns, before_ns + round(STANDSTILL_S * NS_PER_S))
    observer.note_turn(before_ns, before_ns + 30 * NS_PER_S)
    tree = unpacked(*packed(observer.state()))
    for written in (log, *observer.logs):
        written.close()

    assert [(40.0, 70.0)] == tree["standstills_s"]
    (event,) = events.latest
    assert ("standstill", 40.0, 30.0) == (event.kind, event.time_s, event.duration_s)
