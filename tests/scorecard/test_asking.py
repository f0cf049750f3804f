"""Does the scorecard ask as often as a run does, and tell what a run says at its end?"""

from dataclasses import dataclass

import pytest

from soak.detectors import leak
from soak.judge.judge import Judge
from soak.scorecard import leaks, speed
from soak.scorecard.asking import ask_times
from soak.scorecard.crew import Alone
from soak.scorecard.leak_traces import HEAP, LEAKS
from soak.seams import Evidence


@dataclass(frozen=True)
class Check:
    name: str = "leak"
    detector: str = "leak"
    params: object = leak.Params()
    needs: float = 0.0
    phases: None = None


@pytest.mark.parametrize("hours", [0.2, 1.0, 8.0])
def test_a_detector_is_asked_when_the_judge_asks_it(hours: float):
    planned_s = 3600 * hours
    judge = Judge([Check()], planned_s)
    asked: dict[int, float] = {}
    said = []
    for second in range(1, round(planned_s) + 1):
        totals = {"elapsed_s": float(second)}
        # An answer that still stands is the very same one.
        said += judge.judge(
            Evidence(columns={}, totals=totals, warm_until_s=0, planned_s=planned_s)
        )
        asked.setdefault(id(said[-1]), float(second))

    expected = ask_times(planned_s, leak.PERIOD_S)
    assert expected[-1] == planned_s == list(asked.values())[-1]
    assert len(expected) == pytest.approx(len(asked), abs=2)


@pytest.mark.slow
def test_what_a_run_says_at_its_end_stands_beside_what_it_said_on_the_way():
    plan = leaks.Plan(clean={}, asked={1 / 6: 5}, leaking={(8.0, 0.03): 6})
    rows = {(r.figure, r.case): r for r in leaks.measure(plan, 100, Alone())}
    case = "used heap, 3 %/h in 8 h"
    alarmed = rows["alarm at one of the looks", case]
    failed = rows["failed at the end", case]

    assert alarmed.goal == failed.goal is not None
    assert 0 < failed.value < alarmed.value
    assert 5 == rows["false alarms, asked as in a run", "used heap, 10 min"].tried


@pytest.mark.slow
def test_a_large_leak_alarms_when_a_run_asks_and_a_clean_one_does_not():
    clean = leaks.Case(seed=5, live="holding", hours=1.0, share=0.0, leak=LEAKS[0], column=HEAP)
    leaking = leaks.Case(seed=5, live="holding", hours=1.0, share=3.0, leak=LEAKS[0], column=HEAP)

    assert [False, True] == [leaks.is_ever_alarmed(clean), leaks.is_ever_alarmed(leaking)]


@pytest.mark.slow
def test_a_large_step_alarms_when_a_run_asks_and_a_clean_hour_does_not():
    clean, slower = speed.Case(seed=3, hours=1.0), speed.Case(seed=3, hours=1.0, effect=0.3)

    assert [False, True] == [speed.is_ever_alarmed(clean), speed.is_ever_alarmed(slower)]
    assert speed.watch(slower).is_failed
