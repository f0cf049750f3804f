"""Are figures said with the right interval, and is a goal met only by what meets it?"""

import math

import pytest

from soak.scorecard.card import Goal, Row, exit_code, median, share
from soak.scorecard.proportions import of_median, rarely, wilson
from soak.scorecard.table import said
from soak.verdict import ExitCode

RARE = Goal(at_most=0.003)


def test_wilson_agrees_with_the_published_example():
    # Newcombe (1998), table I: 81 of 263.
    assert pytest.approx((0.2553, 0.3662), abs=1e-4) == wilson(81, 263)
    assert pytest.approx((0.0, 0.0037), abs=1e-4) == wilson(0, 1032)
    assert (0.0, 1.0) == wilson(0, 0)


def test_the_interval_of_a_median_lies_at_order_statistics():
    assert (-math.inf, math.inf) == of_median([1.0, 2.0])
    low, high = of_median([float(n) for n in range(100)])
    assert 39 <= low < 49 < high <= 60


def test_rare_events_have_an_upper_bound_even_when_none_was_seen():
    low, high = rarely(0, 100.0)

    assert 0.0 == low
    assert 0.03 < high < 0.05


@pytest.mark.parametrize(
    ("alarms", "runs", "answer", "code"),
    [
        (0, 2_000, "met", ExitCode.PASS),
        (0, 100, "open", ExitCode.UNKNOWN),
        (1, 100, "open", ExitCode.UNKNOWN),
        (20, 100, "missed", ExitCode.OBJECTIVE),
    ],
)
def test_a_goal_is_met_or_missed_only_when_the_interval_says_so(
    alarms: int, runs: int, answer: str, code: ExitCode
):
    row = share("leaks", "false alarms", "1 h", [i < alarms for i in range(runs)], RARE)

    assert (answer, code) == (row.answer, exit_code([row]))


def test_what_was_not_seen_has_no_figure_and_no_goal():
    empty: list[Row] = [median("x", "y", "z", [], "s", RARE), share("x", "y", "z", [], RARE)]

    assert [("", True), ("", True)] == [(row.answer, math.isnan(row.value)) for row in empty]
    assert ExitCode.PASS == exit_code(empty)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0031, "share", "0.31 %"),
        (0.5, "per_hour", "0.5/h"),
        (3.0, "s", "3 s"),
        (math.inf, "h", "–"),
    ],
)
def test_figures_are_said_in_their_unit(value: float, unit: str, text: str):
    assert text == said(value, unit)
