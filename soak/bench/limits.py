"""What is the highest rate that was kept, and how did each rate that was tried turn out?"""

from collections.abc import Iterator, Sequence

from soak.bench.variants import name_of
from soak.report import figures
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number
from soak.verdict import Status

HEAD = ("benchmark", "kept", "tried", "", "because")
MARKS = {"pass": "kept", "fail": "not kept", "unknown": "unknown"}


def not_kept(trials: Sequence[Section], lost_per_s: float) -> str:
    """What is said of the lowest rate that did not hold: an unknown trial proves nothing."""
    statuses = [row.get("status") for row in trials if row.get("rate_per_s") == lost_per_s]
    return "did not" if Status.FAIL in statuses else "could not be judged"


def limit_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of HEAD, one for each rate that was tried, from the lowest up."""
    return [row for document in documents for row in _rows(document)]


def _rows(document: Section) -> Iterator[tuple[str, ...]]:
    found = as_section(document.get("results"))
    trials = as_rows(found.get("trials"))
    kept_per_s = number(found.get("kept_per_s"))
    if kept_per_s != kept_per_s:
        return
    first = (name_of(document), figures.rate(kept_per_s) if kept_per_s > 0 else "none")
    for place, row in enumerate(sorted(trials, key=lambda row: number(row.get("rate_per_s")))):
        status = str(row.get("status"))
        yield (
            *(first if place == 0 else ("", "")),
            figures.rate(row.get("rate_per_s")),
            MARKS.get(status, status),
            str(row.get("reason") or ""),
        )
