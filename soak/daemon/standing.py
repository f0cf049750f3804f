"""How does each schedule stand, and what is to be started? All that a daemon keeps beside runs.

daemon.json beside the folders of runs: one object per schedule, replaced whole. What became of a
run is in its directory; here stands what no directory knows.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from soak.daemon.config import Soak
from soak.rundir import RunDirectory
from soak.verdict import Mistake, Status

FILE = "daemon.json"
SCHEMA_VERSION = 1
NO_COUNTS: Mapping[str, int] = {str(status): 0 for status in Status}


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A run that goes on. pid: 0 until its process is known; run, url: empty until it said them.

    since_s: the standing's before it was begun.
    reached_bytes: how much of windows.csv there was when it was last resumed, -1 before: a run that
    gets no further is not resumed for ever.
    """

    scenario: str
    target: str
    since_s: float
    pid: int = 0
    run: str = ""
    url: str = ""
    reached_bytes: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. run: its directory's name, empty where it never had one.

    comparison: the status against its baseline, empty where there was none to compare with.
    """

    run: str
    status: str
    exit_code: int
    reason: str
    ended_s: float
    comparison: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One schedule. since_s: its times up to then are dealt with; counts: ended runs by status."""

    since_s: float
    going: Going | None = None
    last: Outcome | None = None
    counts: Mapping[str, int] = field(default_factory=lambda: dict(NO_COUNTS))


def due_s(soak: Soak, standing: Standing, now_s: float) -> float:
    """When it is, or was, due next. However many times were missed since, they are one."""
    # A clock that was put back must not silence a schedule until it has caught up.
    return soak.times.after(min(standing.since_s, now_s))


def startable(soaks: Iterable[Soak], standings: Mapping[str, Standing], now_s: float) -> list[Soak]:
    """What is to be started now: what is due, the longest first, one at a time per target."""
    busy = {standing.going.target for standing in standings.values() if standing.going}
    free = [soak for soak in soaks if standings[soak.name].going is None]
    waiting = sorted((due_s(soak, standings[soak.name], now_s), i) for i, soak in enumerate(free))
    found = []
    for moment_s, i in waiting:
        if moment_s <= now_s and free[i].target not in busy:
            busy.add(free[i].target)
            found.append(free[i])
    return found


def read(out: Path) -> dict[str, Standing]:
    """What was kept below out, by schedule; nothing at first. Raises Mistake."""
    file = out / FILE
    if not file.exists():
        return {}
    try:
        kept = json.loads(file.read_bytes())["schedules"]
        return {str(name): _standing(tree) for name, tree in kept.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Mistake(
            f"{file}: is damaged ({error}); move it away, and schedules begin anew; "
            "the runs stay where they are"
        ) from error


def write(out: Path, standings: Mapping[str, Standing]) -> None:
    """Keep them. Raises RunDirError."""
    plain = {name: asdict(standing) for name, standing in standings.items()}
    document = {"schema_version": SCHEMA_VERSION, "schedules": plain}
    RunDirectory(out).replace_json(out / FILE, document)


def _standing(tree: Mapping[str, Any]) -> Standing:
    going, last = tree["going"], tree["last"]
    return Standing(
        since_s=float(tree["since_s"]),
        going=Going(**going) if going else None,
        last=Outcome(**last) if last else None,
        counts={**NO_COUNTS, **tree["counts"]},
    )
