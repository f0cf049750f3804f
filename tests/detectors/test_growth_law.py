"""Is the exponent of growth right, and is a knee found where it is?"""

from dataclasses import replace

import numpy as np
import pytest

from soak.detectors.growth_law import Law, Params, detect, law_of
from soak.seams import Evidence, Finding, Floats
from soak.verdict import Status

T_S = np.arange(1.0, 1800.0)
LIVE = 100 + 20 * T_S
LATENCY = "search_service_p50_s"


def judged(
    values: Floats, column: str = LATENCY, live: Floats = LIVE, spread: float = 0.03
) -> Finding:
    values = values * np.exp(np.random.default_rng(4).normal(0, spread, T_S.size))
    columns = {"t_s": T_S, "live_records": live, column: values}
    evidence = Evidence(columns=columns, totals={}, warm_until_s=60.0, planned_s=1800.0)
    return detect(evidence, Params(column=column))


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.6])
def test_a_power_of_the_records_is_found_with_its_interval(exponent: float):
    finding = judged(1e-3 * (LIVE / 1000) ** exponent)

    assert pytest.approx(exponent, abs=0.02) == finding.effect
    assert finding.interval[1] - finding.interval[0] < 0.1
    assert (Status.FAIL if exponent > 1.2 else Status.PASS) == finding.status


@pytest.mark.parametrize("exponent", [1.1, 1.3])
def test_an_interval_on_both_sides_of_the_bound_decides_nothing(exponent: float):
    finding = judged(1e-3 * (LIVE / 1000) ** exponent, spread=3.0)

    assert finding.interval[0] < 1.2 < finding.interval[1]
    assert Status.UNKNOWN == finding.status
    assert "leaves open whether it is above 1.2" in finding.reason


def covered(seed: int) -> bool:
    """Whether the interval holds the truth, a power of 2 over the seven sizes from a knee on."""
    sizes = 1000 * 2.0 ** np.arange(13)
    noise = np.random.default_rng(seed).normal(0, 0.1, sizes.size)
    y = (sizes / sizes[6]) ** np.where(np.arange(13) < 6, 0.2, 2.0) * np.exp(noise)
    columns = {"t_s": 1.0 + np.arange(13), "live_records": sizes, LATENCY: y}
    law = law_of(columns, Params(column=LATENCY), 0.0)
    assert isinstance(law, Law)
    assert law.knee < sizes[8]
    return law.interval[0] <= 2.0 <= law.interval[1]


def test_an_interval_from_seven_sizes_is_as_sure_as_it_says():
    assert 0.95 <= np.mean([covered(seed) for seed in range(200)])


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


def filled_from_a_preload(**more: Floats) -> Evidence:
    """200 MiB, and 300 MiB at 38,000 records, growing with their square from 4,000 on."""
    live = 4_000 + 20 * T_S
    held = (200 + 300 * (live / 38_000) ** 2) * 2.0**20
    columns = {"t_s": T_S, "live_records": live, "anonymous_bytes": held, **more}
    return Evidence(columns=columns, totals={}, warm_until_s=60.0, planned_s=1800.0)


def test_what_was_held_at_opening_is_no_growth_after_a_preload():
    finding = detect(filled_from_a_preload(bare_bytes=np.full(T_S.size, 200 * 2.0**20)), Params())

    assert Status.FAIL == finding.status
    assert pytest.approx(2.0, abs=0.02) == finding.effect


def test_memory_of_which_nobody_knows_what_is_held_anyway_is_unknown():
    given = filled_from_a_preload()
    files = replace(
        given, columns={**given.columns, "disk_bytes": 100 * given.columns["live_records"]}
    )

    finding = detect(given, Params())

    assert Status.UNKNOWN == finding.status
    assert "without records was never seen" in finding.reason
    assert Status.FAIL == detect(given, Params(above=200 << 20)).status
    assert pytest.approx(1.0) == detect(files, Params(column="disk_bytes")).effect


def test_growth_of_times_may_be_the_machine_s_and_of_sizes_not():
    times = judged(1e-3 * (LIVE / 1000) ** 1.6)
    sizes = judged(1e3 * (LIVE / 1000) ** 1.6, column="disk_bytes")

    assert ("speed", None) == (times.details.get("measures"), sizes.details.get("measures"))


def test_memory_that_stays_when_records_go_is_not_its_question():
    live = np.where(T_S < 1200, LIVE, np.maximum(200.0, LIVE[1199] - 60 * (T_S - 1200)))
    latency = 1e-3 * np.maximum.accumulate(live) / 1000

    assert pytest.approx(1.0, abs=0.05) == judged(latency, live=live).effect


def test_records_that_hardly_grow_tell_nothing():
    finding = judged(LIVE, live=np.full(T_S.size, 1000.0))

    assert Status.UNKNOWN == finding.status
    assert "grew by a factor of 1," in finding.reason
