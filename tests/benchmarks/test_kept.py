"""Are results read back as they were told, and those of other programs, too?"""

import json
import re
from pathlib import Path

import pytest

from soak.bench import page, table
from soak.bench.files import write_suite
from soak.bench.kept import ResultsError, keep, read, wanted
from soak.bench.table import exit_code
from soak.bench.variants import by_variant
from tests.benchmarks.documents import told


def in_run(document: dict, run: Path) -> dict:
    run.mkdir(parents=True)
    return {**document, "metadata": {**document["metadata"], "run": str(run)}}


def test_what_a_suite_kept_in_its_run_directories_is_read_back(tmp_path: Path):
    suite = [
        in_run(told("storage/read"), tmp_path / "runs" / "a"),
        in_run(told("latency/mixed"), tmp_path / "runs" / "b"),
    ]
    keep(suite)

    assert suite[::-1] == read([tmp_path / "runs"])
    assert suite[:1] == read([tmp_path / "runs" / "a"])


def test_of_two_results_of_one_benchmark_the_later_counts(tmp_path: Path):
    later = {**told("storage/read", per_s=7.0), "timestamp": "2026-03-02T00:00:00Z"}
    (tmp_path / "results.json").write_text(json.dumps([later, told("storage/read")]))

    assert [later] == read([tmp_path / "results.json"])


def of(name: str = "storage/read", target: str = "engine", seed: int = 1, **asked: object) -> dict:
    document = told(name, per_s=len(target) * 10.0 + seed)
    params = {**document["metadata"]["params"], "target": {"name": target}, "seed": seed}
    return {
        **document,
        "metadata": {**document["metadata"], "params": params, "asked": asked},
    }


@pytest.mark.parametrize(
    "other",
    [
        of(target="chroma"),
        of(quick=True),
        of(seed=2),
        of(set=["target.params.index=flat"]),
    ],
    ids=["target", "quick", "seed", "set"],
)
def test_results_of_one_benchmark_that_differ_in_what_was_asked_are_kept_apart(
    other: dict, tmp_path: Path
):
    (tmp_path / "results.json").write_text(json.dumps([of(), other]))
    dropped = []
    found = read([tmp_path / "results.json"], dropped.append)

    assert ([], 2) == (dropped, len(found))
    html = page.html(found)
    ids = re.findall(r' id="([^"]+)"', html)
    assert sorted(set(ids)) == sorted(ids)
    difference = "chroma, seed 1|engine, quick, seed 1|engine, seed 2|target.params.index=flat"
    for text in (table.table(found), table.markdown(found), html):
        assert re.search(difference, text)


def test_figures_of_two_targets_are_files_of_their_own(tmp_path: Path):
    written = write_suite([of(), of(target="chroma")], figures=tmp_path)

    names = {path.name for path in written}
    assert {"storage-engine-seed-1-latency.png", "storage-chroma-seed-1-latency.png"} <= names
    assert len(names) == len(written)


def test_a_later_result_in_the_place_of_an_older_one_is_said(tmp_path: Path):
    later = {**of(), "timestamp": "2026-03-02T00:00:00Z"}
    (tmp_path / "results.json").write_text(json.dumps([later, of()]))
    dropped = []

    assert [later] == read([tmp_path / "results.json"], dropped.append)
    said = "storage/read, engine, seed 1: of 2026-03-01T12:00:00Z, as a later one is there"
    assert [f"left out: {said}"] == dropped


def test_what_was_not_run_stands_with_what_was_asked_for_with_it():
    skipped = of("retrieval/graph", quick=True)
    skipped["metadata"]["params"] = {}
    groups = by_variant([of(quick=True), of(target="chroma"), skipped])

    counts = {said: len(documents) for said, documents in groups.items()}
    assert {"engine, quick, seed 1": 2, "chroma, seed 1": 1} == counts


FOREIGN = {
    "benchmark": "insert",
    "category": "storage",
    "timestamp": "2024-01-01",
    "results": {"operations": 1_000, "ops_per_second": 812.5, "all": list(range(30))},
}


@pytest.mark.parametrize("form", [page.html, table.table, table.markdown])
def test_numbers_of_another_program_are_in_every_form_as_they_are(form):
    text = re.sub(r"(<[^>]+>|[|\s])+", " ", form([FOREIGN]))

    assert "storage/insert operations 1000 2024-01-01" in text
    assert "storage/insert ops_per_second 812.5 2024-01-01" in text
    assert "storage/insert all[20:] 10 more 2024-01-01" in text


def test_two_results_of_another_program_are_both_there(tmp_path: Path):
    other = {**FOREIGN, "results": {"operations": 7}}
    (tmp_path / "old.json").write_text(json.dumps([FOREIGN, other, FOREIGN]))

    assert [7, 1_000] == sorted(d["results"]["operations"] for d in read([tmp_path / "old.json"]))


def test_a_category_cannot_lead_out_of_the_folder_of_figures(tmp_path: Path):
    names = ["../../../esc", "/tmp/esc", "objectives", "a/b", "a b", "storage"]
    documents = [{**told("storage/read"), "category": name} for name in names]
    written = write_suite(documents, figures=tmp_path / "a" / "figures")
    ids = re.findall(r' id="([^"]+)"', page.html(documents))

    assert {tmp_path / "a" / "figures"} == {path.parent for path in written}
    assert len(set(written)) == len(written)
    assert sorted(set(ids)) == sorted(ids)
    assert "storage" in ids


@pytest.mark.parametrize(
    ("asked", "more", "expected"),
    [
        ([], {}, 4),
        (["storage"], {}, 3),
        (["latency/mixed"], {}, 1),
        (["storage/read"], {"target": "chroma"}, 1),
        ([], {"seed": 2}, 1),
        ([], {"quick": True}, 1),
    ],
)
def test_what_is_asked_for_is_told_alone(asked: list[str], more: dict, expected: int):
    there = [of(), of(target="chroma"), of(seed=2), of("latency/mixed", quick=True)]

    assert expected == len(wanted(there, asked, **more))


@pytest.mark.parametrize(
    ("asked", "more", "said"),
    [
        (["storge"], {}, "no results of 'storge'; there are: storage; did you mean storage"),
        ([], {"target": "chroma"}, "no results of 'chroma'; there are: engine"),
        ([], {"quick": True}, "no results of 'quick'; there are: full"),
    ],
)
def test_what_is_asked_for_and_not_there_is_said(asked: list[str], more: dict, said: str):
    with pytest.raises(ResultsError, match=said):
        wanted([of()], asked, **more)


def test_results_of_another_program_get_what_they_lack(tmp_path: Path):
    foreign = {"benchmark": "insert", "results": {"mean_ms": 3}, "timestamp": "2024-01-01"}
    (tmp_path / "old.json").write_text(json.dumps(foreign))

    (found,) = read([tmp_path / "old.json"])
    assert 0 == exit_code([found])
    assert ("imported", {"mean_ms": 3}, {}) == (
        found["category"],
        found["results"],
        found["metadata"],
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2]",
        '[{"benchmark": "a", "results": {}}, 1]',
        "{}",
        '{"benchmark": "a"}',
        "[]",
        '[{"a": 1}]',
    ],
)
def test_what_are_no_results_is_said(text: str, tmp_path: Path):
    (tmp_path / "odd.json").write_text(text)

    with pytest.raises(ResultsError, match=r"odd\.json"):
        read([tmp_path / "odd.json"])


def test_a_folder_without_results_is_said(tmp_path: Path):
    with pytest.raises(ResultsError, match="no results of benchmarks"):
        read([tmp_path])
