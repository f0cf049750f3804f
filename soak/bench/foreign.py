"""Which figures has a result that soak does not know by name? Any number in it, as it is."""

from collections.abc import Iterator, Mapping, Sequence

from soak.bench.variants import is_of_soak, name_of
from soak.report.document import Section, as_section
from soak.report.figures import number

# Of a list of figures, which may be every single latency.
MOST_LISTED = 20
HEAD = ("benchmark", "figure", "value", "measured")


def is_known(document: Section) -> bool:
    """Whether its results are those of a run of soak: operations by name, each with latencies."""
    operations = as_section(document.get("results")).get("operations")
    rows = operations.values() if isinstance(operations, Mapping) else [None]
    return all(isinstance(as_section(row).get("latency_s"), Mapping) for row in rows)


def foreign_rows(documents: Sequence[Section]) -> list[tuple[str, ...]]:
    """Rows of HEAD: every number in results of another making."""
    return [
        (name_of(document), path, text, str(document.get("timestamp") or ""))
        for document in documents
        for path, text in foreign_figures(document)
    ]


def foreign_figures(document: Section) -> list[tuple[str, str]]:
    """(path, value) of every number but those of operations as soak tells them; nothing of what
    soak measured."""
    found = dict(as_section(document.get("results")))
    if is_known(document):
        if is_of_soak(document):
            return []
        del found["operations"]
    return list(_numbers(found, ""))


def _numbers(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for place, inner in enumerate(value[:MOST_LISTED]):
            yield from _numbers(inner, f"{path}[{place}]")
        if len(value) > MOST_LISTED:
            yield f"{path}[{MOST_LISTED}:]", f"{len(value) - MOST_LISTED} more"
    elif number(value) == number(value):
        yield path, f"{value:.12g}"
