"""Is the exponent of growth right, and is a knee found where it is?"""

import numpy as np
import pytest

from soak.detectors.growth_law import Params, detect
from soak.seams import Evidence, Finding, Floats
from soak.verdict import Status

T_S = np.arange(1.0, 1800.0)
LIVE = 100 + 20 * T_S
LATENCY = "search_service_p50_s"


def judged(values: Floats, column: str = LATENCY, live: Floats = LIVE) -> Finding:
    values = values * np.exp(np.random.default_rng(4).normal(0, 0.03, T_S.size))
    columns = {"t_s": T_S, "live_records": live, column: values}
    evidence = Evidence(columns=columns, totals={}, warm_until_s=60.0, planned_s=1800.0)
    return detect(evidence, Params(column=column))


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.6])
def test_a_power_of_the_records_is_found_with_its_interval(exponent: float):
    finding = judged(1e-3 * (LIVE / 1000) ** exponent)

    assert pytest.approx(exponent, abs=0.02) == finding.effect
    assert finding.interval[1] - finding.interval[0] < 0.1
    assert (Status.FAIL if exponent > 1.2 else Status.PASS) == finding.status


def test_what_follows_a_knee_is_judged():
    finding = judged(1e-3 * (LIVE / 1000) ** 0.2 * np.maximum(1, LIVE / 15_000) ** 1.5)

    assert Status.FAIL == finding.status
    assert pytest.approx(1.7, abs=0.1) == finding.effect
    assert pytest.approx(15_000, rel=0.1) == finding.details["knee_records"]
    assert pytest.approx(0.2, abs=0.05) == finding.details["exponent_below_knee"]


def test_what_a_process_holds_anyway_is_no_growth():
    empty_bytes = 64e6 + 0 * LIVE
    columns = {"t_s": T_S, "live_records": LIVE, "anonymous_bytes": empty_bytes + 2000 * LIVE}
    evidence = Evidence(columns=columns, totals={}, warm_until_s=60.0, planned_s=1800.0)

    assert pytest.approx(1.0, abs=0.05) == detect(evidence, Params()).effect


def test_memory_that_stays_when_records_go_is_not_its_question():
    live = np.where(T_S < 1200, LIVE, np.maximum(200.0, LIVE[1199] - 60 * (T_S - 1200)))
    latency = 1e-3 * np.maximum.accumulate(live) / 1000

    assert pytest.approx(1.0, abs=0.05) == judged(latency, live=live).effect


def test_records_that_hardly_grow_tell_nothing():
    finding = judged(LIVE, live=np.full(T_S.size, 1000.0))

    assert Status.UNKNOWN == finding.status
    assert "grew by a factor of 1," in finding.reason
