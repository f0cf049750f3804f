"""Are several targets under one load told side by side, those that could not be run included?"""

from pathlib import Path

import pytest

from soak.comparison.shootout import Entry, markdown, picture, table
from soak.report.ranges import png
from soak.report.record import load_run
from soak.scenario import load
from tests.endtoend.conftest import SOAK, environment, subprocess
from tests.runs import write_run


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    run = write_run(tmp_path_factory.mktemp("runs") / "a", length_s=600.0, sample_s=10.0)
    return [
        Entry(target="engine", record=load_run(run)),
        Entry(target="redis", trouble="redis not installed"),
    ]


def test_each_target_is_a_line_and_who_is_missing_stands_below_with_the_reason(entries):
    head, line, missing = table(entries).splitlines()

    assert head.split()[:2] == ["target", "records"]
    assert line.split()[:2] == ["engine", "pass"]
    assert "redis: redis not installed" == missing


def test_markdown_has_as_many_columns_in_each_row(entries):
    rows = [line for line in markdown(entries).splitlines() if line.startswith("|")]

    assert 3 == len(rows)
    assert 1 == len({row.count("|") for row in rows})
    assert "- redis: redis not installed" in markdown(entries)


def test_picture_has_a_row_for_each_that_was_run(entries):
    drawn = picture(entries)

    assert ["engine"] == [row.label for row in drawn.rows]
    assert ["p50", "p99"] == [series for series, _ in drawn.rows[0].values]
    assert png(drawn).startswith(b"\x89PNG")


def test_shipped_load_asks_only_for_what_nearly_all_can_do():
    assert {"store", "get", "search"} == set(load("shootout").operations)


@pytest.mark.slow
def test_two_targets_get_the_same_stream_and_a_third_is_not_there(tmp_path: Path):
    command = [SOAK, "shootout", "memory", "engine", "nobody", "--duration", "2s", "--seed", "4"]
    command += ["--set", "population.preload=0"]
    command += ["--out", tmp_path / "runs", "--markdown", tmp_path / "table.md"]
    done = subprocess.run(
        [*command, "--png", tmp_path / "picture.png"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    counts = [
        {name: row["count"] for name, row in load_run(run).document["operations"].items()}
        for run in sorted((tmp_path / "runs").iterdir())
    ]

    assert ["memory", "engine"] == [line.split()[0] for line in lines[1:3]]
    assert counts[0] == counts[1]
    assert 14 == done.returncode
    assert lines[3].startswith("nobody: ")
    assert "no 'nobody' among targets" in done.stdout
    assert (tmp_path / "picture.png").stat().st_size > 1000
    assert "| memory |" in (tmp_path / "table.md").read_text()
