"""Is the image's recipe sound? What can be told without building it; test_image.py builds it."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.deploy.programs import deploy_program

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def copied() -> set[str]:
    """What the Dockerfile takes out of the checkout."""
    found = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return {name for line in found for name in line.split()}


def matches(pattern: str, path: str) -> bool:
    """Docker's rule: `*` stays within a folder, `**` does not; a folder stands for all below it."""
    parts = [re.escape(part).replace(r"\*", "[^/]*") for part in pattern.split("**")]
    text = ".*".join(parts).replace(".*/", "(?:.*/)?")
    return bool(re.fullmatch(f"{text}(?:/.*)?", path))


def is_let_in(path: str) -> bool:
    """What the last line of .dockerignore that matches says; without one, the file is let in."""
    answer = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line.startswith("#") and matches(line.removeprefix("!"), path):
            answer = line.startswith("!")
    return answer


def test_hadolint_has_nothing_to_say():
    command = [deploy_program("hadolint"), ROOT / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stdout)


def test_every_stage_starts_from_the_argument():
    assert {"${PYTHON_IMAGE}"} == set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))


def test_it_ends_as_a_numbered_user_who_is_not_root():
    assert ["10001:10001"] == re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)


def test_what_is_copied_exists_and_is_let_in():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:].split("/*")[0] for line in ignored if line.startswith("!")}
    assert copied() == let_in
    assert [] == [name for name in copied() if not (ROOT / name).exists()]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("configs/steady.yaml", True),
        ("configs/known/redis-defaults.yaml", True),
        ("configs/bench/latency/mixed.yaml", True),
        ("configs/bench/throughput/max_rate.py", True),
        ("dashboards/board.py", True),
        ("soak/report/templates/report.html", True),
        ("soak/__pycache__/cli.pyc", False),
        ("runs/report.json", False),
    ],
)
def test_every_scenario_and_benchmark_reaches_the_image(path: str, expected: bool):
    assert expected == is_let_in(path)


def test_what_the_wheel_holds_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]) <= copied()


def test_the_label_tells_the_version_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert [project["project"]["version"]] == re.findall(r"^ARG VERSION=(.+)$", DOCKERFILE, re.M)


def test_dependencies_are_installed_by_hash():
    installs = re.findall(r"/python install (.+)", DOCKERFILE.replace("\\\n", " "))
    assert ["--require-hashes", "--no-deps"] == [each.split()[0] for each in installs]
