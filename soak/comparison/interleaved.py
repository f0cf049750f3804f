"""Which of two is better? Runs of both by turns, on one stream of operations, compared in pairs.

    pair 1: A B     seed 1        What the machine does meanwhile comes over both, and the order
    pair 2: B A     seed 2        changes from pair to pair, so that a machine that gets slower all
    pair 3: A B     seed 3        the time favours neither.

Within a pair both get the same operations at the same times, so what the load does to a figure is
in both and cancels. What is left differs from pair to pair as whole runs do; how much is measured
on these very pairs, where `soak compare` of single runs has to assume it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from soak.comparison.conclusion import conclude
from soak.comparison.courses import Course, courses, paired
from soak.comparison.estimate import USUAL_FREEDOM, Estimate, mean_of_windows
from soak.comparison.judgement import (
    Comparison,
    Measured,
    difference,
    judge_all,
    lack,
    threshold_of,
    typical,
    unanswered,
    wrong_answers,
)
from soak.comparison.metrics import Metric, compared
from soak.comparison.objections import Objections, objections
from soak.report.record import RunRecord
from soak.scenario import Scenario, Turns
from soak.scenario.quantities import parse_duration
from soak.verdict import Mistake

LEAST_PAIRS = 2
# How much more pairs may vary than expected before only what was seen of them counts: F with 4 and
# 10 degrees of freedom is above this once in ten.
AS_EXPECTED = 2.6

Pair = tuple[RunRecord, RunRecord]
Courses = Mapping[str, Course]


def turns(pairs_count: int, seed: int) -> Iterator[tuple[int, int, int]]:
    """(pair, which of the two, seed) of every run in the order they are to be made."""
    for pair in range(pairs_count):
        for side in (0, 1) if pair % 2 == 0 else (1, 0):
            yield pair, side, seed + pair


def in_turns(scenario: Scenario, turn: str, *, is_second: bool) -> Scenario:
    """The same load in every second stretch of that length, with a window for a turn of each.

    Every phase takes twice as long, rounded up to whole turns. Raises Mistake for a turn that is no
    duration, and for a load that cannot be stopped and go on.
    """
    try:
        every_s = parse_duration(turn)
    except ValueError as error:
        raise Mistake(f"--turn {turn}: {error}") from error
    if every_s < scenario.observe.sample:
        raise Mistake(f"--turn {turn}: is shorter than observe.sample, so nothing is seen of it")
    closed = [phase.name for phase in scenario.phases if not phase.arrivals.is_open]
    if closed:
        raise Mistake(f"--turn: the clients of {', '.join(closed)} know of no turns; run by run")
    phases = tuple(
        phase.model_copy(update={"duration": 2 * every_s * math.ceil(phase.duration / every_s)})
        for phase in scenario.phases
    )
    changes = {
        "phases": phases,
        "turns": Turns(every=every_s, is_second=is_second),
        "observe": scenario.observe.model_copy(update={"window": 2 * every_s}),
    }
    return scenario.model_copy(update=changes)


def compare_pairs(pairs: Sequence[Pair], *, thresholds: Sequence[str] = ()) -> Comparison:
    """The first of each pair against the second, which is the baseline; at least one pair.

    A pair with a run that cannot be trusted is left out and said so; with fewer than LEAST_PAIRS
    left nothing is concluded. Raises NotComparable where two runs of a pair had other loads, and
    Mistake for a threshold that cannot be read.
    """
    assert pairs
    against = [objections(run, baseline) for run, baseline in pairs]
    sound = [pair for pair, found in zip(pairs, against, strict=True) if not found.distrust]
    held = [(courses(run), courses(baseline)) for run, baseline in sound or pairs]
    measured: list[Measured] = []
    skipped: list[tuple[Metric, str]] = []
    for metric in compared(pairs[0][0].plan, held[0][0], thresholds):
        sides = [(mine.get(metric.name), other.get(metric.name)) for mine, other in held]
        lacking = next((said for side in sides if (said := lack(metric, side))), "")
        if lacking:
            skipped.append((metric, lacking))
        else:
            measured.append(_measured(metric, [(a, b) for a, b in sides if a and b]))
    changes = judge_all(measured)
    wrong = _wrong(pairs, 0), _wrong(pairs, 1)
    gathered = _gathered(against, len(sound))
    return Comparison(
        run=pairs[0][0],
        turns=tuple(run for run, _ in pairs[1:]),
        baselines=tuple(baseline for _, baseline in pairs),
        changes=changes,
        skipped=tuple((metric.name, why) for metric, why in skipped),
        wrong=wrong,
        objections=gathered,
        verdict=conclude(changes, wrong, gathered, unanswered(measured, skipped)),
    )


def _measured(metric: Metric, sides: Sequence[tuple[Course, Course]]) -> Measured:
    matched = [paired(mine, other) for mine, other in sides]
    sign = 1.0 if metric.worse == "up" else -1.0
    within = [mean_of_windows(sign * difference(metric, own, other)) for own, other in matched]
    estimate = mean_of_pairs(within, metric.spread)
    shrinking = float(np.mean([each.error**2 for each in within])) / len(within)
    return Measured(
        metric=metric,
        run=typical(metric, np.concatenate([own for own, _ in matched])),
        baseline=typical(metric, np.concatenate([other for _, other in matched])),
        estimate=estimate,
        lasting=math.sqrt(max(0.0, estimate.error**2 - shrinking)),
        windows_count=sum(len(own) for own, _ in matched),
        threshold=threshold_of(metric),
    )


def mean_of_pairs(within: Sequence[Estimate], usual: float) -> Estimate:
    """The mean of the pairs' differences, each known with an error of its own.

    Where pairs vary about as expected (two whole runs that each spread by `usual`, and the errors
    within), the expectation counts too, like USUAL_FREEDOM observations (Smyth 2004, moderated
    variance); where they vary more, this machine is not the usual one and they speak alone.
    """
    count = len(within)
    means = [each.mean for each in within]
    seen = float(np.var(means, ddof=1)) if count > 1 else 0.0
    expected = 2 * usual**2 + float(np.mean([each.error**2 for each in within]))
    freedom = USUAL_FREEDOM + count - 1
    variance = (USUAL_FREEDOM * expected + (count - 1) * seen) / freedom
    if seen > AS_EXPECTED * expected:
        freedom, variance = count - 1, seen
    return Estimate(mean=float(np.mean(means)), error=math.sqrt(variance / count), freedom=freedom)


def _wrong(pairs: Sequence[Pair], side: int) -> float:
    return sum(wrong_answers(pair[side]) for pair in pairs)


def _gathered(against: Sequence[Objections], sound_count: int) -> Objections:
    """What a reader must know; the pairs that were left out with their reason."""
    notes = dict.fromkeys(note for each in against for note in each.notes)
    left_out = [
        f"pair {number} is left out: {'; '.join(found.distrust)}"
        for number, found in enumerate(against, start=1)
        if found.distrust
    ]
    said = f"interleaved: {sound_count} pairs of runs, each pair on a seed of its own"
    distrust: tuple[str, ...] = ()
    if sound_count < LEAST_PAIRS:
        missing = f"{sound_count} pairs can be trusted, at least {LEAST_PAIRS} are needed"
        distrust = (missing, *left_out)
        left_out = []
    return Objections(distrust=distrust, notes=(said, *left_out, *notes))
