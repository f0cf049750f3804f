"""The embedded agent-memory engine of this repository, in the worker's own process.

What an option means stands in engine/options.py; null leaves the engine's own default. The engine
is only imported when a target is built, so that reading a scenario stays light.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import OPERATIONS
from soak.scenario.quantities import Duration, Size
from soak.seams import Target

# exact_filter: a search within one agent's records scans them all, however many there are.
CAPABILITIES = frozenset({*OPERATIONS, "pin", "tiers", "exact_filter"})
Positive = Field(None, ge=1)
Share = Field(None, gt=0, le=1)


class Params(BaseModel):
    """Half of the keys a scenario follows by default fit, so that a run sees the engine forget.

    durability is always by default: what was acknowledged is synced, and the latency shows it.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    capacity_records: int = Field(20_000, ge=1, le=100_000_000)
    durability: Literal["always", "interval", "never"] = "always"
    interval_s: Duration | None = None
    capacity_edges: int | None = Positive
    capacity_bytes: Size | None = None
    disk_bytes: Size | None = None
    record_bytes_max: Size | None = None
    half_life_s: Duration | None = None
    ttl_s: Duration | None = None
    soft_ratio: float | None = Share
    target_ratio: float | None = Share
    agent_records: int | None = Positive
    short_term_records: int | None = Field(None, ge=0)
    short_term_bytes: Size | None = None
    short_term_s: Duration | None = None
    intermediate_bytes: Size | None = None
    consolidate_similarity: float | None = Share
    segment_bytes: Size | None = None
    garbage_ratio: float | None = Field(None, gt=0, lt=1)
    ballast_bytes: Size | None = None
    maintenance: bool | None = None


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the engine in data_dir. Raises TargetUnavailable in the engine's own words."""
    return build_aging(params, data_dir, clock, 1.0)


def build_aging(params: object, data_dir: Path, clock: Clock, time_scale: float) -> Target:
    """The same with memories that age time_scale times as fast: half_life_s, ttl_s, short_term_s
    and the periods of maintenance, which looks twenty times a second at most."""
    from soak.targets._embedded import Embedded

    assert isinstance(params, Params)
    return Embedded(params.model_dump(exclude_none=True), CAPABILITIES, data_dir, clock, time_scale)
