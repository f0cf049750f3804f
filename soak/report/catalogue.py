"""Which runs are there? An index over run directories, which are the truth: it may always be lost.

`index.sqlite` beside the run directories holds a row per run, with the size and time of the report
it was read from; a run whose report changed is read again, a run that is gone is dropped. Without
it, or where it is damaged or cannot be written, the reports are read, and the answer is the same.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from soak.report.document import as_section
from soak.report.figures import number
from soak.rundir import RunDirectory

INDEX = "index.sqlite"
# A row of another layout is of no use: the table is then made anew.
LAYOUT = 1
NO_VERDICT = "no verdict yet: running, or ended without one"
DAMAGED = "no verdict: its report.json is damaged; `soak show` tells what the other files know"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run. started: ISO 8601 in UTC, empty where no report tells; status: empty likewise."""

    name: str
    scenario: str = ""
    target: str = ""
    seed: int = 0
    started: str = ""
    duration_s: float = 0.0
    state: str = ""
    status: str = ""
    exit_code: int = -1
    reason: str = NO_VERDICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs to list: empty is any. since: ISO 8601; last: the newest so many, 0 is all."""

    scenario: str = ""
    target: str = ""
    status: str = ""
    since: str = ""
    last: int = 0


COLUMNS = tuple(field.name for field in fields(RunSummary))


def runs(out: Path, wanted: Wanted | None = None) -> list[RunSummary]:
    """The runs below out that are wanted, oldest first."""
    wanted = wanted or Wanted()
    found = [summary for summary in _all(out) if _is_wanted(summary, wanted)]
    return found[-wanted.last :] if wanted.last else found


def as_json(out: Path, summary: RunSummary) -> dict[str, object]:
    """A summary as `soak list runs --json` has it."""
    row = asdict(summary)
    name = row.pop("name")
    return {"name": str(out / name), "what": what(summary), "run_id": name, **row}


def what(summary: RunSummary) -> str:
    """The verdict of a finished run; what is missing of another."""
    return f"{summary.status}: {summary.reason}" if summary.status else summary.reason


def _is_wanted(summary: RunSummary, wanted: Wanted) -> bool:
    names = ("scenario", "target", "status")
    is_kind = all(getattr(wanted, n) in ("", getattr(summary, n)) for n in names)
    return is_kind and (not wanted.since or summary.started >= wanted.since)


def _all(out: Path) -> list[RunSummary]:
    found = [RunDirectory(path.parent) for path in sorted(out.glob("*/scenario.yaml"))]
    if not found:
        return []
    try:
        with closing(_opened(out / INDEX)) as index:
            return _through_index(index, found)
    except sqlite3.Error:
        # Damaged, locked or read-only: the directories answer, and a damaged file is made anew.
        _drop_damaged(out / INDEX)
        return [_read(directory) for directory in found]


def _through_index(index: sqlite3.Connection, directories: list[RunDirectory]) -> list[RunSummary]:
    known = {row[0]: row for row in index.execute("SELECT * FROM runs")}
    names = {directory.run_id for directory in directories}
    summaries = []
    with index:
        for directory in directories:
            stamp = _stamp(directory)
            row = known.get(directory.run_id)
            if row is None or row[-1] != stamp:
                summary = _read(directory)
                places = ",".join("?" * (len(COLUMNS) + 1))
                values = (*astuple(summary), stamp)
                index.execute(f"INSERT OR REPLACE INTO runs VALUES ({places})", values)
            else:
                summary = RunSummary(**dict(zip(COLUMNS, row[:-1], strict=True)))
            summaries.append(summary)
        gone = [(name,) for name in known if name not in names]
        index.executemany("DELETE FROM runs WHERE name = ?", gone)
    return summaries


def _opened(path: Path) -> sqlite3.Connection:
    index = sqlite3.connect(path, timeout=2.0)
    if index.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
        index.execute("DROP TABLE IF EXISTS runs")
        columns = ", ".join([f"{COLUMNS[0]} PRIMARY KEY", *COLUMNS[1:], "stamp"])
        index.execute(f"CREATE TABLE runs ({columns})")
        index.execute(f"PRAGMA user_version = {LAYOUT}")
    return index


def _drop_damaged(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path, timeout=2.0)) as index:
            index.execute("PRAGMA quick_check").fetchall()
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError):
            path.unlink(missing_ok=True)


def _stamp(directory: RunDirectory) -> str:
    """What changes when the report does; empty without one."""
    try:
        seen = directory.report.stat()
    except FileNotFoundError:
        return ""
    return f"{seen.st_size} {seen.st_mtime_ns}"


def _read(directory: RunDirectory) -> RunSummary:
    documents = list(_documents(directory))
    if not documents:
        reason = DAMAGED if directory.report.exists() else NO_VERDICT
        return RunSummary(name=directory.run_id, reason=reason)
    document = documents[0]
    verdict = as_section(document.get("verdict"))
    code, seed = verdict.get("exit_code"), document.get("seed")
    duration_s = number(document.get("duration_s"))
    return RunSummary(
        name=directory.run_id,
        scenario=str(document.get("scenario") or ""),
        target=str(document.get("target") or ""),
        seed=seed if isinstance(seed, int) and abs(seed) < 1 << 63 else 0,
        started=str(document.get("started") or ""),
        duration_s=duration_s if duration_s == duration_s else 0.0,
        state=str(document.get("state") or ""),
        status=str(verdict.get("status") or ""),
        exit_code=code if isinstance(code, int) and abs(code) < 256 else -1,
        reason=str(verdict.get("reason") or ""),
    )


def _documents(directory: RunDirectory) -> Iterator[dict[str, object]]:
    """The report, where it is one."""
    if not directory.report.exists():
        return
    try:
        document = json.loads(directory.report.read_bytes())
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(document, dict):
        yield document
