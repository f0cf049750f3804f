"""Does a target in an environment of its own do what it promises, and can it be soaked there?

`make test` makes the environments of two light ones; `make test-targets` does the same for all.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from soak.conformance.claims import CLAIMS
from soak.result import TargetUnavailable
from soak.scenario import Target
from soak.targets._packages import ENVIRONMENTS
from tests.programs import required
from tests.source_tree import ROOT
from tests.targets.test_contract import begun

LIGHT = ("qdrant", "sqlite_vec")


def own_python(name: str) -> str:
    own = ENVIRONMENTS / name
    is_ready = (own / ".ready").is_file()
    return required(own / "bin" / "python" if is_ready else None, f"make target-{name}")


def require_passes(python: str, name: str, file: str) -> None:
    """The tests of that file, run where the target's packages are."""
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ended = subprocess.run(
        [*command, f"tests/targets/{file}"],
        cwd=ROOT,
        env=os.environ | {"SOAK_CONTRACT": name},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == ended.returncode, ended.stdout[-3000:]
    assert " passed" in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", LIGHT)
def test_contract_suite_passes_in_its_own_environment(name):
    require_passes(own_python(name), name, "test_contract.py")


@pytest.mark.slow
def test_qdrant_by_url_passes_in_its_own_environment():
    require_passes(own_python("qdrant"), "qdrant", "test_qdrant.py")


@pytest.mark.slow
def test_a_soak_drives_the_system_of_the_other_environment(tmp_path: Path):
    own_python("sqlite_vec")
    soak = Path(sys.executable).with_name("soak")
    command = [soak, "run", "configs/peers.yaml", "--target", "sqlite_vec", "--duration", "10s"]
    command += ["--set", "population.preload=100", "--listen", "127.0.0.1:0", "--out", tmp_path]
    subprocess.run([*command, "--plain"], cwd=ROOT, capture_output=True, check=False)
    report = json.loads(next(tmp_path.glob("*/report.json")).read_text())
    outcomes = [figures["outcomes"] for figures in report["operations"].values()]

    assert "sqlite_vec" == report["target"]
    assert sum(one["ok"] for one in outcomes) > 50
    assert 0 == sum(one["wrong"] + one["error"] for one in outcomes)


@pytest.mark.parametrize(("ci", "raised"), [("", pytest.skip.Exception), ("1", TargetUnavailable)])
def test_what_cannot_start_here_is_skipped_but_fails_in_ci(ci, raised, monkeypatch, tmp_path):
    monkeypatch.setenv("CI", ci)
    down = Target(name="faulty", params={"unavailable": True})

    with pytest.raises(raised, match="connection refused"):
        begun(down, CLAIMS[0], tmp_path)
