"""Which runs are there? An index over run directories, which are the truth: it may always be lost.

`index.sqlite` beside the run directories holds a row per run, with the size and time of the files
it was read from; a run whose files changed is read again, a run that is gone is dropped. Without
it, or where it is damaged or cannot be written, the files are read, and the answer is the same.

What no report tells, of a run that goes on or crashed, its scenario and its name do.
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from soak.clock import iso_utc
from soak.report.document import as_section
from soak.report.figures import number
from soak.report.journal import plan_of
from soak.rundir import RunDirectory

INDEX = "index.sqlite"
# A row of another layout is of no use: the table is then made anew.
LAYOUT = 2
# As RunDirectory.named makes them.
NAMED = re.compile(r"(\d{8}T\d{6})Z-(.+)-[0-9a-f]{6}")
# What is known of a run before its first operation.
PLANNED = ("scenario", "target", "seed", "started")
NO_VERDICT = "no verdict yet: running, or ended without one"
DAMAGED = "no verdict: its report.json is damaged; `soak show` tells what the other files know"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run; None is what nothing tells. started: ISO 8601 in UTC.

    state, status, exit_code and duration_s are those of its report.
    """

    name: str
    scenario: str | None = None
    target: str | None = None
    seed: int | None = None
    started: str | None = None
    duration_s: float | None = None
    state: str | None = None
    status: str | None = None
    exit_code: int | None = None
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
    return is_kind and (not wanted.since or (summary.started or "") >= wanted.since)


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
    """What changes when the scenario or the report does."""
    stamps = []
    for path in (directory.scenario, directory.report):
        try:
            seen = path.stat()
        except FileNotFoundError:
            continue
        stamps.append(f"{path.name} {seen.st_size} {seen.st_mtime_ns}")
    return ", ".join(stamps)


def _read(directory: RunDirectory) -> RunSummary:
    """Of the report what it tells; the rest of the scenario, and of the name."""
    report = _report(directory)
    verdict = as_section(report.get("verdict"))
    known = {name: report[name] for name in PLANNED if report.get(name) is not None}
    if len(known) < len(PLANNED):
        known = {**_planned(directory), **known}
    code, seed = verdict.get("exit_code"), known["seed"]
    duration_s = number(report.get("duration_s"))
    missing = DAMAGED if directory.report.exists() else NO_VERDICT
    return RunSummary(
        name=directory.run_id,
        scenario=_text(known, "scenario"),
        target=_text(known, "target"),
        seed=seed if isinstance(seed, int) and abs(seed) < 1 << 63 else None,
        started=_text(known, "started"),
        duration_s=duration_s if duration_s == duration_s else None,
        state=_text(report, "state"),
        status=_text(verdict, "status"),
        exit_code=code if isinstance(code, int) and abs(code) < 256 else None,
        reason=_text(verdict, "reason") or ("" if verdict else missing),
    )


def _text(section: Mapping[str, object], key: str) -> str | None:
    return str(section.get(key) or "") or None


def _report(directory: RunDirectory) -> Mapping[str, object]:
    """The report, where it is one; empty otherwise."""
    try:
        return as_section(json.loads(directory.report.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}


def _planned(directory: RunDirectory) -> Mapping[str, object]:
    """The figures of PLANNED, without a report."""
    try:
        plan = plan_of(directory.scenario)
    except OSError:
        plan = {}
    target, named = plan.get("target"), NAMED.fullmatch(directory.run_id)
    return {
        "scenario": plan.get("name") or (named and named[2]),
        "target": target.get("name") if isinstance(target, Mapping) else target,
        "seed": plan.get("seed"),
        "started": named and _moment(named[1]),
    }


def _moment(stamp: str) -> str | None:
    try:
        return iso_utc(datetime.strptime(stamp, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
