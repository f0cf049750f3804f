"""Does a run find the interpreter that has the target's packages, or say what installs them?"""

import sys
from pathlib import Path

import pytest

from soak.scenario import Target
from soak.targets._packages import NotInstalled, interpreter
from soak.verdict import ExitCode


def own_environment(environments: Path, name: str) -> Path:
    folder = environments / name
    folder.mkdir()
    (folder / ".ready").touch()
    return folder / "bin" / "python"


def test_a_target_without_packages_of_its_own_runs_where_the_tester_does(tmp_path):
    own_environment(tmp_path, "memory")

    assert sys.executable == interpreter(Target(name="memory"), tmp_path)


def test_a_target_with_an_environment_of_its_own_runs_there(tmp_path):
    python = own_environment(tmp_path, "chroma")

    assert str(python) == interpreter(Target(name="chroma"), tmp_path)


def test_the_interpreter_that_a_scenario_names_comes_first(tmp_path):
    own_environment(tmp_path, "chroma")

    assert "/my/python" == interpreter(Target(name="chroma", python="/my/python"), tmp_path)


def test_an_environment_that_was_not_finished_is_not_used(tmp_path):
    own_environment(tmp_path, "chroma").parents[1].joinpath(".ready").unlink()

    with pytest.raises(NotInstalled):
        interpreter(Target(name="chroma"), tmp_path)


def test_where_packages_are_missing_one_line_says_what_installs_them(tmp_path):
    with pytest.raises(NotInstalled) as caught:
        interpreter(Target(name="chroma"), tmp_path)

    assert ExitCode.TARGET == caught.value.exit_code
    assert (
        "target chroma: chromadb not installed; in a checkout: make target-chroma; "
        "elsewhere: pip install 'soak-tester[chroma]'"
    ) == str(caught.value)
