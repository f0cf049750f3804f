"""How is a comparison told? As a table for a terminal, Markdown for a pull request, JSON."""

from collections.abc import Mapping, Sequence

from soak.comparison.conclusion import Change, said
from soak.comparison.judgement import Comparison, figures_of
from soak.report import figures
from soak.report.record import RunRecord
from soak.rundir import finite
from soak.verdict import Status

SCHEMA_VERSION = 1
HEAD = ("", "metric", "run", "baseline", "change", "interval", "allowed", "detectable")
# What stands in a column for a metric's status; None is one that is only shown.
MARKS: Mapping[Status | None, str] = {
    Status.PASS: "ok",
    Status.FAIL: "WORSE",
    Status.UNKNOWN: "unknown",
    None: "",
}
ORDER = (Status.FAIL, Status.UNKNOWN, Status.PASS, None)


def document(comparison: Comparison) -> dict[str, object]:
    """The comparison with stable keys; nan is null."""
    verdict = comparison.verdict
    content = {
        "schema_version": SCHEMA_VERSION,
        "run": str(comparison.run.document.get("run_id", "")),
        "turns": [str(each.document.get("run_id", "")) for each in comparison.turns],
        "baselines": [str(each.document.get("run_id", "")) for each in comparison.baselines],
        "verdict": {
            "status": str(verdict.status),
            "exit_code": int(verdict.exit_code),
            "reason": verdict.reason,
        },
        "metrics": [_row(change) for change in comparison.changes],
        "wrong_answers": {"run": comparison.wrong[0], "baseline": comparison.wrong[1]},
        "skipped": [{"name": name, "reason": reason} for name, reason in comparison.skipped],
        "distrust": list(comparison.objections.distrust),
        "notes": list(comparison.objections.notes),
    }
    safe = finite(content)
    assert isinstance(safe, dict)
    return safe


def _row(change: Change) -> dict[str, object]:
    metric = change.metric
    return {
        "name": metric.name,
        "status": "warn" if change.is_warning else str(change.status) if change.status else None,
        "level": metric.level if change.status else None,
        "better": change.is_better,
        "unit": metric.unit,
        "scale": metric.scale,
        "worse": metric.worse,
        "run": change.run,
        "baseline": change.baseline,
        "change": change.change,
        "interval": list(change.interval),
        "threshold": metric.threshold,
        "detectable": change.detectable,
        "windows": change.windows_count,
    }


def table(comparison: Comparison) -> str:
    """Lines for a terminal: the sentence, then what was judged, what is only shown left out
    unless it changed."""
    shown = [change for change in _ranked(comparison.changes) if change.status or change.is_better]
    rows = [HEAD, *(_cells(change) for change in shown)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join(
        [*lines, *(f"  {note}" for note in _remarks(comparison)), _sentence(comparison)]
    )


def markdown(comparison: Comparison) -> str:
    """A screenful for a pull request; what is only shown is folded away."""
    judged = [change for change in _ranked(comparison.changes) if change.status]
    others = [change for change in comparison.changes if not change.status]
    parts = [
        f"## {_sentence(comparison)}",
        _markdown_table(judged),
        "\n".join(f"- {note}" for note in _remarks(comparison)),
        f"<details><summary>Only shown</summary>\n\n{_markdown_table(others)}\n\n</details>"
        if others
        else "",
        _footer(comparison),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def figures_document(records: Sequence[RunRecord]) -> dict[str, object]:
    """What a baseline holds: each run's figure per metric, as comparisons use it."""
    return {
        "runs": [str(record.document.get("run_id", "")) for record in records],
        "metrics": {
            metric.name: {"unit": metric.unit, "values": values}
            for metric, values in figures_of(records)
        },
    }


def figures_table(records: Sequence[RunRecord]) -> str:
    """A line per metric, a column per run."""
    head = ("metric", *(str(record.document.get("run_id", "")) for record in records))
    cells = [
        (metric.name, *(figures.in_unit(value, metric.unit) for value in values))
        for metric, values in figures_of(records)
    ]
    rows = [head, *cells]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _ranked(changes: Sequence[Change]) -> list[Change]:
    """What fails, what warns, what is unknown; and of these first what the verdict hangs on."""
    return sorted(changes, key=lambda change: (ORDER.index(change.status), not change.counts))


def _mark(change: Change) -> str:
    if change.is_better:
        return "better"
    return "warning" if change.is_warning else MARKS[change.status]


def _cells(change: Change) -> tuple[str, ...]:
    metric = change.metric
    low, high = (said(metric, end) for end in change.interval)
    allowed = "" if metric.allowed is None else said(metric, metric.allowed)
    if allowed and metric.level == "warn":
        allowed = f"warn {allowed}"
    return (
        _mark(change),
        metric.name,
        figures.in_unit(change.run, metric.unit),
        figures.in_unit(change.baseline, metric.unit),
        said(metric, change.change),
        f"{low} to {high}",
        allowed,
        said(metric, change.detectable),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Words to the left, figures to the right."""
    left = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
    right = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join([*left, *right]).rstrip()


def _remarks(comparison: Comparison) -> list[str]:
    found = comparison.objections
    remarks = [f"note: {note}" for note in found.notes]
    if comparison.skipped:
        names = ", ".join(f"{name} ({reason})" for name, reason in comparison.skipped[:3])
        more = len(comparison.skipped) - 3
        remarks.append(f"not compared: {names}" + (f" and {more} more" if more > 0 else ""))
    return remarks


def _sentence(comparison: Comparison) -> str:
    verdict = comparison.verdict
    word = {Status.PASS: "no regression", Status.FAIL: "regression", Status.UNKNOWN: "unknown"}
    return f"{word[verdict.status]}: {verdict.reason}"


def _markdown_table(changes: Sequence[Change]) -> str:
    if not changes:
        return ""
    rows = [HEAD, tuple("---" for _ in HEAD), *(_cells(change) for change in changes)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _footer(comparison: Comparison) -> str:
    def named(records: Sequence[RunRecord]) -> str:
        return ", ".join(f"`{each.document.get('run_id', '')}`" for each in records)

    runs = named((comparison.run, *comparison.turns))
    word = "Runs" if comparison.turns else "Run"
    return f"{word} {runs} against {named(comparison.baselines)}."
