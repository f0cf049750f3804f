"""How does it grow with the records? The exponent of memory, disk or latency, and the knee.

y ~ n^a: the slope of log y over log n, where n are the live records. The run after warm-up is cut
into bins that are equally wide in log n, the median of each counts. What follows the knee, a point
from which on the slope is clearly steeper, is what a larger store would see, so it is judged;
without a knee the whole is. The interval comes from leaving out one stretch of neighbouring bins
after the other (jackknife: Kuensch 1989), since neighbours share what disturbed them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.detectors._bare import bare
from soak.detectors._columns import Column
from soak.detectors._course import SPEED, measured_of
from soak.detectors._stretch import in_one_process, unspoilt
from soak.detectors._student import student_quantile
from soak.scenario.quantities import Size
from soak.seams import Evidence, Finding, Floats
from soak.sentences import count
from soak.verdict import Concern, Status

CONCERN = Concern.OBJECTIVE
PERIOD_S = 30.0
UNIT = "exponent"

BINS = 48
LEFT_OUT = 8  # stretches, of at least two bins each
UPPER = 0.975  # of an interval of 95 %
# A knee has so many bins on either side, is steeper by so much, and better by that much (BIC).
KNEE_BINS = 6
STEEPER = 0.3
BETTER = 10.0
# Held without records: while there were fewer than this share of the most there ever were.
EMPTY_RATIO = 0.01
# What a process holds before the first record, and would be most of what few records seem to take;
# files and what a target accounts for begin with nothing.
OF_PROCESSES = ("anonymous_", "resident_", "proportional_", "uss_", "used_heap_")
LEAST_RATIO = 0.05


class Params(BaseModel):
    """column may be any size or time: anonymous_bytes, disk_bytes, search_service_p50_s."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    column: Column = Field("anonymous_bytes", description="What grows.")
    records: Column = Field("live_records", description="With what it grows.")
    max_exponent: float = Field(1.2, gt=0, description="1: in proportion; 2: fourfold for twice.")
    above: Size | None = Field(
        None,
        description="What is there without records; of bytes else what was, when there were none.",
    )
    min_growth: float = Field(
        4.0, gt=1, description="With records grown by a smaller factor it is unknown."
    )
    min_records: int = Field(100, ge=1, description="Below this many nothing is counted.")

    @property
    def asks_of(self) -> Mapping[str, str]:
        """By parameter, whose results it names: without that operation it is never known."""
        operation = measured_of(self.column)
        return {"column": operation} if operation else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """exponent with its interval; knee: records from which on it holds, nan where it holds for
    all; below: the exponent before the knee."""

    exponent: float
    interval: tuple[float, float]
    knee: float
    below: float


def detect(evidence: Evidence, params: Params) -> Finding:
    """Fail when the whole interval is above the bound, pass when none of it is, else unknown.

    Of a run with gaps the longest stretch between them is looked at, but for what is on disk.
    """
    return in_one_process(evidence, params.column, lambda part: _of_stretch(part, params))


def _of_stretch(evidence: Evidence, params: Params) -> Finding:
    columns = dict(evidence.columns)
    if params.column.endswith("_s") and params.column in columns:
        columns[params.column] = unspoilt(evidence, columns[params.column])
    law = law_of(columns, params, evidence.warm_until_s)
    name = params.column.removesuffix("_s").removesuffix("_bytes").replace("_", " ")
    if isinstance(law, str):
        return Finding(status=Status.UNKNOWN, reason=law, unit=UNIT)
    low, high = law.interval
    status, side = Status.UNKNOWN, "which leaves open whether it is above"
    if low > params.max_exponent:
        status, side = Status.FAIL, "above"
    elif high <= params.max_exponent:
        status, side = Status.PASS, "not above"
    # A machine that gets busy while the records grow makes times grow with them, and sizes never.
    details: dict[str, float | str] = {"measures": SPEED} if params.column.endswith("_s") else {}
    if not math.isnan(law.knee):
        details |= {"knee_records": law.knee, "exponent_below_knee": law.below}
    return Finding(
        status=status,
        reason=f"{name} {said(law)}, {side} {params.max_exponent:g}",
        effect=law.exponent,
        threshold=params.max_exponent,
        unit=UNIT,
        interval=law.interval,
        details=details,
    )


def said(law: Law) -> str:
    low, high = law.interval
    text = f"grows with the records to the power of {law.exponent:.2f} ({low:.2f} to {high:.2f})"
    if math.isnan(law.knee):
        return text
    return f"{text} from {count(law.knee)} records on, and of {law.below:.2f} below"


def law_of(columns: Mapping[str, Floats], params: Params, warm_until_s: float) -> Law | str:
    """The law, or why there is none."""
    absent = [name for name in (params.column, params.records) if name not in columns]
    if absent:
        return f"{' and '.join(absent)} not measured"
    live, above = columns[params.records], _above(columns, params)
    if above is None:
        return (
            f"what {params.column.replace('_', ' ')} are without records was never seen, so how "
            "they grow with them cannot be told; give above"
        )
    y = columns[params.column] - above
    # What is left of a small size, less what was there anyway, is mostly noise.
    fewest = LEAST_RATIO * float(np.nanmax(live, initial=0.0)) if above else 0.0
    # Sizes are right from the start; times need warm caches.
    is_settled = columns["t_s"] > (0.0 if params.column.endswith("_bytes") else warm_until_s)
    seen = np.isfinite(live) & np.isfinite(y) & (live >= max(fewest, params.min_records))
    seen &= (y > 0) & is_settled
    # Memory that stays when records go again is another question.
    seen[int(np.nanargmax(np.append(live, -1.0))) + 1 :] = False
    live, y = live[seen], y[seen]
    growth = float(live.max() / live.min()) if live.size else 1.0
    if growth < params.min_growth:
        return (
            f"the records grew by a factor of {growth:.3g}, at least {params.min_growth:g} are "
            f"needed to tell how {params.column.replace('_', ' ')} grow with them"
        )
    x, logs = _binned(np.log(live), np.log(y))
    if x.size < 2 * KNEE_BINS:
        return f"{count(x.size)} sizes were seen, at least {2 * KNEE_BINS} are needed"
    knee = _knee(x, logs)
    if knee is None:
        exponent, interval = _slope(x, logs)
        return Law(exponent=exponent, interval=interval, knee=math.nan, below=math.nan)
    after = x >= x[knee]
    exponent, interval = _slope(x[after], logs[after])
    below = float(np.polyfit(x[: knee + 1], logs[: knee + 1], 1)[0])
    return Law(exponent=exponent, interval=interval, knee=float(np.exp(x[knee])), below=below)


def _above(columns: Mapping[str, Floats], params: Params) -> float | None:
    """As told, as it was with hardly any records, as measured at opening; None where unknown."""
    if params.above is not None:
        return float(params.above)
    if not params.column.endswith("_bytes"):
        return 0.0
    live, held = columns[params.records], columns[params.column]
    known = np.isfinite(live) & np.isfinite(held)
    empty = held[known & (live <= EMPTY_RATIO * np.nanmax(live))] if known.any() else np.empty(0)
    if empty.size:
        return float(np.median(empty))
    # With a preload there never were so few.
    measured = bare(columns, params.column, None)
    return None if measured == 0 and params.column.startswith(OF_PROCESSES) else measured


def _binned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Medians of both in bins equally wide in x; empty bins are left out."""
    edges = np.linspace(float(x.min()), float(x.max()), BINS + 1)
    place = np.clip(np.digitize(x, edges) - 1, 0, BINS - 1)
    filled = [place == one for one in np.unique(place)]
    return (
        np.array([np.median(x[here]) for here in filled]),
        np.array([np.median(y[here]) for here in filled]),
    )


def _slope(x: Floats, y: Floats) -> tuple[float, tuple[float, float]]:
    """Least squares, and 95 % by leaving out one stretch of neighbours after the other."""
    slope = float(np.polyfit(x, y, 1)[0])
    stretches = np.array_split(np.arange(x.size), min(LEFT_OUT, x.size // 2))
    without = [np.delete(np.arange(x.size), stretch) for stretch in stretches]
    others = np.array([np.polyfit(x[kept], y[kept], 1)[0] for kept in without])
    n = others.size
    error = math.sqrt((n - 1) / n * float(((others - others.mean()) ** 2).sum()))
    half = student_quantile(UPPER, n - 1) * error
    return slope, (slope - half, slope + half)


def _knee(x: Floats, y: Floats) -> int | None:
    """The bin from which on it is steeper; None where one slope does as well."""
    n = x.size
    line = np.column_stack([np.ones(n), x])
    straight = float(np.linalg.lstsq(line, y, rcond=None)[1].sum())
    best: tuple[float, int, float] | None = None
    for at in range(KNEE_BINS, n - KNEE_BINS + 1):
        hinge = np.column_stack([line, np.maximum(x - x[at - 1], 0.0)])
        coefficients, rest, *_ = np.linalg.lstsq(hinge, y, rcond=None)
        if rest.size and (best is None or float(rest[0]) < best[0]):
            best = float(rest[0]), at - 1, float(coefficients[2])
    if best is None or best[2] < STEEPER:
        return None
    gained = n * math.log(max(straight, 1e-12) / max(best[0], 1e-12)) - 2 * math.log(n)
    return best[1] if gained > BETTER else None
