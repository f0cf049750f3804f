"""Do two runs that take turns get the same operations, each in its own time?"""

from collections.abc import Mapping

import numpy as np
import pytest

from soak.clock import NS_PER_S
from soak.load.turns import LEAD_S, beginning
from soak.load.workload import Workload
from soak.scenario import Scenario, ScenarioError, Turns, resolve
from tests.load.test_workload import MIX, blocks, column

EVERY_S = 0.5


def scenario(
    turns: Mapping[str, object] | None,
    duration: str,
    arrivals: str = "poisson",
) -> Scenario:
    phases = [
        {"name": name, "duration": duration, "arrivals": arrivals, "mix": MIX}
        for name in ("one", "two")
    ]
    tree = {"name": "test", "seed": 5, "rate": "1000/s", "target": "null", "phases": phases}
    return resolve({**tree, "population": {"keys": 2000}, "turns": turns}, "test")


class SetClock:
    """A clock that stands still."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def monotonic_ns(self) -> int:
        return round(self.now_s * NS_PER_S)

    def wall_s(self) -> float:
        return 1_000.0 + self.now_s

    def sleep_s(self, duration_s: float) -> None:
        self.now_s += duration_s


@pytest.mark.parametrize("arrivals", ["poisson", "constant"])
def test_in_turns_come_the_same_operations_with_a_rest_between(arrivals: str) -> None:
    ever = blocks(scenario(None, "2s", arrivals))
    by_turns = blocks(scenario({"every": "500ms"}, "4s", arrivals))

    for name in ("operation", "argument"):
        assert column(ever, name).tobytes() == column(by_turns, name).tobytes()
    due_s = column(by_turns, "due_s")
    # As much later as the turns of the other that came before; a turn ends where a rest begins.
    worked_s = column(ever, "due_s")
    assert due_s == pytest.approx(worked_s + np.floor(worked_s / EVERY_S) * EVERY_S)
    assert (due_s % (2 * EVERY_S) <= EVERY_S + 1e-9).all()


def test_what_is_asked_for_is_half_of_the_rate_over_both_turns() -> None:
    workload = Workload(scenario({"every": "500ms"}, "4s"))

    assert [500.0, 500.0] == [workload.offered_rate(at_s) for at_s in (0.2, 0.7)]


@pytest.mark.parametrize(("is_second", "remainder_s"), [(False, 0.0), (True, 5.0)])
@pytest.mark.parametrize("now_s", [3.0, 104.9, 109.8, 110.0])
def test_each_begins_where_its_turn_does(is_second: bool, remainder_s: float, now_s: float) -> None:
    clock = SetClock(now_s)
    begin_ns, wall_s = beginning(Turns(every=5.0, is_second=is_second), clock)

    begin_s = begin_ns / NS_PER_S
    assert remainder_s == pytest.approx(begin_s % 10)
    assert now_s + LEAD_S <= begin_s < now_s + LEAD_S + 10
    assert 1_000.0 + begin_s == pytest.approx(wall_s)


def test_without_turns_a_run_begins_at_once() -> None:
    assert beginning(None, SetClock(7.0))[0] == round((7.0 + LEAD_S) * NS_PER_S)


@pytest.mark.parametrize(
    ("duration", "arrivals", "said"),
    [
        ("3500ms", "poisson", "is no multiple of 1s, a turn of each"),
        ("4s", "closed", "know of no turns"),
    ],
)
def test_turns_that_cannot_be_are_refused(duration: str, arrivals: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        scenario({"every": "500ms"}, duration, arrivals)
