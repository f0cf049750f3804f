"""What do the changes of all metrics mean together? One verdict, one exit code, one sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from soak.comparison.metrics import Metric
from soak.comparison.objections import Objections
from soak.report import figures
from soak.verdict import Concern, RunVerdict, Status, Verdict, merge

DETECTOR = "compare"
# Metrics named in the sentence; the table has them all.
MOST_NAMED = 4
# A remedy that asks for more is none.
MOST_LONGER = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One metric. change, interval and detectable are shares of the baseline, or differences in
    the unit; positive is more, whichever way is worse.

    status is None where the metric is only shown. interval: each end is passed with a chance of
    5 %. detectable: the smallest true change for the worse that this comparison would have called
    worse 19 times of 20. longer: how many times as many windows would decide it, where they would.
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


def conclude(
    changes: Sequence[Change], wrong: tuple[float, float], objections: Objections
) -> RunVerdict:
    """Fail where a metric is worse or more answers are wrong; unknown where it cannot be told.

    wrong: wrong answers of the run and of the baseline, which count even in untrusted runs.
    """
    verdicts = [*_of_answers(wrong), *_of_changes(changes)]
    merged = merge(
        verdicts,
        trusted=not objections.distrust,
        distrust="; ".join(objections.distrust),
    )
    if merged.status is not Status.PASS:
        return merged
    gated = sum(change.status is not None for change in changes)
    better = [change for change in changes if change.is_better]
    gains = f", {_named(better)}" if better else ""
    return RunVerdict(
        status=Status.PASS,
        exit_code=merged.exit_code,
        reason=f"none of {gated} metrics is worse{gains}",
    )


def _of_answers(wrong: tuple[float, float]) -> list[Verdict]:
    mine, other = wrong
    if mine <= other:
        return []
    reason = f"{mine:,.0f} wrong answers against {other:,.0f}"
    return [_verdict("wrong_answers", Status.FAIL, reason, Concern.CORRECTNESS)]


def _of_changes(changes: Sequence[Change]) -> list[Verdict]:
    """One verdict for all that are worse, one for all that are unknown, else one that passes."""
    worse = [change for change in changes if change.status is Status.FAIL]
    undecided = [change for change in changes if change.status is Status.UNKNOWN]
    verdicts = []
    if worse:
        verdicts.append(_verdict("worse", Status.FAIL, _named(worse)))
    if undecided:
        said = f"too uncertain to tell: {_named(undecided)}{_remedy(undecided)}"
        verdicts.append(_verdict("uncertain", Status.UNKNOWN, said))
    if not any(change.status for change in changes):
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
    """What would decide it: more windows where that is thinkable, else to give the metric up."""
    needed = [change.longer or MOST_LONGER + 1 for change in undecided]
    if max(needed) <= MOST_LONGER:
        return f"; a run about {max(needed)} times as long would tell"
    noisiest = undecided[needed.index(max(needed))].metric.name
    return f"; measure where it is quieter, or leave it out: --threshold {noisiest}=none"


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
