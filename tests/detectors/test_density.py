"""Is the cost of a record judged where there are records?"""

from dataclasses import replace

import numpy as np
import pytest

from soak.detectors.density import Params, detect
from soak.seams import Evidence
from soak.verdict import Status


def evidence(per_thousand: np.ndarray, live: float = 10_000.0) -> Evidence:
    return Evidence(
        columns={
            "t_s": np.arange(float(per_thousand.size)),
            "anonymous_bytes": per_thousand * live / 1000,
            "live_records": np.full(per_thousand.size, live),
        },
        totals={},
        warm_until_s=0.0,
        planned_s=100.0,
    )


def test_a_target_within_the_bound_passes_with_its_figure():
    finding = detect(evidence(np.full(40, 10e6)), Params())

    assert Status.PASS == finding.status
    assert pytest.approx(10e6) == finding.effect
    assert "1,000 records take 9.54 MiB of anonymous bytes, not above 50MB" == finding.reason


def test_a_target_above_the_bound_fails_and_says_since_when():
    finding = detect(evidence(np.r_[np.full(20, 10e6), np.full(20, 60e6)]), Params())

    assert (Status.FAIL, 20.0) == (finding.status, finding.since_s)


def test_a_moment_above_the_bound_does_not_fail():
    finding = detect(evidence(np.r_[np.full(38, 10e6), 90e6, 10e6]), Params())

    assert Status.PASS == finding.status


def test_what_the_process_holds_without_records_can_be_taken_off():
    finding = detect(evidence(np.full(40, 60e6)), Params(above=200_000_000))

    assert pytest.approx(40e6) == finding.effect


def test_what_was_held_before_the_first_record_is_taken_off_as_measured():
    given = evidence(np.full(40, 60e6))
    columns = {**given.columns, "bare_bytes": np.full(40, 100e6)}

    finding = detect(replace(given, columns=columns), Params())

    assert pytest.approx(50e6) == finding.effect


def test_of_other_columns_than_anonymous_memory_nothing_is_taken_off():
    columns = {**evidence(np.full(40, 1.0)).columns, "bare_bytes": np.full(40, 100e6)}
    columns["disk_allocated_bytes"] = np.full(40, 30e6)

    finding = detect(
        replace(evidence(np.full(40, 1.0)), columns=columns), Params(column="disk_allocated_bytes")
    )

    assert pytest.approx(3e6) == finding.effect


def test_few_records_are_unknown():
    finding = detect(evidence(np.full(40, 60e6), live=999.0), Params())

    assert (Status.UNKNOWN, "there were never 1,000 live records after warm-up") == (
        finding.status,
        finding.reason,
    )


def test_a_figure_nobody_measured_is_unknown():
    given = Evidence(columns={"t_s": np.arange(3.0)}, totals={}, warm_until_s=0.0, planned_s=9.0)

    assert "anonymous_bytes and live_records not measured" == detect(given, Params()).reason


def test_records_that_are_gone_at_the_end_are_not_judged_by_those_before():
    live = np.r_[np.full(20, 5_000.0), np.full(20, 500.0)]
    given = evidence(np.full(40, 1.0))
    held = {"anonymous_bytes": np.full(40, 100e6), "live_records": live}

    finding = detect(replace(given, columns={**given.columns, **held}), Params())

    assert Status.UNKNOWN == finding.status
    assert "for most of the last quarter there were not 1,000 records" == finding.reason
