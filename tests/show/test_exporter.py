"""Does /metrics say what the snapshot says, in every format, within bounds?"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_text

from soak.clock import SystemClock
from soak.histogram import BOUNDS_S
from soak.plugins import available, load
from soak.result import OUTCOMES, VIOLATIONS
from soak.seams import Subject
from soak.show.columns import REPORTED, RESOURCES
from soak.show.exporter import SERIES_PER_HISTOGRAM, Exporter, SnapshotCollector
from soak.show.occurred import MAINTENANCE_KINDS
from soak.snapshot import Hang, Snapshot
from tests.programs import program
from tests.snapshots import STARTED, six_hours

SHARED = {"scenario": "steady", "target": "engine"}
Series = tuple[str, tuple[tuple[str, str], ...]]


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return six_hours(2_000)


def samples(metrics: list[Metric]) -> dict[Series, float]:
    found = [
        ((s.name, tuple(sorted(s.labels.items()))), s.value) for m in metrics for s in m.samples
    ]
    assert len(found) == len(dict(found)), "a series appears twice"
    return dict(found)


def text_samples(snapshot: Snapshot, max_series: int = 5000) -> dict[Series, float]:
    page = Exporter(max_series).render(snapshot).decode()
    return samples(list(parse_text(page)))


def open_samples(snapshot: Snapshot) -> dict[Series, float]:
    page = Exporter().render(snapshot, openmetrics=True).decode()
    assert page.endswith("\n# EOF\n")
    return samples(list(parse_open(page)))


def series(name: str, **labels: str) -> Series:
    return name, tuple(sorted((SHARED | labels).items()))


def select(shown: Mapping[Series, float], name: str) -> dict[tuple[str, ...], float]:
    """A metric's samples by the values of its own labels, in alphabetical order of the names."""
    return {
        tuple(value for label, value in labels if label not in SHARED): figure
        for (found, labels), figure in shown.items()
        if found == name
    }


def test_every_series_carries_scenario_and_target(snapshot):
    for _, labels in text_samples(snapshot):
        assert SHARED == {k: v for k, v in labels if k in SHARED}


def test_operations_are_counted_by_outcome_with_zeroes_for_what_did_not_happen(snapshot):
    expected = {
        (name, outcome): totals.outcomes[outcome]
        for name, totals in snapshot.operations.items()
        for outcome in OUTCOMES
    }
    assert expected == select(text_samples(snapshot), "soak_operations_total")


def test_buckets_sum_and_count_are_those_of_the_histogram(snapshot):
    shown = text_samples(snapshot)
    for operation, totals in snapshot.operations.items():
        for kind in ("latency", "service", "lateness"):
            name, held = f"soak_operation_{kind}_seconds", getattr(totals, kind)
            buckets = {
                float(le): n
                for (le, found), n in select(shown, f"{name}_bucket").items()
                if found == operation
            }
            assert dict(zip(BOUNDS_S, held.cumulative(BOUNDS_S), strict=True)) == buckets
            assert held.count == shown[series(f"{name}_count", operation=operation)]
            assert held.sum_ns / 1e9 == shown[series(f"{name}_sum", operation=operation)]


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        (
            "soak_run_info",
            {"run_id": "20260301T120000Z-steady-1f3a", "version": "0.1.0", "seed": "7"},
            1,
        ),
        ("soak_phase_info", {"phase": "steady"}, 1),
        ("soak_phase_info", {"phase": "drain"}, 0),
        ("soak_run_start_timestamp_seconds", {}, STARTED),
        ("soak_run_expected_end_timestamp_seconds", {}, STARTED + 21_600),
        ("soak_errors_total", {"operation": "update", "error_type": "CapacityRefused"}, 3),
        ("soak_run_state", {"state": "running"}, 1),
        ("soak_run_state", {"state": "failed"}, 0),
        ("soak_run_exit_code", {}, 12),
        ("soak_tester_hiccup_seconds", {"rank": "p50"}, 9e-5),
        ("soak_check_effect", {"check": "search-p99", "unit": "s"}, 0.0112),
        ("soak_check_threshold", {"check": "search-p99", "unit": "s"}, 0.05),
        (
            "soak_check_broken_timestamp_seconds",
            {"check": "memory", "detector": "leak"},
            STARTED + 1_500,
        ),
        (
            "soak_maintenance_last_duration_seconds",
            {"kind": "evict", "source": "declared"},
            14,
        ),
        ("soak_offered_rate", {}, 200),
        ("soak_achieved_rate", {}, 199.9),
        ("soak_results_dropped_total", {}, 0),
        ("soak_record_lines_lost_total", {}, 0),
        ("soak_records_evicted_total", {}, 63_000),
        ("soak_records_deleted_total", {}, 5_000),
        ("soak_target_open_fds", {}, 41),
        ("soak_target_cpu_seconds_total", {}, 1_204.5),
        ("soak_target_reported", {"figure": "segments_count"}, 12),
        ("soak_tester_resident_bytes", {}, 88e6),
        ("soak_health_ratio", {}, 0.93),
        ("soak_health_component_ratio", {"component": "memory"}, 0.81),
        ("soak_verdict_status", {"check": "memory", "status": "fail"}, 1),
        ("soak_verdict_status", {"check": "memory", "status": "pass"}, 0),
        ("soak_recall_ratio", {"k": "10"}, 0.987),
        ("soak_eviction_inversion_ratio", {}, 0.004),
        ("soak_eviction_survival_ratio", {"importance": "0.2 to 0.4"}, 0.31),
        ("soak_certificate_trusted", {}, 1),
        ("soak_sampler_success", {"sampler": "host"}, 0),
        ("soak_maintenance_events_total", {"kind": "evict", "source": "detected"}, 7),
        ("soak_maintenance_events_total", {"kind": "expire", "source": "declared"}, 0),
        ("soak_event_timestamp_seconds", {"kind": "phase"}, STARTED + 900),
        ("soak_exporter_series_dropped", {}, 0),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_figure_of_the_snapshot_is_shown(snapshot, name, labels, expected):
    assert expected == text_samples(snapshot)[series(name, **labels)]


def test_health_as_the_target_reports_it_has_a_metric_while_it_does(snapshot):
    said = replace(snapshot, resources={**snapshot.resources, "health_ratio": 0.5})
    silent = replace(said, sampler_success={**said.sampler_success, "reported": False})
    shown = text_samples(said)
    figures = [shown[series(f"soak_health_{name}")] for name in ("ratio", "reported_ratio")]
    assert [0.93, 0.5] == figures
    assert series("soak_health_reported_ratio") not in text_samples(silent)


def test_the_latest_maintenance_tells_when_it_began_and_ended_and_what_it_gave_back(snapshot):
    last = [e for e in snapshot.events if (e.kind, e.source) == ("compact", "declared")][-1]
    shown = text_samples(snapshot)
    labels = {"kind": "compact", "source": "declared"}
    start = shown[series("soak_maintenance_last_start_timestamp_seconds", **labels)]
    end = shown[series("soak_maintenance_last_end_timestamp_seconds", **labels)]
    assert last.wall_time == start
    assert 41 == pytest.approx(end - start)
    assert 0 == shown[series("soak_maintenance_last_reclaimed_bytes", **labels)]


def test_all_kinds_of_maintenance_and_violation_are_there_before_the_first_one(snapshot):
    shown = text_samples(replace(snapshot, event_counts={}, violations={}, events=()))
    expected = {(kind, s): 0 for kind in MAINTENANCE_KINDS for s in ("declared", "detected")}
    assert expected == select(shown, "soak_maintenance_events_total")
    assert {(str(kind),): 0 for kind in VIOLATIONS} == select(shown, "soak_oracle_violations_total")


def test_a_figure_that_is_not_known_is_left_out(snapshot):
    page = Exporter().render(snapshot).decode()
    assert "soak_target_unique_bytes" not in page
    assert "NaN" not in page


@pytest.mark.parametrize("name", available("samplers"))
def test_whatever_a_sampler_reads_has_a_metric(name, tmp_path):
    subject = Subject(
        pids=lambda: [os.getpid()],
        directories=lambda: [tmp_path],
        reported=lambda: ({"segments_count": 3.0, "tombstones": 2.0}, 0.0),
        clock=SystemClock(),
    )
    sampler = load("samplers", name).build(subject)
    sampler.sample()  # differences appear in the second sample
    columns = {c for c in sampler.sample() if not c.startswith(REPORTED)}
    assert columns <= {column for column, *_ in RESOURCES}


def test_records_are_shown_by_tier_where_the_target_has_tiers(snapshot):
    assert 1 == len(select(text_samples(snapshot), "soak_records"))
    tiered = replace(snapshot, records={"live": 9.0, "tier_short": 4.0, "tier_long": 5.0})
    shown = select(text_samples(tiered), "soak_records")
    assert {("short",): 4, ("long",): 5} == shown


def test_a_hanging_operation_shows_its_age(snapshot):
    hanging = replace(snapshot, hang=Hang(operation="get", index=5, age_s=61.5))
    shown = select(text_samples(hanging), "soak_hang_seconds")
    assert 61.5 == shown["get",]
    assert 0 == shown["store",]


def test_a_leak_shows_its_slope_and_its_bounds(snapshot):
    leak = {
        "resource": "anonymous_bytes",
        "bytes_per_s": 900.0,
        "low_bytes_per_s": 780.0,
        "exhaustion_s": float("nan"),
    }
    shown = text_samples(replace(snapshot, leaks=(leak,)))
    labels = {"resource": "anonymous_bytes"}
    assert 900 == shown[series("soak_leak_bytes_per_second", **labels)]
    assert 780 == shown[series("soak_leak_bytes_per_second_low", **labels)]
    assert {} == select(shown, "soak_leak_exhaustion_seconds")


def test_the_collector_gives_prometheus_client_the_same_numbers(snapshot):
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(lambda: snapshot))
    theirs = samples(list(parse_text(generate_latest(registry).decode())))
    assert theirs == open_samples(snapshot)


def test_openmetrics_says_the_same_and_adds_only_times_for_annotations(snapshot):
    plain, scraped = text_samples(snapshot), open_samples(snapshot)
    added = {name for name, _ in scraped.keys() - plain.keys()}
    assert plain.items() <= scraped.items()
    assert {name for name in added if not name.endswith("_timestamp_milliseconds")} == set()
    assert added


def test_label_values_survive_quotes_backslashes_newlines_and_percent_signs(snapshot):
    odd = 'a "quoted" \\ 100%d\n name'
    named = replace(snapshot, identity=replace(snapshot.identity, scenario=odd))
    for openmetrics, parse in ((False, parse_text), (True, parse_open)):
        page = Exporter().render(named, openmetrics=openmetrics).decode()
        scenarios = {dict(labels)["scenario"] for _, labels in samples(list(parse(page)))}
        assert {odd} == scenarios


def test_a_later_run_does_not_get_the_labels_of_an_earlier_one(snapshot):
    exporter = Exporter()
    exporter.render(snapshot)
    later = replace(snapshot, identity=replace(snapshot.identity, target="null"))
    assert Exporter().render(later) == exporter.render(later)


def test_a_hundred_thousand_kinds_of_error_add_no_series_beyond_the_cap(snapshot):
    errors = {("get", f"Error{i}"): 1 for i in range(100_000)}
    shown = text_samples(replace(snapshot, errors=errors), max_series=1_000)
    assert 1_000 >= len(shown)
    by_type = select(shown, "soak_errors_total")
    assert 100_000 == sum(by_type.values())
    assert ("other", "other") in by_type
    dropped = shown[series("soak_exporter_series_dropped")]
    assert 100_001 - len(by_type) - 1 <= dropped <= 100_001


def test_operations_beyond_the_cap_are_folded_into_one_histogram(snapshot):
    shown = text_samples(snapshot, max_series=3 * SERIES_PER_HISTOGRAM)
    counts = select(shown, "soak_operation_latency_seconds_count")
    assert {("store",), ("get",), ("other",)} >= set(counts)
    assert sum(t.count for t in snapshot.operations.values()) == sum(counts.values())
    assert shown[series("soak_exporter_series_dropped")] > 0


@pytest.mark.parametrize("room", [0, 1, 2, 30, 100, 400])
def test_the_cap_holds_wherever_it_falls(snapshot, room):
    assert max(1, room) >= len(text_samples(snapshot, max_series=room))


def test_promtool_has_nothing_to_say(snapshot):
    result = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=Exporter().render(snapshot),
        capture_output=True,
        check=False,
    )
    assert b"" == result.stdout + result.stderr


def test_times_for_annotations_are_where_prometheus_looks(snapshot):
    scraped = Exporter().render(snapshot, openmetrics=True).decode()
    plain = Exporter().render(snapshot).decode()
    for name in ("soak_maintenance_last_start", "soak_maintenance_last_end", "soak_event"):
        assert f"{name}_timestamp_milliseconds{{" in scraped
        assert f"{name}_timestamp_milliseconds{{" not in plain
        assert f"{name}_timestamp_seconds{{" in plain


def test_a_hundred_thousand_tenants_do_not_get_past_the_cap(snapshot):
    crowd = {f"{REPORTED}tenant_{n}_bytes": float(n) for n in range(100_000)}
    many = {("get", f"Tenant{n}Error"): 1 for n in range(100_000)}
    crowded = replace(snapshot, resources={**snapshot.resources, **crowd}, errors=many)
    shown = text_samples(crowded)
    errors = select(shown, "soak_errors_total")
    assert len(shown) <= 5_000
    assert 100_000 == sum(errors.values())
    assert shown[series("soak_exporter_series_dropped")] >= 195_000
