"""What do the checks say? Each asks its detector, and the answer becomes a verdict."""

import math
import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from soak import plugins
from soak.detectors import slo, worst_window
from soak.judge.phases import Lasting, Span, spans, within
from soak.seams import Detect, Evidence, Finding
from soak.sentences import figure
from soak.verdict import Concern, Status, Verdict

PERIOD_SHARE = 0.01
NOT_BEGUN = "none of its phases has begun"


class Asked(Protocol):
    """A check as a scenario states it. needs: seconds a run must last for it to decide; phases:
    whose time alone is judged, and then have to last so long."""

    @property
    def name(self) -> str: ...
    @property
    def detector(self) -> str: ...
    @property
    def params(self) -> object: ...
    @property
    def needs(self) -> float: ...
    @property
    def phases(self) -> Collection[str] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    name: str
    detector: str
    detect: Detect
    params: object
    concern: Concern
    period_s: float
    spans_s: tuple[Span, ...]


class Judge:
    """The checks of one run, bound to their detectors.

    An answer depends on the evidence alone; that of a detector with a PERIOD_S stands until that
    long has passed, or a hundredth of the run so far, since what is slow need not be asked often.
    A detector that raises has not decided: its check is unknown.

    skipped: (check, why) of those that a run this short cannot decide; they have no verdict.
    Raises plugins.PluginError for a detector that there is not.
    """

    def __init__(
        self, checks: Sequence[Asked], planned_s: float, phases: Sequence[Lasting] = ()
    ) -> None:
        """phases: of the run, for checks that name some."""
        skipped: list[tuple[str, str]] = []
        ready: list[_Ready] = []
        for check in checks:
            spans_s = spans(phases, check.phases or ())
            judged_s = sum(end_s - begin_s for begin_s, end_s in spans_s) or planned_s
            if check.needs > judged_s:
                skipped.append((check.name, _too_short(check, judged_s)))
            else:
                ready.append(_ready(check, spans_s))
        self.skipped, self._checks = tuple(skipped), tuple(ready)
        self._answers: dict[str, tuple[float, Verdict]] = {}  # by check: when it was asked

    @property
    def tightest_s(self) -> float:
        """The smallest bound on a latency that is judged; nan where none is."""
        params = [check.params for check in self._checks]
        totals = [p for p in params if isinstance(p, slo.Params)]
        bounds = [p.max for p in totals if p.operation and p.measure == "latency" and p.max]
        windows = [p for p in params if isinstance(p, worst_window.Params)]
        bounds += [p.max for p in windows if p.is_latency and p.max]
        return min(bounds, default=math.nan)

    def judge(self, evidence: Evidence) -> tuple[Verdict, ...]:
        """A verdict per check, in their order. Before the first figures all are unknown."""
        return tuple(self._of_its_phases(check, evidence) for check in self._checks)

    def _of_its_phases(self, check: _Ready, evidence: Evidence) -> Verdict:
        seen = within(evidence, check.spans_s)
        if check.spans_s and not len(seen.columns.get("t_s", ())):
            return _verdict(check, Finding(status=Status.UNKNOWN, reason=NOT_BEGUN))
        return self._answer(check, seen)

    def _answer(self, check: _Ready, evidence: Evidence) -> Verdict:
        # Not the last row: in a long run it is the mean of several, and lies before the end.
        now_s = evidence.totals.get("elapsed_s", 0.0)
        asked_s, verdict = self._answers.get(check.name, (-math.inf, None))
        period_s = max(check.period_s, now_s * PERIOD_SHARE) if check.period_s else 0.0
        is_over = now_s >= evidence.planned_s
        if verdict is None or is_over or now_s >= asked_s + period_s:
            verdict = _asked(check, evidence)
            self._answers[check.name] = now_s, verdict
        return verdict


def _too_short(check: Asked, planned_s: float) -> str:
    what, this = ("phases", "these are") if check.phases else ("a run", "this one is")
    needed, planned = figure(check.needs, "s"), figure(planned_s, "s")
    return f"needs {what} of {needed}, {this} planned for {planned}"


def _ready(check: Asked, spans_s: tuple[Span, ...]) -> _Ready:
    module = plugins.load("detectors", check.detector)
    # A check may say itself what its failure means; else the detector knows.
    usual: str = getattr(module, "CONCERN", Concern.OBJECTIVE)
    own: str | None = getattr(check.params, "concern", None)
    return _Ready(
        name=check.name,
        detector=check.detector,
        detect=module.detect,
        params=check.params,
        concern=Concern(own or usual),
        period_s=getattr(module, "PERIOD_S", 0.0),
        spans_s=spans_s,
    )


def _asked(check: _Ready, evidence: Evidence) -> Verdict:
    try:
        return _verdict(check, check.detect(evidence, check.params))
    except Exception as error:
        # It may be a user's own. The run and its other checks go on, and it is asked again.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        reason = f"its detector failed at {where}: {error!r}"
        return _verdict(check, Finding(status=Status.UNKNOWN, reason=reason))


def _verdict(check: _Ready, finding: Finding) -> Verdict:
    # The sentence stands alone in a list of reasons, so it opens with the check's name.
    reason = finding.reason
    if finding.status is Status.UNKNOWN:
        reason = f"{check.name}: {reason}"
    return Verdict(
        check=check.name,
        detector=check.detector,
        concern=check.concern,
        status=finding.status,
        reason=reason,
        effect=finding.effect,
        threshold=finding.threshold,
        unit=finding.unit,
        since_s=finding.since_s,
        interval=finding.interval,
        details=finding.details,
    )
