"""Was an objective kept at all times? The worst sliding window of a series, against a bound.

    {series: search_p99_s, window: 5m, max: 50ms}           the mean of its figures in the window
    {series: errors_total, per: operations_total, window: 5m, max: 1%}    a counter by another one
    {series: evicted_total, window: 1m, max: 100/s}         a counter by time

A quantile of a window cannot be had from those of its parts: of a series of quantiles it is their
mean that is judged.
"""

from typing import Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from soak.detectors._columns import Column
from soak.detectors._sliding import has_room, judged, mean, risen, span_s
from soak.detectors._totals import Bound, parse_bound, unit_of
from soak.result import OPERATIONS
from soak.scenario.quantities import Duration
from soak.seams import Evidence, Finding, Floats
from soak.sentences import clock_time, figure
from soak.verdict import Concern, Status

CONCERN = Concern.OBJECTIVE
COUNTER = "_total"


def _unit(series: str, per: str | None) -> str:
    if per is not None:
        return "ratio"
    return "1/s" if series.endswith(COUNTER) else unit_of(series)


class Params(BaseModel):
    """series and per are columns of samples.csv; min, max or both."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    series: Column = Field(description="The figure; what ends in _total is a counter.")
    per: Column | None = Field(None, description="The counter it is divided by, a counter too.")
    window: Duration = Field(300.0, gt=0, description="How long the windows are.")
    min: Bound | None = None
    max: Bound | None = None

    @property
    def is_latency(self) -> bool:
        """Whether the series counts from when operations were due, and so the tester's lateness."""
        operation, _, quantile = self.series.partition("_p")
        return operation in OPERATIONS and quantile in ("50_s", "99_s")

    @field_validator("min", "max", mode="before")
    @classmethod
    def _in_base_units(cls, written: object, known: ValidationInfo) -> object:
        return parse_bound(written, _unit(str(known.data.get("series")), known.data.get("per")))

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.per is not None and not (
            self.series.endswith(COUNTER) and self.per.endswith(COUNTER)
        ):
            raise ValueError(f"per divides counters, and their names end in {COUNTER}")
        if self.min is None and self.max is None:
            raise ValueError("there is no bound: give min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: nothing can pass")
        return self


def detect(evidence: Evidence, params: Params) -> Finding:
    """Pass, fail or unknown; the effect is the worst window's figure."""
    absent = [c for c in (params.series, params.per) if c and c not in evidence.columns]
    if absent:
        return Finding(status=Status.UNKNOWN, reason=f"{' and '.join(absent)} not measured")
    seen = judged(evidence)
    if not has_room(seen, params.window):
        long, since = figure(params.window, "s"), figure(span_s(seen), "s")
        reason = f"no window of {long} is over yet, {since} after warm-up"
        return Finding(status=Status.UNKNOWN, reason=reason)
    figures = _figures(seen, params)
    if np.isnan(figures).all():
        reason = f"{params.series} has no figure in any window of {figure(params.window, 's')}"
        return Finding(status=Status.UNKNOWN, reason=reason)
    return _judged(seen.columns["t_s"], figures, params)


def _figures(evidence: Evidence, params: Params) -> Floats:
    """Of the window before each row."""
    if not params.series.endswith(COUNTER):
        return mean(evidence, params.series, params.window)
    rise = risen(evidence, params.series, params.window)
    if params.per is None:
        t_s = evidence.columns["t_s"]
        return rise / np.where(t_s > t_s[0], np.minimum(t_s - t_s[0], params.window), np.nan)
    below = risen(evidence, params.per, params.window)
    return rise / np.where(below > 0, below, np.nan)


def _judged(t_s: Floats, figures: Floats, params: Params) -> Finding:
    highest, lowest = int(np.nanargmax(figures)), int(np.nanargmin(figures))
    is_above = params.max is not None and figures[highest] > params.max
    is_below = params.min is not None and figures[lowest] < params.min
    is_upper = is_above or (params.max is not None and not is_below)
    bound = params.max if is_upper else params.min
    assert bound is not None
    at = highest if is_upper else lowest
    side = "above" if is_upper else "below"
    is_bad = figures > bound if is_upper else figures < bound
    since_s = float(t_s[np.argmax(is_bad)]) if is_bad.any() else None
    unit, value = _unit(params.series, params.per), float(figures[at])
    name = params.series if params.per is None else f"{params.series} per {params.per}"
    said = f"{name} is {figure(value, unit)} in the worst {figure(params.window, 's')}"
    kept = f"{'not ' if since_s is None else ''}{side} {figure(bound, unit)}"
    when = "" if since_s is None else f", first at {clock_time(since_s)}"
    return Finding(
        status=Status.PASS if since_s is None else Status.FAIL,
        reason=f"{said}, until {clock_time(t_s[at])}, {kept}{when}",
        effect=value,
        threshold=bound,
        unit=unit,
        since_s=since_s,
    )
