import math
from dataclasses import replace

import numpy as np
import pytest

from soak.cluster.joining import joined
from soak.cluster.judging import JointJudge, certificate_of, concluded, totals
from soak.cluster.messages import packed, unpacked
from soak.cluster.parts import measured, operations, recall
from soak.judge.judge import Judge
from soak.report.document import document
from soak.seams import Evidence
from soak.snapshot import Measured, Quantiles, Recall
from soak.verdict import Concern, Status, Verdict
from tests.cluster.worlds import CERTIFICATE, LENGTH_S, dealt, parts, results, scenario, seen
from tests.snapshots import IDENTITY

DRAWN = results(6_000)
WHOLE = parts([seen(DRAWN)])
DEALT = parts([seen(each) for each in dealt(DRAWN, 3)])


def leak(status: Status, effect: float = 0.0) -> Verdict:
    return Verdict(
        check="leak",
        detector="leak",
        concern=Concern.LEAK,
        status=status,
        reason=f"grows by {effect:g}",
        effect=effect,
        unit="bytes/s",
        since_s=5.0,
    )


def test_counts_and_histograms_of_three_workers_are_those_of_one() -> None:
    whole, together = operations(WHOLE), operations(DEALT)

    assert whole.keys() == together.keys()
    for name in whole:
        assert whole[name].outcomes == together[name].outcomes
        for measure in ("latency", "service", "lateness"):
            one, many = getattr(whole[name], measure), getattr(together[name], measure)
            assert one.counts.tobytes() == many.counts.tobytes()
            assert (one.sum_ns, one.max_ns) == (many.sum_ns, many.max_ns)


def test_totals_that_objectives_name_are_those_of_one_worker() -> None:
    one, many = totals(WHOLE, LENGTH_S), totals(DEALT, LENGTH_S)

    assert one.keys() == many.keys()
    for name in one:
        if not name.startswith(("recall", "checked", "violations")):
            assert one[name] == pytest.approx(many[name], nan_ok=True), name


def test_objectives_are_judged_on_all_results_together() -> None:
    asked = scenario()
    evidence = Evidence(
        columns={}, totals=totals(WHOLE, LENGTH_S), warm_until_s=0.0, planned_s=LENGTH_S
    )
    alone = {v.check: v for v in Judge(asked.checks[1:3], LENGTH_S).judge(evidence)}
    found = {v.check: v for v in JointJudge(asked).judge(DEALT, LENGTH_S, {})}

    assert alone == {name: found[name] for name in alone}
    assert Status.PASS is found["rate"].status  # of which each worker has a third


def test_recall_is_that_of_all_scored_searches() -> None:
    scored = [np.random.default_rng(i).uniform(0.5, 1.0, 5 + 20 * i) for i in range(3)]
    found = parts(
        [
            replace(
                WHOLE[0].snapshot,
                recall=Recall(k=10, samples=s.size, mean=s.mean(), first=0.5, last=0.7),
                measured=Measured(recall_sd=s.std(ddof=1)),
            )
            for s in scored
        ]
    )
    together = np.concatenate(scored)

    assert together.mean() == pytest.approx(recall(found).mean)
    assert together.std(ddof=1) == pytest.approx(measured(found).recall_sd)


def test_a_leak_of_one_worker_is_the_run_s() -> None:
    found = parts([replace(p.snapshot, verdicts=(leak(Status.PASS),)) for p in DEALT])
    found[1] = replace(
        found[1], snapshot=replace(found[1].snapshot, verdicts=(leak(Status.FAIL, 900.0),))
    )
    verdicts = JointJudge(scenario()).judge(found, LENGTH_S, {})
    settled, verdict = concluded(verdicts, certificate_of(found))

    assert Status.FAIL is verdict.status
    assert 12 == verdict.exit_code
    assert "worker 1: grows by 900" == settled[-1].reason


def test_a_lost_part_decides_nothing_but_what_had_failed() -> None:
    undecided = replace(WHOLE[0].snapshot, verdicts=(leak(Status.UNKNOWN),))
    decided = replace(WHOLE[0].snapshot, verdicts=(leak(Status.PASS),))
    failed = replace(WHOLE[0].snapshot, verdicts=(leak(Status.FAIL, 5.0),))
    after = replace(WHOLE[0], snapshot=decided)
    statuses = [
        JointJudge(scenario())
        .judge([replace(WHOLE[0], snapshot=before, is_lost=True), after], LENGTH_S, {})[-1]
        .status
        for before in (undecided, decided, failed)
    ]

    assert [Status.PASS, Status.PASS, Status.FAIL] == statuses


def test_a_share_that_was_taken_over_lasted_as_long_as_both_parts() -> None:
    before = replace(WHOLE[0], is_lost=True)
    after = replace(WHOLE[0], from_s=70.0)
    other = replace(WHOLE[0], worker=1)

    assert 2 * LENGTH_S == measured([before, after, other]).length_s
    assert 130.0 == joined(IDENTITY, scenario(), [before, after, other]).elapsed_s


def test_what_was_recent_on_a_lost_node_is_not_so_any_more() -> None:
    slow = Quantiles(p50=5.0, p99=9.0)
    totals = {n: replace(t, recent=slow) for n, t in WHOLE[0].snapshot.operations.items()}
    lost = replace(WHOLE[0], snapshot=replace(WHOLE[0].snapshot, operations=totals), is_lost=True)
    after = WHOLE[0].snapshot.operations["get"].recent

    assert after == operations([lost, WHOLE[0]])["get"].recent


def test_one_worker_that_cannot_be_trusted_spoils_the_run() -> None:
    bad = replace(CERTIFICATE, trusted=False, is_void=True, reasons=("3 results were lost",))
    found = parts([replace(p.snapshot, certificate=CERTIFICATE) for p in DEALT])
    found[2] = replace(found[2], snapshot=replace(found[2].snapshot, certificate=bad))
    certificate = certificate_of(found)
    _, verdict = concluded(JointJudge(scenario()).judge(found, LENGTH_S, {}), certificate)

    assert ("worker 2: 3 results were lost",) == certificate.reasons
    assert 13 == verdict.exit_code
    assert 3 * CERTIFICATE.offered_rate == certificate.offered_rate


def test_a_run_on_several_nodes_holds_what_they_hold_together() -> None:
    told = [{"anonymous_bytes": 5.0, "host_cpus": 2.0, "disk_free_bytes": 9.0}, {}]
    found = parts([replace(p.snapshot, resources=r) for p, r in zip(DEALT, told, strict=False)])
    both = parts([replace(p.snapshot, resources=told[0]) for p in DEALT])

    assert {"anonymous_bytes": 15.0} == joined(IDENTITY, scenario(), both).resources
    assert math.isnan(joined(IDENTITY, scenario(), found).resources["anonymous_bytes"])


def test_checks_that_every_worker_skips_are_skipped() -> None:
    skipped = [replace(p.snapshot, skipped=(("slows", "too short"),)) for p in DEALT]

    assert (("slows", "too short"),) == JointJudge(scenario()).skipped(parts(skipped))


def test_a_snapshot_travels_whole_and_small() -> None:
    sent = WHOLE[0].snapshot
    content = packed(sent)
    received = unpacked(content)

    assert document(sent) == document(received)
    for name, totals_sent in sent.operations.items():
        counts = received.operations[name].latency.counts
        assert totals_sent.latency.counts.tobytes() == counts.tobytes()
    assert len(content) < 150_000
