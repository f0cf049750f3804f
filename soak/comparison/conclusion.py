"""What do the changes of all metrics mean together? One verdict, one exit code, one sentence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from soak.comparison.metrics import Metric
from soak.comparison.objections import Objections
from soak.report import figures
from soak.verdict import Concern, RunVerdict, Status, Verdict, merge

DETECTOR = "compare"
# Metrics named in the sentence; the table has them all.
MOST_NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One metric. change, interval and detectable are shares of the baseline, or differences in
    the unit; positive is more, whichever way is worse.

    status is None where the metric is only shown. interval: each end is passed with a chance of
    5 %. detectable: the smallest true change for the worse that this comparison would have called
    worse 19 times of 20. longer: how many times as long a run would decide it, where one would.
    """

    metric: Metric
    run: float
    baseline: float
    change: float
    interval: tuple[float, float]
    detectable: float
    windows_count: int
    status: Status | None
    is_better: bool
    longer: int | None = None

    @property
    def counts(self) -> bool:
        """Whether the verdict hangs on it; a warning's does not."""
        return self.status is not None and self.metric.level == "fail"

    @property
    def is_warning(self) -> bool:
        return self.status is Status.FAIL and self.metric.level == "warn"

    @property
    def badness(self) -> float:
        """The change for the worse, in thresholds; below 0 where it is for the better."""
        return self.change / (self.metric.allowed or math.inf)


def conclude(
    changes: Sequence[Change],
    wrong: tuple[float, float],
    objections: Objections,
    unanswered: Mapping[str, str],
) -> RunVerdict:
    """Fail where a metric is worse or more answers are wrong; unknown where it cannot be told.

    wrong: wrong answers of the run and of the baseline, which count even in untrusted runs.
    unanswered: what was asked for by name and could not be compared, and why. What only warns is
    said and changes nothing else.
    """
    verdicts = [*_of_answers(wrong), *_of_changes(changes, unanswered)]
    merged = merge(
        verdicts,
        trusted=not objections.distrust,
        distrust="; ".join(objections.distrust),
    )
    reason = merged.reason
    if merged.status is Status.PASS:
        better = [change for change in changes if change.is_better]
        gains = f", {_named(better)}" if better else ""
        reason = f"none of {sum(c.counts for c in changes)} metrics is worse{gains}"
    # Where metrics fail the sentence is long enough; the table has the warnings, too.
    is_said = merged.status is not Status.FAIL and not objections.distrust
    warning = warned(changes) if is_said else ""
    return replace(merged, reason="; ".join(filter(None, (reason, warning))))


def warned(changes: Sequence[Change]) -> str:
    """What is worse and only warns; empty where nothing is."""
    found = [change for change in changes if change.is_warning]
    return f"warning: {_named(found)}" if found else ""


def _of_answers(wrong: tuple[float, float]) -> list[Verdict]:
    mine, other = wrong
    if mine <= other:
        return []
    reason = f"{mine:,.0f} wrong answers against {other:,.0f}"
    return [_verdict("wrong_answers", Status.FAIL, reason, Concern.CORRECTNESS)]


def _of_changes(changes: Sequence[Change], unanswered: Mapping[str, str]) -> list[Verdict]:
    """One verdict for all that are worse, one for all that are unknown, else one that passes."""
    counting = [change for change in changes if change.counts]
    worse = [change for change in counting if change.status is Status.FAIL]
    undecided = [change for change in counting if change.status is Status.UNKNOWN]
    verdicts = []
    if worse:
        verdicts.append(_verdict("worse", Status.FAIL, _named(worse)))
    if undecided:
        said = f"too uncertain to tell: {_named(undecided)}{_remedy(undecided)}"
        verdicts.append(_verdict("uncertain", Status.UNKNOWN, said))
    if unanswered:
        said = ", ".join(f"{name} ({why})" for name, why in unanswered.items())
        verdicts.append(_verdict("asked", Status.UNKNOWN, f"not compared: {said}"))
    if not counting:
        verdicts.append(_verdict("compared", Status.UNKNOWN, "no metric could be compared"))
    return verdicts or [_verdict("compared", Status.PASS, "")]


def _verdict(
    name: str, status: Status, reason: str, concern: Concern = Concern.OBJECTIVE
) -> Verdict:
    return Verdict(check=name, detector=DETECTOR, concern=concern, status=status, reason=reason)


def _named(changes: Sequence[Change]) -> str:
    """`search.latency_p99 +15.2 % (13.9 % to 16.5 %)`, the largest change first."""
    ranked = sorted(changes, key=lambda change: -abs(change.change))
    named = [f"{each.metric.name} {said_change(each)}" for each in ranked[:MOST_NAMED]]
    more = len(ranked) - MOST_NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _remedy(undecided: Sequence[Change]) -> str:
    """What would decide it: a longer run where that is thinkable, else more runs."""
    needed = [change.longer for change in undecided if change.longer]
    if len(needed) == len(undecided):
        return f"; a run about {max(needed)} times as long would tell"
    noisiest = max((c for c in undecided if not c.longer), key=_width).metric.name
    return (
        "; more runs may tell (three as the baseline, or --interleaved --pairs), or a quieter "
        f"machine; or leave it out: --threshold {noisiest}=none"
    )


def _width(change: Change) -> float:
    low, high = change.interval
    return high - low


def said_change(change: Change) -> str:
    low, high = (said(change.metric, end) for end in change.interval)
    return f"{said(change.metric, change.change)} ({low} to {high})"


def said(metric: Metric, value: float) -> str:
    """A change with its sign: `+15.2 %`, or `−0.012` where it is a difference of recall."""
    if metric.scale == "difference" and metric.unit == "recall":
        return f"{value:+.4f}".replace("-", "−")
    if not math.isfinite(value):
        return figures.NOT_KNOWN
    digits = 1 if abs(value) >= 0.0095 or value == 0 else 2
    return f"{100 * value:+.{digits}f} %".replace("-", "−")
