"""Has every form of the report every figure: page, terminal and Markdown?"""

import re

import pytest

from soak.bench import page, table
from soak.bench.pressure import with_pressure
from soak.bench.scaling import with_scaling
from tests.benchmarks.documents import told

FORMS = pytest.mark.parametrize("form", [page.html, table.table, table.markdown])


def cells(text: str) -> str:
    """The text with one blank between any two cells, whatever its form."""
    return re.sub(r"(<[^>]+>|[|\s])+", " ", text)


def with_results(name: str, **results: object) -> dict:
    document = told(name)
    return {**document, "results": {**document["results"], **results}}


@FORMS
def test_figures_have_p95_and_all_operations_a_second(form):
    text = cells(form([told("storage/write-1", per_s=123.0, p95_s=0.002)]))

    assert "p50 p95 p99 max all ops/s recall" in text
    assert "1 ms 2 ms 4 ms 18 ms 123 0.990" in text


@FORMS
def test_the_highest_rate_is_told_with_every_trial(form):
    rates = [(200.0, "pass", "all passed"), (800.0, "unknown", "tester late"), (400.0, "fail", "a")]
    trials = [{"rate_per_s": r, "status": s, "reason": why} for r, s, why in rates]
    found = with_results("latency/mixed", kept_per_s=200.0, lost_per_s=400.0, trials=trials)
    text = cells(form([{**found, "category": "throughput", "benchmark": "max-rate"}]))

    assert (
        "throughput/max-rate 200/s 200/s kept all passed 400/s not kept a 800/s unknown tester late"
        in text
    )


@FORMS
def test_memory_and_disk_of_a_footprint_stand_beside_the_records(form):
    sizes = [("footprint/records-10k", 10_000), ("footprint/records-1k", 1_000)]
    documents = [
        with_results(
            name,
            records_live=records,
            memory_bytes=41e6,
            disk_bytes=2**20 * records / 1_000,
            disk_bytes_per_1000_records=2**20,
            resources={"rss_bytes": {"last": 2**26}},
        )
        for name, records in sizes
    ]
    text = cells(form(documents))

    assert "footprint/records-1k 1,000 39.1 MiB 64 MiB 1 MiB 1.91 MiB 1 MiB" in text
    assert text.index("records-1k 1,000") < text.index("records-10k 10,000")


@FORMS
def test_efficiency_and_growth_are_told(form):
    agents = [told(f"scalability/agents-{n}", per_s=400.0 * n**0.5) for n in (1, 50)]
    volumes = [
        told(f"scalability/volume-{name}", p95_s=count * 1e-6)
        for name, count in (("1k", 1_000), ("10k", 10_000), ("100k", 100_000))
    ]
    text = cells(form(with_scaling([*agents, *volumes])))

    assert "50 2,828/s 20,000/s 14.1 %" in text
    assert "search p95 as records to +1.00" in text


def pressed() -> dict:
    """600 written, 300 held at most; p99 of searches 80 ms in the worst phase, 2 ms in the last."""
    document = told("pressure/saturation")

    def phase(live: float, p99_s: float) -> dict:
        operations = {"search": {"count": 9, "latency_s": {"p99": p99_s}}}
        return {"operations": operations, "after": {"live_records": live}}

    results = {
        "operations": {
            "store": {"count": 90, "latency_s": {}},
            "store_batch": {"count": 1, "latency_s": {}},
            "maintain": {"count": 3, "latency_s": {}},
        },
        "phases": {"growth": phase(280.0, 0.08), "afterwards": phase(150.0, 0.002)},
        "resource_use": {"timeline": [{"records": 300.0}], "memory_bytes_max": 2.0**27},
        "records_live": 140.0,
        "memory_bytes": 2.0**26,
        "maintenance": [
            {"kind": "evict", "source": "declared", "count": 7},
            {"kind": "evict", "source": "detected", "count": 5},
        ],
    }
    population = {"preload": 500, "batch": 10}
    metadata = {**document["metadata"], "params": {"population": population}}
    return {**document, "results": results, "metadata": metadata}


def test_what_pressure_did_is_in_the_json():
    (document,) = with_pressure([pressed()])

    assert {
        "written_records": 600.0,
        "held_records_max": 300.0,
        "held_records": 140.0,
        "maintenance_asked": 3.0,
        "maintenance_declared": 7.0,
        "maintenance_detected": 5.0,
        "search_p99_s_max": 0.08,
        "search_p99_s_last": 0.002,
        "memory_bytes_max": 2.0**27,
        "memory_bytes": 2.0**26,
    } == document["results"]["pressure"]


@FORMS
def test_saturation_maintenance_and_recovery_are_told(form):
    text = cells(form([pressed()]))

    assert "pressure/saturation 600 300 140 3 7 5 80 ms 2 ms 128 MiB 64 MiB" in text
    assert "afterwards search" in text


@FORMS
def test_runs_that_disturbed_each_other_are_said_to_have(form):
    document = told("latency/mixed")
    beside = {**document["metadata"], "parallel": 3, "environment": {"cpus_allowed": 2}}

    assert 1 == form([{**document, "metadata": beside}] * 2).count("the runs disturb each other")


def test_text_cannot_break_a_table_of_markdown():
    foreign = {"benchmark": "a|b\n<c>", "category": "x", "results": {"n": 1}}

    assert "| x/a\\|b &lt;c> | n | 1 |" in table.markdown([foreign])
