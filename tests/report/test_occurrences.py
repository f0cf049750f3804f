from dataclasses import replace

import numpy as np
import pytest

from soak.report.charts import joined
from soak.report.occurrences import MAX_LANES, MAX_MARKS, lanes, maintenance_bands, marks, phases
from soak.report.record import load_run
from soak.snapshot import Event
from tests.runs import write_run


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return load_run(write_run(tmp_path_factory.mktemp("runs") / "run", "leaking"))


def event(at_s: float, kind: str, duration_s: float = 0.0, *, is_maintenance: bool = False):
    details = {"maintenance": True} if is_maintenance else {}
    return Event(
        time_s=at_s,
        wall_time=at_s,
        kind=kind,
        source="injected",
        duration_s=duration_s,
        details=details,
    )


def test_phases_are_as_long_as_they_were(record):
    assert (
        ("warm-up", 0, 900),
        ("steady", 900, 18_900),
        ("drain", 18_900, 21_600),
    ) == phases(record)


def test_each_kind_of_maintenance_has_a_lane(record):
    found = {lane.label: len(lane.start_s) for lane in lanes(record.events, 21_600)}

    assert {"compact": 7, "evict": 14, "evict (seen)": 14} == found


def test_lanes_are_bounded_and_the_busiest_stay():
    events = [event(at_s, f"kind {n}") for n in range(30) for at_s in range(0, 1_000 * n, 1_000)]

    found = [lane.label for lane in lanes(events, 50_000)]

    assert MAX_LANES == len(found)
    assert "kind 29" in found


def test_marks_say_faults_and_since_when_a_check_fails(record):
    faulty = replace(record, events=(*record.events, event(700, "fault")))

    assert [(700, "fault"), (5_400, "memory fails since here")] == [
        (mark.at_s, mark.label) for mark in marks(faulty)
    ]


def test_marks_are_bounded(record):
    faulty = replace(record, events=tuple(event(at_s, "fault") for at_s in range(500)))

    assert MAX_MARKS == len(marks(faulty))


def test_short_maintenance_is_ticks_and_long_maintenance_a_band():
    short = [event(at_s, "evict", 1, is_maintenance=True) for at_s in (100, 500)]
    long = [event(2_000, "compact", 300, is_maintenance=True)]

    (ticks,) = maintenance_bands(short, 10_000)
    band, all_ticks = maintenance_bands(short + long, 10_000)

    assert (2, 3) == (len(ticks.start_s), len(all_ticks.start_s))
    assert ([2_000.0], [2_300.0]) == (band.start_s.tolist(), band.end_s.tolist())


def test_maintenance_nearly_all_the_time_is_no_band():
    events = [event(at_s, "evict", 90, is_maintenance=True) for at_s in range(0, 10_000, 150)]

    assert ["maintenance"] == [bands.label for bands in maintenance_bands(events, 10_000)]


def test_stretches_that_touch_are_one():
    start_s, end_s = joined(np.array([0.0, 1, 5, 20]), np.array([3.0, 2, 6, 21]), gap_s=2)

    assert ([0.0, 20.0], [6.0, 21.0]) == (start_s.tolist(), end_s.tolist())
