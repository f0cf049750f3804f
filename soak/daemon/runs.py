"""How is a run of a schedule begun, found again, and what became of it?

Its process holds the claim on the schedule's folder, through a descriptor that it inherits. So who
comes after a daemon that was killed knows whether the run goes on without it.
"""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soak.apart import begin_apart, first_words
from soak.report.catalogue import RunSummary, Wanted, runs
from soak.report.document import as_section
from soak.rundir import RunDirectory
from soak.verdict import ExitCode, Status

# Of its words while it goes on: a line per event for weeks is a full disk.
MOST_BYTES = 1 << 20
SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Where a run's process left it. reached_bytes: of its windows.csv.

    is_resumable: it has no verdict of its own, and a checkpoint to go on from. is_unbegun: it was
    cut off before its load began, under a daemon before this one.
    """

    run: str
    status: str
    exit_code: int
    reason: str
    comparison: str
    is_resumable: bool
    is_unbegun: bool
    reached_bytes: int


class Runs:
    """The runs of one schedule, and the process of the one that goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._said = folder / "run.stderr"
        self._process: subprocess.Popen[bytes] | None = None

    def clear(self) -> None:
        """Forget the words of the run before. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._said.unlink(missing_ok=True)

    def begin(self, arguments: Sequence[str]) -> int:
        """The process of `soak` with these arguments. Raises OSError or RunDirError."""
        place = RunDirectory(self.folder)
        held = place.claim(self.folder)
        if held is None:
            raise BlockingIOError("another run goes on in its folder")
        try:
            self._process = begin_apart(arguments, self._said, held)
        finally:
            place.release(held)
        return self._process.pid

    def own(self) -> list[int]:
        """Its process, where it is a child of this one."""
        return [self._process.pid] if self._process is not None else []

    def is_going(self) -> bool:
        """Whether a run's process lives, be it of this daemon or of one before."""
        if self._process is not None:
            return self._process.poll() is None
        if not self.folder.is_dir():
            return False
        place = RunDirectory(self.folder)
        held = place.claim(self.folder)
        if held is not None:
            place.release(held)
        return held is None

    def stop(self, pid: int) -> bool:
        """Ask it to end, so that it can go on later; whether there was one to ask.

        pid: 0 where a daemon died before it had noted it.
        """
        pid = pid or self._holder()
        if not pid or not self.is_going():
            return False
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return False  # it ended by itself just now
        return True

    def _holder(self) -> int:
        """The process that holds the claim on the folder; 0 where none is seen."""
        for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
            process, number = descriptor.parents[1], descriptor.name
            try:
                is_here = descriptor.samefile(self.folder)
                if is_here and "FLOCK" in (process / "fdinfo" / number).read_text():
                    return int(process.name)
            except OSError:
                continue  # it ended meanwhile, or belongs to somebody else
        return 0

    def named(self) -> tuple[str, str]:
        """The name of the run and the address of its page; empty before it said them."""
        return first_words(self._words())

    def trim(self) -> None:
        """Forget what it said where that is too much; it goes on saying. Raises OSError."""
        if self._said.exists() and self._said.stat().st_size > MOST_BYTES:
            os.truncate(self._said, 0)

    def latest(self, count: int = SHOWN) -> list[RunSummary]:
        """The newest runs, the newest first."""
        return runs(self.folder, Wanted(last=count))[::-1]

    def end(self, run: str) -> End:
        """What became of the run, now that its process is gone. run: its name, where known."""
        code = self._process.returncode if self._process is not None else None
        self._process = None
        run = run or self.named()[0]
        directory = RunDirectory(self.folder / run)
        known = [each for each in runs(self.folder) if each.name == run and each.state]
        is_cut = not known or known[0].state == "interrupted"
        has_begun = bool(run) and directory.resumable.exists()
        # Where it could not begin, or not go on, it has said why.
        told = known[0] if known and code != ExitCode.USAGE else None
        return End(
            run=run,
            status=(told and told.status) or str(Status.UNKNOWN),
            exit_code=_exit_code(told.exit_code if told else code),
            reason=told.reason if told else self._last_words(),
            comparison="" if is_cut else _comparison(directory),
            is_resumable=is_cut and has_begun,
            is_unbegun=is_cut and not has_begun and code is None,
            reached_bytes=directory.windows.stat().st_size if directory.windows.exists() else 0,
        )

    def _last_words(self) -> str:
        lines = self._words().splitlines()
        said = [line.removeprefix("soak: ") for line in lines if line.strip()]
        return said[-1] if said else "its process ended without a word"

    def _words(self) -> str:
        return self._said.read_text(errors="replace") if self._said.exists() else ""


def _exit_code(code: int | None) -> int:
    """As a shell tells it; unknown where it was not a process of this daemon."""
    if code is None:
        return ExitCode.UNKNOWN
    return code if code >= 0 else 128 - code


def _comparison(directory: RunDirectory) -> str:
    try:
        found = json.loads(directory.comparison.read_bytes())
    except (OSError, ValueError):
        return ""
    return str(as_section(as_section(found).get("verdict")).get("status") or "")
