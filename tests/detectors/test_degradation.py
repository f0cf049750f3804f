"""Are steps and drifts told from what the machine does, and when and how much they are?"""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from soak.detectors._course import SPEED
from soak.detectors.degradation import Params, detect, look_times
from soak.scorecard.speed_traces import SERIES, speed_trace
from soak.seams import Evidence, Finding, Floats
from soak.verdict import Status

T_S = np.arange(1.0, 3601.0)
IS_WINDOW = T_S % 10 == 0


def hour(**columns: Floats) -> Evidence:
    return Evidence(
        columns={"t_s": T_S, **columns}, totals={}, warm_until_s=180.0, planned_s=3600.0
    )


def without(evidence: Evidence, name: str) -> Evidence:
    columns = {n: column for n, column in evidence.columns.items() if n != name}
    return replace(evidence, columns=columns)


def windows(values: Floats) -> Floats:
    return np.where(IS_WINDOW, values, np.nan)


def noise(seed: int, spread: float) -> Floats:
    return np.random.default_rng(seed).normal(0, spread, T_S.size)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_step_of_a_tenth_is_found_when_and_as_large_as_it_was(seed: int):
    trace = speed_trace(seed, effect=0.10)

    finding = detect(trace.evidence, Params(series=SERIES))

    assert Status.FAIL == finding.status
    assert pytest.approx(0.10, abs=0.03) == finding.effect
    assert pytest.approx(trace.onset_s, abs=20) == finding.since_s
    assert finding.interval[0] < 0.10 < finding.interval[1]
    assert finding.details["since_low_s"] <= trace.onset_s <= finding.details["since_high_s"]
    assert "as a step" in finding.reason


@pytest.mark.parametrize("seed", range(50, 56))
def test_what_the_machine_does_is_no_degradation(seed: int):
    assert Status.PASS == detect(speed_trace(seed).evidence, Params(series=SERIES)).status


def test_a_drift_is_called_one():
    latency = windows(1e-3 * np.exp(noise(1, 0.01)) * (1 + 0.3 * T_S / 3600))
    control = 5e-5 * np.exp(noise(2, 0.03))

    finding = detect(hour(search_service_p50_s=latency, control_s=control), Params())

    assert (Status.FAIL, "drift") == (finding.status, finding.details["change"])
    assert pytest.approx(0.27, abs=0.04) == finding.effect


def test_a_slower_machine_slows_the_control_too():
    slow = 1 + 0.5 * (T_S > 2000)
    latency = windows(1e-3 * slow * np.exp(noise(1, 0.01)))
    evidence = hour(search_service_p50_s=latency, control_s=5e-5 * slow * np.exp(noise(2, 0.03)))

    assert Status.PASS == detect(evidence, Params()).status


def test_what_waiting_for_a_processor_explains_is_no_degradation():
    waits = 0.4 * (T_S > 2000)
    latency = windows(1e-3 * (1 + waits) * np.exp(noise(1, 0.01)))
    columns = {
        "search_service_p50_s": latency,
        "control_s": 5e-5 * np.exp(noise(2, 0.03)),
        "cpu_s": 0.2 * T_S,
        "cpu_wait_s": np.cumsum(0.2 * waits),
    }

    assert Status.PASS == detect(hour(**columns), Params()).status
    assert Status.FAIL == detect(without(hour(**columns), "cpu_wait_s"), Params()).status


def test_without_a_control_only_what_no_machine_does_fails():
    def stepped(ratio: float) -> Status:
        latency = windows(1e-3 * (1 + ratio * (T_S > 2000)) * np.exp(noise(1, 0.01)))
        return detect(hour(search_service_p50_s=latency), Params()).status

    assert (Status.UNKNOWN, Status.FAIL) == (stepped(0.2), stepped(1.0))


@pytest.mark.parametrize(
    ("onset_s", "busy_s", "status"),
    [(2000, 3300, Status.FAIL), (2800, 3100, Status.UNKNOWN)],
    ids=["seen before", "hardly seen"],
)
def test_a_machine_too_busy_at_the_end_hides_nothing_and_proves_nothing(
    onset_s: float, busy_s: float, status: Status
):
    busy = np.where(T_S > busy_s, 2.0, 1.0)
    latency = windows(1e-3 * busy * (1 + 0.3 * (T_S > onset_s)) * np.exp(noise(1, 0.01)))
    control = 5e-5 * busy * np.exp(noise(2, 0.03))

    finding = detect(hour(search_service_p50_s=latency, control_s=control), Params())

    assert status == finding.status


def test_what_is_over_again_is_no_degradation():
    latency = windows(1e-3 * (1 + 0.2 * ((T_S > 1500) & (T_S < 2200))) * np.exp(noise(1, 0.01)))
    evidence = hour(search_service_p50_s=latency, control_s=5e-5 * np.exp(noise(2, 0.03)))

    assert Status.PASS == detect(evidence, Params()).status


def test_more_records_may_take_longer():
    live = 5_000 + 10 * T_S
    latency = windows(1e-3 * (live / 5_000) ** 0.8 * np.exp(noise(1, 0.01)))
    control = 5e-5 * np.exp(noise(2, 0.03))
    evidence = hour(search_service_p50_s=latency, control_s=control, live_records=live)

    assert Status.PASS == detect(evidence, Params()).status
    assert Status.FAIL == detect(without(evidence, "live_records"), Params()).status


@pytest.mark.parametrize(
    ("series", "columns", "effect"),
    [
        (
            "achieved_per_s",
            {
                "achieved_per_s": windows((200 - 20 * (T_S > 2000)) * np.exp(noise(1, 0.02))),
                "offered_per_s": np.full(T_S.size, 200.0),
                "control_s": 5e-5 * np.exp(noise(2, 0.03)),
            },
            -0.10,
        ),
        ("recall", {"recall": np.clip(0.97 + noise(1, 0.03) - 0.08 * (T_S > 2000), 0, 1)}, -0.08),
        (
            "error_ratio",
            {
                "operations_total": 200 * T_S,
                "errors_total": np.cumsum(
                    np.random.default_rng(3).binomial(200, 0.001 + 0.03 * (T_S > 2000))
                ).astype(float),
            },
            0.03,
        ),
    ],
    ids=["throughput", "recall", "errors"],
)
def test_every_figure_is_watched_in_the_direction_that_is_bad(series, columns, effect):
    finding = detect(hour(**columns), Params(series=series))

    assert Status.FAIL == finding.status
    assert pytest.approx(effect, rel=0.2) == finding.effect
    assert pytest.approx(2000, abs=60) == finding.since_s


def test_what_is_better_than_before_passes():
    recall = np.clip(0.9 + noise(1, 0.03) + 0.08 * (T_S > 2000), 0, 1)

    assert Status.PASS == detect(hour(recall=recall), Params(series="recall")).status


def test_stalls_are_counted_and_too_many_fail():
    longest = windows(np.where((T_S % 900 == 0) | (T_S % 900 == 10), 2.5, 0.01))
    columns = {"recall": np.ones(T_S.size), "stall_s_max": longest}
    told = detect(hour(**columns), Params(series="recall"))
    judged = detect(hour(**columns), Params(series="recall", max_stalls=3))

    assert "4 stalls, the longest 2.5 s, the first at 00:15:00" in told.reason
    assert (Status.PASS, Status.FAIL) == (told.status, judged.status)
    assert 900.0 == judged.since_s


def test_stalls_that_decide_are_the_figure_and_may_be_the_machine_s():
    longest = windows(np.where(T_S % 900 == 0, 2.5, 0.01))
    errors = {"operations_total": 200 * T_S, "errors_total": np.zeros(T_S.size)}

    finding = detect(
        hour(stall_s_max=longest, **errors), Params(series="error_ratio", max_stalls=3)
    )

    assert (Status.FAIL, 4.0, 3.0, "stalls") == (
        finding.status,
        finding.effect,
        finding.threshold,
        finding.unit,
    )
    assert finding.reason.startswith("4 stalls, the longest 2.5 s, the first at 00:15:00")
    assert "(3 allowed); error ratio rose by 0 %" in finding.reason
    assert SPEED == finding.details["measures"]
    assert finding.interval is None


def test_a_run_of_which_the_end_was_not_measured_is_no_pass():
    evidence = speed_trace(3).evidence
    silent = np.where(evidence.columns["t_s"] > 1620, np.nan, evidence.columns[SERIES])

    finding = detect(
        replace(evidence, columns={**evidence.columns, SERIES: silent}), Params(series=SERIES)
    )

    assert Status.PASS == detect(evidence, Params(series=SERIES)).status
    assert Status.UNKNOWN == finding.status
    assert "nothing of it was measured since 00:27:00" in finding.reason


def test_a_figure_that_comes_now_and_then_is_not_silent_in_between():
    seldom = np.where((T_S % 45 == 0) & (T_S < 3380), 1e-3 * np.exp(noise(1, 0.01)), np.nan)
    control = 5e-5 * np.exp(noise(2, 0.03))

    finding = detect(hour(search_service_p50_s=seldom, control_s=control), Params())

    assert Status.PASS == finding.status


def test_a_machine_that_was_busy_for_the_last_third_lets_nothing_pass():
    busy = np.where(T_S > 2500, 3.0, 1.0)
    latency = windows(1e-3 * busy * np.exp(noise(1, 0.01)))
    control = 5e-5 * busy * np.exp(noise(2, 0.03))

    finding = detect(hour(search_service_p50_s=latency, control_s=control), Params())

    assert Status.UNKNOWN == finding.status
    assert "the machine is too far from its usual now to tell" in finding.reason


STALLING = {"stall_s_max": windows(np.where(T_S % 900 == 0, 2.5, 0.01))}


@pytest.mark.parametrize(
    "columns",
    [{}, {"recall": np.where(T_S % 600 == 0, 1.0, np.nan)}],
    ids=["not measured", "too few"],
)
def test_stalls_are_judged_whatever_is_known_of_the_series(columns: dict[str, Floats]):
    def judged(most: int) -> Finding:
        params = Params(series="recall", max_stalls=most)
        return detect(hour(**columns, **STALLING), params)

    assert (Status.FAIL, 900.0) == (judged(3).status, judged(3).since_s)
    assert (Status.UNKNOWN, 4.0) == (judged(4).status, judged(4).details["stalls"])


@pytest.mark.parametrize(
    "unseen",
    [{}, {"stall_s_max": np.where(T_S < 180, 2.5, np.nan)}],
    ids=["no column", "warm-up alone"],
)
def test_stalls_that_were_not_measured_pass_no_check(unseen: dict[str, Floats]):
    columns = {"recall": np.ones(T_S.size), **unseen}
    told = detect(hour(**columns), Params(series="recall"))
    judged = detect(hour(**columns), Params(series="recall", max_stalls=3))

    assert (Status.PASS, Status.UNKNOWN) == (told.status, judged.status)
    assert "stalls" not in told.details
    assert judged.reason.endswith("; stalls not measured")


def test_a_figure_that_strays_by_any_factor_tells_nothing():
    wild = windows(1e-3 * np.exp(noise(1, 2.0)))
    finding = detect(
        hour(search_service_p50_s=wild, control_s=5e-5 * np.exp(noise(2, 0.03))), Params()
    )

    assert Status.UNKNOWN == finding.status
    assert "strays too much" in finding.reason


def test_little_or_nothing_measured_is_unknown():
    few = hour(search_service_p50_s=np.where(T_S % 600 == 0, 1e-3, np.nan))
    short = hour(search_service_p50_s=np.where(IS_WINDOW & (T_S < 600), 1e-3, np.nan))

    assert "not measured" in detect(hour(), Params()).reason
    assert "windows of search_service_p50_s" in detect(few, Params()).reason
    assert "are needed to tell a change" in detect(short, Params()).reason
    assert Status.UNKNOWN == detect(short, Params()).status


def test_a_series_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(ValidationError, match="search_service_p50_s"):
        Params(series="search_servce_p50_s")


@pytest.mark.parametrize(
    ("series", "operation"),
    [
        ("store_batch_p99_s", "store_batch"),
        ("get_service_p50_s", "get"),
        ("recall", "search"),
        ("error_ratio", None),
        ("achieved_per_s", None),
    ],
)
def test_a_series_knows_its_operation(series: str, operation: str | None):
    assert ({"series": operation} if operation else {}) == Params(series=series).asks_of


def test_looks_begin_after_warm_up_and_end_before_now():
    assert [1035.0, 1117.8] == pytest.approx(look_times(hour(), 1180.0))
