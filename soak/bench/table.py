"""How are benchmarks told? Figures, and measured against target for every objective, as tables."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from soak.bench import (
    footprint,
    foreign,
    limits,
    phases,
    pressure,
    resource_use,
    retrieval,
    scaling,
    tiers,
    transitions,
)
from soak.bench.foreign import foreign_figures, is_known
from soak.bench.goals import goal_rows
from soak.bench.outcome import SKIPPED
from soak.bench.running import disturbances
from soak.bench.variants import by_variant, name_of
from soak.report import figures
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.verdict import ExitCode

FIGURES = (
    *("benchmark", "", "operation", "ops/s", "records/s", "p50", "p95", "p99", "max"),
    *("all ops/s", "recall", "memory/1k", "disk/1k", "cpu/op"),
)
QUANTILES = ("p50", "p95", "p99", "max")
OBJECTIVES = ("benchmark", "check", "", "measured", "bound")
GOALS = ("objective", "benchmark", "", "measured", "target")
# The worst first; what could not be told is worse than what passed.
SEVERITY = (
    *(ExitCode.CORRECTNESS, ExitCode.LEAK, ExitCode.OBJECTIVE, ExitCode.TARGET),
    *(ExitCode.USAGE, ExitCode.UNKNOWN, ExitCode.PASS),
)
LEFT_OUT = ("benchmark", "left out because")
MARKS = {"pass": "ok", "fail": "MISSED", "unknown": "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table under its name. words: the columns that are set to the left."""

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Collection[int] = (0,)


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
    parts = disturbances(documents)
    for said, group in by_variant(documents).items():
        parts += [f"{said}:"] if said else []
        parts += [_lines(each) for each in tables(group) if each.rows]
    return "\n\n".join(parts)


def markdown(documents: Sequence[Section]) -> str:
    """The same tables for a pull request, the objectives first."""
    parts = disturbances(documents)
    for said, group in by_variant(documents).items():
        parts += [f"# {said}"] if said else []
        for each in reversed(tables(group)):
            parts += [f"## {each.name}", _markdown(each)] if each.rows else []
    return "\n\n".join(parts) + "\n"


def tables(documents: Sequence[Section]) -> list[Table]:
    """All there are, of results of one variant; some without rows."""
    agents, _ = scaling.scaling_rows(documents)
    figured = [row for document in documents for row in figures_of(document)]
    bounds = [row for document in documents for row in objectives_of(document)]
    told: list[tuple[str, Sequence[str], Sequence[Sequence[str]], Collection[int]]] = [
        ("Figures", FIGURES, figured, (0, 1, 2)),
        ("Highest rates", limits.HEAD, limits.limit_rows(documents), (0, 3, 4)),
        ("Resource use", resource_use.HEAD, resource_use.resource_rows(documents), (0,)),
        ("Footprint", footprint.HEAD, footprint.footprint_rows(documents), (0,)),
        ("Agents", scaling.AGENTS_HEAD, agents, ()),
        ("Growth", scaling.GROWTH_HEAD, scaling.growth_rows(documents), (0, 1)),
        ("Searches", retrieval.HEAD, retrieval.retrieval_rows(documents), (0, 1, 2)),
        ("Records by tier", tiers.HEAD, tiers.tier_rows(documents), (0, 1)),
        ("Moves between tiers", transitions.HEAD, transitions.transition_rows(documents), (0, 1)),
        ("Pressure", pressure.HEAD, pressure.pressure_rows(documents), (0,)),
        ("Phases", phases.HEAD, phases.phase_rows(documents), (0, 1, 2)),
        ("Other figures", foreign.HEAD, foreign.foreign_rows(documents), (0, 1, 3)),
        ("Left out", LEFT_OUT, left_out_rows(documents), (0, 1)),
        ("Checks", OBJECTIVES, bounds, (0, 1, 2)),
        ("Objectives", GOALS, [_goal(row) for row in goal_rows(documents)], (0, 1, 2)),
    ]
    return [Table(name=name, head=head, rows=rows, words=w) for name, head, rows, w in told]


def _goal(row: Section) -> tuple[str, ...]:
    unit, status = str(row.get("unit")), str(row.get("status"))
    return (
        str(row.get("objective")),
        str(row.get("benchmark")),
        MARKS.get(status, status),
        figures.in_unit(row.get("measured"), unit),
        f"at {row.get('bound')} {figures.in_unit(row.get('target'), unit)}",
    )


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
    if status == SKIPPED or (not is_known(document) and foreign_figures(document)):
        return []
    found = as_section(document.get("results"))
    operations = as_section(found.get("operations"))
    rows = []
    whole = (
        figures.digits(number(found.get("operations_per_s"))),
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
            *(figures.latency(latency.get(q)) for q in QUANTILES),
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


def _lines(shown: Table) -> str:
    """Words to the left, figures to the right."""
    cells = [[" ".join(cell.split()) for cell in row] for row in (shown.head, *shown.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        set_apart = [
            cell.ljust(width) if place in shown.words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(set_apart).rstrip())
    return "\n".join(lines)


def _markdown(shown: Table) -> str:
    lines = [shown.head, ["---"] * len(shown.head), *shown.rows]
    return "\n".join("| " + " | ".join(map(_in_cell, line)) + " |" for line in lines)


def _in_cell(text: str) -> str:
    """What is read back may hold what would end a cell or a line."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return " ".join(plain.split())
