"""Is this run worse than its baseline? One more check of the run, with its own papers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from soak.comparison import papers
from soak.comparison.conclusion import DETECTOR, warned
from soak.comparison.judgement import Comparison, compare
from soak.comparison.metrics import metrics
from soak.comparison.objections import require_same_load
from soak.report.document import document
from soak.report.record import RunError, RunRecord, load_run
from soak.rundir import RunDirectory
from soak.scenario import Scenario, dump
from soak.scenario.yaml_source import read
from soak.snapshot import Snapshot
from soak.verdict import Concern, ExitCode, Mistake, Status, Verdict, merge

CHECK = "baseline"
_AGAIN = "pass --baseline NAME, as when it was begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a run must not be worse than, and by how much; without baselines there is no gate.

    thresholds: changes to the usual ones, `search.latency_p99=25%`.
    """

    baselines: Sequence[RunRecord] = ()
    thresholds: Sequence[str] = ()

    def document(self) -> Mapping[str, object]:
        """For gate.json, from which `standing_gate` makes it again; empty without a gate."""
        if not self.baselines:
            return {}
        paths = [str(record.directory) for record in self.baselines]
        return {"baselines": paths, "thresholds": list(self.thresholds)}


def standing_gate(directory: RunDirectory, given: Gate) -> Gate:
    """The gate of a run that goes on: what is given, and where nothing is, what it was begun with.

    Raises Mistake where its baseline is not there any more, or is the run itself.
    """
    gate = _kept_gate(directory, given) if directory.gate.exists() else given
    if directory.path.resolve() in {record.directory.resolve() for record in gate.baselines}:
        raise Mistake(f"{directory.path}: a run cannot be its own baseline; {_AGAIN}")
    return gate


def _kept_gate(directory: RunDirectory, given: Gate) -> Gate:
    try:
        kept = json.loads(directory.gate.read_bytes())
        paths, thresholds = [Path(path) for path in kept["baselines"]], list(kept["thresholds"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        if given.baselines:
            return given
        raise Mistake(f"{directory.gate}: is damaged; {_AGAIN}") from error
    try:
        baselines = given.baselines or [load_run(path) for path in paths]
    except RunError as error:
        raise Mistake(f"{directory.path}: its baseline is not there: {error}; {_AGAIN}") from error
    return Gate(baselines=baselines, thresholds=given.thresholds or thresholds)


def require_comparable(scenario: Scenario, gate: Gate) -> None:
    """Raises Mistake before hours are spent on a run that could not be compared."""
    metrics(scenario.operations, gate.thresholds)
    plan = read(dump(scenario).encode(), scenario.name).tree
    assert isinstance(plan, dict)
    for baseline in gate.baselines:
        require_same_load(plan, baseline, scenario.name)


def gated(snapshot: Snapshot, directory: RunDirectory, gate: Gate) -> Snapshot:
    """The snapshot of a finished run with the comparison as its last check, `baseline`.

    Writes comparison.json and comparison.md into the run directory; where there is no comparison
    to be had, the check is unknown. A run that was stopped or failed keeps the verdict it has.
    Raises RunDirError.
    """
    # What is left if the comparison breaks off must not say that the run passed it.
    pending = _with_check(snapshot, _undecided("the comparison was not finished"))
    directory.replace_json(directory.report, document(pending))
    try:
        comparison = compare(load_run(directory.path), gate.baselines, thresholds=gate.thresholds)
        directory.replace_json(directory.comparison, papers.document(comparison))
        directory.replace(directory.path / "comparison.md", papers.markdown(comparison).encode())
    except Mistake as mistake:
        return _with_check(snapshot, _undecided(str(mistake)))
    return _with_check(snapshot, as_check(comparison), warned(comparison.changes))


def _with_check(snapshot: Snapshot, check: Verdict, warning: str = "") -> Snapshot:
    """warning: said with a verdict that passes, because then no check's reason is in it."""
    verdicts = (*snapshot.verdicts, check)
    certificate = snapshot.certificate
    merged = merge(verdicts, trusted=certificate.trusted, distrust="; ".join(certificate.reasons))
    if warning and merged.status is Status.PASS:
        merged = replace(merged, reason=f"{merged.reason}; {warning}")
    is_over = snapshot.state == "finished"
    return replace(snapshot, verdicts=verdicts, verdict=merged if is_over else snapshot.verdict)


def _undecided(why: str) -> Verdict:
    return Verdict(
        check=CHECK,
        detector=DETECTOR,
        concern=Concern.OBJECTIVE,
        status=Status.UNKNOWN,
        reason=f"{CHECK}: {why}",
    )


def as_check(comparison: Comparison) -> Verdict:
    """The comparison in one verdict, with the figures of the metric that came off worst.

    Wrong answers have none: they are counted in the reason.
    """
    verdict = comparison.verdict
    is_wrong = verdict.exit_code == ExitCode.CORRECTNESS
    concern = Concern.CORRECTNESS if is_wrong else Concern.OBJECTIVE
    word = {"pass": "", "fail": "worse than the baseline: ", "unknown": f"{CHECK}: "}
    decided = [c for c in comparison.changes if c.counts and c.status is verdict.status]
    worst = None if is_wrong else max(decided, key=lambda c: c.badness, default=None)
    found = Verdict(
        check=CHECK,
        detector=DETECTOR,
        concern=concern,
        status=verdict.status,
        reason=word[verdict.status] + verdict.reason,
    )
    if worst is None:
        return found
    return replace(
        found,
        effect=worst.change,
        threshold=worst.metric.allowed,
        unit="ratio" if worst.metric.scale == "ratio" else worst.metric.unit,
        interval=worst.interval,
    )
