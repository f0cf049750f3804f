"""How does a CI server read an outcome? Cases in suites, as JUnit XML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree

from soak.report.document import Section
from soak.report.figures import number

Ending = Literal["passed", "failure", "error", "skipped"]

# A check that could not decide is an error, not a skip: CI servers count skips as success.
ENDING_OF: Mapping[str, Ending] = {
    "pass": "passed",
    "fail": "failure",
    "unknown": "error",
    "skipped": "skipped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of the class `place`. kind and details: of what did not pass."""

    place: str
    name: str
    ending: Ending = "passed"
    message: str = ""
    kind: str = ""
    details: str = ""
    length_s: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Cases under one name. started: ISO 8601; length_s: what is no number is told as 0."""

    name: str
    cases: Sequence[Case]
    started: str = ""
    length_s: object = None
    properties: Mapping[str, str] = field(default_factory=dict)


def xml(suites: Sequence[Suite]) -> str:
    lengths_s = [number(suite.length_s) for suite in suites]
    whole_s = sum(length_s for length_s in lengths_s if length_s == length_s)
    root = ElementTree.Element("testsuites", name="soak", time=_seconds(whole_s))
    root.extend(_suite(suite) for suite in suites)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_printable(text)}\n'


def figures_text(row: Section, names: Sequence[str]) -> str:
    """A line for each of the names that the row knows."""
    return "\n".join(f"{name}: {row[name]}" for name in names if row.get(name) not in (None, ""))


def _suite(suite: Suite) -> ElementTree.Element:
    def count(ending: Ending) -> str:
        return str(sum(case.ending == ending for case in suite.cases))

    element = ElementTree.Element(
        "testsuite",
        name=suite.name,
        tests=str(len(suite.cases)),
        failures=count("failure"),
        errors=count("error"),
        skipped=count("skipped"),
        time=_seconds(suite.length_s),
    )
    if suite.started:
        element.set("timestamp", suite.started[:19])
    if suite.properties:
        properties = ElementTree.SubElement(element, "properties")
        for name, value in suite.properties.items():
            ElementTree.SubElement(properties, "property", name=name, value=value)
    element.extend(_case(case) for case in suite.cases)
    return element


def _case(case: Case) -> ElementTree.Element:
    element = ElementTree.Element(
        "testcase", classname=case.place, name=case.name, time=_seconds(case.length_s)
    )
    if case.ending == "passed":
        if case.message:
            ElementTree.SubElement(element, "system-out").text = case.message
    elif case.ending == "skipped":
        ElementTree.SubElement(element, "skipped", message=case.message)
    else:
        inside = ElementTree.SubElement(element, case.ending, message=case.message, type=case.kind)
        inside.text = case.details or None
    return element


def _seconds(length_s: object) -> str:
    known_s = number(length_s)
    return f"{known_s:.3f}" if known_s == known_s else "0"


def _printable(text: str) -> str:
    """Without control characters, which XML 1.0 cannot say at all."""
    return "".join(c for c in text if c in "\t\n" or c >= " ")
