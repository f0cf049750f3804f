"""Does each recommendation follow from the verdict, with the figure that speaks for it?"""

from dataclasses import replace
from pathlib import Path

import pytest

from soak.report.advice import Advice, advice
from soak.report.html import html
from soak.report.markdown import markdown
from soak.report.record import RunRecord, load_run
from tests.runs import write_run


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    return load_run(write_run(tmp_path_factory.mktemp("advice") / "run", "leaking", length_s=6_000))


def failing(record: RunRecord, name: str, *, status: str = "fail", **changes: object) -> RunRecord:
    """The run with that check alone not passed, and parts of its document changed."""
    checks = [
        {**check, "status": status if check["name"] == name else "pass"}
        for check in record.document["checks"]
    ]
    return replace(record, document={**record.document, "checks": checks, **changes})


def only(record: RunRecord) -> Advice:
    (found,) = advice(record)
    return found


def operations(record: RunRecord, service_s: float, latency_s: float) -> dict[str, object]:
    search = {"latency_s": {"p99": latency_s}, "service_s": {"p99": service_s}}
    return {**record.document["operations"], "search": search}


def test_nothing_is_advised_where_a_check_measured_nothing(leaking: RunRecord):
    checks = [{"name": "fds", "status": "unknown", "reason": "open_fds not measured"}]
    document = {**leaking.document, "checks": checks}

    assert [] == advice(replace(leaking, document=document))


def test_a_leak_is_told_by_operation_and_by_its_end(leaking: RunRecord):
    found = only(leaking)

    assert ("memory", "fail") == (found.check, found.status)
    assert "what began at 00:25:00" in found.what
    assert "4.5 bytes of anonymous bytes for each operation; full in 59 d" in found.figure


@pytest.mark.parametrize(
    ("name", "changes", "what", "figure"),
    [
        (
            "oracle",
            {"oracle": {"violations": {"lost": 3, "stale": 1}}, "seed": 7},
            "Repeat it with --seed 7",
            "3 lost, 1 stale",
        ),
        ("recall", {"recall": {"first": 0.99, "last": 0.9}}, "Rebuild", "0.990 at first, 0.900"),
        ("recall", {"recall": {"first": 0.9, "last": 0.9}}, "Search wider", "0.900 at first"),
        (
            "throughput",
            {"certificate": {"offered_rate": 200, "achieved_rate": 90}},
            "highest rate",
            "90/s done of 200/s asked for",
        ),
        (
            "errors",
            {
                "errors": [
                    {"operation": "get", "type": "Timeout", "count": 1},
                    {"operation": "store", "type": "Full", "count": 9},
                ]
            },
            "Full of store",
            "9 of 10 errors",
        ),
    ],
)
def test_what_failed_leads_to_what_the_run_recorded(
    leaking: RunRecord, name: str, changes: dict, what: str, figure: str
):
    found = only(failing(leaking, name, **changes))

    assert what in found.what
    assert figure in found.figure


def test_latency_that_is_waiting_asks_for_clients(leaking: RunRecord):
    run = failing(leaking, "search-p99", operations=operations(leaking, 0.004, 0.08))

    assert "more clients" in only(run).what
    assert "p99 of the call 4 ms of 80 ms felt" == only(run).figure


def test_latency_in_maintenance_names_it_and_its_moment(leaking: RunRecord):
    run = failing(leaking, "search-p99", operations=operations(leaking, 0.07, 0.08))

    assert "Look at evict" in only(run).what
    assert "evict took 14 s" in only(run).figure


def test_latency_of_the_call_itself_asks_for_a_profile(leaking: RunRecord):
    calm = replace(leaking, events=())
    run = failing(calm, "search-p99", operations=operations(leaking, 0.07, 0.08))

    assert "Profile search itself" in only(run).what


def test_a_run_that_cannot_be_trusted_asks_for_a_quieter_machine(leaking: RunRecord):
    certificate = {"trusted": False, "reasons": ["others used the processor"]}
    run = failing(leaking, "recall", status="unknown", certificate=certificate)

    assert ("unknown", "others used the processor") == (only(run).status, only(run).figure)


def test_where_nothing_is_known_nothing_is_recommended(leaking: RunRecord):
    assert [] == advice(failing(leaking, "errors", errors=[]))
    assert [] == advice(failing(leaking, "memory", leaks=[]))


def test_a_run_that_passed_has_no_recommendations(tmp_path: Path):
    healthy = load_run(write_run(tmp_path / "run", length_s=600.0))

    assert [] == advice(healthy)
    assert "recommended" not in html(healthy)


def test_both_reports_tell_it(leaking: RunRecord):
    assert '<section id="recommendations">' in html(leaking)
    told = markdown(leaking.document, "", advice(leaking))
    assert "| memory | Look for what an operation leaves behind" in told
