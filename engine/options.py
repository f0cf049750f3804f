"""What can be chosen when an engine is opened?"""

from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal

from engine.errors import BadInputError

Durability = Literal["always", "interval", "never"]
MIB = 1 << 20
# Room is taken in advance so that a sync need not journal a new size.
_STEP_BYTES = MIB
_STEPS_OF_DISK = 64
# Address space is reserved for twice as much.
_TIER_BYTES_MAX = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All limits and policies, with their defaults. Raises BadInputError on a value out of range.

    dimensions        length of every vector, 1..4096; part of the files, cannot change later
    capacity_records  hard limit of live records; at the limit stores evict
    capacity_bytes    hard limit of accounted RAM: tiers are given up, then records evicted; None:
                      only capacity_records counts
    disk_bytes        hard limit of the directory, but for `access` (20 bytes for each record that
                      was read); None: until the disk is full
    durability        always: acknowledged means synced; interval: synced within interval_s;
                      never: the operating system decides (survives a killed process, not the power)
    half_life_s       after this long without access a record is worth half
    ttl_s             older records expire; None: never
    soft_ratio        of a hard limit of records or bytes: background eviction starts
    target_ratio      of a hard limit: eviction stops
    agent_records     hard limit of live records per agent, with the same ratios (rounded up to
                      whole records); pinned ones count, and may alone exceed it; None: none
    short_term_records, short_term_bytes   soft limits of what is kept whole in RAM: from there
                      (an eighth more in the background) the oldest are demoted; twice is the hard
                      limit, at which stores demote
    short_term_s      after this long a short-term record is compressed
    intermediate_bytes   hard limit of compressed payloads in RAM: younger ones take the place of
                      the oldest
    consolidate_similarity   cosine from which records of one agent are merged; None: never
    garbage_ratio     share of dead bytes from which a segment is compacted
    idle_garbage_ratio   the same when nothing has been written for a second, and in maintain()
    ballast_bytes     file given up when the disk is full, to have room for compaction; None: a
                      segment
    maintenance       run the background thread; without it call maintain()
    tune_allocator    make the C library return freed memory, for the whole process: one arena,
                      64 KiB mapped, free pages given back; glibc alone needs and knows it
    """

    dimensions: int = 384
    capacity_records: int = 100_000
    capacity_edges: int = 1_000_000
    capacity_bytes: int | None = None
    disk_bytes: int | None = None
    record_bytes_max: int = MIB
    durability: Durability = "always"
    interval_s: float = 0.005
    half_life_s: float = 7 * 86_400.0
    ttl_s: float | None = None
    soft_ratio: float = 0.95
    target_ratio: float = 0.90
    agent_records: int | None = None
    short_term_records: int = 2_048
    short_term_bytes: int = 8 * MIB
    short_term_s: float = 60.0
    intermediate_bytes: int = 16 * MIB
    consolidate_similarity: float | None = None
    segment_bytes: int = 8 * MIB
    garbage_ratio: float = 0.35
    idle_garbage_ratio: float = 0.15
    ballast_bytes: int | None = None
    maintenance: bool = True
    tune_allocator: bool = True
    events_kept: int = 1_024

    def ballast_size(self) -> int:
        """Bytes of the ballast file."""
        return self.segment_bytes if self.ballast_bytes is None else self.ballast_bytes

    def step_bytes(self) -> int:
        """By how much a segment is preallocated: little of what the directory may take."""
        step = min(_STEP_BYTES, self.segment_bytes)
        return step if self.disk_bytes is None else min(step, self.disk_bytes // _STEPS_OF_DISK)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not _is_of(value, field.type):
                raise BadInputError(f"{field.name} is {value!r}; {_KIND_NAMES[field.type]}")
        checks = {
            "dimensions must be 1..4096": 1 <= self.dimensions <= 4096,
            "capacity_records must be 1..100,000,000": 1 <= self.capacity_records <= 10**8,
            "capacity_edges must be 1..1,000,000,000": 1 <= self.capacity_edges <= 10**9,
            "capacity_bytes must be positive": self.capacity_bytes is None
            or self.capacity_bytes > 0,
            "disk_bytes must be at least 4 segments": self.disk_bytes is None
            or self.disk_bytes >= 4 * self.segment_bytes,
            "durability must be always, interval or never": self.durability
            in ("always", "interval", "never"),
            "interval_s must be positive": self.interval_s > 0,
            "half_life_s must be positive": self.half_life_s > 0,
            "ttl_s must be positive": self.ttl_s is None or self.ttl_s > 0,
            "ballast_bytes must be >= 0": (self.ballast_bytes or 0) >= 0,
            "0 < target_ratio <= soft_ratio <= 1 must hold": 0
            < self.target_ratio
            <= self.soft_ratio
            <= 1,
            "agent_records must be positive": self.agent_records is None or self.agent_records > 0,
            "short_term_records must be >= 0": self.short_term_records >= 0,
            "short_term_bytes must be 0..1 TiB": 0 <= self.short_term_bytes <= _TIER_BYTES_MAX,
            "intermediate_bytes must be 0..1 TiB": 0 <= self.intermediate_bytes <= _TIER_BYTES_MAX,
            "consolidate_similarity must be in (0, 1]": self.consolidate_similarity is None
            or 0 < self.consolidate_similarity <= 1,
            "segment_bytes must be 64 KiB..1 GiB": 64 << 10 <= self.segment_bytes <= 1 << 30,
            "garbage_ratio must be in (0, 1)": 0 < self.garbage_ratio < 1,
            "idle_garbage_ratio must be in (0, 1)": 0 < self.idle_garbage_ratio < 1,
            "record_bytes_max must be 1 KiB..64 MiB": 1024 <= self.record_bytes_max <= 64 * MIB,
            "events_kept must be positive": self.events_kept > 0,
        }
        for claim, holds in checks.items():
            if not holds:
                name = claim.split()[0]
                raise BadInputError(f"{claim}; {name} is {getattr(self, name, 'out of order')}")


_KIND_NAMES: dict[Any, str] = {
    int: "a whole number",
    int | None: "a whole number or None",
    float: "a number",
    float | None: "a number or None",
    bool: "True or False",
    Durability: "always, interval or never",
}


def _is_of(value: object, kind: Any) -> bool:
    """Numbers of numpy are fine; truth is no number, and a float is no whole number."""
    if value is None or isinstance(value, bool):
        return kind in ((float | None, int | None) if value is None else (bool,))
    if kind in (int, int | None):
        return isinstance(value, Integral)
    if kind in (float, float | None):
        return isinstance(value, Real)
    return kind is not bool and isinstance(value, str)
