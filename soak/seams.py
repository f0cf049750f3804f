"""What does a plug-in have to be? The contracts of every plural folder, on one page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from soak.clock import Clock
from soak.verdict import Status

# What a scan read: key and text of each record, or how many where the system hands on no more.
Scanned = Sequence[tuple[int, str]] | int
Floats = NDArray[np.float64]
Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One memory. vector: shape (dimensions,), unit length, float32. importance: 0 to 1."""

    key: int
    agent: int
    text: str
    vector: Vector
    importance: float
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search: the k records nearest to vector by cosine, of one agent or (None) of all."""

    vector: Vector
    k: int
    agent: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer of a search. score: higher is nearer; agent: -1 where the system does not say."""

    key: int
    score: float
    agent: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    source: int
    target: int
    kind: str = "relates"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceEvent:
    """Something the target did to itself, in its own words.

    sequence counts up by one per event; start_ns is on the tester's monotonic clock.
    """

    sequence: int
    kind: str
    start_ns: int
    duration_s: float
    records: int = 0
    bytes_reclaimed: int = 0
    longest_pause_s: float = 0.0
    explicit: bool = False


class Target(Protocol):
    """A system under test. It implements what its capabilities name; methods raise TargetError.

    A method is called by several client threads at once, at most `clients` of the scenario.
    """

    capabilities: frozenset[str]

    def store(self, record: Record) -> None: ...
    def store_batch(self, records: Sequence[Record]) -> None: ...
    def get(self, key: int) -> Record | None: ...
    def search(self, query: Query) -> Sequence[Hit]: ...
    def update(self, record: Record) -> None: ...
    def delete(self, key: int) -> None: ...
    def scan(self, limit: int) -> Scanned:
        """Read at most limit records in the system's own order, the text of each at least.

        Reading the keys alone is no scan.
        """
        ...

    def link(self, edge: Edge) -> None: ...
    def traverse(self, start: int, depth: int) -> Sequence[int]: ...
    def maintain(self) -> None: ...
    def reopen(self) -> None: ...
    def stats(self) -> Mapping[str, float]:
        """What the system says of itself; names end in their unit. Cheap: asked every second.

        Understood of any target: accounted_bytes, used_heap_bytes, tombstones (deleted records that
        still take memory), tombstone_bytes, health_ratio, records_evicted_count, tier_<NAME>_count.
        health_ratio is shown beside the score that every target gets, and is no part of it.
        """
        ...

    def events(self, after: int) -> Sequence[MaintenanceEvent]:
        """Maintenance declared with a sequence number above `after`; empty where it has none."""
        ...

    def may_forget(self) -> bool:
        """True while the system is allowed to drop unpinned records on its own (it is full)."""
        ...

    def count(self) -> int: ...
    def processes(self) -> Sequence[int] | None:
        """Whose resources are the target's; empty means the worker's own process.

        None: processes that nobody here can look into. What needs their figures is unknown.
        """
        ...

    def directories(self) -> Sequence[Path]: ...
    def close(self) -> None: ...


@runtime_checkable
class Tiered(Protocol):
    """What a target with the capability "transition" has beside a Target's own methods."""

    def transition(self, share: float) -> int:
        """Move that share of the uppermost tier to the next one now; how many records moved."""
        ...


class BuildTarget(Protocol):
    """`build` of a module in soak/targets/. Raises TargetUnavailable in the target's own words."""

    def __call__(self, params: object, data_dir: Path, clock: Clock) -> Target: ...


class BuildAgingTarget(Protocol):
    """`build_aging` of a module whose targets age by a clock that can be set, as the scenario's
    target.time_scale asks: what decays, expires or is due does so that many times as fast.
    Durations stay real."""

    def __call__(
        self, params: object, data_dir: Path, clock: Clock, time_scale: float
    ) -> Target: ...


class Arrivals(Protocol):
    """When operations are due, drawn in blocks.

    `due(start_s, count, rng)` returns float64 offsets in seconds since the phase began, strictly
    after start_s, ascending, at most `count` of them; an empty array means: none left in the
    phase. Closed arrivals have `is_open` False and return *waits* after the client became free.
    """

    @property
    def is_open(self) -> bool: ...

    def due(self, start_s: float, count: int, rng: np.random.Generator) -> Floats: ...
    def expected_rate(self, at_s: float) -> float:
        """Operations per second asked for at that offset; nan where the clients decide."""
        ...


class Operation(Protocol):
    """One kind of operation, bound to a target and a population; one object serves all clients.

    The load loop calls prepare (before the operation is due), then call (timed), then check, or
    abandon when call raised. What prepare returns is handed to the other three unchanged.
    check returns a slot code: 0 for good, else `slot_code(...)`. It must not raise for anything
    the target answers.
    """

    capability: str

    def prepare(self, argument: int, phase: int) -> object: ...
    def call(self, request: object) -> object: ...
    def check(self, request: object, answer: object, start_ns: int) -> int: ...
    def abandon(self, request: object) -> None:
        """The call raised: whatever it would have written is in doubt."""
        ...


class Content(Protocol):
    """What memories say: text and vector of a key, derived from key and seed, never stored."""

    dimensions: int

    def text(self, key: int, version: int) -> str: ...
    def vector(self, key: int, version: int) -> Vector: ...
    def query(self, key: int, version: int, variant: int) -> Vector:
        """A fresh unit vector near the key's own; variant picks which of many."""
        ...

    def scores(self, query: Vector, keys: NDArray[np.int64], versions: NDArray[np.int64]) -> Floats:
        """Exact cosines of the query with those keys' vectors, shape (len(keys),)."""
        ...


class Sampler(Protocol):
    """One source of figures, read once a second by the controller from outside.

    `sample()` returns column name to value; raises SampleError, which is counted and marks the
    sampler failed; it never returns a made-up figure.
    """

    def sample(self) -> Mapping[str, float]: ...


class SampleError(Exception):
    """A figure could not be read; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All a detector may look at: columns of equal length up to now, and the run's landmarks.

    columns["t_s"] is strictly increasing; a missing figure is nan. warm_until_s: what came before
    is warm-up. planned_s: how long the run means to be. gaps_s: when it went on after a gap, with
    another process of the target. standstills_s: from when to when the tester itself stood still,
    stopped or frozen; what is late then is not the target's.
    """

    columns: Mapping[str, Floats]
    totals: Mapping[str, float]
    warm_until_s: float
    planned_s: float
    gaps_s: tuple[float, ...] = ()
    standstills_s: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A detector's answer; the judge turns it into a Verdict.

    details: further figures by name with unit, and words, for the report and the metrics.
    """

    status: Status
    reason: str
    effect: float | None = None
    threshold: float | None = None
    unit: str = ""
    since_s: float | None = None
    interval: tuple[float, float] | None = None
    details: Mapping[str, float | str] = field(default_factory=dict)


Detect = Callable[[Evidence, object], Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is being watched; what every sampler's `build` is given.

    pids: the target's processes now (their children are found by the sampler); none where they are
    out of reach. directories: where it keeps its files. reported: what the worker last wrote of the
    target's own stats, and how many seconds ago; an empty mapping means it never wrote any.
    """

    pids: Callable[[], Sequence[int]]
    directories: Callable[[], Sequence[Path]]
    reported: Callable[[], tuple[Mapping[str, float], float]]
    clock: Clock


class BuildSampler(Protocol):
    """`build` of a module in soak/samplers/."""

    def __call__(self, subject: Subject) -> Sampler: ...
