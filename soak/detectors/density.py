"""How much does a thousand records cost? Bytes per thousand live records, against a bound.

The median over the last quarter of the run after warm-up, so that a moment of compaction does not
decide; with too few records in most of that quarter it is unknown, whatever was before. What the
target's processes held before the first record is no record's: of anonymous memory it is measured
when they have opened (`bare_bytes`).
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.detectors._bare import bare
from soak.detectors._columns import Column
from soak.scenario.quantities import Size, format_size
from soak.seams import Evidence, Finding, Floats
from soak.sentences import clock_time, count, figure
from soak.verdict import Concern, Status

CONCERN = Concern.OBJECTIVE
THOUSAND = 1000.0
LAST_SHARE = 0.25


class Params(BaseModel):
    """column may be any size in bytes: anonymous_bytes, accounted_bytes, disk_allocated_bytes."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    max: Size = Field(50_000_000, description="Bytes per 1,000 live records, at most.")
    column: Column = Field("anonymous_bytes", description="Which figure counts.")
    above: Size | None = Field(
        None, description="What is held without records, where it was not measured at opening."
    )
    min_records: int = Field(1000, ge=1, description="With fewer live records it is unknown.")


def detect(evidence: Evidence, params: Params) -> Finding:
    """Pass, fail or unknown; effect and threshold in bytes per 1,000 records."""
    t_s, held = _per_thousand(evidence, params)
    late = held[t_s >= _late_s(evidence)]
    missing = _missing(evidence, params, held, late)
    if missing:
        return Finding(status=Status.UNKNOWN, reason=missing, unit="bytes")
    typical = float(np.median(late))
    said = f"1,000 records take {figure(typical, 'bytes')} of {params.column.replace('_', ' ')}"
    bound = format_size(params.max)
    if typical <= params.max:
        return Finding(
            status=Status.PASS,
            reason=f"{said}, not above {bound}",
            effect=typical,
            threshold=float(params.max),
            unit="bytes",
        )
    since_s = float(t_s[np.argmax(held > params.max)])
    return Finding(
        status=Status.FAIL,
        reason=f"{said}, above {bound}, since {clock_time(since_s)}",
        effect=typical,
        threshold=float(params.max),
        unit="bytes",
        since_s=since_s,
    )


def _per_thousand(evidence: Evidence, params: Params) -> tuple[Floats, Floats]:
    """Times and bytes per thousand, where both were read after warm-up and records are enough."""
    columns = evidence.columns
    if params.column not in columns or "live_records" not in columns:
        return np.empty(0), np.empty(0)
    t_s, held, live = columns["t_s"], columns[params.column], columns["live_records"]
    is_usable = (t_s >= evidence.warm_until_s) & ~np.isnan(held) & (live >= params.min_records)
    spent = np.maximum(held[is_usable] - bare(columns, params.column, params.above), 0.0)
    return t_s[is_usable], spent / live[is_usable] * THOUSAND


def _late_s(evidence: Evidence) -> float:
    """When the last quarter of the run so far began."""
    t_s = evidence.columns.get("t_s", np.empty(0))
    last_s = float(t_s[-1]) if t_s.size else 0.0
    return last_s - LAST_SHARE * max(0.0, last_s - evidence.warm_until_s)


def _missing(evidence: Evidence, params: Params, held: Floats, late: Floats) -> str:
    absent = [c for c in (params.column, "live_records") if c not in evidence.columns]
    if absent:
        return f"{' and '.join(absent)} not measured"
    if not held.size:
        return f"there were never {count(params.min_records)} live records after warm-up"
    columns = evidence.columns
    measured = (columns["t_s"] >= _late_s(evidence)) & ~np.isnan(columns[params.column])
    if late.size <= measured.sum() / 2:
        return f"for most of the last quarter there were not {count(params.min_records)} records"
    return ""
