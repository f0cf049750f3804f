"""Does `soak certify` tell a target that keeps its promises from one that does not?"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.endtoend.conftest import ROOT, SOAK, environment


def certify(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SOAK, "certify", *words, "--out", tmp_path / "certified"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_target_whose_deletes_come_back_is_failed_by_claim_and_by_oracle(tmp_path: Path):
    fault = ("--set", "target.params.resurrect_ratio=1")
    done = certify(tmp_path, "faulty", *fault, "--duration", "3s", "--kills", "0", "--json")

    assert 11 == done.returncode, done.stderr
    found = {row["name"]: row for row in json.loads(done.stdout)["claims"]}
    assert "fail" == found["a deleted record is gone from get"]["status"]
    assert "pass" == found["a record comes back as it was stored"]["status"]
    loaded = found["answers are right under load"]
    assert "fail" == loaded["status"]
    assert " resurrected; see " in loaded["reason"]


def test_a_target_that_does_not_start_ends_with_14(tmp_path: Path):
    done = certify(tmp_path, "faulty", "--set", "target.params.unavailable=true")

    assert 14 == done.returncode
    assert "target faulty: connection refused" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.soak
@pytest.mark.parametrize("target", ["engine", "memory"])
def test_a_sound_target_passes_and_outlasts_its_kills(tmp_path: Path, target: str):
    done = certify(tmp_path, target, "--duration", "20s", "--kills", "3")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "pass    what was acknowledged outlasts kills: " in done.stdout
    assert " over 3 kills, " in done.stdout
