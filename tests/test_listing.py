"""Is what a person types of runs understood, or refused with the remedy?"""

from pathlib import Path

import pytest

from soak.listing import entries, start_of
from soak.report.catalogue import Wanted
from soak.verdict import Mistake

NOON_S = 1_772_366_400.0  # 2026-03-01T12:00:00Z


@pytest.mark.parametrize(
    ("since", "start"),
    [
        ("", ""),
        ("12h", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01T10:30", "2026-03-01T10:30:00.000Z"),
        ("2026-03-01T10:30:00Z", "2026-03-01T10:30:00.000Z"),
        ("2026-03-01T01:00+02:00", "2026-02-28T23:00:00.000Z"),
        ("2026-03-01T23:00-05:00", "2026-03-02T04:00:00.000Z"),
    ],
)
def test_a_moment_is_told_in_utc_as_runs_are(since: str, start: str):
    assert start == start_of(since, NOON_S)


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "2026-03-01T25:00"])
def test_what_is_no_moment_is_a_mistake(since: str):
    with pytest.raises(Mistake, match=f"--since {since}: is no time like 7d"):
        start_of(since, NOON_S)


@pytest.mark.parametrize("since", ["99999999999999d", "3651d"])
def test_more_than_ten_years_ago_is_a_mistake(since: str):
    with pytest.raises(Mistake, match=f"--since {since}: is more than ten years ago"):
        start_of(since, NOON_S)


def test_a_status_there_is_not_is_a_mistake(tmp_path: Path):
    with pytest.raises(Mistake, match="there are: pass, fail, unknown; did you mean pass"):
        entries("runs", tmp_path, Wanted(status="passed"))


def test_a_directory_there_is_not_is_a_mistake(tmp_path: Path):
    with pytest.raises(Mistake, match="nowhere: there is no such directory; pass --out DIR"):
        entries("runs", tmp_path / "nowhere")


def test_a_directory_without_runs_has_none(tmp_path: Path):
    assert [] == entries("runs", tmp_path)
