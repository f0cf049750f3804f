"""What was measured, and does it meet its goal? One row per figure, and the exit code of all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from soak.scorecard.proportions import Interval, of_median, rarely, wilson
from soak.verdict import ExitCode

Answer = Literal["met", "missed", "open", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """At most or at least that; exactly one of the two."""

    at_most: float | None = None
    at_least: float | None = None

    def met_by(self, value: float) -> bool:
        if self.at_most is not None:
            return value <= self.at_most
        return self.at_least is not None and value >= self.at_least


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. interval: 95 %; tried: how many runs, events or hours it rests on.

    unit: share, s, h, per_hour, ratio. A figure without a goal is shown for what it is.
    """

    area: str
    figure: str
    case: str
    value: float
    interval: Interval
    unit: str
    tried: float
    goal: Goal | None = None

    @property
    def answer(self) -> Answer:
        """met or missed where the whole interval says so; open: too few runs to tell."""
        if self.goal is None:
            return ""
        agree = {self.goal.met_by(value) for value in (self.value, *self.interval)}
        if len(agree) > 1:
            return "open"
        return "met" if agree.pop() else "missed"


def share(area: str, figure: str, case: str, hits: Sequence[bool], goal: Goal | None = None) -> Row:
    """A share of runs or events, with Wilson's interval; nan where there was none."""
    n, of = sum(hits), len(hits)
    value = n / of if of else float("nan")
    return Row(
        area=area,
        figure=figure,
        case=case,
        value=value,
        interval=wilson(n, of),
        unit="share",
        tried=of,
        goal=goal if of else None,
    )


def per_hour(
    area: str, figure: str, case: str, hits: int, hours: float, goal: Goal | None = None
) -> Row:
    return Row(
        area=area,
        figure=figure,
        case=case,
        value=hits / hours,
        interval=rarely(hits, hours),
        unit="per_hour",
        tried=hours,
        goal=goal,
    )


def median(
    area: str,
    figure: str,
    case: str,
    values: Sequence[float],
    unit: str,
    goal: Goal | None = None,
) -> Row:
    """A median; nan, and no goal, where there is no value."""
    return Row(
        area=area,
        figure=figure,
        case=case,
        value=float(np.median(values)) if values else float("nan"),
        interval=of_median(values),
        unit=unit,
        tried=len(values),
        goal=goal if values else None,
    )


def exit_code(rows: Iterable[Row]) -> ExitCode:
    """Objective where a goal is missed, unknown where it is open whether one is met."""
    answers = {row.answer for row in rows}
    if "missed" in answers:
        return ExitCode.OBJECTIVE
    return ExitCode.UNKNOWN if "open" in answers else ExitCode.PASS


def document(rows: Iterable[Row], seed: int) -> Mapping[str, object]:
    """As JSON can say it."""
    return {"seed": seed, "rows": [{**asdict(row), "answer": row.answer} for row in rows]}
