"""A whole command, as a user types it, and what it left behind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOAK = Path(sys.executable).with_name("soak")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A command that ended: its exit code and words, and the directory of its run."""

    code: int
    stdout: str
    stderr: str
    directory: Path

    @property
    def report(self) -> dict[str, Any]:
        return json.loads((self.directory / "report.json").read_text())


def environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1"}


def only_run(out: Path) -> Path:
    (directory,) = [path for path in out.iterdir() if path.is_dir()]
    return directory


def soak(*arguments: str, out: Path, timeout_s: float = 180) -> Finished:
    """`soak ...` with its runs below `out`; `--listen` is a free port unless given."""
    done = subprocess.run(
        [SOAK, *arguments, "--out", str(out)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    directory = only_run(out) if out.is_dir() and any(out.iterdir()) else out
    return Finished(
        code=done.returncode, stdout=done.stdout, stderr=done.stderr, directory=directory
    )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `soak ...` with its runs in tmp_path/runs; it is killed when the test is over."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [SOAK, *arguments, "--out", str(tmp_path / "runs")],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
