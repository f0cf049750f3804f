"""What do a tier, exactness and a cold cache cost a search? Each held against its counterpart."""

import math
from collections.abc import Iterator, Mapping, Sequence

from soak.bench.tiers import spread
from soak.report import figures
from soak.report.document import Section, as_section
from soak.report.figures import number
from soak.rundir import finite

CATEGORY = "retrieval"
ACROSS = "search-10k"
# Benchmark to the one that differs from it in one thing alone.
COUNTERPARTS: Mapping[str, str] = {
    "tier-short": ACROSS,
    "tier-intermediate": ACROSS,
    "tier-long": ACROSS,
    "cold": "warm",
    "cold-disk": "cold",
    "approximate-50k": "exact-50k",
    "search-k100": ACROSS,
}
HEAD = (
    *("benchmark", "tiers", "against", "k", "p50", "p95", "p99", "max"),
    *("recall@k", "disk reads", "p50 to it", "p99 to it", "recall to it"),
)


def with_counterparts(documents: Sequence[Section]) -> list[dict[str, object]]:
    """The documents, those of retrieval with `results.retrieval`.

    k, recall, service time (from issue to answer) and bytes read from the disk for a search; beside
    its counterpart, if that was measured too, the ratios of its quantiles and the difference of
    recall.
    """
    ours = {str(d.get("benchmark")): d for d in documents if d.get("category") == CATEGORY}
    told = []
    for document in documents:
        found = _search(document) if document in ours.values() else {}
        results = dict(as_section(document.get("results")))
        if found:
            name = COUNTERPARTS.get(str(document.get("benchmark")), "")
            other = _search(ours[name]) if name in ours else {}
            beside = {"against": name, **_beside(found, other)} if other else {}
            results["retrieval"] = finite({**found, **beside})
        told.append({**document, "results": results})
    return told


def _search(document: Section) -> dict[str, object]:
    """Empty where nothing was searched."""
    results = as_section(document.get("results"))
    row = as_section(as_section(results.get("operations")).get("search"))
    if not row:
        return {}
    params = as_section(as_section(document.get("metadata")).get("params"))
    return {
        "k": as_section(params.get("population")).get("k"),
        "recall": results.get("recall"),
        "service_s": as_section(row.get("service_s")),
        "read_bytes_per_search": _read_bytes(results),
    }


def _read_bytes(results: Section) -> float:
    """Over the phases of which both ends were sampled; nan where there is none."""
    read_bytes, count = 0.0, 0.0
    for phase in as_section(results.get("phases")).values():
        spent = number(as_section(as_section(phase).get("spent")).get("read_bytes"))
        search = as_section(as_section(as_section(phase).get("operations")).get("search"))
        if math.isfinite(spent) and search:
            read_bytes += spent
            count += number(search.get("count"))
    return read_bytes / count if count else math.nan


def _beside(mine: Section, other: Section) -> dict[str, object]:
    times, others = as_section(mine.get("service_s")), as_section(other.get("service_s"))
    ratios = {
        f"{q}_ratio": number(times.get(q)) / number(others.get(q))
        for q in ("p50", "p95", "p99")
        if number(others.get(q)) > 0
    }
    difference = number(mine.get("recall")) - number(other.get("recall"))
    return {**ratios, "recall_difference": difference}


def retrieval_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of HEAD in words: every search of the category."""
    return [
        tuple(_cells(document))
        for document in documents
        if as_section(document.get("results")).get("retrieval")
    ]


def _cells(document: Section) -> Iterator[str]:
    results = as_section(document.get("results"))
    found = as_section(results.get("retrieval"))
    times = as_section(found.get("service_s"))
    yield f"{document.get('category')}/{document.get('benchmark')}"
    yield spread(as_section(results.get("tiers")))
    yield str(found.get("against") or "")
    yield figures.whole(found.get("k"))
    for q in ("p50", "p95", "p99", "max"):
        yield figures.latency(times.get(q))
    yield figures.in_unit(found.get("recall"), "recall")
    yield figures.size(found.get("read_bytes_per_search"))
    for q in ("p50", "p99"):
        ratio = number(found.get(f"{q}_ratio"))
        yield f"x {figures.digits(ratio)}" if math.isfinite(ratio) else ""
    yield figures.signed(found.get("recall_difference")) if found.get("against") else ""
