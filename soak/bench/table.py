"""How are benchmarks told? Figures, and measured against target for every objective, as tables."""

import math
from collections.abc import Iterator, Mapping, Sequence

from soak.bench import phases, resource_use, retrieval, tiers, transitions
from soak.bench.goals import goal_rows
from soak.bench.outcome import SKIPPED
from soak.report import figures
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.verdict import ExitCode

FIGURES = (
    *("benchmark", "", "operation", "ops/s", "records/s", "p50", "p99", "max"),
    *("recall", "memory/1k", "disk/1k", "cpu/op"),
)
OBJECTIVES = ("benchmark", "check", "", "measured", "bound")
GOALS = ("objective", "benchmark", "", "measured", "target")
# The worst first; what could not be told is worse than what passed.
SEVERITY = (
    *(ExitCode.CORRECTNESS, ExitCode.LEAK, ExitCode.OBJECTIVE, ExitCode.TARGET),
    *(ExitCode.USAGE, ExitCode.UNKNOWN, ExitCode.PASS),
)
# Of a list of figures from elsewhere, which may be every single latency.
MOST_LISTED = 20
LEFT_OUT = ("benchmark", "left out because")
MARKS: Mapping[str, str] = {"pass": "ok", "fail": "MISSED", "unknown": "unknown"}


def exit_code(documents: Sequence[Section]) -> int:
    """The code of the worst; one that has no rank, as after a signal, before all.

    A result from elsewhere has none, and none is made of it.
    """
    told = [number(as_section(each.get("verdict")).get("exit_code")) for each in documents]
    codes = [int(code) for code in told if math.isfinite(code)]
    if not codes:
        return ExitCode.PASS
    strange = [code for code in codes if code not in list(SEVERITY)]
    ranked = sorted(codes, key=lambda code: SEVERITY.index(ExitCode(code)) if not strange else 0)
    return strange[0] if strange else ranked[0]


def table(documents: Sequence[Section]) -> str:
    """Lines for a terminal: the figures of each benchmark, then measured against target."""
    return "\n\n".join(_lines(head, rows, 3) for head, rows in _tables(documents) if rows)


def markdown(documents: Sequence[Section]) -> str:
    """The same tables for a pull request."""
    tables = ("Figures", "Resource use", "Searches", "Records by tier", "Moves between tiers")
    names = [f"## {name}" for name in (*tables, "Phases", "Left out", "Checks", "Objectives")]
    named = zip(names, _tables(documents), strict=True)
    parts = [(name, _markdown(head, rows)) for name, (head, rows) in reversed(list(named)) if rows]
    return "\n\n".join(text for part in parts for text in part) + "\n"


def _tables(documents: Sequence[Section]) -> list[tuple[Sequence[str], list[tuple[str, ...]]]]:
    return [
        (FIGURES, [row for document in documents for row in figures_of(document)]),
        (resource_use.HEAD, resource_use.resource_rows(documents)),
        (retrieval.HEAD, retrieval.retrieval_rows(documents)),
        (tiers.HEAD, tiers.tier_rows(documents)),
        (transitions.HEAD, transitions.transition_rows(documents)),
        (phases.HEAD, phases.phase_rows(documents)),
        (LEFT_OUT, left_out_rows(documents)),
        (OBJECTIVES, [row for document in documents for row in objectives_of(document)]),
        (GOALS, [_goal(row) for row in goal_rows(documents)]),
    ]


def _goal(row: Section) -> tuple[str, ...]:
    unit, status = str(row.get("unit")), str(row.get("status"))
    return (
        str(row.get("objective")),
        str(row.get("benchmark")),
        MARKS.get(status, status),
        figures.in_unit(row.get("measured"), unit),
        f"at {row.get('bound')} {figures.in_unit(row.get('target'), unit)}",
    )


def name_of(document: Section) -> str:
    return f"{document.get('category')}/{document.get('benchmark')}"


def left_out_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of LEFT_OUT: what was not run, because the target cannot or it would take too long."""
    said = [(name_of(each), as_section(each.get("verdict"))) for each in documents]
    return [
        (name, str(verdict.get("reason")))
        for name, verdict in said
        if verdict.get("status") == SKIPPED
    ]


def figures_of(document: Section) -> list[tuple[str, ...]]:
    status = str(as_section(document.get("verdict")).get("status"))
    if status == SKIPPED or foreign_figures(document):
        return []
    found = as_section(document.get("results"))
    operations = as_section(found.get("operations"))
    rows = []
    whole = (
        figures.in_unit(found.get("recall"), "recall"),
        figures.size(found.get("memory_bytes_per_1000_records")),
        figures.size(found.get("disk_bytes_per_1000_records")),
        figures.latency(found.get("cpu_s_per_operation")),
    )
    for place, (name, row) in enumerate(operations.items()):
        latency = as_section(as_section(row).get("latency_s"))
        stored = name in ("store", "store_batch")
        cells = (
            name,
            figures.digits(number(as_section(row).get("per_s"))),
            figures.digits(number(found.get("records_stored_per_s"))) if stored else "",
            *(figures.latency(latency.get(q)) for q in ("p50", "p99", "max")),
        )
        first = place == 0
        rows.append(
            (
                name_of(document) if first else "",
                MARKS.get(status, status) if first else "",
                *cells,
                *(whole if first else ("",) * len(whole)),
            )
        )
    return rows or [(name_of(document), "unknown", *("",) * (len(FIGURES) - 2))]


def foreign_figures(document: Section) -> list[tuple[str, str]]:
    """(path, value) of every number in the results of a suite that is not soak's.

    What soak measured has `operations` in its results, which figures_of tells.
    """
    found = as_section(document.get("results"))
    if "operations" in found:
        return []
    return [(path, figures.digits(value)) for path, value in _numbers(found, "")]


def _numbers(value: object, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for place, inner in enumerate(value[:MOST_LISTED]):
            yield from _numbers(inner, f"{path}[{place}]")
    elif number(value) == number(value):
        yield path, number(value)


def objectives_of(document: Section) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for check in as_rows(document.get("objectives")):
        unit, status = str(check.get("unit") or ""), str(check.get("status"))
        rows.append(
            (
                name_of(document),
                str(check.get("name")),
                MARKS.get(status, status),
                figures.in_unit(check.get("effect"), unit),
                figures.in_unit(check.get("threshold"), unit),
            )
        )
    return rows


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """Words to the left, figures to the right."""
    cells = [head, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for row in cells:
        left = [c.ljust(w) for c, w in zip(row[:words], widths[:words], strict=True)]
        right = [c.rjust(w) for c, w in zip(row[words:], widths[words:], strict=True)]
        lines.append("  ".join([*left, *right]).rstrip())
    return "\n".join(lines)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
