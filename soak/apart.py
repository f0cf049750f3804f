"""How does a program make a run? As `soak run` in a process of its own.

Nothing is left for the next one, and none of the program's memory is taken for the tester's.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_COMMAND = (sys.executable, "-c", "from soak.cli import main; main()")
# What the plain view says first, before the load begins.
_FIRST_WORDS = re.compile(r"^soak (\d{8}T\d{6}Z-\S+): .*?(?:, (https?://\S+))?$", re.MULTILINE)
# All others that begin so stand for a flag of `soak run`, and would hold for every run alike.
_NO_FLAGS = ("SOAK_LOG", "SOAK_TIME_SCALE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """exit_code is None where it was killed, having taken too long; directory where it never began.
    said: its words on stderr."""

    exit_code: int | None
    directory: Path | None
    said: str


def run_apart(
    scenario: str, out: Path, flags: Sequence[str], timeout_s: float | None = None
) -> Ended:
    """`soak run` of a scenario file or shipped name, to its end; nothing but the flags counts."""
    command = [*_COMMAND, "run", scenario, "--plain", "--out", str(out), *flags]
    exit_code: int | None = None
    try:
        done = subprocess.run(
            command, env=_kept(), capture_output=True, text=True, check=False, timeout=timeout_s
        )
        exit_code, said = done.returncode, done.stderr
    except subprocess.TimeoutExpired as error:
        # As bytes, whatever was asked for.
        said = bytes(error.stderr or b"").decode(errors="replace")
    run_id, _ = first_words(said)
    is_there = bool(run_id) and (out / run_id).is_dir()
    return Ended(exit_code=exit_code, directory=out / run_id if is_there else None, said=said)


def begin_apart(arguments: Sequence[str], said: Path, held: int) -> subprocess.Popen[bytes]:
    """`soak` with these arguments, begun; it goes on when this program is gone. Raises OSError.

    said: a file at whose end its words go. held: a descriptor that it keeps open until it ends. A
    signal from the terminal does not reach it.
    """
    with said.open("ab") as words:
        return subprocess.Popen(
            [*_COMMAND, *arguments],
            env=_kept(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=words,
            start_new_session=True,
            pass_fds=(held,),
        )


def first_words(said: str) -> tuple[str, str]:
    """The name of the run that said this and the address of its page; empty while unsaid."""
    named = _FIRST_WORDS.search(said)
    return (named[1], named[2] or "") if named else ("", "")


def _kept() -> dict[str, str]:
    """The environment without what stands for a flag."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SOAK_") or name in _NO_FLAGS
    }
