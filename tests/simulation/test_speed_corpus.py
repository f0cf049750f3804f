"""How often does the detector of degradation alarm on clean hours, and find a slower target?

A small corpus; the figures that count are those of `soak scorecard`, on other seeds.
"""

import numpy as np
import pytest

from soak.scorecard.speed import Case, watch
from soak.scorecard.speed_traces import SERIES, speed_trace


def test_clean_hours_hardly_ever_alarm():
    alarms = [seed for seed in range(1, 16) if watch(Case(seed=seed, hours=1.0)).is_alarmed]

    assert len(alarms) <= 1, alarms


def test_a_tenth_more_is_found_and_measured():
    seen = [watch(Case(seed=seed, hours=1.0, effect=0.10)) for seed in range(1, 13)]
    found = [one for one in seen if one.is_alarmed and not one.is_early]

    assert len(found) >= 10
    assert np.median([one.error for one in found]) < 0.1
    assert np.median([one.off_s for one in found]) < 20


def test_the_change_is_all_that_differs_from_the_clean_run():
    clean, slower = (speed_trace(3, effect=effect).evidence.columns for effect in (0.0, 0.10))
    onset_s = speed_trace(3, effect=0.10).onset_s
    ratio = slower[SERIES] / clean[SERIES]
    after = clean["t_s"] > onset_s + 10

    assert pytest.approx(1.10) == np.nanmedian(ratio[after])
    assert pytest.approx(1.0) == np.nanmedian(ratio[clean["t_s"] < onset_s])
    assert (clean["control_s"] == slower["control_s"]).all()
