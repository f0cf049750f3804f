"""Is this run worse than its baseline? One more check of the run, with its own papers."""

from collections.abc import Sequence
from dataclasses import replace

from soak.comparison import papers
from soak.comparison.conclusion import DETECTOR
from soak.comparison.judgement import Comparison, compare
from soak.comparison.objections import require_same_load
from soak.report.document import document
from soak.report.record import RunRecord, load_run
from soak.rundir import RunDirectory
from soak.scenario import Scenario, dump
from soak.scenario.yaml_source import read
from soak.snapshot import Snapshot
from soak.verdict import Concern, ExitCode, Verdict, merge

CHECK = "baseline"


def require_comparable(scenario: Scenario, baselines: Sequence[RunRecord]) -> None:
    """Raises NotComparable before hours are spent on a run that could not be compared."""
    plan = read(dump(scenario).encode(), scenario.name).tree
    assert isinstance(plan, dict)
    for baseline in baselines:
        require_same_load(plan, baseline, scenario.name)


def gated(
    snapshot: Snapshot,
    directory: RunDirectory,
    baselines: Sequence[RunRecord],
    thresholds: Sequence[str] = (),
) -> Snapshot:
    """The snapshot of a finished run with the comparison as its last check, `baseline`.

    Writes comparison.json and comparison.md into the run directory. A run that was stopped or
    failed keeps the verdict it has.
    """
    directory.replace_json(directory.report, document(snapshot))
    comparison = compare(load_run(directory.path), baselines, thresholds=thresholds)
    directory.replace_json(directory.path / "comparison.json", papers.document(comparison))
    directory.replace(directory.path / "comparison.md", papers.markdown(comparison).encode())
    verdicts = (*snapshot.verdicts, as_check(comparison))
    certificate = snapshot.certificate
    merged = merge(verdicts, trusted=certificate.trusted, distrust="; ".join(certificate.reasons))
    is_over = snapshot.state == "finished"
    return replace(snapshot, verdicts=verdicts, verdict=merged if is_over else snapshot.verdict)


def as_check(comparison: Comparison) -> Verdict:
    """The comparison in one verdict, with the figures of the metric that came off worst."""
    verdict = comparison.verdict
    is_wrong = verdict.exit_code == ExitCode.CORRECTNESS
    concern = Concern.CORRECTNESS if is_wrong else Concern.OBJECTIVE
    word = {"pass": "", "fail": "worse than the baseline: ", "unknown": f"{CHECK}: "}
    decided = [change for change in comparison.changes if change.status is verdict.status]
    worst = max(decided, key=lambda change: abs(change.change), default=None)
    ratio = worst if worst is not None and worst.metric.scale == "ratio" else None
    return Verdict(
        check=CHECK,
        detector=DETECTOR,
        concern=concern,
        status=verdict.status,
        reason=word[verdict.status] + verdict.reason,
        effect=ratio.change if ratio else None,
        threshold=ratio.metric.threshold if ratio else None,
        unit="ratio" if ratio else "",
        interval=ratio.interval if ratio else None,
    )
