"""What belongs into a pull request? The verdict, the checks and the key figures, in Markdown."""

from collections.abc import Mapping, Sequence

from soak.report import figures
from soak.report.advice import Advice
from soak.report.document import Section, as_rows, as_section

SIGN_OF = {"pass": "✅ pass", "fail": "❌ fail", "unknown": "❔ unknown"}
MAX_REASON = 160


def markdown(
    document: Mapping[str, object], link: str = "", recommended: Sequence[Advice] = ()
) -> str:
    """A screenful. link: where the whole report is, a path or an address."""
    verdict = as_section(document.get("verdict"))
    status = str(verdict.get("status", "unknown"))
    title = f"{document.get('scenario', '')} on {document.get('target', '')}"
    parts = [
        f"## {SIGN_OF.get(status, status)} · soak of {title}",
        _escape(sentence(document)),
        _table(("check", "result", "measured", "bound", "why"), _check_rows(document)),
        _table(
            ("check", "recommended", "because"),
            [(each.check, each.what, each.figure) for each in recommended],
        ),
        _table(("figure", "value"), _figure_rows(document)),
        _operations(document),
        _footer(document, link),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def sentence(document: Mapping[str, object]) -> str:
    """The verdict and why, in words: the first thing every form of the report says."""
    verdict = as_section(document.get("verdict"))
    lasted = figures.span(document.get("duration_s"))
    reason = str(verdict.get("reason", "")).rstrip(".") or "no reason was given"
    ending = "" if document.get("state", "finished") == "finished" else f" ({document['state']})"
    word = {"pass": "Passed", "fail": "Failed"}.get(str(verdict.get("status")), "Undecided")
    return f"{word} after {lasted}{ending}: {reason}."


def key_figures(document: Mapping[str, object]) -> list[tuple[str, str]]:
    """The figures one looks at first, as (name, text); what was not measured is left out."""
    resources = as_section(document.get("resources"))
    anonymous = as_section(resources.get("anonymous_bytes"))
    recall = as_section(document.get("recall"))
    oracle = as_section(document.get("oracle"))
    records = as_section(document.get("records"))
    certificate = as_section(document.get("certificate"))
    health = as_section(document.get("health"))
    rows = [
        ("time that memories aged", _aged(document)),
        ("operations", figures.whole(_operation_count(document))),
        ("rate achieved", figures.rate(certificate.get("achieved_rate"))),
        ("times interrupted", figures.whole(len(as_rows(certificate.get("gaps"))) or None)),
        _held(anonymous),
        ("live records", figures.whole(records.get("live"))),
        (
            f"recall@{recall['k']}" if recall.get("k") else "recall",
            figures.share(recall.get("mean")),
        ),
        ("answers checked", figures.whole(oracle.get("checked"))),
        ("answers wrong", figures.whole(violation_count(document))),
        ("health, lowest", figures.share(health.get("min"))),
        ("health, as the target reports it", figures.share(health.get("reported"))),
    ]
    return [(name, text) for name, text in rows if text != figures.NOT_KNOWN]


def _aged(document: Mapping[str, object]) -> str:
    """Only where it is not the time that the run took."""
    scale = figures.number(document.get("time_scale"))
    if not scale > 1:
        return figures.NOT_KNOWN
    lasted_s = figures.number(document.get("duration_s"))
    return f"{figures.span(lasted_s * scale)}, {scale:g} times as fast as the load"


def violation_count(document: Mapping[str, object]) -> float:
    """Wrong answers of all kinds; nan when the document does not say."""
    violations = as_section(document.get("oracle")).get("violations")
    if not isinstance(violations, Mapping):
        return float("nan")
    return sum(number for number in map(figures.number, violations.values()) if number == number)


def gaps_text(certificate: Section) -> str:
    """How often and how long nobody was there, and what that left open; – where somebody was."""
    gaps = as_rows(certificate.get("gaps"))
    if not gaps:
        return figures.NOT_KNOWN
    absent_s = sum(figures.number(gap.get("absent_s")) for gap in gaps)
    in_doubt_count = sum(figures.number(gap.get("in_doubt_count")) for gap in gaps)
    times = "once" if len(gaps) == 1 else f"{len(gaps)} times"
    return (
        f"{times}, {figures.span(absent_s)} in all; operations in flight then, "
        f"whose answers nobody heard: {figures.whole(in_doubt_count)}"
    )


def bound_text(check: Section) -> str:
    """The check's threshold in its unit; – where the detector has none."""
    return figures.in_unit(check.get("threshold"), str(check.get("unit", "")))


def effect_text(check: Section) -> str:
    """What was measured, in the check's unit."""
    return figures.in_unit(check.get("effect"), str(check.get("unit", "")))


def interval_text(check: Section) -> str:
    """The confidence interval of what was measured; empty where the detector has none."""
    interval = check.get("interval")
    if not isinstance(interval, list) or len(interval) != 2:
        return ""
    low, high = (figures.in_unit(edge, str(check.get("unit", ""))) for edge in interval)
    return f"{low} to {high}"


def _check_rows(document: Mapping[str, object]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for check in as_rows(document.get("checks")):
        status = str(check.get("status", "unknown"))
        reason = str(check.get("reason", "")) if status != "pass" else ""
        rows.append(
            (
                str(check.get("name", "")),
                SIGN_OF.get(status, status),
                _measured(check),
                bound_text(check),
                reason if len(reason) <= MAX_REASON else reason[: MAX_REASON - 1] + "…",
            )
        )
    for row in as_rows(document.get("skipped")):
        rows.append((str(row.get("name", "")), "not asked", "", "", str(row.get("reason", ""))))
    return rows


def _measured(check: Section) -> str:
    interval = interval_text(check)
    return effect_text(check) + (f" ({interval})" if interval else "")


def _figure_rows(document: Mapping[str, object]) -> list[tuple[str, ...]]:
    return [tuple(row) for row in key_figures(document)]


def _operations(document: Mapping[str, object]) -> str:
    rows = []
    for name, operation in as_section(document.get("operations")).items():
        row = as_section(operation)
        latency = as_section(row.get("latency_s"))
        outcomes = as_section(row.get("outcomes"))
        texts = [figures.latency(latency.get(q)) for q in ("p50", "p99", "p999", "max")]
        bad = sum(figures.number(outcomes.get(name, 0)) for name in ("wrong", "error", "timeout"))
        rows.append((name, figures.whole(row.get("count")), *texts, figures.whole(bad)))
    head = ("operation", "count", "p50", "p99", "p99.9", "max", "wrong or failed")
    table = _table(head, rows)
    return f"<details><summary>Latency by operation</summary>\n\n{table}\n\n</details>" * bool(rows)


def _footer(document: Mapping[str, object], link: str) -> str:
    facts = f"Run `{document.get('run_id', '')}`, seed {document.get('seed')}"
    started = document.get("started")
    begun = f", started {str(started)[:19].replace('T', ' ')} UTC" if started else ""
    return f"{facts}{begun}." + (f" [Full report]({link})" if link else "")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table; nothing when there is no row."""
    if not rows:
        return ""
    lines = [head, tuple("---" for _ in head), *(tuple(map(_escape, row)) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _escape(text: str) -> str:
    """Text as a table cell: no column ends and no HTML or line break begins in it."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return " ".join(plain.split())


def _operation_count(document: Mapping[str, object]) -> float:
    operations = as_section(document.get("operations")).values()
    return sum(figures.number(as_section(row).get("count", 0)) for row in operations)


def _held(row: Section) -> tuple[str, str]:
    """Memory at the end, and in its name where it began."""
    first = figures.size(row.get("first"))
    return f"anonymous memory, {first} at first", figures.size(row.get("last"))
