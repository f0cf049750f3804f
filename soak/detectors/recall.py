"""Do searches still find the nearest records? Mean recall against a bound, with its interval."""

import math
from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.seams import Evidence, Finding
from soak.sentences import clock_time, count
from soak.verdict import Concern, Status

CONCERN = Concern.OBJECTIVE
Z95 = 1.96


class Params(BaseModel):
    """min: share of the true k nearest live records that searches must return on average."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    min: float = Field(0.95, ge=0, le=1)
    min_samples: int = Field(20, ge=2, description="With fewer scored searches it is unknown.")

    @property
    def asks_of(self) -> Mapping[str, str]:
        """Without searches it is never known, whatever the parameters."""
        return {"": "search"}


def detect(evidence: Evidence, params: Params) -> Finding:
    """Pass, fail or unknown. The interval is the mean's, from the spread of the searches."""
    mean = evidence.totals.get("recall_mean", math.nan)
    samples = evidence.totals.get("recall_samples", 0.0)
    if math.isnan(mean) or not samples >= params.min_samples:
        return Finding(
            status=Status.UNKNOWN,
            reason=f"{count(0 if math.isnan(samples) else samples)} searches were scored, "
            f"at least {count(params.min_samples)} are needed",
            unit="recall",
        )
    is_kept = mean >= params.min
    since_s = None if is_kept else _since(evidence, params.min)
    side = "not below" if is_kept else "below"
    when = f", first at {clock_time(since_s)}" if since_s is not None else ""
    return Finding(
        status=Status.PASS if is_kept else Status.FAIL,
        reason=f"recall is {mean:.3f} over {count(samples)} searches, {side} {params.min:g}{when}",
        effect=mean,
        threshold=params.min,
        unit="recall",
        since_s=since_s,
        interval=_interval(evidence, mean, samples),
    )


def _interval(evidence: Evidence, mean: float, samples: float) -> tuple[float, float] | None:
    """95 % by the normal approximation for the mean of the sampled searches."""
    half = Z95 * evidence.totals.get("recall_sd", math.nan) / math.sqrt(samples)
    return None if math.isnan(half) else (max(0.0, mean - half), min(1.0, mean + half))


def _since(evidence: Evidence, bound: float) -> float | None:
    recall = evidence.columns.get("recall", np.empty(0))
    low = np.flatnonzero(recall < bound)
    return float(evidence.columns["t_s"][low[0]]) if low.size else None
