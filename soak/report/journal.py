"""What did a run write down? The files of its directory read back, damage skipped and counted."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from soak.report.csv_lines import BLOCK_LINES, Texts, fields, parsed
from soak.report.folding import EventFold, WindowFold
from soak.result import OUTCOMES
from soak.rundir import RunDirectory
from soak.scenario.yaml_source import read as read_yaml
from soak.seams import Floats
from soak.snapshot import Event

Line = Mapping[str, object]

EVENT_FIELDS = ("time_s", "wall_time", "kind", "source", "duration_s")
TEXT_COLUMNS = ("phase", "operation")
# Without these windows.csv is another file; the other columns may be absent.
WINDOW_COLUMNS = ("start_s", "end_s", "count")
MEASURE_COLUMNS = tuple(
    f"{measure}_{which}_s"
    for measure in ("latency", "service", "lateness")
    for which in ("p50", "p95", "p99", "p999", "max")
)
# Kinds of the worker's log that come every second: nothing here reads them, or the last one alone.
FREQUENT = re.compile(rb'.{0,40}"kind": ?"(stats|recall|hiccup|maintenance|counters)"')
LATEST = b"counters"
MAX_WORKER_LINES = 5_000
LARGEST = 1e11  # seconds: a calendar ends before


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRows:
    """windows.csv as columns of equal length; figures are float64, nan where a field is empty.

    windows_each: how many neighbours were taken together to a row, at most; 1 but in long runs.
    """

    phase: NDArray[np.str_]
    operation: NDArray[np.str_]
    figures: Mapping[str, Floats]
    windows_each: int = 1

    def __len__(self) -> int:
        return len(self.operation)

    def of(self, operation: str) -> dict[str, Floats]:
        """The figures of one operation, in order of time."""
        mine = self.operation == operation
        return {name: values[mine] for name, values in self.figures.items()}

    def operations(self) -> list[str]:
        """Those that were issued, the most frequent first."""
        names = [str(name) for name in np.unique(self.operation)]
        count = self.figures["count"]
        return sorted(names, key=lambda name: -float(count[self.operation == name].sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """All a run directory says. damage: file name to lines that could not be read."""

    windows: WindowRows
    samples: Mapping[str, Floats]
    events: tuple[Event, ...]
    verdicts: tuple[Line, ...]
    worker: tuple[Line, ...]
    counts: Mapping[str, NDArray[np.int64]]  # histograms.npz
    environment: Line
    checkpoint: Line
    report: Line | None
    comparison: Line  # comparison.json
    scenario: str  # scenario.yaml as it stands
    plan: Line  # the same as plain values
    damage: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def read(directory: RunDirectory) -> Journal:
    """Everything readable. A missing file is named in `missing`; nothing here raises for it."""
    damage: dict[str, int] = {}
    paths = (directory.windows, directory.samples, directory.events, directory.verdicts)
    others = (directory.worker_log, directory.environment, directory.report, directory.scenario)
    return Journal(
        windows=_window_rows(directory.windows, damage),
        samples=_samples(directory.samples, damage),
        events=_events(directory.events, damage),
        verdicts=tuple(_lines(directory.verdicts, damage)),
        worker=tuple(_worker_lines(directory.worker_log, damage)),
        counts=_counts(directory.histograms, damage),
        environment=_document(directory.environment, damage) or {},
        checkpoint=_document(directory.checkpoint, damage) or {},
        report=_document(directory.report, damage),
        comparison=_document(directory.comparison, damage) or {},
        scenario=_text(directory.scenario),
        plan=plan_of(directory.scenario),
        damage=damage,
        missing=tuple(path.name for path in (*paths, *others) if not path.is_file()),
    )


def _window_rows(path: Path, damage: dict[str, int]) -> WindowRows:
    header, blocks = _blocks(path, damage, (*TEXT_COLUMNS, *WINDOW_COLUMNS), TEXT_COLUMNS)
    names = [name for name in header if name not in TEXT_COLUMNS]
    fold = WindowFold(names or WINDOW_COLUMNS)
    codes: dict[str, dict[str, int]] = {name: {} for name in TEXT_COLUMNS}
    for texts, figures in blocks:
        coded = [
            np.array([known.setdefault(text, len(known)) for text in column], dtype=np.int64)
            for known, column in zip(codes.values(), texts, strict=True)
        ]
        fold.add(figures, *coded)
    columns, phases, operations = fold.rows()
    return WindowRows(
        phase=np.array(list(codes["phase"]), dtype=np.str_)[phases],
        operation=np.array(list(codes["operation"]), dtype=np.str_)[operations],
        figures=_with_absent(columns),
        windows_each=fold.factor,
    )


def _with_absent(columns: dict[str, Floats]) -> dict[str, Floats]:
    """Nothing but nan where a tester of another version wrote no such column."""
    absent = np.full(len(columns["end_s"]), np.nan)
    return dict.fromkeys((*OUTCOMES, *MEASURE_COLUMNS), absent) | columns


def _samples(path: Path, damage: dict[str, int]) -> dict[str, Floats]:
    """Columns of samples.csv by name; empty arrays under `t_s` when there are none."""
    header, blocks = _blocks(path, damage, ("t_s",))
    parts = [figures for _, figures in blocks]
    names = header or ["t_s"]
    matrix = np.concatenate(parts) if parts else np.empty((0, len(names)))
    return {name: np.ascontiguousarray(matrix[:, i]) for i, name in enumerate(names)}


def _blocks(
    path: Path, damage: dict[str, int], needed: Sequence[str], texts: Sequence[str] = ()
) -> tuple[list[str], Iterator[tuple[Texts, Floats]]]:
    """The header, and the columns below it block by block; nothing where one is missing."""
    lines = _whole_lines(path, damage)
    first = next(lines, None)
    if first is None:
        return [], iter(())
    header = fields(first)
    if not set(needed) <= set(header):
        _count_damage(damage, path, 1 + sum(1 for _ in lines))
        return [], iter(())
    return header, _parsed_blocks(lines, header, texts, path, damage)


def _parsed_blocks(
    lines: Iterator[bytes],
    header: Sequence[str],
    texts: Sequence[str],
    path: Path,
    damage: dict[str, int],
) -> Iterator[tuple[Texts, Floats]]:
    while block := list(islice(lines, BLOCK_LINES)):
        columns, figures, bad_count = parsed(block, header, texts)
        _count_damage(damage, path, bad_count)
        yield columns, figures


def _whole_lines(path: Path, damage: dict[str, int]) -> Iterator[bytes]:
    """The lines that end; a torn last one is counted. Reads as it goes: logs can be long."""
    if not path.is_file():
        if path.exists():
            _count_damage(damage, path)
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line
            else:
                _count_damage(damage, path)


def _lines(path: Path, damage: dict[str, int]) -> Iterator[Line]:
    for line in _whole_lines(path, damage):
        parsed = parse(line)
        if parsed is None:
            _count_damage(damage, path)
        else:
            yield parsed


def _worker_lines(path: Path, damage: dict[str, int]) -> Iterator[Line]:
    """The worker's words but for its steady figures, at most MAX_WORKER_LINES, the first ones; and
    of its counts the last."""
    count, latest = 0, b""
    for line in _whole_lines(path, damage):
        if frequent := FREQUENT.match(line):
            latest = line if frequent[1] == LATEST else latest
            continue
        parsed = parse(line)
        if parsed is None:
            _count_damage(damage, path)
        elif count < MAX_WORKER_LINES:
            count += 1
            yield parsed
    if latest and (counted := parse(latest)) is not None:
        yield counted


def _events(path: Path, damage: dict[str, int]) -> tuple[Event, ...]:
    fold = EventFold()
    for line in _lines(path, damage):
        fold.add(_event(line))
    return fold.events()


def parse(line: bytes) -> Line | None:
    """The object of one line; None where it is not one."""
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _event(line: Line) -> Event:
    details = {
        str(name): value
        for name, value in line.items()
        if name not in EVENT_FIELDS and isinstance(value, float | int | str | bool)
    }
    source = line.get("source")
    return Event(
        time_s=_figure(line.get("time_s")),
        wall_time=_figure(line.get("wall_time")),
        kind=str(line.get("kind", "")),
        source=source if source in ("declared", "injected") else "detected",
        duration_s=max(0.0, _figure(line.get("duration_s"))),
        details=details,
    )


def _figure(value: object) -> float:
    """0 for what is no number, or none that a time can be."""
    if isinstance(value, int | float) and abs(value) < LARGEST:
        return float(value)
    return 0.0


def _counts(path: Path, damage: dict[str, int]) -> dict[str, NDArray[np.int64]]:
    if not path.exists():
        return {}
    try:
        # Opened here, because numpy leaves the file open when the archive is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name], dtype=np.int64) for name in archive.files}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        _count_damage(damage, path)
        return {}


def _document(path: Path, damage: dict[str, int]) -> Line | None:
    """A JSON object in a file of its own; None when it is missing or damaged."""
    if not path.exists():
        return None
    parsed = parse(path.read_bytes()) if path.is_file() else None
    if parsed is None:
        _count_damage(damage, path)
    return parsed


def plan_of(path: Path) -> Line:
    """The values of a scenario, not validated: its plug-ins may not be installed here."""
    tree = read_yaml(path.read_bytes(), path.name).tree if path.is_file() else None
    return tree if isinstance(tree, dict) else {}


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


def _count_damage(damage: dict[str, int], path: Path, count: int = 1) -> None:
    if count:
        damage[path.name] = damage.get(path.name, 0) + count
