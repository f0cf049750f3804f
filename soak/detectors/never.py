"""Did what must never happen stay away, and was it looked for often enough to say so?

Counts from time zero, warm-up included: a wrong answer is wrong at any time.
"""

import math
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.result import VIOLATIONS, Violation
from soak.seams import Evidence, Finding
from soak.sentences import clock_time, count
from soak.verdict import Concern, Status

CONCERN = Concern.CORRECTNESS


class Params(BaseModel):
    """violations: which broken promises count; empty for all."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    violations: tuple[Annotated[Violation, Field(strict=False)], ...] = Field(
        (), strict=False, description="Empty: every kind."
    )
    min_checked: int = Field(
        100, ge=1, description="Answers that must have been checked before none is good news."
    )


def detect(evidence: Evidence, params: Params) -> Finding:
    """Fail at the first violation; unknown until enough answers were checked."""
    kinds = [str(kind) for kind in params.violations or VIOLATIONS]
    found = {kind: _whole_run(evidence, f"violations_{kind}") for kind in kinds}
    wrong = sum(found.values())
    checked = _whole_run(evidence, "checked_count")
    if wrong > 0:
        return _broken(evidence, found, checked)
    if not checked >= params.min_checked:
        reason = (
            f"only {count(checked)} answers were checked, "
            f"at least {count(params.min_checked)} are needed"
        )
        return Finding(status=Status.UNKNOWN, reason=reason, threshold=0.0, unit="answers")
    return Finding(
        status=Status.PASS,
        reason=f"no wrong answer in {count(checked)} checked",
        effect=0.0,
        threshold=0.0,
        unit="answers",
    )


def _whole_run(evidence: Evidence, name: str) -> float:
    """The total since time zero; names without `all_` start after warm-up where there is one."""
    value = evidence.totals.get(f"all_{name}", evidence.totals.get(name, 0.0))
    return 0.0 if math.isnan(value) else value


def _broken(evidence: Evidence, found: dict[str, float], checked: float) -> Finding:
    wrong = sum(found.values())
    kinds = ", ".join(f"{count(n)} {kind}" for kind, n in found.items() if n)
    # The series counts every kind, so it tells since when only where no other kind was seen.
    every = sum(_whole_run(evidence, f"violations_{kind}") for kind in VIOLATIONS)
    since_s = _first(evidence) if wrong == every else None
    when = f", since {clock_time(since_s)}" if since_s is not None else ""
    answers = "wrong answer" if wrong == 1 else "wrong answers"
    return Finding(
        status=Status.FAIL,
        reason=f"{count(wrong)} {answers} in {count(checked)} checked ({kinds}){when}",
        effect=wrong,
        threshold=0.0,
        unit="answers",
        since_s=since_s,
    )


def _first(evidence: Evidence) -> float | None:
    """When the count of violations first rose above zero, as far as the series tells."""
    seen = evidence.columns.get("violations_total")
    if seen is None:
        return None
    above = np.flatnonzero(seen > 0)
    return float(evidence.columns["t_s"][above[0]]) if above.size else None
