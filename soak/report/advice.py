"""What should be looked at first? One recommendation per check that did not pass, with its figure.

Each is derived from the verdict and from what the run recorded beside it; none is a guess about the
target's code. Where nothing more is known than the verdict itself, none is given.
"""

from dataclasses import dataclass

from soak.report import figures
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.report.objectives import Line, asked_checks
from soak.report.record import RunRecord
from soak.report.remedies import Said, of_failure

# What threshold_rule looks at unless told otherwise, beside the health score.
RULED = {"memory": "anonymous_bytes", "latency": "search_p50_s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """check: whose verdict it follows from; what: to be done; figure: what speaks for it."""

    check: str
    status: str
    what: str
    reason: str
    figure: str


def advice(record: RunRecord) -> list[Advice]:
    """What did not pass, failures first; empty where all passed."""
    asked = asked_checks(record)
    found: list[Advice] = []
    for check in as_rows(record.document.get("checks")):
        status, name = str(check.get("status")), str(check.get("name"))
        if status == "fail":
            said = of_failure(record, check, asked.get(name, {}))
        elif status == "unknown":
            said = _of_unknown(record, check, asked.get(name, {}))
        else:
            continue
        if said:
            what, figure = said
            reason = str(check.get("reason") or "")
            found.append(Advice(check=name, status=status, what=what, reason=reason, figure=figure))
    return sorted(found, key=lambda each: each.status != "fail")


def _of_unknown(record: RunRecord, check: Section, asked: Line) -> Said | None:
    """Nothing where the check measured nothing: its own reason says what it lacks."""
    certificate = as_section(record.document.get("certificate"))
    reasons = certificate.get("reasons")
    if certificate.get("trusted") is False and isinstance(reasons, list) and reasons:
        return "Repeat it where the machine is quieter: the run cannot be trusted.", str(reasons[0])
    if check.get("detector") == "compare":
        return _of_open_comparison(record.comparison)
    if check.get("detector") == "threshold_rule":
        params = as_section(asked.get("params"))
        columns = [str(params.get(name) or usual) for name, usual in RULED.items()]
        what = "Name columns of samples.csv that this run has (memory, latency of the check)."
        return what, f"none of {', '.join([*columns, 'score'])} among {len(record.samples)}"
    if check.get("effect") is None:
        return None
    lasted = figures.span(record.document.get("duration_s"))
    return "Run longer: what it measured does not decide the check.", f"{lasted} so far"


def _of_open_comparison(comparison: Section) -> Said | None:
    """What keeps it open: another machine, an untrusted run, or the metric that strays most."""
    distrust = comparison.get("distrust")
    if isinstance(distrust, list) and distrust:
        return "Measure both on one machine that is left alone (docs/ci.md).", str(distrust[0])
    metrics, skipped_rows = (as_rows(comparison.get(key)) for key in ("metrics", "skipped"))
    undecided = [row for row in metrics if row.get("status") == "unknown"]
    if not undecided:
        skipped = [f"{row.get('name')}: {row.get('reason')}" for row in skipped_rows]
        return ("Run both longer: nothing could be compared.", skipped[0]) if skipped else None
    row = max(undecided, key=lambda row: abs(number(row.get("detectable"))))
    what = "Run longer, keep three runs as the baseline, or allow more (--threshold)."
    could, allowed = (figures.share(row.get(key)) for key in ("detectable", "threshold"))
    return what, f"{row.get('name')}: {could} could have been told, {allowed} is allowed"
