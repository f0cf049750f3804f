"""What became of a run? Its directory read back, whether it finished, runs on or crashed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soak.clock import Clock, SystemClock
from soak.report.document import as_section
from soak.report.journal import Journal, WindowRows, read
from soak.report.recovered import elapsed, recover
from soak.rundir import RunDirectory
from soak.seams import Floats
from soak.sentences import clock_time
from soak.snapshot import Event
from soak.verdict import ExitCode, Mistake, RunVerdict, Status

# Samples come every second; a directory that was silent for this long has nobody writing it.
SILENT_S = 60.0
ALIVE = ("starting", "running", "stopping")
ALWAYS = ("run_id", "scenario", "target", "duration_s", "verdict", "certificate", "operations")


class RunError(Mistake):
    """The directory is not a run; the message says what was looked for and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run. document: report.json, or what can be said without it; notes: what is missing.

    comparison: with the baseline of --baseline; empty without one.
    """

    directory: Path
    document: Mapping[str, Any]
    windows: WindowRows
    samples: Mapping[str, Floats]
    events: tuple[Event, ...]
    worker: tuple[Mapping[str, object], ...]
    scenario: str
    plan: Mapping[str, object]
    notes: tuple[str, ...]
    comparison: Mapping[str, object] = field(default_factory=dict)

    @property
    def verdict(self) -> RunVerdict:
        """The document's; unknown (13) where it says none that there is."""
        said = as_section(self.document.get("verdict"))
        status, code = str(said.get("status")), said.get("exit_code")
        return RunVerdict(
            status=Status(status) if status in list(Status) else Status.UNKNOWN,
            exit_code=code if isinstance(code, int) else ExitCode.UNKNOWN,
            reason=str(said.get("reason") or ""),
        )


def load_run(path: Path, clock: Clock | None = None) -> RunRecord:
    """Read a run directory. Raises RunError when it is none."""
    directory = RunDirectory(path.resolve())
    _require_run(path, directory)
    journal = read(directory)
    silent_s = (clock or SystemClock()).wall_s() - _last_written_s(directory)
    return RunRecord(
        directory=directory.path,
        document=_document(journal, directory.run_id, is_alive=silent_s < SILENT_S),
        windows=journal.windows,
        samples=journal.samples,
        events=journal.events,
        worker=journal.worker,
        scenario=journal.scenario,
        plan=journal.plan,
        notes=tuple(_notes(journal)),
        comparison=journal.comparison,
    )


def _require_run(path: Path, directory: RunDirectory) -> None:
    if not path.exists():
        raise RunError(f"{path}: there is no such directory; `soak list runs` shows what there is")
    if not path.is_dir():
        raise RunError(f"{path}: this is a file; pass the run directory it lies in")
    if directory.scenario.exists() or directory.report.exists():
        return
    below = sorted(child.name for child in path.iterdir() if (child / "scenario.yaml").exists())
    hint = f"; it holds runs, pass one of them, such as {path / below[-1]}" if below else ""
    raise RunError(f"{path}: not a run directory, it has no scenario.yaml{hint}")


def _document(journal: Journal, run_id: str, *, is_alive: bool) -> Mapping[str, object]:
    if journal.report is None:
        return recover(journal, run_id, is_alive=is_alive)
    if _lacking(journal.report):
        # What is null there the other files may know.
        known = {name: value for name, value in journal.report.items() if value is not None}
        return {**recover(journal, run_id, is_alive=is_alive), "state": "finished", **known}
    if journal.report.get("state") in ALIVE and not is_alive:
        return {**journal.report, "state": "interrupted"}
    return journal.report


def _lacking(report: Mapping[str, object]) -> list[str]:
    """What a report always says, and this one does not."""
    return [name for name in ALWAYS if report.get(name) is None]


def _last_written_s(directory: RunDirectory) -> float:
    logs = (directory.samples, directory.worker_log, directory.scenario, directory.report)
    return max((path.stat().st_mtime for path in logs if path.exists()), default=0.0)


def _notes(journal: Journal) -> list[str]:
    """What a reader must know about gaps in the record, one sentence each."""
    notes = []
    if journal.report is None:
        notes.append(
            "report.json is missing or damaged: this was put together from the windows, samples, "
            f"events and verdicts up to {clock_time(elapsed(journal))}, and what needs the "
            "end of a run (certificate, leaks, eviction quality) is not in it."
        )
    elif lacking := _lacking(journal.report):
        notes.append(f"report.json says nothing of {', '.join(lacking)}: other files do, if any.")
    if journal.windows.windows_each > 1:
        notes.append(
            f"Up to {journal.windows.windows_each} windows are shown as one: counts are exact, a "
            "median is the mean of theirs, and of higher quantiles the worst one is shown."
        )
    absent = [name for name in journal.missing if name != "report.json"]
    if absent:
        notes.append(f"Missing from the run directory: {', '.join(absent)}.")
    for name, count in sorted(journal.damage.items()):
        lines = "1 line was" if count == 1 else f"{count} lines were"
        notes.append(f"{name}: {lines} torn or damaged and skipped.")
    return notes
