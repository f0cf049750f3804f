"""Is what a record costs, and what became of it, what it is by hand?"""

import pytest

from soak.bench import page, table
from soak.bench.outcome import results
from soak.bench.suite import chosen, possible
from soak.bench.tiers import tier_figures, tier_rows, with_tiers
from tests.benchmarks.documents import told

REPORT = {
    "duration_s": 10.0,
    "records": {"live": 1_000},
    "resources": {
        "anonymous_bytes": {"last": 42e6},
        "bare_bytes": {"last": 40e6},
        "accounted_bytes": {"last": 0.5e6},
        "disk_allocated_bytes": {"last": 3e6},
        "reported_tier_short_count": {"last": 750.0},
        "reported_tier_long_count": {"last": 250.0},
        "reported_accounted_short_bytes": {"last": 0.3e6},
    },
    "fidelity": {"full_bytes": 2_000.0, "vector_error_mean": 2e-4, "text_equal_ratio": 1.0},
}


def measured(name: str, memory_bytes: float, recall: float) -> dict:
    report = {
        **REPORT,
        "resources": {**REPORT["resources"], "anonymous_bytes": {"last": memory_bytes}},
        "recall": {"mean": recall},
    }
    held = results(report, {})
    return {**told(name), "results": {**held, **tier_figures(report, held)}}


def test_a_record_is_told_as_measured_as_accounted_and_beside_full_precision():
    found = tier_figures(REPORT, results(REPORT, {}))

    assert {
        "full_bytes": 2_000.0,
        "memory_bytes": 2_000.0,
        "accounted_bytes": 500.0,
        "disk_bytes": 3_000.0,
        "memory_to_full_ratio": 1.0,
        "accounted_to_full_ratio": 0.25,
        "disk_to_full_ratio": 1.5,
    } == found["record"]
    assert {"vector_error_mean": 2e-4, "text_equal_ratio": 1.0} == found["reconstruction"]


def test_each_tier_has_its_records_and_what_the_target_keeps_of_them():
    tiers = tier_figures(REPORT, results(REPORT, {}))["tiers"]

    assert {"short": 0.75, "long": 0.25} == {name: row["share"] for name, row in tiers.items()}
    assert 400.0 == tiers["short"]["kept_bytes_per_record"]
    # Nothing is claimed of a tier that the target accounts nothing for.
    assert tiers["long"]["kept_bytes"] != tiers["long"]["kept_bytes"]


def test_lower_tiers_are_held_against_the_run_that_keeps_all_whole():
    long, full = with_tiers(
        [measured("compression/long", 41e6, 0.98), measured("compression/full", 42e6, 1.0)]
    )

    assert 0.5 == long["results"]["against_full"]["memory_ratio"]
    assert pytest.approx(-0.02) == long["results"]["against_full"]["recall_difference"]
    assert 0.0 == full["results"]["against_full"]["recall_difference"]
    ((*_, recall, difference), _) = tier_rows([long, full])
    assert ("0.980", "-0.020") == (recall, difference)


def test_page_table_and_markdown_have_the_tiers_of_compression():
    document = measured("compression/compressed", 41e6, 0.98)

    for text in (page.html([document]), table.table([document]), table.markdown([document])):
        assert "short 75 %, long 25 %" in text
        assert "2.0e-04" in text


def test_a_question_about_tiers_is_not_put_to_a_target_without():
    can, cannot = possible(chosen(["compression"]), [], "faiss")

    assert ["compression/full"] == [each.name for each in can]
    assert all("the target faiss has no tiers" in why for _, why in cannot)
