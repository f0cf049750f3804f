"""Does a run survive a hundred kills at random moments? As `make crash-resume`, four at a time."""

import subprocess
import sys

import pytest

from tests.endtoend.conftest import ROOT

KILLS = 25


@pytest.mark.slow
def test_runs_that_are_killed_a_hundred_times_answer_every_operation_once():
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.endtoend.killed", "--kills", f"{KILLS}", "--seed", seed],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for seed in ("2", "3", "4", "5")
    ]

    said = [process.communicate(timeout=600)[0] for process in running]

    assert [0, 0, 0, 0] == [process.returncode for process in running], "\n".join(said)
    assert all(f": {KILLS} kills; " in words for words in said)
