"""How are benchmarks told? A table of figures, and measured against target for every objective."""

from collections.abc import Mapping, Sequence

from soak.report import figures
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.verdict import ExitCode

FIGURES = (
    *("benchmark", "", "operation", "ops/s", "records/s", "p50", "p99", "max"),
    *("recall", "memory/1k", "disk/1k", "cpu/op"),
)
OBJECTIVES = ("benchmark", "objective", "", "measured", "target")
# The worst first; what could not be told is worse than what passed.
SEVERITY = (
    *(ExitCode.CORRECTNESS, ExitCode.LEAK, ExitCode.OBJECTIVE, ExitCode.TARGET),
    *(ExitCode.USAGE, ExitCode.UNKNOWN, ExitCode.PASS),
)
MARKS: Mapping[str, str] = {"pass": "ok", "fail": "MISSED", "unknown": "unknown"}


def exit_code(codes: Sequence[int]) -> int:
    """The code of the worst; one that has no rank, as after a signal, before all."""
    strange = [code for code in codes if code not in list(SEVERITY)]
    ranked = sorted(codes, key=lambda code: SEVERITY.index(ExitCode(code)) if not strange else 0)
    return strange[0] if strange else ranked[0]


def table(documents: Sequence[Section]) -> str:
    """Lines for a terminal: the figures of each benchmark, then measured against target."""
    shown = [row for document in documents for row in _figures(document)]
    bounds = [row for document in documents for row in _objectives(document)]
    return "\n\n".join([_lines(FIGURES, shown, 3), _lines(OBJECTIVES, bounds, 3)])


def markdown(documents: Sequence[Section]) -> str:
    """The same two tables for a pull request."""
    shown = [row for document in documents for row in _figures(document)]
    bounds = [row for document in documents for row in _objectives(document)]
    parts = [
        "## Objectives",
        _markdown(OBJECTIVES, bounds),
        "## Figures",
        _markdown(FIGURES, shown),
    ]
    return "\n\n".join(parts) + "\n"


def name_of(document: Section) -> str:
    return f"{document.get('category')}/{document.get('benchmark')}"


def _figures(document: Section) -> list[tuple[str, ...]]:
    found = as_section(document.get("results"))
    status = str(as_section(document.get("verdict")).get("status"))
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


def _objectives(document: Section) -> list[tuple[str, ...]]:
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
