"""What would fixed thresholds have said? Memory down a tenth, latency a fifth, health up by 0.1.

For comparison with results that counted maintenance so: two moments so far apart are compared, and
each that differs by so much is an event. In simulated hours every event it saw was one, and it saw
a quarter of those of 2 % and more (docs/scorecard.md); so it judges nothing: it passes.
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.detectors._columns import Column
from soak.detectors._stretch import spans_gap
from soak.scenario.quantities import Duration
from soak.seams import Evidence, Finding, Floats
from soak.sentences import count
from soak.verdict import Concern, Status

CONCERN = Concern.OBJECTIVE
MEMORY, LATENCY, HEALTH = "memory", "latency", "health"


class Params(BaseModel):
    """every: between the two moments compared."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    memory_fall: float = Field(0.10, gt=0, lt=1, description="Share of memory given back.")
    latency_fall: float = Field(0.20, gt=0, lt=1, description="Share of latency gained.")
    health_rise: float = Field(0.1, gt=0, le=1, description="Rise of the health score.")
    memory: Column = Field("anonymous_bytes", description="Column of the memory.")
    latency: Column = Field("search_p50_s", description="Column of the latency.")
    every: Duration = Field(10.0, gt=0)


def detect(evidence: Evidence, params: Params) -> Finding:
    """Pass with the number of events; unknown where none of the three figures was measured."""
    found = {
        MEMORY: _moments(evidence, params, params.memory),
        LATENCY: _moments(evidence, params, params.latency),
        HEALTH: _moments(evidence, params, "score"),
    }
    if not any(column.size for column, _ in found.values()):
        return Finding(status=Status.UNKNOWN, reason="neither memory, latency nor health is known")
    times = {
        kind: _of_one_piece(evidence, events(column, t_s, kind, params), t_s)
        for kind, (column, t_s) in found.items()
    }
    parts = ", ".join(f"{count(len(times[kind]))} by {kind}" for kind in found)
    together = np.unique(np.concatenate(list(times.values())))
    seen = count(together.size)
    return Finding(
        status=Status.PASS,
        reason=f"fixed thresholds would have seen {seen} maintenance events: {parts}",
        effect=float(together.size),
        unit="events",
    )


def events(values: Floats, t_s: Floats, kind: str, params: Params) -> Floats:
    """When the rule fires, shape (n,). values: at the moments compared, nothing missing."""
    if values.size < 2:
        return np.empty(0)
    before, after = values[:-1], values[1:]
    if kind == HEALTH:
        return t_s[1:][after - before >= params.health_rise]
    share = params.memory_fall if kind == MEMORY else params.latency_fall
    return t_s[1:][after <= (1 - share) * before]


def _of_one_piece(evidence: Evidence, fired_s: Floats, t_s: Floats) -> Floats:
    """Without those that compare two sides of a gap: another process holds less from its start."""
    before_s = t_s[np.searchsorted(t_s, fired_s) - 1]
    return fired_s[~spans_gap(evidence, before_s, fired_s)]


def _moments(evidence: Evidence, params: Params, name: str) -> tuple[Floats, Floats]:
    """The last figure of every stretch of so many seconds, and when it was."""
    values = evidence.columns.get(name, np.empty(0))
    if not values.size:
        return np.empty(0), np.empty(0)
    is_seen = ~np.isnan(values)
    t_s, values = evidence.columns["t_s"][is_seen], values[is_seen]
    stretch = np.floor(t_s / params.every)
    is_last = np.append(stretch[1:] != stretch[:-1], True) if t_s.size else np.empty(0, dtype=bool)
    return values[is_last], t_s[is_last]
