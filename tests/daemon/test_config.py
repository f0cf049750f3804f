"""Is whatever is wrong with a daemon's file told with its line, and is the example right?"""

from pathlib import Path

import pytest

from soak.daemon.config import ConfigError, read
from tests.source_tree import ROOT

EXAMPLES = sorted((ROOT / "configs" / "daemon").glob("*.yaml"))


def complaints(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_shipped_file_is_right_and_says_how_it_is_used(path: Path):
    name = path.relative_to(ROOT)

    assert f"soak daemon --config {name}" in path.read_text().splitlines()[0]
    assert () != read(path)


def test_there_is_an_example():
    assert [] != EXAMPLES


def test_a_schedule_becomes_flags_of_a_run(tmp_path):
    path = tmp_path / "daemon.yaml"
    path.write_text(
        "schedules:\n"
        '- {name: a, scenario: smoke, every: 6h, target: "null", duration: 90s, set: [rate=9]}\n'
        "- {name: b, scenario: smoke, cron: 0 2 * * 1-5, baseline: main}\n"
    )
    a, b = read(path)

    assert ("smoke", "--target=null", "--duration=1m30s", "--set=rate=9") == a.arguments
    assert ("smoke", "null", "every 6h", "") == (a.scenario, a.target, a.said, a.baseline)
    assert ("smoke", "engine", "cron 0 2 * * 1-5", "main") == (
        *(b.scenario, b.target, b.said, b.baseline),
    )


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("{name: a, scenario: smoke}", "2: schedules[0]: needs either cron or every, to say when"),
        (
            "{name: a, scenario: smoke, every: 1h, cron: 0 2 * * *}",
            "2: schedules[0]: needs either cron or every, to say when",
        ),
        (
            "{name: a, scenario: smoke, evry: 1h}",
            "2: schedules[0].evry: is not a key here; there are: name, scenario, cron, every, "
            "target, duration, set, baseline, keep; did you mean every?",
        ),
        (
            "{name: a, scenario: smok, every: 1h}",
            "2: schedules[0].scenario: smok: no scenario of that name, and no file; shipped are: ",
        ),
        (
            "{name: a, scenario: smoke, every: 1h, set: [rat=1]}",
            "2: schedules[0].scenario: --set rat=1: rat: is not a key here",
        ),
        (
            "{name: a, scenario: smoke, cron: 0 2 * *}",
            "2: schedules[0].cron: is the text '0 2 * *'; has 4 fields of 5: minute hour day",
        ),
        ("{name: a, scenario: smoke, every: 5}", "2: schedules[0].every: is 5; the unit is miss"),
        (
            "{name: a, scenario: smoke, every: 1h}\n- {name: a, scenario: smoke, every: 2h}",
            "3: schedules[1].name: a is also the name of schedules[0]",
        ),
    ],
)
def test_a_mistake_is_told_with_line_path_and_remedy(tmp_path, schedule: str, said: str):
    (told,) = complaints(tmp_path / "daemon.yaml", f"schedules:\n- {schedule}\n")

    assert said == told[: len(said)]


@pytest.mark.parametrize("text", ["", "- a", "schedules: []", "schedules: [", "other: 1"])
def test_a_file_of_another_shape_is_told_once_or_twice(tmp_path, text: str):
    assert 1 <= len(complaints(tmp_path / "daemon.yaml", text)) <= 2


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"absent.yaml: cannot be read: No such file"):
        read(tmp_path / "absent.yaml")
