"""Do the shipped benchmarks say what they ask, and can each be decided?"""

from pathlib import Path

import pytest

from soak.bench import page, table
from soak.bench.outcome import left_out
from soak.bench.suite import (
    NoSuchBenchmark,
    benchmarks,
    chosen,
    is_quick,
    listed,
    possible,
    question_of,
)
from soak.scenario import load
from soak.verdict import Mistake
from tests.benchmarks.documents import told

ALL = benchmarks()
SCENARIOS = [b for b in ALL if not b.function]
EACH = pytest.mark.parametrize("file", [b.file for b in SCENARIOS], ids=[b.name for b in SCENARIOS])
OWN = """\
import no_such_package

def benchmark_two_words(trials):
    '''Is it read without being run?

    More.
    '''

def other(): ...
"""
CATEGORIES = {
    *("storage", "compression", "transition", "retrieval", "latency", "throughput"),
    *("footprint", "scalability", "pressure", "integration"),
}


LATENCY = {"latency/mixed"} | {f"latency/tier-{n}" for n in ("short", "intermediate", "long")}


def test_latency_is_asked_of_what_each_tier_does():
    tiers = [load(b.file) for b in chosen(["latency"]) if b.stem.startswith("tier-")]

    assert 3 == len(tiers)
    for scenario in tiers:
        assert {"store", "get", "search", "maintain"} <= set(scenario.phases[-1].mix)


def test_throughput_is_asked_of_1_to_64_clients_closed_and_open():
    asked = {b.stem: load(b.file) for b in chosen(["throughput"]) if not b.function}
    counts = {f"{kind}-{n}": n for kind in ("clients", "open") for n in (1, 4, 16, 64)}

    assert counts == {stem: scenario.target.clients for stem, scenario in asked.items()}
    for stem, scenario in asked.items():
        assert stem.startswith("open") == (scenario.phases[-1].arrivals.kind != "closed")


def test_every_category_has_benchmarks():
    assert CATEGORIES == {benchmark.category for benchmark in ALL}


@EACH
def test_file_opens_with_its_schema_and_its_question(file: Path):
    first, second, *_ = file.read_text().splitlines()

    assert "# yaml-language-server: $schema=../../scenario.schema.json" == first
    assert f"# {load(file).question}" == second
    assert second.endswith("?")


@EACH
def test_answers_are_checked_and_nobody_listens(file: Path):
    scenario = load(file)

    assert "wrong-answers" in {check.name for check in scenario.checks}
    assert {"get", "search", "scan", "traverse"} & set(scenario.operations)
    assert None is scenario.listen


@EACH
def test_it_is_over_within_a_minute_and_all_that_it_checks_can_be_decided(file: Path):
    scenario = load(file)

    assert scenario.duration_s <= 60
    assert [] == [check.name for check in scenario.checks if check.needs]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["latency"], LATENCY),
        (["storage/read", "latency"], {"storage/read", *LATENCY}),
        ([], {benchmark.name for benchmark in ALL}),
    ],
    ids=["category", "both", "all"],
)
def test_what_is_asked_for_is_chosen(asked: list[str], expected: set[str]):
    assert expected == {benchmark.name for benchmark in chosen(asked)}


def test_a_category_there_is_not_is_said_with_the_nearest():
    with pytest.raises(NoSuchBenchmark, match="did you mean storage"):
        chosen(["storge"])


def test_a_folder_of_ones_own_can_be_measured(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "fast.yaml").write_bytes(ALL[0].file.read_bytes())

    (own,) = chosen(["mine"], tmp_path)
    assert ("mine/fast", "mine-fast") == (own.name, own.run_name)


def test_a_function_is_listed_by_its_name_and_docstring_without_running_its_file(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "some.py").write_text(OWN)

    (own,) = chosen(["mine/two-words"], tmp_path)
    assert ("benchmark_two_words", "Is it read without being run?") == (
        own.function,
        question_of(own),
    )


def test_a_quick_suite_leaves_out_a_million_records_and_nothing_else():
    assert ["scalability/volume-1m"] == [each.name for each in ALL if not is_quick(each)]


def test_what_a_target_lacks_is_left_out_and_said():
    can, cannot = possible(chosen(["retrieval", "throughput/max-rate"]), [], "chroma")

    assert {"retrieval/search-10k", "throughput/max-rate"} <= {each.name for each in can}
    lacks = {each.name for each, why in cannot if "lacks link, traverse" in why}
    assert {"retrieval/graph", "retrieval/graph-1", "retrieval/graph-3"} == lacks
    others = [why for each, why in cannot if each.name not in lacks]
    assert others
    assert all("has no tiers" in why or "has no exact_filter" in why for why in others)


@pytest.mark.parametrize("target", ["faiss", "sqlite_vec"])
def test_every_category_runs_on_two_other_targets(target: str):
    can, cannot = possible(ALL, [], target)

    assert CATEGORIES == {each.category for each in can}
    # What is left out is about tiers, edges or an exact scan, and nothing else.
    lacking = ("lacks link", "lacks transition", "has no tiers", "has no exact_filter")
    assert [] == [why for _, why in cannot if not any(text in why for text in lacking)]


def test_what_was_left_out_is_told_with_the_rest():
    (graph,) = chosen(["retrieval/graph"])
    documents = [told("storage/read"), left_out(graph, "the target lacks edges")]

    for text in (page.html(documents), table.table(documents), table.markdown(documents)):
        assert "the target lacks edges" in text
    assert "1 pass, 1 skipped" in page.html(documents)
    assert 0 == table.exit_code(documents)


def test_a_target_that_can_run_none_is_a_mistake():
    with pytest.raises(Mistake, match="no 'chrome' among targets"):
        possible(chosen(["latency"]), [], "chrome")


def test_a_scenario_that_is_not_sound_is_a_mistake_and_not_left_out(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    text = ALL[0].file.read_text()
    (tmp_path / "mine" / "fast.yaml").write_text(text)
    (tmp_path / "mine" / "typo.yaml").write_text(text.replace("population:", "populaton:"))

    for target in (None, "chroma"):
        with pytest.raises(Mistake, match="did you mean population"):
            possible(chosen([], tmp_path), [], target)


def test_the_list_is_that_of_a_folder_of_ones_own(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "fast.yaml").write_bytes(ALL[0].file.read_bytes())

    assert [{"name": "mine/fast", "what": question_of(ALL[0])}] == listed(tmp_path)


def test_the_list_has_a_question_each():
    assert {b.name for b in ALL} == {row["name"] for row in listed()}
    assert all(row["what"].endswith("?") for row in listed())


def test_a_function_needs_a_target_that_is_there():
    with pytest.raises(Mistake, match="no 'chrome' among targets"):
        possible(chosen(["throughput/max-rate"]), [], "chrome")
