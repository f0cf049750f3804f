"""Did failures use up an error budget too fast? A burn rate, over a long and a short window.

    burn = share of failed operations / share that may fail (1 - objective)

It fails where at some moment after warm-up both windows burned faster than `rate`, as an alert
would have fired: the long one says that it matters, the short one that it still went on. Source:
Beyer et al., The Site Reliability Workbook (2018), ch. 5, "Multiwindow, Multi-Burn-Rate Alerts",
whose figures are the defaults: 14.4 over an hour is a fiftieth of the budget of 30 days.
"""

from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from soak.detectors._sliding import has_room, judged, risen, spacing_s, span_s
from soak.detectors._totals import WRITTEN, parse_bound
from soak.scenario.quantities import Duration
from soak.seams import Evidence, Finding, Floats
from soak.sentences import clock_time, figure
from soak.verdict import Concern, Status

CONCERN = Concern.OBJECTIVE
FAILED, DONE = "errors_total", "operations_total"
UNIT = "times"

Kept = Annotated[
    float,
    BeforeValidator(lambda written: parse_bound(written, "ratio")),
    Field(gt=0, lt=1),
    WRITTEN,
]


class Params(BaseModel):
    """Failed are operations that raised or took longer than the target's timeout."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    objective: Kept = Field(description="Share of operations that must not fail: 99.9%.")
    long: Duration = Field(3600.0, gt=0, description="The window that says that it matters.")
    short: Duration = Field(300.0, gt=0, description="The window that says that it goes on.")
    rate: float = Field(14.4, gt=0, description="How many times as fast as it may, at most.")
    min_operations: int = Field(20, ge=1, description="Short windows with fewer say nothing.")

    @property
    def budget(self) -> float:
        """Share of operations that may fail."""
        return 1 - self.objective

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if self.short >= self.long:
            raise ValueError("short has to be shorter than long; a twelfth of it is usual")
        if self.rate * self.budget >= 1:
            most = figure(1 / self.budget, "times")
            raise ValueError(
                f"rate {self.rate:g} can never be exceeded: were all operations to fail, "
                f"{figure(self.objective, 'ratio')} would burn {most} as fast as it may"
            )
        return self


def detect(evidence: Evidence, params: Params) -> Finding:
    """Pass, fail or unknown; the effect is the worst burn that both windows had at one moment."""
    if FAILED not in evidence.columns or DONE not in evidence.columns:
        return _unknown("failed operations were not measured")
    seen = judged(evidence)
    if not has_room(seen, params.long):
        so_far = f"{figure(span_s(seen), 's')} after warm-up"
        return _unknown(f"no window of {figure(params.long, 's')} is over yet, {so_far}")
    if spacing_s(seen) > params.short:
        apart = figure(spacing_s(seen), "s")
        return _unknown(f"samples of so long a run stand {apart} apart, too far for the windows")
    long = _burn(seen, params, params.long)
    short = _burn(seen, params, params.short)
    short[risen(seen, DONE, params.short) < params.min_operations] = np.nan
    both = np.minimum(long, short)
    if np.isnan(both).all():
        return _unknown(f"no window had {params.min_operations} operations")
    return _judged(seen.columns["t_s"], both, params)


def _judged(t_s: Floats, both: Floats, params: Params) -> Finding:
    at = int(np.nanargmax(both))
    worst, is_bad = float(both[at]), both > params.rate
    over = f"over {figure(params.long, 's')} and the last {figure(params.short, 's')} of it"
    burned = f"failures burned the budget of {figure(params.budget, 'ratio')}"
    fast = f"{figure(worst, UNIT)} as fast as it may, {over}, at {clock_time(t_s[at])}"
    since_s = float(t_s[np.argmax(is_bad)]) if is_bad.any() else None
    bound = figure(params.rate, UNIT)
    when = "" if since_s is None else f", first at {clock_time(since_s)}"
    return Finding(
        status=Status.PASS if since_s is None else Status.FAIL,
        reason=f"{burned} {fast}, {'not above' if since_s is None else 'above'} {bound}{when}",
        effect=worst,
        threshold=params.rate,
        unit=UNIT,
        since_s=since_s,
    )


def _burn(evidence: Evidence, params: Params, window_s: float) -> Floats:
    done = risen(evidence, DONE, window_s)
    share: Floats = risen(evidence, FAILED, window_s) / np.where(done > 0, done, np.nan)
    return share / params.budget


def _unknown(why: str) -> Finding:
    return Finding(status=Status.UNKNOWN, reason=f"how fast failures burn is unknown: {why}")
