import re
import subprocess
import sys

import pytest

from tests.engine.crash import STEPS


def run(*arguments: str) -> tuple[int, str]:
    """(processes killed, what was printed); the runner exits 1 on a contradiction."""
    command = [sys.executable, "-m", "tests.engine.crash", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    print(ended.stdout)  # noqa: T201 - the figures are the proof
    return int(re.search(r"(\d+) killed", ended.stdout)[1]), ended.stderr


@pytest.mark.slow
def test_no_kill_at_any_moment_loses_or_revives_a_record() -> None:
    killed, errors = run("--cycles", "300", "--seed", "1")

    assert killed > 200
    assert "" == errors


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_no_kill_at_a_named_step_loses_or_revives_a_record(step: str) -> None:
    killed, errors = run("--cycles", "25", "--seed", "2", "--step", step)

    assert killed >= 20
    assert "" == errors
