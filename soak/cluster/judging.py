"""What is the verdict on all workers together? Totals are judged once, courses where they ran.

An objective is about all results, so it is asked of the merged histograms and counts: the p99 of
the run is no worker's p99. A leak or a slowing is the course of one process on one machine, beside
that machine's own speed, so each worker's detectors decide, and the worst answer is the run's. More
workers ask more often: what alarms falsely once in a hundred runs does so once in fifty with two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from soak.cluster import parts
from soak.cluster.parts import Part
from soak.judge.certificate import doubted
from soak.judge.judge import Judge
from soak.scenario import Scenario
from soak.scenario.judged import OF_TOTALS
from soak.seams import Evidence, Floats
from soak.sentences import count
from soak.snapshot import NAN, Certificate, Quantiles
from soak.verdict import RunVerdict, Status, Verdict, merge
from soak.watch.conditions import together
from soak.watch.status import flat, per_second, warm_until_s

WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.PASS)


class JointJudge:
    """The checks of a run on several workers."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._order = [check.name for check in scenario.checks]
        checks = [check for check in scenario.checks if check.detector in OF_TOTALS]
        self._own = Judge(checks, scenario.duration_s)
        self._joint = {check.name for check in checks}

    def judge(
        self, found: Sequence[Part], elapsed_s: float, columns: Mapping[str, Floats]
    ) -> tuple[Verdict, ...]:
        """A verdict per check that this run can decide, in their order, before any doubt.

        columns: of the run's own series, where a detector looks up since when.
        """
        evidence = Evidence(
            columns=columns,
            totals=totals(found, elapsed_s),
            warm_until_s=warm_until_s(self._scenario),
            planned_s=self._scenario.duration_s,
        )
        verdicts = {verdict.check: verdict for verdict in self._own.judge(evidence)}
        names = {v.check for part in found for v in part.snapshot.verdicts} - self._joint
        verdicts |= {name: _of_workers(name, found) for name in names}
        return tuple(verdicts[name] for name in self._order if name in verdicts)

    def skipped(self, found: Sequence[Part]) -> tuple[tuple[str, str], ...]:
        """Checks that no worker's run is long enough for, and why."""
        decided = {verdict.check for part in found for verdict in part.snapshot.verdicts}
        own = [each for each in self._own.skipped if each[0] in self._joint]
        # The first part's reason is about the whole run.
        others = dict(each for part in reversed(found) for each in part.snapshot.skipped)
        apart = [each for each in others.items() if each[0] not in decided | self._joint]
        return tuple(sorted([*own, *apart], key=lambda each: self._order.index(each[0])))


def concluded(
    verdicts: Sequence[Verdict], certificate: Certificate
) -> tuple[tuple[Verdict, ...], RunVerdict]:
    """The verdicts as far as the certificate lets them stand, and the run's.

    What a worker decided its own certificate has doubted, where that had to be.
    """
    settled = tuple(
        doubted([verdict], certificate)[0] if verdict.detector in OF_TOTALS else verdict
        for verdict in verdicts
    )
    distrust = "; ".join(certificate.reasons)
    return settled, merge(settled, trusted=not certificate.is_void, distrust=distrust)


def totals(found: Sequence[Part], elapsed_s: float) -> dict[str, float]:
    """What detectors find by the names of a single run's totals."""
    judged, scored = parts.measured(found), parts.recall(found)
    everything = flat(parts.operations(found), elapsed_s)
    violations = parts.counted(part.snapshot.violations for part in found)
    inversions = [part.snapshot.eviction.get("inversion_ratio", NAN) for part in found]
    return {
        **flat(judged.operations, judged.length_s),
        **{f"all_{name}": value for name, value in everything.items()},
        **{f"violations_{kind}": float(n) for kind, n in violations.items()},
        "checked_count": float(sum(part.snapshot.checked for part in found)),
        "recall_samples": float(scored.samples),
        "recall_mean": scored.mean,
        "recall_sd": judged.recall_sd,
        "eviction_inversion_ratio": max((v for v in inversions if v == v), default=NAN),
        "elapsed_s": elapsed_s,
        "offered_per_s": per_second(judged.due_count, judged.length_s),
    }


def certificate_of(found: Sequence[Part]) -> Certificate:
    """Trusted where every worker is. Rates are summed, shares of time are those of the worst."""
    seen = [(part, part.snapshot.certificate) for part in found]
    going = [each for part, each in seen if not part.is_lost]
    every = [each for _, each in seen]
    reasons = [f"worker {part.worker}: {why}" for part, each in seen for why in each.reasons]
    return Certificate(
        trusted=all(each.trusted for each in every),
        reasons=tuple(dict.fromkeys(reasons)),
        is_void=any(each.is_void for each in every),
        lateness=Quantiles.of(together(parts.operations(found), "lateness")),
        hiccup=parts.of_worst(each.hiccup for each in every),
        dropped_results=sum(each.dropped_results for each in every),
        offered_rate=sum(each.offered_rate for each in going),
        achieved_rate=sum(each.achieved_rate for each in going),
        tester_rss_bytes=sum(each.tester_rss_bytes for each in going),
        tester_cpu_ratio=max(each.tester_cpu_ratio for each in every),
        host_steal_ratio=max(each.host_steal_ratio for each in every),
        host_pressure_ratio=max(each.host_pressure_ratio for each in every),
        clock_step_s=max((each.clock_step_s for each in every), key=abs),
        sampler_failures=parts.counted(each.sampler_failures for each in every),
        lost_lines=sum(each.lost_lines for each in every),
    )


def lacking(certificate: Certificate, loss: str) -> Certificate:
    """The same where the head's own record is whole. loss: what it lacks, a sentence."""
    if not loss:
        return certificate
    reasons = (*certificate.reasons, loss)
    return replace(certificate, trusted=False, is_void=True, reasons=reasons)


def _of_workers(name: str, found: Sequence[Part]) -> Verdict:
    """The worst answer. A lost part decides nothing any more, but what had failed has failed."""
    said = [
        (part, verdict)
        for part in found
        for verdict in part.snapshot.verdicts
        if verdict.check == name and (not part.is_lost or verdict.status is Status.FAIL)
    ]
    if not said:
        said = [(p, v) for p in found for v in p.snapshot.verdicts if v.check == name]
    status = min((verdict.status for _, verdict in said), key=WORST_FIRST.index)
    alike = [(part, verdict) for part, verdict in said if verdict.status is status]
    part, worst = max(alike, key=lambda each: each[1].effect or 0.0)
    workers = len({part.worker for part, _ in alike})
    others = f" ({count(workers)} workers say {status})" if workers > 1 else ""
    since_s = None if worst.since_s is None else part.from_s + worst.since_s
    return replace(
        worst,
        reason=f"worker {part.worker}: {worst.reason}{others}",
        since_s=since_s,
        details={**worst.details, "worker": str(part.worker)},
    )
