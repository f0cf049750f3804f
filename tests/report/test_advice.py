"""Does each recommendation follow from the verdict, with the figure that speaks for it?"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soak.report.advice import Advice, advice
from soak.report.html import html
from soak.report.markdown import markdown
from soak.report.record import RunRecord, load_run
from soak.snapshot import Event
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


def judged(record: RunRecord, detector: str, params: dict, **said: object) -> RunRecord:
    """The run with one check, not passed, that the scenario asks with those params."""
    check = {"name": "one", "detector": detector, "status": "fail", "reason": "so", **said}
    asked = {"name": "one", "detector": detector, "params": params}
    phases = record.plan["phases"]
    return replace(
        record,
        document={**record.document, "checks": [check]},
        plan={"checks": [asked], "phases": phases},
    )


def told(record: RunRecord, **sections: object) -> RunRecord:
    return replace(record, document={**record.document, **sections})


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


@pytest.mark.parametrize(
    "params",
    [
        {"operation": "search", "measure": "service", "max": "1ms"},
        {"total": "all_search_service_p99_s", "max": "1ms"},
    ],
)
def test_a_slow_call_is_never_told_to_have_more_clients(leaking: RunRecord, params: dict):
    run = judged(replace(leaking, events=()), "slo", params, unit="s", effect=0.004)
    run = told(run, operations=operations(leaking, 0.004, 0.08))

    assert "Profile search itself (soak profile): the call takes that long" in only(run).what
    assert "p99 of the call 4 ms of 80 ms felt" == only(run).figure


def test_a_total_of_an_operation_with_two_words_is_its_own(leaking: RunRecord):
    rows = {"store_batch": {"latency_s": {"p95": 0.9}, "service_s": {"p95": 0.1}}}
    run = judged(leaking, "slo", {"total": "store_batch_p95_s", "max": "1ms"}, unit="s")

    assert "p95 of the call 100 ms of 900 ms felt" == only(told(run, operations=rows)).figure


ERRORS = [
    {"operation": "get", "type": "Timeout", "count": 9},
    {"operation": "store", "type": "Full", "count": 1},
]


@pytest.mark.parametrize(
    ("total", "what", "figure"),
    [
        ("error_count", "Start with Timeout of get", "9 of 10 errors"),
        ("store_error_count", "Start with Full of store", "1 of 1 errors"),
        ("get_missing_count", "get finds it gone", "50 of 90; 700 evicted"),
        ("wrong_count", "Repeat it with --seed", "2 stale"),
        ("violations_stale", "Repeat it with --seed", "2 stale"),
        (
            "eviction_inversion_ratio",
            "what eviction ranks by",
            "mean importance 0.7 forgotten, 0.2 kept",
        ),
    ],
)
def test_a_share_is_told_by_what_it_counts(leaking: RunRecord, total: str, what: str, figure: str):
    run = judged(leaking, "slo", {"total": total, "per": "count", "max": 0.01}, unit="ratio")
    run = told(
        run,
        errors=ERRORS,
        operations={"get": {"count": 90, "outcomes": {"missing": 50}}},
        records={"evicted": 700},
        oracle={"violations": {"stale": 2, "lost": 0}},
        eviction={"missing_mean_importance": 0.7, "present_mean_importance": 0.2},
    )

    assert (what in only(run).what, figure) == (True, only(run).figure)


def test_a_share_that_counts_no_errors_is_not_told_by_them(leaking: RunRecord):
    run = judged(leaking, "slo", {"total": "get_ok_count", "per": "count"}, unit="ratio")

    assert [] == advice(told(run, errors=ERRORS))


@pytest.mark.parametrize(
    ("params", "what", "figure"),
    [
        (
            {"column": "disk_allocated_bytes"},
            "its files keep beside live records",
            "4 KiB of disk allocated bytes for each live record, 500 at the end",
        ),
        (
            {},
            "beside each record",
            "4 KiB of anonymous bytes for each live record, 500 at the end, "
            "without 30 MiB held without any",
        ),
        (
            {"column": "resident_bytes", "above": "8MiB"},
            "beside each record",
            "4 KiB of resident bytes for each live record, 500 at the end, "
            "without 8 MiB held without any",
        ),
    ],
)
def test_density_is_told_by_what_the_check_measured(
    leaking: RunRecord, params: dict, what: str, figure: str
):
    run = judged(leaking, "density", params, unit="bytes", effect=4_096_000.0)
    bare = np.full(len(run.samples["t_s"]), 30.0 * 2**20)
    run = told(replace(run, samples={**run.samples, "bare_bytes": bare}), records={"live": 500})

    assert (what in only(run).what, figure) == (True, only(run).figure)


def test_a_pile_is_told_by_what_piles_up_and_not_by_a_leak(leaking: RunRecord):
    run = judged(leaking, "pile_up", {"column": "open_fds"}, concern="leak", effect=120.0)
    run = told(run, resources={"open_fds": {"first": 41, "last": 241}})

    assert "files and connections that are opened and never closed" in only(run).what
    assert "41 open fds at first, 241 at the end, 120 per hour" == only(run).figure


def test_a_leak_is_the_one_of_its_check(leaking: RunRecord):
    other = {"resource": "anonymous_bytes", "bytes_per_s": 9e9, "bytes_per_operation": 1e6}
    own = {"resource": "one", "bytes_per_s": 1.0, "bytes_per_operation": 2.0, "exhaustion_s": 60}
    run = judged(leaking, "leak", {"column": "disk_bytes"}, concern="leak", since_s=60.0)

    assert "2 bytes of disk bytes for each operation; full in 60 s" == (
        only(told(run, leaks=[other, own])).figure
    )


SLOWER = {"effect": 0.25, "threshold": 0.02, "unit": "ratio", "since_s": 1_500.0}


def test_degradation_is_told_by_when_it_began_and_the_records(leaking: RunRecord):
    run = judged(replace(leaking, events=()), "degradation", {}, **SLOWER)

    assert "Profile it (soak profile) before and after 00:25:00" in only(run).what
    live = [
        f"{leaking.samples['live_records'][leaking.samples['t_s'] <= until][-1]:,.0f}"
        for until in (1_500.0, np.inf)
    ]
    expected = f"changed by 25 % since 00:25:00; {live[0]} live records then, {live[1]} at the end"
    assert expected == only(run).figure


def test_degradation_names_what_began_with_it(leaking: RunRecord):
    phase = Event(time_s=1_510.0, wall_time=0.0, kind="phase", source="injected")
    run = judged(replace(leaking, events=(phase,)), "degradation", {}, **SLOWER)

    assert "Look at phase at 00:25:10" in only(run).what


def test_recall_that_degrades_is_told_by_recall(leaking: RunRecord):
    run = judged(leaking, "degradation", {"series": "recall"}, **SLOWER)
    run = told(run, recall={"first": 0.99, "last": 0.9})

    assert "recall 0.990 at first, 0.900 at the end" == only(run).figure


def test_stalls_are_told_by_the_longest(leaking: RunRecord):
    figures = {name: values.copy() for name, values in leaking.windows.figures.items()}
    figures["service_max_s"][figures["start_s"] == 3_000.0] = 4.0
    windows = replace(leaking.windows, figures=figures)
    run = replace(leaking, windows=windows, events=())
    run = judged(run, "degradation", {"max_stalls": 0, "stall": "1s"}, **SLOWER)

    assert "what the target did at 00:50:00: no maintenance was seen then" in only(run).what
    assert "1 stall, 0 allowed; the longest took 4 s" == only(run).figure


def test_growth_is_told_as_what_twice_the_records_cost(leaking: RunRecord):
    memory, times = (
        only(judged(leaking, "growth_law", params, effect=2.0, unit="exponent"))
        for params in ({}, {"column": "search_service_p50_s"})
    )

    assert "pairs of records" in memory.what
    assert "a pass over all records" in times.what
    assert "twice the records take 4 times as much (power 2.00)" == memory.figure == times.figure


def test_the_threshold_rule_names_the_columns_that_are_missing(leaking: RunRecord):
    run = judged(leaking, "threshold_rule", {"memory": "heap_bytes"}, status="unknown")

    assert only(run).figure.startswith("none of heap_bytes, search_p50_s, score among 1")


WORSE = {"name": "search.latency_p99", "unit": "s", "status": "fail", "change": 0.3}
OPEN = {"name": "disk", "unit": "bytes", "status": "unknown", "detectable": 0.3, "threshold": 0.2}


@pytest.mark.parametrize(
    ("status", "comparison", "what", "figure"),
    [
        (
            "fail",
            {"metrics": [OPEN, {**WORSE, "run": 0.013, "baseline": 0.01}]},
            "Profile search (soak profile) in both versions",
            "search.latency_p99 13 ms, 10 ms in the baseline",
        ),
        (
            "fail",
            {"metrics": [{**OPEN, "status": "fail", "run": 4096, "baseline": 1024}]},
            "Look at what changed disk",
            "disk 4 KiB, 1 KiB in the baseline",
        ),
        ("unknown", {"distrust": ["other machine"]}, "on one machine", "other machine"),
        (
            "unknown",
            {"metrics": [OPEN]},
            "three runs as the baseline",
            "disk: 30 % could have been told, 20 % is allowed",
        ),
        (
            "unknown",
            {"skipped": [{"name": "disk", "reason": "3 windows"}]},
            "Run both longer",
            "disk: 3 windows",
        ),
    ],
)
def test_the_baseline_is_told_by_the_metric(
    leaking: RunRecord, status: str, comparison: dict, what: str, figure: str
):
    run = judged(replace(leaking, comparison=comparison), "compare", {}, status=status)

    assert (what in only(run).what, figure) == (True, only(run).figure)


def test_the_comparison_of_a_run_is_read_with_it(tmp_path: Path):
    run = write_run(tmp_path / "run", length_s=60.0)
    assert {} == load_run(run).comparison

    (run / "comparison.json").write_text('{"metrics": []}')
    assert {"metrics": []} == load_run(run).comparison
