"""What does a CI server want to know? The checks as test cases, in JUnit XML."""

from collections.abc import Mapping
from xml.etree import ElementTree

from soak.report.document import Section, as_rows, as_section
from soak.report.figures import number

# A check that could not decide is an error, not a skip: CI servers count skips as success.
ELEMENT_OF = {"fail": "failure", "unknown": "error"}


def junit(document: Mapping[str, object]) -> str:
    """One suite; one case per check, and one that says whether the run can be trusted."""
    cases = [_check_case(document, check) for check in as_rows(document.get("checks"))]
    cases += [_skipped_case(document, row) for row in as_rows(document.get("skipped"))]
    cases.append(_certificate_case(document))
    suite = ElementTree.Element(
        "testsuite",
        name=f"soak {document.get('scenario', '')}",
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=_seconds(document),
        timestamp=str(document.get("started") or "")[:19],
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("run_id", "scenario", "target", "seed", "version"):
        value = str(document.get(name, ""))
        ElementTree.SubElement(properties, "property", name=name, value=value)
    suite.extend(cases)
    root = ElementTree.Element("testsuites", name="soak", time=_seconds(document))
    root.append(suite)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_printable(text)}\n'


def _check_case(document: Mapping[str, object], check: Section) -> ElementTree.Element:
    case = _case(document, str(check.get("name", "")))
    element = ELEMENT_OF.get(str(check.get("status", "unknown")))
    reason = str(check.get("reason", ""))
    if element is None:
        ElementTree.SubElement(case, "system-out").text = reason
        return case
    details = ElementTree.SubElement(
        case, element, message=reason, type=str(check.get("detector", ""))
    )
    figures = ("concern", "effect", "threshold", "unit", "since_s", "interval")
    lines = [f"{name}: {check[name]}" for name in figures if check.get(name) not in (None, "")]
    details.text = "\n".join(lines)
    return case


def _skipped_case(document: Mapping[str, object], row: Section) -> ElementTree.Element:
    """A check that was not asked, because a run this short cannot decide it."""
    case = _case(document, str(row.get("name", "")))
    ElementTree.SubElement(case, "skipped", message=str(row.get("reason", "")))
    return case


def _certificate_case(document: Mapping[str, object]) -> ElementTree.Element:
    """Untrusted is an error: the figures are worthless, which is not the target's failure."""
    certificate = as_section(document.get("certificate"))
    case = _case(document, "run can be trusted")
    if certificate.get("trusted") is True:
        return case
    given = certificate.get("reasons")
    reasons = [str(reason) for reason in given] if isinstance(given, list) else []
    message = "; ".join(reasons) or "there is no certificate"
    ElementTree.SubElement(case, "error", message=message, type="certificate")
    return case


def _case(document: Mapping[str, object], name: str) -> ElementTree.Element:
    place = f"soak.{document.get('scenario', '')}.{document.get('target', '')}"
    return ElementTree.Element("testcase", classname=place, name=name, time=_seconds(document))


def _seconds(document: Mapping[str, object]) -> str:
    duration_s = number(document.get("duration_s"))
    return f"{duration_s:.3f}" if duration_s == duration_s else "0"


def _printable(text: str) -> str:
    """Without control characters, which XML 1.0 cannot say at all."""
    return "".join(c for c in text if c in "\t\n" or c >= " ")
