from dataclasses import replace
from xml.etree import ElementTree

import pytest

from soak.report.document import document
from soak.report.junit import comparison_junit, junit
from soak.report.markdown import markdown
from soak.verdict import Concern, Status, Verdict, merge
from tests.runs import last_snapshot


@pytest.fixture(scope="module")
def leaking():
    return document(last_snapshot(21_600.0, leaks=True))


def with_check(status: Status, reason: str, *, trusted: bool = True):
    verdict = Verdict(
        check="x|<b>", detector="slo", concern=Concern.OBJECTIVE, status=status, reason=reason
    )
    snapshot = last_snapshot(600.0, leaks=False)
    judged = merge([verdict], trusted=trusted, distrust="the machine was busy")
    certificate = replace(
        snapshot.certificate, trusted=trusted, reasons=() if trusted else ("steal 30 %", "a | b")
    )
    return document(replace(snapshot, verdicts=(verdict,), verdict=judged, certificate=certificate))


def test_markdown_of_a_failed_run(leaking, golden):
    golden("report.md", markdown(leaking, link="report.html"))


def test_markdown_of_an_empty_document_says_it_is_undecided():
    assert "Undecided after –: no reason was given." in markdown({})


def test_text_cannot_break_a_markdown_table():
    row = next(
        line
        for line in markdown(with_check(Status.FAIL, "a | b\n<script>")).splitlines()
        if line.startswith("| x")
    )

    assert "| x\\|&lt;b> | ❌ fail | – | – | a \\| b &lt;script> |" == row


def test_junit_of_a_failed_run(leaking, golden):
    golden("report.junit.xml", junit(leaking))


@pytest.mark.parametrize(
    ("status", "element", "counts"),
    [
        (Status.PASS, None, ("0", "0")),
        (Status.FAIL, "failure", ("1", "0")),
        (Status.UNKNOWN, "error", ("0", "1")),
    ],
)
def test_junit_never_counts_undecided_as_success(status, element, counts):
    suite = ElementTree.fromstring(junit(with_check(status, "why\x00 not")))[0]

    (case, trusted) = suite.findall("testcase")
    assert counts == (suite.get("failures"), suite.get("errors"))
    assert "run can be trusted" == trusted.get("name")
    if element:
        assert "why not" == case.find(element).get("message")
    else:
        assert {"system-out"} == {child.tag for child in case}


def test_junit_of_an_untrusted_run_is_an_error():
    suite = ElementTree.fromstring(junit(with_check(Status.PASS, "", trusted=False)))[0]

    assert "1" == suite.get("errors")
    assert "steal 30 %; a | b" == suite.findall("testcase")[-1].find("error").get("message")


def test_checks_that_were_not_asked_are_said_everywhere():
    found = document(
        replace(last_snapshot(600.0, leaks=False), skipped=(("leak", "10 minutes are too short"),))
    )

    assert "| leak | not asked |  |  | 10 minutes are too short |" in markdown(found)
    suite = ElementTree.fromstring(junit(found))[0]
    assert "1" == suite.get("skipped")


COMPARISON = {
    "run": "a",
    "verdict": {"status": "fail", "reason": "search.latency_p50 is worse"},
    "metrics": [
        {"name": "search.latency_p50", "status": "fail", "change": 0.3, "threshold": 0.1},
        {"name": "throughput", "status": "unknown", "change": -0.1},
        {"name": "recall", "status": "pass"},
        {"name": "search.latency_p99", "status": "warn", "level": "warn"},
        {"name": "search.service_p95", "status": None},
    ],
    "skipped": [{"name": "memory", "reason": "not sampled"}],
}


def test_a_comparison_has_a_case_per_metric_that_is_judged_and_its_verdict():
    (suite,) = ElementTree.fromstring(comparison_junit(COMPARISON))

    endings = {
        case.get("name"): next((child.tag for child in case if child.tag != "system-out"), "")
        for case in suite.findall("testcase")
    }
    assert {
        "search.latency_p50": "failure",
        "throughput": "error",
        "recall": "",
        "search.latency_p99": "",
        "memory": "skipped",
        "verdict": "failure",
    } == endings
    assert ("2", "1", "1") == tuple(suite.get(n) for n in ("failures", "errors", "skipped"))
    assert "change: 0.3\nthreshold: 0.1" == suite.find("testcase/failure").text
