"""How well is the engine, from 0 (cannot work) to 1, and which part of it is to blame?

score = half the worst component + half the mean of all, so that one failing part is not averaged
away. Each component is 1 while all is well and falls to 0 where its line says.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """score and components, each 0..1."""

    score: float
    components: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What health is judged by.

    fill_ratio           records or bytes, whichever is nearer to its limit
    amplification_ratio  bytes on disk per live byte
    backlog_segments     segments waiting for compaction
    slowdown_ratio       recent median of searches over that of the first ones
    recall_ratio         of the sketch against the full scan, as last probed
    error_ratio          failed operations of the recent ones
    is_maintained        the background thread lives, or there is none by choice
    """

    fill_ratio: float
    amplification_ratio: float
    backlog_segments: int
    slowdown_ratio: float
    recall_ratio: float
    error_ratio: float
    can_write: bool
    is_maintained: bool


def judge(vitals: Vitals) -> Health:
    """The published formula; every figure in it is one of the engine's own goals."""
    components = {
        "capacity": 1 - (vitals.fill_ratio - 0.95) / 0.10,
        "disk": 1 - (vitals.amplification_ratio - 1.5) / 1.5,
        "maintenance": 1 - (vitals.backlog_segments - 1) / 4 if vitals.is_maintained else 0.0,
        "latency": 1 - (vitals.slowdown_ratio - 1.5) / 3,
        "recall": (vitals.recall_ratio - 0.80) / 0.15,
        "errors": 1 - 100 * vitals.error_ratio,
        "durability": 1.0 if vitals.can_write else 0.0,
    }
    clamped = {name: min(max(value, 0.0), 1.0) for name, value in components.items()}
    score = 0.5 * min(clamped.values()) + 0.5 * sum(clamped.values()) / len(clamped)
    return Health(score=score, components=clamped)
