"""How near is the engine to each of its limits, and how much has to go?"""

from dataclasses import dataclass

from engine.live import Live
from engine.log import Log
from engine.options import Options

# An entry of the index and its two numbers, on average; what all hold is measured (index.py).
INDEX_BYTES = 120
# Of one frame in a checkpoint: its header and where it lies.
CHECKPOINT_BYTES = 68


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Shares of the limits; 0 where there is none. memory: without what could be demoted; live:
    what eviction can lower of the disk; disk: what compaction can lower."""

    records_ratio: float
    memory_ratio: float
    live_ratio: float
    disk_ratio: float

    @property
    def fill_ratio(self) -> float:
        """Of the limit that is nearest, as far as records are to blame."""
        return max(self.records_ratio, self.memory_ratio, self.live_ratio)


def record_bytes(live: Live) -> int:
    """RAM that a record needs in whatever tier it is."""
    return live.columns.row_bytes + INDEX_BYTES


def lasting_bytes(live: Live) -> int:
    """RAM that only eviction lowers: what remains when everything is long-term."""
    rows = live.columns.n * record_bytes(live)
    return rows + live.tiers.compression_bytes + live.graph.accounted_bytes


def needed_bytes(live: Live) -> int:
    """RAM that the records themselves need, without pages waiting to be given back."""
    tiers = live.tiers
    return lasting_bytes(live) + tiers.needed_short_bytes + tiers.ring.touched_bytes


def disk_room_bytes(live: Live, log: Log, limit_bytes: int) -> int:
    """What the segments may take of `disk_bytes`; at least 1.

    Set aside are the ballast, held or to be taken again, and checkpoints: of live frames and
    tombstones, and of dead ones as if those were alike.
    """
    options = live.options
    live_bytes = log.live_bytes
    frames = live.columns.n + live.graph.n
    dead = frames * log.dead_bytes // live_bytes if live_bytes else 0
    checkpoints = (frames + dead + log.tombstone_count) * CHECKPOINT_BYTES
    return max(limit_bytes - options.ballast_size() - checkpoints, 1)


def measure(live: Live, log: Log, options: Options) -> Pressure:
    """As things are now."""
    memory = disk = alive = 0.0
    if options.capacity_bytes is not None:
        memory = lasting_bytes(live) / options.capacity_bytes
    if options.disk_bytes is not None:
        room_bytes = disk_room_bytes(live, log, options.disk_bytes)
        disk = log.held_bytes / room_bytes
        alive = log.live_bytes / room_bytes
    return Pressure(
        records_ratio=live.columns.n / options.capacity_records,
        memory_ratio=memory,
        live_ratio=alive,
        disk_ratio=disk,
    )


def excess_records(n: int, fill_ratio: float, target_ratio: float) -> int:
    """How many of n records must go for the fill to fall to the target."""
    return max(n - int(n * target_ratio / fill_ratio), 0) if fill_ratio > 0 else 0
