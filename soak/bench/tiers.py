"""What does a record cost in each tier, and how true is what comes back?"""

import re
from collections.abc import Iterator, Mapping, Sequence

from soak.report import figures
from soak.report.document import Section, as_section
from soak.report.figures import number
from soak.rundir import finite

CATEGORY = "compression"
# The benchmark of this category that the others are held against.
REFERENCE = "full"
TIER = re.compile(r"reported_tier_(\w+)_count")
LEAST_PERCENT = 0.5
HEAD = (
    *("benchmark", "tiers", "memory", "accounted", "disk", "float32", "of float32"),
    *("vector error", "cosine error", "texts", "recall", "to full"),
)


def tier_figures(report: Section, held: Section) -> dict[str, object]:
    """Of one run: `tiers`, `record` and `reconstruction`. held: its results so far.

    tiers: name to records, their share, and the bytes that the target says it keeps for them;
    empty where it tells of none. record: bytes of one record, as measured from outside, as the
    target accounts for them and on disk; full_bytes is vector as float32 and text as UTF-8.
    """
    fidelity = dict(as_section(report.get("fidelity")))
    full = number(fidelity.pop("full_bytes", None))
    return {
        "tiers": _tiers(as_section(report.get("resources"))),
        "record": _record(as_section(report.get("resources")), held, full),
        "reconstruction": fidelity,
    }


def _tiers(resources: Section) -> dict[str, dict[str, float]]:
    counts = {
        found[1]: _last(resources, name) for name in resources if (found := TIER.fullmatch(name))
    }
    whole = sum(counts.values())
    tiers = {}
    for name, records in counts.items():
        kept = _last(resources, f"reported_accounted_{name}_bytes")
        tiers[name] = {
            "records": records,
            "share": records / whole if whole else float("nan"),
            "kept_bytes": kept,
            "kept_bytes_per_record": kept / records if records else float("nan"),
        }
    return tiers


def _record(resources: Section, held: Section, full: float) -> dict[str, float]:
    live = number(held.get("records_live"))
    each = {
        "memory": number(held.get("memory_bytes_per_1000_records")) / 1_000,
        "accounted": _each(_last(resources, "accounted_bytes"), live),
        "disk": number(held.get("disk_bytes_per_1000_records")) / 1_000,
    }
    ratios = {f"{name}_to_full_ratio": value / full for name, value in each.items()}
    return {"full_bytes": full, **{f"{name}_bytes": v for name, v in each.items()}, **ratios}


def _each(whole: float, count: float) -> float:
    return whole / count if count else float("nan")


def _last(resources: Section, name: str) -> float:
    return number(as_section(resources.get(name)).get("last"))


def with_tiers(documents: Sequence[Section]) -> list[dict[str, object]]:
    """The documents, those of compression with `results.against_full`: bytes of a record as a
    ratio to, and recall less that of, the run that keeps all records whole."""
    told = []
    references = [d for d in documents if _is_ours(d) and d.get("benchmark") == REFERENCE]
    for document in documents:
        results = as_section(document.get("results"))
        if _is_ours(document) and references:
            whole = as_section(references[0].get("results"))
            results = {**results, "against_full": finite(_against(results, whole))}
        told.append({**document, "results": results})
    return told


def _is_ours(document: Section) -> bool:
    return document.get("category") == CATEGORY


def _against(results: Section, whole: Section) -> dict[str, float]:
    mine, full = as_section(results.get("record")), as_section(whole.get("record"))
    found = {}
    for name in ("memory", "accounted", "disk"):
        most = number(full.get(f"{name}_bytes"))
        ratio = number(mine.get(f"{name}_bytes")) / most if most else float("nan")
        found[f"{name}_ratio"] = ratio
    recall = number(results.get("recall")) - number(whole.get("recall"))
    return {**found, "recall_difference": recall}


def tier_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """A row of HEAD for each of compression that measured a record, in words."""
    return [tuple(_cells(document)) for document in documents if _is_measured(document)]


def _is_measured(document: Section) -> bool:
    return _is_ours(document) and bool(as_section(document.get("results")).get("record"))


def _cells(document: Section) -> Iterator[str]:
    results = as_section(document.get("results"))
    record = as_section(results.get("record"))
    seen = as_section(results.get("reconstruction"))
    yield f"{document.get('category')}/{document.get('benchmark')}"
    yield spread(as_section(results.get("tiers")))
    for name in ("memory_bytes", "accounted_bytes", "disk_bytes", "full_bytes"):
        yield figures.size(record.get(name))
    yield figures.share(record.get("accounted_to_full_ratio"))
    yield figures.error(seen.get("vector_error_mean"))
    yield figures.error(seen.get("cosine_error_mean"))
    yield figures.share(seen.get("text_equal_ratio"))
    yield figures.in_unit(results.get("recall"), "recall")
    yield figures.signed(as_section(results.get("against_full")).get("recall_difference"))


def spread(tiers: Mapping[str, object]) -> str:
    """Which share of the records is in which tier, in words; what rounds to nothing is left out."""
    shares = {name: 100 * number(as_section(row).get("share")) for name, row in tiers.items()}
    some = [f"{name} {share:.0f} %" for name, share in shares.items() if share >= LEAST_PERCENT]
    return ", ".join(some) or "none told"
