"""How often does the leak detector alarm on clean runs, and how often does it find a leak?

A small corpus; the figures that count are those of `soak scorecard`, on other seeds.
"""

import math

import numpy as np
import pytest

from soak.scorecard.leak_traces import HEAP, LIVES, PRIVATE, leak_trace
from soak.scorecard.leaks import Case, clean_cases, leaking_cases, watch


@pytest.mark.parametrize("column", [PRIVATE, HEAP])
@pytest.mark.parametrize("hours", [1 / 6, 1.0, 8.0])
def test_clean_runs_hardly_ever_alarm(hours: float, column: str):
    alarms = [case for case in clean_cases(1, 12, hours, column) if watch(case).is_alarmed]

    assert len(alarms) <= 1, alarms


@pytest.mark.parametrize(
    ("column", "hours", "share", "least"),
    [(HEAP, 8.0, 0.03, 0.6), (PRIVATE, 8.0, 0.3, 0.6)],
    ids=["3 % per hour of the heap", "30 % per hour of private memory"],
)
def test_leaks_are_found_and_measured(column: str, hours: float, share: float, least: float):
    seen = [watch(case) for case in leaking_cases(1, 18, hours, share, column)]
    errors = [one.error for one in seen if one.is_alarmed]

    assert len(errors) >= least * len(seen)
    assert np.median(errors) < 0.1


def test_the_end_of_a_leaking_run_holds_what_leaked():
    run = leak_trace(3, "steady", hours=8.0, share=0.1, leak="late")
    clean = leak_trace(3, "steady", hours=8.0, share=0.0, leak="late")
    held = run.evidence.columns[HEAP] - clean.evidence.columns[HEAP]

    assert pytest.approx(run.leaked_bytes, abs=2) == held
    assert pytest.approx(0.1 * run.typical_bytes * 4.8, rel=0.01) == run.leaked_bytes[-1]
    assert pytest.approx(0.1 * run.typical_bytes / 3600, rel=0.01) == run.bytes_per_s(0, 28_800)
    assert math.isinf(clean.onset_s)


def test_the_same_seed_is_the_same_run():
    one, other = (leak_trace(5, live, hours=1.0) for live in (LIVES[1], LIVES[1]))

    assert all((one.evidence.columns[n] == c).all() for n, c in other.evidence.columns.items())
    assert (
        Case(seed=1, live="steady", hours=1.0, share=0.0, leak="time", column=HEAP)
        == (clean_cases(1, 1, 1.0, HEAP)[0])
    )
