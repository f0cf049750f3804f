"""Does every command that the README shows work, and does every file it names exist?"""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.endtoend.conftest import ROOT, SOAK, Finished, soak

README = (ROOT / "README.md").read_text()
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, flags=re.S))
LINES = [line.split("#")[0].strip() for line in SHELL.splitlines()]
RUNS = [line for line in LINES if line.startswith("soak run")]
OTHERS = [line for line in LINES if line.startswith("soak ") and line not in RUNS]
MAKES = [line for line in LINES if line.startswith("make ")]
SHORT = ("--duration", "2s", "--plain", "--listen", "127.0.0.1:0")
# Too short to decide everything; what counts is that the command runs to its verdict.
DECIDED = {0, 10, 13}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return soak("run", "smoke", *SHORT, out=tmp_path_factory.mktemp("readme") / "runs")


@pytest.mark.parametrize("line", RUNS)
def test_a_run_that_is_shown_runs(line: str, tmp_path: Path):
    done = soak(*shlex.split(line)[1:], *SHORT, out=tmp_path / "runs")
    assert done.code in DECIDED, done.stderr
    assert (done.directory / "report.html").is_file()


@pytest.mark.parametrize("line", OTHERS)
def test_a_command_that_is_shown_works(line: str, finished: Finished, tmp_path: Path):
    words = [str(finished.directory) if word == "runs/RUN" else word for word in shlex.split(line)]
    words = [str(tmp_path / w) if w.endswith((".md", ".xml")) else w for w in words]
    command = [str(SOAK), *words[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("line", MAKES)
def test_a_make_target_that_is_shown_exists(line: str):
    done = subprocess.run(
        ["make", "-n", *shlex.split(line)[1:]], cwd=ROOT, capture_output=True, check=False
    )
    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_a_file_that_is_linked_exists(path: str):
    assert (ROOT / path).exists()


def test_the_message_that_is_shown_is_the_message(tmp_path: Path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("phases:\n  - name: steady\n    duration: 5s\n    mix: {store: 1, serach: 1}\n")
    done = soak("run", str(bad), out=tmp_path / "runs")
    assert 2 == done.code
    shown = next(line for line in README.splitlines() if line.startswith("bad.yaml:4"))
    said = next(line for line in done.stderr.splitlines() if "bad.yaml:4" in line)
    for part in shown.split("..."):
        assert part.strip().removeprefix("bad.yaml:4:").strip() in said
