"""What does a CI server want to know of a suite? A case per benchmark, in JUnit XML."""

from collections.abc import Sequence

from soak.bench.sections import by_category
from soak.bench.variants import target_of
from soak.report.cases import ENDING_OF, Case, Ending, Suite, figures_text, xml
from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number

FIGURES = ("status", "effect", "threshold", "unit", "reason")


def junit(documents: Sequence[Section]) -> str:
    """A suite per category; what was left out is skipped, what is unknown is an error."""
    suites = []
    for category in by_category(documents):
        cases = [
            _case(document, said) for said, group in category.variants.items() for document in group
        ]
        taken = [number(case.length_s) for case in cases]
        started = [
            str(d.get("timestamp"))
            for g in category.variants.values()
            for d in g
            if d.get("timestamp")
        ]
        suites.append(
            Suite(
                name=f"soak bench {category.name}",
                cases=cases,
                started=min(started, default=""),
                length_s=sum(length_s for length_s in taken if length_s == length_s),
            )
        )
    return xml(suites)


def _case(document: Section, variant: str) -> Case:
    """Its ending, and of a check that did not pass the figures; variant: where there are more."""
    verdict = as_section(document.get("verdict"))
    missed = [row for row in as_rows(document.get("objectives")) if row.get("status") != "pass"]
    details = [f"{row.get('name')}\n{figures_text(row, FIGURES)}" for row in missed]
    parts = ("soak.bench", document.get("category"), target_of(document))
    return Case(
        place=".".join(str(part) for part in parts if part),
        name=f"{document.get('benchmark')}{f' ({variant})' if variant else ''}",
        ending=_ending(verdict),
        message=str(verdict.get("reason") or ""),
        kind="benchmark",
        details="\n\n".join(details),
        length_s=as_section(document.get("metadata")).get("execution_time_s"),
    )


def _ending(verdict: Section) -> Ending:
    """What another program measured was not judged, which is no error of anybody's."""
    if verdict.get("status") == "unknown" and verdict.get("exit_code") is None:
        return "skipped"
    return ENDING_OF.get(str(verdict.get("status")), "error")
