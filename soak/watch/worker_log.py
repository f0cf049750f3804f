"""What did the worker say? Its log, followed while it grows and folded into the latest facts."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from soak.state import Tree, put_back, taken

Line: TypeAlias = Mapping[str, object]

# One search's recall is a multiple of 1/k; "first" and "last" mean the average of this many.
RECALL_SPAN = 20
# What targets that forget on their own report by this name in their stats.
EVICTED = "records_evicted_count"
OF_ONE_WORKER = ("ready", "unavailable", "failed", "stopped", "evicted_before_count")


class LogTail:
    """Yields the complete lines that were added since the last look; a torn last line waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offset = 0
        self.damaged_lines = 0

    def new_lines(self) -> Iterator[Line]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self.offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self.offset += len(whole)
        for text in whole.splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                self.damaged_lines += 1
                continue
            if isinstance(line, dict):
                yield line


@dataclass(slots=True)
class WorkerFacts:
    """The newest of everything the worker reports, and bounded sums of the rest.

    stats: what the target says of itself, read at stats_ns on the monotonic clock. preloaded_count:
    records stored before time zero; bare_bytes: what the target's processes held before the first.
    """

    ready: Line | None = None
    unavailable: str = ""
    failed: str = ""
    stopped: bool = False
    stats: dict[str, float] = field(default_factory=dict)
    stats_ns: int = 0
    live_records: float = float("nan")
    error_types: dict[int, str] = field(default_factory=dict)  # at most MAX_ERROR_CLASSES + 1
    counters: dict[str, float] = field(default_factory=dict)
    eviction: dict[str, float] = field(default_factory=dict)
    fidelity: dict[str, float] = field(default_factory=dict)
    hiccup: dict[str, float] = field(default_factory=dict)
    recall_k: int = 0
    recall_samples: int = 0
    recall_told_count: int = 0  # of these, when `new_recall` was last asked
    recall_sum: float = 0.0
    recall_square_sum: float = 0.0
    recall_first: list[float] = field(default_factory=list)  # the first RECALL_SPAN
    capabilities: list[str] = field(default_factory=list)
    preloaded_count: int = 0
    bare_bytes: float = float("nan")
    evicted_count: float = 0.0
    evicted_before_count: float | None = None
    recall_last: deque[float] = field(default_factory=lambda: deque(maxlen=RECALL_SPAN))

    def fold(self, line: Line) -> None:
        """Take one line in; kinds that are events (maintenance, violation) are the caller's."""
        match line.get("kind"):
            case "opened":
                self.bare_bytes = _figure(line.get("bare_bytes"))
            case "preloaded":
                self.preloaded_count = _integer(line.get("stored"))
            case "ready":
                self.ready = line
                said = line.get("capabilities")
                self.capabilities = [str(name) for name in said] if isinstance(said, list) else []
            case "unavailable":
                self.unavailable = str(line.get("reason", ""))
            case "failed":
                self.failed = str(line.get("reason", ""))
            case "stopped":
                self.stopped = True
            case "stats":
                self._fold_stats(line)
                self.stats_ns = _integer(line.get("t_ns"))
                self.live_records = _figure(line.get("live"))
            case "error_class":
                self.error_types[_integer(line.get("index"))] = str(line.get("type"))
            case "counters":
                self.counters = _figures(line)
                self.eviction = _renewed(self.eviction, line, "eviction")
                self.fidelity = _renewed(self.fidelity, line, "fidelity")
            case "hiccup":
                self.hiccup = _figures(line)
            case "recall":
                self._fold_recall(line)
            case _:
                pass

    def state(self) -> Tree:
        names = [name for name in self.__dataclass_fields__ if name not in OF_ONE_WORKER]
        return taken(self, names)

    def restore(self, tree: Tree) -> None:
        put_back(self, tree)

    def forget_worker(self) -> None:
        """Another one begins: it is not ready, and its target counts from its own opening."""
        self.ready = None
        self.unavailable, self.failed, self.stopped = "", "", False
        self.evicted_before_count = None

    def _fold_stats(self, line: Line) -> None:
        """What the target forgot, over all its processes: a count that fell began anew."""
        stats = _renewed(self.stats, line, "values")
        if EVICTED in _figures(line.get("values")):
            if self.evicted_before_count is None:
                is_anew = stats[EVICTED] < self.evicted_count
                self.evicted_before_count = self.evicted_count if is_anew else 0.0
            stats[EVICTED] += self.evicted_before_count
            self.evicted_count = stats[EVICTED]
        self.stats = stats

    def recall_moments(self) -> tuple[float, float]:
        """(mean, standard deviation) of the sampled searches' recall; nan while unknown."""
        n = self.recall_samples
        if n < 2:
            return (self.recall_sum if n else float("nan")), float("nan")
        mean = self.recall_sum / n
        return mean, max(0.0, (self.recall_square_sum - n * mean * mean) / (n - 1)) ** 0.5

    def new_recall(self) -> float:
        """The newest score, once; nan where none came since the last call."""
        seen_count, self.recall_told_count = self.recall_told_count, self.recall_samples
        return self.recall_last[-1] if self.recall_told_count > seen_count else float("nan")

    def _fold_recall(self, line: Line) -> None:
        recall = _figure(line.get("recall"))
        self.recall_k = _integer(line.get("k"))
        if len(self.recall_first) < RECALL_SPAN:
            self.recall_first.append(recall)
        self.recall_sum += recall
        self.recall_square_sum += recall * recall
        self.recall_last.append(recall)
        # Last: the sampling job reads the newest score when it sees another count.
        self.recall_samples += 1


def _figure(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _integer(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _renewed(before: Mapping[str, float], line: Line, name: str) -> dict[str, float]:
    """The figures after that line, which has those that changed, and null for one that is gone."""
    told = line.get(name)
    if line.get("whole") or not isinstance(told, Mapping):
        return _figures(told)
    return {**{k: v for k, v in before.items() if k not in told}, **_figures(told)}


def _figures(value: object) -> dict[str, float]:
    if not isinstance(value, Mapping):
        return {}
    return {str(k): float(v) for k, v in value.items() if isinstance(v, int | float)}
