"""Is it the worst stretch that is judged, and a whole one?"""

import numpy as np
import pytest
from pydantic import ValidationError

from soak.detectors.worst_window import Params, detect
from soak.scenario.quantities import FROM_TEXT
from soak.seams import Evidence, Finding
from soak.verdict import Status

LENGTH_S = 1_000


def judged(warm_s: float = 0.0, **asked: object) -> Finding:
    """A p99 every ten seconds: 10 ms, and 100 ms from 500 s to 560 s; a tenth fails just then."""
    t_s = np.arange(1.0, LENGTH_S + 1)
    is_bad = (t_s > 500) & (t_s <= 560)
    columns = {
        "t_s": t_s,
        "search_p99_s": np.where(t_s % 10 == 0, np.where(is_bad, 0.1, 0.01), np.nan),
        "achieved_per_s": np.where(t_s % 10 == 0, np.where(is_bad, 50.0, 100.0), np.nan),
        "operations_total": t_s * 100,
        "errors_total": np.cumsum(is_bad * 10.0),
        "evicted_total": t_s * 4,
    }
    seen = Evidence(columns=columns, totals={}, warm_until_s=warm_s, planned_s=LENGTH_S)
    return detect(seen, Params.model_validate(asked, context=FROM_TEXT))


@pytest.mark.parametrize(
    ("asked", "status", "effect"),
    [
        ({"series": "search_p99_s", "window": "1m", "max": "90ms"}, Status.FAIL, 0.1),
        ({"series": "search_p99_s", "window": "2m", "max": "60ms"}, Status.PASS, 0.055),
        ({"series": "search_p99_s", "window": "5m", "max": "30ms"}, Status.PASS, 0.028),
        ({"series": "achieved_per_s", "window": "2m", "min": "80/s"}, Status.FAIL, 75.0),
        ({"series": "achieved_per_s", "window": "2m", "min": "70/s"}, Status.PASS, 75.0),
        (
            {"series": "errors_total", "per": "operations_total", "window": "2m", "max": "4%"},
            Status.FAIL,
            0.05,
        ),
        ({"series": "evicted_total", "window": "2m", "max": "5/s"}, Status.PASS, 4.0),
        ({"series": "evicted_total", "window": "2m", "min": "3/s", "max": "5/s"}, Status.PASS, 4.0),
        ({"series": "evicted_total", "window": "2m", "min": "5/s", "max": "6/s"}, Status.FAIL, 4.0),
    ],
)
def test_the_worst_window_decides(asked: dict[str, object], status: Status, effect: float) -> None:
    found = judged(**asked)

    assert (status, pytest.approx(effect)) == (found.status, found.effect)


def test_it_says_which_window_and_when_it_began() -> None:
    found = judged(series="search_p99_s", window="2m", max="50ms")

    assert (
        "search_p99_s is 55 ms in the worst 00:02:00, until 00:09:20, above 50 ms, "
        "first at 00:09:20"
    ) == found.reason
    assert 560.0 == found.since_s


def test_warm_up_and_the_window_it_ended_in_are_not_judged() -> None:
    """The figure at 560 s is of the ten seconds before it."""
    found = judged(warm_s=560.0, series="search_p99_s", window="1m", max="90ms")

    assert (Status.PASS, pytest.approx(0.01)) == (found.status, found.effect)


def test_without_a_whole_window_or_a_figure_it_is_unknown() -> None:
    asked = {"series": "search_p99_s", "max": "1s"}

    early = judged(warm_s=900.0, **asked, window="5m")
    assert "no window of 00:05:00 is over yet, 100 s after warm-up" == early.reason
    absent = judged(series="get_p99_s", max="1s")
    assert "get_p99_s not measured" == absent.reason
    assert {Status.UNKNOWN} == {early.status, absent.status}


def test_a_run_as_long_as_the_window_has_one() -> None:
    assert Status.PASS is judged(series="search_p99_s", window="1000s", max="30ms").status


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"series": "search_p99_s"}, "there is no bound"),
        ({"series": "search_p99_s", "max": "5%"}, "a duration: 50ms"),
        ({"series": "search_p99_s", "min": "2s", "max": "1s"}, "nothing can pass"),
        ({"series": "search_p99_s", "per": "operations_total", "max": 1.0}, "end in _total"),
    ],
)
def test_what_says_nothing_is_refused(asked: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        judged(**asked)
