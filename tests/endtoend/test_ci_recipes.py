"""Do the commands of docs/ci.md work, in their order, on the main branch and then on another?"""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.endtoend.conftest import ROOT, SOAK, environment

pytestmark = pytest.mark.slow

TEXT = (ROOT / "docs" / "ci.md").read_text()


class Loader(yaml.SafeLoader):
    """GitLab's files have tags of their own."""


Loader.add_constructor("!reference", lambda loader, node: loader.construct_sequence(node))
GITHUB, GITLAB = (
    yaml.load(block, Loader) for block in re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
)
STEPS = {step.get("name"): step for step in GITHUB["jobs"]["gate"]["steps"]}


def shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = f"{SOAK.parent}{os.pathsep}{os.environ['PATH']}"
    summary = {"GITHUB_STEP_SUMMARY": str(cwd / "step.md")}
    listen = {"SOAK_LISTEN": "127.0.0.1:0"}
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=cwd,
        env={**environment(), **summary, **listen, "PATH": path, "DURATION": "9s"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_main_keeps_a_baseline_and_the_next_commit_is_compared_with_it(tmp_path: Path):
    first = shell(STEPS["soak"]["run"], tmp_path)
    assert 0 == first.returncode, first.stderr + first.stdout
    kept = shell(STEPS["baseline"]["run"], tmp_path)
    assert (0, "baselines/main") == (kept.returncode, kept.stdout.strip()), kept.stderr
    (tmp_path / "runs").rename(tmp_path / "runs-of-main")  # the next job has only the cache

    second = shell(STEPS["soak"]["run"], tmp_path)
    # Nine seconds of a crowded machine may not be enough to tell, and that is what it says then.
    assert second.returncode in (0, 10, 13), second.stderr + second.stdout
    reported = shell(STEPS["reports"]["run"], tmp_path)
    assert 0 == reported.returncode, reported.stderr
    assert 'name="baseline"' in (tmp_path / "junit.xml").read_text()
    assert "Run `" in (tmp_path / "step.md").read_text()


def test_only_the_main_branch_writes_the_baseline():
    writing = [step for step in GITHUB["jobs"]["gate"]["steps"] if "cache/save" in str(step)]
    conditions = {step["if"] for step in [*writing, STEPS["baseline"]]}

    assert {"github.ref == 'refs/heads/main'"} == conditions
    assert ("pull", "pull-push") == tuple(
        GITLAB[job]["cache"]["policy"] for job in ("gate", "baseline")
    )


def test_gitlab_runs_the_same_command():
    (run,) = [line for line in GITLAB[".soak"]["script"] if line.startswith("soak run")]

    assert run in STEPS["soak"]["run"]
    assert STEPS["baseline"]["run"] in GITLAB["baseline"]["script"]
