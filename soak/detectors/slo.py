"""Is an objective kept? A quantile of an operation, or any total, against a bound.

    {operation: search, quantile: p99, max: 50ms}            what callers felt, over the whole run
    {total: achieved_per_s, min: 100/s, of: offered_per_s, share: 0.99}
    {total: error_count, per: count, max: 0.1%}
    {total: recall_mean, min: 0.95, samples: recall_samples, min_samples: 20}

Too few results to tell is unknown. Quantiles are those of all results after warm-up; the windows
of the series say since when a bound has been broken.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from soak.detectors._totals import Bound, Total, operation_of, parse_bound, unit_of
from soak.result import OPERATIONS
from soak.seams import Evidence, Finding, Floats
from soak.sentences import clock_time, count, figure
from soak.verdict import Concern, Status

CONCERN = Concern.OBJECTIVE

# Results needed before a quantile says anything: about two of them must lie above it.
NEEDED = {"mean": 20, "p50": 20, "p95": 40, "p99": 200, "p999": 2000, "max": 1}

SHARE = 0.99

# Totals that read badly by their names.
SAID = {
    "count": "operations",
    "error_count": "failed operations",
    "achieved_per_s": "achieved rate",
    "offered_per_s": "offered rate",
}

# From then on nearly all windows were bad: "since". Otherwise the trouble comes and goes.
SINCE_SHARE = 0.8


def _known(operation: str) -> str:
    if operation not in OPERATIONS:
        raise ValueError(f"{operation!r} is no operation; there are {', '.join(OPERATIONS)}")
    return operation


class Params(BaseModel):
    """Either operation and quantile, or total; and min, max or both."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    operation: Annotated[str, AfterValidator(_known)] | None = Field(
        None, description="Which operation's time.", json_schema_extra={"enum": [*OPERATIONS, None]}
    )
    quantile: Literal["mean", "p50", "p95", "p99", "p999", "max"] = "p99"
    measure: Literal["latency", "service"] = Field(
        "latency", description="From when it was due (latency) or from its start (service)."
    )
    total: Total | None = Field(None, description="A total of the run, instead of an operation.")
    per: Total | None = Field(None, description="Divide the total by this one.")
    min: Bound | None = None
    max: Bound | None = None
    of: Total | None = Field(None, description="With share: min is at most this total's share.")
    share: float = Field(SHARE, gt=0, le=1)
    samples: Total | None = Field(None, description="The total that says how much was seen.")
    min_samples: int | None = Field(None, ge=1)

    @field_validator("min", "max", mode="before")
    @classmethod
    def _in_base_units(cls, written: object, known: ValidationInfo) -> object:
        total, per = known.data.get("total"), known.data.get("per")
        unit = "ratio" if per else unit_of(total) if total else "s"
        return parse_bound(written, unit)

    @property
    def asks_of(self) -> Mapping[str, str]:
        """By parameter, whose results it names: without that operation it is never known."""
        named = {"operation": self.operation} if self.operation else {}
        for name in ("total", "per", "of", "samples"):
            operation = operation_of(getattr(self, name) or "")
            named |= {name: operation} if operation else {}
        return named

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.operation is None) == (self.total is None):
            raise ValueError("name an operation or a total, one of them")
        of_totals = [name for name in ("per", "of", "samples") if getattr(self, name) is not None]
        if self.operation is not None and of_totals:
            raise ValueError(f"{' and '.join(of_totals)} go with a total, not with an operation")
        # What a scenario leaves out stands in the resolved one that a run keeps.
        if self.of is None and self.share != SHARE:
            raise ValueError("a share needs a total that it is of: give of, or leave share out")
        if self.min is None and self.max is None and self.of is None:
            raise ValueError("there is no bound: give min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: nothing can pass")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is compared. label: for people; column: where its windows stand, if anywhere."""

    label: str
    value: float
    unit: str
    column: str
    seen_count: float
    needed_count: int


def detect(evidence: Evidence, params: Params) -> Finding:
    """Pass, fail or unknown, with the figure, the bound, and since when."""
    what = _of_operation(evidence, params) if params.operation else _of_total(evidence, params)
    if not what.seen_count >= what.needed_count:
        seen = 0 if math.isnan(what.seen_count) else what.seen_count
        needs = f"{count(seen)} results after warm-up, at least {count(what.needed_count)} needed"
        return Finding(
            status=Status.UNKNOWN, reason=f"{what.label} is not known yet: {needs}", unit=what.unit
        )
    if math.isnan(what.value):
        return Finding(
            status=Status.UNKNOWN, reason=f"{what.label} was not measured", unit=what.unit
        )
    lowest = _lowest(evidence, params)
    if lowest is not None and math.isnan(lowest):
        reason = f"{_said(str(params.of))} is not known, so {what.label} has no bound"
        return Finding(status=Status.UNKNOWN, reason=reason, effect=what.value, unit=what.unit)
    if params.max is not None and what.value > params.max:
        return _broken(evidence, what, params.max, "above")
    if lowest is not None and what.value < lowest:
        return _broken(evidence, what, lowest, "below")
    bound = params.max if params.max is not None else lowest
    side = "not above" if params.max is not None else "not below"
    asked = f", {side} {figure(bound, what.unit)}" if bound is not None else ""
    return Finding(
        status=Status.PASS,
        reason=f"{what.label} is {figure(what.value, what.unit)}{asked}",
        effect=what.value,
        threshold=bound,
        unit=what.unit,
    )


def _of_operation(evidence: Evidence, params: Params) -> Measured:
    service = params.measure == "service"
    stem = f"{params.operation}_service_" if service else f"{params.operation}_"
    name = f"{stem}{params.quantile}_s"
    return Measured(
        label=f"{params.operation} {'service ' if service else ''}{params.quantile}",
        value=evidence.totals.get(name, math.nan),
        unit="s",
        column=name,
        seen_count=evidence.totals.get(f"{params.operation}_count", math.nan),
        needed_count=params.min_samples or NEEDED[params.quantile],
    )


def _of_total(evidence: Evidence, params: Params) -> Measured:
    name = str(params.total)
    counted, needed = seen_of(name)
    value = evidence.totals.get(name, math.nan)
    label, unit = _said(name), unit_of(name)
    if params.per is not None:
        below = evidence.totals.get(params.per, math.nan)
        value = value / below if below else math.nan
        label, unit = f"share of {label} in {_said(params.per)}", "ratio"
    return Measured(
        label=label,
        value=value,
        unit=unit,
        column=name,
        seen_count=evidence.totals.get(params.samples or counted, math.nan),
        needed_count=params.min_samples or (1 if params.samples else needed),
    )


def seen_of(total: str) -> tuple[str, int]:
    """The total that says how many results a total rests on, and how many of them it takes."""
    of_all, name = ("all_", total[4:]) if total.startswith("all_") else ("", total)
    stem, _, quantile = name.removesuffix("_s").rpartition("_")
    if not name.endswith("_s") or quantile not in NEEDED:
        return "count", 1
    return f"{of_all}{stem.removesuffix('_service')}_count", NEEDED[quantile]


def _said(name: str) -> str:
    return SAID.get(name, name.replace("_", " "))


def _lowest(evidence: Evidence, params: Params) -> float | None:
    """The lower bound: min, or the share of another total where that is lower."""
    if params.of is None:
        return params.min
    asked = params.share * evidence.totals.get(params.of, math.nan)
    return asked if params.min is None or asked < params.min else params.min


def _broken(evidence: Evidence, what: Measured, bound: float, side: str) -> Finding:
    values = evidence.columns.get(what.column, np.empty(0))
    since_s, when = _since(evidence, values, bound, side, what.unit)
    return Finding(
        status=Status.FAIL,
        reason=(
            f"{what.label} is {figure(what.value, what.unit)}, "
            f"{side} {figure(bound, what.unit)}{when}"
        ),
        effect=what.value,
        threshold=bound,
        unit=what.unit,
        since_s=since_s,
    )


def _since(
    evidence: Evidence, values: Floats, bound: float, side: str, unit: str
) -> tuple[float | None, str]:
    """When the windows after warm-up first broke the bound, and that in words."""
    if not values.size:
        return None, ""
    t_s = evidence.columns["t_s"]
    is_window = ~np.isnan(values) & (t_s > evidence.warm_until_s)
    t_s, values = t_s[is_window], values[is_window]
    is_bad = values > bound if side == "above" else values < bound
    if not is_bad.any():
        return None, ""
    first = int(np.argmax(is_bad))
    worst = figure(float(values.max() if side == "above" else values.min()), unit)
    if is_bad[first:].mean() >= SINCE_SHARE:
        return float(t_s[first]), f", since {clock_time(t_s[first])} (worst window {worst})"
    share = f"{count(is_bad.sum())} of {count(values.size)} windows"
    when = f", first at {clock_time(t_s[first])} and in {share} (worst {worst})"
    return float(t_s[first]), when
