"""How is the record of weeks held in the memory of a day? Neighbours in time are taken together.

Counts add, so totals stay exact; of what is slow the worst stays, so no spike is lost.
"""

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from soak.result import OUTCOMES
from soak.seams import Floats
from soak.snapshot import Event

# A day of nine operations in windows of ten seconds is 78,000 rows, and a row 160 bytes.
MAX_ROWS = 300_000
# Of one kind from one source; and how many of the latest stay as they are.
MAX_EVENTS, LATEST = 5_000, 200
RUNS, LONGEST_S = "together", "together_longest_s"
SUMS = ("count", *OUTCOMES)
Codes = NDArray[np.int64]


class WindowFold:
    """Rows of windows.csv as they come; at most max_rows of them, each of `factor` windows.

    A median becomes the mean by counts; of higher quantiles and maxima the worst stays. All
    operations of the same windows begin and end together.
    """

    def __init__(self, names: Sequence[str], max_rows: int = MAX_ROWS) -> None:
        self._names = tuple(names)
        self._max_rows = max_rows
        self.factor = 1
        self._figures: list[Floats] = []
        # Per row: the window's number, the phase, the operation.
        self._codes: list[Codes] = []
        self._size = 0
        self._window = -1
        self._last = np.full(2, np.nan)  # start and phase of the last row

    def add(self, figures: Floats, phases: Codes, operations: Codes) -> None:
        """figures: shape (n, names); a row is of another window where its start or phase is."""
        if not len(figures):
            return
        starts = np.column_stack([figures[:, self._names.index("start_s")], phases])
        is_next = (np.vstack([self._last, starts[:-1]]) != starts).any(axis=1)
        windows = self._window + np.cumsum(is_next)
        self._window, self._last = int(windows[-1]), starts[-1]
        self._figures.append(figures)
        self._codes.append(np.column_stack([windows, phases, operations]))
        self._size += len(figures)
        if self._size <= self._max_rows:
            return
        self._fold()
        while self._size > self._max_rows // 2:
            self.factor *= 2
            self._fold()

    def rows(self) -> tuple[dict[str, Floats], Codes, Codes]:
        """The figures by name, phases and operations, in order of time."""
        if self.factor > 1:
            self._fold()
        figures, codes = self._joined()
        columns = {name: np.ascontiguousarray(figures[:, i]) for i, name in enumerate(self._names)}
        return columns, codes[:, 1], codes[:, 2]

    def _joined(self) -> tuple[Floats, Codes]:
        if not self._figures:
            return np.empty((0, len(self._names))), np.empty((0, 3), dtype=np.int64)
        figures, codes = np.concatenate(self._figures), np.concatenate(self._codes)
        self._figures, self._codes = [figures], [codes]
        return figures, codes

    def _fold(self) -> None:
        figures, codes = self._joined()
        self._figures, self._codes = [], []
        together = codes[:, 0] // self.factor * (codes[:, 1].max() + 1) + codes[:, 1]
        key = together * (codes[:, 2].max() + 1) + codes[:, 2]
        order = np.argsort(key, kind="stable")
        begins = np.flatnonzero(np.diff(key[order], prepend=-1))
        counts = figures[order, self._names.index("count")]
        folded = np.empty((begins.size, len(self._names)))
        for i, name in enumerate(self._names):
            folded[:, i] = _column(name, figures[order, i], counts, begins)
        together = together[order][begins]
        for name, extreme in (("start_s", np.minimum), ("end_s", np.maximum)):
            edges, i = np.flatnonzero(np.diff(together, prepend=-1)), self._names.index(name)
            lengths = np.diff(np.append(edges, begins.size))
            folded[:, i] = np.repeat(extreme.reduceat(folded[:, i], edges), lengths)
        self._figures, self._codes = [folded], [codes[order][begins]]
        self._size = begins.size


def _column(name: str, values: Floats, counts: Floats, begins: Codes) -> Floats:
    """One figure of the windows that are taken together; nan where none of them knows it."""
    known = np.isfinite(values)
    if name in SUMS:
        return np.add.reduceat(np.where(known, values, 0.0), begins)
    if name.endswith("_p50_s"):
        weights = np.where(known, counts, 0.0)
        total = np.add.reduceat(weights, begins)
        sums = np.add.reduceat(np.where(known, values, 0.0) * weights, begins)
        means: Floats = np.divide(sums, total, out=np.full(total.size, np.nan), where=total > 0)
        return means
    extreme = np.fmin if name == "start_s" else np.fmax
    worst: Floats = extreme.reduceat(values, begins)
    return worst


class EventFold:
    """Events as they come; of a frequent kind neighbours become one, which knows how many it is."""

    def __init__(self, max_events: int = MAX_EVENTS) -> None:
        self._max_events = max_events
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._number = 0

    def add(self, event: Event) -> None:
        kind = self._kinds.setdefault((event.kind, event.source), _Kind(self._max_events))
        kind.add(self._number, event)
        self._number += 1

    def events(self) -> tuple[Event, ...]:
        """In the order in which they, or the first of those taken together, came."""
        numbered = [pair for kind in self._kinds.values() for pair in kind.numbered()]
        return tuple(event for _, event in sorted(numbered, key=lambda pair: pair[0]))


class _Kind:
    """Events of one kind, each with its number."""

    def __init__(self, max_events: int) -> None:
        self._max_events = max_events
        self._factor = 1
        self._old: list[tuple[int, Event]] = []
        self._latest: deque[tuple[int, Event]] = deque()

    def add(self, number: int, event: Event) -> None:
        self._latest.append((number, event))
        if len(self._latest) <= LATEST:
            return
        pair = self._latest.popleft()
        if self._old and runs_of(self._old[-1][1]) < self._factor:
            self._old[-1] = _together(self._old[-1], pair)
        else:
            self._old.append(pair)
        if len(self._old) > self._max_events:
            self._factor *= 2
            odd = self._old[len(self._old) // 2 * 2 :]
            pairs = zip(self._old[::2], self._old[1::2], strict=False)
            self._old = [*(_together(one, other) for one, other in pairs), *odd]

    def numbered(self) -> Iterator[tuple[int, Event]]:
        yield from self._old
        yield from self._latest


def runs_of(event: Event) -> int:
    """How many events it stands for."""
    runs = event.details.get(RUNS)
    return runs if isinstance(runs, int) else 1


def longest_s(event: Event) -> float:
    """The longest of those it stands for."""
    longest = event.details.get(LONGEST_S)
    return longest if isinstance(longest, float) else event.duration_s


def _together(one: tuple[int, Event], other: tuple[int, Event]) -> tuple[int, Event]:
    (number, first), (_, second) = one, other
    details = {**first.details, RUNS: runs_of(first) + runs_of(second)}
    details[LONGEST_S] = max(longest_s(first), longest_s(second))
    for name in ("records", "bytes_reclaimed", "longest_pause_s"):
        told = [event.details[name] for event in (first, second) if name in event.details]
        known = [value for value in told if isinstance(value, int | float)]
        if known:
            details[name] = max(known) if name == "longest_pause_s" else sum(known)
    return number, Event(
        time_s=first.time_s,
        wall_time=first.wall_time,
        kind=first.kind,
        source=first.source,
        duration_s=first.duration_s + second.duration_s,
        details=details,
    )
