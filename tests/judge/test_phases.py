"""Is what a check sees the time of its phases, no row more and none less?"""

from dataclasses import dataclass

import numpy as np
import pytest

from soak.judge.phases import Span, spans, within
from soak.seams import Evidence


@dataclass(frozen=True)
class Phase:
    name: str
    duration: float


PHASES = [Phase("a", 10.0), Phase("b", 20.0), Phase("c", 5.0), Phase("d", 1.0)]
NAN = float("nan")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), ()),
        (("a",), ((0.0, 10.0),)),
        (("c", "b"), ((10.0, 35.0),)),
        (("d", "a", "b"), ((0.0, 30.0), (35.0, 36.0))),
        (("a", "b", "c", "d"), ((0.0, 36.0),)),
        (("gone",), ()),
    ],
)
def test_phases_that_adjoin_are_one_span(
    names: tuple[str, ...], expected: tuple[Span, ...]
) -> None:
    assert expected == spans(PHASES, names)


def cut(*names: str, t_s: tuple[float, ...] = (5.0, 10.0, 15.0, 30.0, 35.0, 36.0)) -> Evidence:
    columns = {"t_s": np.array(t_s), "seen": np.arange(float(len(t_s)))}
    whole = Evidence(columns=columns, totals={"count": 9.0}, warm_until_s=2.0, planned_s=36.0)
    return within(whole, spans(PHASES, names))


@pytest.mark.parametrize(
    ("names", "t_s", "seen", "between_s"),
    [
        ((), [5, 10, 15, 30, 35, 36], [0, 1, 2, 3, 4, 5], (2, 36)),
        (("a",), [5, 10], [0, 1], (2, 10)),
        (("b",), [15, 30], [2, 3], (10, 30)),
        (("b", "c"), [15, 30, 35], [2, 3, 4], (10, 35)),
        (("a", "c"), [5, 10, 15, 30, 35], [0, 1, NAN, NAN, 4], (2, 35)),
    ],
)
def test_rows_of_the_phases_are_left(
    names: tuple[str, ...], t_s: list[float], seen: list[float], between_s: tuple[float, float]
) -> None:
    found = cut(*names)

    assert t_s == found.columns["t_s"].tolist()
    np.testing.assert_array_equal(seen, found.columns["seen"])
    assert between_s == (found.warm_until_s, found.planned_s)
    assert {"count": 9.0} == found.totals


def test_before_the_phases_there_is_nothing() -> None:
    assert [] == cut("b", t_s=(5.0,)).columns["t_s"].tolist()
    nothing = Evidence(columns={}, totals={}, warm_until_s=0.0, planned_s=36.0)
    assert nothing == within(nothing, spans(PHASES, ["b"]))
