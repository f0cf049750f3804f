"""Are open files that pile up told from those that come and go?"""

import numpy as np
import pytest

from soak.detectors.pile_up import Params, detect, evidence_of
from soak.seams import Evidence, Finding
from soak.verdict import Status

T_S = np.arange(0.0, 3600.0, 2.0)


def judged(open_fds: np.ndarray, length: int = T_S.size) -> Finding:
    columns = {"t_s": T_S[:length], "open_fds": np.floor(open_fds[:length])}
    return detect(
        Evidence(columns=columns, totals={}, warm_until_s=60.0, planned_s=3600.0), Params()
    )


def test_one_file_in_thirty_seconds_fails_with_its_rate():
    finding = judged(40 + T_S / 30)

    assert Status.FAIL == finding.status
    assert pytest.approx(120, rel=0.1) == finding.effect
    assert "open fds went from" in finding.reason


@pytest.mark.parametrize("half", [0, 1], ids=["in the first half", "in the second half"])
def test_samples_that_a_busy_machine_left_out_make_no_rise_slower(half: int):
    busy = (T_S > 1800) == bool(half)
    left_out = busy & (np.random.default_rng(3).random(T_S.size) < 0.85)
    finding = judged(np.where(left_out, np.nan, 40 + T_S / 10))

    assert Status.FAIL == finding.status
    assert pytest.approx(360, rel=0.1) == finding.effect


@pytest.mark.parametrize(
    "open_fds",
    [
        np.full(T_S.size, 40.0),
        40 + 30 * ((T_S / 400) % 1),
        40 + 20 * (T_S > 1800),
        40 + 60 * (1 - np.exp(-T_S / 900)),
    ],
    ids=["steady", "sawtooth", "one step", "a pool that fills"],
)
def test_what_comes_and_goes_or_stops_passes(open_fds: np.ndarray):
    assert Status.PASS == judged(open_fds).status


@pytest.mark.parametrize("onset_s", [2520, 2880, 3240])
def test_files_that_pile_up_only_late_are_no_pass(onset_s: float):
    finding = judged(40 + np.maximum(0, T_S - onset_s))

    assert Status.UNKNOWN == finding.status
    assert "a rise is likely, but a longer run is needed to prove it" in finding.reason


@pytest.mark.parametrize("period_s", [300, 500, 700])
def test_a_cycle_that_is_cut_off_as_it_rises_passes(period_s: float):
    assert Status.PASS == judged(40 + 30 * ((T_S / period_s) % 1)).status


def test_random_counts_hardly_ever_fail():
    rng = np.random.default_rng(5)
    failed = [judged(rng.poisson(50.0, T_S.size).astype(float)).status for _ in range(300)]

    assert failed.count(Status.FAIL) == 0


def test_a_short_run_and_a_missing_column_are_unknown():
    nothing = Evidence(columns={"t_s": T_S}, totals={}, warm_until_s=0.0, planned_s=60.0)

    assert Status.UNKNOWN == judged(40 + T_S, length=100).status
    assert Status.UNKNOWN == detect(nothing, Params()).status


def test_evidence_is_one_without_change_and_its_mean_is_one_without_trend():
    rng = np.random.default_rng(1)
    walks = [evidence_of(np.cumsum(rng.choice([-1.0, 1.0], 20))) for _ in range(4000)]

    assert pytest.approx(1.0, abs=1e-3) == evidence_of(np.zeros(9))
    assert pytest.approx(1.0, abs=0.35) == np.mean(walks)
