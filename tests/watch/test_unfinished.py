"""Which run does `soak run --resume` go on with, and why with none?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from soak.rundir import RunDirectory
from soak.scenario import dump, load
from soak.watch.checkpoint import NotResumable
from soak.watch.unfinished import unfinished_run
from tests.watch.test_checkpoint import SMOKE, stopped_run


def cut_off(out: Path, name: str, **changes: object) -> Path:
    """A run of `smoke` that was killed under load."""
    return stopped_run(out / name, **changes).path


def of_another_seed(path: Path) -> None:
    RunDirectory(path).scenario.write_text(dump(load("smoke", seed="2")))


def ended(path: Path, state: str) -> None:
    directory = RunDirectory(path)
    directory.replace_json(directory.checkpoint, {"state": state})


@pytest.mark.parametrize("state", ["", "interrupted"], ids=["killed", "stopped"])
def test_the_newest_run_of_the_scenario_goes_on(state: str, tmp_path: Path):
    cut_off(tmp_path, "20260301T120000Z-smoke-ffffff")
    newest = cut_off(tmp_path, "20260301T130000Z-smoke-000000")
    of_another_seed(cut_off(tmp_path, "20260301T140000Z-smoke-aaaaaa"))
    if state:
        ended(newest, state)

    assert newest == unfinished_run(tmp_path, SMOKE).path


def fail(path: Path) -> None:
    ended(path, "failed")


def finish(path: Path) -> None:
    ended(path, "finished")


def is_of_another_version(path: Path) -> None:
    RunDirectory(path).discard()
    cut_off(path.parent, path.name, soak="0.0.9")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (finish, "this run is finished"),
        (fail, "this run has failed"),
        (is_of_another_version, "was begun by soak 0.0.9"),
    ],
)
def test_what_came_before_a_run_that_cannot_go_on_is_over(
    spoil: Callable[[Path], None], why: str, tmp_path: Path
):
    cut_off(tmp_path, "20260301T120000Z-smoke-ffffff")
    spoil(cut_off(tmp_path, "20260301T130000Z-smoke-000000"))

    with pytest.raises(NotResumable, match=why):
        unfinished_run(tmp_path, SMOKE)


def test_a_run_that_goes_on_elsewhere_is_left_alone(tmp_path: Path):
    directory = RunDirectory(cut_off(tmp_path, "20260301T120000Z-smoke-ffffff"))
    held = directory.claim(directory.path)
    assert held is not None

    with pytest.raises(NotResumable, match="still going on"):
        unfinished_run(tmp_path, SMOKE)
    directory.release(held)


@pytest.mark.parametrize("folder", ["runs", "nowhere"])
def test_where_there_is_no_run_of_the_scenario_none_goes_on(folder: str, tmp_path: Path):
    of_another_seed(cut_off(tmp_path / "runs", "20260301T120000Z-smoke-ffffff"))

    with pytest.raises(NotResumable, match=f"{folder}: holds no run of this scenario"):
        unfinished_run(tmp_path / folder, SMOKE)
