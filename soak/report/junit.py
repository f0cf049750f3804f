"""What does a CI server want to know? The checks as test cases, in JUnit XML."""

from collections.abc import Mapping

from soak.report.cases import ENDING_OF, Case, Suite, figures_text, xml
from soak.report.document import Section, as_rows, as_section

FIGURES = ("concern", "effect", "threshold", "unit", "since_s", "interval")
COMPARED = ("run", "baseline", "change", "interval", "threshold", "detectable", "unit")


def junit(document: Mapping[str, object]) -> str:
    """One suite; one case per check, and one that says whether the run can be trusted."""
    cases = [_check_case(document, check) for check in as_rows(document.get("checks"))]
    cases += [_skipped_case(document, row) for row in as_rows(document.get("skipped"))]
    cases.append(_certificate_case(document))
    named = ("run_id", "scenario", "target", "seed", "version")
    suite = Suite(
        name=f"soak {document.get('scenario', '')}",
        cases=cases,
        started=str(document.get("started") or ""),
        length_s=document.get("duration_s"),
        properties={name: str(document.get(name, "")) for name in named},
    )
    return xml([suite])


def comparison_junit(document: Mapping[str, object]) -> str:
    """One suite of a comparison's JSON; one case per metric that is judged, and the verdict.

    A metric that only warns fails nothing; what could not be compared is skipped. The verdict knows
    more than the metrics: wrong answers, and whether the runs can be compared at all.
    """
    place = f"soak.compare.{document.get('run', '')}"
    cases = [
        _metric_case(place, row) for row in as_rows(document.get("metrics")) if row.get("status")
    ]
    for row in as_rows(document.get("skipped")):
        name, reason = str(row.get("name", "")), str(row.get("reason", ""))
        cases.append(Case(place=place, name=name, ending="skipped", message=reason))
    verdict = as_section(document.get("verdict"))
    ending = ENDING_OF.get(str(verdict.get("status")), "error")
    said = str(verdict.get("reason") or "")
    cases.append(Case(place=place, name="verdict", ending=ending, message=said, kind="compare"))
    return xml([Suite(name="soak compare", cases=cases)])


def _metric_case(place: str, row: Section) -> Case:
    name, status = str(row.get("name", "")), str(row.get("status"))
    details = figures_text(row, COMPARED)
    if status == "warn" or row.get("level") == "warn":
        said = details if status == "pass" else f"{status}, which only warns\n{details}"
        return Case(place=place, name=name, message=said)
    ending = ENDING_OF.get(status, "error")
    if ending == "passed":
        return Case(place=place, name=name, message=details)
    said = f"{name} is worse" if ending == "failure" else f"{name}: too uncertain to tell"
    return Case(
        place=place, name=name, ending=ending, message=said, kind="compare", details=details
    )


def _check_case(document: Mapping[str, object], check: Section) -> Case:
    return Case(
        place=_place(document),
        name=str(check.get("name", "")),
        ending=ENDING_OF.get(str(check.get("status", "unknown")), "passed"),
        message=str(check.get("reason", "")),
        kind=str(check.get("detector", "")),
        details=figures_text(check, FIGURES),
        length_s=document.get("duration_s"),
    )


def _skipped_case(document: Mapping[str, object], row: Section) -> Case:
    """A check that was not asked, because a run this short cannot decide it."""
    return Case(
        place=_place(document),
        name=str(row.get("name", "")),
        ending="skipped",
        message=str(row.get("reason", "")),
        length_s=document.get("duration_s"),
    )


def _certificate_case(document: Mapping[str, object]) -> Case:
    """Untrusted is an error: the figures are worthless, which is not the target's failure."""
    certificate = as_section(document.get("certificate"))
    is_trusted = certificate.get("trusted") is True
    given = certificate.get("reasons")
    reasons = [str(reason) for reason in given] if isinstance(given, list) else []
    return Case(
        place=_place(document),
        name="run can be trusted",
        ending="passed" if is_trusted else "error",
        message="" if is_trusted else "; ".join(reasons) or "there is no certificate",
        kind="certificate",
        length_s=document.get("duration_s"),
    )


def _place(document: Mapping[str, object]) -> str:
    return f"soak.{document.get('scenario', '')}.{document.get('target', '')}"
