"""What is known of one operation? Its row of operations.csv, or its slot in the ring of a live or
crashed run, with what was said of it, what went on meanwhile, and the checks it concerns.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from soak.clock import NS_PER_S, iso_utc
from soak.load.slots import (
    BYTES_PER_SLOT,
    CLOSED,
    HEADER_BYTES,
    LAYOUT,
    MAGIC,
    SLOTS_WORD,
    T0_WORD,
    Slots,
    slots_of,
)
from soak.report.document import Document, as_rows, event_row
from soak.report.journal import Line, parse
from soak.report.record import RunError, RunRecord
from soak.result import OPERATIONS, OUTCOMES, VIOLATIONS
from soak.rundir import RunDirectory
from soak.snapshot import Event

NEAR_S = 1.0  # what is seen from outside is known to a sample's time
MOST_EVENTS = 20
MOST_NAMED = 3
_NOT_JUDGED = {"status": "unknown", "reason": "not judged yet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation; times in ns since time zero, None where it has not come so far.

    detail: a violation's place or an error's class, as in its slot's code. slowest_by: latency,
    service or lateness, where it was the slowest of its kind for a while.
    """

    index: int
    name: str
    phase: str
    key: int
    due_ns: int | None
    start_ns: int | None
    end_ns: int | None
    outcome: str
    detail: int = 0
    is_idle: bool = False
    slowest_by: tuple[str, ...] = ()


def operation_document(record: RunRecord, index: int) -> Document:
    """All that is known of it, as JSON can say it. Raises RunError where nothing is."""
    directory = RunDirectory(record.directory)
    kept = {found.index: found for found in _kept(directory.operations)}
    slots = _slots(directory.ring)
    found = kept.get(index) or (_in_ring(slots, index, record) if slots else None)
    if found is None:
        raise RunError(_absent(record.directory, index, list(kept.values())))
    origin_ns = slots.header[T0_WORD] if slots else None
    return {
        "run_id": record.document.get("run_id"),
        "id": found.index,
        "operation": found.name,
        "phase": found.phase,
        "key": found.key,
        "due": _wall(found.due_ns, record.events),
        "due_s": _since(0, found.due_ns),
        "sent_s": _since(0, found.start_ns),
        "finished_s": _since(0, found.end_ns),
        "latency_s": _since(found.due_ns, found.end_ns),
        "service_s": _since(found.start_ns, found.end_ns),
        "lateness_s": _since(found.due_ns, found.start_ns),
        "client_waited": found.is_idle,
        "outcome": found.outcome,
        "detail": _detail(directory, found, origin_ns),
        "slowest_by": list(found.slowest_by),
        "checks": _checks(record, found),
        "meanwhile": [event_row(event) for event in _meanwhile(record.events, found)],
    }


def _kept(path: Path) -> Iterator[Operation]:
    """The rows of operations.csv that can be read; a later row of an id says no less."""
    if not path.is_file():
        return
    with path.open(newline="", errors="replace") as file:
        for row in csv.DictReader(line for line in file if "\0" not in line):
            try:
                yield Operation(
                    index=int(row["id"]),
                    name=row["operation"],
                    phase=row["phase"],
                    key=int(row["key"]),
                    due_ns=int(row["due_ns"]),
                    start_ns=int(row["start_ns"]),
                    end_ns=int(row["end_ns"]),
                    outcome=row["outcome"],
                    detail=int(row["detail"]),
                    is_idle=row["is_idle"] == "1",
                    slowest_by=tuple(row["slowest_by"].split()),
                )
            except (KeyError, TypeError, ValueError, AttributeError):
                continue  # torn, or of a tester of another version


def _slots(path: Path) -> Slots | None:
    """The ring as the file holds it now; None where it is gone or of another version."""
    content = path.read_bytes() if path.is_file() else b""
    if len(content) < HEADER_BYTES:
        return None
    word = memoryview(content)[:HEADER_BYTES].cast("q")
    count = word[SLOTS_WORD]
    if (word[0], word[1]) != (MAGIC, LAYOUT):
        return None
    if len(content) != HEADER_BYTES + BYTES_PER_SLOT * count:
        return None
    return slots_of(memoryview(content), count)


def _in_ring(slots: Slots, index: int, record: RunRecord) -> Operation | None:
    """What has not been drained yet: in the target, or waiting for its time."""
    slot = index & slots.mask
    tag, code = slots.tag[slot], slots.tag[slot] & 255
    if tag >> 16 != index or code >= len(OPERATIONS):
        return None
    origin_ns, due_ns = slots.header[T0_WORD], slots.due[slot]
    start_ns = abs(slots.start[slot])
    phases = [str(row.get("name")) for row in as_rows(record.plan.get("phases"))]
    phase = tag >> 8 & 255
    return Operation(
        index=index,
        name=OPERATIONS[code],
        phase=phases[phase] if phase < len(phases) else str(phase),
        key=slots.argument[slot],
        due_ns=None if due_ns >= CLOSED else due_ns - origin_ns,
        start_ns=start_ns - origin_ns if start_ns else None,
        end_ns=None,
        outcome="in the target" if start_ns else "not sent",
        is_idle=slots.start[slot] < 0,
    )


def _absent(directory: Path, index: int, kept: Sequence[Operation]) -> str:
    slowest = sorted(kept, key=_latency_ns, reverse=True)
    such = ", ".join(str(found.index) for found in slowest[:MOST_NAMED])
    hint = f"; the slowest of all are {such}" if such else "; there are none yet"
    return (
        f"{directory}: operation {index} is not on record; a run keeps the slowest of each kind "
        f"in each window and those that failed (operations.csv){hint}"
    )


def _latency_ns(found: Operation) -> int:
    return (found.end_ns or 0) - (found.due_ns or 0)


def _since(from_ns: int | None, to_ns: int | None) -> float | None:
    return None if from_ns is None or to_ns is None else (to_ns - from_ns) / NS_PER_S


def _wall(due_ns: int | None, events: Sequence[Event]) -> str | None:
    """The time of day, from the last event before it: each carries both clocks, and where a run
    went on after a gap the one has moved against the other."""
    timed = [event for event in events if event.wall_time]
    if due_ns is None or not timed:
        return None
    due_s = due_ns / NS_PER_S
    before = [event for event in timed if event.time_s <= due_s]
    beside = before[-1] if before else timed[0]
    return iso_utc(beside.wall_time + due_s - beside.time_s)


def _detail(directory: RunDirectory, found: Operation, origin_ns: int | None) -> str:
    """What the worker said of it: the broken promise, or the first error of its class."""
    if found.outcome == "error":
        for line in _said(directory.worker_log, "error_class"):
            if line.get("index") == found.detail:
                return f"{line.get('type')}; the first of them said: {line.get('text')}"
    if found.outcome == "wrong" and 0 < found.detail <= len(VIOLATIONS):
        broken = str(VIOLATIONS[found.detail - 1])
        start_ns = (origin_ns or 0) + (found.start_ns or 0)
        for line in _said(directory.worker_log, "violation"):
            if (line.get("operation"), line.get("start_ns")) == (found.name, start_ns):
                return f"{broken}: {line.get('note')}"
        return broken
    return ""


def _said(path: Path, kind: str) -> Iterator[Line]:
    """The worker's lines of one kind that can be read; the last one may be torn."""
    if not path.is_file():
        return
    wanted = f'"{kind}"'.encode()
    with path.open("rb") as file:
        lines = (parse(text) for text in file if wanted in text[:80])
        yield from (line for line in lines if line is not None)


def _checks(record: RunRecord, found: Operation) -> list[Document]:
    """Those of the scenario that this operation had a part in, and how they stand."""
    said = {row.get("name"): row for row in as_rows(record.document.get("checks"))}
    rows: list[Document] = []
    for check in as_rows(record.plan.get("checks")):
        params = check.get("params")
        about = params if isinstance(params, Mapping) else {}
        if _concerns(str(check.get("detector")), about, found):
            judged = said.get(check.get("name"), _NOT_JUDGED)
            rows.append(
                {
                    **{key: check.get(key) for key in ("name", "detector")},
                    **{key: judged.get(key) for key in ("status", "reason", "threshold", "unit")},
                }
            )
    return rows


def _concerns(detector: str, params: Line, found: Operation) -> bool:
    total = str(params.get("total", ""))
    if params.get("operation") == found.name:
        return True
    if found.outcome == "wrong":
        return detector == "never" or "wrong" in total
    return found.outcome in OUTCOMES[3:] and ("error" in total or found.outcome in total)


def _meanwhile(events: Sequence[Event], found: Operation) -> list[Event]:
    """What happened from when it was due to its answer; the first MOST_EVENTS."""
    if found.due_ns is None:
        return []
    due_s = found.due_ns / NS_PER_S - NEAR_S
    end_s = float("inf") if found.end_ns is None else found.end_ns / NS_PER_S + NEAR_S
    near = [e for e in events if e.time_s <= end_s and e.time_s + e.duration_s >= due_s]
    return [event for event in near if event.kind != "phase"][:MOST_EVENTS]
