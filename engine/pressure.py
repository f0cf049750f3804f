"""How near is the engine to each of its limits, and how much has to go?"""

from dataclasses import dataclass

from engine.live import Live
from engine.log import Log
from engine.options import Options

_INDEX_BYTES = 120
# Of one record in a checkpoint: its header and where it lies.
CHECKPOINT_BYTES = 68


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Shares of the limits; 0 where there is none. live: what eviction can lower; disk: what
    compaction can lower."""

    records_ratio: float
    memory_ratio: float
    live_ratio: float
    disk_ratio: float

    @property
    def fill_ratio(self) -> float:
        """Of the limit that is nearest, as far as records are to blame."""
        return max(self.records_ratio, self.memory_ratio, self.live_ratio)


def needed_bytes(live: Live) -> int:
    """RAM that the records themselves need, without pages waiting to be given back."""
    columns, tiers = live.columns, live.tiers
    rows = columns.n * (columns.row_bytes + _INDEX_BYTES)
    upper = tiers.needed_short_bytes + tiers.ring.touched_bytes + tiers.compression_bytes
    return rows + upper + live.graph.accounted_bytes


def measure(live: Live, log: Log, options: Options, ballast_bytes: int) -> Pressure:
    """As things are now."""
    memory = disk = alive = 0.0
    if options.capacity_bytes is not None:
        memory = needed_bytes(live) / options.capacity_bytes
    if options.disk_bytes is not None:
        checkpoints = live.columns.n * CHECKPOINT_BYTES
        room = options.disk_bytes - ballast_bytes - checkpoints
        room = max(room, 1)
        disk = log.total_bytes / room
        alive = log.live_bytes / room
    return Pressure(
        records_ratio=live.columns.n / options.capacity_records,
        memory_ratio=memory,
        live_ratio=alive,
        disk_ratio=disk,
    )


def excess_records(n: int, fill_ratio: float, target_ratio: float) -> int:
    """How many of n records must go for the fill to fall to the target."""
    return max(n - int(n * target_ratio / fill_ratio), 0) if fill_ratio > 0 else 0
