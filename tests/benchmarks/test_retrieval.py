"""Is a search held against its counterpart, and does a cold cache show?"""

import os

import pytest

from soak.bench import page, table
from soak.bench.retrieval import COUNTERPARTS, with_counterparts
from soak.bench.suite import benchmarks, chosen, possible
from soak.operations import _cold
from soak.operations.reopen import build
from soak.oracle import importance
from soak.oracle.population import Population, Shape
from soak.scenario import load
from soak.targets.null import Null
from tests.benchmarks.documents import told
from tests.mixed_load import small_content


def searched(name: str, p50_s: float, recall: float, read_bytes: float | None = 0.0) -> dict:
    service = {"p50": p50_s, "p95": 2 * p50_s, "p99": 3 * p50_s, "max": 9 * p50_s}
    results = {
        "operations": {"search": {"count": 100.0, "per_s": 10.0, "service_s": service}},
        "phases": {
            "warm-up": {"spent": {"read_bytes": None}, "operations": {"search": {"count": 20}}},
            "measured": {
                "spent": {"read_bytes": read_bytes},
                "operations": {"search": {"count": 80}},
            },
        },
        "tiers": {"long": {"share": 1.0}},
        "recall": recall,
    }
    return {**told(name), "results": results}


def test_a_search_is_held_against_the_one_that_differs_in_what_is_asked():
    cold, warm = with_counterparts(
        [
            searched("retrieval/cold-disk", 0.004, 0.97, 8e6),
            searched("retrieval/cold", 0.001, 1.0),
        ]
    )

    found = cold["results"]["retrieval"]
    assert ("cold", 4.0, 1e5) == (
        found["against"],
        found["p50_ratio"],
        found["read_bytes_per_search"],
    )
    assert pytest.approx(-0.03) == found["recall_difference"]
    # Its own counterpart was not measured.
    assert "against" not in warm["results"]["retrieval"]


def test_page_table_and_markdown_have_searches_by_tier():
    documents = with_counterparts(
        [searched("retrieval/cold-disk", 0.004, 0.97), searched("retrieval/cold", 0.001, 1.0)]
    )
    for text in (page.html(documents), table.table(documents), table.markdown(documents)):
        assert "x 4" in text
        assert "long 100 %" in text


def test_every_counterpart_is_there():
    there = {each.stem for each in benchmarks() if each.category == "retrieval"}

    assert set() == {*COUNTERPARTS, *COUNTERPARTS.values()} - there


# What else a check needs to be had: a target that does it, and a warm-up that moves all down.
BESIDES = {"transition"}


def measured(stem: str) -> dict[str, object]:
    """What is asked of which records, part by part."""
    (benchmark,) = chosen([f"retrieval/{stem}"])
    scenario = load(benchmark.file)
    phase = scenario.phases[-1]
    asked = {name: getattr(phase, name) for name in ("duration", "arrivals", "popularity", "mix")}
    population = scenario.population.model_dump()
    return {
        **{name: value for name, value in population.items() if name not in BESIDES},
        **{name: str(value) for name, value in asked.items()},
        "rate": scenario.rate,
        "clients": scenario.target.clients,
        "target": scenario.target.params,
    }


@pytest.mark.parametrize(("one", "other"), COUNTERPARTS.items())
def test_a_search_differs_from_its_counterpart_in_one_thing(one, other):
    mine, theirs = measured(one), measured(other)

    assert 1 == sum(mine[part] != theirs[part] for part in mine)


def test_an_exact_search_is_asked_of_who_promises_one():
    _, cannot = possible(chosen(["retrieval/exact-50k", "retrieval/search-50k"]), [], "faiss")

    ((benchmark, why),) = cannot
    assert "retrieval/exact-50k" == benchmark.name
    assert "the target faiss has no exact_filter" in why


class Kept(Null):
    """A target with one directory."""

    def __init__(self, directory) -> None:
        self.directory = directory

    def directories(self):
        return (self.directory,)


@pytest.mark.parametrize("is_cold", [True, False])
def test_a_cold_reopen_drops_the_files_of_the_target_and_no_other_does(
    is_cold, tmp_path, monkeypatch
):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "log").write_bytes(b"x" * 9_000)
    asked = []
    monkeypatch.setattr(_cold.os, "posix_fadvise", lambda *call: asked.append(call[1:]))
    shape = Shape(keys=10, is_cold=is_cold)
    population = Population(tmp_path / "p.bin", small_content(10), shape, [importance.beta()])
    reopen = build(Kept(tmp_path / "below"), population)

    assert 0 == reopen.check(None, None, 1)
    assert [(0, 0, os.POSIX_FADV_DONTNEED)] * is_cold == asked
