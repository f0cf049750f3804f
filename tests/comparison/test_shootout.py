"""Are several targets under one load told side by side, those that could not be run included?"""

from pathlib import Path

import pytest

from soak.comparison.shootout import Entry, markdown, picture, table
from soak.report.ranges import png
from soak.report.record import load_run
from soak.scenario import load
from tests.endtoend.conftest import SOAK, environment, subprocess
from tests.runs import write_run

REFUSING = '''"""A target whose server is down."""

from soak.result import TargetUnavailable

CAPABILITIES = frozenset({"store", "get", "search"})


def build(params, data_dir, clock):
    raise TargetUnavailable("nothing listens there")
'''


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
    page = markdown(entries, None)
    rows = [line for line in page.splitlines() if line.startswith("|")]

    assert 3 == len(rows)
    assert 1 == len({row.count("|") for row in rows})
    assert "- redis: redis not installed" in page


def test_a_page_shows_the_picture_where_it_is_and_none_where_there_is_none(entries):
    assert markdown(entries, "figures/one.png").endswith("(figures/one.png)\n")
    assert "![" not in markdown(entries, None)


def test_picture_has_a_row_for_each_that_was_run(entries):
    drawn = picture(entries)

    assert ["engine"] == [row.label for row in drawn.rows]
    assert ["p50", "p99"] == [series for series, _ in drawn.rows[0].values]
    assert png(drawn).startswith(b"\x89PNG")


def test_shipped_load_asks_only_for_what_nearly_all_can_do():
    assert {"store", "get", "search"} == set(load("shootout").operations)


def shootout(tmp_path: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SOAK, "shootout", *words, "--out", tmp_path / "runs"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("memory", "nobody"), "no 'nobody' among targets"),
        (("memory", "engine", "--set", "nonsense=1"), "nonsense"),
    ],
)
def test_a_mistake_of_usage_is_told_before_the_first_is_run(tmp_path: Path, words, said):
    done = shootout(tmp_path, *words, "--duration", "2s")

    assert 2 == done.returncode
    assert said in done.stderr
    assert "" == done.stdout
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_two_targets_get_the_same_stream_and_a_third_does_not_start(tmp_path: Path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "refusing.py").write_text(REFUSING)
    command = ["memory", "engine", "ours.refusing", "--duration", "2s", "--seed", "4"]
    command += ["--set", "population.preload=0", "--markdown", tmp_path / "table.md"]
    done = shootout(tmp_path, *command, "--png", tmp_path / "drawn" / "picture.png")
    lines = done.stdout.splitlines()
    counts = [
        {name: row["count"] for name, row in load_run(run).document["operations"].items()}
        for run in sorted((tmp_path / "runs").iterdir())
        if (run / "report.json").exists()
    ]

    assert ["memory", "engine"] == [line.split()[0] for line in lines[1:3]], done.stderr
    assert counts[0] == counts[1]
    assert 14 == done.returncode
    assert lines[3].startswith("ours.refusing: ")
    assert "nothing listens there" in done.stdout
    assert (tmp_path / "drawn" / "picture.png").stat().st_size > 1000
    assert "| memory |" in (tmp_path / "table.md").read_text()
    assert "(drawn/picture.png)" in (tmp_path / "table.md").read_text()
