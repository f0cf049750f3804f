"""Better, worse, or cannot be told? Each metric of a run against one or more baseline runs.

A metric is worse when the best estimate of its change is above the threshold and chance cannot
explain it: that claim is made for many metrics at once, so the rate of false alarms is shared out
over them (Bonferroni). It is fine when even the upper end of what the change may be is within the
threshold: all must be fine for the run to pass, so here each may use the whole error rate (Berger
1982).
Whatever is neither is unknown.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from soak.comparison.conclusion import Change, conclude
from soak.comparison.courses import Course, courses, paired
from soak.comparison.estimate import (
    LEAST_WINDOWS,
    Estimate,
    mean_of_windows,
    with_spread,
)
from soak.comparison.metrics import NEEDED, Metric, compared, metrics
from soak.comparison.objections import Objections, objections
from soak.detectors._student import student_quantile
from soak.report.markdown import violation_count
from soak.report.record import RunRecord
from soak.seams import Floats
from soak.verdict import Mistake, RunVerdict, Status

ALARM_RATE = 0.01  # of comparisons of two equal runs, however noisy
ERROR_RATE = 0.05
POWER = 0.95
# A remedy that asks for more is none.
MOST_LONGER = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A run against its baseline. skipped: (metric, why) of those that could not be compared.

    turns: of an interleaved comparison, the further runs of what `run` is the first of.
    """

    run: RunRecord
    baselines: tuple[RunRecord, ...]
    changes: tuple[Change, ...]
    skipped: tuple[tuple[str, str], ...]
    wrong: tuple[float, float]  # wrong answers of the run, and of the worst baseline run
    objections: Objections
    verdict: RunVerdict
    turns: tuple[RunRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One metric on its scale, the worse way positive: logarithms for ratios.

    lasting: the part of the estimate's error that would be the same in runs of any length.
    """

    metric: Metric
    run: float
    baseline: float
    estimate: Estimate
    lasting: float
    windows_count: int
    threshold: float | None


def compare(
    run: RunRecord,
    baselines: Sequence[RunRecord],
    *,
    thresholds: Sequence[str] = (),
    anyway: bool = False,
) -> Comparison:
    """The run against all baselines together, which are runs of the same thing.

    thresholds: changes to the usual ones, `search.latency_p99=25%`. Raises NotComparable where
    the answer would mean nothing, and Mistake without a baseline and for a threshold that cannot
    be read.
    """
    if not baselines:
        raise Mistake("there is no baseline run to compare with; at least one is needed")
    against = [objections(run, baseline, anyway=anyway) for baseline in baselines]
    mine, others = courses(run), [courses(baseline) for baseline in baselines]
    measured: list[Measured] = []
    skipped: list[tuple[Metric, str]] = []
    for metric in compared(run.plan, mine, thresholds):
        held = [mine.get(metric.name), *(other.get(metric.name) for other in others)]
        known = [course for course in held if course is not None]
        lacking = lack(metric, held)
        if lacking:
            skipped.append((metric, lacking))
        else:
            measured.append(_measure(metric, known[0], known[1:]))
    wrong = wrong_answers(run), max(map(wrong_answers, baselines))
    changes = judge_all(measured)
    gathered = _gathered(against, len(baselines))
    return Comparison(
        run=run,
        baselines=tuple(baselines),
        changes=changes,
        skipped=tuple((metric.name, why) for metric, why in skipped),
        wrong=wrong,
        objections=gathered,
        verdict=conclude(changes, wrong, gathered, unanswered(measured, skipped)),
    )


def figures_of(records: Sequence[RunRecord]) -> list[tuple[Metric, list[float]]]:
    """Each metric that all the runs have, with the figure of each run."""
    held = [courses(record) for record in records]
    operations = dict.fromkeys(name.partition(".")[0] for name in held[0] if "." in name)
    return [
        (metric, [typical(metric, each[metric.name].values) for each in held])
        for metric in metrics(list(operations))
        if all(metric.name in each for each in held)
    ]


def unanswered(
    measured: Sequence[Measured], skipped: Sequence[tuple[Metric, str]]
) -> Mapping[str, str]:
    """What --threshold named although nothing of that could be compared, and why not.

    `latency_p99=25%` is answered by any operation's.
    """
    known = [each.metric.name for each in measured]
    answered = {*known, *(name.partition(".")[2] for name in known)}
    return {each.asked: why for each, why in skipped if each.asked and each.asked not in answered}


def lack(metric: Metric, held: Sequence[Course | None]) -> str:
    """Why the metric cannot be compared; empty when it can."""
    known = [course for course in held if course is not None]
    if len(known) < len(held):
        return "not measured in " + ("the run" if held[0] is None else "the baseline")
    needed = NEEDED.get(metric.name.rpartition("_")[2], 1)
    least = min(course.count for course in known)
    if least < needed:
        return f"{least:,} results, at least {needed:,} needed"
    windows = min(paired(known[0], other)[0].size for other in known[1:])
    if windows < LEAST_WINDOWS:
        return (
            f"{windows} windows in common after warm-up, at least {LEAST_WINDOWS} needed; "
            "a longer run or a shorter observe.window gives more"
        )
    return ""


def _measure(metric: Metric, mine: Course, others: Sequence[Course]) -> Measured:
    pairs = [paired(mine, other) for other in others]
    sign = 1.0 if metric.worse == "up" else -1.0
    series = [sign * difference(metric, own, other) for own, other in pairs]
    shortest = min(len(each) for each in series)
    within = mean_of_windows(np.mean([each[:shortest] for each in series], axis=0))
    means = [float(each.mean()) for each in series]
    noise = [mean_of_windows(on_scale(metric, other)).error for _, other in pairs]
    rms = float(np.sqrt(np.mean(np.square(noise))))
    estimate = with_spread(within, metric.spread, means, rms)
    return Measured(
        metric=metric,
        run=typical(metric, np.concatenate([own for own, _ in pairs])),
        baseline=typical(metric, np.concatenate([other for _, other in pairs])),
        estimate=estimate,
        lasting=math.sqrt(max(0.0, estimate.error**2 - within.error**2)),
        windows_count=min(len(each) for each in series),
        threshold=threshold_of(metric),
    )


def on_scale(metric: Metric, values: Floats) -> Floats:
    scaled: Floats = np.log(values) if metric.scale == "ratio" else values
    return scaled


def difference(metric: Metric, own: Floats, other: Floats) -> Floats:
    return on_scale(metric, own) - on_scale(metric, other)


def typical(metric: Metric, values: Floats) -> float:
    """The mean of the windows, geometric where changes are ratios."""
    mean = float(on_scale(metric, values).mean())
    return math.exp(mean) if metric.scale == "ratio" else mean


def threshold_of(metric: Metric) -> float | None:
    """On the scale of the estimate: 10 % more is log 1.1, 10 % less is -log 0.9."""
    if metric.threshold is None or metric.scale == "difference":
        return metric.threshold
    if metric.worse == "up":
        return math.log1p(metric.threshold)
    return -math.log1p(-min(metric.threshold, 0.999))


def judge_all(measured: Sequence[Measured]) -> tuple[Change, ...]:
    """The rate of false alarms is shared out over what can fail, and again over what can warn."""
    levels = Counter(each.metric.level for each in measured if each.threshold is not None)
    return tuple(judged(each, levels[each.metric.level]) for each in measured)


def judged(measured: Measured, family: int) -> Change:
    """family: metrics that have a threshold, over which the error rate is shared out."""
    estimate, threshold = measured.estimate, measured.threshold
    reach = estimate.reach(1 - ERROR_RATE)
    guard = estimate.reach(1 - ALARM_RATE / max(1, family))
    seen = max(guard, threshold or 0.0)
    detectable = seen + student_quantile(POWER, estimate.freedom) * estimate.error
    status = None
    if threshold is not None:
        is_worse = estimate.mean > threshold and estimate.mean > guard
        is_fine = estimate.mean + reach <= threshold
        status = Status.FAIL if is_worse else Status.PASS if is_fine else Status.UNKNOWN
    low, high = sorted(
        _as_change(measured.metric, end) for end in (estimate.mean - reach, estimate.mean + reach)
    )
    return Change(
        metric=measured.metric,
        run=measured.run,
        baseline=measured.baseline,
        change=_as_change(measured.metric, estimate.mean),
        interval=(low, high),
        detectable=_as_change(measured.metric, detectable),
        windows_count=measured.windows_count,
        status=status,
        is_better=-estimate.mean > max(guard, threshold or guard),
        longer=_longer(measured) if status is Status.UNKNOWN else None,
    )


def _longer(measured: Measured) -> int | None:
    """How many times as long a run would show that it is fine; None where no length would.

    Only the error within a run shrinks with the root of its length; what whole runs differ by
    stays.
    """
    estimate = measured.estimate
    room = (measured.threshold or 0.0) - estimate.mean
    shrinking = estimate.error**2 - measured.lasting**2
    left = (room / student_quantile(1 - ERROR_RATE, estimate.freedom)) ** 2 - measured.lasting**2
    is_near = room > 0 and left * MOST_LONGER > shrinking
    return math.ceil(shrinking / left) if is_near else None


def _as_change(metric: Metric, worsening: float) -> float:
    """Back from the scale of the estimate to a share or a difference, positive is more."""
    value = worsening if metric.worse == "up" else -worsening
    return math.expm1(value) if metric.scale == "ratio" else value


def wrong_answers(record: RunRecord) -> float:
    count = violation_count(record.document)
    return count if count == count else 0.0


def _gathered(against: Sequence[Objections], baselines_count: int) -> Objections:
    distrust = dict.fromkeys(reason for each in against for reason in each.distrust)
    notes = dict.fromkeys(note for each in against for note in each.notes)
    if baselines_count == 1:
        notes["one baseline run: by how much whole runs differ is assumed; three would tell"] = None
    return Objections(distrust=tuple(distrust), notes=tuple(notes))
