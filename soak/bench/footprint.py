"""How much memory and disk is taken at each number of records?"""

from collections.abc import Sequence

from soak.bench.scaling import FOOTPRINT, records_of
from soak.bench.variants import name_of
from soak.report import figures
from soak.report.document import Section, as_section
from soak.report.figures import number

# Memory is anonymous; resident is with the pages of files that can be had again.
HEAD = ("benchmark", "records", "memory", "resident", "disk", "memory/1k", "disk/1k")


def footprint_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of HEAD in words, at the end of each run: of footprints, and of volumes of records."""
    found = [
        (str(document.get("category")), number(results.get("records_live")), document)
        for document in documents
        if document.get("category") == FOOTPRINT or records_of(document)
        if "memory_bytes" in (results := as_section(document.get("results")))
    ]
    ordered = sorted(found, key=lambda row: row[:2])
    return [(name_of(each), *_cells(as_section(each.get("results")))) for *_, each in ordered]


def _cells(found: Section) -> tuple[str, ...]:
    resident = as_section(as_section(found.get("resources")).get("rss_bytes")).get("last")
    return (
        figures.whole(found.get("records_live")),
        figures.size(found.get("memory_bytes")),
        figures.size(resident),
        figures.size(found.get("disk_bytes")),
        figures.size(found.get("memory_bytes_per_1000_records")),
        figures.size(found.get("disk_bytes_per_1000_records")),
    )
