"""An embedded memory for agents that forgets what matters least and gives back what it no longer
needs: one log, one column store, no index to rebuild. Start at engine.py."""

from engine.clock import Clock, SystemClock
from engine.disk import Disk
from engine.engine import Engine, open
from engine.errors import (
    BadInputError,
    CapacityError,
    ClosedError,
    CorruptError,
    DirectoryError,
    DurabilityError,
    EngineError,
    FormatError,
    LockedError,
    NotFoundError,
    TooLargeError,
)
from engine.health import Health
from engine.history import MaintenanceEvent
from engine.memory import Edge, Hit, Memory
from engine.options import Options
from engine.tiers import Tier

__all__ = [
    "BadInputError",
    "CapacityError",
    "Clock",
    "ClosedError",
    "CorruptError",
    "DirectoryError",
    "Disk",
    "DurabilityError",
    "Edge",
    "Engine",
    "EngineError",
    "FormatError",
    "Health",
    "Hit",
    "LockedError",
    "MaintenanceEvent",
    "Memory",
    "NotFoundError",
    "Options",
    "SystemClock",
    "Tier",
    "TooLargeError",
    "open",
]
