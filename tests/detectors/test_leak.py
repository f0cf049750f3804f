"""Is a leak told from growth, filling and noise, and is unknown said when it is?"""

from dataclasses import replace

import numpy as np
import pytest

from soak.detectors.leak import Params, detect, look_times
from soak.scorecard.leak_traces import HEAP, leak_trace
from soak.seams import Evidence, Floats
from soak.verdict import Status

MIB = float(1 << 20)
STEP_S = 5.0


def run(
    grows: Floats | float = 0.0, *, hours: float = 1.0, records: Floats | float = 40_000.0
) -> Evidence:
    """200 MiB, 2,000 bytes per record, a little noise, and what grows (MiB, by time)."""
    t_s = np.arange(STEP_S, hours * 3600 + 1, STEP_S)
    live = np.broadcast_to(records, t_s.shape).astype(np.float64)
    rng = np.random.default_rng(7)
    held = (120 + grows + np.abs(rng.normal(0, 0.3, t_s.size))) * MIB + 2000 * live
    return Evidence(
        columns={
            "t_s": t_s,
            "anonymous_bytes": held,
            "live_records": live,
            "operations_total": 200 * t_s,
        },
        totals={},
        warm_until_s=120.0,
        planned_s=hours * 3600,
    )


def hours_of(evidence: Evidence) -> Floats:
    return evidence.columns["t_s"] / 3600


def with_column(evidence: Evidence, name: str, column: Floats) -> Evidence:
    return replace(evidence, columns={**evidence.columns, name: column})


TIME = hours_of(run())


def test_twenty_mebibytes_per_hour_fail_with_rate_and_cost_per_operation():
    finding = detect(run(20 * TIME), Params())

    assert Status.FAIL == finding.status
    # 20 MiB in 3,600 s; at 200 operations per second that is 29 bytes each.
    assert pytest.approx(20 * MIB / 3600, rel=0.05) == finding.effect
    assert finding.interval[0] < 20 * MIB / 3600 < finding.interval[1]
    assert "anonymous bytes grow by 20 MiB per hour" in finding.reason
    assert "since 00:12:00 or before" in finding.reason
    assert "29" in finding.reason.partition("per operation")[0][-12:]


def test_steady_memory_passes_and_says_what_it_could_see():
    finding = detect(run(), Params())

    assert Status.PASS == finding.status
    assert "no evidence of a trend" in finding.reason


def test_what_a_slow_cache_resembles_is_not_said_to_be_seen():
    hour = run(np.random.default_rng(1).normal(0, 20, TIME.size))
    of_four = replace(hour, planned_s=4 * 3600.0)

    alone, beside = (detect(each, Params()).details for each in (hour, of_four))

    # In the first of four hours a cache may fill nearly evenly; in all of one it slows down.
    assert beside["detectable_bytes_per_s"] > 3 * alone["detectable_bytes_per_s"]


def test_memory_that_grows_with_the_records_passes():
    growing = 10_000 + 30_000 * TIME**2

    assert Status.PASS == detect(run(records=growing), Params()).status


def stored_at(per_s: float, evidence: Evidence) -> Evidence:
    return with_column(evidence, "stored_total", 40_000 + per_s * evidence.columns["t_s"])


def test_memory_that_settles_while_records_are_first_replaced_is_no_leak():
    # 10 stores per second: after the hour 36,000 of 40,000 were replaced, 700 bytes each.
    settling = stored_at(10.0, run(24 * TIME))
    # At 40 per second all are after 20 minutes, and from then on memory is flat.
    settled = stored_at(40.0, run(24 * np.minimum(TIME, 1 / 3)))

    finding = detect(settling, Params())

    assert Status.UNKNOWN == finding.status
    assert "not all records have been replaced yet" in finding.reason
    assert Status.PASS == detect(settled, Params()).status


def test_a_leak_goes_on_after_all_records_were_replaced():
    assert Status.FAIL == detect(stored_at(100.0, run(20 * TIME)), Params()).status


def test_a_leak_larger_than_all_that_is_stored_needs_no_replacement():
    # A store of 2 records per second is worth at most 11 kB each: 75 MiB in an hour.
    assert Status.FAIL == detect(stored_at(2.0, run(120 * TIME)), Params()).status
    assert Status.FAIL == detect(stored_at(0.0, run(20 * TIME)), Params()).status


def test_a_leak_is_seen_through_records_that_come_and_go():
    cycling = 40_000 * (1 + 0.2 * np.sin(2 * np.pi * TIME * 4))

    assert Status.PASS == detect(run(records=cycling), Params()).status
    assert Status.FAIL == detect(run(20 * TIME, records=cycling), Params()).status


def test_a_cache_that_fills_passes():
    finding = detect(run(30 * (1 - np.exp(-TIME / 0.2))), Params())

    assert Status.PASS == finding.status


def test_a_cache_that_fills_slowly_is_no_leak_while_it_still_rises():
    # A third of the planned time makes two thirds of it full; at the first looks it hardly bends.
    filling = run(12 * (1 - np.exp(-TIME / 0.3)))
    for share in (0.3, 0.4, 0.5, 0.7, 1.0):
        seen = {name: column[TIME <= share] for name, column in filling.columns.items()}
        assert Status.FAIL != detect(replace(filling, columns=seen), Params()).status


def test_what_was_deleted_and_is_still_held_explains_an_even_rise():
    deleted = 40_000 * (TIME / 3)
    held = run(2000 * deleted / MIB)

    assert Status.FAIL == detect(held, Params()).status
    assert Status.FAIL != detect(with_column(held, "tombstones", deleted), Params()).status


def test_one_step_passes():
    assert Status.PASS == detect(run(np.where(TIME > 0.5, 8.0, 0.0)), Params()).status


def test_a_leak_that_begins_late_is_dated():
    finding = detect(run(60 * np.maximum(TIME - 0.5, 0)), Params())

    assert Status.FAIL == finding.status
    assert pytest.approx(1800, abs=600) == finding.since_s


@pytest.mark.parametrize("onset", [0.75, 0.8, 0.9])
def test_a_leak_that_began_too_late_to_be_proven_is_no_pass(onset: float):
    finding = detect(run(600 * np.maximum(TIME - onset, 0)), Params())

    assert Status.UNKNOWN == finding.status
    assert "the rise is not steady" in finding.reason
    assert 0 < finding.interval[0]


def test_a_rise_of_which_most_may_be_hidden_is_not_too_small_to_matter():
    trace = leak_trace(20_000, "steady", hours=8.0, share=0.03, leak="eviction")

    finding = detect(trace.evidence, Params(column=HEAP))

    assert Status.UNKNOWN == finding.status
    assert "cannot be told from them" in finding.reason


def test_who_could_have_missed_as_much_as_is_held_has_not_looked():
    straying = np.cumsum(np.random.default_rng(2).normal(0, 8, TIME.size))
    memory = run(straying - straying.min())
    files = with_column(memory, "disk_bytes", memory.columns["anonymous_bytes"])

    finding = detect(memory, Params())
    seen_bytes = finding.details["detectable_bytes_per_s"] * 3600

    assert np.median(memory.columns["anonymous_bytes"]) < seen_bytes
    assert Status.UNKNOWN == finding.status
    assert "the figure strays too much to tell" in finding.reason
    # What is written and compacted away again is no noise of the tester's.
    assert Status.PASS == detect(files, Params(column="disk_bytes")).status


def test_records_that_grow_evenly_all_the_time_hide_a_leak():
    finding = detect(run(2 * TIME, records=10_000 + 30_000 * TIME), Params())

    assert Status.UNKNOWN == finding.status
    assert "cannot be told from them" in finding.reason


def test_a_likely_rise_that_a_short_run_cannot_prove_is_unknown():
    short = run(hours=0.2)
    slow = 7 * hours_of(short)
    strict = Params(gain_ratio=0.0, gain=1 << 17, evidence=1e30)
    finding = detect(run(slow, hours=0.2), strict)

    assert Status.UNKNOWN == finding.status
    assert "a longer run is needed to prove it" in finding.reason


def test_a_rise_too_small_to_matter_passes():
    finding = detect(run(0.9 * TIME), Params(gain=2 << 20))

    assert Status.PASS == finding.status


def test_five_minutes_after_warm_up_are_needed():
    finding = detect(run(20 * hours_of(run(hours=0.1)), hours=0.1), Params())

    assert Status.UNKNOWN == finding.status
    assert "at least 00:05:00 are needed to tell a leak" in finding.reason


def test_swapped_memory_is_still_held():
    swapped = 20 * TIME * MIB
    evidence = with_column(run(-20 * TIME), "swapped_bytes", swapped)

    assert Status.PASS == detect(evidence, Params()).status
    leaking = with_column(run(), "swapped_bytes", swapped)
    assert Status.FAIL == detect(leaking, Params()).status


def test_a_column_nobody_measured_is_unknown():
    evidence = replace(run(), columns={"t_s": TIME * 3600})

    finding = detect(evidence, Params())

    assert Status.UNKNOWN == finding.status
    assert "anonymous_bytes and live_records not measured" in finding.reason


def test_missing_samples_are_skipped_but_a_long_gap_is_unknown():
    holes = run(20 * TIME)
    held = holes.columns["anonymous_bytes"].copy()
    held[::3] = np.nan
    few = with_column(holes, "anonymous_bytes", held)
    held = held.copy()
    held[300:500] = np.nan

    assert Status.FAIL == detect(few, Params()).status
    assert Status.UNKNOWN == detect(with_column(holes, "anonymous_bytes", held), Params()).status


def test_the_memory_limit_is_named_when_it_is_known():
    evidence = run(20 * TIME)
    limit = with_column(evidence, "host_limit_bytes", np.full(TIME.size, 1024 * MIB))

    assert "; the memory limit of 1 GiB is reached in 40:" in detect(limit, Params()).reason


def test_files_grow_into_the_free_space_of_their_file_system():
    evidence = run(20 * TIME)
    disk = with_column(evidence, "disk_bytes", evidence.columns["anonymous_bytes"])
    limit = with_column(disk, "host_limit_bytes", np.full(TIME.size, 1024 * MIB))
    free = with_column(limit, "disk_free_bytes", 2000 * MIB - evidence.columns["anonymous_bytes"])
    params = Params(column="disk_bytes")

    assert "1.74 GiB free on its file system are used up in 89:" in detect(free, params).reason
    assert "exhaustion_s" not in detect(limit, params).details


def test_looks_are_an_eighth_apart_and_end_before_now():
    assert [900.0, 1008.0, 1128.96] == pytest.approx(look_times(3600.0, 1200.0))
    assert [] == look_times(3600.0, 900.0)


def test_a_leak_is_ascribed_to_what_it_follows():
    rng = np.random.default_rng(3)
    errors = np.cumsum(rng.poisson(5.0, TIME.size) * (np.sin(TIME * 20) > 0.3))
    leaking = run(30 * errors / errors[-1])

    finding = detect(with_column(leaking, "errors_total", errors.astype(float)), Params())

    assert "errors" == finding.details["follows"]
    assert pytest.approx(30 * MIB / errors[-1], rel=0.1) == finding.details["bytes_each"]


def test_a_passed_run_says_what_it_could_have_seen():
    finding = detect(run(), Params())
    seen = finding.details["detectable_bytes_per_s"] * 3600

    assert MIB < seen < 4 * MIB
    assert "this run could have seen leaks above" in finding.reason
    assert Status.FAIL == detect(run(2 * seen / MIB * TIME), Params()).status
