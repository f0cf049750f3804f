"""Does it fail where an alert would have fired, and only there?"""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from soak.detectors.burn_rate import Params, detect
from soak.seams import Evidence
from soak.verdict import Status

RATE = 100.0
HOURS_S = 3 * 3600.0
BAD_FROM_S = 5_000.0
THREE_NINES = Params(objective=0.999)


def evidence(
    bad_s: float, share: float, *, step_s: float = 1.0, rate: float = RATE, warm_s: float = 0.0
) -> Evidence:
    """Three hours in which that share failed for so long, from BAD_FROM_S on."""
    t_s = np.arange(step_s, HOURS_S + step_s / 2, step_s)
    failed = np.clip(t_s - BAD_FROM_S, 0, bad_s) * rate * share
    columns = {"t_s": t_s, "operations_total": t_s * rate, "errors_total": failed}
    return Evidence(columns=columns, totals={}, warm_until_s=warm_s, planned_s=HOURS_S)


@pytest.mark.parametrize("step_s", [1.0, 64.0])
@pytest.mark.parametrize(
    ("bad_s", "share", "status"),
    [
        (0.0, 0.0, Status.PASS),
        (HOURS_S, 0.001, Status.PASS),  # burns at 1
        (HOURS_S, 0.0144, Status.PASS),
        (HOURS_S, 0.016, Status.FAIL),
        (30.0, 1.0, Status.PASS),  # 30 s of an hour are a burn of 8.3
        (70.0, 1.0, Status.FAIL),  # and 70 s one of 19.4
        (600.0, 0.05, Status.PASS),  # of the short window 50, of the long one 8.3
    ],
)
def test_both_windows_have_to_burn(
    bad_s: float, share: float, status: Status, step_s: float
) -> None:
    assert status is detect(evidence(bad_s, share, step_s=step_s), THREE_NINES).status


def test_the_effect_is_the_burn_that_both_windows_had() -> None:
    found = detect(evidence(72.0, 1.0), THREE_NINES)

    assert pytest.approx(20.0) == found.effect
    assert 14.4 == found.threshold
    # 1.44 % of an hour is 51.84 s: in the next second it is too much.
    assert BAD_FROM_S + 52 == found.since_s
    assert (
        "failures burned the budget of 0.1 % 20 times as fast as it may, over 01:00:00 and the "
        "last 00:05:00 of it, at 01:24:32, above 14.4 times, first at 01:24:12"
    ) == found.reason


def test_what_went_on_in_warm_up_is_not_judged() -> None:
    warm = evidence(72.0, 1.0, warm_s=BAD_FROM_S + 100)

    assert (Status.PASS, 0.0) == (
        detect(warm, THREE_NINES).status,
        detect(warm, THREE_NINES).effect,
    )


def test_before_the_long_window_is_full_it_is_unknown() -> None:
    short = detect(evidence(0.0, 0.0, warm_s=HOURS_S - 600), THREE_NINES)

    assert Status.UNKNOWN is short.status
    assert "no window of 01:00:00 is over yet, 00:10:00 after warm-up" in short.reason


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (evidence(0.0, 0.0, rate=0.01), "no window had 20 operations"),
        (evidence(0.0, 0.0, step_s=400.0), "stand 00:06:40 apart"),
        (replace(evidence(0.0, 0.0), columns={"t_s": np.ones(1)}), "not measured"),
    ],
)
def test_what_cannot_be_told_is_unknown(seen: Evidence, words: str) -> None:
    found = detect(seen, THREE_NINES)

    assert Status.UNKNOWN is found.status
    assert words in found.reason


def test_a_window_over_time_that_is_not_judged_says_nothing() -> None:
    """Between two phases that are judged everything failed, and nobody asked."""
    seen = evidence(300.0, 1.0)
    t_s = seen.columns["t_s"]
    hidden = (t_s > BAD_FROM_S) & (t_s <= BAD_FROM_S + 300)
    columns = {name: np.where(hidden, np.nan, each) for name, each in seen.columns.items()}
    found = detect(replace(seen, columns={**columns, "t_s": t_s}), THREE_NINES)

    assert (Status.PASS, 0.0) == (found.status, found.effect)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"objective": "90%"}, "rate 14.4 can never be exceeded"),
        ({"objective": "99.9%", "long": 300.0}, "short has to be shorter than long"),
        ({"objective": "often"}, "is no bound here"),
        ({"objective": "100%"}, "less than 1"),
        ({}, "objective"),
    ],
)
def test_what_could_never_fail_is_refused(params: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Params.model_validate(params)


def test_an_objective_is_written_as_a_share() -> None:
    assert pytest.approx(0.001) == Params.model_validate({"objective": "99.9%"}).budget
