import re
import subprocess
import sys

import pytest

from tests.engine.crash import STEPS


def run(*arguments: str) -> tuple[int, int]:
    """(processes killed, acknowledged writes checked); the runner exits 1 on a contradiction."""
    command = [sys.executable, "-m", "tests.engine.crash", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert (0, "") == (ended.returncode, ended.stderr), ended.stdout
    print(ended.stdout)  # noqa: T201 - the figures are the proof
    killed, checked = re.search(r"(\d+) killed, (\d+) acknowledged", ended.stdout).groups()
    return int(killed), int(checked)


@pytest.mark.slow
def test_no_kill_at_any_moment_loses_or_revives_a_record() -> None:
    killed, checked = run("--cycles", "300", "--seed", "1")

    assert killed > 200
    assert checked > 300


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_no_kill_at_a_named_step_loses_or_revives_a_record(step: str) -> None:
    killed, checked = run("--cycles", "25", "--seed", "2", "--step", step)

    assert killed >= 20
    # A step that comes hundreds of times is waited for so long; the first of a session is not.
    assert checked > (1_000 if STEPS[step] > 1 else 20)
