"""What do more agents and more records cost? Efficiency against the ideal, and laws of growth."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from soak.report import figures
from soak.report.document import Section, as_section
from soak.report.figures import number
from soak.rundir import finite

CATEGORY = "scalability"
FOOTPRINT = "footprint"
ROUND = 10 + 5 + 3  # operations of one agent: stores, gets, searches
# A law needs more points than it has parameters.
LEAST_POINTS = 3
MEASURES = ("p50", "p95")
AGENTS_HEAD = (
    *("agents", "operations/s", "ideal", "efficiency", "for each/s", "a round takes", "p95"),
    *("processor", "memory"),
)
GROWTH_HEAD = ("of", "grows")


def with_scaling(documents: Sequence[Section]) -> list[dict[str, object]]:
    """The documents, those of scalability with what only several of them together can tell.

    `results.scaling` of a number of agents: what one agent gets, how long one round takes it
    (ROUND operations), and efficiency, which is 1 where N agents get N times what one gets.
    `results.growth` of a volume: operation to the exponent of latency over records, by quantile.
    `results.each_further` of a footprint: bytes that one more record takes, fitted over all.
    """
    further = each_further([d for d in documents if d.get("category") == FOOTPRINT])
    agents = {n: d for d in documents if (n := agents_of(d))}
    volumes = {n: d for d in documents if (n := records_of(d))}
    growth = laws(volumes)
    told = []
    for document in documents:
        more: dict[str, object] = {}
        if agents_of(document):
            more["scaling"] = _efficiency(document, agents.get(1))
        if records_of(document) and growth:
            more["growth"] = growth
        if document.get("category") == FOOTPRINT and further:
            more["each_further"] = further
        safe = finite({**as_section(document.get("results")), **more})
        told.append({**document, "results": safe})
    return told


def scaling_rows(
    documents: Sequence[Section],
) -> tuple[list[tuple[str, ...]], list[tuple[str, str, float]]]:
    """A row per number of agents, in words; and (operation, quantile, exponent) of the volumes."""
    agents = sorted((d for d in documents if agents_of(d)), key=agents_of)
    rows = [_agents_row(document) for document in agents]
    found = [as_section(as_section(d.get("results")).get("growth")) for d in documents]
    growth = next((each for each in found if each), {})
    laws = [
        (str(name), str(quantile), number(b))
        for name, of_operation in growth.items()
        for quantile, b in as_section(of_operation).items()
    ]
    return rows, laws


def further_rows(documents: Sequence[Section]) -> list[tuple[str, float]]:
    """("memory" or "disk space", bytes that one more record takes) of the footprints."""
    found = [as_section(as_section(d.get("results")).get("each_further")) for d in documents]
    further = next((each for each in found if each), {})
    named = (("memory", "memory_bytes"), ("disk space", "disk_bytes"))
    return [(said, number(further[name])) for said, name in named if name in further]


def growth_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of GROWTH_HEAD: latency over records as a law, memory and disk by the record."""
    _, laws = scaling_rows(documents)
    further = further_rows(documents)
    return [
        *((f"{name} {quantile}", f"as records to {b:+.2f}") for name, quantile, b in laws),
        *((name, f"{figures.size(held)} for each further record") for name, held in further),
    ]


def _agents_row(document: Section) -> tuple[str, ...]:
    results = as_section(document.get("results"))
    found = as_section(results.get("scaling"))
    tails = [_latency(document, name, "p95") for name in _operations(document)]
    return (
        figures.whole(found.get("agents")),
        figures.rate(found.get("operations_per_s")),
        figures.rate(found.get("ideal_operations_per_s")),
        figures.share(found.get("efficiency")),
        figures.rate(found.get("per_agent_per_s")),
        figures.latency(found.get("round_s")),
        figures.latency(max(tails, default=math.nan)),
        figures.latency(results.get("cpu_s_per_operation")),
        figures.size(results.get("memory_bytes")),
    )


def agents_of(document: Section) -> int:
    """How many agents a benchmark of scalability has, each with a client; 0 for any other."""
    return _size(document, "agents-", "target", "clients")


def records_of(document: Section) -> int:
    """How many records a benchmark of volume begins with; 0 for any other."""
    return _size(document, "volume-", "population", "preload")


def _size(document: Section, prefix: str, part: str, name: str) -> int:
    stem = str(document.get("benchmark"))
    if document.get("category") != CATEGORY or not stem.startswith(prefix):
        return 0
    params = as_section(as_section(document.get("metadata")).get("params"))
    size = number(as_section(params.get(part)).get(name))
    return int(size) if size == size else 0


def _efficiency(document: Section, alone: Section | None) -> dict[str, object]:
    count = agents_of(document)
    per_s = _rate(document)
    single_per_s = _rate(alone) if alone else math.nan
    ideal_per_s = count * single_per_s
    return {
        "agents": count,
        "operations_per_s": per_s,
        "ideal_operations_per_s": ideal_per_s,
        "efficiency": per_s / ideal_per_s if ideal_per_s > 0 else math.nan,
        "per_agent_per_s": per_s / count,
        "round_s": ROUND * count / per_s if per_s > 0 else math.nan,
    }


def _rate(document: Section) -> float:
    return number(as_section(document.get("results")).get("operations_per_s"))


def laws(volumes: Mapping[int, Section]) -> dict[str, dict[str, float]]:
    """Operation to quantile to b, where latency goes as records to the power of b.

    Fitted by least squares to the logarithms; empty below LEAST_POINTS volumes.
    """
    found: dict[str, dict[str, float]] = {}
    names = {name for document in volumes.values() for name in _operations(document)}
    for name in sorted(names):
        for quantile in MEASURES:
            points = [
                (n, value)
                for n, document in sorted(volumes.items())
                if (value := _latency(document, name, quantile)) > 0
            ]
            if len(points) >= LEAST_POINTS:
                found.setdefault(name, {})[quantile] = exponent(points)
    return found


def each_further(footprints: Sequence[Section]) -> dict[str, float]:
    """Bytes of memory and of disk for one more record, the slope of a line through the sizes.

    What the process holds without any record is in none of them. Empty below LEAST_POINTS sizes.
    """
    found = {}
    for name in ("memory_bytes", "disk_bytes"):
        points = [
            (records, held)
            for document in footprints
            if (records := number(as_section(document.get("results")).get("records_live"))) > 0
            and (held := number(as_section(document.get("results")).get(name))) > 0
        ]
        if len(points) >= LEAST_POINTS:
            found[name] = slope(points)
    return found


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """b of y = a x^b through at least two points, all above zero."""
    return slope([(math.log(x), math.log(y)) for x, y in points])


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line by least squares through at least two points."""
    x, y = np.array(points, dtype=np.float64).T
    x = x - x.mean()
    return float((x * (y - y.mean())).sum() / (x * x).sum())


def _operations(document: Section) -> Section:
    return as_section(as_section(document.get("results")).get("operations"))


def _latency(document: Section, operation: str, quantile: str) -> float:
    row = as_section(_operations(document).get(operation))
    return number(as_section(row.get("latency_s")).get(quantile))
