"""Do the options of `soak run` and their twins in the environment mean the same?"""

import os
import subprocess
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from soak.cli import app
from soak.scenario import ScenarioError, load

WRONG = {
    "seed": "-1",
    "rate": "fast",
    "duration": "-5s",
    "target": "nul",
    "listen": "here",
}


def commands(app: typer.Typer, above: str = "soak") -> Iterator[tuple[str, str]]:
    """Every command, and group of commands, with its help as it is written."""
    yield above, str(app.info.help)
    for command in app.registered_commands:
        assert command.callback is not None
        yield f"{above} {command.name or command.callback.__name__}", str(command.callback.__doc__)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, f"{above} {group.name}")


def refused(arguments: list[str], variables: dict[str, str]) -> str:
    result = CliRunner().invoke(app, ["run", "smoke", *arguments], env=variables)
    assert isinstance(result.exception, ScenarioError), result.output
    return str(result.exception)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_option_is_named_as_it_was_given(name: str):
    value = WRONG[name]
    by_flag = refused([f"--{name}", value], {})
    by_variable = refused([], {f"SOAK_{name.upper()}": value})
    assert by_flag.startswith(f"--{name} {value}: ")
    assert by_variable == by_flag.replace(f"--{name} {value}", f"SOAK_{name.upper()}={value}")


def test_a_flag_is_stronger_than_its_variable():
    assert refused(["--rate", "fast"], {"SOAK_RATE": "10"}).startswith("--rate fast: ")


def test_a_run_on_a_cluster_is_not_gone_on_with():
    result = CliRunner().invoke(app, ["run", "smoke", "--cluster", "auto", "--resume"])
    assert "a run on a cluster cannot go on: leave --resume out, or --cluster" == str(
        result.exception
    )


def test_seed_and_listen_change_what_runs():
    chosen = load("smoke", seed="7", listen="[::1]:9464")
    assert (7, "[::1]:9464") == (chosen.seed, chosen.listen)


def test_every_command_shows_an_example():
    without = [name for name, text in commands(app) if "\b\nsoak " not in cleandoc(text)]
    assert [] == without


def test_process_1_of_a_container_is_ended_by_a_signal_before_anything_has_begun(tmp_path: Path):
    scenario = tmp_path / "scenario.yaml"
    os.mkfifo(scenario)
    # As process 1: to others the kernel's default for the signal would do the same, with -15.
    as_first = "import os; os.getpid = lambda: 1; from soak.cli import main; main()"
    command = [sys.executable, "-c", as_first, "check", str(scenario)]
    # What opens it for writing waits for its reader, who then waits for content.
    with subprocess.Popen(command) as process, scenario.open("wb"):
        process.terminate()
        assert 143 == process.wait(30)
