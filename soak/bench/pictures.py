"""Which figures show a category? Latency, rate, size and recall of its benchmarks, row by row."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soak.bench.resource_use import resource_charts
from soak.report.charts import Chart, Line, Unit
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.report.ranges import Ranges, Row, known

# Of each operation, from what is usual to what is worst.
QUANTILES = (("p50", "p50"), ("p95", "notable"), ("p99", "p99"), ("max", "faint"))
MAGNITUDES = {"k": 1_000, "m": 1_000_000}
# Fewer make no curve.
LEAST_POINTS = 3

Picture = Ranges | Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """A figure of a whole benchmark, and where its `results` have it."""

    name: str
    title: str
    caption: str
    unit: Unit
    tone: str
    column: str


WHOLES = (
    _Whole(
        name="rate",
        title="Operations per second",
        caption="Over the whole run. Where arrivals are open this is the rate that was asked for.",
        unit="1/s",
        tone="achieved",
        column="operations_per_s",
    ),
    _Whole(
        name="memory",
        title="Memory per 1,000 records",
        caption="Anonymous memory at the end, less what was held before the first record.",
        unit="bytes",
        tone="anonymous",
        column="memory_bytes_per_1000_records",
    ),
    _Whole(
        name="disk",
        title="Disk space per 1,000 records",
        caption="Allocated blocks of all the target's files, at the end.",
        unit="bytes",
        tone="disk",
        column="disk_bytes_per_1000_records",
    ),
    _Whole(
        name="recall",
        title="Recall of searches",
        caption="Against the exact answer over the live records, mean of the searches scored.",
        unit="ratio",
        tone="recall",
        column="recall",
    ),
    _Whole(
        name="processor",
        title="Processor time per operation",
        caption="Of the target's processes, the tester's load loop in them included.",
        unit="s",
        tone="maintenance",
        column="cpu_s_per_operation",
    ),
)


def pictures(category: str, documents: Sequence[Section]) -> list[Picture]:
    """Those that have something to show, of the documents of one category."""
    ordered = in_order(documents)
    drawn = [_latency(category, ordered)]
    for whole in WHOLES:
        rows = tuple(
            Row(
                label=str(document.get("benchmark")),
                values=((whole.name, number(_results(document).get(whole.column))),),
            )
            for document in ordered
        )
        drawn.append(
            Ranges(
                name=f"{category}-{whole.name}",
                title=whole.title,
                caption=whole.caption,
                unit=whole.unit,
                tones=((whole.name, whole.tone),),
                rows=rows,
            )
        )
    shown: list[Picture] = [ranges for ranges in drawn if any(map(known, ranges.rows))]
    return [*shown, *_by_clients(category, ordered), *resource_charts(category, ordered)]


def in_order(documents: Sequence[Section]) -> list[Section]:
    """By name, and by size where the name ends in one: agents-2 before agents-10 before 1k."""

    def place(document: Section) -> tuple[str, int, str]:
        stem = str(document.get("benchmark"))
        found = re.fullmatch(r"(.*?)(\d+)([km]?)", stem)
        if found is None:
            return stem, 0, ""
        return found[1], int(found[2]) * MAGNITUDES.get(found[3], 1), found[3]

    return sorted(documents, key=place)


def _latency(category: str, documents: Sequence[Section]) -> Ranges:
    rows = []
    for document in documents:
        bounds = _bounds(document)
        for name, row in as_section(_results(document).get("operations")).items():
            latency = as_section(as_section(row).get("latency_s"))
            values = tuple((q, number(latency.get(q))) for q, _ in QUANTILES)
            positive = tuple((q, value) for q, value in values if value > 0)
            label = f"{document.get('benchmark')} · {name}"
            rows.append(Row(label=label, values=positive, bound=bounds.get(name, float("nan"))))
    return Ranges(
        name=f"{category}-latency",
        title="Latency by operation",
        caption="From the moment each was due, over the whole run, warm-up included. The upright "
        "mark is the objective, which is judged after warm-up and on its own quantile.",
        unit="s",
        tones=QUANTILES,
        rows=tuple(rows),
    )


def _bounds(document: Section) -> dict[str, float]:
    """Operation to the bound on its latency, where the benchmark has one."""
    params = as_section(as_section(document.get("metadata")).get("params"))
    judged = {row.get("name"): row for row in as_rows(document.get("objectives"))}
    found = {}
    for check in as_rows(params.get("checks")):
        operation = as_section(check.get("params")).get("operation")
        threshold = number(judged.get(check.get("name"), {}).get("threshold"))
        if isinstance(operation, str) and threshold > 0:
            found[operation] = threshold
    return found


def _by_clients(category: str, documents: Sequence[Section]) -> list[Picture]:
    """Operations per second over clients, beside the ideal; none below LEAST_POINTS of them."""
    points: dict[int, float] = {}
    for document in documents:
        stem = str(document.get("benchmark"))
        params = as_section(as_section(document.get("metadata")).get("params"))
        clients = number(as_section(params.get("target")).get("clients"))
        per_s = number(_results(document).get("operations_per_s"))
        if stem.startswith(("clients-", "agents-")) and clients > 0 and per_s > 0:
            points[int(clients)] = per_s
    if len(points) < LEAST_POINTS:
        return []
    clients_count = np.array(sorted(points), dtype=np.float64)
    achieved = np.array([points[int(n)] for n in clients_count])
    ideal = achieved[0] / clients_count[0] * clients_count
    # The ideal line leaves the panel where it would flatten the other.
    in_panel = ideal <= 2 * achieved.max()
    return [
        Chart(
            name=f"{category}-clients",
            title="Operations per second over clients, and the ideal",
            caption="The ideal is as much for each as the fewest clients get.",
            lines=(
                # As they are: what looks like a gap is only the next number of clients.
                Line(label="achieved", tone="achieved", t=clients_count, y=achieved),
                Line(
                    label="ideal",
                    tone="offered",
                    t=clients_count[in_panel],
                    y=ideal[in_panel],
                    is_dashed=True,
                ),
            ),
            end_s=float(clients_count[-1]),
            unit="1/s",
            starts_at_zero=True,
            along="records",
        )
    ]


def _results(document: Section) -> Section:
    return as_section(document.get("results"))
