"""Are efficiency and growth what they are by hand?"""

import pytest

from soak.bench.scaling import exponent, further_rows, laws, scaling_rows, with_scaling
from tests.benchmarks.documents import told


def test_efficiency_is_what_many_agents_get_of_as_much_for_each_as_one_gets():
    alone, ten = with_scaling(
        [told("scalability/agents-1", per_s=400.0), told("scalability/agents-10", per_s=1_000.0)]
    )

    assert 1.0 == alone["results"]["scaling"]["efficiency"]
    assert {
        "agents": 10,
        "operations_per_s": 1_000.0,
        "ideal_operations_per_s": 4_000.0,
        "efficiency": 0.25,
        "per_agent_per_s": 100.0,
        "round_s": 0.18,
    } == ten["results"]["scaling"]


def test_without_a_single_agent_there_is_no_ideal():
    (ten,) = with_scaling([told("scalability/agents-10")])

    assert None is ten["results"]["scaling"]["efficiency"]


def test_latency_in_proportion_to_records_has_exponent_one():
    volumes = [
        told(f"scalability/volume-{name}", p95_s=count * 1e-6)
        for name, count in (("1k", 1_000), ("10k", 10_000), ("100k", 100_000))
    ]
    found = with_scaling(volumes)[0]["results"]["growth"]

    assert pytest.approx(1.0) == found["search"]["p95"]
    assert {"store", "get", "search"} == found.keys()
    rows, told_laws = scaling_rows(with_scaling(volumes))
    assert ([], 6) == (rows, len(told_laws))


def test_a_further_record_takes_the_slope_whatever_the_process_holds_without_any():
    footprints = []
    for name, count in (("1k", 1_000), ("10k", 10_000), ("50k", 50_000)):
        document = told(f"footprint/records-{name}")
        held = {"records_live": count, "memory_bytes": 41e6 + 1_200 * count}
        footprints.append({**document, "results": {**document["results"], **held}})
    found = with_scaling(footprints)

    assert {"memory_bytes": pytest.approx(1_200)} == found[0]["results"]["each_further"]
    assert [("memory", pytest.approx(1_200))] == further_rows(found)
    assert [] == further_rows(with_scaling(footprints[:2]))


def test_two_volumes_make_no_law():
    assert {} == laws(
        {1_000: told("scalability/volume-1k"), 10_000: told("scalability/volume-10k")}
    )


def test_the_exponent_of_a_square_root_is_a_half():
    assert 0.5 == pytest.approx(exponent([(1, 3.0), (4, 6.0), (100, 30.0)]))


def test_what_is_not_of_scalability_stays_as_it_is():
    assert [told("storage/read")] == with_scaling([told("storage/read")])
